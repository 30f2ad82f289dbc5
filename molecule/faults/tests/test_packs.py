# SPDX-License-Identifier: Apache-2.0
"""Packs and rule files with mistakes: refused with the place and the reason, and nothing on the host has changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Refused, Target

WritePack = Callable[[str], list[str]]

RULE = """\
- id: trial.rule
  title: A rule that brings trouble
  why: The test wants it.
  key: trial
  maturity: sandbox
  references: []
"""
TYPO = RULE + "  path: /etc/hostname\n  prem: wa\n"


@pytest.mark.usefixtures("unchanged")
def test_typo_is_refused_with_file_and_line(target: Target, trial_pack: WritePack, tmp_path: Path) -> None:
    folders = trial_pack(TYPO)
    with pytest.raises(Refused, match=rf"{tmp_path}/trial/rules\.yml:9: .*prem"):
        target.apply([*target.packs, {"name": "trial"}], pack_dirs=folders)


def test_typo_is_refused_before_any_host_is_asked(trial_pack: WritePack, tmp_path: Path) -> None:
    folders = trial_pack(TYPO)
    arguments = f'{{"packs": [{{"name": "base"}}, {{"name": "trial"}}], "pack_dirs": ["{folders[0]}", "{folders[1]}"]}}'
    done = subprocess.run(
        ["ansible", "-i", "host.invalid,", "all", "-m", "auditpack.linux.audit_rules", "-a", arguments],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"{tmp_path}/trial/rules.yml:9:" in done.stdout
    assert "UNREACHABLE" not in done.stdout


@pytest.mark.usefixtures("unchanged")
def test_rule_that_the_kernel_refuses_brings_the_former_rules_back(target: Target, trial_pack: WritePack) -> None:
    # The kernel looks the folder of an `exe` up when the rule is loaded (audit_alloc_mark, kernel/audit_fsnotify.c).
    folders = trial_pack(RULE + '  syscalls: [mkdirat]\n  filters: ["exe=/no/such/folder/program"]\n')
    with pytest.raises(Refused) as refused:
        target.apply([*target.packs, {"name": "trial"}], pack_dirs=folders)
    assert refused.value.result["failed_rule"]["rule"] == "trial.rule"
    assert "No such file or directory" in refused.value.result["failed_rule"]["reason"]
    assert "former rules are loaded again" in str(refused.value)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('  syscalls: [mkdirat]\n  filters: ["auid=nobody-of-that-name"]\n', "nobody-of-that-name"),
        ("  dir: /no/such/folder\n  perm: wa\n", "/no/such/folder"),
    ],
    ids=["unknown-user", "missing-directory"],
)
def test_what_the_host_does_not_have_is_refused_by_name(
    target: Target, trial_pack: WritePack, rule: str, said: str
) -> None:
    folders = trial_pack(RULE + rule)
    with pytest.raises(Refused, match=r"trial\.rule") as refused:
        target.apply([*target.packs, {"name": "trial"}], pack_dirs=folders)
    assert said in str(refused.value)


@pytest.fixture
def stray_file(target: Target) -> str:
    """A rules file of somebody else, without a newline at its end, before the packs' own."""
    path = "/etc/audit/rules.d/05-stray.rules"
    target.shell(f"printf -- '-w /etc/fstab -p wa -k stray' > {path}")
    return path


def test_file_without_final_newline(target: Target, stray_file: str) -> None:
    before = target.shell("auditctl -l")
    try:
        with pytest.raises(Refused, match=r"05-stray\.rules"):
            target.apply()
        # Kept, it would fuse with the next file at boot, so that is refused too, and the reason says where.
        with pytest.raises(Refused, match="newline"):
            target.apply(foreign="keep")
        assert target.shell("auditctl -l") == before
        target.shell(f"echo >> {stray_file}")
        target.apply(foreign="keep")
        assert "-k stray" in target.shell("auditctl -l") or "key=stray" in target.shell("auditctl -l")
    finally:
        target.shell(f"rm {stray_file}")
        target.apply()
    assert target.shell("auditctl -l") == before


def test_never_task_of_the_distribution_is_found_and_taken_away(target: Target, role: Callable[..., str]) -> None:
    before = target.shell("auditctl -l")
    target.shell("echo '-a never,task' > /etc/audit/rules.d/10-no-audit.rules; augenrules --load")
    assert "never,task" in target.shell("auditctl -l")
    with pytest.raises(Refused, match=r"10-no-audit\.rules.*never,task"):
        target.apply()
    role("audit_daemon")
    role("audit_rules")
    assert target.shell("auditctl -l") == before
    assert target.shell("ls /etc/audit/rules.d").count("10-no-audit") == 0
