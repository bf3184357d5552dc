"""The JSON report; ``schema.json`` beside this file describes it.

``version`` changes when a program that reads the report would have to. New members may come
without that.
"""

from __future__ import annotations

import json
from typing import Any

from migrate_milvus import __version__
from migrate_milvus.model import FileResult, Finding, Place, SiteRecord, Status
from migrate_milvus.pipeline import RunResult, has_error
from migrate_milvus.report.model import Report

VERSION = 1


def render(report: Report) -> str:
    """The report as text, two spaces per level, ASCII only."""
    return json.dumps(as_data(report.run), indent=2) + "\n"


def as_data(run: RunResult) -> dict[str, Any]:
    """The report as plain data."""
    counts = run.counts
    return {
        "version": VERSION,
        "tool": {"name": "migrate-milvus", "version": __version__},
        "summary": {
            "files": counts.files,
            "changed": counts.changed,
            "failed": counts.failed,
            "found": counts.found,
            "rewritten": counts.rewritten,
            "reported": counts.reported,
            "ignored": counts.ignored,
            "known": counts.known,
            "written": run.written,
            "exit_code": run.exit_code,
        },
        "files": [_file(result, run.written) for result in run.results],
    }


def status(result: FileResult, written: bool) -> str:
    """In one word, what became of a file."""
    if has_error(result):
        return "failed"
    if result.text is not None:
        return "written" if written else "would-change"
    statuses = {site.status for site in result.sites}
    if Status.REPORTED in statuses or any(f.severity.value == "blocked" for f in result.findings):
        return "reported"
    return "ignored" if Status.IGNORED in statuses else "clean"


def _file(result: FileResult, written: bool) -> dict[str, Any]:
    return {
        "path": result.document.name,
        "status": status(result, written),
        "changed": result.text is not None,
        "findings": [_finding(finding) for finding in result.findings],
        "sites": [_site(site) for site in result.sites],
        "signatures": list(result.signatures),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        **_place(finding.place),
        "rule": finding.rule,
        "severity": finding.severity.value,
        "reason": finding.reason,
        "message": finding.message,
        "recipe": finding.recipe,
        "symbol": finding.symbol,
        "code": finding.code,
        "known": finding.known,
        "follows": [_place(place) for place in finding.follows],
    }


def _site(site: SiteRecord) -> dict[str, Any]:
    return {
        **_place(site.place),
        "symbol": site.symbol,
        "rule": site.rule,
        "status": site.status.value,
        "reason": site.reason,
        "unit": site.unit,
        "code": site.code,
        "known": site.known,
        "why": list(site.why),
    }


def _place(place: Place) -> dict[str, Any]:
    data: dict[str, Any] = {"path": place.path, "line": place.line, "column": place.column}
    if place.cell:
        data["cell"] = place.cell
    return data
