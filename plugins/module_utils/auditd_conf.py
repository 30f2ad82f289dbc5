# SPDX-License-Identifier: Apache-2.0
"""auditd.conf: which settings contradict each other, and its text (auditd.conf(5), auditd's own checks)."""

from __future__ import annotations

import re
from typing import Any, Union

Version = tuple[int, ...]
Setting = Union[str, int, bool, None]

# Written in this order: verify_email must come before action_mail_acct (auditd.conf(5)).
KEYS = (
    "local_events", "write_logs", "log_file", "log_group", "log_format", "flush", "freq", "max_log_file", "num_logs",
    "max_log_file_action", "priority_boost", "name_format", "name", "space_left", "space_left_action", "verify_email",
    "action_mail_acct", "admin_space_left", "admin_space_left_action", "disk_full_action", "disk_error_action",
    "tcp_listen_port", "tcp_listen_queue", "tcp_max_per_addr", "tcp_client_ports", "tcp_client_max_idle",
    "use_libwrap", "transport", "krb5_principal", "krb5_key_file", "distribute_network", "q_depth", "overflow_action",
    "max_restarts", "plugin_dir", "end_of_event_timeout",
)  # fmt: skip
SINCE: dict[str, Version] = {"end_of_event_timeout": (3, 0, 2)}
NETWORK = (
    "tcp_listen_queue", "tcp_max_per_addr", "tcp_client_ports", "tcp_client_max_idle", "use_libwrap", "transport",
    "krb5_principal", "krb5_key_file", "distribute_network",
)  # fmt: skip
# Settings that auditd reads at start only; the others are taken over on SIGHUP.
AT_START = ("local_events",)
OLDEST: Version = (3, 0)
LONGEST_LINE = 160

_ACTIONS = {
    "max_log_file_action": {"ignore", "syslog", "suspend", "rotate", "keep_logs"},
    "space_left_action": {"ignore", "syslog", "rotate", "email", "exec", "suspend", "single", "halt"},
    "admin_space_left_action": {"ignore", "syslog", "rotate", "email", "exec", "suspend", "single", "halt"},
    "disk_full_action": {"ignore", "syslog", "rotate", "exec", "suspend", "single", "halt"},
    "disk_error_action": {"ignore", "syslog", "exec", "suspend", "single", "halt"},
    "overflow_action": {"ignore", "syslog", "suspend", "single", "halt"},
}


def parse_version(text: str) -> Version:
    """Return the numbers of the first dotted number in a text: `auditctl version 4.0.2` or `1:4.0.2-2` → (4, 0, 2)."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    if found is None:
        raise ValueError(f"no version in {text!r}")
    return tuple(int(part) for part in found.group().split("."))


def megabytes(value: Setting, disk: int | None) -> float | None:
    """Return a space setting in MiB; a percentage needs the size of the disk in MiB, else None."""
    text = str(value)
    if text.endswith("%"):
        return None if disk is None else disk * int(text[:-1]) / 100
    return int(text)


def check(settings: dict[str, Any], version: Version | None = None, disk: int | None = None) -> list[str]:
    """Return what is wrong, one message per error, each naming the variable and the remedy.

    Without `version` (not known before the host is asked) and `disk` (MiB of the log's file system) the checks that
    need them are left out.
    """
    wrong: list[str] = []

    def refuse(key: str, why: str) -> None:
        wrong.append(f"audit_daemon_{key}: {why}")

    def get(key: str) -> Any:
        return settings.get(key)

    for key, allowed in _ACTIONS.items():
        action = str(get(key) or "ignore").split()
        if not action or action[0].lower() not in allowed:
            refuse(key, f"{get(key)!r} is not an action; use one of {', '.join(sorted(allowed))}")
        elif action[0].lower() == "exec" and (len(action) != 2 or not action[1].startswith("/")):
            refuse(key, "exec takes one absolute path and no parameters, as in `exec /usr/local/sbin/archive-logs`")
        elif action[0].lower() != "exec" and len(action) > 1:
            refuse(key, f"{action[0]} takes no parameter; remove {' '.join(action[1:])!r}")

    spaces: dict[str, float | None] = {}
    for key in ("space_left", "admin_space_left"):
        if not re.fullmatch(r"[1-9]\d*|[1-9]\d?%", str(get(key))):
            refuse(key, f"{get(key)!r} is not a size; use MiB like 75, or 1% to 99% of the file system")
        else:
            spaces[key] = megabytes(get(key), disk)
            if disk is not None and (spaces[key] or 0) >= disk:
                refuse(key, f"{get(key)} MiB is all of the log's file system, which has {disk}; lower it")
    if len(spaces) == 2:
        left, admin = spaces["space_left"], spaces["admin_space_left"]
        both = [str(get(key)) for key in spaces]
        if left is None and admin is None:
            left, admin = (float(text[:-1]) for text in both)
        if left is not None and admin is not None and admin >= left:
            refuse(
                "admin_space_left",
                f"{both[1]} must be less than audit_daemon_space_left ({both[0]}), or auditd does not start; lower it",
            )
    if version is not None and version >= (4, 0, 4) and str(get("space_left_action")).lower() == "halt":
        refuse(
            "space_left_action",
            f"audit {'.'.join(map(str, version))} does not start with halt here; use single, "
            "or halt in audit_daemon_admin_space_left_action",
        )
    if str(get("max_log_file_action")).lower() == "keep_logs":
        for key in ("space_left_action", "admin_space_left_action", "disk_full_action"):
            if str(get(key)).lower() == "rotate":
                refuse(key, "rotate removes the oldest log, but audit_daemon_max_log_file_action keeps all; change one")
    if str(get("max_log_file_action")).lower() == "rotate" and int(get("num_logs") or 0) < 2:
        refuse(
            "num_logs",
            f"{get('num_logs')} means no rotation, but audit_daemon_max_log_file_action is rotate; set 2 to 999",
        )
    if int(get("num_logs") or 0) > 999:
        refuse("num_logs", "auditd takes at most 999")
    if str(get("flush")).lower().startswith("incremental") and int(get("freq") or 0) < 1:
        refuse("freq", f"audit_daemon_flush {get('flush')} needs a freq of 1 or more; set it, or another flush")
    if (str(get("name_format")).lower() == "user") != bool(get("name")):
        refuse("name", "goes with audit_daemon_name_format user, and only with it; set both or neither")
    if str(get("log_file") or "/").startswith("/") is False:
        refuse("log_file", "must be an absolute path")
    if str(get("transport") or "tcp").lower() not in ("tcp", "krb5"):
        refuse("transport", f"{get('transport')!r} is not a transport; use tcp or krb5")
    if get("tcp_listen_port") is None:
        for key in NETWORK:
            if get(key) is not None:
                refuse(key, "has an effect only with audit_daemon_tcp_listen_port; set that, or leave this out")
    if version is not None:
        if version < OLDEST:
            wrong.append(f"audit {'.'.join(map(str, version))} is too old; Auditpack needs 3.0 or newer on the host")
        for key, since in SINCE.items():
            if get(key) is not None and version < since:
                refuse(key, f"is known to audit {'.'.join(map(str, since))} and newer; set it to null for this host")
    for key in KEYS:
        if len(f"{key} = {get(key)}") > LONGEST_LINE:
            refuse(key, f"the line would be longer than {LONGEST_LINE} characters and auditd would skip it")
        if "\n" in str(get(key)):
            refuse(key, "must be one line")
    wrong += [f"audit_daemon: auditd.conf has no setting {key!r}" for key in settings if key not in KEYS]
    return wrong


def needs_mail(settings: dict[str, Any]) -> list[str]:
    """Return the variables whose action is e-mail: the host then needs /usr/lib/sendmail or /usr/sbin/sendmail."""
    keys = ("space_left_action", "admin_space_left_action")
    return [f"audit_daemon_{key}" for key in keys if str(settings.get(key)).lower() == "email"]


def scripts(settings: dict[str, Any]) -> dict[str, str]:
    """Return the scripts that exec actions name, by variable."""
    values = {key: str(settings.get(key) or "").split() for key in _ACTIONS}
    return {f"audit_daemon_{key}": v[1] for key, v in values.items() if len(v) == 2 and v[0].lower() == "exec"}


def render(settings: dict[str, Any]) -> str:
    """Return the text of auditd.conf; settings that are None are left to auditd's default."""
    lines = ["# Managed by Auditpack, role audit_daemon: changes made here are overwritten.", ""]
    for key in KEYS:
        value = settings.get(key)
        if value is not None:
            lines.append(f"{key} = {_word(key, value)}")
    return "\n".join(lines) + "\n"


def parse(text: str) -> dict[str, str]:
    """Return the settings of an auditd.conf, names and words in lower case as auditd sees them."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _word(key: str, value: Setting) -> str:
    """Return a value as auditd takes it and checkers of the benchmarks look for it: actions in small letters."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key in _ACTIONS:
        action, _, rest = str(value).partition(" ")
        return f"{action.lower()} {rest.strip()}".strip()
    if key in ("log_format", "flush", "name_format", "transport"):
        return str(value).upper()
    return str(value)
