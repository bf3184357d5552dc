"""Record what a program sends to Milvus, from below pymilvus and without changing the program.

Loaded by ``hook/sitecustomize.py`` in the process of the program, so this file stands alone: the
standard library only, any Python from 3.8 on, any pymilvus. It is told what to do by environment
variables, read when they are needed so that a forked child can have its own:

``MIGRATE_MILVUS_RECORD``  folder for the recordings, one file of JSON lines per process
``MIGRATE_MILVUS_SERVER``  address that every pymilvus connection is sent to (else unchanged):
                           ``host:port`` of an embedded server, or a URI of a real one
``MIGRATE_MILVUS_SALT``    key for the fingerprints that stand for credentials
``MIGRATE_MILVUS_TREE``    folder of the project that must not be imported from, because its copy
``MIGRATE_MILVUS_COPY``    runs, which stands here
``MIGRATE_MILVUS_SEED``    if set, random numbers and uuids are the same in every run

The channel functions of grpc are replaced, so the recorder sits under pymilvus' interceptors and
sees the final metadata. A credential is stored only as a keyed fingerprint: two runs with the same
key can be compared, the secret itself cannot be read back.
"""

from __future__ import annotations

import atexit
import base64
import binascii
import hashlib
import hmac
import itertools
import json
import os
import struct
import sys
import sysconfig
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType

    # protobuf messages and grpc objects: whatever versions the program has
    Message = Any
    MultiCallable = Any
    Channel = Any
    Wrap = Callable[[MultiCallable, "_Connection", str], MultiCallable]

RECORD = "MIGRATE_MILVUS_RECORD"
SERVER = "MIGRATE_MILVUS_SERVER"
SALT = "MIGRATE_MILVUS_SALT"
TREE = "MIGRATE_MILVUS_TREE"
COPY = "MIGRATE_MILVUS_COPY"
SEED = "MIGRATE_MILVUS_SEED"

_SERVICE = "/milvus.proto.milvus.MilvusService/"
_WARNING = "PyMilvusDeprecationWarning"
_SECRETS = frozenset(
    {"password", "oldPassword", "newPassword", "old_password", "new_password", "token"}
)
# pymilvus waits at least this long between polls of a server that answers at once
_LONGEST_SLEEP = 0.02

# bytes fields that hold another message: (module of pymilvus.grpc_gen, message)
_NESTED = {
    ("CreateCollectionRequest", "schema"): ("schema_pb2", "CollectionSchema"),
    ("AddCollectionFieldRequest", "schema"): ("schema_pb2", "FieldSchema"),
    ("SearchRequest", "placeholder_group"): ("common_pb2", "PlaceholderGroup"),
}


class _Output:
    """The recording of this process; a fork gets a file of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[int, str] | None = None
        self._fd = -1
        self._threads: dict[int, int] = {}
        self._salt = os.urandom(16)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def _open(self) -> int:
        folder = os.environ.get(RECORD, "")
        key = (os.getpid(), folder)
        if key == self._key:
            return self._fd
        if not folder:
            return -1
        if self._fd >= 0 and self._key is not None and self._key[0] == os.getpid():
            os.close(self._fd)
        path = os.path.join(folder, f"{time.time_ns()}-{os.getpid()}.jsonl")
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._key = key
        self._threads = {}
        self._put({"kind": "process", "pid": os.getpid(), "parent": os.getppid()})
        return self._fd

    def _put(self, entry: dict[str, Any]) -> None:
        data = (json.dumps(entry, separators=(",", ":"), default=str) + "\n").encode()
        while data:
            data = data[os.write(self._fd, data) :]

    def begin(self) -> None:
        """Note that this process is there, whatever it does: the order of processes counts."""
        with self._lock:
            self._open()

    def write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            if self._open() >= 0:
                ident = threading.get_ident()
                number = self._threads.setdefault(ident, len(self._threads))
                main = threading.current_thread() is threading.main_thread()
                entry["thread"] = "main" if main else f"thread-{number}"
                entry["at"] = time.monotonic_ns()
                self._put(entry)

    def fingerprint(self, secret: object) -> str:
        """A keyed digest that stands for a secret."""
        salt = os.environ.get(SALT, "").encode() or self._salt
        text = secret if isinstance(secret, bytes) else str(secret).encode()
        return "hidden:" + hmac.new(salt, text, hashlib.sha256).hexdigest()[:12]


_output = _Output()


# -- where a call came from ------------------------------------------------------------------


def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [paths.get(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple({os.path.realpath(folder) + os.sep for folder in folders if folder})


_LIBRARIES = _library_folders()
_OWN = os.path.dirname(os.path.realpath(__file__)) + os.sep
_is_user_file: dict[str, bool] = {}


def _user_file(name: str) -> bool:
    """Whether a file is the user's own code: not Python's, not installed, not ours."""
    known = _is_user_file.get(name)
    if known is None:
        real = os.path.realpath(name)
        known = not (
            name.startswith("<")
            or real.startswith(_LIBRARIES)
            or real.startswith(_OWN)
            or "site-packages" in real
            or "dist-packages" in real
        )
        _is_user_file[name] = known
    return known


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _call_name(frame: FrameType) -> str:
    code = frame.f_code
    name = getattr(code, "co_qualname", None)
    if name is None:
        owner = frame.f_locals.get("self")
        name = code.co_name if owner is None else type(owner).__name__ + "." + code.co_name
    return _module(frame) + ":" + str(name)


def _caused_by(frame: FrameType | None) -> tuple[str, str, int]:
    """The outermost pymilvus call, and the line of the user's code that made it."""
    outermost = None
    while frame is not None:
        module = _module(frame)
        if module.split(".", 1)[0] == "pymilvus":
            if module != "pymilvus.decorators":
                outermost = frame
        elif _user_file(frame.f_code.co_filename):
            break
        frame = frame.f_back
    call = "" if outermost is None else _call_name(outermost)
    if frame is None:
        return call, "", 0
    return call, frame.f_code.co_filename, frame.f_lineno


# -- messages as plain dicts -------------------------------------------------------------------


def _plain_bytes(value: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(value).decode()}


def _vectors(group: Message) -> dict[str, Any]:
    """A placeholder group with its float vectors as numbers (the other types stay bytes)."""
    from pymilvus.grpc_gen import common_pb2

    holders = []
    for holder in group.placeholders:
        values: list[Any] = [_plain_bytes(value) for value in holder.values]
        if holder.type == common_pb2.PlaceholderType.FloatVector:
            values = [list(struct.unpack(f"<{len(v) // 4}f", v)) for v in holder.values]
        elif holder.type == common_pb2.PlaceholderType.VarChar:
            values = [value.decode("utf-8", "replace") for value in holder.values]
        holders.append({"tag": holder.tag, "type": holder.type, "values": values})
    return {"placeholders": holders}


def _nested(message: Message, field: Any, value: bytes) -> Any:
    found = _NESTED.get((message.DESCRIPTOR.name, field.name))
    if found is None or not value:
        return _plain_bytes(value)
    try:
        module = __import__("pymilvus.grpc_gen." + found[0], fromlist=[found[1]])
        inner = getattr(module, found[1]).FromString(value)
        return _vectors(inner) if found[1] == "PlaceholderGroup" else to_plain(inner)
    except Exception:  # an unknown encoding is still comparable as bytes
        return _plain_bytes(value)


def _value(message: Message, field: Any, value: Any) -> Any:
    if field.cpp_type == field.CPPTYPE_MESSAGE:
        return to_plain(value)
    if field.name in _SECRETS:
        return _output.fingerprint(value)
    if field.type == field.TYPE_BYTES:
        return _nested(message, field, value)
    if field.cpp_type == field.CPPTYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return value if known is None else known.name
    return value


def to_plain(message: Message) -> dict[str, Any]:
    """Return the set fields of a protobuf message as a dict of plain values."""
    plain: dict[str, Any] = {}
    for field, value in message.ListFields():
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            held = entry.fields_by_name["value"]
            plain[field.name] = {str(k): _value(message, held, value[k]) for k in value}
        elif hasattr(value, "append") or hasattr(value, "add"):
            plain[field.name] = [_value(message, field, item) for item in value]
        else:
            plain[field.name] = _value(message, field, value)
    return plain


# -- the channel ----------------------------------------------------------------------------


class _Connection:
    """Where the program wanted to connect to."""

    def __init__(self, target: str, secure: bool) -> None:
        self.target = target
        self.secure = secure


def _record_request(
    connection: _Connection,
    method: str,
    request: Message,
    metadata: Sequence[tuple[str, str | bytes]] | None,
) -> None:
    if not method.startswith(_SERVICE):
        return
    try:
        name = method[len(_SERVICE) :]
        call, path, line = _caused_by(sys._getframe(2))
        _note_library()
        entry: dict[str, Any] = {
            "kind": "request",
            "method": name,
            "call": call,
            "file": path,
            "line": line,
        }
        entry["target"] = connection.target
        if connection.secure:
            entry["secure"] = True
        for key, value in metadata or ():
            if key == "dbname":
                entry["dbname"] = value.decode() if isinstance(value, bytes) else value
            elif key == "authorization":
                entry["credentials"] = _output.fingerprint(value)
        # a greeting with the user's name and host: nothing in it is the program's doing
        entry["request"] = {} if name == "Connect" else to_plain(request)
        _output.write(entry)
    except Exception as error:  # the program must go on; the reader treats this as a failure
        _output.write({"kind": "failure", "method": method, "message": repr(error)})


_noted: set[int] = set()


def _note_library() -> None:
    if os.getpid() not in _noted:
        _noted.add(os.getpid())
        version = str(getattr(sys.modules.get("pymilvus"), "__version__", ""))
        _output.write({"kind": "library", "version": version})


def _record_answer(method: str, request: Message, answer: Message) -> None:
    """Keep what the requests alone do not tell.

    The primary key's name says what an empty field list stood for; keys that the server made up
    differ from run to run.
    """
    name = method[len(_SERVICE) :]
    try:
        if name == "DescribeCollection":
            _record_schema(request, answer)
        elif name in ("Insert", "Upsert") and answer.IDs.int_id.data:
            _output.write({"kind": "keys", "keys": list(answer.IDs.int_id.data)})
    except Exception as error:
        _output.write({"kind": "failure", "method": method, "message": repr(error)})


def _record_schema(request: Message, answer: Message) -> None:
    for field in answer.schema.fields:
        if field.is_primary_key:
            known = {request.collection_name, answer.collection_name or answer.schema.name}
            _output.write(
                {"kind": "schema", "collections": sorted(known - {""}), "primary": field.name}
            )


def _watch_result(future: Any, method: str, request: Message) -> Any:
    """Note the answer when the program asks for it, before it goes on."""
    real = future.result

    def result(*args: Any, **kwargs: Any) -> Message:
        answer = real(*args, **kwargs)
        _record_answer(method, request, answer)
        return answer

    future.result = result
    return future


def _multi_callable(real: MultiCallable, connection: _Connection, method: str) -> MultiCallable:
    class Recording:
        """A multi-callable that notes each request and passes it on."""

        def __call__(
            self, request: Message, timeout: Any = None, metadata: Any = None, **rest: Any
        ) -> Message:
            _record_request(connection, method, request, metadata)
            answer = real(request, timeout=timeout, metadata=metadata, **rest)
            _record_answer(method, request, answer)
            return answer

        def with_call(
            self, request: Message, timeout: Any = None, metadata: Any = None, **rest: Any
        ) -> tuple[Message, Any]:
            _record_request(connection, method, request, metadata)
            answer, call = real.with_call(request, timeout=timeout, metadata=metadata, **rest)
            _record_answer(method, request, answer)
            return answer, call

        def future(
            self, request: Message, timeout: Any = None, metadata: Any = None, **rest: Any
        ) -> Any:
            _record_request(connection, method, request, metadata)
            future = real.future(request, timeout=timeout, metadata=metadata, **rest)
            return _watch_result(future, method, request)

    return Recording()


def _async_multi_callable(
    real: MultiCallable, connection: _Connection, method: str
) -> MultiCallable:
    def call(request: Message, *, metadata: Any = None, **rest: Any) -> Any:
        _record_request(connection, method, request, metadata)
        return real(request, metadata=metadata, **rest)

    return call


def _watch(channel: Channel, connection: _Connection, wrap: Wrap) -> Channel:
    """Make a channel's calls go through the recorder (the channel itself stays what it is)."""
    real = channel.unary_unary

    def unary_unary(method: str, *args: Any, **kwargs: Any) -> MultiCallable:
        return wrap(real(method, *args, **kwargs), connection, method)

    channel.unary_unary = unary_unary
    return channel


def _is_pymilvus(frame: FrameType) -> bool:
    return _module(frame).split(".", 1)[0] == "pymilvus"


def _grpc() -> Any:
    import grpc

    return grpc


def _replace_channels(module: Any, wrap: Wrap) -> None:
    insecure, secure = module.insecure_channel, module.secure_channel

    def with_options(kwargs: dict[str, Any]) -> dict[str, Any]:
        # the machine's proxy settings are for the outside world
        options = [*(kwargs.pop("options", None) or ()), ("grpc.enable_http_proxy", 0)]
        return dict(kwargs, options=options)

    def redirected(server: str, kwargs: dict[str, Any], credentials: Any = None) -> Channel:
        scheme, found, rest = server.rpartition("://")
        if not found:
            return insecure(server, **with_options(kwargs))
        if scheme == "https":
            # what the program trusts and shows of itself, if it speaks TLS on its own
            return secure(rest, credentials or _grpc().ssl_channel_credentials(), **kwargs)
        return insecure(rest, **kwargs)

    def insecure_channel(target: str, *args: Any, **kwargs: Any) -> Channel:
        server = os.environ.get(SERVER)
        if not _is_pymilvus(sys._getframe(1)):
            return insecure(target, *args, **kwargs)
        if not server:
            return _watch(insecure(target, *args, **kwargs), _Connection(target, False), wrap)
        return _watch(redirected(server, kwargs), _Connection(target, False), wrap)

    def secure_channel(target: str, credentials: Any, *args: Any, **kwargs: Any) -> Channel:
        server = os.environ.get(SERVER)
        if not _is_pymilvus(sys._getframe(1)):
            return secure(target, credentials, *args, **kwargs)
        if not server:
            channel = secure(target, credentials, *args, **kwargs)
            return _watch(channel, _Connection(target, True), wrap)
        channel = redirected(server, kwargs, credentials)
        return _watch(channel, _Connection(target, True), wrap)

    module.insecure_channel = insecure_channel
    module.secure_channel = secure_channel


# -- modules that are changed as they are imported ----------------------------------------------


class _Stand:
    """A module's stand-in: everything of the real one, but for what is given."""

    def __init__(self, real: Any, **changed: Any) -> None:
        self._real = real
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _patch_grpc(module: Any) -> None:
    _replace_channels(module, _multi_callable)
    aio = getattr(module, "aio", None)
    if aio is not None:
        _replace_channels(aio, _async_multi_callable)


def _embedded() -> bool:
    """Whether the server answers at once, because it is on this machine and has next to no data."""
    server = os.environ.get(SERVER, "")
    return bool(server) and "://" not in server


def _patch_waiting(module: Any) -> None:
    if not _embedded():
        return
    real_time = getattr(module, "time", None)
    if real_time is not None and hasattr(real_time, "sleep"):

        def sleep(seconds: float) -> None:
            time.sleep(min(seconds, _LONGEST_SLEEP))

        module.time = _Stand(real_time, sleep=sleep)
    real_asyncio = getattr(module, "asyncio", None)
    if real_asyncio is not None:

        def asleep(delay: float, *args: Any, **kwargs: Any) -> Any:
            return real_asyncio.sleep(min(delay, _LONGEST_SLEEP), *args, **kwargs)

        module.asyncio = _Stand(real_asyncio, sleep=asleep)


def _patch_warnings(module: Any) -> None:
    """Count every emission, whatever filters the program has set."""
    real = getattr(module, "warnings", None)
    if real is None:
        return

    def warn(
        message: Any, category: Any = None, stacklevel: int = 1, *args: Any, **kwargs: Any
    ) -> None:
        if getattr(category, "__name__", "") == _WARNING:
            try:
                frame = sys._getframe(stacklevel)
                file, line = frame.f_code.co_filename, frame.f_lineno
            except ValueError:
                file, line = "", 0
            _output.write({"kind": "warning", "message": str(message), "file": file, "line": line})
        real.warn(message, category, stacklevel + 1, *args, **kwargs)

    module.warnings = _Stand(real, warn=warn)


def _patch_lite(module: Any) -> None:
    """A program that opens its own Milvus Lite file is given the server, too."""
    if not os.environ.get(SERVER):
        return
    manager = getattr(module, "server_manager_instance", None)
    if manager is not None:

        def start_and_get_uri(path: str, *args: Any, **kwargs: Any) -> str:
            number = binascii.crc32(os.path.basename(os.path.abspath(path)).encode()) % 40000
            return f"http://127.0.0.1:{20000 + number}"

        manager.start_and_get_uri = start_and_get_uri


# -- the same random numbers in every run ---------------------------------------------------------


_seed: list[int] = []


def _own_seed() -> int:
    """A seed of this process: the same in both runs, another one in the next process of a run."""
    if not _seed:
        number = 0
        while True:
            try:
                path = os.path.join(os.environ.get(RECORD, ""), f"seed-{number}")
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                break
            except FileExistsError:
                number += 1
            except OSError:
                break
        _seed.append(number)
    return _seed[0]


def _patch_random(module: Any) -> None:
    if os.environ.get(SEED):
        module.seed(_own_seed())


def _patch_numpy_random(module: Any) -> None:
    if not os.environ.get(SEED):
        return
    module.seed(_own_seed())
    real = module.default_rng
    made = itertools.count()

    def default_rng(seed: Any = None) -> Any:
        return real([_own_seed(), next(made)] if seed is None else seed)

    module.default_rng = default_rng


def _patch_uuid(module: Any) -> None:
    # a real server keeps what the first run made: there, names must go on being new
    if not os.environ.get(SEED) or not _embedded():
        return
    import random

    source = random.Random(_own_seed())

    def uuid4() -> Any:
        return module.UUID(int=source.getrandbits(128), version=4)

    module.uuid4 = uuid4


def seed_again() -> None:
    """Seed what is imported already: for a fork of a process that was started without a seed."""
    for name, patch in _SEEDED.items():
        if name in sys.modules:
            patch(sys.modules[name])


_SEEDED = {"numpy.random": _patch_numpy_random, "random": _patch_random, "uuid": _patch_uuid}
_PATCHES = {
    "grpc": _patch_grpc,
    "milvus_lite.server_manager": _patch_lite,
    "pymilvus.client.async_grpc_handler": _patch_waiting,
    "pymilvus.client.grpc_handler": _patch_waiting,
    "pymilvus.decorators": _patch_warnings,
    **_SEEDED,
}


class _Loader:
    def __init__(self, real: Any, patch: Callable[[Any], None]) -> None:
        self._real = real
        self._patch = patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._real.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        self._patch(module)


class _Finder:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        patch = _PATCHES.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                loader: Any = _Loader(spec.loader, patch)
                spec.loader = loader
                return spec
        return None


def _note_foreign_modules() -> None:
    """A program that imports from the project instead of from its copy proves nothing."""
    tree = os.environ.get(TREE, "") + os.sep
    files = {str(getattr(module, "__file__", "")) for module in list(sys.modules.values())}
    foreign = sorted(file for file in files if file.startswith(tree) and _user_file(file))
    if foreign:
        _output.write({"kind": "foreign", "files": foreign})


def install() -> None:
    """Record from now on: patch what is imported already, and the rest when it is imported."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name, patch in _PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
    finder: Any = _Finder()
    sys.meta_path.insert(0, finder)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_output.after_fork)
    try:
        _output.begin()
    except OSError:  # no folder to record into: the reader will find nothing
        return
    if os.environ.get(TREE):
        atexit.register(_note_foreign_modules)
