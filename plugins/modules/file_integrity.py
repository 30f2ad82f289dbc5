#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: the file integrity service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: file_integrity
short_description: Watch files, and tell who changes them
version_added: 0.1.0
description:
  - Unpacks the service into a folder of root, makes its user and directories, lets it check its configuration, installs
    its systemd units, and waits until it says that it runs. When it does not, what was there before is put back.
  - Keeps on the host what audit rules must watch; the module audit_facts gives it to the pack file-integrity.
  - No pip, compiler or Python package is needed on the host.
options:
  state:
    description: C(absent) removes the service, its baseline and its user; events stay.
    type: str
    choices: [present, absent]
    default: present
  wheel:
    description: Path of a wheel on the controller; empty to zip one from the collection's sources.
    type: path
    default: ""
  config:
    description: Keys and tables of integrity.toml.
    type: dict
    default: {}
  schedule:
    description: When to scan, as systemd's OnCalendar takes it.
    type: str
    default: daily
  offered:
    description: What the action part offers to the host; not for users.
    type: dict
    default: {}
  wheel_file:
    description: Where the action part has put the wheel on the host; not for users.
    type: path
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Watch the web server's files
  auditpack.linux.file_integrity:
    config:
      paths: [/var/www]
"""

RETURN = r"""
watches:
  description: Directories and files that the audit rules watch for it.
  returned: state present
  type: dict
status:
  description: The running service's status.
  returned: when it runs
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import integrity_plan, wheel
from ..module_utils.files import Originals
from ..module_utils.host import HostError, run
from ..module_utils.integrity_plan import Plan
from ..module_utils.toml_text import dump


def present(module: AnsibleModule) -> dict[str, Any]:
    """Plan and carry out; ask the action part for the wheel where it is not on the host yet."""
    offered = module.params["offered"]
    chosen = wheel.Wheel(offered["file"], offered["digest"])
    schedule = module.params["schedule"]
    checked = run(["systemd-analyze", "calendar", schedule], ok=None)
    if checked.rc != 0:
        raise HostError(f"file_integrity_schedule: {schedule!r} is no time that systemd knows: {checked.said}")
    plan = Plan.present(chosen, dump(module.params["config"]), schedule)
    if not plan.replace_code and not plan.files:
        moved = integrity_plan.stale()
        if moved:
            plan.states.append(("watched paths", "", ", ".join(moved)))
    answer: dict[str, Any] = {"changed": plan.changed, "diff": plan.diff()}
    if plan.changed and not module.check_mode:
        if plan.replace_code and module.params["wheel_file"] is None:
            return {"changed": False, "need_wheel": chosen.file}
        plan.apply(Originals("file_integrity"), module.params["wheel_file"])
    answer["watches"] = integrity_plan.watches()
    if not module.check_mode:
        answer["status"] = integrity_plan.status()
    return answer


def absent(module: AnsibleModule) -> dict[str, Any]:
    """Take the service off the host."""
    originals = Originals("file_integrity")
    plan = integrity_plan.plan_removal(originals)
    if plan.changed and not module.check_mode:
        integrity_plan.remove(originals, plan)
    return {"changed": plan.changed, "diff": plan.diff()}


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "wheel": {"type": "path", "default": ""},
            "config": {"type": "dict", "default": {}},
            "schedule": {"type": "str", "default": "daily"},
            "offered": {"type": "dict", "default": {}},
            "wheel_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        answer = present(module) if module.params["state"] == "present" else absent(module)
    except (HostError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
