"""What people may do to stored samples: what was there is kept, can be seen, and comes back."""

import asyncio
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from athanor.kernel.bus.port import Event
from athanor.kernel.corrections.actions import Adjust, Entered, Interpolate, MarkBad, SetConstant, SetValues
from athanor.kernel.corrections.records import (
    CORRECTED_TOPIC,
    AlreadyUndoneError,
    CorrectionImpossibleError,
    CorrectionState,
    NothingToCorrectError,
    OverlaidError,
    ReasonNeededError,
    SamplesCorrected,
    TooManySamplesError,
)
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import Span
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.identity.user import Share
from athanor.kernel.plant.running import LentForReadingError
from athanor.kernel.telemetry import Quality

from .works import ANNA, ENERGY, LOT, NOW, OTHERS, POWER, SETPOINT, STATE, Works, at, good

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD
WHY = "Meter read wrong, see shift book 4 May"
SECOND = timedelta(seconds=1)


async def test_a_correction_by_a_person_keeps_the_old_value_author_and_reason(works: Works) -> None:
    await works.write(POWER, *good(1.0, 99.0, 3.0))
    action = SetValues(values=(Entered(time=at(1), value=2.0),))
    made = await works.corrections.correct(works.plant, POWER.path, action, reason=f" {WHY} ", author=ANNA)
    assert await works.stored(POWER) == good(1.0, 2.0, 3.0)
    assert await works.corrections.get(works.plant, made.id) == made
    assert (made.author, made.reason, made.made_at, made.state) == ("anna", WHY, NOW, CorrectionState.DONE)
    assert (made.action, made.samples, made.added) == (action, 1, 0)
    change = await works.corrections.change(works.plant, made.id)
    assert change.to_table().to_pylist() == [
        {
            "time": at(1),
            "old_value": 99.0,
            "old_text": None,
            "old_quality": GOOD,
            "new_value": 2.0,
            "new_text": None,
            "new_quality": GOOD,
        }
    ]


async def test_undoing_brings_the_old_samples_back_and_needs_a_reason_too(works: Works) -> None:
    before = [(0.0, 1.0, GOOD), (1.0, None, BAD), (2.0, 3.0, UNCERTAIN), (3.0, 4.0, GOOD)]
    await works.write(POWER, *before)
    action = SetConstant(start=at(0), end=at(3), value=7.0)
    made = await works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == [*((float(n), 7.0, GOOD) for n in range(3)), (3.0, 4.0, GOOD)]
    with pytest.raises(ReasonNeededError):
        await works.corrections.undo(works.plant, made.id, reason=" ", author=ANNA)
    undone = await works.corrections.undo(works.plant, made.id, reason="It was right", author=ANNA)
    assert await works.stored(POWER) == before
    assert (undone.state, undone.undone_by, undone.undo_reason) == (CorrectionState.UNDONE, "anna", "It was right")
    assert undone.restored == 3
    with pytest.raises(AlreadyUndoneError):
        await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)


async def test_a_missing_value_is_added_and_undone_it_is_bad_without_a_value(works: Works) -> None:
    await works.write(POWER, *good(1.0))
    action = SetValues(values=(Entered(time=at(5), value=6.0),))
    made = await works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    assert (made.samples, made.added) == (1, 1)
    assert await works.stored(POWER) == [*good(1.0), (5.0, 6.0, GOOD)]
    change = await works.corrections.change(works.plant, made.id)
    assert change.to_table()["old_quality"].to_pylist() == [None]
    await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == [*good(1.0), (5.0, None, BAD)]


async def test_a_range_marked_bad_keeps_its_values_to_be_seen(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0, 4.0))
    made = await works.corrections.correct(
        works.plant, POWER.path, MarkBad(start=at(1), end=at(3)), reason=WHY, author=ANNA
    )
    assert await works.stored(POWER) == [(0.0, 1.0, GOOD), (1.0, 2.0, BAD), (2.0, 3.0, BAD), (3.0, 4.0, GOOD)]
    assert made.span == Span(at(1), at(2) + timedelta(microseconds=1))


async def test_a_range_is_shifted_and_scaled_but_for_its_bad_samples(works: Works) -> None:
    await works.write(POWER, (0.0, 1.0, GOOD), (1.0, 5.0, BAD), (2.0, 2.0, UNCERTAIN), (3.0, None, BAD))
    action = Adjust(start=at(0), end=at(9), factor=10.0, offset=-3.0)
    made = await works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    assert made.samples == 2
    assert await works.stored(POWER) == [(0.0, 7.0, GOOD), (1.0, 5.0, BAD), (2.0, 17.0, UNCERTAIN), (3.0, None, BAD)]


async def test_a_line_between_the_ends_is_uncertain_unless_it_is_to_count(works: Works) -> None:
    await works.write(POWER, *good(10.0, 99.0, 99.0, 99.0, 50.0), (1.5, None, BAD))
    line = Interpolate(start=at(1), end=at(4))
    made = await works.corrections.correct(works.plant, POWER.path, line, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == [
        (0.0, 10.0, GOOD), (1.0, 20.0, UNCERTAIN), (1.5, 25.0, UNCERTAIN), (2.0, 30.0, UNCERTAIN),
        (3.0, 40.0, UNCERTAIN), (4.0, 50.0, GOOD),
    ]  # fmt: skip
    await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    counting = Interpolate(start=at(1), end=at(4), quality="good")
    await works.corrections.correct(works.plant, POWER.path, counting, reason=WHY, author=ANNA)
    assert {quality for _, _, quality in await works.stored(POWER)} == {GOOD}


async def test_where_nothing_came_samples_are_added_in_the_step_asked_for(works: Works) -> None:
    await works.write(POWER, *good(0.0, 1.0), (10.0, 10.0, GOOD))
    action = Interpolate(start=at(1.5), end=at(10), step=2 * SECOND)
    made = await works.corrections.correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    assert made.samples == made.added == 4
    added = [(second, pytest.approx(second), UNCERTAIN) for second in (1.5, 3.5, 5.5, 7.5)]
    assert await works.stored(POWER) == [*good(0.0, 1.0), *added, (10.0, 10.0, GOOD)]


async def test_texts_and_states_are_corrected_as_what_they_are(works: Works) -> None:
    await works.write(LOT, (0.0, "L-7", GOOD))
    await works.write(STATE, (0.0, 1.0, GOOD), (1.0, "RUN", GOOD))
    for tag, value in ((LOT, "L-8"), (STATE, "STOP"), (STATE, 2.0)):
        action = SetConstant(start=at(0), end=at(9), value=value)
        await works.corrections.correct(works.plant, tag.path, action, reason=WHY, author=ANNA)
        assert {value for _, value, _ in await works.stored(tag)} == {value}
    for correction in (3, 2, 1):
        await works.corrections.undo(works.plant, correction, reason=WHY, author=ANNA)
    assert await works.stored(LOT) == [(0.0, "L-7", GOOD)]
    assert await works.stored(STATE) == [(0.0, 1.0, GOOD), (1.0, "RUN", GOOD)]


RANGE = {"start": at(0), "end": at(9)}


@pytest.mark.parametrize(
    ("tag", "action", "reason"),
    [
        (POWER, SetConstant(**RANGE, value="high"), "its values are numbers"),
        (LOT, SetConstant(**RANGE, value=8.0), "its values are texts"),
        (LOT, Adjust(**RANGE, offset=1.0), "have no offset"),
        (STATE, Adjust(**RANGE, offset=1.0), "have no offset"),
        (SETPOINT, Interpolate(**RANGE), "holds until it changes"),
        (POWER, Adjust(**RANGE, factor=1e308), "would become infinite"),
        (POWER, Interpolate(start=at(1), end=at(9)), "no good sample in the 40 days after"),
        (POWER, Interpolate(start=at(0), end=at(1)), "no good sample in the 40 days before"),
        (ENERGY, Interpolate(start=at(1), end=at(2)), "falls from 900 to 5"),
        (POWER, SetValues(values=(Entered(time=NOW + SECOND, value=1.0),)), "has not come yet"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_reason(
    works: Works, tag: object, action: object, reason: str
) -> None:
    await works.write(POWER, *good(10.0, 20.0))
    await works.write(ENERGY, (0.0, 900.0, GOOD), (1.0, 950.0, GOOD), (2.0, 5.0, GOOD))
    await works.write(SETPOINT, *good(1.0, 2.0))
    await works.write(LOT, (0.0, "L-7", GOOD))
    await works.write(STATE, (0.0, 1.0, GOOD))
    with pytest.raises(CorrectionImpossibleError, match=reason):
        await works.corrections.correct(works.plant, tag.path, action, reason=WHY, author=ANNA)  # type: ignore[attr-defined, arg-type]
    assert await works.stored(POWER) == good(10.0, 20.0)


async def test_a_preview_says_what_would_change_and_changes_nothing(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0, 4.0))
    action = Adjust(start=at(1), end=at(3), offset=10.0)
    seen = await works.corrections.preview(works.plant, POWER.path, action)
    before, after = seen.figures
    assert (before.count, before.minimum, before.mean, before.maximum) == (2, 2.0, 2.5, 3.0)
    assert (after.count, after.minimum, after.mean, after.maximum) == (2, 12.0, 12.5, 13.0)
    assert (len(seen.change), seen.change.added) == (2, 0)
    bad = await works.corrections.preview(works.plant, POWER.path, MarkBad(start=at(1), end=at(3)))
    assert bad.figures[1].count == 0
    assert np.isnan(bad.figures[1].mean)
    assert await works.stored(POWER) == good(1.0, 2.0, 3.0, 4.0)
    assert await works.corrections.over(works.plant, [POWER.path], Span(at(0), at(9))) == []


async def test_what_would_change_nothing_or_too_much_or_has_no_reason_is_refused(works: Works) -> None:
    correct = works.corrections.correct
    await works.write(POWER, *good(1.0))
    for action in (MarkBad(start=at(5), end=at(9)), SetConstant(start=at(0), end=at(9), value=1.0)):
        with pytest.raises(NothingToCorrectError):
            await correct(works.plant, POWER.path, action, reason=WHY, author=ANNA)
    with pytest.raises(ReasonNeededError):
        await correct(works.plant, POWER.path, MarkBad(start=at(0), end=at(9)), reason="\n", author=ANNA)
    fill = SetConstant(start=at(0), end=at(3600), value=1.0, step=SECOND / 10)
    with pytest.raises(TooManySamplesError, match="10,000"):
        await correct(works.plant, POWER.path, fill, reason=WHY, author=ANNA)
    await works.write(POWER, *good(*np.arange(10_001.0).tolist()))
    with pytest.raises(TooManySamplesError, match="10,000"):
        await correct(works.plant, POWER.path, MarkBad(start=at(0), end=at(1e5)), reason=WHY, author=ANNA)


async def test_nobody_sees_or_touches_corrections_of_others(works: Works) -> None:
    await works.write(OTHERS, *good(1.0))
    made = await works.corrections.correct(
        works.plant, OTHERS.path, MarkBad(start=at(0), end=at(1)), reason=WHY, author=ANNA
    )
    copper = works.plant.visible_to(frozenset({"copper"}))
    for attempt in (
        works.corrections.get(copper, made.id),
        works.corrections.change(copper, made.id),
        works.corrections.overwritten(copper, made.id),
        works.corrections.undo(copper, made.id, reason=WHY, author=ANNA),
        works.corrections.over(copper, [OTHERS.path], Span(at(0), at(9))),
        works.corrections.preview(copper, OTHERS.path, MarkBad(start=at(0), end=at(1))),
        works.corrections.correct(copper, OTHERS.path, MarkBad(start=at(0), end=at(1)), reason=WHY, author=ANNA),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_tag_that_is_lent_is_not_corrected_and_its_corrections_are_not_seen(works: Works) -> None:
    await works.write(OTHERS, *good(1.0))
    wrong = MarkBad(start=at(0), end=at(1))
    made = await works.corrections.correct(works.plant, OTHERS.path, wrong, reason=WHY, author=ANNA)
    owner = works.plant.model.tenant_of(OTHERS.path).id
    copper = works.plant.visible_to(frozenset({"copper"}), (Share(owner, OTHERS.node_path),))
    assert OTHERS.path in copper.ids
    with pytest.raises(LentForReadingError):
        await works.corrections.preview(copper, OTHERS.path, wrong)
    with pytest.raises(LentForReadingError):
        await works.corrections.correct(copper, OTHERS.path, wrong, reason=WHY, author=ANNA)
    for attempt in (
        works.corrections.get(copper, made.id),
        works.corrections.change(copper, made.id),
        works.corrections.undo(copper, made.id, reason=WHY, author=ANNA),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await works.corrections.over(copper, [OTHERS.path, POWER.path], Span(at(0), at(9))) == []


async def test_a_correction_that_a_later_one_stands_on_is_undone_after_it(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0))
    shift = Adjust(start=at(0), end=at(2), offset=10.0)
    first = await works.corrections.correct(works.plant, POWER.path, shift, reason=WHY, author=ANNA)
    beside = await works.corrections.correct(
        works.plant, POWER.path, MarkBad(start=at(2), end=at(3)), reason=WHY, author=ANNA
    )
    on_top = await works.corrections.correct(
        works.plant, POWER.path, Adjust(start=at(1), end=at(9), factor=2.0), reason=WHY, author=ANNA
    )
    assert await works.corrections.overwritten(works.plant, first.id) == 1
    with pytest.raises(OverlaidError, match=f"Undo {on_top.id} first"):
        await works.corrections.undo(works.plant, first.id, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == [(0.0, 11.0, GOOD), (1.0, 24.0, GOOD), (2.0, 3.0, BAD)]
    for correction in (on_top, first, beside):
        await works.corrections.undo(works.plant, correction.id, reason=WHY, author=ANNA)
    assert await works.stored(POWER) == good(1.0, 2.0, 3.0)


async def test_what_was_imported_over_a_correction_is_told_and_stays_when_that_is_undone(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0))
    made = await works.corrections.correct(
        works.plant, POWER.path, Adjust(start=at(0), end=at(9), offset=10.0), reason=WHY, author=ANNA
    )
    assert await works.corrections.overwritten(works.plant, made.id) == 0
    await works.write(POWER, (1.0, 77.0, GOOD))
    assert await works.corrections.overwritten(works.plant, made.id) == 1
    undone = await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    assert undone.restored == 2
    assert await works.stored(POWER) == good(1.0, 77.0, 3.0)
    assert await works.corrections.overwritten(works.plant, made.id) == 0


async def test_corrections_of_a_time_are_found_newest_first(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0, 3.0))
    made = [
        await works.corrections.correct(
            works.plant, POWER.path, MarkBad(start=at(second), end=at(second + 1)), reason=WHY, author=ANNA
        )
        for second in range(3)
    ]
    over = works.corrections.over
    assert await over(works.plant, [POWER.path], Span(at(0), at(9))) == made[::-1]
    assert await over(works.plant, [POWER.path, LOT.path], Span(at(0.5), at(2))) == [made[1]]
    assert await over(works.plant, [LOT.path], Span(at(0), at(9))) == []


async def test_the_newest_value_and_whoever_listens_follow(works: Works) -> None:
    await works.write(POWER, *good(1.0, 2.0))
    power = works.plant.id_of(POWER.path)
    made = await works.corrections.correct(
        works.plant, POWER.path, Adjust(start=at(0), end=at(9), offset=5.0), reason=WHY, author=ANNA
    )
    newest = works.current.get(power)
    assert newest is not None
    assert (newest.time, newest.value) == (at(1), 7.0)
    await works.corrections.undo(works.plant, made.id, reason=WHY, author=ANNA)
    restored = works.current.get(power)
    assert restored is not None
    assert restored.value == 2.0
    said = [SamplesCorrected(power, made.span, made.id, is_undone) for is_undone in (False, True)]
    told = [await asyncio.wait_for(works.told.get(), 10) for _ in said]
    assert told == [Event(CORRECTED_TOPIC, body, NOW) for body in said]


async def test_who_did_it_is_in_the_audit_trail(works: Works) -> None:
    await works.write(POWER, *good(1.0))
    made = await works.corrections.correct(
        works.plant, POWER.path, MarkBad(start=at(0), end=at(1)), reason=WHY, author=ANNA, address="10.0.0.7"
    )
    await works.corrections.undo(works.plant, made.id, reason="Wrong tag", author=ANNA)
    async with works.database.reading() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(row.actor, row.action, row.subject, row.address) for row in rows] == [
        ("anna", "historian.samples-corrected", POWER.path, "10.0.0.7"),
        ("anna", "historian.correction-undone", POWER.path, ""),
    ]
    assert rows[0].detail == {"correction": made.id, "kind": "bad", "samples": 1, "reason": WHY}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM historian_corrections",
        "UPDATE historian_corrections SET reason = 'none'",
        "UPDATE historian_corrections SET author = 'nobody', state = 'undone'",
    ],
)
async def test_the_database_refuses_to_forget_a_correction(works: Works, statement: str) -> None:
    await works.write(POWER, *good(1.0))
    made = await works.corrections.correct(
        works.plant, POWER.path, MarkBad(start=at(0), end=at(1)), reason=WHY, author=ANNA
    )
    with pytest.raises(DBAPIError, match="kept for ever"):
        async with works.database.session() as session:
            await session.execute(text(statement))
    assert await works.corrections.get(works.plant, made.id) == made
