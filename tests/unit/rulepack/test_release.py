# SPDX-License-Identifier: Apache-2.0
"""`auditpack release` and `verify`: the same bytes anywhere, and no quiet change of what was released."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from auditpack.cli import main
from auditpack.release import archive, read_index

OURS = Path(__file__).parents[3] / "rulepacks"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of ours as version 1.0.0."""
    folder = Path(shutil.copytree(OURS / "sudoers", tmp_path / "here" / "sudoers"))
    file = folder / "pack.yml"
    lines = ["version: 1.0.0" if line.startswith("version:") else line for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines) + "\n")
    return folder


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_same_bytes_on_another_day_and_path(pack: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(pack, tmp_path / "elsewhere" / "deep" / "sudoers"))
    for file in other.iterdir():
        os.utime(file, (1, 1))
        file.chmod(0o600)
    assert archive(pack, "sudoers") == archive(other, "sudoers")


def test_release_and_verify(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "registry"
    assert main(["release", str(pack), "--out", str(out)]) == 0
    file = out / "sudoers-1.0.0.tar.gz"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert capsys.readouterr().out == f"{digest}  {file}\n"
    assert [(one.name, one.version, one.sha256, one.commit) for one in read_index(out)] == [
        ("sudoers", "1.0.0", digest, "")
    ]
    assert main(["release", str(pack), "--out", str(out)]) == 0  # the same again changes nothing
    assert len(read_index(out)) == 1
    assert main(["verify", str(out)]) == 0
    assert main(["verify", str(file)]) == 0
    assert main(["bump", "--from", str(file), str(pack)]) == 0
    assert capsys.readouterr().out.endswith("none\n")


def test_the_commit_is_named_when_it_has_the_files(pack: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(pack), "-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    assert main(["release", str(pack), "--out", str(tmp_path / "a")]) == 0
    assert len(read_index(tmp_path / "a")[0].commit) == 40
    edit(pack / "pack.yml", "title: ", "title: My ")
    assert main(["release", str(pack), "--out", str(tmp_path / "b")]) == 0
    assert read_index(tmp_path / "b")[0].commit == ""


def test_a_release_never_changes(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "registry")
    assert main(["release", str(pack), "--out", out]) == 0
    edit(pack / "pack.yml", "title: ", "title: My ")
    assert main(["release", str(pack), "--out", out]) == 1
    assert "released already with other content" in capsys.readouterr().err
    edit(pack / "pack.yml", "version: 1.0.0", "version: 1.0.1")
    assert main(["release", str(pack), "--out", out]) == 1
    assert "there is no entry for version 1.0.1" in capsys.readouterr().err
    edit(pack / "CHANGELOG.md", "## 1.0.0", "## 1.0.1\n\n## 1.0.0")
    assert main(["release", str(pack), "--out", out]) == 1  # an empty entry says nothing
    edit(pack / "CHANGELOG.md", "## 1.0.1\n", "## 1.0.1\n\n- Another title.\n")
    assert main(["release", str(pack), "--out", out]) == 0
    edit(pack / "pack.yml", "version: 1.0.1", "version: 1.0.2")
    edit(pack / "CHANGELOG.md", "## 1.0.1", "## 1.0.2\n\n- More.\n\n## 1.0.1")
    edit(pack / "pack.yml", "order: 20", "order: 21")
    capsys.readouterr()
    assert main(["release", str(pack), "--out", out]) == 1
    assert "less than the major bump" in capsys.readouterr().err


def test_verify_refuses(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "registry"
    assert main(["verify", str(tmp_path)]) == 1
    assert "there is no index.yml with releases" in capsys.readouterr().err
    assert main(["release", str(pack), "--out", str(out)]) == 0
    file = out / "sudoers-1.0.0.tar.gz"
    whole = file.read_bytes()
    (out / "stranger-1.0.0.tar.gz").write_bytes(whole)
    assert main(["verify", str(out)]) == 1
    assert "the index does not have it" in capsys.readouterr().err
    assert main(["verify", str(out / "stranger-1.0.0.tar.gz")]) == 1
    (out / "stranger-1.0.0.tar.gz").unlink()
    file.write_bytes(whole + b"x")
    assert main(["verify", str(out)]) == 1
    assert "do not use it" in capsys.readouterr().err
    file.unlink()
    assert main(["verify", str(out)]) == 1
    assert "it is not here" in capsys.readouterr().err
    edit(out / "index.yml", "sudoers-1.0.0.tar.gz", "../../etc/x.tar.gz")
    assert main(["verify", str(out)]) == 1
    assert "is not <name>-<version>.tar.gz" in capsys.readouterr().err
    (out / "index.yml").write_text("releases: [{name: x}]\n")
    assert main(["verify", str(out)]) == 1
    assert "index.yml:1: error: the entry is malformed" in capsys.readouterr().err
