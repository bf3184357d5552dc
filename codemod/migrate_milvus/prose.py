"""Python in documentation: fenced blocks, ``code-block`` directives, and examples with prompts.

Only the lines of code are looked at and changed; the text around them stays as it is. All blocks of
a page are one program, in their order.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from migrate_milvus import magics
from migrate_milvus.cells import Cell, Code, Displaced, Kept, indentation
from migrate_milvus.syntax import lines_of, tree_of

MARKDOWN = frozenset([".md", ".markdown", ".mdx"])
RESTRUCTURED = frozenset([".rst"])

_FENCE = re.compile(r"(?P<prefix>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\r\n]*)")
_DIRECTIVE = re.compile(
    r"(?P<indent>[ \t]*)\.\. (?P<name>code-block|code|sourcecode|testcode|testsetup|testcleanup)"
    r"::[ \t]*(?P<language>\S*)[ \t]*$"
)
_OPTION = re.compile(r"[ \t]*:[\w-]+:")
_LANGUAGES = frozenset(["python", "python3", "py", "py3", "ipython", "ipython3", "pycon"])
_OWN_LANGUAGE = frozenset(["testcode", "testsetup", "testcleanup", "code-cell"])
_CODE_DIRECTIVES = frozenset(["code-block", "code", "sourcecode"])
_SKIP = re.compile(r"^[ \t]*(?:<!--|\.\.)[ \t]*migrate-milvus:[ \t]*skip-file\b", re.M | re.I)
_PROMPT = ">>>"


@dataclass(frozen=True)
class Block:
    """Lines of a page that are code: the first one (from 0), and what they are in the file.

    ``width`` characters of each line are no code. With ``prompts`` it is one example, which
    ``shows`` its value or not.
    """

    first: int
    lines: tuple[str, ...]
    width: int
    prompts: bool = False
    shows: bool = False

    @property
    def text(self) -> str:
        """The code."""
        return "".join(self._bare(line) for line in self.lines)

    def _bare(self, line: str) -> str:
        content = line.rstrip("\r\n")
        return content[self.width :] + line[len(content) :]

    def written(self, code: str) -> str:
        """The lines that say ``code``; those that it has already are as they were."""
        old = [self._bare(line) for line in self.lines]
        new = lines_of(code)
        if self.prompts:
            return "".join(self._prompted(new))
        parts: list[str] = []
        for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            parts += self.lines[i:j] if tag == "equal" else map(self._indented, new[k:m])
        return "".join(parts)

    def _indented(self, line: str) -> str:
        prefix = next((raw[: self.width] for raw in self.lines if raw.strip()), "")
        return prefix + line if line.strip() else prefix.rstrip() + line.lstrip(" \t")

    def _prompted(self, lines: Sequence[str]) -> Iterator[str]:
        """``lines`` as somebody types them at the prompt."""
        indent = self.lines[0][: self.width - 4]
        end = next((line[len(line.rstrip("\r\n")) :] for line in self.lines), "\n")
        inside = {
            number
            for statement in ast.parse("".join(lines)).body
            for number in range(_start(statement) + 1, (statement.end_lineno or 0) + 1)
        }
        for number, line in enumerate(lines, 1):
            if number in inside or line.strip():
                prompt = "..." if number in inside else _PROMPT
                content = line.rstrip("\r\n")
                yield f"{indent}{prompt} {content}".rstrip() + (line[len(content) :] or end)


def _start(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def blocks(text: str, suffix: str) -> list[Block]:
    """The blocks of Python on a page, which is Markdown or reStructuredText by its suffix."""
    if _SKIP.search(text):
        return []
    lines = lines_of(text)
    if suffix in MARKDOWN:
        return [
            block
            for first, stop, width in _fences(lines)
            for block in _blocks_of(lines, first, stop, width)
        ]
    found = [
        block
        for first, stop, width in _directives(lines)
        if not _is_prompted(lines, first, stop, width)
        for block in _blocks_of(lines, first, stop, width)
    ]
    return sorted([*found, *examples(lines, 0, len(lines), 0)], key=lambda block: block.first)


def _blocks_of(lines: list[str], first: int, stop: int, width: int) -> Iterator[Block]:
    if _is_prompted(lines, first, stop, width):
        yield from examples(lines, first, stop, width)
    elif first < stop:
        yield Block(first, tuple(lines[first:stop]), width)


def _is_prompted(lines: list[str], first: int, stop: int, width: int) -> bool:
    code = next((line[width:] for line in lines[first:stop] if line[width:].strip()), "")
    return code.lstrip().startswith(_PROMPT)


def _fences(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """Where the code of fenced Python blocks begins and ends, and how far in it stands."""
    index = 0
    while index < len(lines):
        opened = _FENCE.match(lines[index])
        index += 1
        if opened is None or ("`" in opened["info"] and opened["fence"][0] == "`"):
            continue
        close = re.compile(rf"[ \t>]*{opened['fence'][0]}{{{len(opened['fence'])},}}[ \t]*$")
        first = index
        while index < len(lines) and not close.match(lines[index].rstrip("\r\n")):
            index += 1
        stop = index
        index += 1
        language, directive = _language(opened["info"])
        if language not in _LANGUAGES:
            continue
        width = len(opened["prefix"])
        if directive:
            first = _after_options(lines, first, stop, width)
        if all(not line[:width].strip(" \t>\r\n") for line in lines[first:stop]):
            yield first, stop, width


def _language(info: str) -> tuple[str, bool]:
    """The language that the words after a fence name, and whether they are a directive of MyST."""
    directive = re.match(r"\{([\w-]+)\}[ \t]*(\S*)", info)
    if directive is None:
        word = re.match(r"\{?\.?([\w+-]+)", info)
        return (word[1].lower() if word else ""), False
    name, argument = directive[1].lower(), directive[2].lower()
    if name in _CODE_DIRECTIVES:
        return argument, True
    if name in _OWN_LANGUAGE:
        return argument or "python", True
    return name, True


def _after_options(lines: list[str], first: int, stop: int, width: int) -> int:
    """The first line of code after the options of a directive."""
    start = first
    if first < stop and lines[first][width:].strip() == "---":
        first += 1
        while first < stop and lines[first][width:].strip() != "---":
            first += 1
        return first + 1 if first < stop else start
    while first < stop and _OPTION.match(lines[first][width:]):
        first += 1
    return first


def _directives(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """The same for directives of reStructuredText."""
    for index, line in enumerate(lines):
        found = _DIRECTIVE.match(line.rstrip("\r\n"))
        if found is None:
            continue
        own = found["name"] in _OWN_LANGUAGE
        if not own and found["language"].lower() not in _LANGUAGES:
            continue
        outer = len(found["indent"])
        first = index + 1
        while first < len(lines) and _OPTION.match(lines[first]) and _indent(lines[first]) > outer:
            first += 1
        stop = last = first
        while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > outer):
            last += 1
            if lines[last - 1].strip():
                stop = last
        while first < stop and not lines[first].strip():
            first += 1
        if first < stop:
            width = min(_indent(known) for known in lines[first:stop] if known.strip())
            yield first, stop, width


def _indent(line: str) -> int:
    return len(indentation(line))


def examples(lines: Sequence[str], first: int, stop: int, width: int) -> Iterator[Block]:
    """The examples with prompts in some lines; none where the standard library finds fault."""
    text = "".join(Block(first, tuple(lines[first:stop]), width).text)
    try:
        parsed = doctest.DocTestParser().get_examples(text.replace("\r\n", "\n"))
    except ValueError:
        return
    for example in parsed:
        start = first + example.lineno
        size = example.source.count("\n")
        yield Block(
            start,
            tuple(lines[start : start + size]),
            width + example.indent + 4,
            prompts=True,
            shows=bool(example.want),
        )


def cells(found: Sequence[Block], whole: frozenset[tuple[int, int]]) -> list[Cell]:
    """The blocks as cells of one program; ``whole`` as for ``magics.cells``.

    They have numbers below zero: a page counts by its lines.
    """
    typed = {block: _typed(block) for block in found if block.prompts}
    texts = (_code(typed[block]) if block.prompts else block.text for block in found)
    plain = magics.cells(((-n, text) for n, text in enumerate(texts, 1)), whole)
    return [
        Cell(
            cell.number,
            block.text,
            typed.get(block, cell.pieces),
            block.shows,
            block.first + 1,
            block.width,
        )
        for cell, block in zip(plain, found, strict=True)
    ]


def _typed(block: Block) -> tuple[Code | Kept, ...]:
    """An example, which is kept when it is no Python."""
    if tree_of(block.text) is None:
        return (Kept(block.text, 1, alone=True),)
    return (Code(block.text),)


def _code(pieces: Sequence[Code | Kept]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Code))


def spliced(text: str, found: Sequence[Block], new: Sequence[str]) -> str:
    """The page ``text`` with new code in its blocks; raises Displaced."""
    lines = lines_of(text)
    for block, code in reversed(list(zip(found, new, strict=True))):
        if code == block.text:
            continue
        if not code.strip() and block.shows:
            raise Displaced(f"nothing is left of line {block.first + 1}, whose value is shown")
        stop = block.first + len(block.lines)
        lines[block.first : stop] = [block.written(code)]
    return "".join(lines)
