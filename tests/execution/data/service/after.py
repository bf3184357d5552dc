# mypy: ignore-errors
"""A class that keeps its connection and its collection on self."""

import os

from pymilvus import DataType, MilvusClient


class Notes:
    def __init__(self, name):
        self.client = MilvusClient(
            uri=f"http://{os.getenv('NOTES_HOST', 'localhost')}:{os.getenv('NOTES_PORT', '19530')}"
        )
        self.collection_name = self._open(name)
        self.client.load_collection(self.collection_name)

    def _open(self, name):
        if self.client.has_collection(name):
            return name
        schema = MilvusClient.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("body", DataType.VARCHAR, max_length=200)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
        self.client.create_collection(collection_name=name, schema=schema)
        index_params = self.client.prepare_index_params()
        index_params.add_index(field_name="vector", index_type="FLAT", metric_type="L2", params={})
        self.client.create_index(collection_name=name, index_params=index_params)
        return name

    def write(self, ids, bodies, vectors):
        self.client.insert(
            collection_name=self.collection_name,
            data=[
                {"id": id_, "body": body, "vector": vector}
                for id_, body, vector in zip(ids, bodies, vectors, strict=True)
            ],
        )
        self.client.flush(self.collection_name)

    def nearest(self, vector):
        hits = self.client.search(
            collection_name=self.collection_name,
            data=[vector],
            anns_field="vector",
            search_params={"metric_type": "L2"},
            limit=1,
            output_fields=["body"],
        )
        return hits[0][0].entity.get("body"), round(hits[0][0].distance, 3)

    def ids(self):
        rows = self.client.query(
            collection_name=self.collection_name, filter="id >= 0", output_fields=["id"]
        )
        return [row["id"] for row in rows]


notes = Notes("exec_service")
notes.write([1, 2], ["buy milk", "call home"], [[0.0] * 4, [1.0] * 4])
print(
    notes.nearest([0.9] * 4),
    notes.ids(),
    notes.client.get_collection_stats(notes.collection_name)["row_count"],
)
again = Notes("exec_service")
print(again.client.get_collection_stats(again.collection_name)["row_count"] == 0)
notes.client.drop_collection("exec_service")
