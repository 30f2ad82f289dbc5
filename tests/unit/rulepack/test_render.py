# SPDX-License-Identifier: Apache-2.0
"""Rules become the lines that fit one host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from auditpack.compose import compose
from auditpack.errors import PackErrors
from auditpack.line import parse_rules
from auditpack.model import HostFacts
from auditpack.normalise import compare
from auditpack.render import Rendered, render
from auditpack.schema import load_packs

PACKS = Path(__file__).parent / "packs"
CALLS = "chmod,fchmod,openat,unlinkat,fchmodat"
"""What perm=wa can fire on, of the calls that the hosts know."""


def rendered(facts: HostFacts, style: str = "modern", names: tuple[str, ...] = (), **variables: Any) -> Rendered:
    packs = load_packs([PACKS / name for name in ("base", "demo", *names)])
    immutable = variables.pop("immutable", False)
    base = {"name": "base", "variables": {"immutable": immutable}}
    return render(compose(packs, [base, {"name": "demo", "variables": variables}, *names]), facts, style)


def lines(found: Rendered, rule: str) -> list[str]:
    return [line.text for line in found.lines if line.rule == rule]


def test_controls_go_first_and_the_lock_last(old: HostFacts) -> None:
    found = rendered(old, immutable=True)
    texts = [line.text for line in found.lines]
    assert texts[:2] == ["-D", "-b 8192"]
    assert texts[-1] == "-e 2"
    assert found.text.endswith("\n-e 2\n")


def test_a_pair_for_both_abis(old: HostFacts) -> None:
    assert lines(rendered(old), "demo.passwd") == [
        f"-a always,exit -F arch=b64 -S {CALLS} -F path=/etc/passwd -F perm=wa -F key=identity",
        f"-a always,exit -F arch=b32 -S {CALLS} -F path=/etc/passwd -F perm=wa -F key=identity",
    ]


def test_one_line_where_the_host_has_one_abi(old: HostFacts) -> None:
    assert len(lines(rendered(replace(old, abis=("b64",))), "demo.passwd")) == 1


def test_audit_3_names_no_calls_of_perm_where_it_lacks_one_of_the_kernels(old: HostFacts) -> None:
    found = lines(rendered(replace(old, kernel="6.12.48+deb12")), "demo.passwd")
    assert found[0] == "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa -F key=identity"
    assert "-S execve,execveat " in lines(rendered(replace(old, kernel="6.12.48+deb12")), "demo.setuid")[0]


def test_audit_4_gets_the_calls_of_perm_named(new: HostFacts) -> None:
    found = lines(rendered(new), "demo.passwd")[0]
    calls = "chmod,fchmod,openat,unlinkat,fchmodat,fchmodat2"
    assert found == f"-a always,exit -F arch=b64 -S {calls} -F path=/etc/passwd -F perm=wa -F key=identity"
    assert "-S execve,execveat -F path=/usr/bin/su" in lines(rendered(new), "demo.setuid")[2]


def test_early_audit_4_on_aarch64_gets_no_arch_with_perm(new: HostFacts) -> None:
    names = {name: number for name, number in new.syscalls["b64"].items() if name != "chmod"}
    arm = replace(new, machine="aarch64", abis=("b64",), syscalls={"b64": names})
    found = rendered(arm)
    assert lines(found, "demo.passwd") == ["-a always,exit -F path=/etc/passwd -F perm=wa -F key=identity"]
    assert "-S fchmod,fchmodat,fchmodat2" in lines(found, "demo.chmod")[0]
    assert "demo.chmod: chmod left out: for x86_64 only, this is aarch64" in found.notes
    later = rendered(replace(arm, audit_version="4.0.4"))
    assert "-F arch=b64" in lines(later, "demo.passwd")[0]


def test_links_are_resolved_unless_kept(old: HostFacts) -> None:
    found = rendered(old)
    assert "-F path=/run/utmp " in lines(found, "demo.linked")[0]
    assert any("/var/run/utmp is /run/utmp here" in note for note in found.notes)
    assert "-F path=/etc/localtime " in lines(found, "demo.zone")[0]


def test_missing_paths(old: HostFacts) -> None:
    found = rendered(old)
    assert "-F path=/var/log/demo.log " in lines(found, "demo.log")[0]
    assert "-F dir=/run/demo " in lines(found, "demo.made")[0]
    assert [(one.path, one.kind, one.mode, one.owner) for one in found.creates] == [
        ("/run/demo", "dir", "0700", "root")
    ]
    assert ("demo.tool", "/usr/bin/tool is not on this host") in [(one.rule, one.reason) for one in found.skipped]


def test_what_is_created_renders_the_same_when_it_is_there(old: HostFacts) -> None:
    there = {**old.paths, "/var/run/demo": {"kind": "dir", "real": "/run/demo"}}
    again = rendered(replace(old, paths=there))
    assert (again.text, again.creates) == (rendered(old).text, rendered(old).creates)


def test_one_pair_for_each_element(old: HostFacts) -> None:
    found = lines(rendered(old), "demo.setuid")
    assert len(found) == 4
    assert found[0].endswith("-F path=/usr/bin/passwd -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged")


def test_conditions_and_benchmarks(old: HostFacts, new: HostFacts) -> None:
    assert "fchmodat2" not in lines(rendered(old), "demo.chmod")[0]
    assert "-S fchmod,fchmodat,chmod,fchmodat2 " in lines(rendered(new), "demo.chmod")[0]
    assert lines(rendered(new), "demo.emulate") == []
    assert lines(rendered(new, benchmark="deb12"), "demo.emulate")
    assert ("demo.emulate", "not in benchmark deb13") in [(one.rule, one.reason) for one in rendered(new).skipped]


def test_names_become_numbers(old: HostFacts) -> None:
    assert lines(rendered(old), "demo.cwd") == ["-a always,exclude -F msgtype=CWD -F uid=990"]
    assert lines(rendered(old, quiet="ansible"), "demo.quiet")[0] == "-a never,exit -F arch=b64 -S all -F auid=1500"


def test_the_spelling_of_the_benchmark(old: HostFacts, new: HostFacts) -> None:
    for facts in (old, new):
        found = rendered(facts, "cis")
        assert lines(found, "demo.passwd") == ["-w /etc/passwd -p wa -k identity"]
        assert lines(found, "demo.made") == ["-w /var/run/demo -p wa -k made"]
        text = "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -k privileged"
        assert lines(found, "demo.setuid")[1] == text
    text = "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k emulate"
    assert lines(rendered(old, "cis"), "demo.emulate")[0] == text


@pytest.mark.parametrize("style", ["modern", "cis"])
def test_every_line_reads_back(old: HostFacts, style: str) -> None:
    found = rendered(old, style)
    difference = compare([line.line for line in found.lines if line.line], parse_rules(found.text))
    assert not difference, str(difference)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"users": {}}, "unknown user `auditpack` on this host"),
        ({"paths": {}}, "the facts do not tell of /etc/passwd"),
        ({"lists": {}}, "the facts have no list `setuid_files`"),
        ({"distro_version": "11"}, "supports debian 12, 13, this is debian 11"),
        ({"kernel": "4.19.0"}, "needs kernel >=5.10"),
        ({"syscalls": {"b64": {"execve": 59}, "b32": {}}}, "knows no syscall `fchmod` for b64"),
    ],
)
def test_a_host_that_does_not_fit(old: HostFacts, change: dict[str, Any], message: str) -> None:
    with pytest.raises(PackErrors) as caught:
        rendered(replace(old, **change))
    assert message in str(caught.value)
    assert ".yml:" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/etc/passwd", "missing", "/etc/passwd is not on this host — create it"),
        ("/etc/passwd", "dir", "is a directory on this host — use `dir`"),
        ("/var/run/demo", "file", "is no directory on this host — use `path`"),
        ("/var/log", "missing", "/var/log is not on this host, so /var/log/demo.log cannot be watched"),
    ],
)
def test_a_path_that_does_not_fit(old: HostFacts, path: str, kind: str, message: str) -> None:
    paths = {**old.paths, path: {"kind": kind, "real": path}}
    with pytest.raises(PackErrors) as caught:
        rendered(replace(old, paths=paths))
    assert message in str(caught.value)


def test_dead_rules_are_refused_and_equal_ones_merged(old: HostFacts) -> None:
    with pytest.raises(PackErrors) as caught:
        rendered(old, names=("dead",))
    assert "dead/rules.yml:2: rule `dead.passwd` (key other) can never win" in str(caught.value)
    packs = load_packs([PACKS / name for name in ("base", "demo", "dead")])
    found = render(compose(packs, ["base", "demo", {"name": "dead", "exclude": ["dead.passwd"]}]), old)
    assert {line.also for line in found.lines if line.rule == "demo.passwd"} == {("dead.same",)}
    assert lines(found, "dead.same") == []
