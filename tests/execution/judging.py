"""What has to hold of a fixture's two runs, of one file or of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate_milvus.verify.compare import Comparison, compare
from migrate_milvus.verify.pair import describe
from migrate_milvus.verify.trace import Run

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


def judge_settings(said: Mapping[str, Any]) -> None:
    """Fail for a ``case.toml`` with a value that means nothing, or without the reason it owes."""
    assert set(said.get("oracle", ["3.2"])) <= {"3.2", "2.5"}
    assert said.get("backend", "lite") in ("lite", "echo")
    plain = said.get("run", True) and not {"backend", "output"} & set(said)
    assert plain or said.get("why"), "say why it does not run, or not as the others do"


def judge(
    before: Run, after: Run, said: Mapping[str, Any], *, backend: str, keeps_orm_code: bool
) -> Comparison:
    """Fail unless both sides did the same, as far as ``case.toml`` does not say otherwise."""
    comparison = compare(before, after)
    report = "\n".join(describe(before, after, comparison))

    assert before.exit_status == said.get("exit", 0), report
    assert comparison.same_requests, report
    assert comparison.same_output is said.get("output", True), report
    listed = set(said.get("expected", []))
    assert set(comparison.expected) - ACCEPTED <= listed, report
    if backend != "2.5":
        assert listed <= set(comparison.expected), "a difference is expected that never shows"
    assert before.recording.warnings, "the program before does not use the ORM"
    if keeps_orm_code:
        # what stays on the ORM goes on warning
        assert comparison.warnings_after <= comparison.warnings_before, report
    else:
        assert not after.recording.warnings, report
    return comparison


def backends(said: Mapping[str, Any]) -> list[str]:
    """Where it runs: versions of Milvus Lite, or the echo server."""
    if said.get("backend", "lite") == "echo":
        return ["echo"]
    oracle: list[str] = said.get("oracle", ["3.2"])
    return oracle
