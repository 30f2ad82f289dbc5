# SPDX-License-Identifier: Apache-2.0
"""The built collection, installed somewhere else: what a user who never sees this tree gets."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ["audit_daemon", "audit_collector", "audit_rules"]  # of site.yml
ALL_ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
PLAYBOOK = """\
# SPDX-License-Identifier: Apache-2.0
- name: Use each role by its full name
  hosts: all
  gather_facts: false
  roles: [auditpack.linux.audit_daemon, auditpack.linux.audit_collector, auditpack.linux.audit_rules]
"""


class Elsewhere:
    """A folder that knows of the tree only what the tarball brought."""

    def __init__(self, folder: Path, tarball: Path) -> None:
        self.folder = folder
        self.tarball = tarball
        self.collection = folder / "collections/ansible_collections/auditpack/linux"

    def run(self, *command: str, code: int = 0) -> str:
        """Run a program there, with no configuration of this tree; return its output."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_CONFIG": str(self.folder / "empty.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == code, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run(
        ["ansible-galaxy", "collection", "build", "--output-path", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=180,
    )
    (tarball,) = folder.glob("auditpack-linux-*.tar.gz")
    (folder / "empty.cfg").touch()
    place = Elsewhere(folder, tarball)
    place.run("ansible-galaxy", "collection", "install", str(tarball), "-p", str(folder / "collections"))
    (folder / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "hosts.yml").write_text("all: {hosts: {unreachable.invalid: {}}}\n", encoding="utf-8")
    return place


def test_tarball_holds_what_users_need_and_nothing_else(elsewhere: Elsewhere) -> None:
    with tarfile.open(elsewhere.tarball) as tar:
        names = {member.name for member in tar}
    packs = {
        f"rulepacks/{pack.parent.name}/{part}.yml"
        for pack in (ROOT / "rulepacks").glob("*/pack.yml")
        for part in ("pack", "rules")
    } | {f"rulepacks/profiles/{profile.name}" for profile in (ROOT / "rulepacks/profiles").glob("*.yml")}
    wanted = (
        packs
        | {f"roles/{role}/meta/argument_specs.yml" for role in ALL_ROLES}
        | {f"plugins/modules/{name}.py" for name in MODULES}
    )
    wanted |= {"README.md", "LICENSE", "CHANGELOG.md", "site.yml", "meta/runtime.yml"}
    assert wanted <= names, f"missing: {sorted(wanted - names)}"
    stray = [
        name
        for name in names
        if name.split("/")[0] in {"tests", "molecule", "terraform", "build", ".venv", ".ci", ".git"}
    ]
    stray += [name for name in names if name.endswith((".pyc", ".so", ".tfstate")) or "_cache/" in name]
    assert not stray


@pytest.mark.parametrize("playbook", ["play.yml", "auditpack.linux.site"])
def test_playbooks_find_every_role(elsewhere: Elsewhere, playbook: str) -> None:
    elsewhere.run("ansible-playbook", "-i", "hosts.yml", playbook, "--syntax-check")
    tasks = elsewhere.run("ansible-playbook", "-i", "hosts.yml", playbook, "--list-tasks")
    assert all(f"{role} : " in tasks for role in ROLES), tasks


@pytest.mark.parametrize("role", ALL_ROLES)
def test_roles_are_documented(elsewhere: Elsewhere, role: str) -> None:
    pages = json.loads(elsewhere.run("ansible-doc", "--json", "-t", "role", f"auditpack.linux.{role}"))
    options = pages[f"auditpack.linux.{role}"]["entry_points"]["main"]["options"]
    assert options
    assert all(option.get("description") for option in options.values())


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_documented(elsewhere: Elsewhere, module: str) -> None:
    pages = json.loads(elsewhere.run("ansible-doc", "--json", "-t", "module", f"auditpack.linux.{module}"))
    page = pages[f"auditpack.linux.{module}"]
    assert page["doc"]["short_description"]
    assert page["examples"]
    assert page["return"]


def test_a_plain_clone_needs_no_installation(tmp_path: Path) -> None:
    command = ["ansible-playbook", "-i", "localhost,", "site.yml", "--list-tasks"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment["ANSIBLE_HOME"] = str(tmp_path)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert all(f"{role} : " in done.stdout for role in ROLES), done.stdout
