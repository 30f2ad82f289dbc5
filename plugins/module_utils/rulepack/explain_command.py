# SPDX-License-Identifier: Apache-2.0
"""`auditpack explain`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .explain import account, dead, find
from .proof import PROOF_HELP, load
from .schema import find_packs, load_packs


def register(commands: Any) -> None:
    parser = commands.add_parser("explain", help="what a rule catches, why, its proof and its gaps")
    parser.add_argument("asked", metavar="RULE|KEY|LINE", help="an id, a key, or an auditctl line after `--`, quoted")
    parser.add_argument("--dir", type=Path, action="append", help="folder of packs (default: rulepacks)")
    parser.add_argument("--proof", type=Path, action="append", default=[], help=PROOF_HELP)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    proof = load(options.proof)
    packs = load_packs(find_packs(options.dir or [Path("rulepacks")]))
    if options.asked.lstrip().startswith("-"):
        reason = dead(options.asked)
        if reason:
            print(f"the line catches nothing, it can never match: {reason}", file=sys.stderr)
            print("[]" if options.format == "json" else "", end="")
            return 0
    accounts = [account(one, proof) for one in find(packs, options.asked)]
    if options.format == "json":
        print(json.dumps(accounts, indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(_text(one, bool(proof.file)) for one in accounts))
    return 0


def _text(one: dict[str, Any], has_proof: bool) -> str:
    rows = [f"{one['rule']} ({one['pack']}, {one['place']})" + (f": {one['relation']}" if one["relation"] else "")]
    evaded = one["evaded_by"] or ["no way is known to us, which does not say that there is none"]
    proof = one["proof"] or (
        ["the proof has no row of it"] if has_proof else ["there is no proof; `make prove` makes one"]
    )
    entries: list[tuple[str, list[str]]] = [
        ("title", [one["title"]]),
        ("catches", [one["catches"]]),
        *((f"in {name}", [text]) for name, text in one["variants"].items()),
        ("why", [one["why"]]),
        ("key", [one["key"] or "none"]),
        ("weight", [f"severity {one['severity']}, maturity {one['maturity']}"]),
        ("ATT&CK", [", ".join(one["attack"])]),
        ("sections", [", ".join(one["sections"])]),
        ("noise", [one["noise"]]),
        ("false alarms", [one["false_positives"]]),
        ("cases", one["cases"]),
        ("status", [one["status"]]),
        ("proof", proof),
        ("evaded by", evaded),
    ]
    for name, texts in entries:
        for index, text in enumerate(text for text in texts if text):
            rows.append(f"  {name if index == 0 else '':<13}{text}")
    return "\n".join(rows)
