# SPDX-License-Identifier: Apache-2.0
"""Compression of rotated files: gzip by Python, zstd by Python 3.14 or the program `zstd`."""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import os
import shutil
import subprocess
from typing import BinaryIO, Final

SUFFIXES: Final = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_BLOCK: Final = 1 << 18


def available(kind: str) -> bool:
    """Whether this machine can."""
    return kind != "zstd" or _has_module() or shutil.which("zstd") is not None


def _has_module() -> bool:
    return importlib.util.find_spec("compression") is not None  # Python 3.14, PEP 784


def compress(kind: str, source: BinaryIO, target: BinaryIO) -> None:
    """All of `source` into `target`, synced to disk. Raises OSError."""
    if kind == "gzip":
        with gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=6, mtime=0) as packed:
            shutil.copyfileobj(source, packed, _BLOCK)
    elif _has_module():
        module = importlib.import_module("compression.zstd")
        with module.ZstdFile(target, "w") as packed:
            shutil.copyfileobj(source, packed, _BLOCK)
    else:
        program = shutil.which("zstd")
        if program is None:
            raise OSError(2, "no program zstd on this machine", "zstd")
        done = subprocess.run([program, "-q", "-c"], stdin=source, stdout=target, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise OSError(5, f"zstd: {done.stderr.decode(errors='replace').strip()}", "zstd")
    target.flush()
    os.fsync(target.fileno())
