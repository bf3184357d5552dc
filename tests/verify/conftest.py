"""Verify without the cost of starting things: a warm Python, a server that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from migrate_milvus import pipeline
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult
from migrate_milvus.settings import Settings
from migrate_milvus.verify import recorder
from migrate_milvus.verify.programs import WarmPython
from migrate_milvus.verify.server import EchoServer, LiteServer
from migrate_milvus.verify.trace import Run
from migrate_milvus.verify.verifying import ECHO, LITE, Job, Runner, Verdict, verify

DATA = Path(__file__).parent / "data"
VerifyTexts = Callable[..., Verdict]


def rewriting(change: Callable[[str], str]) -> Callable[[Settings], pipeline.RunResult]:
    """The migration, and then a change of every text that it writes."""

    def migrate(settings: Settings) -> pipeline.RunResult:
        run = pipeline.run(settings)
        for result in run.results:
            if result.text is not None:
                result.text = change(result.text)
        return run

    return migrate


def writing(text: str) -> Callable[[Settings], pipeline.RunResult]:
    """Another text for every program: a migration by hand."""

    def migrate(settings: Settings) -> pipeline.RunResult:
        results = []
        for path in sorted(settings.root.glob("*.py")):
            document = Document.read(path, path.name)
            results.append(FileResult(document, text=text))
        return pipeline.conclude(results)

    return migrate


@pytest.fixture(scope="session")
def fork(warm: WarmPython) -> Runner:
    """Runs ``python PROGRAM`` as a fork of the warm Python; the same text runs only once."""
    known: dict[tuple[bytes, str], Run] = {}

    def run(
        command: Sequence[str],
        *,
        address: str,
        cwd: Path,
        salt: str,
        environment: Mapping[str, str],
        timeout: float | None,
    ) -> Run:
        program = cwd / command[-1]
        key = (program.read_bytes(), command[0])
        if key not in known:
            known[key] = warm.run(
                program,
                address=address,
                salt="tests",
                timeout=timeout or 60,
                environment={recorder.SEED: "1"},
            )
            # the next copy stands elsewhere
            requests = tuple(
                replace(request, file=request.file.replace(str(cwd), "(copy)"))
                for request in known[key].recording.requests
            )
            recording = replace(known[key].recording, requests=requests)
            known[key] = replace(known[key], recording=recording)
        held = known[key].recording
        requests = tuple(replace(r, file=r.file.replace("(copy)", str(cwd))) for r in held.requests)
        return replace(known[key], recording=replace(held, requests=requests))

    return run


@pytest.fixture
def verify_text(tmp_path: Path, fork: Runner, lite: LiteServer, echo: EchoServer) -> VerifyTexts:
    """Verifies one program: ``verify_text(text, migrate=..., backend=...)``."""

    def run(
        text: str,
        *,
        name: str = "program.py",
        migrate: Callable[[Settings], pipeline.RunResult] = pipeline.run,
        backend: str = LITE,
    ) -> Verdict:
        project = tmp_path / "project"
        project.mkdir()
        (project / name).write_text(text, encoding="utf-8")
        server = echo if backend == ECHO else lite
        job = Job(
            settings=Settings(root=project, paths=(project,), target_python=(3, 10)),
            command=(backend, name),
            cwd=project,
            backend=backend,
        )
        return verify(job, migrate=migrate, run=fork, addresses=server.fresh)

    return run
