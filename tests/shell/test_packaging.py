"""What is installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import migrate_milvus
import milvus_rules

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_migration_needs_no_more_than_it_uses() -> None:
    names = {re.split(r"[^\w-]", entry)[0] for entry in PROJECT["project"]["dependencies"]}
    assert names == {"click", "libcst", "packaging", "pathspec", "tomli"}


def test_every_file_beside_the_code_is_installed() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    for package in (migrate_milvus, milvus_rules):
        assert package.__file__ is not None
        folder = Path(package.__file__).parent
        beside = {
            path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".py", ".pyc")
        }
        assert {path for name in data[package.__name__] for path in folder.glob(name)} == beside


def test_no_module_is_called_codemod_or_rules() -> None:
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["where"] == ["codemod", "rules"]
    for folder in ("codemod", "rules"):
        assert not list((ROOT / folder).glob("*.py"))
