"""What questions about roles, users, replicas and segments give back, member by member."""

from __future__ import annotations

from milvus_rules.catalogue.model import Symbol, Verdict


def _member(
    name: str, rule: str, text: str, result: str = "str", verdict: Verdict = "if"
) -> Symbol:
    return Symbol(name, "property", rule, None, text, result=result, warns=False, verdict=verdict)


def _only_in_the_orm(name: str, rule: str, text: str, result: str = "int") -> Symbol:
    return _member(name, rule, text, result, "report")


_LIST = "info  # the list itself: the client gives no object around it"

ACCESS: tuple[Symbol, ...] = (
    _member("RoleInfo.groups", "MLV604", _LIST, "list[RoleItem]"),
    _member(
        "RoleItem.role_name",
        "MLV604",
        "role  # the element itself: client.list_roles() gives names",
    ),
    _only_in_the_orm(
        "RoleItem.users",
        "MLV604",
        "[user for user in client.list_users()\n"
        ' if role_name in client.describe_user(user_name=user).get("roles", ())]',
        "tuple",
    ),
    _only_in_the_orm(
        "RoleItem.description",
        "MLV604",
        'client.describe_role(role_name)["description"]',
        "str",
    ),
    _member(
        "UserInfo.groups",
        "MLV604",
        "[info] if info else []  # client.describe_user gives one dict, {} for nobody",
        "list[UserItem]",
    ),
    _member("UserItem.username", "MLV604", 'info["user_name"]'),
    _member("UserItem.roles", "MLV604", 'info["roles"]', "tuple"),
    _only_in_the_orm(
        "UserItem.description", "MLV604", 'info["description"]  # newest pymilvus only', "str"
    ),
    _member("GrantInfo.groups", "MLV801", _LIST, "list[GrantItem]"),
    _member("GrantItem.object", "MLV801", 'grant["object_type"]'),
    _member("GrantItem.object_name", "MLV801", 'grant["object_name"]'),
    _member("GrantItem.privilege", "MLV801", 'grant["privilege"]'),
    _member("GrantItem.role_name", "MLV801", 'grant["role_name"]'),
    _member("GrantItem.db_name", "MLV801", 'grant.get("db_name", "")'),
    _member("GrantItem.grantor_name", "MLV801", 'grant.get("grantor_name", "")'),
    _member("PrivilegeGroupInfo.groups", "MLV801", _LIST, "list[PrivilegeGroupItem]"),
    _member("PrivilegeGroupItem.privilege_group", "MLV801", 'group["privilege_group"]'),
    _member("PrivilegeGroupItem.privileges", "MLV801", 'group["privileges"]', "tuple"),
)

_STATE = (
    "client.get_compaction_plans(job_id).plans  # each has a state of its own\n"
    "# client.get_compaction_state(job_id) gives the name of the state only"
)

COLLECTIONS: tuple[Symbol, ...] = (
    _member("Replica.groups", "MLV212", _LIST, "list[Group]"),
    _member(
        "CompactionState.state_name",
        "MLV212",
        "state  # client.get_compaction_state(job_id) gives the name itself",
    ),
    _only_in_the_orm(
        "CompactionState.state",
        "MLV212",
        "State[client.get_compaction_state(job_id)]  # from pymilvus.client.types import State",
        "State",
    ),
    *(
        _only_in_the_orm(f"CompactionState.{name}", "MLV212", _STATE)
        for name in ("compaction_id", "in_executing", "in_timeout", "completed")
    ),
)

SEGMENTS: tuple[Symbol, ...] = (
    *(
        _member(f"QuerySegmentInfo.{name}", "MLV607", f"segment.{written}", "int")
        for name, written in (
            ("segmentID", "segment_id"),
            ("collectionID", "collection_id"),
            ("partitionID", "partition_id"),
            ("indexID", "index_id"),
            ("nodeIds", "node_ids"),
            ("num_rows", "num_rows"),
            ("mem_size", "mem_size"),
            ("index_name", "index_name"),
        )
    ),
    *(
        _only_in_the_orm(f"QuerySegmentInfo.{name}", "MLV607", text)
        for name, text in (
            ("nodeID", "segment.node_ids[0]  # several nodes may hold it"),
            ("state", "segment.state  # an enum, printed by name; state.value is the number"),
            ("level", "segment.level"),
        )
    ),
)

SYMBOLS: tuple[Symbol, ...] = ACCESS + COLLECTIONS + SEGMENTS
