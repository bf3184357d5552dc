"""Deliberate mistakes in the migrated copy: each alone is reported, with its request and field.

They are mistakes that people have made in migrations by hand.
"""

from __future__ import annotations

import pytest

from migrate_milvus.verify.report import as_data, text
from migrate_milvus.verify.verifying import ECHO, Status
from tests.verify.conftest import DATA, VerifyTexts, rewriting, writing

BOOKS = (DATA / "books" / "books.py").read_text(encoding="utf-8")

# (mistake, what the migration wrote, what takes its place, the request, its field)
# without a field: the request is sent on one side only
MISTAKES = [
    ("token lost", '    token="root:Milvus",\n', "", "CreateCollection", "(credentials)"),
    ("database lost", '    db_name="library",\n', "", "Insert", "(database)"),
    ("url= for uri=, which the client swallows", '    uri="https', '    url="https',
     "CreateCollection", "(server)"),
    ("no guard in front of the drop", 'if client.has_collection("books"):\n    client',
     "if False:\n    client", "DescribeCollection", ""),
    ("consistency of the collection lost", '    consistency_level="Strong",\n', "",
     "CreateCollection", "consistency_level"),
    ("shards lost", "    shards_num=2,\n", "", "CreateCollection", "shards_num"),
    ("description lost", 'description="all that was ever printed"', "", "CreateCollection",
     "schema.description"),
    ("quick set-up instead of the schema", "    schema=schema,\n",
     '    dimension=4, primary_field_name="isbn", vector_field_name="cover",\n',
     "CreateCollection", "schema"),
    ("index type changed", '"HNSW"', '"FLAT"', "CreateIndex", "extra_params.index_type"),
    ("metric changed", '    metric_type="L2",\n', '    metric_type="IP",\n', "CreateIndex",
     "extra_params.metric_type"),
    ("build parameters lost", '{"M": 8, "efConstruction": 64}', '{"M": 8}', "CreateIndex",
     "extra_params.efConstruction"),
    ("name of the index lost", '    index_name="look",\n', "", "CreateIndex", "index_name"),
    ("partition of the insert lost", '    partition_name="_default",\n', "", "Insert",
     "partition_name"),
    ("columns under each other's names", '{"isbn": isbn, "title": title, "pages": pages',
     '{"isbn": pages, "title": title, "pages": isbn', "Insert", "fields_data.isbn"),
    ("plain zip on unequal columns", "strict=True", "strict=False", "Insert", ""),
    ("flush lost", 'client.flush("books")\n', "", "Flush", ""),
    ("load lost", 'client.load_collection("books")\n', "", "LoadCollection", ""),
    ("partitions of the search lost", '    partition_names=["_default"],\n', "", "Search",
     "partition_names"),
    ("filter of the search lost", '    filter="pages > 50",\n', "", "Search", "dsl"),
    ("consistency of the search lost", '    consistency_level="Bounded",\n', "", "Search",
     "consistency"),
    ("search parameters lost", ', "params": {"ef": 16}}', "}", "Search", "search_params.params"),
    ("limit of the search lost", "    limit=3,\n", "", "Search", "search_params.topk"),
    ("rounding lost", "    round_decimal=3,\n", "", "Search", "search_params.round_decimal"),
    ("everything asked for in a query", ', output_fields=["isbn"]', "", "Query", "output_fields"),
    ("offset lost", "    offset=1,\n", "", "Query", "query_params.offset"),
    ("ranker changed", "RRFRanker(30)", "RRFRanker()", "HybridSearch", "rank_params"),
    ("positional delete, which means keys", 'collection_name="books", filter="isbn in [3]"',
     '"books", "isbn in [3]"', "Delete", "expr"),
    ("partition of the delete lost", ', partition_name="_default")', ")", "Delete",
     "partition_name"),
    ("names swapped", 'old_name="books", new_name="old_books"',
     'old_name="old_books", new_name="books"', "RenameCollection", "oldName"),
]  # fmt: skip


def _names(paths: list[str], field: str) -> bool:
    return any(path.startswith(field) for path in paths) if field else not paths


def test_without_a_mistake_it_is_equal(verify_text: VerifyTexts) -> None:
    verdict = verify_text(BOOKS)
    assert verdict.status is Status.EQUAL, text(verdict)
    assert verdict.comparison is not None
    assert verdict.comparison.expected == {"flat-index-params": 1, "query-output-fields": 1}
    assert (verdict.comparison.warnings_before, verdict.comparison.warnings_after) == (21, 0)


@pytest.mark.parametrize(
    ("old", "new", "request_name", "field"),
    [mistake[1:] for mistake in MISTAKES],
    ids=[mistake[0] for mistake in MISTAKES],
)
def test_a_mistake_is_reported(
    old: str, new: str, request_name: str, field: str, verify_text: VerifyTexts
) -> None:
    def broken(right: str) -> str:
        assert old in right
        return right.replace(old, new)

    verdict = verify_text(BOOKS, migrate=rewriting(broken))
    assert verdict.exit_code == 1
    found = [
        (difference.method, [change.path for change in difference.changes])
        for difference in verdict.differences
    ]
    report = text(verdict)
    assert any(name == request_name and _names(paths, field) for name, paths in found), report
    assert request_name in report
    assert field in report
    assert len(as_data(verdict)["differences"]) == len(found)


def test_other_output_alone_is_a_difference_with_a_hint(verify_text: VerifyTexts) -> None:
    other = rewriting(lambda right: right + "print('more')\n")
    verdict = verify_text(BOOKS, migrate=other)
    assert (verdict.exit_code, verdict.differences) == (1, ())
    assert "+more" in text(verdict)
    assert "Milvus Lite ignores build parameters" in " ".join(text(verdict).split())


# -- what Milvus Lite does not implement: compared on the echo server ----------------------------

ORM = (
    "from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, Role\n"
    "from pymilvus import connections, utility\n"
    "connections.connect(host='localhost')\n"
)
CLIENT = "from pymilvus import MilvusClient\nclient = MilvusClient(uri='http://localhost:19530')\n"
SCHEMA = (
    "fields = [FieldSchema('pk', DataType.INT64, is_primary=True),\n"
    "          FieldSchema('v', DataType.FLOAT_VECTOR, dim=4)]\n"
    "c = Collection('c', CollectionSchema(fields))\n"
)
MADE = (
    "from pymilvus import CollectionSchema, DataType, FieldSchema\n"
    "fields = [FieldSchema('pk', DataType.INT64, is_primary=True),\n"
    "          FieldSchema('v', DataType.FLOAT_VECTOR, dim=4)]\n"
    "if not client.has_collection('c'):\n"
    "    client.create_collection('c', schema=CollectionSchema(fields))\n"
)

# (mistake, before, right, wrong, the request, its field)
ON_ECHO = [
    ("privilege and object swapped", "Role('r').grant('Collection', 'books', 'Search')",
     "client.grant_privilege('r', 'Collection', 'Search', 'books')",
     "client.grant_privilege('r', 'Collection', 'books', 'Search')",
     "OperatePrivilege", "entity.grantor.privilege"),
    ("user and role swapped", "Role('r').add_user('u')", "client.grant_role('u', 'r')",
     "client.grant_role('r', 'u')", "OperateUserRole", "role_name"),
    ("password changed", "utility.create_user('u', 'Pass-1')",
     "client.create_user('u', 'Pass-1')", "client.create_user('u', 'Pass-2')",
     "CreateCredential", "password"),
    ("replicas lost", SCHEMA + "c.load(replica_number=2)",
     MADE + "client.load_collection('c', replica_number=2)", MADE + "client.load_collection('c')",
     "LoadCollection", "replica_number"),
    ("whole collection loaded for a partition", SCHEMA + "c.load(['p'])",
     MADE + "client.load_partitions('c', ['p'])",
     MADE + "client.load_collection('c', partition_names=['p'])", "LoadPartitions", ""),
    ("refresh lost", SCHEMA + "c.load(_refresh=True)", MADE + "client.refresh_load('c')",
     MADE + "client.load_collection('c')", "LoadCollection", "refresh"),
    ("groups swapped", "utility.transfer_replica('a', 'b', 'c', 2)",
     "client.transfer_replica('a', 'b', 'c', 2)", "client.transfer_replica('b', 'a', 'c', 2)",
     "TransferReplica", "source_resource_group"),
    ("alias of another collection", SCHEMA + "utility.create_alias('c', 'a')",
     MADE + "client.create_alias('c', 'a')", MADE + "client.create_alias('d', 'a')",
     "CreateAlias", "collection_name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "wrong", "request_name", "field"),
    [(mistake[1], *mistake[3:]) for mistake in ON_ECHO],
    ids=[mistake[0] for mistake in ON_ECHO],
)
def test_a_mistake_is_reported_on_the_echo_server(
    before: str, wrong: str, request_name: str, field: str, verify_text: VerifyTexts
) -> None:
    verdict = verify_text(ORM + before, migrate=writing(CLIENT + wrong), backend=ECHO)
    assert verdict.exit_code == 1
    found = [(d.method, [change.path for change in d.changes]) for d in verdict.differences]
    report = text(verdict)
    assert any(name == request_name and _names(paths, field) for name, paths in found), report
    assert request_name in report
    assert field in report


@pytest.mark.parametrize(
    ("before", "right"),
    [(mistake[1], mistake[2]) for mistake in ON_ECHO],
    ids=[mistake[0] for mistake in ON_ECHO],
)
def test_without_the_mistake_it_is_equal_on_the_echo_server(
    before: str, right: str, verify_text: VerifyTexts
) -> None:
    verdict = verify_text(ORM + before, migrate=writing(CLIENT + right), backend=ECHO)
    assert verdict.status is Status.EQUAL, text(verdict)
    assert verdict.comparison is not None
    assert verdict.comparison.compared
