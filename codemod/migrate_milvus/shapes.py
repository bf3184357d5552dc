"""Shapes of results of well-known functions outside the library (builtins, numpy, pandas)."""

from __future__ import annotations

import ast
import sys

from migrate_milvus.values import Shape

_CALLS: dict[str, Shape] = {
    **dict.fromkeys(("list", "sorted", "range"), Shape.LIST),
    **dict.fromkeys(("dict", "vars"), Shape.DICT),
    **dict.fromkeys(("str", "repr", "input", "chr", "hex", "format"), Shape.TEXT),
    **dict.fromkeys(("int", "float", "len", "sum", "abs", "round", "ord", "hash"), Shape.NUMBER),
}

_DOTTED: dict[str, Shape] = {
    "os.getenv": Shape.TEXT,
    "os.environ.get": Shape.TEXT,
    "os.path.join": Shape.TEXT,
    "random.sample": Shape.LIST,
    "random.choices": Shape.LIST,
    "random.random": Shape.NUMBER,
    "random.randint": Shape.NUMBER,
    "random.uniform": Shape.NUMBER,
    "time.time": Shape.NUMBER,
    "pandas.DataFrame": Shape.FRAME,
    "pandas.read_csv": Shape.FRAME,
    "pandas.read_json": Shape.FRAME,
    "pandas.read_parquet": Shape.FRAME,
    "sklearn.preprocessing.normalize": Shape.ARRAY,
}

# Look-ups that give None when the variable is not set and no default is given.
ENVIRONMENT = frozenset({"os.getenv", "os.environ.get"})

# Methods that tell the shape of their result whatever they are called on.
_METHODS: dict[str, Shape] = {
    "tolist": Shape.LIST,
    "to_list": Shape.LIST,
    "split": Shape.LIST,
    "splitlines": Shape.LIST,
    "astype": Shape.ARRAY,
    "reshape": Shape.ARRAY,
    "to_numpy": Shape.ARRAY,
    "strip": Shape.TEXT,
    "lower": Shape.TEXT,
    "upper": Shape.TEXT,
    "join": Shape.TEXT,
    "format": Shape.TEXT,
    "hexdigest": Shape.TEXT,
    "isoformat": Shape.TEXT,
    "to_dict": Shape.ANY,
}

_SCALAR_NUMPY = frozenset(
    ["mean", "sum", "max", "min", "float32", "float64", "int64", "dot", "linalg"]
)


def of_external_call(dotted: str) -> Shape:
    """The shape of calling ``dotted``, a name outside the library (``builtins.len``)."""
    if dotted.startswith("builtins."):
        return _CALLS.get(dotted[9:], Shape.ANY)
    if dotted.startswith("numpy."):
        last = dotted.rsplit(".", 1)[-1]
        if last in _SCALAR_NUMPY or ".linalg." in dotted or "default_rng" in dotted:
            return Shape.ANY
        # numpy.random.random() without a size is a number; a column of those would be refused
        # by the server on either side.
        return Shape.ARRAY
    return _DOTTED.get(dotted, Shape.ANY)


def of_method(name: str) -> Shape:
    """The shape of the result of a method of an unknown object."""
    return _METHODS.get(name, Shape.ANY)


_ANNOTATIONS: dict[str, Shape] = {
    **dict.fromkeys(("list", "List", "Sequence", "Iterable", "MutableSequence"), Shape.LIST),
    **dict.fromkeys(("ndarray", "NDArray", "Tensor"), Shape.ARRAY),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), Shape.DICT),
    "str": Shape.TEXT,
    "int": Shape.NUMBER,
    "float": Shape.NUMBER,
    "DataFrame": Shape.FRAME,
}


def of_annotation(annotation: ast.expr | None) -> tuple[Shape, Shape]:
    """The shape that an annotation promises, and that of the elements."""
    match annotation:
        case ast.Constant(value=str() as text):
            try:
                return of_annotation(ast.parse(text, mode="eval").body)
            except SyntaxError:
                return Shape.ANY, Shape.ANY
        case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
            return of_annotation(left)
        case ast.Subscript(value=value, slice=inner):
            name = _last_name(value)
            first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
            if name in ("Optional", "Annotated"):
                return of_annotation(first)
            shape = _ANNOTATIONS.get(name, Shape.ANY)
            return shape, of_annotation(first)[0] if shape is Shape.LIST else Shape.ANY
    return _ANNOTATIONS.get(_last_name(annotation), Shape.ANY), Shape.ANY


def _last_name(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


_HARMLESS = frozenset(
    {"builtins", "numpy", "pandas", "tqdm", "sklearn", "torch", "loguru", "rich", "dotenv"}
) | frozenset(sys.stdlib_module_names)
_ACTING = ("create", "collection", "restore", "rename", "setup", "init")


def is_harmless(dotted: str) -> bool:
    """Whether an outside function surely leaves the server alone."""
    return dotted.partition(".")[0] in _HARMLESS


def may_act(method: str) -> bool:
    """Whether a method of an unknown object may create something on the server, by its name."""
    return any(word in method.lower() for word in _ACTING)
