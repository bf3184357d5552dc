"""Places, in words and in order, in files and in cells of notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

import migrate_milvus.report
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult, Finding, Place, SiteRecord, Status
from migrate_milvus.pipeline import conclude
from migrate_milvus.report import json as json_report
from migrate_milvus.report import text
from migrate_milvus.report.model import Report

CELLS = [Place("a.ipynb", 9, 1, 2), Place("a.ipynb", 3, 1, 4), Place("a.ipynb", 3, 1, 10)]


def test_a_place_names_its_cell_before_line_and_column() -> None:
    assert str(Place("a.ipynb", 3, 1, 4)) == "a.ipynb:cell 4:3:1"
    assert str(Place("a.py", 3, 1)) == "a.py:3:1"


def test_places_come_in_the_order_of_the_cells_not_of_the_lines() -> None:
    assert sorted([CELLS[2], CELLS[0], CELLS[1]]) == CELLS


def test_the_sites_that_follow_are_named_with_their_cells() -> None:
    follows = (*CELLS[1:], Place("a.ipynb", 5, 1, 4), Place("b.py", 1, 1))
    finding = Finding(CELLS[0], "MLV290", "object-in-sight", "is printed", follows=follows)

    assert printed(finding)[1] == (
        "    4 more sites follow once this is solved: a.ipynb:cell 4:3, :5, :cell 10:3, b.py:1"
    )


def test_sites_that_wait_for_several_findings_are_named_once() -> None:
    follows = (Place("a.py", 8, 1), Place("a.py", 9, 1))
    first, second, third = (
        Finding(Place("a.py", line, 1), "MLV290", "object-in-sight", "is printed", follows=follows)
        for line in (1, 2, 3)
    )

    assert printed(first, second)[1:4:2] == [
        "    2 more sites follow once this and 1 other finding are solved: a.py:8, :9",
        "    The same 2 sites wait for this as for a.py:1",
    ]
    assert "this and 2 other findings are" in printed(first, second, third)[1]


def printed(*findings: Finding) -> list[str]:
    """The lines of the text report."""
    result = FileResult(Document.from_text("", "a.py"), findings=list(findings))
    return text.render(Report(conclude([result]), Path(), "2.6.13")).splitlines()


def test_the_json_report_has_the_cell_of_a_notebook_and_none_elsewhere() -> None:
    document = Document.from_text("", "a.ipynb")
    sites = [SiteRecord(p, "Collection", "MLV210", Status.IGNORED) for p in CELLS[:1]]
    sites.append(SiteRecord(Place("a.py", 1, 1), "Collection", "MLV210", Status.IGNORED))
    data = json_report.as_data(conclude([FileResult(document, sites=sites)]))

    schema = Path(migrate_milvus.report.__file__).with_name("schema.json").read_text()
    jsonschema.validate(data, json.loads(schema))
    first, second = data["files"][0]["sites"]
    assert (first["cell"], first["line"], "cell" in second) == (2, 9, False)
