"""Settings: what a run was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The settings of one run, from the command line and the configuration file.

    ``target_version`` is the oldest pymilvus that the result must run on; ``target_python`` the
    oldest Python, None when nothing tells; ``line_length`` counts characters.
    """

    root: Path
    paths: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    unsafe: bool = False
    target_version: tuple[int, ...] = (2, 6, 13)
    target_python: tuple[int, int] | None = None
    line_length: int = 100
    keep_signatures: bool = False
