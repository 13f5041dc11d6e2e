"""What has come of age of waveforms and samples goes by the class of its asset or tag; the rest stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from athanor.kernel.historian.disk import DiskState
from athanor.kernel.identity.tables import AuditRow
from athanor.kernel.sections import HistorianSettings, RetentionSettings
from athanor.kernel.settings import Settings
from athanor.kernel.storage.service import WAVEFORMS_GONE
from athanor.kernel.storage.state import Tier
from athanor.kernel.waveforms.port import Head, Waveform
from athanor.platform import Platform, open_platform

PLANT = """
park: {id: p, name: {en: P}, timezone: Asia/Shanghai}
tenants: [{id: t, name: {en: T}}]
sites:
  - id: hall
    tenant: t
    name: {en: Hall}
    retention: fast
    assets:
      - {id: fan, name: {en: Fan}}
      - {id: mill, name: {en: Mill}, retention: rare, tags: [{id: power, name: {en: Power}, unit: kW}]}
      - {id: press, name: {en: Press}, retention: odd}
"""
NOW = datetime.now(UTC).replace(microsecond=0)


def settings_of(folder: Path, **historian: int) -> Settings:
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    retention = RetentionSettings(classes=("fast", "rare"), waveform_days={"fast": 30, "rare": 300})
    return Settings(
        data_dir=folder / "data",
        plant_file=folder / "plant.yaml",
        retention=retention,
        historian=HistorianSettings(**historian),
    )


def vibration(asset: str, age_days: int) -> Waveform:
    head = Head(asset, "de_x", NOW - timedelta(days=age_days), 25_600.0, "acceleration", "m/s2")
    return Waveform(head, np.arange(1000, dtype=np.int16))


async def left(platform: Platform) -> dict[str, int]:
    waveforms = platform.ports["waveforms"]
    return {path: len(await waveforms.find(path)) for path in platform.plant.model.nodes if path != "hall"}  # type: ignore[attr-defined]


@pytest.fixture
async def platform(tmp_path: Path) -> Platform:
    async with open_platform(settings_of(tmp_path)) as platform:
        some = [vibration(f"hall.{asset}", age) for asset in ("fan", "mill", "press") for age in (10, 100, 1000)]
        await platform.ports["waveforms"].write(some)  # type: ignore[attr-defined]
        yield platform


async def test_waveforms_go_by_the_class_of_their_asset(platform: Platform) -> None:
    due = await platform.storage.due()
    assert {name: gone.waveforms for name, gone in due.waveforms.items()} == {"fast": 2, "rare": 1}
    assert [one.name for one in due.samples.classes] == ["fast", "rare"]
    assert await left(platform) == {"hall.fan": 3, "hall.mill": 3, "hall.press": 3}, "a look changes nothing"
    went = await platform.storage.apply("anna")
    assert went.waveforms == 3
    assert await left(platform) == {"hall.fan": 1, "hall.mill": 2, "hall.press": 3}
    async with platform.database.reading() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.action == WAVEFORMS_GONE))).all()
    assert [row.detail["fast"]["waveforms"] for row in rows] == [2]
    assert await platform.storage.expire_waveforms() == {}


async def test_the_state_tells_what_every_tier_holds(platform: Platform) -> None:
    state = await platform.storage.state()
    held = {one.tier: one for one in state.holdings}
    assert set(held) == set(Tier)
    assert (held[Tier.WAVEFORMS].rows, held[Tier.WAVEFORMS].oldest) == (9, NOW - timedelta(days=1000))
    assert held[Tier.LAKE].rows == 0
    assert state.growth.days == 0
    assert state.days_left is None


async def test_a_disk_that_runs_out_is_told(tmp_path: Path) -> None:
    async with open_platform(settings_of(tmp_path, disk_warn_mb=10**9)) as platform:
        assert await platform.storage.disk_state() is DiskState.WARN
