"""Answers about roles, users, grants, replicas and segments, which the client gives as plain data.

The ORM wraps a list into an object (``info.groups``) whose items have attributes; the client gives
the list, of texts or dicts. What is read of them is a table; an answer that is read in any other
way stays on the ORM.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from migrate_milvus.edits import Edit, ReplaceNode, Src, Template
from migrate_milvus.flow import Site, Slot
from migrate_milvus.planning import Planning, Quiet
from migrate_milvus.program import FunctionInfo
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, require, unknown
from migrate_milvus.values import Const, Function, Object, Opaque, only
from milvus_rules import catalogue
from milvus_rules.owners import owner_name
from milvus_rules.roles import grants_known
from milvus_rules.showing import is_shown, note_shown
from milvus_rules.writing import Pair, client_call, is_none, is_pure, keyword, known

READ = predicate("answer-read-known", "all that is read of the answer is in the client's too")
DETAIL = predicate("answer-detail-known", "as much is asked for as the client asks for")
ARGUMENTS = {
    "utility": "utility-arguments-known",
    "Role": "role-arguments-known",
    "Collection": "load-arguments-known",
    "Partition": "load-arguments-known",
}

# What is written after the value for each attribute that is read of it.
MEMBERS: dict[str, dict[str, str]] = {
    "RoleInfo": {"groups": ""},
    "RoleItem": {"role_name": ""},
    "UserInfo": {"groups": ""},
    "UserItem": {"username": '["user_name"]', "roles": '["roles"]'},
    "GrantInfo": {"groups": ""},
    "GrantItem": {
        "object": '["object_type"]',
        "object_name": '["object_name"]',
        "privilege": '["privilege"]',
        "role_name": '["role_name"]',
        "db_name": '.get("db_name", "")',
        "grantor_name": '.get("grantor_name", "")',
    },
    "PrivilegeGroupInfo": {"groups": ""},
    "PrivilegeGroupItem": {
        "privilege_group": '["privilege_group"]',
        "privileges": '["privileges"]',
    },
    "Replica": {"groups": ""},
    "QuerySegmentInfo": {
        "segmentID": ".segment_id",
        "collectionID": ".collection_id",
        "partitionID": ".partition_id",
        "indexID": ".index_id",
        "nodeIds": ".node_ids",
        "num_rows": ".num_rows",
        "mem_size": ".mem_size",
        "index_name": ".index_name",
    },
    "CompactionState": {"state_name": ""},
    "Hit": {
        "distance": '["distance"]',
        "score": '["distance"]',
        "entity": '["entity"]',
        "fields": '["entity"]',
    },
}
# Attributes that both classes have.
SAME = {"Group": ("id", "shards", "group_nodes", "resource_group", "num_outbound_node")}
_ITEMS = {
    "RoleInfo": "RoleItem",
    "UserInfo": "UserItem",
    "GrantInfo": "GrantItem",
    "PrivilegeGroupInfo": "PrivilegeGroupItem",
    "Replica": "Group",
}


@dataclass(frozen=True)
class Row:
    """How one question is written: ORM parameter to client keyword, and what follows the call.

    ``flag`` is a parameter that must be the constant ``True`` or ``False`` and is not passed.
    """

    method: str
    keywords: dict[str, str] = field(default_factory=dict)
    suffix: str = ""
    flag: tuple[str, bool] | None = None


_TIMEOUT = {"timeout": "timeout"}

ROWS: dict[str, Row] = {
    "utility.list_user": Row(
        "describe_user", {"username": "user_name", **_TIMEOUT}, flag=("include_role_info", True)
    ),
    "utility.list_roles": Row("list_roles", _TIMEOUT, flag=("include_user_info", False)),
    "utility.get_query_segment_info": Row(
        "list_loaded_segments", {"collection_name": "collection_name", **_TIMEOUT}
    ),
    "Role.list_grants": Row("describe_role", {"db_name": "db_name"}, '["privileges"]'),
    "Role.list_privilege_groups": Row("list_privilege_groups"),
    "Collection.get_replicas": Row("describe_replica", _TIMEOUT),
    "Partition.get_replicas": Row("describe_replica", _TIMEOUT),
}


def ask(site: Site, planning: Planning) -> list[Edit]:
    """The edit for one question, when all that is read of its answer is known."""
    row = ROWS[site.symbol]
    owner = site.symbol.partition(".")[0]
    arguments = planning.arguments(site)
    flags = (row.flag[0],) if row.flag is not None else ()
    require(ARGUMENTS[owner], lambda: known(arguments, (*row.keywords, *flags, "using")))
    if row.flag is not None:
        wanted = row.flag
        require(DETAIL, lambda: _flag(arguments.get(wanted[0]), wanted, site, planning))
    check_read(site, planning)
    pairs: list[Pair | None] = []
    if owner == "Collection":
        pairs.append((None, planning.name(site)))
    elif owner == "Partition":
        pairs.append((None, owner_name(site, planning)))
    elif site.symbol == "Role.list_grants":
        grants_known(site, planning)
        pairs.append(("role_name", planning.name(site)))
    pairs += [
        keyword(arguments, name, row.keywords[name])
        for name in dict.fromkeys(arguments.order)
        if name in row.keywords
    ]
    call = client_call(planning, site, row.method, *pairs)
    written: Template = (call, row.suffix) if row.suffix else (call,)
    return [ReplaceNode(site.node, written)]


def _flag(given: ast.expr | None, flag: tuple[str, bool], site: Site, planning: Planning) -> Answer:
    value = only(planning.flow.value(given)) if given is not None else None
    if isinstance(value, Const) and value.value is flag[1]:
        return PROVED
    return unknown(
        f"the client's answer is that of {flag[0]}={flag[1]}",
        planning.recipe(site),
    )


def check_read(site: Site, planning: Planning, reason: str = READ, recipe: str = "") -> None:
    """Refuse where something becomes of the answer that cannot be written; note what is shown."""
    shown: list[ast.AST] = []
    recipe = recipe or planning.recipe(site)
    require(reason, lambda: _read_known(site, planning, shown, recipe))
    note_shown(planning, site, shown, "the client's answer, which is plain data")


def _read_known(site: Site, planning: Planning, shown: list[ast.AST], recipe: str) -> Answer:
    """Whether all that becomes of the answer that ``site`` gives can be written."""
    flow = planning.flow
    for value in flow.value(site.node):
        if isinstance(value, Object):
            wrong = _object_misused(value, planning, shown)
        elif isinstance(value, Opaque) and _is_list(value, site.node):
            kind = value.origin[1]  # type: ignore[index]
            wrong = _list_misused(value, planning, shown) or _object_misused(
                Object(kind, site.node), planning, shown
            )
        else:
            continue
        if wrong is not None:
            return unknown(f"the answer, or a part of it, is {wrong}", recipe)
    return PROVED


def _is_list(value: Opaque, node: ast.AST) -> bool:
    return (
        isinstance(value.origin, tuple)
        and value.origin[0] == "list of"
        and value.origin[-1] is node
    )


def _object_misused(item: Object, planning: Planning, shown: list[ast.AST]) -> str | None:
    """What becomes of an object that has no counterpart; None when all is known."""
    flow = planning.flow
    for (escaped, _), escape in flow.escapes.items():
        if escaped == item and not is_shown(planning, escape.node):
            return f"{escape.how} on {planning.line_of(escape.node)}"
    for node in _holding(planning, lambda values: item in values):
        if is_shown(planning, node):
            shown.append(node)
            continue
        wrong = _use_of_object(node, item, planning)
        if wrong is not None:
            return f"{wrong} on {planning.line_of(node)}"
    for slot, values in flow.store.items():
        if item in values and (hidden := _hidden(slot, planning)) is not None:
            return hidden
    for given in _groups(item, planning):
        for value in flow.value(given.node):
            if isinstance(value, Opaque) and _is_list(value, given.node):
                wrong = _list_misused(value, planning, shown) or _object_misused(
                    Object(_ITEMS[item.kind], given.node), planning, shown
                )
                if wrong is not None:
                    return wrong
    inner = flow.library.item_of(item.kind)
    return _object_misused(Object(inner, item.origin), planning, shown) if inner else None


def _groups(item: Object, planning: Planning) -> list[Site]:
    return [
        site
        for site in planning.sites
        if item in site.objects and site.symbol.endswith(".groups") and item.kind in _ITEMS
    ]


def _holding(planning: Planning, holds: Callable[[frozenset[object]], bool]) -> Iterator[ast.expr]:
    """The expressions that read a value."""
    for node, values in planning.flow.values.items():
        if not isinstance(node, ast.expr) or not holds(frozenset(values)):
            continue
        if isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        yield node


def _use_of_object(node: ast.expr, item: Object, planning: Planning) -> str | None:
    """How ``node``, which holds ``item``, is used, in words; None when that is known."""
    symbols = catalogue.members(item.kind)
    written = {name for name, symbol in symbols.items() if symbol.verdict == "if"}
    if planning.flow.library.item_of(item.kind) is not None and _gone_through(node, planning):
        return None
    parent = planning.flow.source.parents[node]
    match parent:
        case ast.Attribute(attr=name, ctx=ast.Load()):
            known_to_both = name in written or name in SAME.get(item.kind, ())
            return None if known_to_both else f"asked for its {name}"
        case ast.Assign() | ast.Return() | ast.Expr() | ast.AnnAssign():
            return None
        case ast.Call() | ast.keyword():
            return None  # where it goes out of sight, that is known as an escape
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[right]) if is_none(right):
            return None
        case ast.IfExp(test=test) if test is not node:
            return None
        case ast.If() | ast.While() | ast.UnaryOp(op=ast.Not()) | ast.IfExp() | ast.BoolOp() if (
            item.kind == "Hit"
        ):
            return None  # true, and so is the dict in its place
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            return "collected"
    return "used in an expression"


def _list_misused(value: Opaque, planning: Planning, shown: list[ast.AST]) -> str | None:
    """What becomes of a list whose items change; None when it is only gone through or counted."""
    for node in _holding(planning, lambda values: value in values):
        if is_shown(planning, node):
            shown.append(node)
            continue
        if not _gone_through(node, planning):
            return f"a list that is used as a whole on {planning.line_of(node)}"
    for slot, values in planning.flow.store.items():
        if value in values and (hidden := _hidden(slot, planning)) is not None:
            return hidden
    return None


def _gone_through(node: ast.expr, planning: Planning) -> bool:
    """Whether the list that ``node`` holds is gone through, counted, or handed on in sight."""
    parents = planning.flow.source.parents
    parent = parents[node]
    match parent:
        case ast.For(iter=used) | ast.comprehension(iter=used):
            return used is node
        case ast.Subscript(value=used, ctx=ast.Load()):
            return used is node
        case ast.Assign(targets=[ast.Name()]) | ast.Expr() | ast.Return():
            return True
        case ast.If() | ast.While() | ast.IfExp() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id="enumerate"), args=[used, *_]):
            match parents[parent]:
                case ast.For(target=ast.Tuple(), iter=pairs):
                    return used is node and pairs is parent
                case ast.comprehension(target=ast.Tuple(), iter=pairs):
                    return used is node and pairs is parent
            return False
        case ast.Call(func=ast.Name(id="len" | "bool")):
            return True
        case ast.Call():
            return _is_handed_on(node, parent, planning)
        case ast.keyword():
            call = parents[parent]
            return isinstance(call, ast.Call) and _is_handed_on(node, call, planning)
    return False


def _is_handed_on(node: ast.expr, call: ast.Call, planning: Planning) -> bool:
    """Whether all that may be called are functions of the program, with a parameter for it."""
    edges = planning.flow.calls.get(call, [])
    own = all(isinstance(v, Function) for v in planning.flow.value(call.func))
    return own and bool(edges) and all(node in edge.arguments.values() for edge in edges)


def _hidden(slot: Slot, planning: Planning) -> str | None:
    """Who may read the slot out of sight; None when nobody does."""
    if slot.kind == "global" and planning.crossing.is_seen_elsewhere(slot):
        return f"'{slot.name}', which another file reads"
    if slot.kind == "attribute":
        return f"kept in the attribute '{slot.name}'"
    function = slot.owner
    if not isinstance(function, FunctionInfo):
        return None
    parameter = slot.kind == "local" and slot.name in function.names_of_parameters()
    if not parameter and slot.kind not in ("return", "yield"):
        return None
    if planning.has_hidden_callers(function) or not planning.flow.callers(function):
        how = "passed to" if parameter else "returned by"
        return f"{how} {function.name}(), whose callers are out of sight"
    return None


def read(site: Site, planning: Planning) -> list[Edit]:
    """The edit for one attribute of an answer."""
    assert site.receiver is not None
    kind, _, member = site.symbol.partition(".")
    if kind == "UserInfo":
        return _user(site, planning)
    suffix = MEMBERS[kind].get(member)
    if suffix is None:
        raise Quiet  # said where the answer comes from
    return [ReplaceNode(site.node, (Src(site.receiver), suffix))]


def _user(site: Site, planning: Planning) -> list[Edit]:
    """``info.groups`` of one user: the client gives the dict itself, ``{}`` for nobody."""
    assert site.receiver is not None
    if any(made.symbol == "utility.list_users" for made in _makers(site, planning)):
        raise Quiet  # said where all users are asked for
    parent = planning.flow.source.parents[site.node]
    held: Template = (Src(site.receiver),)
    match parent:
        case ast.Subscript(slice=ast.Constant(value=0), ctx=ast.Load()):
            require(READ, lambda: _not_handled(site, planning))
            return [ReplaceNode(parent, held)]
        case ast.If() | ast.UnaryOp(op=ast.Not()):
            return [ReplaceNode(site.node, held)]
    gone_through = isinstance(parent, ast.For | ast.comprehension) and parent.iter is site.node
    require(
        READ,
        PROVED
        if gone_through and is_pure(site.receiver)
        else unknown("the client gives one user, not a list of them", planning.recipe(site)),
    )
    listed: Template = ("[", *held, "] if ", *held, " else []")
    return [
        ReplaceNode(
            site.node, ("(", *listed, ")") if isinstance(parent, ast.comprehension) else listed
        )
    ]


def _makers(site: Site, planning: Planning) -> list[Site]:
    """What gave the answer of which something is read."""
    return [
        made
        for item in site.objects
        if isinstance(item.origin, ast.AST)
        for made in planning.flow.sites.get(item.origin, [])
    ]


def _not_handled(site: Site, planning: Planning) -> Answer:
    """Nobody waits for a user that does not exist: the client's dict raises another exception."""
    parents = planning.flow.source.parents
    module: ast.AST = site.node
    while module in parents:
        module = parents[module]
    names = {
        part.id
        for handler in ast.walk(module)
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        for part in ast.walk(handler.type)
        if isinstance(part, ast.Name)
    }
    if not planning.enclosing_handlers(site.node) and "IndexError" not in names:
        return PROVED
    return unknown(
        "a handler here may wait for the IndexError of a user that does not exist; the client "
        "gives {}",
        planning.rule_set.recipe("utility.list_user"),
    )


def _members(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{name}" for kind in kinds for name in catalogue.members(kind))


class UserAnswers(Rule):
    """What is told about users and roles is read from plain data.

    ``utility.list_roles(False)`` becomes ``client.list_roles()``, a list of names, so that
    ``item.role_name`` of its items becomes the item itself. ``utility.list_user(name, True)``
    becomes ``client.describe_user(user_name=name)``, one dict: ``info.groups[0].roles`` becomes
    ``info["roles"]``.

    Accepted difference: an answer that is printed or logged shows as plain data; a note says where.

    Refused when users of roles (or roles of all users) are asked for, which the client tells one
    by one only, and when the answer is stored or passed on.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2, requests compared.
    """

    id = "MLV604"
    title = "users are managed by the client"
    symbols = (
        "utility.list_user",
        "utility.list_roles",
        *_members("RoleInfo", "RoleItem", "UserInfo", "UserItem"),
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return ask(site, planning) if site.symbol in ROWS else read(site, planning)


class RoleAnswers(Rule):
    """What is told about a role is read from plain data.

    ``role.list_grants()`` becomes ``client.describe_role(role_name=name)["privileges"]``, a list of
    dicts: ``grant.object`` becomes ``grant["object_type"]``. ``role.list_privilege_groups()``
    becomes ``client.list_privilege_groups()``. ``role.is_exist()`` becomes
    ``name in client.list_roles()``.

    Accepted differences: ``is_exist`` asks for all roles instead of one; from pymilvus 2.6.16 on
    ``describe_role`` asks for the role's description, too; an answer that is printed or logged
    shows as plain data, and a note says where.

    Refused when the answer is stored or passed on, and for grants in an unnamed database
    on a connection that may use another one than the default.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2, requests compared.
    """

    id = "MLV801"
    title = "roles are named to the client"
    symbols = (
        "Role.is_exist",
        "Role.list_grants",
        "Role.list_privilege_groups",
        *_members("GrantInfo", "GrantItem", "PrivilegeGroupInfo", "PrivilegeGroupItem"),
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol == "Role.is_exist":
            return self.exists(site, planning)
        return ask(site, planning) if site.symbol in ROWS else read(site, planning)

    def exists(self, site: Site, planning: Planning) -> list[Edit]:
        """``role.is_exist()``, which a ``not`` in front turns round."""
        require(ARGUMENTS["Role"], lambda: known(planning.arguments(site), ()))
        call = client_call(planning, site, "list_roles")
        parent = planning.flow.source.parents[site.node]
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            return [ReplaceNode(parent, (*planning.name(site), " not in ", call))]
        written: Template = (*planning.name(site), " in ", call)
        plain = isinstance(parent, ast.stmt | ast.keyword | ast.BoolOp | ast.FormattedValue) or (
            isinstance(parent, ast.Call) and site.node in parent.args
        )
        return [ReplaceNode(site.node, written if plain else ("(", *written, ")"))]


class ReplicaAnswers(Rule):
    """``collection.get_replicas()`` becomes ``client.describe_replica(name)``: the list itself.

    What was ``.groups`` is the list; its items have the same attributes as before.

    Accepted difference: an answer that is printed or logged shows as plain data; a note says where.

    Refused when the answer is stored or passed on.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2, requests compared.
    """

    id = "MLV212"
    title = "methods about the collection's life take its name"
    symbols = ("Collection.get_replicas", "Partition.get_replicas", *_members("Replica"))

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return ask(site, planning) if site.symbol in ROWS else read(site, planning)


class SegmentAnswers(Rule):
    """``utility.get_query_segment_info`` becomes ``client.list_loaded_segments``.

    ``segment.segmentID`` becomes ``segment.segment_id``, and so on; ``num_rows``, ``mem_size`` and
    ``index_name`` keep their names.

    Accepted difference: an answer that is printed or logged shows as plain data; a note says where.

    Refused when ``state``, ``level`` or ``nodeID`` is read, which have another form, and when the
    answer is stored or passed on.

    Source: both sides run on pymilvus 2.6.4 to 3.0.2, requests compared.
    """

    id = "MLV607"
    title = "the server is asked through the client"
    symbols = ("utility.get_query_segment_info", *_members("QuerySegmentInfo"))

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        return ask(site, planning) if site.symbol in ROWS else read(site, planning)
