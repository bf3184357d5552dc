"""The command line: which command does what, in which order.

Only click is imported at the top: ``--help`` pays for nothing else. The options themselves are in
``options.py``, what is printed in ``output.py``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from migrate_milvus import __version__
from migrate_milvus.interrupts import one_line
from migrate_milvus.options import fail, migration_options, output_options, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_milvus.baseline import Baseline
    from migrate_milvus.document import Document
    from migrate_milvus.model import FileResult
    from migrate_milvus.pipeline import Project, RunResult
    from migrate_milvus.report.model import Report
    from migrate_milvus.settings import Settings

EPILOG = """\b
Exit codes:
  0  no ORM use is left, or all of it was written
  1  ORM use would change, or remains
  2  usage, configuration, or a file that could not be handled
130  interrupted"""


class _Command(click.Command):
    """The command, and beside it ``verify``, which is loaded when it is asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        with one_line():
            if args[:1] != ["verify"]:
                return super().make_context(info_name, args, parent, **extra)
            from migrate_milvus.verify.command import verify

            return verify.make_context(f"{info_name} verify", args[1:], parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with one_line():
            return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def _print_version(ctx: click.Context, param: Any, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from milvus_rules.versions import COVERED

        click.echo(f"migrate-milvus {__version__} (pymilvus {COVERED[0]} to {COVERED[1]})")
        ctx.exit()


@click.command(
    "migrate-milvus",
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--diff", is_flag=True, help="Also print what would change, as a unified diff.")
@click.option("--write", is_flag=True, help="Write the changes to the files.")
@click.option("--check", is_flag=True, help="Change and print nothing; the exit code tells.")
@click.option("--interactive", "-i", is_flag=True, help="Write what you choose, unit by unit.")
@click.option("--allow-dirty", is_flag=True, help="Write although files have unstaged changes.")
@migration_options
@output_options
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version, and which pymilvus it knows.",
)
@click.pass_context
def cli(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Rewrite pymilvus ORM code in PATHS (default: here) to MilvusClient.

    Prints what it found, and with --diff what it would change; only --write changes files. PATHS
    may be "-" for standard input. Settings are read from [tool.migrate-milvus] in pyproject.toml.

    "migrate-milvus verify -- COMMAND" runs COMMAND before and after the migration, on copies, and
    compares what it does: see "migrate-milvus verify --help".
    """
    from pathlib import Path

    ctx.exit(_main(tuple(map(Path, paths)), options))


def _main(paths: tuple[Path, ...], options: dict[str, Any]) -> int:
    """Do what was asked; returns the exit code."""
    from pathlib import Path

    modes = [mode for mode in ("diff", "write", "check", "interactive") if options[mode]]
    if len(modes) > 1:
        raise click.UsageError(f"--{modes[0]} and --{modes[1]} exclude each other.")
    if options["quiet"] and options["verbose"]:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    if options["list_rules"] or options["explain"] or options["why"]:
        from migrate_milvus import questions

        if options["list_rules"]:
            return questions.list_rules()
        if options["explain"]:
            return questions.explain(options["explain"])
    stdin = any(str(path) == "-" for path in paths)
    if stdin and len(paths) > 1:
        raise click.UsageError("'-' (standard input) cannot be combined with other paths.")
    if stdin and options["interactive"]:
        raise click.UsageError("--interactive needs files: standard input has your answers.")
    where = questions.place(options["why"]) if options["why"] else None
    asked = (Path(where.path),) if where and not paths else ()
    settings = settings_of(() if stdin else paths or asked, options)
    if asked and settings.root not in (Path.home(), Path(settings.root.anchor)):
        # What becomes of a line is told for a run on the whole project.
        settings = replace(settings, paths=(settings.root, *settings.paths))
    if options["show_settings"]:
        return _show_settings(settings)
    if options["write_baseline"] and settings.baseline is None:
        raise click.UsageError("--write-baseline goes with --baseline FILE.")
    if where:
        return questions.why(_read(settings, options)[1], where)
    _check_outputs(settings)
    if stdin:
        return _run_stdin(settings, options)
    return _run_files(settings, options)


def _show_settings(settings: Settings) -> int:
    from migrate_milvus.settings import show

    click.echo(show(settings), nl=False)
    return 0


def _check_outputs(settings: Settings) -> None:
    if settings.reports:
        from migrate_milvus.output import check_files

        check_files(settings.reports)


def _read(settings: Settings, options: dict[str, Any]) -> tuple[Project, RunResult]:
    """The project, and what its migration comes to; nothing is written."""
    from migrate_milvus import output, pipeline

    baseline = _baseline(settings, options)
    with output.progress(options) as progress:
        project = pipeline.read(settings, progress)
        return project, pipeline.migrate(project, settings, progress, baseline=baseline)


def _run_files(settings: Settings, options: dict[str, Any]) -> int:
    from migrate_milvus.output import show

    project, run = _read(settings, options)
    undo = ""
    if options["write"] or options["interactive"]:
        run, undo = _write(project, run, settings, options)
    if options["write_baseline"]:
        return _write_baseline(run, settings)
    return show(_report(run, settings, undo), settings.reports, options)


def _write(
    project: Project, run: RunResult, settings: Settings, options: dict[str, Any]
) -> tuple[RunResult, str]:
    """Write everything, or what the user chooses; returns that, and the command to undo it."""
    from migrate_milvus import pipeline, upgrade

    if not options["allow_dirty"]:
        try:
            upgrade.check_clean(run.results, settings.root)
        except upgrade.DirtyTree as error:
            fail(str(error))
    undo = upgrade.Undo(settings.root)
    if not options["interactive"]:
        command = undo.command(run.results)
        return pipeline.written(run), command
    from migrate_milvus import output
    from migrate_milvus.interactive import Session
    from migrate_milvus.options import coloured

    session = Session(
        project,
        settings,
        _ask,
        colour=coloured(options),
        progress=lambda: output.progress(options),
    )
    run = session.run(run.results)
    baseline = _baseline(settings, options)
    if baseline is not None:
        from migrate_milvus.baseline import mark

        gone = mark(run.results, baseline)
        run = pipeline.conclude(run.results, written=True, scanned=run.scanned, gone=gone)
    return run, undo.command(run.results)


def _ask(prompt: str) -> str:
    """A line that the user types; empty at the end of the input."""
    click.echo(prompt, nl=False)
    return sys.stdin.readline()


def _baseline(settings: Settings, options: dict[str, Any]) -> Baseline | None:
    if settings.baseline is None or options["write_baseline"]:
        return None
    from migrate_milvus.baseline import read
    from migrate_milvus.configuration import ConfigurationError

    try:
        return read(settings.baseline, settings.root)
    except ConfigurationError as error:
        fail(str(error))


def _write_baseline(run: RunResult, settings: Settings) -> int:
    from migrate_milvus.baseline import write
    from migrate_milvus.report import text

    assert settings.baseline is not None
    failures = text.errors(run.results)
    click.echo(failures, nl=False, err=True)
    paths = settings.paths or (settings.root,)

    def kept(name: str) -> bool:
        file = settings.root / name
        return file.exists() and not any(file.is_relative_to(path) for path in paths)

    try:
        total = write(settings.baseline, run.results, settings.root, written=run.written, kept=kept)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        fail(f"the baseline cannot be written: {settings.baseline}: {why}")
    entries = "1 entry" if total == 1 else f"{total} entries"
    click.echo(f"{settings.baseline} has {entries}.")
    return 2 if failures else 0


def _report(run: RunResult, settings: Settings, undo: str = "") -> Report:
    """The model of all reports; programs read their paths as seen from the repository here."""
    from pathlib import Path

    from migrate_milvus.report.model import Report
    from migrate_milvus.settings import git_root

    root = git_root(Path.cwd()) or settings.root
    return Report(run, root, ".".join(map(str, settings.target_version)), undo)


def _run_stdin(settings: Settings, options: dict[str, Any]) -> int:
    from pathlib import Path

    from migrate_milvus import pipeline
    from migrate_milvus.document import Document, DocumentError
    from migrate_milvus.output import show

    data = sys.stdin.buffer.read()
    source: Document | FileResult
    try:
        source = Document.from_bytes(data, "<stdin>", Path("<stdin>"))
    except DocumentError as error:
        placeholder = Document.unreadable(Path("<stdin>"), "<stdin>")
        source = pipeline.failed(placeholder, error)
    run = pipeline.run_document(source, settings)
    if not options["write"]:
        return show(_report(run, settings), settings.reports, options, to_stderr=options["diff"])
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
    return show(_report(run, settings), settings.reports, options, to_stderr=True)
