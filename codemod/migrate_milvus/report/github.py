"""Annotations for GitHub Actions: lines that the runner shows beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.report.model import Report
from migrate_milvus.report.text import summary

_COMMANDS = {Severity.BLOCKED: "warning", Severity.NOTE: "notice", Severity.ERROR: "error"}


def render(report: Report) -> str:
    """One line for each finding that is not known, one for each file that would change."""
    lines = [line for result in report.run.results for line in _annotations(report, result)]
    return "".join(f"{line}\n" for line in (*lines, summary(report.run)))


def _annotations(report: Report, result: FileResult) -> Iterator[str]:
    path = report.inside(result) or result.document.name
    for finding in sorted(result.findings, key=lambda finding: finding.place):
        if not finding.known:
            text = "\n".join(part for part in (finding.message, finding.recipe) if part)
            yield _line(_COMMANDS[finding.severity], path, finding.place, _title(finding), text)
    sites = [s for s in result.sites if s.status is Status.REWRITTEN and not s.known]
    if sites and result.text is not None and not report.run.written:
        first = min(site.place for site in sites)
        uses = "1 ORM use is" if len(sites) == 1 else f"{len(sites)} ORM uses are"
        text = f"{uses} rewritten by migrate-milvus --write"
        yield _line("warning", path, first, "pymilvus ORM code", text)


def _title(finding: Finding) -> str:
    return f"{finding.rule} {finding.reason}"


def _line(command: str, path: str, place: Place, title: str, text: str) -> str:
    """One workflow command. In a notebook the line is one of a cell, so the text says it."""
    properties = {"file": path}
    if place.cell:
        text = f"cell {place.cell}, line {place.line}: {text}"
    else:
        properties |= {"line": str(place.line), "col": str(place.column)}
    properties["title"] = title
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {written}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
