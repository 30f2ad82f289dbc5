# SPDX-License-Identifier: Apache-2.0
"""terraform/test.py finds an unpacked provider, and only a real one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PROVIDER = "registry.terraform.io/hashicorp/aws"


@pytest.fixture
def tool() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "terraform" / "test.py"
    spec = importlib.util.spec_from_file_location("terraform_test_tool", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_finds_the_mirror_and_names_it(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "empty" / PROVIDER).mkdir(parents=True)
    binary = tmp_path / "full" / PROVIDER / "5.1.0" / "linux_amd64"
    binary.mkdir(parents=True)
    (binary / "terraform-provider-aws_v5.1.0_x5").touch()
    places = [tmp_path / "missing", tmp_path / "empty", tmp_path / "full"]
    assert tool.find_mirror(PROVIDER, places) == tmp_path / "full"
    assert tool.find_mirror("registry.opentofu.org/hashicorp/aws", places) is None
    assert str(tmp_path / "full") in tool.cli_config(PROVIDER, tmp_path / "full")
    assert tool.cli_config(PROVIDER, None) == ""
