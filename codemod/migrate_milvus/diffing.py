"""Unified diffs of documents, as ``git apply`` takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate_milvus.document import Part
    from migrate_milvus.model import FileResult, Place

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_ANY_END = re.compile(r"\r\n|\r|\n")
_NO_NEWLINE = "\\ No newline at end of file\n"


def result_diff(result: FileResult, since: str | None = None) -> str:
    """What changes in a file, each changed cell of a notebook as a text of its own.

    ``since`` is a text to compare with instead of the document's.
    """
    if result.text is None:
        return ""
    document = result.document if since is None else replace(result.document, text=since)
    return "".join(
        unified_diff(_ended(part.old, part), _ended(part.new, part), part.name)
        for part in document.parts(result.text)
    )


def _ended(text: str, part: Part) -> str:
    """The text of a part; the last line of a cell has no end, which tells its reader nothing."""
    return f"{text}\n" if part.cell and text and not text.endswith("\n") else text


def unified_diff(old: str, new: str, name: str) -> str:
    """The difference between two texts of the file ``name``, empty when there is none.

    Lines end at a line feed only, as git sees it: a carriage return is part of its line.
    """
    import difflib

    before, after = ("a/", "b/") if _relative(name) else ("", "")
    parts: list[str] = []
    lines = difflib.unified_diff(
        _LINES.findall(old), _LINES.findall(new), f"{before}{name}", f"{after}{name}"
    )
    for line in lines:
        parts.append(line)
        if not line.endswith("\n"):
            parts.append("\n" + _NO_NEWLINE)
    return "".join(parts)


def moved(result: FileResult) -> Callable[[Place], Place]:
    """Where a place of the old text is in the new one: on its line, if that is still there.

    A place on a line that was replaced comes to what stands instead of it.
    """
    import difflib

    assert result.text is not None
    blocks = {
        part.cell: difflib.SequenceMatcher(
            None, _ANY_END.split(part.old), _ANY_END.split(part.new), autojunk=False
        ).get_opcodes()
        for part in result.document.parts(result.text)
    }

    def move(place: Place) -> Place:
        for tag, start, stop, new_start, new_stop in blocks.get(place.cell, ()):
            if start < place.line <= stop:
                line = place.line - start + new_start
                if tag != "equal":
                    line = max(min(line, new_stop), 1)
                return replace(place, line=line)
        return place

    return move


def coloured(diff: str) -> str:
    """``diff`` with the usual colours of a terminal."""
    import click

    parts: list[str] = []
    for line in _LINES.findall(diff):
        text = line.rstrip("\n")  # a colour ends with its line
        if line.startswith(("--- ", "+++ ")):
            text = click.style(text, bold=True)
        elif line.startswith("@@"):
            text = click.style(text, fg="cyan")
        elif line.startswith("+"):
            text = click.style(text, fg="green")
        elif line.startswith("-"):
            text = click.style(text, fg="red")
        parts.append(text + "\n" if line.endswith("\n") else text)
    return "".join(parts)


def _relative(name: str) -> bool:
    return not name.startswith(("/", "<", "../")) and ":" not in name[:2]
