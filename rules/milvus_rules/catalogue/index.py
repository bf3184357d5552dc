"""``Index``: an object with a field, parameters and a name."""

from __future__ import annotations

from milvus_rules.catalogue.model import Symbol, recipe

RULE = "MLV303"

SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "Index",
        "constructor",
        "MLV301",
        "collection, field_name, index_params, **",
        recipe("""
            index_params = client.prepare_index_params()
            index_params.add_index(
                field_name="vector", index_type="HNSW", metric_type="L2", params={"M": 16}
            )
            client.create_index(collection_name=collection_name, index_params=index_params)
            # guard it with if not client.list_indexes(collection_name, field_name="vector"): where
            # the index may exist
        """),
        client=("prepare_index_params", "create_index"),
        result="Index",
        verdict="if",
    ),
    Symbol(
        "Index.params",
        "property",
        RULE,
        None,
        recipe("""
            index_params = {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 16}}
            # the dict that the index was made with; from the server: a flat dict, without "params"
            index = client.describe_index(collection_name, index_name)
        """),
        client=("describe_index",),
        result="dict",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Index.field_name",
        "property",
        RULE,
        None,
        recipe("""
            field_name = "vector"  # what the index was made on, or, from the server:
            client.describe_index(collection_name, index_name)["field_name"]
        """),
        client=("describe_index",),
        result="str",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Index.index_name",
        "property",
        RULE,
        None,
        recipe("""
            index_name = client.list_indexes(collection_name, field_name="vector")[0]
            # the given name; without one Milvus 2.3 and later use the field's name
        """),
        client=("list_indexes",),
        result="str",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Index.collection_name",
        "property",
        RULE,
        None,
        "collection_name  # the name of the collection that was passed to Index(...)",
        result="str",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "Index.to_dict",
        "method",
        RULE,
        "",
        recipe("""
            {
                "collection": collection_name,
                "field": "vector",
                "index_name": client.list_indexes(collection_name, field_name="vector")[0],
                "index_param": {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 16}},
            }
        """),
        client=("list_indexes",),
        result="dict",
        verdict="if",
    ),
    Symbol(
        "Index.drop",
        "method",
        RULE,
        "timeout=None, **",
        recipe("""
            client.drop_index(collection_name, index_name, timeout=timeout)
            # index_name is required; without one of your own it is the field's name
        """),
        client=("drop_index",),
        verdict="if",
    ),
)
