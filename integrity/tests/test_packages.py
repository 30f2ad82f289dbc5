# SPDX-License-Identifier: Apache-2.0
"""Changes by package managers and to packages' files, over a dpkg database of real files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from audit_support import Audited
from integrity_support import World

from auditpack_integrity.packages import Packages
from auditpack_integrity.rpm import Rpm


class Packaged(Audited):
    """Package `tool` owns top/bin/tool and the configuration file top/etc/tool.conf."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.root = world.folder / "root"
        (self.root / "var/lib/dpkg/info").mkdir(parents=True)
        (self.root / "var/log").mkdir(parents=True)
        self.install("1.0", "one", "conf\n")
        self.packages = Packages(world.config, world.baseline, str(self.root))
        world.ledger.annotate = self.packages.annotate
        self.tracker.hold = self.packages.hold

    def install(self, version: str, content: str, conf: str) -> None:
        """What dpkg's database says, without the files."""
        admin = self.root / "var/lib/dpkg"
        tool = os.fsdecode(self.path("bin/tool")).lstrip("/")
        digest = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
        (admin / "info/tool.md5sums").write_text(f"{digest}  {tool}\n")
        config = hashlib.md5(conf.encode(), usedforsecurity=False).hexdigest()
        stanza = f"Package: tool\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
        stanza += f"Conffiles:\n {os.fsdecode(self.path('etc/tool.conf'))} {config}\n"
        (admin / "status.new").write_text(stanza)
        (admin / "status.new").replace(admin / "status")

    def log(self, line: str) -> None:
        with (self.root / "var/log/dpkg.log").open("a") as file:
            file.write(f"2026-11-21 01:00:00 {line}\n")


@pytest.fixture
def packaged(world: World) -> Packaged:
    for name, content in (("bin/tool", "one"), ("etc/tool.conf", "conf\n")):
        (world.top / name).parent.mkdir()
        (world.top / name).write_text(content)
    world.scan()
    return Packaged(world)


def test_an_upgrade_is_marked_with_both_versions_and_fits(packaged: Packaged) -> None:
    packaged.exe = "/usr/bin/dpkg"
    packaged.log("upgrade tool:amd64 1.0 2.0")
    packaged.write("bin/tool.dpkg-new", "two")
    packaged.rename("bin/tool.dpkg-new", "bin/tool")
    packaged.install("2.0", "two", "conf\n")
    events = packaged.settle()
    assert packaged.world.told(events) == {"bin/tool": ["updated"]}
    own = events[0]["file_integrity"]
    assert own["package"] == {
        "manager": "dpkg", "made": True, "name": "tool", "version": "2.0", "old_version": "1.0", "matches": True,
    }  # fmt: skip
    assert events[0]["package"] == {"name": "tool", "type": "dpkg", "version": "2.0"}
    assert own["severity"] == "info"


def test_what_the_manager_writes_and_the_package_does_not_hold_stands_out(packaged: Packaged) -> None:
    packaged.exe = "/usr/bin/dpkg"
    packaged.write("bin/tool", "something else")
    event = packaged.settle()[0]
    assert event["file_integrity"]["package"]["matches"] is False
    assert event["file_integrity"]["severity"] == "high"


def test_a_packages_file_changed_by_somebody_is_raised(packaged: Packaged) -> None:
    packaged.exe = "/usr/bin/vi"
    packaged.write("bin/tool", "planted")
    event = packaged.settle()[0]
    assert event["file_integrity"]["package"] == {
        "manager": "dpkg", "made": False, "name": "tool", "version": "1.0", "matches": False,
    }  # fmt: skip
    assert event["file_integrity"]["severity"] == "high"
    assert event["event"]["reason"] == "a package's file changed by no package manager"


def test_an_edited_configuration_file_is_no_alarm(packaged: Packaged) -> None:
    packaged.write("etc/tool.conf", "mine\n")
    event = packaged.settle()[0]
    assert event["file_integrity"]["package"]["configuration"] is True
    assert event["file_integrity"]["severity"] == "medium"


def test_a_maintainer_script_counts_as_the_manager(packaged: Packaged) -> None:
    packaged.exe, packaged.parent_exe = "/usr/bin/cp", "/usr/bin/dpkg"
    packaged.log("install tool:amd64 <none> 1.0")
    packaged.write("etc/made-by-postinst", "x")
    event = packaged.settle()[0]
    assert event["file_integrity"]["package"]["made"] is True
    assert event["file_integrity"]["package"]["name"] == "tool"
    assert event["file_integrity"]["severity"] == "low"


def test_a_program_called_dpkg_elsewhere_is_not_believed(packaged: Packaged) -> None:
    packaged.exe = "/tmp/dpkg"
    packaged.write("bin/tool", "planted")
    event = packaged.settle()[0]
    assert event["file_integrity"]["package"]["made"] is False
    assert event["file_integrity"]["severity"] == "high"


def test_a_change_waits_while_the_manager_works(packaged: Packaged) -> None:
    packaged.exe = "/usr/bin/dpkg"
    packaged.pid = os.getpid()
    packaged.write("bin/tool", "two")
    assert packaged.settle(5) == []
    assert len(packaged.settle(31)) == 1  # packages.wait is over


def test_configuration_management_is_marked(packaged: Packaged) -> None:
    packaged.world.settings = 'managed = ["deploy"]\n'
    packaged.world.ledger.writer._config = packaged.world.config
    packaged.login = "deploy"
    packaged.write("etc/new", "x")
    event = packaged.settle()[0]
    assert event["file_integrity"]["managed"] is True
    assert event["file_integrity"]["severity"] == "low"


def test_rpm_by_what_its_program_prints(tmp_path: Path) -> None:
    program, database = tmp_path / "rpm", tmp_path / "db"
    database.mkdir()
    (database / "rpmdb.sqlite").write_text("x")
    program.write_text(
        "#!/bin/sh\nprintf 'bash\\t5.2-1\\t8\\t0\\t%064d\\t/usr/bin/bash\\n' 7\n"
        "printf 'bash\\t5.2-1\\t8\\t1\\t\\t/etc/bashrc\\n'\n"
    )
    program.chmod(0o755)
    rpm = Rpm(str(program), (str(database),))
    assert rpm.there()
    assert rpm.stamp()
    assert [(one.name, one.version) for one in rpm.packages()] == [("bash", "5.2-1")]
    files = list(rpm.files("bash"))
    assert [(file.path, file.algorithm, file.configuration) for file in files] == [
        (b"/usr/bin/bash", "sha256", False), (b"/etc/bashrc", "sha256", True),
    ]  # fmt: skip
    assert files[0].digest.hex() == f"{7:064d}"
    program.write_text("#!/bin/sh\nprintf 'bash\\t5.2-2\\t8\\t0\\t%064d\\t/usr/bin/bash\\n' 8\n")
    rpm.packages()
    assert rpm.versions("bash") == ("5.2-1", "5.2-2")
    assert rpm.last_name() == "bash"
