"""Bring what a program printed into the form in which two outputs can be compared.

Only what cannot be the same twice, or what the migration changes on purpose, is taken away. This
module is the whole list of it:

- points in time (``2026-01-31 10:00:00.123``, ``10:00:00``) and durations (``0.12 s``, ``3ms``;
  a decimal number behind a word such as ``latency``, ``took`` or ``elapsed``);
- addresses of objects (``0x7f12ab34``) and of the embedded server;
- warnings, as Python writes them and as pytest sums them up, and the frames of tracebacks: both
  name lines of the program, which the migration moves. How a traceback ends stays;
- what pymilvus itself logs: it names pymilvus' own functions and lines;
- the length of a line of ``====`` or ``----``, which pytest fills up.
"""

from __future__ import annotations

import re

# a warning, or a frame of a traceback; the indented source line below belongs to it
_WARNS = re.compile(r"^\S.*:\d+: \w*Warning: ")
_NAMES_A_LINE = re.compile(_WARNS.pattern + r'|^\s*File ".*", line \d+')
_LOG_RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \[[A-Z]+\]\[\w+\]: "
    r"(?:.*\n){0,99}?.* \(\w+\.py:\d+\)$\n?",
    re.M,
)
_SUMMARY_BEGINS = re.compile(r"^=+ warnings summary( \(final\))? =+$")
_SUMMARY_ENDS = re.compile(r"^=+ ")

_MASKS = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "(address)"),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?"
            r"|\b\d{1,2}:\d\d:\d\d([.,]\d+)?\b"
        ),
        "(time)",
    ),
    (
        re.compile(
            r"(?<![\w.])\d+(\.\d+)?([eE][+-]?\d+)? ?(ns|us|µs|ms|s|secs?|seconds?|minutes?)\b"
        ),
        "(duration)",
    ),
    (
        re.compile(
            r"(?i)(\b(?:latency|elapsed|duration|took|time|qps|tps|rps)\b[^\d\n]{0,20}?)"
            r"\b\d+\.\d+(?:e[+-]?\d+)?"
        ),
        r"\1(duration)",
    ),
    (re.compile(r", \d+ warnings?\b"), ""),
    (re.compile(r"={2,}"), "===="),
    (re.compile(r"-{4,}"), "----"),
)


def clean(text: str) -> str:
    """Return the comparable form of a standard output or error."""
    return "\n".join(_mask(line) for line in _without(_NAMES_A_LINE, text))


def without_warnings(text: str) -> str:
    """The same text without warnings and pymilvus' log, for people who look for the error."""
    return "\n".join(_without(_WARNS, text))


def _without(pattern: re.Pattern[str], text: str) -> list[str]:
    kept: list[str] = []
    skip_source = skip_summary = False
    for line in _LOG_RECORD.sub("", text).splitlines():
        if skip_summary and not _SUMMARY_ENDS.match(line):
            skip_summary = not line.startswith("-- Docs: ")
            continue
        skip_summary = _SUMMARY_BEGINS.match(line) is not None
        if skip_summary:
            continue
        if pattern.match(line):
            skip_source = True
        elif not (skip_source and line.startswith("  ")):
            skip_source = False
            kept.append(line)
    return kept


def _mask(line: str) -> str:
    for pattern, stand_in in _MASKS:
        line = pattern.sub(stand_in, line)
    return line.rstrip()
