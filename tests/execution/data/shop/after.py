# mypy: ignore-errors
"""One program with everything that a seeded fault can break."""

from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker

client = MilvusClient(uri="http://localhost:19530", token="root:Milvus", db_name="default")
print(client.has_collection("exec_shop"))
schema = MilvusClient.create_schema(enable_dynamic_field=True, description="things to buy")
schema.add_field("sku", DataType.VARCHAR, max_length=32, is_primary=True)
schema.add_field("price", DataType.FLOAT)
schema.add_field("picture", DataType.FLOAT_VECTOR, dim=4)
if not client.has_collection("exec_shop"):
    client.create_collection(
        collection_name="exec_shop",
        schema=schema,
        consistency_level="Eventually",
        num_shards=2,
    )
if not client.list_indexes("exec_shop", field_name="picture"):
    index_params = client.prepare_index_params()
    index_params.add_index(
        field_name="picture",
        index_type="HNSW",
        metric_type="COSINE",
        params={"M": 8, "efConstruction": 32},
    )
    client.create_index(collection_name="exec_shop", index_params=index_params)
print(client.list_indexes("exec_shop"))
if not client.has_partition("exec_shop", "summer"):
    client.create_partition("exec_shop", "summer")
client.load_collection("exec_shop")
rows = [
    {"sku": f"s{n}", "price": float(n), "picture": [1.0, float(n), 0.0, 0.0], "note": {"n": n}}
    for n in range(4)
]
client.insert(collection_name="exec_shop", data=rows[:3])
client.insert(collection_name="exec_shop", data=rows[3:], partition_name="summer")
client.upsert(
    collection_name="exec_shop",
    data=[{"sku": "s0", "price": 9.0, "picture": [1.0, 0.0, 0.0, 0.0], "note": {"n": 9}}],
)
client.flush("exec_shop")
print(client.get_collection_stats("exec_shop")["row_count"])
hits = client.search(
    collection_name="exec_shop",
    data=[[1.0, 2.0, 0.0, 0.0]],
    anns_field="picture",
    search_params={"metric_type": "COSINE", "params": {"ef": 16}},
    limit=3,
    filter="price > 0.5",
    partition_names=["summer"],
    output_fields=["price"],
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
print(
    len(
        client.hybrid_search(
            collection_name="exec_shop",
            reqs=both,
            ranker=RRFRanker(30),
            limit=2,
            output_fields=["sku"],
        )[0]
    )
)
print(
    client.query(
        collection_name="exec_shop",
        filter='sku in ["s1", "s3"]',
        output_fields=["price"],
        limit=5,
        offset=1,
    )
)
client.delete(collection_name="exec_shop", filter='sku in ["s1"]', partition_name="_default")
print(bool(client.list_indexes("exec_shop")), client.has_partition("exec_shop", "summer"))
client.release_collection("exec_shop")
print(client.has_collection("exec_shop_2"))
client.rename_collection("exec_shop", "exec_shop_2")
print(sorted(client.list_collections()))
client.drop_collection("exec_shop_2")
client.close()
