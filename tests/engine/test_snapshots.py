"""What users read about the rules; reviewed whenever it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_snapshot.plugin import Snapshot

from tests.conftest import Run


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("list_rules", ["--list-rules"]), ("explain_MLV401", ["--explain", "MLV401"])],
)
def test_texts_about_rules(
    run_cli: Run, snapshot: Snapshot, name: str, arguments: list[str]
) -> None:
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    result = run_cli(*arguments)
    assert result.exit_code == 0
    snapshot.assert_match(result.output, f"{name}.txt")
