"""``migrate-milvus verify``: the command line. Imported when that command is asked for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from migrate_milvus.interrupts import one_line
from migrate_milvus.options import (
    check_formats,
    coloured,
    fail,
    migration_options,
    settings_of,
)

if TYPE_CHECKING:
    from migrate_milvus.verify.verifying import Job

TIMEOUT = 600.0

EPILOG = """\b
Exit codes:
  0  both sides do the same (or no file would change)
  1  something is different
  2  there is no verdict, and the report says what to do
130  interrupted"""


class _VerifyCommand(click.Command):
    """What stands behind the first ``--`` is the command to run, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            place = args.index("--")
            ctx.meta["command"] = tuple(args[place + 1 :])
            args = args[:place]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND..."]


@click.command(
    "verify",
    cls=_VerifyCommand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--backend",
    type=click.Choice(["lite", "echo"]),
    default="lite",
    help="Embedded Milvus Lite [default], or a server that answers everything: requests only.",
)
@click.option("--server", metavar="URI", help="Use this Milvus server; the command writes to it.")
@click.option("--yes", is_flag=True, help="The server may be written to.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=TIMEOUT,
    metavar="SECONDS",
    help="End a run after that time [600; 0: never].",
)
@click.option("--ignore-output", is_flag=True, help="Do not compare what is printed.")
@click.option(
    "--allow-failure", is_flag=True, help="Compare even if the command fails before the migration."
)
@click.option(
    "--include",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Copy a file or folder that git ignores, too.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="text|json[=FILE]",
    callback=check_formats("text", "json"),
    help="Format, and file, of the report.",
)
@migration_options
@click.option("--color/--no-color", "colour", default=None, help="Default: on a terminal.")
@click.pass_context
def verify(ctx: click.Context, /, paths: tuple[Path, ...], **options: Any) -> None:
    """Run COMMAND on a copy of your code and on a migrated copy, and compare what it does.

    Each run has an empty Milvus of its own, embedded here: every address that the code connects to
    is redirected to it. Requests, output, exit status and warnings are compared; your files are not
    touched. PATHS limit what is migrated (default: the project here).
    """
    command: tuple[str, ...] = ctx.meta.get("command", ())
    if not command:
        raise click.UsageError("give the command to run behind --, such as: -- python demo.py")
    if os.name != "posix":
        fail("verify needs a POSIX system, such as Linux or macOS")
    _check_server(options)
    _check_extra(options)
    with _signals_interrupt(), one_line("every process was ended, nothing of yours changed"):
        ctx.exit(_run(paths or (Path(),), command, options))


def _check_server(options: dict[str, Any]) -> None:
    uri = options["server"]
    if not uri:
        if options["yes"]:
            raise click.UsageError("--yes goes with --server.")
        return
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in ("http", "https", "tcp") or not rest.partition("/")[0]:
        raise click.UsageError(f"--server {uri!r} is not a URI such as http://localhost:19530.")
    if "@" in rest:
        raise click.UsageError("--server takes no credentials: the command sends its own.")
    if not options["yes"]:
        raise click.UsageError(
            f"the command would write to {uri} (twice or more, and drop what it drops); "
            "say --yes if it may."
        )


def _check_extra(options: dict[str, Any]) -> None:
    needed = ["pymilvus"] if options["backend"] == "echo" else ["pymilvus", "milvus_lite"]
    if options["server"]:
        return
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        fail(f"verify needs {' and '.join(missing)}: pip install 'migrate-milvus[verify]'")


def _run(paths: tuple[Path, ...], command: tuple[str, ...], options: dict[str, Any]) -> int:
    from migrate_milvus.verify import report
    from migrate_milvus.verify.verifying import CannotVerify, Job, verify

    job = Job(
        settings=settings_of(paths, options),
        command=command,
        cwd=Path(os.path.realpath(os.curdir)),
        backend=options["backend"],
        server=_address(options["server"]),
        timeout=options["timeout"] or None,
        include=tuple(_included(options["include"])),
        ignore_output=options["ignore_output"],
        allow_failure=options["allow_failure"],
    )
    _check_include(job)
    colour = coloured(options)
    try:
        verdict = verify(job, stage=_stage)
    except CannotVerify as error:
        plain, data = report.failure_text(error), report.failure_json(command, error)
        _print(options, text=lambda to_file: plain, json=lambda: data, failed=True)
        return 2
    width = shutil.get_terminal_size((report.WIDTH, 24)).columns if sys.stdout.isatty() else 100
    return max(
        verdict.exit_code,
        _print(
            options,
            text=lambda to_file: report.text(
                verdict, width=min(width, 160), colour=colour and not to_file
            ),
            json=lambda: report.as_json(verdict),
        ),
    )


def _address(uri: str | None) -> str:
    if not uri:
        return ""
    scheme, _, rest = uri.partition("://")
    host = rest.partition("/")[0]
    kind = "https" if scheme == "https" else "http"
    return f"{kind}://{host}" if ":" in host else f"{kind}://{host}:19530"


def _included(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        yield Path(os.path.abspath(path))


def _check_include(job: Job) -> None:
    for path in job.include:
        if not Path(os.path.realpath(path.parent)).is_relative_to(job.settings.root):
            fail(f"--include {path}: not in the project {job.settings.root}")


def _print(options: dict[str, Any], *, text: Any, json: Any, failed: bool = False) -> int:
    """Write the reports; returns 2 when one could not be written."""
    from migrate_milvus.output import save

    code = 0
    reports = options["reports"]
    for form, file in reports:
        rendered = json() if form == "json" else text(file is not None)
        if file is None:
            click.echo(rendered, nl=False, color=coloured(options) or None)
        else:
            code = max(code, 0 if save(Path(file), rendered) else 2)
    if not any(file is None for _, file in reports):
        # a verdict is the result of the command; why there is none is an error
        click.echo(text(False), nl=False, err=failed, color=coloured(options) or None)
    return code


def _stage(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{what} ...", err=True)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A request to end is treated as Ctrl-C, and nothing interrupts the cleaning up after it."""
    numbers = [
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        old = {number: signal.signal(number, interrupt) for number in numbers}
    except ValueError:  # not in the main thread
        old = {}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
