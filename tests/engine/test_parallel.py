"""Several processes come to the same as one."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus import engine, parallel
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult
from migrate_milvus.settings import Settings

HELPERS = """\
from pymilvus import Collection

def films():
    return Collection("films")
"""
USER = """\
from pymilvus import connections
from helpers import films

connections.connect(host="localhost", port="19530")
print(films().num_entities)
"""
ALONE = """\
from pymilvus import connections, utility

connections.connect(host="localhost", port="19530")
print(utility.has_collection("films"))
"""
BROKEN = "from pymilvus import connections\nconnections.connect(\n"


def documents(**texts: str) -> list[Document]:
    return [
        Document.from_bytes(text.encode(), f"{name}.py", Path(f"/project/{name}.py"))
        for name, text in texts.items()
    ]


@pytest.fixture
def project() -> list[Document]:
    return documents(alone=ALONE, broken=BROKEN, helpers=HELPERS, user=USER)


def told(results: list[FileResult]) -> list[tuple[Any, ...]]:
    rows = [
        (r.document.name, r.text, r.findings, r.sites, [s.why for s in r.sites]) for r in results
    ]
    return sorted(rows, key=lambda row: row[0])


def test_the_results_are_the_same(project: list[Document], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_WORTH", 0)
    settings = Settings(root=Path("/project"), jobs=2)
    alone = told(engine.migrate(project, settings))
    assert told(parallel.migrate(project, settings)) == alone
    assert [text is not None for _, text, *_ in alone] == [True, False, True, True]


def test_what_imports_connect_stays_together(project: list[Document]) -> None:
    groups = [[d.name for d in group] for group in parallel.connected(project)]
    assert groups == [["alone.py"], ["broken.py"], ["helpers.py", "user.py"]]


def test_a_process_that_dies_loses_nothing(
    project: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def submit(self, *_: object) -> None:
            raise BrokenProcessPool

        def __init__(self, *_: object) -> None: ...

        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(parallel, "_WORTH", 0)
    monkeypatch.setattr(parallel, "ProcessPoolExecutor", Broken)
    settings = Settings(root=Path("/project"), jobs=2)
    assert told(parallel.migrate(project, settings)) == told(engine.migrate(project, settings))


def test_small_work_stays_in_this_process(
    project: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(parallel, "ProcessPoolExecutor")
    settings = Settings(root=Path("/project"), jobs=2)
    assert told(parallel.migrate(project, settings)) == told(engine.migrate(project, settings))
