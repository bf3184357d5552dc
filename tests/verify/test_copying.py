"""A copy of a project holds what a command needs, and leads nowhere back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from migrate_milvus.verify import copying
from migrate_milvus.verify.copying import CopyError, copy_project, list_project
from migrate_milvus.verify.verifying import remove


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with something of everything."""
    root = tmp_path / "project"
    for name, content in {
        ".gitignore": "*.log\n/secret/\n!kept.log\n.venv/\n",
        "app.py": "print()\n",
        "sub/untracked.txt": "data",
        "sub/.gitignore": "!loud.log\n",
        "sub/loud.log": "kept by the inner one",
        "noise.log": "no",
        "kept.log": "yes",
        "secret/key": "no",
        ".venv/pyvenv.cfg": "home = /usr",
        ".venv/bin/python": "no",
        "__pycache__/app.pyc": "no",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "sub" / "link").symlink_to("../app.py")
    (root / "absolute").symlink_to(root / "app.py")
    (root / "outside").symlink_to("/usr")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o555)
    return root


def with_git(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "app.py"], check=True)


EXPECTED = {
    ".gitignore", "app.py", "sub/untracked.txt", "sub/.gitignore", "sub/loud.log", "kept.log",
    "sub/link", "absolute", "outside", "run.sh",
}  # fmt: skip


@pytest.mark.parametrize("git", [False, True], ids=["without git", "with git"])
def test_a_copy_holds_what_git_does_not_ignore(git: bool, project: Path, tmp_path: Path) -> None:
    if git:
        with_git(project)
        (project / "__pycache__" / "app.pyc").unlink()  # git has no opinion on it
    listing = list_project(project)
    assert set(listing.files) == EXPECTED
    assert listing.links == (".venv",)
    copy = tmp_path / "copy"
    copy_project(project, copy, listing)
    assert (copy / "sub" / "untracked.txt").read_text() == "data"
    assert not (copy / "noise.log").exists()
    assert not (copy / "secret").exists()
    assert (copy / ".venv").resolve() == project / ".venv"


def test_links_stay_inside_the_copy(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_project(project, copy, list_project(project))
    assert (copy / "sub" / "link").resolve() == copy / "app.py"
    assert (copy / "absolute").resolve() == copy / "app.py"
    assert (copy / "outside").resolve() == Path("/usr")


def test_new_texts_are_never_written_through_a_link(project: Path, tmp_path: Path) -> None:
    away = tmp_path / "away.py"
    away.write_text("old")
    (project / "linked.py").symlink_to(away)
    (project / "readonly.py").write_text("old")
    (project / "readonly.py").chmod(0o444)
    texts = {project / "linked.py": b"new", project / "readonly.py": b"new"}
    copy_project(project, tmp_path / "copy", list_project(project), texts)
    assert away.read_text() == "old"
    assert (tmp_path / "copy" / "linked.py").read_bytes() == b"new"
    assert (tmp_path / "copy" / "readonly.py").read_bytes() == b"new"
    assert (project / "readonly.py").read_text() == "old"


def test_modes_are_kept_and_a_copy_can_be_written(project: Path, tmp_path: Path) -> None:
    copy_project(project, tmp_path / "copy", list_project(project))
    assert (tmp_path / "copy" / "run.sh").stat().st_mode & 0o777 == 0o755


def test_an_ignored_file_comes_along_when_it_is_named(project: Path) -> None:
    listing = list_project(project, [project / "secret", project / "noise.log"])
    assert set(listing.files) - EXPECTED == {"secret/key", "noise.log"}


def test_a_repository_inside_is_part_of_the_project(project: Path) -> None:
    with_git(project)
    inner = project / "inner"
    inner.mkdir()
    (inner / "lib.py").write_text("")
    (inner / "app.py").write_text("")
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    subprocess.run(["git", "-C", str(inner), "add", "lib.py"], check=True)
    assert {"inner/lib.py", "inner/app.py"} <= set(list_project(project).files)


def test_a_deleted_file_is_no_problem(project: Path, tmp_path: Path) -> None:
    with_git(project)
    (project / "app.py").unlink()
    copy_project(project, tmp_path / "copy", list_project(project))
    assert not (tmp_path / "copy" / "app.py").exists()


def test_too_large_a_project_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_BYTES", 10)
    with pytest.raises(CopyError, match="too much to copy"):
        list_project(project)


def test_a_folder_that_forbids_it_is_removed_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed" / "inner" / "file").write_text("")
    os.chmod(folder / "closed" / "inner", 0o500)
    os.chmod(folder / "closed", 0o500)
    remove(folder)
    assert not folder.exists()
