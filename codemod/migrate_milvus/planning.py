"""What a plan is made of, and what rules ask while it is made: clients, names, arguments, units."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from migrate_milvus import placement, recipes
from migrate_milvus.arguments import Arguments, bind
from migrate_milvus.configured import ConfiguredClient
from migrate_milvus.crossing import Beside, Crossing
from migrate_milvus.edits import (
    Argument,
    CallTemplate,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    Src,
    Template,
)
from migrate_milvus.flow import UNBOUND, Flow, Site, Slot, State
from migrate_milvus.model import Finding, Place, SiteRecord
from migrate_milvus.pooling import NAME, Pool, Pooled
from migrate_milvus.program import ClassInfo, FunctionInfo, Module, Scope
from migrate_milvus.project import ModuleGraph
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
from migrate_milvus.resuming import LeftClient, left_client
from migrate_milvus.settings import Settings
from migrate_milvus.units import Unit, Units, find_units
from migrate_milvus.values import (
    Abstract,
    Container,
    Object,
)

IN_REACH = predicate("client-in-reach", "every use of the connection can reach its client")
IN_SIGHT = predicate("connection-in-sight", "the connection is opened in this file")
OBJECT_IN_SIGHT = predicate("object-in-sight", "the object never reaches code out of sight")
ONE_KIND = predicate("object-one-kind", "the expression holds such objects only")
CALLERS = predicate("signature-callers-known", "all users of a changing name are in this file")
MEMBER = predicate("member-known", "the attribute has an equivalent")
ALIAS = predicate("utility-alias-known", "the connection that the call uses is known")
COLLECTION_ALIAS = predicate("collection-alias-known", "the collection's connection is known")
PLAIN_CALL = predicate(
    "deferred-call-plain", "a call that another function makes later stays a single call"
)
IN_TEXT = "named-in-text"
COMPUTED = "computed-use"
RECEIVER = predicate("receiver-known", "what the method is called on is known")
BY_HAND = predicate("by-hand", "the symbol has an equivalent that can be written")


class Quiet(Exception):
    """A site stays for a reason that is reported elsewhere."""


@dataclass(frozen=True)
class Context:
    """What the project means for a program.

    ``graph``: its imports; None for a program of one module. ``ignores``: whether a suppression
    holds at a line of a file, for a rule. ``frozen``: the files that must not change.
    """

    graph: ModuleGraph | None = None
    ignores: Callable[[str, int, str], bool] = lambda path, line, rule: False
    frozen: frozenset[str] = frozenset()

    def replaced(self, path: str) -> Mapping[str, str]:
        """The names of a module that others put something else for, as ``patch("app.utility")``
        does, with who does."""
        return self.graph.replaced(path) if self.graph is not None else {}


@dataclass(frozen=True)
class Homed:
    """The alias of a connection, and the module that opens it."""

    alias: Hashable
    module: Module


@dataclass
class Plan:
    """What is to be done to one module.

    ``lines``: imports of other modules of the project to add, with their places.
    """

    edits: list[Edit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sites: list[SiteRecord] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    new_names: dict[ast.ImportFrom | None, set[str]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    lines: dict[str, Beside | None] = field(default_factory=dict)


@dataclass
class Draft:
    """What one round of planning has decided so far."""

    edits: list[Edit] = field(default_factory=list)
    notes: list[tuple[Site, str, str]] = field(default_factory=list)
    claimed: set[ast.AST] = field(default_factory=set)
    opened: set[Hashable] = field(default_factory=set)
    rebound: set[tuple[Hashable, FunctionInfo | None]] = field(default_factory=set)
    taken: dict[Scope, set[str]] = field(default_factory=lambda: defaultdict(set))
    imports: dict[tuple[Module, ast.ImportFrom | None], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    modules: dict[Module, set[str]] = field(default_factory=lambda: defaultdict(set))


class Planning:
    """The planner of one program; rules ask it for clients, names and arguments."""

    def __init__(
        self, flow: Flow, settings: Settings, rule_set: RuleSet, context: Context | None = None
    ) -> None:
        self.flow = flow
        self.settings = settings
        self.rule_set = rule_set
        self.context = context or Context()
        self.units: Units = find_units(flow, rule_set.unit_kinds)
        self.sites = list(flow.every_site())
        self.crossing = Crossing(flow, self.context.graph)
        # The module of the site whose rule is asked.
        self.current = flow.program.modules[0]
        self.connecting = {
            site.module for site in self.sites if rule_set.connections.is_connect(site.symbol)
        }
        self.aliases: dict[int, Hashable | None] = {}
        self.keys: dict[int, Hashable | None] = self._keys()
        self.alias_texts: dict[int, str] = {}
        self.keys = self._pooled()
        self.blocked_units: set[int] = set()
        self.blocked_sites: set[int] = set()
        self.blocked_keys: set[Hashable] = set()
        # ... and the connections that each site keeps so.
        self.kept_by: dict[int, set[Hashable]] = {}
        self.refusals: list[tuple[Site | None, Unit | None, Refusal, ast.AST]] = []
        self.ignored: set[int] = set()
        self.draft = Draft()
        self.places: dict[Hashable, placement.Place | Refusal] = {}
        self.kept_connects: set[Hashable] = set()
        # Connections whose remaining uses all follow a connect in their own function.
        self.kept_in: dict[Hashable, set[Scope]] = {}
        # Connections of which it is asked whether they are open: the client is None until then.
        self.registry: set[Hashable] = set()
        # Clients that an earlier run left, and connections whose client is another one after all.
        self.left: dict[Hashable, LeftClient] = {}
        self.renewed: set[Hashable] = set()
        self.configured = ConfiguredClient(self)
        self.connect_unknown = False
        # The sites that were written with a client in the round before; None in the first one.
        self.asked: set[int] | None = None
        self.asking: set[int] = set()
        self.handed = False  # whether clients are passed to functions that may not need them
        self.names: dict[Slot, str] = {}
        self.gone: dict[Slot, bool] = {}
        self.inlined: dict[ast.expr, ast.expr] = {}
        # Receivers that are evaluated before their statement, with the names that hold them.
        self.hoisted: dict[ast.expr, str] = {}
        self._opening: dict[Hashable, set[ast.AST]] = {}
        self.texts: list[tuple[ast.AST, str]] | None = None

    # Sites and units -----------------------------------------------------------------------

    def _keys(self) -> dict[int, Hashable | None]:
        """The connection of each site: its alias, and the module that opens it where several may.

        A module that connects uses its own connection; others that of the one that does, or of the
        one among them that they import.
        """
        connections = self.rule_set.connections
        aliases = {id(site): connections.key(site, self.flow) for site in self.sites}
        self.aliases = aliases
        if len(self.flow.program.modules) == 1:
            return aliases
        homes: dict[Hashable, dict[Module, None]] = defaultdict(dict)
        for site in self.sites:
            if connections.is_connect(site.symbol) and site.form == "call":
                homes[aliases[id(site)]][site.module] = None
        found: dict[int, Hashable | None] = {}
        for site in self.sites:
            alias = aliases[id(site)]
            home = self.crossing.home(site.module, list(homes.get(alias, ())))
            found[id(site)] = Homed(alias, home) if alias is not None and home else alias
        return found

    def _pooled(self) -> dict[int, Hashable | None]:
        """The keys, where clients in one dict answer for aliases that only a run tells."""
        pool = Pool.needed(self, self.keys)
        if pool is None:
            return self.keys
        found = dict(self.keys)
        for site in self.sites:
            if not pool.covers(site):
                continue
            text = pool.text(site)
            found[id(site)] = pool.key if text is not None else None
            if text is not None:
                self.alias_texts[id(site)] = text
        return found

    def is_pooled(self, site: Site) -> bool:
        """Whether the client of a site is one of a dict, by its alias."""
        return isinstance(self.keys[id(site)], Pooled)

    def may_share(self, site: Site, other: Site) -> bool:
        """Whether two sites may be on one connection."""
        key = self.keys[id(site)]
        if key != self.keys[id(other)]:
            return False
        mine, theirs = self.aliases[id(site)], self.aliases[id(other)]
        constants = _is_constant(mine) and _is_constant(theirs)
        return not (isinstance(key, Pooled) and constants and mine != theirs)

    def connects_elsewhere(self, module: Module) -> bool:
        """Whether other modules connect, too."""
        return bool(self.connecting - {module})

    def home(self, key: Hashable | None) -> Module:
        """The module that opens a connection."""
        return key.module if isinstance(key, Homed | Pooled) else self.flow.program.modules[0]

    def alias(self, site: Site) -> Hashable | None:
        """The alias of the connection of a site."""
        return _alias(self.keys[id(site)])

    def alias_unknown(self, site: Site) -> Answer:
        _, expression = self.rule_set.connections.alias(site, self.flow)
        varies = expression is not None and not isinstance(expression, ast.Constant)
        what = f"'{self.text(expression)}', " if expression is not None and varies else ""
        return unknown(
            f"the connection ({what}an alias) that this uses cannot be told from the code"
            if what
            else "the connection (alias) that this uses cannot be told from the code",
            "Call the method on the MilvusClient that was made for that alias.",
        )

    @cached_property
    def named_attributes(self) -> frozenset[str]:
        """The attributes that some code reads, sets or asks for by a constant name."""
        found: set[str] = set()
        for node in self.flow.source.parents:
            match node:
                case ast.Call(
                    func=ast.Name(id="getattr" | "hasattr" | "setattr" | "delattr"),
                    args=[_, ast.Constant(value=str() as name), *_],
                ):
                    found.add(name)
                case ast.Call(
                    func=ast.Name(id="attrgetter") | ast.Attribute(attr="attrgetter"),
                    args=arguments,
                ):
                    texts = (a.value for a in arguments if isinstance(a, ast.Constant))
                    found.update(part for text in texts for part in str(text).split("."))
        return frozenset(found)

    def is_orm(self, site: Site) -> bool:
        return self.flow.library.is_site(site.symbol)

    def is_active(self, site: Site) -> bool:
        """Whether the site may still be rewritten."""
        if id(site) in self.blocked_sites or id(site) in self.ignored:
            return False
        unit = self.unit(site)
        if unit is not None and id(unit) in self.blocked_units:
            return False
        key = self.keys[id(site)]
        return not (key is not None and key in self.blocked_keys and self.is_orm(site))

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
        self.give_up(site)

    def give_up(self, site: Site) -> None:
        """Block a site, with its unit or its connection, without a word."""
        unit = self.unit(site)
        key = self.keys[id(site)]
        if unit is not None:
            self.blocked_units.add(id(unit))
        elif self.rule_set.connections.is_disconnect(site.symbol) and key not in self.places:
            # It may close any of them.
            self._keep(site, {k for k in self.places if self.home(k) is site.module})
        elif key is not None and (
            self.rule_set.connections.is_connect(site.symbol)
            or self.rule_set.connections.is_disconnect(site.symbol)
            or self.rule_set.connections.acts_on_alias(site.symbol)
            or (
                self.rule_set.connections.asks(site.symbol) and self.connects_elsewhere(site.module)
            )
        ):
            self._keep(site, {key})
        self.blocked_sites.add(id(site))

    def _keep(self, site: Site, keys: set[Hashable]) -> None:
        """Keep connections as they are because of a site."""
        self.blocked_keys |= keys
        self.kept_by.setdefault(id(site), set()).update(keys)

    def block_unit(self, unit: Unit, refusal: Refusal, node: ast.AST) -> None:
        if not any(
            known[2].reason == refusal.reason and known[3] is node for known in self.refusals
        ):
            self.refusals.append((None, unit, refusal, node))
        self.blocked_units.add(id(unit))

    def is_reached(self, function: FunctionInfo) -> bool:
        """Whether another module may use the function by something that is not known there."""
        return bool(self.crossing.blind_users(function))

    def has_hidden_callers(self, function: FunctionInfo) -> bool:
        """Whether code that is not followed may call the function, as far as that is seen."""
        return (
            self.is_reached(function)
            or function in self.flow.escaped_functions
            or bool(function.opaque_decorators)
        )

    def text(self, node: ast.AST) -> str:
        return self.flow.source.segment(node)

    def is_typed(self, module: Module) -> bool:
        """Whether the module has annotations or type comments of its own."""
        return "# type:" in module.source.text or any(
            isinstance(node, ast.AnnAssign)
            or (isinstance(node, ast.arg) and node.annotation is not None)
            or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns)
            for node in module.source.parents
        )

    def unset_client(self, name: str, module: Module, declared: bool = False) -> str:
        """``client = None``, typed where the module is."""
        if not self.is_typed(module):
            return f"{name} = None"
        kind = f": {self.reference(self.rule_set.client_class, module)}" if declared else ""
        return f"{name}{kind} = None  # type: ignore[assignment]"

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
                    return self.flow.slot_of_name(target.id, site.scope)
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

    def rewrite_annotation(self, site: Site) -> list[Edit]:
        if self.unit(site) is None:
            raise Refusal(
                OBJECT_IN_SIGHT,
                f"this annotation names {site.symbol}, but no {site.symbol} is seen to flow here",
                "Annotate with what the code really passes: str for a collection's name.",
            )
        if isinstance(site.node, ast.Constant):
            quoted = self.text(site.node)
            return [ReplaceNode(site.node, (quoted.replace(site.symbol, "str"),))]
        return [ReplaceNode(site.node, ("str",))]

    # Clients --------------------------------------------------------------------------

    def place_clients(self, active: list[Site]) -> None:
        connections = self.rule_set.connections
        self.places, self.hoisted, self._opening = {}, {}, {}
        self.kept_connects, self.kept_in = set(), {}
        self.registry, self.left = set(), {}
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
                and self.is_orm(site)
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
                and self.is_orm(site)
                and site.form != "annotation"
                and not connections.is_connect(site.symbol)
                and not connections.is_disconnect(site.symbol)
                and not self._only_tested(site)
            ):
                if connections.lists(site.symbol):
                    self.kept_connects |= connects.keys() - {key}
                follows = any(self._follows(site, connect) for connect in connects.get(key, ()))
                if follows and not isinstance(key, Pooled):
                    self.kept_in.setdefault(key, set()).add(site.scope)
                else:
                    self.kept_connects.add(key)
        if any(
            self.keys[id(site)] not in connects
            and self.is_orm(site)
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
        if self.flow.computed:
            self.kept_connects |= set(connects)
        names: dict[Module, set[str]] = defaultdict(set)
        for key, made in connects.items():
            if isinstance(key, Pooled):
                connectors = frozenset(s.function for s in made if s.function is not None)
                name = placement.free_name(NAME, lambda n: n in key.module.identifiers)  # noqa: B023
                names[key.module].add(name)
                self.places[key] = placement.Place("pool", name, connectors=connectors)
                continue
            base = self._client_base(key, len({_alias(known) for known in connects}))
            home = made[0].module
            around = {home, *(use.module for use in uses.get(key, []))}

            def taken(name: str, around: set[Module] = around) -> bool:
                return any(name in names[m] or name in m.identifiers for m in around)

            shared = not _is_held(key)
            switched = [
                use for use in uses.get(key, []) if shared and connections.acts_on_alias(use.symbol)
            ]
            alone = shared and not self.connects_elsewhere(home)
            if alone and any(
                connections.asks(site.symbol)
                and self.keys[id(site)] == key
                and not placement.opened_before(self.flow, site, made)
                for site in self.sites
            ):
                self.registry.add(key)
            closes = [use for use in uses.get(key, []) if connections.is_disconnect(use.symbol)]
            if alone and placement.closes_unopened(self.flow, made, closes):
                self.registry.add(key)

            left = None
            if key not in self.registry and key not in self.renewed:
                left = left_client(self, made, closes)

            def choose(
                those: list[Site],
                made: list[Site] = made,
                base: str = base,
                key: Hashable = key,
                switched: list[Site] = switched,
                closes: list[Site] = closes,
                taken: Callable[[str], bool] = taken,
                own: str = "",
            ) -> placement.Place:
                return placement.choose(
                    self.flow,
                    made,
                    those,
                    base,
                    taken,
                    self._client_parameter,
                    switched,
                    key in self.registry,
                    holder_of(key),
                    closes,
                    own,
                )

            if left is not None:
                place = choose(uses.get(key, []), base=left.name, own=left.name)
                if place.mode == left.mode and shared:
                    names[home].add(place.name)
                    self.places[key], self.left[key] = place, left
                    continue
            place = choose(uses.get(key, []))
            own = [use for use in uses.get(key, []) if use.module is home]
            if place.mode == "global" and own and len(place.connectors) > 1:
                # Each function has its own client; what other files use is none of them.
                alone_here = choose(own)
                place = alone_here if alone_here.mode == "local" else place
            place = self._hand_across(place, home, made, uses.get(key, []), choose)
            if place.mode == "local" and self._alone_in_its_functions(key, connects, uses):
                name = placement.free_name("client", lambda n: n in home.identifiers)  # noqa: B023
                place = replace(place, name=name)
            other = self._unset_for(key, place, made, uses.get(key, []), connects)
            if other is not None:
                self.places[key] = Refusal(
                    IN_REACH,
                    f"{other} opens the connection itself and uses this code, which would look for "
                    "a client that is not made then",
                    f"Let {other} connect through this module, or pass it the client.",
                )
                continue
            if not shared:
                try:
                    reached = place.mode != "global" and self._keeps_to(key, uses.get(key, []))
                    require(IN_REACH, PROVED if reached else _HELD)
                except Refusal as refusal:
                    self.places[key] = refusal
                    continue
            names[home].add(place.name)
            self.places[key] = place

    def _unset_for(
        self,
        key: Hashable,
        place: placement.Place,
        made: list[Site],
        uses: list[Site],
        connects: Mapping[Hashable, list[Site]],
    ) -> str | None:
        """A module that uses the connection through code which would have no client then.

        So where it connects itself, or the module of the client does so only as a script.
        """
        home = made[0].module
        if len(self.flow.program.modules) == 1 or place.mode not in ("global", "module"):
            return None
        scripted = all(self.crossing.only_as_script(site.node) for site in made)
        if place.mode == "module" and not scripted:
            return None
        connecting = {
            site.module
            for other, sites in connects.items()
            if other != key and _alias(other) == _alias(key)
            for site in sites
        }
        using = {use.function for use in uses if use.function is not None}
        opening = {site.function for site in made if site.function is not None}
        calls: dict[FunctionInfo, set[Scope]] = defaultdict(set)
        for node, edges in self.flow.calls.items():
            for edge in edges:
                calls[edge.target].add(self.flow.scope(node))
        needing = _callers_of(calls, using - opening)
        giving = _callers_of(calls, opening)
        for module in sorted({module_of(scope) for scope in needing}, key=lambda m: m.name):
            if module is home or (place.mode == "global" and module not in connecting):
                continue
            if not any(module_of(scope) is module for scope in giving):
                return module.name
        return None

    def _hand_across(
        self,
        place: placement.Place,
        home: Module,
        made: list[Site],
        uses: list[Site],
        choose: Callable[[list[Site]], placement.Place],
    ) -> placement.Place:
        """Pass the client to the functions of modules that cannot import it."""
        across = [
            use
            for use in uses
            if use.module is not home
            and not self.crossing.can_import(use.module, home)
            and (self.asked is None or id(use) in self.asked)
        ]
        if not across or self.settings.keep_signatures:
            return place
        self.handed = True
        nearer = choose([use for use in uses if use not in across])
        if nearer.parameters:
            return place
        return (
            placement.hand_across(self.flow, nearer, home, made, across, self._takes_client)
            or place
        )

    def _takes_client(self, function: FunctionInfo) -> tuple[ast.arg | None] | None:
        """What a client would be written before; None where a caller may be out of sight."""
        node = function.node
        if self._must_stay(function):
            return None
        if (
            function in self.flow.escaped_functions
            or function.opaque_decorators
            or function.owner is not None
            or self.is_reached(function)
            or not self.crossing.all_users_known(function)
            or isinstance(node, ast.Lambda)
            or not self.flow.callers(function)
            or self.shares_calls(function)
            or (function.parameters and not (node.args.posonlyargs or node.args.args))
        ):
            return None
        return (self._client_parameter(function),)

    def _keeps_to(self, key: Hashable, uses: list[Site]) -> bool:
        """Whether no use can be of an earlier call's (or turn's) connection, by its object."""
        if holder_of(key) != "call":
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
        if self.is_constructor(node):
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
            value is not None and (is_none(value) or self._is_made_there(value, seen))
            for value in given
        )

    def _alone_in_its_functions(self, key: Hashable, *tables: dict[Hashable, list[Site]]) -> bool:
        """Whether the functions that open or use the connection, and those in them, know no other.

        ``tables`` are the sites that open connections and those that use them.
        """
        own = {site.scope for table in tables for site in table.get(key, [])}
        return not any(
            other != key and own.intersection(placement.scopes(site.scope)[:-1] or [site.module])
            for table in tables
            for other, sites in table.items()
            for site in sites
        )

    def needs_client_here(self, site: Site) -> bool:
        """Whether the rewritten site will name the client (a name read does not)."""
        return not site.symbol.endswith(".name")

    def _client_base(self, key: Hashable, number: int) -> str:
        alias = _alias(key)
        if (
            number > 1
            and isinstance(alias, tuple)
            and _is_constant(alias)
            and alias[1] != "default"
        ):
            word = "".join(c if c.isalnum() else "_" for c in str(alias[1])).strip("_").lower()
            if word and not word[0].isdigit():
                return word if word.endswith("client") else f"{word}_client"
        return "client"

    def _must_stay(self, function: FunctionInfo) -> bool:
        """Whether a file that must not change has the function, or a call of it."""
        frozen = self.context.frozen
        return bool(frozen) and any(
            self.flow.module_of(node).name in frozen
            for node in (function.node, *(edge.node for edge in self.flow.callers(function)))
            if node is not None
        )

    def _client_parameter(self, function: FunctionInfo) -> ast.arg | None:
        """The parameter that holds an object, in a function whose callers are all known."""
        if self._must_stay(function):
            return None
        if (
            function in self.flow.escaped_functions
            or function.opaque_decorators
            or self.is_reached(function)
            or isinstance(function.node, ast.Lambda)
            or self.settings.keep_signatures
        ):
            return None
        edges = self.flow.callers(function)
        if not edges or self.shares_calls(function):
            return None
        for parameter in function.parameters:
            slot = Slot("local", function, parameter.arg)
            unit = self.units.of_slot.get(slot)
            if unit is None or id(unit) in self.blocked_units:
                continue
            if all(edge.exact and parameter.arg in edge.arguments for edge in edges):
                return parameter
        return None

    def shares_calls(self, function: FunctionInfo) -> bool:
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
        if place is None and (parameter := self._parameter_of(key)):
            require(
                ALIAS,
                unknown(
                    f"the alias is the parameter {parameter!r}: which connection it names may "
                    "differ from call to call",
                    _CLIENT_FOR_ALIAS,
                ),
            )
        if place is None:
            if not self.connect_unknown and self._takes_configured(site):
                configured = self.configured.text(site)
                if isinstance(configured, str):
                    return configured
                require(IN_SIGHT, configured)
                return "client"
            if self.connect_unknown or (
                self.unit(site) is None
                and any(
                    known.reason == IN_SIGHT and other is not None and other.node is not site.node
                    for other, _, known, _ in self.refusals
                )
            ):
                raise Quiet  # said once for the file
            if self.places and not _is_constant(key):
                require(ALIAS, self.alias_unknown(site))
            opened_by = [
                (parameter, self.line_of(other.node))
                for other in self.sites
                if self.rule_set.connections.is_connect(other.symbol)
                and (parameter := self._parameter_of(self.keys[id(other)]))
            ]
            for parameter, line in opened_by:
                require(
                    IN_SIGHT,
                    unknown(
                        f"the connect() on {line} takes its alias as the parameter "
                        f"{parameter!r}, so it is not seen which connection it opens",
                        _CLIENT_FOR_ALIAS,
                    ),
                )
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
        found = placement.text(self.flow, place, site, holder_of(key))
        if found is None:
            require(
                IN_REACH,
                unknown(
                    "the client made where the program connects cannot be reached from here",
                    "Pass the client to this function.",
                ),
            )
            return "client"
        self.asking.add(id(site))
        if place.mode == "pool":
            return f"{place.name}[{self.alias_texts[id(site)]}]"
        if placement.is_passed(place, site.function):
            return place.name
        if self.handed and self.asked is not None and id(site) not in self.asked:
            return place.name  # asked for, but not written
        if place.mode in ("module", "global", "local") and site.module is not self.home(key):
            return self._client_of_module(place, self.home(key), site)
        return found

    def opened_first(self, site: Site) -> list[Edit]:
        """What makes the client be set when the code written at ``site`` names it.

        ``store.collection.load()`` connects where the property does; of
        ``client.load_collection(store.collection)``, the client would be looked up first.
        """
        place = self.places.get(self.keys[id(site)])
        if (
            not isinstance(place, placement.Place)
            or place.mode not in ("attribute", "global", "pool")
            or not self.needs_client_here(site)
            or not isinstance(site.node, ast.expr)
        ):
            return []
        opening = self._opening_calls(self.keys[id(site)], place)
        before = {part for part in ast.walk(site.node) if part in opening}
        statement = self.flow.source.statement(site.node)
        if not before or self._opened_earlier(statement, before, opening):
            return []
        held = set(ast.walk(site.receiver)) if site.receiver is not None else set()
        if (
            site.receiver is None
            or not before <= held
            or not self.evaluated_first(statement, site.receiver)
        ):
            require(
                IN_REACH,
                unknown(
                    "what is called here connects, so the client would be looked up before it is "
                    "made",
                    "Connect in a statement of its own before this one.",
                ),
            )
        assert site.receiver is not None
        name = self.helper_name("collection_name", site.scope)
        self.hoisted[site.receiver] = name
        return [InsertStatements(statement, (Line((f"{name} = ", Src(site.receiver))),))]

    def _opening_calls(self, key: Hashable | None, place: placement.Place) -> set[ast.AST]:
        """The calls that may open a connection."""
        if key not in self._opening:
            self._opening[key] = placement.calls_to(self.flow, set(place.connectors))
        return self._opening[key]

    def _opened_earlier(
        self, statement: ast.stmt, before: set[ast.AST], opening: set[ast.AST]
    ) -> bool:
        """Whether what the calls ``before`` do is done in an earlier statement as well."""
        same: set[FunctionInfo] = set()
        same.update(*(self._targets(node) for node in before))
        functions = {self.flow.scope_of.get(node) for node in opening} - same - {None}
        while True:
            certain = {
                node for node in opening if self._targets(node) and self._targets(node) <= same
            }
            new = {
                f
                for f in functions
                if f is not None
                and not isinstance(f.node, ast.Lambda)
                and not f.generator
                and not isinstance(f.node, ast.AsyncFunctionDef)
                and not certain.isdisjoint(_surely_run(f.node.body))
            }
            if not new:
                break
            same |= new
            functions -= new
        parents = self.flow.source.parents
        while True:
            block, index = self.block_of(statement)
            if not certain.isdisjoint(_surely_run(block[:index])):
                return True
            parent = parents[statement]
            if not isinstance(parent, ast.stmt) or isinstance(
                parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ):
                return False
            statement = parent

    def _targets(self, node: ast.AST) -> set[FunctionInfo]:
        """The functions that a call, or the reading of a property, runs."""
        found = {edge.target for edge in self.flow.calls.get(node, ())}
        slot = self.flow.reads.get(node)
        if slot is not None and slot.kind == "return" and isinstance(slot.owner, FunctionInfo):
            found.add(slot.owner)
        return found

    def _takes_configured(self, site: Site) -> bool:
        """Whether the client of the settings is the one that a site means.

        They name one client, for the connection that is meant when none is named; what acts on the
        whole connection would act on everybody's.
        """
        connections = self.rule_set.connections
        if not self.settings.client:
            return False
        return connections.is_default(self.keys[id(site)]) and not (
            connections.is_disconnect(site.symbol) or connections.acts_on_alias(site.symbol)
        )

    def _client_of_module(self, place: placement.Place, home: Module, site: Site) -> str:
        """The expression for a client that another module holds."""
        recipe = "Pass the client to this function."
        if place.mode == "local":
            require(
                IN_REACH,
                unknown(f"each function of {home.name} that connects has its own client", recipe),
            )
        if place.mode == "module":
            if any(
                self.keys[id(other)] == self.keys[id(site)]
                and self.rule_set.connections.is_connect(other.symbol)
                and self.crossing.only_as_script(other.node)
                for other in self.sites
            ):
                require(
                    IN_REACH,
                    refuted(f"{home.name} connects only when it is run as a script", recipe),
                )
            found = self.crossing.name_of(home, place.name, site)
        else:
            module = self.crossing.reference_to(home, site)
            found = None if module is None else f"{module}.{place.name}"
        if found is None:
            require(
                IN_REACH,
                unknown(
                    f"the client made in {home.name} cannot be imported here: it imports this "
                    "file, or this file does not import it now",
                    recipe,
                ),
            )
            return "client"
        return found

    def _parameter_of(self, key: Hashable | None) -> str:
        """The parameter that is the alias, where each call has its own; "" when there is none."""
        definition = _definition(key)
        return next(
            (
                target.arg
                for writes in self.flow.writes.values()
                for target in writes
                if id(target) == definition and isinstance(target, ast.arg)
            ),
            "",
        )

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
        return site.scope in self.kept_in[key] or not any(
            connect.scope is site.scope and self.keys[id(connect)] == key
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
        if site.scope is not connect.scope or site.node is connect.node:
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
            and self.is_orm(other)
            and connections.needs_client(other)
            and other.form != "reference"
            and not connections.is_disconnect(other.symbol)
            and not (local and site.scope not in placement.scopes(other.scope))
            and not (connections.acts_on_alias(other.symbol) and self.stays(site))
        ]

    # Names ----------------------------------------------------------------------------

    def in_order(self, slots: Iterable[Slot]) -> list[Slot]:
        return sorted(
            slots,
            key=lambda s: (s.kind, *_place_of(s.owner), s.name),
        )

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

    def names_still(self, owner: ast.expr, made: Site, site: Site) -> Template | None:
        """The name of what ``owner`` held at ``made``, as it can be written at ``site``.

        None when nothing there is known to hold it.
        """
        if site.receiver is made.node:
            return self.name_of(owner)
        latest = self.is_latest(made, site)
        if owner not in self.inlined and self.holds_still(
            owner, made, site.node, site.state, site.scope
        ):
            if latest or self._is_absolute(owner, made.scope):
                return (Src(owner),)
        chosen: ast.expr | None = None
        named_in: Scope = made.scope
        values = self.flow.value(owner)
        for item in values:
            if not isinstance(item, Object):
                chosen = None
                break
            expression, maker = self.name_expression(item), self.maker(item)
            if (
                expression is None
                or maker is None
                or (chosen is not None and self.text(chosen) != self.text(expression))
                or not self.holds_still(expression, maker, site.node, site.state, site.scope)
            ):
                chosen = None
                break
            chosen, named_in = expression, maker.scope
        if chosen is None or not (latest or self._is_absolute(chosen, named_in)):
            return None
        return (Src(chosen),)

    def _is_absolute(self, expression: ast.expr, scope: Scope) -> bool:
        """Whether the expression means the same wherever and whenever it is evaluated."""
        if isinstance(expression, ast.Constant):
            return True
        if not isinstance(expression, ast.Name) or self.flow.is_of_comprehension(expression):
            return False
        slot = self.flow.slot_of_name(expression.id, scope)
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
        if site.scope is not made.scope:
            return False
        slot = self.flow.slot_of_name(receiver.id, site.scope)
        binding = site.state.names.get(receiver.id)
        target = next(
            (t for t, w in self.flow.writes.get(slot, {}).items() if w.value is made.node), None
        )
        if slot.owner is not site.scope or binding is None or target is None:
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

    def _comprehension(self, variable: ast.expr) -> ast.AST | None:
        """The innermost comprehension around one of its variables."""
        kinds = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        return next((node for node in self._around(variable) if isinstance(node, kinds)), None)

    def in_loop(self, node: ast.AST) -> bool:
        """Whether a loop goes around a node, within its function."""
        loops = ast.For | ast.AsyncFor | ast.While
        return any(isinstance(around, loops) for around in self._around(node))

    def holds_still(
        self,
        expression: ast.expr,
        made: Site,
        reader: ast.expr,
        state: State,
        scope: Scope,
    ) -> bool:
        """Whether ``expression`` means at ``reader`` what it meant at the site ``made``."""
        if isinstance(expression, ast.Constant):
            return True
        if self.flow.is_of_comprehension(expression):
            own = self._comprehension(expression)
            return own is not None and own in self._around(reader)
        if isinstance(expression, ast.Name):
            slot = self.flow.slot_of_name(expression.id, made.scope)
            if self.flow.slot_of_name(expression.id, scope) != slot:
                return False
            if scope is made.scope and slot.owner is scope:
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
            here, there = self._self_of(scope), self._self_of(made.scope)
            return here is not None and here == there == (expression.value.id, attribute.owner)
        return False

    def _self_of(self, scope: Scope) -> tuple[str, ClassInfo] | None:
        """The name of the instance in a method, and what stands for its class."""
        function = scope if isinstance(scope, FunctionInfo) else None
        while function is not None:
            if function.self_name is not None and function.owner is not None:
                return function.self_name, function.owner.family
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

    def has_objects(self, values: Abstract) -> bool:
        return any(isinstance(v, Object) for v in values)

    def is_constructor(self, node: ast.expr | None) -> bool:
        return isinstance(node, ast.Call) and any(
            isinstance(v, Object) and v.origin is node for v in self.flow.value(node)
        )

    def name(self, site: Site) -> Template:
        """The template for the name of the object that the site is called on."""
        assert site.receiver is not None
        return self.name_of(site.receiver)

    def name_of(self, node: ast.expr) -> Template:
        """The template for the name that stands where ``node``, an object, stood."""
        if node in self.hoisted:
            return (self.hoisted[node],)
        expression = self.inlined.get(node)
        if expression is not None:
            return (Src(expression),)
        return (Src(node),)

    def helper_name(self, base: str, scope: Scope, freed: Slot | None = None) -> str:
        """A name for a value that is used up at once, and so may be used again.

        ``freed`` is a variable that the same edits remove; its name may be taken over.
        """
        slot = self.flow.slot_of_name(base, scope)
        identifiers = module_of(scope).identifiers
        if slot == freed or base not in identifiers:
            return base
        used = slot in self.flow.writes or any(
            isinstance(n, ast.Name) and n.id == base for n in ast.walk(tree_of(scope))
        )
        if not used:
            return base
        return placement.free_name(base, lambda n: n in identifiers)

    # For rules ------------------------------------------------------------------------

    def arguments(self, site: Site) -> Arguments:
        """The arguments of the call, by the ORM's parameter names."""
        return bind(self.flow, site.call, self.rule_set.parameters(site.symbol))

    def recipe(self, site: Site) -> str:
        """What to do by hand about a use, with the arguments of the call."""
        text = self.rule_set.recipe(site.symbol)
        if site.form != "call":
            return text
        arguments = self.arguments(site)
        given = {name: self.text(value) for name, value in arguments.given.items()}
        for item in site.objects if len(site.objects) == 1 else ():
            expression = self.name_expression(item)
            if expression is not None:
                given.setdefault(f"{item.kind.lower()}_name", self.text(expression))
        absent = [name for name in self.rule_set.parameters(site.symbol) if name not in given]
        return recipes.filled(text, given, () if arguments.unknown else absent)

    def claim(self, node: ast.AST) -> None:
        """Another rule's edits cover this site."""
        self.draft.claimed.add(node)

    def note(self, site: Site, reason: str, message: str) -> None:
        """Tell the owner something about a site that was rewritten."""
        self.draft.notes.append((site, reason, message))

    def reference(self, name: str, at: Site | Module | None = None) -> str:
        """The text that names a class of the library, importing it where needed.

        ``at``: where it is written; the module whose rule is asked when it is not given.
        """
        function = at.function if isinstance(at, Site) else None
        module = at.module if isinstance(at, Site) else at or self.current
        wanted_module = self.rule_set.client_import
        local: ast.ImportFrom | None = None
        module_level: ast.ImportFrom | None = None
        imported_later: str | None = None
        for alias, dotted in self.flow.imports.items():
            statement = self.flow.source.parents.get(alias)
            scope = self.flow.scope_of.get(alias)
            if self.flow.module_of(alias) is not module:
                continue
            if dotted == f"{wanted_module}.{name}" and (scope is None or scope is function):
                if not _runs_before(at, statement):
                    return alias.asname or alias.name
                imported_later = alias.asname or alias.name
                continue
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
            if dotted == wanted_module and self.flow.scope(alias) is module:
                if module_level is None:
                    return f"{alias.asname or alias.name}.{name}"
        bound = imported_later or name
        if name in module.identifiers and imported_later is None:
            bound = placement.free_name(f"Py{name}", lambda n: n in module.identifiers)
        written = name if bound == name else f"{name} as {bound}"
        self.draft.imports[module, module_level or local].add(written)
        return bound

    def module(self, name: str, at: Module | None = None) -> str:
        """The text that names a module of the standard library, importing it where needed."""
        module = at or self.current
        for alias, dotted in self.flow.imports.items():
            if dotted == name and self.flow.scope(alias) is module:
                return alias.asname or name
        self.draft.modules[module].add(name)
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
        """Whether lines before the statement run just before ``node``: it is evaluated first."""
        current: ast.AST | None
        match statement:
            case ast.Expr() | ast.Return() | ast.Assign() | ast.AnnAssign():
                current = statement.value
            case ast.If():
                # The line before an elif belongs to the branch above.
                current = None if self.text(statement).startswith("elif") else statement.test
            case ast.For():
                current = statement.iter
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
                case ast.Attribute() | ast.Subscript() | ast.Await() | ast.Yield():
                    current = current.value
                case ast.BinOp() | ast.Compare():
                    current = current.left
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    current = current.generators[0].iter
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

    def is_shown(self, node: ast.AST) -> bool:
        """Whether the value of ``node`` is what a cell of a notebook shows."""
        statement = self.flow.source.parents.get(node)
        return (
            isinstance(statement, ast.Expr)
            and statement in self.flow.module_of(statement).source.shown
        )

    def in_one_cell(self, *nodes: ast.stmt) -> bool:
        """Whether statements of a module stand in one cell of a notebook (or in no notebook)."""
        source = self.flow.module_of(nodes[0]).source
        return source.in_one_cell([node.lineno for node in nodes])

    def line_of(self, node: ast.AST) -> str:
        """The line of a node in words: ``line 3``, and in a notebook the cell."""
        source = self.flow.module_of(node).source
        return source.line_words(source.place(node)[0])

    def ignores(self, node: ast.AST, rule: str) -> bool:
        """Whether a comment on the line of a node silences a rule."""
        source = self.flow.module_of(node).source
        return self.context.ignores(source.name, source.place(node)[0], rule)

    def place(self, node: ast.AST) -> Place:
        return self.flow.module_of(node).source.found_at(node)

    def code(self, node: ast.AST) -> str:
        """The line on which a node begins, without what stands around it."""
        lines = self.flow.module_of(node).source.lines
        return lines[node.lineno - 1].strip()  # type: ignore[attr-defined]


_CLIENT_FOR_ALIAS = (
    "Let the function that connects return MilvusClient(uri=...), and pass that client wherever "
    "the alias is passed."
)
_HELD = unknown(
    "the alias belongs to one object (or one call), and its client cannot be reached from all uses",
    "Keep the client beside the alias, and hand it to what uses the connection.",
)


def _surely_run(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """What is evaluated before anything in the statements may be skipped."""
    for statement in statements:
        match statement:
            case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return():
                yield from _surely_evaluated(statement)
            case ast.If(test=first) | ast.While(test=first) | ast.For(iter=first):
                yield from _surely_evaluated(first)
        if any(
            isinstance(part, ast.Return | ast.Continue | ast.Break) for part in ast.walk(statement)
        ):
            return


def _surely_evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression or a simple statement that are evaluated whenever it is."""
    if isinstance(node, ast.BoolOp | ast.IfExp):
        yield from _surely_evaluated(node.values[0] if isinstance(node, ast.BoolOp) else node.test)
        return
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _surely_evaluated(child)


def module_of(scope: Scope) -> Module:
    """The module of a scope."""
    return scope.module if isinstance(scope, FunctionInfo) else scope


def _callers_of(
    calls: Mapping[FunctionInfo, set[Scope]], functions: set[FunctionInfo]
) -> set[Scope]:
    """The scopes that call one of the functions, however indirectly."""
    found: set[Scope] = set()
    queue = list(functions)
    while queue:
        for scope in calls.get(queue.pop(), ()):
            if scope not in found:
                found.add(scope)
                if isinstance(scope, FunctionInfo):
                    queue.append(scope)
    return found


def tree_of(scope: Scope) -> ast.AST:
    """The code of a scope."""
    return scope.node if isinstance(scope, FunctionInfo) else scope.tree


def _place_of(owner: FunctionInfo | ClassInfo | Module | None) -> tuple[str, int, int]:
    if owner is None or isinstance(owner, Module):
        return (owner.name if owner is not None else "", 0, 0)
    return owner.module.name, owner.node.lineno, owner.node.col_offset


def _alias(key: Hashable | None) -> Hashable | None:
    """The alias of a connection."""
    return key.alias if isinstance(key, Homed) else key


def _runs_before(at: Site | Module | None, statement: ast.AST | None) -> bool:
    """Whether a site of the module's own code comes before a statement."""
    return (
        isinstance(at, Site)
        and at.function is None
        and isinstance(statement, ast.stmt)
        and at.node.lineno < statement.lineno
    )


def _is_held(key: Hashable | None) -> bool:
    """Whether the alias may be another one for each object, or each call of a function."""
    return bool(holder_of(key))


def holder_of(key: Hashable | None) -> str:
    """What has an alias of its own: an ``object``, or the ``call`` of a function; else ""."""
    key = _alias(key)
    if not isinstance(key, tuple) or key[0] == "constant":
        return ""
    if key[0] == "part":
        return holder_of(key[1])
    if key[0] == "slot":
        kinds = {"global": "", "attribute": "object"}
        return kinds.get(key[1].kind, "call")
    return "call"


def _definition(key: Hashable | None) -> int | None:
    """The definition that gives an alias of one call its value."""
    key = _alias(key)
    while isinstance(key, tuple) and key[0] == "part":
        key = key[1]
    return key[1] if isinstance(key, tuple) and key[0] == "definition" else None


def _is_constant(key: Hashable | None) -> bool:
    key = _alias(key)
    return isinstance(key, tuple) and key[0] == "constant"


def is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def call(function: str, *arguments: tuple[str | None, Template]) -> CallTemplate:
    """The template of a call; None as keyword makes an argument positional."""
    return CallTemplate(
        (function,), tuple(Argument(value, keyword) for keyword, value in arguments)
    )
