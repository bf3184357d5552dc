"""What shells complete, asked as they ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


def ask(shell: str, *words: str) -> list[str]:
    """The completions of the last of ``words``, behind the name of the command."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "_MIGRATE_MILVUS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(("migrate-milvus", *words)),
        "COMP_CWORD": str(len(words)),
    }
    code = "from migrate_milvus.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.stdout.splitlines()


def test_options_are_completed() -> None:
    assert ask("bash", "--int") == ["plain,--interactive"]


def test_rules_are_completed_behind_a_comma_too() -> None:
    assert ask("bash", "--explain", "mlv40") == ["plain,MLV401", "plain,MLV402", "plain,MLV403"]
    assert ask("bash", "--select", "MLV2,MLV402") == ["plain,MLV2,MLV402"]


def test_titles_are_shown_where_the_shell_can() -> None:
    assert "insert and upsert take rows" in ask("zsh", "--explain", "MLV401")


def test_formats_and_options_of_the_other_command_are_completed() -> None:
    assert ask("bash", "--report", "s") == ["plain,sarif"]
    assert ask("bash", "verify", "--ba") == ["plain,--backend"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(shell: str) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "_MIGRATE_MILVUS_COMPLETE": f"{shell}_source",
    }
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash here")
    code = "from migrate_milvus.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "migrate-milvus" in done.stdout
    if shell == "bash":
        checked = subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False)
        assert checked.returncode == 0
