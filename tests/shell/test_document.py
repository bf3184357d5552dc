"""Documents: read without loss, replaced in one step."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_milvus.document import MAX_BYTES, Document, DocumentError, parse_problem

BOM = b"\xef\xbb\xbf"


def read(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "program.py"
    path.write_bytes(data)
    return Document.read(path, "program.py")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"x = 1\n", "utf-8"),
        (b"", "utf-8"),
        (b"x = 1", "utf-8"),
        (b"x = 1\r\ny = 2\r\n", "utf-8"),
        (b"x = 1\r\ny = 2\nz = 3\rt = 4", "utf-8"),
        (b"if x:\n\ty = 1\n\x0c\nz = 2\n", "utf-8"),
        (BOM + b"x = 1\n", "utf-8"),
        (BOM + b"# coding: utf-8\nx = 1\n", "utf-8"),
        ("x = '\u00e9\u4e2d\U0001f600\u2028'\n".encode(), "utf-8"),
        ("# -*- coding: latin-1 -*-\nx = '\u00e9'\n".encode("latin-1"), "iso-8859-1"),
        (
            "#!/usr/bin/env python\n# vim: fileencoding=cp1251\nx = '\u0436'\n".encode("cp1251"),
            "cp1251",
        ),
        ("#!python\r# coding: latin-1\rx = '\u00e9'\r".encode("latin-1"), "iso-8859-1"),
        ("# coding: gbk\nx = '\u4e2d'\n".encode("gbk"), "gbk"),
    ],
)
def test_every_file_encodes_again_to_its_bytes(tmp_path: Path, data: bytes, encoding: str) -> None:
    document = read(tmp_path, data)
    assert document.encoding == encoding
    assert document.bom == data.startswith(BOM)
    assert not document.text.startswith("\ufeff")
    assert document.encode(document.text) == data


def test_a_cookie_on_the_third_line_does_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, b"\n\n# coding: latin-1\n").encoding == "utf-8"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_loss_or_refused(data: bytes) -> None:
    try:
        document = Document.from_bytes(data, "x.py", Path("x.py"))
    except DocumentError as error:
        assert "\n" not in str(error)
    else:
        assert document.encode(document.text) == data


@pytest.mark.parametrize(
    ("data", "reason", "message"),
    [
        (b"x = 1\ny = '\xff'\n", "undecodable", "cannot be decoded"),
        (b"\n\n\ny = '\xff'\n", "undecodable", "cannot be decoded as utf-8: bad byte on line 4"),
        (b"# coding: klingon\n", "undecodable", "cannot be decoded: unknown encoding: klingon"),
        (b"# coding: rot13\n", "undecodable", "cannot be decoded"),
        (BOM + b"# coding: latin-1\n", "undecodable", "cannot be decoded: encoding problem: utf-8"),
        (b"# coding: utf-7\nx = '+AGE-'\n", "lossy-encoding", "cannot be written back unchanged"),
        (b"x" * (MAX_BYTES + 1), "too-large", "file is too large to analyse: 10.0 MB"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(
    tmp_path: Path, data: bytes, reason: str, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, data)
    assert caught.value.reason == reason
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: no such file or directory"):
        Document.read(tmp_path / "none.py", "none.py")


def test_text_becomes_a_document() -> None:
    document = Document.from_text("x = 1\r\n")
    assert (document.name, document.data) == ("<stdin>", b"x = 1\r\n")


def test_writing_keeps_byte_order_mark_encoding_and_mode(tmp_path: Path) -> None:
    document = read(tmp_path, BOM + b"x = 1\r\n")
    document.path.chmod(0o750)
    document.write(document.text.replace("1", "2"))
    assert document.path.read_bytes() == BOM + b"x = 2\r\n"
    assert stat.S_IMODE(document.path.stat().st_mode) == 0o750
    assert os.listdir(tmp_path) == ["program.py"]


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    target = tmp_path / "inner" / "real.py"
    target.write_bytes(b"x = 1\n")
    link = tmp_path / "link.py"
    link.symlink_to(Path("inner") / "real.py")
    Document.read(link, "link.py").write("x = 2\n")
    assert os.readlink(link) == "inner/real.py"
    assert target.read_bytes() == b"x = 2\n"


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    document = read(tmp_path, b"x = 1\n")
    document.path.chmod(0o444)
    with pytest.raises(DocumentError, match="cannot be written: the file is read-only"):
        document.write("x = 2\n")
    assert document.path.read_bytes() == b"x = 1\n"


def test_a_file_in_a_read_only_folder_is_left_alone(tmp_path: Path) -> None:
    document = read(tmp_path, b"x = 1\n")
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(DocumentError, match="cannot be written: its folder is read-only"):
            document.write("x = 2\n")
    finally:
        tmp_path.chmod(0o755)
    assert document.path.read_bytes() == b"x = 1\n"


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    document = read(tmp_path, b"x = 1\n")
    document.path.write_bytes(b"x = 3\n")
    with pytest.raises(DocumentError, match="changed on disk since it was read"):
        document.write("x = 2\n")
    assert document.path.read_bytes() == b"x = 3\n"


def test_a_text_that_the_encoding_lacks_is_not_written(tmp_path: Path) -> None:
    document = read(tmp_path, b"# coding: latin-1\nx = 1\n")
    with pytest.raises(DocumentError, match="cannot be encoded as iso-8859-1"):
        document.write("x = '\u4e2d'\n")
    assert document.path.read_bytes() == b"# coding: latin-1\nx = 1\n"


@pytest.mark.parametrize("call", ["replace", "chmod", "open"])
def test_a_failure_at_any_moment_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    document = read(tmp_path, b"x = 1\n")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(DocumentError, match="cannot be written: no space left on device"):
        document.write("x = 2\n")
    monkeypatch.undo()
    assert document.path.read_bytes() == b"x = 1\n"
    assert os.listdir(tmp_path) == ["program.py"]


@pytest.mark.parametrize("call", ["replace", "chmod", "fchown"])
def test_an_interrupt_at_any_moment_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    document = read(tmp_path, b"x = 1\n")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupt)
    with pytest.raises(KeyboardInterrupt):
        document.write("x = 2\n")
    monkeypatch.undo()
    assert document.path.read_bytes() == b"x = 1\n"
    assert os.listdir(tmp_path) == ["program.py"]


def test_a_real_interrupt_leaves_old_or_new_text(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    old, new = b"old = 1\n" * 20_000, b"new = 2\n" * 20_000
    path.write_bytes(old)
    code = (
        "import signal, sys; from pathlib import Path\n"
        "from migrate_milvus.document import Document\n"
        # A shell starts what runs in its background with interrupts ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"path = Path({str(path)!r}); texts = [{old[:8]!r}.decode() * 20000, "
        f"{new[:8]!r}.decode() * 20000]\n"
        "print('ready', flush=True)\n"
        "while True:\n    texts.reverse(); Document.read(path, 'x').write(texts[0])\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for delay in (0.01, 0.02, 0.03):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay)
        process.send_signal(signal.SIGINT)
        process.wait(10)
        process.stdout.close()
        assert path.read_bytes() in (old, new)
        assert os.listdir(tmp_path) == ["program.py"]


def test_a_parse_problem_says_where(tmp_path: Path) -> None:
    document = Document.from_text("x = 1\nprint 'x'\n", "old.py")
    with pytest.raises(SyntaxError) as caught:
        compile(document.text, "old.py", "exec")
    finding = parse_problem(document, caught.value)
    assert (finding.rule, finding.place.line) == ("MLV001", 2)
    assert finding.message.startswith("not valid Python 3: ")


def test_a_text_too_deep_for_the_parser_says_so() -> None:
    finding = parse_problem(Document.from_text("", "deep.py"), RecursionError("maximum"))
    assert (finding.reason, finding.message) == ("too-deep", "nested too deeply to be parsed")
