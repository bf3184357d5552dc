"""Comments by which a user tells the tool to leave code alone.

``# migrate-milvus: ignore`` and ``# migrate-milvus: ignore[MLV401, MLV5]`` speak about their line
(an id may be shortened: ``MLV4`` stands for all of ``MLV4xx``); ``# migrate-milvus: skip-file``
anywhere speaks about the file.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from migrate_milvus.model import Finding, Place, Severity

NO_RULE = "<none>"

_MARK = "migrate-milvus:"
_COMMENT = re.compile(r"#\s*migrate-milvus:\s*(?:(skip-file)\b|ignore\b(\s*\[([^\]]*)\])?)", re.I)


@dataclass(frozen=True)
class IgnoreComment:
    """One ``ignore`` comment; no rules means every rule. Line and column count from 1."""

    line: int
    column: int
    rules: tuple[str, ...]
    text: str

    def covers(self, rule: str) -> bool:
        """Whether this comment speaks about ``rule``."""
        return not self.rules or any(rule.startswith(wanted) for wanted in self.rules)


@dataclass
class Suppressions:
    """The comments of one file, and which of them were of use."""

    skip_file: bool = False
    comments: tuple[IgnoreComment, ...] = ()
    _used: set[IgnoreComment] = field(default_factory=set)

    def ignores(self, line: int, rule: str, end_line: int | None = None) -> bool:
        """Whether a comment on ``line`` (or up to ``end_line``) silences ``rule``.

        A comment that answers yes counts as used from then on.
        """
        last = line if end_line is None else end_line
        found = [c for c in self.comments if line <= c.line <= last and c.covers(rule)]
        self._used.update(found)
        return bool(found)

    def unused(self, name: str, known: Collection[str] = ()) -> list[Finding]:
        """A note (MLV002) for each comment that silenced nothing; ``name`` is the file's.

        One that names rules of which none is ``known`` is told apart (where some are known).
        """
        found: list[Finding] = []
        for comment in self.comments:
            place = Place(name, comment.line, comment.column)
            strange = [
                wanted
                for wanted in comment.rules
                if known
                and wanted != NO_RULE
                and not any(rule.startswith(wanted) for rule in known)
            ]
            if strange:
                found.append(
                    Finding(
                        place,
                        "MLV002",
                        "unknown-rule",
                        f"`{comment.text}` names {', '.join(strange)}, which is no rule"
                        if len(strange) == 1
                        else f"`{comment.text}` names {', '.join(strange)}, which are no rules",
                        "migrate-milvus --list-rules lists them.",
                        Severity.NOTE,
                    )
                )
            elif comment not in self._used:
                found.append(
                    Finding(
                        place,
                        "MLV002",
                        "unused-suppression",
                        f"`{comment.text}` silences nothing on this line",
                        "Remove the comment.",
                        Severity.NOTE,
                    )
                )
        return found


def parse(text: str) -> Suppressions:
    """The suppressions in ``text``; only comments count, never strings."""
    if _MARK not in text.lower():
        return Suppressions()
    skip_file = False
    comments: list[IgnoreComment] = []
    for line, column, comment in _comments(text):
        for match in _COMMENT.finditer(comment):
            if match[1]:
                skip_file = True
                continue
            rules = tuple(rule.strip().upper() for rule in (match[3] or "").split(","))
            rules = tuple(rule for rule in rules if rule)
            if match[2] and not rules:
                rules = (NO_RULE,)  # empty brackets: silences nothing, is reported
            comments.append(IgnoreComment(line, column + match.start(), rules, match[0]))
    return Suppressions(skip_file, tuple(comments))


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column (both from 1) and text of each comment, as far as ``text`` can be read."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1] + 1, token.string
    except (tokenize.TokenError, SyntaxError):
        return
