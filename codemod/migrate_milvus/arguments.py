"""Binding the arguments of a call to the parameters of what is called."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from migrate_milvus.flow import Content, Flow
from migrate_milvus.values import Container


@dataclass
class Arguments:
    """The arguments of one call by parameter name.

    ``extra`` holds keywords that name no parameter. ``unknown`` says what could not be bound
    (``*args``, ``**kwargs`` of unknown content). ``unpacked`` lists the dict displays that were
    unpacked with ``**``, whose items were bound like keywords.
    """

    given: dict[str, ast.expr] = field(default_factory=dict)
    extra: dict[str, ast.expr] = field(default_factory=dict)
    unknown: list[ast.expr] = field(default_factory=list)
    unpacked: list[tuple[ast.keyword, Content]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def get(self, name: str) -> ast.expr | None:
        """The expression given for ``name``, as a parameter or as a further keyword."""
        return self.given.get(name, self.extra.get(name))

    def __contains__(self, name: str) -> bool:
        return name in self.given or name in self.extra


def bind(flow: Flow, call: ast.Call, parameters: Sequence[str]) -> Arguments:
    """Bind the arguments of ``call``; ``parameters`` in positional order."""
    bound = Arguments()
    for index, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred) or index >= len(parameters):
            bound.unknown.append(argument)
            break
        bound.given[parameters[index]] = argument
        bound.order.append(parameters[index])
    for keyword in call.keywords:
        if keyword.arg is None:
            content = literal_dict(flow, keyword.value)
            if content is None:
                bound.unknown.append(keyword.value)
                continue
            bound.unpacked.append((keyword, content))
            assert isinstance(content.node, ast.Dict)
            for key, value in zip(content.node.keys, content.node.values, strict=False):
                assert isinstance(key, ast.Constant)
                _put(bound, str(key.value), value, parameters)
        else:
            _put(bound, keyword.arg, keyword.value, parameters)
    return bound


def _put(bound: Arguments, name: str, value: ast.expr, parameters: Sequence[str]) -> None:
    (bound.given if name in parameters else bound.extra)[name] = value
    bound.order.append(name)


def literal_dict(flow: Flow, node: ast.expr | None) -> Content | None:
    """The content of a dict display with constant text keys that never changes, or None."""
    if node is None:
        return None
    content = flow.content(flow.value(node))
    if (
        content is None
        or not isinstance(content.node, ast.Dict)
        or not content.exact
        or content.changed
        or content.appended
    ):
        return None
    if all(isinstance(k, ast.Constant) and isinstance(k.value, str) for k in content.node.keys):
        return content
    return None


def completed_dict(flow: Flow, node: ast.expr | None) -> tuple[Content, dict[str, ast.expr]] | None:
    """A dict display with constant text keys to which items are only added, and those items.

    None for any other expression, and when other code may have the dict in its hands.
    """
    content = flow.content(flow.value(node)) if node is not None else None
    if content is None or not isinstance(content.node, ast.Dict) or not content.exact:
        return None
    if content.escaped or content.appended:
        return None
    if not all(isinstance(k, ast.Constant) and isinstance(k.value, str) for k in content.node.keys):
        return None
    later: dict[str, ast.expr] = {}
    for change in content.changed:
        statement = flow.source.parents.get(change)
        if not (
            isinstance(change, ast.Subscript)
            and isinstance(change.slice, ast.Constant)
            and isinstance(statement, ast.Assign)
            and statement.targets == [change]
        ):
            return None
        later[str(change.slice.value)] = statement.value
    return None if later.keys() & dict_items(content).keys() else (content, later)


def dict_keys(flow: Flow, node: ast.expr | None) -> set[str] | None:
    """The keys that a dict may have: of its display, items set later, and literal updates.

    None when the expression may be something else than such a dict.
    """
    return _keys_of(flow, node, 0)


def _keys_of(flow: Flow, node: ast.expr | None, depth: int) -> set[str] | None:
    values = flow.value(node)
    keys: set[str] = set()
    if not values or depth > 8:
        return None
    for value in values:
        content = flow.contents.get(value.origin) if isinstance(value, Container) else None
        if content is None or content.kind != "dict":
            return None
        given, merged = _given(content)
        for change in content.changed:
            if isinstance(change, ast.Subscript):
                given.append(change.slice)
            elif (
                isinstance(change, ast.Call)
                and isinstance(change.func, ast.Attribute)
                and change.func.attr == "update"
                and not any(isinstance(argument, ast.Starred) for argument in change.args)
            ):
                merged += change.args
                merged += [k.value for k in change.keywords if k.arg is None]
                given += [ast.Constant(k.arg) for k in change.keywords if k.arg is not None]
            elif isinstance(change, ast.Call) and _is_removal(change):
                continue
            else:
                return None
        for key in given:
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            keys.add(key.value)
        for other in merged:
            more = _keys_of(flow, other, depth + 1)
            if more is None:
                return None
            keys |= more
    return keys


def _given(content: Content) -> tuple[list[ast.expr | None], list[ast.expr]]:
    """The keys that a dict is made with, and the dicts that are put into it."""
    match content.node:
        case ast.Dict(keys=keys, values=values):
            pairs = list(zip(keys, values, strict=False))
            return [k for k, _ in pairs if k is not None], [v for k, v in pairs if k is None]
        case ast.Call(args=args, keywords=keywords):
            named = [ast.Constant(k.arg) for k in keywords if k.arg is not None]
            return [*named], [*args, *(k.value for k in keywords if k.arg is None)]
        case ast.BinOp(left=left, right=right):
            return [], [left, right]
    return [None], []


def _is_removal(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("pop", "popitem", "clear")


def dict_items(content: Content) -> dict[str, ast.expr]:
    """The items of a literal dict."""
    assert isinstance(content.node, ast.Dict)
    return {
        str(key.value): value
        for key, value in zip(content.node.keys, content.node.values, strict=False)
        if isinstance(key, ast.Constant)
    }
