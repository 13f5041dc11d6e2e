"""Closing keeps what was written before; who gives up waiting harms nobody else."""

import asyncio
from pathlib import Path

import pytest

from athanor.kernel.historian.tiered import TieredHistorian

from .samples import EVER, numbered, numbers_of, tag_ids


async def test_what_was_written_just_before_closing_is_stored(tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    writing = [asyncio.create_task(historian.write(numbered(number, tags=2))) for number in range(50)]
    await asyncio.sleep(0)  # every write has begun
    await historian.close()
    await asyncio.gather(*writing)
    again = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    assert numbers_of(await again.read(tag_ids(2), EVER), 1) == list(range(50))
    await again.close()


async def test_a_closed_historian_takes_nothing(tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    await historian.close()
    with pytest.raises(RuntimeError, match="closed"):
        await historian.write(numbered(0, tags=2))


async def test_a_writer_that_gives_up_waiting_does_not_stop_the_others(tmp_path: Path) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    for number in range(100):
        given_up = asyncio.create_task(historian.write(numbered(1000 + number, tags=2)))
        await asyncio.sleep(0)  # it has begun
        given_up.cancel()
        await historian.write(numbered(number, tags=2))
    assert [n for n in numbers_of(await historian.read(tag_ids(2), EVER), 1) if n < 1000] == list(range(100))
    await historian.close()
