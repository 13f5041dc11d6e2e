"""The benchmark of waveforms measures what it says: what was acknowledged is there as it was sent."""

from pathlib import Path

import numpy as np
import pytest

from athanor.bench.waveforms import signals
from athanor.bench.waveforms.delivery import CHANNELS, MACHINES, TARGET_MB_PER_S, deliver
from athanor.bench.waveforms.encodings import compare
from athanor.bench.waveforms.storing import store


def test_the_target_is_203_mb_a_day_from_each_of_a_thousand_machines() -> None:
    assert pytest.approx(TARGET_MB_PER_S, abs=0.005) == 203 * MACHINES / 86_400
    assert len(CHANNELS) * signals.POINTS * 2 * 500 / 1e6 == 4 * 48  # half a thousand seconds a day and channel


async def test_what_machines_deliver_over_http_is_there_as_it_was_sent(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in await deliver(tmp_path, sustained_s=1.0, burst_groups=4)}
    assert figures["waveforms missing or not as sent"].value == 0
    assert figures["delivered over HTTP, burst"].value


async def test_the_store_is_measured_beside_npy_files(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in await store(tmp_path, waveforms=100, reads=20, cold_reads=0)}
    assert figures["durable ingest, the store alone"].peers.keys() == {"npy and fsync"}
    size = figures["stored, head and index entry apart"].value
    assert size is not None
    assert size < 1.2


def test_ours_is_the_smallest_of_the_encodings_also_on_recordings_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "fan.npz", de=signals.vibration(1, points=2 * signals.POINTS), rpm=np.array([1480]))
    monkeypatch.setenv(signals.RECORDINGS, str(tmp_path))
    groups: dict[str, dict[str, float]] = {}
    for figure in compare():
        about, _, encoding = figure.name.rpartition(": ")
        groups.setdefault(about, {})[encoding] = figure.value or 0.0
    assert [about.partition(",")[0] for about in groups] == ["vibration", "motor current", "fan"]
    assert all(min(sizes, key=sizes.__getitem__) == "ours" for sizes in groups.values())
