# SPDX-License-Identifier: Apache-2.0
"""What packs and profiles cost on a lab host: `python -m tests.bench.cost -i INVENTORY --host debian13`.

Renders each profile for the host's own facts, and beside them: no rules, `-a never,task`, and a broad set as it is
widely copied. A driver on the host loads each and fires the same work at it. Writes docs/packs/cost.json, from which
`--only-write` makes table and picture anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from plugins.module_utils.rulepack.compose import Composition, compose, needs
from plugins.module_utils.rulepack.line import Line, format_line
from plugins.module_utils.rulepack.model import HostFacts
from plugins.module_utils.rulepack.profiles import entries, load_profiles
from plugins.module_utils.rulepack.render import render
from plugins.module_utils.rulepack.schema import load_packs
from tests.bench.cost_page import picture, write_page

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs/packs/cost.json"
HEAD = "-D\n-b 65536\n-f 1\n"
BROAD = (
    "-a always,exit -F arch={abi} -S execve -F key=exec",
    "-a always,exit -F arch={abi} -S connect -F key=network",
    "-a always,exit -F arch={abi} -S openat,truncate -F exit=-EACCES -F key=file_access",
    "-a always,exit -F arch={abi} -S openat,truncate -F exit=-EPERM -F key=file_access",
    "-a always,exit -F arch={abi} -S unlink,unlinkat,rename,renameat -F auid>=500 -F key=delete",
    "-a always,exit -F arch={abi} -S chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat -F auid>=500 -F key=perm_mod",
    "-a always,exit -F arch={abi} -S setxattr,lsetxattr,fsetxattr,removexattr -F auid>=500 -F key=perm_mod",
    "-a always,exit -F arch={abi} -S mount,umount2 -F key=mount",
    "-a always,exit -F arch={abi} -S ptrace -F key=tracing",
    "-a always,exit -F arch={abi} -S sethostname,setdomainname -F key=network_modifications",
    "-a always,exit -F arch={abi} -S init_module,finit_module,delete_module -F key=modules",
    "-a always,exit -F arch={abi} -S kexec_load -F key=KEXEC",
)
"""What the most copied set asks of system calls, in words of ours; its watches are those of all packs, without arch."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cost", description=str(__doc__))
    parser.add_argument("-i", "--inventory", default="build/lab/inventory.json")
    parser.add_argument("--host", default="debian13")
    parser.add_argument("--profile", action="append", help="default: all")
    parser.add_argument("--each-pack", action="store_true", help="every pack with pack base alone too")
    parser.add_argument("--work", type=int, default=10_000, help="execs of the build, requests of the web load")
    parser.add_argument("--idle", type=int, default=120, help="seconds of doing nothing")
    parser.add_argument("--repeat", type=int, default=3, help="times of build and web; the quickest counts")
    parser.add_argument("--note", default="", help="what the reader must know of this measurement")
    parser.add_argument("--only-write", action="store_true", help="measure nothing, write the pages from cost.json")
    options = parser.parse_args()
    if not options.only_write:
        OUT.write_text(json.dumps(measure(options), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figures = json.loads(OUT.read_text(encoding="utf-8"))
    if options.note:
        figures["note"] = options.note
        OUT.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page(figures, OUT.with_suffix(".md"))
    (ROOT / "docs/images/cost.svg").write_text(picture(figures), encoding="utf-8")
    print(f"{OUT.with_suffix('.md')}, docs/images/cost.svg")
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    packs = load_packs([ROOT / "rulepacks"])
    profiles = entries(load_profiles([ROOT / "rulepacks"]))
    names = options.profile or sorted(profiles)
    chosen = {name: compose(packs, [{"profile": name}], profiles) for name in names}
    every = compose(packs)
    facts = ask(options.inventory, options.host, every)
    if options.each_pack:
        alone = [pack.name for pack in every.packs if pack.name != "base"]
        chosen |= {f"pack {name}": compose(packs, _with_required(packs, name)) for name in alone}
    sets = {"no rules": HEAD, "never,task": f"{HEAD}-a never,task\n", "broad set": broad(every, facts)}
    rendered = {name: render(composition, facts) for name, composition in chosen.items()}
    for name, one in rendered.items():
        sets[name] = HEAD + "".join(f"{line.text}\n" for line in one.lines if line.line)
    for name in {"detect-max"} & set(rendered):
        sets[f"{name}, calls not named"] = HEAD + "".join(
            f"{_bare(line.line)}\n" for line in rendered[name].lines if line.line
        )
    plan = {"sets": sets, "order": list(sets), "idle": options.idle, "work": options.work, "repeat": options.repeat}
    result = drive(options.inventory, options.host, plan)
    owners: dict[str, str] = {}
    for chosen_pack, rule in every.rules():
        known = [name for name in owners.get(rule.key, "").split(", ") if name]
        owners[rule.key] = ", ".join(dict.fromkeys([*known, chosen_pack.pack.name]))
    about = {"distro": f"{facts.distro} {facts.distro_version}", "kernel": facts.kernel, "audit": facts.audit_version}
    return {
        **about, "machine": facts.machine, "work": options.work, "idle": options.idle, "repeat": options.repeat,
        "sets": result, "owners": owners,
    }  # fmt: skip


def _bare(line: Line) -> str:
    """The line as it would be without the calls that the rendering names for `perm`."""
    return format_line(replace(line, syscalls=()) if line.value("perm") and line.arch else line)


def _with_required(packs: Sequence[Any], name: str) -> list[str]:
    """The pack with all that it requires."""
    known = {pack.name: pack for pack in packs}
    found, queue = ["base"], [name]
    while queue:
        one = queue.pop()
        if one not in found:
            found.append(one)
            queue += [required.name for required in known[one].requires]
    return found


def broad(composition: Composition, facts: HostFacts) -> str:
    """The stand-in for the most copied set: watches on every system call, and calls of everybody."""
    lines = [template.format(abi=abi) for abi in facts.abis for template in BROAD]
    known = {abi: set(table) for abi, table in facts.syscalls.items()}
    kept = [line for line in lines if _fits(line, known)]
    watches: dict[str, None] = {}
    for one in render(composition, facts).lines:
        line = one.line
        plain = isinstance(line, Line) and line.action == "always" and not line.compares and line.value("perm")
        if line is not None and plain and {item.field for item in line.fields} in ({"path", "perm"}, {"dir", "perm"}):
            item = line.fields[0]
            watches[f"-a always,exit -F {item} -F perm={line.value('perm')} -F key=watch"] = None
    return HEAD + "".join(f"{line}\n" for line in [*watches, *kept])


def _fits(line: str, known: Mapping[str, set[str]]) -> bool:
    words = line.split()
    return set(words[words.index("-S") + 1].split(",")) <= known[words[3].partition("=")[2]]


def ask(inventory: str, host: str, composition: Composition) -> HostFacts:
    """The facts of the host, by the module audit_facts."""
    with tempfile.TemporaryDirectory(prefix="auditpack-") as folder:
        wanted = json.dumps(asdict(needs(composition)))
        words = ["ansible", host, "-i", inventory, "-b", "-m", "auditpack.linux.audit_facts", "-a", wanted]
        done = subprocess.run(
            [*words, "--tree", f"{folder}/tree"], cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{host} cannot be asked: {done.stdout}{done.stderr}")
        answer = json.loads(Path(folder, "tree", host).read_text(encoding="utf-8"))
    return HostFacts.from_json(answer["facts"])


def drive(inventory: str, host: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Run the driver on the host over SSH, with the connection that the inventory has."""
    listed = subprocess.run(
        ["ansible-inventory", "-i", inventory, "--host", host], cwd=ROOT, check=True, capture_output=True, text=True
    )
    about = json.loads(listed.stdout)
    target = f"{about.get('ansible_user', 'root')}@{about['ansible_host']}"
    words = ["ssh", "-p", str(about.get("ansible_port", 22)), "-i", about["ansible_ssh_private_key_file"],
             *str(about.get("ansible_ssh_common_args", "")).split(), target]  # fmt: skip
    script = (ROOT / "tests/bench/cost_driver.py").read_text(encoding="utf-8")
    place = "/root/auditpack-cost.py"
    subprocess.run([*words, f"cat > {place}"], input=script, text=True, check=True)
    done = subprocess.run(
        # From a unit: nobody is logged in there, so the work may be given a login, also where logins are immutable.
        [*words, f"systemd-run --quiet --wait --pipe --collect python3 {place}; rc=$?; rm -f {place}; exit $rc"],
        input=json.dumps(plan), text=True, stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the driver on {host} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
