"""Classes whose bases stand in other modules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from migrate_milvus.program import ClassInfo, Module, inherit

Find = Callable[[int, Sequence[str], Module], "Module | str | None"]


def link_bases(modules: Iterable[Module], find: Find) -> None:
    """Give classes their bases of other modules; ``find`` tells what an import path names."""
    for module in modules:
        classes = [info for info in module.classes.values() if info.node.bases]
        if not classes:
            continue
        bound = _bound(module)
        for info in classes:
            for base in info.node.bases:
                parts = _parts(base)
                if not parts or parts[0] not in bound:
                    continue
                level, path = bound[parts[0]]
                parent = _class([*path, *parts[1:]], level, module, find, 0)
                if parent is not None:
                    inherit(info, parent)


def _class(
    path: list[str], level: int, importer: Module, find: Find, depth: int
) -> ClassInfo | None:
    """The class that an import path names, through re-exports too."""
    home = find(level, path[:-1], importer)
    if not isinstance(home, Module) or depth > 8:
        return None
    for statement in home.tree.body:
        if isinstance(statement, ast.ClassDef) and statement.name == path[-1]:
            return home.classes[statement]
    bound = _bound(home)
    if path[-1] in bound:
        further, inner = bound[path[-1]]
        return _class(inner, further, home, find, depth + 1)
    return None


def _bound(module: Module) -> dict[str, tuple[int, list[str]]]:
    """The names that imports bind, with the level and the path that they import."""
    found: dict[str, tuple[int, list[str]]] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                found[alias.asname or parts[0]] = (0, parts if alias.asname else parts[:1])
        elif isinstance(node, ast.ImportFrom):
            before = node.module.split(".") if node.module else []
            for alias in node.names:
                found[alias.asname or alias.name] = (node.level, [*before, alias.name])
    return found


def _parts(node: ast.expr) -> list[str]:
    """``a.b.C`` as its parts; [] for anything else."""
    if isinstance(node, ast.Attribute):
        before = _parts(node.value)
        return [*before, node.attr] if before else []
    return [node.id] if isinstance(node, ast.Name) else []
