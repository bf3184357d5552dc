"""The catalogue knows every ORM symbol, as the installed pymilvus declares and decorates it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import TypeVar

import pytest

from milvus_rules import catalogue, described, signatures, versions
from milvus_rules.catalogue import (
    IDIOMS,
    IMPORT_FROM,
    QUALIFIED,
    STAYS_VALID,
    SYMBOLS,
    Symbol,
    canonical,
    members,
)
from milvus_rules.hits import Hits
from milvus_rules.library import HITS
from milvus_rules.signatures import Receivers

NEWEST = (3, 0, 2)

# Every symbol and idiom of the ORM, grouped. A row that is not one name stands in ROWS.
ORM = {
    "connections": """connect disconnect remove_connection has_connection list_connections
        get_connection_addr add_connection async_disconnect async_remove_connection""",
    "Collection": """construct_from_dataframe schema description name aliases primary_field
        num_shards is_empty num_entities partitions indexes describe flush drop truncate
        set_properties load release insert upsert delete search search(_async=True) hybrid_search
        search_iterator query query_iterator partition create_partition has_partition
        drop_partition index create_index create_index(_async=True) alter_index has_index
        drop_index compact get_compaction_state wait_for_compaction_completed
        get_compaction_plans get_replicas""",
    "Partition": """name description num_entities is_empty flush drop load release insert delete
        upsert search hybrid_search query get_replicas""",
    "Index": "params field_name index_name collection_name to_dict drop",
    "utility": """has_collection has_partition drop_collection truncate_collection
        rename_collection list_collections create_alias drop_alias alter_alias list_aliases
        list_indexes loading_progress load_state wait_for_loading_complete
        index_building_progress wait_for_index_building_complete load_balance
        get_query_segment_info do_bulk_insert get_bulk_insert_state list_bulk_insert_tasks
        create_user delete_user update_password reset_password list_usernames list_users list_user
        list_roles get_server_version get_server_type flush_all create_resource_group
        update_resource_groups drop_resource_group describe_resource_group list_resource_groups
        transfer_node transfer_replica mkts_from_hybridts mkts_from_unixtime mkts_from_datetime
        hybridts_to_datetime hybridts_to_unixtime""",
    "db": """using_database create_database drop_database list_database set_properties
        describe_database""",
    "Role": """name create drop add_user remove_user get_users is_exist grant revoke grant_v2
        revoke_v2 list_grant list_grants create_privilege_group drop_privilege_group
        list_privilege_groups add_privileges_to_group remove_privileges_from_group""",
    "CollectionSchema": """fields description auto_id primary_field partition_key_field
        enable_dynamic_field functions struct_fields to_dict verify add_field add_function
        add_struct_field construct_from_dict""",
    "FieldSchema": "to_dict construct_from_dict params dtype name is_primary",
    "MutationResult": """insert_count primary_keys upsert_count delete_count cost succ_count
        err_count succ_index err_index timestamp""",
    "": """Connections Collection Partition Index Role CollectionSchema FieldSchema
        StructFieldSchema Function FunctionScore DataType FunctionType IndexType AnnSearchRequest
        RRFRanker WeightedRanker LexicalHighlighter SemanticHighlighter BulkInsertState Replica
        Group Shard ResourceGroupInfo SearchResult Hits Hit Prepare Status MilvusException
        MilvusUnavailableException ExceptionsMessage DefaultConfig SearchFuture MutationFuture""",
}
# Rows that no single name covers -> the idiom that stands for them, and why it is an idiom.
ROWS = {
    "using=": "a keyword of any ORM call",
    "search results": "attributes of what search returns, on whatever variable",
    "query results": "elements of what query returns, on whatever variable",
    "futures": "result(), done() and cancel() of what an _async call returns",
    "unreachable exceptions": "handlers, seven classes of them",
}


def _orm() -> Iterator[str]:
    for owner, names in ORM.items():
        for name in names.split():
            yield f"{owner}.{name}" if owner else name


def test_the_list_of_the_orm_is_complete() -> None:
    assert len(list(_orm())) + len(ROWS) == 209
    assert len(set(_orm())) == len(list(_orm()))


@pytest.mark.parametrize("name", list(_orm()))
def test_every_orm_symbol_has_a_row(name: str) -> None:
    assert name in SYMBOLS


@pytest.mark.parametrize("name", ROWS)
def test_every_orm_idiom_has_a_row(name: str) -> None:
    assert name in IDIOMS


# --- against the installed pymilvus -----------------------------------------------------------


def _wrappers(value: object) -> Iterator[object]:
    """The functions behind a member: of a property its getter, of a class method its function."""
    if isinstance(value, property):
        yield value.fget
    else:
        yield getattr(value, "__func__", value)


def _api_name(value: object) -> str | None:
    """The name that pymilvus' decorator warns about; None for what does not warn."""
    for function in _wrappers(value):
        if not inspect.isfunction(function) or not hasattr(function, "__wrapped__"):
            continue
        name = inspect.getclosurevars(function).nonlocals.get("resolved_api_name")
        if name is not None:
            return str(name)
    return None


def _decorated() -> set[str]:
    """Names of everything in ``pymilvus.orm`` that warns."""
    found: set[str] = set()
    package = importlib.import_module("pymilvus.orm")
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"pymilvus.orm.{info.name}")
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__.startswith("pymilvus.orm"):
                found |= {name for name in map(_api_name, vars(value).values()) if name}
            found |= {name for name in (_api_name(value),) if name}
    return found


def test_what_warns_is_exactly_what_pymilvus_decorates() -> None:
    warning = {name for name, symbol in SYMBOLS.items() if symbol.warns and symbol.kind != "idiom"}
    # num_shards is not decorated: its first read calls describe(), which is
    assert warning - {"Collection.num_shards"} == _decorated()
    assert len(_decorated()) == 125


def _live(symbol: Symbol) -> object:
    """The object of the installed pymilvus behind a symbol."""
    pymilvus = importlib.import_module("pymilvus")
    owner = getattr(pymilvus, symbol.owner) if symbol.owner else pymilvus
    if symbol.owner == "connections":
        owner = pymilvus.Connections
    value = inspect.getattr_static(owner, symbol.member)
    return value.__init__ if symbol.kind == "constructor" else getattr(value, "__func__", value)


CALLABLE = sorted(
    name
    for name, symbol in SYMBOLS.items()
    if symbol.kind in ("function", "method", "constructor")
    and symbol.rule not in ("MLV950", "MLV020")
    and symbol.owner not in HITS  # of releases before 2.5.7, which run fixtures of their own
    and symbol.signature is not None
)


@pytest.mark.parametrize("name", CALLABLE)
def test_parameters_are_those_of_the_installed_pymilvus(name: str) -> None:
    function = _live(SYMBOLS[name])
    assert callable(function)
    parameters = [
        p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")
    ]
    keywords = [p for p in parameters if p.kind is p.VAR_KEYWORD]
    named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    assert [(p.name, p.default) for p in SYMBOLS[name].parameters] == [
        (p.name, None if p.default is p.empty else repr(p.default)) for p in named
    ]
    assert SYMBOLS[name].keywords == bool(keywords)


@pytest.mark.parametrize("kind", ["Collection", "Partition", "Index", "Role", "CollectionSchema"])
def test_every_public_member_of_a_class_has_a_row(kind: str) -> None:
    live = getattr(importlib.import_module("pymilvus"), kind)
    public = {name for name in dir(live) if not name.startswith("_")}
    assert public == {name for name in members(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", ["connections", "Connections", "MutationResult"])
def test_every_public_member_of_a_helper_has_a_row(kind: str) -> None:
    pymilvus = importlib.import_module("pymilvus.orm.mutation" if kind[0] == "M" else "pymilvus")
    public = {name for name in dir(getattr(pymilvus, kind)) if not name.startswith("_")}
    public -= {"instance"}  # where the metaclass keeps the singleton
    assert public <= set(members(kind))


@pytest.mark.parametrize("kind", ["utility", "db"])
def test_every_public_function_of_a_module_has_a_row(kind: str) -> None:
    module = importlib.import_module(f"pymilvus.orm.{kind}")
    public = {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }
    left = {name for name, symbol in members(kind).items() if symbol.rule == "MLV950"}
    assert public == set(members(kind)) - left


def test_every_public_name_of_pymilvus_is_qualified() -> None:
    pymilvus = importlib.import_module("pymilvus")
    missing = [n for n in pymilvus.__all__ if f"pymilvus.{n}" not in QUALIFIED]
    assert missing == ["__version__"]


def test_every_class_and_function_of_the_orm_is_qualified_or_quiet() -> None:
    package = importlib.import_module("pymilvus.orm")
    unknown = []
    for info in pkgutil.iter_modules(package.__path__):
        path = f"pymilvus.orm.{info.name}"
        if path in catalogue.QUIET_MODULES:
            continue
        for name, value in vars(importlib.import_module(path)).items():
            own = getattr(value, "__module__", "") == path and not isinstance(value, TypeVar)
            if own and not name.startswith("_") and f"{path}.{name}" not in QUALIFIED:
                unknown.append(f"{path}.{name}")
    # how the registry is made a singleton: nothing that a program uses
    assert unknown == [
        "pymilvus.orm.connections.synchronized",
        "pymilvus.orm.connections.SingleInstanceMetaClass",
    ]


def test_names_that_stay_do_not_warn_and_are_where_the_catalogue_sends_them() -> None:
    for home in set(IMPORT_FROM.values()):
        module, _, name = home.rpartition(".")
        value = getattr(importlib.import_module(module), name)
        assert _api_name(value) is None
        assert _api_name(getattr(value, "__init__", None)) is None


def test_exceptions_that_nothing_raises_exist() -> None:
    exceptions = importlib.import_module("pymilvus.exceptions")
    for name in catalogue.UNREACHABLE:
        assert issubclass(getattr(exceptions, name), exceptions.MilvusException)


# --- the tables -------------------------------------------------------------------------------


def test_qualified_names_lead_to_symbols() -> None:
    assert set(QUALIFIED.values()) <= set(SYMBOLS)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("pymilvus.Collection", "Collection"),
        ("pymilvus.orm.collection.Collection", "Collection"),
        ("pymilvus.Collection.search", "Collection.search"),
        ("pymilvus.utility", "utility"),
        ("pymilvus.orm.utility.has_collection", "utility.has_collection"),
        ("pymilvus.utility.has_collection", "utility.has_collection"),
        ("pymilvus.has_collection", "utility.has_collection"),
        ("pymilvus.connections", "connections"),
        ("pymilvus.connections.connect", "connections.connect"),
        ("pymilvus.orm.connections.connections.connect", "connections.connect"),
        ("pymilvus.orm.connections.Connections", "Connections"),
        ("pymilvus.db.create_database", "db.create_database"),
        ("pymilvus.orm.db", "db"),
        ("pymilvus.orm.role.Role", "Role"),
        ("pymilvus.Role.grant", "Role.grant"),
        ("pymilvus_orm.Collection", "Collection"),
        ("pymilvus_orm.utility.has_collection", "utility.has_collection"),
        ("pymilvus_orm.connections.connections", "connections"),
        ("pymilvus_orm", "pymilvus_orm"),
        ("pymilvus.Milvus", "Milvus"),
        ("pymilvus.client.stub.Milvus", "Milvus"),
        ("pymilvus.utility.calc_distance", "utility.calc_distance"),
        ("pymilvus.create_credential", "utility.create_credential"),
        ("pymilvus.do_bulk_insert", "utility.do_bulk_insert"),
        ("pymilvus.LocalBulkWriter", "LocalBulkWriter"),
        ("pymilvus.ParamError", "ParamError"),
        ("pymilvus.orm.schema.FieldSchema", "FieldSchema"),
        ("pymilvus.MilvusClient", "MilvusClient"),
        ("pymilvus.MilvusClient.num_entities", "MilvusClient.num_entities"),
        ("pymilvus.exceptions.SchemaNotReadyException", "SchemaNotReadyException"),
    ],
)
def test_paths_lead_to_their_symbol(path: str, name: str) -> None:
    symbol = canonical(path)
    assert symbol is not None and symbol.name == name


@pytest.mark.parametrize(
    "path",
    [
        "pymilvus.Collection.no_such_member",
        "pymilvus.bulk_writer.LocalBulkWriter",
        "pymilvus.client.types.LoadState",
        "chromadb.Collection",
    ],
)
def test_paths_of_other_things_lead_nowhere(path: str) -> None:
    assert canonical(path) is None


def test_a_name_that_stays_moves_out_of_the_orm() -> None:
    assert IMPORT_FROM["pymilvus.orm.schema.FieldSchema"] == "pymilvus.FieldSchema"
    assert IMPORT_FROM["pymilvus_orm.DataType"] == "pymilvus.DataType"
    assert IMPORT_FROM["pymilvus.ParamError"] == "pymilvus.exceptions.ParamError"
    assert "pymilvus.client.types.DataType" not in IMPORT_FROM
    assert not {"Collection", "Role", "utility", "Milvus"} & STAYS_VALID


def test_a_star_import_binds_what_pymilvus_exports() -> None:
    exported = set(importlib.import_module("pymilvus").__all__) - {"__version__"}
    bound = catalogue.star_names("pymilvus")
    assert exported <= set(bound)
    assert bound["Collection"] == "Collection"
    assert bound["has_collection"] == "utility.has_collection"
    assert not {"BaseException", "Milvus"} & set(bound)
    assert catalogue.star_names("chromadb") == {}


def test_every_row_is_whole() -> None:
    rule = re.compile(r"MLV\d{3}\Z")
    for name, symbol in SYMBOLS.items():
        assert symbol.name == name
        assert symbol.recipe and symbol.source and symbol.result, name
        assert rule.match(symbol.rule) or symbol.verdict in ("unchanged", "if"), name
        assert not symbol.rule or symbol.verdict != "unchanged", name


def test_results_lead_on_to_members_where_they_are_orm_objects() -> None:
    assert {s.result for s in members("Collection").values()} >= {
        "Index",
        "Partition",
        "Partition | None",
        "MutationResult",
        "SearchResult",
        "QueryResult",
        "list[Partition]",
        "list[Index]",
    }


def test_since_names_the_latest_client_method_and_its_holes() -> None:
    assert SYMBOLS["Collection.flush"].since == "2.4.10"
    assert SYMBOLS["Collection.set_properties"].since == "2.4.11, not 2.5.0"
    assert SYMBOLS["utility.create_resource_group"].since == "2.4.13, not 2.5.0, 2.5.1"
    assert SYMBOLS["Collection.truncate"].since == "2.6.7"
    assert SYMBOLS["MutationResult.cost"].since == "2.4.3"
    assert SYMBOLS["connections.has_connection"].since == ""


# --- recipes ----------------------------------------------------------------------------------

RECEIVERS = Receivers(
    clients=frozenset({"client", "async_client"}),
    index_params=frozenset({"index_params"}),
    schemas=frozenset({"schema"}),
)


@pytest.mark.parametrize("name", SYMBOLS)
def test_recipes_are_code_that_fits_the_client(name: str) -> None:
    """Each recipe parses, and its calls use only parameters that the client reads."""
    text = SYMBOLS[name].recipe
    tree = ast.parse(
        "async def recipe():\n"
        + "\n".join(f"    {line}" for line in text.split("\n"))
        + "\n    pass\n"
    )
    for version in ((2, 6, 13), NEWEST):
        assert [s for _, s in signatures.check_module(tree, version, RECEIVERS)] == []


@pytest.mark.parametrize("name", SYMBOLS)
def test_recipes_are_short_enough_for_a_report(name: str) -> None:
    lines = SYMBOLS[name].recipe.split("\n")
    assert len(lines) <= 9
    assert max(map(len, lines)) <= 100 or len(lines) == 1


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("Collection.delete", "filter= must be a keyword"),
        ("Collection.query", "primary key only"),
        ("Collection.load", "whole collection is loaded"),
        ("Collection.insert", "rows, never columns"),
        ("Collection.search", "hit.distance"),
        ("Role.grant", "changed places"),
        ("Role.add_user", "the user comes first"),
        ("connections.connect", "ignore them in silence"),
        ("Collection", "SchemaNotReadyException"),
        ("Collection.drop_index", "needs the name"),
        ("Collection.upsert", "2.6.3"),
    ],
)
def test_recipes_name_the_trap(name: str, warning: str) -> None:
    text = re.sub(r"\s*\n\s*#?\s*", " ", SYMBOLS[name].recipe)
    assert warning in text


# --- versions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "version", "there"),
    [
        ("flush", (2, 4, 9), False),
        ("flush", (2, 4, 10), True),
        ("flush", (2, 5, 0), True),
        ("use_database", (2, 4, 11), True),
        ("use_database", (2, 5, 0), False),
        ("use_database", (2, 5, 1), True),
        ("create_resource_group", (2, 5, 1), False),
        ("create_resource_group", (2, 5, 2), True),
        ("describe_replica", (2, 4, 15), True),
        ("describe_replica", (2, 5, 4), False),
        ("describe_replica", (2, 5, 5), True),
        ("truncate_collection", (2, 6), False),
        ("truncate_collection", (3,), True),
        ("hits-as-objects", (2, 5, 6), False),
        ("hits-as-objects", (2, 5, 7), True),
    ],
)
def test_gates_honour_holes(method: str, version: tuple[int, ...], there: bool) -> None:
    assert versions.available(method, version) is there


def test_a_name_without_a_gate_is_an_error() -> None:
    with pytest.raises(KeyError):
        versions.available("no_such_method", NEWEST)


def test_every_client_method_of_the_catalogue_has_a_gate() -> None:
    for symbol in SYMBOLS.values():
        for method in symbol.client:
            assert versions.first(method)


@pytest.mark.parametrize(
    "kind",
    [
        *("RoleInfo", "RoleItem", "UserInfo", "UserItem", "GrantInfo", "GrantItem"),
        *("PrivilegeGroupInfo", "PrivilegeGroupItem", "Replica"),
    ],
)
def test_every_attribute_of_an_answer_has_a_row(kind: str) -> None:
    live = getattr(importlib.import_module("pymilvus.client.types"), kind)
    assert {name for name in dir(live) if not name.startswith("_")} == set(members(kind))


def test_the_attributes_that_groups_share_with_the_clients_replicas() -> None:
    types = importlib.import_module("pymilvus.client.types")
    for name in described.SAME["Group"]:
        assert hasattr(types.Group, name) and hasattr(types.ReplicaInfo, name)
    public = {name for name in dir(types.Group) if not name.startswith("_")}
    assert public == set(described.SAME["Group"])


def test_attributes_that_are_written_are_those_that_can_be() -> None:
    for kind, written in described.MEMBERS.items():
        known = {name for name, symbol in members(kind).items() if symbol.verdict == "if"}
        others = {symbol.partition(".")[2] for symbol in Hits.symbols if symbol[:4] == "Hit."}
        assert set(written) | (others if kind == "Hit" else set()) == known
