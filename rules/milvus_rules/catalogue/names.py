"""Import paths: what each qualified name of pymilvus means, in every release that had it."""

from __future__ import annotations

from collections.abc import Iterator

from milvus_rules.catalogue import database, removed, utility, valid

GONE_PACKAGE = "pymilvus_orm"
"""The ORM's first home, before it became ``pymilvus.orm`` in 2021: same modules, same names."""

# canonical name -> modules that have it, over all releases (top level is added for the first group)
_ORM: dict[str, tuple[str, ...]] = {
    "Collection": ("orm.collection",),
    "Partition": ("orm.partition",),
    "Index": ("orm.index",),
    "Role": ("orm.role",),
    "Connections": ("orm.connections",),
    "connections": ("orm.connections",),
}

_SCHEMA: dict[str, tuple[str, ...]] = {
    "CollectionSchema": ("orm.schema", "orm.collection"),
    "FieldSchema": ("orm.schema", "orm.collection"),
    "StructFieldSchema": ("orm.schema",),
    "Function": ("orm.schema",),
    "FunctionScore": ("orm.schema",),
    "LexicalHighlighter": ("orm.schema",),
    "SemanticHighlighter": ("orm.schema",),
}

_VALID: dict[str, tuple[str, ...]] = {
    "AnnSearchRequest": ("client.abstract",),
    "AsyncMilvusClient": ("milvus_client", "milvus_client.async_milvus_client"),
    "BulkInsertState": ("client.types",),
    "DataType": ("client.types", "orm.types"),
    "DefaultConfig": ("orm.default_config",),
    "ExceptionsMessage": ("exceptions", "orm.exceptions"),
    "FunctionType": ("client.types",),
    "Group": ("client.types",),
    "Hit": ("client.search_result", "orm.search"),
    "Hits": ("client.search_result", "orm.search"),
    "IndexType": ("client.types",),
    "MilvusClient": ("milvus_client", "milvus_client.milvus_client"),
    "MilvusException": ("exceptions", "orm.exceptions"),
    "MilvusUnavailableException": ("exceptions",),
    "MutationFuture": ("orm.future",),
    "Prepare": ("client.prepare",),
    "PyMilvusDeprecationWarning": ("decorators",),
    "RRFRanker": ("client.abstract",),
    "Replica": ("client.types",),
    "ResourceGroupInfo": ("client.types",),
    "SearchFuture": ("client.asynch", "orm.future"),
    "SearchResult": ("client.search_result", "orm.search"),
    "Shard": ("client.types",),
    "Status": ("client.types",),
    "WeightedRanker": ("client.abstract",),
}

_REMOVED: dict[str, tuple[str, ...]] = {
    "BaseException": ("client.exceptions",),
    "BulkLoadState": ("client.types",),
    "ConnectError": ("client.exceptions",),
    "Milvus": ("client.stub",),
    "NotConnectError": ("client.exceptions",),
    "RepeatingConnectError": ("client.exceptions",),
    "VersionError": ("client.exceptions",),
}

_TOP_LEVEL_EXCEPTIONS = ("ParamError",)  # up to 2.2.13
_NOT_AT_TOP_LEVEL = frozenset({GONE_PACKAGE, *valid.EXCEPTIONS, *valid.UNREACHABLE})

# Functions of utility that every release, or some release, also exported at top level.
_TOP_LEVEL_UTILITY = (
    "create_credential",
    "create_resource_group",
    "create_user",
    "delete_credential",
    "delete_user",
    "describe_resource_group",
    "do_bulk_insert",
    "drop_collection",
    "drop_resource_group",
    "get_bulk_insert_state",
    "get_query_segment_info",
    "has_collection",
    "has_partition",
    "index_building_progress",
    "list_bulk_insert_tasks",
    "list_collections",
    "list_cred_users",
    "list_resource_groups",
    "list_usernames",
    "load_balance",
    "loading_progress",
    "reset_password",
    "transfer_node",
    "transfer_replica",
    "update_credential",
    "update_password",
    "update_resource_groups",
    "wait_for_index_building_complete",
    "wait_for_loading_complete",
)


def _functions() -> Iterator[str]:
    """Canonical names of the functions of ``utility`` and ``db``, of all releases."""
    for area in (utility, database, removed):
        for symbol in area.SYMBOLS:
            if symbol.kind == "function" and symbol.owner in ("utility", "db"):
                yield symbol.name


def _qualified() -> Iterator[tuple[str, str]]:
    for table in (_ORM, _SCHEMA, _VALID, _REMOVED):
        for name, modules in table.items():
            yield f"pymilvus.{name}", name
            for module in modules:
                yield f"pymilvus.{module}.{name}", name
    for area in (valid, removed):
        for symbol in area.SYMBOLS:
            if not symbol.owner and symbol.name not in _NOT_AT_TOP_LEVEL:
                yield f"pymilvus.{symbol.name}", symbol.name
    for module in ("utility", "db"):
        yield f"pymilvus.{module}", module
        yield f"pymilvus.orm.{module}", module
    for name in _functions():
        module, _, function = name.partition(".")
        yield f"pymilvus.{module}.{function}", name
        yield f"pymilvus.orm.{module}.{function}", name
    for function in valid.TIMESTAMPS:  # the same functions as pymilvus' own ones
        yield f"pymilvus.orm.utility.{function}", function
    for function in _TOP_LEVEL_UTILITY:
        yield f"pymilvus.{function}", f"utility.{function}"
    yield "pymilvus.orm.mutation.MutationResult", "MutationResult"
    for name in (*valid.EXCEPTIONS, *valid.UNREACHABLE):
        for module in ("exceptions", "orm.exceptions", "client.exceptions"):
            yield f"pymilvus.{module}.{name}", name
    for name in _TOP_LEVEL_EXCEPTIONS:
        yield f"pymilvus.{name}", name


def _with_gone_package() -> Iterator[tuple[str, str]]:
    yield GONE_PACKAGE, GONE_PACKAGE
    for path, name in _qualified():
        yield path, name
        if path.startswith("pymilvus.orm."):
            yield path.replace("pymilvus.orm.", f"{GONE_PACKAGE}.", 1), name
        elif path.count(".") == 1:
            yield path.replace("pymilvus.", f"{GONE_PACKAGE}.", 1), name


QUALIFIED: dict[str, str] = dict(_with_gone_package())
"""Fully qualified import path -> canonical name, for every name that means something here."""

ORM_MODULES: frozenset[str] = frozenset(
    {"pymilvus.orm", GONE_PACKAGE}
    | {
        module
        for module in (path.rpartition(".")[0] for path in QUALIFIED)
        if module.startswith(("pymilvus.orm.", f"{GONE_PACKAGE}."))
    }
)
"""Modules (and module paths of classes) that belong to the ORM: imports from them go or move."""

QUIET_MODULES: frozenset[str] = frozenset(
    f"pymilvus.orm.{module}"
    for module in ("constants", "future", "iterator", "mutation", "prepare", "schema", "types")
)
"""Modules of the ORM in which a name that QUALIFIED does not have is no ORM use.

Their helpers (``infer_dtype_bydata``, ``CONSISTENCY_STRONG``, ...) do not warn, and most have no
other home: such an import stays as it is.
"""
