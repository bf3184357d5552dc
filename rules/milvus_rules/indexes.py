"""Indexes: ``create_index`` with its parameters, look-ups and removal."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate_milvus.arguments import Arguments, dict_items, dict_keys, literal_dict
from migrate_milvus.edits import (
    Block,
    Edit,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Content, Site, Slot
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Const, Container, Opaque, Shape, Value
from milvus_rules import lookups, versions
from milvus_rules.contents import held_only_by
from milvus_rules.writing import (
    Pair,
    call_of,
    can_be_true,
    client_call,
    in_a_thread,
    is_none,
    is_pure,
    is_statement,
    keyword,
    known,
)

PARAMS = predicate("index-params-known", "the index parameters are a dict, or None")
RESULT = predicate("index-result-unused", "the result of create_index is not used")
NOT_ASYNC = predicate("index-not-async", "_async is not used")
ARGUMENTS = predicate("index-arguments-known", "every argument has a meaning for the client")
NAME = predicate("index-name-known", "the index name is never None")

_KNOWN = ("field_name", "index_params", "timeout", "index_name", "sync", "_async")


def _params_by_hand(planning: Planning, arguments: Arguments) -> str:
    """The lines of a recipe that make the index parameters."""
    given = [
        f"{start}{planning.text(value)}"
        for name, start in (("field_name", "field_name="), ("index_params", "**"))
        if (value := arguments.get(name)) is not None
    ]
    made = "index_params = client.prepare_index_params()"
    return f"{made}\nindex_params.add_index({', '.join(given)})"


@dataclass
class IndexParameters:
    """The ``prepare_index_params`` lines of one ``create_index`` call.

    ``whole``: the parameters are passed as one dict, of unknown keys.
    """

    lines: list[Line]
    variable: str
    removed: list[Edit] = field(default_factory=list)
    whole: bool = False


class CreateIndex(Rule):
    """``collection.create_index(field, params)`` becomes prepared index parameters.

    ``prepare_index_params()``, ``add_index(...)`` with the dict's items as keywords, then
    ``client.create_index``. A dict that is read elsewhere too stays and is unpacked (``**params``);
    one whose keys are not known is passed whole (``params=params``), which sends what the ORM sent.

    Where the index may exist already the call is guarded by ``list_indexes``: the server compares
    raw parameters, and the client's flat form differs from the nested one that the ORM stored.
    Accepted difference: other parameters for an existing index no longer raise there.

    ``Index(collection, field, params)`` is the same, where what is read of the object is known.

    Refused when the parameters may be something else than a dict, the result or ``_async`` is used,
    or an argument is unknown to the client.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2; the comparison of raw parameters read in the
    server's source, and ``params=`` in that of pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV301"
    title = "create_index takes prepared index parameters"
    symbols = ("Collection.create_index", "Index")
    order = 40

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        check(site, planning)
        statement = planning.flow.source.statement(site.node)
        arguments = planning.arguments(site)
        prepared = prepare(site, planning)
        name = planning.name_of(lookups.owner(site, planning))
        created = client_call(
            planning,
            site,
            "create_index",
            ("collection_name", name),
            ("index_params", (prepared.variable,)),
            keyword(arguments, "timeout"),
            keyword(arguments, "sync"),
        )
        lines: list[Statement] = [*prepared.lines, Line((created,), anchor=site.node)]
        field_name = arguments.get("field_name")
        assert field_name is not None
        if may_exist(site, planning):
            look = client_call(
                planning, site, "list_indexes", (None, name), ("field_name", (Src(field_name),))
            )
            # What its parameters do besides giving a dict is done with and without the index.
            before = 0 if is_pure(arguments.get("index_params")) or not prepared.whole else 2
            lines = [*lines[:before], Block(("if not ", look, ":"), tuple(lines[before:]))]
        return [*prepared.removed, ReplaceStatement(statement, tuple(lines))]


def check(site: Site, planning: Planning) -> None:
    """The preconditions of rewriting a ``create_index`` call; raises Refusal."""
    arguments = planning.arguments(site)
    require(
        ARGUMENTS,
        lambda: (
            known(arguments, _KNOWN if site.symbol != "Index" else (*_KNOWN, "collection"))
            if arguments.get("field_name") is not None or arguments.unknown
            else unknown("the field's name is not given", "Pass the name of the indexed field.")
        ),
    )
    asynchronous = arguments.get("_async")
    require(
        NOT_ASYNC,
        lambda: (
            PROVED
            if asynchronous is None or not can_be_true(frozenset(planning.flow.value(asynchronous)))
            else refuted(
                "create_index(_async=True) returns a future, which the client throws away",
                in_a_thread(
                    planning,
                    site,
                    "create_index",
                    {"timeout": "timeout"},
                    _params_by_hand(planning, arguments),
                    ("index_params", ("index_params",)),
                ),
            )
        ),
    )
    require(
        RESULT,
        lambda: (
            PROVED
            if is_statement(planning, site)
            or (
                site.symbol == "Index"
                and lookups.is_known(site, planning)
                and lookups.only_variable(site, planning) is not None
            )
            else refuted(
                "what is read of this Index object is not all known",
                "Keep the index parameters in a variable before this call, and read that, the "
                "field's and the index's name instead.",
            )
            if site.symbol == "Index"
            else refuted(
                "the result of create_index is used; the client returns None",
                "client.create_index raises when it fails; drop the check of the result.",
            )
        ),
    )
    require(PARAMS, lambda: _params_known(site, planning))


def _params_known(site: Site, planning: Planning) -> Answer:
    expression = planning.arguments(site).get("index_params")
    if is_none(expression):
        return PROVED
    values = planning.flow.value(expression)
    if any(_is_no_dict(value) for value in values):
        return unknown(
            "the index parameters may be something else than a dict, which the ORM ignores",
            "Pass a dict: {'index_type': ..., 'metric_type': ..., 'params': {...}}.",
        )
    if dict_keys(planning.flow, expression) is None and not versions.available(
        "add-index-takes-none", _target(planning)
    ):
        return unknown(
            "the index parameters may be None, which add_index(params=None) does not take before "
            "pymilvus 2.6.13",
            "Raise --target-version, or pass {} for None.",
        )
    return PROVED


def _is_no_dict(value: Value) -> bool:
    match value:
        case Const(value=constant):
            return constant is not None
        case Container(kind=kind):
            return kind != "dict"
        case Opaque(shape=shape):
            return shape not in (Shape.ANY, Shape.DICT)
    return True


def _is_passed_whole(site: Site, planning: Planning) -> bool:
    """Whether add_index() takes the dict as ``params=``, where it must not be unpacked."""
    expression = planning.arguments(site).get("index_params")
    keys = dict_keys(planning.flow, expression)
    if keys is None:
        return True
    if not all(name.isidentifier() and name not in ("field_name", "index_name") for name in keys):
        return True
    inline = isinstance(expression, ast.Dict)
    return not inline and not versions.available("add-index-keeps-dict", _target(planning))


def _target(planning: Planning) -> tuple[int, ...]:
    return planning.settings.target_version


def prepare(
    site: Site, planning: Planning, variable: str | None = None, first: bool = True
) -> IndexParameters:
    """The lines that prepare the parameters of one ``create_index`` call.

    With ``first`` False the object exists already and one more index is added to it.
    """
    arguments = planning.arguments(site)
    expression = arguments.get("index_params")
    field_name = arguments.get("field_name")
    assert field_name is not None
    pairs: list[Pair | None] = [("field_name", (Src(field_name),))]
    removed: list[Edit] = []
    freed: Slot | None = None
    anchors: dict[int, ast.AST] = {}
    anchor: ast.AST | None = None
    whole = not is_none(expression) and _is_passed_whole(site, planning)
    content = None if is_none(expression) else literal_dict(planning.flow, expression)
    if whole and expression is not None:
        pairs.append(("params", (Src(expression),)))
    elif content is not None and expression is not None:
        assignment = removable(site, planning, expression, content)
        if isinstance(expression, ast.Dict) or assignment is not None:
            pairs += [(name, (Src(value),)) for name, value in dict_items(content).items()]
            if assignment is not None:
                removed.append(ReplaceStatement(assignment, ()))
                anchor = assignment
                assert isinstance(expression, ast.Name)
                freed = planning.flow.slot_of_name(expression.id, site.scope)
        else:
            pairs.append(("**", (Src(expression),)))
    elif not is_none(expression) and expression is not None:
        pairs.append(("**", (Src(expression),)))
    index_name = keyword(arguments, "index_name")
    pairs.append(index_name)
    if variable is None:
        variable = planning.helper_name("index_params", site.scope, freed)
    assert not anchors
    lines: list[Line] = []
    if first:
        made = client_call(planning, site, "prepare_index_params")
        lines.append(Line((f"{variable} = ", made)))
    lines.append(Line((call_of((f"{variable}.add_index",), *pairs),), anchor=anchor))
    return IndexParameters(lines, variable, removed, whole)


def removable(
    site: Site, planning: Planning, expression: ast.expr, content: Content
) -> ast.stmt | None:
    """The assignment of a dict that only this call reads, when its items can move to the call."""
    flow = planning.flow
    if not isinstance(expression, ast.Name):
        return None
    slot = flow.reads.get(expression)
    statement = flow.source.statement(content.node)
    if slot is None or slot.owner is not site.scope:
        return None
    if not (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and statement.value is content.node
    ):
        return None
    if not held_only_by(flow, content, expression) or lookups.reads_parameters(site, planning):
        return None
    if flow.scope(statement) is not site.scope or not is_pure(statement.value):
        return None
    own = flow.source.statement(site.node)
    if not planning.in_one_cell(own, statement):
        return None
    block, index = planning.block_of(statement)
    after = block[index + 1 :]
    if own not in after:
        return None
    read = {n.id for n in ast.walk(content.node) if isinstance(n, ast.Name)}
    for between in after[: after.index(own)]:
        for node in ast.walk(between):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in read:
                return None
    return statement


def may_exist(site: Site, planning: Planning) -> bool:
    """Whether the index may exist already: not on a collection that was made just before."""
    owners = lookups.owners(site, planning)
    if any(
        isinstance(fact, tuple) and fact[0] == "unindexed" and fact[1] == owners
        for fact in site.state.facts
    ):
        return False
    origins = [item.origin for item in owners]
    new = len(origins) == 1 and ("new", origins[0]) in site.state.facts
    return not new or _indexed_before(site, planning)


def _indexed_before(site: Site, planning: Planning) -> bool:
    """Whether an earlier call may have indexed the same field."""
    mine = planning.arguments(site).get("field_name")
    for other in planning.sites:
        if (
            other.symbol in lookups.MAKERS
            and other is not site
            and lookups.owners(other, planning) & lookups.owners(site, planning)
            and other.node.lineno <= site.node.lineno
        ):
            theirs = planning.arguments(other).get("field_name")
            known_names = isinstance(mine, ast.Constant) and isinstance(theirs, ast.Constant)
            if not known_names or mine.value == theirs.value:  # type: ignore[union-attr]
                return True
    return False


class IndexLookups(Rule):
    """``has_index`` and ``drop_index`` find the index by name, as the ORM did.

    ``has_index()`` becomes ``client.describe_index(name, index_name="") is not None``, which asks
    the same and fails in the same way when several indexes exist. ``drop_index()`` looked up the
    only index and did nothing when there was none; the client needs the name, so that is written
    out. ``len(collection.indexes)`` becomes ``len(client.list_indexes(name))``.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV302"
    title = "indexes are looked up and dropped by name"
    symbols = ("Collection.has_index", "Collection.drop_index", "Collection.alter_index")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        require(
            ARGUMENTS,
            lambda: known(arguments, ("index_name", "timeout", "extra_params")),
        )
        name = planning.name(site)
        timeout = keyword(arguments, "timeout")
        given = arguments.get("index_name")
        require(NAME, lambda: _name_known(planning, given))
        if site.symbol == "Collection.alter_index":
            call = client_call(
                planning,
                site,
                "alter_index_properties",
                ("collection_name", name),
                keyword(arguments, "index_name"),
                keyword(arguments, "extra_params", "properties"),
                timeout,
            )
            return [ReplaceNode(site.node, (call,))]
        if is_none(given) and site.symbol == "Collection.drop_index":
            given = _only_index(site, planning)
        wanted: Template = ('""',) if is_none(given) else (Src(given),)  # type: ignore[arg-type]
        look = client_call(
            planning, site, "describe_index", (None, name), ("index_name", wanted), timeout
        )
        if site.symbol == "Collection.has_index":
            return [_has_index(site, planning, look)]
        if not is_none(given):
            call = client_call(
                planning, site, "drop_index", (None, name), ("index_name", wanted), timeout
            )
            return [ReplaceNode(site.node, (call,))]
        require(
            RESULT,
            lambda: (
                PROVED
                if is_statement(planning, site)
                else refuted("the result of drop_index is used", "drop_index returns None.")
            ),
        )
        variable = planning.helper_name("index", site.scope)
        dropped = client_call(
            planning,
            site,
            "drop_index",
            (None, name),
            ("index_name", (f'{variable}["index_name"]',)),
            timeout,
        )
        statement = planning.flow.source.statement(site.node)
        return [
            ReplaceStatement(
                statement,
                (
                    Line((f"{variable} = ", look)),
                    Block((f"if {variable} is not None:",), (Line((dropped,)),)),
                ),
            )
        ]


def _only_index(site: Site, planning: Planning) -> ast.expr | None:
    """The name of the only index of a collection that was made in this function.

    An index without a name of its own is called like its field (Milvus 2.3 and later).
    """
    created = [
        other
        for other in planning.sites
        if other.symbol == "Collection.create_index" and other.objects & site.objects
    ]
    if len(created) != 1 or len(site.objects) != 1:
        return None
    (only,) = created
    (item,) = site.objects
    if only.scope is not site.scope or ("new", item.origin) not in only.state.facts:
        return None
    block, index = planning.block_of(planning.flow.source.statement(only.node))
    if not any(site.node in ast.walk(statement) for statement in block[index + 1 :]):
        return None
    arguments = planning.arguments(only)
    name = arguments.get("index_name") or arguments.get("field_name")
    return name if isinstance(name, ast.Constant) else None


def _has_index(site: Site, planning: Planning, look: object) -> Edit:
    parents = planning.flow.source.parents
    parent = parents[site.node]
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        written: Template = (look, " is None")  # type: ignore[assignment]
        node: ast.expr = parent
    else:
        written = (look, " is not None")  # type: ignore[assignment]
        node = site.node
    outer = parents[node]
    if isinstance(outer, ast.Compare | ast.UnaryOp | ast.BinOp | ast.Attribute):
        written = ("(", *written, ")")
    return ReplaceNode(node, written)


def _name_known(planning: Planning, given: ast.expr | None) -> Answer:
    if is_none(given):
        return PROVED
    for value in planning.flow.value(given):
        if isinstance(value, Const) and value.value is None:
            return unknown(
                "index_name may be None, which the ORM and the client treat differently",
                'Pass a name, or "" for the only index.',
            )
    return PROVED
