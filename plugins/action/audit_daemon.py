# SPDX-License-Identifier: Apache-2.0
"""Action: refuse contradictory auditd settings on the controller, then run the module on the host."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..module_utils import auditd_profile
from ..module_utils.auditd_conf import check


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Face of the module audit_daemon."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check what can be checked without the host; the module checks the rest there."""
        super().run(tmp, task_vars)
        arguments = self._task.args
        if arguments.get("state", "present") == "present":
            settings = dict(arguments.get("settings") or {})
            wrong = check(settings) + auditd_profile.check(
                arguments.get("profile") or "default",
                settings,
                boolean(arguments.get("kernel_parameters", True)),
                int(arguments.get("backlog_limit", auditd_profile.LEAST_BACKLOG)),
            )
            if wrong:
                raise AnsibleActionFail("\n".join(wrong))
        return self._execute_module(module_args=arguments, task_vars=task_vars)  # type: ignore[no-any-return]
