"""Names that nothing binds, or that are read too early."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migrate_milvus.names import early, unresolved
from migrate_milvus.syntax import SourceText


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print(x)", {((), "x")}),
        ("x = 1\nprint(x, len, __file__)", set()),
        ("def f():\n    x = 1\ndef g():\n    return x", {(("g",), "x")}),
        ("def f():\n    x = 1\n    def g():\n        return x", set()),
        ("def f():\n    global x\n    x = 1\nprint(x)", set()),
        ("def f():\n    global x\n    return x", {(("f",), "x")}),
        ("x: int\ndef f():\n    return x", set()),
        ("class A:\n    x = 1\n    y = x\n    def f(self):\n        return x", {(("A", "f"), "x")}),
        ("print([x for x in y])", {((), "y")}),
        ("print([x for z in [1]])", {((), "x")}),
        ("[x for x in [1]]\nprint(x)", {((), "x")}),
        ("print(lambda a: a + b)", {((), "b")}),
        ("if (x := 1): print(x)", set()),
        ("try: pass\nexcept E as e: print(e)", {((), "E")}),
        ("import a.b as c, d.e\nprint(a, c, d)", {((), "a")}),
        ("from a import *\nprint(x)", set()),
        ("match 1:\n    case {'a': x, **y}: print(x, y)", set()),
        ("def f(a: x) -> y: pass", {((), "x"), ((), "y")}),
    ],
)
def test_unresolved(text: str, expected: set[object]) -> None:
    assert unresolved(text) == expected


def test_a_star_import_need_not_count() -> None:
    assert unresolved("from a import *\nprint(x)", stars=False) == {((), "x")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print(x)\nx = 1", {"x": 1}),
        ("x = x + 1", {"x": 1}),
        ("x = 1\nx = x + 1", {}),
        ("x: int\nprint(x)\nx = 1", {"x": 2}),
        ("print(x)", {}),  # see unresolved
        ("print(len)\nlen = 1", {}),
        ("for i in y:\n    print(x)\n    x = 1", {}),
        ("while x:\n    x = 1", {}),
        ("for x in x: pass", {}),
        ("def f():\n    print(x)\nx = 1", {}),
        ("def f(a=x): pass\nx = 1", {"x": 1}),
        ("def f(a: x): pass\nx = 1", {}),
        ("@x\ndef f(): pass\nx = 1", {"x": 1}),
        ("def f():\n    print(x)\n    x = 1", {"x": 2}),
        ("def f(x):\n    print(x)\n    x = 1", {}),
        ("def f():\n    global x\n    x = 1\nf()\nprint(x)\nx = 2", {}),
        ("print(lambda: x)\nx = 1", {}),
        ("print([x for x in [1]])\nx = 1", {}),
        ("print([x for y in [1]])\nx = 1", {"x": 1}),
        ("class A:\n    y = x\nx = 1", {"x": 2}),
        ("class A:\n    x = 1\n    y = x\nx = 1", {}),
        ("print(x if (x := 1) else 2)", {}),
        ("print(os)\nimport os", {"os": 1}),
        ("if a:\n    x = 1\nprint(x)", {}),
        ("from a import *\nprint(x)\nx = 1", {}),
        ("x: Later\nfrom a import Later\n", {"Later": 1}),
        ("class A:\n    x: Later\nfrom a import Later\n", {"Later": 2}),
        ("def f():\n    x: Later\nfrom a import Later\n", {}),
        ("from __future__ import annotations\nx: Later\nfrom a import Later\n", {}),
    ],
)
def test_early(text: str, expected: dict[str, int]) -> None:
    found = early(SourceText(dedent(text)))
    assert {name: line for (_, name), line in found.items()} == expected
