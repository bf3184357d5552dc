"""Settings: what a run was asked to do, by the command line and by ``pyproject.toml``.

The configuration is the table ``[tool.migrate-milvus]`` of the nearest ``pyproject.toml``. What it
leaves open is taken from the settings of the formatters and from the Python versions that the
project declares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from migrate_milvus.configuration import Configuration, read_toml, table
from migrate_milvus.model import Place

DEFAULT_TARGET_VERSION = (2, 6, 13)
DEFAULT_LINE_LENGTH = 100

Reports = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Settings:
    """The settings of one run, from the command line and the configuration file.

    ``root`` is the folder of the project that is analysed; ``paths`` are the files and folders to
    which writing and reporting are limited (none: the whole project); ``exclude`` holds patterns in
    the syntax of .gitignore, relative to ``root``. ``select`` and ``ignore`` hold rule ids, which
    may be shortened; ``per_file_ignores`` holds them for patterns like those of ``exclude``.
    ``target_version`` is the oldest pymilvus that the result must run on; ``target_python`` the
    oldest Python, None when nothing tells; ``line_length`` counts characters. ``client`` is where
    the project keeps its client, as ``module:name``. ``strict_schema`` writes out the check of an
    existing collection's schema; ``bump_requirement`` raises the project's requirement on pymilvus
    where it admits too old ones. ``reports`` are formats, each with the file to write to (None:
    standard output); ``baseline`` is the file with the uses that are known.
    ``jobs`` is the number of processes; 0 takes as many as there are processors. ``held`` are ORM
    uses that stay for now, with all that has to change together with them.

    ``origins`` says for each key of the configuration who set it.
    """

    root: Path
    paths: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    unsafe: bool = False
    target_version: tuple[int, ...] = DEFAULT_TARGET_VERSION
    target_python: tuple[int, int] | None = None
    client: str | None = None
    line_length: int = DEFAULT_LINE_LENGTH
    keep_signatures: bool = False
    strict_schema: bool = False
    bump_requirement: bool = False
    docs: bool = False
    reports: Reports = ()
    baseline: Path | None = None
    jobs: int = 0
    held: frozenset[Place] = frozenset()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def selects(self, rule: str) -> bool:
        """Whether ``rule`` is to be applied: selected (by default all are) and not ignored."""
        chosen = not self.select or any(rule.startswith(wanted) for wanted in self.select)
        return chosen and not any(rule.startswith(unwanted) for unwanted in self.ignore)

    def for_file(self, path: Path) -> Settings:
        """The settings as they are for one file, whose own ignores count as ``ignore``."""
        if not self.per_file_ignores or not path.is_relative_to(self.root):
            return self
        from pathspec import GitIgnoreSpec

        name = path.relative_to(self.root).as_posix()
        ignored: frozenset[str] = frozenset()
        for pattern, rules in self.per_file_ignores:
            if GitIgnoreSpec.from_lines([pattern]).match_file(name):
                ignored |= rules
        return replace(self, ignore=self.ignore | ignored) if ignored else self


@dataclass(frozen=True)
class Options:
    """What the command line says; None (or empty) where it says nothing."""

    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool | None = None
    target_version: tuple[int, ...] | None = None
    target_python: tuple[int, int] | None = None
    client: str | None = None
    line_length: int | None = None
    keep_signatures: bool | None = None
    strict_schema: bool | None = None
    bump_requirement: bool = False
    docs: bool | None = None
    reports: Reports = ()
    baseline: Path | None = None
    jobs: int | None = None


def load(paths: Sequence[Path], options: Options | None = None) -> Settings:
    """The settings for ``paths``; raises ConfigurationError when the configuration is broken.

    Without paths, those of the configuration are taken, else the working directory.
    """
    options = options or Options()
    located = tuple(locate(path) for path in paths)
    start = _common_folder(located)
    pyproject = _nearest(start, "pyproject.toml")
    tables = read_toml(pyproject) if pyproject else {}
    config = Configuration(pyproject, table(tables, "tool", "migrate-milvus", file=pyproject))
    root = git_root(start) or (pyproject.parent if pyproject else start)
    base = pyproject.parent if pyproject else root
    exclude = (
        *(_anchored(pattern, base, root) for pattern in config.strings("exclude")),
        *(_anchored(pattern, Path.cwd(), root) for pattern in options.exclude),
    )
    origins: dict[str, str] = {}

    def choose(key: str, given: Any, configured: Any, *others: tuple[str, Any]) -> Any:
        """The first value that is set, and a word on who set it."""
        candidates = [("command line", given), ("configuration", configured), *others]
        for origin, value in candidates:
            if value not in (None, (), frozenset()):
                origins[key] = config.place(key) if origin == "configuration" else origin
                return value
        return candidates[-1][1]

    both = [*(("command line",) if options.exclude else ()), *_set_in(config, "exclude")]
    origins.update({"exclude": ", ".join(both)} if both else {})
    ignored = [*(("command line",) if options.ignore else ()), *_set_in(config, "ignore")]
    origins.update({"ignore": ", ".join(ignored)} if ignored else {})
    configured_paths = _configured_paths(config, base)
    baseline = config.string("baseline")
    return Settings(
        root=root,
        paths=choose("paths", located, configured_paths, ("default", (start,))),
        exclude=exclude,
        select=frozenset(choose("select", options.select, config.rules("select"))),
        ignore=frozenset((*options.ignore, *config.rules("ignore"))),
        per_file_ignores=choose(
            "per-file-ignores",
            (),
            tuple(
                (_anchored(pattern, base, root), rules)
                for pattern, rules in config.rules_by_pattern("per-file-ignores")
            ),
        ),
        unsafe=choose("unsafe", options.unsafe, config.boolean("unsafe"), ("default", False)),
        target_version=choose(
            "target-version",
            options.target_version,
            config.version("target-version"),
            ("default", DEFAULT_TARGET_VERSION),
        ),
        target_python=choose(
            "target-python",
            options.target_python,
            config.python("target-python"),
            *_declared_python(tables, base),
        ),
        client=choose("client", options.client, config.client("client")),
        line_length=choose(
            "line-length",
            options.line_length,
            config.integer("line-length"),
            *_formatter_width(tables),
            ("default", DEFAULT_LINE_LENGTH),
        ),
        keep_signatures=choose(
            "keep-signatures",
            options.keep_signatures,
            config.boolean("keep-signatures"),
            ("default", False),
        ),
        strict_schema=choose(
            "strict-schema",
            options.strict_schema,
            config.boolean("strict-schema"),
            ("default", False),
        ),
        bump_requirement=options.bump_requirement,
        docs=choose("docs", options.docs, config.boolean("docs"), ("default", False)),
        reports=choose("reports", options.reports, config.reports("reports")),
        baseline=choose("baseline", options.baseline, base / baseline if baseline else None),
        jobs=options.jobs or 0,
        origins=origins,
    )


def show(settings: Settings) -> str:
    """The settings in the form of the configuration, with a comment on who set each of them."""
    values: dict[str, object] = {
        "paths": [_below(path, settings.root) for path in settings.paths],
        "exclude": list(settings.exclude),
        "select": sorted(settings.select),
        "ignore": sorted(settings.ignore),
        "per-file-ignores": dict(settings.per_file_ignores),
        "target-version": ".".join(map(str, settings.target_version)),
        "target-python": settings.target_python and ".".join(map(str, settings.target_python)),
        "client": settings.client,
        "line-length": settings.line_length,
        "unsafe": settings.unsafe,
        "keep-signatures": settings.keep_signatures,
        "strict-schema": settings.strict_schema,
        "docs": settings.docs,
        "reports": [form if file is None else f"{form}={file}" for form, file in settings.reports],
        "baseline": settings.baseline and _below(settings.baseline, settings.root),
    }
    lines = [f"# project: {settings.root}", "[tool.migrate-milvus]"]
    for key, value in values.items():
        origin = settings.origins.get(key, "default")
        if value is None:
            lines.append(f"# {key} is not set")
        else:
            lines.append(f"{key} = {_toml(value)}  # {origin}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    import json

    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml(k)} = {_toml(sorted(v))}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _set_in(config: Configuration, key: str) -> tuple[str, ...]:
    return (config.place(key),) if key in config else ()


def _configured_paths(config: Configuration, base: Path) -> tuple[Path, ...]:
    paths = tuple(locate(base / path) for path in config.strings("paths"))
    for path, text in zip(paths, config.strings("paths"), strict=True):
        if not path.exists():
            raise config.error("paths", f"no such file or folder: {text}", "")
    return paths


def locate(path: Path) -> Path:
    """The absolute path of what was given; a link to a file stays a link, folders are resolved."""
    if path.is_dir():
        return Path(os.path.realpath(path))
    parent = Path(os.path.realpath(path.parent))
    return parent / path.name if path.name else parent


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


def git_root(folder: Path) -> Path | None:
    """The folder of the repository around ``folder``, if there is one."""
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            return parent
    return None


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


def _formatter_width(tables: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The widths that formatters are told, each with the table that says so."""
    for tool in ("ruff", "black"):
        width = table(tables, "tool", tool).get("line-length")
        if isinstance(width, int) and not isinstance(width, bool) and width > 0:
            yield f"[tool.{tool}]", width


def _declared_python(
    tables: Mapping[str, Any], folder: Path
) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """The oldest Python that the project in ``folder`` says it runs on, and where it says so."""
    sources: tuple[tuple[str, Callable[[], object]], ...] = (
        ("[project] requires-python", lambda: table(tables, "project").get("requires-python")),
        (
            "[tool.poetry.dependencies]",
            lambda: table(tables, "tool", "poetry", "dependencies").get("python"),
        ),
        ("setup.cfg", lambda: _setup_cfg_python(folder / "setup.cfg")),
    )
    for origin, declared in sources:
        found = declared()
        if found is not None:
            yield origin, lower_bound(found) if isinstance(found, str) else None
            return


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
