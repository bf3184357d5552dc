"""Going through the units one by one: each is shown as a diff, and written when it is applied.

A step is what one answer decides: the uses of one unit, or those of a file's connection that
concern no object. Everything not decided on is held while a step is analysed, so what is shown is
what is written, and every text on disk is one that the checks of the engine have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import click

from migrate_milvus import diffing, pipeline
from migrate_milvus.document import Document, DocumentError
from migrate_milvus.model import FileResult, Place, Severity, SiteRecord, Status
from migrate_milvus.parallel import connected
from migrate_milvus.registry import load
from migrate_milvus.requirements import check
from migrate_milvus.settings import Settings

SKIPPED = "skipped"

HELP = """\
a  apply: write this change
s  skip: leave this unit as it is
d  diff: show the change again
r  rest: apply this change and all that follow
q  quit: leave everything else as it is; what was applied stays applied
"""


@dataclass(frozen=True)
class Step:
    """The uses that one answer decides on."""

    first: SiteRecord
    places: frozenset[Place]

    @property
    def title(self) -> str:
        """Where it is, what it is, and how much of it."""
        uses = "1 use" if len(self.places) == 1 else f"{len(self.places)} uses"
        what = self.first.symbol if self.first.unit else "calls without an object"
        return f"{self.first.place.page}:{self.first.place.line} {what}, {uses}"


class Session:
    """One walk through a project; ``ask`` returns an answer for a prompt (empty: end of input).

    ``progress`` shows that something is being done while a step is analysed.
    """

    def __init__(
        self,
        project: pipeline.Project,
        settings: Settings,
        ask: Callable[[str], str],
        *,
        colour: bool = False,
        progress: Callable[[], AbstractContextManager[pipeline.Reporter | None]] = nullcontext,
    ) -> None:
        self._settings = settings
        self._progress = progress
        self._project = project
        self._ask = ask
        self._colour = colour
        self._rest = False
        self._quit = False

    def run(self, found: Sequence[FileResult]) -> pipeline.RunResult:
        """Go through what ``found`` would change; the result says what was written."""
        by_name = {result.document.name: result for result in found}
        groups = [
            (group, [by_name[document.name] for document in group if document.name in by_name])
            for group in connected(self._project.documents)
        ]
        results = list(self._project.unread)
        questions = [list(_steps(members)) for _, members in groups]
        total = sum(map(len, questions))
        number = 0
        for (group, members), steps in zip(groups, questions, strict=True):
            results += self._group(group, members, steps, number, total)
            number += len(steps)
        manifests = check(results, self._settings)
        results += [pipeline.write_result(result) for result in manifests]
        pipeline.move_places(results)
        return pipeline.conclude(results, written=True, scanned=self._project.scanned)

    def _group(
        self,
        documents: Sequence[Document],
        found: Sequence[FileResult],
        steps: Sequence[Step],
        number: int,
        total: int,
    ) -> list[FileResult]:
        """Decide on the steps of files that imports connect; they are analysed together."""
        everything: frozenset[Place] = frozenset().union(*(step.places for step in steps))
        accepted: frozenset[Place] = frozenset()
        waiting: frozenset[Place] = frozenset()  # changes only together with a later step
        applied: list[FileResult] = []
        left = list(steps)
        while left and not (self._quit or self._rest):
            step = left.pop(0)
            number += 1
            choices = [accepted | step.places, accepted | step.places | waiting]
            for chosen in choices if waiting else choices[:1]:
                results = self._analyse(documents, everything - chosen)
                diff = _difference(applied, results)
                if diff:
                    break
            else:
                waiting |= step.places
                continue
            title = f"[{number} of {total}] {step.title}"
            click.echo(click.style(title, bold=True) if self._colour else title)
            if self._applies(diff):
                accepted = chosen
                applied = self._write(applied, results)
        if self._rest and (left or waiting - accepted):
            accepted = accepted.union(waiting, *(step.places for step in left))
            applied = self._write(applied, self._analyse(documents, everything - accepted))
        if not applied:
            applied = [_unchanged(result) for result in found]
        return [_skipped(result, everything - accepted) for result in applied]

    def _analyse(self, documents: Sequence[Document], held: frozenset[Place]) -> list[FileResult]:
        settings = replace(self._settings, held=held)
        with self._progress() as reporter:
            if reporter:
                reporter.stage("analysing")
            results = pipeline.analyse(documents, settings)
        return [result for result in results if result.document.path in self._project.wanted]

    def _applies(self, diff: str) -> bool:
        """Show a change, and ask until there is an answer."""
        shown = diffing.coloured(diff) if self._colour else diff
        click.echo(shown, nl=False, color=self._colour or None)
        while True:
            answer = self._ask("Apply this? [a]pply, [s]kip, [d]iff, [r]est, [q]uit, [?] ")
            match answer.strip().lower()[:1]:
                case "a" | "y":
                    return True
                case "s" | "n":
                    return False
                case "d":
                    click.echo(shown, nl=False, color=self._colour or None)
                case "r":
                    self._rest = True
                    return True
                case "q":
                    self._quit = True
                    return False
                case "" if not answer:  # the end of the input
                    self._quit = True
                    return False
                case _:
                    click.echo(HELP, nl=False)

    def _write(
        self, applied: Sequence[FileResult], results: Sequence[FileResult]
    ) -> list[FileResult]:
        """Write what has changed since the last step; returns what is on disk from now on."""
        before = {result.document.name: result.text for result in applied}
        now: list[FileResult] = []
        for result in results:
            document, old = result.document, before.get(result.document.name)
            if result.text is not None and result.text != old:
                data = document.data if old is None else document.encode(old)
                try:
                    replace(document, data=data).write(result.text)
                except DocumentError as error:
                    click.echo(f"{document.name}: error: {error}", err=True)
                    result = pipeline.not_written(result, error)
            now.append(result)
        return now


def _steps(results: Sequence[FileResult]) -> Iterator[Step]:
    units: dict[tuple[str, str], list[SiteRecord]] = {}
    for result in results:
        for site in sorted(result.sites, key=lambda site: site.place):
            if site.status is Status.REWRITTEN and result.text is not None:
                path = "" if site.unit else site.place.path
                units.setdefault((path, site.unit), []).append(site)
    # Objects first: what acts on the connection alone follows them, and is no question then.
    asked = False
    for sites in sorted(units.values(), key=lambda found: (not found[0].unit, found[0].place)):
        if sites[0].unit or not asked or not all(_follows(site) for site in sites):
            asked = True
            yield Step(sites[0], frozenset(site.place for site in sites))


def _follows(site: SiteRecord) -> bool:
    """Whether a use is never held: it changes when the first use of its connection does."""
    connections = load().connections
    return (
        connections.is_connect(site.symbol)
        or connections.is_disconnect(site.symbol)
        or connections.configures(site.symbol)
        or connections.acts_on_alias(site.symbol)
        or connections.asks(site.symbol)
    )


def _difference(applied: Sequence[FileResult], results: Sequence[FileResult]) -> str:
    before = {result.document.name: result.text for result in applied}
    return "".join(
        diffing.result_diff(result, before.get(result.document.name)) for result in results
    )


def _unchanged(result: FileResult) -> FileResult:
    """The result of a file in which nothing was applied: its notes speak about what was not."""
    kept = [f for f in result.findings if not (f.symbol and f.severity is Severity.NOTE)]
    return replace(result, text=None, findings=kept, signatures=[])


def _skipped(result: FileResult, held: frozenset[Place]) -> FileResult:
    """The result of a file with the word on what was not applied."""
    changed = (Status.REWRITTEN,)
    result.sites = [
        replace(site, status=Status.REPORTED, reason=SKIPPED)
        if site.place in held
        and (site.status is Status.REPORTED or (site.status in changed and result.text is None))
        else site
        for site in result.sites
    ]
    return result
