#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Format, validate and test the Terraform code, with `terraform` or `tofu` (TERRAFORM names another program).

The AWS provider comes from an unpacked mirror on this machine, else from the registry. With neither, the AWS part is
skipped, and the last line says so. Nothing is written outside a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REGISTRIES = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
PARTS = ("modules/lab_hosts", "labs/local", "labs/aws")
DEPTH = 3  # folders below each top level in which a mirror is looked for


def candidates() -> Iterator[Path]:
    """Where plugins usually lie (Terraform's implied mirrors), then the disk's top levels."""
    home = Path.home()
    if "TF_PLUGIN_CACHE_DIR" in os.environ:
        yield Path(os.environ["TF_PLUGIN_CACHE_DIR"])
    data = os.environ.get("XDG_DATA_HOME", str(home / ".local/share"))
    yield from (home / ".terraform.d/plugins", home / ".terraform.d/plugin-cache", Path(data) / "terraform/plugins")
    yield from (Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins"))
    for top in (Path("/opt"), Path("/srv"), Path("/usr/local"), Path("/var/lib"), home, Path("/mnt"), Path("/")):
        yield from _below(top, 1 if top == Path("/") else DEPTH)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth == 0:
        return
    try:
        children = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except PermissionError:
        return  # what we may not read cannot serve as a mirror either
    for child in children:
        if child not in ("/proc", "/sys", "/dev"):
            yield from _below(Path(child), depth - 1)


def find_mirror(provider: str, places: Iterable[Path]) -> Path | None:
    """The first place that holds the unpacked provider: <place>/<provider>/<version>/<os>_<arch>/."""
    for place in places:
        if (
            place.is_dir()
            and os.access(place, os.X_OK)
            and any((place / provider).glob("*/*_*/terraform-provider-aws*"))
        ):
            return place
    return None


def answers(registry: str) -> bool:
    """Whether the registry can be reached at all."""
    try:
        with socket.create_connection((registry, 443), timeout=5):
            return True
    except OSError:
        return False


def program() -> str:
    """`terraform` or `tofu`."""
    for name in (os.environ.get("TERRAFORM", ""), "terraform", "tofu"):
        path = shutil.which(name) if name else None
        if path:
            return path
    sys.exit("terraform/test.py: neither terraform nor tofu is on PATH; install one, or set TERRAFORM")


def cli_config(provider: str, mirror: Path | None) -> str:
    """Text of a CLI configuration that takes the provider from the mirror."""
    if mirror is None:
        return ""
    return f"""provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["{provider}"]
  }}
  direct {{
    exclude = ["{provider}"]
  }}
}}
"""


def main() -> int:
    """Exit status 0 when every step that ran passed."""
    tool = program()
    registry = REGISTRIES["tofu" if "tofu" in Path(tool).name else "terraform"]
    provider = f"{registry}/hashicorp/aws"
    mirror = find_mirror(provider, candidates())
    skipped = mirror is None and not answers(registry)
    origin = "SKIPPED, neither mirror nor network" if skipped else mirror or registry
    print(f"== {tool}; AWS provider: {origin}", flush=True)
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="terraform-test-") as name:
        work = Path(name)
        (work / "cli.tfrc").write_text(cli_config(provider, mirror), encoding="utf-8")
        # A copy: init writes a lock file beside the code, and the sources stay clean also when interrupted.
        shutil.copytree(HERE, work / "code", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(work / "cli.tfrc"), "TF_IN_AUTOMATION": "1"}
        steps = [("fmt", work / "code", ["fmt", "-check", "-diff", "-recursive"])]
        for part in PARTS:
            if part == "labs/aws" and skipped:
                continue
            steps += [
                (f"{part}: init", work / "code" / part, ["init", "-backend=false", "-input=false", "-no-color"]),
                (f"{part}: validate", work / "code" / part, ["validate", "-no-color"]),
                (f"{part}: test", work / "code" / part, ["test", "-no-color"]),
            ]
        for title, folder, words in steps:
            print(f"== {title}", flush=True)
            done = subprocess.run([tool, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                failed.append(title)
    if skipped:
        print("== labs/aws SKIPPED: no unpacked mirror of the AWS provider here, and no network to its registry")
    print(f"== {'FAILED: ' + ', '.join(failed) if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
