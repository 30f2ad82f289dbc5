# SPDX-License-Identifier: Apache-2.0
"""Action: offer the collector's wheels to the host, and send the one it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.wheel_build import WheelError, at_hand, offer

COLLECTOR = Path(__file__).resolve().parents[2] / "collector"


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Face of the module audit_collector."""

    TRANSFERS_FILES = True

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """One round trip when the host has the code already, a transfer and a second one when not."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("state", "present") == "absent":
            return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
        try:
            wheels, notes = at_hand(COLLECTOR, arguments.get("wheel") or "")
            arguments["wheels"] = offer(wheels)
        except (WheelError, ValueError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        answer: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        if answer.get("need_wheel"):
            wanted = next(path for path in wheels if path.name == answer["need_wheel"])
            folder = self._make_tmp_path()
            try:
                there = self._transfer_file(str(wanted), self._connection._shell.join_path(folder, wanted.name))
                self._fixup_perms2((folder, there))
                arguments["wheel_file"] = there
                answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            finally:
                self._remove_tmp_path(folder)
        if notes:
            answer["warnings"] = [*answer.get("warnings", []), *notes]
        return {**result, **answer}
