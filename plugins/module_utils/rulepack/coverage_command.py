# SPDX-License-Identifier: Apache-2.0
"""`auditpack coverage`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .benchmarks import SECTIONS
from .coverage import attack_layer, counts, covered, hosts_of, level, page, rules_of, sections, source, summary
from .errors import PackError
from .model import Pack
from .output import table
from .proof import PROOF_HELP, Proof, load
from .schema import find_packs, load_packs

ALL = "all"


def register(commands: Any) -> None:
    parser = commands.add_parser("coverage", help="what of a benchmark is proven")
    parser.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR", help="default: rulepacks")
    parser.add_argument("--benchmark", choices=[*SECTIONS, ALL], help="sections of this benchmark")
    parser.add_argument("--proof", type=Path, action="append", default=[], metavar="FILE", help=PROOF_HELP)
    parser.add_argument("--format", choices=("table", "json", "html"), default="table")
    parser.add_argument("--attack", type=Path, metavar="FILE", help="write an ATT&CK Navigator layer here")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not options.benchmark and not options.attack:
        raise PackError("coverage", 0, "there is nothing to show", "give --benchmark ID, --attack FILE or both")
    if options.benchmark == ALL and options.format == "html":
        raise PackError(
            "--format", 0, "there is no page of all benchmarks", "name one benchmark, or take table or json"
        )
    proof = load(options.proof)
    packs = load_packs(find_packs(options.packs or [Path("rulepacks")]))
    if not proof.file:
        print(f"# {source(proof)} — make one with `make prove`, or name it by --proof", file=sys.stderr)
    if options.attack:
        chosen = options.benchmark if options.benchmark in SECTIONS else ""
        rules = rules_of(packs, chosen) if chosen else [rule for pack in packs for rule in pack.rules]
        layer = attack_layer(rules, proof, hosts_of(packs, chosen) if chosen else None)
        options.attack.write_text(json.dumps(layer, indent=2) + "\n", encoding="utf-8")
    if options.benchmark == ALL:
        _all(packs, proof, options.format)
    elif options.benchmark:
        _one(covered(packs, options.benchmark, proof), options.benchmark, options.format, source(proof))
    return 0


def _one(found: list[tuple[dict[str, Any], list[dict[str, Any]]]], benchmark: str, form: str, origin: str) -> None:
    rows = [section for section, _ in found]
    if form == "json":
        print(json.dumps(rows, indent=2))
        return
    if form == "html":
        print(page(benchmark, found, origin), end="")
        return
    shown = []
    for section, rules in found:
        shown.append({**section, "what": section["title"], "level": level(benchmark, section)})
        shown += [{"section": "", "level": "", "what": f"  {rule['rule']}", **rule} for rule in rules]
    shown = [{**row, "proven on": _short(row)} for row in shown]
    print(table(["section", "level", "what", "status", "proven on"], shown))
    print(summary(rows))


def _all(packs: list[Pack], proof: Proof, form: str) -> None:
    """A line for each benchmark: how many of its sections are proven."""
    found = {name: sections(packs, name, proof) for name in SECTIONS}
    if form == "json":
        print(json.dumps(found, indent=2))
        return
    rows = [{"benchmark": name, "sections": len(rows), **counts(rows)} for name, rows in found.items()]
    print(table(["benchmark", "sections", *counts([])], rows))


def _short(row: dict[str, Any]) -> str:
    """Distributions and kernels; a machine is named where it is not the usual one."""
    found = []
    for host in row["proven_on"]:
        distro, kernel, _, machine = host.split(", ")
        found.append(", ".join([distro, kernel, *([machine] if machine != "x86_64" else [])]))
    return "; ".join(found) or "-"
