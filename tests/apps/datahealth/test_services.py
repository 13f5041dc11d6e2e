"""Quality found in a real historian, and what the platform holds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from athanor.apps.datahealth.domain.quality import Dimension
from athanor.apps.datahealth.services import groups
from athanor.apps.datahealth.services.quality import Quality, quality_of
from athanor.apps.datahealth.services.trend import trend_of
from athanor.kernel.current import CurrentValues
from athanor.kernel.historian.extent import Tier
from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.ingest.arrivals import Arrivals
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import EdgeReport, SourceStates
from athanor.kernel.looking_up import look_up
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, TagKind, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME, Sample, batch_of
from athanor.kernel.telemetry import Quality as SampleQuality

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAME = {"en": "Works", "zh_CN": "工厂"}
WHOLE, HALF, BAD, MODE = "works.hall.whole", "works.hall.half", "works.yard.bad", "works.yard.mode"


def plant() -> RunningPlant:
    """Four tags at a sample a minute, ids 0 to 3."""
    hall = Node("works.hall", Level.AREA, {"en": "Hall"}, "t", tags=tuple(_tag(path) for path in (WHOLE, HALF)))
    states = {0: {"en": "off"}, 1: {"en": "on"}}
    mode = Tag(MODE, {"en": "Mode"}, "1", TagKind.STATE, period_s=60.0, states=states)
    yard = Node("works.yard", Level.AREA, {"en": "Yard"}, "t", tags=(_tag(BAD), mode))
    works = Node("works", Level.SITE, NAME, "t")
    model = Plant("park", NAME, "UTC", {"t": Tenant("t", NAME)}, {one.path: one for one in (works, hall, yard)})
    return RunningPlant(model, 1, {path: TagId(place) for place, path in enumerate((WHOLE, HALF, BAD, MODE))})


def _tag(path: str) -> Tag:
    return Tag(path, {"en": path.rpartition(".")[2].title()}, "kW", period_s=60.0)


def samples(tag: int, minutes: range, value: float, quality: SampleQuality = SampleQuality.GOOD) -> pa.Table:
    """A sample a minute, so many minutes before now."""
    time_us = np.array([microseconds(NOW - minute * MINUTE) for minute in minutes], np.int64)
    rows = len(minutes)
    columns = [
        pa.array(np.full(rows, tag, np.int32)),
        pa.array(time_us).cast(TIME),
        pa.array(np.full(rows, value)),
        pa.nulls(rows, pa.string()),
        pa.array(np.full(rows, int(quality), np.uint8)),
    ]
    return pa.table(columns, STORED)


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    opened = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    parts = [
        samples(0, range(3 * 1440), 1.0),
        samples(1, range(720), 1.0),
        samples(2, range(1440), 1.0, SampleQuality.BAD),
        samples(3, range(360, 1440), 1.0),
        samples(3, range(360), 7.0),
    ]
    await opened.import_history(pa.concat_tables(parts))
    yield opened
    await opened.close()


async def found(historian: TieredHistorian, folder: Path) -> Quality:
    current, quarantine = CurrentValues(), Quarantine(folder / "quarantine.sqlite")
    current.update(await historian.latest())
    refused = [Sample(WHOLE, NOW, 1.0, unit="horses")] * 160
    quarantine.keep(batch_of(refused), reason="unknown-unit", edge="edge-1", at=NOW - timedelta(hours=1))
    arrivals = Arrivals(NOW - timedelta(hours=2))
    ids, times = np.zeros(150, np.int32), microseconds(NOW) - np.arange(120, -30, -1).clip(1) * 60_000_000
    late_after_us = np.full(150, 185e6)
    arrivals.note(ids, times, late_after_us, NOW)
    answer = await quality_of(plant(), historian, current, arrivals, quarantine, NOW)
    quarantine.close()
    return answer


async def test_each_dimension_tells_what_is_wrong_with_a_tag(historian: TieredHistorian, tmp_path: Path) -> None:
    quality = await found(historian, tmp_path)
    told = {dimension: quality.dimensions[place] for place, dimension in enumerate(Dimension)}
    assert told[Dimension.COMPLETENESS][:2] == pytest.approx([100.0, 50.0], abs=0.5)
    assert told[Dimension.COMPLETENESS][2] == 0.0
    assert told[Dimension.VALIDITY][0] == pytest.approx(100 * 1440 / 1600, abs=0.1)  # 160 were refused
    assert told[Dimension.VALIDITY][1:3].tolist() == [100.0, 0.0]
    assert told[Dimension.TIMELINESS][0] == pytest.approx(100 * 32 / 150, abs=1.0)  # all of two hours came at once
    assert told[Dimension.UNIQUENESS][0] == pytest.approx(100 * 120 / 150, abs=1.0)  # thirty came again
    assert told[Dimension.CONSISTENCY][3] == pytest.approx(75.0, abs=5.0)  # 7 is no state, and held for six hours
    assert np.isnan(told[Dimension.CONSISTENCY][:3]).all()


async def test_groups_score_by_place_and_source_down_to_the_tags(historian: TieredHistorian, tmp_path: Path) -> None:
    quality = await found(historian, tmp_path)
    (hall, _), (yard, _) = sorted(groups.groups_below(quality, plant(), "works"), key=lambda one: one[0].path)
    assert (hall.path, yard.path) == ("works.hall", "works.yard")
    rows = groups.rows_below(quality, plant(), "works")
    costly = groups.costliest(quality, rows)
    assert costly[0].tag.path == BAD
    assert costly[0].worst is Dimension.COMPLETENESS
    assert sum(one.cost for one in costly) + groups.score_of(quality, rows).score == pytest.approx(100.0)
    sources = SourceStates()
    source = {"id": "dcs", "protocol": "opcua", "state": "connected", "since": NOW, "tag_paths": [HALF, "not.there"]}
    sources.take(EdgeReport.model_validate({"edge": "e", "at": NOW, "sources": [source]}), edge="e", at=NOW)
    ((_, _, score),) = groups.by_source(quality, sources)
    assert (score.tags, score.score) == (1, pytest.approx(50.0, abs=0.5))


async def test_the_days_before_the_first_sample_are_not_told(historian: TieredHistorian) -> None:
    days = (await trend_of(plant(), historian, NOW)).of(np.array([0], np.intp))
    assert len(days) == 30
    assert np.isnan(days[:26]).all()
    assert days[-2] == pytest.approx(100.0, abs=0.5)


async def test_one_look_up_joins_master_data_present_value_and_history(historian: TieredHistorian) -> None:
    current = CurrentValues()
    current.update(await historian.latest())
    answer = await look_up(plant(), current, historian, "hall half", NOW, 20)
    (hit,) = answer.hits
    assert (hit.tag.path, hit.tenant.id, [node.path for node in hit.way]) == (HALF, "t", ["works", "works.hall"])
    assert hit.current is not None
    assert (hit.current.time, hit.current.value) == (NOW, 1.0)
    assert (hit.day.minimum, hit.day.mean, hit.day.maximum) == (1.0, 1.0, 1.0)
    assert hit.day.samples == 719  # that of this very moment is not over
    assert hit.day.known == pytest.approx(0.5, abs=0.01)
    assert 0 < len(hit.day.times_ms) <= 2 * 96


async def test_the_extent_of_each_tier_is_what_was_written(historian: TieredHistorian) -> None:
    extents = await historian.extents()
    assert extents[Tier.HOT].rows == 0
    lake = extents[Tier.LAKE]
    assert lake.rows == 3 * 1440 + 720 + 2 * 1440
    assert (lake.oldest, lake.newest) == (NOW - (3 * 1440 - 1) * MINUTE, NOW)
    assert lake.bytes > 0
