# SPDX-License-Identifier: Apache-2.0
"""Signatures by `ssh-keygen -Y` (namespace `auditpack`): who released a pack, checked against an allowed-signers file.

The file is that of ssh-keygen(1), ALLOWED SIGNERS: `maintainer@example.org valid-before="20270101" ssh-ed25519 AAAA…`.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from .errors import PackError

NAMESPACE = "auditpack"
SUFFIX = ".sig"


def sign(data: bytes, key: Path) -> bytes:
    """The armoured signature of `data`. `key`: a private key, or a public one whose private half an agent has."""
    done = _keygen("sign", "-f", str(key), data=data)
    if done.returncode:
        raise PackError(str(key), 0, f"cannot sign: {_said(done)}", "name an SSH key that you hold")
    return done.stdout


def verify(data: bytes, signature: bytes, signers: Path, what: str) -> str:
    """Who signed `what`. PackError when it is nobody of `signers`, the key has expired, or the data is other."""
    if not signers.is_file():
        raise PackError(
            str(signers), 0, "there is no such file of allowed signers", "see ssh-keygen(1), ALLOWED SIGNERS"
        )
    with tempfile.TemporaryDirectory(prefix="auditpack-") as scratch:
        file = Path(scratch, "signature")
        file.write_bytes(signature)
        known = _keygen("find-principals", "-s", str(file), "-f", str(signers))
        principals = known.stdout.decode(errors="replace").splitlines()
        if known.returncode or not principals:
            message = f"signed by a key that {signers} does not have or that has expired: {_said(known)}"
            raise PackError(what, 0, message, "do not use it, or add the signer's key when you trust it")
        done = _keygen("verify", "-f", str(signers), "-I", principals[0], "-s", str(file), data=data)
    if done.returncode:
        message = f"its signature by {principals[0]} does not hold: {_said(done)}"
        raise PackError(what, 0, message, "do not use it: it is not what was signed, or the key has expired")
    return principals[0]


def _keygen(action: str, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    namespace = [] if action == "find-principals" else ["-n", NAMESPACE]
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", action, *namespace, *words], input=data, capture_output=True, check=False, timeout=60
        )
    except FileNotFoundError:
        raise PackError("ssh-keygen", 0, "it is not on this machine", "install the package openssh-client") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr + b"\n" + done.stdout).decode(errors="replace").splitlines()
    return "; ".join(dict.fromkeys(line.strip() for line in lines if line.strip())) or f"status {done.returncode}"
