"""``Partition``: an object with two names. The client's methods take both."""

from __future__ import annotations

from milvus_rules.catalogue.model import Symbol, recipe

RULE = "MLV701"

SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "Partition",
        "constructor",
        RULE,
        "collection, name, description='', **",
        recipe("""
            if not client.has_partition(collection_name, partition_name):
                client.create_partition(collection_name, partition_name)
            # the description was never sent to the server
        """),
        client=("has_partition", "create_partition"),
        result="Partition",
        verdict="if",
    ),
    Symbol(
        "Partition.name",
        "property",
        RULE,
        None,
        "partition_name  # the expression that was passed to Partition(...)",
        result="str",
        warns=False,
    ),
    Symbol(
        "Partition.description",
        "property",
        RULE,
        None,
        recipe("""
            description = ""  # what was passed to Partition(...): it lived in the object only
        """),
        result="str",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Partition.num_entities",
        "property",
        RULE,
        None,
        'client.get_partition_stats(collection_name, partition_name)["row_count"]',
        client=("get_partition_stats",),
        result="int",
    ),
    Symbol(
        "Partition.is_empty",
        "property",
        RULE,
        None,
        'client.get_partition_stats(collection_name, partition_name)["row_count"] == 0',
        client=("get_partition_stats",),
        result="bool",
    ),
    Symbol(
        "Partition.flush",
        "method",
        RULE,
        "timeout=None, **",
        "client.flush(collection_name, timeout=timeout)  # the whole collection, as before",
        client=("flush",),
    ),
    Symbol(
        "Partition.drop",
        "method",
        RULE,
        "timeout=None, **",
        "client.drop_partition(collection_name, partition_name, timeout=timeout)",
        client=("drop_partition",),
    ),
    Symbol(
        "Partition.load",
        "method",
        RULE,
        "replica_number=None, timeout=None, **",
        recipe("""
            client.load_partitions(collection_name, [partition_name], replica_number=1)
            # never load_collection(name, partition_names=[...]): it loads everything. On pymilvus
            # 2.4.5 to 2.5.8 pass replica_number=0 where the ORM call had none
        """),
        client=("load_partitions",),
        verdict="if",
    ),
    Symbol(
        "Partition.release",
        "method",
        RULE,
        "timeout=None, **",
        "client.release_partitions(collection_name, [partition_name], timeout=timeout)",
        client=("release_partitions",),
    ),
    Symbol(
        "Partition.insert",
        "method",
        "MLV401",
        "data, timeout=None, **",
        recipe("""
            fields = ("id", "vector")  # in schema order
            rows = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
            client.insert(collection_name=collection_name, data=rows, partition_name=partition_name)
            # rows, never columns; without an auto-id key and function outputs
        """),
        client=("insert",),
        result="MutationResult",
        verdict="if",
    ),
    Symbol(
        "Partition.upsert",
        "method",
        "MLV401",
        "data, timeout=None, **",
        recipe("""
            fields = ("id", "vector")  # in schema order
            rows = [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]
            client.upsert(collection_name=collection_name, data=rows, partition_name=partition_name)
            # rows, never columns, with the key even if it is auto-id
        """),
        client=("upsert",),
        result="MutationResult",
        verdict="if",
    ),
    Symbol(
        "Partition.delete",
        "method",
        "MLV402",
        "expr, timeout=None, **",
        recipe("""
            client.delete(
                collection_name=collection_name, filter="id in [1]", partition_name=partition_name
            )
            # filter= must be a keyword: the second place is ids
        """),
        client=("delete",),
        result="MutationResult",
        verdict="if",
    ),
    Symbol(
        "Partition.search",
        "method",
        "MLV501",
        "data, anns_field, param, limit, expr=None, output_fields=None, timeout=None, "
        "round_decimal=-1, **",
        recipe("""
            results = client.search(
                collection_name=collection_name, data=vectors, anns_field="vector",
                search_params={"metric_type": "L2"}, limit=10, filter="id > 0",
                partition_names=[partition_name], output_fields=["text"],
            )
        """),
        client=("search",),
        result="SearchResult",
        verdict="if",
    ),
    Symbol(
        "Partition.hybrid_search",
        "method",
        "MLV501",
        "reqs, rerank, limit, output_fields=None, timeout=None, round_decimal=-1, **",
        recipe("""
            results = client.hybrid_search(
                collection_name=collection_name, reqs=[req1, req2], ranker=RRFRanker(), limit=10,
                partition_names=[partition_name],
            )
        """),
        client=("hybrid_search",),
        result="SearchResult",
        verdict="if",
    ),
    Symbol(
        "Partition.query",
        "method",
        "MLV502",
        "expr, output_fields=None, timeout=None, **",
        recipe("""
            rows = client.query(
                collection_name=collection_name, filter="id > 0", output_fields=["id"],
                partition_names=[partition_name],
            )
            # name the output fields: without them the client asks for every field
        """),
        client=("query",),
        result="QueryResult",
        verdict="if",
    ),
    Symbol(
        "Partition.get_replicas",
        "method",
        "MLV212",
        "timeout=None, **",
        recipe("""
            for replica in client.describe_replica(collection_name, timeout=timeout):
                replica.id, replica.shards, replica.group_nodes, replica.resource_group
            # of the whole collection, as before; the list itself takes the place of .groups
        """),
        client=("describe_replica",),
        result="Replica",
        verdict="if",
    ),
)
