"""What takes the place of the variables, attributes and parameters that held objects."""

from __future__ import annotations

import ast

from migrate_milvus.flow import UNBOUND, Slot
from migrate_milvus.planning import Planning, is_none, tree_of
from migrate_milvus.program import FunctionInfo, Module
from migrate_milvus.values import (
    Class,
    Object,
)


def decide_names(planning: Planning) -> None:
    """Decide for each variable of an active unit: replaced by an expression, or a name."""
    planning.names, planning.gone, planning.inlined = {}, {}, {}
    for unit in planning.units.all():
        if id(unit) in planning.blocked_units:
            continue
        for slot in planning.in_order(unit.slots):
            if slot.kind in ("return", "yield") or not _holds_named(planning, slot):
                continue
            _decide_slot(planning, slot)


def _holds_named(planning: Planning, slot: Slot) -> bool:
    values = planning.flow.store.get(slot, frozenset())
    return any(isinstance(v, Object) and v.kind in planning.rule_set.named_kinds for v in values)


def _decide_slot(planning: Planning, slot: Slot) -> None:
    writes = {
        target: write
        for target, write in planning.flow.writes.get(slot, {}).items()
        if planning.has_objects(write.values) or slot.kind == "attribute"
    }
    readers = [
        reader
        for reader in planning.flow.readers(slot)
        if planning.has_objects(planning.flow.value(reader)) or slot.kind == "attribute"
    ]
    replaced: dict[ast.expr, ast.expr] = {}
    imported = planning.crossing.is_imported(slot) or _is_named_in_frozen(planning, slot)
    by_name = slot.kind == "attribute" and slot.name in planning.named_attributes
    direct = (
        bool(writes)
        and not imported
        and not by_name
        and all(
            isinstance(write.value, ast.Call)
            and any(
                isinstance(v, Object)
                and v.origin is write.value
                and v.kind in planning.rule_set.named_kinds
                for v in planning.flow.value(write.value)
            )
            for write in writes.values()
        )
    )
    if direct and (slot.kind != "attribute"):
        for reader in readers:
            expression = _inline(planning, reader)
            if expression is None:
                direct = False
                break
            replaced[reader] = expression
    elif direct:
        for reader in readers:
            expression = _inline(planning, reader)
            if expression is None or not isinstance(expression, ast.Attribute):
                direct = False
                break
            replaced[reader] = expression
    if direct and not (slot.kind == "attribute" and not readers):
        planning.gone[slot] = True
        planning.inlined.update(replaced)
        return
    planning.names[slot] = slot.name if imported else _new_name(planning, slot)


def _is_named_in_frozen(planning: Planning, slot: Slot) -> bool:
    """Whether a file that must not change names a variable, an attribute or a parameter."""
    frozen = planning.context.frozen
    if not frozen:
        return False
    nodes: list[ast.AST] = [*planning.flow.readers(slot), *planning.flow.writes.get(slot, ())]
    if isinstance(slot.owner, FunctionInfo):
        edges = planning.flow.callers(slot.owner)
        nodes += [edge.node for edge in edges if edge.node is not None]
    return any(planning.flow.module_of(node).name in frozen for node in nodes)


def _inline(planning: Planning, reader: ast.expr) -> ast.expr | None:
    """The expression that names what ``reader`` holds, when it may stand there."""
    if isinstance(getattr(reader, "ctx", None), ast.Del):
        return None
    state = planning.flow.states.get(reader)
    values = planning.flow.value(reader)
    if state is None or not values:
        return None
    scope = planning.flow.scope(reader)
    chosen: ast.expr | None = None
    for item in sorted(values, key=_line_of):
        if not isinstance(item, Object) or not isinstance(item.origin, ast.Call):
            return None
        expression = planning.name_expression(item)
        made = planning.maker(item)
        if expression is None or made is None:
            return None
        if chosen is not None and planning.text(chosen) != planning.text(expression):
            return None
        if not planning.holds_still(expression, made, reader, state, scope):
            return None
        if not isinstance(expression, ast.Constant) and _may_be_kept(planning, reader, item):
            return None
        chosen = expression
    if isinstance(chosen, ast.Constant) and isinstance(
        planning.flow.source.parents.get(reader), ast.Compare
    ):
        return None  # a literal is never compared
    return chosen


def _may_be_kept(planning: Planning, reader: ast.expr, item: Object) -> bool:
    """Whether a variable may hold what an earlier turn of a loop made.

    So where this turn may have left it alone: in a branch that was skipped, or when it raised.
    """
    if not isinstance(reader, ast.Name) or not isinstance(item.origin, ast.AST):
        return False
    binding = planning.flow.states[reader].names.get(reader.id)
    return binding is not None and UNBOUND in binding.definitions and planning.in_loop(item.origin)


def _new_name(planning: Planning, slot: Slot) -> str:
    """The name for a variable that now holds a collection's name."""
    old = slot.name
    if old.lower().endswith("name"):
        return old
    values = planning.flow.store.get(slot, frozenset())
    if any(
        not any(isinstance(v, Object) for v in write.values) and not is_none(write.value)
        for write in planning.flow.writes.get(slot, {}).values()
    ):
        return old  # the variable holds other things too
    kind = next(
        (v.kind.lower() for v in values if isinstance(v, Object) and v.kind != "MutationResult"),
        "collection",
    )
    if slot.kind == "attribute":
        wanted = f"{old}_name"
        if wanted in planning.flow.program.attributes or _named_elsewhere(planning, slot):
            return old
        return wanted
    is_parameter = isinstance(slot.owner, FunctionInfo) and old in (
        slot.owner.names_of_parameters()
    )
    made_here = all(
        planning.is_constructor(write.value)
        or isinstance(write.target, ast.arg)
        or is_none(write.value)
        or _is_unpacked(planning, write.target)
        for write in planning.flow.writes.get(slot, {}).values()
    )
    if not is_parameter and not made_here:
        return old
    if is_parameter and isinstance(slot.owner, FunctionInfo) and slot.owner.takes_fixtures:
        return old  # it names the fixture
    if is_parameter and isinstance(slot.owner, FunctionInfo) and planning.shares_calls(slot.owner):
        return old  # other functions take the same keyword
    scope = slot.owner
    assert isinstance(scope, FunctionInfo | Module)
    names = (scope.locals | scope.globals) if isinstance(scope, FunctionInfo) else scope.identifiers
    taken = names | planning.draft.taken[scope]
    # A name used anywhere in the function would be shadowed.
    used = {n.id for n in ast.walk(tree_of(scope)) if isinstance(n, ast.Name)}
    wanted = f"{kind}_name"
    if wanted in taken or wanted in used:
        wanted = f"{old}_name"
        if wanted in taken or wanted in used:
            return old
    planning.draft.taken[scope].add(wanted)
    return wanted


def _is_unpacked(planning: Planning, target: ast.AST) -> bool:
    """``collection, _ = Collection.construct(...)``: the object comes with others."""
    parents = planning.flow.source.parents
    around = parents.get(target)
    statement = parents.get(around) if isinstance(around, ast.Tuple) else None
    return isinstance(statement, ast.Assign) and any(
        planning.rule_set.name_parameter(site.symbol) is not None
        for site in planning.flow.sites.get(statement.value, [])
    )


def _named_elsewhere(planning: Planning, slot: Slot) -> bool:
    """Whether the attribute is known by name: in a string, or as a field of its class."""
    for node in planning.flow.source.parents:
        match node:
            case ast.Constant(value=str() as text) if text == slot.name:
                return True
            case ast.keyword(arg=name) if name == slot.name:
                call = planning.flow.source.parents[node]
                if isinstance(call, ast.Call) and any(
                    isinstance(v, Class) for v in planning.flow.value(call.func)
                ):
                    return True
            case ast.AnnAssign(target=ast.Name(id=name)) if name == slot.name:
                owner = planning.flow.source.parents[node]
                if isinstance(owner, ast.ClassDef) and (owner.decorator_list or owner.bases):
                    return True
    return False


def _line_of(value: object) -> int:
    return getattr(getattr(value, "origin", None), "lineno", 0)
