"""Judging of all alarm rules of a plant at once: samples in, findings out. No clock, no file, no database."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.delays import NEVER, Delays
from athanor.kernel.alarms.judging.following import Following, rounds
from athanor.kernel.alarms.judging.kind import Given, Kind
from athanor.kernel.alarms.judging.limits import Limits
from athanor.kernel.alarms.judging.tags import Batch, Tags
from athanor.kernel.alarms.judging.telling import Told, Turns, turns_of
from athanor.kernel.plant.model import TagId

GRACE_US: Final = 2_000_000  # so long a sample may be on its way before `tick` decides without it [us]

_KINDS: Final[tuple[type[Kind], ...]] = (Limits,)


class Judge:
    """Where every alarm stands, by the samples that have come.

    Parameters
    ----------
    instances
        The alarms that there can be. Their ids differ.
    tag_names
        What each tag is called, by id: for faults only.
    grace_us
        How long `tick` waits for a sample that may be on its way. [µs]
    """

    def __init__(
        self,
        instances: Sequence[Instance],
        tag_names: Mapping[TagId, str] | None = None,
        *,
        grace_us: int = GRACE_US,
    ) -> None:
        by_kind = {kind.CONDITION: number for number, kind in enumerate(_KINDS)}
        ordered = sorted(instances, key=lambda one: by_kind.get(type(one.condition), len(by_kind)))
        self._grace_us = grace_us
        self._names = tag_names or {}
        self._clock_us = 0  # what `tick` was told last
        self._row = {one.alarm: row for row, one in enumerate(ordered)}
        self._told = Told(np.array([one.alarm for one in ordered], np.int64))
        self._delays = Delays(
            np.array([one.on_delay_us for one in ordered], np.int64),
            np.array([one.off_delay_us for one in ordered], np.int64),
        )
        self._tags = Tags(np.unique(np.array([one.tag for one in ordered if one.tag is not None], np.int64)))
        self._kinds = self._grouped(ordered)

    def _grouped(self, ordered: Sequence[Instance]) -> "list[_Rows]":
        rows: list[_Rows] = []
        for kind in _KINDS:
            place = [n for n, one in enumerate(ordered) if type(one.condition) is kind.CONDITION]
            if place:
                some = [ordered[n] for n in place]
                rows.append(_Rows(np.array(place), some, kind(some), self._tags))
        return rows

    @property
    def tags(self) -> np.ndarray:
        """Ids of the tags that some alarm looks at, ascending. [T]"""
        return self._tags.ids

    @property
    def seen_us(self) -> np.ndarray:
        """Last judged source time of each of `tags`, 0 where none. [µs] [T]"""
        return self._tags.seen_us

    def take(
        self,
        tag: np.ndarray,
        time_us: np.ndarray,
        value: np.ndarray,
        quality: np.ndarray,
        text: Sequence[str | None] | np.ndarray | None = None,
    ) -> Findings:
        """Judge samples.

        Parameters
        ----------
        tag
            Ids; those that no alarm looks at are passed over. [N]
        time_us
            Source times. Of one tag, what is not later than all that was judged before is left out. [µs] [N]
        value
            NaN where there is none. [N]
        quality
            `Quality` of each; uncertain counts as good, a bad one neither raises nor clears. [N]
        text
            Text of each where there is one. [N]
        """
        batch = self._tags.new(tag, time_us, value, quality, text)
        if not len(batch):
            return self._found()
        self._delays.cap_us = self._clock_us + self._grace_us if self._clock_us else NEVER
        for rows in self._kinds:
            rows.judge(batch, self._delays)
        self._tags.take(batch, self._clock_us)
        return self._found()

    def tick(self, now_us: int) -> Findings:
        """Say what our clock says: ends what ends without a sample.

        A clock that went back decides nothing.
        """
        before, self._clock_us = self._clock_us, now_us
        if now_us < before:
            return self._found()
        row, at_us = self._delays.due(now_us - self._grace_us)
        self._delays.end(row, at_us)
        return self._found()

    def set_active(self, alarm: int, is_active: bool, at_us: int) -> None:  # noqa: FBT001 it is what is set
        """Say where an alarm stands since when, as the database knows it; what is not judged is passed over."""
        row = self._row.get(alarm)
        if row is not None:
            self._delays.set_active(row, is_active)
            self._told.is_active[row] = is_active
            self._told.last_us[row] = max(int(self._told.last_us[row]), at_us)

    def state(self) -> Mapping[str, np.ndarray]:
        """All that a Judge made anew must know, as arrays of its own."""
        count = len(self._told.alarm)
        alarms = {f"alarm.{name}": each[:count].copy() for name, each in self._delays.state().items()}
        told = {f"alarm.{name}": each.copy() for name, each in self._told.state().items()}
        return {"alarm.id": self._told.alarm, **alarms, **told, **self._tags_state()}

    def _tags_state(self) -> Mapping[str, np.ndarray]:
        return {
            "tag.id": self._tags.ids,
            "tag.seen_us": self._tags.seen_us.copy(),
            "tag.value": self._tags.value.copy(),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where another Judge was, as far as there are the same alarms and tags."""
        old, new = _same(state["alarm.id"], self._told.alarm)
        for name, mine in (*self._delays.state().items(), *self._told.state().items()):
            mine[new] = state[f"alarm.{name}"][old]
        old, new = _same(state["tag.id"], self._tags.ids)
        self._tags.seen_us[new] = state["tag.seen_us"][old]
        self._tags.value[new] = state["tag.value"][old]

    def faults(self) -> Mapping[int, str]:
        """Alarms that cannot be judged as things are, and why: they stay as they are. By id."""
        return {}

    def _found(self) -> Findings:
        turns: list[Turns] = [
            turns_of(one, len(self._told.alarm), np.empty(0, np.int64)) for one in self._delays.take_turned()
        ]
        return self._told.findings(turns)


class _Rows:
    """The rows of one kind, which tags they look at, and where they are among all rows."""

    def __init__(self, place: np.ndarray, instances: Sequence[Instance], kind: Kind, tags: Tags) -> None:
        self.place, self.kind = place, kind
        ids = np.array([-1 if one.tag is None else one.tag for one in instances], np.int64)
        self._following = Following(tags.place(ids), len(tags.ids))

    def judge(self, batch: Batch, delays: Delays) -> None:
        """Judge a batch's samples in the order of each tag."""
        sample, row = self._following.of(batch.tag)
        given = Given(batch.time_us, batch.value, batch.is_bad, batch.text)
        for part in rounds(batch.rank[sample]):
            self._judge(row[part], given.of(sample[part]), delays)

    def _judge(self, row: np.ndarray, given: Given, delays: Delays) -> None:
        turning = self.kind.edges_before(row, given.time_us)
        if len(turning):
            self._turn(row[turning], delays)
        delays.step(self.place[row], given.time_us, self.kind.judge(row, given))

    def _turn(self, row: np.ndarray, delays: Delays) -> None:
        if self.kind.edge_us is not None:
            at_us = self.kind.edge_us[row]
            verdict = self.kind.turn(row)
            self.kind.clear_edges(row)
            delays.step(self.place[row], at_us, verdict)


def _same(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in both of what both have. Ids differ within each."""
    _both, in_old, in_new = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    return in_old, in_new
