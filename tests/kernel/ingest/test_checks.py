"""What ingest asks of a batch, rule by rule, and for any batch at all."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.ingest.checks import Checked, Refusal, TagTable, check
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality, Sample, batch_of, batch_of_columns

from .plants import LOT, POWER, STATE, TAGS, TEMPERATURE, plant

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
OLDEST, NEWEST = datetime(1990, 1, 1, tzinfo=UTC), NOW + timedelta(minutes=5)
INSTANT = timedelta(microseconds=1)

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def checked(batch: pa.RecordBatch, running: RunningPlant | None = None) -> Checked:
    running = plant(*TAGS) if running is None else running
    ids = running.lookup(batch.column("tag").dictionary)
    return check(batch, ids, TagTable(running), oldest_us=microseconds(OLDEST), newest_us=microseconds(NEWEST))


def outcome(sample: Sample) -> Refusal | tuple[float | str | None, Quality]:
    """Why a sample is refused, or the value and the quality that are stored."""
    answer = checked(batch_of([sample]))
    if answer.refusal[0]:
        return Refusal(int(answer.refusal[0]))
    (row,) = answer.stored.to_pylist()
    return (row["value"] if row["text"] is None else row["text"]), Quality(row["quality"])


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (Sample("works.nothing", NOW, 1.0), Refusal.UNKNOWN_TAG),
        (Sample("", NOW, 1.0), Refusal.UNKNOWN_TAG),
        (Sample("WORKS.POWER", NOW, 1.0), Refusal.UNKNOWN_TAG),
        (Sample(POWER, OLDEST - INSTANT, 1.0), Refusal.IMPOSSIBLE_TIME),
        (Sample(POWER, OLDEST, 1.0), (1.0, GOOD)),
        (Sample(POWER, NEWEST, 1.0), (1.0, GOOD)),
        (Sample(POWER, NEWEST + INSTANT, 1.0), Refusal.IMPOSSIBLE_TIME),
        (Sample(POWER, datetime(9999, 12, 31, tzinfo=UTC), 1.0), Refusal.IMPOSSIBLE_TIME),
        (Sample("works.nothing", OLDEST - INSTANT, 1.0, unit="parsec"), Refusal.UNKNOWN_TAG),
        (Sample(POWER, NOW, 1.0, unit="horses"), Refusal.UNKNOWN_UNIT),
        (Sample(POWER, NOW, 1.0, unit=""), Refusal.UNKNOWN_UNIT),
        (Sample(POWER, NOW, 1.0, unit="degC"), Refusal.INCOMPATIBLE_UNIT),
        (Sample(POWER, NOW, 1_234_000.0, unit="W"), (1234.0, GOOD)),
        (Sample(POWER, NOW, 1.5, unit="MW"), (1500.0, GOOD)),
        (Sample(POWER, NOW, 1.5, unit="kW"), (1.5, GOOD)),
        (Sample(TEMPERATURE, NOW, 212.0, unit="degF"), (pytest.approx(100.0), GOOD)),
        (Sample(TEMPERATURE, NOW, 273.15, unit="K"), (pytest.approx(0.0), GOOD)),
        (Sample(POWER, NOW, "many"), Refusal.WRONG_KIND),
        (Sample(POWER, NOW, ""), Refusal.WRONG_KIND),
        (Sample(LOT, NOW, 7.0), Refusal.WRONG_KIND),
        (Sample(LOT, NOW, "L-7"), ("L-7", GOOD)),
        (Sample(STATE, NOW, 1.0), (1.0, GOOD)),
        (Sample(STATE, NOW, "running"), ("running", GOOD)),
        (Sample(POWER, NOW, math.nan), (None, BAD)),
        (Sample(POWER, NOW, math.inf), (None, BAD)),
        (Sample(POWER, NOW, -math.inf, UNCERTAIN), (None, BAD)),
        (Sample(POWER, NOW, 1e308, unit="GW"), (None, BAD)),
        (Sample(POWER, NOW, None), (None, BAD)),
        (Sample(POWER, NOW, None, BAD), (None, BAD)),
        (Sample(LOT, NOW, None), (None, BAD)),
        (Sample(POWER, NOW, 1.0, UNCERTAIN), (1.0, UNCERTAIN)),
        (Sample(POWER, NOW, 1.0, BAD), (1.0, BAD)),
        (Sample(POWER, NOW, 5000.0), (5000.0, GOOD)),
        (Sample(POWER, NOW, 5000.1), (5000.1, UNCERTAIN)),
        (Sample(POWER, NOW, -0.1), (-0.1, UNCERTAIN)),
        (Sample(POWER, NOW, -0.1, BAD), (-0.1, BAD)),
        (Sample(POWER, NOW, 6.0, unit="MW"), (6000.0, UNCERTAIN)),
        (Sample(TEMPERATURE, NOW, 1e9), (1e9, GOOD)),
        (Sample(TEMPERATURE, NOW, -41.0), (-41.0, UNCERTAIN)),
    ],
    ids=str,
)
def test_each_rule(sample: Sample, expected: Refusal | tuple[object, Quality]) -> None:
    assert outcome(sample) == expected


def test_a_batch_for_a_plant_without_tags_is_refused_whole() -> None:
    answer = checked(
        batch_of([Sample(POWER, NOW, 1.0), Sample(LOT, NOW, "a"), Sample(POWER, NOW, 1.0, unit="W")]), plant()
    )
    assert answer.stored.num_rows == 0
    assert answer.refusal.tolist() == [Refusal.UNKNOWN_TAG] * 3


@pytest.mark.parametrize("running", [plant(), plant(*TAGS)], ids=["no tags", "tags"])
def test_an_empty_batch_is_nothing(running: RunningPlant) -> None:
    answer = checked(batch_of([]), running)
    assert (answer.stored.num_rows, len(answer.refusal)) == (0, 0)
    assert answer.stored.schema == STORED


def test_the_batch_that_came_in_is_not_changed() -> None:
    batch = batch_of_columns(
        [POWER], np.zeros(3, np.int32), np.full(3, microseconds(NOW)), np.array([1.0, 9e9, np.nan])
    )
    before = batch.to_pylist()
    checked(batch)
    assert batch.to_pylist() == before


samples = st.builds(
    Sample,
    st.sampled_from([POWER, TEMPERATURE, STATE, LOT, "works.nothing", "; DROP TABLE tag", "功率"]),
    st.integers(-10_000, 10_000).map(lambda days: NOW + timedelta(days=days)) | st.just(NOW),
    st.one_of(st.none(), st.text(max_size=5), st.floats()),
    st.sampled_from(Quality),
    st.sampled_from([None, None, "kW", "W", "GW", "degF", "degC", "1", "nonsense", ""]),
)


@given(st.lists(samples, max_size=20))
def test_every_sample_is_stored_or_refused_and_keeps_its_place(rows: list[Sample]) -> None:
    answer = checked(batch_of(rows))
    assert len(answer.refusal) == len(rows)
    assert answer.stored.num_rows + np.count_nonzero(answer.refusal) == len(rows)
    kept = [row for row, refusal in zip(rows, answer.refusal, strict=True) if refusal == Refusal.NONE]
    stored = answer.stored.to_pylist()
    ids = plant(*TAGS).ids
    assert [(row["tag"], row["time"]) for row in stored] == [(ids[row.tag], row.time) for row in kept]
    assert [row["text"] for row in stored] == [row.value if isinstance(row.value, str) else None for row in kept]
    for row, came in zip(stored, kept, strict=True):
        assert row["value"] is None or math.isfinite(row["value"])
        assert row["quality"] >= came.quality
        assert row["quality"] == BAD or row["value"] is not None or row["text"] is not None


@given(st.lists(samples, min_size=1, max_size=20))
def test_a_sample_fares_in_a_batch_as_it_fares_alone(rows: list[Sample]) -> None:
    together = checked(batch_of(rows))
    alone = [checked(batch_of([row])) for row in rows]
    assert together.refusal.tolist() == [int(one.refusal[0]) for one in alone]
    assert together.stored.to_pylist() == [row for one in alone for row in one.stored.to_pylist()]
