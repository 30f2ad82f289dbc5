# SPDX-License-Identifier: Apache-2.0
"""The command `import-laurel`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auditpack_collector.cli import main
from auditpack_collector.config import Output
from auditpack_collector.config_load import load
from auditpack_collector.errors import InputError
from auditpack_collector.import_laurel import import_laurel

QUIET = """[enrich]
execve-env = []
container = false
systemd = false
pid = false
spawned-by = false
script = false
user-groups = false
"""
SETTINGS = """directory = "/var/log/laurel"
user = "_laurel"
input = "stdin"
statusreport-period = 0
[auditlog]
file = "audit.log"
size = 5000000
generations = 10
read-users = []
[translate]
universal = true
user-db = false
drop-raw = false
[filter]
filter-keys = []
filter-action = "drop"
keep-first-per-process = true
"""


def imported(tmp_path: Path, text: str) -> tuple[str, list[str]]:
    path = tmp_path / "laurel.toml"
    path.write_text(text)
    ours, missed = import_laurel(path)
    return ours, [each.replace(f"{path}: not carried: ", "") for each in missed]


def test_settings_are_carried(tmp_path: Path) -> None:
    ours, missed = imported(tmp_path, SETTINGS + QUIET)
    assert missed == []
    (tmp_path / "ours.toml").write_text(ours)
    config = load(tmp_path / "ours.toml")
    assert (config.user, config.format, config.translate) == ("_laurel", "records", "universal")
    assert config.output == (Output(path="/var/log/laurel/audit.log", max_bytes=5_000_000, generations=10),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("statusreport-period = 60", "statusreport-period = 60"),
        ('input = "unix:/run/x"', 'input = "unix:/run/x"'),
        ('[auditlog]\nfile = "| logger"', 'auditlog.file = "| logger": ours writes a file'),
        ('[auditlog]\nread-users = ["splunk"]', 'auditlog.read-users = ["splunk"]'),
        ("[auditlog]\ngenerations = 0", "auditlog.generations = 0: ours keeps at least one"),
        ("[translate]\ndrop-raw = true", "translate.drop-raw = true"),
        ('[filter]\nfilter-keys = ["a\\"b"]', 'filter.filter-keys = ["a\\"b"]'),
        ('[filter]\nfilter-keys = ["a"]\nfilter-action = "log"', 'filter.filter-action = "log"'),
        ("no-such = 1", "no-such = 1"),
    ],
)
def test_what_is_not_carried_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert message in imported(tmp_path, text + "\n")[1]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="inline tables are read by tomllib alone")
def test_labels_are_named(tmp_path: Path) -> None:
    _, missed = imported(tmp_path, "[label-process]\nlabel-exe = { '^/opt/' = 'opt' }\n")
    assert 'label-process.label-exe = { "^/opt/" = "opt" }' in missed


def test_defaults_are_named(tmp_path: Path) -> None:
    ours, missed = imported(tmp_path, "")
    assert "enrich.pid = true (LAUREL's default)" in missed
    assert 'auditlog.file = "audit.log" in directory = ".": ours wants an absolute path' in missed
    assert "max_bytes = 10485760" in ours


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "laurel.toml"
    path.write_text(SETTINGS)
    assert main(["import-laurel", str(path)]) == 0
    output = capsys.readouterr()
    assert output.out.startswith('user = "_laurel"\nformat = "records"\n')
    assert "laurel.toml: not carried: enrich.container = true (LAUREL's default)\n" in output.err
    path.write_text("x = \n")
    with pytest.raises(InputError, match=r"laurel\.toml"):
        import_laurel(path)
    assert main(["import-laurel", str(path)]) == 1
