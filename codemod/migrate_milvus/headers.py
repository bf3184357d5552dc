"""Which functions of a module take or give something else after its migration, in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def changed(before: ast.Module, after: ast.Module) -> list[str]:
    """The functions whose header changes: the old one and the new one, in the order of the text."""
    new = dict(_headers(after, ""))
    return [
        f"{header} becomes {new[name]}"
        for name, header in _headers(before, "")
        if name in new and new[name] != header
    ]


def _headers(node: ast.AST, around: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{around}{child.name}"
            gives = f" -> {ast.unparse(child.returns)}" if child.returns is not None else ""
            yield name, f"{name}({ast.unparse(child.args)}){gives}"
            yield from _headers(child, f"{name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _headers(child, f"{around}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from _headers(child, around)
