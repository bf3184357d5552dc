"""ORM calls that become one client call with the same arguments under other names.

One table row per symbol: the client's method, which arguments are positional, which are keywords.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate_milvus.edits import Edit, ReplaceNode, Src, Template
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import Rule, predicate, require
from milvus_rules.writing import Pair, client_call, keyword, known

UTILITY = predicate("utility-arguments-known", "every argument has a meaning for the client")
LOAD = predicate("load-arguments-known", "every argument has a meaning for the client")


@dataclass(frozen=True)
class Row:
    """How one symbol is written.

    ``positional``: ORM parameters passed by position after the collection's name; ``keywords``:
    ORM parameter to client keyword; ``suffix``: what is done with the result; ``named``: whether
    the call names the collection of the receiver first.
    """

    method: str
    positional: tuple[str, ...] = ()
    keywords: dict[str, str] = field(default_factory=dict)
    suffix: str = ""
    named: bool = False


_TIMEOUT = {"timeout": "timeout"}


def _named(method: str, suffix: str = "", **keywords: str) -> Row:
    return Row(method, (), {**keywords, **_TIMEOUT}, suffix, named=True)


def _utility(method: str, *positional: str, **keywords: str) -> Row:
    return Row(method, positional, {**keywords, **_TIMEOUT})


UTILITY_ROWS: dict[str, Row] = {
    "utility.has_collection": _utility("has_collection", "collection_name"),
    "utility.drop_collection": _utility("drop_collection", "collection_name"),
    "utility.truncate_collection": _utility("truncate_collection", "collection_name"),
    "utility.list_collections": _utility("list_collections"),
    "utility.rename_collection": _utility(
        "rename_collection",
        old_collection_name="old_name",
        new_collection_name="new_name",
        new_db_name="target_db",
    ),
    "utility.list_indexes": _utility("list_indexes", "collection_name", field_name="field_name"),
}

LIFE_ROWS: dict[str, Row] = {
    "Collection.release": _named("release_collection"),
    "Collection.flush": _named("flush", _async="_async"),
    "Collection.drop": _named("drop_collection"),
    "Collection.truncate": _named("truncate_collection"),
    "Collection.set_properties": _named("alter_collection_properties", properties="properties"),
}

ATTRIBUTE_ROWS: dict[str, Row] = {
    "Collection.num_entities": _named("get_collection_stats", '["row_count"]'),
    "Collection.is_empty": _named("get_collection_stats", '["row_count"] == 0'),
    "Collection.description": _named("describe_collection", '["description"]'),
    "Collection.aliases": _named("describe_collection", '["aliases"]'),
    "Collection.num_shards": _named("describe_collection", '["num_shards"]'),
    "Collection.describe": _named("describe_collection"),
}


def write(site: Site, planning: Planning, row: Row, reason: str) -> list[Edit]:
    """The edit for one site by its row."""
    pairs: list[Pair | None] = []
    if row.named:
        pairs.append((None, planning.name(site)))
    if site.form == "call":
        arguments = planning.arguments(site)
        require(reason, lambda: known(arguments, (*row.positional, *row.keywords, "using")))
        for name in row.positional:
            value = arguments.get(name)
            if value is not None:
                pairs.append((None, (Src(value),)))
        for name in dict.fromkeys(arguments.order):
            if name in row.keywords:
                pairs.append(keyword(arguments, name, row.keywords[name]))
    written: Template = (client_call(planning, site, row.method, *pairs),)
    parent = planning.flow.source.parents[site.node]
    if row.suffix.endswith("== 0") and isinstance(parent, ast.UnaryOp):
        if isinstance(parent.op, ast.Not):
            return [ReplaceNode(parent, (*written, row.suffix.replace("==", "!=")))]
    if row.suffix:
        written = (*written, row.suffix)
        if " " in row.suffix and _binds_tighter(site, planning):
            written = ("(", *written, ")")
    return [ReplaceNode(site.node, written)]


def _binds_tighter(site: Site, planning: Planning) -> bool:
    """Whether a comparison written here needs parentheses."""
    parent = planning.flow.source.parents[site.node]
    return isinstance(
        parent, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Call | ast.Await
    ) and not (isinstance(parent, ast.Call) and site.node in parent.args) and not (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    )


class UtilityCollections(Rule):
    """``utility.has_collection(name)`` and its like become the client's method of the same kind.

    ``using=`` chooses the client. ``rename_collection`` takes the names by position and
    ``new_db_name`` as ``target_db``. The functions that pymilvus also offers at its top level
    (``from pymilvus import has_collection``) are the same.

    Refused when arguments are unpacked from an unknown sequence or dict.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV601"
    title = "utility functions about collections become client methods"
    symbols = tuple(UTILITY_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, UTILITY_ROWS[site.symbol], UTILITY)


class CollectionLife(Rule):
    """``release``, ``flush``, ``drop``, ``truncate`` and ``set_properties`` take the name.

    ``collection.flush()`` becomes ``client.flush(name)``; a timeout is kept.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV212"
    title = "methods about the collection's life take its name"
    symbols = tuple(LIFE_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, LIFE_ROWS[site.symbol], LOAD)


class CollectionAttributes(Rule):
    """Attributes of a collection become look-ups by its name.

    ``num_entities`` becomes ``client.get_collection_stats(name)["row_count"]``, which sends the
    same request (``count(*)`` would not). ``name`` becomes the name itself; ``schema`` the
    variable that the collection was made with, or what ``describe_collection`` returns.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV211"
    title = "attributes of a collection become look-ups by name"
    symbols = tuple(ATTRIBUTE_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, ATTRIBUTE_ROWS[site.symbol], LOAD)
