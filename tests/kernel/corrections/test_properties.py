"""Whatever is corrected and undone, every sample that was there is there again."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.corrections.actions import Action, Adjust, Entered, Interpolate, MarkBad, SetConstant, SetValues
from athanor.kernel.corrections.change import Samples, change_of, decode, encode, is_same, nothing_at
from athanor.kernel.corrections.outcome import missing_times
from athanor.kernel.corrections.records import CorrectionImpossibleError, NothingToCorrectError
from athanor.kernel.database.database import Database
from athanor.kernel.telemetry import Quality

from .works import ANNA, POWER, Row, Works, at

QUALITIES = st.sampled_from(Quality)
NUMBERS = st.floats(-1e6, 1e6)
SECONDS = st.integers(0, 30).map(lambda half: half / 2)
ROWS = st.dictionaries(SECONDS, st.tuples(NUMBERS | st.none(), QUALITIES), min_size=1, max_size=20)
STEPS = st.none() | st.sampled_from([timedelta(seconds=0.25), timedelta(seconds=1), timedelta(seconds=3)])


@st.composite
def actions(draw: Callable[..., object]) -> Action:
    start = draw(SECONDS)
    over = {"start": at(start), "end": at(start + draw(SECONDS) + 0.5)}
    values = draw(st.dictionaries(SECONDS, NUMBERS, min_size=1, max_size=5))
    return draw(  # type: ignore[return-value]
        st.one_of(
            st.just(SetValues(values=tuple(Entered(time=at(second), value=one) for second, one in values.items()))),
            st.just(MarkBad(**over)),
            st.builds(SetConstant, **{key: st.just(one) for key, one in over.items()}, value=NUMBERS, step=STEPS),
            st.builds(Adjust, **{key: st.just(one) for key, one in over.items()}, factor=NUMBERS, offset=NUMBERS),
            st.builds(Interpolate, **{key: st.just(one) for key, one in over.items()}, step=STEPS),
        )
    )


def by_time(rows: list[Row]) -> dict[float, tuple[float | str | None, Quality]]:
    return {second: (value, quality) for second, value, quality in rows}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, made=st.lists(actions(), min_size=1, max_size=4))
async def test_what_is_corrected_and_undone_is_exactly_as_before(
    database: Database, rows: dict[float, tuple[float | None, Quality]], made: list[Action]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        works = await Works.open(database, Path(folder))
        await works.write(POWER, *((second, value, quality) for second, (value, quality) in rows.items()))
        before = by_time(await works.stored(POWER))
        done = []
        for action in made:
            try:
                done.append(
                    await works.corrections.correct(works.plant, POWER.path, action, reason="Why not", author=ANNA)
                )
            except (NothingToCorrectError, CorrectionImpossibleError):
                continue
        added = set(by_time(await works.stored(POWER))) - set(before)
        for correction in reversed(done):
            undone = await works.corrections.undo(works.plant, correction.id, reason="Why not", author=ANNA)
            assert undone.restored == undone.samples
        after = by_time(await works.stored(POWER))
        await works.close()
    assert {second: after[second] for second in before} == before
    assert {second: after[second] for second in added} == dict.fromkeys(added, (None, Quality.BAD))
    assert set(after) == set(before) | added


def samples(rows: dict[float, tuple[float | str | None, Quality]]) -> Samples:
    times = sorted(rows)
    values = [rows[time][0] for time in times]
    return Samples(
        np.array([int(time * 1e6) for time in times], np.int64),
        np.array([np.nan if one is None or isinstance(one, str) else one for one in values], np.float64),
        np.array([one if isinstance(one, str) else None for one in values] + [None], np.object_)[:-1],
        np.array([rows[time][1] for time in times], np.uint8),
    )


ANY_ROWS = st.dictionaries(
    SECONDS, st.tuples(NUMBERS | st.none() | st.text(st.characters(codec="utf-8")), QUALITIES), max_size=20
)


@given(old=ANY_ROWS, new=ANY_ROWS)
def test_a_change_outlives_being_kept_and_tells_old_from_new(
    old: dict[float, tuple[float | str | None, Quality]], new: dict[float, tuple[float | str | None, Quality]]
) -> None:
    was, becomes = samples(old), samples(new)
    change = change_of(was, becomes)
    kept = decode(encode(change))
    for one, other in ((kept.old, change.old), (kept.new, change.new)):
        assert one.time_us.tolist() == other.time_us.tolist()
        assert is_same(one, other).all()
    assert kept.was_there.tolist() == change.was_there.tolist()
    differing = [time for time, row in new.items() if old.get(time) != row]
    assert change.new.time_us.tolist() == sorted(int(time * 1e6) for time in differing)
    assert change.added == len(set(new) - set(old))
    written = was.with_these(change.new)
    everything = samples(old | new)
    assert written.time_us.tolist() == everything.time_us.tolist()
    assert is_same(written, everything).all()


@given(
    times=st.lists(st.integers(0, 200), unique=True).map(sorted),
    start=st.integers(0, 100),
    length=st.integers(1, 100),
    step=st.integers(1, 40),
)
def test_added_samples_leave_no_hole_and_crowd_none(times: list[int], start: int, length: int, step: int) -> None:
    inside = np.array([time for time in times if start <= time < start + length], np.int64)
    added = missing_times(POWER, inside, start, start + length, step, most=1000)
    both = np.union1d(inside, added)
    assert len(both) == len(inside) + len(added)
    assert all(start <= time < start + length for time in added)
    gaps = np.diff(np.concatenate([[start - step], both, [start + length]]))
    assert (gaps < 1.5 * step).all()
    for time in added.tolist():
        following = both[both > time]
        assert len(following) == 0 or following[0] - time >= step / 2


def test_nothing_stands_for_bad_and_without_a_value() -> None:
    nothing = nothing_at(np.array([5], np.int64))
    assert (nothing.quality.tolist(), nothing.text.tolist(), np.isnan(nothing.value).tolist()) == ([2], [None], [True])
