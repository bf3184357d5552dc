"""Pieces that several rules write: client calls, pure expressions, argument checks."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping

from migrate_milvus.arguments import Arguments
from migrate_milvus.edits import (
    Argument,
    CallTemplate,
    Edit,
    InsertStatements,
    Line,
    ReplaceStatement,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, predicate, refuted, require, unknown
from milvus_rules import versions
from milvus_rules.handlers import note_handlers

TARGET = predicate("target-version", "the oldest pymilvus to support has what is written")

Pair = tuple[str | None, Template]


def client_call(
    planning: Planning, site: Site, method: str, *arguments: Pair | None
) -> CallTemplate:
    """``client.method(...)`` for the client at ``site``; None arguments are left out.

    Raises Refusal when the target version lacks the method or the client is out of reach.
    """
    require_version(planning, method)
    receiver = planning.client(site)
    note_handlers(planning, site)
    return call_of((f"{receiver}.{method}",), *arguments)


def call_of(function: Template, *arguments: Pair | None) -> CallTemplate:
    """A call of ``function``."""
    given = [pair for pair in arguments if pair is not None]
    return CallTemplate(function, tuple(Argument(value, keyword) for keyword, value in given))


def before_call(planning: Planning, site: Site, lines: tuple[Statement, ...]) -> list[Edit] | None:
    """The edits that write ``lines`` before the statement of a call.

    None when something else of that statement is evaluated before the call.
    """
    statement = planning.flow.source.statement(site.node)
    if not planning.evaluated_first(statement, site.node):
        return None
    if isinstance(statement, ast.Expr | ast.Assign):
        # Below the comment that heads the statement.
        return [ReplaceStatement(statement, (*lines, Line((Src(statement),))))]
    return [InsertStatements(statement, lines)]


def by_hand(planning: Planning, site: Site, method: str, *arguments: Pair | None) -> str:
    """The text of a client call for a recipe, with the user's own expressions."""
    pairs: list[Pair] = [("collection_name", (named(planning, site),))]
    pairs += [pair for pair in arguments if pair is not None]
    given = [
        (f"{keyword}=" if keyword and "*" not in keyword else keyword or "")
        + "".join(_text(planning, part) for part in value)
        for keyword, value in pairs
    ]
    line = f"client.{method}({', '.join(given)})"
    if len(line) <= 90 and "\n" not in line:
        return line
    return "\n".join([f"client.{method}(", *(f"    {one}," for one in given), ")"])


def in_a_thread(
    planning: Planning,
    site: Site,
    method: str,
    names: Mapping[str, str],
    before: str = "",
    *further: Pair,
) -> str:
    """The recipe for a call with ``_async``: what a future of the client's call takes.

    ``names`` are the client's keywords for the ORM's parameters; ``before`` are lines that stand
    before, ``further`` are arguments that the ORM's call does not have.
    """
    arguments = planning.arguments(site)
    pairs: list[Pair] = [
        (names[name], (Src(value),))
        for name in dict.fromkeys(arguments.order)
        if name in names and (value := arguments.get(name)) is not None
    ]
    call = by_hand(planning, site, method, *further, *pairs)
    given = call.removeprefix(f"client.{method}(")
    head = f"\n    client.{method}," if given.startswith("\n") else f"client.{method}, "
    lines = [
        "from concurrent.futures import ThreadPoolExecutor",
        "executor = ThreadPoolExecutor()",
        f"future = executor.submit({head}{given}",
        "result = future.result()  # raises what the call raised",
        f"# in async code: await AsyncMilvusClient(uri=...).{method}(...), with the same keywords",
    ]
    return "\n".join([*([before] if before else []), *lines])


def named(planning: Planning, site: Site) -> str:
    """The expression that names the collection of ``site``, as far as that is seen."""
    for item in site.objects:
        expression = planning.name_expression(item) if item.kind == "Collection" else None
        if expression is not None and len(site.objects) == 1:
            return planning.flow.source.segment(expression)
    return "collection_name"


def _text(planning: Planning, part: object) -> str:
    if isinstance(part, Src):
        return planning.flow.source.segment(part.node)
    assert isinstance(part, str)
    return part


def require_version(planning: Planning, method: str, what: str = "") -> None:
    """Refuse when the target version has no such client method or behaviour (version gates)."""
    target = planning.settings.target_version
    if versions.available(method, target):
        return
    require(
        TARGET,
        unknown(
            f"{what or 'MilvusClient.' + method} needs pymilvus {versions.gate(method)}, "
            f"and --target-version is {'.'.join(map(str, target))}",
            f"Raise the requirement to pymilvus>={versions.next_with(method, target)} and pass "
            "--target-version.",
        ),
    )


def has_other_clients(site: Site, planning: Planning) -> bool:
    """Whether clients of other connections may share what pymilvus 2.5.12 to 2.6.9 share."""
    key = planning.keys[id(site)]
    own = any(
        dotted.endswith(f".{planning.rule_set.client_class}")
        for dotted in planning.flow.imports.values()
    )
    return own or planning.is_pooled(site) or any(other != key for other in planning.places)


def keyword(arguments: Arguments, name: str, written: str | None = None) -> Pair | None:
    """The argument ``name`` passed on as the keyword ``written``; None when it was not given."""
    value = arguments.get(name)
    return None if value is None else (written or name, (Src(value),))


def is_none(node: ast.expr | None) -> bool:
    """Whether the expression is absent or the literal None."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def is_true(node: ast.expr | None) -> bool:
    """Whether the expression is the literal True."""
    return isinstance(node, ast.Constant) and node.value is True


def is_pure(node: ast.expr | None) -> bool:
    """Whether evaluating the expression twice, later, or not at all makes no difference."""
    match node:
        case None | ast.Constant() | ast.Name():
            return True
        case ast.Attribute(value=value):
            return is_pure(value)
        case ast.UnaryOp(operand=operand):
            return is_pure(operand)
        case ast.BinOp(left=left, right=right):
            return is_pure(left) and is_pure(right)
        case ast.Dict(keys=keys, values=values):
            return all(is_pure(part) for part in (*keys, *values))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return all(is_pure(item) for item in items)
        case ast.Subscript(value=value, slice=index):
            return is_pure(value) and is_pure(index)
    return False


def known(
    arguments: Arguments,
    allowed: Iterable[str],
    dropped: Iterable[str] = (),
    swallowed: Iterable[str] = (),
) -> Answer:
    """Proved when every argument is one of ``allowed``, or a pure one of ``dropped``.

    ``swallowed`` are the names that the ORM takes without reading them and the client reads.
    """
    allowed = tuple(allowed)
    if arguments.unknown:
        return unknown(
            "arguments are unpacked from something whose content is not known",
            "Write the arguments out.",
        )
    for name, value in {**arguments.given, **arguments.extra}.items():
        if name in allowed:
            continue
        if name in dropped and is_pure(value):
            continue
        if name in swallowed:
            return refuted(
                f"the ORM takes '{name}' without reading it, and the client would apply it",
                f"Drop {name}= to keep what the program does, or keep it, if it was meant so.",
            )
        close = difflib.get_close_matches(name, allowed, 1, 0.8)
        if close:
            return unknown(
                f"argument '{name}' has no meaning; was '{close[0]}' meant?",
                f"Drop {name}= to keep what the program does, or write {close[0]}=.",
            )
        return unknown(
            f"argument '{name}' has no known meaning for the client",
            f"Find out whether '{name}' does anything; drop it, or pass what it stands for.",
        )
    return PROVED


def is_statement(planning: Planning, site: Site) -> bool:
    """Whether the site is a statement of its own, its result unused."""
    parent = planning.flow.source.parents[site.node]
    if isinstance(parent, ast.Await):
        parent = planning.flow.source.parents[parent]
    return isinstance(parent, ast.Expr)


def can_be_true(values: frozenset[object]) -> bool:
    """Whether a flag may be switched on."""
    from migrate_milvus.values import Const

    return not all(isinstance(v, Const) and not v.value for v in values)
