"""From flow to a plan: which sites are rewritten how, and what is reported.

A site that its rule refuses blocks its unit; blocked units change what the others need (a client, a
kept ``connect``), so planning goes round until nothing more is blocked.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable

from migrate_milvus import deferred, documenting, escapes, handover, naming, reporting
from migrate_milvus.edits import (
    Edit,
)
from migrate_milvus.flow import Site
from migrate_milvus.localising import foreign, localised
from migrate_milvus.placement import Place
from migrate_milvus.planning import (
    ALIAS,
    BY_HAND,
    CALLERS,
    COLLECTION_ALIAS,
    IN_REACH,
    MEMBER,
    OBJECT_IN_SIGHT,
    ONE_KIND,
    RECEIVER,
    Draft,
    Plan,
    Planning,
    Quiet,
)
from migrate_milvus.program import FunctionInfo, Module
from migrate_milvus.registry import (
    Refusal,
    refuted,
    require,
    unknown,
)
from migrate_milvus.rewrite.claims import templates
from migrate_milvus.rewrite.live import words
from migrate_milvus.values import Object

# Rounds until it is certain which functions need to be passed a client.
_ROUNDS = 8
_WORD = re.compile(r"[^\W\d]\w*")


def plan(planning: Planning, *, chains: bool = True) -> dict[str, Plan]:
    """Plan the program, each module by its path; ``chains`` asks for the evidence of each site."""
    _ignore_suppressed(planning)
    _hold(planning)
    _keep_frozen(planning)
    _keep_switched(planning)
    named = {symbol for _, symbol in reporting.texts(planning)}
    for site in planning.sites:
        if site.symbol in named:
            planning.give_up(site)  # what is patched by name stays what it is
    _keep_replaced(planning)
    escapes.check_units(planning)
    rounds, before = 0, _state(planning)
    while True:
        rounds += 1
        _round(planning)
        after = _state(planning)
        # Who needs no client is told by what the round before wrote.
        told = not planning.handed or planning.asking == planning.asked or rounds > _ROUNDS
        if before == after and told:
            break
        before = after
    return _finish(planning, chains)


def _names_client(planning: Planning, site: Site, edits: list[Edit]) -> bool:
    """Whether the client stands in what is written for a site."""
    place = planning.places.get(planning.keys[id(site)])
    if not isinstance(place, Place):
        return True
    return any(
        place.name in _WORD.findall(text)
        for edit in edits
        for template in templates(edit)
        for text in words(template)
    )


def _state(planning: Planning) -> tuple[int, ...]:
    """How much is blocked: it only grows."""
    return (
        len(planning.blocked_units),
        len(planning.blocked_sites),
        len(planning.blocked_keys),
        len(planning.refusals),
        len(planning.renewed),
    )


def _keep_replaced(planning: Planning) -> None:
    """What tests replace in this module, by the name that it has here, stays what it is."""
    flow = planning.flow
    for alias, dotted in flow.imports.items():
        bound = alias.asname or alias.name
        symbol = flow.library.resolve(dotted)
        module = flow.module_of(alias)
        user = planning.context.replaced(module.name).get(bound)
        if user is None or symbol is None:
            continue
        sites = [
            s
            for s in planning.sites
            if s.module is module and f"{s.symbol}.".startswith(f"{symbol}.")
        ]
        for number, site in enumerate(s for s in sites if planning.is_orm(s)):
            if number:
                planning.give_up(site)
                continue
            refusal = Refusal(
                CALLERS,
                f"{user} replaces {bound!r} of this module, so the calls must stay what they are",
                "Replace the client there instead: patch what this module calls MilvusClient.",
                node=site.node,
            )
            planning.block(site, refusal)


def _round(planning: Planning) -> None:
    planning.draft = Draft()
    planning.crossing.start()
    planning.configured.start()
    planning.asked = planning.asking or None
    planning.asking = set()
    _keep_together(planning)
    active = [site for site in planning.sites if planning.is_active(site)]
    planning.place_clients(active)
    naming.decide_names(planning)
    ordered = sorted(
        active,
        key=lambda s: (
            rule.order if (rule := planning.rule_set.rule_for(s.symbol)) else 99,
            s.module.name,
            s.node.lineno,
            s.node.col_offset,
        ),
    )
    for site in ordered:
        if site.node in planning.draft.claimed:
            continue
        planning.current = site.module
        try:
            edits = list(_rewrite(planning, site))
            deferred.check(planning, site, edits)
            _check_local(planning, edits)
            planning.draft.edits.extend(edits)
            if planning.handed and not _names_client(planning, site, edits):
                planning.asking.discard(id(site))
            if edits and planning.is_shown(site.node):
                _note_shown(planning, site)
        except Quiet:
            planning.give_up(site)
        except Refusal as refusal:
            planning.block(site, refusal)


def _note_shown(planning: Planning, site: Site) -> None:
    what = planning.rule_set.shows(site.symbol)
    if what is not None:
        planning.note(site, "result-shown", f"the cell showed {what}; it does not any more")


def _rewrite(planning: Planning, site: Site) -> Iterable[Edit]:
    rule = planning.rule_set.rule_for(site.symbol)
    if site.form == "annotation":
        return planning.rewrite_annotation(site)
    if site.form == "import":
        require(
            BY_HAND,
            refuted(
                f"{site.symbol} is not imported from here any more",
                planning.recipe(site),
            ),
        )
        return []
    if site.form == "suspect":
        require(
            RECEIVER,
            unknown(
                f"'{planning.text(site.receiver or site.node)}' looks like a Collection that "
                "comes from out of sight",
                planning.recipe(site),
            ),
            rule="MLV291",
        )
        return []
    if site.form == "reference" and not (rule is not None and rule.references):
        of_class = site.symbol in planning.rule_set.unit_kinds
        require(
            OBJECT_IN_SIGHT if site.objects or of_class else BY_HAND,
            refuted(
                f"{site.symbol} is used as a value here, not called",
                planning.recipe(site),
            ),
            rule="MLV290" if site.objects or of_class else "",
        )
        return []
    if site.ambiguous:
        require(
            ONE_KIND,
            unknown(f"this may be {site.symbol} or something else, depending on the path"),
        )
    same_node = planning.flow.sites.get(site.node, [])
    if len({other.symbol for other in same_node}) > 1:
        names = " or ".join(sorted({other.symbol for other in same_node}))
        require(ONE_KIND, unknown(f"this is {names}, depending on the path"))
    if site.form == "call" and site.objects and site.receiver is None:
        raise Quiet  # a bound method: said where it was taken
    if rule is None:
        refused = {node for _, _, _, node in planning.refusals}
        if any(item.origin in refused for item in site.objects):
            raise Quiet  # said where the object comes from
        known = planning.recipe(site)
        private = planning.rule_set.rule_id(site.symbol) == "MLV020"
        if known and not private:
            require(BY_HAND, refuted(f"{site.symbol} is not rewritten: by hand it becomes", known))
        else:
            require(
                MEMBER,
                refuted(
                    f"{site.symbol} is not part of the ORM's public API",
                    known or "Use a public method, or the client's own API, instead.",
                ),
            )
        return []
    connections = planning.rule_set.connections
    if (
        connections.needs_client(site)
        and planning.is_orm(site)
        and not connections.is_disconnect(site.symbol)
    ):
        if planning.keys[id(site)] is None:
            reason = COLLECTION_ALIAS if site.objects or planning.unit(site) else ALIAS
            unit = planning.unit(site)
            if unit is not None and site.symbol not in planning.rule_set.unit_kinds:
                makers = [s for s in unit.sites if s.symbol in planning.rule_set.unit_kinds]
                if not makers or any(planning.keys[id(maker)] is None for maker in makers):
                    raise Quiet  # said at the constructor
                require(
                    COLLECTION_ALIAS,
                    unknown(
                        "the object may be one of several connections",
                        "Keep each client beside the names that it is for.",
                    ),
                )
            require(reason, planning.alias_unknown(site))
    return [*planning.opened_first(site), *rule.rewrite(site, planning)]


def _ignore_suppressed(planning: Planning) -> None:
    for site in planning.sites:
        rule = planning.rule_set.rule_id(site.symbol)
        if planning.context.ignores(site.module.name, site.node.lineno, rule):
            planning.ignored.add(id(site))
            unit = planning.unit(site)
            if unit is not None:
                planning.blocked_units.add(id(unit))
            elif planning.rule_set.connections.is_connect(site.symbol):
                planning.blocked_keys.add(planning.keys[id(site)])


def _hold(planning: Planning) -> None:
    """What the user has not decided on yet stays, with its unit.

    Calls that act on a whole connection follow the uses of it, so they are not held by themselves.
    """
    held, connections = planning.settings.held, planning.rule_set.connections
    for site in planning.sites if held else ():
        if planning.place(site.node) not in held:
            continue
        unit = planning.unit(site)
        if unit is not None:
            planning.blocked_units.add(id(unit))
        elif not (
            connections.is_connect(site.symbol)
            or connections.is_disconnect(site.symbol)
            or connections.configures(site.symbol)
            or connections.acts_on_alias(site.symbol)
            or connections.asks(site.symbol)
        ):
            planning.blocked_sites.add(id(site))


def _keep_frozen(planning: Planning) -> None:
    """What stands in files that must not change stays, with all that changes together with it."""
    frozen = planning.context.frozen
    if not frozen:
        return
    for site in planning.sites:
        if site.module.name not in frozen:
            continue
        unit = planning.unit(site)
        if unit is not None and id(unit) not in planning.blocked_units:
            others = [s for s in unit.sites if s.module.name not in frozen]
            if others:
                answer = unknown(
                    f"the object goes to {site.module.name}, which does not change in this run",
                    "Give both paths, and mend what stops the other file: they change together.",
                )
                refusal = Refusal(CALLERS, answer.message, answer.recipe, node=others[0].node)
                planning.block_unit(unit, refusal, others[0].node)
        planning.give_up(site)


def _keep_switched(planning: Planning) -> None:
    """A connection that one module closes and another one opens to somewhere else stays.

    Who uses it is on the address of whoever opened it last, which need not be its own module.
    """
    connections, graph = planning.rule_set.connections, planning.context.graph
    if graph is None or not any(connections.is_disconnect(s.symbol) for s in planning.sites):
        return
    opening: dict[Hashable, dict[Module, list[Site]]] = defaultdict(lambda: defaultdict(list))
    for site in planning.sites:
        if connections.is_connect(site.symbol) and site.form == "call":
            opening[planning.alias(site)][site.module].append(site)
    for homes in opening.values():
        for home, sites in homes.items():
            texts = {_address(site) for site in sites}
            for other, others in homes.items():
                same = len(texts | {_address(site) for site in others}) == 1
                if other is home or same or not graph.meet(home.name, other.name):
                    continue
                for site in sites:
                    planning.block(
                        site,
                        Refusal(
                            IN_REACH,
                            f"{other.name} may close this connection and open it to another "
                            "address, which this file would use then",
                            "Give each address an alias, or a client, of its own first.",
                            node=site.node,
                        ),
                    )
                break


def _address(site: Site) -> str:
    """What a connect call says, to compare it with others; never equal for what is computed."""
    call = site.call
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    if all(isinstance(part, ast.Constant) for part in parts):
        return ast.dump(site.node)
    return f"{site.module.name}:{site.node.lineno}"


def _keep_together(planning: Planning) -> None:
    """An object of which one use has to stay, for its connection's sake, stays as a whole."""
    for unit in planning.units.all():
        if id(unit) not in planning.blocked_units and any(
            planning.is_orm(site) and not planning.is_active(site) for site in unit.sites
        ):
            planning.blocked_units.add(id(unit))


def _check_local(planning: Planning, edits: list[Edit]) -> None:
    """What is written in one module must not name what only another one has."""
    if len(planning.flow.program.modules) == 1:
        return
    for node in foreign(planning.flow, edits):
        other = planning.flow.module_of(node).name
        require(
            CALLERS,
            unknown(
                f"what has to be written here stands in {other}: {planning.text(node)}",
                f"Import what {other} has, and write the call by hand.",
            ),
        )


def _finish(planning: Planning, chains: bool) -> dict[str, Plan]:
    flow = planning.flow
    edits: list[Edit] = []
    if any(_counts(planning, site) for site in planning.sites if planning.is_active(site)):
        calls = [*planning.draft.edits, *handover.name_edits(planning)]
        calls += documenting.edits(planning)
        # ``global``, and what gets the client, go before what is inserted there.
        edits = [*handover.client_edits(planning), *planning.configured.edits(calls), *calls]
        edits = deferred.placed(planning, edits)
    report = reporting.report(planning, bool(edits), chains)
    plans = {
        module.name: Plan(
            findings=[f for f in report.findings if f.place.path == module.name],
            sites=[s for s in report.sites if s.place.path == module.name],
        )
        for module in flow.program.modules
    }
    for edit in edits:
        plans[flow.module_of(edit.node).name].edits.append(localised(flow, edit))
    if not edits:
        return plans
    for function, kind in _giving(planning):
        plans[function.module.name].signatures.append(
            f"{function.name}() gives the name of the {kind.lower()}, no {kind}"
        )
    for (module, statement), names in planning.draft.imports.items():
        plans[module.name].new_names.setdefault(statement, set()).update(names)
    for module, modules in planning.draft.modules.items():
        plans[module.name].modules |= modules
    for (module, statement), names in planning.crossing.names.items():
        plans[module.name].new_names.setdefault(statement, set()).update(names)
    for (module, line), after in planning.crossing.lines.items():
        plans[module.name].lines[line] = after
    return plans


def _giving(planning: Planning) -> list[tuple[FunctionInfo, str]]:
    """The functions without a return annotation that gave objects and give names now."""
    found: list[tuple[FunctionInfo, str]] = []
    for unit in planning.units.all():
        if id(unit) in planning.blocked_units:
            continue
        for slot in planning.in_order(unit.slots):
            function = slot.owner
            if (
                slot.kind == "return"
                and isinstance(function, FunctionInfo)
                and not isinstance(function.node, ast.Lambda)
                and function.node.returns is None
            ):
                values = planning.flow.store.get(slot, frozenset())
                named = planning.rule_set.named_kinds
                kinds = {v.kind for v in values if isinstance(v, Object) and v.kind in named}
                found += [(function, kind) for kind in sorted(kinds)]
    return found


def _counts(planning: Planning, site: Site) -> bool:
    return planning.is_orm(site)
