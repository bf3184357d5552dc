"""Which module of the project imports which, and what it uses of it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath


class ModuleGraph:
    """The imports among the parsed modules of a project, by displayed path."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._parts = {name: _parts(name) for name in trees}
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for name, parts in self._parts.items():
            if parts:
                self._by_last[parts[-1]].append(name)
        self._reached: dict[str, set[str]] = defaultdict(set)
        self._importers: dict[str, list[str]] = defaultdict(list)
        for name, tree in trees.items():
            self._collect(name, tree)

    def reached(self, name: str) -> frozenset[str]:
        """The names and attributes that importing modules mention."""
        return frozenset(self._reached.get(name, ()))

    def importers(self, name: str) -> tuple[str, ...]:
        """The modules that import ``name``."""
        return tuple(dict.fromkeys(self._importers.get(name, ())))

    def _collect(self, name: str, tree: ast.Module) -> None:
        imported: dict[str, set[str]] = defaultdict(set)
        attributes: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    for target in self._targets(alias.name.split("."), name):
                        imported[target] |= set()
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node, name)
                for target in self._targets(module, name):
                    imported[target].update(
                        alias.name for alias in node.names
                    )
                for alias in node.names:
                    for target in self._targets([*module, alias.name], name):
                        imported[target] |= set()
        for target, names in imported.items():
            if target == name:
                continue
            self._reached[target] |= names | attributes
            self._importers[target].append(name)

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


def _parts(name: str) -> list[str]:
    path = PurePosixPath(name.replace("\\", "/"))
    parts = [*path.parts[:-1], path.stem]
    return parts[:-1] if path.stem == "__init__" else parts
