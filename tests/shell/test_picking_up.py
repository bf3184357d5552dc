"""A run after a partial one comes to what one run would have come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.shell.test_interactive import TWO
from tests.shell.test_units_across_files import FILES

CLASS = """\
from pymilvus import Collection, connections, utility


class Store:
    def __init__(self, host):
        connections.connect("default", host=host, port="19530")
        self.films = Collection("films")
        self.books = Collection("books")

    def flush(self):
        self.films.flush()
        self.books.flush()
        return utility.list_collections()

    def close(self):
        connections.disconnect("default")
"""


@pytest.mark.parametrize("files", [{"two.py": TWO}, {"store.py": CLASS}, FILES])
def test_one_unit_a_run_comes_to_what_one_run_does(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def write() -> None:
        for name, text in files.items():
            Path(name).write_text(text)

    def read() -> dict[str, str]:
        return {name: Path(name).read_text() for name in files}

    write()
    assert run_cli("--write").exit_code == 0
    at_once = read()
    write()
    runs = 0
    while run_cli("--check").exit_code == 1 and runs < 9:
        run_cli("-i", input="a\nq\n")
        runs += 1
    assert runs > 1
    assert read() == at_once
