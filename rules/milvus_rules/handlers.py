"""Exception handlers around what is rewritten: exceptions that nothing raises any more."""

from __future__ import annotations

import ast

from migrate_milvus.flow import Site
from migrate_milvus.planning import Planning
from migrate_milvus.values import Library
from milvus_rules.catalogue import CODE_IS_AN_ATTRIBUTE, UNREACHABLE

NEVER_RAISED = "exception-never-raised"
CODE = "exception-code"


def note_handlers(planning: Planning, site: Site) -> None:
    """Note, once per handler, what it waits for in vain now that ``site`` is the client's call.

    Source: the places that raise, read in pymilvus 2.6.10 to 3.0.2.
    """
    for handler in planning.enclosing_handlers(site.node):
        line, _ = planning.flow.source.place(handler)
        names = _named(planning, handler)
        for name in names:
            if name in UNREACHABLE:
                known = UNREACHABLE[name]
                _note_once(
                    planning,
                    site,
                    NEVER_RAISED,
                    f"the handler on line {line} waits for {name}, which the ORM raised when "
                    f"{known.when}; with the client: {known.instead}",
                )
        if handler.name is not None and "MilvusException" in names and _calls_code(handler):
            _note_once(
                planning,
                site,
                CODE,
                f"the handler on line {line} calls {handler.name}.code(); write "
                + CODE_IS_AN_ATTRIBUTE.replace("error.code", f"{handler.name}.code"),
            )


def _note_once(planning: Planning, site: Site, reason: str, message: str) -> None:
    if not any(known[1:] == (reason, message) for known in planning.draft.notes):
        planning.note(site, reason, message)


def _named(planning: Planning, handler: ast.ExceptHandler) -> list[str]:
    """The exceptions of the library that a handler names."""
    given = handler.type
    parts = given.elts if isinstance(given, ast.Tuple) else [given] if given is not None else []
    return [
        value.name
        for part in parts
        for value in planning.flow.value(part)
        if isinstance(value, Library)
    ]


def _calls_code(handler: ast.ExceptHandler) -> bool:
    """``error.code()`` of an exception that is caught here."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "code"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == handler.name
        for node in ast.walk(handler)
    )
