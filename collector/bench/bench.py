#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time the collector and LAUREL on one log made from the corpus, in turn, and compare.

    bench.py [--megabytes 103] [--rounds 5] [--laurel PROGRAM] [--only WORD] [--picture FILE]

CPU is user + system of the whole process, the interpreter's start included; output goes to a file on the same disk for
all. Each round runs everyone once; shown is the round with the least CPU, and as ratio the median over the rounds of
LAUREL's CPU per byte by ours in the same round, so that a busy machine burdens both. Writes build/bench/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import audit_log
import picture
import rivals
from rivals import WORK, Rival


class Run(NamedTuple):
    cpu: float  # seconds
    wall: float
    rss: int  # KiB
    megabytes: float  # read, for `restore` written
    lines: int


class Row(NamedTuple):
    name: str
    goal: str
    run: Run  # the cheapest
    ratio: float | None  # LAUREL's CPU by this one's


def measure(rival: Rival, source: Path, output: Path) -> Run:
    """Run once. A program that fails or prints nothing ends the bench: its time would mean nothing."""
    read_end, write_end = os.pipe()
    helper = [rivals.python(), "-I", "-S", str(Path(__file__).with_name("measure.py"))]
    environment = {**os.environ, **rival.env}
    with source.open("rb") as stdin, output.open("wb") as stdout, os.fdopen(read_end) as figures:
        # The shell moves the pipe's end to descriptor 3.
        move = ["sh", "-c", f'exec 3>&{write_end} "$@"', "sh", *helper, *rival.command]
        process = subprocess.Popen(move, stdin=stdin, stdout=stdout, env=environment, pass_fds=[write_end])
        os.close(write_end)
        report = figures.read()
        code = process.wait()
    with output.open("rb") as result:
        lines = sum(line.startswith((b"{", b"type=")) for line in result)  # LAUREL's log goes to stdout too
    if code != 0 or lines == 0:
        sys.exit(f"{rival.name}: exit {code}, {lines} lines ({' '.join(rival.command)})")
    cpu, wall, rss = json.loads(report)
    megabytes = (output if rival.reads == "events" else source).stat().st_size / 1e6
    return Run(cpu, wall, rss, megabytes, lines)


def make_sources(megabytes: int, small: int, output: Path) -> dict[str, Path]:
    sources = {"log": audit_log.make(WORK, megabytes), "small": audit_log.make(WORK, small)}
    sources["events"] = WORK / "events.jsonl"
    maker = rivals.ours("original", "replay --format records --original")
    measure(maker, sources["log"], output)
    output.replace(sources["events"])
    return sources


def run_all(everyone: list[Rival], sources: dict[str, Path], rounds: int, output: Path) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {rival.name: [] for rival in everyone}
    for number in range(rounds):
        for rival in everyone:
            if rival.name.startswith("Python") and number > 0:
                continue  # minutes for a figure that one run gives
            print(f"\rround {number + 1} of {rounds}: {rival.name:24}", end="", file=sys.stderr, flush=True)
            runs[rival.name].append(measure(rival, sources[rival.reads], output))
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    output.unlink()
    return runs


def check_same(runs: dict[str, list[Run]]) -> None:
    """All of them read the same events, else the comparison is none."""
    counts = {name: rounds[0].lines for name, rounds in runs.items() if name in ("LAUREL plain", "records", "ecs")}
    if len(set(counts.values())) > 1:
        sys.exit(f"not the same number of events: {counts}")


def rows_of(everyone: list[Rival], runs: dict[str, list[Run]]) -> list[Row]:
    rows = []
    for rival in everyone:
        mine, base = runs[rival.name], runs.get(rival.against)
        ratio = None
        if base is not None and rival.reads != "events":
            pairs = zip(base, mine)
            ratio = statistics.median(b.cpu / b.megabytes / (m.cpu / m.megabytes) for b, m in pairs)
        rows.append(Row(rival.name, rival.goal, min(mine, key=lambda run: run.cpu), ratio))
    return rows


def table(rows: list[Row]) -> str:
    lines = [f"{'':26}{'MB':>6}{'CPU s':>8}{'wall s':>8}{'MB/s':>8}{'RSS MB':>8}{'x LAUREL':>10}  goal"]
    for name, goal, run, ratio in rows:
        shown = f"{ratio:10.1f}" if ratio is not None else f"{'-':>10}"
        lines.append(
            f"{name:26}{run.megabytes:6.0f}{run.cpu:8.2f}{run.wall:8.2f}{run.megabytes / run.cpu:8.0f}"
            f"{run.rss / 1024:8.1f}{shown}  {goal}".rstrip()
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=103)
    parser.add_argument("--small", type=int, default=10, help="megabytes for the pure Python (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--laurel", help="program to compare with (default: what laurel.sh unpacks)")
    parser.add_argument("--only", default="", help="run only what has this word in its name, and LAUREL plain")
    parser.add_argument("--picture", type=Path, help="write the comparison as SVG")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    everyone = [
        rival for rival in rivals.everyone(options.laurel) if options.only in rival.name or rival.name == "LAUREL plain"
    ]
    output = WORK / "output"
    sources = make_sources(options.megabytes, options.small, output)
    runs = run_all(everyone, sources, options.rounds, output)
    check_same(runs)
    rows = rows_of(everyone, runs)
    program = rivals.laurel_program(options.laurel)
    title = f"{options.rounds} rounds, {platform.machine()}, " + (
        f"LAUREL {rivals.laurel_version(program)}" if program else "LAUREL not to be had, so no ratio"
    )
    print(title)
    print(table(rows))
    report = {"title": title, "rows": [{**row._asdict(), "run": row.run._asdict()} for row in rows]}
    (WORK / "bench.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        options.picture.write_text(
            picture.svg(title, [(row.name, row.run.cpu / row.run.megabytes * 1000) for row in rows])
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
