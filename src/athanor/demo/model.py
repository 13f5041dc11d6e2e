"""The living plant: one model that writes the history and lives on from its last instant.

What is worked out depends on the seed, on the state, and on which instants are asked for; never on the wall clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from athanor.demo.clock import DAY_US, Moments, Timeline
from athanor.demo.dynamics import Memory
from athanor.demo.electricity import Meters, run_electricity, set_habits
from athanor.demo.equipment import Followers
from athanor.demo.faults import apply_faults, quality_of
from athanor.demo.media import run_media
from athanor.demo.neighbours import run_carbon, run_park, run_syngas, run_weather
from athanor.demo.situations import situation
from athanor.demo.smelter import run_smelter
from athanor.demo.stretch import Stretch
from athanor.demo.tankhouse import run_laboratory, run_tankhouse
from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import Plant, TagKind
from athanor.kernel.telemetry import Quality


class UnmodelledTagError(AthanorError):
    """The plant file has tags that no part of the model fills."""

    code = "demo.unmodelled-tag"

    def __init__(self, paths: list[str]) -> None:
        super().__init__(
            f"The model fills no values for {', '.join(paths)}. Add a rule to athanor/demo/equipment.py, or remove the "
            "tag from plant.yaml."
        )


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What makes one demo differ from another."""

    seed: int = 20_260_101
    without: frozenset[str] = field(default_factory=frozenset)  # situations switched off

    def __post_init__(self) -> None:
        for name in self.without:
            situation(name)


@dataclass(frozen=True, slots=True)
class Block:
    """Values of all tags at some instants, rounded to each tag's decimals.

    `values` is NaN where a bad sensor gives none and for text tags, whose values are in `texts`.
    """

    paths: tuple[str, ...]  # [P], in the plant's order
    time_us: np.ndarray  # int64 [T]
    values: np.ndarray  # float64 [T, P]
    quality: np.ndarray  # uint8 [T, P]
    due: np.ndarray  # bool [T, P]: where each tag's own period asks for a sample
    texts: Mapping[str, list[str]]  # by path; each [T]

    def column(self, path: str) -> np.ndarray:
        """Values of one tag. [T]"""
        return self.values[:, self.paths.index(path)]


class LivingPlant:
    """The reference plant at one instant; `advance` moves it on."""

    def __init__(self, plant: Plant, timeline: Timeline, settings: DemoSettings | None = None) -> None:
        self._plant = plant
        self._settings = settings or DemoSettings()
        self.timeline = timeline
        self.at_us = timeline.start_us  # the last instant worked out
        self._memory = Memory(self._settings.seed)
        self._followers = Followers.of(plant)
        self._meters = Meters.all()
        tags = list(plant.tags.values())
        self._columns = {tag.path: at for at, tag in enumerate(tags)}
        self._factor = 10.0 ** np.array([tag.decimals for tag in tags])
        self._low = np.array([-np.inf if tag.low is None else tag.low for tag in tags])
        self._high = np.array([np.inf if tag.high is None else tag.high for tag in tags])
        self._period_us = np.array([round((tag.period_s or 1) * 1e6) for tag in tags], np.int64)
        self._texts = frozenset(tag.path for tag in tags if tag.kind is TagKind.TEXT)

    @property
    def paths(self) -> tuple[str, ...]:
        """All tags, in the order of every block's columns. [P]"""
        return tuple(self._columns)

    def advance(self, until_us: int, step_s: int) -> Block | None:
        """Work out the instants one step after the last one, and so on up to `until_us`; None where there are none."""
        step_us = step_s * 1_000_000
        time_us = np.arange(self.at_us + step_us, until_us + 1, step_us, dtype=np.int64)
        if len(time_us) == 0:
            return None
        self._memory.begin(int(time_us[0]), step_s)
        stretch = Stretch(
            Moments(self.timeline, time_us, step_s), self._memory, self._settings.seed, self._settings.without
        )
        self._run(stretch)
        self.at_us = int(time_us[-1])
        return self._read(stretch)

    def advance_all(self, until_us: int, fine_s: int = 3600) -> Iterator[Block]:
        """All that lies between the last instant and `until_us`: minutes, then the last `fine_s` in seconds.

        Blocks of minutes end with a day of the plant. Minutes are whole ones, so that slow tags meet their period.
        """
        minute_us = 60_000_000
        coarse_until_us = (until_us - fine_s * 1_000_000) // minute_us * minute_us
        if coarse_until_us > self.at_us:
            yield from self._in_seconds(-(-self.at_us // minute_us) * minute_us)
        while self.at_us < coarse_until_us:
            midnight_us = self.at_us + DAY_US - (self.at_us - self.timeline.start_us) % DAY_US
            block = self.advance(min(midnight_us, coarse_until_us), 60)
            if block is not None:
                yield block
        yield from self._in_seconds(until_us)

    def _in_seconds(self, until_us: int) -> Iterator[Block]:
        block = self.advance(until_us, 1)
        if block is not None:
            yield block

    def _run(self, stretch: Stretch) -> None:
        run_weather(stretch)
        run_syngas(stretch)
        run_smelter(stretch)
        run_tankhouse(stretch)
        run_carbon(stretch)
        modelled = dict(stretch.values)
        set_habits(stretch)
        self._followers.fill(stretch)
        stretch.values |= modelled  # where the process model knows better than a follower
        run_park(stretch)
        run_electricity(stretch, self._meters)
        run_media(stretch)
        apply_faults(stretch)
        run_laboratory(stretch)

    def _read(self, stretch: Stretch) -> Block:
        """What the instruments show of the truth: within their range, at their resolution, in their quality."""
        missing = [path for path in self._columns if path not in stretch.values and path not in self._texts]
        if missing:
            raise UnmodelledTagError(missing)
        nothing = stretch.full(np.nan)
        values = np.stack([stretch.values.get(path, nothing) for path in self._columns], axis=1)
        np.clip(values, self._low, self._high, out=values)
        values = np.rint(values * self._factor) / self._factor
        quality = quality_of(stretch, self._columns)
        values[quality == Quality.BAD] = np.nan
        due = stretch.moments.time_us[:, None] % self._period_us == 0
        return Block(self.paths, stretch.moments.time_us, values, quality, due, stretch.texts)

    def save(self) -> dict[str, Any]:
        """Everything that a restarted demo needs, as JSON can hold it."""
        return {
            "timeline": asdict(self.timeline),
            "seed": self._settings.seed,
            "without": sorted(self._settings.without),
            "at_us": self.at_us,
            "memory": self._memory.state,
        }

    @classmethod
    def restored(cls, plant: Plant, saved: Mapping[str, Any]) -> "LivingPlant":
        """The plant as `save` left it. Raises KeyError for what `save` did not write."""
        settings = DemoSettings(saved["seed"], frozenset(saved["without"]))
        living = cls(plant, Timeline(**saved["timeline"]), settings)
        living.at_us = saved["at_us"]
        living._memory = Memory(settings.seed, saved["memory"])
        return living
