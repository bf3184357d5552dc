"""Run programs under the recorder: as a command of its own, or as a fork of a warm process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from migrate_milvus.verify import recorder
from migrate_milvus.verify.processes import run_to_the_end
from migrate_milvus.verify.trace import Recording, RecordingError, Run, read_recording

_HERE = Path(__file__).parent
_HOOK = _HERE / "hook"
_TIMEOUT = 120.0
HASH_SEED = "0"


def recording_environment(folder: Path, address: str, salt: str) -> dict[str, str]:
    """Return the variables that make a Python process record into ``folder``.

    ``address`` is where every pymilvus connection is sent; an empty one leaves them alone. Both
    sides of a comparison must be given the same ``salt``.
    """
    environment = {recorder.RECORD: str(folder), recorder.SALT: salt}
    if address:
        environment[recorder.SERVER] = address
    return environment


def run_command(
    command: Sequence[str],
    *,
    address: str,
    cwd: Path,
    salt: str,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = _TIMEOUT,
) -> Run:
    """Run any command, with the recorder in every Python process that it starts.

    Raises:
        OSError: when the command cannot be started.
        RecordingError: when its recording cannot be used.
    """
    base = dict(os.environ if environment is None else environment)
    with _scratch() as scratch:
        base.update(recording_environment(scratch / "record", address, salt))
        paths = [str(_HOOK), *filter(None, [base.get("PYTHONPATH")])]
        base["PYTHONPATH"] = os.pathsep.join(paths)
        base["PYTHONHASHSEED"] = HASH_SEED
        ended = run_to_the_end(
            command, cwd=cwd, environment=base, mark=str(scratch), timeout=timeout
        )
        texts = [
            _neutral(data.decode("utf-8", errors="replace"), scratch, address)
            for data in (ended.stdout, ended.stderr)
        ]
        try:
            recording = read_recording(scratch / "record")
        except RecordingError:
            # what was ended in the middle of a line is no failure of the recorder
            if not ended.timed_out:
                raise
            recording = Recording()
        return Run(
            exit_status=ended.status,
            stdout=texts[0],
            stderr=texts[1],
            recording=recording,
            seconds=ended.seconds,
            timed_out=ended.timed_out,
            cut=ended.cut,
        )


class WarmPython:
    """A Python process that has imported pymilvus and forks a child for each program.

    Saves the one to two seconds that the import costs. What a child does is recorded as by
    :func:`run_command`; what it cannot show is an effect of importing pymilvus itself.
    """

    def __init__(self) -> None:
        environment = dict(os.environ)
        environment.pop("PYTHONPATH", None)
        environment[recorder.SERVER] = "127.0.0.1:1"  # each child is given the real one
        environment["PYTHONHASHSEED"] = HASH_SEED
        self._process = subprocess.Popen(
            [sys.executable, "-W", "default", str(_HERE / "fork_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(
        self,
        program: Path,
        *,
        address: str,
        salt: str,
        timeout: float = _TIMEOUT,
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Run one program in an empty working folder; ``environment`` is added to this one.

        Raises:
            OSError: when the warm process has ended.
            RecordingError: when the recording cannot be used.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with _scratch() as scratch:
            job = {
                "argv": [str(program.resolve())],
                "cwd": str(scratch / "work"),
                "environment": {
                    **(environment or {}),
                    **recording_environment(scratch / "record", address, salt),
                },
                "stdout": str(scratch / "stdout"),
                "stderr": str(scratch / "stderr"),
                "timeout": timeout,
            }
            began = time.monotonic()
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line:
                raise OSError(f"the warm Python ended with {self._process.wait()}")
            answer = json.loads(line)
            seconds = time.monotonic() - began
            return _result(scratch, answer["exit"], answer["timed_out"], seconds)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> WarmPython:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="migrate-milvus-") as name:
        folder = Path(name)
        (folder / "record").mkdir()
        (folder / "work").mkdir()
        yield folder


def _neutral(text: str, scratch: Path, address: str) -> str:
    """What was printed, without the names of folders and servers that are new for each run."""
    text = text.replace(str(scratch), "SCRATCH")
    return text.replace(address, "SERVER") if address else text


def _result(scratch: Path, status: int, timed_out: bool, seconds: float) -> Run:
    # both sides work in scratch folders of their own, whose names may be printed
    texts = [
        (scratch / name)
        .read_text(encoding="utf-8", errors="replace")
        .replace(str(scratch), "SCRATCH")
        if (scratch / name).exists()
        else ""
        for name in ("stdout", "stderr")
    ]
    return Run(
        exit_status=status,
        stdout=texts[0],
        stderr=texts[1],
        recording=read_recording(scratch / "record"),
        seconds=seconds,
        timed_out=timed_out,
    )
