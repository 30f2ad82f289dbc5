#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: one transaction that brings rendered audit rules into rules.d and the kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_rules
short_description: Load audit rule packs, or leave everything as it was
version_added: 0.1.0
description:
  - On the controller, composes the packs, asks the host for what they need (M(auditpack.linux.audit_facts)) and
    renders them.
    Errors in packs come out with file and line.
  - On the host, loads the rules in one go, reads them back, compares them by meaning and writes one file per pack
    into C(/etc/audit/rules.d). At any difference the former rules and files are put back, and the error names
    rule and reason.
  - With C(enabled 2) in force nothing is changed and C(reboot_required) is reported.
  - Check mode with C(--diff) shows the difference in rules.
options:
  state:
    description:
      - C(absent) puts back the rules and files of before.
      - C(rolled_back) loads the set of packs that was in force before the present one, as the host has kept it;
        done once, a second run changes nothing. Without a former set it fails.
    type: str
    choices: [present, rolled_back, absent]
    default: present
  packs:
    description:
      - The packs to load, as C({name, version, benchmark, variables, exclude, rules, off}); only C(name) is needed.
      - C({profile: NAME}) stands for a ready list, which entries below it change.
    type: list
    elements: dict
    default: []
  pack_dirs:
    description: Folders on the controller that hold packs beside the collection's own.
    type: list
    elements: path
    default: []
  style:
    description: How rules are spelled; checkers want the same rule in different words.
    type: str
    choices: [modern, cis, cac, dil]
    default: modern
  foreign:
    description: What to do with rule files that no pack brought.
    type: str
    choices: [refuse, keep, remove]
    default: refuse
  reboot_allowed:
    description: With C(enabled 2), write the files for the next boot; the caller reboots.
    type: bool
    default: false
  verify:
    description: Change nothing; fail, naming the rule, where the host differs. For after the reboot.
    type: bool
    default: false
  job:
    description: What the action part hands to the host; not for users.
    type: dict
  by:
    description: Who asks, for the record on the host; without it the user and machine that run Ansible.
    type: str
    default: ""
author: Auditpack maintainers (@auditpack)
"""

EXAMPLES = r"""
- name: Load two packs
  auditpack.linux.audit_rules:
    packs:
      - {name: base}
      - {name: sudoers, variables: {sudo_log: /var/log/sudo.log}}
"""

RETURN = r"""
rules:
  description: Number of rules wanted in the kernel, without control lines.
  returned: always
  type: int
packs:
  description: Version of each pack wanted in the kernel.
  returned: always
  type: dict
skipped_rules:
  description: Rules that do not apply to the host, each with its reason.
  returned: state present
  type: list
  elements: dict
notes:
  description: What the rendering left out or changed for this host.
  returned: state present
  type: list
  elements: str
reboot_required:
  description: The kernel is locked (enabled 2); only a reboot brings the new rules.
  returned: always
  type: bool
recovered:
  description: A transaction that a crash had interrupted was undone first.
  returned: always
  type: bool
failed_rule:
  description: The rule that was refused, with C(rule), C(pack), C(text) and C(reason).
  returned: when a rule was refused
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import rules_plan
from ..module_utils.files import Originals
from ..module_utils.generations import roll_back
from ..module_utils.host import HostError
from ..module_utils.rules_plan import Job, Plan, RuleError


def work(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Plan, and unless in check mode carry out; return the module's answer."""
    recovered = False if check_mode else rules_plan.recover()
    originals = Originals("audit_rules")
    if params["state"] == "present":
        plan = Plan.present(Job(**params["job"]), params["by"])
    elif params["state"] == "rolled_back":
        plan = Plan.present(Job(**roll_back()), params["by"])
    elif originals.known:
        plan = Plan.absent(originals)
    else:
        return {"changed": recovered, "reboot_required": False, "recovered": recovered, "rules": 0, "packs": {}}
    answer: dict[str, Any] = {
        "changed": plan.changed,
        "diff": plan.diff(),
        "reboot_required": False,
        "recovered": recovered,
        "rules": sum(map(rules_plan.is_rule, plan.wanted)),
        "packs": plan.job.record.get("packs", {}),
        "warnings": plan.warnings,
    }
    if params["verify"]:
        plan.verify()
        if params["state"] == "absent":
            originals.forget()
    elif plan.loaded.immutable and plan.changed:
        answer["reboot_required"] = True
        if params["reboot_allowed"]:
            if not check_mode:
                plan.write(originals)
        else:
            answer["changed"] = recovered
            answer["warnings"] = [
                *plan.warnings,
                "The audit rules are locked (enabled 2), so nothing was changed: only a reboot can bring others. "
                "Set audit_rules_reboot_allowed: true to write them and reboot.",
            ]
    elif plan.changed and not check_mode:
        if params["state"] == "absent":
            rules_plan.undo(plan, originals)
        else:
            plan.apply(originals)
    return answer


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "rolled_back", "absent"], "default": "present"},
            "packs": {"type": "list", "elements": "dict", "default": []},
            "pack_dirs": {"type": "list", "elements": "path", "default": []},
            "style": {"type": "str", "choices": ["modern", "cis", "cac", "dil"], "default": "modern"},
            "foreign": {"type": "str", "choices": ["refuse", "keep", "remove"], "default": "refuse"},
            "reboot_allowed": {"type": "bool", "default": False},
            "verify": {"type": "bool", "default": False},
            "job": {"type": "dict"},
            "by": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        answer = work(module.params, module.check_mode)
    except RuleError as error:
        module.fail_json(msg=str(error), failed_rule=error.rule)
    except (HostError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    for warning in answer.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
