# SPDX-License-Identifier: Apache-2.0
"""Every field of the `ecs` format with its type in Elasticsearch and OpenSearch, and what it says.

The one list: tools/generate_mapping.py makes docs/collector/mapping.md and packaging/index-template.json of it, and the
tests hold events against it. Fields of `auditd.records` follow from fields.py: `record_type`.
"""

from __future__ import annotations

from typing import Final

from . import fields

_FIELDS: Final = """
@timestamp                        date      time stamp of the event's first record, UTC, milliseconds
message                           keyword   text of `auditctl -m` and other messages without fields
tags                              keyword   keys of the audit rules
error.message                     keyword   why a line is no record
error.code                        keyword   no-header, too-long
ecs.version                       keyword   8.17.0
event.id                          keyword   sec.ms:serial, as in the records
event.sequence                    long      serial of the event
event.kind                        keyword   event, metric (losses), pipeline_error (a line that is no record)
event.module                      keyword   auditd
event.category                    keyword   ECS categories
event.type                        keyword   ECS types
event.action                      keyword   what was done, such as opened-file
event.outcome                     keyword   success, failure, unknown
event.original                    binary-   raw lines, with `original`
host.hostname                     keyword   node= of the record, else this machine's
host.id                           keyword   machine id
host.boot.id                      keyword   boot id
user.id                           keyword   who acted: uid
user.name                         keyword   its name
user.group.id                     keyword   gid
user.group.name                   keyword   its name
user.audit.id                     keyword   the login behind it: auid
user.audit.name                   keyword   its name
user.effective.id                 keyword   euid, or whom a session was opened for
user.effective.name               keyword   its name
user.effective.group.id           keyword   egid
user.effective.group.name         keyword   its name
user.saved.id                     keyword   suid, where it differs from the effective one
user.saved.name                   keyword   its name
user.saved.group.id               keyword   sgid
user.saved.group.name             keyword   its name
user.filesystem.id                keyword   fsuid, where it differs from the effective one
user.filesystem.name              keyword   its name
user.filesystem.group.id          keyword   fsgid
user.filesystem.group.name        keyword   its name
user.target.id                    keyword   the account that was managed
user.target.name                  keyword   its name
group.name                        keyword   the group that was managed
process.pid                       long      process id
process.entity_id                 keyword   identity that survives the reuse of pids
process.name                      keyword   comm
process.executable                keyword   exe
process.args                      keyword   arguments of an execve, else the process title
process.args_count                long      argc
process.command_line              keyword   command of USER_CMD
process.title                     keyword   process title (the kernel cuts it at 128 bytes)
process.working_directory         keyword   cwd
process.exit_code                 long      128 + signal of a crash
process.hash.sha256               keyword   of the executable
process.env_vars                  keyword   chosen variables, NAME=value
process.parent.pid                long      ppid
process.parent.entity_id          keyword   identity of the parent
process.parent.name               keyword   its comm
process.parent.executable         keyword   its exe
file.path                         keyword   file the event is about, absolute where the records tell
file.name                         keyword   last part of the path
file.type                         keyword   file, dir, symlink, …
file.mode                         keyword   permissions, octal
file.inode                        keyword   inode
file.device                       keyword   device, major:minor in hex
file.uid                          keyword   owner
file.gid                          keyword   group
file.owner                        keyword   owner's name
file.group                        keyword   group's name
service.name                      keyword   systemd unit that was started or stopped
source.ip                         ip        where a connection or login came from
source.address                    keyword   the same, or what stood there instead
source.domain                     keyword   host name of a login
source.port                       long      port
destination.ip                    ip        where a connection went
destination.address               keyword   the same, or the path of a local socket (@ begins an abstract one)
destination.port                  long      port
network.direction                 keyword   ingress, egress
network.type                      keyword   ipv4, ipv6
related.user                      keyword   every user name of the event
related.ip                        ip        every address of the event
cloud.provider                    keyword   aws, gcp, azure, …
cloud.instance.id                 keyword   of cloud-init or the machine's board
container.id                      keyword   container of the process
container.name                    keyword   as its runtime wrote it down
container.runtime                 keyword   docker, containerd, cri-o, podman, lxc, systemd-nspawn
container.image.name              keyword   as its runtime wrote it down
orchestrator.type                 keyword   kubernetes
orchestrator.namespace            keyword   of the pod
orchestrator.resource.type        keyword   pod
orchestrator.resource.id          keyword   uid of the pod
orchestrator.resource.name        keyword   its name
auditd.schema                     long      version of the auditd.* fields
auditd.session                    keyword   ses
auditd.result                     keyword   success, failure, or what stood there
auditd.summary.actor.primary      keyword   login user
auditd.summary.actor.secondary    keyword   acting user
auditd.summary.object.type        keyword   what kind of thing it was done to
auditd.summary.object.primary     keyword   its name
auditd.summary.object.secondary   keyword   port, address or pid
auditd.summary.how                keyword   with which program
auditd.incomplete                 boolean   a PATH or an argument is missing
auditd.late                       boolean   records that came after their event was written
auditd.labels                     keyword   labels that filters gave the event
auditd.redacted                   long      values taken out
auditd.process.script             keyword   script behind the interpreter
auditd.process.unit               keyword   systemd unit of the process
auditd.process.labels             keyword   labels of the process
auditd.process.groups             keyword   groups of the user
auditd.process.ancestors.pid      long      ancestors, the parent first
auditd.process.ancestors.entity_id   keyword   their identity
auditd.process.ancestors.name     keyword   their comm
auditd.process.ancestors.executable  keyword   their exe
"""


def mapping() -> list[tuple[str, str, str]]:
    """(field, type, what it says); the type "binary-" is kept and not indexed."""
    rows = []
    for line in _FIELDS.strip().splitlines():
        name, kind, says = line.split(None, 2)
        rows.append((name, kind, says))
    return rows


def record_type(path: str) -> str:
    """Type of a field below `auditd.records.`, such as `msg.id`."""
    name = path.rpartition(".")[2]
    if path.startswith(("saddr.", "msg.saddr.")):
        return "long" if name in SOCKET_NUMBERS else "keyword"
    return "long" if name in NUMBERS else "keyword"


NUMBERS: Final = frozenset(name.decode() for name in fields.DECIMAL - {b"res", b"syscall"})
"""Fields of records, and of their `msg`, that hold numbers; `res` and `syscall` are words."""

SOCKET_NUMBERS: Final = frozenset(
    "port flowinfo scope_id pid protocol ifindex cid psm channel device".split()  # noqa: SIM905
)
