"""When an expression needs parentheses where it stands: Python's precedence as two functions.

Source: the expression grammar of the Python language reference (section "Operator precedence").
"""

from __future__ import annotations

import ast

(
    WALRUS,
    YIELD,
    TUPLE,
    LAMBDA,
    CONDITIONAL,
    OR,
    AND,
    NOT,
    COMPARE,
    BIT_OR,
    BIT_XOR,
    BIT_AND,
    SHIFT,
    SUM,
    PRODUCT,
    SIGN,
    POWER,
    AWAIT,
    ATOM,
) = range(19)

_BINARY: dict[type[ast.operator], int] = {
    ast.BitOr: BIT_OR,
    ast.BitXor: BIT_XOR,
    ast.BitAnd: BIT_AND,
    ast.LShift: SHIFT,
    ast.RShift: SHIFT,
    ast.Add: SUM,
    ast.Sub: SUM,
    ast.Mult: PRODUCT,
    ast.Div: PRODUCT,
    ast.Mod: PRODUCT,
    ast.FloorDiv: PRODUCT,
    ast.MatMult: PRODUCT,
    ast.Pow: POWER,
}
_PLAIN: dict[type[ast.AST], int] = {
    ast.NamedExpr: WALRUS,
    ast.Yield: YIELD,
    ast.YieldFrom: YIELD,
    ast.Tuple: TUPLE,
    ast.Lambda: LAMBDA,
    ast.IfExp: CONDITIONAL,
    ast.Compare: COMPARE,
    ast.Await: AWAIT,
}


def binding(node: ast.AST) -> int:
    """How tightly ``node`` holds together when it has no parentheses of its own.

    A starred expression counts as an atom: parentheses around it would be an error.
    """
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)]
    if isinstance(node, ast.BoolOp):
        return OR if isinstance(node.op, ast.Or) else AND
    if isinstance(node, ast.UnaryOp):
        return NOT if isinstance(node.op, ast.Not) else SIGN
    return _PLAIN.get(type(node), ATOM)


def required(parent: ast.AST | None, child: ast.AST) -> int:
    """How tightly an expression must hold together to stand bare in the place of ``child``."""
    match parent:
        case ast.Attribute() | ast.Await():
            return ATOM
        case ast.Call():
            return ATOM if child is parent.func else LAMBDA
        case ast.Subscript():
            return ATOM if child is parent.value else TUPLE
        case ast.UnaryOp(op=ast.Not()):
            return NOT
        case ast.UnaryOp():
            return SIGN
        case ast.BinOp(op=ast.Pow()):
            return AWAIT if child is parent.left else SIGN
        case ast.BinOp():
            return _BINARY[type(parent.op)] + (child is not parent.left)
        case ast.BoolOp():
            return binding(parent) + 1
        case ast.Compare() | ast.Starred():
            return BIT_OR
        case ast.IfExp():
            return LAMBDA if child is parent.orelse else OR
        case ast.comprehension():
            return TUPLE if child is parent.target else OR
        case ast.FormattedValue():
            return CONDITIONAL
        case ast.Dict():
            unpacked = [v for k, v in zip(parent.keys, parent.values, strict=True) if k is None]
            return BIT_OR if child in unpacked else LAMBDA
        case ast.Assign() | ast.AugAssign():
            return YIELD
        case ast.AnnAssign():
            return YIELD if child is parent.value else LAMBDA
        case ast.Expr():
            return YIELD
        case ast.Yield() | ast.Return() | ast.For() | ast.AsyncFor() | ast.Match():
            return TUPLE
        case _:
            return LAMBDA
