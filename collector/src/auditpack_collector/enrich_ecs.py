# SPDX-License-Identifier: Apache-2.0
"""What enrichment adds to an event of `ecs` (docs/collector/enrichment.md): process.entity_id and .parent, container,
orchestrator; what ECS has no field for goes to `auditd.process`."""

from __future__ import annotations

from .emit import Object
from .enrich import Enricher, Enrichment
from .process import Process
from .quote import ecs_text as text


class EcsEnricher:
    """Puts members into an event that emit_ecs.py has begun."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        self._options = enricher.options

    def process(self, found: Enrichment, out: Object) -> None:
        """`out`: the event's `process`, complete but for these."""
        process, parent, options = found.process, found.parent, self._options
        if process is None:
            return
        if parent is not None and options.parent:
            inner = out.setdefault("parent", {"pid": parent.pid})
            if options.guid:
                inner["entity_id"] = text(self._enricher.guid(parent))
            if parent.comm:
                inner["name"] = text(parent.comm)
            if parent.exe:
                inner["executable"] = text(parent.exe)
        if options.guid:
            out["entity_id"] = text(self._enricher.guid(process))
        if found.hash:
            out["hash"] = {"sha256": text(found.hash)}
        if found.environment:
            out["env_vars"] = [text(n + (b"" if v is None else b"=" + v)) for n, v in found.environment]

    def host(self, node: bytes, out: Object) -> None:
        """More of `host`, and `cloud`."""
        if not self._enricher.own(node):
            return
        machine = self._options.machine
        host = {"id": machine.host} if machine.host else {}
        boot = {"boot": {"id": machine.boot}} if machine.boot else {}
        if host or boot:
            out["host"] = {**out.get("host", {}), **host, **boot}
        cloud: Object = {"provider": machine.provider} if machine.provider else {}
        if machine.instance:
            cloud["instance"] = {"id": machine.instance}
        if cloud:
            out["cloud"] = cloud

    def container(self, found: Enrichment, out: Object) -> None:
        """`container` and `orchestrator` of the event."""
        cgroup = found.process.cgroup if found.process is not None and self._options.container else None
        if cgroup is None:
            return
        if cgroup.container:
            inner: Object = {"id": text(cgroup.container)}
            if cgroup.runtime:
                inner["runtime"] = text(cgroup.runtime)
            if cgroup.name:
                inner["name"] = text(cgroup.name)
            if cgroup.image:
                inner["image"] = {"name": text(cgroup.image)}
            out["container"] = inner
        if cgroup.pod:
            resource: Object = {"type": "pod", "id": text(cgroup.pod)}
            if cgroup.pod_name:
                resource["name"] = text(cgroup.pod_name)
            pod: Object = {"type": "kubernetes", "resource": resource}
            if cgroup.namespace:
                pod["namespace"] = text(cgroup.namespace)
            out["orchestrator"] = pod

    def auditd(self, found: Enrichment) -> Object:
        """`auditd.process`, empty when there is nothing."""
        out: Object = {}
        process, options = found.process, self._options
        if process is None:
            return out
        if process.script and options.script:
            out["script"] = text(process.script)
        if process.cgroup.unit and options.unit:
            out["unit"] = text(process.cgroup.unit)
        if found.labels:
            out["labels"] = [text(label) for label in found.labels]
        if found.groups:
            out["groups"] = [text(group) for group in found.groups]
        if found.ancestors:
            out["ancestors"] = [self._named(each) for each in found.ancestors]
        return out

    def _named(self, process: Process) -> Object:
        out: Object = {"pid": process.pid}
        if self._options.guid:
            out["entity_id"] = text(self._enricher.guid(process))
        if process.comm:
            out["name"] = text(process.comm)
        if process.exe:
            out["executable"] = text(process.exe)
        return out
