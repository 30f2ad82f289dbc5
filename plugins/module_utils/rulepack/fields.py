# SPDX-License-Identifier: Apache-2.0
"""The fields of an audit rule: names, operators, and the one canonical form of each value.

Sources: auditctl(8) for names and spellings; kernel/auditfilter.c (audit_field_valid) for operators; for lists what
auditctl 3.0.9 and 4.0.2 on Linux 6.1 and 6.12 both take. The kernel compares 32 bits, whatever the width of the value.
"""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from .messages import MESSAGE_TYPES

UNSET = 4294967295
"""(uid_t)-1: the auid and session of a process that no login started; unsigned, so `auid>=1000` holds for it."""

U32 = (0, UNSET)
S32 = (-(2**31), 2**31 - 1)

ORDERED = ("=", "!=", "<", ">", "<=", ">=")
BITS = ("&", "&=")
EQUAL = ("=", "!=")
ABIS = ("b64", "b32")
PERMS = "rwxa"
LISTS = ("exit", "exclude", "user", "filesystem", "task", "io_uring")
ACTIONS = ("always", "never")

_ARCH_NAMES = {"x86_64": "b64", "i386": "b32", "i686": "b32", "aarch64": "b64", "arm": "b32", "armv7l": "b32"}
_FILE_TYPES = {
    "file": stat.S_IFREG,
    "dir": stat.S_IFDIR,
    "socket": stat.S_IFSOCK,
    "link": stat.S_IFLNK,
    "character": stat.S_IFCHR,
    "block": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
}
_FILE_SYSTEMS = ("debugfs", "tracefs")


class Field(NamedTuple):
    """`kind` tells how a value is read; `domain` bounds numbers; `many` = any one name of the event may satisfy it."""

    kind: str
    ops: tuple[str, ...]
    domain: tuple[int, int] | None = None
    many: bool = False
    lists: tuple[str, ...] = ("exit",)


_PROCESS = ("exit", "task", "user", "exclude", "io_uring")
_USER = Field("user", ORDERED, U32, lists=_PROCESS)
_GROUP = Field("group", ORDERED, U32, lists=_PROCESS)
_ARGUMENT = Field("argument", (*ORDERED, *BITS), U32, lists=("exit", "io_uring"))
_LABEL = Field("text", EQUAL, lists=("exit", "exclude", "user"))
_OBJECT_LABEL = Field("text", EQUAL, many=True)

FIELDS: dict[str, Field] = {
    **dict.fromkeys(("auid", "uid", "euid", "suid", "fsuid"), _USER),
    **dict.fromkeys(("gid", "egid", "sgid", "fsgid"), _GROUP),
    "obj_uid": Field("user", ORDERED, U32, many=True),
    "obj_gid": Field("group", ORDERED, U32, many=True),
    **dict.fromkeys(("a0", "a1", "a2", "a3"), _ARGUMENT),
    "arch": Field("arch", EQUAL),
    "devmajor": Field("number", ORDERED, U32, many=True),
    "devminor": Field("number", (*ORDERED, *BITS), U32, many=True),
    "dir": Field("path", ("=",)),
    "exe": Field("path", EQUAL, lists=_PROCESS),
    "exit": Field("exit", ORDERED, S32),
    "filetype": Field("filetype", EQUAL, many=True),
    "fstype": Field("fstype", EQUAL, lists=("filesystem",)),
    "inode": Field("number", EQUAL, U32, many=True),
    "key": Field("text", ("=",)),
    "msgtype": Field("msgtype", ORDERED, U32, lists=("exclude", "user")),
    **dict.fromkeys(("obj_user", "obj_role", "obj_type", "obj_lev_low", "obj_lev_high"), _OBJECT_LABEL),
    "path": Field("path", ("=",)),
    "perm": Field("perm", ("=",)),
    "pers": Field("number", (*ORDERED, *BITS), U32, lists=("exit", "task")),
    "pid": Field("number", ORDERED, U32, lists=_PROCESS),
    "ppid": Field("number", ORDERED, U32),
    "saddr_fam": Field("number", ORDERED, U32),
    "sessionid": Field("session", ORDERED, U32, lists=("exit", "user")),
    **dict.fromkeys(("subj_user", "subj_role", "subj_type", "subj_sen", "subj_clr"), _LABEL),
    "success": Field("flag", EQUAL, (0, 1)),
}
ALIASES = {"loginuid": "auid"}

USER_FIELDS = frozenset({"auid", "uid", "euid", "suid", "fsuid", "obj_uid"})
GROUP_FIELDS = frozenset({"gid", "egid", "sgid", "fsgid", "obj_gid"})

_FILTER = re.compile(r"([A-Za-z0-9_]+)\s*(!=|>=|<=|&=|=|>|<|&)\s*(.*)", re.DOTALL)


class Filter(NamedTuple):
    """One `-F field op value`; `value` is text, canonical once `canonical` has seen it."""

    field: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.op}{self.value}"

    @property
    def number(self) -> int:
        """The canonical value of a numeric field as a number."""
        return UNSET if self.value == "unset" else int(self.value)


class Compare(NamedTuple):
    """One `-C left op right`; op is = or !=."""

    left: str
    op: str
    right: str

    def __str__(self) -> str:
        return f"{self.left}{self.op}{self.right}"


@lru_cache(maxsize=2**12)
def parse_filter(text: str) -> Filter:
    """`auid>=1000` → Filter. ValueError (`what — remedy`) on an unknown field, operator or a missing value."""
    match = _FILTER.fullmatch(text.strip())
    if not match:
        raise ValueError(f"`{text}` is not a filter — write field, operator and value, such as auid>=1000")
    name, op, value = match.groups()
    name = ALIASES.get(name, name)
    if name not in FIELDS:
        raise ValueError(f"unknown field `{name}` — auditctl(8) lists the fields of -F")
    if op not in FIELDS[name].ops:
        raise ValueError(f"`{name}` cannot be compared with `{op}` — use one of {' '.join(FIELDS[name].ops)}")
    if not value.strip():
        raise ValueError(f"`{text}` has no value — write one after `{op}`")
    return Filter(name, op, value.strip())


@lru_cache(maxsize=2**10)
def parse_compare(text: str) -> Compare:
    """`euid!=uid` → Compare. ValueError when the kernel knows no such pair (AUDIT_COMPARE_* in linux/audit.h)."""
    match = _FILTER.fullmatch(text.strip())
    if not match or match.group(2) not in EQUAL:
        raise ValueError(f"`{text}` is not a comparison — write two fields with = or !=, such as euid!=uid")
    left, op, right = match.groups()
    left, right = ALIASES.get(left, left), ALIASES.get(right.strip(), right.strip())
    if left == right or not any({left, right} <= group for group in (USER_FIELDS, GROUP_FIELDS)):
        raise ValueError(f"`{left}` cannot be compared with `{right}` — compare two user fields or two group fields")
    return Compare(left, op, right)


def canonical(item: Filter, users: Mapping[str, int] | None = None, groups: Mapping[str, int] | None = None) -> Filter:
    """The same filter with its value in the one canonical form.

    Numbers are decimal, an unset id is `unset`, errno names are negative or positive numbers, `perm` letters stand in
    the order rwxa, paths have no trailing slash. KeyError(name) = a user or group that `users`/`groups` do not have;
    ValueError (`what — remedy`) = a value the field cannot have.
    """
    field, value = FIELDS[item.field], item.value
    text = _CANONICAL[field.kind](item.field, value, users if field.kind == "user" else groups)
    if field.domain is not None and text != "unset" and not field.domain[0] <= int(text) <= field.domain[1]:
        raise ValueError(f"`{item}` is out of range — `{item.field}` goes from {field.domain[0]} to {field.domain[1]}")
    return Filter(item.field, item.op, text)


def _number(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    try:
        return str(int(value, 0) if not re.fullmatch(r"-?0\d+", value) else int(value, 8))
    except ValueError:
        raise ValueError(f"`{name}` needs a number, not `{value}` — write it decimal, 0x… or 0…") from None


def _id(name: str, value: str, ids: Mapping[str, int] | None) -> str:
    if value in ("unset", "-1", str(UNSET)):
        return "unset"
    if re.fullmatch(r"\d+", value):
        return str(int(value))
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*\$?", value):
        raise ValueError(f"`{name}` needs an id or a name, not `{value}` — write a number, a login name or unset")
    if ids is None or value not in ids:
        raise KeyError(value)
    return str(ids[value])


def _exit(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    sign, word = ("-", value[1:]) if value.startswith("-") else ("", value)
    if re.fullmatch(r"E[A-Z0-9]+", word):
        number = getattr(errno, word, None)
        if number is None:
            raise ValueError(f"unknown errno `{word}` — see errno(3)")
        return f"{sign}{number}"
    return _number(name, value, None)


def _perm(_name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if not value or set(value) - set(PERMS):
        raise ValueError(f"`perm={value}` is malformed — use letters of r, w, x, a")
    return "".join(letter for letter in PERMS if letter in value)


def _path(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if not value.startswith("/"):
        raise ValueError(f"`{name}={value}` is not absolute — begin the path with /")
    if re.search(r"\s", value):
        raise ValueError(f"`{name}={value}` has white space, which auditctl cannot read — rename the file")
    return re.sub("/{2,}", "/", value).rstrip("/") or "/"


def _arch(_name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if value not in ABIS and value not in _ARCH_NAMES:
        raise ValueError(f"unknown arch `{value}` — use b64 or b32")
    return _ARCH_NAMES.get(value, value)


def _message(_name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if value.isdigit():
        return str(int(value))
    if value not in MESSAGE_TYPES:
        raise ValueError(f"unknown record type `{value}` — `ausearch -m` with no type lists them; a number works too")
    return str(MESSAGE_TYPES[value])


def _flag(_name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if value not in ("0", "1"):
        raise ValueError(f"`success={value}` is malformed — write 1 or 0, auditctl reads `yes` as 0")
    return value


def _file_type(_name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if value.isdigit():
        return value
    if value not in _FILE_TYPES:
        raise ValueError(f"unknown file type `{value}` — one of {', '.join(_FILE_TYPES)}")
    return str(_FILE_TYPES[value])


def _file_system(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    return value if value in _FILE_SYSTEMS else _number(name, value, None)


def _argument(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    """A negative one, such as AT_FDCWD, is its 32 unsigned bits; listings print those."""
    number = int(_number(name, value, None))
    return str(number + 2**32 if S32[0] <= number < 0 else number)


def _text(name: str, value: str, _ids: Mapping[str, int] | None) -> str:
    if re.search(r"\s", value):
        raise ValueError(f"`{name}={value}` has white space, which auditctl cannot read — write it without")
    return value


_CANONICAL = {
    "number": _number,
    "user": _id,
    "group": _id,
    "session": lambda name, value, _ids: (
        "unset" if value in ("unset", "-1", str(UNSET)) else _number(name, value, None)
    ),
    "exit": _exit,
    "perm": _perm,
    "path": _path,
    "arch": _arch,
    "msgtype": _message,
    "flag": _flag,
    "filetype": _file_type,
    "fstype": _file_system,
    "argument": _argument,
    "text": _text,
}
