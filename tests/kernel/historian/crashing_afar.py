"""A process that writes to a lake in an object store and says what is acknowledged, until it is killed."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa

from athanor.kernel.historian.s3 import ACCESS_KEY, SECRET_KEY
from athanor.kernel.historian.tiered import TieredHistorian

from .objectstore import lake_at
from .samples import numbered

TAGS = 50


def write_until_killed(folder: Path, address: str, prefix: str, first: int, say: Connection) -> None:
    """Every third batch goes in by `import_history`. Sealing and compaction never pause."""
    os.environ.update({ACCESS_KEY: "keeper", SECRET_KEY: "of-the-park"})
    asyncio.run(_write(TieredHistorian(folder / "hot", lake_at(address, prefix)), first, say))


async def _write(historian: TieredHistorian, number: int, say: Connection) -> None:
    background = [asyncio.create_task(_again_and_again(deed)) for deed in (historian.seal_now, historian.compact_now)]
    while not any(task.done() for task in background):
        if number % 3 == 2:
            await historian.import_history(pa.Table.from_batches([numbered(number, tags=TAGS)]))
        else:
            await historian.write(numbered(number, tags=TAGS))
        say.send(number)
        number += 1
    await asyncio.gather(*background)


async def _again_and_again(deed: Callable[[], Awaitable[None]]) -> None:
    while True:
        await deed()
