"""What is only printed or logged: there another text may take its place, and a note says so."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.values import Function, ModuleValue

_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "critical", "exception"})


def is_shown(planning: Planning, node: ast.AST) -> bool:
    """Whether ``node`` only becomes part of a text that is printed or logged."""
    parents = planning.flow.source.parents
    while True:
        if planning.is_shown(node):
            return True
        parent = parents.get(node)
        match parent:
            case ast.FormattedValue() | ast.JoinedStr() | ast.Tuple() | ast.List():
                pass
            case ast.ListComp(elt=shown) | ast.DictComp(value=shown) if shown is node:
                pass
            case ast.BinOp(op=ast.Mod() | ast.Add()):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format")):
                pass
            case ast.Call(func=function) if _is_builtin(planning, function, "str", "repr"):
                pass
            case ast.Call(func=function, keywords=keywords):
                printing = _is_builtin(planning, function, "print") and not any(
                    keyword.arg == "file" for keyword in keywords
                )
                logging = isinstance(function, ast.Attribute) and _is_log(planning, function)
                return (printing or logging) and isinstance(parents[parent], ast.Expr)
            case _:
                return False
        node = parent


def _is_builtin(planning: Planning, function: ast.expr, *names: str) -> bool:
    return any(
        value == ModuleValue(f"builtins.{name}")
        for value in planning.flow.value(function)
        for name in names
    )


def _is_log(planning: Planning, function: ast.Attribute) -> bool:
    """``logging.info``, ``self.logger.debug``: a method of something that is called a log.

    A function of the program's own may do anything with what it is given.
    """
    if any(isinstance(value, Function) for value in planning.flow.value(function)):
        return False
    receiver = function.value
    if isinstance(receiver, ast.Call):  # logging.getLogger(__name__)
        receiver = receiver.func
    name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    return function.attr in _LOGGING and "log" in name.lower()


def note_shown(planning: Planning, site: Site, nodes: Sequence[ast.AST], becomes: str) -> None:
    """Say which lines show another text from now on; nothing where there are none."""
    lines = {planning.place(node): planning.line_of(node) for node in nodes}
    if lines:
        where = ", ".join(dict.fromkeys(words for _, words in sorted(lines.items())))
        where = where.replace(", line ", ", ")
        planning.note(site, "result-shown", f"what {where} shows becomes {becomes}")
