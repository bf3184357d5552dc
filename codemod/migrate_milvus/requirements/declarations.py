"""Where manifests name a requirement: pip, setuptools, PEP 621 and 735, poetry, uv, pipenv, conda.

A declaration keeps the span of the version specifier in the text, so that it can be shown with its
line, and replaced alone.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Style = Literal["pep440", "poetry", "conda"]

_OPERATOR = r"(?:===|==|~=|!=|<=|>=|<|>)"
# A specifier as PEP 440 writes it, without quotes, markers and comments.
_SPECIFIER = rf"(?:{_OPERATOR}[^;\"'#\n\\)\]]*?)?(?=\s*(?:[;\"'#\\)\]]|--|$))"
_KEY = r"^(?P<head>[ \t]*[\"']?{name}[\"']?[ \t]*=[ \t]*)(?P<value>[^\n#]*)"
_TABLE = r"^[ \t]*\[(?P<table>[^\]\n]*)\.[\"']?{name}[\"']?\][ \t]*$"
_LISTS = (
    ("project", "dependencies"),
    ("project", "optional-dependencies"),
    ("dependency-groups",),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "override-dependencies"),
    ("tool", "pdm", "dev-dependencies"),
    ("tool", "hatch", "envs"),
)
_MANIFESTS = re.compile(
    r"pyproject\.toml|setup\.(?:py|cfg)|Pipfile|(?:conda[-_]?)?environment[\w.-]*\.ya?ml|"
    r"[\w.-]*(?:requirements|constraints)[\w.-]*\.(?:txt|in)"
)


@dataclass(frozen=True)
class Declaration:
    """A version specifier: ``text[start:end]`` of the file; empty where any version will do.

    ``shown`` is the specifier with the name before it. ``hashed``: whether hashes of the files of
    that very release follow, so that the specifier cannot be changed alone.
    """

    start: int
    end: int
    specifier: str
    style: Style
    shown: str
    hashed: bool = False


def is_manifest(name: str, folder: str = "") -> bool:
    """Whether a file by this name says what a project requires."""
    if folder == "requirements" and name.endswith((".txt", ".in")):
        return True
    return _MANIFESTS.fullmatch(name) is not None


def declarations(file: str, text: str, name: str) -> list[Declaration]:
    """The places in a manifest that require the distribution ``name``."""
    if file == "pyproject.toml":
        found = _pyproject(text, name)
    elif file == "Pipfile":
        found = _keyed(text, name, "pep440")
    elif file == "setup.py":
        found = _python(text, name)
    elif file == "setup.cfg":
        found = _lines(text, name, r"^(?:[\w.-]+[ \t]*=)?[ \t]*")
    elif file.endswith((".yml", ".yaml")):
        found = _environment(text, name)
    else:
        found = _lines(text, name, r"^[ \t]*")
    return sorted(set(found), key=lambda one: one.start)


def _requirement(name: str) -> str:
    """A requirement as PEP 508 writes it; names are the same with any case and separator."""
    spelled = re.escape(name).replace(r"\-", "[-_.]")
    extras = r"(?:[ \t]*\[[^\]\n]*\])?"
    return rf"(?P<name>(?i:{spelled}){extras})(?![\w.\-\[])[ \t]*(?P<spec>{_SPECIFIER})"


def _declared(match: re.Match[str], style: Style, offset: int = 0) -> Declaration:
    start, end = match.span("spec")
    shown = f"{match['name']}{match['spec']}"
    return Declaration(start + offset, end + offset, match["spec"], style, shown)


def _lines(text: str, name: str, head: str) -> Iterator[Declaration]:
    for match in re.finditer(head + _requirement(name), text, re.MULTILINE):
        rest = re.compile(r"(?:[^\n]*\\\n)*[^\n]*").match(text, match.end())
        hashed = rest is not None and "--hash" in rest[0]
        yield replace(_declared(match, "pep440"), hashed=hashed)


def _strings(text: str, name: str, wanted: set[str]) -> Iterator[Declaration]:
    """Quoted requirements of the text whose content is one of ``wanted``."""
    for quoted in re.finditer(r"\"([^\"\n]*)\"|'([^'\n]*)'", text):
        content = quoted[1] if quoted[1] is not None else quoted[2]
        if content not in wanted:
            continue
        match = re.match(rf"[ \t]*{_requirement(name)}", content)
        if match is not None:
            yield _declared(match, "pep440", quoted.start() + 1)


def _pyproject(text: str, name: str) -> Iterator[Declaration]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    wanted: set[str] = set()
    for path in _LISTS:
        value: Any = tables
        for key in path:
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
        wanted |= set(_texts(value))
    yield from _strings(text, name, wanted)
    if isinstance(tables.get("tool"), dict) and "poetry" in tables["tool"]:
        yield from _keyed(text, name, "poetry")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)


def _keyed(text: str, name: str, style: Style) -> Iterator[Declaration]:
    """``name = "^2.4"``, ``name = {version = "^2.4"}``, and a table of the name."""
    spelled = re.escape(name)
    for match in re.finditer(_KEY.format(name=spelled), text, re.MULTILINE):
        inner = re.match(r"\"([^\"\n]*)\"|'([^'\n]*)'", match["value"])
        version = re.search(r"version[ \t]*=[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)')", match["value"])
        found = inner or (version if match["value"].startswith("{") else None)
        if found is not None:
            yield _quoted(found, match.start("value"), name, style)
    for match in re.finditer(_TABLE.format(name=spelled), text, re.MULTILINE):
        body = re.compile(r"(?:\n(?![ \t]*\[)[^\n]*)*").match(text, match.end())
        assert body is not None
        version = re.search(r"version[ \t]*=[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)')", body[0])
        if version is not None:
            yield _quoted(version, match.end(), name, style)


def _quoted(match: re.Match[str], offset: int, name: str, style: Style) -> Declaration:
    group = 1 if match[1] is not None else 2
    start, end = match.span(group)
    return Declaration(start + offset, end + offset, match[group], style, f"{name} {match[group]}")


def _python(text: str, name: str) -> Iterator[Declaration]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    wanted = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    yield from _strings(text, name, wanted)


def _environment(text: str, name: str) -> Iterator[Declaration]:
    """Lines of a conda environment; those below ``- pip:`` are pip's."""
    pip: int | None = None
    position = 0
    pattern = re.compile(
        rf"[ \t]*-[ \t]*[\"']?(?:[\w./-]+::)?(?P<name>(?i:{re.escape(name)}))(?![\w.\-])"
        r"[ \t]*(?P<spec>[^\"'#\n]*?)[ \t]*[\"']?[ \t]*(?:#.*)?$"
    )
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if re.match(r"[ \t]*-[ \t]*pip[ \t]*:", line):
            pip = indent
        elif pip is not None and line.strip() and indent <= pip:
            pip = None
        if pip is not None:
            match = re.match(rf"[ \t]*-[ \t]*[\"']?{_requirement(name)}", line)
            if match is not None:
                yield _declared(match, "pep440", position)
        else:
            match = pattern.match(line)
            if match is not None:
                yield _declared(match, "conda", position)
        position += len(line) + 1
