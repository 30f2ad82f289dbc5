# SPDX-License-Identifier: Apache-2.0
"""decode, socket addresses: the bytes of `saddr` → family and its parts.

The kernel copies the caller's bytes: lengths and contents are hostile. Family and netlink, vsock and packet numbers
are in the byte order of the host, which the arch of the event tells. Families: include/linux/socket.h.
"""

from __future__ import annotations

import socket
from typing import Union

Value = Union[str, int, bytes]

FAMILIES = {
    0: "unspec", 1: "local", 2: "inet", 3: "ax25", 4: "ipx", 9: "x25", 10: "inet6", 16: "netlink", 17: "packet",
    31: "bluetooth", 38: "alg", 40: "vsock",
}  # fmt: skip


def parse(data: bytes, big_endian: bool = False) -> tuple[str, dict[str, Value], bytes]:
    """Bytes → (family name or number, parts, bytes left over that are not zero padding).

    Parts: local `path` or `abstract` (bytes); inet `addr`, `port`; inet6 also `flowinfo`, `scope_id`; netlink `pid`,
    `groups`; vsock `cid`, `port`; packet `protocol`, `ifindex`. Other families have no parts and leave all bytes over.
    """
    order = "big" if big_endian else "little"

    def number(start: int, size: int) -> int:
        return int.from_bytes(data[start : start + size], order)  # type: ignore[arg-type]

    family = number(0, 2)
    name = FAMILIES.get(family, str(family))
    parts: dict[str, Value] | None = None
    used = 0
    if family == 1 and len(data) > 2:
        if data[2]:
            path, _, rest = data[2:].partition(b"\0")
            parts, used = {"path": path}, len(data) - len(rest)
        elif data[2:].strip(b"\0"):
            parts, used = {"abstract": data[3:]}, len(data)
    elif family == 2 and len(data) >= 8:
        parts, used = {"addr": socket.inet_ntoa(data[4:8]), "port": int.from_bytes(data[2:4], "big")}, 8
    elif family == 10 and len(data) >= 28:
        parts, used = (
            {
                "addr": socket.inet_ntop(socket.AF_INET6, data[8:24]),
                "port": int.from_bytes(data[2:4], "big"),
                "flowinfo": int.from_bytes(data[4:8], "big"),
                "scope_id": number(24, 4),
            },
            28,
        )
    elif family == 16 and len(data) >= 12:
        parts, used = {"pid": number(4, 4), "groups": f"0x{number(8, 4):x}"}, 12
    elif family == 17 and len(data) >= 8:
        parts, used = {"protocol": int.from_bytes(data[2:4], "big"), "ifindex": number(4, 4)}, 8
    elif family == 40 and len(data) >= 12:
        parts, used = {"port": number(4, 4), "cid": number(8, 4)}, 12
    if parts is None:
        return name, {}, data
    rest = data[used:]
    return name, parts, rest if rest.strip(b"\0") else b""
