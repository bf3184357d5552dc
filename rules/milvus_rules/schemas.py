"""Schemas: ``CollectionSchema([FieldSchema(...), ...])`` becomes ``create_schema``/``add_field``.

The classes do not warn, so a schema that is not built in the plain way is left as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate_milvus.edits import (
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.flow import Content, Flow, Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import Rule
from migrate_milvus.values import Const, Object, Opaque, only
from milvus_rules.contents import held_only_by, in_branch, length
from milvus_rules.library import PARAMETERS
from milvus_rules.writing import Pair, call_of, is_pure

_SCHEMA_HANDLERS = {
    "SchemaNotReadyException",
    "FieldsTypeException",
    "FieldTypeException",
    "PrimaryKeyException",
    "AutoIDException",
    "ParamError",
    "DataTypeNotSupportException",
}


@dataclass
class SchemaFacts:
    """What is known of a schema's fields, in order."""

    fields: list[dict[str, ast.expr]] = field(default_factory=list)
    auto_id: ast.expr | None = None
    outputs: frozenset[str] = frozenset()  # filled by the schema's functions
    dynamic: ast.expr | None = None
    primary: ast.expr | None = None


class Schemas(Rule):
    """A schema built from a list of fields becomes ``create_schema()`` and ``add_field()`` calls.

    ``FieldSchema`` and ``CollectionSchema`` do not warn. They are rewritten when the fields flow
    into that one schema only and stand in the same scope; otherwise they stay, and the schema
    object is passed to ``create_collection`` as it is. Names and types become positional, all
    other arguments keep their names, comments stay with their field.

    Source: 26 argument cases built both ways on pymilvus 3.0.2, final schemas compared.
    """

    id = "MLV201"
    title = "CollectionSchema and FieldSchema become create_schema and add_field"
    symbols = ("CollectionSchema", "FieldSchema")
    order = 10

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol != "CollectionSchema" or site.form != "call":
            return []
        if not _feeds_rewritten_collections(planning, site):
            return []
        return _Writer(site, planning).edits()


class _Writer:
    def __init__(self, site: Site, planning: Planning) -> None:
        self.site = site
        self.planning = planning
        self.flow = planning.flow
        self.source = planning.flow.source
        self.statement = self.source.statement(site.node)
        self.removed: list[ast.stmt] = []

    def edits(self) -> list[Edit]:
        """The edits, or none when the schema stays as it is."""
        arguments = self.planning.arguments(self.site)
        fields = arguments.get("fields")
        if fields is None or arguments.unknown or arguments.unpacked:
            return []
        if self.planning.handled_names(self.site.node) & _SCHEMA_HANDLERS:
            return []
        if "check_fields" in arguments or not self.planning_scope_is_plain():
            return []
        content = self.flow.content(self.flow.value(fields))
        if content is None or content.kind != "list" or not content.exact or content.changed:
            return []
        assert isinstance(content.node, ast.List)
        list_statement = self.source.statement(content.node)
        in_place = list_statement is self.statement
        if not in_place and not self.list_is_plain(content, list_statement, fields):
            return []
        entries = self.entries(content)
        if entries is None:
            return []
        rest: list[Pair | None] = [
            (name, (Src(value),))
            for name, value in {**arguments.given, **arguments.extra}.items()
            if name != "fields"
        ]
        return self.write(content, list_statement, in_place, entries, rest)

    def planning_scope_is_plain(self) -> bool:
        """Whether the schema is assigned to a name or attribute, or passed in place."""
        match self.statement:
            case ast.Assign(targets=[ast.Name() | ast.Attribute()]) if (
                self.statement.value is self.site.node
            ):
                return True
            case ast.AnnAssign(value=value) if value is self.site.node:
                return False
        return self.passed_in_place() is not None

    def passed_in_place(self) -> ast.Call | None:
        """The constructor that the schema is an argument of, when that is a plain statement."""
        parents = self.source.parents
        parent = parents[self.site.node]
        if isinstance(parent, ast.keyword):
            parent = parents[parent]
        if not isinstance(parent, ast.Call):
            return None
        for made in self.flow.sites.get(parent, []):
            if made.symbol == "Collection" and self.planning.is_active(made):
                if isinstance(self.statement, ast.Assign | ast.Expr | ast.Return | ast.AnnAssign):
                    if self.statement.value is parent or self.planning.evaluated_first(
                        self.statement, parent
                    ):
                        return parent
        return None

    def list_is_plain(self, content: Content, list_statement: ast.stmt, fields: ast.expr) -> bool:
        """Whether the list is a variable of this scope that only feeds this schema."""
        if not (
            isinstance(list_statement, ast.Assign)
            and len(list_statement.targets) == 1
            and isinstance(list_statement.targets[0], ast.Name)
            and list_statement.value is content.node
            and isinstance(fields, ast.Name)
        ):
            return False
        if self.flow.scope(list_statement) is not self.flow.scope(self.statement):
            return False
        appending = [self.source.statement(call) for call in content.appended]
        if not self.planning.in_one_cell(self.statement, list_statement, *appending):
            return False  # what a cell says stays in that cell
        added = [c.func.value for c in content.appended if isinstance(c.func, ast.Attribute)]
        if not held_only_by(self.flow, content, fields, *added):
            return False
        if any(not isinstance(self.source.parents[c], ast.Expr) for c in content.appended):
            return False
        block, index = self.planning.block_of(self.statement)
        if list_statement not in block[:index]:
            return False
        between = block[block.index(list_statement) + 1 : index]
        if not content.appended:
            return self.untouched_between(between, content)
        return all(is_pure(k.value) for k in self.site.call.keywords) and all(
            is_pure(a) for a in self.site.call.args
        )

    def untouched_between(self, between: list[ast.stmt], content: Content) -> bool:
        """Whether nothing that the fields read is assigned before the schema is made."""
        read = {n.id for n in ast.walk(content.node) if isinstance(n, ast.Name)}
        for statement in between:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    if node.id in read:
                        return False
        return True

    def entries(self, content: Content) -> list[tuple[ast.expr, ast.Call]] | None:
        """The fields of the list: the item, and the FieldSchema call that it stands for."""
        found = []
        for item in content.items:
            call = self.field_call(item)
            if call is None:
                return None
            found.append((item, call))
        for item in content.appended.values():
            if self.field_call(item) is None:
                return None
        return found

    def field_call(self, item: ast.expr) -> ast.Call | None:
        """The FieldSchema call behind an item of the list, when it is used nowhere else."""
        value = only(self.flow.value(item))
        if not isinstance(value, Object) or value.kind != "FieldSchema":
            return None
        call = value.origin
        if (
            not isinstance(call, ast.Call)
            or any(isinstance(a, ast.Starred) for a in call.args)
            or len(call.args) > 3
        ):
            return None
        if any(k.arg is None for k in call.keywords):
            return None
        if item is call:
            return call
        if not isinstance(item, ast.Name):
            return None
        slot = self.flow.reads.get(item)
        statement = self.source.statement(call)
        if slot is None or not (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
            and statement.value is call
        ):
            return None
        writes = list(self.flow.writes.get(slot, {}).values())
        if len(writes) != 1 or self.flow.readers(slot) != [item]:
            return None
        if self.flow.scope(statement) is not self.flow.scope(self.statement):
            return None
        if not self.planning.in_one_cell(self.statement, statement):
            return None
        if not all(is_pure(a) for a in [*call.args, *(k.value for k in call.keywords)]):
            return None
        block, index = self.planning.block_of(self.source.statement(item))
        if statement not in block[: index + 1]:
            return None
        self.removed.append(statement)
        return call

    def write(
        self,
        content: Content,
        list_statement: ast.stmt,
        in_place: bool,
        entries: list[tuple[ast.expr, ast.Call]],
        rest: list[Pair | None],
    ) -> list[Edit]:
        """The edits for a schema that can be rewritten."""
        passed = self.passed_in_place()
        if passed is not None:
            variable: Template = (self.planning.helper_name("schema", self.site.scope),)
        else:
            assert isinstance(self.statement, ast.Assign)
            variable = (Src(self.statement.targets[0]),)
        cls = self.planning.reference("MilvusClient", self.site)
        created = call_of((f"{cls}.create_schema",), *rest)
        lines = [Line((*variable, " = ", created), anchor=None if passed else self.site.node)]
        lines += [self.field_line(variable, call, item) for item, call in entries]
        edits: list[Edit] = [ReplaceStatement(s, ()) for s in dict.fromkeys(self.removed)]
        for call, item in content.appended.items():
            field_call = self.field_call(item)
            assert field_call is not None
            statement = self.source.statement(call)
            edits.append(
                ReplaceStatement(statement, (self.field_line(variable, field_call, item),))
            )
        if passed is not None:
            edits.append(InsertStatements(self.statement, tuple(lines)))
            edits.append(ReplaceNode(self.site.node, variable))
            if not in_place:
                edits.append(ReplaceStatement(list_statement, ()))
        elif content.appended:
            edits.append(ReplaceStatement(list_statement, tuple(lines)))
            edits.append(ReplaceStatement(self.statement, ()))
        else:
            edits.append(ReplaceStatement(self.statement, tuple(lines)))
            if not in_place:
                edits.append(ReplaceStatement(list_statement, ()))
        return edits

    def field_line(self, variable: Template, call: ast.Call, item: ast.expr) -> Line:
        """``schema.add_field(...)`` for one field."""
        pairs: list[Pair | None] = []
        names = PARAMETERS["FieldSchema"]
        given = dict(zip(names, call.args, strict=False))
        keywords = {k.arg: k.value for k in call.keywords if k.arg}
        name = given.get("name", keywords.get("name"))
        dtype = given.get("dtype", keywords.get("dtype"))
        pairs.append((None, (Src(name),)) if name is not None else None)
        pairs.append((None, (Src(dtype),)) if dtype is not None else None)
        if "description" in given:
            pairs.append(("description", (Src(given["description"]),)))
        pairs += [
            (key, (Src(value),)) for key, value in keywords.items() if key not in ("name", "dtype")
        ]
        return Line((call_of((*variable, ".add_field"), *pairs),), anchor=item)


def _feeds_rewritten_collections(planning: Planning, site: Site) -> bool:
    """Whether the schema reaches at least one collection, and only rewritten ones."""
    found = False
    for other in planning.sites:
        if other.symbol != "Collection" or other.form != "call":
            continue
        schema = planning.arguments(other).get("schema")
        if any(getattr(v, "origin", None) is site.node for v in planning.flow.value(schema)):
            if not planning.is_active(other):
                return False
            found = True
    return found


def facts_of(flow: Flow, values: frozenset[object]) -> SchemaFacts | None:
    """The fields of the one schema that ``values`` holds; None when they are not all known."""
    schema = only(frozenset(values))  # type: ignore[arg-type]
    if not isinstance(schema, Object) or schema.kind != "CollectionSchema":
        return None
    call = schema.origin
    if not isinstance(call, ast.Call) or _handed_out(flow, schema):
        return None
    keywords = {k.arg: k.value for k in call.keywords}
    if None in keywords or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    fields = call.args[0] if call.args else keywords.get("fields")
    content = flow.content(flow.value(fields))
    if length(flow, content) is None:
        return None
    assert content is not None
    found = SchemaFacts(
        auto_id=keywords.get("auto_id"),
        dynamic=keywords.get("enable_dynamic_field"),
        primary=keywords.get("primary_field"),
    )
    functions: list[ast.expr] = []
    if "functions" in keywords:
        listed = flow.content(flow.value(keywords["functions"]))
        if listed is None or length(flow, listed) is None:
            return None
        functions += [*listed.items, *listed.appended.values()]
    for item in [*content.items, *content.appended.values()]:
        made = only(flow.value(item))
        arguments = (
            _field_arguments(made.origin)
            if isinstance(made, Object) and isinstance(made.origin, ast.Call)
            else None
        )
        if arguments is None:
            return None
        found.fields.append(arguments)
    for later, member in sorted(flow.method_calls.get(schema, {}).items(), key=_place):
        if not member.startswith("add_"):
            continue
        # Added to the object that a call of this very scope made, once.
        if in_branch(flow, later) or flow.scope(later) is not flow.scope(call):
            return None
        arguments = _field_arguments(later) if member == "add_field" else None
        if member == "add_function" and len(later.args) == 1:
            functions.append(later.args[0])
        elif arguments is not None:
            found.fields.append(arguments)
        else:
            return None
    outputs = [_outputs(flow, function) for function in functions]
    if None in outputs:
        return None
    found.outputs = frozenset(name for names in outputs for name in names or ())
    return found


def _handed_out(flow: Flow, schema: Object) -> bool:
    """Whether code out of sight gets the schema, and may add fields to it."""
    looked_at = {f"passed to {name}()" for name in ("print", "str", "repr", "type", "isinstance")}
    return any(
        escape.object == schema
        and escape.how.startswith("passed to")
        and escape.how not in looked_at
        for escape in flow.escapes.values()
    )


def _place(item: tuple[ast.Call, str]) -> tuple[int, int]:
    return item[0].lineno, item[0].col_offset


def _field_arguments(call: ast.Call) -> dict[str, ast.expr] | None:
    """The arguments of ``FieldSchema(...)`` or ``add_field(...)``, by FieldSchema's names."""
    if any(isinstance(a, ast.Starred) for a in call.args):
        return None
    arguments = dict(zip(PARAMETERS["FieldSchema"], call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        name = {"field_name": "name", "datatype": "dtype"}.get(keyword.arg, keyword.arg)
        arguments[name] = keyword.value
    return arguments


def _outputs(flow: Flow, node: ast.expr) -> set[str] | None:
    """The names of the fields that a ``Function(...)`` fills; None when they are not known."""
    value = only(flow.value(node))
    if not (isinstance(value, Opaque) and isinstance(value.origin, tuple)):
        return None
    if value.origin[:2] != ("library", "Function"):
        return None
    call = flow.call_origins.get(value.origin[2])
    if not isinstance(call, ast.Call):
        return None
    given = dict(zip(("name", "function_type", "input_field_names"), call.args, strict=False))
    named = {k.arg: k.value for k in call.keywords}
    wanted = named.get("output_field_names")
    if wanted is None and len(call.args) > len(given):
        wanted = call.args[3]
    if wanted is None:
        return set() if None not in named else None
    names = wanted.elts if isinstance(wanted, ast.List | ast.Tuple) else [wanted]
    found: set[str] = set()
    for name in names:
        text = only(flow.value(name))
        if not (isinstance(text, Const) and isinstance(text.value, str)):
            return None
        found.add(text.value)
    return found
