"""Bring a request into the form in which two of them can be compared.

Only what cannot matter to Milvus is taken away, and this module is the whole list of it:
the greeting (``Connect``) and look-ups that pymilvus makes for itself are left out; polls of the
same state are one poll; lists of key-value pairs are maps; the databases ``""`` and ``default`` are
the same one; time stamps that the client takes from the clock are masked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from migrate_milvus.verify.trace import Request

# Look-ups that pymilvus may make on its own behalf. Only these can be internal.
INTERNAL_METHODS = frozenset(
    {
        "AllocTimestamp",
        "DescribeCollection",
        "DescribeIndex",
        "GetFlushState",
        "GetLoadingProgress",
        "HasPartition",
    }
)
_POLLED = frozenset(
    {
        "GetCompactionState",
        "GetFlushState",
        "GetImportState",
        "GetIndexBuildProgress",
        "GetIndexState",
        "GetLoadState",
        "GetLoadingProgress",
    }
)
# A pymilvus call with such a name asks a question, so its requests are the program's own.
_ASKS = re.compile(
    r"^(has|describe|list|get|wait)(_|$)|_(state|stats|progress|version)$"
    r"|^(index|indexes|partition|partitions|aliases|num_entities|is_empty|is_exist)$"
)
_LONG_NUMBER = re.compile(r"(?<!\d)\d{12,}(?!\d)")
_MASKED = "(clock)"
# keys whose values come from a clock or from the server, never from the program
_CLOCK_KEYS = frozenset(
    {"collection_id", "iterator_session_ts", "schema_timestamp", "search_iter_id"}
)


def is_internal(request: Request) -> bool:
    """Whether pymilvus made this look-up for itself, not because the program asked.

    No pymilvus call lets a program ask for a time stamp, so ``AllocTimestamp`` always is.
    """
    if request.method == "AllocTimestamp":
        return True
    return request.method in INTERNAL_METHODS and not _ASKS.search(request.call_name)


def is_poll(request: Request) -> bool:
    """Whether a repetition of this request only means that the program waited."""
    if request.method in _POLLED:
        return True
    return request.method == "DescribeIndex" and request.call_name.startswith("wait_for")


def without_generated_ids(text: str, generated: Mapping[str, str]) -> str:
    """Replace the primary keys that the server made up by their order of appearance.

    A server takes them from its clock, so two runs never get the same ones.
    """
    if not generated:
        return text
    return _LONG_NUMBER.sub(lambda found: generated.get(found.group(), found.group()), text)


def name_generated_ids(ids: Iterable[int]) -> dict[str, str]:
    """Names for generated keys, long ones only: a short one may be anything else in a text."""
    long = [str(number) for number in ids if _LONG_NUMBER.fullmatch(str(number))]
    return {number: f"(id {place})" for place, number in enumerate(dict.fromkeys(long))}


def plain(request: Request, generated: Mapping[str, str]) -> dict[str, Any]:
    """Return the comparable form of a request, where and how it is sent included."""
    value = _clean(request.payload)
    assert isinstance(value, dict)
    if request.method in ("Insert", "Upsert"):
        value["fields_data"] = _fields(request.payload.get("fields_data", ()))
    database = request.database or str(value.get("db_name", ""))
    value.pop("db_name", None)
    if request.method not in (
        "CreateDatabase",
        "DropDatabase",
        "DescribeDatabase",
        "AlterDatabase",
    ):
        value["(database)"] = database or "default"
    else:
        value["db_name"] = str(request.payload.get("db_name", ""))
    value["(server)"] = request.target
    if request.secure:
        value["(tls)"] = True
    if request.credentials:
        value["(credentials)"] = request.credentials
    return _rename(value, generated) if generated else value


def rename_text(text: str, renamed: Mapping[str, str]) -> str:
    """Replace the texts that ``renamed`` gives other names, wherever they stand."""
    for found, name in renamed.items():
        text = text.replace(found, name)
    return text


def rename(value: Any, renamed: Mapping[str, str]) -> Any:
    """The same in every text of a comparable form."""
    if not renamed:
        return value
    if isinstance(value, Mapping):
        return {rename_text(key, renamed): rename(item, renamed) for key, item in value.items()}
    if isinstance(value, list):
        return [rename(item, renamed) for item in value]
    return rename_text(value, renamed) if isinstance(value, str) else value


def _rename(value: Any, generated: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _rename(item, generated) for key, item in value.items()}
    if isinstance(value, list):
        return [_rename(item, generated) for item in value]
    if isinstance(value, str):
        return without_generated_ids(value, generated)
    if isinstance(value, int) and not isinstance(value, bool):
        return generated.get(str(value), value)
    return value


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"$bytes"}:
            return _bytes(value["$bytes"])
        return {key: _field(key, item) for key, item in value.items()}
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        if _are_numbers(value):
            return value  # the most there is, and nothing to do
        if value and all(_is_pair(item) for item in value):
            return {item["key"]: _field(item["key"], item.get("value", "")) for item in value}
        return [_clean(item) for item in value]
    return value


def _are_numbers(values: list[Any]) -> bool:
    return set(map(type, values)) <= {int, float}


def _field(key: str, value: Any) -> Any:
    if key in _CLOCK_KEYS:
        return _MASKED
    if key == "guarantee_timestamp" and isinstance(value, int) and value > 2:
        return _MASKED
    return _clean(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, Mapping) and "key" in value and set(value) <= {"key", "value"}


def _text(value: Any) -> Any:
    """A value that holds JSON as the JSON, so that the order of its keys does not count."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _bytes(encoded: str) -> Any:
    raw = base64.b64decode(encoded)
    try:
        return _text(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return {"$bytes": encoded}


def _fields(fields: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Field data by name: neither the order of the fields nor their numbers say anything."""
    named: dict[str, Any] = {}
    for field in fields:
        cleaned = _clean(field)
        cleaned.pop("field_id", None)
        name = cleaned.pop("field_name", "") or ("$meta" if cleaned.get("is_dynamic") else "")
        named[name] = cleaned
    return named


def without_empty_dynamic_data(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Field data without a dynamic field that holds nothing in any row.

    pymilvus adds it to rows of a schema with dynamic fields, and not to columns.
    """
    return {
        name: held
        for name, held in fields.items()
        if not held.get("is_dynamic")
        or any(held.get("scalars", {}).get("json_data", {}).get("data", [None]))
    }


def index_parameters(value: Mapping[str, Any]) -> dict[str, str]:
    """Index parameters without the ``params`` level, which only the ORM writes."""
    flat: dict[str, str] = {}
    for key, item in value.items():
        if key == "params" and isinstance(item, Mapping):
            flat.update({inner: _scalar(held) for inner, held in item.items()})
        else:
            flat[key] = _scalar(item)
    return flat


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return {"True": "true", "False": "false"}.get(value, value)
    return json.dumps(value, sort_keys=True)


def canonical(value: Mapping[str, Any]) -> str:
    """A text that is equal when two comparable forms are."""
    return json.dumps(value, sort_keys=True, default=str)


def digest(value: Mapping[str, Any]) -> str:
    """A short text that is equal when two comparable forms are."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=16).hexdigest()


def visible(
    requests: Sequence[Request], generated: Mapping[str, str]
) -> list[tuple[Request, dict[str, Any]]]:
    """The requests of one stream and their comparable forms.

    Greetings are left out and repeated polls are one; internal look-ups are still there.
    """
    kept: list[tuple[Request, dict[str, Any]]] = []
    last = ""
    for request in requests:
        if request.method == "Connect":
            continue
        form = plain(request, generated)
        if is_internal(request):
            kept.append((request, form))
            continue
        now = request.method + canonical(form) if is_poll(request) else ""
        if not now or now != last:
            kept.append((request, form))
        last = now
    return kept
