"""Examples in documentation: which lines are code, and that nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate_milvus import prose
from migrate_milvus.document import DocumentError
from tests.conftest import Run

CONNECT = 'from pymilvus import connections, utility\nconnections.connect(host="h")\n'
CONNECTED = 'from pymilvus import MilvusClient\nclient = MilvusClient(uri="http://h:19530")\n'
ASK, ASKED = "utility.list_collections()\n", "client.list_collections()\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def indented(text: str, prefix: str) -> str:
    return "".join(prefix + line for line in text.splitlines(keepends=True))


MARKDOWN = {
    "fence": "# x\n\n```python\n{0}```\n\nutility.list_collections()\n\n```py\n{1}```\n",
    "no_line_end": "```python\n{0}```\n````python3\n{1}````",
    "tildes": "~~~ python\n{0}~~~\n~~~~ {{.python .numberLines}}\n{1}~~~~\n",
    "attributes": '```python title="a.py" hl_lines="1"\n{0}```\n```Python\n{1}```\n',
    "windows": "```python\r\n{0}```\r\n\r\n```python\r\n{1}```\r\n",
    "never_closed": "```python\n{0}```\n```python\n{1}",
    "myst": "```{{code-block}} python\n:linenos:\n:caption: x\n{0}```\n```{{code-cell}}\n{1}```\n",
    "myst_yaml": "```{{code-cell}} ipython3\n---\ntags: [x]\n---\n{0}```\n"
    "```{{code}} python\n{1}```\n",
    "other_languages": "```sh\npip install pymilvus\n```\n```python\n{0}```\n```\n>>> x\n```\n"
    "```js\nutility.list_collections()\n```\n```python\n{1}```\n",
    "a_fence_in_a_fence": "````md\n```python\nutility.list_collections()\n```\n````\n"
    "```python\n{0}```\n```python\n{1}```\n",
}


@pytest.mark.parametrize("name", MARKDOWN)
def test_fenced_blocks_of_markdown(project: Path, run_cli: Run, name: str) -> None:
    page, old, new = MARKDOWN[name], [CONNECT, ASK], [CONNECTED, ASKED]
    if name == "windows":
        old, new = ([t.replace("\n", "\r\n") for t in texts] for texts in (old, new))
    if name == "never_closed":
        old, new = ([texts[0], texts[1].rstrip()] for texts in (old, new))
    file = project / "guide.md"
    file.write_bytes(page.format(*old).encode())

    assert run_cli("guide.md", "--write").exit_code == 0
    assert file.read_bytes().decode() == page.format(*new)


NESTED = {
    "list": ("1. x\n\n   ```python\n{0}   ```\n   ```python\n{1}   ```\n", "   "),
    "quote": ("> x\n>\n> ```python\n{0}> ```\n> ```python\n{1}> ```\n", "> "),
    "tab": ("- x\n\n\t```python\n{0}\t```\n\t```python\n{1}\t```\n", "\t"),
}


@pytest.mark.parametrize("name", NESTED)
def test_blocks_that_are_indented(project: Path, run_cli: Run, name: str) -> None:
    page, prefix = NESTED[name]
    blank = f"{prefix.rstrip()}\n"
    file = project / "guide.markdown"
    ask, asked = f"if x:\n\n    {ASK}", f"if x:\n\n    {ASKED}"

    def block(text: str) -> str:
        return indented(text, prefix).replace(f"{prefix}\n", blank)

    file.write_text(page.format(block(CONNECT), block(ask)))
    run_cli("guide.markdown", "--write")

    assert file.read_text() == page.format(block(CONNECTED), block(asked))


RESTRUCTURED = {
    "code_block": (".. code-block:: python\n\n{0}\nx\n\n.. code:: python3\n{1}\nend\n", "   "),
    "options": (".. code-block:: python\n   :linenos:\n   :name: a b\n\n{0}\n..\n\n"
                ".. sourcecode:: py\n\n{1}", "   "),
    "nested": ("* x\n\n  .. code-block:: python\n\n{0}\n  text\n\n  .. testcode::\n\n{1}", "     "),
    "others": (".. code-block:: sh\n\n   pip install pymilvus\n\n.. code-block:: python\n\n{0}\n"
               ".. note:: utility.list_collections()\n\n.. code-block:: python\n\n{1}", "    "),
}  # fmt: skip


@pytest.mark.parametrize("name", RESTRUCTURED)
def test_code_blocks_of_restructured_text(project: Path, run_cli: Run, name: str) -> None:
    page, prefix = RESTRUCTURED[name]
    file = project / "page.rst"
    file.write_text(page.format(indented(CONNECT, prefix), indented(ASK, prefix)))
    run_cli("page.rst", "--write")

    assert file.read_text() == page.format(indented(CONNECTED, prefix), indented(ASKED, prefix))


EXAMPLES = """\
Text.

>>> from pymilvus import connections, utility  # the library
>>> connections.connect(host="h")
>>> utility.has_collection("books")
True

   >>> names = [
   ...     name
   ...     for name in utility.list_collections(timeout=5)
   ... ]
   >>> for name in names:
   ...     utility.drop_collection(name)
   ...
   ...     print(name)
   books

More text: utility.list_collections().
"""
NEW_EXAMPLES = """\
Text.

>>> from pymilvus import MilvusClient  # the library
>>> client = MilvusClient(uri="http://h:19530")
>>> client.has_collection("books")
True

   >>> names = [
   ...     name
   ...     for name in client.list_collections(timeout=5)
   ... ]
   >>> for name in names:
   ...     client.drop_collection(name)
   ...
   ...     print(name)
   books

More text: utility.list_collections().
"""


@pytest.mark.parametrize(
    ("name", "page"),
    [("a.rst", "{}"), ("a.md", "```pycon\n{}```\n"), ("a.md", "```python\n{}```\n")],
)
def test_examples_with_prompts(project: Path, run_cli: Run, name: str, page: str) -> None:
    old, new = EXAMPLES, NEW_EXAMPLES
    if name == "a.md":
        old, new = (text.removeprefix("Text.\n\n") for text in (old, new))
    file = project / name
    file.write_text(page.format(old))
    run_cli(name, "--write")

    assert file.read_text() == page.format(new)


def test_one_example_may_become_several(project: Path, run_cli: Run) -> None:
    file = project / "a.rst"
    file.write_text(
        ">>> from pymilvus import Collection, CollectionSchema, DataType, FieldSchema\n"
        ">>> from pymilvus import connections\n"
        ">>> connections.connect(host='h')\n"
        ">>> c = Collection('c', CollectionSchema([FieldSchema('id', DataType.INT64)]))\n"
        ">>> c.name\n"
        "'c'\n"
    )
    run_cli("a.rst", "--write")

    assert file.read_text() == (
        ">>> from pymilvus import DataType, MilvusClient\n"
        '>>> client = MilvusClient(uri="http://h:19530")\n'
        ">>> schema = MilvusClient.create_schema()\n"
        ">>> schema.add_field('id', DataType.INT64)\n"
        ">>> if not client.has_collection('c'):\n"
        "...     client.create_collection(collection_name='c', schema=schema)\n"
        ">>> 'c'\n"
        "'c'\n"
    )


def test_a_value_that_an_example_shows_counts_as_shown(project: Path, run_cli: Run) -> None:
    (project / "a.rst").write_text(
        ">>> from pymilvus import Collection, connections\n"
        ">>> connections.connect(host='h')\n"
        ">>> c = Collection('c')\n"
        ">>> c\n"
        "<Collection>\n"
    )
    result = run_cli("a.rst")

    assert "a.rst:4:5: MLV290 Collection is shown below its cell" in result.output


# What is read, and where ------------------------------------------------------------------------


def test_pages_are_read_when_that_is_asked_for(project: Path, run_cli: Run) -> None:
    page = f"```python\n{CONNECT}{ASK}```\n"
    for name in ("guide.md", "docs/a.markdown", "docs/b.mdx"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(page)

    assert run_cli().output == "No ORM use found.\n"
    assert "1 file would change" in run_cli("guide.md").output
    assert "3 files would change" in run_cli("--docs").output
    (project / "pyproject.toml").write_text("[tool.migrate-milvus]\ndocs = true\n")
    assert "3 files would change" in run_cli().output
    assert run_cli("--no-docs").output == "No ORM use found.\n"


def test_places_are_those_of_the_page(project: Path, run_cli: Run) -> None:
    text = f"# Text\n\n```python\n{CONNECT}```\n\n> ```python\n> x = 1; {ASK}> ```\n"
    (project / "guide.md").write_text(text)
    report = json.loads(run_cli("guide.md", "--report", "json").output)
    (file,) = report["files"]

    assert [(s["line"], s["column"]) for s in file["sites"]] == [(5, 1), (9, 10)]
    assert not any("cell" in site for site in file["sites"])
    assert "guide.md:9:10: MLV601" in run_cli("--why", "guide.md:9").output


def test_the_diff_is_one_of_the_page(project: Path, run_cli: Run) -> None:
    (project / "guide.md").write_text(f"Text\n\n```python\n{CONNECT}{ASK}```\n")

    assert run_cli("guide.md", "--diff", "--quiet").output == (
        "--- a/guide.md\n"
        "+++ b/guide.md\n"
        "@@ -1,7 +1,7 @@\n"
        " Text\n"
        " \n"
        " ```python\n"
        "-from pymilvus import connections, utility\n"
        '-connections.connect(host="h")\n'
        "-utility.list_collections()\n"
        "+from pymilvus import MilvusClient\n"
        '+client = MilvusClient(uri="http://h:19530")\n'
        "+client.list_collections()\n"
        " ```\n"
    )


def test_a_block_that_is_not_enough_is_reported(project: Path, run_cli: Run) -> None:
    (project / "guide.md").write_text(
        "With pymilvus:\n\n```python\nhits = collection.search(v, 'v', {}, 3)\ncollection.load()\n"
        "box = Box()\nbox.load()\n```\n\n```python\nutility.list_collections()\n```\n"
    )
    result = run_cli("guide.md")

    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if "MLV" in line] == [
        "guide.md:4:8: MLV291 no block of this page says what 'collection' is: "
        "it looks like Collection.search",
        "guide.md:11:1: MLV291 no block of this page says what 'utility' is: it looks like utility",
    ]
    assert "3 ORM uses in 1 file: 0 rewritten, 3 reported" in result.output


def test_blocks_that_are_no_python_are_left(project: Path, run_cli: Run) -> None:
    page = (
        "```python\n{0}```\n```python\nthis is no python\n```\n```python\n$ pip install x\n```\n"
        "```python\nx = [\n    ...\n    # and so on\n```\n```python\n{1}```\n"
    )
    (project / "guide.md").write_text(page.format(CONNECT, ASK))
    run_cli("guide.md", "--write")

    assert (project / "guide.md").read_text() == page.format(CONNECTED, ASKED)


@pytest.mark.parametrize(
    "mark", ["<!-- migrate-milvus: skip-file -->", "<!--migrate-milvus:skip-file-->"]
)
def test_a_comment_leaves_a_page_alone(project: Path, run_cli: Run, mark: str) -> None:
    (project / "guide.md").write_text(f"{mark}\n\n```python\n{CONNECT}{ASK}```\n")

    assert run_cli("guide.md").exit_code == 0


def test_a_second_run_changes_nothing(project: Path, run_cli: Run) -> None:
    file = project / "a.rst"
    file.write_text(EXAMPLES)
    run_cli("a.rst", "--write")
    text = file.read_text()

    assert run_cli("a.rst", "--write").exit_code == 0
    assert file.read_text() == text


def test_a_block_goes_on_being_what_it_was() -> None:
    lines = ("  a = 1\n", "  \t\n", "    b = 2\r\n")
    block = prose.Block(0, lines, 2)

    assert block.text == "a = 1\n\t\n  b = 2\r\n"
    assert block.written(block.text) == "".join(lines)
    assert block.written(block.text.replace("1", "3")) == "  a = 3\n" + "".join(lines[1:])


def test_an_example_that_shows_something_is_never_left_empty() -> None:
    text = ">>> f()\n3\n>>> g()\n"
    shown, silent = prose.blocks(text, ".rst")

    assert prose.spliced(text, [shown, silent], ["f()\n", ""]) == ">>> f()\n3\n"
    with pytest.raises(DocumentError):
        prose.spliced(text, [shown, silent], ["", "g()\n"])
