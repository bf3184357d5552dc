"""Faults injected into the rewriting: the self-check withholds the file, and says so.

Each fault is put in where the edits go to the rewriter, or into the rewriter itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus import engine, rewrite
from migrate_milvus.edits import (
    Argument,
    Block,
    CallTemplate,
    Comprehension,
    Edit,
    InsertStatements,
    Line,
    Part,
    ReplaceNode,
    ReplaceStatement,
    Template,
)
from migrate_milvus.model import Severity, Status
from migrate_milvus.rewrite import apply_edits
from migrate_milvus.syntax import SourceText
from tests.conftest import Run
from tests.engine.helpers import migrate_text

PROGRAM = """\
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

NAME = "films"


def size(collection):
    # what is stored, not what is searchable
    collection.flush()
    return collection.num_entities


def names():
    listed = utility.list_collections(timeout=2)
    return sorted(listed)


connections.connect(host="localhost", port="19530", timeout=5)
if utility.has_collection(NAME):
    utility.drop_collection(NAME, timeout=3)
schema = CollectionSchema(
    [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("vec", DataType.FLOAT_VECTOR, dim=4),
    ],
    description="films",
)
films = Collection(NAME, schema, consistency_level="Strong")
films.insert([[1, 2], [[0.1] * 4, [0.2] * 4]], timeout=7)
films.create_index("vec", {"index_type": "FLAT", "metric_type": "L2", "params": {}}, timeout=9)
films.load(timeout=8)
hits = films.search([[0.1] * 4], "vec", {"metric_type": "L2"}, limit=2, expr="id > 0")  # nearest
rows = films.query("id > 0", output_fields=["id"])
films.delete("id in [1]", timeout=4)
print(size(collection=films), len(hits[0]), rows, names())
films.drop()
connections.disconnect("default")
"""

Fault = Callable[[SourceText, list[Edit]], Sequence[Edit]]


@pytest.fixture
def inject(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], None]:
    """Puts a fault between the plan and the rewriter."""

    def put(fault: Fault) -> None:
        def faulty(source: SourceText, edits: Sequence[Edit], **options: Any) -> str:
            return apply_edits(source, fault(source, list(edits)), **options)

        monkeypatch.setattr(engine, "apply_edits", faulty)

    return put


@pytest.fixture
def splice(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str]], None]:
    """Puts a fault into the text that the rewriter makes, before it checks it."""
    spliced = rewrite._spliced

    def put(fault: Callable[[str], str]) -> None:
        def faulty(text: str, patches: Any) -> str:
            return fault(spliced(text, patches))

        monkeypatch.setattr(rewrite, "_spliced", faulty)

    return put


def assert_withheld() -> str:
    """The file stays as it is, every site is reported; returns the message."""
    result = migrate_text(PROGRAM)
    assert result.text is None
    errors = [finding for finding in result.findings if finding.severity is Severity.ERROR]
    assert [(error.rule, error.reason) for error in errors] == [("MLV003", "self-check")]
    assert len(result.sites) == 15
    assert {site.status for site in result.sites} == {Status.REPORTED}
    return errors[0].message


def changed(part: Any, change: Callable[[CallTemplate], Part]) -> Any:
    """A template (or statement) with every call in it changed."""
    match part:
        case tuple():
            return tuple(changed(inner, change) for inner in part)
        case CallTemplate(function=function, arguments=arguments):
            inner = tuple(replace(a, value=changed(a.value, change)) for a in arguments)
            return change(CallTemplate(changed(function, change), inner))
        case Comprehension(element=element, clause=clause):
            return Comprehension(changed(element, change), changed(clause, change))
        case Line(template=template):
            return replace(part, template=changed(template, change))
        case Block(header=header, body=body):
            return Block(changed(header, change), changed(body, change))
    return part


def with_calls(change: Callable[[CallTemplate], Part]) -> Fault:
    """The fault that changes every written call."""

    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        found: list[Edit] = []
        for edit in edits:
            match edit:
                case ReplaceNode(template=template):
                    found.append(replace(edit, template=changed(template, change)))
                case ReplaceStatement(statements=body) | InsertStatements(statements=body):
                    found.append(replace(edit, statements=changed(body, change)))
                case _:
                    found.append(edit)
        return found

    return fault


def function_of(call: CallTemplate) -> str:
    """The function's last name."""
    last = call.function[-1]
    return last.rpartition(".")[2] if isinstance(last, str) else ""


def test_without_a_fault_the_program_is_rewritten() -> None:
    result = migrate_text(PROGRAM)
    assert result.text is not None
    assert "pymilvus import DataType, MilvusClient\n" in result.text
    assert {site.status for site in result.sites} == {Status.REWRITTEN}
    assert len(result.sites) == 15


# ---- a site is skipped ---------------------------------------------------------------------------


def skipping(start: str) -> Fault:
    """The fault that forgets the edits of the node that starts so."""

    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        kept = [edit for edit in edits if not source.segment(edit.node).startswith(start)]
        assert len(kept) < len(edits)
        return kept

    return fault


@pytest.mark.parametrize(
    "start",
    [
        "connections.connect(",
        "connections.disconnect(",
        "utility.has_collection(",
        "utility.drop_collection(",
        "utility.list_collections(",
        "films = Collection(",
        "films.insert(",
        "films.create_index(",
        "films.load(",
        "films.search(",
        "films.query(",
        "films.delete(",
        "films.drop(",
        "collection.flush(",
        "collection.num_entities",
    ],
)
def test_one_site_is_skipped(inject: Callable[[Fault], None], start: str) -> None:
    inject(skipping(start))
    assert_withheld()


def test_the_import_is_not_added(inject: Callable[[Fault], None]) -> None:
    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        return [edit for edit in edits if edit.node is not source.tree.body[0]]

    inject(fault)
    assert "'MilvusClient' is not defined" in assert_withheld()


# ---- a caller and its parameter ------------------------------------------------------------------


def test_a_caller_is_renamed_but_not_the_parameter(inject: Callable[[Fault], None]) -> None:
    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        parameter = source.tree.body[2].args.args[0]  # type: ignore[attr-defined]
        kept = [edit for edit in edits if edit.node is not parameter]
        assert len(kept) == len(edits) - 1
        return kept

    inject(fault)
    assert "'collection_name' is not defined" in assert_withheld()


def test_the_parameter_is_renamed_but_not_one_caller(inject: Callable[[Fault], None]) -> None:
    inject(skipping("collection=films"))
    assert_withheld()


def test_one_caller_keeps_the_object(inject: Callable[[Fault], None]) -> None:
    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        return [
            replace(edit, template=("collection_name=films",))
            if isinstance(edit, ReplaceNode) and source.segment(edit.node) == "collection=films"
            else edit
            for edit in edits
        ]

    inject(fault)
    assert "'films' is not defined" in assert_withheld()


# ---- arguments of written calls ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "keyword"),
    [
        ("create_collection", "collection_name"),
        ("create_collection", "schema"),
        ("create_collection", "consistency_level"),
        ("create_schema", "description"),
        ("add_field", "is_primary"),
        ("MilvusClient", "uri"),
        ("MilvusClient", "timeout"),
        ("insert", "data"),
        ("insert", "timeout"),
        ("add_index", "field_name"),
        ("add_index", "metric_type"),
        ("create_index", "index_params"),
        ("create_index", "timeout"),
        ("load_collection", "timeout"),
        ("search", "data"),
        ("search", "limit"),
        ("search", "filter"),
        ("query", "output_fields"),
        ("delete", "filter"),
        ("zip", "strict"),
    ],
)
def test_a_keyword_is_dropped(inject: Callable[[Fault], None], function: str, keyword: str) -> None:
    dropped: list[Argument] = []

    def change(call: CallTemplate) -> Part:
        if function_of(call) != function:
            return call
        dropped.extend(a for a in call.arguments if a.keyword == keyword)
        return replace(call, arguments=tuple(a for a in call.arguments if a.keyword != keyword))

    inject(with_calls(change))
    try:
        assert_withheld()
    finally:
        assert dropped


def test_an_argument_is_dropped_from_a_call_of_a_helper(inject: Callable[[Fault], None]) -> None:
    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        return [
            replace(edit, template=())
            if isinstance(edit, ReplaceNode)
            and source.segment(edit.node).startswith("collection=films")
            else edit
            for edit in edits
        ]

    inject(fault)
    assert_withheld()


def test_two_values_change_places(inject: Callable[[Fault], None]) -> None:
    def change(call: CallTemplate) -> Part:
        if function_of(call) != "search":
            return call
        values = {a.keyword: a.value for a in call.arguments}
        swap = {"filter": "anns_field", "anns_field": "filter"}
        return replace(
            call,
            arguments=tuple(
                replace(a, value=values[swap.get(str(a.keyword), a.keyword)])
                for a in call.arguments
            ),
        )

    inject(with_calls(change))
    assert_withheld()


def adding(function: str, argument: Argument) -> Fault:
    """The fault that adds an argument to the calls of a function."""

    def change(call: CallTemplate) -> Part:
        if function_of(call) != function:
            return call
        return replace(call, arguments=(*call.arguments, argument))

    return with_calls(change)


def making_positional(function: str) -> Fault:
    """The fault that leaves out the keywords of a function's calls."""

    def change(call: CallTemplate) -> Part:
        if function_of(call) != function:
            return call
        return replace(call, arguments=tuple(replace(a, keyword=None) for a in call.arguments))

    return with_calls(change)


def renaming(function: str, old: str, new: str) -> Fault:
    """The fault that writes another keyword."""

    def change(call: CallTemplate) -> Part:
        if function_of(call) != function:
            return call
        return replace(
            call,
            arguments=tuple(
                replace(a, keyword=new) if a.keyword == old else a for a in call.arguments
            ),
        )

    return with_calls(change)


VALUE: Template = ("1",)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (adding("search", Argument(VALUE, "nprobe")), "would take nprobe= and ignore it"),
        (adding("load_collection", Argument(VALUE, "partition_names")), "partition_names"),
        (adding("MilvusClient", Argument(VALUE, "host")), "host"),
        (adding("has_collection", Argument(VALUE, "collection_name")), "collection_name twice"),
        (renaming("search", "filter", "expr"), "expr"),
        (renaming("search", "search_params", "param"), "param"),
        (renaming("create_collection", "schema", "dimension"), "dimension"),
        (making_positional("delete"), "must have ids= as a keyword"),
        (making_positional("search"), "must have data= as a keyword"),
        (making_positional("insert"), "must have data= as a keyword"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_does_not_fit_the_client(
    inject: Callable[[Fault], None], fault: Fault, message: str
) -> None:
    inject(fault)
    assert message in assert_withheld()


def test_a_method_that_the_client_does_not_have(inject: Callable[[Fault], None]) -> None:
    def change(call: CallTemplate) -> Part:
        return replace(call, function=("client.num_entities",))

    inject(with_calls(lambda call: change(call) if function_of(call) == "flush" else call))
    assert "no method num_entities" in assert_withheld()


# ---- names ---------------------------------------------------------------------------------------


def calling(old: str, new: str) -> Fault:
    """The fault that writes another function."""
    return with_calls(
        lambda call: replace(call, function=(new,)) if function_of(call) == old else call
    )


def test_a_name_that_is_not_defined(inject: Callable[[Fault], None]) -> None:
    inject(calling("query", "clinet.query"))
    assert "name 'clinet' is not defined" in assert_withheld()


def test_a_name_that_is_defined_in_another_function_only(
    inject: Callable[[Fault], None],
) -> None:
    inject(calling("query", "listed.query"))
    assert_withheld()


def test_a_name_that_is_read_before_it_is_bound(inject: Callable[[Fault], None]) -> None:
    inject(calling("drop_collection", "rows.drop_collection"))
    assert_withheld()


# ---- a second run --------------------------------------------------------------------------------


def with_old_imports(source: SourceText, edits: Sequence[Edit]) -> Sequence[Edit]:
    """The edits without those of the import."""
    return [edit for edit in edits if edit.node is not source.tree.body[0]]


def test_a_second_run_would_connect_again(inject: Callable[[Fault], None]) -> None:
    skip = skipping("connections.connect(")
    inject(lambda source, edits: with_old_imports(source, skip(source, list(edits))))
    assert "a second run would change line 17 again" in assert_withheld()


def test_a_second_run_would_rewrite_what_was_written(inject: Callable[[Fault], None]) -> None:
    """The new text holds ORM code with a connection of its own."""

    def fault(source: SourceText, edits: list[Edit]) -> Sequence[Edit]:
        (last,) = [
            e for e in edits if source.segment(e.node) == 'connections.disconnect("default")'
        ]
        again = 'connections.connect(host="localhost", port="19530")'
        changed = [
            replace(edit, template=(again,))
            if edit is last and isinstance(edit, ReplaceNode)
            else edit
            for edit in edits
        ]
        return with_old_imports(source, changed)

    inject(fault)
    assert "a second run would change line" in assert_withheld()


# ---- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comment", ["  # nearest", "    # what is stored, not what is searchable\n"]
)
def test_a_comment_is_lost(splice: Callable[[Callable[[str], str]], None], comment: str) -> None:
    assert comment in PROGRAM
    splice(lambda text: text.replace(comment, ""))
    assert "changes that no edit is about" in assert_withheld()


@pytest.mark.parametrize(
    ("old", "new"), [("client.query(", "client.query(("), ("return sorted", "  return sorted")]
)
def test_the_text_is_not_python(
    splice: Callable[[Callable[[str], str]], None], old: str, new: str
) -> None:
    splice(lambda text: text.replace(old, new))
    assert "not valid Python" in assert_withheld()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('NAME = "films"', "NAME = 'films'"),
        ('NAME = "films"', 'NAME = "movies"'),
        ("sorted(listed)", "sorted(listed) "),
        ("\n\n\ndef names", "\n\ndef names"),
    ],
)
def test_a_line_that_no_edit_is_about_changes(
    splice: Callable[[Callable[[str], str]], None], old: str, new: str
) -> None:
    assert old in PROGRAM
    splice(lambda text: text.replace(old, new))
    assert_withheld()


# ---- what the file was like before ---------------------------------------------------------------


def test_a_file_that_never_compiled_is_not_our_bug() -> None:
    result = migrate_text(PROGRAM + "from __future__ import annotations\n")
    assert result.text is None
    (error,) = [finding for finding in result.findings if finding.severity is Severity.ERROR]
    assert (error.rule, error.place.line) == ("MLV001", len(PROGRAM.splitlines()) + 1)
    assert {site.status for site in result.sites} == {Status.REPORTED}
    assert len(result.sites) == 15


def test_imports_go_below_docstring_and_future_imports() -> None:
    head = '"""Films."""\nfrom __future__ import annotations\n'
    result = migrate_text(
        head
        + PROGRAM.replace(
            "from pymilvus import", "from pymilvus.orm.utility import *\nfrom pymilvus import", 1
        )
    )
    assert result.text is not None
    assert result.text.startswith(head + "from pymilvus")


@pytest.mark.parametrize(
    "own",
    [
        "print(nowhere)\n",
        "def f():\n    return nowhere\n",
        "def f():\n    print(x)\n    x = 1\n",
        "names(1, 2)\n",
        "size(films=1)\n",
        "[nowhere for x in y]\n",
    ],
)
def test_what_was_wrong_before_does_not_count(own: str) -> None:
    assert migrate_text(PROGRAM + own).text is not None


# ---- what the user sees --------------------------------------------------------------------------


def test_the_command_line_fails_and_writes_nothing(
    inject: Callable[[Fault], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_cli: Run,
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "app.py").write_text(PROGRAM)
    (tmp_path / "other.py").write_text(PROGRAM.replace("films.query(", "films.query (", 1))
    monkeypatch.chdir(tmp_path)
    inject(
        lambda source, edits: (
            skipping("films.query(")(source, edits) if source.name == "app.py" else edits
        )
    )
    outcome = run_cli("--write")
    assert outcome.exit_code == 2
    assert "app.py:1:1: MLV003" in outcome.output
    assert "self-check" in outcome.output
    assert (tmp_path / "app.py").read_text() == PROGRAM
    # One bad file does not stop the others.
    assert "client.query(" in (tmp_path / "other.py").read_text()


@pytest.mark.parametrize("error", [ValueError("boom"), KeyError("boom"), RecursionError("deep")])
def test_whatever_the_rewriter_raises_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*arguments: object, **options: object) -> str:
        raise error

    monkeypatch.setattr(engine, "apply_edits", broken)
    result = migrate_text(PROGRAM)
    assert result.text is None
    assert [f.severity for f in result.findings] == [Severity.ERROR]
    assert (result.findings[0].rule, result.findings[0].reason) == ("MLV003", "internal-error")
    assert len(result.sites) == 15
    assert {site.status for site in result.sites} == {Status.REPORTED}
