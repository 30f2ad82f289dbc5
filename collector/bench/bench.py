#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time `replay` of both implementations, and LAUREL, on one log made from the corpus.

    bench.py [--megabytes 103] [--rounds 5] [--laurel PATH] [--python-megabytes 10]

The log (build/bench/<n>mb.log) repeats the corpus with serials and time stamps shifted, so no event repeats. Output
goes to a file on the same disk for all. CPU is user + system of the whole process, interpreter start included; of the
rounds the least is shown. LAUREL: --laurel, else `laurel` on PATH, else what bench/laurel.sh unpacked; without it, its
row says so and there is no ratio.
"""

from __future__ import annotations

import argparse
import lzma
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

COLLECTOR = Path(__file__).resolve().parent.parent
WORK = COLLECTOR.parent / "build" / "bench"
ID = re.compile(rb"msg=audit\((\d+)\.(\d{3}):(\d+)\)")


class Result(NamedTuple):
    cpu: float
    wall: float
    rss: int  # KiB
    written: int


def make_log(megabytes: int) -> Path:
    path = WORK / f"{megabytes}mb.log"
    wanted = megabytes * 1_000_000
    if path.is_file() and path.stat().st_size >= wanted:
        return path
    corpus = lzma.decompress((COLLECTOR / "tests/corpus/debian13-raw.log.xz").read_bytes())
    serials = [int(match[3]) for match in ID.finditer(corpus)]
    seconds = [int(match[1]) for match in ID.finditer(corpus)]
    serial_step, second_step = max(serials) - min(serials) + 1, max(seconds) - min(seconds) + 10
    WORK.mkdir(parents=True, exist_ok=True)
    written = round_ = 0
    with path.open("wb") as out:
        while written < wanted:

            def shift(match: re.Match[bytes], n: int = round_) -> bytes:
                return b"msg=audit(%d.%s:%d)" % (
                    int(match[1]) + n * second_step,
                    match[2],
                    int(match[3]) + n * serial_step,
                )

            written += out.write(ID.sub(shift, corpus))
            round_ += 1
            if sys.stderr.isatty():
                print(f"\r{path.name}: {written >> 20} MiB", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return path


def measure(command: list[str], stdin: Path | None, output: Path, env: dict[str, str] | None = None) -> Result:
    """Run once; user + system seconds and the peak of the child."""
    source = stdin.open("rb") if stdin else subprocess.DEVNULL
    with output.open("wb") as sink:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=source, stdout=sink, env={**os.environ, **(env or {})})
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return Result(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss, output.stat().st_size)


def best(
    command: list[str], stdin: Path | None, output: Path, rounds: int, env: dict[str, str] | None = None
) -> Result:
    return min((measure(command, stdin, output, env) for _ in range(rounds)), key=lambda result: result.cpu)


def laurel_command(given: str | None) -> list[str] | None:
    """LAUREL reading stdin with every enrichment off and the log to stdout, as the corpus was made."""
    unpacked = WORK / "laurel"
    program = given or shutil.which("laurel")
    prefix: list[str] = []
    if program is None and (unpacked / "usr/sbin/laurel").is_file():
        loader = next(iter(sorted(unpacked.glob("usr/lib*/ld-linux*"))), None)
        if loader is None:
            return None
        prefix = [str(loader), "--library-path", f"{unpacked}/usr/lib/{os.uname().machine}-linux-gnu"]
        program = str(unpacked / "usr/sbin/laurel")
    if program is None:
        return None
    config = WORK / "laurel.toml"
    config.write_text(
        f'directory = "{WORK}"\n[auditlog]\nfile = "-"\n[state]\nfile = ""\n[transform]\nexecve-argv = ["array"]\n'
        "[translate]\nuniversal = false\nuser-db = false\n[enrich]\nexecve-env = []\ncontainer = false\n"
        "systemd = false\n"
        "pid = false\nspawned-by = false\nscript = false\nuid-groups = false\n"
    )
    return [*prefix, program, "--config", str(config)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=103)
    parser.add_argument("--python-megabytes", type=int, default=10, help="the pure Python gets a smaller log")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--laurel", help="program to compare with")
    options = parser.parse_args()
    log, small = make_log(options.megabytes), make_log(options.python_megabytes)
    output = WORK / "output"
    replay = [sys.executable, "-m", "auditpack_collector", "replay"]
    rows: list[tuple[str, Path, Result]] = []
    laurel = laurel_command(options.laurel)
    if laurel is None:
        print("LAUREL: not to be had (see bench/laurel.sh), so no ratio")
    else:
        rows.append(("laurel plain", log, best(laurel, log, output, options.rounds)))
    settings = [("native", "records", "none"), ("native", "records", "universal"), ("native", "records", "all")]
    settings += [("native", "ecs", "none"), ("python", "records", "none"), ("python", "ecs", "none")]
    for implementation, format_, translate in settings:
        env = {"PYTHONPATH": str(COLLECTOR / "src"), "AUDITPACK_COLLECTOR_IMPLEMENTATION": implementation}
        source = log if implementation == "native" else small
        command = [*replay, "--format", format_, "--translate", translate, str(source)]
        rounds = options.rounds if implementation == "native" else 1
        rows.append((f"{implementation} {format_} {translate}", source, best(command, None, output, rounds, env)))
    output.unlink()
    print(f"{'':28}{'log MB':>8}{'CPU s':>8}{'wall s':>8}{'MB/s':>8}{'RSS MB':>8}{'out MB':>8}{'x LAUREL':>10}")
    for name, source, result in rows:
        size = source.stat().st_size / 1e6
        ratio = (
            f"{rows[0][2].cpu / rows[0][1].stat().st_size / (result.cpu / source.stat().st_size):10.1f}"
            if laurel
            else f"{'-':>10}"
        )
        print(
            f"{name:28}{size:8.0f}{result.cpu:8.2f}{result.wall:8.2f}{size / result.cpu:8.0f}{result.rss / 1024:8.1f}"
            f"{result.written / 1e6:8.0f}{ratio}"
        )
    return 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
