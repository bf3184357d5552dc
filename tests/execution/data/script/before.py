# mypy: ignore-errors
"""A script at module level: drop, create, index, load, columns in, search, query, delete."""

import numpy as np
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

connections.connect("default", host="127.0.0.1", port=19530)

if utility.has_collection("exec_script"):
    utility.drop_collection("exec_script")

schema = CollectionSchema(
    [
        FieldSchema("key", DataType.INT64, is_primary=True, auto_id=True),
        FieldSchema("colour", DataType.VARCHAR, max_length=64),
        FieldSchema("weight", DataType.DOUBLE),
        FieldSchema("shape", DataType.FLOAT_VECTOR, dim=4),
    ],
    "stones on a beach",
)
stones = Collection("exec_script", schema, consistency_level="Session")
stones.create_index(
    "shape", {"index_type": "IVF_FLAT", "metric_type": "IP", "params": {"nlist": 8}}
)
stones.load()

colours = ["grey", "red", "white", "grey"]
weights = [1.5, 0.25, 3.0, 2.0]
shapes = np.random.default_rng(7).random((4, 4), dtype=np.float32)
outcome = stones.insert([colours, weights, shapes])
stones.flush()
print(stones.num_entities, outcome.insert_count)

found = stones.search(
    shapes[:2],
    "shape",
    {"metric_type": "IP", "params": {"nprobe": 4}},
    limit=2,
    expr='colour != "red"',
    output_fields=["colour"],
)
for hits in found:
    print([hit.entity.get("colour") for hit in hits])
print(len(stones.query(expr="weight > 1.0", output_fields=["colour", "weight"])))
print(len(stones.query(expr="weight > 2.5")))
stones.delete(f"key in [{outcome.primary_keys[1]}]")
stones.drop()
connections.disconnect("default")
