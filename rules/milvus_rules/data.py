"""Writing data: rows, columns and data frames; deletes; what mutation results become."""

from __future__ import annotations

import ast
import keyword as keywords
from collections.abc import Iterable

from migrate_milvus import shapes
from migrate_milvus.edits import (
    Argument,
    Block,
    CallTemplate,
    Comprehension,
    Edit,
    Line,
    ReplaceNode,
    Src,
    Statement,
    Template,
)
from migrate_milvus.flow import Content, Site
from migrate_milvus.interpreter import shape_of
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
from migrate_milvus.values import Abstract, Container, Opaque, Shape, Value
from milvus_rules.contents import at, length, surely_filled
from milvus_rules.fields import fields_there, is_switched_on, schema_of, text_of
from milvus_rules.owners import target
from milvus_rules.results import check_result
from milvus_rules.schemas import SchemaFacts
from milvus_rules.writing import (
    before_call,
    by_hand,
    can_be_true,
    client_call,
    in_a_thread,
    is_pure,
    keyword,
    known,
)

SHAPE = predicate("data-shape-known", "the data is known to be rows, or known to be columns")
ORDER = predicate(
    "field-order-known",
    "the fields are known, in order, or can be read from the server",
)
COUNT = predicate("column-count-matches", "there are as many columns as fields to fill")
NOT_EMPTY = predicate("columns-not-empty", "no optional field can be given as an empty column")
ARGUMENTS = predicate("insert-arguments-known", "every argument has a meaning for the client")
NOT_ASYNC = predicate("insert-not-async", "_async is not used")
HANDLER = predicate("data-handler", "no handler around waits for the ORM's data exceptions")
FRAME = predicate("dataframe-columns-known", "the data frame has the schema's columns")
DELETE_ARGUMENTS = predicate("delete-arguments-known", "the expression is an argument of its own")
DELETE_NOT_ASYNC = predicate("delete-not-async", "_async is not used")
PLACE = predicate("columns-placement", "there is a place for what has to stand before the call")

_WRITE = ("data", "partition_name", "timeout", "_async", "partial_update", "consistency_level")
# ORM parameter -> client keyword.
_DELETE = {
    "expr": "filter",
    "partition_name": "partition_name",
    "timeout": "timeout",
    "consistency_level": "consistency_level",
    "expr_params": "filter_params",
}
_THREAD = {name: name for name in _WRITE if name != "_async"}
_ROWS = (
    "# data must be rows; of columns, with the fields in the schema's order:\n"
    '# [dict(zip(("id", "vector"), row, strict=True)) for row in zip(*columns, strict=True)]'
)
_SEQUENCES = (Shape.LIST, Shape.ARRAY)


class Write(Rule):
    """``insert`` and ``upsert`` take rows; columns become rows.

    Rows (dicts) are passed on. Columns are zipped into rows, strictly, under the schema's field
    names, without an auto-id key and function outputs: a comprehension for columns that stand in
    the call, ``dict(zip(...))`` for one variable of columns. Where the program does not tell the
    fields, their names are read with ``describe_collection``, as the ORM read them. Where the
    project may run on Python below 3.10 the length check is written out. A data frame whose columns
    are known becomes ``df.to_dict("records")``. Partition name and timeout become keywords: by
    position the client takes the timeout first.

    Accepted difference: columns of unequal length raise ValueError instead of a pymilvus exception.

    Empty columns, which optional fields may be given, are left out there where one is possible;
    ``--unsafe`` writes the shorter form that raises ValueError for them.

    Refused when the shape of the data is not known; when an optional field of a known schema could
    be given as an empty column; when there is no place before the call for what has to be read;
    when ``_async`` is used; when a handler names ParamError or DataNotMatchException.

    Source: column and row requests compared field by field on pymilvus 2.3.8 to 3.0.2.
    """

    id = "MLV401"
    title = "insert and upsert take rows"
    symbols = ("Collection.insert", "Collection.upsert", "Partition.insert", "Partition.upsert")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        data = arguments.get("data")
        require(
            ARGUMENTS,
            lambda: (
                known(arguments, _allowed(site, _WRITE))
                if data is not None
                else unknown("the data is not an argument of its own", "Pass data=.")
            ),
        )
        if data is None:
            raise Refusal(ARGUMENTS, "the data is not an argument of its own")
        edits: list[Edit] = []
        template: Template
        shape = data_shape(planning, data)
        if shape != "rows":
            asynchronous = arguments.get("_async")
            require(
                NOT_ASYNC,
                lambda: (
                    PROVED
                    if asynchronous is None
                    or not can_be_true(frozenset(planning.flow.value(asynchronous)))
                    else refuted(
                        "_async=True asks for a future, which the client does not give",
                        in_a_thread(planning, site, site.symbol.rpartition(".")[2], _THREAD, _ROWS),
                    )
                ),
            )
        require(SHAPE, lambda: _shape_answer(site, planning, data, shape))
        if shape == "frame":
            require(FRAME, lambda: _frame_answer(site, planning, data))
            template = (Src(data), '.to_dict("records")')
        elif shape == "columns":
            template, edits = _Columns(site, planning, data).write()
        else:
            template = (Src(data),)
        check_result(site, planning)
        upsert = site.symbol.endswith("upsert")
        collection, partition = target(site, planning, several=False)
        call = client_call(
            planning,
            site,
            "upsert" if upsert else "insert",
            ("collection_name", collection),
            ("data", template),
            partition,
            *(
                keyword(arguments, name)
                for name in dict.fromkeys(arguments.order)
                if name not in ("data", "_async", "consistency_level")
            ),
        )
        return [*edits, ReplaceNode(site.node, (call,))]


def _allowed(site: Site, names: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments with a meaning; a partition's methods take no partition."""
    if site.symbol.startswith("Collection."):
        return names
    return tuple(name for name in names if name != "partition_name")


def data_shape(planning: Planning, node: ast.expr) -> str | None:
    """``"rows"``, ``"columns"``, ``"frame"`` or None: what the data of an insert is."""
    values = planning.flow.value(node)
    if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom) for part in ast.walk(node)):
        return None  # cannot move into a comprehension
    found = {_shape_of_value(planning, value) for value in values}
    if None in found:
        # What the values do not tell an annotation may.
        found = (found - {None}) | {_promised(*_annotation(planning, node))}
    return found.pop() if len(found) == 1 else None


def _annotation(planning: Planning, node: ast.expr) -> tuple[Shape, Shape]:
    """What the annotation of a parameter promises that is never assigned again."""
    slot = planning.flow.reads.get(node)
    writes = list(planning.flow.writes.get(slot, ())) if slot is not None else []
    if len(writes) == 1 and isinstance(writes[0], ast.arg):
        return shapes.of_annotation(writes[0].annotation)
    return Shape.ANY, Shape.ANY


def _promised(shape: Shape, element: Shape) -> str | None:
    """What a value of ``shape`` is as data, when that is all that is known."""
    if shape is Shape.FRAME:
        return "frame"
    if shape is Shape.DICT or (shape is Shape.LIST and element is Shape.DICT):
        return "rows"
    return "columns" if shape is Shape.LIST and element in _SEQUENCES else None


def _shape_of_value(planning: Planning, value: Value) -> str | None:
    if isinstance(value, Opaque):
        made = planning.flow.call_origins.get(value.origin)
        if made is not None and any(
            site.symbol.endswith(".query") for site in planning.flow.sites.get(made, [])
        ):
            return "rows"
        return _promised(value.shape, value.element)
    if not isinstance(value, Container):
        return None
    if value.kind == "dict":
        return "rows"
    content = planning.flow.contents.get(value.origin)
    if content is None:
        return None
    if content.exact and not content.changed:
        elements = [planning.flow.value(item) for item in content.items]
        elements += [planning.flow.value(item) for item in content.appended.values()]
    else:
        elements = [content.element] if content.element else []
    kinds = [_element_kind(planning, item) for item in elements]
    if not kinds:
        return None
    if any(kind == "dict" for kind in kinds):
        return "rows" if all(kind == "dict" for kind in kinds) else None
    # A list of dicts and lists is refused by both sides, so one column proves the others.
    return "columns" if any(kind == "column" for kind in kinds) else None


def _element_kind(planning: Planning, values: Abstract) -> str | None:
    kinds = set()
    for value in values:
        shape = shape_of(value)
        if shape is Shape.DICT:
            kinds.add("dict")
        elif shape in _SEQUENCES:
            kinds.add("column")
        else:
            kinds.add("unknown")
    return kinds.pop() if len(kinds) == 1 else None


def _shape_answer(site: Site, planning: Planning, data: ast.expr, shape: str | None) -> Answer:
    if shape is not None:
        return PROVED
    return unknown(
        "whether the data is a list of rows or of columns cannot be told from the code",
        "# for rows, which are dicts\n"
        + _call_by_hand(site, planning, (_short(planning, data),))
        + "\n# for columns\n"
        + _columns_by_hand(site, planning, data),
    )


def _columns_by_hand(site: Site, planning: Planning, data: ast.expr) -> str:
    """The call for columns, with the schema's field names where they are known."""
    wanted = _wanted(site, planning, schema_of(site, planning))
    source, number = f"*{_short(planning, data)}", 0
    if isinstance(data, ast.List) and not any(isinstance(i, ast.Starred) for i in data.elts):
        number = len(data.elts)
        columns = [planning.flow.source.segment(item) for item in data.elts]
        if all("\n" not in column and len(column) < 40 for column in columns):
            source = ", ".join(columns)
    names = ", ".join(map(_quoted, wanted)) if wanted is not None else ", ".join(["..."] * number)
    if wanted is not None and len(wanted) == 1:
        names += ","
    what = "" if wanted is not None else "  # the schema's fields in order, without an auto-id key"
    rows = f"[dict(zip(names, row, strict=True)) for row in zip({source}, strict=True)]"
    return f"names = ({names or '...'}){what}\n{_call_by_hand(site, planning, (rows,))}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _call_by_hand(site: Site, planning: Planning, data: Template) -> str:
    arguments = planning.arguments(site)
    rest = [
        keyword(arguments, name)
        for name in arguments.order
        if name in ("partition_name", "timeout")
    ]
    return by_hand(planning, site, site.symbol.rpartition(".")[2], ("data", data), *rest)


def _short(planning: Planning, node: ast.expr) -> str:
    """The source of an expression where it is short, else a word for it."""
    text = planning.flow.source.segment(node)
    return text if "\n" not in text and len(text) < 60 else "columns"


def _wanted(site: Site, planning: Planning, facts: SchemaFacts | None) -> list[str] | None:
    """The names of the fields that column data fills, in order; None when not all are known."""
    if facts is None:
        return None
    whole_auto_id = is_switched_on(planning, facts.auto_id)
    if whole_auto_id is None:
        return None
    names: list[str] = []
    for field in facts.fields:
        name = text_of(planning, field.get("name"))
        primary = is_switched_on(planning, field.get("is_primary"))
        auto_id = is_switched_on(planning, field.get("auto_id"))
        if name is None or primary is None or auto_id is None:
            return None
        if facts.primary is not None and text_of(planning, facts.primary) == name:
            primary = True
        key_is_made = primary and (auto_id or whole_auto_id)
        if key_is_made and not site.symbol.endswith("upsert"):
            continue
        if name not in facts.outputs:
            names.append(name)
    return names


class _Columns:
    """Turns columns into rows."""

    def __init__(self, site: Site, planning: Planning, data: ast.expr) -> None:
        self.site = site
        self.planning = planning
        self.data = data
        self.strict = (planning.settings.target_python or (3, 8)) >= (3, 10)

    def write(self) -> tuple[Template, list[Edit]]:
        """The template for ``data=`` and the edits around it."""
        site, planning = self.site, self.planning
        require(HANDLER, lambda: _handler(planning, site))
        facts = schema_of(site, planning)
        names = _wanted(site, planning, facts)
        columns = self.columns()
        if facts is None or names is None:
            return self.read(columns)
        require(COUNT, lambda: self.count(names, columns))
        require(NOT_EMPTY, lambda: self.not_empty(facts, names, columns))
        inline = isinstance(self.data, ast.List) and columns is not None
        commented = "#" in planning.flow.source.segment(self.data)
        if inline and columns is not None and len(columns) == 1 and self.one_is_plain(names):
            variable = _variable(names[0])
            return (
                Comprehension(
                    (f'{{"{names[0]}": {variable}}}',), (f"for {variable} in ", Src(columns[0]))
                ),
            ), []
        if inline and columns is not None:
            sources: tuple[Argument, ...] = (
                (Argument((Src(self.data),), "*"),)
                if commented
                else tuple(Argument((Src(column),)) for column in columns)
            )
            return self.literal(names, columns, sources)
        return self.variable(names)

    def one_is_plain(self, names: list[str]) -> bool:
        """A single column has no other to differ from in length."""
        return len(names) == 1

    def literal(
        self, names: list[str], columns: list[ast.expr], sources: tuple[Argument, ...]
    ) -> tuple[Template, list[Edit]]:
        """Columns that stand in the call: a comprehension with a variable per field."""
        variables: list[str] = []
        for name in names:
            variable = _variable(name)
            while variable in variables:
                variable += "_"
            variables.append(variable)
        row = ", ".join(f'"{n}": {v}' for n, v in zip(names, variables, strict=False))
        head = f"for {', '.join(variables)} in "
        if self.strict:
            zipped = CallTemplate(("zip",), (*sources, Argument(("True",), "strict")))
            return (Comprehension((f"{{{row}}}",), (head, zipped)),), []
        edits, held = self.checked((Src(self.data),))
        return (Comprehension((f"{{{row}}}",), (f"{head}zip(*{held})",)),), edits

    def read(self, columns: list[ast.expr] | None) -> tuple[Template, list[Edit]]:
        """Columns for fields that only the server knows: their names are read from it.

        The ORM read them there, too. An empty column, which is allowed for an optional field, is
        left out where there may be one.
        """
        site, planning, flow = self.site, self.planning, self.planning.flow
        there = fields_there(site, planning)
        require(
            ORDER,
            PROVED
            if there is not None
            else unknown(
                "the fields of the collection, and their order, are not known here",
                _columns_by_hand(site, planning, self.data),
            ),
        )
        assert there is not None
        fields = planning.helper_name("fields", site.scope)
        names = planning.helper_name("names", site.scope)
        made = 'field.get("is_function_output")'
        if not site.symbol.endswith("upsert"):
            made = f'(field.get("auto_id") or {made})'
        wanted = Comprehension(('field["name"]',), (f"for field in {fields}",), f"if not {made}")
        before = (Line((f"{fields} = ", *there)), Line((f"{names} = ", wanted)))
        planning.note(
            site,
            "fields-read",
            "the fields to fill are read from the server, as the ORM did: name them here where "
            "you know them",
        )
        sure = columns and all(surely_filled(flow, column) for column in columns)
        if not (sure or planning.settings.unsafe):
            return self.filled(names, before)
        if not self.strict:
            value = None if isinstance(self.data, ast.Name) else (Src(self.data),)
            edits, held = self.checked(value, f"len({names})", before)
            return (
                Comprehension((f"dict(zip({names}, row))",), (f"for row in zip(*{held})",)),
            ), edits
        inline = isinstance(self.data, ast.List) and columns is not None
        sources = (
            tuple(Argument((Src(column),)) for column in columns or ())
            if inline and "#" not in flow.source.segment(self.data)
            else (Argument((Src(self.data),), "*"),)
        )
        zipped = CallTemplate(("zip",), (*sources, Argument(("True",), "strict")))
        element = f"dict(zip({names}, row, strict=True))"
        return (Comprehension((element,), ("for row in ", zipped)),), self.placed(before)

    def filled(self, names: str, before: tuple[Statement, ...]) -> tuple[Template, list[Edit]]:
        """Columns of which some may be empty, for fields whose names a variable holds."""
        held = self.planning.helper_name("filled", self.site.scope)
        strict = ", strict=True" if self.strict else ""
        columns: Template = (Src(self.data),)
        if not self.strict and isinstance(self.data, ast.Name):
            columns = (self.planning.flow.source.segment(self.data),)
        elif not self.strict:
            variable = self.planning.helper_name("columns", self.site.scope)
            before = (*before, Line((f"{variable} = ", *columns)))
            columns = (variable,)
        given = Comprehension(
            ("name: column",),
            (f"for name, column in zip({names}, ", *columns, f"{strict})"),
            "if len(column)",
            brackets="{}",
        )
        before = (*before, Line((f"{held} = ", given)))
        if not self.strict:
            unequal = f"len({{len(column) for column in {held}.values()}}) > 1"
            raised = 'raise ValueError("not a column of equal length for each field")'
            test = f"if len({columns[0]}) != len({names}) or {unequal}:"
            before = (*before, Block((test,), (Line((raised,)),)))
        element = f"dict(zip({held}, row{strict}))"
        rows = Comprehension((element,), (f"for row in zip(*{held}.values(){strict})",))
        return (rows,), self.placed(before)

    def variable(self, names: list[str]) -> tuple[Template, list[Edit]]:
        """Columns in one variable: ``dict(zip(names, row))``."""
        listed = ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "")
        if self.strict:
            return (
                Comprehension(
                    (f"dict(zip(({listed}), row, strict=True))",),
                    ("for row in zip(*", Src(self.data), ", strict=True)"),
                ),
            ), []
        counted = length(self.planning.flow, self.content()) is not None
        number = None if counted else str(len(names))
        if is_pure(self.data) and isinstance(self.data, ast.Name):
            edits, held = self.checked(None, number)
        else:
            edits, held = self.checked((Src(self.data),), number)
        return (
            Comprehension((f"dict(zip(({listed}), row))",), (f"for row in zip(*{held})",)),
        ), edits

    def checked(
        self,
        value: Template | None,
        number: str | None = None,
        before: tuple[Statement, ...] = (),
    ) -> tuple[list[Edit], str]:
        """The length check for Python below 3.10, and the variable that holds the columns.

        ``number`` is how many columns there must be, where that is to be checked as well;
        ``before`` goes above.
        """
        planning, site = self.planning, self.site
        lines = list(before)
        if value is None:
            held = planning.flow.source.segment(self.data)
        else:
            held = planning.helper_name("columns", site.scope)
            lines.append(Line((f"{held} = ", *value)))
        unequal = f"len({{len(column) for column in {held}}}) > 1"
        test, what = unequal, '"columns of unequal length"'
        if number is not None:
            test = f"len({held}) != {number} or {unequal}"
            what = f'"not {number} columns of equal length"'
            if not number.isdigit():
                what = '"not a column of equal length for each field"'
        lines.append(Block((f"if {test}:",), (Line((f"raise ValueError({what})",)),)))
        return self.placed(tuple(lines)), held

    def placed(self, lines: tuple[Statement, ...]) -> list[Edit]:
        """The edits that write ``lines`` before the statement of the call."""
        edits = before_call(self.planning, self.site, lines)
        require(
            PLACE,
            PROVED
            if edits is not None
            else unknown(
                "the lines that this takes before the call have no place in this expression",
                "Insert in a statement of its own, or pass --target-python 3.10 where the length "
                "check is what has no place.",
            ),
        )
        return edits or []

    def columns(self) -> list[ast.expr] | None:
        """The columns, when they can be listed."""
        content = self.content()
        if content is None or length(self.planning.flow, content) is None:
            return None
        return [*content.items, *content.appended.values()]

    def content(self) -> Content | None:
        flow = self.planning.flow
        content = flow.content(flow.value(self.data))
        return None if content is None else at(flow, content, self.site)

    def count(self, names: list[str], columns: list[ast.expr] | None) -> Answer:
        """There are not surely fewer or more columns than fields; the rest is written out."""
        number = len(columns) if columns is not None else length(self.planning.flow, self.content())
        if number is None or number == len(names):
            return PROVED
        return refuted(
            f"there are {number} columns for {len(names)} fields to fill",
            f"The fields to fill are {', '.join(names)}.",
        )

    def not_empty(
        self, facts: SchemaFacts, names: list[str], columns: list[ast.expr] | None
    ) -> Answer:
        """No field with a default or null could be given as an empty column."""
        optional = {
            text_of(self.planning, field.get("name"))
            for field in facts.fields
            if "default_value" in field
            or is_switched_on(self.planning, field.get("nullable")) is not False
        }
        for index, name in enumerate(names):
            if name not in optional:
                continue
            column = columns[index] if columns is not None else None
            if column is None or not surely_filled(self.planning.flow, column):
                return unknown(
                    f"field '{name}' is optional, and its column may be empty or None; the ORM "
                    "then uses the default, rows cannot say that",
                    f"Leave '{name}' out of the rows where it has no value.",
                )
        return PROVED


def _variable(name: str) -> str:
    """A variable name for a field."""
    if not name.isidentifier():
        cleaned = "".join(c if c.isalnum() else "_" for c in name)
        name = cleaned if cleaned.isidentifier() else f"field_{cleaned}"
    return f"{name}_" if keywords.iskeyword(name) or name in ("zip", "dict") else name


def _handler(planning: Planning, site: Site) -> Answer:
    named = planning.handled_names(site.node) & {"ParamError", "DataNotMatchException"}
    if named:
        return refuted(
            f"a handler here names {sorted(named)[0]}, which column data in the ORM raises and "
            "rows do not",
            "Check the lengths of the columns before inserting.",
        )
    return PROVED


def _frame_answer(site: Site, planning: Planning, data: ast.expr) -> Answer:
    recipe = 'data=df.to_dict("records")  # the columns must be the schema\'s fields'
    names = _wanted(site, planning, schema_of(site, planning))
    if names is None:
        return unknown("the fields of the collection are not known here", recipe)
    made = [v for v in planning.flow.value(data) if isinstance(v, Opaque)]
    for node in planning.flow.values:
        if isinstance(node, ast.Call) and made and id(node) == made[0].origin:
            content = (
                planning.flow.content(planning.flow.value(node.args[0])) if node.args else None
            )
            if content is not None and isinstance(content.node, ast.Dict) and not content.changed:
                keys = [text_of(planning, key) for key in content.node.keys if key is not None]
                changed = _frame_changed(planning, data)
                if keys == names and not changed:
                    return PROVED
    return unknown("the columns of the data frame are not known here", recipe)


def _frame_changed(planning: Planning, data: ast.expr) -> bool:
    """Whether the frame's variable is subscripted for assignment anywhere."""
    if not isinstance(data, ast.Name):
        return False
    for node in planning.flow.module_of(data).source.parents:
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == data.id
        ):
            return True
    return False


class Delete(Rule):
    """``collection.delete(expr)`` becomes ``client.delete(collection_name=..., filter=expr)``.

    The expression must be a keyword: the client's second positional argument is a list of ids.

    The client answers with a list of keys where the server returns them, else with a dict:
    what is read of the result is written for both (MLV403). Refused when it is used otherwise.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV402"
    title = "delete names its filter"
    symbols = ("Collection.delete", "Partition.delete")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        arguments = planning.arguments(site)
        expression = arguments.get("expr")
        require(
            DELETE_ARGUMENTS,
            lambda: (
                known(arguments, _allowed(site, (*_DELETE, "_async")))
                if expression is not None
                else unknown("the expression is not an argument of its own", "Pass filter=.")
            ),
        )
        asynchronous = arguments.get("_async")
        require(
            DELETE_NOT_ASYNC,
            lambda: (
                PROVED
                if asynchronous is None
                or not can_be_true(frozenset(planning.flow.value(asynchronous)))
                else refuted(
                    "_async=True asks for a future, which the client does not give",
                    in_a_thread(planning, site, "delete", _DELETE),
                )
            ),
        )
        check_result(site, planning)
        if expression is None:
            raise Refusal(DELETE_ARGUMENTS, "the expression is not an argument of its own")
        collection, partition = target(site, planning, several=False)
        call = client_call(
            planning,
            site,
            "delete",
            ("collection_name", collection),
            *(
                keyword(arguments, name, _DELETE[name])
                for name in dict.fromkeys(arguments.order)
                if name != "_async"
            ),
            partition,
        )
        return [ReplaceNode(site.node, (call,))]
