"""The value lattice of the flow analysis.

An *abstract value* is a set of ``Value``s: what an expression may hold. The empty set is "nothing
known yet" (bottom); ``Opaque`` stands for anything, so it proves nothing about what it holds, but
two equal ``Opaque``s are the same run-time value while their origin is not evaluated again.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from migrate_milvus.runners import Form

if TYPE_CHECKING:
    from migrate_milvus.program import ClassInfo, FunctionInfo, Module


class Shape(Enum):
    """As much as is known of a value whose content is not."""

    ANY = "any"
    LIST = "list"
    ARRAY = "array"
    DICT = "dict"
    TEXT = "text"
    NUMBER = "number"
    FRAME = "frame"


@dataclass(frozen=True)
class Const:
    """A constant; ``kind`` keeps 1, 1.0 and True apart."""

    value: object
    kind: str = ""

    @staticmethod
    def of(value: object) -> Const:
        """The value of a literal."""
        return Const(value, type(value).__name__)


@dataclass(frozen=True)
class Opaque:
    """A value whose content is unknown, told apart by where it came from.

    ``element`` is the shape of its elements, where an annotation tells.
    """

    origin: Hashable
    shape: Shape = Shape.ANY
    element: Shape = Shape.ANY


@dataclass(frozen=True)
class Container:
    """A list, tuple, set or dict made by the display or comprehension ``origin``."""

    origin: Hashable
    kind: str


@dataclass(frozen=True)
class Library:
    """A symbol of the library, by canonical name: ``Collection``, ``utility.has_collection``."""

    name: str


@dataclass(frozen=True)
class Object:
    """A library object of ``kind`` made by the call ``origin``."""

    kind: str
    origin: Hashable


@dataclass(frozen=True)
class Bound:
    """A method of a library object, not called yet."""

    owner: Object
    member: str


@dataclass(frozen=True)
class Function:
    """A function of the program, with the instance it is bound to."""

    info: FunctionInfo
    bound: ClassInfo | None = None


@dataclass(frozen=True)
class Class:
    """A class of the program."""

    info: ClassInfo


@dataclass(frozen=True)
class Instance:
    """An object of a class of the program; objects of one class are not told apart."""

    info: ClassInfo


@dataclass(frozen=True)
class Given:
    """What a parameter gives that a function calls: another thing for each call of the function.

    It stays within the function, which only returns it or tests it for being something.
    """

    info: FunctionInfo
    parameter: str


@dataclass(frozen=True)
class Later:
    """What stands for the result of a call that is made later: a future, a partial function.

    The result is in the slot ``result`` of ``origin``, the call that made it.
    """

    origin: Hashable
    form: Form


@dataclass(frozen=True)
class ModuleValue:
    """A module outside the library, by dotted name, or something of one that is not analysed.

    ``home`` is the module of the program that it is, or the path of one of the project.
    """

    name: str
    home: Module | str | None = None


Value: TypeAlias = (
    Const
    | Opaque
    | Container
    | Library
    | Object
    | Bound
    | Function
    | Class
    | Instance
    | Given
    | Later
    | ModuleValue
)
Abstract: TypeAlias = frozenset[Value]

BOTTOM: Abstract = frozenset()
NONE = Const.of(None)
# More alternatives than this prove nothing any more.
LIMIT = 12
MANY = Opaque("many values")


def join(left: Abstract, right: Abstract) -> Abstract:
    """The smallest abstract value that holds both."""
    if left is right or not right:
        return left
    if not left:
        return right
    if right <= left:
        return left
    joined = left | right
    if len(joined) > LIMIT or MANY in joined:
        # Objects are never forgotten: that would lose an ORM use. Nothing else comes back, or
        # what changes with every round would never settle.
        return frozenset(v for v in joined if _is_object(v)) | {MANY}
    return joined


def _is_object(value: Value) -> bool:
    several = isinstance(value, Opaque) and several_of(value) is not None
    return several or isinstance(value, Object | Bound | Library | Given | Later)


def only(values: Abstract) -> Value | None:
    """The one value that ``values`` holds, or None."""
    return next(iter(values)) if len(values) == 1 else None


def objects(values: Abstract, *kinds: str) -> frozenset[Object]:
    """The library objects among ``values``, of the given kinds (all kinds when none is given)."""
    return frozenset(v for v in values if isinstance(v, Object) and (not kinds or v.kind in kinds))


def several_of(value: Opaque) -> str | None:
    """The kind of library objects that a list result holds, or None."""
    if isinstance(value.origin, tuple) and value.origin[0] == "list of":
        return str(value.origin[1])
    return None


def generator_of(value: Opaque) -> FunctionInfo | None:
    """The function of the program whose generator this is, or None."""
    if isinstance(value.origin, tuple) and value.origin[0] == "generator":
        info: FunctionInfo = value.origin[1]
        return info
    return None
