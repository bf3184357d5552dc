"""What runs the programs, besides what all tests share: Milvus Lite 2.5, and short hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate_milvus.verify.legacy import legacy_python
from migrate_milvus.verify.programs import WarmPython
from migrate_milvus.verify.server import EmbeddedServer, LiteServer
from migrate_milvus.verify.trace import Run

# The same on both sides of every pair: credentials are compared by fingerprint.
SALT = "tests"

RunProgram = Callable[[Path], Run]
RunOn = Callable[[Path, str], Run]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of this area's own programs."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def lite_2_5() -> Iterator[LiteServer]:
    """Milvus Lite 2.5.1, in an environment that the first use makes.

    Where pip cannot install it the tests that need it fail: a skipped proof is no proof.
    """
    with LiteServer(str(legacy_python())) as server:
        yield server


@pytest.fixture
def run_program(warm: WarmPython, lite: LiteServer) -> RunProgram:
    """Runs a program on an empty Milvus Lite 3."""

    def run(program: Path) -> Run:
        return warm.run(program, address=lite.fresh(), salt=SALT, timeout=60)

    return run


@pytest.fixture
def run_on(request: pytest.FixtureRequest, warm: WarmPython) -> RunOn:
    """Runs a program on an empty Milvus Lite ("3.2" or "2.5"), or an empty "echo" server."""

    def run(program: Path, backend: str) -> Run:
        name = {"3.2": "lite", "2.5": "lite_2_5"}.get(backend, backend)
        server: EmbeddedServer = request.getfixturevalue(name)
        return warm.run(program, address=server.fresh(), salt=SALT, timeout=60)

    return run
