"""Which collection a partition belongs to: its name, and its objects."""

from __future__ import annotations

import ast

from migrate_milvus.edits import Template
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, predicate, require, unknown
from migrate_milvus.values import Const, Object, Opaque, Shape
from milvus_rules.writing import Pair

OWNER = predicate("partition-collection-known", "the name of the partition's collection is at hand")

_GIVES_PARTITIONS = (
    "Partition",
    "Collection.partition",
    "Collection.create_partition",
    "Collection.partitions",
)


def maker(item: Object, planning: Planning) -> Site | None:
    """The site that gave a partition."""
    if isinstance(item.origin, ast.AST):
        for site in planning.flow.sites.get(item.origin, []):
            if site.symbol in _GIVES_PARTITIONS:
                return site
    return None


def owner(made: Site, planning: Planning) -> ast.expr | None:
    """The expression for the collection at the site that gave a partition."""
    if made.symbol == "Partition":
        return planning.arguments(made).get("collection")
    return made.receiver


def constructor_owner(site: Site, planning: Planning, collection: ast.expr) -> Template:
    """The name of the collection that the constructor is given: an object, or the name itself.

    Raises Refusal (``partition-collection-known``) when which of them it is cannot be told.
    """
    values = planning.flow.value(collection)
    objects = bool(values) and all(isinstance(v, Object) for v in values)
    texts = bool(values) and all(
        isinstance(v.value, str)
        if isinstance(v, Const)
        else isinstance(v, Opaque) and v.shape is Shape.TEXT
        for v in values
    )
    require(
        OWNER,
        PROVED
        if objects or texts
        else unknown(
            "whether this is a Collection or its name cannot be told from the code",
            planning.recipe(site),
        ),
    )
    return planning.name_of(collection)


def owner_name(site: Site, planning: Planning) -> Template:
    """The name of the collection, at a site whose receiver is a partition.

    Raises Refusal (``partition-collection-known``) when it is not at hand there.
    """
    name: Template | None = None
    if len(site.objects) == 1:
        (item,) = site.objects
        made = maker(item, planning)
        expression = owner(made, planning) if made is not None else None
        if made is not None and expression is not None:
            name = planning.names_still(expression, made, site)
    require(
        OWNER,
        PROVED
        if name is not None
        else unknown(
            "the name of the collection that the partition belongs to is not at hand here",
            "Hand the collection's name over together with the partition's.",
        ),
    )
    return name or ("collection_name",)


def target(site: Site, planning: Planning, several: bool) -> tuple[Template, Pair | None]:
    """The collection's name for a call, and the argument that names the partition, if any."""
    if not site.symbol.startswith("Partition."):
        return planning.name(site), None
    name = planning.name(site)
    named: Pair = ("partition_names", ("[", *name, "]")) if several else ("partition_name", name)
    return owner_name(site, planning), named


def collections_of(site: Site, planning: Planning) -> frozenset[Object]:
    """The collections that a site is about: its receiver, or those of the partitions."""
    found: set[Object] = set()
    for item in site.objects:
        if item.kind != "Partition":
            found.add(item)
            continue
        made = maker(item, planning)
        expression = owner(made, planning) if made is not None else None
        held = [v for v in planning.flow.value(expression) if isinstance(v, Object)]
        if not held:
            return frozenset()
        found.update(held)
    return frozenset(found)
