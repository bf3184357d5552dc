"""What the flow analysis finds out: slots, bindings, states, sites and events.

``interpret`` fills a ``Flow``; rules and the planner only read it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

from migrate_milvus.program import ClassInfo, FunctionInfo, Module, Program, Scope
from migrate_milvus.runners import LaterCall
from migrate_milvus.syntax import SourceText, Texts
from migrate_milvus.values import (
    BOTTOM,
    Abstract,
    Container,
    Later,
    Object,
    Opaque,
    Shape,
    Value,
    join,
)

UNBOUND = -1
# Methods that run once for an object, before its others.
_MAKERS = frozenset({"__init__", "__post_init__", "__new__", "setUp"})


@dataclass(frozen=True)
class Slot:
    """A place that holds values: ``global``, ``local``, ``attribute`` or ``return``.

    Parameters are locals of their function. ``owner`` is the function, the class that stands for
    its whole family, or the module.
    """

    kind: str
    owner: FunctionInfo | ClassInfo | Module | None
    name: str


def result_slot(origin: Hashable) -> Slot:
    """The slot of the result of a call that is made later, by the call that makes it."""
    return Slot("result", None, repr(id(origin)))


@dataclass(frozen=True)
class Binding:
    """What a name holds at one point, and the definitions that may have put it there."""

    values: Abstract
    definitions: frozenset[int]


Fact: TypeAlias = Hashable


class State:
    """The names of the running scope and the facts that hold, at one point of the program."""

    __slots__ = ("dead", "facts", "names")

    def __init__(
        self,
        names: dict[str, Binding] | None = None,
        facts: frozenset[Fact] = frozenset(),
        dead: bool = False,
    ) -> None:
        self.names: dict[str, Binding] = {} if names is None else names
        self.facts = facts
        self.dead = dead

    def copy(self) -> State:
        """An independent copy."""
        return State(dict(self.names), self.facts, self.dead)

    def same(self, other: State) -> bool:
        """Whether nothing differs."""
        return self.dead == other.dead and self.facts == other.facts and self.names == other.names


def merge(states: Iterable[State]) -> State:
    """The state after paths come together: values are joined, facts must hold on all paths."""
    live = [state for state in states if not state.dead]
    if not live:
        return State(dead=True)
    result = live[0].copy()
    for other in live[1:]:
        result.facts &= other.facts
        for name in result.names.keys() | other.names.keys():
            left, right = result.names.get(name), other.names.get(name)
            if left is right:
                continue
            if left is None or right is None:
                known = left or right
                assert known is not None
                result.names[name] = Binding(known.values, known.definitions | {UNBOUND})
            elif left != right:
                result.names[name] = Binding(
                    join(left.values, right.values), left.definitions | right.definitions
                )
    return result


@dataclass(frozen=True)
class Write:
    """An assignment to a slot: the target node, its statement and the assigned expression."""

    slot: Slot
    target: ast.AST
    statement: ast.stmt | None
    value: ast.expr | None
    values: Abstract
    in_loop: bool


@dataclass
class Site:
    """One use of the library: a call, an attribute read, or a bare mention of a symbol."""

    node: ast.expr
    symbol: str
    form: str  # "call", "attribute", "reference", "annotation", "suspect", "import"
    receiver: ast.expr | None
    objects: frozenset[Object]
    function: FunctionInfo | None
    owner: ClassInfo | None
    statement: ast.stmt
    state: State
    module: Module
    ambiguous: bool = False
    deleted: bool = False

    @property
    def scope(self) -> Scope:
        """The function, or the module, whose code this is."""
        return self.function or self.module

    @property
    def mention(self) -> ast.expr:
        """The node of the text that the site is found at: of a call that is made later, what
        names the method."""
        return self.node.func if isinstance(self.node, LaterCall) else self.node

    @property
    def call(self) -> ast.Call:
        """The call; only for sites of form ``call``."""
        assert isinstance(self.node, ast.Call)
        return self.node


@dataclass(frozen=True)
class Escape:
    """A library object that reaches code which the analysis does not follow."""

    object: Object
    node: ast.AST
    how: str


@dataclass
class Content:
    """What is known of a list, tuple or dict: the display, what was appended, other changes."""

    flow: Flow
    node: ast.AST
    kind: str
    items: tuple[ast.expr, ...] = ()
    exact: bool = True
    element: Abstract = BOTTOM
    appended: dict[ast.Call, ast.expr] = field(default_factory=dict)
    changed: dict[ast.AST, str] = field(default_factory=dict)
    escaped: dict[ast.AST, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallEdge:
    """A call of a function of the program; ``arguments`` maps parameters to expressions."""

    node: ast.Call | None
    target: FunctionInfo
    arguments: dict[str, ast.expr]
    exact: bool


class LibraryModel(Protocol):
    """What the engine asks about the library; implemented by the rules package."""

    def resolve(self, dotted: str) -> str | None:
        """The canonical name of an import path, or None when it is not the library's."""

    def is_package(self, dotted: str) -> bool:
        """Whether the dotted name is a module of the library."""

    def star_names(self, module: str) -> dict[str, str]:
        """What ``from module import *`` binds: name to canonical name."""

    def is_namespace(self, name: str) -> bool:
        """Whether members of the symbol are reached by attribute (``utility``)."""

    def is_site(self, name: str) -> bool:
        """Whether using the symbol is an ORM use."""

    def is_gone(self, name: str) -> bool:
        """Whether the symbol moved or went, so that it is the import that has to change."""

    def is_class(self, name: str) -> bool:
        """Whether the symbol is a class whose objects are followed."""

    def result(self, name: str) -> str | None:
        """The kind of object that calling or reading the symbol gives, when it is followed."""

    def may_give_none(self, name: str) -> bool:
        """Whether the symbol gives None where it has no object to give."""

    def result_kinds(self) -> frozenset[str]:
        """Kinds of results that change together with the object that gave them."""

    def several(self, name: str) -> tuple[str, ...] | None:
        """``("list of", kind)`` or ``("tuple of", kind, kind)`` for such results, else None."""

    def item_of(self, kind: str) -> str | None:
        """The kind of the objects in an object of ``kind`` that is a list of them, else None."""

    def result_shape(self, name: str) -> Shape:
        """As much as is known of the result otherwise."""

    def may_run_later(self, name: str) -> bool:
        """Whether a call of the symbol can be followed that another function makes."""

    def is_method(self, kind: str, member: str) -> bool | None:
        """True: a method; False: a property; None: the kind has no such member."""

    def looks_like(self, receiver: ast.expr, member: str, keywords: frozenset[str]) -> str | None:
        """The symbol that ``receiver.member`` is likely to be, when nothing is known of it."""

    def takes_object(self, name: str, kind: str) -> bool:
        """Whether the symbol may be passed an object of ``kind`` (a schema to a constructor)."""

    def acts(self, site: Site, state: State, flow: Flow) -> None:
        """Update the facts of ``state``, the state after the call."""

    def assume(self, site: Site, truth: bool, flow: Flow) -> frozenset[Fact]:
        """The facts that hold when the call's result was true (or false)."""

    def assume_member(self, site: Site, key: Hashable, truth: bool, flow: Flow) -> frozenset[Fact]:
        """The facts that hold when ``key`` was (or was not) found in the call's result."""


@dataclass
class Flow:
    """All that the analysis found in a program; or in one module of it, with what all share."""

    source: SourceText | Texts
    program: Program
    library: LibraryModel
    store: dict[Slot, Abstract] = field(default_factory=dict)
    writes: dict[Slot, dict[ast.AST, Write]] = field(default_factory=lambda: defaultdict(dict))
    reads: dict[ast.AST, Slot] = field(default_factory=dict)
    values: dict[ast.AST, Abstract] = field(default_factory=dict)
    previous: dict[ast.AST, Abstract] = field(default_factory=dict)
    sites: dict[ast.AST, list[Site]] = field(default_factory=lambda: defaultdict(list))
    escapes: dict[tuple[Object, ast.AST], Escape] = field(default_factory=dict)
    contents: dict[Hashable, Content] = field(default_factory=dict)
    calls: dict[ast.AST, list[CallEdge]] = field(default_factory=lambda: defaultdict(list))
    escaped_functions: dict[FunctionInfo, ast.AST] = field(default_factory=dict)
    call_origins: dict[Hashable, ast.AST] = field(default_factory=dict)
    method_calls: dict[Object, dict[ast.Call, str]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    imports: dict[ast.alias, str] = field(default_factory=dict)
    reexported: dict[ast.alias, str] = field(default_factory=dict)
    scope_of: dict[ast.AST, FunctionInfo | None] = field(default_factory=dict)
    states: dict[ast.expr, State] = field(default_factory=dict)
    patched: dict[ast.expr, str] = field(default_factory=dict)
    computed: dict[ast.expr, str] = field(default_factory=dict)
    declarations: dict[Slot, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    starred: dict[Slot, ast.alias] = field(default_factory=dict)
    blind_to: Callable[[str, Module], Sequence[Module]] = lambda attribute, module: ()
    _attributes_set: frozenset[str] | None = None

    @property
    def module(self) -> Module:
        """The module, where this is about just one."""
        (module,) = self.program.modules
        return module

    def value(self, node: ast.AST | None) -> Abstract:
        """What ``node`` may hold, over all times it is evaluated."""
        return self.values.get(node, BOTTOM) if node is not None else BOTTOM

    def every_site(self) -> Iterator[Site]:
        """All sites, in the order of the text."""
        flat = [site for sites in self.sites.values() for site in sites]
        return iter(sorted(flat, key=lambda s: (s.module.name, s.node.lineno, s.node.col_offset)))

    def callers(self, function: FunctionInfo) -> list[CallEdge]:
        """The known calls of ``function``."""
        return [e for edges in self.calls.values() for e in edges if e.target is function]

    def readers(self, slot: Slot) -> list[ast.expr]:
        """The expressions that read ``slot``, in the order of the text."""
        found = [
            node for node, read in self.reads.items() if read == slot and isinstance(node, ast.expr)
        ]
        return sorted(found, key=lambda n: (n.lineno, n.col_offset))

    def content(self, values: Abstract) -> Content | None:
        """The content of the one container that ``values`` holds, or None."""
        if len(values) == 1:
            value = next(iter(values))
            if isinstance(value, Container):
                return self.contents.get(value.origin)
        return None

    @cached_property
    def holders(self) -> dict[Object, list[Slot]]:
        """The slots that hold an object, a list of it or a future that gives it, by object.

        Only to be read when the analysis is done.
        """
        found: dict[Object, list[Slot]] = defaultdict(list)
        for slot, values in self.store.items():
            seen: set[Value] = set()
            queue = list(values)
            while queue:
                value = queue.pop()
                if value in seen:
                    continue
                seen.add(value)
                if isinstance(value, Object):
                    found[value].append(slot)
                elif isinstance(value, Later):
                    queue += self.store.get(result_slot(value.origin), BOTTOM)
                elif isinstance(value, Container) and value.origin in self.contents:
                    queue += self.contents[value.origin].element
        return found

    def scope(self, node: ast.AST) -> Scope:
        """The function, or the module, whose code ``node`` is part of."""
        return self.scope_of.get(node) or self.module_of(node)

    def module_of(self, node: ast.AST) -> Module:
        """The module that ``node`` is part of."""
        if len(self.program.modules) == 1 or isinstance(self.source, SourceText):
            return self.program.modules[0]
        source = self.source.of(node)
        return next(module for module in self.program.modules if module.source is source)

    def slot_of_name(self, name: str, scope: Scope) -> Slot:
        """The slot that ``name`` means in a function, or at the level of a module."""
        around: FunctionInfo | None = scope if isinstance(scope, FunctionInfo) else None
        while around is not None:
            if name in around.globals:
                break
            if name in around.locals:
                return Slot("local", around, name)
            around = around.parent
        return Slot("global", scope.module if isinstance(scope, FunctionInfo) else scope, name)

    def identity(self, node: ast.expr | None, state: State, scope: Scope) -> Hashable | None:
        """Something equal for two expressions only when they hold the same value; None: unknown."""
        if node is None:
            return None
        if isinstance(node, ast.Constant):
            return ("constant", node.value)
        values = self.values.get(node, BOTTOM)
        if isinstance(node, ast.Name) and self.is_of_comprehension(node):
            return _constant(values)
        if isinstance(node, ast.Name):
            slot = self.slot_of_name(node.id, scope)
            binding = state.names.get(node.id)
            if slot.owner is scope and binding is not None:
                known = binding.definitions - {UNBOUND}
                if constant := _constant(binding.values):
                    return constant
                return ("definition", next(iter(known))) if len(known) == 1 else None
            return self._slot_identity(slot, values)
        if isinstance(node, ast.Attribute) and (read := self.reads.get(node)):
            return self._slot_identity(read, values)
        return _constant(values) or (
            ("values", values)
            if len(values) == 1 and isinstance(next(iter(values)), Opaque) is False
            else None
        )

    def is_of_comprehension(self, node: ast.expr) -> bool:
        """Whether a name is a comprehension's own variable, which is in no slot."""
        return isinstance(node, ast.Name) and node in self.values and node not in self.reads

    def _slot_identity(self, slot: Slot, values: Abstract) -> Hashable | None:
        if constant := _constant(values):
            return constant
        return ("slot", slot) if self.is_stable(slot) else None

    def held_value(self, node: ast.expr | None, state: State, scope: Scope) -> Hashable | None:
        """Like ``identity``, for a value that names something opened in this run of the program.

        It also knows attributes that a helper of the constructor sets, and attributes of objects
        from elsewhere, when nothing in the module sets an attribute of that name: were another
        value there later, nothing would be open under it.
        """
        known = self.identity(node, state, scope)
        if known is not None or not isinstance(node, ast.Attribute):
            return known
        slot = self.reads.get(node)
        if slot is not None and self.writes.get(slot):
            return ("slot", slot) if self._set_while_made(slot) else None
        base = self.held_value(node.value, state, scope)
        if base is None or node.attr in self.attributes_set():
            return None
        return ("part", base, node.attr)

    def attributes_set(self) -> frozenset[str]:
        """The names of all attributes that the module sets or deletes, in any way."""
        if self._attributes_set is None:
            found = set()
            for node in self.source.parents:
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    found.add(node.attr)
                elif isinstance(node, ast.Call) and len(node.args) > 1:
                    name = node.args[1]
                    if isinstance(node.func, ast.Name) and node.func.id == "setattr":
                        found.add(str(name.value) if isinstance(name, ast.Constant) else "")
            self._attributes_set = frozenset(found)
        return self._attributes_set

    def _set_while_made(self, slot: Slot) -> bool:
        """Whether an attribute gets its one value (besides None) while its object is made."""
        writes = [
            write
            for write in self.writes.get(slot, {}).values()
            if not (isinstance(write.value, ast.Constant) and write.value.value is None)
        ]
        if slot.kind != "attribute" or len(writes) != 1 or writes[0].in_loop:
            return False
        return self._makes(self.scope_of.get(writes[0].target), set())

    def _makes(self, function: FunctionInfo | None, seen: set[FunctionInfo]) -> bool:
        """Whether the function is a constructor, or a private helper that only those call."""
        if function is None or function in seen or function in self.escaped_functions:
            return False
        if function.name in _MAKERS:
            return True
        callers = self.callers(function)
        return (
            function.owner is not None
            and function.name.startswith("_")
            and bool(callers)
            and all(
                edge.node is not None
                and self._makes(self.scope_of.get(edge.node), {*seen, function})
                for edge in callers
            )
        )

    def is_stable(self, slot: Slot) -> bool:
        """Whether the slot is written once, before anything else can read it.

        True for a module name bound by one statement outside loops and functions, a parameter or
        local never bound again, and an attribute written once, in ``__init__`` or the class body.
        """
        writes = list(self.writes.get(slot, {}).values())
        if len(writes) != 1 or writes[0].in_loop:
            return False
        scope = self.scope_of.get(writes[0].target)
        if slot.kind == "attribute":
            return scope is None or scope.name in _MAKERS
        if slot.kind == "global":
            return scope is None
        return True


def _constant(values: Abstract) -> Hashable | None:
    from migrate_milvus.values import Const

    if len(values) == 1:
        value = next(iter(values))
        if isinstance(value, Const):
            return ("constant", value.value)
    return None


def united(flows: Sequence[Flow]) -> Flow:
    """What the analysis found in all modules of a program, whose ``flows`` share their store."""
    if len(flows) == 1:
        return flows[0]
    first = flows[0]
    found = Flow(
        Texts(module.source for flow in flows for module in flow.program.modules),
        Program(tuple(module for flow in flows for module in flow.program.modules)),
        first.library,
        store=first.store,
        contents=first.contents,
        escaped_functions=first.escaped_functions,
    )
    for flow in flows:
        for slot, writes in flow.writes.items():
            found.writes[slot].update(writes)
        for slot, declared in flow.declarations.items():
            found.declarations[slot] += declared
        for item, calls in flow.method_calls.items():
            found.method_calls[item].update(calls)
        found.reads |= flow.reads
        found.values |= flow.values
        found.sites.update(flow.sites)
        found.escapes |= flow.escapes
        found.calls.update(flow.calls)
        found.call_origins |= flow.call_origins
        found.imports |= flow.imports
        found.reexported |= flow.reexported
        found.scope_of |= flow.scope_of
        found.states |= flow.states
        found.patched |= flow.patched
        found.computed |= flow.computed
        found.starred |= flow.starred
    return found
