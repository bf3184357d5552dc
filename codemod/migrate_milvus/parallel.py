"""Work on several processors: parts of a project that no import connects are migrated apart."""

from __future__ import annotations

import ast
import multiprocessing
import os
import signal
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from migrate_milvus.document import Document
from migrate_milvus.model import FileResult
from migrate_milvus.project import ModuleGraph
from migrate_milvus.settings import Settings
from migrate_milvus.syntax import tree_of

# A process of its own has to import the engine first, which takes as long as about 30 kB of code.
_WORTH = 200_000
# Smaller shares than one a process even out that some code takes longer than other code.
_SHARES = 4


def migrate(documents: Sequence[Document], settings: Settings) -> list[FileResult]:
    """Migrate the documents of one project, like ``engine.migrate``, with ``settings.jobs``."""
    from migrate_milvus.engine import migrate as migrate_here

    jobs = settings.jobs or os.cpu_count() or 1
    if jobs == 1 or sum(len(document.data) for document in documents) < _WORTH:
        return migrate_here(documents, settings)
    shares = _shares(list(connected(documents)), jobs * _SHARES)
    if len(shares) == 1:
        return migrate_here(documents, settings)
    # Never a fork: the thread that draws the progress may hold a lock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(shares)), context, _begin) as pool:
        try:
            futures = [pool.submit(migrate_here, share, settings) for share in shares]
            return [result for future in futures for result in future.result()]
        except (BrokenProcessPool, OSError):  # a process was killed, or none can be started
            return migrate_here(documents, settings)
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _begin() -> None:
    """Prepare a process that helps."""
    warnings.simplefilter("ignore")  # as the command line does
    # Ctrl-C reaches every process: the one that was started by the user ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def connected(documents: Sequence[Document]) -> Iterable[list[Document]]:
    """The documents in groups: what imports connect, however far, is in one."""
    # What cannot be parsed imports nothing; the engine says what is wrong with it.
    trees = {d.name: tree_of(d.text) or ast.Module([], []) for d in documents}
    graph = ModuleGraph(trees)
    left = {document.name: document for document in documents}
    for document in documents:
        if document.name in left:
            names = {document.name, *graph.related(document.name)}
            yield [left.pop(name) for name in sorted(names)]


def _shares(groups: list[list[Document]], number: int) -> list[list[Document]]:
    """The groups put together to at most ``number`` shares of similar size, the largest first."""
    sized = sorted(groups, key=_size, reverse=True)
    shares: list[list[Document]] = [[] for _ in range(min(number, len(sized)))]
    sizes = [0] * len(shares)
    for group in sized:
        least = sizes.index(min(sizes))
        shares[least] += group
        sizes[least] += _size(group)
    return [
        share for _, share in sorted(zip(sizes, shares, strict=True), key=lambda pair: -pair[0])
    ]


def _size(documents: Iterable[Document]) -> int:
    return sum(len(document.data) for document in documents)
