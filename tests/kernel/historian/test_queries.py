"""What is asked by tags: steps, values of a past moment, many tags on one grid."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from athanor.kernel.historian import queries
from athanor.kernel.historian.aggregation import Measure
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.gaps import NONE, hold, linear
from athanor.kernel.historian.measured_units import integral_of, unit_of
from athanor.kernel.historian.port import Span, microseconds
from athanor.kernel.historian.slices import samples_in_slices, steps_in_slices
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.telemetry import Quality

from .plants import ENERGY, FLOW, LOT, MODE, NOON, PLANT, POWER, SETPOINT, TAGS, WATER, batch

S = timedelta(seconds=1)
MINUTE, HOUR = 60 * S, 3600 * S
NUMERIC = [POWER, FLOW, SETPOINT, MODE]


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield historian
    await historian.close()


@pytest.fixture
async def filled(historian: TieredHistorian) -> TieredHistorian:
    """Some hours of random walks with gaps and bad samples, and texts."""
    random = np.random.default_rng(7)
    for tag, period in ((POWER, 60), (FLOW, 10), (SETPOINT, 1800), (MODE, 900)):
        seconds = np.sort(random.choice(np.arange(0, 6 * 3600, period), 6 * 3600 // period * 4 // 5, replace=False))
        values = np.round(np.cumsum(random.normal(size=len(seconds))), 2)
        bad = random.random(len(seconds)) < 0.05
        rows = [
            (float(second), float(value), Quality.BAD if is_bad else Quality.GOOD)
            for second, value, is_bad in zip(seconds, values, bad, strict=True)
        ]
        await historian.write(batch(tag, *rows))
    await historian.write(batch(LOT, (0, "A"), (7200, "B")))
    return historian


@pytest.mark.parametrize("how", Measure)
async def test_slices_of_a_long_range_are_the_whole(filled: TieredHistorian, how: Measure) -> None:
    span = Span(NOON - HOUR, NOON + 7 * HOUR)
    whole = await queries.resample(filled, PLANT, NUMERIC, span, parse_step("15m"), how)
    boundaries = queries.steps_until_now(PLANT, span, parse_step("15m"))
    slices = [
        table async for table in queries.resample_in_slices(filled, PLANT, NUMERIC, boundaries, how, most_rows=10)
    ]
    assert len(slices) > 10
    joined = pa.concat_tables(slices).sort_by([("tag", "ascending"), ("time", "ascending")])
    assert joined.select(["tag", "time"]) == whole.select(["tag", "time"])
    for column in ("value", "covered"):
        np.testing.assert_allclose(joined[column].to_numpy(), whole[column].to_numpy(), rtol=1e-12)


async def test_a_step_in_which_it_is_now_ends_now(historian: TieredHistorian) -> None:
    now = datetime.now(UTC)
    await historian.write(batch(SETPOINT, (-3600, 10.0), start=now))
    span = Span(now - 2 * HOUR, now + 48 * HOUR)
    boundaries = queries.steps_until_now(PLANT, span, parse_step("day"))
    assert microseconds(now) <= boundaries[-1] <= microseconds(datetime.now(UTC))
    table = await queries.resample(historian, PLANT, [SETPOINT], span, parse_step("day"), Measure.SHARE_GOOD)
    assert 0 < table["value"].to_pylist()[-1] <= 1


async def test_an_integral_of_a_power_is_its_energy(historian: TieredHistorian) -> None:
    await historian.write(batch(POWER, *((60.0 * minute, 90.0) for minute in range(61))))
    await historian.write(batch(FLOW, *((10.0 * ten, 6.0) for ten in range(361))))
    span = Span(NOON, NOON + HOUR)
    table = await queries.resample(historian, PLANT, [FLOW, POWER], span, parse_step("1h"), Measure.INTEGRAL)
    assert table["value"].to_pylist() == pytest.approx([90.0, 6.0])  # kWh, t


@pytest.mark.parametrize(
    ("unit", "amount", "of_one_hour"),
    [
        ("kW", "kWh", 1), ("MW", "MWh", 1), ("kvar", "kvarh", 1), ("t/h", "t", 1), ("Nm3/h", "Nm3", 1),
        ("1/min", "1", 60), ("kg/s", "kg", 3600), ("A", "A*h", 1), ("1", "h", 1), ("kWh/t", "kWh/t*h", 1),
    ],
)  # fmt: skip
def test_integrals_have_units_of_their_own(unit: str, amount: str, of_one_hour: float) -> None:
    assert integral_of(unit) == (amount, pytest.approx(of_one_hour / 3600))
    assert unit_of(unit, Measure.MEAN) == unit
    assert unit_of(unit, Measure.COUNT) == "1"


async def test_at_a_past_moment_each_tag_is_what_its_kind_lets_it_be(historian: TieredHistorian) -> None:
    await historian.write(batch(POWER, (0, 10.0), (60, 20.0), (120, 30.0, Quality.BAD)))
    await historian.write(batch(SETPOINT, (-3600, 1200.0), (60, 1250.0)))
    await historian.write(batch(LOT, (-7200, "A"), (40, "B")))
    await historian.write(batch(MODE, (-100_000, 1.0)))
    asked = [LOT, POWER, FLOW, SETPOINT, MODE]
    table = await queries.values_at(historian, PLANT, asked, NOON + 30 * S)
    assert table["tag"].to_pylist() == [PLANT.id_of(tag.path) for tag in asked]
    assert table["value"].to_pylist() == [None, 15.0, None, 1200.0, None]  # held a day at most
    assert table["text"].to_pylist() == ["A", None, None, None, None]
    assert table["sampled_at"].to_pylist() == [NOON - 2 * HOUR, NOON, None, NOON - HOUR, None]
    assert table["quality"].to_pylist() == [0, 0, None, 0, None]
    later = await queries.values_at(historian, PLANT, [POWER, LOT], NOON + 130 * S)
    assert later["value"].to_pylist() == [None, None]
    assert later["quality"].to_pylist() == [2, 0]
    assert later["text"].to_pylist() == [None, "B"]


async def test_a_named_policy_goes_for_every_tag_of_a_moment(historian: TieredHistorian) -> None:
    await historian.write(batch(POWER, (0, 10.0), (60, 20.0)))
    await historian.write(batch(MODE, (-100_000, 1.0)))
    held = await queries.values_at(historian, PLANT, [POWER, MODE], NOON + 30 * S, hold(2 * 24 * HOUR))
    assert held["value"].to_pylist() == [10.0, 1.0]
    alone = await queries.values_at(historian, PLANT, [POWER, POWER], NOON + 30 * S, NONE)
    assert alone["value"].to_pylist() == [None, None]
    assert (await queries.values_at(historian, PLANT, [], NOON)).num_rows == 0


async def test_a_grid_is_a_column_a_tag_as_arrow_and_numpy(filled: TieredHistorian) -> None:
    times = microseconds(NOON) + np.arange(0, 6 * 3600, 300) * 1_000_000
    table = await queries.on_grid(filled, PLANT, NUMERIC, times)
    assert table.column_names == ["time", *(tag.path for tag in NUMERIC)]
    matrix = await queries.matrix_on_grid(filled, PLANT, NUMERIC, times)
    assert matrix.shape == (len(times), len(NUMERIC))
    for column, tag in enumerate(NUMERIC):
        np.testing.assert_array_equal(table[tag.path].to_numpy(), matrix[:, column])
        moments = [
            (await queries.values_at(filled, PLANT, [tag], NOON + float(n) * 300 * S))["value"][0].as_py()
            for n in range(0, len(times), 7)
        ]
        expected = [None if np.isnan(value) else value for value in matrix[::7, column].tolist()]
        assert moments == pytest.approx(expected)
    assert 0 < np.isnan(matrix).mean() < 0.5


async def test_a_grid_longer_than_memory_is_read_in_slices(
    filled: TieredHistorian, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = microseconds(NOON) + np.arange(0, 6 * 3600, 300) * 1_000_000
    whole = await queries.matrix_on_grid(filled, PLANT, NUMERIC, times, linear(HOUR))
    monkeypatch.setattr(queries, "SLICE_ROWS", 3000)
    np.testing.assert_array_equal(whole, await queries.matrix_on_grid(filled, PLANT, NUMERIC, times, linear(HOUR)))


async def test_texts_are_no_column_of_numbers(historian: TieredHistorian) -> None:
    with pytest.raises(queries.NotANumberTagError, match=r"works\.lot"):
        await queries.on_grid(historian, PLANT, [POWER, LOT], np.array([microseconds(NOON)]))


async def test_all_samples_come_in_slices_without_hole_or_overlap(filled: TieredHistorian) -> None:
    ids = [PLANT.id_of(tag.path) for tag in TAGS]
    span = Span(NOON, NOON + 6 * HOUR)
    slices = [table async for table in samples_in_slices(filled, ids, TAGS, span, 500)]
    assert len(slices) > 5
    assert max(table.num_rows for table in slices) < 2000
    joined = pa.concat_tables(slices).sort_by([("tag", "ascending"), ("time", "ascending")])
    assert joined == (await filled.read(ids, span)).combine_chunks()
    assert [table async for table in samples_in_slices(filled, ids, TAGS, Span(NOON, NOON))] == []


def test_steps_in_slices_are_all_steps_and_bounded() -> None:
    edges = np.arange(0, 100 * 3600, 3600) * 1_000_000
    runs = list(steps_in_slices([POWER, FLOW, ENERGY, WATER], edges, 10_000))
    assert np.unique(np.concatenate([run for run, _ in runs])).tolist() == edges.tolist()
    assert [run[-1] for run, _ in runs[:-1]] == [run[0] for run, _ in runs[1:]]
    assert {len(run) - 1 for run, _ in runs} == {2, 1}
    assert all(groups == [[POWER, FLOW, ENERGY, WATER]] for _, groups in runs)
    split = list(steps_in_slices([POWER, FLOW, ENERGY], edges, 360))
    assert [(len(run), groups) for run, groups in split] == [(2, [[POWER], [FLOW], [ENERGY]])] * 99
    assert list(steps_in_slices([], edges)) == []
    assert list(steps_in_slices([POWER], edges[:1])) == []
