# SPDX-License-Identifier: Apache-2.0
"""What is made from config.py: the sample, the schema, the manual, and the printed configuration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditpack_collector.cli import main
from auditpack_collector.config import TABLES, Config, Filter, Input, Output, Queue
from auditpack_collector.config_load import load
from auditpack_collector.config_text import print_config, sample, schema

COLLECTOR = Path(__file__).resolve().parent.parent


def test_what_is_checked_in_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(COLLECTOR / "tools" / "generate_config.py"), "--check"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_sample_is_all_defaults_and_shows_every_key(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(sample())
    assert load(path) == Config()
    path.write_text(re.sub(r"^#(?=\S)", "", sample().replace('"events"', '"other"'), flags=re.M))
    text = path.read_text().replace('\nname = ""', '\nname = "rule"')
    path.write_text(text.replace("user = ", "user = ", 1))
    config = load(path)
    assert config.input == (Input(),)
    assert config.output == (Output(name="other"),)
    assert config.filter == (Filter(name="rule"),)


def test_a_printed_configuration_reads_back_as_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(
        format="records",
        input=(Input(kind="file", path="/a b"), Input(kind="unix", path="/s")),
        output=(Output(), Output(name="x", kind="unix", path='/"q"', receives="sent")),
        filter=(Filter(name="f", exe=("*\\", "ü"), action="copy", to="x"),),
        queue=Queue(disk_bytes=5, policy="newest"),
    )
    path = tmp_path / "c.toml"
    path.write_text(print_config(config))
    assert load(path) == config
    for command in (["print-config", f"--config={path}"], ["run", "--print-config", f"--config={path}"]):
        assert main(command) == 0
        assert capsys.readouterr().out == print_config(config)


def test_the_schema_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema()
    root = json.loads(schema())
    assert set(root["properties"]) == set(vars(Config()))
    for name, kind in TABLES.items():
        assert set(root["properties"][name]["items"]["properties"]) == set(vars(kind()))
    assert root["properties"]["queue"]["properties"]["policy"]["enum"] == ["oldest", "newest", "block"]
    assert root["additionalProperties"] is False


@pytest.mark.parametrize("name", ["auditpack-collector.1", "auditpack-collector.5"])
def test_the_manual_is_formatted_without_a_warning(name: str) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff here")
    path = COLLECTOR / "src" / "auditpack_collector" / "host" / name
    done = subprocess.run([groff, "-mdoc", "-Tascii", "-ww", str(path)], capture_output=True, check=True)
    assert done.stderr == b""
    assert b"auditpack-collector" in done.stdout
