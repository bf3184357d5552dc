"""What the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

if TYPE_CHECKING:
    from migrate_milvus.verify.programs import WarmPython
    from migrate_milvus.verify.server import EchoServer, LiteServer

Run = Callable[..., Result]


@pytest.fixture
def run_cli() -> Run:
    """Runs the command line in this process: ``run_cli("path", "--diff", input=b"...")``."""
    from migrate_milvus.cli import cli

    def run(*arguments: object, input: bytes | str | None = None) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=input)

    return run


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmPython]:
    """A Python that has imported pymilvus."""
    from migrate_milvus.verify.programs import WarmPython

    with WarmPython() as python:
        yield python


@pytest.fixture(scope="session")
def lite() -> Iterator[LiteServer]:
    """Milvus Lite 3."""
    from migrate_milvus.verify.server import LiteServer

    with LiteServer() as server:
        yield server


@pytest.fixture(scope="session")
def echo() -> Iterator[EchoServer]:
    """The server that answers everything."""
    from migrate_milvus.verify.server import EchoServer

    with EchoServer() as server:
        yield server
