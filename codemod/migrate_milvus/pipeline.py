"""The way of the data: discover, read, analyse, and write or show what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from migrate_milvus.discover import Discovery, Source, discover
from migrate_milvus.document import Document, DocumentError, problem
from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.settings import Settings

if TYPE_CHECKING:
    from migrate_milvus.baseline import Baseline

Engine = Callable[[Sequence[Document], Settings], "list[FileResult]"]


class Reporter(Protocol):
    """Who is told how far a run has come."""

    def stage(self, text: str) -> None:
        """A stage begins; ``text`` says which."""

    def advance(self, done: int, total: int) -> None:
        """So many of so many files of this stage are done."""


@dataclass(frozen=True)
class Counts:
    """The ledger of a run: every ORM use found stands in exactly one of three columns.

    ``files`` counts the files that were analysed, ``changed`` those that change (or changed),
    ``failed`` those that could not be handled, ``blocked`` the findings that need the owner.
    ``known`` of the uses found (and not ignored) are in the baseline, and ``gone`` of those in the
    baseline were not found any more.
    """

    files: int = 0
    changed: int = 0
    failed: int = 0
    blocked: int = 0
    rewritten: int = 0
    reported: int = 0
    ignored: int = 0
    known: int = 0
    gone: int = 0

    @property
    def found(self) -> int:
        """All ORM uses."""
        return self.rewritten + self.reported + self.ignored


@dataclass(frozen=True)
class RunResult:
    """What a run came to; ``results`` stand in the order of their names.

    ``written`` tells whether the new texts are on disk. ``exit_code`` is 0 when no ORM use is left
    (but for those that a baseline has), 1 when some would change or remains, 2 when a file could
    not be handled.
    """

    results: tuple[FileResult, ...]
    counts: Counts
    exit_code: int
    written: bool = False
    scanned: int = 0


@dataclass(frozen=True)
class Project:
    """A project that was read: ``wanted`` are the paths to which results are limited, ``unread``
    the results of files that could not be read, ``scanned`` the number of files searched.
    """

    documents: tuple[Document, ...]
    wanted: frozenset[Path]
    unread: tuple[FileResult, ...] = ()
    scanned: int = 0


def read(settings: Settings, reporter: Reporter | None = None) -> Project:
    """Find and read the files that can matter; what cannot be read becomes a result."""
    if reporter:
        reporter.stage("scanning")
    found = discover(settings, reporter.advance if reporter else None)
    problems = [
        _failed(Path(trouble.name), trouble.name, trouble.reason, trouble.message)
        for trouble in found.problems
    ]
    documents, unread = _read(found)
    wanted = frozenset(Path(source.path) for source in _all(found) if source.wanted)
    return Project(tuple(documents), wanted, (*problems, *unread), found.scanned)


def run(
    settings: Settings,
    *,
    write: bool = False,
    reporter: Reporter | None = None,
    engine: Engine | None = None,
    baseline: Baseline | None = None,
) -> RunResult:
    """Migrate the files that ``settings`` names, and write them when asked to.

    A file that cannot be handled becomes a result with an ERROR finding; nothing is raised for it.
    What is in the ``baseline`` is marked as known, and does not count for the exit code.
    """
    concluded = migrate(read(settings, reporter), settings, reporter, engine, baseline)
    if not write:
        return concluded
    if reporter:
        reporter.stage("writing")
    return written(concluded)


def migrate(
    project: Project,
    settings: Settings,
    reporter: Reporter | None = None,
    engine: Engine | None = None,
    baseline: Baseline | None = None,
) -> RunResult:
    """Migrate a project that was read; nothing is written."""
    results = list(project.unread)
    if project.documents:
        if reporter:
            number = len(project.documents)
            reporter.stage(f"analysing {number} {'file' if number == 1 else 'files'}")
        analysed = analyse(project.documents, settings, engine)
        results += [result for result in analysed if result.document.path in project.wanted]
    if any(result.text is not None for result in results):
        from migrate_milvus.requirements import check

        results += check(results, settings)
    gone = 0
    if baseline is not None:
        from migrate_milvus.baseline import mark

        gone = mark(results, baseline)
    return conclude(results, scanned=project.scanned, gone=gone)


def written(run: RunResult) -> RunResult:
    """``run`` with its new texts on disk; what could not be written says so.

    Places are then those of the new texts, which is what the owner finds in the files.
    """
    results = [write_result(result) for result in run.results]
    move_places(results)
    return conclude(results, written=True, scanned=run.scanned, gone=run.counts.gone)


def move_places(results: Sequence[FileResult]) -> None:
    """Let the places of ``results`` be those of their new texts."""
    from migrate_milvus.diffing import moved

    moves = {r.document.name: moved(r) for r in results if r.text is not None}

    def move(place: Place) -> Place:
        return moves[place.path](place) if place.path in moves else place

    for result in results:
        result.sites = [replace(site, place=move(site.place)) for site in result.sites]
        result.findings = [
            replace(f, place=move(f.place), follows=tuple(move(place) for place in f.follows))
            for f in result.findings
        ]


def run_document(
    document: Document | FileResult, settings: Settings, *, engine: Engine | None = None
) -> RunResult:
    """Migrate one text that is no file of a project, such as standard input."""
    if isinstance(document, FileResult):
        return conclude([document])
    if "pymilvus" not in document.text:
        return conclude([])
    return conclude(analyse([document], settings, engine))


def analyse(
    documents: Sequence[Document], settings: Settings, engine: Engine | None = None
) -> list[FileResult]:
    """The engine's results; whatever it raises becomes a finding for every candidate."""
    try:
        if settings.docs:
            return _with_docstrings(documents, settings, engine or _engine())
        return list((engine or _engine())(documents, settings))
    except Exception as error:
        candidates = [document for document in documents if "pymilvus" in document.text]
        return [internal_error(document, error) for document in candidates]


def _with_docstrings(
    documents: Sequence[Document], settings: Settings, engine: Engine
) -> list[FileResult]:
    """The results, with those of the examples in docstrings."""
    from migrate_milvus import docstrings

    pages = [page for document in documents for page in docstrings.pages(document)]
    return docstrings.merged(engine([*documents, *pages], settings), documents)


def _engine() -> Engine:
    from migrate_milvus.parallel import migrate

    return migrate


def internal_error(document: Document, error: BaseException) -> FileResult:
    """The result of a document on which the tool itself failed: nothing changes."""
    what = " ".join(f"{type(error).__name__}: {error}".split()) + _where(error)
    finding = Finding(
        Place(document.name, 1, 1),
        "MLV003",
        "internal-error",
        f"internal error, file left as it is: {what}",
        "This is a bug in migrate-milvus, not in your code. Please report it.",
        Severity.ERROR,
    )
    return FileResult(document, findings=[finding])


def _where(error: BaseException) -> str:
    """The place in the tool's own code that raised, for the bug report."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"


def failed(document: Document, error: DocumentError) -> FileResult:
    """The result of a document that could not be read."""
    finding = problem(document.name, error.reason, str(error))
    return FileResult(document, findings=[finding])


def write_result(result: FileResult) -> FileResult:
    """Write what the migration of one file came to; the result says if that failed."""
    if result.text is None:
        return result
    try:
        result.document.write(result.text)
    except DocumentError as error:
        return not_written(result, error)
    return result


def not_written(result: FileResult, error: DocumentError) -> FileResult:
    """``result`` when its text could not be written: its sites are as they were."""
    return FileResult(
        document=result.document,
        findings=[problem(result.document.name, error.reason, str(error)), *result.findings],
        sites=[
            replace(site, status=Status.REPORTED, reason="not-written")
            if site.status is Status.REWRITTEN
            else site
            for site in result.sites
        ],
    )


def conclude(
    results: Sequence[FileResult], *, written: bool = False, scanned: int = 0, gone: int = 0
) -> RunResult:
    """Order and count the results, and say what they mean for the exit code."""
    ordered = tuple(sorted(results, key=lambda result: result.document.name))
    findings = [finding for result in ordered for finding in result.findings]
    sites = [site for result in ordered for site in result.sites]
    statuses = [site.status for site in sites]
    counts = Counts(
        files=len(ordered),
        changed=sum(result.text is not None for result in ordered),
        failed=sum(has_error(result) for result in ordered),
        blocked=sum(finding.severity is Severity.BLOCKED for finding in findings),
        rewritten=statuses.count(Status.REWRITTEN),
        reported=statuses.count(Status.REPORTED),
        ignored=statuses.count(Status.IGNORED),
        known=sum(site.known for site in sites),
        gone=gone,
    )
    remains = any(_remains(result, written) for result in ordered)
    exit_code = 2 if counts.failed else 1 if remains else 0
    return RunResult(ordered, counts, exit_code, written, scanned)


def _remains(result: FileResult, written: bool) -> bool:
    """Whether the file has ORM uses that would change or stay, and are not known."""
    changes = result.text is not None and not written
    rewritten = [site for site in result.sites if site.status is Status.REWRITTEN]
    return (
        any(f.severity is Severity.BLOCKED and not f.known for f in result.findings)
        or any(s.status is Status.REPORTED and not s.known for s in result.sites)
        or (changes and not (rewritten and all(site.known for site in rewritten)))
    )


def has_error(result: FileResult) -> bool:
    """Whether the file could not be handled."""
    return any(finding.severity is Severity.ERROR for finding in result.findings)


def _all(found: Discovery) -> tuple[Source, ...]:
    return (*found.candidates, *found.importers)


def _read(found: Discovery) -> tuple[list[Document], list[FileResult]]:
    """The documents that can be read, and results for the wanted ones that cannot."""
    documents: list[Document] = []
    unread: list[FileResult] = []
    for source in _all(found):
        path = Path(source.path)
        try:
            document = Document.from_bytes(source.data, source.name, path)
            documents.append(replace(document, writable=source.wanted))
        except DocumentError as error:
            if source.wanted:
                unread.append(failed(Document.unreadable(path, source.name), error))
    return documents, unread


def _failed(path: Path, name: str, reason: str, message: str) -> FileResult:
    return failed(Document.unreadable(path, name), DocumentError(reason, message))
