"""What other modules of the project reach library objects through, and what they pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from pathlib import PurePosixPath

from migrate_milvus.flow import Elsewhere, Flow, Slot
from migrate_milvus.program import ClassInfo, FunctionInfo
from migrate_milvus.project import ModuleGraph
from migrate_milvus.values import (
    Abstract,
    Class,
    Container,
    Foreign,
    Function,
    Instance,
    Library,
    Object,
    Opaque,
    generator_of,
    several_of,
)


def exported(flow: Flow) -> dict[str, Foreign]:
    """The module's names through which its importers reach library objects."""
    exporter = _Exporter(flow)
    found: dict[str, Foreign] = {}
    for slot, values in flow.store.items():
        if slot.kind == "global":
            made = exporter.of_values(slot.name, values)
            if made.leads_on or made.kinds or made.symbol:
                found[slot.name] = made
    for info in flow.program.functions.values():
        if "fixture" in info.decorators and info.parent is None:
            made = exporter.given(info.name, info)
            if info.owner is None:
                # A test that names it gets what it gives, not the function.
                held = made.element or made
                found[info.name] = Foreign(
                    info.name, held.kinds, held.returns, held.members, held.makes, fixture=True
                )
    return found


class _Exporter:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.library = flow.library
        self.instances: dict[ClassInfo, Foreign] = {}
        self.functions: dict[FunctionInfo, Foreign] = {}

    def of_values(self, name: str, values: Abstract) -> Foreign:
        """A name that holds ``values``."""
        kinds: set[str] = set()
        parts: list[Foreign] = []
        symbol = ""
        for value in values:
            match value:
                case Object(kind=kind) if self.library.is_site(kind):
                    kinds.add(kind)
                case Library(name=library_name):
                    if self.library.is_site(library_name) or self.library.is_class(library_name):
                        symbol = library_name
                case Function(info=info, bound=bound):
                    parts.append(self.function(info, bound is not None))
                case Class(info=info):
                    parts.append(self.constructor(info))
                case Instance(info=info):
                    parts.append(self.instance(info))
                case Foreign():
                    parts.append(value)
                case Container(origin=origin) if origin in self.flow.contents:
                    parts.append(self.holder(name, self.flow.contents[origin].element))
                case Opaque() if (several := several_of(value)) is not None:
                    parts.append(Foreign(name, element=Foreign(name, frozenset({several}))))
                case Opaque() if (made := generator_of(value)) is not None:
                    parts.append(self.given(made.name, made))
        if not kinds and not symbol and len(parts) == 1:
            return parts[0]
        return _joined(name, frozenset(kinds), symbol, parts)

    def holder(self, name: str, element: Abstract) -> Foreign:
        """A container of ``element``."""
        relevant = frozenset(v for v in element if not isinstance(v, Container | Function))
        inner = self.of_values(name, relevant)
        return Foreign(name, element=inner if inner.leads_on or inner.kinds else None)

    def function(self, info: FunctionInfo, bound: bool = False) -> Foreign:
        """A function or method."""
        known = self.functions.get(info)
        if known is not None:
            return known
        key = f"{info.owner.name}.{info.name}" if info.owner is not None else info.name
        takes_self = info.is_method and (bound or info.owner is not None)
        # Entered before its result is known: it may return itself.
        self.functions[info] = Foreign(key, function=info, bound=takes_self)
        given = self.given(key, info)
        made = self.functions[info] = Foreign(
            key,
            returns=given.kinds,
            makes=given if given.leads_on else None,
            symbol="",
            function=info,
            bound=takes_self,
        )
        return made

    def given(self, key: str, info: FunctionInfo) -> Foreign:
        """What calling a function gives."""
        if info.generator:
            values = self.flow.store.get(Slot("yield", info, ""), frozenset())
            inner = self.of_values(key, values)
            return Foreign(key, element=inner)
        return self.of_values(key, self.flow.store.get(Slot("return", info, ""), frozenset()))

    def constructor(self, info: ClassInfo) -> Foreign:
        """A class: its own attributes, and the objects that it makes."""
        made = self.instance(info)
        initialiser = info.method("__init__")
        return Foreign(
            info.name, members=made.members, makes=made, function=initialiser, bound=True
        )

    def instance(self, info: ClassInfo) -> Foreign:
        """An object of a class of the module."""
        known = self.instances.get(info)
        if known is not None:
            return known
        made = self.instances[info] = Foreign(info.name)
        members = made.members
        for base in info.every_foreign_base():
            source = base.makes if base.makes is not None else base
            members.update(source.members)
        for slot, values in self.flow.store.items():
            if slot.kind == "attribute" and slot.owner is info.family:
                members[slot.name] = self.of_values(f"{info.name}.{slot.name}", values)
        for parent in reversed(list(info.ancestry())):
            for name, method in parent.methods.items():
                if method.is_property:
                    members[name] = self.given(f"{info.name}.{name}", method)
                else:
                    members[name] = self.function(method, bound=True)
        return made


def _joined(name: str, kinds: frozenset[str], symbol: str, parts: Iterable[Foreign]) -> Foreign:
    """One name for several things that it may hold."""
    returns: frozenset[str] = frozenset()
    members: dict[str, Foreign] = {}
    makes: Foreign | None = None
    element: Foreign | None = None
    function: FunctionInfo | None = None
    bound = False
    for part in parts:
        kinds |= part.kinds
        returns |= part.returns
        members |= part.members
        makes = makes or part.makes
        element = element or part.element
        symbol = symbol or part.symbol
        if part.function is not None and function is None:
            function, bound = part.function, part.bound
    return Foreign(
        name, kinds, returns, members, makes, symbol, element, function=function, bound=bound
    )


class Handed:
    """The kinds of objects that modules pass to functions of other modules."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self.changed: set[str] = set()

    def add(self, module: str, function: str, parameter: str, kind: str) -> None:
        """A caller passes an object of ``kind``."""
        kinds = self._kinds[module, function][parameter]
        if kind not in kinds:
            kinds.add(kind)
            self.changed.add(module)

    def get(self, module: str, function: str) -> Mapping[str, set[str]]:
        """What is passed to a function, by parameter."""
        return self._kinds.get((module, function), {})


class World:
    """What the modules of a project mean to one another."""

    def __init__(self, graph: ModuleGraph) -> None:
        self.graph = graph
        self.exports: dict[str, dict[str, Foreign]] = {}
        self.handed = Handed()
        self.homes: dict[FunctionInfo, str] = {}

    def publish(self, name: str, flow: Flow) -> None:
        """Take in what the analysis of a module found."""
        self.exports[name] = exported(flow)
        for info in flow.program.functions.values():
            self.homes[info] = name

    def seen_from(self, name: str) -> Neighbours:
        """The project, as the module ``name`` sees it."""
        return Neighbours(self, name)


class Neighbours(Elsewhere):
    """The other modules of the project, seen from one of them."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name

    def find(self, dotted: str) -> Foreign | None:
        exports = self.world.exports
        module, _, last = dotted.rpartition(".")
        found: Foreign | None = None
        if not last:
            return None
        for target in self.world.graph.modules(module or ".", self.name):
            known = exports.get(target, {}).get(last)
            if known is not None and not known.fixture:
                if known.matters:
                    return known
                found = found or known
        if found is not None:
            return found
        for target in self.world.graph.modules(dotted, self.name):
            if exports.get(target):
                return Foreign(dotted, members=exports[target], is_module=True)
        return None

    def star(self, module: str) -> Mapping[str, Foreign]:
        found: dict[str, Foreign] = {}
        for target in self.world.graph.modules(module, self.name):
            for name, known in self.world.exports.get(target, {}).items():
                if not name.startswith("_") and known.matters and not known.fixture:
                    found.setdefault(name, known)
        return found

    def fixture(self, name: str) -> Foreign | None:
        folder = PurePosixPath(self.name).parent
        while True:
            path = (folder / "conftest.py").as_posix()
            known = self.world.exports.get(path, {}).get(name)
            if known is not None and known.fixture and path != self.name:
                return known
            if folder == folder.parent:
                return None
            folder = folder.parent

    def hand(self, function: FunctionInfo, parameter: str, kind: str) -> None:
        home = self.world.homes.get(function)
        if home is not None and home != self.name:
            self.world.handed.add(home, function.key, parameter, kind)

    def handed(self, function: FunctionInfo) -> Mapping[str, set[str]]:
        return self.world.handed.get(self.name, function.key)

    def inputs(self) -> object:
        """Equal as long as nothing that the module takes from others has changed."""
        graph = self.world.graph
        names: list[tuple[str, Hashable]] = []
        for dotted in sorted(graph.imported(self.name)):
            if dotted.endswith(".*"):
                star = self.star(dotted[:-2])
                names.append((dotted, tuple((n, f.shape) for n, f in sorted(star.items()))))
                continue
            found = self.find(dotted)
            if found is None or not found.matters:
                continue
            if found.is_module and not graph.mentions(self.name, found.members):
                continue
            names.append((dotted, found.shape))
        for name in sorted(graph.parameters(self.name)):
            fixture = self.fixture(name)
            if fixture is not None and fixture.matters:
                names.append((f"fixture {name}", fixture.shape))
        return tuple(names)
