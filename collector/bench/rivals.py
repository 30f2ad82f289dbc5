# SPDX-License-Identifier: Apache-2.0
"""What is measured: LAUREL and the collector, each as a command that reads the log and prints events."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

COLLECTOR = Path(__file__).resolve().parent.parent
WORK = COLLECTOR.parent / "build" / "bench"

# As packaging/auditpack-collector starts it: -I and nothing of a virtual environment. The code is this checkout's.
LAUNCHER = (
    f"import sys; sys.path.insert(0, {str(COLLECTOR / 'src')!r}); "
    "from auditpack_collector.cli import main; sys.exit(main())"
)

PLAIN = """\
[enrich]
execve-env = []
container = false
systemd = false
pid = false
spawned-by = false
script = false
uid-groups = false
"""
ALL = """\
[translate]
universal = true
user-db = true
[enrich]
execve-env = ["LD_*"]
container = true
systemd = true
pid = true
spawned-by = true
script = true
uid-groups = true
exe-hash = true
"""


@dataclass(frozen=True)
class Rival:
    """`reads`: "log" (all of it), "small" (what the slow ones get) or "events" (made with `records --original`)."""

    name: str
    command: list[str]
    reads: str = "log"
    goal: str = ""
    env: dict[str, str] = field(default_factory=dict)
    against: str = "LAUREL plain"


def python() -> str:
    """The host's own interpreter where there is one: a virtual environment's loads more."""
    return "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


def ours(name: str, arguments: str, *, goal: str = "", reads: str = "log", implementation: str = "native") -> Rival:
    command = [python(), "-I", "-c", LAUNCHER, *arguments.split(), *(["-"] if reads != "log" else [])]
    return Rival(name, command, reads, goal, {"AUDITPACK_COLLECTOR_IMPLEMENTATION": implementation})


def enrichments() -> list[str]:
    """What `replay --enrich` can do here."""
    code = LAUNCHER.rpartition("from ")[0] + "from auditpack_collector.options import ENRICHMENTS; print(*ENRICHMENTS)"
    return subprocess.run([python(), "-I", "-c", code], check=True, capture_output=True, text=True).stdout.split()


def laurel_program(given: str | None) -> list[str]:
    """LAUREL's command, empty without one: the one given, else what laurel.sh unpacked, else `laurel` on PATH."""
    if given:
        return [given]
    subprocess.run([str(COLLECTOR / "bench/laurel.sh")], check=True)
    unpacked = WORK / "laurel"
    loader = next(iter(sorted(unpacked.glob("usr/lib*/ld-linux*"))), None)
    if loader is not None and (unpacked / "usr/sbin/laurel").is_file():
        libraries = unpacked / f"usr/lib/{os.uname().machine}-linux-gnu"
        return [str(loader), "--library-path", str(libraries), str(unpacked / "usr/sbin/laurel")]
    installed = shutil.which("laurel")
    return [installed] if installed else []


def laurel(name: str, program: list[str], settings: str) -> Rival:
    config = WORK / f"{name.replace(' ', '-').lower()}.toml"
    head = f'directory = "{WORK}"\n[auditlog]\nfile = "-"\n[state]\nfile = ""\n[transform]\nexecve-argv = ["array"]\n'
    config.write_text(head + settings)
    return Rival(name, [*program, "--config", str(config)])


def laurel_version(program: list[str]) -> str:
    return subprocess.run([*program, "-v"], check=True, capture_output=True, text=True).stdout.split()[0]


def everyone(given: str | None) -> list[Rival]:
    program = laurel_program(given)
    rivals = []
    if program:
        rivals += [laurel("LAUREL plain", program, PLAIN), laurel("LAUREL all", program, ALL)]
    rivals.append(ours("records", "replay --format records", goal=">= 10"))
    if "all" in enrichments():
        rivals.append(
            ours("records, all enrichment", "replay --format records --translate all --enrich all", goal=">= 5")
        )
    rivals += [
        ours("ecs", "replay --format ecs", goal=">= 4"),
        ours("restore", "restore", goal=">= 200 MB/s", reads="events"),
        ours("Python records", "replay --format records", goal=">= 5 MB/s", reads="small", implementation="python"),
        ours("Python ecs", "replay --format ecs", goal="", reads="small", implementation="python"),
    ]
    return rivals
