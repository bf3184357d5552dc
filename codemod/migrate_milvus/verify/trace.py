"""What a program did: its requests and warnings as the recorder wrote them, plus its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Payload = Mapping[str, Any]


class RecordingError(Exception):
    """A recording is unreadable, or the recorder itself failed while it was made."""


@dataclass(frozen=True)
class Request:
    """One request on the wire.

    ``call`` is the outermost pymilvus call that caused it (``module:Class.method``); ``file`` and
    ``line`` are the user's line that made that call. ``process`` and ``thread`` name the stream it
    belongs to, ``at`` orders streams. ``credentials`` is a fingerprint, never a secret.
    """

    method: str
    payload: Payload
    call: str
    file: str
    line: int
    process: int
    thread: str
    at: int
    target: str = ""
    secure: bool = False
    credentials: str = ""
    database: str = ""

    @property
    def call_name(self) -> str:
        """The last part of ``call``, such as ``has_collection``."""
        return self.call.rpartition(":")[2].rpartition(".")[2]

    @property
    def place(self) -> str:
        """Where in the user's code the request comes from."""
        return f"{Path(self.file).name}:{self.line}" if self.file else "(no line of the program)"


@dataclass(frozen=True)
class Warned:
    """One emission of ``PyMilvusDeprecationWarning``."""

    message: str
    file: str
    line: int


@dataclass(frozen=True)
class Recording:
    """All that the recorder kept of one run.

    ``primaries`` maps a collection to the name of its primary key; ``generated`` are the keys
    that inserts returned, in order. ``parents`` maps a process (its number) to the one that started
    it, None where that was not recorded. ``libraries`` are the versions of pymilvus that were used;
    ``foreign`` the files that were imported from the project instead of from its copy.
    """

    requests: tuple[Request, ...] = ()
    warnings: tuple[Warned, ...] = ()
    primaries: Mapping[str, str] = field(default_factory=dict)
    generated: tuple[int, ...] = ()
    parents: Mapping[int, int | None] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One run of a program: what it printed, how it ended, what was recorded.

    ``cut`` tells that it printed more than is kept.
    """

    exit_status: int
    stdout: str
    stderr: str
    recording: Recording
    seconds: float = 0.0
    timed_out: bool = False
    cut: bool = False


def read_recording(folder: Path) -> Recording:
    """Return what the processes that recorded into ``folder`` did, in the order they began.

    Raises:
        RecordingError: when a line cannot be read or the recorder noted a failure of its own.
    """
    requests: list[Request] = []
    warnings: list[Warned] = []
    primaries: dict[str, str] = {}
    generated: list[int] = []
    numbers: dict[int, int] = {}
    parents: dict[int, int | None] = {}
    libraries: set[str] = set()
    foreign: set[str] = set()
    for number, path in enumerate(sorted(folder.glob("*.jsonl"))):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise RecordingError(f"{path.name}: {error}") from error
            kind = entry["kind"]
            if kind == "process":
                numbers[entry["pid"]] = number
                parents[number] = numbers.get(entry["parent"])
            elif kind == "library":
                libraries.add(entry["version"])
            elif kind == "foreign":
                foreign.update(entry["files"])
            elif kind == "request":
                requests.append(_request(entry, number))
            elif kind == "warning":
                warnings.append(Warned(entry["message"], entry["file"], entry["line"]))
            elif kind == "schema":
                primaries.update(dict.fromkeys(entry["collections"], entry["primary"]))
            elif kind == "keys":
                generated += entry["keys"]
            elif kind == "failure":
                raise RecordingError(f"{entry['method']} was not recorded: {entry['message']}")
    for request in requests:
        if request.method == "CreateCollection":
            for described in request.payload.get("schema", {}).get("fields", ()):
                if described.get("is_primary_key"):
                    primaries.setdefault(request.payload["collection_name"], described["name"])
    return Recording(
        requests=tuple(requests),
        warnings=tuple(warnings),
        primaries=primaries,
        generated=tuple(generated),
        parents=parents,
        libraries=tuple(sorted(libraries)),
        foreign=tuple(sorted(foreign)),
    )


def _request(entry: Mapping[str, Any], process: int) -> Request:
    return Request(
        method=entry["method"],
        payload=entry["request"],
        call=entry["call"],
        file=entry["file"],
        line=entry["line"],
        process=process,
        thread=entry["thread"],
        at=entry["at"],
        target=entry.get("target", ""),
        secure=entry.get("secure", False),
        credentials=entry.get("credentials", ""),
        database=entry.get("dbname", ""),
    )
