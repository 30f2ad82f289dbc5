# SPDX-License-Identifier: Apache-2.0
"""Events go to the firing between whose markers their serial lies; triggers run and end as they should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.events import agent, condition, connection, driver, raw
from tests.unit.events.samples import touch

RUN = "0f0f0f0f"


def marker(number: int, text: str, **changes: Any) -> dict[str, Any]:
    record = {"type": "USER", "auid": 0, "uid": 0, "msg": {"text": f"auditpack-proof {RUN} {text}", "res": "success"}}
    return {"event": {"id": f"1.000:{number}"}, "auditd": {"records": [{**record, **changes}]}}


def put(path: Path, *events: dict[str, Any]) -> None:
    with path.open("a") as stream:
        stream.writelines(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.touch()
    return path


def numbers(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"]["id"].rpartition(":")[2] for event in events]


def test_events_belong_to_a_case_by_serial(log: Path) -> None:
    stream = driver.Stream(log, RUN, None)
    put(log, touch(9), marker(10, "cis.a begin"), touch(12), marker(14, "cis.a end"), touch(13), touch(15))
    stream.pump()
    assert numbers(stream.close("cis.a")) == ["12", "13"]
    assert stream.seen == 6


def test_events_after_begin_while_the_trigger_is_still_awaited(log: Path) -> None:
    stream = driver.Stream(log, RUN, None)
    put(log, touch(9), touch(12))
    stream.pump()
    assert stream.within("cis.a") == []
    put(log, marker(10, "cis.a begin"))
    stream.pump()
    assert numbers(stream.within("cis.a")) == ["12"]


def test_an_event_that_comes_late_goes_to_its_case(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream = driver.Stream(log, RUN, None)
    put(log, marker(10, "cis.a begin"), marker(14, "cis.a end"), marker(16, "cis.b begin"))
    stream.pump()
    assert stream.close("cis.a") == []
    put(log, touch(12), touch(15), touch(17))
    stream.pump()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["kind"], line["ref"], line["event"]["event"]["id"][-2:]) for line in said] == [
        ("late", "cis.a", "12")
    ]
    assert numbers(stream.within("cis.b")) == ["17"]


def test_markers_of_another_run_are_events_like_any_other(log: Path) -> None:
    stream = driver.Stream(log, "1e1e1e1e", None)
    put(log, marker(10, "cis.a begin"))
    stream.pump()
    assert stream.marks == {}


@pytest.mark.parametrize(
    "message", [f'text=auditpack-proof {RUN} cis.a begin exe="/x"', f"text='auditpack-proof {RUN} cis.a begin'"]
)
def test_markers_are_found_however_the_message_is_kept(log: Path, message: str) -> None:
    stream = driver.Stream(log, RUN, None)
    put(log, marker(10, "", msg=message))
    stream.pump()
    assert stream.marks == {"cis.a begin": 10}


def test_events_of_the_collector_itself_are_feedback(log: Path) -> None:
    stream = driver.Stream(log, RUN, quiet_uid=990)
    put(log, touch(5), touch(6, uid=990))
    stream.pump()
    assert numbers(stream.feedback) == ["6"]


def test_what_the_collector_says_of_itself_is_kept_apart(log: Path) -> None:
    stream = driver.Stream(log, RUN, None)
    loss = {"event": {"kind": "metric", "action": "lost-events"}, "auditd": {"loss": {"new": {"serial_gaps": 1}}}}
    put(log, touch(5), loss, {"MALFORMED": {"reason": "empty", "raw": ""}})
    stream.pump()
    assert (stream.seen, len(stream.notices)) == (1, 2)


def test_status_counts_only_when_written_again(tmp_path: Path) -> None:
    status = tmp_path / "status.json"
    assert not condition.renewed(status)
    status.write_text('{"interval": 0.1, "updated": 1}')
    timer = threading.Timer(0.2, status.write_text, ['{"interval": 0.1, "updated": 2}'])
    timer.start()
    assert condition.renewed(status)
    timer.join()


def test_shell_reports_status_output_and_session(tmp_path: Path) -> None:
    shell = agent.Shell()
    first = shell.run("pwd; echo $EACH >&2; exit 3", {"EACH": "x"}, str(tmp_path), 20)
    assert (first["rc"], first["stdout"], first["stderr"]) == (3, f"{tmp_path}\n", "x\n")
    assert shell.run("true", {}, "/", 20)["stdout"] == ""


def test_shell_does_not_wait_for_what_runs_on(tmp_path: Path) -> None:
    answer = agent.Shell().run("sleep 60 & echo $!", {}, str(tmp_path), 20)
    assert answer["rc"] == 0
    driver._end_group(answer["group"])
    assert condition.until(lambda: _gone(int(answer["stdout"])), 10)


def test_shell_gives_up_after_the_timeout(tmp_path: Path) -> None:
    answer = agent.Shell().run("sleep 60", {}, str(tmp_path), 0.2)
    assert answer["rc"] is None
    driver._end_group(answer["group"])
    assert condition.until(lambda: _gone(answer["group"]), 10)


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_only_the_end_of_long_output_is_kept(tmp_path: Path) -> None:
    answer = agent.Shell().run("seq 1 5000", {}, str(tmp_path), 20)
    assert len(answer["stdout"]) == agent.TAIL
    assert answer["stdout"].endswith("5000\n")


def test_raw_calls_print_what_the_kernel_returned(tmp_path: Path) -> None:
    (tmp_path / "syscalls.json").write_text(json.dumps({"b64": {"getpid": 39, "access": 21}}))
    script = tmp_path / "raw.py"
    script.write_text(Path(raw.__file__).read_text())
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers above are those of x86_64")
    answers = [
        subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=False)
        for words in (["access", "/", "0"], ["access", str(tmp_path / "none"), "0"], ["nosuchcall"], [])
    ]
    assert [(answer.returncode, answer.stdout.strip()) for answer in answers] == [(0, "0"), (0, "-2"), (2, ""), (2, "")]


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("-100", -100), ("0x1ff", 511), ("0644", 420), ("NULL", 0), ("/etc", None)]
)
def test_raw_arguments(text: str, value: int | None) -> None:
    assert raw._integer(text) == value


def test_all_that_the_driver_imports_is_shipped() -> None:
    """The package on the host has these files only; a module that is missing would show there first."""
    here = Path(driver.__file__).parent
    for name in connection.SHIPPED:
        for line in (here / name).read_text().splitlines():
            if line.startswith("from ."):
                module = line.split()[1].lstrip(".")
                names = [module] if module else [word.strip() for word in line.partition("import")[2].split(",")]
                assert {f"{name}.py" for name in names} <= set(connection.SHIPPED), line
