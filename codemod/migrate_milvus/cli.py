"""The command line.

Only click is imported at the top: ``--help`` pays for nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from migrate_milvus import __version__

if TYPE_CHECKING:
    from migrate_milvus.document import Document
    from migrate_milvus.model import FileResult
    from migrate_milvus.pipeline import RunResult
    from migrate_milvus.settings import Options, Settings

INTERRUPTED = 130

EPILOG = """\b
Exit codes:
  0  no ORM use is left, or all of it was written
  1  ORM use would change, or remains
  2  usage, configuration, or a file that could not be handled
130  interrupted"""


def _version(ctx: Any, param: Any, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    from migrate_milvus.settings import parse_version

    version = parse_version(value)
    if version is None:
        raise click.BadParameter(f"{value!r} is not a version such as 2.6.13.")
    return version


def _python(ctx: Any, param: Any, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    from migrate_milvus.settings import parse_python

    version = parse_python(value)
    if version is None:
        raise click.BadParameter(f"{value!r} is not a Python version such as 3.10.")
    return version


def _reports(ctx: Any, param: Any, values: tuple[str, ...]) -> tuple[tuple[str, str | None], ...]:
    """Formats of reports, each with the file to write to (None: standard output)."""
    reports: list[tuple[str, str | None]] = []
    for value in values:
        form, separator, file = value.partition("=")
        if form not in ("text", "json"):
            raise click.BadParameter(f"{form!r} is not a report format; known are text, json.")
        if separator and not file:
            raise click.BadParameter(f"{value!r} names no file.")
        reports.append((form, file or None))
    return tuple(reports)


def _rules(ctx: Any, param: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    """Rule ids, given one by one or with commas between them."""
    if not values:
        return ()
    from migrate_milvus.settings import is_rule_id

    rules = [rule.strip().upper() for value in values for rule in value.split(",")]
    for rule in rules:
        if not is_rule_id(rule):
            raise click.BadParameter(f"{rule!r} is not a rule id such as MLV401 or MLV4.")
    return tuple(rules)


# What is migrated, and how: the same for the migration and for its proof.
_MIGRATION = (
    click.option(
        "--exclude", multiple=True, metavar="PATTERN", help="Leave out, as .gitignore would."
    ),
    click.option(
        "--select", multiple=True, metavar="ID", callback=_rules, help="Apply only these rules."
    ),
    click.option("--ignore", multiple=True, metavar="ID", callback=_rules, help="Leave out rules."),
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
        "--line-length", type=click.IntRange(min=1), metavar="N", help="Width of new lines."
    ),
    click.option(
        "--keep-signatures/--no-keep-signatures",
        default=None,
        help="Refuse what would change the signature of a public function.",
    ),
    click.option(
        "--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Processes [one a processor]."
    ),
)


def migration_options(function: Any) -> Any:
    """Give a command the options that say what is migrated, and how (see :func:`_settings`)."""
    for option in reversed(_MIGRATION):
        function = option(function)
    return function


class _Command(click.Command):
    """The command, and beside it ``verify``, which is loaded when it is asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        if args[:1] != ["verify"]:
            return super().make_context(info_name, args, parent, **extra)
        from migrate_milvus.verify.command import verify

        return verify.make_context(f"{info_name} verify", args[1:], parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


@click.command(
    "migrate-milvus",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--diff", is_flag=True, help="Also print what would change, as a unified diff.")
@click.option("--write", is_flag=True, help="Write the changes to the files.")
@click.option("--check", is_flag=True, help="Change and print nothing; the exit code tells.")
@migration_options
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="text|json[=FILE]",
    callback=_reports,
    help="Format, and file, of the report.",
)
@click.option("--list-rules", is_flag=True, help="List the rules.")
@click.option("--explain", metavar="ID", help="Say what a rule does, why, and when it refuses.")
@click.option("--why", metavar="FILE:LINE", help="Say how the values on that line are known.")
@click.option("--quiet", "-q", is_flag=True, help="Print only files that could not be handled.")
@click.option("--verbose", "-v", is_flag=True, help="Also print every use that was rewritten.")
@click.option("--color/--no-color", "colour", default=None, help="Default: on a terminal.")
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, paths: tuple[Path, ...], **options: Any) -> None:
    """Rewrite pymilvus ORM code in PATHS (default: here) to MilvusClient.

    Prints what it found, and with --diff what it would change; only --write changes files. PATHS
    may be "-" for standard input. Settings are read from [tool.migrate-milvus] in pyproject.toml.

    "migrate-milvus verify -- COMMAND" runs COMMAND before and after the migration, on copies, and
    compares what it does: see "migrate-milvus verify --help".
    """
    try:
        ctx.exit(_main(paths, options))
    except KeyboardInterrupt:
        _interrupted()
        ctx.exit(INTERRUPTED)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A name or a line that the terminal's encoding lacks is no reason to fail.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        cli(prog_name="migrate-milvus")
    except KeyboardInterrupt:
        _interrupted()
        sys.exit(INTERRUPTED)


def _interrupted() -> None:
    click.echo("Interrupted: every file holds its old or its new text.", err=True)


def _main(paths: tuple[Path, ...], options: dict[str, Any]) -> int:
    """Do what was asked; returns the exit code."""
    modes = [mode for mode in ("diff", "write", "check") if options[mode]]
    if len(modes) > 1:
        raise click.UsageError(f"--{modes[0]} and --{modes[1]} exclude each other.")
    if options["quiet"] and options["verbose"]:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    if options["list_rules"]:
        return _list_rules()
    if options["explain"]:
        return _explain(options["explain"])
    if sum(1 for _, file in options["reports"] if file is None) > 1:
        raise click.UsageError("Only one --report can go to standard output.")
    stdin = Path("-") in paths
    if stdin and len(paths) > 1:
        raise click.UsageError("'-' (standard input) cannot be combined with other paths.")
    _check_rules((*options["select"], *options["ignore"]))
    where = _why_place(options["why"]) if options["why"] else None
    if where and not paths:
        paths = (where[0],)
    settings = _settings(() if stdin else paths or (Path(),), options)
    if stdin:
        return _run_stdin(settings, options)
    return _run_files(settings, options, where)


def _settings(paths: tuple[Path, ...], options: dict[str, Any]) -> Settings:
    from migrate_milvus.settings import ConfigurationError, Options, load

    given: Options = Options(
        exclude=options["exclude"],
        select=options["select"],
        ignore=options["ignore"],
        unsafe=options["unsafe"],
        target_version=options["target_version"],
        target_python=options["target_python"],
        line_length=options["line_length"],
        keep_signatures=options["keep_signatures"],
        jobs=options["jobs"],
    )
    try:
        return load(paths, given)
    except ConfigurationError as error:
        _fail(str(error))


def _run_files(settings: Settings, options: dict[str, Any], where: tuple[Path, int] | None) -> int:
    from migrate_milvus import pipeline

    with _progress(options) as progress:
        run = pipeline.run(settings, write=options["write"] and not where, reporter=progress)
    if where:
        return _print_why(run, *where)
    return _show(run, options)


def _run_stdin(settings: Settings, options: dict[str, Any]) -> int:
    from migrate_milvus import pipeline
    from migrate_milvus.document import Document, DocumentError

    data = sys.stdin.buffer.read()
    source: Document | FileResult
    try:
        source = Document.from_bytes(data, "<stdin>", Path("<stdin>"))
    except DocumentError as error:
        placeholder = Document.unreadable(Path("<stdin>"), "<stdin>")
        source = pipeline.failed(placeholder, error)
    run = pipeline.run_document(source, settings)
    if not options["write"]:
        return _show(run, options, to_stderr=options["diff"])
    for result in run.results:
        if result.text is None:
            continue
        try:
            data = result.document.encode(result.text)
        except DocumentError as error:
            run = pipeline.conclude([pipeline.not_written(result, error)])
    # What cannot be rewritten comes out as it went in: a pipe never loses a file.
    stdout = sys.stdout.buffer
    stdout.write(data)
    stdout.flush()
    run = pipeline.conclude(run.results, written=True)
    return _show(run, options, to_stderr=True)


# ---- output --------------------------------------------------------------------------------------


def _show(run: RunResult, options: dict[str, Any], *, to_stderr: bool = False) -> int:
    """Print the diff and the reports; returns the exit code."""
    reports = options["reports"]
    json_out = any(form == "json" and file is None for form, file in reports)
    if options["diff"]:
        # Standard output holds one thing that a program can read: JSON, if that was asked for.
        _print_diff(run, options, err=json_out)
    code = run.exit_code
    for form, file in reports:
        text = _render(run, form, options, file)
        if file is None:
            _echo(text, options, err=to_stderr)
        else:
            code = max(code, _save(Path(file), text))
    if not any(file is None for _, file in reports):
        _echo(_default_text(run, options), options, err=to_stderr)
    return code


def _default_text(run: RunResult, options: dict[str, Any]) -> str:
    """What is printed when no report was sent to standard output."""
    from migrate_milvus.report import text

    colour = _coloured(options)
    if options["quiet"]:
        return text.errors(run.results, colour=colour)
    if options["check"]:
        failures = text.errors(run.results, colour=colour)
        return failures + (text.summary(run) + "\n" if run.exit_code else "")
    return text.render(run, verbose=options["verbose"], colour=colour)


def _render(run: RunResult, form: str, options: dict[str, Any], file: str | None) -> str:
    if form == "json":
        from migrate_milvus.report import json

        return json.render(run)
    from migrate_milvus.report import text

    return text.render(run, verbose=options["verbose"], colour=file is None and _coloured(options))


def _save(file: Path, text: str) -> int:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        click.echo(f"Error: the report cannot be written: {file}: {why}", err=True)
        return 2
    return 0


def _print_diff(run: RunResult, options: dict[str, Any], *, err: bool) -> None:
    from migrate_milvus.diffing import coloured, result_diff

    for result in run.results:
        diff = result_diff(result)
        _echo(coloured(diff) if _coloured(options) else diff, options, err=err)


def _echo(text: str, options: dict[str, Any], *, err: bool = False) -> None:
    if text:
        click.echo(text, nl=False, err=err, color=_coloured(options) or None)


def _coloured(options: dict[str, Any]) -> bool:
    """Colours: as asked, else on a terminal unless NO_COLOR says otherwise."""
    asked: bool | None = options["colour"]
    if asked is not None:
        return asked
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


@contextlib.contextmanager
def _progress(options: dict[str, Any]) -> Iterator[Any]:
    """Who shows the progress: nobody, unless a person is watching."""
    if options["quiet"] or options["check"] or not sys.stderr.isatty():
        yield None
        return
    from migrate_milvus.progress import Progress

    with Progress(sys.stderr) as progress:
        yield progress


def _fail(message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(2)


# ---- questions -----------------------------------------------------------------------------------


def _check_rules(ids: tuple[str, ...]) -> None:
    if not ids:
        return
    from migrate_milvus.registry import rules

    known = [rule.id for rule in rules()]
    for wanted in ids:
        if not any(rule.startswith(wanted) for rule in known):
            _fail(f"there is no rule {wanted}; --list-rules lists them")


def _list_rules() -> int:
    from migrate_milvus.registry import rules

    for rule in sorted(rules(), key=lambda rule: rule.id):
        click.echo(f"{rule.id}  {rule.title}")
    return 0


def _explain(wanted: str) -> int:
    import inspect

    from migrate_milvus.registry import rules

    for rule in rules():
        if rule.id == wanted.strip().upper():
            click.echo(f"{rule.id}: {rule.title}\n\n{inspect.cleandoc(rule.doc)}")
            return 0
    _fail(f"there is no rule {wanted}; --list-rules lists them")


def _why_place(text: str) -> tuple[Path, int]:
    file, separator, line = text.rpartition(":")
    if not separator or not file or not line.isdecimal() or int(line) < 1:
        raise click.UsageError(f"--why takes FILE:LINE, not {text!r}.")
    return Path(file), int(line)


def _print_why(run: RunResult, file: Path, line: int) -> int:
    """Print how the values on a line are known."""
    from migrate_milvus.report import text

    wanted = os.path.realpath(file)
    here = [r for r in run.results if os.path.realpath(r.document.path) == wanted]
    failures = text.errors(here)
    if failures:
        click.echo(failures, nl=False, err=True)
        return 2
    sites = [site for result in here for site in result.sites if site.place.line == line]
    for site in sorted(sites, key=lambda site: site.place):
        reason = f" ({site.reason})" if site.reason else ""
        click.echo(f"{site.place}: {site.rule} {site.symbol}: {site.status.value}{reason}")
        for step in site.why:
            click.echo(f"    {step}")
    if not sites:
        click.echo(f"{file}:{line}: no ORM use was found on this line")
    return 0
