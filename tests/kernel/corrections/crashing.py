"""A process that corrects and undoes until it is killed, and says each batch that it writes and each thing done."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from athanor.kernel.corrections import service
from athanor.kernel.corrections.actions import Adjust
from athanor.kernel.database.database import Database

from .works import ANNA, POWER, Works, at

SAMPLES = 3000
BATCH = 1000  # so that a kill may come between two
SHIFT = Adjust(start=at(-1), end=at(SAMPLES), offset=1.0)


def correct_until_killed(url: str, folder: Path, say: Connection) -> None:
    """Every third correction is undone. A batch is said as 0, a correction as its id, an undoing as its negative."""
    service._BATCH_ROWS = BATCH
    asyncio.run(_correct(url, folder, say))


async def _correct(url: str, folder: Path, say: Connection) -> None:
    works = await Works.open(Database(url), folder, most=SAMPLES)
    works.historian.on_write = lambda: say.send(0)
    while True:
        made = await works.corrections.correct(works.plant, POWER.path, SHIFT, reason="Drift", author=ANNA)
        say.send(made.id)
        if made.id % 3 == 0:
            await works.corrections.undo(works.plant, made.id, reason="No drift", author=ANNA)
            say.send(-made.id)
