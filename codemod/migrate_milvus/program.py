"""What the modules of a program define: functions, classes, and the names bound in each scope."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, TypeVar

from migrate_milvus.syntax import SourceText

_T = TypeVar("_T")
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Decorators that leave the function callable with its own signature.
TRANSPARENT = frozenset(
    [
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "lru_cache",
        "cache",
        "wraps",
        "abstractmethod",
        "override",
        "final",
        "retry",
        "contextmanager",
        "asynccontextmanager",
        "overload",
        "jit",
        "no_grad",
        "pytest.mark",
    ]
)


@dataclass(eq=False)
class FunctionInfo:
    """One function: where it stands, its parameters and local names."""

    module: Module
    node: FunctionNode
    name: str
    parent: FunctionInfo | None
    owner: ClassInfo | None
    parameters: tuple[ast.arg, ...]
    locals: frozenset[str]
    globals: frozenset[str]
    nonlocals: frozenset[str]
    decorators: tuple[str, ...]
    generator: bool
    # Of the decorators that the project defines, by their number: whether they pass calls on.
    seen_through: dict[int, bool] = field(default_factory=dict)

    @property
    def takes_fixtures(self) -> bool:
        """Whether pytest passes what the parameters are named like."""
        return self.name.startswith("test") or "fixture" in self.decorators

    @property
    def is_method(self) -> bool:
        """Whether the first parameter is the instance (or the class)."""
        return self.owner is not None and "staticmethod" not in self.decorators

    @property
    def is_property(self) -> bool:
        """Whether reading the attribute calls it."""
        return "property" in self.decorators or "cached_property" in self.decorators

    @property
    def opaque_decorators(self) -> tuple[str, ...]:
        """Decorators that may register or change the function."""
        return tuple(
            d
            for number, d in enumerate(self.decorators)
            if not self.seen_through.get(number, d in TRANSPARENT) and not self._is_fixture(d)
        )

    def _is_fixture(self, decorator: str) -> bool:
        """``@pytest.fixture``: whom the function's result is passed to is followed by its name."""
        return decorator == "fixture" and not any(
            isinstance(node, ast.Name) and node.id == decorator
            for part in getattr(self.node, "decorator_list", ())
            for node in (part.func if isinstance(part, ast.Call) else part,)
        )

    @property
    def self_name(self) -> str | None:
        """The name of the instance parameter of a method."""
        if self.is_method and "classmethod" not in self.decorators and self.parameters:
            return self.parameters[0].arg
        return None

    def names_of_parameters(self) -> set[str]:
        """All parameter names, ``*`` and ``**`` included."""
        return {p.arg for p in self.parameters}

    def __repr__(self) -> str:
        return f"<function {self.name}>"


@dataclass(eq=False)
class ClassInfo:
    """One class: its methods and its bases within the program."""

    module: Module
    node: ast.ClassDef
    name: str
    parent: FunctionInfo | None
    methods: dict[str, FunctionInfo] = field(default_factory=dict)
    bases: list[ClassInfo] = field(default_factory=list)
    subclasses: list[ClassInfo] = field(default_factory=list)

    def ancestry(self) -> Iterator[ClassInfo]:
        """The class and its bases in the program, nearest first."""
        seen: set[ClassInfo] = set()
        queue = [self]
        while queue:
            current = queue.pop(0)
            if current not in seen:
                seen.add(current)
                yield current
                queue.extend(current.bases)

    @cached_property
    def family(self) -> ClassInfo:
        """The class that stands for all that inherit from one another: they share attributes."""
        seen: set[ClassInfo] = set()
        queue = [self]
        while queue:
            current = queue.pop()
            if current not in seen:
                seen.add(current)
                queue.extend(current.bases)
                queue.extend(current.subclasses)
        return min(seen, key=lambda info: (info.module.name, info.node.lineno))

    def meanings(self, name: str, overridden: bool = True) -> list[FunctionInfo]:
        """The methods that ``name`` may mean on an object of the class.

        With ``overridden`` those of derived classes too: the object may be one of theirs.
        """
        own = self.method(name)
        found = [] if own is None else [own]
        queue = list(self.subclasses) if overridden or own is None else []
        seen: set[ClassInfo] = set()
        while queue:
            current = queue.pop(0)
            if current not in seen:
                seen.add(current)
                queue.extend(current.subclasses)
                if name in current.methods and current.methods[name] not in found:
                    found.append(current.methods[name])
        return found

    def method(self, name: str) -> FunctionInfo | None:
        """The method ``name``, inherited ones included."""
        for info in self.ancestry():
            if name in info.methods:
                return info.methods[name]
        return None

    def __repr__(self) -> str:
        return f"<class {self.name}>"


@dataclass(eq=False)
class Module:
    """One module: its text and tree, and what it defines."""

    source: SourceText
    functions: dict[ast.AST, FunctionInfo] = field(default_factory=dict)
    classes: dict[ast.AST, ClassInfo] = field(default_factory=dict)
    identifiers: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its path, as it is displayed."""
        return self.source.name

    @property
    def tree(self) -> ast.Module:
        """Its tree."""
        return self.source.tree

    def __repr__(self) -> str:
        return f"<module {self.name}>"


#: What binds names: a function, or the module for those at its level.
Scope: TypeAlias = FunctionInfo | Module


@dataclass
class Program:
    """The modules that are analysed together, with all that they define."""

    modules: tuple[Module, ...]

    @cached_property
    def functions(self) -> dict[ast.AST, FunctionInfo]:
        """Every function and lambda, by its node."""
        return _merged(module.functions for module in self.modules)

    @cached_property
    def classes(self) -> dict[ast.AST, ClassInfo]:
        """Every class, by its node."""
        return _merged(module.classes for module in self.modules)

    @cached_property
    def attributes(self) -> set[str]:
        """The names of all attributes that are read or set."""
        return set().union(*(module.attributes for module in self.modules))


def _merged(parts: Iterable[dict[ast.AST, _T]]) -> dict[ast.AST, _T]:
    merged: dict[ast.AST, _T] = {}
    for part in parts:
        merged |= part
    return merged


def decorator_name(node: ast.expr) -> str:
    """The last name of a decorator: ``app.get("/")`` is ``get``; all marks of pytest are one."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        if ast.unparse(node.value) == "pytest.mark":
            return "pytest.mark"
        return node.attr
    return node.id if isinstance(node, ast.Name) else "?"


def catches_import(handler: ast.ExceptHandler) -> bool:
    """Whether a handler runs when an import fails."""
    if handler.type is None:
        return True
    names = {
        part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "")
        for part in ast.walk(handler.type)
    }
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def parameters_of(arguments: ast.arguments) -> tuple[ast.arg, ...]:
    """All parameters in order: positional-only, ordinary, ``*args``, keyword-only, ``**kwargs``."""
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return tuple(found)


class _Bindings(ast.NodeVisitor):
    """Names that one function body binds, nested scopes not entered."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.generator = False

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.names.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.names.add(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self.names.add(node.name)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self.generator = True
        self.generic_visit(node)

    visit_YieldFrom = visit_Yield

    def visit_comprehension_scope(self, node: ast.AST) -> None:
        # Only the walrus binds outside a comprehension; its targets do not.
        for child in ast.walk(node):
            if isinstance(child, ast.NamedExpr):
                self.names.add(child.target.id)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_scope


def collect(source: SourceText) -> Module:
    """Collect the definitions of a module."""
    module = Module(source)
    _collect(module, source.tree, None, None)
    by_name = {info.name: info for info in module.classes.values()}
    for info in module.classes.values():
        for base in info.node.bases:
            if isinstance(base, ast.Name) and (parent := by_name.get(base.id)):
                inherit(info, parent)
    return module


def inherit(info: ClassInfo, parent: ClassInfo) -> None:
    """Make ``parent`` a base of a class."""
    if parent is not info and parent not in info.bases:
        info.bases.append(parent)
        parent.subclasses.append(info)


def _collect(
    module: Module, node: ast.AST, parent: FunctionInfo | None, owner: ClassInfo | None
) -> None:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                info = _function(module, child, parent, owner)
                module.functions[child] = info
                if owner is not None and not isinstance(child, ast.Lambda):
                    owner.methods.setdefault(child.name, info)
                if not isinstance(child, ast.Lambda):
                    module.identifiers.add(child.name)
                module.identifiers.update(info.names_of_parameters())
                _collect(module, child, info, None)
            case ast.ClassDef():
                module.identifiers.add(child.name)
                inner = ClassInfo(module, child, child.name, parent)
                module.classes[child] = inner
                _collect(module, child, parent, inner)
            case _:
                match child:
                    case ast.Name():
                        module.identifiers.add(child.id)
                    case ast.Attribute():
                        module.attributes.add(child.attr)
                    case ast.alias():
                        module.identifiers.add(child.asname or child.name)
                    case ast.ExceptHandler() if child.name:
                        module.identifiers.add(child.name)
                _collect(module, child, parent, owner)


def _function(
    module: Module, node: FunctionNode, parent: FunctionInfo | None, owner: ClassInfo | None
) -> FunctionInfo:
    bindings = _Bindings()
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    for statement in body:
        bindings.visit(statement)
    parameters = parameters_of(node.args)
    outside = bindings.globals | bindings.nonlocals
    return FunctionInfo(
        module=module,
        node=node,
        name="<lambda>" if isinstance(node, ast.Lambda) else node.name,
        parent=parent,
        owner=owner,
        parameters=parameters,
        locals=frozenset((bindings.names | {p.arg for p in parameters}) - outside),
        globals=frozenset(bindings.globals),
        nonlocals=frozenset(bindings.nonlocals),
        decorators=()
        if isinstance(node, ast.Lambda)
        else tuple(decorator_name(d) for d in node.decorator_list),
        generator=bindings.generator,
    )
