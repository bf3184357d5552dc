"""The types of the catalogue: one ORM symbol is one frozen row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import Literal

from milvus_rules import versions

Kind = Literal[
    "function",
    "constructor",
    "method",
    "property",
    "class attribute",
    "class",
    "namespace",
    "idiom",
]

Verdict = Literal["safe", "if", "report", "unchanged"]

RAN = "both sides run on pymilvus 2.3.8 to 3.0.2, requests compared"
RAN_LITE = "both sides run on pymilvus 2.3.8 to 3.0.2 and on Milvus Lite, requests compared"
READ = "read in pymilvus' source"
LIVED = "read in the tagged pymilvus releases"


@dataclass(frozen=True)
class Parameter:
    """One positional-or-keyword parameter; ``default`` is its text, None when required."""

    name: str
    default: str | None = None


@dataclass(frozen=True)
class Symbol:
    """What is known about one ORM symbol.

    - ``name``: the canonical name, such as ``"Collection.search"`` or ``"utility.has_collection"``.
    - ``rule``: the id of the rule that owns it; "" where nothing has to happen.
    - ``signature``: the ORM's parameters without self, as pymilvus 3.0.2 declares them.
    - ``client``: names of the client methods that are written or recommended.
    - ``recipe``: what an owner who migrates this symbol alone can paste; may have several lines.
    - ``result``: what a call (or a read, for a property) gives, in terms of ORM kinds.
    - ``warns``: whether pymilvus 3.0.2 warns when it is used.
    - ``verdict``: "safe" and "if" can be rewritten ("if" under the rule's preconditions),
      "report" cannot, "unchanged" stays valid.
    - ``source``: where the facts come from.
    """

    name: str
    kind: Kind
    rule: str
    signature: str | None
    recipe: str
    client: tuple[str, ...] = ()
    result: str = "None"
    warns: bool = True
    verdict: Verdict = "safe"
    source: str = RAN
    needs: str = ""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the order in which they may be passed positionally."""
        return tuple(p for p in _parse(self.signature or "") if p.name != "**")

    @cached_property
    def keywords(self) -> bool:
        """Whether it accepts further keywords (``**kwargs``)."""
        return any(p.name == "**" for p in _parse(self.signature or ""))

    @cached_property
    def since(self) -> str:
        """The first pymilvus that has what is written, with holes: ``"2.4.11, not 2.5.0"``."""
        return self.needs or versions.requirement(self.client)

    @property
    def owner(self) -> str:
        """The part before the dot: ``"Collection"``; "" for a constructor or a class."""
        return self.name.rpartition(".")[0]

    @property
    def member(self) -> str:
        """The part after the dot: ``"search"``."""
        return self.name.rpartition(".")[2]


def _parse(signature: str) -> Iterator[Parameter]:
    """Reads ``"expr, timeout=None, **"``. No default of the ORM contains a comma."""
    for part in filter(None, (piece.strip() for piece in signature.split(","))):
        name, equals, default = part.partition("=")
        yield Parameter(name, default if equals else None)


def recipe(text: str) -> str:
    """A recipe written as an indented triple-quoted string, without the indentation."""
    return dedent(text).strip("\n").rstrip()
