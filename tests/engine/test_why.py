"""``--why FILE:LINE`` prints how a value on that line is known to be what it is."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import Run

CONNECT = 'connections.connect(host="localhost", port="19530")'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def why(run: Run, project: Path, text: str, line: int) -> list[str]:
    """What is printed, line by line."""
    (project / "app.py").write_text(dedent(text).lstrip().replace("CONNECT", CONNECT))
    outcome = run("--why", f"app.py:{line}")
    assert outcome.exit_code == 0
    assert "CONNECT" not in (project / "app.py").read_text()
    return outcome.output.splitlines()


def test_a_local_variable(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection as Films, connections
        CONNECT
        def save():
            docs = Films("docs")
            copy = docs
            copy.flush()
        """
    assert why(run_cli, project, text, 6) == [
        "app.py:6:5: MLV212 Collection.flush: rewritten",
        "    6:5 copy.flush() is Collection.flush",
        "    5:5 copy = docs",
        '    4:5 docs = Films("docs")',
        "    1:22 from pymilvus import Collection as Films, connections",
    ]


def test_an_attribute_set_in_another_method(run_cli: Run, project: Path) -> None:
    text = """
        import pymilvus as pm
        class Store:
            def __init__(self):
                pm.CONNECT
                self.docs = pm.Collection("docs")
            def save(self):
                self.docs.flush()
        """
    assert why(run_cli, project, text, 7) == [
        "app.py:7:9: MLV212 Collection.flush: rewritten",
        "    7:9 self.docs.flush() is Collection.flush",
        '    5:9 self.docs = pm.Collection("docs")',
        "    1:8 import pymilvus as pm",
    ]


PARAMETER = """
    from pymilvus import Collection, connections
    CONNECT
    def size(collection):
        return collection.num_entities
    def report(held):
        print(size(held))
    docs = Collection("docs")
    report(docs)
    """


def test_a_parameter_through_its_callers(run_cli: Run, project: Path) -> None:
    printed = why(run_cli, project, PARAMETER, 4)
    assert printed[:2] == [
        "app.py:4:12: MLV211 Collection.num_entities: rewritten",
        "    4:12 collection.num_entities is Collection.num_entities",
    ]
    assert [step.split()[0] for step in printed[1:]] == [
        "4:12",
        "3:10",
        "6:16",
        "5:12",
        "8:8",
        "7:1",
        "1:22",
    ]
    assert printed[3] == "    6:16 passed as held"
    assert printed[-2] == '    7:1 docs = Collection("docs")'


def test_the_parameter_itself_is_named(run_cli: Run, project: Path) -> None:
    assert "collection" in why(run_cli, project, PARAMETER, 4)[2]


def test_what_a_function_returns(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection, connections
        CONNECT
        def opened(name):
            collection = Collection(name)
            return collection
        opened("docs").flush()
        """
    assert why(run_cli, project, text, 6) == [
        "app.py:6:1: MLV212 Collection.flush: rewritten",
        '    6:1 opened("docs").flush() is Collection.flush',
        "    5:5 return collection",
        "    4:5 collection = Collection(name)",
        "    1:22 from pymilvus import Collection, connections",
    ]


def test_a_global_of_the_module(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection, connections
        docs = None
        def start():
            global docs
            CONNECT
            docs = Collection("docs")
        def save():
            docs.flush()
        """
    assert why(run_cli, project, text, 8) == [
        "app.py:8:5: MLV212 Collection.flush: rewritten",
        "    8:5 docs.flush() is Collection.flush",
        '    6:5 docs = Collection("docs")',
        "    1:22 from pymilvus import Collection, connections",
    ]


def test_an_import_under_another_name(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import connections, utility as tools
        CONNECT
        print(tools.list_collections())
        """
    assert why(run_cli, project, text, 3) == [
        "app.py:3:7: MLV601 utility.list_collections: rewritten",
        "    3:7 tools.list_collections() is utility.list_collections",
        "    1:35 from pymilvus import connections, utility as tools",
    ]


ANNOTATION = """
    from typing import Optional
    from pymilvus import Collection
    def save(docs: Optional[Collection]) -> None:
        docs.flush()
    """


def test_an_annotation(run_cli: Run, project: Path) -> None:
    printed = why(run_cli, project, ANNOTATION, 4)
    assert printed[:2] == [
        "app.py:4:5: MLV212 Collection.flush: reported (signature-callers-known at line 3)",
        "    4:5 docs.flush() is Collection.flush",
    ]
    assert printed[2].startswith("    3:10 ")


def test_the_annotation_itself_is_named(run_cli: Run, project: Path) -> None:
    assert "Optional[Collection]" in why(run_cli, project, ANNOTATION, 4)[2]


def test_a_site_that_is_refused(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection, connections
        CONNECT
        docs = Collection("docs")
        show(docs)
        docs.flush()
        """
    assert why(run_cli, project, text, 5) == [
        "app.py:5:1: MLV212 Collection.flush: reported (object-in-sight at line 4)",
        "    5:1 docs.flush() is Collection.flush",
        '    3:1 docs = Collection("docs")',
        "    1:22 from pymilvus import Collection, connections",
    ]


def test_several_sites_on_one_line(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection, connections
        CONNECT
        docs = Collection("docs"); docs.flush()
        """
    printed = why(run_cli, project, text, 3)
    assert [line for line in printed if not line.startswith(" ")] == [
        "app.py:3:8: MLV210 Collection: rewritten",
        "app.py:3:28: MLV212 Collection.flush: rewritten",
    ]


def test_a_chain_that_turns_in_a_circle_ends(run_cli: Run, project: Path) -> None:
    text = """
        from pymilvus import Collection, connections
        CONNECT
        def walk(docs, depth):
            docs.flush()
            walk(docs, depth - 1)
        walk(Collection("docs"), 3)
        """
    printed = why(run_cli, project, text, 4)
    assert any("6:6 passed as Collection" in line for line in printed)
    assert len(printed) < 10


def test_a_line_without_a_use(run_cli: Run, project: Path) -> None:
    text = "from pymilvus import Collection\nprint()\n"
    assert why(run_cli, project, text, 2) == ["app.py:2: no ORM use was found on this line"]


def files(folder: Path, texts: dict[str, str]) -> None:
    """Write files of a project."""
    for name, text in texts.items():
        (folder / name).write_text(dedent(text).lstrip().replace("CONNECT", CONNECT))


ACROSS = {
    "main.py": """
        from pymilvus import Collection, connections
        from store import Store
        from tools import size
        CONNECT
        docs = Collection("docs")
        print(size(docs), Store(docs).load())
        """,
    "tools.py": """
        def size(collection):
            return collection.num_entities
        """,
    "base.py": """
        class Base:
            def __init__(self, held):
                self.held = held
        """,
    "store.py": """
        from base import Base
        class Store(Base):
            def load(self):
                self.held.load()
        """,
}


def test_a_parameter_whose_callers_are_in_another_file(run_cli: Run, project: Path) -> None:
    """The file never names the library."""
    files(project, ACROSS)
    assert run_cli("--why", "tools.py:2").output.splitlines()[1:] == [
        "    2:12 collection.num_entities is Collection.num_entities",
        "    1:10 parameter collection",
        "    main.py:6:12 passed as docs",
        '    main.py:5:1 docs = Collection("docs")',
        "    main.py:1:22 from pymilvus import Collection, connections",
    ]


def test_an_attribute_of_a_base_class_in_another_file(run_cli: Run, project: Path) -> None:
    files(project, ACROSS)
    assert run_cli("--why", "store.py:4").output.splitlines()[1:] == [
        "    4:9 self.held.load() is Collection.load",
        "    base.py:3:9 self.held = held",
        "    base.py:2:24 parameter held",
        "    main.py:6:25 passed as docs",
        '    main.py:5:1 docs = Collection("docs")',
        "    main.py:1:22 from pymilvus import Collection, connections",
    ]


def test_a_global_and_a_function_of_another_file(run_cli: Run, project: Path) -> None:
    texts = {
        "db.py": """
            from pymilvus import Collection, connections
            CONNECT
            docs = Collection("docs")
            def get():
                return docs
            """,
        "main.py": "from db import docs as held, get\nheld.load()\nget().release()\n",
    }
    files(project, texts)
    assert run_cli("--why", "main.py:2").output.splitlines()[2:] == [
        "    1:16 from db import docs as held, get",
        '    db.py:3:1 docs = Collection("docs")',
        "    db.py:1:22 from pymilvus import Collection, connections",
    ]
    assert run_cli("--why", "main.py:3").output.splitlines()[2:] == [
        "    db.py:5:5 return docs",
        '    db.py:3:1 docs = Collection("docs")',
        "    db.py:1:22 from pymilvus import Collection, connections",
    ]
