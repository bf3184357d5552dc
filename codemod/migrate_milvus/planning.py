"""From flow to a plan: which sites are rewritten how, and what is reported.

A site that its rule refuses blocks its unit; blocked units change what the others need (a client, a
kept ``connect``), so planning repeats until nothing more is blocked.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace

from migrate_milvus import placement
from migrate_milvus.arguments import Arguments, bind
from migrate_milvus.edits import (
    Argument,
    CallTemplate,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.flow import UNBOUND, Elsewhere, Flow, Site, Slot, State
from migrate_milvus.model import Finding, Place, Severity, SiteRecord, Status
from migrate_milvus.program import FunctionInfo
from migrate_milvus.registry import (
    PROVED,
    Answer,
    Refusal,
    RuleSet,
    predicate,
    refuted,
    require,
    unknown,
)
from migrate_milvus.settings import Settings
from migrate_milvus.units import Unit, Units, find_units, strangers
from migrate_milvus.values import (
    Abstract,
    Bound,
    Class,
    Container,
    Library,
    ModuleValue,
    Object,
    Opaque,
)

IN_REACH = predicate("client-in-reach", "every use of the connection can reach its client")
IN_SIGHT = predicate("connection-in-sight", "the connection is opened in this file")
OBJECT_IN_SIGHT = predicate("object-in-sight", "the object never reaches code out of sight")
ONE_KIND = predicate("object-one-kind", "the expression holds such objects only")
CALLERS = predicate("signature-callers-known", "all users of a changing name are in this file")
MEMBER = predicate("member-known", "the attribute has an equivalent")
ALIAS = predicate("utility-alias-known", "the connection that the call uses is known")
COLLECTION_ALIAS = predicate("collection-alias-known", "the collection's connection is known")
IN_TEXT = "named-in-text"
COMPUTED = "computed-use"
RECEIVER = predicate("receiver-known", "what the method is called on is known")
BY_HAND = predicate("by-hand", "the symbol has an equivalent that can be written")


class Quiet(Exception):
    """A site stays for a reason that is reported elsewhere."""


@dataclass(frozen=True)
class Context:
    """What other modules of the project mean for this one.

    ``reached``: names that modules importing this one use. ``users``: the paths of those that use
    one of them. ``needs_connection``: modules elsewhere use the library without connecting
    themselves. ``connects_elsewhere``: modules that imports join with this one connect, too.
    ``elsewhere``: what the other modules mean to the flow.
    """

    reached: frozenset[str] = frozenset()
    users: Callable[[str], tuple[str, ...]] = lambda word: ()
    needs_connection: bool = False
    connects_elsewhere: bool = False
    ignores: Callable[[int, str], bool] = lambda line, rule: False
    elsewhere: Elsewhere = field(default_factory=Elsewhere)


@dataclass
class Plan:
    """What is to be done to one module."""

    edits: list[Edit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sites: list[SiteRecord] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    new_names: dict[ast.ImportFrom | None, set[str]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)


@dataclass
class _Draft:
    """What one round of planning has decided so far."""

    edits: list[Edit] = field(default_factory=list)
    notes: list[tuple[Site, str, str]] = field(default_factory=list)
    claimed: set[ast.AST] = field(default_factory=set)
    opened: set[Hashable] = field(default_factory=set)
    rebound: set[tuple[Hashable, FunctionInfo | None]] = field(default_factory=set)
    taken: dict[FunctionInfo | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    imports: dict[ast.ImportFrom | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    modules: set[str] = field(default_factory=set)


class Planning:
    """The planner of one module; rules ask it for clients, names and arguments."""

    def __init__(
        self, flow: Flow, settings: Settings, rule_set: RuleSet, context: Context | None = None
    ) -> None:
        self.flow = flow
        self.settings = settings
        self.rule_set = rule_set
        self.context = context or Context()
        self.units: Units = find_units(flow, rule_set.unit_kinds)
        self.sites = list(flow.every_site())
        self.keys: dict[int, Hashable | None] = {
            id(site): rule_set.connections.key(site, flow) for site in self.sites
        }
        self.blocked_units: set[int] = set()
        self.blocked_sites: set[int] = set()
        self.blocked_keys: set[Hashable] = set()
        self.refusals: list[tuple[Site | None, Unit | None, Refusal, ast.AST]] = []
        self.ignored: set[int] = set()
        self.draft = _Draft()
        self.places: dict[Hashable, placement.Place | Refusal] = {}
        self.kept_connects: set[Hashable] = set()
        # Connections whose remaining uses all follow a connect in their own function.
        self.kept_in: dict[Hashable, set[FunctionInfo | None]] = {}
        # Connections of which it is asked whether they are open: the client is None until then.
        self.registry: set[Hashable] = set()
        self.connect_unknown = False
        self.names: dict[Slot, str] = {}
        self.gone: dict[Slot, bool] = {}
        self.inlined: dict[ast.expr, ast.expr] = {}
        self.texts: list[tuple[ast.AST, str]] | None = None

    # The rounds -----------------------------------------------------------------------

    def plan(self) -> Plan:
        """Plan the module."""
        self._ignore_suppressed()
        named = {symbol for _, symbol in self._texts()}
        for site in self.sites:
            if site.symbol in named:
                self._give_up(site)  # what is patched by name stays what it is
        self._check_units()
        while True:
            before = (
                len(self.blocked_units),
                len(self.blocked_sites),
                len(self.blocked_keys),
                len(self.refusals),
            )
            self._round()
            after = (
                len(self.blocked_units),
                len(self.blocked_sites),
                len(self.blocked_keys),
                len(self.refusals),
            )
            if before == after:
                break
        return self._finish()

    def _round(self) -> None:
        self.draft = _Draft()
        active = [site for site in self.sites if self.is_active(site)]
        self._place_clients(active)
        self._decide_names()
        ordered = sorted(
            active,
            key=lambda s: (
                rule.order if (rule := self.rule_set.rule_for(s.symbol)) else 99,
                s.node.lineno,
                s.node.col_offset,
            ),
        )
        for site in ordered:
            if site.node in self.draft.claimed:
                continue
            try:
                self.draft.edits.extend(self._rewrite(site))
            except Quiet:
                self._give_up(site)
            except Refusal as refusal:
                self.block(site, refusal)

    def _rewrite(self, site: Site) -> Iterable[Edit]:
        rule = self.rule_set.rule_for(site.symbol)
        if site.form == "annotation":
            return self._rewrite_annotation(site)
        if site.form == "import":
            require(
                BY_HAND,
                refuted(
                    f"{site.symbol} is not imported from here any more",
                    self.rule_set.recipe(site.symbol),
                ),
            )
            return []
        if site.form == "suspect":
            require(
                RECEIVER,
                unknown(
                    f"'{self._text(site.receiver or site.node)}' looks like a Collection that "
                    "comes from out of sight",
                    self.rule_set.recipe(site.symbol),
                ),
                rule="MLV291",
            )
            return []
        if site.form == "reference" and not (rule is not None and rule.references):
            of_class = site.symbol in self.rule_set.unit_kinds
            require(
                OBJECT_IN_SIGHT if site.objects or of_class else BY_HAND,
                refuted(
                    f"{site.symbol} is used as a value here, not called",
                    self.rule_set.recipe(site.symbol),
                ),
                rule="MLV290" if site.objects or of_class else "",
            )
            return []
        if site.ambiguous:
            require(
                ONE_KIND,
                unknown(f"this may be {site.symbol} or something else, depending on the path"),
            )
        same_node = self.flow.sites.get(site.node, [])
        if len({other.symbol for other in same_node}) > 1:
            names = " or ".join(sorted({other.symbol for other in same_node}))
            require(ONE_KIND, unknown(f"this is {names}, depending on the path"))
        if site.form == "call" and site.objects and site.receiver is None:
            raise Quiet  # a bound method: said where it was taken
        if rule is None:
            refused = {node for _, _, _, node in self.refusals}
            if any(item.origin in refused for item in site.objects):
                raise Quiet  # said where the object comes from
            known = self.rule_set.recipe(site.symbol)
            private = self.rule_set.rule_id(site.symbol) == "MLV020"
            if known and not private:
                require(
                    BY_HAND, refuted(f"{site.symbol} is not rewritten: by hand it becomes", known)
                )
            else:
                require(
                    MEMBER,
                    refuted(
                        f"{site.symbol} is not part of the ORM's public API",
                        known or "Use a public method, or the client's own API, instead.",
                    ),
                )
            return []
        connections = self.rule_set.connections
        if (
            connections.needs_client(site)
            and self._is_orm(site)
            and not connections.is_disconnect(site.symbol)
        ):
            if self.keys[id(site)] is None:
                reason = COLLECTION_ALIAS if site.objects or self.unit(site) else ALIAS
                unit = self.unit(site)
                if unit is not None and site.symbol not in self.rule_set.unit_kinds:
                    raise Quiet  # said at the constructor
                require(reason, self._alias_unknown())
        return rule.rewrite(site, self)

    def _alias_unknown(self) -> Answer:
        return unknown(
            "the connection (alias) that this uses cannot be told from the code",
            "Call the method on the MilvusClient that was made for that alias.",
        )

    def _is_orm(self, site: Site) -> bool:
        return self.flow.library.is_site(site.symbol)

    def is_active(self, site: Site) -> bool:
        """Whether the site may still be rewritten."""
        if id(site) in self.blocked_sites or id(site) in self.ignored:
            return False
        unit = self.unit(site)
        if unit is not None and id(unit) in self.blocked_units:
            return False
        key = self.keys[id(site)]
        return not (key is not None and key in self.blocked_keys and self._is_orm(site))

    def unit(self, site: Site) -> Unit | None:
        """The unit of a site: of its receiver, or of the object that it makes."""
        found = self.units.of_site(site)
        if found is not None:
            return found
        if site.form == "annotation":
            return self._unit_of_annotation(site)
        return None

    def block(self, site: Site, refusal: Refusal) -> None:
        """Give a site up, and with it its unit (or its connection)."""
        unit = self.unit(site)
        node = refusal.node if isinstance(refusal.node, ast.AST) else site.node
        if not any(
            known[2].reason == refusal.reason and known[3] is node for known in self.refusals
        ):
            self.refusals.append((site, unit, refusal, node))
        self._give_up(site)

    def _give_up(self, site: Site) -> None:
        """Block a site, with its unit or its connection, without a word."""
        unit = self.unit(site)
        key = self.keys[id(site)]
        if unit is not None:
            self.blocked_units.add(id(unit))
        elif self.rule_set.connections.is_disconnect(site.symbol) and key not in self.places:
            self.blocked_keys |= set(self.places)  # it may close any of them
        elif key is not None and (
            self.rule_set.connections.is_connect(site.symbol)
            or self.rule_set.connections.is_disconnect(site.symbol)
            or self.rule_set.connections.acts_on_alias(site.symbol)
            or (self.rule_set.connections.asks(site.symbol) and self.context.connects_elsewhere)
        ):
            self.blocked_keys.add(key)
        self.blocked_sites.add(id(site))

    def _block_unit(self, unit: Unit, refusal: Refusal, node: ast.AST) -> None:
        if not any(
            known[2].reason == refusal.reason and known[3] is node for known in self.refusals
        ):
            self.refusals.append((None, unit, refusal, node))
        self.blocked_units.add(id(unit))

    def _ignore_suppressed(self) -> None:
        for site in self.sites:
            rule = self.rule_set.rule_id(site.symbol)
            if self.context.ignores(site.node.lineno, rule):
                self.ignored.add(id(site))
                unit = self.unit(site)
                if unit is not None:
                    self.blocked_units.add(id(unit))
                elif self.rule_set.connections.is_connect(site.symbol):
                    self.blocked_keys.add(self.keys[id(site)])

    # What blocks a unit before any rule is asked -----------------------------------------

    def _check_units(self) -> None:
        kinds = self.rule_set.unit_kinds
        for (item, node), escape in self.flow.escapes.items():
            unit = self.units.of_object.get(item)
            if unit is None:
                continue
            if item.kind not in kinds:
                continue  # results: their rule looks at what becomes of them
            if escape.how in ("passed to getattr()", "passed to hasattr()"):
                self._try(
                    unit,
                    node,
                    MEMBER,
                    unknown(
                        f"an attribute of the {item.kind} is read by a computed name",
                        "Name the attribute, and call the client's method for it.",
                    ),
                    "MLV010",
                )
                continue
            self._try(unit, node, OBJECT_IN_SIGHT, self._escape_answer(item, escape.how))
        for node, symbol in self.flow.patched.items():
            for unit in self.units.all():
                self._try(
                    unit,
                    node,
                    OBJECT_IN_SIGHT,
                    refuted(
                        f"{symbol} is replaced here, so what it does is out of sight",
                        "Put the change into a function of your own, and call that.",
                    ),
                    "MLV010",
                )
        for unit in self.units.all():
            for item in unit.objects:
                if isinstance(item.origin, ast.arg):
                    self._handed_in(unit, item)
                elif isinstance(item.origin, tuple) and item.origin[0] == "foreign":
                    self._from_elsewhere(unit, item)
                elif isinstance(item.origin, tuple) and item.origin[0] == "tested":
                    self._tested(unit, item)
            for slot in self._in_order(unit.slots):
                self._check_slot(unit, slot)
        for site in self.sites:
            unit_of_site = self.unit(site)
            if site.ambiguous and unit_of_site is not None:
                self._try(
                    unit_of_site,
                    site.node,
                    ONE_KIND,
                    unknown(f"this may be {site.symbol} or something else, depending on the path"),
                )
        self._check_kinds()

    def _check_kinds(self) -> None:
        """Every expression of a unit holds its objects (or None) only; else report the uses."""
        mixed: dict[int, list[ast.expr]] = defaultdict(list)
        units: dict[int, Unit] = {}
        for node, values in self.flow.values.items():
            unit = self.units.of_values(values) if isinstance(node, ast.expr) else None
            if unit is None or not isinstance(node, ast.expr) or id(unit) in self.blocked_units:
                continue
            if not any(item.kind in self.rule_set.unit_kinds for item in unit.objects):
                continue  # results that another file gives
            if strangers(values, unit):
                mixed[id(unit)].append(node)
                units[id(unit)] = unit
        parents = self.flow.source.parents
        for key, nodes in mixed.items():
            loaded = [n for n in nodes if not isinstance(getattr(n, "ctx", None), ast.Store)]
            used = [
                n
                for n in loaded
                if isinstance(parent := parents.get(n), ast.Attribute) and parent.value is n
            ]
            for node in used or loaded[:1] or nodes[:1]:
                self._check_kind(units[key], node, self.flow.value(node))

    def _try(
        self, unit: Unit, node: ast.AST, reason: str, answer: Answer, rule: str = "MLV290"
    ) -> None:
        try:
            require(reason, answer, node=node)
        except Refusal as refusal:
            refusal.rule = rule
            self._block_unit(unit, refusal, node)

    def _escape_answer(self, item: Object, how: str) -> Answer:
        return refuted(
            f"{item.kind} is {how}, which is out of sight",
            f"Hand over the client and the {item.kind.lower()}'s name instead, and call the "
            "client's methods there. Then run again: the other sites follow.",
        )

    def _handed_in(self, unit: Unit, item: Object) -> None:
        assert isinstance(item.origin, ast.arg)
        self._try(
            unit,
            item.origin,
            CALLERS,
            unknown(
                f"parameter '{item.origin.arg}' is a {item.kind} that callers out of sight pass",
                "Take the client and the collection's name as parameters instead.",
            ),
        )

    def _from_elsewhere(self, unit: Unit, item: Object) -> None:
        assert isinstance(item.origin, tuple)
        used = [site.node for site in unit.sites]
        if not used:
            return
        self._try(
            unit,
            used[0],
            CALLERS,
            unknown(
                f"this {item.kind} comes from {item.origin[1]} of another file",
                "Objects that cross files are not followed yet: change both files together, so "
                f"that {item.origin[1]} gives the client and the name.",
            ),
        )

    def _tested(self, unit: Unit, item: Object) -> None:
        assert isinstance(item.origin, tuple)
        self._try(
            unit,
            item.origin[1],
            RECEIVER,
            unknown(
                f"this test tells of a {item.kind} that comes from out of sight",
                "Give this code the client and the collection's name instead.",
            ),
            "MLV291",
        )

    def _check_kind(self, unit: Unit, node: ast.expr, values: Abstract) -> None:
        other = strangers(values, unit)
        if other:
            self._try(
                unit,
                node,
                ONE_KIND,
                unknown(
                    f"'{self._text(node)}' is a {self._kinds(values)} on one path and "
                    "something else on another",
                    "Give the two their own names.",
                ),
            )

    def _kinds(self, values: Abstract) -> str:
        return " or ".join(sorted({v.kind for v in values if isinstance(v, Object)}))

    def _check_slot(self, unit: Unit, slot: Slot) -> None:
        where = self._node_of_slot(slot)
        if where is None:
            return
        function = slot.owner if isinstance(slot.owner, FunctionInfo) else None
        holds = any(
            isinstance(v, Object) and v.kind in self.rule_set.unit_kinds
            for v in self.flow.store.get(slot, frozenset())
        )
        if not holds:
            return
        for reader in self.flow.readers(slot):
            used = self.flow.source.parents.get(reader)
            blind = all(
                isinstance(v, Opaque)
                and isinstance(v.origin, tuple)
                and v.origin[0] in ("unknown", "unset")
                for v in self.flow.value(reader)
            )
            if blind and isinstance(used, ast.Attribute) and used.value is reader:
                self._try(
                    unit,
                    reader,
                    ONE_KIND,
                    unknown(
                        f"what '{self._text(reader)}' holds here is not known",
                        "Assign it before it is used, in the same function if possible.",
                    ),
                )
        if slot.kind == "global" and slot.name in self.context.reached:
            self._reached(unit, where, f"'{slot.name}'", slot.name)
        if slot.kind == "attribute" and f".{slot.name}" in self.context.reached:
            self._reached(unit, where, f"attribute '{slot.name}'", f".{slot.name}")
        if function is not None and slot.kind in ("local", "return", "yield"):
            is_parameter = slot.kind == "local" and slot.name in function.names_of_parameters()
            if slot.kind == "local" and not is_parameter:
                return
            what = "takes" if is_parameter else "gives"
            if self.is_reached(function) and (
                function.owner is None or function.name != "__init__"
            ):
                dot = "." if function.owner is not None else ""
                self._reached(
                    unit, where, f"{function.name}(), which {what} it,", f"{dot}{function.name}"
                )
            elif (
                is_parameter
                and function.name == "__init__"
                and (function.owner is not None and function.owner.name in self.context.reached)
            ):
                self._reached(
                    unit, where, f"{function.owner.name}(), which {what} it,", function.owner.name
                )
            if function in self.flow.escaped_functions:
                self._try(
                    unit,
                    where,
                    CALLERS,
                    unknown(
                        f"{function.name}() {what} it and is used as a value on line "
                        f"{getattr(self.flow.escaped_functions[function], 'lineno', '?')}: "
                        "its callers are out of sight",
                        "Let it take and return the collection's name.",
                    ),
                )
            elif function.opaque_decorators:
                self._try(
                    unit,
                    where,
                    CALLERS,
                    unknown(
                        f"{function.name}() {what} it and is decorated with "
                        f"@{function.opaque_decorators[0]}: its callers are out of sight",
                        "Let it take and return the collection's name.",
                    ),
                )

    def is_reached(self, function: FunctionInfo) -> bool:
        """Whether other modules use the function (or, by name, the method)."""
        name = f".{function.name}" if function.owner is not None else function.name
        return name in self.context.reached

    def _reached(self, unit: Unit, where: ast.AST, what: str, word: str) -> None:
        users = self.context.users(word)
        files = ", ".join([*users[:3], *(["..."] if len(users) > 3 else [])])
        self._try(
            unit,
            where,
            CALLERS,
            unknown(
                f"{what} is used from another file ({files})",
                "It would hold the collection's name; change both files together.",
            ),
        )

    def _node_of_slot(self, slot: Slot) -> ast.AST | None:
        if slot.kind in ("return", "yield") and isinstance(slot.owner, FunctionInfo):
            return slot.owner.node
        writes = self.flow.writes.get(slot, {})
        # ``collection = None`` first is not where the object comes in.
        holding = (t for t, write in writes.items() if self._has_objects(write.values))
        return next(holding, next(iter(writes), None))

    def _text(self, node: ast.AST) -> str:
        return self.flow.source.segment(node)

    # Annotations ----------------------------------------------------------------------

    def _unit_of_annotation(self, site: Site) -> Unit | None:
        slot = self._slot_of_annotation(site)
        if slot is None:
            return None
        found = self.units.of_slot.get(slot)
        if found is None:
            for value in self.flow.store.get(slot, frozenset()):
                if isinstance(value, Container) and value.origin in self.flow.contents:
                    found = found or self.units.of_values(self.flow.contents[value.origin].element)
        return found

    def _slot_of_annotation(self, site: Site) -> Slot | None:
        parents = self.flow.source.parents
        node: ast.AST = site.node
        while node in parents:
            parent = parents[node]
            match parent:
                case ast.arg():
                    function = parents[parents[parent]]
                    info = self.flow.program.functions.get(function)
                    return Slot("local", info, parent.arg) if info else None
                case ast.AnnAssign(target=ast.Name() as target):
                    if site.owner is not None and site.function is None:
                        return Slot("attribute", site.owner.family, target.id)
                    return self.flow.slot_of_name(target.id, site.function)
                case ast.AnnAssign(target=ast.Attribute() as target):
                    for slot, writes in self.flow.writes.items():
                        if target in writes:
                            return slot
                    if site.owner is not None:
                        return Slot("attribute", site.owner.family, target.attr)
                    return None
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    return Slot("return", self.flow.program.functions[parent], "")
                case ast.stmt():
                    return None
            node = parent
        return None

    def _rewrite_annotation(self, site: Site) -> list[Edit]:
        if self.unit(site) is None:
            raise Refusal(
                OBJECT_IN_SIGHT,
                f"this annotation names {site.symbol}, but no {site.symbol} is seen to flow here",
                "Annotate with what the code really passes: str for a collection's name.",
            )
        if isinstance(site.node, ast.Constant):
            quoted = self._text(site.node)
            return [ReplaceNode(site.node, (quoted.replace(site.symbol, "str"),))]
        return [ReplaceNode(site.node, ("str",))]

    # Clients --------------------------------------------------------------------------

    def _place_clients(self, active: list[Site]) -> None:
        connections = self.rule_set.connections
        self.places = {}
        self.kept_connects, self.kept_in = set(), {}
        self.registry = set()
        connects: dict[Hashable, list[Site]] = defaultdict(list)
        for site in self.sites:
            key = self.keys[id(site)]
            if connections.is_connect(site.symbol) and site.form == "call" and key is not None:
                connects[key].append(site)
        uses: dict[Hashable, list[Site]] = defaultdict(list)
        for site in active:
            key = self.keys[id(site)]
            if (
                key is not None
                and self._is_orm(site)
                and connections.needs_client(site)
                and self.needs_client_here(site)
            ):
                uses[key].append(site)
        active_ids = {id(site) for site in active}
        for site in self.sites:
            key = self.keys[id(site)]
            if (
                key is not None
                and id(site) not in active_ids
                and self._is_orm(site)
                and site.form != "annotation"
                and not connections.is_connect(site.symbol)
                and not connections.is_disconnect(site.symbol)
                and not self._only_tested(site)
            ):
                if any(self._follows(site, connect) for connect in connects.get(key, ())):
                    self.kept_in.setdefault(key, set()).add(site.function)
                else:
                    self.kept_connects.add(key)
        if any(
            self.keys[id(site)] not in connects
            and self._is_orm(site)
            and (site.form == "suspect" or (site.form == "call" and connections.needs_client(site)))
            and not connections.is_connect(site.symbol)
            for site in self.sites
        ):
            # It may use any of the connections.
            self.kept_connects |= set(connects)
        self.connect_unknown = any(
            connections.is_connect(site.symbol)
            and (self.keys[id(site)] is None or self.keys[id(site)] in self.blocked_keys)
            for site in self.sites
        )
        if self.context.needs_connection or self.flow.computed:
            self.kept_connects |= set(connects)
        names: set[str] = set()
        for key, made in connects.items():
            base = self._client_base(key, len(connects))

            def taken(name: str) -> bool:
                return name in self.flow.program.identifiers or name in names

            shared = not _is_held(key)
            switched = [
                use for use in uses.get(key, []) if shared and connections.acts_on_alias(use.symbol)
            ]
            alone = shared and not self.context.connects_elsewhere
            if alone and any(
                connections.asks(site.symbol)
                and self.keys[id(site)] == key
                and not placement.opened_before(self.flow, site, made)
                for site in self.sites
            ):
                self.registry.add(key)
            place = placement.choose(
                self.flow,
                made,
                uses.get(key, []),
                base,
                taken,
                self._client_parameter,
                switched,
                key in self.registry,
                _holder(key),
            )
            if place.mode == "local" and self._alone_in_its_functions(key, uses):
                name = placement.free_name("client", lambda n: n in self.flow.program.identifiers)
                place = replace(place, name=name)
            if not shared:
                try:
                    reached = place.mode != "global" and self._keeps_to(key, uses.get(key, []))
                    require(IN_REACH, PROVED if reached else _HELD)
                except Refusal as refusal:
                    self.places[key] = refusal
                    continue
            names.add(place.name)
            self.places[key] = place

    def _keeps_to(self, key: Hashable, uses: list[Site]) -> bool:
        """Whether no use can be of an earlier call's (or turn's) connection, by its object."""
        if _holder(key) != "call":
            return True
        definition = _definition(key)
        around: list[ast.AST] = []
        for writes in self.flow.writes.values():
            for target in writes:
                if id(target) == definition:
                    around = self._loops(target)
        return all(
            (use.receiver is None or self._is_made_there(use.receiver, set()))
            and (not around or around[0] in self._loops(use.node))
            for use in uses
        )

    def _loops(self, node: ast.AST) -> list[ast.AST]:
        """The loops around a node within its function, innermost first."""
        found: list[ast.AST] = []
        parents = self.flow.source.parents
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                break
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                found.append(node)
        return found

    def _is_made_there(self, node: ast.expr, seen: set[Slot]) -> bool:
        """Whether an object comes from a constructor by plain variables and parameters alone."""
        if self._is_constructor(node):
            return True
        slot = self.flow.reads.get(node)
        if not isinstance(node, ast.Name) or slot is None:
            return False
        if slot in seen:
            return True
        seen.add(slot)
        given: list[ast.expr | None] = []
        for write in self.flow.writes.get(slot, {}).values():
            if isinstance(write.target, ast.arg) and isinstance(slot.owner, FunctionInfo):
                edges = self.flow.callers(slot.owner)
                given += [edge.arguments.get(slot.name) for edge in edges] or [None]
            else:
                given.append(write.value)
        return all(
            value is not None and (_is_none(value) or self._is_made_there(value, seen))
            for value in given
        )

    def _alone_in_its_functions(self, key: Hashable, uses: dict[Hashable, list[Site]]) -> bool:
        """Whether the functions that use the connection use no other."""
        own = {site.function for site in uses.get(key, [])}
        return not any(
            site.function in own and other != key for other, sites in uses.items() for site in sites
        )

    def needs_client_here(self, site: Site) -> bool:
        """Whether the rewritten site will name the client (a name read does not)."""
        return not site.symbol.endswith(".name")

    def _client_base(self, key: Hashable, number: int) -> str:
        if number > 1 and isinstance(key, tuple) and key[0] == "constant" and key[1] != "default":
            word = "".join(c if c.isalnum() else "_" for c in str(key[1])).strip("_").lower()
            if word and not word[0].isdigit():
                return word if word.endswith("client") else f"{word}_client"
        return "client"

    def _client_parameter(self, function: FunctionInfo) -> ast.arg | None:
        """The parameter that holds an object, in a function whose callers are all known."""
        if (
            function in self.flow.escaped_functions
            or function.opaque_decorators
            or self.is_reached(function)
            or isinstance(function.node, ast.Lambda)
            or self.settings.keep_signatures
        ):
            return None
        edges = self.flow.callers(function)
        if not edges or self._shares_calls(function):
            return None
        for parameter in function.parameters:
            slot = Slot("local", function, parameter.arg)
            unit = self.units.of_slot.get(slot)
            if unit is None or id(unit) in self.blocked_units:
                continue
            if all(edge.exact and parameter.arg in edge.arguments for edge in edges):
                return parameter
        return None

    def _shares_calls(self, function: FunctionInfo) -> bool:
        """Whether a call of the function may call another one, such as an overriding method."""
        return any(
            edge.node is not None and len(self.flow.calls[edge.node]) > 1
            for edge in self.flow.callers(function)
        )

    def client(self, site: Site) -> str:
        """The expression for the client at ``site``.

        Raises Refusal (``connection-in-sight``, ``client-in-reach``) when there is none.
        """
        key = self.keys[id(site)]
        place = self.places.get(key)
        if place is None:
            if self.connect_unknown or (
                self.unit(site) is None
                and any(
                    known.reason == IN_SIGHT and other is not None and other.node is not site.node
                    for other, _, known, _ in self.refusals
                )
            ):
                raise Quiet  # said once for the file
            if self.places and not _is_constant(key):
                require(ALIAS, self._alias_unknown())
            require(
                IN_SIGHT,
                unknown(
                    "the connection that this uses is not opened in this file",
                    "Make a MilvusClient where the program connects, and hand it to this code.",
                ),
            )
            return "client"
        if isinstance(place, Refusal):
            if not self.rule_set.connections.is_connect(site.symbol):
                raise Quiet  # said at the connect
            raise place
        found = placement.text(self.flow, place, site, _holder(key))
        if found is None:
            require(
                IN_REACH,
                unknown(
                    "the client made where the program connects cannot be reached from here",
                    "Pass the client to this function.",
                ),
            )
            return "client"
        return found

    def place_of(self, site: Site) -> placement.Place:
        """Where the client of the connection that ``site`` opens or uses lives."""
        self.client(site)
        place = self.places[self.keys[id(site)]]
        assert isinstance(place, placement.Place)
        return place

    def opens(self, site: Site) -> None:
        """The connect at ``site`` makes a client."""
        self.draft.opened.add(self.keys[id(site)])

    def rebinds_client(self, site: Site) -> None:
        """What is written at ``site`` assigns to the module's variable that holds the client."""
        self.draft.rebound.add((self.keys[id(site)], site.function))

    def stays(self, site: Site) -> bool:
        """Whether the ORM connection that ``site`` opens or uses must stay beside the client."""
        key = self.keys[id(site)]
        if key in self.kept_connects or key not in self.kept_in:
            return key in self.kept_connects
        if key in self.registry:
            return True  # where the client is open, the connect of the function is skipped
        return site.function in self.kept_in[key] or not any(
            connect.function is site.function and self.keys[id(connect)] == key
            for connect in self.sites
            if self.rule_set.connections.is_connect(connect.symbol)
        )

    def _only_tested(self, site: Site) -> bool:
        """Whether the site is a name that an ``if`` looks at: that needs no connection."""
        parent = self.flow.source.parents[site.node]
        return (
            site.form == "reference"
            and isinstance(parent, ast.If | ast.While | ast.IfExp)
            and parent.test is site.node
        )

    def _follows(self, site: Site, connect: Site) -> bool:
        """Whether ``connect`` surely ran in the same function before ``site``."""
        if site.function is not connect.function or site.node is connect.node:
            return False
        parents = self.flow.source.parents
        block, index = self.block_of(self.flow.source.statement(connect.node))
        later = {id(statement) for statement in block[index + 1 :]}
        node: ast.AST = site.node
        while node in parents and id(node) not in later:
            node = parents[node]
        return id(node) in later

    def uses_of(self, site: Site) -> list[Site]:
        """The active sites on the connection of ``site`` that need the client made there."""
        key = self.keys[id(site)]
        connections = self.rule_set.connections
        place = self.places.get(key)
        local = isinstance(place, placement.Place) and place.mode == "local"
        return [
            other
            for other in self.sites
            if self.keys[id(other)] == key
            and self.is_active(other)
            and self._is_orm(other)
            and connections.needs_client(other)
            and other.form != "reference"
            and not connections.is_disconnect(other.symbol)
            and not (local and site.function not in placement.scopes(other.function))
            and not (connections.acts_on_alias(other.symbol) and self.stays(site))
        ]

    # Names ----------------------------------------------------------------------------

    def _decide_names(self) -> None:
        """Decide for each variable of an active unit: replaced by an expression, or a name."""
        self.names, self.gone, self.inlined = {}, {}, {}
        for unit in self.units.all():
            if id(unit) in self.blocked_units:
                continue
            for slot in self._in_order(unit.slots):
                if slot.kind in ("return", "yield") or not self._holds_named(slot):
                    continue
                self._decide_slot(slot)

    def _in_order(self, slots: Iterable[Slot]) -> list[Slot]:
        return sorted(
            slots,
            key=lambda s: (
                s.kind,
                s.owner.node.lineno if s.owner is not None else 0,
                s.owner.node.col_offset if s.owner is not None else 0,
                s.name,
            ),
        )

    def _holds_named(self, slot: Slot) -> bool:
        values = self.flow.store.get(slot, frozenset())
        return any(isinstance(v, Object) and v.kind in self.rule_set.named_kinds for v in values)

    def maker(self, item: Object) -> Site | None:
        """The call that gave an object and named it."""
        if isinstance(item.origin, ast.Call):
            for site in self.flow.sites.get(item.origin, []):
                if self.rule_set.name_parameter(site.symbol) is not None:
                    return site
        return None

    def name_expression(self, item: Object) -> ast.expr | None:
        """The expression that named an object when it was made."""
        made = self.maker(item)
        if made is None:
            return None
        return self.arguments(made).get(self.rule_set.name_parameter(made.symbol) or "")

    def _decide_slot(self, slot: Slot) -> None:
        writes = {
            target: write
            for target, write in self.flow.writes.get(slot, {}).items()
            if self._has_objects(write.values) or slot.kind == "attribute"
        }
        readers = [
            reader
            for reader in self.flow.readers(slot)
            if self._has_objects(self.flow.value(reader)) or slot.kind == "attribute"
        ]
        replaced: dict[ast.expr, ast.expr] = {}
        direct = bool(writes) and all(
            isinstance(write.value, ast.Call)
            and any(
                isinstance(v, Object)
                and v.origin is write.value
                and v.kind in self.rule_set.named_kinds
                for v in self.flow.value(write.value)
            )
            for write in writes.values()
        )
        if direct and (slot.kind != "attribute"):
            for reader in readers:
                expression = self._inline(reader)
                if expression is None:
                    direct = False
                    break
                replaced[reader] = expression
        elif direct:
            for reader in readers:
                expression = self._inline(reader)
                if expression is None or not isinstance(expression, ast.Attribute):
                    direct = False
                    break
                replaced[reader] = expression
        if direct and not (slot.kind == "attribute" and not readers):
            self.gone[slot] = True
            self.inlined.update(replaced)
            return
        self.names[slot] = self._new_name(slot)

    def _inline(self, reader: ast.expr) -> ast.expr | None:
        """The expression that names what ``reader`` holds, when it may stand there."""
        if isinstance(getattr(reader, "ctx", None), ast.Del):
            return None
        state = self.flow.states.get(reader)
        values = self.flow.value(reader)
        if state is None or not values:
            return None
        function = self.flow.scope_of.get(reader)
        chosen: ast.expr | None = None
        for item in sorted(values, key=_line_of):
            if not isinstance(item, Object) or not isinstance(item.origin, ast.Call):
                return None
            expression = self.name_expression(item)
            made = self.maker(item)
            if expression is None or made is None:
                return None
            if chosen is not None and self._text(chosen) != self._text(expression):
                return None
            if not self.holds_still(expression, made, reader, state, function):
                return None
            chosen = expression
        if isinstance(chosen, ast.Constant) and isinstance(
            self.flow.source.parents.get(reader), ast.Compare
        ):
            return None  # a literal is never compared
        return chosen

    def names_still(self, owner: ast.expr, made: Site, site: Site) -> Template | None:
        """The name of what ``owner`` held at ``made``, as it can be written at ``site``.

        None when nothing there is known to hold it.
        """
        if site.receiver is made.node:
            return self.name_of(owner)
        latest = self.is_latest(made, site)
        if owner not in self.inlined and self.holds_still(
            owner, made, site.node, site.state, site.function
        ):
            if latest or self._is_absolute(owner, made.function):
                return (Src(owner),)
        chosen: ast.expr | None = None
        named_in: FunctionInfo | None = None
        values = self.flow.value(owner)
        for item in values:
            if not isinstance(item, Object):
                chosen = None
                break
            expression, maker = self.name_expression(item), self.maker(item)
            if (
                expression is None
                or maker is None
                or (chosen is not None and self._text(chosen) != self._text(expression))
                or not self.holds_still(expression, maker, site.node, site.state, site.function)
            ):
                chosen = None
                break
            chosen, named_in = expression, maker.function
        if chosen is None or not (latest or self._is_absolute(chosen, named_in)):
            return None
        return (Src(chosen),)

    def _is_absolute(self, expression: ast.expr, function: FunctionInfo | None) -> bool:
        """Whether the expression means the same wherever and whenever it is evaluated."""
        if isinstance(expression, ast.Constant):
            return True
        if not isinstance(expression, ast.Name):
            return False
        slot = self.flow.slot_of_name(expression.id, function)
        return slot.kind == "global" and self.flow.is_stable(slot)

    def is_latest(self, made: Site, site: Site) -> bool:
        """Whether the receiver of ``site`` is what ``made`` gave when it last ran before.

        Not so for an object that was kept in a list, or over the turns of a loop.
        """
        receiver, parents = site.receiver, self.flow.source.parents
        if receiver is made.node:
            return True
        if isinstance(receiver, ast.Attribute):
            slot = self.flow.reads.get(receiver)
            writes = list(self.flow.writes.get(slot, {}).values()) if slot is not None else []
            return (
                slot is not None
                and self.flow.is_stable(slot)
                and [write.value for write in writes] == [made.node]
            )
        if not isinstance(receiver, ast.Name):
            return False
        node: ast.AST = site.node
        loops = []
        while node in parents:  # an item of the list that is gone through right now
            node = parents[node]
            if isinstance(node, ast.For):
                loops.append((node.target, node.iter))
            elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                loops += [(part.target, part.iter) for part in node.generators]
        if any(
            isinstance(target, ast.Name) and target.id == receiver.id and given is made.node
            for target, given in loops
        ):
            return True
        if site.function is not made.function:
            return False
        slot = self.flow.slot_of_name(receiver.id, site.function)
        binding = site.state.names.get(receiver.id)
        target = next(
            (t for t, w in self.flow.writes.get(slot, {}).items() if w.value is made.node), None
        )
        if slot.owner is not site.function or binding is None or target is None:
            return False
        if binding.definitions - {UNBOUND} != {id(target)}:
            return False
        statement = self.flow.source.statement(made.node)
        if not any(
            isinstance(around, ast.For | ast.While | ast.AsyncFor)
            for around in self._around(statement)
        ):
            return True
        block, index = self.block_of(statement)
        return any(site.node in ast.walk(later) for later in block[index + 1 :])

    def _around(self, node: ast.AST) -> Iterable[ast.AST]:
        """The nodes around a node, within its function."""
        parents = self.flow.source.parents
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return
            yield node

    def holds_still(
        self,
        expression: ast.expr,
        made: Site,
        reader: ast.expr,
        state: State,
        function: FunctionInfo | None,
    ) -> bool:
        """Whether ``expression`` means at ``reader`` what it meant at the site ``made``."""
        if isinstance(expression, ast.Constant):
            return True
        if isinstance(expression, ast.Name):
            slot = self.flow.slot_of_name(expression.id, made.function)
            if self.flow.slot_of_name(expression.id, function) != slot:
                return False
            if function is made.function and slot.owner is function:
                then = made.state.names.get(expression.id)
                now = state.names.get(expression.id)
                if then is None or now is None:
                    return False
                first = then.definitions - {UNBOUND}
                return (
                    len(first) == 1
                    and first == now.definitions - {UNBOUND}
                    and not self._carried(reader, made.node)
                )
            return self.flow.is_stable(slot)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            attribute = self.flow.reads.get(expression)
            if attribute is None or attribute.kind != "attribute":
                return False
            if not self.flow.is_stable(attribute):
                return False
            base = expression.value.id
            return self._self_of(function) == base and self._self_of(made.function) == base
        return False

    def _self_of(self, function: FunctionInfo | None) -> str | None:
        while function is not None:
            if function.self_name is not None:
                return function.self_name
            function = function.parent
        return None

    def _carried(self, reader: ast.expr, made: ast.expr) -> bool:
        """Whether the value may come from an earlier turn of a loop around both."""
        if reader.lineno > made.lineno or (
            reader.lineno == made.lineno and reader.col_offset >= made.col_offset
        ):
            return False
        parents = self.flow.source.parents
        loops: set[ast.AST] = set()
        node: ast.AST = made
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.For | ast.While | ast.AsyncFor):
                loops.add(node)
        node = reader
        while node in parents:
            node = parents[node]
            if node in loops:
                return True
        return False

    def _has_objects(self, values: Abstract) -> bool:
        return any(isinstance(v, Object) for v in values)

    def _new_name(self, slot: Slot) -> str:
        """The name for a variable that now holds a collection's name."""
        old = slot.name
        if old.lower().endswith("name"):
            return old
        values = self.flow.store.get(slot, frozenset())
        if any(
            not any(isinstance(v, Object) for v in write.values) and not _is_none(write.value)
            for write in self.flow.writes.get(slot, {}).values()
        ):
            return old  # the variable holds other things too
        kind = next(
            (
                v.kind.lower()
                for v in values
                if isinstance(v, Object) and v.kind != "MutationResult"
            ),
            "collection",
        )
        if slot.kind == "attribute":
            wanted = f"{old}_name"
            if wanted in self.flow.program.attributes or self._named_elsewhere(slot):
                return old
            return wanted
        is_parameter = isinstance(slot.owner, FunctionInfo) and old in (
            slot.owner.names_of_parameters()
        )
        made_here = all(
            self._is_constructor(write.value)
            or isinstance(write.target, ast.arg)
            or _is_none(write.value)
            for write in self.flow.writes.get(slot, {}).values()
        )
        if not is_parameter and not made_here:
            return old
        if is_parameter and isinstance(slot.owner, FunctionInfo) and self._shares_calls(slot.owner):
            return old  # other functions take the same keyword
        if isinstance(slot.owner, FunctionInfo):
            scope_names: set[str] = set(slot.owner.locals) | slot.owner.globals
        else:
            scope_names = self.flow.program.identifiers
        taken = (
            scope_names
            | self.draft.taken[slot.owner if isinstance(slot.owner, FunctionInfo) else None]
        )
        # A name used anywhere in the function would be shadowed.
        used = {
            n.id
            for n in ast.walk(
                slot.owner.node if isinstance(slot.owner, FunctionInfo) else self.flow.source.tree
            )
            if isinstance(n, ast.Name)
        }
        wanted = f"{kind}_name"
        if wanted in taken or wanted in used:
            wanted = f"{old}_name"
            if wanted in taken or wanted in used:
                return old
        self.draft.taken[slot.owner if isinstance(slot.owner, FunctionInfo) else None].add(wanted)
        return wanted

    def _named_elsewhere(self, slot: Slot) -> bool:
        """Whether the attribute is known by name: in a string, or as a field of its class."""
        for node in ast.walk(self.flow.source.tree):
            match node:
                case ast.Constant(value=str() as text) if text == slot.name:
                    return True
                case ast.keyword(arg=name) if name == slot.name:
                    call = self.flow.source.parents[node]
                    if isinstance(call, ast.Call) and any(
                        isinstance(v, Class) for v in self.flow.value(call.func)
                    ):
                        return True
                case ast.AnnAssign(target=ast.Name(id=name)) if name == slot.name:
                    owner = self.flow.source.parents[node]
                    if isinstance(owner, ast.ClassDef) and (owner.decorator_list or owner.bases):
                        return True
        return False

    def _is_constructor(self, node: ast.expr | None) -> bool:
        return isinstance(node, ast.Call) and any(
            isinstance(v, Object) and v.origin is node for v in self.flow.value(node)
        )

    def name(self, site: Site) -> Template:
        """The template for the name of the object that the site is called on."""
        assert site.receiver is not None
        return self.name_of(site.receiver)

    def name_of(self, node: ast.expr) -> Template:
        """The template for the name that stands where ``node``, an object, stood."""
        expression = self.inlined.get(node)
        if expression is not None:
            return (Src(expression),)
        return (Src(node),)

    def helper_name(
        self, base: str, function: FunctionInfo | None, freed: Slot | None = None
    ) -> str:
        """A name for a value that is used up at once, and so may be used again.

        ``freed`` is a variable that the same edits remove; its name may be taken over.
        """
        slot = self.flow.slot_of_name(base, function)
        if slot == freed or base not in self.flow.program.identifiers:
            return base
        used = slot in self.flow.writes or any(
            isinstance(n, ast.Name) and n.id == base
            for n in ast.walk(function.node if function else self.flow.source.tree)
        )
        if not used:
            return base
        return placement.free_name(base, lambda n: n in self.flow.program.identifiers)

    # For rules ------------------------------------------------------------------------

    def arguments(self, site: Site) -> Arguments:
        """The arguments of the call, by the ORM's parameter names."""
        return bind(self.flow, site.call, self.rule_set.parameters(site.symbol))

    def claim(self, node: ast.AST) -> None:
        """Another rule's edits cover this site."""
        self.draft.claimed.add(node)

    def note(self, site: Site, reason: str, message: str) -> None:
        """Tell the owner something about a site that was rewritten."""
        self.draft.notes.append((site, reason, message))

    def reference(self, name: str, site: Site | None = None) -> str:
        """The text that names a class of the library, importing it where needed."""
        function = site.function if site is not None else None
        wanted_module = self.rule_set.client_import
        local: ast.ImportFrom | None = None
        module_level: ast.ImportFrom | None = None
        for alias, dotted in self.flow.imports.items():
            statement = self.flow.source.parents.get(alias)
            scope = self.flow.scope_of.get(alias)
            if dotted == f"{wanted_module}.{name}" and (scope is None or scope is function):
                return alias.asname or alias.name
            if dotted == f"{wanted_module}.*":
                return name
            if not isinstance(statement, ast.ImportFrom) or statement.level:
                continue
            if statement.module != wanted_module or self._type_checking_only(statement):
                continue
            if scope is None and module_level is None and not self._in_class(statement):
                module_level = statement
            elif scope is not None and scope is function and local is None:
                local = statement
        for alias, dotted in self.flow.imports.items():
            if dotted == wanted_module and self.flow.scope_of.get(alias) is None:
                if module_level is None:
                    return f"{alias.asname or alias.name}.{name}"
        bound = self._bound_name(name)
        written = name if bound == name else f"{name} as {bound}"
        self.draft.imports[module_level or local].add(written)
        return bound

    def _bound_name(self, name: str) -> str:
        if name not in self.flow.program.identifiers:
            return name
        return placement.free_name(f"Py{name}", lambda n: n in self.flow.program.identifiers)

    def module(self, name: str) -> str:
        """The text that names a module of the standard library, importing it where needed."""
        for alias, dotted in self.flow.imports.items():
            if dotted == name and self.flow.scope_of.get(alias) is None:
                return alias.asname or name
        self.draft.modules.add(name)
        return name

    def _in_class(self, node: ast.AST) -> bool:
        parents = self.flow.source.parents
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.ClassDef):
                return True
        return False

    def _type_checking_only(self, node: ast.AST) -> bool:
        parents = self.flow.source.parents
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                return True
        return False

    def enclosing_handlers(self, node: ast.AST) -> list[ast.ExceptHandler]:
        """The exception handlers that catch what ``node`` raises, within its function."""
        parents = self.flow.source.parents
        found: list[ast.ExceptHandler] = []
        while node in parents:
            parent = parents[node]
            if isinstance(parent, ast.Try) and node in parent.body:
                found.extend(parent.handlers)
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                break
            node = parent
        return found

    def handled_names(self, node: ast.AST) -> set[str]:
        """The last names of the exceptions that handlers around ``node`` name."""
        names: set[str] = set()
        for handler in self.enclosing_handlers(node):
            if handler.type is None:
                names.add("BaseException")
                continue
            for part in ast.walk(handler.type):
                if isinstance(part, ast.Name):
                    names.add(part.id)
                elif isinstance(part, ast.Attribute):
                    names.add(part.attr)
        return names

    def evaluated_first(self, statement: ast.stmt, node: ast.expr) -> bool:
        """Whether nothing else of the statement is evaluated before ``node``."""
        current: ast.AST | None
        match statement:
            case ast.Expr() | ast.Return() | ast.Assign() | ast.AnnAssign():
                current = statement.value
            case ast.If() | ast.For():
                current = statement.test if isinstance(statement, ast.If) else statement.iter
            case _:
                return False
        while current is not None:
            if current is node:
                return True
            match current:
                case ast.Call(func=ast.Name(), args=[_, *_] as given):
                    # Constants before it make no difference.
                    rest = [a for a in given[:-1] if not isinstance(a, ast.Constant)]
                    current = rest[0] if rest else given[-1]
                case ast.Call():
                    current = current.func
                case ast.Attribute() | ast.Subscript() | ast.Await():
                    current = current.value
                case ast.BinOp() | ast.Compare():
                    current = current.left
                case _:
                    return False
        return False

    def block_of(self, statement: ast.stmt) -> tuple[list[ast.stmt], int]:
        """The list of statements that holds ``statement``, and its place in it."""
        parent = self.flow.source.parents[statement]
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list) and statement in block:
                return block, block.index(statement)
        return [statement], 0

    # The result -----------------------------------------------------------------------

    def _finish(self) -> Plan:
        plan = Plan()
        if any(self._counts(site) for site in self.sites if self.is_active(site)):
            plan.edits = [*self.draft.edits, *self._name_edits(), *self._client_edits()]
            plan.new_names = {key: set(v) for key, v in self.draft.imports.items()}
            plan.modules = set(self.draft.modules)
        self._report(plan)
        return plan

    def _counts(self, site: Site) -> bool:
        return self._is_orm(site)

    def _name_edits(self) -> list[Edit]:
        edits: list[Edit] = []
        handled = {edit.node for edit in self.draft.edits if isinstance(edit, ReplaceNode)}
        receivers = {site.receiver for site in self.sites if site.receiver is not None}
        passed_on = {
            edge.arguments.get(parameter.arg)
            for place in self.places.values()
            if isinstance(place, placement.Place)
            for function, parameter in place.parameters.items()
            for edge in self.flow.callers(function)
        }
        for reader, expression in self.inlined.items():
            if reader in receivers or reader in handled or reader in passed_on:
                continue
            edits.append(ReplaceNode(reader, (Src(expression),)))
        parents = self.flow.source.parents
        for slot, name in self.names.items():
            if name == slot.name:
                continue
            nodes: set[ast.AST] = {
                *self.flow.readers(slot),
                *self.flow.writes.get(slot, {}),
                *self.flow.declarations.get(slot, ()),
            }
            for node in nodes:
                if node in handled or node in passed_on:
                    continue
                match node:
                    case ast.Name():
                        edits.append(ReplaceNode(node, (name,)))
                    case ast.Attribute():
                        edits.append(ReplaceNode(node, (Src(node.value), f".{name}")))
                    case ast.arg():
                        if isinstance(slot.owner, FunctionInfo) and not self._gets_client(
                            slot.owner, node
                        ):
                            edits.append(self._rename_parameter(slot.owner, node, name))
                            edits.extend(self._rename_keywords(slot, name))
        for place in self.places.values():
            if isinstance(place, placement.Place) and place.mode == "parameter":
                edits.extend(self._client_parameters(place))
        assert parents is not None
        return edits

    def _rename_parameter(self, function: FunctionInfo, node: ast.arg, name: str) -> ReplaceNode:
        prefix = ""
        for place in self.places.values():
            if isinstance(place, placement.Place) and place.parameters.get(function) is node:
                kind = f": {self.reference(self.rule_set.client_class)}" if node.annotation else ""
                prefix = f"{place.name}{kind}, "
        if node.annotation is None:
            return ReplaceNode(node, (prefix + name,))
        return ReplaceNode(node, (f"{prefix}{name}: ", Src(node.annotation)))

    def _client_parameters(self, place: placement.Place) -> list[Edit]:
        """Parameters whose name does not change, and the calls that pass the client."""
        edits: list[Edit] = []
        for function, parameter in place.parameters.items():
            slot = Slot("local", function, parameter.arg)
            renamed = self.names.get(slot, slot.name)
            edits.append(self._rename_parameter(function, parameter, renamed))
            for edge in self.flow.callers(function):
                assert edge.node is not None
                edits.append(
                    self._pass_client(edge.node, edge.arguments[parameter.arg], place, renamed)
                )
        return edits

    def _pass_client(
        self, call: ast.Call, argument: ast.expr, place: placement.Place, renamed: str
    ) -> Edit:
        """A call that passes the client before the argument that holds the name."""
        arguments: list[Argument] = []
        for given in call.args:
            if given is argument:
                arguments.append(Argument((place.name,)))
                arguments.append(Argument(self._passed(given)))
            elif isinstance(given, ast.Starred):
                arguments.append(Argument((Src(given.value),), "*"))
            else:
                arguments.append(Argument((Src(given),)))
        for keyword in call.keywords:
            if keyword.value is argument:
                arguments.append(Argument((place.name,), place.name))
                arguments.append(Argument(self._passed(argument), renamed))
            else:
                arguments.append(Argument((Src(keyword.value),), keyword.arg or "**"))
        return ReplaceNode(call, (CallTemplate((Src(call.func),), tuple(arguments)),))

    def _gets_client(self, function: FunctionInfo, parameter: ast.arg) -> bool:
        """Whether the client is written before this parameter."""
        return any(
            isinstance(place, placement.Place) and place.parameters.get(function) is parameter
            for place in self.places.values()
        )

    def _passed(self, argument: ast.expr) -> Template:
        if argument in self.inlined:
            return (Src(self.inlined[argument]),)
        slot = self.flow.reads.get(argument)
        if slot is not None and slot in self.names and isinstance(argument, ast.Name):
            return (self.names[slot],)
        return (Src(argument),)

    def _rename_keywords(self, slot: Slot, name: str) -> list[Edit]:
        edits: list[Edit] = []
        assert isinstance(slot.owner, FunctionInfo)
        for place in self.places.values():
            if isinstance(place, placement.Place) and slot.owner in place.parameters:
                if place.parameters[slot.owner].arg == slot.name:
                    return []
        for edge in self.flow.callers(slot.owner):
            if edge.node is None:
                continue
            for keyword in edge.node.keywords:
                if keyword.arg == slot.name:
                    edits.append(ReplaceNode(keyword, (f"{name}=", Src(keyword.value))))
        return edits

    def _client_edits(self) -> list[Edit]:
        """``global client`` statements and the module's declaration."""
        edits: list[Edit] = []
        wanted: dict[FunctionInfo, list[str]] = defaultdict(list)
        for key, place in self.places.items():
            if not isinstance(place, placement.Place) or place.mode != "global":
                continue
            if key not in self.draft.opened:
                continue
            rebinding = {f for rebound, f in self.draft.rebound if rebound == key and f is not None}
            for function in sorted(place.connectors | rebinding, key=lambda f: f.node.lineno):
                wanted[function].append(place.name)
            if key in self.registry:
                cls = self.reference(self.rule_set.client_class)
                unset = f"{place.name}: {cls} = None  # type: ignore[assignment]"
                edits.append(self._declaration(unset))
            elif not self._set_at_module(key):
                cls = self.reference(self.rule_set.client_class)
                edits.append(self._declaration(f"{place.name}: {cls}"))
        for function, names in wanted.items():
            assert not isinstance(function.node, ast.Lambda)
            if any(isinstance(s, ast.Global) for s in function.node.body):
                continue
            body = function.node.body
            first = body[1] if _is_docstring(body[0]) and len(body) > 1 else body[0]
            edits.append(InsertStatements(first, (Line((f"global {', '.join(names)}",)),)))
        edits += self._global_statements(wanted)
        return edits

    def _global_statements(self, wanted: dict[FunctionInfo, list[str]]) -> list[Edit]:
        """The user's ``global`` statements with renamed variables, and the client added."""
        edits: list[Edit] = []
        renamed = {slot.name: name for slot, name in self.names.items() if slot.kind == "global"}
        extended: set[FunctionInfo | None] = set()
        for statement in self.flow.source.parents:
            function = self.flow.scope_of.get(statement)
            if isinstance(statement, ast.Nonlocal):
                own = [
                    self.names.get(self.flow.slot_of_name(name, function), name)
                    for name in statement.names
                ]
                if own != statement.names:
                    edits.append(
                        ReplaceStatement(statement, (Line((f"nonlocal {', '.join(own)}",)),))
                    )
            if not isinstance(statement, ast.Global):
                continue
            names = [renamed.get(name, name) for name in statement.names]
            if function in wanted and function not in extended:
                assert function is not None and not isinstance(function.node, ast.Lambda)
                if statement in function.node.body:
                    extended.add(function)
                    names = [*wanted[function], *names]
            if names != statement.names:
                edits.append(ReplaceStatement(statement, (Line((f"global {', '.join(names)}",)),)))
        return edits

    def _set_at_module(self, key: Hashable) -> bool:
        return any(
            self.rule_set.connections.is_connect(site.symbol)
            and self.keys[id(site)] == key
            and site.function is None
            for site in self.sites
        )

    def _declaration(self, text: str) -> Edit:
        """Declare a module variable before the first function or class."""
        body = self.flow.source.tree.body
        previous: ast.stmt | None = None
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                break
            if isinstance(statement, ast.If | ast.With | ast.For | ast.While) and previous:
                break
            previous = statement
        line = Line((text,))
        if previous is None:
            return InsertStatements(body[0], (line, Line(("",)), Line(("",))))
        return InsertStatements(previous, (Line(("",)), line), after=True)

    def _report(self, plan: Plan) -> None:
        followers: dict[int, list[Site]] = defaultdict(list)
        blocking = {id(site) for site, _, _, _ in self.refusals if site is not None}
        for site in self.sites:
            if self._is_orm(site) and not self.is_active(site) and id(site) not in blocking:
                unit = self.unit(site)
                if unit is not None:
                    followers[id(unit)].append(site)
        reported: set[tuple[int, int, str, str]] = set()
        lead: dict[int, str] = {}
        for cause, unit, refusal, node in self.refusals:
            if cause is not None and id(cause) in self.ignored:
                continue
            place = self._place(node)
            rule = refusal.rule or (
                self.rule_set.rule_id(cause.symbol) if cause is not None else "MLV290"
            )
            if self.context.ignores(place.line, rule):
                continue
            signature = (place.line, place.column, rule, refusal.reason)
            if unit is not None:
                lead.setdefault(id(unit), f"{refusal.reason} at line {place.line}")
            if signature in reported:
                continue
            if (
                cause is not None
                and cause.form in ("reference", "suspect")
                and any(known[0] == place.line for known in reported)
            ):
                continue  # what it is used for is reported on the same line
            reported.add(signature)
            follows = tuple(
                self._place(other.node)
                for other in (followers.get(id(unit), []) if unit is not None else [])
                if other.node is not node
            )
            plan.findings.append(
                Finding(
                    place=place,
                    rule=rule,
                    reason=refusal.reason,
                    message=refusal.message,
                    recipe=refusal.recipe,
                    symbol=cause.symbol if cause is not None else "",
                    follows=follows,
                )
            )
        for site, reason, message in self.draft.notes:
            if not plan.edits:
                break
            plan.findings.append(
                Finding(
                    place=self._place(site.node),
                    rule=self.rule_set.rule_id(site.symbol),
                    reason=reason,
                    message=message,
                    severity=Severity.NOTE,
                    symbol=site.symbol,
                )
            )
        self._note_blocking_calls(plan)
        self._report_texts(plan)
        reasons = {id(cause): known.reason for cause, _, known, _ in self.refusals if cause}
        for site in self.sites:
            if not self._is_orm(site):
                continue
            if id(site) in self.ignored:
                status, reason = Status.IGNORED, "ignored"
            elif self.is_active(site):
                connections = self.rule_set.connections
                kept = (
                    connections.is_connect(site.symbol)
                    or connections.configures(site.symbol)
                    or connections.is_disconnect(site.symbol)
                    or connections.acts_on_alias(site.symbol)
                ) and (self.stays(site) or not plan.edits or site.node not in self._edited())
                status = Status.REPORTED if kept else Status.REWRITTEN
                reason = "stays for the rest" if kept else ""
            else:
                unit = self.unit(site)
                reason = reasons.get(id(site)) or (
                    lead.get(id(unit), "follows") if unit is not None else "follows"
                )
                status = Status.REPORTED
            plan.sites.append(
                SiteRecord(
                    place=self._place(site.node),
                    symbol=site.symbol,
                    rule=self.rule_set.rule_id(site.symbol),
                    status=status,
                    reason=reason,
                    why=tuple(self.why(site)),
                )
            )
        plan.findings.sort(key=lambda f: f.place)

    def _texts(self) -> list[tuple[ast.AST, str]]:
        """The ORM symbols that are named in a text: ``patch("pymilvus.Collection")``."""
        if self.texts is not None:
            return self.texts
        found: list[tuple[ast.AST, str]] = []
        self.texts = found
        library = self.flow.library
        for node, parent in self.flow.source.parents.items():
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            if not isinstance(parent, ast.Call | ast.keyword):
                continue
            symbol = library.resolve(node.value)
            if symbol is not None and library.is_site(symbol):
                found.append((node, symbol))
        return found

    def _report_texts(self, plan: Plan) -> None:
        """Report the ORM symbols that are named in a text, and modules reached by computing."""
        for reached, how in self.flow.computed.items():
            place = self._place(reached)
            if self.context.ignores(place.line, "MLV010"):
                continue
            plan.findings.append(
                Finding(
                    place=place,
                    rule="MLV010",
                    reason=COMPUTED,
                    message=f"the library is reached through {how}(): what it is for is not seen",
                    recipe="Import what is used by name; the connection is kept for it until then.",
                )
            )
        for node, symbol in self._texts():
            place = self._place(node)
            ignored = self.context.ignores(place.line, "MLV012")
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
                    )
                )
            plan.sites.append(
                SiteRecord(
                    place=place,
                    symbol=symbol,
                    rule="MLV012",
                    status=Status.IGNORED if ignored else Status.REPORTED,
                    reason=IN_TEXT,
                )
            )

    def _note_blocking_calls(self, plan: Plan) -> None:
        """One note for each ``async def`` whose rewritten calls block, as they did before."""
        noted: set[FunctionInfo] = set()
        for site in self.sites if plan.edits else ():
            function = site.function
            if (
                function is None
                or function in noted
                or not isinstance(function.node, ast.AsyncFunctionDef)
                or not self.is_active(site)
                or not self._is_orm(site)
                or site.symbol in self.rule_set.unit_kinds
                or site.symbol.endswith(".name")
            ):
                continue
            noted.add(function)
            plan.findings.append(
                Finding(
                    place=self._place(site.node),
                    rule=self.rule_set.rule_id(site.symbol),
                    reason="blocking-in-async",
                    message=f"calls in 'async def {function.name}' block the event loop, as before",
                    recipe="AsyncMilvusClient has the same methods to await.",
                    severity=Severity.NOTE,
                    symbol=site.symbol,
                )
            )

    def _edited(self) -> set[ast.AST]:
        found: set[ast.AST] = set()
        for edit in self.draft.edits:
            if isinstance(edit, ReplaceNode | ReplaceStatement | InsertStatements):
                found.update(ast.walk(edit.node))
        return found

    def _place(self, node: ast.AST) -> Place:
        line, column = self.flow.source.place(node)
        return Place(self.flow.source.name, line, column)

    # Why ------------------------------------------------------------------------------

    def why(self, site: Site) -> list[str]:
        """The chain of evidence that makes this a use of the library, nearest first."""
        line, column = self.flow.source.place(site.node)
        steps = [f"{line}:{column} {self._text(site.node).splitlines()[0]} is {site.symbol}"]
        target = site.receiver or (site.node.func if isinstance(site.node, ast.Call) else site.node)
        self._chain(target, steps, set(), 0)
        return steps

    def _chain(
        self, node: ast.expr | None, steps: list[str], seen: set[ast.AST], depth: int
    ) -> None:
        if node is None or node in seen or depth > 12:
            return
        seen.add(node)
        slot = self.flow.reads.get(node)
        if slot is not None and slot.kind == "return" and isinstance(slot.owner, FunctionInfo):
            self._returned(slot.owner, steps, seen, depth)
        elif slot is not None:
            for write in self.flow.writes.get(slot, {}).values():
                relevant = any(
                    isinstance(v, Object | Library | ModuleValue | Bound) for v in write.values
                )
                if not relevant or write.target in seen:
                    continue
                seen.add(write.target)
                line, column = self.flow.source.place(write.target)
                text = self._statement_text(write.statement)
                if isinstance(write.target, ast.arg):
                    text = f"parameter {self._text(write.target)}"
                steps.append(f"{line}:{column} {text}")
                if isinstance(write.target, ast.arg) and isinstance(slot.owner, FunctionInfo):
                    for edge in self.flow.callers(slot.owner):
                        argument = edge.arguments.get(slot.name)
                        if argument is not None:
                            line, column = self.flow.source.place(argument)
                            steps.append(f"{line}:{column} passed as {self._text(argument)}")
                            self._chain(argument, steps, seen, depth + 1)
                self._chain(write.value, steps, seen, depth + 1)
        if isinstance(node, ast.Call):
            for edge in self.flow.calls.get(node, []):
                self._returned(edge.target, steps, seen, depth)
            self._chain(node.func, steps, seen, depth + 1)
        elif isinstance(node, ast.Attribute) and slot is None:
            self._chain(node.value, steps, seen, depth + 1)

    def _returned(
        self, function: FunctionInfo, steps: list[str], seen: set[ast.AST], depth: int
    ) -> None:
        for child in ast.walk(function.node):
            if isinstance(child, ast.Return) and child.value is not None and child not in seen:
                if any(isinstance(v, Object) for v in self.flow.value(child.value)):
                    seen.add(child)
                    line, column = self.flow.source.place(child)
                    steps.append(f"{line}:{column} {self._statement_text(child)}")
                    self._chain(child.value, steps, seen, depth + 1)

    def _statement_text(self, statement: ast.stmt | None) -> str:
        if statement is None:
            return ""
        return self._text(statement).splitlines()[0]


_HELD = unknown(
    "the alias belongs to one object (or one call), and its client cannot be reached from all uses",
    "Keep the client beside the alias, and hand it to what uses the connection.",
)


def _is_held(key: Hashable | None) -> bool:
    """Whether the alias may be another one for each object, or each call of a function."""
    return bool(_holder(key))


def _holder(key: Hashable | None) -> str:
    """What has an alias of its own: an ``object``, or the ``call`` of a function; else ""."""
    if not isinstance(key, tuple) or key[0] == "constant":
        return ""
    if key[0] == "part":
        return _holder(key[1])
    if key[0] == "slot":
        kinds = {"global": "", "attribute": "object"}
        return kinds.get(key[1].kind, "call")
    return "call"


def _definition(key: Hashable | None) -> int | None:
    """The definition that gives an alias of one call its value."""
    while isinstance(key, tuple) and key[0] == "part":
        key = key[1]
    return key[1] if isinstance(key, tuple) and key[0] == "definition" else None


def _is_constant(key: Hashable | None) -> bool:
    return isinstance(key, tuple) and key[0] == "constant"


def _line_of(value: object) -> int:
    return getattr(getattr(value, "origin", None), "lineno", 0)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def call(function: str, *arguments: tuple[str | None, Template]) -> CallTemplate:
    """The template of a call; None as keyword makes an argument positional."""
    return CallTemplate(
        (function,), tuple(Argument(value, keyword) for keyword, value in arguments)
    )
