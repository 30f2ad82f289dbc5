# SPDX-License-Identifier: Apache-2.0
"""`auditpack coverage`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .benchmarks import SECTIONS
from .coverage import attack_layer, level, page, rules_of, sections, source, summary
from .errors import PackError
from .output import table
from .proof import PROOF_HELP, load
from .schema import find_packs, load_packs


def register(commands: Any) -> None:
    parser = commands.add_parser("coverage", help="what of a benchmark is proven")
    parser.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR", help="default: rulepacks")
    parser.add_argument("--benchmark", choices=list(SECTIONS), help="sections of this benchmark")
    parser.add_argument("--proof", type=Path, action="append", default=[], metavar="FILE", help=PROOF_HELP)
    parser.add_argument("--format", choices=("table", "json", "html"), default="table")
    parser.add_argument("--attack", type=Path, metavar="FILE", help="write an ATT&CK Navigator layer here")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not options.benchmark and not options.attack:
        raise PackError("coverage", 0, "there is nothing to show", "give --benchmark ID, --attack FILE or both")
    proof = load(options.proof)
    packs = load_packs(find_packs(options.packs or [Path("rulepacks")]))
    if not proof.file:
        print(f"# {source(proof)} — make one with `make prove`, or name it by --proof", file=sys.stderr)
    if options.attack:
        rules = rules_of(packs, options.benchmark) if options.benchmark else [r for pack in packs for r in pack.rules]
        options.attack.write_text(json.dumps(attack_layer(rules, proof), indent=2) + "\n", encoding="utf-8")
    if not options.benchmark:
        return 0
    rows = sections(packs, options.benchmark, proof)
    if options.format == "json":
        print(json.dumps(rows, indent=2))
    elif options.format == "html":
        print(page(options.benchmark, rows, source(proof)), end="")
    else:
        shown = [
            {
                **row,
                "level": level(options.benchmark, row),
                "rules": ", ".join(row["rules"]) or "no rule",
                "proven on": _short(row),
            }
            for row in rows
        ]
        print(table(["section", "title", "level", "status", "proven on", "rules"], shown))
        print(summary(rows))
    return 0


def _short(row: dict[str, Any]) -> str:
    """Distributions and kernels; a machine is named where it is not the usual one."""
    found = []
    for host in row["proven_on"]:
        distro, kernel, _, machine = host.split(", ")
        found.append(", ".join([distro, kernel, *([machine] if machine != "x86_64" else [])]))
    return "; ".join(found) or "-"
