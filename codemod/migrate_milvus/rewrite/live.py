"""Which edits come to be written: an edit in replaced text only where ``Src`` writes it again.

This follows the rule of the rewriter without rendering anything, from the edits as planned. The
self-check holds the new text against it, and the clean-up of imports learns from it which of the
old names are still read.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence

from migrate_milvus.edits import (
    CallTemplate,
    Comprehension,
    Edit,
    FString,
    InsertStatements,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.rewrite.claims import templates
from migrate_milvus.syntax import SourceText


class Live:
    """The part of ``edits`` that is written, and what is kept of the old text."""

    def __init__(self, source: SourceText, edits: Sequence[Edit]) -> None:
        self._parents = source.parents
        self._tree = source.tree
        self._replaced: dict[ast.AST, Edit] = {}
        for edit in edits:
            if isinstance(edit, ReplaceNode | ReplaceStatement):
                self._replaced.setdefault(edit.node, edit)
        # The replacements below each node, in any depth.
        self._under: dict[ast.AST, list[ast.AST]] = defaultdict(list)
        for node in self._replaced:
            for above in self._above(node):
                self._under[above].append(node)
        self._others = [edit for edit in edits if isinstance(edit, InsertStatements)]
        self._active: set[ast.AST] = set()

    def templates(self) -> Iterator[tuple[ast.AST, Template]]:
        """Every template that is written, as often as it is written, with the node it is for."""
        for edit in self._others:
            yield from self._of_edit(edit)
        yield from self._below(self._tree)

    def calls(self) -> Iterator[CallTemplate]:
        """Every call that is written, inner ones included, as often as it is written."""
        for _, template in self.templates():
            yield from _calls(template)

    def dropped(self) -> set[ast.AST]:
        """The nodes of the old tree that do not stand in the new text."""
        dropped = {node for root in self._replaced for node in ast.walk(root)}
        for owner, template in self.templates():
            for part in _sources(template):
                if part.node is owner or part.node not in self._replaced:
                    dropped.discard(part.node)
                    dropped -= self._kept(part.node)
        return dropped

    def is_changed(self, node: ast.AST) -> bool:
        """Whether an edit changes something in ``node``."""
        return node in self._replaced or bool(self._under.get(node))

    def _kept(self, root: ast.AST) -> set[ast.AST]:
        kept: set[ast.AST] = set()
        stack = [root]
        while stack:
            for child in ast.iter_child_nodes(stack.pop()):
                if child not in self._replaced:
                    kept.add(child)
                    stack.append(child)
        return kept

    def _above(self, node: ast.AST) -> Iterator[ast.AST]:
        at = self._parents.get(node)
        while at is not None:
            yield at
            at = self._parents.get(at)

    def _below(self, root: ast.AST) -> Iterator[tuple[ast.AST, Template]]:
        """What the outermost replacements below ``root`` write."""
        below = [node for node in self._under.get(root, ()) if node not in self._active]
        inside = set(below)
        for node in below:
            for above in self._above(node):
                if above is root:
                    yield from self._of_edit(self._replaced[node])
                if above is root or above in inside:
                    break

    def _of_edit(self, edit: Edit) -> Iterator[tuple[ast.AST, Template]]:
        own = edit.node if self._replaced.get(edit.node) is edit else None
        if own is not None:
            self._active.add(own)
        for template in templates(edit):
            yield edit.node, template
            for part in _sources(template):
                again = self._replaced.get(part.node)
                if again is not None and part.node not in self._active:
                    yield from self._of_edit(again)
                else:
                    yield from self._below(part.node)
        if own is not None:
            self._active.discard(own)


def _parts(template: Template) -> Iterator[object]:
    """All pieces of a template, those inside calls, comprehensions and f-strings included."""
    for part in template:
        yield part
        if isinstance(part, FString):
            yield from part.parts
        elif isinstance(part, CallTemplate):
            yield from _parts(part.function)
            for argument in part.arguments:
                yield from _parts(argument.value)
        elif isinstance(part, Comprehension):
            yield from _parts(part.element)
            yield from _parts(part.clause)


def _calls(template: Template) -> Iterator[CallTemplate]:
    return (part for part in _parts(template) if isinstance(part, CallTemplate))


def _sources(template: Template) -> Iterator[Src]:
    return (part for part in _parts(template) if isinstance(part, Src))


def words(template: Template) -> Iterator[str]:
    """The text pieces of a template."""
    return (part for part in _parts(template) if isinstance(part, str))
