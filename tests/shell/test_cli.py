"""The command line, around a stand-in for the analysis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import jsonschema
import pytest
from pytest_snapshot.plugin import Snapshot

import migrate_milvus
from tests.conftest import Run

SCHEMA = Path(migrate_milvus.__file__).parent / "report" / "schema.json"
CHANGES = "import pymilvus\nold_api()\n"
BLOCKED = "import pymilvus\nstuck_api()\n"
CLEAN = "import pymilvus\n"
IGNORED = "import pymilvus\nold_api()  # migrate-milvus: ignore\nx()  # migrate-milvus: ignore\n"

pytestmark = pytest.mark.usefixtures("stub_engine")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mixed(project: Path) -> Path:
    """One file of each kind, and one that is broken."""
    (project / "blocked.py").write_text(BLOCKED)
    (project / "broken.py").write_text("import pymilvus\nprint 'x'\n")
    (project / "changes.py").write_text(CHANGES)
    (project / "clean.py").write_text(CLEAN)
    (project / "ignored.py").write_text(IGNORED)
    (project / "plain.py").write_text("print()\n")
    return project


@pytest.fixture
def snapshots(snapshot: Snapshot) -> Snapshot:
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    return snapshot


# ---- what is printed -----------------------------------------------------------------------------


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report", []),
        ("diff", ["--diff"]),
        ("verbose", ["--verbose"]),
        ("quiet", ["--quiet"]),
        ("check", ["--check"]),
        ("write", ["--write"]),
        ("json", ["--report", "json"]),
        ("colour", ["--diff", "--color"]),
    ],
)
def test_what_a_run_prints(
    run_cli: Run, snapshots: Snapshot, name: str, arguments: list[str]
) -> None:
    result = run_cli(*arguments)
    assert result.exit_code == 2
    snapshots.assert_match(result.output, f"{name}.txt")


def test_the_json_report_fits_its_schema(run_cli: Run, mixed: Path) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for arguments in ([], ["--write"]):
        data = json.loads(run_cli("--report", "json", *arguments).output)
        jsonschema.validate(data, schema)
        summary = data["summary"]
        assert summary["found"] == 3
        assert summary["rewritten"] + summary["reported"] + summary["ignored"] == 3
        assert {file["path"]: file["status"] for file in data["files"]} == {
            "blocked.py": "reported",
            "broken.py": "failed",
            "changes.py": "written" if arguments else "would-change",
            "clean.py": "clean",
            "ignored.py": "ignored",
        }


def test_the_schema_refuses_other_reports(run_cli: Run, mixed: Path) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    report = json.loads(run_cli("--report", "json").output)
    changes: list[dict[str, object]] = [{"version": 2}, {"files": [{}]}, {"summary": {}}]
    for change in changes:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(report | change, schema)


def test_reports_may_go_to_files(run_cli: Run, mixed: Path) -> None:
    result = run_cli("--report", "json=out.json", "--report", "text=out.txt", "changes.py")
    assert json.loads((mixed / "out.json").read_text())["summary"]["changed"] == 1
    assert (mixed / "out.txt").read_text() == result.output


def test_a_diff_beside_a_json_report_goes_to_standard_error(run_cli: Run, mixed: Path) -> None:
    result = run_cli("--diff", "--report", "json", "changes.py")
    assert json.loads(result.stdout)["summary"]["changed"] == 1
    assert "+new_api()" in result.stderr


def test_colours_depend_on_the_terminal_and_on_options(run_cli: Run, mixed: Path) -> None:
    assert "\x1b[" not in run_cli("--diff").output
    assert "\x1b[32m" in run_cli("--diff", "--color").output
    assert "\x1b[" not in run_cli("--diff", "--no-color").output


# ---- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (CLEAN, [], 0),
        ("print()\n", [], 0),
        ("", [], 0),
        (IGNORED, [], 0),
        (CHANGES, [], 1),
        (CHANGES, ["--diff"], 1),
        (CHANGES, ["--check"], 1),
        (CHANGES, ["--write"], 0),
        (BLOCKED, [], 1),
        (BLOCKED, ["--write"], 1),
        (BLOCKED + "old_api()\n", ["--write"], 1),
        ("import pymilvus\nprint 'x'\n", [], 2),
        ("import pymilvus\nprint 'x'\n", ["--check"], 2),
    ],
)
def test_exit_codes(
    run_cli: Run, project: Path, text: str, arguments: list[str], code: int
) -> None:
    (project / "a.py").write_text(text)
    assert run_cli(*arguments).exit_code == code


def test_check_is_silent_when_nothing_is_to_be_done(run_cli: Run, project: Path) -> None:
    (project / "a.py").write_text(CLEAN)
    assert run_cli("--check").output == ""


# ---- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [[], ["--diff"], ["--check"], ["--why", "changes.py:2"]])
def test_only_write_writes(run_cli: Run, mixed: Path, mode: list[str]) -> None:
    run_cli(*mode)
    assert (mixed / "changes.py").read_text() == CHANGES


def test_write_changes_only_the_given_paths(run_cli: Run, mixed: Path) -> None:
    (mixed / "app").mkdir()
    (mixed / "app" / "b.py").write_text(CHANGES)
    result = run_cli("app", "--write")
    assert result.exit_code == 0
    assert (mixed / "app" / "b.py").read_text() == "import pymilvus\nnew_api()\n"
    assert (mixed / "changes.py").read_text() == CHANGES
    assert "blocked.py" not in result.output


def test_a_second_run_changes_nothing(run_cli: Run, mixed: Path) -> None:
    assert run_cli("changes.py", "--write").exit_code == 0
    before = (mixed / "changes.py").stat().st_mtime_ns
    assert run_cli("changes.py", "--write").exit_code == 0
    assert (mixed / "changes.py").stat().st_mtime_ns == before


def test_standard_input_is_reported(run_cli: Run, project: Path) -> None:
    result = run_cli("-", input=CHANGES)
    assert result.exit_code == 1
    assert "1 ORM use in 1 file: 1 rewritten, 0 reported, 0 ignored" in result.stdout


def test_standard_input_with_diff_prints_the_diff(run_cli: Run, project: Path) -> None:
    result = run_cli("-", "--diff", input=CHANGES)
    assert result.exit_code == 1
    assert result.stdout.endswith("-old_api()\n+new_api()\n")
    assert "1 rewritten" in result.stderr


@pytest.mark.parametrize(
    ("data", "expected", "code"),
    [
        (CHANGES.encode(), b"import pymilvus\nnew_api()\n", 0),
        (
            b"\xef\xbb\xbfimport pymilvus\r\nold_api()",
            b"\xef\xbb\xbfimport pymilvus\r\nnew_api()",
            0,
        ),
        (b"print()\r\n", b"print()\r\n", 0),
        (b"", b"", 0),
        (BLOCKED.encode(), BLOCKED.encode(), 1),
        (b"import pymilvus\nprint 'x'\n", b"import pymilvus\nprint 'x'\n", 2),
        (b"import pymilvus\n\xff\n", b"import pymilvus\n\xff\n", 2),
    ],
)
def test_standard_input_with_write_prints_the_new_text(
    run_cli: Run, project: Path, data: bytes, expected: bytes, code: int
) -> None:
    result = run_cli("-", "--write", input=data)
    assert result.stdout_bytes == expected
    assert result.exit_code == code
    assert result.stderr


# ---- questions -----------------------------------------------------------------------------------


@pytest.fixture
def stub_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = types.SimpleNamespace(id="MLV401", title="insert", doc="What it does.\n\n    Code.")
    module = types.ModuleType("migrate_milvus.registry")
    module.rules = lambda: [rule]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "migrate_milvus.registry", module)


@pytest.mark.usefixtures("stub_registry")
def test_rules_are_listed_and_explained(run_cli: Run, project: Path) -> None:
    assert run_cli("--list-rules").output == "MLV401  insert\n"
    assert run_cli("--explain", "mlv401").output.startswith("MLV401: insert\n\nWhat it does.")
    result = run_cli("--explain", "MLV999")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.usefixtures("stub_registry")
def test_rules_that_do_not_exist_cannot_be_selected(run_cli: Run, mixed: Path) -> None:
    assert run_cli("--select", "MLV4", "changes.py").exit_code == 1
    result = run_cli("--select", "MLV401,MLV7", "changes.py")
    assert result.exit_code == 2
    assert "there is no rule MLV7" in result.stderr


def test_why_prints_the_chain(run_cli: Run, mixed: Path) -> None:
    result = run_cli("--why", "changes.py:2")
    assert result.exit_code == 0
    assert result.output == (
        "changes.py:2:1: MLV401 old_api(): rewritten\n    old_api() is called on line 2\n"
    )
    assert "blocked.py:2:1: MLV401" in run_cli("--why", "blocked.py:2").output
    assert "no ORM use was found on this line" in run_cli("--why", "changes.py:1").output
    assert run_cli("--why", "none.py:1").exit_code == 2


def test_the_version_is_printed(run_cli: Run) -> None:
    version = migrate_milvus.__version__
    assert run_cli("--version").output == f"migrate-milvus {version} (pymilvus 2.0.0 to 3.0.2)\n"


def test_the_newest_pymilvus_covered_is_the_newest_whose_signatures_are_known() -> None:
    from milvus_rules import signatures, versions

    known = json.loads(signatures.DATA.read_text("utf-8"))["declared"]
    assert versions.COVERED[1] == max(known, key=versions.parse)


def test_the_help_is_kept(run_cli: Run, snapshots: Snapshot) -> None:
    result = run_cli("--help")
    assert result.exit_code == 0
    # How click wraps and names ranges differs between its versions; the words do not.
    snapshots.assert_match("\n".join(result.output.replace("[x>=1]", "").split()), "help_words.txt")


# ---- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--diff", "--write"],
        ["--write", "--check"],
        ["--quiet", "--verbose"],
        ["-", "a.py"],
        ["--report", "xml"],
        ["--report", "json="],
        ["--report", "json", "--report", "text"],
        ["--report", "json=-", "--report", "html"],
        ["--interactive", "--write"],
        ["--interactive", "-"],
        ["--write-baseline"],
        ["--client", "app.db"],
        ["--target-version", "new"],
        ["--target-python", "2.7"],
        ["--line-length", "0"],
        ["--select", "E501"],
        ["--why", "a.py"],
        ["--why", "a.py:x"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_code_2_and_no_traceback(
    run_cli: Run, project: Path, arguments: list[str]
) -> None:
    result = run_cli(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output


# ---- the whole program ---------------------------------------------------------------------------


def start(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_module_runs_as_a_program(project: Path) -> None:
    done = start("-m", "migrate_milvus", "--version", cwd=project)
    assert done.stdout.startswith(f"migrate-milvus {migrate_milvus.__version__} (")


@pytest.mark.parametrize("arguments", [["--help"], ["."], ["--check", "plain.py"]])
def test_help_and_a_run_without_orm_code_load_no_parser(
    project: Path, arguments: list[str]
) -> None:
    (project / "plain.py").write_text("import os\n")
    code = (
        "import sys\nfrom migrate_milvus.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'libcst', 'pymilvus', 'rich', 'packaging', 'pathspec', 'difflib'}\n"
        "heavy.add('migrate_milvus.engine')\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    assert start("-c", code, *arguments, cwd=project).stderr == "[]\n"


def test_an_interrupt_is_one_line_and_code_130(
    run_cli: Run, mixed: Path, stub_engine: types.ModuleType
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    stub_engine.migrate = interrupt  # type: ignore[attr-defined]
    result = run_cli("--write")
    assert result.exit_code == 130
    assert result.output == "Interrupted: every file holds its old or its new text.\n"
    assert (mixed / "changes.py").read_text() == CHANGES


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        pytest.param("click", ["--check"], id="before there is a command"),
        pytest.param("milvus_rules.versions", ["--version"], id="while options are read"),
        pytest.param("migrate_milvus.pipeline", ["--check"], id="while it works"),
    ],
)
def test_an_interrupt_is_one_line_wherever_it_falls(
    tmp_path: Path, module: str, arguments: list[str]
) -> None:
    code = (
        "import sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Interrupt(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {module!r}:\n            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from migrate_milvus.__main__ import main\nmain()\n"
    )
    result = start("-c", code, *arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "Interrupted: every file holds its old or its new text.\n"


def test_what_python_would_say_about_the_code_is_not_printed(tmp_path: Path) -> None:
    text = 'import re\nfrom pymilvus import connections\n\nconnections.connect(host="h")\n'
    (tmp_path / "bad.py").write_text(text + 're.match("\\d", "1") is 1\n')
    (tmp_path / "requirements.txt").write_text("pymilvus>=2.6.13\n")
    done = start("-W", "default", "-m", "migrate_milvus", "--check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
