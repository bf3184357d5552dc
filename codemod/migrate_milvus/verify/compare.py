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
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
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
    primaries = {**(before.recording.primaries or {}), **(after.recording.primaries or {})}
    result = _Result()
    old, new = _items(before), _items(after)
    for left, right, ordered in _streams(old, new):
        if not ordered:
            left = sorted(left, key=lambda item: (item.method, item.key))
            right = sorted(right, key=lambda item: (item.method, item.key))
        _compare_stream(left, right, primaries, result)
    return Comparison(
        differences=tuple(result.differences),
        expected=dict(sorted(result.expected.items())),
        requests_before=sum(not item.internal for item in old),
        requests_after=sum(not item.internal for item in new),
        warnings_before=len(before.recording.warnings),
        warnings_after=len(after.recording.warnings),
        same_stdout=before.stdout == after.stdout,
        same_stderr=clean_stderr(before.stderr) == clean_stderr(after.stderr),
        same_exit_status=before.exit_status == after.exit_status,
    )


# -- streams ---------------------------------------------------------------------------------


def _items(run: Run) -> list[_Item]:
    by_stream: dict[tuple[int, str], list[Request]] = {}
    for request in run.recording.requests:
        by_stream.setdefault((request.process, request.thread), []).append(request)
    items = []
    for requests in by_stream.values():
        for request in normalise.visible(requests):
            plain = normalise.plain(request)
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
        for (left, left_alone), (right, right_alone) in zip(old_rest, new_rest):
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


def _compare_stream(
    old: Sequence[_Item], new: Sequence[_Item], primaries: Mapping[str, str], result: _Result
) -> None:
    asked = [item for item in new if not item.internal]
    following = {id(item): later for item, later in zip(asked, asked[1:])}
    for left, right in _align(list(old), asked, primaries):
        if left is not None and right is not None:
            names = _judge(left, right, primaries)
            if names is None:
                result.differences.append(_unequal(left, right))
            else:
                result.expected.update(names)
        elif left is not None:
            if not left.internal:
                text = f"only before: {_describe(left)}"
                result.differences.append(Difference(text, before=left.request))
        elif right is not None:
            name = _accept_alone(right, following.get(id(right)))
            if name is None:
                text = f"only after: {_describe(right)}"
                result.differences.append(Difference(text, after=right.request))
            else:
                result.expected[name] += 1


_Pair = tuple["_Item | None", "_Item | None"]


def _align(old: list[_Item], new: list[_Item], primaries: Mapping[str, str]) -> list[_Pair]:
    """Pair requests so that as little as possible is different (edit distance)."""
    head: list[_Pair] = []
    if len(old) * len(new) > _MOST_CELLS:
        # cut at a point where both sides agree; what lies before and after is aligned alone
        middle = len(old) // 2
        near = sorted(range(len(new)), key=lambda j: abs(j - middle * len(new) // len(old)))
        for i in range(middle, len(old)):
            if old[i].internal:
                continue
            found = next((j for j in near if new[j].key == old[i].key), None)
            if found is not None and 0 < i:
                return _align(old[:i], new[:found], primaries) + _align_tail(
                    old[i:], new[found:], primaries
                )
    width = len(new) + 1
    cost = [[0.0] * width for _ in range(len(old) + 1)]
    for j in range(len(new) - 1, -1, -1):
        cost[len(old)][j] = cost[len(old)][j + 1] + _alone_cost(new, j)
    for i in range(len(old) - 1, -1, -1):
        drop = 0.0 if old[i].internal else _LEFT_OUT
        cost[i][len(new)] = cost[i + 1][len(new)] + drop
        for j in range(len(new) - 1, -1, -1):
            cost[i][j] = min(
                cost[i + 1][j + 1] + _pair_cost(old[i], new[j], primaries),
                cost[i + 1][j] + drop,
                cost[i][j + 1] + _alone_cost(new, j),
            )
    i = j = 0
    while i < len(old) or j < len(new):
        here = cost[i][j]
        if (
            i < len(old)
            and j < len(new)
            and here == cost[i + 1][j + 1] + _pair_cost(old[i], new[j], primaries)
        ):
            head.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif i < len(old) and here == cost[i + 1][j] + (0.0 if old[i].internal else _LEFT_OUT):
            head.append((old[i], None))
            i += 1
        else:
            head.append((None, new[j]))
            j += 1
    return head


def _align_tail(old: list[_Item], new: list[_Item], primaries: Mapping[str, str]) -> list[_Pair]:
    return [(old[0], new[0]), *_align(old[1:], new[1:], primaries)]


def _alone_cost(new: Sequence[_Item], j: int) -> float:
    following = new[j + 1] if j + 1 < len(new) else None
    return _LEFT_OUT if _accept_alone(new[j], following) is None else _ON_PURPOSE


def _pair_cost(old: _Item, new: _Item, primaries: Mapping[str, str]) -> float:
    if old.key == new.key and not old.internal:
        return 0.0
    names = _judge(old, new, primaries)
    if names is not None:
        return _ON_PURPOSE / 2 * len(names)
    # two requests of different kinds are two differences, not one
    return _UNEQUAL if old.method == new.method and not old.internal else 3 * _UNEQUAL


# -- what may differ -------------------------------------------------------------------------


def _judge(old: _Item, new: _Item, primaries: Mapping[str, str]) -> list[str] | None:
    """The names under which two requests are as good as equal; None when they are not."""
    if old.internal:
        same = old.method == new.method and old.key == new.key
        if not same:
            return None
        if new.request.call_name in ("has_collection", "has_partition"):
            return [GUARD]
        return [PROBE] if new.request.call_name == "describe_collection" else None
    if old.key == new.key:
        return _shape_names(old, new)
    if old.method == "CreateIndex" and _is_index_guard(new):
        return [GUARDED_INDEX] if _same_place(old, new) else None
    if old.method != new.method:
        return None
    left, right = dict(old.plain), dict(new.plain)
    names: list[str] = []
    if old.method == "CreateIndex":
        flat = [normalise.index_parameters(side.pop("extra_params", {})) for side in (left, right)]
        if flat[0] == flat[1]:
            names.append(FLAT_INDEX)
        else:
            return None
    if old.method == "Query" and not left.get("output_fields"):
        if right.get("output_fields") == [primaries.get(old.collection)]:
            left.pop("output_fields", None)
            right.pop("output_fields")
            names.append(OUTPUT_FIELDS)
    return names if left == right else None


def _shape_names(old: _Item, new: _Item) -> list[str]:
    if old.method in ("Insert", "Upsert"):
        if old.request.payload.get("fields_data") != new.request.payload.get("fields_data"):
            return [ROW_DATA]
    return []


def _is_index_guard(item: _Item) -> bool:
    return item.method == "DescribeIndex" and item.request.call_name == "list_indexes"


def _same_place(old: _Item, new: _Item) -> bool:
    where = ("collection_name", "(database)", "(server)", "(credentials)")
    return all(old.plain.get(name) == new.plain.get(name) for name in where)


def _accept_alone(item: _Item, following: _Item | None) -> str | None:
    """The name under which a request may be there after the migration only."""
    if _is_index_guard(item) and following is not None and following.method == "CreateIndex":
        return GUARD if _same_place(item, following) else None
    if item.method == "DescribeCollection" and item.request.call_name == "describe_collection":
        return PROBE
    return None


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


_TRACE_PLACE = re.compile(r'^\s*File ".*", line \d+.*$')


def clean_stderr(text: str) -> str:
    """Standard error without warnings and without the frames of tracebacks.

    Both name lines of the program, which the migration moves; how a traceback ends stays.
    """
    kept: list[str] = []
    skip_source = False
    for line in text.splitlines():
        if re.match(r"^\S.*:\d+: \w*Warning: ", line):
            skip_source = True
        elif _TRACE_PLACE.match(line):
            skip_source = True
        elif skip_source and line.startswith("  "):
            continue
        else:
            skip_source = False
            kept.append(line)
    return "\n".join(kept)
