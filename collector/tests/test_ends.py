# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs: sockets, syslog, journald, files that rotate."""

from __future__ import annotations

import array
import gzip
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from auditpack_collector import acl
from auditpack_collector.config import Input, Output
from auditpack_collector.file_sink import FileSink
from auditpack_collector.rotation import Rotation
from auditpack_collector.sink import make_sink
from auditpack_collector.source import FileSource, SocketSource

NEVER = threading.Event()


def numbered(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_followed_file_is_read_across_rotation(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"old\n")
    source = FileSource(Input(kind="file", path=str(path)))
    source.tick(0.0)
    assert source.read() == b""
    with path.open("ab") as file:
        file.write(b"1\n")
    assert source.read() == b"1\n"
    with path.open("ab") as file:
        file.write(b"2\n")
    path.rename(tmp_path / "audit.log.1")
    assert source.read() == b"2\n"
    assert source.read() == b""
    path.write_bytes(b"3\n")
    assert b"".join(source.read() for _ in range(3)) == b"3\n"
    path.write_bytes(b"4\n")  # truncated and written anew
    assert b"".join(source.read() for _ in range(3)) in (b"", b"4\n")
    source.close()


def test_a_followed_file_goes_on_where_it_stopped_also_when_rotated(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"1\n2\n")
    config = Input(kind="file", path=str(path), from_start=True)
    source = FileSource(config)
    source.tick(0.0)
    assert source.read() == b"1\n2\n"
    position = source.position
    source.close()
    with path.open("ab") as file:
        file.write(b"3\n")
    path.rename(tmp_path / "audit.log.1")
    path.write_bytes(b"4\n")
    again = FileSource(config, position)
    again.tick(0.0)
    assert b"".join(again.read() for _ in range(4)) == b"3\n4\n"
    again.close()


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    source = FileSource(Input(kind="file", path=str(path), from_start=True))
    source.tick(0.0)
    assert "No such file" in source.last_error
    path.write_bytes(b"1\n")
    source.tick(10.0)
    assert source.read() == b"1\n"
    source.close()


def listening(path: Path, kind: int = socket.SOCK_STREAM) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(str(path))
    server.settimeout(20)
    if kind == socket.SOCK_STREAM:
        server.listen(1)
    return server


def test_a_socket_input_connects_again_and_cuts_the_line(tmp_path: Path) -> None:
    source = SocketSource(Input(kind="unix", path=str(tmp_path / "s")))
    source.tick(0.0)
    assert source.descriptor == -1
    server = listening(tmp_path / "s")
    source.tick(10.0)
    client, _ = server.accept()
    client.sendall(b"whole\ncut")
    assert source.read() == b"whole\ncut"
    assert source.read() == b""
    client.close()
    assert source.read() == b"\n"
    source.tick(20.0)
    client, _ = server.accept()
    client.sendall(b"next\n")
    assert source.read() == b"next\n"
    source.close()


def test_a_socket_output_sends_the_cut_line_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditpack_collector.sink.RETRY", 0.02)
    sink = make_sink(Output(name="x", kind="unix", path=str(tmp_path / "s")))
    server = listening(tmp_path / "s")
    lines = b"".join(b"%07d\n" % number for number in range(200_000))
    got: list[bytes] = []

    def read() -> None:
        for size in (100_001, 300_003, len(lines)):
            connection, _ = server.accept()
            taken = b""
            while len(taken) < size and (data := connection.recv(min(65536, size - len(taken)))):
                taken += data
            connection.close()
            got.append(taken)

    reader = threading.Thread(target=read)
    reader.start()
    assert sink.write(lines, NEVER) == len(lines)
    sink.release()
    reader.join(20)
    assert sink.errors == 2
    first, second, third = got
    assert lines.startswith(first[: first.rfind(b"\n") + 1])
    for each in (second, third):  # begins at a line's start
        assert lines[lines.find(each[:8]) :].startswith(each[: each.rfind(b"\n") + 1])
    assert third.endswith(lines[-8:])


def test_syslog(tmp_path: Path) -> None:
    server = listening(tmp_path / "log", socket.SOCK_DGRAM)
    sink = make_sink(Output(name="x", kind="syslog", path=str(tmp_path / "log"), facility="local3"))
    huge = b'{"a":"' + b"x" * 4_000_000 + b'"}\n'
    assert sink.write(b'{"a":1}\n' + huge + b'{"b":2}\n', NEVER) == 8 + len(huge) + 8
    assert server.recv(1000) == b'<158>auditpack[%d]: {"a":1}' % os.getpid()
    assert server.recv(1000).endswith(b'{"b":2}')
    assert sink.oversize == 1


def test_journald_takes_any_size(tmp_path: Path) -> None:
    server = listening(tmp_path / "log", socket.SOCK_DGRAM)
    sink = make_sink(Output(name="x", kind="journald", path=str(tmp_path / "log")))
    huge = b'{"a":"' + b"x" * 4_000_000 + b'"}\n'
    assert sink.write(b'{"a":1}\n' + huge, NEVER) == 8 + len(huge)
    assert server.recv(1000) == b'PRIORITY=6\nSYSLOG_IDENTIFIER=auditpack\nMESSAGE={"a":1}\n'
    data, ancillary, _, _ = server.recvmsg(100, socket.CMSG_LEN(4))
    assert data == b""
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2][:4])
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        assert file.read().endswith(huge)


def test_rotated_files_are_kept_by_number_age_and_size(tmp_path: Path) -> None:
    for number, name in enumerate(("e", "e.1.gz", "e.2", "e.3.zst", "e.x", "other.1"), 1):
        (tmp_path / name).write_bytes(b"x" * 100 * number)
    folder = os.open(tmp_path, os.O_RDONLY)
    rotation = Rotation(folder, "e")
    rotation.shift(3)
    assert numbered(tmp_path) == ["e.1", "e.2.gz", "e.3", "e.x", "other.1"]
    rotation.keep(3, 0, 300, time.time())
    assert numbered(tmp_path) == ["e.1", "e.2.gz", "e.x", "other.1"]
    os.utime(tmp_path / "e.2.gz", (0, 0))
    rotation.keep(3, 1000, 0, time.time())
    assert numbered(tmp_path) == ["e.1", "e.x", "other.1"]
    rotation.keep(0, 0, 0, time.time())
    assert numbered(tmp_path) == ["e.x", "other.1"]
    os.close(folder)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_rotation_by_size_with_compression_loses_nothing(kind: str, tmp_path: Path) -> None:
    if kind == "zstd" and shutil.which("zstd") is None:
        pytest.skip("no zstd here")
    output = Output(path=str(tmp_path / "e"), max_bytes=1000, generations=1000, compress=kind)
    sink = FileSink(output)
    expected = b""
    for number in range(60):
        chunk = b"%04d %s\n" % (number, b"x" * 95)
        expected += chunk
        assert sink.write(chunk, NEVER) == len(chunk)
    sink.release()
    assert sink.compress_errors == 0
    names = sorted(numbered(tmp_path), key=lambda name: -int(([*name.split("."), "0"])[1]))
    found = b""
    for name in names:
        data = (tmp_path / name).read_bytes()
        if name.endswith(".gz"):
            data = gzip.decompress(data)
        elif name.endswith(".zst"):
            data = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
        found += data
    assert found == expected
    assert len(names) == 7


def test_rotation_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(Output(path=str(tmp_path / "e"), max_bytes=0, rotate_seconds=3600))
    sink.write(b"1\n", NEVER)
    sink.write(b"2\n", NEVER)
    later = time.time() + 3600
    monkeypatch.setattr("auditpack_collector.file_sink.time.time", lambda: later)
    sink.write(b"3\n", NEVER)
    sink.release()
    assert (tmp_path / "e.1").read_bytes() == b"1\n2\n"
    assert (tmp_path / "e").read_bytes() == b"3\n"


def test_a_file_that_was_removed_or_renamed_is_made_anew(tmp_path: Path) -> None:
    sink = FileSink(Output(path=str(tmp_path / "e")))
    sink.write(b"1\n", NEVER)
    (tmp_path / "e").unlink()
    sink.write(b"2\n", NEVER)
    assert (tmp_path / "e").read_bytes() == b"2\n"
    (tmp_path / "e").rename(tmp_path / "moved")
    sink._look = 0.0
    sink.write(b"3\n", NEVER)
    assert (tmp_path / "e").read_bytes() == b"3\n"
    sink.release()


def test_readers_by_acl(tmp_path: Path) -> None:
    found = acl.entries(("@root", "root", "@root"))
    assert found == [(0x02, 0), (0x08, 0)]
    encoded = acl.encode(found)
    rows = [struct.unpack_from("<HHI", encoded, 4 + 8 * place) for place in range((len(encoded) - 4) // 8)]
    assert encoded[:4] == b"\x02\0\0\0"
    assert rows == [
        (0x01, 6, 0xFFFFFFFF),
        (0x02, 4, 0),
        (0x04, 4, 0xFFFFFFFF),
        (0x08, 4, 0),
        (0x10, 4, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    ]
    with pytest.raises(KeyError, match="no account 'nobody-here'"):
        acl.entries(("nobody-here",))
    sink = FileSink(Output(path=str(tmp_path / "e"), readers=("root",)))
    sink.open()
    assert os.getxattr(tmp_path / "e", acl.XATTR) == acl.encode([(0x02, 0)])
    sink.release()
