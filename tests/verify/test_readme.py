"""What the README shows of verify is what it prints."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

from migrate_milvus.cli import cli
from migrate_milvus.verify import report, verifying
from migrate_milvus.verify.command import verify as command
from migrate_milvus.verify.compare import EXPECTED
from migrate_milvus.verify.server import LiteServer
from tests.verify.conftest import VerifyTexts, rewriting

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("\n## Proof") :].split("\n## ")[1]
FILMS = README.split("Before:\n\n```python\n")[1].split("```")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.S)


def without_seconds(text: str) -> str:
    text = re.sub(r"seconds   [\d.]+ before, [\d.]+ after", "seconds", text)
    return re.sub(r"Milvus Lite [\d.]+:", "Milvus Lite:", text)


def test_the_run_is_a_real_one(
    run_cli: Callable[..., Result],
    lite: LiteServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    (tmp_path / "films.py").write_text(FILMS)
    real = verifying.verify
    monkeypatch.setattr(
        verifying, "verify", lambda job, **rest: real(job, addresses=lite.fresh, **rest)
    )
    asked, _, shown = blocks("console")[0].removeprefix("$ ").partition("\n")
    result = run_cli(*asked.split()[1:])
    assert result.exit_code == 0, result.output
    assert without_seconds(result.output) == without_seconds(shown)


def test_the_difference_is_a_real_one(verify_text: VerifyTexts) -> None:
    verdict = verify_text(
        FILMS,
        name="films.py",
        migrate=rewriting(lambda text: text.replace('    consistency_level="Strong",\n', "")),
    )
    assert blocks("text")[0] in report.text(verdict)
    jsonschema.validate(
        report.as_data(verdict),
        json.loads(Path(report.__file__).with_name("schema.json").read_text(encoding="utf-8")),
    )


def test_every_option_is_documented() -> None:
    documented = set(re.findall(r"--[a-z][a-z-]+", SECTION))
    offered = {
        option for parameter in command.params for option in parameter.opts if option[:2] == "--"
    }
    # the options of the migration and of the terminal are explained above
    shared = {option for parameter in cli.params for option in parameter.opts}
    assert offered - shared <= documented <= offered


def test_every_expected_difference_is_listed() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (MLV\d{3}) \|", SECTION, re.M))
    assert rows == {name: reason.rule for name, reason in EXPECTED.items()}
