"""Settings: what a run was asked to do, by the command line and by ``pyproject.toml``.

The configuration is the table ``[tool.migrate-milvus]`` of the nearest ``pyproject.toml``. What it
leaves open is taken from the settings of the formatters and from the Python versions that the
project declares.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_TARGET_VERSION = (2, 6, 13)
DEFAULT_LINE_LENGTH = 100

_TABLE = "tool.migrate-milvus"


class ConfigurationError(Exception):
    """A configuration that cannot be used; the message is one line, with file and line."""


@dataclass(frozen=True)
class Settings:
    """The settings of one run, from the command line and the configuration file.

    ``root`` is the folder of the project that is analysed; ``paths`` are the files and folders to
    which writing and reporting are limited (none: the whole project); ``exclude`` holds patterns in
    the syntax of .gitignore, relative to ``root``. ``select`` and ``ignore`` hold rule ids, which
    may be shortened. ``target_version`` is the oldest pymilvus that the result must run on;
    ``target_python`` the oldest Python, None when nothing tells; ``line_length`` counts characters.
    ``jobs`` is the number of processes; 0 takes as many as there are processors.
    """

    root: Path
    paths: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    unsafe: bool = False
    target_version: tuple[int, ...] = DEFAULT_TARGET_VERSION
    target_python: tuple[int, int] | None = None
    line_length: int = DEFAULT_LINE_LENGTH
    keep_signatures: bool = False
    jobs: int = 0

    def selects(self, rule: str) -> bool:
        """Whether ``rule`` is to be applied: selected (by default all are) and not ignored."""
        chosen = not self.select or any(rule.startswith(wanted) for wanted in self.select)
        return chosen and not any(rule.startswith(unwanted) for unwanted in self.ignore)


@dataclass(frozen=True)
class Options:
    """What the command line says; None (or empty) where it says nothing."""

    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool | None = None
    target_version: tuple[int, ...] | None = None
    target_python: tuple[int, int] | None = None
    line_length: int | None = None
    keep_signatures: bool | None = None
    jobs: int | None = None


def load(paths: Sequence[Path], options: Options | None = None) -> Settings:
    """The settings for ``paths``; raises ConfigurationError when the configuration is broken."""
    options = options or Options()
    located = tuple(locate(path) for path in paths)
    start = _common_folder(located)
    pyproject = _nearest(start, "pyproject.toml")
    tables = _read_toml(pyproject) if pyproject else {}
    config = _Config(pyproject, _table(tables, "tool", "migrate-milvus", file=pyproject))
    root = _git_root(start) or (pyproject.parent if pyproject else start)
    base = pyproject.parent if pyproject else root
    exclude = (
        *(_anchored(pattern, base, root) for pattern in config.strings("exclude")),
        *(_anchored(pattern, Path.cwd(), root) for pattern in options.exclude),
    )
    return Settings(
        root=root,
        paths=located,
        exclude=exclude,
        select=frozenset(options.select or config.rules("select")),
        ignore=frozenset((*options.ignore, *config.rules("ignore"))),
        unsafe=_first(options.unsafe, config.boolean("unsafe"), False),
        target_version=_first(
            options.target_version, config.version("target-version"), DEFAULT_TARGET_VERSION
        ),
        target_python=_first(
            options.target_python, config.python("target-python"), _declared_python(tables, base)
        ),
        line_length=_first(
            options.line_length, config.integer("line-length"), _formatter_width(tables)
        ),
        keep_signatures=_first(options.keep_signatures, config.boolean("keep-signatures"), False),
        jobs=_first(options.jobs, 0),
    )


def locate(path: Path) -> Path:
    """The absolute path of what was given; a link to a file stays a link, folders are resolved."""
    if path.is_dir():
        return Path(os.path.realpath(path))
    parent = Path(os.path.realpath(path.parent))
    return parent / path.name if path.name else parent


def parse_version(text: str) -> tuple[int, ...] | None:
    """``"2.6.13"`` as numbers, or None when it is no version."""
    if not re.fullmatch(r"\d+(\.\d+){0,3}", text.strip()):
        return None
    return tuple(int(part) for part in text.strip().split("."))


def parse_python(text: str) -> tuple[int, int] | None:
    """``"3.10"`` (or ``"py310"``, as formatters write it) as numbers, or None."""
    match = re.fullmatch(r"(?:py)?(3)\.?(\d{1,2})(?:\.\d+)?", text.strip())
    return (int(match[1]), int(match[2])) if match else None


KEYS = (
    "exclude",
    "select",
    "ignore",
    "target-version",
    "target-python",
    "line-length",
    "unsafe",
    "keep-signatures",
)


class _Config:
    """The configuration table, each value checked when it is taken."""

    def __init__(self, file: Path | None, table: Mapping[str, Any]) -> None:
        self._file = file
        self._table = table
        for key in table:
            if key not in KEYS:
                raise self._error(key, f"unknown key; known are {', '.join(KEYS)}")

    def _error(self, key: str, message: str) -> ConfigurationError:
        assert self._file is not None  # an error needs a key, and a key needs a file
        line = _line_of(self._file, key)
        return ConfigurationError(f"{_display(self._file)}:{line}: [{_TABLE}] {key}: {message}")

    def strings(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(key, "must be a list of strings")
        return tuple(value)

    def rules(self, key: str) -> tuple[str, ...]:
        rules = tuple(rule.strip().upper() for rule in self.strings(key))
        for rule in rules:
            if not is_rule_id(rule):
                raise self._error(key, f"{rule!r} is not a rule id such as MLV401 or MLV4")
        return rules

    def boolean(self, key: str) -> bool | None:
        value = self._table.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._error(key, "must be true or false")

    def integer(self, key: str) -> int | None:
        value = self._table.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise self._error(key, "must be a number above 0")

    def version(self, key: str) -> tuple[int, ...] | None:
        value = self._table.get(key)
        if value is None:
            return None
        version = parse_version(value) if isinstance(value, str) else None
        if version is None:
            raise self._error(key, 'must be a version in quotes, such as "2.6.13"')
        return version

    def python(self, key: str) -> tuple[int, int] | None:
        value = self._table.get(key)
        if value is None:
            return None
        version = parse_python(value) if isinstance(value, str) else None
        if version is None:
            raise self._error(key, 'must be a Python version in quotes, such as "3.10"')
        return version


def is_rule_id(text: str) -> bool:
    """Whether ``text`` looks like a rule id, complete or shortened."""
    return re.fullmatch(r"MLV\d{0,3}", text) is not None


def _first(*values: Any) -> Any:
    """The first value that is not None (or None)."""
    return next((value for value in values if value is not None), None)


def _common_folder(paths: Sequence[Path]) -> Path:
    folders = [path if path.is_dir() else path.parent for path in paths] or [Path.cwd()]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # different drives
        return folders[0]


def _nearest(folder: Path, name: str) -> Path | None:
    for parent in (folder, *folder.parents):
        if (parent / name).is_file():
            return parent / name
    return None


def _git_root(folder: Path) -> Path | None:
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            return parent
    return None


def _read_toml(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(match[1]) if match else len(file.read_text("utf-8").splitlines()) or 1
        message = str(error).split(" (at ")[0]
        raise ConfigurationError(f"{_display(file)}:{line}: not valid TOML: {message}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{_display(file)}:1: not valid TOML: not UTF-8") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{_display(file)}:1: cannot be read: {why}") from error


def _table(tables: Mapping[str, Any], *keys: str, file: Path | None = None) -> Mapping[str, Any]:
    """The table at ``keys``, empty when there is none.

    Something else there is an error in our own table (``file`` is given), else not our business.
    """
    found: Any = tables
    for key in keys:
        found = found.get(key, {}) if isinstance(found, Mapping) else {}
    if isinstance(found, Mapping):
        return found
    if file is None:
        return {}
    line = _line_of(file, keys[-1])
    raise ConfigurationError(f"{_display(file)}:{line}: [{_TABLE}] must be a table")


def _line_of(file: Path, key: str) -> int:
    """The line on which ``key`` of our table is set (TOML readers do not tell)."""
    inside, header = False, 1
    pattern = re.compile(
        rf"""\s*(?:tool\.)?(?:migrate-milvus\.)?["']?{re.escape(key)}["']?\s*[.=]"""
    )
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        title = re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line)
        if title and not pattern.match(line):
            name = title[1].replace('"', "").replace("'", "").replace(" ", "")
            inside = name == _TABLE or name.startswith(f"{_TABLE}.")
            if name == f"{_TABLE}.{key}":
                return number
            header = number if inside else header
        elif pattern.match(line) and (inside or "migrate-milvus" in line):
            return number
    return header


def _anchored(pattern: str, base: Path, root: Path) -> str:
    """``pattern``, written relative to ``base``, as it reads relative to ``root``."""
    if base == root:
        return pattern
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    anchored = "/" in body.rstrip("/")
    body = body.removeprefix("./").removeprefix("/")
    if base.is_relative_to(root):
        inner = base.relative_to(root).as_posix()
        return f"{sign}/{inner}/{body}" if anchored else f"{sign}/{inner}/**/{body}"
    if anchored and root.is_relative_to(base):
        return f"{sign}/{body.removeprefix(root.relative_to(base).as_posix() + '/')}"
    return pattern


def _formatter_width(tables: Mapping[str, Any]) -> int:
    for tool in ("ruff", "black"):
        width = _table(tables, "tool", tool).get("line-length")
        if isinstance(width, int) and not isinstance(width, bool) and width > 0:
            return width
    return DEFAULT_LINE_LENGTH


def _declared_python(tables: Mapping[str, Any], folder: Path) -> tuple[int, int] | None:
    """The oldest Python that the project in ``folder`` says it runs on."""
    declared = _table(tables, "project").get("requires-python")
    if declared is None:
        declared = _table(tables, "tool", "poetry", "dependencies").get("python")
    if declared is None:
        declared = _setup_cfg_python(folder / "setup.cfg")
    return lower_bound(declared) if isinstance(declared, str) else None


def _setup_cfg_python(file: Path) -> str | None:
    if not file.is_file():
        return None
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text("utf-8"))
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    return parser.get("options", "python_requires", fallback=None)


def lower_bound(specifier: str) -> tuple[int, int] | None:
    """The oldest Python 3 that a version specifier allows, None when it names none.

    Takes the notations of PEP 440 and of poetry (``^3.9``, ``~3.9``, ``>=3.8 || >=3.10``).
    """
    bounds: list[tuple[int, int]] = []
    for alternative in specifier.split("||"):
        lowest: list[tuple[int, int]] = []
        for clause in re.findall(r"(\^|~=?|[=<>!]=*)?\s*v?(\d+)(?:\.(\d+))?", _bare(alternative)):
            operator, major, minor = clause
            if operator in ("", "^", "~", "~=", "==", "===", ">=", ">"):
                lowest.append((int(major), int(minor or 0)))
        if not lowest:
            return None
        bounds.append(max(lowest))
    return min(bounds)


def _bare(clauses: str) -> str:
    """Clauses without third and later numbers, which would read as versions of their own."""
    return re.sub(r"(\d+\.\d+)[\w.*+-]*", r"\1", clauses)


def _display(file: Path) -> str:
    try:
        return file.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(file)
