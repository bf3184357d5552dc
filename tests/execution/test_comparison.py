"""The comparison sees what a wrong migration would change, and only that."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus.verify.compare import Comparison, compare
from migrate_milvus.verify.output import clean
from migrate_milvus.verify.trace import Recording, Request, Run, Warned

RunProgram = Callable[[Path], Run]

# (what is broken, text of shop/after.py, its replacement, words the report must contain)
FAULTS = [
    ("search limit changed", "limit=3,", "limit=2,", ["Search", "topk"]),
    ("search filter lost", '    filter="price > 0.5",\n', "", ["Search", "dsl"]),
    ("search partition lost", '    partition_names=["summer"],\n', "", ["Search", "partition"]),
    ("search output fields lost", '    output_fields=["price"],\n    consistency',
     "    consistency", ["Search", "output_fields"]),
    ("search parameters lost", '{"metric_type": "COSINE", "params": {"ef": 16}}',
     '{"metric_type": "COSINE"}', ["Search", "params"]),
    ("search rounding lost", "    round_decimal=3,\n", "", ["Search", "round_decimal"]),
    ("search consistency lost", '    consistency_level="Strong",\n    round', "    round",
     ["Search", "consistency"]),
    ("consistency of the collection lost", '        consistency_level="Eventually",\n', "",
     ["CreateCollection", "consistency_level"]),
    ("shards lost", "        num_shards=2,\n", "", ["CreateCollection", "shards_num"]),
    ("description lost", ', description="things to buy"', "", ["CreateCollection", "description"]),
    ("dynamic field lost", "enable_dynamic_field=True, ", "", ["CreateCollection", "dynamic"]),
    ("field length changed", "max_length=32", "max_length=33", ["CreateCollection", "max_length"]),
    ("index type changed", '"HNSW"', '"IVF_FLAT"', ["CreateIndex", "index_type"]),
    ("index parameter lost", ', "efConstruction": 32', "", ["CreateIndex", "efConstruction"]),
    ("metric changed", 'metric_type="COSINE"', 'metric_type="L2"', ["CreateIndex", "metric_type"]),
    ("user's has_collection lost", 'print(client.has_collection("exec_shop_2"))', "print(False)",
     ["only before", "DescribeCollection", "has_collection"]),
    ("user's look at the indexes lost", 'print(client.list_indexes("exec_shop"))',
     "print(['picture'])", ["only before", "DescribeIndex", "indexes"]),
    ("has_index lost", 'bool(client.list_indexes("exec_shop"))', "True",
     ["only before", "DescribeIndex", "has_index"]),
    ("has_partition lost", 'client.has_partition("exec_shop", "summer"))', "True)",
     ["only before", "HasPartition", "has_partition"]),
    ("partition of the insert lost", ', partition_name="summer")', ")", ["Insert", "partition"]),
    ("partition of the delete lost", ', partition_name="_default")', ")", ["Delete", "partition"]),
    ("one row lost", "data=rows[:3]", "data=rows[:2]", ["Insert", "num_rows"]),
    ("one value changed", '"price": 9.0', '"price": 8.0', ["Upsert", "price"]),
    ("a dynamic value changed", '"note": {"n": 9}', '"note": {"n": 8}', ["Upsert", "$meta"]),
    ("a row twice", 'client.flush("exec_shop")',
     'client.flush("exec_shop")\nclient.insert(collection_name="exec_shop", data=rows[:1])',
     ["only after", "Insert"]),
    ("flush lost", 'client.flush("exec_shop")\n', "", ["only before", "Flush"]),
    ("load lost", 'client.load_collection("exec_shop")\n', "", ["only before", "LoadCollection"]),
    ("load moved", 'client.flush("exec_shop")\n',
     'client.flush("exec_shop")\nclient.load_collection("exec_shop")\n', ["only after", "Load"]),
    ("upsert became insert", "client.upsert(", "client.insert(", ["Upsert", "Insert"]),
    ("query offset lost", "        offset=1,\n", "", ["Query", "offset"]),
    ("query asks for everything", 'output_fields=["price"],\n        limit',
     'output_fields=["*"],\n        limit', ["Query", "output_fields"]),
    ("ranker changed", "RRFRanker(30)", "RRFRanker(60)", ["HybridSearch", "rank_params"]),
    ("delete of another key", 'filter=\'sku in ["s1"]\'', 'filter=\'sku in ["s2"]\'',
     ["Delete", "expr"]),
    ("release lost", 'client.release_collection("exec_shop")\n', "", ["ReleaseCollection"]),
    ("another name", '"exec_shop", "exec_shop_2"', '"exec_shop", "exec_shop_3"',
     ["RenameCollection"]),
    ("token lost", 'token="root:Milvus", ', "", ["(credentials)"]),
    ("another token", "root:Milvus", "root:milvus", ["(credentials)"]),
    ("another server", "http://localhost:19530", "http://localhost:19531", ["(server)"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop_before(data: Path, warm: Any, lite: Any) -> Run:
    run: Run = warm.run(data / "shop" / "before.py", address=lite.fresh(), salt="tests")
    assert run.exit_status == 0, run.stderr
    return run


@pytest.mark.parametrize("name", ["script", "service", "helpers", "shop"])
def test_a_right_migration_is_equal(name: str, data: Path, run_program: RunProgram) -> None:
    before = run_program(data / name / "before.py")
    after = run_program(data / name / "after.py")
    comparison = compare(before, after)
    assert [difference.text for difference in comparison.differences] == []
    assert comparison.equal
    assert before.exit_status == 0
    assert comparison.warnings_before > 8
    assert comparison.warnings_after == 0
    assert set(comparison.expected) <= {
        "flat-index-params",
        "guard-lookup",
        "index-guard-lookup",
        "partition-guard-lookup",
        "query-output-fields",
    }


@pytest.mark.parametrize(
    ("old", "new", "words"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_wrong_migration_is_different(
    old: str,
    new: str,
    words: list[str],
    data: Path,
    tmp_path: Path,
    shop_before: Run,
    run_program: RunProgram,
) -> None:
    right = (data / "shop" / "after.py").read_text(encoding="utf-8")
    assert old in right
    wrong = tmp_path / "after.py"
    wrong.write_text(right.replace(old, new), encoding="utf-8")
    comparison = compare(shop_before, run_program(wrong))
    assert not comparison.equal
    report = "\n".join(difference.text for difference in comparison.differences)
    for word in words:
        assert word in report


def test_a_lost_guard_is_different_where_it_decides(
    data: Path, tmp_path: Path, run_program: RunProgram
) -> None:
    """The collection is there already: without its guard the program creates it again."""
    twice = 'make("exec_helpers")\nnumbers = make("exec_helpers")'
    programs = []
    for side in ("before", "after"):
        text = (data / "helpers" / f"{side}.py").read_text(encoding="utf-8")
        program = tmp_path / f"{side}.py"
        program.write_text(text.replace('numbers = make("exec_helpers")', twice), encoding="utf-8")
        programs.append(program)
    before = run_program(programs[0])
    assert compare(before, run_program(programs[1])).equal
    text = programs[1].read_text(encoding="utf-8")
    programs[1].write_text(text.replace("if not client.has_collection(name):", "if True:"))
    report = [
        difference.text for difference in compare(before, run_program(programs[1])).differences
    ]
    assert any("only after: CreateCollection" in line for line in report)


def test_other_output_is_different(data: Path, tmp_path: Path, run_program: RunProgram) -> None:
    wrong = tmp_path / "after.py"
    right = (data / "script" / "after.py").read_text(encoding="utf-8")
    wrong.write_text(right + "print('done')\n", encoding="utf-8")
    comparison = compare(run_program(data / "script" / "before.py"), run_program(wrong))
    assert not comparison.differences
    assert not comparison.same_stdout
    assert not comparison.equal


def test_other_exit_status_is_different(
    data: Path, tmp_path: Path, run_program: RunProgram
) -> None:
    wrong = tmp_path / "after.py"
    right = (data / "script" / "after.py").read_text(encoding="utf-8")
    wrong.write_text(right + "raise SystemExit(3)\n", encoding="utf-8")
    comparison = compare(run_program(data / "script" / "before.py"), run_program(wrong))
    assert not comparison.same_exit_status
    assert not comparison.equal


def test_keys_that_the_server_made_up_are_the_same_on_2_5(
    data: Path, run_on: Callable[[Path, str], Run]
) -> None:
    """Milvus Lite 2.5 takes automatic keys from its clock; the delete by key is still compared."""
    before = run_on(data / "script" / "before.py", "2.5")
    after = run_on(data / "script" / "after.py", "2.5")
    assert before.recording.generated != after.recording.generated
    comparison = compare(before, after)
    assert [difference.text for difference in comparison.differences] == []
    assert comparison.equal


# -- without a server: recordings written by hand ----------------------------------------------

_CLOCK = itertools.count(1)


def _request(
    method: str, call: str = "pymilvus.orm.collection:Collection.x", **more: Any
) -> Request:
    place = {"process": 0, "thread": "main", "at": next(_CLOCK), **more.pop("at_", {})}
    return Request(method, more, call, "program.py", 1, **place)


def _run(*requests: Request, warnings: int = 0, stdout: str = "", primary: str = "") -> Run:
    warned = tuple(Warned("old", "program.py", 1) for _ in range(warnings))
    primaries = {"c": primary} if primary else {}
    return Run(0, stdout, "", Recording(tuple(requests), warned, primaries))


def _texts(comparison: Comparison) -> list[str]:
    return [difference.text for difference in comparison.differences]


CLIENT = "pymilvus.milvus_client.milvus_client:MilvusClient."


@pytest.mark.parametrize(
    "method", ["DescribeCollection", "DescribeIndex", "HasPartition", "GetLoadingProgress",
               "GetFlushState"]
)  # fmt: skip
def test_only_pymilvus_own_look_ups_may_be_left_out(method: str) -> None:
    own = _request(method, "pymilvus.orm.collection:Collection.insert", collection_name="c")
    asked = _request(method, "pymilvus.orm.utility:has_collection", collection_name="c")
    assert compare(_run(own), _run()).equal
    assert not compare(_run(asked), _run()).equal
    assert not compare(_run(), _run(asked)).equal


@pytest.mark.parametrize("method", ["GetCollectionStatistics", "ShowCollections", "GetLoadState"])
def test_no_other_look_up_may_be_left_out(method: str) -> None:
    own = _request(method, "pymilvus.orm.collection:Collection.insert", collection_name="c")
    assert not compare(_run(own), _run()).equal


def test_order_counts_in_one_thread() -> None:
    first, second = (_request("DropCollection", collection_name=name) for name in "ab")
    assert compare(_run(first, second), _run(first, second)).equal
    assert not compare(_run(first, second), _run(second, first)).equal


def test_order_does_not_count_between_concurrent_threads() -> None:
    def drop(thread: str, name: str) -> Request:
        return _request("DropCollection", collection_name=name, at_={"thread": thread})

    def side(one: list[str], two: list[str]) -> Run:
        return _run(
            *[
                drop(thread, name)
                for pair in zip(one, two, strict=True)
                for thread, name in zip(("thread-1", "thread-2"), pair, strict=True)
            ]
        )

    assert compare(side(["a", "b"], ["c", "d"]), side(["c", "a"], ["d", "b"])).equal
    assert not compare(side(["a", "b"], ["c", "d"]), side(["a", "b"], ["c", "e"])).equal
    assert not compare(side(["a", "b"], ["c", "d"]), side(["a", "b"], ["c", "c"])).equal


def test_order_counts_between_threads_that_run_one_after_the_other() -> None:
    def side(*names: str) -> Run:
        return _run(
            *[
                _request("DropCollection", collection_name=name, at_={"thread": f"thread-{number}"})
                for number, name in enumerate(names)
            ]
        )

    assert compare(side("a", "b"), side("a", "b")).equal
    assert not compare(side("a", "b"), side("b", "a")).equal


def test_order_does_not_count_between_workers_of_one_process() -> None:
    """As pytest-xdist has them: the workers send, the process that started them does not."""

    def side(names: list[tuple[int, str]], parents: dict[int, int | None]) -> Run:
        run = _run(
            *[
                _request("DropCollection", collection_name=name, at_={"process": process})
                for process, name in names
            ]
        )
        return replace(run, recording=replace(run.recording, parents=parents))

    one, other = [(1, "a"), (2, "b"), (1, "c")], [(2, "a"), (1, "b"), (2, "c")]
    workers: dict[int, int | None] = {0: None, 1: 0, 2: 0}
    jobs: dict[int, int | None] = {1: None, 2: None}
    for parents in (workers, jobs):
        assert compare(side(one, parents), side(other, parents)).equal
        assert not compare(side(one, parents), side(one[:2], parents)).equal
    after_each_other, swapped = [(1, "a"), (2, "b")], [(1, "b"), (2, "a")]
    for parents in (workers, jobs):
        assert not compare(side(after_each_other, parents), side(swapped, parents)).equal


def test_the_default_database_has_three_spellings() -> None:
    def on(name: str) -> Run:
        return _run(_request("Flush", at_={"database": name}))

    assert compare(on("default"), on("")).equal
    assert _texts(compare(on("default"), on("other")))


def test_polls_of_one_state_are_one_poll() -> None:
    poll = [_request("GetLoadState", CLIENT + "get_load_state", collection_name="c")] * 3
    assert compare(_run(*poll), _run(poll[0])).equal
    assert not compare(_run(*poll), _run()).equal


def test_a_repeated_question_is_not_a_poll() -> None:
    asked = [_request("DescribeCollection", CLIENT + "has_collection", collection_name="c")] * 2
    assert not compare(_run(*asked), _run(asked[0])).equal


def test_a_primary_key_for_an_empty_list_is_expected() -> None:
    empty = _request("Query", collection_name="c", expr="x > 1")
    named = _request("Query", collection_name="c", expr="x > 1", output_fields=["pk"])
    right = compare(_run(empty), _run(named, primary="pk"))
    assert right.equal
    assert right.expected == {"query-output-fields": 1}
    assert not compare(_run(empty), _run(named, primary="id")).equal
    assert not compare(_run(empty), _run(named)).equal
    assert not compare(_run(named), _run(empty, primary="pk")).equal


def test_fields_in_another_order_are_row_data() -> None:
    fields = [
        {"field_name": "a", "scalars": {"long_data": {"data": [1]}}},
        {"field_name": "b", "scalars": {"long_data": {"data": [2]}}},
    ]
    before = _run(_request("Insert", collection_name="c", fields_data=fields))
    after = _run(_request("Insert", collection_name="c", fields_data=fields[::-1]))
    comparison = compare(before, after)
    assert comparison.equal
    assert comparison.expected == {"row-data": 1}


def test_an_empty_dynamic_field_is_row_data() -> None:
    def insert(*dynamic: bytes) -> Run:
        fields: list[dict[str, Any]] = [
            {"field_name": "a", "scalars": {"long_data": {"data": [1, 2]}}}
        ]
        if dynamic:
            held = [{"$bytes": base64.b64encode(value).decode()} for value in dynamic]
            meta = {"field_name": "$meta", "is_dynamic": True}
            fields.append({**meta, "scalars": {"json_data": {"data": held}}})
        return _run(_request("Insert", collection_name="c", fields_data=fields))

    assert compare(insert(), insert(b"{}", b"{}")).expected == {"row-data": 1}
    assert not compare(insert(), insert(b"{}", b'{"x": 1}')).equal
    assert not compare(insert(b"{}", b'{"x": 1}'), insert(b"{}", b"{}")).equal


def test_the_iterator_probe_is_expected_and_no_other_search() -> None:
    def search(**parameters: str) -> Run:
        listed = [{"key": key, "value": value} for key, value in parameters.items()]
        call = CLIENT + "search_iterator"
        return _run(_request("Search", call, collection_name="c", search_params=listed))

    probe = search(topk="1", search_iter_v2="True", search_iter_batch_size="1")
    page = search(topk="3", search_iter_v2="True", search_iter_batch_size="3")
    assert compare(_run(), probe).expected == {"iterator-probe": 1}
    assert not compare(_run(), page).equal
    assert not compare(_run(), search(topk="1")).equal
    assert not compare(probe, _run()).equal


def test_a_guard_stands_for_the_look_up_of_the_constructor_only() -> None:
    own = _request(
        "DescribeCollection", "pymilvus.orm.collection:Collection.__init__", collection_name="c"
    )
    guard = _request("DescribeCollection", CLIENT + "has_collection", collection_name="c")
    other = _request("DescribeCollection", CLIENT + "has_collection", collection_name="d")
    assert compare(_run(own), _run(guard)).expected == {"guard-lookup": 1}
    assert not compare(_run(own), _run(other)).equal
    assert not compare(_run(own), _run(guard, guard)).equal


def test_an_index_guard_stands_before_its_create_or_instead_of_it() -> None:
    create = _request("CreateIndex", collection_name="c", field_name="v")
    guard = _request("DescribeIndex", CLIENT + "list_indexes", collection_name="c")
    other = _request("DescribeIndex", CLIENT + "list_indexes", collection_name="d")
    assert compare(_run(create), _run(guard, create)).expected == {"index-guard-lookup": 1}
    assert compare(_run(create), _run(guard)).expected == {"guarded-index": 1}
    assert not compare(_run(create), _run(other)).equal
    assert not compare(_run(create), _run(other, create)).equal
    assert not compare(_run(create), _run()).equal
    assert not compare(_run(), _run(guard)).equal


def test_a_wait_is_folded_only_after_what_it_waits_for() -> None:
    load = _request("LoadCollection", collection_name="c")
    wait = _request(
        "GetLoadingProgress", "pymilvus.orm.utility:wait_for_loading_complete", collection_name="c"
    )
    assert compare(_run(load, wait), _run(load)).expected == {"wait-folded": 1}
    assert not compare(_run(wait), _run()).equal


def test_an_index_is_not_read_back_only_after_it_was_made() -> None:
    create = _request("CreateIndex", collection_name="c", field_name="v")
    look = _request(
        "DescribeIndex", "pymilvus.orm.collection:Collection.index", collection_name="c"
    )
    assert compare(_run(create, look), _run(create)).expected == {"index-read-back": 1}
    assert not compare(_run(look), _run()).equal
    assert not compare(_run(look, create), _run(create)).equal


def test_each_index_is_described_only_behind_the_list_of_them() -> None:
    def look(call: str, **wanted: str) -> Request:
        return _request("DescribeIndex", f"pymilvus.{call}", collection_name="c", **wanted)

    before = look("orm.collection:Collection.indexes")
    listed = look("milvus_client.milvus_client:MilvusClient.list_indexes")
    one = look("milvus_client.milvus_client:MilvusClient.describe_index", index_name="v")
    two = look("milvus_client.milvus_client:MilvusClient.describe_index", index_name="w")
    assert compare(_run(before), _run(listed, one, two)).expected == {"each-index": 2}
    between = _request("Query", collection_name="c")
    assert not compare(_run(before, between), _run(listed, between, one)).equal
    assert not compare(_run(between), _run(between, one)).equal


def test_an_index_may_be_dropped_by_its_own_name() -> None:
    def drop(**names: str) -> Run:
        return _run(_request("DropIndex", collection_name="c", **names))

    assert compare(drop(field_name="v"), drop(index_name="v")).expected == {"drop-index-by-name": 1}
    assert compare(drop(field_name="v", index_name="i"), drop(index_name="i")).equal
    assert not compare(drop(field_name="v", index_name="i"), drop(index_name="v")).equal
    assert not compare(drop(field_name="v"), drop(index_name="w")).equal
    assert not compare(drop(field_name="v"), drop()).equal


def test_the_clients_database_counts_where_it_decides() -> None:
    def on(method: str, database: str, **payload: Any) -> Run:
        return _run(_request(method, at_={"database": database}, **payload))

    user, grant = {"username": "u"}, {"entity": {"db_name": "films", "object_name": "c"}}
    without = compare(on("CreateCredential", "", **user), on("CreateCredential", "films", **user))
    assert without.expected == {"database-header": 1}
    twice = compare(on("OperatePrivilege", "", **grant), on("OperatePrivilege", "films", **grant))
    assert twice.expected == {"grant-database": 1}
    other = compare(on("OperatePrivilege", "", **grant), on("OperatePrivilege", "books", **grant))
    assert "(database): 'default' -> 'books'" in _texts(other)[0]
    alias = {"alias": "a", "collection_name": "c"}
    assert not compare(on("CreateAlias", "", **alias), on("CreateAlias", "films", **alias)).equal
    assert not compare(
        on("CreateCredential", "films", **user), on("CreateCredential", "", **user)
    ).equal


def test_one_role_may_be_looked_for_among_all() -> None:
    def asks(call: str, **payload: Any) -> Run:
        return _run(_request("SelectRole", call, **payload))

    one, every = "pymilvus.orm.role:Role.is_exist", "pymilvus.milvus_client:MilvusClient.list_roles"
    assert compare(asks(one, role={"name": "a"}), asks(every)).expected == {"role-lookup": 1}
    assert not compare(asks(every, role={"name": "a"}), asks(every)).equal
    assert not compare(asks(one, role={"name": "a"}), asks(one)).equal
    described = asks("pymilvus.milvus_client:MilvusClient.describe_role", role={"name": "a"})
    assert compare(_run(), described).expected == {"role-lookup": 1}
    assert not compare(_run(), asks(every)).equal


def test_long_runs_are_compared_block_by_block() -> None:
    def drops(numbers: list[int]) -> Run:
        return _run(*[_request("DropCollection", collection_name=f"c{n}") for n in numbers])

    assert compare(drops(list(range(1500))), drops(list(range(1500)))).equal
    lost = compare(drops(list(range(1500))), drops([n for n in range(1500) if n != 700]))
    assert _texts(lost) == ["only before: DropCollection('c700') by Collection.x at program.py:1"]


def test_standard_error_is_compared_without_warnings_and_places() -> None:
    before = (
        "/a/before.py:3: PyMilvusDeprecationWarning: `Collection` will be removed.\n"
        "  c = Collection('c')\n"
        "Traceback (most recent call last):\n"
        '  File "/a/before.py", line 4, in <module>\n'
        "    c.insert()\n"
        "ValueError: wrong\n"
    )
    after = (
        "Traceback (most recent call last):\n"
        '  File "/b/after.py", line 9, in <module>\n'
        "    client.insert()\n"
        "ValueError: wrong\n"
    )
    assert clean(before) == clean(after)
    assert clean(before) != clean(after.replace("wrong", "other"))
