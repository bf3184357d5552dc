"""What a plan reports: findings, the ledger of sites, and the chains of evidence."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from migrate_milvus.edits import (
    InsertStatements,
    ReplaceNode,
    ReplaceStatement,
)
from migrate_milvus.flow import Site, Slot
from migrate_milvus.model import FOR_REST, Finding, Severity, SiteRecord, Status
from migrate_milvus.planning import COMPUTED, IN_SIGHT, IN_TEXT, Planning
from migrate_milvus.program import FunctionInfo
from migrate_milvus.runners import LaterCall
from migrate_milvus.values import (
    Bound,
    Library,
    ModuleValue,
    Object,
)


@dataclass
class Report:
    """The findings and the ledger of a program."""

    findings: list[Finding] = field(default_factory=list)
    sites: list[SiteRecord] = field(default_factory=list)


def report(planning: Planning, edited: bool, chains: bool) -> Report:
    """The findings and the ledger of sites, with their chains of evidence if asked for.

    ``edited``: whether anything is to be rewritten.
    """
    plan = Report()
    followers: dict[int, list[Site]] = defaultdict(list)
    connected: dict[Hashable, list[Site]] = defaultdict(list)  # what follows a connection
    blocking = {id(site) for site, _, _, _ in planning.refusals if site is not None}
    suppressed: dict[int, ast.AST] = {
        id(unit): site.node
        for site in reversed(planning.sites)
        if id(site) in planning.ignored and (unit := planning.unit(site)) is not None
    }
    refused = {id(unit) for _, unit, _, _ in planning.refusals if unit is not None}
    for site in planning.sites:
        if planning.is_orm(site) and not planning.is_active(site) and id(site) not in blocking:
            unit, key = planning.unit(site), planning.keys[id(site)]
            if unit is not None and (id(unit) in refused or id(unit) in suppressed):
                followers[id(unit)].append(site)
            elif id(site) not in planning.ignored:
                connected[key].append(site)
    reported: set[tuple[str, int, int, str, str]] = set()
    lead: dict[int, str] = {}
    for cause, unit, refusal, node in planning.refusals:
        if cause is not None and id(cause) in planning.ignored:
            continue
        place = planning.place(node)
        rule = refusal.rule or (
            planning.rule_set.rule_id(cause.symbol) if cause is not None else "MLV290"
        )
        if planning.ignores(node, rule):
            if unit is not None:
                suppressed.setdefault(id(unit), node)
            continue
        signature = (place.page, place.line, place.column, rule, refusal.reason)
        if unit is not None:
            lead.setdefault(id(unit), f"{refusal.reason} at {planning.line_of(node)}")
        if signature in reported:
            continue
        if (
            cause is not None
            and cause.form in ("reference", "suspect")
            and any(known[:2] == (place.page, place.line) for known in reported)
        ):
            continue  # what it is used for is reported on the same line
        reported.add(signature)
        if unit is not None:
            others = followers.get(id(unit), [])
        else:
            keys = planning.kept_by.get(id(cause), ())
            others = [site for key in keys for site in connected.get(key, ())]
        if cause is not None and cause.node is not node and cause not in others:
            others = sorted([*others, cause], key=lambda site: planning.place(site.node))
        follows = tuple(planning.place(site.node) for site in others if site.node is not node)
        plan.findings.append(
            Finding(
                place=place,
                rule=rule,
                reason=refusal.reason,
                message=refusal.message,
                recipe=refusal.recipe,
                symbol=cause.symbol if cause is not None else "",
                follows=follows,
                code=planning.code(node),
            )
        )
    told = {key for keys in planning.kept_by.values() for key in keys}
    left = [site for key, sites in connected.items() if key not in told for site in sites]
    _attach(planning, plan, left)
    for key, node in suppressed.items():
        staying = [site for site in followers.get(key, ()) if id(site) not in planning.ignored]
        if staying and key not in lead:
            plan.findings.append(_kept_by_ignored(planning, node, staying))
    for site, reason, message in planning.draft.notes:
        if not edited:
            break
        plan.findings.append(
            Finding(
                place=planning.place(site.node),
                rule=planning.rule_set.rule_id(site.symbol),
                reason=reason,
                message=message,
                severity=Severity.NOTE,
                symbol=site.symbol,
                code=planning.code(site.node),
            )
        )
    if edited:
        _note_blocking_calls(planning, plan)
    _report_texts(planning, plan)
    touched = _edited(planning)
    reasons = {id(cause): known.reason for cause, _, known, _ in planning.refusals if cause}
    units: dict[int, str] = {}  # the name of each unit: the place of its first site
    for site in planning.sites:
        if not planning.is_orm(site):
            continue
        if id(site) in planning.ignored:
            status, reason = Status.IGNORED, "ignored"
        elif planning.is_active(site):
            connections = planning.rule_set.connections
            kept = (
                connections.is_connect(site.symbol)
                or connections.configures(site.symbol)
                or connections.is_disconnect(site.symbol)
                or connections.acts_on_alias(site.symbol)
            ) and (planning.stays(site) or not edited or site.node not in touched)
            status = Status.REPORTED if kept else Status.REWRITTEN
            reason = FOR_REST if kept else ""
        else:
            unit = planning.unit(site)
            reason = reasons.get(id(site)) or (
                lead.get(id(unit), "follows") if unit is not None else "follows"
            )
            status = Status.REPORTED
        place, unit = planning.place(site.node), planning.unit(site)
        plan.sites.append(
            SiteRecord(
                place=place,
                symbol=site.symbol,
                rule=planning.rule_set.rule_id(site.symbol),
                status=status,
                reason=reason,
                why=tuple(why(planning, site)) if chains else (),
                unit=units.setdefault(id(unit), str(place)) if unit is not None else "",
                code=planning.code(site.node),
            )
        )
    plan.findings.sort(key=lambda f: f.place)
    return plan


def _attach(planning: Planning, plan: Report, sites: list[Site]) -> None:
    """Let sites without a client follow what is said about connections: once, for all of them."""
    connections = planning.rule_set.connections
    said = [
        number
        for number, finding in enumerate(plan.findings)
        if connections.is_connect(finding.symbol) or finding.reason == IN_SIGHT
    ]
    for site in sites if said else ():
        place = planning.place(site.node)
        number = next((n for n in said if plan.findings[n].place.path == place.path), said[0])
        finding = plan.findings[number]
        if finding.place != place:
            plan.findings[number] = replace(finding, follows=(*finding.follows, place))


def _kept_by_ignored(planning: Planning, node: ast.AST, kept: list[Site]) -> Finding:
    """The note for sites that stay because of a line that is ignored; it stands at the first."""
    first, *others = kept
    line = planning.line_of(node)
    return Finding(
        place=planning.place(first.node),
        rule=planning.rule_set.rule_id(first.symbol),
        reason="kept-by-ignored",
        message=f"stays, because {line} uses the same object and is ignored",
        recipe=f"Change {line} by hand, remove its comment, and run again.",
        severity=Severity.NOTE,
        symbol=first.symbol,
        follows=tuple(planning.place(site.node) for site in others),
        code=planning.code(first.node),
    )


def texts(planning: Planning) -> list[tuple[ast.AST, str]]:
    """The ORM symbols that are named in a text: ``patch("pymilvus.Collection")``."""
    if planning.texts is not None:
        return planning.texts
    found: list[tuple[ast.AST, str]] = []
    planning.texts = found
    library = planning.flow.library
    for node, parent in planning.flow.source.parents.items():
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if not isinstance(parent, ast.Call | ast.keyword):
            continue
        symbol = library.resolve(node.value)
        if symbol is not None and library.is_site(symbol):
            found.append((node, symbol))
    return found


def why(planning: Planning, site: Site) -> list[str]:
    """The chain of evidence that makes this a use of the library, nearest first."""
    planning.current = site.module
    steps = [f"{_at(planning, site.node)} {_statement_text(planning, site.node)} is {site.symbol}"]
    target = site.receiver or (site.node.func if isinstance(site.node, ast.Call) else site.node)
    _chain(planning, target, steps, set(), 0)
    return steps


def _report_texts(planning: Planning, plan: Report) -> None:
    """Report the ORM symbols that are named in a text, and modules reached by computing."""
    for reached, how in planning.flow.computed.items():
        place = planning.place(reached)
        if planning.ignores(reached, "MLV010"):
            continue
        plan.findings.append(
            Finding(
                place=place,
                rule="MLV010",
                reason=COMPUTED,
                message=f"the library is reached through {how}(): what it is for is not seen",
                recipe="Import what is used by name; the connection is kept for it until then.",
                code=planning.code(reached),
            )
        )
    for node, symbol in texts(planning):
        place = planning.place(node)
        ignored = planning.ignores(node, "MLV012")
        if not ignored:
            plan.findings.append(
                Finding(
                    place=place,
                    rule="MLV012",
                    reason=IN_TEXT,
                    message=f"{symbol} is named in a text here, which is not rewritten",
                    recipe="Name what the migrated code uses: pymilvus.MilvusClient, or the "
                    "attribute that holds the client.",
                    symbol=symbol,
                    follows=tuple(
                        planning.place(site.node)
                        for site in planning.sites
                        if site.symbol == symbol and not planning.is_active(site)
                    ),
                    code=planning.code(node),
                )
            )
        plan.sites.append(
            SiteRecord(
                place=place,
                symbol=symbol,
                rule="MLV012",
                status=Status.IGNORED if ignored else Status.REPORTED,
                reason=IN_TEXT,
                code=planning.code(node),
            )
        )


def _note_blocking_calls(planning: Planning, plan: Report) -> None:
    """One note for each ``async def`` whose rewritten calls block, as they did before."""
    noted: set[FunctionInfo] = set()
    connections = planning.rule_set.connections
    for site in planning.sites:
        function = site.function
        if (
            function is None
            or function in noted
            or not isinstance(function.node, ast.AsyncFunctionDef)
            or not planning.is_active(site)
            or not planning.is_orm(site)
            or (site.form == "attribute" and not connections.needs_client(site))
            or site.symbol in planning.rule_set.unit_kinds
            or site.symbol.endswith(".name")
            or isinstance(site.node, LaterCall)  # in a thread of its own
        ):
            continue
        noted.add(function)
        plan.findings.append(
            Finding(
                place=planning.place(site.node),
                rule=planning.rule_set.rule_id(site.symbol),
                reason="blocking-in-async",
                message=f"calls in 'async def {function.name}' block the event loop, as before",
                recipe="AsyncMilvusClient has the same methods to await.",
                severity=Severity.NOTE,
                symbol=site.symbol,
                code=planning.code(site.node),
            )
        )


def _edited(planning: Planning) -> set[ast.AST]:
    found: set[ast.AST] = set()
    for edit in planning.draft.edits:
        if isinstance(edit, ReplaceNode | ReplaceStatement | InsertStatements):
            found.update(ast.walk(edit.node))
    return found


def _chain(
    planning: Planning, node: ast.expr | None, steps: list[str], seen: set[ast.AST], depth: int
) -> None:
    if node is None or node in seen or depth > 12:
        return
    seen.add(node)
    slot = planning.flow.reads.get(node)
    if slot is not None and slot.kind == "return" and isinstance(slot.owner, FunctionInfo):
        _returned(planning, slot.owner, steps, seen, depth)
    elif slot is not None:
        _chain_slot(planning, slot, steps, seen, depth)
    if isinstance(node, ast.Call):
        for edge in planning.flow.calls.get(node, []):
            _returned(planning, edge.target, steps, seen, depth)
        _chain(planning, node.func, steps, seen, depth + 1)
    elif isinstance(node, ast.Attribute) and slot is None:
        _chain(planning, node.value, steps, seen, depth + 1)


def _chain_slot(
    planning: Planning, slot: Slot, steps: list[str], seen: set[ast.AST], depth: int
) -> None:
    if depth < 12:
        for write in planning.flow.writes.get(slot, {}).values():
            relevant = any(
                isinstance(v, Object | Library | ModuleValue | Bound) for v in write.values
            )
            if not relevant or write.target in seen:
                continue
            seen.add(write.target)
            text = _statement_text(planning, write.statement)
            if isinstance(write.target, ast.arg):
                text = f"parameter {planning.text(write.target)}"
            steps.append(f"{_at(planning, write.target)} {text}")
            if isinstance(write.target, ast.arg) and isinstance(slot.owner, FunctionInfo):
                for edge in planning.flow.callers(slot.owner):
                    argument = edge.arguments.get(slot.name)
                    if argument is not None:
                        at = _at(planning, argument)
                        steps.append(f"{at} passed as {planning.text(argument)}")
                        _chain(planning, argument, steps, seen, depth + 1)
            _chain(planning, write.value, steps, seen, depth + 1)
            imported = planning.flow.reads.get(write.target)
            if isinstance(write.target, ast.alias) and imported is not None:
                _chain_slot(planning, imported, steps, seen, depth + 1)


def _returned(
    planning: Planning, function: FunctionInfo, steps: list[str], seen: set[ast.AST], depth: int
) -> None:
    for child in ast.walk(function.node):
        if isinstance(child, ast.Return) and child.value is not None and child not in seen:
            if any(isinstance(v, Object) for v in planning.flow.value(child.value)):
                seen.add(child)
                at = _at(planning, child)
                steps.append(f"{at} {_statement_text(planning, child)}")
                _chain(planning, child.value, steps, seen, depth + 1)


def _at(planning: Planning, node: ast.AST) -> str:
    """Line and column, with the path where it is another file than the site's."""
    place = planning.place(node)
    known = planning.flow.module_of(node) is planning.current
    return str(place).removeprefix(f"{place.path}:") if known else str(place)


def _statement_text(planning: Planning, statement: ast.stmt | ast.expr | None) -> str:
    if statement is None:
        return ""
    return planning.text(statement).splitlines()[0]
