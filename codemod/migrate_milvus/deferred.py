"""Where a call is made later by another function: what is written there.

``executor.submit(docs.insert, rows)`` becomes ``executor.submit(client.insert, ...)``: the new
method with its arguments, as the runner takes them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import Argument, CallTemplate, Edit, FString, ReplaceNode, Src, Template
from migrate_milvus.flow import Site
from migrate_milvus.placement import Place
from migrate_milvus.planning import PLAIN_CALL, Planning
from migrate_milvus.program import Module
from migrate_milvus.registry import PROVED, Answer, require, unknown
from migrate_milvus.runners import LaterCall, NamedRead, Own

_POSITIONAL = (None, "*")


def check(planning: Planning, site: Site, edits: list[Edit]) -> None:
    """Raise Refusal where the call that is made later becomes more than another call."""
    if isinstance(site.node, LaterCall):
        made = site.node
        require(PLAIN_CALL, lambda: _is_plain(planning, made, edits))


def _is_plain(planning: Planning, made: LaterCall, edits: list[Edit]) -> Answer:
    """Whether all that is written is one call, whose arguments are evaluated where they stand."""
    own = made.runner.own is not None
    if own and (_passes_objects(planning, made.made_by) or _gets_client(planning, made.made_by)):
        return unknown(
            f"{planning.text(made.func)} is handed to a function whose other arguments change, too",
            "Let the function take the client and the name, and call the client's method itself.",
        )
    written = [edit for edit in edits if isinstance(edit, ReplaceNode) and edit.node is made]
    if len(written) == 1 and all(isinstance(edit, ReplaceNode) for edit in edits):
        match written[0].template:
            case (CallTemplate(function=(str(),), arguments=arguments),):
                if all(_is_evaluated_at_once(argument.value) for argument in arguments):
                    return PROVED
    return unknown(
        f"{planning.text(made.func)} is handed to {planning.text(made.made_by.func)}(), and takes "
        "more than one call of the client's",
        "Write a function of your own that makes these calls, and hand that over.",
    )


def _passes_objects(planning: Planning, call: ast.Call) -> bool:
    """Whether a call is given objects that become something else."""
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(planning.has_objects(planning.flow.value(argument)) for argument in given)


def _gets_client(planning: Planning, call: ast.Call) -> bool:
    """Whether the client is passed to what is called."""
    targets = {edge.target for edge in planning.flow.calls.get(call, ())}
    return any(
        isinstance(place, Place) and not targets.isdisjoint(place.parameters)
        for place in planning.places.values()
    )


def _is_evaluated_at_once(template: Template) -> bool:
    """Whether a template only names, or builds plain text and lists of names."""
    return all(
        isinstance(part, Src | FString)
        or (isinstance(part, str) and "(" not in part and " for " not in part)
        for part in template
    )


def placed(planning: Planning, edits: Iterable[Edit]) -> list[Edit]:
    """The edits, with those of calls that are made later written where the runner is called."""
    found: list[Edit] = []
    for edit in edits:
        if isinstance(edit, ReplaceNode):
            made = edit.node
            if isinstance(made, ast.keyword):
                later = planning.flow.source.parents.get(made)
                if isinstance(later, LaterCall) and made in later.keys:
                    edit = _renamed_key(later.keys[made], edit)
            elif isinstance(made, NamedRead):
                edit = ReplaceNode(made.made_by, edit.template)
            elif isinstance(made, LaterCall):
                (call,) = edit.template
                assert isinstance(call, CallTemplate)
                edit = ReplaceNode(made.made_by, (_written(planning, made, call),))
        found.append(edit)
    return found


def _renamed_key(key: ast.expr, edit: ReplaceNode) -> ReplaceNode:
    """``name=value`` as an item of ``kwargs={...}``."""
    name = edit.template[0]
    assert isinstance(name, str)
    return ReplaceNode(key, (f'"{name.rstrip("=")}"',))


def _written(planning: Planning, made: LaterCall, call: CallTemplate) -> CallTemplate:
    """The runner's call, which hands over what ``call`` calls, with its arguments."""
    runner, original = made.runner, made.made_by
    if runner.own is not None:
        return _handed_to_own(planning, made, runner.own, call)
    before = [Argument((Src(value),)) for value in original.args[: runner.place]]
    if not runner.packed:
        given = (Argument(call.function), *call.arguments)
        named = any(argument.keyword not in _POSITIONAL for argument in call.arguments)
        if named and not runner.keywords:
            partial = _partial(planning, planning.flow.module_of(original))
            given = (Argument((CallTemplate((partial,), given),)),)
        return CallTemplate((Src(original.func),), (*before, *given))
    packed = _packed(call.arguments)
    arguments = before
    if len(original.args) > runner.place:
        arguments.append(Argument(call.function))
    for keyword in original.keywords:
        if keyword.arg == runner.keyword:
            arguments.append(Argument(call.function, keyword.arg))
        elif keyword.arg not in ("args", "kwargs"):
            arguments.append(Argument((Src(keyword.value),), keyword.arg))
            continue
        if packed and keyword.arg == runner.keyword:
            arguments += packed
            packed = []
    return CallTemplate((Src(original.func),), (*arguments, *packed))


def _handed_to_own(
    planning: Planning, made: LaterCall, own: Own, call: CallTemplate
) -> CallTemplate:
    """The call of a function of the program that calls what it is given."""
    original = made.made_by
    before, named = original.args[: own.positions], original.keywords
    direct = not own.bare and not any(
        # It would be taken for one of the function's own parameters.
        len(before) < own.positions
        if argument.keyword in _POSITIONAL
        else argument.keyword in own.names
        for argument in call.arguments
    )
    callee: Template = call.function
    rest = list(call.arguments)
    if not direct and rest:
        partial = _partial(planning, planning.flow.module_of(original))
        callee = (CallTemplate((partial,), (Argument(callee), *rest)),)
        rest = []
    kept = [Argument((Src(k.value),), k.arg) for k in named if k.arg in own.names]
    if len(before) > made.runner.place:
        given = [Argument((Src(value),)) for value in before]
        given[made.runner.place] = Argument(callee)
    else:
        given = [Argument((Src(value),)) for value in before]
        kept = [
            Argument(callee, a.keyword) if a.keyword == made.runner.keyword else a for a in kept
        ]
    positional = [argument for argument in rest if argument.keyword in _POSITIONAL]
    others = [argument for argument in rest if argument.keyword not in _POSITIONAL]
    return CallTemplate((Src(original.func),), (*given, *positional, *kept, *others))


def _packed(given: Iterable[Argument]) -> list[Argument]:
    """Arguments as ``args=(...)`` and ``kwargs={...}``."""
    args: list[str | object] = []
    items: list[str | object] = []
    number = 0
    for argument in given:
        if argument.keyword in _POSITIONAL:
            star = argument.keyword or ""
            args += [f", {star}" if args else star, *argument.value]
            number += 1
        else:
            before = f', "{argument.keyword}": ' if items else f'"{argument.keyword}": '
            items += [before, *argument.value]
    found: list[Argument] = []
    if args:
        found.append(Argument(("(", *args, ",)" if number == 1 else ")"), "args"))  # type: ignore[arg-type]
    if items:
        found.append(Argument(("{", *items, "}"), "kwargs"))  # type: ignore[arg-type]
    return found


def _partial(planning: Planning, module: Module) -> str:
    """The text that names ``functools.partial``."""
    for alias, dotted in planning.flow.imports.items():
        if dotted == "functools.partial" and planning.flow.scope(alias) is module:
            return alias.asname or alias.name
    return f"{planning.module('functools', module)}.partial"
