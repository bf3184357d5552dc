"""Fixtures that are made for an older pymilvus run on it, in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus.verify.compare import compare
from migrate_milvus.verify.legacy import environment
from migrate_milvus.verify.pair import describe
from migrate_milvus.verify.programs import run_command
from migrate_milvus.verify.server import EmbeddedServer
from migrate_milvus.verify.trace import Run
from milvus_rules.versions import parse
from tests.execution.judging import backends

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SALT = "versions"
# Both import pkg_resources, which newer setuptools have dropped.
BESIDES = ("setuptools<81",)
# What the tests of today's pymilvus accept everywhere (see test_fixtures.py).
ACCEPTED = {"flat-index-params", "guard-lookup", "index-guard-lookup", "row-data"}


def _marked() -> list[tuple[Path, str, dict[str, Any]]]:
    found = []
    for file in sorted(FIXTURES.glob("*/*/case.toml")):
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
        found += [(file.parent, version, settings) for version in settings.get("pymilvus", [])]
    return found


MARKED = _marked()


def test_both_releases_have_fixtures() -> None:
    assert {version for _, version, _ in MARKED} >= {"2.4.15", "2.5.18"}


@pytest.mark.parametrize(
    ("folder", "settings"),
    [(folder, settings) for folder, _, settings in MARKED],
    ids=[f"{folder.name}@{version}" for folder, version, _ in MARKED],
)
def test_what_is_written_for_a_release_runs_on_it_and_later_ones(
    folder: Path, settings: dict[str, Any]
) -> None:
    wanted = settings["options"][settings["options"].index("--target-version") + 1]
    assert wanted == min(settings["pymilvus"], key=parse)


@pytest.mark.parametrize(
    ("folder", "version", "settings"),
    MARKED,
    ids=[f"{folder.name}@{version}" for folder, version, _ in MARKED],
)
def test_same_before_and_after(
    folder: Path,
    version: str,
    settings: dict[str, Any],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    python = str(environment(f"pymilvus-{version}", (f"pymilvus=={version}", *BESIDES)))
    echoed = backends(settings) == ["echo"]
    server: EmbeddedServer = request.getfixturevalue("echo" if echoed else "lite")

    def run(name: str) -> Run:
        command = [python, str(folder / name)]
        return run_command(command, address=server.fresh(), cwd=tmp_path, salt=SALT, timeout=120)

    before, after = run("before.py"), run("after.py")
    comparison = compare(before, after)
    report = "\n".join(describe(before, after, comparison))
    assert before.exit_status == after.exit_status == settings.get("exit", 0), report
    assert comparison.equal, report
    assert comparison.requests_before > 0, report
    assert set(comparison.expected) - ACCEPTED <= set(settings.get("expected", [])), report
