"""The HTML report: one file that needs no network, and says everything without its script.

The script only filters and folds. ``page.html`` has the frame, its styles and the script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path, PurePosixPath
from string import Template

from migrate_milvus import __version__
from migrate_milvus.document import Part
from migrate_milvus.model import FileResult, Finding, Severity, SiteRecord, Status
from migrate_milvus.report.model import Report
from migrate_milvus.report.text import summary
from migrate_milvus.syntax import lines_of

_CONTEXT = 3
_COLUMNS = '<colgroup><col class="at"><col><col class="at"><col></colgroup>'
_STATUSES = (Status.REWRITTEN, Status.REPORTED, Status.IGNORED)


def render(report: Report) -> str:
    """The report as one HTML page."""
    page = Path(__file__).with_name("page.html").read_text("utf-8")
    names = sorted(_rules_of(report.run.results))
    folders = sorted({folder for result in report.run.results for folder in _folders(result)})
    return Template(page).substitute(
        title="pymilvus ORM to MilvusClient",
        subtitle=escape(summary(report.run)),
        numbers="\n".join(_numbers(report)),
        upgrade="\n".join(_upgrade(report)),
        rules="\n".join(_option(rule, _titled(report, rule)) for rule in names),
        folders="\n".join(_option(folder, folder) for folder in folders),
        plot=_plot(report.run.results),
        findings="\n".join(_findings(report)) or "<p>There are none.</p>",
        changes="\n".join(_changes(report)) or "<p>No file changes.</p>",
        footer=f"migrate-milvus {__version__}",
    )


def _numbers(report: Report) -> Iterator[str]:
    counts = report.run.counts
    values = {
        "files": counts.files,
        "ORM uses": counts.found,
        "rewritten": counts.rewritten,
        "reported": counts.reported,
        "ignored": counts.ignored,
    }
    if counts.known:
        values["known before"] = counts.known
    if counts.failed:
        values["files that failed"] = counts.failed
    for name, value in values.items():
        yield f"<div><dt>{name}</dt><dd>{value}</dd></div>"


def _upgrade(report: Report) -> Iterator[str]:
    if report.requirement:
        yield f"<p>{escape(report.requirement)}</p>"
    if report.undo:
        yield f"<p>To undo: <code>{escape(report.undo)}</code></p>"
    signatures = [
        f"<li><code>{escape(result.document.name)}</code>: {escape(text)}</li>"
        for result in report.run.results
        for text in result.signatures
    ]
    if signatures:
        yield f"<h3>Signatures that change</h3><ul>{''.join(signatures)}</ul>"


def _rules_of(results: Iterable[FileResult]) -> set[str]:
    found: set[str] = set()
    for result in results:
        found |= {finding.rule for finding in result.findings}
        found |= {site.rule for site in result.sites}
    return found


def _folders(result: FileResult) -> Iterator[str]:
    for folder in PurePosixPath(result.document.name).parents:
        if folder.name and folder.name != "..":
            yield f"{folder}/"


def _titled(report: Report, rule: str) -> str:
    return f"{rule} {report.rules[rule].title}" if rule in report.rules else rule


def _option(value: str, text: str) -> str:
    return f'<option value="{escape(value)}">{escape(text)}</option>'


def _filtered(result: FileResult, rules: Iterable[str]) -> str:
    """The attributes by which the script filters."""
    name = escape(result.document.name)
    return f'data-rules="{escape(" ".join(sorted(set(rules))))}" data-path="{name}"'


# ---- the plot ------------------------------------------------------------------------------------


def _plot(results: Sequence[FileResult]) -> str:
    """Bars for each file; the numbers beside them say the same."""
    rows = [
        (result, [sum(site.status is status for site in result.sites) for status in _STATUSES])
        for result in results
        if result.sites
    ]
    if not rows:
        return "<p>No ORM use was found.</p>"
    longest = max(sum(numbers) for _, numbers in rows)
    rows.sort(key=lambda row: (-sum(row[1]), row[0].document.name))
    head = "".join(
        f'<th scope="col" class="number"><span class="key" style="--c: var(--{status.value})">'
        f"{status.value}</span></th>"
        for status in _STATUSES
    )
    body = "".join(_row(result, numbers, longest) for result, numbers in rows)
    return (
        f'<table class="plot"><thead><tr><th scope="col">File</th><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _row(result: FileResult, numbers: Sequence[int], longest: int) -> str:
    start, bars = 0, []
    for status, number in zip(_STATUSES, numbers, strict=True):
        if number:
            bars.append(
                f'<rect class="{status.value}" x="{start}" width="{number}" height="1"></rect>'
            )
        start += number
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return (
        f"<tr {_filtered(result, (site.rule for site in result.sites))}>"
        f'<th scope="row"><code>{escape(result.document.name)}</code></th>'
        f'<td class="bars" aria-hidden="true"><svg viewBox="0 0 {longest} 1" '
        f'preserveAspectRatio="none">{"".join(bars)}</svg></td>{cells}</tr>'
    )


# ---- findings ------------------------------------------------------------------------------------


def _findings(report: Report) -> Iterator[str]:
    for result in report.run.results:
        chains = {site.place: site for site in result.sites if site.why}
        for finding in sorted(result.findings, key=lambda found: (found.place, found.rule)):
            places = (finding.place, *sorted(finding.follows))
            sites = [chains[place] for place in places if place in chains]
            longest = max(sites, key=lambda site: len(site.why), default=None)
            yield _finding(report, result, finding, longest)


_WORDS = {Severity.BLOCKED: "stays", Severity.NOTE: "note", Severity.ERROR: "error"}


def _finding(report: Report, result: FileResult, finding: Finding, site: SiteRecord | None) -> str:
    known = " known" if finding.known else ""
    parts = [
        f'<article class="{finding.severity.value}{known}" {_filtered(result, [finding.rule])}>',
        f"<h3><code>{escape(str(finding.place))}</code></h3>",
        f'<p><span class="tag">{_WORDS[finding.severity]}</span> '
        f'<span class="tag">{escape(_titled(report, finding.rule))}</span> '
        f'<span class="tag">{escape(finding.reason)}</span>'
        f"{' <span class=tag>known before</span>' if finding.known else ''}</p>",
        f"<pre>{escape(finding.code)}</pre>" if finding.code else "",
        f"<p>{escape(finding.message)}</p>",
        f"<p>By hand:</p><pre>{escape(finding.recipe)}</pre>" if finding.recipe else "",
    ]
    if finding.follows:
        places = "".join(f"<li><code>{escape(str(p))}</code></li>" for p in sorted(finding.follows))
        count = len(finding.follows)
        uses = "1 more use follows" if count == 1 else f"{count} more uses follow"
        what = f"<summary>{uses} {report.solved(finding)}</summary>"
        parts.append(f"<details>{what}<ul>{places}</ul></details>")
    if site is not None:
        steps = "".join(f"<li><code>{escape(step)}</code></li>" for step in site.why)
        parts.append(f"<details><summary>How this is known</summary><ol>{steps}</ol></details>")
    return "\n".join(part for part in (*parts, "</article>") if part)


# ---- changes -------------------------------------------------------------------------------------


def _changes(report: Report) -> Iterator[str]:
    for result in report.changed:
        assert result.text is not None
        rules = [site.rule for site in result.sites if site.status is Status.REWRITTEN]
        count = "1 use" if len(rules) == 1 else f"{len(rules)} uses"
        tables = "".join(_diff(part) for part in result.document.parts(result.text))
        yield (
            f'<details class="file" {_filtered(result, rules)}><summary>'
            f"<code>{escape(result.document.name)}</code> "
            f'<span class="soft">{count} rewritten</span></summary>{tables}</details>'
        )


def _diff(part: Part) -> str:
    """One text beside the other, with some lines around what changes."""
    import difflib

    old = [line.rstrip("\r\n") for line in lines_of(part.old)]
    new = [line.rstrip("\r\n") for line in lines_of(part.new)]
    rows: list[str] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            rows.append('<tr class="gap"><td colspan="4">⋯</td></tr>')
        for tag, a, b, c, d in group:
            for step in range(max(b - a, d - c)):
                left, right = a + step, c + step
                rows.append(
                    f"<tr>{_side(old, left, left < b, '' if tag == 'equal' else 'old')}"
                    f"{_side(new, right, right < d, '' if tag == 'equal' else 'new')}</tr>"
                )
    name = escape(part.name)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Changes of {name}">'
        f'<table class="diff"><caption>{name}</caption>{_COLUMNS}<thead><tr>'
        '<th scope="col" colspan="2">before</th><th scope="col" colspan="2">after</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _side(lines: Sequence[str], index: int, there: bool, kind: str) -> str:
    if not there:
        return '<td class="at"></td><td></td>'
    text = escape(lines[index])
    if kind:
        sign, tag = ("-", "del") if kind == "old" else ("+", "ins")
        text = f"<{tag}>{text}</{tag}>"
        return f'<td class="at">{index + 1} {sign}</td><td class="{kind}">{text}</td>'
    return f'<td class="at">{index + 1}</td><td>{text}</td>'
