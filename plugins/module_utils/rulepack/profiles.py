# SPDX-License-Identifier: Apache-2.0
"""Ready lists of packs: `profiles/<name>.yml` in a folder of packs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import PackError, raise_if_any
from .model import Place
from .reader import Reader
from .schema import NAME
from .selection import KEYS
from .source import read

FOLDER = "profiles"
BUDGETS = ("rules", "events_per_hour_idle", "events_per_apt_install", "events_per_build", "build_slowdown_percent")
"""What a profile promises to stay below: lines loaded on a lab host, and figures of `make cost`."""


@dataclass(frozen=True)
class Profile:
    """`packs`: entries of a selection. `budget`: limits by the names of BUDGETS."""

    name: str
    place: Place
    title: str = ""
    description: str = ""
    packs: tuple[Mapping[str, Any], ...] = ()
    budget: Mapping[str, int] = field(default_factory=dict)


def load_profiles(folders: Iterable[Path | str]) -> dict[str, Profile]:
    """The profiles of folders of packs, by name. PackErrors with all that is wrong in them."""
    found, problems = check_profiles(folders)
    raise_if_any(problems)
    return found


def entries(profiles: Mapping[str, Profile]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """What `compose` takes."""
    return {name: profile.packs for name, profile in profiles.items()}


def check_profiles(folders: Iterable[Path | str]) -> tuple[dict[str, Profile], list[PackError]]:
    """All profiles as far as they can be read, and every error."""
    found: dict[str, Profile] = {}
    problems: list[PackError] = []
    for folder in folders:
        for file in sorted((Path(folder) / FOLDER).glob("*.yml")):
            profile = _profile(file, problems)
            if profile is None:
                continue
            if profile.name in found:
                message = f"profile `{profile.name}` is also at {found[profile.name].place}"
                problems.append(PackError(profile.place.file, profile.place.line, message, "rename one of the two"))
            found.setdefault(profile.name, profile)
    return found, problems


def _profile(file: Path, errors: list[PackError]) -> Profile | None:
    document = read(file, errors)
    if document is None:
        return None
    reader = Reader(document, (), errors, "a profile")
    name = reader.text("name", file.stem, required=True, pattern=NAME)
    if name != file.stem:
        reader.error("name", f"profile `{name}` is in {file.name}", "give both the same name")
    budget = reader.map("budget")
    limits = {one: budget.integer(one, 0, high=10**9) for one in BUDGETS if budget.has(one)} if budget else {}
    if budget:
        budget.done()
    profile = Profile(
        name=name,
        place=Place(document.file, reader.line("name")),
        title=reader.text("title", required=True),
        description=reader.text("description", required=True),
        packs=tuple(_entry(entry) for entry in reader.maps("packs")),
        budget=limits,
    )
    if not profile.packs:
        reader.error("packs", "the profile has no packs", "list them as {name: …}")
    reader.done()
    return profile


def _entry(entry: Reader) -> Mapping[str, Any]:
    """The rest is checked when the profile is composed: only then the packs are known."""
    found: dict[str, Any] = {"name": entry.text("name", required=True, pattern=NAME)}
    for key in KEYS[1:]:
        value = entry.any(key)
        if value is not None:
            found[key] = value
    entry.done()
    return found
