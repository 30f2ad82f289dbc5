# SPDX-License-Identifier: Apache-2.0
"""The collector's wheels on the controller: those at hand, or built once from the collection's sources."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from .wheel import Wheel, read_record, record_digest

SOURCES = ("src", "csrc", "setup.py", "pyproject.toml")


class WheelError(Exception):
    """No wheel could be found or built; says why and what to do."""


def at_hand(collector: Path, given: str) -> tuple[list[Path], list[str]]:
    """Return wheels, newest first, and notes. Wheels in collector/dist older than the sources are built again."""
    if given:
        if not Path(given).is_file():
            raise WheelError(f"audit_collector_wheel: {given} is not on the controller")
        return [Path(given)], []
    dist = dist_folder(collector)
    dist.mkdir(parents=True, exist_ok=True)
    with (dist / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # each host's task is a process of its own
        notes = []
        found = fresh(collector, dist)
        if not any(Wheel(path.name).native for path in found):
            notes += build_native(collector, dist)
        if all(Wheel(path.name).native for path in fresh(collector, dist)):
            build_pure(collector, dist)
        return fresh(collector, dist), notes


def dist_folder(collector: Path) -> Path:
    """Return where built wheels lie: beside the sources, or in the user's cache where those are read-only."""
    if os.access(collector, os.W_OK):
        return collector / "dist"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "auditpack" / hashlib.sha256(str(collector).encode()).hexdigest()[:16]


def fresh(collector: Path, dist: Path) -> list[Path]:
    """Return the wheels that are no older than any source, newest first."""
    newest = max(path.stat().st_mtime for path in source_files(collector))
    wheels = [(path.stat().st_mtime, path) for path in dist.glob("*.whl")]
    return [path for when, path in sorted(wheels, reverse=True) if when >= newest]


def source_files(collector: Path) -> list[Path]:
    """Return the files that a wheel is made of."""
    files = []
    for name in SOURCES:
        path = collector / name
        files += [path] if path.is_file() else [p for p in path.rglob("*") if p.suffix in (".py", ".pyi", ".c", ".h")]
    if not files:
        raise WheelError(f"audit_collector_wheel: {collector} holds no sources; give a wheel")
    return files


def build_native(collector: Path, dist: Path) -> list[str]:
    """Build the wheel with the C inside, in a copy of the sources; return why not where the controller cannot.

    A marker keeps the answer until the sources change, so that a controller without a compiler is asked once.
    """
    marker = dist / "no-native"
    newest = max(path.stat().st_mtime for path in source_files(collector))
    if marker.exists() and marker.stat().st_mtime >= newest:
        return [marker.read_text()]
    with tempfile.TemporaryDirectory(prefix="auditpack-wheel-") as folder:
        copy = Path(folder, "collector")
        ignore = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
        copy.mkdir()
        for name in SOURCES:
            path = collector / name
            if path.is_dir():
                shutil.copytree(path, copy / name, ignore=ignore)
            elif path.is_file():
                shutil.copy2(path, copy / name)
        (copy / "README.md").touch()
        done = subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(Path(folder, "out"))],
            cwd=copy,
            env={**os.environ, "AUDITPACK_EXTENSION": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-1:]
            why = f"no native wheel was built on the controller ({' '.join(last)}); the collector runs on pure Python"
            marker.write_text(why)
            return [why]
        for path in Path(folder, "out").glob("*.whl"):
            place(path, dist / path.name)
    return []


def build_pure(collector: Path, dist: Path) -> None:
    """Zip the Python sources as a wheel: needs no tools, runs everywhere."""
    version = version_of((collector / "pyproject.toml").read_text())
    info = f"auditpack_collector-{version}.dist-info"
    files = {
        str(path.relative_to(collector / "src")): path.read_bytes()
        for path in sorted((collector / "src" / "auditpack_collector").rglob("*"))
        if path.suffix in (".py", ".pyi") or path.name == "py.typed"
    }
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: auditpack-collector\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: auditpack\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nauditpack-collector = auditpack_collector.cli:main\n"
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with tempfile.TemporaryDirectory(prefix="auditpack-wheel-") as folder:
        made = Path(folder, f"auditpack_collector-{version}-py3-none-any.whl")
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
        place(made, dist / made.name)


def version_of(pyproject: str) -> str:
    """Return the version in a pyproject.toml."""
    for line in pyproject.splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "version":
            return value.strip().strip("\"'")
    raise WheelError("audit_collector_wheel: the collector's pyproject.toml has no version; give a wheel")


def offer(paths: list[Path]) -> list[dict[str, str]]:
    """Return what the host needs to choose: file names and digests of contents."""
    return [{"file": path.name, "digest": record_digest(read_record(str(path)))} for path in paths]


def place(made: Path, target: Path) -> None:
    """Move a wheel into its folder in one step."""
    beside = target.with_name(f".{target.name}")
    shutil.copyfile(made, beside)
    beside.replace(target)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
