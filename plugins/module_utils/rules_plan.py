# SPDX-License-Identifier: Apache-2.0
"""What audit_rules changes on a host: planned as data, then one transaction that either holds or leaves no trace."""

from __future__ import annotations

import contextlib
import datetime
import grp
import json
import os
import pwd
from dataclasses import asdict, dataclass, field
from typing import Any

from . import generations, rulefiles
from .files import MISSING, STATE_DIR, FileState, Originals, difference, file_state, look, put, read_json, write_json
from .generations import CURRENT, FORMER, INSTALLED
from .host import HostError, run
from .rulefiles import RULES_DIR, RULES_FILE
from .ruleload import Gap, Loaded, LoadError, gap, load, read_text, restore
from .rulepack.line import parse_rules
from .rulepack.normalise import listed, normalise

JOURNAL = f"{STATE_DIR}/transaction.json"
FACT = "/etc/ansible/facts.d/auditpack.fact"
TMPFILES = "/etc/tmpfiles.d/auditpack.conf"


class RuleError(HostError):
    """A rule that did not make it into the kernel; `rule` names it: id, pack, line, reason."""

    def __init__(self, message: str, rule: dict[str, str]) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class Job:
    """What the controller rendered for this host."""

    files: dict[str, str]
    lines: list[dict[str, str]]
    creates: list[dict[str, Any]]
    foreign: str
    record: dict[str, Any]

    def origin(self, text: str) -> dict[str, str]:
        """Return id and pack of a line; a line that no pack brought comes from a kept file."""
        for line in self.lines:
            if line["text"] == text:
                return line
        return {"text": text, "rule": "(of another file)" if self.lines else "(as before)", "pack": ""}


@dataclass
class Plan:
    """The transaction as data."""

    loaded: Loaded
    wanted: list[str]
    job: Job
    gap: Gap
    files: dict[str, tuple[FileState, FileState]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Tell whether the host differs from what is wanted."""
        return bool(self.files or self.gap)

    def want(self, path: str, after: FileState) -> None:
        """Plan that a path holds a state, unless it does already."""
        before = look(path)
        if before != after:
            self.files[path] = (before, after)

    @classmethod
    def present(cls, job: Job, by: str = "") -> Plan:
        """Plan to bring the packs' rules, and nothing else, into rules.d and the kernel; `by`: who asks for it."""
        now = rulefiles.read_dir()
        keep, gone, warnings = sort_foreign(now, job.foreign)
        texts = {**{name: now[name] for name in keep}, **job.files}
        merged = rulefiles.merge([texts[name] for name in rulefiles.in_order(list(texts))])
        wanted = rulefiles.directives(merged)
        if "-D" not in wanted:
            raise HostError("audit_rules_packs: no pack brings -D, so a reload would fail; add the pack base")
        loaded = Loaded.now()
        plan = cls(loaded, wanted, job, gap(wanted, loaded), warnings=warnings)
        for entry in job.creates:
            plan._create(entry)
        plan._tmpfiles()
        for name, text in job.files.items():
            plan.want(f"{RULES_DIR}/{name}", file_state(text))
        for name in gone:
            if name not in job.files:
                plan.want(f"{RULES_DIR}/{name}", MISSING)
        plan.want(RULES_FILE, file_state(merged))
        before = dict(read_json(INSTALLED) or {})
        former = read_json(CURRENT)
        if former and not generations.same_set(former["job"]["record"], job.record):
            plan.want(FORMER, look(CURRENT))
        kept = {**asdict(job), "record": generations.plain(job.record)}
        plan.want(CURRENT, file_state(generations.text(kept, wanted), 0o600))
        said = {key: value for key, value in before.items() if key not in generations.VOLATILE}
        if said != job.record or look(FACT).kind == "missing":
            plan._record({**job.record, "when": _utc_now(), "by": by})
        return plan

    @classmethod
    def absent(cls, originals: Originals) -> Plan:
        """Plan to put back the files and rules of before the role came."""
        job = Job({}, [], [], "keep", {})
        before = Loaded.from_json(originals.notes["kernel"])
        wanted = before.text().splitlines()
        loaded = Loaded.now()
        plan = cls(loaded, wanted, job, gap(wanted, loaded))
        for path, state in originals.files.items():
            own = path in (RULES_FILE, INSTALLED, CURRENT, FORMER, FACT, TMPFILES) or path.startswith(f"{RULES_DIR}/")
            if own or state.kind != "missing" or not look(path).content:
                plan.want(path, state)
            else:
                plan.warnings.append(f"{path} was made for a rule and holds data by now: it stays")
        after = {n: t for n, t in rulefiles.read_dir().items() if not rulefiles.is_ours(n)}
        for path, state in originals.files.items():
            if path.startswith(f"{RULES_DIR}/") and state.kind == "file":
                after[os.path.basename(path)] = state.text
        merged = rulefiles.merge([after[name] for name in rulefiles.in_order(list(after))])
        original = originals.files.get(RULES_FILE, MISSING)
        if rulefiles.directives(merged) != rulefiles.directives(original.text):
            plan.want(RULES_FILE, file_state(merged))
        return plan

    def _create(self, entry: dict[str, Any]) -> None:
        """Plan a path that a rule needs; one that is there is left as it is, whatever its mode."""
        if look(entry["path"]).kind == "missing":
            mode = int(str(entry.get("mode", "0755")), 8)
            uid, gid = owner_ids(entry.get("owner", "root"), entry.get("group", "root"))
            self.want(entry["path"], FileState(entry["kind"], b"", mode, uid, gid))

    def _tmpfiles(self) -> None:
        """Directories under /run are made again at each boot, before the rules are loaded."""
        lines = [
            f"d {e['path']} {e.get('mode', '0755')} {e.get('owner', 'root')} {e.get('group', 'root')} -"
            for e in self.job.creates
            if e["kind"] == "dir" and e["path"].startswith(("/run/", "/var/run/"))
        ]
        text = "# Managed by Auditpack: directories that audit rules watch.\n" + "".join(f"{line}\n" for line in lines)
        self.want(TMPFILES, file_state(text, 0o644) if lines else MISSING)

    def _record(self, record: dict[str, Any]) -> None:
        text = json.dumps(record, indent=1, sort_keys=True) + "\n"
        for folder in (os.path.dirname(os.path.dirname(FACT)), os.path.dirname(FACT)):
            if look(folder).kind == "missing":
                self.want(folder, FileState("dir", b"", 0o755, 0, 0))
        self.want(INSTALLED, file_state(text, 0o644))
        self.want(FACT, file_state(text, 0o644))

    def diff(self) -> list[dict[str, str]]:
        """Return Ansible's diff: rules by id; files only where they are not the rules' own, or no rule changes."""
        entries = []
        if self.gap:
            off = set(self.gap.numbers)
            controls = [text for text in self.wanted if not is_rule(text)]
            rules = [text for text in self.wanted if is_rule(text)]
            wording = {
                listed(normalise(line)): self._named(text) for text, line in zip(rules, parse_rules("\n".join(rules)))
            }
            loaded = zip(self.loaded.rules, parse_rules("\n".join(self.loaded.rules)))
            before = [self._named(text) for text in controls if text not in off]
            before += [wording.get(listed(normalise(line)), f"loaded: {text}") for text, line in loaded]
            after = [self._named(text) for text in [*controls, *rules]]
            entries.append(
                {
                    "before_header": "audit rules loaded",
                    "after_header": "audit rules wanted",
                    "before": "".join(f"{line}\n" for line in before),
                    "after": "".join(f"{line}\n" for line in after),
                }
            )
        for path, (old, new) in self.files.items():
            if path in (CURRENT, FORMER):
                continue
            own = path in (RULES_FILE, INSTALLED, FACT) or rulefiles.is_ours(os.path.basename(path))
            if not own or not self.gap:
                entries.append(difference(path, old, new))
        return entries

    def _named(self, text: str) -> str:
        return f"{self.job.origin(text)['rule']}: {text}"

    def write(self, originals: Originals) -> None:
        """Write the files alone: the next boot loads them. For a kernel that takes no rules before it (enabled 2)."""
        self._remember(originals)
        self._put_files()

    def apply(self, originals: Originals) -> None:
        """Load, read back, compare, write, check with augenrules; at the first fault put all back and raise.

        The journal is on disk before the first change, so that a crash in between is undone by the next run.
        """
        self._remember(originals)
        write_json(
            JOURNAL,
            {
                "files": {path: before.to_json() for path, (before, _) in self.files.items()},
                "kernel": self.loaded.to_json(),
                "rules_file": read_text(RULES_FILE),
            },
        )
        try:
            for entry in self.job.creates:
                if entry["path"] in self.files:
                    put(entry["path"], self.files[entry["path"]][1])
            if self.gap:
                self._load()
            self._put_files()
        except BaseException as error:
            recover()
            if isinstance(error, RuleError):
                raise RuleError(
                    f"{error}\nThe former rules are loaded again; no file has changed.", error.rule
                ) from error
            raise
        put(JOURNAL, MISSING)
        if "-e 2" in self.wanted and self.loaded.status.get("enabled") != 2:
            run(["auditctl", "-e", "2"])

    def verify(self) -> None:
        """Raise where the host differs from what is wanted: after a reboot there is nothing to put back."""
        if self.gap.rules.missing:
            raise self._rule_error(self.gap.rules.missing[0].rule, "not loaded at boot; see journalctl -b -u auditd")
        if self.changed:
            raise HostError(
                f"after the reboot the host still differs: {', '.join(self.files) or 'other rules are loaded'}"
            )

    def _remember(self, originals: Originals) -> None:
        originals.notes.setdefault("kernel", self.loaded.to_json())
        originals.keep(self.files)

    def _load(self) -> None:
        # -e 2 comes last of all, when it is certain that nothing must be put back.
        lines = [line for line in self.wanted if line != "-e 2"]
        try:
            load("\n".join(lines) + "\n")
        except LoadError as error:
            text = lines[error.number - 1] if error.number else ""
            raise self._rule_error(text, error.reason) from error
        left = gap(lines, Loaded.now())
        if left.rules.missing:
            raise self._rule_error(left.rules.missing[0].rule, "the kernel does not list it after the load")
        if left:
            raise self._rule_error("", f"after the load the kernel differs:\n{left.rules}\n{' '.join(left.numbers)}")

    def _rule_error(self, text: str, reason: str) -> RuleError:
        origin = self.job.origin(text)
        what = f"rule {origin['rule']} of pack {origin['pack']}: `{text}`" if text else "the rules"
        return RuleError(f"{what} was refused: {reason}", {**origin, "reason": reason})

    def _put_files(self) -> None:
        for path, (_, after) in self.files.items():
            put(path, after)
        verdict = run(["augenrules", "--check"])
        if "No change" not in verdict.out:
            raise HostError(f"augenrules would make another {RULES_FILE} of {RULES_DIR} at boot: {verdict.said}")


def recover() -> bool:
    """Undo a transaction whose journal is on disk; return whether there was one."""
    journal = read_json(JOURNAL)
    if journal is None:
        return False
    before = Loaded.from_json(journal["kernel"])
    for path, state in sorted(journal["files"].items(), reverse=True):  # what lies in a directory before it
        # A directory made for a rule may hold something by now: then it stays.
        with contextlib.suppress(OSError):
            put(path, FileState.from_json(state))
    now = Loaded.now()
    if not now.immutable and now != before and not _same(now, before):
        restore(before, journal["rules_file"])
    put(JOURNAL, MISSING)
    return True


def _same(one: Loaded, other: Loaded) -> bool:
    keys = ("failure", "rate_limit", "backlog_limit", "backlog_wait_time")
    return one.rules == other.rules and all(one.status.get(key) == other.status.get(key) for key in keys)


def undo(plan: Plan, originals: Originals) -> None:
    """Carry out Plan.absent and forget the originals."""
    folders = {path for path, (before, after) in plan.files.items() if before.kind == "dir" and after.kind == "missing"}
    plan.files = {path: change for path, change in plan.files.items() if path not in folders}
    plan.apply(originals)
    for path in sorted(folders, reverse=True):
        with contextlib.suppress(OSError):  # in use by others by now
            os.rmdir(path)
    originals.forget()


def is_rule(text: str) -> bool:
    """Tell a rule from a control line."""
    return text.startswith(("-a", "-A", "-w"))


def sort_foreign(now: dict[str, str], policy: str) -> tuple[list[str], list[str], list[str]]:
    """Return which files of rules.d stay, which go, and warnings; refuse by the policy audit_rules_foreign.

    The stock file of a distribution sets only what pack base sets too: it always goes (and comes back with absent).
    """
    keep, gone, strangers = [], [], []
    for name, text in now.items():
        if rulefiles.is_ours(name) or (rulefiles.is_stock(text) and rulefiles.directives(text)):
            gone.append(name)
        elif not rulefiles.directives(text):
            keep.append(name)
        else:
            strangers.append(name)
    for name in strangers if policy != "remove" else []:
        if not now[name].endswith("\n"):
            raise HostError(
                f"{RULES_DIR}/{name} has no final newline, so augenrules would fuse its last rule with the next file's "
                "first at boot; add the newline, or set audit_rules_foreign: remove"
            )
        if rulefiles.has_never_task(now[name]):
            raise HostError(
                f"{RULES_DIR}/{name}: `-a never,task` switches syscall auditing off; run the role audit_daemon, "
                "which removes it, or set audit_rules_foreign: remove"
            )
    if policy == "remove":
        return keep, gone + strangers, [f"{RULES_DIR}/{name} is moved aside" for name in strangers]
    if policy == "refuse" and strangers:
        raise HostError(
            f"{RULES_DIR} holds rules that no pack brought: {', '.join(sorted(strangers))}. Turn them into a pack, or "
            "set audit_rules_foreign to keep (loaded with the packs) or remove (moved aside until state absent)"
        )
    return keep + strangers, gone, []


def owner_ids(owner: str, group: str) -> tuple[int, int]:
    """Return the ids of an owner and a group."""
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise HostError(f"{error.args[0]} (a rule asks for a path of {owner}:{group}); create it first") from error


def _utc_now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
