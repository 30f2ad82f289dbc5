# SPDX-License-Identifier: Apache-2.0
"""`auditpack diff` and `bump`: what a change means, and that spelling means nothing."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from auditpack.changes import changes, raised_enough
from auditpack.cli import main
from auditpack.schema import load_packs

OURS = Path(__file__).parents[3] / "rulepacks"
HEAD = "# SPDX-License-Identifier: Apache-2.0\n"
PACK = (
    HEAD
    + """name: small
version: 1.0.0
title: Small
description: For the tests.
licence: Apache-2.0
maintainers: [Auditpack maintainers]
maturity: sandbox
order: 30
supports: {distros: {debian: ["12", "13"]}, audit: ">=3.0"}
variables:
  user: {type: string, default: "", description: Whom not to tell of.}
  log: {type: path, default: /var/log/small.log, description: A log.}
"""
)
RULES = (
    HEAD
    + """- id: small.quiet
  title: Quiet
  why: Known.
  action: never
  syscalls: [all]
  filters: ["auid=$user"]
  when: "$user"
  maturity: sandbox
- id: small.ssh
  title: Keys of the daemon
  why: Doors.
  key: sshd
  dir: /etc/ssh
  perm: wa
  maturity: sandbox
- id: small.log
  title: A log
  why: Traces.
  key: log
  path: $log
  perm: wa
  missing: skip
  maturity: sandbox
- id: small.open
  title: Denied opens
  why: Curiosity.
  key: access
  syscalls: [openat, open, truncate]
  filters: ["auid>=1000", "auid!=unset"]
  exit: -EACCES
  maturity: sandbox
- id: small.delete
  title: Deletion
  why: Loss.
  key: delete
  syscalls: [unlinkat, renameat, {name: renameat2, audit: ">=4.0"}]
  filters: ["auid>=1000", "auid!=unset"]
  maturity: sandbox
- id: small.wide
  title: All of root's deletion
  why: Loss.
  key: gone
  syscalls: [unlinkat]
  maturity: sandbox
"""
)
ADDED = "- id: small.new\n  title: New\n  why: It.\n  key: new\n  path: /etc/new\n  perm: wa\n  maturity: sandbox\n"
NEVER = "- id: small.mute\n  title: Mute\n  why: It.\n  action: never\n  syscalls: [openat]\n  maturity: sandbox\n"


def pack(folder: Path, rules: str = RULES, about: str = PACK) -> Path:
    place = folder / "small"
    place.mkdir(parents=True)
    (place / "pack.yml").write_text(about)
    (place / "rules.yml").write_text(rules)
    (place / "cases.yml").write_text(HEAD + "[]\n")
    return place


def bumped(old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["bump", "--from", str(old), str(new)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "level", "kind"),
    [
        ("[openat, open, truncate]", "[truncate, open, openat]", "none", ""),
        ('["auid>=1000", "auid!=unset"]\n  exit', '["auid!=4294967295", "auid >= 1000"]\n  exit', "none", ""),
        ("  exit: -EACCES\n", '  exit: "-13"\n', "none", ""),
        ("perm: wa\n  maturity", "perm: aw\n  maturity", "none", ""),
        ("[openat, open, truncate]", "[openat, open, truncate, creat]", "patch", "widened: syscalls +creat"),
        ("[openat, open, truncate]", "[openat, truncate]", "major", "narrowed: syscalls -open"),
        ("auid>=1000", "auid>=500", "patch", "widened"),
        ("auid>=1000", "auid>=2000", "major", "narrowed"),
        ("auid>=1000", "uid>=1000", "major", "narrowed"),
        ("  exit: -EACCES\n", "", "patch", "widened"),
        ("dir: /etc/ssh", "dir: /etc", "patch", "widened"),
        ("dir: /etc/ssh", "path: /etc/ssh/sshd_config", "major", "narrowed"),
        ("dir: /etc/ssh", "dir: /usr/etc/ssh", "patch", "path mended"),
        ("dir: /etc/ssh\n  perm: wa", "dir: /usr/etc/ssh\n  perm: w", "major", "narrowed"),
        ('{name: renameat2, audit: ">=4.0"}', "renameat2", "patch", "widened"),
        ('{name: renameat2, audit: ">=4.0"}', '{name: renameat2, audit: ">=4.1"}', "major", "narrowed"),
        ("key: access", "key: denied", "major", "key changed: key access → denied"),
        ("id: small.open", "id: small.opens", "major", "removed"),
        ("missing: skip", "missing: watch", "patch", "widened"),
        ("missing: skip", "missing: fail", "major", "narrowed"),
        ("why: Doors.", "why: Doors to it.", "patch", "documentation: why"),
        ("key: sshd", "key: sshd\n  abis: [b64]", "major", "narrowed"),
        ("key: sshd", 'key: sshd\n  kernel: ">=6.6"', "major", "narrowed"),
        ('  when: "$user"\n', "", "major", "is now there by default"),
    ],
)
def test_rules(  # noqa: PLR0917
    before: str, after: str, level: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert before in RULES
    out = bumped(pack(tmp_path / "a"), pack(tmp_path / "b", RULES.replace(before, after)), capsys)
    assert out.split()[0] == level, out
    assert kind in out
    assert bool(kind) == (out != "none\n")


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ("version: 1.0.0", "version: 1.5.0", "none"),
        ('audit: ">=3.0"', 'audit: ">=4.0"', "major"),
        ('audit: ">=3.0"', 'audit: ">=2.8"', "minor"),
        ('["12", "13"]', '["12", "13", "14"]', "minor"),
        ('["12", "13"]', '["13"]', "major"),
        ("title: Small", "title: Smaller", "patch"),
        ("order: 30", "order: 20", "major"),
        ("  log: {", "  more: {type: int, default: 1, description: More.}\n  log: {", "minor"),
        ("/var/log/small.log", "/var/log/other.log", "patch"),
        ("supports:", "requires: [{name: base}]\nsupports:", "major"),
    ],
)
def test_packs(before: str, after: str, level: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = pack(tmp_path / "b", about=PACK.replace(before, after))
    assert bumped(pack(tmp_path / "a"), new, capsys).split()[0] == level


def test_added_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = pack(tmp_path / "a")
    assert bumped(old, pack(tmp_path / "b", RULES + ADDED), capsys).startswith("minor\nminor: small.new: added")
    silenced = bumped(old, pack(tmp_path / "c", RULES + NEVER), capsys)
    assert silenced.startswith("major\nmajor: small.mute: added")
    assert "those of `small.ssh` among them" in silenced


def test_order_counts_only_where_rules_meet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = RULES.removeprefix(HEAD).split("- id: ")[1:]
    harmless = HEAD + "".join(f"- id: {part}" for part in (parts[0], parts[2], parts[1], *parts[3:]))
    harmful = HEAD + "".join(f"- id: {part}" for part in (*parts[:4], parts[5], parts[4]))
    old = pack(tmp_path / "a")
    assert bumped(old, pack(tmp_path / "b", harmless), capsys) == "none\n"
    out = bumped(old, pack(tmp_path / "c", harmful), capsys)
    assert out.startswith("major\n")
    assert "`small.delete` loses events to `small.wide`" in out


def test_our_packs_equal_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in sorted(entry.parent for entry in OURS.glob("*/pack.yml")):
        assert bumped(folder, folder, capsys) == "none\n"


def test_less_than_the_least_bump_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = pack(tmp_path / "a")
    for version, status in (("1.0.1", 1), ("1.1.0", 0), ("2.0.0", 0)):
        new = pack(tmp_path / version, RULES + ADDED, PACK.replace("1.0.0", version))
        assert main(["bump", "--check", "--from", str(old), str(new)]) == status
    assert "raise `version`" in capsys.readouterr().err
    assert raised_enough("1.9.0", "2.0.0", "major")
    assert not raised_enough("1.0.0", "1.0.0", "patch")
    assert not raised_enough("1.1.0", "1.0.9", "none")


def test_archives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = pack(tmp_path / "a")
    archive = tmp_path / "small-1.0.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(old, "small")
    assert bumped(archive, pack(tmp_path / "b", RULES + ADDED), capsys).startswith("minor\n")
    for name in ("../evil/pack.yml", "/small/pack.yml", "small/evil.sh"):
        bad = tmp_path / "bad.tar.gz"
        with tarfile.open(bad, "w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
        assert main(["bump", "--from", str(bad), str(old)]) == 1
        assert "bad.tar.gz: error: `" in capsys.readouterr().err
    archive.write_bytes(archive.read_bytes()[:200])
    assert main(["diff", str(archive), str(old)]) == 1
    assert "no whole .tar.gz archive" in capsys.readouterr().err


def test_diff_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = RULES.replace("key: access", "key: denied").replace("[openat, open, truncate]", "[openat, open]") + ADDED
    arguments = ["diff", str(pack(tmp_path / "a")), str(pack(tmp_path / "b", new))]
    assert main([*arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"added", "removed", "widened", "narrowed", "moved", "key_changed", "other"}
    assert [entry["rule"] for entry in found["added"]] == ["small.new"]
    assert [entry["rule"] for entry in found["narrowed"]] == ["small.open"]
    assert [entry["rule"] for entry in found["key_changed"]] == ["small.open"]
    assert main([*arguments, "--format", "markdown"]) == 0
    assert "### Narrowed\n\n- `small.open`: syscalls -truncate" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "narrowed     small.open: syscalls -truncate" in capsys.readouterr().out


def test_auditctl_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.rules", tmp_path / "new.rules"
    old.write_text(
        "-D\n-w /etc/passwd -p wa -k identity\n-w /etc/group -p wa -k identity\n-w /etc/hosts -p w -k hosts\n"
        "-a always,exit -F arch=b64 -S openat,open -F exit=-EACCES -k access\n-w /etc/gone -p wa -k gone\n"
    )
    new.write_text(
        "-w /etc/group -p wa -k identity\n-w /etc/passwd -p wa -k accounts\n-w /etc/hosts -p wa -k hosts\n"
        "-a exit,always -F arch=x86_64 -S open -S openat -F exit=-13 -F key=access\n-w /etc/come -p wa -k come\n"
    )
    assert main(["diff", str(old), str(new), "--format", "json"]) == 0
    found = {kind: [entry["rule"] for entry in some] for kind, some in json.loads(capsys.readouterr().out).items()}
    assert {kind: len(some) for kind, some in found.items()} == {
        "added": 1, "removed": 1, "widened": 1, "narrowed": 0, "moved": 1, "key_changed": 1, "other": 0,
    }  # fmt: skip
    assert "/etc/hosts" in found["widened"][0]
    assert main(["diff", str(old), str(OURS / "cis")]) == 1
    assert "one is a pack, the other is not" in capsys.readouterr().err
    new.write_text("-w /a -p wa\n-a nonsense\n")
    assert main(["diff", str(old), str(new)]) == 1
    assert "new.rules:2: error: `-a nonsense` is malformed" in capsys.readouterr().err
    shutil.rmtree(tmp_path)


def test_another_spelling_is_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for style in ("modern", "cis"):
        words = ["render", "--dir", str(OURS), "--packs", "base,sudoers,power-abuse,socket,cis", "--distro", "debian12"]
        assert main([*words, "--style", style]) == 0
        texts.append(tmp_path / f"{style}.rules")
        # Style cis writes /var/run as the benchmark does; that it leads to /run only the host can tell.
        texts[-1].write_text(capsys.readouterr().out.replace("/var/run/", "/run/"))
    for old, new in (texts, texts[::-1]):
        assert main(["diff", str(old), str(new)]) == 0
        assert capsys.readouterr().out == "no change\n"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("-w /etc/hosts -p wa -k a", "-w /etc/hosts -p w -k a", "narrowed"),
        ("-w /etc/hosts -p wa -k a", "-a always,exit -F arch=b64 -F path=/etc/hosts -F perm=wa -k a", "narrowed"),
        ("-a always,exit -F arch=b64 -F path=/etc/hosts -F perm=wa -k a", "-w /etc/hosts -p wa -k a", "widened"),
        ("-w /etc/hosts -p wa -k a", "-w /etc/issue -p wa -k a", "added removed"),
        ("-w /etc/hosts -p wa -k a", "-w /etc/hosts -p w -k b", "added removed"),
    ],
)
def test_text_kinds(old: str, new: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("old", old), ("new", new)):
        (tmp_path / name).write_text(f"{text}\n")
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert " ".join(sorted(name for name, some in found.items() if some)) == kind


def test_what_a_benchmark_says_otherwise_counts_too() -> None:
    (pack_old,) = load_packs([OURS / "cis"])
    rule = next(rule for rule in pack_old.rules if rule.syscalls and len(rule.syscalls) > 1)
    variant = replace(rule, variants={})
    old = replace(
        pack_old,
        rules=tuple(replace(one, variants={"rhel9": variant}) if one is rule else one for one in pack_old.rules),
    )
    less = replace(variant, syscalls=variant.syscalls[1:], key="other")
    new = replace(
        old, rules=tuple(replace(one, variants={"rhel9": less}) if one.id == rule.id else one for one in old.rules)
    )
    found = {(one.kind, one.bump) for one in changes(old, new) if one.reason.startswith("under rhel9: ")}
    assert found == {("narrowed", "major"), ("key_changed", "major")}
