"""Names that left pymilvus before 3.0, and private names that programs reach for."""

from __future__ import annotations

from milvus_rules.catalogue.model import LIVED, READ, Kind, Symbol, recipe

RULE = "MLV950"
PRIVATE_RULE = "MLV020"

_BULK = recipe("""
    # it moved: pip install "pymilvus[bulk_writer]"
    from pymilvus.bulk_writer import (
        BulkFileType, LocalBulkWriter, RemoteBulkWriter,
        bulk_import, get_import_progress, list_import_jobs,
    )
""")

_EXCEPTION = recipe("""
    from pymilvus import MilvusException  # every failure of the client derives from it
""")


def _left(
    name: str,
    kind: Kind,
    text: str,
    client: tuple[str, ...] = (),
    *,
    signature: str | None = None,
    result: str = "None",
    source: str = LIVED,
    needs: str = "",
) -> Symbol:
    """A name of older releases. ``signature`` is that of the last release that had it."""
    return Symbol(
        name,
        kind,
        RULE,
        signature,
        text,
        client=client,
        result=result,
        warns=False,
        verdict="report",
        source=source,
        needs=needs,
    )


def _private(name: str, text: str, client: tuple[str, ...] = (), result: str = "object") -> Symbol:
    return Symbol(
        name,
        "method" if name.endswith(("_fetch_handler", "_get_connection")) else "class attribute",
        PRIVATE_RULE,
        None,
        text,
        client=client,
        result=result,
        warns=False,
        verdict="report",
        source=READ,
    )


CREDENTIALS: tuple[Symbol, ...] = (
    _left(
        "utility.create_credential",
        "function",
        "client.create_user(user_name=user, password=password)",
        ("create_user",),
        signature="user, password, using='default'",
    ),
    _left(
        "utility.update_credential",
        "function",
        "client.update_password(user_name=user, old_password=old, new_password=new)",
        ("update_password",),
        signature="user, old_password, new_password, using='default'",
    ),
    _left(
        "utility.delete_credential",
        "function",
        "client.drop_user(user_name=user)",
        ("drop_user",),
        signature="user, using='default'",
    ),
    _left(
        "utility.list_cred_users",
        "function",
        "client.list_users()",
        ("list_users",),
        signature="using='default'",
        result="list[str]",
    ),
)

BULK: tuple[Symbol, ...] = tuple(
    _left(name, "class" if name[0].isupper() else "function", _BULK, source=READ, needs="2.4.2")
    for name in (
        "BulkFileType",
        "LocalBulkWriter",
        "RemoteBulkWriter",
        "bulk_import",
        "get_import_progress",
        "list_import_jobs",
    )
)

EXCEPTIONS: tuple[Symbol, ...] = tuple(
    _left(name, "class", _EXCEPTION, result="exception")
    for name in (
        "BaseException",
        "ConnectError",
        "NotConnectError",
        "RepeatingConnectError",
        "VersionError",
    )
)

LEVELS: tuple[Symbol, ...] = tuple(
    _left(
        name,
        "class attribute",
        recipe("""
            import logging  # the levels of the standard library take their place
            logging.getLogger("pymilvus").setLevel(logging.DEBUG)
        """),
        result="str",
    )
    for name in (
        "DEBUG_LOG_LEVEL",
        "ERROR_LOG_LEVEL",
        "INFO_LOG_LEVEL",
        "WARN_LOG_LEVEL",
    )
)

OLD_CLIENT: tuple[Symbol, ...] = (
    _left(
        "MilvusClient.insert_data",
        "method",
        "client.insert(collection_name=collection_name, data=rows)  # a list of dicts",
        ("insert",),
    ),
    _left(
        "MilvusClient.upsert_data",
        "method",
        "client.upsert(collection_name=collection_name, data=rows)  # a list of dicts",
        ("upsert",),
    ),
    _left(
        "MilvusClient.search_data",
        "method",
        recipe("""
            client.search(
                collection_name=collection_name, data=vectors, anns_field="vector",
                search_params={"metric_type": "L2"}, limit=10, output_fields=["text"],
            )
        """),
        ("search",),
        result="SearchResult",
    ),
    _left(
        "MilvusClient.query_data",
        "method",
        recipe("""
            client.query(
                collection_name=collection_name, filter="id > 0", output_fields=["id", "text"]
            )
        """),
        ("query",),
        result="QueryResult",
    ),
    _left(
        "MilvusClient.get_vectors_by_pk",
        "method",
        'client.get(collection_name=collection_name, ids=[1, 2], output_fields=["vector"])',
        ("get",),
        result="QueryResult",
    ),
    _left(
        "MilvusClient.delete_by_pk",
        "method",
        "client.delete(collection_name=collection_name, ids=[1, 2])",
        ("delete",),
    ),
    _left(
        "MilvusClient.add_partitions",
        "method",
        recipe("""
            for partition_name in partition_names:
                client.create_partition(collection_name, partition_name)
        """),
        ("create_partition",),
    ),
    _left(
        "MilvusClient.num_entities",
        "method",
        'client.get_collection_stats(collection_name)["row_count"]',
        ("get_collection_stats",),
        result="int",
    ),
    _left(
        "MilvusClient.create_collection_with_schema",
        "method",
        recipe("""
            client.create_collection(
                collection_name=collection_name, schema=schema, index_params=index_params
            )
        """),
        ("create_collection",),
    ),
)

OTHERS: tuple[Symbol, ...] = (
    _left(
        "pymilvus_orm",
        "namespace",
        recipe("""
            from pymilvus import MilvusClient  # pip install "pymilvus>=2.6.13"
            client = MilvusClient(uri="http://localhost:19530")
            # pymilvus_orm became part of pymilvus in 2021; its classes are pymilvus' ORM
        """),
        ("MilvusClient",),
        result="pymilvus_orm",
    ),
    _left(
        "Milvus",
        "constructor",
        recipe("""
            client = MilvusClient(uri=f"http://{host}:{port}", user=user, password=password)
            # the low-level class is gone (2.5.4); the client's methods have other signatures
        """),
        ("MilvusClient",),
        result="Milvus",
    ),
    _left(
        "utility.calc_distance",
        "function",
        recipe("""
            # the server can no longer do it: compute it here, for example with numpy
            squared_l2 = ((left[:, None, :] - right[None, :, :]) ** 2).sum(axis=2)
            inner_product = left @ right.T
        """),
        signature="vectors_left, vectors_right, params=None, timeout=None, using='default'",
        result="list",
    ),
    _left(
        "BulkLoadState",
        "class",
        "from pymilvus import BulkInsertState  # the new name; states of a job: bulk_writer",
    ),
    _left(
        "RangeType",
        "class",
        "from pymilvus.client.types import RangeType",
    ),
    _left(
        "DEFAULT_RESOURCE_GROUP",
        "class attribute",
        "from pymilvus.client.constants import DEFAULT_RESOURCE_GROUP",
        result="str",
    ),
    _left(
        "connections.get_connection",
        "method",
        "client = MilvusClient(uri=uri)  # keep the client: it is the connection",
        ("MilvusClient",),
        result="object",
    ),
    _left(
        "connections.create_connection",
        "method",
        'client = MilvusClient(uri=f"http://{host}:{port}")',
        ("MilvusClient",),
        result="object",
    ),
)

PRIVATE: tuple[Symbol, ...] = (
    _private(
        "connections._fetch_handler",
        recipe("""
            # the handler is private: call the client instead, such as
            client.flush(collection_name)
        """),
        ("flush",),
    ),
    _private(
        "Collection._get_connection",
        recipe("""
            # the handler is private: call the client instead, such as
            client.flush(collection_name)
        """),
        ("flush",),
    ),
    _private("Collection._name", "collection_name", result="str"),
    _private(
        "Collection._using",
        "client  # the client that was made for this alias",
        result="str",
    ),
    _private(
        "Collection._schema",
        "CollectionSchema.construct_from_dict(client.describe_collection(collection_name))",
        ("describe_collection",),
        result="CollectionSchema",
    ),
    _private(
        "Collection._consistency_level",
        'client.describe_collection(collection_name)["consistency_level"]',
        ("describe_collection",),
        result="int",
    ),
    _private("Partition._name", "partition_name", result="str"),
    _private(
        "Index._index_params",
        "client.describe_index(collection_name, index_name)  # a flat dict",
        ("describe_index",),
        result="dict",
    ),
)

MOVED: frozenset[str] = frozenset(
    symbol.name
    for symbol in (*BULK, *EXCEPTIONS, *LEVELS, *OTHERS)
    if not symbol.owner and symbol.name not in ("Milvus", "pymilvus_orm")
)
"""Names of the top level whose import has to change: every use of them follows from it."""

SYMBOLS: tuple[Symbol, ...] = (
    CREDENTIALS + BULK + EXCEPTIONS + LEVELS + OLD_CLIENT + OTHERS + PRIVATE
)
