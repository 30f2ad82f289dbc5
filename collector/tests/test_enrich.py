# SPDX-License-Identifier: Apache-2.0
"""Processes, labels and what /proc tells, over both implementations; and both against each other."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any, Callable

import pytest
from collector_support import Run, corpus, parse

from auditpack_collector.enrich_options import ALL, EnrichOptions, LabelRule
from auditpack_collector.exehash import ExeHash
from auditpack_collector.implementation import Pipeline, make_pipeline
from auditpack_collector.labels import fits
from auditpack_collector.machine import Machine
from auditpack_collector.machine import machine as machine_of
from auditpack_collector.options import Options
from auditpack_collector.process import MAX_PROCESSES, ProcessTable
from auditpack_collector.rebuild import lines_of_ecs, lines_of_records

SECOND = 1795180152
BOOT = "b9e1c1de-0000-4000-8000-000000000001"


def event(serial: int, pid: int, ppid: int, exe: str, argv: list[str] | None = None, **more: Any) -> bytes:
    """A SYSCALL event; an execve when it has arguments. more: path, key, uid, auid, success, node, second."""
    node = f"node={more['node']} " if "node" in more else ""
    head = f"msg=audit({more.get('second', SECOND)}.000:{serial}):"
    key = f'"{more["key"]}"' if "key" in more else "(null)"
    call = 2 if argv is None else 59
    path = more.get("path")
    lines = [
        f"{node}type=SYSCALL {head} arch=c000003e syscall={call} success={more.get('success', 'yes')} exit=0 a0=1 a1=2 "
        f"a2=0 a3=4 items={int(path is not None)} ppid={ppid} pid={pid} auid={more.get('auid', 1000)} "
        f'uid={more.get("uid", 0)} gid=0 ses=1 comm="{exe.rsplit("/", 1)[-1][:15]}" exe="{exe}" key={key}'
    ]
    if argv is not None:
        listed = " ".join(f'a{place}="{each}"' for place, each in enumerate(argv))
        lines.append(f"{node}type=EXECVE {head} argc={len(argv)} {listed}")
    if path is not None:
        lines.append(f'{node}type=PATH {head} item=0 name="{path}" inode=7 mode=0100755 nametype=NORMAL')
    lines.append(f"{node}type=PROCTITLE {head} proctitle=6C73")
    return "".join(line + "\n" for line in lines).encode()


def syscalls(run: Run, data: bytes, enrich: Any = "all", **options: Any) -> list[dict[str, Any]]:
    return [each["SYSCALL"] for each in run(data, format="records", enrich=enrich, **options)]


def test_default_is_what_laurel_prints(run: Run) -> None:
    data = event(1, 10, 1, "/usr/bin/bash", ["bash"]) + event(2, 11, 10, "/usr/bin/ls", ["ls"])
    second = syscalls(run, data, "default")[1]
    assert second["PID"] == {"EVENT_ID": f"{SECOND}.000:2"}
    assert second["PPID"] == {"EVENT_ID": f"{SECOND}.000:1"}
    assert second["SPAWNED_BY"] == {
        "EVENT_ID": f"{SECOND}.000:1", "pid": 10, "comm": "bash", "exe": "/usr/bin/bash",
    }  # fmt: skip
    assert "ANCESTORS" not in second
    assert "DECODED" not in second


def test_later_events_belong_to_the_program(run: Run) -> None:
    data = event(1, 10, 1, "/bin/bash", ["bash"]) + event(2, 10, 1, "/bin/bash") + event(3, 10, 1, "/bin/ls", ["ls"])
    ids = [each["PID"]["EVENT_ID"].rsplit(":", 1)[1] for each in syscalls(run, data)]
    guids = {each["PID"]["GUID"] for each in syscalls(run, data)}
    assert ids == ["1", "1", "3"]
    assert guids == {f"10:{SECOND}.000:1"}


def test_a_pid_that_comes_again_is_another_process(run: Run) -> None:
    data = event(1, 10, 1, "/bin/a", ["a"]) + event(2, 20, 10, "/bin/b", ["b"])
    data += event(3, 10, 7, "/bin/c", ["c"]) + event(4, 20, 10, "/bin/b")
    found = syscalls(run, data)
    assert found[2]["PID"]["GUID"] != found[0]["PID"]["GUID"]
    assert found[3]["SPAWNED_BY"]["exe"] == "/bin/a"  # its parent is who it was, not who has the pid now


def test_an_orphan_stays_itself(run: Run) -> None:
    data = event(1, 10, 9, "/bin/a", ["a"]) + event(2, 10, 1, "/bin/a")
    found = syscalls(run, data)
    assert found[1]["PID"] == found[0]["PID"]


def test_ancestors_to_a_depth(run: Run) -> None:
    data = b"".join(event(n, n, n - 1, f"/bin/p{n}", [f"p{n}"]) for n in range(2, 12))
    last = syscalls(run, data, ALL._replace(ancestors=3))[-1]
    assert [each["exe"] for each in last["ANCESTORS"]] == ["/bin/p10", "/bin/p9", "/bin/p8"]
    found = run(data, enrich=ALL._replace(ancestors=3))[-1]
    assert [each["name"] for each in found["auditd"]["process"]["ancestors"]] == ["p10", "p9", "p8"]
    assert found["process"]["parent"]["executable"] == "/bin/p10"
    assert found["process"]["entity_id"] == f"11:{SECOND}.000:11"


SCRIPTS = [
    ("/bin/dash", ["/bin/sh", "/opt/x.sh", "-v"], "/opt/x.sh", "/opt/x.sh"),
    ("/bin/dash", ["/bin/sh", "-e", "./x.sh"], "./x.sh", "./x.sh"),
    ("/usr/bin/env", ["/usr/bin/env", "python3", "/opt/x.py"], "/opt/x.py", "/opt/x.py"),
    ("/usr/bin/cat", ["cat", "/usr/bin/cat"], "/usr/bin/cat", None),
    ("/usr/bin/mawk", ["awk", "{print}"], "/usr/bin/awk", None),
]


@pytest.mark.parametrize(("exe", "argv", "path", "script"), SCRIPTS)
def test_script_behind_its_interpreter(run: Run, exe: str, argv: list[str], path: str, script: str | None) -> None:
    assert syscalls(run, event(1, 10, 1, exe, argv, path=path))[0].get("SCRIPT") == script


def test_script_that_env_runs(run: Run) -> None:
    data = event(1, 10, 1, "/usr/bin/env", ["/usr/bin/env", "python3", "/opt/x.py"], path="/opt/x.py")
    data += event(2, 10, 1, "/usr/bin/python3.11", ["python3", "/opt/x.py"], path="/usr/bin/python3")
    assert syscalls(run, data)[1]["SCRIPT"] == "/opt/x.py"
    assert run(data, enrich="all")[1]["auditd"]["process"]["script"] == "/opt/x.py"


def labelled(*rules: LabelRule, **more: Any) -> EnrichOptions:
    return EnrichOptions(process=True, rules=rules, **more)


def labels(run: Run, data: bytes, options: EnrichOptions) -> list[list[str]]:
    return [each.get("LABELS", []) for each in syscalls(run, data, options)]


RULES: list[tuple[LabelRule, bool]] = [
    (LabelRule("x", exe=("/usr/*/ls",)), True),
    (LabelRule("x", exe=("/usr/bin/l",)), False),
    (LabelRule("x", exe=("/nothing", "*/l?")), True),
    (LabelRule("x", argv=("ls -l *",)), True),
    (LabelRule("x", argv=("*secret*",), exe=("*/ls",)), True),
    (LabelRule("x", argv=("*secret*",), exe=("*/cat",)), False),
    (LabelRule("x", key=("exec",)), True),
    (LabelRule("x", user=("0",)), True),
    (LabelRule("x", login=("1000",), user=("0",)), True),
    (LabelRule("x", login=("0",)), False),
    (LabelRule("x", script=("*",)), False),
    (LabelRule("x", unit=("*",)), False),
    (LabelRule("x"), True),
]


@pytest.mark.parametrize(("rule", "holds"), RULES)
def test_rules_of_labels(run: Run, rule: LabelRule, holds: bool) -> None:
    data = event(1, 10, 1, "/usr/bin/ls", ["ls", "-l", "/secret"], key="exec")
    assert labels(run, data, labelled(rule)) == [["x"] if holds else []]


def test_labels_are_inherited_and_taken(run: Run) -> None:
    rules = (LabelRule("web", exe=("*/nginx",)), LabelRule("own", exe=("*/nginx",)))
    rules += (LabelRule("web", remove=True, exe=("*/true",)),)
    data = event(1, 10, 1, "/sbin/nginx", ["nginx"]) + event(2, 11, 10, "/bin/sh", ["sh"])
    data += event(3, 12, 11, "/bin/id", ["id"]) + event(4, 12, 11, "/bin/true", ["true"])
    assert labels(run, data, labelled(*rules, inherit=("web",))) == [["web", "own"], ["web"], ["web"], []]


def test_keys_become_labels_up_to_a_limit(run: Run) -> None:
    options = EnrichOptions(process=True, keys=("one", "two", "three"), limit=2)
    data = event(1, 10, 1, "/bin/a", ["a"], key="one") + event(2, 10, 1, "/bin/a", key="two")
    data += event(3, 10, 1, "/bin/a", key="three")
    assert labels(run, data, options) == [["one"], ["one", "two"], ["one", "two"]]
    assert run(data, enrich=options)[1]["auditd"]["process"]["labels"] == ["one", "two"]


@pytest.mark.parametrize(
    ("pattern", "value", "fit"),
    [(b"", b"", True), (b"*", b"", True), (b"a*b*c", b"aXbYbZc", True), (b"a*b*c", b"acb", False), (b"?", b"", False),
     (b"*a*a*a*a*b", b"a" * 4000, False), (b"a?c", b"abc", True), (b"a\xff*", b"a\xff\x00", True)],
)  # fmt: skip
def test_globs(pattern: bytes, value: bytes, fit: bool) -> None:
    assert fits(pattern, value) is fit


def machine(root: Path, **processes: tuple[int, int, str, str]) -> EnrichOptions:
    """A /proc with p<pid>=(ppid, start in ticks, exe, cgroup); booted 100 seconds before SECOND."""
    proc = root / "proc"
    proc.mkdir()
    (proc / "stat").write_text(f"cpu 1 2 3\nbtime {SECOND - 100}\n")
    for name, (ppid, start, exe, cgroup) in processes.items():
        folder = proc / name[1:]
        folder.mkdir()
        comm = exe.rsplit("/", 1)[-1]
        (folder / "stat").write_text(f"{name[1:]} ({comm} ) x) S {ppid} " + "0 " * 17 + f"{start} 0 0\n")
        (folder / "exe").symlink_to(exe)
        (folder / "cgroup").write_text(cgroup)
        (folder / "environ").write_bytes(b"LD_PRELOAD=/tmp/x.so\0HOME=/\0LD_BIND\0")
    return EnrichOptions(
        process=True, parent=True, ancestors=5, guid=True, container=True, unit=True, proc=str(proc), root=str(root),
        boot=BOOT, environment=("LD_*",), hash=True,
    )  # fmt: skip


ID = "0123456789abcdef" * 4
POD = "1b2c3d4e-0000-4000-8000-00000000abcd"
CGROUPS = [
    ("0::/system.slice/ssh.service\n", {"systemd_service": ["ssh.service"], "systemd_unit": "ssh.service"}, {}),
    ("0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n",
     {"systemd_service": ["user@0.service"], "systemd_unit": "x.scope"}, {}),
    (f"0::/system.slice/docker-{ID}.scope\n",
     {"container": {"id": ID, "runtime": "docker"}, "systemd_unit": f"docker-{ID}.scope"},
     {"container": {"id": ID, "runtime": "docker"}}),
    (f"12:pids:/docker/{ID}\n1:name=systemd:/docker/{ID}\n", {"container": {"id": ID, "runtime": "docker"}},
     {"container": {"id": ID, "runtime": "docker"}}),
    (f"0::/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/cri-containerd-{ID}.scope\n",
     {"container": {"id": ID, "runtime": "containerd", "pod_uid": POD}, "systemd_unit": f"cri-containerd-{ID}.scope"},
     {"container": {"id": ID, "runtime": "containerd"},
      "orchestrator": {"type": "kubernetes", "resource": {"type": "pod", "id": POD}}}),
    (f"0::/machine.slice/libpod-{ID}.scope/container\n",
     {"container": {"id": ID, "runtime": "podman"}, "systemd_unit": f"libpod-{ID}.scope"},
     {"container": {"id": ID, "runtime": "podman"}}),
    ("0::/lxc.payload.web/init.scope\n", {"container": {"id": "web", "runtime": "lxc"}, "systemd_unit": "init.scope"},
     {"container": {"id": "web", "runtime": "lxc"}}),
]  # fmt: skip


@pytest.mark.parametrize(("cgroup", "place", "ecs"), CGROUPS)
def test_where_a_process_runs(
    run: Run, tmp_path: Path, cgroup: str, place: dict[str, Any], ecs: dict[str, Any]
) -> None:
    options = machine(tmp_path, p10=(1, 5000, "/bin/true", cgroup))
    found = syscalls(run, event(1, 10, 1, "/bin/true", ["true"]), options)[0]["PID"]
    assert {name: value for name, value in found.items() if name not in ("EVENT_ID", "GUID")} == place
    assert found["GUID"] == f"{BOOT}:10:5000"
    whole = run(event(1, 10, 1, "/bin/true", ["true"]), enrich=options)[0]
    assert {name: whole[name] for name in ("container", "orchestrator") if name in whole} == ecs


def test_parents_that_no_event_showed(run: Run, tmp_path: Path) -> None:
    root = "0::/init.scope\n"
    options = machine(tmp_path, p1=(0, 1, "/sbin/init", root), p5=(1, 250, "/usr/sbin/sshd", root))
    found = syscalls(run, event(1, 10, 5, "/bin/true"), options)[0]
    assert found["SPAWNED_BY"] == {
        "START_TIME": f"{SECOND - 98}.500", "GUID": f"{BOOT}:5:250", "pid": 5, "comm": "sshd ) x",
        "exe": "/usr/sbin/sshd",
    }  # fmt: skip
    assert [each["pid"] for each in found["ANCESTORS"]] == [5, 1]
    assert found["PID"]["systemd_unit"] == "init.scope"  # gone itself, so as its parent


def test_who_came_after_the_event_is_not_taken_for_its_process(run: Run, tmp_path: Path) -> None:
    options = machine(tmp_path, p10=(1, 20000, "/bin/other", "0::/system.slice/other.service\n"))
    found = syscalls(run, event(1, 10, 1, "/bin/true", ["true"]), options)[0]["PID"]
    assert found == {"EVENT_ID": f"{SECOND}.000:1", "GUID": f"10:{SECOND}.000:1"}


def test_another_node_is_not_asked_about_here(run: Run, tmp_path: Path) -> None:
    options = machine(tmp_path, p10=(1, 5000, "/bin/true", "0::/system.slice/a.service\n"))
    found = syscalls(run, event(1, 10, 1, "/bin/true", ["true"], node="far"), options, hostname="here")[0]
    assert "systemd_unit" not in found["PID"]
    assert "EXE_HASH" not in found
    own = syscalls(run, event(1, 10, 1, "/bin/true", ["true"], node="here"), options, hostname="here")[0]
    assert own["PID"]["systemd_unit"] == "a.service"


def test_environment_and_hash(run: Run, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    digest = hashlib.sha256(b"\x7fELF").hexdigest()
    options = machine(tmp_path, p10=(1, 5000, str(program), "0::/\n"))
    found = run(event(1, 10, 1, str(program), ["x"]), format="records", enrich=options)[0]
    assert found["EXECVE"]["ENV"] == {"LD_PRELOAD": "/tmp/x.so", "LD_BIND": None}
    assert found["SYSCALL"]["EXE_HASH"] == digest
    ecs = run(event(1, 10, 1, str(program), ["x"]), enrich=options)[0]["process"]
    assert ecs["env_vars"] == ["LD_PRELOAD=/tmp/x.so", "LD_BIND"]
    assert ecs["hash"] == {"sha256": digest}


def test_names_that_docker_wrote_down(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/docker/containers" / ID
    folder.mkdir(parents=True)
    (folder / "config.v2.json").write_text('{"Name": "/web", "Config": {"Image": "nginx:1", "Labels": null}}')
    options = machine(tmp_path, p10=(1, 5000, "/bin/true", f"0::/docker/{ID}\n"))
    found = run(event(1, 10, 1, "/bin/true"), enrich=options)[0]["container"]
    assert found == {"id": ID, "runtime": "docker", "name": "web", "image": {"name": "nginx:1"}}


def test_names_that_containerd_wrote_down(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run/containerd/io.containerd.runtime.v2.task/k8s.io" / ID
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        '{"annotations": {"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.sandbox-name": "app-1",'
        ' "io.kubernetes.cri.sandbox-namespace": "prod", "io.kubernetes.cri.image-name": "app:2"}}'
    )
    cgroup = f"0::/kubepods/besteffort/pod{POD}/{ID}\n"
    found = run(event(1, 10, 1, "/bin/true"), enrich=machine(tmp_path, p10=(1, 5000, "/bin/true", cgroup)))[0]
    assert found["container"]["name"] == "app"
    resource = {"type": "pod", "id": POD, "name": "app-1"}
    assert found["orchestrator"] == {"type": "kubernetes", "resource": resource, "namespace": "prod"}


def test_which_machine_it_is(run: Run, tmp_path: Path) -> None:
    for name, text in {
        "etc/machine-id": "0123456789abcdef\n", "proc/sys/kernel/random/boot_id": BOOT + "\n",
        "sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/board_asset_tag": "i-0123456789abcdef0\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    options = EnrichOptions(machine=machine_of(str(tmp_path)))
    data = event(1, 10, 1, "/bin/true") + event(2, 10, 1, "/bin/true", node="far")
    own, far = run(data, enrich=options, hostname="here")
    assert own["host"] == {"hostname": "here", "id": "0123456789abcdef", "boot": {"id": BOOT}}
    assert own["cloud"] == {"provider": "aws", "instance": {"id": "i-0123456789abcdef0"}}
    assert far["host"] == {"hostname": "far"}
    assert "cloud" not in far
    nameless = run(data, enrich=options)[0]["host"]
    assert nameless == {"id": "0123456789abcdef", "boot": {"id": BOOT}}
    own, far = run(data, format="records", enrich=options)
    assert own["HOST"] == {
        "id": "0123456789abcdef", "boot_id": BOOT, "cloud_provider": "aws",
        "cloud_instance_id": "i-0123456789abcdef0",
    }  # fmt: skip
    assert "HOST" not in far
    forged = f"type=HOST msg=audit({SECOND}.000:9): id=x\n".encode()
    assert run(forged, format="records", enrich=options)[0]["MALFORMED"]["reason"] == "no-header"


def test_hash_is_remembered_by_what_a_change_moves(tmp_path: Path) -> None:
    file = tmp_path / "exe"
    file.write_bytes(b"one")
    hashes = ExeHash(10, 4)
    assert hashes.digest(str(file)) == hashlib.sha256(b"one").hexdigest().encode()
    file.write_bytes(b"two")
    assert hashes.digest(str(file)) == hashlib.sha256(b"two").hexdigest().encode()
    file.write_bytes(b"more than ten bytes")
    assert hashes.digest(str(file)) == b""
    assert hashes.digest(str(tmp_path)) == b""
    assert hashes.digest(str(tmp_path / "none")) == b""


def test_the_table_is_bounded() -> None:
    table = ProcessTable()
    for pid in range(1, MAX_PROCESSES + 500):
        table.add(b"", pid, 0)
        table.find(b"", 1)
    assert len(table) == MAX_PROCESSES
    assert table.find(b"", 1) is not None
    assert table.find(b"", 2) is None


@pytest.mark.parametrize("format_", ["records", "ecs"])
def test_lines_of_enriched_events_become_the_same_again(run: Run, format_: str) -> None:
    data = corpus("debian13-raw.log")[:40000].rsplit(b"\n", 1)[0] + b"\n"
    rebuild = lines_of_records if format_ == "records" else lines_of_ecs
    lines = [line for each in run(data, format=format_, enrich="all") for line in rebuild(each)]
    plain = run(data, format=format_)
    again = run(b"\n".join(lines) + b"\n", format=format_)
    assert sorted(map(str, plain)) == sorted(map(str, again))


def history(chooser: random.Random, length: int) -> bytes:
    exes = ["/bin/sh", "/usr/bin/env", "/usr/bin/python3", "/bin/ls", "/bin/true"]
    out = []
    for serial in range(1, length):
        exe = chooser.choice(exes)
        argv = chooser.choice([None, [exe], [exe, "/opt/x", "/x"], ["env", "python3", "/opt/x"]])
        more: dict[str, Any] = {"key": chooser.choice(["one", "two"])} if chooser.random() < 0.4 else {}
        if chooser.random() < 0.5:
            more["path"] = chooser.choice(["/opt/x", exe])
        if chooser.random() < 0.2:
            more["node"] = chooser.choice(["a", "here"])
        if chooser.random() < 0.1:
            more["success"] = "no"
        out.append(event(serial, chooser.randint(1, 30), chooser.randint(0, 30), exe, argv, **more))
        if chooser.random() < 0.1:
            head = f"msg=audit({SECOND}.000:{serial + 100000}):"
            out.append(f"type=USER_CMD {head} pid={chooser.randint(1, 30)} uid=0 msg='cmd=6C73 res=success'\n".encode())
    return b"".join(out)


def output(implementation: str, data: bytes, **options: Any) -> bytes:
    made = make_pipeline(Options(clock="event", hostname="here", **options), implementation)
    return made.feed(data, 0.0) + made.flush(0.0, all=True)


@pytest.mark.parametrize("format_", ["records", "ecs"])
@pytest.mark.parametrize("seed", range(6))
def test_both_implementations_print_the_same(
    pipeline: Callable[..., Pipeline], tmp_path: Path, format_: str, seed: int
) -> None:
    pipeline(format=format_)  # skips where the extension may be missing
    chooser = random.Random(seed)  # noqa: S311 - no secret
    processes = {
        f"p{pid}": (chooser.randint(0, 30), chooser.choice([5, 5000, 20000]), "/bin/sh", chooser.choice(CGROUPS)[0])
        for pid in chooser.sample(range(1, 31), 20)
    }
    rules = tuple(rule._replace(name=f"l{place}") for place, (rule, _) in enumerate(RULES))
    options = machine(tmp_path, **processes)._replace(
        rules=rules,
        keys=("one",),
        inherit=("l1", "one"),
        decode=True,
        script=True,
        machine=Machine("m", BOOT),
        limit=chooser.choice([2, 16]),
    )
    data = history(chooser, 300)
    asked = {"format": format_, "enrich": options}
    assert output("native", data, **asked) == output("python", data, **asked)


@pytest.mark.parametrize("format_", ["records", "ecs"])
def test_corpus_is_the_same_in_both(pipeline: Callable[..., Pipeline], format_: str) -> None:
    data = corpus("debian13-enriched.log")
    made = pipeline(format=format_, enrich="all", clock="event")
    found = made.feed(data, 0.0) + made.flush(0.0, all=True)
    assert found == output("python", data, format=format_, enrich="all").replace(b'"host":{"hostname":"here"},', b"")
    assert len(parse(found)) > 900
