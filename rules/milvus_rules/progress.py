"""Load state, progress and waiting."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import Edit, ReplaceNode, ReplaceStatement, Src
from migrate_milvus.flow import Site
from migrate_milvus.planning import BY_HAND, Planning
from migrate_milvus.registry import (
    PROVED,
    Answer,
    Refusal,
    Rule,
    predicate,
    refuted,
    require,
    unknown,
)
from migrate_milvus.values import Object
from milvus_rules.direct import UTILITY
from milvus_rules.fields import text_of
from milvus_rules.library import CONNECTIONS
from milvus_rules.writing import (
    Pair,
    can_be_true,
    client_call,
    is_none,
    is_statement,
    keyword,
    known,
)

ONE_PARTITION = predicate("load-state-one-partition", "at most one partition is asked for")
AFTER_LOAD = predicate("wait-follows-load", "a blocking load of the collection stands just before")
AFTER_INDEX = predicate("wait-follows-index", "a blocking create_index stands just before")
PROGRESS = predicate("progress-result-known", "only known keys of the result are read")

_PROGRESS_KEYS = {"total_rows", "indexed_rows", "pending_index_rows", "state"}


class Progress(Rule):
    """Load state and progress are asked of the client; waits that the client does itself go.

    ``utility.load_state(name)`` becomes ``client.get_load_state(name)["state"]``;
    ``index_building_progress(name)["total_rows"]`` reads ``client.describe_index``. A
    ``wait_for_loading_complete`` or ``wait_for_index_building_complete`` directly after a blocking
    ``load`` or ``create_index`` of the same collection is deleted: both wait themselves.

    Refused when the state of several partitions is asked for, when a wait does not directly follow,
    when the whole progress dict is used, and for ``loading_progress``, whose result has another
    shape.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV602"
    title = "load state, progress and waiting"
    symbols = (
        "utility.load_state",
        "utility.loading_progress",
        "utility.index_building_progress",
        "utility.wait_for_loading_complete",
        "utility.wait_for_index_building_complete",
    )
    order = 35

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        name = site.symbol.partition(".")[2]
        arguments = planning.arguments(site)
        allowed = ("collection_name", "partition_names", "index_name", "using", "timeout")
        require(UTILITY, lambda: known(arguments, allowed))
        collection = arguments.get("collection_name")
        if collection is None:
            raise Refusal(UTILITY, "the collection's name is not given")
        first: Pair = (None, (Src(collection),))
        timeout = keyword(arguments, "timeout")
        if name == "load_state":
            partition = self.partition(site, planning)
            call = client_call(planning, site, "get_load_state", first, partition, timeout)
            return [ReplaceNode(site.node, (call, '["state"]'))]
        if name == "index_building_progress":
            require(PROGRESS, lambda: _only_known_keys(site, planning))
            given = arguments.get("index_name")
            wanted = ('""',) if is_none(given) else (Src(given),)  # type: ignore[arg-type]
            call = client_call(
                planning, site, "describe_index", first, ("index_name", wanted), timeout
            )
            return [ReplaceNode(site.node, (call,))]
        if name == "loading_progress":
            require(
                BY_HAND,
                refuted(
                    "the client's load state has another shape than loading_progress()",
                    planning.rule_set.recipe(site.symbol),
                ),
            )
            return []
        waits_for_load = name == "wait_for_loading_complete"
        require(
            AFTER_LOAD if waits_for_load else AFTER_INDEX,
            lambda: _follows(site, planning, waits_for_load),
        )
        planning.client(site)
        statement = planning.flow.source.statement(site.node)
        return [ReplaceStatement(statement, ())]

    def partition(self, site: Site, planning: Planning) -> Pair | None:
        """The one partition that the state is asked for."""
        given = planning.arguments(site).get("partition_names")
        if given is None or is_none(given):
            return None
        one = isinstance(given, ast.List) and len(given.elts) == 1
        require(
            ONE_PARTITION,
            PROVED
            if one
            else unknown(
                "the client tells the load state of one partition at a time",
                '[client.get_load_state(name, partition_name=p)["state"] for p in names]',
            ),
        )
        assert isinstance(given, ast.List)
        return ("partition_name", (Src(given.elts[0]),))


def _only_known_keys(site: Site, planning: Planning) -> Answer:
    parent = planning.flow.source.parents[site.node]
    if isinstance(parent, ast.Subscript) and parent.value is site.node:
        if isinstance(parent.slice, ast.Constant) and parent.slice.value in _PROGRESS_KEYS:
            return PROVED
    return unknown(
        "the client's dict has more keys, so the whole result is not the same",
        'info = client.describe_index(name, index_name="")\n'
        'info["total_rows"], info["indexed_rows"], info["pending_index_rows"]',
    )


def _follows(site: Site, planning: Planning, load: bool) -> Answer:
    """Whether the statement before is a blocking call on the same collection."""
    recipe = (
        'while client.get_load_state(name)["state"] != LoadState.Loaded: time.sleep(0.5)'
        if load
        else 'while client.describe_index(name, index_name="")["state"] != "Finished": '
        "time.sleep(0.5)"
    )
    what = "load()" if load else "create_index()"
    answer = unknown(f"this does not directly follow a blocking {what} of the collection", recipe)
    if not is_statement(planning, site):
        return answer
    block, index = planning.block_of(planning.flow.source.statement(site.node))
    if index == 0:
        return answer
    wanted = "Collection.load" if load else "Collection.create_index"
    previous = block[index - 1]
    if not isinstance(previous, ast.Expr):
        return answer
    for other in planning.flow.sites.get(previous.value, []):
        if other.symbol != wanted or CONNECTIONS.key(other, planning.flow) != CONNECTIONS.key(
            site, planning.flow
        ):
            continue
        arguments = planning.arguments(other)
        waits = arguments.get("sync")
        asynchronous = arguments.get("_async")
        if waits is not None or (
            asynchronous is not None and can_be_true(frozenset(planning.flow.value(asynchronous)))
        ):
            continue
        if not load and not is_none(planning.arguments(site).get("index_name")):
            return answer
        if load and not is_none(planning.arguments(site).get("partition_names")):
            return answer
        if _same_collection(site, other, planning):
            return PROVED
    return answer


def _same_collection(site: Site, other: Site, planning: Planning) -> bool:
    """Whether the name that ``site`` is given is the one that the object was made with."""
    flow = planning.flow
    given = planning.arguments(site).get("collection_name")
    key = flow.identity(given, site.state, site.function)
    if isinstance(given, ast.Attribute):
        # collection.name of the very object
        for named in flow.sites.get(given, []):
            if named.symbol == "Collection.name" and named.objects == other.objects:
                return True
    if len(other.objects) != 1:
        return False
    (item,) = other.objects
    if not isinstance(item, Object) or not isinstance(item.origin, ast.Call):
        return False
    for made in flow.sites.get(item.origin, []):
        expression = planning.arguments(made).get("name")
        if key is not None and flow.identity(expression, made.state, made.function) == key:
            return True
        text = text_of(planning, given)
        if text is not None and text == text_of(planning, expression):
            return True
    return False
