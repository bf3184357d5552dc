"""The one place where the engine finds the rules.

A rule is a subclass of ``Rule`` in a module of the package ``milvus_rules``; importing the module
registers it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Protocol

from migrate_milvus.flow import Flow, LibraryModel, Site

if TYPE_CHECKING:
    from migrate_milvus.edits import Edit
    from migrate_milvus.planning import Planning
    from migrate_milvus.values import Object


class Verdict(Enum):
    """The answer of a predicate; everything but ``PROVED`` refuses."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """A verdict with the words for the report: what is wrong, and what to do by hand."""

    verdict: Verdict
    message: str = ""
    recipe: str = ""


PROVED = Answer(Verdict.PROVED)


def refuted(message: str, recipe: str = "") -> Answer:
    """The precondition does not hold."""
    return Answer(Verdict.REFUTED, message, recipe)


def unknown(message: str, recipe: str = "") -> Answer:
    """The precondition may not hold."""
    return Answer(Verdict.UNKNOWN, message, recipe)


class Refusal(Exception):
    """A site cannot be rewritten; ``reason`` is the name of the failed precondition."""

    def __init__(
        self,
        reason: str,
        message: str,
        recipe: str = "",
        rule: str = "",
        node: object = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.recipe = recipe
        self.rule = rule
        self.node = node


PREDICATES: dict[str, str] = {}
# Predicates that tests force to "proved", to show that each one matters.
FORCED: set[str] = set()


def predicate(name: str, description: str) -> str:
    """Declare a precondition by name; returns the name."""
    PREDICATES[name] = description
    return name


def require(
    name: str, answer: Answer | Callable[[], Answer], node: object = None, rule: str = ""
) -> None:
    """Go on only if the precondition ``name`` is proved; raises Refusal otherwise."""
    if name not in PREDICATES:
        raise KeyError(f"undeclared predicate {name}")
    if name in FORCED:
        return
    given = answer if isinstance(answer, Answer) else answer()
    if given.verdict is not Verdict.PROVED:
        raise Refusal(name, given.message, given.recipe, rule, node)


class Rule:
    """What is done about some symbols of the ORM.

    The docstring is the rule's page: what it writes, why, and when it refuses.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    symbols: ClassVar[tuple[str, ...]] = ()
    # Whether the rule also takes symbols that are named but not called.
    references: ClassVar[bool] = False
    # A smaller number plans earlier: a rule may take over sites of the same statement.
    order: ClassVar[int] = 50

    def rewrite(self, site: Site, planning: Planning) -> Iterable[Edit]:
        """The edits for one site; raises Refusal when a precondition is not proved."""
        raise NotImplementedError


class Connections(Protocol):
    """What the planner asks about connections."""

    def key(self, site: Site, flow: Flow) -> Hashable | None:
        """Which connection the site uses, equal for equal connections; None when unknown."""

    @property
    def default_alias(self) -> str:
        """The alias that is meant when none is named."""

    def alias(self, site: Site, flow: Flow) -> tuple[bool, ast.expr | None]:
        """The expression that names the alias at a site of its own; None for the default one.

        False when it cannot be told what is named.
        """

    def owner(self, site: Site, flow: Flow) -> Object | None:
        """The object whose connection a constructor takes over, if it takes one."""

    def is_connect(self, symbol: str) -> bool:
        """Whether the symbol opens a connection."""

    def is_disconnect(self, symbol: str) -> bool:
        """Whether the symbol closes one."""

    def acts_on_alias(self, symbol: str) -> bool:
        """Whether the symbol changes what every user of the connection sees."""

    def is_default(self, key: Hashable | None) -> bool:
        """Whether the key is that of the connection which is meant when none is named."""

    def asks(self, symbol: str) -> bool:
        """Whether the symbol asks if a connection is open."""

    def lists(self, symbol: str) -> bool:
        """Whether the symbol tells of all connections that are open."""

    def configures(self, symbol: str) -> bool:
        """Whether the symbol stores what a later connect takes."""

    def needs_client(self, site: Site) -> bool:
        """Whether the rewritten site needs a client."""


@dataclass(frozen=True)
class RuleInfo:
    """A rule as ``--list-rules`` and ``--explain`` show it."""

    id: str
    title: str
    doc: str


@dataclass(frozen=True)
class RuleSet:
    """All rules, and the library they are about."""

    library: LibraryModel
    # The library with what its objects are in a release that programs have to run on.
    library_of: Callable[[tuple[int, ...]], LibraryModel]
    connections: Connections
    rules: tuple[Rule, ...]
    by_symbol: dict[str, Rule]
    client_class: str
    client_import: str
    unit_kinds: frozenset[str]
    # Kinds of objects that become names; the others become what the client returns.
    named_kinds: frozenset[str]
    # The parameter that names the object which a symbol gives: "name", "partition_name".
    name_parameter: Callable[[str], str | None]
    fallback: Callable[[str], str]
    recipe: Callable[[str], str]
    parameters: Callable[[str], tuple[str, ...]]
    # What a call shows in a notebook that the client's call does not show; None: nothing.
    shows: Callable[[str], str | None]
    # All releases of the library, oldest first, and those from a version on that lack a method
    # which a module calls on the client.
    releases: tuple[str, ...]
    lacking: Callable[[ast.Module, tuple[int, ...]], frozenset[str]]
    check_calls: Callable[[ast.Module, tuple[int, ...], ast.Module], Iterable[tuple[ast.Call, str]]]

    # Every id with its page, and so those under which something is only reported.
    infos: tuple[RuleInfo, ...] = ()

    def rule_for(self, symbol: str) -> Rule | None:
        """The rule that rewrites ``symbol``."""
        return self.by_symbol.get(symbol)

    def ids(self) -> frozenset[str]:
        """The ids of all rules."""
        return frozenset((*(info.id for info in self.infos), *(rule.id for rule in self.rules)))

    def rule_id(self, symbol: str) -> str:
        """The id under which ``symbol`` is reported."""
        rule = self.by_symbol.get(symbol)
        return rule.id if rule is not None else self.fallback(symbol)


@cache
def load() -> RuleSet:
    """Import all rule modules and return the rules."""
    package = importlib.import_module("milvus_rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"milvus_rules.{module.name}")
    rule_set: RuleSet = importlib.import_module("milvus_rules.library").rule_set(
        tuple(_subclasses(Rule))
    )
    return rule_set


def _subclasses(base: type[Rule]) -> list[Rule]:
    found = []
    for cls in base.__subclasses__():
        if not inspect.isabstract(cls) and "id" in cls.__dict__:
            found.append(cls())
        found.extend(_subclasses(cls))
    return sorted(found, key=lambda rule: rule.id)


def rules() -> list[RuleInfo]:
    """The rules with their pages, for listings."""
    return list(load().infos)
