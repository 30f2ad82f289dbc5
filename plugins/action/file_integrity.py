# SPDX-License-Identifier: Apache-2.0
"""Action: zip the service's wheel, offer it to the host, and send it where it is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.integrity_wheel import wheel
from ..module_utils.wheel_build import WheelError, offer

SOURCE = Path(__file__).resolve().parents[2] / "integrity"


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Face of the module file_integrity."""

    TRANSFERS_FILES = True

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """One round trip when the host has the code already, a transfer and a second one when not."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("state", "present") == "absent":
            return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
        try:
            made = wheel(SOURCE, arguments.get("wheel") or "")
            arguments["offered"] = offer([made])[0]
        except (WheelError, ValueError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        answer: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        if answer.get("need_wheel"):
            folder = self._make_tmp_path()
            try:
                there = self._transfer_file(str(made), self._connection._shell.join_path(folder, made.name))
                self._fixup_perms2((folder, there))
                arguments["wheel_file"] = there
                answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            finally:
                self._remove_tmp_path(folder)
        return {**result, **answer}
