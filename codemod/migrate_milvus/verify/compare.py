"""Compare two runs of a program, before and after its migration.

Requests are aligned stream by stream. A difference that the migration makes on purpose is *named*
and counted as expected; everything else is a difference. The names:

``guard-lookup``         the guard that replaces a look-up of the ORM's constructor, or the
                         ``list_indexes`` in front of a ``create_index``
``guarded-index``        ``create_index`` was not sent again, because its guard found the index
``flat-index-params``    build parameters beside ``index_type`` instead of under ``params``
``row-data``             rows instead of columns: equal values per field, in another order or shape
``query-output-fields``  the primary key named where the ORM sent an empty list
``describe-probe``       ``describe_collection`` where the ORM object already knew the answer
``drop-index-by-name``   the index named by its own name, where the ORM named its field
``iterator-probe``       the client asks whether the server knows the newer search iterator
``database-lookup``      the client asks whether the database is there before it uses it
``wait-folded``          no second wait for an index or a load that had been waited for
``index-read-back``      an index that the program has just made is not read back
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrate_milvus.verify import normalise
from migrate_milvus.verify.trace import Request, Run

GUARD = "guard-lookup"
GUARDED_INDEX = "guarded-index"
FLAT_INDEX = "flat-index-params"
ROW_DATA = "row-data"
OUTPUT_FIELDS = "query-output-fields"
PROBE = "describe-probe"
DROP_BY_NAME = "drop-index-by-name"
ITERATOR = "iterator-probe"
DATABASE = "database-lookup"
WAIT = "wait-folded"
READ_BACK = "index-read-back"

_UNEQUAL = 1.0
_LEFT_OUT = 1.0
_ON_PURPOSE = 0.01
# beyond this many cells the alignment works block by block
_MOST_CELLS = 1_000_000


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same; ``before`` or ``after`` is None when it is missing there."""

    text: str
    before: Request | None = None
    after: Request | None = None


@dataclass(frozen=True)
class Comparison:
    """The verdict on two runs."""

    differences: tuple[Difference, ...]
    expected: Mapping[str, int]
    requests_before: int
    requests_after: int
    warnings_before: int
    warnings_after: int
    same_stdout: bool
    same_stderr: bool
    same_exit_status: bool

    @property
    def equal(self) -> bool:
        """Whether both sides sent the same requests, printed the same and ended the same."""
        return not self.differences and self.same_stdout and self.same_exit_status


@dataclass
class _Result:
    differences: list[Difference] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Item:
    """A request with what the alignment asks of it, computed once."""

    request: Request
    internal: bool
    plain: Mapping[str, Any]
    key: str
    collection: str

    @property
    def method(self) -> str:
        return self.request.method


def compare(before: Run, after: Run) -> Comparison:
    """Compare two runs.

    The primary keys that both recordings know are pooled, because either side may be the one that
    asked the server for a schema.
    """
    primaries = {**before.recording.primaries, **after.recording.primaries}
    result = _Result()
    ids = [normalise.name_generated_ids(run.recording.generated) for run in (before, after)]
    old, new = _items(before, ids[0]), _items(after, ids[1])
    printed = [
        normalise.without_generated_ids(run.stdout, named)
        for run, named in zip((before, after), ids, strict=True)
    ]
    judge = _Judge(primaries, _neighbours(new), _folded_waits(old), _read_back(old))
    for left, right, ordered in _streams(old, new):
        if ordered:
            judge.compare(left, right, result)
        else:
            judge.compare(sorted(left, key=_by_content), sorted(right, key=_by_content), result)
    return Comparison(
        differences=tuple(result.differences),
        expected=dict(sorted(result.expected.items())),
        requests_before=sum(not item.internal for item in old),
        requests_after=sum(not item.internal for item in new),
        warnings_before=len(before.recording.warnings),
        warnings_after=len(after.recording.warnings),
        same_stdout=printed[0] == printed[1],
        same_stderr=clean_stderr(before.stderr) == clean_stderr(after.stderr),
        same_exit_status=before.exit_status == after.exit_status,
    )


# -- streams ---------------------------------------------------------------------------------


def _items(run: Run, generated: Mapping[str, str]) -> list[_Item]:
    by_stream: dict[tuple[int, str], list[Request]] = {}
    for request in run.recording.requests:
        by_stream.setdefault((request.process, request.thread), []).append(request)
    items = []
    for requests in by_stream.values():
        for request, plain in normalise.visible(requests, generated):
            items.append(
                _Item(
                    request=request,
                    internal=normalise.is_internal(request),
                    plain=plain,
                    key=request.method + normalise.canonical(plain),
                    collection=str(plain.get("collection_name", "")),
                )
            )
    return items


_Stream = list[_Item]


def _by_content(item: _Item) -> tuple[str, str]:
    return item.method, item.key


def _streams(old: _Stream, new: _Stream) -> list[tuple[_Stream, _Stream, bool]]:
    """Pair the streams of both sides: (before, after, whether their order counts).

    The main thread of the first process is one stream. What ran beside it is cut into phases of
    streams that overlap in time; inside a phase of several streams the order is the scheduler's.
    """
    old_main, old_rest = _phases(old)
    new_main, new_rest = _phases(new)
    pairs = [(old_main, new_main, True)]
    if len(old_rest) != len(new_rest):
        pairs.append(
            (
                [item for phase, _ in old_rest for item in phase],
                [item for phase, _ in new_rest for item in phase],
                False,
            )
        )
    else:
        for (left, left_alone), (right, right_alone) in zip(old_rest, new_rest, strict=True):
            pairs.append((left, right, left_alone and right_alone))
    return pairs


def _phases(items: _Stream) -> tuple[_Stream, list[tuple[_Stream, bool]]]:
    streams: dict[tuple[int, str], _Stream] = {}
    for item in items:
        streams.setdefault((item.request.process, item.request.thread), []).append(item)
    main = streams.pop((min((key[0] for key in streams), default=0), "main"), [])
    phases: list[tuple[_Stream, bool]] = []
    end = -1
    for stream in sorted(streams.values(), key=lambda stream: stream[0].request.at):
        if phases and stream[0].request.at < end:
            phases[-1] = (phases[-1][0] + stream, False)
        else:
            phases.append((list(stream), True))
        end = max(end, stream[-1].request.at)
    return main, phases


# -- one stream ------------------------------------------------------------------------------


def _neighbours(items: Iterable[_Item]) -> dict[int, _Item]:
    """For each request (by identity) what the program asked for next in the same stream."""
    later: dict[int, _Item] = {}
    last: dict[tuple[int, str], _Item] = {}
    for item in items:
        if not item.internal:
            stream = (item.request.process, item.request.thread)
            if stream in last:
                later[id(last[stream])] = item
            last[stream] = item
    return later


def _folded_waits(old: Iterable[_Item]) -> frozenset[int]:
    """The waits (by identity) for what an earlier request has waited for already."""
    started: set[tuple[str, str]] = set()
    folded: set[int] = set()
    awaited = {"DescribeIndex": "CreateIndex", "GetLoadingProgress": "LoadCollection"}
    for item in old:
        begun = (awaited.get(item.method, ""), item.collection)
        if item.request.call_name.startswith("wait_for") and begun in started:
            folded.add(id(item))
        started.add((item.method, item.collection))
    return frozenset(folded)


def _read_back(old: Iterable[_Item]) -> frozenset[int]:
    """The look-ups (by identity) of an index that an earlier request has made."""
    made: set[str] = set()
    found: set[int] = set()
    for item in old:
        if item.method == "CreateIndex":
            made.add(item.collection)
        elif item.method == "DescribeIndex" and item.request.call_name == "index":
            if item.collection in made:
                found.add(id(item))
    return frozenset(found)


_Pair = tuple["_Item | None", "_Item | None"]


@dataclass(frozen=True)
class _Judge:
    """What may differ, with what has to be known of the whole runs to say so."""

    primaries: Mapping[str, str]
    following: Mapping[int, _Item]
    folded: frozenset[int]
    read_back: frozenset[int]

    def compare(self, old: Sequence[_Item], new: Sequence[_Item], result: _Result) -> None:
        """Add what one stream comes to."""
        for left, right in self.align(old, [item for item in new if not item.internal]):
            if left is not None and right is not None:
                names = self.pair(left, right)
                if names is None:
                    result.differences.append(_unequal(left, right))
                else:
                    result.expected.update(names)
            elif left is not None:
                if id(left) in self.folded:
                    result.expected[WAIT] += 1
                elif id(left) in self.read_back:
                    result.expected[READ_BACK] += 1
                elif not left.internal:
                    text = f"only before: {_describe(left)}"
                    result.differences.append(Difference(text, before=left.request))
            elif right is not None:
                name = self.alone(right)
                if name is None:
                    text = f"only after: {_describe(right)}"
                    result.differences.append(Difference(text, after=right.request))
                else:
                    result.expected[name] += 1

    def align(self, old: Sequence[_Item], new: Sequence[_Item]) -> list[_Pair]:
        """Pair requests so that as little as possible is different (edit distance)."""
        pairs: list[_Pair] = []
        cut = self._cut(old, new)
        if cut is not None:
            i, j = cut
            return [
                *self.align(old[:i], new[:j]),
                (old[i], new[j]),
                *self.align(old[i + 1 :], new[j + 1 :]),
            ]
        cost = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
        for j in range(len(new) - 1, -1, -1):
            cost[len(old)][j] = cost[len(old)][j + 1] + self._add_cost(new[j])
        for i in range(len(old) - 1, -1, -1):
            drop = self._drop_cost(old[i])
            cost[i][len(new)] = cost[i + 1][len(new)] + drop
            for j in range(len(new) - 1, -1, -1):
                cost[i][j] = min(
                    cost[i + 1][j + 1] + self._pair_cost(old[i], new[j]),
                    cost[i + 1][j] + drop,
                    cost[i][j + 1] + self._add_cost(new[j]),
                )
        i = j = 0
        while i < len(old) or j < len(new):
            here = cost[i][j]
            both = i < len(old) and j < len(new)
            if both and here == cost[i + 1][j + 1] + self._pair_cost(old[i], new[j]):
                pairs.append((old[i], new[j]))
                i, j = i + 1, j + 1
            elif i < len(old) and here == cost[i + 1][j] + self._drop_cost(old[i]):
                pairs.append((old[i], None))
                i += 1
            else:
                pairs.append((None, new[j]))
                j += 1
        return pairs

    @staticmethod
    def _cut(old: Sequence[_Item], new: Sequence[_Item]) -> tuple[int, int] | None:
        """A pair of equal requests near the middle, where the work would be too much at once."""
        if len(old) * len(new) <= _MOST_CELLS:
            return None
        places: dict[str, list[int]] = {}
        for j, item in enumerate(new):
            places.setdefault(item.key, []).append(j)
        middle = len(old) // 2
        for i in sorted(range(len(old)), key=lambda i: abs(i - middle)):
            found = None if old[i].internal else places.get(old[i].key)
            if found:
                near = i * len(new) // len(old)
                return i, min(found, key=lambda j: abs(j - near))
        return None

    def _drop_cost(self, item: _Item) -> float:
        if item.internal:
            return 0.0
        gone = id(item) in self.folded or id(item) in self.read_back
        return _ON_PURPOSE if gone else _LEFT_OUT

    def _add_cost(self, item: _Item) -> float:
        return _LEFT_OUT if self.alone(item) is None else _ON_PURPOSE

    def _pair_cost(self, old: _Item, new: _Item) -> float:
        if old.key == new.key and not old.internal:
            return 0.0
        names = self.pair(old, new)
        if names == [GUARDED_INDEX]:
            # dearer than the guard next to its create, cheaper than losing the create
            return _UNEQUAL / 2
        if names is not None:
            return _ON_PURPOSE / 2 * len(names)
        # two requests of different kinds are two differences, not one
        return _UNEQUAL if old.method == new.method and not old.internal else 3 * _UNEQUAL

    def pair(self, old: _Item, new: _Item) -> list[str] | None:
        """The names under which two requests are as good as equal; None when they are not."""
        if old.internal:
            name = _guard_name(old, new) if old.key == new.key else None
            return None if name is None else [name]
        if old.key == new.key:
            return _shape_names(old, new)
        if old.method == "CreateIndex" and _is_index_guard(new):
            return [GUARDED_INDEX] if _same_place(old, new) else None
        if old.method != new.method:
            return None
        left, right = dict(old.plain), dict(new.plain)
        names: list[str] = []
        if old.method == "CreateIndex":
            flat = [
                normalise.index_parameters(side.pop("extra_params", {})) for side in (left, right)
            ]
            if flat[0] != flat[1]:
                return None
            names.append(FLAT_INDEX)
        elif old.method == "DropIndex" and _same_index(left, right):
            for side in (left, right):
                side.pop("field_name", None)
                side.pop("index_name", None)
            names.append(DROP_BY_NAME)
        elif old.method in ("Insert", "Upsert"):
            for side in (left, right):
                side["fields_data"] = normalise.without_empty_dynamic_data(side["fields_data"])
            names.append(ROW_DATA)
        elif (
            old.method == "Query"
            and not left.pop("output_fields", None)
            and right.pop("output_fields", None) == [self.primaries.get(old.collection)]
        ):
            names.append(OUTPUT_FIELDS)
        return names if names and left == right else None

    def alone(self, item: _Item) -> str | None:
        """The name under which a request may be there after the migration only."""
        later = self.following.get(id(item))
        if _is_index_guard(item) and later is not None and later.method == "CreateIndex":
            return GUARD if _same_place(item, later) else None
        if item.method == "DescribeCollection" and item.request.call_name == "describe_collection":
            return PROBE
        if item.method == "DescribeDatabase" and item.request.call_name == "use_database":
            return DATABASE
        return ITERATOR if _is_iterator_probe(item) else None


# -- what may differ -------------------------------------------------------------------------


def _guard_name(old: _Item, new: _Item) -> str | None:
    """The name under which a question may take the place of pymilvus' own look-up."""
    asks = new.request.call_name
    if asks in ("has_collection", "has_partition"):
        return GUARD
    if asks in ("describe_index", "list_indexes"):
        return GUARD if old.request.call_name == "drop_index" else None
    return PROBE if asks == "describe_collection" else None


def _shape_names(old: _Item, new: _Item) -> list[str]:
    if old.method not in ("Insert", "Upsert"):
        return []
    left, right = (side.request.payload.get("fields_data") for side in (old, new))
    return [] if left == right else [ROW_DATA]


def _same_index(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """The server goes by the index name; without one the ORM means the only index there is.

    It is called like its field unless the program named it, and then its name was looked up.
    """
    if "field_name" in new or not new.get("index_name"):
        return False
    return bool(new["index_name"] == (old.get("index_name") or old.get("field_name")))


def _is_index_guard(item: _Item) -> bool:
    return item.method == "DescribeIndex" and item.request.call_name == "list_indexes"


def _is_iterator_probe(item: _Item) -> bool:
    """One hit is asked for, with the newer protocol's flag; nothing of it reaches the program."""
    if item.method != "Search" or item.request.call_name != "search_iterator":
        return False
    asked = item.plain.get("search_params", {})
    flags = ("search_iter_v2", "search_iter_batch_size", "topk")
    return [asked.get(name) for name in flags] == ["True", "1", "1"]


def _same_place(old: _Item, new: _Item) -> bool:
    where = ("collection_name", "(database)", "(server)", "(credentials)")
    return all(old.plain.get(name) == new.plain.get(name) for name in where)


# -- words -----------------------------------------------------------------------------------


def _describe(item: _Item) -> str:
    of = f"({item.collection!r})" if item.collection else ""
    call = item.request.call.rpartition(":")[2]
    return f"{item.method}{of} by {call} at {item.request.place}"


def _unequal(old: _Item, new: _Item) -> Difference:
    paths = [
        f"{name}: {_short(left)} -> {_short(right)}"
        for name, left, right in _changes(old.plain, new.plain, "")
    ]
    text = f"{_describe(old)} / {new.request.place}: " + "; ".join(paths[:6])
    if len(paths) > 6:
        text += f"; and {len(paths) - 6} more"
    return Difference(text, before=old.request, after=new.request)


_ABSENT = "(absent)"


def _changes(left: Any, right: Any, path: str) -> list[tuple[str, Any, Any]]:
    if left == right:
        return []
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        found = []
        for key in sorted({*left, *right}):
            inner = f"{path}.{key}" if path else key
            found += _changes(left.get(key, _ABSENT), right.get(key, _ABSENT), inner)
        return found
    return [(path, left, right)]


def _short(value: Any) -> str:
    text = value if value is _ABSENT else repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


# a warning, or a frame of a traceback; the indented source line below belongs to it
_NAMES_A_LINE = re.compile(r'^\S.*:\d+: \w*Warning: |^\s*File ".*", line \d+')


def clean_stderr(text: str) -> str:
    """Standard error without warnings and without the frames of tracebacks.

    Both name lines of the program, which the migration moves; how a traceback ends stays.
    """
    kept: list[str] = []
    skip_source = False
    for line in text.splitlines():
        if _NAMES_A_LINE.match(line):
            skip_source = True
        elif skip_source and line.startswith("  "):
            continue
        else:
            skip_source = False
            kept.append(line)
    return "\n".join(kept)
