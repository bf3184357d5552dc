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


_HERE = os.path.dirname(os.path.realpath(__file__))
if os.environ.get("MIGRATE_MILVUS_RECORD"):
    _recorder = _load(
        "_migrate_milvus_recorder", os.path.join(os.path.dirname(_HERE), "recorder.py")
    )
    if _recorder is not None:
        _recorder.install()
_load_hidden_sitecustomize(_HERE)
