"""Notebooks as programs: what flows from cell to cell, and what is kept out of the program."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from migrate_milvus import magics
from migrate_milvus.cells import Cell, Code, Crowded, Displaced, Kept, Program
from migrate_milvus.document import Document
from migrate_milvus.engine import migrate
from migrate_milvus.model import FileResult
from tests.engine.helpers import reasons, settings
from tests.fixtures.notebooks import notebook

CONNECT = 'from pymilvus import Collection, connections, utility\n\nconnections.connect(host="h")\n'


def migrate_all(files: dict[str, str]) -> dict[str, FileResult]:
    """The results for texts of files, notebooks among them."""
    documents = [Document.from_bytes(t.encode(), name, Path(name)) for name, t in files.items()]
    return {result.document.name: result for result in migrate(documents, settings())}


def migrate_cells(*cells: str) -> FileResult:
    """The result for a notebook of these cells."""
    (result,) = migrate_all({"a.ipynb": notebook(*cells)}).values()
    return result


def new_cells(result: FileResult) -> dict[int, str]:
    """The cells that change, by number."""
    if result.text is None:
        return {}
    return {part.cell: part.new for part in result.document.parts(result.text)}


def found(result: FileResult) -> list[str]:
    """Cell, line and reason of each finding."""
    return [f"{f.place.cell}:{f.place.line} {f.reason}" for f in result.findings]


# One program ---------------------------------------------------------------------------------


def test_objects_flow_from_cell_to_cell() -> None:
    result = migrate_cells(CONNECT, 'c = Collection("books")', "def f(c):\n    c.load()", "f(c)")

    assert (
        new_cells(result)[3]
        == "def f(collection_name):\n    client.load_collection(collection_name)"
    )
    assert new_cells(result)[4] == 'f("books")'


@pytest.mark.parametrize(
    "cells",
    [
        (CONNECT, 'c = Collection("books")\n', "c.load()\n", "print(c.num_entities)\n"),
        ("from pymilvus import utility\n", "utility.list_collections()\nx = 1\n", CONNECT),
        (CONNECT, 'c = Collection("a")\n', 'c = Collection("b")\n', "c.flush()\nprint(c.name)\n"),
        (
            CONNECT,
            "def f():\n    return Collection('a')\n",
            "x = f()\n",
            "x.load()\ny = x\nz = 1\n",
        ),
        ("def f():\n    connections.connect()\n", CONNECT, "f()\nx = utility.list_collections()\n"),
    ],
)
def test_cells_mean_what_the_same_lines_in_a_module_mean(cells: tuple[str, ...]) -> None:
    of_cells = migrate_cells(*cells)
    (of_lines,) = migrate_all({"a.py": "".join(cells)}).values()

    assert reasons_only(of_cells) == reasons_only(of_lines)
    assert [(s.symbol, s.status) for s in of_cells.sites] == [
        (s.symbol, s.status) for s in of_lines.sites
    ]
    new = [*cells]
    for number, text in new_cells(of_cells).items():
        new[number - 1] = text
    assert "".join(new) == (of_lines.text or "".join(cells))


def reasons_only(result: FileResult) -> list[str]:
    return [line.partition(" ")[2] for line in reasons(result)]


def test_a_cell_keeps_its_own_imports() -> None:
    result = migrate_cells(
        CONNECT, "import numpy as np\nfrom pymilvus import Collection", 'Collection("a").load()'
    )

    assert new_cells(result)[1].startswith("from pymilvus import MilvusClient\n")
    assert new_cells(result)[2] == "import numpy as np"


def test_a_client_is_never_made_in_a_cell_after_its_use() -> None:
    result = migrate_cells(
        "from pymilvus import Collection, connections", 'Collection("a").load()', CONNECT
    )

    for number, text in new_cells(result).items():
        assert "client." not in text or number >= 3


def test_messages_name_the_cells_of_other_lines() -> None:
    result = migrate_cells(
        CONNECT,
        "x = 1\nutility.list_collections()",
        "connections.disconnect('default')",
        "x\nutility.list_collections()",
    )

    (finding,) = [f for f in result.findings if "closed" in f.message]
    assert finding.message == "line 2 of cell 4 uses the connection after it was closed"


def test_a_module_beside_a_notebook_is_not_mistaken_for_it() -> None:
    shop = "from pymilvus import Collection\n\n\ndef open_shop():\n    return Collection('shop')\n"
    files = {
        "shop.py": shop,
        "shop.ipynb": notebook(CONNECT, "from shop import open_shop", "open_shop().load()"),
    }
    cells = files["shop.ipynb"]
    lines = f"{CONNECT}from shop import open_shop\nopen_shop().load()\n"
    as_notebook = migrate_all(files)
    as_module = migrate_all({"shop.py": shop, "use.py": lines})

    assert [f.reason for r in as_notebook.values() for f in r.findings] == [
        f.reason for r in as_module.values() for f in r.findings
    ]
    assert as_notebook["shop.ipynb"].document.encode(as_notebook["shop.ipynb"].document.text) == (
        cells.encode()
    )


def test_a_notebook_is_no_module_that_others_import() -> None:
    use = "from pymilvus import utility\nfrom shop import c\n\nutility.list_users()\nc.load()\n"
    alone = migrate_all({"use.py": use})
    beside = migrate_all({"use.py": use, "shop.ipynb": notebook(CONNECT, 'c = Collection("a")')})

    assert beside["use.py"].sites == alone["use.py"].sites


def test_a_module_that_is_run_gives_its_names() -> None:
    setup = CONNECT + '\nbooks = Collection("books")\n'
    as_run = migrate_all(
        {"setup.py": setup, "a.ipynb": notebook("%run -i setup.py", "books.load()")}
    )
    as_star = migrate_all({"setup.py": setup, "a.py": "from setup import *\nbooks.load()\n"})

    assert [f.reason for f in as_run["a.ipynb"].findings] == [
        f.reason for f in as_star["a.py"].findings
    ]
    assert as_run["setup.py"].text == as_star["setup.py"].text


# What is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "function"),
    [
        ("c?", "ipython_help"),
        ("?c.load", "ipython_help"),
        ("c.load??", "ipython_help"),
        ("%store c", "ipython_magic"),
        ("x = %some_magic c", "ipython_magic"),
        ("%timeit -n 3 c.load()", "ipython_magic"),
        ("%%timeit\nc.load()", "ipython_magic"),
        ("%%unheard_of\nc.load()", "ipython_magic"),
        ("%%bash {c.name}\necho", "ipython_magic"),
        ("!echo {c.name}", "shell"),
        ("names = !echo $c", "shell"),
        ("if True:\n    !echo {c.name}", "shell"),
        ("for c in\n    c.load(", "unreadable_cell"),
    ],
)
def test_an_object_that_something_kept_reads_stays(cell: str, function: str) -> None:
    result = migrate_cells(CONNECT, 'c = Collection("books")', "c.load()", cell)

    assert 3 not in new_cells(result)
    assert new_cells(result).get(4) is None
    (finding,) = [f for f in result.findings if f.place.cell == 4]
    assert finding.message == f"Collection is passed to {function}(), which is out of sight"


@pytest.mark.parametrize(
    "cell",
    [
        "!pip install -U pymilvus  # c",
        "%pip install pymilvus",
        "pip install pymilvus",
        "%matplotlib inline",
        "%load_ext autoreload\n%autoreload 2",
        "%%bash\necho c",
        "%%writefile c.txt\nc = 1",
        "%%html\n<c>c</c>",
        "%%time",
        "%cd c",
        "files = !ls c",
        "x = '''\n%timeit c\n!echo {c}\n'''",
        "# %timeit c\n# !echo {c}",
        "y = (1\n  %timeit)\ntimeit = 2".replace("timeit)", "2)"),
        "print('is c a name?')",
        "z = [\n    'a', # ''' {c}\n]\n!ls",
    ],
)
def test_what_is_kept_and_reads_no_object_hinders_nothing(cell: str) -> None:
    result = migrate_cells(CONNECT, 'c = Collection("books")', cell, "c.load()")

    assert new_cells(result)[4] == 'client.load_collection("books")'
    assert 3 not in new_cells(result)
    assert not found(result)


def test_code_under_a_magic_that_runs_it_is_code() -> None:
    result = migrate_cells(
        CONNECT,
        '%%time\nc = Collection("books")',
        "%time c.load()",
        "if c:\n    %timeit c.flush()\n    x = 1",
        "%%capture out --no-stderr\nprint(c.num_entities)",
    )

    assert new_cells(result)[3] == '%time client.load_collection("books")'
    assert "Collection" not in str(new_cells(result).get(2))
    assert new_cells(result)[5] == (
        '%%capture out --no-stderr\nprint(client.get_collection_stats("books")["row_count"])'
    )


def test_a_line_after_a_magic_stays_one_line_however_long() -> None:
    data = ", ".join(["[0.123456789, 0.123456789, 0.123456789]"] * 4)
    cell = f'%time hits = c.search([{data}], "v", {{}}, 3)'
    result = migrate_cells(CONNECT, 'c = Collection("books")', cell)

    assert new_cells(result)[3].startswith("%time hits = client.search(")
    assert "\n" not in new_cells(result)[3]


def test_a_use_in_a_text_that_is_kept_is_reported() -> None:
    text = "%%writefile x.py\nfrom pymilvus import (\n    Collection,\n)\nCollection('a')"
    result = migrate_cells("x = 1", text)

    assert found(result) == ["2:1 kept-as-it-is"]
    assert [(s.symbol, s.status.value) for s in result.sites] == [("Collection", "reported")]
    new = "%%writefile x.py\nfrom pymilvus import MilvusClient\n"
    assert not migrate_all({"a.ipynb": notebook("x = 1", new)})
    assert not migrate_all({"a.ipynb": notebook("x = 1", f"{text}\n# migrate-milvus: ignore")})


CELLS = [
    "%matplotlib inline\nx = 1\n!ls\ny = !ls -l\nz = %time 3\nx?\n??y\nx.y?",
    "if x:\n    !ls\n    %cd ..\nelse:\n    y = 2",
    "text = '''\n%not\n!not\n'''\n!yes",
    'text = """a\n!not\n"""; a = "# \\""\n!yes',
    "f(\n  1,\n  2 \n  %3\n)\n%yes",
    "total = 1 + \\\n  2\n!echo \\\n  two lines\nx = 3",
    "a = b'%d' % 3\nc = a != b\nd = 5 % 3",
    "print(f'{x!r}')\nprint('?')\n# what?\n#!ls",
    "x = {  # '''\n  'a': 1,\n}\n!ls",
    "def f():\n    '''Doc.\n\n    !not\n    '''\n    !ls\n    return 1",
    "a, b = !ls\n_ = %sql SELECT 1",
]


@pytest.mark.parametrize("cell", CELLS)
def test_ipython_takes_the_same_lines_for_magics(cell: str) -> None:
    (found,) = magics.cells([(1, cell)], frozenset())
    kept = [
        line
        for piece in found.pieces
        if isinstance(piece, Kept)
        for line in piece.text.split("\n")
        if line
    ]
    changed = TransformerManager().transform_cell(cell).split("\n")

    assert kept == [line for line in cell.split("\n") if line not in changed]


# What a cell shows ---------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["c", "x = 1\nc", "(c)", "[c]", "%time c", "%%time\nc", "c, 1"])
def test_an_object_that_a_cell_shows_stays(cell: str) -> None:
    result = migrate_cells(CONNECT, 'c = Collection("books")', "c.load()", cell)

    assert 3 not in new_cells(result)
    assert "object-in-sight" in "".join(found(result))


@pytest.mark.parametrize("cell", ["c;", "c;  # nothing", "c\nx = 1", "if 1:\n    c"])
def test_an_object_that_is_not_shown_does_not_stay(cell: str) -> None:
    result = migrate_cells(CONNECT, 'c = Collection("books")', "c.load()", cell)

    assert new_cells(result)[3] == 'client.load_collection("books")'


def test_a_value_that_comes_to_be_the_last_one_is_not_shown() -> None:
    result = migrate_cells(CONNECT, "len('ä')  # a comment\nc = Collection('a')", "c.load()")

    assert new_cells(result)[2] == "len('ä');  # a comment"


# Taking the module apart ---------------------------------------------------------------------

PROGRAM = Program(
    [
        Cell(1, "a = 1\nb = 2", (Code("a = 1\nb = 2"),)),
        Cell(3, "%%html\nx", (Kept("%%html\nx", 1, alone=True),)),
        Cell(4, "%time a\n", (Kept("%time ", 1, leads=True), Code("a\n", 1, 7), Kept("", 1))),
        Cell(5, "", ()),
    ]
)


def test_places_are_those_of_the_cells() -> None:
    lines = PROGRAM.text.splitlines()
    found = {line: PROGRAM.place(number, 1) for number, line in enumerate(lines, 1)}

    assert found["a = 1"] == (1, 1, 1)
    assert found["b = 2"] == (1, 2, 1)
    assert found["a"] == (4, 1, 7)


def test_the_cells_come_back() -> None:
    assert PROGRAM.split(PROGRAM.text) == [cell.text for cell in PROGRAM.cells]
    new = PROGRAM.text.replace("b = 2\n", "").replace("\na\n", "\nprint(a)\n")
    assert PROGRAM.split(new) == ["a = 1", "%%html\nx", "%time print(a)\n", ""]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:2] + lines[3:],  # the end of a cell is gone
        lambda lines: [*lines[:-1]],
        lambda lines: [lines[3], *lines[:3], *lines[4:]],  # what is kept is in another cell
        lambda lines: ["if a:\n", *("    " + line for line in lines)],
        lambda lines: [*lines[:3], "x = 1\n", *lines[3:]],  # beside a cell that is kept whole
        lambda lines: [*lines[:4], "x = 1\n", *lines[4:]],
        lambda lines: [*lines, "x = 1\n"],
    ],
)
def test_a_text_that_cannot_be_taken_apart_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(Displaced):
        PROGRAM.split("".join(change(PROGRAM.text.splitlines(keepends=True))))


@pytest.mark.parametrize("new", ["a\na\n", "f(\na)\n", "", "  \n"])
def test_a_magic_has_one_line_after_it(new: str) -> None:
    with pytest.raises(Crowded) as raised:
        PROGRAM.split(PROGRAM.text.replace("\na\n", f"\n{new}"))

    assert (raised.value.cell, raised.value.line) == (4, 1)


def test_a_mark_that_a_cell_holds_is_not_taken_for_one() -> None:
    texts = ["x = '#:0'  #:0\npass  #:1", "pass  #:2\n"]
    program = Program([Cell(n, text, (Code(text),)) for n, text in enumerate(texts, 1)])

    assert program.split(program.text) == texts


def test_a_client_of_functions_is_declared_where_the_library_is_imported() -> None:
    result = migrate_cells(
        "def first():\n    return 1",
        "import os",
        "%%html\n<p>",
        "import sys\nfrom pymilvus import connections, utility\nimport json",
        'def connect():\n    connections.connect(host="h")',
        "def use():\n    return utility.list_collections()",
        "connect()\nuse()",
    )

    assert new_cells(result)[4] == (
        "import sys\nfrom pymilvus import MilvusClient\nimport json\n\nclient: MilvusClient"
    )
    assert set(new_cells(result)) == {4, 5, 6}


def test_a_declaration_does_not_go_to_a_later_cell() -> None:
    result = migrate_cells(
        "from pymilvus import connections, utility",
        "x = 1",
        "%%html\n<p>",
        'def connect():\n    connections.connect(host="h")',
        "def use():\n    return utility.list_collections()\n\n\nconnect()\nuse()",
    )

    assert new_cells(result)[1] == "from pymilvus import MilvusClient\n\nclient: MilvusClient"


def test_a_class_that_a_later_cell_imports_is_imported_for_an_earlier_one() -> None:
    result = migrate_cells(CONNECT, "from pymilvus import MilvusClient\n\nc = MilvusClient()")

    assert new_cells(result) == {
        1: 'from pymilvus import MilvusClient\n\nclient = MilvusClient(uri="http://h:19530")\n'
    }


def test_what_one_cell_says_does_not_move_to_another() -> None:
    fields = (
        "from pymilvus import CollectionSchema, DataType, FieldSchema\n\n"
        'fields = [FieldSchema("id", DataType.INT64, is_primary=True)]'
    )
    index = 'index = {"index_type": "FLAT", "metric_type": "L2", "params": {}}'
    made = 'c = Collection("books", CollectionSchema(fields))'
    create = 'c.create_index("v", index)'
    result = migrate_cells(CONNECT, fields, index, made, create)

    assert not {2, 3} & set(new_cells(result))
    assert "**index" in new_cells(result)[5]
    together = migrate_cells(CONNECT, f"{fields}\n{made}", f"{index}\n{create}")
    assert "add_field" in new_cells(together)[2]
    assert "**index" not in new_cells(together)[3]
