# SPDX-License-Identifier: Apache-2.0
"""The MIME type of content by its first bytes; by its name nothing is guessed."""

from __future__ import annotations

from typing import Final

HEAD: Final = 512
"""How many bytes `mime_type` wants at most."""

_MAGIC: Final = (
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (257, b"ustar", "application/x-tar"),
    (0, b"!<arch>\ndebian-binary", "application/vnd.debian.binary-package"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"\0asm", "application/wasm"),
    (0, b"-----BEGIN ", "application/x-pem-file"),
    (0, b"<?php", "text/x-php"),
    (0, b"<?xml", "text/xml"),
    (0, b"<!DOCTYPE html", "text/html"),
)
_ELF: Final = {
    1: "application/x-object",
    2: "application/x-executable",
    3: "application/x-sharedlib",
    4: "application/x-coredump",
}
_SCRIPTS: Final = (
    (b"python", "text/x-python"), (b"perl", "text/x-perl"), (b"ruby", "text/x-ruby"), (b"php", "text/x-php"),
    (b"node", "text/javascript"), (b"awk", "text/x-awk"), (b"sh", "text/x-shellscript"),
)  # fmt: skip


def mime_type(head: bytes) -> str:
    """ "" for nothing to go by."""
    if not head:
        return ""
    if head[:4] == b"\x7fELF" and len(head) > 17:
        return _ELF.get(head[16] if head[5] != 2 else head[17], "application/x-elf")
    for at, magic, kind in _MAGIC:
        if head.startswith(magic, at):
            return kind
    if head[:2] == b"#!":
        line = head.split(b"\n", 1)[0]
        return next((kind for word, kind in _SCRIPTS if word in line), "text/plain")
    if b"\0" in head:
        return "application/octet-stream"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 1 or len(head) < HEAD:  # not merely cut in the middle of a character
            return "application/octet-stream"
    return "text/plain"
