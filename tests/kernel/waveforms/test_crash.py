"""Killed at any moment, every waveform that was acknowledged is there, whole, and what else is left can be swept."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.waveforms.port import Entry
from athanor.kernel.waveforms.service import FOLDER, StoredWaveforms

from ..killing import killed_after
from .crashing import AT_ONCE, CHANNELS, group, work_until_killed
from .signals import FAN, NOON, same

KILLS = 10
LONGEST_LIFE_S = 0.5
KEPT = 30 + AT_ONCE  # groups, of those that were acknowledged before the last

pytestmark = pytest.mark.usefixtures("children_find_tests")


def number_of(entry: Entry) -> int:
    return round((entry.head.start - NOON).total_seconds())


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_at_random_moments_it_loses_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    await upgrade(f"sqlite+aiosqlite:///{tmp_path}/athanor.db")
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        first = max(acknowledged, default=-1) + 1 + AT_ONCE
        acknowledged |= set(killed_after(moments.uniform(0, LONGEST_LIFE_S), work_until_killed, tmp_path, first))
        database, files = Database(f"sqlite+aiosqlite:///{tmp_path}/athanor.db"), FolderFiles(tmp_path / "files")
        waveforms = StoredWaveforms(files, database, now=lambda: datetime.now(UTC) + timedelta(days=2))
        entries = await waveforms.find(FAN, limit=100_000)
        there = {number_of(entry) for entry in entries}
        expected = {number for number in acknowledged if number > max(acknowledged) - 30 + AT_ONCE}
        assert expected - there == set(), "acknowledged waveforms are lost"
        assert len(entries) == len(there) * len(CHANNELS), "a group is there in part"
        stored = await waveforms.read_many([entry.id for entry in entries])
        for entry, one in zip(entries, stored, strict=True):
            (given,) = [known for known in group(number_of(entry)) if known.head.channel == entry.head.channel]
            assert same(one, given)
        await waveforms.sweep()
        assert len([file async for file in files.list_files(FOLDER)]) == len(there), "a crash left files for good"
        assert len(await waveforms.read_many([entry.id for entry in entries])) == len(entries)
        for part in (waveforms, files, database):
            await part.close()
