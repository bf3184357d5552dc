"""A stand-in for the analysis, so that what is around it is tested alone."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Sequence

import pytest

from migrate_milvus.document import Document, parse_problem
from migrate_milvus.model import FileResult, Finding, Place, Severity, SiteRecord, Status
from migrate_milvus.settings import Settings
from migrate_milvus.suppressions import parse

OLD, NEW = "old_api()", "new_api()"


def stub_migrate(documents: Sequence[Document], settings: Settings) -> list[FileResult]:
    """Rewrites ``old_api()``; refuses ``stuck_api()`` and names the next line as following."""
    return [_migrate_one(document) for document in documents]


def _migrate_one(document: Document) -> FileResult:
    result = FileResult(document)
    try:
        ast.parse(document.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        result.findings.append(parse_problem(document, error))
        return result
    comments = parse(document.text)
    if comments.skip_file:
        return result
    for number, line in enumerate(document.text.splitlines(), 1):
        for word, status in ((OLD, Status.REWRITTEN), ("stuck_api()", Status.REPORTED)):
            if word in line:
                place = Place(document.name, number, line.index(word) + 1)
                if comments.ignores(number, "MLV401"):
                    status = Status.IGNORED
                why = (f"{word} is called on line {number}",)
                reason = "field-order-known" if status is Status.REPORTED else ""
                code, unit = line.strip(), str(place)
                result.sites.append(
                    SiteRecord(place, word, "MLV401", status, reason, why, unit, code)
                )
                if status is Status.REPORTED:
                    follows = (Place(document.name, number + 1, 1),)
                    result.findings.append(
                        Finding(
                            place,
                            "MLV401",
                            "field-order-known",
                            "the order of the fields is not known",
                            "Write rows:\n    client.insert(data=rows)",
                            symbol=word,
                            follows=follows,
                            code=code,
                        )
                    )
    result.findings.extend(comments.unused(document.name))
    if any(site.status is Status.REWRITTEN for site in result.sites):
        result.text = document.text.replace(OLD, NEW)
        result.signatures.append("fill(collection) becomes fill(collection_name)")
        place = Place(document.name, 1, 1)
        result.findings.append(
            Finding(place, "MLV101", "note", "something to know", severity=Severity.NOTE)
        )
    return result


@pytest.fixture
def stub_engine(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Puts the stand-in where the pipeline looks for the engine."""
    module = types.ModuleType("migrate_milvus.engine")
    module.migrate = stub_migrate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "migrate_milvus.engine", module)
    return module
