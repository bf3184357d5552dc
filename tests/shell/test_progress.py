"""The progress line."""

from __future__ import annotations

import io
import time

from migrate_milvus.progress import Progress


def test_a_short_run_draws_nothing() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.stage("scanning")
    assert stream.getvalue() == ""


def test_a_long_run_draws_a_line_and_wipes_it() -> None:
    stream = io.StringIO()
    with Progress(stream, delay=0) as progress:
        progress.stage("scanning")
        progress.advance(5, 10)
        deadline = time.monotonic() + 10
        while "5 of 10 files" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "[############------------] scanning: 5 of 10 files" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[2K")
