"""Decorators of the project that leave what they decorate callable as it was: ``@timed``.

Such a decorator returns a function that calls the decorated one with its own arguments, looks at
none of them, and returns the result as it is. It is recognised by its text.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from migrate_milvus.passing import Body
from migrate_milvus.program import Module
from migrate_milvus.syntax import SourceText

# The path of the module that an import path names, seen from another one.
Find = Callable[[int, Sequence[str], str], "str | None"]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LABELS = frozenset({"__name__", "__qualname__", "__doc__", "__module__"})


def see_through(modules: Iterable[Module], sources: Mapping[str, SourceText], find: Find) -> None:
    """Tell functions which of their decorators, defined in the project, pass calls on or do not."""
    names = _Names(sources, find)
    known: dict[tuple[_Function, bool], bool] = {}
    for module in modules:
        for info in module.functions.values():
            for number, decorator in enumerate(getattr(info.node, "decorator_list", ())):
                called = isinstance(decorator, ast.Call)
                named = decorator.func if isinstance(decorator, ast.Call) else decorator
                function = names.function(named, module.name)
                if function is None:
                    continue
                if (function, called) not in known:
                    passes = _gives_decorator if called else _passes_on
                    known[function, called] = passes(function)
                info.seen_through[number] = known[function, called]


@dataclass
class _Bound:
    """What names mean at the level of a module."""

    imports: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    functions: dict[str, list[_Function]] = field(default_factory=lambda: defaultdict(list))
    others: set[str] = field(default_factory=set)


class _Names:
    def __init__(self, sources: Mapping[str, SourceText], find: Find) -> None:
        self._sources = sources
        self._find = find
        self._known: dict[str, _Bound] = {}

    def function(self, node: ast.expr, path: str) -> _Function | None:
        """The function of the project that a name, or an attribute of a module, is."""
        match node:
            case ast.Name(id=name):
                return self._named(name, path, 0)
            case ast.Attribute(value=ast.Name(id=holder), attr=name):
                bound = self._bound(path)
                if holder in bound.imports and holder not in bound.others:
                    level, parts = bound.imports[holder]
                    home = self._find(level, parts, path)
                    return self._named(name, home, 0)
        return None

    def _named(self, name: str, path: str | None, depth: int) -> _Function | None:
        if path is None or path not in self._sources:
            return None
        bound = self._bound(path)
        defined = bound.functions.get(name, [])
        if name in bound.others or depth > 8:
            return None
        if name in bound.imports:
            level, parts = bound.imports[name]
            home = self._find(level, parts[:-1], path)
            if defined:
                return None
            return self._named(parts[-1], home, depth + 1)
        return defined[0] if len(defined) == 1 else None

    def _bound(self, path: str) -> _Bound:
        if path in self._known:
            return self._known[path]
        bound = self._known[path] = _Bound()
        for node in ast.walk(self._sources[path].tree):
            match node:
                case ast.Import(names=aliases):
                    for alias in aliases:
                        parts = alias.name.split(".")
                        name = alias.asname or parts[0]
                        bound.imports[name] = (0, parts if alias.asname else parts[:1])
                case ast.ImportFrom(names=aliases, level=level):
                    before = node.module.split(".") if node.module else []
                    for alias in aliases:
                        bound.imports[alias.asname or alias.name] = (level, [*before, alias.name])
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    bound.others.add(name)
        for statement in self._sources[path].tree.body:
            if isinstance(statement, _Function):
                bound.functions[statement.name].append(statement)
        return bound


def _gives_decorator(function: _Function) -> bool:
    """Whether calling it gives such a decorator: ``@retry(times=3)``."""
    inner = {node.name: node for node in function.body if isinstance(node, _Function)}
    returned = {
        node.value.id if isinstance(node.value, ast.Name) else "" for node in _returns(function)
    }
    return len(returned) == 1 and all(
        name in inner and _passes_on(inner[name]) for name in returned
    )


def _passes_on(function: _Function) -> bool:
    """Whether it is such a decorator."""
    own = [*function.args.posonlyargs, *function.args.args]
    if not own or isinstance(function, ast.AsyncFunctionDef):
        return False
    name = own[0].arg
    inner = {n.name: n for n in _own_nodes(function) if isinstance(n, _Function)}
    returned = [node.value for node in _returns(function)]
    if not returned or not isinstance(function.body[-1], ast.Return):
        return False
    if not all(isinstance(node, ast.Name) and node.id in inner for node in returned):
        return False
    body = Body(function.body)
    calls: list[ast.Call] = []
    for use in body.uses[name]:
        parent = body.parents.get(use)
        if isinstance(parent, ast.Call) and parent.func is use:
            calls.append(parent)
        elif not _is_label(use, parent):
            return False
    wrapped = [call for wrapper in inner.values() for call in _passed_calls(wrapper, name)]
    return (
        name not in body.bound
        and len(wrapped) == len(calls)
        and all(_passed_calls(wrapper, name) for wrapper in inner.values())
        and all(
            isinstance(body.parents.get(use), ast.Return)
            for wrapper in inner
            for use in body.uses[wrapper]
        )
    )


def _is_label(use: ast.Name, parent: ast.AST | None) -> bool:
    """``wraps(function)``, ``function.__name__``: nothing that calls it or keeps it."""
    match parent:
        case ast.Attribute(attr=attribute):
            return attribute in _LABELS
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in ("wraps", "iscoroutinefunction")
    return False


def _passed_calls(wrapper: _Function, name: str) -> list[ast.Call]:
    """The calls of ``name`` in a wrapper, if that passes its own arguments on and returns what
    they give; none otherwise."""
    arguments = wrapper.args
    own = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    if arguments.kwonlyargs or arguments.defaults or any(map(_is_unknown, wrapper.decorator_list)):
        return []
    rest = arguments.vararg.arg if arguments.vararg is not None else None
    named = arguments.kwarg.arg if arguments.kwarg is not None else None
    body = Body(wrapper.body)
    parameters = {*own, *(other for other in (rest, named) if other is not None)}
    calls = [
        node
        for node in _own_nodes(wrapper)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    inside = {part for call in calls for part in ast.walk(call)}
    if not parameters.isdisjoint(body.bound) or any(
        use not in inside and parameter not in ("self", "cls")
        for parameter in parameters
        for use in body.uses[parameter]
    ):
        return []
    if not all(_is_whole(call, own, rest, named) and body.is_passed_on(call) for call in calls):
        return []
    given: set[ast.AST] = {*calls} | {
        parent for call in calls if isinstance(parent := body.parents.get(call), ast.Await)
    }
    variables = {
        parent.targets[0].id
        for node in given
        if isinstance(parent := body.parents.get(node), ast.Assign)
        and isinstance(parent.targets[0], ast.Name)
    }
    for node in _own_nodes(wrapper):
        match node:
            case ast.Yield() | ast.YieldFrom():
                return []
            case ast.Return(value=value):
                if not (_is_none(value) or value in given or _is_one_of(value, variables)):
                    return []
            case ast.Assign(targets=[ast.Name(id=variable)], value=value):
                if variable in variables and not (_is_none(value) or value in given):
                    return []
    return calls


def _is_whole(call: ast.Call, own: list[str], rest: str | None, named: str | None) -> bool:
    """Whether a call passes all parameters of the wrapper on, in their order."""
    given = [ast.unparse(argument) for argument in call.args]
    keywords = [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]
    return given == [*own, *([f"*{rest}"] if rest else [])] and keywords == (
        [(None, named)] if named else []
    )


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _is_one_of(node: ast.expr | None, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_unknown(decorator: ast.expr) -> bool:
    """A decorator of a wrapper other than ``wraps``."""
    return not (
        isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func) in ("wraps", "functools.wraps")
    )


def _returns(function: _Function) -> list[ast.Return]:
    return [node for node in _own_nodes(function) if isinstance(node, ast.Return)]


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function's body; of functions inside only the definition itself."""
    queue: list[ast.AST] = list(function.body)
    while queue:
        node = queue.pop(0)
        yield node
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            queue.extend(ast.iter_child_nodes(node))
