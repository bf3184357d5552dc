"""Going through the units one by one, in a pseudo-terminal and with answers from a pipe."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Run

TWO = """\
from pymilvus import Collection, connections, utility

connections.connect("default", host="localhost", port="19530")
films = Collection("films")
books = Collection("books")
films.flush()
books.flush()
print(utility.has_collection("x"))
"""
STAYS = TWO + "registry.register(books)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.py").write_text(TWO)
    return tmp_path


def titles(output: str) -> list[str]:
    return re.findall(r"^(?:.*\[\?\] )?(\[\d+ of \d+\] .*)$", output, re.M)


def test_every_unit_is_a_question(run_cli: Run, project: Path) -> None:
    result = run_cli("-i", input="s\ns\ns\n")
    assert titles(result.output) == [
        "[1 of 3] two.py:4 Collection, 2 uses",
        "[2 of 3] two.py:5 Collection, 2 uses",
        "[3 of 3] two.py:3 calls without an object, 2 uses",
    ]
    assert (project / "two.py").read_text() == TWO
    assert result.exit_code == 1
    assert "two.py:4: Collection and 1 more: skipped" in result.output


def test_what_follows_is_no_question(run_cli: Run, project: Path) -> None:
    (project / "two.py").write_text(TWO.replace('print(utility.has_collection("x"))\n', ""))
    assert titles(run_cli("-i", input="q\n").output) == ["[1 of 2] two.py:4 Collection, 2 uses"]
    (project / "two.py").write_text("".join(TWO.splitlines(keepends=True)[:3]))
    assert titles(run_cli("-i", input="q\n").output) == [
        "[1 of 1] two.py:3 calls without an object, 1 use"
    ]


def test_applying_everything_is_writing_everything(run_cli: Run, project: Path) -> None:
    assert run_cli("-i", input="a\na\na\n").exit_code == 0
    piecewise = (project / "two.py").read_text()
    (project / "two.py").write_text(TWO)
    assert run_cli("--write").exit_code == 0
    assert piecewise == (project / "two.py").read_text() != TWO


def test_what_is_applied_is_written_at_once_and_the_rest_is_left(
    run_cli: Run, project: Path
) -> None:
    result = run_cli("-i", input="s\na\nq\n")
    text = (project / "two.py").read_text()
    assert 'films = Collection("films")' in text
    assert 'client.flush("books")' in text
    assert "utility.has_collection" in text
    assert "connections.connect" in text
    assert result.exit_code == 1
    assert "Written:\n    two.py (2 ORM uses)\n" in result.output


@pytest.mark.parametrize("answers", ["q\n", ""])
def test_quitting_and_the_end_of_the_input_write_nothing(
    run_cli: Run, project: Path, answers: str
) -> None:
    assert run_cli("-i", input=answers).exit_code == 1
    assert (project / "two.py").read_text() == TWO


def test_the_rest_can_be_applied_at_once(run_cli: Run, project: Path) -> None:
    result = run_cli("-i", input="s\nr\n")
    text = (project / "two.py").read_text()
    assert 'films = Collection("films")' in text
    assert "utility" not in text
    assert result.output.count("[?] ") == 2


def test_the_change_and_the_keys_can_be_shown_again(run_cli: Run, project: Path) -> None:
    output = run_cli("-i", input="d\n?\nx\nq\n").output
    assert output.count("+client = MilvusClient(") == 2
    assert output.count("a  apply: write this change") == 2


def test_units_that_stay_are_no_question_and_are_reported(run_cli: Run, project: Path) -> None:
    (project / "two.py").write_text(STAYS)
    result = run_cli("-i", input="a\na\n")
    assert len(titles(result.output)) == 2
    assert "MLV290 Collection is passed to registry.register()" in result.output


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    run_cli: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrate_milvus import cli

    answers = iter("aaa")

    def ask(prompt: str) -> str:
        (project / "two.py").write_text(TWO + "# mine\n")
        return next(answers)

    monkeypatch.setattr(cli, "_ask", ask)
    result = run_cli("-i")
    assert result.exit_code == 2
    assert "changed on disk" in result.output
    assert (project / "two.py").read_text() == TWO + "# mine\n"


def test_what_a_baseline_knows_does_not_count(run_cli: Run, project: Path) -> None:
    run_cli("--baseline", "known.json", "--write-baseline")
    result = run_cli("-i", "--baseline", "known.json", input="a\nq\n")
    assert result.exit_code == 0
    assert "6 ORM uses known from the baseline" in result.output


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self._end, child = pty.openpty()
        self._shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "migrate_milvus", *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env=environment,
            close_fds=True,
            start_new_session=True,
        )
        os.close(child)

    def until(self, text: str) -> str:
        """What is shown up to ``text``; fails when it does not come."""
        assert self._comes(text, 60), self._shown
        before, _, self._shown = self._shown.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def interrupt(self, text: str) -> None:
        """Interrupt the program until ``text`` is shown.

        Python looks for signals before it begins to wait for a line. One that comes just between
        the two is noticed with the next one.
        """
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            if self._comes(text, 6):
                return
        raise AssertionError(self._shown)

    def close(self) -> int:
        code = self.process.wait(60)
        os.close(self._end)
        return code

    def _comes(self, text: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while text not in self._shown:
            ready, _, _ = select.select([self._end], [], [], 0.5)
            if ready:
                try:
                    self._shown += self._decoder.decode(os.read(self._end, 65536))
                except OSError:  # the program ended, which closed the other end
                    break
            elif time.monotonic() > deadline:
                break
        return text in self._shown


def test_in_a_terminal(project: Path) -> None:
    terminal = Terminal("--interactive")
    first = terminal.until("[?] ")
    assert "\x1b[32m+client = MilvusClient(" in first
    terminal.type("a\n")
    second = terminal.until("[?] ")
    assert "two.py:5 Collection, 2 uses" in second
    assert 'client.flush("films")' in (project / "two.py").read_text()
    terminal.type("s\n")
    terminal.until("[?] ")
    terminal.type("q\n")
    assert "Written:" in terminal.until("1 file written.")
    assert terminal.close() == 1


def test_an_interrupt_in_a_terminal_keeps_what_was_applied(project: Path) -> None:
    terminal = Terminal("--interactive", "--no-color")
    terminal.until("[1 of 3] two.py")
    assert "\x1b" not in terminal.until("[?] ")
    terminal.type("a\n")
    terminal.until("[?] ")
    terminal.interrupt("Interrupted: every file holds its old or its new text.")
    assert terminal.close() == 130
    assert 'client.flush("films")' in (project / "two.py").read_text()
