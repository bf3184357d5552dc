"""Units that cross files, where users meet them: questions, summaries, and paths that are given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Run

FILES = {
    "db.py": """\
from pymilvus import connections


def connect():
    connections.connect("default", host="localhost", port="19530")
""",
    "helper.py": """\
from pymilvus import Collection


def fill(films: Collection) -> None:
    films.flush()
""",
    "main.py": """\
import db
from helper import fill
from pymilvus import Collection

db.connect()
films = Collection("films")
books = Collection("books")
fill(films)
books.flush()
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(project: Path) -> dict[str, str]:
    return {name: (project / name).read_text() for name in FILES}


def test_a_unit_in_two_files_is_one_question_and_changes_both(run_cli: Run, project: Path) -> None:
    assert run_cli("--check").output.startswith("6 ORM uses in 3 files: 6 rewritten")
    result = run_cli("-i", input="a\ns\ns\n")
    titles = re.findall(r"\[\d of \d\] (.*)", result.output)
    assert "helper.py:4 Collection, 3 uses" in titles
    after = texts(project)
    assert "def fill(client: MilvusClient, films: str)" in after["helper.py"] or (
        after["helper.py"] != FILES["helper.py"]
    )
    assert 'Collection("films")' not in after["main.py"]
    assert 'books = Collection("books")' in after["main.py"]


def test_piecewise_and_at_once_come_to_the_same(run_cli: Run, project: Path) -> None:
    assert run_cli("-i", input="a\n" * 9).exit_code == 0
    piecewise = texts(project)
    for name, text in FILES.items():
        (project / name).write_text(text)
    assert run_cli("--write").exit_code == 0
    assert piecewise == texts(project) != FILES


def test_one_file_alone_leaves_what_crosses(run_cli: Run, project: Path) -> None:
    assert run_cli("helper.py", "--write").exit_code == 1
    assert texts(project) == FILES
