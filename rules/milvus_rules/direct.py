"""ORM calls that become one client call with the same arguments under other names.

One table row per symbol: the client's method, which arguments are positional, which are keywords.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from migrate_milvus.edits import Edit, InsertStatements, Line, ReplaceNode, Src, Template
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, require, unknown
from milvus_rules.library import TIMESTAMPS
from milvus_rules.roles import uses_default_database
from milvus_rules.writing import (
    Pair,
    client_call,
    has_other_clients,
    is_pure,
    is_statement,
    keyword,
    known,
    require_version,
)

UTILITY = predicate("utility-arguments-known", "every argument has a meaning for the client")
SWITCH = predicate(
    "database-switch-repeatable", "the call that switches the database can be written twice"
)
PASSWORD = predicate(
    "password-changed-for-all", "nothing on the alias stays on the ORM when the password changes"
)
ALIASES = predicate("aliases-database-known", "the connection uses the default database")
LOAD = predicate("load-arguments-known", "every argument has a meaning for the client")


@dataclass(frozen=True)
class Row:
    """How one symbol is written.

    ``positional``: ORM parameters passed by position after the collection's name; ``keywords``:
    ORM parameter to client keyword; ``suffix``: what is done with the result; ``named``: whether
    the call names the collection of the receiver first; ``fixed``: what is written besides.
    """

    method: str
    positional: tuple[str, ...] = ()
    keywords: dict[str, str] = field(default_factory=dict)
    suffix: str = ""
    named: bool = False
    fixed: tuple[Pair, ...] = ()


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


ALIAS_ROWS: dict[str, Row] = {
    "utility.create_alias": _utility(
        "create_alias", collection_name="collection_name", alias="alias"
    ),
    "utility.alter_alias": _utility(
        "alter_alias", collection_name="collection_name", alias="alias"
    ),
    "utility.drop_alias": _utility("drop_alias", alias="alias"),
    "utility.list_aliases": replace(
        _utility("list_aliases", collection_name="collection_name"), suffix='["aliases"]'
    ),
}

USER_ROWS: dict[str, Row] = {
    "utility.create_user": _utility("create_user", user="user_name", password="password"),
    "utility.delete_user": _utility("drop_user", user="user_name"),
    "utility.list_usernames": _utility("list_users"),
    "utility.reset_password": _utility(
        "update_password",
        user="user_name",
        old_password="old_password",
        new_password="new_password",
    ),
    "utility.update_password": _utility(
        "update_password",
        user="user_name",
        old_password="old_password",
        new_password="new_password",
    ),
}

RESOURCE_ROWS: dict[str, Row] = {
    "utility.create_resource_group": _utility(
        "create_resource_group", name="name", config="config"
    ),
    "utility.update_resource_groups": _utility("update_resource_groups", configs="configs"),
    "utility.drop_resource_group": _utility("drop_resource_group", name="name"),
    "utility.describe_resource_group": _utility("describe_resource_group", name="name"),
    "utility.list_resource_groups": _utility("list_resource_groups"),
    "utility.transfer_replica": _utility(
        "transfer_replica",
        source_group="source_group",
        target_group="target_group",
        collection_name="collection_name",
        num_replicas="num_replicas",
    ),
}

SERVER_ROWS: dict[str, Row] = {
    "utility.get_server_version": _utility("get_server_version"),
    "utility.get_server_type": Row("get_server_type"),
    "utility.flush_all": _utility("flush_all"),
}

PARTITION_ROWS: dict[str, Row] = {
    "utility.has_partition": _utility("has_partition", "collection_name", "partition_name"),
    "Collection.has_partition": Row(
        "has_partition", ("partition_name",), {"timeout": "timeout"}, named=True
    ),
    "Collection.drop_partition": Row(
        "drop_partition", ("partition_name",), {"timeout": "timeout"}, named=True
    ),
}

DATABASE_ROWS: dict[str, Row] = {
    "db.create_database": _utility("create_database", db_name="db_name", properties="properties"),
    "db.drop_database": _utility("drop_database", db_name="db_name"),
    "db.list_database": _utility("list_databases"),
    "db.describe_database": _utility("describe_database", db_name="db_name"),
    "db.set_properties": _utility(
        "alter_database_properties", db_name="db_name", properties="properties"
    ),
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
    written: Template = (client_call(planning, site, row.method, *pairs, *row.fixed),)
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
    return (
        isinstance(
            parent, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Call | ast.Await
        )
        and not (isinstance(parent, ast.Call) and site.node in parent.args)
        and not (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))
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


class Aliases(Rule):
    """``utility.create_alias`` and its like take the client, all arguments by keyword.

    ``list_aliases`` gives a dict whose ``"aliases"`` are the list.

    Refused for ``list_aliases`` on a connection that may use another database than the default:
    from pymilvus 2.6.7 on the ORM asks in the default database, the client in its own.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV603"
    title = "collection aliases are managed by the client"
    symbols = tuple(ALIAS_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol == "utility.list_aliases":
            require(
                ALIASES,
                lambda: (
                    PROVED
                    if uses_default_database(site, planning)
                    else unknown(
                        "the connection may use another database than the default: the ORM asks "
                        "for the aliases of the default database, the client in its own",
                        planning.recipe(site),
                    )
                ),
            )
        return write(site, planning, ALIAS_ROWS[site.symbol], UTILITY)


class Users(Rule):
    """Users are managed by the client: ``user`` becomes ``user_name``.

    ``reset_password`` becomes ``update_password(..., reset_connection=True)`` where nothing on the
    alias stays on the ORM: a password can be changed once, and what is sent from then on changes.
    ``list_users`` asks for all users at once, which the client does not, and is reported.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV604"
    title = "users are managed by the client"
    symbols = tuple(USER_ROWS)
    order = 80

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        row = USER_ROWS[site.symbol]
        if site.symbol == "utility.reset_password":
            require(
                PASSWORD,
                lambda: (
                    PROVED
                    if not planning.stays(site)
                    else unknown(
                        "reset_password changes what everything on the alias sends, and "
                        f"{_what_stays(site, planning)} stays on the ORM",
                        planning.recipe(site),
                    )
                ),
            )
            row = replace(row, fixed=(("reset_connection", ("True",)),))
        return write(site, planning, row, UTILITY)


def _what_stays(site: Site, planning: Planning) -> str:
    """The first line that stays on the connection of ``site``."""
    for other in planning.sites:
        if (
            planning.is_orm(other)
            and not planning.is_active(other)
            and other is not site
            and other.form == "call"
            and (planning.may_share(site, other) or planning.keys[id(other)] is None)
        ):
            return planning.line_of(other.node)
    return "some of it"


class ResourceGroups(Rule):
    """Resource groups are managed by the client; all arguments become keywords.

    ``transfer_node`` has no equivalent and is reported: ``update_resource_groups`` says how many
    nodes a group shall have.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2, requests compared.
    """

    id = "MLV605"
    title = "resource groups are managed by the client"
    symbols = tuple(RESOURCE_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, RESOURCE_ROWS[site.symbol], UTILITY)


class Server(Rule):
    """Server version, server type and ``flush_all`` are asked of the client.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2; ``get_server_type`` and ``flush_all`` need
    pymilvus 2.6.4.
    """

    id = "MLV607"
    title = "the server is asked through the client"
    symbols = tuple(SERVER_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, SERVER_ROWS[site.symbol], UTILITY)


class Timestamps(Rule):
    """The time stamp helpers of ``utility`` are imported from pymilvus itself.

    They only calculate, do not warn, and stay; ``utility``, through which they were reached, goes.

    Source: the same objects in pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV608"
    title = "time stamp helpers are imported from pymilvus itself"
    symbols = tuple(sorted(TIMESTAMPS))
    references = True

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        node = site.call.func if site.form == "call" else site.node
        name = planning.reference(site.symbol.partition(".")[2], site)
        return [] if isinstance(node, ast.Name) else [ReplaceNode(node, (name,))]


class PartitionNames(Rule):
    """``has_partition`` and ``drop_partition`` take the names of collection and partition.

    ``Partition(collection, name)`` becomes the partition's name, created if it is missing, and its
    methods name the collection and the partition: ``partition.insert(data)`` is ``client.insert``
    with ``partition_name=``, ``partition.search(...)`` is ``client.search`` with
    ``partition_names=[...]``. ``collection.create_partition`` gives the name,
    ``collection.partition(name)`` the name or None.

    Accepted difference: for an existing partition the ORM's ``create_partition`` raises
    PartitionAlreadyExistException; Milvus accepts the client's request.

    Refused where the name of the partition's collection is not at hand, and where a handler around
    ``create_partition`` could wait for that exception.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV701"
    title = "partitions are named to the client"
    symbols = tuple(PARTITION_ROWS)

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return write(site, planning, PARTITION_ROWS[site.symbol], UTILITY)


class Databases(Rule):
    """``db.create_database`` and its like become client methods; ``list_database`` gains an s.

    ``using_database`` becomes ``client.use_database``; where something on the alias stays on the
    ORM, both are switched. It changes what every user of the alias sees, so there is one client
    for all of them. Accepted difference: from pymilvus 2.6.7 on the client looks the database up
    first, and raises when it is missing.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2.
    """

    id = "MLV901"
    title = "databases are managed by the client"
    symbols = (*DATABASE_ROWS, "db.using_database")
    order = 80

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol == "db.using_database":
            return _switch(site, planning)
        return write(site, planning, DATABASE_ROWS[site.symbol], UTILITY)


def _switch(site: Site, planning: Planning) -> list[Edit]:
    """Switch the client, and the ORM beside it for what stays there."""
    stays = planning.stays(site)
    if has_other_clients(site, planning):
        require_version(planning, "database-per-client", "switching one of several clients")
    if stays and not planning.uses_of(site):
        return []
    row = _utility("use_database", db_name="db_name")
    if not stays:
        return write(site, planning, row, UTILITY)
    require(SWITCH, lambda: _said_twice(site, planning))
    (edit,) = write(site, planning, row, UTILITY)
    assert isinstance(edit, ReplaceNode)
    planning.note(
        site,
        "kept-for-the-rest",
        "using_database stays beside the client's: it can go once nothing on the alias is left on "
        "the ORM",
    )
    statement = planning.flow.source.statement(site.node)
    return [InsertStatements(statement, (Line(edit.template),), after=True)]


def _said_twice(site: Site, planning: Planning) -> Answer:
    """Whether the call can be repeated for the client: a statement with a plain argument."""
    arguments = planning.arguments(site)
    value = arguments.get("db_name")
    if is_statement(planning, site) and is_pure(value):
        return PROVED
    return unknown(
        "something on the alias stays on the ORM, and this call cannot be repeated for the client",
        "Name the database in a variable, and switch both: db.using_database(db_name), then "
        "client.use_database(db_name=db_name).",
    )
