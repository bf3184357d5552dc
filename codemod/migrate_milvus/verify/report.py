"""The reports of ``verify``: text for people, JSON for programs (``schema.json`` beside this file).

``version`` changes when a program that reads the JSON would have to. New members may come without.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import zip_longest
from typing import Any

from migrate_milvus import __version__
from migrate_milvus.model import Severity
from migrate_milvus.verify.compare import (
    EXPECTED,
    FLAT_INDEX,
    Accepted,
    Difference,
    printed,
    short,
)
from migrate_milvus.verify.trace import Request, Run
from migrate_milvus.verify.verifying import (
    ECHO,
    CannotVerify,
    Status,
    Verdict,
    display_command,
)

VERSION = 1
WIDTH = 100
SHOWN = 5  # differences in the text report; the JSON has all
_DIFF_LINES = 24
_SOURCE_LINES = 8

_HEADLINES = {
    Status.NOTHING: "NOTHING TO VERIFY: no file would change, so the command was not run",
    Status.EQUAL: "EQUAL: the migrated code does the same",
    Status.UNSTABLE: "EQUAL, as far as the command does the same twice",
    Status.DIFFERENT: "DIFFERENT: do not merge before you know why",
}
# notes of the rules about what is printed
_SHOWN_OTHERWISE = frozenset(
    {"result-shown", "result-returned", "exception-shown", "parameters-in-order-given"}
)
_COLOURS = {Status.EQUAL: "green", Status.UNSTABLE: "green", Status.DIFFERENT: "red"}


# ---- text ----------------------------------------------------------------------------------------


def text(verdict: Verdict, *, width: int = WIDTH, colour: bool = False) -> str:
    """The report for people."""
    import click

    headline = _HEADLINES[verdict.status]
    if colour and verdict.status in _COLOURS:
        headline = click.style(headline, fg=_COLOURS[verdict.status], bold=True)
    lines = [headline]
    if verdict.comparison is not None:
        lines += (f"  {name:<9} {line}" for name, line in _facts(verdict))
        lines += _expected(verdict)
        lines += _notes(verdict, width)
        shown = verdict.differences[:SHOWN]
        for number, difference in enumerate(shown, 1):
            lines += ["", *_side_by_side(verdict, difference, number, width)]
        if len(verdict.differences) > SHOWN:
            lines += ["", f"... and {len(verdict.differences) - SHOWN} more (--report json)"]
        lines += _endings(verdict)
        if not verdict.job.ignore_output:
            lines += _outputs(verdict)
    else:
        lines += _notes(verdict, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def failure_text(error: CannotVerify) -> str:
    """What is printed when there is no verdict."""
    lines = [f"COULD NOT RUN: {error}", *textwrap.wrap(error.advice, WIDTH)]
    if error.output:
        lines += ["", *(f"  | {line}" for line in error.output.splitlines())]
    return "\n".join(lines) + "\n"


def _facts(verdict: Verdict) -> Iterator[tuple[str, str]]:
    comparison, before, after = verdict.comparison, verdict.before, verdict.after
    assert comparison is not None and before is not None and after is not None
    counts = verdict.migration.counts
    yield "command", display_command(verdict.job.command)
    yield "backend", f"{verdict.backend}: {_what_it_proves(verdict)}"
    yield (
        "migrated",
        f"{_number(counts.changed, 'file')}, {_number(counts.rewritten, 'ORM use')} rewritten, "
        f"{counts.reported + counts.ignored} left",
    )
    yield (
        "requests",
        f"{comparison.requests_before} before, {comparison.requests_after} after; "
        f"{_number(comparison.compared, 'pair')} compared, "
        f"{_number(len(verdict.differences), 'difference')}",
    )
    if verdict.job.ignore_output:
        output = "not compared (--ignore-output)"
    else:
        output = ", ".join(
            f"{name} {'equal' if same else 'different'}"
            for name, same in (
                ("stdout", comparison.same_stdout),
                ("stderr", comparison.same_stderr),
            )
        )
    yield "output", output
    yield "warnings", f"{comparison.warnings_before} before, {comparison.warnings_after} after"
    yield "seconds", f"{before.seconds:.1f} before, {after.seconds:.1f} after"


def _what_it_proves(verdict: Verdict) -> str:
    if verdict.job.server:
        return "requests and results are compared; the second run found what the first left"
    if verdict.job.backend == ECHO:
        return "requests are compared; results are made up, and prove nothing"
    return "requests and results are compared, an empty server for each run"


def _expected(verdict: Verdict) -> Iterator[str]:
    assert verdict.comparison is not None
    for name, count in verdict.comparison.expected.items():
        reason = EXPECTED[name]
        yield f"  expected  {count} x {name}, because {reason.rule}: {reason.text}"


def _notes(verdict: Verdict, width: int) -> Iterator[str]:
    for note in notes(verdict):
        first, *rest = textwrap.wrap(note, max(40, width - 12))
        yield f"  note      {first}"
        for line in rest:
            yield f"            {line}"


def notes(verdict: Verdict) -> list[str]:
    """What the reader has to know besides the numbers."""
    found = []
    failed = [
        finding.place.path
        for result in verdict.migration.results
        for finding in result.findings
        if finding.severity is Severity.ERROR
    ]
    if failed:
        found.append(f"could not be migrated, and runs as it is: {', '.join(failed)}")
    if verdict.unreached:
        found.append(
            "nothing came from these changed files, so nothing is proved about them: "
            + ", ".join(verdict.unreached)
        )
    if len(verdict.targets) > 1 and not verdict.job.server:
        found.append(
            "the command connects to "
            + ", ".join(verdict.targets)
            + "; one embedded server stood for all of them"
        )
    comparison = verdict.comparison
    if comparison is not None and comparison.warnings_after and not _left(verdict):
        found.append("the migrated code still warns")
    if verdict.before is not None and verdict.after is not None:
        if verdict.before.cut or verdict.after.cut:
            found.append("only the first 16 MB of the output were compared")
        if verdict.before.exit_status and verdict.comparison is not None:
            found.append(f"before, the command ends with exit status {verdict.before.exit_status}")
    announced = _announced(verdict)
    if announced:
        found.append(
            "the migration says of these lines that they print something else now: "
            + "; ".join(announced)
        )
    if _may_be_the_index(verdict):
        found.append(
            "Milvus Lite ignores build parameters that do not stand under params, so an "
            "approximate search may find other rows; a Milvus server does not. If that is all that "
            "differs in the output, --ignore-output compares the rest"
        )
    if verdict.unstable:
        fields = Counter(
            f"{d.method}: {', '.join(c.path for c in d.changes) or 'sent or not'}"
            for d in verdict.unstable
        )
        listed = "; ".join(name for name, _ in fields.most_common(6))
        found.append(
            f"the command itself differs from run to run, so nothing is proved about: {listed}"
        )
    if verdict.unstable_output:
        found.append("what the command prints differs from run to run, before the migration, too")
    if verdict.renamed:
        found.append(
            "names that are new in every run were matched: "
            + ", ".join(f"{old} = {new}" for new, old in list(verdict.renamed.items())[:4])
        )
    return found


def _announced(verdict: Verdict) -> list[str]:
    """The notes that say why the output may differ, where it does."""
    comparison = verdict.comparison
    if comparison is None or comparison.same_output or verdict.job.ignore_output:
        return []
    return [
        f"{finding.place.path}:{finding.place.line} {finding.rule} {finding.message}"
        for result in verdict.migration.results
        for finding in result.findings
        if finding.severity is Severity.NOTE and finding.reason in _SHOWN_OTHERWISE
    ]


def _may_be_the_index(verdict: Verdict) -> bool:
    """Whether other results may come from Milvus Lite's reading of index parameters."""
    comparison = verdict.comparison
    return (
        comparison is not None
        and verdict.status is Status.DIFFERENT
        and not verdict.differences
        and not comparison.same_stdout
        and FLAT_INDEX in comparison.expected
        and verdict.job.backend != ECHO
        and not verdict.job.server
    )


def _left(verdict: Verdict) -> int:
    return verdict.migration.counts.reported + verdict.migration.counts.ignored


def _side_by_side(
    verdict: Verdict, difference: Difference, number: int, width: int
) -> Iterator[str]:
    yield f"{number}. {_title(difference)}"
    column = max(30, (width - 7) // 2)
    heads = [_place(verdict, side) for side in (difference.before, difference.after)]
    sources = [
        _source(verdict, difference.before, after=False),
        _source(verdict, difference.after, after=True),
    ]
    cells: list[list[str]] = []
    for name, head, source in zip(("before", "after"), heads, sources, strict=True):
        cells.append([f"{name}  {head}", *_fitted(source, column)])
    for left, right in zip_longest(*cells, fillvalue=""):
        yield f"   {left:<{column}} | {right}"
    for change in difference.changes[:8]:
        yield f"   {change.path}:"
        yield f"      before  {short(change.before)}"
        yield f"      after   {short(change.after)}"
    if len(difference.changes) > 8:
        yield f"   ... and {len(difference.changes) - 8} more fields"


def _title(difference: Difference) -> str:
    request = difference.before or difference.after
    assert request is not None
    name = request.payload.get("collection_name")
    of = f' of "{name}"' if name else ""
    call = request.call.rpartition(":")[2]
    if difference.before is None or difference.after is None:
        side = "before" if difference.after is None else "after"
        return f"{request.method}{of} is sent only {side}, by {call}"
    fields = ", ".join(change.path for change in difference.changes[:4])
    more = len(difference.changes) - 4
    return f"{request.method}{of}: {fields}{f' and {more} more' if more > 0 else ''}"


def _place(verdict: Verdict, request: Request | None) -> str:
    if request is None:
        return "(not sent)"
    if not request.file:
        return "(no line of the program)"
    return f"{relative(verdict, request.file)}:{request.line}"


def relative(verdict: Verdict, path: str) -> str:
    """A path in the copy as one in the project."""
    inside = verdict.place + os.sep
    return path[len(inside) :] if path.startswith(inside) else path


def _source(verdict: Verdict, request: Request | None, *, after: bool) -> list[str]:
    """The statement that caused a request."""
    if request is None or not request.file:
        return []
    name = relative(verdict, request.file)
    found = verdict.texts.get(name) if after else None
    if found is None:
        try:
            path = os.path.join(verdict.job.settings.root, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                found = file.read()
        except OSError:
            return []
    lines = found.splitlines()
    first, last = _statement(found, request.line)
    shown = lines[first - 1 : last]
    if len(shown) > _SOURCE_LINES:
        shown = [*shown[: _SOURCE_LINES - 1], "..."]
    return textwrap.dedent("\n".join(shown)).splitlines()


@cache
def _statements(source: str) -> tuple[tuple[int, int], ...]:
    """The lines of all statements without a body of their own."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and not hasattr(node, "body")
    )


def _statement(source: str, line: int) -> tuple[int, int]:
    around = [span for span in _statements(source) if span[0] <= line <= span[1]]
    return min(around, key=lambda span: span[1] - span[0], default=(line, line))


def _fitted(lines: list[str], width: int) -> list[str]:
    fitted: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        fitted += textwrap.wrap(
            line, width, subsequent_indent=indent if len(indent) < width // 2 else "",
            drop_whitespace=True, break_on_hyphens=False,
        ) or [""]  # fmt: skip
    return fitted


def _endings(verdict: Verdict) -> Iterator[str]:
    comparison, before, after = verdict.comparison, verdict.before, verdict.after
    assert comparison is not None and before is not None and after is not None
    if after.timed_out:
        yield ""
        yield (
            f"After the migration the command did not end within {verdict.job.timeout:g} seconds; "
            f"before, it took {before.seconds:.1f}."
        )
    elif not comparison.same_exit_status:
        yield ""
        yield f"Exit status {before.exit_status} before, {after.exit_status} after. It ends with:"
        said = (after.stderr.strip() or after.stdout.strip()).splitlines()
        for line in said[-12:]:
            yield f"   | {_as_in_project(verdict, line)}"


def _as_in_project(verdict: Verdict, line: str) -> str:
    return line.replace(verdict.place + os.sep, "")


def _outputs(verdict: Verdict) -> Iterator[str]:
    comparison, before, after = verdict.comparison, verdict.before, verdict.after
    assert comparison is not None and before is not None and after is not None
    for stream, same in (("stdout", comparison.same_stdout), ("stderr", comparison.same_stderr)):
        if same or (verdict.unstable_output and verdict.status is Status.UNSTABLE):
            continue
        old = printed(before, stream).splitlines()
        new = printed(after, stream, verdict.renamed).splitlines()
        diff = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
        yield ""
        yield f"{stream} (- before, + after):"
        for line in diff[:_DIFF_LINES]:
            yield f"   {_as_in_project(verdict, line)}"
        if len(diff) > _DIFF_LINES:
            yield f"   ... and {len(diff) - _DIFF_LINES} more lines"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


# ---- JSON ----------------------------------------------------------------------------------------


def as_json(verdict: Verdict) -> str:
    """The report for programs."""
    return json.dumps(as_data(verdict), indent=2, default=str) + "\n"


def failure_json(command: tuple[str, ...], error: CannotVerify) -> str:
    """The report for programs when there is no verdict."""
    data = {
        **_head("could-not-run", 2, command),
        "error": {"message": str(error), "advice": error.advice, "output": error.output},
    }
    return json.dumps(data, indent=2) + "\n"


def as_data(verdict: Verdict) -> dict[str, Any]:
    """The report as plain data."""
    counts = verdict.migration.counts
    data: dict[str, Any] = {
        **_head(verdict.status.value, verdict.exit_code, verdict.job.command),
        "migration": {
            "files": counts.changed,
            "rewritten": counts.rewritten,
            "left": _left(verdict),
            "failed": counts.failed,
        },
        "notes": notes(verdict),
    }
    comparison = verdict.comparison
    if comparison is None or verdict.before is None or verdict.after is None:
        return data
    return data | {
        "backend": verdict.backend,
        "proves_results": verdict.job.backend != ECHO or bool(verdict.job.server),
        "before": _run(verdict.before, comparison.requests_before, comparison.warnings_before),
        "after": _run(verdict.after, comparison.requests_after, comparison.warnings_after),
        "compared": comparison.compared,
        "same_stdout": comparison.same_stdout,
        "same_stderr": comparison.same_stderr,
        "differences": [_difference(verdict, d) for d in verdict.differences],
        "unstable": [_difference(verdict, d) for d in verdict.unstable],
        "expected": [_accepted(verdict, a) for a in comparison.accepted],
        "unreached": list(verdict.unreached),
        "targets": list(verdict.targets),
    }


def _head(status: str, code: int, command: tuple[str, ...]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "tool": {"name": "migrate-milvus", "version": __version__},
        "verdict": status,
        "exit_code": code,
        "command": list(command),
    }


def _run(run: Run, requests: int, warnings: int) -> dict[str, Any]:
    return {
        "requests": requests,
        "warnings": warnings,
        "exit_status": run.exit_status,
        "timed_out": run.timed_out,
        "seconds": round(run.seconds, 3),
        "pymilvus": list(run.recording.libraries),
    }


def _difference(verdict: Verdict, difference: Difference) -> dict[str, Any]:
    return {
        "request": difference.method,
        "before": _request(verdict, difference.before),
        "after": _request(verdict, difference.after),
        "changes": [
            {"field": change.path, "before": change.before, "after": change.after}
            for change in difference.changes
        ],
    }


def _accepted(verdict: Verdict, accepted: Accepted) -> dict[str, Any]:
    reason = EXPECTED[accepted.name]
    return {
        "name": accepted.name,
        "rule": reason.rule,
        "reason": reason.text,
        "before": _request(verdict, accepted.before),
        "after": _request(verdict, accepted.after),
    }


def _request(verdict: Verdict, request: Request | None) -> Mapping[str, Any] | None:
    if request is None:
        return None
    return {
        "request": request.method,
        "collection": str(request.payload.get("collection_name", "")),
        "call": request.call,
        "path": relative(verdict, request.file),
        "line": request.line,
    }
