"""Documents: a user's file, read without loss and replaced in one step.

A document keeps the bytes it came from. Its text has no byte order mark, and every line end as it
stands in the file; encoding that text again gives the same bytes, or the document is not made.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_milvus.model import Finding, Place, Severity

if TYPE_CHECKING:
    from migrate_milvus.syntax import SourceText

# Python files beyond this size are generated data; the tree of one would need gigabytes.
MAX_BYTES = 10_000_000
# Notebooks hold pictures.
MAX_NOTEBOOK_BYTES = 200_000_000
NOTEBOOK = ".ipynb"
# Pages of documentation, whose blocks of code are read when that is asked for.
PAGES = (".md", ".markdown", ".mdx", ".rst")
# Files that hold code and cannot be imported.
NO_MODULES = frozenset([NOTEBOOK, *PAGES])

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class DocumentError(Exception):
    """A file that cannot be read or written; the message is one line for the user.

    ``reason`` is the stable name of what is wrong.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """A changed text as its owner knows it: a whole file, or one cell of a notebook.

    ``name`` is what it is called, ``cell`` its number (0: no notebook).
    """

    name: str
    old: str
    new: str
    cell: int = 0


@dataclass(frozen=True)
class Document:
    """A user's file: where it is, how it is called in reports, and what it says.

    ``text`` has no byte order mark (``bom`` tells whether the file has one) and the line ends of
    the file; ``writable``: whether it may change. ``name`` is a path with forward slashes, relative
    where that is possible.
    """

    path: Path
    name: str
    text: str
    encoding: str
    bom: bool
    data: bytes
    writable: bool = True

    @classmethod
    def read(cls, path: Path, name: str) -> Document:
        """Read the file at ``path``; raises DocumentError when that is impossible."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DocumentError("unreadable", f"cannot be read: {_why(error)}") from error
        return cls.from_bytes(data, name, path)

    @classmethod
    def from_bytes(cls, data: bytes, name: str, path: Path) -> Document:
        """Decode ``data`` as Python does: byte order mark, then PEP 263 cookie, then UTF-8.

        Raises DocumentError for text that cannot be decoded, or not encoded again identically.
        """
        suffix = path.suffix.lower()
        is_notebook = suffix == NOTEBOOK
        refuse_size(len(data), MAX_NOTEBOOK_BYTES if is_notebook else MAX_BYTES)
        bom = data.startswith(_BOM)
        encoding = "utf-8" if suffix in NO_MODULES else _encoding(data)
        try:
            text = data[len(_BOM) if bom else 0 :].decode(encoding)
        except UnicodeDecodeError as error:
            line = len(_LINE_END.findall(data, 0, error.start)) + 1
            raise DocumentError(
                "undecodable", f"cannot be decoded as {encoding}: bad byte on line {line}"
            ) from error
        except (LookupError, UnicodeError, ValueError) as error:
            raise DocumentError(
                "undecodable", f"cannot be decoded as {encoding}: {_one_line(error)}"
            ) from error
        document = cls(path, name, text, encoding, bom, data)
        try:
            lossless = document.encode(text) == data
        except DocumentError:
            lossless = False
        if not lossless:
            raise DocumentError("lossy-encoding", f"cannot be written back unchanged as {encoding}")
        if suffix in NO_MODULES:
            from migrate_milvus import celled

            return celled.notebook(document) if is_notebook else celled.page(document)
        return document

    @classmethod
    def from_text(cls, text: str, name: str = "<stdin>", path: Path | None = None) -> Document:
        """A document that is not a file (yet): ``text`` as UTF-8 without a byte order mark."""
        data = text.encode("utf-8", "surrogatepass")
        return cls(path or Path(name), name, text, "utf-8", False, data)

    @classmethod
    def unreadable(cls, path: Path, name: str) -> Document:
        """What stands for a file that could not be read, in the result that says so."""
        return cls(path, name, "", "utf-8", False, b"")

    def source(self) -> SourceText:
        """The text with its tree; raises what ``SourceText`` raises."""
        from migrate_milvus.syntax import SourceText

        return SourceText(self.text, self.name)

    def place(self, line: int, column: int) -> Place:
        """Where the owner finds a place of ``text`` (line and column from 1)."""
        return Place(self.name, line, column)

    @property
    def is_celled(self) -> bool:
        """Whether ``text`` is put together from pieces of the file."""
        return False

    @property
    def is_page(self) -> bool:
        """Whether it is a page of documentation."""
        return False

    def kept(self) -> list[tuple[Place, str]]:
        """What of the file is no part of ``text``, but may be code as well."""
        return []

    def settled(self, text: str) -> str:
        """The new ``text`` as it is to be written."""
        return text

    def otherwise(self, error: DocumentError) -> Document | None:
        """Another reading of the same file, for which a new text may not fail with ``error``."""
        return None

    def notes(self) -> list[Finding]:
        """What the reader of the document has to tell its owner."""
        return []

    def parts(self, text: str) -> list[Part]:
        """What changes when ``text`` takes the place of the document's own, to be shown."""
        return [Part(self.name, self.text, text)]

    def encode(self, text: str) -> bytes:
        """``text`` as the bytes of this file; raises DocumentError if its encoding cannot."""
        try:
            data = text.encode(self.encoding)
        except UnicodeError as error:
            raise DocumentError(
                "unencodable", f"the new text cannot be encoded as {self.encoding}"
            ) from error
        return _BOM + data if self.bom else data

    def write(self, text: str) -> None:
        """Replace the file by ``text``, in one step: it holds the old or the new text, never half.

        A symbolic link stays a link; mode and owner stay. Raises DocumentError, the file untouched,
        when it or its folder is read-only, or when it changed since it was read.
        """
        data = self.encode(text)
        target = os.path.realpath(self.path)
        try:
            info = os.stat(target)
            with open(target, "rb") as stream:
                current = stream.read()
        except OSError as error:
            raise DocumentError("unwritable", f"cannot be written: {_why(error)}") from error
        if current != self.data:
            raise DocumentError("changed-on-disk", "changed on disk since it was read; not written")
        folder = os.path.dirname(target)
        # The superuser may write anywhere; a file marked read-only is meant to stay as it is.
        if not info.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise DocumentError("unwritable", "cannot be written: the file is read-only")
        if not os.stat(folder).st_mode & 0o222 or not os.access(folder, os.W_OK):
            raise DocumentError("unwritable", "cannot be written: its folder is read-only")
        try:
            with _temporary(folder) as (temporary, descriptor):
                with open(descriptor, "wb") as stream:
                    stream.write(data)
                    _keep_owner(descriptor, info)
                    os.chmod(temporary, stat.S_IMODE(info.st_mode))
                os.replace(temporary, target)
        except OSError as error:
            raise DocumentError("unwritable", f"cannot be written: {_why(error)}") from error


def refuse_size(size: int, limit: int) -> None:
    """Raise DocumentError for a file of more than ``limit`` bytes."""
    if size > limit:
        sizes = f"{size / 1e6:.1f} MB; the limit is {limit / 1e6:.0f} MB"
        raise DocumentError("too-large", f"file is too large to analyse: {sizes}")


def parse_problem(document: Document, error: BaseException) -> Finding:
    """The MLV001 finding for a document whose text could not be parsed.

    ``error`` is what ``ast.parse`` raised: SyntaxError, ValueError, RecursionError or MemoryError.
    """
    line, column = 1, 1
    if isinstance(error, SyntaxError):
        line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        reason, message = "syntax-error", f"not valid Python 3: {_one_line(error.msg)}"
    elif isinstance(error, (RecursionError, MemoryError)):
        reason, message = "too-deep", "nested too deeply to be parsed"
    else:
        reason, message = "syntax-error", f"not valid Python 3: {_one_line(error)}"
    return problem(document.name, reason, message, line, column)


def problem(name: str, reason: str, message: str, line: int = 1, column: int = 1) -> Finding:
    """The MLV001 finding for a file that could not be handled."""
    place = Place(name, line, column)
    return Finding(place, "MLV001", reason, message, severity=Severity.ERROR)


def _encoding(data: bytes) -> str:
    """The encoding that Python would read ``data`` with; raises DocumentError if it is unknown."""
    import tokenize

    # Lines as Python's tokenizer counts them: a lone carriage return ends one as well.
    ends = [match.end() for match, _ in zip(_LINE_END.finditer(data), range(2), strict=False)]
    starts = [0, *ends[:1]] if ends else [0]
    stops = ends if len(ends) == 2 else [*ends, len(data)]
    lines = iter(
        [data[a:b].rstrip(b"\r\n") + b"\n" for a, b in zip(starts, stops, strict=False) if b > a]
    )
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
    except SyntaxError as error:
        raise DocumentError("undecodable", f"cannot be decoded: {_one_line(error.msg)}") from error
    return "utf-8" if encoding == "utf-8-sig" else encoding


@contextlib.contextmanager
def _temporary(folder: str) -> Iterator[tuple[str, int]]:
    """A new file in ``folder``, gone afterwards unless it was renamed.

    Its name is known before it exists, so that an interrupt at any moment leaves nothing behind.
    """
    path = os.path.join(folder, f".migrate-milvus-{os.getpid()}-{os.urandom(8).hex()}.tmp")
    try:
        yield path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _keep_owner(descriptor: int, info: os.stat_result) -> None:
    """Give the new file the old one's owner and group, where the user may do that."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, info.st_uid, info.st_gid)


def _why(error: OSError) -> str:
    return _one_line(error.strerror or error).lower()


def _one_line(message: object) -> str:
    return " ".join(str(message).split()) or type(message).__name__
