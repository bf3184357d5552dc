"""A progress line for people who wait: it appears after a second, and leaves nothing behind."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TextIO

DELAY = 1.0
_INTERVAL = 0.1
_WIDTH = 24


class Progress:
    """Draws on a terminal what a run is doing, from a thread of its own.

    A long stage may not tell how far it is; then the seconds that pass are shown.
    """

    def __init__(self, stream: TextIO, delay: float = DELAY) -> None:
        self._stream = stream
        self._delay = delay
        self._text = ""
        self._done = 0
        self._total = 0
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def stage(self, text: str) -> None:
        """A stage begins; ``text`` says which."""
        self._text, self._done, self._total = text, 0, 0

    def advance(self, done: int, total: int) -> None:
        """So many of so many files of this stage are done."""
        self._done, self._total = done, total

    def line(self) -> str:
        """The line as it would be drawn now."""
        if self._total:
            filled = _WIDTH * self._done // self._total
            bar = "#" * filled + "-" * (_WIDTH - filled)
            return f"[{bar}] {self._text}: {self._done} of {self._total} files"
        return f"{self._text}, {time.monotonic() - self._began:.0f} s"

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _draw(self) -> None:
        if self._stop.wait(self._delay):
            return
        while True:
            self._stream.write(f"\r\x1b[2K{self.line()}")
            self._stream.flush()
            if self._stop.wait(_INTERVAL):
                break
        self._stream.write("\r\x1b[2K")
        self._stream.flush()
