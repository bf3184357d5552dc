"""Units: library objects that flow through the same places, and therefore change together."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass, field

from migrate_milvus.flow import Flow, Site, Slot
from migrate_milvus.values import NONE, Abstract, Object, Opaque


@dataclass(eq=False)
class Unit:
    """Objects that share a variable, attribute, parameter or expression, with all their sites."""

    objects: set[Object] = field(default_factory=set)
    sites: list[Site] = field(default_factory=list)
    slots: set[Slot] = field(default_factory=set)


@dataclass
class Units:
    """All units of a module."""

    of_object: dict[Object, Unit] = field(default_factory=dict)
    of_slot: dict[Slot, Unit] = field(default_factory=dict)
    of_origin: dict[Hashable, Unit] = field(default_factory=dict)

    def of_site(self, site: Site) -> Unit | None:
        """The unit that a site belongs to; None for sites that concern no object."""
        for item in site.objects:
            if item in self.of_object:
                return self.of_object[item]
        return self.of_origin.get(site.node)

    def of_values(self, values: Abstract) -> Unit | None:
        """The unit of the objects among ``values``."""
        for value in values:
            if isinstance(value, Object) and value in self.of_object:
                return self.of_object[value]
        return None

    def all(self) -> list[Unit]:
        """The units, each once."""
        return list({id(unit): unit for unit in self.of_object.values()}.values())


def find_units(flow: Flow, kinds: frozenset[str]) -> Units:
    """Group the objects of ``kinds`` (and the results they give) into units."""
    parent: dict[Object, Object] = {}

    def root(item: Object) -> Object:
        parent.setdefault(item, item)
        while parent[item] is not item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def together(values: Abstract) -> None:
        found = [v for v in values if isinstance(v, Object) and _follows(v, flow, kinds)]
        for item in found:
            parent[root(item)] = root(found[0])

    for values in (*flow.values.values(), *flow.store.values()):
        together(values)
    for sites in flow.sites.values():
        for site in sites:
            together(frozenset(site.objects))
            # A result, and an object made from another object, goes with what it came from.
            made = flow.value(site.node)
            if site.objects and site.form in ("call", "attribute"):
                own = frozenset(v for v in made if isinstance(v, Object) and v.origin is site.node)
                together(frozenset(site.objects) | own)
            elif isinstance(site.node, ast.Call):
                passed: Abstract = frozenset()
                for argument in (*site.node.args, *(k.value for k in site.node.keywords)):
                    passed |= flow.value(argument)
                own = frozenset(v for v in made if isinstance(v, Object) and v.origin is site.node)
                held = frozenset(v for v in passed if isinstance(v, Object) and v.kind in kinds)
                if own and held:
                    together(own | held)
    by_origin: dict[Hashable, Object] = {}
    for item in list(parent):  # what one call gave goes together
        parent[root(item)] = root(by_origin.setdefault(item.origin, item))
    for node, sites in flow.sites.items():
        for site in sites:  # the items of a list go with the object that gave it
            if node in by_origin and site.form in ("call", "attribute"):
                for held_by in site.objects:
                    if held_by in parent:
                        parent[root(by_origin[node])] = root(held_by)
    units = Units()
    by_root: dict[Object, Unit] = {}
    for item in list(parent):
        unit = by_root.setdefault(root(item), Unit())
        unit.objects.add(item)
        units.of_object[item] = unit
        units.of_origin[item.origin] = unit
    for site in flow.every_site():
        found_unit = units.of_site(site)
        if found_unit is not None:
            found_unit.sites.append(site)
    for slot, values in flow.store.items():
        held_unit = units.of_values(values)
        if held_unit is not None and slot.kind in (
            "global",
            "local",
            "attribute",
            "return",
            "yield",
        ):
            held_unit.slots.add(slot)
            units.of_slot[slot] = held_unit
    for node, slot in flow.reads.items():
        held_unit = units.of_values(flow.value(node))
        if held_unit is not None and slot not in units.of_slot:
            held_unit.slots.add(slot)
            units.of_slot[slot] = held_unit
    return units


def _follows(item: Object, flow: Flow, kinds: frozenset[str]) -> bool:
    return item.kind in kinds or item.kind in flow.library.result_kinds()


def strangers(values: Abstract, unit: Unit) -> Abstract:
    """What an expression of the unit may hold besides the unit's objects and None."""
    return frozenset(
        v
        for v in values
        if v not in unit.objects
        and v != NONE
        and not (isinstance(v, Opaque) and isinstance(v.origin, tuple) and v.origin[0] == "unset")
    )
