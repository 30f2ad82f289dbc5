# SPDX-License-Identifier: Apache-2.0
"""Prove the rules of pack cis as benchmarks of other distributions have them, on the hosts there are.

The kernel does not care whose benchmark a rule is of: each host gets the rules of one benchmark after the other, the
files that only the other distribution has are made on it, and the proof is that of `make prove`, kept small, in
docs/proof/cis-<benchmark>.json. In the end the hosts have their own packs again. Benchmarks whose rules are those of
another one here (rhel8, ubuntu2404) need no run: `auditpack coverage` knows that they are the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .engine import ROOT

BENCHMARKS = ("dil", "ubuntu2204", "rhel9", "rhel10")
FOLDERS = ("/etc/sysconfig/network-scripts", "/etc/NetworkManager/system-connections", "/usr/share/selinux")
FILES = ("/etc/sysconfig/network", "/etc/network/interfaces")
MADE = "/run/auditpack-made"
MAKE = f"""
for path in {" ".join(FOLDERS)}; do
    [ -e "$path" ] || {{ mkdir -p "$path" && echo "$path" >> {MADE}; }}
done
for path in {" ".join(FILES)}; do
    [ -e "$path" ] || {{ mkdir -p "${{path%/*}}" && : > "$path" && echo "$path" >> {MADE}; }}
done
"""
UNMAKE = f"[ ! -e {MADE} ] || {{ tac {MADE} | xargs rm -rf; rm {MADE}; }}"


def inventory_for(inventory: dict[str, Any], benchmark: str) -> dict[str, Any]:
    """The inventory with base and cis, as that benchmark has it, for all hosts."""
    cis = {"name": "cis", "variables": {"benchmark": benchmark}}
    hosts = {
        name: {**variables, "audit_rules_packs": [{"name": "base"}, cis]}
        for name, variables in inventory["lab"]["hosts"].items()
    }
    return {**inventory, "lab": {**inventory["lab"], "hosts": hosts}}


def small(rows: list[dict[str, Any]]) -> str:
    """The rows of the rules in force, one a line: a whole event for each rule, of the others what tells them apart."""
    seen, lines = set(), []
    for row in rows:
        if not row["rule"] or row["reason"].startswith("not in benchmark"):
            continue
        event = row["event"]
        if event and row["rule"] in seen:
            event = {"@timestamp": event.get("@timestamp"), "event": event.get("event"), "tags": event.get("tags", [])}
        if row["event"]:
            seen.add(row["rule"])
        lines.append(json.dumps({**row, "event": event}, ensure_ascii=False, separators=(",", ":")))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _run(command: list[str]) -> int:
    print("$", " ".join(command), flush=True)
    env = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode


def _ansible(inventory: Path, module: str, arguments: str) -> None:
    program = str(Path(sys.executable).with_name("ansible"))
    if _run([program, "lab", "-i", str(inventory), "-m", module, "-a", arguments]):
        raise SystemExit(f"{module} failed; the hosts of {inventory} are as the step left them")


def prove(inventory: Path, benchmark: str, out: Path) -> bool:
    """One benchmark on all hosts; whether all its cases came out as they must. Only such a proof is kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = folder / "inventory.json"
        data = json.loads(inventory.read_text(encoding="utf-8"))
        own.write_text(json.dumps(inventory_for(data, benchmark)), encoding="utf-8")
        _ansible(own, "ansible.builtin.shell", MAKE)
        _ansible(own, "ansible.builtin.include_role", "name=auditpack.linux.audit_rules")
        command = [sys.executable, "-m", "pytest", "tests/events/test_proof.py", "--hosts=ansible://lab", "-q"]
        command += [f"--ansible-inventory={own}", f"--proof-out={folder / 'proof'}", f"--proof-label={benchmark}"]
        passed = _run(command) == 0
        rows = json.loads((folder / "proof" / "proof.json").read_text(encoding="utf-8"))
    if passed:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"cis-{benchmark}.json").write_text(small(rows), encoding="utf-8")
    return passed


def main() -> int:
    """`python -m tests.events.benchmarks --inventory FILE [BENCHMARK…]`; 1 when a case failed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("benchmarks", nargs="*", default=BENCHMARKS, metavar="BENCHMARK")
    parser.add_argument("--inventory", type=Path, default=ROOT / "build/lab/inventory.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/proof")
    options = parser.parse_args()
    results = {}
    try:
        for benchmark in options.benchmarks:
            results[benchmark] = prove(options.inventory, benchmark, options.out)
    finally:
        _ansible(options.inventory, "ansible.builtin.shell", UNMAKE)
        _ansible(options.inventory, "ansible.builtin.include_role", "name=auditpack.linux.audit_rules")
    for benchmark, passed in results.items():
        print(f"{benchmark}: {'passed' if passed else 'FAILED, its proof is not kept'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
