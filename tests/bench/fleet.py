# SPDX-License-Identifier: Apache-2.0
"""How long composing and rendering takes for many hosts of mixed distributions: `python -m tests.bench.fleet`.

The hosts are simulated: the kept facts of tests/facts, each with a kernel, users and setuid files of its own. It is the
CPU time of this process, packs already parsed; `auditpack lint` of all packs is measured as a whole process. Exit
status 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from plugins.module_utils.rulepack import kept
from plugins.module_utils.rulepack.compose import compose, needs
from plugins.module_utils.rulepack.model import HostFacts
from plugins.module_utils.rulepack.profiles import entries, load_profiles
from plugins.module_utils.rulepack.render import render
from plugins.module_utils.rulepack.schema import load_packs

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "rulepacks"
HOST_MS, LINT_S = 50.0, 2.0
"""Limits: CPU milliseconds per host, CPU seconds of a lint of all packs."""


def hosts(number: int, distros: list[str]) -> Iterator[HostFacts]:
    """Hosts that differ in distribution, kernel, ids and programs, the same ones at each run."""
    bases = [_plain(kept.load(name)) for name in distros]
    for index in range(number):
        base = bases[index % len(bases)]
        own = tuple(f"/opt/tool{index % 7}/bin/helper{one}" for one in range(index % 5))
        release = base.kernel.partition("-")[0]
        yield replace(
            base,
            kernel=f"{release}-{index % 40}-generic",
            users={name: uid + index % 13 for name, uid in base.users.items()},
            lists={**base.lists, "setuid_files": (*base.lists["setuid_files"], *own)},
        )


def _plain(facts: HostFacts) -> HostFacts:
    """What a host would answer: kept facts look paths and lists up when asked, a host's are plain data."""
    wanted = needs(compose(load_packs([PACKS])))
    paths = {path: facts.paths[path] for path in wanted.paths}
    return replace(facts, paths=paths, lists={name: facts.lists[name] for name in wanted.lists})


def measure(profile: str, number: int, distros: list[str]) -> dict[str, Any]:
    """Compose and render for each host; CPU milliseconds per host of each tenth part show whether it is linear."""
    packs = load_packs([PACKS])
    profiles = entries(load_profiles([PACKS]))
    every = list(hosts(number, distros))
    parts, lines = [], 0
    step = max(1, number // 10)
    begin = time.process_time()
    for first in range(0, number, step):
        start = time.process_time()
        chunk = every[first : first + step]
        for facts in chunk:
            lines += len(render(compose(packs, [{"profile": profile}], profiles), facts).lines)
        parts.append((time.process_time() - start) * 1000 / len(chunk))
    total = (time.process_time() - begin) * 1000 / number
    return {"profile": profile, "hosts": number, "lines": round(lines / number), "ms": total, "parts": parts}


def lint_seconds() -> float:
    """CPU of a whole `auditpack lint`, the best of three."""
    best = float("inf")
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [sys.executable, "-c", "import sys; from auditpack.cli import main; sys.exit(main(['lint']))"]
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=str(__doc__))
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--profile", action="append", help="default: cis-l2 and detect-max")
    parser.add_argument(
        "--distros", default="", help="kept facts, parted by commas (default: those every pack supports)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    distros = options.distros.split(",") if options.distros else ["debian12", "debian13", "ubuntu2204", "ubuntu2404"]
    rows = [measure(profile, options.hosts, distros) for profile in options.profile or ["cis-l2", "detect-max"]]
    lint = lint_seconds()
    for row in rows:
        parts = " ".join(f"{part:.1f}" for part in row["parts"])
        print(f"{row['profile']}: {row['hosts']} hosts, {row['lines']} lines each, {row['ms']:.1f} ms CPU per host")
        print(f"  per tenth: {parts}")
    print(f"lint of all packs: {lint:.2f} s CPU")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "lint": lint}, indent=1) + "\n", encoding="utf-8")
    over = [row["profile"] for row in rows if row["ms"] > HOST_MS] + (["lint"] if lint > LINT_S else [])
    if over:
        print(f"over the limit of {HOST_MS:.0f} ms per host or {LINT_S:.0f} s: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
