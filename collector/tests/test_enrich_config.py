# SPDX-License-Identifier: Apache-2.0
"""The tables [enrich], [labels] and [[label]]."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditpack_collector import enrich_config
from auditpack_collector.config import Config, Enrich
from auditpack_collector.config_load import ConfigError, load
from auditpack_collector.enrich_options import LabelRule

TEXT = """
[enrich]
ancestors = 3
environment = ["LD_*"]
[labels]
keys = ["software_mgmt"]
inherit = ["software_mgmt", "web"]
[[label]]
name = "web"
exe = ["/usr/sbin/nginx", "*/apache2"]
[[label]]
name = "web"
remove = true
user = ["0"]
"""


def written(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "collector.toml"
    path.write_text(text)
    return load(path)


def test_tables_become_options(tmp_path: Path) -> None:
    made = enrich_config.options(written(tmp_path, TEXT))
    assert made.ancestors == 3
    assert made.keys == ("software_mgmt",)
    assert made.rules == (
        LabelRule("web", exe=("/usr/sbin/nginx", "*/apache2")), LabelRule("web", remove=True, user=("0",)),
    )  # fmt: skip
    assert made.environment == ()  # proc is off
    assert made.proc == ""


def test_an_empty_file_asks_nothing_of_this_machine() -> None:
    made = enrich_config.options(Config())
    assert made.active
    assert not made.asks


def test_proc_is_asked_when_wanted() -> None:
    made = enrich_config.options(Config(enrich=Enrich(proc=True, environment=("LD_PRELOAD",))))
    assert made.proc == "/proc"
    assert made.container
    assert made.environment == ("LD_PRELOAD",)
    assert len(made.boot) == 36


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[label]]\nexe = ["/x"]\n', "a label without name"),
        ('[labels]\ninherit = ["none"]\n', "nothing gives the label 'none'"),
        ('[enrich]\nenvironment = ["A*B"]\n', "'A*B' — a name, or the start of names and *"),
        ("[enrich]\nancestors = 33\n", "enrich.ancestors"),
        ("[enrich]\nhsah = true\n", "unknown key"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        written(tmp_path, text)
    assert message in str(error.value)
    assert "collector.toml:" in str(error.value)
