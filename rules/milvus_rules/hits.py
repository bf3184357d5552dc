"""Hits of a search, which the client gave as dicts before pymilvus 2.5.7."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import Edit, ReplaceNode, Src, Template
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Const, ModuleValue, only
from milvus_rules import versions
from milvus_rules.described import check_read, read
from milvus_rules.fields import primary_key, text_of

RESULTS = predicate(
    "results-as-objects", "the target's hits have attributes, or all that is read of them has a key"
)
KEY = predicate("hit-key-known", "the key under which a hit has its primary key is known")
FIELD = predicate("hit-field-known", "the field that is read of a hit is one that was asked for")

# What a hit of 2.5.7 and later gives for these is not the field of that name.
_OWN = ("distance", "entity")


def check_results(site: Site, planning: Planning) -> None:
    """Refuse a search whose results may be read in a way that the target's client lacks."""
    if not versions.available("hits-as-objects", planning.settings.target_version):
        check_read(site, planning, RESULTS, planning.rule_set.recipe("search results"))


def _searches(site: Site, planning: Planning) -> list[Site]:
    """The searches that gave the hit, or the hits, which is read."""
    return [
        made
        for item in site.objects
        if isinstance(item.origin, ast.AST)
        for made in planning.flow.sites.get(item.origin, [])
        if made.symbol.endswith("search")
    ]


def _primary(searches: list[Site], planning: Planning) -> str | None:
    """The name of the primary key of all collections that were searched; None when not known."""
    names = {primary_key(made, planning) for made in searches}
    return next(iter(names)) if len(names) == 1 else None


class Hits(Rule):
    """What is read of a hit has a key, where the target's client gives hits as dicts.

    From pymilvus 2.5.7 on both sides give the same classes, and nothing is written. For an older
    ``--target-version``, ``hit.distance`` and ``hit.score`` become ``hit["distance"]``,
    ``hit.entity`` becomes ``hit["entity"]``, ``hit.get("x")`` becomes ``hit["entity"].get("x")``,
    ``hits.distances`` and ``hits.ids`` become lists of what each hit has. ``hit.id`` becomes
    ``hit["pk"]``, with the name of the primary field, which is the key from 2.4.14 on (2.5.0 to
    2.5.3 excepted); where that is ``id``, in every release.

    Accepted difference: a hit that is printed or logged shows as a dict; a note says where.

    Refused where hits get out of sight, or the same code may get something else; for ``hit.id``
    when the primary field is not known, or not the key in the target; for fields read by an
    attribute or by a name that is not a constant.

    Source: both sides run on pymilvus 2.4.15 and on 2.5.18; the classes read in 2.4.13 to 2.5.7.
    """

    id = "MLV504"
    title = "hits are read like dicts where the target's client gives dicts"
    symbols = (
        "Hits.ids",
        "Hits.distances",
        "Hit.id",
        "Hit.pk",
        "Hit.distance",
        "Hit.score",
        "Hit.entity",
        "Hit.fields",
        "Hit.get",
        "Hit.to_dict",
        "Entity.get",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        assert site.receiver is not None
        receiver = Src(site.receiver)
        match site.symbol:
            case "Hits.ids" | "Hit.id" | "Hit.pk":
                key = self.key(site, planning)
                if site.symbol == "Hits.ids":
                    return [_of_each(site, planning, key)]
                return [ReplaceNode(site.node, (receiver, f'["{key}"]'))]
            case "Hits.distances":
                return [_of_each(site, planning, "distance")]
            case "Hit.to_dict":
                return [ReplaceNode(site.node, ("dict(", receiver, ")"))]
            case "Hit.get" | "Entity.get":
                require(FIELD, lambda: _field(site, planning))
                whole: Template = (receiver, '["entity"]')
                held = (receiver,) if site.symbol == "Entity.get" else whole
                name = planning.arguments(site).get("field_name")
                given: Template = (Src(name),) if name is not None else ()
                return [ReplaceNode(site.node, (*held, ".get(", *given, ")"))]
        if site.symbol == "Hit.entity":
            check_read(site, planning, RESULTS, planning.rule_set.recipe("search results"))
        return read(site, planning)

    def key(self, site: Site, planning: Planning) -> str:
        """The key of a hit under which its primary key stands."""
        name = _primary(_searches(site, planning), planning)
        require(KEY, lambda: _key_fits(site, planning, name))
        return name or "id"


def _key_fits(site: Site, planning: Planning, name: str | None) -> Answer:
    recipe = planning.recipe(site)
    if name is None or name in _OWN:
        return unknown(
            "the primary field, by whose name a hit has its primary key, is not known here", recipe
        )
    target = planning.settings.target_version
    if name == "id" or versions.available("hit-key-by-name", target):
        return PROVED
    later = versions.next_with("hit-key-by-name", target)
    return refuted(
        f'a hit of pymilvus {".".join(map(str, target))} has its primary key under "id", one of '
        f'{later} under "{name}"',
        f"Require pymilvus>={later} and pass --target-version.",
    )


def _field(site: Site, planning: Planning) -> Answer:
    """Whether the field is the same one in the hit of any release."""
    arguments = planning.arguments(site)
    name = text_of(planning, arguments.get("field_name"))
    recipe = planning.recipe(site)
    if name is None or arguments.unknown or arguments.extra:
        return unknown("which field of the hit this reads is not known", recipe)
    if name in _OWN:
        return refuted(f'"{name}" is a field before pymilvus 2.5.7, and none from then on', recipe)
    searches = _searches_of_entity(site, planning)
    primary = _primary(searches, planning)
    asked = [_output_fields(made, planning) for made in searches]
    if (primary is not None and primary != name) or all(
        fields is not None and {name, "*"} & fields for fields in asked
    ):
        return PROVED
    return unknown(
        f"{name} may be the primary key, which a hit before pymilvus 2.5.7 has among its fields "
        "only where output_fields names it",
        recipe,
    )


def _searches_of_entity(site: Site, planning: Planning) -> list[Site]:
    """The searches that gave the hit whose field is read, be it through ``hit.entity``."""
    if site.symbol != "Entity.get":
        return _searches(site, planning)
    return [
        made
        for item in site.objects
        if isinstance(item.origin, ast.AST)
        for read_there in planning.flow.sites.get(item.origin, [])
        for made in _searches(read_there, planning)
    ]


def _output_fields(made: Site, planning: Planning) -> set[str] | None:
    """The names in ``output_fields``; None when they are not all known."""
    content = planning.flow.content(
        planning.flow.value(planning.arguments(made).get("output_fields"))
    )
    if content is None or not content.exact or content.changed or content.appended:
        return None
    values = [only(planning.flow.value(item)) for item in content.items]
    return {str(v.value) for v in values if isinstance(v, Const)}


def _of_each(site: Site, planning: Planning, key: str) -> Edit:
    """``[hit["pk"] for hit in hits]``, or the one that is taken of it, or the number of them."""
    assert site.receiver is not None
    receiver = Src(site.receiver)
    parent = planning.flow.source.parents[site.node]
    match parent:
        case ast.Subscript(ctx=ast.Load(), slice=index) if not isinstance(index, ast.Slice):
            return ReplaceNode(parent, (receiver, "[", Src(index), f']["{key}"]'))
        case ast.Call(func=function) if planning.flow.value(function) == {
            ModuleValue("builtins.len")
        }:
            return ReplaceNode(site.node, (receiver,))
    return ReplaceNode(site.node, (f'[hit["{key}"] for hit in ', receiver, "]"))
