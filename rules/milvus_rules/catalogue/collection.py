"""``Collection``: an object with a name. The client's methods take the name."""

from __future__ import annotations

from milvus_rules.catalogue.model import RAN_LITE, READ, Symbol, recipe

LIFE: tuple[Symbol, ...] = (
    Symbol(
        "Collection",
        "constructor",
        "MLV210",
        "name, schema=None, using='default', **",
        recipe("""
            if not client.has_collection(collection_name):
                client.create_collection(collection_name=collection_name, schema=schema)
            # without a schema nothing has to be called: the name is enough
            # schema= must be a keyword (second place is the quick set-up's dimension); pass on
            # consistency_level, properties, num_shards. The ORM raised SchemaNotReadyException
            # for a missing collection, or for an existing one with another schema: this does not.
        """),
        client=("has_collection", "create_collection"),
        result="Collection",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.construct_from_dataframe",
        "method",
        "MLV213",
        "name, dataframe, **",
        recipe("""
            schema = MilvusClient.create_schema(auto_id=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("text", DataType.VARCHAR, max_length=512)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=128)
            if not client.has_collection(name):
                client.create_collection(collection_name=name, schema=schema)
            res = client.insert(collection_name=name, data=dataframe.to_dict("records"))
            # write out what was inferred from the columns' types: the key, and dim from a vector
        """),
        client=("create_schema", "has_collection", "create_collection", "insert"),
        result="tuple[Collection, MutationResult]",
        verdict="if",
    ),
    Symbol(
        "Collection.name",
        "property",
        "MLV211",
        None,
        recipe("""
            collection_name  # the expression that was passed to Collection(...)
        """),
        result="str",
        warns=False,
    ),
    Symbol(
        "Collection.schema",
        "property",
        "MLV211",
        None,
        recipe("""
            description = client.describe_collection(collection_name)
            fields = [field["name"] for field in description["fields"]]
            schema = CollectionSchema.construct_from_dict(description)
            # or the schema variable that the collection was made with, where it is in scope
        """),
        client=("describe_collection",),
        result="CollectionSchema",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Collection.description",
        "property",
        "MLV211",
        None,
        recipe("""
            client.describe_collection(collection_name)["description"]
            # the ORM kept the value from construction time; Milvus Lite 3.2 does not store it
        """),
        client=("describe_collection",),
        result="str",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Collection.aliases",
        "property",
        "MLV211",
        None,
        recipe("""
            client.describe_collection(collection_name)["aliases"]
            # client.list_aliases(collection_name)["aliases"] is another request
        """),
        client=("describe_collection",),
        result="list[str]",
    ),
    Symbol(
        "Collection.primary_field",
        "property",
        "MLV211",
        None,
        recipe("""
            fields = client.describe_collection(collection_name)["fields"]
            primary = next(field for field in fields if field.get("is_primary"))
            primary["name"], primary["type"], primary["params"], primary.get("auto_id")  # a dict
        """),
        client=("describe_collection",),
        result="FieldSchema",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Collection.num_shards",
        "property",
        "MLV211",
        None,
        recipe("""
            client.describe_collection(collection_name)["num_shards"]
        """),
        client=("describe_collection",),
        result="int",
        # not decorated itself: its first read calls describe(), which warns
        warns=True,
    ),
    Symbol(
        "Collection.is_empty",
        "property",
        "MLV211",
        None,
        recipe("""
            client.get_collection_stats(collection_name)["row_count"] == 0
        """),
        client=("get_collection_stats",),
        result="bool",
    ),
    Symbol(
        "Collection.num_entities",
        "property",
        "MLV211",
        None,
        recipe("""
            client.get_collection_stats(collection_name)["row_count"]
            # the same request; count(*) is another one, needs a loaded collection and counts
            # rows that are not flushed yet
        """),
        client=("get_collection_stats",),
        result="int",
    ),
    Symbol(
        "Collection.partitions",
        "property",
        "MLV211",
        None,
        recipe("""
            for partition_name in client.list_partitions(collection_name):  # names, not objects
                ...
        """),
        client=("list_partitions",),
        result="list[Partition]",
        verdict="if",
    ),
    Symbol(
        "Collection.indexes",
        "property",
        "MLV302",
        None,
        recipe("""
            names = client.list_indexes(collection_name)
            indexes = [client.describe_index(collection_name, name) for name in names]
            # dicts: ["field_name"], ["index_name"], ["index_type"], ["metric_type"], and the build
            # parameters; len(collection.indexes) is len(client.list_indexes(collection_name))
        """),
        client=("list_indexes", "describe_index"),
        result="list[Index]",
        verdict="if",
    ),
    Symbol(
        "Collection.describe",
        "method",
        "MLV211",
        "timeout=None",
        recipe("""
            client.describe_collection(collection_name, timeout=timeout)
        """),
        client=("describe_collection",),
        result="dict",
    ),
    Symbol(
        "Collection.flush",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            client.flush(collection_name, timeout=timeout)
            # keep it where a count or a snapshot follows
        """),
        client=("flush",),
    ),
    Symbol(
        "Collection.drop",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            client.drop_collection(collection_name, timeout=timeout)
        """),
        client=("drop_collection",),
    ),
    Symbol(
        "Collection.truncate",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            client.truncate_collection(collection_name, timeout=timeout)
        """),
        client=("truncate_collection",),
    ),
    Symbol(
        "Collection.set_properties",
        "method",
        "MLV212",
        "properties, timeout=None, **",
        recipe("""
            client.alter_collection_properties(
                collection_name, properties={"collection.ttl.seconds": 1800}, timeout=timeout
            )
        """),
        client=("alter_collection_properties",),
    ),
    Symbol(
        "Collection.load",
        "method",
        "MLV212",
        "partition_names=None, replica_number=None, timeout=None, **",
        recipe("""
            client.load_collection(collection_name, replica_number=1, timeout=timeout)
            client.load_partitions(collection_name, ["part"])  # when partition names were given
            # never load_collection(name, partition_names=[...]): the keyword is swallowed and the
            # whole collection is loaded. On pymilvus 2.4.5 to 2.5.8 pass replica_number=0 where
            # the ORM call had none. The second place of load_collection is timeout.
        """),
        client=("load_collection", "load_partitions"),
        verdict="if",
    ),
    Symbol(
        "Collection.release",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            client.release_collection(collection_name, timeout=timeout)
        """),
        client=("release_collection",),
    ),
    Symbol(
        "Collection.compact",
        "method",
        "MLV212",
        "is_clustering=False, timeout=None, **",
        recipe("""
            job_id = client.compact(collection_name, is_clustering=False, timeout=timeout)
            # keep the id: the state is asked for by id, not by collection. The keyword
            # target_size, where used, is in MB.
        """),
        client=("compact",),
        verdict="if",
    ),
    Symbol(
        "Collection.get_compaction_state",
        "method",
        "MLV212",
        "timeout=None, is_clustering=False, **",
        recipe("""
            state = client.get_compaction_state(job_id)  # a name, such as "Completed"
            # job_id is what client.compact(...) returned; state_name is the string itself
        """),
        client=("get_compaction_state",),
        result="CompactionState",
        verdict="if",
    ),
    Symbol(
        "Collection.wait_for_compaction_completed",
        "method",
        "MLV212",
        "timeout=None, is_clustering=False, **",
        recipe("""
            job_id = client.compact(collection_name)
            while client.get_compaction_state(job_id) != "Completed":
                time.sleep(0.5)
        """),
        client=("compact", "get_compaction_state"),
        result="CompactionState",
        verdict="if",
    ),
    Symbol(
        "Collection.get_compaction_plans",
        "method",
        "MLV212",
        "timeout=None, is_clustering=False, **",
        recipe("""
            plans = client.get_compaction_plans(job_id, timeout=timeout)
            # job_id is what client.compact(...) returned; the plans are the same class
        """),
        client=("get_compaction_plans",),
        result="CompactionPlans",
        verdict="if",
    ),
    Symbol(
        "Collection.get_replicas",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            for replica in client.describe_replica(collection_name, timeout=timeout):
                replica.id, replica.shards, replica.group_nodes, replica.resource_group
            # the list itself takes the place of .groups
        """),
        client=("describe_replica",),
        result="Replica",
        verdict="if",
    ),
)

INDEXES: tuple[Symbol, ...] = (
    Symbol(
        "Collection.index",
        "method",
        "MLV302",
        "**",
        recipe("""
            index = client.describe_index(collection_name, index_name)
            # a flat dict, or None where there is none (the ORM raised IndexNotExistException);
            # without a name: names = client.list_indexes(collection_name), then names[0]
            # build parameters stand at the top of the dict, not under ["params"]
        """),
        client=("describe_index", "list_indexes"),
        result="Index",
        verdict="if",
    ),
    Symbol(
        "Collection.create_index",
        "method",
        "MLV301",
        "field_name, index_params=None, timeout=None, **",
        recipe("""
            index_params = client.prepare_index_params()
            index_params.add_index(
                field_name="vector", index_type="HNSW", metric_type="L2", params={"M": 16}
            )
            client.create_index(collection_name=collection_name, index_params=index_params)
            # from a dict variable: add_index(field_name="vector", **index). Guard it with
            # if not client.list_indexes(collection_name, field_name="vector"): where the index
            # may exist, since the server refuses other (or differently nested) parameters
        """),
        client=("prepare_index_params", "create_index"),
        result="Status",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.create_index(_async=True)",
        "idiom",
        "MLV301",
        "field_name, index_params=None, timeout=None, **",
        recipe("""
            client.create_index(
                collection_name=collection_name, index_params=index_params, sync=False
            )
            # sync=False sends the request and does not wait; to run it beside other work:
            future = executor.submit(client.create_index, collection_name, index_params)
            # never leave _async=True: the client drops the future, errors and all
        """),
        client=("create_index",),
        result="MutationFuture",
        verdict="report",
    ),
    Symbol(
        "Collection.alter_index",
        "method",
        "MLV302",
        "index_name, extra_params, timeout=None, **",
        recipe("""
            client.alter_index_properties(
                collection_name, index_name, properties={"mmap.enabled": True}, timeout=timeout
            )
        """),
        client=("alter_index_properties",),
    ),
    Symbol(
        "Collection.has_index",
        "method",
        "MLV302",
        "timeout=None, **",
        recipe("""
            client.describe_index(collection_name, index_name or "", timeout=timeout) is not None
            # bool(client.list_indexes(collection_name)) does not raise where several indexes make
            # the question ambiguous
        """),
        client=("describe_index",),
        result="bool",
    ),
    Symbol(
        "Collection.drop_index",
        "method",
        "MLV302",
        "timeout=None, **",
        recipe("""
            index = client.describe_index(collection_name, "")
            if index is not None:
                client.drop_index(collection_name, index["index_name"])
            # the client needs the name (the field's, if none was given); the ORM looked it up and
            # did nothing where there was no index
        """),
        client=("describe_index", "drop_index"),
        verdict="if",
    ),
)

DATA: tuple[Symbol, ...] = (
    Symbol(
        "Collection.insert",
        "method",
        "MLV401",
        "data, partition_name=None, timeout=None, **",
        recipe("""
            fields = ("id", "vector")  # in schema order
            rows = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
            res = client.insert(collection_name=collection_name, data=rows, partition_name="part")
            # rows, never columns; no auto-id key, no function outputs; a data frame:
            # df.to_dict("records"). The third place is timeout. An empty list inserts nothing
            # instead of raising. Result: res["ids"], res["insert_count"]
        """),
        client=("insert",),
        result="MutationResult",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.upsert",
        "method",
        "MLV401",
        "data, partition_name=None, timeout=None, **",
        recipe("""
            fields = ("id", "vector")  # in schema order
            rows = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
            res = client.upsert(collection_name=collection_name, data=rows, partition_name="part")
            # rows, never columns, with the key even if it is auto-id. Keywords: the third place is
            # timeout. res["upsert_count"]; res["ids"] only from pymilvus 2.6.3 on
        """),
        client=("upsert",),
        result="MutationResult",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.delete",
        "method",
        "MLV402",
        "expr, partition_name=None, timeout=None, **",
        recipe("""
            client.delete(
                collection_name=collection_name, filter="id in [1]", partition_name="part"
            )
            # filter= must be a keyword: the second place is ids, and "id in [1]" there becomes
            # the filter "id in [id in [1]]". The result is {"delete_count": n}, or a list of keys
            # on Milvus Lite and Milvus before 2.3.2
        """),
        client=("delete",),
        result="MutationResult",
        verdict="if",
        source=RAN_LITE,
    ),
)

READING: tuple[Symbol, ...] = (
    Symbol(
        "Collection.search",
        "method",
        "MLV501",
        "data, anns_field, param, limit, expr=None, partition_names=None, output_fields=None, "
        "timeout=None, round_decimal=-1, ranker=None, function_chains=None, highlighter=None, "
        "search_aggregation=None, **",
        recipe("""
            results = client.search(
                collection_name=collection_name, data=vectors, anns_field="vector",
                search_params={"metric_type": "L2"}, limit=10, filter="id > 0",
                output_fields=["text"],
            )
            # param= is search_params=, expr= is filter=, expr_params= is filter_params=. Keywords
            # only: the order differs. Leave hit.id, hit.distance, hit.entity.get(...) as they are
        """),
        client=("search",),
        result="SearchResult",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.search(_async=True)",
        "idiom",
        "MLV501",
        "data, anns_field, param, limit, expr=None, partition_names=None, output_fields=None, "
        "timeout=None, round_decimal=-1, ranker=None, function_chains=None, highlighter=None, "
        "search_aggregation=None, **",
        recipe("""
            executor = ThreadPoolExecutor()
            future = executor.submit(
                client.search, collection_name=collection_name, data=vectors, anns_field="vector",
                search_params={"metric_type": "L2"}, limit=10,
            )
            results = future.result()
            # or, in async code: await AsyncMilvusClient(uri=uri).search(...), the same keywords
        """),
        client=("search", "AsyncMilvusClient"),
        result="SearchFuture",
        verdict="report",
    ),
    Symbol(
        "Collection.hybrid_search",
        "method",
        "MLV501",
        "reqs, rerank, limit, partition_names=None, output_fields=None, timeout=None, "
        "round_decimal=-1, ranker=None, **",
        recipe("""
            results = client.hybrid_search(
                collection_name=collection_name, reqs=[req1, req2], ranker=RRFRanker(), limit=10,
                output_fields=["text"],
            )
            # rerank= is ranker=. The ORM's own ranker= (a function for every request) has no
            # place here. AnnSearchRequest stays as it is. Empty reqs send a request
        """),
        client=("hybrid_search",),
        result="SearchResult",
        verdict="if",
    ),
    Symbol(
        "Collection.search_iterator",
        "method",
        "MLV503",
        "data, anns_field, param, batch_size=1000, limit=-1, expr=None, partition_names=None, "
        "output_fields=None, timeout=None, round_decimal=-1, **",
        recipe("""
            iterator = client.search_iterator(
                collection_name=collection_name, data=vectors, anns_field="vector",
                search_params={"metric_type": "L2"}, batch_size=100, filter="id > 0",
            )
            while page := iterator.next():  # the end is None or an empty page: test for truth
                ...
            iterator.close()
        """),
        client=("search_iterator",),
        result="SearchIterator",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.query",
        "method",
        "MLV502",
        "expr, output_fields=None, partition_names=None, timeout=None, **",
        recipe("""
            rows = client.query(
                collection_name=collection_name, filter="id > 0", output_fields=["id"]
            )
            # without output_fields the ORM returned the primary key only; the client asks for
            # every field, vectors included: name them. expr_params= is filter_params=
        """),
        client=("query",),
        result="QueryResult",
        verdict="if",
        source=RAN_LITE,
    ),
    Symbol(
        "Collection.query_iterator",
        "method",
        "MLV503",
        "batch_size=1000, limit=-1, expr=None, output_fields=None, partition_names=None, "
        "timeout=None, **",
        recipe("""
            iterator = client.query_iterator(
                collection_name=collection_name, batch_size=100, filter=None, output_fields=["id"]
            )
            while rows := iterator.next():
                ...
            iterator.close()
            # filter=None where the ORM call had no expr: a missing filter sends another request
        """),
        client=("query_iterator",),
        result="QueryIterator",
        verdict="if",
        source=RAN_LITE,
    ),
)

PARTITIONS: tuple[Symbol, ...] = (
    Symbol(
        "Collection.partition",
        "method",
        "MLV701",
        "partition_name, **",
        recipe("""
            exists = client.has_partition(collection_name, "part")
            # the ORM gave a Partition or None: test exists, and use the name where it was used
        """),
        client=("has_partition",),
        result="Partition | None",
        verdict="if",
    ),
    Symbol(
        "Collection.create_partition",
        "method",
        "MLV701",
        "partition_name, description='', **",
        recipe("""
            client.create_partition(collection_name, "part", timeout=timeout)
            # no description (it never reached the server; in third place it would be a timeout).
            # The ORM raised PartitionAlreadyExistException; Milvus accepts an existing one
        """),
        client=("create_partition",),
        result="Partition",
        verdict="if",
    ),
    Symbol(
        "Collection.has_partition",
        "method",
        "MLV701",
        "partition_name, timeout=None, **",
        recipe("""
            client.has_partition(collection_name, "part", timeout=timeout)
        """),
        client=("has_partition",),
        result="bool",
    ),
    Symbol(
        "Collection.drop_partition",
        "method",
        "MLV701",
        "partition_name, timeout=None, **",
        recipe("""
            client.drop_partition(collection_name, "part", timeout=timeout)
        """),
        client=("drop_partition",),
    ),
)

PRIVATE: tuple[Symbol, ...] = (
    Symbol(
        "isinstance(x, Collection)",
        "idiom",
        "MLV290",
        None,
        recipe("""
            # there is no object to ask: test the name you keep
            if collection_name is not None and client.has_collection(collection_name):
                ...
        """),
        client=("has_collection",),
        result="bool",
        warns=False,
        verdict="report",
        source=READ,
    ),
)

SYMBOLS: tuple[Symbol, ...] = LIFE + INDEXES + DATA + READING + PARTITIONS + PRIVATE
