"""``from … import …`` statements."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from migrate_milvus.edits import ChangeImport
from migrate_milvus.rewrite import RewriteError
from tests.rewrite.helpers import Case, rewrite


def change(*remove: str, add: tuple[str, ...] = ()) -> Callable[[Case], ChangeImport]:
    def edit(case: Case) -> ChangeImport:
        node = next(x for x in ast.walk(case.source.tree) if isinstance(x, ast.ImportFrom))
        names = tuple(alias for alias in node.names if alias.name in remove)
        assert len(names) == len(remove)
        return ChangeImport(node, names, add)

    return edit


CLIENT = ("MilvusClient",)


@pytest.mark.parametrize(
    ("before", "remove", "add", "after"),
    [
        ("from m import A, b\n", ("b",), (), "from m import A\n"),
        ("from m import A, b\n", ("b",), CLIENT, "from m import A, MilvusClient\n"),
        ("from m import b\n", ("b",), CLIENT, "from m import MilvusClient\n"),
        ("from m import A, Z\n", (), CLIENT, "from m import A, MilvusClient, Z\n"),
        ("from m import A, b\n", (), ("KIND", "C"), "from m import KIND, A, C, b\n"),
        ("from m import MAX, A, b\n", (), CLIENT, "from m import MAX, A, MilvusClient, b\n"),
        ("from m import a, B, z\n", (), CLIENT, "from m import a, B, MilvusClient, z\n"),
        ("from m import z, A, b\n", (), CLIENT, "from m import z, A, b, MilvusClient\n"),
        ("from m import a as b, C\n", ("C",), ("D as E",), "from m import a as b, D as E\n"),
        ("from m import A, MilvusClient\n", ("A",), CLIENT, "from m import MilvusClient\n"),
        ("from . import  A, b # noqa\n", ("b",), (), "from . import A # noqa\n"),
        ("from m import (A, b)\n", ("b",), CLIENT, "from m import (A, MilvusClient)\n"),
        ("from m import A, \\\n    b\n", ("b",), CLIENT, "from m import A, MilvusClient\n"),
        ("x = 1; from m import A, b; y\n", ("A",), (), "x = 1; from m import b; y\n"),
        ("x = 1; from m import A; y\n", ("A",), (), "x = 1; y\n"),
        ("from m import A\nx\n", ("A",), (), "x\n"),
        ("from m import A # why\nx\n", ("A",), (), "# why\nx\n"),
        ("from m import A  # noqa: F401\nx\n", ("A",), (), "x\n"),
        ("from m import A  # type: ignore[x]\nx\n", ("A",), (), "x\n"),
        (
            "try:\n    from m import A  # noqa\nexcept E:\n    x\n",
            ("A",),
            (),
            "try:\n    pass\nexcept E:\n    x\n",
        ),
        ("if x: from m import A\n", ("A",), (), "if x: pass\n"),
        ("from m import *\n", ("*",), CLIENT, "from m import MilvusClient\n"),
        (
            "from m import (\n    A,\n    b,\n)\n",
            ("b",),
            CLIENT,
            "from m import (\n    A,\n    MilvusClient,\n)\n",
        ),
        (
            "from m import (\n    A, B,\n    c, d,\n)\n",
            ("c",),
            (),
            "from m import (\n    A, B,\n    d,\n)\n",
        ),
        (
            "from m import (\n    a,\n    B, C,\n)\n",
            ("a",),
            CLIENT,
            "from m import (\n    B, C,\n    MilvusClient,\n)\n",
        ),
        (
            "from m import (  # noqa\n    # 1st\n    A,  # 1\n    b,  # 2\n    # end\n)  # x\n",
            ("A",),
            (),
            "from m import (  # noqa\n    # 1st\n    # 1\n    b,  # 2\n    # end\n)  # x\n",
        ),
        (
            "from m import (\n    # all gone\n    A,  # one\n    b,  # noqa\n)\nx\n",
            ("A", "b"),
            (),
            "# all gone\n# one\nx\n",
        ),
        (
            "from m import (A,\n               b)\n",
            ("b",),
            CLIENT,
            "from m import (\n    A,\n    MilvusClient,\n)\n",
        ),
        (
            "def f():\n\tfrom m import (\n\t\tA,\n\t\tb\n\t)\n",
            ("b",),
            CLIENT,
            "def f():\n\tfrom m import (\n\t\tA,\n\t\tMilvusClient,\n\t)\n",
        ),
    ],
)
def test_names_change_and_the_layout_stays(
    before: str, remove: tuple[str, ...], add: tuple[str, ...], after: str
) -> None:
    assert rewrite(before, change(*remove, add=add)) == after


def test_an_import_that_grows_too_long_gets_one_name_per_line() -> None:
    after = rewrite("from m import Aaaaaaaaaaaa, b\n", change(add=CLIENT), line_length=30)
    assert after == "from m import (\n    Aaaaaaaaaaaa,\n    MilvusClient,\n    b,\n)\n"


def test_a_long_import_may_stay_as_long_as_it_was() -> None:
    after = rewrite(
        "from m import Aaaaaaaaaaaaaaaaaaaaaaaaaa, b\n", change("b", add=("C",)), line_length=30
    )
    assert after == "from m import Aaaaaaaaaaaaaaaaaaaaaaaaaa, C\n"


def test_a_name_that_is_not_imported_cannot_be_removed() -> None:
    other = ast.parse("from m import A").body[0]
    assert isinstance(other, ast.ImportFrom)

    def edit(case: Case) -> ChangeImport:
        node = case.source.tree.body[0]
        assert isinstance(node, ast.ImportFrom)
        return ChangeImport(node, tuple(other.names))

    with pytest.raises(RewriteError, match="cannot remove A"):
        rewrite("from m import A\n", edit)
