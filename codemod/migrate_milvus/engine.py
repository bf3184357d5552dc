"""The migration of documents: analyse, plan, rewrite, check."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from migrate_milvus import planner, suppressions
from migrate_milvus.checking import check, complaint
from migrate_milvus.document import Document
from migrate_milvus.exports import World
from migrate_milvus.flow import Elsewhere, Flow
from migrate_milvus.importing import import_edits
from migrate_milvus.interpreter import interpret
from migrate_milvus.leftovers import unread_edits
from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.planning import Context, Plan, Planning
from migrate_milvus.project import ModuleGraph
from migrate_milvus.registry import RuleSet, load
from migrate_milvus.rewrite import RewriteError, apply_edits
from migrate_milvus.rewrite.live import Live
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import SourceText

# Deep but sane code (long chains of calls and operators) needs more than Python's default.
_RECURSION = 6000
# Objects that go from module to module: the longest chains of real programs need four.
_PASSES = 6
# Trees are many small objects that all stay: collecting often finds nothing and costs a tenth.
_YOUNG = 100_000
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass
class _Analysed:
    document: Document
    source: SourceText
    flow: Flow | None = None
    elsewhere: Elsewhere = field(default_factory=Elsewhere)


def migrate(documents: Sequence[Document], settings: Settings) -> list[FileResult]:
    """Migrate the documents of one project; one result for each that names the library.

    Nothing is raised for a bad document: it gets a finding (MLV001, or MLV003 for a bug of ours)
    and stays as it is.
    """
    limit, thresholds = sys.getrecursionlimit(), gc.get_threshold()
    sys.setrecursionlimit(max(limit, _RECURSION))
    if thresholds[0]:
        gc.set_threshold(max(thresholds[0], _YOUNG), *thresholds[1:])
    try:
        return _migrate(documents, settings)
    finally:
        sys.setrecursionlimit(limit)
        gc.set_threshold(*thresholds)


def _migrate(documents: Sequence[Document], settings: Settings) -> list[FileResult]:
    rules = load()
    results: list[FileResult] = []
    modules: list[_Analysed] = []
    for document in documents:
        candidate = rules.client_import in document.text
        try:
            modules.append(_Analysed(document, SourceText(document.text, document.name)))
        except _UNREADABLE as error:
            if candidate:
                results.append(_unreadable(document, error))
    graph = ModuleGraph({m.document.name: m.source.tree for m in modules})
    _interpret_all(modules, graph, rules, results)
    candidates = [m for m in modules if m.flow is not None]
    needing = {
        m.document.name
        for m in candidates
        if m.flow is not None and _needs_connection(m.flow, rules)
    }
    connecting = {
        m.document.name
        for m in candidates
        if m.flow is not None
        and any(rules.connections.is_connect(s.symbol) for s in m.flow.every_site())
    }
    for module in candidates:
        if module.flow is None:
            continue
        try:
            related = graph.related(module.document.name)
            context = Context(
                reached=graph.reached(module.document.name),
                users=partial(graph.users, module.document.name),
                replaced=graph.replaced(module.document.name),
                needs_connection=bool(needing & related),
                connects_elsewhere=bool(connecting & related),
                elsewhere=module.elsewhere,
            )
            results.append(_migrate_module(module, module.flow, settings, rules, context))
        except RecursionError as error:
            results.append(_unreadable(module.document, error))
        except Exception as error:
            results.append(_internal(module.document, error))
    return results


def _interpret_all(
    modules: list[_Analysed], graph: ModuleGraph, rules: RuleSet, results: list[FileResult]
) -> None:
    """Analyse the modules that name the library, then those that reach its objects through them."""
    world = World(graph)
    failed: set[str] = set()
    inputs: dict[str, object] = {}
    for _ in range(_PASSES):
        changed = False
        for module in _imported_first(modules, graph):
            name = module.document.name
            if name in failed:
                continue
            elsewhere = world.seen_from(name)
            given = elsewhere.inputs()
            first = name not in inputs and _may_use(module, graph, rules)
            same = given == inputs.get(name, ()) and name not in world.handed.changed
            if same and not first:
                continue
            inputs[name] = given
            world.handed.changed.discard(name)
            try:
                module.flow = interpret(
                    module.source, rules.library, graph.reached(name), elsewhere
                )
            except RecursionError as error:
                results.append(_unreadable(module.document, error))
                failed.add(name)
                continue
            except Exception as error:
                results.append(_internal(module.document, error))
                failed.add(name)
                continue
            changed = True
            module.elsewhere = elsewhere
            world.publish(name, module.flow)
        if not changed:
            break


def _imported_first(modules: list[_Analysed], graph: ModuleGraph) -> list[_Analysed]:
    """The modules in an order in which those that others import come before them."""
    by_name = {module.document.name: module for module in modules}
    ordered: list[_Analysed] = []
    seen: set[str] = set()
    for start in by_name:
        stack = [(start, False)]
        while stack:
            name, done = stack.pop()
            if done:
                ordered.append(by_name[name])
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack += [(target, False) for target in graph.targets(name) if target not in seen]
    return ordered


def _may_use(module: _Analysed, graph: ModuleGraph, rules: RuleSet) -> bool:
    """Whether the module imports something whose uses are sites, or names it in a text."""
    text, root = module.document.text, rules.client_import
    if root not in text:
        return False
    for dotted in graph.imported(module.document.name):
        if rules.library.is_package(dotted):
            canonical = rules.library.resolve(dotted)
            if canonical is None or rules.library.is_site(canonical):
                return True
    return f'"{root}' in text or f"'{root}" in text


def _needs_connection(flow: Flow, rules: RuleSet) -> bool:
    """Whether the module uses the library through a connection that others open."""
    connected = any(rules.connections.is_connect(s.symbol) for s in flow.every_site())
    return not connected and any(
        flow.library.is_site(s.symbol) and s.form == "call" for s in flow.every_site()
    )


def plan_module(flow: Flow, settings: Settings, rules: RuleSet, context: Context) -> Plan:
    """The plan for one analysed module."""
    return planner.plan(Planning(flow, settings, rules, context))


def _migrate_module(
    module: _Analysed, flow: Flow, settings: Settings, rules: RuleSet, context: Context
) -> FileResult:
    document, source = module.document, module.source
    settings = settings.for_file(document.path)
    comments = suppressions.parse(document.text)

    def ignores(line: int, rule: str) -> bool:
        if comments.skip_file or not settings.selects(rule):
            return True
        return comments.ignores(line, rule)

    plan = plan_module(flow, settings, rules, replace(context, ignores=ignores))
    result = FileResult(document, findings=plan.findings, sites=plan.sites)
    result.signatures = plan.signatures
    if not comments.skip_file:
        result.findings += comments.unused(document.name, rules.ids())
    if not plan.edits:
        return result
    try:
        live = Live(source, plan.edits)
        unread = unread_edits(flow, live)
        if unread:
            plan.edits += unread
            live = Live(source, plan.edits)
        text = _rewrite(flow, plan, live, settings, context, rules)
        again = suppressions.parse(text)
        problem = check(
            flow,
            plan,
            live,
            text,
            settings,
            rules,
            replace(
                context,
                ignores=lambda line, rule: not settings.selects(rule) or again.ignores(line, rule),
            ),
        )
    except RewriteError as error:
        problem, text = str(error), ""
    except Exception as error:
        return _withheld(result, _internal(document, error).findings[0])
    if problem is None:
        result.text = text
        return result
    invalid = complaint(source.text, source.name)
    if invalid is not None:  # parsed, but could never run
        return _withheld(result, _unreadable(document, invalid).findings[0])
    return _withheld(result, _self_check(document, problem))


def _rewrite(
    flow: Flow, plan: Plan, live: Live, settings: Settings, context: Context, rules: RuleSet
) -> str:
    """The new text: all edits, with those of the imports that they make unused or needed."""
    source, length = flow.source, settings.line_length

    def draft() -> str:
        return apply_edits(source, plan.edits, line_length=length)

    imports = import_edits(flow, plan, live, draft, context.reached, rules.client_import)
    return apply_edits(source, [*plan.edits, *imports], line_length=length)


def _withheld(result: FileResult, finding: Finding) -> FileResult:
    """The file stays as it is: every site that the plan rewrote is reported instead."""
    sites = [
        replace(site, status=Status.REPORTED, reason=finding.reason)
        if site.status is Status.REWRITTEN
        else site
        for site in result.sites
    ]
    # Notes speak about what was rewritten.
    kept = [
        known for known in result.findings if not (known.symbol and known.severity is Severity.NOTE)
    ]
    return FileResult(result.document, None, [finding, *kept], sites)


def _self_check(document: Document, problem: str) -> Finding:
    return Finding(
        Place(document.name, 1, 1),
        "MLV003",
        "self-check",
        f"the rewritten file failed the self-check and was withheld: {problem}",
        "This is a bug in migrate-milvus, not in your code. Please report it.",
        Severity.ERROR,
    )


def _unreadable(document: Document, error: BaseException) -> FileResult:
    if isinstance(error, SyntaxError):
        place = Place(document.name, error.lineno or 1, error.offset or 1)
        message = (
            f"cannot be parsed as Python {sys.version_info[0]}.{sys.version_info[1]}: {error.msg}"
        )
        reason = "syntax-error"
    elif isinstance(error, RecursionError | MemoryError):
        place = Place(document.name, 1, 1)
        message, reason = "is nested too deeply to be analysed", "too-deep"
    else:
        place = Place(document.name, 1, 1)
        message, reason = f"cannot be parsed: {error}", "syntax-error"
    finding = Finding(
        place, "MLV001", reason, message, "Migrate this file by hand.", Severity.ERROR
    )
    return FileResult(document, findings=[finding])


def _internal(document: Document, error: Exception) -> FileResult:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    finding = Finding(
        Place(document.name, 1, 1),
        "MLV003",
        "internal-error",
        f"internal error, file left as it is: {what}",
        "This is a bug in migrate-milvus, not in your code. Please report it.",
        Severity.ERROR,
    )
    return FileResult(document, findings=[finding])
