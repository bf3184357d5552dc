"""The fields of a collection, as far as the code tells: for column data and for queries."""

from __future__ import annotations

import ast

from migrate_milvus.edits import Src, Template
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.values import Const, Object, only
from milvus_rules.library import CONNECTIONS
from milvus_rules.owners import collections_of, target
from milvus_rules.schemas import SchemaFacts, facts_of
from milvus_rules.writing import client_call, is_pure


def schema_of(site: Site, planning: Planning) -> SchemaFacts | None:
    """The fields of the collection that ``site`` is called on; None when they are not known.

    The schema is the one that the object was made with; for an object made by name only, the one
    that the same name is created with elsewhere in the program, when there is just one.
    """
    found: list[SchemaFacts] = []
    for item in collections_of(site, planning):
        facts = _schema_of_object(item, planning)
        if facts is None:
            return None
        found.append(facts)
    if not found:
        return None
    return _the_one(found, planning)


def _schema_of_object(item: Object, planning: Planning) -> SchemaFacts | None:
    made = _maker(item, planning)
    if made is None:
        return None
    arguments = planning.arguments(made)
    schema = arguments.get("schema")
    if schema is not None and not (isinstance(schema, ast.Constant) and schema.value is None):
        return facts_of(planning.flow, planning.flow.value(schema))
    name = _name_key(made, planning)
    if name is None:
        return None
    candidates = []
    for other in planning.sites:
        if other.symbol != "Collection" or other.form != "call" or other is made:
            continue
        if "schema" not in planning.arguments(other) or _name_key(other, planning) != name:
            continue
        if CONNECTIONS.key(other, planning.flow) != CONNECTIONS.key(made, planning.flow):
            continue
        expression = planning.arguments(other).get("schema")
        facts = facts_of(planning.flow, planning.flow.value(expression))
        if facts is None:
            return None
        candidates.append(facts)
    return _the_one(candidates, planning)


def _the_one(found: list[SchemaFacts], planning: Planning) -> SchemaFacts | None:
    """The one schema that all of ``found`` are, as far as data and queries are concerned."""

    def signature(facts: SchemaFacts) -> tuple[object, ...]:
        fields = [
            (
                text_of(planning, given.get("name")) or given.get("name"),
                *(is_switched_on(planning, given.get(key)) for key in ("is_primary", "auto_id")),
                is_switched_on(planning, given.get("nullable")),
                "default_value" in given,
            )
            for given in facts.fields
        ]
        primary = text_of(planning, facts.primary) or facts.primary
        auto_id = is_switched_on(planning, facts.auto_id)
        return (tuple(fields), primary, auto_id, facts.outputs)

    return found[0] if len({signature(facts) for facts in found}) == 1 else None


def _maker(item: Object, planning: Planning) -> Site | None:
    if isinstance(item.origin, ast.Call):
        for site in planning.flow.sites.get(item.origin, []):
            if site.symbol == "Collection":
                return site
    return None


def _name_key(site: Site, planning: Planning) -> object:
    """Equal for two constructors that surely name the same collection."""
    expression = planning.arguments(site).get("name")
    key = planning.flow.identity(expression, site.state, site.scope)
    if key is not None:
        return key
    value = only(planning.flow.value(expression))
    return value


def text_of(planning: Planning, node: ast.expr | None) -> str | None:
    """The text that an expression holds, when it is one constant."""
    value = only(planning.flow.value(node)) if node is not None else None
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(node, ast.Attribute) and node.attr == "name":
        return _name_of_field(planning, node.value)
    return None


def _name_of_field(planning: Planning, node: ast.expr) -> str | None:
    """The name that a ``FieldSchema`` was made with."""
    made = only(planning.flow.value(node))
    if not (isinstance(made, Object) and made.kind == "FieldSchema"):
        return None
    if not isinstance(made.origin, ast.Call):
        return None
    escapes = planning.flow.escapes.values()
    if any(escape.object == made and "is set" in escape.how for escape in escapes):
        return None
    named = [k.value for k in made.origin.keywords if k.arg == "name"]
    given = [*made.origin.args[:1], *named]
    return text_of(planning, given[0]) if given else None


def primary_key(site: Site, planning: Planning) -> str | None:
    """The name of the primary key of the collection that ``site`` is called on."""
    facts = schema_of(site, planning)
    if facts is None:
        return None
    if facts.primary is not None:
        return text_of(planning, facts.primary)
    for field in facts.fields:
        primary = field.get("is_primary")
        if isinstance(primary, ast.Constant) and primary.value is True:
            return text_of(planning, field.get("name"))
    return None


def fields_there(site: Site, planning: Planning) -> Template | None:
    """What reads the fields from the server, as the ORM did when the collection was constructed.

    None when the name of the collection is no plain expression: it would be evaluated twice.
    """
    name, _ = target(site, planning, several=False)
    if not all(isinstance(part, str) or _is_plain(part, planning) for part in name):
        return None
    return (client_call(planning, site, "describe_collection", (None, name)), '["fields"]')


def _is_plain(part: object, planning: Planning) -> bool:
    """Whether a part of a name may be evaluated twice."""
    if not (isinstance(part, Src) and isinstance(part.node, ast.expr)):
        return False
    for site in planning.flow.sites.get(part.node, ()):
        if site.symbol == "Collection" and site.form == "call":
            return is_pure(planning.arguments(site).get("name"))
    return is_pure(part.node)


def is_switched_on(planning: Planning, node: ast.expr | None) -> bool | None:
    """Whether a flag is on; None when that is not known."""
    if node is None:
        return False
    value = only(planning.flow.value(node))
    return bool(value.value) if isinstance(value, Const) else None
