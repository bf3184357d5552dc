"""Connections: ``connect`` becomes a client, ``disconnect`` closes it."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from migrate_milvus import placement
from migrate_milvus.arguments import Arguments, completed_dict, dict_items
from migrate_milvus.edits import (
    Block,
    Edit,
    FString,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import BY_HAND, IN_REACH, Planning
from migrate_milvus.registry import (
    PROVED,
    Answer,
    Rule,
    predicate,
    refuted,
    require,
    unknown,
)
from migrate_milvus.runners import LaterCall
from migrate_milvus.values import NONE, Const, ModuleValue, Opaque
from milvus_rules.contents import held_only_by
from milvus_rules.showing import is_shown, note_shown
from milvus_rules.writing import (
    Pair,
    call_of,
    can_be_true,
    has_other_clients,
    is_none,
    is_pure,
    is_statement,
    is_true,
    keyword,
    known,
    require_version,
)

ALIAS = predicate("connect-alias-known", "the alias can be told from the code")
STORED = predicate(
    "stored-address-known", "what add_connection stores can be written at the one connect() of it"
)
ADDRESS = predicate("connect-address-known", "host, port and uri are never None or empty")
ARGUMENTS = predicate("connect-arguments-known", "every argument has a meaning for the client")
NOT_ASYNC = predicate("connect-not-async", "_async is not used")
ONE_ADDRESS = predicate("connect-one-address", "address= and uri= are not both given")
NO_PATH = predicate("connect-uri-without-path", "the uri has no path, or db_name is given")
NO_CREDENTIALS = predicate(
    "connect-uri-without-credentials", "the uri has no user:password beside user= and password="
)
SCHEME = predicate("connect-uri-scheme", "the uri's scheme is one that the client accepts")
PORT = predicate("connect-port-in-range", "the port is one that both sides accept")
RESULT = predicate("connect-result-unused", "the result of connect(), None, is not used")
RUNS = predicate("connect-runs", "connect() runs on every path to the uses")
OPEN = predicate("connection-open-before", "connect() has run, and nothing disconnects")
LISTED = predicate(
    "connections-listed", "the list of connections holds the default one only, and it is open"
)
DISCONNECT_ALIAS = predicate("disconnect-alias-known", "the alias can be told from the code")
ALONE = predicate("disconnect-alone", "the call is a statement, or all of it becomes the client's")
NOT_AFTER_CLOSE = predicate("client-not-used-after-close", "nothing uses the connection afterwards")
AT_EXIT = predicate("close-at-exit", "the client is made before its closing is registered, once")

_ADDRESS = ("uri", "host", "port", "address")
_PASSED = (
    "user",
    "password",
    "token",
    "db_name",
    "timeout",
    "secure",
    "client_key_path",
    "client_pem_path",
    "ca_pem_path",
    "server_pem_path",
    "server_name",
)
DEFAULT_KEY = ("constant", "default")
_SCHEMES = ("http", "https", "tcp", "unix")
# streamlit's decorators: what they wrap runs once, the script around it many times.
_RERUN = ("cache_resource", "cache_data", "st.cache", "experimental_singleton", "experimental_memo")
_WRITE_OUT = "Write the arguments out."
_ALIAS_RECIPE = "Write the alias as a literal, or make one MilvusClient where the alias is made."


class Connect(Rule):
    """``connections.connect(...)`` becomes ``client = MilvusClient(uri=...)``.

    The client is bound where ``connect`` stood: a module variable, a local, ``self.client``, a
    parameter of the helpers, or a module global that the connecting function sets. Aliases that
    are passed around, or made when the program runs, become keys of one dict of clients:
    ``clients[alias] = MilvusClient(uri=...)``, as long as nothing searches the registry. Host and
    port become one uri (``https`` for a literal ``secure=True``); user, password, token, db_name,
    timeout and the TLS arguments keep their names; the alias is gone. ``connect()`` without any
    address read ``MILVUS_URI``, so the new code does, and then took what ``add_connection`` had
    stored in the same block, which is written in its place. A dict that is unpacked, and only gets
    credentials or options added before, stays: its address becomes one uri there. ``keep_alive``
    has no effect on the client and is dropped with a note.

    Refused when the alias cannot be told, arguments are unpacked from an unknown dict or unknown
    to the client (which would swallow them), both ``address`` and ``uri`` are given, a literal uri
    has a path without ``db_name`` (the ORM ignored it, the client takes it as the database), has
    credentials beside ``user=``, or a scheme or port that only one side accepts, ``_async`` is
    used, or an ``if`` may skip the call. A uri that is not a literal is passed on as it stands.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV101"
    title = "connections.connect becomes a MilvusClient"
    symbols = ("connections.connect",)
    order = 5

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        given = planning.arguments(site)
        spread = _spread(planning, site, given)
        arguments = given if spread is None else spread.arguments
        require(
            ALIAS,
            lambda: (
                PROVED
                if planning.keys[id(site)] is not None or arguments.unknown
                else _unknown_alias(planning, arguments.get("alias"))
            ),
        )
        require(
            ARGUMENTS,
            lambda: (
                _keys_seen(planning, site, arguments)
                or known(arguments, ("alias", "_async", *_ADDRESS, *_PASSED, "keep_alive"))
            ),
        )
        require(NOT_ASYNC, lambda: _not_async(planning, arguments))
        require(
            RESULT,
            lambda: (
                PROVED
                if is_statement(planning, site) or _assigned_in_vain(planning, site)
                else refuted(
                    "the result of connect() is used, and it is None",
                    "Call connect() in a statement of its own; the client takes its place.",
                )
            ),
        )
        stored = _stored_address(planning, site, arguments)
        address = _without_empty(arguments if stored is None else stored)
        require(ONE_ADDRESS, lambda: _one_address(address))
        require(ADDRESS, lambda: _address_known(planning, site, address))
        require(PORT, lambda: _port_in_range(planning, address))
        require(SCHEME, lambda: _scheme(planning, address))
        require(NO_PATH, lambda: _no_path(planning, address))
        require(NO_CREDENTIALS, lambda: _no_credentials(planning, address))
        uses = planning.uses_of(site)
        if not uses and planning.stays(site):
            return []
        require(RUNS, lambda: _runs(planning, site, uses))
        require_version(planning, "MilvusClient")
        place = planning.place_of(site)
        planning.opens(site)
        target = place.name
        if place.mode == "pool":
            target = planning.client(site)
        elif place.mode == "attribute":
            assert site.function is not None
            target = f"{planning.client(site)}"
        elif site.owner is not None and site.function is None:
            require(
                IN_REACH,
                unknown(
                    "connect() runs in a class body, where a client would be a class attribute",
                    "Connect at module level or in a method.",
                ),
            )
        cls = planning.reference("MilvusClient", site)
        uri = _uri(planning, address, planning.alias(site))
        if stored is not None:
            # The ORM looks there first.
            uri = (f'{planning.module("os")}.environ.get("MILVUS_URI", ', *uri, ")")
        passed: list[Pair | None] = [keyword(arguments, name) for name in _ordered(arguments)]
        edits: list[Edit] = []
        if spread is None:
            value = call_of((cls,), ("uri", uri), *passed)
        else:
            passed = [keyword(given, name) for name in _ordered(given)]
            edits = spread.edits(planning, site, uri)
            if not spread.holds_address:
                passed.insert(0, ("uri", uri))
            value = call_of((cls,), *passed, ("**", (Src(spread.expression),)))
        for name in ("host", "port", "address", "uri"):
            if _from_environment(planning, address.get(name)):
                planning.note(
                    site,
                    "environment-may-lack",
                    f"{name}= has no default: without the variable both sides raise, the client "
                    "another exception",
                )
        for text in (*_constants(planning, address.get("uri")), *_prefix(address.get("uri"))):
            if _is_refused(str(text)):
                planning.note(site, "uri-refused", f"both sides refuse the uri {text!r}")
        if "keep_alive" in arguments:
            planning.note(site, "keep-alive-dropped", "keep_alive has no effect on MilvusClient")
        statement = planning.flow.source.statement(site.node)
        left = planning.left.get(planning.keys[id(site)])
        if left is not None:
            if left.is_made(planning, site, (value,)):
                return [] if planning.stays(site) else [ReplaceStatement(statement, ())]
            planning.renewed.add(planning.keys[id(site)])  # another client: plan again
        if planning.stays(site):
            line = Line((f"{target} = ", value))
            return [*edits, InsertStatements(statement, (line,), after=True)]
        if isinstance(statement, ast.Assign):
            line = Line((f"{target} = ", value), anchor=statement)
            return [*edits, ReplaceStatement(statement, (line,))]
        return [*edits, ReplaceNode(site.node, (f"{target} = ", value))]


@dataclass(frozen=True)
class _Spread:
    """Arguments of which some stand in a dict that is unpacked, and may be completed before.

    ``arguments`` are those of the call and of the dict's display, and the credentials that may be
    added: as if they were given, which is the careful reading of each precondition.
    """

    arguments: Arguments
    expression: ast.expr
    display: ast.Dict
    items: dict[str, ast.expr]

    @property
    def holds_address(self) -> bool:
        """Whether the address, or part of it, stands in the dict."""
        return any(name in self.items for name in _ADDRESS)

    def is_private(self, planning: Planning) -> bool:
        """Whether the dict is in a variable that no other file reads."""
        slot = planning.flow.reads.get(self.expression)
        return (
            isinstance(self.expression, ast.Name)
            and slot is not None
            and not planning.crossing.is_seen_elsewhere(slot)
        )

    def edits(self, planning: Planning, site: Site, uri: Template) -> list[Edit]:
        """The dict as the client takes it: its address as one uri, and without the alias."""
        same = not self.holds_address or uri == (Src(self.items.get("uri", self.display)),)
        if same and self.items.keys() <= {"uri", *_PASSED}:
            return []
        require(
            ARGUMENTS,
            PROVED
            if not planning.stays(site) and self.is_private(planning)
            else unknown("the client takes one uri, and others may read this dict", _WRITE_OUT),
        )
        pairs: list[tuple[str, Template]] = [("uri", uri)] if self.holds_address else []
        pairs += [(name, (Src(node),)) for name, node in self.items.items() if name in _PASSED]
        written: Template = ()
        for name, value in pairs:
            written = (*written, ", " if written else "", f'"{name}": ', *value)
        return [ReplaceNode(self.display, ("{", *written, "}"))]


def _keys_seen(planning: Planning, site: Site, arguments: Arguments) -> Answer | None:
    """What is missing where a dict is unpacked whose keys are not seen; None otherwise."""
    unpacked = [part.value for part in site.call.keywords if part.arg is None]
    hidden = [part for part in unpacked if part in arguments.unknown]
    if not hidden:
        return None
    text = planning.text(hidden[0])
    rest = ((name, arguments.get(name)) for name in _ordered(arguments))
    written = [f"{name}={planning.text(value)}" for name, value in rest if value is not None]
    given = ", ".join([f"**{text}", *written])
    return unknown(
        f"the keys of {text} are not seen here: the client ignores host=, port= and address= in "
        "silence, and connects to localhost",
        f"# where {text} holds uri, user, password, token or db_name only\n"
        f"client = MilvusClient({given})\n"
        '# where it holds host and port: uri=f"http://{host}:{port}" instead of the two',
    )


def _spread(planning: Planning, site: Site, given: Arguments) -> _Spread | None:
    """The arguments, where one dict is unpacked whose keys are all known."""
    flow = planning.flow
    if len(given.unknown) != 1 or site.form != "call":
        return None
    (expression,) = given.unknown
    completed = completed_dict(flow, expression)
    if completed is None or not any(k.value is expression for k in site.call.keywords):
        return None
    content, later = completed
    assert isinstance(content.node, ast.Dict)
    items = dict_items(content)
    readers = [change.value for change in content.changed if isinstance(change, ast.Subscript)]
    split = any(given.get(name) is not None for name in _ADDRESS) and any(
        name in items for name in _ADDRESS
    )
    if (
        split
        or not later.keys() <= set(_PASSED)
        or given.given.keys() & (items.keys() | later.keys())
        or not held_only_by(flow, content, expression, *readers)
    ):
        return None
    credentials = {name: value for name, value in later.items() if name in ("user", "password")}
    arguments = Arguments(
        {**given.given, **items, **credentials}, given.extra, order=[*given.order, *items]
    )
    return _Spread(arguments, expression, content.node, items)


def _without_empty(arguments: Arguments) -> Arguments:
    """The address without the parts that are given as ``""``, which the ORM passes over."""
    given = {name: arguments.get(name) for name in _ADDRESS if arguments.get(name) is not None}
    empty = {
        name
        for name, value in given.items()
        if isinstance(value, ast.Constant) and value.value == ""
    }
    if len(empty) == len(given):
        return arguments
    kept, further = (
        {name: value for name, value in held.items() if name not in empty}
        for held in (arguments.given, arguments.extra)
    )
    return replace(arguments, given=kept, extra=further)


class AddConnection(Rule):
    """``connections.add_connection(default={...})`` goes: the address moves into the client.

    It only stored an address for the ``connect`` that follows. Refused when no single ``connect``
    of that alias follows in the same block, when what it stores is not written out there, or may
    be something else by then.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV103"
    title = "the registry of connections is gone"
    symbols = ("connections.add_connection",)
    order = 4

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        require(STORED, lambda: _folds(planning, site))
        if planning.stays(site):
            return []
        return [ReplaceStatement(planning.flow.source.statement(site.node), ())]


def _folds(planning: Planning, site: Site) -> Answer:
    """Whether what is stored can be written at the one ``connect`` that takes it."""
    recipe = planning.recipe(site)
    config = _stored_items(site)
    if config is None or not is_statement(planning, site):
        return unknown("what is stored for which alias is not written out here", recipe)
    key = planning.keys[id(site)]
    connects = [
        other
        for other in planning.sites
        if other.symbol == "connections.connect" and planning.keys[id(other)] == key
    ]
    stores = [
        other
        for other in planning.sites
        if other.symbol == site.symbol and planning.keys[id(other)] in (key, None)
    ]
    if len(connects) != 1 or len(stores) != 1:
        return unknown("not one connect() takes what is stored here", recipe)
    (connect,) = connects
    block, index = planning.block_of(planning.flow.source.statement(site.node))
    taking = planning.flow.source.statement(connect.node)
    if taking not in block[index + 1 :]:
        return unknown("the connect() that takes it does not follow in the same block", recipe)
    next_to_it = block[index + 1] is taking and not planning.stays(site)
    for name, value in config.items():
        still = planning.holds_still(value, site, connect.node, connect.state, connect.scope)
        if not (still or (next_to_it and name != "user") or (name == "user" and is_pure(value))):
            return unknown(f"{name} may be another value when connect() takes it", recipe)
    return PROVED


def _stored_items(site: Site) -> dict[str, ast.expr] | None:
    """The items of the one literal dict that ``add_connection`` is given, of known keys only."""
    if site.form != "call":
        return None  # named without being called
    call = site.call
    if call.args or len(call.keywords) != 1 or not isinstance(call.keywords[0].value, ast.Dict):
        return None
    display = call.keywords[0].value
    items: dict[str, ast.expr] = {}
    for key, value in zip(display.keys, display.values, strict=True):
        if not isinstance(key, ast.Constant) or key.value not in (*_ADDRESS, "user"):
            return None
        items[key.value] = value
    return items


def _stored_address(planning: Planning, site: Site, arguments: Arguments) -> Arguments | None:
    """The address that ``add_connection`` stored for a ``connect`` without one."""
    if any(arguments.get(name) is not None for name in _ADDRESS):
        return None
    key = planning.keys[id(site)]
    for store in planning.sites:
        if store.symbol != "connections.add_connection" or planning.keys[id(store)] != key:
            continue
        items = _stored_items(store)
        if items and planning.is_active(store) and _folds(planning, store) is PROVED:
            given = {name: value for name, value in items.items() if name in _ADDRESS}
            given |= {name: value for name in _PASSED if (value := arguments.get(name)) is not None}
            return Arguments(given)
    return None


class Disconnect(Rule):
    """``connections.disconnect(alias)`` becomes ``client.close()``.

    Refused when the alias cannot be told, or when the connection is used afterwards: the ORM then
    raised ``ConnectionNotExistException``, the client another exception. Where an object of the
    connection stays on the ORM, both are closed. ``if connections.has_connection(alias):`` around
    it goes: like ``disconnect``, ``close`` does nothing where nothing is open.
    ``atexit.register(connections.disconnect, alias)`` registers ``client.close``, where the client
    is surely made before.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV102"
    title = "connections.disconnect closes the client"
    symbols = ("connections.disconnect", "connections.remove_connection")
    order = 90

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        key = planning.keys[id(site)]
        require(
            DISCONNECT_ALIAS,
            lambda: (
                PROVED
                if key is not None and (key in planning.places or key == DEFAULT_KEY)
                else unknown(
                    "the alias cannot be told from the code"
                    if key is None
                    else "it is not seen where this connection is opened",
                    _ALIAS_RECIPE,
                )
            ),
        )
        if isinstance(site.node, LaterCall):
            require(AT_EXIT, lambda: _closed_at_exit(planning, site))
        else:
            require(NOT_AFTER_CLOSE, lambda: _not_used_after(planning, site))
        if has_other_clients(site, planning):
            require_version(planning, "close-detaches", "closing one of several clients")
        if not planning.uses_of(site) and planning.stays(site):
            return []
        client = planning.client(site)
        if planning.is_pooled(site):
            return [_close_and_remove(planning, site, client)]
        require(
            ALONE,
            lambda: (
                PROVED
                if is_statement(planning, site) or not planning.stays(site)
                else unknown(
                    "the connection stays for the rest, and this call has no room for the client's",
                    "Close both in a function, and call that: connections.disconnect(alias), then "
                    f"{client}.close().",
                )
            ),
        )
        call = call_of((f"{client}.close",))
        statement = planning.flow.source.statement(site.node)
        left = planning.left.get(key)
        if left is not None and id(statement) in left.closed:
            return [] if planning.stays(site) else [ReplaceStatement(statement, ())]
        if key in planning.registry and is_statement(planning, site):
            return [_close_and_forget(planning, site, client)]
        asked = _asked_around(planning, statement)
        if asked is not None and not planning.stays(site):
            statement = planning.flow.source.statement(asked.node)
        around = _may_not_be_connected(planning, site)
        if around is not None:
            # connect() may have failed; disconnecting then did nothing.
            tested = planning.flow.source.parents[statement]
            unset = Line((f"{client} = None",))
            guarded = Block((f"if {client} is not None:",), (Line((call,), anchor=site.node),))
            if planning.stays(site):
                closing: Edit = InsertStatements(statement, (guarded,), after=True)
            elif isinstance(tested, ast.If) and _is_registry(planning, tested.test):
                closing = ReplaceNode(site.node, (call,))  # the test became one of the client
            else:
                closing = ReplaceStatement(statement, (guarded,))
            return [InsertStatements(around, (unset,)), closing]
        if planning.stays(site):
            return [InsertStatements(statement, (Line((call,)),), after=True)]
        if asked is not None:
            return [ReplaceStatement(statement, (Line((call,), anchor=site.node),))]
        return [ReplaceNode(site.node, (call,))]


def _close_and_remove(planning: Planning, site: Site, client: str) -> Edit:
    """Close the client of an alias, where there is one, and take it out of the dict."""
    require(
        ALONE,
        PROVED
        if is_statement(planning, site)
        else unknown(
            "the client of the alias goes out of the dict, which needs a statement",
            f"clients.pop(alias).close(), in a statement of its own: {client}",
        ),
    )
    name, alias = _entry(planning, site)
    statement = planning.flow.source.statement(site.node)
    closed = Line((call_of((f"{name}.pop({alias}).close",)),), anchor=site.node)
    tested = planning.flow.source.parents[statement]
    asked = isinstance(tested, ast.If) and any(
        asked.symbol in HasConnection.symbols
        and planning.alias_texts.get(id(asked)) == alias
        and planning.is_active(asked)
        for asked in planning.flow.sites.get(tested.test, [])
    )
    lines = (closed,) if asked else (Block((f"if {alias} in {name}:",), (closed,)),)
    if planning.stays(site):
        return InsertStatements(statement, lines, after=True)
    return ReplaceStatement(statement, lines)


def _entry(planning: Planning, site: Site) -> tuple[str, str]:
    """The dict of clients, and the alias under which the client of a site is in it."""
    return planning.place_of(site).name, planning.alias_texts[id(site)]


def _asked_around(planning: Planning, statement: ast.stmt) -> Site | None:
    """The ``has_connection`` of an ``if`` that does nothing but this disconnect of that alias."""
    parents = planning.flow.source.parents
    tested = parents[statement]
    if not isinstance(tested, ast.If) or tested.body != [statement] or tested.orelse:
        return None
    if any(planning.is_pooled(site) for site in planning.flow.sites.get(tested.test, [])):
        return None  # the dict is asked
    outer = parents[tested]
    if isinstance(outer, ast.If) and tested in outer.orelse:
        return None  # an elif: the branches before it say when
    closing = _disconnect_in(planning, tested)
    for asked in planning.flow.sites.get(tested.test, []):
        if asked.symbol in HasConnection.symbols and closing is not None:
            key = planning.keys[id(closing)]
            if planning.keys[id(asked)] == key and key not in planning.registry:
                return asked
    return None


def _close_and_forget(planning: Planning, site: Site, client: str) -> Edit:
    """Close a client that is asked for: it is None before and after, as in the registry."""
    planning.rebinds_client(site)
    statement = planning.flow.source.statement(site.node)
    close: tuple[Line, ...] = (
        Line((call_of((f"{client}.close",)),), anchor=site.node),
        Line((planning.unset_client(client, site.module),)),
    )
    tested = planning.flow.source.parents[statement]
    asked = isinstance(tested, ast.If) and any(
        asked.symbol in HasConnection.symbols
        and planning.keys[id(asked)] == planning.keys[id(site)]
        for asked in planning.flow.sites.get(tested.test, [])
    )
    lines = close if asked else (Block((f"if {client} is not None:",), close),)
    if planning.stays(site):
        return InsertStatements(statement, lines, after=True)
    return ReplaceStatement(statement, lines)


def _unknown_alias(planning: Planning, alias: ast.expr | None) -> Answer:
    """Why the alias is not known, with the lines that set it."""
    flow = planning.flow
    slot = flow.reads.get(alias) if alias is not None else None
    lines = sorted(
        write.target.lineno
        for write in (flow.writes.get(slot, {}).values() if slot is not None else ())
        if isinstance(write.target, ast.Name | ast.Attribute) and not is_none(write.value)
    )
    if len(lines) < 2:
        return unknown("the alias cannot be told from the code", _ALIAS_RECIPE)
    return unknown(
        f"the alias is set on lines {', '.join(map(str, lines))}, so it may name a connection "
        "that this call does not open",
        "Make one client here, and leave out the search for an open connection: from pymilvus "
        "2.6.10 on clients of one server and user share a channel by themselves.",
    )


def _assigned_in_vain(planning: Planning, site: Site) -> bool:
    """Whether the result, None, is assigned to a name or attribute that nothing reads."""
    flow = planning.flow
    statement = flow.source.statement(site.node)
    if not (
        isinstance(statement, ast.Assign)
        and statement.value is site.node
        and len(statement.targets) == 1
    ):
        return False
    target = statement.targets[0]
    slots = [slot for slot, writes in flow.writes.items() if target in writes]
    return bool(slots) and all(
        not flow.readers(slot)
        and not planning.crossing.is_seen_elsewhere(slot)
        and len(flow.writes[slot]) == 1
        for slot in slots
    )


class ConnectionsTested(Rule):
    """``if connections: connections.disconnect(...)`` tests the client instead.

    The registry is always true; the client is None where connecting failed before. Other looks
    into the registry are reported: there is none any more.

    Source: read in pymilvus' source.
    """

    id = "MLV103"
    title = "the registry of connections is gone"
    symbols = ("connections",)
    references = True
    order = 95

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        parent = planning.flow.source.parents[site.node]
        closing = _closed_under(planning, parent) if isinstance(parent, ast.If) else None
        require(
            BY_HAND,
            PROVED
            if closing is not None and isinstance(parent, ast.If) and parent.test is site.node
            else _by_hand(planning, parent),
        )
        assert closing is not None
        if planning.is_pooled(closing):
            name, alias = _entry(planning, closing)
            return [ReplaceNode(site.node, (f"{alias} in {name}",))]
        return [ReplaceNode(site.node, (planning.client(closing),))]


def _by_hand(planning: Planning, parent: ast.AST) -> Answer:
    if isinstance(parent, ast.If) and _disconnect_in(planning, parent) is not None:
        return refuted(
            "the disconnect below stays for what remains on the ORM",
            "Run again when the rest of this function is migrated: then the client is tested.",
        )
    return refuted(
        "connections is used as a value here; the client keeps no registry",
        planning.rule_set.recipe("connections.has_connection"),
    )


class HasConnection(Rule):
    """``connections.has_connection(alias)`` asks whether there is a client.

    ``connect()`` raises when it fails, so that behind it the answer is yes, of both sides. Where
    it is asked before (``if not connections.has_connection(alias): connections.connect(alias)``),
    the client becomes a variable of the module, like the registry was: None until connected, and
    after disconnecting. Refused where another file of the project connects, and where it cannot
    be told whether something disconnects.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV103"
    title = "the registry of connections is gone"
    symbols = ("connections.has_connection",)
    order = 60

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        around = planning.flow.source.statement(site.node)
        if isinstance(around, ast.If) and _asked_around(planning, around.body[0]) is site:
            if not planning.stays(site):
                return []  # it goes with the disconnect
        if planning.is_pooled(site):
            require(OPEN, lambda: _all_seen(planning, site))
            name, alias = _entry(planning, site)
            return [_asked(planning, site, f"{alias} in {name}", f"{alias} not in {name}")]
        require(
            OPEN,
            lambda: (
                PROVED
                if planning.keys[id(site)] is not None
                and (
                    _connected_before(planning, site)
                    or planning.keys[id(site)] in planning.registry
                )
                and _closing_seen(planning, site)
                else unknown(
                    "whether the connection is open here depends on what ran before",
                    planning.recipe(site),
                )
            ),
        )
        client = planning.client(site)
        return [_asked(planning, site, f"{client} is not None", f"{client} is None")]


def _asked(planning: Planning, site: Site, written: str, negated: str) -> Edit:
    """The question whether a connection is open, or that it is not."""
    parent = planning.flow.source.parents[site.node]
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        return ReplaceNode(parent, (negated,))
    if isinstance(parent, ast.Compare | ast.BinOp | ast.UnaryOp):
        written = f"({written})"
    return ReplaceNode(site.node, (written,))


def _all_seen(planning: Planning, site: Site) -> Answer:
    """Whether the dict of clients holds what is open: all that opens and closes is rewritten."""
    key = planning.keys[id(site)]
    for other in planning.sites:
        if other.symbol in ("connections.connect", *Disconnect.symbols):
            if planning.keys[id(other)] != key or not planning.is_active(other):
                return unknown(
                    f"{planning.line_of(other.node)} opens or closes connections out of sight of "
                    "the clients",
                    planning.rule_set.recipe(site.symbol),
                )
    return PROVED


class ListConnections(Rule):
    """``print(connections.list_connections())`` shows the client that was just made.

    ``[("default", client)]``: the alias with its client, in place of the ORM's handler, whose text
    holds an address in memory; a note says so.

    Refused where the list is used for anything else, and where another connection than the default
    one may be open, or that one may be closed.

    Source: both sides run on pymilvus 3.0.2.
    """

    id = "MLV103"
    title = "the registry of connections is gone"
    symbols = ("connections.list_connections",)
    order = 61

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        recipe = planning.recipe(site)
        require(
            BY_HAND,
            lambda: (
                PROVED
                if is_shown(planning, site.node)
                else unknown("the client keeps no registry of connections", recipe)
            ),
        )
        require(LISTED, lambda: _only_default(planning, site, recipe))
        client = planning.client(site)
        note_shown(planning, site, [site.node], "the client in place of its handler")
        return [ReplaceNode(site.node, (f'[("default", {client})]',))]


def _only_default(planning: Planning, site: Site, recipe: str) -> Answer:
    """Whether the list holds nothing but the default connection, open."""
    connects = [other for other in planning.sites if other.symbol == "connections.connect"]
    if (
        any(planning.alias(other) != DEFAULT_KEY for other in connects)
        or any(other.symbol == "connections.add_connection" for other in planning.sites)
        or planning.connects_elsewhere(site.module)
    ):
        return unknown("other connections may be listed besides the default one", recipe)
    if not any(_just_opened(planning, other, site) for other in connects):
        return unknown("whether the connection is open here depends on what ran before", recipe)
    if planning.stays(site):
        return unknown("the connection stays for what remains on the ORM", recipe)
    return PROVED


def _just_opened(planning: Planning, connect: Site, site: Site) -> bool:
    """Whether ``connect`` ran before in the same block, and nothing since that may close it."""
    block, index = planning.block_of(planning.flow.source.statement(connect.node))
    place = planning.flow.source.place(site.node)
    passed: list[ast.AST] = []
    for statement in block[index + 1 :]:
        inside = list(ast.walk(statement))
        passed += inside
        if site.node in inside:
            return all(
                planning.flow.value(node.func) == {ModuleValue("builtins.print")}
                for node in passed
                if isinstance(node, ast.Call)
                and node is not site.node
                and planning.flow.source.place(node) < place
            )
    return False


def _closing_seen(planning: Planning, site: Site) -> bool:
    """Whether the client says so when something disconnects."""
    key = planning.keys[id(site)]
    closing = [other for other in planning.sites if other.symbol in Disconnect.symbols]
    return not closing or (
        key in planning.registry
        and all(
            planning.keys[id(other)] not in (key, None)
            or (planning.keys[id(other)] == key and is_statement(planning, other))
            for other in closing
        )
    )


def _is_registry(planning: Planning, node: ast.expr) -> bool:
    """Whether the expression is the registry itself."""
    return any(
        site.symbol == "connections" and site.form == "reference"
        for site in planning.flow.sites.get(node, [])
    )


def _closed_under(planning: Planning, node: ast.If) -> Site | None:
    """The disconnect that is all that an ``if`` does, and that closes the client only."""
    site = _disconnect_in(planning, node)
    return site if site is not None and not planning.stays(site) else None


def _disconnect_in(planning: Planning, node: ast.If) -> Site | None:
    """The disconnect that is all that an ``if`` does."""
    if len(node.body) != 1 or node.orelse or not isinstance(node.body[0], ast.Expr):
        return None
    for site in planning.flow.sites.get(node.body[0].value, []):
        if site.symbol in Disconnect.symbols and planning.is_active(site):
            return site
    return None


def _ordered(arguments: Arguments) -> list[str]:
    return [name for name in dict.fromkeys(arguments.order) if name in _PASSED]


def _not_async(planning: Planning, arguments: Arguments) -> Answer:
    value = arguments.get("_async")
    if value is None or not can_be_true(frozenset(planning.flow.value(value))):
        return PROVED
    return refuted(
        "_async=True opens an asynchronous connection",
        "Use AsyncMilvusClient(uri=...) and await its methods.",
    )


def _one_address(arguments: Arguments) -> Answer:
    if arguments.get("address") is not None and arguments.get("uri") is not None:
        return refuted(
            "address= and uri= are both given; the ORM takes address=",
            "Keep one: MilvusClient(uri=f'http://{address}').",
        )
    return PROVED


def _address_known(planning: Planning, site: Site, arguments: Arguments) -> Answer:
    given = [name for name in _ADDRESS if arguments.get(name) is not None]
    key = planning.keys[id(site)]
    if not given:
        if planning.alias(site) != DEFAULT_KEY:
            return unknown(
                "connect() without an address takes the one stored for the alias",
                "Pass the address to MilvusClient(uri=...).",
            )
        others = [
            s
            for s in planning.sites
            if s is not site
            and (
                (s.symbol == "connections.add_connection" and planning.keys[id(s)] in (key, None))
                or (
                    s.symbol == "connections.connect"
                    and planning.keys[id(s)] == key
                    and any(planning.arguments(s).get(name) is not None for name in _ADDRESS)
                )
            )
        ]
        if others:
            return unknown(
                "connect() without an address takes the one stored by an earlier call",
                "Pass the address to MilvusClient(uri=...).",
            )
        return PROVED
    for name in given:
        value = arguments.get(name)
        if _from_environment(planning, value):
            continue  # noted: a program that works has it set
        if name == "uri" and given == ["uri"] and NONE not in planning.flow.value(value):
            continue  # an empty one is written as the ORM takes it
        for item in planning.flow.value(value):
            if isinstance(item, Const) and item.value in (None, ""):
                return refuted(
                    f"{name}= may be {item.value!r}, which the ORM treats in its own way",
                    f"Make sure that {name} always has a value.",
                )
    return PROVED


def _from_environment(planning: Planning, node: ast.expr | None) -> bool:
    """Whether the value may be an environment variable that is not set."""
    values = planning.flow.value(node)
    return NONE in values and any(
        isinstance(v, Opaque) and isinstance(v.origin, tuple) and v.origin[0] == "environment"
        for v in values
    )


def _constants(planning: Planning, node: ast.expr | None) -> list[object]:
    return [v.value for v in planning.flow.value(node) if isinstance(v, Const) and v != NONE]


def _port_in_range(planning: Planning, arguments: Arguments) -> Answer:
    for port in _constants(planning, arguments.get("port")):
        if not str(port).isdigit() or int(str(port)) >= 65535:
            return refuted(f"port {port} is refused by the ORM", "Use a port below 65535.")
    for host in _constants(planning, arguments.get("host")):
        if ":" in str(host):
            return refuted(
                f"host {host!r} holds a scheme or port, which the ORM refuses",
                "Write the whole address as uri=.",
            )
    return PROVED


def _scheme(planning: Planning, arguments: Arguments) -> Answer:
    for uri in [*_constants(planning, arguments.get("uri")), *_prefix(arguments.get("uri"))]:
        text = str(uri)
        if urlsplit(text).scheme == "grpc":
            return refuted(
                f"uri {text!r} has a scheme that MilvusClient does not accept",
                "Use http:// or https://.",
            )
    return PROVED


def _is_refused(uri: str) -> bool:
    """Whether both sides refuse the uri, with the same exception and words."""
    return bool(uri) and urlsplit(uri).scheme not in _SCHEMES and not uri.endswith(".db")


def _prefix(node: ast.expr | None) -> list[str]:
    """The literal start of an f-string that holds its scheme."""
    if isinstance(node, ast.JoinedStr) and node.values:
        first = node.values[0]
        if isinstance(first, ast.Constant) and "://" in str(first.value):
            return [str(first.value)]
    return []


def _no_path(planning: Planning, arguments: Arguments) -> Answer:
    if arguments.get("db_name") is not None:
        return PROVED
    for uri in _constants(planning, arguments.get("uri")):
        parts = urlsplit(str(uri))
        if parts.scheme in ("http", "https", "tcp") and parts.path.strip("/"):
            return refuted(
                f"the ORM ignores the path of {uri!r}, the client takes it as the database",
                "Remove the path, or say which database is meant with db_name=.",
            )
    return PROVED


def _no_credentials(planning: Planning, arguments: Arguments) -> Answer:
    if arguments.get("user") is None and arguments.get("password") is None:
        return PROVED
    for uri in _constants(planning, arguments.get("uri")):
        if "@" in urlsplit(str(uri)).netloc:
            return refuted(
                "credentials in the uri win in the ORM, those in user= and password= in the client",
                "Keep one of the two.",
            )
    return PROVED


def _uri(planning: Planning, arguments: Arguments, key: Hashable | None) -> Template:
    """The uri, as the ORM derives it: address, then uri, then host and port."""
    address = arguments.get("address")
    if address is not None:
        return _text(planning, ("http://",), address)
    uri = arguments.get("uri")
    if uri is not None and "" in _constants(planning, uri):
        default = "http://localhost:19530" if key == DEFAULT_KEY else ""
        looked_up = f'{planning.module("os")}.environ.get("MILVUS_URI", "{default}")'
        if isinstance(uri, ast.Constant):
            return (looked_up,)
        return (Src(uri), f" or {looked_up}")
    if uri is not None:
        return (Src(uri),)
    host, port = arguments.get("host"), arguments.get("port")
    if host is None and port is None:
        planning_os = planning.module("os")
        return (f'{planning_os}.environ.get("MILVUS_URI", "http://localhost:19530")',)
    scheme = "https://" if is_true(arguments.get("secure")) else "http://"
    parts: list[str | Src] = [scheme]
    _append(parts, host, "localhost")
    parts.append(":")
    _append(parts, port, "19530")
    return (FString(_merged(parts)),)


def _append(parts: list[str | Src], node: ast.expr | None, default: str) -> None:
    if node is None:
        parts.append(default)
    elif isinstance(node, ast.Constant):
        parts.append(str(node.value))
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and len(node.args) == 1
        and not node.keywords
        and node.func.id == "str"
    ):
        parts.append(Src(node.args[0]))
    else:
        parts.append(Src(node))


def _merged(parts: list[str | Src]) -> tuple[str | Src, ...]:
    """Adjacent texts become one."""
    merged: list[str | Src] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)


def _text(planning: Planning, prefix: tuple[str], node: ast.expr) -> Template:
    parts: list[str | Src] = list(prefix)
    _append(parts, node, "")
    return (FString(_merged(parts)),)


def _runs(planning: Planning, site: Site, uses: list[Site]) -> Answer:
    """Whether no ``if`` around the call can be skipped on the way to a use."""
    parents = planning.flow.source.parents
    node: ast.AST = site.node
    function = site.function
    if function is not None and any(use.function is not function for use in uses):
        for name in map(ast.unparse, getattr(function.node, "decorator_list", ())):
            if any(word in name for word in _RERUN):
                return unknown(
                    f"@{name} skips the function when streamlit runs the script again, where the "
                    "variables are new",
                    "Let the function return the MilvusClient, and use what it returns.",
                )
    while node in parents:
        parent = parents[node]
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            break
        if isinstance(parent, ast.Try) and node in parent.handlers:
            tried = {n for statement in parent.body for n in ast.walk(statement)}
            if not _connects(planning, site, parent.body) and any(
                use.mention in tried and not _connected_before(planning, use, site) for use in uses
            ):
                return unknown(
                    "connect() runs where a use has failed: without a client it fails otherwise",
                    "Make the client first, or ask whether there is one (client is None).",
                )
        if isinstance(parent, ast.If) and not placement.is_main_guard(parent):
            branch = parent.body if node in parent.body else parent.orelse
            other = parent.orelse if node in parent.body else parent.body
            if _guards_object(planning, site, parent, branch) or (
                branch is parent.body and _asks_registry(planning, site, parent.test)
            ):
                node = parent
                continue
            if not _leaves(other) and not _connects(planning, site, other):
                inside = {n for statement in branch for n in ast.walk(statement)}
                if not uses or not all(
                    use.mention in inside or _connected_before(planning, use, site) for use in uses
                ):
                    return unknown(
                        "connect() may be skipped; then the client would have no value",
                        "Connect on every path, or make the client where it is first needed.",
                    )
        node = parent
    return PROVED


def _connected_before(planning: Planning, use: Site, besides: Site | None = None) -> bool:
    """Whether another connect of the alias stands before the use, in the same branches."""
    connects = [
        other
        for other in planning.sites
        if other is not besides
        and other.symbol == "connections.connect"
        and planning.keys[id(other)] == planning.keys[id(use)]
    ]
    return placement.opened_before(planning.flow, use, connects)


def _asks_registry(planning: Planning, site: Site, test: ast.expr) -> bool:
    """``if not connections.has_connection(alias)``, where the client is held like the registry."""
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        return False
    key = planning.keys[id(site)]
    alias = planning.alias_texts.get(id(site))
    return (key in planning.registry or planning.is_pooled(site)) and any(
        asked.symbol in HasConnection.symbols
        and planning.keys[id(asked)] == key
        and planning.alias_texts.get(id(asked)) == alias
        for asked in planning.flow.sites.get(test.operand, [])
    )


def _guards_object(planning: Planning, site: Site, node: ast.If, branch: list[ast.stmt]) -> bool:
    """``if x is None: connect(); x = Collection(...)``: whoever has x has connected before."""
    test = node.test
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is):
        held: ast.expr = test.left
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        held = test.operand
    else:
        return False
    flow = planning.flow
    slot = flow.reads.get(held)
    unit = planning.units.of_slot.get(slot) if slot is not None else None
    if slot is None or unit is None or branch is not node.body:
        return False
    inside = {n for statement in branch for n in ast.walk(statement)}
    set_here = any(target in inside for target in flow.writes.get(slot, ()))
    key = planning.keys[id(site)]
    others = [use for use in planning.uses_of(site) if use not in unit.sites]
    return set_here and all(use.mention in inside for use in others) and key is not None


def _leaves(block: list[ast.stmt]) -> bool:
    if not block:
        return False
    last = block[-1]
    if isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and (ast.unparse(last.value.func) in ("exit", "quit", "sys.exit", "os._exit"))
    )


def _connects(planning: Planning, site: Site, block: list[ast.stmt]) -> bool:
    key = planning.keys[id(site)]
    inside = {n for statement in block for n in ast.walk(statement)}
    return any(
        other.symbol == site.symbol and planning.keys[id(other)] == key and other.node in inside
        for other in planning.sites
    )


def _may_not_be_connected(planning: Planning, site: Site) -> ast.Try | None:
    """The ``try`` whose ``finally`` or handler disconnects what its body connects."""
    parents = planning.flow.source.parents
    key = planning.keys[id(site)]
    node: ast.AST = site.node
    while node in parents:
        parent = parents[node]
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        if isinstance(parent, ast.Try) and node not in parent.body and node not in parent.orelse:
            inside = {n for statement in parent.body for n in ast.walk(statement)}
            if any(
                other.symbol == "connections.connect"
                and planning.keys[id(other)] == key
                and other.node in inside
                for other in planning.sites
            ):
                return parent
        node = parent
    return None


def _closed_at_exit(planning: Planning, site: Site) -> Answer:
    """Whether the client that is there when ``disconnect`` is registered is the one to close."""
    key = planning.keys[id(site)]
    connects = [
        other
        for other in planning.sites
        if other.symbol == "connections.connect" and planning.keys[id(other)] == key
    ]
    if not (isinstance(site.node, LaterCall) and site.node.runner.ends):
        return unknown(
            "it is not known when this disconnect is called, and what uses the connection then",
            "Call client.close() after the last use.",
        )
    if (
        len(connects) == 1
        and placement.opened_before(planning.flow, site, connects)
        and not planning.in_loop(connects[0].node)
    ):
        return PROVED
    return unknown(
        "the client may not be made yet when this is registered, or may be another one at the end",
        "Register client.close where the client is made.",
    )


def _not_used_after(planning: Planning, site: Site) -> Answer:
    """Whether nothing that follows in the same block uses the connection."""
    statement = planning.flow.source.statement(site.node)
    asked = _asked_around(planning, statement)
    if asked is not None:
        statement = planning.flow.source.statement(asked.node)
    block, index = planning.block_of(statement)
    for following in block[index + 1 :]:
        inside = set(ast.walk(following))
        for other in planning.sites:
            if other.mention in inside and planning.may_share(site, other):
                if other.symbol == "connections.connect":
                    return PROVED
                if (
                    other.scope is site.scope
                    and other.form != "annotation"
                    and other.symbol not in (*Disconnect.symbols, *HasConnection.symbols)
                    and planning.flow.library.is_site(other.symbol)
                    and not other.symbol.endswith(".name")
                ):
                    return refuted(
                        f"{planning.line_of(other.node)} uses the connection after it was closed",
                        "Close the client after its last use.",
                    )
    return PROVED
