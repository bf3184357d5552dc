"""Index objects that a collection gives: read by value where it is known, else as a dict."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from migrate_milvus.arguments import dict_items, literal_dict
from migrate_milvus.edits import (
    CallTemplate,
    Comprehension,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning, Quiet
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Const, ModuleValue, Object, Opaque, Shape
from milvus_rules.showing import is_shown, note_shown
from milvus_rules.writing import client_call, is_none, keyword, known

ARGUMENTS = "index-arguments-known"
READ = predicate("index-read-known", "what is read of the index has the same value in the client")
LISTED = predicate(
    "indexes-read-known", "the indexes are counted, or read for what both sides tell alike"
)
HANDLER = predicate("index-handler", "no handler around waits for a missing index")

MAKERS = ("Collection.create_index", "Index")
# Values that are the same in the parameters that the ORM stored and in those of the client.
_SAME_KEYS = ("index_type", "metric_type")
_ITEMS = {"Index.field_name": '["field_name"]', "Index.index_name": '["index_name"]'}
_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_DESCRIPTION = "the client's description of the index"
_READERS = frozenset({"print", "str", "repr", "len", "format", "sorted", "list", "set"})
_READING_METHODS = frozenset(
    {"format", "debug", "info", "warning", "error", "critical", "exception", "log", "dumps"}
)


@dataclass(frozen=True)
class MadeIndex:
    """The ``create_index`` call that made the index which is looked up, and its arguments."""

    site: Site
    field_name: ast.expr
    params: ast.expr | None
    index_name: ast.expr


def made_index(site: Site, planning: Planning) -> MadeIndex | None:
    """The call that surely made the index which ``site`` looks up; None when there is none."""
    flow = planning.flow
    if site.symbol == "Index":
        return _made(site, planning)
    wanted = planning.arguments(site).get("index_name")
    if isinstance(wanted, ast.Constant) and wanted.value is None:
        return None
    found: list[MadeIndex] = []
    for fact in site.state.facts:
        if not (isinstance(fact, tuple) and fact[0] == "indexed" and fact[2] == site.objects):
            continue
        for created in flow.sites.get(fact[1], []):
            made = _made(created, planning)
            if made is None or (wanted is None and not _is_only(made, site, planning)):
                return None
            if wanted is None or _same(made, wanted, site, planning):
                found.append(made)
    return found[0] if len(found) == 1 else None


def _made(site: Site, planning: Planning) -> MadeIndex | None:
    if site.symbol not in MAKERS:
        return None
    arguments = planning.arguments(site)
    field_name = arguments.get("field_name")
    if field_name is None or arguments.unknown:
        return None
    given = arguments.get("index_name")
    if isinstance(given, ast.Constant) and not given.value:
        given = None
    # An index without a name of its own is called like its field (Milvus 2.3 and later).
    return MadeIndex(site, field_name, arguments.get("index_params"), given or field_name)


def _is_only(made: MadeIndex, site: Site, planning: Planning) -> bool:
    """Whether the program makes no other index of the collection."""
    flow = planning.flow
    mine = flow.identity(made.field_name, made.site.state, made.site.scope)
    for other in planning.sites:
        if other.symbol not in MAKERS or not owners(other, planning) & site.objects:
            continue
        if other is made.site or other.form != "call":
            continue
        theirs = planning.arguments(other).get("field_name")
        key = flow.identity(theirs, other.state, other.scope)
        if key is None or key != mine or not _is_constant(key):
            return False
    return _is_constant(mine) or not planning.in_loop(made.site.node)


def _is_constant(key: Hashable | None) -> bool:
    return isinstance(key, tuple) and key[0] == "constant"


def _same(made: MadeIndex, wanted: ast.expr, site: Site, planning: Planning) -> bool:
    flow = planning.flow
    mine = flow.identity(made.index_name, made.site.state, made.site.scope)
    return mine is not None and mine == flow.identity(wanted, site.state, site.scope)


def members(site: Site, planning: Planning) -> list[Site]:
    """What is read of, or called on, the object that ``site`` gives."""
    item = Object("Index", site.node)
    return [other for other in planning.sites if item in other.objects]


def reads_parameters(created: Site, planning: Planning) -> bool:
    """Whether the dict of a ``create_index`` call will be read where the index was looked up."""
    for site in planning.sites:
        if site.symbol not in ("Collection.index", "Index") or not planning.is_active(site):
            continue
        made = made_index(site, planning)
        if made is not None and made.site is created and is_known(site, planning):
            if any(m.symbol in ("Index.params", "Index.to_dict") for m in members(site, planning)):
                return True
    return False


def is_known(site: Site, planning: Planning) -> bool:
    """Whether the object can go: all that is read of it is known, and nothing else happens."""
    made = made_index(site, planning)
    found = members(site, planning)
    if made is None or not found:
        return False
    if any(value_of(member, site, made, planning) is None for member in found):
        return False
    return _is_receiver(site, planning) or only_variable(site, planning) is not None


def owners(site: Site, planning: Planning) -> frozenset[Object]:
    """The collections whose index a site makes."""
    if site.symbol != "Index":
        return site.objects
    collection = planning.arguments(site).get("collection")
    return frozenset(v for v in planning.flow.value(collection) if isinstance(v, Object))


def owner(site: Site, planning: Planning) -> ast.expr:
    """The expression for the collection whose index a site makes or looks up."""
    expression = (
        planning.arguments(site).get("collection") if site.symbol == "Index" else site.receiver
    )
    assert expression is not None
    return expression


def _is_receiver(site: Site, planning: Planning) -> bool:
    parent = planning.flow.source.parents[site.node]
    return isinstance(parent, ast.Attribute) and parent.value is site.node


def only_variable(site: Site, planning: Planning) -> ast.stmt | None:
    """``index = collection.index()``, where the variable holds nothing else and is only read."""
    flow = planning.flow
    statement = flow.source.statement(site.node)
    if not (
        isinstance(statement, ast.Assign)
        and statement.value is site.node
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    ):
        return None
    target = statement.targets[0]
    slot = flow.slot_of_name(target.id, site.scope)
    if slot.owner is not site.scope or set(flow.writes.get(slot, ())) != {target}:
        return None
    receivers = {member.receiver for member in members(site, planning)}
    return statement if set(flow.readers(slot)) <= receivers else None


def value_of(member: Site, looked: Site, made: MadeIndex, planning: Planning) -> Template | None:
    """What stands for a member of a known index; None when that is not known."""
    if len(member.objects) != 1 or member.ambiguous or member.form not in ("call", "attribute"):
        return None
    if not planning.is_latest(looked, member):
        return None

    def still(expression: ast.expr | None) -> Template | None:
        if expression is None or not planning.holds_still(
            expression, made.site, member.node, member.state, member.scope
        ):
            return None
        return (Src(expression),)

    field_name, index_name = still(made.field_name), still(made.index_name)
    # The constructor's object keeps what it was given; others tell what the server says.
    told = looked.symbol == "Index" or _is_echoed(made.params, planning)
    literal = literal_dict(planning.flow, made.params) is not None
    inline = isinstance(made.params, ast.Dict)  # it would have to be written twice
    params = still(made.params) if told and literal and not inline else None
    collection = _collection(member, looked, planning)
    if member.symbol in ("Index.params", "Index.to_dict") and not _only_read(member, planning):
        return None
    match member.symbol:
        case "Index.params":
            return params
        case "Index.field_name":
            return field_name
        case "Index.index_name":
            return index_name
        case "Index.collection_name":
            return collection
        case "Index.to_dict" if collection and field_name and index_name and params:
            return (
                *('{"collection": ', *collection, ', "field": ', *field_name),
                *(', "index_name": ', *index_name, ', "index_param": ', *params, "}"),
            )
        case "Index.drop" if collection and index_name:
            call = client_call(
                planning,
                member,
                "drop_index",
                (None, collection),
                ("index_name", index_name),
                keyword(planning.arguments(member), "timeout"),
            )
            return (call,)
    return None


def _collection(member: Site, looked: Site, planning: Planning) -> Template | None:
    """The name of the collection that the index belongs to, as it is written at ``member``."""
    expression = owner(looked, planning)
    return planning.names_still(expression, looked, member)


def _is_echoed(expression: ast.expr | None, planning: Planning) -> bool:
    """Whether the server tells the parameters as they were given: texts, and build parameters."""
    content = literal_dict(planning.flow, expression)
    if content is None:
        return False
    items = dict_items(content)
    if not all(key in items for key in _SAME_KEYS):
        return False
    for key, value in items.items():
        if key != "params":
            if not _is_plain(value, planning, text=True):
                return False
            continue
        build = literal_dict(planning.flow, value)
        if build is None or not all(
            _is_plain(item, planning) for item in dict_items(build).values()
        ):
            return False
    return True


def _is_plain(node: ast.expr, planning: Planning, text: bool = False) -> bool:
    """Whether the expression holds a text (or, unless ``text``, a number) and nothing else."""
    values = planning.flow.value(node)
    kinds: tuple[type, ...] = (str,) if text else (str, int, float, bool)
    shapes = (Shape.TEXT,) if text else (Shape.TEXT, Shape.NUMBER)
    return bool(values) and all(
        isinstance(v.value, kinds)
        if isinstance(v, Const)
        else isinstance(v, Opaque) and v.shape in shapes
        for v in values
    )


def _only_read(member: Site, planning: Planning) -> bool:
    """Whether the dict is printed, compared or subscripted at once: the ORM gave a copy."""
    parents = planning.flow.source.parents
    node: ast.AST = member.node
    parent = parents[node]
    while isinstance(parent, ast.Subscript) and parent.value is node:
        if not isinstance(parent.ctx, ast.Load):
            return False
        node, parent = parent, parents[parent]
        if isinstance(parent, ast.Assign) and isinstance(node, ast.Subscript):
            return _is_text_item(node)
    if isinstance(parent, ast.keyword):
        parent = parents[parent]
    match parent:
        case ast.FormattedValue() | ast.Compare() | ast.Expr():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _READERS
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _READING_METHODS
        case ast.BinOp(op=ast.Mod()):
            return True
        case ast.Tuple():
            outer = parents[parent]
            return isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Mod)
    return False


def _shown_in_other_order(member: Site, made: MadeIndex, planning: Planning) -> bool:
    """Whether all parameters are printed, and stand in another order than Milvus Lite tells."""
    content = literal_dict(planning.flow, made.params)
    if content is None or member.symbol not in ("Index.params", "Index.to_dict"):
        return False
    parent = planning.flow.source.parents[member.node]
    keys = list(dict_items(content))
    return not isinstance(parent, ast.Subscript | ast.Compare) and keys != sorted(keys)


def _is_text_item(node: ast.Subscript) -> bool:
    return isinstance(node.slice, ast.Constant) and node.slice.value in _SAME_KEYS


class IndexByName(Rule):
    """``collection.index()`` becomes what was read of it.

    Where the program has just made the index, what is read of it is known: ``index.params`` is the
    dict that ``create_index`` was given, ``field_name`` and ``index_name`` are its arguments (an
    index without a name is called like its field), and the look-up goes. Otherwise it becomes
    ``client.describe_index(name, index_name=...)``, a dict whose field name, index name,
    ``index_type`` and ``metric_type`` are read by key.

    Accepted difference: an index that the program has just made is not read back, so that printed
    parameters keep the order of the dict that was given (with a note where it may differ). Where
    the parameters of another index are only printed, the client's dict is, with a note.

    Refused when other parameters are read of an index that was made elsewhere (the client gives
    them in another shape), and when a handler waits for a missing index, for which the ORM raises
    and the client returns None.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV302"
    title = "indexes are looked up and dropped by name"
    symbols = ("Collection.index",)
    order = 45

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        require(ARGUMENTS, lambda: known(arguments, ("index_name", "timeout")))
        if is_known(site, planning):
            statement = only_variable(site, planning)
            return [] if statement is None else [ReplaceStatement(statement, ())]
        require(READ, lambda: _readable(site, planning))
        require(HANDLER, lambda: _handled(site, planning))
        given = arguments.get("index_name")
        call = client_call(
            planning,
            site,
            "describe_index",
            (None, planning.name(site)),
            ("index_name", ('""',) if is_none(given) else (Src(given),)),  # type: ignore[arg-type]
            keyword(arguments, "timeout"),
        )
        return [ReplaceNode(site.node, (call,))]


def _readable(site: Site, planning: Planning) -> Answer:
    recipe = planning.rule_set.recipe("Collection.index")
    found = members(site, planning)
    if not found:
        return unknown("what becomes of the index object is not known", recipe)
    for member in found:
        if _tells_alike(member, planning):
            continue
        if member.symbol == "Index.drop" and member.form == "call" and _is_receiver(site, planning):
            continue
        return unknown(
            f"{member.symbol} of an index that was not made just before: the client gives its "
            "parameters in another shape",
            recipe,
        )
    return PROVED


def _tells_alike(member: Site, planning: Planning) -> bool:
    """Whether what is read is the same in the client's dict, or only shown."""
    if len(member.objects) != 1 or member.ambiguous:
        return False
    if member.symbol in _ITEMS or _item(member, planning) is not None:
        return True
    return _is_shown_whole(member, planning)


def _is_shown_whole(member: Site, planning: Planning) -> bool:
    """Whether all that the index tells is only printed or logged."""
    called = {"Index.params": "attribute", "Index.to_dict": "call"}
    return called.get(member.symbol) == member.form and is_shown(planning, member.node)


def _handled(site: Site, planning: Planning) -> Answer:
    named = planning.handled_names(site.node) & {"IndexNotExistException", "MilvusException"}
    if named or (planning.enclosing_handlers(site.node) and not _is_receiver(site, planning)):
        return refuted(
            "a handler here may wait for the exception that the ORM raises for a missing index",
            "index = client.describe_index(name, index_name=...)\n"
            "if index is None: ...  # what the handler does",
        )
    return PROVED


def _item(member: Site, planning: Planning) -> ast.Subscript | None:
    """``index.params["metric_type"]``: an item that has the same value in both shapes."""
    parent = planning.flow.source.parents[member.node]
    if (
        member.symbol == "Index.params"
        and isinstance(parent, ast.Subscript)
        and isinstance(parent.ctx, ast.Load)
        and _is_text_item(parent)
    ):
        return parent
    return None


class Indexes(Rule):
    """``collection.indexes`` becomes ``list_indexes``, and a ``describe_index`` for each.

    Where only the number of indexes counts, or whether there are any, ``client.list_indexes`` is
    enough. Otherwise ``[client.describe_index(collection, index_name=n) for n in
    client.list_indexes(collection)]`` gives a dict for each, whose field name, index name,
    ``index_type`` and ``metric_type`` are read by key.

    Accepted difference: one request for each index more; where all parameters of an index are only
    printed, the client's dict is, with a note.

    Refused when other parameters are read (the client gives them in another shape), when an index
    is dropped through the list, and when the list is returned or passed on.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV302"
    title = "indexes are looked up and dropped by name"
    symbols = ("Collection.indexes",)
    order = 45  # before what is read of the indexes

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        name = planning.name(site)
        listed = client_call(planning, site, "list_indexes", (None, name))
        if _only_counted(planning, site.node):
            return [ReplaceNode(site.node, (listed,))]
        require(LISTED, lambda: _gone_through(site, planning))
        if _only_named(site, planning):
            return [ReplaceNode(site.node, (listed,))]
        around = planning.flow.source.parents[site.node]
        match around:
            case ast.For(target=ast.Name() as index, body=[first, *_]) if _only_reads(
                around, site, planning
            ):
                variable, described = _described(site, planning, "index_name")
                return [
                    ReplaceNode(index, (variable,)),
                    ReplaceNode(site.node, (listed,)),
                    InsertStatements(first, (Line((f"{index.id} = ", described)),)),
                ]
        variable, described = _described(site, planning, "name")
        each = Comprehension((described,), (f"for {variable} in ", listed))
        match around:
            case ast.comprehension(target=ast.Name() as index):
                whole = planning.flow.source.parents[around]
                readers = _readers(whole, index)
                found = members(site, planning)
                if isinstance(whole, ast.ListComp) and [whole.elt] == [m.node for m in found]:
                    if len(readers) == 1 and _is_shown_whole(found[0], planning):
                        planning.claim(found[0].node)
                        note_shown(planning, found[0], [whole], _DESCRIPTION)
                        return [ReplaceNode(whole, (each,))]
                if len(readers) == 1:
                    return [
                        ReplaceNode(index, (variable,)),
                        ReplaceNode(site.node, (listed,)),
                        ReplaceNode(readers[0], (described,)),
                    ]
        return [ReplaceNode(site.node, (each,))]


def _described(site: Site, planning: Planning, base: str) -> tuple[str, CallTemplate]:
    """A variable for the name of an index, and the call that describes that index."""
    variable = planning.helper_name(base, site.scope)
    call = client_call(
        planning,
        site,
        "describe_index",
        (None, planning.name(site)),
        ("index_name", (variable,)),
    )
    return variable, call


def _only_named(site: Site, planning: Planning) -> bool:
    """Whether nothing but the names of the indexes is read: they are what is listed."""
    found = members(site, planning)
    return bool(found) and all(member.symbol == "Index.index_name" for member in found)


def _only_reads(loop: ast.For, site: Site, planning: Planning) -> bool:
    """Whether the loop does nothing that could change what the next index is described as."""
    if loop.body[0].lineno == site.node.lineno or loop.iter is not site.node:
        return False
    own = {member.node for member in members(site, planning)}
    inside = {node for statement in loop.body for node in ast.walk(statement)} - own
    return not any(other.node in inside for other in planning.sites) and all(
        planning.flow.value(node.func) == {ModuleValue("builtins.print")}
        for node in inside
        if isinstance(node, ast.Call)
    )


def _readers(comprehension: ast.AST, index: ast.Name) -> list[ast.Name]:
    """Where a comprehension with one ``for`` reads its variable; nowhere if it is not so plain."""
    inner = [node for node in ast.walk(comprehension) if isinstance(node, _SCOPES)]
    if len(getattr(comprehension, "generators", ())) != 1 or inner != [comprehension]:
        return []
    return [
        node
        for node in ast.walk(comprehension)
        if isinstance(node, ast.Name) and node.id == index.id and node is not index
    ]


def _only_counted(planning: Planning, node: ast.expr) -> bool:
    """Whether only the length or the truth of the list counts: ``x or []`` gives x itself."""
    parent = planning.flow.source.parents[node]
    match parent:
        case ast.BoolOp():
            return _only_counted(planning, parent)
        case ast.IfExp():
            return parent.test is node
        case ast.Call(func=ast.Name(id="len" | "bool"), args=[argument]):
            return argument is node
    return isinstance(parent, ast.If | ast.While) or (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    )


def _gone_through(site: Site, planning: Planning) -> Answer:
    """Whether the list is only gone through or counted, and each index read for what is known."""
    refused = unknown(
        "what becomes of the index objects is not known",
        "[client.describe_index(name, n) for n in client.list_indexes(name)] gives a dict "
        'for each index: ["field_name"], ["index_name"], ["index_type"], ["metric_type"].',
    )
    parents = planning.flow.source.parents
    held = planning.flow.value(site.node)
    for node, values in planning.flow.values.items():
        if not values & held or not isinstance(node, ast.expr):
            continue
        match parents.get(node):
            case ast.For(iter=used) | ast.comprehension(iter=used) if used is node:
                continue
            case ast.Assign(targets=[ast.Name()]) | ast.BoolOp():
                continue
            case ast.Subscript(value=used, slice=ast.Constant()) if used is node:
                continue
        if not _only_counted(planning, node):
            return refused
    if all(_tells_alike(member, planning) for member in members(site, planning)):
        return PROVED
    return refused


class IndexMembers(Rule):
    """What is read of an index: its parameters, its field, its name.

    Of an index that the program has just made these are the arguments of ``create_index``, and
    ``to_dict()`` is a dict of them. Of others they are items of what ``describe_index`` returns:
    ``index.params["metric_type"]`` becomes ``index["metric_type"]``.

    Refused for parameters that only the server knows, which the client gives in another shape.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV303"
    title = "what is read of an index is known, or read from a dict"
    symbols = (
        "Index.params",
        "Index.field_name",
        "Index.index_name",
        "Index.collection_name",
        "Index.to_dict",
        "Index.drop",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        looked = _looked_up(site, planning)
        if looked is None:
            raise Quiet  # said where the objects come from
        if site.symbol == "Index.drop":
            arguments = planning.arguments(site)
            require(ARGUMENTS, lambda: known(arguments, ("timeout",)))
        if looked.symbol == "Index" and not is_known(looked, planning):
            raise Quiet  # said at the constructor
        made = None if looked.symbol == "Collection.indexes" else made_index(looked, planning)
        if made is not None and is_known(looked, planning):
            value = value_of(site, looked, made, planning)
            assert value is not None
            if looked.symbol != "Index" and _shown_in_other_order(site, made, planning):
                planning.note(
                    site,
                    "parameters-in-order-given",
                    "the parameters show in the order of the dict that create_index was given; the "
                    "server may tell them in another",
                )
            return [ReplaceNode(site.node, value)]
        if site.symbol == "Index.drop":
            described: Template = (Src(looked.node), '["index_name"]')
            call = client_call(
                planning,
                site,
                "drop_index",
                (None, planning.name(looked)),
                ("index_name", described),
                keyword(planning.arguments(site), "timeout"),
            )
            return [ReplaceNode(site.node, (call,))]
        assert site.receiver is not None
        item = _item(site, planning)
        if item is not None:
            return [ReplaceNode(item, (Src(site.receiver), "[", Src(item.slice), "]"))]
        if looked.symbol == "Collection.indexes" and _only_named(looked, planning):
            return [ReplaceNode(site.node, (Src(site.receiver),))]
        if site.symbol not in _ITEMS:
            note_shown(planning, site, [site.node], _DESCRIPTION)
        return [ReplaceNode(site.node, (Src(site.receiver), _ITEMS.get(site.symbol, "")))]


def _looked_up(site: Site, planning: Planning) -> Site | None:
    """The one ``collection.index()``, or ``collection.indexes``, that gave the object."""
    if len(site.objects) != 1:
        return None
    (item,) = site.objects
    if isinstance(item.origin, ast.AST):
        for made in planning.flow.sites.get(item.origin, []):
            if made.symbol in ("Collection.index", "Collection.indexes", "Index"):
                return made
    return None
