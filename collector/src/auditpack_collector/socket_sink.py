# SPDX-License-Identifier: Apache-2.0
"""Outputs behind a unix socket: a stream of JSON lines, syslog, journald. Each connects again by itself."""

from __future__ import annotations

import array
import errno
import os
import socket
import syslog
from typing import Final

from .config import Output
from .sink import Sink

TIMEOUT: Final = 5.0
"""Seconds that one send may take; a reader that stands still longer is an error; the queue holds the rest."""
_INFO: Final = 6


class UnixSink(Sink):
    """A stream client. A line that was cut by a break of the connection is sent whole again on the next one."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._socket: socket.socket | None = None
        self._cut = 0  # bytes of the line at hand that this connection has already

    def release(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, chunk: bytes, start: int) -> int:
        connection = self._socket or self._connect()
        sent = connection.send(memoryview(chunk)[start + self._cut :])
        end = chunk.rfind(b"\n", start, start + self._cut + sent) + 1
        whole = max(0, end - start)
        self._cut += sent - whole
        return whole

    def recover(self, error: OSError) -> None:
        if isinstance(error, TimeoutError) or error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
            return  # the reader is slow, not gone
        self.release()

    def _connect(self) -> socket.socket:
        fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh.settimeout(TIMEOUT)
        try:
            fresh.connect(self.path)
        except OSError:
            fresh.close()
            raise
        self._socket = fresh
        self._cut = 0
        return fresh


class _DatagramSink(Sink):
    """One datagram for each line."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._socket: socket.socket | None = None

    def release(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def recover(self, error: OSError) -> None:
        self.release()

    def connected(self) -> socket.socket:
        if self._socket is None:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            fresh.settimeout(TIMEOUT)
            try:
                fresh.connect(self.path)
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket


class SyslogSink(_DatagramSink):
    """RFC 3164 as /dev/log takes it. A line larger than a datagram may be cannot be sent: counted as oversize."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        facility: int = getattr(syslog, "LOG_" + output.facility.upper())
        self._head = f"<{facility | _INFO}>auditpack[{os.getpid()}]: ".encode()

    def send(self, chunk: bytes, start: int) -> int:
        end = chunk.index(b"\n", start) + 1
        try:
            self.connected().send(self._head + chunk[start : end - 1])
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            self.oversize += 1
        return end - start


class JournaldSink(_DatagramSink):
    """systemd's native protocol; what is too large for a datagram goes as a sealed memory file, as sd_journal_send."""

    def send(self, chunk: bytes, start: int) -> int:
        end = chunk.index(b"\n", start) + 1
        text = b"PRIORITY=6\nSYSLOG_IDENTIFIER=auditpack\nMESSAGE=" + chunk[start:end]
        try:
            self.connected().send(text)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            self._send_file(text)
        return end - start

    def _send_file(self, text: bytes) -> None:
        descriptor = os.memfd_create("auditpack-event", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(text)
            import fcntl  # noqa: PLC0415 - for large lines alone

            fcntl.fcntl(descriptor, 1033, 15)  # F_ADD_SEALS: seal, shrink, grow, write
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            self.connected().sendmsg([b""], [rights])
        finally:
            os.close(descriptor)
