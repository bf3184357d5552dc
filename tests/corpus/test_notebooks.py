"""What the corpus runner makes of notebooks, on small ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.notebooks import notebook

from . import checks, report
from .detector import detect
from .notebooks import View, outside_cells

CONNECT = "%matplotlib inline\nfrom pymilvus import connections\n\nconnections.connect()"
CELLS = ("md:# x", CONNECT, "this is no python", "%%time\nfrom pymilvus import utility\nx = !ls",
         "await f()\nutility.list_collections()")  # fmt: skip


def test_uses_are_found_at_the_lines_of_the_cells(tmp_path: Path) -> None:
    data = notebook(*CELLS).encode()
    (tmp_path / "a.ipynb").write_bytes(data)
    view = View(data)
    found = {site.symbol: site.line for site in detect(tmp_path).sites}

    assert found["connections.connect"] == view.line(2, 4)
    assert found["utility.list_collections"] == view.line(5, 2)


def test_places_of_the_report_are_found_in_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(notebook(*CELLS))
    site = {"line": 2, "column": 1, "cell": 5, "rule": "MLV601", "status": "reported"}
    file = {"path": "a.ipynb", "changed": False, "findings": [], "sites": [site]}
    (entry,) = report.from_data({"files": [file]}, tmp_path).entries

    assert entry.line == View((tmp_path / "a.ipynb").read_bytes()).line(5, 2)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("list_collections", "list_x", False),
        ('"# x"', '"# y"', True),
        ('"nbformat_minor": 5', '"nbformat_minor": 4', True),
        ('"execution_count": 2', '"execution_count":  2', True),
    ],
)
def test_what_changes_outside_of_cells_is_seen(old: str, new: str, changed: bool) -> None:
    before = notebook(*CELLS)
    after = before.replace(old, new)
    assert before != after
    json.loads(after)

    assert bool(outside_cells(before.encode(), after.encode())) is changed


def test_a_complaint_whose_line_moved_is_no_new_one(tmp_path: Path) -> None:
    for side, above in (("before", "x = 1\n"), ("after", "")):
        (tmp_path / side).mkdir()
        text = notebook(f"{above}import os", f"{above}import os\nos")
        (tmp_path / side / "a.ipynb").write_text(text)
    sides = tmp_path / "before", tmp_path / "after"

    assert "F811" in str(checks.ruff(sides[0], ["a.ipynb"]))
    assert checks.new_static_errors(*sides, ["a.ipynb"]) == []
