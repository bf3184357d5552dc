"""Questions about rules and about single lines, answered on standard output."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from migrate_milvus.options import fail

if TYPE_CHECKING:
    from migrate_milvus.model import Place
    from migrate_milvus.pipeline import RunResult


def list_rules() -> int:
    """Print every rule in one line."""
    from migrate_milvus.registry import rules

    for rule in sorted(rules(), key=lambda rule: rule.id):
        click.echo(f"{rule.id}  {rule.title}")
    return 0


def explain(wanted: str) -> int:
    """Print a rule's page; fails when there is no such rule."""
    import inspect

    from migrate_milvus.registry import rules

    for rule in rules():
        if rule.id == wanted.strip().upper():
            click.echo(f"{rule.id}: {rule.title}\n\n{inspect.cleandoc(rule.doc)}")
            return 0
    fail(f"there is no rule {wanted}; --list-rules lists them")


def place(text: str) -> Place:
    """``FILE:LINE``, or ``FILE:cell N:LINE``, as a place; raises UsageError when it is none."""
    from migrate_milvus.model import Place

    match = re.fullmatch(r"(.+?)(?::cell (\d+))?:0*([1-9]\d*)", text)
    if match is None:
        raise click.UsageError(f"--why takes FILE:LINE (or FILE:cell N:LINE), not {text!r}.")
    return Place(match[1], int(match[3]), 1, int(match[2] or 0))


def why(run: RunResult, where: Place) -> int:
    """Print how the values on a line are known."""
    from migrate_milvus.report import text

    wanted = os.path.realpath(where.path)
    here = [r for r in run.results if os.path.realpath(r.document.path) == wanted]
    failures = text.errors(here)
    if failures:
        click.echo(failures, nl=False, err=True)
        return 2
    line = (where.cell, where.line)
    sites = [
        site
        for result in here
        for site in result.sites
        if (site.place.cell, site.place.line) == line
    ]
    for site in sorted(sites, key=lambda site: site.place):
        reason = f" ({site.reason})" if site.reason else ""
        click.echo(f"{site.place}: {site.rule} {site.symbol}: {site.status.value}{reason}")
        for step in site.why:
            click.echo(f"    {step}")
    if not sites:
        click.echo(f"{where.page}:{where.line}: no ORM use was found on this line")
    return 0
