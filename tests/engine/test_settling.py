"""The analysis comes to an end by itself, and soon: what is known of a value only ever grows."""

from __future__ import annotations

import pytest

from migrate_milvus import world
from migrate_milvus.interpreter import Interpreter
from migrate_milvus.values import LIMIT, MANY, NONE, Abstract, Const, Object, join
from tests.engine.helpers import analyse

CALLED_FROM_MANY_PLACES = "\n".join(
    ["def run(query, values):", "    return query, values", ""]
    + [f'run("SELECT {number}", ({number}, "a"))' for number in range(2 * LIMIT)]
)
RECURSION = """\
import json


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return json.loads(json.dumps(value))
    return str(value)


def fields(metadata):
    kept = {}
    for key, value in metadata.items():
        kept[key] = plain(value)
    return kept


fields(json.loads(json.dumps({"id": 1})))
"""
COMPUTED_NAMES = """\
class Settings:
    def __init__(self, given):
        for name, value in given.items():
            setattr(self, name, value)
        self.host = given["host"]


settings = Settings(load())
print(settings.host, settings.port)
"""


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[Interpreter]:
    """The interpreter of each round that is run."""
    run: list[Interpreter] = []
    once = Interpreter.round

    def counted(self: Interpreter) -> None:
        run.append(self)
        once(self)

    monkeypatch.setattr(Interpreter, "round", counted)
    return run


@pytest.mark.parametrize("text", [CALLED_FROM_MANY_PLACES, RECURSION, COMPUTED_NAMES])
def test_it_takes_a_few_rounds(text: str, rounds: list[Interpreter]) -> None:
    analyse(text)
    assert len(rounds) <= 8


def test_what_does_not_settle_is_an_error_and_no_half_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(world, "ROUNDS", 1)
    with pytest.raises(RuntimeError, match=r"the values in app\.py do not settle"):
        analyse(RECURSION)


def many() -> Abstract:
    """More values than are told apart."""
    values: Abstract = frozenset({Object("Collection", "here")})
    for number in range(LIMIT + 1):
        values = join(values, frozenset({Const.of(number)}))
    return values


def test_objects_are_not_forgotten_among_many_values() -> None:
    assert many() == {MANY, Object("Collection", "here")}


def test_many_values_stay_what_they_are() -> None:
    assert join(many(), frozenset({NONE})) == many()
    assert join(frozenset({NONE}), many()) == many()
