"""Helpers: find nodes by their text, apply edits, compare."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from migrate_milvus.edits import Argument, CallTemplate, Edit, Line, Part, Src
from migrate_milvus.rewrite import apply_edits
from migrate_milvus.syntax import SourceText


class Case:
    """A source text whose nodes are named by their text."""

    def __init__(self, text: str) -> None:
        self.source = SourceText(text)

    def find(self, text: str, kind: type[ast.AST] = ast.expr, nth: int = 0) -> ast.AST:
        """The ``nth`` node of ``kind`` whose unparsed text is ``text`` (as ``ast`` writes it)."""
        found = [
            node
            for node in ast.walk(self.source.tree)
            if isinstance(node, kind) and ast.unparse(node) == text
        ]
        return found[nth]

    def expr(self, text: str, nth: int = 0) -> ast.expr:
        node = self.find(text, ast.expr, nth)
        assert isinstance(node, ast.expr)
        return node

    def stmt(self, text: str, nth: int = 0) -> ast.stmt:
        """The ``nth`` statement whose first unparsed line is ``text``."""
        found = [
            node
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.stmt) and ast.unparse(node).splitlines()[0] == text
        ]
        return found[nth]

    def src(self, text: str, nth: int = 0) -> Src:
        return Src(self.expr(text, nth))

    def apply(self, *edits: Edit, line_length: int = 100) -> str:
        return apply_edits(self.source, edits, line_length=line_length)


def rewrite(
    before: str, build: Callable[[Case], Sequence[Edit] | Edit], line_length: int = 100
) -> str:
    """``before`` with the edits that ``build`` makes for it; the same again must give the same."""
    case = Case(before)
    edits = build(case)
    chosen = list(edits) if isinstance(edits, Sequence) else [edits]
    after = case.apply(*chosen, line_length=line_length)
    assert case.apply(*chosen, line_length=line_length) == after
    return after


def call(function: str, *positional: str | Src, **keywords: str | Src) -> CallTemplate:
    """A call template of plain arguments."""
    return CallTemplate(
        (function,),
        (
            *(Argument((value,)) for value in positional),
            *(Argument((value,), keyword) for keyword, value in keywords.items()),
        ),
    )


def line(*parts: Part, anchor: ast.AST | None = None) -> Line:
    return Line(tuple(parts), anchor)
