"""Local variables that nothing reads any more once the edits are made."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from migrate_milvus.edits import Edit, Line, ReplaceStatement, Src
from migrate_milvus.flow import Flow
from migrate_milvus.program import FunctionInfo
from migrate_milvus.rewrite.live import Live, words

_WORD = re.compile(r"[^\W\d]\w*")
# Builtins that read variables without naming them.
_LOOKED_UP = {"locals", "vars", "dir", "eval", "exec"}


def unread_edits(flow: Flow, live: Live) -> list[Edit]:
    """The edits that drop variables of functions which were read before and are not any more.

    A value that only names or builds something goes with its variable; a call stays, since it may
    do more than give a value.
    """
    dropped = live.dropped()
    functions = {
        scope
        for node in dropped
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and (scope := _home(flow, node)) is not None
    }
    if not functions:
        return []
    written: dict[FunctionInfo, set[str]] = defaultdict(set)
    for node, template in live.templates():
        scope = _home(flow, node)
        while scope is not None:
            for text in words(template):
                written[scope].update(_WORD.findall(text))
            scope = scope.parent
    edits: list[Edit] = []
    for function in sorted(functions, key=lambda info: info.node.lineno):
        edits += _of_function(function, dropped, written[function])
    return edits


def _of_function(function: FunctionInfo, dropped: set[ast.AST], written: set[str]) -> list[Edit]:
    reads: dict[str, list[ast.Name]] = defaultdict(list)
    stores: dict[str, list[ast.AST]] = defaultdict(list)
    statements: dict[ast.AST, ast.Assign] = {}
    for node in ast.walk(function.node):
        match node:
            case ast.Name(ctx=ast.Store()):
                stores[node.id].append(node)
            case ast.Name():
                reads[node.id].append(node)
            case ast.Assign(targets=[ast.Name() as target]):
                statements[target] = node
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    stores[name].append(node)
    if _LOOKED_UP & reads.keys():
        return []
    edits: list[Edit] = []
    for name, nodes in reads.items():
        if name not in function.locals or name in function.names_of_parameters():
            continue
        targets = stores[name]
        if name in written or not targets or not all(node in dropped for node in nodes):
            continue
        left = [target for target in targets if target not in dropped]
        if all(t in statements and _can_go(statements[t].value) for t in left):
            edits += [_without(statements[target]) for target in left]
    return edits


def _without(statement: ast.Assign) -> Edit:
    if _only_names(statement.value):
        return ReplaceStatement(statement, ())
    return ReplaceStatement(statement, (Line((Src(statement.value),), anchor=statement),))


def _can_go(value: ast.expr) -> bool:
    """Whether the value goes as well, or makes a statement of its own that one would write."""
    return _only_names(value) or isinstance(value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom)


def _only_names(value: ast.expr) -> bool:
    """Whether evaluating it does nothing but give a value."""
    return all(
        isinstance(
            node, ast.Constant | ast.Name | ast.List | ast.Tuple | ast.Dict | ast.expr_context
        )
        for node in ast.walk(value)
    )


def _home(flow: Flow, node: ast.AST) -> FunctionInfo | None:
    at: ast.AST | None = node
    while at is not None and at not in flow.program.functions:
        at = flow.source.parents.get(at)
    return flow.program.functions[at] if at is not None else None
