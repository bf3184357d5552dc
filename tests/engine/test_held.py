"""Uses that are held stay with their unit; the others change as if those were ignored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from migrate_milvus.document import Document
from migrate_milvus.engine import migrate
from migrate_milvus.model import FileResult, SiteRecord, Status
from migrate_milvus.settings import Settings

TWO = """\
from pymilvus import Collection, connections, utility

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
books = Collection("books")
films.flush()
books.flush()
print(utility.has_collection("x"))
"""
SETTINGS = Settings(Path("/project"))


def run(settings: Settings = SETTINGS, text: str = TWO) -> FileResult:
    (result,) = migrate([Document.from_text(text, "two.py", Path("/project/app/two.py"))], settings)
    return result


def on(line: int, sites: list[SiteRecord]) -> SiteRecord:
    return next(site for site in sites if site.place.line == line)


def test_sites_of_one_object_have_one_unit_and_calls_without_an_object_have_none() -> None:
    sites = run().sites
    assert on(4, sites).unit == on(6, sites).unit == "two.py:4:9"
    assert on(5, sites).unit == on(7, sites).unit == "two.py:5:9"
    assert on(3, sites).unit == on(8, sites).unit == ""


def test_a_site_knows_its_line_of_code() -> None:
    assert on(6, run().sites).code == "films.flush()"


def test_what_is_held_stays_with_its_unit_and_the_rest_changes() -> None:
    held = frozenset({on(7, run().sites).place})
    result = run(replace(SETTINGS, held=held))
    assert result.text is not None
    assert 'books = Collection("books")\nclient.flush("films")\nbooks.flush()\n' in result.text
    assert "connections.connect" in result.text
    assert on(5, result.sites).status is Status.REPORTED
    assert not result.findings


def test_nothing_changes_while_everything_is_held() -> None:
    places = {site.place for site in run().sites if site.symbol != "connections.connect"}
    assert run(replace(SETTINGS, held=frozenset(places))).text is None


def test_rules_can_be_ignored_in_some_files_only() -> None:
    elsewhere = replace(SETTINGS, per_file_ignores=(("tests/", frozenset({"MLV601"})),))
    assert on(8, run(elsewhere).sites).status is Status.REWRITTEN
    here = replace(SETTINGS, per_file_ignores=(("app/*.py", frozenset({"MLV601"})),))
    assert on(8, run(here).sites).status is Status.IGNORED
    assert on(6, run(here).sites).status is Status.REWRITTEN


def test_a_suppression_of_a_rule_that_does_not_exist_is_noted() -> None:
    text = TWO.replace("films.flush()", "films.flush()  # migrate-milvus: ignore[MLV212, MLV77]")
    (finding,) = [f for f in run(text=text).findings if f.reason == "unknown-rule"]
    assert finding.message == (
        "`# migrate-milvus: ignore[MLV212, MLV77]` names MLV77, which is no rule"
    )
