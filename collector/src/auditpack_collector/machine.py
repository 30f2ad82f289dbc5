# SPDX-License-Identifier: Apache-2.0
"""Which machine this is, from its own files: machine id, boot id, and the cloud's instance where it stands on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple


class Machine(NamedTuple):
    """ "" is unknown. `provider` and `instance` are the cloud's."""

    host: str = ""
    boot: str = ""
    provider: str = ""
    instance: str = ""


_VENDORS: Final = (  # /sys/class/dmi/id/{sys_vendor,chassis_asset_tag,product_name} of the clouds' machines
    ("Amazon EC2", "aws"), ("Google", "gcp"), ("7783-7084-3265-9085-8269-3286-77", "azure"),
    ("DigitalOcean", "digitalocean"), ("Hetzner", "hetzner"), ("Alibaba Cloud", "alibaba"), ("Scaleway", "scaleway"),
    ("OracleCloud.com", "oracle"), ("OpenStack", "openstack"), ("Exoscale", "exoscale"), ("Vultr", "vultr"),
)  # fmt: skip


def machine(root: str = "/") -> Machine:
    """cloud-init keeps the instance in /var/lib/cloud/data/instance-id; EC2 also in board_asset_tag."""
    base = Path(root)
    dmi = base / "sys/class/dmi/id"
    words = " ".join(_read(dmi / name) for name in ("sys_vendor", "chassis_asset_tag", "product_name"))
    instance = _read(base / "var/lib/cloud/data/instance-id")
    if instance in ("", "nocloud") or instance.startswith("iid-"):
        tag = _read(dmi / "board_asset_tag")
        instance = tag if re.fullmatch(r"i-[0-9a-f]{8,32}", tag) else ""
    return Machine(
        _read(base / "etc/machine-id"),
        _read(base / "proc/sys/kernel/random/boot_id"),
        next((name for mark, name in _VENDORS if mark in words), ""),
        instance,
    )


def _read(path: Path) -> str:
    """The first line; "" when the machine has no such file, or it may not be read."""
    try:
        lines = path.read_bytes()[:256].decode("ascii", "replace").splitlines()
    except OSError:
        return ""
    return lines[0].strip() if lines else ""
