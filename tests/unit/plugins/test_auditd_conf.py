# SPDX-License-Identifier: Apache-2.0
"""auditd.conf: what is refused names the variable; what is written is what auditd reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.module_utils.auditd_conf import check, parse, parse_version, render

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/audit_daemon/defaults/main.yml").read_text())


def settings(**changes: Any) -> dict[str, Any]:
    spec = yaml.safe_load((Path(__file__).parents[3] / "roles/audit_daemon/vars/main.yml").read_text())
    return {**{name: DEFAULTS[f"audit_daemon_{name}"] for name in spec["audit_daemon__settings"]}, **changes}


@pytest.mark.parametrize("version", [(3, 0, 7), (3, 0, 9), (3, 1, 2), (4, 0, 2), (4, 1, 0)])
def test_the_defaults_are_right_for_each_version(version: tuple[int, ...]) -> None:
    assert check(settings(), version, disk=10_000) == []


@pytest.mark.parametrize(
    ("change", "variable", "word"),
    [
        ({"admin_space_left": "75"}, "admin_space_left", "less than"),
        ({"space_left": "10%", "admin_space_left": "20%"}, "admin_space_left", "less than"),
        ({"space_left": "1%", "admin_space_left": "200"}, "admin_space_left", "less than"),
        ({"space_left": "much"}, "space_left", "MiB"),
        ({"space_left_action": "halt"}, "space_left_action", "single"),
        ({"space_left_action": "explode"}, "space_left_action", "not an action"),
        ({"disk_full_action": "email"}, "disk_full_action", "not an action"),
        ({"disk_error_action": "rotate"}, "disk_error_action", "not an action"),
        ({"disk_full_action": "exec archive"}, "disk_full_action", "absolute path"),
        ({"disk_full_action": "exec /bin/a --now"}, "disk_full_action", "no parameters"),
        ({"disk_full_action": "halt now"}, "disk_full_action", "parameter"),
        ({"max_log_file_action": "keep_logs"}, "disk_full_action", "keeps all"),
        ({"num_logs": 1}, "num_logs", "no rotation"),
        ({"num_logs": 1000}, "num_logs", "999"),
        ({"freq": 0}, "freq", "1 or more"),
        ({"name": "web1"}, "name", "name_format user"),
        ({"name_format": "user"}, "name", "name_format user"),
        ({"tcp_max_per_addr": 2}, "tcp_max_per_addr", "tcp_listen_port"),
        ({"tcp_listen_port": 60, "transport": "udp"}, "transport", "tcp or krb5"),
        ({"log_file": "audit.log"}, "log_file", "absolute"),
        ({"action_mail_acct": "a" * 160}, "action_mail_acct", "160"),
        ({"action_mail_acct": "root\nflush = none"}, "action_mail_acct", "one line"),
        ({"dispatcher": "/sbin/audispd"}, "", "no setting 'dispatcher'"),
    ],
)
def test_contradictions_are_refused_by_name(change: dict[str, Any], variable: str, word: str) -> None:
    wrong = check(settings(**change), (4, 0, 4), disk=10_000)
    assert any(line.startswith(f"audit_daemon_{variable}".rstrip("_")) and word in line for line in wrong), wrong


def test_halt_on_space_left_is_refused_from_4_0_4_on() -> None:
    assert check(settings(space_left_action="halt"), (4, 0, 2), disk=10_000) == []
    assert check(settings(space_left_action="halt")) == []
    assert check(settings(space_left_action="halt"), (4, 0, 4), disk=10_000)


def test_the_end_of_event_timeout_is_refused_where_it_is_unknown() -> None:
    assert any("end_of_event_timeout" in line for line in check(settings(), (3, 0, 0), disk=10_000))
    assert check(settings(end_of_event_timeout=None), (3, 0, 0), disk=10_000) == []


def test_audit_2_is_too_old() -> None:
    assert any("too old" in line for line in check(settings(end_of_event_timeout=None), (2, 8, 5), disk=10_000))


def test_the_text_reads_back() -> None:
    found = parse(render(settings(max_log_file_action="keep_logs", disk_full_action="exec /sbin/archive")))
    assert found["max_log_file_action"] == "KEEP_LOGS"
    assert found["disk_full_action"] == "EXEC /sbin/archive"
    assert found["write_logs"] == "yes"
    assert found["flush"] == "INCREMENTAL_ASYNC"
    assert "tcp_listen_port" not in found
    assert "dispatcher" not in found


def test_verify_email_comes_before_the_account() -> None:
    text = render(settings())
    assert text.index("verify_email") < text.index("action_mail_acct")


@pytest.mark.parametrize(
    ("text", "version"), [("auditctl version 3.0.9", (3, 0, 9)), ("1:4.0.2-2+deb13u1", (4, 0, 2)), ("4.2", (4, 2))]
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_no_version() -> None:
    with pytest.raises(ValueError, match="no version"):
        parse_version("auditctl")
