"""The edits that hand clients and names on: parameters, arguments, globals, annotations."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Hashable

from migrate_milvus import placement
from migrate_milvus.edits import (
    Argument,
    CallTemplate,
    Edit,
    InsertStatements,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Src,
    Template,
)
from migrate_milvus.flow import Slot
from migrate_milvus.planning import Planning
from migrate_milvus.program import FunctionInfo, Module


def name_edits(planning: Planning) -> list[Edit]:
    edits: list[Edit] = []
    handled = {edit.node for edit in planning.draft.edits if isinstance(edit, ReplaceNode)}
    receivers = {site.receiver for site in planning.sites if site.receiver is not None}
    passed_on = {
        edge.arguments.get(parameter.arg)
        for place in planning.places.values()
        if isinstance(place, placement.Place)
        for function, parameter in place.parameters.items()
        if parameter is not None
        for edge in planning.flow.callers(function)
    }
    for reader, expression in planning.inlined.items():
        if reader in receivers or reader in handled or reader in passed_on:
            continue
        edits.append(ReplaceNode(reader, (Src(expression),)))
    parents = planning.flow.source.parents
    for slot, name in planning.names.items():
        if name == slot.name:
            continue
        nodes: set[ast.AST] = {
            *planning.flow.readers(slot),
            *planning.flow.writes.get(slot, {}),
            *planning.flow.declarations.get(slot, ()),
        }
        for node in nodes:
            if node in handled or node in passed_on:
                continue
            match node:
                case ast.Name():
                    edits.append(ReplaceNode(node, (name,)))
                case ast.Attribute():
                    edits.append(ReplaceNode(node, (Src(node.value), f".{name}")))
                case ast.arg():
                    if isinstance(slot.owner, FunctionInfo):
                        if not _gets_client(planning, slot.owner, node):
                            edits.append(_rename_parameter(planning, slot.owner, node, name))
                        edits.extend(_rename_keywords(planning, slot, name))
    for place in planning.places.values():
        if isinstance(place, placement.Place) and place.parameters:
            edits.extend(_client_parameters(planning, place))
    assert parents is not None
    return edits


def client_edits(planning: Planning) -> list[Edit]:
    """``global client`` statements and the module's declaration."""
    edits: list[Edit] = []
    wanted: dict[FunctionInfo, list[str]] = defaultdict(list)
    for key, place in planning.places.items():
        if not isinstance(place, placement.Place):
            continue
        if place.mode == "pool" and key in planning.draft.opened:
            home = planning.home(key)
            edits.append(_declaration(planning, home, _dict_of_clients(planning, place, home)))
        if place.mode != "global":
            continue
        if key not in planning.draft.opened or key in planning.left:
            continue
        home = planning.home(key)
        rebinding = {f for rebound, f in planning.draft.rebound if rebound == key and f is not None}
        for function in sorted(place.connectors | rebinding, key=lambda f: f.node.lineno):
            wanted[function].append(place.name)
        if key in planning.registry:
            text = planning.unset_client(place.name, home, declared=True)
            edits.append(_declaration(planning, home, text))
        elif not _set_at_module(planning, key):
            cls = planning.reference(planning.rule_set.client_class, home)
            edits.append(_declaration(planning, home, f"{place.name}: {cls}"))
    for function, names in wanted.items():
        assert not isinstance(function.node, ast.Lambda)
        if any(isinstance(s, ast.Global) for s in function.node.body):
            continue
        body = function.node.body
        first = body[1] if _is_docstring(body[0]) and len(body) > 1 else body[0]
        edits.append(InsertStatements(first, (Line((f"global {', '.join(names)}",)),)))
    edits += _global_statements(planning, wanted)
    return edits


def _dict_of_clients(planning: Planning, place: placement.Place, home: Module) -> str:
    """The declaration of the dict that holds a client for each alias."""
    cls = planning.reference(planning.rule_set.client_class, home)
    if (planning.settings.target_python or (3, 8)) >= (3, 9):
        return f"{place.name}: dict[str, {cls}] = {{}}"
    return f"{place.name} = {{}}  # type: dict[str, {cls}]"


def _rename_parameter(
    planning: Planning, function: FunctionInfo, node: ast.arg, name: str
) -> ReplaceNode:
    prefix = ""
    for place in planning.places.values():
        if isinstance(place, placement.Place) and place.parameters.get(function) is node:
            kind = ""
            if node.annotation:
                kind = f": {planning.reference(planning.rule_set.client_class, function.module)}"
            prefix = f"{place.name}{kind}, "
    if node.annotation is None:
        return ReplaceNode(node, (prefix + name,))
    return ReplaceNode(node, (f"{prefix}{name}: ", Src(node.annotation)))


def _client_parameters(planning: Planning, place: placement.Place) -> list[Edit]:
    """Parameters whose name does not change, and the calls that pass the client."""
    edits: list[Edit] = []
    for function, parameter in place.parameters.items():
        if parameter is None:
            edits.append(_first_parameter(planning, function, place.name))
            edits += [
                _pass_client(planning, function, edge.node, None, place)
                for edge in planning.flow.callers(function)
                if edge.node is not None
            ]
            continue
        slot = Slot("local", function, parameter.arg)
        renamed = planning.names.get(slot, slot.name)
        edits.append(_rename_parameter(planning, function, parameter, renamed))
        for edge in planning.flow.callers(function):
            assert edge.node is not None
            argument = edge.arguments[parameter.arg]
            edits.append(_pass_client(planning, function, edge.node, argument, place))
    return edits


def _first_parameter(planning: Planning, function: FunctionInfo, name: str) -> Edit:
    """The client as a new first parameter."""
    client = name
    if any(parameter.annotation is not None for parameter in function.parameters):
        client += f": {planning.reference(planning.rule_set.client_class, function.module)}"
    if not function.parameters:
        return ReplaceNode(function.node.args, (client,))
    first = function.parameters[0]
    own = _renamed(planning, function, first.arg)
    if first.annotation is None:
        return ReplaceNode(first, (f"{client}, {own}",))
    return ReplaceNode(first, (f"{client}, {own}: ", Src(first.annotation)))


def _renamed(planning: Planning, function: FunctionInfo, parameter: str) -> str:
    """The name that a parameter gets, or keeps."""
    return planning.names.get(Slot("local", function, parameter), parameter)


def _pass_client(
    planning: Planning,
    function: FunctionInfo,
    call: ast.Call,
    argument: ast.expr | None,
    place: placement.Place,
) -> Edit:
    """A call that passes the client before the argument that holds the name, or first of all."""
    arguments: list[Argument] = [Argument((place.name,))] if argument is None else []
    for given in call.args:
        if given is argument:
            arguments.append(Argument((place.name,)))
            arguments.append(Argument(_passed(planning, given)))
        elif isinstance(given, ast.Starred):
            arguments.append(Argument((Src(given.value),), "*"))
        else:
            arguments.append(Argument((Src(given),)))
    for keyword in call.keywords:
        name = "**" if keyword.arg is None else _renamed(planning, function, keyword.arg)
        if argument is not None and keyword.value is argument:
            arguments.append(Argument((place.name,), place.name))
            arguments.append(Argument(_passed(planning, argument), name))
        else:
            arguments.append(Argument((Src(keyword.value),), name))
    return ReplaceNode(call, (CallTemplate((Src(call.func),), tuple(arguments)),))


def _gets_client(planning: Planning, function: FunctionInfo, parameter: ast.arg) -> bool:
    """Whether the client is written before this parameter."""
    for place in planning.places.values():
        if isinstance(place, placement.Place) and function in place.parameters:
            if parameter is (place.parameters[function] or function.parameters[0]):
                return True
    return False


def _passed(planning: Planning, argument: ast.expr) -> Template:
    if argument in planning.inlined:
        return (Src(planning.inlined[argument]),)
    slot = planning.flow.reads.get(argument)
    if slot is not None and slot in planning.names and isinstance(argument, ast.Name):
        return (planning.names[slot],)
    return (Src(argument),)


def _rename_keywords(planning: Planning, slot: Slot, name: str) -> list[Edit]:
    edits: list[Edit] = []
    assert isinstance(slot.owner, FunctionInfo)
    for place in planning.places.values():
        if isinstance(place, placement.Place) and slot.owner in place.parameters:
            return []  # the calls are written anew
    for edge in planning.flow.callers(slot.owner):
        if edge.node is None:
            continue
        for keyword in edge.node.keywords:
            if keyword.arg == slot.name:
                edits.append(ReplaceNode(keyword, (f"{name}=", Src(keyword.value))))
    return edits


def _global_statements(planning: Planning, wanted: dict[FunctionInfo, list[str]]) -> list[Edit]:
    """The user's ``global`` statements with renamed variables, and the client added."""
    edits: list[Edit] = []
    renamed = {slot: name for slot, name in planning.names.items() if slot.kind == "global"}
    extended: set[FunctionInfo | None] = set()
    for statement in planning.flow.source.parents:
        if not isinstance(statement, ast.Nonlocal | ast.Global):
            continue
        function, scope = planning.flow.scope_of.get(statement), planning.flow.scope(statement)
        if isinstance(statement, ast.Nonlocal):
            own = [
                planning.names.get(planning.flow.slot_of_name(name, scope), name)
                for name in statement.names
            ]
            if own != statement.names:
                edits.append(ReplaceStatement(statement, (Line((f"nonlocal {', '.join(own)}",)),)))
            continue
        names = [
            renamed.get(planning.flow.slot_of_name(name, scope), name) for name in statement.names
        ]
        if function in wanted and function not in extended:
            assert function is not None and not isinstance(function.node, ast.Lambda)
            if statement in function.node.body:
                extended.add(function)
                names = [*wanted[function], *names]
        if names != statement.names:
            edits.append(ReplaceStatement(statement, (Line((f"global {', '.join(names)}",)),)))
    return edits


def _set_at_module(planning: Planning, key: Hashable) -> bool:
    return any(
        planning.rule_set.connections.is_connect(site.symbol)
        and planning.keys[id(site)] == key
        and site.function is None
        for site in planning.sites
    )


def _declaration(planning: Planning, module: Module, text: str) -> Edit:
    """Declare a module variable before the first function or class."""
    body = module.tree.body
    previous: ast.stmt | None = None
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            break
        if isinstance(statement, ast.If | ast.With | ast.For | ast.While) and previous:
            break
        if any(
            planning.rule_set.connections.is_connect(site.symbol)
            for node in ast.walk(statement)
            for site in planning.flow.sites.get(node, [])
        ):
            break  # what is declared after it would be unset again
        previous = statement
    imported = _import_of_library(planning, module)
    if imported is not None:
        in_cells = module.source.program is not None
        if in_cells or previous is None or previous.lineno < imported.lineno:
            previous = imported  # the annotation names what is imported there
    line = Line((text,))
    if previous is None:
        return InsertStatements(body[0], (line,))
    return InsertStatements(previous, (Line(("",)), line), after=True)


def _import_of_library(planning: Planning, module: Module) -> ast.stmt | None:
    """The last of the imports among which the module first imports the library."""
    found: ast.stmt | None = None
    for statement in module.tree.body:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            if found is not None:
                break
            continue
        names = [alias.name for alias in statement.names]
        if isinstance(statement, ast.ImportFrom):
            names = [] if statement.level else [statement.module or ""]
        if found is not None or any(planning.flow.library.is_package(name) for name in names):
            found = statement
    return found


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
