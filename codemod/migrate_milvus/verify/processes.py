"""Run one command, keep a bounded part of what it prints, and end all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# what is kept of each output stream; the rest is read and thrown away
KEPT = 16 << 20
# put into the environment of the command: it tells which processes descend from it
MARK = "MIGRATE_MILVUS_RUN"

_PROC = Path("/proc")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed (``cut``: more than that)."""

    status: int
    stdout: bytes
    stderr: bytes
    cut: bool
    timed_out: bool
    seconds: float


class _Reader(threading.Thread):
    """Reads a stream to its end, so that the command never waits for us."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._parts: list[bytes] = []
        self._size = 0
        self.cut = False

    def run(self) -> None:
        """Read until every process that can write has closed its end."""
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(self._stream.fileno(), 1 << 16):
                room = KEPT - self._size
                self.cut = self.cut or len(data) > room
                if room > 0:
                    self._parts.append(data[:room])
                    self._size += len(self._parts[-1])

    @property
    def text(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)


def run_to_the_end(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    mark: str,
    timeout: float | None,
) -> Ended:
    """Run a command in a session of its own, without standard input.

    ``mark`` must be a text that no other process has in its environment. When the command is over,
    its time is up, or this process is interrupted, everything that it started is ended.

    Raises:
        OSError: when the command cannot be started.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**environment, MARK: mark},
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None
    readers = [_Reader(process.stdout), _Reader(process.stderr)]
    timed_out = False
    try:
        for reader in readers:
            reader.start()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        seconds = time.monotonic() - began
    finally:
        _end(process, mark)
        for reader in readers:
            reader.join(5)
        for stream in (process.stdout, process.stderr):
            stream.close()
    return Ended(
        status=process.returncode,
        stdout=readers[0].text,
        stderr=readers[1].text,
        cut=readers[0].cut or readers[1].cut,
        timed_out=timed_out,
        seconds=seconds,
    )


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """End the command's session, and what has left it (a daemon, a shell's job)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(100):
        left = _marked(mark)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: str) -> list[int]:
    """The living processes whose environment holds ``mark``.

    Only Linux tells (``/proc``). Elsewhere a process that leaves its session is not found.
    """
    entry = f"{MARK}={mark}".encode()
    found = []
    if not (_PROC / "self").exists():
        return []
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                # a process that has ended, and waits to be collected, has no environment
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found
