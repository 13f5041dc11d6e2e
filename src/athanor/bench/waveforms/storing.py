"""The store alone, in this process: durable writes and reads of a second of vibration, beside npy files."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from athanor.bench.figures import Figure
from athanor.bench.historian.timing import without_page_cache
from athanor.bench.waveforms.signals import POINTS, RATE_HZ, vibration
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.historian.port import moment
from athanor.kernel.waveforms.port import Head, Waveform
from athanor.kernel.waveforms.service import StoredWaveforms

_WRITERS = 8
_DIFFERENT = 40
_NPY = "npy and fsync"
_START_US = 1_790_000_000_000_000


async def store(folder: Path, waveforms: int, reads: int, cold_reads: int) -> list[Figure]:
    """Ingest, size, reads warm and cold, a table of a hundred."""
    signals = [vibration(seed) for seed in range(_DIFFERENT)]
    url = f"sqlite+aiosqlite:///{folder}/athanor.db"
    await upgrade(url)
    database, files = Database(url), FolderFiles(folder / "files")
    ours = StoredWaveforms(files, database)
    npy = folder / "npy"
    npy.mkdir()
    try:
        megabytes = waveforms * POINTS * 2 / 1e6
        wrote_s = await _side_by_side(waveforms, lambda number: _write(ours, signals, number))
        raw_s = await _side_by_side(waveforms, lambda number: asyncio.to_thread(_save, npy, signals, number))
        ids = [entry.id for entry in await ours.find("works.m0", limit=waveforms)]
        stored = sum([entry.size async for entry in files.list_files()])
        figures = [
            Figure("durable ingest, the store alone", megabytes / wrote_s, "MB/s", peers={_NPY: megabytes / raw_s}),
            Figure("stored, head and index entry apart", stored / waveforms / POINTS, "B/point", peers={_NPY: 2.003}),
        ]
        figures += await _reading("warm", ours, ids, npy, reads, cold=False)
        if cold_reads and without_page_cache():
            figures += await _reading("cold", ours, ids, npy, cold_reads, cold=True)
        began = time.perf_counter()
        await ours.table(ids[:100])
        figures.append(Figure("a table of 100 waveforms", (time.perf_counter() - began) * 1e3, "ms"))
        return figures
    finally:
        for part in (ours, files, database):
            await part.close()


async def _side_by_side(count: int, write: Callable[[int], Awaitable[object]]) -> float:
    """Seconds that so many writes take, some at once."""
    left = iter(range(count))

    async def writer() -> None:
        for number in left:
            await write(number)

    began = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(_WRITERS)))
    return time.perf_counter() - began


async def _write(ours: StoredWaveforms, signals: list[np.ndarray], number: int) -> None:
    head = Head(
        asset="works.m0",
        channel="de_x",
        start=moment(_START_US + number * 1_000_000),
        rate_hz=RATE_HZ,
        quantity="acceleration",
        unit="m/s2",
        scale=0.001,
    )
    await ours.write([Waveform(head, signals[number % _DIFFERENT])])


def _save(folder: Path, signals: list[np.ndarray], number: int) -> None:
    """As durable as ours: the file, its name."""
    coming = folder / f"{number}.part"
    with coming.open("wb") as file:
        np.save(file, signals[number % _DIFFERENT])
        file.flush()
        os.fsync(file.fileno())
    coming.rename(folder / f"{number}.npy")
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


async def _reading(
    name: str, ours: StoredWaveforms, ids: list[int], npy: Path, reads: int, *, cold: bool
) -> list[Figure]:
    random = np.random.default_rng(5)
    chosen = random.integers(0, len(ids), reads)
    our_ms: list[float] = []
    npy_ms: list[float] = []
    for place in chosen:
        if cold:
            await asyncio.to_thread(without_page_cache)
        began = time.perf_counter()
        (await ours.read(ids[place])).values  # noqa: B018 scaling is part of it
        our_ms.append((time.perf_counter() - began) * 1e3)
        began = time.perf_counter()
        np.load(npy / f"{place}.npy") * 0.001
        npy_ms.append((time.perf_counter() - began) * 1e3)
    return [
        Figure(
            f"read of one second at 48 kHz, {name}, p{part}",
            float(np.percentile(our_ms, part)),
            "ms",
            compared_with=f"{reads} reads",
            peers={_NPY: float(np.percentile(npy_ms, part))},
        )
        for part in (50, 99)
    ]
