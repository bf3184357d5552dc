"""What pymilvus 2.6.13, the first release that warns, has of the ORM has a row.

``test_catalogue.py`` asks the installed release, the newest, for the same and more.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from migrate_milvus.verify.legacy import environment
from milvus_rules.catalogue import QUALIFIED, SYMBOLS, Symbol, members
from milvus_rules.catalogue.older import DECLARED

SCRIPT = Path(__file__).with_name("introspect.py")
OLD = "2.6.13"
# It imports pkg_resources, which newer setuptools have dropped.
BESIDES = ("setuptools<81",)


@pytest.fixture(scope="module")
def live() -> dict[str, Any]:
    """What the release has; its environment is made when it is first asked."""
    python = environment(f"pymilvus-{OLD}", (f"pymilvus=={OLD}", *BESIDES))
    done = subprocess.run([str(python), str(SCRIPT)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_public_name_of_the_orm_has_a_row(live: dict[str, Any]) -> None:
    for owner, names in live["members"].items():
        # "instance" is where the metaclass of Connections keeps the singleton
        assert set(names) - {"instance"} <= set(members(owner)), owner


def test_every_name_that_the_package_exports_is_known(live: dict[str, Any]) -> None:
    unknown = [name for name in live["top"] if f"pymilvus.{name}" not in QUALIFIED]
    assert unknown == ["__version__"]


def test_every_callable_is_declared_as_its_row_says(live: dict[str, Any]) -> None:
    declared = DECLARED[OLD]
    assert len(live["signatures"]) > 100
    for name, parameters in live["signatures"].items():
        symbol = SYMBOLS[name]
        if symbol.signature is None and name not in declared:
            continue  # a property, or one that only rows of its arguments tell of
        assert _parameters(symbol, declared.get(name)) == parameters, name


def _parameters(symbol: Symbol, declared: str | None) -> list[list[str | None]]:
    """The row's parameters, of the older signature where there is one."""
    if declared is not None:
        symbol = Symbol(symbol.name, symbol.kind, symbol.rule, declared, symbol.recipe)
    own: list[list[str | None]] = [[p.name, p.default] for p in symbol.parameters]
    return [*own, *([["**", None]] if symbol.keywords else [])]
