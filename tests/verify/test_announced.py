"""An output that differs because a rule said so is named as that, and still counts."""

from __future__ import annotations

from collections.abc import Callable

from migrate_milvus.verify import report
from migrate_milvus.verify.verifying import ECHO, Status, Verdict

PROGRAM = """\
from pymilvus import connections, utility

connections.connect(host="localhost", port="19530")
print({shown})
print(utility.has_collection("announced"))
"""


def test_what_a_note_announced_stands_beside_the_difference(
    verify_text: Callable[..., Verdict],
) -> None:
    verdict = verify_text(PROGRAM.format(shown="connections.list_connections()"), backend=ECHO)
    assert verdict.status is Status.DIFFERENT
    assert not verdict.differences
    text = " ".join(report.text(verdict).split())
    assert "these lines that they print something else now: " in text
    assert "program.py:4 MLV103 what line 4 shows becomes the client" in text


def test_without_a_difference_nothing_is_announced(verify_text: Callable[..., Verdict]) -> None:
    verdict = verify_text(PROGRAM.format(shown='"hello"'), backend=ECHO)
    assert verdict.status is Status.EQUAL
    assert "print something else" not in report.text(verdict)
