"""Which pymilvus release has which part of the client: first release, and releases without it.

The gates come from reading every tagged pymilvus release from 2.0.0 to 3.0.1 and from running
2.3.8, 2.4.15, 2.5.18, 2.6.17 and 3.0.2. A release line may lack what an older line already has
(2.5.0 was cut before 2.4.11), hence the holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Version = tuple[int, ...]

# The oldest and the newest pymilvus whose ORM and client were read, and run, for these rules.
COVERED = ("2.0.0", "3.0.2")


@dataclass(frozen=True)
class Gate:
    """``first`` is the first release that has it for good; ``holes`` are later ones without it."""

    first: str
    holes: tuple[str, ...] = ()

    def admits(self, version: Version) -> bool:
        """Whether ``version`` (for example ``(2, 6, 13)``) has it."""
        wanted = _three(version)
        return wanted >= parse(self.first) and wanted not in [parse(hole) for hole in self.holes]

    def __str__(self) -> str:
        holes = f", not {', '.join(self.holes)}" if self.holes else ""
        return f"{self.first}{holes}"


def parse(text: str) -> Version:
    """The version that ``text`` names, as three numbers.

    >>> parse("2.6")
    (2, 6, 0)

    Raises ValueError when a part before the third dot is not a number.
    """
    return _three(tuple(int(part) for part in text.split(".")[:3]))


def _three(version: Version) -> Version:
    return (*version, 0, 0, 0)[:3]


# The first client with today's signatures; an older class of the same name has another API.
_CLIENT = Gate("2.3.7")
_DATABASES = Gate("2.4.5")
_GROUPS = Gate("2.4.10")
_PROPERTIES = Gate("2.4.11", ("2.5.0",))
_RESOURCE_GROUPS = Gate("2.4.13", ("2.5.0", "2.5.1"))
_OPERATIONS = Gate("2.6.4")

_GATES: dict[Gate, tuple[str, ...]] = {
    _CLIENT: (
        "MilvusClient",
        "alter_alias",
        "close",
        "create_alias",
        "create_collection",
        "create_index",
        "create_partition",
        "create_role",
        "create_schema",
        "create_user",
        "delete",
        "describe_alias",
        "describe_collection",
        "describe_index",
        "describe_role",
        "describe_user",
        "drop_alias",
        "drop_collection",
        "drop_index",
        "drop_partition",
        "drop_role",
        "drop_user",
        "get",
        "get_collection_stats",
        "get_load_state",
        "get_partition_stats",
        "grant_privilege",
        "grant_role",
        "has_collection",
        "has_partition",
        "insert",
        "list_aliases",
        "list_collections",
        "list_indexes",
        "list_partitions",
        "list_roles",
        "list_users",
        "load_collection",
        "load_partitions",
        "prepare_index_params",
        "query",
        "refresh_load",
        "release_collection",
        "release_partitions",
        "rename_collection",
        "revoke_privilege",
        "revoke_role",
        "search",
        "update_password",
        "upsert",
        "using_database",
    ),
    _DATABASES: ("create_database", "drop_database", "list_databases"),
    # The low-level API of 2.2.10 to 2.3.6 had a flush too; 2.3.7 dropped it for a while.
    _GROUPS: (
        "add_privileges_to_group",
        "compact",
        "create_privilege_group",
        "drop_privilege_group",
        "flush",
        "get_compaction_state",
        "get_server_version",
        "grant_privilege_v2",
        "list_privilege_groups",
        "remove_privileges_from_group",
        "revoke_privilege_v2",
    ),
    Gate("2.4.7"): ("hybrid_search",),
    _PROPERTIES: (
        "AsyncMilvusClient",
        "alter_collection_properties",
        "alter_database_properties",
        "alter_index_properties",
        "describe_database",
        "drop_collection_properties",
        "drop_database_properties",
        "drop_index_properties",
        "query_iterator",
        "search_iterator",
        "use_database",
    ),
    _RESOURCE_GROUPS: (
        "create_resource_group",
        "describe_resource_group",
        "drop_resource_group",
        "list_resource_groups",
        "transfer_replica",
        "update_resource_groups",
    ),
    Gate("2.4.15", ("2.5.0", "2.5.1", "2.5.2", "2.5.3", "2.5.4")): ("describe_replica",),
    _OPERATIONS: (
        "flush_all",
        "get_compaction_plans",
        "get_server_type",
        "list_loaded_segments",
    ),
    Gate("2.6.7"): ("truncate_collection",),
}

METHODS: dict[str, Gate] = {method: gate for gate, methods in _GATES.items() for method in methods}
"""Client methods (and the two client classes) by the releases that have them."""

BEHAVIOURS: dict[str, Gate] = {
    # AnnSearchRequest takes filter= as well as expr= (older releases know expr= only).
    "ann-search-request-filter": Gate("2.6.13"),
    # Both sides' search declare function_chains= and search_aggregation= (3.0.0 does not).
    "search-aggregation": Gate("3.0.1"),
    # add_index(**d) leaves the caller's d["params"] alone.
    "add-index-keeps-dict": Gate("2.5.7"),
    # add_index(params=None) is add_index() (read in 2.6.13; 2.5.18 raises TypeError).
    "add-index-takes-none": Gate("2.6.13"),
    # The dicts have the key under the name of the primary field (before: always under "id").
    "hit-key-by-name": Gate("2.4.14", ("2.5.0", "2.5.1", "2.5.2", "2.5.3")),
    # client.search returns the ORM's result classes, with attributes; before: plain dicts.
    "hits-as-objects": Gate("2.5.7"),
    # A Hit is a dict (it was a UserDict, which json cannot write).
    "hit-is-dict": Gate("2.6.8"),
    # client.upsert's result has the keys under "ids" (2.5.15 to 2.6.2: "primary_keys").
    "upsert-ids": Gate("2.6.3"),
    # client.load_collection without replica_number sends what the ORM sends. 2.4.5 to 2.5.8
    # differ: the client sends 1 where the ORM leaves it to the server.
    "load-replica-default": Gate("2.5.9"),
    # client.search_iterator tries the second protocol, whose next() ends with None.
    "search-iterator-v2": Gate("2.5.3"),
    # client.use_database asks the server for the database first and raises when it is missing.
    "use-database-verifies": Gate("2.6.7"),
    # close() detaches one client only (2.5.12 to 2.6.9 share one alias between equal clients).
    "close-detaches": Gate("2.6.10"),
    # use_database changes the database of one client (before: of all with the same address).
    "database-per-client": Gate("2.6.7"),
    # describe_index counts rows (total_rows, indexed_rows, pending_index_rows, state).
    "describe-index-rows": Gate("2.4.5"),
    # grant_privilege_v2(role_name, privilege, collection_name, db_name): 2.4.10 and 2.5.0 had
    # the last two the other way round.
    "privilege-v2-order": Gate("2.4.11", ("2.5.0",)),
    # insert and upsert results have "cost".
    "result-cost": Gate("2.4.3"),
}
"""What the same call does, by the releases that do it."""

RECOMMENDED = "2.6.10"
"""From here on an unconditional rewrite is sound: one connection manager, per-client databases."""

FIRST_WARNING = "2.6.13"
"""The first release whose ORM warns."""

REMOVAL = "3.1"
"""The release that the warning names for the removal."""


_LINES = """
    2.0: 0 1 2
    2.1: 0 1 2 3
    2.2: 0 1 2 3 4 5 7 8 9 11 12 13 14 15 16 17
    2.3: 0 1 2 3 4 5 6 7 8
    2.4: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
    2.5: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
    2.6: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
    3.0: 0 1 2
"""
RELEASES: tuple[str, ...] = tuple(
    f"{line}.{number}"
    for line, _, numbers in (text.strip().partition(": ") for text in _LINES.strip().split("\n"))
    for number in numbers.split()
)
"""All final releases since 2.0, oldest first."""


def gate(name: str) -> Gate:
    """The gate of a client method or a behaviour. Raises KeyError for a name without one."""
    return METHODS[name] if name in METHODS else BEHAVIOURS[name]


def available(method: str, version: Version) -> bool:
    """Whether pymilvus ``version`` has the client method (or behaviour), holes honoured.

    Raises KeyError for a name that the tables do not have.
    """
    return gate(method).admits(version)


def first(method: str) -> str:
    """The first release that has the client method (or behaviour) for good."""
    return gate(method).first


def next_with(method: str, version: Version) -> str:
    """The first release from ``version`` on that has the client method (or behaviour)."""
    later = (release for release in RELEASES if parse(release) >= _three(version))
    return next((r for r in later if available(method, parse(r))), first(method))


def requirement(methods: Sequence[str]) -> str:
    """What all of ``methods`` need together, in words: ``"2.4.11, not 2.5.0"``; "" for none."""
    gates = [gate(method) for method in methods]
    if not gates:
        return ""
    latest = max((g.first for g in gates), key=parse)
    holes = {hole for g in gates for hole in g.holes if parse(hole) > parse(latest)}
    return str(Gate(latest, tuple(sorted(holes, key=parse))))
