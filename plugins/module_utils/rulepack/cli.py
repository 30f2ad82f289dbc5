# SPDX-License-Identifier: Apache-2.0
"""`auditpack`: `compose` and `render` stand here, each other command in a module of its own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import (
    coverage_command,
    diff_command,
    docs_command,
    explain_command,
    fetch_command,
    fleet_command,
    import_command,
    lint_command,
    release_command,
)
from .compose import Composition, compose
from .errors import PackError, PackErrors
from .kept import load as kept_facts
from .model import HostFacts, Pack
from .output import marked, table
from .profiles import entries, load_profiles
from .render import Rendered, render
from .schema import find_packs, load_packs
from .source import parse
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
    lint_command.register(commands)
    composing = commands.add_parser("compose", help="the rules of a host in load order, and which can never win")
    composing.set_defaults(run=_compose)
    rendering = commands.add_parser("render", help="the rules of a host as auditctl text")
    rendering.set_defaults(run=_render)
    for command in (composing, rendering):
        command.add_argument("--dir", type=Path, action="append", help="folder of packs (default: rulepacks)")
        which = command.add_mutually_exclusive_group()
        which.add_argument("--packs", help="names, parted by commas (default: all)")
        which.add_argument("--profile", help="a ready list of packs, such as cis-l2")
        which.add_argument("--select", type=Path, metavar="FILE", help="YAML list as audit_rules_packs has it")
        command.add_argument("--exclude", default="", help="rule ids, parted by commas")
        command.add_argument("--set", action="append", default=[], metavar="PACK.NAME=VALUE", help="set a variable")
        command.add_argument("--style", choices=sorted(STYLES), default="modern", help="spelling (default: modern)")
        host = command.add_mutually_exclusive_group(required=True)
        host.add_argument("--facts", type=Path, help="JSON file of host facts")
        host.add_argument("--distro", help="use the facts of a plain host kept here, such as rhel9")
    for command in (composing, rendering):
        command.add_argument("--format", choices=("text", "json"), default="text")
    for module in (
        coverage_command,
        diff_command,
        docs_command,
        explain_command,
        fetch_command,
        fleet_command,
        import_command,
        release_command,
    ):
        module.register(commands)
    return parser


def _folders(paths: Iterable[Path] | None) -> list[Path]:
    return find_packs(list(paths or []) or [Path("rulepacks")])


def _prepare(options: argparse.Namespace) -> tuple[dict[str, Pack], Composition, HostFacts]:
    folders = options.dir or [Path("rulepacks")]
    packs = {pack.name: pack for pack in load_packs(_folders(folders))}
    profiles = entries(load_profiles(folders))
    source = "selection"
    if options.select:
        selection, source = _selection(options.select), str(options.select)
    elif options.profile:
        selection = [{"profile": options.profile}]
    else:
        names = [name.strip() for name in options.packs.split(",")] if options.packs else list(packs)
        selection = [{"name": name} for name in names]
    own = {entry["name"]: entry for entry in selection if isinstance(entry, dict) and "name" in entry}
    for target, key, value in _changes(options, packs):
        entry = own.get(target)
        if entry is None and options.packs is None and (options.profile or options.select) and target in packs:
            entry = own[target] = {"name": target}
            selection.append(entry)
        if entry is None:
            raise PackError("--set" if key else "--exclude", 0, f"pack `{target}` is not selected", "select it too")
        if key:
            entry["variables"] = {**(entry.get("variables") or {}), key: value}
        else:
            entry["exclude"] = [*(entry.get("exclude") or []), value]
    return packs, compose(packs.values(), selection, profiles, source), _facts(options)


def _selection(file: Path) -> list[Any]:
    """The list in a YAML file, bare or as `audit_rules_packs:`."""
    errors: list[PackError] = []
    try:
        document = parse(file.read_text(encoding="utf-8"), str(file), errors)
    except (OSError, UnicodeDecodeError) as failure:
        raise PackError(str(file), 0, f"cannot be read: {failure}", "name a readable YAML file") from None
    if errors or document is None:
        raise PackErrors(errors)
    data = document.data.get("audit_rules_packs") if isinstance(document.data, dict) else document.data
    if not isinstance(data, list):
        raise PackError(str(file), 1, "there is no list of packs", "write a list, or audit_rules_packs: [...]")
    return data


def _changes(options: argparse.Namespace, packs: dict[str, Pack]) -> Iterable[tuple[str, str, Any]]:
    """(pack, variable, value) of each --set; (pack, "", rule id) of each --exclude."""
    for text in options.set:
        target, _, value = text.partition("=")
        pack_name, _, variable = target.rpartition(".")
        if not pack_name or not value:
            raise PackError("--set", 0, f"`{text}` is malformed", "write PACK.NAME=VALUE for a selected pack")
        yield pack_name, variable, _typed(packs.get(pack_name), variable, value)
    for rule_id in filter(None, (one.strip() for one in options.exclude.split(","))):
        yield rule_id.partition(".")[0], "", rule_id


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
