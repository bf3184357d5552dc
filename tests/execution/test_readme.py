"""What the README shows, and its sample, do the same before and after."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate_milvus.cli import cli
from migrate_milvus.verify.compare import compare
from migrate_milvus.verify.pair import describe
from migrate_milvus.verify.trace import Run

ROOT = Path(__file__).resolve().parents[2]


def _shown() -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"\nBefore:\n\n```python\n(.*?)```", text, re.S)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", ["shown", "sample"])
def test_same_before_and_after(
    name: str, tmp_path: Path, run_program: Callable[[Path], Run]
) -> None:
    sample = ROOT / "fixtures" / "sample" / "films.py"
    text = _shown() if name == "shown" else sample.read_text("utf-8")
    old, new = tmp_path / "before.py", tmp_path / "after.py"
    old.write_text(text, "utf-8")
    new.write_text(text, "utf-8")
    written = CliRunner().invoke(cli, [str(new), "--write", "--target-python", "3.10"])
    assert written.exit_code == 0, written.output

    before, after = run_program(old), run_program(new)
    comparison = compare(before, after)
    report = "\n".join(describe(before, after, comparison))
    assert before.exit_status == 0, report
    assert comparison.equal, report
    assert set(comparison.expected) <= {"flat-index-params"}, report
    assert before.recording.warnings
    assert not after.recording.warnings, report
