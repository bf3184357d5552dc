"""Fetch the index part of the corpus into a cache outside the checkout, and unpack it safely.

Nothing of it is ever copied into the project. ``pip download`` is used so that the index, the
proxies and the mirrors are the user's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from .expected import Archive

#: The source archives of pymilvus from 2.3.8 on ask for whatever setuptools_scm is newest, which
#: they cannot be built with.
CONSTRAINTS = "setuptools_scm==8.1.0\nsetuptools<75\n"

#: What is unpacked: code and the settings that tell which Python it is for.
SUFFIXES = (".py",)
SETTINGS = frozenset({"pyproject.toml", "setup.cfg", ".gitignore"})


class DownloadError(Exception):
    """An archive could not be fetched or unpacked."""


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/migrate-milvus-corpus`` or the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "migrate-milvus-corpus"


def fetch(archive: Archive, cache: Path) -> Path:
    """The folder with the unpacked ``archive``; downloads it when the cache has none."""
    folder = cache / "unpacked" / archive.label
    if folder.is_dir():
        return folder
    packed = _download(archive, cache / "archives" / archive.label)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Unpacked beside its place and renamed, so that a broken run leaves no half archive.
    scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        unpack(packed, scratch)
        content = list(scratch.iterdir())
        top = content[0] if packed.name.endswith(".tar.gz") and len(content) == 1 else scratch
        top.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _download(archive: Archive, target: Path) -> Path:
    found = _packed(target)
    if found:
        return found
    target.mkdir(parents=True, exist_ok=True)
    constraints = target / "constraints.txt"
    constraints.write_text(CONSTRAINTS)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    if archive.from_source:
        command += ["--no-binary", ":all:"]
    command += ["--dest", str(target), f"{archive.name}=={archive.version}"]
    # Newer versions of pip read the constraints of build requirements from a variable of their own.
    named = {"PIP_CONSTRAINT": str(constraints), "PIP_BUILD_CONSTRAINT": str(constraints)}
    done = subprocess.run(
        command, env={**os.environ, **named}, capture_output=True, text=True, check=False
    )
    found = _packed(target)
    if done.returncode or not found:
        last = (done.stderr.strip() or "no archive came").splitlines()[-1]
        raise DownloadError(f"{archive.label}: {last}")
    return found


def _packed(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    packed = [path for path in folder.iterdir() if path.name.endswith((".whl", ".tar.gz", ".zip"))]
    return packed[0] if packed else None


def unpack(packed: Path, target: Path) -> None:
    """Write the Python files of an archive below ``target``, and nothing outside of it.

    Links, devices, absolute names and names with ``..`` are left out.
    """
    if packed.name.endswith(".tar.gz"):
        with tarfile.open(packed) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isfile() else None
                if stream is not None and _wanted(member.name):
                    _write(target / member.name, stream.read())
        return
    with zipfile.ZipFile(packed) as archive:
        for info in archive.infolist():
            if not info.is_dir() and _wanted(info.filename):
                _write(target / info.filename, archive.read(info))


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        return False
    return path.suffix in SUFFIXES or path.name in SETTINGS


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
