"""Import clean-up: drop what the migration made unused, add what it needs."""

from __future__ import annotations

import ast
from collections import defaultdict

from migrate_milvus.edits import ChangeImport, Edit, InsertStatements, Line, ReplaceStatement
from migrate_milvus.flow import Flow
from migrate_milvus.interpreter import interpret
from migrate_milvus.planning import Plan
from migrate_milvus.program import FunctionInfo, Program, collect
from migrate_milvus.syntax import SourceText
from migrate_milvus.values import Library


def import_edits(
    flow: Flow, plan: Plan, rewritten: str, reached: frozenset[str], package: str
) -> list[Edit]:
    """The edits of import statements that go with a plan.

    ``rewritten`` is the text after all other edits; ``reached`` are names that other modules use;
    ``package`` is where the library's classes are imported from.
    """
    removals = _removable(flow, rewritten, reached)
    additions = {statement: sorted(names) for statement, names in plan.new_names.items()}
    edits: list[Edit] = []
    new = additions.pop(None, [])
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
            del by_statement[home]
        else:
            edits.append(_insert_import(flow, line))
    for statement in {*by_statement, *(s for s in additions if s is not None)}:
        aliases = tuple(by_statement.get(statement, ()))
        if isinstance(statement, ast.ImportFrom):
            edits.append(
                ChangeImport(statement, aliases, tuple(additions.get(statement, ())))
            )
        elif isinstance(statement, ast.Import) and len(aliases) == len(statement.names):
            edits.append(ReplaceStatement(statement, ()))
    for module in sorted(plan.modules):
        edits.append(_insert_module(flow, module))
    return edits


def _removable(flow: Flow, rewritten: str, reached: frozenset[str]) -> list[ast.alias]:
    """The import aliases of the library that were used before and are not used any more."""
    before = _used_names(flow.program)
    after = _used_names(collect(ast.parse(rewritten)))
    if flow.source.name.endswith("__init__.py"):
        reached = reached | before[()]
    removable: list[ast.alias] = []
    for alias, dotted in flow.imports.items():
        bound = alias.asname or alias.name
        scope = _path(flow.scope_of.get(alias))
        canonical = flow.library.resolve(dotted)
        if alias.name == "*" or (bound in reached and not scope):
            continue
        used = bound in after[scope] or bound in after[("text",)]
        if used and not (canonical and _means_another(flow, rewritten, bound, canonical)):
            continue
        if canonical is None and flow.library.is_package(dotted):
            # A module of the library, imported whole.
            root = bound.partition(".")[0]
            if root not in after[scope] and root in before[scope]:
                removable.append(alias)
        elif canonical is not None and (
            flow.library.is_site(canonical) or bound in before[scope]
        ):
            removable.append(alias)
    return removable


def _means_another(flow: Flow, rewritten: str, bound: str, canonical: str) -> bool:
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
    after = interpret(SourceText(rewritten, flow.source.name), flow.library)
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


def _used_names(program: Program) -> dict[tuple[str, ...], set[str]]:
    """The names that code reads, by the scope that binds them.

    Names in text annotations and ``__all__`` stand under ``("text",)``.
    """
    used: dict[tuple[str, ...], set[str]] = defaultdict(set)

    def visit(node: ast.AST, function: FunctionInfo | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Name):
                scope = function
                while scope is not None and child.id not in scope.locals:
                    scope = None if child.id in scope.globals else scope.parent
                used[_path(scope)].add(child.id)
            elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                if child.value.isidentifier():
                    used[("text",)].add(child.value)
                elif "[" in child.value and len(child.value) < 80:
                    used[("text",)].update(_words(child.value))
            visit(child, program.functions.get(child, function))

    visit(program.tree, None)
    return used


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def _insert_import(flow: Flow, line: Line) -> Edit:
    """Add an import after the last one at the top of the module."""
    body = flow.source.tree.body
    last: ast.stmt | None = None
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            last = statement
    if last is not None:
        return InsertStatements(last, (line,), after=True)
    first = body[0]
    return InsertStatements(first, (line, Line(("",))), after=isinstance(first, ast.Expr))


def _insert_module(flow: Flow, module: str) -> Edit:
    """Add ``import module`` in sorted position of the first block of plain imports."""
    line = Line((f"import {module}",))
    body = flow.source.tree.body
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    futures = [s for s in imports if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
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
    return InsertStatements(first, (line, Line(("",))))


__all__ = ["Library", "import_edits"]
