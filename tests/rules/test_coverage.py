"""Every symbol of the ORM has a rule that does what the catalogue says, and fixtures that show it.

What is public is asked of the installed pymilvus (``test_catalogue.py``: every name of it has a
row) and of 2.6.13 (``test_introspection.py``).
"""

from __future__ import annotations

import pytest

from migrate_milvus import registry
from milvus_rules.catalogue import SYMBOLS, Symbol
from tests.fixtures.cases import ROOT, Case
from tests.fixtures.coverage import Shown, shown

RULES = registry.load()
IDS = {info.id for info in registry.rules()}
# Rows that are no site of their own: the fixture, and the words in it, that stand for them.
BY_ANOTHER_NAME = {
    "using=": ("connect/alias_in_constant_with_using", "using="),
    "Collection.create_index(_async=True)": ("refusals/index-not-async", "_async=True"),
    "Collection.search(_async=True)": ("refusals/search-not-async", "_async=True"),
    "isinstance(x, Collection)": ("twins/isinstance_guard", "isinstance("),
    "utility": ("imports/whole_module", "pymilvus.utility."),
    "db": ("utility/databases", "import connections, db"),
    "CollectionSchema": ("schema/partition_key_and_keyword_order", "CollectionSchema("),
    "FieldSchema": ("schema/partition_key_and_keyword_order", "FieldSchema("),
    "MutationResult": ("refusals/result-in-sight", ".insert("),
    "search results": ("search/hits_of_older_releases", ".search("),
    "futures": ("refusals/search-not-async", ".result()"),
    "unreachable exceptions": ("imports/exceptions_that_nothing_raises", "except "),
    "SchemaNotReadyException": (
        "imports/exceptions_that_nothing_raises",
        "except pymilvus.exceptions.SchemaNotReadyException",
    ),
    "CollectionNotExistException": (
        "imports/exceptions_that_nothing_raises",
        "except (OSError, CollectionNotExistException)",
    ),
    "ConnectionNotExistException": (
        "imports/exceptions_that_nothing_raises",
        "except ConnectionNotExistException",
    ),
    "PartitionAlreadyExistException": (
        "imports/exceptions_that_nothing_raises",
        "except PartitionAlreadyExistException",
    ),
    "IndexNotExistException": (
        "imports/exceptions_that_nothing_raises",
        "except IndexNotExistException",
    ),
    "DataTypeNotSupportException": (
        "imports/exceptions_that_nothing_raises",
        "except DataTypeNotSupportException",
    ),
    "CannotInferSchemaException": (
        "imports/exceptions_that_nothing_raises",
        "except CannotInferSchemaException",
    ),
    "pymilvus_orm": ("imports/old_orm_package", "from pymilvus_orm import"),
}
# The client of 2.2.9 is no part of the ORM, and its methods are not told from today's.
NOT_THE_ORM = "MilvusClient."
CHANGING = [
    symbol
    for symbol in SYMBOLS.values()
    if symbol.verdict != "unchanged" and not symbol.name.startswith(NOT_THE_ORM)
]
OWN = [symbol for symbol in CHANGING if symbol.name not in BY_ANOTHER_NAME]


def _shown(symbol: Symbol) -> Shown:
    return shown().get(symbol.name, Shown())


def _id(symbol: Symbol) -> str:
    return symbol.name


@pytest.mark.parametrize("symbol", CHANGING, ids=_id)
def test_every_symbol_has_a_rule_with_a_page(symbol: Symbol) -> None:
    assert symbol.rule in IDS


@pytest.mark.parametrize("symbol", OWN, ids=_id)
def test_the_rule_does_what_the_catalogue_says(symbol: Symbol) -> None:
    entry = _shown(symbol)
    rewrites = RULES.rule_for(symbol.name) is not None or symbol.name == "connections"
    if symbol.verdict == "report":
        assert entry.reported and not entry.rewritten
    else:
        assert entry.rewritten
        assert entry.run, "requests before and after are compared"
        assert rewrites
        assert "by-hand" not in entry.reasons or symbol.verdict == "if"


@pytest.mark.parametrize("symbol", OWN, ids=_id)
def test_the_rule_has_the_id_that_the_catalogue_names(symbol: Symbol) -> None:
    rule = RULES.rule_for(symbol.name)
    if rule is not None:
        assert rule.id == symbol.rule


@pytest.mark.parametrize("name", BY_ANOTHER_NAME)
def test_rows_without_a_site_of_their_own_have_a_fixture(name: str) -> None:
    fixture, words = BY_ANOTHER_NAME[name]
    case = Case(ROOT / fixture)
    assert name in SYMBOLS
    assert words in case.before
    assert case.after is not None or case.findings


def test_what_stays_valid_is_no_use_of_the_orm() -> None:
    unchanged = {name for name, symbol in SYMBOLS.items() if symbol.verdict == "unchanged"}
    assert not unchanged & set(shown())
