#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: what the rule engine must know of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_facts
short_description: Gather what audit rules are rendered from
version_added: 0.1.0
description:
  - Returns the facts of a host that the rule engine of Auditpack renders rules for, and nothing else.
  - Changes nothing.
options:
  paths:
    description: Paths whose kind and real path are wanted.
    type: list
    elements: str
    default: []
  users:
    description: Names of users whose ids are wanted; an unknown one is left out of the answer.
    type: list
    elements: str
    default: []
  groups:
    description: Names of groups whose ids are wanted; an unknown one is left out of the answer.
    type: list
    elements: str
    default: []
  lists:
    description:
      - Lists to gather, V(setuid_files), V(homes_elsewhere), V(home:PATH) (that path in the home of each account that
        can log in) or V(home-dir:PATH) (the same, directories that are there).
    type: list
    elements: str
    default: []
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Ask what rules for sudoers need
  auditpack.linux.audit_facts:
    paths: [/etc/sudoers, /etc/sudoers.d]
  register: host
"""

RETURN = r"""
facts:
  description: The host's facts; C(audit_version) is null where the audit tools are not installed.
  returned: always
  type: dict
"""

import grp
import os
import pwd
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import auditd, homes, integrity_plan, rulefiles
from ..module_utils.host import HostError, run

# Names of ausyscall(8) for the two ABIs of a machine (uname -m).
MACHINES = {
    "x86_64": {"b64": "x86_64", "b32": "i386"},
    "aarch64": {"b64": "aarch64", "b32": "arm"},
}
COMPAT_OPTION = {"x86_64": "CONFIG_IA32_EMULATION", "aarch64": "CONFIG_COMPAT"}


def os_release(text: str) -> dict[str, str]:
    """Return the assignments of an os-release(5) file."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip().strip("\"'") for name, value in pairs}


def uid_min(text: str) -> int:
    """Return UID_MIN of a login.defs(5), 1000 where it is not set."""
    found = re.search(r"^\s*UID_MIN\s+(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 1000


def parse_syscalls(dump: str) -> dict[str, int]:
    """Return name → number of `ausyscall ABI --dump`."""
    rows = (line.split() for line in dump.splitlines())
    return {row[1]: int(row[0]) for row in rows if len(row) == 2 and row[0].isdigit()}


def has_compat(machine: str, kernel: str) -> bool:
    """Tell whether the kernel runs 32-bit programs; where it keeps no configuration file, assume that it does."""
    config = Path(f"/boot/config-{kernel}")
    if machine not in COMPAT_OPTION or not config.exists():
        return machine in COMPAT_OPTION
    return f"{COMPAT_OPTION[machine]}=y" in config.read_text().splitlines()


def describe(path: str) -> dict[str, str]:
    """Return kind and real path of a path."""
    real = os.path.realpath(path)
    if not os.path.exists(real):
        kind = "missing"
    elif os.path.isdir(real):
        kind = "dir"
    elif os.path.isfile(real):
        kind = "file"
    else:
        kind = "other"
    return {"kind": kind, "real": real}


def local_mounts(mounts: str, filesystems: str) -> list[str]:
    """Return the mount points, of file systems on disks, on which a setuid bit has an effect (proc(5))."""
    virtual = {line.split()[1] for line in filesystems.splitlines() if line.startswith("nodev")} - {"overlay", "zfs"}
    points = []
    for line in mounts.splitlines():
        _, point, kind, options, *_ = line.split()
        if kind not in virtual and not {"nosuid", "noexec"} & set(options.split(",")):
            points.append(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), point))
    return sorted(set(points))


def setuid_files() -> list[str]:
    """Return every setuid and setgid file of the local file systems (CIS 6.2.3.6)."""
    points = local_mounts(Path("/proc/self/mounts").read_text(), Path("/proc/filesystems").read_text())
    out = run(["find", *points, "-xdev", "-type", "f", "-perm", "/6000", "-print0"], timeout=600).out
    return sorted({path for path in out.split("\0") if path})


def gather_list(name: str, least_uid: int) -> list[str]:
    """Return one list fact."""
    if name == "setuid_files":
        return setuid_files()
    if name == "homes_elsewhere" or re.fullmatch(r"home(-dir)?:[^/].*", name):
        return homes.gather(name, least_uid)
    if name in ("integrity_dirs", "integrity_files"):
        return integrity_plan.watches()[name[len("integrity_") :]]
    known = "setuid_files, homes_elsewhere, integrity_dirs, integrity_files, home:PATH and home-dir:PATH"
    raise HostError(f"unknown list fact {name}; known are {known}")


def ids(names: list[str], lookup: Any) -> dict[str, int]:
    """Return the ids of the names that exist."""
    found = {}
    for name in names:
        try:
            found[name] = lookup(name)
        except KeyError:
            continue
    return found


def gather(paths: list[str], users: list[str], groups: list[str], lists: list[str]) -> dict[str, Any]:
    """Return HostFacts (docs/architecture.md, section 2) as JSON data."""
    release = os_release(Path("/etc/os-release").read_text())
    uname = os.uname()
    version = auditd.version()
    abis = ["b64", "b32"] if has_compat(uname.machine, uname.release) else ["b64"]
    names = MACHINES.get(uname.machine, {})
    if not names:
        raise HostError(f"machine {uname.machine} is not supported; supported are {', '.join(MACHINES)}")
    defs = Path("/etc/login.defs")
    least_uid = uid_min(defs.read_text() if defs.exists() else "")
    return {
        "distro": release.get("ID", "linux"),
        "distro_version": release.get("VERSION_ID", ""),
        "kernel": uname.release,
        "machine": uname.machine,
        "audit_version": ".".join(map(str, version)) if version else None,
        "abis": abis,
        "syscalls": {
            abi: parse_syscalls(run(["ausyscall", names[abi], "--dump"]).out) if version else {} for abi in abis
        },
        "uid_min": least_uid,
        "users": ids(users, lambda name: pwd.getpwnam(name).pw_uid),
        "groups": ids(groups, lambda name: grp.getgrnam(name).gr_gid),
        "paths": {path: describe(path) for path in paths},
        "lists": {name: gather_list(name, least_uid) for name in lists},
        "status": auditd.status() if version else {},
        "rules": auditd.rules() if version else [],
        "never_task": sorted(
            f"{rulefiles.RULES_DIR}/{name}"
            for name, text in rulefiles.read_dir().items()
            if rulefiles.has_never_task(text)
        ),
    }


def main() -> None:
    """Run as a module."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "paths": strings,
            "users": strings,
            "groups": strings,
            "lists": strings,
        },
        supports_check_mode=True,
    )
    try:
        facts = gather(**module.params)
    except HostError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, facts=facts)


if __name__ == "__main__":
    main()
