"""`athanor bench path`: from an edge, over the real uplink, into the historian and onto the screen.

A server runs as a process of its own; the edge's collector, buffer and uplink run here, fed at the pace of the clock.
Latency is taken twice: the server counts every sample, and probes ask the REST routes until a sample is there.
"""

import asyncio
import json
import math
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psutil
import pyarrow as pa
import uvloop

from athanor.bench.figures import Figure, Report, at_least, at_most
from athanor.bench.serving import cpu_s, serving, settings_in
from athanor.edge.buffer import Buffer
from athanor.edge.collector import Collector
from athanor.edge.config import CollectorConfig, UplinkConfig
from athanor.edge.uplink import Uplink
from athanor.kernel.telemetry import batch_of_columns
from athanor.platform import open_identity

TAGS = 100_000
SLICES = 10  # of a second; each brings a tenth of the tags
WARM_UP_S = 3
FULL_S, QUICK_S = 300, 15
_EDGE = "bench"


def run(quick: bool, _only: Sequence[str] = ()) -> Report:  # noqa: FBT001 as `Benchmark` calls it
    """Five minutes, or some seconds when quick; nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as folder:
        return Report(uvloop.run(_run(Path(folder), QUICK_S if quick else FULL_S)))


@dataclass
class _Seen:
    """What was measured along the way."""

    visible_s: list[float] = field(default_factory=list)
    stored_s: list[float] = field(default_factory=list)
    late_s: float = 0.0  # how far the generator fell behind the clock at worst
    peak_rss: int = 0


async def _run(folder: Path, seconds: int) -> list[Figure]:
    settings = settings_in(folder)
    async with open_identity(settings) as identity:
        await identity.accounts.ensure_administrator()
        token = await identity.edges.make(_EDGE)
        session = await identity.sessions.open("admin", actor="benchmark")
    paths = _write_plant(folder / "plant.yaml")
    seen = _Seen()
    async with serving(folder, settings) as (url, process):
        cookies = {"athanor_session": session}
        async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30, trust_env=False) as client:
            feed = _Feed(folder, url, token, paths, seen)
            watch = asyncio.create_task(_watch(process, seen))
            await feed.run(WARM_UP_S)
            before = await _latency_counts(client)
            cpu_before, own_before, began = cpu_s(process), time.process_time(), time.monotonic()
            probes = asyncio.create_task(_probe(client, feed, seen))
            rows = await feed.run(seconds)
            took = time.monotonic() - began
            server_cores = (cpu_s(process) - cpu_before) / took
            edge_cores = (time.process_time() - own_before) / took
            await feed.close()
            for task in (watch, probes):
                task.cancel()
            after = await _latency_counts(client)
            missing = await _missing(client, feed)
    latencies = {bound: after[bound] - before[bound] for bound in after}
    raw = await asyncio.to_thread(_raw_duckdb, folder, paths)
    return [
        at_least("samples durable", rows / took, "1/s", 0.99 * TAGS, raw),
        at_most("latency p50, every sample", _percentile(latencies, 0.50), "s", 1.0, "source time to visible"),
        at_most("latency p99, every sample", _percentile(latencies, 0.99), "s", 1.0, "source time to visible"),
        at_most("current value p99, probed", _p99(seen.visible_s), "s", 1.0, f"{len(seen.visible_s)} probes over REST"),
        at_most("historian query p99, probed", _p99(seen.stored_s), "s", 1.0, f"{len(seen.stored_s)} probes over REST"),
        at_most("server memory, peak RSS", seen.peak_rss / 1e9, "GB", 1.0),
        at_most("samples missing afterwards", missing, "", 0.0, "of 200 tags, counted in the historian"),
        Figure("server's share of a core", server_cores, "cores"),
        Figure("edge's share of a core", edge_cores, "cores", compared_with="generator included"),
        at_most("generator behind the clock", seen.late_s, "s", 1.0),
    ]


def _write_plant(file: Path) -> list[str]:
    """A plant of a thousand machines with a hundred tags each; returns the tags' paths."""
    name = {"en": "Bench", "zh_CN": "测试"}
    tags = [{"id": f"t{number:02}", "name": name, "unit": "kW", "period_s": 1} for number in range(100)]
    assets = [{"id": f"m{number:04}", "name": name, "type": "machine"} for number in range(TAGS // 100)]
    site = {"id": "works", "tenant": "bench", "name": name, "assets": assets}
    plant = {
        "park": {"id": "bench", "name": name, "timezone": "UTC"},
        "tenants": [{"id": "bench", "name": name}],
        "types": {"machine": {"name": name, "tags": tags}},
        "sites": [site],
    }
    file.write_text(json.dumps(plant), encoding="utf-8")  # JSON is YAML
    return [f"works.{asset['id']}.{tag['id']}" for asset in assets for tag in tags]


class _Feed:
    """The edge: samples at the pace of the clock through collector, buffer and uplink."""

    def __init__(self, folder: Path, url: str, token: str, paths: list[str], seen: _Seen) -> None:
        self._folder, self._url, self._token, self._seen = folder, url, token, seen
        per_slice = len(paths) // SLICES
        self.slices = [paths[number * per_slice : (number + 1) * per_slice] for number in range(SLICES)]
        self._names = [pa.array(part, pa.string()) for part in self.slices]
        self._index = np.arange(per_slice, dtype=np.int32)
        self._random = np.random.default_rng(7)
        self._tasks: list[asyncio.Task[None]] = []
        self.ticks = 0
        self._began_at = 0.0
        self.newest: tuple[int, int] | None = None  # slice and source time [us] of what was sent last
        self.first_us = 0
        self.end_us = 0

    async def _open(self) -> None:
        self._buffer = await Buffer.open(self._folder / "buffer.sqlite", 10**9)
        self._collector = Collector(self._buffer, CollectorConfig.model_validate({"flush_interval_s": 0.1}))
        self._uplink = Uplink(
            UplinkConfig.model_validate({"url": self._url}), self._buffer, edge=_EDGE, token=self._token
        )
        self._tasks = [asyncio.create_task(self._collector.run()), asyncio.create_task(self._uplink.run())]
        self._began_at = time.time()
        self.first_us = round(self._began_at * 1e6)

    async def run(self, seconds: int) -> int:
        """Send for so long; returns how many samples went out."""
        if not self._tasks:
            await self._open()
        sent = 0
        for _ in range(seconds * SLICES):
            due = self._began_at + self.ticks / SLICES
            await asyncio.sleep(max(0.0, due - time.time()))
            self._seen.late_s = max(self._seen.late_s, time.time() - due)
            sent += self._send(self.ticks % SLICES, round(due * 1e6))
            self.ticks += 1
        return sent

    def _send(self, number: int, time_us: int) -> int:
        rows = len(self._index)
        value = np.round(100 + 10 * math.sin(time_us / 6e8) + self._random.normal(0, 0.5, rows), 2)
        self._collector.add_batch(
            batch_of_columns(self._names[number], self._index, np.full(rows, time_us, np.int64), value)
        )
        self.newest = (number, time_us)
        self.end_us = time_us + 1
        return rows

    async def close(self) -> None:
        """Deliver what is left, then stop."""
        await self._collector.flush()
        await self._uplink.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._uplink.close()
        await self._buffer.close()


async def _probe(client: httpx.AsyncClient, feed: _Feed, seen: _Seen) -> None:
    """Take the newest sample that was sent and ask until it is visible as a current value, then in the historian."""
    random = np.random.default_rng(11)
    while True:
        await asyncio.sleep(0.37)
        if feed.newest is None:
            continue
        number, time_us = feed.newest
        tag = str(random.choice(feed.slices[number]))
        moment = datetime.fromtimestamp(time_us // 1_000_000, UTC) + timedelta(microseconds=time_us % 1_000_000)
        while datetime.fromisoformat(await _current_time(client, tag)) < moment:
            await asyncio.sleep(0.01)
        seen.visible_s.append(time.time() - time_us / 1e6)
        span = {"tag": tag, "from": moment.isoformat(), "to": (moment + timedelta(seconds=1)).isoformat()}
        while not (await client.get("/api/v1/series", params=span)).raise_for_status().json():
            await asyncio.sleep(0.01)
        seen.stored_s.append(time.time() - time_us / 1e6)


async def _current_time(client: httpx.AsyncClient, tag: str) -> str:
    (answer,) = (await client.get("/api/v1/current", params={"tag": tag})).raise_for_status().json()
    return answer["time"] or "1970-01-01T00:00:00Z"


async def _watch(process: psutil.Process, seen: _Seen) -> None:
    while True:
        seen.peak_rss = max(seen.peak_rss, process.memory_info().rss)
        await asyncio.sleep(0.25)


async def _latency_counts(client: httpx.AsyncClient) -> dict[float, float]:
    text = (await client.get("/metrics")).raise_for_status().text
    found = re.findall(r'athanor_sample_latency_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
    return {float(bound): float(count) for bound, count in found}


def _percentile(counts: dict[float, float], part: float) -> float:
    """Interpolated within the bucket that holds it."""
    total = counts[math.inf]
    below, from_s = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= part * total:
            return bound if math.isinf(bound) else from_s + (bound - from_s) * (part * total - below) / (count - below)
        below, from_s = count, bound
    return math.inf


def _p99(values: list[float]) -> float:
    return float(np.percentile(values, 99)) if values else math.inf


async def _missing(client: httpx.AsyncClient, feed: _Feed) -> float:
    """Samples that some tags should have and have not."""
    missing = 0.0
    start = datetime.fromtimestamp(feed.first_us / 1e6, UTC) - timedelta(seconds=1)
    for number, part in enumerate(feed.slices):
        ticks = math.ceil((feed.ticks - number) / SLICES)
        answer = await client.get(
            "/api/v1/series",
            params={"tag": part[::500], "from": start.isoformat()},
            headers={"Accept": "application/vnd.apache.arrow.stream"},
        )
        with pa.ipc.open_stream(answer.raise_for_status().content) as reader:
            missing += ticks * len(part[::500]) - reader.read_all().num_rows
    return missing


def _raw_duckdb(folder: Path, paths: list[str]) -> str:
    """What an engine does alone: the same batches appended as fast as it can, each in a durable transaction."""
    try:
        import duckdb  # noqa: PLC0415 a yardstick, which need not be there
    except ImportError:
        return "raw DuckDB: not installed"
    rows = len(paths) // SLICES
    batch = pa.table(
        {
            "tag": pa.array(np.arange(rows), pa.int32()),
            "time": pa.array(np.full(rows, time.time_ns() // 1000)).cast(pa.timestamp("us")),
            "value": np.round(np.random.default_rng(3).normal(100, 0.5, rows), 2),
            "text": pa.nulls(rows, pa.string()),
            "quality": np.zeros(rows, np.uint8),
        }
    )
    with duckdb.connect(str(folder / "raw.duckdb")) as raw:
        raw.execute("CREATE TABLE samples (tag INTEGER, time TIMESTAMP, value DOUBLE, text VARCHAR, quality UTINYINT)")
        raw.register("batch", batch)
        began = time.perf_counter()
        for _ in range(100):
            raw.execute("INSERT INTO samples SELECT * FROM batch")
        return f"raw DuckDB at full speed: {100 * rows / (time.perf_counter() - began):,.0f}/s"
