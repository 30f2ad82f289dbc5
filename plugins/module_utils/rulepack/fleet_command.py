# SPDX-License-Identifier: Apache-2.0
"""`auditpack fleet`: host × pack × version × drift of an inventory."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import PackError
from .inventory import ask, read_tree
from .output import table

COLUMNS = ("host", "pack", "version", "sha256", "drift", "when", "by")


def register(commands: Any) -> None:
    fleet = commands.add_parser("fleet", help="which packs the hosts of an inventory have, and what has drifted")
    source = fleet.add_mutually_exclusive_group(required=True)
    source.add_argument("-i", "--inventory", help="Ansible inventory; its hosts are asked")
    source.add_argument("--tree", type=Path, metavar="DIR", help="answers saved by `ansible -m … --tree DIR`")
    fleet.add_argument("pattern", nargs="?", default="all", help="hosts of the inventory (default: all)")
    fleet.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    fleet.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Exit status 1 when a host drifts, cannot be asked, or has no packs."""
    if options.tree and not options.tree.is_dir():
        raise PackError(str(options.tree), 0, "there is no such folder", "ask hosts with -i, or name a saved tree")
    answers = read_tree(options.tree) if options.tree else ask(options.inventory, options.pattern)
    rows = [row for host, answer in answers.items() for row in rows_of(host, answer)]
    if options.format == "json":
        print(json.dumps({host: _plain(answer) for host, answer in answers.items()}, indent=2, ensure_ascii=False))
    else:
        print(_markdown(rows) if options.format == "markdown" else table(COLUMNS, rows))
        for host, answer in answers.items():
            for line in details(answer):
                print(f"{host}: {line}")
    return 0 if all(_well(answer) for answer in answers.values()) else 1


def rows_of(host: str, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row per pack; one row for a host without packs, or that could not be asked."""
    record = answer.get("installed")
    if not record:
        return [{**dict.fromkeys(COLUMNS, "-"), "host": host, "drift": state(answer)}]
    digests = record.get("sha256") or {}
    return [
        {
            "host": host,
            "pack": name,
            "version": version,
            "sha256": str(digests.get(name, "-"))[:12],
            "drift": state(answer),
            "when": record.get("when", "-"),
            "by": record.get("by") or "-",
        }
        for name, version in sorted(record["packs"].items())
    ]


def state(answer: Mapping[str, Any]) -> str:
    """The drift in a few words."""
    if answer.get("unreachable") or answer.get("failed"):
        return "unreachable" if answer.get("unreachable") else "cannot tell"
    drift = answer.get("drift")
    if drift is None:
        return "not installed"
    if answer.get("waits_for_reboot"):
        return "waits for the reboot"
    words = [
        f"{len(drift[kind])} {kind}" for kind in ("missing", "extra", "moved", "numbers", "files") if drift.get(kind)
    ]
    return ", ".join(words) or ("rolled back" if answer["installed"].get("rolled_back") else "none")


def details(answer: Mapping[str, Any]) -> list[str]:
    """What differs, line by line; why a host could not be asked."""
    if "installed" not in answer:
        return [str(answer.get("msg", "no reason given")).strip()]
    drift = answer.get("drift") or {}
    lines = [f"- {one['text']}  # {one['rule'] or 'of another file'}: not loaded" for one in drift.get("missing", ())]
    lines += [f"+ {text}  # loaded by hand, or by another tool" for text in drift.get("extra", ())]
    lines += [f"~ {text}  # out of order" for text in drift.get("moved", ())]
    lines += [f"- {text}  # not in force" for text in drift.get("numbers", ())]
    return lines + [f"! {name}  # of rules.d is not as it was written" for name in drift.get("files", ())]


def _well(answer: Mapping[str, Any]) -> bool:
    return state(answer) in ("none", "rolled back")


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    wanted = ("installed", "drift", "waits_for_reboot", "msg")
    return {"state": state(answer), **{key: answer[key] for key in wanted if key in answer}}


def _markdown(rows: Sequence[Mapping[str, str]]) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row[column] for column in COLUMNS) + " |" for row in rows)])
