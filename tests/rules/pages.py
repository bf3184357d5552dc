"""``python -m tests.rules.pages`` writes the rules' pages anew.

They are ``docs/rules/*.md``, and ``rules/milvus_rules/pages.json``, from which ``--explain`` prints
the same text. All of it comes from the rules, the catalogue and the fixtures.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

from migrate_milvus import registry
from migrate_milvus.registry import RuleInfo
from milvus_rules import catalogue, pages
from milvus_rules.catalogue import Symbol
from tests.fixtures.cases import ROOT as FIXTURES
from tests.fixtures.cases import Case, all_cases
from tests.fixtures.coverage import Shown, shown

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs" / "rules"
DATA = PROJECT / "rules" / "milvus_rules" / "pages.json"
# The fixture that shows best what a rule does.
EXAMPLES = {
    "MLV101": "connect/host_and_port_literals",
    "MLV102": "connect/connection_removed",
    "MLV103": "connect/has_connection_after_connect",
    "MLV201": "schema/partition_key_and_keyword_order",
    "MLV210": "collection/by_name_only",
    "MLV211": "collection/attributes",
    "MLV212": "index/load_of_partitions",
    "MLV213": "collection/from_dataframe_of_literal_columns",
    "MLV301": "refusals/index-arguments-known_holds",
    "MLV302": "index/dropped_by_known_name",
    "MLV303": "index/looked_up_by_name",
    "MLV401": "data/upsert_columns_with_key",
    "MLV402": "refusals/delete-arguments-known_holds",
    "MLV403": "refusals/result-in-sight_holds",
    "MLV501": "refusals/search-arguments-known_holds",
    "MLV502": "refusals/primary-key-known_holds",
    "MLV503": "search/search_iterator_without_limit",
    "MLV504": "refusals/results-as-objects_holds",
    "MLV601": "utility/collections_by_name",
    "MLV602": "index/waiting_calls_disappear",
    "MLV603": "utility/aliases_listed",
    "MLV604": "access/password_is_reset",
    "MLV605": "access/resource_groups",
    "MLV607": "utility/segments",
    "MLV608": "utility/time_stamps",
    "MLV701": "partition/load_and_release",
    "MLV801": "access/answers_about_users_and_roles",
    "MLV901": "utility/databases",
}
AREAS = (
    ("Connections", "connections"),
    ("Collection", "collection"),
    ("Partition", "partition"),
    ("Index", "index"),
    ("utility", "utility"),
    ("db", "database"),
    ("Role", "role"),
    ("Schemas", "schema"),
    ("Results and futures", "results"),
    ("Answers", "answers"),
    ("Names that stay valid", "valid"),
    ("Names that left", "removed"),
)
HEAD = "<!-- Written by python -m tests.rules.pages; change the rules and fixtures instead. -->\n\n"


def data() -> str:
    """The text of ``pages.json``."""
    registry.load()
    refusals: dict[str, dict[str, str]] = {}
    for case in sorted(all_cases(), key=lambda case: _best(case.name)):
        for line in case.findings:
            _, rule, reason, *note = line.split()
            if not note and reason in registry.PREDICATES:
                refusals.setdefault(rule, {}).setdefault(reason, case.name)
    found = {
        rule: {"example": _example(rule), "refusals": dict(sorted(refusals.get(rule, {}).items()))}
        for rule in sorted({*EXAMPLES, *refusals})
    }
    return json.dumps(found, indent=1) + "\n"


def _best(fixture: str) -> tuple[bool, str]:
    """The order in which fixtures are named as evidence: those made for a refusal first."""
    return not fixture.startswith("refusals/"), fixture


def _plain(fixture: str) -> tuple[bool, str]:
    """The order for what is rewritten: those made to show that first."""
    return fixture.startswith(("refusals/", "regressions/", "twins/", "mixed/")), fixture


def _example(rule: str) -> dict[str, str] | None:
    if rule not in EXAMPLES:
        return None
    case = Case(FIXTURES / EXAMPLES[rule])
    assert case.after is not None
    return {"fixture": case.name, "before": case.before, "after": case.after}


def documents() -> dict[str, str]:
    """File name below ``docs/rules`` -> text."""
    infos = registry.rules()
    found = {f"{info.id}.md": HEAD + pages.page(info) for info in infos}
    found["README.md"] = HEAD + _index(infos)
    found["coverage.md"] = HEAD + _coverage()
    return found


def _index(infos: list[RuleInfo]) -> str:
    lines = [
        "# Rules",
        "",
        "One page per rule: what it writes, an example, when it refuses, since which pymilvus, and "
        "from which source.",
        "`migrate-milvus --explain ID` prints the same text. [coverage.md](coverage.md) has every "
        "symbol of the ORM.",
        "",
        "| rule | | rewritten | reported |",
        "|---|---|---|---|",
    ]
    for info in infos:
        symbols = catalogue.by_rule(info.id)
        can = sum(symbol.verdict in ("safe", "if") for symbol in symbols)
        lines.append(
            f"| [{info.id}]({info.id}.md) | {info.title} | {can or ''} | "
            f"{len(symbols) - can or ''} |"
        )
    return "\n".join(lines) + "\n"


def _coverage() -> str:
    lines = [
        "# Every symbol of the ORM",
        "",
        "The last columns name a fixture that rewrites a use of the symbol, and one that leaves a "
        "use as it is and reports it.",
    ]
    for title, area in AREAS:
        symbols = importlib.import_module(f"milvus_rules.catalogue.{area}").SYMBOLS
        lines += ["", f"## {title}", "", *_rows(symbols)]
    return "\n".join(lines) + "\n"


def _rows(symbols: tuple[Symbol, ...]) -> Iterator[str]:
    yield "| symbol | verdict | rule | client | since pymilvus | rewriting | refusing |"
    yield "|---|---|---|---|---|---|---|"
    for symbol in symbols:
        entry = shown().get(symbol.name, Shown())
        rewriting = min(entry.rewritten, key=_plain, default="")
        refusing = min(entry.reported, key=_best, default="")
        rule = f"[{symbol.rule}]({symbol.rule}.md)" if symbol.rule else ""
        client = ", ".join(f"`{name}`" for name in symbol.client)
        yield (
            f"| `{symbol.name}` | {pages.VERDICTS[symbol.verdict]} | {rule} | {client} | "
            f"{symbol.since} | {rewriting} | {refusing} |"
        )


def main() -> None:
    """Write the data first: the pages show it."""
    DATA.write_text(data(), encoding="utf-8")
    pages.evidence.cache_clear()
    registry.load.cache_clear()
    DOCS.mkdir(parents=True, exist_ok=True)
    written = documents()
    for old in DOCS.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
