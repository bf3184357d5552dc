# mypy: ignore-errors
"""A class that keeps its connection and its collection on self."""

import os

from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility


class Notes:
    def __init__(self, name):
        connections.connect(
            host=os.getenv("NOTES_HOST", "localhost"), port=os.getenv("NOTES_PORT", "19530")
        )
        self.collection = self._open(name)
        self.collection.load()

    def _open(self, name):
        if utility.has_collection(name):
            return Collection(name)
        schema = CollectionSchema(
            [
                FieldSchema("id", DataType.INT64, is_primary=True),
                FieldSchema("body", DataType.VARCHAR, max_length=200),
                FieldSchema("vector", DataType.FLOAT_VECTOR, dim=4),
            ]
        )
        collection = Collection(name, schema)
        collection.create_index("vector", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
        return collection

    def write(self, ids, bodies, vectors):
        self.collection.insert([ids, bodies, vectors])
        self.collection.flush()

    def nearest(self, vector):
        hits = self.collection.search(
            data=[vector],
            anns_field="vector",
            param={"metric_type": "L2"},
            limit=1,
            output_fields=["body"],
        )
        return hits[0][0].entity.get("body"), round(hits[0][0].distance, 3)

    def ids(self):
        return [row["id"] for row in self.collection.query(expr="id >= 0")]


notes = Notes("exec_service")
notes.write([1, 2], ["buy milk", "call home"], [[0.0] * 4, [1.0] * 4])
print(notes.nearest([0.9] * 4), notes.ids(), notes.collection.num_entities)
again = Notes("exec_service")
print(again.collection.is_empty)
utility.drop_collection("exec_service")
