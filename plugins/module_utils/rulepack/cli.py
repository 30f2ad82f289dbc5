# SPDX-License-Identifier: Apache-2.0
"""`auditpack`: `lint`, `list`, `compose` and `render` stand here, each other command in a module of its own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import coverage_command, diff_command, explain_command, import_command, release_command
from .compose import Composition, compose
from .errors import PackError, PackErrors
from .kept import load as kept_facts
from .model import HostFacts, Pack
from .output import marked, table
from .render import Rendered, render
from .schema import check_packs, find_packs, load_packs
from .styles import STYLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all is well, 1 the packs or the host are wrong, 2 the command line is wrong."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (PackError, PackErrors) as failure:
        print(marked(failure.errors if isinstance(failure, PackErrors) else [failure]), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="auditpack", description="Versioned Linux audit rule packs.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    lint = commands.add_parser("lint", help="check packs: schema, references, cases")
    lint.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR", help="pack folders, or folders of packs")
    lint.set_defaults(run=_lint)
    listing = commands.add_parser("list", help="a table of the packs")
    listing.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR")
    listing.set_defaults(run=_list)
    composing = commands.add_parser("compose", help="the rules of a host in load order, and which can never win")
    composing.set_defaults(run=_compose)
    rendering = commands.add_parser("render", help="the rules of a host as auditctl text")
    rendering.set_defaults(run=_render)
    for command in (composing, rendering):
        command.add_argument("--dir", type=Path, action="append", help="folder of packs (default: rulepacks)")
        command.add_argument("--packs", help="names, parted by commas (default: all)")
        command.add_argument("--exclude", default="", help="rule ids, parted by commas")
        command.add_argument("--set", action="append", default=[], metavar="PACK.NAME=VALUE", help="set a variable")
        command.add_argument("--style", choices=sorted(STYLES), default="modern", help="spelling (default: modern)")
        host = command.add_mutually_exclusive_group(required=True)
        host.add_argument("--facts", type=Path, help="JSON file of host facts")
        host.add_argument("--distro", help="use the facts of a plain host kept here, such as rhel9")
    for command in (listing, composing, rendering):
        command.add_argument("--format", choices=("text", "json"), default="text")
    for module in (coverage_command, diff_command, explain_command, import_command, release_command):
        module.register(commands)
    return parser


def _folders(paths: Iterable[Path] | None) -> list[Path]:
    return find_packs(list(paths or []) or [Path("rulepacks")])


def _lint(options: argparse.Namespace) -> int:
    packs, problems = check_packs(_folders(options.packs))
    if problems:
        print(marked(problems))
    errors = sum(problem.level == "error" for problem in problems)
    rules, cases = sum(len(pack.rules) for pack in packs), sum(len(pack.cases) for pack in packs)
    print(f"{len(packs)} packs, {rules} rules, {cases} cases: {errors} errors, {len(problems) - errors} warnings")
    return 1 if errors else 0


def _list(options: argparse.Namespace) -> int:
    packs = sorted(load_packs(_folders(options.packs)), key=lambda pack: (pack.order, pack.name))
    rows = [_row(pack) for pack in packs]
    if options.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        print(table(["name", "version", "maturity", "order", "rules", "cases", "title"], rows))
    return 0


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


def _prepare(options: argparse.Namespace) -> tuple[dict[str, Pack], Composition, HostFacts]:
    packs = {pack.name: pack for pack in load_packs(_folders(options.dir))}
    names = [name.strip() for name in options.packs.split(",")] if options.packs else list(packs)
    excluded = [rule_id.strip() for rule_id in options.exclude.split(",") if rule_id.strip()]
    entries: list[dict[str, Any]] = []
    for name in names:
        own = {rule.id for rule in packs[name].rules} if name in packs else set()
        entries.append({"name": name, "variables": {}, "exclude": [item for item in excluded if item in own]})
    for text in options.set:
        target, _, value = text.partition("=")
        pack_name, _, variable = target.rpartition(".")
        entry = next((entry for entry in entries if entry["name"] == pack_name), None)
        if entry is None or not value:
            raise PackError("--set", 0, f"`{text}` is malformed", "write PACK.NAME=VALUE for a selected pack")
        entry["variables"][variable] = _typed(packs.get(pack_name), variable, value)
    return packs, compose(packs.values(), entries), _facts(options)


def _typed(pack: Pack | None, name: str, text: str) -> Any:
    """The value as the variable's type wants it; `compose` refuses what does not fit."""
    kind = pack.variables[name].type if pack and name in pack.variables else "string"
    if kind == "int" and text.lstrip("-").isdigit():
        return int(text)
    return text == "true" if kind == "bool" and text in ("true", "false") else text


def _facts(options: argparse.Namespace) -> HostFacts:
    if options.distro:
        facts = kept_facts(options.distro)
        print(f"# facts of a plain host {options.distro}, kept in tests/facts", file=sys.stderr)
        return facts
    file: Path = options.facts
    try:
        return HostFacts.from_json(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise PackError(str(file), 0, "there are no such facts", "gather them with audit_facts") from None
    except ValueError as failure:
        raise PackError(str(file), 0, f"these are no host facts: {failure}", "gather them with audit_facts") from None


def _compose(options: argparse.Namespace) -> int:
    _, composition, facts = _prepare(options)
    rendered = render(composition, facts, options.style)
    verdicts = {problem.message.split("`")[1]: problem.message for problem in rendered.warnings}
    rows = [
        {
            "number": number,
            "pack": line.pack,
            "rule": line.rule,
            "key": ",".join(line.line.keys if line.line else ()) or "-",
            "verdict": verdicts.get(line.rule, "wins"),
            "also": list(line.also),
            "text": line.text,
        }
        for number, line in enumerate(rendered.lines, 1)
    ]
    if options.format == "json":
        print(json.dumps({"lines": rows, "skipped": [asdict(one) for one in rendered.skipped]}, indent=2))
        return 0
    for row, line in zip(rows, rendered.lines):
        row["rule"] = " = ".join([line.rule, *line.also])
    print(table(["number", "pack", "rule", "key", "verdict"], rows))
    _remarks(rendered)
    return 0


def _render(options: argparse.Namespace) -> int:
    packs, composition, facts = _prepare(options)
    rendered = render(composition, facts, options.style)
    if options.format == "json":
        print(json.dumps({**_plain(rendered), "text": rendered.text}, indent=2))
        return 0
    print(explained(rendered, packs, composition), end="")
    _remarks(rendered)
    return 0


def explained(rendered: Rendered, packs: dict[str, Pack], composition: Composition) -> str:
    """The text with a comment above each rule: id, pack and version, and why."""
    rules = {rule.id: rule for _, rule in composition.rules()}
    parts, last = [], ""
    for line in rendered.lines:
        if line.rule != last:
            names = ", ".join([line.rule, *line.also])
            parts += [f"\n# {names} ({line.pack} {packs[line.pack].version}): {rules[line.rule].title}"]
            parts += [f"# {' '.join(rules[line.rule].why.split())}"]
            last = line.rule
        parts.append(line.text)
    return "\n".join(parts).lstrip("\n") + "\n"


def _plain(rendered: Rendered) -> dict[str, Any]:
    return {
        "lines": [
            {"text": line.text, "rule": line.rule, "pack": line.pack, "also": list(line.also)}
            for line in rendered.lines
        ],
        "skipped": [asdict(one) for one in rendered.skipped],
        "notes": rendered.notes,
        "warnings": [str(problem) for problem in rendered.warnings],
        "creates": [asdict(one) for one in rendered.creates],
    }


def _remarks(rendered: Rendered) -> None:
    for skipped in rendered.skipped:
        print(f"# skipped {skipped.rule}: {skipped.reason}", file=sys.stderr)
    for note in rendered.notes:
        print(f"# note {note}", file=sys.stderr)
    for problem in rendered.warnings:
        print(f"# {problem}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
