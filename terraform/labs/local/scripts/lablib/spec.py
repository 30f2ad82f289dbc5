# SPDX-License-Identifier: Apache-2.0
"""What Terraform says of a host: the JSON object that lab.py gets as its argument."""

from __future__ import annotations

from typing import TypedDict


class HostSpec(TypedDict):
    """Paths are absolute; `memory` is in MiB; `image` is empty for an image of our own; `nonce` names this creation."""

    name: str
    distro: str
    arch: str
    memory: int
    cpus: int
    address: str
    port: int
    accel: str
    image: str
    user_data: str
    bob_password: str
    state_dir: str
    cache_dir: str
    nonce: str
