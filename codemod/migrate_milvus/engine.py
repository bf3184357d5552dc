"""The migration of documents: analyse, plan, rewrite, check."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from migrate_milvus import headers, planner, suppressions
from migrate_milvus.checking import check, complaint
from migrate_milvus.document import Document, DocumentError
from migrate_milvus.flow import Flow
from migrate_milvus.importing import import_edits
from migrate_milvus.kept import told
from migrate_milvus.leftovers import unread_edits
from migrate_milvus.model import FileResult, Finding, Place, Severity, Status
from migrate_milvus.planning import Context, Plan, Planning
from migrate_milvus.project import ModuleGraph
from migrate_milvus.registry import RuleSet, load
from migrate_milvus.rewrite import RewriteError, apply_edits
from migrate_milvus.rewrite.live import Live
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import SourceText
from migrate_milvus.world import World

# Deep but sane code (long chains of calls and operators) needs more than Python's default.
_RECURSION = 6000
# Trees are many small objects that all stay: collecting often finds nothing and costs a tenth.
_YOUNG = 100_000
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


class _Again(Exception):
    """A document has to be read in another way: everything is planned anew."""

    def __init__(self, document: Document) -> None:
        super().__init__(document.name)
        self.document = document


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
        while True:
            try:
                return told(_migrate(documents, settings), documents, settings, load())
            except _Again as again:
                documents = [
                    again.document if document.path == again.document.path else document
                    for document in documents
                ]
    finally:
        sys.setrecursionlimit(limit)
        gc.set_threshold(*thresholds)


def _migrate(documents: Sequence[Document], settings: Settings) -> list[FileResult]:
    rules = load()
    results: list[FileResult] = []
    sources: dict[str, SourceText] = {}
    by_name = {document.name: document for document in documents}
    for document in documents:
        try:
            sources[document.name] = document.source()
        except _UNREADABLE as error:
            if rules.client_import in document.text:
                results.append(_unreadable(document, error))
    graph = ModuleGraph({name: source.tree for name, source in sources.items()})
    for names in _programs(sources, graph):
        group = {name: by_name[name] for name in names}
        program = _Program(group, {name: sources[name] for name in names}, graph, settings, rules)
        results += program.migrate()
    return results


def _programs(sources: Mapping[str, SourceText], graph: ModuleGraph) -> Iterator[list[str]]:
    """The names of the modules in groups: what imports connect, however far, is one program."""
    left = dict.fromkeys(sources)
    for name in sources:
        if name in left:
            group = [name, *sorted(graph.related(name))]
            for member in group:
                left.pop(member, None)
            yield group


class _Program:
    """The documents that imports connect, which are migrated together."""

    def __init__(
        self,
        documents: Mapping[str, Document],
        sources: Mapping[str, SourceText],
        graph: ModuleGraph,
        settings: Settings,
        rules: RuleSet,
    ) -> None:
        self.documents = documents
        self.sources = sources
        self.graph = graph if len(documents) > 1 else None
        self.settings = settings
        self.rules = rules
        self.naming = {name for name, doc in documents.items() if rules.client_import in doc.text}
        self.world = self._world(sources, self.graph)
        self.comments = {name: suppressions.parse(doc.text) for name, doc in documents.items()}
        self.selections = {name: settings.for_file(doc.path) for name, doc in documents.items()}

    def _world(self, sources: Mapping[str, SourceText], graph: ModuleGraph | None) -> World:
        connects = self.rules.connections.is_connect
        library = self.rules.library_of(self.settings.target_version)
        return World(sources, library, graph, connects, self.naming)

    def migrate(self) -> list[FileResult]:
        """One result for each module that was analysed."""
        names = {name for name in self.documents if self._may_use(name)}
        if not names:
            return []
        try:
            flow = self.world.interpret(names)
        except RecursionError as error:
            return [_unreadable(self.documents[name], error) for name in sorted(names)]
        except Exception as error:
            return [_internal(self.documents[name], error) for name in sorted(names)]
        frozen = {
            name
            for name, document in self.documents.items()
            if not document.writable or self.comments[name].skip_file
        }
        failures: dict[str, Finding] = {}
        while True:
            results = self._attempt(flow, frozenset(frozen), failures)
            lost = failures.keys() - frozen
            if not lost:
                break
            # What goes with a file that cannot be changed has to stay, the rest need not.
            frozen |= lost
        for name, finding in failures.items():
            results[name] = _withheld(results[name], finding)
        return [result for result in results.values() if self._counts(result)]

    def _counts(self, result: FileResult) -> bool:
        """Whether there is something to say about a file."""
        named = self.rules.client_import in result.document.text
        return bool(named or result.text is not None or result.findings or result.sites)

    def _attempt(
        self, flow: Flow, frozen: frozenset[str], failures: dict[str, Finding]
    ) -> dict[str, FileResult]:
        """Plan and rewrite the modules; what is wrong with one is added to ``failures``."""
        context = Context(self.graph, partial(self._ignores, self.comments), frozen)
        try:
            plans = planner.plan(Planning(flow, self.settings, self.rules, context))
        except Exception as error:
            for name in self.world.interpreters:
                document = self.documents[name]
                deep = isinstance(error, RecursionError)
                failed = _unreadable(document, error) if deep else _internal(document, error)
                failures[name] = failed.findings[0]
            return {name: FileResult(self.documents[name]) for name in self.world.interpreters}
        results = {name: self._result(name, plan) for name, plan in plans.items()}
        touched = [name for name in sorted(frozen & plans.keys()) if plans[name].edits]
        if touched:
            for name in (name for name, plan in plans.items() if plan.edits):
                self._complain(name, f"{touched[0]} would have to change, too", failures)
            return results
        lives = {
            name: live
            for name, plan in plans.items()
            if (live := self._write(name, plan, results[name], failures)) is not None
        }
        if lives:
            self._check(flow, plans, lives, results, failures)
        return results

    def _may_use(self, name: str) -> bool:
        """Whether the module imports something whose uses are sites, or names it in a text."""
        text, root, library = (
            self.documents[name].text,
            self.rules.client_import,
            self.rules.library,
        )
        if root not in text:
            return False
        for node in ast.walk(self.sources[name].tree):
            for dotted in _imports(node):
                if library.is_package(dotted):
                    canonical = library.resolve(dotted)
                    if canonical is None or library.is_site(canonical):
                        return True
        return f'"{root}' in text or f"'{root}" in text

    def _ignores(
        self, comments: Mapping[str, suppressions.Suppressions], path: str, line: int, rule: str
    ) -> bool:
        if comments[path].skip_file or not self.selections[path].selects(rule):
            return True
        return comments[path].ignores(line, rule)

    def _result(self, name: str, plan: Plan) -> FileResult:
        result = FileResult(self.documents[name], findings=plan.findings, sites=plan.sites)
        if not self.comments[name].skip_file:
            for finding in self.comments[name].unused(name, self.rules.ids()):
                place = self.documents[name].place(finding.place.line, finding.place.column)
                result.findings.append(replace(finding, place=place))
        return result

    def _write(
        self, name: str, plan: Plan, result: FileResult, failures: dict[str, Finding]
    ) -> Live | None:
        """Rewrite one module; ``result`` gets the text."""
        if not plan.edits and not plan.lines and not plan.new_names:
            return None
        flow = self.world.interpreters[name].flow
        source, document = flow.module.source, self.documents[name]
        reached = self.graph.reached(name) if self.graph is not None else frozenset()
        try:
            live = Live(source, plan.edits)
            unread = unread_edits(flow, live)
            if unread:
                plan.edits += unread
                live = Live(source, plan.edits)
            text = _rewrite(flow, plan, live, self.settings, reached, self.rules)
            text = document.settled(text)
            document.parts(text)  # a new text of cells can be taken apart
            error = complaint(text, name)
            problem = None if error is None else f"the new text is not valid Python: {error}"
        except DocumentError as error:
            other = document.otherwise(error)
            if other is not None:
                raise _Again(other) from error
            problem, text = str(error), ""
        except RewriteError as error:
            problem, text = str(error), ""
        except Exception as error:
            failures.setdefault(name, _internal(document, error).findings[0])
            return None
        if problem is not None:
            self._complain(name, problem, failures)
            return None
        result.text = text
        return live

    def _check(
        self,
        flow: Flow,
        plans: Mapping[str, Plan],
        lives: Mapping[str, Live],
        results: Mapping[str, FileResult],
        failures: dict[str, Finding],
    ) -> None:
        """Analyse and plan the new texts: nothing may be left to do."""
        texts = {name: result.text for name, result in results.items() if result.text is not None}
        try:
            sources = {
                name: source.again(texts[name]) if name in texts else source
                for name, source in self.sources.items()
            }
            graph = self.graph
            if graph is not None:
                graph = ModuleGraph({name: source.tree for name, source in sources.items()})
            comments = {name: suppressions.parse(source.text) for name, source in sources.items()}
            world = self._world(sources, graph)
            after = world.interpret(self.world.core | texts.keys())
            frozen = frozenset(results.keys() - texts.keys())
            context = Context(graph, partial(self._ignores, comments), frozen)
            again = planner.plan(Planning(after, self.settings, self.rules, context), chains=False)
            for name, live in lives.items():
                problem = check(
                    self.world.interpreters[name].flow,
                    plans[name],
                    live,
                    world.interpreters[name].flow,
                    again[name],
                    self.settings,
                    self.rules,
                )
                if problem is not None:
                    self._complain(name, problem, failures)
                results[name].signatures = [
                    *headers.changed(self.sources[name].tree, sources[name].tree),
                    *plans[name].signatures,
                ]
        except Exception as error:
            for name in texts:
                failures.setdefault(name, _internal(self.documents[name], error).findings[0])

    def _complain(self, name: str, problem: str, failures: dict[str, Finding]) -> None:
        document, source = self.documents[name], self.sources[name]
        invalid = complaint(source.text, source.name)
        if invalid is not None:  # parsed, but could never run
            failed = _unreadable(document, invalid)
        else:
            failed = _self_check(document, problem)
        failures.setdefault(name, failed.findings[0])


def _imports(node: ast.AST) -> list[str]:
    """The import paths that a statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return []


def _rewrite(
    flow: Flow,
    plan: Plan,
    live: Live,
    settings: Settings,
    reached: frozenset[str],
    rules: RuleSet,
) -> str:
    """The new text: all edits, with those of the imports that they make unused or needed."""
    source, length = flow.module.source, settings.line_length

    def draft() -> str:
        return apply_edits(source, plan.edits, line_length=length)

    imports = import_edits(flow, plan, live, draft, reached, rules.client_import)
    # What is declared may name what is imported.
    return apply_edits(source, [*imports, *plan.edits], line_length=length)


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


def _self_check(document: Document, problem: str) -> FileResult:
    finding = Finding(
        Place(document.name, 1, 1),
        "MLV003",
        "self-check",
        f"the rewritten file failed the self-check and was withheld: {problem}",
        "This is a bug in migrate-milvus, not in your code. Please report it.",
        Severity.ERROR,
    )
    return FileResult(document, findings=[finding])


def _unreadable(document: Document, error: BaseException) -> FileResult:
    recipe = "Migrate this file by hand."
    if isinstance(error, SyntaxError):
        recipe = (
            "If a newer Python takes it, run migrate-milvus with that one; "
            "otherwise this file stays as it is."
        )
        place = document.place(error.lineno or 1, error.offset or 1)
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
    finding = Finding(place, "MLV001", reason, message, recipe, Severity.ERROR)
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
