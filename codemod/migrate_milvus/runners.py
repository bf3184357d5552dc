"""Functions out of sight of which it is known how they call the function that they are given.

``executor.submit(f, x)`` is a call of ``f(x)`` that is made later. The analysis follows it like
one: it makes a ``LaterCall``, which stands in no text, with the user's expressions as arguments.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """What the runner returns for the result of the call."""

    FUTURE = "future"
    AWAITABLE = "awaitable"
    FUNCTION = "function"
    RESULT = "result"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Own:
    """The parameters of a function of the program that calls one of them.

    ``positions`` is the number of those that may be given by position, ``names`` has all. ``bare``:
    nothing is passed on.
    """

    positions: int
    names: frozenset[str]
    bare: bool


@dataclass(frozen=True)
class Runner:
    """How a function calls one that it is given.

    ``place`` is the position of that argument, ``keyword`` its name where it may be given by name.
    What follows it is passed on, ``keywords`` tells whether keywords are too; or it is given
    packed, as ``args=`` and ``kwargs=``. ``ends``: the call is made when the program ends. ``own``
    are the parameters of a function of the program.
    """

    place: int
    gives: Form
    keyword: str = ""
    keywords: bool = True
    packed: bool = False
    ends: bool = False
    own: Own | None = None


class LaterCall(ast.Call):
    """The call that a runner makes; ``runner`` and ``made_by``, the runner's own call, tell how.

    Its keywords are those of the runner's call, or new ones for the items of ``kwargs={...}``,
    whose keys are ``keys``.
    """

    runner: Runner
    made_by: ast.Call
    keys: dict[ast.keyword, ast.expr]


class NamedRead(ast.Attribute):
    """The attribute that ``made_by``, a call of ``getattr`` with a constant name, reads."""

    made_by: ast.Call


def named_read(call: ast.Call) -> NamedRead | None:
    """The attribute that ``getattr(x, "name")`` reads; None where the name is computed."""
    match call:
        case ast.Call(args=[owner, ast.Constant(value=str() as name), *_], keywords=[]):
            if len(call.args) <= 3 and name.isidentifier() and not isinstance(owner, ast.Starred):
                read = NamedRead(owner, name, ast.Load())
                read.made_by = call
                return ast.copy_location(read, call)
    return None


_SUBMIT = Runner(0, Form.FUTURE)
_IN_EXECUTOR = Runner(1, Form.FUTURE, keywords=False)

#: Functions by their import path.
FUNCTIONS: dict[str, Runner] = {
    "asyncio.to_thread": Runner(0, Form.AWAITABLE),
    "atexit.register": Runner(0, Form.NOTHING, ends=True),
    "fastapi.concurrency.run_in_threadpool": Runner(0, Form.AWAITABLE),
    "functools.partial": Runner(0, Form.FUNCTION),
    "starlette.concurrency.run_in_threadpool": Runner(0, Form.AWAITABLE),
    "threading.Thread": Runner(1, Form.NOTHING, keyword="target", packed=True),
    "threading.Timer": Runner(1, Form.NOTHING, keyword="function", packed=True),
}
#: What makes the objects whose methods these are.
METHODS: dict[str, dict[str, Runner]] = {
    "executor": {"submit": _SUBMIT},
    "loop": {"run_in_executor": _IN_EXECUTOR},
}
MAKERS: dict[str, str] = {
    "asyncio.get_event_loop": "loop",
    "asyncio.get_running_loop": "loop",
    "asyncio.new_event_loop": "loop",
    "concurrent.futures.ThreadPoolExecutor": "executor",
    "concurrent.futures.thread.ThreadPoolExecutor": "executor",
}
#: Classes that an annotation may name for them.
CLASSES: dict[str, str] = {
    "asyncio.AbstractEventLoop": "loop",
    "concurrent.futures.ThreadPoolExecutor": "executor",
}
#: Functions that hand on the result of what they are given first, as something to wait for.
HANDING_ON = frozenset(
    [
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.shield",
        "asyncio.wait_for",
        "asyncio.wrap_future",
    ]
)
#: Functions that give the futures of a list one after the other.
ITERATING = frozenset({"asyncio.as_completed", "concurrent.futures.as_completed"})


def later_call(runner: Runner, call: ast.Call) -> LaterCall | None:
    """The call that ``call``, of a runner, makes; None where it is not given in plain sight."""
    keywords: list[ast.keyword] = []
    keys: dict[ast.keyword, ast.expr] = {}
    named_by = {keyword.arg: keyword.value for keyword in call.keywords}
    before = call.args[: runner.own.positions if runner.own is not None else runner.place + 1]
    callee = before[runner.place] if len(before) > runner.place else named_by.get(runner.keyword)
    if callee is None or any(isinstance(argument, ast.Starred) for argument in before):
        return None
    if runner.own is not None:
        arguments = call.args[runner.own.positions :]
        keywords = [keyword for keyword in call.keywords if keyword.arg not in runner.own.names]
        if runner.own.bare and (arguments or keywords):
            return None
    elif runner.packed:
        given = named_by
        if len(call.args) > runner.place + 1 or None in given:
            return None
        packed = _packed(given.get("args"))
        named = given.get("kwargs", ast.Dict([], []))
        if packed is None or not isinstance(named, ast.Dict):
            return None
        arguments = packed
        for key, value in zip(named.keys, named.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            keyword = ast.keyword(key.value, value)
            keys[ast.copy_location(keyword, key)] = key
            keywords.append(keyword)
    else:
        arguments = call.args[runner.place + 1 :]
        keywords = list(call.keywords)
        if keywords and not runner.keywords:
            return None
    made = LaterCall(callee, list(arguments), keywords)
    made.runner, made.made_by, made.keys = runner, call, keys
    return ast.copy_location(made, callee)


def _packed(given: ast.expr | None) -> list[ast.expr] | None:
    """The arguments in ``args=(x, y)``; None where they are not seen."""
    if given is None:
        return []
    return given.elts if isinstance(given, ast.Tuple | ast.List) else None


def others(made: LaterCall) -> list[ast.expr]:
    """What the runner is given besides the function and its arguments."""
    call, runner = made.made_by, made.runner
    found = call.args[: runner.place]
    if runner.packed:
        own = (runner.keyword, "args", "kwargs")
        found += [keyword.value for keyword in call.keywords if keyword.arg not in own]
    return found
