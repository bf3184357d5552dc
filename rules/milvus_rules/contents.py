"""What may be said of a list or dict at one place of the program."""

from __future__ import annotations

import ast
from dataclasses import replace

from migrate_milvus.flow import Content, Flow, Site
from migrate_milvus.values import Const, Container, only

_LOOPS = ast.For | ast.AsyncFor | ast.While


def held_only_by(flow: Flow, content: Content, *readers: ast.expr) -> bool:
    """Whether nothing but ``readers`` reads the list or dict through a variable or attribute."""
    if content.escaped:
        return False
    return all(
        node in readers
        for node, values in flow.values.items()
        if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and any(isinstance(v, Container) and v.origin is content.node for v in values)
    )


def at(flow: Flow, content: Content, site: Site) -> Content:
    """The list as it may be at ``site``: without what surely happens to it only later."""

    def later(change: ast.AST) -> bool:
        return _surely_after(flow, content, change, site)

    return replace(
        content,
        appended={call: item for call, item in content.appended.items() if not later(call)},
        changed={node: how for node, how in content.changed.items() if not later(node)},
    )


def _surely_after(flow: Flow, content: Content, change: ast.AST, site: Site) -> bool:
    """Whether the change comes below the site each time that the list is made anew."""
    if (change.lineno, change.col_offset) < (site.node.lineno, site.node.col_offset):  # type: ignore[attr-defined]
        return False
    parents = flow.source.parents
    scopes = {_scope(flow, node) for node in (content.node, change, site.node)}
    if len(scopes) > 1:
        return False
    around = _loops(flow, change) & _loops(flow, site.node)
    return change in parents and around <= _loops(flow, content.node)


def _scope(flow: Flow, node: ast.AST) -> ast.AST:
    parents = flow.source.parents
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            break
    return node


def _loops(flow: Flow, node: ast.AST) -> set[ast.AST]:
    parents = flow.source.parents
    found: set[ast.AST] = set()
    while node in parents:
        node = parents[node]
        if isinstance(node, _LOOPS):
            found.add(node)
    return found


def in_branch(flow: Flow, call: ast.AST) -> bool:
    """Whether a statement may be skipped or repeated within its function."""
    return bool(_branches(flow, call))


def _branches(flow: Flow, node: ast.AST) -> set[tuple[ast.AST, str]]:
    """The blocks around a node, within its function, that may be skipped or repeated."""
    parents = flow.source.parents
    found: set[tuple[ast.AST, str]] = set()
    while node in parents:
        child, node = node, parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            break
        if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.Match):
            blocks = (name for name, value in ast.iter_fields(node) if _holds(value, child))
            found.add((node, next(blocks, "")))
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            found.add((node, ""))
    return found


def _holds(value: object, child: ast.AST) -> bool:
    return value is child or (isinstance(value, list) and any(item is child for item in value))


def length(flow: Flow, content: Content | None) -> int | None:
    """How many items the list has; None when that is not known."""
    if content is None or not content.exact or content.changed or content.kind == "dict":
        return None
    scope, around = _scope(flow, content.node), _branches(flow, content.node)
    for call in content.appended:
        if _scope(flow, call) is not scope or not _branches(flow, call) <= around:
            return None
    return len(content.items) + len(content.appended)


def surely_filled(flow: Flow, column: ast.expr) -> bool:
    """Whether the expression is a list with at least one item."""
    values = flow.value(column)
    content = flow.content(values)
    if content is None:
        return isinstance(column, ast.Call) and _fills(flow, column)
    if content.changed:
        return False
    match content.node:
        case ast.List(elts=items):
            return any(not isinstance(item, ast.Starred) for item in items)
        case ast.ListComp(generators=[generator]):
            return not generator.ifs and _iterates(flow, generator.iter)
    return False


def _fills(flow: Flow, call: ast.Call) -> bool:
    """``list(range(10))``"""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name == "list" and len(call.args) == 1 and _iterates(flow, call.args[0])


def _iterates(flow: Flow, iterated: ast.expr) -> bool:
    """Whether iterating surely gives something."""
    match iterated:
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            number = _number(flow, stop)
            return number is not None and number > 0
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            low, high = _number(flow, start), _number(flow, stop)
            return low is not None and high is not None and low < high
    return surely_filled(flow, iterated)


def _number(flow: Flow, node: ast.expr) -> int | None:
    value = only(flow.value(node))
    return value.value if isinstance(value, Const) and isinstance(value.value, int) else None
