"""What other programs say about the code before and after: the compiler, ruff and mypy."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .notebooks import View

_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
#: Redefined, undefined, unused names. Only what was not there before counts.
RUFF_RULES = "F401,F811,F821,F841"


class CheckError(Exception):
    """A checker could not run."""


def syntax_errors(root: Path, paths: Sequence[str]) -> list[str]:
    """The files among ``paths`` that do not compile."""
    found = []
    for path in paths:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data: bytes | str = (root / path).read_bytes()
                flags = 0
                if path.endswith(".ipynb"):
                    data, flags = View((root / path).read_bytes()).text, _AWAIT
                compile(data, path, "exec", flags, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            found.append(f"{path}: {error}")
    return found


def new_static_errors(before: Path, after: Path, paths: Sequence[str]) -> list[str]:
    """ruff's complaints about ``after`` that it does not have about ``before``."""
    return _more(ruff(before, paths), ruff(after, paths))


def ruff(root: Path, paths: Sequence[str]) -> list[tuple[str, str, int]]:
    """What ruff complains about in files: the path, the complaint, the line."""
    if not paths:
        return []
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero"]
    command += ["--select", RUFF_RULES, "--output-format", "json", "--ignore-noqa", "--", *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckError(f"ruff: {done.stderr.strip()}")
    return [
        (
            Path(item["filename"]).resolve().relative_to(root.resolve()).as_posix(),
            f"{item['code']} {_LINE.sub('', item['message'])}",
            item["location"]["row"],
        )
        for item in json.loads(done.stdout)
    ]


#: Lines move: ``Redefinition of unused `x` from line 2`` (``from cell 3, line 2`` in a notebook).
_LINE = re.compile(r" from (?:cell \d+, )?line \d+")

#: The generated stubs of pymilvus do not parse, which would end mypy's run.
MYPY_SETTINGS = """\
[mypy]
check_untyped_defs = True
ignore_missing_imports = True
follow_imports = silent
scripts_are_modules = True
allow_redefinition = True

[mypy-pymilvus.grpc_gen.*]
follow_imports = skip
follow_imports_for_stubs = True
"""

_MYPY_LINE = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+): error: (?P<text>.*)$")


def new_type_errors(before: Path, after: Path, paths: Sequence[str], scratch: Path) -> list[str]:
    """mypy's complaints about calls of MilvusClient, against the installed pymilvus.

    pymilvus ships no marker that it is typed, so that mypy has to be led to its sources. Most
    methods take ``**kwargs``: an unknown keyword is no type error, a wrong type is one.
    """
    found = _mypy(after, paths, scratch)
    return _more(_mypy(before, paths, scratch), found) if found else []


def _mypy(root: Path, paths: Sequence[str], scratch: Path) -> list[tuple[str, str, int]]:
    spec = importlib.util.find_spec("pymilvus")
    if spec is None or spec.origin is None:
        raise CheckError("mypy: pymilvus is not installed")
    library = scratch / "typed"
    library.mkdir(parents=True, exist_ok=True)
    if not (library / "pymilvus").exists():
        (library / "pymilvus").symlink_to(Path(spec.origin).parent)
    settings = scratch / "mypy.ini"
    settings.write_text(MYPY_SETTINGS)
    environment = {**os.environ, "MYPYPATH": str(library)}
    found: list[tuple[str, str, int]] = []
    for path in (
        p for p in paths if not p.endswith(".ipynb")
    ):  # one at a time: two files of the same name are an error otherwise
        command = [sys.executable, "-m", "mypy", "--config-file", str(settings)]
        command += ["--cache-dir", str(scratch / "mypy")]
        command += ["--no-error-summary", "--no-color-output", "--hide-error-context", "--", path]
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise CheckError(f"mypy: {(done.stdout + done.stderr).strip()[-500:]}")
        for line in done.stdout.splitlines():
            match = _MYPY_LINE.match(line)
            if match and "MilvusClient" in match["text"]:
                found.append((match["path"], match["text"], int(match["line"])))
    return found


def _more(
    before: Sequence[tuple[str, str, int]], after: Sequence[tuple[str, str, int]]
) -> list[str]:
    """What is in ``after`` more often than in ``before``; lines may have moved."""
    left = Counter((path, text) for path, text, _ in before)
    found = []
    for path, text, line in after:
        if left[path, text]:
            left[path, text] -= 1
        else:
            found.append(f"{path}:{line} {text}")
    return found
