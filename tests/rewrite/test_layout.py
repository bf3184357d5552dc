"""How written calls are laid out."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from migrate_milvus.edits import (
    Argument,
    Block,
    CallTemplate,
    Comprehension,
    ReplaceNode,
    ReplaceStatement,
    Src,
)
from tests.rewrite.helpers import Case, call, line, rewrite


def replace_call(
    template_of: Callable[[ast.Call], CallTemplate],
) -> Callable[[Case], ReplaceNode]:
    def edit(case: Case) -> ReplaceNode:
        node = next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.Call))
        return ReplaceNode(node, (template_of(node),))

    return edit


def keywords(node: ast.Call) -> CallTemplate:
    return call("client.do", **{f"key{i}": Src(value) for i, value in enumerate(node.args)})


def test_a_call_that_fits_stays_on_one_line() -> None:
    after = rewrite("x = f(aa, bb)\n", replace_call(keywords), line_length=33)
    assert after == "x = client.do(key0=aa, key1=bb)\n"
    assert len(after) == 32


def test_a_call_that_does_not_fit_gets_one_argument_per_line() -> None:
    after = rewrite("if y:\n    x = f(aa, bb)  # c\n", replace_call(keywords), line_length=34)
    assert after == "if y:\n    x = client.do(\n        key0=aa,\n        key1=bb,\n    )  # c\n"


def test_a_line_may_stay_as_long_as_it_was() -> None:
    before = "x = ffffffffffffffffffffffffff(aa, bb)\n"
    after = rewrite(before, replace_call(keywords), line_length=20)
    assert after == "x = client.do(key0=aa, key1=bb)\n"


def test_a_trailing_comment_does_not_count() -> None:
    before = "x = f(aa, bb)  # a long comment beside the statement\n"
    after = rewrite(before, replace_call(keywords), line_length=20)
    assert after == (
        "x = client.do(\n    key0=aa,\n    key1=bb,\n)  # a long comment beside the statement\n"
    )


def test_tabs_indent_with_one_tab() -> None:
    after = rewrite("if y:\n\tx = f(aa, bb)\n", replace_call(keywords), line_length=20)
    assert after == "if y:\n\tx = client.do(\n\t\tkey0=aa,\n\t\tkey1=bb,\n\t)\n"


def test_line_ends_are_those_of_the_place() -> None:
    before = "a\nif y:\r\n    x = f(aa, bb)\r\nb\n"
    after = rewrite(before, replace_call(keywords), line_length=20)
    assert after == (
        "a\nif y:\r\n    x = client.do(\r\n        key0=aa,\r\n        key1=bb,\r\n    )\r\nb\n"
    )


def test_several_lines_in_one_argument_break_the_call() -> None:
    before = 'f("films", [\n    a,\n    b,\n])\n'
    assert rewrite(before, replace_call(keywords)) == (
        'client.do(\n    key0="films",\n    key1=[\n        a,\n        b,\n    ],\n)\n'
    )


def test_a_single_argument_of_several_lines_stays_in_the_brackets() -> None:
    before = "f([\n    a,\n    b,\n])\n"
    assert rewrite(before, replace_call(keywords)) == "client.do(key0=[\n    a,\n    b,\n])\n"


def test_aligned_lines_move_with_their_column() -> None:
    before = "f(1, [a,\n      b])\n"
    assert rewrite(before, replace_call(keywords)) == (
        "client.do(\n    key0=1,\n    key1=[a,\n          b],\n)\n"
    )


def test_lines_in_strings_never_move() -> None:
    before = 'if x:\n    f(1, ["""\n  a\n""",\n        2,\n    ])\n'
    assert rewrite(before, replace_call(keywords)) == (
        'if x:\n    client.do(\n        key0=1,\n        key1=["""\n  a\n""",\n'
        "            2,\n        ],\n    )\n"
    )


def test_the_outermost_call_breaks_first() -> None:
    def template(node: ast.Call) -> CallTemplate:
        inner = call("inner", aaaa=Src(node.args[0]), bbbb=Src(node.args[1]))
        return CallTemplate(("outer",), (Argument((inner,), "rows"), Argument(("1",), "n")))

    before = "x = f(p, q)\n"
    assert rewrite(before, replace_call(template), line_length=40) == (
        "x = outer(\n    rows=inner(aaaa=p, bbbb=q),\n    n=1,\n)\n"
    )
    assert rewrite(before, replace_call(template), line_length=25) == (
        "x = outer(\n    rows=inner(\n        aaaa=p,\n        bbbb=q,\n    ),\n    n=1,\n)\n"
    )


def test_of_two_calls_on_a_line_the_wider_breaks() -> None:
    def edits(case: Case) -> list[ReplaceNode]:
        return [
            ReplaceNode(case.expr("f(1)"), (call("first", a="1"),)),
            ReplaceNode(case.expr("g(2)"), (call("second", aaaaaaa="1", bbbbbbb="2"),)),
        ]

    assert rewrite("p(f(1), g(2))\n", edits, line_length=30) == (
        "p(first(a=1), second(\n    aaaaaaa=1,\n    bbbbbbb=2,\n))\n"
    )


def test_a_magic_trailing_comma_keeps_the_call_broken() -> None:
    before = "x = f(\n    aa,\n    bb,\n)\n"
    assert rewrite(before, replace_call(keywords)) == (
        "x = client.do(\n    key0=aa,\n    key1=bb,\n)\n"
    )


def test_a_call_without_trailing_comma_is_joined() -> None:
    before = "x = f(\n    aa, bb\n)\n"
    assert rewrite(before, replace_call(keywords)) == "x = client.do(key0=aa, key1=bb)\n"


def test_a_call_in_a_block_header() -> None:
    def edit(case: Case) -> ReplaceStatement:
        header = ("if not ", call("client.has", a=case.src("aa"), b=case.src("bb")), ":")
        return ReplaceStatement(case.source.tree.body[0], (Block(header, (line("y"),)),))

    assert rewrite("f(aa, bb)\n", edit) == "if not client.has(a=aa, b=bb):\n    y\n"
    assert rewrite("f(aa, bb)\n", edit, line_length=20) == (
        "if not client.has(\n    a=aa,\n    b=bb,\n):\n    y\n"
    )


def test_a_comprehension_breaks_before_its_clause() -> None:
    def template(node: ast.Call) -> CallTemplate:
        rows = Comprehension(("{'a': a}",), ("for a in zip(", Src(node.args[0]), ")"))
        return CallTemplate(("g",), (Argument((rows,), "data"), Argument(("b",), "*")))

    before = "x = f(aa)\n"
    assert rewrite(before, replace_call(template)) == (
        "x = g(data=[{'a': a} for a in zip(aa)], *b)\n"
    )
    assert rewrite(before, replace_call(template), line_length=20) == (
        "x = g(\n    data=[\n        {'a': a}\n        for a in zip(aa)\n    ],\n    *b,\n)\n"
    )


@pytest.mark.parametrize("length", [1, 20, 40, 200])
def test_a_call_without_arguments_never_breaks(length: int) -> None:
    after = rewrite("x = f()\n", replace_call(lambda node: call("client.close_it_now")), length)
    assert after == "x = client.close_it_now()\n"
