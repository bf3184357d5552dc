"""The one-off upgrade in a repository: what is refused, what is said, and how to take it back."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run

OLD = "import pymilvus\nold_api()\n"
NEW = "import pymilvus\nnew_api()\n"

Git = Callable[..., str]

pytestmark = pytest.mark.usefixtures("stub_engine")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository in which two files are committed; runs git in it."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *identity, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    run("init", "--quiet")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text(OLD)
    (tmp_path / "b.py").write_text(OLD)
    (tmp_path / "README").write_text("x\n")
    run("add", ".")
    run("commit", "--quiet", "--message", "x")
    return run


def test_a_clean_tree_is_written(run_cli: Run, git: Git) -> None:
    assert run_cli("--write").exit_code == 0
    assert git("diff", "--name-only").split() == ["app/a.py", "b.py"]


@pytest.mark.parametrize("mode", ["--write", "--interactive"])
def test_a_tree_with_unstaged_changes_is_refused(run_cli: Run, git: Git, mode: str) -> None:
    Path("README").write_text("y\n")
    result = run_cli(mode)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: README has changes that are not staged; commit or stage (git add) them first, "
        "or pass --allow-dirty\n"
    )
    assert Path("b.py").read_text() == OLD
    assert run_cli("--write", "--allow-dirty").exit_code == 0
    assert Path("b.py").read_text() == NEW


def test_staged_changes_are_no_obstacle(run_cli: Run, git: Git) -> None:
    Path("b.py").write_text(OLD + "# mine\n")
    git("add", "b.py")
    result = run_cli("--write")
    assert result.exit_code == 0
    undo = result.output.splitlines()[-1].removeprefix("To undo: ")
    subprocess.run(shlex.split(undo), check=True)
    assert Path("b.py").read_text() == OLD + "# mine\n"


def test_a_file_that_git_does_not_know_is_refused(run_cli: Run, git: Git) -> None:
    Path("new file.py").write_text(OLD)
    result = run_cli("--write")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: new file.py is not tracked by git")
    assert run_cli("b.py", "--write").exit_code == 0


def test_a_dirty_tree_is_no_obstacle_when_nothing_is_to_be_written(run_cli: Run, git: Git) -> None:
    Path("README").write_text("y\n")
    assert run_cli("README", "--write").exit_code == 0
    assert run_cli("--check").exit_code == 1
    assert run_cli("--diff").exit_code == 1


def test_the_message_counts_the_files(run_cli: Run, git: Git) -> None:
    for name in ("README", "app/a.py", "b.py"):
        Path(name).write_text(OLD + "# mine\n")
    assert "README and 2 other files have changes" in run_cli("--write").stderr


@pytest.mark.parametrize("folder", [".", "app"])
def test_the_command_to_undo_works(
    run_cli: Run, git: Git, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = run_cli("--write")
    undo = result.output.splitlines()[-1].removeprefix("To undo: ")
    assert undo == ("git restore -- app/a.py b.py" if folder == "." else "git restore -- a.py")
    subprocess.run(shlex.split(undo), check=True)
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("folder", [".", "app"])
def test_what_was_written_over_changes_can_be_undone_without_them(
    run_cli: Run, git: Git, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {
        "b.py": ("# é\n" + OLD).encode("latin-1"),
        "app/a.py": b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode().rstrip(),
        "ü.py": OLD.encode(),
    }
    mine["b.py"] = b"# coding: latin-1\n" + mine["b.py"]
    for name, data in mine.items():
        Path(name).write_bytes(data)
    root = Path.cwd()
    monkeypatch.chdir(folder)
    result = run_cli(str(root), "--write", "--allow-dirty")
    assert all((root / name).read_bytes() != data for name, data in mine.items())
    undo = result.output.splitlines()[-1].removeprefix("To undo: ")
    assert "apply -R" in undo
    subprocess.run(shlex.split(undo), check=True)
    assert {name: (root / name).read_bytes() for name in mine} == mine


def test_many_files_are_undone_by_one_short_command(run_cli: Run, git: Git) -> None:
    for number in range(20):
        Path(f"m{number}.py").write_text(OLD)
    git("add", ".")
    undo = run_cli("--write").output.splitlines()[-1].removeprefix("To undo: ")
    assert undo == "git apply -R .git/migrate-milvus-undo.patch"
    subprocess.run(shlex.split(undo), check=True)
    assert git("diff", "--name-only") == ""


def test_without_a_repository_files_are_written_and_no_command_is_named(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.py").write_text(OLD)
    result = run_cli("--write")
    assert result.exit_code == 0
    assert "To undo" not in result.output


def test_a_link_is_undone_where_it_leads(run_cli: Run, git: Git) -> None:
    Path("link.py").symlink_to("b.py")
    git("add", "link.py")
    result = run_cli("link.py", "--write")
    assert Path("b.py").read_text() == NEW
    undo = result.output.splitlines()[-1].removeprefix("To undo: ")
    subprocess.run(shlex.split(undo), check=True)
    assert Path("b.py").read_text() == OLD
    assert Path("link.py").is_symlink()


def test_the_summary_names_what_was_written_what_stayed_and_what_is_needed(
    run_cli: Run, git: Git
) -> None:
    Path("c.py").write_text("import pymilvus\nstuck_api()\nold_api()\n")
    git("add", ".")
    result = run_cli("--write", "--target-version", "3.0")
    assert result.exit_code == 1
    assert result.output.endswith(
        "Written:\n"
        "    app/a.py (1 ORM use)\n"
        "    b.py (1 ORM use)\n"
        "    c.py (1 ORM use)\n"
        "Stayed on the ORM:\n"
        "    c.py:2: stuck_api(): field-order-known\n"
        "4 ORM uses in 3 files: 3 rewritten, 1 reported, 0 ignored; 3 files written.\n"
        "The new code needs pymilvus 3.0 or newer.\n"
        "To undo: git restore -- app/a.py b.py c.py\n"
    )
