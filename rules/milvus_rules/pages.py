"""The page of a rule: what ``--explain`` prints and ``docs/rules/`` holds.

The words are the rule's docstring and the catalogue's rows; the example and the refusals are
fixtures, which ``pages.json`` carries along.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from migrate_milvus.registry import PREDICATES, Rule, RuleInfo
from milvus_rules import catalogue
from milvus_rules.catalogue import Symbol

VERDICTS = {
    "safe": "rewritten",
    "if": "rewritten where its conditions are proved",
    "report": "reported",
    "unchanged": "stays valid",
}
_SECTIONS = (
    ("Refused", "When it refuses"),
    ("Accepted difference", "What differs"),
    ("Source:", "Source"),
)
WHAT = "What it does"
# The order of the sections of a page.
_ORDER = (WHAT, "What differs", "When it refuses", "Source")


@dataclass(frozen=True)
class Example:
    """A fixture: its path below ``fixtures/``, the program before, and after."""

    fixture: str
    before: str
    after: str


@dataclass(frozen=True)
class Evidence:
    """What fixtures show of one rule: an example, and a refusal for each reason."""

    example: Example | None
    refusals: dict[str, str]


@cache
def evidence() -> dict[str, Evidence]:
    """Rule id -> what fixtures show, from ``pages.json``."""
    text = resources.files("milvus_rules").joinpath("pages.json").read_text(encoding="utf-8")
    return {
        rule: Evidence(
            Example(**entry["example"]) if entry["example"] is not None else None,
            entry["refusals"],
        )
        for rule, entry in json.loads(text).items()
    }


def infos(rules: Sequence[Rule], others: Iterable[RuleInfo]) -> tuple[RuleInfo, ...]:
    """One entry per id with its whole page, for ``--list-rules`` and ``--explain``."""
    docs: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for info in others:
        titles[info.id] = info.title
        docs[info.id] = [info.doc]
    for rule in rules:
        titles.setdefault(rule.id, rule.title)
        doc = inspect.cleandoc(rule.__doc__ or "")
        docs.setdefault(rule.id, []).append(doc)
    return tuple(RuleInfo(id, titles[id], body(id, docs[id])) for id in sorted(titles))


def page(info: RuleInfo) -> str:
    """The page as a file of its own."""
    return f"# {info.id}: {info.title}\n\n{info.doc}\n"


def body(rule: str, docs: Sequence[str]) -> str:
    """The page without its title, in Markdown."""
    sections = _sections(docs)
    shown = evidence().get(rule, Evidence(None, {}))
    parts: list[str] = []
    for name in _ORDER:
        found = list(sections.get(name, ()))
        if name == "When it refuses":
            found += _refusals(shown.refusals)
        if found:
            parts += [f"## {name}", *found]
        if name == WHAT and shown.example is not None:
            parts += _example(shown.example)
    symbols = catalogue.by_rule(rule)
    if symbols:
        parts += ["## Symbols", "\n".join(table(symbols))]
    return "\n\n".join(parts)


def _sections(docs: Sequence[str]) -> dict[str, list[str]]:
    """The paragraphs of docstrings by section; a paragraph that says the same is taken once."""
    found: dict[str, list[str]] = {}
    for doc in docs:
        for paragraph in doc.split("\n\n"):
            text = paragraph.replace("``", "`")
            name = next((title for word, title in _SECTIONS if text.startswith(word)), WHAT)
            if name == "Source":
                text = text.removeprefix("Source: ")
                text = text[:1].upper() + text[1:]
            if text not in found.setdefault(name, []):
                found[name].append(text)
    return found


def _example(example: Example) -> list[str]:
    after = f"```python\n{example.after.rstrip()}\n```"
    return [
        "## Example",
        f"`fixtures/{example.fixture}`, before:",
        f"```python\n{example.before.rstrip()}\n```",
        "after:",
        after,
    ]


def _refusals(refusals: dict[str, str]) -> list[str]:
    lines = []
    for reason, fixture in refusals.items():
        meaning = PREDICATES.get(reason, "")
        lines.append(f"- `{reason}`: {meaning} (refused in `fixtures/{fixture}`)")
    return (
        ["Conditions, each with a program that does not meet it:", "\n".join(lines)]
        if lines
        else []
    )


def table(symbols: Iterable[Symbol]) -> list[str]:
    """Rows of symbols: verdict, what takes their place, since when."""
    rows = ["| symbol | verdict | client | since pymilvus |", "|---|---|---|---|"]
    for symbol in symbols:
        client = ", ".join(f"`{name}`" for name in symbol.client)
        rows.append(f"| `{symbol.name}` | {VERDICTS[symbol.verdict]} | {client} | {symbol.since} |")
    return rows
