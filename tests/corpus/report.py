"""The tool's JSON report, read back without the tool's code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .notebooks import View

#: Rules about a file or about the tool itself: their place is no ORM use.
FILE_RULES = frozenset({"MLV001", "MLV002", "MLV003"})


class Entry(NamedTuple):
    """One line of the report about code that stays."""

    path: str
    line: int
    column: int
    rule: str
    reason: str
    symbol: str


@dataclass
class Report:
    """What one run said. ``entries`` are what stays, ``listed`` all places that are mentioned."""

    entries: list[Entry] = field(default_factory=list)
    listed: dict[str, set[int]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    findings: list[tuple[str, tuple[str, str], int]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[tuple[str, str]]:
        """How often a rule refused for a reason."""
        return Counter(why for _, why, _ in self.findings)

    @property
    def held(self) -> Counter[tuple[str, str]]:
        """How many further uses these refusals held back."""
        held: Counter[tuple[str, str]] = Counter()
        for _, why, number in self.findings:
            held[why] += number
        return held

    def of(self, paths: Container[str]) -> Report:
        """What was said about these files."""
        return Report(
            [entry for entry in self.entries if entry.path in paths],
            {path: lines for path, lines in self.listed.items() if path in paths},
            {path for path in self.changed if path in paths},
            [error for error in self.errors if error.partition(": ")[0] in paths],
            [finding for finding in self.findings if finding[0] in paths],
        )

    def lines(self, path: str) -> dict[int, list[Entry]]:
        by_line: dict[int, list[Entry]] = {}
        for entry in self.entries:
            if entry.path == path:
                by_line.setdefault(entry.line, []).append(entry)
        return by_line


def read(path: Path, root: Path) -> Report:
    """Read a report file; paths in it may be absolute or relative to ``root``."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return from_data(data, root)


def from_data(data: dict[str, Any], root: Path) -> Report:
    report = Report()
    for file in data["files"]:
        name = relative(file["path"], root)
        view = View((root / name).read_bytes()) if _has_cells(file) else None
        if file["changed"]:
            report.changed.add(name)
        listed = report.listed.setdefault(name, set())
        for finding in file["findings"]:
            entry = _entry(finding, name, view)
            listed.add(entry.line)
            if finding["severity"] == "error":
                message = " ".join(finding.get("message", "").split())
                report.errors.append(f"{name}: {entry.rule} {entry.reason} {message}".strip())
            elif finding["severity"] == "blocked":
                held = len(finding.get("follows", ()))
                report.findings.append((name, (entry.rule, entry.reason), held))
                if entry.rule not in FILE_RULES:
                    report.entries.append(entry)
        for site in file["sites"]:
            entry = _entry(site, name, view)
            listed.add(entry.line)
            if site["status"] != "rewritten":
                report.entries.append(entry)
    return report


def _has_cells(file: dict[str, Any]) -> bool:
    return any("cell" in item for item in (*file["findings"], *file["sites"]))


def _entry(item: dict[str, Any], path: str, view: View | None = None) -> Entry:
    line: int = item["line"]
    return Entry(
        path,
        view.line(item["cell"], line) if view is not None and "cell" in item else line,
        item["column"],
        item["rule"],
        item.get("reason", ""),
        item.get("symbol", ""),
    )


def relative(name: str, root: Path) -> str:
    path = Path(name)
    if path.is_absolute():
        return path.resolve().relative_to(root.resolve()).as_posix()
    return path.as_posix()
