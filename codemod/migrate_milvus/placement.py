"""Where the client of a connection lives (first that fits).

1. The module, when all connecting happens there.
2. Locals, when every function that uses the connection opens it itself (or the module does).
3. An attribute of the objects whose methods connect and use.
4. Parameters, when one function connects and hands its objects to all others that use them.
5. A module global that the connecting functions set.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from migrate_milvus.flow import CallEdge, Flow, Site
from migrate_milvus.program import ClassInfo, FunctionInfo, Module, Scope, decorator_name
from migrate_milvus.values import Abstract, Class, Instance


@dataclass(frozen=True)
class Place:
    """How one connection's client is held."""

    mode: str  # "module", "local", "attribute", "parameter", "global"
    name: str
    owners: frozenset[ClassInfo] = frozenset()
    connectors: frozenset[FunctionInfo] = frozenset()
    # Functions that get the client as a parameter, with the parameter it is written before; None:
    # before all others.
    parameters: dict[FunctionInfo, ast.arg | None] = field(default_factory=dict, hash=False)


def choose(
    flow: Flow,
    connects: Sequence[Site],
    uses: Sequence[Site],
    base: str,
    taken: Callable[[str], bool],
    takes_parameter: Callable[[FunctionInfo], ast.arg | None],
    switches: Sequence[Site] = (),
    registry: bool = False,
    holder: str = "",
    closes: Sequence[Site] = (),
    own: str = "",
) -> Place:
    """Choose the place for the client of one connection.

    ``base`` is the wanted name; ``takes_parameter`` answers with the parameter that holds an
    object of the connection, when every caller of the function is known. ``switches`` change what
    every user of the connection sees: with them, functions or objects that would not see the
    change get no client each. With ``registry`` it is asked whether the connection is open, which
    a variable of the module can answer. ``holder``: what has a connection of its own, each
    ``object`` or each ``call`` of a function. ``closes``: the uses that close the connection.
    ``own`` is a name that holds this client already.
    """
    name = own or free_name(base, taken)
    at_module = [site for site in connects if site.function is None]
    if len(at_module) == len(connects) and not registry:
        return Place("module", name)
    connectors = frozenset(site.function for site in connects if site.function is not None)
    if registry:
        return Place("global", name, connectors=connectors)
    one = not switches or len(connectors) + bool(at_module) == 1
    one = one and not _hidden(connectors, bool(at_module), closes)
    if (
        one
        and all(_connects_before(site, connects) for site in uses)
        and not (at_module and _opens_another(connects) and _shared(uses, connectors))
    ):
        return Place("local", name, connectors=connectors)
    owners = _classes(connects) if holder != "call" else frozenset()
    if switches and (len(owners) > 1 or any(s.function not in connectors for s in switches)):
        owners = frozenset()
    if (
        not at_module
        and owners
        and all(_takes_attributes(flow, owner) for owner in owners)
        and (holder or all(_each_connects(flow, owner, connects) for owner in owners))
        and all(_reaches(flow, s, owners, holder) is not None for s in uses)
    ):
        methods = {name for owner in owners for name in owner.methods}
        attribute = own or free_name(base, lambda n: n in flow.program.attributes | methods)
        return Place("attribute", attribute, owners=owners, connectors=connectors)
    if not at_module and len(connectors) == 1:
        (connector,) = connectors
        parameters = _handed_down(flow, connector, uses, takes_parameter)
        if parameters:
            return Place("parameter", name, connectors=connectors, parameters={**parameters})
    return Place("global", name, connectors=connectors)


def free_name(base: str, taken: Callable[[str], bool]) -> str:
    """``base``, or the first of ``milvus_base``, ``milvus_base2``… that is not taken."""
    if not taken(base):
        return base
    name = f"milvus_{base}"
    number = 1
    while taken(name if number == 1 else f"{name}{number}"):
        number += 1
    return name if number == 1 else f"{name}{number}"


def text(flow: Flow, place: Place, site: Site, holder: str = "") -> str | None:
    """The expression for the client at ``site``; None when it cannot be reached there."""
    if place.mode != "attribute":
        return place.name
    base = _reaches(flow, site, place.owners, holder)
    return None if base is None else f"{base}.{place.name}"


def is_passed(place: Place, function: FunctionInfo | None) -> bool:
    """Whether code of the function sees the client as a parameter."""
    return any(around in place.parameters for around in _chain(function))


def scopes(scope: Scope) -> list[Scope]:
    """The scopes whose names code in ``scope`` sees: its own, those around it, the module."""
    if isinstance(scope, FunctionInfo):
        return [*_chain(scope), scope.module]
    return [scope]


def _chain(function: FunctionInfo | None) -> list[FunctionInfo]:
    """The function and those around it."""
    found = []
    while function is not None:
        found.append(function)
        function = function.parent
    return found


def _hidden(connectors: frozenset[FunctionInfo], at_module: bool, closes: Sequence[Site]) -> bool:
    """Whether a local client may hide that of a scope around it from code that shares both."""
    return any(around in connectors for f in connectors for around in _chain(f.parent)) or (
        at_module and any(s.function not in (None, *connectors) for s in closes)
    )


def _connects_before(site: Site, connects: Sequence[Site]) -> bool:
    """Whether a connect of the same function (or one around it) stands before the use."""
    own = [connect for connect in connects if connect.scope is site.scope]
    if own:
        return any(connect.node.lineno <= site.node.lineno for connect in own)
    around = scopes(site.scope)
    return any(connect.scope in around for connect in connects)


def _opens_another(connects: Sequence[Site]) -> bool:
    """Whether the connects may open something different: with other arguments, or with values
    that only their function knows."""
    calls = [site.node for site in connects if isinstance(site.node, ast.Call)]
    asked = {
        (tuple(map(ast.dump, call.args)), tuple(sorted(map(ast.dump, call.keywords))))
        for call in calls
    }
    known_here = (
        name.id in site.function.locals
        for site in connects
        if site.function is not None
        for name in ast.walk(site.node)
        if isinstance(name, ast.Name)
    )
    return len(asked) > 1 or len(calls) < len(connects) or any(known_here)


def _shared(uses: Sequence[Site], connectors: frozenset[FunctionInfo]) -> bool:
    """Whether a use sees what another function opens: the module's client would hide that."""
    return any(connectors.isdisjoint(_chain(site.function)) for site in uses)


def opened_before(flow: Flow, use: Site, connects: Sequence[Site]) -> bool:
    """Whether one of ``connects`` has run whenever ``use`` is reached: an earlier statement of the
    same function, whose conditions and blocks are around the use as well."""
    parents = flow.source.parents
    around: set[ast.AST] = {use.node}
    node: ast.AST = use.node
    while node in parents:
        node = parents[node]
        around.add(node)
    for connect in connects:
        if connect.scope is not use.scope or connect.node.lineno >= use.node.lineno:
            continue
        node = connect.node
        while node in parents and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parent = parents[node]
            if isinstance(parent, ast.If) and not is_main_guard(parent):
                branch = parent.body if node in parent.body else parent.orelse
                if not any(statement in around for statement in branch):
                    break
            elif isinstance(
                parent,
                ast.Try | ast.ExceptHandler | ast.For | ast.AsyncFor | ast.While | ast.match_case,
            ):
                if parent not in around:
                    break
            node = parent
        else:
            return True
    return False


def closes_unopened(flow: Flow, connects: Sequence[Site], closes: Sequence[Site]) -> bool:
    """Whether a handler or ``finally`` closes what its ``try`` may have failed to open, where one
    of the two is done by a function that is called there."""
    if not closes or all(connect.function is None for connect in connects):
        return False
    opening = calls_to(flow, {site.function for site in connects})
    closing = calls_to(flow, {site.function for site in closes})
    opened: set[ast.AST] = {site.node for site in connects}
    closed: set[ast.AST] = {site.node for site in closes}
    for node in flow.source.parents:
        if not isinstance(node, ast.Try):
            continue
        body = {part for statement in node.body for part in ast.walk(statement)}
        after = {part for s in (*node.handlers, *node.finalbody) for part in ast.walk(s)}
        if (body & opening and after & (closing | closed)) or (body & opened and after & closing):
            return True
    return False


def calls_to(flow: Flow, functions: set[FunctionInfo | None]) -> set[ast.AST]:
    """The calls, and the readings of properties, by which one of the functions is reached."""
    properties: dict[object, list[ast.AST]] = defaultdict(list)
    for reader, slot in flow.reads.items():
        if slot.kind == "return":
            properties[slot.owner].append(reader)
    found: set[ast.AST] = set()
    wanted = functions - {None}
    while True:
        new = {
            node
            for node, edges in flow.calls.items()
            if node not in found and any(edge.target in wanted for edge in edges)
        }
        new.update(node for f in wanted for node in properties.get(f, ()) if node not in found)
        if not new:
            return found
        found |= new
        wanted |= {flow.scope_of.get(node) for node in new} - {None}


def is_main_guard(node: ast.If) -> bool:
    """``if __name__ == "__main__":``, or any other look at the module's name."""
    return (
        isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
    )


def _classes(connects: Sequence[Site]) -> frozenset[ClassInfo]:
    """The classes whose methods do all the connecting; none when other code connects too."""
    owners = set()
    for connect in connects:
        function = connect.function
        if function is None or function.owner is None or function.self_name is None:
            return frozenset()
        owners.add(function.owner.family)
    return frozenset(owners)


def _each_connects(flow: Flow, family: ClassInfo, connects: Sequence[Site]) -> bool:
    """Whether an object of a family of classes need not rely on what another one opened.

    Each is connected where it is made, or there is but one.
    """
    connecting = {c.function for c in connects if not _is_conditional(flow, c.node)}
    called: dict[FunctionInfo, set[FunctionInfo]] = defaultdict(set)
    for node, edges in flow.calls.items():
        caller = flow.scope_of.get(node)
        if caller is not None and not _is_conditional(flow, node):
            called[caller].update(edge.target for edge in edges)

    def reaches(functions: Iterable[FunctionInfo | None]) -> bool:
        seen: set[FunctionInfo] = set()
        queue = [function for function in functions if function is not None]
        while queue:
            function = queue.pop()
            if function in connecting:
                return True
            if function not in seen:
                seen.add(function)
                queue.extend(called[function])
        return False

    def opens(info: ClassInfo) -> bool:
        return reaches(info.method(name) for name in ("__init__", "__new__"))

    classes = [info for info in flow.program.classes.values() if info.family is family]
    closed = [info for info in classes if not opens(info)]
    if any(opens(base) for info in closed for base in info.ancestry()):
        return False
    for info in closed:  # another method may connect: an overriding one must do so, too
        inherited = {n for base in info.ancestry() for n, m in base.methods.items() if reaches([m])}
        if not all(reaches([info.method(name)]) for name in inherited):
            return False
    made = {
        node
        for node, values in flow.values.items()
        if isinstance(node, ast.Call)
        and any(isinstance(v, Instance) and v.info in closed for v in values)
        and any(isinstance(v, Class) for v in flow.value(node.func))
    }
    return len(made) <= 1


def _is_conditional(flow: Flow, node: ast.AST) -> bool:
    """Whether the function that holds the node may run without reaching it, but by an error."""
    parents = flow.source.parents
    while node in parents and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parent = parents[node]
        if isinstance(parent, ast.If | ast.IfExp | ast.ExceptHandler | ast.BoolOp):
            return True
        node = parent
    return False


#: Names by which objects are copied, or listed with all that they hold.
_COPYING = frozenset(
    {"deepcopy", "pickle", "cloudpickle", "dill", "vars", "__dict__", "__getstate__"}
    | {"multiprocessing", "ProcessPoolExecutor", "joblib", "asdict", "model_dump"}
)
_PLAIN_BASES = frozenset({"object", "ABC", "Protocol", "Generic", "Thread", "TestCase"})


def _takes_attributes(flow: Flow, family: ClassInfo) -> bool:
    """Whether objects of the classes can be given an attribute more, and none is copied."""
    program = flow.program
    classes = [info for info in program.classes.values() if info.family is family]
    modules = {info.module for info in classes}
    if any(_COPYING & (module.identifiers | module.attributes) for module in modules):
        return False
    known = True
    declared: set[str] = set()
    own = {info.name for info in classes}
    for info in classes:
        for decorator in info.node.decorator_list:
            for part in ast.walk(decorator):
                if isinstance(part, ast.keyword) and part.arg in ("frozen", "slots"):
                    return False
            known = known and decorator_name(decorator) == "dataclass"
        for base in info.node.bases:
            last = ast.unparse(base).partition("[")[0].rpartition(".")[2]
            if last == "NamedTuple" or last.endswith("Enum"):
                return False
            known = known and last in (*own, *_PLAIN_BASES)
        assigned = (t for s in info.node.body if isinstance(s, ast.Assign) for t in s.targets)
        if any(isinstance(target, ast.Name) and target.id == "__slots__" for target in assigned):
            return False
        declared |= {
            s.target.id
            for s in info.node.body
            if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
        }
    # Others, such as pydantic's, may take declared attributes only.
    return known or any(
        slot.kind == "attribute"
        and slot.owner is family
        and slot.name not in declared
        and any(isinstance(target, ast.Attribute) for target in writes)
        for slot, writes in flow.writes.items()
    )


def _reaches(flow: Flow, site: Site, owners: frozenset[ClassInfo], holder: str) -> str | None:
    """The expression for the instance that holds the client: ``self``, or a variable.

    Any instance will do, but one that the object is reached through where each has its own
    connection (``holder``).
    """
    for function in _chain(site.function):
        if (
            function.owner is not None
            and function.owner.family in owners
            and function.self_name is not None
        ):
            return function.self_name

    def is_holder(values: Abstract) -> bool:
        return bool(values) and all(
            isinstance(v, Instance) and v.info.family in owners for v in values
        )

    part = site.receiver
    while isinstance(part, ast.Attribute | ast.Call | ast.Subscript):
        part = part.func if isinstance(part, ast.Call) else part.value
    if isinstance(part, ast.Name) and is_holder(flow.value(part)):
        return part.id
    if holder:
        return None
    names = dict(site.state.names)
    for name, binding in names.items():
        if is_holder(binding.values):
            return name
    if site.function is not None:
        for slot, values in flow.store.items():
            if slot.owner is site.module and flow.is_stable(slot) and is_holder(values):
                return slot.name
    return None


def hand_across(
    flow: Flow,
    place: Place,
    home: Module,
    connects: Sequence[Site],
    uses: Sequence[Site],
    takes: Callable[[FunctionInfo], tuple[ast.arg | None] | None],
) -> Place | None:
    """``place``, with the client passed to functions of other modules; None when that cannot be.

    ``uses`` stand in modules that cannot import the client from its ``home``. ``takes`` answers
    with what the client is written before, when all callers of a function are known, else None.
    """
    found: dict[FunctionInfo, ast.arg | None] = {}
    queue = [site.function for site in uses]
    while queue:
        function = queue.pop()
        if function is None:
            return None
        function = _chain(function)[-1]
        if function in found:
            continue
        taken = takes(function)
        if taken is None or place.name in function.module.identifiers:
            return None
        found[function] = taken[0]
        for edge in flow.callers(function):
            assert edge.node is not None
            caller = flow.scope(edge.node)
            if home in (caller, getattr(caller, "module", None)):
                if not _holds_client(place, home, connects, caller, edge.node):
                    return None
            elif isinstance(caller, Module):
                return None
            else:
                queue.append(caller)
    return replace(place, parameters={**place.parameters, **found})


def _holds_client(
    place: Place, home: Module, connects: Sequence[Site], caller: Scope, call: ast.Call
) -> bool:
    """Whether code of the connection's own module can pass the client on."""
    if place.mode in ("module", "global"):
        if isinstance(caller, Module):
            return caller is home and any(
                connect.scope is home and connect.node.lineno < call.lineno for connect in connects
            )
        return caller.module is home
    return place.mode == "local" and any(
        connect.scope is caller and connect.node.lineno < call.lineno for connect in connects
    )


def _handed_down(
    flow: Flow,
    connector: FunctionInfo,
    uses: Sequence[Site],
    takes_parameter: Callable[[FunctionInfo], ast.arg | None],
) -> dict[FunctionInfo, ast.arg]:
    """The functions that get the client together with an object, or {} when that does not do."""
    needing = {site.function for site in uses} - {connector}
    found: dict[FunctionInfo, ast.arg] = {}
    queue = list(needing)
    while queue:
        function = queue.pop()
        if function is None or function in found or connector in _chain(function):
            if function is None:
                return {}
            continue
        parameter = takes_parameter(function)
        if parameter is None:
            return {}
        found[function] = parameter
        edges: list[CallEdge] = flow.callers(function)
        for edge in edges:
            assert edge.node is not None
            caller = flow.scope_of.get(edge.node)
            if caller is None:
                return {}
            if caller is not connector and connector not in _chain(caller):
                queue.append(caller)
    return found
