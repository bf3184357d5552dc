"""Import clean-up: drop what the migration made unused, add what it needs."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from migrate_milvus.edits import ChangeImport, Edit, InsertStatements, Line, ReplaceStatement, Src
from migrate_milvus.flow import Flow
from migrate_milvus.names import unresolved
from migrate_milvus.planning import Plan
from migrate_milvus.program import FunctionInfo, catches_import
from migrate_milvus.rewrite.live import Live, words
from migrate_milvus.values import Library
from migrate_milvus.world import interpret


def import_edits(
    flow: Flow,
    plan: Plan,
    live: Live,
    rewritten: Callable[[], str],
    reached: frozenset[str],
    package: str,
) -> list[Edit]:
    """The edits of import statements that go with a plan.

    ``live`` is what is written of the plan's edits; ``rewritten`` gives the text after them, which
    is asked for only where they do not tell enough; ``reached`` are names that other modules use;
    ``package`` is where the library's classes are imported from.
    """
    fallbacks = _Fallbacks(flow)
    removals = _removable(flow, plan, live, rewritten, reached, fallbacks.targets)
    additions = {statement: sorted(names) for statement, names in plan.new_names.items()}
    edits: list[Edit] = []
    new = additions.pop(None, [])
    given: dict[ast.stmt, list[str]] = {s: n for s, n in additions.items() if s is not None}
    by_statement: dict[ast.stmt, list[ast.alias]] = defaultdict(list)
    for alias in removals:
        by_statement[flow.source.statement(alias)].append(alias)
    if new:
        home = next(
            (
                s
                for s in by_statement
                if isinstance(s, ast.ImportFrom) and flow.scope_of.get(s) is None
            ),
            None,
        )
        line = Line((f"from {package} import {', '.join(new)}",))
        if isinstance(home, ast.ImportFrom) and len(by_statement[home]) == len(home.names):
            edits.append(ReplaceStatement(home, (line,)))
            given[home] = new
            del by_statement[home]
        else:
            edits.append(_insert_import(flow, plan, line))
    for statement in {*by_statement, *(s for s in additions if s is not None)}:
        aliases = tuple(by_statement.get(statement, ()))
        edits += fallbacks.edits(statement, aliases, given.get(statement, []))
        if isinstance(statement, ast.ImportFrom):
            edits.append(ChangeImport(statement, aliases, tuple(additions.get(statement, ()))))
        elif isinstance(statement, ast.Import) and len(aliases) == len(statement.names):
            edits.append(ReplaceStatement(statement, ()))
    written = (
        {
            word
            for _, template in live.templates()
            for text in words(template)
            for word in _WORD.findall(text)
        }
        if plan.lines
        else set()
    )
    for text, beside in plan.lines.items():
        if text.split()[-1].rpartition(".")[2] not in written:
            continue  # what was to be reached is not needed in the end
        line = Line((text,))
        if beside is not None:
            edits.append(InsertStatements(beside.statement, (line,), beside.after))
        else:
            edits.append(_insert_import(flow, plan, line, apart=_keeps_imports(flow, by_statement)))
    for module in sorted(plan.modules):
        edits.append(_insert_module(flow, module))
    return edits


class _Fallbacks:
    """``except ImportError: Collection = None``: what stands in for names of the library."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.assignments: dict[ast.Try, list[ast.Assign]] = {}
        for node in flow.source.parents:
            if isinstance(node, ast.Try):
                self.assignments[node] = [
                    statement
                    for handler in node.handlers
                    if catches_import(handler)
                    for statement in handler.body
                    if isinstance(statement, ast.Assign)
                    and all(isinstance(target, ast.Name) for target in statement.targets)
                ]
        #: The targets that belong to an import: they alone are no use of it.
        self.targets: dict[ast.alias, set[ast.AST]] = {}
        for alias in flow.imports:
            bound = alias.asname or alias.name
            self.targets[alias] = {
                target
                for statement in self._of(flow.source.statement(alias))
                for target in statement.targets
                if isinstance(target, ast.Name) and target.id == bound
            }

    def _of(self, statement: ast.stmt) -> list[ast.Assign]:
        parent = self.flow.source.parents.get(statement)
        if isinstance(parent, ast.Try) and statement in parent.body:
            return self.assignments[parent]
        return []

    def edits(
        self, statement: ast.stmt, removed: tuple[ast.alias, ...], new: list[str]
    ) -> list[Edit]:
        """What stands in for removed names stands in for the new ones instead."""
        gone = {target for alias in removed for target in self.targets.get(alias, ())}
        edits: list[Edit] = []
        wanted = [name.split(" as ")[-1] for name in new]
        assignments = self._of(statement)
        if wanted and assignments and not any(gone.intersection(a.targets) for a in assignments):
            # As the other names of the import do, but not as a flag beside them.
            bound = {alias.asname or alias.name for alias in getattr(statement, "names", ())}
            like = next(
                (a for a in assignments if any(getattr(t, "id", "") in bound for t in a.targets)),
                None,
            )
            stand_in = "None" if like is None else Src(like.value)
            line = Line((f"{' = '.join(wanted)} = ", stand_in))
            return [InsertStatements(like or assignments[0], (line,))]
        for assignment in assignments:
            if not gone.intersection(assignment.targets):
                continue
            names = [*wanted, *(t.id for t in assignment.targets if t not in gone)]  # type: ignore[attr-defined]
            wanted = []
            line = Line((f"{' = '.join(names)} = ", Src(assignment.value)), anchor=assignment)
            edits.append(ReplaceStatement(assignment, (line,) if names else ()))
        return edits


def _removable(
    flow: Flow,
    plan: Plan,
    live: Live,
    rewritten: Callable[[], str],
    reached: frozenset[str],
    fallbacks: dict[ast.alias, set[ast.AST]],
) -> list[ast.alias]:
    """The import aliases of the library that were used before and are not used any more."""
    wanted = {
        alias.asname or alias.name
        for alias, dotted in flow.imports.items()
        if flow.library.resolve(dotted) is not None
        or flow.library.is_package(dotted)
        or alias in flow.reexported
    }
    wanted |= {name.partition(".")[0] for name in wanted}
    stars = {
        alias: flow.library.star_names(dotted.removesuffix(".*"))
        for alias, dotted in flow.imports.items()
        if alias.name == "*"
    }
    for names in stars.values():
        wanted |= names.keys()
    stand_ins = {target for targets in fallbacks.values() for target in targets}
    before, after = _used_names(flow, live, wanted, stand_ins)
    if flow.module.name.endswith("__init__.py"):
        reached = reached | before[()].keys()
    removable: list[ast.alias] = []
    for alias, dotted in flow.imports.items():
        bound = alias.asname or alias.name
        scope = _path(flow.scope_of.get(alias))
        canonical = flow.library.resolve(dotted) or flow.reexported.get(alias)
        if alias.name == "*":
            given = stars[alias].keys()
            gone = any(given & used for used in before.values())
            left = reached.union(*after.values())
            if gone and not given & left and _needs_no_star(plan, rewritten()):
                removable.append(alias)
            continue
        if bound in reached and not scope:
            continue
        used = bound in after[scope] or bound in after[("text",)]
        again = _imported_again(flow, alias) if used else 0
        if again and before[scope].get(bound, again) < again:
            used = any(after[where].get(bound, again) < again for where in (scope, ("text",)))
        own = flow.library.resolve(dotted)
        if used and not (own and _means_another(flow, rewritten, bound, own)):
            continue
        if canonical is None and flow.library.is_package(dotted):
            # A module of the library, imported whole.
            root = bound.partition(".")[0]
            if root not in after[scope] and root in before[scope]:
                removable.append(alias)
        elif canonical is not None and flow.library.is_gone(canonical):
            continue  # reported: it stays
        elif canonical is not None and (flow.library.is_site(canonical) or bound in before[scope]):
            removable.append(alias)
    return removable


def _imported_again(flow: Flow, alias: ast.alias) -> int:
    """The line from which another import gives the name the same meaning for good; 0: none does."""
    body = flow.module.tree.body
    own = flow.source.statement(alias)
    if own not in body:
        return 0
    again = (
        statement.lineno
        for other, dotted in flow.imports.items()
        if dotted == flow.imports[alias]
        and (other.asname or other.name) == (alias.asname or alias.name)
        and (statement := flow.source.statement(other)) in body
        and statement.lineno > own.lineno
    )
    return min(again, default=0)


def _needs_no_star(plan: Plan, rewritten: str) -> bool:
    """Whether every name is bound without star imports, or by an import that is added."""
    added = {name.split(" as ")[-1] for names in plan.new_names.values() for name in names}
    return {name for _, name in unresolved(rewritten, stars=False)} <= added | plan.modules


def _means_another(flow: Flow, rewritten: Callable[[], str], bound: str, canonical: str) -> bool:
    """Whether every use of the name that is left means another binding of the module."""
    others = [
        target
        for slot, writes in flow.writes.items()
        if slot.name == bound
        for target, write in writes.items()
        if Library(canonical) not in write.values
    ]
    if not others:
        return False
    after = interpret(flow.module.source.again(rewritten()), flow.library)
    return not any(
        isinstance(node, ast.Name) and node.id == bound and Library(canonical) in values
        for node, values in after.values.items()
    )


def _path(function: FunctionInfo | None) -> tuple[str, ...]:
    """The names of the functions around a scope, the outermost first."""
    names: list[str] = []
    while function is not None:
        names.append(function.name)
        function = function.parent
    return tuple(reversed(names))


# Names by scope, each with the line of its first use.
_Used: TypeAlias = "dict[tuple[str, ...], dict[str, int]]"

_WORD = re.compile(r"[^\W\d]\w*")
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
# A name that is read: no attribute, no keyword, no target of an assignment.
_READ = re.compile(r"(?<![\w.])[^\W\d]\w*(?!\w)(?!\s*=[^=])")


def _used_names(
    flow: Flow, live: Live, wanted: set[str], stand_ins: set[ast.AST]
) -> tuple[_Used, _Used]:
    """Which of the ``wanted`` names code reads before and after, by the scope that binds them.

    Assignments to ``stand_ins`` count for nothing. Names in text annotations and ``__all__`` stand
    under ``("text",)``.
    """
    before: _Used = defaultdict(dict)
    after: _Used = defaultdict(dict)
    dropped = live.dropped()
    for node in flow.source.parents:
        if isinstance(node, ast.Name):
            if node.id not in wanted or node in stand_ins:
                continue
            scope, names = _binder(flow, node, node.id), {node.id}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            scope, names = ("text",), wanted & _named(node.value)
            if not names or not _may_name(flow, node):
                continue
        else:
            continue
        for name in names:
            _note(before[scope], name, node)
            if node not in dropped:
                _note(after[scope], name, node)
    for node, template in live.templates():
        for text in words(template):
            for name in wanted.intersection(_READ.findall(_STRING.sub("", text))):
                _note(after[_binder(flow, node, name)], name, node)
    return before, after


def _note(used: dict[str, int], name: str, node: ast.AST) -> None:
    line = getattr(node, "lineno", 0)
    used[name] = min(line, used.get(name, line))


def _binder(flow: Flow, node: ast.AST, name: str) -> tuple[str, ...]:
    """The scope that ``name`` means at ``node``, as the names of its functions."""
    at: ast.AST | None = node
    while at is not None and at not in flow.program.functions:
        at = flow.source.parents.get(at)
    scope = flow.program.functions[at] if at is not None else None
    while scope is not None and name not in scope.locals:
        scope = None if name in scope.globals else scope.parent
    return _path(scope)


def _may_name(flow: Flow, node: ast.AST) -> bool:
    """Whether a text stands where it may be an annotation, or an entry of ``__all__``."""
    parents = flow.source.parents
    while True:
        parent = parents[node]
        match parent:
            case ast.arg() | ast.AnnAssign() | ast.FunctionDef() | ast.AsyncFunctionDef():
                return True
            case ast.Subscript(value=holder):
                name = ast.unparse(holder).rpartition(".")[2]
                return name[:1].isupper() or name in ("list", "dict", "tuple", "set", "type")
            case ast.Assign() | ast.AugAssign():
                return any(
                    isinstance(part, ast.Name) and part.id == "__all__" for part in ast.walk(parent)
                )
            case ast.Call(func=function):
                return any(
                    getattr(part, "id", getattr(part, "attr", "")) in _NAMING
                    for part in ast.walk(function)
                )
            case ast.expr() | ast.Starred():
                node = parent
            case _:
                return False


#: ``cast("Collection", x)``, ``__all__.append("Collection")``.
_NAMING = frozenset({"__all__", "cast", "TypeVar", "NewType", "getattr", "globals"})


def _named(text: str) -> set[str]:
    """The names in a text that may be an annotation or an entry of ``__all__``."""
    if text.isidentifier():
        return {text}
    return set(_words(text)) if "[" in text and len(text) < 80 else set()


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def _insert_import(flow: Flow, plan: Plan, line: Line, apart: bool = False) -> Edit:
    """Add an import after the last one at the top of the module that stands above all edits.

    ``apart``: an empty line goes before it.
    """
    body = flow.module.tree.body
    first = min((getattr(edit.node, "lineno", sys.maxsize) for edit in plan.edits), default=1)
    last: ast.stmt | None = None
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom) and (
            last is None or _is_future(statement) or statement.lineno < first
        ):
            last = statement
    if last is not None:
        lines = (Line(("",)), line) if apart else (line,)
        return InsertStatements(last, lines, after=True)
    return InsertStatements(body[0], (line, Line(("",))), after=_is_docstring(body[0]))


def _keeps_imports(flow: Flow, removed: Mapping[ast.stmt, Sequence[ast.alias]]) -> bool:
    """Whether an import is left at the level of the module."""
    return any(
        isinstance(statement, ast.Import | ast.ImportFrom)
        and len(removed.get(statement, ())) < len(statement.names)
        for statement in flow.module.tree.body
    )


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _insert_module(flow: Flow, module: str) -> Edit:
    """Add ``import module`` in sorted position of the first block of plain imports."""
    line = Line((f"import {module}",))
    body = flow.module.tree.body
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    futures = [s for s in imports if _is_future(s)]
    plain = [s for s in imports if s not in futures]
    first = plain[0] if plain else (imports[0] if imports else body[0])
    block: list[ast.Import] = []
    for statement in plain:
        if not isinstance(statement, ast.Import):
            break
        if block and statement.lineno > (block[-1].end_lineno or 0) + 1:
            break
        block.append(statement)
    if block and not any(flow.library.is_package(a.name) for a in block[0].names):
        for statement in block:
            if statement.names[0].name > module:
                return InsertStatements(statement, (line,))
        return InsertStatements(block[-1], (line,), after=True)
    if not plain and futures:
        return InsertStatements(futures[-1], (Line(("",)), line), after=True)
    return InsertStatements(first, (line, Line(("",))), after=_is_docstring(first))
