"""The SARIF 2.1.0 report, for code-scanning pages and editors.

Each finding is a result, and so is each use that ``--write`` would rewrite. What changes together
is one fix: it stands at the first result of the files that imports connect, and covers all of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from migrate_milvus import __version__
from migrate_milvus.model import FileResult, Finding, Place, Severity, SiteRecord, Status
from migrate_milvus.report.model import Report
from migrate_milvus.syntax import lines_of

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
BASE = "SRCROOT"

_LEVELS = {Severity.BLOCKED: "warning", Severity.NOTE: "note", Severity.ERROR: "error"}


def render(report: Report) -> str:
    """The report as text, two spaces per level, ASCII only."""
    return json.dumps(as_data(report), indent=2) + "\n"


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    ids = sorted(report.rules)
    results = list(_Results(report, {rule: index for index, rule in enumerate(ids)}))
    run = {
        "tool": {
            "driver": {
                "name": "migrate-milvus",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(report, rule) for rule in ids],
            }
        },
        "invocations": [
            {
                "executionSuccessful": report.run.counts.failed == 0,
                "exitCode": report.run.exit_code,
            }
        ],
        "originalUriBaseIds": {BASE: {"description": {"text": "The root of the project."}}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(report: Report, rule: str) -> dict[str, Any]:
    info = report.rules[rule]
    paragraphs = info.doc.strip() or info.title
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", info.title)),
        "shortDescription": {"text": info.title},
        "fullDescription": {"text": " ".join(paragraphs.split("\n\n")[0].split())},
        "help": {"text": paragraphs, "markdown": paragraphs.replace("``", "`")},
        "defaultConfiguration": {"level": "warning"},
    }


class _Results:
    """The results of a run, in the order of files and places."""

    def __init__(self, report: Report, index: dict[str, int]) -> None:
        self._report = report
        self._index = index
        self._by_name = {result.document.name: result for result in report.run.results}
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._fixed: set[str] = set()
        self._groups = {} if report.run.written else _groups(report)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for result in self._report.run.results:
            entries: list[Finding | SiteRecord] = list(result.findings)
            if result.text is not None and not self._report.run.written:
                entries += [s for s in result.sites if s.status is Status.REWRITTEN]
            for entry in sorted(entries, key=lambda entry: (entry.place, entry.rule)):
                if isinstance(entry, Finding):
                    yield self._of_finding(entry)
                else:
                    yield self._of_site(entry)

    def _of_finding(self, finding: Finding) -> dict[str, Any]:
        message = "\n\n".join(part for part in (finding.message, finding.recipe) if part)
        data = self._of(finding, _LEVELS[finding.severity], message)
        if finding.follows:
            data["relatedLocations"] = [
                {"id": number, **self._location(place), "message": {"text": "follows"}}
                for number, place in enumerate(finding.follows, 1)
            ]
        return data

    def _of_site(self, site: SiteRecord) -> dict[str, Any]:
        group = self._groups.get(site.place.path, ())
        first = not self._fixed.intersection(group)
        message = f"{site.symbol} is ORM code that migrate-milvus --write rewrites"
        data = self._of(site, "warning", message)
        if group and first:
            self._fixed.update(group)
            data["fixes"] = [
                {
                    "description": {"text": "Rewrite to MilvusClient what changes together"},
                    "artifactChanges": [self._change(self._by_name[name]) for name in group],
                }
            ]
        return data

    def _of(self, entry: Finding | SiteRecord, level: str, message: str) -> dict[str, Any]:
        place = entry.place
        where = f"cell {place.cell}, line {place.line}: " if place.cell else ""
        key = (place.path, entry.rule, entry.code)
        self._seen[key] += 1
        parts = "\0".join((self._uri(place.path)["uri"], *key[1:], str(self._seen[key])))
        data: dict[str, Any] = {"ruleId": entry.rule}
        if entry.rule in self._index:
            data["ruleIndex"] = self._index[entry.rule]
        data |= {
            "level": level,
            "message": {"text": where + message},
            "locations": [self._location(place, entry.code)],
            "partialFingerprints": {
                "migrateMilvusUse/v1": hashlib.sha256(parts.encode()).hexdigest()[:32]
            },
        }
        if entry.reason:
            data["properties"] = {"reason": entry.reason}
        if entry.known:
            data["baselineState"] = "unchanged"
        return data

    def _location(self, place: Place, code: str = "") -> dict[str, Any]:
        physical: dict[str, Any] = {"artifactLocation": self._uri(place.path)}
        if place.cell:  # a line of a cell is no line of the file
            name = f"cell {place.cell}"
            return {"physicalLocation": physical, "logicalLocations": [{"name": name}]}
        physical["region"] = {"startLine": place.line, "startColumn": place.column}
        if code:
            physical["contextRegion"] = {"startLine": place.line, "snippet": {"text": code}}
        return {"physicalLocation": physical}

    def _uri(self, name: str) -> dict[str, str]:
        """A file inside the project by its path from the root, another by its whole address."""
        result = self._by_name.get(name)
        path = self._report.inside(result) if result else None
        if path is not None:
            return {"uri": quote(path), "uriBaseId": BASE}
        absolute = result.document.path if result else Path(name)
        return {"uri": absolute.as_uri() if absolute.is_absolute() else quote(name)}

    def _change(self, result: FileResult) -> dict[str, Any]:
        return {
            "artifactLocation": self._uri(result.document.name),
            "replacements": list(_replacements(*_texts(result))),
        }


def _groups(report: Report) -> dict[str, tuple[str, ...]]:
    """For each file that changes, those that change together with it."""
    from migrate_milvus.parallel import connected

    changed = {result.document.name for result in report.changed}
    found: dict[str, tuple[str, ...]] = {}
    for group in connected([result.document for result in report.run.results]):
        names = tuple(sorted(document.name for document in group if document.name in changed))
        found.update(dict.fromkeys(names, names))
    return found


def _texts(result: FileResult) -> tuple[str, str]:
    """The old and the new text of a file as it is on disk, without a byte order mark."""
    document = result.document
    assert result.text is not None
    old, new = (
        data.decode(document.encoding).removeprefix("\ufeff")
        for data in (document.data, document.encode(result.text))
    )
    return old, new


def _replacements(old: str, new: str) -> Iterator[dict[str, Any]]:
    import difflib

    before, after = lines_of(old), lines_of(new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            region = {"startLine": a + 1, "startColumn": 1, **_end(before, a, b)}
            yield {"deletedRegion": region, "insertedContent": {"text": "".join(after[c:d])}}


def _end(lines: Sequence[str], start: int, stop: int) -> dict[str, int]:
    """Where a region of whole lines ends: at the beginning of the next one, if there is one."""
    if stop < len(lines) or stop == start or lines[stop - 1].endswith(("\r", "\n")):
        return {"endLine": stop + 1, "endColumn": 1}
    return {"endLine": stop, "endColumn": len(lines[stop - 1]) + 1}
