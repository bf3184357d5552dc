"""Bad input: one clear line each, the rest of the run goes on, exit code 2, never a traceback."""

from __future__ import annotations

import os
import types
from pathlib import Path

import pytest

from migrate_milvus.document import MAX_BYTES
from tests.conftest import Run

GOOD = "import pymilvus\nold_api()\n"
MIGRATED = "import pymilvus\nnew_api()\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub_engine: object) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "good.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


BAD_FILES = {
    "undecodable": (b"import pymilvus\n\n# \xff\n", "bad byte on line 3"),
    "unknown_encoding": (b"# coding: klingon\nimport pymilvus\n", "unknown encoding: klingon"),
    "utf_16": ("import pymilvus\n".encode("utf-16") + b"pymilvus", "cannot be decoded"),
    "python_2": (b"import pymilvus\nprint 'x'\n", "not valid Python 3"),
    "unparsable": (b"import pymilvus\ndef (:\n", "not valid Python 3: invalid syntax"),
    "bad_indent": (b"import pymilvus\n  x\n", "not valid Python 3: unexpected indent"),
    "nul": (b"import pymilvus\n\0\n", "not valid Python 3"),
    "huge": (b"import pymilvus\n" + b"#" * MAX_BYTES, "file is too large to analyse"),
    "deep": (b"import pymilvus\nx = " + b"(" * 5000 + b")" * 5000, ""),
    "deep_calls": (b"import pymilvus\nx = " + b"-" * 200_000 + b"1", "nested too deeply"),
}


@pytest.mark.parametrize(("data", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_line_and_the_others_are_written(
    run_cli: Run, project: Path, data: bytes, message: str
) -> None:
    bad = project / "bad.py"
    bad.write_bytes(data)
    result = run_cli("--write")
    lines = [line for line in result.output.splitlines() if "bad.py" in line]
    assert len(lines) == 1
    assert lines[0].startswith("bad.py:")
    assert ": MLV001 error: " in lines[0]
    assert message in lines[0]
    assert "1 file could not be handled." in result.output
    assert result.exit_code == 2
    assert bad.read_bytes() == data
    assert (project / "good.py").read_text() == MIGRATED


def test_an_empty_file_is_nothing_special(run_cli: Run, project: Path) -> None:
    (project / "empty.py").write_bytes(b"")
    result = run_cli("--write", "empty.py", "good.py")
    assert result.exit_code == 0
    assert (project / "empty.py").read_bytes() == b""


def test_a_path_that_does_not_exist(run_cli: Run, project: Path) -> None:
    result = run_cli("--write", "good.py", "none.py", "nowhere")
    assert result.exit_code == 2
    assert "none.py:1:1: MLV001 error: no such file or folder\n" in result.output
    assert "nowhere:1:1: MLV001 error: no such file or folder\n" in result.output
    assert (project / "good.py").read_text() == MIGRATED


def test_a_file_that_may_not_be_read(
    run_cli: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "bad.py").write_text(GOOD)
    opened = os.open

    def refuse(path: str, *rest: int) -> int:
        if str(path).endswith("bad.py"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    result = run_cli("--write")
    assert result.exit_code == 2
    assert "bad.py:1:1: MLV001 error: cannot be read: permission denied\n" in result.output
    assert (project / "good.py").read_text() == MIGRATED


def test_a_read_only_file_is_not_written_and_its_uses_are_not_called_rewritten(
    run_cli: Run, project: Path
) -> None:
    bad = project / "bad.py"
    bad.write_text(GOOD)
    bad.chmod(0o444)
    result = run_cli("--write")
    assert result.exit_code == 2
    assert "bad.py:1:1: MLV001 error: cannot be written: the file is read-only\n" in result.output
    assert "2 ORM uses in 2 files: 1 rewritten, 1 reported, 0 ignored" in result.output
    assert bad.read_text() == GOOD
    assert (project / "good.py").read_text() == MIGRATED


def test_links_in_a_circle(run_cli: Run, project: Path) -> None:
    (project / "a").symlink_to(project / "b")
    (project / "b").symlink_to(project / "a")
    (project / "inner").mkdir()
    (project / "inner" / "up").symlink_to(project, target_is_directory=True)
    assert run_cli("--write").exit_code == 0
    result = run_cli("a")
    assert result.exit_code == 2
    assert "a:1:1: MLV001 error: cannot be read: too many levels" in result.output


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        ("[tool.migrate-milvus]\nunsafe = 3\n", "pyproject.toml:2: "),
        ("[tool.migrate-milvus]\nnonsense = 3\n", "pyproject.toml:2: "),
        ("[tool.migrate-milvus\n", "pyproject.toml:1: not valid TOML"),
    ],
)
def test_a_broken_configuration_changes_nothing(
    run_cli: Run, project: Path, pyproject: str, message: str
) -> None:
    (project / "pyproject.toml").write_text(pyproject)
    result = run_cli("--write")
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {message}")
    assert result.output.count("\n") == 1
    assert (project / "good.py").read_text() == GOOD


def test_a_report_that_cannot_be_written(run_cli: Run, project: Path) -> None:
    result = run_cli("--report", "json=no/such/folder.json")
    assert result.exit_code == 2
    assert "Error: the report cannot be written: no/such/folder.json" in result.stderr


@pytest.mark.parametrize("error", [ValueError("x\ny"), RecursionError(), MemoryError()])
def test_a_bug_in_the_analysis_is_a_finding_and_no_traceback(
    run_cli: Run, project: Path, stub_engine: types.ModuleType, error: Exception
) -> None:
    (project / "importer.py").write_text("import good\n")

    def fail(*_: object) -> None:
        raise error

    stub_engine.migrate = fail  # type: ignore[attr-defined]
    result = run_cli("--write")
    assert result.exit_code == 2
    assert f"good.py:1:1: MLV003 error: internal error, file left as it is: {type(error)}"[:60] in (
        result.output
    )
    assert "importer.py" not in result.output
    assert (project / "good.py").read_text() == GOOD
