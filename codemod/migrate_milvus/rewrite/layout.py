"""Layout: pieces of code become text, and calls that do not fit get one argument per line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from migrate_milvus.rewrite.tokens import LINE_END, OPENING

_TAB_WIDTH = 4


@dataclass(frozen=True)
class Word:
    """Text that is written as it stands; line ends in it belong to a string."""

    text: str
    is_comment: bool = False


@dataclass(frozen=True)
class Break:
    """A line end between two tokens of the user's text, and the indentation that follows it."""

    text: str
    indent: str


@dataclass(frozen=True)
class Group:
    """The user's own text, moved: it stood at ``column`` of a line indented by ``indent``."""

    pieces: tuple[Piece, ...]
    indent: str
    column: int


@dataclass
class CallArgument:
    """One argument of a written call with the comments that belong to it."""

    pieces: list[Piece]
    above: list[str] = field(default_factory=list)
    beside: str = ""


@dataclass
class Call:
    """A written call or comprehension. ``broken`` means one argument per line."""

    function: list[Piece]
    arguments: list[CallArgument]
    broken: bool = False
    brackets: str = "()"
    separator: str = ", "


Piece: TypeAlias = "Word | Break | Group | Call"


@dataclass(frozen=True)
class Style:
    """How new lines are written in this place."""

    newline: str
    step: str  # what a broken call's arguments are indented by
    limit: int


def children(piece: Piece) -> Iterator[Piece]:
    """The pieces directly inside ``piece``."""
    if isinstance(piece, Group):
        yield from piece.pieces
    elif isinstance(piece, Call):
        yield from piece.function
        for argument in piece.arguments:
            yield from argument.pieces


def walk(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """All pieces, outer ones first."""
    for piece in pieces:
        yield piece
        yield from walk(children(piece))


def several_lines(pieces: Iterable[Piece]) -> bool:
    """Whether the pieces cannot be written on one line as they are."""
    return any(
        isinstance(piece, Break) or (isinstance(piece, Word) and LINE_END.search(piece.text))
        for piece in walk(pieces)
    )


def flat(pieces: Iterable[Piece]) -> str | None:
    """The pieces on one line (strings keep their lines); None when a comment forbids it."""
    text = ""
    for piece in pieces:
        if isinstance(piece, Word):
            if piece.is_comment:
                return None
            if text.endswith(" ") and piece.text[:1] in (")", "]", "}"):
                text = text[:-1]
            text += piece.text
        elif isinstance(piece, Break):
            text = text.rstrip() + ("" if text.rstrip()[-1:] in ("(", "[", "{", "") else " ")
        elif isinstance(piece, Group):
            inner = flat(piece.pieces)
            if inner is None:
                return None
            text += inner
        else:
            parts = [flat(piece.function), *(flat(item.pieces) for item in piece.arguments)]
            if None in parts:
                return None
            inside = piece.separator.join(str(part) for part in parts[1:])
            text += f"{parts[0]}{piece.brackets[0]}{inside}{piece.brackets[1]}"
    return text


def lay_out(pieces: list[Piece], prefix: str, style: Style) -> str:
    """The pieces as text that starts after ``prefix`` on its line.

    Calls are broken, outermost first, until no line with an unbroken call is too long.
    """
    for piece in walk(pieces):
        if isinstance(piece, Call) and (
            any(item.above or item.beside for item in piece.arguments)
            or (len(piece.arguments) > 1 and any(several_lines(x.pieces) for x in piece.arguments))
        ):
            piece.broken = True
    while True:
        writer = _Writer(prefix, style)
        writer.write(pieces)
        call = writer.first_too_long()
        if call is None:
            return writer.text[len(prefix) :]
        call.broken = True


def width(line: str) -> int:
    """How many columns a line takes."""
    return len(line.expandtabs(_TAB_WIDTH))


def _is_aligned(group: Group) -> bool:
    """Whether the lines of a group are indented to its column, not to its line's indentation."""
    last = ""
    for piece in group.pieces:
        if isinstance(piece, Break) and last in OPENING:
            return False
        if isinstance(piece, Break):
            break
        if isinstance(piece, Word) and not piece.is_comment and piece.text.strip():
            last = piece.text
    indents = [piece.indent for piece in group.pieces if isinstance(piece, Break)]
    return bool(indents) and all(len(x) >= group.column and "\t" not in x for x in indents)


class _Writer:
    def __init__(self, prefix: str, style: Style) -> None:
        self.text = prefix
        self._style = style
        self._unbroken: list[tuple[int, int, Call]] = []

    def write(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, Word):
                self.text += piece.text
            elif isinstance(piece, Break):
                self.text += piece.text + piece.indent
            elif isinstance(piece, Group):
                self._group(piece)
            else:
                self._call(piece)

    def _line(self) -> str:
        return self.text[max(self.text.rfind("\n"), self.text.rfind("\r")) + 1 :]

    def _indent(self) -> str:
        line = self._line()
        return line[: len(line) - len(line.lstrip())]

    def _group(self, group: Group) -> None:
        indent, column = self._indent(), len(self._line())
        aligned = _is_aligned(group)
        for piece in group.pieces:
            if isinstance(piece, Break):
                if aligned:
                    moved = " " * max(0, len(piece.indent) + column - group.column)
                elif piece.indent.startswith(group.indent):
                    moved = indent + piece.indent[len(group.indent) :]
                else:
                    moved = piece.indent
                self.text += piece.text + moved
            else:
                self.write((piece,))

    def _call(self, call: Call) -> None:
        start = len(self.text)
        self.write(call.function)
        self.text += call.brackets[0]
        if not call.broken:
            self._unbroken.append((start, len(self.text), call))
            place = len(self._unbroken) - 1
            for index, argument in enumerate(call.arguments):
                self.text += call.separator if index else ""
                self.write(argument.pieces)
            self.text += call.brackets[1]
            self._unbroken[place] = (start, len(self.text), call)
            return
        indent, newline = self._indent(), self._style.newline
        for argument in call.arguments:
            for comment in argument.above:
                self.text += f"{newline}{indent}{self._style.step}{comment}"
            self.text += f"{newline}{indent}{self._style.step}"
            self.write(argument.pieces)
            self.text += call.separator.rstrip()
            self.text += f"  {argument.beside}" if argument.beside else ""
        self.text += f"{newline}{indent}{call.brackets[1]}"

    def first_too_long(self) -> Call | None:
        """The outermost (then widest) call to break on the first line that is too long."""
        start = 0
        ends = [*(m.span() for m in LINE_END.finditer(self.text)), (len(self.text),) * 2]
        for end, following in ends:
            if width(self.text[start:end]) > self._style.limit:
                here = [
                    (low, high, call)
                    for low, high, call in self._unbroken
                    if call.arguments and low < end and high > start
                ]
                outermost = [
                    (high - low, -low, call)
                    for low, high, call in here
                    if not any(a <= low and high <= b and other is not call for a, b, other in here)
                ]
                if outermost:
                    return max(outermost, key=lambda item: item[:2])[2]
            start = following
        return None
