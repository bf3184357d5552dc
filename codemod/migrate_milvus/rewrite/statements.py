"""Statements: what changes on the level of lines, as replacements of spans of the text.

The unit is the *group*: the simple statements that share one logical line (``a = 1; f()``), or the
body on the line of its header (``if x: f()``). A group is changed in place when every statement of
it stays one statement, and written out as lines otherwise.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from migrate_milvus.edits import (
    Block,
    ChangeImport,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Statement,
)
from migrate_milvus.rewrite.claims import Claims, is_pragma
from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.imports import change_import
from migrate_milvus.rewrite.layout import Style, Word, lay_out, width
from migrate_milvus.rewrite.place import Places
from migrate_milvus.rewrite.render import Renderer
from migrate_milvus.rewrite.tokens import LINE_END, Token

_FIRST_LINES = re.compile(r"#!|#.*?coding[:=]")
_CONTINUATION = re.compile(r"\\(\r\n|\r|\n)")
_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORT = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True, order=True)
class Patch:
    """Text to put where the span stood. Patches do not overlap; ``rank`` orders those at one place.

    What follows an inner block comes before what follows the block around it, and insertions come
    above the comments of the statement that they precede.
    """

    start: int
    end: int
    rank: int
    text: str = field(compare=False)


@dataclass
class _Outcome:
    """What becomes of one statement: ``lines`` None keeps its text, with the edits inside it."""

    before: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)
    lines: Sequence[Statement] | None = None
    text: str | None = None  # the new text of an import
    orphans: list[str] = field(default_factory=list)

    @property
    def removed(self) -> bool:
        return self.lines is not None and not self.lines and self.text is None


@dataclass(frozen=True)
class _Group:
    body: Sequence[ast.stmt]
    members: tuple[ast.stmt, ...]
    start: int  # of the first member, decorators included
    end: int  # of the last member, without a semicolon after it
    suite: bool  # on the line of a header


class Planner:
    """Turns the edits of one file into patches of its text."""

    def __init__(
        self,
        places: Places,
        edits: Sequence[Edit],
        renderer: Renderer,
        claims: Claims,
        line_length: int,
    ) -> None:
        self._places = places
        self._text = places.text
        self._tokens = places.tokens
        self._renderer = renderer
        self._claims = claims
        self._line_length = line_length
        self._edits = edits
        self._outcomes: dict[ast.stmt, _Outcome] = {}
        self._orphans: dict[ast.AST, list[Token]] = defaultdict(list)
        self._patches: list[Patch] = []
        self._inner: dict[ast.AST, None] = {}  # the units with edited expressions, in order
        self._file_unit: str | None = None
        self._dropped: set[ast.stmt] = set()  # statements that go with their else

    def patches(self) -> list[Patch]:
        """All patches, in the order of the text. Raises RewriteError."""
        for edit in self._edits:
            self._collect(edit)
        inner = self._inner = self._units_of_expressions()
        self._place_orphans()
        self._fill_empty_bodies()
        groups: dict[int, _Group] = {}
        for unit in (*self._outcomes, *inner, *self._orphans):
            if not isinstance(unit, ast.stmt) or unit in self._dropped:
                continue
            outcome = self._outcomes.get(unit)
            if self._places.is_simple(unit) or (outcome and outcome.lines is not None):
                group = self._group(unit)
                groups[group.start] = group
        for start in sorted(groups):
            self._change_group(groups[start])
        for unit in dict.fromkeys((*inner, *self._orphans)):
            if not (isinstance(unit, ast.stmt) and self._group_handles(unit)):
                self._change_header(unit, unit in inner)
        for statement, outcome in self._outcomes.items():
            if not self._group_handles(statement):
                self._insert_around(statement, outcome)
        self._remove_groups([groups[start] for start in sorted(groups)])
        return sorted(self._patches)

    def _group_handles(self, statement: ast.stmt) -> bool:
        outcome = self._outcomes.get(statement)
        return self._places.is_simple(statement) or bool(outcome and outcome.lines is not None)

    # Collecting

    def _collect(self, edit: Edit) -> None:
        if isinstance(edit, ReplaceNode):
            return
        outcome = self._outcomes.setdefault(edit.node, _Outcome())
        if isinstance(edit, InsertStatements):
            self._refuse_elif(edit.node, "insert at")
            (outcome.after if edit.after else outcome.before).extend(edit.statements)
            return
        self._refuse_elif(edit.node, "replace")
        if isinstance(edit, ReplaceStatement):
            outcome.lines = edit.statements
            return
        start = self._places.span(edit.node)[0]
        changed = change_import(
            self._places,
            edit,
            self._text[self._tokens.line_start(start) : start],
            self._indent(edit.node),
            self._unit(edit.node),
            self._style(edit.node, *self._places.span(edit.node)),
        )
        outcome.lines, outcome.text = (), changed.text
        outcome.orphans += changed.comments

    def _refuse_elif(self, node: ast.stmt, verb: str) -> None:
        if isinstance(node, ast.If) and self._text.startswith("elif", self._places.span(node)[0]):
            raise RewriteError(f"{self._places.where(node)}: cannot {verb} an elif")

    def _units_of_expressions(self) -> dict[ast.AST, None]:
        """The statements and clauses that hold edited expressions and are not replaced whole."""
        units: dict[ast.AST, None] = {}
        for edit in self._edits:
            if isinstance(edit, ReplaceNode):
                unit = self._places.unit(edit.node)
                if not self._is_replaced(unit):
                    units[unit] = None
        return units

    def _is_replaced(self, unit: ast.AST) -> bool:
        at: ast.AST | None = unit
        while at is not None:
            if isinstance(at, ast.stmt):
                outcome = self._outcomes.get(at)
                if outcome is not None and outcome.lines is not None:
                    return True
            at = self._places.parents.get(at)
        return False

    def _place_orphans(self) -> None:
        """Give each comment that no line takes to the unit that it stood in."""
        for comment in self._claims.orphans:
            if is_pragma(comment.text):
                continue
            home: ast.AST | None = None
            for edit in self._edits:
                if isinstance(edit, InsertStatements | ChangeImport):
                    continue
                unit = self._places.unit(edit.node)
                low, high = self._extent(unit)
                if low <= comment.start < high and (
                    home is None or high - low > self._extent(home)[1] - self._extent(home)[0]
                ):
                    home = unit
            if home is None:
                raise RewriteError(f"the comment {comment.text!r} would be lost")
            outcome = self._outcomes.get(home) if isinstance(home, ast.stmt) else None
            if outcome is not None and outcome.lines is not None:
                outcome.orphans.append(comment.text)
            else:
                self._orphans[home].append(comment)

    def _extent(self, unit: ast.AST) -> tuple[int, int]:
        if isinstance(unit, ast.stmt) and (
            self._places.is_simple(unit)
            or (unit in self._outcomes and self._outcomes[unit].lines is not None)
        ):
            return self._places.start(unit), self._places.span(unit)[1]
        return self._places.start(unit), self._places.header_end(unit)

    def _fill_empty_bodies(self) -> None:
        for statement, outcome in list(self._outcomes.items()):
            if not outcome.removed:
                continue
            body = self._body(statement)
            if body is self._places.tree.body:
                continue
            outcomes = [self._outcomes.get(item) for item in body]
            if all(o is not None and o.removed and not o.before and not o.after for o in outcomes):
                if not self._drop_else(body):
                    first = self._outcomes[body[0]]
                    first.lines = (Line(("pass",)),)

    def _drop_else(self, body: list[ast.stmt]) -> bool:
        """Remove an ``else:`` whose whole body goes, unless a comment stands in it."""
        if body[0] in self._dropped:
            return True
        parent = self._places.parents[body[0]]
        if getattr(parent, "orelse", None) is not body or isinstance(parent, ast.Try):
            return False
        colon = self._tokens.before(self._places.start(body[0]))
        keyword = self._tokens.before(colon.start) if colon is not None else None
        if keyword is None or keyword.text != "else":
            return False
        start = self._tokens.line_start(keyword.start)
        end = self._tokens.line_end(self._places.span(body[-1])[1])
        if self._tokens.comments_within(start, end) or any(
            self._outcomes[item].orphans for item in body
        ):
            return False
        line = LINE_END.match(self._text, end)
        self._patches.append(Patch(start, line.end() if line else end, 0, ""))
        self._dropped.update(body)
        return True

    def _body(self, statement: ast.stmt) -> list[ast.stmt]:
        parent = self._places.parents[statement]
        for name in ("body", "orelse", "finalbody"):
            body = getattr(parent, name, None)
            if isinstance(body, list) and any(item is statement for item in body):
                return body
        raise RewriteError(f"{self._places.where(statement)}: statement not found in its block")

    # Groups

    def _group(self, statement: ast.stmt) -> _Group:
        body = self._body(statement)
        index = next(i for i, item in enumerate(body) if item is statement)
        first = last = index
        while first > 0 and self._joined(body[first - 1], body[first]):
            first -= 1
        while last + 1 < len(body) and self._joined(body[last], body[last + 1]):
            last += 1
        start = self._places.start(body[first])
        before = self._tokens.before(start)
        suite = before is not None and self._on_one_line(before.end, start)
        return _Group(
            body, tuple(body[first : last + 1]), start, self._places.span(body[last])[1], suite
        )

    def _joined(self, first: ast.stmt, second: ast.stmt) -> bool:
        if not (self._places.is_simple(first) and self._places.is_simple(second)):
            return False
        end, start = self._places.span(first)[1], self._places.span(second)[0]
        return self._on_one_line(end, start)

    def _on_one_line(self, end: int, start: int) -> bool:
        """Whether no logical line ends between two statements."""
        if self._tokens.comments_within(end, start):
            return False
        return LINE_END.search(_CONTINUATION.sub("", self._text[end:start])) is None

    def _outcome(self, statement: ast.stmt) -> _Outcome:
        return self._outcomes.get(statement) or _Outcome()

    def _change_group(self, group: _Group) -> None:
        outcomes = [self._outcome(member) for member in group.members]
        single = len(group.members) == 1 and not group.suite
        comment = self._comment(group)
        removed = all(item.removed and not item.before and not item.after for item in outcomes)
        if removed and not group.suite:
            return  # see _remove_groups
        self._orphans_above(group.members[0], group)
        if single:
            self._change_single(group, outcomes[0], comment)
            return
        if not group.suite:  # insertions around the whole line do not break it up
            self._insert_before(group.members[0], outcomes[0].before)
            self._insert_after(group.members[-1], outcomes[-1].after)
            outcomes[0] = _without(outcomes[0], before=True)
            outcomes[-1] = _without(outcomes[-1], before=False)
        if all(self._fits_inline(item) for item in outcomes):
            self._change_inline(group, outcomes)
        else:
            self._write_out(group, outcomes)

    def _fits_inline(self, outcome: _Outcome) -> bool:
        if outcome.before or outcome.after:
            return False
        if outcome.lines is None or outcome.text is not None:
            return True
        if len(outcome.lines) > 1 or any(isinstance(item, Block) for item in outcome.lines):
            return False
        return not any(
            isinstance(item, Line) and (self._claims.of(item).above or self._claims.of(item).beside)
            for item in outcome.lines
        )

    def _change_single(self, group: _Group, outcome: _Outcome, comment: Token | None) -> None:
        statement = group.members[0]
        start, end = group.start, group.end
        if outcome.lines is None:
            if statement in self._inner:
                self._patches.append(
                    Patch(start, end, 0, self._own_text(statement, self._lead(start)))
                )
            self._insert_before(statement, outcome.before)
            self._insert_after(statement, outcome.after)
            return
        indent, newline = self._indent(statement), self._newline(start)
        if outcome.text is not None:
            self._patches.append(Patch(start, end, 0, outcome.text))
            self._insert_before(statement, outcome.before)
            self._insert_after(statement, outcome.after)
            return
        if outcome.lines:
            statements = list(outcome.lines)
            self._insert_before(statement, outcome.before)
            self._insert_after(statement, outcome.after)
        else:
            statements = [*outcome.before, *outcome.after]
        if not outcome.lines:
            above = [*outcome.orphans, *self._kept_beside(comment)]
            end = self._beside_end(group)
        else:
            above = list(outcome.orphans)
            if comment is not None and (
                self._claims.is_taken(comment)
                or (self._is_pass(outcome) and is_pragma(comment.text))
            ):
                end = self._beside_end(group)
        rows = [indent + item for item in above]
        rows += self._rows(statements, indent, self._style(statement, start, group.end))
        lead = self._lead(start)
        self._patches.append(Patch(start, end, 0, newline.join(rows)[len(lead) :]))

    @staticmethod
    def _is_pass(outcome: _Outcome) -> bool:
        return outcome.lines is not None and [*outcome.lines] == [Line(("pass",))]

    def _change_inline(self, group: _Group, outcomes: list[_Outcome]) -> None:
        written = ""
        previous: ast.stmt | None = None
        for member, outcome in zip(group.members, outcomes, strict=True):
            if outcome.removed:
                continue
            if previous is not None:
                written += self._separator(group, member)
            written += self._inline_text(member, outcome, self._lead(group.start) + written)
            previous = member
        if previous is None:
            raise RewriteError(
                f"{self._places.where(group.members[0])}: nothing is left of the line"
            )
        self._patches.append(Patch(group.start, group.end, 0, written))

    def _separator(self, group: _Group, member: ast.stmt) -> str:
        index = next(i for i, item in enumerate(group.members) if item is member)
        before = group.members[index - 1]
        return self._text[self._places.span(before)[1] : self._places.span(member)[0]]

    def _inline_text(self, member: ast.stmt, outcome: _Outcome, prefix: str) -> str:
        if outcome.lines is None:
            return self._own_text(member, prefix)
        if outcome.text is not None:
            return outcome.text
        line = outcome.lines[0]
        assert isinstance(line, Line)
        style = self._style(member, *self._places.span(member))
        return self._line_text(line, prefix, style)

    def _write_out(self, group: _Group, outcomes: list[_Outcome]) -> None:
        first = group.members[0]
        indent = self._indent(first)
        if group.suite:
            indent = self._header_indent(first) + self._unit(first)
        newline = self._newline(group.start)
        rows: list[str] = []
        for member, outcome in zip(group.members, outcomes, strict=True):
            style = self._style(member, *self._places.span(member))
            rows += [indent + item for item in outcome.orphans]
            rows += self._rows(outcome.before, indent, style)
            if outcome.lines is None:
                rows.append(indent + self._own_text(member, indent))
            elif outcome.text is not None:
                rows.append(indent + outcome.text)
            else:
                rows += self._rows(outcome.lines, indent, style)
            rows += self._rows(outcome.after, indent, style)
        end = group.end
        comment = self._comment(group)
        after = self._tokens.after(end)
        if after is not None and after.text == ";":
            end = after.end
        if comment is not None and self._claims.is_taken(comment):
            end = comment.end
        if group.suite:
            before = self._tokens.before(group.start)
            start = before.end if before is not None else group.start
            text = newline + newline.join(rows)
        else:
            start, text = group.start, newline.join(rows)[len(self._lead(group.start)) :]
        self._patches.append(Patch(start, end, 0, text))

    # Comments at a group

    def _comment(self, group: _Group) -> Token | None:
        """The comment on the last line of the group."""
        after = self._tokens.after(group.end)
        end = after.end if after is not None and after.text == ";" else group.end
        if after is not None and after.text == ";" and "\n" in self._text[group.end : after.start]:
            end = group.end
        return self._tokens.comment_beside(end)

    def _beside_end(self, group: _Group) -> int:
        """The end of the group with the semicolon and the comment after it."""
        comment = self._comment(group)
        if comment is not None:
            return comment.end
        after = self._tokens.after(group.end)
        line_end = self._tokens.line_end(group.end)
        return after.end if after is not None and after.end <= line_end else group.end

    def _kept_beside(self, comment: Token | None) -> list[str]:
        if comment is None or is_pragma(comment.text) or self._claims.is_taken(comment):
            return []
        return [comment.text]

    def _orphans_above(self, statement: ast.stmt, group: _Group) -> None:
        comments = [item for member in group.members for item in self._orphans.get(member, ())]
        texts = [item.text for item in comments]
        if group.suite or len(group.members) > 1:
            texts = [
                text for member in group.members for text in self._outcome(member).orphans
            ] + texts
            for member in group.members:
                self._outcome(member).orphans.clear()
        if not texts:
            return
        if group.suite:
            self._comments_at(self._header_start(statement), texts)
        else:
            self._comments_at(group.start, texts)

    def _comments_at(self, start: int, texts: list[str]) -> None:
        """Own-line comments above the line on which ``start`` is."""
        line = self._tokens.line_start(start)
        indent, newline = self._lead(start), self._newline(start)
        indent = indent[: len(indent) - len(indent.lstrip())]
        text = "".join(f"{indent}{item}{newline}" for item in texts)
        self._patches.append(Patch(line, line, 2, text))

    # Headers

    def _change_header(self, unit: ast.AST, edited: bool) -> None:
        start, end = self._places.start(unit), self._places.header_end(unit)
        orphans = [item.text for item in self._orphans.get(unit, ())]
        if orphans:
            self._comments_at(start, orphans)
        if edited:
            pieces = self._renderer.span(start, end)
            text = lay_out(pieces, self._lead(start), self._style(unit, start, end))
            self._patches.append(Patch(start, end, 0, text))

    # Insertions

    def _insert_around(self, statement: ast.stmt, outcome: _Outcome) -> None:
        self._insert_before(statement, outcome.before)
        self._insert_after(statement, outcome.after)

    def _insert_before(self, statement: ast.stmt, statements: Sequence[Statement]) -> None:
        """Directly above the statement's own comments: those with no blank line below them."""
        if not statements:
            return
        start = self._places.start(statement)
        indent, newline = self._indent(statement), self._newline(start)
        at = self._tokens.line_start(start)
        while at > 0:
            above = self._tokens.line_start(_previous_line_end(self._text, at))
            content = self._text[above:at].rstrip("\r\n")
            if not content.startswith(indent + "#") or (
                self._text.count("\n", 0, above) < 2 and _FIRST_LINES.match(content)
            ):
                break
            at = above
        rows = self._rows(
            statements, indent, Style(newline, self._step(statement), self._line_length)
        )
        text = "".join(row + newline for row in rows)
        if isinstance(statement, _DEFINITION):
            blank = self._blank_lines_above(at)
            previous = self._tokens.before(at)
            if not blank and (previous is None or previous.text == ":"):  # first in its block
                blank = 1 if indent else 2
            text += newline * blank
        self._patches.append(Patch(at, at, 1, text))

    def _insert_after(self, statement: ast.stmt, statements: Sequence[Statement]) -> None:
        """On the line after the statement and the comments that belong to its body."""
        if not statements:
            return
        start, end = self._places.start(statement), self._places.span(statement)[1]
        indent, newline = self._indent(statement), self._newline(start)
        at = self._tokens.line_end(end)
        if not self._places.is_simple(statement):
            at = self._footer_end(at, indent)
        rows = self._rows(
            statements, indent, Style(newline, self._step(statement), self._line_length)
        )
        blank = 0
        if isinstance(statement, _DEFINITION):
            blank = 2 if not indent else 1
        elif isinstance(statement, _IMPORT) and not self._starts_with_import(rows):
            blank = 1
        text = newline * blank + "".join(newline + row for row in rows)
        self._patches.append(Patch(at, at, -len(indent), text))

    @staticmethod
    def _starts_with_import(rows: list[str]) -> bool:
        return bool(rows) and (not rows[0] or rows[0].lstrip().startswith(("import ", "from ")))

    def _footer_end(self, at: int, indent: str) -> int:
        """Past the comments below a body that are indented like it."""
        place = at
        while True:
            match = LINE_END.match(self._text, place)
            if match is None:
                return at
            place = self._tokens.line_end(match.end())
            content = self._text[match.end() : place]
            if not content.strip():
                continue
            deeper = content.startswith((f"{indent} ", f"{indent}\t"))
            if not (deeper and content.lstrip().startswith("#")):
                return at
            at = place

    def _blank_lines_above(self, line: int) -> int:
        count = 0
        while line > 0:
            above = self._tokens.line_start(_previous_line_end(self._text, line))
            if self._text[above:line].strip():
                return count
            count += 1
            line = above
        return 0 if line == 0 else count

    # Removal of whole lines

    def _remove_groups(self, groups: list[_Group]) -> None:
        """Take out whole lines, with the smaller of the blank gaps around them."""
        spans: list[tuple[int, int, _Group]] = []
        for group in groups:
            outcomes = [self._outcome(member) for member in group.members]
            if group.suite or not all(o.removed and not o.before and not o.after for o in outcomes):
                continue
            comments = [text for outcome in outcomes for text in outcome.orphans]
            comments += self._kept_beside(self._comment(group))
            end = self._tokens.line_end(self._beside_end(group))
            line = self._tokens.line_start(group.start)
            if comments:
                indent, newline = self._indent(group.members[0]), self._newline(group.start)
                text = newline.join(indent + item for item in comments)
                self._patches.append(Patch(line, end, 0, text))
                continue
            match = LINE_END.match(self._text, end)
            end = match.end() if match else end
            if spans and not self._text[spans[-1][1] : line].strip(" \t\r\n"):
                previous = spans.pop()
                spans.append((previous[0], end, previous[2]))
            else:
                spans.append((line, end, group))
        for start, end, group in spans:
            self._remove_lines(start, end, group)

    def _remove_lines(self, start: int, end: int, group: _Group) -> None:
        text = self._text
        top, bottom = start, end
        above = below = 0
        while top > 0:
            line = self._tokens.line_start(_previous_line_end(text, top))
            if text[line:top].strip(" \t\r\n"):
                break
            top, above = line, above + 1
        while bottom < len(text):
            line_end = self._tokens.line_end(bottom)
            if text[bottom:line_end].strip(" \t"):
                break
            match = LINE_END.match(text, line_end)
            bottom = match.end() if match else line_end
            below += 1
        at_end = bottom >= len(text)
        before = self._tokens.before(start)
        opens = not text[before.end : top].strip() if before and before.text == ":" else top == 0
        if at_end:
            start = top
            if not end or text[end - 1] not in "\r\n":  # there was no final newline
                start = _previous_line_end(text, top) if top else 0
            self._patches.append(Patch(start, end, 0, ""))
        elif opens or above >= below:
            self._patches.append(Patch(start, bottom, 0, ""))
        else:
            self._patches.append(Patch(top, end, 0, ""))

    # Text of statements

    def _own_text(self, statement: ast.stmt, prefix: str) -> str:
        start, end = self._places.span(statement)
        pieces = self._renderer.span(start, end)
        return lay_out(pieces, prefix, self._style(statement, start, end))

    def _rows(self, statements: Sequence[Statement], indent: str, style: Style) -> list[str]:
        """The statements as texts of one or more lines, indented."""
        rows: list[str] = []
        for statement in statements:
            if isinstance(statement, Block):
                pieces, _, _ = self._renderer.template(statement.header, bracketed=False)
                rows.append(indent + lay_out(pieces, indent, style))
                inner = indent + self._unit(None, indent)
                rows += self._rows(statement.body or (Line(("pass",)),), inner, style)
                continue
            if not statement.template:
                rows.append("")
                continue
            claim = self._claims.of(statement)
            rows += [indent + item.text for item in claim.above]
            beside = f"  {claim.beside_text()}" if claim.beside else ""
            rows.append(indent + self._line_text(statement, indent, style) + beside)
        return rows

    def _line_text(self, line: Line, prefix: str, style: Style) -> str:
        pieces, _, loose = self._renderer.template(line.template, bracketed=False)
        if loose:
            pieces = [Word("("), *pieces, Word(")")]
        return lay_out(pieces, prefix, style)

    # Style of a place

    def _lead(self, offset: int) -> str:
        """What stands on the line before ``offset``."""
        return self._text[self._tokens.line_start(offset) : offset]

    def _indent(self, statement: ast.AST) -> str:
        start = self._places.start(statement)
        lead = self._lead(start)
        return lead[: len(lead) - len(lead.lstrip(" \t\f"))]

    def _header_start(self, statement: ast.stmt) -> int:
        parent = self._places.parents[statement]
        return self._places.start(parent)

    def _header_indent(self, statement: ast.stmt) -> str:
        lead = self._lead(self._header_start(statement))
        return lead[: len(lead) - len(lead.lstrip(" \t\f"))]

    def _newline(self, offset: int) -> str:
        """The line end of the line of ``offset``, or of a line before it."""
        match = LINE_END.search(self._text, offset)
        if match is not None:
            return match[0]
        ends = LINE_END.findall(self._text)
        return ends[-1] if ends else "\n"

    def _step(self, statement: ast.AST) -> str:
        return "\t" if self._unit(statement).startswith("\t") else "    "

    def _unit(self, statement: ast.AST | None, indent: str = "") -> str:
        """What one level of indentation is here: as around the statement, else as in the file."""
        if statement is not None:
            indent = self._indent(statement)
        if indent.startswith("\t"):
            return "\t"
        if self._file_unit is None:
            self._file_unit = self._find_unit()
        if indent and self._file_unit == "\t":
            return "    "
        return self._file_unit

    def _find_unit(self) -> str:
        for node in ast.walk(self._places.tree):
            body = node.cases if isinstance(node, ast.Match) else getattr(node, "body", None)
            if not isinstance(node, ast.stmt) or not isinstance(body, list):
                continue
            outer, inner = self._indent(node), self._indent(body[0])
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :]
        return "    "

    def _style(self, unit: ast.AST, start: int, end: int) -> Style:
        """New lines of a changed statement may be as long as its longest line was."""
        longest = self._line_length
        if self._places.stays_one_line(unit):
            longest = _UNLIMITED
        at = self._tokens.line_start(start)
        while at < end:
            line_end = self._tokens.line_end(at)
            comments = self._tokens.comments_within(at, line_end)
            line = self._text[at : comments[0].start if comments else line_end]
            longest = max(longest, width(line.rstrip()))
            match = LINE_END.match(self._text, line_end)
            if match is None:
                break
            at = match.end()
        return Style(self._newline(start), self._step(unit), longest)


_UNLIMITED = 1 << 30


def _without(outcome: _Outcome, before: bool) -> _Outcome:
    return _Outcome(
        [] if before else outcome.before,
        outcome.after if before else [],
        outcome.lines,
        outcome.text,
        outcome.orphans,
    )


def _previous_line_end(text: str, line_start: int) -> int:
    """Where the line before ``line_start`` ends, before its line end."""
    if text.startswith("\r\n", line_start - 2):
        return line_start - 2
    return line_start - 1
