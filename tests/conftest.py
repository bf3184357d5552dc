"""What the tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

Run = Callable[..., Result]


@pytest.fixture
def run_cli() -> Run:
    """Runs the command line in this process: ``run_cli("path", "--diff", input=b"...")``."""
    from migrate_milvus.cli import cli

    def run(*arguments: object, input: bytes | str | None = None) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=input)

    return run
