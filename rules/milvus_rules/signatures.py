"""The signatures of ``MilvusClient``, and whether a call fits them.

Most client methods end in ``**kwargs`` and ignore what they do not know, so that binding a call to
the signature proves nothing. ``signatures.json`` therefore holds, per pymilvus release, the
declared parameters, and, per method, the further keywords that some function really reads, with
the function that reads them. A call fits when every keyword is one or the other, when nothing but
names of things (a collection, a partition, an index, a database, ...) is passed by position, and
when no required parameter is missing.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from milvus_rules import versions

Version = tuple[int, ...]

DATA = Path(__file__).with_name("signatures.json")

UNPACKED = "**"
"""Stands in a call's keywords for an unpacked mapping, whose keys the caller has to answer for."""

# Parameters that name a thing: a leading run of them reads well, and means the same, by position.
_NAMES = frozenset({"collection_name", "partition_name", "partition_names", "index_name"})

# Receivers other than the client whose parameters come in an order that everybody writes.
_POSITIONAL = {
    "MilvusClient": 0,
    "CollectionSchema.add_field": 2,
    "IndexParams.add_index": 0,
    "create_schema": 0,
    "prepare_index_params": 0,
}

# Their keywords are open: they are build parameters, or go where the ORM's own went.
_OPEN = frozenset(
    {
        "IndexParams.add_index",  # every further keyword is a build parameter of the index
        "CollectionSchema.add_field",  # FieldSchema keeps them all, as FieldSchema(...) did
        "create_schema",  # CollectionSchema keeps them all, as CollectionSchema(...) did
    }
)

# Declared, but read only where no schema is given: the quick set-up, another kind of collection.
_QUICK_SETUP = frozenset(
    {
        "auto_id",
        "dimension",
        "id_type",
        "metric_type",
        "primary_field_name",
        "vector_field_name",
    }
)

DEPRECATED: Mapping[str, str] = {
    "add_collection_function": "add_function_field",
    "drop_collection_function": "drop_function_field",
    "using_database": "use_database",
}
"""Client methods that warn themselves, and what takes their place."""


@dataclass(frozen=True)
class Method:
    """A callable of the client in one release.

    ``declared`` are its parameters in order, ``required`` those without a default. ``extra`` says
    whether it takes further keywords, ``read`` which of them are read, with the function that
    reads them.
    """

    name: str
    declared: tuple[str, ...]
    required: frozenset[str]
    extra: bool
    read: Mapping[str, str]

    @property
    def positional(self) -> int:
        """How many leading arguments may be passed by position."""
        if self.name in _POSITIONAL:
            return _POSITIONAL[self.name]
        names = 0
        while names < len(self.declared) and self.declared[names] in _NAMES:
            names += 1
        return names or min(1, len(self.declared))


@dataclass(frozen=True)
class Receivers:
    """Source texts of the expressions that hold a client, index parameters or a schema."""

    clients: frozenset[str] = frozenset()
    index_params: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()

    @cached_property
    def _computed(self) -> bool:
        """Whether a receiver is more than names and dots: ``clients["a"]``."""
        return any(
            not text.replace(".", "_").isidentifier()
            for text in (*self.clients, *self.index_params, *self.schemas)
        )

    def method(self, func: ast.expr) -> str | None:
        """The name under which the call of ``func`` is checked; None for anything else."""
        if isinstance(func, ast.Name):
            return "MilvusClient" if func.id == "MilvusClient" else None
        if not isinstance(func, ast.Attribute):
            return None
        receiver = _dotted(func.value)
        if receiver is None:
            if not self._computed:
                return None
            receiver = ast.unparse(func.value)
        if receiver in self.clients:
            return func.attr
        if receiver == "MilvusClient" and func.attr in ("create_schema", "prepare_index_params"):
            return func.attr
        if receiver in self.index_params and func.attr == "add_index":
            return "IndexParams.add_index"
        if receiver in self.schemas and func.attr in ("add_field", "add_function"):
            return f"CollectionSchema.{func.attr}"
        return None


@dataclass(frozen=True)
class _Table:
    release: str
    methods: Mapping[str, Method] = field(default_factory=dict)


@cache
def _tables() -> tuple[_Table, ...]:
    raw = json.loads(DATA.read_text(encoding="utf-8"))
    return tuple(
        _Table(
            release,
            {
                name: _method(name, parameters, _readers(raw["read"].get(name, ()), release))
                for name, parameters in methods.items()
            },
        )
        for release, methods in raw["declared"].items()
    )


def _method(name: str, parameters: str, read: Mapping[str, str]) -> Method:
    """One method from the data: ``"collection_name, timeout=, **"`` and what it reads."""
    written = [p for p in parameters.split(", ") if p]
    declared = [p for p in written if p != UNPACKED]
    return Method(
        name,
        tuple(p.rstrip("=") for p in declared),
        frozenset(p for p in declared if not p.endswith("=")),
        UNPACKED in written,
        read,
    )


def _readers(entries: Iterable[Mapping[str, str | list[str]]], release: str) -> dict[str, str]:
    """Keyword -> the function that reads it, in ``release``."""
    found: dict[str, str] = {}
    for entry in entries:
        if release in entry.get("releases", (release,)):
            keywords = str(entry["keywords"]).split(", ")
            found.update(dict.fromkeys(keywords, str(entry["reader"])))
    return found


def releases() -> tuple[str, ...]:
    """The pymilvus releases that the data describes, oldest first."""
    return tuple(table.release for table in _tables())


def methods(version: Version) -> Mapping[str, Method]:
    """The methods of the newest described release that is not newer than ``version``.

    For a version older than all of them: those of the oldest (``check_call`` then also asks
    :mod:`milvus_rules.versions` whether the method existed).
    """
    tables = _tables()
    fitting = [table for table in tables if versions.parse(table.release) <= version]
    return (fitting[-1] if fitting else tables[0]).methods


def check_call(
    method: str, positional: int, keywords: Sequence[str], version: Version
) -> str | None:
    """Why a call does not fit pymilvus ``version``, in a sentence; None when it fits.

    ``method`` is a client method, ``"MilvusClient"`` itself, ``"IndexParams.add_index"``,
    ``"CollectionSchema.add_field"`` or ``"CollectionSchema.add_function"``. ``positional`` counts
    the positional arguments; ``keywords`` are the keywords as written, ``"**"`` for an unpacked
    mapping.
    """
    known = methods(version).get(method)
    release = ".".join(map(str, version))
    if known is None:
        return f"MilvusClient has no method {method} in pymilvus {release}"
    if method in versions.METHODS and not versions.available(method, version):
        return f"{method} needs pymilvus {versions.gate(method)}, not {release}"
    if method in DEPRECATED and version >= versions.parse(versions.FIRST_WARNING):
        return f"{method} warns itself: {DEPRECATED[method]} takes its place"
    return (
        _check_positional(known, positional)
        or _check_keywords(known, positional, keywords)
        or _check_required(known, positional, keywords)
    )


def _check_positional(method: Method, positional: int) -> str | None:
    if positional <= method.positional:
        return None
    if positional > len(method.declared):
        return f"{method.name} takes {len(method.declared)} positional arguments at most"
    late = method.declared[method.positional]
    return f"{method.name} must have {late}= as a keyword, not in place {method.positional + 1}"


def _check_keywords(method: Method, positional: int, keywords: Sequence[str]) -> str | None:
    by_position = method.declared[:positional]
    seen: set[str] = set()
    for keyword in keywords:
        if keyword == UNPACKED:
            continue
        if keyword in by_position or keyword in seen:
            return f"{method.name} would get {keyword} twice"
        seen.add(keyword)
        if method.name == "create_collection" and keyword in _QUICK_SETUP:
            return f"create_collection reads {keyword}= only without a schema"
        if keyword in method.declared or keyword in method.read or method.name in _OPEN:
            continue
        if method.extra:
            return f"{method.name} would take {keyword}= and ignore it"
        return f"{method.name} has no parameter {keyword}"
    return None


def _check_required(method: Method, positional: int, keywords: Sequence[str]) -> str | None:
    if UNPACKED in keywords:
        return None
    for name in method.declared[positional:]:
        if name in method.required and name not in keywords:
            return f"{method.name} lacks {name}="
    return None


def receivers(tree: ast.Module) -> Receivers:
    """What evidently holds a client, index parameters or a schema in ``tree``.

    Evidence is an assignment from ``MilvusClient(...)``, ``....prepare_index_params(...)`` or
    ``....create_schema(...)``, and an annotation ``MilvusClient``.
    """
    return _receivers(ast.walk(tree))


def _receivers(nodes: Iterable[ast.AST]) -> Receivers:
    found: dict[str, set[str]] = {name: set() for name in _MAKERS}
    for node in nodes:
        for target, origin in _bindings(node):
            if origin in found:
                found[origin].add(target if isinstance(target, str) else ast.unparse(target))
    return Receivers(*(frozenset(found[name]) for name in _MAKERS))


_MAKERS = ("MilvusClient", "prepare_index_params", "create_schema")


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr | str, str]]:
    """Pairs of a bound expression and the last name of what it is bound to."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, _last_name(node.value)
    elif isinstance(node, ast.AnnAssign):
        yield node.target, _last_name(node.annotation)
        if node.value is not None:
            yield node.target, _last_name(node.value)
    elif isinstance(node, ast.arg) and node.annotation is not None:
        yield node.arg, _last_name(node.annotation)
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id, _last_name(node.value)


def _dotted(node: ast.expr) -> str | None:
    """The text of names joined by dots; None for any other expression."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    names.append(node.id)
    return ".".join(reversed(names))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value  # an annotation in quotes
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def check_module(
    tree: ast.Module,
    version: Version,
    known: Receivers | None = None,
    before: ast.Module | None = None,
) -> list[tuple[ast.Call, str]]:
    """Every client call of ``tree`` that does not fit, with the sentence that says why.

    ``known`` are the receivers; without them :func:`receivers` looks for them. Calls that stand,
    with the same text, in ``before`` are the user's own and are not judged.
    """
    nodes = [node for node in ast.walk(tree) if isinstance(node, _JUDGED)]
    holders = known if known is not None else _receivers(nodes)
    found: list[tuple[ast.Call, str]] = []
    for call in nodes:
        if not isinstance(call, ast.Call):
            continue
        method = holders.method(call.func)
        sentence = None if method is None else _check_node(method, call, version)
        if sentence is not None:
            found.append((call, sentence))
    if found and before is not None:
        own = {ast.unparse(node) for node in ast.walk(before) if isinstance(node, ast.Call)}
        found = [item for item in found if ast.unparse(item[0]) not in own]
    return found


# What says what holds a client, and the calls themselves.
_JUDGED = (ast.Call, ast.Assign, ast.AnnAssign, ast.arg, ast.NamedExpr)


def lacking(tree: ast.Module, target: Version) -> frozenset[str]:
    """The releases from ``target`` on that lack a client method which ``tree`` calls."""
    holders = receivers(tree)
    called = {
        method
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (method := holders.method(node.func)) is not None
    }
    gates = [versions.METHODS[method] for method in called if method in versions.METHODS]
    return frozenset(
        release
        for release in versions.RELEASES
        if versions.parse(release) >= target
        and not all(gate.admits(versions.parse(release)) for gate in gates)
    )


def _check_node(method: str, call: ast.Call, version: Version) -> str | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return f"{method} gets unpacked positional arguments"
    keywords = [UNPACKED if k.arg is None else k.arg for k in call.keywords]
    return check_call(method, len(call.args), keywords, version)
