"""The client that the settings name, for code whose connection is opened out of sight.

``client = "app.db:get_client"`` names a function, which each scope calls once, or an object. With
``()`` behind the name it is called wherever it comes from.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from migrate_milvus.edits import Edit, InsertStatements, Line, Src
from migrate_milvus.flow import Site
from migrate_milvus.placement import Place, free_name
from migrate_milvus.program import Module, Scope
from migrate_milvus.registry import Answer, unknown

if TYPE_CHECKING:
    from migrate_milvus.planning import Planning

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BLOCKS = ("body", "orelse", "finalbody")
# Where the packages of a project stand, below its root.
_SOURCES = ("", "src", "lib")


@dataclass(frozen=True)
class _Named:
    """What the setting names: a dotted name in a module, which is called or is the client."""

    module: str
    name: str
    called: bool

    @property
    def last(self) -> str:
        return self.module.rpartition(".")[2]


class ConfiguredClient:
    """The ways to the client of the settings, and what one round of planning writes for them."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning
        self._named = _read(planning.settings.client, planning.settings.root)
        self._sites: dict[Scope, list[Site]] = defaultdict(list)

    def start(self) -> None:
        """Forget what the round before wrote."""
        self._sites.clear()

    def text(self, site: Site) -> str | Answer:
        """The expression for the client at ``site``, or why there is none."""
        named = self._named
        if isinstance(named, Answer):
            return named
        module, graph = site.module, self._planning.crossing.graph
        parts = named.module.split(".")
        home = graph.find(0, parts, module.name) if graph is not None else None
        is_own = PurePosixPath(module.name).with_suffix("").parts[-len(parts) :] == tuple(parts)
        if is_own or (graph is not None and home is not None and graph.reaches(home, module.name)):
            return unknown(
                f"the client of the settings is made in {named.module}, "
                f"which {'is' if is_own else 'imports'} this file",
                "Pass the client to this function.",
            )
        if not named.called:
            return f"{self._import_module(site)}.{named.name}"
        if _is_evaluated_elsewhere(self._planning, site):
            return self._call(site)
        self._sites[site.scope].append(site)
        return self._variable(site)

    def edits(self, written: Sequence[Edit]) -> Iterator[Edit]:
        """The statements that get the client, one in each scope, before its first use.

        ``written`` are the edits that may use it: what only becomes a name needs no client.
        """
        flow = self._planning.flow
        using: dict[Scope, set[str]] = defaultdict(set)
        for edit in written:
            using[flow.scope(edit.node)] |= _words(edit)
        for scope, sites in self._sites.items():
            if self._variable(sites[0]) not in using[scope]:
                continue
            first = _first_statement(self._planning, scope, sites)
            line = Line((f"{self._variable(sites[0])} = {self._call(sites[0])}",))
            yield InsertStatements(first, (line,))

    def _variable(self, site: Site) -> str:
        """The name of the variable that holds the client, in every scope of a module."""
        others = {p.name for p in self._planning.places.values() if isinstance(p, Place)}
        return free_name("client", lambda name: name in site.module.identifiers | others)

    def _call(self, site: Site) -> str:
        named = self._named
        assert isinstance(named, _Named)
        first, dot, rest = named.name.partition(".")
        bound = free_name(first, lambda name: name in site.module.identifiers)
        if first in site.module.identifiers and self._imports(site, first):
            bound = first
        else:
            alias = "" if bound == first else f" as {bound}"
            line = f"from {named.module} import {first}{alias}"
            self._planning.crossing.lines[site.module, line] = None
        return f"{bound}{dot}{rest}()"

    def _import_module(self, site: Site) -> str:
        named = self._named
        assert isinstance(named, _Named)
        package, _, last = named.module.rpartition(".")
        bound = free_name(last, lambda name: name in site.module.identifiers)
        if last in site.module.identifiers and self._imports(site, last):
            return last
        alias = "" if bound == last else f" as {bound}"
        line = f"from {package} import {last}{alias}" if package else f"import {last}{alias}"
        self._planning.crossing.lines[site.module, line] = None
        return bound

    def _imports(self, site: Site, name: str) -> bool:
        """Whether the module imports the name already, as the setting means it."""
        named = self._named
        assert isinstance(named, _Named)
        package = named.module.rpartition(".")[0]
        for statement in site.module.tree.body:
            match statement:
                case ast.ImportFrom(module=module, level=0):
                    if module == (named.module if named.called else package) and any(
                        alias.name == name and alias.asname in (None, name)
                        for alias in statement.names
                    ):
                        return True
                case ast.Import() if not named.called and not package:
                    if any(a.name == name and a.asname is None for a in statement.names):
                        return True
        return False


def _read(setting: str | None, root: Path) -> _Named | Answer:
    """What the setting names, as the project's files tell."""
    if setting is None:
        return unknown("")
    module, _, name = setting.partition(":")
    if name.endswith("()"):
        return _Named(module, name[:-2], True)
    tree = _tree(module, root)
    if tree is None:
        return unknown(
            f"the client of the settings is in {module}, which is not found in this project",
            f'Write client = "{setting}()" if it is a function.',
        )
    first = name.partition(".")[0]
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=bound) | ast.ClassDef(name=bound) if bound == name:
                return _Named(module, name, True)
            case ast.ClassDef(name=bound) if bound == first:
                method = name.partition(".")[2]
                called = any(
                    isinstance(s, ast.FunctionDef) and s.name == method for s in statement.body
                )
                return _Named(module, name, called)
            case ast.Assign() | ast.AnnAssign() | ast.ImportFrom() | ast.Import():
                if first in _bound(statement):
                    return _Named(module, name, False)
    return unknown(f"{module} has no {first}, which the setting client names")


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a simple statement binds."""
    names = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return names | {n.asname or n.name for n in ast.walk(statement) if isinstance(n, ast.alias)}


def _tree(module: str, root: Path) -> ast.Module | None:
    path = Path(*module.split("."))
    for source in _SOURCES:
        for file in (root / source / path.with_suffix(".py"), root / source / path / "__init__.py"):
            try:
                return ast.parse(file.read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                continue
    return None


def _words(part: object) -> set[str]:
    """The words of what an edit writes, but for those of the user's own expressions."""
    if isinstance(part, str):
        return set(re.findall(r"\w+", part))
    if isinstance(part, ast.AST | Src):
        return set()
    if isinstance(part, tuple):
        return {word for inner in part for word in _words(inner)}
    if is_dataclass(part):
        return {word for each in fields(part) for word in _words(getattr(part, each.name))}
    return set()


def _is_evaluated_elsewhere(planning: Planning, site: Site) -> bool:
    """Whether the site is in a lambda or a class body, where no variable of a function is set."""
    parents = planning.flow.source.parents
    node: ast.AST = site.node
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.Lambda | ast.ClassDef):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
    return False


def _first_statement(planning: Planning, scope: Scope, sites: list[Site]) -> ast.stmt:
    """The first statement with a site, in the innermost block that holds all, but for loops."""
    tree = scope.tree if isinstance(scope, Module) else scope.node
    assert not isinstance(tree, ast.Lambda)
    block: list[ast.stmt] = tree.body
    while True:
        holding = [s for s in block if any(_holds(planning, s, site.node) for site in sites)]
        first = holding[0]
        if len(holding) > 1 or isinstance(
            first, (*_LOOPS, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ):
            return first
        inner = [
            inner
            for inner in _blocks(first)
            if all(any(_holds(planning, s, site.node) for s in inner) for site in sites)
        ]
        if not inner:
            return first
        block = inner[0]


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in _BLOCKS:
        block = getattr(statement, name, None)
        if isinstance(block, list) and block:
            yield block
    for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield handler.body


def _holds(planning: Planning, statement: ast.stmt, node: ast.AST) -> bool:
    parents = planning.flow.source.parents
    while node is not statement:
        if node not in parents:
            return False
        node = parents[node]
    return True
