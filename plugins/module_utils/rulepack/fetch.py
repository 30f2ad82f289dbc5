# SPDX-License-Identifier: Apache-2.0
"""Releases from registries into a folder of packs: all of them, checked, or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import PackError
from .lock import Locked, check
from .packfile import read_archive, unpack
from .registry import Registry, newest
from .release import Release
from .versions import satisfies


class Taken(NamedTuple):
    """A release that was chosen, the registry it comes from, and its checked bytes."""

    release: Release
    registry: Registry
    data: bytes


class Policy(NamedTuple):
    """`update`: take the newest that fits, not the locked one. `downgrade`: older than the locked one is meant."""

    lock: Mapping[str, Locked]
    lock_file: Path
    update: bool = False
    downgrade: bool = False


def take(wanted: Mapping[str, str], registries: Sequence[Registry], policy: Policy) -> list[Taken]:
    """Choose and download: `wanted` is pack → version range. What a pack requires comes too, where a registry has it.

    Everything is checked here, so nothing has been written when a PackError says that something is wrong.
    """
    indexes = [(registry, registry.releases()) for registry in registries]
    queue = [(name, version, True) for name, version in wanted.items()]
    found: dict[str, Taken] = {}
    while queue:
        name, version, asked = queue.pop(0)
        if name in found:
            _same(found[name].release, version)
            continue
        release, registry = _choose(name, version, indexes, policy) or (None, None)
        if release is None or registry is None:
            if asked:
                raise _unknown(name, version, indexes)
            continue
        check(release, policy.lock.get(name), policy.lock_file, downgrade=policy.downgrade)
        data = registry.archive(release)
        found[name] = Taken(release, registry, data)
        requires = read_archive(data, registry.place(release.file)).requires
        queue += [(one.name, one.version, False) for one in requires if one.name not in wanted]
    return list(found.values())


def install(taken: Iterable[Taken], folder: Path) -> None:
    """Write each pack to `folder/<name>`, in the place of a former one. A fault leaves every pack as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".auditpack-", dir=folder))
    swapped: list[tuple[Path, Path | None]] = []
    try:
        (scratch / "new").mkdir()
        (scratch / "old").mkdir()
        fresh = [unpack(one.data, one.registry.place(one.release.file), scratch / "new") for one in taken]
        for new in fresh:
            target, old = folder / new.name, scratch / "old" / new.name
            there = target.exists() or target.is_symlink()
            if there:
                target.rename(old)
            swapped.append((target, old if there else None))
            new.rename(target)
    except BaseException:
        for target, former in reversed(swapped):
            if target.exists():
                shutil.rmtree(target)
            if former is not None:
                former.rename(target)
        raise
    finally:
        shutil.rmtree(scratch)


def locked(taken: Iterable[Taken], before: Mapping[str, Locked]) -> dict[str, Locked]:
    """The lock after `taken`; what was not asked for stays."""
    new = {
        one.release.name: Locked(one.release.name, one.release.version, one.release.sha256, one.registry.location)
        for one in taken
    }
    return {**before, **new}


Indexes = Sequence[tuple[Registry, Sequence[Release]]]


def _choose(name: str, version: str, indexes: Indexes, policy: Policy) -> tuple[Release, Registry] | None:
    """The locked release where it fits and no update is asked for, else the newest that fits."""
    lock = policy.lock.get(name)
    if lock and not policy.update and satisfies(lock.version, version):
        version = f"={lock.version}"
    found = [(one, registry) for registry, releases in indexes for one in [newest(releases, name, version)] if one]
    best: tuple[Release, Registry] | None = None
    for release, registry in found:
        if best is None or newest([best[0], release], name) is not best[0]:
            best = (release, registry)
        elif release.version == best[0].version and release.sha256 != best[0].sha256:
            message = f"{name} {release.version} has SHA-256 {release.sha256} here, {best[0].sha256} at "
            message += best[1].location
            raise PackError(registry.location, 0, message, "name one registry; a release never changes")
    return best


def _same(release: Release, version: str) -> None:
    if not satisfies(release.version, version):
        message = f"{release.name} {release.version} is taken, but another pack requires {version}"
        raise PackError(release.file, 0, message, f"ask for {release.name}@{version} too")


def _unknown(name: str, version: str, indexes: Indexes) -> PackError:
    there = sorted({one.version for _, releases in indexes for one in releases if one.name == name})
    places = ", ".join(registry.location for registry, _ in indexes)
    what = f"no release of {name} fits {version}: there are {', '.join(there)}" if there else f"there is no pack {name}"
    return PackError(places, 0, what, "change the range, or name another registry")
