"""The reference plant at a fixed time, and its sixty days of history for those who measure in it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from athanor.demo.clock import Timeline
from athanor.demo.model import LivingPlant
from athanor.demo.plant_process import PLANT_FILE
from athanor.demo.situations import SITUATIONS
from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.yaml_file import load_plant

NOW = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
MEASURED = (
    "carbon.finishing.line.rectifier.dc_power",
    "carbon.milling.mills.mill_2.running",
    "smelter.power.substation.main.total_power",
)


@pytest.fixture(scope="session")
def plant() -> Plant:
    return load_plant(PLANT_FILE)


@pytest.fixture
def living(plant: Plant) -> LivingPlant:
    return LivingPlant(plant, Timeline.ending_at(NOW))


@dataclass(frozen=True)
class SixtyDays:
    """Minute values of the tags that situations show in, without the last hour, whose steps are seconds."""

    day: np.ndarray
    columns: dict[str, np.ndarray]

    @property
    def hour(self) -> np.ndarray:
        return (self.day % 1) * 24

    def values(self, path: str, first_day: float = 0, last_day: float = 61) -> np.ndarray:
        return self.columns[path][(self.day >= first_day) & (self.day < last_day)]

    def mean(self, path: str, first_day: float, last_day: float) -> float:
        return float(np.nanmean(self.values(path, first_day, last_day)))


@pytest.fixture(scope="session")
def sixty_days(plant: Plant) -> SixtyDays:
    plant_in_march = LivingPlant(plant, Timeline.ending_at(NOW))
    paths = sorted({tag for situation in SITUATIONS for tag in situation.tags} | set(MEASURED))
    wanted = [plant_in_march.paths.index(path) for path in paths]
    timeline = plant_in_march.timeline
    days, values = [], []
    for block in plant_in_march.advance_all(timeline.live_us):
        if block.time_us[-1] - block.time_us[0] == (len(block.time_us) - 1) * 60_000_000:
            days.append((block.time_us - timeline.start_us) / 86_400e6)
            values.append(block.values[:, wanted])
    table = np.concatenate(values)
    return SixtyDays(np.concatenate(days), {path: table[:, at] for at, path in enumerate(paths)})
