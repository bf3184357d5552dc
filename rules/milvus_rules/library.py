"""pymilvus as the flow analysis sees it: which names mean what, and what calls give."""

from __future__ import annotations

import ast
from collections.abc import Hashable

from migrate_milvus.arguments import bind, completed_dict, dict_items
from migrate_milvus.flow import Fact, Flow, Site, State
from migrate_milvus.registry import Rule, RuleInfo, RuleSet
from migrate_milvus.values import Object, Shape, objects
from milvus_rules import catalogue, pages, signatures, versions

# What calls give, whose attributes have another form with the client.
RESULTS = frozenset(
    {
        "MutationResult",
        "RoleInfo",
        "RoleItem",
        "UserInfo",
        "UserItem",
        "GrantInfo",
        "GrantItem",
        "PrivilegeGroupInfo",
        "PrivilegeGroupItem",
        "Replica",
        "Group",
        "CompactionState",
        "QuerySegmentInfo",
    }
)
# What a search gives, where it is no more than lists and dicts with the client.
HITS = frozenset({"Hits", "Hit", "Entity"})
FOLLOWED = RESULTS | {"Collection", "Partition", "Index", "Role", "CollectionSchema", "FieldSchema"}
# What only comes as an answer: an object of the class that a program makes is none of the ORM's.
ANSWERS = RESULTS - {"MutationResult"}
CLASSES = FOLLOWED - ANSWERS
UNITS = frozenset({"Collection", "Partition", "Index", "Role"})
NAMED = UNITS - {"Index"}  # an index becomes what describe_index returns
NAME_PARAMETERS = {
    "Collection": "name",
    "Partition": "name",
    "Role": "name",
    "Collection.construct_from_dataframe": "name",
    "Collection.partition": "partition_name",
    "Collection.create_partition": "partition_name",
}
# What a notebook shows of a call at the end of a cell, where the client's call gives nothing.
SHOWN = {
    "Collection": "the collection",
    "Partition": "the partition",
    "Collection.partition": "the partition",
    "Collection.create_partition": "the partition",
    "Index": "the index",
    "Collection.create_index": "the server's status",
    "utility.wait_for_index_building_complete": "that the index was built",
}
ITEMS = {"SearchResult": "Hits", "Hits": "Hit"}
NAMESPACES = frozenset({"utility", "connections", "db"})
SHAPES = {"QueryResult": Shape.LIST, "int": Shape.NUMBER, "bool": Shape.NUMBER, "str": Shape.TEXT}
# Members and keywords that hardly any other object has.
_DISTINCTIVE = frozenset({"num_entities", "hybrid_search", "drop_index", "has_index"})
_DISTINCTIVE_KEYWORDS = {
    "search": frozenset({"param"}),
    "query": frozenset({"expr"}),
    "delete": frozenset({"expr"}),
    "create_index": frozenset({"index_params"}),
    "query_iterator": frozenset({"expr"}),
}
_MAKES_PARTITIONS = frozenset(
    {"Partition", "Collection", "Collection.create_partition", "db.using_database"}
)
# What may take an index away that was made before, or make its parameters other ones.
_CHANGES_INDEXES = frozenset(
    {
        "Collection.drop",
        "Collection.drop_index",
        "Collection.alter_index",
        "Index.drop",
        "connections.connect",
        "connections.disconnect",
        "connections.remove_connection",
        "db.using_database",
        "utility.drop_collection",
        "utility.rename_collection",
    }
)
# What becomes one client call, whoever makes it: functions that other functions are given.
_MAY_RUN_LATER = frozenset(
    [
        *(
            f"{kind}.{method}"
            for kind in ("Collection", "Partition")
            for method in (
                *("load", "release", "flush", "drop", "insert", "upsert", "delete"),
                *("search", "hybrid_search", "query", "truncate", "set_properties"),
            )
        ),
        *(
            f"utility.{function}"
            for function in (
                *("has_collection", "drop_collection", "list_collections", "rename_collection"),
                *("has_partition", "get_server_version", "flush_all"),
            )
        ),
        "connections.disconnect",
    ]
)
DEFAULT = ("constant", "default")
TIMESTAMPS = frozenset(f"utility.{name}" for name in catalogue.TIMESTAMPS)
_OR_NONE = " | None"
_ROOTS = ("pymilvus", catalogue.GONE_PACKAGE)


class PyMilvus:
    """Implements ``LibraryModel`` from the catalogue.

    ``hits``: whether what a search gives is followed, because it changes with the client.
    """

    def __init__(self, hits: bool = False) -> None:
        self.results = RESULTS | HITS if hits else RESULTS
        self.followed = FOLLOWED | self.results

    def resolve(self, dotted: str) -> str | None:
        if not dotted.startswith(_ROOTS):
            return None
        name = catalogue.QUALIFIED.get(dotted)
        if name is None and (symbol := catalogue.canonical(dotted)) is not None:
            name = symbol.name
        return name

    def is_package(self, dotted: str) -> bool:
        return dotted.partition(".")[0] in _ROOTS

    def star_names(self, module: str) -> dict[str, str]:
        if not self.is_package(module):
            return {}
        return dict(catalogue.star_names(module))

    def is_namespace(self, name: str) -> bool:
        return name in NAMESPACES

    def is_site(self, name: str) -> bool:
        if name in NAMESPACES or name in UNITS:
            return True
        if name in catalogue.STAYS_VALID:
            return False
        owner = name.rpartition(".")[0]
        if owner in NAMESPACES or owner in UNITS:
            return True
        symbol = catalogue.SYMBOLS.get(name)
        return symbol is not None and symbol.verdict != "unchanged"

    def is_gone(self, name: str) -> bool:
        return name in catalogue.MOVED

    def is_class(self, name: str) -> bool:
        return name in CLASSES

    def result(self, name: str) -> str | None:
        if name in FOLLOWED:
            return name if name in CLASSES else None
        symbol = catalogue.SYMBOLS.get(name)
        if symbol is None:
            return None
        kind = symbol.result.removesuffix(_OR_NONE)
        return kind if kind in self.followed and symbol.name != "Collection.schema" else None

    def may_give_none(self, name: str) -> bool:
        symbol = catalogue.SYMBOLS.get(name)
        return symbol is not None and symbol.result.endswith(_OR_NONE)

    def result_kinds(self) -> frozenset[str]:
        return self.results

    def item_of(self, kind: str) -> str | None:
        return ITEMS.get(kind) if kind in self.followed else None

    def several(self, name: str) -> tuple[str, ...] | None:
        symbol = catalogue.SYMBOLS.get(name)
        if symbol is None:
            return None
        if symbol.kind == "method" and ITEMS.get(symbol.result) in self.followed:
            return ("list of", ITEMS[symbol.result])
        for form, word in (("list", "list of"), ("tuple", "tuple of")):
            if symbol.result.startswith(f"{form}["):
                kinds = [k.strip() for k in symbol.result[len(form) + 1 : -1].split(",")]
                if kinds and all(kind in self.followed for kind in kinds):
                    return (word, *kinds)
        return None

    def result_shape(self, name: str) -> Shape:
        symbol = catalogue.SYMBOLS.get(name)
        if symbol is None:
            return Shape.ANY
        if symbol.result.startswith("list"):
            return Shape.LIST
        return SHAPES.get(symbol.result, Shape.ANY)

    def may_run_later(self, name: str) -> bool:
        return name in _MAY_RUN_LATER

    def is_method(self, kind: str, member: str) -> bool | None:
        symbol = catalogue.members(kind).get(member)
        if symbol is None:
            return None
        return symbol.kind not in ("property", "class attribute")

    def looks_like(self, receiver: ast.expr, member: str, keywords: frozenset[str]) -> str | None:
        symbol = f"Collection.{member}"
        if symbol not in catalogue.SYMBOLS or "collection_name" in keywords:
            return None
        name = receiver
        while isinstance(name, ast.Call | ast.Subscript):
            name = name.func if isinstance(name, ast.Call) else name.value
        word = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        if "client" in word.lower():
            return None
        if member in _DISTINCTIVE or keywords & _DISTINCTIVE_KEYWORDS.get(member, frozenset()):
            return symbol
        return symbol if word.lower().strip("_").startswith(("coll", "milvus_coll")) else None

    def takes_object(self, name: str, kind: str) -> bool:
        if kind == "CollectionSchema":
            return True
        if kind == "FieldSchema":
            return name in ("CollectionSchema", "CollectionSchema.add_field")
        if kind == "Collection":
            return name in ("Partition", "Index")
        return False

    # Facts: ("absent", connection, name), ("new", constructor), ("unindexed", objects),
    # ("indexed", create_index call, objects), ("unparted", objects, partition),
    # ("compacted", compact call, objects) --------------------------------------------------

    def acts(self, site: Site, state: State, flow: Flow) -> None:
        symbol = site.symbol
        if site.form != "call":
            return
        if symbol in _MAKES_PARTITIONS:
            state.facts = frozenset(
                f for f in state.facts if not (isinstance(f, tuple) and f[0] == "unparted")
            )
        if symbol in _CHANGES_INDEXES:
            state.facts = frozenset(
                f for f in state.facts if not (isinstance(f, tuple) and f[0] == "indexed")
            )
        if symbol == "Collection.compact":
            state.facts = frozenset(
                f
                for f in state.facts
                if not (_is_job(f) and f[2] & site.objects)  # type: ignore[index]
            ) | {("compacted", site.call, site.objects)}
        if symbol in ("utility.drop_collection", "Collection.drop"):
            for fact in _name_facts(site, state, flow):
                state.facts |= {fact}
            if site.objects:
                origins = {o.origin for o in site.objects}
                state.facts = frozenset(f for f in state.facts if not _about(f, origins))
        elif symbol in ("Collection.create_index", "Index"):
            state.facts = frozenset(
                f for f in state.facts if not (isinstance(f, tuple) and f[0] == "unindexed")
            )
            owners = site.objects
            if symbol == "Index":
                collection = bind(flow, site.call, PARAMETERS["Index"]).get("collection")
                owners = objects(flow.value(collection), "Collection")
            state.facts |= {("indexed", site.call, owners)}
        elif symbol == "Collection.drop_index":
            state.facts |= {("unindexed", site.objects)}
        elif symbol in ("Collection", "Collection.construct_from_dataframe"):
            call = site.call
            has_schema = symbol != "Collection" or "schema" in bind(
                flow, call, PARAMETERS["Collection"]
            )
            if has_schema:
                absent = [f for f in _name_facts(site, state, flow) if f in state.facts]
                key = absent[0][2] if absent else None
                state.facts = frozenset(
                    f for f in state.facts if not _may_be(f, key if absent else None)
                )
                state.facts = frozenset(f for f in state.facts if f[0] != "asked")  # type: ignore[index]
                if absent:
                    state.facts |= {("new", call)}
        elif symbol in ("utility.rename_collection", "connections.connect", "db.using_database"):
            state.facts = frozenset(f for f in state.facts if f[0] != "absent")  # type: ignore[index]

    def assume(self, site: Site, truth: bool, flow: Flow) -> frozenset[Fact]:
        if site.symbol == "utility.has_collection" and not truth:
            return frozenset(_name_facts(site, site.state, flow))
        if site.symbol == "Collection.has_partition" and not truth:
            wanted = bind(flow, site.call, PARAMETERS[site.symbol]).get("partition_name")
            key = flow.identity(wanted, site.state, site.scope)
            return frozenset({("unparted", site.objects, key)}) if key is not None else frozenset()
        if site.symbol in ("Collection.has_index", "Collection.indexes") and not truth:
            return frozenset({("unindexed", site.objects)})
        return frozenset()

    def assume_member(self, site: Site, key: Hashable, truth: bool, flow: Flow) -> frozenset[Fact]:
        if site.symbol == "utility.list_collections" and not truth:
            connection = CONNECTIONS.key(site, flow)
            if connection is not None:
                return frozenset({("absent", connection, key)})
        return frozenset()


def _is_job(fact: Fact) -> bool:
    return isinstance(fact, tuple) and fact[0] == "compacted"


def _about(fact: Fact, origins: set[Hashable]) -> bool:
    return isinstance(fact, tuple) and fact[0] == "new" and fact[1] in origins


def _may_be(fact: Fact, key: Hashable | None) -> bool:
    """Whether an "absent" fact may be about the collection that was just created."""
    if not (isinstance(fact, tuple) and fact[0] == "absent"):
        return False
    if key is None:
        return True
    known, created = fact[2], key
    constants = known[0] == "constant" and created[0] == "constant"  # type: ignore[index]
    return not (constants and known != created)


def _name_facts(site: Site, state: State, flow: Flow) -> list[tuple[str, Hashable, Hashable]]:
    """The "absent" facts about the collection that the site names."""
    connection = CONNECTIONS.key(site, flow)
    if connection is None:
        return []
    found = []
    if site.objects:
        for item in site.objects:
            if isinstance(item.origin, ast.Call):
                for made in flow.sites.get(item.origin, []):
                    found += _name_facts(made, made.state, flow)
        return found if len(site.objects) == 1 else []
    parameters = PARAMETERS.get(site.symbol, ())
    expression = bind(flow, site.call, parameters).get(parameters[0]) if parameters else None
    key = flow.identity(expression, state, site.scope)
    return [("absent", connection, key)] if key is not None else []


PARAMETERS: dict[str, tuple[str, ...]] = {
    name: tuple(p.name for p in symbol.parameters) for name, symbol in catalogue.SYMBOLS.items()
}


class _Connections:
    """Implements ``registry.Connections``."""

    def key(self, site: Site, flow: Flow) -> Hashable | None:
        symbol = site.symbol
        if site.objects:
            keys = {self._key_of_object(item, flow) for item in site.objects}
            return next(iter(keys)) if len(keys) == 1 else None
        if site.form in ("suspect", "import"):
            return None
        if site.form != "call":
            return DEFAULT
        if self.configures(symbol):
            words = [keyword.arg for keyword in site.call.keywords]
            return ("constant", words[0]) if len(words) == 1 and words[0] else None
        name = "alias" if symbol.startswith("connections.") else "using"
        bound = bind(flow, site.call, PARAMETERS.get(symbol, ()))
        if name == "using" and symbol in ("Partition", "Index"):
            owner = bound.get("collection")
            for item in flow.value(owner):
                if isinstance(item, Object):
                    return self._key_of_object(item, flow)
        expression = bound.get(name)
        if expression is None and bound.unknown and name == "alias":
            spread = [completed_dict(flow, part) for part in bound.unknown]
            if len(spread) != 1 or spread[0] is None or name in spread[0][1]:
                return None
            expression = dict_items(spread[0][0]).get(name)
        if expression is None:
            return DEFAULT
        return flow.held_value(expression, site.state, site.scope)

    @property
    def default_alias(self) -> str:
        return "default"

    def alias(self, site: Site, flow: Flow) -> tuple[bool, ast.expr | None]:
        if site.form != "call":
            return site.form != "attribute", None
        if self.configures(site.symbol):
            return False, None
        name = "alias" if site.symbol.startswith("connections.") else "using"
        bound = bind(flow, site.call, PARAMETERS.get(site.symbol, ()))
        return not bound.unknown, bound.get(name)

    def owner(self, site: Site, flow: Flow) -> Object | None:
        if site.form != "call" or site.symbol not in ("Partition", "Index"):
            return None
        owner = bind(flow, site.call, PARAMETERS[site.symbol]).get("collection")
        found = [v for v in flow.value(owner) if isinstance(v, Object)]
        return found[0] if len(found) == 1 else None

    def _key_of_object(self, item: Object, flow: Flow) -> Hashable | None:
        if isinstance(item.origin, ast.AST):
            for made in flow.sites.get(item.origin, []):
                if made.form in ("call", "attribute") and item not in made.objects:
                    return self.key(made, flow)
        return None

    def is_connect(self, symbol: str) -> bool:
        return symbol == "connections.connect"

    def is_disconnect(self, symbol: str) -> bool:
        return symbol in ("connections.disconnect", "connections.remove_connection")

    def acts_on_alias(self, symbol: str) -> bool:
        return symbol in ("db.using_database", "utility.reset_password")

    def is_default(self, key: Hashable | None) -> bool:
        return key == ("constant", "default")

    def asks(self, symbol: str) -> bool:
        return symbol == "connections.has_connection"

    def lists(self, symbol: str) -> bool:
        return symbol == "connections.list_connections"

    def configures(self, symbol: str) -> bool:
        return symbol == "connections.add_connection"

    def needs_client(self, site: Site) -> bool:
        if site.symbol in TIMESTAMPS or site.symbol.partition(".")[0] in RESULTS | HITS:
            return False
        return site.form not in ("annotation", "suspect", "import") and not (
            self.is_connect(site.symbol) or self.configures(site.symbol)
        )


CONNECTIONS = _Connections()


def rule_set(rules: tuple[Rule, ...]) -> RuleSet:
    """Everything the engine needs of this package."""
    by_symbol = {symbol: rule for rule in rules for symbol in rule.symbols}
    return RuleSet(
        library=PyMilvus(),
        library_of=lambda version: PyMilvus(not versions.available("hits-as-objects", version)),
        connections=CONNECTIONS,
        rules=rules,
        by_symbol=by_symbol,
        client_class="MilvusClient",
        client_import="pymilvus",
        unit_kinds=UNITS,
        named_kinds=NAMED,
        name_parameter=NAME_PARAMETERS.get,
        fallback=_fallback,
        recipe=_recipe,
        parameters=lambda symbol: PARAMETERS.get(symbol, ()),
        shows=SHOWN.get,
        releases=versions.RELEASES,
        lacking=signatures.lacking,
        infos=pages.infos(rules, INFOS),
        check_calls=lambda tree, version, before: signatures.check_module(
            tree, version, before=before
        ),
    )


INFOS = tuple(
    RuleInfo(id, title, doc)
    for id, title, doc in (
        (
            "MLV001",
            "file that cannot be handled",
            "The file cannot be read or parsed; exit code 2.",
        ),
        ("MLV002", "suppression that silences nothing", "Remove the comment."),
        (
            "MLV003",
            "file withheld by the self-check",
            "The rewritten file failed a check and was left as it is: a bug of this tool.",
        ),
        (
            "MLV004",
            "requirement that admits a pymilvus that is too old",
            "A manifest of the project (pyproject.toml, requirements, setup.py, setup.cfg, "
            "Pipfile, a conda environment) admits releases of pymilvus on which the migrated "
            "code does not run: below --target-version, or one of the later releases that lack a "
            "method which is called. --bump-requirement raises it; without it, and where hashes "
            "pin what is installed, a note says what to write.",
        ),
        (
            "MLV010",
            "use by a computed name",
            "The ORM is reached through getattr, importlib or a replaced method, so that what is "
            "used cannot be seen. The connection is kept.",
        ),
        (
            "MLV012",
            "ORM name in a text",
            'A text such as patch("pymilvus.Collection") names the ORM; the calls that it stands '
            "for stay in this file.",
        ),
        (
            "MLV020",
            "private or unknown member",
            "Not part of the ORM's public API, so there is no equivalent.",
        ),
        (
            "MLV290",
            "object that escapes",
            "A Collection (or another ORM object) reaches code that the analysis does not follow, "
            "or comes from there: the object and all its uses stay on the ORM.",
        ),
        (
            "MLV291",
            "object from out of sight",
            "Something used as a Collection is used, but where it comes from is not seen.",
        ),
        ("MLV606", "bulk insert", "Reported: bulk_writer replaces it, over HTTP."),
        ("MLV950", "names that left before 3.0", "Reported, with what took their place."),
    )
)


def _fallback(symbol: str) -> str:
    known = catalogue.SYMBOLS.get(symbol)
    return known.rule if known is not None and known.rule else "MLV020"


def _recipe(symbol: str) -> str:
    known = catalogue.SYMBOLS.get(symbol)
    return known.recipe if known is not None else ""
