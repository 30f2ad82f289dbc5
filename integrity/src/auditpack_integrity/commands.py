# SPDX-License-Identifier: Apache-2.0
"""What the commands do, beside `run`."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .baseline import Baseline, load_state
from .change import Change
from .config import Config
from .control import ask
from .errors import IntegrityError
from .export import compare
from .holding import held
from .journal import Entry, Journal
from .ledger import Ledger
from .output import EventFile
from .quote import ecs_text as text
from .report import who
from .rescan import Rescanner, Running
from .selection import Selection
from .tables import shown, table


def scan(config: Config, full: bool, progress: bool) -> int:
    """Scan in this process, or have the running service do it; waits for the end."""
    with held(config) as mine:
        if not mine:
            for line in ask(config, "scan full" if full else "scan"):
                if progress:
                    print(line, file=sys.stderr)
            return 0
        baseline = Baseline(config.database)
        baseline.rehash(config.hashes)
        ledger = Ledger(config, baseline)
        for notice in baseline.notices:
            print(f"auditpack-integrity: {notice}", file=sys.stderr)
            ledger.note("baseline_rebuilt", notice)
        rescanner = Rescanner(config, ledger)
        last = 0.0
        for running, _ in rescanner.slices(Selection(config), full or rescanner.full_due(time.time())):
            if progress and time.monotonic() - last >= 1:
                last = time.monotonic()
                print(progress_line(running), file=sys.stderr)
        events = EventFile(config.output)
        events.flush(ledger.journal)
        if progress:
            print(f"{ledger.baseline.count()} names kept; {sum(ledger.counters.values())} changes", file=sys.stderr)
        if events.last_error:
            raise IntegrityError(f"{events.last_error} — the events wait in the journal; the next scan prints them")
        baseline.close()
        return 0


def progress_line(running: Running) -> str:
    report = running.report()
    done = f" of about {running.expected}" if running.expected and not running.initial else ""
    return (
        f"{report['kind']} scan: {report['entries']}{done} names, {report['changes']} changes, "
        f"in {shown(report['path'])}"
    )


def check(config: Config, as_json: bool, verify: bool) -> int:
    """Print what nobody has accepted; 1 when there is something, or the chain is broken."""
    baseline = Baseline(config.database, read_only=True)
    journal = Journal(baseline)
    if baseline.meta("scan.last") is None:
        raise IntegrityError("the first scan has not ended, so there is nothing to compare with — wait, or run `scan`")
    broken = verified(baseline, journal) if verify else []
    for message in broken:
        print(f"auditpack-integrity: {message}", file=sys.stderr)
    rows = list(_differing(baseline, journal))
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif rows:
        heads = ("SEVERITY", "WHEN", "WHAT", "WHO", "HOW", "PATH")
        print(table(heads, [[row[head.lower()] for head in heads] for row in rows]))
        print(f"\n{len(rows)} paths differ from what was accepted")
    else:
        print("nothing differs from what was accepted")
    return 1 if rows or broken else 0


def check_baseline(file: Path, root: bytes, as_json: bool) -> int:
    """Print how a tree differs from an exported baseline; 1 when it does."""
    rows = []
    for change in compare(file, root):
        differ = ", ".join(each for each in change.differences() if each not in ("inode", "device"))
        rows.append(
            {"what": " ".join(change.actions()) + (f" ({differ})" if differ else ""), "path": text(change.path)}
        )
    for row in rows if as_json else ():
        print(json.dumps(row, ensure_ascii=False))
    if rows and not as_json:
        print(table(("WHAT", "PATH"), [[row["what"], row["path"]] for row in rows]))
    if not as_json:
        print(f"{len(rows)} paths differ from the exported baseline" if rows else "nothing differs")
    return 1 if rows else 0


def verified(baseline: Baseline, journal: Journal) -> list[str]:
    """What is wrong with the database as a record."""
    wrong = journal.verify()
    out = [f"the journal was tampered with: {wrong}"] if wrong else []
    if baseline.computed_sum() != baseline.sum():
        out.append("the baseline was tampered with: its entries do not add up to the sum kept with each change")
    return out


def _differing(baseline: Baseline, journal: Journal) -> Iterator[dict[str, Any]]:
    for path, _first, last, was in journal.unaccepted():
        change = Change(path, load_state(was), baseline.get(path))
        told = baseline.database.execute("SELECT time, body FROM journal WHERE seq = ?", (last,)).fetchone()
        body = json.loads(told[1]) if told else {}
        yield {
            "path": text(path),
            "what": " ".join(change.actions() or ["changed"])
            + (f" ({', '.join(change.differences())})" if change.differences() else ""),
            "when": _when(told[0]) if told else "",
            "severity": body.get("file_integrity", {}).get("severity", ""),
            **_who(body),
        }


def _who(body: dict[str, Any]) -> dict[str, str]:
    own = body.get("file_integrity", {})
    how = body.get("process", {}).get("executable") or body.get("process", {}).get("name") or "-"
    package = own.get("package")
    if package and package.get("made"):
        how += f" ({package['name']} {package.get('old_version') or ''} → {package.get('version') or ''})"
    return {"who": who(body), "how": how}


def history(config: Config, path: bytes, as_json: bool) -> int:
    """Print every change of a path; 1 when none is known."""
    path = b"/" + path.strip(b"/") if path.startswith(b"/") else os.path.join(os.getcwdb(), path)
    baseline = Baseline(config.database, read_only=True)
    found = [entry for entry in Journal(baseline).entries() if _concerns(entry, path)]
    if as_json:
        for entry in found:
            print(json.dumps(entry.body, ensure_ascii=False))
    else:
        rows = [_history_row(entry) for entry in found]
        if rows:
            print(table(("NUMBER", "WHEN", "WHAT", "WHO", "HOW"), rows))
        state = baseline.get(path)
        print(f"{shown(text(path))}: " + ("no change known" if not rows else f"{len(rows)} entries")
              + ("" if state else "; not in the baseline"))  # fmt: skip
    return 0 if found else 1


def _concerns(entry: Entry, path: bytes) -> bool:
    if entry.path == path:
        return True
    if entry.kind == "accept":
        return path.hex() in entry.body["paths"]
    own = entry.body.get("file_integrity", {})
    return text(path) in (own.get("moved_from"), own.get("renamed_from"))


def _history_row(entry: Entry) -> list[object]:
    when = _when(entry.time)
    if entry.kind == "accept":
        return [entry.seq, when, f"accepted: {entry.body['reason']}", entry.body["by"], "-"]
    body = entry.body
    own = body.get("file_integrity", {})
    what = " ".join(body["event"]["action"])
    if own.get("changed"):
        what += f" ({', '.join(own['changed'])})"
    for key, word in (("moved_from", "from"), ("moved_to", "to"), ("renamed_from", "by"), ("linked_to", "link of")):
        if key in own:
            what += f" {word} {own[key]}"
    names = _who(body)
    return [entry.seq, when, what, names["who"], names["how"]]


def accept(config: Config, paths: list[bytes], reason: str) -> int:
    """Take what differs as right; 1 when nothing of it differed."""
    if not reason.strip():
        raise IntegrityError("--reason is empty — say why these changes are right")
    if not config.database.exists():
        raise IntegrityError(f"{config.database}: no baseline yet")
    cwd = os.getcwdb()
    named = [os.path.normpath(os.path.join(cwd, path)) for path in paths]
    chosen = Journal(Baseline(config.database)).accept(named, reason.strip(), _myself(), time.time(), trees=True)
    for path in chosen:
        print(f"accepted {shown(text(path))}")
    if not chosen:
        print("nothing there differs from what was accepted")
    return 0 if chosen else 1


def _myself() -> str:
    """The login behind sudo and su where audit knows it, and who runs this."""
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        login = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        return name
    if login == 0xFFFFFFFF or login == os.getuid():
        return name
    try:
        return f"{pwd.getpwuid(login).pw_name} as {name}"
    except KeyError:
        return f"{login} as {name}"


def status(config: Config, as_json: bool) -> int:
    """Print how all is; 1 when the service does not run, or is not well."""
    path = Path(config.state) / "status.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        report = {}
    except ValueError as error:
        raise IntegrityError(f"{path}: {error}") from error
    with held(config) as mine:
        running = not mine
    report["running"] = running
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
        return 0 if running and not report.get("problems") else 1
    rows: list[tuple[str, object]] = [("service", "running" if running else "not running")]
    rows += [(name.replace("_", " "), _plain(value)) for name, value in report.items() if name != "running"]
    if config.database.exists():
        baseline = Baseline(config.database, read_only=True)
        journal = Journal(baseline)
        rows += [("names kept", baseline.count()), ("journal rows", journal.head()[0])]
        rows.append(("not accepted", sum(1 for _ in journal.unaccepted())))
        last = json.loads(baseline.meta("scan.last") or "null")
        if last:
            rows.append(("last scan", f"{last['kind']}, {last['entries']} names, {last['changes']} changes, "
                         f"ended {_when(last['ended'])}, took {last['seconds']} s"))  # fmt: skip
    for name, value in rows:
        print(f"{name:<20}  {shown(value)}")
    return 0 if running and not report.get("problems") else 1


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def watches(config: Config) -> int:
    """Print what audit must watch: directories (with all below) and single files, free of symbolic links."""
    print(json.dumps(watched(Selection(config)), indent=1))
    return 0


def watched(selection: Selection) -> dict[str, list[str]]:
    """Only names that a rule can carry: text without white space at its ends; the others are scanned alone."""
    dirs: list[str] = []
    files: list[str] = []
    for root in selection.roots:
        try:
            name = root.path.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if not name.isprintable() or " " in name:
            continue
        (files if root.depth < 0 else dirs).append(name)
    return {"dirs": dirs, "files": files}
