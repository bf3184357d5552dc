"""``Collection.construct_from_dataframe``: the schema that it would infer, written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from migrate_milvus.edits import Block, Edit, Line, ReplaceStatement, Src, Statement, Template
from migrate_milvus.flow import Content, Site, Slot
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Abstract, Const, ModuleValue, Opaque, only
from milvus_rules.collections import is_fresh
from milvus_rules.fields import text_of
from milvus_rules.writing import (
    Pair,
    call_of,
    client_call,
    is_pure,
    is_statement,
    keyword,
    known,
)

ARGUMENTS = predicate(
    "frame-arguments-known", "name, frame and key are given, and the frame holds the keys"
)
TYPES = predicate("frame-types-known", "the type of each column of the data frame is seen")
UNCHANGED = predicate("frame-unchanged", "the data frame is what it was made as")
RESULT = predicate("frame-result-unused", "of what is given back only the collection is used")
HANDLER = predicate("frame-handler", "no handler around names what the ORM raises for a frame")

_RAISED = {
    "SchemaNotReadyException",
    "CannotInferSchemaException",
    "DataNotMatchException",
    "DataTypeNotMatchException",
    "PrimaryKeyException",
    "AutoIDException",
    "ParamError",
}
_PASSED = ("consistency_level",)
_NUMPY = {
    "bool": "BOOL",
    "bool_": "BOOL",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "double": "DOUBLE",
}
_PLAIN = {"int": "INT64", "float": "DOUBLE", "bool": "BOOL"}
_FLOATS = frozenset(
    ["builtins.float", "random.random", "random.uniform", "random.gauss", "time.time"]
)
_INTS = frozenset(["builtins.int", "builtins.len", "random.randint", "random.randrange"])
_TEXTS = frozenset(["builtins.str", "builtins.repr"])
# The ORM's limit for texts whose length nobody gave.
_LONGEST = "65535"
# What is read of a frame without changing it.
_READING = frozenset(
    ["head", "tail", "shape", "columns", "dtypes", "iloc", "loc", "index", "empty", "to_dict"]
)
_COLUMN_READING = frozenset(
    ["tolist", "to_list", "sum", "mean", "std", "min", "max", "count", "unique", "head", "shape"]
)
_LOOKING = frozenset({"builtins.print", "builtins.len", "builtins.type", "builtins.isinstance"})
_COPYING = _LOOKING | {
    "pandas.DataFrame",
    "numpy.array",
    "numpy.asarray",
    "builtins.list",
    "builtins.zip",
    "builtins.enumerate",
}


@dataclass(frozen=True)
class _Column:
    """A column of the frame: its name and the type of its field."""

    name: str
    type: str


class ConstructFromDataframe(Rule):
    """``Collection.construct_from_dataframe(...)`` becomes the schema, the collection, the rows.

    The ORM infers the schema from the frame, creates the collection or opens it, and inserts the
    frame. The same is written out: ``create_schema`` with one ``add_field`` for each column, whose
    type is that of the column and whose dimension is the length of its first vector,
    ``create_collection`` (guarded as for ``Collection(...)``), and ``insert`` with
    ``df.to_dict("records")``.

    Refused when the frame is not made from a dict display whose columns have types that are seen,
    when it may have changed since, when the collection and the result are not assigned to two
    variables, or the result is read; when an argument is not known, or a handler names what the ORM
    raises for a frame.

    Accepted difference: for an empty frame another exception is raised; that of
    ``Collection(name, schema)`` for an existing collection.

    Source: ``construct_fields_from_dataframe`` read in pymilvus 2.3.8 to 3.0.2, and both sides run.
    """

    id = "MLV213"
    title = "construct_from_dataframe becomes the schema written out"
    symbols = ("Collection.construct_from_dataframe",)
    order = 30

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        require(ARGUMENTS, lambda: _arguments_known(site, planning))
        require(RESULT, lambda: _result_unused(site, planning))
        require(HANDLER, lambda: _handler(site, planning))
        frame, expression = arguments.get("dataframe"), arguments.get("name")
        assert frame is not None and expression is not None
        display = _display(planning, frame)
        columns = _columns(planning, display) if display is not None else None
        require(
            TYPES,
            lambda: (
                PROVED
                if columns is not None and _has_key(site, planning, columns)
                else unknown(
                    "the types of the data frame's columns are not all seen here",
                    planning.recipe(site),
                )
            ),
        )
        require(UNCHANGED, lambda: _unchanged(site, planning, frame))
        assert columns is not None
        statement = planning.flow.source.statement(site.node)
        name, lines = _bound_name(site, planning, statement, expression)
        key = text_of(planning, arguments.get("primary_field"))
        schema = planning.helper_name("schema", site.scope)
        cls, types = (planning.reference(word, site) for word in ("MilvusClient", "DataType"))
        lines.append(Line((f"{schema} = {cls}.create_schema()",), anchor=site.node))
        for column in columns:
            pairs: list[Pair | None] = [
                (None, (f'"{column.name}"',)),
                (None, (f"{types}.{column.type}",)),
            ]
            if column.type == "FLOAT_VECTOR":
                length: Template = ("len(", Src(frame), f'["{column.name}"].iloc[0])')
                pairs.append(("dim", length))
            if column.type == "VARCHAR":
                pairs.append(("max_length", (_LONGEST,)))
            if column.name == key:
                pairs.append(("is_primary", ("True",)))
            lines.append(Line((call_of((f"{schema}.add_field",), *pairs),)))
        rest = [keyword(arguments, word) for word in arguments.order if word in _PASSED]
        created = Line(
            (
                client_call(
                    planning,
                    site,
                    "create_collection",
                    ("collection_name", name),
                    ("schema", (schema,)),
                    *rest,
                ),
            )
        )
        if is_fresh(site, planning):
            lines.append(created)
        else:
            look = client_call(planning, site, "has_collection", (None, name))
            lines.append(Block(("if not ", look, ":"), (created,)))
        rows: Template = (Src(frame), '.to_dict("records")')
        inserted = client_call(planning, site, "insert", ("collection_name", name), ("data", rows))
        lines.append(Line((inserted,)))
        return [ReplaceStatement(statement, tuple(lines))]


def _arguments_known(site: Site, planning: Planning) -> Answer:
    arguments = planning.arguments(site)
    allowed = ("name", "dataframe", "primary_field", "auto_id", "using", *_PASSED)
    answer = known(arguments, allowed)
    if answer is not PROVED:
        return answer
    if any(arguments.get(name) is None for name in ("name", "dataframe", "primary_field")):
        return unknown(
            "the name, the frame or its key is not an argument of its own", planning.recipe(site)
        )
    made = arguments.get("auto_id")
    if made is not None and only(planning.flow.value(made)) != Const.of(False):
        return unknown(
            "the key may be made by the server: the ORM drops its column then",
            planning.recipe(site),
        )
    if text_of(planning, arguments.get("primary_field")) is None:
        return unknown("the name of the key is not a text that is seen here", planning.recipe(site))
    if not is_pure(arguments.get("dataframe")):
        return unknown("the frame is made in the call", "Assign the frame to a variable first.")
    return PROVED


def _result_unused(site: Site, planning: Planning) -> Answer:
    """Whether the collection alone is used: of a pair of variables, or of a mere statement."""
    if is_statement(planning, site):
        return PROVED
    pair = _pair(planning, site)
    recipe = "collection, result = Collection.construct_from_dataframe(...), in a statement."
    if pair is None:
        return unknown("what is given back is not assigned to two variables", recipe)
    result = pair[1]
    slot = planning.flow.slot_of_name(result.id, site.scope)
    if planning.flow.readers(slot) or planning.crossing.is_seen_elsewhere(slot):
        if _reads_result(planning, site, slot):
            return unknown(
                f"the result, {result.id!r}, is read; with the client it is a dict",
                f"{planning.recipe(site)}\nres['ids'], res['insert_count']  # to be read of it",
            )
    return PROVED


def _reads_result(planning: Planning, site: Site, slot: Slot) -> bool:
    """Whether a reader of the variable may see the result of this call."""
    readers = planning.flow.readers(slot)
    values: Abstract = frozenset().union(*(planning.flow.value(reader) for reader in readers))
    return not readers or any(
        getattr(value, "origin", None) is site.node
        for value in (*values, *planning.flow.store.get(slot, frozenset()))
    )


def _pair(planning: Planning, site: Site) -> tuple[ast.Name, ast.Name] | None:
    match planning.flow.source.statement(site.node):
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name() as first, ast.Name() as second])]) as s:
            return (first, second) if s.value is site.node else None
    return None


def _handler(site: Site, planning: Planning) -> Answer:
    named = sorted(planning.handled_names(site.node) & _RAISED)
    if named:
        return refuted(
            f"a handler here names {named[0]}, which the client does not raise for a frame",
            planning.recipe(site),
        )
    return PROVED


def _bound_name(
    site: Site, planning: Planning, statement: ast.stmt, expression: ast.expr
) -> tuple[Template, list[Statement]]:
    """How the collection's name is written, and the line that binds it."""
    pair = _pair(planning, site)
    if pair is None:
        if is_pure(expression):
            return (Src(expression),), []
        variable = planning.helper_name("collection_name", site.scope)
        return (variable,), [Line((f"{variable} = ", Src(expression)))]
    target = pair[0]
    slot = planning.flow.slot_of_name(target.id, site.scope)
    variable = planning.names.get(slot, target.id)
    return (variable,), [Line((f"{variable} = ", Src(expression)), anchor=statement)]


# -- columns and their types ----------------------------------------------------------------


def _display(planning: Planning, frame: ast.expr) -> ast.Dict | None:
    """The dict that the frame is made from, where it is written out."""
    made = _made(planning, frame)
    if made is None or len(made.args) != 1 or made.keywords:
        return None
    content = planning.flow.content(planning.flow.value(made.args[0]))
    if content is None or not isinstance(content.node, ast.Dict) or not content.exact:
        return None
    if content.changed or content.appended or not _stays(planning, content):
        return None
    return content.node


def _made(planning: Planning, frame: ast.expr) -> ast.Call | None:
    """The one call of ``pandas.DataFrame`` that the frame comes from."""
    value = only(planning.flow.value(frame))
    if not isinstance(value, Opaque):
        return None
    call = _call_behind(planning, value)
    if call is None:
        return None
    name = only(planning.flow.value(call.func))
    if isinstance(name, ModuleValue) and name.name == "pandas.DataFrame":
        return call
    return None


def _call_behind(planning: Planning, value: object) -> ast.Call | None:
    """The call that gave a value of which nothing else is known."""
    if not isinstance(value, Opaque):
        return None
    calls = (node for node in planning.flow.values if isinstance(node, ast.Call))
    return next((node for node in calls if id(node) == value.origin), None)


def _columns(planning: Planning, display: ast.Dict) -> list[_Column] | None:
    columns: list[_Column] = []
    for key, value in zip(display.keys, display.values, strict=True):
        name = text_of(planning, key)
        kind = _column_type(planning, value)
        if name is None or kind is None or '"' in name or "\\" in name:
            return None
        columns.append(_Column(name, kind))
    if len({column.name for column in columns}) != len(columns):
        return None
    return columns if any(column.type == "FLOAT_VECTOR" for column in columns) else None


def _has_key(site: Site, planning: Planning, columns: list[_Column]) -> bool:
    key = text_of(planning, planning.arguments(site).get("primary_field"))
    return any(column.name == key and column.type in ("INT64", "VARCHAR") for column in columns)


def _column_type(planning: Planning, node: ast.expr) -> str | None:
    """The type that the ORM infers for a column."""
    dtype = _numpy_type(planning, node)
    if dtype is not None:
        return dtype
    if _gives_vectors(planning, node):
        return "FLOAT_VECTOR"
    items = _items(planning, node)
    if not items:
        return None
    kinds = {_kind(planning, item) for item in items}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    return {"text": "VARCHAR", "vector": "FLOAT_VECTOR", **_PLAIN}.get(kind or "")


def _gives_vectors(planning: Planning, node: ast.expr) -> bool:
    """``array.tolist()`` of an array of two dimensions that holds floats, and nothing changes."""
    value = only(planning.flow.value(node))
    match _call_behind(planning, value):
        case ast.Call(
            func=ast.Attribute(attr="tolist" | "to_list", value=array), args=[], keywords=[]
        ) if _is_matrix(planning, array):
            return all(
                isinstance(planning.flow.source.parents.get(part), ast.Dict | ast.List)
                or _leaves_alone(planning, part)
                for part, values in planning.flow.values.items()
                if value in values and isinstance(part, ast.expr)
            )
    return False


def _is_matrix(planning: Planning, node: ast.expr) -> bool:
    """Whether the expression is an array of floats, of two dimensions."""
    call = node
    if not isinstance(node, ast.Call):
        call = _call_behind(planning, only(planning.flow.value(node))) or node
    if not isinstance(call, ast.Call):
        return False
    name = only(planning.flow.value(call.func))
    words = {keyword.arg for keyword in call.keywords}
    match name.name if isinstance(name, ModuleValue) else "":
        case "sklearn.preprocessing.normalize":
            return words <= {"norm", "axis", "copy"} and len(call.args) <= 4
        case "numpy.random.rand":
            return len(call.args) == 2 and not words
        case "numpy.random.random" | "numpy.random.random_sample":
            sizes = [*call.args, *(keyword.value for keyword in call.keywords)]
            return len(sizes) == 1 and isinstance(sizes[0], ast.Tuple) and len(sizes[0].elts) == 2
    return False


def _numpy_type(planning: Planning, node: ast.expr) -> str | None:
    """``np.array(..., dtype=np.float32)``, of one dimension."""
    call = node
    if isinstance(node, ast.Name):
        call = _call_behind(planning, only(planning.flow.value(node))) or node
    if not isinstance(call, ast.Call) or not call.args:
        return None
    function = only(planning.flow.value(call.func))
    if not isinstance(function, ModuleValue) or function.name not in (
        "numpy.array",
        "numpy.asarray",
    ):
        return None
    given = [part.value for part in call.keywords if part.arg == "dtype"]
    items = _items(planning, call.args[0])
    if len(given) != 1 or not items or len(call.keywords) != 1 or len(call.args) != 1:
        return None
    if not all(_kind(planning, item) in _PLAIN for item in items):
        return None
    dtype = only(planning.flow.value(given[0]))
    if isinstance(dtype, ModuleValue):
        return (
            _NUMPY.get(dtype.name.rpartition(".")[2]) if dtype.name.startswith("numpy.") else None
        )
    if isinstance(dtype, Const) and isinstance(dtype.value, str):
        return _NUMPY.get(dtype.value)
    return None


def _items(planning: Planning, node: ast.expr) -> list[ast.expr] | None:
    """What stands for the elements of a list; None when it is not seen how the list is made."""
    match node:
        case ast.BinOp(op=ast.Mult(), left=ast.List() as repeated):
            node = repeated
        case ast.Call(func=function, args=[ast.Call(func=inner)], keywords=[]) if _is(
            planning, function, "builtins.list"
        ) and _is(planning, inner, "builtins.range"):
            return [ast.Constant(0)]
        case ast.Call(func=function) if _is(planning, function, "builtins.range"):
            return [ast.Constant(0)]
    content = _content(planning, node)
    if content is None or content.changed or not _stays(planning, content):
        return None
    match content.node:
        case ast.ListComp(elt=element):
            found = [element]
        case ast.List(elts=elements) if content.exact:
            found = list(elements)
        case _:
            return None
    return [*found, *content.appended.values()]


def _stays(planning: Planning, content: Content) -> bool:
    """Whether those that the list or dict was passed to only look at it, or copy it."""
    parents = planning.flow.source.parents
    for node in content.escaped:
        parent = parents.get(node)
        if isinstance(parent, ast.BinOp) or (
            isinstance(parent, ast.ListComp) and parent.elt is node
        ):
            continue  # ``[0.1] * 4`` is a new list; ``[[0.1] for _ in range(4)]`` is looked at
        name = only(planning.flow.value(parent.func)) if isinstance(parent, ast.Call) else None
        if not (isinstance(name, ModuleValue) and name.name in _COPYING):
            return False
    return True


def _content(planning: Planning, node: ast.expr) -> Content | None:
    if isinstance(node, ast.List | ast.ListComp):
        return planning.flow.contents.get(node)
    return planning.flow.content(planning.flow.value(node))


def _kind(planning: Planning, node: ast.expr) -> str | None:
    """``int``, ``float``, ``bool``, ``text`` or ``vector``: what an element is."""
    match node:
        case ast.Constant(value=bool()):
            return "bool"
        case ast.Constant(value=int() as number):
            return "int" if number < 2**63 else None
        case ast.Constant(value=float()):
            return "float"
        case ast.Constant(value=str()) | ast.JoinedStr():
            return "text"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            kind = _kind(planning, operand)
            return kind if kind in ("int", "float") else None
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            numbers = {_kind(planning, left), _kind(planning, right)}
            return "float" if numbers <= {"int", "float"} else None
        case ast.BinOp(
            op=ast.Add() | ast.Sub() | ast.Mult() | ast.Mod() | ast.FloorDiv(),
            left=left,
            right=right,
        ) if (numbers := {_kind(planning, left), _kind(planning, right)}) <= {"int", "float"}:
            return "float" if "float" in numbers else "int"
        case ast.Call(func=function):
            return _kind_of_call(planning, function)
        case ast.Name() if _runs_over_range(planning, node):
            return "int"
        case ast.Name() if isinstance(constant := only(planning.flow.value(node)), Const):
            return _kind_of_constant(constant)
    items = _items(planning, node)
    numbers = {_kind(planning, item) for item in items or ()}
    return "vector" if numbers and (numbers == {"float"} or numbers == {"int"}) else None


def _kind_of_constant(constant: Const) -> str | None:
    kinds = {"str": "text", "int": "int", "float": "float", "bool": "bool"}
    return kinds.get(constant.kind)


def _kind_of_call(planning: Planning, function: ast.expr) -> str | None:
    name = only(planning.flow.value(function))
    if not isinstance(name, ModuleValue):
        return None
    for names, kind in ((_FLOATS, "float"), (_INTS, "int"), (_TEXTS, "text")):
        if name.name in names:
            return kind
    return None


def _runs_over_range(planning: Planning, node: ast.Name) -> bool:
    """Whether the name is the variable of a comprehension, or of a loop, over ``range``."""
    parents = planning.flow.source.parents
    slot = planning.flow.reads.get(node)
    targets = list(planning.flow.writes.get(slot, ())) if slot is not None else []
    if targets:
        loops = [parents.get(target) for target in targets]
        return all(isinstance(loop, ast.For) and _is_range(planning, loop.iter) for loop in loops)
    part: ast.AST = node
    while part in parents:
        part = parents[part]
        if isinstance(part, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for generator in part.generators:
                target = generator.target
                if isinstance(target, ast.Name) and target.id == node.id:
                    return _is_range(planning, generator.iter)
        if isinstance(part, ast.stmt):
            break
    return False


def _is_range(planning: Planning, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _is(planning, node.func, "builtins.range")


def _is(planning: Planning, node: ast.expr, name: str) -> bool:
    value = only(planning.flow.value(node))
    return isinstance(value, ModuleValue) and value.name == name


# -- whether the frame changes ---------------------------------------------------------------


def _unchanged(site: Site, planning: Planning, frame: ast.expr) -> Answer:
    """Whether nothing that sees the frame can have changed it."""
    value = only(planning.flow.value(frame))
    answer = unknown("the data frame may have changed since it was made", planning.recipe(site))
    display = _display(planning, frame)
    if display is None:
        return answer
    for node, values in planning.flow.values.items():
        if value in values and isinstance(node, ast.expr) and not _leaves_alone(planning, node):
            return answer
    return PROVED


def _is_looked_at(planning: Planning, column: ast.Subscript) -> bool:
    """Whether a column is only looked at: what is set in it is set in the frame."""
    outer = planning.flow.source.parents.get(column)
    match outer:
        case ast.Attribute(ctx=ast.Load()):
            return outer.attr in _COLUMN_READING
        case ast.Call() if column in outer.args:
            name = only(planning.flow.value(outer.func))
            return isinstance(name, ModuleValue) and name.name in _COPYING
    return isinstance(outer, ast.FormattedValue | ast.Compare)


def _leaves_alone(planning: Planning, node: ast.expr) -> bool:
    """Whether an expression that gives the frame is used in a way that does not change it."""
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return isinstance(node, ast.Name)
    parents = planning.flow.source.parents
    parent = parents.get(node)
    match parent:
        case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Expr():
            return True
        case ast.Subscript(ctx=ast.Load()) if parent.value is node:
            return _is_looked_at(planning, parent)
        case ast.Attribute(ctx=ast.Load()) if parent.attr in _READING:
            outer = parents.get(parent)
            return not (isinstance(outer, ast.Subscript) and not isinstance(outer.ctx, ast.Load))
        case ast.Call() | ast.keyword():
            call = parents.get(parent) if isinstance(parent, ast.keyword) else parent
            assert call is not None
            if isinstance(call, ast.Call) and call.func is node:
                return False
            if planning.flow.calls.get(call):
                return True  # a function of the program, whose parameter is looked at as well
            name = only(planning.flow.value(getattr(call, "func", None)))
            if isinstance(name, ModuleValue):
                return name.name in _LOOKING
            return any(
                site.symbol in ("Collection.construct_from_dataframe", "Collection.insert")
                for site in planning.flow.sites.get(call, [])
            )
    return False
