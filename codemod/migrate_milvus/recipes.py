"""Recipes with the user's own expressions in the place of the names that stand for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

# Longer expressions stay under the name of their parameter.
_LONGEST = 60


def filled(recipe: str, given: Mapping[str, str], absent: Iterable[str]) -> str:
    """``recipe`` for one call: names of parameters become the expressions that are ``given``.

    A keyword that only passes on a parameter which is ``absent`` in the call goes. A recipe that is
    no code, or would be none afterwards, is returned as it is.
    """
    text = recipe
    for name in absent:
        text = re.sub(rf",\s*\b{name}={name}\b", "", text)
    tree = _parsed(text)
    if tree is None:
        return recipe
    short = {
        name: expression
        for name, expression in given.items()
        if "\n" not in expression and len(expression) <= _LONGEST
    }
    lines = text.split("\n")
    passed = _passed(tree)
    for node in sorted(_named(tree), key=lambda node: (node.lineno, -node.col_offset)):
        expression = short.get(node.id)
        if expression is not None and (node in passed or _is_whole(expression)):
            number, start = node.lineno - 2, node.col_offset - len(_INDENT)
            line = lines[number]
            lines[number] = line[:start] + expression + line[start + len(node.id) :]
    text = "\n".join(lines)
    return text if _parsed(text) is not None else recipe


_INDENT = "    "


def _parsed(text: str) -> ast.Module | None:
    """The recipe as the body of a coroutine: it may await, and may be comments only."""
    body = "\n".join(f"{_INDENT}{line}" for line in text.split("\n"))
    try:
        return ast.parse(f"async def recipe():\n{body}\n{_INDENT}pass\n")
    except SyntaxError:
        return None


def _named(tree: ast.Module) -> list[ast.Name]:
    """The names that are read and not assigned to; not those in f-strings, which have quotes."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    quoted = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    return [node for node in names if node.id not in assigned and node not in quoted]


def _is_whole(expression: str) -> bool:
    """Whether the expression means the same wherever it stands, without parentheses."""
    tree = ast.parse(expression, mode="eval").body
    return isinstance(tree, ast.Name | ast.Attribute | ast.Subscript | ast.Call) or (
        isinstance(tree, ast.Constant) and isinstance(tree.value, str)
    )


def _passed(tree: ast.Module) -> set[ast.expr]:
    """What is passed to calls, or stands in displays: any expression can stand there."""
    found: set[ast.expr] = set()
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.List | ast.Tuple):
            parts = node.elts
        elif isinstance(node, ast.Dict):
            parts = [part for part in (*node.keys, *node.values) if part is not None]
        found.update(parts)
    return found
