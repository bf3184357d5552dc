"""Load state, progress and waiting."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import (
    CallTemplate,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
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
    require_version,
)

ONE_PARTITION = predicate("load-state-one-partition", "at most one partition is asked for")
AFTER_LOAD = predicate("wait-follows-load", "a blocking load of the collection stands just before")
AFTER_INDEX = predicate("wait-follows-index", "a blocking create_index stands just before")
PROGRESS = predicate("progress-result-known", "a missing index raises as before")

# In the order of the ORM's dict, which is that of the client's.
_PROGRESS_KEYS = ("total_rows", "indexed_rows", "pending_index_rows", "state")


class Progress(Rule):
    """Load state and progress are asked of the client; waits that the client does itself go.

    ``utility.load_state(name)`` becomes ``client.get_load_state(name)["state"]``;
    ``index_building_progress(name)`` reads ``client.describe_index``, whose dict has more keys:
    where other keys than the ORM's could show, those are picked. A
    ``wait_for_loading_complete`` or ``wait_for_index_building_complete`` directly after a blocking
    ``load`` or ``create_index`` of the same collection is deleted: both wait themselves.

    Refused when the state of several partitions is asked for, when a wait does not directly follow,
    when a handler waits for the ORM's exception about a missing index, and for
    ``loading_progress``, whose result has another shape.

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
            require(PROGRESS, lambda: _raises_as_before(site, planning))
            require_version(planning, "describe-index-rows", "the row counts of describe_index")
            given = arguments.get("index_name")
            wanted = ('""',) if is_none(given) else (Src(given),)  # type: ignore[arg-type]
            call = client_call(
                planning, site, "describe_index", first, ("index_name", wanted), timeout
            )
            if is_statement(planning, site) or _only_known_keys(site, planning):
                return [ReplaceNode(site.node, (call,))]
            return _progress_dict(site, planning, call)
        if name == "loading_progress":
            require(
                BY_HAND,
                refuted(
                    "the client's load state has another shape than loading_progress()",
                    planning.recipe(site),
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


def _raises_as_before(site: Site, planning: Planning) -> Answer:
    """The ORM raises when there is no index; the client gives None, which fails when it is read."""
    waiting = planning.handled_names(site.node) - {"Exception", "BaseException"}
    if waiting:
        return unknown(
            f"a handler names {sorted(waiting)[0]}; where there is no index the ORM raises that, "
            "and the client gives None",
            'index = client.describe_index(name, index_name="")\n'
            "if index is None: ...  # what the handler does",
        )
    if is_statement(planning, site) and not _indexed_before(site, planning):
        return unknown(
            "the result is not read, so all that this does is to raise when there is no index; "
            "the client gives None then",
            "Delete the call, or write: assert client.list_indexes(name)",
        )
    return PROVED


def _indexed_before(site: Site, planning: Planning) -> bool:
    """Whether an index of the collection is made further up in the same block."""
    block, index = planning.block_of(planning.flow.source.statement(site.node))
    above = {node for statement in block[:index] for node in ast.walk(statement)}
    return any(
        other.symbol == "Collection.create_index"
        and other.node in above
        and _same_collection(site, other, planning)
        for other in planning.sites
    )


def _only_known_keys(site: Site, planning: Planning) -> bool:
    """Whether only keys that the ORM gave too are read of the result."""
    node: ast.expr = site.node
    if _reads_known_key(planning, node):
        return True
    statement = planning.flow.source.statement(node)
    if not (
        isinstance(statement, ast.Assign)
        and statement.value is node
        and all(isinstance(target, ast.Name) for target in statement.targets)
    ):
        return False
    for target in statement.targets:
        assert isinstance(target, ast.Name)
        slot = planning.flow.slot_of_name(target.id, site.scope)
        in_class = target not in planning.flow.writes.get(slot, {})
        if in_class or planning.crossing.is_seen_elsewhere(slot):
            return False
        if not all(_reads_known_key(planning, reader) for reader in planning.flow.readers(slot)):
            return False
    return True


def _reads_known_key(planning: Planning, node: ast.expr) -> bool:
    parents = planning.flow.source.parents
    match parents[node]:
        case ast.Subscript(value=value, slice=ast.Constant(value=key), ctx=ast.Load()):
            return value is node and key in _PROGRESS_KEYS
        case ast.Attribute(value=value, attr="get") as method if value is node:
            match parents[method]:
                case ast.Call(func=function, args=[ast.Constant(value=key), *_]):
                    return function is method and key in _PROGRESS_KEYS
    return False


def _progress_dict(site: Site, planning: Planning, call: CallTemplate) -> list[Edit]:
    """The ORM's dict: the client's has the index's parameters too."""
    keys = str(_PROGRESS_KEYS).replace("'", '"')
    statement = planning.flow.source.statement(site.node)
    if planning.evaluated_first(statement, site.node):
        variable = planning.helper_name("index", site.scope)
        return [
            InsertStatements(statement, (Line((f"{variable} = ", call)),)),
            ReplaceNode(site.node, (f"{{key: {variable}[key] for key in {keys}}}",)),
        ]
    written: Template = ("{key: value for key, value in ", call, f".items() if key in {keys}}}")
    return [ReplaceNode(site.node, written)]


def _follows(site: Site, planning: Planning, load: bool) -> Answer:
    """Whether the statement before is a blocking call on the same collection."""
    given = planning.arguments(site)
    name = planning.flow.source.segment(given.given["collection_name"])
    own = given.get("index_name")
    wanted = '""' if own is None or is_none(own) else planning.flow.source.segment(own)
    recipe = (
        f'while client.get_load_state({name})["state"] != LoadState.Loaded:\n'
        "    time.sleep(0.5)  # from pymilvus.client.types import LoadState"
        if load
        else f'while client.describe_index({name}, index_name={wanted})["state"] != "Finished":\n'
        "    time.sleep(0.5)"
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
    key = flow.identity(given, site.state, site.scope)
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
        if key is not None and flow.identity(expression, made.state, made.scope) == key:
            return True
        text = text_of(planning, given)
        if text is not None and text == text_of(planning, expression):
            return True
    return False
