"""Docstrings of functions whose parameters and results become names: their sections follow.

Known are the sections of Google's and numpy's style and the fields of Sphinx. Only the names and
types there change; sentences stay as they are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from migrate_milvus.edits import Edit, ReplaceNode
from migrate_milvus.flow import Slot
from migrate_milvus.planning import Planning
from migrate_milvus.program import FunctionInfo
from migrate_milvus.values import Object

_PARAMETERS = frozenset(
    {"args", "arguments", "parameters", "params", "keyword args", "keyword arguments"}
)
_RESULTS = frozenset({"returns", "return", "yields", "yield"})
# ``Collection``, ``Optional[Collection]``, ``Collection | None``, ``pymilvus.Collection``
_TYPE = re.compile(r"[\w.]+(\[[\w., |\[\]]+\])?( (\||or) [\w.]+)*")


def edits(planning: Planning) -> Iterator[Edit]:
    """The docstrings that change."""
    for info in planning.flow.program.functions.values():
        if isinstance(info.node, ast.Lambda):
            continue
        parameters, kinds = _parameters(planning, info)
        given = _given(planning, info)
        if parameters or given:
            yield from _edit(planning, info.node, _Section(parameters, kinds, given))
        if parameters and info.name == "__init__" and info.owner is not None:
            yield from _edit(planning, info.owner.node, _Section(parameters, kinds, frozenset()))


def _parameters(planning: Planning, info: FunctionInfo) -> tuple[dict[str, str], frozenset[str]]:
    """The parameters that hold names from now on, with their new names, and what they held."""
    found: dict[str, str] = {}
    kinds: set[str] = set()
    for parameter in info.parameters:
        slot = Slot("local", info, parameter.arg)
        held = _becoming(planning, slot)
        if held:
            found[parameter.arg] = planning.names.get(slot, parameter.arg)
            kinds |= held
    return found, frozenset(kinds)


def _given(planning: Planning, info: FunctionInfo) -> frozenset[str]:
    """The kinds of objects that a function gave, of which it gives the names now."""
    return frozenset().union(
        *(_becoming(planning, Slot(kind, info, "")) for kind in ("return", "yield"))
    )


def _becoming(planning: Planning, slot: Slot) -> frozenset[str]:
    """The kinds of objects in a slot that become names; nothing where they stay."""
    unit = planning.units.of_slot.get(slot)
    if unit is None or id(unit) in planning.blocked_units:
        return frozenset()
    values = planning.flow.store.get(slot, frozenset())
    named = planning.rule_set.named_kinds
    return frozenset(v.kind for v in values if isinstance(v, Object) and v.kind in named)


def _edit(
    planning: Planning,
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
    section: _Section,
) -> Iterator[Edit]:
    match node.body[0]:
        case ast.Expr(value=ast.Constant(value=str()) as constant):
            text = planning.text(constant)
            changed = section.rewritten(text)
            if changed != text:
                yield ReplaceNode(constant, (changed,))


class _Section:
    """What changes in a docstring: the names and types of parameters, the type of the result."""

    def __init__(
        self, parameters: Mapping[str, str], kinds: frozenset[str], given: frozenset[str]
    ) -> None:
        self.parameters = parameters
        self.kinds = kinds
        self.given = given

    def rewritten(self, text: str) -> str:
        """The docstring, in its quotes, as it reads now."""
        lines = text.split("\n")
        inside, margin = "", 0
        entry: int | None = None  # the indentation of what is described
        for number, line in enumerate(lines):
            stripped = line.strip()
            indent = len(line) - len(line.lstrip())
            heading = stripped.rstrip(":").lower()
            underlined = number + 1 < len(lines) and _is_rule(lines[number + 1])
            if heading in _PARAMETERS | _RESULTS and (stripped.endswith(":") or underlined):
                inside, margin, entry = heading, indent, None
                continue
            if underlined or (inside and stripped and indent < margin):
                inside = ""
            if stripped.startswith((":", "@")):
                lines[number] = self._field(line)
            elif inside and stripped and not _is_rule(line):
                entry = indent if entry is None else entry
                if indent == entry:
                    described = self._parameter if inside in _PARAMETERS else self._result
                    lines[number] = described(line)
        return "\n".join(lines)

    def _field(self, line: str) -> str:
        """``:param Collection docs:``, ``:type docs: Collection``, ``:rtype: Collection``."""
        match = re.match(r"(\s*[:@]param\s+)([^:]*?\s)?(\w+)(:.*)$", line)
        if match and match[3] in self.parameters:
            kind = _named(match[2] or "", self.kinds)
            return f"{match[1]}{kind}{self.parameters[match[3]]}{match[4]}"
        match = re.match(r"(\s*[:@]type\s+)(\w+)(:\s*)(.*?)(\s*)$", line)
        if match and match[2] in self.parameters:
            name, kind = self.parameters[match[2]], _named(match[4], self.kinds)
            return f"{match[1]}{name}{match[3]}{kind}{match[5]}"
        match = re.match(r"(\s*[:@]rtype\s*:\s*)(.*?)(\s*)$", line)
        return f"{match[1]}{_named(match[2], self.given)}{match[3]}" if match else line

    def _parameter(self, line: str) -> str:
        """``docs (Collection): ...``, ``docs: ...``, ``docs : Collection``."""
        match = re.match(r"(\s*\*?)(\w+)(\s*\()([^)]*)(\)\s*:.*)$", line)
        if match and match[2] in self.parameters:
            kind = _named(match[4], self.kinds)
            return f"{match[1]}{self.parameters[match[2]]}{match[3]}{kind}{match[5]}"
        match = re.match(r"(\s*)(\w+)(\s*:\s*)(.*)$", line)
        if match and match[2] in self.parameters:
            # Only a type that stands alone is one: ``docs: Collection of films`` is a sentence.
            kind = _named(match[4], self.kinds)
            return f"{match[1]}{self.parameters[match[2]]}{match[3]}{kind}"
        return line

    def _result(self, line: str) -> str:
        """``Collection: the new one``, ``Collection``, ``docs : Collection``."""
        match = re.match(r"(\s*)(\w+ : )?([^:]+?)(\s*:\s.*|:?\s*)$", line)
        if match:
            kind = _named(match[3], self.given)
            return f"{match[1]}{match[2] or ''}{kind}{match[4]}"
        return line


def _named(kind: str, kinds: frozenset[str]) -> str:
    """A type with names in the place of objects; anything else as it is."""
    bare = kind.strip().rstrip(",")
    first = re.split(r",\s*(?:optional|default)", bare)[0]
    if not kinds or not _TYPE.fullmatch(first):
        return kind
    return re.sub(rf"(?:[\w.]+\.)?\b(?:{'|'.join(sorted(kinds))})\b", "str", kind)


def _is_rule(line: str) -> bool:
    """The line under a heading of numpy's style."""
    return len(line.strip()) > 2 and set(line.strip()) == {"-"}
