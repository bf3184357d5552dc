"""Milvus Lite 2.5.1: the C++ core, nearer to a Milvus server in what it returns and rejects.

It cannot be installed beside Milvus Lite 3, so it gets a virtual environment of its own; so do
older releases of pymilvus.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from migrate_milvus.verify.server import ServerError

VERSION = "2.5.1"
# its start-up code imports pkg_resources, which newer setuptools have dropped
_PACKAGES = (f"milvus-lite=={VERSION}", "setuptools<81")


def cache_folder() -> Path:
    """Where environments are kept: ``XDG_CACHE_HOME``, ``~/.cache``, else the temporary folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    for folder in (Path(base) if base else None, _home_cache(), Path(tempfile.gettempdir())):
        if folder is None:
            continue
        target = folder / "migrate-milvus"
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(target, os.W_OK):
            return target
    raise ServerError("no folder to keep a virtual environment in: set XDG_CACHE_HOME")


def _home_cache() -> Path | None:
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return None


def legacy_python() -> Path:
    """Return the interpreter that has Milvus Lite 2.5.1; the first call installs it."""
    return environment(f"lite-{VERSION}", _PACKAGES)


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the interpreter of an environment with ``packages``; the first call installs them.

    Safe when several processes ask at once.

    Raises:
        ServerError: when they cannot be installed, with the end of pip's output.
    """
    tag = f"{name}-py{sys.version_info.major}{sys.version_info.minor}"
    cache = cache_folder()
    target = cache / tag
    python = target / "bin" / "python"
    content = "\n".join(packages) + "\n"
    with (cache / f"{tag}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = target / "complete"
        if complete.exists() and complete.read_text("utf-8") == content and python.exists():
            return python
        shutil.rmtree(target, ignore_errors=True)
        _call([sys.executable, "-m", "venv", str(target)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _call([*pip, *packages])
        complete.write_text(content, encoding="utf-8")
    return python


def _call(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise ServerError(
            f"the environment could not be made: {' '.join(command)} ended with "
            f"{done.returncode}:\n{done.stdout[-2000:]}"
        )
