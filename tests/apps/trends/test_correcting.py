"""What the correction dialog shows before anything is corrected, against the real historian."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.trends.domain.outline import outline
from athanor.apps.trends.services import correcting
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.corrections.actions import Adjust, MarkBad
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import store_plant
from athanor.kernel.telemetry import TIME

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER = Tag("works.power", {"en": "Power"}, "kW", period_s=1.0)
PLANT = Plant(
    "park", {"en": "Park"}, "UTC", {"copper": Tenant("copper", {"en": "Copper"})},
    {"works": Node("works", Level.SITE, {"en": "Works"}, "copper", tags=(POWER,))},
)  # fmt: skip
SECONDS = 3600


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Works:
    def __init__(self, database: Database, plant: RunningPlant, historian: TieredHistorian) -> None:
        self.plant, self.historian = plant, historian
        self.corrections = Corrections(database, historian, CurrentValues(), MemoryBus())

    async def preview(self, action: Adjust | MarkBad) -> correcting.Preview:
        return await correcting.preview(self.corrections, self.historian, self.plant, POWER, action)


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    """An hour of power at 1 Hz that rises by 1 kW a second."""
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database = Database(url)
    async with database.session() as session:
        plant = await store_plant(session, PLANT)
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    seconds = np.arange(SECONDS)
    columns = [
        pa.array(np.full(SECONDS, plant.id_of(POWER.path)), pa.int32()),
        pa.array(microseconds(NOON) + seconds * 1_000_000).cast(TIME),
        pa.array(seconds.astype(float)),
        pa.nulls(SECONDS, pa.string()),
        pa.array(np.zeros(SECONDS, np.uint8)),
    ]
    await historian.write(pa.record_batch(columns, STORED))
    yield Works(database, plant, historian)
    await historian.close()
    await database.close()


async def test_a_preview_shows_both_lines_with_what_is_around_them(works: Works) -> None:
    seen = await works.preview(Adjust(start=at(1000), end=at(2000), offset=5000.0))
    assert (seen.samples, seen.added) == (1000, 0)
    (before_ms, before), (after_ms, after) = (seen.lines[name] for name in (correcting.BEFORE, correcting.AFTER))
    assert (np.diff(before_ms) > 0).all()
    assert (before_ms[0], before_ms[-1]) == (after_ms[0], after_ms[-1])
    assert (before.max(), after.max()) == (2299.0, 6999.0)  # 300 s more on each side
    assert len(after) <= 600 + 2 * 160


async def test_a_range_that_becomes_bad_breaks_the_line(works: Works) -> None:
    seen = await works.preview(MarkBad(start=at(1000), end=at(2000)))
    _time, after = seen.lines[correcting.AFTER]
    assert np.isnan(after).any()
    assert not ((after >= 1000) & (after < 2000)).any()
    assert (seen.before.count, seen.after.count) == (1000, 0)


async def test_samples_near_a_time_are_the_nearest_in_order_of_time(works: Works) -> None:
    near = await correcting.samples_near(works.historian, works.plant, POWER, microseconds(at(100.4)))
    assert near.value.tolist() == [97, 98, 99, 100, 101, 102, 103]
    far = await correcting.samples_near(works.historian, works.plant, POWER, microseconds(at(SECONDS + 60)))
    assert far.value.tolist() == [SECONDS - n for n in range(7, 0, -1)]
    none = await correcting.samples_near(works.historian, works.plant, POWER, microseconds(at(-200_000)))
    assert len(none) == 0


def test_there_is_something_to_do_for_tags_of_every_kind() -> None:
    assert set(correcting.KINDS) == set(TagKind)


@given(value=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=300), points=st.integers(2, 100))
def test_an_outline_keeps_the_extremes_and_their_order(value: list[float], points: int) -> None:
    column = np.array(value, np.float64)
    time, shown = outline(np.arange(len(column)), column, points)
    assert (np.diff(time) > 0).all()
    assert len(time) <= max(points, len(column) if len(column) <= points else 0)
    known = column[~np.isnan(column)]
    if len(known):
        assert (np.nanmin(shown), np.nanmax(shown)) == (known.min(), known.max())
