"""Killed at any moment, a correction is either not there at all or, after the next start, carried out whole."""

import random
from pathlib import Path

import numpy as np
import pytest

from athanor.kernel.corrections import store
from athanor.kernel.corrections.records import CorrectionState
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade

from ..killing import rest_of, started
from .crashing import SAMPLES, correct_until_killed
from .works import EVER, POWER, Works, good

KILLS = 8
MOST_SAID = 12  # by a process before it is killed
SAYS_WITHIN_S = 60

pytestmark = pytest.mark.usefixtures("children_find_tests")


def killed_after(words: int, url: str, folder: Path) -> list[int]:
    """What a process said of its corrections; it is killed as soon as it has said so much."""
    process, heard = started(correct_until_killed, url, folder)
    said = []
    for _ in range(words):
        assert heard.poll(SAYS_WITHIN_S), "the process stands still"
        said.append(heard.recv())
    process.kill()
    process.join()
    return said + rest_of(heard)


async def test_killed_in_the_middle_a_correction_is_finished_at_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database, folder = Database(url), tmp_path / "samples"
    works = await Works.open(database, folder)
    base = np.arange(SAMPLES, dtype=float)
    await works.write(POWER, *good(*base.tolist()))
    await works.close()
    moments, said, interrupted = random.Random(7), set(), 0
    for _ in range(KILLS):
        said.update(killed_after(moments.randint(1, MOST_SAID), url, folder))
        async with database.reading() as session:
            interrupted += len(await store.find_unfinished(session))
        works = await Works.open(database, folder)
        made = await works.corrections.over(works.plant, [POWER.path], EVER)
        table = await works.historian.read([works.plant.id_of(POWER.path)], EVER)
        await works.close()
        states = {correction.id: correction.state for correction in made}
        assert set(states.values()) <= {CorrectionState.DONE, CorrectionState.UNDONE}
        assert {one for one in said if one > 0} <= set(states)
        assert all(states[-one] is CorrectionState.UNDONE for one in said if one < 0)
        in_force = sum(state is CorrectionState.DONE for state in states.values())
        np.testing.assert_array_equal(table["value"].to_numpy(), base + in_force)
    await database.close()
    assert interrupted > KILLS / 3, "the kills came at other times than they should"
