"""The client that the settings name, for code whose connection is opened out of sight."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate_milvus.document import Document
from migrate_milvus.engine import migrate
from migrate_milvus.model import FileResult
from migrate_milvus.settings import Settings

DB = """\
_made = None
client = None


def get_client():
    return _made


class Store:
    client = None

    def connect(self):
        pass
"""

Run = Callable[..., FileResult]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Migrates a text as ``app/films.py`` of a project with ``app/db.py``."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "db.py").write_text(DB)

    def migrate_one(text: str, client: str = "app.db:get_client") -> FileResult:
        name = "app/films.py"
        document = Document.from_text(textwrap.dedent(text), name, tmp_path / name)
        results = migrate([document], Settings(tmp_path, client=client))
        return next(result for result in results if result.document.name == name)

    return migrate_one


def test_a_function_is_called_once_in_each_scope_before_its_first_use(run: Run) -> None:
    result = run(
        '''\
        from pymilvus import Collection, utility


        def fill(rows):
            """Fill."""
            print(rows)
            films = Collection("films")
            films.flush()
            films.release()


        print(utility.has_collection("films"))
        '''
    )
    assert result.text == textwrap.dedent(
        '''\
        from app.db import get_client


        def fill(rows):
            """Fill."""
            print(rows)
            client = get_client()
            client.flush("films")
            client.release_collection("films")


        client = get_client()
        print(client.has_collection("films"))
        '''
    )
    assert not result.findings


def test_it_is_called_where_a_handler_sees_it_and_outside_of_loops(run: Run) -> None:
    result = run(
        """\
        from pymilvus import utility


        def safe(names):
            try:
                for name in names:
                    utility.drop_collection(name)
            except Exception:
                return False
        """
    )
    assert result.text is not None
    assert result.text.endswith(
        "    try:\n"
        "        client = get_client()\n"
        "        for name in names:\n"
        "            client.drop_collection(name)\n"
        "    except Exception:\n"
        "        return False\n"
    )


def test_a_lambda_calls_it_itself_and_a_name_alone_needs_no_client(run: Run) -> None:
    result = run(
        """\
        from pymilvus import Collection, utility

        has = lambda name: utility.has_collection(name)


        class Store:
            def __init__(self):
                self.films = Collection("films")

            def flush(self):
                self.films.flush()
        """
    )
    assert result.text is not None
    assert "has = lambda name: get_client().has_collection(name)\n" in result.text
    assert 'def __init__(self):\n        self.films = "films"\n' in result.text
    assert "client = get_client()\n        client.flush(self.films)\n" in result.text


@pytest.mark.parametrize(
    ("client", "line", "call"),
    [
        ("app.db:client", "from app import db", 'db.client.has_collection("x")'),
        ("app.db:Store.client", "from app import db", 'db.Store.client.has_collection("x")'),
        ("far.away:make()", "from far.away import make", 'client.has_collection("x")'),
        ("far:make()", "from far import make", 'client.has_collection("x")'),
    ],
)
def test_an_object_is_reached_through_its_module(
    run: Run, client: str, line: str, call: str
) -> None:
    result = run('from pymilvus import utility\nprint(utility.has_collection("x"))\n', client)
    assert result.text is not None
    assert line in result.text.splitlines()
    assert call in result.text


def test_names_that_are_taken_get_others(run: Run) -> None:
    result = run(
        """\
        from pymilvus import utility

        client, get_client = 1, 2


        def has(name):
            return utility.has_collection(name), client, get_client
        """
    )
    assert result.text is not None
    assert "from app.db import get_client as milvus_get_client\n" in result.text
    assert "    milvus_client = milvus_get_client()\n" in result.text


def test_an_import_that_is_there_is_used(run: Run) -> None:
    result = run(
        """\
        from app.db import get_client
        from pymilvus import utility


        def has(name):
            return utility.has_collection(name), get_client
        """
    )
    assert result.text is not None
    assert result.text.count("import get_client") == 1
    assert "    client = get_client()\n" in result.text


@pytest.mark.parametrize(
    ("client", "text", "message"),
    [
        ("app.db:nothing", "utility.flush_all()", "app.db has no nothing"),
        ("app.none:get", "utility.flush_all()", "app.none, which is not found in this project"),
        ("app.films:get()", "utility.flush_all()", "app.films, which is this file"),
        ("app.db:get_client", "utility.has_collection('x', using='b')", "not opened in this file"),
    ],
)
def test_what_cannot_be_reached_is_reported(run: Run, client: str, text: str, message: str) -> None:
    result = run(f"from pymilvus import utility\n{text}\n", client)
    assert result.text is None
    (finding,) = result.findings
    assert finding.reason == "connection-in-sight"
    assert message in finding.message


def test_a_module_that_imports_this_file_is_not_imported_by_it(tmp_path: Path) -> None:
    (tmp_path / "db.py").write_text("import films\n" + DB)
    documents = [
        Document.read(tmp_path / "db.py", "db.py"),
        Document.from_text("from pymilvus import utility\nutility.flush_all()\n", "films.py"),
    ]
    results = migrate(documents, Settings(tmp_path, client="db:get_client"))
    (finding,) = [finding for result in results for finding in result.findings]
    assert "is made in db, which imports this file" in finding.message
    assert all(result.text is None for result in results)


def test_closing_the_connection_stays(run: Run) -> None:
    result = run(
        "from pymilvus import connections, utility\n"
        "print(utility.has_collection('x'))\nconnections.disconnect('default')\n"
    )
    assert "connections.disconnect('default')" in (result.text or result.document.text)
    assert result.findings


def test_a_connection_in_sight_is_preferred(run: Run) -> None:
    result = run(
        "from pymilvus import connections, utility\n"
        'connections.connect(host="localhost", port="19530")\nutility.flush_all()\n'
    )
    assert "get_client" not in (result.text or "")
