"""What other modules of the project reach library objects through."""

from __future__ import annotations

from collections.abc import Callable

from migrate_milvus.flow import Flow, Slot
from migrate_milvus.program import ClassInfo, FunctionInfo
from migrate_milvus.project import ModuleGraph
from migrate_milvus.values import Abstract, Class, Container, Foreign, Function, Instance, Object


def exported(flow: Flow) -> dict[str, Foreign]:
    """The module's names through which its importers reach library objects."""
    exporter = _Exporter(flow)
    found: dict[str, Foreign] = {}
    for slot, values in flow.store.items():
        if slot.kind == "global":
            made = exporter.of_values(slot.name, values)
            if made is not None:
                found[slot.name] = made
    return found


class _Exporter:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.kinds = flow.library.result_kinds()
        self.classes: dict[ClassInfo, Foreign] = {}

    def of_values(self, name: str, values: Abstract) -> Foreign | None:
        """A name that holds ``values``; None when no object is reached through it."""
        kinds: set[str] = set()
        returns: set[str] = set()
        members: dict[str, Foreign] = {}
        makes: Foreign | None = None
        for value in values:
            match value:
                case Object(kind=kind) if self.flow.library.is_site(kind):
                    kinds.add(kind)
                case Function(info=info):
                    returns |= self.returned(info)
                    makes = makes or self.made(info)
                case Class(info=info):
                    instance = self.instance(info)
                    members |= instance.members
                    makes = instance
                case Instance(info=info):
                    members |= self.instance(info).members
                case Foreign():
                    kinds |= value.kinds
                    returns |= value.returns
                    members |= value.members
                    makes = makes or value.makes
        if makes is not None and not makes.members:
            makes = None
        if not (kinds or returns or members or makes):
            return None
        return Foreign(name, frozenset(kinds), frozenset(returns), members, makes)

    def returned(self, info: FunctionInfo) -> set[str]:
        """The kinds of objects that a function returns."""
        values = self.flow.store.get(Slot("return", info, ""), frozenset())
        kinds = {v.kind for v in values if isinstance(v, Object)}
        for value in values:
            if isinstance(value, Container) and value.origin in self.flow.contents:
                element = self.flow.contents[value.origin].element
                kinds |= {v.kind for v in element if isinstance(v, Object)}
        return {kind for kind in kinds if self.flow.library.is_site(kind)}

    def made(self, info: FunctionInfo) -> Foreign | None:
        """The instance that a function returns."""
        values = self.flow.store.get(Slot("return", info, ""), frozenset())
        for value in values:
            if isinstance(value, Instance):
                return self.instance(value.info)
            if isinstance(value, Foreign):
                return value
        return None

    def instance(self, info: ClassInfo) -> Foreign:
        """An object of a class of the module."""
        known = self.classes.get(info)
        if known is not None:
            return known
        made = self.classes[info] = Foreign(info.name)
        for slot, values in self.flow.store.items():
            if slot.kind == "attribute" and slot.owner is info.family:
                member = self.of_values(f"{info.name}.{slot.name}", values)
                if member is not None:
                    made.members[slot.name] = member
        for parent in info.ancestry():
            for name, method in parent.methods.items():
                returns = frozenset(self.returned(method))
                if not returns:
                    continue
                key = f"{info.name}.{name}"
                made.members[name] = (
                    Foreign(key, kinds=returns)
                    if method.is_property
                    else Foreign(key, returns=returns)
                )
        return made


def resolver(
    graph: ModuleGraph, exports: dict[str, dict[str, Foreign]], name: str
) -> Callable[[str], Foreign | None]:
    """A function that tells what an import path of the module ``name`` means in the project."""

    def resolve(dotted: str) -> Foreign | None:
        module, _, last = dotted.rpartition(".")
        for target in graph.modules(module, name):
            found = exports.get(target, {}).get(last)
            if found is not None:
                return found
        for target in graph.modules(dotted, name):
            if exports.get(target):
                return Foreign(dotted, members=exports[target])
        return None

    return resolve
