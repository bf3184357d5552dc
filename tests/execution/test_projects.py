"""Every project that changes does the same before and after, whichever file it is started with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrate_milvus.verify.trace import Run, Warned
from tests.execution.judging import KEYS, backends, judge, judge_settings
from tests.fixtures.projects import Project, all_projects

PROJECTS = all_projects()
CHANGED = [project for project in PROJECTS if project.changed]
RUNS = [
    pytest.param(project, backend, id=f"{project.folder.name}@{backend}")
    for project in CHANGED
    if project.toml.get("run", True)
    for backend in backends(project.toml)
]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.folder.name)
def test_case_file_says_what_the_runner_knows(project: Project) -> None:
    assert set(project.toml) <= KEYS | {"paths"}
    judge_settings(project.toml)


def test_enough_projects_run() -> None:
    assert len(RUNS) >= 35


@pytest.mark.parametrize(("project", "backend"), RUNS)
def test_same_before_and_after(
    project: Project, backend: str, run_on: Callable[[Path, str], Run], tmp_path: Path
) -> None:
    before = run_on(project.program("before", tmp_path), backend)
    after = run_on(project.program("after", tmp_path), backend)
    keeps = bool(project.findings) or any(
        "# migrate-milvus:" in text for text in project.before.values()
    )
    judge(before, after, project.toml, backend=backend, keeps_orm_code=keeps)
    assert {_line(w, project.after, tmp_path) for w in after.recording.warnings} <= {
        (name, line) for name, text in project.before.items() for line in text.splitlines()
    }


def _line(warning: Warned, texts: dict[str, str], folder: Path) -> tuple[str, str]:
    """The file and the text of the line that warned."""
    name = Path(warning.file).relative_to(folder / "project").as_posix()
    return name, texts[name].splitlines()[warning.line - 1]
