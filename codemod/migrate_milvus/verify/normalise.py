"""Bring a request into the form in which two of them can be compared.

Only what cannot matter to Milvus is taken away, and this module is the whole list of it:
the greeting (``Connect``) and look-ups that pymilvus makes for itself are left out; polls of the
same state are one poll; lists of key-value pairs are maps; the databases ``""`` and ``default`` are
the same one; time stamps that the client takes from the clock are masked.
"""

from __future__ import annotations

import base64
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
_MASKED = "(clock)"


def is_internal(request: Request) -> bool:
    """Whether pymilvus made this look-up for itself, not because the program asked."""
    return request.method in INTERNAL_METHODS and not _ASKS.search(request.call_name)


def is_poll(request: Request) -> bool:
    """Whether a repetition of this request only means that the program waited."""
    if request.method in _POLLED:
        return True
    return request.method == "DescribeIndex" and request.call_name.startswith("wait_for")


def plain(request: Request) -> dict[str, Any]:
    """Return the comparable form of a request, where and how it is sent included."""
    value = _clean(request.payload)
    assert isinstance(value, dict)
    if request.method in ("Insert", "Upsert"):
        value["fields_data"] = _fields(request.payload.get("fields_data", ()))
    database = request.database or str(value.get("db_name", ""))
    value.pop("db_name", None)
    if request.method not in ("CreateDatabase", "DropDatabase", "DescribeDatabase", "AlterDatabase"):
        value["(database)"] = database or "default"
    else:
        value["db_name"] = str(request.payload.get("db_name", ""))
    value["(server)"] = request.target
    if request.secure:
        value["(tls)"] = True
    if request.credentials:
        value["(credentials)"] = request.credentials
    return value


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"$bytes"}:
            return _bytes(value["$bytes"])
        return {key: _field(key, item) for key, item in value.items()}
    if isinstance(value, list):
        if value and all(_is_pair(item) for item in value):
            return {item["key"]: _text(item.get("value", "")) for item in value}
        return [_clean(item) for item in value]
    return value


def _field(key: str, value: Any) -> Any:
    if key == "schema_timestamp":
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


def visible(requests: Sequence[Request]) -> list[Request]:
    """The requests of one stream, without greetings and with repeated polls as one."""
    kept: list[Request] = []
    last = ""
    for request in requests:
        if request.method == "Connect":
            continue
        if is_internal(request):
            kept.append(request)
            continue
        now = request.method + canonical(plain(request)) if is_poll(request) else ""
        if not now or now != last:
            kept.append(request)
        last = now
    return kept
