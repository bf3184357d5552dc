"""Names that are read where nothing binds them, or before anything does."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from migrate_milvus.syntax import SourceText

Named: TypeAlias = "tuple[tuple[str, ...], str]"
"""A name with the names of the functions and classes around it."""

_KNOWN = frozenset(dir(builtins)) | {
    "__file__",
    "__path__",
    "__builtins__",
    "__annotations__",
    "__class__",
    "__module__",
    "__qualname__",
}

_NAMELESS = {"lambda", "listcomp", "setcomp", "dictcomp", "genexpr", "__annotate__"}


def unresolved(text: str, *, stars: bool = True) -> set[Named]:
    """The names that are read in a scope, and bound neither there nor around it.

    Python's own symbol table says which names are looked up in the module. With ``stars``, a star
    import may bind any name, so that nothing is found in a text that has one. Raises SyntaxError.
    """
    top = symtable.symtable(text.lstrip("\ufeff"), "<text>", "exec")
    bound: set[str] = set()
    read: set[Named] = set()
    tables: list[tuple[symtable.SymbolTable, tuple[str, ...]]] = [(top, ())]
    while tables:
        table, path = tables.pop()
        for symbol in table.get_symbols():
            name = symbol.get_name()
            outer = symbol.is_global()
            if table is top:
                if symbol.is_local():
                    bound.add(name)
                outer = True
            elif symbol.is_declared_global() and (
                symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            ):
                bound.add(name)
            if outer and symbol.is_referenced() and name not in _KNOWN:
                read.add((path, name))
        for inner in table.get_children():
            name = inner.get_name()
            tables.append((inner, path if name in _NAMELESS else (*path, name)))
    if stars and "import *" in text and _has_star(text):
        return set()
    return {item for item in read if item[1] not in bound}


def _has_star(text: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        for node in ast.walk(ast.parse(text.lstrip("\ufeff")))
    )


_Position: TypeAlias = "tuple[int, int]"
_START: _Position = (0, 0)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOP = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp)
# What stands in these runs later, or never.
_LATER = (ast.Lambda, ast.GeneratorExp)


@dataclass
class _Uses:
    """The bindings and reads of one name in one scope, with the loops around them."""

    bindings: list[tuple[_Position, frozenset[ast.AST]]] = field(default_factory=list)
    reads: list[tuple[_Position, frozenset[ast.AST]]] = field(default_factory=list)

    def early(self) -> int | None:
        """The line of a read that comes before every binding; loops may come round."""
        if not self.bindings:
            return None
        first = min(position for position, _ in self.bindings)
        for position, loops in self.reads:
            if position < first and not any(loops & others for _, others in self.bindings):
                return position[0]
        return None


class _Order:
    """The uses of all names of a module, by the scope in which they run."""

    def __init__(self, source: SourceText) -> None:
        self.parents = source.parents
        self.uses: dict[tuple[ast.AST, str], _Uses] = defaultdict(_Uses)
        self.outside: set[tuple[ast.AST | None, str]] = set()
        self.star = False
        self._postponed = any(
            isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            for statement in source.tree.body
        )
        self._homes: dict[ast.AST, tuple[ast.AST, frozenset[ast.AST]]] = {
            source.tree: (source.tree, frozenset())
        }
        reads = [node for node in self.parents if self._is_read(node)]
        for node in reads:
            self._read(node)

    def _is_read(self, node: ast.AST) -> TypeGuard[ast.Name]:
        """Whether the node reads a name; what it binds is taken down."""
        match node:
            case ast.Name(ctx=ast.Load()):
                return True
            case ast.Name(ctx=ast.Store()):
                self._store(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node, node.name, (node.lineno, 0))
            case ast.arg():
                function = self.parents[self.parents[node]]
                if isinstance(function, _FUNCTION):
                    self.uses[function, node.arg].bindings.append((_START, frozenset()))
            case ast.alias():
                self.star |= node.name == "*"
                self._bind(node, node.asname or node.name.partition(".")[0], (node.lineno, 0))
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                self._bind(node, name, (node.lineno, node.col_offset))
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                self._bind(node, name, (node.lineno, node.col_offset))
            case ast.Global() | ast.Nonlocal():
                home, _ = self._home(node)
                self.outside.update((home, name) for name in node.names)
                self.outside.update((None, name) for name in node.names)
        return False

    def _bind(self, node: ast.AST, name: str, position: _Position) -> None:
        home, loops = self._home(node)
        self.uses[home, name].bindings.append((position, loops))

    def _store(self, node: ast.Name) -> None:
        """A target is bound when its assignment is through; elsewhere, where it stands."""
        position = (node.lineno, node.col_offset)
        at: ast.AST = node
        while not isinstance(at, ast.stmt):
            parent = self.parents[at]
            if isinstance(parent, ast.Lambda):
                return
            if isinstance(parent, ast.comprehension) and at is parent.target:
                return  # bound in the comprehension only
            if isinstance(parent, ast.NamedExpr) and at is parent.target:
                position = _START  # it may run before what stands left of it
            at = parent
        if isinstance(at, ast.AnnAssign) and at.value is None:
            return
        if isinstance(at, ast.Assign | ast.AnnAssign) and position is not _START:
            position = (at.end_lineno or 0, at.end_col_offset or 0)
        home, loops = self._home(at)
        if isinstance(at, _LOOP):
            loops |= {at}
        self.uses[home, node.id].bindings.append((position, loops))

    def _read(self, node: ast.Name) -> None:
        at: ast.AST = node
        while not isinstance(at, ast.stmt):
            parent = self.parents[at]
            if isinstance(parent, (*_LATER, ast.arg)):
                return
            if at is getattr(parent, "returns", None):
                return
            if at is getattr(parent, "annotation", None) and not self._evaluated(parent):
                return
            if isinstance(parent, _COMPREHENSION) and node.id in _targets(parent):
                return
            at = parent
        home, loops = self._home(at)
        if isinstance(at, ast.While):
            loops |= {at}
        while isinstance(home, ast.ClassDef):
            if (home, node.id) in self.uses:
                return
            home, around = self._home(home)
            loops |= around
        if (home, node.id) in self.uses:
            position = (node.lineno, node.col_offset)
            self.uses[home, node.id].reads.append((position, loops))

    def _evaluated(self, node: ast.AST) -> bool:
        """Whether the annotation of a node is looked at where it stands: not in functions."""
        return (
            isinstance(node, ast.AnnAssign)
            and not self._postponed
            and isinstance(self._home(node)[0], ast.Module | ast.ClassDef)
        )

    def _home(self, node: ast.AST) -> tuple[ast.AST, frozenset[ast.AST]]:
        """The scope in which ``node`` runs, and the loops around it there."""
        known = self._homes.get(node)
        if known is None:
            parent = self.parents[node]
            inner = isinstance(node, ast.stmt)  # not a decorator, a default or a base
            if inner and isinstance(parent, (*_FUNCTION, ast.ClassDef)):
                known = (parent, frozenset())
            else:
                known = self._home(parent)
                if inner and isinstance(parent, _LOOP):
                    known = (known[0], known[1] | {parent})
            self._homes[node] = known
        return known


def _targets(node: ast.ListComp | ast.SetComp | ast.DictComp) -> set[str]:
    return {
        target.id
        for generator in node.generators
        for target in ast.walk(generator.target)
        if isinstance(target, ast.Name)
    }


def early(source: SourceText) -> dict[Named, int]:
    """The names that a scope reads before it can have bound them, with the line.

    Only the order of the text counts, loops apart; what functions do to the names of others is
    left out. A name of the module that a function declares global counts as bound.
    """
    order = _Order(source)
    if order.star:
        return {}
    found: dict[Named, int] = {}
    for (home, name), uses in order.uses.items():
        if (home, name) in order.outside or isinstance(home, ast.ClassDef):
            continue
        if isinstance(home, ast.Module) and (name in _KNOWN or (None, name) in order.outside):
            continue
        line = uses.early()
        if line is not None:
            found[tuple(_path(order.parents, home)), name] = line
    return found


def _path(parents: dict[ast.AST, ast.AST], home: ast.AST) -> Iterator[str]:
    names: list[str] = []
    at: ast.AST | None = home
    while at is not None:
        if isinstance(at, (*_FUNCTION, ast.ClassDef)):
            names.append(at.name)
        at = parents.get(at)
    return reversed(names)
