"""Pieces of code that run as one program: the cells of a notebook, the examples of a page.

The analysis sees one module. What is no Python in a cell (a magic, a shell line) has a statement
that stands in for it there, and a statement marks the end of each cell. Both end in a comment that
occurs nowhere else, by which they are found again in the rewritten module, so that every cell gets
back what is its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrate_milvus.document import DocumentError
from migrate_milvus.syntax import lines_of, tree_of

LINE_END = re.compile(r"\r\n|\r|\n")
_INDENT = re.compile(r"[ \t\f]*")
_SILENCED = re.compile(r"[^\r\n]*?;[ \t]*(?:#[^\r\n]*)?$")


class Displaced(DocumentError):
    """New text from which the cells cannot be taken apart again; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__("displaced", message)


class Crowded(Displaced):
    """What has to stay on one line, after something that is kept, does not.

    ``cell`` and ``line`` tell where: the number of the cell and the line in it.
    """

    def __init__(self, message: str, cell: int, line: int) -> None:
        super().__init__(message)
        self.cell, self.line = cell, line


@dataclass(frozen=True)
class Code:
    """Python in a cell: its text, and where it lines there (from 1)."""

    text: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Kept:
    """What stays in a cell as it is.

    ``text`` is what stands there, ``stand_in`` the statement that the analysis sees in its place.
    """

    text: str
    line: int
    stand_in: str = "pass"
    alone: bool = False  # nothing may be written before or after it in its cell
    leads: bool = False  # it stands before code, on the same line


Piece = Code | Kept


@dataclass(frozen=True)
class Cell:
    """One cell: its number among all cells, what it says, and of what pieces it consists.

    ``shows`` tells whether the value of a last expression is shown. What is no cell of a notebook
    has a number below zero, and stands at ``first_line`` of its file, ``width`` characters in.
    """

    number: int
    text: str
    pieces: tuple[Piece, ...]
    shows: bool = True
    first_line: int = 1
    width: int = 0


@dataclass(frozen=True)
class _Line:
    """A line of the module: the cell and the line that it is of, and how far it is shifted.

    No shift: the line says something else there.
    """

    cell: int
    line: int
    shift: int | None = None


class Program:
    """The cells as one module, and the way back."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = tuple(cells)
        self._tag = _unused_tag(cell.text for cell in self.cells)
        self._lines: list[_Line] = []
        self._markers: list[tuple[str, int, Kept | None]] = []
        self._ends: list[str] = []
        self._led: set[int] = set()
        self.text = "".join(self._assembled())

    # Cells to module ------------------------------------------------------------------

    def _assembled(self) -> Iterable[str]:
        for index, cell in enumerate(self.cells):
            last = 1
            for piece in cell.pieces:
                if isinstance(piece, Kept):
                    yield self._marked(piece.stand_in, index, piece)
                    if piece.leads:
                        self._led.add(len(self._lines) + 1)
                    last = piece.line
                    continue
                lines = lines_of(piece.text)
                for number, line in enumerate(lines):
                    last = piece.line + number
                    self._lines.append(_Line(index, last, 0 if number else piece.column - 1))
                    yield line
                if lines and not lines[-1].endswith(("\n", "\r")):
                    yield "\n"
            self._ends.append(self._marked("pass", index, None))
            self._lines[-1] = _Line(index, last)
            yield self._ends[-1]

    def _marked(self, statement: str, cell: int, kept: Kept | None) -> str:
        line = f"{statement}  {self._tag}{len(self._markers)}"
        self._markers.append((line, cell, kept))
        self._lines.append(_Line(cell, kept.line if kept else 1))
        return line + "\n"

    def place(self, line: int, column: int) -> tuple[int, int, int]:
        """The number of the cell (0: none), the line and the column of a place in the module."""
        if not self._lines:
            return 0, line, column
        found = self._lines[min(line, len(self._lines)) - 1]
        cell = self.cells[found.cell]
        column = 1 if found.shift is None else column + found.shift
        return max(cell.number, 0), found.line + cell.first_line - 1, column + cell.width

    def index(self, line: int) -> int:
        """Which cell a line of the module is of."""
        return self._lines[line - 1].cell

    def is_led(self, line: int) -> bool:
        """Whether something that is kept stands before the code of a line of the module."""
        return line in self._led

    def kept(self) -> Iterator[tuple[int, int, str]]:
        """What is no Python of the program, each with its cell (0: none) and its line."""
        for _, index, piece in self._markers:
            if piece is not None and piece.text:
                cell = self.cells[index]
                yield max(cell.number, 0), piece.line + cell.first_line - 1, piece.text

    # Module to cells ------------------------------------------------------------------

    def split(self, text: str) -> list[str]:
        """What the cells say in the new ``text`` of the module; raises Displaced."""
        found = ["" for _ in self.cells]
        expected = iter(self._markers)
        between, before = "", None
        for line in lines_of(text):
            if self._tag not in line:
                between += line
                continue
            marker, cell, kept = next(expected, ("", 0, None))
            if line.rstrip("\r\n") != marker:
                raise Displaced(f"line '{line.strip()}' is not where it was")
            found[cell] += _between(between, before, kept, self.cells[cell].number)
            if kept is not None:
                found[cell] += kept.text
                if kept.text and not kept.leads and not kept.text.endswith(("\n", "\r")):
                    found[cell] += "\n"
            between, before = "", kept
        if next(expected, None) is not None or between:
            raise Displaced("the end of a cell is not where it was")
        return [_ended(new, cell.text) for new, cell in zip(found, self.cells, strict=True)]

    # What a cell shows ----------------------------------------------------------------

    def settled(self, text: str) -> str:
        """``text`` without values that a cell would show now, and did not before.

        An expression that comes to be the last of its cell, because what followed it went, gets
        the semicolon by which notebooks keep a value from being shown.
        """
        before = ast.parse(self.text)
        quiet: set[tuple[int, str]] = set()
        shown = self.shown(self.text, before)
        for statement in before.body:
            if isinstance(statement, ast.Expr) and statement not in shown:
                quiet.add((self._lines[statement.lineno - 1].cell, ast.dump(statement)))
        if not quiet:
            return text
        tree = tree_of(text)
        if tree is None:
            return text  # the self-check will say what is wrong
        lines = lines_of(text)
        new = self.shown(text, tree)
        cell = 0
        for statement in tree.body:
            assert statement.end_lineno is not None and statement.end_col_offset is not None
            if statement in new and (cell, ast.dump(statement)) in quiet:
                line = lines[statement.end_lineno - 1].encode()
                at = statement.end_col_offset
                lines[statement.end_lineno - 1] = (line[:at] + b";" + line[at:]).decode()
            if self._tag in lines[statement.lineno - 1]:
                cell += lines[statement.lineno - 1] in self._ends
        return "".join(lines)

    def shown(self, text: str, tree: ast.Module) -> frozenset[ast.stmt]:
        """The expressions of the module whose values are shown: the last ones of cells."""
        lines = LINE_END.split(text)
        shown: set[ast.stmt] = set()
        ends = {end.rstrip("\n"): cell for end, cell in zip(self._ends, self.cells, strict=True)}
        closing = {line for line, _, kept in self._markers if kept is not None and not kept.text}
        last: ast.stmt | None = None
        for statement in tree.body:
            line = lines[statement.lineno - 1] if statement.lineno <= len(lines) else ""
            if self._tag in line and line in ends:
                if isinstance(last, ast.Expr) and ends[line].shows and not _silenced(last, lines):
                    shown.add(last)
                last = None
            elif not (self._tag in line and line in closing):
                last = statement
        return frozenset(shown)


def _between(text: str, before: Kept | None, after: Kept | None, cell: int) -> str:
    """What is written between two marks of a cell."""
    for kept in (before, after):
        if text and kept is not None and kept.alone:
            raise Displaced(f"something was written beside '{LINE_END.split(kept.text)[0]}'")
    if before is None or not before.leads:
        return text
    if len(lines_of(text)) != 1 or not text.strip():
        message = f"what stands after '{before.text.strip()}' is no single line any more"
        raise Crowded(message, cell, before.line)
    return text.lstrip(" \t")


def _ended(new: str, old: str) -> str:
    """The new text of a cell, ending as the old one."""
    if not new.strip():
        return old if not old.strip() else ""
    if old.endswith(("\n", "\r")) or not new.endswith("\n"):
        return new
    return new[:-2] if new.endswith("\r\n") else new[:-1]


def _silenced(statement: ast.stmt, lines: list[str]) -> bool:
    """Whether a semicolon ends the cell, so that nothing is shown."""
    assert statement.end_lineno is not None and statement.end_col_offset is not None
    rest = lines[statement.end_lineno - 1].encode("utf-8", "surrogatepass")
    after = rest[statement.end_col_offset :].decode("utf-8", "surrogatepass")
    return _SILENCED.match(after) is not None


def _unused_tag(texts: Iterable[str]) -> str:
    """A comment that occurs in none of the texts."""
    every = "\0".join(texts)
    tag = "#:"
    while tag in every:
        tag += ":"
    return tag


def indentation(line: str) -> str:
    """The blanks at the beginning of a line."""
    match = _INDENT.match(line)
    return match[0] if match else ""
