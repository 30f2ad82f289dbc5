#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scan times and memory beside AIDE's on the same tree, with the same hash and cores: `bench.py [--tree DIR]`.

Every step is a process of its own, started with the tree in the page cache (one reading pass before). AIDE runs with
num_workers = all cores and the attributes that we keep: type, mode, owner, size, times, inode, links, ACL, xattrs,
sha256.
`--million` makes a tree of 10^6 small files (or --files N) under --scratch and measures memory and both scans on it.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
AIDE = """database_in=file:{work}/aide.db
database_out=file:{work}/aide.db.new
gzip_dbout=no
num_workers={cores}
{tree} p+i+n+u+g+s+m+c+acl+xattrs+ftype+sha256
"""
OURS = """paths = ["{tree}"]
state = "{work}/state"
skip_file_systems = ["proc"]
exclude = []
[scan]
rate = 0
full_every = 0.0
[output]
path = "{work}/events.jsonl"
"""


def measure(command: list[str], ok: tuple[int, ...] = (0,)) -> tuple[float, float, int]:
    """Wall seconds, processor seconds, and the greatest resident set in KiB of a command."""
    begin = time.monotonic()
    pid = os.posix_spawnp(command[0], command, {**os.environ, "PYTHONPATH": str(SOURCE)}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])  # fmt: skip
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in ok:
        sys.exit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def warm(tree: str) -> tuple[int, int]:
    """Read every file once; returns names and bytes."""
    names = size = 0
    for folder, folders, files in os.walk(tree):
        names += len(folders) + len(files)
        for name in files:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    while block := file.read(1 << 20):
                        size += len(block)
    return names, size


def ours(work: Path, tree: str) -> dict[str, tuple[float, float, int]]:
    (work / "state").mkdir()
    config = work / "integrity.toml"
    config.write_text(OURS.format(tree=tree, work=work))
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r});"
               "from auditpack_integrity.cli import main; sys.exit(main(sys.argv[1:]))"]  # fmt: skip
    scan = [*command, "scan", "--quiet", "--config", str(config)]
    return {
        "initial": measure(scan),
        "full rescan": measure([*scan, "--full"]),
        "quiet rescan": measure(scan),
    }


def aide(work: Path, tree: str) -> dict[str, tuple[float, float, int]]:
    program = shutil.which("aide") or sys.exit("aide is not here: apt-get install aide")
    config = work / "aide.conf"
    config.write_text(AIDE.format(tree=tree, work=work, cores=os.cpu_count()))
    initial = measure([program, "--init", f"--config={config}"])
    (work / "aide.db.new").replace(work / "aide.db")
    return {"initial": initial, "rescan": measure([program, "--check", f"--config={config}"], ok=tuple(range(8)))}


def row(name: str, found: tuple[float, float, int], beside: tuple[float, float, int] | None) -> str:
    ratio = f"{beside[0] / found[0]:8.1f} x {beside[1] / found[1]:8.1f} x" if beside else ""
    return f"{name:<28} {found[0]:8.2f} s {found[1]:8.2f} s {found[2] / 1024:8.1f} MiB {ratio}"


def million(scratch: Path, files: int) -> None:
    """Memory over many files; times of a tree ten times smaller beside it show that they grow with the number."""
    for count in (files // 10, files):
        work = scratch / f"many-{count}"
        tree = work / "tree"
        for number in range(count):
            if number % 100 == 0:
                folder = tree / f"{number // 10000}" / f"{number // 100 % 100}"
                folder.mkdir(parents=True)
            (folder / f"file-{number}").write_bytes(b"%d" % number)
        for name, found in ours(work, str(tree)).items():
            print(row(f"{count} files, {name}", found, None), flush=True)
        shutil.rmtree(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", default="/usr")
    parser.add_argument("--scratch", type=Path, default=HERE / "work")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--files", type=int, default=1_000_000)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    shutil.rmtree(options.scratch, ignore_errors=True)
    options.scratch.mkdir(parents=True)
    try:
        if options.million:
            million(options.scratch, options.files)
            return
        names, size = warm(options.tree)
        version = subprocess.run(["aide", "--version"], capture_output=True, text=True, check=True)
        first = (version.stdout + version.stderr).splitlines()[0]
        print(f"{options.tree}: {names} names, {size / 1e6:.0f} MB, sha256, {os.cpu_count()} cores; {first}")
        print(f"{'':<28} {'wall':>10} {'cpu':>10} {'memory':>12} {'wall ratio':>10} {'cpu ratio':>10}", flush=True)
        theirs = aide(options.scratch, options.tree)
        for name, found in theirs.items():
            print(row(f"aide {name}", found, None), flush=True)
        for name, found in ours(options.scratch, options.tree).items():
            print(row(name, found, theirs["initial" if name == "initial" else "rescan"]), flush=True)
    finally:
        shutil.rmtree(options.scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
