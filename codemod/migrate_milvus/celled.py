"""Documents of several pieces of code: notebooks, and pages of documentation."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from migrate_milvus import magics, prose
from migrate_milvus import notebook as notebooks
from migrate_milvus.cells import Crowded, Program
from migrate_milvus.document import Document, DocumentError, Part, problem
from migrate_milvus.model import Finding, Place, Severity
from migrate_milvus.syntax import SourceText

_Kind = TypeVar("_Kind", bound="CelledDocument")


@dataclass(frozen=True)
class CelledDocument(Document):
    """A document whose ``text`` is put together from cells; ``raw`` is the text of the file."""

    program: Program = field(default_factory=lambda: Program(()), compare=False)
    raw: str = ""

    @classmethod
    def of(cls: type[_Kind], document: Document, program: Program, raw: str, **own: Any) -> _Kind:
        """The ``document`` of this kind whose text is the ``program``; raises DocumentError.

        ``own`` are the members that this kind has beside those of all.
        """
        if program.split(program.text) != [cell.text for cell in program.cells]:
            raise DocumentError(
                "lossy-encoding", "cannot be taken apart and put together unchanged"
            )
        members = {member.name: getattr(document, member.name) for member in fields(Document)}
        return cls(**members | {"text": program.text, "program": program, "raw": raw} | own)

    def source(self) -> SourceText:
        return SourceText(self.text, self.name, self.program)

    def place(self, line: int, column: int) -> Place:
        cell, line, column = self.program.place(line, column)
        return Place(self.name, line, column, cell)

    @property
    def is_celled(self) -> bool:
        return True

    def kept(self) -> list[tuple[Place, str]]:
        return [(Place(self.name, line, 1, cell), text) for cell, line, text in self.program.kept()]

    def settled(self, text: str) -> str:
        return self.program.settled(text)

    def written(self, text: str) -> str:
        """The text of the file when ``text`` is that of the module; raises Displaced."""
        raise NotImplementedError

    def encode(self, text: str) -> bytes:
        return super().encode(self.written(text))


@dataclass(frozen=True)
class NotebookDocument(CelledDocument):
    """A notebook; ``whole`` names magics that are kept though what they hold is Python."""

    notebook: notebooks.Notebook = field(default_factory=notebooks.Notebook)
    whole: frozenset[tuple[int, int]] = frozenset()

    def written(self, text: str) -> str:
        return notebooks.spliced(self.raw, self.notebook.sources, self.program.split(text))

    def parts(self, text: str) -> list[Part]:
        return [
            Part(f"{self.name}:cell {cell.number}", old, new, cell.number)
            for cell, old, new in zip(
                self.program.cells,
                self.program.split(self.text),
                self.program.split(text),
                strict=True,
            )
            if new != old
        ]

    def notes(self) -> list[Finding]:
        if not self.notebook.doubled:
            return []
        found = problem(
            self.name,
            "duplicate-ids",
            f"several cells have the id {self.notebook.doubled[0]!r}; ids are left as they are",
        )
        return [replace(found, severity=Severity.NOTE)]

    def otherwise(self, error: DocumentError) -> Document | None:
        if not isinstance(error, Crowded):
            return None
        return _assembled(self, self.raw, self.notebook, self.whole | {(error.cell, error.line)})


def notebook(document: Document) -> Document:
    """The notebook that ``document``, the file as text, holds; raises DocumentError.

    One in another language has no code that concerns us.
    """
    try:
        found = notebooks.read(document.text)
    except notebooks.NotebookError as error:
        raise DocumentError(error.reason, str(error)) from error
    if not found.is_python:
        return replace(document, text="")
    return _assembled(document, document.text, found, frozenset())


def _assembled(
    document: Document,
    raw: str,
    found: notebooks.Notebook,
    whole: frozenset[tuple[int, int]],
) -> NotebookDocument:
    sources = ((source.number, source.text) for source in found.sources)
    try:
        program = Program(magics.cells(sources, whole))
    except magics.NamesCleared as error:
        raise DocumentError(
            "names-cleared", f"cell {error.cell} deletes all names, so that nothing can be followed"
        ) from error
    return NotebookDocument.of(document, program, raw, notebook=found, whole=whole)


@dataclass(frozen=True)
class ProseDocument(CelledDocument):
    """A page of documentation with blocks of Python; ``whole`` as for a notebook."""

    blocks: tuple[prose.Block, ...] = ()
    whole: frozenset[tuple[int, int]] = frozenset()

    @property
    def is_page(self) -> bool:
        return True

    def written(self, text: str) -> str:
        return prose.spliced(self.raw, self.blocks, self.program.split(text))

    def parts(self, text: str) -> list[Part]:
        return [Part(self.name, self.written(self.text), self.written(text))]

    def otherwise(self, error: DocumentError) -> Document | None:
        if not isinstance(error, Crowded):
            return None
        return _page(self, self.raw, self.blocks, self.whole | {(error.cell, error.line)})


def page(document: Document) -> Document:
    """The page that ``document``, the file as text, is; raises DocumentError."""
    found = prose.blocks(document.text, document.path.suffix.lower())
    return _page(document, document.text, tuple(found), frozenset())


def _page(
    document: Document,
    raw: str,
    blocks: tuple[prose.Block, ...],
    whole: frozenset[tuple[int, int]],
) -> ProseDocument:
    try:
        program = Program(prose.cells(blocks, whole))
    except magics.NamesCleared as error:
        line = blocks[-error.cell - 1].first + 1
        raise DocumentError(
            "names-cleared",
            f"the block on line {line} deletes all names, so that nothing can be followed",
        ) from error
    return ProseDocument.of(document, program, raw, blocks=blocks, whole=whole)
