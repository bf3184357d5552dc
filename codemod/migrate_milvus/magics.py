"""What IPython understands in a cell besides Python: magics, shell lines, help.

Each such line stays as it is, and a statement stands in for it in the analysis. It reads the names
that the line can read, as arguments of a function that is out of sight: an object that a magic
gets cannot be followed.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from migrate_milvus.cells import Cell, Code, Kept, Piece, indentation
from migrate_milvus.syntax import lines_of, tree_of

# What the stand-ins call; the names end up in messages: "passed to ipython_magic()".
_MAGIC, _SHELL, _HELP, _UNREAD = "ipython_magic", "shell", "ipython_help", "unreadable_cell"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Line magics that define no name and read none but what ``{}`` or ``$`` names.
_HARMLESS_LINES = _words("""
    matplotlib config autoreload load_ext reload_ext unload_ext pip conda mamba micromamba uv cd
    pwd pushd popd dirs dhist ls ll lf lk ldir lx env set_env mkdir rmdir cat cp mv rm man more
    less clear alias unalias rehashx colors precision pprint xmode doctest_mode automagic autosave
    autocall autoindent lsmagic magic quickref history hist rep logstart logstop logon logoff
    logstate notebook pdb tb profile page pinfo who who_ls whos gui tensorboard sql dotenv
    watermark black nb_black sh fs md html connect_info qtconsole killbgscripts subplots
""")
#: Cell magics whose cell is no Python of this program.
_HARMLESS_CELLS = _words("""
    bash sh script cmd powershell system sx ! html HTML javascript js latex markdown md svg SVG
    writefile file perl ruby sql bigquery mermaid css R
""")
#: ... and those whose cell is Python of this program.
_PYTHON_CELLS = _words("time capture prun snakeviz")
#: Words that IPython takes for a magic even without its sign.
_AUTOMATIC = _words("pip conda mamba cd ls ll pwd cat mkdir load_ext")

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_EXPANDED = re.compile(r"\{([^{}]*)\}|\$([^\W\d]\w*)")
_ASSIGNED = re.compile(r"([^\W\d][\w.]*(?:\s*,\s*[^\W\d][\w.]*)*)\s*=\s*([!%])(?!=)")
_QUESTION = re.compile(r"(\?{1,2})?\s*([%\w.*\[\]'\"]+)\s*(\?{1,2})?\s*(?:#.*)?$")
_RUN = re.compile(r"%run\s+(?:-\w+\s+)*(['\"]?)([\w./-]+?)(?:\.py)?\1(?:\s|$)")
_TOKEN = re.compile(
    r"#[^\r\n]*|(?P<triple>'''|\"\"\")|'(?:\\.|[^'\\\r\n])*'|\"(?:\\.|[^\"\\\r\n])*\""
    r"|[\[({]|[\])}]|\\(?=\r?\n|\r)|\r\n|\r|\n|[^#'\"\[\](){}\\\r\n]+|.",
    re.S,
)
_TEXT_ENDS = {quote: re.compile(rf"(?:\\.|(?!{quote}).)*{quote}", re.S) for quote in ("'''", '"""')}


class NamesCleared(Exception):
    """The notebook deletes all its names with a magic; ``cell`` is the number of the cell."""

    def __init__(self, cell: int) -> None:
        super().__init__(cell)
        self.cell = cell


def cells(sources: Iterable[tuple[int, str]], whole: frozenset[tuple[int, int]]) -> list[Cell]:
    """The cells of a notebook, given as numbers and texts.

    ``whole`` names magics, by cell and line, whose line is kept whole though it holds Python.
    """
    found = [Cell(number, text, tuple(_pieces(number, text, whole))) for number, text in sources]
    bound = {name for cell in found for name in _bound(_joined(cell.pieces))}
    return [
        replace(cell, pieces=tuple(_reading(piece, bound) for piece in cell.pieces))
        for cell in found
    ]


def _reading(piece: Piece, bound: set[str]) -> Piece:
    """What is kept, its stand-in reading only names that the notebook binds."""
    if isinstance(piece, Code) or "(" not in piece.stand_in:
        return piece
    head, _, rest = piece.stand_in.partition("(")
    names = [name for name in rest.rstrip(")").split(", ") if name in bound]
    call = f"{head}({', '.join(names)})"
    if not names and "=" not in head:
        call = indentation(piece.stand_in) + "pass"
    return replace(piece, stand_in=call)


def _bound(text: str) -> set[str]:
    """The names that a text binds anywhere, none when it cannot be parsed."""
    tree = _parsed(text)
    found: set[str] = set()
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.alias():
                found.add((node.asname or node.name).partition(".")[0])
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
    return found


def _parsed(text: str) -> ast.Module | None:
    """The tree of a text that a notebook can run, which knows ``await`` anywhere."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile(text, "<cell>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree_of(text)


def _joined(pieces: Iterable[Piece]) -> str:
    """The pieces as one text, with what stands in for those that are kept."""
    texts = (piece.text if isinstance(piece, Code) else piece.stand_in for piece in pieces)
    return "".join(text if text.endswith(("\n", "\r")) else f"{text}\n" for text in texts)


# A cell ---------------------------------------------------------------------------------


def _pieces(number: int, text: str, whole: frozenset[tuple[int, int]]) -> Iterator[Piece]:
    if not text.strip() or ("__future__" not in text and _parsed(text) is not None):
        yield from (Code(text),) if text else ()
        return
    lines = lines_of(text)
    first = next(index for index, line in enumerate(lines) if line.strip())
    if lines[first].startswith("%%"):
        yield from _cell_magic(number, lines, first, whole)
        return
    pieces = list(_python(number, lines, 1, whole))
    if _parsed(_joined(pieces)) is not None:
        yield from pieces
    else:
        yield _unread(text)


def _cell_magic(
    number: int, lines: list[str], first: int, whole: frozenset[tuple[int, int]]
) -> Iterator[Piece]:
    """A cell that begins with ``%%``."""
    text = "".join(lines)
    name, _, rest = lines[first][2:].strip().partition(" ")
    head, body = "".join(lines[: first + 1]), lines[first + 1 :]
    if name in _PYTHON_CELLS and (name == "capture" or not rest.strip()):
        stored = next((word for word in rest.split() if word.isidentifier()), "")
        stand_in = f"{stored} = {_MAGIC}()" if stored else "pass"
        pieces = [Kept(head, first + 1, stand_in), *_python(number, body, first + 2, whole)]
        if _parsed(_joined(pieces)) is not None:
            yield from pieces
            return
    harmless = name in _HARMLESS_CELLS
    read = _expanded(lines[first]) if harmless else _names(text)
    given = re.findall(r"--(?:out|err|proc)[ =]+(\w+)", rest) if harmless else []
    target = "".join(f"{name} = " for name in given)
    yield Kept(text, 1, f"{target}{_MAGIC}({', '.join(dict.fromkeys(read))})", alone=True)


def _unread(text: str) -> Kept:
    """A cell that cannot be read: Python would not run it either, but IPython may know more."""
    names = ", ".join(dict.fromkeys(_names(_without_comments(text))))
    return Kept(text, 1, f"{_UNREAD}({names})", alone=True)


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*$", "", text)


@dataclass
class _Scanner:
    """Tells at which lines a statement can begin: no bracket, text or line is open before them."""

    depth: int = 0
    quote: str = ""
    continued: bool = False

    @property
    def at_start(self) -> bool:
        return not self.depth and not self.quote and not self.continued

    def feed(self, line: str) -> None:
        self.continued = False
        at = 0
        while at < len(line):
            if self.quote:
                end = _TEXT_ENDS[self.quote].match(line, at)
                if end is None:
                    return
                self.quote, at = "", end.end()
                continue
            token = _TOKEN.match(line, at)
            if token is None:
                return
            at = token.end()
            if token["triple"]:
                self.quote = token["triple"]
            elif token[0] in "([{":
                self.depth += 1
            elif token[0] in ")]}":
                self.depth = max(0, self.depth - 1)
            elif token[0] == "\\":
                self.continued = True


def _python(
    number: int, lines: list[str], start: int, whole: frozenset[tuple[int, int]]
) -> Iterator[Piece]:
    """Lines of Python, with magics between them; ``start`` is the number of the first."""
    scanner = _Scanner()
    run: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        taken: list[Piece] = []
        last = index
        if scanner.at_start and line.strip():
            while lines[last].rstrip("\r\n").endswith("\\") and last + 1 < len(lines):
                last += 1
            text = "".join(lines[index : last + 1])
            taken = list(_special(number, text, start + index, (number, start + index) in whole))
        if not taken:
            scanner.feed(line)
            run.append(line)
            index += 1
            continue
        if run:
            yield Code("".join(run), start + index - len(run))
            run = []
        yield from taken
        index = last + 1
    if run:
        yield Code("".join(run), start + index - len(run))


def _special(number: int, text: str, line: int, whole: bool) -> Iterator[Piece]:
    """The pieces of a line that is no Python, nothing when it is."""
    indent = indentation(text)
    bare = text[len(indent) :].rstrip()

    def kept(statement: str) -> Kept:
        return Kept(text, line, indent + statement)

    def calls(function: str, names: Iterable[str]) -> Kept:
        return kept(f"{function}({', '.join(dict.fromkeys(names))})")

    assigned = _ASSIGNED.match(bare)
    if bare.startswith("!"):
        yield calls(_SHELL, _expanded(bare))
    elif assigned:
        function = _SHELL if assigned[2] == "!" else _MAGIC
        read = _expanded(bare) if assigned[2] == "!" else _names(bare[assigned.end() :])
        yield kept(f"{assigned[1]} = {function}({', '.join(dict.fromkeys(read))})")
    elif bare.startswith("%"):
        yield from _line_magic(number, text, bare, line, whole)
    elif "?" in bare and (asked := _QUESTION.match(bare)) and (asked[1] or asked[3]):
        yield calls(_HELP, _names(asked[2]))
    elif re.match(r"from\s+__future__\s+import\b", bare):
        yield kept("pass")  # it has to stand at the top of a module, but anywhere in a notebook
    elif _is_automatic(bare):
        yield calls(_SHELL, _expanded(bare))


def _line_magic(number: int, text: str, bare: str, line: int, whole: bool) -> Iterator[Piece]:
    indent = indentation(text)
    name, _, rest = bare[1:].partition(" ")
    if name in ("reset", "reset_selective"):
        raise NamesCleared(number)
    run = _RUN.match(bare)
    if run and not indent:
        module = ".".join(part for part in run[2].split("/") if part not in (".", ""))
        if ".." not in module and all(part.isidentifier() for part in module.split(".")):
            yield Kept(text, line, f"from {module} import *")
            return
    if name in ("time", "timeit") and not whole and "\\" not in bare:
        start = text.index(name) + len(name)
        start += len(text[start:]) - len(text[start:].lstrip(" \t"))
        if _is_simple(rest.strip(), name):
            yield Kept(text[:start], line, indent + "pass", leads=True)
            yield Code(indent + text[start:], line, start + 1 - len(indent))
            yield Kept("", line, indent + "pass")
            return
    read = _expanded(bare) if name in _HARMLESS_LINES else _names(rest)
    yield Kept(text, line, f"{indent}{_MAGIC}({', '.join(dict.fromkeys(read))})")


def _names(text: str) -> list[str]:
    """The words of a text that may be names of the program."""
    return [word for word in _WORD.findall(text) if not keyword.iskeyword(word)]


def _is_simple(text: str, magic: str) -> bool:
    """Whether a text is one simple statement; for ``%timeit``, whose names are lost, a value."""
    tree = _parsed(text)
    body = tree.body if tree is not None else []
    if len(body) != 1 or text.startswith("-") or ";" in text:
        return False
    return isinstance(body[0], ast.Expr | ast.Assign if magic == "time" else ast.Expr)


def _expanded(text: str) -> list[str]:
    """The names in what IPython expands in a shell line: ``{expression}`` and ``$name``."""
    return [
        name for match in _EXPANDED.finditer(text) for name in _names(match[1] or match[2] or "")
    ]


def _is_automatic(bare: str) -> bool:
    """Whether a line is a magic without its sign, such as ``pip install pymilvus``."""
    word, _, rest = bare.partition(" ")
    if word not in _AUTOMATIC or not rest or rest.lstrip().startswith(("=", "(", ".", ",", "[")):
        return False
    return _parsed(bare) is None
