"""A command is run to its end, and nothing that it started outlives it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from migrate_milvus.verify import processes
from migrate_milvus.verify.processes import Ended, run_to_the_end


def run(folder: Path, code: str, *, timeout: float = 30) -> Ended:
    return run_to_the_end(
        [sys.executable, "-S", "-c", code],
        cwd=folder,
        environment=dict(os.environ),
        mark=str(folder),
        timeout=timeout,
    )


def gone(pid: int) -> bool:
    """Whether a process ends: it has been killed, which takes the system a moment."""
    state = Path(f"/proc/{pid}/stat")
    for _ in range(500):
        try:
            if state.read_text().split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_it_ends_as_the_command_does(tmp_path: Path) -> None:
    ended = run(tmp_path, "import sys; print(sys.stdin.read(), end=''); sys.exit(7)")
    assert (ended.status, ended.stdout, ended.stderr, ended.timed_out) == (7, b"", b"", False)


def test_a_signal_is_told_from_a_status(tmp_path: Path) -> None:
    assert run(tmp_path, "import os; os.kill(os.getpid(), 11)").status == -11


def test_gigabytes_are_read_but_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "KEPT", 1000)
    ended = run(tmp_path, "import os\nfor _ in range(2000): os.write(1, b'x' * 65536)")
    assert (ended.status, len(ended.stdout), ended.cut) == (0, 1000, True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux tells what has left")
def test_a_daemon_is_ended_too(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork():\n"
        "        os._exit(0)\n"
        "    os.execv(sys.executable, [sys.executable, '-S', '-c',\n"
        "        'import os, time; print(os.getpid(), flush=True); time.sleep(600)'])\n"
        "time.sleep(1)\n"
    )
    ended = run(tmp_path, code)
    assert ended.status == 0
    assert gone(int(ended.stdout))


def test_time_is_up_for_children_too(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    began = time.monotonic()
    ended = run(tmp_path, code, timeout=1.5)
    assert ended.timed_out
    assert gone(int(ended.stdout))
    assert time.monotonic() - began < 30


def test_a_command_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_to_the_end(
            ["no-such-command"], cwd=tmp_path, environment={}, mark=str(tmp_path), timeout=1
        )
