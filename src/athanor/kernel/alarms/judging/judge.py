"""Judging of all alarm rules of a plant at once: samples in, findings out. No clock, no file, no database."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging.calendar import Calendar
from athanor.kernel.alarms.judging.delays import NEVER, Delays
from athanor.kernel.alarms.judging.faults import Unjudged
from athanor.kernel.alarms.judging.rows import Rows, order_of, rows_of, tags_of, waiting
from athanor.kernel.alarms.judging.tags import Tags
from athanor.kernel.alarms.judging.telling import SCHEDULE_OFF, SCHEDULE_ON, Told, Turns, turns_at, turns_of
from athanor.kernel.plant.model import TagId

GRACE_US: Final = 2_000_000  # so long a sample may be on its way before `tick` decides without it [us]
JUMP_US: Final = 600_000_000  # a clock that moves on by more between two ticks was put forward, or everything stood
SETTLE_US: Final = 10_000_000  # and is believed when it has gone on for so long: what was on its way has come then

State = Mapping[str, np.ndarray]


class Judge:
    """Where every alarm stands, by the samples that have come.

    A value holds until the tag's next sample. The same samples give the same findings however they are cut into
    batches, as long as those of one tag come in order of time and, where a condition looks at several tags, those of
    all of them; within a batch the order does not matter.

    Parameters
    ----------
    instances
        The alarms that there can be. Their ids differ.
    tag_names
        What each tag is called, by id: for people who look into it.
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
        ordered = order_of(instances)
        self._grace_us = grace_us
        self._tag_names = tag_names or {}
        self._clock_us = 0  # what `tick` was told last
        self._put_forward_us = 0  # what it was told when that was far ahead; 0: it was not
        self._row = {one.alarm: row for row, one in enumerate(ordered)}
        self._told = Told(np.array([one.alarm for one in ordered], np.int64))
        self._tags = Tags(tags_of(ordered))
        self._rows: Rows = rows_of(ordered, self._tags)
        self._delays = _delays_of(ordered, len(self._rows.owner))
        self._calendar = Calendar(ordered)
        self._rows.faults.update(dict.fromkeys(self._calendar.unknown, Unjudged.SCHEDULE))

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
        *,
        now_us: int | None = None,
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
        now_us
            Our clock. A sample of a source whose clock is ahead of it ends no delay that has not passed here. [µs]
        """
        batch = self._tags.new(tag, time_us, value, quality, text)
        if not len(batch):
            return self._found([])
        self._delays.cap_us = NEVER if now_us is None else now_us + self._grace_us
        for single in self._rows.singles:
            single.judge(batch, self._delays)
        for several in self._rows.several:
            several.judge(batch, self._delays)
        self._tags.take(batch)
        until_us = min(int(batch.time_us.max()), self._delays.cap_us)
        return self._found(self._calendar.until(int(batch.time_us.min()), until_us))

    def tick(self, now_us: int, late: np.ndarray | None = None) -> Findings:
        """Say what our clock says: ends what ends without a sample, when that would have come `grace_us` ago.

        A clock that goes back decides nothing, and one that is far ahead of itself only when it goes on from there.
        Of tags that are `late` (ids) old samples are still coming in: nothing ends of what looks at them. [n]
        """
        before, self._clock_us = self._clock_us, now_us
        if now_us < before:
            self._put_forward_us = 0
            return self._found([])
        if before and now_us - before > JUMP_US:
            self._put_forward_us = now_us
        if now_us - self._put_forward_us < SETTLE_US:
            return self._found([])
        self._put_forward_us = 0
        until_us = now_us - self._grace_us
        waits = self._waits(late)
        for single in self._rows.singles:
            single.turn_until(until_us, self._delays, waits)
        for several in self._rows.several:
            several.settle_until(until_us, self._delays, waits)
        row, at_us = self._delays.due(until_us)
        self._delays.end(row[~waits[row]], at_us[~waits[row]])
        return self._found([*self._calendar.until(until_us, until_us), *self._strays(until_us)])

    def _waits(self, late: np.ndarray | None) -> np.ndarray:
        """Of all rows, which wait for samples that are on their way. [R]"""
        if late is None or not len(late):
            return np.zeros(len(self._rows.open_us), bool)
        return waiting(self._rows, np.isin(self._tags.ids, late))

    def set_active(self, alarm: int, is_active: bool, at_us: int) -> None:  # noqa: FBT001 it is what is set
        """Say where an alarm stands since when, as the database knows it; what is not judged is passed over."""
        row = self._row.get(alarm)
        if row is not None:
            self._delays.set_active(row, is_active)
            self._told.is_active[row] = is_active
            self._told.last_us[row] = max(int(self._told.last_us[row]), at_us)

    def set_suppressed(self, alarm: int, is_suppressed: bool) -> None:  # noqa: FBT001 it is what is set
        """Say whether an alarm is suppressed by design, as the database knows it; `tick` finds where that is not so."""
        row = self._row.get(alarm)
        if row is None:
            return
        self._told.is_suppressed[row] = is_suppressed
        for place in (len(self._row) + np.flatnonzero(self._rows.owner == row)).tolist():
            if not self._told.by_schedule[row] and not self._has_heard(place):
                self._told.by_formula[row] = self._delays.is_active[place] = is_suppressed

    def _has_heard(self, place: int) -> bool:
        """Whether a sample came of every tag that a row's formula names."""
        tags = [several.tag[several.place == place] for several in self._rows.several]
        return all(bool((self._tags.seen_us[some] > 0).all()) for some in tags)

    @property
    def suppressed(self) -> np.ndarray:
        """Ids of the alarms that were told of as suppressed. [n]"""
        return self._told.alarm[self._told.is_suppressed]

    def faults(self) -> Mapping[int, Unjudged]:
        """Alarms that cannot be judged as things are, and why: they stay as they are. By id."""
        rows = dict(self._rows.faults)
        for single in self._rows.singles:
            if single.kind.NEEDS_NUMBER:
                texts = single.place[self._tags.is_text[single.tag]]
                rows.update(dict.fromkeys(texts.tolist(), Unjudged.TEXT))
        for several in self._rows.several:
            failed = self._alarm_rows(several.place[several.has_failed])
            rows.update(dict.fromkeys(failed, Unjudged.ARITHMETIC))
            texts = self._alarm_rows(several.place[self._tags.is_text[several.tag].any(axis=1)])
            rows.update(dict.fromkeys(texts, Unjudged.TEXT))
        return {int(self._told.alarm[row]): why for row, why in rows.items()}

    def state(self) -> State:
        """All that a Judge made anew must know, as arrays of its own: by alarm, by tag, and by kind of condition."""
        count = len(self._row)
        state = {"alarm.id": self._told.alarm, **_copies("alarm", self._told.state())}
        state |= {f"alarm.{name}": each[:count].copy() for name, each in self._delays.state().items()}
        state["alarm.open_us"] = self._rows.open_us[:count].copy()
        state["alarm.formula_open_us"] = np.full(count, NEVER, np.int64)
        state["alarm.formula_open_us"][self._rows.owner] = self._rows.open_us[count:]
        state |= {"tag.id": self._tags.ids, **_copies("tag", self._tags.state())}
        for single in self._rows.singles:
            state[f"{single.name}.id"] = self._told.alarm[single.place]
            state |= _copies(single.name, single.kind.kept())
        return state

    def restore(self, state: State) -> None:
        """Go on where another Judge was with the alarms and tags that both have; of all others nothing changes."""
        count = len(self._row)
        alarms = {**self._told.state(), **self._delays.state(), "open_us": self._rows.open_us}
        _restore(state, "alarm", self._told.alarm, alarms)
        formula_open_us = np.full(count, NEVER, np.int64)
        formula_open_us[self._rows.owner] = self._rows.open_us[count:]
        _restore(state, "alarm", self._told.alarm, {"formula_open_us": formula_open_us})
        self._rows.open_us[count:] = formula_open_us[self._rows.owner]
        _restore(state, "tag", self._tags.ids, self._tags.state())
        for single in self._rows.singles:
            _restore(state, single.name, self._told.alarm[single.place], single.kind.kept())
        self._told.keep_reasons(self._rows.owner, self._calendar.rows())
        self._delays.is_active[count:] = self._told.by_formula[self._rows.owner]

    def _strays(self, at_us: int) -> list[Turns]:
        """Alarms that are told of as suppressed, or not, against what is so: as when their rule was changed."""
        told = self._told
        by_schedule = [SCHEDULE_OFF, SCHEDULE_ON]
        row = np.flatnonzero(told.is_suppressed != (told.by_formula | told.by_schedule))
        return [
            turns_at(some, by_schedule[is_on], at_us)
            for is_on in (False, True)
            if len(some := row[told.by_schedule[row] == is_on])
        ]

    def _alarm_rows(self, row: np.ndarray) -> list[int]:
        """Rows of alarms, for rows of alarms and of formulas that suppress them."""
        count = len(self._row)
        of_formula = row >= count
        return [*row[~of_formula].tolist(), *self._rows.owner[row[of_formula] - count].tolist()]

    def _found(self, calendar: Sequence[Turns]) -> Findings:
        count = len(self._row)
        turned = [turns_of(one, count, self._rows.owner) for one in self._delays.take_turned()]
        return self._told.findings([*calendar, *turned])


def _delays_of(ordered: Sequence[Instance], formulas: int) -> Delays:
    """Of alarms, and none of the formulas that suppress them."""
    no_delay = [0] * formulas
    return Delays(
        np.array([*(one.on_delay_us for one in ordered), *no_delay], np.int64),
        np.array([*(one.off_delay_us for one in ordered), *no_delay], np.int64),
    )


def _copies(of: str, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{of}.{name}": each.copy() for name, each in columns.items()}


def _restore(state: State, of: str, ids: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    """Write into columns what a state says of the ids that both have."""
    if f"{of}.id" not in state:
        return
    _both, old, new = np.intersect1d(state[f"{of}.id"], ids, assume_unique=True, return_indices=True)
    for name, column in columns.items():
        kept = state.get(f"{of}.{name}")
        if kept is not None and kept.shape[1:] == column.shape[1:]:
            column[new] = kept[old]
