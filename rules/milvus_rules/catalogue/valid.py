"""Names that stay valid without a warning, and exceptions that nothing raises any more."""

from __future__ import annotations

from dataclasses import dataclass

from milvus_rules.catalogue.model import READ, Kind, Symbol


def _kept(name: str, kind: Kind = "class") -> Symbol:
    return Symbol(
        name,
        kind,
        "",
        None,
        f"from pymilvus import {name}  # stays valid",
        result=name,
        warns=False,
        verdict="unchanged",
        source=READ,
    )


@dataclass(frozen=True)
class Unreachable:
    """An exception that migrated code cannot raise any more.

    ``when`` says when the ORM raised it, ``instead`` what happens in its place.
    """

    name: str
    when: str
    instead: str


UNREACHABLE: dict[str, Unreachable] = {
    entry.name: entry
    for entry in (
        Unreachable(
            "SchemaNotReadyException",
            "Collection(name) found no collection, or one with another schema or consistency level",
            "nothing at this line: the first call on a missing collection raises MilvusException "
            "(code 100), and another schema is not noticed; ask client.has_collection(name)",
        ),
        Unreachable(
            "PartitionAlreadyExistException",
            "create_partition found the partition",
            "nothing: Milvus accepts an existing partition; ask client.has_partition(name, part)",
        ),
        Unreachable(
            "IndexNotExistException",
            "collection.index() or index_building_progress found no index",
            "client.describe_index returns None",
        ),
        Unreachable(
            "CollectionNotExistException",
            "Index(collection, ...) got something that is not a Collection",
            "MilvusException (code 100) from the call on a missing collection",
        ),
        Unreachable(
            "ConnectionNotExistException",
            "a call was made without connections.connect, or after disconnect",
            "NameError or AttributeError without a client; MilvusException with the same text "
            "after client.close()",
        ),
        Unreachable(
            "DataTypeNotSupportException",
            "data was neither rows, columns nor a data frame",
            "TypeError from client.insert or client.upsert",
        ),
        Unreachable(
            "CannotInferSchemaException",
            "construct_from_dataframe could not tell a column's type",
            "nothing: the schema is written out",
        ),
    )
}

EXCEPTIONS: tuple[str, ...] = (
    "AmbiguousIndexName",
    "AutoIDException",
    "ClusteringKeyException",
    "ConnectionConfigException",
    "DataNotMatchException",
    "DataTypeNotMatchException",
    "DescribeCollectionException",
    "FieldTypeException",
    "FieldsTypeException",
    "FunctionsTypeException",
    "InvalidConsistencyLevel",
    "ParamError",
    "PartitionKeyException",
    "PrimaryKeyException",
    "SchemaMismatchRetryableException",
    "ServerVersionIncompatibleException",
)
"""Exceptions of ``pymilvus.exceptions`` that stay, besides those that pymilvus exports itself."""


def _exception(name: str) -> Symbol:
    return Symbol(
        name,
        "class",
        "",
        None,
        f"from pymilvus.exceptions import {name}  # stays valid",
        result="exception",
        warns=False,
        verdict="unchanged",
        source=READ,
    )


def _unreachable(entry: Unreachable) -> Symbol:
    return Symbol(
        entry.name,
        "class",
        "MLV210",
        None,
        f"# raised when {entry.when}; now: {entry.instead}",
        result="exception",
        warns=False,
        verdict="report",
        source=READ,
    )


TIMESTAMPS = (
    "hybridts_to_datetime",
    "hybridts_to_unixtime",
    "mkts_from_datetime",
    "mkts_from_hybridts",
    "mkts_from_unixtime",
)
"""Functions that utility has as well: arithmetic only, so that they stay where they are named."""

CODE_IS_AN_ATTRIBUTE = "error.code  # an attribute of MilvusException; code() is gRPC's idiom"


SYMBOLS: tuple[Symbol, ...] = (
    tuple(
        _kept(name)
        for name in (
            "AggregationBucket",
            "AggregationHit",
            "AnnSearchRequest",
            "AsyncMilvusClient",
            "BloomFilterBuilder",
            "BulkInsertState",
            "CompactionTaskState",
            "CompactionType",
            "DataType",
            "DefaultConfig",
            "ExceptionsMessage",
            "FieldOp",
            "FieldOpType",
            "Function",
            "FunctionChain",
            "FunctionChainStage",
            "FunctionScore",
            "FunctionType",
            "Group",
            "Hit",
            "Hits",
            "IndexType",
            "LexicalHighlighter",
            "MilvusClient",
            "MilvusException",
            "MilvusUnavailableException",
            "MutationFuture",
            "Prepare",
            "PyMilvusDeprecationWarning",
            "RRFRanker",
            "Replica",
            "ResourceGroupInfo",
            "RoaringBitmapBuilder",
            "SearchAggregation",
            "SearchFuture",
            "SearchResult",
            "SegmentState",
            "SemanticHighlighter",
            "Shard",
            "Status",
            "StructFieldSchema",
            "TopHits",
            "WeightedRanker",
        )
    )
    + tuple(
        _kept(name, "function")
        for name in ("build_bloom_filter", "build_roaring_bitmap", *TIMESTAMPS)
    )
    + tuple(_exception(name) for name in EXCEPTIONS)
    + tuple(_unreachable(entry) for entry in UNREACHABLE.values())
)
