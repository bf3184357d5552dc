"""The table, the reasons for refusal and the lists behind numbers that should be 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from .measure import Measured

Cell = Callable[[Measured], int]

COLUMNS: tuple[tuple[str, Cell], ...] = (
    ("sites", lambda m: m.sites),
    ("migrated", lambda m: m.migrated),
    ("reported", lambda m: m.reported),
    ("missed", lambda m: len(m.missed)),
    ("dangling", lambda m: len(m.dangling)),
    ("fully", lambda m: m.fully),
    ("partly", lambda m: m.partly),
    ("untouched", lambda m: m.untouched),
    ("static", lambda m: len(m.static)),
    ("types", lambda m: len(m.types)),
    ("syntax", lambda m: len(m.syntax)),
    ("again", lambda m: len(m.again)),
    ("outside", lambda m: len(m.outside)),
    ("errors", lambda m: len(m.errors)),
    ("core", lambda m: m.core),
    ("core done", lambda m: m.core_migrated),
)

LEGEND = """\
found/expected: calls and members found, and the count of the independent scan (at least 95 %).
sites: every ORM use before the run, references (isinstance(x, Collection)) included.
migrated: gone from the new code. reported: still there, and in the report at that place.
missed: still there, not in the report. dangling: report entries where nothing of the ORM stands.
fully, partly, untouched: files with sites. static: new F401, F811, F821, F841 of ruff.
types: new mypy errors about MilvusClient. syntax: outputs that do not compile.
again: files that a second run would change. outside: changed lines that no statement which had to
be edited explains. errors: files that the tool could not handle.
core: uses of this release's symbols in files that connect themselves, share their connection with
no other file, and whose ORM object is seen in this file only (pymilvus' own tests not counted).
unlisted (below the table): before-run uses that the report of the writing run names nowhere.
Not measured here: whether programs run the same; the execution tests do that."""

#: Attributes of Measured whose entries are printed, with what they mean.
LISTS = (
    ("missed", "missed: still there, not in the report"),
    ("dangling", "dangling report entries"),
    ("static", "new static errors"),
    ("types", "new type errors"),
    ("syntax", "outputs that do not compile"),
    ("again", "files that a second run would change"),
    ("errors", "files that the tool could not handle"),
    ("unlisted", "not mentioned in the report of the writing run"),
    ("hidden", "lines with more uses than entries"),
    ("outside", "changed lines outside edited statements"),
    ("core_left", "core uses that stay, and why"),
)


def render(projects: Sequence[Measured], shown: int = 10) -> str:
    """Everything, as plain text."""
    lines = [*_table(projects), "", LEGEND, ""]
    lines += _reasons(projects)
    for name, title in LISTS:
        places = [f"  {m.label}: {place}" for m in projects for place in getattr(m, name)]
        if places:
            lines += ["", f"{title} ({len(places)}):", *places[:shown]]
            if len(places) > shown:
                lines.append(f"  ... {len(places) - shown} more (--json has all)")
    return "\n".join(lines) + "\n"


def _table(projects: Sequence[Measured]) -> Iterator[str]:
    width = max([len(m.label) for m in projects] + [len("total")])
    heads = [name for name, _ in COLUMNS]
    yield f"{'':{width}}  found/expected  " + "  ".join(heads)
    totals = [0] * len(COLUMNS)
    for measured in projects:
        cells = [cell(measured) for _, cell in COLUMNS]
        totals = [total + cell for total, cell in zip(totals, cells, strict=True)]
        yield _row(measured.label, width, coverage(measured), cells)
    found = sum(m.counted for m in projects)
    expected = sum(m.expected for m in projects)
    yield _row("total", width, f"{found}/{expected or '-'}", totals)
    sites, migrated = totals[0], totals[1]
    core, done = totals[-2], totals[-1]
    yield ""
    yield f"migrated {share(migrated, sites)} of all sites; {share(done, core)} of the core"


def _row(label: str, width: int, found: str, cells: Sequence[int]) -> str:
    numbers = (f"{cell:>{len(name)}}" for cell, (name, _) in zip(cells, COLUMNS, strict=True))
    return f"{label:{width}}  {found:>14}  " + "  ".join(numbers)


def coverage(measured: Measured) -> str:
    """``found/expected``, with a ``!`` where the detector finds too little to be trusted."""
    if not measured.expected:
        return f"{measured.counted}/-"
    return f"{measured.counted}/{measured.expected}{'' if trusted(measured) else '!'}"


def trusted(measured: Measured) -> bool:
    return measured.counted >= 0.95 * measured.expected


def share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({100 * part / whole:.1f} %)" if whole else "0/0"


def _reasons(projects: Sequence[Measured], most: int = 10) -> Iterator[str]:
    reasons: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for measured in projects:
        reasons.update(measured.reasons)
        held.update(measured.held)
    yield "most frequent reasons for refusal (findings, further sites that each holds up):"
    for (rule, reason), count in reasons.most_common(most):
        yield f"  {count:>5} {held[rule, reason]:>6}  {rule} {reason}"
    why: Counter[str] = Counter()
    for measured in projects:
        why.update(measured.core_reasons)
    if why:
        yield ""
        yield "most frequent reasons at core uses that stay (uses):"
        for text, count in why.most_common(most):
            yield f"  {count:>5}  {text}"


def as_data(projects: Sequence[Measured]) -> list[dict[str, Any]]:
    """The measurements as plain data for ``--json``."""
    data = []
    for measured in projects:
        item = asdict(measured)
        item["core_reasons"] = dict(measured.core_reasons.most_common())
        for name in ("reasons", "held"):
            counts = getattr(measured, name)
            item[name] = {f"{rule} {reason}": n for (rule, reason), n in counts.most_common()}
        data.append(item)
    return data
