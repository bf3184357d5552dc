"""The ``Collection`` constructor, ``load``, and the attributes that are not plain look-ups."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from migrate_milvus.edits import (
    Block,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
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
from migrate_milvus.values import Const, Object, only
from milvus_rules import indexes
from milvus_rules.library import CONNECTIONS
from milvus_rules.writing import (
    Pair,
    call_of,
    client_call,
    is_none,
    is_pure,
    keyword,
    known,
    require_version,
)

NAME = predicate("collection-name-known", "the collection's name is an argument of its own")
ARGUMENTS = predicate("collection-arguments-known", "every argument has a meaning for the client")
HANDLER = predicate("collection-handler", "no handler around names SchemaNotReadyException")
PLACEMENT = predicate("collection-placement", "there is a place for the creating statements")
PARTITIONS = predicate("load-partitions-known", "partition_names is absent, None or a list")
LOAD = predicate("load-arguments-known", "every argument has a meaning for the client")

_CREATE = ("consistency_level", "properties", "num_shards", "shards_num", "num_partitions")
# Keywords that the ORM's constructor swallows.
_SWALLOWED = ("data", "description", "db_name")


class CollectionConstructor(Rule):
    """``Collection(...)`` becomes the collection's name, created first where a schema is given.

    With a schema the ORM creates the collection or opens it: ``if not client.has_collection(name):
    client.create_collection(...)``, without the guard where the collection was just dropped or
    found missing. ``create_index`` and a bare ``load()`` that follow directly move into
    ``create_collection(index_params=...)``. By name only nothing is called any more, except in a
    ``try`` that tests whether the collection exists, where ``describe_collection`` raises instead;
    a note says so where the handler reads the exception.

    Accepted difference: for an existing collection with another schema or consistency level the
    ORM raised SchemaNotReadyException here; the guard goes on. ``--strict-schema`` writes the
    comparison out, and raises MilvusException with the ORM's message.

    Refused when an argument is unknown to the client, a handler around it names
    SchemaNotReadyException, or the creating statements have no place (in the middle of an
    expression, a lambda or a comprehension).

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV210"
    title = "Collection(...) becomes a name, created where a schema is given"
    symbols = ("Collection",)
    order = 30

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        expression = arguments.get("name")
        require(
            NAME,
            PROVED
            if expression is not None
            else unknown("the collection's name is not an argument of its own", "Write the name."),
        )
        require(
            ARGUMENTS,
            lambda: known(arguments, ("name", "schema", "using", "timeout", *_CREATE), _SWALLOWED),
        )
        require(HANDLER, lambda: _handler(planning, site))
        if expression is None:
            return []
        if is_none(arguments.get("schema")):
            planning.client(site)
            writer = Writer(site, planning, expression)
            return writer.write(self.probe(site, planning, writer))
        return self.create(site, planning, expression)

    def probe(
        self, site: Site, planning: Planning, writer: Writer
    ) -> Callable[[Template], tuple[Statement, ...]] | None:
        """``describe_collection``, where a handler waits for the constructor to raise."""
        if not planning.enclosing_handlers(site.node) or (
            _acts_in_same_try(site, planning) and not writer.shows_failure()
        ):
            return None
        for handler in planning.enclosing_handlers(site.node):
            caught = handler.name
            read = (node for part in handler.body for node in ast.walk(part))
            if caught and any(isinstance(node, ast.Name) and node.id == caught for node in read):
                planning.note(
                    site,
                    "exception-shown",
                    f"for a missing collection `{caught}` is the server's own error now, no "
                    "SchemaNotReadyException: its class and text are others",
                )
                break

        def written(name: Template) -> tuple[Statement, ...]:
            return (Line((client_call(planning, site, "describe_collection", (None, name)),)),)

        return written

    def create(self, site: Site, planning: Planning, expression: ast.expr) -> list[Edit]:
        """The edits for a constructor with a schema."""
        arguments = planning.arguments(site)
        schema = arguments.get("schema")
        assert schema is not None
        fresh = is_fresh(site, planning)
        writer = Writer(site, planning, expression)
        foldable = fresh and "timeout" not in arguments and not writer.shows_failure()
        folded = _fold(site, planning) if foldable else None
        rest: list[Pair | None] = [("schema", (Src(schema),))]
        if folded is not None:
            rest.append(("index_params", (folded.variable,)))
        rest += [
            keyword(arguments, name) for name in dict.fromkeys(arguments.order) if name in _CREATE
        ]
        strict = planning.settings.strict_schema and not fresh
        compared = strict and isinstance(schema, ast.Name | ast.Attribute)
        if strict and not compared:
            planning.note(
                site,
                "schema-not-compared",
                "--strict-schema compares a schema that has a name; assign this one to a variable",
            )
        if not compared and planning.handled_names(site.node) & {"MilvusException"}:
            planning.note(
                site,
                "schema-check-gone",
                "the ORM raised here for an existing collection with another schema; the handler "
                "for MilvusException no longer sees that",
            )
        require_version(planning, "create_collection")

        def written(name: Template) -> tuple[Statement, ...]:
            created = Line(
                (
                    client_call(
                        planning, site, "create_collection", ("collection_name", name), *rest
                    ),
                ),
                anchor=site.node,
            )
            if fresh:
                return (*(folded.lines if folded else ()), created)
            timeout = keyword(arguments, "timeout")
            look = client_call(planning, site, "has_collection", (None, name), timeout)
            guard = Block(("if not ", look, ":"), (created,))
            if not compared:
                return (guard,)
            return (guard, Block(("else:",), self.comparison(site, planning, name, schema)))

        if folded is None:
            return writer.write(written)
        # The collection is made where its first index was: nothing in between concerns it.
        edits = writer.write(None, kept_later=True)
        first, *others = folded.sites
        statement = planning.flow.source.statement(first.node)
        edits.append(ReplaceStatement(statement, written(writer.later_name())))
        for other in others:
            edits.append(ReplaceStatement(planning.flow.source.statement(other.node), ()))
        for other in folded.sites:
            planning.claim(other.node)
        return [*edits, *folded.removed]

    def comparison(
        self, site: Site, planning: Planning, name: Template, schema: ast.expr
    ) -> tuple[Statement, ...]:
        """What the ORM's constructor compared for a collection that exists (``--strict-schema``).

        ``verify`` fills in what older releases fill in when the collection is made. Source: the
        constructor and ``CollectionSchema.__eq__`` in pymilvus 2.4.15 to 3.0.2, both run.
        """
        stored = planning.helper_name("stored", site.scope)
        look = client_call(planning, site, "describe_collection", (None, name))
        lines: list[Statement] = [Line((f"{stored} = ", look))]
        failure, message = (
            planning.reference(text, site) for text in ("MilvusException", "ExceptionsMessage")
        )
        level = planning.arguments(site).get("consistency_level")
        number = _level(level, planning)
        if number is not None:
            raised = Line((f"raise {failure}(message={message}.ConsistencyLevelInconsistent)",))
            lines.append(Block((f'if {stored}["consistency_level"] != {number}:',), (raised,)))
        elif level is not None:
            planning.note(
                site, "level-not-compared", "the consistency level is not a constant: not compared"
            )
        cls = planning.reference("CollectionSchema", site)
        raised = Line((f"raise {failure}(message={message}.SchemaInconsistent)",))
        differs: Template = (f"if {cls}.construct_from_dict({stored}) != ", Src(schema), ":")
        return (*lines, Line((Src(schema), ".verify()")), Block(differs, (raised,)))


_LEVELS = ("Strong", "Session", "Bounded", "Eventually", "Customized")


def _level(node: ast.expr | None, planning: Planning) -> int | None:
    """The number of a constant consistency level, as ``describe_collection`` tells it."""
    value = only(planning.flow.value(node)) if node is not None else None
    given = value.value if isinstance(value, Const) else None
    if isinstance(given, str) and given in _LEVELS:
        return _LEVELS.index(given)
    return given if isinstance(given, int) and 0 <= given < len(_LEVELS) else None


class Writer:
    """Writes the statements of a constructor where it stands, and the name in its place."""

    def __init__(self, site: Site, planning: Planning, expression: ast.expr) -> None:
        self.site = site
        self.planning = planning
        self.expression = expression
        self.statement = planning.flow.source.statement(site.node)

    def write(
        self,
        creation: Callable[[Template], tuple[Statement, ...]] | None,
        kept_later: bool = False,
    ) -> list[Edit]:
        """The edits; ``creation`` gives the statements for the template of the name.

        With ``kept_later`` the statements are written elsewhere, further down.
        """
        site, planning, statement = self.site, self.planning, self.statement
        name: Template = (Src(self.expression),)
        value = getattr(statement, "value", None)
        target = self.single_target()
        if value is site.node and isinstance(statement, ast.Expr):
            if creation is None:
                return [ReplaceStatement(statement, ())]
            if not is_pure(self.expression):
                return [
                    ReplaceStatement(statement, self.captured(creation)),
                ]
            return [ReplaceStatement(statement, creation(name))]
        if value is site.node and target is not None:
            return self.assignment(target, creation, name)
        replaced = ReplaceNode(site.node, name)
        if creation is None:
            return [replaced]
        self.require_place()
        if not is_pure(self.expression):
            variable = planning.helper_name("collection_name", site.scope)
            return [
                InsertStatements(statement, self.captured(creation, variable)),
                ReplaceNode(site.node, (variable,)),
            ]
        return [InsertStatements(statement, creation(name)), replaced]

    def later_name(self) -> Template:
        """The name for statements further down: the variable, or the expression itself."""
        target = self.single_target()
        assert target is not None
        slots = [s for s, writes in self.planning.flow.writes.items() if target in writes]
        if slots and all(self.planning.gone.get(slot) for slot in slots):
            return (Src(self.expression),)
        return (Src(target),)

    def captured(
        self,
        creation: Callable[[Template], tuple[Statement, ...]],
        variable: str | None = None,
    ) -> tuple[Statement, ...]:
        """The statements with the name evaluated once."""
        variable = variable or self.planning.helper_name("collection_name", self.site.scope)
        return (Line((f"{variable} = ", Src(self.expression))), *creation((variable,)))

    def single_target(self) -> ast.Name | ast.Attribute | None:
        """The variable or attribute that the constructor is assigned to."""
        match self.statement:
            case ast.Assign(targets=[(ast.Name() | ast.Attribute()) as target]):
                return target
            case ast.AnnAssign(target=(ast.Name() | ast.Attribute()) as target):
                return target
        return None

    def assignment(
        self,
        target: ast.Name | ast.Attribute,
        creation: Callable[[Template], tuple[Statement, ...]] | None,
        name: Template,
    ) -> list[Edit]:
        """The edits for ``x = Collection(...)``."""
        planning, statement = self.planning, self.statement
        slots = [s for s, writes in planning.flow.writes.items() if target in writes]
        if slots and all(planning.gone.get(slot) for slot in slots):
            return [ReplaceStatement(statement, creation(name) if creation else ())]
        if creation is None:
            return [ReplaceNode(self.site.node, name)]
        written: Template = (Src(target),)
        header: Template = (Src(target),)
        if isinstance(statement, ast.AnnAssign):
            header = (Src(target), ": ", Src(statement.annotation))
        binding = Line((*header, " = ", *name))
        local = all(slot.owner is self.site.scope for slot in slots)
        initialising = self.site.function is not None and self.site.function.name == "__init__"
        if (local or initialising) and not self.shows_failure():
            return [ReplaceStatement(statement, (binding, *creation(written)))]
        if is_pure(self.expression):
            # Bound last: when creating fails nothing is bound, as before.
            return [ReplaceStatement(statement, (*creation(name), binding))]
        variable = planning.helper_name("new_name", self.site.scope)
        return [
            ReplaceStatement(
                statement,
                (*self.captured(creation, variable), Line((*header, f" = {variable}"))),
            )
        ]

    def shows_failure(self) -> bool:
        """Whether code that goes on when creating fails can tell that nothing was bound.

        ``x = None``, and ``if x is not None`` after the ``try`` with ``x = Collection(...)``.
        """
        target = self.single_target()
        around = _what_goes_on(self.site, self.planning)
        if target is None or around is None:
            return False
        if isinstance(target, ast.Attribute):
            return True
        flow = self.planning.flow
        inside = {node for statement in around.body for node in ast.walk(statement)}
        again = self.planning.in_loop(around)
        return any(
            (len(writes) > 1 or again)
            and any(again or reader not in inside for reader in flow.readers(slot))
            for slot, writes in flow.writes.items()
            if target in writes
        )

    def require_place(self) -> None:
        """Statements can be written before this one without changing the order of evaluation."""
        planning = self.planning
        parents = planning.flow.source.parents
        node: ast.AST = self.site.node
        plain = True
        while node is not self.statement:
            node = parents[node]
            if isinstance(
                node,
                ast.Lambda
                | ast.ListComp
                | ast.SetComp
                | ast.DictComp
                | ast.GeneratorExp
                | ast.IfExp
                | ast.BoolOp,
            ):
                plain = False
        first = planning.evaluated_first(self.statement, self.site.node)
        require(
            PLACEMENT,
            PROVED
            if plain and first
            else unknown(
                "a collection is created in the middle of an expression",
                "Create it in a statement of its own before this one.",
            ),
        )


def _what_goes_on(site: Site, planning: Planning) -> ast.Try | ast.With | ast.AsyncWith | None:
    """The nearest statement that runs something when its body, with ``site`` in it, raises."""
    parents = planning.flow.source.parents
    node: ast.AST = site.node
    while node in parents:
        node, child = parents[node], node
        if isinstance(node, ast.Try | ast.With | ast.AsyncWith) and child in node.body:
            return node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return None
    return None


def is_fresh(site: Site, planning: Planning) -> bool:
    """Whether flow proves that the collection does not exist when the constructor runs."""
    flow = planning.flow
    key = flow.identity(planning.arguments(site).get("name"), site.state, site.scope)
    connection = CONNECTIONS.key(site, flow)
    return key is not None and ("absent", connection, key) in site.state.facts


def _handler(planning: Planning, site: Site) -> Answer:
    if "SchemaNotReadyException" in planning.handled_names(site.node):
        return refuted(
            "a handler here names SchemaNotReadyException, which the client never raises",
            "if not client.has_collection(name): ...  # what the handler does\n"
            "Compare client.describe_collection(name) where the schema itself is checked.",
        )
    return PROVED


def _acts_in_same_try(site: Site, planning: Planning) -> bool:
    """Whether the next thing done in the ``try`` fails as well when the collection is missing."""
    flow = planning.flow
    made = Object(site.symbol, site.node)
    statement = flow.source.statement(site.node)
    inside = {n for part in (statement,) for n in ast.walk(part)}
    if any(made in other.objects and other.mention in inside for other in planning.sites):
        return True
    block, index = planning.block_of(statement)
    for following in block[index + 1 :]:
        inside = set(ast.walk(following))
        if any(
            made in other.objects
            and other.mention in inside
            and other.form in ("call", "attribute")
            and not other.symbol.endswith((".name", ".schema", ".description"))
            for other in planning.sites
        ):
            return isinstance(following, ast.Expr | ast.Assign | ast.Return | ast.AnnAssign)
        if not (isinstance(following, ast.Assign) and is_pure(following.value)):
            return False
    return False


class _Folded:
    """``create_index`` calls and the ``load()`` that move into ``create_collection``."""

    def __init__(self, variable: str, lines: list[Line], removed: list[Edit], sites: list[Site]):
        self.variable = variable
        self.lines = lines
        self.removed = removed
        self.sites = sites


def _fold(site: Site, planning: Planning) -> _Folded | None:
    """What can be folded: index calls and a bare load that follow with nothing in between."""
    flow = planning.flow
    statement = flow.source.statement(site.node)
    if not isinstance(statement, ast.Assign) or statement.value is not site.node:
        return None
    made = frozenset({Object(site.symbol, site.node)})
    block, index = planning.block_of(statement)
    created: list[Site] = []
    assignments: list[ast.stmt] = []
    loaded: Site | None = None
    for following in block[index + 1 :]:
        found = _own_call(following, planning, made)
        if found is None:
            if isinstance(following, ast.Assign) and is_pure(following.value):
                assignments.append(following)
                continue
            break
        if _has_comment(planning, following):
            return None
        if found.symbol == "Collection.create_index":
            created.append(found)
        elif found.symbol == "Collection.load" and not found.call.args and not found.call.keywords:
            loaded = found
            break
        else:
            break
    if not created or loaded is None:
        return None
    if not _untouched(assignments, site, planning):
        return None
    variable: str | None = None
    lines: list[Line] = []
    removed: list[Edit] = []
    for number, call in enumerate(created):
        arguments = planning.arguments(call)
        if {"timeout", "sync", "_async"} & set(arguments.order):
            return None
        try:
            indexes.check(call, planning)
            prepared = indexes.prepare(call, planning, variable, first=number == 0)
        except Refusal:
            return None
        if prepared.whole and not is_pure(arguments.get("index_params")):
            return None  # what makes the dict may not be done before the collection is made
        variable = prepared.variable
        lines += prepared.lines
        removed += prepared.removed
    if len(created) == 1 and len(removed) == 1 and removed[0].node in assignments:
        # The dict stands between: the parameters take its place, and its comments.
        assert isinstance(removed[0], ReplaceStatement)
        removed = [ReplaceStatement(removed[0].node, tuple(lines))]
        lines = []
    assert variable is not None
    return _Folded(variable, lines, removed, [*created, loaded])


def _untouched(assignments: list[ast.stmt], site: Site, planning: Planning) -> bool:
    """Whether the assignments in between set nothing that creating the collection reads."""
    read = {n.id for n in ast.walk(site.node) if isinstance(n, ast.Name)}
    for assignment in assignments:
        for node in ast.walk(assignment):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
                return False
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in read:
                return False
            if isinstance(node, ast.Name) and planning.units.of_values(planning.flow.value(node)):
                return False
    return True


def _own_call(statement: ast.stmt, planning: Planning, made: frozenset[Object]) -> Site | None:
    """The site of a statement that is just a call on the object."""
    if isinstance(statement, ast.Expr):
        for site in planning.flow.sites.get(statement.value, []):
            if site.objects == made and planning.is_active(site):
                return site
    return None


def _has_comment(planning: Planning, statement: ast.stmt) -> bool:
    """Whether a comment stands on or directly above the statement."""
    lines = planning.flow.module_of(statement).source.lines
    end = statement.end_lineno or statement.lineno
    if any("#" in line for line in lines[statement.lineno - 1 : end]):
        return True
    return statement.lineno >= 2 and lines[statement.lineno - 2].lstrip().startswith("#")


class Load(Rule):
    """``collection.load()`` becomes ``client.load_collection(name)``.

    With partition names it becomes ``client.load_partitions(name, [...])``: ``load_collection``
    would swallow ``partition_names`` and load everything. Replica number, timeout and the refresh
    and resource group arguments keep their names; everything but the names is a keyword.

    Refused when ``partition_names`` may or may not be None.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2; before 2.5.9 ``replica_number=0`` is written
    out, which was the ORM's default.
    """

    id = "MLV212"
    title = "methods about the collection's life take its name"
    symbols = ("Collection.load",)
    allowed = (
        "partition_names",
        "replica_number",
        "timeout",
        "_async",
        "_refresh",
        "refresh",
        "_resource_groups",
        "resource_groups",
        "load_fields",
        "_load_fields",
        "skip_load_dynamic_field",
        "priority",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        require(LOAD, lambda: known(arguments, self.allowed))
        partitions = arguments.get("partition_names")
        require(PARTITIONS, lambda: _partitions_known(planning, partitions))
        rest = [
            keyword(arguments, name)
            for name in dict.fromkeys(arguments.order)
            if name != "partition_names"
        ]
        target = planning.settings.target_version
        if "replica_number" not in arguments and (2, 4, 5) <= target < (2, 5, 9):
            rest.insert(0, ("replica_number", ("0",)))
        name = (None, planning.name(site))
        if partitions is None or is_none(partitions):
            call = client_call(planning, site, "load_collection", name, *rest)
        else:
            call = client_call(
                planning,
                site,
                "load_partitions",
                name,
                ("partition_names", (Src(partitions),)),
                *rest,
            )
        return [ReplaceNode(site.node, (call,))]


def _partitions_known(planning: Planning, node: ast.expr | None) -> Answer:
    if is_none(node):
        return PROVED
    content = planning.flow.content(planning.flow.value(node))
    if content is not None and content.kind == "list" and (content.items or content.appended):
        return PROVED
    return unknown(
        "partition_names may be None, and load_collection would ignore it",
        "client.load_partitions(name, partition_names) if partition_names else "
        "client.load_collection(name)",
    )


class NameAndSchema(Rule):
    """``collection.name`` is the name itself; ``collection.schema`` the schema it was made with.

    Where the schema was not made in sight it is read back:
    ``CollectionSchema.construct_from_dict(client.describe_collection(name))``. ``primary_field`` is
    that of the schema that is read back.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV211"
    title = "attributes of a collection become look-ups by name"
    symbols = ("Collection.name", "Collection.schema", "Collection.primary_field")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol == "Collection.name":
            return [ReplaceNode(site.node, planning.name(site))]
        primary = site.symbol == "Collection.primary_field"
        made_with = None if primary else self.schema_in_scope(site, planning)
        if made_with is not None:
            return [ReplaceNode(site.node, (Src(made_with),))]
        cls = planning.reference("CollectionSchema", site)
        look = client_call(planning, site, "describe_collection", (None, planning.name(site)))
        schema = call_of((f"{cls}.construct_from_dict",), (None, (look,)))
        return [ReplaceNode(site.node, (schema, ".primary_field") if primary else (schema,))]

    def schema_in_scope(self, site: Site, planning: Planning) -> ast.expr | None:
        """The variable that holds the schema which the collection was made with."""
        if len(site.objects) != 1:
            return None
        (item,) = site.objects
        if not isinstance(item.origin, ast.Call):
            return None
        for made in planning.flow.sites.get(item.origin, []):
            expression = planning.arguments(made).get("schema")
            if isinstance(expression, ast.Name) and planning.holds_still(
                expression, made, site.node, site.state, site.scope
            ):
                return expression
        return None
