"""Prints what the installed pymilvus has of the ORM, as JSON; runs alone, on any release.

``members``: public names of classes and modules; ``top``: what the package exports; ``signatures``:
the parameters of each callable with the texts of their defaults, ``**`` for further keywords.
"""

from __future__ import annotations

import importlib
import inspect
import json

import pymilvus

CLASSES = ("Collection", "Partition", "Index", "Role", "connections")
MODULES = ("utility", "db")


def _public(owner: object) -> list[str]:
    return sorted(name for name in dir(owner) if not name.startswith("_"))


def _functions(module: object) -> list[str]:
    return [
        name
        for name in _public(module)
        if inspect.isfunction(value := getattr(module, name))
        and value.__module__ == module.__name__  # type: ignore[attr-defined]
    ]


def _signature(value: object) -> list[list[str | None]] | None:
    function = getattr(value, "__func__", value)
    if not inspect.isfunction(function):
        return None
    return [
        ["**", None]
        if parameter.kind is parameter.VAR_KEYWORD
        else [name, None if parameter.default is parameter.empty else repr(parameter.default)]
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("self", "cls")
    ]


def main() -> None:
    owners = {name: getattr(pymilvus, name) for name in CLASSES}
    owners |= {name: importlib.import_module(f"pymilvus.orm.{name}") for name in MODULES}
    members = {
        name: _functions(owner) if name in MODULES else _public(owner)
        for name, owner in owners.items()
    }
    signatures: dict[str, object] = {}
    for name, owner in owners.items():
        home = type(owner) if name == "connections" else owner
        if inspect.isclass(home) and name != "connections":
            signatures[name] = _signature(inspect.getattr_static(home, "__init__"))
        for member in members[name]:
            found = _signature(inspect.getattr_static(home, member, None))
            if found is not None:
                signatures[f"{name}.{member}"] = found
    top = sorted(pymilvus.__all__)
    print(json.dumps({"members": members, "signatures": signatures, "top": top}))


if __name__ == "__main__":
    main()
