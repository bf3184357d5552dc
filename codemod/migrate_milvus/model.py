"""The vocabulary that the stages share: places, findings, sites and the outcome per file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_milvus.document import Document


@dataclass(frozen=True)
class Place:
    """A place in a user's file.

    ``line`` and ``column`` count from 1; ``column`` counts characters, not bytes. In a notebook,
    ``cell`` counts all its cells from 1, and the line is one of that cell; elsewhere it is 0.
    """

    path: str
    line: int
    column: int
    cell: int = 0

    @property
    def page(self) -> str:
        """What the line is one of: the file, or the cell of a notebook."""
        return f"{self.path}:cell {self.cell}" if self.cell else self.path

    def __str__(self) -> str:
        return f"{self.page}:{self.line}:{self.column}"

    def __lt__(self, other: Place) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, int, int, int]:
        return self.path, self.cell, self.line, self.column


class Severity(Enum):
    """What a finding means for the run."""

    BLOCKED = "blocked"  # an ORM use stays, because rewriting it was not proved safe
    NOTE = "note"  # the code was rewritten; the owner should know this
    ERROR = "error"  # the file could not be handled: exit code 2


class Status(Enum):
    """The ledger's columns: every ORM use found stands in exactly one of them."""

    REWRITTEN = "rewritten"
    REPORTED = "reported"
    IGNORED = "ignored"


# The reason of a connect that is kept because others stay.
FOR_REST = "stays for the rest"


@dataclass(frozen=True)
class Finding:
    """Something the user has to read: where, which rule, why, and what to do by hand.

    ``reason`` is the stable name of the failed precondition (or of the note), ``message`` says it
    in a sentence about this code, ``recipe`` is what the owner can do by hand (may have several
    lines, may be code). ``follows`` lists the other sites of the same unit, which would migrate
    once this one is solved. ``code`` is the line it is about; ``known`` when a baseline has it.
    """

    place: Place
    rule: str
    reason: str
    message: str
    recipe: str = ""
    severity: Severity = Severity.BLOCKED
    symbol: str = ""
    follows: tuple[Place, ...] = ()
    code: str = field(default="", compare=False, repr=False)
    known: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True)
class SiteRecord:
    """One ORM use in the ledger; ``why`` is the chain of evidence for it, nearest first.

    Sites with the same ``unit`` change together or not at all; it names the place of the first one,
    and is empty for uses of a connection that concern no object. ``code`` is the line; ``known``
    when a baseline has it.
    """

    place: Place
    symbol: str
    rule: str
    status: Status
    reason: str = ""
    why: tuple[str, ...] = field(default=(), compare=False, repr=False)
    unit: str = field(default="", compare=False, repr=False)
    code: str = field(default="", compare=False, repr=False)
    known: bool = field(default=False, compare=False, repr=False)


@dataclass
class FileResult:
    """What the migration of one file came to.

    ``text`` is the new text, or None when nothing changes. ``document`` holds the old one.
    ``signatures`` lists changed functions in words, for the report.
    """

    document: Document
    text: str | None = None
    findings: list[Finding] = field(default_factory=list)
    sites: list[SiteRecord] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
