"""Objects that come from other files, or through places that are not followed to rewrite: none of
their uses goes unseen."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migrate_milvus.model import FileResult
from tests.engine.helpers import migrate_files

STORE = """\
from pymilvus import Collection


class Store:
    def __init__(self):
        self.col = Collection("films")

    def parts(self):
        return self.col.partitions

    def itself(self):
        return self


def make():
    return Collection("films")
"""


def uses(result: FileResult) -> list[str]:
    """The sites: line and symbol."""
    return [f"{site.place.line} {site.symbol}" for site in result.sites]


def migrated(**files: str) -> dict[str, FileResult]:
    """The results for files whose names are written with ``__`` for the slash."""
    return migrate_files({f"{name.replace('__', '/')}.py": dedent(t) for name, t in files.items()})


def uses_in(name: str, **files: str) -> list[str]:
    """The sites in one of several files."""
    return uses(migrated(**files)[name])


# Each program with what it does to objects of ``store.py``.
PROGRAMS = {
    "attribute of an instance": (
        "from store import Store\nStore().col.load()\n",
        ["2 Collection.load"],
    ),
    "result of a function": ("from store import make\nmake().load()\n", ["2 Collection.load"]),
    "list that a method returns": (
        "import store\nfor part in store.Store().parts():\n    print(part.name)\n",
        ["3 Partition.name"],
    ),
    "element by number": (
        "from store import Store\nparts = Store().parts()\nparts[0].load()\n",
        ["3 Partition.load"],
    ),
    "method that returns the object": (
        "from store import Store\nStore().itself().itself().col.flush()\n",
        ["2 Collection.flush"],
    ),
    "parameter annotated with the class": (
        "from store import Store\ndef use(store: Store):\n    store.col.load()\n",
        ["3 Collection.load"],
    ),
    "inherited attribute": (
        "from store import Store\nclass My(Store):\n    def use(self):\n        self.col.load()\n",
        ["4 Collection.load"],
    ),
    "name that is imported again": (
        "from store import Collection\nprint(Collection('x').num_entities)\n",
        ["2 Collection", "2 Collection.num_entities"],
    ),
    "name by star import": (
        "from store import *\nprint(Collection('x').name)\nmake().load()\n",
        ["2 Collection", "2 Collection.name", "3 Collection.load"],
    ),
    "name by the module": (
        "import store\nprint(store.Collection('x').name)\n",
        ["2 Collection", "2 Collection.name"],
    ),
    "function for each element": (
        "from store import Store\nprint(list(map(lambda part: part.name, Store().parts())))\n",
        ["2 Partition.name"],
    ),
    "key of a sort": (
        "from store import Store\nprint(sorted(Store().parts(), key=lambda part: part.name))\n",
        ["2 Partition.name"],
    ),
    "other objects": (
        "from store import Store\nimport chromadb\n"
        "chromadb.Client().get_collection('x').delete(expr='')\nStore().other.load()\n",
        [],
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_what_another_file_makes_is_seen(case: str) -> None:
    text, expected = PROGRAMS[case]
    results = migrate_files({"store.py": STORE, "main.py": text})
    found = uses(results["main.py"]) if "main.py" in results else []
    assert found == expected


def test_a_chain_of_files_is_followed() -> None:
    assert uses_in(
        "d.py",
        a="from pymilvus import Collection\nclass A:\n    col = Collection('x')\n",
        b="from a import A\nclass B(A):\n    pass\n",
        c="from b import B\ndef get():\n    return B()\n",
        d="from c import get\nget().col.load()\n",
    ) == ["2 Collection.load"]


def test_files_that_import_each_other_end() -> None:
    assert uses_in(
        "b.py",
        a="import b\nfrom pymilvus import Collection\nclass A:\n    def b(self):\n"
        "        return b.B(self)\n    def c(self):\n        return Collection('x')\n",
        b="import a\nclass B:\n    def __init__(self, owner: a.A):\n        self.owner = owner\n"
        "    def use(self):\n        self.owner.b().owner.c().load()\n",
    ) == ["6 Collection.load"]


def test_a_context_manager_of_another_file() -> None:
    store = """
        from contextlib import contextmanager
        from pymilvus import Collection
        class Opened:
            def __init__(self):
                self.col = Collection("x")
            def __enter__(self):
                return self
            def __exit__(self, *_):
                pass
        @contextmanager
        def opened():
            yield Collection("y")
        """
    main = """
        from store import Opened, opened
        with Opened() as one, opened() as other:
            one.col.load()
            other.flush()
        """
    assert uses_in("main.py", store=store, main=main) == ["4 Collection.load", "5 Collection.flush"]


def test_a_fixture_of_a_conftest() -> None:
    conftest = """
        import pytest
        from pymilvus import Collection
        @pytest.fixture
        def films():
            made = Collection("films")
            yield made
            made.drop()
        """
    use = "import pymilvus\ndef test_it(films):\n    films.load()\n"
    files = {
        "tests__conftest": conftest,
        "tests__deep__test_a": use,
        "other__test_b": use,
        "tests__test_c": "import pymilvus\ndef helper(films):\n    films.load()\n",
    }
    assert uses_in("tests/deep/test_a.py", **files) == ["3 Collection.load"]
    assert {name for name, result in migrated(**files).items() if uses(result)} == {
        "tests/conftest.py",
        "tests/deep/test_a.py",
    }


def test_what_a_function_of_another_file_is_passed() -> None:
    main = "from pymilvus import Collection\nimport helper\nc = Collection('x')\n"
    main += "helper.show(1, c)\nhelper.Shower().use(col=c)\n"
    helper = "import pymilvus\ndef show(number, col):\n    print(col.num_entities)\n"
    helper += "class Shower:\n    def use(self, col):\n        col.load()\n"
    assert uses_in("helper.py", main=main, helper=helper) == [
        "3 Collection.num_entities",
        "6 Collection.load",
    ]


# What one file does to its own objects, in ways that are seen but not rewritten.
PLACES = {
    "ordered dict": """
        from collections import OrderedDict
        from pymilvus import Collection
        known = OrderedDict()
        known["x"] = Collection("x")
        known["x"].load()
        name, last = known.popitem()
        last.release()
        print(name.title())
        """,
    "dict comprehension": """
        from pymilvus import Collection
        known = {name: Collection(name) for name in "ab"}
        for name, col in known.items():
            col.load()
            print(name.title())
        for col in known.values():
            col.release()
        """,
    "annotation of several": """
        from typing import Sequence
        from pymilvus import Collection
        def use(cols: Sequence[Collection], strings: list[str]):
            for col in cols:
                col.load()
            cols[0].release()
            strings[0].title()
        """,
    "tested by isinstance": """
        from pymilvus import Collection
        from pymilvus.orm.mutation import MutationResult
        from langchain import Base
        class Mine(Base):
            def one(self):
                assert isinstance(self.col, Collection)
                self.col.load()
            def two(self, thing):
                if isinstance(thing, Collection):
                    thing.release()
                else:
                    thing.other()
                assert isinstance(self.res, MutationResult)
                print(self.res.primary_keys)
        """,
}


@pytest.mark.parametrize("case", PLACES)
def test_places_that_hold_objects(case: str) -> None:
    (result,) = migrate_files({"main.py": dedent(PLACES[case])}).values()
    members = [site.symbol for site in result.sites if "." in site.symbol]
    assert members == ["Collection.load", "Collection.release"]
    assert result.text is None


def test_a_name_that_another_file_imports_again_goes_with_its_use() -> None:
    db = "from pymilvus import Collection, connections\n"
    main = "from db import Collection, connections\n\n"
    main += 'connections.connect(host="localhost", port="19530")\nCollection("x").load()\n'
    results = migrate_files({"db.py": db, "main.py": main})
    assert results["main.py"].text == (
        "from pymilvus import MilvusClient\n\n"
        'client = MilvusClient(uri="http://localhost:19530")\nclient.load_collection("x")\n'
    )


def test_a_star_import_does_not_keep_what_its_importer_binds_itself() -> None:
    store = "from pymilvus import Collection, connections\n"
    store += 'connections.connect(host="h", port="1")\nCollection("x").load()\nLIMIT = 3\n'
    main = "from store import *\ndef use():\n    from pymilvus import Collection\n"
    main += "    print(LIMIT, Collection)\n"
    text = migrate_files({"store.py": store, "main.py": main})["store.py"].text
    assert text is not None
    assert "Collection," not in text


def test_an_answer_that_the_program_makes_itself_is_none_of_the_library() -> None:
    text = """\
        from pymilvus import utility, connections
        from pymilvus.client.types import Group, Replica
        connections.connect(host="localhost", port="19530")
        print(utility.list_collections())
        made = Replica([Group(1, [], [], "", {})])
        print(made.groups)
        """
    result = migrated(main=text)["main.py"]
    assert uses(result) == ["3 connections.connect", "4 utility.list_collections"]
    assert result.text is not None
    assert result.text.endswith("print(made.groups)\n")
