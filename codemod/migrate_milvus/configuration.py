"""The table ``[tool.migrate-milvus]`` of ``pyproject.toml``, each value checked when it is taken.

TOML readers do not tell on which line a value stands; errors here do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "tool.migrate-milvus"
KEYS = (
    "paths",
    "exclude",
    "select",
    "ignore",
    "per-file-ignores",
    "target-version",
    "target-python",
    "client",
    "line-length",
    "unsafe",
    "keep-signatures",
    "strict-schema",
    "docs",
    "reports",
    "baseline",
)

# Every report that there is; the command line and the configuration take the same names.
FORMATS = ("text", "json", "sarif", "github", "markdown", "html")


class ConfigurationError(Exception):
    """A configuration that cannot be used; the message is one line, with file and line."""


class Configuration:
    """The table of one file (an empty one where there is no file)."""

    def __init__(self, file: Path | None, table: Mapping[str, Any]) -> None:
        self.file = file
        self._table = table
        for key in table:
            if key not in KEYS:
                raise self.error(key, f"unknown key; known are {', '.join(KEYS)}")

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def place(self, key: str) -> str:
        """Where ``key`` is set: file and line."""
        assert self.file is not None  # a key needs a file
        return f"{display(self.file)}:{line_of(self.file, key)}"

    def error(self, key: str, message: str, inner: str = "") -> ConfigurationError:
        """What is wrong with ``key`` (or with ``inner``, in the table that it is)."""
        assert self.file is not None  # an error needs a key, and a key needs a file
        line = line_of(self.file, key)
        if inner:
            line = _line_below(self.file, line, inner)
        return ConfigurationError(f"{display(self.file)}:{line}: [{TABLE}] {key}: {message}")

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when the key is not set."""
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "must be a list of strings")
        return tuple(value)

    def string(self, key: str) -> str | None:
        """One string, or None."""
        value = self._table.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self.error(key, "must be a string")

    def rules(self, key: str) -> tuple[str, ...]:
        """A list of rule ids."""
        return self._rule_ids(key, self.strings(key))

    def rules_by_pattern(self, key: str) -> tuple[tuple[str, frozenset[str]], ...]:
        """A table of lists of rule ids: ``{"tests/" = ["MLV4"]}``."""
        value = self._table.get(key, {})
        if not isinstance(value, Mapping):
            raise self.error(key, 'must be a table such as { "tests/" = ["MLV4"] }')
        found: list[tuple[str, frozenset[str]]] = []
        for pattern, rules in value.items():
            if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
                raise self.error(key, f"{pattern!r} must be a list of rule ids", pattern)
            found.append((pattern, frozenset(self._rule_ids(key, tuple(rules), pattern))))
        return tuple(found)

    def _rule_ids(self, key: str, values: tuple[str, ...], inner: str = "") -> tuple[str, ...]:
        rules = tuple(rule.strip().upper() for rule in values)
        for rule in rules:
            if not is_rule_id(rule):
                message = f"{rule!r} is not a rule id such as MLV401 or MLV4"
                raise self.error(key, message, inner)
        return rules

    def boolean(self, key: str) -> bool | None:
        """true, false, or None."""
        value = self._table.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.error(key, "must be true or false")

    def integer(self, key: str) -> int | None:
        """A number above 0, or None."""
        value = self._table.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise self.error(key, "must be a number above 0")

    def version(self, key: str) -> tuple[int, ...] | None:
        """A version of pymilvus, or None."""
        value = self._table.get(key)
        if value is None:
            return None
        version = parse_version(value) if isinstance(value, str) else None
        if version is None:
            raise self.error(key, 'must be a version in quotes, such as "2.6.13"')
        return version

    def python(self, key: str) -> tuple[int, int] | None:
        """A version of Python, or None."""
        value = self._table.get(key)
        if value is None:
            return None
        version = parse_python(value) if isinstance(value, str) else None
        if version is None:
            raise self.error(key, 'must be a Python version in quotes, such as "3.10"')
        return version

    def client(self, key: str) -> str | None:
        """A client of the project, as ``module:name`` or ``module:name()``; or None."""
        value = self.string(key)
        if value is not None and not is_client(value):
            raise self.error(key, 'must name an object or a function, such as "app.db:get_client"')
        return value

    def reports(self, key: str) -> tuple[tuple[str, str | None], ...]:
        """Reports as ``format`` or ``format=file``; files are relative to this one's folder."""
        found: list[tuple[str, str | None]] = []
        for text in self.strings(key):
            try:
                form, file = parse_report(text)
            except ValueError as error:
                raise self.error(key, str(error)) from error
            if file is not None and self.file is not None:
                file = str(self.file.parent / file)
            found.append((form, file))
        if sum(file is None for _, file in found) > 1:
            raise self.error(key, "only one report can go to standard output")
        return tuple(found)


def parse_report(text: str, formats: tuple[str, ...] = FORMATS) -> tuple[str, str | None]:
    """``"sarif=out.sarif"`` as format and file (None: standard output); raises ValueError."""
    form, separator, file = text.partition("=")
    if form not in formats:
        raise ValueError(f"{form!r} is not a report format; known are {', '.join(formats)}")
    if separator and not file:
        raise ValueError(f"{text!r} names no file")
    return form, None if file == "-" else file or None


def parse_version(text: str) -> tuple[int, ...] | None:
    """``"2.6.13"`` as numbers, or None when it is no version."""
    if not re.fullmatch(r"\d+(\.\d+){0,3}", text.strip()):
        return None
    return tuple(int(part) for part in text.strip().split("."))


def parse_python(text: str) -> tuple[int, int] | None:
    """``"3.10"`` (or ``"py310"``, as formatters write it) as numbers, or None."""
    match = re.fullmatch(r"(?:py)?(3)\.?(\d{1,2})(?:\.\d+)?", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def is_rule_id(text: str) -> bool:
    """Whether ``text`` looks like a rule id, complete or shortened."""
    return re.fullmatch(r"MLV\d{0,3}", text) is not None


def is_client(text: str) -> bool:
    """Whether ``text`` names an object in a module, as entry points do; ``()`` calls it."""
    return (
        re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*(\(\))?", text)
        is not None
    )


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of ``file``; raises ConfigurationError when it cannot be read."""
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
        raise ConfigurationError(f"{display(file)}:{line}: not valid TOML: {message}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{display(file)}:1: not valid TOML: not UTF-8") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{display(file)}:1: cannot be read: {why}") from error


def table(tables: Mapping[str, Any], *keys: str, file: Path | None = None) -> Mapping[str, Any]:
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
    line = line_of(file, keys[-1])
    raise ConfigurationError(f"{display(file)}:{line}: [{TABLE}] must be a table")


def line_of(file: Path, key: str) -> int:
    """The line on which ``key`` of our table is set."""
    inside, header = False, 1
    pattern = re.compile(
        rf"""\s*(?:tool\.)?(?:migrate-milvus\.)?["']?{re.escape(key)}["']?\s*[.=]"""
    )
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        title = re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line)
        if title and not pattern.match(line):
            name = title[1].replace('"', "").replace("'", "").replace(" ", "")
            inside = name == TABLE or name.startswith(f"{TABLE}.")
            if name == f"{TABLE}.{key}":
                return number
            header = number if inside else header
        elif pattern.match(line) and (inside or "migrate-milvus" in line):
            return number
    return header


def _line_below(file: Path, start: int, key: str) -> int:
    """The first line from ``start`` on that sets ``key`` (``start``, if none is found)."""
    lines = file.read_text("utf-8").splitlines()
    for number, line in enumerate(lines[start - 1 :], start):
        if re.search(rf"""["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return start


def display(file: Path) -> str:
    """``file`` as seen from the working directory, else absolute."""
    from pathlib import Path

    try:
        return file.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(file)
