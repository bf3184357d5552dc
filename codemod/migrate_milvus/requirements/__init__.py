"""The project's own requirement on the library: reported, or raised, where it admits too old ones.

What the migrated code needs is the target version, without the later releases that lack something
which the new code calls. The manifests that govern a changed file are those in its folder and in
the folders above, up to the root of the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migrate_milvus.document import Document, DocumentError
from migrate_milvus.model import FileResult, Finding, Severity
from migrate_milvus.requirements.declarations import Declaration, declarations, is_manifest
from migrate_milvus.requirements.specifiers import Need, admits, raised
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import tree_of

RULE = "MLV004"
REASON = "requirement-too-old"
_COMPILED = "# in what this file is compiled from; then compile it again, as the hashes change too"
_BUMP = "# or run again with --bump-requirement"


def check(results: Sequence[FileResult], settings: Settings) -> list[FileResult]:
    """A result for each manifest that admits releases on which the new texts do not run.

    Its text is the manifest with the requirement raised if the settings say so, else None.
    """
    changed = [result for result in results if result.text is not None]
    manifests = _manifests([result.document.path for result in changed], settings.root)
    if not manifests:
        return []
    from migrate_milvus.registry import load

    rules = load()
    need: Need | None = None
    found = []
    for path in manifests:
        try:
            document = Document.read(path, _name(path, settings.root))
        except DocumentError:
            continue
        declared = declarations(path.name, document.text, rules.client_import)
        if declared and need is None:
            lacking = frozenset[str]()
            for result in changed:
                tree = tree_of(result.text or "")
                if tree is not None:
                    lacking |= rules.lacking(tree, settings.target_version)
            need = Need(settings.target_version, lacking, rules.releases)
        wrong = [one for one in declared if need is not None and admits(one, need)]
        if need is not None and wrong:
            found.append(_result(document, wrong, need, settings))
    return found


def _result(
    document: Document, wrong: Sequence[Declaration], need: Need, settings: Settings
) -> FileResult:
    findings = []
    text = document.text
    for one in sorted(wrong, key=lambda one: one.start, reverse=True):
        written = raised(one, need)
        line = text.count("\n", 0, one.start) + 1
        column = one.start - (text.rfind("\n", 0, one.start) + 1) + 1
        given = one.shown.strip()
        findings.append(
            Finding(
                document.place(line, column),
                RULE,
                REASON,
                f"{given!r} admits releases on which the migrated code does not run: it needs "
                f"{need.text}",
                f"{written}\n{_COMPILED if one.hashed else _BUMP}",
                Severity.NOTE,
            )
        )
        if settings.bump_requirement and not one.hashed:
            text = text[: one.start] + written + text[one.end :]
    findings.reverse()
    return FileResult(document, text if text != document.text else None, findings)


def _manifests(paths: Sequence[Path], root: Path) -> list[Path]:
    folders: dict[Path, None] = {}
    for path in paths:
        for folder in path.parents:
            folders[folder] = None
            if folder == root or not folder.is_relative_to(root):
                break
    found: dict[Path, None] = {}
    for folder in folders:
        for inner in (folder, folder / "requirements"):
            if not inner.is_dir() or not inner.is_relative_to(root):
                continue
            for path in sorted(inner.iterdir()):
                if is_manifest(path.name, inner.name) and path.is_file():
                    found[path] = None
    return sorted(found)


def _name(path: Path, root: Path) -> str:
    """The name under which reports show the file: as those of the code, seen from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
