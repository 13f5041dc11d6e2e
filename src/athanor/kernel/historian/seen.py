"""What somebody reads who may see some tags only from a moment on: as if nothing older of them had ever been stored.

`RunningPlant.since` tells the tags and the moments. Whoever has no such limit is handed the ports themselves.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.current import CurrentValue, CurrentValues
from athanor.kernel.historian.aggregation import Measure, Steps, aggregate_samples
from athanor.kernel.historian.gaps import Between, GapPolicy
from athanor.kernel.historian.layout import columns_of
from athanor.kernel.historian.port import STEPS, Historian, Span, microseconds, moment
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME, Quality, numpy_column

_OF_SAMPLES = frozenset({Measure.SUM, Measure.COUNT, Measure.STD})  # whatever is drawn over a step's edges


class SeenHistorian:
    """A historian as such a person may read it. Steps that begin before a tag's moment are not there.

    What a gap policy would draw from an older sample over the moment is not drawn. See `Historian` for the rest.
    """

    def __init__(self, whole: Historian, since: Mapping[TagId, datetime]) -> None:
        self._whole = whole
        self._since = {int(tag): microseconds(at) for tag, at in since.items()}

    async def read(self, tags: Sequence[TagId], span: Span) -> pa.Table:
        """See `Historian.read`."""
        return await self._from_then_on(tags, span, self._whole.read)

    async def downsample(self, tags: Sequence[TagId], span: Span, points: int) -> pa.Table:
        """See `Historian.downsample`."""

        async def ask(some: Sequence[TagId], part: Span) -> pa.Table:
            return await self._whole.downsample(some, part, points)

        return await self._from_then_on(tags, span, ask)

    async def resample(self, tags: Sequence[TagId], edges: np.ndarray, how: Measure, policy: GapPolicy) -> pa.Table:
        """See `Historian.resample`."""
        return (await self.measures(tags, edges, [how], policy))[how]

    async def measures(
        self, tags: Sequence[TagId], edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy
    ) -> Mapping[Measure, pa.Table]:
        """See `Historian.measures`."""
        parts: dict[Measure, list[pa.Table]] = {how: [] for how in hows}
        for since_us, some in self._by_moment(tags):
            answer = await self._measures_since(some, edges, hows, policy, since_us)
            for how in hows:
                parts[how].append(answer[how])
        return {how: _in_order(tables) for how, tables in parts.items()}

    async def latest(self) -> pa.Table:
        """See `Historian.latest`."""
        table = await self._whole.latest()
        tag, time_us = numpy_column(table, "tag"), numpy_column(table, "time")
        floor = np.array([self._since.get(one, _EVER_US) for one in tag.tolist()], np.int64)
        return table.filter(pa.array(time_us >= floor))

    async def write(self, batch: pa.RecordBatch) -> None:
        """See `Historian.write`."""
        await self._whole.write(batch)

    async def import_history(self, samples: pa.Table) -> None:
        """See `Historian.import_history`."""
        await self._whole.import_history(samples)

    async def close(self) -> None:
        """Nothing: the whole one is closed by whoever opened it."""

    def _by_moment(self, tags: Sequence[TagId]) -> Iterator[tuple[int | None, list[TagId]]]:
        """The tags that share a moment, and those that have none; one group of no tags where none is asked for."""
        groups: dict[int | None, list[TagId]] = defaultdict(list)
        for tag in tags:
            groups[self._since.get(int(tag))].append(tag)
        yield from groups.items() or [(None, [])]

    async def _from_then_on(self, tags: Sequence[TagId], span: Span, ask: Callable[..., pa.Table]) -> pa.Table:
        parts = []
        for since_us, some in self._by_moment(tags):
            start_us = span.start_us if since_us is None else min(max(span.start_us, since_us), span.end_us)
            parts.append(await ask(some, Span(moment(start_us), span.end)))
        return _in_order(parts)

    async def _measures_since(
        self,
        tags: list[TagId],
        edges: np.ndarray,
        hows: Sequence[Measure],
        policy: GapPolicy,
        since_us: int | None,
    ) -> Mapping[Measure, pa.Table]:
        if since_us is None:
            return await self._whole.measures(tags, edges, hows, policy)
        seen = edges[edges >= since_us]
        if len(seen) < 2:
            return {how: STEPS.empty_table() for how in hows}
        if seen[0] >= since_us + policy.limit_us:  # so far older samples reach
            return await self._whole.measures(tags, seen, hows, policy)
        drawn = dict.fromkeys([*(how for how in hows if how not in _OF_SAMPLES), Measure.SHARE_GOOD])
        answer = dict(await self._drawn_since(tags, seen, list(drawn), policy, since_us))
        of_samples = [how for how in hows if how in _OF_SAMPLES]
        if of_samples:
            plain = await self._whole.measures(tags, seen, of_samples, policy)
            answer |= {how: _covered_as(plain[how], answer[Measure.SHARE_GOOD]) for how in of_samples}
        return answer

    async def _drawn_since(
        self, tags: list[TagId], edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy, since_us: int
    ) -> Mapping[Measure, pa.Table]:
        """As far as older samples would reach from samples, which is short, and the rest as ever.

        The step over which they would reach only in part is put together from two.
        """
        cut_us = min(since_us + policy.limit_us, int(edges[-1]))
        head = np.append(edges[edges < cut_us], cut_us)
        rest = np.append(cut_us, edges[edges > cut_us])
        ahead_us = policy.limit_us if policy.between is Between.LINEAR else 0
        samples = await self._whole.read(tags, Span(moment(since_us), moment(cut_us + ahead_us + 1)))
        near = await asyncio.to_thread(_aggregated, samples, head, hows, policy)
        if len(rest) < 2:
            return near
        far = await self._whole.measures(tags, rest, hows, policy)
        if cut_us in edges:
            return {how: _in_order([near[how], far[how]]) for how in hows}
        place = int(np.searchsorted(edges, cut_us))
        step = (int(edges[place - 1]), cut_us, int(edges[place]))
        return {how: _in_order([joined_step(near[how], far[how], how, step)]) for how in hows}


def joined_step(near: pa.Table, far: pa.Table, how: Measure, step: tuple[int, int, int]) -> pa.Table:
    """Two answers (STEPS) as one, where the last step of the first and the first of the second are parts of one.

    `step` is where it begins, is cut and ends. [us]
    """
    begin_us, cut_us, end_us = step
    before, after = (_by_tag(table, at) for table, at in ((near, begin_us), (far, cut_us)))
    shares = ((cut_us - begin_us) / (end_us - begin_us), (end_us - cut_us) / (end_us - begin_us))
    rows = []
    for one in sorted(before.keys() | after.keys()):
        parts = [(*side[one], share) for side, share in zip((before, after), shares, strict=True) if one in side]
        rows.append((one, *_joined(parts, how)))
    tags, values, covered = zip(*rows, strict=True) if rows else ((), (), ())
    own = pa.table(
        [
            pa.array(tags, pa.int32()),
            pa.array([begin_us] * len(rows), pa.int64()).cast(TIME),
            pa.array(values, pa.float64()),
            pa.array(covered, pa.float64()),
        ],
        schema=STEPS,
    )
    return pa.concat_tables([_without(near, begin_us), own, _without(far, cut_us)])


def _joined(parts: Sequence[tuple[float, float, float]], how: Measure) -> tuple[float, float]:
    """Value and covered share of a step from those of its parts, each with its share of the step's time."""
    covered = sum(known * share for _value, known, share in parts)
    values = [value for value, _known, _share in parts]
    if how is Measure.MEAN and covered > 0:
        return sum(value * known * share for value, known, share in parts) / covered, covered
    joined: Mapping[Measure, Callable[[Sequence[float]], float]] = {
        Measure.MEAN: lambda some: sum(some) / len(some),  # where nothing tells how much of it is known
        Measure.MIN: min,
        Measure.MAX: max,
        Measure.FIRST: lambda some: some[0],
        Measure.LAST: lambda some: some[-1],
        Measure.INTEGRAL: sum,
        Measure.SHARE_GOOD: lambda _some: covered,
    }
    return joined[how](values), covered


def _covered_as(values: pa.Table, shares: pa.Table) -> pa.Table:
    """The same values with the shares (STEPS of SHARE_GOOD) that are known of their steps."""
    known = {(row["tag"], row["time"]): row["covered"] for row in shares.to_pylist()}
    steps = zip(values["tag"].to_pylist(), values["time"].to_pylist(), strict=True)
    return values.set_column(3, STEPS.field("covered"), pa.array([known.get(step) for step in steps], pa.float64()))


def _by_tag(table: pa.Table, at_us: int) -> dict[int, tuple[float, float]]:
    rows = table.filter(pc.equal(table["time"].cast(pa.int64()), at_us)).to_pylist()
    return {row["tag"]: (row["value"], row["covered"] or 0.0) for row in rows}


def _without(table: pa.Table, at_us: int) -> pa.Table:
    return table.filter(pc.not_equal(table["time"].cast(pa.int64()), at_us))


def _aggregated(
    samples: pa.Table, edges: np.ndarray, hows: Sequence[Measure], policy: GapPolicy
) -> dict[Measure, pa.Table]:
    return {how: _table(aggregate_samples(*columns_of(samples), edges, how, policy)) for how in hows}


def _table(steps: Steps) -> pa.Table:
    covered = pa.array(steps.covered, mask=np.isnan(steps.covered))
    columns = [pa.array(steps.tag, pa.int32()), pa.array(steps.start_us).cast(TIME), pa.array(steps.value), covered]
    return pa.table(columns, schema=STEPS)


def _in_order(parts: Sequence[pa.Table]) -> pa.Table:
    """Answers as one table by tag, then time."""
    if len(parts) == 1 and parts[0].num_rows < 2:
        return parts[0]
    return pa.concat_tables(parts).sort_by([("tag", "ascending"), ("time", "ascending")])


_EVER_US = np.iinfo(np.int64).min


class SeenCurrentValues(CurrentValues):
    """Current values as such a person may see them: where the newest sample is older than the moment, there is none."""

    def __init__(self, whole: CurrentValues, since: Mapping[TagId, datetime]) -> None:
        super().__init__()
        self._whole = whole
        self._since = since

    @property
    def version(self) -> int:
        """See `CurrentValues.version`."""
        return self._whole.version

    def update(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        """See `CurrentValues.update`."""
        return self._whole.update(batch)

    def get(self, tag: TagId) -> CurrentValue | None:
        """See `CurrentValues.get`."""
        found = self._whole.get(tag)
        since = self._since.get(tag)
        return None if found is not None and since is not None and found.time < since else found

    def numbers(self, tags: Sequence[TagId] | np.ndarray) -> np.ndarray:
        """See `CurrentValues.numbers`."""
        return np.where(self._is_seen(tags), self._whole.numbers(tags), np.nan)

    def ages_s(self, tags: Sequence[TagId] | np.ndarray, now: datetime) -> np.ndarray:
        """See `CurrentValues.ages_s`."""
        return np.where(self._is_seen(tags), self._whole.ages_s(tags, now), np.inf)

    def qualities(self, tags: Sequence[TagId] | np.ndarray) -> np.ndarray:
        """See `CurrentValues.qualities`."""
        return np.where(self._is_seen(tags), self._whole.qualities(tags), np.uint8(Quality.BAD))

    def changed_since(self, version: int) -> np.ndarray:
        """See `CurrentValues.changed_since`."""
        return self._whole.changed_since(version)

    def _is_seen(self, tags: Sequence[TagId] | np.ndarray) -> np.ndarray:
        return np.array([int(one) not in self._since or self.get(TagId(int(one))) is not None for one in tags], bool)
