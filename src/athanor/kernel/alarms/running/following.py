"""The judge of the rules and the plant as they are: another one when they change, with the state of the one before."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

import numpy as np
import pyarrow as pa
import structlog
from sqlalchemy import select

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.judging.delays import NEVER
from athanor.kernel.alarms.judging.faults import Unjudged
from athanor.kernel.alarms.rulebook import RuleBook
from athanor.kernel.alarms.running.intake import Columns, columns_of
from athanor.kernel.alarms.tables import AlarmRow
from athanor.kernel.database.database import Database
from athanor.kernel.plant.model import TagId
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import numpy_column

_log = structlog.get_logger(__name__)
_LOOK_EVERY_S = 2.0
_AHEAD_US = 5_000_000  # a source's clock may be so far ahead of ours before it is said to be
_PIECE = 5000  # ids that one statement names

_MOST_UNJUDGED = 20  # that are told of one by one: a rule for thousands of assets is wrong on all of them

State = Mapping[str, np.ndarray]


class Judged:
    """A judge, and what it was made of: what tells which alarms are new, or were changed."""

    def __init__(self, version: int, plant: RunningPlant, instances: Sequence[Instance]) -> None:
        self.version, self.plant = version, plant
        self._instances = instances
        self._names: Mapping[TagId, str] = {tag_id: path for path, tag_id in plant.ids.items()}
        self._ids = np.array([one.alarm for one in instances], np.int64)
        self._marks = np.array([crc32(repr(one).encode()) for one in instances], np.int64)
        self.judge = Judge(instances, self._names)
        self.is_new = np.ones(len(self.judge.tags), bool)  # tags that nothing has looked at yet

    def state(self) -> State:
        """All that `restore` needs."""
        return {**self.judge.state(), "made.id": self._ids, "made.mark": self._marks}

    def restore(self, state: State, latest: pa.Table) -> Findings | None:
        """Go on where another was. What is new or was changed is judged by the current values at once.

        Parameters
        ----------
        latest
            `Historian.latest()`.

        Returns
        -------
        Findings or None
            What the current values show of alarms that are new or were changed.
        """
        judged = {name: column for name, column in state.items() if not name.startswith("made.")}
        self.judge.restore(judged)
        self.is_new = ~np.isin(self.judge.tags, state["tag.id"])
        known = dict(zip(state["made.id"].tolist(), state["made.mark"].tolist(), strict=True))
        pairs = zip(self._instances, self._marks.tolist(), strict=True)
        other = [one for one, mark in pairs if known.get(one.alarm) != mark]
        if not other:
            return None
        # A judge of these alone: to the others the same sample would count twice.
        fresh = Judge(other, self._names)
        fresh.restore(_without_times(judged))
        findings = fresh.take(*columns_of(self._seen_of(latest)))
        self.judge.restore(_without_times(fresh.state()))
        return findings

    def take(self, columns: Columns, now_us: int) -> Findings:
        """See `Judge.take`. A tag whose clock was ahead of ours and has gone back is judged from there on."""
        tag, time_us = columns[0], columns[1]
        tags, seen_us = self.judge.tags, self.judge.seen_us
        if len(tags) and seen_us.max() > now_us + _AHEAD_US:
            place = np.minimum(np.searchsorted(tags, tag), len(tags) - 1)
            went_back = (tags[place] == tag) & (seen_us[place] > now_us + _AHEAD_US)
            went_back &= (time_us <= seen_us[place]) & (time_us <= now_us + _AHEAD_US)
            if went_back.any():
                self._go_back(place[went_back], time_us[went_back])
        return self.judge.take(*columns)

    def _go_back(self, place: np.ndarray, time_us: np.ndarray) -> None:
        state = dict(self.judge.state())
        seen_us = state["tag.seen_us"].copy()
        np.minimum.at(seen_us, place, time_us - 1)
        since_us = state["alarm.since_us"].copy()
        is_ahead = (since_us > int(time_us.max())) & (since_us != NEVER)
        since_us[is_ahead] = int(time_us.max())  # a delay that would begin later than now
        self.judge.restore(state | {"tag.seen_us": seen_us, "alarm.since_us": since_us})
        _log.warning("alarms.source-clock-went-back", tags=len(np.unique(place)))

    def is_of(self, version: int, plant: RunningPlant) -> bool:
        """Whether it was made of these."""
        return self.version == version and self.plant is plant

    @property
    def ids(self) -> list[int]:
        """Of all alarms that it judges."""
        ids: list[int] = self._ids.tolist()
        return ids

    def unjudged(self) -> Mapping[str, Unjudged]:
        """Why alarms cannot be judged, by their path: the first few."""
        faults = self.judge.faults()
        if not faults:
            return {}
        paths = {one.path: faults[one.alarm] for one in self._instances if one.alarm in faults}
        return dict(sorted(paths.items())[:_MOST_UNJUDGED])

    def active(self) -> np.ndarray:
        """Ids of the alarms whose condition holds. [n]"""
        state = self.judge.state()
        active: np.ndarray = state["alarm.id"][state["alarm.told_active"]]
        return active

    def _seen_of(self, latest: pa.Table) -> pa.Table:
        """The current values that were judged before; those that were not will be."""
        tag, tags = numpy_column(latest, "tag"), self.judge.tags
        if not len(tags):
            return latest.slice(0, 0)
        place = np.minimum(np.searchsorted(tags, tag), len(tags) - 1)
        is_seen = (tags[place] == tag) & (numpy_column(latest, "time") <= self.judge.seen_us[place])
        return latest.filter(pa.array(is_seen))


class Following:
    """Keeps the judge in step with rules and plant. Used by one worker: `make`, then `go_by`, comes first.

    Parameters
    ----------
    plant
        The plant that runs.
    """

    def __init__(self, rules: RuleBook, database: Database, plant: Callable[[], RunningPlant]) -> None:
        self._rules = rules
        self._database = database
        self._plant = plant
        self._making: asyncio.Task[Judged] | None = None
        self._looked_s = -float("inf")
        self._judged: Judged | None = None

    @property
    def judged(self) -> Judged:
        """The one that judges now."""
        if self._judged is None:
            raise RuntimeError("Nothing is judged yet: go by a judge first.")
        return self._judged

    def go_by(self, judged: Judged) -> None:
        """From here on this one judges."""
        self._judged = judged

    async def make(self) -> Judged:
        """One of the rules and the plant as they are; rows for new alarms are there then. Seconds, off the loop."""
        await self._rules.start()
        version, plant = await self._rules.version(), self._plant()
        instances = await self._rules.instances(plant)
        return await asyncio.to_thread(Judged, version, plant, instances)

    async def other(self) -> Judged | None:
        """Another one, once rules or plant have changed and it is made; until then the one before goes on."""
        if self._making is not None:
            if not self._making.done():
                return None
            making, self._making = self._making, None
            return making.result()
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            if not self.judged.is_of(await self._rules.version(), self._plant()):
                self._making = asyncio.create_task(self.make(), name="alarms:make-judge")
        return None

    def look_now(self) -> None:
        """Do not wait for the next look."""
        self._looked_s = -float("inf")

    async def close(self) -> None:
        """Let go of what is being made."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def differing(self, judged: Judged, active: np.ndarray) -> list[tuple[int, bool, int]]:
        """Alarms that are not as the database knows them: id, whether active, and since when that is known [µs].

        Parameters
        ----------
        active
            Those that it takes for active. [n]
        """
        standing = select(AlarmRow.id).where(AlarmRow.is_active, AlarmRow.is_judged)
        columns = select(AlarmRow.id, AlarmRow.is_active, AlarmRow.judged_us).where(AlarmRow.is_judged)
        async with self._database.reading() as session:
            known = set(await session.scalars(standing))
            other = sorted(known.intersection(judged.ids).symmetric_difference(active.tolist()))
            return [
                (alarm, is_active, judged_us)
                for start in range(0, len(other), _PIECE)
                for alarm, is_active, judged_us in await session.execute(
                    columns.where(AlarmRow.id.in_(other[start : start + _PIECE]))
                )
            ]

    async def differing_suppressed(self, suppressed: np.ndarray) -> list[tuple[int, bool]]:
        """Alarms that are suppressed by design, or not, against what the database knows: id, and what that is.

        Parameters
        ----------
        suppressed
            Those that the judge takes for suppressed. [n]
        """
        async with self._database.reading() as session:
            query = select(AlarmRow.id).where(AlarmRow.is_suppressed, AlarmRow.is_judged)
            known = set(await session.scalars(query))
        return [(alarm, alarm in known) for alarm in sorted(known.symmetric_difference(suppressed.tolist()))]


def _without_times(state: State) -> State:
    """A judge's state but for what is of tags."""
    return {name: column[:0] if name.startswith("tag.") else column for name, column in state.items()}
