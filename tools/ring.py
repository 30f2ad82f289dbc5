# SPDX-License-Identifier: Apache-2.0
"""The long commands as stages: ``make demo``, ``make test``, ``make molecule`` (``tools/ring`` starts this file).

Exit status: 0 when every stage passed, 1 when one did not, 130 when interrupted.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from console import Console
from stage import ROOT, Flow, Interrupted, Stage
from unchanged import remember, still_proven

LAB_LINES = r"\(local-exec\): (?!local-exec)|complete"
TASK_LINES = r"^(PLAY|TASK|RUNNING HANDLER|INFO)"
TEST_LINES = r"%\]|\d+/\d+ |passed|failed"


def make(name: str, title: str, minutes: float, results: Sequence[str] = (), **more: str | tuple[str, ...]) -> Stage:
    """Return the stage that runs the make target of its name in the code lane."""
    return Stage(name, title, ("make", "-s", name), minutes=minutes, results=tuple(results), **more)  # type: ignore[arg-type]


def molecule(name: str, title: str, action: str = "", scenario: str = "default", **more: object) -> Stage:
    """Return the stage that runs one Molecule action (by default the one of its name) on the test lab."""
    return Stage(
        name,
        title,
        ("molecule", action or name, "--scenario-name", scenario),
        lane="hosts",
        diagnose=("tools/diagnose.sh", "build/molecule/inventory.json"),
        **more,  # type: ignore[arg-type]
    )


DEMO = (
    make("wheel", "the collector as a wheel", 5),
    Stage("images", "host images", ("tools/lab.sh", "images"), lane="hosts", minutes=40, progress=LAB_LINES),
    Stage(
        "hosts",
        "terraform apply",
        ("tools/lab.sh", "up"),
        needs=("images",),
        lane="hosts",
        minutes=15,
        progress=LAB_LINES,
    ),
    Stage(
        "site",
        "ansible-playbook site.yml",
        ("ansible-playbook", "-i", "build/lab/inventory.json", "site.yml"),
        needs=("hosts", "wheel"),
        lane="hosts",
        minutes=20,
        progress=TASK_LINES,
        diagnose=("tools/diagnose.sh", "build/lab/inventory.json"),
    ),
    Stage(
        "proof",
        "every rule fired, every event shown",
        ("make", "-s", "prove"),
        needs=("site",),
        lane="hosts",
        minutes=30,
        show=True,
        unless=lambda: "nothing has changed since the last proof" if still_proven(ROOT) else "",
        diagnose=("tools/diagnose.sh", "build/lab/inventory.json"),
    ),
)

TEST = (
    make("wheel", "the collector as a wheel", 5),
    make("lint", "ruff, mypy, ansible-lint, yamllint, shellcheck", 15),
    make("unit", "unit tests, both collector implementations", 20, ["build/junit/unit.xml"], progress=TEST_LINES),
    make("check-c", "C under ASan and UBSan", 15),
    make("terraform-test", "terraform fmt, validate, test", 10),
    make("collection", "build, install and use the collection", 10, ["build/junit/collection.xml"]),
    Stage(
        "images",
        "host images",
        ("tools/lab.sh", "images", "build/molecule"),
        lane="hosts",
        minutes=40,
        progress=LAB_LINES,
    ),
    # What Molecule's create and destroy do, with its progress to be seen and nothing in between when interrupted.
    Stage(
        "create",
        "terraform apply: two fresh hosts",
        ("tools/lab.sh", "up", "build/molecule"),
        needs=("images",),
        lane="hosts",
        minutes=15,
        progress=LAB_LINES,
    ),
    molecule(
        "check",
        "site.yml --check --diff on the bare hosts",
        needs=("create", "wheel"),
        minutes=15,
        progress=TASK_LINES,
    ),
    molecule("converge", "site.yml", needs=("check",), minutes=20, progress=TASK_LINES),
    molecule(
        "idempotence",
        "site.yml again: nothing changes",
        needs=("converge",),
        minutes=15,
        progress=TASK_LINES,
    ),
    molecule(
        "verify",
        "the proof on both hosts",
        needs=("converge",),
        minutes=30,
        results=("build/junit/proof.xml",),
        progress=TEST_LINES,
    ),
    molecule("reboot", "one host boots again", "side-effect", needs=("converge",), minutes=10),
    Stage(
        "proof-again",
        "the proof after the reboot",
        (
            *("make", "-s", "prove", "INVENTORY=build/molecule/inventory.json", "HOSTS=debian13"),
            # Every pack is loaded; what is fired again is what a plain site.yml puts on a host.
            "PROOF=--proof-label=after-reboot --proof-out=build/proof/after-reboot"
            " --proof-packs=base,power-abuse,sudoers,socket,cis --junitxml=build/junit/proof-after-reboot.xml",
        ),
        needs=("reboot",),
        lane="hosts",
        minutes=30,
        results=("build/junit/proof-after-reboot.xml",),
        progress=TEST_LINES,
        diagnose=("tools/diagnose.sh", "build/molecule/inventory.json"),
    ),
    molecule(
        "faults",
        "what goes wrong",
        "verify",
        "faults",
        needs=("converge",),
        minutes=30,
        results=("build/junit/faults.xml",),
    ),
    Stage("destroy", "terraform destroy", ("tools/lab.sh", "down", "build/molecule"), lane="hosts", undo="images"),
)


# `make molecule`: the part of it that needs hosts.
MOLECULE = tuple(stage for stage in TEST if stage.lane == "hosts" or stage.name == "wheel")
FLOWS = {"demo": DEMO, "test": TEST, "molecule": MOLECULE}


def verdicts() -> dict[str, Counter[str]]:
    """Return host → how often each verdict stands in the last proof."""
    found: dict[str, Counter[str]] = {}
    for row in json.loads((ROOT / "build/proof/proof.json").read_text(encoding="utf-8")):
        found.setdefault(row["host"], Counter())[row["verdict"]] += 1
    return found


def summary_of_demo(say: Callable[[str], None]) -> None:
    """Print what was proven, where everything is and how to go on."""
    say("")
    for host, counts in verdicts().items():
        say(f"{host}: {', '.join(f'{number} {verdict}' for verdict, number in counts.most_common())}")
    say("")
    say("The hosts stay up. Log in (as alice or bob too):")
    for command in json.loads((ROOT / "build/lab/ssh.json").read_text(encoding="utf-8")).values():
        say(f"  {command}")
    say("Events on a host:  tail -f /var/log/auditpack/events.jsonl")
    say("The proof:         build/proof/proof.html (also proof.md, proof.json)")
    say("Prove again:       make prove")
    say("Remove the hosts:  make demo-down")


def run(name: str, stages: Sequence[Stage], console: Console) -> Flow:
    """Run one flow under its lock and print its table of times."""
    flow = Flow(name, stages, console)
    started = time.monotonic() - float(os.environ.get("AUDITPACK_BOOTSTRAP_SECONDS", "0"))
    flow.prepare()
    try:
        flow.run()
    finally:
        seconds = {"bootstrap": float(os.environ.get("AUDITPACK_BOOTSTRAP_SECONDS", "0")), **flow.seconds}
        console.table(
            f"make {name}: time per stage (m:ss; stages overlap)", seconds, flow.outcome, time.monotonic() - started
        )
    return flow


def main(arguments: Sequence[str]) -> int:
    """Run the flow named by the first argument."""
    if len(arguments) != 1 or arguments[0] not in FLOWS:
        print(f"usage: tools/ring {'|'.join(FLOWS)}", file=sys.stderr)
        return 2
    name = arguments[0]
    console = Console(pause=15.0 if name == "demo" else 60.0)
    (ROOT / "build").mkdir(exist_ok=True)
    lab = "lab" if name == "demo" else "molecule"
    with (ROOT / "build" / f"{lab}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"tools/ring: another run uses the hosts of build/{lab} — wait for it or end it", file=sys.stderr)
            return 2
        try:
            # Whatever a stage puts aside lies in one folder, which is gone afterwards. Others may look in: mmdebstrap
            # enters it as an unprivileged user. Its name is short, because sockets are made in it.
            with tempfile.TemporaryDirectory(prefix="auditpack-") as scratch:
                Path(scratch).chmod(0o755)
                os.environ.update(
                    CHECKPOINT_DISABLE="1",  # Terraform asks nobody for news and keeps no note of it
                    NO_COLOR="1",  # their output goes to files
                    TMPDIR=scratch,
                    ANSIBLE_HOME=f"{scratch}/ansible",
                    MOLECULE_EPHEMERAL_DIRECTORY=f"{scratch}/molecule",  # one state for both scenarios
                )
                flow = run(name, FLOWS[name], console)
        except Interrupted:
            return 130
        if name == "demo" and not flow.failed:
            remember(ROOT)
            summary_of_demo(console.line)
        if name != "test":
            return int(flow.failed)
        # The gate reads every record and every test result again, so its closing line carries the totals of the run.
        console.line("")
        gate = subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/gate"], cwd=ROOT, check=False)
        return int(flow.failed or gate.returncode != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
