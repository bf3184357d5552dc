"""Verify: run a command on a copy of the project and on a migrated one, and compare.

Both copies stand at the same place, one after the other, so that nothing that a path can reach is
different: not what is printed, not the order of a listing, not a hash.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

from migrate_milvus import pipeline
from migrate_milvus.model import FileResult
from migrate_milvus.settings import Settings
from migrate_milvus.verify import output, recorder
from migrate_milvus.verify.compare import Comparison, Difference, Prepared, compare, prepare
from migrate_milvus.verify.copying import CopyError, Listing, copy_project, list_project
from migrate_milvus.verify.programs import run_command
from migrate_milvus.verify.server import EchoServer, EmbeddedServer, LiteServer, ServerError
from migrate_milvus.verify.trace import RecordingError, Run

LITE, ECHO = "lite", "echo"

Migrate = Callable[[Settings], pipeline.RunResult]
Addresses = Callable[[], str]


class Runner(Protocol):
    """Runs a command under the recorder; see :func:`run_command`, which is the usual one."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        address: str,
        cwd: Path,
        salt: str,
        environment: Mapping[str, str],
        timeout: float | None,
    ) -> Run:
        """Run it."""


class CannotVerify(Exception):
    """No verdict: ``str`` says why in one line, ``advice`` what to do, ``output`` what was seen."""

    def __init__(self, why: str, advice: str, output: str = "") -> None:
        super().__init__(why)
        self.advice = advice
        self.output = output


@dataclass(frozen=True)
class Job:
    """What is to be verified.

    ``settings`` say what is migrated, ``command`` is what runs, ``cwd`` where (a folder of the
    user's, mapped into the copy). ``server`` is the URI of a real server that takes the place of
    the embedded ``backend``. ``timeout`` is for each run, in seconds. ``include`` are files that
    git ignores and the command needs. ``ignore_output`` leaves out what is printed;
    ``allow_failure`` goes on when the command fails before the migration, too.
    """

    settings: Settings
    command: tuple[str, ...]
    cwd: Path
    backend: str = LITE
    server: str = ""
    timeout: float | None = None
    include: tuple[Path, ...] = ()
    ignore_output: bool = False
    allow_failure: bool = False


class Status(Enum):
    """The verdict in a word."""

    NOTHING = "nothing-to-verify"  # no file would change
    EQUAL = "equal"
    UNSTABLE = "equal-but-unstable"  # what differs also differs between two runs of the original
    DIFFERENT = "different"


@dataclass(frozen=True)
class Verdict:
    """What came out.

    ``differences`` count, ``unstable`` are those that the program shows without any migration.
    ``texts`` are the migrated files; ``unreached`` those from which no request and no warning
    came; ``targets`` the addresses that the program connected to.
    """

    status: Status
    job: Job
    migration: pipeline.RunResult
    backend: str = ""
    before: Run | None = None
    after: Run | None = None
    again: Run | None = None
    comparison: Comparison | None = None
    differences: tuple[Difference, ...] = ()
    unstable: tuple[Difference, ...] = ()
    unstable_output: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    unreached: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    place: str = ""

    @property
    def exit_code(self) -> int:
        """0 when nothing is different, 1 when something is."""
        return 1 if self.status is Status.DIFFERENT else 0


def verify(
    job: Job,
    *,
    migrate: Migrate = pipeline.run,
    run: Runner = run_command,
    addresses: Addresses | None = None,
    stage: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Run both sides and compare them; ``stage`` is told what goes on.

    ``migrate`` and ``run`` do what their names say; ``addresses`` gives an empty server each time
    that it is called (by default one is started).

    Raises:
        CannotVerify: when there is no verdict.
    """
    try:
        with ExitStack() as stack:
            return _verify(job, migrate, run, addresses, stage, stack)
    except CopyError as error:
        raise CannotVerify(str(error), "Nothing was run.") from error
    except RecordingError as error:
        raise CannotVerify(
            f"the recording cannot be used: {error}",
            "This is a bug in migrate-milvus, or the command removes temporary files.",
        ) from error
    except ServerError as error:
        raise CannotVerify(
            str(error).splitlines()[0],
            "Install the embedded server with pip install 'migrate-milvus[verify]'.",
            str(error),
        ) from error


def _verify(
    job: Job,
    migrate: Migrate,
    run: Runner,
    addresses: Addresses | None,
    stage: Callable[[str], None],
    stack: ExitStack,
) -> Verdict:
    scratch = stack.enter_context(_scratch_folder())
    # the server takes a second to start: meanwhile the project is migrated
    addresses = addresses or stack.enter_context(_server(job))
    stage("migrating a copy")
    migration = migrate(job.settings)
    texts = {
        result.document.path: result.document.encode(result.text)
        for result in migration.results
        if result.text is not None
    }
    if not texts:
        return Verdict(Status.NOTHING, job, migration)
    bench = _Bench(job, scratch, addresses, run)
    stage("running the command before the migration")
    before = bench.run({})
    _check_first_run(job, before, bench, texts)
    stage("running the command after the migration")
    after = bench.run(texts)
    new = {bench.name(result): result.text or "" for result in migration.results if result.text}
    verdict = Verdict(
        Status.EQUAL,
        job,
        migration,
        backend=_describe_backend(job),
        before=before,
        after=after,
        texts=new,
        unreached=_unreached(before, bench, new),
        targets=tuple(sorted({r.target for r in before.recording.requests if r.target})),
        place=str(bench.tree),
    )
    first, second = prepare(before), prepare(after)
    comparison = compare(first, second)
    verdict = replace(verdict, comparison=comparison, differences=comparison.differences)
    if _is_equal(job, comparison) and not after.timed_out:
        return verdict
    if not after.timed_out:
        stage("running the command before the migration once more")
        verdict = _without_what_changes_anyway(verdict, first, second, bench.run({}))
        if verdict.status is not Status.EQUAL:
            return verdict
    return replace(verdict, status=Status.DIFFERENT)


def _is_equal(job: Job, comparison: Comparison) -> bool:
    same_output = job.ignore_output or comparison.same_output
    return not comparison.differences and same_output and comparison.same_exit_status


# -- where and how the command runs --------------------------------------------------------------


class _Bench:
    """The place at which every copy stands when the command runs in it."""

    def __init__(self, job: Job, scratch: Path, addresses: Addresses, run: Runner) -> None:
        self._job = job
        self._run = run
        self._addresses = addresses
        self._root = job.settings.root
        self._listing: Listing = list_project(self._root, job.include)
        # the working folder may lie above the project: then the copy stands as deep below it
        base = Path(os.path.commonpath([self._root, job.cwd]))
        self._place = scratch / "run"
        self._temporary = scratch / "tmp"
        self.tree = self._place / self._root.relative_to(base)
        self._cwd = self._place / job.cwd.relative_to(base)
        self._salt = secrets.token_hex(16)

    def run(self, texts: Mapping[Path, bytes]) -> Run:
        """Run the command in a new copy that has these texts, on an empty server."""
        address = self._job.server or self._addresses()
        for folder in (self._place, self._temporary):
            remove(folder)
            folder.mkdir()
        copy_project(self._root, self.tree, self._listing, texts)
        self._cwd.mkdir(parents=True, exist_ok=True)
        try:
            return self._run(
                [self._moved(argument) for argument in self._job.command],
                address=address,
                cwd=self._cwd,
                salt=self._salt,
                environment=self._environment(),
                timeout=self._job.timeout,
            )
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise CannotVerify(
                f"{self._job.command[0]}: {why}",
                "Give a command that can be started as it stands, such as: -- python demo.py",
            ) from error

    def name(self, result: FileResult) -> str:
        """The path of a file relative to the project."""
        return os.path.relpath(result.document.path, self._root)

    def relative(self, path: str) -> str:
        """A path in the copy, relative to it; the path itself if it is elsewhere."""
        inside = str(self.tree) + os.sep
        real = path if path.startswith(inside) else os.path.realpath(path)
        return real[len(inside) :] if real.startswith(inside) else path

    def _moved(self, text: str) -> str:
        """A text that names the project, with the copy in its place."""
        pattern = re.escape(str(self._root)) + r"(?![\w.-])"
        return re.sub(pattern, lambda _: str(self.tree), text)

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value if name.startswith("LD_") else self._moved(value)
            for name, value in os.environ.items()
            if not name.startswith("MIGRATE_MILVUS_") and name not in ("OLDPWD", "COLUMNS")
        }
        environment.update(
            {
                "PWD": str(self._cwd),
                "TMPDIR": str(self._temporary),
                recorder.TREE: str(self._root),
                recorder.COPY: str(self.tree),
                recorder.SEED: "1",
            }
        )
        environment.pop("PYTHONPYCACHEPREFIX", None)
        return environment


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    try:
        folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="migrate-milvus-")))
    except OSError as error:
        raise CannotVerify(
            f"no temporary folder can be made: {(error.strerror or str(error)).lower()}",
            "Point TMPDIR to a folder that can be written to.",
        ) from error
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, even one whose owner has taken the right to do so away."""
    if not folder.exists():
        return
    for inner, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(inner, name)
            if not os.path.islink(path) and not os.access(path, os.W_OK | os.X_OK | os.R_OK):
                with contextlib.suppress(OSError):
                    os.chmod(path, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _server(job: Job) -> Iterator[Addresses]:
    """Gives the address of an empty server each time it is asked."""
    if job.server:
        yield lambda: job.server
        return
    make: Callable[[], EmbeddedServer] = EchoServer if job.backend == ECHO else LiteServer
    with ExitStack() as stack:
        current = stack.enter_context(make())

        def fresh() -> str:
            nonlocal current
            if not current.alive:  # the run before brought it down
                current = stack.enter_context(make())
            return current.fresh()

        yield fresh


def _describe_backend(job: Job) -> str:
    from importlib import metadata

    if job.server:
        return f"the server {job.server}"
    if job.backend == ECHO:
        return "echo server"
    return f"Milvus Lite {metadata.version('milvus-lite')}"


# -- what is no verdict ----------------------------------------------------------------------------


def _check_first_run(job: Job, run: Run, bench: _Bench, texts: Mapping[Path, bytes]) -> None:
    """Whether the command, as it is today, shows anything that can be compared."""
    end = _tail(run)
    if run.timed_out:
        raise CannotVerify(
            f"the command did not end within {job.timeout:g} seconds, before any migration",
            "Give it more time with --timeout, or a command that ends by itself. It has no "
            "standard input.",
            end,
        )
    if run.exit_status and not job.allow_failure:
        how = (
            f"was killed by signal {-run.exit_status}"
            if run.exit_status < 0
            else f"ends with exit status {run.exit_status}"
        )
        raise CannotVerify(
            f"the command fails before the migration: it {how}",
            _advice_for_failure(job, run),
            end,
        )
    wrong = {os.path.realpath(path) for path in texts} & set(run.recording.foreign)
    if wrong:
        raise CannotVerify(
            f"the command does not run the copy: it imports {sorted(wrong)[0]}",
            "The project is installed into that Python in a way that cannot be followed; name the "
            "files by paths inside the project, or install it with pip install -e.",
            end,
        )
    if not any(request.method != "Connect" for request in run.recording.requests):
        raise CannotVerify(
            "the command sends Milvus no request, so there is nothing to compare",
            "It must use pymilvus in a Python that reads PYTHONPATH (not python -I or -E, not a "
            "container, not an environment that is emptied, as tox does).",
            end,
        )


def _advice_for_failure(job: Job, run: Run) -> str:
    said = run.stdout + run.stderr
    if "UNIMPLEMENTED" in said or "not implemented" in said.lower():
        return (
            "Milvus Lite does not implement what it asks for. Try --backend echo, which compares "
            "requests only, or --server URI."
        )
    if "EOFError" in said:
        return "It has no standard input. Give it one: -- sh -c 'python demo.py < answers.txt'"
    if "No module named 'pymilvus'" in said:
        return "The Python that it runs in has no pymilvus: name that of your environment."
    if "ModuleNotFoundError" in said or "FileNotFoundError" in said or "can't open file" in said:
        return (
            "It runs in a copy of the project, without what git ignores. --include PATH copies an "
            "ignored file or folder, too."
        )
    return (
        "Make it run first: it has an empty Milvus and no standard input. With --allow-failure "
        "both sides are compared as far as they go."
    )


def _tail(run: Run) -> str:
    said = output.without_warnings(run.stderr).strip() or run.stdout.strip()
    lines = said.splitlines()
    return "\n".join(lines[-12:])


def _unreached(run: Run, bench: _Bench, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The changed files from which nothing came: the command says nothing about them."""
    seen = {request.file for request in run.recording.requests}
    seen |= {warning.file for warning in run.recording.warnings}
    reached = {bench.relative(path) for path in seen if path}
    return tuple(sorted(set(texts) - reached))


# -- what changes without a migration ----------------------------------------------------------


_NAME = re.compile(r"[\w.:-]{4,255}")


def _without_what_changes_anyway(
    verdict: Verdict, before: Prepared, after: Prepared, again: Run
) -> Verdict:
    """The verdict when what two runs of the original differ in does not count.

    Names that are new in each run are first given the same name on both sides; then a field that
    differs between the two runs of the original says nothing about the migration.
    """
    verdict = replace(verdict, again=again)
    noise = compare(before, again)
    if _is_equal(replace(verdict.job, ignore_output=False), noise):
        return replace(verdict, status=Status.DIFFERENT)
    comparison = verdict.comparison
    assert comparison is not None
    renamed = _new_names(noise, comparison)
    if renamed:
        comparison = compare(before, prepare(after.run, renamed))
        noise = compare(before, prepare(again, _new_names(noise, noise)))
    moving = _moving_fields(noise)
    real: list[Difference] = []
    unstable: list[Difference] = []
    for difference in comparison.differences:
        (unstable if moving.covers(difference) else real).append(difference)
    same_output = verdict.job.ignore_output or comparison.same_output or not noise.same_output
    same_end = comparison.same_exit_status or not noise.same_exit_status
    equal = not real and same_output and same_end
    return replace(
        verdict,
        status=Status.UNSTABLE if equal else Status.DIFFERENT,
        comparison=comparison,
        differences=tuple(real),
        unstable=tuple(unstable),
        unstable_output=not noise.same_output,
        renamed=renamed,
    )


def _new_names(noise: Comparison, found: Comparison) -> dict[str, str]:
    """Texts of the second run that stand where the original has another name in every run."""
    moving = {
        (id(difference.before), change.path)
        for difference in noise.differences
        for change in difference.changes
    }
    names: dict[str, str] = {}
    for difference in found.differences:
        for change in difference.changes:
            old, new = change.before, change.after
            if (id(difference.before), change.path) in moving and all(
                isinstance(side, str) and _NAME.fullmatch(side) for side in (old, new)
            ):
                names.setdefault(new, old)
    # one name for two would hide a confusion of the two
    return names if len(set(names.values())) == len(names) else {}


@dataclass(frozen=True)
class _Moving:
    fields: frozenset[tuple[int, str]]
    lost: frozenset[int]
    added: frozenset[tuple[str, str]]

    def covers(self, difference: Difference) -> bool:
        """Whether the original shows this difference without a migration."""
        if difference.before is None and difference.after is not None:
            return (difference.after.method, difference.after.call_name) in self.added
        if difference.after is None:
            return id(difference.before) in self.lost
        return all(
            (id(difference.before), change.path) in self.fields for change in difference.changes
        )


def _moving_fields(noise: Comparison) -> _Moving:
    return _Moving(
        fields=frozenset(
            (id(difference.before), change.path)
            for difference in noise.differences
            for change in difference.changes
        ),
        lost=frozenset(id(d.before) for d in noise.differences if d.after is None),
        added=frozenset(
            (d.after.method, d.after.call_name)
            for d in noise.differences
            if d.before is None and d.after is not None
        ),
    )


def display_command(command: Sequence[str]) -> str:
    """A command as a shell would take it."""
    import shlex

    return shlex.join(command)
