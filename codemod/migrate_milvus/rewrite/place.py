"""Where nodes stand in the text, with the parentheses and f-strings that ``ast`` tells wrongly."""

from __future__ import annotations

import ast

from migrate_milvus.rewrite import fstrings
from migrate_milvus.rewrite.errors import RewriteError
from migrate_milvus.rewrite.tokens import CLOSING, LINE_END, OPENING, Tokens
from migrate_milvus.syntax import SourceText

_BOM = "\ufeff"
_COMPOUND = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.Match,
    *((ast.TryStar,) if hasattr(ast, "TryStar") else ()),
)


class Places:
    """The text of one file (without byte order mark) and the places of its nodes."""

    def __init__(self, source: SourceText) -> None:
        bare = source.text.lstrip(_BOM)
        self.mark = source.text[: len(source.text) - len(bare)]
        # Offsets are counted in the text that ``ast`` saw; the mark is put back at the end.
        self._offsets = SourceText(bare, source.name) if self.mark else source
        self.text = bare
        self.tree = source.tree
        self.parents = source.parents
        self.tokens = Tokens(bare)
        self._program = source.program
        self._in_strings: dict[ast.AST, dict[ast.AST, tuple[int, int]]] = {}

    def stays_one_line(self, node: ast.AST) -> bool:
        """Whether a statement must not be broken: a magic before it goes to the end of its line."""
        return self._program is not None and self._program.is_led(getattr(node, "lineno", 1))

    def where(self, node: ast.AST) -> str:
        """The place of a node in words, for messages."""
        return f"line {getattr(node, 'lineno', '?')}"

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The span of ``node`` without parentheses around it and without decorators.

        Raises RewriteError for nodes that have no place of their own.
        """
        if isinstance(node, ast.withitem):
            last = node.optional_vars or node.context_expr
            return self.span(node.context_expr)[0], self.span(last)[1]
        if isinstance(node, ast.arguments) and isinstance(
            function := self.parents[node], ast.FunctionDef | ast.AsyncFunctionDef
        ):
            return self._parentheses(function)
        if not hasattr(node, "end_col_offset"):
            raise RewriteError(f"a {type(node).__name__} has no place in the text")
        if not fstrings.TRUSTED and isinstance(node, ast.expr):
            string = self._outermost_string(node)
            if string is not None:
                return self._fields(string)[node]
        return self._offsets.span(node)

    def _parentheses(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
        """The span between the parentheses of a function that has no parameters."""
        token = self.tokens.after(self._offsets.span(function)[0])
        while token is not None and token.text != "(":
            token = self.tokens.after(token.end)
        last = self.tokens.after(token.end) if token is not None else None
        if token is None or last is None or last.text != ")":
            raise RewriteError(f"{self.where(function)}: the parameters were not found")
        return token.end, last.start

    def _outermost_string(self, node: ast.AST) -> ast.JoinedStr | None:
        found = None
        at: ast.AST | None = self.parents.get(node)
        while isinstance(at, (ast.expr, ast.keyword, ast.comprehension, ast.arguments, ast.arg)):
            if isinstance(at, ast.JoinedStr):
                found = at
            at = self.parents.get(at)
        return found

    def _fields(self, string: ast.JoinedStr) -> dict[ast.AST, tuple[int, int]]:
        if string not in self._in_strings:
            start, end = self._offsets.span(string)
            self._in_strings[string] = fstrings.locate(self.text, string, start, end)
        return self._in_strings[string]

    def in_fstring(self, node: ast.AST) -> bool:
        """Whether ``node`` is part of an f-string."""
        return self._outermost_string(node) is not None

    def fstring(self, node: ast.AST, start: int, end: int) -> ast.JoinedStr | None:
        """The outermost f-string around ``node`` that lies in the span, if there is one."""
        found = None
        at = self.parents.get(node)
        while at is not None and not isinstance(at, ast.stmt):
            if isinstance(at, ast.JoinedStr) and not self._is_specification(at):
                low, high = self.span(at)
                if start <= low and high <= end:
                    found = at
            at = self.parents.get(at)
        return found

    def _is_specification(self, string: ast.JoinedStr) -> bool:
        parent = self.parents.get(string)
        return isinstance(parent, ast.FormattedValue) and parent.format_spec is string

    def unit(self, node: ast.AST) -> ast.AST:
        """The statement, ``except`` or ``case`` clause that holds ``node``."""
        while not isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            node = self.parents[node]
        return node

    def start(self, unit: ast.AST) -> int:
        """Where a statement or clause starts, decorators included."""
        if isinstance(unit, ast.match_case):
            return self.text.rfind("case", 0, self.span(unit.pattern)[0])
        decorators: list[ast.expr] = getattr(unit, "decorator_list", [])
        if not decorators:
            return self._offsets.span(unit)[0]
        at = self.tokens.before(self.span(decorators[0])[0])
        while at is not None and at.text != "@":
            at = self.tokens.before(at.start)
        if at is None:
            raise RewriteError(f"{self.where(unit)}: decorator not found")
        return at.start

    def header_end(self, unit: ast.AST) -> int:
        """Where the header of a compound statement or clause ends, after its colon."""
        body = unit.cases if isinstance(unit, ast.Match) else unit.body  # type: ignore[attr-defined]
        at = self.tokens.before(self.start(body[0]))
        if at is None or at.text != ":":
            raise RewriteError(f"{self.where(unit)}: end of the header not found")
        return at.end

    def is_simple(self, node: ast.AST) -> bool:
        """Whether ``node`` is a simple statement."""
        return isinstance(node, ast.stmt) and not isinstance(node, _COMPOUND)

    def bracketed(self, node: ast.AST) -> bool:
        """Whether lines may end around ``node`` because a bracket is open there."""
        if self.in_fstring(node):
            return True
        return self.tokens.depth(self.start(self.unit(node)), self.span(node)[0]) > 0

    def own_parentheses(self, node: ast.AST) -> tuple[int, int] | None:
        """The span of the outermost parentheses around ``node`` that are not part of its parent."""
        if not isinstance(node, ast.expr) or self.in_fstring(node):
            return None
        parent = self.parents[node]
        while not hasattr(parent, "end_col_offset"):
            if isinstance(parent, (ast.mod, ast.match_case)):
                break
            parent = self.parents[parent]
        inside = isinstance(parent, (ast.expr, ast.keyword, ast.stmt))
        low, high = self._offsets.span(parent) if inside else (0, len(self.text))
        start, end = self.span(node)
        found = None
        while True:
            before, after = self.tokens.before(start), self.tokens.after(end)
            if before is None or after is None or (before.text, after.text) != ("(", ")"):
                return found
            if before.start < low or after.end > high:
                return found
            if isinstance(parent, ast.Call) and node is not parent.func and after.end == high:
                return found
            if isinstance(parent, ast.ClassDef) and self._follows_name(before.start, parent):
                return found
            found = start, end = before.start, after.end

    def _follows_name(self, offset: int, parent: ast.ClassDef) -> bool:
        before = self.tokens.before(offset)
        return before is not None and before.text == parent.name

    def shares_parentheses(self, node: ast.GeneratorExp) -> bool:
        """Whether the parentheses in the span of ``node`` are those of a call."""
        parent = self.parents[node]
        return isinstance(parent, ast.Call) and self.span(parent)[1] == self.span(node)[1]

    def item(self, node: ast.AST) -> tuple[int, int]:
        """The span of an item of a list, with parentheses, or with the star and the default."""
        start, end = self.own_parentheses(node) or self.span(node)
        if not isinstance(node, ast.arg):
            return start, end
        before = self.tokens.before(start)
        if before is not None and before.text in ("*", "**"):
            start = before.start
        arguments = self.parents[node]
        if isinstance(arguments, ast.arguments):
            positional = [*arguments.posonlyargs, *arguments.args]
            optional = positional[len(positional) - len(arguments.defaults) :]
            pairs = [
                *zip(optional, arguments.defaults, strict=True),
                *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
            ]
            for parameter, default in pairs:
                if parameter is node and default is not None:
                    end = (self.own_parentheses(default) or self.span(default))[1]
        return start, end

    def is_exploded(self, node: ast.AST) -> bool:
        """Whether ``node`` is a call over several lines whose arguments end with a comma.

        Formatters take that comma as the wish for one argument per line.
        """
        if not isinstance(node, ast.Call) or self.in_fstring(node):
            return False
        start, end = self.span(node)
        last = self.tokens.before(end - 1)
        several = LINE_END.search(self.text, start, end) is not None
        return several and last is not None and last.text == ","

    def enclosed_tuple(self, node: ast.AST) -> bool:
        """Whether ``node`` is a tuple whose span includes its parentheses."""
        if not isinstance(node, ast.Tuple):
            return False
        start, end = self.span(node)
        depth = 0
        if self.text[start] != "(":
            return False
        for item in self.tokens.code_within(start, end):
            depth += (item.text in OPENING) - (item.text in CLOSING)
            if depth == 0:
                return item.end == end
        return self.in_fstring(node)

    def loose(self, start: int, end: int) -> bool:
        """Whether a line ends inside the span where none of the span's own brackets is open."""
        depth, at = 0, start
        for item in self.tokens.within(start, end):
            gap = self.text[at : item.start]
            if depth == 0 and LINE_END.search(gap) and "\\" not in gap:
                return True
            depth += (item.text in OPENING) - (item.text in CLOSING)
            at = item.end
        return False

    def src_span(self, node: ast.AST) -> tuple[int, int]:
        """What ``Src(node)`` copies: the node, with its parentheses if they span several lines."""
        own = self.own_parentheses(node)
        if own is not None and LINE_END.search(self.text, *own):
            return own
        return self.span(node)
