"""Edits that write another module's expressions: constants are written out, the rest is refused."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrate_milvus.edits import (
    Argument,
    Block,
    CallTemplate,
    ChangeImport,
    Comprehension,
    Edit,
    FString,
    Line,
    Part,
    ReplaceNode,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Flow
from migrate_milvus.program import Module


def foreign(flow: Flow, edits: Iterable[Edit]) -> Iterator[ast.AST]:
    """The expressions of other modules that edits write and that mean nothing in their own."""
    for edit in edits:
        home = flow.module_of(edit.node)
        for part in _sources(edit):
            if flow.module_of(part.node) is not home and not _is_plain(part.node):
                yield part.node


def localised(flow: Flow, edit: Edit) -> Edit:
    """``edit``, with the expressions of other modules written out as text."""
    home = flow.module_of(edit.node)
    if all(flow.module_of(part.node) is home for part in _sources(edit)):
        return edit
    return _Localiser(flow, home).edit(edit)


def _is_plain(node: ast.AST) -> bool:
    """A constant; or an attribute of ``self``, which is written only where it means the same."""
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )


def _sources(edit: Edit) -> Iterator[Src]:
    if isinstance(edit, ChangeImport):
        return
    if isinstance(edit, ReplaceNode):
        yield from _of_template(edit.template)
    else:
        for statement in edit.statements:
            yield from _of_statement(statement)


def _of_statement(statement: Statement) -> Iterator[Src]:
    if isinstance(statement, Block):
        yield from _of_template(statement.header)
        for inner in statement.body:
            yield from _of_statement(inner)
    else:
        yield from _of_template(statement.template)


def _of_template(template: Template) -> Iterator[Src]:
    for part in template:
        match part:
            case Src():
                yield part
            case FString(parts=parts):
                yield from (item for item in parts if isinstance(item, Src))
            case Comprehension(element=element, clause=clause):
                yield from _of_template(element)
                yield from _of_template(clause)
            case CallTemplate(function=function, arguments=arguments):
                yield from _of_template(function)
                for argument in arguments:
                    yield from _of_template(argument.value)


class _Localiser:
    def __init__(self, flow: Flow, home: Module) -> None:
        self.flow = flow
        self.home = home

    def edit(self, edit: Edit) -> Edit:
        if isinstance(edit, ChangeImport):
            return edit
        if isinstance(edit, ReplaceNode):
            return ReplaceNode(edit.node, self.template(edit.template))
        return replace(edit, statements=tuple(self.statement(s) for s in edit.statements))

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Block):
            body = tuple(self.statement(inner) for inner in statement.body)
            return Block(self.template(statement.header), body)
        return Line(self.template(statement.template), statement.anchor)

    def template(self, template: Template) -> Template:
        return tuple(self.part(part) for part in template)

    def part(self, part: Part) -> Part:
        match part:
            case Src(node=node) if self.flow.module_of(node) is not self.home:
                return self.flow.source.segment(node)
            case FString(parts=parts):
                return FString(tuple(self.piece(item) for item in parts))
            case Comprehension(element=element, clause=clause):
                return replace(part, element=self.template(element), clause=self.template(clause))
            case CallTemplate(function=function, arguments=arguments):
                given = tuple(Argument(self.template(a.value), a.keyword) for a in arguments)
                return CallTemplate(self.template(function), given)
        return part

    def piece(self, item: str | Src) -> str | Src:
        if isinstance(item, Src) and self.flow.module_of(item.node) is not self.home:
            node = item.node
            # A constant inside an f-string is plain text of it.
            return str(node.value) if isinstance(node, ast.Constant) else item
        return item
