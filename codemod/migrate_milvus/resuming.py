"""Clients that an earlier run left beside a connection: they are used, and not made again.

A run that leaves some uses on the ORM writes the client below the ``connect`` that stays. When the
rest is migrated, that client serves it as well, if it is the one that would be written now, and
nothing else ever stands in its variable.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate_milvus.edits import CallTemplate, FString, Src, Template
from migrate_milvus.flow import Site

if TYPE_CHECKING:
    from migrate_milvus.planning import Planning


@dataclass(frozen=True)
class LeftClient:
    """A client that stands below each ``connect`` of a connection.

    ``name`` is that of its variable or attribute, ``mode`` where it lives (see ``placement``);
    ``values`` are the expressions that make it, ``closed`` the statements that a call to close it
    follows.
    """

    name: str
    mode: str
    values: dict[int, ast.expr] = field(hash=False)
    closed: frozenset[int] = frozenset()

    def is_made(self, planning: Planning, site: Site, value: Template) -> bool:
        """Whether what stands below the ``connect`` at ``site`` is what ``value`` writes."""
        try:
            wanted = ast.parse(_text(planning, value), mode="eval").body
        except (SyntaxError, ValueError):
            return False
        return ast.dump(wanted) == ast.dump(self.values[id(site)])


def left_client(
    planning: Planning, connects: Sequence[Site], closes: Sequence[Site]
) -> LeftClient | None:
    """The client that an earlier run left below every one of ``connects``, if there is one."""
    targets: list[ast.Name | ast.Attribute] = []
    values: dict[int, ast.expr] = {}
    for site in connects:
        made = _next(planning, planning.flow.source.statement(site.node))
        if not (
            isinstance(made, ast.Assign)
            and len(made.targets) == 1
            and isinstance(made.targets[0], ast.Name | ast.Attribute)
            and isinstance(made.value, ast.Call)
            and ast.unparse(made.value.func).rpartition(".")[2] == planning.rule_set.client_class
        ):
            return None
        targets.append(made.targets[0])
        values[id(site)] = made.value
    if len({ast.unparse(target) for target in targets}) != 1:
        return None
    mode = _mode(connects[0], targets[0])
    if mode is None:
        return None
    closed = frozenset(
        id(statement)
        for statement in (planning.flow.source.statement(site.node) for site in closes)
        if _is_close(_next(planning, statement), targets[0])
    )
    trees: list[ast.AST] = [connects[0].module.tree]
    if mode == "local":
        trees = list(
            {site.function: site.function.node for site in connects if site.function}.values()
        )
    if not _is_only_that(trees, targets, len(closed)) or _is_set_elsewhere(planning, targets[0]):
        return None
    return LeftClient(_name(targets[0]), mode, values, closed)


def _next(planning: Planning, statement: ast.stmt) -> ast.stmt | None:
    block, index = planning.block_of(statement)
    return block[index + 1] if index + 1 < len(block) else None


def _mode(site: Site, target: ast.Name | ast.Attribute) -> str | None:
    """Where a client lives that the statement below ``site`` assigns to ``target``."""
    if isinstance(target, ast.Attribute):
        return "attribute" if isinstance(target.value, ast.Name) and site.function else None
    if site.function is None:
        return "module" if site.owner is None else None
    is_global = any(
        isinstance(node, ast.Global) and target.id in node.names
        for node in ast.walk(site.function.node)
    )
    return "global" if is_global else "local"


def _name(target: ast.Name | ast.Attribute) -> str:
    return target.id if isinstance(target, ast.Name) else target.attr


def _is_close(statement: ast.stmt | None, target: ast.expr) -> bool:
    """Whether a statement closes the client in ``target``, and does nothing else."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(client, "close"), [], [])):
            return ast.unparse(client) == ast.unparse(target)
    return False


def _is_only_that(
    trees: Sequence[ast.AST], targets: Sequence[ast.Name | ast.Attribute], closed: int
) -> bool:
    """Whether the name is bound by ``targets`` alone in ``trees``, and closed nowhere else."""
    name, closing = _name(targets[0]), 0
    declared = {
        statement.target
        for tree in trees
        if isinstance(tree, ast.Module)
        for statement in tree.body
        if isinstance(statement, ast.AnnAssign) and statement.value is None
    }
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Name(id=bound, ctx=ast.Store() | ast.Del()) if bound == name:
                if node not in targets and node not in declared:
                    return False
            case ast.Attribute(attr=bound, ctx=ast.Store() | ast.Del()) if bound == name:
                if node not in targets:
                    return False
            case ast.arg(arg=bound) | ast.FunctionDef(name=bound) | ast.ClassDef(name=bound):
                if bound == name:
                    return False
            case ast.alias():
                if (node.asname or node.name).partition(".")[0] == name:
                    return False
            case ast.Attribute(attr="close"):
                closing += ast.unparse(node.value) == ast.unparse(targets[0])
    return closing == closed


def _is_set_elsewhere(planning: Planning, target: ast.Name | ast.Attribute) -> bool:
    """Whether some module assigns to the name through another object, as in ``db.client = x``."""
    name = _name(target)
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == name
        and isinstance(node.ctx, ast.Store | ast.Del)
        and ast.unparse(node.value) != "self"
        for module in planning.flow.program.modules
        if name in module.attributes
        for node in ast.walk(module.tree)
    )


def _text(planning: Planning, template: Template) -> str:
    """A template as Python text, its layout aside."""
    text = ""
    for part in template:
        match part:
            case str():
                text += part
            case Src(node):
                text += planning.flow.source.segment(node)
            case FString(parts):
                if all(isinstance(inner, str) for inner in parts):
                    text += repr("".join(map(str, parts)))
                else:
                    text += f"f'''{''.join(_in_fstring(planning, inner) for inner in parts)}'''"
            case CallTemplate(function, arguments):
                written = (
                    f"{argument.keyword}={_text(planning, argument.value)}"
                    if argument.keyword
                    else _text(planning, argument.value)
                    for argument in arguments
                )
                text += f"{_text(planning, function)}({', '.join(written)})"
            case _:
                raise ValueError(part)
    return text


def _in_fstring(planning: Planning, part: str | Src) -> str:
    if isinstance(part, Src):
        return f"{{{_text(planning, (part,))}}}"
    return part.replace("{", "{{").replace("}", "}}")
