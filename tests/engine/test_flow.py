"""The interpreter, units and placement on small programs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from migrate_milvus.flow import UNBOUND, Flow
from migrate_milvus.registry import load
from migrate_milvus.units import Units, find_units
from tests.engine.helpers import analyse, migrate_text, reasons, symbols, value_of

HEAD = "from pymilvus import Collection, Partition, connections, utility\n"


def flow_of(text: str) -> Flow:
    """The analysis of a program whose imports stand on the first line."""
    return analyse(HEAD + dedent(text).strip() + "\n")


def units_of(text: str) -> Units:
    """The units of such a program."""
    return find_units(flow_of(text), load().unit_kinds)


def rewritten(text: str) -> str:
    """The new text of a program that connects, or "" when all of it stays."""
    connect = 'connections.connect(host="localhost", port="19530")\n'
    return migrate_text(HEAD + connect + dedent(text).strip() + "\n").text or ""


# ---- values that reach a name --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = Collection('a')\nx", {"Collection"}),
        ("x = 1\nx = Collection('a')\nx", {"Collection"}),
        ("x = Collection('a')\nx = 1\nx", {"1"}),
        ("x = y = Collection('a')\nx", {"Collection"}),
        ("x: Collection = Collection('a')\nx", {"Collection"}),
        ("x, y = Collection('a'), 2\nx", {"Collection"}),
        ("y, x = Collection('a'), 2\nx", {"2"}),
        ("x, y = y, x = Collection('a'), 2\nx", {"2"}),
        ("if f():\n    x = Collection('a')\nelse:\n    x = None\nx", {"Collection", "None"}),
        ("x = None\nif f():\n    x = Collection('a')\nx", {"Collection", "None"}),
        ("if f():\n    x = Collection('a')\nelse:\n    raise SystemExit\nx", {"Collection"}),
        ("x = Collection('a') if f() else None\nx", {"Collection", "None"}),
        ("x = None or Collection('a')\nx", {"Collection"}),
        ("x = None\nfor i in y:\n    x = Collection(i)\nx", {"Collection", "None"}),
        ("x = None\nwhile True:\n    x = Collection('a')\n    break\nx", {"Collection"}),
        ("x = None\nwhile f():\n    x = Collection('a')\n    x = 1\nx", {"None", "1"}),
        (
            "x = 0\nfor i in y:\n    if f():\n        x = 1\n        continue\n    x = 2\nx",
            {*"012"},
        ),
        ("x = 0\ntry:\n    x = Collection('a')\nexcept E:\n    pass\nx", {"Collection", "0"}),
        ("try:\n    x = Collection('a')\nexcept E:\n    raise\nx", {"Collection"}),
        ("try:\n    x = 1\nexcept E:\n    x = 2\nelse:\n    x = 3\nx", {"2", "3"}),
        ("x = 1\ntry:\n    x = 2\nfinally:\n    x = 3\nx", {"3"}),
        ("with f() as x:\n    pass\nx", {"?"}),
        ("with f():\n    x = Collection('a')\nx", {"Collection"}),
        ("(x := Collection('a'))\nx", {"Collection"}),
        ("for x in [Collection('a')]:\n    pass\nx", {"Collection", "?"}),
        ("for x in [1]:\n    x", {"1"}),
        ("import x\nx", {"?"}),
        ("def x(): pass\nx", {"function x"}),
        ("class x: pass\nx", {"class x"}),
        ("class K: pass\nx = K()\nx", {"instance K"}),
        ("x = utility\nx", {"<utility>"}),
        ("x = utility.has_collection\nx", {"<utility.has_collection>"}),
    ],
)
def test_reaching_definitions(text: str, value: set[str]) -> None:
    found = value_of(flow_of(text), "x")
    # A name that may be unbound may show as not known, besides.
    assert found == value or found | {"?"} == value


def test_definitions_that_may_not_have_run_leave_the_name_unbound() -> None:
    flow = flow_of("if f():\n    x = 1\ng(x).flush()\nutility.list_collections()\n")
    (site,) = [s for s in flow.every_site() if s.symbol == "utility.list_collections"]
    assert UNBOUND in site.state.names["x"].definitions
    assert len(site.state.names["x"].definitions) == 2


# ---- functions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f():\n    return Collection('a')\nf().flush()", "4 Collection.flush"),
        ("def f(x):\n    x.flush()\nf(Collection('a'))", "3 Collection.flush"),
        ("def f(*, x):\n    x.flush()\nf(x=Collection('a'))", "3 Collection.flush"),
        ("def f(x):\n    return x\nf(Collection('a')).flush()", "4 Collection.flush"),
        ("def f(x=Collection('a')):\n    x.flush()\nf()", "3 Collection.flush"),
        ("f = lambda x: x.flush()\nf(Collection('a'))", "2 Collection.flush"),
        ("x = Collection('a')\ndef f():\n    def g():\n        x.flush()", "5 Collection.flush"),
        (
            "def f():\n    x = Collection('a')\n    def g():\n        x.flush()\n    g()",
            "5 Collection.flush",
        ),
        (
            "x = None\ndef f():\n    global x\n    x = Collection('a')\ndef g():\n    x.flush()",
            "7 Collection.flush",
        ),
        ("def f():\n    yield Collection('a')\nfor x in f():\n    x.flush()", "5 Collection.flush"),
        (
            "async def f():\n    return Collection('a')\nasync def g():\n    (await f()).flush()",
            "5 Collection.flush",
        ),
        ("def f(x: Collection):\n    x.flush()", "3 Collection.flush"),
        ("def f(x: 'Collection | None'):\n    x.flush()", "3 Collection.flush"),
    ],
)
def test_objects_flow_through_functions(text: str, found: str) -> None:
    assert found in symbols(flow_of(text))


@pytest.mark.parametrize("first", ["None", "Collection('b')"])
def test_a_nested_function_rebinds_the_name(first: str) -> None:
    flow = flow_of(
        f"""
        def f():
            x = {first}
            def g():
                nonlocal x
                x = Collection("a")
            g()
            x.flush()
        """
    )
    (site,) = [site for site in flow.every_site() if site.symbol == "Collection.flush"]
    assert len(site.objects) == 1 + (first != "None")


def test_a_recursion_ends() -> None:
    flow = flow_of(
        """
        def walk(x, depth):
            x.flush()
            return walk(again(x), depth - 1) if depth else x
        def again(x):
            return walk(x, 0)
        walk(Collection("a"), 3).release()
        """
    )
    assert sorted(symbols(flow)) == ["3 Collection.flush", "7 Collection", "7 Collection.release"]


def test_many_functions_that_call_each_other_end() -> None:
    names = [f"f{n}" for n in range(30)]
    text = "".join(
        f"def {name}(x):\n    x.flush()\n    return {names[(n + 1) % 30]}(x)\n"
        for n, name in enumerate(names)
    )
    flow = flow_of(text + "f0(Collection('a'))")
    assert symbols(flow).count("92 Collection") == 1
    assert sum(symbol.endswith(".flush") for symbol in symbols(flow)) == 30


def test_unpacked_arguments_take_the_object_out_of_sight() -> None:
    text = """
        def f(x, y):
            x.flush()
        docs = Collection("a")
        f(*[docs, 1])
        """
    assert rewritten(text) == ""


# ---- objects of the program ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "class K:\n    def __init__(self):\n        self.x = Collection('a')\n"
            "    def f(self):\n        self.x.flush()",
            "6 Collection.flush",
        ),
        (
            "class K:\n    x = Collection('a')\n    def f(self):\n        self.x.flush()\n",
            "5 Collection.flush",
        ),
        ("class K:\n    x = Collection('a')\nK.x.flush()", "4 Collection.flush"),
        (
            "class K:\n    def __init__(self, x):\n        self.x = x\nK(Collection('a'))"
            ".x.flush()",
            "5 Collection.flush",
        ),
        (
            "class K:\n    @property\n    def x(self):\n        return Collection('a')\n"
            "K().x.flush()",
            "6 Collection.flush",
        ),
        (
            "class K:\n    @staticmethod\n    def f(x):\n        x.flush()\nK.f(Collection('a'))",
            "5 Collection.flush",
        ),
        (
            "class K:\n    @classmethod\n    def f(cls, x):\n        x.flush()\n"
            "K.f(Collection('a'))",
            "5 Collection.flush",
        ),
        (
            "class A:\n    def __init__(self):\n        self.x = Collection('a')\n"
            "class B(A):\n    def f(self):\n        self.x.flush()",
            "7 Collection.flush",
        ),
        (
            "class A:\n    def make(self):\n        return Collection('a')\n"
            "class B(A):\n    def f(self):\n        super().make().flush()",
            "7 Collection.flush",
        ),
    ],
)
def test_objects_flow_through_instances(text: str, found: str) -> None:
    assert found in symbols(flow_of(text))


def test_classes_that_do_not_inherit_keep_their_attributes_apart() -> None:
    flow = flow_of(
        """
        class A:
            def __init__(self):
                self.x = Collection("a")
        class B:
            def __init__(self):
                self.x = open("a")
            def f(self):
                self.x.flush()
        """
    )
    assert symbols(flow) == ["4 Collection"]


# ---- containers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "xs = [Collection('a')]\nxs[0].flush()",
        "xs = [Collection('a')]\nfor x in xs:\n    x.flush()",
        "xs = []\nxs.append(Collection('a'))\nxs[0].flush()",
        "xs = {}\nxs['a'] = Collection('a')\nxs['a'].flush()",
        "xs = {'a': Collection('a')}\nxs['a'].flush()",
        "xs = {'a': Collection('a')}\nfor x in xs.values():\n    x.flush()",
        "xs = {'a': Collection('a')}\nfor k, x in xs.items():\n    x.flush()",
        "xs = [Collection(n) for n in 'ab']\nxs[0].flush()",
        "xs = [Collection(n) for n in 'ab']\n[x.flush() for x in xs]",
        "xs = (Collection('a'), 1)\nxs[0].flush()",
        "x = [1, Collection('a')].pop()\nx.flush()",
    ],
)
def test_an_object_in_a_container_is_not_missed(text: str) -> None:
    """The use of an element is found, or the object is reported where it goes out of sight."""
    connect = "connections.connect(host='localhost', port='19530')\n"
    result = migrate_text(HEAD + connect + text + "\n")
    found = any(site.symbol == "Collection.flush" for site in result.sites)
    assert found or any("object-in-sight" in reason for reason in reasons(result))
    if result.text is not None:
        assert ".flush()" not in result.text


# ---- scopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = Collection('a')\n[x.flush() for x in files]",
        "x = Collection('a')\ndef f(x):\n    x.flush()\nf(open('a'))",
        "x = Collection('a')\ndef f():\n    x = open('a')\n    x.flush()",
        "x = Collection('a')\nlambda x: x.flush()",
        "x = Collection('a')\ndef f():\n    for x in files:\n        x.flush()",
        "def f():\n    x = Collection('a')\nx = open('a')\nx.flush()",
        "class K:\n    x = Collection('a')\n    def f(self):\n        x.flush()\nx = open('a')",
    ],
)
def test_another_variable_of_the_same_name(text: str) -> None:
    assert not [s for s in symbols(flow_of(text)) if s.endswith("flush")]


def test_the_variable_of_a_comprehension_does_not_leave_it() -> None:
    flow = flow_of("x = Collection('a')\n[x for x in [1, 2]]\nx.flush()")
    assert symbols(flow) == ["2 Collection", "4 Collection.flush"]


# ---- units ---------------------------------------------------------------------------------------


def test_objects_that_share_a_variable_are_one_unit() -> None:
    units = units_of("x = Collection('a')\nx = Collection('b')\ny = Collection('c')\nx\ny")
    assert sorted(len(unit.objects) for unit in units.all()) == [1, 2]
    units = units_of("x = Collection('a') if f() else Collection('b')\ny = Collection('c')\nx\ny")
    assert sorted(len(unit.objects) for unit in units.all()) == [1, 2]


def test_objects_that_reach_one_parameter_are_one_unit() -> None:
    units = units_of("def f(x):\n    x.flush()\nf(Collection('a'))\nf(Collection('b'))")
    (unit,) = units.all()
    assert len(unit.objects) == 2
    assert len(unit.sites) >= 3


def test_a_partition_goes_with_its_collection() -> None:
    units = units_of("x = Collection('a')\np = Partition(x, 'p')\np.flush()")
    (unit,) = units.all()
    assert {item.kind for item in unit.objects} == {"Collection", "Partition"}


def test_a_unit_stays_or_goes_whole() -> None:
    text = """
        x = Collection("a")
        x.flush()
        y = Collection("b")
        y.flush()
        unknown(x)
        """
    new = rewritten(text)
    assert 'x = Collection("a")\nx.flush()\n' in new
    assert 'client.flush("b")' in new
    assert "unknown(x)" in new


# ---- where the client lives ----------------------------------------------------------------------

CONNECT = "connections.connect(host='localhost', port='19530')"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"{CONNECT}\nutility.has_collection('a')", "\nclient.has_collection('a')"),
        (f"{CONNECT}\ndef f():\n    utility.has_collection('a')", "    client.has_collection('a')"),
        (
            f"def f():\n    {CONNECT}\n    utility.has_collection('a')",
            "    client = MilvusClient(uri=",
        ),
        (
            f"class K:\n    def __init__(self):\n        {CONNECT}\n"
            "    def f(self):\n        utility.has_collection('a')",
            "        self.client.has_collection('a')",
        ),
        (
            f"def size(x):\n    return x.num_entities\ndef f():\n    {CONNECT}\n"
            "    size(Collection('a'))",
            "def size(client, collection_name):",
        ),
        (
            f"def start():\n    {CONNECT}\ndef f():\n    utility.has_collection('a')\nstart()",
            "    global client",
        ),
        (f"client = 1\n{CONNECT}\nutility.has_collection('a')", "\nmilvus_client = MilvusClient("),
    ],
    ids=["module", "module, read in a function", "local", "self", "parameter", "global", "taken"],
)
def test_where_the_client_lives(text: str, written: str) -> None:
    new = migrate_text(HEAD + text + "\n").text
    assert new is not None
    assert written in new


def test_the_analysis_gives_the_same_again() -> None:
    text = "\n".join(f"def f{n}(x):\n    x.flush()\nf{n}(Collection('c{n}'))" for n in range(8))
    assert len({rewritten(text) for _ in range(3)}) == 1
    assert "def f7(collection_name):" in rewritten(text)


def test_lists_of_objects_are_not_forgotten_among_many_values() -> None:
    others = "".join(f"if f({n}):\n    x = g({n})\n" for n in range(20))
    flow = flow_of(f"x = Collection('a').partitions\n{others}for part in x:\n    part.load()")
    assert "Partition.load" in " ".join(symbols(flow))
