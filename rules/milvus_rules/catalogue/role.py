"""``Role``: roles, grants and privilege groups."""

from __future__ import annotations

from milvus_rules.catalogue.model import Symbol, recipe

RULE = "MLV801"

SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "Role",
        "constructor",
        RULE,
        "name, using='default', **",
        recipe("""
            role_name = "reader"  # Role(...) sent nothing: the name is enough
        """),
        result="Role",
    ),
    Symbol(
        "Role.name",
        "property",
        RULE,
        None,
        "role_name  # the expression that was passed to Role(...)",
        result="str",
        warns=False,
    ),
    Symbol(
        "Role.create",
        "method",
        RULE,
        "",
        "client.create_role(role_name=role_name)",
        client=("create_role",),
    ),
    Symbol(
        "Role.drop",
        "method",
        RULE,
        "",
        "client.drop_role(role_name=role_name)",
        client=("drop_role",),
    ),
    Symbol(
        "Role.add_user",
        "method",
        RULE,
        "username",
        recipe("""
            client.grant_role(user_name=username, role_name=role_name)
            # keywords: the user comes first here
        """),
        client=("grant_role",),
    ),
    Symbol(
        "Role.remove_user",
        "method",
        RULE,
        "username",
        recipe("""
            client.revoke_role(user_name=username, role_name=role_name)
            # keywords: the user comes first here
        """),
        client=("revoke_role",),
    ),
    Symbol(
        "Role.get_users",
        "method",
        RULE,
        "",
        recipe("""
            users = [
                user for user in client.list_users()
                if role_name in client.describe_user(user_name=user).get("roles", ())
            ]
            # no single request for it; one per user
        """),
        client=("list_users", "describe_user"),
        result="list[str]",
        verdict="report",
    ),
    Symbol(
        "Role.is_exist",
        "method",
        RULE,
        "",
        recipe("""
            role_name in client.list_roles()
            # asks for all roles: the user must be allowed to see them
        """),
        client=("list_roles",),
        result="bool",
        verdict="if",
    ),
    Symbol(
        "Role.grant",
        "method",
        RULE,
        "object, object_name, privilege, db_name=''",
        recipe("""
            client.grant_privilege(
                role_name=role_name, object_type="Collection", privilege="Search",
                object_name=collection_name, db_name="default",
            )
            # keywords: privilege and object name changed places. Name the database: the client
            # sends its own one, the ORM of 2.6.7 and later sent none, which means default
        """),
        client=("grant_privilege",),
        verdict="if",
    ),
    Symbol(
        "Role.revoke",
        "method",
        RULE,
        "object, object_name, privilege, db_name=''",
        recipe("""
            client.revoke_privilege(
                role_name=role_name, object_type="Collection", privilege="Search",
                object_name=collection_name, db_name="default",
            )
            # keywords: privilege and object name changed places. Name the database, as for grant
        """),
        client=("revoke_privilege",),
        verdict="if",
    ),
    Symbol(
        "Role.grant_v2",
        "method",
        RULE,
        "privilege, collection_name, db_name=None",
        recipe("""
            client.grant_privilege_v2(
                role_name=role_name, privilege="Search", collection_name=collection_name,
                db_name="default",
            )
            # keywords: 2.4.10 and 2.5.0 had the last two the other way round. Name the database
        """),
        client=("grant_privilege_v2",),
        verdict="if",
    ),
    Symbol(
        "Role.revoke_v2",
        "method",
        RULE,
        "privilege, collection_name, db_name=None",
        recipe("""
            client.revoke_privilege_v2(
                role_name=role_name, privilege="Search", collection_name=collection_name,
                db_name="default",
            )
            # keywords: 2.4.10 and 2.5.0 had the last two the other way round. Name the database
        """),
        client=("revoke_privilege_v2",),
        verdict="if",
    ),
    Symbol(
        "Role.list_grant",
        "method",
        RULE,
        "object, object_name, db_name=''",
        recipe("""
            grants = [
                grant for grant in client.describe_role(role_name)["privileges"]
                if grant["object_type"] == object and grant["object_name"] == object_name
            ]
            # all grants of the role are asked for, then filtered here
        """),
        client=("describe_role",),
        result="GrantInfo",
        verdict="report",
    ),
    Symbol(
        "Role.list_grants",
        "method",
        RULE,
        "db_name=''",
        recipe("""
            for grant in client.describe_role(role_name, db_name="default")["privileges"]:
                grant["object_type"], grant["object_name"], grant["privilege"]
                grant.get("grantor_name"), grant.get("db_name")  # left out when empty
            # the list itself takes the place of .groups; .object is "object_type"
        """),
        client=("describe_role",),
        result="GrantInfo",
        verdict="if",
    ),
    Symbol(
        "Role.create_privilege_group",
        "method",
        RULE,
        "privilege_group",
        "client.create_privilege_group(group_name=privilege_group)",
        client=("create_privilege_group",),
    ),
    Symbol(
        "Role.drop_privilege_group",
        "method",
        RULE,
        "privilege_group",
        "client.drop_privilege_group(group_name=privilege_group)",
        client=("drop_privilege_group",),
    ),
    Symbol(
        "Role.list_privilege_groups",
        "method",
        RULE,
        "",
        recipe("""
            for group in client.list_privilege_groups():
                group["privilege_group"], group["privileges"]
            # the list itself takes the place of .groups
        """),
        client=("list_privilege_groups",),
        result="PrivilegeGroupInfo",
        verdict="if",
    ),
    Symbol(
        "Role.add_privileges_to_group",
        "method",
        RULE,
        "privilege_group, privileges",
        recipe("""
            client.add_privileges_to_group(group_name=privilege_group, privileges=["Search"])
        """),
        client=("add_privileges_to_group",),
    ),
    Symbol(
        "Role.remove_privileges_from_group",
        "method",
        RULE,
        "privilege_group, privileges",
        recipe("""
            client.remove_privileges_from_group(group_name=privilege_group, privileges=["Search"])
        """),
        client=("remove_privileges_from_group",),
    ),
)
