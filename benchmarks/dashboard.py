"""What the dashboard costs: folding a busy run's observations and drawing its frames.

    python benchmarks/dashboard.py                  CPU share at 160x45 and 80x24, with milliseconds per frame
    python benchmarks/dashboard.py --demo 30        a synthetic run on this terminal, 30 s long
    python benchmarks/dashboard.py --demo 30 --load the same as a load test

The run is synthetic: ticks of objects, a queue, a bounded number of pollers, in fixed steps, from arithmetic alone.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from simulator.base.clock import SystemClock
from simulator.base.counters import BucketCounters, OperationCounters, QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import (
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    LogWritten,
    MessageSettled,
    MessagesReceived,
    Noted,
    Observation,
    PhaseChanged,
    PollersScaled,
    StoreSampled,
    TickFired,
)
from simulator.dashboard import render
from simulator.dashboard.screen import Screen
from simulator.dashboard.ui import Display
from simulator.stack import template
from simulator.telemetry import Telemetry
from simulator.telemetry.history import Course, Latencies
from simulator.telemetry.snapshot import LoadView, RunOptions

MAPPING = next(iter(template.load().mappings))
BODY = json.dumps(
    {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": f"stocks/{'x' * 40}"}, "pad": "y" * 600}}]}
)


class Synthetic:
    """A run computed by arithmetic: `step` gives the observations of the next `STEP_S` seconds in order of time."""

    STEP_S = 0.05

    def __init__(self, started_at: float, files: int, rows: int, period_s: float, pollers: int, takes_s: float) -> None:
        self.at = started_at
        self.files, self.rows, self.period_s = files, rows, period_s
        self.pollers, self.takes_s = pollers, takes_s
        self.visible: list[float] = []
        self.batches: dict[int, tuple[float, list[float], str]] = {}
        self.warm: set[int] = set()
        self.ticks = self.sent = self.received = self.deleted = self.written = self.requests = self.number = 0
        self.next_tick_at: float | None = started_at
        self.first_at, self.last_write_at = started_at, started_at
        self.course, self.latencies = Course(started_at), Latencies()

    def step(self, ticking: bool) -> Iterator[Observation]:
        """The next step; new ticks only while `ticking`."""
        end = self.at + self.STEP_S
        yield from self._tick(end, ticking)
        yield from self._finish(end)
        yield from self._begin()
        self.at = end

    def _tick(self, end: float, ticking: bool) -> Iterator[Observation]:
        if not ticking:
            self.next_tick_at = None
        elif self.next_tick_at is not None and self.next_tick_at <= end:
            at, self.next_tick_at = self.next_tick_at, self.next_tick_at + self.period_s
            yield TickFired(at, "Tick", "GeneratorLambda", self.ticks, self.next_tick_at)
            self.ticks += 1
            self.sent += self.files
            self.visible += [at] * self.files
            yield InvocationStarted(at, "GeneratorLambda", 1, f"g{self.ticks}", 0, self.ticks == 1)
            line = embedded(FilesWritten=self.files, RowsGenerated=self.files * self.rows)
            yield LogWritten(end, "GeneratorLambda", 1, line)
            yield InvocationEnded(end, "GeneratorLambda", 1, f"g{self.ticks}", 0, "success", 0.08, None, 70, None, None)

    def _finish(self, end: float) -> Iterator[Observation]:
        for environment, (until, batch, request) in list(self.batches.items()):
            if until > end:
                continue
            del self.batches[environment]
            for index, sent_at in enumerate(batch):
                name = f"{request}-{index}"
                self.latencies.add(until - sent_at)
                self.course.add_latency(until, until - sent_at)
                yield MessageSettled(until, MAPPING, "StockQueue", name, BODY, sent_at, sent_at, 1, True, "")
            self.deleted += len(batch)
            self.written += len(batch) * self.rows
            self.requests += -(-len(batch) * self.rows // 25)
            self.last_write_at = until
            self.course.add_rows(until, until, len(batch) * self.rows)
            yield LogWritten(until, "ConsumerLambda", environment, '{"level": "INFO", "message": "batch done"}')
            line = embedded(MessagesReceived=len(batch), RowsWritten=len(batch) * self.rows, RowsRejected=0)
            yield LogWritten(until, "ConsumerLambda", environment, line)
            yield InvocationEnded(
                until, "ConsumerLambda", environment, request, len(batch), "success", self.takes_s, None, 90, None, None
            )

    def _begin(self) -> Iterator[Observation]:
        for environment in range(self.pollers):
            if environment in self.batches or not self.visible:
                continue
            batch, self.visible = self.visible[:10], self.visible[10:]
            self.received += len(batch)
            self.number += 1
            request = f"c{self.number}"
            cold = environment not in self.warm
            if cold:
                self.warm.add(environment)
                yield EnvironmentStarted(self.at, "ConsumerLambda", environment, 0.21)
            yield MessagesReceived(self.at, MAPPING, "StockQueue", len(batch))
            yield InvocationStarted(self.at, "ConsumerLambda", environment, request, len(batch), cold)
            self.batches[environment] = (self.at + self.takes_s, batch, request)

    def counters(self) -> StoreCounters:
        """The store's counters now."""
        flying = self.sent - len(self.visible) - self.deleted
        oldest = min([*self.visible[:1], *(batch[0] for _, batch, _ in self.batches.values())], default=None)
        queue = QueueCounters(
            visible=len(self.visible),
            in_flight=flying,
            oldest_age_s=None if oldest is None else max(0.0, self.at - oldest),
            sent=self.sent,
            received=self.received,
            deleted=self.deleted,
        )
        table = TableCounters(
            rows=self.written,
            rows_written=self.written,
            first_write_at=self.first_at,
            last_write_at=self.last_write_at,
            batch_writes=self.requests,
            rows_per_s_max=11_000,
            write_units=float(self.written),
        )
        bucket = BucketCounters(self.sent, self.sent * self.rows * 62, self.sent, self.first_at, self.last_write_at)
        return StoreCounters(
            at=self.at,
            cpu_s=0.0,
            queues={"StockQueue": queue, "StockDLQ": QueueCounters()},
            tables={"StockData": table},
            buckets={"stockpipe-data-123456789012-us-east-1": bucket},
            operations={"s3.GetObject": OperationCounters(self.received)},
        )


def embedded(**metrics: float) -> str:
    """A log line in CloudWatch's embedded metric format."""
    directive = {"Namespace": "stockpipe", "Dimensions": [[]], "Metrics": [{"Name": name} for name in metrics]}
    return json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, **metrics})


def recorded(telemetry: Telemetry, run: Synthetic, until_at: float, ticking: bool, sample_every: int = 5) -> int:
    """Record the run's observations up to `until_at`; returns how many there were."""
    number = 0
    while run.at < until_at:
        for observation in run.step(ticking):
            telemetry.record(observation)
            number += 1
        if round(run.at / run.STEP_S) % sample_every == 0:
            telemetry.record(StoreSampled(run.at, run.counters()))
            number += 1
    return number


def measure(width: int, height: int, length_s: float) -> dict[str, float]:
    """CPU seconds for a run of `length_s`: folding, snapshots, rendering and writing at 4 frames per second."""
    started_at = 1_700_000_000.0
    options = RunOptions(
        "simulate", 7, "inline", started_at, "http://127.0.0.1:41233", "rate(1 minute)", 12.0, length_s
    )
    telemetry = Telemetry(template.load(), options)
    run = Synthetic(started_at, files=5_000, rows=100, period_s=5.0, pollers=10, takes_s=0.09)
    observations: list[list[Observation]] = []
    while run.at < started_at + length_s:
        frame: list[Observation] = []
        for _ in range(5):
            frame += run.step(ticking=True)
        frame.append(StoreSampled(run.at, run.counters()))
        observations.append(frame)
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="256", legacy_windows=False
    )
    screen = Screen(console)
    telemetry.record(PhaseChanged(started_at, "running"))
    spent = {"fold": 0.0, "snapshot": 0.0, "render": 0.0, "write": 0.0}
    for index, frame in enumerate(observations):
        now = started_at + (index + 1) * 0.25
        times = [time.process_time()]
        for observation in frame:
            telemetry.record(observation)
        times.append(time.process_time())
        snapshot = telemetry.snapshot(now)
        times.append(time.process_time())
        drawn = render(snapshot, width, height)
        times.append(time.process_time())
        screen.draw(drawn)
        times.append(time.process_time())
        for name, begin, end in zip(spent, times, times[1:], strict=False):
            spent[name] += end - begin
    assert not telemetry.snapshot(run.at).folding_errors
    frames = len(observations)
    total = sum(spent.values())
    return {
        "frames": frames,
        "observations_per_s": sum(map(len, observations)) / length_s,
        "objects_per_s": run.deleted / length_s,
        **{f"{name}_ms": value / frames * 1000 for name, value in spent.items()},
        "share_percent": total / length_s * 100,
    }


def load_view(now: float, origin_at: float, length_s: float, run: Synthetic) -> LoadView:
    """The synthetic run as shown by a load test at a constant rate."""
    rate = run.files / run.period_s
    history = run.course.view(now)
    return LoadView(
        target="store",
        origin_at=history.origin_at,
        slot_s=history.slot_s,
        planned=(rate * history.slot_s,) * int((origin_at + length_s - history.origin_at) / history.slot_s),
        stored=tuple(rows / run.rows for rows in history.rows),
        heat=history.heat,
        objects=round(length_s * rate),
        sent=run.sent,
        lag_s=0.0012,
        rate_planned=rate,
        rate_sent=rate,
        rate_stored=run.deleted / max(0.25, now - origin_at),
        latency=run.latencies.view(),
        verdict="store CPU 96 %: you are measuring the store, not the handlers",
        verdict_tone="grows",
    )


async def demo(length_s: float, load: bool, screenshot: Path | None) -> None:
    """The synthetic run on this terminal, in real time."""
    clock = SystemClock()
    started_at = clock.now()
    schedule = None if load else "rate(1 minute)"
    command = "load-test" if load else "simulate"
    options = RunOptions(
        command, 7, "inline", started_at, None, schedule, 12.0, length_s, scenario=None if load else "burst"
    )
    run = Synthetic(
        started_at + 1, files=4 if load else 350, rows=100, period_s=0.05 if load else 5.0, pollers=4, takes_s=0.35
    )
    view = (lambda now: load_view(now, started_at + 1, length_s, run)) if load else None
    telemetry = Telemetry(template.load(), options, view)
    async with Display(telemetry, "live", clock, screenshot=screenshot).shown():
        await clock.sleep(1)
        telemetry.located("http://127.0.0.1:41233")
        telemetry.record(PhaseChanged(clock.now(), "running"))
        telemetry.record(PollersScaled(clock.now(), MAPPING, 4))
        telemetry.record(
            Noted(clock.now(), "350 objects at once: the queue absorbs them all, and the table gets no peak", "caption")
        )
        while clock.now() < started_at + 1 + length_s:
            recorded(telemetry, run, clock.now(), ticking=True)
            await clock.sleep(0.05)
        telemetry.record(PhaseChanged(clock.now(), "draining"))
        while run.deleted < run.sent:
            recorded(telemetry, run, clock.now(), ticking=False)
            await clock.sleep(0.05)
        telemetry.record(StoreSampled(run.at, run.counters()))
        telemetry.record(PhaseChanged(clock.now(), "auditing"))
        await clock.sleep(0.5)
        telemetry.record(PhaseChanged(clock.now(), "done"))


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=float, metavar="SECONDS")
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--screenshot", type=Path)
    arguments = parser.parse_args()
    if arguments.demo:
        asyncio.run(demo(arguments.demo, arguments.load, arguments.screenshot))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, rich {version('rich')}")
    for width, height in ((160, 45), (80, 24)):
        rounds = sorted((measure(width, height, 60.0) for _ in range(3)), key=lambda figures: figures["share_percent"])
        print(f"{width}x{height}  median of 3 runs of 60 s")
        for name, value in rounds[1].items():
            print(f"  {name:<20} {value:10.2f}")


if __name__ == "__main__":
    main()
