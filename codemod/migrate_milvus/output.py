"""What a run prints: the diff, and each report to where it was asked for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate_milvus.options import coloured, fail

if TYPE_CHECKING:
    from migrate_milvus.report.model import Report
    from migrate_milvus.settings import Reports


def show(
    report: Report, reports: Reports, options: dict[str, Any], *, to_stderr: bool = False
) -> int:
    """Print the diff and the reports; returns the exit code."""
    on_stdout = [form for form, file in reports if file is None]
    if options["diff"]:
        # Standard output holds one thing that a program can read, if that was asked for.
        _print_diff(report, options, err=any(form != "text" for form in on_stdout))
    code = report.run.exit_code
    unsaved = False
    for form, file in reports:
        text = render(report, form, options, to_file=file is not None)
        if file is None:
            echo(text, options, err=to_stderr)
        elif not save(Path(file), text):
            code, unsaved = 2, True
    if unsaved or not on_stdout:
        echo(_default_text(report, options), options, err=to_stderr or bool(on_stdout))
    return code


def render(report: Report, form: str, options: dict[str, Any], *, to_file: bool) -> str:
    """One report as text."""
    if form == "text":
        from migrate_milvus.report import text

        colour = not to_file and coloured(options)
        return text.render(report, verbose=options["verbose"], colour=colour)
    from importlib import import_module

    rendered: str = import_module(f"migrate_milvus.report.{form}").render(report)
    return rendered


def check_files(reports: Reports) -> None:
    """Fail before anything is done if a report could not be written at the end."""
    for _, file in reports:
        if file is None:
            continue
        path = Path(file)
        if path.is_dir():
            _cannot_write(path, "is a directory")
        if not path.parent.is_dir():
            _cannot_write(path, "no such file or directory")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            _cannot_write(path, "permission denied")


def _cannot_write(path: Path, why: str) -> None:
    fail(f"the report cannot be written: {path}: {why}")


def save(file: Path, text: str) -> bool:
    """Write a report; says so, and returns False, when that is impossible."""
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        click.echo(f"Error: the report cannot be written: {file}: {why}", err=True)
        return False
    return True


def echo(text: str, options: dict[str, Any], *, err: bool = False) -> None:
    """Print a text, with its colours where they are wanted."""
    if text:
        click.echo(text, nl=False, err=err, color=coloured(options) or None)


@contextlib.contextmanager
def progress(options: dict[str, Any]) -> Iterator[Any]:
    """Who shows the progress: nobody, unless a person is watching."""
    if options["quiet"] or options["check"] or not sys.stderr.isatty():
        yield None
        return
    from migrate_milvus.progress import Progress

    with Progress(sys.stderr) as drawn:
        yield drawn


def _default_text(report: Report, options: dict[str, Any]) -> str:
    """What is printed when no report was sent to standard output."""
    from migrate_milvus.report import text

    run, colour = report.run, coloured(options)
    if options["quiet"]:
        return text.errors(run.results, colour=colour)
    if options["check"]:
        failures = text.errors(run.results, colour=colour)
        return failures + (text.summary(run) + "\n" if run.exit_code else "")
    return text.render(report, verbose=options["verbose"], colour=colour)


def _print_diff(report: Report, options: dict[str, Any], *, err: bool) -> None:
    from migrate_milvus import diffing

    for result in report.run.results:
        diff = diffing.result_diff(result)
        echo(diffing.coloured(diff) if coloured(options) else diff, options, err=err)
