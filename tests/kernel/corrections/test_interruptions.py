"""A correction that the historian takes in part, or not now, is finished by itself; nobody has to make it twice."""

import asyncio
from pathlib import Path

import pytest

from athanor.kernel.corrections import service
from athanor.kernel.corrections.actions import Adjust, MarkBad
from athanor.kernel.corrections.records import CorrectionPendingError, CorrectionState, SamplesCorrected
from athanor.kernel.database.database import Database

from .works import ANNA, EVER, POWER, SETPOINT, Works, at, good

WHY = "Sensor drifted"
SHIFT = Adjust(start=at(0), end=at(9), offset=10.0)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_BATCH_ROWS", 2)


async def state_of(works: Works, correction: int) -> CorrectionState:
    return (await works.corrections.get(works.plant, correction)).state


async def told(works: Works) -> SamplesCorrected:
    """What the bus says next of a correction."""
    event = await asyncio.wait_for(works.told.get(), 10)
    assert isinstance(event.body, SamplesCorrected)
    return event.body


async def test_what_a_full_historian_refused_is_finished_when_there_is_room(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0, 4.0))
    works.historian.room = 1
    with pytest.raises(CorrectionPendingError, match="do not make it a second time") as caught:
        await works.corrections.correct(works.plant, POWER.path, SHIFT, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == good(11.0, 12.0, 3.0, 4.0)
    made = (await works.corrections.over(works.plant, [POWER.path], EVER))[0]
    assert f"Correction {made.id} " in str(caught.value)
    assert made.state is CorrectionState.PENDING
    with pytest.raises(CorrectionPendingError, match=f"Correction {made.id} "):
        await works.corrections.correct(
            works.plant, POWER.path, MarkBad(start=at(0), end=at(9)), reason=WHY, author=ANNA
        )
    assert len(await works.corrections.over(works.plant, [POWER.path], EVER)) == 1
    works.historian.room = 10
    assert await told(works) == SamplesCorrected(made.tag, made.span, made.id, is_undone=False)
    assert await state_of(works, made.id) is CorrectionState.DONE
    assert await works.stored(POWER) == good(11.0, 12.0, 13.0, 14.0)


async def test_one_that_cannot_be_finished_holds_up_no_other_tag(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0))
    await works.write(SETPOINT, *good(5.0))
    works.historian.room = 0
    with pytest.raises(CorrectionPendingError):
        await works.corrections.correct(works.plant, POWER.path, SHIFT, reason=WHY, author=ANNA)
    works.historian.refused = works.plant.id_of(POWER.path)
    works.historian.room = 10
    await works.corrections.correct(works.plant, SETPOINT.path, SHIFT, reason=WHY, author=ANNA)
    assert await works.stored(SETPOINT) == good(15.0)
    with pytest.raises(CorrectionPendingError):
        await works.corrections.correct(works.plant, POWER.path, SHIFT, reason=WHY, author=ANNA)
    works.historian.refused = None
    while (await told(works)).tag != works.plant.id_of(POWER.path):
        continue
    assert await works.stored(POWER) == good(11.0, 12.0)


async def test_an_undoing_that_was_refused_is_finished_too(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0, 4.0))
    made = await works.corrections.correct(works.plant, POWER.path, SHIFT, reason=WHY, author=ANNA)
    works.historian.room = 1
    with pytest.raises(CorrectionPendingError):
        await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == good(1.0, 2.0, 13.0, 14.0)
    works.historian.room = 10
    assert [(await told(works)).is_undone for _ in range(2)] == [False, True]
    assert await state_of(works, made.id) is CorrectionState.UNDONE
    assert await works.stored(POWER) == good(1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("is_undoing", [False, True])
async def test_a_start_finishes_what_the_last_run_left(database: Database, tmp_path: Path, *, is_undoing: bool) -> None:
    works = await Works.open(database, tmp_path / "samples")
    await works.write(POWER, *good(1.0, 2.0, 3.0, 4.0))
    doing = works.corrections.correct(works.plant, POWER.path, SHIFT, reason=WHY, author=ANNA)
    if is_undoing:
        doing = works.corrections.undo(works.plant, (await doing).id, reason=WHY, author=ANNA)
    works.historian.room = 1
    with pytest.raises(CorrectionPendingError):
        await doing
    await works.close()
    again = await Works.open(database, tmp_path / "samples")
    assert await again.stored(POWER) == (good(1.0, 2.0, 3.0, 4.0) if is_undoing else good(11.0, 12.0, 13.0, 14.0))
    newest = again.current.get(again.plant.id_of(POWER.path))
    assert newest is not None
    assert newest.value == (4.0 if is_undoing else 14.0)
    (made,) = await again.corrections.over(again.plant, [POWER.path], EVER)
    assert made.state is (CorrectionState.UNDONE if is_undoing else CorrectionState.DONE)
    await again.close()
