"""The whole way of an alarm: samples through ingest into the historian and over the bus, judged, kept in SQLite, told.

A platform runs in this process as a server has it, with everything but HTTP; the generator shares its event loop.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import numpy as np
import pyarrow as pa
import uvloop

from athanor.bench.figures import Figure, at_least, at_most
from athanor.bench.serving import settings_in
from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.alarms.records import CHANGED_TOPIC, Change
from athanor.kernel.alarms.rule import Limit, Rule, Side, Subject
from athanor.kernel.alarms.rulebook import NEW, RuleBook
from athanor.kernel.bus.port import Event
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.telemetry import batch_of_columns
from athanor.platform import Platform, open_platform

NOTE = (
    "The whole way: 100 rules on a type of machine with 100 tags, of which there are 1,000. Every second one tag in "
    "2,000 leaves its limits, for five seconds. A raise counts as told when a subscriber of `alarms.changed` hears of "
    "it, after the commit."
)
TAGS, MACHINES, QUICK_MACHINES = 100, 1000, 100
SLICES = 10
FULL_S, QUICK_S = 60, 4
LIMIT_S = 1.0
_HOT_PART = 0.0005
_HOT_S = 5
_US = 1_000_000
_WITHIN_S = 300.0
_ADMIN = User(1, "admin", "Admin", ("administrator",))


def measured(*, quick: bool) -> list[Figure]:
    """A minute, and a flood of all alarms; less when quick. Nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as folder:
        machines, seconds = (QUICK_MACHINES, QUICK_S) if quick else (MACHINES, FULL_S)
        return uvloop.run(_run(Path(folder), machines, seconds))


@dataclass
class _Heard:
    """What a subscriber heard."""

    latency_s: list[float] = field(default_factory=list)
    raised: int = 0
    last_at: float = 0.0

    async def hear(self, event: Event) -> None:
        """Note how long ago everything that was raised was."""
        now = datetime.now(UTC)
        changes: Sequence[Change] = event.body
        latencies = [(now - one.at).total_seconds() for one in changes if one.what == Trigger.RAISED]
        self.latency_s += latencies
        self.raised += len(latencies)
        self.last_at = time.monotonic()


async def _run(folder: Path, machines: int, seconds: int) -> list[Figure]:
    settings = settings_in(folder)
    paths = _write_plant(folder / "plant.yaml", machines)
    async with open_platform(settings) as platform:
        began = time.perf_counter()
        await _save_rules(platform)
        platform.runner.start()
        await _until_judging(platform, len(paths))
        begun_s = time.perf_counter() - began
        heard = _Heard()
        platform.bus.subscribe(CHANGED_TOPIC, heard.hear, name="benchmark")
        feed = _Feed(platform, paths)
        await feed.run(1, _HOT_PART)
        heard.latency_s.clear()
        busy, began = time.process_time(), time.perf_counter()
        rows = await feed.run(seconds, _HOT_PART)
        took_s = time.perf_counter() - began
        cores = (time.process_time() - busy) / took_s
        latencies = list(heard.latency_s)
        flood_s, flooded = await _flood(feed, heard, len(paths))
    per_s = len(paths)
    return [
        at_least("whole way: samples taken in", rows / took_s, "1/s", 0.99 * per_s, f"{per_s:,} rules"),
        at_most("whole way: raise latency p50", _percentile(latencies, 50), "s", LIMIT_S),
        at_most("whole way: raise latency p99", _percentile(latencies, 99), "s", LIMIT_S, f"{len(latencies):,} raises"),
        Figure("whole way: cores", cores, "cores", compared_with="generator and flushes included"),
        at_most("whole way: generator behind the clock", feed.late_s, "s", LIMIT_S),
        at_least("whole way: raises of the flood", float(flooded), "", float(per_s), "of one second"),
        Figure("whole way: flood, until the last is kept and told", flood_s, "s"),
        Figure("whole way: rules saved and expanded, judge made", begun_s, "s"),
    ]


class _Feed:
    """Samples at the pace of the clock; the state of the tags that leave their limits."""

    def __init__(self, platform: Platform, paths: Sequence[str]) -> None:
        self._ingest = _ingest(platform)
        self._paths = pa.array(paths, pa.string())
        self._size = len(paths) // SLICES
        self._random = np.random.default_rng(11)
        self._hot_until = np.zeros(len(paths), np.int64)
        self.late_s = 0.0

    async def run(self, seconds: int, hot_part: float) -> int:
        """Send for so long; returns how many samples went in."""
        began = time.time()
        for number in range(seconds * SLICES):
            due = began + (number + 1) / SLICES  # when the slice is complete
            await asyncio.sleep(max(0.0, due - time.time()))
            self.late_s = max(self.late_s, time.time() - due)
            await self._send(number % SLICES, round((due - 1 / SLICES) * _US), hot_part)
        return seconds * SLICES * self._size

    async def _send(self, number: int, begin_us: int, hot_part: float) -> None:
        tag = np.arange(number * self._size, (number + 1) * self._size, dtype=np.int32)
        leaves = self._random.random(self._size) < hot_part
        self._hot_until[tag[leaves]] = begin_us + _HOT_S * _US
        value = np.round(100 + self._random.normal(0, 0.5, self._size), 2)
        value[self._hot_until[tag] > begin_us] = 120
        time_us = begin_us + np.arange(self._size) // TAGS * (_US // SLICES) // max(1, self._size // TAGS)
        paths = self._paths.slice(number * self._size, self._size)
        within = np.arange(self._size, dtype=np.int32)
        await self._ingest.take(batch_of_columns(paths, within, time_us, value), edge="bench")


async def _flood(feed: _Feed, heard: _Heard, alarms: int) -> tuple[float, int]:
    """All alarms within one second: how long until the last of them is told of, and how many there were."""
    await feed.run(_HOT_S + 1, 0.0)
    raised_before = heard.raised
    began = time.monotonic()
    await feed.run(1, 2.0)
    try:
        async with asyncio.timeout(_WITHIN_S):
            while heard.raised - raised_before < alarms:
                await asyncio.sleep(0.05)
    except TimeoutError:
        return _WITHIN_S, heard.raised - raised_before
    return heard.last_at - began, heard.raised - raised_before


def _ingest(platform: Platform) -> Ingest:
    settings = platform.settings.ingest
    return Ingest(
        plant=lambda: platform.plant,
        historian=platform.historian,
        current=platform.current,
        bus=platform.bus,
        quarantine=platform.quarantine,
        max_ahead=timedelta(seconds=settings.max_ahead_s),
        oldest=datetime.combine(settings.oldest, clock_time(), UTC),
        arrivals=platform.arrivals,
        judge=platform.corrections.verdict,
    )


async def _save_rules(platform: Platform) -> None:
    book = RuleBook(platform.database, lambda: platform.plant)
    for number in range(TAGS):
        rule = Rule(
            name={"en": f"High {number}", "zh_CN": f"高 {number}"},
            subject=Subject(tag=f"t{number:02}", type="machine"),
            condition=Limit(side=Side.HIGH, at=110.0, deadband=1.0),
            on_delay_s=0,
            off_delay_s=0,
        )
        await book.save(_ADMIN, f"bench.t{number:02}", rule, revision=NEW, reason="benchmark")


async def _until_judging(platform: Platform, alarms: int) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while True:
            await asyncio.sleep(0.1)
            try:
                if len(platform.runner.judged.judge.state()["alarm.id"]) >= alarms:
                    return
            except RuntimeError:
                continue  # nothing is judged yet


def _write_plant(file: Path, machines: int) -> list[str]:
    """Machines with a hundred tags each; returns the tags' paths."""
    name = {"en": "Bench", "zh_CN": "测试"}
    tags = [{"id": f"t{number:02}", "name": name, "unit": "kW", "period_s": 1} for number in range(TAGS)]
    assets = [{"id": f"m{number:04}", "name": name, "type": "machine"} for number in range(machines)]
    plant = {
        "park": {"id": "bench", "name": name, "timezone": "UTC"},
        "tenants": [{"id": "bench", "name": name}],
        "types": {"machine": {"name": name, "tags": tags}},
        "sites": [{"id": "works", "tenant": "bench", "name": name, "assets": assets}],
    }
    file.write_text(json.dumps(plant), encoding="utf-8")  # JSON is YAML
    return [f"works.{asset['id']}.{tag['id']}" for asset in assets for tag in tags]


def _percentile(values: Sequence[float], part: float) -> float:
    return float(np.percentile(values, part)) if values else float("inf")
