# SPDX-License-Identifier: Apache-2.0
"""argument_specs is the one list of variables: defaults, tasks and module documentation agree with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.module_utils.auditd_conf import KEYS

ROOT = Path(__file__).resolve().parents[3]
ROLES = ("audit_daemon", "audit_collector", "audit_rules")


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def options(role: str) -> dict[str, Any]:
    spec: dict[str, Any] = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return spec


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_specification(role: str) -> None:
    defaults = load(f"roles/{role}/defaults/main.yml")
    assert {name: option.get("default") for name, option in options(role).items()} == defaults


@pytest.mark.parametrize("role", ROLES)
def test_variables_carry_the_roles_name_and_a_description(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_"), name
        assert option["description"].strip(), name


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_used_and_every_used_variable_is_specified(role: str) -> None:
    folder = ROOT / "roles" / role
    text = "".join(path.read_text() for part in ("tasks", "vars") for path in (folder / part).glob("*.yml"))
    # Two underscores: private to the role. _result: what the role's module answered.
    used = {name for name in re.findall(rf"\b{role}_[a-z0-9_]+\b", text) if not name.startswith(f"{role}__")}
    assert used - {f"{role}_result"} == set(options(role))


def test_each_setting_of_auditd_conf_is_a_variable() -> None:
    settings = load("roles/audit_daemon/vars/main.yml")["audit_daemon__settings"]
    # The collector's plugin file lies in auditd's own plugin_dir, so that one stays.
    assert set(settings) == set(KEYS) - {"plugin_dir"}
    assert all(value == f"{{{{ audit_daemon_{name} }}}}" for name, value in settings.items())


@pytest.mark.parametrize("module", ["audit_daemon", "audit_collector", "audit_rules", "audit_facts", "audit_installed"])
def test_module_documentation_lists_its_arguments(module: str) -> None:
    text = (ROOT / f"plugins/modules/{module}.py").read_text()
    documented = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]
    spec = text.split("argument_spec={")[1].split("supports_check_mode")[0]
    assert set(documented) == set(re.findall(r'^ {12}"(\w+)": ', spec, re.MULTILINE))


def test_site_puts_the_sink_before_the_source() -> None:
    names = [role["role"] for role in load("site.yml")[0]["roles"]]
    assert names == ["auditpack.linux.audit_daemon", "auditpack.linux.audit_collector", "auditpack.linux.audit_rules"]
    assert [role["role"] for role in load("playbooks/remove.yml")[0]["roles"]] == names[::-1]
