"""Compare a tree before and after a run with what the tool said about it.

The functions here are pure: two trees' detections, their texts and two reports go in, numbers and
places come out. Two reports, because places in the report of a writing run are those of the old
text: what *stays* is compared with the report of a second, read-only run on the written tree.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .detector import Detected, Site
from .report import Entry, Report
from .symbols import CLASSES, SCHEMA_NAMES, words

#: The symbols whose uses have to be migrated where their objects stay in one file.
COLLECTION_MEMBERS = words(
    """
    create_index load insert upsert delete search hybrid_search query search_iterator
    query_iterator flush release drop num_entities is_empty name schema description indexes
    has_index drop_index set_properties
    """
)
UTILITY_FUNCTIONS = words(
    """
    has_collection drop_collection list_collections rename_collection load_state loading_progress
    index_building_progress wait_for_loading_complete wait_for_index_building_complete
    """
)
CORE_SYMBOLS = frozenset(
    [
        "connections.connect",
        "connections.disconnect",
        "Collection",
        *(f"Collection.{name}" for name in COLLECTION_MEMBERS),
        *(f"utility.{name}" for name in UTILITY_FUNCTIONS),
    ]
)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Measured:
    """The numbers of one project. Lists hold the places behind a number that should be 0."""

    label: str
    expected: int = 0
    counted: int = 0
    sites: int = 0
    references: int = 0
    migrated: int = 0
    reported: int = 0
    missed: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)
    fully: int = 0
    partly: int = 0
    untouched: int = 0
    static: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    syntax: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    core: int = 0
    core_migrated: int = 0
    core_left: list[str] = field(default_factory=list)
    core_reasons: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every number that has to be 0 is 0."""
        wrong = (
            self.missed, self.dangling, self.static, self.types, self.syntax, self.again,
            self.errors,
        )  # fmt: skip
        return not any(wrong)


@dataclass
class Tree:
    """One side: the texts of the Python files and what the detector found in them."""

    texts: dict[str, str]
    detected: Detected


def measure(
    label: str,
    before: Tree,
    after: Tree,
    first: Report,
    second: Report,
    *,
    library_tests: bool = False,
) -> Measured:
    """Everything that can be said without running another program.

    ``library_tests`` tells that the ``tests`` folder is that of pymilvus itself, which is not
    counted among the code of users.
    """
    result = Measured(label)
    result.counted = sum(site.path in before.texts for site in before.detected.counted)
    result.sites = sum(site.path in before.texts for site in before.detected.sites)
    result.references = result.sites - result.counted
    result.unreadable = {
        path: why for path, why in before.detected.unreadable.items() if path in before.texts
    }
    result.errors = [*first.errors, *(e for e in second.errors if e not in first.errors)]
    result.reasons, result.held = first.reasons, first.held
    result.again = sorted(second.changed)
    one_file = self_contained(before.detected)
    for path in sorted(before.texts):
        sites = before.detected.of(path)
        old, new = before.texts[path], after.texts.get(path, "")
        remaining, lost = carried_over(sites, after.detected.of(path), old, new)
        gone = [site for site in sites if site not in remaining.values()]
        gone = [site for site in gone if site not in lost]
        result.migrated += len(gone)
        why = _judge(result, path, remaining, lost, second.lines(path))
        listed = first.listed.get(path, set())
        result.unlisted += [show(s) for s in sites if not listed & set(s.lines)]
        if sites:
            _count_file(result, len(sites), len(gone), old == new)
        if old != new:
            result.outside += outside_lines(path, old, new, sites)
        if path in one_file and not (library_tests and path.startswith("tests/")):
            core = [
                site
                for site in sites
                if site.symbol in CORE_SYMBOLS and site.kind != "reference" and not site.crossing
            ]
            result.core += len(core)
            result.core_migrated += sum(site in gone for site in core)
            left = [site for site in core if site not in gone]
            result.core_left += [f"{show(site)} ({why.get(site, 'missed')})" for site in left]
            result.core_reasons.update(why.get(site, "missed") for site in left)
    result.dangling = dangling(after.detected, second)
    return result


def show(site: Site) -> str:
    return f"{site.path}:{site.line}:{site.column} {site.symbol}"


def _judge(
    result: Measured,
    path: str,
    remaining: dict[Site, Site],
    lost: dict[Site, int],
    entries: dict[int, list[Entry]],
) -> dict[Site, str]:
    """Sort what is still there into reported and missed; old site → rule and reason."""
    per_line: Counter[int] = Counter()
    why: dict[Site, str] = {}
    for site, origin in remaining.items():
        hit = next((line for line in site.lines if line in entries), None)
        if hit is None:
            result.missed.append(show(site))
        else:
            result.reported += 1
            per_line[hit] += 1
            why[origin] = reason_of(entries[hit], site)
    for site, line in lost.items():
        # Not seen any more although its line is as it was: out of sight is not migrated.
        if line in entries:
            result.reported += 1
            why[site] = reason_of(entries[line], site)
        else:
            result.missed.append(f"{show(site)} (out of sight)")
    for line, count in per_line.items():
        said = len({(entry.column, entry.symbol) for entry in entries[line]})
        if said < count:
            result.hidden.append(f"{path}:{line} {count} uses, {said} entries")
    return why


def reason_of(entries: Iterable[Entry], site: Site) -> str:
    """The rule and reason given for ``site``: at best by an entry on its symbol with a reason."""
    best = max(entries, key=lambda entry: (bool(entry.reason), entry.symbol == site.symbol))
    return f"{best.rule} {best.reason}".strip()


def _count_file(result: Measured, sites: int, gone: int, same: bool) -> None:
    if gone == sites:
        result.fully += 1
    elif same:
        result.untouched += 1
    else:
        result.partly += 1


def equal_lines(old: str, new: str) -> dict[int, int]:
    """Old line number → new one, for the lines that are the same."""
    matcher = difflib.SequenceMatcher(None, old.split("\n"), new.split("\n"), autojunk=False)
    return {
        block.a + offset + 1: block.b + offset + 1
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def carried_over(
    sites: list[Site], found: list[Site], old: str, new: str
) -> tuple[dict[Site, Site], dict[Site, int]]:
    """Which old sites are still there: new site → old site, and the lost ones → new line.

    A new site belongs to the old one at the same place of an unchanged line, else to the next old
    one with the same symbol. A lost site stands on unchanged lines, yet is not found any more.
    """
    same = equal_lines(old, new)
    places = {(same.get(site.line), site.column, site.symbol): site for site in sites}
    remaining: dict[Site, Site] = {}
    taken: set[Site] = set()
    later: list[Site] = []
    for site in found:
        match = places.get((site.line, site.column, site.symbol))
        if match is not None and match not in taken:
            remaining[site] = match
            taken.add(match)
        else:
            later.append(site)
    for site in later:
        match = next((old for old in sites if old.symbol == site.symbol and old not in taken), None)
        # A use that was not there before has no old site: it stands for itself.
        remaining[site] = match or site
        taken.add(match or site)
    lost = {
        site: same[site.line]
        for site in sites
        if site not in taken and all(line in same for line in site.lines)
    }
    return remaining, lost


def dangling(detected: Detected, report: Report) -> list[str]:
    """Entries on whose line nothing of the ORM stands: no site, import, annotation or object."""
    real: dict[str, set[int]] = {path: set(lines) for path, lines in detected.marks.items()}
    for site in detected.sites:
        real.setdefault(site.path, set()).update(site.lines)
    found = {
        f"{entry.path}:{entry.line}:{entry.column} {entry.rule} {entry.reason} {entry.symbol}"
        for entry in report.entries
        if entry.path not in detected.unreadable and entry.line not in real.get(entry.path, set())
    }
    return sorted(found)


def self_contained(detected: Detected) -> set[str]:
    """Files that connect themselves and whose connection no other file lives on.

    A file that uses the ORM without connecting, and imports or is imported by this one (directly
    or through others), shares this one's connection; then it is not self-contained.
    """
    users = {site.path for site in detected.sites}
    connecting = {site.path for site in detected.sites if site.symbol == "connections.connect"}
    dependants: dict[str, set[str]] = {}
    for path, targets in detected.imports.items():
        for target in targets:
            dependants.setdefault(target, set()).add(path)
    borrowers = users - connecting
    return {
        path
        for path in connecting
        if not borrowers & (_reach(path, detected.imports) | _reach(path, dependants))
    }


def _reach(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def outside_lines(path: str, old: str, new: str, sites: Iterable[Site]) -> list[str]:
    """Old lines that changed although no statement that had to be edited covers them.

    Had to be edited: statements with a site, with an import of the library, with a schema or
    field; statements that share a name with the arguments, targets or receiver of one with a site
    or a schema (data, index parameters, names); signatures of functions and calls of the file's own
    functions, which may hand the client on; lines of docstrings that name a parameter or a class of
    the ORM; an ``else`` that is left empty; tests of the pages of an iterator, which may end with
    None now. This is generous: a
    line that is listed is a real surprise, a line that is not listed may still be one.
    """
    try:
        tree = ast.parse(old)
    except (SyntaxError, ValueError, RecursionError):
        return []
    at = {line for site in sites for line in site.lines}
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    names: set[str] = set()
    allowed: set[int] = set()
    functions = {
        node.name
        for node in statements
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for node in statements:
        span = _header(node)
        words = _names(node, span)
        if at & set(span):
            allowed.update(span)
            names |= words
        elif words & SCHEMA_NAMES:
            names |= words
    pages = {
        target.id
        for node in statements
        if isinstance(node, ast.Assign) and _is_next(node.value, names)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in statements:
        span = _header(node)
        words = _names(node, span)
        if isinstance(node, (ast.If, ast.While)) and words & pages:
            allowed.update(span)
        is_signature = isinstance(node, (*FUNCTIONS, ast.Global))
        of_library = isinstance(node, (ast.Import, ast.ImportFrom))
        schema = bool(words & SCHEMA_NAMES)
        if is_signature or of_library or schema or words & names or words & functions:
            allowed.update(span)
    allowed |= _documented(tree)
    for node in statements:
        # An ``else`` goes with the last statement in it.
        inside, above = getattr(node, "orelse", None), getattr(node, "body", None)
        if inside and above and allowed.issuperset(_lines(inside)):
            allowed.update(range((above[-1].end_lineno or 0) + 1, inside[0].lineno))
    lines = old.split("\n")
    same = equal_lines(old, new)
    return [
        f"{path}:{number} {line.strip()}"
        for number, line in enumerate(lines, 1)
        if number not in same and number not in allowed and line.strip()
    ]


def _documented(tree: ast.Module) -> set[int]:
    """The lines of docstrings that name a parameter of the function, or a class of the ORM."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        named = set(CLASSES)
        for inner in ast.walk(node):
            if isinstance(inner, ast.arg):
                named.add(inner.arg)
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            for number, line in enumerate(str(first.value.value).split("\n"), first.lineno):
                if named & set(re.findall(r"\w+", line)):
                    found.add(number)
    return found


def _is_next(node: ast.expr, iterators: set[str]) -> bool:
    """``iterator.next()``"""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "next"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in iterators
    )


def _lines(body: list[ast.stmt]) -> Iterable[int]:
    return range(body[0].lineno, (body[-1].end_lineno or body[-1].lineno) + 1)


def _header(node: ast.stmt) -> range:
    """The lines of a statement without those of the statements inside it."""
    inner = [
        child.lineno
        for name in ("body", "orelse", "handlers", "finalbody", "cases")
        for child in getattr(node, name, ())
        if hasattr(child, "lineno")
    ]
    last = node.end_lineno or node.lineno
    first = min((item.lineno for item in getattr(node, "decorator_list", ())), default=node.lineno)
    return range(first, max(node.lineno, min(inner) - 1 if inner else last) + 1)


def _names(node: ast.stmt, span: range) -> set[str]:
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child.lineno in span:
            found.add(child.id)
        elif isinstance(child, ast.Attribute) and (child.end_lineno or 0) in span:
            found.add(child.attr)
    return found - {"self", "print", "len", "range", "str", "int", "os", "time", "np"}
