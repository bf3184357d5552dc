"""Reading: search, hybrid search, query and the iterators."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from migrate_milvus.arguments import Arguments, dict_items
from migrate_milvus.edits import Edit, Line, ReplaceNode, Src, Template
from migrate_milvus.flow import Content, Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Container
from milvus_rules.contents import held_only_by
from milvus_rules.fields import fields_there, primary_key
from milvus_rules.hits import check_results
from milvus_rules.owners import target
from milvus_rules.writing import (
    Pair,
    before_call,
    by_hand,
    can_be_true,
    client_call,
    in_a_thread,
    is_none,
    require_version,
)
from milvus_rules.writing import known as _all_known

ARGUMENTS = predicate("search-arguments-known", "every argument has a meaning for the client")
NOT_ASYNC = predicate("search-not-async", "_async and _callback are not used")
DATA = predicate("search-data-not-empty", "the list of vectors or requests is not empty")
RANKER = predicate("hybrid-ranker", "the ORM's ranker= keyword is not used")
PRIMARY = predicate("primary-key-known", "the primary key's name is known, or can be read")
QUERY_ARGUMENTS = predicate("query-arguments-known", "every argument has a meaning for the client")


def _same(*names: str) -> Iterator[tuple[str, str]]:
    """Keywords that both sides pass on under the same name."""
    return ((name, name) for name in names)


# ORM parameter -> client keyword, in the ORM's order.
_SEARCH = {
    "data": "data",
    "anns_field": "anns_field",
    "param": "search_params",
    "limit": "limit",
    "expr": "filter",
    "partition_names": "partition_names",
    "output_fields": "output_fields",
    "timeout": "timeout",
    "round_decimal": "round_decimal",
    "offset": "offset",
    "consistency_level": "consistency_level",
    "guarantee_timestamp": "guarantee_timestamp",
    "group_by_field": "group_by_field",
    "group_size": "group_size",
    "strict_group_size": "strict_group_size",
    "ignore_growing": "ignore_growing",
    "expr_params": "filter_params",
    "ranker": "ranker",
    "highlighter": "highlighter",
    **dict(_same("function_chains", "search_aggregation")),
    **dict(_same("json_path", "json_type", "strict_cast", "order_by_fields", "page_retain_order")),
    **dict(_same("namespace", "time_fields", "timezone")),
}
_HYBRID = {
    "reqs": "reqs",
    "rerank": "ranker",
    "limit": "limit",
    "partition_names": "partition_names",
    "output_fields": "output_fields",
    "timeout": "timeout",
    "round_decimal": "round_decimal",
    "offset": "offset",
    "consistency_level": "consistency_level",
    "group_by_field": "group_by_field",
    "group_size": "group_size",
    "strict_group_size": "strict_group_size",
    **dict(_same("guarantee_timestamp", "rank_group_scorer", "namespace")),
}
_QUERY = {
    "expr": "filter",
    "output_fields": "output_fields",
    "partition_names": "partition_names",
    "timeout": "timeout",
    "limit": "limit",
    "offset": "offset",
    "consistency_level": "consistency_level",
    "guarantee_timestamp": "guarantee_timestamp",
    "expr_params": "filter_params",
    "ignore_growing": "ignore_growing",
    **dict(_same("reduce_stop_for_best", "namespace", "time_fields", "timezone")),
}
# Declared by both sides since pymilvus 3.0.1.
_LATER = ("function_chains", "search_aggregation")
# Read by neither side.
_IGNORED = ("travel_timestamp", "graceful_time", "_async", "_callback", "check_task", "check_items")


def _allowed(site: Site, names: dict[str, str]) -> dict[str, str]:
    """The arguments with a meaning; a partition's methods take no partitions."""
    if site.symbol.startswith("Collection."):
        return names
    return {name: new for name, new in names.items() if name != "partition_names"}


def arguments_of(
    site: Site, planning: Planning, names: dict[str, str]
) -> tuple[list[Pair | None], list[Edit]]:
    """The arguments under the client's names, in the order in which they were written."""
    arguments = planning.arguments(site)
    edits: list[Edit] = []
    unpacked: dict[str, ast.expr] = {}
    pairs: list[Pair | None] = []
    kept: list[ast.expr] = []
    for keyword, content in arguments.unpacked:
        assert isinstance(content.node, ast.Dict)
        if _may_rename(planning, keyword.value, content):
            for key in content.node.keys:
                assert isinstance(key, ast.Constant)
                new = names.get(str(key.value))
                if new is not None and new != key.value:
                    edits.append(ReplaceNode(key, (f'"{new}"',)))
            kept.append(keyword.value)
            unpacked.update(dict_items(content))
    for name in dict.fromkeys(arguments.order):
        if name in unpacked or name not in names:
            continue
        value = arguments.get(name)
        assert value is not None
        pairs.append((names[name], (Src(value),)))
    pairs += [("**", (Src(node),)) for node in kept]
    for node in arguments.unknown:
        pairs.append(("**", (Src(node),)))
        edits += _forwarded_edits(site, planning, node, names)
    return pairs, edits


def _forwarded(
    site: Site, planning: Planning, node: ast.expr
) -> list[tuple[ast.keyword, ast.Call]] | None:
    """The keywords that callers pass on through ``**kwargs``, when all callers are known."""
    function = site.function
    if function is None or not isinstance(node, ast.Name) or isinstance(function.node, ast.Lambda):
        return None
    rest = function.node.args.kwarg
    if rest is None or rest.arg != node.id:
        return None
    flow = planning.flow
    reads = [n for n in ast.walk(function.node) if isinstance(n, ast.Name) and n.id == rest.arg]
    edges = flow.callers(function)
    if reads != [node] or not edges or planning.has_hidden_callers(function):
        return None
    own = function.names_of_parameters()
    found: list[tuple[ast.keyword, ast.Call]] = []
    for edge in edges:
        if edge.node is None or not edge.exact:
            return None
        found += [(k, edge.node) for k in edge.node.keywords if k.arg not in own]
    return found


def _forwarded_edits(
    site: Site, planning: Planning, node: ast.expr, names: dict[str, str]
) -> list[Edit]:
    """The callers' keywords under the client's names."""
    return [
        ReplaceNode(keyword, (f"{names[keyword.arg]}=", Src(keyword.value)))
        for keyword, _ in _forwarded(site, planning, node) or ()
        if keyword.arg is not None and names[keyword.arg] != keyword.arg
    ]


def known(site: Site, planning: Planning, names: dict[str, str]) -> Answer:
    """Every argument has a name that the client knows, those passed on by callers included."""
    arguments = planning.arguments(site)
    passed: list[str] = []
    for node in arguments.unknown:
        forwarded = _forwarded(site, planning, node)
        if forwarded is None:
            return unknown(
                "arguments are unpacked from something whose content is not known",
                "Write the arguments out, under the client's names: "
                + ", ".join(f"{a} becomes {b}" for a, b in names.items() if a != b)
                + ".",
            )
        passed += [keyword.arg or "" for keyword, _ in forwarded]
    for name in passed:
        if name not in names:
            return unknown(
                f"argument '{name}' that a caller passes on has no known meaning for the client",
                f"Find out whether '{name}' does anything; drop it, or pass what it stands for.",
            )
    rest = replace(arguments, unknown=[])
    return _all_known(rest, (*names, *_IGNORED), swallowed=set(names.values()) - set(names))


def _may_rename(planning: Planning, expression: ast.expr, content: Content) -> bool:
    """Whether the dict's keys can be renamed: only this call reads it."""
    if isinstance(expression, ast.Dict):
        return True
    return isinstance(expression, ast.Name) and held_only_by(planning.flow, content, expression)


def unpacked_can_change(site: Site, planning: Planning) -> Answer:
    for keyword, content in planning.arguments(site).unpacked:
        if not _may_rename(planning, keyword.value, content):
            return unknown(
                "the unpacked dict is read elsewhere too, so its keys cannot be renamed",
                "Write the arguments out, or give the client call a dict of its own.",
            )
    return PROVED


def _not_async(planning: Planning, arguments: Arguments, recipe: str) -> Answer:
    for name in ("_async", "_callback"):
        value = arguments.get(name)
        if value is not None and can_be_true(frozenset(planning.flow.value(value))):
            return refuted(f"{name} asks for a future", recipe)
    return PROVED


def _not_empty(planning: Planning, node: ast.expr | None) -> Answer:
    content = planning.flow.content(planning.flow.value(node))
    if (
        content is not None
        and isinstance(content.node, ast.List)
        and not content.items
        and not content.appended
        and not content.changed
    ):
        return refuted(
            "an empty list: the ORM returns an empty result, the client raises",
            "Skip the search when there is nothing to search for.",
        )
    return PROVED


class Search(Rule):
    """``collection.search(...)`` becomes ``client.search(collection_name=..., ...)``, by keyword.

    ``param`` becomes ``search_params``, ``expr`` ``filter``, ``expr_params`` ``filter_params``; for
    ``hybrid_search`` ``rerank`` becomes ``ranker``. All other arguments keep their names, in the
    order in which they were written. A literal dict that is unpacked into the call has its keys
    renamed when nothing else reads it. Results are left alone: from pymilvus 2.5.7 on both sides
    return the same classes (for older targets see MLV504).

    Refused for futures (``_async``), an empty list of vectors, and unknown unpacked arguments.

    Source: 20 argument combinations run both ways on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV501"
    title = "search and hybrid_search become client calls by keyword"
    symbols = (
        "Collection.search",
        "Collection.hybrid_search",
        "Partition.search",
        "Partition.hybrid_search",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        hybrid = site.symbol.endswith("hybrid_search")
        names = _allowed(site, _HYBRID if hybrid else _SEARCH)
        arguments = planning.arguments(site)
        if hybrid:
            require(
                RANKER,
                PROVED
                if "ranker" not in arguments
                else refuted(
                    "ranker= applies to each request in the ORM, to the whole in the client",
                    "Pass the reranker as rerank= (the client's ranker=), or drop it.",
                ),
            )
        require(ARGUMENTS, lambda: known(site, planning, names))
        for name in _LATER:
            if name in arguments:
                require_version(planning, "search-aggregation", f"{name}= of search")
        require(ARGUMENTS, lambda: unpacked_can_change(site, planning))
        method = "hybrid_search" if hybrid else "search"
        by_thread = in_a_thread(planning, site, method, names)
        require(NOT_ASYNC, lambda: _not_async(planning, arguments, by_thread))
        require(DATA, lambda: _not_empty(planning, arguments.get("reqs" if hybrid else "data")))
        check_results(site, planning)
        pairs, edits = arguments_of(site, planning, names)
        collection, partition = target(site, planning, several=True)
        call = client_call(
            planning,
            site,
            method,
            ("collection_name", collection),
            *pairs,
            partition,
        )
        return [*edits, ReplaceNode(site.node, (call,))]


class Query(Rule):
    """``collection.query(...)`` becomes ``client.query(...)``, with its output fields named.

    ``expr`` becomes ``filter``. Without ``output_fields`` the ORM gets the primary key only, the
    client everything, vectors included: so ``output_fields=[primary key]`` is written;
    ``output_fields=fields or [primary key]`` where the given list may be empty or None. Where the
    program does not tell the primary key, it is read with ``describe_collection``.

    Refused when the primary key has to be read, and there is no place before the call to do so.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite 2.5.1.
    """

    id = "MLV502"
    title = "query names its output fields"
    symbols = ("Collection.query", "Partition.query")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        names = _allowed(site, _QUERY)
        require(QUERY_ARGUMENTS, lambda: known(site, planning, names))
        require(QUERY_ARGUMENTS, lambda: unpacked_can_change(site, planning))
        fields = arguments.get("output_fields")
        pairs, edits = arguments_of(site, planning, names)
        if is_none(fields) and arguments.unknown:
            require(
                QUERY_ARGUMENTS,
                unknown(
                    "output_fields may be among the unpacked arguments",
                    "Name output_fields in the call.",
                ),
            )
        if not _surely_filled(planning, fields):
            wanted, before = self.key_list(site, planning, pairs)
            edits += before
            pairs = _with_fields(pairs, fields, wanted)
        collection, partition = target(site, planning, several=True)
        call = client_call(
            planning, site, "query", ("collection_name", collection), *pairs, partition
        )
        return [*edits, ReplaceNode(site.node, (call,))]

    def key_list(
        self, site: Site, planning: Planning, pairs: list[Pair | None]
    ) -> tuple[Template, list[Edit]]:
        """``["id"]``, the primary key alone, and what has to stand before the call.

        ``pairs`` are the arguments, for the recipe.
        """
        key = primary_key(site, planning)
        if key is not None:
            return (f'["{key}"]',), []
        held = planning.helper_name("fields", site.scope)
        name = planning.helper_name("primary_key", site.scope)
        there = fields_there(site, planning)
        before = None
        if there is not None:
            found = f'next(field["name"] for field in {held} if field.get("is_primary"))'
            lines = (Line((f"{held} = ", *there)), Line((f"{name} = {found}",)))
            before = before_call(planning, site, lines)
        fields = planning.arguments(site).get("output_fields")
        require(
            PRIMARY,
            lambda: (
                PROVED
                if before is not None
                else unknown(
                    "without output fields the ORM returns the primary key, whose name is not "
                    "known here; the client would return every field",
                    "# with the name of the primary key for id\n"
                    + by_hand(planning, site, "query", *_with_fields(pairs, fields, ('["id"]',))),
                )
            ),
        )
        planning.note(
            site,
            "fields-read",
            "the name of the primary key is read from the server: name it here where you know it",
        )
        return (f"[{name}]",), before or []


def _with_fields(
    pairs: list[Pair | None], fields: ast.expr | None, default: Template
) -> list[Pair | None]:
    """The arguments with ``default`` as output fields, where ``fields``, as given, are none."""
    if fields is not None and not is_none(fields):
        return [
            ("output_fields", (Src(fields), " or ", *default))
            if p is not None and p[0] == "output_fields"
            else p
            for p in pairs
        ]
    rest = [p for p in pairs if p is None or p[0] != "output_fields"]
    rest.insert(_after(rest, "filter"), ("output_fields", default))
    return rest


def _after(pairs: list[Pair | None], name: str) -> int:
    for index, pair in enumerate(pairs):
        if pair is not None and pair[0] == name:
            return index + 1
    return 0


def _surely_filled(planning: Planning, node: ast.expr | None) -> bool:
    """Whether the expression is a list with at least one item."""
    values = planning.flow.value(node)
    for value in values:
        if not isinstance(value, Container):
            return False
        content = planning.flow.contents.get(value.origin)
        if content is None or not content.items or content.changed:
            return False
        if isinstance(content.node, ast.ListComp):
            return False
    return bool(values)
