"""Notebooks (nbformat 3 and 4): read without loss, and changed in the texts of code cells only.

A notebook is JSON. Writing it anew would change bytes that nobody asked to change: escapes, blanks,
the order of keys, numbers in outputs. So the places of the code cells' texts are found in the JSON
text, and what changes there is put in; everything else stays byte for byte.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, TypeAlias

_Read: TypeAlias = "Callable[[int], tuple[Any, int]]"
_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.S)
_PYTHON = re.compile(r"i?python\d*(?:\.\d+)*\Z", re.I)


class NotebookError(Exception):
    """What is no notebook that can be handled; ``reason`` is the stable name of what is wrong."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Source:
    """The text of a code cell where it stands in the JSON: a string, or a list of strings.

    ``number`` counts all cells from 1; ``strings`` has start, end and value of each string.
    """

    number: int
    start: int
    end: int
    strings: tuple[tuple[int, int, str], ...]
    is_list: bool

    @property
    def text(self) -> str:
        """What the cell says."""
        return "".join(value for _, _, value in self.strings)


@dataclass
class Notebook:
    """What of a notebook matters here: its code cells, and the ids that it gives twice."""

    sources: list[Source] = field(default_factory=list)
    is_python: bool = True
    doubled: list[str] = field(default_factory=list)


def read(text: str) -> Notebook:
    """Find the code cells of the notebook ``text``; raises NotebookError."""
    try:
        return _Reader(text).notebook()
    except json.JSONDecodeError as error:
        raise NotebookError(
            "not-json", f"is no notebook: not valid JSON on line {error.lineno}: {error.msg}"
        ) from error
    except RecursionError as error:
        raise NotebookError("too-deep", "is no notebook: nested too deeply") from error


class _Reader:
    """Reads the JSON of a notebook, and keeps in mind where the texts of cells stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._decoder = json.JSONDecoder()
        self._number = 0

    def notebook(self) -> Notebook:
        sheet = {"cells": self._cells}
        top, end = self._object(
            self._space(0),
            {
                "cells": self._cells,
                "worksheets": lambda at: self._array(at, lambda inner: self._object(inner, sheet)),
            },
        )
        if self._space(end) != len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, self._space(end))
        if not isinstance(top, dict):
            raise NotebookError("not-a-notebook", "is no notebook: it is other JSON")
        version = top.get("nbformat", 4)
        if version not in (3, 4):
            raise NotebookError("not-a-notebook", f"nbformat {version} is not handled: 3 and 4 are")
        key = "source" if version == 4 else "input"
        cells = list(_cells_of(top, version))
        code = [cell for cell in cells if cell.get("cell_type") == "code" and key in cell]
        sources = [source for cell in code if isinstance(source := cell[key], Source)]
        if len(sources) < len(code):
            raise NotebookError("not-a-notebook", "is no notebook: a cell's text is no text")
        ids = Counter(cell["id"] for cell in cells if isinstance(cell.get("id"), str))
        return Notebook(
            sources, _is_python(top, code), [known for known, times in ids.items() if times > 1]
        )

    def _cells(self, at: int) -> tuple[Any, int]:
        return self._array(at, self._cell)

    def _cell(self, at: int) -> tuple[Any, int]:
        self._number += 1
        return self._object(at, {"source": self._source, "input": self._source})

    def _source(self, at: int) -> tuple[Any, int]:
        if self.text[at : at + 1] == '"':
            value, end = self._value(at)
            return Source(self._number, at, end, ((at, end, value),), is_list=False), end
        strings: list[tuple[int, int, str]] = []

        def of_string(inner: int) -> tuple[Any, int]:
            value, end = self._value(inner)
            if isinstance(value, str):
                strings.append((inner, end, value))
            return value, end

        found, end = self._array(at, of_string)
        if not isinstance(found, list) or len(strings) != len(found):
            return None, end
        return Source(self._number, at, end, tuple(strings), is_list=True), end

    def _object(self, at: int, members: Mapping[str, _Read]) -> tuple[Any, int]:
        """The object at a place, its ``members`` read in their own way, and where it ends."""
        if self.text[at : at + 1] != "{":
            return self._value(at)
        found: dict[str, Any] = {}
        at = self._space(at + 1)
        if self.text[at : at + 1] == "}":
            return found, at + 1
        while True:
            if self.text[at : at + 1] != '"':
                raise json.JSONDecodeError("Expecting a name in quotes", self.text, at)
            name, at = self._value(at)
            at = self._space(self._expect(":", self._space(at)))
            found[name], at = members.get(name, self._value)(at)
            at = self._space(at)
            if self.text[at : at + 1] == "}":
                return found, at + 1
            at = self._space(self._expect(",", at))

    def _array(self, at: int, item: _Read) -> tuple[Any, int]:
        if self.text[at : at + 1] != "[":
            return self._value(at)
        found: list[Any] = []
        at = self._space(at + 1)
        if self.text[at : at + 1] == "]":
            return found, at + 1
        while True:
            value, at = item(at)
            found.append(value)
            at = self._space(at)
            if self.text[at : at + 1] == "]":
                return found, at + 1
            at = self._space(self._expect(",", at))

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, end = self._decoder.raw_decode(self.text, at)
        except StopIteration as error:
            raise json.JSONDecodeError("Expecting value", self.text, at) from error
        return value, end

    def _space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _expect(self, character: str, at: int) -> int:
        if self.text[at : at + 1] != character:
            raise json.JSONDecodeError(f"Expecting '{character}'", self.text, at)
        return at + 1


def _cells_of(top: dict[str, Any], version: int) -> Iterator[dict[str, Any]]:
    """All cells of a notebook; raises NotebookError where there cannot be any."""
    holders = [top] if version == 4 else top.get("worksheets")
    for holder in holders if isinstance(holders, list) else [None]:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        if not isinstance(cells, list):
            raise NotebookError("not-a-notebook", "is no notebook: it has no cells")
        yield from (cell for cell in cells if isinstance(cell, dict))


def _is_python(top: dict[str, Any], code: list[dict[str, Any]]) -> bool:
    """Whether the notebook is in Python, as far as it tells; one that tells nothing is."""
    metadata = top.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    named = [
        (metadata.get("language_info"), "name"),
        (metadata.get("kernelspec"), "language"),
        *((cell, "language") for cell in code[:1]),
    ]
    for holder, key in named:
        language = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(language, str) and language:
            return _PYTHON.match(language) is not None
    return True


# Writing --------------------------------------------------------------------------------


def spliced(text: str, sources: list[Source], new: list[str]) -> str:
    """The notebook ``text`` with new texts in its code cells."""
    ascii_only = text.isascii() and "\\u" in text
    parts: list[str] = []
    at = 0
    for source, code in zip(sources, new, strict=True):
        if code != source.text:
            parts += [text[at : source.start], _written(text, source, code, ascii_only)]
            at = source.end
    return "".join([*parts, text[at:]])


def _written(text: str, source: Source, code: str, ascii_only: bool) -> str:
    """The JSON for the new text of a cell, in the form that it had."""
    lines = [
        raw if raw is not None else json.dumps(line, ensure_ascii=ascii_only)[1:-1]
        for line, raw in _with_old(text, source, code)
    ]
    if not source.is_list:
        return f'"{"".join(lines)}"'
    if not lines:
        return "[]"
    if not source.strings:
        return json.dumps(code.splitlines(keepends=True), ensure_ascii=ascii_only)
    first, last = source.strings[0], source.strings[-1]
    opening, closing = text[source.start + 1 : first[0]], text[last[1] : source.end - 1]
    between = f",{opening}"
    if len(source.strings) > 1:
        between = text[first[1] : source.strings[1][0]]
    elif not opening:
        between = ", " if '": ' in text else ","
    return f"[{opening}{between.join(f'{chr(34)}{line}{chr(34)}' for line in lines)}{closing}]"


def _with_old(text: str, source: Source, code: str) -> list[tuple[str, str | None]]:
    """The lines of the new text, each with the JSON that it had if it stood there before."""
    new = code.splitlines(keepends=True)
    old: list[str] = []
    raw: list[str] = []
    for start, end, value in source.strings:
        old += value.splitlines(keepends=True)
        raw += _raw_lines(text[start + 1 : end - 1])
    if len(raw) != len(old):
        return [(line, None) for line in new]
    found: list[tuple[str, str | None]] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        known: list[str | None] = [*raw[i:j]] if tag == "equal" else [None] * (m - k)
        found += zip(new[k:m], known, strict=True)
    return found


def _raw_lines(raw: str) -> list[str]:
    """The content of a JSON string in pieces, one for each line of what it says."""
    values = json.loads(f'"{raw}"').splitlines(keepends=True)
    lines: list[str] = []
    at = 0
    for value in values:
        start = at
        for character in value:
            escape = _ESCAPE.match(raw, at)
            at = escape.end() if escape else at + 1
            if escape and ord(character) > 0xFFFF:  # two escapes for one character
                at += len(escape[0])
        lines.append(raw[start:at])
    return lines
