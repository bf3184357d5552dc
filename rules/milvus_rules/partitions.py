"""Partitions: objects that become a partition's name, beside the collection's."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable

from migrate_milvus.edits import (
    Block,
    CallTemplate,
    Edit,
    Line,
    ReplaceNode,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from milvus_rules.collections import Writer
from milvus_rules.owners import constructor_owner, owner_name
from milvus_rules.showing import is_shown, note_shown
from milvus_rules.writing import Pair, client_call, is_none, is_pure, is_statement, keyword, known

ARGUMENTS = predicate("partition-arguments-known", "every argument has a meaning for the client")
HANDLER = predicate("partition-handler", "no handler around waits for an existing partition")
LISTED = predicate(
    "partitions-listed", "the list of partitions is only gone through, counted or shown"
)

_ROW_COUNT = '["row_count"]'


class PartitionConstructor(Rule):
    """``Partition(collection, name)`` becomes the partition's name, created if it is missing.

    The ORM creates the partition or opens it, and so does ``if not client.has_partition(...):
    client.create_partition(...)``. The description goes: it was never sent to the server.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV701"
    title = "partitions are named to the client"
    symbols = ("Partition",)
    order = 32

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        expression, collection = arguments.get("name"), arguments.get("collection")
        require(ARGUMENTS, lambda: _named(arguments.get("name")))
        require(
            ARGUMENTS,
            lambda: known(arguments, ("collection", "name", "timeout", "using"), ("description",)),
        )
        if expression is None or collection is None:
            return []
        owner = constructor_owner(site, planning, collection)

        def written(name: Template) -> tuple[Statement, ...]:
            timeout = keyword(arguments, "timeout")
            look = client_call(
                planning, site, "has_partition", (None, owner), (None, name), timeout
            )
            created = Line((_create(planning, site, owner, name),), anchor=site.node)
            return (Block(("if not ", look, ":"), (created,)),)

        return Writer(site, planning, expression).write(written)


def _named(expression: ast.expr | None) -> Answer:
    if expression is not None:
        return PROVED
    return unknown("the partition's name is not an argument of its own", "Write the name.")


def _create(planning: Planning, site: Site, owner: Template, name: Template) -> CallTemplate:
    return client_call(
        planning,
        site,
        "create_partition",
        ("collection_name", owner),
        ("partition_name", name),
        keyword(planning.arguments(site), "timeout"),
    )


class PartitionOfCollection(Rule):
    """Partitions that a collection makes or finds are named, not held.

    ``collection.create_partition(name)`` becomes ``client.create_partition``, and gives the name
    where the object was used. ``collection.partition(name)`` gave an object or None: it becomes
    ``name if client.has_partition(...) else None``, or just the question where only that counts.

    Accepted difference: where the partition exists the ORM raises PartitionAlreadyExistException;
    Milvus accepts the client's request.

    Refused when a handler around ``create_partition`` could wait for that exception, unless the
    partition was just found missing.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV701"
    title = "partitions are named to the client"
    symbols = ("Collection.create_partition", "Collection.partition")
    order = 33

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        expression = arguments.get("partition_name")
        creates = site.symbol == "Collection.create_partition"
        require(ARGUMENTS, lambda: _named(expression))
        dropped = ("description",) if creates else ()
        require(ARGUMENTS, lambda: known(arguments, ("partition_name", "timeout"), dropped))
        if expression is None:
            return []
        owner = planning.name(site)
        if not creates:
            return self.find(site, planning, expression, owner)
        require(HANDLER, lambda: _handler(site, planning, expression))
        if is_statement(planning, site):
            return [ReplaceNode(site.node, (_create(planning, site, owner, (Src(expression),)),))]

        def written(name: Template) -> tuple[Statement, ...]:
            return (Line((_create(planning, site, owner, name),), anchor=site.node),)

        return Writer(site, planning, expression).write(written)

    def find(
        self, site: Site, planning: Planning, expression: ast.expr, owner: Template
    ) -> list[Edit]:
        """The edits for ``collection.partition(name)``."""
        look = client_call(
            planning,
            site,
            "has_partition",
            (None, owner),
            (None, (Src(expression),)),
            keyword(planning.arguments(site), "timeout"),
        )
        parents = planning.flow.source.parents
        parent = parents[site.node]
        if (
            isinstance(parent, ast.Compare)
            and parent.left is site.node
            and is_none(parent.comparators[0])
        ):
            found = isinstance(parent.ops[0], ast.IsNot)
            outer = parents[parent]
            simple = isinstance(outer, ast.stmt | ast.keyword | ast.BoolOp)
            if len(parent.ops) == 1 and (found or simple):
                return [ReplaceNode(parent, (look,) if found else ("not ", look))]
        if isinstance(parent, ast.If | ast.While | ast.Expr) or (
            isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        ):
            return [ReplaceNode(site.node, (look,))]
        require(
            ARGUMENTS,
            PROVED
            if is_pure(expression)
            else unknown(
                "the partition's name would be evaluated twice", "Put the name into a variable."
            ),
        )
        written: Template = (Src(expression), " if ", look, " else None")
        if not isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword):
            written = ("(", *written, ")")
        return [ReplaceNode(site.node, written)]


def _handler(site: Site, planning: Planning, expression: ast.expr) -> Answer:
    if not planning.enclosing_handlers(site.node):
        return PROVED
    key = planning.flow.identity(expression, site.state, site.scope)
    if key is not None and any(_says_missing(fact, site, key) for fact in site.state.facts):
        return PROVED
    return refuted(
        "a handler here sees the exception that the ORM raises for an existing partition; Milvus "
        "accepts the client's request",
        "if client.has_partition(collection_name, partition_name): ...  # what the handler does\n"
        "client.create_partition(collection_name=..., partition_name=...)",
    )


def _says_missing(fact: Hashable, site: Site, key: Hashable) -> bool:
    return isinstance(fact, tuple) and fact == ("unparted", site.objects, key)


class Partitions(Rule):
    """``collection.partitions`` becomes ``client.list_partitions(name)``: names, not objects.

    What was read of each partition is read by its name.

    Accepted difference: where the list is printed or logged it shows the names; a note says so.

    Refused when the list itself is returned or passed on.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV211"
    title = "attributes of a collection become look-ups by name"
    symbols = ("Collection.partitions",)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        shown: list[ast.AST] = []
        require(LISTED, lambda: _listed(site, planning, shown))
        note_shown(planning, site, shown, "the names of the partitions")
        call = client_call(planning, site, "list_partitions", (None, planning.name(site)))
        return [ReplaceNode(site.node, (call,))]


def _listed(site: Site, planning: Planning, shown: list[ast.AST]) -> Answer:
    """Whether every expression that holds the list goes through it, counts, tests or shows it.

    Those that show it are added to ``shown``.
    """
    parents = planning.flow.source.parents
    held = planning.flow.value(site.node)
    for node, values in planning.flow.values.items():
        if not values & held or not isinstance(node, ast.expr):
            continue
        parent = parents.get(node)
        match parent:
            case ast.For(iter=used) | ast.comprehension(iter=used) if used is node:
                continue
            case ast.Call(func=ast.Name(id="len" | "bool")):
                continue
            case ast.Assign(targets=[ast.Name()]):
                continue
            case ast.Subscript(value=used, slice=ast.Constant()) if used is node:
                continue
            case ast.If() | ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                continue
        if is_shown(planning, node):
            shown.append(node)
            continue
        return unknown(
            "what becomes of the list of partitions is not known",
            "client.list_partitions(collection_name)  # names, not objects",
        )
    return PROVED


class PartitionMembers(Rule):
    """What is read of a partition, or done with it, names the collection and the partition.

    ``num_entities`` becomes ``client.get_partition_stats(collection, partition)["row_count"]``;
    ``load``, ``release`` and ``drop`` name the partition; ``flush`` flushes the collection, as the
    ORM did. ``description`` is what the constructor was given: it lived in the object only.

    Refused where the collection's name is not at hand.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite; ``load`` and ``release``
    compared by their requests.
    """

    id = "MLV701"
    title = "partitions are named to the client"
    symbols = (
        "Partition.name",
        "Partition.description",
        "Partition.num_entities",
        "Partition.is_empty",
        "Partition.flush",
        "Partition.drop",
        "Partition.load",
        "Partition.release",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        name = planning.name(site)
        match site.symbol:
            case "Partition.name":
                return [ReplaceNode(site.node, name)]
            case "Partition.description":
                return [ReplaceNode(site.node, self.description(site, planning))]
            case "Partition.num_entities" | "Partition.is_empty":
                return [self.count(site, planning, name)]
        arguments = planning.arguments(site)
        loads = site.symbol == "Partition.load"
        allowed = _LOAD if loads else ("timeout", "_async")
        require(ARGUMENTS, lambda: known(arguments, allowed))
        rest: list[Pair | None] = [
            keyword(arguments, given) for given in dict.fromkeys(arguments.order)
        ]
        target = planning.settings.target_version
        if loads and "replica_number" not in arguments and (2, 4, 5) <= target < (2, 5, 9):
            rest.insert(0, ("replica_number", ("0",)))
        owner: Pair = (None, owner_name(site, planning))
        listed: Pair = (None, ("[", *name, "]"))
        calls: dict[str, tuple[str, tuple[Pair, ...]]] = {
            "Partition.flush": ("flush", (owner,)),
            "Partition.drop": ("drop_partition", (owner, (None, name))),
            "Partition.load": ("load_partitions", (owner, listed)),
            "Partition.release": ("release_partitions", (owner, listed)),
        }
        method, names = calls[site.symbol]
        call = client_call(planning, site, method, *names, *rest)
        return [ReplaceNode(site.node, (call,))]

    def count(self, site: Site, planning: Planning, name: Template) -> Edit:
        """``num_entities`` and ``is_empty``."""
        owner = owner_name(site, planning)
        stats = client_call(planning, site, "get_partition_stats", (None, owner), (None, name))
        if site.symbol == "Partition.num_entities":
            return ReplaceNode(site.node, (stats, _ROW_COUNT))
        parent = planning.flow.source.parents[site.node]
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            return ReplaceNode(parent, (stats, _ROW_COUNT, " != 0"))
        written: Template = (stats, _ROW_COUNT, " == 0")
        if isinstance(parent, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Attribute):
            written = ("(", *written, ")")
        return ReplaceNode(site.node, written)

    def description(self, site: Site, planning: Planning) -> Template:
        """The constant that the partition was made with; the ORM's default is ``""``."""
        found: set[str] = set()
        for item in site.objects:
            made = planning.maker(item)
            given = planning.arguments(made).get("description") if made is not None else None
            if made is None or made.symbol == "Collection.partition" or given is None:
                found.add('""')
            elif isinstance(given, ast.Constant):
                found.add(planning.flow.source.segment(given))
            else:
                found.add("")
        require(
            ARGUMENTS,
            PROVED
            if len(found) == 1 and "" not in found
            else unknown(
                "the description that the partition was made with is not known here",
                planning.recipe(site),
            ),
        )
        return (found.pop(),)


_LOAD = (
    "replica_number",
    "timeout",
    "_async",
    "_refresh",
    "refresh",
    "_resource_groups",
    "resource_groups",
    "load_fields",
    "_load_fields",
    "skip_load_dynamic_field",
    "priority",
)
