"""Which units have to stay: their objects leave what is in sight, or are mixed with others."""

from __future__ import annotations

import ast
from collections import defaultdict

from migrate_milvus.flow import Slot
from migrate_milvus.planning import (
    CALLERS,
    MEMBER,
    OBJECT_IN_SIGHT,
    ONE_KIND,
    RECEIVER,
    Planning,
)
from migrate_milvus.program import ClassInfo, FunctionInfo, Module
from migrate_milvus.registry import (
    Answer,
    Refusal,
    refuted,
    require,
    unknown,
)
from migrate_milvus.units import Unit, strangers
from migrate_milvus.values import (
    Abstract,
    Object,
    Opaque,
)

# How pytest looks up a fixture by a computed name.
_LOOKED_UP = "getfixturevalue"


def check_units(planning: Planning) -> None:
    kinds = planning.rule_set.unit_kinds
    for (item, node), escape in planning.flow.escapes.items():
        unit = planning.units.of_object.get(item)
        if unit is None:
            continue
        if item.kind not in kinds:
            continue  # results: their rule looks at what becomes of them
        if item.origin is node and planning.is_shown(node):
            continue  # a cell that ends by making it: nothing has to show it
        if escape.how in ("passed to getattr()", "passed to hasattr()"):
            _try(
                planning,
                unit,
                node,
                MEMBER,
                unknown(
                    f"an attribute of the {item.kind} is read by a computed name",
                    "Name the attribute, and call the client's method for it.",
                ),
                "MLV010",
            )
            continue
        _try(planning, unit, node, OBJECT_IN_SIGHT, _escape_answer(planning, item, escape.how))
    for node, symbol in planning.flow.patched.items():
        patching = planning.flow.module_of(node)
        for unit in planning.units.all():
            if not any(planning.crossing.sees(site.module, patching) for site in unit.sites):
                continue
            _try(
                planning,
                unit,
                node,
                OBJECT_IN_SIGHT,
                refuted(
                    f"{symbol} is replaced here, so what it does is out of sight",
                    "Put the change into a function of your own, and call that.",
                ),
                "MLV010",
            )
    for unit in planning.units.all():
        for item in unit.objects:
            if isinstance(item.origin, ast.arg):
                _handed_in(planning, unit, item)
            elif isinstance(item.origin, tuple) and item.origin[0] == "tested":
                _tested(planning, unit, item)
        for slot in planning.in_order(unit.slots):
            _check_slot(planning, unit, slot)
    for site in planning.sites:
        unit_of_site = planning.unit(site)
        if site.ambiguous and unit_of_site is not None:
            _try(
                planning,
                unit_of_site,
                site.node,
                ONE_KIND,
                unknown(f"this may be {site.symbol} or something else, depending on the path"),
            )
    _check_kinds(planning)


def _check_kinds(planning: Planning) -> None:
    """Every expression of a unit holds its objects (or None) only; else report the uses."""
    mixed: dict[int, list[ast.expr]] = defaultdict(list)
    units: dict[int, Unit] = {}
    for node, values in planning.flow.values.items():
        unit = planning.units.of_values(values) if isinstance(node, ast.expr) else None
        if unit is None or not isinstance(node, ast.expr) or id(unit) in planning.blocked_units:
            continue
        if not any(item.kind in planning.rule_set.unit_kinds for item in unit.objects):
            continue  # results that another file gives
        if strangers(values, unit):
            mixed[id(unit)].append(node)
            units[id(unit)] = unit
    parents = planning.flow.source.parents
    for key, nodes in mixed.items():
        loaded = [n for n in nodes if not isinstance(getattr(n, "ctx", None), ast.Store)]
        used = [
            n
            for n in loaded
            if isinstance(parent := parents.get(n), ast.Attribute) and parent.value is n
        ]
        for node in used or loaded[:1] or nodes[:1]:
            _check_kind(planning, units[key], node, planning.flow.value(node))


def _try(
    planning: Planning, unit: Unit, node: ast.AST, reason: str, answer: Answer, rule: str = "MLV290"
) -> None:
    try:
        require(reason, answer, node=node)
    except Refusal as refusal:
        refusal.rule = rule
        planning.block_unit(unit, refusal, node)


def _escape_answer(planning: Planning, item: Object, how: str) -> Answer:
    return refuted(
        f"{item.kind} is {how}, which is out of sight",
        f"Hand over the client and the {item.kind.lower()}'s name instead, and call the "
        "client's methods there. Then run again: the other sites follow.",
    )


def _handed_in(planning: Planning, unit: Unit, item: Object) -> None:
    assert isinstance(item.origin, ast.arg)
    _try(
        planning,
        unit,
        item.origin,
        CALLERS,
        unknown(
            f"parameter '{item.origin.arg}' is a {item.kind} that callers out of sight pass",
            "Take the client and the collection's name as parameters instead.",
        ),
    )


def _tested(planning: Planning, unit: Unit, item: Object) -> None:
    assert isinstance(item.origin, tuple)
    _try(
        planning,
        unit,
        item.origin[1],
        RECEIVER,
        unknown(
            f"this test tells of a {item.kind} that comes from out of sight",
            "Give this code the client and the collection's name instead.",
        ),
        "MLV291",
    )


def _check_kind(planning: Planning, unit: Unit, node: ast.expr, values: Abstract) -> None:
    other = strangers(values, unit)
    if other:
        _try(
            planning,
            unit,
            node,
            ONE_KIND,
            unknown(
                f"'{planning.text(node)}' is a {_kinds(planning, values)} on one path and "
                "something else on another",
                "Give the two their own names.",
            ),
        )


def _kinds(planning: Planning, values: Abstract) -> str:
    return " or ".join(sorted({v.kind for v in values if isinstance(v, Object)}))


def _check_slot(planning: Planning, unit: Unit, slot: Slot) -> None:
    where = _node_of_slot(planning, slot)
    if where is None:
        return
    function = slot.owner if isinstance(slot.owner, FunctionInfo) else None
    holds = any(
        isinstance(v, Object) and v.kind in planning.rule_set.unit_kinds
        for v in planning.flow.store.get(slot, frozenset())
    )
    if not holds:
        return
    for reader in planning.flow.readers(slot):
        used = planning.flow.source.parents.get(reader)
        blind = all(
            isinstance(v, Opaque)
            and isinstance(v.origin, tuple)
            and v.origin[0] in ("unknown", "unset")
            for v in planning.flow.value(reader)
        )
        if blind and isinstance(used, ast.Attribute) and used.value is reader:
            _try(
                planning,
                unit,
                reader,
                ONE_KIND,
                unknown(
                    f"what '{planning.text(reader)}' holds here is not known",
                    "Assign it before it is used, in the same function if possible.",
                ),
            )
    crossing = planning.crossing
    if isinstance(slot.owner, Module):
        _replaced(planning, unit, where, slot.owner, slot.name)
    elif function is not None and function.owner is None and function.parent is None:
        _replaced(planning, unit, where, function.module, function.name)
    if slot.kind == "global" and (users := crossing.unclear(slot)):
        _reached(planning, unit, where, f"'{slot.name}'", users)
    if slot.kind == "attribute" and isinstance(slot.owner, ClassInfo):
        if users := crossing.blind_readers(slot.name, slot.owner.module):
            _reached(planning, unit, where, f"attribute '{slot.name}'", users)
    if function is not None and slot.kind in ("local", "return", "yield"):
        is_parameter = slot.kind == "local" and slot.name in function.names_of_parameters()
        if slot.kind == "local" and not is_parameter:
            return
        what = "takes" if is_parameter else "gives"
        if users := crossing.blind_users(function):
            _reached(planning, unit, where, f"{function.name}(), which {what} it,", users)
        if function in planning.flow.escaped_functions:
            _try(
                planning,
                unit,
                where,
                CALLERS,
                unknown(
                    f"{function.name}() {what} it and is used as a value on "
                    f"{planning.line_of(planning.flow.escaped_functions[function])}: "
                    "its callers are out of sight",
                    "Let it take and return the collection's name.",
                ),
            )
        elif "fixture" in function.decorators and _LOOKED_UP in planning.flow.program.attributes:
            _try(
                planning,
                unit,
                where,
                CALLERS,
                unknown(
                    f"the fixture {function.name}() gives it, and fixtures are looked up by name",
                    "Name the fixtures as parameters, and run again.",
                ),
            )
        elif function.opaque_decorators:
            _try(
                planning,
                unit,
                where,
                CALLERS,
                unknown(
                    f"{function.name}() {what} it and is decorated with "
                    f"@{function.opaque_decorators[0]}: its callers are out of sight",
                    "Let it take and return the collection's name.",
                ),
            )


def _replaced(planning: Planning, unit: Unit, where: ast.AST, module: Module, name: str) -> None:
    """Tests that put something else for a name rely on what it holds, or gives."""
    user = planning.context.replaced(module.name).get(name)
    if user is not None:
        _try(
            planning,
            unit,
            where,
            CALLERS,
            unknown(
                f"{user} replaces {name!r} of this module by something that acts like the object",
                "Let the test replace the client instead, then run again.",
            ),
        )


def _reached(
    planning: Planning, unit: Unit, where: ast.AST, what: str, users: tuple[str, ...]
) -> None:
    files = ", ".join([*users[:3], *(["..."] if len(users) > 3 else [])])
    _try(
        planning,
        unit,
        where,
        CALLERS,
        unknown(
            f"{what} may be used from another file ({files}), on an object that is not known there",
            "It would hold the collection's name; change both files together.",
        ),
    )


def _node_of_slot(planning: Planning, slot: Slot) -> ast.AST | None:
    if slot.kind in ("return", "yield") and isinstance(slot.owner, FunctionInfo):
        return slot.owner.node
    writes = planning.flow.writes.get(slot, {})
    # ``collection = None`` first is not where the object comes in.
    holding = (t for t, write in writes.items() if planning.has_objects(write.values))
    return next(holding, next(iter(writes), None))
