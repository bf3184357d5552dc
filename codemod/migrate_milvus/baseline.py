"""The baseline: ORM uses that are known, so that a check fails only for new ones.

A use is known by its file, its rule and its line of code, as often as the baseline has it there;
the number of the line does not count, so code may move.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migrate_milvus.configuration import ConfigurationError, display
from migrate_milvus.model import FileResult, Finding, Place, Severity, SiteRecord, Status

VERSION = 1

Key = tuple[str, str, str]  # file, rule, code


@dataclass(frozen=True)
class Baseline:
    """How often each use is known; ``root`` is what the names of files are relative to."""

    root: Path
    known: Counter[Key]


def read(file: Path, root: Path) -> Baseline:
    """Read a baseline; raises ConfigurationError when that is impossible."""
    name = display(file)
    try:
        data = json.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{name}: there is no such baseline; --write-baseline makes it"
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{name}: cannot be read: {why}") from error
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise ConfigurationError(f"{name}:{line}: not a baseline: not valid JSON") from error
    try:
        if data["version"] != VERSION:
            raise ConfigurationError(
                f"{name}: a baseline of version {data['version']}, this is for {VERSION}; "
                "--write-baseline makes a new one"
            )
        known = Counter(
            {
                (path, rule, code): _number(count)
                for path, rules in data["files"].items()
                for rule, codes in rules.items()
                for code, count in codes.items()
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{name}: not a baseline of migrate-milvus") from error
    return Baseline(root, known)


def mark(results: Sequence[FileResult], baseline: Baseline) -> int:
    """Mark what is known in ``results``; returns how many known uses were not found any more.

    Only files that are in ``results`` count as searched.
    """
    left = Counter(baseline.known)
    seen: set[str] = set()
    for result in results:
        name = _name(result, baseline.root)
        seen.add(name)
        known: dict[Place, bool] = {}
        for use in _uses(result):
            key = (name, use.rule, use.code)
            is_known = left[key] > 0
            left[key] -= is_known
            known[use.place] = known.get(use.place, True) and is_known
        result.sites = [replace(s, known=known.get(s.place, False)) for s in result.sites]
        result.findings = [
            replace(f, known=f.severity is not Severity.ERROR and known.get(f.place, False))
            for f in result.findings
        ]
    gone = {key: count for key, count in left.items() if count > 0}
    return sum(count for (name, _, _), count in gone.items() if _is_gone(name, seen, baseline.root))


def write(
    file: Path,
    results: Sequence[FileResult],
    root: Path,
    *,
    written: bool = False,
    kept: Callable[[str], bool] = lambda name: False,
) -> int:
    """Write the uses that ``results`` leave as the baseline; returns the number of entries.

    ``written`` tells that the new texts are on disk. What the old baseline says of the files that
    are ``kept`` stays. Raises OSError when the file cannot be written.
    """
    counts: Counter[Key] = Counter()
    try:
        old = read(file, root).known
    except ConfigurationError:
        old = Counter()
    counts.update({key: count for key, count in old.items() if kept(key[0])})
    for result in results:
        name = _name(result, root)
        gone = {s.place for s in result.sites if written and s.status is Status.REWRITTEN}
        counts.update((name, use.rule, use.code) for use in _uses(result) if use.place not in gone)
    files: dict[str, dict[str, dict[str, int]]] = {}
    for (name, rule, code), count in counts.items():
        files.setdefault(name, {}).setdefault(rule, {})[code] = count
    data: dict[str, Any] = {"version": VERSION, "files": files}
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    temporary = file.with_name(f".{file.name}-{os.getpid()}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return counts.total()


def _uses(result: FileResult) -> Iterator[SiteRecord | Finding]:
    """What makes a check fail: the uses of a file, and what else is in the way."""
    sites = [site for site in result.sites if site.status is not Status.IGNORED]
    places = {site.place for site in sites}
    yield from sites
    for finding in result.findings:
        if finding.severity is Severity.BLOCKED and finding.place not in places:
            yield finding


def _name(result: FileResult, root: Path) -> str:
    path = result.document.path
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else result.document.name


def _is_gone(name: str, seen: Iterable[str], root: Path) -> bool:
    """Whether a file was searched, or is not there at all; what was left out may be unchanged."""
    return name in seen or not (root / name).exists()


def _number(count: object) -> int:
    if not isinstance(count, int) or count < 1:
        raise ValueError(count)
    return count
