# SPDX-License-Identifier: Apache-2.0
"""`$RAW name args… [-- name args…]…`: make raw system calls, and print what the kernel returned (`-13` for EACCES).

An argument is an integer as in C (`3`, `-100`, `0x1ff`, `0644`), `NULL`, or else a string, passed as a pointer. A name
`b32:…` goes in by the 32-bit gate (`int 0x80`, x86_64 hosts only), which is how a 64-bit program is seen with arch=b32.
Numbers come from `syscalls.json` beside this file (`ausyscall --dump` of the host). Ends with 0 if the call was made.
Runs on hosts: standard library, Python >= 3.9.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import re
import sys
from pathlib import Path

_MAP_32BIT = 0x40
# push rbx; mov eax,edi; mov ebx,esi; mov ecx,edx; mov edx,[r8]; mov esi,[r8+4]; mov edi,[r8+8]; int 0x80; pop rbx; ret
_GATE = bytes.fromhex("53 89f8 89f3 89d1 418b10 418b7004 418b7808 cd80 5b c3")


def main(argv: list[str]) -> int:
    """Exit status: 0 the calls were made, 2 one could not be (the reason on stderr; those after it are not made)."""
    numbers = json.loads((Path(__file__).parent / "syscalls.json").read_text())
    words = argv[1:]
    while True:
        end = words.index("--") if "--" in words else len(words)
        status = _one(words[:end], numbers)
        if status or end == len(words):
            return status
        words = words[end + 1 :]


def _one(words: list[str], numbers: dict[str, dict[str, int]]) -> int:
    if not words:
        print("usage: $RAW [b32:]name [argument…] [-- [b32:]name [argument…]]…", file=sys.stderr)
        return 2
    abi, _, name = words[0].rpartition(":")
    abi = abi or "b64"
    if name not in numbers.get(abi, {}) or len(words) > 7:
        print(f"$RAW: no system call {name!r} with {len(words) - 1} arguments for {abi} here", file=sys.stderr)
        return 2
    call = _call32 if abi == "b32" else _call64
    print(call(numbers[abi][name], words[1:]), flush=True)
    return 0


def _integer(text: str) -> int | None:
    if text == "NULL":
        return 0
    try:
        return int(text, 8) if re.fullmatch("-?0[0-7]+", text) else int(text, 0)
    except ValueError:
        return None


def _call64(number: int, arguments: list[str]) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed: list[ctypes.c_long | ctypes.c_char_p] = []
    for text in arguments:
        value = _integer(text)
        passed.append(ctypes.c_char_p(os.fsencode(text)) if value is None else ctypes.c_long(value))
    passed += [ctypes.c_long(0)] * (6 - len(passed))
    result = int(libc.syscall(ctypes.c_long(number), *passed))
    return -ctypes.get_errno() if result == -1 else result


def _call32(number: int, arguments: list[str]) -> int:
    """Five arguments at most. Strings and code lie below 4 GiB, where 32-bit registers reach."""
    if os.uname().machine != "x86_64":
        raise SystemExit("$RAW: b32 calls need an x86_64 host")
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_32BIT
    page = mmap.mmap(-1, 65536, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    base = ctypes.addressof(ctypes.c_char.from_buffer(page))
    page.write(_GATE)
    values = []
    for text in arguments:
        value = _integer(text)
        if value is None:
            value = base + page.tell()
            page.write(os.fsencode(text) + b"\0")
        values.append(value & 0xFFFFFFFF)
    values += [0] * (5 - len(values))
    rest = (ctypes.c_uint32 * 3)(*values[2:5])
    gate = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint32] * 3, ctypes.c_void_p, ctypes.c_void_p)(base)
    return int(gate(number, values[0], values[1], None, ctypes.addressof(rest)))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
