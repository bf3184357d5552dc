"""Iterators, and the loops that go over their pages."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrate_milvus.edits import Edit, ReplaceNode, Src
from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning, tree_of
from migrate_milvus.registry import PROVED, Answer, Rule, predicate, require, unknown
from milvus_rules.reading import arguments_of, known, unpacked_can_change
from milvus_rules.writing import client_call, is_none

ITERATOR_ARGUMENTS = predicate(
    "iterator-arguments-known", "every argument has a meaning for the client"
)
TOLERATES_NONE = predicate(
    "iterator-loop-tolerates-none", "each page is tested before anything else is done with it"
)

_SEARCH_ITERATOR = {
    "data": "data",
    "batch_size": "batch_size",
    "expr": "filter",
    "limit": "limit",
    "output_fields": "output_fields",
    "param": "search_params",
    "timeout": "timeout",
    "partition_names": "partition_names",
    "anns_field": "anns_field",
    "round_decimal": "round_decimal",
    "consistency_level": "consistency_level",
}
_QUERY_ITERATOR = {
    "batch_size": "batch_size",
    "limit": "limit",
    "expr": "filter",
    "output_fields": "output_fields",
    "partition_names": "partition_names",
    "timeout": "timeout",
    "consistency_level": "consistency_level",
    "expr_params": "expr_params",
    "offset": "offset",
    "reduce_stop_for_best": "reduce_stop_for_best",
    "ignore_growing": "ignore_growing",
    "guarantee_timestamp": "guarantee_timestamp",
    "iterator_cp_file": "iterator_cp_file",
}


class Iterators(Rule):
    """``query_iterator`` and ``search_iterator`` become the client's iterators of the same names.

    ``query_iterator`` returns the same class; an omitted filter is passed as ``filter=None``, which
    sends the ORM's request. The client's ``search_iterator`` ends with None where the ORM's ended
    with an empty page once the limit is reached: tests such as ``len(page) == 0`` become
    ``not page``, which holds for both.

    Refused for a ``search_iterator`` with a limit where a page may be used before it is tested.

    Source: both sides run on pymilvus 2.4.15 to 3.0.2 and Milvus Lite.
    """

    id = "MLV503"
    title = "iterators become the client's iterators"
    symbols = ("Collection.query_iterator", "Collection.search_iterator")

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        searching = site.symbol == "Collection.search_iterator"
        names = _SEARCH_ITERATOR if searching else _QUERY_ITERATOR
        arguments = planning.arguments(site)
        require(ITERATOR_ARGUMENTS, lambda: known(site, planning, names))
        require(ITERATOR_ARGUMENTS, lambda: unpacked_can_change(site, planning))
        loops: _Loops | None = None
        if searching:
            limited = not is_none(arguments.get("limit"))
            # Without a limit both end with an empty page.
            loops = _Loops(site, planning) if limited else None
            require(TOLERATES_NONE, lambda: loops.answer() if loops is not None else PROVED)
        pairs, edits = arguments_of(site, planning, names)
        if loops is not None:
            edits += [edit for edit in loops.edits if edit not in planning.draft.edits]
        if not searching and arguments.get("expr") is None:
            pairs.insert(0, ("filter", ("None",)))
        method = site.symbol.partition(".")[2]
        call = client_call(planning, site, method, ("collection_name", planning.name(site)), *pairs)
        return [*edits, ReplaceNode(site.node, (call,))]


_RECIPE = "page = iterator.next()\nif not page: break  # holds for None and for an empty page"
_LEAVES = ast.Break | ast.Return | ast.Raise | ast.Continue


class _Loops:
    """The places that take pages from one iterator; ``edits`` make their tests tolerate None."""

    def __init__(self, site: Site, planning: Planning) -> None:
        self.site = site
        self.planning = planning
        self.source = planning.flow.source
        self.edits: list[Edit] = []
        self.pages: set[str] = set()
        self.guarded: set[ast.AST] = set()

    def answer(self) -> Answer:
        """Whether every page is tested, for truth or length, before anything else uses it."""
        statement = self.source.statement(self.site.node)
        if not (
            isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Name)
            and len(statement.targets) == 1
            and statement.value is self.site.node
        ):
            return unknown("what becomes of the iterator is not seen here", _RECIPE)
        flow = self.planning.flow
        slot = flow.slot_of_name(statement.targets[0].id, self.site.scope)
        target = statement.targets[0]
        if target not in flow.writes.get(slot, {}) or (
            self.planning.crossing.is_seen_elsewhere(slot)
        ):
            return unknown("what becomes of the iterator is not followed", _RECIPE)
        for reader in flow.readers(slot):
            method = self.source.parents[reader]
            call = self.source.parents[method]
            named = method.attr if isinstance(method, ast.Attribute) else ""
            called = isinstance(call, ast.Call) and call.func is method
            if not called or named not in ("next", "close"):
                return unknown(
                    "what becomes of the iterator on "
                    f"{self.planning.line_of(reader)} is not followed",
                    _RECIPE,
                )
            if named == "next":
                assert isinstance(call, ast.Call)
                if not self.is_tested(call):
                    return unknown(
                        "the client's iterator ends with None; the page of "
                        f"{self.planning.line_of(call)} is not tested before it is used",
                        _RECIPE,
                    )
        scope = tree_of(self.site.scope)
        for node in ast.walk(scope):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                if node.id in self.pages and (
                    node not in self.guarded or self.is_read_later(node, scope)
                ):
                    return unknown(
                        f"the client's iterator ends with None; '{node.id}' on "
                        f"{self.planning.line_of(node)} may be that",
                        _RECIPE,
                    )
        return PROVED

    def is_read_later(self, node: ast.AST, scope: ast.AST) -> bool:
        """Whether a function within ``scope`` reads it, which may be called at any time."""
        while node in self.source.parents and node is not scope:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return True
            node = self.source.parents[node]
        return False

    def is_tested(self, call: ast.Call) -> bool:
        """Whether the page that ``call`` takes is tested at once."""
        parent = self.source.parents[call]
        if isinstance(parent, ast.NamedExpr):
            return self.tested_in_place(parent)
        if not (
            isinstance(parent, ast.Assign)
            and parent.value is call
            and len(parent.targets) == 1
            and isinstance(parent.targets[0], ast.Name)
        ):
            return False
        page = parent.targets[0].id
        block, index = self.planning.block_of(parent)
        if index + 1 < len(block):
            return self.tests(block[index + 1], page, block[index + 2 :])
        around = self.source.parents[parent]
        return (
            isinstance(around, ast.While) and parent in around.body and self.tests(around, page, [])
        )

    def tested_in_place(self, page: ast.NamedExpr) -> bool:
        """``while page := iterator.next()``, also within ``len()``."""
        node: ast.AST = page
        while isinstance(self.source.parents[node], ast.Call | ast.Compare | ast.UnaryOp):
            node = self.source.parents[node]
        around = self.source.parents[node]
        if not (isinstance(around, ast.While | ast.If) and node is around.test):
            return False
        block, index = self.planning.block_of(around)
        return self.tests(around, page.target.id, block[index + 1 :])

    def tests(self, statement: ast.stmt, page: str, rest: list[ast.stmt]) -> bool:
        """Whether the statement tests the page; what then has a page for sure is guarded."""
        if not isinstance(statement, ast.If | ast.While):
            return False
        slot = self.planning.flow.slot_of_name(page, self.site.scope)
        if slot.owner is not self.site.scope:
            return False  # other functions see it
        edits: list[Edit] = []
        missing = _when_missing(statement.test, page, edits)
        if missing is None:
            return False
        looping = isinstance(statement, ast.While)
        if looping and missing:
            return False
        skipped, run = statement.body, statement.orelse
        if not missing:
            skipped, run = run, skipped
        if not looping and skipped and isinstance(skipped[-1], _LEAVES):
            run = [*run, *rest]
        for part in (statement.test, *run):
            self.guarded |= set(ast.walk(part))
        self.pages.add(page)
        self.edits += [edit for edit in edits if edit not in self.edits]
        return True


def _when_missing(test: ast.expr, page: str, edits: list[Edit]) -> bool | None:
    """How the test turns out for None and for an empty page; None: that is not known.

    ``edits`` gets what lets it turn out so for None as well.
    """
    match test:
        case ast.Name() | ast.NamedExpr() if _is_page(test, page):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _when_missing(operand, page, edits)
            return None if inner is None else not inner
        case ast.Call(func=ast.Name(id="len"), args=[held]) if _is_page(held, page):
            edits.append(ReplaceNode(test, (Src(held),)))
            return False
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="len"), args=[held]),
            ops=[operator],
            comparators=[ast.Constant(value=int() as number)],
        ) if _is_page(held, page):
            missing = _compared(operator, number)
            if missing is not None:
                edits.append(ReplaceNode(test, ("not ", Src(held)) if missing else (Src(held),)))
            return missing
        case ast.BoolOp(op=operator, values=[first, *others]):
            # The first part decides, or says no more than that the page is None.
            decisive = isinstance(operator, ast.Or)
            if _is_none_test(first, page) and decisive:
                return all(_when_missing(part, page, []) is True for part in others[:1]) or None
            outcome = _when_missing(first, page, edits)
            return outcome if outcome is decisive else None
    return None


def _compared(operator: ast.cmpop, number: int) -> bool | None:
    """How ``0 <operator> number`` turns out, where it only tells an empty page from others."""
    match operator, number:
        case (ast.Eq() | ast.LtE(), 0) | (ast.Lt(), 1):
            return True
        case (ast.NotEq() | ast.Gt(), 0) | (ast.GtE(), 1):
            return False
    return None


def _is_page(node: ast.expr, page: str) -> bool:
    target = node.target if isinstance(node, ast.NamedExpr) else node
    return isinstance(target, ast.Name) and target.id == page


def _is_none_test(node: ast.expr, page: str) -> bool:
    return (
        isinstance(node, ast.Compare)
        and _is_page(node.left, page)
        and isinstance(node.ops[0], ast.Is)
        and isinstance(node.comparators[0], ast.Constant)
        and node.comparators[0].value is None
    )
