# SPDX-License-Identifier: Apache-2.0
"""Container, pod and systemd unit of a process by its control group, and their names as the runtime wrote them down.

No daemon is asked: Docker, containerd (CRI), CRI-O and Podman keep what they know of a container in a file of its id.
Paths: cgroups(7); systemd.unit(5); kubelet's cgroup driver (kubepods…); docker-<id>.scope, cri-containerd-<id>.scope,
crio-<id>.scope, libpod-<id>.scope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .process import Cgroup

MAX_TEXT: Final = 512
MAX_STATE: Final = 4 << 20
"""Bytes of a runtime's file that are read."""
MAX_CACHE: Final = 1024

_ID = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?=$|[./])")
_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=$|[./])")
_LXC = re.compile(r"/lxc(?:\.payload)?[./]([^/]+)")
_NSPAWN = re.compile(r"/machine-([^/]+)\.scope|/systemd-nspawn@([^/]+)\.service")
_RUNTIMES: Final = (
    ("cri-containerd-", "containerd"), ("crio-", "cri-o"), ("libpod-", "podman"), ("libpod_", "podman"),
    ("docker-", "docker"), ("/docker/", "docker"), ("nerdctl-", "containerd"), ("/default/", "containerd"),
)  # fmt: skip
_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap|slice)")
_ANNOTATIONS: Final = {
    "name": ("io.kubernetes.cri.container-name", "io.kubernetes.container.name"),
    "image": ("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "io.kubernetes.cri-o.Image"),
    "pod_name": ("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"),
    "namespace": ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"),
}


def parse(text: str) -> Cgroup:
    """The content of /proc/PID/cgroup, of either version."""
    paths = [line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= 2]
    systemd = next((line.split(":", 2)[2] for line in text.splitlines() if line.startswith("0::")), "")
    systemd = next((line.split(":", 2)[2] for line in text.splitlines() if ":name=systemd:" in line), systemd)
    container = runtime = pod = ""
    for path in paths:
        found = _POD.search(path)
        if found and not pod:
            pod = found[1].replace("_", "-")
        ids = _ID.findall(path)
        if ids and not container:
            container = ids[-1]
            runtime = next((name for mark, name in _RUNTIMES if mark in path), "")
        lxc, machine = _LXC.search(path), _NSPAWN.search(path)
        if not container and lxc:
            container, runtime = lxc[1], "lxc"
        elif not container and machine:
            container, runtime = machine[1] or machine[2], "systemd-nspawn"
    names = [name for name in systemd.split("/") if _UNIT.fullmatch(name)]
    unit = next((name for name in reversed(names) if not name.endswith(".slice")), names[-1] if names else "")
    services = [name for name in names if name.endswith(".service")]
    texts = [container, runtime, pod, unit, "", "", "", "", *services]
    return Cgroup([each.encode("utf-8", "surrogateescape")[:MAX_TEXT].replace(b"\0", b"") for each in texts])


class Containers:
    """What runtimes know, by container id; remembered once known."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        self._known: dict[bytes, tuple[bytes, bytes, bytes, bytes]] = {}

    def name(self, cgroup: Cgroup) -> None:
        """Fill in name, image, pod_name and namespace, as far as they are written down."""
        if not re.fullmatch(rb"[0-9a-f]{64}", cgroup.container):
            return
        known = self._known.get(cgroup.container)
        if known is None:
            known = self._look_up(cgroup.container.decode("ascii"))
            if any(known):
                if len(self._known) >= MAX_CACHE:
                    self._known.clear()
                self._known[cgroup.container] = known
        cgroup.name, cgroup.image, cgroup.pod_name, cgroup.namespace = known

    def _look_up(self, id_: str) -> tuple[bytes, bytes, bytes, bytes]:
        docker = _read(self._root / "var/lib/docker/containers" / id_ / "config.v2.json")
        config = docker.get("Config")
        if isinstance(config, dict):
            texts = _annotations(config.get("Labels"))
            texts["name"] = texts["name"] or _text(docker.get("Name")).lstrip(b"/")
            texts["image"] = texts["image"] or _text(config.get("Image"))
            return texts["name"], texts["image"], texts["pod_name"], texts["namespace"]
        for path in self._bundles(id_):
            texts = _annotations(_read(path).get("annotations"))
            if any(texts.values()):
                return texts["name"], texts["image"], texts["pod_name"], texts["namespace"]
        return b"", b"", b"", b""

    def _bundles(self, id_: str) -> Iterator[Path]:
        yield from sorted((self._root / "run/containerd/io.containerd.runtime.v2.task").glob(f"*/{id_}/config.json"))
        for storage in ("run/containers/storage", "var/lib/containers/storage"):
            yield self._root / storage / "overlay-containers" / id_ / "userdata/config.json"


def _annotations(found: Any) -> dict[str, bytes]:
    table = found if isinstance(found, dict) else {}
    return {
        field: next((_text(table[name]) for name in names if name in table), b"")
        for field, names in _ANNOTATIONS.items()
    }


def _text(value: Any) -> bytes:
    return value.encode("utf-8", "surrogateescape")[:MAX_TEXT].replace(b"\0", b"") if isinstance(value, str) else b""


def _read(path: Path) -> dict[str, Any]:
    """A runtime's JSON file; empty when there is none, or none that can be read: names are a help, not a need."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MAX_STATE))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
