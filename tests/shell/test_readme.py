"""What the README shows is what the tool does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from migrate_milvus import pipeline
from migrate_milvus.cli import cli
from migrate_milvus.configuration import KEYS
from migrate_milvus.discover import discover
from migrate_milvus.model import Severity
from migrate_milvus.settings import load
from tests.conftest import Run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def block(after: str, language: str) -> str:
    """The first code block in ``language`` below the line that begins with ``after``."""
    text = README[README.index(f"\n{after}") :]
    found = re.search(rf"```{language}\n(.*?)```", text, re.S)
    assert found is not None
    return found[1]


def test_the_before_and_after_is_what_the_tool_writes(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("films.py").write_text(block("Before:", "python"))
    result = run_cli("films.py", "--write", "--target-python", "3.10")
    assert Path("films.py").read_text() == block("After ", "python"), result.output
    assert result.exit_code == 0, result.output


def test_the_finding_is_what_the_tool_prints(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("app").mkdir()
    Path("app/jobs.py").write_text(
        "import registry\nfrom pymilvus import Collection, connections\n"
        'connections.connect(host="localhost", port="19530")\n'
        'jobs = Collection("jobs")\nregistry.register(jobs)\njobs.flush()\n'
    )
    result = run_cli("app")
    assert result.exit_code == 1
    shown = README[README.index("\napp/jobs.py:") + 1 :].partition("```")[0]
    assert result.output.startswith(shown)


def test_the_sample_is_migrated_whole(run_cli: Run) -> None:
    sample = ROOT / "fixtures" / "sample"
    assert [Path(s.path).name for s in discover(load([sample])).candidates if s.wanted] == [
        "films.py"
    ]
    run = pipeline.run(load([sample]))
    (result,) = run.results
    blocking = [f for f in result.findings if f.severity is not Severity.NOTE]
    assert not blocking
    assert result.text is not None
    assert "MilvusClient(uri=" in result.text
    assert run.exit_code == 1


def test_the_two_commands_are_one_line_each() -> None:
    first, second = re.findall(r"^python3 -m venv .*$", README, re.M)
    assert first.endswith("migrate-milvus fixtures/sample --diff")
    assert second.endswith(".venv/bin/python -m pytest -n 2")


def test_the_tests_run_as_the_readme_says() -> None:
    assert '"$python" -m pytest -n 2\n' in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_option_is_documented() -> None:
    # verify has options of its own, and a test of its own that compares them
    before, _, section = README.partition("\n## Proof")
    documented = set(re.findall(r"--[a-z][a-z-]+", before + section.partition("\n## ")[2]))
    offered = {
        option
        for parameter in cli.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
    undocumented = {
        "--no-unsafe",
        "--no-keep-signatures",
        "--no-docs",
        "--no-strict-schema",
    }
    assert offered - documented == undocumented
    assert documented <= offered


def test_every_key_of_the_configuration_is_documented(tmp_path: Path) -> None:
    example = block("## Configuration", "toml")
    (tmp_path / "pyproject.toml").write_text(example)
    for folder in ("app", "jobs"):
        (tmp_path / folder).mkdir()
    load([tmp_path])
    assert set(re.findall(r"^([a-z-]+) =", example, re.M)) == set(KEYS) - {"select"}


def test_the_summary_of_an_upgrade_is_what_the_tool_prints(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app").mkdir()
    connect = 'connections.connect(host="localhost", port="19530")\n'
    Path("app/films.py").write_text(
        f"from pymilvus import Collection, connections\n{connect}"
        'films = Collection("films")\nfilms.flush()\n'
    )
    Path("app/jobs.py").write_text(
        f"import registry\nfrom pymilvus import Collection, connections\n{connect}"
        'jobs = Collection("jobs")\nregistry.register(jobs)\njobs.flush()\n'
    )
    Path("requirements.txt").write_text("pymilvus==2.3.0\n")
    for arguments in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *arguments], check=True)
    shown = README[README.index("\nWritten:") + 1 :].partition("```")[0]
    assert run_cli("--write").output.endswith(shown)


def test_the_example_for_actions_is_one_that_runs(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("import os\n")
    section = README[README.index("## In CI") : README.index("## Notebooks")]
    commands = re.findall(r"^ *- (?:run: )?migrate-milvus (--.*)$", section, re.M)
    assert len(commands) == 2
    for command in commands:
        assert run_cli(*command.split()).exit_code == 0, command
    assert Path("orm.sarif").exists()
    assert Path("orm.html").exists()
