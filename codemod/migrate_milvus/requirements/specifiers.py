"""Which releases a version specifier admits, and the specifier that admits no too old ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_milvus.requirements.declarations import Declaration

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([^\s,]+)")


@dataclass(frozen=True)
class Need:
    """What the code needs: ``first`` or newer, but for ``lacking``, of all ``releases``."""

    first: tuple[int, ...]
    lacking: frozenset[str]
    releases: tuple[str, ...]

    @property
    def oldest(self) -> str:
        """The oldest release that will do, as text."""
        return ".".join(map(str, self.first))

    @property
    def text(self) -> str:
        """The need in words."""
        holes = [release for release in self.releases if release in self.lacking]
        return f"{self.oldest} or newer" + (f", but not {', '.join(holes)}" if holes else "")

    def is_met(self, release: str) -> bool:
        """Whether the code runs on a release."""
        from packaging.version import Version

        return Version(release) >= Version(self.oldest) and release not in self.lacking


def admits(declaration: Declaration, need: Need) -> bool:
    """Whether a release may be installed on which the code does not run."""
    alternatives = _alternatives(declaration)
    return any(
        not need.is_met(release) and any(release in one for one in alternatives)
        for release in need.releases
    )


def raised(declaration: Declaration, need: Need) -> str:
    """The specifier to write: what the code needs, with the upper bounds that can stay."""
    clauses = [f">={need.oldest}"]
    alternatives = _alternatives(declaration)
    upper = [
        str(clause)
        for clause in (alternatives[0] if len(alternatives) == 1 else ())
        if clause.operator in ("<", "<=", "!=")
    ]
    kept = [
        clause
        for clause in sorted(upper)
        if any(need.is_met(release) and release in _set(clause) for release in need.releases)
    ]
    clauses += kept
    admitted = _set(",".join(clauses))
    clauses += [f"!={hole}" for hole in need.releases if hole in need.lacking and hole in admitted]
    text = ",".join(clauses)
    spaced = declaration.style == "conda" and not declaration.specifier
    return f" {text}" if spaced else text


def _set(text: str) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)


def _alternatives(declaration: Declaration) -> list[SpecifierSet]:
    """The sets of which one has to hold; what cannot be read admits nothing that is known."""
    from packaging.specifiers import InvalidSpecifier

    try:
        if declaration.style == "pep440":
            text = declaration.specifier.strip()
            return [_set("" if text == "*" else text)]
        parts = re.split(r"\|\|?", declaration.specifier)
        translate = _poetry if declaration.style == "poetry" else _conda
        return [_set(",".join(translate(clause) for clause in part.split(","))) for part in parts]
    except (InvalidSpecifier, ValueError):
        return []


def _poetry(clause: str) -> str:
    """``^2.4``, ``~2.4``, ``2.4.*`` and ``2.4.9`` in the notation of PEP 440."""
    clause = clause.strip()
    if clause in ("", "*"):
        return ""
    if clause[0] == "^":
        return _between(clause[1:], _caret)
    if clause[0] == "~" and not clause.startswith("~="):
        return _between(clause[1:], lambda parts: 1 if len(parts) > 1 else 0)
    return clause if _CLAUSE.match(clause) else f"=={clause}"


def _conda(clause: str) -> str:
    """``2.4``, ``=2.4`` and ``=2.4.1=py39_0`` in the notation of PEP 440."""
    clause = clause.strip()
    if clause in ("", "*"):
        return ""
    if _CLAUSE.match(clause):
        return clause
    version = clause.removeprefix("=").partition("=")[0].strip()
    return f"=={version}" if version.endswith("*") else f"=={version}.*"


def _caret(parts: list[int]) -> int:
    """The place of the first number that is not zero, which must not change."""
    return next((place for place, part in enumerate(parts) if part), len(parts) - 1)


def _between(text: str, last: Callable[[list[int]], int]) -> str:
    parts = [int(part) for part in text.strip().split(".")]
    place = last(parts)
    upper = [*parts[:place], parts[place] + 1]
    return f">={text.strip()},<{'.'.join(map(str, upper))}"
