"""What of a document is no Python that can be followed, and the places as its owner knows them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from migrate_milvus import suppressions
from migrate_milvus.document import Document
from migrate_milvus.model import FileResult, Finding, Place, SiteRecord, Status
from migrate_milvus.names import unresolved
from migrate_milvus.registry import RuleSet
from migrate_milvus.settings import Settings

RULE, REASON = "MLV010", "kept-as-it-is"
ALONE_RULE, ALONE = "MLV291", "block-alone"


def told(
    results: list[FileResult],
    documents: Sequence[Document],
    settings: Settings,
    rules: RuleSet,
) -> list[FileResult]:
    """The results, with what the documents themselves have to tell."""
    known = {result.document.name: result for result in results}
    for document in documents:
        if not document.is_celled:
            continue
        result = known.get(document.name) or FileResult(document)
        findings, sites = document.notes(), []
        for finding in _kept(document, settings, rules):
            findings.append(finding)
            sites.append(SiteRecord(finding.place, finding.symbol, RULE, Status.REPORTED, REASON))
        for finding in _alone(document, settings, rules, {site.place for site in result.sites}):
            findings.append(finding)
            sites += [
                SiteRecord(place, finding.symbol, ALONE_RULE, Status.REPORTED, ALONE)
                for place in (finding.place, *finding.follows)
            ]
        if not findings:
            continue
        if document.name not in known:
            results.append(result)
        result.findings = sorted([*result.findings, *findings], key=_by_place)
        result.sites = sorted([*result.sites, *sites], key=_by_place)
    return results


def _by_place(item: Finding | SiteRecord) -> Place:
    return item.place


def _kept(document: Document, settings: Settings, rules: RuleSet) -> Iterator[Finding]:
    """A finding for each piece that is kept and uses the library on its own."""
    selected = settings.for_file(document.path).selects(RULE)
    if not selected or suppressions.parse(document.text).skip_file:
        return
    for place, text in document.kept():
        symbol = _used(text, rules)
        if symbol is None or suppressions.parse(text).comments:
            continue
        yield Finding(
            place,
            RULE,
            REASON,
            f"'{text.strip().splitlines()[0]}': what follows is kept as it is, and uses {symbol}",
            "Change it by hand.",
            symbol=symbol,
        )


def _alone(
    document: Document, settings: Settings, rules: RuleSet, known: set[Place]
) -> Iterator[Finding]:
    """A finding for each name that a page uses as the library's, and says nowhere what it is."""
    if not document.is_page or not settings.for_file(document.path).selects(ALONE_RULE):
        return
    try:
        source = document.source()
        missing = {name for _, name in unresolved(source.text)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    given = rules.library.star_names(rules.client_import)
    found: dict[str, list[tuple[Place, str]]] = {}
    for node, parent in source.parents.items():
        if not isinstance(node, ast.Name) or node.id not in missing:
            continue
        symbol: str | None = given.get(node.id)
        if symbol is not None and not rules.library.is_site(symbol):
            symbol = None
        if symbol is None and isinstance(parent, ast.Attribute) and node.id not in given:
            call = source.parents.get(parent)
            keywords = call.keywords if isinstance(call, ast.Call) else []
            names = frozenset(keyword.arg for keyword in keywords if keyword.arg)
            symbol = rules.library.looks_like(node, parent.attr, names)
        place = source.found_at(node)
        if symbol is not None and place not in known:
            found.setdefault(node.id, []).append((place, symbol))
    for name, uses in found.items():
        (first, symbol), *others = sorted(uses)
        yield Finding(
            first,
            ALONE_RULE,
            ALONE,
            f"no block of this page says what '{name}' is: it looks like {symbol}",
            "Import it, or make it, in a block before; or change the block by hand.",
            symbol=symbol,
            follows=tuple(place for place, _ in others),
        )


def _used(text: str, rules: RuleSet) -> str | None:
    """An ORM symbol that a text imports or names in full."""
    root = re.escape(rules.client_import)
    dotted = re.findall(rf"\b{root}(?:\.\w+)+", text)
    for match in re.finditer(
        rf"\bfrom\s+({root}[\w.]*)\s+import\s*(?:\(([^)]*)\)|([^\n;#]*))", text
    ):
        for name in re.findall(r"[^\W\d]\w*", match[2] or match[3] or ""):
            dotted.append(f"{match[1]}.{name}")
    for name in dotted:
        symbol = rules.library.resolve(name)
        if symbol is not None and rules.library.is_site(symbol):
            return symbol
    return None
