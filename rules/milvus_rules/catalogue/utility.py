"""``utility``: functions on a connection, most of them re-exported at top level."""

from __future__ import annotations

from milvus_rules.catalogue.model import READ, Symbol, recipe

COLLECTIONS: tuple[Symbol, ...] = (
    Symbol(
        "utility",
        "namespace",
        "MLV010",
        None,
        recipe("""
            # the functions became methods of the client: call them by name
            client.has_collection(collection_name)
            client.list_collections()
        """),
        client=("has_collection", "list_collections"),
        result="utility",
        warns=False,
        verdict="if",
    ),
    Symbol(
        "utility.has_collection",
        "function",
        "MLV601",
        "collection_name, using='default', timeout=None",
        "client.has_collection(collection_name, timeout=timeout)",
        client=("has_collection",),
        result="bool",
    ),
    Symbol(
        "utility.has_partition",
        "function",
        "MLV701",
        "collection_name, partition_name, using='default', timeout=None",
        "client.has_partition(collection_name, partition_name, timeout=timeout)",
        client=("has_partition",),
        result="bool",
    ),
    Symbol(
        "utility.drop_collection",
        "function",
        "MLV601",
        "collection_name, timeout=None, using='default'",
        recipe("""
            client.drop_collection(collection_name, timeout=timeout)
            # a missing collection is no error, as before
        """),
        client=("drop_collection",),
    ),
    Symbol(
        "utility.truncate_collection",
        "function",
        "MLV601",
        "collection_name, timeout=None, using='default'",
        "client.truncate_collection(collection_name, timeout=timeout)",
        client=("truncate_collection",),
    ),
    Symbol(
        "utility.rename_collection",
        "function",
        "MLV601",
        "old_collection_name, new_collection_name, new_db_name='', timeout=None, using='default'",
        recipe("""
            client.rename_collection(old_name=old, new_name=new, target_db="", timeout=timeout)
            # the keywords changed: old_name, new_name, target_db
        """),
        client=("rename_collection",),
    ),
    Symbol(
        "utility.list_collections",
        "function",
        "MLV601",
        "timeout=None, using='default', **",
        "client.list_collections(timeout=timeout)",
        client=("list_collections",),
        result="list[str]",
    ),
    Symbol(
        "utility.list_indexes",
        "function",
        "MLV601",
        "collection_name, using='default', timeout=None, **",
        'client.list_indexes(collection_name, field_name="vector", timeout=timeout)',
        client=("list_indexes",),
        result="list[str]",
    ),
    Symbol(
        "utility.create_alias",
        "function",
        "MLV603",
        "collection_name, alias, timeout=None, using='default'",
        "client.create_alias(collection_name=collection_name, alias=alias, timeout=timeout)",
        client=("create_alias",),
    ),
    Symbol(
        "utility.drop_alias",
        "function",
        "MLV603",
        "alias, timeout=None, using='default'",
        "client.drop_alias(alias, timeout=timeout)",
        client=("drop_alias",),
    ),
    Symbol(
        "utility.alter_alias",
        "function",
        "MLV603",
        "collection_name, alias, timeout=None, using='default'",
        "client.alter_alias(collection_name=collection_name, alias=alias, timeout=timeout)",
        client=("alter_alias",),
    ),
    Symbol(
        "utility.list_aliases",
        "function",
        "MLV603",
        "collection_name, timeout=None, using='default'",
        recipe("""
            client.list_aliases(collection_name, timeout=timeout)["aliases"]
            # in another database than default the answers differ: from 2.6.7 on the ORM asked in
            # default, the client asks in its own database
        """),
        client=("list_aliases",),
        result="list[str]",
        verdict="if",
    ),
)

PROGRESS: tuple[Symbol, ...] = (
    Symbol(
        "utility.loading_progress",
        "function",
        "MLV602",
        "collection_name, partition_names=None, using='default', timeout=None",
        recipe("""
            state = client.get_load_state(collection_name)
            percent = 100 if state["state"] == LoadState.Loaded else state.get("progress", 0)
            progress = {"loading_progress": f"{percent}%"}
            # from pymilvus.client.types import LoadState. Per partition:
            # client.get_load_state(collection_name, partition_name="part")
        """),
        client=("get_load_state",),
        result="dict",
        verdict="report",
    ),
    Symbol(
        "utility.load_state",
        "function",
        "MLV602",
        "collection_name, partition_names=None, using='default', timeout=None",
        recipe("""
            client.get_load_state(collection_name, partition_name="", timeout=timeout)["state"]
            # a LoadState, under ["state"]; one partition at a time, partition_name="part"
        """),
        client=("get_load_state",),
        result="LoadState",
        verdict="if",
    ),
    Symbol(
        "utility.wait_for_loading_complete",
        "function",
        "MLV602",
        "collection_name, partition_names=None, timeout=None, using='default'",
        recipe("""
            # after client.load_collection(collection_name) nothing is left to wait for; else:
            while client.get_load_state(collection_name)["state"] != LoadState.Loaded:
                time.sleep(0.5)
            # from pymilvus.client.types import LoadState
        """),
        client=("get_load_state",),
        verdict="if",
    ),
    Symbol(
        "utility.index_building_progress",
        "function",
        "MLV602",
        "collection_name, index_name='', using='default', timeout=None",
        recipe("""
            progress = client.describe_index(collection_name, index_name)
            progress["total_rows"], progress["indexed_rows"], progress["pending_index_rows"]
            # index_name is required; None where the index is missing (the ORM raised)
        """),
        client=("describe_index",),
        result="dict",
        verdict="if",
        needs="2.4.5",
    ),
    Symbol(
        "utility.wait_for_index_building_complete",
        "function",
        "MLV602",
        "collection_name, index_name='', timeout=None, using='default'",
        recipe("""
            # after client.create_index(...) nothing is left to wait for; else:
            while client.describe_index(collection_name, index_name)["pending_index_rows"]:
                time.sleep(0.5)
        """),
        client=("describe_index",),
        result="bool",
        verdict="if",
        needs="2.4.5",
    ),
)

USERS: tuple[Symbol, ...] = (
    Symbol(
        "utility.create_user",
        "function",
        "MLV604",
        "user, password, using='default', timeout=None",
        "client.create_user(user_name=user, password=password, timeout=timeout)",
        client=("create_user",),
    ),
    Symbol(
        "utility.delete_user",
        "function",
        "MLV604",
        "user, using='default', timeout=None",
        "client.drop_user(user_name=user, timeout=timeout)",
        client=("drop_user",),
    ),
    Symbol(
        "utility.update_password",
        "function",
        "MLV604",
        "user, old_password, new_password, using='default', timeout=None",
        recipe("""
            client.update_password(
                user_name=user, old_password=old, new_password=new, timeout=timeout
            )
        """),
        client=("update_password",),
    ),
    Symbol(
        "utility.reset_password",
        "function",
        "MLV604",
        "user, old_password, new_password, using='default', timeout=None",
        recipe("""
            client.update_password(
                user_name=user, old_password=old, new_password=new, reset_connection=True
            )
            # reset_connection=True makes the client go on with the new password
        """),
        client=("update_password",),
    ),
    Symbol(
        "utility.list_usernames",
        "function",
        "MLV604",
        "using='default', timeout=None",
        "client.list_users(timeout=timeout)",
        client=("list_users",),
        result="list[str]",
    ),
    Symbol(
        "utility.list_users",
        "function",
        "MLV604",
        "include_role_info, using='default', timeout=None",
        recipe("""
            for user_name in client.list_users():
                roles = client.describe_user(user_name=user_name).get("roles", ())
            # one request per user instead of one for all; only the names: client.list_users()
        """),
        client=("list_users", "describe_user"),
        result="UserInfo",
        verdict="report",
    ),
    Symbol(
        "utility.list_user",
        "function",
        "MLV604",
        "username, include_role_info, using='default', timeout=None",
        recipe("""
            info = client.describe_user(user_name=username)  # {} where there is no such user
            info["user_name"], info["roles"]
        """),
        client=("describe_user",),
        result="UserInfo",
        verdict="if",
    ),
    Symbol(
        "utility.list_roles",
        "function",
        "MLV604",
        "include_user_info, using='default', timeout=None",
        recipe("""
            role_names = client.list_roles()  # names, in the place of .groups[i].role_name
            # users of a role: [u for u in client.list_users()
            #                   if role_name in client.describe_user(user_name=u).get("roles", ())]
        """),
        client=("list_roles",),
        result="RoleInfo",
        verdict="if",
    ),
)

RESOURCES: tuple[Symbol, ...] = (
    Symbol(
        "utility.create_resource_group",
        "function",
        "MLV605",
        "name, using='default', timeout=None, **",
        "client.create_resource_group(name=name, timeout=timeout, config=config)",
        client=("create_resource_group",),
    ),
    Symbol(
        "utility.update_resource_groups",
        "function",
        "MLV605",
        "configs, using='default', timeout=None",
        "client.update_resource_groups(configs=configs, timeout=timeout)",
        client=("update_resource_groups",),
    ),
    Symbol(
        "utility.drop_resource_group",
        "function",
        "MLV605",
        "name, using='default', timeout=None",
        "client.drop_resource_group(name=name, timeout=timeout)",
        client=("drop_resource_group",),
    ),
    Symbol(
        "utility.describe_resource_group",
        "function",
        "MLV605",
        "name, using='default', timeout=None",
        "client.describe_resource_group(name=name, timeout=timeout)",
        client=("describe_resource_group",),
        result="ResourceGroupInfo",
    ),
    Symbol(
        "utility.list_resource_groups",
        "function",
        "MLV605",
        "using='default', timeout=None",
        "client.list_resource_groups(timeout=timeout)",
        client=("list_resource_groups",),
        result="list[str]",
    ),
    Symbol(
        "utility.transfer_node",
        "function",
        "MLV605",
        "source_group, target_group, num_nodes, using='default', timeout=None",
        recipe("""
            # say how many nodes each group shall have, instead of moving them
            client.update_resource_groups({
                source_group: ResourceGroupConfig(requests={"node_num": 1}, limits={"node_num": 1}),
                target_group: ResourceGroupConfig(requests={"node_num": 2}, limits={"node_num": 2}),
            })
            # from pymilvus.client.types import ResourceGroupConfig
        """),
        client=("update_resource_groups",),
        verdict="report",
    ),
    Symbol(
        "utility.transfer_replica",
        "function",
        "MLV605",
        "source_group, target_group, collection_name, num_replicas, using='default', timeout=None",
        recipe("""
            client.transfer_replica(
                source_group=source_group, target_group=target_group,
                collection_name=collection_name, num_replicas=1, timeout=timeout,
            )
        """),
        client=("transfer_replica",),
    ),
)

BULK: tuple[Symbol, ...] = (
    Symbol(
        "utility.do_bulk_insert",
        "function",
        "MLV606",
        "collection_name, files, partition_name=None, timeout=None, using='default', **",
        recipe("""
            from pymilvus.bulk_writer import bulk_import  # pip install "pymilvus[bulk_writer]"
            url, key = "http://localhost:19530", "root:Milvus"  # Milvus' own address and token
            resp = bulk_import(
                url=url, api_key=key, collection_name=collection_name, files=[files],
                partition_name=partition_name,
            )
            job_id = resp.json()["data"]["jobId"]  # a string; the files stay in the object store
        """),
        result="int",
        verdict="report",
        source=READ,
        needs="2.4.2",
    ),
    Symbol(
        "utility.get_bulk_insert_state",
        "function",
        "MLV606",
        "task_id, timeout=None, using='default', **",
        recipe("""
            from pymilvus.bulk_writer import get_import_progress
            data = get_import_progress(url=url, api_key=key, job_id=job_id).json()["data"]
            data["state"], data["progress"], data.get("reason")
            # states: Pending, Importing, Completed, Failed; job_id comes from bulk_import, the
            # ids of do_bulk_insert are not known there
        """),
        result="BulkInsertState",
        verdict="report",
        source=READ,
        needs="2.4.2",
    ),
    Symbol(
        "utility.list_bulk_insert_tasks",
        "function",
        "MLV606",
        "limit=0, collection_name=None, timeout=None, using='default', **",
        recipe("""
            from pymilvus.bulk_writer import list_import_jobs
            resp = list_import_jobs(url=url, api_key=key, collection_name=collection_name)
            for record in resp.json()["data"]["records"]:
                record["jobId"], record["state"], record["progress"]
        """),
        result="list[BulkInsertState]",
        verdict="report",
        source=READ,
        needs="2.4.2",
    ),
)

SERVER: tuple[Symbol, ...] = (
    Symbol(
        "utility.load_balance",
        "function",
        "MLV607",
        "collection_name, src_node_id, dst_node_ids=None, sealed_segment_ids=None, timeout=None, "
        "using='default'",
        recipe("""
            # no client call: balancing belongs to the operator. Leave it to the automatic balancer
            # (queryCoord.autoBalance in milvus.yaml), or move segments with the management API:
            # curl -X POST http://HOST:9091/management/querycoord/transfer/segment \\
            #      -d "source_node_id=1&target_node_id=2&segment_id=3&copy_mode=false"
        """),
        verdict="report",
        source=READ,
    ),
    Symbol(
        "utility.get_query_segment_info",
        "function",
        "MLV607",
        "collection_name, timeout=None, using='default'",
        recipe("""
            for segment in client.list_loaded_segments(collection_name, timeout=timeout):
                segment.segment_id, segment.num_rows, segment.state, segment.node_ids
            # was segmentID, collectionID, partitionID, indexID, nodeIds: now segment_id, ...
        """),
        client=("list_loaded_segments",),
        result="list[QuerySegmentInfo]",
        verdict="if",
    ),
    Symbol(
        "utility.get_server_version",
        "function",
        "MLV607",
        "using='default', timeout=None",
        "client.get_server_version(timeout=timeout)",
        client=("get_server_version",),
        result="str",
    ),
    Symbol(
        "utility.get_server_type",
        "function",
        "MLV607",
        "using='default'",
        "client.get_server_type()",
        client=("get_server_type",),
        result="str",
    ),
    Symbol(
        "utility.flush_all",
        "function",
        "MLV607",
        "using='default', timeout=None, **",
        "client.flush_all(timeout=timeout)",
        client=("flush_all",),
    ),
)


def _timestamp(name: str, signature: str) -> Symbol:
    return Symbol(
        f"utility.{name}",
        "function",
        "MLV608",
        signature,
        recipe(f"""
            from pymilvus import {name}  # the same function, which goes on without utility
        """),
        result="datetime" if name == "hybridts_to_datetime" else "int",
        warns=False,
        verdict="safe",
    )


TIMESTAMPS: tuple[Symbol, ...] = (
    _timestamp("mkts_from_hybridts", "hybridts, milliseconds=0.0, delta=None"),
    _timestamp("mkts_from_unixtime", "epoch, milliseconds=0.0, delta=None"),
    _timestamp("mkts_from_datetime", "d_time, milliseconds=0.0, delta=None"),
    _timestamp("hybridts_to_datetime", "hybridts, tz=None"),
    _timestamp("hybridts_to_unixtime", "hybridts"),
)

SYMBOLS: tuple[Symbol, ...] = (
    COLLECTIONS + PROGRESS + USERS + RESOURCES + BULK + SERVER + TIMESTAMPS
)
