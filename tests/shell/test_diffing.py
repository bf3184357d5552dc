"""Diffs that git takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from migrate_milvus.diffing import coloured, unified_diff


def test_equal_texts_differ_in_nothing() -> None:
    assert unified_diff("a\n", "a\n", "x.py") == ""


def test_a_diff_names_both_sides() -> None:
    assert unified_diff("a\nb\n", "a\nc\n", "x.py") == (
        "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    )


def test_an_absolute_name_stays_absolute() -> None:
    assert unified_diff("a\n", "b\n", "/x.py").startswith("--- /x.py\n+++ /x.py\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb", "a\nc"),
        ("a\nb", "a\nb\n"),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        ("a\rb\rc\n", "a\rx\rc\n"),
        ("a\x0cb\u2028c\n", "a\x0cb\u2028d\n"),
        ("", "a\n"),
    ],
)
def test_git_applies_the_diff(tmp_path: Path, old: str, new: str) -> None:
    assert shutil.which("git"), "the tests need git"
    (tmp_path / "x.py").write_bytes(old.encode())
    patch = unified_diff(old, new, "x.py").encode()
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=tmp_path, input=patch, check=True)
    assert (tmp_path / "x.py").read_bytes() == new.encode()


def test_colours_change_nothing_but_the_looks() -> None:
    import click

    diff = unified_diff("a\nb\n", "a\nc\n", "x.py")
    assert click.unstyle(coloured(diff)) == diff
    assert coloured(diff) != diff
