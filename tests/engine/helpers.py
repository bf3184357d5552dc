"""What the tests of the engine share: migrating texts, and looking into the analysis."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent
from typing import Any

from migrate_milvus.document import Document
from migrate_milvus.engine import migrate
from migrate_milvus.flow import Flow, Site
from migrate_milvus.model import FileResult, Finding, SiteRecord
from migrate_milvus.registry import load
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import SourceText
from migrate_milvus.values import Abstract, Class, Const, Function, Instance, Library, Object
from migrate_milvus.world import interpret

ROOT = Path("/project")


def settings(**values: Any) -> Settings:
    """Settings as the fixtures have them: Python 3.10."""
    return Settings(**{"root": ROOT, "target_python": (3, 10), **values})


def migrate_files(files: dict[str, str], **values: Any) -> dict[str, FileResult]:
    """The results for a project given as texts by path."""
    documents = [Document.from_text(dedent(text), name) for name, text in files.items()]
    return {result.document.name: result for result in migrate(documents, settings(**values))}


def migrate_text(text: str, **values: Any) -> FileResult:
    """The result for one program; an empty one when it does not name the library."""
    results = migrate_files({"app.py": text}, **values)
    return results.get("app.py", FileResult(Document.from_text(text, "app.py")))


def analyse(text: str) -> Flow:
    """The flow of one module."""
    return interpret(SourceText(dedent(text), "app.py"), load().library)


def symbols(flow: Flow) -> list[str]:
    """The ORM uses found, as ``line symbol``, in the order of the text."""
    return [
        f"{site.node.lineno} {site.symbol}"
        for site in flow.every_site()
        if flow.library.is_site(site.symbol)
    ]


def sites_at(flow: Flow, line: int) -> list[Site]:
    """The sites on a line."""
    return [site for site in flow.every_site() if site.node.lineno == line]


def value_of(flow: Flow, name: str) -> set[str]:
    """What the last read of ``name`` may hold, in words."""
    reads = [
        node
        for node in flow.values
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    last = max(reads, key=lambda node: (node.lineno, node.col_offset))
    return words(flow.value(last))


def words(values: Abstract) -> set[str]:
    """An abstract value as words: kinds of objects, constants, ``?`` for what is not known."""
    found = set()
    for value in values:
        match value:
            case Object(kind=kind):
                found.add(kind)
            case Const(value=constant):
                found.add(repr(constant))
            case Library(name=name):
                found.add(f"<{name}>")
            case Function() | Class() | Instance():
                found.add(f"{type(value).__name__.lower()} {value.info.name}")
            case _:
                found.add("?")
    return found


def reasons(result: FileResult) -> list[str]:
    """The findings as ``line reason``."""
    return [f"{finding.place.line} {finding.reason}" for finding in result.findings]


def on_line(result: FileResult, line: int) -> tuple[list[Finding], list[SiteRecord]]:
    """Findings and sites of a line."""
    return (
        [finding for finding in result.findings if finding.place.line == line],
        [site for site in result.sites if site.place.line == line],
    )
