"""Functions that call what they are given, and pass on what that gives: ``retry(connect)``."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum

from migrate_milvus.program import FunctionInfo


class Way(Enum):
    """How a function calls a parameter: with nothing, with its own ``*args, **kwargs``, or else."""

    BARE = "bare"
    REST = "rest"
    OTHER = "other"


@dataclass(frozen=True)
class Calls:
    """What a function does with a parameter that it calls.

    ``returned``: what the parameter gives is only returned, tested for being something, or left.
    """

    way: Way
    returned: bool


def called_parameters(info: FunctionInfo) -> dict[str, Calls]:
    """The parameters that a function calls and never binds again, with what it does with them."""
    node = info.node
    if isinstance(node, ast.Lambda) or info.generator or info.takes_fixtures:
        return {}
    if info.opaque_decorators:
        return {}
    own = [p.arg for p in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    body = Body(node.body)
    found: dict[str, Calls] = {}
    for name in own[1:] if info.is_method else own:
        calls = [call for use in body.uses[name] if (call := body.call_of(use)) is not None]
        if not calls or name in body.bound or body.is_assigned(name):
            continue
        ways = {body.way(info, call) for call in calls}
        alone = len(ways) == 1 and len(calls) == len(body.uses[name])
        way = ways.pop() if alone else Way.OTHER
        found[name] = Calls(way, all(body.is_passed_on(call) for call in calls))
    return found


class Body:
    """The names and calls of a function body, nested functions included."""

    def __init__(self, statements: list[ast.stmt]) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.uses: dict[str, list[ast.Name]] = defaultdict(list)
        self.bound: set[str] = set()  # otherwise than by a plain assignment in the body itself
        for statement in statements:
            for node in ast.walk(statement):
                for child in ast.iter_child_nodes(node):
                    self.parents[child] = node
                match node:
                    case ast.Name():
                        self.uses[node.id].append(node)
                    case ast.arg(arg=name):
                        self.bound.add(name)
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        self.bound.add(name)
                    case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                        self.bound.add(name)
                    case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                        self.bound.add(name)
                    case ast.alias():
                        self.bound.add(node.asname or node.name.partition(".")[0])
                    case ast.Global(names=names) | ast.Nonlocal(names=names):
                        self.bound.update(names)

    def is_assigned(self, name: str) -> bool:
        """Whether the body binds or deletes a name."""
        return any(not isinstance(use.ctx, ast.Load) for use in self.uses[name])

    def call_of(self, use: ast.Name) -> ast.Call | None:
        """The call of a name, where that is what is done with it."""
        parent = self.parents.get(use)
        return parent if isinstance(parent, ast.Call) and parent.func is use else None

    def way(self, info: FunctionInfo, call: ast.Call) -> Way:
        """How a parameter is called."""
        if not call.args and not call.keywords:
            return Way.BARE
        rest, named = info.node.args.vararg, info.node.args.kwarg
        match call:
            case ast.Call(
                args=[ast.Starred(value=ast.Name(id=first))],
                keywords=[ast.keyword(arg=None, value=ast.Name(id=second))],
            ):
                if rest is None or named is None or (first, second) != (rest.arg, named.arg):
                    return Way.OTHER
                # Nothing else looks at them: they are other ones after the rewrite.
                own = {first, second}.isdisjoint(self.bound) and self.is_own(call)
                return Way.REST if own and self.only_rest(first, second) else Way.OTHER
        return Way.OTHER

    def only_rest(self, rest: str, named: str) -> bool:
        """Whether ``*args`` and ``**kwargs`` are only ever passed on."""
        return all(
            isinstance(self.parents.get(use), ast.Starred) for use in self.uses[rest]
        ) and all(
            isinstance(parent := self.parents.get(use), ast.keyword) and parent.arg is None
            for use in self.uses[named]
        )

    def is_passed_on(self, call: ast.Call) -> bool:
        """Whether what a call gives is returned as it is, perhaps by a variable, or left alone."""
        if not self.is_own(call):
            return False
        parent = self.parents.get(call)
        if isinstance(parent, ast.Await):
            parent = self.parents.get(parent)
        match parent:
            case ast.Return() | ast.Expr():
                return True
            case ast.Assign(targets=[ast.Name(id=name)]):
                return name not in self.bound and all(map(self.is_neutral, self.uses[name]))
        return False

    def is_neutral(self, use: ast.Name) -> bool:
        """Whether a variable is assigned there, returned, or tested for being something."""
        if not self.is_own(use):
            return False
        parent = self.parents.get(use)
        match parent:
            case ast.Return() | ast.If() | ast.While():
                return True
            case ast.Assign(targets=[target]):
                return target is use
            case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
        return False

    def is_own(self, node: ast.AST) -> bool:
        """Whether no function or class inside the function holds the node."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                return False
        return True
