"""Nothing is missed: every ORM symbol, however it is imported, is rewritten or reported."""

from __future__ import annotations

import pytest

from migrate_milvus.model import FileResult, Severity, Status
from milvus_rules.catalogue import MOVED, QUALIFIED, STAYS_VALID, SYMBOLS, Symbol, star_names
from tests.engine.helpers import migrate_text

USE = "# the use"
RECEIVERS = {
    "Collection": "docs",
    "Partition": "part",
    "Index": "index",
    "Role": "role",
    "MutationResult": "result",
    "CollectionSchema": "schema",
    "FieldSchema": "field",
    "MilvusClient": "client",
    "connections": "connections",
    "utility": "utility",
    "db": "db",
    "RoleInfo": "roles",
    "RoleItem": "role_item",
    "UserInfo": "users",
    "UserItem": "user_item",
    "GrantInfo": "grants",
    "GrantItem": "grant",
    "PrivilegeGroupInfo": "privileges",
    "PrivilegeGroupItem": "privilege_group",
    "Replica": "replicas",
    "CompactionState": "state",
    "QuerySegmentInfo": "segment",
    "Hits": "hits",
    "Hit": "hit",
    "Entity": "entity",
}
_SEARCH = 'hits = Collection("docs").search([[0.1] * 4], "vec", {"metric_type": "L2"}, 2)[0]'
SETUP = {
    "docs": 'docs = Collection("docs")',
    "part": 'docs = Collection("docs")\npart = Partition(docs, "part")',
    "index": 'docs = Collection("docs")\nindex = Index(docs, "vec", {"index_type": "FLAT"})',
    "role": 'role = Role("reader")',
    "result": 'docs = Collection("docs")\nresult = docs.insert([{"id": 1, "vec": [0.1] * 4}])',
    "schema": 'field = FieldSchema("id", DataType.INT64, is_primary=True)\n'
    "schema = CollectionSchema([field])",
    "field": 'field = FieldSchema("id", DataType.INT64, is_primary=True)',
    "client": 'client = MilvusClient(uri="http://localhost:19530")',
    "roles": "roles = utility.list_roles(False)",
    "role_item": "role_item = utility.list_roles(False).groups[0]",
    "users": "users = utility.list_user('bob', False)",
    "user_item": "user_item = utility.list_user('bob', False).groups[0]",
    "grants": 'grants = Role("reader").list_grants()',
    "grant": 'grant = Role("reader").list_grants().groups[0]',
    "privileges": 'privileges = Role("reader").list_privilege_groups()',
    "privilege_group": 'privilege_group = Role("reader").list_privilege_groups().groups[0]',
    "replicas": 'replicas = Collection("docs").get_replicas()',
    "state": 'state = Collection("docs").get_compaction_state()',
    "segment": 'segment = utility.get_query_segment_info("docs")[0]',
    "hits": _SEARCH,
    "hit": f"{_SEARCH}\nhit = hits[0]",
    "entity": f"{_SEARCH}\nentity = hits[0].entity",
}
NAMES = (
    "Collection",
    "CollectionSchema",
    "Connections",
    "DataType",
    "FieldSchema",
    "Index",
    "MilvusClient",
    "Partition",
    "Role",
    "connections",
    "db",
    "utility",
)
VALUES = {
    "alias": '"default"',
    "anns_field": '"vec"',
    "auto_id": "True",
    "batch_size": "10",
    "collection": "docs",
    "collection_name": '"docs"',
    "configs": "{}",
    "d_time": "None",
    "data": '[{"id": 1, "vec": [0.1] * 4}]',
    "dataframe": "None",
    "db_name": '"library"',
    "dtype": "DataType.INT64",
    "epoch": "1.0",
    "expr": '"id in [1]"',
    "extra_params": '{"mmap.enabled": True}',
    "fields": "[]",
    "files": '["docs.json"]',
    "hybridts": "1",
    "include_role_info": "True",
    "include_user_info": "True",
    "index_params": '{"index_type": "FLAT", "metric_type": "L2", "params": {}}',
    "limit": "3",
    "num_nodes": "1",
    "num_replicas": "1",
    "param": '{"metric_type": "L2"}',
    "privileges": '["Query"]',
    "properties": '{"collection.ttl.seconds": 60}',
    "reqs": "[]",
    "rerank": "None",
    "src_node_id": "1",
    "task_id": "1",
    "vectors_left": "[]",
    "vectors_right": "[]",
}
# Uses that stay valid: nothing has to become of them.
_NAMES = [s for s in SYMBOLS.values() if s.kind != "idiom"]
VALID = [s for s in _NAMES if s.verdict == "unchanged" or s.name in STAYS_VALID]
USES = [s for s in _NAMES if s not in VALID]
GAPS = {
    s.name: "members of MilvusClient objects are not followed"
    for s in USES
    if s.owner == "MilvusClient"
}


#: What the client gives has the same member, so the line stays as it is.
SAME = frozenset(f"QuerySegmentInfo.{member}" for member in ("num_rows", "mem_size", "index_name"))


def arguments(symbol: Symbol) -> str:
    """The required arguments of a call, with plausible values."""
    required = [p.name for p in symbol.parameters if p.default is None]
    return ", ".join(VALUES.get(name, f'"{name}"') for name in required)


def expression(symbol: Symbol, *, called: bool) -> tuple[str, str]:
    """How the symbol is used, and the lines that have to stand before."""
    if symbol.owner:
        receiver = RECEIVERS[symbol.owner]
        text = f"{receiver}.{symbol.member}"
        setup = SETUP.get(receiver, "")
    else:
        text = symbol.name
        setup = {"Partition": SETUP["docs"], "Index": SETUP["docs"]}.get(text, "")
    if called and symbol.kind in ("method", "function", "constructor"):
        text = f"{text}({arguments(symbol)})"
    return text, setup


def imports(symbol: Symbol) -> str:
    """The imports of a program that uses the symbol."""
    lines = [f"from pymilvus import {', '.join(NAMES)}"]
    if not symbol.owner and symbol.name not in NAMES:
        path = next((p for p, name in QUALIFIED.items() if name == symbol.name), symbol.name)
        module, _, name = path.rpartition(".")
        lines.append(f"from {module} import {name}" if module else f"import {name}")
    return "\n".join(lines)


def program(symbol: Symbol, *, called: bool = True) -> tuple[str, int]:
    """A program that uses the symbol, and the line of the use.

    For a name that moved that is the import: it is what has to change.
    """
    text, setup = expression(symbol, called=called)
    before = [imports(symbol), 'connections.connect(host="localhost", port="19530")', setup]
    if symbol.name == "connections.connect" and called:
        before, text = [imports(symbol)], 'connections.connect(host="localhost", port="19530")'
    lines = "\n".join(filter(None, before)).splitlines()
    alone = called and symbol.result == "None"
    use = text if alone else f"print({text})"
    number = 2 if symbol.name in MOVED else len(lines) + 1
    return "\n".join([*lines, f"{use}  {USE}", ""]), number


def migrate(symbol: Symbol, text: str) -> FileResult:
    """The result for a release in which the symbol's use has to change."""
    older = {"target_version": (2, 4, 15)} if symbol.rule == "MLV504" else {}
    return migrate_text(text, **older)


def assert_accounted(result: FileResult, line: int) -> None:
    """What stands on the line is rewritten, or reported there with what to do."""
    old = result.document.text.splitlines()[line - 1].partition(USE)[0].strip()
    assert not [f for f in result.findings if f.severity is Severity.ERROR]
    sites = [site for site in result.sites if site.place.line == line]
    here = [f for f in result.findings if f.place.line == line]
    blocked = [f for f in here if f.severity is Severity.BLOCKED]
    followed = {p.line for f in result.findings for p in f.follows}
    assert sites or blocked, "missed"
    for site in sites:
        if site.status is Status.REWRITTEN:
            assert result.text is not None
        else:
            assert site.reason
            assert blocked or line in followed or "stays" in site.reason
    if result.text is None or blocked:
        assert blocked or line in followed
    elif all(site.status is Status.REWRITTEN for site in sites):
        assert old not in [row.partition(USE)[0].strip() for row in result.text.splitlines()]
    for finding in blocked:
        assert finding.message and finding.reason and finding.rule.startswith("MLV")


def _cases(symbols: list[Symbol]) -> list[object]:
    return [
        pytest.param(
            symbol,
            id=symbol.name,
            marks=[pytest.mark.xfail(strict=True, reason=GAPS.get(symbol.name, ""))]
            if symbol.name in GAPS
            else [],
        )
        for symbol in symbols
    ]


@pytest.mark.parametrize("symbol", _cases(USES))
def test_every_use_is_rewritten_or_reported(symbol: Symbol) -> None:
    text, line = program(symbol)
    result = migrate(symbol, text)
    if symbol.name in SAME:
        assert result.text is not None
        assert {site.status for site in result.sites} == {Status.REWRITTEN}
    else:
        assert_accounted(result, line)


# The time stamp helpers are the same functions elsewhere, values as well.
VALUES_OF_USES = [
    s for s in USES if s.kind in ("method", "function", "constructor") and s.rule != "MLV608"
]


@pytest.mark.parametrize("symbol", _cases(VALUES_OF_USES))
def test_every_symbol_used_as_a_value_is_reported(symbol: Symbol) -> None:
    text, line = program(symbol, called=False)
    result = migrate(symbol, text)
    assert_accounted(result, line)
    assert [f for f in result.findings if f.place.line == line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("from pymilvus import LocalBulkWriter\ndef f(w: LocalBulkWriter): ...\n", [1]),
        ("import pymilvus\nprint(pymilvus.DEFAULT_RESOURCE_GROUP)\n", [2]),
        (
            "try:\n    from pymilvus import BulkFileType\nexcept ImportError:\n"
            "    from pymilvus.bulk_writer import BulkFileType\nprint(BulkFileType.JSON)\n",
            [],
        ),
    ],
    ids=["imported", "by module", "with a fallback"],
)
def test_a_name_that_moved_is_reported_once(text: str, lines: list[int]) -> None:
    result = migrate_text(text)
    assert [f.place.line for f in result.findings] == lines
    assert [site.place.line for site in result.sites] == lines


@pytest.mark.parametrize("symbol", VALID, ids=lambda symbol: symbol.name)
def test_what_stays_valid_is_left_alone(symbol: Symbol) -> None:
    text, line = program(symbol)
    result = migrate_text(text)
    assert not [f for f in result.findings if f.place.line == line]
    assert not [site for site in result.sites if site.place.line == line]


@pytest.mark.parametrize(
    "text",
    [
        "print(docs.search(DATA, 'vec', {}, 3, _async=True))",
        "docs.create_index('vec', {'index_type': 'FLAT', 'params': {}}, _async=True)",
        "print(isinstance(docs, Collection))",
        "print(docs.search(DATA, 'vec', {}, 3, _async=True).result())",
    ],
)
def test_idioms_are_reported(text: str) -> None:
    head = (
        "from pymilvus import Collection, connections\n"
        "connections.connect(host='localhost', port='19530')\n"
        "docs = Collection('docs')\nDATA = [[0.1] * 4]\n"
    )
    result = migrate_text(head + text + "\n")
    assert result.text is None
    assert 5 in {f.place.line for f in result.findings}


# ---- import forms --------------------------------------------------------------------------------

FORMS = {
    "names": "from pymilvus import connections, utility\n{connect}\n{use}",
    "renamed": "from pymilvus import connections as connections, utility as u\n{connect}\n{use:u}",
    "module": "import pymilvus\npymilvus.{connect}\npymilvus.{use}",
    "renamed module": "import pymilvus as pm\npm.{connect}\npm.{use}",
    "submodule": "from pymilvus.orm.connections import connections\n"
    "from pymilvus.orm import utility\n{connect}\n{use}",
    "submodule function": "from pymilvus import connections\n"
    "from pymilvus.orm.utility import has_collection\n{connect}\n{bare}",
    "dotted": "import pymilvus.orm.utility\nfrom pymilvus import connections\n{connect}\n"
    "pymilvus.orm.{use}",
    "dotted and renamed": "import pymilvus.orm.utility as tools\nfrom pymilvus import connections\n"
    "{connect}\ntools.{bare}",
    "star": "from pymilvus import *\n{connect}\n{use}",
    "star of the orm": "from pymilvus import connections\nfrom pymilvus.orm.utility import *\n"
    "{connect}\n{bare}",
    "top level function": "from pymilvus import connections, has_collection\n{connect}\n{bare}",
    "top level attribute": "import pymilvus\npymilvus.{connect}\npymilvus.{bare}",
    "in a function": "def main():\n    from pymilvus import connections, utility\n"
    "    {connect}\n    {use}\n\nmain()",
    "in a method": "class App:\n    def run(self):\n"
    "        from pymilvus import connections, utility\n        {connect}\n        {use}",
    "under try": "try:\n    from pymilvus import connections, utility\nexcept ImportError:\n"
    "    connections = utility = None\n{connect}\n{use}",
    "under if": "import sys\nif sys.version_info > (3,):\n"
    "    from pymilvus import connections, utility\n{connect}\n{use}",
    "type checking": "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
    "from pymilvus import connections, utility\nif TYPE_CHECKING:\n"
    "    from pymilvus import Collection\n{connect}\n{use}\n"
    "def size(docs: Collection) -> int:\n    return docs.num_entities",
    "first package": "from pymilvus_orm import connections, utility\n{connect}\n{use}",
    "twice": "from pymilvus import connections\nfrom pymilvus import utility\n"
    "import pymilvus\n{connect}\n{use}\npymilvus.{use}",
    "rebound": "import pymilvus\ntools = pymilvus.utility\npymilvus.{connect}\ntools.{bare}",
    "rebound name": "from pymilvus import connections, utility\nu = utility\n{connect}\n{use:u}",
    "__import__": "import importlib\npm = importlib.import_module('pymilvus')\n"
    "pm.{connect}\npm.{use}",
}

# What is reported there: a namespace used as a value, an import that cannot go.
STAYING = {"first package", "__import__", "type checking", "under try", "rebound", "rebound name"}


class _Words:
    """Fills the forms: ``{use}`` is a call through ``utility``, ``{use:u}`` through ``u``."""

    def __format__(self, spec: str) -> str:
        return f'{spec or "utility"}.has_collection("docs")'


def form(text: str) -> str:
    """The program of a form."""
    return text.format(
        connect='connections.connect(host="localhost", port="19530")',
        use=_Words(),
        bare='has_collection("docs")',
    )


_DYNAMIC = pytest.mark.xfail(strict=True, reason="import_module() is not seen as an import")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=_DYNAMIC if name == "__import__" else []) for name in FORMS],
)
def test_every_import_form_is_seen(name: str) -> None:
    text = form(FORMS[name]) + "\n"
    result = migrate_text(text)
    for number, line in enumerate(text.splitlines(), 1):
        if "has_collection(" in line or "connect(" in line or "num_entities" in line:
            assert_accounted(result, number)


@pytest.mark.parametrize("name", sorted(FORMS.keys() - STAYING))
def test_most_import_forms_are_rewritten(name: str) -> None:
    result = migrate_text(form(FORMS[name]) + "\n")
    assert result.text is not None, result.findings
    assert 'client.has_collection("docs")' in result.text
    assert "utility" not in result.text.replace("import *", "")
    assert {site.status for site in result.sites} == {Status.REWRITTEN}


@pytest.mark.parametrize(
    "module",
    [
        "getattr(pymilvus, 'utility')",
        "vars(pymilvus)['utility']",
        "sys.modules['pymilvus'].utility",
        "importlib.import_module('pymilvus').utility",
        "__import__('pymilvus').utility",
    ],
)
def test_a_computed_use_is_reported(module: str) -> None:
    """Unreported it would lose the connection, which is rewritten."""
    text = (
        "import importlib\nimport sys\nimport pymilvus\n"
        'pymilvus.connections.connect(host="localhost", port="19530")\n'
        f"{module}.list_collections()\n"
    )
    assert 5 in {f.place.line for f in migrate_text(text).findings}


def test_a_star_import_brings_every_name() -> None:
    for name in ("Collection", "utility", "connections", "has_collection", "Role", "db"):
        assert name in star_names("pymilvus")
        text = f"from pymilvus import *\nprint({name})\n"
        assert [f.place.line for f in migrate_text(text).findings] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "from chromadb import Collection\nCollection('docs').flush()",
        "import pymilvus\nclass Collection:\n    def flush(self):\n        pass\n"
        "Collection().flush()",
        "from pymilvus import DataType, MilvusClient\n"
        "MilvusClient('a.db').create_collection('docs', 4)\nprint(DataType.INT64)",
        "import pymilvus\nprint(pymilvus.__version__)",
        "from pymilvus.model.hybrid import BGEM3EmbeddingFunction\nBGEM3EmbeddingFunction()",
        "print('pymilvus')",
    ],
)
def test_other_code_is_left_alone(text: str) -> None:
    result = migrate_text(text + "\n")
    assert result.text is None
    assert result.findings == []
    assert result.sites == []


_LIKE_A_COLLECTION = [
    "if collection.num_entities:\n        pass",
    "count = collection.num_entities",
    "print(collection.num_entities)",
    "print(len(collection.indexes))",
    "collection.search(data, anns_field='vec', param={}, limit=3)",
    "collection.flush()",
]
_USES_THE_ORM = "from pymilvus import utility\nutility.list_collections()\n"


@pytest.mark.parametrize("use", _LIKE_A_COLLECTION)
def test_an_object_from_out_of_sight_is_reported(use: str) -> None:
    result = migrate_text(f"{_USES_THE_ORM}def f(collection, data):\n    {use}\n")
    assert [(f.rule, f.place.line) for f in result.findings if f.place.line > 2] == [("MLV291", 4)]


@pytest.mark.parametrize("imported", ["import pymilvus", "from pymilvus import MilvusClient"])
def test_where_no_orm_is_imported_nothing_looks_like_it(imported: str) -> None:
    text = f"{imported}\ndef f(collection, data):\n    collection.num_entities\n"
    assert migrate_text(text).findings == []


@pytest.mark.parametrize(
    "text",
    [
        "import shelf\ncollection = shelf.open_collection('a')",
        "from pymilvus import MilvusClient\ncollection = MilvusClient('a.db')",
        "class Films:\n    def flush(self):\n        pass\ncollection = Films()",
    ],
)
def test_an_object_known_to_be_another_is_not_reported(text: str) -> None:
    result = migrate_text(f"{_USES_THE_ORM}{text}\ncollection.flush()\n")
    assert [f.place.line for f in result.findings if f.place.line > 2] == []
