# mypy: ignore-errors
"""One program with everything that a seeded fault can break."""

from pymilvus import (
    AnnSearchRequest,
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    Partition,
    RRFRanker,
    connections,
    utility,
)

connections.connect(uri="http://localhost:19530", token="root:Milvus", db_name="default")
print(utility.has_collection("exec_shop"))
schema = CollectionSchema(
    [
        FieldSchema("sku", DataType.VARCHAR, max_length=32, is_primary=True),
        FieldSchema("price", DataType.FLOAT),
        FieldSchema("picture", DataType.FLOAT_VECTOR, dim=4),
    ],
    description="things to buy",
    enable_dynamic_field=True,
)
shop = Collection("exec_shop", schema, consistency_level="Eventually", num_shards=2)
shop.create_index(
    "picture",
    {"index_type": "HNSW", "metric_type": "COSINE", "params": {"M": 8, "efConstruction": 32}},
)
print([index.field_name for index in shop.indexes])
summer = Partition(shop, "summer")
shop.load()
rows = [
    {"sku": f"s{n}", "price": float(n), "picture": [1.0, float(n), 0.0, 0.0], "note": {"n": n}}
    for n in range(4)
]
shop.insert(rows[:3])
shop.insert(rows[3:], partition_name="summer")
shop.upsert([{"sku": "s0", "price": 9.0, "picture": [1.0, 0.0, 0.0, 0.0], "note": {"n": 9}}])
shop.flush()
print(shop.num_entities)
hits = shop.search(
    [[1.0, 2.0, 0.0, 0.0]],
    "picture",
    {"metric_type": "COSINE", "params": {"ef": 16}},
    3,
    "price > 0.5",
    ["summer"],
    ["price"],
    consistency_level="Strong",
    round_decimal=3,
)
print([(hit.id, hit.entity.get("price")) for hit in hits[0]])
both = [
    AnnSearchRequest([[1.0, 1.0, 0.0, 0.0]], "picture", {"metric_type": "COSINE"}, 2),
    AnnSearchRequest(
        [[1.0, 3.0, 0.0, 0.0]], "picture", {"metric_type": "COSINE"}, 2, expr="price < 5"
    ),
]
print(len(shop.hybrid_search(both, RRFRanker(30), 2, output_fields=["sku"])[0]))
print(shop.query('sku in ["s1", "s3"]', ["price"], limit=5, offset=1))
shop.delete('sku in ["s1"]', partition_name="_default")
print(shop.has_index(), shop.has_partition("summer"))
shop.release()
print(utility.has_collection("exec_shop_2"))
utility.rename_collection("exec_shop", "exec_shop_2")
print(sorted(utility.list_collections()))
utility.drop_collection("exec_shop_2")
connections.disconnect("default")
