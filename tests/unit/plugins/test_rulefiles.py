# SPDX-License-Identifier: Apache-2.0
"""rules.d as augenrules sees it."""

from __future__ import annotations

import pytest

from plugins.module_utils import rulefiles
from plugins.module_utils.host import HostError
from plugins.module_utils.rules_plan import sort_foreign

STOCK = "## First rule - delete all\n-D\n\n-b 8192\n--backlog_wait_time 60000\n-f 1\n"
RULE = "-w /etc/hosts -p wa -k hosts\n"
OURS = "30-auditpack-cis.rules"


def test_merge_hoists_controls_and_sinks_enabled() -> None:
    merged = rulefiles.merge(["-D\n-b 100\n-e 2\n", "# comment\n-b 200\n-f 1\n--backlog_wait_time 5\n", RULE])
    assert merged.splitlines() == [
        rulefiles.HEADER, "-D", "-b 200", "-f 1", "--backlog_wait_time 5", RULE.strip(), "-e 2",
    ]  # fmt: skip


def test_merge_fuses_a_file_without_final_newline_as_augenrules_does() -> None:
    assert "-w /a -p w-w /b -p w" in rulefiles.merge(["-w /a -p w", "-w /b -p w\n"])


def test_merge_leaves_empty_lines_for_absent_controls() -> None:
    assert rulefiles.merge([RULE]) == f"{rulefiles.HEADER}\n\n\n\n{RULE}\n"


def test_a_delete_with_a_key_stays_in_place() -> None:
    assert rulefiles.merge([RULE + "-D -k hosts\n"]).splitlines()[4:6] == [RULE.strip(), "-D -k hosts"]


@pytest.mark.parametrize("line", ["-a never,task", "-a task,never", "  -a never,task  "])
def test_never_task_is_found_and_cut(line: str) -> None:
    text = f"-D\n{line}\n-b 8192\n"
    assert rulefiles.has_never_task(text)
    assert rulefiles.without_never_task(text) == "-D\n-b 8192\n"


@pytest.mark.parametrize("line", ["# -a never,task", "-a never,task -F uid=1", "-a never,exit"])
def test_other_rules_are_not_never_task(line: str) -> None:
    assert not rulefiles.has_never_task(line + "\n")


def test_stock_files_hold_controls_alone() -> None:
    assert rulefiles.is_stock(STOCK)
    assert not rulefiles.is_stock(STOCK + RULE)
    assert not rulefiles.is_stock("-e 2\n")


def test_file_names_sort_by_order_and_are_known_again() -> None:
    names = [rulefiles.file_name(0, "base"), rulefiles.file_name(30, "cis"), rulefiles.file_name(99, "end")]
    assert sorted(names) == names
    assert all(map(rulefiles.is_ours, names))
    assert not rulefiles.is_ours("30-stig.rules")


def test_order_is_that_of_ls() -> None:
    assert rulefiles.in_order(["100-z.rules", "20-b.rules", "20-a.rules"]) == [
        "20-a.rules",
        "20-b.rules",
        "100-z.rules",
    ]


def test_ours_and_stock_give_way() -> None:
    keep, gone, _ = sort_foreign({"audit.rules": STOCK, OURS: RULE, "empty.rules": "# nothing\n"}, "refuse")
    assert (keep, sorted(gone)) == (["empty.rules"], [OURS, "audit.rules"])


def test_strangers_are_refused_kept_or_removed() -> None:
    now = {"site.rules": RULE}
    with pytest.raises(HostError, match=r"site\.rules.*audit_rules_foreign"):
        sort_foreign(now, "refuse")
    assert sort_foreign(now, "keep") == (["site.rules"], [], [])
    keep, gone, warnings = sort_foreign(now, "remove")
    assert (keep, gone) == ([], ["site.rules"])
    assert "site.rules" in warnings[0]


@pytest.mark.parametrize("policy", ["refuse", "keep"])
def test_a_stranger_without_final_newline_is_refused(policy: str) -> None:
    with pytest.raises(HostError, match=r"site\.rules has no final newline"):
        sort_foreign({"site.rules": RULE.strip()}, policy)


@pytest.mark.parametrize("policy", ["refuse", "keep"])
def test_never_task_is_refused(policy: str) -> None:
    with pytest.raises(HostError, match="audit_daemon"):
        sort_foreign({"10-no-audit.rules": "-a never,task\n"}, policy)
