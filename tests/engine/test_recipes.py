"""Recipes are filled with the arguments of the call that they are about."""

from __future__ import annotations

import pytest

from migrate_milvus.recipes import filled
from tests.engine.helpers import migrate_text

CONNECT = (
    'from pymilvus import Role, connections, utility\nconnections.connect(host="h", port="1")\n'
)


@pytest.mark.parametrize(
    ("recipe", "given", "absent", "wanted"),
    [
        ("f(name=name)", {"name": '"a"'}, [], 'f(name="a")'),
        ("f(name, [other])", {"name": "x.y", "other": "b + c"}, [], "f(x.y, [b + c])"),
        ("f({one: two})", {"one": "1", "two": "2"}, [], "f({1: 2})"),
        ("x = f(name)  # name", {"name": "a"}, [], "x = f(a)  # name"),
        ("f(a,\n  b=b, c=c)", {"c": "3"}, ["b"], "f(a, c=3)"),
        ("name = 1\nf(name)", {"name": "a"}, [], "name = 1\nf(name)"),
        ("name.f()", {"name": "a or b"}, [], "name.f()"),
        ("name.f()", {"name": "a[0]"}, [], "a[0].f()"),
        ("x == name", {"name": '"a"'}, [], 'x == "a"'),
        ("x == name", {"name": "a if b else c"}, [], "x == name"),
        ('f"{name}"', {"name": "a"}, [], 'f"{name}"'),
        ("f(name)", {"name": "[\n1]"}, [], "f(name)"),
        ("# name only", {"name": "a"}, ["other"], "# name only"),
        ("no code at all, name", {"name": "a"}, [], "no code at all, name"),
    ],
)
def test_a_recipe_is_filled(
    recipe: str, given: dict[str, str], absent: list[str], wanted: str
) -> None:
    assert filled(recipe, given, absent) == wanted


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (
            'utility.do_bulk_insert(NAME, files=paths, partition_name="new")',
            ["collection_name=NAME", "files=[paths]", 'partition_name="new"'],
        ),
        ("utility.do_bulk_insert(NAME, paths)", ["collection_name=NAME, files=[paths],\n)"]),
        ('utility.transfer_node("a", "b", 2)', ['"a": ResourceGroupConfig(', '"b": Res']),
        (
            'Role(NAME).list_grant("Collection", "films")',
            ["client.describe_role(NAME)", '["object_name"] == "films"'],
        ),
    ],
)
def test_the_report_shows_the_calls_own_arguments(call: str, parts: list[str]) -> None:
    (finding,) = [f for f in migrate_text(f"{CONNECT}{call}\n").findings if f.place.line == 3]
    for part in parts:
        assert part in finding.recipe
