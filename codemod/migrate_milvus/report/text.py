"""The text report: one finding per paragraph, and a summary in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.pipeline import Counts, RunResult
from migrate_milvus.report.model import Report

_COLOURS = {Severity.BLOCKED: "yellow", Severity.NOTE: "cyan", Severity.ERROR: "red"}


def render(report: Report, *, verbose: bool = False, colour: bool = False) -> str:
    """The whole report; ``verbose`` adds every rewritten, ignored and known site.

    After a write it ends with what is to be known about it: files, what stayed, what to do next.
    """
    run = report.run
    parts: list[str] = []
    told: dict[tuple[Place, ...], Finding] = {}
    for result in run.results:
        for finding in sorted(result.findings, key=_order):
            if verbose or not finding.known:
                follows = _follows(report, finding, told) if finding.follows else ""
                parts.append(render_finding(finding, follows, colour=colour))
        if verbose:
            parts.extend(_sites(result))
    signatures = list(_signatures(run.results))
    if signatures:
        parts.append(_listed("Signatures that change:", signatures))
    if run.written:
        parts.extend(_written(report))
    parts.append(summary(run) + "\n")
    if run.written and run.counts.changed:
        parts.append(f"{report.requirement}\n" if report.requirement else "")
        parts.append(f"To undo: {report.undo}\n" if report.undo else "")
    return "".join(parts)


def _written(report: Report) -> Iterator[str]:
    """Every file that was written, and every unit that stayed."""
    files = []
    for result in report.changed:
        count = _count(result, Status.REWRITTEN)
        files.append(f"{result.document.name} ({_uses(count)})" if count else result.document.name)
    if files:
        yield _listed("Written:", files)
    stayed = [
        f"{stay.first.place.page}:{stay.first.place.line}: {stay.first.symbol}"
        f"{f' and {stay.count - 1} more' if stay.count > 1 else ''}: {stay.reason}"
        for stay in report.stayed
    ]
    if stayed:
        yield _listed("Stayed on the ORM:", stayed)


def _listed(title: str, lines: Iterable[str]) -> str:
    return title + "\n" + "".join(f"    {line}\n" for line in lines)


def render_finding(finding: Finding, follows: str = "", *, colour: bool = False) -> str:
    """``path:line:col: ID message``; indented below the recipe, and which sites follow."""
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
    if follows:
        lines.append(f"    {follows}")
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
    if counts.known:
        sentences.append(f"{_uses(counts.known)} known from the baseline")
    if counts.gone:
        sentences.append(
            f"{counts.gone} of the baseline {'is' if counts.gone == 1 else 'are'} gone"
        )
    if counts.failed:
        sentences.append(f"{_files(counts.failed)} could not be handled")
    return ("; ".join(sentences) or "No ORM use found") + "."


def _ledger(counts: Counts) -> str:
    if not counts.found:
        return f"No ORM use found in {_files(counts.files - counts.failed)}"
    return (
        f"{_uses(counts.found)} in {_files(counts.files)}: {counts.rewritten} rewritten, "
        f"{counts.reported} reported, {counts.ignored} ignored"
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _uses(count: int) -> str:
    return "1 ORM use" if count == 1 else f"{count} ORM uses"


def _count(result: FileResult, status: Status) -> int:
    return sum(site.status is status for site in result.sites)


def _order(finding: Finding) -> tuple[Place, str]:
    return finding.place, finding.rule


def _follows(report: Report, finding: Finding, told: dict[tuple[Place, ...], Finding]) -> str:
    """The sites that follow a finding; what was ``told`` of another one is not told again."""
    count = len(finding.follows)
    first = told.setdefault(finding.follows, finding)
    if first is not finding:
        sites = "The same site waits" if count == 1 else f"The same {count} sites wait"
        return f"{sites} for this as for {first.place.page}:{first.place.line}"
    sites = "1 more site follows" if count == 1 else f"{count} more sites follow"
    return f"{sites} {report.solved(finding)}: {', '.join(_shortened(finding.follows))}"


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
        if site.status is not Status.REPORTED or site.known:
            known = " (known)" if site.known else ""
            yield f"{site.place}: {site.rule} {site.status.value}: {site.symbol}{known}\n"


def _signatures(results: Iterable[FileResult]) -> Iterator[str]:
    for result in results:
        for signature in result.signatures:
            yield f"{result.document.name}: {signature}"
