"""Every fixture that rewrites something does the same before and after, on embedded Milvus.

Those that use what Milvus Lite lacks send the same to the server that answers everything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus.verify.trace import Run
from tests.execution.judging import KEYS, backends, judge, judge_settings
from tests.fixtures.notebooks import runnable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@dataclass(frozen=True)
class Case:
    """One pair of programs and what its ``case.toml`` says about running it."""

    folder: Path
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.relative_to(FIXTURES).as_posix()

    @property
    def keeps_orm_code(self) -> bool:
        """Whether something was refused, or left alone because its owner said so."""
        text = self.program("before").read_text(encoding="utf-8")
        return (self.folder / "findings.txt").exists() or "# migrate-milvus: ignore" in text

    def program(self, side: str) -> Path:
        """The program before or after: a module, or a notebook."""
        (found,) = self.folder.glob(f"{side}.*")
        return found

    def lines(self, side: str) -> list[str]:
        return self.program(side).read_text(encoding="utf-8").splitlines()


def _cases() -> list[Case]:
    found = []
    for before in sorted(FIXTURES.glob("**/before.*")):
        if before.with_stem("after").exists():
            file = before.with_name("case.toml")
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            found.append(Case(before.parent, tomllib.loads(text)))
    return found


CASES = _cases()
RUNNABLE = [case for case in CASES if case.settings.get("run", True)]
RUNS = [
    pytest.param(case, backend, id=case.name if backend == "3.2" else f"{case.name}@{backend}")
    for case in RUNNABLE
    for backend in backends(case.settings)
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_file_says_what_the_runner_knows(case: Case) -> None:
    assert set(case.settings) <= KEYS
    judge_settings(case.settings)


def test_enough_fixtures_run() -> None:
    assert len(RUNNABLE) >= 60


@pytest.mark.parametrize(("case", "backend"), RUNS)
def test_same_before_and_after(
    case: Case, backend: str, run_on: Callable[[Path, str], Run], tmp_path: Path
) -> None:
    before = run_on(runnable(case.program("before"), tmp_path), backend)
    after = run_on(runnable(case.program("after"), tmp_path), backend)
    judge(before, after, case.settings, backend=backend, keeps_orm_code=case.keeps_orm_code)
    if case.keeps_orm_code and case.program("before").suffix != ".ipynb":
        # what stays on the ORM warns only from lines that were there before (of notebooks, the
        # recorder has lines of cells)
        old, new = case.lines("before"), case.lines("after")
        assert {new[warning.line - 1] for warning in after.recording.warnings} <= set(old)
