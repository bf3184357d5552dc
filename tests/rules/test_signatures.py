"""The signature data is what pymilvus has, and calls that would go wrong are rejected.

How the data was made. ``declared`` is read from pymilvus' source by ``declared_in`` below; no
import of that release is needed, only its unpacked wheel::

    pip download --no-deps pymilvus==2.6.13 && unzip -d old pymilvus-2.6.13-*.whl
    python tests/rules/test_signatures.py old/pymilvus 2.6.13

rewrites the part of ``signatures.json`` for that release and prints the readers that it lacks.
``read`` was collected by following ``**kwargs`` from each client method to the functions that take
keys out of it; ``reads`` below checks each entry against the named function.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from milvus_rules import signatures, versions
from milvus_rules.signatures import Receivers, check_call, check_module

NEWEST = (3, 0, 2)
OLDEST = (2, 6, 13)
BOTH = pytest.mark.parametrize("version", [OLDEST, NEWEST])

CLASSES = {
    "milvus_client/base.py": ("BaseMilvusClient", ""),
    "milvus_client/milvus_client.py": ("MilvusClient", ""),
    "milvus_client/index.py": ("IndexParams", "IndexParams."),
    "orm/schema.py": ("CollectionSchema", "CollectionSchema."),
}
OTHERS = {"IndexParams.add_index", "CollectionSchema.add_field", "CollectionSchema.add_function"}


def declared_in(root: Path) -> dict[str, str]:
    """Method -> parameters as the data writes them, read from pymilvus' source at ``root``."""
    found: dict[str, str] = {}
    for file, (name, prefix) in CLASSES.items():
        for function in _functions(ast.parse((root / file).read_text(encoding="utf-8")), name):
            method = prefix + function.name
            if method == "__init__" and name == "MilvusClient":
                method = "MilvusClient"
            if (prefix and method not in OTHERS) or method.startswith("_"):
                continue
            found[method] = ", ".join(_parameters(function))
    return dict(sorted(found.items()))


def _functions(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield from (item for item in node.body if isinstance(item, ast.FunctionDef))


def _parameters(function: ast.FunctionDef) -> Iterator[str]:
    arguments = function.args
    optional = len(arguments.args) - len(arguments.defaults)
    for position, argument in enumerate(arguments.args):
        if argument.arg not in ("self", "cls"):
            yield argument.arg + ("=" if position >= optional else "")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg + ("=" if default is not None else "")
    if arguments.kwarg:
        yield "**"


def reads(root: Path, reader: str, keyword: str) -> bool:
    """Whether the function (or constant) that ``reader`` names takes ``keyword``."""
    file, _, place = reader.partition(": ")
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    constants = _constants(root)
    owner, _, name = place.rpartition(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            return any(_mentions(f, keyword, constants) for f in node.body if _named(f, name))
        if not owner and _named(node, name):
            return _mentions(node, keyword, constants)
    return False


def _named(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == [name]
    return isinstance(node, ast.FunctionDef) and node.name == name


def _mentions(node: ast.AST, keyword: str, constants: dict[str, str]) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and part.value == keyword:
            return True
        if isinstance(part, ast.Name) and constants.get(part.id) == keyword:
            return True
        if isinstance(part, ast.arg) and part.arg == keyword:
            return True
    return False


def _constants(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in ("client/constants.py", "orm/constants.py"):
        for node in ast.parse((root / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                found[ast.unparse(node.targets[0])] = str(node.value.value)
    return found


def installed() -> Path:
    spec = importlib.util.find_spec("pymilvus")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


# --- the data ---------------------------------------------------------------------------------


def test_the_newest_data_is_what_the_installed_pymilvus_declares() -> None:
    raw = json.loads(signatures.DATA.read_text(encoding="utf-8"))
    assert raw["declared"]["3.0.2"] == declared_in(installed())


def test_the_newest_data_is_what_inspect_sees() -> None:
    pymilvus = importlib.import_module("pymilvus")
    for name, method in signatures.methods(NEWEST).items():
        owner: object = pymilvus.MilvusClient
        if name == "MilvusClient":
            function = pymilvus.MilvusClient.__init__
        elif "." in name:
            owner_name, _, member = name.partition(".")
            module = "milvus_client.index" if owner_name == "IndexParams" else "orm.schema"
            owner = getattr(importlib.import_module(f"pymilvus.{module}"), owner_name)
            function = getattr(owner, member)
        else:
            function = getattr(owner, name)
        parameters = [
            p for p in inspect.signature(function).parameters.values() if p.name != "self"
        ]
        named = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
        assert [p.name for p in named] == list(method.declared), name
        assert {p.name for p in named if p.default is p.empty} == method.required, name
        assert method.extra == (len(named) < len(parameters)), name


def test_every_public_method_of_the_installed_client_is_in_the_data() -> None:
    pymilvus = importlib.import_module("pymilvus")
    public = {
        name
        for name, member in inspect.getmembers(pymilvus.MilvusClient)
        if callable(member) and not name.startswith("_")
    }
    assert public == {
        name for name in signatures.methods(NEWEST) if "." not in name and name[0].islower()
    }


def test_every_passed_through_keyword_is_read_where_the_data_says() -> None:
    root = installed()
    wrong = [
        f"{name}({keyword}=) by {reader}"
        for name, method in signatures.methods(NEWEST).items()
        for keyword, reader in method.read.items()
        if not reads(root, reader, keyword)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "reader",
    [
        "client/prepare.py: Prepare.load_collection",  # names no partitions
        "client/prepare.py: Prepare.no_such_function",
    ],
)
def test_a_reader_that_does_not_read_is_noticed(reader: str) -> None:
    assert not reads(installed(), reader, "partition_names")


@BOTH
def test_passed_through_keywords_need_a_method_that_takes_them(version: tuple[int, ...]) -> None:
    for name, method in signatures.methods(version).items():
        assert method.extra or not method.read, name
        assert not set(method.read) & set(method.declared), name


def test_data_is_sorted_and_has_no_method_without_a_declaration() -> None:
    raw = json.loads(signatures.DATA.read_text(encoding="utf-8"))
    assert list(raw["declared"]) == list(signatures.releases()) == ["2.6.13", "3.0.2"]
    for methods in raw["declared"].values():
        assert list(methods) == sorted(methods)
        assert set(raw["read"]) <= set(methods)


def test_methods_that_warn_themselves_are_known() -> None:
    pymilvus = importlib.import_module("pymilvus")
    warning = {
        name
        for name, member in vars(pymilvus.MilvusClient).items()
        if callable(member) and _warns(member)
    }
    assert warning == set(signatures.DEPRECATED)


def _warns(function: object) -> bool:
    """pymilvus' decorator wraps: its closure holds the category's message function."""
    code = getattr(function, "__code__", None)
    return code is not None and "warn_deprecated" in code.co_names


def test_gates_and_signatures_agree() -> None:
    for version in (OLDEST, NEWEST):
        names = set(signatures.methods(version)) | {"AsyncMilvusClient"}
        for method in versions.METHODS:
            assert (method in names) == versions.available(method, version), method


# --- calls that would go wrong ----------------------------------------------------------------

REJECTED = {
    'client.load_collection("c", partition_names=["p"])': "ignore it",
    'client.search("c", data=v, anns_field="a", expr="id > 0", param={})': "ignore it",
    'client.search(collection_name="c", data=v, param={"metric_type": "L2"})': "ignore it",
    'client.search("c", [v], "a", {}, 10)': "data= as a keyword",
    'client.delete("c", "id in [1]")': "ids= as a keyword",
    'client.delete("c", expr="id in [1]")': "ignore it",
    'client.insert(collection_name="c", data=rows, partition="p")': "ignore it",
    'client.insert("c", rows, "p")': "data= as a keyword",
    'MilvusClient(host="h", port="19530")': "ignore it",
    'MilvusClient(url="http://h:19530")': "ignore it",
    'MilvusClient(uri="http://h:19530", alias="a")': "ignore it",
    'client.query(collection_name="c", expr="id > 0")': "ignore it",
    'client.has_collection("c", collection_name="c")': "twice",
    'client.hybrid_search("c", reqs=r, rerank=x, limit=1)': "ignore it",
    'client.hybrid_search("c", reqs=r, limit=1)': "lacks ranker=",
    'client.rename_collection(old_collection_name="a", new_collection_name="b")': "ignore it",
    'client.create_collection("c", schema)': "dimension= as a keyword",
    'client.create_collection("c", dimension=8)': "only without a schema",
    'client.create_collection("c", schema=schema, description="d")': "ignore it",
    'client.create_collection("c", schema=schema, enable_dynamic_field=True)': "ignore it",
    'client.create_partition("c", "p", "a description")': "timeout= as a keyword",
    "client.load(refresh=True)": "no method load",
    'client.grant_privilege("r", "Collection", "c", "Search")': "object_type= as a keyword",
    'client.grant_role("user", "role")': "role_name= as a keyword",
    'client.using_database("d")': "use_database takes its place",
    'client.drop_index("c")': "lacks index_name=",
    "client.search(*arguments)": "unpacked positional",
    "client.get_server_type(timeout=1)": "no parameter timeout",
    'index_params.add_index("a", "FLAT")': "field_name= as a keyword",
    'schema.add_field(name="id", dtype=DataType.INT64)': "lacks field_name=",
    "MilvusClient.create_schema([f])": "at most",
}

ACCEPTED = """
client = MilvusClient(uri="http://h:1", user="u", password="p", token="t", db_name="d", timeout=3)
client = MilvusClient(uri="http://h:1", secure=True, server_pem_path="a", server_name="b",
                      client_key_path="c", client_pem_path="d", ca_pem_path="e", dedicated=True)
client = MilvusClient(**settings)
client.search(collection_name="c", data=v, anns_field="a", search_params={}, limit=1, filter="f",
              output_fields=["x"], consistency_level="Strong", offset=3, round_decimal=2,
              partition_names=["p"], timeout=1, group_by_field="g", group_size=2,
              strict_group_size=True, ignore_growing=True, guarantee_timestamp=1,
              filter_params={"a": 1})
client.search(collection_name="c", data=v, **more)
client.hybrid_search(collection_name="c", reqs=r, ranker=k, limit=1, output_fields=["x"], offset=1,
                     partition_names=["p"], round_decimal=1, timeout=2, consistency_level="Strong")
client.query(collection_name="c", filter="f", output_fields=["id"], partition_names=["p"], limit=1,
             offset=2, consistency_level="Strong", filter_params={}, timeout=1)
client.query_iterator(collection_name="c", batch_size=1, filter=None, output_fields=["id"], limit=3)
client.search_iterator(collection_name="c", data=v, batch_size=1, anns_field="a", search_params={},
                       filter="f", limit=3, output_fields=["x"], round_decimal=1)
client.insert(collection_name="c", data=rows, partition_name="p", timeout=1)
client.upsert(collection_name="c", data=rows, partition_name="p", partial_update=True)
client.delete(collection_name="c", filter="f", partition_name="p", timeout=1)
client.delete(collection_name="c", filter="f", consistency_level="Strong", filter_params={"a": 1})
client.create_collection(collection_name="c", schema=schema, index_params=index_params,
                         consistency_level="Strong", num_shards=2, properties={}, timeout=1)
client.create_collection(collection_name="c", schema=schema, shards_num=2, num_partitions=4)
client.create_index(collection_name="c", index_params=index_params, timeout=1, sync=False)
client.load_collection("c", replica_number=1, timeout=2, _async=True, _refresh=True,
                       _resource_groups=["r"], load_fields=["a"], skip_load_dynamic_field=True,
                       priority="high", refresh=True, resource_groups=["r"])
client.load_partitions("c", ["p"], replica_number=1, _async=True)
client.release_collection("c", timeout=1)
client.release_partitions("c", ["p"])
client.flush("c", timeout=1, _async=True)
client.flush_all(timeout=1, db="d")
client.has_collection("c", timeout=1)
client.has_partition("c", "p", timeout=1)
client.drop_collection("c")
client.drop_partition("c", "p")
client.drop_index("c", index_name="i", timeout=1)
client.drop_index("c", "i")
client.describe_index("c", "i", timeout=1)
client.describe_collection("c")
client.describe_replica("c", timeout=1)
client.list_collections(timeout=1)
client.list_indexes("c", field_name="a", timeout=1)
client.list_partitions("c")
client.get_collection_stats("c")
client.get_partition_stats("c", "p")
client.get_load_state("c", partition_name="p", timeout=1)
client.create_partition("c", "p", timeout=1)
client.rename_collection(old_name="a", new_name="b", target_db="d", timeout=1)
client.alter_collection_properties("c", properties={}, timeout=1)
client.alter_index_properties("c", "i", properties={})
client.truncate_collection("c")
client.compact("c", is_clustering=True, timeout=1)
client.get_compaction_state(job_id)
client.use_database("d", timeout=1)
client.create_database("d", properties={}, timeout=1)
client.drop_database("d", timeout=1)
client.describe_database("d", timeout=1)
client.alter_database_properties("d", properties={}, timeout=1)
client.create_role(role_name="r")
client.grant_role(user_name="u", role_name="r")
client.grant_privilege(role_name="r", object_type="Collection", privilege="Search",
                       object_name="c", db_name="d")
client.describe_role("r", db_name="d")
client.create_resource_group(name="r", config=config, timeout=1)
client.close()
index_params = client.prepare_index_params()
index_params.add_index(field_name="a", index_type="HNSW", metric_type="L2", index_name="i",
                       params={"M": 8}, nlist=1)
index_params.add_index(field_name="a", **index)
schema = MilvusClient.create_schema(description="d", auto_id=True, enable_dynamic_field=True,
                                    primary_field="id", partition_key_field="k", functions=[f],
                                    clustering_key_field="k")
schema.add_field("id", DataType.INT64, is_primary=True, auto_id=True, description="the key")
schema.add_field(field_name="t", datatype=DataType.VARCHAR, max_length=9, descrition="misspelt")
schema.add_function(f)
"""

RECEIVERS = Receivers(
    clients=frozenset({"client"}),
    index_params=frozenset({"index_params"}),
    schemas=frozenset({"schema"}),
)


@BOTH
@pytest.mark.parametrize(("call", "reason"), REJECTED.items(), ids=list(REJECTED))
def test_a_call_that_would_go_wrong_is_rejected(
    call: str, reason: str, version: tuple[int, ...]
) -> None:
    found = check_module(ast.parse(call), version, RECEIVERS)
    assert [reason in sentence for _, sentence in found] == [True], found


@BOTH
def test_calls_as_the_rules_write_them_fit(version: tuple[int, ...]) -> None:
    found = check_module(ast.parse(ACCEPTED), version, RECEIVERS)
    assert [(ast.unparse(call), sentence) for call, sentence in found] == []


def test_a_keyword_that_came_later_is_rejected_before() -> None:
    call = ("search", 0, ["collection_name", "data", "group_by_fields"])
    assert check_call(*call, NEWEST) is None
    assert check_call(*call, OLDEST) == "search would take group_by_fields= and ignore it"


def test_an_older_target_asks_the_version_gates() -> None:
    assert check_call("flush", 1, [], (2, 4, 9)) == "flush needs pymilvus 2.4.10, not 2.4.9"
    assert check_call("flush", 1, [], (2, 4, 10)) is None
    assert check_call("use_database", 1, [], (2, 5, 0)) == (
        "use_database needs pymilvus 2.4.11, not 2.5.0, not 2.5.0"
    )


@pytest.mark.parametrize(
    ("method", "target", "release"),
    [
        ("use_database", (2, 4, 0), "2.4.11"),
        ("use_database", (2, 5, 0), "2.5.1"),
        ("describe_replica", (2, 5, 1), "2.5.5"),
        ("truncate_collection", (2, 6), "2.6.7"),
        ("hit-key-by-name", (2, 5, 2), "2.5.4"),
    ],
)
def test_the_release_to_require_is_the_next_one_that_has_it(
    method: str, target: tuple[int, ...], release: str
) -> None:
    assert versions.next_with(method, target) == release


# --- modules ----------------------------------------------------------------------------------


def test_receivers_are_found_by_assignment_and_annotation() -> None:
    tree = ast.parse(
        "client: MilvusClient\n"
        "other = pymilvus.MilvusClient(uri=u)\n"
        "class A:\n"
        "    def f(self, handed: 'MilvusClient'):\n"
        "        self.client = MilvusClient(uri=u)\n"
        "        ip = self.client.prepare_index_params()\n"
        "        s = MilvusClient.create_schema()\n"
        "        t = client.create_schema()\n"
    )
    found = signatures.receivers(tree)
    assert found.clients == {"client", "other", "handed", "self.client"}
    assert found.index_params == {"ip"}
    assert found.schemas == {"s", "t"}


def test_a_call_on_something_else_is_not_judged() -> None:
    tree = ast.parse("client = MilvusClient(uri=u)\nhttp.search('c', [1], expr='x')\n")
    assert check_module(tree, NEWEST) == []


def test_the_place_of_a_wrong_call_is_given() -> None:
    tree = ast.parse("self.c = MilvusClient(uri=u)\n\nself.c.delete('c', 'id in [1]')\n")
    [(call, sentence)] = check_module(tree, NEWEST)
    assert (call.lineno, sentence) == (
        3,
        "delete must have ids= as a keyword, not in place 2",
    )


def test_calls_of_the_user_are_not_judged() -> None:
    before = ast.parse("client = MilvusClient('http://h:1')\nclient.search('c', [v])\n")
    after = ast.parse(
        "client = MilvusClient('http://h:1')\nclient.search('c', [v])\nclient.delete('c', e)\n"
    )
    assert len(check_module(after, NEWEST)) == 3
    assert [call.lineno for call, _ in check_module(after, NEWEST, before=before)] == [3]


# --- what the fixtures expect -----------------------------------------------------------------

FIXTURES = Path(__file__).parents[2] / "fixtures"


@BOTH
def test_every_call_in_a_fixture_output_fits(version: tuple[int, ...]) -> None:
    judged, wrong = 0, []
    for after in sorted(FIXTURES.rglob("after.py")):
        new = ast.parse(after.read_text(encoding="utf-8"))
        old = ast.parse(after.with_name("before.py").read_text(encoding="utf-8"))
        holders = signatures.receivers(new)
        judged += sum(
            holders.method(node.func) is not None
            for node in ast.walk(new)
            if isinstance(node, ast.Call)
        )
        for call, sentence in check_module(new, version, before=old):
            wrong.append(f"{after.parent.name}:{call.lineno}: {sentence}")
    assert wrong == []
    assert judged > 500


def main(root: Path, release: str) -> None:
    """Writes what ``root`` declares into the data, as ``release``, and prints missing readers."""
    raw = json.loads(signatures.DATA.read_text(encoding="utf-8"))
    raw["declared"][release] = declared_in(root)
    raw["declared"] = dict(sorted(raw["declared"].items(), key=lambda i: versions.parse(i[0])))
    signatures.DATA.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    for name, method in signatures.methods(versions.parse(release)).items():
        for keyword, reader in method.read.items():
            if not reads(root, reader, keyword):
                print(f"{name}({keyword}=): not read by {reader}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
