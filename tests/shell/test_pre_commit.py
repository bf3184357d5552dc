"""The hooks, run by pre-commit itself from a clone of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shell.test_reports import notebook

ROOT = Path(__file__).parents[2]
INSTALLED = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "pyproject.toml", "codemod", "rules")

FILMS = """\
from pymilvus import Collection, connections

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
films.flush()
"""
HELPER = """\
from pymilvus import Collection


def fill(films: Collection) -> None:
    films.flush()
"""
CALLER = """\
from pymilvus import Collection, connections

from helper import fill

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
fill(films)
"""

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed of this repository, as a repository of its own."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in INSTALLED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg*"))
        else:
            shutil.copy(source, target)
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit installs the hooks, once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shell(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs pre-commit (or git) in a repository of a user."""
    git("init", "--quiet", cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON"))}
    environment["PRE_COMMIT_HOME"] = str(cache)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git"] if arguments[0] == "git" else [sys.executable, "-m", "pre_commit"]
        return subprocess.run(
            [*command, *(arguments[1:] if arguments[0] == "git" else arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        git("init", "--quiet", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "--quiet", "--message", "x", cwd=folder)


def configure(hooks: Path, hook: str) -> None:
    """Let the repository in the working directory use a hook."""
    revision = git("rev-parse", "HEAD", cwd=hooks).strip()
    Path(".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: {hook}\n"
    )


def test_try_repo_writes_and_the_next_run_passes(shell: Shell, hooks: Path) -> None:
    Path("films.py").write_text(FILMS)
    Path("plain.py").write_text("print()\n")
    Path("films.ipynb").write_text(notebook(FILMS))
    shell("git", "add", ".")
    first = shell("try-repo", str(hooks), "migrate-milvus", "--all-files")
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    assert "2 files written." in first.stdout
    assert "MilvusClient(uri=" in Path("films.py").read_text()
    assert "MilvusClient(uri=" in Path("films.ipynb").read_text()
    configure(hooks, "migrate-milvus")
    shell("git", "add", ".")
    second = shell("run", "--all-files")
    assert second.returncode == 0, second.stdout + second.stderr


def test_the_check_fails_and_changes_nothing(shell: Shell, hooks: Path) -> None:
    Path("films.py").write_text(FILMS)
    configure(hooks, "migrate-milvus-check")
    shell("git", "add", ".")
    done = shell("run")
    assert done.returncode == 1
    assert "1 file would change" in done.stdout
    assert Path("films.py").read_text() == FILMS


def test_what_is_staged_never_breaks_what_is_not(shell: Shell, hooks: Path) -> None:
    Path("helper.py").write_text(HELPER)
    Path("caller.py").write_text(CALLER)
    configure(hooks, "migrate-milvus")
    commit(Path.cwd())
    Path("helper.py").write_text(f"{HELPER}\n\n{FILMS}")
    Path("caller.py").write_text(f"{CALLER}# not staged\n")
    shell("git", "add", "helper.py")
    done = shell("run")
    assert done.returncode == 1
    # What stands alone is migrated; what the caller passes stays, because the caller has to.
    helper = Path("helper.py").read_text()
    assert "def fill(films: Collection) -> None:\n    films.flush()\n" in helper
    assert 'client.flush("films")' in helper
    assert Path("caller.py").read_text() == f"{CALLER}# not staged\n"


def test_a_commit_runs_the_hook(shell: Shell, hooks: Path) -> None:
    configure(hooks, "migrate-milvus")
    shell("git", "add", ".")
    assert shell("install").returncode == 0
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    Path("films.py").write_text(FILMS)
    shell("git", "add", ".")
    assert shell("git", *identity, "commit", "-m", "x").returncode == 1
    assert "MilvusClient" in Path("films.py").read_text()
    shell("git", "add", ".")
    second = shell("git", *identity, "commit", "-m", "x")
    assert second.returncode == 0, second.stdout + second.stderr
