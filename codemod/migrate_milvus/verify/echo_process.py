"""The process of the echo server: the same questions and answers as ``lite_process.py``.

Every call of Milvus' gRPC service is answered with a minimal success, whatever it asks for, so that
programs run that use what Milvus Lite does not implement. It remembers the names of what was made
(collections with their schemas, partitions, indexes, aliases, databases, users, roles, resource
groups) and the keys of what was inserted, because pymilvus and programs ask for those. Searches and
queries find as many rows as they may, with a zero or an empty value in every field: results prove
nothing here, requests do. Of filters it reads only what pymilvus' iterators add to go on behind the
last page, so that they come to an end.

It stands alone; pymilvus brings the messages and the service.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

_SERVICE = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"]
_VERSION = "v2.6.0"
_NOT_FOUND = 100
_INDEX_NOT_FOUND = 700
_MOST_HITS = 10_000


def _behind(keys: list[Any], primary: str, expression: str) -> list[Any]:
    """The keys that a page after the first may have: ``id > 7 and (...)``, ``id not in [1, 7]``."""
    cursor = re.match(rf"{re.escape(primary)} > (\"[^\"]*\"|-?\d+)", expression)
    if cursor is not None:
        last = ast.literal_eval(cursor[1])
        keys = sorted(key for key in set(keys) if type(key) is type(last) and key > last)
    seen = re.search(rf"{re.escape(primary)} not in (\[[^\[\]]*\])$", expression)
    if seen is not None:
        gone = set(ast.literal_eval(seen[1]))
        keys = [key for key in keys if key not in gone]
    return keys


class _Collection:
    def __init__(self, schema: Any, request: Any) -> None:
        self.schema = schema
        self.shards = request.shards_num or 1
        self.consistency = request.consistency_level
        self.properties = list(request.properties)
        self.partitions = ["_default"]
        self.indexes: dict[str, Any] = {}
        self.keys: list[Any] = []
        self.loaded = False

    @property
    def primary(self) -> Any:
        return next((f for f in self.schema.fields if f.is_primary_key), None)


class Memory:
    """What the programs have made, and the answers that are more than a plain success."""

    def __init__(self) -> None:
        self._collections: dict[tuple[str, str], _Collection] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._names: dict[str, list[str]] = {
            "databases": ["default"],
            "users": ["root"],
            "roles": ["admin", "public"],
            "groups": ["__default_resource_group"],
        }
        self._next = 1

    # -- helpers

    def _find(self, request: Any) -> _Collection | None:
        key = (request.db_name, request.collection_name)
        return self._collections.get((request.db_name, self._aliases.get(key, key[1])))

    def _number(self) -> int:
        self._next += 1
        return self._next

    @staticmethod
    def _missing(answer: Any, request: Any) -> None:
        answer.status.error_code = common_pb2.UnexpectedError
        answer.status.code = _NOT_FOUND
        answer.status.reason = f"can't find collection[collection={request.collection_name}]"

    # -- collections

    def CreateCollection(self, request: Any, answer: Any) -> None:
        schema = schema_pb2.CollectionSchema.FromString(request.schema)
        for number, field in enumerate(schema.fields):
            field.fieldID = 100 + number
        made = _Collection(schema, request)
        self._collections[request.db_name, request.collection_name] = made

    def DropCollection(self, request: Any, answer: Any) -> None:
        self._collections.pop((request.db_name, request.collection_name), None)

    def RenameCollection(self, request: Any, answer: Any) -> None:
        held = self._collections.pop((request.db_name, request.oldName), None)
        if held is not None:
            database = request.newDBName or request.db_name
            self._collections[database, request.newName] = held

    def HasCollection(self, request: Any, answer: Any) -> None:
        answer.value = self._find(request) is not None

    def DescribeCollection(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        if held is None:
            self._missing(answer, request)
            return
        answer.schema.CopyFrom(held.schema)
        answer.collection_name = request.collection_name
        answer.collectionID = 1
        answer.shards_num = held.shards
        answer.num_partitions = len(held.partitions)
        answer.consistency_level = held.consistency
        answer.properties.extend(held.properties)
        answer.aliases.extend(
            alias
            for (database, alias), name in self._aliases.items()
            if (database, name) == (request.db_name, request.collection_name)
        )

    def ShowCollections(self, request: Any, answer: Any) -> None:
        names = [name for database, name in self._collections if database == request.db_name]
        answer.collection_names.extend(names)
        answer.collection_ids.extend(range(1, len(names) + 1))

    def GetCollectionStatistics(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        answer.stats.add(key="row_count", value=str(len(held.keys) if held else 0))

    GetPartitionStatistics = GetCollectionStatistics

    # -- partitions, aliases, databases

    def CreatePartition(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        if held is not None and request.partition_name not in held.partitions:
            held.partitions.append(request.partition_name)

    def DropPartition(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        if held is not None and request.partition_name in held.partitions:
            held.partitions.remove(request.partition_name)

    def HasPartition(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        answer.value = held is not None and request.partition_name in held.partitions

    def ShowPartitions(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        names = held.partitions if held else []
        answer.partition_names.extend(names)
        answer.partitionIDs.extend(range(1, len(names) + 1))
        answer.inMemory_percentages.extend([100] * len(names))

    def CreateAlias(self, request: Any, answer: Any) -> None:
        self._aliases[request.db_name, request.alias] = request.collection_name

    AlterAlias = CreateAlias

    def DropAlias(self, request: Any, answer: Any) -> None:
        self._aliases.pop((request.db_name, request.alias), None)

    def DescribeAlias(self, request: Any, answer: Any) -> None:
        answer.alias = request.alias
        answer.collection = self._aliases.get((request.db_name, request.alias), "")

    def ListAliases(self, request: Any, answer: Any) -> None:
        answer.collection_name = request.collection_name
        answer.aliases.extend(
            alias
            for (database, alias), name in self._aliases.items()
            if database == request.db_name and request.collection_name in ("", name)
        )

    def _add(self, kind: str, name: str) -> None:
        if name not in self._names[kind]:
            self._names[kind].append(name)

    def _remove(self, kind: str, name: str) -> None:
        if name in self._names[kind]:
            self._names[kind].remove(name)

    def CreateDatabase(self, request: Any, answer: Any) -> None:
        self._add("databases", request.db_name)

    def DropDatabase(self, request: Any, answer: Any) -> None:
        self._remove("databases", request.db_name)

    def ListDatabases(self, request: Any, answer: Any) -> None:
        answer.db_names.extend(self._names["databases"])

    def DescribeDatabase(self, request: Any, answer: Any) -> None:
        answer.db_name = request.db_name

    # -- users, roles, resource groups

    def CreateCredential(self, request: Any, answer: Any) -> None:
        self._add("users", request.username)

    def DeleteCredential(self, request: Any, answer: Any) -> None:
        self._remove("users", request.username)

    def ListCredUsers(self, request: Any, answer: Any) -> None:
        answer.usernames.extend(self._names["users"])

    def SelectUser(self, request: Any, answer: Any) -> None:
        wanted = request.user.name
        for name in [wanted] if wanted else self._names["users"]:
            answer.results.add().user.name = name

    def CreateRole(self, request: Any, answer: Any) -> None:
        self._add("roles", request.entity.name)

    def DropRole(self, request: Any, answer: Any) -> None:
        self._remove("roles", request.role_name)

    def SelectRole(self, request: Any, answer: Any) -> None:
        wanted = request.role.name
        for name in self._names["roles"]:
            if wanted in ("", name):
                answer.results.add().role.name = name

    def CreateResourceGroup(self, request: Any, answer: Any) -> None:
        self._add("groups", request.resource_group)

    def DropResourceGroup(self, request: Any, answer: Any) -> None:
        self._remove("groups", request.resource_group)

    def ListResourceGroups(self, request: Any, answer: Any) -> None:
        answer.resource_groups.extend(self._names["groups"])

    def DescribeResourceGroup(self, request: Any, answer: Any) -> None:
        answer.resource_group.name = request.resource_group
        answer.resource_group.capacity = 1

    # -- indexes and loading

    def CreateIndex(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        if held is not None:
            held.indexes[request.index_name or request.field_name] = request

    def DropIndex(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        if held is not None:
            for name in (request.index_name, request.field_name):
                held.indexes.pop(name, None)

    def DescribeIndex(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        for name, made in (held.indexes if held else {}).items():
            if request.index_name in ("", name) and request.field_name in ("", made.field_name):
                described = answer.index_descriptions.add()
                described.index_name = name
                described.field_name = made.field_name
                described.params.extend(made.extra_params)
                described.state = common_pb2.IndexState.Finished
        if not answer.index_descriptions:
            answer.status.error_code = common_pb2.IndexNotExist
            answer.status.code = _INDEX_NOT_FOUND
            answer.status.reason = "index not found"

    def GetIndexState(self, request: Any, answer: Any) -> None:
        answer.state = common_pb2.IndexState.Finished

    def _load(self, request: Any, loaded: bool) -> None:
        held = self._find(request)
        if held is not None:
            held.loaded = loaded

    def LoadCollection(self, request: Any, answer: Any) -> None:
        self._load(request, True)

    LoadPartitions = LoadCollection

    def ReleaseCollection(self, request: Any, answer: Any) -> None:
        self._load(request, False)

    ReleasePartitions = ReleaseCollection

    def GetLoadingProgress(self, request: Any, answer: Any) -> None:
        answer.progress = answer.refresh_progress = 100

    def GetLoadState(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        states = common_pb2.LoadState
        if held is None:
            answer.state = states.LoadStateNotExist
        else:
            answer.state = states.LoadStateLoaded if held.loaded else states.LoadStateNotLoad

    # -- data

    def Insert(self, request: Any, answer: Any) -> None:
        rows = int(request.num_rows)
        held = self._find(request)
        keys = self._keys(held, request, rows)
        if held is not None:
            held.keys += keys
        if any(isinstance(key, str) for key in keys):
            answer.IDs.str_id.data.extend(keys)
        else:
            answer.IDs.int_id.data.extend(keys)
        answer.succ_index.extend(range(rows))
        counted = "upsert_cnt" if isinstance(request, milvus_pb2.UpsertRequest) else "insert_cnt"
        setattr(answer, counted, rows)

    Upsert = Insert

    def _keys(self, held: _Collection | None, request: Any, rows: int) -> list[Any]:
        primary = held.primary if held else None
        for field in request.fields_data:
            if primary is not None and field.field_name == primary.name:
                scalars = field.scalars
                return list(scalars.string_data.data or scalars.long_data.data)
        return [self._number() for _ in range(rows)]

    def Delete(self, request: Any, answer: Any) -> None:
        answer.delete_cnt = 1

    def Flush(self, request: Any, answer: Any) -> None:
        for name in request.collection_names:
            answer.coll_segIDs[name].data.append(1)

    def GetFlushState(self, request: Any, answer: Any) -> None:
        answer.flushed = True

    GetFlushAllState = GetFlushState

    def Search(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        given = {pair.key: pair.value for pair in request.search_params}
        found = (request.nq or 1, given.get("topk", ""), request.output_fields)
        self._hits(held, answer, *found, request.dsl)

    def HybridSearch(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        given = {pair.key: pair.value for pair in request.rank_params}
        queries = request.requests[0].nq if request.requests else 1
        self._hits(held, answer, queries or 1, given.get("limit", ""), request.output_fields)

    def _hits(
        self,
        held: _Collection | None,
        answer: Any,
        queries: int,
        limit: str,
        wanted: Any,
        expression: str = "",
    ) -> None:
        keys = held.keys if held else []
        if held is not None and held.primary is not None:
            keys = _behind(keys, held.primary.name, expression)
        number = min(int(limit) if limit.isdecimal() else 1, len(keys), _MOST_HITS)
        results = answer.results
        results.num_queries = queries
        results.top_k = number
        results.topks.extend([number] * queries)
        results.scores.extend([0.0] * (number * queries))
        found = keys[:number] * queries
        if found and isinstance(found[0], str):
            results.ids.str_id.data.extend(found)
        else:
            results.ids.int_id.data.extend(found)
        if held is not None:
            results.primary_field_name = held.primary.name if held.primary else ""
            columns = self._columns(held, wanted, found)
            results.fields_data.extend(columns)
            results.output_fields.extend(column.field_name for column in columns)

    def Query(self, request: Any, answer: Any) -> None:
        held = self._find(request)
        answer.collection_name = request.collection_name
        if held is None:
            return
        given = {pair.key: pair.value for pair in request.query_params}
        if list(request.output_fields) == ["count(*)"]:
            counted = answer.fields_data.add(field_name="count(*)", type=schema_pb2.Int64)
            counted.scalars.long_data.data.append(len(held.keys))
            answer.output_fields.append("count(*)")
            return
        limit = given.get("limit", "")
        keys = held.keys
        if given.get("iterator") == "True" and held.primary is not None:
            keys = _behind(sorted(set(keys)), held.primary.name, request.expr)
        keys = keys[: int(limit)] if limit.isdecimal() else keys
        wanted = list(request.output_fields)
        if held.primary is not None and "*" not in wanted and held.primary.name not in wanted:
            wanted.append(held.primary.name)
        columns = self._columns(held, wanted, keys[:_MOST_HITS])
        answer.fields_data.extend(columns)
        answer.output_fields.extend(column.field_name for column in columns)
        answer.primary_field_name = held.primary.name if held.primary else ""

    def _columns(self, held: _Collection, wanted: Any, keys: list[Any]) -> list[Any]:
        names = set(wanted)
        return [
            _column(field, keys if field.is_primary_key else None, len(keys))
            for field in held.schema.fields
            if "*" in names or field.name in names
        ]

    # -- the rest

    def Connect(self, request: Any, answer: Any) -> None:
        answer.server_info.build_tags = _VERSION
        answer.identifier = 1

    def GetVersion(self, request: Any, answer: Any) -> None:
        answer.version = _VERSION

    def CheckHealth(self, request: Any, answer: Any) -> None:
        answer.isHealthy = True

    def AllocTimestamp(self, request: Any, answer: Any) -> None:
        answer.timestamp = self._number()

    def ManualCompaction(self, request: Any, answer: Any) -> None:
        answer.compactionID = self._number()

    def GetCompactionState(self, request: Any, answer: Any) -> None:
        answer.state = common_pb2.CompactionState.Completed

    GetCompactionStateWithPlans = GetCompactionState

    def Import(self, request: Any, answer: Any) -> None:
        answer.tasks.append(self._number())

    def GetImportState(self, request: Any, answer: Any) -> None:
        answer.state = common_pb2.ImportState.ImportCompleted
        answer.id = request.task

    def GetMetrics(self, request: Any, answer: Any) -> None:
        answer.response = "{}"


def _column(field: Any, keys: list[Any] | None, rows: int) -> Any:
    """``rows`` values of a field: its keys, else zeros and empty ones."""
    column = schema_pb2.FieldData(field_name=field.name, type=field.data_type)
    column.field_id = field.fieldID
    types = schema_pb2.DataType
    scalars, vectors = column.scalars, column.vectors
    dimension = next((int(p.value) for p in field.type_params if p.key == "dim"), 0)
    kind = field.data_type
    if kind in (types.VarChar, types.String):
        scalars.string_data.data.extend(keys or [""] * rows)
    elif kind == types.Int64:
        scalars.long_data.data.extend(keys or [0] * rows)
    elif kind in (types.Int8, types.Int16, types.Int32):
        scalars.int_data.data.extend([0] * rows)
    elif kind == types.Bool:
        scalars.bool_data.data.extend([False] * rows)
    elif kind == types.Float:
        scalars.float_data.data.extend([0.0] * rows)
    elif kind == types.Double:
        scalars.double_data.data.extend([0.0] * rows)
    elif kind == types.JSON:
        scalars.json_data.data.extend([b"{}"] * rows)
    elif kind == types.Array:
        scalars.array_data.element_type = field.element_type
        for _ in range(rows):
            scalars.array_data.data.add().long_data.SetInParent()
    elif kind == types.FloatVector:
        vectors.dim = dimension
        vectors.float_vector.data.extend([0.0] * (dimension * rows))
    elif kind == types.BinaryVector:
        vectors.dim = dimension
        vectors.binary_vector = bytes(dimension // 8 * rows)
    elif kind in (types.Float16Vector, types.BFloat16Vector):
        vectors.dim = dimension
        name = "float16_vector" if kind == types.Float16Vector else "bfloat16_vector"
        setattr(vectors, name, bytes(2 * dimension * rows))
    elif kind == types.SparseFloatVector:
        vectors.sparse_float_vector.contents.extend([b""] * rows)
    return column


def servicer() -> Any:
    """A servicer of Milvus' whole service, with a memory of its own."""
    memory = Memory()
    lock = threading.Lock()

    def handler(name: str, output: str) -> Callable[[Any, Any, Any], Any]:
        make = getattr(milvus_pb2, output, None) or getattr(common_pb2, output)
        remember = getattr(memory, name, None)

        def handle(_self: Any, request: Any, context: Any) -> Any:
            answer = make()
            if remember is not None:
                with lock:
                    remember(request, answer)
            return answer

        return handle

    methods = {
        method.name: handler(method.name, method.output_type.name)
        for method in _SERVICE.methods
        if hasattr(milvus_pb2, method.output_type.name)
        or hasattr(common_pb2, method.output_type.name)
    }
    return type("Echo", (milvus_pb2_grpc.MilvusServiceServicer,), methods)()


def start() -> tuple[Any, str]:
    """Serve an empty memory on a free loopback port; returns the server and its address."""
    server = grpc.server(
        futures.ThreadPoolExecutor(16),
        options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def main() -> int:
    """Answer the questions on standard input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = None
    for line in sys.stdin:
        if server is not None:
            server.stop(None)
            server = None
        if line.strip() == "start":
            server, address = start()
            answers.write(f"ready {address}\n")
        else:
            answers.write("stopped\n")
        answers.flush()
    if server is not None:
        server.stop(None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
