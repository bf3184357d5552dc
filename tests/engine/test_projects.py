"""Several files: what one of them does keeps the others from changing half."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from migrate_milvus.model import FileResult, Status
from migrate_milvus.project import ModuleGraph
from tests.conftest import Run
from tests.engine.helpers import migrate_files, reasons

CONNECT = 'connections.connect(host="localhost", port="19530")\n'
HELPER = """\
from pymilvus import Collection, connections

connections.connect(host="localhost", port="19530")


def size(collection):
    return collection.num_entities


print(size(Collection("films")))
"""


def statuses(result: FileResult) -> set[Status]:
    """The statuses of all sites."""
    return {site.status for site in result.sites}


# ---- helpers that other files import -------------------------------------------------------------


def test_alone_the_helper_changes_its_signature() -> None:
    (result,) = migrate_files({"app.py": HELPER}).values()
    assert result.text is not None
    assert "def size(collection_name):" in result.text


@pytest.mark.parametrize(
    "other",
    [
        "from app import size\nsize(make())\n",
        "import app\napp.size(make())\n",
        "import app as a\na.size(make())\n",
        "from app import *\nsize(make())\n",
        "from app import size as measure\nmeasure(make())\n",
    ],
)
def test_a_helper_that_another_file_calls_with_something_unknown_stays(other: str) -> None:
    result = migrate_files({"app.py": HELPER, "report.py": other})["app.py"]
    assert result.text is None
    assert reasons(result) == ["7 object-one-kind"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("from app import size\nsize(Collection('x'))\n", "size('x')"),
        ("import app\napp.size(collection=Collection('x'))\n", "app.size(collection_name='x')"),
        ("from app import size as s\nbooks = Collection('x')\nprint(s(books))\n", "print(s('x'))"),
        ("from app import *\nsize(Collection('x'))\n", "size('x')"),
    ],
)
def test_callers_in_other_files_change_with_a_helper(other: str, expected: str) -> None:
    other = "from pymilvus import Collection\n" + other
    results = migrate_files({"app.py": HELPER, "report.py": other})
    text = results["app.py"].text
    assert text is not None
    assert "def size(collection_name):" in text
    text = results["report.py"].text
    assert text is not None
    assert expected in text
    assert "Collection" not in text


CALLS = "from pymilvus import Collection\nfrom {path} import size\nsize(Collection('x'))\n"


@pytest.mark.parametrize(
    "files",
    [
        {"pkg/__init__.py": "", "pkg/app.py": HELPER, "pkg/report.py": CALLS.format(path=".app")},
        {"pkg/app.py": HELPER, "report.py": CALLS.format(path="pkg.app")},
        {"src/pkg/app.py": HELPER, "tests/report.py": CALLS.format(path="pkg.app")},
        {"pkg/app.py": HELPER, "pkg/sub/report.py": CALLS.format(path="..app")},
        {
            "pkg/__init__.py": "from .app import size\n",
            "pkg/app.py": HELPER,
            "report.py": CALLS.format(path="pkg"),
        },
    ],
)
def test_imports_within_a_package(files: dict[str, str]) -> None:
    results = migrate_files(files)
    (report,) = [name for name in results if name.endswith("report.py")]
    text = results[report].text
    assert text is not None
    assert "size('x')" in text
    assert [reasons(result) for result in results.values()] == [[]] * len(results)


def test_importing_something_else_does_not_keep_it() -> None:
    text = HELPER + "LIMIT = 3\n"
    result = migrate_files({"app.py": text, "report.py": "from app import LIMIT\n"})["app.py"]
    assert result.text is not None
    assert "def size(collection_name):" in result.text


def test_a_function_of_the_same_name_elsewhere_does_not_keep_it() -> None:
    other = "def size(x):\n    return len(x)\n\n\nprint(size([]))\n"
    result = migrate_files({"app.py": HELPER, "report.py": other})["app.py"]
    assert result.text is not None


def test_what_is_not_known_in_one_file_keeps_the_other() -> None:
    files = {
        "app.py": HELPER,
        "report.py": "from pymilvus import Collection\nfrom app import size\n"
        'print(size(Collection("films")), size(make()))\n',
    }
    results = migrate_files(files)
    assert results["app.py"].text is None
    assert results["report.py"].text is None
    assert statuses(results["report.py"]) == {Status.REPORTED}


# ---- attributes ----------------------------------------------------------------------------------

STORE = """\
from pymilvus import Collection, connections


class Store:
    def __init__(self):
        connections.connect(host="localhost", port="19530")
        self.films = Collection("films")

    def save(self):
        self.films.flush()
"""


def test_an_attribute_that_no_other_file_reads_goes() -> None:
    result = migrate_files(
        {"store.py": STORE, "app.py": "from store import Store\nStore().save()\n"}
    )
    text = result["store.py"].text
    assert text is not None
    assert "Collection(" not in text


def test_an_attribute_that_another_file_reads_is_a_name_there() -> None:
    other = "from store import Store\nstore = Store()\nprint(store.films.num_entities)\n"
    results = migrate_files({"store.py": STORE, "app.py": other})
    assert results["app.py"].text == (
        "from store import Store\nstore = Store()\n"
        'print(store.client.get_collection_stats(store.films)["row_count"])\n'
    )


@pytest.mark.parametrize("use", ["print(find().films)", "def use(store):\n    store.films.load()"])
def test_an_attribute_that_may_be_read_of_something_unknown_stays(use: str) -> None:
    files = {"store.py": STORE, "app.py": f"from store import Store\n{use}\n"}
    result = migrate_files(files)["store.py"]
    assert result.text is None
    assert "7 signature-callers-known" in reasons(result)
    (finding,) = [f for f in result.findings if f.reason == "signature-callers-known"]
    assert "app.py" in finding.message


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("from store import films\nfilms.load()\n", "client.load_collection(films)\n"),
        ("import store\nstore.films.load()\n", 'store.client.load_collection("films")\n'),
        ("import store as s\ns.films.load()\n", 's.client.load_collection("films")\n'),
    ],
)
def test_a_global_that_another_file_reads_is_a_name_there(use: str, expected: str) -> None:
    text = "from pymilvus import Collection, connections\n" + CONNECT
    text += 'films = Collection("films")\nfilms.flush()\n'
    results = migrate_files({"store.py": text, "app.py": use})
    changed = results["app.py"].text
    assert changed is not None
    assert changed.endswith(expected)
    assert results["store.py"].text is not None


# ---- connections ---------------------------------------------------------------------------------

OPENS = "from pymilvus import connections, utility\n" + CONNECT + "utility.list_collections()\n"
USES = 'from pymilvus import utility\n\nprint(utility.has_collection("films"))\n'


def test_a_file_whose_connection_is_opened_elsewhere_is_reported() -> None:
    results = migrate_files({"main.py": OPENS, "uses.py": USES})
    assert results["uses.py"].text is None
    assert reasons(results["uses.py"]) == ["3 connection-in-sight"]


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "import uses\n" + OPENS, "uses.py": USES},
        {"main.py": OPENS, "uses.py": USES, "both.py": "import main, uses\n"},
    ],
    ids=["imports it", "are imported"],
)
def test_a_connection_that_another_file_needs_stays_beside_the_client(
    files: dict[str, str],
) -> None:
    together = migrate_files(files)["main.py"]
    assert together.text is not None
    assert CONNECT in together.text
    assert "client = MilvusClient(" in together.text
    by_symbol = {site.symbol: site for site in together.sites}
    assert by_symbol["connections.connect"].status is Status.REPORTED
    assert by_symbol["utility.list_collections"].status is Status.REWRITTEN


def test_a_file_takes_the_client_of_a_module_that_it_imports() -> None:
    results = migrate_files({"main.py": OPENS, "uses.py": "import main\n" + USES})
    assert results["uses.py"].text == 'import main\n\nprint(main.client.has_collection("films"))\n'


def test_a_connection_goes_when_only_unrelated_files_lack_one() -> None:
    result = migrate_files({"main.py": OPENS, "uses.py": USES})["main.py"]
    assert result.text is not None
    assert "connections" not in result.text


def test_a_file_with_its_own_connection_does_not_keep_another() -> None:
    results = migrate_files({"main.py": OPENS, "other.py": OPENS})
    for result in results.values():
        assert result.text is not None
        assert "connections" not in result.text


GUARDED = (
    "from pymilvus import connections, utility\n\n"
    'if not connections.has_connection("default"):\n'
    f"    {CONNECT}"
    "print(utility.list_collections())\n"
)


def test_a_guard_asks_the_client_when_no_joined_file_connects() -> None:
    result = migrate_files({"main.py": GUARDED, "other.py": OPENS})["main.py"]
    assert result.text is not None
    assert "if client is None:" in result.text
    assert "connections" not in result.text


def test_a_guard_stays_when_a_joined_file_may_have_connected() -> None:
    result = migrate_files({"main.py": "import other\n" + GUARDED, "other.py": OPENS})["main.py"]
    assert result.text is None
    assert reasons(result)[0] == "4 connection-open-before"


def test_a_broken_file_does_not_stop_the_others() -> None:
    results = migrate_files({"main.py": OPENS, "broken.py": "import pymilvus\nprint 'x'\n"})
    assert results["main.py"].text is not None
    assert [f.rule for f in results["broken.py"].findings] == ["MLV001"]


TWO = """\
from pymilvus import connections, utility


def connect():
    connections.connect(host="localhost", port="19530")


def names():
    return utility.list_collections()
"""


@pytest.mark.parametrize(
    ("store", "main", "migrated"),
    [
        (TWO, "import store\n\nstore.connect()\nprint(store.names())\n", True),
        (TWO, f"from pymilvus import connections\nimport store\n\n{CONNECT}store.names()\n", False),
        (
            TWO,
            "from pymilvus import connections\nimport store\n\n"
            f"{CONNECT}store.connect()\nstore.names()\n",
            True,
        ),
        (
            TWO + '\n\nif __name__ == "__main__":\n    connect()\n    names()\n',
            f"from pymilvus import connections\nimport store\n\n{CONNECT}store.names()\n",
            False,
        ),
    ],
    ids=["opens it there", "opens its own", "opens both", "is a script too"],
)
def test_no_client_is_looked_for_that_a_caller_never_made(
    store: str, main: str, migrated: bool
) -> None:
    """The ORM has one connection for all files; a client belongs to the file that made it."""
    result = migrate_files({"store.py": store, "main.py": main})["store.py"]
    assert (result.text is not None) == migrated
    if not migrated:
        assert "client-in-reach" in reasons(result)[0]
        assert "main.py" in result.findings[0].message


# ---- clients that are passed ---------------------------------------------------------------------

TOOLS = """\
from pymilvus import Collection, utility


def make(name: str):
    return Collection(name)


def names():
    return utility.list_collections()


def size(collection):
    return collection.num_entities
"""
SCRIPT = """\
from pymilvus import connections
from tools import make, names, size


def main():
    connections.connect(host="localhost", port="19530")
    print(size(make("films")), names())
"""


def test_helpers_of_a_script_that_connects_get_the_client() -> None:
    results = migrate_files({"tools.py": TOOLS, "main.py": SCRIPT})
    text = results["tools.py"].text
    assert text is not None
    assert "def make(name: str):\n    return name\n" in text  # needs no client any more
    assert "def names(client):\n    return client.list_collections()\n" in text
    assert "def size(client, collection_name):\n" in text
    text = results["main.py"].text
    assert text is not None
    assert 'print(size(client, make("films")), names(client))' in text
    assert results["tools.py"].signatures == [
        "names() becomes names(client)",
        "size(collection) becomes size(client, collection_name)",
        "make() gives the name of the collection, no Collection",
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("def main", "print(map(names, []))\n\n\ndef main"),  # used as a value
        ("    connections", "    names()\n    connections"),  # before there is a client
        ("def main", "def other():\n    return names()\n\n\ndef main"),  # has no client
    ],
)
def test_no_client_is_passed_where_a_caller_has_none(change: tuple[str, str]) -> None:
    results = migrate_files({"tools.py": TOOLS, "main.py": SCRIPT.replace(*change, 1)})
    text = results["tools.py"].text
    assert text is None or "names(client)" not in text


def test_code_of_a_module_that_calls_its_own_helper_has_no_client_to_pass() -> None:
    tools = TOOLS + '\n\nif __name__ == "__main__":\n    print(names())\n'
    text = migrate_files({"tools.py": tools, "main.py": SCRIPT})["tools.py"].text
    assert text is None or "names(client)" not in text


def test_a_module_that_passes_it_on_gets_the_client_too() -> None:
    between = "from tools import names\n\n\ndef both():\n    return names() + names()\n"
    script = SCRIPT.replace("from tools import", "from between import both\nfrom tools import")
    script = script.replace("names())", "both())")
    results = migrate_files({"tools.py": TOOLS, "between.py": between, "main.py": script})
    text = results["between.py"].text
    assert text is not None
    assert "def both(client):\n    return names(client) + names(client)\n" in text
    text = results["main.py"].text
    assert text is not None
    assert "both(client))" in text


# ---- fixtures of pytest --------------------------------------------------------------------------

OPENING = """\
from pymilvus import Collection, connections


def opened(name):
    connections.connect(host="localhost", port="19530")
    return Collection(name)


def size(collection):
    return collection.num_entities
"""
CONFTEST = """\
import pytest
from store import opened


@pytest.fixture(scope="session")
def films():
    collection = opened("films")
    yield collection
    collection.drop()
"""
TEST = """\
import pytest
from store import size


@pytest.mark.slow
def test_size(films):
    assert size(films) == films.num_entities
"""


def test_a_fixture_gives_the_name_to_tests_that_keep_its_own() -> None:
    files = {"store.py": OPENING, "tests/conftest.py": CONFTEST, "tests/test_films.py": TEST}
    results = migrate_files(files)
    text = results["tests/test_films.py"].text
    assert text is not None
    assert "def test_size(films):\n" in text
    assert 'store.client.get_collection_stats(films)["row_count"]\n' in text
    text = results["tests/conftest.py"].text
    assert text is not None
    assert "    yield collection\n    store.client.drop_collection(collection)\n" in text


def test_no_module_imports_a_conftest() -> None:
    conftest = OPENING + CONFTEST.replace("from store import opened\n", "")
    results = migrate_files({"tests/conftest.py": conftest, "tests/test_films.py": TEST})
    assert results["tests/test_films.py"].text is None
    assert results["tests/conftest.py"].text is None


def test_fixtures_that_are_looked_up_by_name_stay() -> None:
    test = TEST + '    assert request.getfixturevalue("films")\n'
    files = {"store.py": OPENING, "tests/conftest.py": CONFTEST, "tests/test_films.py": test}
    results = migrate_files(files)
    assert results["tests/conftest.py"].text is None
    assert results["tests/test_films.py"].text is None


# ---- which files are written ---------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(HELPER)
    (tmp_path / "report.py").write_text("from app import size\nprint(size)\n")
    (tmp_path / "main.py").write_text("import uses\n" + OPENS)
    (tmp_path / "uses.py").write_text(USES)
    return tmp_path


def test_only_the_given_paths_are_written(run_cli: Run, project: Path) -> None:
    (project / "alone.py").write_text(OPENS)
    outcome = run_cli("--write", "alone.py")
    assert "main.py" not in outcome.output
    assert "client = MilvusClient(" in (project / "alone.py").read_text()
    assert (project / "main.py").read_text() == "import uses\n" + OPENS
    assert (project / "app.py").read_text() == HELPER


def test_the_whole_project_is_analysed_whatever_is_given(run_cli: Run, project: Path) -> None:
    """``report.py`` and ``uses.py`` are not given, but they matter."""
    data = json.loads(run_cli("--report", "json", "app.py", "main.py").stdout)
    files = {file["path"]: file for file in data["files"]}
    assert files.keys() == {"app.py", "main.py"}
    assert "signature-callers-known" in [f["reason"] for f in files["app.py"]["findings"]]
    run_cli("--write", "main.py")
    assert CONNECT in (project / "main.py").read_text()


# ---- names that tests replace --------------------------------------------------------------------

SERVICE = """\
from pymilvus import connections, utility


def exists(name):
    connections.connect(host="localhost", port="19530")
    return utility.has_collection(name)
"""


@pytest.mark.parametrize(
    "other",
    [
        'from unittest.mock import patch\npatch("app.utility")\n',
        'from unittest import mock\nimport app\nmock.patch.object(app, "utility")\n',
        'import app\ndef test(monkeypatch):\n    monkeypatch.setattr("app.utility", None)\n',
        'import app\ndef test(monkeypatch):\n    monkeypatch.setattr(app, "utility", None)\n',
    ],
)
def test_what_a_test_replaces_by_name_stays(other: str) -> None:
    result = migrate_files({"app.py": SERVICE, "test_app.py": other})["app.py"]
    assert result.text is None
    (finding,) = result.findings
    assert (finding.place.line, finding.reason) == (6, "signature-callers-known")
    assert "test_app.py" in finding.message


@pytest.mark.parametrize("name", ["films", "find"])
def test_what_holds_or_gives_an_object_stays_where_a_test_replaces_it(name: str) -> None:
    text = "from pymilvus import Collection, connections\n" + CONNECT
    text += 'films = Collection("films")\n\n\ndef find():\n    return films\n\n\nfind().load()\n'
    other = f'from unittest.mock import patch\npatch("app.{name}")\n'
    assert migrate_files({"app.py": text})["app.py"].text is not None
    result = migrate_files({"app.py": text, "test_app.py": other})["app.py"]
    assert result.text is None
    (finding,) = result.findings
    assert finding.reason == "signature-callers-known"
    assert "test_app.py" in finding.message


@pytest.mark.parametrize("other", ['patch("apple.utility")\n', 'patch("app.other")\n'])
def test_other_names_that_a_test_replaces_keep_nothing(other: str) -> None:
    imports = "from unittest.mock import patch\n"
    result = migrate_files({"app.py": SERVICE, "test_app.py": imports + other})["app.py"]
    assert statuses(result) == {Status.REWRITTEN}


def test_who_replaces_a_name_is_migrated_with_it() -> None:
    tests = 'from unittest.mock import patch\npatch("app.utility")\n'
    graph = ModuleGraph({"app.py": ast.parse(SERVICE), "test_app.py": ast.parse(tests)})
    assert graph.related("app.py") == {"test_app.py"}  # also when several processes share the work
