"""Compare two runs of a program, before and after its migration.

Requests are aligned stream by stream. A difference that the migration makes on purpose is *named*
and counted as expected, because of the rule that makes it (``EXPECTED`` says which, and why);
everything else is a difference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from migrate_milvus.verify import normalise, output
from migrate_milvus.verify.trace import Recording, Request, Run

GUARD = "guard-lookup"
GUARD_PARTITION = "partition-guard-lookup"
INDEX_GUARD = "index-guard-lookup"
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
EACH_INDEX = "each-index"
HEADER = "database-header"
GRANT = "grant-database"
ROLES = "role-lookup"


@dataclass(frozen=True)
class Reason:
    """Why the migration may make a difference: the rule that writes it, and in words."""

    rule: str
    text: str


EXPECTED: Mapping[str, Reason] = {
    GUARD: Reason("MLV210", "a guard asks for the collection, as Collection() did"),
    GUARD_PARTITION: Reason("MLV701", "a guard asks for the partition, as Partition() did"),
    INDEX_GUARD: Reason("MLV301", "a guard asks for the index that may be there already"),
    GUARDED_INDEX: Reason("MLV301", "the index was there, so it is not created again"),
    FLAT_INDEX: Reason("MLV301", "build parameters stand beside index_type, not under params"),
    ROW_DATA: Reason("MLV401", "rows instead of columns, with equal values in every field"),
    OUTPUT_FIELDS: Reason("MLV502", "the primary key is named where the ORM sent an empty list"),
    PROBE: Reason("MLV211", "describe_collection, where the ORM object knew the answer"),
    DROP_BY_NAME: Reason("MLV302", "the index goes by its own name, not by its field's"),
    ITERATOR: Reason("MLV503", "the client asks whether the server knows the newer iterator"),
    DATABASE: Reason("MLV901", "the client asks for the database before it uses it"),
    WAIT: Reason("MLV602", "no second wait for what had been waited for"),
    READ_BACK: Reason("MLV302", "an index that the program has just made is not read back"),
    EACH_INDEX: Reason("MLV302", "each index that was listed is described by itself"),
    HEADER: Reason("MLV604", "the client names its database even where none is meant"),
    GRANT: Reason("MLV801", "the client names the database of a grant a second time"),
    ROLES: Reason("MLV801", "one role is looked for among all, or described with its grants"),
}
# users, roles, resource groups and the server itself belong to no database
_WITHOUT_DATABASE = re.compile(
    r"Credential|Role$|SelectUser|ListCredUsers|ResourceGroup|^TransferNode$|GetVersion|CheckHealth"
)

_UNEQUAL = 1.0
_LEFT_OUT = 1.0
_ON_PURPOSE = 0.01
# beyond this many cells the alignment works block by block
_MOST_CELLS = 1_000_000


@dataclass(frozen=True)
class Change:
    """One field of a request that is not the same; ``path`` is its place in the payload."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same; ``before`` or ``after`` is None when it is missing there."""

    text: str
    before: Request | None = None
    after: Request | None = None
    changes: tuple[Change, ...] = ()

    @property
    def method(self) -> str:
        """The name of the request."""
        request = self.before or self.after
        assert request is not None
        return request.method


@dataclass(frozen=True)
class Accepted:
    """One difference that the migration makes on purpose; see ``EXPECTED`` for its name."""

    name: str
    before: Request | None = None
    after: Request | None = None


@dataclass(frozen=True)
class Comparison:
    """The verdict on two runs."""

    differences: tuple[Difference, ...]
    accepted: tuple[Accepted, ...]
    requests_before: int
    requests_after: int
    warnings_before: int
    warnings_after: int
    same_stdout: bool
    same_stderr: bool
    same_exit_status: bool
    # requests of both sides that were held against each other
    compared: int = 0

    @property
    def equal(self) -> bool:
        """Whether both sides sent the same requests, printed the same and ended the same."""
        return self.same_requests and self.same_output

    @property
    def same_requests(self) -> bool:
        """Whether both sides sent the same requests and ended the same."""
        return not self.differences and self.same_exit_status

    @property
    def same_output(self) -> bool:
        """Whether both sides printed the same."""
        return self.same_stdout and self.same_stderr

    @property
    def expected(self) -> dict[str, int]:
        """How often each named difference occurs."""
        return dict(sorted(Counter(accepted.name for accepted in self.accepted).items()))


@dataclass
class _Result:
    differences: list[Difference] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    compared: int = 0

    def accept(self, names: Iterable[str], old: _Item | None, new: _Item | None) -> None:
        requests = [None if item is None else item.request for item in (old, new)]
        self.accepted += [Accepted(name, *requests) for name in names]

    def add(self, other: _Result) -> None:
        self.differences += other.differences
        self.accepted += other.accepted
        self.compared += other.compared


@dataclass(frozen=True)
class _Item:
    """A request with what the alignment asks of it, computed once; ``key`` stands for all of it."""

    request: Request
    internal: bool
    plain: Mapping[str, Any]
    key: str
    collection: str

    @property
    def method(self) -> str:
        return self.request.method


@dataclass(frozen=True)
class Prepared:
    """A run with its requests in comparable form: the dear part of a comparison, done once."""

    run: Run
    items: tuple[_Item, ...]
    renamed: Mapping[str, str]


def prepare(run: Run, renamed: Mapping[str, str] | None = None) -> Prepared:
    """Bring a run into comparable form.

    ``renamed`` gives texts of this run that stand for texts of the one before: names that the
    program makes up anew in every run.
    """
    generated = normalise.name_generated_ids(run.recording.generated)
    return Prepared(run, tuple(_items(run, generated, renamed or {})), renamed or {})


def compare(before: Run | Prepared, after: Run | Prepared) -> Comparison:
    """Compare two runs.

    The primary keys that both recordings know are pooled, because either side may be the one that
    asked the server for a schema.
    """
    first = before if isinstance(before, Prepared) else prepare(before)
    second = after if isinstance(after, Prepared) else prepare(after)
    old, new, renamed = first.items, second.items, second.renamed
    before, after = first.run, second.run
    judge = _Judge(
        primaries={
            **before.recording.primaries,
            **{renamed.get(k, k): name for k, name in after.recording.primaries.items()},
        },
        following=_neighbours(new),
        listed=_listed(new),
        folded=_folded_waits(old),
        read_back=_read_back(old),
    )
    result = judge.run(old, new, before.recording, after.recording)
    return Comparison(
        differences=tuple(result.differences),
        accepted=tuple(result.accepted),
        requests_before=sum(not item.internal for item in old),
        requests_after=sum(not item.internal for item in new),
        warnings_before=len(before.recording.warnings),
        warnings_after=len(after.recording.warnings),
        same_stdout=printed(before, "stdout") == printed(after, "stdout", renamed),
        same_stderr=printed(before, "stderr") == printed(after, "stderr", renamed),
        same_exit_status=before.exit_status == after.exit_status,
        compared=result.compared,
    )


def printed(run: Run, stream: str, renamed: Mapping[str, str] | None = None) -> str:
    """The comparable form of what a run printed to ``stdout`` or ``stderr``."""
    names = normalise.name_generated_ids(run.recording.generated)
    text: str = getattr(run, stream)
    cleaned = output.clean(normalise.without_generated_ids(text, names))
    return normalise.rename_text(cleaned, renamed or {})


# -- streams ---------------------------------------------------------------------------------


def _items(run: Run, generated: Mapping[str, str], renamed: Mapping[str, str]) -> list[_Item]:
    by_stream: dict[tuple[int, str], list[Request]] = {}
    for request in run.recording.requests:
        by_stream.setdefault((request.process, request.thread), []).append(request)
    items = []
    for requests in by_stream.values():
        for request, plain in normalise.visible(requests, generated):
            plain = normalise.rename(plain, renamed)
            items.append(
                _Item(
                    request=request,
                    internal=normalise.is_internal(request),
                    plain=plain,
                    key=request.method + normalise.digest(plain),
                    collection=str(plain.get("collection_name", "")),
                )
            )
    return items


_Stream = list[_Item]


@dataclass(frozen=True)
class _Phase:
    """Streams that overlap in time; ``alone``: it is one stream, so its order counts."""

    items: _Stream
    alone: bool


def _by_content(item: _Item) -> tuple[str, str]:
    # nearly equal requests stand near each other
    return item.method, normalise.canonical(item.plain)


def _phases(items: Sequence[_Item], recording: Recording) -> tuple[_Stream, list[_Phase]]:
    """The stream of the main thread, and what ran beside it, cut into phases.

    The main thread is that of the first process. Where several processes that no recorded one
    started run at a time (jobs of a shell), there is none: which is first is chance.
    """
    streams: dict[tuple[int, str], _Stream] = {}
    for item in items:
        streams.setdefault((item.request.process, item.request.thread), []).append(item)
    main: _Stream = []
    roots = _roots(streams, recording)
    if all(earlier[2] < later[1] for earlier, later in pairwise(roots)):
        first = roots[0][0] if roots else 0
        main = streams.pop((first, "main"), [])
    phases: list[_Phase] = []
    end = -1
    for stream in sorted(streams.values(), key=lambda stream: stream[0].request.at):
        if phases and stream[0].request.at < end:
            phases[-1] = _Phase(phases[-1].items + stream, False)
        else:
            phases.append(_Phase(list(stream), True))
        end = max(end, stream[-1].request.at)
    return main, phases


def _roots(
    streams: Mapping[tuple[int, str], _Stream], recording: Recording
) -> list[tuple[int, int, int]]:
    """The processes that no recorded one started: (number, begin, end) of their whole families."""
    spans: dict[int, tuple[int, int]] = {}
    for (process, _), stream in streams.items():
        root = process
        while (parent := recording.parents.get(root)) is not None:
            root = parent
        begin, end = stream[0].request.at, stream[-1].request.at
        known = spans.get(root, (begin, end))
        spans[root] = (min(begin, known[0]), max(end, known[1]))
    found = [(root, begin, end) for root, (begin, end) in spans.items()]
    return sorted(found, key=lambda span: span[1])


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


def _listed(new: Iterable[_Item]) -> frozenset[int]:
    """The look-ups (by identity) of single indexes right behind a list of them all."""
    found: set[int] = set()
    after: dict[tuple[int, str], str] = {}
    for item in new:
        if item.internal:
            continue
        stream = (item.request.process, item.request.thread)
        asks = item.request.call_name if item.method == "DescribeIndex" else ""
        if asks == "list_indexes":
            after[stream] = item.collection
        elif asks == "describe_index" and after.get(stream) == item.collection:
            found.add(id(item))
        else:
            after.pop(stream, None)
    return frozenset(found)


_Pair = tuple["_Item | None", "_Item | None"]


@dataclass(frozen=True)
class _Judge:
    """What may differ, with what has to be known of the whole runs to say so."""

    primaries: Mapping[str, str]
    following: Mapping[int, _Item]
    listed: frozenset[int]
    folded: frozenset[int]
    read_back: frozenset[int]

    def run(
        self, old: Sequence[_Item], new: Sequence[_Item], before: Recording, after: Recording
    ) -> _Result:
        """Compare two runs, stream by stream."""
        old_main, old_rest = _phases(old, before)
        new_main, new_rest = _phases(new, after)
        result = self.compare(old_main, new_main)
        phased = _Result()
        if len(old_rest) == len(new_rest):
            for left, right in zip(old_rest, new_rest, strict=True):
                if left.alone and right.alone:
                    phased.add(self.compare(left.items, right.items))
                else:
                    phased.add(self.compare_unordered(left.items, right.items))
            if not phased.differences or all(p.alone for p in (*old_rest, *new_rest)):
                result.add(phased)
                return result
        # what overlaps is the scheduler's choice: then everything beside the main thread is one
        pooled = self.compare_unordered(
            [item for phase in old_rest for item in phase.items],
            [item for phase in new_rest for item in phase.items],
        )
        fewer = len(pooled.differences) <= len(phased.differences)
        result.add(pooled if fewer or len(old_rest) != len(new_rest) else phased)
        return result

    def compare_unordered(self, old: _Stream, new: _Stream) -> _Result:
        """What streams of which the order does not count come to."""
        return self.compare(sorted(old, key=_by_content), sorted(new, key=_by_content))

    def compare(self, old: Sequence[_Item], new: Sequence[_Item]) -> _Result:
        """What one stream comes to."""
        result = _Result()
        for left, right in self.align(old, [item for item in new if not item.internal]):
            if left is not None and right is not None:
                result.compared += 1
                names = self.pair(left, right)
                if names is None:
                    result.differences.append(_unequal(left, right))
                else:
                    result.accept(names, left, right)
            elif left is not None:
                if id(left) in self.folded:
                    result.accept([WAIT], left, None)
                elif id(left) in self.read_back:
                    result.accept([READ_BACK], left, None)
                elif not left.internal:
                    text = f"only before: {_describe(left)}"
                    result.differences.append(Difference(text, before=left.request))
            elif right is not None:
                name = self.alone(right)
                if name is None:
                    text = f"only after: {_describe(right)}"
                    result.differences.append(Difference(text, after=right.request))
                else:
                    result.accept([name], None, right)
        return result

    def align(self, old: Sequence[_Item], new: Sequence[_Item]) -> list[_Pair]:
        """Pair requests so that as little as possible is different (edit distance)."""
        pairs = self._common(old, new)
        old, new = (
            side[sum(pair[place] is not None for pair in pairs) :]
            for place, side in ((0, old), (1, new))
        )
        cut = self._cut(old, new)
        if cut is not None:
            i, j = cut
            return [
                *pairs,
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

    def _common(self, old: Sequence[_Item], new: Sequence[_Item]) -> list[_Pair]:
        """The pairs that both sides begin with: most runs are equal, and need no more."""
        pairs: list[_Pair] = []
        i = j = 0
        while i < len(old) and j < len(new):
            if not old[i].internal and self._pair_cost(old[i], new[j]) < _ON_PURPOSE:
                pairs.append((old[i], new[j]))
                j += 1
            elif old[i].internal and old[i].key != new[j].key:
                pairs.append((old[i], None))
            else:
                break
            i += 1
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
        names: list[str] = _database_names(old.method, left, right)
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
        elif old.method == "SelectRole" and _calls(old, new) == ("is_exist", "list_roles"):
            left.pop("role", None)
            names.append(ROLES)
        return names if names and left == right else None

    def alone(self, item: _Item) -> str | None:
        """The name under which a request may be there after the migration only."""
        later = self.following.get(id(item))
        if _is_index_guard(item) and later is not None and later.method == "CreateIndex":
            return INDEX_GUARD if _same_place(item, later) else None
        if id(item) in self.listed:
            return EACH_INDEX
        if item.method == "DescribeCollection" and item.request.call_name == "describe_collection":
            return PROBE
        if item.method == "DescribeDatabase" and item.request.call_name == "use_database":
            return DATABASE
        if item.method == "SelectRole" and item.request.call_name == "describe_role":
            return ROLES
        return ITERATOR if _is_iterator_probe(item) else None


# -- what may differ -------------------------------------------------------------------------


def _guard_name(old: _Item, new: _Item) -> str | None:
    """The name under which a question may take the place of pymilvus' own look-up."""
    asks = new.request.call_name
    if asks == "has_collection":
        return GUARD
    if asks == "has_partition":
        return GUARD_PARTITION
    if asks in ("describe_index", "list_indexes"):
        return DROP_BY_NAME if old.request.call_name == "drop_index" else None
    return PROBE if asks == "describe_collection" else None


def _shape_names(old: _Item, new: _Item) -> list[str]:
    if old.method not in ("Insert", "Upsert"):
        return []
    left, right = (side.request.payload.get("fields_data") for side in (old, new))
    return [] if left == right else [ROW_DATA]


def _database_names(method: str, left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Take the client's database away where it says nothing new; the ORM sends none there."""
    if left["(database)"] == right["(database)"] or left["(database)"] != "default":
        return []
    entity = right.get("entity")
    if isinstance(entity, Mapping) and entity.get("db_name") == right["(database)"]:
        name = GRANT
    elif _WITHOUT_DATABASE.search(method):
        name = HEADER
    else:
        return []
    del left["(database)"], right["(database)"]
    return [name]


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


def _calls(old: _Item, new: _Item) -> tuple[str, str]:
    return old.request.call_name, new.request.call_name


def _same_place(old: _Item, new: _Item) -> bool:
    where = ("collection_name", "(database)", "(server)", "(credentials)")
    return all(old.plain.get(name) == new.plain.get(name) for name in where)


# -- words -----------------------------------------------------------------------------------


def _describe(item: _Item) -> str:
    of = f"({item.collection!r})" if item.collection else ""
    call = item.request.call.rpartition(":")[2]
    return f"{item.method}{of} by {call} at {item.request.place}"


def _without_shape(item: _Item) -> Mapping[str, Any]:
    """A request in the shape that both sides share, so that only what counts is named."""
    plain = dict(item.plain)
    if item.method == "CreateIndex":
        plain["extra_params"] = normalise.index_parameters(plain.get("extra_params", {}))
    elif item.method in ("Insert", "Upsert"):
        plain["fields_data"] = normalise.without_empty_dynamic_data(plain["fields_data"])
    return plain


def _unequal(old: _Item, new: _Item) -> Difference:
    changes = tuple(
        Change(path, left, right)
        for path, left, right in _changes(_without_shape(old), _without_shape(new), "")
    )
    paths = [f"{c.path}: {short(c.before)} -> {short(c.after)}" for c in changes]
    text = f"{_describe(old)} / {new.request.place}: " + "; ".join(paths[:6])
    if len(paths) > 6:
        text += f"; and {len(paths) - 6} more"
    return Difference(text, before=old.request, after=new.request, changes=changes)


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


def short(value: Any) -> str:
    """A value in at most a hundred characters."""
    text = value if value is _ABSENT else repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
