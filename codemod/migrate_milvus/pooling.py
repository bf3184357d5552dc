"""One dict of clients by alias, where which alias is meant is known only when the program runs.

A module that opens connections under aliases that it passes around (a parameter, an attribute made
of a uuid) gets ``clients: dict[str, MilvusClient] = {}``, which is what the library's registry was:
``clients[alias]`` is the client that ``connect(alias, ...)`` made.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_milvus.flow import Flow, Site, Slot
from migrate_milvus.program import FunctionInfo, Module
from migrate_milvus.runners import LaterCall
from migrate_milvus.values import NONE, Const, Object, only

if TYPE_CHECKING:
    from migrate_milvus.planning import Planning

NAME = "clients"
# What makes a text that no other part of the program has.
_FRESH = frozenset({"hex", "uuid1", "uuid4", "token_hex", "token_urlsafe"})


@dataclass(frozen=True)
class Pooled:
    """The key of all connections that ``module`` holds in its dict."""

    module: Module


class Pool:
    """The connections of one module, and how the alias of each site is written."""

    def __init__(self, planning: Planning, connects: Iterable[Site], home: Module) -> None:
        self.planning = planning
        self.flow: Flow = planning.flow
        self.connections = planning.rule_set.connections
        self.key = Pooled(home)
        self.constants: set[object] = set()
        self.slots: set[Slot] = set()
        for site in connects:
            known, expression = self.connections.alias(site, self.flow)
            values = self.flow.value(expression)
            self.constants |= {v.value for v in values if isinstance(v, Const)}
            if known and expression is None:
                self.constants.add(self.connections.default_alias)
            slot = self.flow.reads.get(expression) if expression is not None else None
            if slot is not None and slot.kind == "attribute" and self._is_made_here(slot):
                self.slots.add(slot)

    @classmethod
    def needed(cls, planning: Planning, keys: Mapping[int, Hashable | None]) -> Pool | None:
        """The pool of the one module that connects, where keys of its own do not do."""
        from migrate_milvus.planning import holder_of

        connections = planning.rule_set.connections
        connects = [s for s in planning.sites if connections.is_connect(s.symbol)]
        homes = {site.module for site in connects}
        if len(homes) != 1 or any(site.form != "call" for site in connects):
            return None
        (home,) = homes
        uses = [
            s
            for s in planning.sites
            if s.form != "import" and connections.needs_client(s) and planning.is_orm(s)
        ]
        if any(site.module is not home for site in uses):
            return None
        opened = {keys[id(site)] for site in connects}
        others = {keys[id(site)] for site in uses} - opened

        def varies(key: Hashable | None) -> bool:
            return key is None or holder_of(key) == "call"

        passed_on = any(map(varies, opened)) and (None in opened or bool(others))
        chosen = len(opened) > 1 and any(map(varies, others))
        if not (passed_on or chosen) or any(
            connections.lists(s.symbol) or connections.configures(s.symbol) for s in planning.sites
        ):
            return None  # a search for an open connection would not find all of them in a dict
        pool = cls(planning, connects, home)
        return pool if all(pool.text(site) is not None for site in connects) else None

    def covers(self, site: Site) -> bool:
        """Whether a site is on one of the connections."""
        return (
            site.module is self.key.module
            and self.planning.is_orm(site)
            and site.form not in ("suspect", "import")
        )

    def text(self, site: Site) -> str | None:
        """The alias as it is written at ``site``; None when it cannot be told or written."""
        if site.form == "annotation":
            return ""
        if isinstance(site.node, LaterCall):
            return None  # the client would be looked up now, and not when the call is made
        if not site.objects:
            return self._own(site)
        found = {self._of_object(item, site) for item in site.objects}
        return found.pop() if len(found) == 1 else None

    def _own(self, site: Site) -> str | None:
        known, expression = self.connections.alias(site, self.flow)
        if not known:
            return None
        if expression is None:
            default = self.connections.default_alias
            return repr_of(default) if default in self.constants else None
        if not isinstance(expression, ast.Constant | ast.Name | ast.Attribute):
            return None
        if isinstance(expression, ast.Attribute) and not isinstance(expression.value, ast.Name):
            return None
        values = self.flow.value(expression)
        slot = self.flow.reads.get(expression)
        if slot in self.slots:
            return self.planning.text(expression)
        constants = {v.value for v in values if isinstance(v, Const)}
        if not values or len(constants) < len(values) or not constants <= self.constants:
            return None
        if not all(isinstance(constant, str) for constant in constants):
            return None
        if slot is not None and not self._callers_seen(slot):
            return None
        return self.planning.text(expression)

    def _callers_seen(self, slot: Slot) -> bool:
        """Whether what a parameter may be is told by calls that are all in sight."""
        function = slot.owner
        if not isinstance(function, FunctionInfo):
            return True
        if slot.name not in function.names_of_parameters():
            return len(self.flow.writes.get(slot, ())) == 1
        planning = self.planning
        return (
            bool(self.flow.callers(function))
            and len(self.flow.writes.get(slot, ())) <= 1
            and function not in self.flow.escaped_functions
            and not function.opaque_decorators
            and not planning.is_reached(function)
            and planning.crossing.all_users_known(function)
            and not planning.shares_calls(function)
        )

    def _of_object(self, item: Object, site: Site) -> str | None:
        """The alias that the object was made with, as it is written at ``site``."""
        made = self._maker(item, set())
        if made is None:
            return None
        text = self._own(made)
        _, expression = self.connections.alias(made, self.flow)
        if text is None or expression is None:
            return text
        assert isinstance(site.node, ast.expr)
        if self.planning.holds_still(expression, made, site.node, site.state, site.scope):
            return text
        value = only(self.flow.value(expression))
        return repr_of(value.value) if isinstance(value, Const) else None

    def _maker(self, item: Object, seen: set[Object]) -> Site | None:
        """The call that names the connection of an object: of the one that it was made from."""
        if item in seen or not isinstance(item.origin, ast.AST):
            return None
        for made in self.flow.sites.get(item.origin, []):
            if made.form not in ("call", "attribute"):
                continue
            if not made.objects:
                owner = self.connections.owner(made, self.flow)
                return self._maker(owner, {*seen, item}) if owner is not None else made
            if item not in made.objects and len(made.objects) == 1:
                return self._maker(next(iter(made.objects)), {*seen, item})
        return None

    def _is_made_here(self, slot: Slot) -> bool:
        """Whether every value of an attribute is a text that this program makes anew."""
        writes = self.flow.writes.get(slot, {}).values()
        return (
            bool(writes)
            and not self.planning.crossing.is_seen_elsewhere(slot)
            and all(
                write.value is not None
                and (self.flow.value(write.value) == {NONE} or _is_fresh(write.value))
                for write in writes
            )
        )


def _is_fresh(node: ast.expr) -> bool:
    """``uuid4().hex``, ``f"store-{uuid4()}"``: a text that nothing else of the program holds."""
    return isinstance(node, ast.Call | ast.Attribute | ast.JoinedStr) and any(
        (isinstance(part, ast.Attribute) and part.attr in _FRESH)
        or (isinstance(part, ast.Name) and part.id in _FRESH)
        for part in ast.walk(node)
    )


def repr_of(alias: object) -> str:
    """An alias as a literal."""
    return f'"{alias}"' if '"' not in str(alias) and "\\" not in str(alias) else repr(alias)
