# SPDX-License-Identifier: Apache-2.0
"""`auditpack lint`: packs, profiles, and what a profile promises."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import kept
from .compose import compose
from .errors import PackError, PackErrors
from .model import Pack
from .output import marked
from .packfile import read_archive
from .profiles import FOLDER, Profile, check_profiles, entries
from .registry import Registry
from .release import archive, digest, last_before, refuse_less
from .render import render
from .schema import check_packs, find_packs

COST = Path(__file__).resolve().parents[3] / "docs" / "packs" / "cost.json"
LAB = ("debian12", "debian13")
"""Kept facts of the hosts on which a budget of rules is counted."""


def register(commands: Any) -> None:
    lint = commands.add_parser("lint", help="check packs and profiles: schema, references, cases, budgets")
    lint.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR", help="pack folders, or folders of packs")
    lint.add_argument("--registry", metavar="DIR|URL", help="refuse versions raised by less than changes ask for")
    lint.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    paths = options.packs or [Path("rulepacks")]
    packs, problems = check_packs(find_packs(paths))
    profiles, wrong = check_profiles(paths)
    problems += wrong
    if not any(problem.level == "error" for problem in problems):
        problems += [problem for profile in profiles.values() for problem in _profile(profile, packs, profiles)]
        problems += _released(packs, Registry(options.registry)) if options.registry else []
    if problems:
        print(marked(problems))
    errors = sum(problem.level == "error" for problem in problems)
    rules, cases = sum(len(pack.rules) for pack in packs), sum(len(pack.cases) for pack in packs)
    about = f", {len(profiles)} profiles" if any((path / FOLDER).is_dir() for path in paths) else ""
    print(f"{len(packs)} packs, {rules} rules, {cases} cases{about}: ", end="")
    print(f"{errors} errors, {len(problems) - errors} warnings")
    return 1 if errors else 0


def _released(packs: Sequence[Pack], registry: Registry) -> list[PackError]:
    """Errors for packs that changed since their last release without, or with less than, the version it asks for."""
    releases = registry.releases()
    found: list[PackError] = []
    for pack in packs:
        same = next((one for one in releases if (one.name, one.version) == (pack.name, pack.version)), None)
        last = last_before(pack, releases)
        if same and digest(archive(Path(pack.place.file).parent, pack.name)) != same.sha256:
            message = f"pack `{pack.name}` {pack.version} is released, and has changed since"
            found.append(
                PackError(pack.place.file, pack.place.line, message, "raise `version`; `auditpack bump` tells")
            )
        elif last and not same:
            try:
                former = read_archive(registry.archive(last), registry.place(last.file))
                refuse_less(pack, last, former)
            except PackError as failure:
                found.append(failure)
    return found


def _measured(profile: Profile) -> list[PackError]:
    """Warnings where the figures of the last `make cost` are over what the profile promises."""
    if not COST.is_file():
        return []
    cost = json.loads(COST.read_text(encoding="utf-8"))
    if profile.name not in cost["sets"]:
        return []
    work = cost["sets"][profile.name]["work"]
    plain = cost["sets"]["no rules"]["work"]["build"]["seconds"]
    figures = {
        "events_per_hour_idle": work["idle"]["events"] * 3600 / cost["idle"],
        "events_per_apt_install": work["apt"]["events"],
        "events_per_build": work["build"]["events"] * 10_000 / cost["work"],
        "build_slowdown_percent": (work["build"]["seconds"] / plain - 1) * 100,
    }
    return [
        PackError(
            profile.place.file,
            profile.place.line,
            f"profile `{profile.name}` was measured with {figures[name]:.0f} {name.replace('_', ' ')}; "
            f"its budget is {limit}",
            f"make its rules cheaper, or raise `budget: {{{name}: …}}`; {COST.name} has the figures",
            "warning",
        )
        for name, limit in profile.budget.items()
        if figures.get(name, 0) > limit
    ]


def _profile(profile: Profile, packs: Sequence[Pack], profiles: dict[str, Profile]) -> list[PackError]:
    """Errors where it cannot be composed; with a budget, warnings where a lab host loads more than that."""
    try:
        composition = compose(packs, [{"profile": profile.name}], entries(profiles), str(profile.place.file))
        found = _measured(profile)
        for facts in map(kept.load, LAB if "rules" in profile.budget else ()):
            lines = sum(line.line is not None for line in render(composition, facts).lines)
            if lines > profile.budget["rules"]:
                where = f"{facts.distro} {facts.distro_version}"
                message = f"profile `{profile.name}` loads {lines} rules on {where}; its budget is "
                message += str(profile.budget["rules"])
                remedy = "take rules out, or raise `budget: {rules: …}`"
                found.append(PackError(profile.place.file, profile.place.line, message, remedy, "warning"))
        return found
    except PackErrors as failure:
        return failure.errors
