"""Embedded servers, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from migrate_milvus.verify import recorder

if TYPE_CHECKING:
    from typing_extensions import Self

_HERE = Path(__file__).parent


class ServerError(Exception):
    """An embedded server could not be started, or ended on its own."""


class EmbeddedServer:
    """A process that serves one empty Milvus after another.

    ``script`` is what runs in it. Its lifetime hangs on this process: when that ends, however it
    ends, the server does too.
    """

    name = "the server"

    def __init__(self, script: Path, python: str = sys.executable) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in (recorder.RECORD, recorder.SERVER, "PYTHONPATH")
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the server
        )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def fresh(self) -> str:
        """Return the address of an empty server; what was served before is gone.

        Raises:
            ServerError: when it does not start.
        """
        word, _, rest = self._ask("start").partition(" ")
        if word != "ready":
            raise ServerError(f"{self.name} did not start: {rest}\n{self._tail()}")
        return rest

    def close(self) -> None:
        """End the process and remove its data."""
        if self._process.poll() is None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(question + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError as error:
            raise ServerError(f"{self.name} ended: {error}\n{self._tail()}") from error
        if not answer:
            status = self._process.wait()
            raise ServerError(f"{self.name} ended with {status}\n{self._tail()}")
        return answer.strip()

    def _tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class LiteServer(EmbeddedServer):
    """Milvus Lite: answers as a small Milvus does.

    ``python`` is the interpreter that has the wanted ``milvus-lite`` (3.x by default: this one).
    """

    name = "Milvus Lite"

    def __init__(self, python: str = sys.executable) -> None:
        super().__init__(_HERE / "lite_process.py", python)


class EchoServer(EmbeddedServer):
    """Answers every call with a minimal success: for comparing requests, not results."""

    name = "the echo server"

    def __init__(self) -> None:
        super().__init__(_HERE / "echo_process.py")
