# SPDX-License-Identifier: Apache-2.0
"""`auditpack fetch`, `verify` and `list --outdated`: what is not as released, signed and locked is refused."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from auditpack.cli import main
from auditpack.lock import read_lock
from auditpack.packfile import LARGEST
from auditpack.release import read_index

OURS = Path(__file__).parents[3] / "rulepacks"


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def version(pack: Path, number: str) -> None:
    old = next(line for line in (pack / "pack.yml").read_text().splitlines() if line.startswith("version:"))
    edit(pack / "pack.yml", old, f"version: {number}")
    edit(pack / "CHANGELOG.md", "## 1.0.0", f"## {number}\n\n- Another.\n\n## 1.0.0")


class Place:
    """A maintainer's pack, key and registry, and what a user has: a folder of packs and a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pack = Path(shutil.copytree(OURS / "base", folder / "src" / "base"))
        edit(self.pack / "pack.yml", next(
            line for line in (self.pack / "pack.yml").read_text().splitlines() if line.startswith("version:")
        ), "version: 1.0.0")  # fmt: skip
        self.registry = folder / "registry"
        self.out, self.lock = folder / "packs", folder / "auditpack.lock"
        self.signers = folder / "signers"

    def key(self, name: str, options: str = "") -> Path:
        file = self.folder / name
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)]
        subprocess.run(words, check=True)
        with self.signers.open("a") as stream:
            stream.write(f"{name}@example.org {options} {file.with_suffix('.pub').read_text()}")
        return file

    def release(self, number: str = "1.0.0", *more: str) -> int:
        if number != "1.0.0":
            version(self.pack, number)
        return main(["release", str(self.pack), "--out", str(self.registry), *more])

    def fetch(self, *more: str, location: str = "") -> int:
        where = ["--registry", location or str(self.registry), "--out", str(self.out), "--lock", str(self.lock)]
        return main(["fetch", *where, *more])

    def left(self) -> list[str]:
        return sorted(str(file.relative_to(self.folder)) for file in self.out.rglob("*")) if self.out.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def served(place: Place) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    place.registry.mkdir()
    handler = functools.partial(Quiet, directory=str(place.registry))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_fetch_over_http_locks_and_leaves_the_pack(place: Place, served: str) -> None:
    key = place.key("alice")
    assert place.release("1.0.0", "--sign", str(key)) == 0
    assert place.fetch("base@^1.0", "--signers", str(place.signers), location=served) == 0
    assert sorted(file.name for file in (place.out / "base").iterdir()) == [
        "CHANGELOG.md", "cases.yml", "pack.yml", "rules.yml",
    ]  # fmt: skip
    locked = read_lock(place.lock)["base"]
    assert (locked.version, locked.registry) == ("1.0.0", served)
    assert locked.sha256 == hashlib.sha256((place.registry / "base-1.0.0.tar.gz").read_bytes()).hexdigest()
    assert main(["lint", str(place.out)]) == 0
    assert main(["verify", served, "--signers", str(place.signers)]) == 0


def test_the_locked_version_stays_until_an_update_is_asked_for(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.release() == 0
    assert place.fetch("base@^1") == 0
    assert place.release("1.0.1") == 0
    assert place.fetch() == 0
    assert read_lock(place.lock)["base"].version == "1.0.0"
    capsys.readouterr()
    assert main(["list", str(place.out), "--outdated", "--registry", str(place.registry)]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("base"))
    assert row.split()[:3] == ["base", "1.0.0", "1.0.1"]
    assert place.fetch("--update") == 0
    assert read_lock(place.lock)["base"].version == "1.0.1"
    assert main(["list", str(place.out), "--outdated", "--registry", str(place.registry)]) == 0
    assert "as new as in the registry" in capsys.readouterr().out


def test_an_older_pin_is_a_downgrade_that_must_be_meant(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.release() == 0
    assert place.release("1.0.1") == 0
    assert place.fetch("base") == 0
    before = (place.left(), place.lock.read_text())
    assert place.fetch("base@=1.0.0") == 1
    assert "base 1.0.0 is older than the locked 1.0.1" in capsys.readouterr().err
    assert (place.left(), place.lock.read_text()) == before
    assert place.fetch("base@=1.0.0", "--allow-downgrade") == 0
    assert read_lock(place.lock)["base"].version == "1.0.0"


def test_a_registry_that_forgot_the_newest_is_a_downgrade(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.release() == 0
    old = (place.registry / "index.yml").read_text()
    assert place.release("1.0.1") == 0
    assert place.fetch("base") == 0
    (place.registry / "index.yml").write_text(old)
    assert place.fetch("--update") == 1
    assert "older than the locked 1.0.1" in capsys.readouterr().err


def test_a_changed_digest_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.release() == 0
    assert place.fetch("base") == 0
    digest = read_lock(place.lock)["base"].sha256
    shutil.rmtree(place.registry)
    edit(place.pack / "pack.yml", "title: ", "title: Other ")
    assert place.release() == 0  # the same version with other content, from another registry
    assert place.fetch() == 1
    assert f"was locked with SHA-256 {digest}" in capsys.readouterr().err
    edit(place.registry / "index.yml", read_index(place.registry)[0].sha256, digest)
    assert place.fetch() == 1
    assert "the index says" in capsys.readouterr().err


def test_signatures_that_are_missing_bad_or_of_others(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    key = place.key("alice")
    assert place.release() == 0
    signed = ("base", "--signers", str(place.signers))
    assert place.fetch(*signed) == 1
    assert "index.yml: error: it must be signed" in capsys.readouterr().err
    assert place.release("1.0.0", "--sign", str(key)) == 0
    assert place.fetch(*signed) == 0
    file = place.registry / "base-1.0.0.tar.gz"
    good = Path(f"{file}.sig").read_text()
    Path(f"{file}.sig").write_text((place.registry / "index.yml.sig").read_text())
    assert place.fetch(*signed) == 1
    assert "its signature by alice@example.org does not hold" in capsys.readouterr().err
    Path(f"{file}.sig").write_text(good[:60])
    assert place.fetch(*signed) == 1
    Path(f"{file}.sig").unlink()
    assert place.fetch(*signed) == 1
    assert "base-1.0.0.tar.gz: error: it must be signed" in capsys.readouterr().err
    Path(f"{file}.sig").write_text(good)
    edit(place.registry / "index.yml", "releases:", "# changed\nreleases:")
    assert place.fetch(*signed) == 1
    assert "index.yml: error: its signature by alice@example.org does not hold" in capsys.readouterr().err
    place.signers.write_text("")
    assert place.fetch(*signed) == 1
    assert "does not have or that has expired" in capsys.readouterr().err
    place.signers.unlink()
    assert place.fetch(*signed) == 1
    assert "there is no such file of allowed signers" in capsys.readouterr().err
    assert place.fetch("base") == 0  # not required


def test_an_expired_key_and_another_namespace(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    old = place.key("bob", 'valid-before="20200101"')
    assert place.release("1.0.0", "--sign", str(old)) == 0
    assert place.fetch("base", "--signers", str(place.signers)) == 1
    assert "expired" in capsys.readouterr().err
    assert place.left() == []
    for name in ("index.yml", "base-1.0.0.tar.gz"):
        file = place.registry / name
        Path(f"{file}.sig").unlink()
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", str(old), "-n", "git", str(file)], check=True)
    place.signers.write_text(place.signers.read_text().replace('valid-before="20200101"', ""))
    assert place.fetch("base", "--signers", str(place.signers)) == 1


def test_a_signed_index_is_not_left_unsigned(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    key = place.key("alice")
    assert place.release("1.0.0", "--sign", str(key)) == 0
    assert place.release("1.0.1") == 1
    assert "give --sign KEY" in capsys.readouterr().err
    assert main(["release", str(place.pack), "--out", str(place.registry), "--sign", str(key)]) == 0
    assert main(["verify", str(place.registry), "--signers", str(place.signers)]) == 0


def forge(place: Place, data: bytes) -> None:
    """Let the index say that these bytes are base 1.0.0."""
    place.registry.mkdir(exist_ok=True)
    (place.registry / "base-1.0.0.tar.gz").write_bytes(data)
    (place.registry / "index.yml").write_text(
        "# SPDX-License-Identifier: Apache-2.0\nreleases:\n  - {name: base, version: '1.0.0', "
        f"file: base-1.0.0.tar.gz, sha256: {hashlib.sha256(data).hexdigest()}}}\n"
    )


def packed(*members: tuple[str, bytes, bytes]) -> bytes:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            if kind == tarfile.SYMTYPE:
                member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(inner.getvalue())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../base/pack.yml", tarfile.REGTYPE),
        ("/base/pack.yml", tarfile.REGTYPE),
        ("base/../../pack.yml", tarfile.REGTYPE),
        ("../pack.yml", tarfile.REGTYPE),
        ("base/pack.yml", tarfile.SYMTYPE),
        ("base/run.sh", tarfile.REGTYPE),
        ("base/dir/pack.yml", tarfile.REGTYPE),
    ],
)
def test_paths_that_lead_elsewhere(place: Place, name: str, kind: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    forge(place, packed((name, b"name: base\n", kind)))
    before = sorted(place.folder.rglob("*"))
    assert place.fetch("base") == 1
    assert "take an archive that `auditpack release` made" in capsys.readouterr().err
    assert sorted(place.folder.rglob("*")) == before


def test_oversized_archives(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    forge(place, packed(("base/pack.yml", b"\0" * (LARGEST + 1), tarfile.REGTYPE)))  # small outside, large inside
    assert place.fetch("base") == 1
    assert f"its files are larger than {LARGEST} bytes" in capsys.readouterr().err
    forge(place, b"\0" * (LARGEST + 1))
    assert place.fetch("base") == 1
    assert f"it is larger than {LARGEST} bytes" in capsys.readouterr().err
    assert place.left() == []


def test_half_a_download_leaves_nothing_behind(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.release() == 0
    whole = (place.registry / "base-1.0.0.tar.gz").read_bytes()

    class Half(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = whole if self.path.endswith(".gz") else (place.registry / self.path.strip("/")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if data is whole else data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert place.fetch("base", location=f"http://127.0.0.1:{server.server_port}") == 1
        server.shutdown()
    assert "cannot be read" in capsys.readouterr().err
    assert not place.out.exists()
    assert not place.lock.exists()
    forge(place, whole[: len(whole) // 2])
    assert place.fetch("base") == 1
    assert "no whole .tar.gz archive" in capsys.readouterr().err
    assert not place.out.exists()


def test_a_fault_in_the_middle_puts_the_former_packs_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.release() == 0
    assert place.fetch("base") == 0
    before = {file: file.read_bytes() for file in place.out.rglob("*") if file.is_file()}
    assert place.release("1.0.1") == 0
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.parent.name == "new":
            raise OSError("no space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="no space left"):
        place.fetch("--update")
    assert {file: file.read_bytes() for file in place.out.rglob("*") if file.is_file()} == before
    assert read_lock(place.lock)["base"].version == "1.0.0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "there is no pack nope"),
        (["base@>=9"], "no release of base fits >=9: there are 1.0.0"),
        (["base@x"], "names no pack and range"),
        (["../base"], "names no pack and range"),
        ([], "nothing is asked for and nothing is locked"),
    ],
)
def test_what_cannot_be_asked_for(
    place: Place, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.release() == 0
    assert place.fetch(*words) == 1
    assert message in capsys.readouterr().err


def test_requirements_come_along(place: Place) -> None:
    assert place.release() == 0
    more = Path(shutil.copytree(place.pack, place.folder / "src" / "more"))
    edit(more / "pack.yml", "name: base", "name: more")
    for file in ("rules.yml", "cases.yml"):
        (more / file).write_text("# SPDX-License-Identifier: Apache-2.0\n[]\n")
    edit(more / "pack.yml", "requires: []", 'requires: [{name: base, version: ">=1.0"}]')
    assert main(["release", str(more), "--out", str(place.registry)]) == 0
    assert place.fetch("more") == 0
    assert sorted(read_lock(place.lock)) == ["base", "more"]


def test_broken_indexes_and_locks(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.fetch("base") == 1
    assert "index.yml: error: it is not here" in capsys.readouterr().err
    assert place.release() == 0
    place.lock.write_text("packs: [{name: base}]\n")
    assert place.fetch("base") == 1
    assert "the lock is malformed" in capsys.readouterr().err
    place.lock.unlink()
    edit(place.registry / "index.yml", read_index(place.registry)[0].sha256, "x")
    assert place.fetch("base") == 1
    assert "is no digest" in capsys.readouterr().err
