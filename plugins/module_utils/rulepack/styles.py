# SPDX-License-Identifier: Apache-2.0
"""How the same rule is spelled: checkers of one benchmark read one spelling only (`auditpack render --style`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from .line import Line, format_line


class Style(NamedTuple):
    """`spell` says which arch each line of a rule gets; `text` writes one line.

    `spell(line, abis)`: `line` has no arch yet, `abis` are those the rule is for on this host; gives the lines to load.
    """

    spell: Callable[[Line, tuple[str, ...]], list[Line]]
    text: Callable[[Line], str]


def _per_abi(line: Line, abis: tuple[str, ...]) -> list[Line]:
    return [replace(line, arch=abi) for abi in abis] or [line]


def _cis_arch(line: Line, abis: tuple[str, ...]) -> list[Line]:
    """CIS prints watches and perm=x rules once, without an arch: they hold for both ABIs."""
    return [line] if line.value("perm") and not line.syscalls else _per_abi(line, abis)


def is_watch(line: Line) -> bool:
    """Whether `-w path -p perm -k key` says all of the line."""
    fields = {item.field for item in line.fields}
    plain = not (line.arch or line.syscalls or line.compares) and (line.list, line.action) == ("exit", "always")
    return plain and len(line.fields) == 2 and fields in ({"path", "perm"}, {"dir", "perm"})


def _cis_text(line: Line) -> str:
    """The benchmark's order: a comparison goes before the filters and then the syscalls come last."""
    keys = [f"-k {key}" for key in line.keys]
    if is_watch(line):
        directory = line.value("dir")
        path = f"{directory}/" if directory and directory != "/" else directory or line.value("path")
        return " ".join([f"-w {path}", f"-p {line.value('perm')}", *keys])
    words = [f"-a {line.action},{line.list}"]
    words += [f"-F arch={line.arch}"] if line.arch else []
    names = ",".join(line.syscalls) or ("all" if not line.value("path") and not line.value("dir") else "")
    syscalls = [f"-S {names}"] if names and line.list == "exit" else []
    filters = [f"-F {item}" for item in line.fields]
    compares = [f"-C {item}" for item in line.compares]
    words += [*compares, *filters, *syscalls] if compares else [*syscalls, *filters]
    return " ".join([*words, *keys])


STYLES: dict[str, Style] = {
    "modern": Style(_per_abi, format_line),
    "cis": Style(_cis_arch, _cis_text),
}
