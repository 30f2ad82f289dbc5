# SPDX-License-Identifier: Apache-2.0
"""Every matcher holds where it must and fails where it must; verdicts follow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.events.judge import FAILED, MATCHERS, PROVEN, XFAIL, judge, met, nearest
from tests.unit.events.samples import outcome, touch, touch_records, with_records

SOCKADDR = {"type": "SOCKADDR", "saddr": "020004010A000202" + "0" * 16}

# matcher → (value that holds for the sample, value that does not)
HOLDS: dict[str, list[tuple[Any, Any]]] = {
    "key": [("identity", "scope"), (["scope", "identity"], ["scope"])],
    "type": [("PATH", "EXECVE"), (["SYSCALL", "CWD"], ["SYSCALL", "EXECVE"])],
    "syscall": [("openat", "open"), (["open", "openat"], ["open", "creat"])],
    "exe": [("/usr/bin/touch", "/usr/bin/tou"), ("re:^/usr/", "re:^/bin/")],
    "comm": [("touch", "cat")],
    "success": [(True, False)],
    "exit": [(3, -13), ([3, "-EACCES"], ["-EACCES", "-EPERM"])],
    "auid": [("alice", "bob"), (1000, 0), ("1000", "unset")],
    "uid": [("root", "alice"), (0, 1000)],
    "euid": [("root", "nobody")],
    "path": [("/etc/passwd", "/etc/shadow"), ("re:/passwd$", "re:/shadow$")],
    "nametype": [("NORMAL", "CREATE")],
    "ouid": [("root", "bob"), (0, 1001)],
    "a0": [(-100 & 0xFFFFFFFF, 0), ("0xffffff9c", "0x1")],
    "a1": [("0x7ffd", 1)],
    "a2": [(0x941, 0x940)],
    "a3": [("0x1b6", 438 + 1)],
    "saddr": [
        ({"family": "inet", "addr": "10.0.2.2", "port": 1025}, {"port": 1026}),
        ({"family": "ipv4"}, {"family": "inet6"}),
        ({"addr": "re:^10\\."}, {"path": "/x"}),
    ],
    "arch": [("b64", "b32")],
    "field": [({"cwd": "/root"}, {"cwd": "/"}), ({"ses": 4, "comm": "re:^t"}, {"ses": 5}), ({"pid": 867}, {"no": 1})],
}


def test_every_matcher_is_tested() -> None:
    assert set(HOLDS) == MATCHERS


@pytest.mark.parametrize(("name", "good", "bad"), [(name, *pair) for name, pairs in HOLDS.items() for pair in pairs])
def test_matcher(name: str, good: Any, bad: Any) -> None:
    happened = outcome(with_records(touch(), SOCKADDR))
    assert judge({"expect": [{name: good}]}, happened).verdict == PROVEN
    assert judge({"expect": [{name: bad}]}, happened).verdict == FAILED
    assert judge({"never": [{name: bad}]}, happened).verdict == PROVEN
    assert judge({"never": [{name: good}]}, happened).verdict == FAILED


def test_all_matchers_must_hold_in_one_event() -> None:
    one, other = touch(1, key=["scope"]), touch(2, exe="/usr/bin/cat")
    assert judge({"expect": [{"key": "scope", "exe": "/usr/bin/cat"}]}, outcome(one, other)).verdict == FAILED


def test_nametype_and_owner_are_those_of_the_path_asked_for() -> None:
    assert judge({"expect": [{"path": "/etc/passwd", "nametype": "PARENT"}]}, outcome(touch())).verdict == FAILED
    assert judge({"expect": [{"path": "/etc", "nametype": "PARENT"}]}, outcome(touch())).verdict == PROVEN


def test_type_is_syscall_unless_another_is_named() -> None:
    """The CONFIG_CHANGE record of the rule itself carries the key, and proves nothing."""
    added = {
        "event": {"id": "1.0:9"},
        "auditd": {"records": [{"type": "CONFIG_CHANGE", "op": "add_rule", "key": ["identity"]}]},
    }
    assert judge({"expect": [{"key": "identity"}]}, outcome(added)).verdict == FAILED
    assert judge({"expect": [{"key": "identity", "type": "CONFIG_CHANGE"}]}, outcome(added)).verdict == PROVEN


@pytest.mark.parametrize(("minimum", "verdict"), [(1, PROVEN), (2, PROVEN), (3, FAILED)])
def test_min(minimum: int, verdict: str) -> None:
    assert judge({"expect": [{"key": "identity", "min": minimum}]}, outcome(touch(1), touch(2))).verdict == verdict


@pytest.mark.parametrize(("maximum", "verdict"), [(1, FAILED), (2, PROVEN)])
def test_max(maximum: int, verdict: str) -> None:
    assert judge({"expect": [{"key": "identity", "max": maximum}]}, outcome(touch(1), touch(2))).verdict == verdict


def test_max_zero_with_min_zero_wants_silence() -> None:
    case = {"expect": [{"key": "identity", "min": 0, "max": 0}]}
    assert judge(case, outcome()).verdict == PROVEN
    assert judge(case, outcome(touch())).verdict == FAILED


def test_no_event_is_no_proof() -> None:
    found = judge({"expect": [{"key": "identity"}]}, outcome())
    assert found.verdict == FAILED
    assert "0 of 0 events match" in found.reason


def test_the_proving_event_is_the_first_that_matches() -> None:
    assert judge({"expect": [{"key": "identity"}]}, outcome(touch(7, key=[]), touch(8), touch(9))).event == touch(8)


def test_records_format_proves_as_well() -> None:
    case = {"expect": [{"key": "identity", "syscall": "openat", "auid": "alice", "path": "/etc/passwd", "a2": "0x941"}]}
    assert judge(case, outcome(touch_records())).verdict == PROVEN


def test_unset_and_unknown_users() -> None:
    daemon = touch(auid=4294967295, auid_name="unset")
    assert judge({"expect": [{"auid": "unset"}]}, outcome(daemon)).verdict == PROVEN
    assert judge({"expect": [{"auid": "nosuchuser"}]}, outcome(daemon)).verdict == FAILED


def test_names_in_the_event_do_not_stand_in_for_numbers() -> None:
    """A user name that the host resolves differently is not believed."""
    assert judge({"expect": [{"auid": "alice"}]}, outcome(touch(auid=1001, auid_name="alice"))).verdict == FAILED


def test_environment_is_put_into_matchers() -> None:
    event = touch(exe="/usr/bin/python3.11")
    event["auditd"]["records"][3]["name"] = "/srv/proof/work1/f"
    case = {"expect": [{"exe": "$PY", "path": "$WORK/f"}, {"path": "re:^$WORK/."}]}
    assert judge(case, outcome(event)).verdict == PROVEN


@pytest.mark.parametrize(
    ("case", "changes", "reason"),
    [
        ({}, {"rc": 1}, "trigger ended with 1, expected 0"),
        ({"rc": [1, 2]}, {"rc": 0}, "expected 1 or 2"),
        ({}, {"error": "prereq ended with 1: no"}, "prereq ended with 1"),
        ({"rc": "any"}, {"truncated": 7}, "7 events too many"),
        ({"xfail": {"reason": "gap"}}, {"rc": 127}, "trigger ended with 127"),
    ],
)
def test_a_broken_trigger_fails_whatever_the_events_say(
    case: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    found = judge({"expect": [{"key": "identity"}], **case}, outcome(touch(), **changes))
    assert found.verdict == FAILED
    assert reason in found.reason


@pytest.mark.parametrize(("rc", "allowed"), [(1, 1), (13, "any"), (2, [0, 2])])
def test_allowed_exit_status(rc: int, allowed: Any) -> None:
    assert judge({"rc": allowed, "expect": [{"key": "identity"}]}, outcome(touch(), rc=rc)).verdict == PROVEN


def test_known_gap_is_xfail_and_says_why() -> None:
    found = judge({"expect": [{"key": "mounts"}], "xfail": {"reason": "new mount API"}}, outcome(touch()))
    assert found.verdict == XFAIL
    assert found.reason.startswith("new mount API")


def test_xfail_that_passes_fails() -> None:
    found = judge({"expect": [{"key": "identity"}], "xfail": {"reason": "gap"}}, outcome(touch()))
    assert found.verdict == FAILED
    assert "passes although marked xfail" in found.reason


def test_known_false_positive_is_xfail() -> None:
    assert judge({"never": [{"key": "identity"}], "xfail": {"reason": "noise"}}, outcome(touch())).verdict == XFAIL


def test_negative_case_names_the_event_that_must_not_be() -> None:
    found = judge({"never": [{"key": "identity"}]}, outcome(touch(31)))
    assert found.verdict == FAILED
    assert "1795180126.804:31" in found.reason
    assert found.event == touch(31)


def test_state_case_reads_stdout() -> None:
    assert judge({"stdout": "^enabled 1$"}, outcome(stdout="flags\nenabled 1\n")).verdict == PROVEN
    assert judge({"stdout": "^enabled 2$"}, outcome(stdout="enabled 1\n")).verdict == FAILED


def test_waiting_ends_when_all_expectations_are_met() -> None:
    case = {"expect": [{"key": "identity"}, {"exe": "/usr/bin/cat"}]}
    assert not met(case, outcome(touch()))
    assert met(case, outcome(touch(), touch(exe="/usr/bin/cat")))
    assert not met({"never": [{"key": "x"}]}, outcome())


def test_nearest_event_and_what_differs() -> None:
    case = {"expect": [{"key": "identity", "exe": "/usr/bin/touch", "auid": "bob"}]}
    [(entry, near)] = nearest(case, outcome(touch(1, key=[], exe="/bin/x"), touch(2)))
    assert entry == case["expect"][0]
    assert near.view.id.endswith(":2")
    assert near.held == ("key", "exe", "type")
    assert near.missed == ("auid: wanted bob, got 1000 (alice)",)


def test_nearest_prefers_the_same_call() -> None:
    case = {"expect": [{"syscall": "fsetxattr", "path": "/x"}]}
    [(_, near)] = nearest(case, outcome(touch(1), touch(2, syscall="fsetxattr")))
    assert near.view.id.endswith(":2")


def test_errno_names_must_exist() -> None:
    with pytest.raises(ValueError, match="ENOSUCH"):
        judge({"expect": [{"exit": "-ENOSUCH"}]}, outcome(touch()))
