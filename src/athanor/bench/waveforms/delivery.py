"""A thousand machines that deliver 203 MB a day each to a server, over HTTP, at the pace of the clock; then a burst."""

import asyncio
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from athanor.bench.figures import Figure, at_least, at_most
from athanor.bench.serving import cpu_s, serving, settings_in
from athanor.bench.waveforms.signals import RATE_HZ, motor_current, vibration
from athanor.platform import open_identity

MACHINES = 1000
TARGET_MB_PER_S = 2.35  # 1,000 × 203 MB a day
CHANNELS = ("de_x", "de_y", "de_z", "microphone")  # 48 MB a day each, a second of 96 kB at a time
_CURRENT_EVERY = 10  # groups: 10 MB a day
_GROUPS_PER_S = 5.95
_DIFFERENT = 25
_AT_ONCE = 8
_EDGE = "bench"
_NPY = "application/x-npy"


@dataclass
class _Sent:
    """What was acknowledged."""

    latencies_s: list[float] = field(default_factory=list)
    points_bytes: int = 0
    groups: list[tuple[int, list[int]]] = field(default_factory=list)  # which signals, and their ids
    waveforms: int = 0
    behind_s: float = 0.0


class _Machines:
    """Requests as a thousand machines send them."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": _NPY}
        self.signals = [np.stack([vibration(4 * n + c) for c in range(len(CHANNELS))]) for n in range(_DIFFERENT)]
        self._bodies = [_npy(one) for one in self.signals]
        self._current = motor_current(1)
        self._current_body = _npy(self._current)
        self._began_at = datetime.now(UTC) - timedelta(hours=2)
        self._number = 0

    async def send(self, sent: _Sent) -> None:
        """The four channels of one machine, and of each tenth its current too."""
        number, self._number = self._number, self._number + 1
        which = number % _DIFFERENT
        about = {
            "asset": f"works.m{number % MACHINES:04}",
            "start": (self._began_at + timedelta(milliseconds=100 * number)).isoformat(),
        }
        vibration_about = {
            **about, "channel": CHANNELS, "rate_hz": RATE_HZ, "quantity": "acceleration", "unit": "m/s2", "scale": 1e-3,
        }  # fmt: skip
        ids = await self._post(self._bodies[which], vibration_about, sent)
        sent.groups.append((which, ids))
        sent.points_bytes += self.signals[which].nbytes
        if number % _CURRENT_EVERY == 0:
            current = {**about, "channel": "phase_a", "rate_hz": 10_000, "quantity": "current", "unit": "A"}
            await self._post(self._current_body, current, sent)
            sent.points_bytes += self._current.nbytes

    async def _post(self, body: bytes, params: dict[str, Any], sent: _Sent) -> list[int]:
        began = time.perf_counter()
        answer = await self._client.post("/api/v1/waveforms", content=body, params=params, headers=self._headers)
        ids: list[int] = answer.raise_for_status().json()["ids"]
        sent.latencies_s.append(time.perf_counter() - began)
        sent.waveforms += len(ids)
        return ids


async def deliver(folder: Path, sustained_s: float, burst_groups: int) -> list[Figure]:
    """Figures of NF-02."""
    settings = settings_in(folder)
    async with open_identity(settings) as identity:
        await identity.accounts.ensure_administrator()
        token = await identity.edges.make(_EDGE)
        session = await identity.sessions.open("admin", actor="benchmark")
    _write_plant(folder / "plant.yaml")
    async with serving(folder, settings) as (url, process):
        client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, cookies={"athanor_session": session})
        async with client:
            machines = _Machines(client, token)
            await _burst(machines, 10, _Sent())  # warm
            cpu_before, began = cpu_s(process), time.perf_counter()
            steady = await _steady(machines, sustained_s)
            took = time.perf_counter() - began
            cores = (cpu_s(process) - cpu_before) / took
            burst, began = _Sent(), time.perf_counter()
            await _burst(machines, burst_groups, burst)
            burst_s = time.perf_counter() - began
            rss = process.memory_info().rss
            wrong = await _wrong(client, machines.signals, [*steady.groups, *burst.groups])
            read_ms = await _read_ms(client, burst.groups)
    return [
        at_least("delivered over HTTP, sustained", steady.points_bytes / 1e6 / took, "MB/s", TARGET_MB_PER_S),
        at_most("answer while that goes on, p50", _percentile(steady.latencies_s, 50), "s", 1.0),
        at_most("answer while that goes on, p99", _percentile(steady.latencies_s, 99), "s", 1.0),
        at_most("senders behind the clock", steady.behind_s, "s", 1.0),
        Figure("server's share of a core, sustained", cores, "cores"),
        at_least(
            "delivered over HTTP, burst", burst.points_bytes / 1e6 / burst_s, "MB/s", 2 * TARGET_MB_PER_S,
            f"{burst.waveforms:,} waveforms, {_AT_ONCE} requests at once",
        ),
        Figure("server memory after the burst, RSS", rss / 1e9, "GB"),
        at_most("waveforms missing or not as sent", wrong, "", 0.0, "a sample of them, read back over HTTP"),
        Figure("read of one second at 48 kHz over HTTP, p50", _percentile(read_ms, 50), "ms"),
        Figure("read of one second at 48 kHz over HTTP, p99", _percentile(read_ms, 99), "ms"),
    ]  # fmt: skip


async def _steady(machines: _Machines, seconds: float) -> _Sent:
    """At the pace of the clock, whether answers are quick or not."""
    sent = _Sent()
    began = time.perf_counter()
    sending: list[asyncio.Task[None]] = []
    for number in range(round(seconds * _GROUPS_PER_S)):
        due = began + number / _GROUPS_PER_S
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sent.behind_s = max(sent.behind_s, time.perf_counter() - due)
        sending.append(asyncio.create_task(machines.send(sent)))
    await asyncio.sleep(max(0.0, began + seconds - time.perf_counter()))
    await asyncio.gather(*sending)
    return sent


async def _burst(machines: _Machines, groups: int, sent: _Sent) -> None:
    left = iter(range(groups))

    async def sender() -> None:
        for _ in left:
            await machines.send(sent)

    await asyncio.gather(*(sender() for _ in range(_AT_ONCE)))


async def _wrong(
    client: httpx.AsyncClient, signals: Sequence[np.ndarray], groups: Sequence[tuple[int, list[int]]]
) -> float:
    """Of every so many groups, the waveforms that do not come back as they were sent."""
    wrong = 0
    for which, ids in groups[:: max(1, len(groups) // 50)]:
        for row, waveform_id in zip(signals[which], ids, strict=True):
            answer = await client.get(f"/api/v1/waveforms/{waveform_id}?raw=true", headers={"Accept": _NPY})
            wrong += not (answer.is_success and np.array_equal(np.load(io.BytesIO(answer.content)), row))
    return wrong


async def _read_ms(client: httpx.AsyncClient, groups: Sequence[tuple[int, list[int]]]) -> list[float]:
    taken: list[float] = []
    for _which, ids in groups[-200:]:
        began = time.perf_counter()
        (await client.get(f"/api/v1/waveforms/{ids[0]}", headers={"Accept": _NPY})).raise_for_status()
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def _write_plant(file: Path) -> None:
    name = {"en": "Bench", "zh_CN": "测试"}
    plant = {
        "park": {"id": "bench", "name": name, "timezone": "UTC"},
        "tenants": [{"id": "bench", "name": name}],
        "sites": [
            {
                "id": "works",
                "tenant": "bench",
                "name": name,
                "assets": [{"id": f"m{number:04}", "name": name} for number in range(MACHINES)],
            }
        ],
    }
    file.write_text(json.dumps(plant), encoding="utf-8")  # JSON is YAML


def _npy(points: np.ndarray) -> bytes:
    sink = io.BytesIO()
    np.save(sink, points)
    return sink.getvalue()


def _percentile(values: Sequence[float], part: float) -> float:
    return float(np.percentile(values, part))
