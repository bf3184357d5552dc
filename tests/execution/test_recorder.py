"""The recorder sees every request of every process, and changes nothing else."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from migrate_milvus.verify import programs
from migrate_milvus.verify.compare import compare
from migrate_milvus.verify.programs import WarmPython, run_command
from migrate_milvus.verify.server import LiteServer, ServerError
from migrate_milvus.verify.trace import RecordingError, Run, read_recording

HOOK = Path(programs.__file__).parent / "hook"
CONNECT = "from pymilvus import MilvusClient\nclient = MilvusClient('http://localhost:19530')\n"


def run_cold(
    lite: LiteServer,
    folder: Path,
    text: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    timeout: float = 60,
) -> Run:
    program = folder / "program.py"
    program.write_text(text, encoding="utf-8")
    base = {**os.environ, **(environment or {})}
    command = [sys.executable, *arguments, str(program)]
    return run_command(
        command, address=lite.fresh(), cwd=folder, salt="tests", environment=base, timeout=timeout
    )


def methods(run: Run) -> list[str]:
    return [request.method for request in run.recording.requests if request.method != "Connect"]


def test_a_request_says_what_sent_it(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "from pymilvus import connections, utility\n"
        "connections.connect(host='localhost', port=19530)\n"
        "def ask():\n"
        "    return utility.has_collection('c')\n"
        "print(ask())\n"
    )
    run = run_cold(lite, tmp_path, text)
    assert (run.exit_status, run.stdout) == (0, "False\n"), run.stderr
    (request,) = [r for r in run.recording.requests if r.method != "Connect"]
    assert request.method == "DescribeCollection"
    assert request.payload == {"collection_name": "c"}
    assert request.call_name == "has_collection"
    assert (Path(request.file).name, request.line) == ("program.py", 4)
    assert (request.target, request.thread) == ("localhost:19530", "main")


@pytest.mark.parametrize("filters", ["ignore", "default", "always", "once"])
def test_warnings_are_counted_whatever_the_filters(
    filters: str, lite: LiteServer, tmp_path: Path
) -> None:
    """... and what the program shows of them is what it shows without the recorder."""
    text = (
        "import os, warnings\n"
        "from pymilvus import connections, utility\n"
        "connections.connect(uri=os.environ.get('REAL_SERVER', 'http://localhost:19530'))\n"
        "for _ in range(3):\n"
        "    utility.list_collections()\n"
        "    with warnings.catch_warnings():\n"
        "        utility.list_collections()\n"
    )
    run = run_cold(lite, tmp_path, text, "-W", filters)
    assert Counter(w.line for w in run.recording.warnings) == {3: 1, 5: 3, 7: 3}
    alone = subprocess.run(
        [sys.executable, "-W", filters, str(tmp_path / "program.py")],
        env={**os.environ, "REAL_SERVER": f"http://{lite.fresh()}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stderr == alone.stderr
    assert bool(run.stderr) == (filters != "ignore")


def test_a_warning_turned_into_an_error_still_is_one(lite: LiteServer, tmp_path: Path) -> None:
    text = "from pymilvus import connections\nconnections.connect(host='localhost')\n"
    run = run_cold(lite, tmp_path, text, "-W", "error::FutureWarning")
    assert run.exit_status == 1
    assert "PyMilvusDeprecationWarning" in run.stderr
    assert len(run.recording.warnings) == 1


def test_child_processes_are_recorded(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "import subprocess, sys, multiprocessing\n" + CONNECT + "def ask(name):\n"
        "    from pymilvus import MilvusClient\n"
        "    MilvusClient('http://localhost:19530').has_collection(name)\n"
        "if __name__ == '__main__':\n"
        "    client.has_collection('first')\n"
        "    subprocess.run([sys.executable, '-c', 'from pymilvus import MilvusClient as C; '\n"
        '        \'C("http://localhost:19530").has_collection("second")\'], check=True)\n'
        "    worker = multiprocessing.get_context('spawn').Process(target=ask, args=('third',))\n"
        "    worker.start(); worker.join()\n"
    )
    run = run_cold(lite, tmp_path, text)
    assert run.exit_status == 0, run.stderr
    asked = {
        request.payload["collection_name"]: request.process
        for request in run.recording.requests
        if request.method == "DescribeCollection"
    }
    assert sorted(asked) == ["first", "second", "third"]
    assert len(set(asked.values())) == 3


def test_threads_have_streams_of_their_own(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        CONNECT + "import threading\n"
        "client.has_collection('main')\n"
        "worker = threading.Thread(target=client.has_collection, args=('worker',))\n"
        "worker.start(); worker.join()\n"
    )
    run = run_cold(lite, tmp_path, text)
    threads = {
        r.payload["collection_name"]: r.thread
        for r in run.recording.requests
        if r.method == "DescribeCollection"
    }
    assert threads["main"] == "main"
    assert threads["worker"].startswith("thread-")


def test_the_asynchronous_client_is_recorded(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "import asyncio\n"
        "from pymilvus import AsyncMilvusClient\n"
        "async def main():\n"
        "    client = AsyncMilvusClient('http://localhost:19530')\n"
        "    print(await client.list_collections())\n"
        "    await client.close()\n"
        "asyncio.run(main())\n"
    )
    run = run_cold(lite, tmp_path, text)
    assert (run.exit_status, run.stdout) == (0, "[]\n"), run.stderr
    assert methods(run) == ["ShowCollections"]
    assert run.recording.requests[-1].line == 5


def test_tls_reaches_the_embedded_server_and_is_noted(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "from pymilvus import MilvusClient\n"
        "print(MilvusClient('https://db.example.com:443', token='t').list_collections())\n"
    )
    run = run_cold(lite, tmp_path, text)
    assert (run.exit_status, run.stdout) == (0, "[]\n"), run.stderr
    assert {(r.target, r.secure) for r in run.recording.requests} == {("db.example.com:443", True)}


def test_a_lite_file_of_its_own_is_not_opened(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        CONNECT.replace("http://localhost:19530", "./own.db") + "print(client.list_collections())"
    )
    run = run_cold(lite, tmp_path, text)
    assert (run.exit_status, run.stdout) == (0, "[]\n"), run.stderr
    assert methods(run) == ["ShowCollections"]
    assert not (tmp_path / "own.db").exists()


SECRETS = ["swordfish", "first-Pass1", "second-Pass2"]


def test_credentials_are_never_stored(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "from pymilvus import connections, utility\n"
        "connections.connect(uri='http://localhost', user='root', password='swordfish')\n"
        "utility.list_collections()\n"
        "for change in (lambda: utility.create_user('u', 'first-Pass1'),\n"
        "               lambda: utility.reset_password('u', 'first-Pass1', 'second-Pass2')):\n"
        "    try:\n"
        "        change()\n"
        "    except Exception:  # Milvus Lite has no users\n"
        "        pass\n"
    )
    record = tmp_path / "record"
    record.mkdir()
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    environment = {
        **os.environ,
        **programs.recording_environment(record, lite.fresh(), "key"),
        "PYTHONPATH": str(HOOK),
    }
    subprocess.run([sys.executable, str(program)], env=environment, check=True, timeout=60)
    written = "".join(path.read_text() for path in record.iterdir())
    recording = read_recording(record)
    assert {r.method for r in recording.requests} >= {"CreateCredential", "UpdateCredential"}
    assert all(
        r.credentials.startswith("hidden:") for r in recording.requests if r.method != "Connect"
    )
    for secret in SECRETS:
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert form not in written
    assert base64.b64encode(b"root:swordfish").decode() not in written


def test_two_passwords_have_two_fingerprints(lite: LiteServer, tmp_path: Path) -> None:
    def run(token: str) -> Run:
        client = f"MilvusClient('http://localhost:19530', token='{token}')"
        text = f"from pymilvus import MilvusClient\n{client}.list_collections()\n"
        return run_cold(lite, tmp_path, text)

    one, same, other = run("a:b"), run("a:b"), run("a:c")
    assert compare(one, same).equal
    assert not compare(one, other).equal


def test_the_projects_own_sitecustomize_is_loaded(lite: LiteServer, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins; builtins.MINE = 'loaded'\n")
    text = "import sitecustomize\nprint(MINE, sitecustomize.__file__)\n" + CONNECT
    run = run_cold(lite, tmp_path, text, environment={"PYTHONPATH": str(own)})
    assert run.exit_status == 0, run.stderr
    assert run.stdout == f"loaded {own / 'sitecustomize.py'}\n"
    assert [r.method for r in run.recording.requests] == ["Connect"]


def test_without_its_variable_the_hook_does_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HOOK)}
    code = "import sys; print([m for m in sys.modules if 'recorder' in m or m == 'grpc'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_program_without_pymilvus_loads_nothing(lite: LiteServer, tmp_path: Path) -> None:
    run = run_cold(lite, tmp_path, "import sys; print('grpc' in sys.modules)")
    assert run.stdout == "False\n"
    assert run.recording.requests == ()


def test_other_grpc_channels_are_left_alone(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        CONNECT + "import grpc\n"
        "channel = grpc.insecure_channel('127.0.0.1:9')\n"
        "try:\n"
        "    channel.unary_unary('/other.Service/Call')(b'', timeout=2)\n"
        "except grpc.RpcError as error:\n"
        "    print(error.code().name)\n"
    )
    run = run_cold(lite, tmp_path, text)
    assert run.stdout in ("UNAVAILABLE\n", "DEADLINE_EXCEEDED\n")
    assert [r.method for r in run.recording.requests] == ["Connect"]


def test_output_and_end_are_those_of_the_program(lite: LiteServer, tmp_path: Path) -> None:
    run = run_cold(lite, tmp_path, "import sys; print('out'); sys.exit('message')")
    assert (run.exit_status, run.stdout, run.stderr) == (1, "out\n", "message\n")


def test_a_program_that_hangs_is_ended_with_its_children(lite: LiteServer, tmp_path: Path) -> None:
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    run = run_cold(lite, tmp_path, text, timeout=3)
    assert run.timed_out
    state = Path(f"/proc/{int(run.stdout)}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


# -- the warm process ---------------------------------------------------------------------------


def _shapes(run: Run) -> list[tuple[object, ...]]:
    return [
        (r.method, r.payload, r.call, r.line, r.thread, r.target, r.database)
        for r in run.recording.requests
    ]


@pytest.mark.parametrize("name", ["script", "shop"])
def test_warm_and_cold_record_the_same(
    name: str, data: Path, lite: LiteServer, warm: WarmPython, tmp_path: Path
) -> None:
    program = data / name / "before.py"
    hot = warm.run(program, address=lite.fresh(), salt="tests")
    command = [sys.executable, "-W", "default", str(program)]
    ordinary = run_command(command, address=lite.fresh(), cwd=tmp_path, salt="tests")
    assert (hot.exit_status, hot.stdout) == (ordinary.exit_status, ordinary.stdout)
    assert _shapes(hot) == _shapes(ordinary)
    assert hot.recording.warnings == ordinary.recording.warnings
    assert hot.stderr == ordinary.stderr


def test_warm_programs_do_not_see_each_other(
    lite: LiteServer, warm: WarmPython, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        + CONNECT
        + "print(client.list_collections(), hasattr(sys, 'seen'), os.listdir('.'), __name__)\n"
        "sys.seen = True\n"
        "open('left', 'w').close()\n"
        "schema = client.create_collection('left', dimension=4)\n",
        encoding="utf-8",
    )
    for _ in range(2):
        run = warm.run(program, address=lite.fresh(), salt="tests")
        assert (run.exit_status, run.stdout) == (0, "[] False [] __main__\n"), run.stderr


def test_a_warm_program_ends_as_a_cold_one(
    lite: LiteServer, warm: WarmPython, tmp_path: Path
) -> None:
    endings = {
        "import sys; sys.exit(4)": (4, "", ""),
        "import sys; sys.exit('why')": (1, "", "why\n"),
        "import atexit; atexit.register(print, 'bye')": (0, "bye\n", ""),
        "import threading; threading.Timer(0.1, print, ['late']).start()": (0, "late\n", ""),
        "raise ValueError('no')": (1, "", "ValueError: no\n"),
    }
    program = tmp_path / "program.py"
    address = lite.fresh()
    for text, (status, out, err) in endings.items():
        program.write_text(text, encoding="utf-8")
        run = warm.run(program, address=address, salt="tests")
        assert (run.exit_status, run.stdout) == (status, out)
        assert run.stderr.endswith(err)


def test_a_warm_program_that_hangs_is_ended(
    lite: LiteServer, warm: WarmPython, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import time; print('on', flush=True); time.sleep(600)", encoding="utf-8")
    run = warm.run(program, address=lite.fresh(), salt="tests", timeout=2)
    assert run.timed_out
    assert run.stdout == "on\n"


# -- recordings and servers that go wrong --------------------------------------------------------


def test_a_failure_of_the_recorder_is_not_hidden(tmp_path: Path) -> None:
    entry = {"kind": "failure", "method": "/x/Search", "message": "boom", "thread": "main", "at": 1}
    (tmp_path / "1-1.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(RecordingError, match="boom"):
        read_recording(tmp_path)


def test_a_torn_recording_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "1-1.jsonl").write_text('{"kind": "requ')
    with pytest.raises(RecordingError):
        read_recording(tmp_path)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    bare.chmod(0o755)
    with LiteServer(str(bare)) as server, pytest.raises(ServerError, match="milvus_lite"):
        server.fresh()


def test_each_fresh_server_is_empty(lite: LiteServer, warm: WarmPython, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        CONNECT + "client.create_database('db')\nclient.create_collection('c', dimension=4)\n"
        "print(client.list_collections(), sorted(client.list_databases()))\n",
        encoding="utf-8",
    )
    for _ in range(2):
        run = warm.run(program, address=lite.fresh(), salt="tests")
        assert run.stdout == "['c'] ['db', 'default']\n", run.stderr
