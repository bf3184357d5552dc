"""A call of every ORM symbol with all its arguments, in every form, migrates or is reported.

The calls are generated from the signatures: of the catalogue, which are those of the installed
pymilvus (``test_catalogue.py`` compares them), and of 2.6.13 where they differ. What is written
must fit ``MilvusClient`` of each release that the signature data describes, and must hold every
argument; otherwise a finding must say why the call stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_milvus import registry
from migrate_milvus.document import Document
from migrate_milvus.engine import migrate
from migrate_milvus.model import FileResult, Severity, Status
from migrate_milvus.settings import Settings
from milvus_rules import signatures, versions
from milvus_rules.catalogue import QUALIFIED, SYMBOLS, Parameter, Symbol
from milvus_rules.catalogue.older import DECLARED
from milvus_rules.library import HITS

RULES = registry.load()
SUPPORTED = [versions.parse(release) for release in signatures.releases()]
RECEIVERS = {"Collection": "docs", "Partition": "part", "Index": "index", "Role": "role"}
NAMESPACES = ("utility", "db", "connections")
# Called to set the scene, and so not again; how they are rewritten has fixtures of its own.
SCENE = {
    "Collection": 'docs = Collection("docs")\n',
    "Partition": 'docs = Collection("docs")\npart = Partition(docs, "part")\n',
    "Index": 'docs = Collection("docs")\nindex = docs.index()\n',
    "Role": 'role = Role("reader")\n',
}
SYMBOLS_SWEPT = [
    symbol
    for symbol in SYMBOLS.values()
    if symbol.signature is not None
    and symbol.kind in ("function", "method", "constructor")
    and symbol.rule not in ("MLV950", "MLV020", "MLV201", "")
    and symbol.owner not in ("CollectionSchema", "FieldSchema")
    and symbol.owner not in HITS  # methods of what a search gives; fixtures show each
    and symbol.name != "Connections"
]
# Values that show by themselves where they went. They are of the right kind, as far as that counts.
VALUES = {
    "using": '"default"',
    "alias": '"default"',
    "timeout": "3.25",
    "_async": "False",
    "num_replicas": "31",
    "num_nodes": "32",
    "replica_number": "33",
    "limit": "34",
    "batch_size": "35",
    "round_decimal": "36",
    "task_id": "37",
    "src_node_id": "38",
    "dst_node_ids": "[39]",
    "sealed_segment_ids": "[40]",
    "hybridts": "41",
    "epoch": "42",
    "milliseconds": "43",
    "delta": "None",
    "tz": "None",
    "incr": "None",
    "include_role_info": "True",
    "include_user_info": "False",
    "is_clustering": "True",
    "partition_names": '["v_part"]',
    "output_fields": '["v_field"]',
    "files": '["v_file"]',
    "privileges": '["v_privilege"]',
    "param": '{"metric_type": "v_metric"}',
    "index_params": '{"index_type": "v_index", "metric_type": "v_metric"}',
    "properties": '{"v_property": "1"}',
    "extra_params": '{"v_extra": "1"}',
    "configs": '{"v_group": None}',
    "reqs": "[first, second]",
    "rerank": "first",
    "ranker": "None",
    "function_chains": "[]",
    "highlighter": "first",
    "search_aggregation": "second",
    "schema": "schema",
    "collection": "docs",
    "dataframe": "frame",
    "datetime": "when",
}
DATA = {
    "Collection.search": "[[0.5] * 4]",
    "Partition.search": "[[0.5] * 4]",
    "Collection.search_iterator": "[[0.5] * 4]",
}
# Keywords without which a call says nothing.
FURTHER = {"connections.connect": (("host", '"v_host"'), ("port", "46"))}
# Arguments that never reached the server, or that say which client is meant.
DROPPED = {
    "using": "",
    "alias": "",
    "_async": "",
    "description": "a partition's description never left the object",
    "include_role_info": "the client always asks for the roles of a user",
    "include_user_info": "the client never asks for the users of all roles",
}


@dataclass(frozen=True)
class Call:
    """A generated call: values by parameter, the first ``positional`` of them by position."""

    symbol: Symbol
    given: tuple[tuple[str, str], ...]
    positional: int
    imported: str = "module"

    @property
    def arguments(self) -> list[str]:
        values = [value for _, value in self.given[: self.positional]]
        return values + [f"{name}={value}" for name, value in self.given[self.positional :]]

    def program(self, layout: Callable[[str, list[str]], str]) -> str:
        """A module that sets the scene and makes the call."""
        lines = "from pymilvus import Collection, Partition, Role, connections, db, utility\n"
        function = self._function()
        if self.imported == "top":
            lines = f"from pymilvus import {self.symbol.member}, connections\n"
        elif self.imported == "alias":
            lines = "import pymilvus as pm\nfrom pymilvus import connections\n"
            function = f"pm.{function}"
        elif self.imported == "submodule":
            lines = "from pymilvus.orm import utility as tools\nfrom pymilvus import connections\n"
            function = f"tools.{self.symbol.member}"
        lines += "from elsewhere import first, frame, schema, second, when\n\n"
        if self.symbol.name != "connections.connect":
            lines += 'connections.connect(host="localhost", port="19530")\n'
        if self.symbol.name in ("Partition", "Index"):
            lines += SCENE["Collection"]
        if self.symbol.name == "Index":
            lines = lines.replace("import Collection,", "import Collection, Index,")
        lines += SCENE.get(self.symbol.owner, "")
        if self.symbol.kind == "constructor":
            return f"{lines}made = {layout(function, self.arguments)}\nmade.drop()\n"
        return lines + layout(function, self.arguments) + "\n"

    def _function(self) -> str:
        owner = self.symbol.owner
        if self.imported == "top":
            return self.symbol.member
        return (
            f"{RECEIVERS[owner]}.{self.symbol.member}" if owner in RECEIVERS else self.symbol.name
        )


def plain(function: str, arguments: list[str]) -> str:
    return f"{function}({', '.join(arguments)})"


def value(symbol: Symbol, parameter: str) -> str:
    if parameter == "data":
        return DATA.get(symbol.name, '[{"id": 45, "vector": [0.5] * 4}]')
    return VALUES.get(parameter, f'"v_{parameter}"')


def declared(symbol: Symbol) -> list[Parameter]:
    """The parameters that a program may give; the last one of connect() is private."""
    return [parameter for parameter in symbol.parameters if parameter.name != "_unbind_with_db"]


def parameters(symbol: Symbol) -> list[tuple[str, str]]:
    own = [(parameter.name, value(symbol, parameter.name)) for parameter in declared(symbol)]
    return [*own, *FURTHER.get(symbol.name, ())]


def forms(symbol: Symbol) -> list[Call]:
    """All arguments by position, by keyword, and half and half; and only the required ones."""
    every = tuple(parameters(symbol))
    number = len(declared(symbol))
    required = tuple(
        pair
        for pair, known in zip(every[:number], declared(symbol), strict=True)
        if known.default is None
    )
    calls = [Call(symbol, every, cut) for cut in sorted({0, (number + 1) // 2, number})]
    return [*calls, Call(symbol, required, 0), Call(symbol, required, len(required))]


def swept() -> list[Symbol]:
    older = [
        replace(SYMBOLS[name], signature=signature)
        for release in DECLARED.values()
        for name, signature in release.items()
    ]
    return [*SYMBOLS_SWEPT, *older]


def run(text: str, target: tuple[int, ...] = SUPPORTED[0]) -> FileResult:
    document = Document.from_text(text, "program.py")
    chosen = Settings(root=Path("."), target_python=(3, 10), target_version=target)
    found = migrate([document], chosen)
    return found[0] if found else FileResult(document)


def check(call: Call, text: str, target: tuple[int, ...] = SUPPORTED[0]) -> FileResult:
    """The call is written for all releases from ``target`` on with all its arguments, or a finding
    says why not."""
    result = run(text, target)
    own = [site for site in result.sites if site.symbol == call.symbol.name]
    if call.symbol.name not in SCENE:
        assert own, f"not seen: {text}"
    if any(site.status is not Status.REWRITTEN for site in own):
        blocked = [f for f in result.findings if f.severity is Severity.BLOCKED]
        assert blocked, text
        assert all(f.message and f.reason in registry.PREDICATES for f in blocked)
        return result
    assert result.text is not None
    tree = ast.parse(result.text)
    for version in SUPPORTED[SUPPORTED.index(target) :]:
        wrong = signatures.check_module(tree, version, before=ast.parse(text))
        assert not wrong, f"{wrong}: {result.text}"
    written = re.sub(r"\s", "", result.text)
    for name, given_value in call.given:
        if name not in DROPPED and given_value != "None":
            for part in re.findall(r"v_\w+|\b3\.25\b|\b\d\d\b|first|second", given_value):
                assert part in written, f"{name}={given_value} is lost: {result.text}"
    return result


@pytest.mark.parametrize("symbol", swept(), ids=lambda symbol: symbol.name)
def test_a_call_with_all_arguments_is_written_or_reported(symbol: Symbol) -> None:
    for call in forms(symbol):
        for target in SUPPORTED:
            check(call, call.program(plain), target)


# Calls that mean nothing without what goes before, or whose result is to be read: fixtures of
# their own show when they are rewritten.
IN_CONTEXT = {
    "Collection.construct_from_dataframe",  # a frame whose columns are seen
    "connections.add_connection",
    "connections.list_connections",
    "Collection.get_compaction_state",
    "Collection.get_compaction_plans",
    "Collection.wait_for_compaction_completed",
    "Collection.index",
    "Collection.search_iterator",
    "Index.drop",
    "Index.to_dict",
    "utility.index_building_progress",
    "utility.wait_for_index_building_complete",
    "utility.wait_for_loading_complete",
}
# Forms that stay, and why.
STAYS = {
    "Collection.hybrid_search": {"hybrid-ranker"},  # ranker= cannot be told to the client
    "Collection.query": {"primary-key-known"},  # without output fields, of an unknown collection
    "Partition.query": {"primary-key-known"},
}


@pytest.mark.parametrize(
    "symbol",
    [s for s in swept() if s.verdict in ("safe", "if") and s.name not in IN_CONTEXT],
    ids=lambda symbol: symbol.name,
)
def test_what_can_be_rewritten_is_rewritten_in_every_form(symbol: Symbol) -> None:
    for call in forms(symbol):
        result = check(call, call.program(plain), SUPPORTED[-1])
        own = [site for site in result.sites if site.symbol == symbol.name]
        reasons = {f.reason for f in result.findings if f.severity is Severity.BLOCKED}
        assert reasons <= STAYS.get(symbol.name, set())
        assert reasons or all(site.status is Status.REWRITTEN for site in own)


TOP_LEVEL = sorted(
    path.rpartition(".")[2]
    for path, name in QUALIFIED.items()
    if path.count(".") == 1
    and path.startswith("pymilvus.")
    and name.startswith("utility.")
    and SYMBOLS[name].signature is not None
    and SYMBOLS[name].rule not in ("MLV950", "")
)
GONE_FROM_THE_TOP = {
    "do_bulk_insert",
    "get_bulk_insert_state",
    "list_bulk_insert_tasks",
    "get_query_segment_info",
    "load_balance",
}


def test_the_functions_of_the_top_level_are_known() -> None:
    assert len(TOP_LEVEL) >= 20


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_a_function_means_the_same_however_it_is_imported(name: str) -> None:
    symbol = SYMBOLS[f"utility.{name}"]
    for call in forms(symbol):
        expected = check(call, call.program(plain))
        for imported in ("top", "alias", "submodule"):
            again = replace(call, imported=imported)
            if imported == "top" and name in GONE_FROM_THE_TOP:
                continue  # its import is what is reported
            result = check(again, again.program(plain))
            if symbol.verdict == "unchanged" or symbol.rule == "MLV608":
                continue  # it stays, under the name that it has
            assert (result.text is None) == (expected.text is None)
            if result.text is not None and expected.text is not None and not result.findings:
                last, wanted = (ast.parse(r.text or "").body[-1] for r in (result, expected))
                assert ast.dump(last) == ast.dump(wanted)


# --- variants ----------------------------------------------------------------------------------


def one_per_line(function: str, arguments: list[str]) -> str:
    return "\n".join([f"{function}(", *(f"    {item}," for item in arguments), ")"])


def commented(function: str, arguments: list[str]) -> str:
    lines = [f"    {item},  # about {number}" for number, item in enumerate(arguments)]
    return "\n".join([f"{function}(  # why", *lines, "    # the end", ")"])


def continued(function: str, arguments: list[str]) -> str:
    return f"{function}(" + ", \\\n    ".join(arguments) + ")"


def spread(function: str, arguments: list[str]) -> str:
    return f"{function} ( {' , '.join(arguments)}{' ,' if arguments else ''} )"


def _said(result: FileResult) -> list[tuple[int, str, str]]:
    return [(f.place.line, f.rule, f.reason) for f in result.findings]


LAYOUTS = [one_per_line, commented, continued, spread]


def calls() -> st.SearchStrategy[Call]:
    """Any symbol, with any of its optional arguments, cut into positions and keywords anywhere."""

    @st.composite
    def build(draw: st.DrawFn) -> Call:
        symbol = draw(st.sampled_from(swept()))
        pairs = parameters(symbol)
        number = len(declared(symbol))
        required = sum(known.default is None for known in symbol.parameters)
        cut = draw(st.integers(0, number))
        kept = [
            pair
            for index, pair in enumerate(pairs)
            if index < max(cut, required) or draw(st.booleans())
        ]
        return Call(symbol, tuple(kept), cut)

    return build()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(call=calls(), layout=st.sampled_from(LAYOUTS))
def test_the_layout_of_a_call_changes_nothing_but_itself(
    call: Call, layout: Callable[[str, list[str]], str]
) -> None:
    expected = check(call, call.program(plain))
    result = check(call, call.program(layout))
    assert [reason for _, _, reason in _said(result)] == [r for _, _, r in _said(expected)]
    assert (result.text is None) == (expected.text is None)
    if result.text is not None and expected.text is not None:
        assert ast.dump(ast.parse(result.text)) == ast.dump(ast.parse(expected.text))
        if layout is commented:
            for comment in re.findall("# .*", call.program(layout)):
                assert comment in result.text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(call=calls(), byte_order_mark=st.booleans(), crlf=st.booleans(), tabs=st.booleans())
def test_bytes_and_line_ends_change_nothing_but_themselves(
    call: Call, byte_order_mark: bool, crlf: bool, tabs: bool
) -> None:
    def dressed(text: str) -> str:
        text = text.replace("    ", "\t") if tabs else text
        text = text.replace("\n", "\r\n") if crlf else text
        return "\ufeff" + text if byte_order_mark else text

    text = call.program(plain)
    head, _, rest = text.partition("\n\n")
    text = f"{head}\n\n\ndef main():\n" + "".join(f"    {line}\n" for line in rest.splitlines())
    expected, result = run(text), run(dressed(text))
    assert _said(result) == _said(expected)
    if expected.text is None:
        assert result.text is None
    else:
        assert result.text == dressed(expected.text)


# --- targets -----------------------------------------------------------------------------------

TARGETS = [(2, 4, 0), (2, 4, 10), (2, 5, 0), (2, 5, 1), (2, 5, 18), (2, 6, 4)]


@pytest.mark.parametrize("symbol", SYMBOLS_SWEPT, ids=lambda symbol: symbol.name)
def test_an_older_target_gets_only_what_it_has(symbol: Symbol) -> None:
    every = tuple(parameters(symbol))
    text = Call(symbol, every, 0).program(plain)
    for target in TARGETS:
        result = run(text, target)
        assert not [f for f in result.findings if f.severity is Severity.ERROR]
        if result.text is None:
            assert [f for f in result.findings if f.severity is Severity.BLOCKED] or (
                symbol.verdict == "unchanged" or symbol.rule == "MLV608"
            )
            continue
        lacking = signatures.lacking(ast.parse(result.text), target)
        assert ".".join(map(str, target)) not in lacking
