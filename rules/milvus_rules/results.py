"""Mutation results: what becomes of the object that insert, upsert and delete gave."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import Edit, ReplaceNode, Src, Template
from migrate_milvus.flow import Site, Slot
from migrate_milvus.planning import Planning, Quiet
from migrate_milvus.program import ClassInfo, FunctionInfo
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from migrate_milvus.values import Object
from milvus_rules import versions
from milvus_rules.showing import is_shown, note_shown
from milvus_rules.writing import is_pure

DELETE_RESULT = predicate(
    "delete-result-unused", "the result of delete is not needed as the ORM's object"
)
RESULT = predicate("result-in-sight", "the result is only shown, or read through its attributes")
RESULT_MEMBER = predicate("result-member-known", "the attribute has an equivalent")

_ITEMS = {
    "insert": {"primary_keys": "ids", "insert_count": "insert_count", "cost": "cost"},
    "upsert": {"primary_keys": "ids", "upsert_count": "upsert_count", "cost": "cost"},
}


def check_result(site: Site, planning: Planning) -> None:
    """Raise Refusal where the result of a mutation is needed as the ORM's object.

    Its attributes are sites of their own. Where it is printed or logged the client's answer takes
    the place of the ORM's text, which holds a time stamp of the server, so that no two are equal:
    a note says so. A note also names a function without callers that returns the answer now.
    """
    made = Object("MutationResult", site.node)
    verb = _verb(site)
    deleting = verb == "delete"
    reason, rule = (DELETE_RESULT, "MLV402") if deleting else (RESULT, "MLV403")
    kind = "a dict, or a list of keys where the server returns them" if deleting else "a dict"
    shown: list[ast.AST] = []
    for (item, node), escape in planning.flow.escapes.items():
        if item != made:
            continue
        if is_shown(planning, node):
            shown.append(node)
            continue
        require(
            reason,
            refuted(
                f"the result of {verb}() is {escape.how}; with the client it is {kind}",
                _recipe(planning, site),
            ),
            node=node,
            rule=rule,
        )
    note_shown(planning, site, shown, f"the client's answer: {kind}")
    for slot in planning.flow.holders.get(made, ()):
        if slot.kind != "result":
            require(
                reason,
                _slot_answer(site, planning, slot, kind),
                node=site.node,
                rule=rule,
            )


def _verb(site: Site) -> str:
    return site.symbol.rpartition(".")[2]


def _recipe(planning: Planning, site: Site) -> str:
    """How the result is read by hand."""
    variable = "result"
    statement = planning.flow.source.statement(site.node)
    if isinstance(statement, ast.Assign) and statement.value is site.node:
        variable = planning.flow.source.segment(statement.targets[0])
    if _verb(site) == "delete":
        return (
            f'count = {variable}["delete_count"] if isinstance({variable}, dict) '
            f"else len({variable})"
        )
    items = _ITEMS[_verb(site)]
    return "; ".join(f'{variable}.{name} is {variable}["{key}"]' for name, key in items.items())


def _slot_answer(site: Site, planning: Planning, slot: Slot, kind: str) -> Answer:
    """Whether all that read the slot, which holds the result, are in sight."""
    if planning.crossing.is_seen_elsewhere(slot):
        what = f"the attribute '{slot.name}'" if slot.kind == "attribute" else f"'{slot.name}'"
        return unknown(f"another file reads {what}, the result", _recipe(planning, site))
    function = slot.owner
    if slot.kind not in ("return", "yield") or not isinstance(function, FunctionInfo):
        return PROVED
    callers = planning.flow.callers(function)
    hidden = planning.has_hidden_callers(function) or (
        not callers and (_is_framework(function) or planning.settings.keep_signatures)
    )
    if hidden:
        return unknown(
            f"the result is returned by {function.name}(), whose callers are out of sight; with "
            f"the client it is {kind}",
            "Return what the callers need. " + _recipe(planning, site),
        )
    if not callers and not isinstance(function.node, ast.Lambda):
        planning.note(
            site,
            "result-returned",
            f"{function.name}(), which nothing in the project calls, now returns {kind}: "
            + _recipe(planning, site),
        )
    return PROVED


def _is_framework(function: FunctionInfo) -> bool:
    """Whether a class of another package may call the method."""
    owner = function.owner
    return owner is not None and any(_has_outside_bases(c) for c in owner.ancestry())


def _has_outside_bases(owner: ClassInfo) -> bool:
    bases = [ast.unparse(base) for base in owner.node.bases]
    return len([b for b in bases if b != "object"]) > len(owner.bases)


class Results(Rule):
    """Attributes of a mutation result become items of the dict that the client returns.

    ``result.primary_keys`` becomes ``result["ids"]``, ``insert_count``, ``upsert_count`` and
    ``cost`` keep their names. The client answers a delete with a list of keys where the server
    returns them, else with a dict: ``delete_count`` and ``cost`` are written for both.

    Accepted difference: a result that is printed or logged shows as the client's dict; a note says
    where. So does one about a function without callers that returns the result.

    Refused where the result itself is returned to code out of sight, stored or passed on, and for
    attributes without an equivalent (``timestamp``, ``err_count``, …). ``primary_keys`` of an
    upsert needs pymilvus 2.6.3.

    Source: both sides run on pymilvus 2.3.8 to 3.0.2 and Milvus Lite.
    """

    id = "MLV403"
    title = "mutation results are read like dicts"
    symbols = tuple(
        f"MutationResult.{name}"
        for name in (
            "primary_keys",
            "insert_count",
            "upsert_count",
            "cost",
            "delete_count",
            "succ_count",
            "err_count",
            "succ_index",
            "err_index",
            "timestamp",
        )
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        name = _verb(site)
        assert site.receiver is not None
        verbs = _makers(site, planning)
        if verbs == {"construct_from_dataframe"}:
            raise Quiet  # said where it is made
        written = _written(site, planning, name, verbs)
        require(
            RESULT_MEMBER,
            PROVED
            if written is not None
            else refuted(
                f"{name} is read of a list or a dict with the client: that needs a variable"
                if verbs == {"delete"} and name in ("delete_count", "cost")
                else f"{name} of a mutation result has no counterpart"
                if len(verbs) == 1
                else f"this is the result of {' or '.join(sorted(verbs))}, depending on the path",
                planning.recipe(site),
            ),
        )
        return [ReplaceNode(site.node, written or (Src(site.receiver),))]


def _makers(site: Site, planning: Planning) -> set[str]:
    """The methods whose result the attribute is read of: insert, upsert, delete."""
    return {
        _verb(made)
        for result in site.objects
        if isinstance(result.origin, ast.AST)
        for made in planning.flow.sites.get(result.origin, [])
        if "MutationResult" not in made.symbol
    }


def _written(site: Site, planning: Planning, name: str, verbs: set[str]) -> Template | None:
    """What stands for the attribute ``name`` of the result of ``verbs``; None: nothing does."""
    assert site.receiver is not None
    result = Src(site.receiver)
    if verbs == {"delete"}:
        if not is_pure(site.receiver):
            return None
        test: Template = (" if isinstance(", result, ", list) else ", result)
        if name == "delete_count":
            return ("len(", result, ")", *test, '["delete_count"]')
        # Servers that return keys are older than those that tell the cost.
        return ("0", *test, '["cost"]') if name == "cost" else None
    keys = {_ITEMS[verb].get(name) for verb in verbs if verb in _ITEMS}
    key = next(iter(keys)) if len(keys) == 1 and verbs <= _ITEMS.keys() else None
    gates = {"ids": "upsert-ids" if "upsert" in verbs else "", "cost": "result-cost"}
    gate = gates.get(key or "", "")
    if key is None or (gate and not versions.available(gate, planning.settings.target_version)):
        return None
    return (result, f'["{key}"]')
