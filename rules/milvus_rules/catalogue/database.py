"""``db``: databases. The client's methods are named alike, but for two."""

from __future__ import annotations

from milvus_rules.catalogue.model import Symbol, recipe

RULE = "MLV901"

SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "db",
        "namespace",
        "MLV010",
        None,
        recipe("""
            # the functions became methods of the client: call them by name
            client.list_databases()
            client.use_database(db_name)
        """),
        client=("list_databases", "use_database"),
        result="db",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "db.using_database",
        "function",
        RULE,
        "db_name, using='default'",
        recipe("""
            client.use_database(db_name)
            # or a client of its own: MilvusClient(uri=uri, db_name=db_name). From 2.6.7 on it asks
            # the server first and raises for a missing database; before, the clients that share
            # the connection followed
        """),
        client=("use_database",),
        verdict="if",
    ),
    Symbol(
        "db.create_database",
        "function",
        RULE,
        "db_name, using='default', timeout=None, **",
        "client.create_database(db_name, properties=properties, timeout=timeout)",
        client=("create_database",),
    ),
    Symbol(
        "db.drop_database",
        "function",
        RULE,
        "db_name, using='default', timeout=None",
        "client.drop_database(db_name, timeout=timeout)",
        client=("drop_database",),
    ),
    Symbol(
        "db.list_database",
        "function",
        RULE,
        "using='default', timeout=None",
        "client.list_databases(timeout=timeout)",
        client=("list_databases",),
        result="list[str]",
    ),
    Symbol(
        "db.set_properties",
        "function",
        RULE,
        "db_name, properties, using='default', timeout=None",
        "client.alter_database_properties(db_name, properties=properties, timeout=timeout)",
        client=("alter_database_properties",),
    ),
    Symbol(
        "db.describe_database",
        "function",
        RULE,
        "db_name, using='default', timeout=None",
        "client.describe_database(db_name, timeout=timeout)",
        client=("describe_database",),
        result="dict",
    ),
)
