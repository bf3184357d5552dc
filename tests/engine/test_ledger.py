"""The ledger: every ORM use stands in one column, and the columns add up."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus.model import FileResult, Severity, Status
from migrate_milvus.pipeline import conclude
from migrate_milvus.suppressions import parse
from tests.conftest import Run
from tests.engine.helpers import analyse, migrate_files, migrate_text, symbols
from tests.fixtures.cases import Case, all_cases

PARTLY = """\
from pymilvus import Collection, connections, utility

connections.connect(host="localhost", port="19530")
films = Collection("films")
films.flush()
books = Collection("books")
show(books)
books.flush()
print(utility.list_collections())
utility.do_bulk_insert("films", ["films.json"])
films.release()  # migrate-milvus: ignore
"""


def assert_adds_up(result: FileResult) -> None:
    """One record for each use; what is rewritten, is rewritten in the text."""
    found = symbols(analyse(result.document.text))
    recorded = [f"{site.place.line} {site.symbol}" for site in result.sites]
    assert Counter(recorded) == Counter(found)
    statuses = Counter(site.status for site in result.sites)
    if result.text is None:
        assert not statuses[Status.REWRITTEN]
    else:
        assert statuses[Status.REWRITTEN]
        left = Counter(line.split()[1] for line in symbols(analyse(result.text)))
        stay = Counter(s.symbol for s in result.sites if s.status is not Status.REWRITTEN)
        assert left == stay
    for site in result.sites:
        assert bool(site.reason) == (site.status is not Status.REWRITTEN)


@pytest.mark.parametrize(
    "case", [c for c in all_cases() if c.folder.parent.name == "mixed"], ids=lambda c: c.name
)
def test_files_of_which_a_part_stays(case: Case) -> None:
    assert_adds_up(case.migrate())


@pytest.mark.parametrize("area", ["twins", "connect", "collection", "imports", "utility"])
def test_the_fixtures_add_up(area: str) -> None:
    for case in all_cases():
        if case.folder.parent.name == area:
            assert_adds_up(case.migrate())


def test_a_file_of_which_a_part_stays() -> None:
    result = migrate_text(PARTLY.replace("films.release()  # migrate-milvus: ignore\n", ""))
    assert_adds_up(result)
    assert result.text is not None
    assert [(s.place.line, s.status.value) for s in result.sites] == [
        (3, "reported"),
        (4, "rewritten"),
        (5, "rewritten"),
        (6, "reported"),
        (8, "reported"),
        (9, "rewritten"),
        (10, "reported"),
    ]


def test_what_is_ignored_keeps_what_it_needs() -> None:
    """The ignored line uses an object: nothing of the object is rewritten."""
    result = migrate_text(PARTLY)
    by_line = {s.place.line: s for s in result.sites}
    assert {n for n, s in by_line.items() if s.status is Status.REWRITTEN} == {9}
    assert by_line[11].status is Status.IGNORED
    assert by_line[4].status is by_line[5].status is Status.REPORTED
    assert not [f for f in result.findings if f.place.line == 11]


@pytest.mark.parametrize("comment", ["ignore", "ignore[MLV290]"])
def test_a_comment_silences_the_line_where_an_object_escapes(comment: str) -> None:
    text = PARTLY.replace("show(books)", f"show(books)  # migrate-milvus: {comment}")
    assert not [f for f in migrate_text(text).findings if f.place.line == 7]


@pytest.mark.parametrize("comment", ["ignore", "ignore[MLV290]"])
def test_what_an_ignored_line_keeps_is_named(comment: str) -> None:
    """Sites that stay because of a line that is ignored are in the report, once."""
    text = PARTLY.replace("show(books)", f"show(books)  # migrate-milvus: {comment}")
    notes = [f for f in migrate_text(text).findings if f.reason == "kept-by-ignored"]
    places = [[f.place.line, *(place.line for place in f.follows)] for f in notes]
    assert places == [[4, 5], [6, 8]]
    assert "line 11" in notes[0].message and "line 7" in notes[1].message
    assert {f.severity for f in notes} == {Severity.NOTE}


def test_what_also_stays_for_another_reason_is_named_there_only() -> None:
    text = PARTLY.replace("films.flush()", "films.flush(); show(films)")
    findings = migrate_text(text).findings
    assert not [f for f in findings if f.reason == "kept-by-ignored"]
    assert [f.place.line for f in findings if any(p.line == 4 for p in f.follows)] == [5]


def test_a_comment_that_ignores_nothing_is_reported() -> None:
    result = migrate_text("import pymilvus\nprint()  # migrate-milvus: ignore[MLV101]\n")
    assert [(f.rule, f.place.line) for f in result.findings] == [("MLV002", 2)]


def test_a_file_that_is_skipped_is_counted() -> None:
    text = "# migrate-milvus: skip-file\n" + PARTLY
    assert parse(text).skip_file
    result = migrate_text(text)
    assert result.text is None
    assert {s.status for s in result.sites} == {Status.IGNORED}
    assert len(result.sites) == 8


def test_nothing_is_said_about_a_file_that_is_skipped() -> None:
    assert migrate_text("# migrate-milvus: skip-file\n" + PARTLY).findings == []


def test_reported_sites_lead_to_a_finding() -> None:
    """Each reported use has a finding of its own, follows one, or says what it stays for."""
    result = migrate_text(PARTLY)
    lines = {f.place.line for f in result.findings}
    followed = {p.line for f in result.findings for p in f.follows}
    for site in result.sites:
        if site.status is Status.REPORTED and not site.reason.startswith("stays"):
            assert (
                site.place.line in lines | followed
                or "ignored" in site.reason
                or (site.reason == "follows")
            )


def test_every_finding_says_what_to_do() -> None:
    for finding in migrate_text(PARTLY).findings:
        assert finding.message
        assert finding.recipe
        noted = finding.reason == "kept-by-ignored"
        assert finding.severity is (Severity.NOTE if noted else Severity.BLOCKED)


def report(run: Run, folder: Path, *options: str) -> tuple[dict[str, Any], int]:
    """The JSON report on the folder, and the exit code."""
    outcome = run(*options, "--report", "json", folder)
    data: dict[str, Any] = json.loads(outcome.stdout)
    return data, outcome.exit_code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "partly.py").write_text(PARTLY)
    (tmp_path / "whole.py").write_text("".join(PARTLY.splitlines(True)[:5]))
    (tmp_path / "none.py").write_text("import pymilvus\nprint(pymilvus.__version__)\n")
    return tmp_path


def test_the_report_lists_what_remains(run_cli: Run, folder: Path) -> None:
    data, code = report(run_cli, folder)
    assert code == 1
    files = {file["path"]: file for file in data["files"]}
    sites = files["partly.py"]["sites"]
    assert {(s["line"], s["symbol"], s["status"]) for s in sites} == {
        (3, "connections.connect", "reported"),
        (4, "Collection", "reported"),
        (5, "Collection.flush", "reported"),
        (6, "Collection", "reported"),
        (8, "Collection.flush", "reported"),
        (9, "utility.list_collections", "rewritten"),
        (10, "utility.do_bulk_insert", "reported"),
        (11, "Collection.release", "ignored"),
    }
    assert all(s["reason"] for s in sites if s["status"] == "reported")
    assert {s["status"] for s in files["whole.py"]["sites"]} == {"rewritten"}


def test_the_columns_of_the_summary_add_up(run_cli: Run, folder: Path) -> None:
    data, _ = report(run_cli, folder)
    summary = data["summary"]
    statuses = Counter(site["status"] for file in data["files"] for site in file["sites"])
    assert summary["found"] == sum(statuses.values()) == 11
    for column in ("rewritten", "reported", "ignored"):
        assert summary[column] == statuses[column]


def test_after_writing_only_what_was_reported_is_found(run_cli: Run, folder: Path) -> None:
    first, _ = report(run_cli, folder, "--write")
    second, code = report(run_cli, folder)
    assert code == 1
    assert second["summary"]["rewritten"] == 0
    remaining = first["summary"]["reported"] + first["summary"]["ignored"]
    assert second["summary"]["found"] == remaining
    assert (folder / "whole.py").read_text().startswith("from pymilvus import MilvusClient\n")


def test_a_withheld_file_counts_as_reported() -> None:
    results = migrate_files({"a.py": PARTLY, "b.py": "import pymilvus\nprint 'x'\n"})
    run = conclude(list(results.values()))
    assert run.exit_code == 2
    assert run.counts.failed == 1
    assert results["b.py"].findings[0].rule == "MLV001"
    assert run.counts.found == len(results["a.py"].sites)
