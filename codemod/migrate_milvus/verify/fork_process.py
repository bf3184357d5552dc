"""A warm Python process: pymilvus and numpy are imported once, each program runs in a fork.

A request is one line of JSON on stdin: ``argv`` (the program and its arguments), ``cwd``,
``environment`` (added to this process' own), ``stdout`` and ``stderr`` (files to write),
``timeout`` in seconds. The answer is one line: ``exit`` and ``timed_out``.

The recorder is installed before the imports, exactly as ``hook/sitecustomize.py`` does it. No
channel is opened here, so grpc has no threads or sockets that a fork would inherit.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import runpy
import signal
import sys
import time
import traceback
from typing import Any


def _install_recorder() -> Any:
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "recorder.py")
    spec = importlib.util.spec_from_file_location("_migrate_milvus_recorder", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.install()
    return module


def _become(job: dict[str, Any], recorder: Any) -> int:
    """Turn this fork into the program; returns its exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)
    for number, name in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        fd = os.open(name, flags, 0o600)
        os.dup2(fd, number)
        os.close(fd)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        mode = "w" if number else "r"
        stream = os.fdopen(number, mode, 1 if number == 2 else -1, encoding="utf-8", closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(job["cwd"])
    os.environ.update(job["environment"])
    recorder.seed_again()
    sys.argv[:] = job["argv"]
    sys.path[0] = os.path.dirname(os.path.abspath(job["argv"][0]))
    try:
        runpy.run_path(job["argv"][0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        kind, error, trace = sys.exc_info()
        # runpy's own frames are none of the program's
        while trace is not None and trace.tb_frame.f_code.co_filename != job["argv"][0]:
            trace = trace.tb_next
        traceback.print_exception(kind, error, trace)
        return 1
    return 0


def _finish(status: int) -> None:
    """What the interpreter does on its way out, and then out for good."""
    try:
        import atexit
        import threading

        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _wait(child: int, seconds: float) -> tuple[int, bool]:
    """Wait for a child; when it or its time is over, end what it started."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        done, raw = os.waitpid(child, os.WNOHANG)
        if done:
            _end_group(child)
            return os.waitstatus_to_exitcode(raw), False
        if time.monotonic() > deadline:
            _end_group(child)
            os.waitpid(child, 0)
            return 1, True
        time.sleep(pause)
        pause = min(pause * 1.2, 0.02)


def _end_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def main() -> int:
    recorder = _install_recorder()
    import numpy  # noqa: F401
    import pymilvus  # noqa: F401

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.set_inheritable(answers.fileno(), False)
    os.dup2(2, 1)
    # not the text layer: a fork must not take over what it has read ahead
    pending = b""
    while True:
        while b"\n" not in pending:
            more = os.read(0, 65536)
            if not more:
                answers.close()
                return 0
            pending += more
        line, _, pending = pending.partition(b"\n")
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                answers.close()
                status = _become(job, recorder)
            finally:
                _finish(status)
        exit_status, timed_out = _wait(child, job["timeout"])
        answers.write(json.dumps({"exit": exit_status, "timed_out": timed_out}) + "\n")
        answers.flush()


if __name__ == "__main__":
    sys.exit(main())
