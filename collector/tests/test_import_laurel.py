# SPDX-License-Identifier: Apache-2.0
"""The command `import-laurel`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auditpack_collector.cli import main
from auditpack_collector.config import Config, Enrich, Filter, Input, Label, Labels, Output
from auditpack_collector.config_load import load
from auditpack_collector.errors import InputError
from auditpack_collector.import_laurel import import_laurel

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
[enrich]
execve-env = []
container = false
systemd = false
pid = false
spawned-by = false
script = false
uid-groups = false
"""
MAIN = Output(path="/var/log/laurel/audit.log", max_bytes=5_000_000, generations=10)


def imported(tmp_path: Path, text: str) -> tuple[Config, list[str]]:
    path = tmp_path / "laurel.toml"
    path.write_text(text)
    ours, missed = import_laurel(path)
    (tmp_path / "ours.toml").write_text(ours)
    return load(tmp_path / "ours.toml"), [each.replace(f"{path}: not carried: ", "") for each in missed]


def test_settings_are_carried(tmp_path: Path) -> None:
    config, missed = imported(tmp_path, SETTINGS)
    assert missed == []
    assert (config.user, config.format, config.translate) == ("_laurel", "records", "universal")
    assert config.output == (MAIN,)
    assert config.filter == ()
    assert config.enrich == Enrich(
        process=False, parent=False, script=False, container=False, unit=False, groups=False, proc=False
    )


def test_outputs_inputs_and_filters_are_carried(tmp_path: Path) -> None:
    text = SETTINGS.replace('"stdin"', '"unix:/run/audispd_events"').replace(
        "read-users = []", 'read-users = ["root"]\nread-groups = ["adm"]\nline-prefix = "@cee: "'
    )
    text = text.replace('filter-keys = []\nfilter-action = "drop"\nkeep-first-per-process = true', FILTERS)
    config, missed = imported(tmp_path, text)
    assert missed == []
    assert config.input == (Input(kind="unix", path="/run/audispd_events"),)
    side = Output(
        name="filterlog", receives="sent", path="/var/log/laurel/filtered.log", max_bytes=10 << 20, generations=5
    )
    main_output = Output(**{**vars(MAIN), "line_prefix": "@cee: ", "readers": ("root", "@adm")})
    assert config.output == (main_output, side)
    assert config.filter == (
        Filter(name="keys", key=("a", "b"), action="move", to="filterlog"),
        Filter(name="sockaddr", saddr=("127.0.0.1", "*:53"), action="move", to="filterlog"),
        Filter(name="null-keys", key=("",), action="move", to="filterlog"),
        Filter(name="raw-lines", raw="(?:^type=X)|(?:y)", action="move", to="filterlog"),
    )


FILTERS = """filter-keys = ["a", "b"]
filter-null-keys = true
filter-sockaddr = ["127.0.0.1", "*:53"]
filter-raw-lines = ["^type=X", "y"]
filter-action = "log"
keep-first-per-process = false"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("statusreport-period = 60", "statusreport-period = 60"),
        ('[auditlog]\nfile = "| logger"', "auditlog.file = \"| logger\": ours starts no program; use kind = 'unix'"),
        ("[auditlog]\ngenerations = 0", "auditlog.generations = 0: ours keeps at least one"),
        ("[translate]\ndrop-raw = true", "translate.drop-raw = true"),
        ('[filter]\nfilter-keys = ["a*"]', 'filter.filter-keys = ["a*"]: *, ? and a leading ! mean more in ours'),
        (
            '[filter]\nfilter-keys = ["a"]',
            "filter.keep-first-per-process = true: ours filters a process's first event like any",
        ),
        ("no-such = 1", "no-such = 1"),
    ],
)
def test_what_is_not_carried_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert message in imported(tmp_path, text + "\n")[1]


@pytest.mark.parametrize(("file", "kind", "path"), [("-", "stdout", ""), ("unix:/run/s", "unix", "/run/s")])
def test_other_kinds_of_output(tmp_path: Path, file: str, kind: str, path: str) -> None:
    config, _ = imported(tmp_path, f'[auditlog]\nfile = "{file}"\n')
    assert [(each.kind, each.path) for each in config.output] == [(kind, path)]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="inline tables are read by tomllib alone")
def test_labels(tmp_path: Path) -> None:
    text = (
        "[label-process]\nlabel-keys = ['soft']\npropagate-labels = ['soft', 'opt']\n"
        "label-exe = { '^/opt/' = 'opt', 'x.y' = 'odd' }\nunlabel-script = { '^/usr/bin/a\\.sh$' = 'opt' }\n"
    )
    config, missed = imported(tmp_path, text)
    assert config.labels == Labels(keys=("soft",), inherit=("soft", "opt"))
    assert config.label == (
        Label(name="opt", exe=("/opt/*",)),
        Label(name="opt", script=("/usr/bin/a.sh",), remove=True),
    )
    assert 'label-process.label-exe = { "x.y" = "odd" }: ours takes * and ?, no regular expression' in missed


def test_defaults_are_carried(tmp_path: Path) -> None:
    config, missed = imported(tmp_path, "")
    assert config.enrich == Enrich(environment=("LD_PRELOAD", "LD_LIBRARY_PATH"), groups=True, proc=True)
    assert missed == ['auditlog.file = "audit.log" in directory = ".": ours wants an absolute path']
    assert config.output[0].max_bytes == 10 << 20


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "laurel.toml"
    path.write_text(SETTINGS.replace("statusreport-period = 0", "statusreport-period = 9"))
    assert main(["import-laurel", str(path)]) == 0
    output = capsys.readouterr()
    assert output.out.startswith('user = "_laurel"\nformat = "records"\n')
    assert "laurel.toml: not carried: statusreport-period = 9\n" in output.err
    path.write_text("x = \n")
    with pytest.raises(InputError, match=r"laurel\.toml"):
        import_laurel(path)
    assert main(["import-laurel", str(path)]) == 1
