"""Examples with prompts in the docstrings of modules.

Each docstring is a page of its own, as doctest runs them: what one of them makes, the next does not
have. The analysis sees them as documents beside the module; here their results become its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from migrate_milvus import prose
from migrate_milvus.celled import ProseDocument
from migrate_milvus.cells import Displaced, Program
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult, Place, Status
from migrate_milvus.prose import Block
from migrate_milvus.syntax import lines_of, tree_of

_MARK = "#docstring-"  # no module that can be imported has it in its name
_DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def pages(document: Document) -> list[Document]:
    """A page for each docstring of a module that has examples."""
    if ">>>" not in document.text or document.is_celled:
        return []
    found: list[Document] = []
    for number, blocks in enumerate(_examples(document.text)):
        if blocks:
            program = Program(prose.cells(blocks, frozenset()))
            named = replace(document, name=f"{document.name}{_MARK}{number}")
            found.append(ProseDocument.of(named, program, document.text, blocks=tuple(blocks)))
    return found


def _examples(text: str) -> list[list[Block]]:
    """The examples of each docstring of a module, in the order of the docstrings."""
    tree = tree_of(text)
    if tree is None:
        return []
    lines = lines_of(text)
    found: list[list[Block]] = []
    for node in ast.walk(tree):
        if not isinstance(node, _DEFINITIONS) or not node.body:
            continue
        match node.body[0]:
            case ast.Expr(value=ast.Constant(value=str()) as value):
                stop = value.end_lineno or value.lineno
                # The last line holds the quotes, and is no example.
                blocks = list(prose.examples(lines, value.lineno - 1, stop - 1, 0))
                raw = "".join(lines[value.lineno - 1 : stop])
                # What an escape stands for, the program sees; the lines do not say it.
                plain = "\\" not in raw or raw.lstrip()[:1] in "rR"
                found.append(blocks if plain else [])
    return found


def merged(results: Iterable[FileResult], documents: Sequence[Document]) -> list[FileResult]:
    """The results, those of docstrings put into those of their modules."""
    modules = {document.name: document for document in documents}
    found: dict[str, FileResult] = {}
    of_docstrings: dict[str, list[FileResult]] = {}
    for result in results:
        name, mark, _ = result.document.name.partition(_MARK)
        if mark:
            of_docstrings.setdefault(name, []).append(result)
        else:
            found[name] = result
    for name, parts in of_docstrings.items():
        main = found.setdefault(name, FileResult(modules[name]))
        parts = [_of_module(part, name) for part in parts]
        text = main.document.text if main.text is None else main.text
        try:
            text = _written(text, main.document.text, parts)
        except Displaced:
            parts = [_staying(part) for part in parts]
        if text != main.document.text:
            main.text = text
        for part in parts:
            main.findings += part.findings
            main.sites += part.sites
        main.findings.sort(key=lambda finding: finding.place)
        main.sites.sort(key=lambda site: site.place)
    return list(found.values())


def _of_module(result: FileResult, name: str) -> FileResult:
    """``result`` with places in the module."""

    def moved(place: Place) -> Place:
        return replace(place, path=name) if _MARK in place.path else place

    result.findings = [
        replace(f, place=moved(f.place), follows=tuple(map(moved, f.follows)))
        for f in result.findings
    ]
    result.sites = [replace(site, place=moved(site.place)) for site in result.sites]
    return result


def _written(text: str, old: str, parts: Sequence[FileResult]) -> str:
    """``text``, the module as it was rewritten, with new examples; raises Displaced."""
    changed = [part for part in parts if part.text is not None]
    if not changed:
        return text
    before, after = _examples(old), _examples(text)
    if [[b.text for b in blocks] for blocks in before] != [
        [b.text for b in blocks] for blocks in after
    ]:
        raise Displaced("the docstrings are not where they were")
    codes: dict[Block, str] = {}
    for part in changed:
        document = part.document
        assert isinstance(document, ProseDocument) and part.text is not None
        number = int(document.name.rpartition("-")[2])
        codes |= dict(zip(after[number], document.program.split(part.text), strict=True))
    blocks = sorted(codes, key=lambda block: block.first)
    new = prose.spliced(text, blocks, [codes[block] for block in blocks])
    if not _same_code(text, new):
        raise Displaced("the docstrings cannot be written")
    return new


def _same_code(old: str, new: str) -> bool:
    """Whether two modules differ in texts only."""
    shapes = []
    for text in (old, new):
        tree = tree_of(text)
        if tree is None:
            return False
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
        shapes.append(ast.dump(tree))
    return shapes[0] == shapes[1]


def _staying(result: FileResult) -> FileResult:
    """A result that could not be written: what it rewrote is reported."""
    result.sites = [
        replace(site, status=Status.REPORTED, reason="not-written")
        if site.status is Status.REWRITTEN
        else site
        for site in result.sites
    ]
    return result
