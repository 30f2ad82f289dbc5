#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: which packs are installed on a host, and whether the kernel still runs their rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_installed
short_description: Tell which audit rule packs are installed, and what has drifted
version_added: 0.1.0
description:
  - Reads what M(auditpack.linux.audit_rules) recorded and compares it with what the kernel lists and with
    C(/etc/audit/rules.d). Rules added or removed by hand are drift. Changes nothing.
options: {}
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Look for drift
  auditpack.linux.audit_installed:
  register: audit
"""

RETURN = r"""
installed:
  description: The record (packs, versions, digests, when, by whom), or null where no packs are installed.
  returned: always
  type: dict
drift:
  description: >-
    Rules missing, extra and moved, numbers not in force, files changed; empty without drift, null where no packs are
    installed.
  returned: always
  type: dict
waits_for_reboot:
  description: The rules are locked (enabled 2) and those on disk are loaded at the next boot.
  returned: where packs are installed
  type: bool
loaded:
  description: What C(auditctl -l) lists.
  returned: always
  type: list
  elements: str
status:
  description: The numbers of C(auditctl -s).
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.generations import report
from ..module_utils.host import HostError


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={},
        supports_check_mode=True,
    )
    try:
        answer = report()
    except (HostError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
