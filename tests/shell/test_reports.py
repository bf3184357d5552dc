"""The reports: one model, many faces, each read by what reads it elsewhere."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pytest_snapshot.plugin import Snapshot

from tests.conftest import Run

DATA = Path(__file__).parent / "data"

FILMS = """\
from pymilvus import Collection, connections, utility

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
films.flush()
print(utility.has_collection("films"))
"""
JOBS = """\
import registry
from pymilvus import Collection, connections

connections.connect(host="localhost", port="19530")
jobs = Collection("a, b: 50% | <jobs>")
registry.register(jobs)
jobs.flush()
jobs.release()  # migrate-milvus: ignore[MLV401]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that changes, one that stays in part, one that is broken."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "my tests").mkdir()
    (tmp_path / "app" / "films.py").write_text(FILMS)
    (tmp_path / "app" / "jobs.py").write_text(JOBS)
    (tmp_path / "my tests" / "broken é.py").write_text("import pymilvus\nprint 'x'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def snapshots(snapshot: Snapshot) -> Snapshot:
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    return snapshot


def plain(text: str) -> str:
    """The text as it is on every Python."""
    return re.sub(r"Python 3\.\d+", "Python 3", text)


def notebook(*cells: str) -> str:
    """A notebook of these code cells."""
    code: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": cell.splitlines(keepends=True),
        }
        for cell in cells
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1)


def sarif(run_cli: Run, *arguments: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(run_cli(*arguments, "--report", "sarif").stdout)
    return data


# ---- every face ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("form", ["github", "markdown"])
def test_a_report_in_text(run_cli: Run, snapshots: Snapshot, form: str) -> None:
    result = run_cli("--report", form)
    assert result.exit_code == 2
    snapshots.assert_match(plain(result.stdout), f"{form}.txt")


@pytest.mark.usefixtures("project")
def test_the_results_in_sarif(run_cli: Run, snapshots: Snapshot) -> None:
    (run,) = sarif(run_cli)["runs"]
    for result in run["results"]:
        del result["ruleIndex"]  # changes with every new rule
    snapshots.assert_match(plain(json.dumps(run["results"], indent=1)) + "\n", "sarif_results.txt")


@pytest.mark.usefixtures("project")
def test_the_page_in_html(run_cli: Run, snapshots: Snapshot) -> None:
    page = run_cli("--report", "html").stdout
    main = page[page.index("<main>") : page.index("</main>")]
    snapshots.assert_match(plain(main), "page.html")


def test_several_reports_in_one_run(run_cli: Run, project: Path) -> None:
    files = {
        form: project / f"out.{form}" for form in ("text", "json", "sarif", "html", "markdown")
    }
    arguments = [f"--report={form}={file}" for form, file in files.items()]
    result = run_cli(*arguments, "--report", "github=-")
    assert result.stdout.startswith("::")
    assert all(file.stat().st_size > 100 for file in files.values())
    assert "\x1b" not in files["text"].read_text()


@pytest.mark.parametrize("target", ["nowhere/out.sarif", "app"])
def test_a_report_that_cannot_be_written_stops_the_run_before_it_writes(
    run_cli: Run, project: Path, target: str
) -> None:
    result = run_cli("app", "--write", "--report", f"sarif={target}")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: the report cannot be written: {target}: ")
    assert result.stderr.count("\n") == 1
    assert (project / "app" / "films.py").read_text() == FILMS


def test_a_report_that_fails_at_the_end_is_not_lost(
    run_cli: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_text

    def full(self: Path, *arguments: Any, **more: Any) -> int:
        if self.name == "out.sarif":
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", full)
    result = run_cli("app/films.py", "--write", "--report", "sarif=out.sarif")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: the report cannot be written: out.sarif: no space left on device\n"
    )
    assert "3 rewritten" in result.stdout or "ORM uses in 1 file" in result.stdout


def test_reports_may_stand_in_the_configuration_and_the_command_line_wins(
    run_cli: Run, project: Path
) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.migrate-milvus]\nreports = ["json=report.json", "github"]\n'
    )
    assert "::warning" in run_cli("app").stdout
    assert json.loads((project / "report.json").read_text())["version"] == 1
    (project / "report.json").unlink()
    assert "::warning" not in run_cli("app", "--report", "text").stdout
    assert not (project / "report.json").exists()


def test_places_after_a_write_are_those_of_the_new_text(run_cli: Run, project: Path) -> None:
    file = project / "app" / "films.py"
    file.write_text(FILMS + 'schema = 1\nbooks = Collection("books")\nregister(books)\n')
    before = json.loads(run_cli("app", "--report", "json").stdout)
    after = json.loads(run_cli("app", "--write", "--report", "json").stdout)
    assert before["files"][0]["findings"][0]["line"] == 9
    (finding,) = after["files"][0]["findings"]
    line = file.read_text().splitlines()[finding["line"] - 1]
    assert line == finding["code"] == "register(books)"


# ---- SARIF ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("arguments", [[], ["--write"]])
def test_the_sarif_report_fits_the_official_schema(run_cli: Run, arguments: list[str]) -> None:
    schema = json.loads((DATA / "sarif-schema-2.1.0.json").read_text("utf-8"))
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    data = sarif(run_cli, *arguments)
    assert [error.message for error in validator.iter_errors(data)] == []
    data["runs"][0]["results"][0]["level"] = "fatal"
    assert [error.message for error in validator.iter_errors(data)]


@pytest.mark.usefixtures("project")
def test_every_rule_in_sarif_has_help_and_every_result_its_rule(run_cli: Run) -> None:
    (run,) = sarif(run_cli)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(
        len(rule["help"]["text"]) > 10 and rule["shortDescription"]["text"] for rule in rules
    )
    assert len(rules) > 30
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def apply_fixes(data: dict[str, Any], root: Path) -> None:
    """Apply every fix of a SARIF file, as an editor would."""
    for result in data["runs"][0]["results"]:
        for fix in result.get("fixes", ()):
            for change in fix["artifactChanges"]:
                file = root / change["artifactLocation"]["uri"]
                text = file.read_bytes().decode().removeprefix("\ufeff")
                starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
                starts.append(len(text))
                for replacement in reversed(change["replacements"]):
                    region = replacement["deletedRegion"]
                    start = starts[region["startLine"] - 1] + region["startColumn"] - 1
                    end = starts[region["endLine"] - 1] + region["endColumn"] - 1
                    text = text[:start] + replacement["insertedContent"]["text"] + text[end:]
                bom = b"\xef\xbb\xbf" if file.read_bytes().startswith(b"\xef\xbb\xbf") else b""
                file.write_bytes(bom + text.encode())


@pytest.mark.parametrize(
    "data",
    [
        FILMS.encode(),
        FILMS.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf# \xc3\xa9\n" + FILMS.encode().rstrip(b"\n"),
    ],
)
def test_the_fixes_in_sarif_do_what_a_write_does(run_cli: Run, project: Path, data: bytes) -> None:
    file = project / "app" / "films.py"
    file.write_bytes(data)
    report = sarif(run_cli, "app/films.py")
    apply_fixes(report, project)
    fixed = file.read_bytes()
    file.write_bytes(data)
    assert run_cli("app/films.py", "--write").exit_code == 0
    assert fixed == file.read_bytes() != data


def test_the_fixes_of_a_notebook_do_what_a_write_does(run_cli: Run, project: Path) -> None:
    file = project / "app" / "nb.ipynb"
    file.write_text(notebook(*FILMS.split("\n\n")))
    before = file.read_bytes()
    report = sarif(run_cli, "app/nb.ipynb")
    first = report["runs"][0]["results"][0]
    assert first["message"]["text"].startswith("cell 2, line 1: connections.connect is ORM code")
    assert "region" not in first["locations"][0]["physicalLocation"]
    apply_fixes(report, project)
    fixed = file.read_bytes()
    file.write_bytes(before)
    assert run_cli("app/nb.ipynb", "--write").exit_code == 0
    assert fixed == file.read_bytes() != before


def test_files_that_imports_connect_have_one_fix(run_cli: Run, project: Path) -> None:
    (project / "app" / "more.py").write_text("import films\n" + FILMS)
    (project / "app" / "alone.py").write_text(FILMS)
    results = sarif(run_cli, "app")["runs"][0]["results"]
    fixes = [
        [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]]
        for result in results
        for fix in result.get("fixes", ())
    ]
    assert fixes == [["app/alone.py"], ["app/films.py", "app/more.py"]]


def test_a_file_outside_the_project_has_its_whole_address(
    run_cli: Run, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("else where") / "a.py"
    outside.write_text(FILMS)
    data = sarif(run_cli, str(outside), "app/jobs.py")
    uris = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in data["runs"][0]["results"]
    }
    assert any(uri.startswith("file:///") and uri.endswith("/else%20where0/a.py") for uri in uris)


def test_sarif_tools_read_the_report(run_cli: Run, project: Path) -> None:
    run_cli("--report", "sarif=out.sarif")
    done = subprocess.run(
        [sys.executable, "-m", "sarif", "csv", "-o", "out.csv", "out.sarif"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with open(project / "out.csv", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {(row["Severity"], row["Code"], row["Location"], row["Line"]) for row in rows}
    assert ("warning", "MLV290", "app/jobs.py", "6") in found
    assert ("error", "MLV001", "my%20tests/broken%20%C3%A9.py", "2") in found
    assert len([row for row in rows if row["Location"] == "app/films.py"]) == 4


# ---- GitHub and Markdown -------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
def test_annotations_are_escaped_as_the_runner_reads_them(run_cli: Run) -> None:
    lines = run_cli("--report", "github").stdout.splitlines()
    pattern = re.compile(r"::(error|warning|notice) (\w+=[^,:]*(,\w+=[^,:]*)*)::(.*)")
    *annotations, last = lines
    assert all(pattern.fullmatch(line) for line in annotations)
    assert last.startswith("8 ORM uses in 3 files")


def test_a_markdown_report_is_cut_to_what_a_pull_request_takes(
    run_cli: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate_milvus.report import markdown

    assert markdown.LIMIT < 65_000
    whole = run_cli("app", "--report", "markdown").stdout
    monkeypatch.setattr(markdown, "LIMIT", len(whole) - 1)
    cut = run_cli("app", "--report", "markdown").stdout
    assert cut.endswith("\nThe rest is left out here: `--report html=FILE` has all of it.\n")
    assert whole.startswith(cut.rpartition("\nThe rest")[0])
