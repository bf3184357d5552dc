"""Templates and the user's own expressions become pieces of text.

``Src`` is the user's text with the edits inside it applied, so the two kinds of rendering call each
other; an edit that is being rendered does not apply to itself, which lets a template wrap the
expression that it replaces.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from migrate_milvus.edits import (
    Argument,
    CallTemplate,
    Comprehension,
    FString,
    Part,
    ReplaceNode,
    Src,
    Template,
)
from migrate_milvus.rewrite import fstrings, precedence
from migrate_milvus.rewrite.claims import Claims
from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.layout import (
    Break,
    Call,
    CallArgument,
    Group,
    Piece,
    Word,
    flat,
)
from migrate_milvus.rewrite.place import Places
from migrate_milvus.rewrite.tokens import CLOSING, LINE_END, OPENING, scan_expression

# A template is read as Python in the first of these frames that parses, to learn what its parts
# stand in.
_EXPRESSION, _ARGUMENT = "({}\n)", "f({}\n)"
_FRAMES = (_EXPRESSION, "{}", "{} pass", _ARGUMENT, "def f({}\n): pass", "try: pass\n{} pass")


class Renderer:
    """Renders templates and spans of one file under one set of edits."""

    def __init__(self, places: Places, edits: Sequence[ReplaceNode], claims: Claims) -> None:
        self._places = places
        self._text = places.text
        self._tokens = places.tokens
        self._claims = claims
        self._edits = {edit.node: edit for edit in edits}
        self._ordered = sorted((*_outward(places.span(e.node)), i) for i, e in enumerate(edits))
        self._list = list(edits)
        self._active: set[ast.AST] = set()

    def span(self, start: int, end: int) -> list[Piece]:
        """The user's text from ``start`` to ``end``, with the edits inside it applied."""
        pieces: list[Piece] = []
        at = start
        for edit in self._outermost(start, end):
            low, high = self._places.span(edit.node)
            if low < at:  # inside an f-string that was written whole
                continue
            if not edit.template:
                low, high = self._dropped(edit.node)
                pieces += self._source(at, max(at, low))
                at = high
                continue
            string = self._places.fstring(edit.node, start, end)
            if string is not None:
                low, high = self._places.span(string)
                pieces += self._source(at, low)
                pieces.append(Word(self._fstring(string)))
            else:
                pieces += self._source(at, low)
                pieces += self._replacement(edit)
            at = high
        return [*pieces, *self._source(at, end)]

    def _dropped(self, node: ast.AST) -> tuple[int, int]:
        """The span of an item of a list of arguments, parameters or elements, with its comma.

        The comma before it goes when nothing of the list is left behind it.
        """
        low, high = self._places.item(node)
        before, after = self._tokens.before(low), self._tokens.after(high)
        comma = after is not None and after.text == ","
        behind = after.end if after is not None and comma else high
        following = self._tokens.after(behind)
        if comma and following is not None and not self._nothing_left(behind):
            remark = self._tokens.comments_within(behind, following.start)
            return low, behind if remark else following.start
        if before is not None and before.text == "," and not self._nothing_kept(before.start):
            remarks = self._tokens.comments_within(before.end, low)
            if remarks:
                return remarks[-1].end, behind
            single = isinstance(self._places.parents[node], ast.Tuple) and not comma
            return before.end if single else before.start, high
        if before is None or before.text not in {",", *OPENING}:
            raise RewriteError(f"{self._places.where(node)}: nothing can stand in this place")
        return low if self._tokens.comments_within(before.end, low) else before.end, behind

    def _nothing_kept(self, offset: int) -> bool:
        """Whether every item of the list up to ``offset`` is dropped."""
        before = self._tokens.before(offset)
        if before is None or before.text in OPENING:
            return True
        for edit in self._list:
            if not edit.template:
                low, high = self._places.item(edit.node)
                if high == before.end:
                    comma = self._tokens.before(low)
                    more = comma is not None and comma.text == ","
                    return self._nothing_kept(comma.start if comma is not None and more else low)
        return False

    def _nothing_left(self, offset: int) -> bool:
        """Whether every item of the list from ``offset`` on is dropped."""
        following = self._tokens.after(offset)
        if following is None or following.text in CLOSING:
            return True
        for edit in self._list:
            if not edit.template:
                low, high = self._places.item(edit.node)
                if low == following.start:
                    comma = self._tokens.after(high)
                    more = comma is not None and comma.text == ","
                    return self._nothing_left(comma.end if comma is not None and more else high)
        return False

    def _outermost(self, start: int, end: int) -> list[ReplaceNode]:
        """The edits inside a span that lie in no other edit of the span, in their order."""
        chosen: list[ReplaceNode] = []
        reached = start
        for low, negative_end, index in self._ordered[bisect_left(self._ordered, (start,)) :]:
            if low >= end and low > start:
                break
            edit = self._list[index]
            if low >= reached and -negative_end <= end and edit.node not in self._active:
                chosen.append(edit)
                reached = -negative_end
        return chosen

    def _source(self, start: int, end: int) -> list[Piece]:
        """The user's text as it is, split at the line ends that stand between tokens."""
        pieces: list[Piece] = []
        at = start
        for item in self._tokens.within(start, end):
            pieces += self._gap(at, item.start)
            pieces.append(Word(self._text[item.start : min(item.end, end)], item.is_comment))
            at = min(item.end, end)
        return pieces + self._gap(at, end)

    def _gap(self, start: int, end: int) -> list[Piece]:
        gap = self._text[start:end]
        if not gap:
            return []
        ends = [match.end() for match in LINE_END.finditer(gap)]
        if not ends or gap.replace("\\", "").strip():  # the latter: inside an f-string
            return [Word(gap)]
        return [Break(gap[: ends[-1]], gap[ends[-1] :])]

    def _replacement(self, edit: ReplaceNode) -> list[Piece]:
        node = edit.node
        self._active.add(node)
        try:
            bracketed = self._places.bracketed(node)
            frames = (_ARGUMENT,) if isinstance(node, ast.keyword) else ()
            pieces, level, loose = self.template(edit.template, bracketed, frames)
        finally:
            self._active.discard(node)
        if not isinstance(node, ast.expr):
            return pieces
        if self._places.is_exploded(node):
            for piece in pieces:
                if isinstance(piece, Call) and piece.arguments:
                    piece.broken = True
        parent = self._places.parents.get(node)
        weak = _too_weak(level, pieces, parent, node) or (loose and not bracketed)
        if isinstance(node, ast.GeneratorExp) and self._places.shares_parentheses(node):
            pieces = [Word("("), *pieces, Word(")")]  # those of the call
        elif self._places.own_parentheses(node) is not None:
            return pieces
        return [Word("("), *pieces, Word(")")] if weak else pieces

    def template(
        self, template: Template, bracketed: bool, frames: tuple[str, ...] = ()
    ) -> tuple[list[Piece], int, bool]:
        """The pieces of a template, how tightly they hold together, and whether they run over
        several lines without brackets around them.

        ``bracketed`` tells that the template stands in brackets, where lines may end anywhere.
        """
        text = "".join(
            part if isinstance(part, str) else f"_{index}_part_"
            for index, part in enumerate(template)
        )
        contexts, root = _contexts(text, (*frames, *_FRAMES))
        depths = _depths(text)
        pieces: list[Piece] = []
        level, loose = (precedence.ATOM if root is None else precedence.binding(root)), False
        for index, part in enumerate(template):
            if isinstance(part, str):
                pieces.append(Word(part))
                continue
            parent, child = contexts.get(f"_{index}_part_", (None, None))
            inside = bracketed or depths.get(f"_{index}_part_", 0) > 0
            written, own_level, own_loose = self._part(part, inside)
            if child is not None and child is root:  # the template is this one part
                level, loose = own_level, own_loose
            elif (own_loose and not inside) or _too_weak(own_level, written, parent, child):
                written = [Word("("), *written, Word(")")]
            pieces += written
        if root is not None and _enclosed(text):
            level = precedence.ATOM
        return pieces, level, loose

    def _part(self, part: Part, bracketed: bool) -> tuple[list[Piece], int, bool]:
        if isinstance(part, Src):
            return self._src(part)
        if isinstance(part, CallTemplate):
            return [self._call(part)], precedence.ATOM, False
        if isinstance(part, FString):
            return self._written_fstring(part), precedence.ATOM, False
        if isinstance(part, Comprehension):
            lines = [
                CallArgument(self.template(line, bracketed=True)[0])
                for line in (part.element, part.clause, (part.condition,))
                if line != ("",)
            ]
            return [Call([], lines, brackets=part.brackets, separator=" ")], precedence.ATOM, False
        raise RewriteError(f"unknown template part {part!r}")

    def _src(self, part: Src) -> tuple[list[Piece], int, bool]:
        node = part.node
        # the parentheses around an expression that is replaced stay where they are
        replaced = node in self._active
        start, end = self._places.span(node) if replaced else self._places.src_span(node)
        if isinstance(node, ast.stmt):
            if not self._places.is_simple(node):
                raise RewriteError(
                    f"line {node.lineno}: a compound statement cannot be part of a template"
                )
            return [self._group(start, end, self.span(start, end))], precedence.ATOM, False
        edit = self._edits.get(node)
        if edit is not None and node not in self._active:
            self._active.add(node)
            try:
                return self.template(edit.template, bracketed=False)
            finally:
                self._active.discard(node)
        pieces = self.span(start, end)
        if (start, end) != self._places.span(node) or self._places.enclosed_tuple(node):
            level, loose = precedence.ATOM, False
        else:
            level = precedence.binding(node)
            loose = self._places.loose(start, end)
        return [self._group(start, end, pieces)], level, loose

    def _group(self, start: int, end: int, pieces: list[Piece]) -> Group:
        line = self._text[self._tokens.line_start(start) : start]
        indent = line[: len(line) - len(line.lstrip())]
        return Group(tuple(pieces), indent, len(line))

    def _call(self, call: CallTemplate) -> Call:
        function, level, loose = self.template(call.function, bracketed=False)
        if loose or level < precedence.ATOM:
            function = [Word("("), *function, Word(")")]
        return Call(function, [self._argument(item) for item in call.arguments])

    def _argument(self, argument: Argument) -> CallArgument:
        pieces, level, _ = self.template(argument.value, bracketed=True)
        if level < precedence.LAMBDA:
            pieces = [Word("("), *pieces, Word(")")]
        if argument.keyword in ("*", "**"):
            pieces.insert(0, Word(argument.keyword))
        elif argument.keyword is not None:
            pieces.insert(0, Word(f"{argument.keyword}="))
        claim = self._claims.of(argument)
        return CallArgument(pieces, [item.text for item in claim.above], claim.beside_text())

    # F-strings

    def _flat(self, pieces: list[Piece], node: ast.AST) -> str:
        text = flat(pieces)
        if text is None:
            raise RewriteError(f"{self._places.where(node)}: a comment cannot stand in an f-string")
        return text

    def _written_fstring(self, string: FString) -> list[Piece]:
        merged: list[str | Src] = []
        for part in string.parts:
            known = part if isinstance(part, str) else self._constant(part)
            if known is None:
                merged.append(part)
            elif merged and isinstance(merged[-1], str):
                merged[-1] += known
            else:
                merged.append(known)
        if not any(isinstance(part, Src) for part in merged):
            return [Word(fstrings.quoted("".join(str(part) for part in merged)))]
        fields: list[str | None] = []
        template = ""
        arguments: list[Piece] = []
        for part in merged:
            if isinstance(part, str):
                literal = fstrings.escaped(part).replace("{", "{{").replace("}", "}}")
                fields.append(literal)
                template += literal
                continue
            pieces, level, _ = self._src(part)
            text = flat(pieces)
            fitted = None if text is None else _field(text, level, '"')
            fields.append(None if fitted is None else "{" + fitted + "}")
            template += "{}"
            if level < precedence.LAMBDA:
                pieces = [Word("("), *pieces, Word(")")]
            arguments += [*([Word(", ")] if arguments else []), *pieces]
        if None not in fields:
            return [Word(f'f"{"".join(str(item) for item in fields)}"')]
        return [Word(f'"{template}".format('), *arguments, Word(")")]

    def _constant(self, part: Src) -> str | None:
        """The text of a constant that needs no braces of its own."""
        node = part.node
        if not isinstance(node, ast.Constant) or node in self._edits:
            return None
        if isinstance(node.value, str):
            return node.value
        return str(node.value) if type(node.value) is int else None

    def _fstring(self, string: ast.JoinedStr) -> str:
        """The user's f-string with the edits in its fields, in quotes that fit the new text."""
        start, end = self._places.span(string)
        changed: list[tuple[int, int, str, int]] = []  # span, new text, how tightly it holds
        for value in ast.walk(string):
            if not isinstance(value, ast.FormattedValue):
                continue
            low, high = self._places.span(value.value)
            if not self._outermost(low, high) or any(
                a <= low and high <= b for a, b, *_ in changed
            ):
                continue
            pieces, level, _ = self._field_source(value.value, low, high)
            changed.append((low, high, self._flat(pieces, string), level))
        changed.sort()
        found = fstrings.literals(self._text, start, end)
        candidates = [[literal.quote for literal in found]]
        if len(found) == 1:
            candidates += [[quote] for quote in ('"', "'", '"""', "'''")]
        for quotes in candidates:
            written = self._requoted(start, end, found, quotes, changed)
            if written is not None:
                return written
        raise RewriteError(
            f"{self._places.where(string)}: the new expression needs quotes "
            "that cannot stand in this f-string"
        )

    def _field_source(self, node: ast.expr, low: int, high: int) -> tuple[list[Piece], int, bool]:
        edit = self._edits.get(node)
        if edit is not None and node not in self._active:
            self._active.add(node)
            try:
                return self.template(edit.template, bracketed=True)
            finally:
                self._active.discard(node)
        return self.span(low, high), precedence.ATOM, False

    def _requoted(
        self,
        start: int,
        end: int,
        found: list[fstrings.Literal],
        quotes: list[str],
        changed: list[tuple[int, int, str, int]],
    ) -> str | None:
        written, at = "", start
        for literal, quote in zip(found, quotes, strict=True):
            written += self._text[at : literal.start - len(literal.quote)] + quote
            at = literal.start
            fixed = ""
            for low, high, text, level in changed:
                if not literal.start <= low < literal.end:
                    continue
                field = _field(text, level, quote)
                if field is None:
                    return None
                lead, tail = self._text[at:low], self._debug(high, literal.end)
                fixed += lead
                if tail:
                    # {x=} prints its own text, which is the old one
                    brace = lead.rfind("{")
                    written += lead[:brace] + self._text[low:high] + tail[0] + "{" + field + tail[1]
                    at = high + tail[2]
                    continue
                written += lead + field
                at = high
            fixed += self._text[at : literal.end]
            if quote != literal.quote and (
                quote[0] in fixed or (len(quote) == 1 and LINE_END.search(fixed))
            ):
                return None
            written += self._text[at : literal.end] + quote
            at = literal.end + len(literal.quote)
        return written + self._text[at:end]

    def _debug(self, at: int, end: int) -> tuple[str, str, int] | None:
        """For ``{x = }``: the text it prints after ``x``, the conversion to add, its length."""
        rest = self._text[at:end]
        stripped = rest.lstrip()
        if not stripped.startswith("="):
            return None
        length = len(rest) - len(stripped) + 1
        length += len(rest[length:]) - len(rest[length:].lstrip())
        return rest[:length], "!r" if rest[length : length + 1] == "}" else "", length


_PART = re.compile(r"_\d+_part_")


def _outward(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]


def _field(text: str, level: int, quote: str) -> str | None:
    """``text`` as it can stand between the braces of an f-string, or None."""
    if level < precedence.CONDITIONAL:
        text = f"({text})"
    fitted = fstrings.fit(text, quote)
    if fitted is not None and fitted.startswith("{"):
        fitted = " " + fitted
    return fitted


def _too_weak(
    level: int, pieces: list[Piece], parent: ast.AST | None, child: ast.AST | None
) -> bool:
    if child is None:
        return level < precedence.LAMBDA
    if isinstance(parent, ast.Attribute) and (flat(pieces) or "").isdigit():
        return True
    return level < precedence.required(parent, child)


_Context: TypeAlias = "tuple[ast.AST | None, ast.AST | None]"


@lru_cache(maxsize=4096)
def _contexts(text: str, frames: tuple[str, ...]) -> tuple[dict[str, _Context], ast.AST | None]:
    """What each part of a template stands in, and the template's root if it is an expression.

    Most templates look alike once their parts are numbered, so the answers are kept.
    """
    for frame in frames:
        try:
            tree = ast.parse(frame.format(text))
        except (SyntaxError, ValueError):
            continue
        found: dict[str, _Context] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Name) and _PART.fullmatch(child.id):
                    found[child.id] = (node, child)
        first = tree.body[0] if tree.body else None
        root = first.value if frame is _EXPRESSION and isinstance(first, ast.Expr) else None
        return found, root
    return {}, None


@lru_cache(maxsize=4096)
def _depths(text: str) -> dict[str, int]:
    """How many brackets of the template are open at each of its parts."""
    if not any(character in text for character in "([{"):
        return {}
    try:
        tokens = scan_expression(text)
    except RewriteError:
        return {}
    found, depth = {}, 0
    for item in tokens:
        depth += (item.text in OPENING) - (item.text in CLOSING)
        if _PART.fullmatch(item.text):
            found[item.text] = depth
    return found


@lru_cache(maxsize=4096)
def _enclosed(text: str) -> bool:
    """Whether the whole template stands in one pair of brackets."""
    if text[:1] != "(":
        return False
    depth = 0
    tokens = scan_expression(text)
    for item in tokens:
        depth += (item.text in OPENING) - (item.text in CLOSING)
        if depth == 0 and item is not tokens[-1]:
            return False
    return True
