"""F-strings: where their expressions stand, and how to write one that every Python can read.

Before Python 3.12 ``ast`` gives wrong columns inside f-strings (bpo-35212, and again for triple
quotes and format specifications), so the fields are found by reading the literal here, and each
expression is parsed again in its place. Before 3.12, too, an expression inside an f-string can
hold neither the quote around it nor a backslash nor a comment (PEP 701 lifted that), which is what
``fit`` is for.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field

from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.tokens import LINE_END, Token, scan_expression

TRUSTED = sys.version_info >= (3, 12)
_OPENING = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
Span = tuple[int, int]


@dataclass(frozen=True)
class Literal:
    """One string literal: prefix, quotes, and the span of what is between them."""

    prefix: str
    quote: str
    start: int
    end: int


@dataclass
class _Field:
    start: int
    end: int
    inner: list[_Field] = field(default_factory=list)


def literals(text: str, start: int, end: int) -> list[Literal]:
    """The literals of an implicitly concatenated string that spans ``start`` to ``end``."""
    return [as_literal(item, start) for item in scan_expression(text[start:end]) if item.is_string]


def as_literal(item: Token, base: int = 0) -> Literal:
    """The parts of a string token."""
    match = _OPENING.match(item.text)
    if match is None:
        raise RewriteError(f"not a string literal: {item.text!r}")
    quote = match[2]
    return Literal(match[1], quote, base + item.start + match.end(), base + item.end - len(quote))


def locate(text: str, node: ast.JoinedStr, start: int, end: int) -> dict[ast.AST, Span]:
    """Where the expressions inside the f-string ``node`` stand in ``text``, for Python < 3.12.

    ``start`` and ``end`` are the span of the f-string itself. Raises RewriteError where the fields
    read here and the tree do not agree.
    """
    found: dict[ast.AST, Span] = {}
    fields: list[_Field] = []
    try:
        for literal in literals(text, start, end):
            if "f" in literal.prefix.lower():
                raw = "r" in literal.prefix.lower()
                inner, _ = _read_literal(text, literal.start, literal.end, raw, nested=False)
                fields.extend(inner)
        _pair(text, node, fields, found)
    except (IndexError, ValueError, SyntaxError) as error:
        raise RewriteError(f"cannot find the expressions of {text[start:end]!r}") from error
    return found


def _pair(text: str, node: ast.JoinedStr, fields: list[_Field], found: dict[ast.AST, Span]) -> None:
    values = [value for value in node.values if isinstance(value, ast.FormattedValue)]
    for value, place in zip(values, fields, strict=True):
        fragment = f"({text[place.start : place.end]})"
        again = ast.parse(fragment, mode="eval").body
        _walk(text, value.value, again, fragment, place.start - 1, found)
        if isinstance(value.format_spec, ast.JoinedStr):
            _pair(text, value.format_spec, place.inner, found)


def _walk(
    text: str, node: ast.AST, again: ast.AST, fragment: str, base: int, found: dict[ast.AST, Span]
) -> None:
    """Note the spans of ``node`` and what is below it from its second parse, ``again``."""
    if type(node) is not type(again):
        raise ValueError
    if hasattr(again, "end_col_offset"):
        found[node] = (
            base + _offset(fragment, again.lineno, again.col_offset),  # type: ignore[attr-defined]
            base + _offset(fragment, again.end_lineno, again.end_col_offset),  # type: ignore[attr-defined]
        )
    if isinstance(node, ast.JoinedStr):
        found.update(locate(text, node, *found[node]))
        return
    children = zip(ast.iter_child_nodes(node), ast.iter_child_nodes(again), strict=True)
    for child, child_again in children:
        _walk(text, child, child_again, fragment, base, found)


def _offset(text: str, line: int, byte_column: int) -> int:
    starts = [0, *(match.end() for match in LINE_END.finditer(text))]
    start = starts[line - 1]
    return start + len(text[start:].encode()[:byte_column].decode())


def _read_literal(
    text: str, at: int, end: int, raw: bool, nested: bool
) -> tuple[list[_Field], int]:
    """The fields of a literal (or of a format specification, when ``nested``), and its end."""
    fields: list[_Field] = []
    while at < end:
        character = text[at]
        if character == "\\" and not raw:
            if text.startswith("\\N{", at):
                at = text.index("}", at) + 1
            else:
                at += 1 if text[at + 1] in "{}" else 2
        elif character == "{":
            if not nested and text[at + 1] == "{":
                at += 2
            else:
                place, at = _read_field(text, at + 1, end, raw)
                fields.append(place)
        elif character == "}" and nested:
            break
        else:
            at += 1
    return fields, at


def _read_field(text: str, start: int, end: int, raw: bool) -> tuple[_Field, int]:
    at, depth = start, 0
    while True:
        character = text[at]
        if character in "'\"":
            quote = character * 3 if text.startswith(character * 3, at) else character
            at = text.index(quote, at + len(quote)) + len(quote)
            continue
        if character in "([{":
            depth += 1
        elif character in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and text[at : at + 2] in ("!=", "==", "<=", ">="):
            at += 1
        elif depth == 0 and character in "!:=":
            break
        at += 1
    place = _Field(start, at)
    while text[at] not in ":}":
        at += 1
    if text[at] == ":":
        place.inner, at = _read_literal(text, at + 1, end, raw, nested=True)
    if text[at] != "}":
        raise ValueError
    return place, at + 1


def fit(expression: str, quote: str) -> str | None:
    """``expression`` so that it can stand in an f-string in ``quote``; None when it cannot."""
    if _fits(expression, quote):
        return expression
    pieces, at = [], 0
    for item in scan_expression(expression):
        if item.is_string and (quote[0] in item.text or "\\" in item.text):
            other = _requote(item.text, "'" if quote[0] == '"' else '"')
            if other is None:
                return None
            pieces += [expression[at : item.start], other]
            at = item.end
    changed = "".join(pieces) + expression[at:]
    return changed if _fits(changed, quote) else None


def _fits(expression: str, quote: str) -> bool:
    if quote in expression or "\\" in expression:
        return False
    if len(quote) == 1 and LINE_END.search(expression):
        return False
    return "#" not in expression or not any(x.is_comment for x in scan_expression(expression))


def _requote(literal: str, quote: str) -> str | None:
    """The same string between ``quote``, with no other quote or backslash; None if impossible."""
    parts = as_literal(Token(literal, 0, len(literal)))
    body = literal[parts.start : parts.end]
    prefix = parts.prefix
    if "f" not in prefix.lower() and "\\" in body:
        value = ast.literal_eval(literal)
        if not isinstance(value, str) or not value.isprintable():
            return None
        body, prefix = value, ""
    if "\\" in body or "'" in body or '"' in body or LINE_END.search(body):
        return None
    return f"{prefix}{quote}{body}{quote}"


def quoted(value: str) -> str:
    """``value`` as a string literal in double quotes."""
    return f'"{escaped(value)}"'


def escaped(value: str) -> str:
    """``value`` as it is written between double quotes."""
    written = []
    for character in value:
        if character in '\\"':
            written.append("\\" + character)
        elif character.isprintable():
            written.append(character)
        else:
            written.append(repr(character)[1:-1])
    return "".join(written)
