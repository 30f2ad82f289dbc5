#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: the event collector as a plugin of auditd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_collector
short_description: Run the event collector as a plugin of auditd
version_added: 0.1.0
description:
  - On the controller, finds a wheel of the collector, or builds one from the collection's sources.
  - On the host, unpacks it into a folder of root, makes the collector's user and directories, lets the collector
    check its configuration, writes auditd's plugin file, and waits until the collector says that it runs.
  - When it does not, the former collector is put back and the task fails.
  - No pip, compiler or Python package is needed on the host.
options:
  state:
    description: C(absent) removes the collector and its user; events stay.
    type: str
    choices: [present, absent]
    default: present
  wheel:
    description: Path of a wheel on the controller; empty to find or build one.
    type: path
    default: ""
  config:
    description: Tables of collector.toml; empty for the collector's defaults.
    type: dict
    default: {}
  wheels:
    description: What the action part offers to the host; not for users.
    type: list
    elements: dict
    default: []
  wheel_file:
    description: Where the action part has put the wheel on the host; not for users.
    type: path
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Run the collector with its defaults
  auditpack.linux.audit_collector:
"""

RETURN = r"""
wheel:
  description: File name of the wheel that suits the host.
  returned: state present
  type: str
implementation:
  description: C(native) or C(python), as the running collector says.
  returned: when it runs
  type: str
status:
  description: The running collector's status.
  returned: when it runs
  type: dict
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import auditd, collector_plan, wheel
from ..module_utils.collector_plan import Plan
from ..module_utils.files import Originals
from ..module_utils.host import HostError
from ..module_utils.toml_text import dump


def present(module: AnsibleModule) -> dict[str, Any]:
    """Choose the wheel, plan, and carry out; ask the action part for the wheel where it is not on the host yet."""
    machine, libc = os.uname().machine, collector_plan.glibc()
    offered = [wheel.Wheel(one["file"], one["digest"]) for one in module.params["wheels"]]
    chosen = wheel.choose(offered, machine, libc)
    if chosen is None:
        names = ", ".join(one.file for one in offered) or "none"
        raise HostError(
            f"audit_collector_wheel: no wheel suits {machine} with glibc {libc[0]}.{libc[1]} (offered: {names}); "
            "build a pure one on the controller with AUDITPACK_EXTENSION=0"
        )
    if auditd.version() is None:
        if not module.check_mode:
            raise HostError("auditd is not on this host; run the role audit_daemon first, or install auditd")
    elif not auditd.pid() and not module.check_mode:
        raise HostError("auditd does not run on this host; start it, or run the role audit_daemon first")
    plan = Plan.present(chosen, dump(module.params["config"]))
    answer: dict[str, Any] = {"changed": plan.changed, "diff": plan.diff(), "wheel": chosen.file}
    if plan.changed and not module.check_mode:
        if plan.replace_code and module.params["wheel_file"] is None:
            return {"changed": False, "need_wheel": chosen.file}
        plan.apply(Originals("audit_collector"), module.params["wheel_file"])
    if not module.check_mode:
        answer["status"] = collector_plan.status()
        answer["implementation"] = answer["status"].get("implementation", "unknown")
    return answer


def absent(module: AnsibleModule) -> dict[str, Any]:
    """Take the collector off the host."""
    originals = Originals("audit_collector")
    plan = collector_plan.plan_removal(originals)
    if plan.changed and not module.check_mode:
        collector_plan.remove(originals, plan)
    return {"changed": plan.changed, "diff": plan.diff()}


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "wheel": {"type": "path", "default": ""},
            "config": {"type": "dict", "default": {}},
            "wheels": {"type": "list", "elements": "dict", "default": []},
            "wheel_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        answer = present(module) if module.params["state"] == "present" else absent(module)
    except (HostError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    if answer.get("implementation") == "python":
        reason = answer["status"].get("implementation_reason") or "the wheel holds no C for this machine"
        module.warn(f"The collector runs on pure Python: {reason}")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
