#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: auditd and what surrounds it, in one step with one diff."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_daemon
short_description: Configure auditd and the kernel's side of auditing
version_added: 0.1.0
description:
  - Writes C(auditd.conf) and lets auditd confirm it, or puts the former file back and fails.
  - Puts C(audit=1) and the backlog limit on the kernel command line of the next boot.
  - Removes a rule C(-a never,task), which switches syscall auditing off.
  - Decides whether journald reads the audit stream too, tightens file modes, enables and starts the service.
  - Contradictory settings are refused on the controller, before the host is touched.
options:
  state:
    description: C(absent) puts back what was there before.
    type: str
    choices: [present, absent]
    default: present
  packages:
    description: Packages to install with apt-get; those that were not there are removed again with C(state=absent).
    type: list
    elements: str
    default: []
  settings:
    description: Settings of auditd.conf(5) by name; null leaves one to auditd's default.
    type: dict
    default: {}
  profile:
    description: >-
      What the settings promise; with C(cis) those that a CIS benchmark does not allow are refused on the controller,
      as are a command line that is not managed and a backlog limit below 8192.
    type: str
    choices: [default, cis]
    default: default
  kernel_parameters:
    description: Manage the kernel command line.
    type: bool
    default: true
  backlog_limit:
    description: Value of C(audit_backlog_limit) on the kernel command line.
    type: int
    default: 8192
  journald_socket:
    description: What to do with C(systemd-journald-audit.socket).
    type: str
    choices: [masked, enabled, unmanaged]
    default: masked
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Configure auditd
  auditpack.linux.audit_daemon:
    settings: {log_format: enriched, space_left: 75, admin_space_left: 50}
"""

RETURN = r"""
version:
  description: Version of the audit tools.
  returned: when installed
  type: str
reboot_required:
  description: The running kernel was booted without the parameters that the next boot will use.
  returned: always
  type: bool
packages:
  description: Packages installed, or with C(state=absent) removed.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import auditd
from ..module_utils.auditd_profile import PROFILES
from ..module_utils.daemon_plan import Plan, Wanted
from ..module_utils.files import Originals
from ..module_utils.host import HostError


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "settings": {"type": "dict", "default": {}},
            "profile": {"type": "str", "choices": list(PROFILES), "default": "default"},
            "kernel_parameters": {"type": "bool", "default": True},
            "backlog_limit": {"type": "int", "default": 8192},
            "journald_socket": {
                "type": "str",
                "choices": ["masked", "enabled", "unmanaged"],
                "default": "masked",
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    wanted = Wanted(
        packages=params["packages"],
        settings=params["settings"],
        profile=params["profile"],
        kernel_parameters=params["kernel_parameters"],
        backlog_limit=params["backlog_limit"],
        journald_socket=params["journald_socket"],
    )
    try:
        originals = Originals("audit_daemon")
        if params["state"] == "present":
            coming = Plan.install(wanted, originals, module.check_mode)
            plan = Plan.present(wanted, coming)
            packages = sorted(coming)
        else:
            plan = Plan.absent(originals)
            packages = plan.packages
        if not module.check_mode:
            if params["state"] == "present":
                plan.apply(originals)
            else:
                plan.undo(originals)
        version = auditd.version()
    except (HostError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=plan.changed,
        diff=plan.diff(),
        version=".".join(map(str, version)) if version else None,
        reboot_required=plan.reboot_required,
        packages=packages,
    )


if __name__ == "__main__":
    main()
