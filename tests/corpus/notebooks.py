"""Notebooks as Python texts for the detector; nothing of the tool's own reader is used.

Every line of a code cell stands on a line of its own, so that a place in the report (cell, line)
can be found in the text. IPython says what is a magic.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

_SOURCE = re.compile(
    r'"(?:source|input)":\s*(?:\[(?:\s*"(?:[^"\\]|\\.)*"\s*,?)*\s*\]|"(?:[^"\\]|\\.)*")'
)


class View:
    """A notebook as one text; ``starts`` has the line before the first one of each cell."""

    def __init__(self, data: bytes) -> None:
        self.starts: dict[int, int] = {}
        lines: list[str] = []
        for number, source in code_cells(json.loads(data.decode("utf-8-sig"))):
            self.starts[number] = len(lines)
            lines += python(source)
        self.text = "\n".join([*lines, ""])

    def line(self, cell: int, line: int) -> int:
        """The line of the text that a place of the report means."""
        return self.starts.get(cell, 0) + line


def code_cells(notebook: dict[str, Any]) -> list[tuple[int, str]]:
    """Number (of all cells, from 1) and text of the code cells."""
    sheets = notebook.get("worksheets")
    cells = notebook.get("cells") or [cell for sheet in sheets or () for cell in sheet["cells"]]
    return [
        (number, "".join(cell.get("source", cell.get("input", ""))))
        for number, cell in enumerate(cells, 1)
        if cell["cell_type"] == "code"
    ]


def python(source: str) -> list[str]:
    """The lines of a cell, those that are no Python replaced; comments where nothing is."""
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.split("\n")
    head = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if re.match(r"%%(time|capture)\b", lines[head]):
        lines[head] = "pass"
    for candidate in (lines, TransformerManager().transform_cell("\n".join(lines)).split("\n")):
        same_size = candidate[: len(lines)]
        if len(same_size) == len(lines) and _compiles("\n".join(same_size)):
            return same_size
    plain = ["pass" if re.match(r"\s*[%!]|.*\?\s*$|\w+ = !", line) else line for line in lines]
    if _compiles("\n".join(plain)):
        return plain
    return [f"# {line}" for line in lines]


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def outside_cells(before: bytes, after: bytes) -> list[str]:
    """What changed of a notebook besides the texts of its code cells; empty when nothing did."""
    found = []
    old, new = before.decode("utf-8"), after.decode("utf-8")
    if _SOURCE.split(old) != _SOURCE.split(new):
        found.append("bytes outside the cells changed")
    left = {number for number, _ in code_cells(json.loads(old))}
    sources = [_every_text(json.loads(text)) for text in (old, new)]
    changed = [n for n, pair in enumerate(zip(*sources, strict=True), 1) if pair[0] != pair[1]]
    if any(number not in left for number in changed):
        found.append("the text of a cell that is no code changed")
    return found


def _every_text(notebook: dict[str, Any]) -> list[str]:
    sheets = notebook.get("worksheets")
    cells = notebook.get("cells") or [cell for sheet in sheets or () for cell in sheet["cells"]]
    return ["".join(cell.get("source", cell.get("input", ""))) for cell in cells]
