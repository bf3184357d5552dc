"""The rules' pages are current, complete, and what ``--explain`` prints."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from migrate_milvus import registry
from migrate_milvus.cli import cli
from milvus_rules import catalogue
from tests.fixtures.coverage import shown
from tests.rules import pages

RULES = registry.rules()
REWRITING = sorted({rule.id for rule in registry.load().rules})
AGAIN = "python -m tests.rules.pages writes it anew"


def test_the_data_behind_the_pages_is_current() -> None:
    assert json.loads(pages.DATA.read_text(encoding="utf-8")) == json.loads(pages.data()), AGAIN


def test_the_pages_are_current() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in pages.DOCS.glob("*.md")}
    written = pages.documents()
    assert sorted(kept) == sorted(written), AGAIN
    assert [name for name in written if kept[name] != written[name]] == [], AGAIN


@pytest.mark.parametrize("info", RULES, ids=lambda info: info.id)
def test_explain_prints_the_page(info: registry.RuleInfo) -> None:
    printed = CliRunner().invoke(cli, ["--explain", info.id]).output
    page = (pages.DOCS / f"{info.id}.md").read_text(encoding="utf-8")
    assert printed == page.removeprefix(pages.HEAD).removeprefix("# ")


@pytest.mark.parametrize("id", REWRITING)
def test_a_rule_that_rewrites_shows_what_it_does(id: str) -> None:
    (info,) = [info for info in RULES if info.id == id]
    for title in ("## What it does", "## Example", "## Symbols", "## Source"):
        assert f"{title}\n" in info.doc


def test_examples_rewrite_what_the_rule_is_about() -> None:
    assert sorted(pages.EXAMPLES) == REWRITING
    found = shown()
    for rule, fixture in pages.EXAMPLES.items():
        symbols = {s.name for s in catalogue.by_rule(rule)}
        symbols |= {s for r in registry.load().rules if r.id == rule for s in r.symbols}
        own = [name for name in symbols if name in found and fixture in found[name].rewritten]
        assert own or rule == "MLV201", rule  # the names of schemas stay valid: no uses of the ORM
