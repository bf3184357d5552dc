# mypy: ignore-errors
"""Functions that hand a Collection around; the index may exist when it is asked for again."""

from pymilvus import DataType, MilvusClient

ADDRESS = ("localhost", "19530")

client: MilvusClient


def connect():
    global client  # noqa: PLW0603
    client = MilvusClient(uri=f"http://{ADDRESS[0]}:{ADDRESS[1]}")


def make(name):
    schema = MilvusClient.create_schema()
    schema.add_field("n", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    if not client.has_collection(name):
        client.create_collection(collection_name=name, schema=schema)
    return name


def fill(collection_name, count):
    data = [list(range(count)), [[float(n), 1.0, 2.0, 3.0] for n in range(count)]]
    client.insert(
        collection_name=collection_name,
        data=[dict(zip(("n", "v"), row, strict=True)) for row in zip(*data, strict=True)],
    )
    client.flush(collection_name)


def nearest(collection_name, vector, **kwargs):
    if not client.list_indexes(collection_name, field_name="v"):
        index_params = client.prepare_index_params()
        index_params.add_index(field_name="v", index_type="FLAT", metric_type="L2", params={})
        client.create_index(collection_name=collection_name, index_params=index_params)
    client.load_collection(collection_name)
    return client.search(
        collection_name=collection_name,
        data=[vector],
        anns_field="v",
        search_params={"metric_type": "L2"},
        limit=2,
        **kwargs,
    )[0].ids


connect()
numbers = make("exec_helpers")
fill(numbers, 4)
print(
    nearest(numbers, [2.0, 1.0, 2.0, 3.0], filter="n > 0"),
    numbers,
    client.get_collection_stats(numbers)["row_count"],
)
client.drop_collection(numbers)
