"""A disk that fills up, a store or a database that goes away: nothing acknowledged, nothing lost, and on it goes."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import FilesFullError
from athanor.kernel.waveforms.port import Selection, WaveformIndexError
from athanor.kernel.waveforms.service import StoredWaveforms

from ..disks import small_disk
from .signals import FAN, same, waveform

DISK_MB = 16
NOISE = np.random.default_rng(1).integers(-(2**15), 2**15, 250_000).astype(np.int16)  # half a megabyte, incompressible


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield folder


async def write_until_refused(waveforms: StoredWaveforms, numbers: np.ndarray, first: int) -> int:
    """How many are acknowledged before an error, which is passed on by name."""
    for number in range(first, first + 500):
        try:
            await waveforms.write([waveform(number, numbers=numbers)])
        except (FilesFullError, WaveformIndexError):
            return number - first
    raise AssertionError("nothing was refused")


async def test_a_full_disk_refuses_reads_go_on_and_so_does_writing_once_there_is_room(
    disk: Path, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database, files = Database(url), FolderFiles(disk, reserve_mb=4)
    waveforms = StoredWaveforms(files, database)
    acknowledged = await write_until_refused(waveforms, NOISE, 0)
    assert 10 < acknowledged < 40
    with pytest.raises(FilesFullError, match="take no more"):
        await waveforms.write([waveform(acknowledged, numbers=NOISE)])
    entries = await waveforms.find(FAN)
    assert len(entries) == acknowledged
    assert same(await waveforms.read(entries[-1].id), waveform(acknowledged - 1, numbers=NOISE))
    await waveforms.expire(Selection(entries[2].head.start), dry_run=False)
    await waveforms.write([waveform(acknowledged, numbers=NOISE)])
    assert len(await waveforms.find(FAN)) == acknowledged - 1
    for part in (waveforms, files, database):
        await part.close()


async def test_a_full_disk_under_the_database_acknowledges_nothing_and_loses_nothing(
    disk: Path, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{disk}/athanor.db"
    await upgrade(url)
    database, files = Database(url), FolderFiles(tmp_path / "files")
    waveforms = StoredWaveforms(files, database)
    short = np.zeros(10, np.int16)
    (first,) = await waveforms.write([waveform(0)])
    statistics = os.statvfs(disk)
    with (disk / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, statistics.f_bavail * statistics.f_frsize)
    acknowledged = await write_until_refused(waveforms, short, 1)
    with pytest.raises(WaveformIndexError, match="Nothing was acknowledged"):
        await waveforms.write([waveform(acknowledged + 1, numbers=short)])
    assert len(await waveforms.find(FAN)) == acknowledged + 1
    assert same(await waveforms.read(first), waveform(0))
    (disk / "ballast").unlink()
    await waveforms.write([waveform(1000)])
    assert len(await waveforms.find(FAN)) == acknowledged + 2
    for part in (waveforms, files, database):
        await part.close()


async def test_a_database_that_goes_away_is_said(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/tables/athanor.db"
    await upgrade(url)
    shutil.rmtree(tmp_path / "tables")
    database, files = Database(url), FolderFiles(tmp_path / "files")
    waveforms = StoredWaveforms(files, database)
    shutil.rmtree(tmp_path / "tables")
    with pytest.raises(WaveformIndexError, match="unable to open database file"):
        await waveforms.write([waveform(0)])
    with pytest.raises(WaveformIndexError, match="unable to open database file"):
        await waveforms.find(FAN, "x")
    for part in (waveforms, files, database):
        await part.close()
