"""Roles: objects that become a role's name; grants and privilege groups by keyword."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate_milvus.edits import Edit, ReplaceNode
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, require, unknown
from milvus_rules.collections import Writer
from milvus_rules.fields import text_of
from milvus_rules.writing import Pair, client_call, keyword, known

ARGUMENTS = predicate("role-arguments-known", "every argument has a meaning for the client")
DATABASE = predicate("grant-database-known", "the grant names its database, or there is only one")


@dataclass(frozen=True)
class Row:
    """How one method is written: ORM parameter to client keyword.

    ``role`` is the keyword for the role's name, None where the method does not concern the role;
    ``granted`` says whether the call is about a database.
    """

    method: str
    keywords: dict[str, str] = field(default_factory=dict)
    role: str | None = "role_name"
    granted: bool = False


_GRANT = {
    "object": "object_type",
    "privilege": "privilege",
    "object_name": "object_name",
    "db_name": "db_name",
}
_GRANT_V2 = {
    "privilege": "privilege",
    "collection_name": "collection_name",
    "db_name": "db_name",
}
_GROUP = {"privilege_group": "group_name", "privileges": "privileges"}

ROWS: dict[str, Row] = {
    "Role.create": Row("create_role"),
    "Role.drop": Row("drop_role"),
    "Role.add_user": Row("grant_role", {"username": "user_name"}),
    "Role.remove_user": Row("revoke_role", {"username": "user_name"}),
    "Role.grant": Row("grant_privilege", _GRANT, granted=True),
    "Role.revoke": Row("revoke_privilege", _GRANT, granted=True),
    "Role.grant_v2": Row("grant_privilege_v2", _GRANT_V2, granted=True),
    "Role.revoke_v2": Row("revoke_privilege_v2", _GRANT_V2, granted=True),
    "Role.create_privilege_group": Row("create_privilege_group", _GROUP, None),
    "Role.drop_privilege_group": Row("drop_privilege_group", _GROUP, None),
    "Role.add_privileges_to_group": Row("add_privileges_to_group", _GROUP, None),
    "Role.remove_privileges_from_group": Row("remove_privileges_from_group", _GROUP, None),
}


class Roles(Rule):
    """``Role(name)`` becomes the role's name; its methods become client methods by keyword.

    ``role.add_user(user)`` becomes ``client.grant_role(user_name=user, role_name=name)``,
    ``role.grant(object, object_name, privilege)`` becomes ``client.grant_privilege``, where object
    name and privilege have changed places: so everything is a keyword.

    Refused for grants that name no database on a connection that may use another one than the
    default: the ORM sent none, the client sends its own. ``get_users`` and ``list_grant`` ask for
    what the client asks for in another way, and are reported.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2, requests compared.
    """

    id = "MLV801"
    title = "roles are named to the client"
    symbols = ("Role", "Role.name", *ROWS)
    order = 32

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol == "Role.name":
            return [ReplaceNode(site.node, planning.name(site))]
        arguments = planning.arguments(site)
        if site.symbol == "Role":
            expression = arguments.get("name")
            require(ARGUMENTS, lambda: known(arguments, ("name", "using")))
            require(ARGUMENTS, _given(expression))
            return [] if expression is None else Writer(site, planning, expression).write(None)
        row = ROWS[site.symbol]
        require(ARGUMENTS, lambda: known(arguments, row.keywords))
        if row.granted:
            grants_known(site, planning)
        pairs: list[Pair | None] = [(row.role, planning.name(site))] if row.role else []
        # Written in the order in which they were given, and so evaluated.
        given = [
            keyword(arguments, name, row.keywords[name]) for name in dict.fromkeys(arguments.order)
        ]
        user_first = row.keywords.get("username") is not None
        pairs = [*given, *pairs] if user_first else [*pairs, *given]
        call = client_call(planning, site, row.method, *pairs)
        return [ReplaceNode(site.node, (call,))]


def _given(expression: ast.expr | None) -> Answer:
    if expression is not None:
        return PROVED
    return unknown("the role's name is not an argument of its own", "Write the name.")


def grants_known(site: Site, planning: Planning) -> None:
    """Refuse a call about grants whose database may be another one with the client."""
    require(DATABASE, lambda: _database(site, planning))


def _database(site: Site, planning: Planning) -> Answer:
    """Whether the grant is about the same database on both sides."""
    given = planning.arguments(site).get("db_name")
    if given is not None:
        named = text_of(planning, given)
        if named != "" and not (isinstance(given, ast.Constant) and given.value is None):
            return PROVED
    if uses_default_database(site, planning):
        return PROVED
    return unknown(
        "the grant names no database, and the connection may use another one than the default: "
        "the ORM sent none, the client sends its own",
        'client.grant_privilege(..., db_name="default")  # or the database that is meant',
    )


def uses_default_database(site: Site, planning: Planning) -> bool:
    """Whether the connection of ``site`` is surely on the database ``default``."""
    key = planning.keys[id(site)]
    connects = [
        other
        for other in planning.sites
        if planning.keys[id(other)] == key and other.symbol == "connections.connect"
    ]
    if any(
        other.symbol == "db.using_database" and planning.keys[id(other)] == key
        for other in planning.sites
    ):
        return False
    for connect in connects:
        arguments = planning.arguments(connect)
        if arguments.unknown:
            return False
        database = arguments.get("db_name")
        if database is not None and text_of(planning, database) not in ("default", ""):
            return False
        uri = arguments.get("uri")
        if uri is not None and database is None:
            text = text_of(planning, uri)
            if text is None or "/" in text.partition("://")[2]:
                return False
    return bool(connects)
