"""Abstract interpretation of one module of a program.

Names of the running scope are followed statement by statement; module names read in functions,
attributes, parameters and returns are followed through slots, which only grow and which all modules
of the program share. Rounds over a module repeat until no slot that it reads changes (see
``world``); the last round's recordings are the result.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol

from migrate_milvus import runners, shapes
from migrate_milvus.flow import (
    Binding,
    CallEdge,
    Content,
    Escape,
    Flow,
    Site,
    Slot,
    State,
    Write,
    merge,
    result_slot,
)
from migrate_milvus.passing import Calls, Way, called_parameters
from migrate_milvus.program import ClassInfo, FunctionInfo, Module, Scope, catches_import
from migrate_milvus.runners import Form, LaterCall, NamedRead, Own, Runner
from migrate_milvus.values import (
    BOTTOM,
    NONE,
    Abstract,
    Bound,
    Class,
    Const,
    Container,
    Function,
    Given,
    Instance,
    Later,
    Library,
    ModuleValue,
    Object,
    Opaque,
    Shape,
    Value,
    join,
)

_BUILTINS = frozenset(dir(builtins))
_LIST_ADDERS = frozenset({"append", "add"})
_LIST_CHANGERS = frozenset(
    [
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
        "discard",
    ]
)
# Annotations of several objects of one class.
_SEQUENCES = frozenset(
    ["list", "List", "Sequence", "Iterable", "Iterator", "Collection", "set", "Set", "frozenset"]
)
# Builtins that call a function with each element of what follows it.
_MAPPERS = frozenset({"map", "filter"})
# ... and those that do so with ``key=``.
_SORTERS = frozenset({"sorted", "max", "min"})
# ... and those that give the same elements, in a new list.
_COPIERS = frozenset({"list", "tuple", "reversed"})
# Classes of the standard library that hold what is put into them, as a display does.
_HOLDERS = {
    "collections.OrderedDict": "dict",
    "collections.defaultdict": "dict",
    "collections.deque": "list",
    "weakref.WeakValueDictionary": "dict",
}
# Builtins that read an attribute by its name.
_BY_NAME = frozenset({"builtins.getattr", "builtins.hasattr"})
# Builtins that look at a value without keeping it or showing it.
_HARMLESS = frozenset({"bool", "callable", "id"})
# Builtins that show or test an object of the program, but call none of its public methods.
_LOOKING = frozenset({"print", "str", "repr", "isinstance", "type", "hasattr", "vars", "super"})


class Surroundings(Protocol):
    """What the interpreter of a module asks about the others of the program.

    ``blind``: by attribute, the modules that read it of something unknown.
    """

    blind: dict[str, set[Module]]

    def module(self, level: int, parts: Sequence[str], importer: Module) -> Module | str | None:
        """What an import path names: a module of the program, the path of one of the project
        that is not analysed, or None when it is out of sight."""

    def submodule(self, package: Module, name: str) -> Module | str | None:
        """What ``package.name`` names, likewise."""

    def fixture(self, name: str, module: Module) -> FunctionInfo | None:
        """What pytest calls for a parameter of ``module`` that is named like a fixture."""

    def ambiguous(self, level: int, parts: Sequence[str], importer: Module) -> list[Module]:
        """The modules that an import path may name, when it is not known which."""

    def blind_to(self, attribute: str, module: Module) -> list[Module]:
        """The modules that read an attribute of something unknown, and import ``module``."""

    def receives(self, path: str) -> None:
        """A module of the project that is not analysed is passed an object."""

    def grew(self, slot: Slot) -> None:
        """A slot holds more than before: those who read it are not up to date."""

    def reads(self, slot: Slot, reader: Interpreter) -> None:
        """A slot was read in the running round of ``reader``."""


class _Loop:
    def __init__(self) -> None:
        self.exits: list[State] = []
        self.again: list[State] = []


class Interpreter:
    """Analyses one module; ``flow`` is what it finds, and shares its store with other modules."""

    def __init__(self, flow: Flow, world: Surroundings) -> None:
        self.flow = flow
        self.module = flow.module
        self.world = world
        self.library = flow.library
        # What is not assigned yet counts as nothing; later what is never assigned, as anything.
        self.settling = True
        self.rounds = 0
        self.stale = True  # a slot that was read in the last round has grown since
        self.grew = False  # a slot has grown in the last round
        self.rebound = frozenset(
            flow.slot_of_name(name, info)
            for info in self.module.functions.values()
            for name in info.globals | info.nonlocals
        )
        self.function: FunctionInfo | None = None
        self.owner: ClassInfo | None = None
        self.state = State()
        self.statement: ast.stmt = self.module.tree  # type: ignore[assignment]
        self.loops: list[_Loop] = []
        self.loop_depth = 0
        self.mentions: dict[ast.expr, Site] = {}
        self.handlers: list[list[State]] = []
        self.shadows: list[dict[str, Abstract]] = []
        self.fallbacks: list[dict[str, Abstract]] = []
        self.importing = 0  # the handlers around that wait for an import to fail
        self.announced: set[str] = set()
        self.consuming: set[Hashable] = set()
        self.outside: set[Hashable] = set()  # results of functions of other modules
        self.final: dict[str, Abstract] = {}
        self._called: dict[FunctionInfo, dict[str, Calls]] = {}
        self.counted: dict[tuple[str, object], int] = {}
        self._later: dict[tuple[ast.Call, Runner], LaterCall | None] = {}
        self._handed: dict[ast.expr, LaterCall] = {}
        self._read: dict[ast.Call, NamedRead | None] = {}
        self._evaluators: dict[type[ast.AST], Callable[..., Abstract]] = {}
        self._executors: dict[type[ast.AST], Callable[..., None]] = {}
        for name in dir(self):
            kind = getattr(ast, name[5:], None)  # TryStar came with Python 3.11
            if kind is not None and name.startswith("eval_"):
                self._evaluators[kind] = getattr(self, name)
            elif kind is not None and name.startswith("exec_"):
                self._executors[kind] = getattr(self, name)

    # Rounds and scopes ---------------------------------------------------------------

    def round(self) -> None:
        """Interpret the module and every function once."""
        flow = self.flow
        self.stale = self.grew = False
        self.rounds += 1
        flow.writes = defaultdict(dict)
        flow.reads = {}
        flow.previous = flow.values
        flow.values = {}
        flow.sites = defaultdict(list)
        flow.escapes = {}
        self.consuming = set()
        for content in flow.contents.values():
            if content.flow is flow:
                content.escaped = {}
        flow.patched = {}
        flow.computed = {}
        flow.calls = defaultdict(list)
        flow.call_origins = {}
        flow.method_calls = defaultdict(dict)
        flow.states = {}
        flow.declarations = defaultdict(list)
        self.mentions = {}
        self.function = self.owner = None
        self.state = State()
        self.body(self.module.tree.body)
        self.final = {name: binding.values for name, binding in self.state.names.items()}
        for info in self.module.functions.values():
            if not isinstance(info.node, ast.Lambda):
                self.run_function(info)
        for site in self.mentions.values():
            flow.sites[site.node].append(site)
        self._find_acting()

    def _find_acting(self) -> None:
        """Which functions use the library, or call one that does."""
        grew = [
            site.function
            for sites in self.flow.sites.values()
            for site in sites
            if site.function is not None and self.library.is_site(site.symbol)
        ]
        while grew:
            for function in grew:
                self.store(Slot("acts", function, ""), frozenset({NONE}))
            grew = [
                scope
                for node, edges in self.flow.calls.items()
                if (scope := self.flow.scope_of.get(node)) is not None
                and not self.held(Slot("acts", scope, ""))
                and any(self.held(Slot("acts", edge.target, "")) for edge in edges)
            ]

    @property
    def scope(self) -> Scope:
        """The function that is running, or the module."""
        return self.function or self.module

    def run_function(self, info: FunctionInfo) -> None:
        """Interpret a function's body with what its parameters are known to hold."""
        outer = (
            self.function,
            self.owner,
            self.state,
            self.loops,
            self.loop_depth,
            self.handlers,
            self.shadows,
        )
        self.function, self.owner = info, _class_around(info)
        self.loops, self.loop_depth, self.handlers = [], 0, []
        # A lambda in a comprehension sees its variables.
        self.shadows = list(self.shadows) if isinstance(info.node, ast.Lambda) else []
        self.state = State()
        for index, parameter in enumerate(info.parameters):
            values = self.parameter(info, index, parameter)
            slot = Slot("local", info, parameter.arg)
            self.flow.writes[slot][parameter] = Write(slot, parameter, None, None, values, False)
            self.store(slot, values)
            self.state.names[parameter.arg] = Binding(values, frozenset({id(parameter)}))
            self.flow.scope_of[parameter] = info
        if isinstance(info.node, ast.Lambda):
            given = self.eval(info.node.body)
            self.consume(_partial_in(given), info.node.body, "returned")
            self.store(Slot("return", info, ""), given)
        else:
            self.body(info.node.body)
            if not self.state.dead:
                self.store(Slot("return", info, ""), frozenset({NONE}))
        (
            self.function,
            self.owner,
            self.state,
            self.loops,
            self.loop_depth,
            self.handlers,
            self.shadows,
        ) = outer

    def parameter(self, info: FunctionInfo, index: int, parameter: ast.arg) -> Abstract:
        """What a parameter holds: what callers pass, its default, or what its annotation says."""
        opaque = Opaque(("parameter", id(parameter)), *shapes.of_annotation(parameter.annotation))
        if index == 0 and info.is_method and info.owner is not None:
            if "classmethod" in info.decorators:
                return frozenset({Class(info.owner)})
            return frozenset({Instance(info.owner)})
        arguments = info.node.args
        if parameter is arguments.vararg:
            return frozenset({Opaque(("parameter", id(parameter)), Shape.LIST)})
        if parameter is arguments.kwarg:
            return frozenset({Opaque(("parameter", id(parameter)), Shape.DICT)})
        passed = self.held(Slot("argument", info, parameter.arg))
        given = self.fixture(info, parameter.arg)
        if given is not None:
            return join(passed, given)
        annotated = self.annotated_object(parameter)
        known_callers = bool(self.held(Slot("called", info, "")))
        outside = (
            not known_callers
            or bool(self.held(Slot("escapes", info, "")))
            or self.is_reached(info)
            or bool(info.opaque_decorators)
        )
        promised: Abstract = BOTTOM
        for value in self.peek(parameter.annotation) if parameter.annotation else ():
            if isinstance(value, ModuleValue):
                self.outside.add(opaque.origin)  # of a class that is out of sight
            if isinstance(value, Class) and outside:
                promised = join(promised, frozenset({Instance(value.info)}))
        if self.settling and not passed and not known_callers:
            # A module that calls it may come later; a framework does.
            return promised if info.opaque_decorators else BOTTOM
        if outside:
            passed = join(passed, self.held(Slot("default", info, parameter.arg)))
        seen = frozenset(v for v in passed if not isinstance(v, Opaque))
        if promised:
            # What is not seen is what the annotation says, a default such as ``Depends()`` too.
            return join(seen, promised)
        if self.settling and outside and self.awaits(parameter.annotation):
            return seen
        if self.settling and not passed:
            return BOTTOM
        if not passed or outside:
            if annotated and not _objects_in(passed):
                passed = join(passed, annotated)
            else:
                passed = join(passed, frozenset({opaque}))
        return passed

    def fixture(self, info: FunctionInfo, name: str) -> Abstract | None:
        """What pytest passes for a parameter that is named like a fixture."""
        if not info.takes_fixtures:
            return None
        for made in self.module.functions.values():
            if made.name == name and "fixture" in made.decorators and made is not info:
                if made.owner is None or made.owner is info.owner:
                    return self.given(made) or self.unknown(("fixture", made))
        found = self.world.fixture(name, self.module)
        return (self.given(found) or None) if found is not None else None

    def given(self, info: FunctionInfo) -> Abstract:
        """What a fixture gives."""
        return self.held(Slot("yield" if info.generator else "return", info, ""))

    def is_reached(self, info: FunctionInfo) -> bool:
        """Whether another module may call the function on something that is not known there."""
        if info.parent is not None:
            return False
        if info.owner is None:
            return bool(self.held(Slot("blind", self.module, info.name)))
        self.held(Slot("blind", None, info.name))
        return bool(self.world.blind_to(info.name, self.module))

    def awaits(self, annotation: ast.expr | None) -> bool:
        """Whether it is not known yet what an annotation names."""
        return isinstance(annotation, ast.Name | ast.Attribute) and not self.peek(annotation)

    def annotated_object(self, parameter: ast.arg) -> Abstract:
        """The library object that an annotation promises, made out of sight."""
        for name in self.annotated_classes(parameter.annotation):
            return frozenset({Object(name, parameter)})
        match parameter.annotation:
            case ast.Subscript(value=holder, slice=inner) if _last_name(holder) in _SEQUENCES:
                for name in self.annotated_classes(inner):
                    return frozenset({Opaque(("list of", name, parameter), Shape.LIST)})
        return BOTTOM

    def annotated_classes(self, annotation: ast.expr | None) -> list[str]:
        """The library classes that an annotation names outermost or in ``Optional``/``|``."""
        match annotation:
            case ast.Name() | ast.Attribute():
                for value in self.peek(annotation):
                    if isinstance(value, Library) and self.library.is_class(value.name):
                        return [value.name]
            case ast.Constant(value=str() as text):
                try:
                    return self.annotated_classes(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return []
            case ast.Subscript(value=value, slice=inner) if _last_name(value) == "Optional":
                return self.annotated_classes(inner)
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self.annotated_classes(left) + self.annotated_classes(right)
        return []

    def peek(self, node: ast.expr) -> Abstract:
        """The value of a name or attribute chain, without recording anything."""
        if isinstance(node, ast.Name):
            return self.lookup(node.id)[0]
        if isinstance(node, ast.Attribute):
            for value in self.peek(node.value):
                if isinstance(value, ModuleValue):
                    return self.module_member(value, node.attr)
        return BOTTOM

    def recall(self, node: ast.expr, content: Content) -> Abstract:
        """What an item holds, also when its function was last run in the round before."""
        return content.flow.values.get(node) or content.flow.previous.get(node, BOTTOM)

    def store(self, slot: Slot, values: Abstract) -> None:
        """Add ``values`` to what a slot may hold."""
        old = self.flow.store.get(slot, BOTTOM)
        new = join(old, values)
        if new != old:
            self.flow.store[slot] = new
            self.grew = True
            self.world.grew(slot)

    def held(self, slot: Slot) -> Abstract:
        """What a slot is known to hold so far."""
        self.world.reads(slot, self)
        return self.flow.store.get(slot, BOTTOM)

    def slots(self, kind: str, owner: object) -> list[Slot]:
        """The slots of an owner; while more come, this module is not up to date."""
        found = [slot for slot in self.flow.store if slot.kind == kind and slot.owner is owner]
        known = self.counted.get((kind, owner), 0)
        self.counted[kind, owner] = len(found)
        self.stale = self.stale or len(found) > known
        return found

    def lose(self, info: FunctionInfo, node: ast.AST) -> None:
        """A function is used as a value: it may be called with anything."""
        self.flow.escaped_functions.setdefault(info, node)
        self.store(Slot("escapes", info, ""), frozenset({NONE}))

    # Names ----------------------------------------------------------------------------

    def lookup(self, name: str) -> tuple[Abstract, Slot | None]:
        """What a name holds here, and the slot that it means."""
        for names in reversed(self.shadows):
            if name in names:
                return names[name], None
        slot = self.flow.slot_of_name(name, self.scope)
        if slot.owner is self.scope:
            binding = self.state.names.get(name)
            if binding is not None:
                if slot in self.rebound:
                    # A function that was called may have set it.
                    return join(binding.values, self.held(slot)), slot
                return binding.values, slot
        values = self.held(slot)
        if slot.kind == "global" and self.is_definition(slot):
            # Imports and definitions run before the functions that name them are called.
            values = self.final.get(name, values)
        if not values:
            if slot.kind == "global" and name in _BUILTINS and slot not in self.flow.writes:
                return frozenset({ModuleValue(f"builtins.{name}")}), None
            values = self.unknown(("unknown", slot))
        return values, slot

    def is_definition(self, slot: Slot) -> bool:
        """Whether a module name is only bound by imports, functions and classes."""
        return self.function is not None and all(
            isinstance(target, ast.alias | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and self.flow.scope_of.get(target) is None
            for target in self.flow.writes.get(slot, ())
        )

    def unknown(self, origin: Hashable) -> Abstract:
        """What is not known yet, or never."""
        return BOTTOM if self.settling else frozenset({Opaque(origin)})

    def bind(
        self, name: str, values: Abstract, target: ast.AST, value: ast.expr | None = None
    ) -> None:
        """Assign to a name."""
        slot = self.flow.slot_of_name(name, self.scope)
        self.flow.scope_of[target] = self.function
        for instead in self.fallbacks:
            values = instead.get(name, values)
        self.write(slot, values, target, value)
        if slot.owner is self.scope:
            self.state.names[name] = Binding(values, frozenset({id(target)}))
        self.forget_facts_of(id(target))

    def forget_facts_of(self, definition: int) -> None:
        """A definition runs again: what was known of the value it gave before holds no more."""
        key = ("definition", definition)
        if self.state.facts:
            self.state.facts = frozenset(
                fact for fact in self.state.facts if not (isinstance(fact, tuple) and key in fact)
            )

    def write(self, slot: Slot, values: Abstract, target: ast.AST, value: ast.expr | None) -> None:
        """Record an assignment to a slot."""
        known = self.flow.writes[slot].get(target)
        if known is not None:
            values = join(known.values, values)
        self.flow.writes[slot][target] = Write(
            slot, target, self.statement, value, values, self.loop_depth > 0
        )
        self.store(slot, values)

    # Statements -----------------------------------------------------------------------

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Run a list of statements."""
        for statement in statements:
            self.statement = statement
            self.flow.scope_of[statement] = self.function
            executor = self._executors.get(type(statement))
            if executor is not None:
                executor(statement)
            else:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self.eval(child)
            for states in self.handlers:
                states.append(self.state.copy())

    def exec_Expr(self, node: ast.Expr) -> None:
        values = self.eval(node.value)
        if node in self.module.source.shown:
            self.consume(values, node.value, "shown below its cell")

    def exec_Assign(self, node: ast.Assign) -> None:
        values = self.eval(node.value)
        for target in node.targets:
            self.assign(target, values, node.value)

    def exec_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        values = self.eval(node.value) if node.value is not None else BOTTOM
        if node.value is not None:
            self.assign(node.target, values, node.value)
        elif self.owner is not None and self.function is None and isinstance(node.target, ast.Name):
            slot = Slot("attribute", self.owner.family, node.target.id)
            self.store(slot, values)
        elif isinstance(node.target, ast.Attribute):
            self.eval(node.target.value)
        if node.value is None:
            self.declare(node.target)

    def declare(self, target: ast.expr) -> None:
        """An annotation without a value: the name is written there, but nothing is assigned."""
        if isinstance(target, ast.Name):
            in_class = self.owner is not None and self.function is None
            slot = (
                Slot("attribute", self.owner.family, target.id)
                if in_class and self.owner is not None
                else self.flow.slot_of_name(target.id, self.scope)
            )
            self.flow.declarations[slot].append(target)
        elif isinstance(target, ast.Attribute):
            for value in self.flow.value(target.value):
                if isinstance(value, Instance | Class):
                    slot = Slot("attribute", value.info.family, target.attr)
                    self.flow.declarations[slot].append(target)

    def exec_AugAssign(self, node: ast.AugAssign) -> None:
        right = self.eval(node.value)
        if isinstance(node.target, ast.Name):
            left = self.lookup(node.target.id)[0]
            self.change_contents(left, node, "+=")
            if any(isinstance(v, Container) for v in left):
                self.absorb(left, self.elements(right, node.value))
            values = left if any(isinstance(v, Container) for v in left) else BOTTOM
            self.bind(node.target.id, values or frozenset({Opaque(id(node))}), node.target, None)
        else:
            self.load_target(node.target)
            self.consume(right, node.value, "stored")

    def exec_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                values, slot = self.lookup(target.id)
                self.flow.values[target] = values
                if slot is not None:
                    self.flow.reads[target] = slot
                self.state.names.pop(target.id, None)
            else:
                self.load_target(target)
                if isinstance(target, ast.Attribute):
                    for home in _homes(self.flow.value(target.value)):
                        self.expose(home, target.attr)

    def exec_Return(self, node: ast.Return) -> None:
        values = self.eval(node.value) if node.value is not None else frozenset({NONE})
        if self.function is not None:
            self.consume(_partial_in(values), node, "returned")
            self.flow.scope_of[node] = self.function
            self.store(Slot("return", self.function, ""), values)
        self.state.dead = True

    def exec_Assert(self, node: ast.Assert) -> None:
        self.eval(node.test)
        if node.msg is not None:
            self.eval(node.msg)
        self.believe(node.test, self.state)

    def exec_Raise(self, node: ast.Raise) -> None:
        for child in (node.exc, node.cause):
            if child is not None:
                self.consume(self.eval(child), child, "raised")
        self.state.dead = True

    def exec_Break(self, node: ast.Break) -> None:
        if self.loops:
            self.loops[-1].exits.append(self.state.copy())
        self.state.dead = True

    def exec_Continue(self, node: ast.Continue) -> None:
        if self.loops:
            self.loops[-1].again.append(self.state.copy())
        self.state.dead = True

    def exec_If(self, node: ast.If) -> None:
        if _is_main_guard(node.test):
            self.eval(node.test)
            imported = self.state.copy()
            self.body(node.body)
            if node.orelse:
                run, self.state = self.state, imported
                self.body(node.orelse)
                self.state = merge((run, self.state))
            return
        self.eval(node.test)
        before = self.state
        yes, no = before.copy(), before.copy()
        self.assume(node.test, True, yes)
        self.assume(node.test, False, no)
        self.state = yes
        self.body(node.body)
        yes = self.state
        self.state = no
        self.body(node.orelse)
        self.state = merge((yes, self.state))

    def exec_While(self, node: ast.While) -> None:
        def step() -> None:
            self.eval(node.test)
            self.assume(node.test, True, self.state)
            self.body(node.body)

        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.loop(step, node.orelse, skips=not always)

    def exec_For(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.eval(node.iter)
        element = self.elements(iterated, node.iter)

        def step() -> None:
            self.assign(node.target, element, None)
            self.body(node.body)

        self.loop(step, node.orelse, skips=True)

    exec_AsyncFor = exec_For

    def loop(self, step: Callable[[], None], orelse: list[ast.stmt], skips: bool) -> None:
        """Run a loop until its entry state no longer changes."""
        self.loop_depth += 1
        statement = self.statement
        entry = self.state
        exits: list[State] = []
        for _ in range(4):
            self.loops.append(_Loop())
            self.state = entry.copy()
            self.statement = statement
            step()
            loop = self.loops.pop()
            exits = loop.exits
            merged = merge([entry, self.state, *loop.again])
            if merged.same(entry):
                break
            entry = merged
        self.loop_depth -= 1
        self.state = entry.copy() if skips else State(dead=True)
        self.body(orelse)
        self.state = merge([self.state, *exits])

    def exec_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            values = self.eval(item.context_expr)
            entered: Abstract = BOTTOM
            for value in values:
                if isinstance(value, Opaque) and _is_generator(value):
                    entered = join(entered, self.yields(value))
                elif isinstance(value, Instance):
                    enter = value.info.method("__enter__") or value.info.method("__aenter__")
                    if enter is not None:
                        given = self.user_call(None, enter, [], [], value.info)
                        entered = join(entered, given)
                    elif _enters_itself(value.info):
                        entered = join(entered, frozenset({value}))
                    else:
                        entered = join(entered, frozenset({Opaque(id(item.context_expr))}))
                elif _is_made(value):
                    entered = join(entered, frozenset({value}))
                else:
                    self.consume(frozenset({value}), item.context_expr, "used as a context manager")
                    entered = join(entered, frozenset({Opaque(id(item.context_expr))}))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered, None)
        facts = self.state.facts
        self.body(node.body)
        # The context manager may have swallowed an exception of the body.
        self.state.facts &= facts

    exec_AsyncWith = exec_With

    def exec_Try(self, node: ast.Try) -> None:
        before = self.state.copy()
        self.handlers.append([before])
        waits = any(catches_import(handler) for handler in node.handlers)
        self.importing += waits
        self.body(node.body)
        self.importing -= waits
        reached = self.handlers.pop()
        ended = self.state
        at_handler = merge(reached)
        at_handler.dead = False
        at_handler.facts = frozenset()
        self.state = ended
        self.body(node.orelse)
        outcomes = [self.state]
        for handler in node.handlers:
            self.state = at_handler.copy()
            self.statement = node
            if handler.type is not None:
                self.eval(handler.type)
            if handler.name:
                self.bind(handler.name, frozenset({Opaque(id(handler))}), handler)
            # Without the library no use of it runs: what it is replaced by does not matter.
            self.fallbacks.append(self.imported_names(node) if catches_import(handler) else {})
            self.body(handler.body)
            self.fallbacks.pop()
            outcomes.append(self.state)
        self.state = merge(outcomes)
        if node.finalbody:
            dead = self.state.dead
            # It also runs on the way out, from anywhere in the body.
            self.state = merge((self.state, at_handler))
            self.body(node.finalbody)
            self.state.dead = dead or self.state.dead

    exec_TryStar = exec_Try

    def imported_names(self, node: ast.Try) -> dict[str, Abstract]:
        """The names of the library that the body of a ``try`` imports."""
        found: dict[str, Abstract] = {}
        for statement in node.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for alias in statement.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    slot = self.flow.slot_of_name(name, self.scope)
                    write = self.flow.writes[slot].get(alias)
                    if write is not None and any(isinstance(v, Library) for v in write.values):
                        found[name] = write.values
        return found

    def exec_Match(self, node: ast.Match) -> None:
        self.consume(self.eval(node.subject), node.subject, "matched")
        before = self.state
        outcomes = [before.copy()]
        for case in node.cases:
            self.state = before.copy()
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None)
                if isinstance(pattern, ast.MatchAs | ast.MatchStar) and name:
                    self.bind(name, frozenset({Opaque(id(pattern))}), pattern)
                elif isinstance(pattern, ast.MatchMapping) and pattern.rest:
                    self.bind(pattern.rest, frozenset({Opaque(id(pattern))}), pattern)
                elif isinstance(pattern, ast.MatchValue):
                    self.eval(pattern.value)
            if case.guard is not None:
                self.eval(case.guard)
            self.body(case.body)
            outcomes.append(self.state)
        self.state = merge(outcomes)

    def exec_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            dotted = alias.name if alias.asname else alias.name.partition(".")[0]
            self.flow.imports[alias] = alias.name
            self.bind(alias.asname or dotted, self.imported(0, dotted.split(".")), alias)

    def exec_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        parts = node.module.split(".") if node.module else []
        for alias in node.names:
            if alias.name == "*":
                for name, canonical in self.library.star_names(module).items():
                    self.bind(name, frozenset({Library(canonical)}), alias)
                found = (
                    None
                    if node.level == 0 and self.library.is_package(module)
                    else (self.world.module(node.level, parts, self.module))
                )
                if isinstance(found, Module):
                    self.bind_star(found, alias)
                self.flow.imports[alias] = f"{module}.*"
                continue
            dotted = f"{module}.{alias.name}"
            self.flow.imports[alias] = dotted
            self.announce(alias, dotted)
            values = self.imported(node.level, [*parts, alias.name], alias)
            for value in values:
                if isinstance(value, Library) and self.library.resolve(dotted) is None:
                    self.flow.reexported[alias] = value.name
            self.bind(alias.asname or alias.name, values, alias)

    def bind_star(self, module: Module, alias: ast.alias) -> None:
        """``from module import *``, as far as library objects are reached through it."""
        for slot in list(self.flow.store):
            if slot.kind == "global" and slot.owner is module and not slot.name.startswith("_"):
                values = self.held(slot)
                if any(not isinstance(v, Opaque | ModuleValue) for v in values):
                    self.flow.starred[slot] = alias
                    self.bind(slot.name, values, alias)

    def announce(self, alias: ast.alias, dotted: str) -> None:
        """A name that moved or went is reported where it is imported, not at each use."""
        canonical = self.library.resolve(dotted)
        if canonical is None or not self.library.is_gone(canonical):
            return
        self.announced.add(canonical)
        if not self.importing:
            node: ast.expr = alias  # type: ignore[assignment]
            self.record(self.site(node, canonical, "import", None, frozenset()))

    def imported(self, level: int, parts: list[str], alias: ast.alias | None = None) -> Abstract:
        """What an import path gives; ``alias`` is what binds a name of a module."""
        dotted = "." * level + ".".join(parts)
        canonical = self.library.resolve(dotted)
        if canonical is not None:
            return frozenset({Library(canonical)})
        if level == 0 and self.library.is_package(parts[0]):
            return frozenset({ModuleValue(dotted)})
        home = None
        if len(parts) > 1 or level:
            home = self.world.module(level, parts[:-1], self.module)
            for module in self.world.ambiguous(level, parts[:-1], self.module):
                self.store(Slot("blind", module, parts[-1]), frozenset({NONE}))
        if isinstance(home, Module) and parts[-1] in home.identifiers:
            return self.member_of(home, parts[-1], alias)
        found = self.world.module(level, parts, self.module)
        return frozenset({ModuleValue(dotted, found or home)})

    def member_of(self, module: Module, name: str, reader: ast.AST | None) -> Abstract:
        """A name of another module of the program."""
        slot = Slot("global", module, name)
        values = self.held(slot)
        if reader is not None:
            self.flow.reads[reader] = slot
        return values or self.unknown(("unknown", slot))

    def module_member(
        self, module: ModuleValue, member: str, reader: ast.expr | None = None
    ) -> Abstract:
        """``module.member``."""
        dotted = f"{module.name}.{member}"
        canonical = self.library.resolve(dotted)
        if canonical is not None:
            return frozenset({Library(canonical)})
        home = module.home
        if isinstance(home, Module):
            if member in home.identifiers:
                return self.member_of(home, member, reader)
            return frozenset({ModuleValue(dotted, self.world.submodule(home, member))})
        if home is None and not dotted.startswith("."):
            return frozenset(
                {ModuleValue(dotted, self.world.module(0, dotted.split("."), self.module))}
            )
        return frozenset({ModuleValue(dotted, home)})

    def exec_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        info = self.module.functions[node]
        for decorator in node.decorator_list:
            self.eval(decorator)
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.consume(self.eval(default), default, "used as a default value")
        for parameter in info.parameters:
            if parameter.annotation is not None:
                self.annotation(parameter.annotation)
        if node.returns is not None:
            self.annotation(node.returns)
        self.defaults(info)
        value: Abstract = frozenset({Function(info)})
        if self.owner is not None and self.function is None:
            return
        self.bind(node.name, value, node)

    exec_AsyncFunctionDef = exec_FunctionDef

    def defaults(self, info: FunctionInfo) -> None:
        """Parameters that a call leaves out hold their defaults."""
        arguments = info.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = list(
            zip(
                positional[len(positional) - len(arguments.defaults) :],
                arguments.defaults,
                strict=False,
            )
        )
        pairs += [
            (parameter, default)
            for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False)
            if default is not None
        ]
        for parameter, default in pairs:
            self.store(Slot("default", info, parameter.arg), self.flow.value(default))

    def exec_ClassDef(self, node: ast.ClassDef) -> None:
        info = self.module.classes[node]
        for decorator in node.decorator_list:
            self.eval(decorator)
        for base in node.bases:
            self.eval(base)
        for keyword in node.keywords:
            self.eval(keyword.value)
        outer = (self.function, self.owner, self.state)
        if self.function is None:
            self.owner = info
            self.class_body(info, node.body)
        else:
            # Methods of a class inside a function: interpreted with the other functions.
            self.owner = info
            function, self.function = self.function, None
            self.class_body(info, node.body)
            self.function = function
        self.function, self.owner, self.state = outer
        self.statement = node
        self.bind(node.name, frozenset({Class(info)}), node)

    def class_body(self, info: ClassInfo, statements: Sequence[ast.stmt]) -> None:
        """Run a class body: what it binds are attributes."""
        outside = self.state
        self.state = outside.copy()
        self.body(statements)
        self.state = outside

    def assign(self, target: ast.expr, values: Abstract, value: ast.expr | None) -> None:
        """Assign ``values`` (of the expression ``value``, if there is just one) to a target."""
        match target:
            case ast.Name():
                self.flow.values[target] = values
                if self.owner is not None and self.function is None:
                    slot = Slot("attribute", self.owner.family, target.id)
                    self.flow.scope_of[target] = None
                    self.write(slot, values, target, value)
                    self.state.names[target.id] = Binding(values, frozenset({id(target)}))
                else:
                    self.bind(target.id, values, target, value)
            case ast.Attribute():
                owner = self.eval(target.value)
                self.flow.values[target] = values
                self.flow.scope_of[target] = self.function
                later = frozenset(v for v in values if isinstance(v, Later))
                self.consume(later, target, f"stored in attribute '{target.attr}'")
                families = [v.info.family for v in owner if isinstance(v, Instance | Class)]
                if families and len(families) == len(owner):
                    for family in families:
                        self.write(Slot("attribute", family, target.attr), values, target, value)
                elif homes := _homes(owner):
                    for home in homes:
                        self.write(Slot("global", home, target.attr), values, target, value)
                else:
                    self.consume(values, target, f"stored in attribute '{target.attr}'")
                    for holder in owner:
                        if isinstance(holder, Object):
                            self.escape(holder, target, f"attribute '{target.attr}' is set on it")
                        if isinstance(holder, Library):
                            self.mentions.pop(target.value, None)
                            self.flow.patched[target] = f"{holder.name}.{target.attr}"
            case ast.Tuple() | ast.List() if (kinds := _tuple_of(values)) is not None:
                self.flow.values[target] = values
                for item, kind in zip(target.elts, kinds, strict=False):
                    made = next(iter(values))
                    assert isinstance(made, Opaque) and isinstance(made.origin, tuple)
                    self.assign(item, frozenset({Object(kind, made.origin[-1])}), None)
            case ast.Tuple() | ast.List():
                self.flow.values[target] = values
                content = self.flow.content(values)
                starred = any(isinstance(item, ast.Starred) for item in target.elts)
                exact = (
                    content is not None
                    and content.exact
                    and not content.changed
                    and not starred
                    and len(content.items) == len(target.elts)
                )
                for index, item in enumerate(target.elts):
                    if exact and content is not None:
                        source = content.items[index]
                        self.assign(item, self.recall(source, content), source)
                    elif content is not None and content.kind == "pair" and index == 0:
                        self.assign(item, frozenset({Opaque(("key", id(target)))}), None)
                    else:
                        inner = item.value if isinstance(item, ast.Starred) else item
                        self.assign(inner, self.elements(values, target), None)
            case ast.Subscript():
                container = self.eval(target.value)
                self.eval(target.slice)
                self.change_contents(container, target, "an item is set")
                self.absorb(container, values, target)
            case ast.Starred():
                self.assign(target.value, values, None)

    def absorb(self, container: Abstract, values: Abstract, node: ast.AST | None = None) -> None:
        """Put ``values`` into the containers."""
        for item in container:
            if isinstance(item, Container) and (content := self.flow.contents.get(item.origin)):
                content.element = join(content.element, values)
                self.store(Slot("element", None, repr(id(item.origin))), values)
            elif not isinstance(item, Container) and node is not None:
                self.consume(values, node, "stored out of sight")

    def change_contents(self, container: Abstract, node: ast.AST, how: str) -> None:
        """A list or dict changes in a way that is not followed."""
        for item in container:
            if isinstance(item, Container) and (content := self.flow.contents.get(item.origin)):
                content.changed[node] = how

    # Conditions -----------------------------------------------------------------------

    def assume(self, test: ast.expr, truth: bool, state: State) -> None:
        """Narrow ``state`` by the outcome of a test."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.assume(operand, not truth, state)
            case ast.BoolOp(op=ast.And(), values=parts) if truth:
                for part in parts:
                    self.assume(part, True, state)
            case ast.BoolOp(op=ast.Or(), values=parts) if not truth:
                for part in parts:
                    self.assume(part, False, state)
            case ast.Compare(
                left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=bool() as b)]
            ):
                self.assume(left, truth is b, state)
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="len"), args=[counted]),
                ops=[ast.Eq() | ast.NotEq() | ast.Gt() as operator],
                comparators=[ast.Constant(value=0)],
            ):
                self.assume(counted, truth is not isinstance(operator, ast.Eq), state)
            case ast.Name() | ast.Call() | ast.Compare() | ast.Attribute():
                if truth:
                    self.believe(test, state)
                call = self.call_behind(self.flow.value(test))
                if call is not None and ("asked", call) in state.facts:
                    for site in self.flow.sites.get(call, []):
                        facts = self.library.assume(site, truth, self.flow)
                        state.facts = state.facts | facts
                if isinstance(test, ast.Compare):
                    self.assume_compare(test, truth, state)

    def believe(self, test: ast.expr, state: State) -> None:
        """``isinstance(x, Class)`` held: an ``x`` of which nothing is known is such an object."""
        match test:
            case ast.BoolOp(op=ast.And(), values=parts):
                for part in parts:
                    self.believe(part, state)
            case ast.Call(func=ast.Name(id="isinstance"), args=[target, named]):
                results = self.library.result_kinds()
                kinds = [
                    kind
                    for kind in self.annotated_classes(named)
                    if self.library.is_site(kind) and kind not in results
                ]
                if not kinds or _objects_in(self.flow.value(target)):
                    return
                seen = frozenset({Object(kinds[0], ("tested", test))})
                slot = self.flow.reads.get(target)
                if isinstance(target, ast.Name) and target.id in state.names:
                    old = state.names[target.id]
                    state.names[target.id] = Binding(seen, old.definitions)
                elif isinstance(target, ast.Attribute) and slot is not None:
                    self.store(slot, seen)

    def call_behind(self, values: Abstract) -> ast.AST | None:
        """The one library call (or attribute) that gave a value."""
        value = next(iter(values)) if len(values) == 1 else None
        if not isinstance(value, Opaque):
            return None
        if isinstance(value.origin, tuple) and _is_several(value):
            origin: ast.AST = value.origin[-1]
            return origin
        return self.flow.call_origins.get(value.origin)

    def assume_compare(self, test: ast.Compare, truth: bool, state: State) -> None:
        """``name in utility.list_collections()`` and ``x == call()`` ask the library too."""
        if len(test.ops) == 1 and isinstance(test.ops[0], ast.In | ast.NotIn):
            positive = isinstance(test.ops[0], ast.In)
            call = self.call_behind(self.flow.value(test.comparators[0]))
            if call is not None and ("asked", call) in state.facts:
                for site in self.flow.sites.get(call, []):
                    key = self.flow.identity(test.left, state, self.scope)
                    if key is not None:
                        state.facts = state.facts | self.library.assume_member(
                            site, key, truth is positive, self.flow
                        )

    # Expressions ----------------------------------------------------------------------

    def eval(self, node: ast.expr) -> Abstract:
        """The value of an expression; recorded."""
        evaluator = self._evaluators.get(type(node))
        if evaluator is not None:
            values = evaluator(node)
        else:
            values = self.other_expression(node)
        known = self.flow.values.get(node)
        self.flow.values[node] = values if known is None else join(known, values)
        self.flow.scope_of[node] = self.function
        if any(isinstance(value, Object) for value in values):
            seen = self.flow.states.get(node)
            self.flow.states[node] = (
                self.state.copy() if seen is None else merge((seen, self.state))
            )
        return values

    def load_target(self, node: ast.expr) -> Abstract:
        """The value of a target that is read as well (``del x.y``, ``x.y += 1``)."""
        match node:
            case ast.Attribute():
                return self.eval_Attribute(node)
            case ast.Subscript():
                return self.eval_Subscript(node)
        return self.eval(node)

    def other_expression(self, node: ast.expr) -> Abstract:
        """Any other expression: its parts are used in a way that is not followed."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.consume(self.eval(child), child, "used in an expression")
        return frozenset({Opaque(id(node))})

    def consume(self, values: Abstract, node: ast.AST, how: str) -> None:
        """Values reach code out of sight: objects escape, functions may be called with anything."""
        for value in values:
            match value:
                case Object():
                    self.escape(value, node, how)
                case Function(info=info):
                    self.lose(info, node)
                case Class(info=info):
                    for method in info.methods.values():
                        if method.name == "__init__":
                            self.lose(method, node)
                case Instance(info=info) if how.startswith(("passed to", "stored", "yielded")):
                    # Code out of sight may call its public methods.
                    for owner in info.ancestry():
                        for method in owner.methods.values():
                            if not method.name.startswith("_"):
                                self.lose(method, node)
                case Container():
                    content = self.flow.contents.get(value.origin)
                    if content is not None and node not in content.escaped:
                        content.escaped[node] = how
                        inner = content.element
                        for item in (*content.items, *content.appended.values()):
                            inner = join(inner, self.recall(item, content))
                        if value not in inner:
                            self.consume(inner, node, how)
                case Later():
                    if ("result", value, node) not in self.consuming:
                        self.consuming.add(("result", value, node))
                        self.lose_result(value, node, how)
                case Opaque() if _is_generator(value):
                    if ("yielded", value, node) not in self.consuming:
                        self.consuming.add(("yielded", value, node))
                        self.consume(self.yields(value), node, how)

    def lose_result(self, value: Later, node: ast.AST, how: str) -> None:
        """A future reaches code out of sight, or a partial function, to which more may be given."""
        self.consume(self.result_of(value), node, how)
        if value.form is not Form.FUNCTION:
            return
        made = next((m for (call, _), m in self._later.items() if m and call is value.origin), None)
        if made is None:
            return
        for callee in self.flow.value(made.func):
            if isinstance(callee, Bound):
                symbol = f"{callee.owner.kind}.{callee.member}"
                self.reference(made.func, symbol, frozenset({callee.owner}))
            elif isinstance(callee, Library):
                self.mention(made.func, callee.name)
            else:
                self.consume(frozenset({callee}), node, how)

    def escape(self, value: Object, node: ast.AST, how: str) -> None:
        """Record that an object leaves what the analysis follows."""
        self.flow.escapes.setdefault((value, node), Escape(value, node, how))

    def eval_Constant(self, node: ast.Constant) -> Abstract:
        return frozenset({Const.of(node.value)})

    def eval_Name(self, node: ast.Name) -> Abstract:
        values, slot = self.lookup(node.id)
        if self.owner is not None and self.function is None and node.id in self.state.names:
            values = self.state.names[node.id].values
            own = Slot("attribute", self.owner.family, node.id)
            if own in self.flow.writes:
                slot = own
        if slot is not None:
            self.flow.reads[node] = slot
        for value in values:
            if isinstance(value, Library):
                self.mention(node, value.name)
        return values

    def mention(self, node: ast.expr, canonical: str, form: str = "reference") -> None:
        """A library symbol is named; whoever uses it rightly takes the mention back."""
        if self.library.is_site(canonical) and not self.is_announced(node, canonical):
            self.mentions[node] = self.site(node, canonical, form, None, frozenset())

    def is_announced(self, node: ast.expr, canonical: str) -> bool:
        """Whether the name was reported where it is imported."""
        return isinstance(node, ast.Name) and canonical in self.announced

    def site(
        self,
        node: ast.expr,
        symbol: str,
        form: str,
        receiver: ast.expr | None,
        found: frozenset[Object],
    ) -> Site:
        return Site(
            node,
            symbol,
            form,
            receiver,
            found,
            self.function,
            self.owner,
            self.statement,
            self.state.copy(),
            self.module,
        )

    def record(self, site: Site) -> Site:
        """Add a site, or join it with what an earlier visit of the same node found."""
        for known in self.flow.sites[site.node]:
            if known.symbol == site.symbol and known.form == site.form:
                known.objects |= site.objects
                known.ambiguous |= site.ambiguous
                known.state = merge((known.state, site.state))
                if known.state.dead:
                    known.state.dead = False
                return known
        self.flow.sites[site.node].append(site)
        return site

    def reference(self, node: ast.expr, symbol: str, found: frozenset[Object]) -> None:
        """A method or function of the library used as a value."""
        self.record(self.site(node, symbol, "reference", None, found))

    def annotation(self, node: ast.expr) -> None:
        """Record the library classes that an annotation names."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return
            for child in ast.walk(inner):
                if isinstance(child, ast.Name | ast.Attribute):
                    for value in self.peek(child):
                        if (
                            isinstance(value, Library)
                            and self.library.is_site(value.name)
                            and not self.library.is_gone(value.name)
                        ):
                            self.mentions[node] = self.site(
                                node, value.name, "annotation", None, frozenset()
                            )
            return
        for child in ast.walk(node):
            if (
                isinstance(child, ast.Constant)
                and isinstance(child.value, str)
                and child is not node
            ):
                self.annotation(child)
            if isinstance(child, ast.Name | ast.Attribute):
                values = self.peek(child)
                if isinstance(child, ast.Name):
                    self.flow.reads[child] = self.flow.slot_of_name(child.id, self.scope)
                self.flow.values[child] = values
                for value in values:
                    if isinstance(value, Library) and not self.library.is_gone(value.name):
                        self.mention(child, value.name, "annotation")

    def eval_Attribute(self, node: ast.Attribute) -> Abstract:
        owner = self.eval(node.value)
        result: Abstract = BOTTOM
        for value in owner:
            result = join(result, self.member(node, value, len(owner) > 1))
        return result or self.unknown(("attribute", id(node)))

    def member(self, node: ast.Attribute, owner: Value, ambiguous: bool) -> Abstract:
        """``owner.attr`` for one value of the owner."""
        name = node.attr
        match owner:
            case ModuleValue():
                found = self.module_member(owner, name, node)
                for value in found:
                    if isinstance(value, Library):
                        self.mention(node, value.name)
                return found
            case Library():
                if self.library.is_namespace(owner.name):
                    self.mentions.pop(node.value, None)
                    canonical = f"{owner.name}.{name}"
                    self.mention(node, canonical)
                    return frozenset({Library(canonical)})
                if self.library.is_class(owner.name):
                    # An unbound method, a class attribute or a static constructor.
                    self.mentions.pop(node.value, None)
                    self.mention(node, f"{owner.name}.{name}")
                    return frozenset({Library(f"{owner.name}.{name}")})
                return frozenset({Opaque(("attribute", owner.name, name))})
            case Object():
                symbol = f"{owner.kind}.{name}"
                method = self.library.is_method(owner.kind, name)
                if method:
                    if not self.is_called(node):
                        self.reference(node, symbol, frozenset({owner}))
                    return frozenset({Bound(owner, name)})
                site = self.site(node, symbol, "attribute", node.value, frozenset({owner}))
                if self.library.is_site(owner.kind) or self.library.is_site(symbol):
                    self.record(site)
                return self.library_result(node, symbol)
            case Instance() | Class():
                return self.instance_member(node, owner.info, name, isinstance(owner, Class))
            case Container() | Later():
                return frozenset({Opaque(("method", owner, name))})
            case Const(value=None):
                return BOTTOM
            case Opaque() if not self.settling:
                if owner.origin not in self.outside:
                    self.blinded(name)
                if not ambiguous and not self.is_called(node):
                    self.suspect(node, set())
        return frozenset({Opaque(("attribute", _origin(owner), name))})

    def blinded(self, attribute: str) -> None:
        """An attribute of something unknown is read: it may be one of another module's objects."""
        readers = self.world.blind[attribute]
        if self.module not in readers:
            readers.add(self.module)
            self.store(Slot("blind", None, attribute), frozenset({Const.of(len(readers))}))

    def is_called(self, node: ast.Attribute) -> bool:
        """Whether the attribute is called where it stands."""
        parent = self.flow.source.parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def instance_member(
        self, node: ast.Attribute, info: ClassInfo, name: str, through_class: bool
    ) -> Abstract:
        """An attribute of an object of a class of the program."""
        slot = Slot("attribute", info.family, name)
        values = self.held(slot)
        if values:
            self.flow.reads[node] = slot
        of_super = isinstance(node.value, ast.Call) and _last_name(node.value.func) == "super"
        methods = info.meanings(name, overridden=not through_class and not of_super)
        for method in methods:
            if method.is_property and not through_class:
                self.flow.reads[node] = Slot("return", method, "")
                values = join(values, self.user_call(None, method, [], [], info))
                continue
            plain = through_class and method.is_method and "classmethod" not in method.decorators
            values = join(values, frozenset({Function(method, None if plain else info)}))
        if methods:
            return values
        if not values:
            self.flow.reads[node] = slot
            return self.unknown(("unset", slot))
        return values

    def library_result(self, node: ast.expr, symbol: str) -> Abstract:
        """What a library call or property gives."""
        kind = self.library.result(symbol)
        self.flow.call_origins[id(node)] = node
        self.outside.add(id(node))  # what it gives is known: nothing else of the library
        # What the answer says holds until something acts.
        self.state.facts = self.state.facts | {("asked", node)}
        several = self.library.several(symbol)
        if several is not None:
            return frozenset({Opaque((*several, node), Shape.LIST)})
        if kind == "None":
            return frozenset({NONE})
        if kind is not None:
            made: Abstract = frozenset({Object(kind, node)})
            return made | {NONE} if self.library.may_give_none(symbol) else made
        if not self.library.is_site(symbol):
            return frozenset({Opaque(("library", symbol, id(node)))})
        return frozenset({Opaque(id(node), self.library.result_shape(symbol))})

    def eval_Call(self, node: ast.Call) -> Abstract:
        function = self.eval(node.func)
        for argument in node.args:
            self.eval(argument.value if isinstance(argument, ast.Starred) else argument)
        for keyword in node.keywords:
            self.eval(keyword.value)
        result: Abstract = BOTTOM
        real = [v for v in function if v != NONE]
        later = self.made_later(node, real)
        if later is not None:
            return later
        for value in real:
            result = join(result, self.call(node, value, len(real) > 1))
        given = self.called_parameter(node.func)
        if given is not None:
            # Each caller gets what it has passed gives, not what others have passed.
            kept = frozenset(v for v in result if isinstance(v, Object))
            if any(isinstance(value, Bound | Library) for value in real):
                self.store(Slot("given", given.info, given.parameter), kept)
            return frozenset({given})
        return result or self.unknown(id(node))

    # Calls that are made later --------------------------------------------------------

    def made_later(self, node: ast.Call, function: Sequence[Value]) -> Abstract | None:
        """The result of ``executor.submit(f, x)``, when the call of ``f`` can be followed."""
        if len(function) == 1 and isinstance(function[0], Function):
            self.hand_to(node, function[0])
            return None
        runner = self.runner(node, function[0]) if len(function) == 1 else None
        made = self.later_call(node, runner) if runner is not None else None
        if runner is None or made is None:
            return None
        callees = [v for v in self.flow.value(made.func) if v != NONE]
        result: Abstract = BOTTOM
        partial = [v for v in callees if isinstance(v, Later) and v.form is Form.FUNCTION]
        if callees and partial == callees:
            if made.args or made.keywords:
                return None
            for value in partial:
                result = join(result, self.result_of(value))
        elif callees and all(self.is_followed(v, made.func) for v in callees):
            result = self.follow(made, callees)
        else:
            return None
        for other in runners.others(made):
            self.consume(self.flow.value(other), other, f"passed to {_source_name(node.func)}()")
        self.state.facts = frozenset()  # it may be made at any time from here on
        if runner.gives is Form.NOTHING:
            return frozenset({Opaque(id(node))})
        return self.later(node, runner.gives, result)

    def later_call(self, node: ast.Call, runner: Runner) -> LaterCall | None:
        """The call that a runner makes: always the same one."""
        if (node, runner) not in self._later:
            made = self._later[node, runner] = runners.later_call(runner, node)
            if made is not None:
                self.flow.source.parents[made] = node
                for keyword in made.keys:
                    self.flow.source.parents[keyword] = made
        return self._later[node, runner]

    def follow(self, made: LaterCall, callees: Sequence[Value]) -> Abstract:
        """The result of a call that another function makes."""
        result: Abstract = BOTTOM
        self.flow.scope_of[made] = self.function
        self.flow.sites.pop(made.func, None)  # it is called after all
        for value in callees:
            result = join(result, self.call(made, value, len(callees) > 1))
        self.flow.values[made] = join(self.flow.value(made), result)
        return result

    def hand_to(self, node: ast.Call, function: Function) -> None:
        """``retry(docs.load)``: a function of the program calls the library's methods."""
        info = function.info
        arguments = info.node.args
        positional = [p.arg for p in (*arguments.posonlyargs, *arguments.args)]
        if info.is_method and (function.bound is not None or "classmethod" in info.decorators):
            positional = positional[1:]
        names = frozenset([*positional, *(p.arg for p in arguments.kwonlyargs)])
        for name, calls in self.calls_of(info).items():
            if calls.way is Way.OTHER or name not in positional:
                continue
            own = Own(len(positional), names, calls.way is Way.BARE)
            runner = Runner(positional.index(name), Form.RESULT, keyword=name, own=own)
            made = self.later_call(node, runner)
            if made is None:
                continue
            self._handed.pop(made.func, None)
            callees = [v for v in self.flow.value(made.func) if v != NONE]
            if (
                not callees
                or any(isinstance(v, Function) for v in callees)
                or not all(self.is_followed(v, made.func) for v in callees)
            ):
                continue
            self._handed[made.func] = made
            result = self.follow(made, callees)
            if not calls.returned:
                self.consume(result, made.func, f"given to {info.name}()")

    def runner(self, node: ast.Call, function: Value) -> Runner | None:
        """How ``function`` calls what it is given, if that is known."""
        match function:
            case ModuleValue(name=name):
                return runners.FUNCTIONS.get(name)
            case Opaque() if isinstance(node.func, ast.Attribute):
                for kind, methods in runners.METHODS.items():
                    if node.func.attr in methods and self.is_made_by(node.func.value, kind):
                        return methods[node.func.attr]
        return None

    def is_made_by(self, node: ast.expr, kind: str) -> bool:
        """Whether an expression holds an object of the standard library of that kind, only."""
        held = self.flow.value(node) - {NONE}
        return bool(held) and all(
            isinstance(v, Opaque) and isinstance(v.origin, tuple) and v.origin[:2] == ("made", kind)
            for v in held
        )

    def is_followed(self, value: Value, callee: ast.expr) -> bool:
        """Whether a call of a value by a runner is followed as if it stood there."""
        match value:
            case Bound(owner=owner, member=member):
                symbol = f"{owner.kind}.{member}"
                return isinstance(callee, ast.Attribute) and self.library.may_run_later(symbol)
            case Library(name=name):
                return self.library.may_run_later(name)
            case Function(info=info):
                return not info.generator
        return False

    def later(self, node: ast.expr, form: Form, result: Abstract) -> Abstract:
        """What stands for a result that is there later."""
        self.store(result_slot(node), result)
        return frozenset({Later(node, form)})

    def result_of(self, value: Later) -> Abstract:
        """The result that a future, or something to wait for, stands for."""
        return self.held(result_slot(value.origin))

    def waited_for(self, values: Abstract) -> Abstract:
        """What ``await`` gives."""
        result: Abstract = BOTTOM
        for value in values:
            if isinstance(value, Later) and value.form is not Form.FUNCTION:
                result = join(result, self.result_of(value))
            else:
                result = join(result, frozenset({value}))
        return result

    def method_of_future(self, node: ast.Call) -> Abstract | None:
        """``future.result()``; None for anything else."""
        if not isinstance(node.func, ast.Attribute):
            return None
        result: Abstract | None = None
        for value in self.flow.value(node.func.value):
            if not isinstance(value, Later) or value.form is Form.FUNCTION:
                continue
            if node.func.attr == "result":
                result = join(result or BOTTOM, self.result_of(value))
            elif node.func.attr == "add_done_callback":
                self.consume(frozenset({value}), node.func.value, "passed to add_done_callback()")
            else:
                result = join(result or BOTTOM, frozenset({Opaque(id(node))}))
        return result

    def read_by_name(self, node: ast.Call, dotted: str) -> Abstract | None:
        """What ``getattr(x, "name")`` gives, where ``x`` is known; else None."""
        owners = self.flow.value(node.args[0]) - {NONE} if node.args else BOTTOM
        if node not in self._read:
            read = self._read[node] = runners.named_read(node)
            if read is not None:
                self.flow.source.parents[read] = self.flow.source.parents[node]
        read = self._read[node]
        if read is None:
            if any(isinstance(v, Instance | Class) for v in owners):
                self.read_any(owners, node)
            return None
        if not owners or not all(self.is_named_in(v, read.attr) for v in owners):
            return None
        if dotted == "builtins.hasattr" and any(isinstance(v, Object) for v in owners):
            return None
        self.flow.scope_of[read] = self.function
        result: Abstract = BOTTOM
        for value in owners:
            result = join(result, self.member(read, value, len(owners) > 1))
        self.flow.values[read] = join(self.flow.value(read), result)
        if dotted == "builtins.hasattr":
            self.flow.reads.pop(read, None)
            return frozenset({Opaque(id(node), Shape.NUMBER)})
        default = self.flow.value(node.args[2]) if len(node.args) == 3 else BOTTOM
        if default and all(isinstance(v, Instance | Class) for v in owners):
            result = join(result, default)  # it may not be set yet
        return result or None

    def is_named_in(self, owner: Value, name: str) -> bool:
        """Whether the attribute of a value can be followed when it is read by its name."""
        match owner:
            case Object(kind=kind):
                return self.library.is_method(kind, name) is False
            case Instance() | Class():
                return True
        return False

    def read_any(self, owners: Abstract, node: ast.Call) -> None:
        """An attribute is read of which the name is computed: it may be any."""
        for value in owners:
            if isinstance(value, Instance | Class):
                for slot in self.slots("attribute", value.info.family):
                    self.consume(self.held(slot), node, "read by a computed name")

    def handed_on(self, node: ast.Call, dotted: str) -> Abstract | None:
        """What functions of the standard library make of futures; None for other functions."""
        first = self.flow.value(node.args[0]) if node.args else BOTTOM
        if dotted in runners.ITERATING:
            held = self.elements_of(first)
            return first if any(isinstance(v, Later) for v in held) else None
        if dotted == "asyncio.gather":
            return self.gathered(node)
        if not any(isinstance(v, Later | Object) for v in first):
            return None
        if dotted in runners.HANDING_ON:
            return self.later(node, Form.FUTURE, self.waited_for(first))
        return self.waited_for(first) if dotted == "asyncio.run" else None

    def gathered(self, node: ast.Call) -> Abstract | None:
        """``asyncio.gather(...)``: a list of results, once it is waited for."""
        held: Abstract = BOTTOM
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                held = join(held, self.elements_of(self.flow.value(argument.value)))
            else:
                held = join(held, self.flow.value(argument))
        if not any(isinstance(v, Later | Object) for v in held):
            return None
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(self.flow, node, "list", (), exact=False)
        content.element = join(content.element, self.waited_for(held))
        return self.later(node, Form.AWAITABLE, frozenset({Container(node, "list")}))

    # Parameters that are called -------------------------------------------------------

    def calls_of(self, info: FunctionInfo) -> dict[str, Calls]:
        """The parameters that a function calls."""
        if info not in self._called:
            self._called[info] = called_parameters(info)
        return self._called[info]

    def called_parameter(self, callee: ast.expr) -> Given | None:
        """The parameter of the running function that is called, if that is passed on by it."""
        if not isinstance(callee, ast.Name) or self.function is None:
            return None
        calls = self.calls_of(self.function).get(callee.id)
        return Given(self.function, callee.id) if calls is not None and calls.returned else None

    def resolved(
        self, values: Abstract, node: ast.Call | None, mapping: dict[str, ast.expr]
    ) -> Abstract:
        """What a function returns, with what its parameters give in this call of it."""
        result: Abstract = BOTTOM
        for value in values:
            if not isinstance(value, Given):
                result = join(result, frozenset({value}))
                continue
            passed = mapping.get(value.parameter)
            if passed in self._handed:
                result = join(result, self.flow.value(self._handed[passed]))
                continue
            callees = (
                self.flow.value(passed)
                if passed is not None
                else self.held(Slot("argument", value.info, value.parameter))
            )
            for callee in callees:
                result = join(result, self.outcome(callee, value, node))
        return result

    def outcome(
        self,
        callee: Value,
        given: Given,
        node: ast.Call | None,
        seen: frozenset[Value] = frozenset(),
    ) -> Abstract:
        """What a callee gives when ``given.info`` calls it."""
        match callee:
            case Function(info=info) if info.generator:
                return frozenset({Opaque(("generator", info))})
            case Function(info=info):
                result: Abstract = BOTTOM
                for value in self.held(Slot("return", info, "")):
                    if not isinstance(value, Given):
                        result = join(result, frozenset({value}))
                        continue
                    # What that calls in turn is not told apart.
                    further = self.held(Slot("argument", value.info, value.parameter))
                    for other in further - seen - {callee}:
                        inner = self.outcome(other, value, node, seen | {callee})
                        result = join(result, inner)
                return result
            case Class(info=info):
                return frozenset({Instance(info)})
            case Bound() | Library():
                return self.held(Slot("given", given.info, given.parameter))
            case Const(value=None):
                return BOTTOM
        return self.unknown(("given", id(node), callee))

    def call(self, node: ast.Call, function: Value, ambiguous: bool) -> Abstract:
        """Call one value of the callee."""
        match function:
            case Library(name=name):
                self.mentions.pop(node.func, None)
                site = self.site(node, name, "call", None, frozenset())
                if self.is_announced(node.func, name):
                    self.outside.add(id(node))
                    self.consume_arguments(node, f"{name}()")
                    return frozenset({Opaque(id(node))})
                return self.library_call(node, site, ambiguous)
            case Bound(owner=owner, member=member):
                receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
                self.flow.method_calls[owner][node] = member
                site = self.site(
                    node, f"{owner.kind}.{member}", "call", receiver, frozenset({owner})
                )
                return self.library_call(node, site, False)
            case Function(info=info, bound=bound):
                return self.user_call(node, info, node.args, node.keywords, bound)
            case Class(info=info):
                initialiser = info.method("__init__") or info.method("__new__")
                if initialiser is not None:
                    self.user_call(node, initialiser, node.args, node.keywords, info)
                else:
                    self.consume_arguments(node, f"{info.name}()")
                return frozenset({Instance(info)})
            case ModuleValue(name=dotted):
                self.hand_over(node, function)
                return self.external_call(node, dotted)
            case Later(form=Form.FUNCTION) if not node.args and not node.keywords:
                self.state.facts = frozenset()
                return self.result_of(function)
            case Later():
                self.consume(frozenset({function}), node.func, "called")
                self.consume_arguments(node, f"{_source_name(node.func)}()")
                return frozenset({Opaque(id(node))})
        given = self.method_of_future(node)
        if given is None:
            given = self.container_method(node)
        if given is not None:
            return given
        if isinstance(node.func, ast.Attribute) and isinstance(function, Opaque) and not ambiguous:
            self.suspect(node.func, {k.arg for k in node.keywords if k.arg})
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        self.consume_arguments(node, f"{_source_name(node.func)}()")
        self.hand_out_modules(node)
        if shapes.may_act(name):
            self.state.facts = frozenset()
        if name == "copy" and isinstance(node.func, ast.Attribute) and not node.args:
            return frozenset({self.copied(self.flow.value(node.func.value), id(node))})
        return frozenset({Opaque(id(node), shapes.of_method(name))})

    def copied(self, values: Abstract, origin: Hashable) -> Opaque:
        """A copy, or a part, of unknown values of one shape."""
        found = {(v.shape, v.element) if isinstance(v, Opaque) else (_shape(v),) for v in values}
        return Opaque(origin, *found.pop()) if len(found) == 1 else Opaque(origin)

    def library_call(self, node: ast.Call, site: Site, ambiguous: bool) -> Abstract:
        """A call into the library: arguments do not escape, facts change."""
        site.ambiguous = ambiguous
        symbol = site.symbol
        for argument in [*node.args, *(k.value for k in node.keywords)]:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            for value in self.flow.value(inner):
                match value:
                    case Object() if not self.library.takes_object(symbol, value.kind):
                        self.escape(value, inner, f"passed to {symbol}()")
                    case Bound() | Function() | Class():
                        self.consume(frozenset({value}), inner, f"passed to {symbol}()")
        if self.library.is_site(symbol) or self.library.is_class(symbol):
            self.record(site)
            self.library.acts(site, self.state, self.flow)
        return self.library_result(node, symbol)

    def consume_arguments(self, node: ast.Call, how: str, objects_too: bool = True) -> None:
        """All arguments reach code out of sight."""
        for argument in [*node.args, *(k.value for k in node.keywords)]:
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            values = self.flow.value(inner)
            if not objects_too:
                values = frozenset(v for v in values if not isinstance(v, Instance))
            self.consume(values, inner, f"passed to {how}")

    def hand_over(self, node: ast.Call, function: ModuleValue) -> None:
        """A function of a module that is not analysed is passed objects: it should be."""
        if not isinstance(function.home, str):
            return
        for argument in [*node.args, *(k.value for k in node.keywords)]:
            for value in self.flow.value(argument):
                if isinstance(value, Instance) or (
                    isinstance(value, Object) and self.library.is_site(value.kind)
                ):
                    self.world.receives(function.home)

    def external_call(self, node: ast.Call, dotted: str) -> Abstract:
        """A call of a function outside the program and the library."""
        name = dotted.removeprefix("builtins.")
        if dotted.startswith("builtins.") and name in _HARMLESS:
            return frozenset({Opaque(id(node))})
        if dotted == "builtins.len" and len(node.args) == 1:
            held = frozenset(
                v
                for v in self.flow.value(node.args[0])
                if not isinstance(v, Container | Instance)
                and not (isinstance(v, Object) and self.is_list_of_objects(v))
            )
            self.consume(held, node.args[0], "passed to len()")
            return frozenset({Opaque(id(node), Shape.NUMBER)})
        if dotted == "builtins.enumerate" and node.args and self.is_unpacked(node):
            element = self.elements(self.flow.value(node.args[0]), node.args[0])
            if _objects_in(element):
                return self.several_pairs(node, element)
        if name == "super" and self.owner is not None:
            bases = self.owner.bases
            if bases:
                return frozenset({Instance(bases[0])})
            return frozenset({Opaque(id(node))})
        if name in ("list", "tuple") and dotted.startswith("builtins.") and not node.args:
            return self.container(node, name, ())
        if name == "dict" and dotted.startswith("builtins."):
            copied = [value for argument in node.args for value in self.flow.value(argument)]
            known = bool(copied) or not node.args
            if known and all(isinstance(v, Container) and v.kind == "dict" for v in copied):
                items = tuple(k.value for k in node.keywords if k.arg)
                exact = not node.args and len(items) == len(node.keywords)
                made = self.container(node, "dict", items, exact)
                self.absorb(made, self.elements_of(frozenset(copied)))
                return made
        if dotted in _HOLDERS and not any(not _is_class_name(a) for a in node.args):
            items = tuple(k.value for k in node.keywords if k.arg)
            return self.container(node, _HOLDERS[dotted], items, exact=False)
        if dotted in _BY_NAME:
            read = self.read_by_name(node, dotted)
            if read is not None:
                return read
        handed_on = self.handed_on(node, dotted)
        if handed_on is None and dotted.startswith("builtins."):
            handed_on = self.chosen(node, name)
        if handed_on is not None:
            return handed_on
        if not shapes.is_harmless(dotted):
            self.state.facts = frozenset()
        self.computed_use(node, dotted)
        self.call_with_elements(node, dotted.removeprefix("builtins."))
        if dotted == "builtins.setattr" and len(node.args) == 3:
            self.set_attribute(node)
        looking = dotted.startswith("builtins.") and name in _LOOKING
        self.consume_arguments(node, f"{name}()", objects_too=not looking)
        if dotted != "importlib.reload":
            self.hand_out_modules(node)
        if dotted in ("builtins.__import__", "importlib.import_module"):
            found = self.named_module(node)
            if found is not None:
                return frozenset({found})
        if dotted in shapes.ENVIRONMENT:
            given = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "default")]
            default = self.flow.value(given[0]) if given else frozenset({NONE})
            # A default that stands for nothing is told from what is set.
            nothing = default & {NONE, Const.of("")}
            if nothing:
                return frozenset({Opaque(("environment", id(node)), Shape.TEXT)}) | nothing
        if dotted in runners.MAKERS:
            return frozenset({Opaque(("made", runners.MAKERS[dotted], id(node)))})
        if not dotted.startswith("builtins."):
            self.outside.add(id(node))
        return frozenset({Opaque(id(node), shapes.of_external_call(dotted))})

    def call_with_elements(self, node: ast.Call, name: str) -> None:
        """``map(lambda x: ..., items)``: the function is called with what the others hold."""
        if name in _MAPPERS and len(node.args) > 1:
            self.call_with(node.args[0], node.args[1:])
        elif name in _SORTERS and node.args:
            self.call_key(node, node.args[0])

    def chosen(self, node: ast.Call, name: str) -> Abstract | None:
        """What ``sorted(items, key=lambda ...)`` and its like give of a list of objects.

        None for other functions, and where something else is called with the objects.
        """
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return None
        if name == "next" and node.args and not node.keywords:
            first = self.flow.value(node.args[0])
            if not first or not all(isinstance(v, Container) for v in first):
                return None
            given = self.elements(first, node)
            default = self.flow.value(node.args[1]) if len(node.args) == 2 else BOTTOM
            return join(given, default) if _tracked(given) else None
        if name not in (*_SORTERS, *_MAPPERS, *_COPIERS):
            return None
        if len(node.args) != (2 if name in _MAPPERS else 1):
            return None
        items = node.args[-1]
        held = self.elements(self.flow.value(items), items)
        if not _tracked(held):
            return None
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        keys = [node.args[0]] if name in _MAPPERS else [keywords.pop("key", None)]
        if keywords.keys() - {"reverse"} or (name in _COPIERS) is (keys != [None]):
            return None
        returned: Abstract = BOTTOM
        for key in keys if name not in _COPIERS else ():
            functions = self.flow.value(key)
            if key is None or not functions or not all(map(_is_lambda, functions)):
                return None
            self.call_with(key, [items])
            for function in functions:
                assert isinstance(function, Function)
                returned = join(returned, self.held(Slot("return", function.info, "")))
        if name in _SORTERS:
            self.consume(returned, node, "compared")
        if name in ("max", "min"):
            return held
        given = returned if name == "map" else held
        if not _tracked(given):
            return frozenset({Opaque(id(node))})
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(self.flow, node, "list", (), exact=False)
        content.element = join(content.element, given)
        return frozenset({Container(node, "list")})

    def call_key(self, node: ast.Call, items: ast.expr) -> None:
        """``key=``, which is called with what ``items`` hold."""
        for keyword in node.keywords:
            if keyword.arg == "key":
                self.call_with(keyword.value, [items])

    def call_with(self, function: ast.expr, items: Sequence[ast.expr]) -> None:
        """A function out of sight calls ``function`` with what each of ``items`` holds."""
        for value in self.flow.value(function):
            if not isinstance(value, Function):
                continue
            names = [p.arg for p in value.info.node.args.args]
            if value.info.is_method and value.bound is not None:
                names = names[1:]
            for parameter, item in zip(names, items, strict=False):
                held = frozenset(
                    v for v in self.elements(self.flow.value(item), item) if isinstance(v, Object)
                )
                if held:
                    self.store(Slot("argument", value.info, parameter), held)
                    self.store(Slot("called", value.info, ""), frozenset({NONE}))
                    for other in set(value.info.names_of_parameters()) - set(names[: len(items)]):
                        default = self.held(Slot("default", value.info, other))
                        self.store(Slot("argument", value.info, other), default)
            if isinstance(value.info.node, ast.Lambda) and value.info.module is self.module:
                self.run_function(value.info)

    def computed_use(self, node: ast.Call, dotted: str) -> None:
        """``getattr(pymilvus, name)``, ``import_module("pymilvus")``: uses that no flow follows."""
        first = self.flow.value(node.args[0]) if node.args else BOTTOM
        if dotted in ("builtins.getattr", "builtins.vars"):
            for value in first:
                if isinstance(value, ModuleValue) and self.library.is_package(value.name):
                    name = node.args[1] if len(node.args) > 1 else None
                    text = name.value if isinstance(name, ast.Constant) else None
                    if not isinstance(text, str):
                        text = None
                    canonical = self.library.resolve(f"{value.name}.{text}")
                    if text is None or (canonical and self.library.is_site(canonical)):
                        self.flow.computed[node] = dotted.removeprefix("builtins.")
        elif dotted in ("builtins.__import__", "importlib.import_module"):
            for value in first:
                if isinstance(value, Const) and self.library.is_package(str(value.value)):
                    self.flow.computed[node] = dotted.removeprefix("builtins.")

    def named_module(self, node: ast.Call) -> ModuleValue | None:
        """The module of the program that ``import_module("app.db")`` gives."""
        match node.args:
            case [ast.Constant(value=str() as dotted)] if not node.keywords:
                found = self.world.module(0, dotted.split("."), self.module)
                return ModuleValue(dotted, found) if found is not None else None
        return None

    def hand_out_modules(self, node: ast.Call) -> None:
        """``monkeypatch.setattr(db, "films", ...)``, ``getattr(db, name)``: names that code out of
        sight may read or replace; all of them where it is not said which."""
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        for index, argument in enumerate(given):
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            for home in _homes(self.flow.value(inner)):
                after = given[index + 1] if index + 1 < len(given) else None
                named = isinstance(after, ast.Constant) and isinstance(after.value, str)
                self.expose(home, after.value if named else None)  # type: ignore[union-attr]

    def expose(self, home: Module, name: str | None) -> None:
        """Code out of sight may use a name of a module, or any."""
        names = [name] if name is not None else []
        if name is None:
            names = [slot.name for slot in self.slots("global", home)]
        for exposed in names:
            self.store(Slot("blind", home, exposed), frozenset({NONE}))

    def set_attribute(self, node: ast.Call) -> None:
        """``setattr(object, name, value)`` on an object of the program."""
        holder, name, value = node.args
        for item in self.flow.value(holder):
            if not isinstance(item, Instance | Class):
                continue
            family = item.info.family
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                slots = [Slot("attribute", family, name.value)]
            else:
                slots = self.slots("attribute", family)
            for slot in slots:
                self.flow.scope_of[value] = self.function
                self.write(slot, self.flow.value(value), value, None)

    def imports_sites(self) -> bool:
        """Whether the module imports something of the library whose uses are sites."""
        names = [self.library.resolve(dotted) for dotted in self.flow.imports.values()]
        names += self.flow.reexported.values()
        return any(name is not None and self.library.is_site(name) for name in names)

    def suspect(self, node: ast.Attribute, keywords: set[str]) -> None:
        """An unknown object is used as one of the library's would be: say so, it may be one."""
        held = self.flow.value(node.value)
        # An object of a class of the program is none of the library's, whatever it inherits.
        known = not any(isinstance(v, Opaque) for v in held) or any(
            isinstance(v, Opaque)
            and (
                v.origin in self.outside
                or (isinstance(v.origin, tuple) and v.origin[0] == "library")
            )
            for v in held
        )
        if known or not self.imports_sites():
            return
        symbol = self.library.looks_like(node.value, node.attr, frozenset(keywords))
        if symbol is not None:
            self.record(self.site(node, symbol, "suspect", node.value, frozenset()))

    def container_method(self, node: ast.Call) -> Abstract | None:
        """``x.append(y)`` and other methods of lists and dicts; None: as any other call."""
        if not isinstance(node.func, ast.Attribute):
            return None
        result: Abstract | None = None
        for value in self.flow.value(node.func.value):
            if not isinstance(value, Container):
                continue
            content = self.flow.contents.get(value.origin)
            if content is None:
                continue
            name = node.func.attr
            if name in _LIST_ADDERS and len(node.args) == 1 and not node.keywords:
                content.appended[node] = node.args[0]
                self.absorb(frozenset({value}), self.flow.value(node.args[0]))
                result = frozenset({NONE})
            elif name in _LIST_CHANGERS:
                content.changed[node] = name
                if name == "sort":
                    self.call_key(node, node.func.value)
                if name in ("pop", "setdefault"):
                    result = self.an_item(content.element, node)
                    for default in node.args[1:]:
                        result = join(result, self.flow.value(default))
                elif name == "popitem":
                    self.consume(frozenset({value}), node, f"read by .{name}()")
                    result = self.pair(node, content.element)
                for argument in node.args:
                    if name in ("insert", "setdefault"):
                        self.absorb(frozenset({value}), self.flow.value(argument))
                    elif name == "extend":
                        held = self.elements(self.flow.value(argument), argument)
                        self.absorb(frozenset({value}), held)
            elif name == "get":
                key = node.args[0] if node.args else None
                there = self.item_at(content, key.value) if isinstance(key, ast.Constant) else None
                if there is None:
                    given = node.args[1:]
                    otherwise = self.flow.value(given[0]) if given else frozenset({NONE})
                    there = join(self.an_item(content.element, node), otherwise)
                result = there
            elif name == "copy":
                result = frozenset({value})
            elif name == "values" and value.kind == "dict":
                result = frozenset({Container(value.origin, "values")})
            elif name == "items" and value.kind == "dict" and _objects_in(content.element):
                if not self.is_unpacked(node):
                    self.consume(frozenset({value}), node, f"read by .{name}()")
                result = self.several_pairs(node, content.element)
            elif name not in ("copy", "keys", "index", "count"):
                self.consume(frozenset({value}), node, f"read by .{name}()")
        return result

    def is_unpacked(self, node: ast.Call) -> bool:
        """Whether a loop takes the pairs of a call apart: ``for key, value in x.items()``."""
        parent = self.flow.source.parents[node]
        return (
            isinstance(parent, ast.For | ast.comprehension)
            and parent.iter is node
            and isinstance(parent.target, ast.Tuple)
            and len(parent.target.elts) == 2
            and not any(isinstance(part, ast.Starred) for part in parent.target.elts)
        )

    def pair(self, node: ast.Call, element: Abstract) -> Abstract:
        """A key, of which nothing is known, and a value of a dict (or an item of a list)."""
        if not _objects_in(element):
            return frozenset({Opaque(id(node))})
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(self.flow, node, "pair", (), exact=False)
        content.element = join(content.element, element)
        return frozenset({Container(node, "pair")})

    def several_pairs(self, node: ast.Call, element: Abstract) -> Abstract:
        """What ``items()``, or ``enumerate()``, gives."""
        inner = self.pair(node, element)
        key = (node, "items")
        content = self.flow.contents.get(key)
        if content is None:
            content = self.flow.contents[key] = Content(self.flow, node, "list", (), exact=False)
        content.element = join(content.element, inner)
        return frozenset({Container(key, "list")})

    def user_call(
        self,
        node: ast.Call | None,
        info: FunctionInfo,
        args: Sequence[ast.expr],
        keywords: Sequence[ast.keyword],
        bound: ClassInfo | None,
    ) -> Abstract:
        """A call of a function of the program."""
        arguments = info.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        if info.is_method and (bound is not None or "classmethod" in info.decorators):
            positional = positional[1:]
        mapping: dict[str, ast.expr] = {}
        exact = True
        for index, argument in enumerate(args):
            if isinstance(argument, ast.Starred):
                exact = False
                self.consume(
                    self.flow.value(argument.value), argument, f"unpacked in {info.name}()"
                )
                break
            if index < len(positional):
                mapping[positional[index].arg] = argument
            else:
                self.consume(self.flow.value(argument), argument, f"passed to {info.name}()")
        names = {p.arg for p in [*positional, *arguments.kwonlyargs]}
        for keyword in keywords:
            if keyword.arg is None:
                exact = False
                self.consume(self.flow.value(keyword.value), keyword.value, "unpacked")
            elif keyword.arg in names:
                mapping[keyword.arg] = keyword.value
            else:
                self.consume(
                    self.flow.value(keyword.value), keyword.value, f"passed to {info.name}()"
                )
        for name, expression in mapping.items():
            values = self.flow.value(expression)
            if expression in self._handed:  # its calls are followed from here
                values = frozenset({Opaque(("handed", id(expression)))})
            self.store(Slot("argument", info, name), values)
        for name in names - mapping.keys():
            self.store(Slot("argument", info, name), self.held(Slot("default", info, name)))
        if not exact:
            for name in names - mapping.keys():
                self.store(
                    Slot("argument", info, name), frozenset({Opaque(("unpacked", info, name))})
                )
        self.store(Slot("called", info, ""), frozenset({NONE}))
        if node is not None:
            edges = self.flow.calls[node]
            if not any(edge.target is info for edge in edges):
                edges.append(CallEdge(node, info, mapping, exact))
        if self.rounds == 1 or self.held(Slot("acts", info, "")):
            self.state.facts = frozenset()
        if isinstance(info.node, ast.Lambda) and info.module is self.module:
            self.run_function(info)
        if info.generator or isinstance(info.node, ast.AsyncFunctionDef):
            if info.generator:
                return frozenset({Opaque(("generator", info))})
        return self.resolved(self.held(Slot("return", info, "")), node, mapping)

    def eval_Lambda(self, node: ast.Lambda) -> Abstract:
        info = self.module.functions[node]
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.consume(self.eval(default), default, "used as a default value")
        self.run_function(info)
        return frozenset({Function(info)})

    def eval_Await(self, node: ast.Await) -> Abstract:
        values = self.waited_for(self.eval(node.value))
        self.state.facts = frozenset()  # others run in between
        return values

    def eval_NamedExpr(self, node: ast.NamedExpr) -> Abstract:
        values = self.eval(node.value)
        self.assign(node.target, values, node.value)
        return values

    def eval_IfExp(self, node: ast.IfExp) -> Abstract:
        self.eval(node.test)
        before = self.state
        self.state = before.copy()
        body = self.eval(node.body)
        after_body, self.state = self.state, before.copy()
        orelse = self.eval(node.orelse)
        self.state = merge((after_body, self.state))
        return join(body, orelse)

    def eval_BoolOp(self, node: ast.BoolOp) -> Abstract:
        parts = [self.eval(node.values[0])]
        for part in node.values[1:]:
            before = self.state.copy()
            parts.append(self.eval(part))
            self.state = merge((before, self.state))
        result: Abstract = BOTTOM
        for index, values in enumerate(parts):
            if isinstance(node.op, ast.Or) and index < len(parts) - 1:
                values = frozenset(v for v in values if not (isinstance(v, Const) and not v.value))
            result = join(result, values)
        return result or self.unknown(id(node))

    def eval_UnaryOp(self, node: ast.UnaryOp) -> Abstract:
        values = self.eval(node.operand)
        value = next(iter(values)) if len(values) == 1 else None
        if (
            isinstance(node.op, ast.USub)
            and isinstance(value, Const)
            and isinstance(value.value, int | float)
        ):
            return frozenset({Const.of(-value.value)})
        return frozenset({Opaque(id(node), Shape.NUMBER)})

    def eval_Compare(self, node: ast.Compare) -> Abstract:
        left = self.eval(node.left)
        rights = [self.eval(c) for c in node.comparators]
        with_none = all(values == frozenset({NONE}) for values in rights)
        if not with_none and left != frozenset({NONE}):
            self.consume(left, node.left, "compared")
            for operator, comparator, values in zip(
                node.ops, node.comparators, rights, strict=False
            ):
                if isinstance(operator, ast.In | ast.NotIn):
                    # Looking for a key: what the container holds is not touched.
                    values = frozenset(v for v in values if not isinstance(v, Container))
                self.consume(values, comparator, "compared")
        return frozenset({Opaque(id(node), Shape.NUMBER)})

    def eval_BinOp(self, node: ast.BinOp) -> Abstract:
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(node.op, ast.BitOr) and left and right:
            if all(isinstance(v, Container) and v.kind == "dict" for v in left | right):
                merged = self.container(node, "dict", (node.left, node.right), exact=False)
                held = join(self.elements_of(left), self.elements_of(right))
                self.absorb(merged, held)
                return merged
        self.consume(left, node.left, "used in an expression")
        self.consume(right, node.right, "used in an expression")
        found = {_shape(v) for v in left | right}
        for shape in (Shape.ARRAY, Shape.LIST, Shape.TEXT):
            if shape in found:
                return frozenset({Opaque(id(node), shape)})
        both = found and all(shape is Shape.NUMBER for shape in found)
        return frozenset({Opaque(id(node), Shape.NUMBER if both else Shape.ANY)})

    def eval_JoinedStr(self, node: ast.JoinedStr) -> Abstract:
        for child in node.values:
            if isinstance(child, ast.FormattedValue):
                self.consume(self.eval(child.value), child.value, "formatted as text")
                if child.format_spec is not None:
                    self.eval(child.format_spec)
        return frozenset({Opaque(id(node), Shape.TEXT)})

    def eval_Yield(self, node: ast.Yield) -> Abstract:
        if node.value is not None and self.function is not None:
            given = self.eval(node.value)
            self.consume(_partial_in(given), node.value, "yielded")
            self.store(Slot("yield", self.function, ""), given)
        self.state.facts = frozenset()  # others run in between
        return frozenset({Opaque(id(node))})

    # Containers -----------------------------------------------------------------------

    def container(
        self, node: ast.expr, kind: str, items: tuple[ast.expr, ...], exact: bool = True
    ) -> Abstract:
        """A new list, tuple, set or dict."""
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(self.flow, node, kind, items, exact)
        for item in items:
            content.element = join(content.element, self.flow.value(item))
        content.element = join(
            content.element,
            self.held(Slot("element", None, repr(id(node)))),
        )
        return frozenset({Container(node, kind)})

    def eval_List(self, node: ast.List | ast.Tuple | ast.Set) -> Abstract:
        exact = True
        for item in node.elts:
            if isinstance(item, ast.Starred):
                exact = False
                self.consume(self.eval(item.value), item, "unpacked")
            else:
                self.eval(item)
        kind = type(node).__name__.lower()
        return self.container(node, kind, tuple(node.elts), exact)

    eval_Tuple = eval_Set = eval_List

    def eval_Dict(self, node: ast.Dict) -> Abstract:
        exact = True
        for key in node.keys:
            if key is None:
                exact = False
            else:
                self.consume(_tracked(self.eval(key)), key, "used as a key")
        unpacked: Abstract = BOTTOM
        for key, value in zip(node.keys, node.values, strict=False):
            values = self.eval(value)
            if key is None:
                self.consume(values, value, "unpacked")
                unpacked = join(unpacked, self.elements_of(values))
        made = self.container(node, "dict", tuple(node.values), exact)
        self.absorb(made, unpacked)
        return made

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        self.loop_depth += 1
        self.shadows.append({})
        for generator in node.generators:
            iterated = self.eval(generator.iter)
            self.shadow(generator.target, self.elements(iterated, generator.iter))
            for condition in generator.ifs:
                self.eval(condition)
        if isinstance(node, ast.DictComp):
            self.consume(_tracked(self.eval(node.key)), node.key, "used as a key")
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        held = self.eval(element)
        # Objects and futures are followed out of what is made of them.
        followed = BOTTOM if isinstance(node, ast.SetComp) else _tracked(held)
        self.consume(held - followed, element, "collected")
        self.shadows.pop()
        self.loop_depth -= 1

    def shadow(self, target: ast.expr, values: Abstract) -> None:
        """Bind the target of a comprehension, which no other code sees."""
        self.flow.values[target] = values
        self.flow.scope_of[target] = self.function
        if isinstance(target, ast.Name):
            self.shadows[-1][target.id] = values
        elif isinstance(target, ast.Starred):
            self.shadow(target.value, values)
        elif isinstance(target, ast.Tuple | ast.List):
            content = self.flow.content(values)
            exact = (
                content is not None
                and content.exact
                and not content.changed
                and len(content.items) == len(target.elts)
            )
            for index, item in enumerate(target.elts):
                if exact and content is not None:
                    self.shadow(item, self.recall(content.items[index], content))
                elif content is not None and content.kind == "pair" and index == 0:
                    self.shadow(item, frozenset({Opaque(("key", id(target)))}))
                else:
                    self.shadow(item, self.elements(values, target))

    def eval_ListComp(self, node: ast.ListComp | ast.SetComp) -> Abstract:
        self.comprehension(node)
        return self.eval_elements(node)

    eval_SetComp = eval_ListComp

    def eval_GeneratorExp(self, node: ast.GeneratorExp) -> Abstract:
        self.comprehension(node)
        if any(isinstance(v, Object | Later) for v in self.flow.value(node.elt)):
            return self.eval_elements(node)
        return frozenset({Opaque(id(node))})

    def eval_elements(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Abstract:
        """The container that a comprehension makes."""
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(
                self.flow, node, "list", (node.elt,), exact=False
            )
        content.element = join(content.element, self.flow.value(node.elt))
        return frozenset({Container(node, "list")})

    def eval_DictComp(self, node: ast.DictComp) -> Abstract:
        self.comprehension(node)
        content = self.flow.contents.get(node)
        if content is None:
            content = self.flow.contents[node] = Content(
                self.flow, node, "dict", (node.value,), exact=False
            )
        content.element = join(content.element, self.flow.value(node.value))
        if not any(isinstance(v, Object | Later) for v in content.element):
            return frozenset({Opaque(id(node), Shape.DICT)})
        return frozenset({Container(node, "dict")})

    def item_at(self, content: Content, key: object) -> Abstract | None:
        """What a dict that never changes holds under a key; None when that is not known."""
        if not (isinstance(content.node, ast.Dict) and content.exact) or content.changed:
            return None
        for known, item in zip(content.node.keys, content.node.values, strict=True):
            if isinstance(known, ast.Constant) and known.value == key:
                return self.recall(item, content)
        return None

    def an_item(self, element: Abstract, node: ast.expr) -> Abstract:
        """One of the things that a list or dict holds; which of the constants is not known."""
        found = frozenset(v for v in element if not isinstance(v, Const))
        if found == element:
            return element
        return found | {Opaque(("item", id(node)))}

    def eval_Subscript(self, node: ast.Subscript) -> Abstract:
        container = self.eval(node.value)
        index_values = self.eval(node.slice)
        if ModuleValue("sys.modules") in container and any(
            isinstance(v, Const) and self.library.is_package(str(v.value)) for v in index_values
        ):
            self.flow.computed[node] = "sys.modules"
        content = self.flow.content(container)
        if content is not None:
            if isinstance(node.slice, ast.Slice):
                return self.part_of(node, content)
            if content.kind == "pair" and isinstance(node.slice, ast.Constant):
                if node.slice.value == 0:
                    return frozenset({Opaque(("key", id(node)))})
            index = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if (
                content.exact
                and not content.changed
                and not content.appended
                and content.kind in ("list", "tuple")
                and isinstance(index, int)
                and 0 <= index < len(content.items)
            ):
                return self.recall(content.items[index], content)
            there = self.item_at(content, index)
            if there is not None:
                return there
            return self.an_item(content.element, node) or self.unknown(("item", id(node)))
        held: Abstract = BOTTOM
        for value in container:
            if self.is_list_of_objects(value):
                part = isinstance(node.slice, ast.Slice)
                inner = self.elements(frozenset({value}), node)
                held = join(held, self.several_of(value, inner) if part else inner)
            if isinstance(value, Container) and value.origin in self.flow.contents:
                held = join(held, self.flow.contents[value.origin].element)
        held = self.an_item(held, node)
        if held:
            others = frozenset(
                v
                for v in container
                if not isinstance(v, Container) and v != NONE and not self.is_list_of_objects(v)
            )
            return join(held, frozenset({Opaque(("item", id(node)))})) if others else held
        for value in container:
            if isinstance(value, Object):
                self.subscripted(value, node)
        if not container and self.settling:
            return BOTTOM
        if isinstance(node.slice, ast.Slice):
            return frozenset({self.copied(container, ("item", id(node)))})
        return frozenset({Opaque(("item", id(node)), _shape_of_elements(container))})

    def is_list_of_objects(self, value: Value) -> bool:
        """Whether the value is a list of objects that the library gave."""
        if isinstance(value, Object):
            return self.library.item_of(value.kind) is not None
        return isinstance(value, Opaque) and _is_several(value)

    def several_of(self, whole: Value, inner: Abstract) -> Abstract:
        """A part of a list of library objects, itself a plain list."""
        if isinstance(whole, Opaque):
            return frozenset({whole})
        return frozenset(
            Opaque(("list of", item.kind, item.origin), Shape.LIST)
            for item in inner
            if isinstance(item, Object)
        )

    def yields(self, generator: Opaque) -> Abstract:
        """What a generator of the program gives."""
        assert isinstance(generator.origin, tuple)
        return self.held(Slot("yield", generator.origin[1], ""))

    def part_of(self, node: ast.expr, content: Content) -> Abstract:
        """A new list with some of the elements of another."""
        made = self.flow.contents.get(node)
        if made is None:
            made = self.flow.contents[node] = Content(self.flow, node, "list", (), exact=False)
        made.element = join(made.element, content.element)
        return frozenset({Container(node, "list")})

    def subscripted(self, value: Object, node: ast.Subscript) -> None:
        """``object[...]``: fine where the library's replacement can be subscripted too."""
        self.escape(value, node.value, "subscripted")

    def elements_of(self, values: Abstract) -> Abstract:
        """What the lists and dicts among ``values`` hold."""
        held: Abstract = BOTTOM
        for value in values:
            content = self.flow.contents.get(value.origin) if isinstance(value, Container) else None
            held = join(held, content.element if content is not None else BOTTOM)
        return held

    def elements(self, container: Abstract, node: ast.AST) -> Abstract:
        """What iterating over ``container`` gives."""
        result: Abstract = BOTTOM
        for value in container:
            if isinstance(value, Container):
                content = self.flow.contents.get(value.origin)
                if content is not None and value.kind != "dict":
                    result = join(result, content.element)
            elif isinstance(value, Opaque) and _is_generator(value):
                result = join(result, self.yields(value))
            elif isinstance(value, Opaque) and _is_several(value):
                assert isinstance(value.origin, tuple)
                result = join(result, frozenset({Object(value.origin[1], value.origin[-1])}))
            elif isinstance(value, Object) and (kind := self.library.item_of(value.kind)):
                result = join(result, frozenset({Object(kind, value.origin)}))
            else:
                if isinstance(value, Object):
                    self.escape(value, node, "iterated over")
                origin = _origin(value)
                if not _is_element_of(origin, id(node)):
                    origin = ("element", origin, id(node))
                made = Opaque(origin, _shape_of_elements({value}))
                result = join(result, frozenset({made}))
        return result or self.unknown(("element", id(node)))


def _is_class_name(node: ast.expr) -> bool:
    """``list`` in ``defaultdict(list)``: nothing that would be held."""
    return isinstance(node, ast.Name) and node.id in _BUILTINS


def _enters_itself(info: ClassInfo) -> bool:
    """Whether ``with`` gives the object itself, as the base class of the standard library does."""
    names = {_last_name(base) for owner in info.ancestry() for base in owner.node.bases}
    return bool(names & {"AbstractContextManager", "AbstractAsyncContextManager"})


def _is_several(value: Opaque) -> bool:
    return isinstance(value.origin, tuple) and value.origin[0] == "list of"


def _tuple_of(values: Abstract) -> tuple[str, ...] | None:
    """The kinds of the library objects that a tuple result holds."""
    value = next(iter(values)) if len(values) == 1 else None
    if isinstance(value, Opaque) and isinstance(value.origin, tuple):
        if value.origin[0] == "tuple of":
            return value.origin[1:-1]
    return None


def _partial_in(values: Abstract) -> Abstract:
    """The partial functions among the values, which others may give more arguments."""
    return frozenset(v for v in values if isinstance(v, Later) and v.form is Form.FUNCTION)


def _tracked(values: Abstract) -> Abstract:
    """The objects among the values, and what gives objects later."""
    return frozenset(v for v in values if isinstance(v, Object | Later))


def _is_lambda(value: Value) -> bool:
    return isinstance(value, Function) and isinstance(value.info.node, ast.Lambda)


def _is_made(value: Value) -> bool:
    return (
        isinstance(value, Opaque) and isinstance(value.origin, tuple) and value.origin[0] == "made"
    )


def _is_generator(value: Opaque) -> bool:
    return isinstance(value.origin, tuple) and value.origin[0] == "generator"


def _objects_in(values: Abstract) -> bool:
    return any(isinstance(v, Object) for v in values)


def _is_element_of(origin: Hashable, node: int) -> bool:
    """Whether a value was already taken out at ``node``: a recursion tells nothing new."""
    while isinstance(origin, tuple) and origin[:1] == ("element",):
        if origin[-1] == node:
            return True
        origin = origin[1]
    return False


def _origin(value: Value) -> Hashable:
    match value:
        case Opaque(origin=origin):
            return origin
        case ModuleValue(name=name) | Library(name=name):
            return name
    return value


def _shape(value: Value) -> Shape:
    match value:
        case Opaque(shape=shape):
            return shape
        case Container(kind="dict"):
            return Shape.DICT
        case Container():
            return Shape.LIST
        case Const(value=str()):
            return Shape.TEXT
        case Const(value=int() | float()):
            return Shape.NUMBER
    return Shape.ANY


def _shape_of_elements(values: Iterable[Value]) -> Shape:
    """The shape of what the values hold, where all promise the same."""
    found = {v.element if isinstance(v, Opaque) else Shape.ANY for v in values}
    return found.pop() if len(found) == 1 else Shape.ANY


def shape_of(value: Value) -> Shape:
    """As much as a value tells of its shape."""
    return _shape(value)


def _last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return ""


def _homes(values: Abstract) -> list[Module]:
    """The modules of the program that values are."""
    return [v.home for v in values if isinstance(v, ModuleValue) and isinstance(v.home, Module)]


def _source_name(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return "?"


def _class_around(info: FunctionInfo) -> ClassInfo | None:
    current: FunctionInfo | None = info
    while current is not None:
        if current.owner is not None:
            return current.owner
        current = current.parent
    return None


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )
