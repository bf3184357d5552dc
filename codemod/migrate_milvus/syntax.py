"""A parsed file: its text, its ``ast`` tree, and the way from one to the other.

The analysis runs on ``ast``, which costs about a ninth of a lossless parse; LibCST comes in when a
file is rewritten (see ``rewrite``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_milvus.model import Place

if TYPE_CHECKING:
    from migrate_milvus.cells import Program

_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, as Python counts them."""
    return _LINE.findall(text)


def tree_of(text: str | bytes) -> ast.Module | None:
    """The tree of a text; None when it is no Python 3, or too much for the parser."""
    try:
        return ast.parse(text.lstrip("\ufeff") if isinstance(text, str) else text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class SourceText:
    """The text of one module and its tree.

    Raises SyntaxError (or ValueError, RecursionError, MemoryError for pathological input) when the
    text is not Python 3. ``name`` is used in messages only. ``program`` is given when the text is
    made of cells.

    ``shown`` has the statements whose values are shown to the user, as a notebook does.
    """

    def __init__(self, text: str, name: str = "<string>", program: Program | None = None) -> None:
        self.text = text
        self.name = name
        self.program = program
        self.tree = ast.parse(text.lstrip("\ufeff"), filename=name)
        self._line_starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self.shown: frozenset[ast.stmt] = frozenset()
        if program is not None:
            self.shown = program.shown(text, self.tree)

    def again(self, text: str) -> SourceText:
        """Another text of the same module; raises as the constructor does."""
        return SourceText(text, self.name, self.program)

    def in_one_cell(self, lines: list[int]) -> bool:
        """Whether the lines are of one cell, if the text is made of cells."""
        program = self.program
        return program is None or len({program.index(line) for line in lines}) < 2

    def line_words(self, line: int) -> str:
        """How a line is called in messages: by its number, and by that of its cell."""
        if self.program is None:
            return f"line {line}"
        cell, line, _ = self.program.place(line, 1)
        return f"line {line} of cell {cell}" if cell else f"line {line}"

    def found_at(self, node: ast.AST) -> Place:
        """Where the owner of the file finds ``node``."""
        line, column = self.place(node)
        if self.program is None:
            return Place(self.name, line, column)
        cell, line, column = self.program.place(line, column)
        return Place(self.name, line, column, cell)

    @cached_property
    def lines(self) -> list[str]:
        """The physical lines without their ends, as Python counts them (never at a form feed)."""
        return _LINE_END.split(self.text)

    def offset(self, line: int, byte_column: int) -> int:
        """The character offset of a place as ``ast`` gives it (line from 1, column in bytes)."""
        start = self._line_starts[line - 1]
        content = self.lines[line - 1]
        if content.isascii():
            return start + byte_column
        return start + len(content.encode()[:byte_column].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where ``node`` starts and ends in the text, in characters, decorators not included."""
        return (
            self.offset(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.offset(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def segment(self, node: ast.AST) -> str:
        """The source text of ``node``, without the parentheses around it."""
        start, end = self.span(node)
        return self.text[start:end]

    def place(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of ``node``, both from 1, the column in characters."""
        line: int = node.lineno  # type: ignore[attr-defined]
        offset = self.offset(line, node.col_offset)  # type: ignore[attr-defined]
        return line, offset - self._line_starts[line - 1] + 1

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of every node."""
        found: dict[ast.AST, ast.AST] = {}
        stack: list[ast.AST] = [self.tree]
        while stack:
            node = stack.pop()
            for child in ast.iter_child_nodes(node):
                found[child] = node
                stack.append(child)
        return found

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds ``node`` (``node`` itself, if it is one)."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node


class Texts:
    """Several parsed files, which can be asked about a node of any of them."""

    def __init__(self, sources: Iterable[SourceText]) -> None:
        self._of_tree = {source.tree: source for source in sources}
        self._of_statement: dict[ast.AST, SourceText] = {}

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of every node of every file."""
        found: dict[ast.AST, ast.AST] = {}
        for source in self._of_tree.values():
            found |= source.parents
        return found

    def of(self, node: ast.AST) -> SourceText:
        """The file that holds ``node``."""
        parents = self.parents
        while not isinstance(node, ast.stmt | ast.Module):
            node = parents[node]
        known = self._of_statement.get(node)
        if known is None:
            top: ast.AST = node
            while not isinstance(top, ast.Module):
                top = parents[top]
            known = self._of_statement[node] = self._of_tree[top]
        return known

    def span(self, node: ast.AST) -> tuple[int, int]:
        """As ``SourceText.span``, in the file that holds ``node``."""
        return self.of(node).span(node)

    def segment(self, node: ast.AST) -> str:
        """As ``SourceText.segment``."""
        return self.of(node).segment(node)

    def place(self, node: ast.AST) -> tuple[int, int]:
        """As ``SourceText.place``."""
        return self.of(node).place(node)

    def statement(self, node: ast.AST) -> ast.stmt:
        """As ``SourceText.statement``."""
        return self.of(node).statement(node)
