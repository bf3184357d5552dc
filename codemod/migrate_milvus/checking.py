"""The self-check: what is shown or written was analysed again and found complete."""

from __future__ import annotations

import ast
import warnings

from migrate_milvus.interpreter import interpret
from migrate_milvus.planning import Context, Planning
from migrate_milvus.registry import RuleSet
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import SourceText


def check(
    source: SourceText, text: str, settings: Settings, rules: RuleSet, context: Context
) -> str | None:
    """What is wrong with the new ``text``, in a sentence; None when nothing is."""
    try:
        after = SourceText(text, source.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, source.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"the new text is not valid Python: {error}"
    flow = interpret(after, rules.library, context.reached, context.foreign)
    again = Planning(flow, settings, rules, context).plan()
    if again.edits:
        line = getattr(again.edits[0].node, "lineno", "?")
        return f"a second run would change line {line} again"
    undefined = _undefined(after.tree) - _undefined(source.tree)
    if undefined:
        return f"name '{sorted(undefined)[0]}' is not defined"
    for node, sentence in rules.check_calls(after.tree, settings.target_version, source.tree):
        return f"line {node.lineno}: {sentence}"
    return None


def _undefined(tree: ast.Module) -> set[str]:
    """Names that are read somewhere and bound nowhere in the module."""
    import builtins

    bound: set[str] = set(dir(builtins)) | {"__file__", "__name__", "__doc__", "__path__"}
    read: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Load()):
                read.add(node.id)
            case ast.Name():
                bound.add(node.id)
            case ast.arg():
                bound.add(node.arg)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias():
                if node.name == "*":
                    return set()
                bound.add(node.asname or node.name.partition(".")[0])
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                if node.name:
                    bound.add(node.name)
            case ast.MatchMapping():
                if node.rest:
                    bound.add(node.rest)
            case ast.Global() | ast.Nonlocal():
                bound.update(node.names)
    return read - bound
