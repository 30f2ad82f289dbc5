# SPDX-License-Identifier: Apache-2.0
"""Action: compose and render on the controller, with facts asked of the host; the module then does the transaction."""

from __future__ import annotations

import dataclasses
import functools
import getpass
import hashlib
import socket
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.rulefiles import file_name
from ..module_utils.rulepack.compose import Composition, compose, needs
from ..module_utils.rulepack.errors import PackErrors
from ..module_utils.rulepack.model import HostFacts
from ..module_utils.rulepack.profiles import entries, load_profiles
from ..module_utils.rulepack.release import archive, digest
from ..module_utils.rulepack.render import Rendered, render
from ..module_utils.rulepack.schema import load_packs

OWN_PACKS = Path(__file__).resolve().parents[2] / "rulepacks"
NOTHING = {"rules": 0, "packs": {}, "skipped_rules": [], "notes": [], "reboot_required": False, "recovered": False}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type information
    """Face of the module audit_rules."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Errors in packs, selection or rendering are the user's to mend: they come out as they are."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        arguments["by"] = arguments.get("by") or f"{getpass.getuser()}@{socket.gethostname()}"
        if arguments.get("state", "present") != "present":
            return self._on_host("audit_rules", arguments, task_vars)
        try:
            given = [OWN_PACKS, *map(Path, arguments.get("pack_dirs") or [])]
            folders = list(dict.fromkeys(folder.resolve() for folder in given))  # one named twice is read once
            profiles = entries(load_profiles(folders))
            composition = compose(load_packs(folders), arguments.get("packs") or [], profiles, "audit_rules_packs")
            answer = self._on_host("audit_facts", dataclasses.asdict(needs(composition)), task_vars)
            if answer.get("failed"):
                return answer
            facts = answer["facts"]
            if facts["audit_version"] is None:
                return {**result, **self._bare(composition)}
            rendered = render(composition, HostFacts.from_json(facts), arguments.get("style") or "modern")
        except (PackErrors, ValueError) as error:
            raise AnsibleActionFail(f"audit_rules_packs cannot be used:\n{error}") from error
        job = make_job(composition, rendered, arguments.get("style") or "modern", arguments.get("foreign") or "refuse")
        answer = self._on_host("audit_rules", {**arguments, "job": job}, task_vars)
        return {
            **result,
            **answer,
            "skipped_rules": [dataclasses.asdict(one) for one in rendered.skipped],
            "notes": [*rendered.notes, *map(str, rendered.warnings)],
        }

    def _on_host(self, module: str, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name=f"auditpack.linux.{module}", module_args=arguments, task_vars=task_vars
        )
        return answer

    def _bare(self, composition: Composition) -> dict[str, Any]:
        """Answer for a host without the audit tools: in check mode they may come with an earlier role's real run."""
        if not self._task.check_mode:
            raise AnsibleActionFail("auditctl is not on this host; run the role audit_daemon first, or install auditd")
        packs = ", ".join(f"{one.pack.name} {one.pack.version}" for one in composition.chosen)
        after = f"packs {packs}\n(their rules are rendered when auditd is on the host)\n"
        diff = [{"before_header": "audit rules", "after_header": "audit rules", "before": "", "after": after}]
        return {**NOTHING, "changed": True, "diff": diff}


def make_job(composition: Composition, rendered: Rendered, style: str, foreign: str) -> dict[str, Any]:
    """Return what the host needs: a file per pack, each line's rule, paths to create, and the record to keep."""
    files = {}
    for one in composition.chosen:
        own = [line.text for line in rendered.lines if line.pack == one.pack.name]
        title = f"# Managed by Auditpack: pack {one.pack.name} {one.pack.version}. Changes made here are overwritten."
        if own:
            files[file_name(one.pack.order, one.pack.name)] = "\n".join([title, *own]) + "\n"
    return {
        "files": files,
        "lines": [{"text": line.text, "rule": line.rule, "pack": line.pack} for line in rendered.lines],
        "creates": [dataclasses.asdict(path) for path in rendered.creates],
        "foreign": foreign,
        "record": {
            "packs": {one.pack.name: one.pack.version for one in composition.chosen},
            "sha256": {one.pack.name: _sha256(Path(one.pack.place.file).parent) for one in composition.chosen},
            "style": style,
            "rules": sum(line.line is not None for line in rendered.lines),
            "digest": hashlib.sha256(rendered.text.encode()).hexdigest(),
        },
    }


@functools.lru_cache(maxsize=256)
def _sha256(folder: Path) -> str:
    """The SHA-256 of the release that these files make: what index and lock say of it."""
    return digest(archive(folder, folder.resolve().name))
