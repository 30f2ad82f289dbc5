# SPDX-License-Identifier: Apache-2.0
"""auditd.conf: what is refused names the variable; what is written is what auditd reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.module_utils import auditd_profile
from plugins.module_utils.auditd_conf import check, parse, parse_version, render

ROLE = Path(__file__).parents[3] / "roles/audit_daemon"
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text())


def settings(profile: str = "default", /, **changes: Any) -> dict[str, Any]:
    found = {name: DEFAULTS[f"audit_daemon_{name}"] for name in VARS["audit_daemon__settings"]}
    return {**found, **VARS["audit_daemon__profiles"][profile], **changes}


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
        ({"space_left": "10000"}, "space_left", "file system"),
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
    assert found["max_log_file_action"] == "keep_logs"
    assert found["disk_full_action"] == "exec /sbin/archive"
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


VERSIONS = [(3, 0, 7), (3, 0, 9), (3, 1, 2), (3, 1, 5), (4, 0, 2), (4, 0, 3), (4, 0, 4), (4, 1, 0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_profile_cis_is_right_for_each_version(version: tuple[int, ...]) -> None:
    cis = settings("cis")
    assert check(cis, version, disk=10_000) == []
    assert auditd_profile.check("cis", cis, True, 8192) == []


def test_profiles_set_only_what_the_role_takes_from_them() -> None:
    for name, values in VARS["audit_daemon__profiles"].items():
        assert name in auditd_profile.PROFILES
        for key in values:
            expected = "{{ audit_daemon__profile['" + key + "'] }}"
            assert DEFAULTS[f"audit_daemon_{key}"] == expected
    assert set(VARS["audit_daemon__profiles"]) == set(auditd_profile.PROFILES)


@pytest.mark.parametrize(
    ("change", "variable", "word"),
    [
        ({"max_log_file_action": "rotate"}, "max_log_file_action", "keep_logs"),
        ({"space_left_action": "syslog"}, "space_left_action", "email or exec or single or halt"),
        ({"admin_space_left_action": "email"}, "admin_space_left_action", "single or halt"),
        ({"disk_full_action": "suspend"}, "disk_full_action", "halt or single"),
        ({"disk_error_action": "ignore"}, "disk_error_action", "syslog or single or halt"),
        ({"action_mail_acct": "nobody"}, "action_mail_acct", "root"),
        ({"log_group": "users"}, "log_group", "root or adm"),
        ({"write_logs": False}, "write_logs", "true"),
        ({"max_log_file": None}, "max_log_file", "size"),
    ],
)
def test_what_a_benchmark_does_not_allow_is_refused_in_its_profile(
    change: dict[str, Any], variable: str, word: str
) -> None:
    (found,) = auditd_profile.check("cis", settings("cis", **change), True, 8192)
    assert found.startswith(f"audit_daemon_{variable}: ")
    assert word in found
    assert "audit_daemon_profile: default" in found
    assert auditd_profile.check("default", settings("cis", **change), False, 64) == []


@pytest.mark.parametrize("change", [{"space_left_action": "exec /usr/local/sbin/mail"}, {"disk_full_action": "SINGLE"}])
def test_the_other_values_of_a_benchmark_are_taken(change: dict[str, Any]) -> None:
    assert auditd_profile.check("cis", settings("cis", **change), True, 16384) == []


def test_the_command_line_belongs_to_the_profile() -> None:
    found = auditd_profile.check("cis", settings("cis"), False, 4096)
    assert [line.split(":")[0] for line in found] == ["audit_daemon_kernel_parameters", "audit_daemon_backlog_limit"]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("space_left_action", r"^space_left_action = email\s*$"),
        ("admin_space_left_action", r"^admin_space_left_action = (halt|single)\s*$"),
        ("max_log_file_action", r"^max_log_file_action\s*=\s*keep_logs$"),
        ("disk_full_action", r"^disk_full_action\s*=\s*(halt|single)$"),
        ("disk_error_action", r"^disk_error_action\s*=\s*(syslog|halt|single)$"),
        ("action_mail_acct", r"^action_mail_acct = root\s*$"),
        ("max_log_file", r"^max_log_file = \d+\s*$"),
    ],
)
def test_checkers_find_the_profile_in_the_file(key: str, pattern: str) -> None:
    """InSpec's cis-dil-benchmark and Goss look for small letters, as the benchmarks print them."""
    assert re.search(pattern, render(settings("cis")), re.MULTILINE), key
