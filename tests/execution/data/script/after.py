# mypy: ignore-errors
"""A script at module level: drop, create, index, load, columns in, search, query, delete."""

import numpy as np
from pymilvus import DataType, MilvusClient

client = MilvusClient(uri="http://127.0.0.1:19530")

if client.has_collection("exec_script"):
    client.drop_collection("exec_script")

schema = MilvusClient.create_schema(description="stones on a beach")
schema.add_field("key", DataType.INT64, is_primary=True, auto_id=True)
schema.add_field("colour", DataType.VARCHAR, max_length=64)
schema.add_field("weight", DataType.DOUBLE)
schema.add_field("shape", DataType.FLOAT_VECTOR, dim=4)
index_params = client.prepare_index_params()
index_params.add_index(
    field_name="shape", index_type="IVF_FLAT", metric_type="IP", params={"nlist": 8}
)
client.create_collection(
    collection_name="exec_script",
    schema=schema,
    index_params=index_params,
    consistency_level="Session",
)

colours = ["grey", "red", "white", "grey"]
weights = [1.5, 0.25, 3.0, 2.0]
shapes = np.random.default_rng(7).random((4, 4), dtype=np.float32)
outcome = client.insert(
    collection_name="exec_script",
    data=[
        {"colour": colour, "weight": weight, "shape": shape}
        for colour, weight, shape in zip(colours, weights, shapes, strict=True)
    ],
)
client.flush("exec_script")
print(client.get_collection_stats("exec_script")["row_count"], outcome["insert_count"])

found = client.search(
    collection_name="exec_script",
    data=shapes[:2],
    anns_field="shape",
    search_params={"metric_type": "IP", "params": {"nprobe": 4}},
    limit=2,
    filter='colour != "red"',
    output_fields=["colour"],
)
for hits in found:
    print([hit.entity.get("colour") for hit in hits])
print(
    len(
        client.query(
            collection_name="exec_script", filter="weight > 1.0", output_fields=["colour", "weight"]
        )
    )
)
print(
    len(client.query(collection_name="exec_script", filter="weight > 2.5", output_fields=["key"]))
)
client.delete(collection_name="exec_script", filter=f"key in [{outcome['ids'][1]}]")
client.drop_collection("exec_script")
client.close()
