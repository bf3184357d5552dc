"""The tokens of a text with their character offsets: what ``ast`` leaves out.

``ast`` knows neither comments nor parentheses nor commas. One pass of ``tokenize`` over the file
answers all questions about them. An f-string counts as one token on every Python version.
"""

from __future__ import annotations

import re
import token as kinds
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from migrate_milvus.rewrite.errors import RewriteError

LINE_END = re.compile(r"\r\n|\r|\n")
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
_SILENT = {
    tokenize.NEWLINE,
    tokenize.NL,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}
_FSTRING_START = {getattr(kinds, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_FSTRING_END = {getattr(kinds, name, -1) for name in ("FSTRING_END", "TSTRING_END")}


@dataclass(frozen=True, slots=True)
class Token:
    """One token (or comment) and where it stands."""

    text: str
    start: int
    end: int
    is_string: bool = False

    @property
    def is_comment(self) -> bool:
        return self.text.startswith("#")


def scan(text: str) -> Iterator[Token]:
    """All tokens and comments of ``text``, without line ends and indentation.

    Raises RewriteError where ``tokenize`` gives up.
    """
    ends = [match.end() for match in LINE_END.finditer(text)]
    starts = [0, *ends]
    lines = iter([line + "\n" for line in LINE_END.split(text)])
    nesting, outer = 0, 0
    try:
        for item in tokenize.generate_tokens(lambda: next(lines, "")):
            if item.type in _SILENT:
                continue
            start = starts[item.start[0] - 1] + item.start[1]
            end = starts[item.end[0] - 1] + item.end[1]
            if item.type in _FSTRING_START:
                if nesting == 0:
                    outer = start
                nesting += 1
            elif item.type in _FSTRING_END:
                nesting -= 1
                if nesting == 0:
                    yield Token(text[outer:end], outer, end, is_string=True)
            elif nesting == 0 and start < end:
                yield Token(text[start:end], start, end, item.type == tokenize.STRING)
    except (tokenize.TokenError, SyntaxError, IndexError) as error:
        raise RewriteError(f"the text cannot be split into tokens: {error}") from error


def scan_expression(text: str) -> list[Token]:
    """The tokens of an expression that may run over several lines without its parentheses."""
    return [
        Token(item.text, item.start - 1, item.end - 1, item.is_string)
        for item in scan(f"({text}\n)")
    ][1:-1]


class Tokens:
    """The tokens of a whole file, to be asked by offset."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all = list(scan(text))
        self.code = [item for item in self.all if not item.is_comment]
        self.comments = [item for item in self.all if item.is_comment]
        self._all_starts = [item.start for item in self.all]
        self._starts = [item.start for item in self.code]
        self._ends = [item.end for item in self.code]
        self._comment_starts = [item.start for item in self.comments]

    def within(self, start: int, end: int) -> list[Token]:
        """The tokens and comments that start in the span."""
        low, high = bisect_left(self._all_starts, start), bisect_left(self._all_starts, end)
        return self.all[low:high]

    def code_within(self, start: int, end: int) -> list[Token]:
        """The tokens that start in the span, comments left out."""
        return self.code[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def comments_within(self, start: int, end: int) -> list[Token]:
        """The comments that start in the span."""
        low, high = bisect_left(self._comment_starts, start), bisect_left(self._comment_starts, end)
        return self.comments[low:high]

    def before(self, offset: int) -> Token | None:
        """The last token (no comment) that ends at or before ``offset``."""
        index = bisect_right(self._ends, offset) - 1
        return self.code[index] if index >= 0 else None

    def after(self, offset: int) -> Token | None:
        """The first token (no comment) that starts at or after ``offset``."""
        index = bisect_left(self._starts, offset)
        return self.code[index] if index < len(self.code) else None

    def line_start(self, offset: int) -> int:
        """Where the physical line of ``offset`` starts."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def line_end(self, offset: int) -> int:
        """Where the physical line of ``offset`` ends, before its line end."""
        match = LINE_END.search(self.text, offset)
        return match.start() if match else len(self.text)

    def comment_beside(self, offset: int) -> Token | None:
        """The comment on the rest of the line, if nothing but blanks stands before it."""
        found = self.comments_within(offset, self.line_end(offset))
        if found and not self.text[offset : found[0].start].strip():
            return found[0]
        return None

    def depth(self, start: int, end: int) -> int:
        """How many brackets opened from ``start`` on are open at ``end``."""
        level = 0
        for item in self.code_within(start, end):
            level += (item.text in OPENING) - (item.text in CLOSING)
        return level
