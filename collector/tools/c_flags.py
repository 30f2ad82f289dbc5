# SPDX-License-Identifier: Apache-2.0
"""csrc/tables_flags.c from flags.py and flag_tables.py; part of generate_c_tables.py."""

from __future__ import annotations

from auditpack_collector import flags, tables
from auditpack_collector.flag_tables import TABLES

ARCHES = ["", *tables.ARCHES.values()]
"""Index 0: an unknown architecture."""


def decoder_numbers() -> dict[str, int]:
    """1 + index in flag_decoders."""
    return {name: index + 1 for index, name in enumerate(flags.DECODERS)}


def lines(field_at: dict[bytes, int], types: dict[str, int]) -> list[str]:
    """`field_at`: numbers of field names; `types`: numbers of record types."""
    enums = sorted({each for kind in flags.DECODERS.values() for each in _variants(kind.enum)})
    bits = sorted({each for kind in flags.DECODERS.values() for each in _variants(kind.bits)})
    out = ["/* Names by number (flag_tables.py): of commands by value, of flags with most bits first. */"]
    index: dict[tuple[str, str], int] = {}
    rows: list[str] = []
    for use, names in (("enum", enums), ("bits", bits)):
        for name in names:
            index[use, name] = len(rows) + 1
            items = sorted(TABLES[name].items()) if use == "enum" else flags._BITS[name]
            if use == "bits" and name == "capability":
                items = flags._CAPABILITY_BITS
            items = [(value, each) for value, each in items if value or use == "enum"]
            out.append(f"static const struct flag_name {use}_{name}[] = {{")
            out += [f'\t{{{value:#x}u, "{each}"}},' for value, each in items]
            out.append("};")
            rows.append(f"\t{{{use}_{name}, {len(items)}}},")
    out += ["", "const struct flag_table flag_tables[] = {", *rows, "};", ""]
    out += ["const struct flag_decoder flag_decoders[] = {"]
    for name, kind in flags.DECODERS.items():
        by_arch = [_numbers(index, use, table) for use, table in (("enum", kind.enum), ("bits", kind.bits))]
        width = "UINT64_MAX" if kind.width == 64 else f"{(1 << kind.width) - 1:#x}u"
        out.append(f"\t/* {name} */")
        out.append(f"\t{{FLAGS_{kind.kind.upper()}, {kind.mask:#x}u, {width}, {by_arch[0]}, {by_arch[1]}}},")
    out += ["};", "", "const struct flag_field flag_fields[] = {"]
    starts: list[str] = []
    at = 0
    numbers = decoder_numbers()
    for type_, table in flags.FIELDS.items():
        fields = [(name, entry) for name, entry in table.items() if entry[1]]
        if not fields:
            continue
        starts.append(f"\t{{{types[type_.decode()]}, {at}, {len(fields)}}},")
        at += len(fields)
        for name, (decoder, base) in fields:
            out.append(f"\t{{{field_at[name]}, {numbers[decoder]}, {base}}}, /* {type_.decode()} {name.decode()} */")
    out += ["};", "", "const struct flag_type flag_types[] = {", *starts, "};"]
    out += [f"const unsigned flag_type_count = {len(starts)};"]
    return out


def arguments(call: str) -> str:
    """Decoders of a0 to a3 of a call, as C."""
    numbers = decoder_numbers()
    row = [0 if each is None else numbers[each] for each in flags.ARGUMENTS.get(call, ())]
    return "{" + ", ".join(str(each) for each in [*row, 0, 0, 0, 0][:4]) + "}"


def _variants(table: str) -> list[str]:
    return [table, *flags.VARIANTS.get(table, {}).values()] if table else []


def _numbers(index: dict[tuple[str, str], int], use: str, table: str) -> str:
    row = [index[use, flags._variant(table, arch)] if table else 0 for arch in ARCHES]
    return "{" + ", ".join(map(str, row)) + "}"
