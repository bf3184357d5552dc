"""The ORM as its users see it, written down for the detector alone.

Nothing here comes from the codemod or its rules: a name that is missing there must not be missing
here for the same reason. The lists were read off the ``__all__`` and the decorated names of
pymilvus 2.0 to 3.0.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The names in ``text``; long lists are easier to read as words."""
    return frozenset(text.split())


#: Classes whose objects are the ORM. ``Milvus`` and ``Connections`` are the odd ones: the low-level
#: class of 2.x (gone) and the class behind the ``connections`` singleton.
CLASSES = frozenset({"Collection", "Partition", "Index", "Role", "Connections"})

#: Modules or singletons whose members are the ORM.
NAMESPACES = frozenset({"connections", "utility", "db"})

#: Functions of ``pymilvus.utility`` that are, or once were, importable from ``pymilvus`` itself.
TOP_LEVEL_FUNCTIONS = words(
    """
    has_collection drop_collection rename_collection list_collections has_partition
    loading_progress load_state wait_for_loading_complete index_building_progress
    wait_for_index_building_complete create_user delete_user update_password reset_password
    list_usernames create_resource_group update_resource_groups drop_resource_group
    describe_resource_group list_resource_groups transfer_node transfer_replica
    do_bulk_insert get_bulk_insert_state list_bulk_insert_tasks get_query_segment_info load_balance
    create_credential delete_credential update_credential list_cred_users calc_distance
    """
)

#: What ``from pymilvus.orm.utility import ...`` can name besides the above.
UTILITY_FUNCTIONS = TOP_LEVEL_FUNCTIONS | words(
    """
    truncate_collection create_alias drop_alias alter_alias list_aliases list_indexes
    list_users list_user list_roles get_server_version get_server_type flush_all
    mkts_from_hybridts mkts_from_unixtime mkts_from_datetime hybridts_to_datetime
    hybridts_to_unixtime
    """
)

DATABASE_FUNCTIONS = words(
    """
    using_database create_database drop_database list_database set_properties describe_database
    """
)

#: The packages under which the ORM is importable; ``pymilvus_orm`` is the package of 2021.
PACKAGES = frozenset({"pymilvus", "pymilvus_orm"})

#: Submodules of ``pymilvus.orm`` and what they stand for when used as a namespace.
SUBMODULE_NAMESPACES = {"utility": "utility", "db": "db", "connections": ""}

#: What an ORM member hands out: ``class.member`` → (class handed out, in a container?).
PRODUCES = {
    "Collection.partition": ("Partition", False),
    "Collection.create_partition": ("Partition", False),
    "Collection.partitions": ("Partition", True),
    "Collection.index": ("Index", False),
    "Collection.indexes": ("Index", True),
}

#: Stay valid, and are no sites; the codemod may still name them in its report.
SCHEMA_NAMES = frozenset({"FieldSchema", "CollectionSchema"})

#: What writes and some questions give back: valid, but the client's methods give a dict or a list
#: instead, so that whoever reads one has to change with the call.
RESULTS = words(
    """
    Collection.insert Collection.upsert Collection.delete
    Partition.insert Partition.upsert Partition.delete
    Collection.get_compaction_state Collection.get_compaction_plans
    Collection.get_replicas Partition.get_replicas
    Role.list_grant Role.list_grants Role.list_privilege_groups
    """
)

#: Names that older releases had at the top, and that are gone from there or from everywhere. They
#: are no ORM, and programs that import them stop at the import: the codemod should say so.
GONE_NAMES = words(
    """
    LocalBulkWriter RemoteBulkWriter BulkFileType bulk_import get_import_progress list_import_jobs
    DEFAULT_RESOURCE_GROUP BulkLoadState RangeType ConnectError NotConnectError
    RepeatingConnectError VersionError BaseException
    DEBUG_LOG_LEVEL ERROR_LOG_LEVEL INFO_LOG_LEVEL WARN_LOG_LEVEL
    """
)
