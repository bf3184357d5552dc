"""The self-check: what is shown or written was analysed again and found complete."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator

from migrate_milvus.edits import Argument, CallTemplate, Src
from migrate_milvus.flow import CallEdge, Flow
from migrate_milvus.model import SiteRecord, Status
from migrate_milvus.names import early, unresolved
from migrate_milvus.planning import RECEIVER, Plan
from migrate_milvus.registry import RuleSet
from migrate_milvus.rewrite.live import Live
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import SourceText


def complaint(text: str, name: str) -> SyntaxError | ValueError | None:
    """Why Python would not compile ``text``; None when it does."""
    try:
        compile(
            text.lstrip("\ufeff"), name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
        )
    except (SyntaxError, ValueError) as error:
        return error
    return None


def check(
    before: Flow,
    plan: Plan,
    live: Live,
    after: Flow,
    again: Plan,
    settings: Settings,
    rules: RuleSet,
) -> str | None:
    """What is wrong with the new text of a module, in a sentence; None when nothing is.

    ``live`` is what was to be written of the edits of ``plan``; the new program was analysed, which
    gave ``after`` for the module, and planned ``again``.
    """
    source, new = before.module.source, after.module.source
    if again.edits and not settings.held:  # what was held is free to change then
        line = getattr(again.edits[0].node, "lineno", "?")
        return f"a second run would change line {line} again"
    return (
        _check_left(plan.sites, again.sites)
        or _check_names(source, new)
        or _check_callers(before, after)
        or _check_client(source, new, settings, rules)
        or _check_written(source, live, new)
    )


# Nothing is left that was claimed to be gone ------------------------------------------------------


def _check_left(before: list[SiteRecord], after: list[SiteRecord]) -> str | None:
    """The ORM uses in the new text are exactly those that were not rewritten."""
    staying = Counter(site.symbol for site in before if site.status is not Status.REWRITTEN)
    for site in after:
        staying[site.symbol] -= 1
        if staying[site.symbol] < 0:
            return f"line {site.place.line}: {site.symbol} is left, which was to be rewritten"
    # These are looked for only where such classes are imported, which they may not be any more.
    staying -= Counter(site.symbol for site in before if site.reason == RECEIVER)
    for site in before:
        if staying[site.symbol] > 0 and site.status is not Status.REWRITTEN:
            return f"{site.symbol} (line {site.place.line} before) was to stay, and is gone"
    return None


# Names --------------------------------------------------------------------------------------------


def _check_names(before: SourceText, after: SourceText) -> str | None:
    """No name is undefined, or read too early, that was not before."""
    undefined = unresolved(after.text)
    if undefined:
        # What a star import bound counts only while there is one.
        undefined -= unresolved(before.text, stars="import *" in after.text)
    if undefined:
        _, name = min(undefined)
        return f"name '{name}' is not defined"
    hasty = early(after)
    if hasty:
        for known in early(before):
            hasty.pop(known, None)
    for (_, name), line in hasty.items():
        return f"line {line}: name '{name}' is not defined yet"
    return None


# Calls that were written --------------------------------------------------------------------------


def _check_written(source: SourceText, live: Live, after: SourceText) -> str | None:
    """Every call of the plan stands in the new text, with its keywords and values."""
    wanted: dict[_Shape, list[CallTemplate]] = defaultdict(list)
    for call in live.calls():
        shape = _shape_of_template(source, call)
        if shape is not None:
            wanted[shape].append(call)
    names = {shape[0] for shape in wanted}
    found: dict[_Shape, list[ast.Call]] = defaultdict(list)
    for node in after.parents:
        if isinstance(node, ast.Call) and (name := _last_name(node.func)) in names:
            keywords = frozenset(Counter(k.arg or "**" for k in node.keywords).items())
            found[name, len(node.args), keywords].append(node)
    for shape, calls in wanted.items():
        if len(found[shape]) < len(calls):
            return f"a call of {shape[0]}({_listed(shape)}) was not written as planned"
        for call in calls:
            values = [_value(source, live, argument) for argument in call.arguments]
            if not any(_same_values(after, call, values, node) for node in found[shape]):
                return f"a call of {shape[0]}({_listed(shape)}) was written with other values"
    return None


_Shape = tuple[str, int, frozenset[tuple[str, int]]]


def _listed(shape: _Shape) -> str:
    return ", ".join(["_"] * shape[1] + sorted(f"{keyword}=" for keyword, _ in shape[2]))


def _shape_of_template(source: SourceText, call: CallTemplate) -> _Shape | None:
    """Name, number of positional arguments and keywords; None when the name is not plain."""
    last = call.function[-1]
    if isinstance(last, Src):
        name = _last_name(last.node) if isinstance(last.node, ast.expr) else ""
    else:
        name = last.rpartition(".")[2] if isinstance(last, str) else ""
    if not name.isidentifier():
        return None
    keywords = [a.keyword for a in call.arguments if a.keyword not in (None, "*")]
    number = len(call.arguments) - len(keywords)
    return name, number, frozenset(Counter(str(keyword) for keyword in keywords).items())


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _value(source: SourceText, live: Live, argument: Argument) -> str | None:
    """The text of an argument without layout; None where rendering may change it."""
    text = ""
    for part in argument.value:
        if isinstance(part, str):
            text += part
        elif (
            isinstance(part, Src)
            and not live.is_changed(part.node)
            and not _in_fstring(source, part.node)
        ):
            text += source.segment(part.node)
        else:
            return None
    return _bare(text)


def _bare(text: str) -> str | None:
    """Text without blanks, brackets and commas, which rendering may add; None with a comment."""
    return None if "#" in text else "".join(text.translate(_LAYOUT).split())


_LAYOUT = str.maketrans("", "", "(),\\")


def _same_values(
    after: SourceText, call: CallTemplate, values: list[str | None], node: ast.Call
) -> bool:
    positional = iter(node.args)
    if _in_fstring(after, node):
        return True
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    for argument, value in zip(call.arguments, values, strict=True):
        if argument.keyword in ("*", "**"):
            if argument.keyword == "*":
                next(positional)
            continue
        given = next(positional) if argument.keyword is None else named[argument.keyword]
        if value is not None:
            written = _bare(after.segment(given))
            if written is not None and written != value:
                return False
    return True


def _in_fstring(source: SourceText, node: ast.AST) -> bool:
    at: ast.AST | None = node
    while at is not None and not isinstance(at, ast.stmt):
        if isinstance(at, ast.JoinedStr):
            return True
        at = source.parents.get(at)
    return False


# Calls of the program's own functions -------------------------------------------------------------


def _check_callers(before: Flow, after: Flow) -> str | None:
    """Calls of functions of the file fit their parameters, where they did before."""
    misfits = list(_misfits(after))
    if not misfits:
        return None
    known = {name for name, _, _ in _misfits(before)}
    for name, line, sentence in misfits:
        if name not in known:
            return f"line {line}: {sentence}"
    return None


def _misfits(flow: Flow) -> Iterator[tuple[str, int, str]]:
    for node, edges in flow.calls.items():
        if not isinstance(node, ast.Call) or len(edges) != 1:
            continue
        sentence = _misfit(node, edges[0])
        if sentence is not None:
            yield edges[0].target.name, node.lineno, sentence


def _misfit(node: ast.Call, edge: CallEdge) -> str | None:
    """Why a call cannot bind its arguments, as far as that is plain."""
    info = edge.target
    if isinstance(info.node, ast.Lambda) or info.decorators:
        return None
    if any(isinstance(a, ast.Starred) for a in node.args):
        return None
    if any(k.arg is None for k in node.keywords):
        return None
    arguments = info.node.args
    positional = [p.arg for p in (*arguments.posonlyargs, *arguments.args)]
    required = positional[: len(positional) - len(arguments.defaults)]
    if info.is_method:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else info.name
        if called != info.name:
            return None  # made by a call of the class, or a method under another name
        positional, required = positional[1:], required[1:]
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is None:
            required.append(parameter.arg)
    keywords = [str(k.arg) for k in node.keywords]
    number = len(node.args)
    if number > len(positional) and arguments.vararg is None:
        if info.is_method and number == len(positional) + 1:
            return None  # through the class
        return f"{info.name}() takes {len(positional)} positional arguments, not {number}"
    known = {*positional, *(p.arg for p in arguments.kwonlyargs)}
    for keyword in keywords:
        if keyword not in known and arguments.kwarg is None:
            return f"{info.name}() has no parameter {keyword}"
    for name in required:
        if name not in positional[:number] and name not in keywords:
            return f"{info.name}() lacks {name}"
    return None


# Calls of the client ------------------------------------------------------------------------------


def _check_client(
    before: SourceText, after: SourceText, settings: Settings, rules: RuleSet
) -> str | None:
    for node, sentence in rules.check_calls(after.tree, settings.target_version, before.tree):
        return f"line {node.lineno}: {sentence}"
    return None
