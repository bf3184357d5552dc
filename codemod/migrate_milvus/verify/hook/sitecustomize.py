"""Starts the recorder in any Python process that has this folder on its PYTHONPATH.

Python imports the first ``sitecustomize`` it finds, so this one loads the one it hides as well.
It must work with any interpreter from 3.8 on and with nothing installed.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType


def _load(name: str, path: str) -> ModuleType | None:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    return None


def _load_hidden_sitecustomize(here: str) -> None:
    rest = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.origin and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _use_the_copy(tree: str, copy: str) -> None:
    """A project installed in editable mode is imported from the copy that runs.

    Such an installation is a line in a ``.pth`` file (by now an entry of ``sys.path``), or a finder
    of setuptools' with a table of packages.
    """

    def moved(path: str) -> str:
        real = os.path.realpath(path)
        inside = real == tree or real.startswith(tree + os.sep)
        new = copy + real[len(tree) :]
        installed = "site-packages" in real or "dist-packages" in real
        return new if inside and not installed and os.path.exists(new) else path

    sys.path[:] = [moved(entry) if entry else entry for entry in sys.path]
    for name, module in list(sys.modules.items()):
        table = getattr(module, "MAPPING", None)
        if name.startswith("__editable__") and isinstance(table, dict):
            table.update({package: moved(str(path)) for package, path in table.items()})


_HERE = os.path.dirname(os.path.realpath(__file__))
if os.environ.get("MIGRATE_MILVUS_RECORD"):
    if os.environ.get("MIGRATE_MILVUS_TREE"):
        _use_the_copy(os.environ["MIGRATE_MILVUS_TREE"], os.environ["MIGRATE_MILVUS_COPY"])
    _recorder = _load(
        "_migrate_milvus_recorder", os.path.join(os.path.dirname(_HERE), "recorder.py")
    )
    if _recorder is not None:
        _recorder.install()
_load_hidden_sitecustomize(_HERE)
