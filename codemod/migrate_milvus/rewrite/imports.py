"""``from … import …`` statements: names dropped and added, layout and comments kept."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from migrate_milvus.edits import ChangeImport
from migrate_milvus.rewrite.claims import is_pragma
from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.layout import Style, width
from migrate_milvus.rewrite.place import Places
from migrate_milvus.rewrite.tokens import LINE_END


@dataclass
class _Name:
    text: str
    line: int = -1  # the physical line of a name that stood there before
    above: list[str] = field(default_factory=list)
    beside: str = ""


@dataclass(frozen=True)
class ImportText:
    """The new statement (None when no name is left) and the comments that go above it."""

    text: str | None
    comments: tuple[str, ...] = ()


def change_import(
    places: Places, edit: ChangeImport, prefix: str, indent: str, step: str, style: Style
) -> ImportText:
    """The text of ``edit.node`` with its names changed.

    Raises RewriteError when a name to remove is not one of the statement's.
    """
    node = edit.node
    for alias in edit.remove:
        if not any(alias is own for own in node.names):
            raise RewriteError(
                f"{places.where(node)}: cannot remove {alias.name}: not imported here"
            )
    start, end = places.span(node)
    text, tokens = places.text, places.tokens
    first = places.span(node.names[0])[0]
    opening = tokens.before(first)
    if opening is None:
        raise RewriteError(f"{places.where(node)}: names not found")
    parenthesised = opening.text == "("
    keyword_end = tokens.before(opening.start) if parenthesised else opening
    if keyword_end is None or keyword_end.text != "import":
        raise RewriteError(f"{places.where(node)}: 'import' not found")
    head = text[start : keyword_end.end]

    removed = {id(alias) for alias in edit.remove}
    kept: list[_Name] = []
    pending: list[str] = []  # comments of removed names, waiting for the next name that stays
    reached = opening.end
    hanging = tokens.comment_beside(opening.end) if parenthesised else None
    if hanging is not None:
        reached = hanging.end
    for alias in node.names:
        low, high = places.span(alias)
        above = [item.text for item in tokens.comments_within(reached, low)]
        comma = tokens.after(high)
        reached = comma.end if comma is not None and comma.text == "," else high
        comment = tokens.comment_beside(reached) if parenthesised and reached < end else None
        if comment is not None:
            reached = comment.end
        if id(alias) in removed:
            pending += [item for item in above if not is_pragma(item)]
            if comment is not None and not is_pragma(comment.text):
                pending.append(comment.text)
        else:
            name = _Name(text[low:high], places.tokens.line_start(low), [*pending, *above])
            name.beside = comment.text if comment is not None else ""
            kept.append(name)
            pending = []
    pending += [item.text for item in tokens.comments_within(reached, end)]

    added = [name for name in edit.add if not any(_same(name, other.text) for other in kept)]
    if not added and not removed:
        return ImportText(text[start:end])
    if not kept and not added:
        loose = [*([hanging.text] if hanging else []), *pending]
        return ImportText(None, tuple(item for item in loose if not is_pragma(item)))
    names = _merged(kept, added, [text[slice(*places.span(alias))] for alias in node.names])

    several = parenthesised and LINE_END.search(text, start, end) is not None
    if not several:
        listed = ", ".join(name.text for name in names)
        line = f"{head} ({listed})" if parenthesised else f"{head} {listed}"
        if LINE_END.search(line) is None and width(prefix + line) <= style.limit:
            return ImportText(line)
    lines = {tokens.line_start(places.span(alias)[0]) for alias in node.names}
    if several and len(lines) == 1:  # all names shared one line: an added one joins them
        for name in names:
            name.line = next(iter(lines))
    last = tokens.after(places.span(node.names[-1])[1])
    trailing = (
        "," if not several or len(lines) > 1 or (last is not None and last.text == ",") else ""
    )
    rows = _rows(names)
    written = f"{head} (" + (f"  {hanging.text}" if hanging is not None else "")
    inner = style.newline + (_inner_indent(places, node, several) or indent + step)
    for row in rows:
        for comment_text in row[0].above:
            written += inner + comment_text
        listed = ", ".join(name.text for name in row)
        beside = "  ".join(name.beside for name in row if name.beside)
        written += f"{inner}{listed}{',' if row is not rows[-1] else trailing}"
        written += f"  {beside}" if beside else ""
    for comment_text in pending:
        written += inner + comment_text
    return ImportText(f"{written}{style.newline}{indent})")


def _inner_indent(places: Places, node: ast.ImportFrom, several: bool) -> str | None:
    """The indentation of the statement's names, when the first of them starts a line."""
    if not several:
        return None
    first = places.span(node.names[0])[0]
    lead = places.text[places.tokens.line_start(first) : first]
    return lead if lead and not lead.strip() else None


def _rows(names: list[_Name]) -> list[list[_Name]]:
    """The names by the lines on which they stood; an added name has a line of its own."""
    rows: list[list[_Name]] = []
    for name in names:
        together = rows and name.line >= 0 and rows[-1][-1].line == name.line
        if together and not name.above and not rows[-1][-1].beside:
            rows[-1].append(name)
        else:
            rows.append([name])
    return rows


def _same(name: str, other: str) -> bool:
    return name.split() == other.split()


def _merged(kept: list[_Name], added: list[str], before: list[str]) -> list[_Name]:
    """The kept names in their order, the added ones at their sorted place if there is one."""
    names = list(kept)
    key = next(
        (
            key
            for known in (before, [name.text for name in kept])
            for key in (_by_type, _ignoring_case, _plain)
            if known == sorted(known, key=key)
        ),
        None,
    )
    for name in added:
        place = len(names)
        if key is not None:
            place = next((i for i, x in enumerate(names) if key(x.text) > key(name)), place)
        names.insert(place, _Name(name))
    return names


def _by_type(name: str) -> tuple[int, str, str]:
    """The order of isort and ruff: CONSTANTS, Classes, then the rest."""
    bare = name.split()[0]
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
    return kind, bare.lower(), name


def _ignoring_case(name: str) -> tuple[int, str, str]:
    return 0, name.lower(), name


def _plain(name: str) -> tuple[int, str, str]:
    return 0, name, ""
