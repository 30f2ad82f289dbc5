# SPDX-License-Identifier: Apache-2.0
"""What an image is made of decides its name; where packages come from is taken from the machine."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from lablib import build, image, keys, seed, sources
from lablib.errors import LabError

BOOKWORM = [
    "Debian|main|http://mirror.example/debian/|bookworm",
    "Debian|main|http://mirror.example/debian/|bookworm-updates",
    "Debian|main|http://security.example/debian-security/|bookworm-security",
    "Debian|main|http://mirror.example/debian/|bookworm-backports",
    "Debian|contrib|http://other.example/debian/|bookworm",
    "Docker|main|http://third.example/linux/debian/|bookworm",
]


def uris(lines: list[str]) -> list[list[str]]:
    return [line.split("] ")[-1].removeprefix("deb ").split()[:2] for line in lines]


def test_the_machines_mirror_serves_every_release() -> None:
    assert uris(sources.debian_sources("debian13", "", BOOKWORM)) == [
        ["http://mirror.example/debian/", "trixie"],
        ["http://mirror.example/debian/", "trixie-updates"],
        ["http://security.example/debian-security/", "trixie-security"],
    ]


def test_another_distribution_leaves_the_choice_to_mmdebstrap() -> None:
    assert sources.debian_sources("debian12", "", ["Ubuntu|main|http://archive.example/ubuntu/|noble"]) == []


def test_mirror_overrides() -> None:
    assert uris(sources.debian_sources("debian12", "http://own.example/debian", BOOKWORM)) == [
        ["http://own.example/debian", "bookworm"],
        ["http://own.example/debian", "bookworm-updates"],
    ]


def test_unknown_distro_says_what_is_known() -> None:
    with pytest.raises(LabError, match=r"plan9.*\n.*debian12.*image="):
        sources.debian_sources("plan9", "", [])


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(build.RECIPE, tmp_path / "image")
    monkeypatch.setattr(build, "RECIPE", tmp_path / "image")
    return tmp_path / "image"


def test_digest_is_stable_and_sees_every_input(recipe: Path) -> None:
    first = image.digest("debian12", "amd64", ["deb a"])
    assert first == image.digest("debian12", "amd64", ["deb a"])
    seen = {first, image.digest("debian13", "amd64", ["deb a"]), image.digest("debian12", "arm64", ["deb a"])}
    seen.add(image.digest("debian12", "amd64", ["deb b"]))
    (recipe / "packages").write_text("curl\n")
    seen.add(image.digest("debian12", "amd64", ["deb a"]))
    (recipe / "root" / "etc" / "new").write_text("")
    seen.add(image.digest("debian12", "amd64", ["deb a"]))
    (recipe / "root" / "etc" / "new").chmod(0o755)
    seen.add(image.digest("debian12", "amd64", ["deb a"]))
    assert len(seen) == 7


def test_a_complete_image_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_build(*_: object) -> None:
        raise AssertionError("built although cached")

    monkeypatch.setattr(image, "_build", no_build)
    lines = sources.debian_sources("debian12", "http://own.example/debian", [])
    folder = tmp_path / f"debian12-amd64-{image.digest('debian12', 'amd64', lines)}"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"build": "1", "distro": "debian12", "arch": "amd64"}))
    assert image.ensure("debian12", "amd64", tmp_path, "http://own.example/debian") == folder
    assert image.read_manifest(folder)["build"] == "1"


def test_an_incomplete_image_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="not complete"):
        image.read_manifest(tmp_path)


def test_overlay_belongs_to_root_whatever_the_checkout(recipe: Path, tmp_path: Path) -> None:
    (recipe / "root" / "etc" / "fstab").chmod(0o600)
    build._overlay(tmp_path / "o.tar")
    with tarfile.open(tmp_path / "o.tar") as archive:
        entries = {entry.name: entry for entry in archive}
    assert all((entry.uid, entry.gid) == (0, 0) for entry in entries.values())
    assert entries["etc/fstab"].mode == 0o644
    assert entries["usr/lib/lab/seed"].mode == 0o755


def test_recipe_installs_no_auditd() -> None:
    packages = build.words(build.RECIPE / "packages")
    assert "auditd" not in packages and "openssh-server" in packages
    assert {"auditd", "audispd-plugins"} <= set(build.words(build.RECIPE / "archive"))


def test_seed_and_known_hosts(tmp_path: Path) -> None:
    authorized = keys.ensure(tmp_path / "ssh_key", "lab")
    assert keys.ensure(tmp_path / "ssh_key", "lab") == authorized
    public = keys.ensure(tmp_path / "host", "host")
    keys.write_known_hosts(tmp_path / "known_hosts", "127.0.0.1", 2222, public)
    assert (tmp_path / "known_hosts").read_text() == f"[127.0.0.1]:2222 {' '.join(public.split()[:2])}\n"
    seed.write_tar(tmp_path / "seed", "web", authorized, tmp_path / "host", "pw")
    assert (tmp_path / "seed").stat().st_size % 512 == 0  # a disk has whole sectors
    with tarfile.open(tmp_path / "seed") as archive:
        modes = {entry.name: entry.mode for entry in archive}
        chpasswd = archive.extractfile("var/lib/lab/chpasswd")
        assert chpasswd is not None and chpasswd.read() == b"bob:pw\n"
    assert modes["etc/ssh/ssh_host_ed25519_key"] == modes["root/.ssh/authorized_keys"] == 0o600


def test_nocloud_seed_is_a_volume_cloud_init_looks_for(tmp_path: Path) -> None:
    keys.ensure(tmp_path / "host", "host")
    seed.write_nocloud(tmp_path / "seed", "web", "#cloud-config\n{}\n", tmp_path / "host")
    volume = (tmp_path / "seed").read_bytes()
    assert volume[32769:32774] == b"CD001"
    assert volume[32808:32840].strip() == b"CIDATA"
    for part in (b"#cloud-config\n{}\n", b'"local-hostname": "web"', b"BEGIN OPENSSH PRIVATE KEY"):
        assert part in volume
    assert [path.name for path in tmp_path.glob("seed-*")] == []
