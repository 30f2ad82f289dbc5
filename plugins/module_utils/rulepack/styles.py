# SPDX-License-Identifier: Apache-2.0
"""How the same rule is spelled: checkers of one benchmark read one spelling only (`auditpack render --style`).

| style | whom it satisfies | a watched path | calls and ids |
|---|---|---|---|
| modern | the kernel best | `-a … -F arch=b64 -S open,… -F path= -F perm=wa` | `-S a,b`, `auid!=unset` |
| cis | CIS-CAT, Goss, Wazuh | as the host's benchmark prints it, one of the three below | as there |
| cac | OpenSCAP | `-w /etc/sudoers.d/`; RHEL 9 and 10: `-F arch= -F path= -F perm=` | `-S a,b -C … -F …` |
| dil | InSpec's cis-dil-benchmark | `-w` | `-S a -S b`, `auid!=4294967295` |

Benchmarks of 36 rules (Debian 13, RHEL 10) print `-a always,exit -F arch=b64 -S all -F path= -F perm=wa -k`, the
others `-w`, and Distribution Independent Linux the old form. Sources: the published audit texts, ComplianceAsCode's
templates audit_rules_watch and audit_rules_privileged_commands, dev-sec/cis-dil-benchmark 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from .fields import Filter
from .line import Line, format_line


class Style(NamedTuple):
    """`spell` says which arch each line of a rule gets; `text` writes one line.

    `spell(line, abis)`: `line` has no arch yet, `abis` are those the rule is for on this host; gives the lines to load.
    `text(line, watchable)`: `watchable` is false for the path of a directory, of which `-w` would watch all below it.
    `names_calls`: a rule of arch and perm names its calls, where audit would narrow it to a table of its own.
    `unites`: rules of the same key and filters may share a line, which no checker looks for.
    `as_written`: a path stands as the pack has it, /var/run/utmp, where only its parents are links.
    """

    spell: Callable[[Line, tuple[str, ...]], list[Line]]
    text: Callable[[Line, bool], str]
    names_calls: bool = False
    as_written: bool = True
    unites: bool = False


def style(name: str, benchmark: str = "") -> Style:
    """The style of that name on a host of a benchmark; KeyError when there is no such style."""
    forms = STYLES[name]
    return forms.get(benchmark, forms[""])


def is_watch(line: Line) -> bool:
    """Whether `-w path -p perm -k key` says all of the line."""
    fields = {item.field for item in line.fields}
    plain = not (line.arch or line.syscalls or line.compares) and (line.list, line.action) == ("exit", "always")
    return plain and len(line.fields) == 2 and fields in ({"path", "perm"}, {"dir", "perm"})


def _per_abi(line: Line, abis: tuple[str, ...]) -> list[Line]:
    return [replace(line, arch=abi) for abi in abis] or [line]


def _perm_once(line: Line, abis: tuple[str, ...]) -> list[Line]:
    """Watches and perm=x rules stand once, without an arch: they hold for both ABIs."""
    return [line] if line.value("perm") and not line.syscalls else _per_abi(line, abis)


def _execution_once(line: Line, abis: tuple[str, ...]) -> list[Line]:
    """ComplianceAsCode for RHEL 9 wants an arch with perm=wa and none with perm=x."""
    return [line] if line.value("perm") == "x" else _per_abi(line, abis)


def _watch(line: Line, path: str) -> str:
    return " ".join([f"-w {path}", f"-p {line.value('perm')}", *_keys(line)])


def _keys(line: Line) -> list[str]:
    return [f"-k {key}" for key in line.keys]


def _path(line: Line) -> str:
    return line.value("dir") or line.value("path") or ""


def _slashed(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _start(line: Line) -> list[str]:
    return [f"-a {line.action},{line.list}", *([f"-F arch={line.arch}"] if line.arch else [])]


def _calls(line: Line, *, always: bool = False) -> list[str]:
    """`-S a,b`; a rule without calls says `-S all`, but not one of a path, unless `always`."""
    names = ",".join(line.syscalls) or ("all" if always or not _path(line) else "")
    return [f"-S {names}"] if names and line.list == "exit" else []


def _filters(line: Line) -> list[str]:
    """An exit code stands before the users, as in every benchmark."""
    return [f"-F {item}" for item in sorted(line.fields, key=lambda item: item.field != "exit")]


def _cis_order(line: Line, calls: list[str]) -> str:
    """A comparison goes before the filters, and then the calls come last."""
    compares = [f"-C {item}" for item in line.compares]
    middle = [*compares, *_filters(line), *calls] if compares else [*calls, *_filters(line)]
    return " ".join([*_start(line), *middle, *_keys(line)])


def _cis_watch(line: Line, watchable: bool) -> str:
    return _watch(line, _path(line)) if watchable and is_watch(line) else _cis_order(line, _calls(line))


def _cis_arch(line: Line, _: bool) -> str:
    return _cis_order(line, _calls(line, always=bool(line.arch)))


def _cac(line: Line, watchable: bool) -> str:
    """Comparisons after the calls; a directory ends with a slash, but for the one whose check has none."""
    slashed = tuple(
        Filter(item.field, item.op, _slashed(item.value))
        if item.field == "dir" and item.value not in _CAC_BARE
        else item
        for item in line.fields
    )
    line = replace(line, fields=slashed)
    if watchable and is_watch(line):
        return _watch(line, _path(line))
    compares = [f"-C {item}" for item in line.compares]
    keys = [f"-F key={key}" for key in line.keys]
    return " ".join([*_start(line), *_calls(line), *compares, *_filters(line), *keys])


_CAC_BARE = ("/var/run/faillock", "/")


def _old(line: Line, watchable: bool) -> str:
    if watchable and is_watch(line):
        return _watch(line, _path(line))
    numeric = tuple(Filter(i.field, i.op, _UNSET) if i.value == "unset" else i for i in line.fields)
    compares = [f"-C {item}" for item in line.compares]
    calls = [f"-S {name}" for name in line.syscalls] or _calls(line)
    return " ".join([*_start(line), *compares, *calls, *_filters(replace(line, fields=numeric)), *_keys(line)])


_UNSET = "4294967295"
_WATCH = Style(_perm_once, _cis_watch)
_ARCH = Style(_per_abi, _cis_arch)
_OLD = Style(_perm_once, _old)

STYLES: dict[str, dict[str, Style]] = {
    "modern": {"": Style(_per_abi, lambda line, _: format_line(line), names_calls=True, as_written=False, unites=True)},
    "cis": {"": _WATCH, "debian13": _ARCH, "rhel10": _ARCH, "dil": _OLD},
    "cac": {"": Style(_perm_once, _cac), "rhel9": Style(_execution_once, _cac), "rhel10": Style(_per_abi, _cac)},
    "dil": {"": _OLD},
}
"""Style → benchmark of the host → its form; "" is the form of the benchmarks that have no other."""
