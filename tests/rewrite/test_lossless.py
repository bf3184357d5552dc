"""Whatever surrounds an edit stays as it was, byte for byte."""

from __future__ import annotations

import ast
import subprocess
import sys
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_milvus.edits import InsertStatements, ReplaceNode, ReplaceStatement
from migrate_milvus.syntax import SourceText
from tests.rewrite.helpers import Case, call, line, rewrite

# What may stand around the edited statement, at any indentation.
_PLAIN = [
    "",
    "   ",
    "\t",
    "\x0c",
    "# comment",
    "# ü — ß  ",
    "x = 1",
    "x  =  ( 1,)  # one",
    "y = 'ä' ; z = 2 ;",
    'text = """a\n   b # no comment\n"""',
    "call(\n   1, # one\n 2\n)",
    "if x: pass",
    "f'{x!r:>{y}} {{'",
    "x = \\\n  2",
]
_newlines = st.sampled_from(["\n", "\r\n"])
_chunk = st.tuples(st.sampled_from(_PLAIN), _newlines)
_INDENTS = st.sampled_from(["  ", "    ", "\t", "   "])


def _text(chunks: list[tuple[str, str]], indent: str) -> str:
    """The chunks as lines, blanks and comments included, at one indentation."""
    return "".join(
        (indent if chunk.strip() or not index % 2 else "") + chunk + newline
        for index, (chunk, newline) in enumerate(chunks)
    )


@st.composite
def _surroundings(draw: st.DrawFn) -> tuple[str, str, str]:
    """Text before and after a statement, and the statement's indentation."""
    chunks = st.lists(_chunk, max_size=4)
    depth = draw(st.integers(0, 2))
    indent, before = "", _text(draw(chunks), "")
    for level in range(depth):
        before += f"{indent}{('def f():', 'class A:  # c', 'while x :')[level]}{draw(_newlines)}"
        indent += draw(_INDENTS)
        before += _text(draw(chunks), indent)
    after = _text(draw(chunks), indent) + _text(draw(chunks), "")
    if after and draw(st.booleans()):
        after = after.rstrip("\r\n")
    return before, after, indent


@settings(max_examples=60, deadline=None)
@given(_surroundings(), _newlines)
def test_replacing_an_expression_changes_nothing_else(
    around: tuple[str, str, str], newline: str
) -> None:
    before, after, indent = around
    text = f"{before}{indent}result = é(old , 'ü')  # why {newline}{after}"
    written = rewrite(text, lambda case: ReplaceNode(case.expr("old"), (call("new", "1"),)))
    assert written == text.replace("old", "new(1)")


@settings(max_examples=60, deadline=None)
@given(_surroundings(), _newlines)
def test_replacing_a_statement_changes_nothing_else(
    around: tuple[str, str, str], newline: str
) -> None:
    before, after, indent = around
    text = f"{before}{indent}old(1) # why {newline}{after}"
    statements = (line("a = 1"), line("b = 2"))
    written = rewrite(text, lambda case: ReplaceStatement(case.stmt("old(1)"), statements))
    assert written == f"{before}{indent}a = 1{newline}{indent}b = 2 # why {newline}{after}"


@settings(max_examples=60, deadline=None)
@given(_surroundings(), _newlines)
def test_inserting_after_a_statement_changes_nothing_else(
    around: tuple[str, str, str], newline: str
) -> None:
    before, after, indent = around
    text = f"{before}{indent}old(1) # why {newline}{after}"
    written = rewrite(
        text, lambda case: InsertStatements(case.stmt("old(1)"), (line("a"),), after=True)
    )
    assert written == f"{before}{indent}old(1) # why {newline}{indent}a{newline}{after}"


@settings(max_examples=120, deadline=None)
@given(_surroundings(), _newlines)
def test_removing_a_statement_takes_only_blank_lines_with_it(
    around: tuple[str, str, str], newline: str
) -> None:
    before, after, indent = around
    text = f"{before}{indent}old(1){newline}{after}"
    written = rewrite(text, lambda case: ReplaceStatement(case.stmt("old(1)"), ()))
    kept = [item for item in (before + after).splitlines() if item.strip()]
    lines = [item for item in written.splitlines() if item.strip() and item.strip() != "pass"]
    assert lines == [item for item in kept if item.strip() != "pass"]
    assert _widest_gap(written) <= _widest_gap(text)
    ast.parse(written)


def _widest_gap(text: str) -> int:
    lines = text.split("\n")
    filled = [-1, *(n for n, item in enumerate(lines) if item.strip(" \t\r")), len(lines)]
    return max(high - low for low, high in pairwise(filled))


def test_a_byte_order_mark_stays() -> None:
    text = "\ufeffx = old; y = 'ü' + old\n"
    case = Case(text)
    edits = [ReplaceNode(case.expr("old", nth), ("new",)) for nth in range(2)]
    assert case.apply(*edits) == "\ufeffx = new; y = 'ü' + new\n"


def test_no_edits_return_the_same_text() -> None:
    text = "x  = 1\r\n\ty"
    case = Case("if x:\r\n\ty")
    assert case.apply() == "if x:\r\n\ty"
    assert Case("").apply() == ""
    assert text != case.source.text


def test_libcst_is_imported_only_to_check_a_rewritten_text() -> None:
    program = (
        "import sys\n"
        "from migrate_milvus.rewrite import apply_edits\n"
        "from migrate_milvus.syntax import SourceText\n"
        "apply_edits(SourceText('a'), [], line_length=100)\n"
        "assert 'libcst' not in sys.modules\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_tests_read_what_the_rewriter_reads() -> None:
    source = SourceText("x = 'é' + old\n")
    node = next(node for node in ast.walk(source.tree) if isinstance(node, ast.Name))
    assert source.segment(node) in ("x", "old")
