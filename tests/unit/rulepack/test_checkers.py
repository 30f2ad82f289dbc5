# SPDX-License-Identifier: Apache-2.0
"""What the external checkers look for in rules.d, each with its own style.

The patterns are ours, made from how each checker is known to read: ComplianceAsCode's templates audit_rules_watch and
audit_rules_privileged_commands (one match exactly), CIS-CAT's expressions for perm=x rules (no arch), the exact lines
of Goss and Wazuh (with the example's key), and InSpec's dev-sec/cis-dil-benchmark (the old form).
"""

from __future__ import annotations

import re

import pytest

from tests.unit.rulepack.test_styles import texts

WATCH = ("debian12", "ubuntu2204", "ubuntu2404", "rhel8")
ARCH = ("rhel9", "rhel10")
FIRST = ("debian12", "ubuntu2204", "ubuntu2404", "rhel8", "rhel9")
USERS = r"-F auid>=1000 -F auid!=(unset|4294967295)"
KEY = r"(-k |-F key=)\S+"
WA = r"[rx]*(w[rx]*a|a[rx]*w)[rx]*"
FILES = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/security/opasswd", "/etc/nsswitch.conf",
         "/etc/pam.conf", "/etc/sudoers", "/etc/hosts", "/etc/issue", "/etc/issue.net", "/etc/localtime",
         "/var/run/utmp", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/log/sudo.log")  # fmt: skip


def matches(benchmark: str, style: str, pattern: str) -> int:
    return sum(re.fullmatch(pattern, text) is not None for text in texts(benchmark, style))


@pytest.mark.parametrize("path", [*FILES, "/etc/sudoers.d/", "/etc/pam.d/", "/var/run/faillock"])
@pytest.mark.parametrize("benchmark", WATCH)
def test_compliance_as_code_reads_old_watches(benchmark: str, path: str) -> None:
    assert matches(benchmark, "cac", rf"-w\s+{re.escape(path)}\s+-p\s+{WA}\b.*") == 1


@pytest.mark.parametrize("path", [*FILES, "/etc/sudoers.d/", "/etc/pam.d/", "/var/run/faillock"])
@pytest.mark.parametrize("benchmark", ARCH)
def test_compliance_as_code_reads_a_pair_on_rhel_9_and_10(benchmark: str, path: str) -> None:
    kind = "path" if path in FILES else "dir"
    for abi in ("b32", "b64"):
        pattern = rf"-a\s+always,exit\s+-F\s+arch={abi}\s+-F\s+{kind}={re.escape(path)}\s+-F\s+perm={WA}\b.*"
        assert matches(benchmark, "cac", pattern) == 1


@pytest.mark.parametrize("benchmark", [*WATCH, *ARCH, "debian13"])
def test_compliance_as_code_wants_the_comparison_after_the_call(benchmark: str) -> None:
    for abi in ("b32", "b64"):
        pattern = rf"-a always,exit -F arch={abi} -S execve -C euid!=uid -F auid!=unset {KEY}"
        assert matches(benchmark, "cac", pattern) == 1


@pytest.mark.parametrize("program", ["chcon", "setfacl", "chacl", "kmod", "passwd", "su"])
@pytest.mark.parametrize("benchmark", [*WATCH, "rhel9"])
def test_compliance_as_code_wants_one_line_per_program_without_an_arch(benchmark: str, program: str) -> None:
    pattern = rf"-a\s+always,exit\s+-F\s+path=/usr/bin/{program}\s+-F\s+perm=x\s+{USERS}\s+{KEY}"
    assert matches(benchmark, "cac", pattern) == 1
    assert sum(f"path=/usr/bin/{program} " in text for text in texts(benchmark, "cac")) == 1


@pytest.mark.parametrize("program", ["chcon", "setfacl", "chacl", "kmod", "passwd"])
def test_compliance_as_code_wants_both_on_rhel_10(program: str) -> None:
    for abi in ("b32", "b64"):
        pattern = rf"-a always,exit -F arch={abi} -F path=/usr/bin/{program} -F perm=x {USERS} {KEY}"
        assert matches("rhel10", "cac", pattern) == 1


@pytest.mark.parametrize("call", ["chmod", "fchownat", "lremovexattr", "mount", "unlinkat", "renameat"])
@pytest.mark.parametrize("benchmark", [*WATCH, *ARCH])
def test_compliance_as_code_finds_a_call_in_a_list(benchmark: str, call: str) -> None:
    for abi in ("b32", "b64"):
        pattern = rf"-a always,exit -F arch={abi} -S (\w+,)*{call}(,\w+)* {USERS} {KEY}"
        assert matches(benchmark, "cac", pattern) == 1


@pytest.mark.parametrize("program", ["chcon", "setfacl", "chacl"])
@pytest.mark.parametrize("benchmark", FIRST)
def test_cis_cat_allows_no_arch_for_programs(benchmark: str, program: str) -> None:
    pattern = rf" *-a +always,exit +(-S all +)?-F path=/usr/bin/{program} +-F perm=x +{USERS} +-k \S+ *"
    assert matches(benchmark, "cis", pattern) == 1


@pytest.mark.parametrize(
    "line",
    [
        "-w /etc/sudoers -p wa -k scope",
        "-w /etc/sudoers.d -p wa -k scope",
        "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation",
        "-a always,exit -F arch=b32 -C euid!=uid -F auid!=unset -S execve -k user_emulation",
        "-w /var/log/sudo.log -p wa -k sudo_log_file",
        "-a always,exit -F arch=b64 -S sethostname,setdomainname -k system-locale",
        "-w /var/run/faillock -p wa -k logins",
        "-a always,exit -F path=/usr/sbin/usermod -F perm=x -F auid>=1000 -F auid!=unset -k usermod",
    ],
)
@pytest.mark.parametrize("benchmark", FIRST)
def test_goss_and_wazuh_want_the_line_with_its_key(benchmark: str, line: str) -> None:
    assert texts(benchmark, "cis").count(line) == 1


@pytest.mark.parametrize("benchmark", ["debian13", "rhel10"])
def test_the_newer_benchmarks_have_no_old_watch(benchmark: str) -> None:
    assert [text for text in texts(benchmark, "cis") if text.startswith("-w")] == []
    assert "-a always,exit -F arch=b64 -S all -F dir=/etc/sudoers.d -F perm=wa -k scope" in texts(benchmark, "cis")


@pytest.mark.parametrize(
    "pattern",
    [
        r"-a always,exit -F arch=b32 -S adjtimex -S settimeofday -S stime -k time-change",
        r"-a always,exit -F arch=b(32|64) -S clock_settime -k time-change",
        r"-a always,exit -F arch=b64 -S creat -S open -S openat -S truncate -S ftruncate -F exit=-EPERM "
        r"-F auid>=1000 -F auid!=4294967295 -k access",
        r"-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=4294967295 -k privileged",
        r"-w /etc/selinux/ -p wa -k MAC-policy",
        r"-w /usr/share/selinux/ -p wa -k MAC-policy",
        r"-w /etc/sysconfig/network -p wa -k system-locale",
        r"-w /var/log/tallylog -p wa -k logins",
        r"-w /var/log/wtmp -p wa -k logins",
        r"-w /var/log/sudo\.log -p wa -k actions",
        r"-w /sbin/insmod -p x -k modules",
        r"-a always,exit -F arch=b64 -S init_module -S delete_module -k modules",
    ],
)
@pytest.mark.parametrize("style", ["dil", "cis"])
def test_inspec_wants_the_old_form(pattern: str, style: str) -> None:
    assert matches("dil", style, pattern) >= 1


@pytest.mark.parametrize("style", ["cis", "cac", "dil"])
def test_no_checker_knows_the_other_order(style: str) -> None:
    for benchmark in (*WATCH, *ARCH, "debian13", "dil"):
        assert not [text for text in texts(benchmark, style) if "exit,always" in text or "auid!=-1" in text]
