"""Current values, against a plain dictionary."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.current import CurrentValue, CurrentValues
from athanor.kernel.historian.port import STORED
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
TAGS = 6

Row = tuple[int, int, float | str | None, Quality]  # tag, seconds after noon, value, quality

rows = st.tuples(
    st.integers(0, TAGS - 1),
    st.integers(-5, 5),
    st.one_of(st.none(), st.text(max_size=3), st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from(Quality),
)
batches = st.lists(st.lists(rows, max_size=8), max_size=6)


def table(batch: list[Row]) -> pa.Table:
    return pa.table(
        [
            pa.array([row[0] for row in batch], pa.int32()),
            pa.array([NOON + timedelta(seconds=row[1]) for row in batch], TIME),
            pa.array([None if isinstance(row[2], str) else row[2] for row in batch], pa.float64()),
            pa.array([row[2] if isinstance(row[2], str) else None for row in batch], pa.string()),
            pa.array([int(row[3]) for row in batch], pa.uint8()),
        ],
        schema=STORED,
    )


def as_batch(batch: list[Row]) -> pa.RecordBatch:
    return table(batch).combine_chunks().to_batches()[0] if batch else pa.RecordBatch.from_pylist([], STORED)


@given(batches)
def test_the_newest_sample_of_each_tag_wins_and_of_equal_times_the_later(said: list[list[Row]]) -> None:
    current, plain = CurrentValues(), dict[int, CurrentValue]()
    for number, batch in enumerate(said):
        before = dict(plain)
        for tag, second, value, quality in batch:
            time = NOON + timedelta(seconds=second)
            if tag not in plain or time >= plain[tag].time:
                plain[tag] = CurrentValue(time, value, quality)
        version = current.version
        changed = current.update(table(batch) if number % 2 else as_batch(batch))
        moved = {tag for tag in plain if plain[tag] is not before.get(tag)}
        assert set(changed.tolist()) == set(current.changed_since(version).tolist()) == moved
    assert {tag: current.get(TagId(tag)) for tag in range(TAGS + 3)} == {tag: plain.get(tag) for tag in range(TAGS + 3)}


@given(batches)
def test_columns_say_the_same_as_single_values(said: list[list[Row]]) -> None:
    current = CurrentValues()
    for batch in said:
        current.update(as_batch(batch))
    tags = [*range(TAGS + 20)]
    singles = [current.get(TagId(tag)) for tag in tags]
    numbers, qualities = current.numbers(tags), current.qualities(tags)
    ages = current.ages_s(tags, NOON + timedelta(seconds=10))
    for place, single in enumerate(singles):
        if single is None:
            assert (math.isnan(numbers[place]), qualities[place], ages[place]) == (True, Quality.BAD, math.inf)
            continue
        is_number = isinstance(single.value, float) and single.quality is not Quality.BAD
        assert (numbers[place] == single.value) if is_number else math.isnan(numbers[place])
        assert qualities[place] == single.quality
        assert ages[place] == (NOON + timedelta(seconds=10) - single.time).total_seconds()


def test_nothing_is_known_at_first() -> None:
    current = CurrentValues()
    assert current.get(TagId(0)) is None
    assert current.numbers([]).tolist() == []
    assert np.isnan(current.numbers([5])).all()
    assert current.changed_since(0).tolist() == []


def test_a_text_that_gives_way_to_a_number_is_gone() -> None:
    current = CurrentValues()
    current.update(table([(1, 0, "running", Quality.GOOD)]))
    current.update(table([(1, 1, 3.0, Quality.GOOD)]))
    assert current.get(TagId(1)) == CurrentValue(NOON + timedelta(seconds=1), 3.0, Quality.GOOD)
