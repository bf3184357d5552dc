"""Edits that cannot be applied are refused with a reason."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import pytest

from migrate_milvus.edits import (
    ChangeImport,
    Edit,
    InsertStatements,
    ReplaceNode,
    ReplaceStatement,
    Src,
)
from migrate_milvus.rewrite import RewriteError
from tests.rewrite.helpers import Case, line, rewrite


def from_elsewhere(case: Case) -> list[Edit]:
    return [ReplaceNode(Case("a").expr("a"), ("b",))]


def twice_differently(case: Case) -> list[Edit]:
    return [ReplaceNode(case.expr("a"), ("b",)), ReplaceNode(case.expr("a"), ("c",))]


def statement_twice(case: Case) -> list[Edit]:
    node = case.source.tree.body[0]
    return [ReplaceStatement(node, ()), ReplaceStatement(node, (line("b"),))]


def import_and_statement(case: Case) -> list[Edit]:
    node = case.source.tree.body[0]
    assert isinstance(node, ast.ImportFrom)
    return [ReplaceStatement(node, ()), ChangeImport(node, add=("X",))]


def inside_a_replaced_statement(case: Case) -> list[Edit]:
    return [
        ReplaceStatement(case.stmt("if x:"), ()),
        InsertStatements(case.stmt("a"), (line("b"),)),
    ]


def no_place(case: Case) -> list[Edit]:
    node = next(node for node in ast.walk(case.source.tree) if isinstance(node, ast.expr_context))
    return [ReplaceNode(node, ("b",))]


def before_an_elif(case: Case) -> list[Edit]:
    node = case.source.tree.body[0]
    assert isinstance(node, ast.If)
    return [InsertStatements(node.orelse[0], (line("b"),))]


def not_python(case: Case) -> list[Edit]:
    return [ReplaceNode(case.expr("a"), ("b c",))]


def compound_in_a_template(case: Case) -> list[Edit]:
    node = case.stmt("if x:")
    return [ReplaceStatement(node, (line(Src(node)),))]


@pytest.mark.parametrize(
    ("before", "build", "message"),
    [
        ("a\n", from_elsewhere, "not part of this file"),
        ("a\n", twice_differently, "line 1: two edits change the same node"),
        ("a\n", statement_twice, "line 1: two edits change the same node"),
        ("from m import a\n", import_and_statement, "line 1: two edits change the same node"),
        ("if x:\n    a\n", inside_a_replaced_statement, "line 2: the statement is part of one"),
        ("a\n", no_place, "a Load has no place"),
        ("if x:\n    a\nelif y:\n    b\n", before_an_elif, "line 3: cannot insert at an elif"),
        ("a\n", not_python, "not valid Python"),
        ("if x:\n    a\n", compound_in_a_template, "line 1: a compound statement"),
    ],
)
def test_impossible_edits_are_refused(
    before: str, build: Callable[[Case], Sequence[Edit]], message: str
) -> None:
    with pytest.raises(RewriteError, match=message):
        rewrite(before, build)


def test_libcst_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def complain(text: str) -> str | None:
        return "no" if "b" in text else None

    monkeypatch.setattr("migrate_milvus.rewrite._libcst_complaint", complain)
    with pytest.raises(RewriteError, match="LibCST cannot read the new text: no"):
        rewrite("x = a\n", lambda case: ReplaceNode(case.expr("a"), ("b",)))


def test_a_text_that_libcst_never_could_read_is_rewritten() -> None:
    before = "(x): int = 1\ny = a\n"  # valid, yet LibCST 1.9 does not know it
    after = rewrite(before, lambda case: ReplaceNode(case.expr("a"), ("b",)))
    assert after == "(x): int = 1\ny = b\n"


def test_the_same_edit_twice_counts_once() -> None:
    after = rewrite("a\n", lambda case: [ReplaceNode(case.expr("a"), ("b",))] * 2)
    assert after == "b\n"


def test_a_lost_comment_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate_milvus.rewrite.claims.Claims._is_lost", lambda *_: False)
    before = "x = a(  # why\n    1)\n"
    with pytest.raises(RewriteError, match="'# why' would be lost"):
        rewrite(before, lambda case: ReplaceNode(case.expr("a(1)"), ("b",)))
