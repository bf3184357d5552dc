"""Compaction: the job's id, which the ORM kept in the object, is kept in a variable."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.arguments import Arguments
from migrate_milvus.edits import (
    Block,
    CallTemplate,
    Edit,
    Line,
    ReplaceNode,
    ReplaceStatement,
    Template,
)
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, refuted, require, unknown
from milvus_rules.described import check_read, read
from milvus_rules.writing import client_call, is_none, is_statement, keyword, known, named

JOB = predicate("compaction-job-known", "the job that is asked about was started just before")
UNUSED = predicate("compaction-result-unused", "nothing is read of what the ORM call gives")
ARGUMENTS = "load-arguments-known"

_STARTS = "Collection.compact"
_ASKS = (
    "Collection.get_compaction_state",
    "Collection.wait_for_compaction_completed",
    "Collection.get_compaction_plans",
)


_WAIT = """\
job_id = client.compact({name})
until = time.monotonic() + {limit}
while client.get_compaction_state(job_id) != "Completed":
    if time.monotonic() > until:
        raise TimeoutError("the compaction takes too long")
    time.sleep(0.5)"""


class Compaction(Rule):
    """``collection.compact()`` gives the job's id, by which it is asked about later.

    The ORM kept the id in the object; it becomes a variable where it is needed.
    ``get_compaction_state()`` becomes ``client.get_compaction_state(job_id)``, whose answer is the
    name of the state (``.state_name`` before), ``get_compaction_plans()`` becomes
    ``client.get_compaction_plans(job_id)``, which gives the same object, and
    ``wait_for_compaction_completed()`` becomes a loop that asks twice a second, as the ORM did.

    Refused when the ``compact`` that is meant does not surely stand before in the same function,
    when other attributes of the state are read, and for a wait with a timeout.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2, requests compared; ``get_compaction_plans``
    needs pymilvus 2.6.4.
    """

    id = "MLV212"
    title = "methods about the collection's life take its name"
    symbols = (
        _STARTS,
        *_ASKS,
        "CompactionState.state_name",
        "CompactionState.state",
        "CompactionState.compaction_id",
        "CompactionState.in_executing",
        "CompactionState.in_timeout",
        "CompactionState.completed",
    )

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        if site.symbol.startswith("CompactionState."):
            return read(site, planning)
        arguments = planning.arguments(site)
        if site.symbol == _STARTS:
            return _start(site, planning, arguments)
        waits = site.symbol.endswith("wait_for_compaction_completed")
        allowed = ("is_clustering",) if waits else ("is_clustering", "timeout")
        timeout = arguments.get("timeout")
        require(
            ARGUMENTS,
            known(arguments, allowed, ("timeout",))
            if not waits or is_none(timeout) or timeout is None
            else unknown(
                "the wait ends after a time, which the loop that takes its place does not",
                _WAIT.format(name=named(planning, site), limit=planning.text(timeout)),
            ),
        )
        job = _job(site, planning)
        require(
            JOB,
            PROVED
            if job is not None
            else unknown(
                "the compact() that this asks about does not surely stand before, in this function",
                planning.recipe(site),
            ),
        )
        variable = (_variable(job, planning) if job is not None else None) or "job_id"
        passed = None if is_none(timeout) else keyword(arguments, "timeout")
        if site.symbol.endswith("get_compaction_plans"):
            plans = client_call(planning, site, "get_compaction_plans", (None, (variable,)), passed)
            return [ReplaceNode(site.node, (plans,))]
        state = client_call(planning, site, "get_compaction_state", (None, (variable,)), passed)
        if waits:
            return _wait(site, planning, state)
        check_read(site, planning)
        return [ReplaceNode(site.node, (state,))]


def _start(site: Site, planning: Planning, arguments: Arguments) -> list[Edit]:
    require(ARGUMENTS, lambda: known(arguments, ("is_clustering", "timeout")))
    require(UNUSED, lambda: _unused(site, planning))
    call = client_call(
        planning,
        site,
        "compact",
        (None, planning.name(site)),
        keyword(arguments, "is_clustering"),
        keyword(arguments, "timeout"),
    )
    variable = _variable(site, planning)
    if variable is None:
        return [ReplaceNode(site.node, (call,))]
    return [ReplaceNode(site.node, (f"{variable} = ", call))]


def _unused(site: Site, planning: Planning) -> Answer:
    if is_statement(planning, site):
        return PROVED
    return refuted(
        "the result is used: the ORM gives None (or True, of a wait), the client the job's id",
        planning.recipe(site),
    )


def _wait(site: Site, planning: Planning, state: CallTemplate) -> list[Edit]:
    require(UNUSED, lambda: _unused(site, planning))
    statement = planning.flow.source.statement(site.node)
    sleep: Template = (f"{planning.module('time')}.sleep(0.5)",)
    loop = Block(("while ", state, ' != "Completed":'), (Line(sleep, anchor=site.node),))
    return [ReplaceStatement(statement, (loop,))]


def _job(site: Site, planning: Planning) -> Site | None:
    """The ``compact`` that ``site`` asks about: the last one of the same object and kind."""
    if any(
        other.symbol == _STARTS and other.scope is not site.scope
        for other in planning.sites
        if other.objects & site.objects
    ):
        return None  # a function that is called in between may start another one
    for fact in site.state.facts:
        if not (isinstance(fact, tuple) and fact[0] == "compacted" and fact[2] == site.objects):
            continue
        for made in planning.flow.sites.get(fact[1], []):
            if (
                made.symbol == _STARTS
                and made.scope is site.scope
                and _flag(made, planning) == _flag(site, planning) is not None
                and _same_receiver(made, site, planning)
                and is_statement(planning, made)
            ):
                return made
    return None


def _flag(site: Site, planning: Planning) -> str | None:
    """Which of the two kinds of compaction; None when that is not known."""
    given = planning.arguments(site).get("is_clustering")
    if given is None:
        return "False"
    return str(given.value) if isinstance(given, ast.Constant) else None


def _same_receiver(made: Site, site: Site, planning: Planning) -> bool:
    """Whether both are called on the object that one expression holds all along."""
    if made.receiver is None or site.receiver is None:
        return False
    return planning.text(made.receiver) == planning.text(site.receiver) and planning.holds_still(
        made.receiver, made, site.receiver, site.state, site.scope
    )


def _variable(made: Site, planning: Planning) -> str | None:
    """The variable for the id of the job that ``made`` starts; None when nothing asks for it."""
    asked = [
        site
        for site in planning.sites
        if site.symbol in _ASKS and planning.is_active(site) and _job(site, planning) is made
    ]
    if not asked:
        return None
    others = [
        site
        for site in planning.sites
        if site.symbol == _STARTS and site.scope is made.scope and planning.is_active(site)
    ]
    number = others.index(made) if made in others else 0
    return planning.helper_name("job_id" if not number else f"job_id_{number + 1}", made.scope)
