"""``migrate-milvus verify`` as users run it: real commands, real processes, one shared server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from migrate_milvus.cli import cli
from migrate_milvus.settings import Settings
from migrate_milvus.verify import report, verifying
from migrate_milvus.verify.server import LiteServer
from tests.verify.conftest import rewriting

TOP = Path(__file__).parents[2]
SCHEMA = json.loads(Path(report.__file__).with_name("schema.json").read_text())
PYTHON = sys.executable

SHOP = """\
import sys
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

connections.connect(host="10.9.8.7", port="19530")
fields = [
    FieldSchema("id", DataType.INT64, is_primary=True),
    FieldSchema("v", DataType.FLOAT_VECTOR, dim=2),
]
shop = Collection("shop", CollectionSchema(fields), consistency_level="Strong")
shop.create_index("v", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
shop.load()
shop.insert([{"id": 1, "v": [0.1, 0.2]}])
print(shop.num_entities, *sys.argv[1:])
shop.drop()
connections.disconnect("default")
"""


@dataclass(frozen=True)
class Place:
    """A project and where its scratch folders go."""

    root: Path
    temporary: Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A project with one ORM program, as the working folder."""
    root, temporary = tmp_path / "project", tmp_path / "tmp"
    root.mkdir()
    temporary.mkdir()
    (root / "shop.py").write_text(SHOP)
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.10"\n')
    monkeypatch.chdir(root)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return Place(root, temporary)


@pytest.fixture
def verify(
    place: Place, lite: LiteServer, run_cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs ``migrate-milvus verify ...`` on the shared server, and looks at what it leaves."""
    real = verifying.verify

    def shared(job: verifying.Job, **rest: Any) -> verifying.Verdict:
        return real(job, addresses=lite.fresh, **rest)

    monkeypatch.setattr(verifying, "verify", shared)
    before = {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}

    def run(*arguments: object) -> Result:
        before.update({path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()})
        result = run_cli("verify", *arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        after = {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
        assert after == before, "the user's tree is touched"
        assert list(place.temporary.iterdir()) == [], "a scratch folder is left"
        return result

    return run


def test_a_right_migration_is_equal(verify: Callable[..., Result], place: Place) -> None:
    file = place.temporary.parent / "report.json"
    result = verify("--report", "text", "--report", f"json={file}", "--", PYTHON, "shop.py", "-x")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "EQUAL: the migrated code does the same"
    assert f"  command   {PYTHON} shop.py -x" in lines
    assert "  migrated  1 file, 8 ORM uses rewritten, 0 left" in lines
    assert "  requests  6 before, 8 after; 7 pairs compared, 0 differences" in lines
    assert "  warnings  8 before, 0 after" in lines
    assert "because MLV301: build parameters stand beside index_type" in result.output
    data = json.loads(file.read_text())
    jsonschema.validate(data, SCHEMA)
    assert (data["verdict"], data["exit_code"], data["differences"]) == ("equal", 0, [])
    assert data["targets"] == ["10.9.8.7:19530"]
    assert {entry["rule"] for entry in data["expected"]} <= {"MLV210", "MLV301"}
    assert data["after"]["warnings"] == 0


def test_a_wrong_migration_is_shown_side_by_side(
    verify: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = verifying.verify

    def broken(job: verifying.Job, **rest: Any) -> verifying.Verdict:
        change = rewriting(lambda text: text.replace('"Strong"', '"Bounded"'))
        return shared(job, migrate=change, **rest)

    monkeypatch.setattr(verifying, "verify", broken)
    result = verify("--report", "json", "--", PYTHON, "shop.py")
    data = json.loads(result.output)
    jsonschema.validate(data, SCHEMA)
    assert (result.exit_code, data["verdict"]) == (1, "different")
    (difference,) = data["differences"]
    assert difference["request"] == "CreateCollection"
    assert difference["before"]["line"] == 9
    assert [change["field"] for change in difference["changes"]] == ["consistency_level"]
    assert difference["before"]["path"] == difference["after"]["path"] == "shop.py"


def test_what_is_new_in_every_run_is_told_from_a_difference(
    verify: Callable[..., Result], place: Place
) -> None:
    text = SHOP.replace('"shop"', 'f"shop_{time.time_ns()}"').replace(
        "import sys", "import os, sys, time"
    )
    text = text.replace("[0.1, 0.2]", "[float(b) for b in os.urandom(2)]")
    text = text.replace("print(", "import random, uuid\nprint(random.random(), uuid.uuid4(), ")
    (place.root / "shop.py").write_text(text)
    result = verify("--report", "json", "--", PYTHON, "shop.py")
    data = json.loads(result.output)
    jsonschema.validate(data, SCHEMA)
    assert (result.exit_code, data["verdict"]) == (0, "equal-but-unstable"), result.output
    assert {change["field"] for d in data["unstable"] for change in d["changes"]} == {
        "fields_data.v.vectors.float_vector.data"
    }
    assert data["same_stdout"], "seeds are the same in every run"
    assert any("names that are new in every run" in note for note in data["notes"])


def test_pytest_can_be_the_command(verify: Callable[..., Result], place: Place) -> None:
    """The project is imported from the copy, even when it is installed in editable mode."""
    (place.root / "test_shop.py").write_text("def test_shop():\n    import shop\n")
    (place.root / "untouched.py").write_text("print('no Milvus')\n")
    result = verify("shop.py", "--", PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert result.exit_code == 0, result.output
    assert "stdout equal" in result.output
    assert "warnings  8 before, 0 after" in result.output


def test_a_command_that_reaches_back_to_the_project_is_found_out(
    verify: Callable[..., Result], place: Place
) -> None:
    # the path is not in the command, where it would be replaced
    (place.root / "run.py").write_text(
        f"import runpy\nrunpy.run_path({str(place.root / 'shop.py')!r})\nimport sys\n"
        f"sys.path.insert(0, {str(place.root)!r})\nsys.modules.pop('shop', None)\nimport shop\n"
    )
    result = verify("--", PYTHON, "run.py")
    assert result.exit_code == 2, result.output
    assert "the command does not run the copy: it imports" in result.stderr


def test_a_path_into_the_project_leads_into_the_copy(
    verify: Callable[..., Result], place: Place
) -> None:
    result = verify("--", "sh", "-c", f"cd / && {PYTHON} {place.root}/shop.py")
    assert result.exit_code == 0, result.output
    assert "warnings  8 before, 0 after" in result.output


@pytest.mark.parametrize(
    ("code", "why", "advice"),
    [
        ("import sys; sys.exit(3)", "it ends with exit status 3", "--allow-failure"),
        ("import os; os.kill(os.getpid(), 11)", "was killed by signal 11", ""),
        ("input()", "exit status 1", "no standard input"),
        ("import no_such_module", "exit status 1", "--include"),
        ("pass", "sends Milvus no request", "PYTHONPATH"),
        ("import time; time.sleep(600)", "did not end within 3 seconds", "--timeout"),
        ("import os; os.rmdir(os.getcwd() + '/x')", "exit status 1", "--include"),
    ],
    ids=["fails", "crashes", "reads", "misses a module", "sends nothing", "hangs", "misses a file"],
)
def test_a_command_that_cannot_be_compared(
    code: str, why: str, advice: str, verify: Callable[..., Result]
) -> None:
    result = verify("--timeout", "3", "--report", "json", "--", PYTHON, "-S", "-c", code)
    assert result.exit_code == 2
    data = json.loads(result.stdout)
    jsonschema.validate(data, SCHEMA)
    assert why in data["error"]["message"]
    assert advice in data["error"]["advice"]


def test_a_command_that_cannot_be_started(verify: Callable[..., Result]) -> None:
    result = verify("--", "no-such-command")
    assert result.exit_code == 2
    assert result.stderr.startswith("COULD NOT RUN: no-such-command: no such file")


def test_without_orm_code_nothing_runs(verify: Callable[..., Result], place: Place) -> None:
    (place.root / "shop.py").write_text("print()\n")
    result = verify("--", "no-such-command")
    assert result.exit_code == 0
    assert result.output.startswith("NOTHING TO VERIFY")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop.py"], "behind --"),
        (["--"], "behind --"),
        (["--server", "localhost:19530", "--", "x"], "not a URI"),
        (["--server", "http://u:p@localhost", "--yes", "--", "x"], "takes no credentials"),
        (["--server", "http://localhost:19530", "--", "x"], "say --yes if it may"),
        (["--yes", "--", "x"], "--yes goes with --server"),
        (["--backend", "real", "--", "x"], "--backend"),
        (["--report", "xml", "--", "x"], "not a report format"),
        (["--ignore", "MLV999", "--", "x"], "there is no rule MLV999"),
        (["--include", "/", "--", "x"], "not in the project"),
    ],
)
def test_usage(arguments: list[str], words: str, verify: Callable[..., Result]) -> None:
    result = verify(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_missing_extra_is_one_line(
    verify: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = verify("--", "x")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: verify needs pymilvus and milvus_lite: pip install 'migrate-milvus[verify]'\n"
    )


def test_a_real_server_is_written_to_and_named(place: Place, lite: LiteServer, fork: Any) -> None:
    job = verifying.Job(
        settings=Settings(root=place.root, paths=(place.root,), target_python=(3, 10)),
        command=("server", "shop.py"),
        cwd=place.root,
        server=f"http://{lite.fresh()}",
    )
    verdict = verifying.verify(job, run=fork)
    assert verdict.status is verifying.Status.EQUAL
    assert f"backend   the server {job.server}: " in report.text(verdict)
    assert "the second run found what the first left" in report.text(verdict)


def test_an_editable_installation_is_followed_into_the_copy(tmp_path: Path) -> None:
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    for folder in (tree / "src", copy / "src", tree / "lib" / "site-packages"):
        folder.mkdir(parents=True)
    code = (
        "import sys, types\n"
        f"sys.path[:] = [{str(tree / 'src')!r}, {str(tree / 'lib' / 'site-packages')!r}, '/usr']\n"
        "finder = sys.modules['__editable___shop_finder'] = types.ModuleType('finder')\n"
        f"finder.MAPPING = {{'shop': {str(tree / 'src')!r}, 'gone': {str(tree / 'gone')!r}}}\n"
        f"move({str(tree)!r}, {str(copy)!r})\n"
        "print(sys.path, finder.MAPPING)\n"
    )
    hook = (Path(report.__file__).parent / "hook" / "sitecustomize.py").read_text()
    hook = hook[: hook.index("\n_HERE = ")].replace("def _use_the_copy", "def move")
    done = subprocess.run(
        [PYTHON, "-S", "-c", hook + "\n" + code], capture_output=True, text=True, check=True
    )
    path = [str(copy / "src"), str(tree / "lib" / "site-packages"), "/usr"]
    mapping = {"shop": str(copy / "src"), "gone": str(tree / "gone")}
    assert done.stdout == f"{path} {mapping}\n"


def test_help_does_not_load_verify() -> None:
    code = (
        "import sys\nfrom migrate_milvus.cli import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith('migrate_milvus.verify')])"
    )
    environment = {**os.environ, "PYTHONPATH": f"{TOP}/codemod{os.pathsep}{TOP}/rules"}
    done = subprocess.run(
        [PYTHON, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("[]\n")
    assert "migrate-milvus verify" in done.stdout
    assert cli.name == "migrate-milvus"


def test_a_folder_called_verify_can_still_be_named(
    run_cli: Callable[..., Result], place: Place
) -> None:
    (place.root / "verify").mkdir()
    (place.root / "verify" / "a.py").write_text("print()\n")
    assert run_cli("./verify").exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(number: int, place: Place) -> None:
    (place.root / "wait.py").write_text(
        "import os, time\nopen(os.environ['SEEN'], 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    )
    seen = place.root.parent / "seen"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{TOP}/codemod{os.pathsep}{TOP}/rules",
        "TMPDIR": str(place.temporary),
        "SEEN": str(seen),
    }
    process = subprocess.Popen(
        [PYTHON, "-m", "migrate_milvus", "verify", "--", PYTHON, "-S", "wait.py"],
        cwd=place.root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if seen.exists() and seen.read_text():
            break
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted: every process was ended" in said
    state = Path(f"/proc/{int(seen.read_text())}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"
    assert list(place.temporary.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_written(
    verify: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    result = verify("--", PYTHON, "shop.py")
    assert result.exit_code == 2
    assert "no temporary folder can be made" in result.stderr
    assert "TMPDIR" in result.stderr
