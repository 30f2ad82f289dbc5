# SPDX-License-Identifier: Apache-2.0
"""What runs between start and end of the plugin: channels, outputs, reports and the status, on the main thread."""

from __future__ import annotations

import os
import pwd
import resource
import socket
import time
from pathlib import Path
from typing import Any, Callable, Final

from . import __version__
from .channel import Channel, Counts
from .config import Config, Input, Output
from .config_host import queue_folder
from .enrich_config import options as enrich_options
from .filter_rules import compile_rules
from .loss import Lines, LossReporter
from .options import Options, Stream
from .resume import last_serial
from .source import FileSource, make_source
from .state import State
from .status import StatusThread
from .writer import Outputs, Writer

TICK: Final = 0.5
"""Seconds: how late a time-out or a loss is noticed at most, while there is something to wait for."""
IDLE: Final = 5.0
"""Seconds between looks when nothing comes and no event is open."""
DRAIN: Final = 10.0
"""Seconds that the end waits for outputs."""


def options_of(config: Config) -> Options:
    return Options(
        timeout=config.timeout,
        hostname=config.hostname or socket.gethostname(),
        streams=tuple(_stream(config, output) for output in config.outputs()),
        enrich=enrich_options(config),
        rules=compile_rules(config),
        redact=config.redact if config.redact.enabled else None,
    )


def _stream(config: Config, output: Output) -> Stream:
    return Stream(
        format=output.format or config.format,
        translate=output.translate or config.translate,
        original=output.original == "yes" if output.original else config.original,
        receives_all=output.receives == "all",
    )


class Service:
    """`running` turns false when the end is wanted, or stdin ended."""

    def __init__(self, config: Config, outputs: Outputs, say: Callable[[str], None]) -> None:
        self.running = True
        self._say = say
        self._config = config
        self._options = options_of(config)
        self._outputs = outputs
        self._state = State(Path(config.status.directory))
        self._state.load()
        self.channels = [self._channel(each) for each in config.inputs()]
        self._loss = LossReporter(self._options.hostname)
        self._since = time.time()
        self._stopped = False
        self._ended_counts: list[Channel] = []
        self._held_due = 0.0
        self._user = pwd.getpwuid(os.geteuid()).pw_name
        self._status = self._status_thread()

    def start(self) -> None:
        if self._state.error:
            self._say(self._state.error)
        self._status.start()

    def waiting(self) -> bool:
        """Whether a look is due soon."""
        return any(
            channel.counters()["open_events"] or channel.source.descriptor < 0 for channel in self.channels
        ) or bool(self._config.filter)

    def take(self, channel: Channel) -> bool:
        """Read once from a channel; False when there was nothing."""
        data = channel.source.read()
        if data:
            channel.feed(data)
        if channel.source.ended:
            self.running = False
        return bool(data)

    def follow(self) -> bool:
        """Read once from each followed file; whether any gave something."""
        took = [self.take(channel) for channel in self.channels if isinstance(channel.source, FileSource)]
        return any(took)

    def tick(self, now: float) -> None:
        for channel in self.channels:
            channel.source.tick(now)
            channel.flush()
        self._report_losses()
        self._report_repeats()
        if now >= self._held_due:
            self._report_held()
            self._held_due = now + self._config.status.report
        self._save()
        self._outputs.retire(writer for channel in self.channels for writer in channel.all_writers())

    def change(self, config: Config) -> None:
        """Reload."""
        if config.user != self._config.user:
            self._say("user takes effect at the next start")
        try:
            self._outputs.change(self._config, config)
        except OSError as error:
            self._say(f"{error.filename}: {error.strerror} (kept the configuration that was)")
            return
        self._options = options_of(config)
        writers = self._writers(config)
        known = {channel.source.config: channel for channel in self.channels}
        self._config = config
        for channel in [channel for channel in self.channels if channel.source.config not in config.inputs()]:
            channel.flush(everything=True)
            channel.source.close()
            self.channels.remove(channel)
            self._ended_counts.append(channel)
        for each in config.inputs():
            if each in known:
                known[each].replace(self._options, writers)
            else:
                self.channels.append(self._channel(each))
        self._loss.hostname = self._options.hostname
        status = self._status
        self._status = self._status_thread()
        status.end()
        self._status.start()

    def end(self) -> int:
        for channel in self.channels:
            channel.flush(everything=True)
        self._report_repeats()
        self._report_held()
        self._report_losses()
        for writer in self._outputs.close(DRAIN):
            self._say(f"{writer.sink.last_error}; {writer.queue.dropped['write_failed']} events given up")
        self._save(sync=True)
        self._stopped = True
        self._status.end()
        return 0

    def _channel(self, each: Input) -> Channel:
        options = self._options
        if len(self._config.inputs()) == 1:
            seen = last_serial(self._config, Path(queue_folder(self._config)))
            options = options._replace(last_serial=max(seen, self._state.serial))
        source = make_source(each, self._state.files.get(each.path))
        channel = Channel(source, options, self._writers(self._config), self._report_losses)
        source.tick(time.monotonic())
        return channel

    def _writers(self, config: Config) -> list[Writer]:
        return [self._outputs.writers[output.name] for output in config.outputs()]

    def _everyone(self) -> list[Channel]:
        return [*self.channels, *self._ended_counts]

    def _totals(self) -> Counts:
        total: Counts = {}
        for channel in self._everyone():
            for name, value in channel.counters().items():
                total[name] = total.get(name, 0) + value
        return total

    def _losses(self) -> Counts:
        totals = self._totals()
        torn = sum(report.get("torn_lines", 0) for report in self._outputs.report())
        return {
            "serial_gaps": totals["serial_gaps"],
            "no_memory": totals["no_memory"],
            **{f"dropped_{reason}": count for reason, count in self._outputs.dropped().items()},
            "torn_lines": torn,
        }

    def _rules(self) -> dict[str, list[int]]:
        total: dict[str, list[int]] = {}
        for channel in self._everyone():
            for name, (matched, held) in channel.rule_counts().items():
                known = total.setdefault(name, [0, 0])
                known[0] += matched
                known[1] += held
        return total

    def _report_losses(self) -> None:
        losses = self._loss.losses(self._losses(), time.time())
        if losses is not None:
            self._report(losses)
            self._status.now()

    def _report_held(self) -> None:
        held = self._loss.held({name: counts[1] for name, counts in self._rules().items()}, time.time())
        if held is not None:
            self._report(held)

    def _report_repeats(self) -> None:
        per = {rule.name: rule.per for rule in self._options.rules}
        for channel in self._everyone():
            for name, repeat in channel.repeats:
                self._report(self._loss.repeat(name, repeat, per.get(name, ()), time.time()))
            channel.repeats.clear()

    def _report(self, lines: Lines) -> None:
        """To every output that receives all."""
        for output in self._config.outputs():
            if output.receives == "all":
                self._outputs.writers[output.name].queue.put(lines[output.format or self._config.format], force=True)

    def _save(self, sync: bool = False) -> None:
        """Where files were read to, at a moment when nothing of it is held here."""
        totals = self._totals()
        if not self._outputs.empty() or totals["open_events"]:
            return
        for channel in self.channels:
            source = channel.source
            if isinstance(source, FileSource) and source.position[1]:
                self._state.files[source.config.path] = source.position
        if len(self.channels) == 1:
            self._state.serial = totals["last_serial"]
        self._state.save(sync)

    def _status_thread(self) -> StatusThread:
        return StatusThread(Path(self._config.status.directory), self._config.status.interval, self._about)

    def _about(self) -> dict[str, Any]:
        """status.json; also called by the status thread, so it reads what may change meanwhile once."""
        outputs = self._outputs.report()
        first = outputs[0] if outputs else {}
        types: dict[str, list[int]] = {}
        for channel in self._everyone():
            for name, (came, went) in channel.types().items():
                known = types.setdefault(name, [0, 0])
                known[0] += came
                known[1] += went
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "pid": os.getpid(),
            "user": self._user,
            "state": "stopped" if self._stopped else "running" if self.running else "stopping",
            "implementation": self.channels[0].implementation,
            "implementation_reason": self.channels[0].reason,
            "version": __version__,
            "format": self._config.format,
            "since": self._since,
            "updated": time.time(),
            "interval": self._config.status.interval,
            "counters": {name: value for name, value in self._totals().items() if name != "last_serial"},
            "types": {name: {"in": came, "out": went} for name, (came, went) in sorted(types.items())},
            "filters": {name: {"matched": matched, "held": held} for name, (matched, held) in self._rules().items()},
            "dropped": self._outputs.dropped(),
            "queue": first.get("queue", {}),
            "output": first,
            "outputs": outputs,
            "inputs": [channel.source.report() for channel in self.channels],
            "lag_seconds": max((output["lag_seconds"] for output in outputs), default=0.0),
            "cpu_seconds": {"user": usage.ru_utime, "system": usage.ru_stime},
            "memory": {"resident_bytes": _resident(), "highest_bytes": usage.ru_maxrss * 1024},
            "status_error": self._status.last_error,
            "state_error": self._state.error,
        }


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()
