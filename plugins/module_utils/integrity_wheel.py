# SPDX-License-Identifier: Apache-2.0
"""The wheel of auditpack-integrity on the controller: pure Python, zipped from the collection's sources."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from .wheel_build import WheelError, dist_folder, place, version_of

PACKAGE = "auditpack_integrity"
_SUFFIXES = (".py", ".pyi", ".html")


def wheel(source: Path, given: str) -> Path:
    """Return the wheel given, or one zipped anew when its contents differ from the sources."""
    if given:
        if not Path(given).is_file():
            raise WheelError(f"file_integrity_wheel: {given} is not on the controller")
        return Path(given)
    if not (source / "src" / PACKAGE).is_dir():
        raise WheelError(f"file_integrity_wheel: {source} holds no sources; give a wheel")
    version = version_of((source / "pyproject.toml").read_text())
    dist = dist_folder(source)
    dist.mkdir(parents=True, exist_ok=True)
    target = dist / f"{PACKAGE}-{version}-py3-none-any.whl"
    made = dist / f".{target.name}.{hashlib.sha256(str(source).encode()).hexdigest()[:8]}"
    _zip(source / "src", version, made)
    if not target.is_file() or target.read_bytes() != made.read_bytes():
        place(made, target)
    made.unlink()
    return target


def _zip(source: Path, version: str, made: Path) -> None:
    """The same bytes from the same sources."""
    info = f"{PACKAGE}-{version}.dist-info"
    files = {
        str(path.relative_to(source)): path.read_bytes()  # modules shared with the collector are links: their content
        for path in sorted((source / PACKAGE).rglob("*"))
        if path.suffix in _SUFFIXES or path.name == "py.typed"
    }
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: auditpack-integrity\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: auditpack\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nauditpack-integrity = auditpack_integrity.cli:main\n"
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
