"""A process that writes, replaces and expires numbered waveforms and says each number once it is acknowledged."""

import asyncio
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from athanor.kernel.database.database import Database
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.waveforms.port import Selection, Waveform
from athanor.kernel.waveforms.service import StoredWaveforms

from .signals import NOON, waveform

AT_ONCE = 4
CHANNELS = ("x", "y", "z")


def group(number: int) -> list[Waveform]:
    """What is written under a number: three channels that tell it."""
    return [waveform(number, channel=channel, numbers=np.full(600, number % 30_000, np.int16)) for channel in CHANNELS]


def work_until_killed(folder: Path, first: int, say: Connection) -> None:
    """Groups are written, some twice; while that goes on, all but the youngest thirty expire."""
    asyncio.run(_work(folder, first, say))


async def _work(folder: Path, first: int, say: Connection) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder}/athanor.db")
    waveforms = StoredWaveforms(FolderFiles(folder / "files"), database)

    async def write(own: int) -> None:
        number = first + own
        while True:
            await waveforms.write(group(number))
            say.send(number)
            if number % 3 == 0:
                await waveforms.write(group(number))
            if number % 10 == 0:
                await waveforms.expire(Selection(NOON + timedelta(seconds=number - 30)), dry_run=False)
            number += AT_ONCE

    await asyncio.gather(*(write(own) for own in range(AT_ONCE)))
