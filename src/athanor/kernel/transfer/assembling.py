"""Rows of a file become samples, by columns: times in UTC, values as numbers or texts, and what cannot be, named.

Pure: a plan, a plant and columns in; samples and refusals out. The checks are those of live samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.ingest.checks import Refusal, TagTable, check
from athanor.kernel.plant.model import TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.columns import as_text, blanks, encoded, only_where, some, trimmed
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.fitting import check_plan
from athanor.kernel.transfer.matching import Matcher
from athanor.kernel.transfer.numbers import Decimal
from athanor.kernel.transfer.plan import ImportPlan, LongPlan, OutOfRange, TagChoice
from athanor.kernel.transfer.qualities import UNREAD, read_qualities
from athanor.kernel.transfer.refusals import REFUSED, Reason, refused
from athanor.kernel.transfer.row_samples import Cells, Chunk, Part, Values, values_of
from athanor.kernel.transfer.times import joined, read_times
from athanor.kernel.transfer.zones import ClockChange, Doubt, to_utc

_MOST_UNITS = 1000
_TEXTUAL = (TagKind.TEXT, TagKind.STATE)


@dataclass(frozen=True, slots=True)
class Assembled:
    """What some rows came to."""

    stored: pa.RecordBatch  # schema STORED; checked, in the tags' own units. [N]
    row: np.ndarray  # the row of the file that each sample stood in. [N]
    refused: pa.Table  # schema REFUSED
    empty: int  # cells without a value
    uncertain: int  # values outside their instrument's range, kept


class Assembler:
    """Turns chunks of one file into samples by a plan.

    Parameters
    ----------
    plan
        What the person decided.
    plant
        The plant as that person may see it: tags of others are not there.
    matcher
        Of the same plant: what names of a long table mean that the plan says nothing of.
    names
        The columns that the file has.
    oldest_us, newest_us
        Times outside are impossible. [us]

    Raises BadPlanError, UnknownUnitError and IncompatibleUnitsError where the plan does not fit.
    """

    def __init__(
        self,
        plan: ImportPlan,
        plant: RunningPlant,
        matcher: Matcher,
        names: Sequence[str],
        *,
        oldest_us: int,
        newest_us: int,
    ) -> None:
        check_plan(plan, names, plant)
        self._plan = plan
        self._plant = plant
        self._matcher = matcher
        self._tags = TagTable(plant)
        self._oldest_us = oldest_us
        self._newest_us = newest_us
        self._decimal = plan.file.dialect.decimal if plan.file.dialect else Decimal.POINT
        self._meanings: dict[str, TagChoice] = {}  # what names of a long table turned out to mean

    def assemble(self, chunk: Chunk) -> Assembled:
        """The samples of some rows, and what of them is refused."""
        columns = [chunk.columns[name] for name in self._plan.time.columns]
        time = columns[0] if len(columns) == 1 else joined(*columns)
        cells = Cells(chunk, time)
        time_us, is_timed = self._times(time, cells)
        place = np.flatnonzero(is_timed)
        if self._plan.long is None:
            self._wide(place, cells)
        else:
            self._long(place, self._plan.long, cells)
        return self._checked(cells, cells.batch(time_us))

    def _times(self, column: pa.Array, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """The time of each row in UTC, and which rows have one; the others are refused, unless they are empty."""
        plan = self._plan.time
        times = read_times(column, plan.layout, self._decimal)
        utc, doubt = to_utc(times.us, plan.zone, plan.clock_change)
        doubt[times.is_utc | ~times.is_read] = Doubt.NONE
        is_timed = times.is_read & ((doubt == Doubt.NONE) | (plan.clock_change is not ClockChange.REFUSE))
        for is_bad, reason in (
            (~times.is_read & ~_are_empty(cells.chunk), Reason.UNREADABLE_TIME),
            (~is_timed & (doubt == Doubt.TWICE), Reason.TIME_TWICE),
            (~is_timed & (doubt == Doubt.NEVER), Reason.TIME_NEVER),
        ):
            bad = np.flatnonzero(is_bad)
            if len(bad):
                text = pc.fill_null(as_text(some(column, bad)), "")
                rows, name = cells.chunk.row[bad], " + ".join(plan.columns)
                cells.refused.append(refused(rows, reason, column=name, tag="", time=text, value=text))
        return np.where(times.is_utc, times.us, utc), is_timed

    def _wide(self, place: np.ndarray, cells: Cells) -> None:
        """Each column is a tag."""
        for name, choice in self._plan.columns.items():
            values = values_of(some(cells.chunk.columns[name], place), self._plant.model.tag(choice.tag), self._decimal)
            kept = values.is_value
            cells.empty += int(values.is_blank.sum())
            cells.refuse(place[~kept & ~values.is_blank], Reason.NOT_A_NUMBER, name, choice.tag)
            rows = int(kept.sum())
            cells.parts.append(
                Part(
                    name,
                    place[kept],
                    np.full(rows, cells.path(choice.tag), np.int32),
                    np.full(rows, cells.unit(choice.unit), np.int16),
                    values.number[kept],
                    values.text.filter(pa.array(kept)),
                    np.full(rows, self._plan.quality, np.uint8),
                )
            )

    def _long(self, place: np.ndarray, plan: LongPlan, cells: Cells) -> None:
        """Each row is a sample. A bad one may have no value."""
        names, name_of = encoded(some(cells.chunk.columns[plan.tag], place))
        meanings = [self._meaning(name) for name in names]
        values = self._long_values(place, plan, cells, meanings, name_of)
        quality = self._qualities(place, plan, cells)
        is_known = quality != UNREAD
        kept = (values.is_value | (values.is_blank & (quality == Quality.BAD))) & is_known
        paths = pa.array([one.tag for one in meanings], pa.string())
        for is_bad, reason, column in (
            (~values.is_value & ~values.is_blank, Reason.NOT_A_NUMBER, plan.value),
            (values.is_value & ~is_known, Reason.UNKNOWN_QUALITY, plan.quality or plan.value),
        ):
            cells.refuse(place[is_bad], reason, column, paths.take(pa.array(name_of[is_bad])))
        cells.empty += int((values.is_blank & ~kept).sum())
        index = np.array([cells.path(one.tag) for one in meanings] or [0], np.int32)
        cells.parts.append(
            Part(
                plan.value,
                place[kept],
                index[name_of[kept]],
                self._long_units(place, plan, cells, meanings, name_of)[kept],
                values.number[kept],
                values.text.filter(pa.array(kept)),
                quality[kept],
            )
        )

    def _long_values(
        self, place: np.ndarray, plan: LongPlan, cells: Cells, meanings: Sequence[TagChoice], name_of: np.ndarray
    ) -> Values:
        """Each row's value by the kind of its tag; all tags that take but numbers are read at once."""
        column = some(cells.chunk.columns[plan.value], place)
        tags = [self._plant.model.tags.get(one.tag) for one in meanings]
        takes_texts = np.array([tag is None or tag.kind in _TEXTUAL for tag in tags] or [False])
        first_numeric = next((tag for tag in tags if tag is not None and tag.kind not in _TEXTUAL), None)
        plain = values_of(column, first_numeric, self._decimal)
        if not takes_texts.any() or not len(place):
            return plain
        number, is_blank = plain.number.copy(), plain.is_blank.copy()
        written = self._long_texts(place, plan, cells, column)
        is_text = np.zeros(len(place), bool)
        for index in np.flatnonzero(takes_texts).tolist():
            mine = np.flatnonzero(name_of == index)
            values = values_of(written.take(pa.array(mine)), tags[index], self._decimal)
            number[mine], is_blank[mine] = values.number, values.is_blank
            is_text[mine] = pc.is_valid(values.text).to_numpy(zero_copy_only=False)
        return Values(number, only_where(is_text, written), is_blank)

    def _long_texts(self, place: np.ndarray, plan: LongPlan, cells: Cells, column: pa.Array) -> pa.Array:
        """What a row says in words: its column of texts where that says something, else its column of values."""
        if plan.text is None:
            return trimmed(column)
        own = some(cells.chunk.columns[plan.text], place)
        return pc.if_else(pa.array(blanks(own)), trimmed(column), trimmed(own))

    def _qualities(self, place: np.ndarray, plan: LongPlan, cells: Cells) -> np.ndarray:
        if plan.quality is None:
            return np.full(len(place), self._plan.quality, np.uint8)
        column = some(cells.chunk.columns[plan.quality], place)
        return read_qualities(column, self._plan.quality_coding, self._plan.quality)

    def _long_units(
        self, place: np.ndarray, plan: LongPlan, cells: Cells, meanings: Sequence[TagChoice], name_of: np.ndarray
    ) -> np.ndarray:
        """Each row's unit: its own cell's, else its name's, else the tag's."""
        unit: np.ndarray = np.array([cells.unit(one.unit) for one in meanings] or [0], np.int16)[name_of]
        if plan.unit is None:
            return unit
        texts, text_of = encoded(some(cells.chunk.columns[plan.unit], place))
        if len(texts) > _MOST_UNITS:
            raise BadPlanError(f"column {plan.unit!r} has {len(texts):,} different texts: it is no column of units.")
        written = np.array([cells.unit(text or None) for text in texts] or [0], np.int16)[text_of]
        chosen: np.ndarray = np.where(written >= 0, written, unit)
        return chosen

    def _meaning(self, name: str) -> TagChoice:
        """The tag that a name of the file means; the name itself where none does, which the checks then refuse."""
        if name not in self._meanings:
            chosen = self._plan.long.names.get(name) if self._plan.long else None
            self._meanings[name] = chosen or TagChoice(tag=self._matcher.certain(name) or name)
        return self._meanings[name]

    def _checked(self, cells: Cells, batch: pa.RecordBatch) -> Assembled:
        ids = self._plant.lookup(batch.column("tag").dictionary)
        checked = check(batch, ids, self._tags, oldest_us=self._oldest_us, newest_us=self._newest_us)
        for code in np.unique(checked.refusal[checked.refusal != Refusal.NONE]).tolist():
            rows = np.flatnonzero(checked.refusal == code)
            cells.refuse_samples(batch, rows, Reason(Refusal(code).code))
        stored, passed = checked.stored, np.flatnonzero(checked.refusal == Refusal.NONE)
        is_outside = self._outside(stored)
        uncertain = int(is_outside.sum())
        if uncertain and self._plan.out_of_range is OutOfRange.REFUSE:
            cells.refuse_samples(batch, passed[is_outside], Reason.OUT_OF_RANGE)
            stored, passed, uncertain = stored.filter(pa.array(~is_outside)), passed[~is_outside], 0
        told = pa.concat_tables([REFUSED.empty_table(), *cells.refused])
        return Assembled(stored, cells.chunk.row[cells.place[passed]], told, cells.empty, uncertain)

    def _outside(self, stored: pa.RecordBatch) -> np.ndarray:
        """Which values are outside their instrument's range. [N]"""
        tag = stored.column("tag").to_numpy()
        if len(tag) == 0:
            return np.zeros(0, bool)
        value = stored.column("value").to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            outside: np.ndarray = (value < self._tags.low[tag]) | (value > self._tags.high[tag])
        return outside


def _are_empty(chunk: Chunk) -> np.ndarray:
    """Rows without any cell that says something."""
    empty = np.ones(len(chunk.row), bool)
    for column in chunk.columns.values():
        if not empty.any():
            break
        empty &= blanks(column)
    return empty
