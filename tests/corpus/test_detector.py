"""The detector and the arithmetic behind the table, on programs with a known number of uses.

A measuring instrument that shows 0 proves nothing until it has shown 1: the second half seeds
a use that the report leaves out, and an entry about nothing.
"""

from __future__ import annotations

import json
import shlex
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from . import checks
from .detector import Detected, Site, detect_sources
from .download import unpack
from .expected import ARCHIVES
from .measure import Measured, Tree, measure
from .report import from_data
from .run import is_test, main


def found(source: str, **others: str) -> Detected:
    """Detect in ``main.py``, with further files given as ``name="..."``."""
    sources = {"main.py": source, **{f"{name}.py": text for name, text in others.items()}}
    return detect_sources({path: textwrap.dedent(text) for path, text in sources.items()})


def symbols(source: str, **others: str) -> list[str]:
    return [site.symbol for site in found(source, **others).sites]


# Each program with the sites it holds, in the order of the text.
FORMS = {
    "from_import": (
        """
        from pymilvus import Collection, connections
        connections.connect("default", host="h", port="1")
        c = Collection("x")
        c.load()
        """,
        ["connections.connect", "Collection", "Collection.load"],
    ),
    "aliased_names": (
        """
        from pymilvus import Collection as C, connections as conns, utility as u
        conns.connect(uri="http://h:1")
        if u.has_collection("x"):
            C("x").drop()
        """,
        ["connections.connect", "utility.has_collection", "Collection", "Collection.drop"],
    ),
    "import_module": (
        """
        import pymilvus
        pymilvus.connections.connect()
        c = pymilvus.Collection("x")
        print(c.num_entities)
        """,
        ["connections.connect", "Collection", "Collection.num_entities"],
    ),
    "import_module_as": (
        """
        import pymilvus as pm
        pm.utility.drop_collection("x")
        pm.has_collection("x")
        """,
        ["utility.drop_collection", "utility.has_collection"],
    ),
    "orm_submodules": (
        """
        from pymilvus.orm.collection import Collection
        from pymilvus.orm.connections import connections
        from pymilvus.orm.role import Role
        from pymilvus.orm.utility import list_users
        from pymilvus.orm import utility, db
        import pymilvus.orm.index
        connections.connect()
        c = Collection("x")
        Role("r").create()
        list_users()
        utility.load_state("x")
        db.list_database()
        pymilvus.orm.index.Index(c, "v", {})
        """,
        [
            "connections.connect", "Collection", "Role", "Role.create", "utility.list_users",
            "utility.load_state", "db.list_database", "Index",
        ],
    ),
    "star": (
        """
        from pymilvus import *
        connections.connect()
        c = Collection("x")
        list_collections()
        """,
        ["connections.connect", "Collection", "utility.list_collections"],
    ),
    "old_package": (
        """
        from pymilvus_orm import connections, Collection
        from pymilvus_orm.utility import has_collection
        connections.connect()
        has_collection("x") and Collection("x").load()
        """,
        ["connections.connect", "utility.has_collection", "Collection", "Collection.load"],
    ),
    "inside_functions_and_try": (
        """
        try:
            from pymilvus import Collection, utility
        except ImportError:
            Collection = None
        def f():
            from pymilvus import connections
            connections.connect()
            return Collection("x")
        def g():
            utility.flush_all()
            return f().is_empty
        """,
        ["connections.connect", "Collection", "utility.flush_all", "Collection.is_empty"],
    ),
    "self_attribute": (
        """
        from typing import Optional
        from pymilvus import Collection
        class Store:
            col: Optional[Collection] = None
            def open(self):
                self.col = Collection("x")
            def find(self, v):
                return self.col.search([v], "v", {}, 3)
            @property
            def size(self):
                return self.col.num_entities
        """,
        ["Collection", "Collection.search", "Collection.num_entities"],
    ),
    "parameters": (
        """
        from pymilvus import Collection
        def annotated(c: Collection):
            c.load()
        def quoted(c: "Collection | None" = None):
            c.flush()
        def passed(c, *more):
            c.release()
            more[0].compact()
        passed(Collection("x"), Collection("y"))
        """,
        [
            "Collection.load", "Collection.flush", "Collection.release", "Collection.compact",
            "Collection", "Collection",
        ],
    ),
    "returns_and_tuples": (
        """
        from pymilvus import Collection
        def make():
            return Collection("a"), Collection("b")
        one, two = make()
        one.load()
        two.drop()
        """,
        ["Collection", "Collection", "Collection.load", "Collection.drop"],
    ),
    "module_global": (
        """
        from pymilvus import Collection
        c = None
        def start():
            global c
            c = Collection("x")
        def use():
            c.query("id > 0")
        """,
        ["Collection", "Collection.query"],
    ),
    "containers": (
        """
        from pymilvus import Collection
        table: dict[str, Collection] = {}
        table["a"] = Collection("a")
        table["a"].load()
        for name, c in table.items():
            c.release()
        [c.drop() for c in table.values()]
        """,
        ["Collection", "Collection.load", "Collection.release", "Collection.drop"],
    ),
    "bound_methods_and_threads": (
        """
        import threading
        from functools import partial
        from pymilvus import Collection, has_collection
        c = Collection("x")
        def work(col):
            col.flush()
        threading.Thread(target=work, args=(c,)).start()
        run = partial(c.search, limit=3)
        check = partial(has_collection, "x")
        """,
        ["Collection", "Collection.flush", "Collection.search", "utility.has_collection"],
    ),
    "objects_from_objects": (
        """
        from pymilvus import Collection
        c = Collection("x")
        p = c.partition("p")
        p.load()
        for index in c.indexes:
            print(index.params)
        c2, _ = Collection.construct_from_dataframe("y", None)
        c2.insert([])
        """,
        [
            "Collection", "Collection.partition", "Partition.load", "Collection.indexes",
            "Index.params", "Collection.construct_from_dataframe", "Collection.insert",
        ],
    ),
    "references": (
        """
        from pymilvus import Collection, connections
        def f(x):
            if isinstance(x, Collection):
                x.load()
            return getattr(x, "schema")
        client = connections
        client.connect()
        f(Collection("x"))
        """,
        [
            "Collection", "Collection.load", "getattr(Collection)", "connections",
            "connections.connect", "Collection",
        ],
    ),
    "believes_isinstance": (
        """
        from pymilvus import Collection
        class Store(Base):
            def a(self):
                if not isinstance(self.col, Collection):
                    return
                self.col.load()
            def b(self):
                assert isinstance(self.col, Collection)
                self.col.flush()
            def c(self):
                self.col.drop()
        """,
        ["Collection", "Collection.load", "Collection", "Collection.flush", "Collection.drop"],
    ),
    "item_popped": (
        """
        from pymilvus import Collection
        known = {}
        known["a"] = Collection("x")
        name, collection = known.popitem()
        collection.load()
        name.drop()
        """,
        ["Collection", "Collection.load"],
    ),
    "lambda_and_comprehension": (
        """
        from pymilvus import Collection
        make = lambda n: Collection(n)
        sizes = [make(n).num_entities for n in "ab"]
        """,
        ["Collection", "Collection.num_entities"],
    ),
    "what_each_caller_of_a_helper_gets": (
        """
        from pymilvus import Collection
        def retry(action, times):
            for _ in range(times):
                result = action()
                if result is not None:
                    return result
        def connect():
            return Collection("x")
        other = retry(open_other, 3)
        other.close()
        docs = retry(connect, times=3)
        docs.load()
        """,
        ["Collection", "Collection.load"],
    ),
    "futures": (
        """
        from pymilvus import Collection
        def connect():
            return Collection("x")
        future = executor.submit(connect)
        future.result().load()
        executor.submit(future.result().flush)
        """,
        ["Collection", "Collection.load", "Collection.flush"],
    ),
    "read_by_name": (
        """
        from pymilvus import Collection
        for index in getattr(Collection("x"), "indexes", None) or []:
            print(getattr(index, "field_name", None), index.params)
        """,
        ["getattr(Collection)", "Collection", "getattr(Index)", "Index.params"],
    ),
    "multi_line_chain": (
        """
        from pymilvus import Collection
        (
            Collection("x")
            .load()
        )
        """,
        ["Collection", "Collection.load"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_finds_every_use(form: str) -> None:
    source, expected = FORMS[form]
    assert symbols(source) == expected


# Nothing in these is a use of the ORM, although it looks like one.
LOOKALIKES = {
    "own_class": """
        class Collection:
            def __init__(self, name): ...
            def load(self): ...
        Collection("x").load()
        """,
    "other_library": """
        import pymilvus
        from pymongo.collection import Collection
        from sqlalchemy import db, Index
        c = Collection("x")
        c.insert({})
        Index("i").drop()
        db.create_database("x")
        """,
    "import_shadowed_by_import": """
        from pymilvus import Collection
        from app.interface import Collection
        def f():
            Collection("x").load()
        """,
    "import_shadowed_by_parameter": """
        from pymilvus import Collection, utility
        def f(Collection, utility):
            Collection("x").load()
            utility.drop_collection("x")
        """,
    "name_rebound": """
        from pymilvus import utility
        utility = object()
        utility.has_collection("x")
        """,
    "client": """
        from pymilvus import MilvusClient, DataType
        client = MilvusClient("x.db")
        client.load_collection("x")
        client.search("x", [[1]])
        """,
    "stays_valid": """
        from pymilvus import CollectionSchema, FieldSchema, DataType, AnnSearchRequest, RRFRanker
        from pymilvus.exceptions import MilvusException
        from pymilvus.client.types import LoadState
        s = CollectionSchema([FieldSchema("id", DataType.INT64, is_primary=True)])
        print(s.fields, s.description, LoadState.Loaded)
        AnnSearchRequest([[1]], "v", {}, 3)
        """,
    "annotation_only": """
        from pymilvus import Collection
        def f(c: Collection) -> Collection: ...
        """,
    "text_only": """
        import pymilvus
        print("Collection('x').load()")
        # connections.connect()
        """,
}


@pytest.mark.parametrize("case", LOOKALIKES)
def test_leaves_lookalikes_alone(case: str) -> None:
    assert symbols(LOOKALIKES[case]) == []


def test_a_rebound_variable_is_no_collection_any_more() -> None:
    source = """
        from pymilvus import Collection
        c = Collection("x")
        c.load()
        c = open("x")
        c.flush()
        """
    assert symbols(source) == ["Collection", "Collection.load"]


def test_a_variable_that_may_be_a_collection_counts() -> None:
    source = """
        from pymilvus import Collection
        def f(flag):
            c = None
            if flag:
                c = Collection("x")
            c.load()
        """
    assert symbols(source) == ["Collection", "Collection.load"]


def test_objects_are_followed_across_files() -> None:
    detected = found(
        """
        from store import collection, Store
        collection.load()
        Store().col.flush()
        """,
        store="""
        from pymilvus import Collection
        collection = Collection("x")
        class Store:
            def __init__(self):
                self.col = Collection("y")
        """,
    )
    by_file = Counter(site.path for site in detected.sites)
    assert by_file == {"main.py": 2, "store.py": 2}
    assert all(site.crossing for site in detected.sites)


def test_objects_that_stay_in_their_file_do_not_cross() -> None:
    detected = found(
        """
        from pymilvus import Collection
        def use(c):
            c.load()
        use(Collection("x"))
        """,
        other="import main\n",
    )
    assert [site.crossing for site in detected.sites] == [False, False]


def test_an_object_from_an_unknown_caller_crosses() -> None:
    detected = found("from pymilvus import Collection\ndef f(c: Collection):\n    c.load()\n")
    assert [site.crossing for site in detected.sites] == [True]


def marked(source: str, **others: str) -> list[int]:
    return sorted(found(source, **others).marks.get("main.py", ()))


# Lines that hold something of the ORM which is no site, without those of the imports.
MARKS = {
    "result_of_a_write": (
        """
        from pymilvus import Collection
        def write(c: Collection):
            result = c.insert([])
            return result
        class Store:
            def __init__(self):
                self.col = Collection("x")
            def add(self):
                self.res = self.col.insert([])
                return self.res.primary_keys
        print(write(Collection("y")).insert_count)
        number = len([])
        """,
        [2, 3, 4, 5, 8, 10, 11, 12],
    ),
    "result_of_a_write_in_a_thread": (
        """
        from pymilvus import Collection
        c = Collection("x")
        future = executor.submit(c.insert, [])
        print(future.result().insert_count)
        async def write(loop):
            result = await loop.run_in_executor(None, c.insert, [])
            number = len([])
            print(result.insert_count)
        """,
        [2, 3, 4, 5, 7, 9],
    ),
    "name_that_left": (
        """
        from pymilvus import LocalBulkWriter, DEFAULT_RESOURCE_GROUP, SearchResult
        writer = LocalBulkWriter(1)
        print(DEFAULT_RESOURCE_GROUP)
        print(SearchResult)
        """,
        [2, 3, 4],
    ),
    "method_under_another_name": (
        """
        from pymilvus import connections
        add = connections.add_connection
        add(test={})
        sub = len
        sub([])
        """,
        [2, 3, 4],
    ),
    "function_that_gives_or_takes_one": (
        """
        from pymilvus import Collection
        def make():
            return Collection("x")
        def use(
            flag,
            c,
        ):
            pass
        def other():
            return 1
        use(1, make())
        """,
        [2, 3, 4, 7, 12],
    ),
    "object_read_by_a_computed_name": (
        """
        from pymilvus import Collection
        class Store:
            def __init__(self):
                self.col = Collection("x")
            def read(self, name):
                number = getattr(self, "number")
                return getattr(self, f"{name}l")
        number = getattr(Collection, "number")
        """,
        [2, 5, 8, 9],
    ),
    "parameter_named_after_a_class": (
        """
        from pymilvus import connections
        def use(collection, thing):
            collection.load()
            thing.load()
        def called(collection):
            collection.load()
        called(1)
        """,
        [2, 4],
    ),
}


@pytest.mark.parametrize("case", MARKS)
def test_marks_what_is_no_site(case: str) -> None:
    source, expected = MARKS[case]
    assert marked(source) == expected


def test_a_parameter_named_after_a_class_needs_the_orm_in_its_file() -> None:
    assert marked("import pymilvus\ndef use(collection):\n    collection.load()\n") == [1]


def test_a_fixture_is_seen_where_pytest_sees_it() -> None:
    conftest = "import pytest\nfrom pymilvus import Collection\n@pytest.fixture\n"
    conftest += "def col():\n    yield Collection('x')\n"
    use = "def test_it(col):\n    col.load()\n"
    texts = {
        "tests/conftest.py": conftest,
        "tests/inner/test_a.py": use,
        "tests/test_b.py": use.replace("col", "other"),
        "elsewhere/test_c.py": use,
        "tests/test_d.py": conftest.replace("col", "other"),
    }
    # Files that import nothing of the project are looked at only when they name the library.
    texts = {path: f"import pymilvus\n{text}" for path, text in texts.items()}
    sites = {s.path for s in detect_sources(texts).sites if s.symbol == "Collection.load"}
    assert sites == {"tests/inner/test_a.py"}


def test_columns_count_characters() -> None:
    detected = found('from pymilvus import utility\nx = "äöü"; utility.drop_collection("é")\n')
    assert [(s.line, s.column) for s in detected.sites] == [(2, 20)]


def test_an_unreadable_file_is_named_and_does_not_stop_the_others() -> None:
    detected = found("import pymilvus\nprint 'x'\n", other="import pymilvus\npymilvus.db.f()\n")
    assert list(detected.unreadable) == ["main.py"]
    assert [site.symbol for site in detected.sites] == ["db.f"]


# -- the arithmetic ------------------------------------------------------------------------

OLD = """\
from pymilvus import Collection, connections
connections.connect(host="h")
c = Collection("x")
c.load()
c.flush()
"""
#: `flush` is migrated; the three other uses stay.
HALF = OLD.replace("c.flush()", 'client.flush("x")')


def entry(line: int, **more: Any) -> dict[str, Any]:
    given = {"line": line, "column": 1, "rule": "MLV000", "reason": "why", "symbol": "s"}
    return {**given, **more}


def fake_report(
    *lines: int, changed: bool = False, findings: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    """A report that lists the uses on ``lines`` as staying."""
    sites = [entry(line, status="reported") for line in lines]
    file = {"path": "main.py", "changed": changed, "findings": list(findings), "sites": sites}
    return {"files": [file]}


def judged(old: str, new: str, first: dict[str, Any], second: dict[str, Any]) -> Measured:
    def tree(text: str) -> Tree:
        return Tree({"main.py": text}, detect_sources({"main.py": text}))

    root = Path()
    return measure("x", tree(old), tree(new), from_data(first, root), from_data(second, root))


def test_everything_reported() -> None:
    result = judged(OLD, OLD, fake_report(2, 3, 4, 5), fake_report(2, 3, 4, 5))
    assert (result.sites, result.migrated, result.reported) == (4, 0, 4)
    assert (result.missed, result.dangling, result.unlisted, result.untouched) == ([], [], [], 1)


def test_a_seeded_miss_is_missed() -> None:
    result = judged(OLD, OLD, fake_report(2, 3, 5), fake_report(2, 3, 5))
    assert result.missed == ["main.py:4:3 Collection.load"]
    assert result.reported == 3
    assert result.unlisted == ["main.py:4:3 Collection.load"]


def test_a_seeded_entry_about_nothing_dangles() -> None:
    old = f"{OLD}x = 1\n"
    result = judged(old, old, fake_report(2, 3, 4, 5, 6), fake_report(2, 3, 4, 5, 6))
    assert result.dangling == ["main.py:6:1 MLV000 why s"]
    assert result.missed == []


def test_a_finding_is_a_report_too_and_an_error_or_note_is_not() -> None:
    def second(severity: str) -> dict[str, Any]:
        return fake_report(2, 3, 5, findings=(entry(4, severity=severity),))

    assert judged(OLD, OLD, second("blocked"), second("blocked")).missed == []
    assert len(judged(OLD, OLD, second("note"), second("note")).missed) == 1
    wrong = judged(OLD, OLD, second("error"), second("error"))
    assert len(wrong.missed) == 1
    assert wrong.errors == ["main.py: MLV000 why"]
    assert not wrong.clean


def test_migrated_uses_are_those_that_are_gone() -> None:
    result = judged(OLD, HALF, fake_report(2, 3, 4), fake_report(2, 3, 4))
    assert (result.migrated, result.reported, result.partly) == (1, 3, 1)
    assert result.missed == []
    assert result.unlisted == ["main.py:5:3 Collection.flush"]
    assert (result.core, result.core_migrated) == (4, 1)
    assert result.core_left[0] == "main.py:2:13 connections.connect (MLV000 why)"
    assert result.core_reasons == {"MLV000 why": 3}


def test_an_unchanged_use_out_of_sight_is_no_migrated_use() -> None:
    """The tool takes away what made `c` a Collection, and leaves `c.load()` behind."""
    new = OLD.replace('c = Collection("x")', "c = thing()").replace("c.flush()", "pass")
    result = judged(OLD, new, fake_report(2), fake_report(2))
    assert result.missed == ["main.py:4:3 Collection.load (out of sight)"]
    assert result.migrated == 2


def test_a_use_that_the_tool_adds_has_to_be_reported() -> None:
    result = judged(OLD, f"{OLD}c.drop()\n", fake_report(2, 3, 4, 5), fake_report(2, 3, 4, 5))
    assert result.missed == ["main.py:6:3 Collection.drop"]


def test_two_uses_on_a_line_and_one_entry_is_shown() -> None:
    old = "from pymilvus import Collection\nCollection('x').load()\n"
    assert judged(old, old, fake_report(2), fake_report(2)).hidden == [
        "main.py:2 2 uses, 1 entries"
    ]


def test_a_second_run_that_changes_is_counted() -> None:
    result = judged(OLD, OLD, fake_report(2, 3, 4, 5), fake_report(2, 3, 4, 5, changed=True))
    assert result.again == ["main.py"]


def test_a_changed_line_that_has_nothing_to_do_with_the_orm_is_counted() -> None:
    old = f"{OLD}answer = 6  * 7\n"
    new = HALF + "answer = 6 * 7\n"
    result = judged(old, new, fake_report(2, 3, 4), fake_report(2, 3, 4))
    assert result.outside == ["main.py:6 answer = 6  * 7"]


def test_lines_of_schemas_and_of_an_emptied_else_are_no_surprise() -> None:
    old = """\
from pymilvus import Collection, CollectionSchema, FieldSchema
one = FieldSchema("a", 1)
fields = [one,
          one]
if one:
    c = Collection("x", CollectionSchema(fields))
else:
    c = Collection("x")
if one:
    pass
else:
    pass
"""
    new = """\
if one:
    create("x")
"""
    result = judged(old, new, fake_report(), fake_report())
    assert result.outside == ["main.py:10 pass", "main.py:11 else:", "main.py:12 pass"]


def test_docstrings_that_name_a_parameter_or_a_class_are_no_surprise() -> None:
    old = """\
from pymilvus import Collection
def fill(docs: Collection):
    '''Fill.

    docs: what to fill
    Returns: a Collection
    Raises: nothing
    '''
    docs.flush()
"""
    result = judged(old, "", fake_report(), fake_report())
    assert result.outside == ["main.py:3 '''Fill.", "main.py:7 Raises: nothing", "main.py:8 '''"]


def test_tests_of_the_pages_of_an_iterator_are_no_surprise() -> None:
    old = """\
from pymilvus import Collection
c = Collection("x")
it = c.search_iterator([[1]], "v", {}, limit=2)
while True:
    page = it.next()
    if len(page) == 0:
        break
    answer = len(page)
"""
    new = """\
while True:
    page = it.next()
    if not page:
        break
    answer = 0
"""
    result = judged(old, new, fake_report(), fake_report())
    assert result.outside == ["main.py:8 answer = len(page)"]


def test_only_what_counts_is_measured() -> None:
    """Files that came with an earlier archive are seen, and left out of the numbers."""
    texts = {"main.py": OLD, "known.py": OLD}
    counted = Tree({"main.py": OLD}, detect_sources(texts))
    data = fake_report(2, 3, 4, 5, 1)
    data["files"].append({**fake_report(6)["files"][0], "path": "known.py"})
    report = from_data(data, Path()).of({"main.py"})
    result = measure("x", counted, counted, report, report)
    assert (result.counted, result.sites, result.reported) == (4, 4, 4)
    assert result.dangling == []


def test_a_file_that_lends_its_connection_is_not_self_contained() -> None:
    texts = {
        "main.py": OLD + "import helper\n",
        "helper.py": "from pymilvus import utility\nutility.has_collection('x')\n",
    }
    tree = Tree(texts, detect_sources(texts))
    none = from_data({"files": []}, Path())
    assert measure("x", tree, tree, none, none).core == 0


FAKE_TOOL = """
import json, pathlib, sys
path = pathlib.Path("main.py")
text = path.read_text()
changed = "c.flush()" in text
if "--write" in sys.argv:
    path.write_text(text.replace("c.flush()", "client.flush('x')"))
sites = [
    {"path": "main.py", "line": n, "column": 1, "symbol": "s", "rule": "MLV000",
     "status": "reported", "reason": "because"}
    for n in (2, 3)
]
sites.append({**sites[0], "line": 5, "status": "rewritten"})
sites.append({**sites[0], "line": 6})
file = {"path": "main.py", "changed": changed, "findings": [], "sites": sites}
out = sys.argv[sys.argv.index("--report") + 1].removeprefix("json=")
pathlib.Path(out).write_text(json.dumps({"files": [file]}))
sys.exit(1)
"""


def test_the_command_with_a_tool_that_errs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One miss (line 4), one dangling entry (line 6), one undefined name (client)."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.py").write_text(f"{OLD}x = 1\n")
    tool = tmp_path / "tool.py"
    tool.write_text(FAKE_TOOL)
    numbers = tmp_path / "numbers.json"
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(tool))}"
    code = main(
        ["--folders", str(project), "--no-types", "--tool", command, "--json", str(numbers)]
    )
    assert code == 1
    (measured,) = json.loads(numbers.read_text())
    assert (measured["migrated"], measured["reported"]) == (1, 2)
    assert measured["missed"] == ["main.py:4:3 Collection.load"]
    assert measured["dangling"] == ["main.py:6:1 MLV000 because s"]
    assert measured["static"] == ["main.py:5 F821 Undefined name `client`"]
    assert measured["syntax"] == []
    assert measured["core_reasons"] == {"MLV000 because": 2, "missed": 1}
    assert "missed: still there, not in the report (1)" in capsys.readouterr().out
    assert (project / "main.py").read_text() == f"{OLD}x = 1\n"


def test_a_tool_that_fails_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "main.py").write_text(OLD)
    assert (
        main(["--folders", str(tmp_path), "--no-types", "--tool", f"{sys.executable} -c 1/0"]) == 2
    )
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_only_new_errors_count_and_types_are_those_of_the_client(tmp_path: Path) -> None:
    good = "from pymilvus import MilvusClient\nclient = MilvusClient('x.db')\nx = y\n"
    bad = good + "client.search(1, [[0.5]])\nclient.serach('c')\nimport os\n"
    for side, text in (("old", good), ("new", bad)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "main-1.py").write_text(text)
    sides = (tmp_path / "old", tmp_path / "new", ["main-1.py"])
    static = checks.new_static_errors(*sides)
    assert static == ["main-1.py:6 F401 `os` imported but unused"]
    types = checks.new_type_errors(*sides, tmp_path)
    assert [line.split('"')[0] for line in types] == ["main-1.py:4 Argument 1 to ", "main-1.py:5 "]


def test_an_old_complaint_may_name_another_line(tmp_path: Path) -> None:
    old = "from a import x\nfrom b import x\nprint(x)\n"
    for side, text in (("old", old), ("new", f"import sys\n{old}print(sys)\n")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.py").write_text(text)
    assert checks.new_static_errors(tmp_path / "old", tmp_path / "new", ["m.py"]) == []


def test_unpacking_never_leaves_the_folder(tmp_path: Path) -> None:
    import zipfile

    packed = tmp_path / "a.whl"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("../out.py", "/abs.py", "in/ok.py", "in/data.bin"):
            archive.writestr(name, "x = 1")
    unpack(packed, tmp_path / "target")
    written = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(written) == ["a.whl", "target/in/ok.py"]


def test_the_list_of_archives_is_whole() -> None:
    assert len(ARCHIVES) == 19
    assert sum(archive.sites for archive in ARCHIVES) == 1245
    assert len({archive.label for archive in ARCHIVES}) == 19


def test_test_files_are_known_by_place_and_name() -> None:
    assert [is_test(n) for n in ("tests/a.py", "src/test_a.py", "conftest.py", "a_test.py")] == [
        True
    ] * 4
    assert not is_test("src/contest.py")


def test_a_site_covers_the_lines_of_its_receiver() -> None:
    assert list(Site("a.py", 5, 1, "s", first=3).lines) == [3, 4, 5]


MIXED = {
    "keeping": """
        from pymilvus import Collection
        class Keeping:
            def open(self):
                self.docs = Collection("x")
        """,
    "asking": """
        class Asking:
            def ask(self):
                return self.docs.query("id > 0")
        """,
}


def test_what_one_mixin_sets_another_one_reads() -> None:
    mixing = """
        from keeping import Keeping
        from asking import Asking
        class Store(Asking, Keeping):
            pass
        """
    detected = found(mixing, **MIXED, __init__="from .asking import *\nfrom .keeping import *\n")
    (asked,) = [site for site in detected.sites if site.path == "asking.py"]
    assert (asked.symbol, asked.crossing) == ("Collection.query", True)


def test_classes_that_nothing_mixes_share_nothing() -> None:
    apart = """
        from keeping import Keeping
        from asking import Asking
        Keeping().open()
        """
    detected = found(apart, **MIXED, __init__="from .asking import *\nfrom .keeping import *\n")
    assert [site.path for site in detected.sites] == ["keeping.py"]
