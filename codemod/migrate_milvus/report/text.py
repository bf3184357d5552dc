"""The text report: one finding per paragraph, and a summary in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.pipeline import Counts, RunResult

_COLOURS = {Severity.BLOCKED: "yellow", Severity.NOTE: "cyan", Severity.ERROR: "red"}


def render(run: RunResult, *, verbose: bool = False, colour: bool = False) -> str:
    """The whole report; ``verbose`` adds every rewritten and ignored site."""
    parts: list[str] = []
    for result in run.results:
        for finding in sorted(result.findings, key=_order):
            parts.append(render_finding(finding, colour=colour))
        if verbose:
            parts.extend(_sites(result))
    signatures = list(_signatures(run.results))
    if signatures:
        parts.append("Signatures that change:\n" + "".join(f"    {line}\n" for line in signatures))
    parts.append(summary(run) + "\n")
    return "".join(parts)


def render_finding(finding: Finding, *, colour: bool = False) -> str:
    """``path:line:col: ID message``, the recipe indented below, and the sites that follow."""
    rule, place, word = finding.rule, str(finding.place), ""
    if finding.severity is Severity.NOTE:
        word = "note: "
    elif finding.severity is Severity.ERROR:
        word = "error: "
    if colour:
        rule = click.style(rule, fg=_COLOURS[finding.severity], bold=True)
        place = click.style(place, bold=True)
    lines = [f"{place}: {rule} {word}{finding.message}"]
    lines += [f"    {line}".rstrip() for line in finding.recipe.splitlines()]
    if finding.follows:
        lines.append(f"    {_follows(finding)}")
    return "\n".join(lines) + "\n"


def errors(results: Iterable[FileResult], *, colour: bool = False) -> str:
    """Only the files that could not be handled, one line each."""
    return "".join(
        render_finding(finding, colour=colour).splitlines()[0] + "\n"
        for result in results
        for finding in result.findings
        if finding.severity is Severity.ERROR
    )


def summary(run: RunResult) -> str:
    """One line: files, and the columns of the ledger, which add up to the uses found."""
    counts = run.counts
    sentences = [_ledger(counts)] if counts.found or counts.files > counts.failed else []
    if counts.changed:
        verb = "written" if run.written else "would change"
        sentences.append(f"{_files(counts.changed)} {verb}")
    if counts.failed:
        sentences.append(f"{_files(counts.failed)} could not be handled")
    return ("; ".join(sentences) or "No ORM use found") + "."


def _ledger(counts: Counts) -> str:
    if not counts.found:
        return f"No ORM use found in {_files(counts.files - counts.failed)}"
    uses = "ORM use" if counts.found == 1 else "ORM uses"
    return (
        f"{counts.found} {uses} in {_files(counts.files)}: {counts.rewritten} rewritten, "
        f"{counts.reported} reported, {counts.ignored} ignored"
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _order(finding: Finding) -> tuple[Place, str]:
    return finding.place, finding.rule


def _follows(finding: Finding) -> str:
    count = len(finding.follows)
    sites = "1 more site follows" if count == 1 else f"{count} more sites follow"
    return f"{sites} once this is solved: {', '.join(_shortened(finding.follows))}"


def _shortened(places: Iterable[Place]) -> Iterator[str]:
    """Places in order, the file (or cell) left out where it is the one before."""
    page = path = ""
    for place in sorted(places):
        if place.page == page:
            yield f":{place.line}"
        elif place.path == path:
            yield f":cell {place.cell}:{place.line}"
        else:
            yield f"{place.page}:{place.line}"
        page, path = place.page, place.path


def _sites(result: FileResult) -> Iterator[str]:
    for site in sorted(result.sites, key=lambda site: site.place):
        if site.status is not Status.REPORTED:
            yield f"{site.place}: {site.rule} {site.status.value}: {site.symbol}\n"


def _signatures(results: Iterable[FileResult]) -> Iterator[str]:
    for result in results:
        for signature in result.signatures:
            yield f"{result.document.name}: {signature}"
