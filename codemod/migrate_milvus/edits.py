"""Edits: what a rule asks the rewriter to change, in terms of the syntax tree.

An edit names a node of the file's ``ast`` tree and says what stands there afterwards, as a
*template*: text mixed with references to the user's own expressions (``Src``), which are rendered
with the edits that fall inside them, so that edits nest without knowing of each other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Src:
    """The user's own source text of ``node``, with all edits inside it applied."""

    node: ast.expr | ast.stmt


@dataclass(frozen=True)
class Argument:
    """One argument of a written call; ``keyword`` None is positional, ``"*"``/``"**"`` unpack."""

    value: Template
    keyword: str | None = None


@dataclass(frozen=True)
class CallTemplate:
    """A call; the rewriter lays it out on one line, or one argument per line, by length."""

    function: Template
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class FString:
    """An f-string of literal text and expressions; the rewriter chooses quotes that never nest."""

    parts: tuple[str | Src, ...]


@dataclass(frozen=True)
class Comprehension:
    """``[element clause condition]``: one line, or a line for each of them, by length."""

    element: Template
    clause: Template
    condition: str = ""
    brackets: str = "[]"


Part: TypeAlias = "str | Src | CallTemplate | FString | Comprehension"
Template: TypeAlias = "tuple[Part, ...]"


@dataclass(frozen=True)
class Line:
    """A simple statement to write; an empty template writes a blank line.

    Comments that stood at ``anchor`` and would be lost there go where this line goes: the one
    beside it on its last line, and those above and inside it.
    """

    template: Template
    anchor: ast.AST | None = None


@dataclass(frozen=True)
class Block:
    """A compound statement to write: a header such as ``("if not x:",)`` and its body."""

    header: Template
    body: tuple[Statement, ...]


Statement: TypeAlias = "Line | Block"


@dataclass(frozen=True)
class ReplaceNode:
    """Put ``template`` where ``node`` (an expression, argument, keyword, parameter…) stands.

    An empty template drops an item of a list (argument, parameter, element) with its comma.
    """

    node: ast.AST
    template: Template


@dataclass(frozen=True)
class ReplaceStatement:
    """Put ``statements`` where the statement ``node`` stands; none removes it.

    A removed statement leaves its comments behind; a body left empty gets ``pass``.
    """

    node: ast.stmt
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class InsertStatements:
    """Write ``statements`` before (or after) the statement ``node``, at its indentation."""

    node: ast.stmt
    statements: tuple[Statement, ...]
    after: bool = False


@dataclass(frozen=True)
class ChangeImport:
    """Drop and add names of one ``from … import …`` statement; none left removes it.

    ``remove`` holds the ``ast.alias`` nodes to drop; ``add`` the names to import, as written
    (``"MilvusClient"`` or ``"MilvusClient as Client"``).
    """

    node: ast.ImportFrom
    remove: tuple[ast.alias, ...] = ()
    add: tuple[str, ...] = ()


Edit: TypeAlias = "ReplaceNode | ReplaceStatement | InsertStatements | ChangeImport"
