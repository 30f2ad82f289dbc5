#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generate csrc/tables_data.c and tables_fields.h from the Python's own tables, so that both speak of the same names.

    generate_c_tables.py [--check]      --check: exit 1 when a file is not what would be written

Names are found by perfect hash: bits of (first 8 bytes * a) ^ (last 8 bytes * b) ^ length, with a and b searched here.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable
from pathlib import Path

COLLECTOR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(COLLECTOR / "src"))

import c_flags  # noqa: E402

from auditpack_collector import ecs_record, fields, flags, normalise, tables  # noqa: E402

# Plain names of kernel and user-space records, for the fast path alone: one that is not here prints the same, slower.
PLAIN = """
    success tty comm subj obj nametype dev rdev msg op grantors addr hostname terminal res result cap_frootid
    reason SADDR ARCH SYSCALL AUID UID GID EUID SUID FSUID EGID SGID FSGID OUID OGID OAUID OLD-AUID ID SAUID
    ARGV text TEXT INODE_UID INODE_GID OBJ_UID OBJ_GID NEW_GID IUID IUID IGID unit subj_trust obj_trust old new
    table entries family arch fver frootid sec nsec prog-id opcode uuid old_pp old_pi old_pe old_pa new_pp
    new_pi new_pe new_pa pp pi pe pa tclass scontext tcontext permissive ino ioctlcmd lsm apparmor
    requested_mask denied_mask error ip laddr lport faddr fport sport saddr daddr src dest netif list ver kernel
    format state sw sw_type root_enforce gpg_res key_enforce cause enabled auditd_pid argc a1 mq_notify mqdes
    msg_len msg_prio oflag mode sigev_signo resolve flags perm fd0 fd1 major minor direction cipher ksize mac
    pfs spid suid rport kind size fp vm vm-ctx img-ctx model uuid bus virt vm-pid resrc net mem vcpu seuser
    default-context selected-context role old-seuser new-seuser old-role new-role old-range new-range
    invalid_context bool val old_val policy lsm banners banner netns_id conntrack hook proto truncated cred
    ANCESTORS DECODED ENV EXE_HASH LABELS OPID PID PPID SCRIPT SPAWNED_BY UID_GROUPS
    pid_ns inode_mode igid watch_inode hash feature ctrl path_mode trust nargs entry_point unsupported
""".split()  # noqa: SIM905

KINDS = ("DECIMAL", "HEX", "OCTAL", "ENCODED", "BRACES", "PLAIN")
EXTRA_TYPES = {"IPE_ACCESS": 1420}
"""Types of normalise.py that the headers of tables.py do not have (include/uapi/linux/audit.h, v6.12)."""
DENSE = 1024
"""System calls above this number (ARM's private ones) go into a list."""
MASK = (1 << 64) - 1


def words(name: bytes) -> tuple[int, int]:
    low = int.from_bytes(name[:8], "little")
    return low, int.from_bytes(name[-8:], "little") if len(name) > 8 else 0


def place(name: bytes, a: int, b: int, bits: int) -> int:
    low, high = words(name)
    return (((low * a) ^ (high * b) ^ (len(name) * a)) & MASK) >> (64 - bits)


def perfect_hash(names: list[bytes], seed: int) -> tuple[int, int, int, list[int]]:
    """(a, b, bits, slots): slots hold 1 + index, 0 = empty."""
    chooser = random.Random(seed)  # noqa: S311 - no secret
    for bits in range(max(8, (len(names) * 4 - 1).bit_length()), 17):
        for _ in range(20000):
            a, b = chooser.getrandbits(64) | 1, chooser.getrandbits(64) | 1
            used: dict[int, int] = {}
            for index, name in enumerate(names):
                at = place(name, a, b, bits)
                if at in used:
                    break
                used[at] = index + 1
            else:
                return a, b, bits, [used.get(at, 0) for at in range(1 << bits)]
    sys.exit("no perfect hash found")


def array(type_: str, name: str, values: Iterable[object]) -> list[str]:
    out, line = [f"const {type_} {name}[] = {{"], "\t"
    for value in values:
        if len(line) + len(str(value)) > 116:
            out.append(line.rstrip())
            line = "\t"
        line += f"{value}, "
    return [*out, line.rstrip(), "};", ""]


def kind_of(name: bytes) -> str:
    if name in fields.DECIMAL:
        return "DECIMAL"
    if name in fields.HEX:
        return "HEX"
    if name in fields.OCTAL:
        return "OCTAL"
    if name == b"seperms":
        return "BRACES"
    return "ENCODED" if name in fields.ENCODED else "PLAIN"


# Names that the C asks for by number; the Python's spelling is in emit_ecs.py.
ASKED = """
    a0 a1 a2 a3 abstract acct addr arch argc args auid cmd comm cwd data dev egid euid exe exit family fsgid fsuid
    gid grp hostname id inode items key mode msg name nametype apparmor ocomm ogid opid ouid path pid port ppid
    proctitle permissive seresult tclass res result saddr ses sgid sig success suid syscall terminal text tty type
    type_field uid unit exit_name
""".split()  # noqa: SIM905


def field_names() -> list[bytes]:
    named = {name.encode() for name in [*PLAIN, *ASKED]} | {b"seperms", b"seresult"}
    known = named | fields.DECIMAL | fields.HEX | fields.OCTAL | fields.ENCODED | fields.USER_IDS | fields.GROUP_IDS
    known |= {name.lower() for name in known}
    decoded = {name for table in flags.FIELDS.values() for name in table} | {b"a0", b"a1", b"a2", b"a3"}
    known |= decoded
    resolved = {name + b"_name" for name in fields.USER_IDS | fields.GROUP_IDS | {b"arch", b"syscall", b"id"} | decoded}
    return sorted(name for name in known | resolved if len(name) <= 26)


def field_table() -> tuple[list[str], list[str]]:
    """The C data, and the header with the numbers of names."""
    names = field_names()
    at = {name: index for index, name in enumerate(names)}
    a, b, bits, slots = perfect_hash(names, 1)
    kinds = {
        value: name[1:]
        for name, value in vars(ecs_record).items()
        if name
        in ("_DECIMAL", "_HEX", "_OCTAL", "_KEY", "_TITLE", "_SADDR", "_BRACES", "_RESULT", "_ENCODED", "_PLAIN")
    }
    out = ["/* Names of fields, their JSON key and kind (fields.py); of ecs: kind, lower-case name, <name>_name. */"]
    out += [f"const unsigned field_bits = {bits};"]
    out += [
        f"const uint64_t field_hash[2] = {{0x{a:016x}u, 0x{b:016x}u}};",
        f"const unsigned field_count = {len(names)};",
    ]
    out += ["const struct field_entry field_entries[] = {"]
    for index, name in enumerate(names):
        whose = "FIELD_USER" if name in fields.USER_IDS else "FIELD_GROUP" if name in fields.GROUP_IDS else "0"
        kind, lower = kinds[ecs_record._kind(name.lower())], at[name.lower()]
        beside = at.get(name.lower() + b"_name")
        out.append(
            f'\t{{"\\"{name.decode()}\\":", {len(name)}, KIND_{kind_of(name)}, {whose}, {index}, '
            f"ECS_{kind}, {lower}, {'FIELD_NONE' if beside is None else beside}}},"
        )
    header = ["enum field_index {", *(f"\tF_{name.upper()} = {at[name.encode()]}," for name in ASKED)]
    header += [
        f"\tF_{base.upper()}_NAME = {at[base.encode() + b'_name']},"
        for base in "uid gid auid euid egid suid sgid fsuid fsgid ouid ogid id".split()  # noqa: SIM905
    ]
    return [*out, "};", "", *array("uint16_t", "field_slots", slots)], [*header, "};"]


def json_list(words: tuple[str, ...]) -> str:
    return '"[' + ",".join(f'\\"{word}\\"' for word in words) + ']"'


def meaning(row: normalise.Meaning) -> str:
    kind = row.object.upper().replace("-", "_")
    return f'{{"{row.action}", {json_list(row.categories)}, {json_list(row.types)}, OBJECT_{kind}}}'


def meaning_tables() -> list[str]:
    types = {**EXTRA_TYPES, **tables.RECORD_TYPES}
    tables_of = (normalise.RECORD_MEANINGS, normalise.SYSCALL_MEANINGS, normalise.AVC_MEANINGS)
    rows = list(dict.fromkeys(row for table in tables_of for row in table.values()))
    out = ["/* What an event means (normalise.py). */", "const struct meaning meanings[] = {"]
    out += [f"\t{meaning(row)}," for row in rows]
    out += ["};", "", "const struct prefix_meaning prefix_meanings[] = {"]
    out += [f'\t{{"{prefix}", {meaning(row)}}},' for prefix, row in normalise.PREFIX_MEANINGS]
    out += [
        "};",
        "",
        "/* By record number - MEANING_FIRST: rank + 1 (the lowest speaks), meaning, what else the name says. */",
    ]
    out += ["const struct record_meaning record_meanings[MEANING_NUMBERS] = {"]
    for name, row in sorted(normalise.RECORD_MEANINGS.items(), key=lambda item: types[item[0]]):
        says = "MEANING_SPOKEN_BY_SYSCALL" if name in normalise.SPOKEN_BY_SYSCALL else "0"
        says = "MEANING_ACCOUNT" if name in normalise.ACCOUNT_TYPES else says
        out.append(
            f"\t[{types[name]} - MEANING_FIRST] = {{{normalise.RECORD_RANK[name] + 1}, {rows.index(row)}, {says}}},"
        )
    named = {*normalise.SYSCALL_MEANINGS, *normalise.AT_FUNCTIONS, *flags.ARGUMENTS}
    calls = sorted(name.encode() for name in named)
    words = dict.fromkeys([*normalise.AVC_MEANINGS, *normalise.AVC_OUTCOMES])
    avc = ["const struct avc_word avc_words[] = {"]
    for word in words:
        known = normalise.AVC_MEANINGS.get(word)
        index = "MEANING_NONE" if known is None else str(rows.index(known))
        outcome = normalise.AVC_OUTCOMES.get(word)
        said = "NULL" if outcome is None else f'"{outcome}"'
        avc.append(f'\t{{"{word}", {index}, {said}}},')
    avc += ["};", f"const unsigned avc_word_count = {len(words)};", ""]
    a, b, bits, slots = perfect_hash(calls, 3)
    out += [
        "};",
        "",
        *avc,
        f"const unsigned call_bits = {bits};",
        f"const uint64_t call_hash[2] = {{0x{a:016x}u, 0x{b:016x}u}};",
    ]
    out += ["const struct call_meaning call_meanings[] = {"]
    for call in calls:
        known = normalise.SYSCALL_MEANINGS.get(call.decode())
        index = "MEANING_NONE" if known is None else str(rows.index(known))
        at = "1" if call.decode() in normalise.AT_FUNCTIONS else "0"
        argument = normalise.OPEN_FLAGS_ARGUMENT.get(call.decode(), -1)
        decoders = c_flags.arguments(call.decode())
        out.append(f'\t{{"{call.decode()}", {len(call)}, {index}, {at}, {argument}, {decoders}}},')
    return [*out, "};", "", *array("uint16_t", "call_slots", slots)]


def type_table() -> list[str]:
    items = sorted((name.encode(), number) for name, number in {**EXTRA_TYPES, **tables.RECORD_TYPES}.items())
    a, b, bits, slots = perfect_hash([name for name, _ in items], 2)
    out = ["/* Record types (libaudit.h, linux/audit.h). */", f"const unsigned type_bits = {bits};"]
    out += [
        f"const uint64_t type_hash[2] = {{0x{a:016x}u, 0x{b:016x}u}};",
        "const struct type_entry type_entries[] = {",
    ]
    out += [f'\t{{"{name.decode()}", {len(name)}, {number}}},' for name, number in items]
    return [*out, "};", "", *array("uint16_t", "type_slots", slots)]


def syscall_table() -> list[str]:
    pool: dict[str, int] = {}
    text, out = "", ["/* System calls by architecture and number; 0 = none. */"]
    for arch in tables.SYSCALLS.values():
        for name in arch.values():
            if name not in pool:
                pool[name] = len(text) + 1
                text += name + "\0"
    if len(text) >= 1 << 16:
        sys.exit("pool of system call names outgrew uint16_t")
    pieces = [piece for piece in text.split("\0") if piece]
    out.append("const char syscall_pool[] =")
    out += [f'\t"{piece}\\0"' for piece in pieces]
    out[-1] += ";"
    out.append("")
    entries: list[str] = []
    sparse: list[str] = []
    for token, name in tables.ARCHES.items():
        table = tables.SYSCALLS[name]
        top = max(number for number in table if number < DENSE)
        sparse += [f"\t{{{len(entries)}, {number}, {pool[table[number]]}}}," for number in table if number >= DENSE]
        out += array("uint16_t", f"syscalls_{name}", (pool.get(table.get(number, ""), 0) for number in range(top + 1)))
        entries.append(f'\t{{"{token.decode()}", "{name}", syscalls_{name}, {top + 1}}},')
    out = [line.replace("const uint16_t syscalls_", "static const uint16_t syscalls_") for line in out]
    return [
        *out,
        "const struct arch_entry arch_entries[] = {",
        *entries,
        "};",
        f"const unsigned arch_count = {len(entries)};",
        "const struct sparse_syscall sparse_syscalls[] = {",
        *sparse,
        "};",
        f"const unsigned sparse_count = {len(sparse)};",
        "",
    ]


def errno_table() -> list[str]:
    top = max(tables.ERRNOS)
    quoted = (f'"{tables.ERRNOS[number]}"' if number in tables.ERRNOS else "NULL" for number in range(top + 1))
    return [*array("char *const", "errno_names", quoted), f"const unsigned errno_count = {top + 1};", ""]


def flag_lines() -> list[str]:
    types = {**EXTRA_TYPES, **tables.RECORD_TYPES}
    return c_flags.lines({name: index for index, name in enumerate(field_names())}, types)


HEAD = ["/* SPDX-License-Identifier: Apache-2.0 */"]
HEAD += [
    "/* Generated by tools/generate_c_tables.py from fields.py, ecs_record.py, normalise.py, flags.py "
    "and their tables; do not edit. */"
]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    data, numbers = field_table()
    body = [*type_table(), *data, *meaning_tables(), *syscall_table(), *errno_table()]
    guard = "AUDITPACK_TABLES_FIELDS_H"
    files = {
        "tables_data.c": [*HEAD, '#include "tables.h"', "", *body],
        "tables_flags.c": [*HEAD, '#include "flags.h"', "", *flag_lines()],
        "tables_fields.h": [*HEAD, f"#ifndef {guard}", f"#define {guard}", "", *numbers, "", "#endif"],
    }
    stale = 0
    for name, lines in files.items():
        path, text = COLLECTOR / "csrc" / name, "\n".join(lines).rstrip() + "\n"
        if not options.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            print(f"{path}: out of date: run tools/generate_c_tables.py", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
