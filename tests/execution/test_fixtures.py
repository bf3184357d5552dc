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

from migrate_milvus.verify.compare import compare
from migrate_milvus.verify.pair import describe
from migrate_milvus.verify.trace import Run
from tests.fixtures.notebooks import runnable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
# What any migration may differ in; anything else a case has to name in its case.toml.
ACCEPTED = frozenset(
    {
        "flat-index-params",
        "guard-lookup",
        "index-guard-lookup",
        "partition-guard-lookup",
        "query-output-fields",
        "row-data",
    }
)
KEYS = frozenset(
    {"options", "run", "why", "backend", "oracle", "expected", "exit", "output", "pymilvus"}
)


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

    @property
    def backends(self) -> list[str]:
        """Where it runs: versions of Milvus Lite, or the echo server."""
        if self.settings.get("backend", "lite") == "echo":
            return ["echo"]
        oracle: list[str] = self.settings.get("oracle", ["3.2"])
        return oracle

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
    for backend in case.backends
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_file_says_what_the_runner_knows(case: Case) -> None:
    assert set(case.settings) <= KEYS
    assert set(case.settings.get("oracle", ["3.2"])) <= {"3.2", "2.5"}
    assert case.settings.get("backend", "lite") in ("lite", "echo")
    plain = not {"run", "backend", "output"} & set(case.settings)
    assert plain or case.settings.get("why"), "say why it does not run, or not as the others do"


def test_enough_fixtures_run() -> None:
    assert len(RUNNABLE) >= 60


@pytest.mark.parametrize(("case", "backend"), RUNS)
def test_same_before_and_after(
    case: Case, backend: str, run_on: Callable[[Path, str], Run], tmp_path: Path
) -> None:
    before = run_on(runnable(case.program("before"), tmp_path), backend)
    after = run_on(runnable(case.program("after"), tmp_path), backend)
    comparison = compare(before, after)
    report = "\n".join(describe(before, after, comparison))

    assert before.exit_status == case.settings.get("exit", 0), report
    assert comparison.same_requests, report
    assert comparison.same_output is case.settings.get("output", True), report
    listed = set(case.settings.get("expected", []))
    assert set(comparison.expected) - ACCEPTED <= listed, report
    if backend != "2.5":
        assert listed <= set(comparison.expected), "a difference is expected that never shows"
    assert before.recording.warnings, "the program before does not use the ORM"
    if case.keeps_orm_code:
        # what stays on the ORM goes on warning, and only from lines that were there before
        assert comparison.warnings_after <= comparison.warnings_before, report
        if case.program("before").suffix == ".ipynb":
            return  # the recorder has lines of cells
        old, new = case.lines("before"), case.lines("after")
        assert {new[warning.line - 1] for warning in after.recording.warnings} <= set(old), report
    else:
        assert not after.recording.warnings, report
