# SPDX-License-Identifier: Apache-2.0
"""`auditpack fetch` and `auditpack list`."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from .errors import PackError
from .fetch import Policy, install, locked, take
from .lock import lock_text, read_lock
from .model import Pack
from .output import table
from .registry import Registry, newest
from .release_command import replace_file
from .schema import NAME, find_packs, load_packs
from .versions import check_range, parts


def register(commands: Any) -> None:
    fetch = commands.add_parser("fetch", help="take releases from registries, checked, and lock them")
    fetch.add_argument("packs", nargs="*", metavar="NAME[@RANGE]", help="packs to take (default: those of the lock)")
    fetch.add_argument(
        "--out", type=Path, default=Path("packs"), metavar="DIR", help="folder of packs (default: packs)"
    )
    fetch.add_argument("--lock", type=Path, default=Path("auditpack.lock"), help="lock file (default: auditpack.lock)")
    fetch.add_argument("--update", action="store_true", help="take the newest that fits, not what is locked")
    fetch.add_argument("--allow-downgrade", action="store_true", help="take an older version than the locked one")
    fetch.set_defaults(run=_fetch)
    listing = commands.add_parser("list", help="a table of the packs, and which registries have newer ones")
    listing.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR")
    listing.add_argument("--outdated", action="store_true", help="only those of which a registry has a newer release")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=_list)
    for command, needed in ((fetch, True), (listing, False)):
        command.add_argument(
            "--registry",
            action="append",
            required=needed,
            metavar="DIR|URL",
            help="where releases are; may be repeated",
        )
        command.add_argument("--signers", type=Path, help="allowed-signers file: then everything must be signed")


def _registries(options: argparse.Namespace) -> list[Registry]:
    return [Registry(location, options.signers) for location in options.registry or ()]


def _fetch(options: argparse.Namespace) -> int:
    before = read_lock(options.lock)
    wanted = dict(map(_asked, options.packs)) or dict.fromkeys(before, "")
    if not wanted:
        raise PackError(str(options.lock), 0, "nothing is asked for and nothing is locked", "name packs: cis@^1.2")
    policy = Policy(before, options.lock, options.update, options.allow_downgrade)
    taken = take(wanted, _registries(options), policy)
    install(taken, options.out)
    replace_file(options.lock, lock_text(locked(taken, before)).encode())
    for one in taken:
        print(f"{one.release.sha256}  {options.out / one.release.name} {one.release.version}")
    return 0


def _asked(text: str) -> tuple[str, str]:
    name, _, version = text.partition("@")
    wrong = check_range(version) if version else None
    if not re.fullmatch(NAME, name) or wrong:
        raise PackError(text, 0, "this names no pack and range", "write NAME or NAME@RANGE, such as cis@^1.2")
    return name, version


def _list(options: argparse.Namespace) -> int:
    if options.outdated and not options.registry:
        raise PackError("--outdated", 0, "newer releases are looked for in a registry", "give --registry DIR|URL")
    packs = sorted(
        load_packs(find_packs(options.packs or [Path("rulepacks")])), key=lambda pack: (pack.order, pack.name)
    )
    rows = [_row(pack) for pack in packs]
    columns = ["name", "version", "maturity", "order", "rules", "cases", "title"]
    if options.registry:
        releases = [one for registry in _registries(options) for one in registry.releases()]
        for row in rows:
            found = newest(releases, row["name"])
            row["newest"] = found.version if found else "-"
        columns.insert(2, "newest")
    if options.outdated:
        rows = [row for row in rows if _older(row)]
    if options.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        print(table(columns, rows) if rows else "every pack is as new as in the registry")
    return 0


def _older(row: dict[str, Any]) -> bool:
    return row["newest"] != "-" and parts(row["version"]) < parts(row["newest"])


def _row(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "maturity": pack.maturity,
        "order": pack.order,
        "rules": len(pack.rules),
        "cases": len(pack.cases),
        "title": pack.title,
    }
