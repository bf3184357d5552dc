"""The options of the command line, and what is completed while they are typed.

Only click is imported at the top: ``--help`` pays for nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import click

from migrate_milvus.configuration import FORMATS, is_client, is_rule_id, parse_report

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from migrate_milvus.settings import Options, Reports, Settings


def fail(message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(2)


def coloured(options: dict[str, Any]) -> bool:
    """Colours: as asked, else on a terminal unless NO_COLOR says otherwise."""
    asked: bool | None = options["colour"]
    if asked is not None:
        return asked
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


# ---- values --------------------------------------------------------------------------------------


def _version(ctx: Any, param: Any, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    from migrate_milvus.configuration import parse_version

    version = parse_version(value)
    if version is None:
        raise click.BadParameter(f"{value!r} is not a version such as 2.6.13.")
    return version


def _python(ctx: Any, param: Any, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    from migrate_milvus.configuration import parse_python

    version = parse_python(value)
    if version is None:
        raise click.BadParameter(f"{value!r} is not a Python version such as 3.10.")
    return version


def _client(ctx: Any, param: Any, value: str | None) -> str | None:
    if value is not None and not is_client(value):
        raise click.BadParameter(f"{value!r} names no object, such as app.db:get_client.")
    return value


def check_formats(*formats: str) -> Callable[[Any, Any, tuple[str, ...]], Reports]:
    """A callback that takes reports in these formats, each with its file (None: stdout)."""

    def check(ctx: Any, param: Any, values: tuple[str, ...]) -> Reports:
        found = []
        for value in values:
            try:
                found.append(parse_report(value, formats))
            except ValueError as error:
                raise click.BadParameter(f"{error}.") from error
        if sum(1 for _, file in found if file is None) > 1:
            raise click.UsageError("Only one --report can go to standard output.")
        return tuple(found)

    return check


def _rules(ctx: Any, param: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    """Rule ids, given one by one or with commas between them."""
    rules = [rule.strip().upper() for value in values for rule in value.split(",")]
    for rule in rules:
        if not is_rule_id(rule):
            raise click.BadParameter(f"{rule!r} is not a rule id such as MLV401 or MLV4.")
    return tuple(rules)


# ---- completion ----------------------------------------------------------------------------------


def _complete_rule(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
    """Rule ids, with their titles where the shell shows them; also behind a comma."""
    from click.shell_completion import CompletionItem

    from migrate_milvus.registry import rules

    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{rule.id}", help=rule.title)
        for rule in rules()
        if rule.id.startswith(last.upper())
    ]


def complete_report(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
    """Formats of reports."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(form) for form in FORMATS if form.startswith(incomplete)]


# ---- options that several commands take ----------------------------------------------------------


# What is migrated, and how: the same for the migration and for its proof.
_MIGRATION = (
    click.option(
        "--exclude", multiple=True, metavar="PATTERN", help="Leave out, as .gitignore would."
    ),
    click.option(
        "--select",
        multiple=True,
        metavar="ID",
        callback=_rules,
        shell_complete=_complete_rule,
        help="Apply only these rules.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="ID",
        callback=_rules,
        shell_complete=_complete_rule,
        help="Leave out rules.",
    ),
    click.option(
        "--unsafe/--no-unsafe", default=None, help="Also apply rewrites that you have to review."
    ),
    click.option(
        "--target-version",
        metavar="VERSION",
        callback=_version,
        help="Oldest pymilvus to run on [2.6.13].",
    ),
    click.option(
        "--target-python", metavar="VERSION", callback=_python, help="Oldest Python to run on."
    ),
    click.option(
        "--client",
        metavar="MODULE:NAME",
        callback=_client,
        help="Where the project keeps its client.",
    ),
    click.option(
        "--line-length", type=click.IntRange(min=1), metavar="N", help="Width of new lines."
    ),
    click.option(
        "--keep-signatures/--no-keep-signatures",
        default=None,
        help="Refuse what would change the signature of a public function.",
    ),
    click.option(
        "--strict-schema/--no-strict-schema",
        default=None,
        help="Compare the schema of a collection that exists, as the ORM did.",
    ),
    click.option("--docs/--no-docs", default=None, help="Also take the examples in documentation."),
    click.option(
        "--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Processes [one a processor]."
    ),
)

# What the migration alone is asked for, beside its mode.
_OUTPUT = (
    click.option(
        "--report",
        "reports",
        multiple=True,
        metavar="FORMAT[=FILE]",
        callback=check_formats(*FORMATS),
        shell_complete=complete_report,
        help=f"One of {', '.join(FORMATS)}; repeatable.",
    ),
    click.option(
        "--baseline",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Known ORM uses, which do not count.",
    ),
    click.option(
        "--bump-requirement",
        is_flag=True,
        help="Raise the project's requirement on pymilvus, too.",
    ),
    click.option("--write-baseline", is_flag=True, help="Make what is left the baseline."),
    click.option("--show-settings", is_flag=True, help="Print the settings and who set them."),
    click.option("--list-rules", is_flag=True, help="List the rules."),
    click.option(
        "--explain",
        metavar="ID",
        shell_complete=_complete_rule,
        help="Say what a rule does, why, and when it refuses.",
    ),
    click.option("--why", metavar="FILE:LINE", help="Say how the values on that line are known."),
    click.option("--quiet", "-q", is_flag=True, help="Print only files that could not be handled."),
    click.option("--verbose", "-v", is_flag=True, help="Also print every use that was rewritten."),
    click.option("--color/--no-color", "colour", default=None, help="Default: on a terminal."),
)


def migration_options(function: Any) -> Any:
    """Give a command the options that say what is migrated, and how (see :func:`settings_of`)."""
    return _with(function, _MIGRATION)


def output_options(function: Any) -> Any:
    """Give a command the options that say what is printed."""
    return _with(function, _OUTPUT)


def _with(function: Any, options: Iterable[Any]) -> Any:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def settings_of(paths: tuple[Path, ...], options: dict[str, Any]) -> Settings:
    """The settings that the command line and the configuration give; fails if one is broken."""
    from pathlib import Path

    from migrate_milvus.configuration import ConfigurationError
    from migrate_milvus.settings import Options, load

    check_rules((*options["select"], *options["ignore"]))
    given: Options = Options(
        exclude=options["exclude"],
        select=options["select"],
        ignore=options["ignore"],
        unsafe=options["unsafe"],
        target_version=options["target_version"],
        target_python=options["target_python"],
        client=options["client"],
        line_length=options["line_length"],
        keep_signatures=options["keep_signatures"],
        strict_schema=options["strict_schema"],
        bump_requirement=options.get("bump_requirement", False),
        docs=options["docs"],
        reports=options.get("reports", ()),
        baseline=Path(options["baseline"]) if options.get("baseline") else None,
        jobs=options["jobs"],
    )
    try:
        return load(paths, given)
    except ConfigurationError as error:
        fail(str(error))


def check_rules(ids: Iterable[str]) -> None:
    """Fail if one of the (shortened) rule ids stands for no rule."""
    wanted = tuple(ids)
    if not wanted:
        return
    from migrate_milvus.registry import rules

    known = [rule.id for rule in rules()]
    for one in wanted:
        if not any(rule.startswith(one) for rule in known):
            fail(f"there is no rule {one}; --list-rules lists them")
