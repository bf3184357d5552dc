"""Comments: which ones an edit would lose, and which written line takes them along.

A comment is at risk when it stands in text that is replaced and in no ``Src`` that is written. A
``Line`` takes the comments at its ``anchor``; an argument of a written call those at its
expression. What is left goes above the statement (see ``statements``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migrate_milvus.edits import (
    Argument,
    Block,
    CallTemplate,
    Comprehension,
    Edit,
    FString,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Statement,
    Template,
)
from migrate_milvus.rewrite.place import Places
from migrate_milvus.rewrite.tokens import Token

_ONE_PRAGMA = (
    r"#\s*(?:noqa(?::\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?"
    r"|type:\s*ignore(?:\[[^\]]*\])?"
    r"|(?:pylint|isort|mypy|pyright|ruff|fmt|yapf|pragma):\s*[\w-]+(?:\s*=\s*[\w,\s-]+|\[[^\]]*\]|\s\w+)?"
    r")\s*"
)
_PRAGMA = re.compile(f"(?:{_ONE_PRAGMA})+", re.IGNORECASE)


def is_pragma(comment: str) -> bool:
    """Whether a comment only speaks to a tool about the statement that it stands at."""
    return _PRAGMA.fullmatch(comment) is not None


@dataclass
class Claim:
    """The comments that go with one written line or argument."""

    above: list[Token] = field(default_factory=list)
    beside: list[Token] = field(default_factory=list)

    def beside_text(self) -> str:
        return "  ".join(item.text for item in self.beside)


def lines(statements: Sequence[Statement]) -> Iterator[Line]:
    """All simple statements in ``statements``, in order."""
    for statement in statements:
        if isinstance(statement, Block):
            yield from lines(statement.body)
        else:
            yield statement


def templates(edit: Edit) -> Iterator[Template]:
    """The templates of an edit."""
    if isinstance(edit, ReplaceNode):
        yield edit.template
    elif isinstance(edit, (ReplaceStatement, InsertStatements)):
        yield from _templates(edit.statements)


def _templates(statements: Sequence[Statement]) -> Iterator[Template]:
    for statement in statements:
        if isinstance(statement, Block):
            yield statement.header
            yield from _templates(statement.body)
        else:
            yield statement.template


def parts(template: Template) -> Iterator[Src | Argument]:
    """The user's expressions in a template and the arguments of its calls, outer ones first."""
    for part in template:
        if isinstance(part, Src):
            yield part
        elif isinstance(part, FString):
            yield from (item for item in part.parts if isinstance(item, Src))
        elif isinstance(part, Comprehension):
            yield from parts(part.element)
            yield from parts(part.clause)
        elif isinstance(part, CallTemplate):
            yield from parts(part.function)
            for argument in part.arguments:
                yield argument
                yield from parts(argument.value)


def _takers(edits: Sequence[Edit]) -> Iterator[tuple[int, ast.AST, ast.AST]]:
    """The arguments and lines that take comments, with the old text that they stand for."""
    for edit in edits:
        for template in templates(edit):
            for part in parts(template):
                if isinstance(part, Argument):
                    sources = [x.node for x in parts(part.value) if isinstance(x, Src)]
                    if sources:
                        yield id(part), sources[0], sources[-1]
        if isinstance(edit, (ReplaceStatement, InsertStatements)):
            for line in lines(edit.statements):
                if line.anchor is not None:
                    yield id(line), line.anchor, line.anchor


class Claims:
    """The comments at risk under ``edits``, and who takes them."""

    def __init__(self, places: Places, edits: Sequence[Edit]) -> None:
        self._places = places
        self._tokens = places.tokens
        self._claims: dict[int, Claim] = {}
        self._taken: set[int] = set()
        self.orphans: list[Token] = []
        if not self._tokens.comments:
            return
        inside, beside = self._at_risk(edits)
        self._free = {item.start: item for item in (*inside, *beside)}
        if not self._free:
            return
        # The closest taker wins: smaller pieces of the old text choose first.
        for key, first, last in sorted(_takers(edits), key=self._length):
            self._claim(key, first, last)
        self.orphans = [item for item in inside if item.start not in self._taken]

    def of(self, taker: Line | Argument) -> Claim:
        """The comments that go with a line or an argument."""
        return self._claims.get(id(taker)) or Claim()

    def is_taken(self, comment: Token) -> bool:
        """Whether a line or an argument takes the comment."""
        return comment.start in self._taken

    def _at_risk(self, edits: Sequence[Edit]) -> tuple[list[Token], list[Token]]:
        """The comments that would be lost inside replaced text, and those beside statements."""
        spans: list[tuple[int, int, Edit]] = []
        beside: list[Token] = []
        for edit in edits:
            if isinstance(edit, ReplaceStatement):
                start, end = self._places.start(edit.node), self._places.span(edit.node)[1]
                spans.append((start, end, edit))
                comment = self._tokens.comment_beside(end)
                after = self._tokens.after(end)
                if comment is None and after is not None and after.text == ";":
                    comment = self._tokens.comment_beside(after.end)
                if comment is not None:
                    beside.append(comment)
            elif isinstance(edit, ReplaceNode):
                spans.append((*self._places.span(edit.node), edit))
        written = [
            (*self._src_span(part, edit), edit)
            for edit in edits
            for template in templates(edit)
            for part in parts(template)
            if isinstance(part, Src)
        ]
        inside: dict[int, Token] = {}
        for start, end, _ in spans:
            for comment in self._tokens.comments_within(start, end):
                if comment.start not in inside and self._is_lost(comment, spans, written):
                    inside[comment.start] = comment
        return [inside[key] for key in sorted(inside)], beside

    def _src_span(self, part: Src, edit: Edit) -> tuple[int, int]:
        if part.node is edit.node:  # the parentheses around a replaced node stay
            return self._places.span(part.node)
        return self._places.src_span(part.node)

    @staticmethod
    def _is_lost(
        comment: Token,
        spans: list[tuple[int, int, Edit]],
        written: list[tuple[int, int, Edit]],
    ) -> bool:
        """Whether the innermost thing around the comment is replaced text and not written text.

        Edits in text that is replaced and not written again never happen and do not count.
        """

        at = comment.start
        around = [item for item in spans if item[0] <= at < item[1]]
        kept = [item for item in written if item[0] <= at < item[1]]
        around.sort(key=lambda item: item[1] - item[0], reverse=True)
        live: list[tuple[int, int, Edit]] = []
        for start, end, edit in around:
            if not live or any(
                low <= start and end <= high and any(by is other[2] for other in live)
                for low, high, by in kept
            ):
                live.append((start, end, edit))
        elsewhere = [item for item in kept if all(item[2] is not other[2] for other in around)]
        written_live = elsewhere + [
            item for item in kept if any(item[2] is other[2] for other in live)
        ]
        if not live:
            return False
        start, end, innermost = min(live, key=lambda item: item[1] - item[0])
        return not any(
            high - low < end - start or (high - low == end - start and by is innermost)
            for low, high, by in written_live
        )

    def _length(self, taker: tuple[int, ast.AST, ast.AST]) -> int:
        _, first, last = taker
        return self._places.src_span(last)[1] - self._places.src_span(first)[0]

    def _claim(self, key: int, first: ast.AST, last: ast.AST) -> None:
        start, end = self._places.src_span(first)[0], self._places.src_span(last)[1]
        if isinstance(first, ast.stmt):
            start = self._places.start(first)
        equals = self._tokens.before(start)
        if equals is not None and equals.text in ("=", "**", "*"):
            start = equals.start
            name = self._tokens.before(start)
            if equals.text == "=" and name is not None:
                start = name.start
        before = self._tokens.before(start)
        claim = self._claims.setdefault(key, Claim())
        claim.above += self._take(
            item
            for item in self._tokens.comments_within(before.end if before else 0, start)
            if self._is_own_line(item)
        )
        claim.above += self._take(self._tokens.comments_within(start, end))
        after = self._tokens.after(end)
        beside = self._tokens.comment_beside(end)
        if beside is None and after is not None and after.text in (",", ";"):
            beside = self._tokens.comment_beside(after.end)
        if beside is not None:
            claim.beside += self._take([beside])

    def _is_own_line(self, comment: Token) -> bool:
        start = self._tokens.line_start(comment.start)
        return not self._places.text[start : comment.start].strip()

    def _take(self, comments: Sequence[Token] | Iterator[Token]) -> list[Token]:
        taken = [
            item for item in comments if item.start in self._free and item.start not in self._taken
        ]
        self._taken.update(item.start for item in taken)
        return taken
