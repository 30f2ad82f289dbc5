# SPDX-License-Identifier: Apache-2.0
"""decode, socket addresses: the bytes of `saddr` → family and its parts.

The kernel copies the caller's bytes: lengths and contents are hostile. Family and netlink, vsock and packet numbers
are in the byte order of the host, which the arch of the event tells. Families: include/linux/socket.h.
"""

from __future__ import annotations

import socket
from typing import Callable, Union

Value = Union[str, int, bytes]

FAMILIES = {
    0: "unspec", 1: "local", 2: "inet", 3: "ax25", 4: "ipx", 9: "x25", 10: "inet6", 16: "netlink", 17: "packet",
    31: "bluetooth", 38: "alg", 40: "vsock",
}  # fmt: skip


RARE = ("ax25", "ipx", "x25", "bluetooth", "alg")


def _rare(family: int, data: bytes, number: Callable[[int, int], int]) -> dict[str, Value]:
    """linux/ax25.h: call sign, shifted by one bit; linux/ipx.h; linux/x25.h; net/bluetooth/{l2cap,rfcomm,sco,hci}.h,
    told apart by their length; linux/if_alg.h."""
    if family == 3 and len(data) >= 9:
        call = bytes(byte >> 1 for byte in data[2:8]).rstrip(b" ")
        return {"call": call + b"-%d" % (data[8] >> 1 & 15)}
    if family == 4 and len(data) >= 14:
        port, network = int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:8], "big")
        return {"port": port, "network": f"0x{network:x}", "node": data[8:14].hex()}
    if family == 9 and len(data) > 2:
        return {"x25": data[2:18].partition(b"\0")[0]}
    if family == 38 and len(data) > 24:
        return {"algorithm_type": data[2:16].partition(b"\0")[0], "algorithm": data[24:88].partition(b"\0")[0]}
    if family == 31 and len(data) >= 13:
        return {"bdaddr": _bdaddr(data[4:10]), "psm": _little(data[2:4]), "cid": _little(data[10:12])}
    if family == 31 and len(data) in (9, 10):
        return {"bdaddr": _bdaddr(data[2:8]), "channel": data[8]}
    if family == 31 and len(data) == 8:
        return {"bdaddr": _bdaddr(data[2:8])}
    if family == 31 and len(data) == 6:
        return {"device": number(2, 2), "channel": number(4, 2)}
    return {}


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _bdaddr(data: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in reversed(data))


def parse(data: bytes, big_endian: bool = False) -> tuple[str, dict[str, Value], bytes]:
    """Bytes → (family name or number, parts, bytes left over that are not zero padding).

    Parts: local `path` or `abstract` (bytes); inet `addr`, `port`; inet6 also `flowinfo`, `scope_id`; netlink `pid`,
    `groups`; vsock `cid`, `port`; packet `protocol`, `ifindex`. Of RARE families the parts say what they can
    and all bytes are left over. Other families have no parts and leave all bytes over.
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
        return name, _rare(family, data, number), data
    rest = data[used:]
    return name, parts, rest if rest.strip(b"\0") else b""
