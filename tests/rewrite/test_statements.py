"""Replacing, removing and inserting statements; comments and blank lines around them."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from migrate_milvus.edits import Block, InsertStatements, Line, ReplaceNode, ReplaceStatement, Src
from tests.rewrite.helpers import Case, call, line, rewrite

GUARD = Block(("if not c.has(n):",), (line("c.create(n)"), line("c.load(n)")))


def replace(text: str, *statements: Line | Block) -> Callable[[Case], ReplaceStatement]:
    return lambda case: ReplaceStatement(case.stmt(text), statements)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("old\n", "a\nb\n"),
        ("old", "a\nb"),
        ("if x:\n    old  # why\ny\n", "if x:\n    a\n    b  # why\ny\n"),
        ("if x:\r\n\told\r\n", "if x:\r\n\ta\r\n\tb\r\n"),
        ("# above\nold\n# below\n", "# above\na\nb\n# below\n"),
        ("if x: old\ny\n", "if x:\n    a\n    b\ny\n"),
        ("if x: old  # why\ny\n", "if x:\n    a\n    b  # why\ny\n"),
        ("if x: y; old; z\n", "if x:\n    y\n    a\n    b\n    z\n"),
        ("for x in y:\n  if x: old\n", "for x in y:\n  if x:\n    a\n    b\n"),
        ("class A:\n\tdef f(self): old\n", "class A:\n\tdef f(self):\n\t\ta\n\t\tb\n"),
        ("if x: y\nelse: old\n", "if x: y\nelse:\n    a\n    b\n"),
        ("try: y\nfinally: old\n", "try: y\nfinally:\n    a\n    b\n"),
        ("try: y\nexcept E: old\n", "try: y\nexcept E:\n    a\n    b\n"),
        (
            "match x:\n  case 1: old\n  case 2: pass\n",
            "match x:\n  case 1:\n    a\n    b\n  case 2: pass\n",
        ),
        ("y; old; z # c\n", "y\na\nb\nz # c\n"),
        ("def f():\n    y; old;\n    z\n", "def f():\n    y\n    a\n    b\n    z\n"),
        ("if (x and\n    y): old\n", "if (x and\n    y):\n    a\n    b\n"),
    ],
)
def test_a_statement_becomes_two(before: str, after: str) -> None:
    assert rewrite(before, replace("old", line("a"), line("b"))) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("old  # c\n", "a  # c\n"),
        ("y; old; z\n", "y; a; z\n"),
        ("if x: old;\n", "if x: a;\n"),
        ("while x: y; old # c\n", "while x: y; a # c\n"),
    ],
)
def test_a_statement_becomes_one_in_its_line(before: str, after: str) -> None:
    assert rewrite(before, replace("old", line("a"))) == after


def test_a_block_is_written_with_the_indentation_of_the_file() -> None:
    before = "def f():\n  old  # c\n"
    after = "def f():\n  if not c.has(n):\n    c.create(n)\n    c.load(n)  # c\n"
    assert rewrite(before, replace("old", GUARD)) == after
    assert rewrite("if x: old\n", replace("old", GUARD)) == (
        "if x:\n    if not c.has(n):\n        c.create(n)\n        c.load(n)\n"
    )


def test_a_block_without_body_gets_pass() -> None:
    assert rewrite("old\n", replace("old", Block(("if x:",), ()))) == "if x:\n    pass\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nold\nb\n", "a\nb\n"),
        ("a\nold", "a"),
        ("old\n", ""),
        ("old", ""),
        ("a\n\nold\nb\n", "a\n\nb\n"),
        ("a\nold\n\nb\n", "a\n\nb\n"),
        ("a\n\nold\n\nb\n", "a\n\nb\n"),
        ("a\n\nold\n\n\nb\n", "a\n\n\nb\n"),
        ("a\n\n\nold\n\nb\n", "a\n\n\nb\n"),
        ("a\n\nold\n", "a\n"),
        ("a\n\nold", "a"),
        ("old\n\n\nb\n", "b\n"),
        ("'''doc'''\n\nold\n\nb\n", "'''doc'''\n\nb\n"),
        ("# head\n\nold\n\nb\n", "# head\n\nb\n"),
        ("# head\nold\nb\n", "# head\nb\n"),
        ("def f():\n    old\n\n    b\n", "def f():\n    b\n"),
        ("def f():\n    # why\n    old\n\n    b\n", "def f():\n    # why\n\n    b\n"),
        ("def f():\n    a\n\n    old\n\n\nb\n", "def f():\n    a\n\n\nb\n"),
        ("def f():\n    old\n\n\nb\n", "def f():\n    pass\n\n\nb\n"),
        ("def f():\n    old  # why\n\n\nb\n", "def f():\n    pass  # why\n\n\nb\n"),
        ("def f():\n    old  # noqa\n\n\nb\n", "def f():\n    pass\n\n\nb\n"),
        ("if x:\n    a\nelse:\n    old\n", "if x:\n    a\n"),
        ("if x:\n    a\nelse: old\nb\n", "if x:\n    a\nb\n"),
        ("if x:\n    a\nelse:\n    # c\n    old\n", "if x:\n    a\nelse:\n    # c\n    pass\n"),
        ("if x:\n    a\nelif y:\n    old\n", "if x:\n    a\nelif y:\n    pass\n"),
        ("for x in y:\n    a\nelse:\n    old\nb\n", "for x in y:\n    a\nb\n"),
        ("if x: old\n", "if x: pass\n"),
        ("if x: a; old\n", "if x: a\n"),
        ("if x: old; a;\n", "if x: a;\n"),
        ("a; old; b\n", "a; b\n"),
        ("a\nold  # why\nb\n", "a\n# why\nb\n"),
        ("a\nold  # type: ignore\nb\n", "a\nb\n"),
        ("a\nold;\nb\n", "a\nb\n"),
        ("a\n\x0c\nold\n\nb\n", "a\n\x0c\n\nb\n"),
        ("a\r\rold\r\rb\r", "a\r\rb\r"),
        ("a\r\n\r\nold\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
        ("a\n\nold\n\nold\n\nb\n", "a\n\nb\n"),
        ("a\n\nold\n\n\nold\nb\n", "a\n\nb\n"),
        ("old\n\nold\n\nb\n", "b\n"),
        ("old; old\nb\n", "b\n"),
        ("def f():\n    old\n    old\n", "def f():\n    pass\n"),
        ("def f():\n    old\n    # c\n    old\n    b\n", "def f():\n    # c\n    b\n"),
        ("try:\n    old\nexcept E:\n    pass\n", "try:\n    pass\nexcept E:\n    pass\n"),
    ],
)
def test_a_removed_statement_leaves_no_gap_and_no_empty_body(before: str, after: str) -> None:
    def edits(case: Case) -> list[ReplaceStatement]:
        return [
            ReplaceStatement(node, ())
            for node in ast.walk(case.source.tree)
            if isinstance(node, ast.Expr) and ast.unparse(node) == "old"
        ]

    assert rewrite(before, edits) == after


def test_comments_inside_a_removed_statement_stay() -> None:
    before = "a\nold = [\n    # the first\n    1,  # one\n    2,  # noqa\n]  # end\n\nb\n"
    after = rewrite(before, lambda case: ReplaceStatement(case.stmt("old = [1, 2]"), ()))
    assert after == "a\n# the first\n# one\n# end\n\nb\n"


def test_comments_inside_a_replaced_statement_go_above() -> None:
    before = "if x:\n    old(  # open\n        1,  # one\n        y,\n    )  # end\n"
    after = rewrite(before, replace("old(1, y)", line("a"), line("b")))
    assert after == "if x:\n    # open\n    # one\n    a\n    b  # end\n"


def test_anchors_take_their_comments_along() -> None:
    before = (
        "fields = [\n"
        "    # the key\n"
        "    F('pk', 1),\n"
        "    F('title',  # shown\n"
        "      2),  # as shown\n"
        "    # last\n"
        "    F('emb', 3)  # vector\n"
        "]  # fields\n"
        "schema = S(fields)  # schema\n"
    )

    def edits(case: Case) -> list[ReplaceStatement]:
        statement = case.source.tree.body[0]
        assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List)
        return [
            ReplaceStatement(statement, ()),
            ReplaceStatement(
                case.source.tree.body[1],
                (
                    line("schema = create()"),
                    *(
                        line(call("schema.add", *map(Src, field.args)), anchor=field)
                        for field in statement.value.elts
                        if isinstance(field, ast.Call)
                    ),
                ),
            ),
        ]

    assert rewrite(before, edits) == (
        "# fields\n"
        "schema = create()\n"
        "# the key\n"
        "schema.add('pk', 1)\n"
        "schema.add(\n"
        "    'title',  # shown\n"
        "    2,\n"
        ")  # as shown\n"
        "# last\n"
        "schema.add('emb', 3)  # vector  # schema\n"
    )


def test_a_statement_anchor_takes_the_trailing_comment() -> None:
    before = "x = old()  # why\n"
    after = rewrite(
        before,
        lambda case: ReplaceStatement(
            case.source.tree.body[0], (line("a", anchor=case.source.tree.body[0]), line("b"))
        ),
    )
    assert after == "a  # why\nb\n"


def test_arguments_take_their_comments_along() -> None:
    before = (
        "res = coll.search(\n"
        "    vectors,  # the questions\n"
        "    # which field\n"
        '    anns_field="emb",\n'
        "    limit=2,\n"
        ")  # found\n"
    )

    def edit(case: Case) -> ReplaceNode:
        node = case.expr("coll.search(vectors, anns_field='emb', limit=2)")
        template = call(
            "client.search", data=case.src("vectors"), anns_field=case.src("'emb'"), limit="2"
        )
        return ReplaceNode(node, (template,))

    assert rewrite(before, edit) == (
        "res = client.search(\n"
        "    data=vectors,  # the questions\n"
        "    # which field\n"
        '    anns_field="emb",\n'
        "    limit=2,\n"
        ")  # found\n"
    )


def test_comments_in_written_source_stay_where_they_are() -> None:
    before = "old(\n    [\n        1,  # one\n        2,\n    ]\n)\n"
    after = rewrite(
        before,
        lambda case: ReplaceStatement(
            case.source.tree.body[0], (line(call("new", data=case.src("[1, 2]"))),)
        ),
    )
    assert after == "new(data=[\n    1,  # one\n    2,\n])\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nhere\n", "a\nNEW\nhere\n"),
        ("a\n\n# about here\nhere\n", "a\n\nNEW\n# about here\nhere\n"),
        ("a\n# section\n\nhere\n", "a\n# section\n\nNEW\nhere\n"),
        (
            "#!/usr/bin/python\n# coding: utf-8\nhere\n",
            "#!/usr/bin/python\n# coding: utf-8\nNEW\nhere\n",
        ),
        ("def f():\n    here\n", "def f():\n    NEW\n    here\n"),
        ("def f():\n    # c\n    here\n", "def f():\n    NEW\n    # c\n    here\n"),
        ("def f(): here\n", "def f():\n    NEW\n    here\n"),
        ("def f(): a; here  # c\n", "def f():\n    a\n    NEW\n    here  # c\n"),
        ("a; here\n", "a\nNEW\nhere\n"),
        ("here; a\n", "NEW\nhere; a\n"),
        ("if x:\n\there", "if x:\n\tNEW\n\there"),
        (
            "if x:\n  # other\n    # deep\n    here\n",
            "if x:\n  # other\n    NEW\n    # deep\n    here\n",
        ),
    ],
)
def test_statements_are_inserted_before(before: str, after: str) -> None:
    edit = rewrite(
        before, lambda case: InsertStatements(case.stmt("here"), (line("NEW"),), after=False)
    )
    assert edit == after


@pytest.mark.parametrize(
    ("before", "first", "after"),
    [
        ("here  # c\na\n", "here", "here  # c\nNEW\na\n"),
        ("here", "here", "here\nNEW"),
        ("here\r\n", "here", "here\r\nNEW\r\n"),
        ("def f():\n    here\n\n\nb\n", "here", "def f():\n    here\n    NEW\n\n\nb\n"),
        ("def f(): here\n", "here", "def f():\n    here\n    NEW\n"),
        ("here; a\n", "here", "here\nNEW\na\n"),
        ("a; here  # c\n", "here", "a; here  # c\nNEW\n"),
        ("if x:\n    a\n    # end of x\nb\n", "if x:", "if x:\n    a\n    # end of x\nNEW\nb\n"),
        ("if x:\n    a\n# b\nb\n", "if x:", "if x:\n    a\nNEW\n# b\nb\n"),
        ("import os\n\n\ndef f(): pass\n", "import os", "import os\n\nNEW\n\n\ndef f(): pass\n"),
        ("def f():\n    a\n", "def f():", "def f():\n    a\n\n\nNEW\n"),
        ("x = [\n    1,\n]  # c\ny\n", "x = [1]", "x = [\n    1,\n]  # c\nNEW\ny\n"),
    ],
)
def test_statements_are_inserted_after(before: str, first: str, after: str) -> None:
    written = rewrite(
        before, lambda case: InsertStatements(case.stmt(first), (line("NEW"),), after=True)
    )
    assert written == after


def test_insertion_before_a_definition_goes_above_its_decorators() -> None:
    before = "import os\n\n\n# about f\n@a\n@b\ndef f():\n    pass\n"

    def edit(case: Case) -> InsertStatements:
        return InsertStatements(case.source.tree.body[1], (line("x: int"),))

    assert rewrite(before, edit) == (
        "import os\n\n\nx: int\n\n\n# about f\n@a\n@b\ndef f():\n    pass\n"
    )


def test_insertion_before_a_definition_that_comes_first_leaves_room() -> None:
    def edit(case: Case) -> InsertStatements:
        return InsertStatements(case.stmt("def f():"), (line("x: int"),))

    assert rewrite("def f():\n    pass\n", edit) == "x: int\n\n\ndef f():\n    pass\n"
    assert rewrite("class A:\n    def f():\n        pass\n", edit) == (
        "class A:\n    x: int\n\n    def f():\n        pass\n"
    )


def test_an_empty_line_writes_a_blank_line() -> None:
    before = "def f():\n    here\n"
    after = rewrite(
        before,
        lambda case: InsertStatements(case.stmt("here"), (line("a"), line(), line("b")), True),
    )
    assert after == "def f():\n    here\n    a\n\n    b\n"


def test_insertions_and_replacement_of_one_statement_meet() -> None:
    def edits(case: Case) -> list[ReplaceStatement | InsertStatements]:
        node = case.stmt("old")
        return [
            InsertStatements(node, (line("b2"),)),
            InsertStatements(node, (line("b3"),)),
            InsertStatements(node, (line("a1"),), after=True),
            ReplaceStatement(node, (line("m"),)),
        ]

    assert rewrite("x\nold  # c\ny\n", edits) == "x\nb2\nb3\nm  # c\na1\ny\n"


def test_neighbours_change_independently() -> None:
    def edits(case: Case) -> list[ReplaceStatement | InsertStatements]:
        return [
            InsertStatements(case.stmt("a"), (line("after_a"),), after=True),
            ReplaceStatement(case.stmt("old"), ()),
            InsertStatements(case.stmt("b"), (line("before_b"),)),
        ]

    assert rewrite("a\n\nold\n\nb\n", edits) == "a\nafter_a\n\nbefore_b\nb\n"


def test_edits_in_a_header_and_in_its_body_and_around_it() -> None:
    def edits(case: Case) -> list[ReplaceStatement | InsertStatements | ReplaceNode]:
        return [
            ReplaceNode(case.expr("cond"), ("ready",)),
            ReplaceStatement(case.stmt("old"), (line("a"), line("b"))),
            InsertStatements(case.stmt("if cond:"), (line("first"),)),
            InsertStatements(case.stmt("if cond:"), (line("last"),), after=True),
        ]

    assert rewrite("if cond: old\n", edits) == "first\nif ready:\n    a\n    b\nlast\n"


def test_a_statement_can_be_taken_along_whole() -> None:
    before = "def f():\n    old(\n        x.y,\n    )  # c\n"

    def edits(case: Case) -> list[ReplaceStatement | ReplaceNode]:
        node = case.stmt("old(x.y)")
        return [
            ReplaceStatement(node, (Block(("if not done:",), (line(Src(node)),)),)),
            ReplaceNode(case.expr("x.y"), ("z",)),
        ]

    assert rewrite(before, edits) == (
        "def f():\n    if not done:\n        old(\n            z,\n        )  # c\n"
    )


def test_a_compound_statement_can_be_removed() -> None:
    before = "a\n\n# guard\nif x:\n    # why\n    b\n\nc\n"
    after = rewrite(before, lambda case: ReplaceStatement(case.stmt("if x:"), ()))
    assert after == "a\n\n# guard\n# why\n\nc\n"
