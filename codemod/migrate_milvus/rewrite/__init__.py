"""The rewriter: applies edits to the text of one file.

Changed statements are rendered as text and spliced into the old text; nothing else is touched, so
mixed line endings, tabs, form feeds, trailing blanks and comments outside them stay byte-identical
by construction. The span that is spliced is a simple statement or the header of a compound one.
Swapping nodes of a LibCST tree would need the same rendered text, plus a lossless parse of the old
file to find the spans that ``ast`` and one pass of ``tokenize`` already give for a fraction of the
time. LibCST checks the result instead: the new text must parse with it, as with ``ast``. (It need
not print back identically: LibCST drops blanks at the end of a file, splicing does not.) The
comments of both texts are compared too. Whatever fails raises RewriteError, and the file stays as
it is.

What goes where:

- An inserted statement goes directly above the comment block that touches the statement, since
  that block speaks about it; a block with a blank line below it stays above the insertion.
- Comments of a replaced statement that no line takes go above the first new statement, the comment
  on its last line stays on the last line.
- ``#!`` and coding lines stay first.
- An edit inside text that another edit replaces applies where that text is written again (``Src``),
  and has no effect where it is not.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrate_milvus.edits import ChangeImport, Edit, InsertStatements, ReplaceNode, ReplaceStatement
from migrate_milvus.rewrite.claims import Claims, is_pragma
from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.place import Places
from migrate_milvus.rewrite.render import Renderer
from migrate_milvus.rewrite.statements import Patch, Planner
from migrate_milvus.rewrite.tokens import Token, scan
from migrate_milvus.syntax import SourceText

__all__ = ["RewriteError", "apply_edits"]


def apply_edits(
    source: SourceText, edits: Sequence[Edit], *, line_length: int, verify: bool = True
) -> str:
    """The text of ``source`` with ``edits`` applied; the same text when there are none.

    ``line_length`` is how long a new line may become before a written call is broken. Without
    ``verify`` the result is a draft that was not checked. Raises
    RewriteError when edits contradict each other or name nodes of another tree, or when the result
    would lose a comment or would not be Python.
    """
    if not edits:
        return source.text
    edits = _checked(source, edits)
    places = Places(source)
    claims = Claims(places, edits)
    nodes = [edit for edit in edits if isinstance(edit, ReplaceNode)]
    renderer = Renderer(places, nodes, claims)
    patches = Planner(places, edits, renderer, claims, line_length).patches()
    text = places.mark + _spliced(places.text, patches)
    if verify:
        _verify(places, patches, text)
        _verify_untouched(places.text, patches, text[len(places.mark) :])
    return text


def _checked(source: SourceText, edits: Sequence[Edit]) -> list[Edit]:
    """The edits without repetitions, none of which contradicts another."""
    kept: list[Edit] = []
    replaced: dict[ast.AST, Edit] = {}
    for edit in edits:
        line = getattr(edit.node, "lineno", "?")
        if edit.node not in source.parents:
            raise RewriteError(f"an edit names a node (line {line}) that is not part of this file")
        if not isinstance(edit, InsertStatements):
            other = replaced.setdefault(edit.node, edit)
            if other is not edit:
                if other == edit:
                    continue
                raise RewriteError(f"line {line}: two edits change the same node in different ways")
        kept.append(edit)
    statements = {edit.node for edit in kept if isinstance(edit, (ReplaceStatement, ChangeImport))}
    for edit in kept:
        if isinstance(edit, ReplaceNode):
            continue
        at: ast.AST | None = source.parents.get(edit.node)
        while at is not None:
            if at in statements:
                raise RewriteError(
                    f"line {edit.node.lineno}: the statement is part of one that is replaced whole"
                )
            at = source.parents.get(at)
    return kept


def _spliced(text: str, patches: Sequence[Patch]) -> str:
    written, at = [], 0
    for patch in patches:
        if patch.start < at:
            line = text.count("\n", 0, patch.start) + 1
            raise RewriteError(f"line {line}: two edits change the same lines")
        written += [text[at : patch.start], patch.text]
        at = patch.end
    return "".join(written) + text[at:]


def _verify_untouched(old: str, patches: Sequence[Patch], new: str) -> None:
    """Refuse a result that differs from the old text anywhere but in the patches."""
    at = reached = 0
    for patch in patches:
        kept = patch.start - at
        if new[reached : reached + kept] != old[at : patch.start]:
            break
        reached += kept + len(patch.text)
        at = patch.end
    if new[reached:] != old[at:]:
        line = old.count("\n", 0, at) + 1
        raise RewriteError(f"text after line {line} changes that no edit is about")


def _verify(places: Places, patches: Sequence[Patch], text: str) -> None:
    """Refuse a result that is not Python for ``ast`` and LibCST alike, or that lacks a comment."""
    bare = text[len(places.mark) :]
    try:
        ast.parse(bare)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RewriteError(f"the new text is not valid Python: {error}") from error
    # LibCST fails on a few texts that Python takes; that only counts if the edits made it so.
    message = _libcst_complaint(bare)
    if message is not None and _libcst_complaint(places.text) is None:
        raise RewriteError(f"LibCST cannot read the new text: {message}")
    if any(places.tokens.comments_within(patch.start, patch.end) for patch in patches):
        _verify_comments(places.tokens.comments, bare)


def _libcst_complaint(text: str) -> str | None:
    import libcst

    try:
        libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:
        return error.message
    except RecursionError:
        return "nested too deeply"
    return None


def _verify_comments(comments: Sequence[Token], text: str) -> None:
    present = [item.text for item in scan(text) if item.is_comment]
    missing = [item.text for item in comments]
    for comment in present:
        if comment in missing:
            missing.remove(comment)
    joined = "\n".join(present)
    for comment in missing:
        if not is_pragma(comment) and comment.rstrip() not in joined:
            raise RewriteError(f"the comment {comment!r} would be lost")
