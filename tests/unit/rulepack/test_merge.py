# SPDX-License-Identifier: Apache-2.0
"""Rules of several packs that ask for the same share a line with all their keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from auditpack.compose import compose
from auditpack.dead import find_dead
from auditpack.errors import PackErrors
from auditpack.limits import too_much
from auditpack.line import Line, format_line, parse_line
from auditpack.merge import merge
from auditpack.model import HostFacts, Place
from auditpack.normalise import compare_text
from auditpack.render import Rendered, render
from auditpack.schema import load_packs
from auditpack.shadow import Placed

X = "-a always,exit -F arch=b64"
USERS = "-F auid>=1000 -F auid!=unset"
PACK = """# SPDX-License-Identifier: Apache-2.0
name: {name}
version: 1.0.0
title: T
description: D
licence: Apache-2.0
maintainers: [Auditpack maintainers]
maturity: sandbox
order: {order}
"""


def placed(*texts: str) -> list[Placed]:
    found = []
    for number, text in enumerate(texts):
        line = parse_line(text)
        assert isinstance(line, Line)
        found.append(Placed(line, f"p{number}.r", f"p{number}", Place(f"p{number}/rules.yml", number + 1)))
    return found


def told(found: list[Placed]) -> list[tuple[str, tuple[str, ...]]]:
    return [(format_line(one.line), one.also) for one in found]


def test_the_same_match_gets_all_keys_at_the_first_place() -> None:
    lines = placed(
        f"{X} -F path=/etc/passwd -F perm=wa -k identity",
        f"{X} -S mount -k mounts",
        f"{X} -F perm=aw -F path=/etc//passwd -k T1098",
        f"{X} -F path=/etc/passwd -F perm=wa -k identity",
    )
    merged = merge(lines)
    assert told(merged) == [
        (f"{X} -F path=/etc/passwd -F perm=wa -F key=identity -F key=T1098", ("p2.r", "p3.r")),
        (f"{X} -S mount -F key=mounts", ()),
    ]
    assert find_dead(merged) == []


def test_calls_that_two_rules_share_carry_both_keys() -> None:
    lines = placed(
        f"{X} -S chmod,fchmod {USERS} -k perm_mod",
        f"{X} -S fchmod,fchmodat2 -F auid!=-1 -F auid>=1000 -k attributes",
    )
    merged = merge(lines)
    assert told(merged) == [
        (f"{X} -S fchmod {USERS} -F key=perm_mod -F key=attributes", ("p1.r",)),
        (f"{X} -S chmod {USERS} -F key=perm_mod", ()),
        (f"{X} -S fchmodat2 -F auid!=unset -F auid>=1000 -F key=attributes", ()),
    ]
    assert find_dead(merged) == []
    assert [problem.level for problem in find_dead(lines)] == ["warning"]


def test_three_rules_share_and_keep_their_own() -> None:
    merged = merge(placed(f"{X} -S a,b -k one", f"{X} -S b,c -k two", f"{X} -S a,b,c,d -k three"))
    keys = {name: one.line.keys for one in merged for name in one.line.syscalls}
    assert keys == {"a": ("one", "three"), "b": ("one", "two", "three"), "c": ("two", "three"), "d": ("three",)}
    assert sum(len(one.line.syscalls) for one in merged) == 4


def test_one_pack_must_not_give_two_keys_to_a_match() -> None:
    for texts in ((f"{X} -S mount -k a", f"{X} -S mount -k b"), (f"{X} -S a,b -k one", f"{X} -S b -k two")):
        lines = [
            replace(one, pack="p", rule=f"p.{number}", owners=frozenset()) for number, one in enumerate(placed(*texts))
        ]
        merged = merge(lines)
        assert len(merged) == 2
        assert "p0/rules.yml:1" in str(find_dead(merged)[0])
        assert "can never win" in str(find_dead(merged)[0])


def test_a_pack_joins_a_line_in_which_it_has_its_own_key_already() -> None:
    lines = placed(f"{X} -S a,b -k delete", f"{X} -S a -k delete", f"{X} -S b -k delete", f"{X} -S b -k mass")
    packs = ("cis", "stig", "stig", "noise")
    owned = [replace(one, pack=pack, owners=frozenset({(pack, one.line.keys[0])})) for one, pack in zip(lines, packs)]
    merged = merge(owned)
    keys = {name: one.line.keys for one in merged for name in one.line.syscalls}
    assert keys == {"a": ("delete",), "b": ("delete", "mass")}


def test_lines_of_one_key_are_united_where_none_between_loses() -> None:
    lines = placed(
        f"{X} -S chmod {USERS} -k perm_mod",
        f"{X} -S mount -k mounts",
        f"{X} -S chown {USERS} -k perm_mod",
        f"{X} -S setxattr -F auid=0 -k attributes",
        f"{X} -S setxattr {USERS} -k perm_mod",
        f"{X} -S rename -F uid=0 -k rename",
        f"{X} -S rename {USERS} -k perm_mod",
    )
    assert told(merge(lines, unite=True)) == [
        (f"{X} -S chmod,chown,setxattr {USERS} -F key=perm_mod", ("p2.r", "p4.r")),
        (f"{X} -S mount -F key=mounts", ()),
        (f"{X} -S setxattr -F auid=0 -F key=attributes", ()),
        (f"{X} -S rename -F uid=0 -F key=rename", ()),
        (f"{X} -S rename {USERS} -F key=perm_mod", ()),
    ]
    assert len(merge(lines)) == len(lines)


def test_never_is_not_merged_with_always() -> None:
    lines = placed("-a never,exit -F arch=b64 -S mount", f"{X} -S mount -k a")
    merged = merge(lines)
    assert len(merged) == 2
    assert "can never win" in str(find_dead(merged)[0])


def test_keys_that_are_too_long_together_are_refused() -> None:
    places = {"p1.r": Place("p1/rules.yml", 2)}
    ok = merge(placed(f"{X} -S mount -k {'a' * 200}", f"{X} -S mount -k {'b' * 55}"))
    assert too_much(ok, places) == []
    lines = placed(f"{X} -S mount -k {'a' * 200}", f"{X} -S mount -k {'b' * 56}")
    (problem,) = too_much(merge(lines), places)
    assert str(problem).startswith(
        "p0/rules.yml:1: rule `p0.r` says the same as `p1.r` (p1/rules.yml:2), and their keys"
    )
    assert "together are 257 bytes; the kernel takes 256 — shorten a key" in str(problem)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{X} -S mount {' '.join(f'-F a1!={number}' for number in range(63))} -k a",
            "has 65 fields; the kernel takes 64",
        ),
        (f"{X} -F path=/{'a' * 4096} -F perm=w -k a", "of 4097 bytes; the kernel takes 4096"),
        (f"{X} -F path=/a -F dir=/ -F perm=w -k a", "watches /a and /; the kernel takes one"),
        (f"{X} -S mount -F exe=/{'a' * 4000} -F subj_type={'b' * 4000} -k a", "8002 bytes of texts"),
    ],
)
def test_more_than_the_kernel_takes(text: str, message: str) -> None:
    (problem,) = too_much(placed(text), {})
    assert message in str(problem)
    assert str(problem).startswith("p0/rules.yml:1: rule `p0.r`")


def test_listings_of_several_keys_compare_equal() -> None:
    wanted = f"{X} -S mount -F key=a -F key=b\n-w /etc/hosts -p wa -k c -k d\n"
    for listing in (
        f"{X} -S mount -F key=a -F key=b\n-w /etc/hosts -p wa -k c -k d\n",
        f"{X} -S mount -F key=b\x01a\n-a always,exit -S all -F path=/etc/hosts -F perm=wa -F key=d -F key=c\n",
    ):
        assert not compare_text(wanted, listing), str(compare_text(wanted, listing))
    assert compare_text(wanted, f"{X} -S mount -F key=a\n-w /etc/hosts -p wa -k c -k d\n")


def write(folder: Path, name: str, order: int, rules: str) -> Path:
    (folder / name).mkdir()
    (folder / name / "pack.yml").write_text(PACK.format(name=name, order=order))
    (folder / name / "rules.yml").write_text(f"# SPDX-License-Identifier: Apache-2.0\n{rules}\n")
    (folder / name / "cases.yml").write_text("# SPDX-License-Identifier: Apache-2.0\n[]\n")
    return folder / name


def composed(tmp_path: Path, facts: HostFacts, style: str, one: str, two: str) -> Rendered:
    head = "title: T, why: W, maturity: sandbox"
    packs = load_packs(
        [
            write(tmp_path, "one", 20, f"- {{id: one.r, {head}, {one}}}"),
            write(tmp_path, "two", 30, f"- {{id: two.r, {head}, {two}}}"),
        ]
    )
    return render(compose(packs), facts, style)


@pytest.mark.parametrize("style", ["modern", "cis"])
def test_packs_share_a_watch(tmp_path: Path, old: HostFacts, new: HostFacts, style: str) -> None:
    watch = "path: /etc/passwd, perm: wa"
    for number, facts in enumerate((old, new)):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = composed(folder, facts, style, f"key: a, {watch}", f"key: b, {watch}")
        assert {(line.rule, line.also, line.pack) for line in found.lines} == {("one.r", ("two.r",), "one")}
        end = "-k a -k b" if style == "cis" else "-F key=a -F key=b"
        assert all(line.text.endswith(end) for line in found.lines)
        assert found.warnings == []


def test_a_part_of_the_match_alone_is_still_refused(tmp_path: Path, old: HostFacts) -> None:
    with pytest.raises(PackErrors, match="can never win"):
        composed(tmp_path, old, "modern", "key: a, path: /etc/passwd, perm: wa", "key: b, path: /etc/passwd, perm: w")


def test_what_a_host_lists_and_another_rule_watches_is_left_out_and_told(tmp_path: Path, old: HostFacts) -> None:
    found = composed(
        tmp_path,
        old,
        "modern",
        "key: a, path: /usr/bin/tool, perm: wax, missing: watch",
        "key: b, each: setuid_files, perm: x",
    )
    assert [line.rule for line in found.lines] == ["one.r"] * 2 + ["two.r"] * 4
    facts = replace(old, lists={"setuid_files": ("/usr/bin/tool",)})
    (tmp_path / "again").mkdir()
    again = composed(
        tmp_path / "again",
        facts,
        "modern",
        "key: a, path: /usr/bin/tool, perm: wax, missing: watch",
        "key: b, each: setuid_files, perm: x",
    )
    assert [line.rule for line in again.lines] == ["one.r"] * 2
    assert [(one.rule, one.reason) for one in again.skipped] == [("two.r", "/usr/bin/tool is covered by one.r (key a)")]
    assert "two.r: /usr/bin/tool is covered by one.r (key a)" in again.notes
