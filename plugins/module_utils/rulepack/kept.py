# SPDX-License-Identifier: Apache-2.0
"""Facts of plain hosts, kept in the source tree under tests/facts, for rendering without a host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from .errors import PackError
from .model import HostFacts

HOMES = ("/home/alice", "/home/bob", "/root")
FOLDER = Path(__file__).resolve().parents[3] / "tests" / "facts"


def names() -> list[str]:
    """The hosts whose facts are kept: `debian12`, `rhel9`, …"""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name: str) -> HostFacts:
    """The facts of one; what they do not list counts as missing, a path and a list alike."""
    if name not in names():
        raise PackError(name, 0, "there are no such facts", f"kept here are {', '.join(names()) or 'none'}")
    facts = HostFacts.from_json(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
    paths = _Paths(facts.paths)
    return replace(facts, paths=paths, lists=_Lists(facts.lists, paths))


class _Paths(Mapping[str, Mapping[str, str]]):
    """Answers for every path: links above it are resolved, as realpath(3) does."""

    def __init__(self, known: Mapping[str, Mapping[str, str]]) -> None:
        self._known = known

    def __getitem__(self, path: str) -> Mapping[str, str]:
        above, _, name = path.rpartition("/")
        folder = self[above]["real"].rstrip("/") if above else ""
        real = f"{folder}/{name}"
        found = self._known.get(path) or self._known.get(real)
        if found and found["real"] != real:
            return {**found, "kind": self._known.get(found["real"], found)["kind"]}
        return found or {"kind": "dir" if real == "/" else "missing", "real": real}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class _Lists(Mapping[str, tuple[str, ...]]):
    """Answers for every list: those of homes as a host does, from the paths; any other that is not kept is empty."""

    def __init__(self, known: Mapping[str, tuple[str, ...]], paths: Mapping[str, Mapping[str, str]]) -> None:
        self._known = known
        self._paths = paths

    def __getitem__(self, name: str) -> tuple[str, ...]:
        kind, _, relative = name.partition(":")
        inside = [f"{home}/{relative}" for home in HOMES]
        if kind == "home":
            return tuple(path for path in inside if self._paths[path.rpartition("/")[0]]["kind"] == "dir")
        if kind == "home-dir":
            return tuple(path for path in inside if self._paths[path]["kind"] == "dir")
        return self._known.get(name, ())

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
