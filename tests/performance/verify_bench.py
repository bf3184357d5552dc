"""Measure the overhead of ``verify``: ``python -m tests.performance.verify_bench``.

The floor is what anybody would pay by hand: two embedded servers are started, and the command runs
once as it is and once migrated, without any recorder. Prints the table of ``bench``, but in seconds
of the clock: waiting counts here. Nothing is asserted: times belong to a machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "codemod"), str(TOP / "rules")]

from migrate_milvus import pipeline  # noqa: E402
from migrate_milvus.settings import Settings  # noqa: E402
from migrate_milvus.verify.server import LiteServer  # noqa: E402
from tests.performance.bench import Row  # noqa: E402

BUDGET = 1.3

SMALL = """\
import os
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections

connections.connect(uri=os.environ.get("BENCH_URI", "http://localhost:19530"))
fields = [
    FieldSchema("id", DataType.INT64, is_primary=True),
    FieldSchema("v", DataType.FLOAT_VECTOR, dim=64),
]
c = Collection("bench", CollectionSchema(fields))
c.create_index("v", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
c.load()
for start in range(0, BATCHES * 50, 50):
    ids = list(range(start, start + 50))
    vectors = [[float(n % 7)] * 64 for n in ids]
    c.insert([ids, vectors])
for n in range(BATCHES):
    hits = c.search([[float(n)] * 64], "v", {"metric_type": "L2"}, limit=3)
    assert len(hits[0]) == 3
print(c.num_entities)
c.drop()
connections.disconnect("default")
"""


def clock(action: Callable[[], object], rounds: int) -> float:
    """The least time of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def start_server() -> None:
    """Start an embedded server, and end it."""
    with LiteServer() as server:
        server.fresh()


def measure(what: str, text: str, work: Path, rounds: int) -> Row:
    """One program: verify against its two runs and two servers."""
    root = work / what.split()[0]
    root.mkdir()
    (root / ".git").mkdir()
    (root / "program.py").write_text(text)
    migrated = work / f"{root.name}_after.py"
    run = pipeline.run(Settings(root=root, paths=(root,), target_python=(3, 10)))
    assert run.results[0].text is not None and not run.counts.reported
    migrated.write_text(run.results[0].text)
    environment = {**os.environ, "PYTHONPATH": f"{TOP}/codemod{os.pathsep}{TOP}/rules"}

    def verify() -> None:
        command = ["-m", "migrate_milvus", "verify", "--target-python", "3.10", "--"]
        done = subprocess.run(
            [sys.executable, *command, sys.executable, "program.py"],
            cwd=root, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def bare() -> None:
        for program in (root / "program.py", migrated):
            environment["BENCH_URI"] = f"http://{server.fresh()}"
            began = subprocess.run(
                [sys.executable, "-W", "ignore", str(program)],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert began.returncode == 0, began.stderr

    with LiteServer() as server:
        floor = clock(bare, rounds) + 2 * clock(start_server, rounds)
    return Row(f"verify, {what} / runs and servers", clock(verify, rounds), floor, BUDGET)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the overhead of verify.")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement, best taken")
    options = parser.parse_args()
    began = time.perf_counter()
    print(f"{'':<52} {'time':>8} {'floor':>8} {'ratio':>7} {'budget':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for what, batches in (("10 requests", 2), ("100 requests", 50)):
            text = SMALL.replace("BATCHES", str(batches))
            print(measure(what, text, Path(folder), options.rounds), flush=True)
    print(f"seconds of the clock; took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
