"""The modules of a program, interpreted together until nothing that they share changes."""

from __future__ import annotations

import ast
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from migrate_milvus.decorating import see_through
from migrate_milvus.flow import Flow, LibraryModel, Slot, united
from migrate_milvus.interpreter import Interpreter
from migrate_milvus.linking import link_bases
from migrate_milvus.program import ClassInfo, FunctionInfo, Module, Program, collect
from migrate_milvus.project import ModuleGraph
from migrate_milvus.syntax import SourceText
from migrate_milvus.values import (
    BOTTOM,
    NONE,
    Abstract,
    Bound,
    Class,
    Container,
    Function,
    Instance,
    Later,
    Library,
    Object,
    Opaque,
    several_of,
)

# Values only ever grow, and not without end: this many rounds are never needed.
ROUNDS = 60
# What reads names of a module that the code does not name.
_COMPUTES = re.compile(r"\b(?:getattr|setattr|delattr|vars|__dict__|patch|globals)\b")
# Modules that turn out to matter: the longest chains of real programs need four passes. Beyond that
# all modules are analysed.
_PASSES = 6


def interpret(source: SourceText, library: LibraryModel) -> Flow:
    """Analyse a program of one module."""
    return World({source.name: source}, library, None).interpret({source.name})


class World:
    """The parsed modules of a project that imports connect; some of them are analysed.

    ``graph`` is None for a program of one module. ``connects`` tells whether a symbol opens a
    connection: what callers of a module that opens none pass to it may have to change. ``naming``
    are the modules that name the library.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceText],
        library: LibraryModel,
        graph: ModuleGraph | None,
        connects: Callable[[str], bool] = lambda symbol: True,
        naming: Iterable[str] = (),
    ) -> None:
        self.sources = sources
        self.connects = connects
        self.naming = frozenset(naming)
        self.library = library
        self.graph = graph
        self.modules: dict[str, Module] = {}
        self.interpreters: dict[str, Interpreter] = {}
        self.blind: dict[str, set[Module]] = defaultdict(set)
        self.wanted: set[str] = set()
        # The analysed modules but those that are only imported for their constants and functions.
        self.core: set[str] = set()
        self._readers: dict[Slot, dict[Interpreter, int]] = defaultdict(dict)
        self._found: dict[tuple[int, tuple[str, ...], str], str | None] = {}

    def interpret(self, names: Iterable[str]) -> Flow:
        """Analyse the modules ``names``, those that their objects reach, and what these import.

        Raises RecursionError for code that is nested too deeply.
        """
        self.core = self._with_naming(set(names))
        active = self._with_imported(self.core)
        for number in itertools.count(1):
            self._start(active)
            self._settle(True)
            more = (self.wanted | self._takers(active)) & self.sources.keys() - self.core
            self.core |= self._with_naming(more if number < _PASSES else set(self.sources))
            if self._with_imported(self.core) <= active:
                break
            active |= self._with_imported(self.core)
        self._settle(False)
        flow = united([self.interpreters[name].flow for name in sorted(active)])
        flow.blind_to = self.blind_to
        return flow

    def _with_naming(self, names: set[str]) -> set[str]:
        """``names``, with the modules that they import, however far, and that name the library."""
        found, queue = set(names), list(names)
        while queue and self.graph is not None:
            for target in self.graph.targets(queue.pop()) & self.naming - found:
                found.add(target)
                queue.append(target)
        return found

    def _with_imported(self, names: set[str]) -> set[str]:
        """``names``, with the modules whose constants, functions and classes they import.

        Of classes, also the modules of their bases.
        """
        found, queue = set(names), list(names)
        while queue and self.graph is not None:
            name = queue.pop()
            if name in names or self._inherits(name):
                new = (self.graph.targets(name) & self.sources.keys()) - found
                found |= new
                queue.extend(new)
        return found & self.sources.keys()

    def _inherits(self, name: str) -> bool:
        """Whether a module has classes with bases."""
        body = self.sources[name].tree.body
        return any(isinstance(node, ast.ClassDef) and node.bases for node in body)

    def _start(self, active: set[str]) -> None:
        self.modules = {name: collect(self.sources[name]) for name in sorted(active)}
        self.interpreters = {}
        self._readers.clear()
        self.blind.clear()
        self.wanted.clear()
        if self.graph is not None:
            link_bases(self.modules.values(), self.module)
        graph = self.graph
        see_through(
            self.modules.values(),
            self.sources,
            graph.find if graph is not None else lambda level, parts, importer: None,
        )
        shared: Flow | None = None
        for name in self._in_order():
            flow = Flow(self.sources[name], Program((self.modules[name],)), self.library)
            if shared is not None:
                flow.store, flow.contents = shared.store, shared.contents
                flow.escaped_functions = shared.escaped_functions
            shared = shared or flow
            for word in self.graph.replaced(name) if self.graph is not None else ():
                flow.store[Slot("blind", self.modules[name], word)] = frozenset({NONE})
            self.interpreters[name] = Interpreter(flow, self)

    def _settle(self, settling: bool) -> None:
        """Run rounds until nothing changes: a phase."""
        pending = list(self.interpreters.values())
        for interpreter in pending:
            interpreter.settling = settling
        for _ in range(ROUNDS):
            for interpreter in pending:
                interpreter.round()
            pending = [
                known
                for known in self.interpreters.values()
                if known.stale or (known.grew and not settling)
            ]
            if not pending:
                return
        raise RuntimeError(f"the values in {pending[0].module.name} do not settle")

    def _in_order(self) -> list[str]:
        """The names in an order in which modules that others import come before them."""
        ordered: list[str] = []
        seen: set[str] = set()
        for start in self.modules:
            stack = [(start, False)]
            while stack:
                name, done = stack.pop()
                if done:
                    ordered.append(name)
                elif name not in seen and name in self.modules:
                    seen.add(name)
                    stack.append((name, True))
                    if self.graph is not None:
                        targets = sorted(self.graph.targets(name), reverse=True)
                        stack += [(target, False) for target in targets if target not in seen]
        return ordered

    # Which modules matter -------------------------------------------------------------

    def _takers(self, active: set[str]) -> set[str]:
        """The modules that reach library objects through what they import."""
        if self.graph is None:
            return set()
        reach = _Reach(self)
        found: set[str] = set()
        for name in active:
            leading: set[str] | None = None
            for user in self.graph.importers(name):
                if user in active or user in found:
                    continue
                if leading is None:
                    leading = reach.names(self.modules[name], self._connects(name))
                words = self.graph.words(name, user)
                if leading & words or (leading and _COMPUTES.search(self.sources[user].text)):
                    found.add(user)
        for path, module in self.modules.items():
            if path.rpartition("/")[2] == "conftest.py":
                fixtures = {f.name for f in module.functions.values() if "fixture" in f.decorators}
                folder = path[: -len("conftest.py")]
                found |= {
                    other
                    for other in self.sources
                    if other.startswith(folder) and fixtures & self.graph.parameters(other)
                }
        return found

    def _connects(self, name: str) -> bool:
        """Whether a module opens a connection itself."""
        sites = self.interpreters[name].flow.sites.values()
        return any(self.connects(site.symbol) for found in sites for site in found)

    # What interpreters ask ------------------------------------------------------------

    def module(self, level: int, parts: Sequence[str], importer: Module) -> Module | str | None:
        """What an import path names; see ``Surroundings``."""
        if self.graph is None:
            return None
        key = (level, tuple(parts), importer.name)
        if key not in self._found:
            self._found[key] = self.graph.find(level, parts, importer.name)
        found = self._found[key]
        return self.modules.get(found, found) if found is not None else None

    def submodule(self, package: Module, name: str) -> Module | str | None:
        """What ``package.name`` names."""
        if self.graph is None or not package.name.endswith("__init__.py"):
            return None
        return self.module(1, [name], package)

    def ambiguous(self, level: int, parts: Sequence[str], importer: Module) -> list[Module]:
        """The modules that an import path may name, when it is not known which."""
        if self.graph is None or self.graph.find(level, parts, importer.name) is not None:
            return []
        found = self.graph.candidates(level, parts, importer.name)
        return [self.modules[name] for name in found if name in self.modules]

    def fixture(self, name: str, module: Module) -> FunctionInfo | None:
        """What pytest calls for a parameter that is named like a fixture."""
        folder = PurePosixPath(module.name).parent
        while True:
            known = self.modules.get((folder / "conftest.py").as_posix())
            if known is not None and known is not module:
                for info in known.functions.values():
                    if info.name == name and "fixture" in info.decorators and info.owner is None:
                        return info
            if folder == folder.parent:
                return None
            folder = folder.parent

    def blind_to(self, attribute: str, module: Module) -> list[Module]:
        """The modules that read an attribute of something unknown, and import ``module``."""
        return [
            reader
            for reader in self.blind.get(attribute, ())
            if reader is not module
            and self.graph is not None
            and self.graph.reaches(reader.name, module.name)
        ]

    def receives(self, path: str) -> None:
        """A module that is not analysed is passed an object."""
        self.wanted.add(path)

    def grew(self, slot: Slot) -> None:
        """A slot holds more than before."""
        for reader, number in self._readers.get(slot, {}).items():
            if reader.rounds == number:
                reader.stale = True

    def reads(self, slot: Slot, reader: Interpreter) -> None:
        """A slot was read."""
        self._readers[slot][reader] = reader.rounds


class _Reach:
    """Whether library objects are reached through a value."""

    def __init__(self, world: World) -> None:
        self.library = world.library
        self.flow = next(iter(world.interpreters.values())).flow
        self._known: dict[FunctionInfo | ClassInfo, bool] = {}
        self._attributes: dict[object, list[tuple[Slot, Abstract]]] = defaultdict(list)
        for slot, values in self.flow.store.items():
            if slot.kind == "attribute":
                self._attributes[slot.owner].append((slot, values))

    def names(self, module: Module, connects: bool) -> set[str]:
        """The names of a module through which library objects are reached.

        Where the module does not connect, also those of functions that use the library: they may
        have to be passed a client.
        """
        return {
            slot.name
            for slot, values in self.flow.store.items()
            if slot.kind == "global"
            and slot.owner is module
            and (self.leads(values) or (not connects and self._acts(values)))
        }

    def _acts(self, values: Abstract) -> bool:
        return any(
            isinstance(v, Function) and Slot("acts", v.info, "") in self.flow.store for v in values
        )

    def leads(self, values: Abstract) -> bool:
        """Whether one of the values is a library object, or leads to one."""
        return any(self._leads(value) for value in values)

    def _leads(self, value: object) -> bool:
        match value:
            case Object(kind=kind):
                return self.library.is_site(kind) or kind in self.library.result_kinds()
            case Bound(owner=owner):
                return self.library.is_site(owner.kind)
            case Library(name=name):
                return self.library.is_site(name) or self.library.is_class(name)
            case Later():
                return True
            case Function(info=info):
                return self._function(info)
            case Class(info=info) | Instance(info=info):
                return self._class(info)
            case Container(origin=origin) if origin in self.flow.contents:
                return any(
                    self._leads(item)
                    for item in self.flow.contents[origin].element
                    if not isinstance(item, Container)
                )
            case Opaque() if several_of(value) is not None:
                return True
            case Opaque(origin=("generator", FunctionInfo() as info)):
                return self._function(info)
        return False

    def _function(self, info: FunctionInfo) -> bool:
        if info not in self._known:
            self._known[info] = False
            held = (
                self.flow.store.get(Slot(kind, info, ""), BOTTOM) for kind in ("return", "yield")
            )
            takes = (
                any(
                    isinstance(v, Object) and self._leads(v)
                    for v in self.flow.store.get(Slot("local", info, parameter.arg), BOTTOM)
                )
                for parameter in info.parameters
            )
            self._known[info] = any(self.leads(values) for values in held) or any(takes)
        return self._known[info]

    def _class(self, info: ClassInfo) -> bool:
        """A class by what its own code, and that of its bases, can reach; not by derived ones."""
        if info not in self._known:
            self._known[info] = False
            ancestry = list(info.ancestry())
            named: set[str] = set()
            for base in ancestry:
                named |= base.module.attributes | base.module.identifiers
            self._known[info] = any(
                self._function(method) for base in ancestry for method in base.methods.values()
            ) or any(
                self.leads(values)
                for slot, values in self._attributes.get(info.family, ())
                if slot.name in named
            )
        return self._known[info]
