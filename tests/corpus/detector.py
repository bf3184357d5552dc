"""Find every use of the pymilvus ORM in a tree of Python files, without the codemod's help.

It stands on the standard library's ``ast`` and a small abstract interpretation of its own, and
shares no code and no list with ``codemod/`` or ``rules/``. It errs on the side of finding: a value
that *may* be an ORM object counts.

What counts as one site
-----------------------
* a call of an ORM class (``Collection(...)``, also ``pymilvus.Collection(...)``);
* a call of a function re-exported from ``utility`` (``has_collection(...)``);
* an attribute of ``connections``, ``utility`` or ``db``, called or not (``utility.load_state``);
* an attribute of an ORM class or object, called or not (``c.search(...)``, ``c.num_entities``);
* a *reference*: an ORM class, function or namespace as a value (``isinstance(x, Collection)``,
  ``partial(has_collection, n)``), ``getattr(collection, ...)``. References are sites, and have to
  be migrated or reported like all others, but the counts that the detector is calibrated against
  are of calls and members only, so the comparison leaves them out.

No sites: imports, annotations, schemas, data types, exceptions, search requests and results (they
stay valid), text in strings, names that left pymilvus, the results of writes and of questions about
compaction, replicas and grants, and methods called under another name. The lines on which such
things, or an ORM object that is only passed on or given back, stand are kept as *marks*: a report
entry there is about something real. So is what reads an object of the project by a computed name,
and a use of a parameter that nobody in sight passes, but that is named after an ORM class, in a
file that imports the ORM: it cannot be told whether it is one, so that saying it may be is no
error, and saying nothing is none either.

How objects are followed
------------------------
Statements in order, branches merged, loops twice; parameters take what callers in the project pass
and what annotations say; returns, yields, tuples, containers, ``self.x``, class attributes, module
globals, fixtures (of the class, the file, or a ``conftest.py`` above), closures, lambdas,
``partial``/executors and imports between the project's own files are followed until nothing
changes. An ``isinstance`` test is believed. Every object carries the place
it came from, so that one can ask whether it is ever seen in another file (``crossing``).

Calibration
-----------
``expected.py`` holds the number of call sites that an independent scan counted per archive.
Where the detector finds more, these are the reasons: that scan removed files which it had also met
outside of these archives (most examples of pymilvus live on in its own repository and in copies),
and it followed fewer objects into other files, into unannotated parameters and out of containers.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias

from .symbols import (
    CLASSES,
    DATABASE_FUNCTIONS,
    GONE_NAMES,
    NAMESPACES,
    PACKAGES,
    PRODUCES,
    RESULTS,
    SCHEMA_NAMES,
    SUBMODULE_NAMESPACES,
    TOP_LEVEL_FUNCTIONS,
    UTILITY_FUNCTIONS,
)

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Origin = tuple[str, int]

#: Rounds of the fixed point; the longest chain seen in real code needs four.
ROUNDS = 8


class Site(NamedTuple):
    """One use of the ORM. Lines and columns count from 1, columns in characters.

    ``line``/``column`` is where the member's name (or the called name) stands; ``first`` is where
    the expression starts, so that ``a\\n.b()`` is found by either line. ``kind`` is ``call``,
    ``member`` or ``reference``. ``crossing``: the object is also used in, or comes from, another
    file or an unknown caller.
    """

    path: str
    line: int
    column: int
    symbol: str
    kind: str = "call"
    first: int = 0
    crossing: bool = False

    @property
    def lines(self) -> range:
        return range(min(self.first or self.line, self.line), self.line + 1)


@dataclass
class Detected:
    """What was found in one tree."""

    sites: list[Site] = field(default_factory=list)
    #: path → lines on which something of the ORM stands that is no site
    marks: dict[str, set[int]] = field(default_factory=dict)
    #: path → why it could not be read
    unreadable: dict[str, str] = field(default_factory=dict)
    #: path → paths of the project's files that it imports
    imports: dict[str, set[str]] = field(default_factory=dict)

    def of(self, path: str) -> list[Site]:
        return [site for site in self.sites if site.path == path]

    @property
    def counted(self) -> list[Site]:
        """The sites that the calibration counts: calls and members."""
        return [site for site in self.sites if site.kind != "reference"]


class Atom(NamedTuple):
    """One thing a value may be. ``items`` are the contents of a sequence or tuple."""

    kind: str
    name: str = ""
    origin: Origin | None = None
    items: tuple[frozenset[Atom], ...] = ()


Value = frozenset[Atom]
NOTHING: Value = frozenset()


def sequence(contents: Value) -> Value:
    """A container of ``contents``; containers are kept two deep, or recursion would never end."""
    contents = frozenset(atom for atom in contents if _depth(atom) < 2)
    return frozenset({Atom("seq", items=(contents,))}) if contents else NOTHING


def _depth(atom: Atom) -> int:
    inner = [_depth(item) for value in atom.items for item in value]
    return 1 + max(inner, default=0) if atom.items else 0


def elements(value: Value) -> Value:
    found: set[Atom] = set()
    for atom in value:
        for item in atom.items:
            found |= item
    return frozenset(found)


@dataclass(eq=False)
class Function:
    """A function of the project: what flows in through its parameters and out again."""

    module: Module
    node: FunctionNode
    scope: Scope
    owner: UserClass | None = None
    parameters: dict[str, Value] = field(default_factory=dict)
    result: Value = NOTHING
    yields: Value = NOTHING
    decorators: tuple[str, ...] = ()
    called: bool = False
    #: parameter → what calling it gave, over all callers
    given: dict[str, Value] = field(default_factory=dict)

    @property
    def arguments(self) -> ast.arguments:
        return self.node.args

    def positional(self) -> list[str]:
        return [arg.arg for arg in (*self.arguments.posonlyargs, *self.arguments.args)]


@dataclass(eq=False)
class UserClass:
    name: str
    attributes: dict[str, Value] = field(default_factory=dict)
    bases: Value = NOTHING
    heirs: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Scope:
    """Names of one function, class or module; unknown names are looked up in ``parent``."""

    names: dict[str, Value] = field(default_factory=dict)
    parent: Scope | None = None
    module: Module | None = None
    is_class: bool = False
    global_names: set[str] = field(default_factory=set)

    def lookup(self, name: str) -> Value:
        if name in self.names and name not in self.global_names:
            # What functions write into a module's names is seen beside what it assigns itself.
            written = self.module.written if self.module and self.parent is None else {}
            return self.names[name] | written.get(name, NOTHING)
        outer = self.parent
        while outer is not None and outer.is_class:
            outer = outer.parent
        if outer is not None:
            return outer.lookup(name)
        if self.module is not None:
            return self.module.exported(name)
        return NOTHING


@dataclass(eq=False)
class Module:
    """One file of the project."""

    path: str
    tree: ast.Module
    lines: list[str]
    final: dict[str, Value] = field(default_factory=dict)
    written: dict[str, Value] = field(default_factory=dict)

    def exported(self, name: str) -> Value:
        return self.final.get(name, NOTHING) | self.written.get(name, NOTHING)


def is_library(path: PurePosixPath) -> bool:
    """pymilvus' own package is the library, not a user of it."""
    return path.parts[:1] == ("pymilvus",)


def python_files(root: Path) -> list[Path]:
    skip_library = (root / "pymilvus" / "orm").is_dir()
    found = []
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.ipynb")]):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        if {".git", ".ipynb_checkpoints"} & set(relative.parts) or (
            skip_library and is_library(relative)
        ):
            continue
        if path.is_file():
            found.append(path)
    return found


def detect(root: Path, files: Iterable[Path] | None = None) -> Detected:
    """Find the ORM uses of the Python files under ``root`` (or of ``files`` only)."""
    sources: dict[str, str] = {}
    detected = Detected()
    for path in python_files(root) if files is None else sorted(files):
        name = path.relative_to(root).as_posix()
        try:
            with open(path, "rb") as stream:
                sources[name] = decode(stream.read(), name)
        except (OSError, ValueError, LookupError, SyntaxError) as error:
            detected.unreadable[name] = str(error)
    return detect_sources(sources, detected)


def decode(data: bytes, name: str = "") -> str:
    """The text of a file as Python; a notebook's cells, one after the other."""
    import io
    import tokenize

    if name.endswith(".ipynb"):
        from .notebooks import View

        return View(data).text
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    # Line numbers are those of every Python tool: \r\n and a lone \r end a line too.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def detect_sources(sources: dict[str, str], detected: Detected | None = None) -> Detected:
    """The same for sources in memory (path → text)."""
    detected = detected or Detected()
    graph = ImportGraph(sources)
    detected.imports = graph.edges
    modules: dict[str, Module] = {}
    for path in graph.relevant():
        try:
            tree = _parse(sources[path])
        except (SyntaxError, ValueError, RecursionError) as error:
            detected.unreadable[path] = f"{type(error).__name__}: {error}"
            continue
        modules[path] = Module(path, tree, sources[path].split("\n"))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        Interpreter(modules, graph, detected).run()
    finally:
        sys.setrecursionlimit(limit)
    return detected


def _parse(text: str) -> ast.Module:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.lstrip("\ufeff"))


class ImportGraph:
    """Which file of the project imports which; only text is looked at, so that it is cheap."""

    _import = re.compile(
        r"^[ \t]*(?:from[ \t]+(?P<base>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]*)"
        r"|import[ \t]+(?P<plain>[^\n#;]*))",
        re.MULTILINE,
    )

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources
        self.by_tail: dict[str, list[str]] = {}
        for path in sources:
            parts = self.dotted(path).split(".")
            self.by_tail.setdefault(parts[-1], []).append(path)
        self.edges = {path: set(self._imported(path, text)) for path, text in sources.items()}

    @staticmethod
    def dotted(path: str) -> str:
        name = path[: -len(".py")] if path.endswith(".py") else path
        name = name.replace("/", ".")
        return name[: -len(".__init__")] if name.endswith(".__init__") else name

    def relevant(self) -> list[str]:
        """Files that name the library, and those that import them, directly or at one remove.

        And what stands beside a file that names it, where their package imports both: it may mix
        their classes.
        """
        wanted = {path for path, text in self.sources.items() if "pymilvus" in text}
        folders = {PurePosixPath(path).parent for path in wanted}
        for _ in range(2):
            wanted |= {path for path, targets in self.edges.items() if targets & wanted}
        for path, targets in self.edges.items():
            folder = PurePosixPath(path).parent
            if path.endswith("__init__.py") and folder in folders:
                wanted |= {target for target in targets if PurePosixPath(target).parent == folder}
        return sorted(wanted)

    def resolve(self, dotted: str, level: int, importer: str) -> str | None:
        """The project's file behind an import, or None. Absolute names may start anywhere."""
        if level:
            package = PurePosixPath(importer).parent.parts
            keep = len(package) - (level - 1)
            if keep < 0:
                return None
            base = "/".join(package[:keep])
            path = "/".join(part for part in (base, dotted.replace(".", "/")) if part)
            for candidate in (f"{path}.py", f"{path}/__init__.py" if path else "__init__.py"):
                if candidate in self.sources:
                    return candidate
            return None
        if not dotted or dotted.split(".")[0] in PACKAGES:
            return None
        matches = [
            path
            for path in self.by_tail.get(dotted.split(".")[-1], ())
            if f".{self.dotted(path)}".endswith(f".{dotted}")
        ]
        if not matches:
            return None
        return max(matches, key=lambda path: (self._shared(path, importer), -len(path)))

    @staticmethod
    def _shared(one: str, other: str) -> int:
        count = 0
        for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
            if left != right:
                break
            count += 1
        return count

    def _imported(self, path: str, text: str) -> Iterator[str]:
        for match in self._import.finditer(text):
            base = match["base"]
            if base is None:
                for item in match["plain"].split(","):
                    words = item.split()
                    target = self.resolve(words[0], 0, path) if words else None
                    if target:
                        yield target
                continue
            level = len(base) - len(base.lstrip("."))
            dotted = base[level:]
            target = self.resolve(dotted, level, path)
            if target:
                yield target
            for name in re.findall(r"\w+", match["names"]):
                below = self.resolve(f"{dotted}.{name}" if dotted else name, level, path)
                if below and (dotted or level):
                    yield below


def library_member(module: str, name: str) -> Value:
    """What ``from <module> import <name>`` gives for a module of the library."""
    package, _, rest = module.partition(".")
    last = rest.split(".")[-1] if rest else ""
    if package not in PACKAGES:
        return NOTHING
    if package == "pymilvus" and rest and not (rest == "orm" or rest.startswith("orm.")):
        return NOTHING  # pymilvus.client, .exceptions, .bulk_writer, .model: not the ORM
    if last == "utility" and name in UTILITY_FUNCTIONS:
        return frozenset({Atom("function", f"utility.{name}")})
    if last == "db" and name in DATABASE_FUNCTIONS:
        return frozenset({Atom("function", f"db.{name}")})
    if last == "orm" and name in SUBMODULE_NAMESPACES:
        if SUBMODULE_NAMESPACES[name]:
            return frozenset({Atom("namespace", name)})
        return frozenset({Atom("library", f"{module}.{name}")})
    if name in CLASSES or name == "Milvus":
        return frozenset({Atom("class", name)})
    if name in NAMESPACES and not (last and last != name):
        return frozenset({Atom("namespace", name)})
    if not rest and name in TOP_LEVEL_FUNCTIONS:
        return frozenset({Atom("function", f"utility.{name}")})
    if name in SCHEMA_NAMES:
        return frozenset({Atom("schema", name)})
    if name in GONE_NAMES and not rest:
        return frozenset({Atom("gone", name)})
    if name == "orm" or last == "orm" or (package == "pymilvus_orm" and name.islower()):
        return frozenset({Atom("library", f"{module}.{name}")})
    return NOTHING


ALL_NAMES = CLASSES | NAMESPACES | TOP_LEVEL_FUNCTIONS | SCHEMA_NAMES
#: Parameters named after what they are said to hold; see ``Walker.unexplained``.
_NAMED_AFTER = re.compile(r"(^|_)(coll|collection|partition|index)(_|$|\d)", re.IGNORECASE)

#: Calls of the standard library that hand on what they are given, or its elements.
_SAME = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "deque", "copy"})
_KEEPERS = frozenset({"append", "add", "insert", "put", "put_nowait", "appendleft", "extend"})
_CONTENTS = frozenset({"get", "pop", "setdefault", "popleft", "get_nowait"})
_PROPERTY = ("property", "cached_property")


class Interpreter:
    """Runs the whole project round after round until nothing new flows anywhere."""

    def __init__(self, modules: dict[str, Module], graph: ImportGraph, detected: Detected) -> None:
        self.modules = modules
        self.graph = graph
        self.detected = detected
        self.functions: dict[int, Function] = {}
        self.classes: dict[int, UserClass] = {}
        self.fixtures: dict[str, list[Function]] = {}
        self.changed = False
        self.found: dict[tuple[str, int, int, str], tuple[Site, set[Origin]]] = {}
        self.seen: dict[Origin, set[str]] = {}
        self.marks: dict[str, set[int]] = {}

    def run(self) -> None:
        for _ in range(ROUNDS):
            self.changed = False
            self.found.clear()
            self.seen.clear()
            self.marks.clear()
            for module in self.modules.values():
                Walker(self, module).walk_module()
            if not self.changed:
                break
        for site, origins in self.found.values():
            # A negative line is an annotation: it counts where no maker of the object is in sight.
            made = {origin for origin in origins if origin[1] > 0}
            crossing = (bool(origins) and not made) or any(
                self.seen.get(origin, {site.path}) != {site.path} for origin in made
            )
            self.detected.sites.append(site._replace(crossing=crossing))
        self.detected.sites.sort()
        for path, lines in self.marks.items():
            self.detected.marks[path] = lines

    # -- places where values meet; each notes whether anything is new ------------------------

    def join(self, store: dict[str, Value], name: str, value: Value) -> None:
        old = store.get(name)
        new = value if old is None else old | value
        if new != old:
            store[name] = new
            self.changed = self.changed or bool(new)

    def feed(self, function: Function, name: str, value: Value) -> None:
        if value:
            self.join(function.parameters, name, value)


class Walker:
    """Walks one module; a fresh one per module and round."""

    def __init__(self, interpreter: Interpreter, module: Module) -> None:
        self.world = interpreter
        self.module = module
        self.function: Function | None = None
        self.owner: UserClass | None = None
        self.pending: list[Function] = []

    def walk_module(self) -> None:
        scope = Scope(module=self.module)
        self.block(self.module.tree.body, scope)
        if scope.names != self.module.final:
            self.world.changed = True
            self.module.final = scope.names
        # Functions run later: they see what the module's names are in the end.
        while self.pending:
            waiting, self.pending = self.pending, []
            for function in waiting:
                self.walk_function(function)

    def walk_function(self, function: Function) -> None:
        scope = Scope(parent=function.scope, module=self.module)
        arguments = function.arguments
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for arg in every:
            value = function.parameters.get(arg.arg, NOTHING)
            declared = self.annotated(arg.annotation, scope)
            if not any(atom.kind == "object" for atom in value):
                value |= declared
            for fixture in self.fixtures(function, arg.arg):
                value |= fixture.result | fixture.yields
            if not value and self.unexplained(function, arg.arg):
                value = frozenset({Atom("unexplained", arg.arg)})
            if _objects(value):
                self.mark_line(arg.lineno)
            scope.names[arg.arg] = value
        for star in (arguments.vararg, arguments.kwarg):
            if star is not None:
                scope.names[star.arg] = sequence(function.parameters.get(star.arg, NOTHING))
        outer = (self.function, self.owner)
        self.function, self.owner = function, None
        if isinstance(function.node, ast.Lambda):
            self.result(self.evaluate(function.node.body, scope))
        else:
            positional = function.positional()
            if function.owner is not None and positional and not self.is_static(function):
                kind = "uclass" if "classmethod" in function.decorators else "uobject"
                me = Atom(kind, str(self.class_id(function.owner)))
                scope.names[positional[0]] = scope.names[positional[0]] | {me}
            self.result(self.annotated(function.node.returns, scope, "return"))
            self.block(function.node.body, scope)
            if _objects(function.result | function.yields):
                self.mark_line(function.node.lineno)
        self.function, self.owner = outer

    def fixtures(self, function: Function, name: str) -> list[Function]:
        """What pytest passes under a name: of the class, the file, or a conftest.py above it."""
        here = PurePosixPath(self.module.path)
        found = []
        for fixture in self.world.fixtures.get(name, ()):
            path = PurePosixPath(fixture.module.path)
            near = path == here and fixture.owner in (None, function.owner)
            above = path.name == "conftest.py" and path.parent in here.parents
            if (near or above) and fixture is not function:
                found.append(fixture)
        return found

    def unexplained(self, function: Function, name: str) -> bool:
        """Whether nobody in sight passes the parameter, and its name says what it may be."""
        if function.called:
            return False
        imports = any(
            atom.kind in ("class", "namespace")
            for value in self.module.final.values()
            for atom in value
        )
        return imports and bool(_NAMED_AFTER.search(name))

    @staticmethod
    def is_static(function: Function) -> bool:
        return "staticmethod" in function.decorators

    def class_id(self, owner: UserClass) -> int:
        for key, known in self.world.classes.items():
            if known is owner:
                return key
        raise KeyError(owner.name)

    def result(self, value: Value) -> None:
        """The function returns this; what a parameter gave is told apart by caller."""
        for atom in value:
            if atom.kind == "given" and self.function is not None:
                value -= self.function.given.get(atom.name, NOTHING)
        if self.function is not None and not value <= self.function.result:
            self.function.result |= value
            self.world.changed = True

    # -- statements ------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Run statements; False when the end is not reached."""
        for index, statement in enumerate(body):
            if not self.statement(statement, scope):
                # What follows is dead, but its sites are still text that has to be handled.
                for rest in body[index + 1 :]:
                    self.statement(rest, scope)
                return False
        return True

    def statement(self, node: ast.stmt, scope: Scope) -> bool:
        handler = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if handler is not None:
            return handler(node, scope) is not False
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child, scope)
        return True

    def branch(
        self, scope: Scope, bodies: Sequence[tuple[Sequence[ast.stmt], dict[str, Value]]]
    ) -> bool:
        """Run alternatives from the same start and merge those that reach their end."""
        start = dict(scope.names)
        ends: list[dict[str, Value]] = []
        every: list[dict[str, Value]] = []
        for body, narrowed in bodies:
            scope.names = {**start, **narrowed}
            if self.block(body, scope):
                ends.append(scope.names)
            every.append(scope.names)
        merged: dict[str, Value] = {}
        for names in ends or every:
            for name, value in names.items():
                merged[name] = merged.get(name, NOTHING) | value
        scope.names = merged
        return bool(ends)

    def on_if(self, node: ast.If, scope: Scope) -> bool:
        self.evaluate(node.test, scope)
        narrowed = self.narrowed(node.test, scope)
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        one, other = ({}, narrowed) if negated else (narrowed, {})
        return self.branch(scope, [(node.body, one), (node.orelse, other)])

    def on_assert(self, node: ast.Assert, scope: Scope) -> bool:
        self.evaluate(node.test, scope)
        scope.names.update(self.narrowed(node.test, scope))
        return True

    def narrowed(self, test: ast.expr, scope: Scope) -> dict[str, Value]:
        """Names that an ``isinstance`` in the test makes ORM objects."""
        names: dict[str, Value] = {}
        for call in ast.walk(test):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id == "isinstance"
                and len(call.args) == 2
            ):
                target = dotted_name(call.args[0])
                value = self.annotated(call.args[1], scope)
                if target and value:
                    known = self.silently(call.args[0], scope)
                    names[target] = known if _objects(known) else known | value
                    self.tested(call.args[0], names[target], scope)
        return names

    def tested(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """What a test tells of an attribute holds for all methods that use it."""
        if isinstance(target, ast.Attribute):
            for atom in self.silently(target.value, scope):
                if atom.kind in ("uobject", "uclass"):
                    owner = self.world.classes[int(atom.name)]
                    self.world.join(owner.attributes, target.attr, value)

    def on_for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
        self.assign(node.target, elements(self.evaluate(node.iter, scope)), scope)
        for _ in range(2):
            self.branch(scope, [(node.body, {}), ((), {})])
        self.block(node.orelse, scope)
        return True

    on_asyncfor = on_for

    def on_while(self, node: ast.While, scope: Scope) -> bool:
        self.evaluate(node.test, scope)
        for _ in range(2):
            self.branch(scope, [(node.body, {}), ((), {})])
        self.block(node.orelse, scope)
        return True

    def on_try(self, node: ast.Try, scope: Scope) -> bool:
        start = dict(scope.names)
        through = self.block([*node.body, *node.orelse], scope)
        ended = scope.names
        middle = {
            name: start.get(name, NOTHING) | ended.get(name, NOTHING) for name in {*start, *ended}
        }
        scope.names = middle
        bodies: list[tuple[Sequence[ast.stmt], dict[str, Value]]] = []
        for handler in node.handlers:
            if handler.type is not None:
                self.evaluate(handler.type, scope)
            bodies.append((handler.body, {}))
        reached = self.branch(scope, bodies) if bodies else False
        if through:
            merged = scope.names if reached else {}
            scope.names = {
                name: merged.get(name, NOTHING) | ended.get(name, NOTHING)
                for name in {*merged, *ended}
            }
        final = self.block(node.finalbody, scope)
        return final and (through or reached)

    on_trystar = on_try

    def on_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
        for item in node.items:
            value = self.evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value | elements(value), scope)
        return self.block(node.body, scope)

    on_asyncwith = on_with

    def on_match(self, node: ast.Match, scope: Scope) -> bool:
        self.evaluate(node.subject, scope)
        for case in node.cases:
            if case.guard is not None:
                self.evaluate(case.guard, scope)
        self.branch(scope, [*((case.body, {}) for case in node.cases), ((), {})])
        return True

    def on_return(self, node: ast.Return, scope: Scope) -> bool:
        if node.value is not None:
            self.result(self.evaluate(node.value, scope))
        return False

    def on_raise(self, node: ast.Raise, scope: Scope) -> bool:
        for part in (node.exc, node.cause):
            if part is not None:
                self.evaluate(part, scope)
        return False

    def on_continue(self, node: ast.Continue, scope: Scope) -> bool:
        return True  # its names reach the loop's end: merging them is the safe side

    def on_assign(self, node: ast.Assign, scope: Scope) -> bool:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)
        return True

    def on_annassign(self, node: ast.AnnAssign, scope: Scope) -> bool:
        declared = self.annotated(node.annotation, scope)
        value = self.evaluate(node.value, scope) if node.value is not None else NOTHING
        self.assign(node.target, value if _objects(value) else value | declared, scope)
        return True

    def on_augassign(self, node: ast.AugAssign, scope: Scope) -> bool:
        value = self.evaluate(node.value, scope) | self.silently(node.target, scope)
        self.assign(node.target, value, scope)
        return True

    def on_delete(self, node: ast.Delete, scope: Scope) -> bool:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names[target.id] = NOTHING
            else:
                self.evaluate(target, scope)
        return True

    def on_global(self, node: ast.Global, scope: Scope) -> bool:
        scope.global_names.update(node.names)
        return True

    def on_import(self, node: ast.Import, scope: Scope) -> bool:
        for alias in node.names:
            top = alias.name.split(".")[0]
            if top in PACKAGES:
                self.mark(node)
                name = alias.name if alias.asname else top
                value = frozenset({Atom("library", name)})
            else:
                wanted = alias.name if alias.asname else top
                target = self.world.graph.resolve(wanted, 0, self.module.path)
                if target is None and not alias.asname and "." in alias.name:
                    target = self.world.graph.resolve(alias.name, 0, self.module.path)
                    if target is not None:
                        module = Atom("module", target)
                        self.assign_name(alias.name, frozenset({module}), scope)
                    continue
                value = frozenset({Atom("module", target)}) if target else NOTHING
            self.assign_name(alias.asname or top, value, scope)
        return True

    def on_importfrom(self, node: ast.ImportFrom, scope: Scope) -> bool:
        dotted = node.module or ""
        library = not node.level and dotted.split(".")[0] in PACKAGES
        if library:
            self.mark(node)
        target = None if library else self.world.graph.resolve(dotted, node.level, self.module.path)
        source = self.world.modules.get(target) if target else None
        for alias in node.names:
            if alias.name == "*":
                names = ALL_NAMES if library else set(source.final) if source else set()
                for name in names:
                    value = library_member(dotted, name) if library else NOTHING
                    if source is not None:
                        value = source.exported(name)
                    if value:
                        self.assign_name(name, value, scope)
                continue
            if library:
                value = library_member(dotted, alias.name)
            else:
                value = source.exported(alias.name) if source else NOTHING
                if not value:
                    inner = f"{dotted}.{alias.name}" if dotted else alias.name
                    below = self.world.graph.resolve(inner, node.level, self.module.path)
                    if below and (dotted or node.level):
                        value = frozenset({Atom("module", below)})
                if _orm(value):
                    self.mark(node)
                self.notice(value)
            self.assign_name(alias.asname or alias.name, value, scope)
        return True

    def on_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
        for decorator in node.decorator_list:
            self.evaluate(decorator, scope)
        function = self.function_of(node, scope)
        function.decorators = tuple(
            (dotted_name(item.func if isinstance(item, ast.Call) else item) or "").split(".")[-1]
            for item in node.decorator_list
        )
        function.owner = self.owner
        if "fixture" in function.decorators:
            known = self.world.fixtures.setdefault(node.name, [])
            if function not in known:
                known.append(function)
        value = frozenset({Atom("ufunction", str(id(node)))})
        self.assign_name(node.name, value, scope)
        return True

    on_asyncfunctiondef = on_functiondef

    def function_of(self, node: FunctionNode, scope: Scope) -> Function:
        function = self.world.functions.get(id(node))
        if function is None:
            function = self.world.functions[id(node)] = Function(self.module, node, scope)
        function.scope = scope
        for default, name in defaults(node.args):
            self.world.feed(function, name, self.evaluate(default, scope))
        if function not in self.pending:
            self.pending.append(function)
        return function

    def on_classdef(self, node: ast.ClassDef, scope: Scope) -> bool:
        known = self.world.classes.setdefault(id(node), UserClass(node.name))
        for decorator in node.decorator_list:
            self.evaluate(decorator, scope)
        for base in node.bases:
            known.bases |= self.evaluate(base, scope)
        for parent in known.bases:
            if parent.kind == "uclass":
                self.world.classes[int(parent.name)].heirs.add(id(node))
        for keyword in node.keywords:
            self.evaluate(keyword.value, scope)
        inner = Scope(parent=scope, module=self.module, is_class=True)
        outer, self.owner = self.owner, known
        self.block(node.body, inner)
        self.owner = outer
        for name, value in inner.names.items():
            self.world.join(known.attributes, name, value)
        self.assign_name(node.name, frozenset({Atom("uclass", str(id(node)))}), scope)
        return True

    # -- targets ---------------------------------------------------------------------------

    def assign_name(self, name: str, value: Value, scope: Scope) -> None:
        if name in scope.global_names:
            self.world.join(self.module.written, name, value)
            return
        # Rebinding `a` ends what was known about `a.b`.
        for known in [key for key in scope.names if key.startswith(f"{name}.")]:
            del scope.names[known]
        scope.names[name] = value

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self.notice(value)
            if _objects(value):
                self.mark(target)
            self.assign_name(target.id, value, scope)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, scope)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for index, item in enumerate(target.elts):
                part: Value = NOTHING
                for atom in value:
                    if atom.kind == "tuple" and index < len(atom.items):
                        part |= atom.items[index]
                    elif atom.kind == "seq":
                        part |= elements(frozenset({atom}))
                self.assign(item, part, scope)
        elif isinstance(target, ast.Attribute):
            self.assign_attribute(target, value, scope)
        elif isinstance(target, ast.Subscript):
            self.evaluate(target.slice, scope)
            self.evaluate(target.value, scope, "base")
            self.keep(target.value, sequence(value), scope)

    def assign_attribute(self, target: ast.Attribute, value: Value, scope: Scope) -> None:
        base = self.evaluate(target.value, scope, "base")
        if _objects(value):
            self.mark(target)
        known = False
        for atom in base:
            if atom.kind in ("uobject", "uclass"):
                known = True
                self.world.join(self.world.classes[int(atom.name)].attributes, target.attr, value)
            elif atom.kind == "module" and atom.name in self.world.modules:
                known = True
                self.world.join(self.world.modules[atom.name].written, target.attr, value)
            elif atom.kind in ("object", "class", "namespace"):
                self.site(target, atom, target.attr)
        name = dotted_name(target)
        if name and not known:
            scope.names[name] = value

    def keep(self, target: ast.expr, contents: Value, scope: Scope) -> None:
        """Something was put into the container behind ``target``."""
        if contents:
            old = self.silently(target, scope)
            if isinstance(target, (ast.Name, ast.Attribute)):
                name = dotted_name(target)
                if isinstance(target, ast.Name) and target.id not in scope.names:
                    self.world.join(self.module.written, target.id, old | contents)
                elif isinstance(target, ast.Name):
                    scope.names[target.id] = old | contents
                elif name:
                    self.assign_attribute(target, old | contents, scope)
            elif isinstance(target, ast.Subscript):
                self.keep(target.value, contents, scope)

    # -- expressions -----------------------------------------------------------------------

    def silently(self, node: ast.expr, scope: Scope) -> Value:
        """The value of a name or attribute, without noting sites."""
        found, marks = self.world.found, self.world.marks
        self.world.found, self.world.marks = {}, {}
        value = self.evaluate(node, scope, "base")
        self.world.found, self.world.marks = found, marks
        return value

    def evaluate(self, node: ast.expr, scope: Scope, role: str = "value") -> Value:
        handler = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if handler is not None:
            value: Value = handler(node, scope, role)
        else:
            value = NOTHING
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.evaluate(child, scope)
                elif isinstance(child, ast.comprehension):
                    self.comprehension([child], scope)
        return value

    def of_name(self, node: ast.Name, scope: Scope, role: str) -> Value:
        value = scope.lookup(node.id)
        self.refer(node, value, role)
        return value

    def refer(self, node: ast.expr, value: Value, role: str) -> None:
        """Note an ORM name that is used as a value, and the lines where ORM objects stand."""
        if not _orm(value):
            return
        self.mark(node)
        self.notice(value)
        if role == "value":
            for atom in sorted(value, key=lambda atom: (atom.kind, atom.name)):
                if atom.kind in ("class", "function", "namespace"):
                    self.note(node, atom.name, "reference", set())
                    return

    def of_attribute(self, node: ast.Attribute, scope: Scope, role: str) -> Value:
        base = self.evaluate(node.value, scope, "base")
        value: Value = NOTHING
        name = dotted_name(node)
        if name:
            holder: Scope | None = scope
            while holder is not None:
                if name in holder.names:
                    value |= holder.names[name]
                    break
                holder = holder.parent
            else:
                if name in self.module.final:
                    value |= self.module.final[name]
        done = False
        for atom in sorted(base, key=lambda atom: (atom.kind, atom.name)):
            if atom.kind == "object" and node.attr == "result":
                value |= {Atom("bound", atom.name, atom.origin)}  # of a future that gives it
            elif atom.kind in ("object", "class", "namespace"):
                if not done:
                    origins = {item.origin for item in base if item.origin is not None}
                    self.site(node, atom, node.attr, origins)
                    done = True
                value |= self.produced(node, atom)
            else:
                value |= self.member(atom, node.attr)
        self.refer(node, value, role)
        return value

    def member(self, atom: Atom, name: str) -> Value:
        if atom.kind == "library":
            return library_member(atom.name, name)
        if atom.kind == "module":
            module = self.world.modules.get(atom.name)
            found = module.exported(name) if module else NOTHING
            if not found:
                package = PurePosixPath(atom.name)
                if package.name == "__init__.py":
                    for tail in (f"{name}.py", f"{name}/__init__.py"):
                        path = (package.parent / tail).as_posix()
                        if path in self.graph_sources():
                            return frozenset({Atom("module", path)})
            return found
        if atom.kind in ("uobject", "uclass"):
            return self.attribute(self.world.classes[int(atom.name)], name, atom)
        if atom.kind == "seq":
            return frozenset({Atom("contents", name, items=atom.items)})
        return NOTHING

    def graph_sources(self) -> dict[str, str]:
        return self.world.graph.sources

    def attribute(self, owner: UserClass, name: str, receiver: Atom) -> Value:
        """What an attribute may hold: of the class and its bases, or else of what it is mixed with.

        ``self.collection`` in one mixin is what another one sets, where a class inherits both.
        """
        value = self.inherited(owner, name, receiver)
        waiting, seen = set(owner.heirs), set[int]()
        while waiting and not value and receiver.kind == "uobject":
            heir = waiting.pop()
            seen.add(heir)
            known = self.world.classes[heir]
            value |= self.inherited(known, name, receiver)
            waiting |= known.heirs - seen
        return value

    def inherited(self, owner: UserClass, name: str, receiver: Atom, depth: int = 0) -> Value:
        value: Value = NOTHING
        for atom in owner.attributes.get(name, NOTHING):
            if atom.kind != "ufunction":
                value |= {atom}
                continue
            function = self.world.functions[int(atom.name)]
            if set(function.decorators) & set(_PROPERTY) and receiver.kind == "uobject":
                value |= function.result
            elif self.is_static(function):
                value |= {atom}
            elif receiver.kind == "uobject" or "classmethod" in function.decorators:
                value |= {Atom("umethod", atom.name)}
            else:
                value |= {atom}
        if depth < 8:
            for base in owner.bases:
                if base.kind == "uclass":
                    parent = self.world.classes[int(base.name)]
                    value |= self.inherited(parent, name, receiver, depth + 1)
        return value

    def produced(self, node: ast.Attribute, atom: Atom) -> Value:
        what = f"{atom.name}.{node.attr}"
        if atom.kind == "namespace":
            return frozenset({Atom("method", what)})
        if what in RESULTS:
            return frozenset({Atom("writer", what, atom.origin)})
        if what == "Collection.construct_from_dataframe":
            return frozenset({Atom("bound", what)})
        if what in PRODUCES:
            name, many = PRODUCES[what]
            origin = atom.origin or (self.module.path, node.lineno)
            made: Value = frozenset({Atom("object", name, origin)})
            if many:
                return sequence(made)
            return frozenset({Atom("bound", name, origin)})
        return NOTHING

    def of_call(self, node: ast.Call, scope: Scope, role: str) -> Value:
        called = self.evaluate(node.func, scope, "callee")
        arguments = [self.evaluate(arg, scope) for arg in node.args]
        keywords = {
            keyword.arg or "**": self.evaluate(keyword.value, scope) for keyword in node.keywords
        }
        value: Value = NOTHING
        known = False
        orm_done = False
        for atom in sorted(called, key=lambda atom: (atom.kind, atom.name)):
            if atom.kind in ("class", "function"):
                if not orm_done:
                    made_here = {(self.module.path, node.lineno)} if atom.kind == "class" else set()
                    self.note(node.func, atom.name, "call", made_here, start=node)
                orm_done = True
                if atom.kind == "class":
                    value |= self.construct(node, atom.name)
            elif atom.kind == "bound":
                if atom.name == "Collection.construct_from_dataframe":
                    made = self.construct(node, "Collection")
                    given = frozenset({Atom("result", "MutationResult")})
                    value |= {Atom("tuple", items=(made, given))}
                else:
                    value |= {Atom("object", atom.name, atom.origin)}
            elif atom.kind in ("ufunction", "umethod", "uclass", "uobject"):
                known = True
                value |= self.call(atom, node, arguments, keywords)
            elif atom.kind == "writer":
                value |= {Atom("result", "MutationResult", atom.origin)}
            elif atom.kind == "contents":
                known = True
                value |= self.container_call(atom, node, arguments, scope)
        if not known and not orm_done:
            value |= self.unknown_call(node, arguments, keywords, scope)
        if _objects(value):
            self.mark(node.func)
            self.notice(value)
        if self.function is not None and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in self.function.parameters and not isinstance(self.function.node, ast.Lambda):
                self.world.join(self.function.given, name, value)
                value |= {Atom("given", name)}
        return value

    def construct(self, node: ast.Call, name: str) -> Value:
        if name == "Milvus":
            return NOTHING  # the low-level class of 2.x: gone, and its methods are no ORM
        return frozenset({Atom("object", name, (self.module.path, node.lineno))})

    def call(
        self, atom: Atom, node: ast.Call | None, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        """Bind arguments to a function of the project and give what it returns."""
        world = self.world
        if atom.kind == "uclass":
            owner = world.classes[int(atom.name)]
            made = Atom("uobject", atom.name)
            for init in self.attribute(owner, "__init__", made):
                self.call(init, node, arguments, keywords)
            for name, value in keywords.items():
                if name in owner.attributes and value:
                    world.join(owner.attributes, name, value)
            return frozenset({made})
        if atom.kind == "uobject":
            owner = world.classes[int(atom.name)]
            result: Value = NOTHING
            for method in self.attribute(owner, "__call__", atom):
                result |= self.call(method, node, arguments, keywords)
            return result
        if atom.kind not in ("ufunction", "umethod"):
            return NOTHING
        function = world.functions[int(atom.name)]
        function.called = True
        names = function.positional()
        if atom.kind == "umethod":
            names = names[1:]
        spread = node is not None and any(isinstance(arg, ast.Starred) for arg in node.args)
        for index, value in enumerate(arguments):
            if spread:
                for name in names:
                    world.feed(function, name, value)
            elif index < len(names):
                world.feed(function, names[index], value)
            elif function.arguments.vararg is not None:
                world.feed(function, function.arguments.vararg.arg, value)
        every = {*names, *(arg.arg for arg in function.arguments.kwonlyargs)}
        for name, value in keywords.items():
            if name == "**":
                for each in every:
                    world.feed(function, each, elements(value))
            elif name in every:
                world.feed(function, name, value)
            elif function.arguments.kwarg is not None:
                world.feed(function, function.arguments.kwarg.arg, value)
        wrapped = {"contextmanager", "asynccontextmanager", "fixture"}
        positional = {} if spread else dict(zip(names, arguments, strict=False))
        result = self.returned(function, positional | keywords)
        if wrapped & set(function.decorators):
            return result | function.yields
        return result | sequence(function.yields)

    def returned(self, function: Function, passed: dict[str, Value]) -> Value:
        """What a call of a function returns, when ``passed`` are its arguments by name."""
        result: Value = NOTHING
        for atom in function.result:
            if atom.kind != "given":
                result |= {atom}
                continue
            called = passed.get(atom.name, NOTHING)
            for callee in called:
                if callee.kind == "writer":
                    result |= {Atom("result", "MutationResult", callee.origin)}
                else:
                    result |= self.call(callee, None, [], {})
            if atom.name not in passed:
                result |= function.given.get(atom.name, NOTHING)
        return result

    def container_call(
        self, atom: Atom, node: ast.Call, arguments: list[Value], scope: Scope
    ) -> Value:
        contents = elements(frozenset({atom}))
        if atom.name == "popitem":
            return frozenset({Atom("tuple", items=(NOTHING, contents))})
        if atom.name in _CONTENTS:
            return contents
        if atom.name == "items":
            return sequence(frozenset({Atom("tuple", items=(NOTHING, contents))})) or NOTHING
        if atom.name in ("values", "copy"):
            return sequence(contents)
        if atom.name in _KEEPERS and isinstance(node.func, ast.Attribute):
            self.keep(node.func.value, sequence(arguments[-1]) if arguments else NOTHING, scope)
        return NOTHING

    def unknown_call(
        self,
        node: ast.Call,
        arguments: list[Value],
        keywords: dict[str, Value],
        scope: Scope,
    ) -> Value:
        name = (dotted_name(node.func) or "").split(".")[-1]
        first = arguments[0] if arguments else NOTHING
        if isinstance(node.func, ast.Attribute) and name in _KEEPERS and arguments:
            self.keep(node.func.value, sequence(arguments[-1]), scope)
        if name in ("getattr", "hasattr", "setattr", "delattr") and node.args:
            return self.reflective(node, name, first)
        if name in _SAME:
            return first
        if name == "next":
            return elements(first) | first
        if name == "result" and isinstance(node.func, ast.Attribute):
            future = self.silently(node.func.value, scope)
            return frozenset(atom for atom in future if atom.kind == "result")
        if name == "super" and self.function is not None and self.function.owner is not None:
            return frozenset({Atom("uobject", str(self.class_id(self.function.owner)))})
        if name == "enumerate":
            return sequence(frozenset({Atom("tuple", items=(NOTHING, elements(first)))}))
        if name == "zip":
            items = tuple(elements(value) for value in arguments)
            return sequence(frozenset({Atom("tuple", items=items)})) if _any(items) else NOTHING
        if name == "cast" and len(node.args) == 2:
            return arguments[1] | self.annotated(node.args[0], scope)
        return self.handed_over(name, arguments, keywords)

    def reflective(self, node: ast.Call, name: str, first: Value) -> Value:
        """getattr(collection, "load")() is a use as well, and nobody sees it by its name."""
        member = node.args[1] if len(node.args) > 1 else None
        text = member.value if isinstance(member, ast.Constant) else None
        value: Value = NOTHING
        for atom in sorted(first, key=lambda atom: (atom.kind, atom.name)):
            if atom.kind == "object":
                origins = {atom.origin} if atom.origin else set()
                self.note(node.func, f"{name}({atom.name})", "reference", origins)
                if isinstance(text, str) and name == "getattr":
                    read = ast.Attribute(node.args[0], text, ast.Load())
                    value |= self.produced(ast.copy_location(read, node), atom)
            elif isinstance(text, str) and name == "getattr":
                value |= self.member(atom, text)
            elif atom.kind == "uobject" and text is None:
                self.mark(node)  # it may be the attribute that holds an ORM object
        return value

    def handed_over(self, name: str, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        """partial(f, c), submit(f, c), run_in_executor(None, f, c), Thread(target=f, args=(c,))."""
        result: Value = NOTHING
        for index, value in enumerate(arguments):
            for atom in value:
                if atom.kind in ("ufunction", "umethod"):
                    rest = arguments[index + 1 :]
                    if name == "map":
                        rest = [elements(each) for each in rest]
                    given = self.call(atom, None, rest, keywords)
                    result |= value if name == "partial" else given | sequence(given)
                elif atom.kind == "class" and name in ("partial", "map"):
                    result |= value
                elif atom.kind == "writer":
                    made = frozenset({Atom("result", "MutationResult", atom.origin)})
                    result |= value if name == "partial" else made | sequence(made)
        for atom in keywords.get("target", NOTHING) | keywords.get("initializer", NOTHING):
            packed = keywords.get("args", NOTHING) | keywords.get("initargs", NOTHING)
            for tuple_ in packed:
                if tuple_.kind == "tuple":
                    self.call(atom, None, list(tuple_.items), {})
        return result

    def of_await(self, node: ast.Await, scope: Scope, role: str) -> Value:
        return self.evaluate(node.value, scope, role)

    def of_namedexpr(self, node: ast.NamedExpr, scope: Scope, role: str) -> Value:
        value = self.evaluate(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def of_ifexp(self, node: ast.IfExp, scope: Scope, role: str) -> Value:
        self.evaluate(node.test, scope)
        saved = scope.names
        scope.names = {**saved, **self.narrowed(node.test, scope)}
        value = self.evaluate(node.body, scope)
        scope.names = saved
        return value | self.evaluate(node.orelse, scope)

    def of_boolop(self, node: ast.BoolOp, scope: Scope, role: str) -> Value:
        value: Value = NOTHING
        saved = dict(scope.names)
        for index, item in enumerate(node.values):
            if isinstance(node.op, ast.And) and index:
                scope.names.update(self.narrowed(node.values[index - 1], scope))
            value |= self.evaluate(item, scope)
        scope.names = {**scope.names, **saved}
        return value

    def of_tuple(self, node: ast.Tuple, scope: Scope, role: str) -> Value:
        items = tuple(self.evaluate(item, scope) for item in node.elts)
        return frozenset({Atom("tuple", items=items)}) if _any(items) else NOTHING

    def of_list(self, node: ast.List | ast.Set, scope: Scope, role: str) -> Value:
        contents: Value = NOTHING
        for item in node.elts:
            contents |= self.evaluate(item, scope)
        return sequence(contents)

    of_set = of_list

    def of_dict(self, node: ast.Dict, scope: Scope, role: str) -> Value:
        contents: Value = NOTHING
        for key in node.keys:
            if key is not None:
                self.evaluate(key, scope)
        for item in node.values:
            contents |= self.evaluate(item, scope)
        return sequence(contents)

    def of_starred(self, node: ast.Starred, scope: Scope, role: str) -> Value:
        return elements(self.evaluate(node.value, scope))

    def of_subscript(self, node: ast.Subscript, scope: Scope, role: str) -> Value:
        value = self.evaluate(node.value, scope, "base")
        self.evaluate(node.slice, scope)
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        found: Value = NOTHING
        for atom in value:
            if atom.kind == "tuple" and isinstance(index, int) and index < len(atom.items):
                found |= atom.items[index]
            elif atom.items:
                found |= elements(frozenset({atom}))
        if _objects(found):
            self.mark(node)
            self.notice(found)
        return found

    def comprehension(self, generators: list[ast.comprehension], scope: Scope) -> None:
        for generator in generators:
            source = elements(self.evaluate(generator.iter, scope))
            self.assign(generator.target, source, scope)
            for test in generator.ifs:
                self.evaluate(test, scope)

    def of_listcomp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope, role: str
    ) -> Value:
        inner = Scope(parent=scope, module=self.module)
        self.comprehension(node.generators, inner)
        return sequence(self.evaluate(node.elt, inner))

    of_setcomp = of_listcomp
    of_generatorexp = of_listcomp

    def of_dictcomp(self, node: ast.DictComp, scope: Scope, role: str) -> Value:
        inner = Scope(parent=scope, module=self.module)
        self.comprehension(node.generators, inner)
        self.evaluate(node.key, inner)
        return sequence(self.evaluate(node.value, inner))

    def of_lambda(self, node: ast.Lambda, scope: Scope, role: str) -> Value:
        self.function_of(node, scope)
        return frozenset({Atom("ufunction", str(id(node)))})

    def of_yield(self, node: ast.Yield | ast.YieldFrom, scope: Scope, role: str) -> Value:
        if node.value is not None:
            value = self.evaluate(node.value, scope)
            if isinstance(node, ast.YieldFrom):
                value = elements(value)
            if self.function is not None and not value <= self.function.yields:
                self.function.yields |= value
                self.world.changed = True
        return NOTHING

    of_yieldfrom = of_yield

    def of_constant(self, node: ast.Constant, scope: Scope, role: str) -> Value:
        if isinstance(node.value, str) and _STRING.search(node.value):
            self.mark(node)
        return NOTHING

    # -- annotations -----------------------------------------------------------------------

    def annotated(self, node: ast.expr | None, scope: Scope, where: str = "") -> Value:
        """The objects that an annotation promises. Not a site: it is no use."""
        if node is None:
            return NOTHING
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except SyntaxError:
                return NOTHING
            for child in ast.walk(inner):
                ast.copy_location(child, node)
            return self.annotated(inner, scope, where)
        if isinstance(node, ast.BinOp):
            left = self.annotated(node.left, scope, where)
            return left | self.annotated(node.right, scope, where)
        if isinstance(node, ast.Tuple):
            value: Value = NOTHING
            for item in node.elts:
                value |= self.annotated(item, scope, where)
            return value
        if isinstance(node, ast.Subscript):
            name = (dotted_name(node.value) or "").split(".")[-1]
            inside = self.annotated(node.slice, scope, where)
            if name in ("Type", "type", "Callable", "Literal"):
                return NOTHING
            if name in ("Optional", "Union", "Annotated", "Final", "ClassVar", "Awaitable"):
                return inside
            if name in ("tuple", "Tuple") and isinstance(node.slice, ast.Tuple):
                items = tuple(self.annotated(item, scope, where) for item in node.slice.elts)
                return frozenset({Atom("tuple", items=items)}) if _any(items) else NOTHING
            return sequence(inside)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return NOTHING
        value = NOTHING
        for atom in self.silently(node, scope):
            if atom.kind == "class":
                # A negative line: nobody in sight made this object.
                line = node.lineno if where == "return" else -node.lineno
                value |= {Atom("object", atom.name, (self.module.path, line))}
            elif atom.kind == "uclass":
                value |= {Atom("uobject", atom.name)}
            if atom.kind in ("class", "namespace"):
                self.mark(node)
        return value if where != "return" else frozenset(a for a in value if a.kind != "tuple")

    # -- notes -----------------------------------------------------------------------------

    def site(
        self, node: ast.Attribute, atom: Atom, name: str, origins: set[Origin] | None = None
    ) -> None:
        if name.startswith("__") and name != "__init__":
            return
        if origins is None:
            origins = {atom.origin} if atom.origin is not None else set()
        self.note(node, f"{atom.name}.{name}", "member", origins)

    def note(
        self,
        node: ast.expr,
        symbol: str,
        kind: str,
        origins: set[Origin],
        start: ast.expr | None = None,
    ) -> None:
        line, column = self.place(node)
        site = Site(self.module.path, line, column, symbol, kind, (start or node).lineno)
        key = (site.path, site.line, site.column, symbol)
        known = self.world.found.get(key)
        self.world.found[key] = (site, origins | (known[1] if known else set()))
        for origin in origins:
            self.world.seen.setdefault(origin, {origin[0]}).add(self.module.path)

    def notice(self, value: Value) -> None:
        """Remember in which files an object is seen."""
        for atom in value:
            if atom.kind == "object" and atom.origin is not None:
                self.world.seen.setdefault(atom.origin, {atom.origin[0]}).add(self.module.path)

    def mark(self, node: ast.stmt | ast.expr) -> None:
        last = node.end_lineno or node.lineno
        self.world.marks.setdefault(self.module.path, set()).update(range(node.lineno, last + 1))

    def mark_line(self, line: int) -> None:
        self.world.marks.setdefault(self.module.path, set()).add(line)

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Where the last name of ``node`` stands: line and column in characters, from 1."""
        line = node.end_lineno or node.lineno
        if isinstance(node, ast.Attribute):
            offset = (node.end_col_offset or 0) - len(node.attr.encode())
        else:
            line, offset = node.lineno, node.col_offset
        text = self.module.lines[line - 1] if line <= len(self.module.lines) else ""
        return line, len(text.encode()[:offset].decode("utf-8", "replace")) + 1


#: Text that names something of the ORM, as ``patch("app.store.Collection")`` does.
_STRING = re.compile(r"(^|\.)(" + "|".join(sorted(ALL_NAMES)) + r")(\.\w+)*$|^pymilvus(\.\w+)*$")


def _orm(value: Value) -> bool:
    kinds = {
        "object", "class", "function", "namespace", "schema", "library", "gone", "result", "writer",
        "method", "unexplained",
    }  # fmt: skip
    return any(
        atom.kind in kinds or (_any(atom.items) and _orm(elements(frozenset({atom}))))
        for atom in value
    )


def _objects(value: Value) -> bool:
    return any(
        atom.kind == "object" or (atom.items and _objects(elements(frozenset({atom}))))
        for atom in value
    )


def _any(items: Iterable[Value]) -> bool:
    return any(items)


def dotted_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted_name(node.value)
        return f"{base}.{node.attr}" if base else None
    return None


def defaults(arguments: ast.arguments) -> Iterator[tuple[ast.expr, str]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        tail = positional[-len(arguments.defaults) :]
        for default, arg in zip(arguments.defaults, tail, strict=True):
            yield default, arg.arg
    for maybe, arg in zip(arguments.kw_defaults, arguments.kwonlyargs, strict=True):
        if maybe is not None:
            yield maybe, arg.arg
