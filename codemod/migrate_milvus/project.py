"""Which module of the project imports which, and what it uses of it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from migrate_milvus.document import NO_MODULES
from migrate_milvus.names import unresolved

# unittest.mock, pytest-mock and pytest's monkeypatch.
_REPLACING = frozenset({"patch", "object", "setattr"})

# Folders that programs put on the path.
_ROOTS = frozenset({"src", "lib", "app", "python", "backend", "server"})


class ModuleGraph:
    """The imports among the parsed modules of a project, by displayed path."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._parts = {name: _parts(name) for name in trees}
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for name, parts in self._parts.items():
            if parts and is_module(name):
                self._by_last[parts[-1]].append(name)
        self._reached: dict[str, set[str]] = defaultdict(set)
        self._used_by: dict[str, dict[str, set[str]]] = defaultdict(dict)
        self._targets_of: dict[str, set[str]] = defaultdict(set)
        self._linked: dict[str, set[str]] = defaultdict(set)
        self._imported: dict[str, set[str]] = defaultdict(set)
        self._closures: dict[str, frozenset[str]] = {}
        self._loaded: dict[str, set[str]] = defaultdict(set)
        self._loadings: dict[str, frozenset[str]] = {}
        self._words: dict[str, set[str]] = {}
        self._parameters: dict[str, set[str]] = {}
        self._replaced: dict[str, dict[str, str]] = defaultdict(dict)
        self._statements: dict[str, list[ast.Import | ast.ImportFrom]] = defaultdict(list)
        self._spelled: dict[str, set[tuple[int, tuple[str, ...]]]] = defaultdict(set)
        for name, tree in trees.items():
            self._collect(name, tree)
        for name, tree in trees.items():
            self._collect_loaded(name, tree.body)
            self._collect_spelled(name)
        for name in trees:
            if name.rpartition("/")[2] == "conftest.py":
                self._link_fixtures(name, trees)

    def reached(self, name: str) -> frozenset[str]:
        """What importing modules mention: names that they import, and attributes as ``.name``."""
        return frozenset(self._reached.get(name, ()))

    def users(self, name: str, word: str) -> tuple[str, ...]:
        """The modules that use ``word`` of ``name``: a name, or an attribute as ``.word``."""
        return tuple(user for user, words in self._used_by[name].items() if word in words)

    def replaced(self, name: str) -> Mapping[str, str]:
        """The names of ``name`` that other modules replace, as tests do, with who does."""
        return dict(self._replaced.get(name, {}))

    def targets(self, name: str) -> frozenset[str]:
        """The modules that ``name`` imports."""
        return frozenset(self._targets_of.get(name, ()))

    def imported(self, name: str) -> frozenset[str]:
        """The import paths that ``name`` names, as written."""
        return frozenset(self._imported.get(name, ()))

    def parameters(self, name: str) -> frozenset[str]:
        """The parameters of the functions of ``name``, if it is a module of tests."""
        return frozenset(self._parameters[name])

    def importers(self, name: str) -> tuple[str, ...]:
        """The modules that import ``name``."""
        return tuple(self._used_by.get(name, ()))

    def words(self, name: str, user: str) -> frozenset[str]:
        """What ``user`` mentions of ``name``: names, and attributes as ``.name``."""
        return frozenset(self._used_by.get(name, {}).get(user, ()))

    def candidates(self, level: int, parts: Sequence[str], importer: str) -> list[str]:
        """The modules that an import path in ``importer`` may mean."""
        if not level:
            return [name for name in self._targets(list(parts), importer) if name != importer]
        package = list(PurePosixPath(importer).parts[:-1])
        wanted = [*package[: len(package) - level + 1], *parts]
        if level > len(package) + 1 or not wanted:
            return []
        found = self._by_last.get(wanted[-1], ())
        return [name for name in found if self._parts[name] == wanted and name != importer]

    def find(self, level: int, parts: Sequence[str], importer: str) -> str | None:
        """The module that an import path in ``importer`` means, if that can be told.

        Of several, the one that shares most folders with the importer. A single name is looked for
        in the folders around the importer only, unless that changes ``sys.path``.
        """
        found = self.candidates(level, parts, importer)
        own = PurePosixPath(importer).parts[:-1]
        if len(parts) == 1 and not level and not self._changes_path(importer):
            found = [
                name
                for name in found
                if own[: len(before := self._parts[name][:-1])] == tuple(before)
                or before[-1] in _ROOTS
            ]
        if len(found) < 2:
            return found[0] if found else None
        best = max(_shared(own, name) for name in found)
        nearest = [name for name in found if _shared(own, name) == best]
        return nearest[0] if len(nearest) == 1 else None

    def _changes_path(self, name: str) -> bool:
        return "path" in self._words[name] and "sys" in self._imported[name]

    def spelled(self, name: str) -> frozenset[tuple[int, tuple[str, ...]]]:
        """The import paths, each with its level, by which others name a module."""
        return frozenset(self._spelled.get(name, ()))

    def reaches(self, name: str, other: str) -> bool:
        """Whether a module imports another one, however far."""
        return other in self._closure(name, self._targets_of, self._closures)

    def meet(self, name: str, other: str) -> bool:
        """Whether some module imports both of two modules, however far, or is one of them."""
        if self.reaches(name, other) or self.reaches(other, name):
            return True
        return any(self.reaches(m, name) and self.reaches(m, other) for m in self._parts)

    def loads(self, name: str, other: str) -> bool:
        """Whether importing a module imports another one, too, whatever it calls."""
        return other in self._closure(name, self._loaded, self._loadings)

    @staticmethod
    def _closure(
        name: str, targets: Mapping[str, set[str]], known: dict[str, frozenset[str]]
    ) -> frozenset[str]:
        closure = known.get(name)
        if closure is None:
            seen: set[str] = set()
            queue = [name]
            while queue:
                new = targets.get(queue.pop(), set()) - seen
                seen |= new
                queue.extend(new)
            closure = known[name] = frozenset(seen)
        return closure

    def related(self, name: str) -> frozenset[str]:
        """The modules that imports connect with ``name``, in either direction, at any distance."""
        seen = {name}
        queue = [name]
        while queue:
            current = queue.pop()
            for other in self._linked.get(current, ()):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return frozenset(seen - {name})

    def _link_fixtures(self, name: str, trees: Mapping[str, ast.Module]) -> None:
        """A ``conftest.py`` goes with the tests that take its fixtures."""
        fixtures = {
            node.name
            for node in trees[name].body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list
        }
        folder = name[: -len("conftest.py")]
        for other, parameters in self._parameters.items():
            if other != name and other.startswith(folder) and fixtures & parameters:
                self._linked[name].add(other)
                self._linked[other].add(name)

    def _collect(self, name: str, tree: ast.Module) -> None:
        paths = self._imported[name]
        imported: dict[str, set[str]] = defaultdict(set)
        whole: set[str] = set()  # modules that are imported as modules
        attributes: set[str] = set()
        parameters: set[str] = set()
        replaced: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.arg):
                parameters.add(node.arg)
            elif isinstance(node, ast.Call) and node.args:
                self._collect_replaced(name, node, replaced)
                if dotted := _imported_by_name(node):
                    for target in self._targets(dotted.split("."), name):
                        imported[target] |= set()
                        whole.add(target)
            elif isinstance(node, ast.Import):
                self._statements[name].append(node)
                for alias in node.names:
                    paths.add(alias.name)
                    for target in self._targets(alias.name.split("."), name):
                        imported[target] |= set()
                        whole.add(target)
            elif isinstance(node, ast.ImportFrom):
                self._statements[name].append(node)
                module = self._absolute(node, name)
                for target in self._targets(module, name):
                    imported[target].update(alias.name for alias in node.names)
                for alias in node.names:
                    paths.add("." * node.level + (node.module or "") + "." + alias.name)
                    for target in self._targets([*module, alias.name], name):
                        imported[target] |= set()
                        whole.add(target)
        self._words[name] = attributes
        self._parameters[name] = parameters
        for target, names in imported.items():
            if target == name:
                continue
            if "*" in names:
                names = names | _from_stars(tree)
            words = names | {f".{attribute}" for attribute in attributes}
            if target in whole:
                words |= attributes
            self._replaced[target].update(dict.fromkeys(replaced, name))
            self._used_by[target][name] = words
            self._reached[target] |= words
            self._targets_of[name].add(target)
            self._linked[target].add(name)
            self._linked[name].add(target)

    def _collect_loaded(self, name: str, statements: Iterable[ast.stmt]) -> None:
        """The modules that are imported when this one is, as far as that is certain."""
        for statement in statements:
            match statement:
                case ast.Import(names=names):
                    for alias in names:
                        parts = alias.name.split(".")
                        found = [self.find(0, parts[: i + 1], name) for i in range(len(parts))]
                        self._loaded[name].update(target for target in found if target)
                case ast.ImportFrom(level=level, module=module, names=names):
                    parts = module.split(".") if module else []
                    paths = [parts, *([*parts, alias.name] for alias in names)]
                    found = [self.find(level, path, name) for path in paths if path or level]
                    self._loaded[name].update(target for target in found if target)
                case ast.Try(body=body) | ast.With(body=body) | ast.ClassDef(body=body):
                    self._collect_loaded(name, body)

    def _collect_spelled(self, name: str) -> None:
        """The import paths by which this module names others of the project."""
        for node in self._statements[name]:
            for level, parts in import_paths(node):
                target = self.find(level, parts, name)
                if target is not None:
                    self._spelled[target].add((level, tuple(parts)))

    def _collect_replaced(self, name: str, node: ast.Call, replaced: set[str]) -> None:
        """``patch("app.utility")``; and the names that ``patch.object(app, "utility")`` gives."""
        first, function = node.args[0], node.func
        last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            module, _, word = first.value.rpartition(".")
            if last in _REPLACING and module and word.isidentifier():
                for target in self._targets(module.split("."), name):
                    self._replaced[target][word] = name
                    if target != name:  # they are migrated together
                        self._linked[target].add(name)
                        self._linked[name].add(target)
        elif last in _REPLACING and len(node.args) > 1:
            second = node.args[1]
            if isinstance(second, ast.Constant) and isinstance(second.value, str):
                replaced.add(second.value)

    def _absolute(self, node: ast.ImportFrom, name: str) -> list[str]:
        module = node.module.split(".") if node.module else []
        if not node.level:
            return module
        package = list(PurePosixPath(name).parts[:-1])
        if node.level > 1:
            package = package[: len(package) - node.level + 1]
        return [*package, *module]

    def _targets(self, dotted: list[str], importer: str) -> list[str]:
        """The modules that a dotted name may mean: paths that end in it."""
        if not dotted:
            return []
        return [
            candidate
            for candidate in self._by_last.get(dotted[-1], ())
            if self._parts[candidate][-len(dotted) :] == dotted
        ]


def _imported_by_name(node: ast.Call) -> str:
    """The path in ``import_module("app.db")``; "" for any other call."""
    function, first = node.func, node.args[0]
    last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if last in ("import_module", "__import__") and isinstance(first, ast.Constant):
        return first.value if isinstance(first.value, str) else ""
    return ""


def import_paths(node: ast.Import | ast.ImportFrom) -> list[tuple[int, list[str]]]:
    """What may be modules in an import statement: the level and the parts of each path."""
    if isinstance(node, ast.Import):
        return [(0, alias.name.split(".")) for alias in node.names]
    parts = node.module.split(".") if node.module else []
    paths = [parts, *([*parts, alias.name] for alias in node.names)]
    return [(node.level, path) for path in paths if path or node.level]


def _shared(own: tuple[str, ...], name: str) -> int:
    """How many folders a file shares with the folders ``own``."""
    other = PurePosixPath(name).parts[:-1]
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, other, strict=False)))


def _from_stars(tree: ast.Module) -> set[str]:
    """The names of a module that a star import may have to bind."""
    try:
        found = {name for _, name in unresolved(ast.unparse(tree), stars=False)}
    except (SyntaxError, ValueError, RecursionError):
        return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            break
        # What is bound before it, it may bind again.
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def is_module(name: str) -> bool:
    """Whether a file can be imported, which a notebook or a page cannot."""
    path = PurePosixPath(name)
    return path.suffix not in NO_MODULES and "#" not in path.name


def _parts(name: str) -> list[str]:
    path = PurePosixPath(name.replace("\\", "/"))
    parts = [*path.parts[:-1], path.stem]
    return parts[:-1] if path.stem == "__init__" else parts
