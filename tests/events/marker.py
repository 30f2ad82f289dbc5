# SPDX-License-Identifier: Apache-2.0
"""Markers in the audit stream: what `auditctl -m` sends, without starting a program for each.

Runs on hosts: standard library, Python >= 3.9. Message numbers and layout: linux/netlink.h and linux/audit.h.
"""

from __future__ import annotations

import os
import socket
import struct

NETLINK_AUDIT = 9
AUDIT_USER = 1005
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR = 2
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port


class Markers:
    """A link to the kernel's audit; needs CAP_AUDIT_WRITE."""

    def __init__(self) -> None:
        self._link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_AUDIT)
        self._link.bind((0, 0))
        self._link.settimeout(30)
        self._sequence = 0

    def send(self, text: str) -> None:
        """Have the kernel write one USER record; returns when it has taken it. Raises OSError with its errno."""
        self._sequence += 1
        body = f"text={text} res=success".encode() + b"\0"
        length = _HEADER.size + len(body)
        header = _HEADER.pack(length, AUDIT_USER, NLM_F_REQUEST | NLM_F_ACK, self._sequence, 0)
        self._link.sendto(header + body + b"\0" * (-length % 4), (0, 0))
        while True:
            answer = self._link.recv(65536)
            _, kind, _, sequence, _ = _HEADER.unpack_from(answer)
            if kind == NLMSG_ERROR and sequence == self._sequence:
                (code,) = struct.unpack_from("=i", answer, _HEADER.size)
                if code:
                    raise OSError(-code, f"the kernel takes no audit message: {os.strerror(-code)}")
                return
