# mypy: ignore-errors
"""Functions that hand a Collection around; the index may exist when it is asked for again."""

from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections

ADDRESS = ("localhost", "19530")


def connect():
    connections.connect(host=ADDRESS[0], port=ADDRESS[1])


def make(name):
    schema = CollectionSchema(
        [
            FieldSchema("n", DataType.INT64, is_primary=True),
            FieldSchema("v", DataType.FLOAT_VECTOR, dim=4),
        ]
    )
    return Collection(name, schema)


def fill(collection, count):
    data = [list(range(count)), [[float(n), 1.0, 2.0, 3.0] for n in range(count)]]
    collection.insert(data)
    collection.flush()


def nearest(collection, vector, **kwargs):
    collection.create_index("v", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
    collection.load()
    return collection.search([vector], "v", {"metric_type": "L2"}, 2, **kwargs)[0].ids


connect()
numbers = make("exec_helpers")
fill(numbers, 4)
print(nearest(numbers, [2.0, 1.0, 2.0, 3.0], expr="n > 0"), numbers.name, numbers.num_entities)
numbers.drop()
