# SPDX-License-Identifier: Apache-2.0
"""What the role's profiles promise. `cis` is what the CIS benchmarks say of auditd itself, beside its rules.

Sources: Debian 12 1.1.0, Debian 13 1.0.0 and Ubuntu 24.04 1.0.0, sections 6.2.1, 6.2.2 and 6.2.4; Ubuntu 22.04 2.0.0
and RHEL 8 4.0.0, 9 2.0.0 and 10 1.0.1, sections 6.3.1, 6.3.2 and 6.3.4; Distribution Independent Linux 2.0.0, 4.1.1.
"""

from __future__ import annotations

from typing import Any

PROFILES = ("default", "cis")
LEAST_BACKLOG = 8192
_CIS = {
    "max_log_file_action": ("keep_logs",),
    "space_left_action": ("email", "exec", "single", "halt"),
    "admin_space_left_action": ("single", "halt"),
    "disk_full_action": ("halt", "single"),
    "disk_error_action": ("syslog", "single", "halt"),
    "action_mail_acct": ("root",),
    "log_group": ("root", "adm"),
    "write_logs": ("true",),
    "local_events": ("true",),
}


def check(profile: str, settings: dict[str, Any], kernel_parameters: bool, backlog_limit: int) -> list[str]:
    """Return where the settings break what the profile promises, one message each, with variable and remedy."""
    if profile != "cis":
        return []
    way_out = "; choose such a value, or audit_daemon_profile: default"
    wrong = []
    for key, allowed in _CIS.items():
        given = str(settings.get(key)).lower()
        if given.split(" ")[0] not in allowed:
            wrong.append(f"audit_daemon_{key}: the profile cis asks for {' or '.join(allowed)}, not {given}{way_out}")
    if settings.get("max_log_file") is None:
        wrong.append(f"audit_daemon_max_log_file: the profile cis asks for a size in MiB{way_out}")
    if not kernel_parameters:
        wrong.append(f"audit_daemon_kernel_parameters: the profile cis asks for audit=1 at boot, so for true{way_out}")
    if backlog_limit < LEAST_BACKLOG:
        message = f"the profile cis asks for {LEAST_BACKLOG} or more, not {backlog_limit}"
        wrong.append(f"audit_daemon_backlog_limit: {message}{way_out}")
    return wrong
