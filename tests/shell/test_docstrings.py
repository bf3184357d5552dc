"""Examples in docstrings: migrated with --docs, each docstring a program of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate_milvus import docstrings
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult, Place, SiteRecord, Status
from tests.conftest import Run

BEFORE = '''\
"""A module: utility.list_collections().

>>> from pymilvus import connections, utility
>>> connections.connect(host="h")
>>> utility.has_collection("x")
True
"""

from pymilvus import Collection, connections

connections.connect(host="h")


class Box:
    """
    >>> from pymilvus import connections, utility
    >>> connections.connect(host="h")
    >>> for name in utility.list_collections():
    ...     print(name)
    books"""

    def size(self):
        r"""Count.

            >>> from pymilvus import connections, utility
            >>> connections.connect(host="h")
            >>> utility.drop_collection("a\\b")
        """
        return Collection("x").num_entities

    def escaped(self):
        """
        >>> from pymilvus import utility
        >>> utility.has_collection("\\n")
        """
'''
AFTER = (
    BEFORE.replace(
        ">>> from pymilvus import connections, utility\n", ">>> from pymilvus import MilvusClient\n"
    )
    .replace(
        '>>> connections.connect(host="h")\n', '>>> client = MilvusClient(uri="http://h:19530")\n'
    )
    .replace(
        "from pymilvus import Collection, connections\n", "from pymilvus import MilvusClient\n"
    )
    .replace('\nconnections.connect(host="h")\n', '\nclient = MilvusClient(uri="http://h:19530")\n')
    .replace('>>> utility.has_collection("x")', '>>> client.has_collection("x")')
    .replace("in utility.list", "in client.list")
    .replace("utility.drop_", "client.drop_")
    .replace('Collection("x").num_entities', 'client.get_collection_stats("x")["row_count"]')
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_docstrings_change_with_the_module(project: Path, run_cli: Run) -> None:
    file = project / "shop.py"
    file.write_text(BEFORE)
    result = run_cli("--docs", "--write", "--verbose")

    assert file.read_text() == AFTER
    assert "shop.py:5:5: MLV601 rewritten" in result.output
    assert "shop.py:18:21: MLV601 rewritten" in result.output
    again = run_cli("--docs", "--write")
    assert file.read_text() == AFTER
    assert "0 rewritten" in again.output or "No ORM use" in again.output


def test_docstrings_stay_without_the_option(project: Path, run_cli: Run) -> None:
    file = project / "shop.py"
    file.write_text(BEFORE)
    run_cli("--write")

    kept = [line for line in BEFORE.splitlines() if line.lstrip().startswith((">>>", "..."))]
    new = [
        line for line in file.read_text().splitlines() if line.lstrip().startswith((">>>", "..."))
    ]
    assert new == kept


def test_a_docstring_does_not_have_what_another_made(project: Path, run_cli: Run) -> None:
    (project / "shop.py").write_text(
        '"""\n>>> from pymilvus import connections, utility\n'
        '>>> connections.connect(host="h")\n"""\n'
        'def f():\n    """\n    >>> utility.list_collections()\n    []\n    """\n'
    )

    assert (
        "shop.py:7:9: MLV291 no block of this page says what 'utility' is"
        in run_cli("--docs", "shop.py").output
    )


def test_an_example_that_would_end_its_docstring_is_not_written() -> None:
    document = Document.from_text('"""\n>>> f()\n"""\nx = 1\n', "a.py")
    (page,) = docstrings.pages(document)
    site = SiteRecord(Place(page.name, 2, 5), "Collection", "MLV210", Status.REWRITTEN)
    new = FileResult(page, page.text.replace("f()", 'g("""a""")'), sites=[site])
    (result,) = docstrings.merged([new], [document])

    assert result.text is None
    assert [(s.place.path, s.status) for s in result.sites] == [("a.py", Status.REPORTED)]


def test_an_example_that_is_no_python_concerns_itself_alone(
    tmp_path: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = BEFORE.replace(">>> utility.has", ">>> %reset -f\n>>> utility.has", 1)
    (tmp_path / "box.py").write_text(text)
    result = run_cli("--docs", "--write")
    assert "MLV003" not in result.output
    new = (tmp_path / "box.py").read_text()
    assert ">>> %reset -f\n>>> client.has_collection" in new
