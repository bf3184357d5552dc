"""The catalogue: every ORM symbol of pymilvus, and what takes its place, as data.

One module per area of the ORM holds one frozen :class:`Symbol` per name. The tables here index
them. Nothing in the catalogue decides anything: rules do.
"""

from __future__ import annotations

from milvus_rules.catalogue import (
    answers,
    collection,
    connections,
    database,
    index,
    partition,
    removed,
    results,
    role,
    schema,
    utility,
    valid,
)
from milvus_rules.catalogue.model import Kind, Parameter, Symbol, Verdict
from milvus_rules.catalogue.names import GONE_PACKAGE, ORM_MODULES, QUALIFIED, QUIET_MODULES
from milvus_rules.catalogue.removed import MOVED
from milvus_rules.catalogue.valid import (
    CODE_IS_AN_ATTRIBUTE,
    TIMESTAMPS,
    UNREACHABLE,
    Unreachable,
)

__all__ = [
    "CODE_IS_AN_ATTRIBUTE",
    "GONE_PACKAGE",
    "IDIOMS",
    "IMPORT_FROM",
    "MOVED",
    "ORM_MODULES",
    "QUALIFIED",
    "QUIET_MODULES",
    "STAYS_VALID",
    "SYMBOLS",
    "TIMESTAMPS",
    "UNREACHABLE",
    "Kind",
    "Parameter",
    "Symbol",
    "Unreachable",
    "Verdict",
    "by_rule",
    "canonical",
    "members",
    "star_names",
]

_AREAS = (
    connections.SYMBOLS,
    collection.SYMBOLS,
    partition.SYMBOLS,
    index.SYMBOLS,
    utility.SYMBOLS,
    database.SYMBOLS,
    role.SYMBOLS,
    schema.SYMBOLS,
    results.SYMBOLS,
    answers.SYMBOLS,
    valid.SYMBOLS,
    removed.SYMBOLS,
)

SYMBOLS: dict[str, Symbol] = {symbol.name: symbol for area in _AREAS for symbol in area}
"""Canonical name -> symbol."""

IDIOMS: dict[str, Symbol] = {s.name: s for s in SYMBOLS.values() if s.kind == "idiom"}
"""Rows that are not one name: a keyword of any call, a way to use a result."""

STAYS_VALID: frozenset[str] = (
    frozenset(
        name
        for name, s in SYMBOLS.items()
        if s.verdict == "unchanged" and s.kind != "idiom" and not s.owner
    )
    | {"CollectionSchema", "FieldSchema"}
    | frozenset(UNREACHABLE)
)
"""Canonical names that may stay: using or importing them is no ORM use that must go."""

_MEMBERS: dict[str, dict[str, Symbol]] = {}
for _symbol in SYMBOLS.values():
    if _symbol.owner and _symbol.kind != "idiom":
        _MEMBERS.setdefault(_symbol.owner, {})[_symbol.member] = _symbol
# The class and its one instance have the same methods.
_MEMBERS["Connections"] = _MEMBERS["connections"]


def _home(name: str) -> str:
    module = "pymilvus.exceptions" if SYMBOLS[name].result == "exception" else "pymilvus"
    return f"{module}.{name}"


IMPORT_FROM: dict[str, str] = {
    path: home
    for path, name in QUALIFIED.items()
    if name in STAYS_VALID
    for home in (_home(name),)
    if path != home and (path.rpartition(".")[0] in ORM_MODULES or path == f"pymilvus.{name}")
}
"""Where a name that stays valid is imported from one of the ORM's modules: its home instead."""


def members(kind: str) -> dict[str, Symbol]:
    """The members of an ORM kind or namespace, by member name; empty for a kind without any.

    ``kind`` is a value of :attr:`Symbol.result` such as ``"Collection"``, or a namespace such as
    ``"utility"``.
    """
    return _MEMBERS.get(kind, {})


def canonical(qualified: str) -> Symbol | None:
    """The symbol that a fully qualified import path names, members of classes included.

    ``canonical("pymilvus.orm.collection.Collection.search")`` is ``Collection.search``. None for a
    path that the catalogue does not know.
    """
    name = QUALIFIED.get(qualified)
    if name is not None:
        return SYMBOLS.get(name)
    path, _, member = qualified.rpartition(".")
    owner = QUALIFIED.get(path)
    return members(owner).get(member) if owner is not None else None


def by_rule(rule: str) -> tuple[Symbol, ...]:
    """The symbols that a rule owns, in the order of the catalogue."""
    return tuple(symbol for symbol in SYMBOLS.values() if symbol.rule == rule)


def star_names(module: str) -> dict[str, str]:
    """What ``from module import *`` binds: name -> canonical name.

    Names that left before 3.0 are not among them: one is called ``BaseException``, and a program
    that runs today means Python's own.
    """
    prefix = f"{module}."
    return {
        path[len(prefix) :]: name
        for path, name in QUALIFIED.items()
        if path.startswith(prefix)
        and "." not in path[len(prefix) :]
        and SYMBOLS[name].rule != "MLV950"
    }
