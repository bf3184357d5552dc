"""The Markdown report, for the description of a pull request: what changed, what remains, recipes.

GitHub takes 65,536 characters there; what does not fit is counted instead of named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migrate_milvus.model import FileResult, Finding, Severity, Status
from migrate_milvus.report.model import Report

LIMIT = 60_000


def render(report: Report) -> str:
    """The report as GitHub's Markdown."""
    parts: list[str] = []
    room = LIMIT
    for block in _blocks(report):
        if len(block) > room:
            parts.append("\nThe rest is left out here: `--report html=FILE` has all of it.\n")
            break
        room -= len(block)
        parts.append(block)
    return "".join(parts)


def _blocks(report: Report) -> Iterator[str]:
    run, counts = report.run, report.run.counts
    yield "## pymilvus ORM to MilvusClient\n\n"
    if not counts.found and not counts.failed:
        yield f"No ORM use was found in {_files(counts.files)}.\n"
        return
    yield "| ORM uses | rewritten | reported | ignored |\n|---:|---:|---:|---:|\n"
    yield f"| {counts.found} | {counts.rewritten} | {counts.reported} | {counts.ignored} |\n"
    if counts.known:
        yield f"\n{counts.known} of them are known from the baseline.\n"
    changed = list(report.changed)
    if changed:
        yield f"\n### {'Changed' if run.written else 'Would change'}\n\n"
        for result in changed:
            count = _rewritten(result)
            yield f"- {_code(result.document.name)}{f': {_uses(count)}' if count else ''}\n"
        if report.requirement:
            yield f"\n{_text(report.requirement)}\n"
    signatures = [(result, text) for result in run.results for text in result.signatures]
    if signatures:
        yield "\n### Signatures that change\n\n"
        yield from (
            f"- {_code(result.document.name)}: {_code(text)}\n" for result, text in signatures
        )
    for severity, title in _SECTIONS.items():
        findings = [
            finding
            for result in run.results
            for finding in result.findings
            if finding.severity is severity and not finding.known
        ]
        if findings:
            yield f"\n### {title}\n"
            yield from _findings(report, findings)


_SECTIONS = {
    Severity.ERROR: "Could not be handled",
    Severity.BLOCKED: "Remains, to be done by hand",
    Severity.NOTE: "Good to know",
}


def _findings(report: Report, findings: Iterable[Finding]) -> Iterator[str]:
    """Findings by what is to be done: a recipe is written once for all places it is for."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.reason, finding.recipe), []).append(finding)
    for (rule, reason, recipe), members in sorted(groups.items(), key=lambda item: item[0]):
        title = report.rules[rule].title if rule in report.rules else ""
        yield f"\n**{rule}** {_text(title)} ({_text(reason)})\n\n"
        for finding in sorted(members, key=lambda finding: finding.place):
            place = _code(f"{finding.place.page}:{finding.place.line}")
            yield f"- {place}: {_text(finding.message)}{_follows(report, finding)}\n"
        if recipe:
            yield f"\n{_recipe(recipe)}"


def _follows(report: Report, finding: Finding) -> str:
    count = len(finding.follows)
    if not count:
        return ""
    uses = "use follows" if count == 1 else "uses follow"
    return f" ({count} more {uses} {report.solved(finding)})"


def _recipe(recipe: str) -> str:
    """A sentence as a quotation; what has several lines stands as it is, as code if it is some."""
    if "\n" not in recipe:
        return f"> {_text(recipe)}\n"
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", recipe)), 3)
    return f"{fence}{'python' if _is_code(recipe) else ''}\n{recipe}\n{fence}\n"


def _is_code(recipe: str) -> bool:
    import ast

    try:
        ast.parse(recipe)
    except (SyntaxError, ValueError):
        return False
    return True


def _text(text: str) -> str:
    """Plain text: nothing in it is taken as Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|~#&])", r"\\\1", text)


def _code(text: str) -> str:
    """Text as code, whatever is in it."""
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _rewritten(result: FileResult) -> int:
    return sum(site.status is Status.REWRITTEN for site in result.sites)


def _uses(count: int) -> str:
    return "1 use" if count == 1 else f"{count} uses"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
