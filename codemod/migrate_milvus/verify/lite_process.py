"""The process in which Milvus Lite runs: one line in on stdin, one line out on stdout.

``start``  a server on an empty data folder; answers ``ready ADDRESS``
``stop``   that server ends, and its data folder with it; answers ``stopped``
end of input: everything ends.

Works with Milvus Lite 3 (pure Python, a loopback port) and 2.5 (a core of its own, a Unix socket).
It stands alone because 2.5 lives in an environment where this project is not installed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any


class _Pure:
    """Milvus Lite 3: a grpc server in this process."""

    def __init__(self) -> None:
        from milvus_lite.adapter.grpc.server import start_server_in_thread

        self._start = start_server_in_thread
        self._server: Any = None
        self._db: Any = None

    def start(self, folder: str) -> str:
        self._server, self._db, port = self._start(os.path.join(folder, "data"), "127.0.0.1", 0)
        return f"127.0.0.1:{port}"

    def stop(self) -> None:
        self._server.stop(grace=0).wait(5)
        self._db.close()


class _Core:
    """Milvus Lite 2.5: one child process per data file."""

    def __init__(self) -> None:
        from milvus_lite.server_manager import server_manager_instance

        self._manager: Any = server_manager_instance
        self._path = ""

    def start(self, folder: str) -> str:
        self._path = os.path.join(folder, "lite.db")
        address = self._manager.start_and_get_uri(self._path)
        if not address:
            raise RuntimeError("Milvus Lite did not start")
        return str(address)

    def stop(self) -> None:
        self._manager.release_server(self._path)


def main() -> int:
    # whatever the engine prints must not get between the answers
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(text: str) -> None:
        answers.write(text + "\n")
        answers.flush()

    try:
        try:
            engine: _Pure | _Core = _Pure()
        except ImportError:
            engine = _Core()
    except Exception as error:
        answer(f"failed {type(error).__name__}: {error}")
        return 1
    folder = None
    try:
        for line in sys.stdin:
            try:
                if folder is not None:
                    engine.stop()
                    shutil.rmtree(folder, ignore_errors=True)
                    folder = None
                if line.strip() == "start":
                    folder = tempfile.mkdtemp(prefix="lite-")
                    answer("ready " + engine.start(folder))
                else:
                    answer("stopped")
            except Exception as error:
                answer(f"failed {type(error).__name__}: {error}")
    except KeyboardInterrupt:
        pass
    finally:
        if folder is not None:
            try:
                engine.stop()
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
