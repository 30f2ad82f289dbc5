# SPDX-License-Identifier: Apache-2.0
"""`auditpack diff` and `auditpack bump`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .changes import KINDS, LEVELS, MAJOR, MINOR, NONE, Change, changes, least_bump, raised_enough
from .changes_text import text_changes
from .errors import PackError
from .packfile import is_archive, read_pack
from .registry import Registry
from .sides import Side, read_side


def register(commands: Any) -> None:
    diff = commands.add_parser("diff", help="what changed between two packs or two auditctl texts, by meaning")
    side = "pack folder, folder of packs, archive, NAME@VERSION, auditctl text, ssh://[user@]host[:port] or host:NAME"
    diff.add_argument("old", metavar="A", help=side)
    diff.add_argument("new", metavar="B")
    diff.add_argument("--registry", action="append", metavar="DIR|URL", help="where NAME@VERSION is looked for")
    diff.add_argument("--signers", type=Path, help="allowed-signers file for the registry")
    diff.add_argument("-i", "--inventory", default="", help="Ansible inventory that has host:NAME")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.set_defaults(run=_diff)
    bump = commands.add_parser("bump", help="the least SemVer bump from one version of a pack to another, and why")
    bump.add_argument("--from", dest="old", type=Path, required=True, metavar="OLD", help="pack folder or archive")
    bump.add_argument("new", type=Path, metavar="NEW")
    bump.add_argument("--check", action="store_true", help="fail when the version of NEW was raised by less")
    bump.set_defaults(run=_bump)


def between(old: Side, new: Side, names: tuple[str, str]) -> list[Change]:
    """The changes between packs, or between two auditctl texts. PackError on one of each; `names` for messages."""
    if (old.packs is None) != (new.packs is None):
        remedy = "compare two packs, or render the pack first (`auditpack render`)"
        message = f"cannot be compared with {names[0]}: one is a pack, the other is not"
        raise PackError(names[1], 0, message, remedy)
    if old.packs is None or new.packs is None:
        return text_changes(old.lines, new.lines)
    if len(old.packs) == len(new.packs) == 1:
        return changes(next(iter(old.packs.values())), next(iter(new.packs.values())))
    found = [
        Change("removed", name, f"the whole pack, {pack.version}", MAJOR)
        for name, pack in old.packs.items()
        if name not in new.packs
    ]
    for name, pack in new.packs.items():
        before = old.packs.get(name)
        added = Change("added", name, f"the whole pack, {pack.version}", MINOR)
        found += changes(before, pack) if before else [added]
    return found


def _diff(options: argparse.Namespace) -> int:
    registries = [Registry(location, options.signers) for location in options.registry or ()]
    sides = [read_side(text, registries, options.inventory) for text in (options.old, options.new)]
    found = between(sides[0], sides[1], (options.old, options.new))
    if options.format == "json":
        plain = {kind: [_plain(one) for one in found if one.kind == kind] for kind in KINDS}
        print(json.dumps(plain, indent=2, ensure_ascii=False))
    else:
        print(_markdown(found) if options.format == "markdown" else _text(found))
    return 0


def _plain(change: Change) -> dict[str, str]:
    return {"rule": change.rule, "reason": change.reason, "bump": change.bump}


def _text(found: Sequence[Change]) -> str:
    ordered = sorted(found, key=lambda one: KINDS.index(one.kind))
    rows = [f"{one.kind.replace('_', ' '):<12} {one.rule}{': ' if one.reason else ''}{one.reason}" for one in ordered]
    return "\n".join(rows) or "no change"


def _markdown(found: Sequence[Change]) -> str:
    rows = []
    for kind in KINDS:
        some = [one for one in found if one.kind == kind]
        rows += [f"### {kind.replace('_', ' ').capitalize()}", ""] if some else []
        rows += [f"- `{one.rule}`{': ' if one.reason else ''}{one.reason}" for one in some]
        rows += [""] if some else []
    return "\n".join(rows).rstrip() or "No change."


def _bump(options: argparse.Namespace) -> int:
    for path in (options.old, options.new):
        if not path.is_dir() and not is_archive(path):
            raise PackError(str(path), 0, "this is no pack", "name a pack folder or a release archive")
    old, new = read_pack(options.old), read_pack(options.new)
    found = changes(old, new)
    least = least_bump(found)
    print(least)
    for one in sorted(found, key=lambda change: -LEVELS.index(change.bump)):
        if one.bump != NONE:
            print(f"{one.bump}: {one.rule}: {one.kind.replace('_', ' ')}: {one.reason}")
    if options.check and not raised_enough(old.version, new.version, least):
        message = f"version {old.version} → {new.version} is less than the {least} bump that the changes ask for"
        raise PackError(new.place.file, new.place.line, message, "raise `version` in pack.yml")
    return 0
