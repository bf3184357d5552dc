"""What every report is made from: one model, many faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_milvus.model import (
    FOR_REST,
    FileResult,
    Finding,
    Place,
    Severity,
    SiteRecord,
    Status,
)
from migrate_milvus.pipeline import RunResult

if TYPE_CHECKING:
    from migrate_milvus.registry import RuleInfo


# The reason of a finding on a requirement that admits releases which are too old.
REQUIREMENT = "requirement-too-old"


@dataclass(frozen=True)
class Stayed:
    """ORM uses that stay together, and why: ``first`` is the first of ``count`` sites."""

    first: SiteRecord
    count: int
    reason: str


@dataclass(frozen=True)
class Report:
    """A run, and what its reports say besides: the project's ``root``, the oldest pymilvus that the
    new code runs on, and the command that takes back what was written (empty: nothing was, or there
    is none).
    """

    run: RunResult
    root: Path
    oldest: str = ""
    undo: str = ""

    @property
    def requirement(self) -> str:
        """A sentence on the pymilvus that the new code needs, and where it has to be said."""
        if not self.oldest or not self.run.counts.changed:
            return ""
        needs = f"The new code needs pymilvus {self.oldest} or newer"
        places = [
            (f"{finding.place.page}:{finding.place.line}", result.text is not None)
            for result in self.run.results
            for finding in result.findings
            if finding.reason == REQUIREMENT
        ]
        if not places:
            return f"{needs}."
        names = ", ".join(place for place, _ in places)
        if all(raised for _, raised in places):
            verb = "says" if len(places) == 1 else "say"
            return f"{needs}: {names} {verb} so {'now' if self.run.written else 'then'}."
        verb = "admits" if len(places) == 1 else "admit"
        return f"{needs}: {names} {verb} older ones (--bump-requirement raises it)."

    @cached_property
    def waiting(self) -> Counter[tuple[Place, ...]]:
        """How many findings are in the way of the same further uses, which follow all of them."""
        return Counter(f.follows for r in self.run.results for f in r.findings if f.follows)

    def solved(self, finding: Finding) -> str:
        """The condition under which what follows a finding does so."""
        others = self.waiting[finding.follows] - 1
        if others < 1:
            return "once this is solved"
        return f"once this and {others} other finding{'s' * (others > 1)} are solved"

    @property
    def changed(self) -> Iterator[FileResult]:
        """The files with a new text."""
        return (result for result in self.run.results if result.text is not None)

    @cached_property
    def stayed(self) -> tuple[Stayed, ...]:
        """The units that stay on the ORM; what is known from a baseline is left out."""
        reasons: dict[Place, Finding] = {}
        for finding in (finding for result in self.run.results for finding in result.findings):
            if finding.severity is Severity.BLOCKED:
                for place in (*finding.follows, finding.place):
                    reasons.setdefault(place, finding)
        found: dict[tuple[str, str], list[SiteRecord]] = {}
        for result in self.run.results:
            for site in sorted(result.sites, key=lambda site: site.place):
                if site.status is Status.REPORTED and not site.known and site.reason != FOR_REST:
                    alone = (site.place.path, f"{site.reason} {site.code}")
                    found.setdefault(("", site.unit) if site.unit else alone, []).append(site)
        return tuple(
            Stayed(sites[0], len(sites), _reason(sites, reasons)) for sites in found.values()
        )

    @cached_property
    def rules(self) -> dict[str, RuleInfo]:
        """All rules by their ids."""
        from migrate_milvus.registry import rules

        return {rule.id: rule for rule in rules()}

    def inside(self, result: FileResult) -> str | None:
        """The path of a file as seen from the project's root, None for one outside."""
        path = result.document.path
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else None


def _reason(sites: list[SiteRecord], findings: dict[Place, Finding]) -> str:
    """Why a unit stays: the finding that is in its way, and its line where that is another one."""
    for site in sites:
        finding = findings.get(site.place)
        if finding is not None:
            place, first = finding.place, sites[0].place
            if place.page != first.page:
                return f"{finding.reason} at {place.page}:{place.line}"
            same = place.line == first.line
            return finding.reason if same else f"{finding.reason} at line {place.line}"
    return next((site.reason for site in sites if site.reason), "")
