# SPDX-License-Identifier: Apache-2.0
"""`auditpack lint`: packs, profiles, and what a profile promises."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import kept
from .compose import compose
from .errors import PackError, PackErrors
from .model import Pack
from .output import marked
from .profiles import FOLDER, Profile, check_profiles, entries
from .render import render
from .schema import check_packs, find_packs

LAB = ("debian12", "debian13")
"""Kept facts of the hosts on which a budget of rules is counted."""


def register(commands: Any) -> None:
    lint = commands.add_parser("lint", help="check packs and profiles: schema, references, cases, budgets")
    lint.add_argument("packs", nargs="*", type=Path, metavar="PACK|DIR", help="pack folders, or folders of packs")
    lint.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    paths = options.packs or [Path("rulepacks")]
    packs, problems = check_packs(find_packs(paths))
    profiles, wrong = check_profiles(paths)
    problems += wrong
    if not any(problem.level == "error" for problem in problems):
        problems += [problem for profile in profiles.values() for problem in _profile(profile, packs, profiles)]
    if problems:
        print(marked(problems))
    errors = sum(problem.level == "error" for problem in problems)
    rules, cases = sum(len(pack.rules) for pack in packs), sum(len(pack.cases) for pack in packs)
    about = f", {len(profiles)} profiles" if any((path / FOLDER).is_dir() for path in paths) else ""
    print(f"{len(packs)} packs, {rules} rules, {cases} cases{about}: ", end="")
    print(f"{errors} errors, {len(problems) - errors} warnings")
    return 1 if errors else 0


def _profile(profile: Profile, packs: Sequence[Pack], profiles: dict[str, Profile]) -> list[PackError]:
    """Errors where it cannot be composed; with a budget, warnings where a lab host loads more than that."""
    try:
        composition = compose(packs, [{"profile": profile.name}], entries(profiles), str(profile.place.file))
        found = []
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
