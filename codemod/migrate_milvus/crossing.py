"""What goes from module to module: which may see what, and how one names what another holds."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from migrate_milvus.flow import Flow, Site, Slot
from migrate_milvus.placement import free_name, is_main_guard
from migrate_milvus.program import ClassInfo, FunctionInfo, Module
from migrate_milvus.project import ModuleGraph, import_paths
from migrate_milvus.values import ModuleValue


@dataclass(frozen=True)
class Beside:
    """Where an import is added: before a statement, or after it."""

    statement: ast.stmt
    after: bool = False


class Crossing:
    """The ways between the modules of a program, and the imports that one round of planning adds.

    ``graph`` is None for a program of one module.
    """

    def __init__(self, flow: Flow, graph: ModuleGraph | None) -> None:
        self.flow = flow
        self.graph = graph
        self._imported = {
            slot for reader, slot in flow.reads.items() if isinstance(reader, ast.alias)
        }.union(flow.starred)
        self.names: dict[tuple[Module, ast.ImportFrom], set[str]] = defaultdict(set)
        self.lines: dict[tuple[Module, str], Beside | None] = {}

    def start(self) -> None:
        """Forget the imports that the round before added."""
        self.names.clear()
        self.lines.clear()

    # Who sees what ----------------------------------------------------------------------

    def is_imported(self, slot: Slot) -> bool:
        """Whether a module binds the name of another one's variable."""
        return slot in self._imported

    def is_seen_elsewhere(self, slot: Slot) -> bool:
        """Whether another module may read what a slot holds, other than through the flow."""
        if slot.kind == "attribute" and isinstance(slot.owner, ClassInfo):
            return bool(self.blind_readers(slot.name, slot.owner.module))
        return self.is_imported(slot) or bool(self.unclear(slot))

    def blind_users(self, function: FunctionInfo) -> tuple[str, ...]:
        """The modules that may use a function by something that is not known there."""
        if function.owner is not None and function.name != "__init__":
            return self.blind_readers(function.name, function.module)
        name = function.owner.name if function.owner is not None else function.name
        return self.unclear(Slot("global", function.module, name))

    def blind_readers(self, attribute: str, module: Module) -> tuple[str, ...]:
        """The modules that read an attribute of something unknown, and import ``module``."""
        return tuple(sorted(reader.name for reader in self.flow.blind_to(attribute, module)))

    def sees(self, module: Module, other: Module) -> bool:
        """Whether a module is another one, or imports it, however far."""
        if module is other:
            return True
        return self.graph is not None and self.graph.reaches(module.name, other.name)

    def all_users_known(self, function: FunctionInfo) -> bool:
        """Whether every module that names a function is analysed."""
        if self.graph is None:
            return True
        known = {module.name for module in self.flow.program.modules}
        return known.issuperset(self.graph.users(function.module.name, function.name))

    def unclear(self, slot: Slot) -> tuple[str, ...]:
        """The modules that may import a name, where it is not known which module they mean."""
        if not isinstance(slot.owner, Module) or self.graph is None:
            return ()
        if Slot("blind", slot.owner, slot.name) not in self.flow.store:
            return ()
        return self.graph.users(slot.owner.name, slot.name) or ("?",)

    def home(self, module: Module, homes: Sequence[Module]) -> Module | None:
        """Which of the modules that open a connection a module gets it from; None: not known."""
        if module in homes:
            return module
        if self.graph is None:
            return None
        reached = [home for home in homes if self.graph.reaches(module.name, home.name)]
        if len(reached) == 1:
            return reached[0]
        return homes[0] if len(homes) == 1 and not reached else None

    def only_as_script(self, node: ast.AST) -> bool:
        """Whether the code runs only when its module is run as a script."""
        parents = self.flow.source.parents
        while node in parents:
            node = parents[node]
            if isinstance(node, ast.If) and is_main_guard(node):
                return True
        return False

    def _may_load(self, module: Module, home: Module) -> bool:
        """Whether it makes no difference that a module imports ``home``."""
        assert self.graph is not None
        known = {other.name: other for other in self.flow.program.modules}
        queue, seen = [home.name], set[str]()
        while queue:
            name = queue.pop()
            if name in seen or self.graph.loads(module.name, name):
                continue
            seen.add(name)
            if name not in known or not _is_quiet(known[name]):
                return False
            queue += [t for t in self.graph.targets(name) if self.graph.loads(name, t)]
        return True

    # Names for what another module holds --------------------------------------------------

    def can_import(self, module: Module, home: Module) -> bool:
        """Whether a module can reach what ``home`` holds by an import."""
        return (
            self.graph is not None
            and not self.graph.reaches(home.name, module.name)
            and self._may_load(module, home)
        )

    def name_of(self, home: Module, name: str, site: Site) -> str | None:
        """The expression for a variable that ``home`` sets when it is imported; None: no way."""
        if self.graph is None or self.graph.reaches(home.name, site.module.name):
            return None  # it may not be set yet
        if not self.graph.loads(site.module.name, home.name):
            return None  # it would be set earlier than before
        known = self._module_reference(home, site.module)
        if known is not None:
            return f"{known}.{name}"
        statement = self._import_from(home, site.module)
        bound = free_name(name, lambda n: n in site.module.identifiers)
        written = name if bound == name else f"{name} as {bound}"
        if statement is not None and statement.names[0].name == "*":
            # It is among the names that the star stands for, where no list says otherwise.
            return name if bound == name and "__all__" not in home.identifiers else None
        if statement is not None:
            self.names[site.module, statement].add(written)
            return bound
        path = self._path(site.module, home)
        if path is None:
            return None
        line = f"from {path} import {written}"
        self.lines[site.module, line] = self._beside(home, site.module)
        return bound

    def reference_to(self, home: Module, site: Site) -> str | None:
        """The expression for a module; None when it cannot be imported."""
        known = self._module_reference(home, site.module)
        if known is not None:
            return known
        if self.graph is None:
            return None
        if self.graph.reaches(home.name, site.module.name):
            return None
        if not self._may_load(site.module, home):
            return None  # what it does would be done earlier than before
        statement = self._import_from(home, site.module)
        path = self._path(site.module, home)
        if path is None:
            return None
        package, _, last = path.rpartition(".")
        package = path[: len(path) - len(last)] if not package.strip(".") else package
        bound = free_name(last, lambda n: n in site.module.identifiers)
        alias = "" if bound == last else f" as {bound}"
        line = f"from {package} import {last}{alias}" if package else f"import {last}{alias}"
        beside = Beside(statement) if statement is not None else self._beside(home, site.module)
        self.lines[site.module, line] = beside
        return bound

    def _module_reference(self, home: Module, module: Module) -> str | None:
        """The expression by which a module already names another."""
        for alias, dotted in self.flow.imports.items():
            if self.flow.scope(alias) is not module:
                continue
            bound = alias.asname or alias.name.partition(".")[0]
            write = self.flow.writes[Slot("global", module, bound)].get(alias)
            if write is None:
                continue
            if any(isinstance(v, ModuleValue) and v.home is home for v in write.values):
                if self.flow.is_stable(write.slot):
                    return bound
            if "." in alias.name and not alias.asname and self.graph is not None:
                if self.graph.find(0, dotted.split("."), module.name) == home.name:
                    return dotted
        return None

    def _import_from(self, home: Module, module: Module) -> ast.ImportFrom | None:
        """The statement at the level of the module that imports names of another one."""
        for statement in module.tree.body:
            if isinstance(statement, ast.ImportFrom) and self._means(statement, home, module):
                return statement
        return None

    def _means(self, statement: ast.ImportFrom, home: Module, module: Module) -> bool:
        parts = statement.module.split(".") if statement.module else []
        return (
            self.graph is not None
            and bool(parts)
            and self.graph.find(statement.level, parts, module.name) == home.name
        )

    def _path(self, module: Module, home: Module) -> str | None:
        """The import path of ``home`` in ``module``, in the form of its other imports.

        Else in the form in which others import ``module``; None where that tells nothing.
        """
        if self.graph is None or home.name.rpartition("/")[2] == "conftest.py":
            return None  # pytest imports that its own way
        statements = list(self._imports(module))
        for statement in statements:
            if isinstance(statement, ast.ImportFrom) and self._means(statement, home, module):
                return "." * statement.level + (statement.module or "")
        for statement in statements:
            for level, parts in import_paths(statement):
                found = self.graph.find(level, parts, module.name)
                if found is None:
                    continue
                path = self._relative(module, home) if level else self._below(found, parts, home)
                if path is not None:
                    return path
        forms = self.graph.spelled(module.name)
        if forms and all(level for level, _ in forms):
            return self._relative(module, home)
        paths = {self._below(module.name, parts, home) for level, parts in forms if not level}
        return paths.pop() if len(paths) == 1 else None

    def _imports(self, module: Module) -> Iterator[ast.Import | ast.ImportFrom]:
        """The import statements of a module but those that may fail."""
        parents = self.flow.source.parents
        for statement in ast.walk(module.tree):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                around = parents.get(statement)
                if not isinstance(around, ast.Try) and not isinstance(around, ast.ExceptHandler):
                    yield statement

    @staticmethod
    def _relative(module: Module, home: Module) -> str | None:
        """The relative path of ``home``; None where it is in no package of ``module``."""
        package, wanted = list(PurePosixPath(module.name).parts[:-1]), _parts(home)
        shared = _shared(package, wanted)
        if shared == 0:
            return None
        return "." * (len(package) - shared + 1) + ".".join(wanted[shared:])

    @staticmethod
    def _below(found: str, parts: Sequence[str], home: Module) -> str | None:
        """The path of ``home`` below the folder in which ``parts`` lead to the module ``found``."""
        wanted = _parts(home)
        root = _parts_of(found)[: -len(parts)]
        return ".".join(wanted[len(root) :]) if wanted[: len(root)] == root else None

    def _beside(self, home: Module, module: Module) -> Beside | None:
        """Where an import of ``home`` goes; None where nothing of the project is imported yet.

        Behind what imports it already: it must not be done earlier than before.
        """
        assert self.graph is not None
        last: ast.stmt | None = None
        for statement in module.tree.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            for level, parts in import_paths(statement):
                found = self.graph.find(level, parts, module.name)
                if found is not None:
                    last = statement
                    if found == home.name or self.graph.loads(found, home.name):
                        return Beside(statement, after=True)
        return Beside(last, after=True) if last is not None else None


def _is_quiet(module: Module) -> bool:
    """Whether importing a module does nothing but define names."""
    return all(_only_defines(statement) for statement in module.tree.body)


def _only_defines(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return not any(isinstance(part, ast.Call) for part in statement.decorator_list)
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            return not any(isinstance(n, ast.Call) for n in ast.walk(value)) if value else True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If():
            return is_main_guard(statement)
    return False


def _parts(module: Module) -> list[str]:
    return _parts_of(module.name)


def _parts_of(name: str) -> list[str]:
    path = PurePosixPath(name)
    parts = [*path.parts[:-1], path.stem]
    return parts[:-1] if path.stem == "__init__" else parts


def _shared(package: list[str], wanted: list[str]) -> int:
    number = 0
    for own, other in zip(package, wanted[:-1], strict=False):
        if own != other:
            break
        number += 1
    return number
