"""The baseline: what was there before fails no check, wherever it moves; what is new does."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import migrate_milvus
from tests.conftest import Run

OLD = "import pymilvus\nold_api()\nstuck_api()\n"

pytestmark = pytest.mark.usefixtures("stub_engine")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Run) -> Path:
    """A project whose ORM uses are in its baseline."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text(OLD)
    (tmp_path / "b.py").write_text(OLD)
    monkeypatch.chdir(tmp_path)
    result = run_cli("--baseline", "known.json", "--write-baseline")
    assert (result.exit_code, result.output) == (0, "known.json has 4 entries.\n")
    return tmp_path


def check(run_cli: Run, *arguments: str) -> int:
    return run_cli("--check", "--baseline", "known.json", *arguments).exit_code


def test_the_baseline_is_a_file_that_people_can_review(project: Path) -> None:
    assert json.loads((project / "known.json").read_text()) == {
        "version": 1,
        "files": {
            "app/a.py": {"MLV401": {"old_api()": 1, "stuck_api()": 1}},
            "b.py": {"MLV401": {"old_api()": 1, "stuck_api()": 1}},
        },
    }


def test_what_is_known_does_not_fail_a_check(run_cli: Run, project: Path) -> None:
    assert run_cli("--check").exit_code == 1
    assert check(run_cli) == 0
    assert check(run_cli, "app") == 0


def test_lines_may_move(run_cli: Run, project: Path) -> None:
    (project / "b.py").write_text("# new\n\nimport pymilvus\nif x:\n    stuck_api()\nold_api()\n")
    assert check(run_cli) == 0


@pytest.mark.parametrize("text", ["old_api()\n", "stuck_api()\n", "x = stuck_api()\n"])
def test_a_new_use_fails_even_if_it_looks_like_a_known_one(
    run_cli: Run, project: Path, text: str
) -> None:
    (project / "b.py").write_text(OLD + text)
    assert check(run_cli) == 1
    assert check(run_cli, "app") == 0


def test_a_new_file_fails(run_cli: Run, project: Path) -> None:
    (project / "c.py").write_text(OLD)
    assert check(run_cli) == 1


def test_known_uses_are_counted_and_not_named(run_cli: Run, project: Path) -> None:
    (project / "b.py").write_text(OLD.replace("stuck_api()\n", ""))
    (project / "c.py").write_text(OLD)
    output = run_cli("--baseline", "known.json").output
    assert "c.py:3:1: MLV401" in output
    assert "a.py:3:1: MLV401" not in output
    assert "; 3 ORM uses known from the baseline; 1 of the baseline is gone" in output
    assert "a.py:3:1: MLV401" in run_cli("--baseline", "known.json", "--verbose").output


def test_reports_mark_what_is_known(run_cli: Run, project: Path) -> None:
    (project / "c.py").write_text(OLD)
    data = json.loads(run_cli("--baseline", "known.json", "--report", "json").stdout)
    folder = Path(migrate_milvus.__file__).parent
    jsonschema.validate(data, json.loads((folder / "report" / "schema.json").read_text()))
    known = {file["path"]: [site["known"] for site in file["sites"]] for file in data["files"]}
    assert known == {"app/a.py": [True, True], "b.py": [True, True], "c.py": [False, False]}
    assert data["summary"]["known"] == 4
    annotations = run_cli("--baseline", "known.json", "--report", "github").stdout
    assert "::warning file=c.py" in annotations
    assert "::warning file=b.py" not in annotations


def test_a_baseline_for_some_paths_keeps_the_others(run_cli: Run, project: Path) -> None:
    (project / "app" / "a.py").write_text(OLD + "stuck_api()\n")
    (project / "b.py").unlink()
    run_cli("app", "--baseline", "known.json", "--write-baseline")
    files = json.loads((project / "known.json").read_text())["files"]
    assert files == {"app/a.py": {"MLV401": {"old_api()": 1, "stuck_api()": 2}}}
    (project / "b.py").write_text(OLD)
    run_cli("--baseline", "known.json", "--write-baseline")
    run_cli("app", "--baseline", "known.json", "--write-baseline")
    assert set(json.loads((project / "known.json").read_text())["files"]) == {"app/a.py", "b.py"}


def test_after_a_write_the_baseline_holds_what_is_left(run_cli: Run, project: Path) -> None:
    result = run_cli("--write", "--baseline", "known.json", "--write-baseline", "--allow-dirty")
    assert "known.json has 2 entries." in result.output
    assert check(run_cli) == 0


def test_a_broken_file_fails_though_there_is_a_baseline(run_cli: Run, project: Path) -> None:
    (project / "c.py").write_text("import pymilvus\nprint 'x'\n")
    assert check(run_cli) == 2


def test_the_baseline_may_stand_in_the_configuration(run_cli: Run, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.migrate-milvus]\nbaseline = "known.json"\n')
    assert run_cli("--check").exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "known.json: there is no such baseline; --write-baseline makes it"),
        ("{", "known.json:1: not a baseline: not valid JSON"),
        ("[]", "known.json: not a baseline of migrate-milvus"),
        ('{"version": 1, "files": {"a": {"MLV401": {"x": "y"}}}}', "not a baseline of"),
        ('{"version": 9}', "a baseline of version 9, this is for 1"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_one_line_and_code_2(
    run_cli: Run, project: Path, text: str | None, message: str
) -> None:
    (project / "known.json").unlink()
    if text is not None:
        (project / "known.json").write_text(text)
    result = run_cli("--check", "--baseline", "known.json")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_baseline_that_cannot_be_written_is_one_line_and_code_2(
    run_cli: Run, project: Path
) -> None:
    result = run_cli("--baseline", "nowhere/known.json", "--write-baseline")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the baseline cannot be written: ")
    assert result.stderr.count("\n") == 1
