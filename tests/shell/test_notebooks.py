"""Notebooks on disk: what is written, what is shown, and what is refused with one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from migrate_milvus import discover, document
from migrate_milvus import notebook as reader
from tests.conftest import Run
from tests.fixtures.notebooks import notebook

CONNECT = 'from pymilvus import connections, utility\n\nconnections.connect(host="h", port="1")'
CONNECTED = 'from pymilvus import MilvusClient\n\nclient = MilvusClient(uri="http://h:1")'
ASK, ASKED = "utility.list_collections()", "client.list_collections()"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Every byte but those of the code that changes ----------------------------------------------------

# What stands before the code of a cell, the code as JSON, and what stands after it.
LAYOUTS = {
    "as_jupyter_writes_it": (
        '{\n "cells": [\n  {\n   "cell_type": "code",\n   "execution_count": 7,\n   "id": "a",\n'
        '   "metadata": {"z": 1, "a": 1e5},\n   "outputs": [],\n   "source": ',
        '[\n    "utility.list_collections()\\n",\n    "x = 1"\n   ]',
        '[\n    "client.list_collections()\\n",\n    "x = 1"\n   ]',
        "\n  }\n ],\n",
    ),
    "in_one_line": (
        '{"cells":[{"cell_type":"code","source":',
        '["utility.list_collections()\\n","x"]',
        '["client.list_collections()\\n","x"]',
        '},{"cell_type":"markdown","source":["utility.list_collections()"]}],',
    ),
    "one_string": (
        '{"cells": [{"source": ',
        '"y = \\"\\u00e9\\/\\"\\nutility.list_collections()\\n\\t"',
        '"y = \\"\\u00e9\\/\\"\\nclient.list_collections()\\n\\t"',
        ', "cell_type": "code", "outputs": [{"text": "utility.list_collections() \\u00e9"}]}],',
    ),
    "escaped_lines": (
        '{"cells": [{"cell_type": "code", "source": ',
        '["# f\\u00fcr \\ud83d\\ude00 alle\\n", "utility.list_collections()"]',
        '["# f\\u00fcr \\ud83d\\ude00 alle\\n", "client.list_collections()"]',
        ', "outputs": [{"data": {"image/png": "AAAA\\n"}, "x": [1.50, -0.0, 1E+2, NaN]}]}],',
    ),
    "windows_line_ends": (
        '{\r\n  "cells": [\r\n    {"cell_type": "code", "source": ',
        '[\r\n      "utility.list_collections()\\r\\n",\r\n      "x"\r\n    ]',
        '[\r\n      "client.list_collections()\\r\\n",\r\n      "x"\r\n    ]',
        "}\r\n],",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_only_the_code_that_changes_changes(
    project: Path, run_cli: Run, name: str, end: str, mark: bytes
) -> None:
    before, old, new, after = LAYOUTS[name]
    first = json.dumps({"cell_type": "code", "source": CONNECT})
    first_new = json.dumps({"cell_type": "code", "source": CONNECTED})
    head, _, rest = before.partition("[")
    tail = f' "metadata": {{"b": 1, "a": "\\u00e9"}}, "nbformat": 4, "nbformat_minor": 2}}{end}'
    file = project / "a.ipynb"
    file.write_bytes(mark + f"{head}[{first}, {rest}{old}{after}{tail}".encode())

    assert run_cli("--write", "--color").exit_code == 0
    assert file.read_bytes() == mark + f"{head}[{first_new}, {rest}{new}{after}{tail}".encode()


def test_nbformat_3_has_its_cells_in_worksheets(project: Path, run_cli: Run) -> None:
    def cell(code: str) -> dict[str, object]:
        return {"cell_type": "code", "input": code, "language": "python", "prompt_number": 3}

    def text(*cells: str) -> str:
        sheets = [{"cells": [cell(c)], "metadata": {}} for c in cells]
        return json.dumps(
            {"nbformat": 3, "nbformat_minor": 0, "worksheets": sheets, "metadata": {}}
        )

    file = project / "old.ipynb"
    file.write_text(text(CONNECT, ASK))
    result = run_cli("--write", "--verbose")

    assert file.read_text() == text(CONNECTED, ASKED)
    assert "old.ipynb:cell 2:1:1: MLV601 rewritten" in result.output


def test_another_reader_sees_the_same_notebook_but_for_the_code(
    project: Path, run_cli: Run
) -> None:
    file = project / "a.ipynb"
    file.write_text(notebook("md:# One\n", CONNECT, "md:two", ASK, "print('é')"))
    old = nbformat.read(file, as_version=4)
    run_cli("--write")
    new = nbformat.read(file, as_version=4)

    nbformat.validate(new)
    assert [cell.source for cell in new.cells] == [
        "# One\n",
        CONNECTED,
        "two",
        ASKED,
        "print('é')",
    ]
    for cell in (*old.cells, *new.cells):
        del cell["source"]
    assert old == new


def test_a_second_run_changes_nothing(project: Path, run_cli: Run) -> None:
    file = project / "a.ipynb"
    file.write_text(notebook("%time 1", CONNECT, ASK))
    run_cli("--write")
    data = file.read_bytes()
    result = run_cli("--write")

    assert (result.exit_code, file.read_bytes()) == (0, data)


# What is shown ------------------------------------------------------------------------------------


def test_the_diff_shows_lines_of_cells(project: Path, run_cli: Run) -> None:
    (project / "a.ipynb").write_text(notebook("md:x", CONNECT, "%time 1", ASK))

    assert run_cli("--diff", "--quiet").output == (
        "--- a/a.ipynb:cell 2\n"
        "+++ b/a.ipynb:cell 2\n"
        "@@ -1,3 +1,3 @@\n"
        "-from pymilvus import connections, utility\n"
        "+from pymilvus import MilvusClient\n"
        " \n"
        '-connections.connect(host="h", port="1")\n'
        '+client = MilvusClient(uri="http://h:1")\n'
        "--- a/a.ipynb:cell 4\n"
        "+++ b/a.ipynb:cell 4\n"
        "@@ -1 +1 @@\n"
        "-utility.list_collections()\n"
        "+client.list_collections()\n"
    )


def test_findings_name_the_cell_and_what_follows(project: Path, run_cli: Run) -> None:
    collection = "from pymilvus import Collection\n\n\nc = Collection('books')"
    (project / "a.ipynb").write_text(notebook("md:x", CONNECT, collection, "c.load()", "c"))
    result = run_cli("--check", "--report", "text")

    assert result.exit_code == 1
    assert "a.ipynb:cell 5:1:1: MLV290 Collection is shown below its cell" in result.output
    assert "a.ipynb:cell 3:4, :cell 4:1" in result.output


def test_why_takes_the_cell(project: Path, run_cli: Run) -> None:
    collection = "from pymilvus import Collection\n\nc = Collection('books')"
    (project / "a.ipynb").write_text(notebook("md:x", CONNECT, collection, "c.load()"))
    result = run_cli("--why", "a.ipynb:cell 4:1")

    assert result.output.splitlines() == [
        "a.ipynb:cell 4:1:1: MLV212 Collection.load: rewritten",
        "    cell 4:1:1 c.load() is Collection.load",
        "    cell 3:3:1 c = Collection('books')",
        "    cell 3:1:22 from pymilvus import Collection",
    ]
    assert "a.ipynb:cell 1:1: no ORM use was found" in run_cli("--why", "a.ipynb:cell 1:1").output
    assert run_cli("--why", "a.ipynb:cell x:1").exit_code == 2


def test_the_json_report_has_the_cells(project: Path, run_cli: Run) -> None:
    (project / "a.ipynb").write_text(notebook("md:x", CONNECT, ASK))
    report = json.loads(run_cli("--report", "json").output)

    (file,) = report["files"]
    assert [(s["cell"], s["line"], s["column"]) for s in file["sites"]] == [(2, 3, 1), (3, 1, 1)]


def test_comments_in_cells_silence(project: Path, run_cli: Run) -> None:
    ignored = f"x = 1\n{ASK}  # migrate-milvus: ignore[MLV601]"
    unused = "y = 2\nz = 3  # migrate-milvus: ignore"
    (project / "a.ipynb").write_text(notebook(CONNECT, "md:x", ignored, unused))
    result = run_cli("--write", "--verbose")

    assert "a.ipynb:cell 3:2:1: MLV601 ignored" in result.output
    assert "a.ipynb:cell 4:2:8: MLV002 note" in result.output
    (project / "b.ipynb").write_text(notebook(CONNECT, "# migrate-milvus: skip-file", ASK))
    assert "3 ignored" not in run_cli("b.ipynb").output.replace("2 ignored", "")
    assert "0 rewritten" in run_cli("b.ipynb").output


# Which notebooks are read -------------------------------------------------------------------------


def test_notebooks_of_a_folder_are_found_but_not_their_checkpoints(
    project: Path, run_cli: Run
) -> None:
    text = notebook(CONNECT, ASK)
    for name in ("a.ipynb", "deep/b.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    run_cli("--write")

    changed = [p for p in project.rglob("*.ipynb") if p.read_text() != text]
    assert sorted(p.name for p in changed) == ["a.ipynb", "b.ipynb"]


def test_a_notebook_without_pymilvus_is_not_read(
    project: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.ipynb").write_text(notebook("print()"))
    monkeypatch.setattr(reader, "read", lambda text: pytest.fail("read"))

    assert run_cli().exit_code == 0


@pytest.mark.parametrize(
    "metadata",
    [
        {"language_info": {"name": "scala"}},
        {"kernelspec": {"language": "R", "name": "ir"}},
        {"language_info": {"name": "julia"}, "kernelspec": {"language": "python"}},
    ],
)
def test_a_notebook_in_another_language_is_passed_over(
    project: Path, run_cli: Run, metadata: dict[str, object]
) -> None:
    file = project / "a.ipynb"
    file.write_text(notebook(CONNECT, ASK, **metadata))
    data = file.read_bytes()
    result = run_cli("--write")

    assert (result.exit_code, file.read_bytes()) == (0, data)
    assert "rewritten" not in result.output


@pytest.mark.parametrize("language", ["python", "ipython3", "Python3", "python3.11"])
def test_python_has_many_names(project: Path, run_cli: Run, language: str) -> None:
    file = project / "a.ipynb"
    file.write_text(notebook(CONNECT, ASK, language_info={"name": language}))

    assert "1 file would change" in run_cli().output


# Bad input ----------------------------------------------------------------------------------------

GOOD = notebook(CONNECT, ASK)
BAD = {
    "truncated": (GOOD[: len(GOOD) // 2], "is no notebook: not valid JSON on line "),
    "in_a_string": (GOOD[: GOOD.index("utility") + 3], "not valid JSON on line "),
    "conflict": (f"<<<<<<< HEAD\n{GOOD}=======\n", "not valid JSON on line 1"),
    "conflict_inside": (GOOD.replace(' "cells"', '<<<<<<< a\n "cells"'), "on line 2"),
    "after_the_end": (f"{GOOD}{{", "not valid JSON on line "),
    "empty_value": (GOOD.replace('"nbformat": 4', '"nbformat": '), "Expecting value"),
    "no_quotes": (GOOD.replace('"nbformat": 4', "nbformat: 4"), "a name in quotes"),
    "python": (CONNECT, "not valid JSON on line 1"),
    "a_list": (f"[{GOOD}]", "is no notebook: it is other JSON"),
    "other_json": ('{"name": "pymilvus"}', "is no notebook: it has no cells"),
    "cells_are_none": ('{"cells": null, "x": "pymilvus"}', "is no notebook: it has no cells"),
    "old": (GOOD.replace('"nbformat": 4', '"nbformat": 2'), "nbformat 2 is not handled"),
    "new": (GOOD.replace('"nbformat": 4', '"nbformat": 5'), "nbformat 5 is not handled"),
    "number": (GOOD.replace('"source": [', '"source": 1, "x": ['), "a cell's text is no text"),
    "mixed": (GOOD.replace('"source": [', '"source": [1, '), "a cell's text is no text"),
    "deep": (f'{{"cells": {"[" * 100_000}, "x": "pymilvus"}}', "is no notebook: "),
    "cleared": (notebook(CONNECT, "%reset -f", ASK), "cell 2 deletes all names"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_notebook_gets_one_line_and_stops_nothing(
    project: Path, run_cli: Run, name: str
) -> None:
    text, message = BAD[name]
    (project / "bad.ipynb").write_text(text)
    (project / "good.ipynb").write_text(GOOD)
    result = run_cli("--write", "--quiet")

    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith("bad.ipynb:1:1: MLV001 error: ")
    assert message in line
    assert (project / "bad.ipynb").read_text() == text
    assert (project / "good.ipynb").read_text() == notebook(CONNECTED, ASKED)


def test_a_notebook_that_is_no_text_gets_one_line(project: Path, run_cli: Run) -> None:
    data = GOOD.replace("utility", "ü", 1).encode("latin-1")
    (project / "bad.ipynb").write_bytes(data)
    result = run_cli("--write", "--quiet")

    assert result.exit_code == 2
    assert "bad.ipynb:1:1: MLV001 error: cannot be decoded as utf-8" in result.output
    assert (project / "bad.ipynb").read_bytes() == data


def test_an_id_given_twice_gets_one_line_and_is_left(project: Path, run_cli: Run) -> None:
    (project / "a.ipynb").write_text(GOOD.replace('"id2"', '"id1"'))
    result = run_cli("--write")

    assert result.exit_code == 0
    assert "a.ipynb:1:1: MLV001 note: several cells have the id 'id1'" in result.output
    expected = notebook(CONNECTED, ASKED).replace('"id2"', '"id1"')
    assert (project / "a.ipynb").read_text() == expected


def _with_output(size: int) -> str:
    return GOOD.replace('"outputs": []', f'"outputs": [{{"data": "{"A" * size}"}}]', 1)


def test_an_enormous_output_does_not_hinder(project: Path, run_cli: Run) -> None:
    file = project / "a.ipynb"
    file.write_text(_with_output(20_000_000))

    assert run_cli("--write").exit_code == 0
    assert ASKED in file.read_text()
    assert file.stat().st_size > 20_000_000


def test_a_notebook_beyond_all_measure_gets_one_line(
    project: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (discover, document):
        monkeypatch.setattr(module, "MAX_NOTEBOOK_BYTES", 18_000_000)
    file = project / "a.ipynb"
    file.write_text(_with_output(20_000_000))
    result = run_cli("--write")

    assert result.exit_code == 2
    assert "a.ipynb:1:1: MLV001 error: file is too large to analyse: 20.0 MB" in result.output
    assert ASK in file.read_text()
