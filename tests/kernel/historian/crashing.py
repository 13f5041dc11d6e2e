"""A process that writes numbered batches and says each number once it is acknowledged, until it is killed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa

from athanor.kernel.historian.clearing import Keeping
from athanor.kernel.historian.retention import RetentionClass, RetentionRules, TagClasses
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId

from .samples import EVER, numbered

TAGS = 300
IMPORTED, IMPORTED_TAGS = 1000, 20_000  # the tags that come in by import have ids from here on


def write_until_killed(folder: Path, first: int, say: Connection) -> None:
    """Every fifth batch goes in by `import_history`, under tags of its own.

    Sealing, compaction and rolling up never pause, so that a kill may meet each of them anywhere.
    """
    asyncio.run(_write(folder, first, say))


async def _write(folder: Path, number: int, say: Connection) -> None:
    historian = TieredHistorian(folder / "hot", folder / "lake")
    background = [
        asyncio.create_task(_again_and_again(deed))
        for deed in (historian.seal_now, historian.compact_now, historian.roll_up_now)
    ]
    while not any(task.done() for task in background):
        if number % 5 == 4:
            history = numbered(number, tags=IMPORTED_TAGS, first_tag=IMPORTED)
            await historian.import_history(pa.Table.from_batches([history]))
        else:
            await historian.write(numbered(number, tags=TAGS))
        say.send(number)
        number += 1
    await asyncio.gather(*background)


FAST = 5  # the tags below are of a class whose samples go at once


def write_and_expire_until_killed(folder: Path, first: int, say: Connection) -> None:
    """The same, of few tags, with half of them on their way out: what was sealed goes as soon as it is seen."""
    asyncio.run(_write_and_expire(folder, first, say))


async def _write_and_expire(folder: Path, number: int, say: Connection) -> None:
    historian = expiring(folder)
    background = [
        asyncio.create_task(_again_and_again(deed))
        for deed in (historian.seal_now, historian.compact_now, historian.roll_up_now, _expiring(historian))
    ]
    while not any(task.done() for task in background):
        await historian.write(numbered(number, tags=2 * FAST))
        say.send(number)
        number += 1
    await asyncio.gather(*background)


def expiring(folder: Path) -> TieredHistorian:
    """A historian for which every day is long over."""
    rules = RetentionRules((RetentionClass("fast", 1), RetentionClass("slow")))
    classes = TagClasses({TagId(tag): "fast" if tag < FAST else "slow" for tag in range(2 * FAST)})
    keeping = Keeping(rules, lambda: classes, today=lambda: EVER.end.date() + timedelta(days=10))
    return TieredHistorian(folder / "hot", folder / "lake", keeping=keeping)


def _expiring(historian: TieredHistorian) -> Callable[[], Awaitable[None]]:
    async def expire() -> None:
        await historian.expire_now()

    return expire


async def _again_and_again(deed: Callable[[], Awaitable[None]]) -> None:
    while True:
        await deed()
