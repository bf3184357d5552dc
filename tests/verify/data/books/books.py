# mypy: ignore-errors
"""Books, with everything that a careless migration can lose."""

from pymilvus import (
    AnnSearchRequest,
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    RRFRanker,
    connections,
    db,
    utility,
)

connections.connect(uri="https://milvus.example.com:19531", token="root:Milvus")
db.create_database("library")
connections.disconnect("default")
connections.connect(uri="https://milvus.example.com:19531", token="root:Milvus", db_name="library")
if utility.has_collection("books"):
    utility.drop_collection("books")
schema = CollectionSchema(
    [
        FieldSchema("isbn", DataType.INT64, is_primary=True),
        FieldSchema("title", DataType.VARCHAR, max_length=64),
        FieldSchema("pages", DataType.INT64),
        FieldSchema("cover", DataType.FLOAT_VECTOR, dim=4),
    ],
    description="all that was ever printed",
)
books = Collection("books", schema, consistency_level="Strong", shards_num=2)
books.create_index(
    "cover",
    {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 8, "efConstruction": 64}},
    index_name="look",
)
isbns, pages = [1, 2, 3], [100, 200, 300]
titles = ["Ada", "Emma", "Ulysses"]
covers = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]]
books.insert([isbns, titles, pages, covers], partition_name="_default")
try:
    books.insert([[4], titles, pages, covers])
except Exception as error:
    print("not as many of each", len(str(error)) > 0)
books.flush()
books.load()
hits = books.search(
    covers[:1],
    "cover",
    {"metric_type": "L2", "params": {"ef": 16}},
    limit=3,
    expr="pages > 50",
    partition_names=["_default"],
    output_fields=["title"],
    round_decimal=3,
    consistency_level="Bounded",
)
print([(hit.id, hit.entity.get("title")) for hit in hits[0]])
wanted = [AnnSearchRequest(covers[:1], "cover", {"metric_type": "L2"}, 2, expr="pages < 250")]
print(len(books.hybrid_search(wanted, RRFRanker(30), 2)[0]))
print(len(books.query("pages > 50")))
print(books.query("isbn in [1, 2]", output_fields=["title"], limit=2, offset=1))
books.delete("isbn in [3]", partition_name="_default")
print(books.num_entities)
books.release()
utility.rename_collection("books", "old_books")
utility.drop_collection("old_books")
connections.disconnect("default")
