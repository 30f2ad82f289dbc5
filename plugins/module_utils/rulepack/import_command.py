# SPDX-License-Identifier: Apache-2.0
"""`auditpack import`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from .defects import KINDS, Examined, Tables, examine
from .errors import PackError
from .imported import expressible, grouped, pack_files
from .schema import NAME, load_packs

_KEPT_FACTS = Path(__file__).resolve().parents[3] / "tests" / "facts"


def register(commands: Any) -> None:
    parser = commands.add_parser(
        "import", help="turn an existing audit.rules into a pack, and tell what is wrong in it"
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--name", help="name of the pack (default: from the file's)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the pack to DIR/NAME; without it, only report")
    parser.add_argument("--licence", default="LicenseRef-Unknown", help="SPDX id of the file's licence")
    parser.add_argument("--facts", type=Path, action="append", help="facts of a host that knows the system calls")
    parser.add_argument("--strict", action="store_true", help="fail when a line is left out")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise PackError(str(options.file), 0, f"cannot be read: {failure}", "name a readable audit.rules") from None
    name = options.name or re.sub(r"[^a-z0-9]+", "-", options.file.stem.lower()).strip("-") or "imported"
    if not re.fullmatch(NAME, name):
        raise PackError("--name", 0, f"`{name}` cannot name a pack", "use a-z, 0-9 and -")
    tables, directories = _known(options.facts)
    examined = examine(text, tables)
    examined.kept, findings = expressible(examined.kept)
    examined.findings = sorted([*examined.findings, *findings], key=lambda one: (one.line, KINDS.index(one.kind)))
    groups = grouped(examined.kept)
    if options.out:
        _write(options.out / name, pack_files(name, options.file.name, options.licence, groups, directories))
    _report(options, examined, len(groups), name)
    wrong = any(finding.kind != "note" for finding in examined.findings)
    return 1 if options.strict and wrong else 0


def _known(files: list[Path] | None) -> tuple[Tables, set[str]]:
    """System calls by ABI and directories, of all the hosts together."""
    tables: dict[str, frozenset[str]] = {}
    directories: set[str] = set()
    for file in files or sorted(_KEPT_FACTS.glob("*.json")):
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
            for abi, table in facts["syscalls"].items():
                tables[abi] = tables.get(abi, frozenset()) | frozenset(table)
            directories |= {path for path, about in facts.get("paths", {}).items() if about["kind"] == "dir"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
            raise PackError(
                str(file), 0, f"these are no host facts: {failure}", "gather them with audit_facts"
            ) from None
    if not tables:
        print("# names of system calls are not checked: give --facts of a host", file=sys.stderr)
    return tables, directories


def _write(folder: Path, files: dict[str, str]) -> None:
    if folder.exists():
        raise PackError(str(folder), 0, "is there already", "choose another --name or --out, or remove it")
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    load_packs([folder])


def _report(options: argparse.Namespace, examined: Examined, rules: int, name: str) -> None:
    numbers = {kind: sum(one.kind == kind for one in examined.findings) for kind in KINDS}
    if options.format == "json":
        findings = [{"file": str(options.file), **one._asdict()} for one in examined.findings]
        about = {"pack": name, "lines": examined.lines, "kept": len(examined.kept), "rules": rules}
        print(json.dumps({**about, "counts": numbers, "findings": findings}, indent=2, ensure_ascii=False))
        return
    for one in examined.findings:
        print(f"{options.file}:{one.line}: {one.kind}: {one.message} — {one.remedy}")
    counted = ", ".join(f"{number} {kind}" for kind, number in numbers.items())
    print(f"{examined.lines} lines, {len(examined.kept)} kept as {rules} rules: {counted}")
    print(f"written to {options.out / name}" if options.out else "nothing is written; --out DIR makes the pack")
