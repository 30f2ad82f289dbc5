# SPDX-License-Identifier: Apache-2.0
"""`auditpack diff` and `auditpack bump`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .changes import KINDS, LEVELS, NONE, Change, changes, least_bump, raised_enough
from .changes_text import read_lines, text_changes
from .errors import PackError
from .packfile import is_archive, read_pack


def register(commands: Any) -> None:
    diff = commands.add_parser("diff", help="what changed between two packs or two auditctl texts, by meaning")
    diff.add_argument("old", type=Path, metavar="A", help="pack folder, release archive or auditctl text")
    diff.add_argument("new", type=Path, metavar="B")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.set_defaults(run=_diff)
    bump = commands.add_parser("bump", help="the least SemVer bump from one version of a pack to another, and why")
    bump.add_argument("--from", dest="old", type=Path, required=True, metavar="OLD", help="pack folder or archive")
    bump.add_argument("new", type=Path, metavar="NEW")
    bump.add_argument("--check", action="store_true", help="fail when the version of NEW was raised by less")
    bump.set_defaults(run=_bump)


def between(old: Path, new: Path) -> list[Change]:
    """The changes between two packs, or between two auditctl texts. PackError on one of each."""
    packs = [path.is_dir() or is_archive(path) for path in (old, new)]
    if packs[0] != packs[1]:
        remedy = "compare two packs, or render the pack first (`auditpack render`)"
        raise PackError(str(new), 0, f"cannot be compared with {old}: one is a pack, the other is not", remedy)
    if packs[0]:
        return changes(read_pack(old), read_pack(new))
    return text_changes(read_lines(old), read_lines(new))


def _diff(options: argparse.Namespace) -> int:
    found = between(options.old, options.new)
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
