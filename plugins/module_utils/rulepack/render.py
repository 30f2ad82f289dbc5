# SPDX-License-Identifier: Apache-2.0
"""Composed rules + the facts of one host → the auditctl text to load there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .compose import Composition, parent, wanted
from .dead import find_dead, without_covered
from .errors import PackError, raise_if_any
from .fields import Filter, canonical, parse_compare, parse_filter
from .limits import too_much
from .line import Control, Line
from .merge import merge
from .model import Condition, HostFacts, Rule, Value, release_of
from .perms import SINCE, reachable
from .selection import Chosen
from .shadow import Placed, shadows_of
from .styles import Style
from .styles import style as style_of
from .variables import substitute
from .versions import satisfies


@dataclass(frozen=True)
class RenderedLine:
    """One line of the rules file. `also`: ids of rules whose keys it carries too; `line` is None for a control."""

    text: str
    rule: str
    pack: str
    also: tuple[str, ...] = ()
    line: Line | None = None


@dataclass(frozen=True)
class Skipped:
    rule: str
    reason: str


@dataclass(frozen=True)
class ToCreate:
    """A path that must be made before the rules are loaded."""

    path: str
    kind: str
    mode: str
    owner: str
    group: str


@dataclass
class Rendered:
    """`lines` in load order: controls first, rules pack by pack, `-e` last. `notes` are worth telling the user."""

    lines: list[RenderedLine] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[PackError] = field(default_factory=list)
    creates: list[ToCreate] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    calls: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Real path → as the pack has it, where only its parents are links: both name the same to the kernel."""
    files: set[str] = field(default_factory=set)
    """Paths that are known to be no directories: of one, `-w` would watch all below it too."""

    @property
    def text(self) -> str:
        """What `auditctl -R` takes; ends with a newline, since a file without one fuses with the next."""
        return "".join(f"{line.text}\n" for line in self.lines)


IO_URING = ">=3.1"
"""The first audit with the list."""
NARROWS_PERM = ">=4.0"
"""From here on arch and perm together narrow the mask to a table of audit's own, which lacks fchmodat2 and execveat;
naming the calls keeps them in. Before, a rule without calls is looked at on every system call of every process
(auditctl(8), -S); naming those that perm can fire on at all makes it cheap and loses nothing, as long as audit has
names for what the kernel has."""
_CONTROL_ORDER = ("-D", "-b", "-f", "--backlog_wait_time", "-r", "--loginuid-immutable", "-c")


def render(composition: Composition, facts: HostFacts, style: str = "modern") -> Rendered:
    """Write the rules for one host. PackErrors (file:line of the rule) when one cannot stand there or can never win."""
    errors: list[PackError] = []
    rendered = Rendered()
    placed: list[Placed] = []
    controls: dict[str, RenderedLine] = {}
    benchmarks = {one.pack.name: host_benchmark(one, facts) for one in composition.chosen}
    form = style_of(style, next(filter(None, benchmarks.values()), ""))
    for chosen in composition.chosen:
        _check_supports(chosen, facts, errors)
    for chosen, rule in composition.rules():
        reason = _inactive(chosen, rule, facts, benchmarks[chosen.pack.name])
        if reason:
            rendered.skipped.append(Skipped(rule.id, reason))
        elif rule.control:
            control = Control(rule.control.option, substitute(rule.control.value, _values(chosen, facts)))
            if control.option in controls:
                message = f"`{control.option}` is also set by rule `{controls[control.option].rule}`"
                errors.append(_error(rule, message, "keep one of the two"))
            controls[control.option] = RenderedLine(str(control), rule.id, chosen.pack.name)
        else:
            here = rule.under(benchmarks[chosen.pack.name])
            placed += _rule_lines(chosen, here, facts, form, rendered, errors)
    raise_if_any(errors)
    merged = merge(placed, unite=form.unites)
    every = [rule for _, rule in composition.rules()]
    elements = {rule.id for rule in every if rule.each}
    shadows = shadows_of(merged)
    merged, covered = without_covered(merged, elements, shadows)
    shadows = shadows_of(merged) if covered else shadows
    left = {name for one in merged for name in (one.rule, *one.also)}
    rendered.notes += dict.fromkeys(f"{rule}: {reason}" for rule, reason in covered)
    rendered.skipped += [Skipped(rule, reason) for rule, reason in dict(covered).items() if rule not in left]
    problems = [*too_much(merged, {rule.id: rule.place for rule in every}), *find_dead(merged, shadows)]
    raise_if_any(problems)
    rendered.warnings = problems
    ranked = sorted(controls, key=_rank)
    rendered.lines += [controls[option] for option in ranked if option != "-e"]
    rendered.lines += [_line(one, form, rendered) for one in merged]
    rendered.lines += [controls["-e"]] if "-e" in controls else []
    return rendered


def _line(placed: Placed, form: Style, rendered: Rendered) -> RenderedLine:
    if not form.as_written:
        return RenderedLine(form.text(placed.line, True), placed.rule, placed.pack, placed.also, placed.line)
    written = rendered.written
    fields = tuple(
        item._replace(value=written[item.value]) if item.field in ("path", "dir") and item.value in written else item
        for item in placed.line.fields
    )
    line = replace(placed.line, fields=tuple(canonical(item) if item.field == "dir" else item for item in fields))
    where = placed.line.value("path")
    text = form.text(replace(placed.line, fields=fields), where is None or where in rendered.files)
    return RenderedLine(text, placed.rule, placed.pack, placed.also, line)


def host_benchmark(chosen: Chosen, facts: HostFacts) -> str:
    """Id of the benchmark that holds on this host, or an empty string."""
    choice = str(chosen.variables.get("benchmark", ""))
    if choice != "auto":
        return choice
    fits = (one.id for one in chosen.pack.benchmarks if one.fits(facts.distro, facts.distro_version))
    return next(fits, "")


def unmet(condition: Condition, facts: HostFacts, abi: str = "") -> str:
    """Why the condition does not hold on this host, or an empty string."""
    if abi and condition.abis and abi not in condition.abis:
        return f"not for {abi}"
    if condition.machines and facts.machine not in condition.machines:
        return f"for {', '.join(condition.machines)} only, this is {facts.machine}"
    if not satisfies(facts.audit_version, condition.audit):
        return f"needs audit {condition.audit}, this is {facts.audit_version}"
    if not satisfies(facts.kernel, condition.kernel):
        return f"needs kernel {condition.kernel}, this is {facts.kernel}"
    return ""


def _no_arch_with_perm(facts: HostFacts) -> bool:
    """audit 4.0 – 4.0.3 adds `rename` to such a rule; aarch64 lacks it, and the load stops (audit-userspace #496)."""
    return facts.machine == "aarch64" and satisfies(facts.audit_version, ">=4.0,<4.0.4")


def _rank(option: str) -> int:
    return _CONTROL_ORDER.index(option) if option in _CONTROL_ORDER else len(_CONTROL_ORDER)


def _error(rule: Rule, message: str, remedy: str) -> PackError:
    return PackError(rule.place.file, rule.place.line, f"rule `{rule.id}`: {message}", remedy)


def _values(chosen: Chosen, facts: HostFacts) -> dict[str, Value]:
    return {"uid_min": facts.uid_min, **chosen.variables}


def _check_supports(chosen: Chosen, facts: HostFacts, errors: list[PackError]) -> None:
    pack = chosen.pack
    versions = pack.supports.distros.get(facts.distro)
    reason = unmet(pack.supports.condition, facts)
    there = versions is not None and (not versions or any(release_of(facts.distro_version, one) for one in versions))
    if pack.supports.distros and not there:
        known = "; ".join(f"{name} {', '.join(many)}" for name, many in pack.supports.distros.items())
        reason = f"supports {known}, this is {facts.distro} {facts.distro_version}"
    if reason:
        message = f"pack `{pack.name}` does not fit this host: {reason}"
        errors.append(PackError(pack.place.file, pack.place.line, message, "leave the pack out on this host"))
    if pack.benchmarks and not host_benchmark(chosen, facts):
        message = f"pack `{pack.name}` has no benchmark for {facts.distro} {facts.distro_version}"
        names = ", ".join(benchmark.id for benchmark in pack.benchmarks)
        errors.append(PackError(pack.place.file, pack.place.line, message, f"set its variable benchmark to {names}"))


def _inactive(chosen: Chosen, rule: Rule, facts: HostFacts, here: str) -> str:
    if not wanted(chosen, rule):
        return f"`{rule.when}` is not set"
    if chosen.pack.benchmarks and rule.references:
        declared = {benchmark.id for benchmark in chosen.pack.benchmarks}
        named = {reference.benchmark for reference in rule.references} & declared
        if named and here not in named:
            return f"not in benchmark {here}"
    return unmet(rule.condition, facts)


def _rule_lines(  # noqa: PLR0917
    chosen: Chosen, rule: Rule, facts: HostFacts, style: Style, rendered: Rendered, errors: list[PackError]
) -> list[Placed]:
    """The lines of one rule; none when it is skipped or wrong (told in `rendered` or `errors`)."""
    try:
        if rule.list == "io_uring" and not satisfies(facts.audit_version, IO_URING):
            raise ValueError(f'audit {facts.audit_version} has no list io_uring — give the rule `audit: "{IO_URING}"`')
        filters = _filters(chosen, rule, facts)
        matches = _matches(chosen, rule, facts, style, rendered)
    except ValueError as failure:
        message, _, remedy = str(failure).partition(" — ")
        errors.append(_error(rule, message, remedy))
        return []
    base = Line(
        list=rule.list,
        action=rule.action,
        fields=(),
        compares=tuple(parse_compare(text) for text in rule.compares),
        keys=(rule.key,) if rule.key else (),
    )
    abis = tuple(abi for abi in rule.abis if abi in facts.abis)
    if rule.abis and not abis:
        rendered.skipped.append(Skipped(rule.id, f"this host has no {', '.join(rule.abis)}"))
        return []
    found = []
    for match in matches:
        template = replace(base, fields=(*match, *filters))
        for line in style.spell(template, () if rule.perm and _no_arch_with_perm(facts) else abis):
            if rule.perm:
                names = _calls_of_perm(rule.perm, facts, line.arch if style.names_calls else None, rendered)
            else:
                names = _syscalls(rule, facts, line.arch, rendered, errors)
            if names is not None:
                full = replace(line, syscalls=names) if names else line
                found.append(Placed(full, rule.id, chosen.pack.name, rule.place))
    return found


def _filters(chosen: Chosen, rule: Rule, facts: HostFacts) -> tuple[Filter, ...]:
    found = []
    for text in rule.filters:
        item = parse_filter(substitute(text, _values(chosen, facts)) if "$" in text else text)
        try:
            checked = canonical(item, facts.users, facts.groups)
        except KeyError:
            kind = "group" if "gid" in item.field else "user"
            raise ValueError(f"unknown {kind} `{item.value}` on this host — create it, or change the filter") from None
        if checked.field == "exe":
            checked = Filter("exe", item.op, _real(checked.value, facts))
        readable = item.field in ("exit", "msgtype", "a0", "a1", "a2", "a3")
        found.append(item if readable else checked)
    return tuple(found)


def _matches(
    chosen: Chosen, rule: Rule, facts: HostFacts, style: Style, rendered: Rendered
) -> list[tuple[Filter, ...]]:
    """What each line of the rule begins with: one line with nothing, one for a path, one per list element.

    A file that is a link (/sbin/insmod) is watched where it leads; a style for a checker, which looks for the name, has
    a second line for that, which never fires.
    """
    perm = (Filter("perm", "=", canonical(Filter("perm", "=", rule.perm)).value),) if rule.perm else ()
    if rule.each:
        if rule.each not in facts.lists:
            raise ValueError(f"the facts have no list `{rule.each}` — gather them again")
        elements = facts.lists[rule.each]
        if not elements:
            rendered.skipped.append(Skipped(rule.id, f"`{rule.each}` is empty on this host"))
        trees = rule.each in ("homes_elsewhere", "integrity_dirs") or rule.each.startswith("home-dir:")
        name = "dir" if trees else "path"
        spaced = [path for path in elements if re.search(r"\s", path)]
        rendered.notes += [f"{rule.id}: {path!r} is not watched: auditctl cannot read white space" for path in spaced]
        return [(canonical(Filter(name, "=", path)), *perm) for path in elements if path not in spaced]
    if not (rule.path or rule.dir):
        return [()]
    name = "path" if rule.path else "dir"
    wanted_path = canonical(Filter(name, "=", substitute(rule.path or rule.dir, chosen.variables))).value
    path = _present(rule, name, wanted_path, facts, rendered)
    if path is None:
        return []
    if rule.path:
        rendered.files |= {path, wanted_path}
    if path == _real(wanted_path, facts, keep=True):
        rendered.written.setdefault(path, substitute(rule.path or rule.dir, chosen.variables))
        return [(Filter(name, "=", path), *perm)]
    paths = [path, wanted_path] if style.as_written else [path]
    return [(Filter(name, "=", one), *perm) for one in paths]


def _present(rule: Rule, name: str, path: str, facts: HostFacts, rendered: Rendered) -> str | None:
    """The path to watch on this host, or None when the rule is skipped."""
    known = facts.paths.get(path)
    if known is None:
        raise ValueError(f"the facts do not tell of {path} — gather them again")
    kind = known["kind"]
    if kind != "missing" and name == "dir" and kind != "dir":
        raise ValueError(f"{path} is no directory on this host — use `path`")
    if name == "path" and kind == "dir":
        raise ValueError(f"{path} is a directory on this host — use `dir`")
    if kind == "missing" and rule.missing == "skip":
        rendered.skipped.append(Skipped(rule.id, f"{path} is not on this host"))
        return None
    if kind == "missing" and rule.missing == "fail":
        raise ValueError(f"{path} is not on this host — create it, or say `missing: skip`, `create` or `watch`")
    real = _real(path, facts, keep=rule.symlink == "keep")
    if real != path:
        rendered.notes.append(f"{rule.id}: {path} is {real} here; a watch does not follow symbolic links")
    if rule.missing == "create" and rule.create:  # also when it is there: what lies under /run goes at each boot
        create = rule.create
        rendered.creates.append(ToCreate(real, create.kind, create.mode, create.owner, create.group))
    if kind == "missing":
        _absent(rule, real, path, facts, rendered)
    return real


def _real(path: str, facts: HostFacts, *, keep: bool = False) -> str:
    """The path without symbolic links; with `keep`, or when it is missing, its last name stays as it is."""
    above = facts.paths.get(parent(path))
    below_real = f"{above['real'].rstrip('/')}/{path.rpartition('/')[2]}" if above else path
    known = facts.paths.get(path)
    if keep or known is None:
        return below_real
    return below_real if known["kind"] == "missing" and above else known["real"]


def _absent(rule: Rule, real: str, path: str, facts: HostFacts, rendered: Rendered) -> None:
    """`missing: create` or `watch`."""
    if rule.missing == "create":
        rendered.notes.append(f"{rule.id}: {real} is created")
        return
    above = facts.paths.get(parent(path))
    if above and above["kind"] != "dir":
        raise ValueError(f"{parent(path)} is not on this host, so {path} cannot be watched — create it")
    rendered.notes.append(f"{rule.id}: {real} is not there yet and is watched for")


def _calls_of_perm(perm: str, facts: HostFacts, abi: str | None, rendered: Rendered) -> tuple[str, ...] | None:
    """The calls that a rule of arch and perm names on this host; none where audit lacks names of calls it is for."""
    if abi is None:
        return ()
    if (perm, abi) not in rendered.calls:
        table = facts.syscalls.get(abi, {})
        unnamed = [
            name for name in reachable(perm) & SINCE.keys() - table.keys() if satisfies(facts.kernel, SINCE[name])
        ]
        every = unnamed and not satisfies(facts.audit_version, NARROWS_PERM)
        names = sorted(reachable(perm) & table.keys(), key=lambda name: table[name])
        rendered.calls[perm, abi] = () if every else tuple(names)
    return rendered.calls[perm, abi]


def _syscalls(
    rule: Rule, facts: HostFacts, abi: str | None, rendered: Rendered, errors: list[PackError]
) -> tuple[str, ...] | None:
    """The rule's syscalls for one ABI; None when there were some and none is left."""
    if not rule.syscalls or rule.syscalls[0].name == "all":
        return ()
    tables = [facts.syscalls.get(name, {}) for name in ((abi,) if abi else facts.abis)]
    names = []
    for syscall in rule.syscalls:
        reason = unmet(syscall.condition, facts, abi or "")
        if reason:
            rendered.notes.append(f"{rule.id}: {syscall.name} left out: {reason}")
        elif rule.list != "io_uring" and not all(syscall.name in table for table in tables):
            message = f"audit {facts.audit_version} knows no syscall `{syscall.name}` for {abi or 'all ABIs'}"
            remedy = f"mend the name, or give it a condition: {{name: {syscall.name}, machines: […]}}"
            errors.append(_error(rule, message, remedy))
        else:
            names.append(syscall.name)
    if names:
        return tuple(dict.fromkeys(names))
    rendered.notes.append(f"{rule.id}: no syscall is left for {abi or 'this host'}")
    return None
