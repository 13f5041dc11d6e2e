"""Samples on their way from cells of a file to the checks, column by column. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.telemetry import SAMPLES, TIME
from athanor.kernel.transfer.columns import as_text, as_written, blanks, integers, is_text, only_where, trimmed
from athanor.kernel.transfer.numbers import Decimal, read_numbers
from athanor.kernel.transfer.refusals import Reason, refused

OWN_UNIT = -1  # for a sample in its tag's own unit


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file: cells by column's name, and the number of each row in the file. [N]"""

    columns: Mapping[str, pa.Array]
    row: np.ndarray


@dataclass(frozen=True, slots=True)
class Part:
    """Samples from one column. `place` is a sample's row in the chunk. [M]"""

    column: str
    place: np.ndarray
    path: np.ndarray  # index of the tag's path, or of a name that is no tag's
    unit: np.ndarray  # index of the unit, or OWN_UNIT
    value: np.ndarray
    text: pa.Array
    quality: np.ndarray


@dataclass
class Cells:
    """The samples and refusals of one chunk."""

    chunk: Chunk
    time_text: pa.Array  # each row's time as it stands in the file
    parts: list[Part] = field(default_factory=list)
    refused: list[pa.Table] = field(default_factory=list)
    empty: int = 0
    _paths: dict[str, int] = field(default_factory=dict)
    _units: dict[str, int] = field(default_factory=dict)

    def path(self, text: str) -> int:
        """The index of a path."""
        return self._paths.setdefault(text, len(self._paths))

    def unit(self, text: str | None) -> int:
        """The index of a unit; OWN_UNIT for none."""
        return OWN_UNIT if text is None else self._units.setdefault(text, len(self._units))

    def refuse(self, place: np.ndarray, reason: Reason, column: str, tag: pa.Array | str) -> None:
        """Refuse a column's cells in these rows."""
        if len(place):
            value = as_written(self.chunk.columns[column], place)
            time = as_written(self.time_text, place)
            self.refused.append(refused(self.chunk.row[place], reason, column=column, tag=tag, time=time, value=value))

    def refuse_samples(self, batch: pa.RecordBatch, rows: np.ndarray, reason: Reason) -> None:
        """Refuse samples of the batch, by their rows in it, ascending."""
        bounds = np.cumsum([0, *(len(part.place) for part in self.parts)])
        cuts = np.searchsorted(rows, bounds)
        for part, first, begin, end in zip(self.parts, bounds[:-1], cuts[:-1], cuts[1:], strict=True):
            mine = rows[begin:end]
            paths = batch.column("tag").take(pa.array(mine)).cast(pa.string())
            self.refuse(part.place[mine - first], reason, part.column, paths)

    @property
    def place(self) -> np.ndarray:
        """The row in the chunk of each sample, in the order of the parts."""
        return np.concatenate([np.empty(0, np.int64), *(part.place for part in self.parts)])

    def batch(self, time_us: np.ndarray) -> pa.RecordBatch:
        """All samples (schema SAMPLES), in the order of the parts; `time_us` is that of each row of the chunk."""
        path = np.concatenate([np.empty(0, np.int32), *(part.path for part in self.parts)])
        unit = np.concatenate([np.empty(0, np.int16), *(part.unit for part in self.parts)])
        return pa.record_batch(
            [
                pa.DictionaryArray.from_arrays(pa.array(path, pa.int32()), pa.array([*self._paths], pa.string())),
                pa.array(time_us[self.place], pa.int64()).cast(TIME),
                pa.array(np.concatenate([np.empty(0), *(part.value for part in self.parts)]), from_pandas=True),
                pa.concat_arrays([pa.nulls(0, pa.string()), *(part.text for part in self.parts)]),
                pa.array(np.concatenate([np.empty(0, np.uint8), *(part.quality for part in self.parts)])),
                pa.DictionaryArray.from_arrays(
                    pa.array(unit, pa.int16(), mask=unit == OWN_UNIT), pa.array([*self._units], pa.string())
                ),
            ],
            schema=SAMPLES,
        )


@dataclass(frozen=True, slots=True)
class Values:
    """Cells as a tag's values. A cell that is neither number nor text nor blank is no value of this tag. [N]"""

    number: np.ndarray  # NaN where there is none
    text: pa.Array  # null where there is none
    is_blank: np.ndarray

    @property
    def is_value(self) -> np.ndarray:
        found: np.ndarray = ~np.isnan(self.number) | pc.is_valid(self.text).to_numpy(zero_copy_only=False)
        return found


def values_of(column: pa.Array, tag: Tag | None, decimal: Decimal) -> Values:
    """Cells as values of a tag: by its kind numbers, texts, or states by number or name. An unknown tag takes both."""
    if tag is not None and tag.kind is TagKind.TEXT:
        is_blank = blanks(column)
        return Values(np.full(len(column), np.nan), only_where(~is_blank, trimmed(column)), is_blank)
    numbers = read_numbers(column, decimal)
    if tag is not None and tag.kind is not TagKind.STATE:
        return Values(numbers.value, pa.nulls(len(column), pa.string()), numbers.is_blank)
    number = numbers.value if tag is None else np.where(numbers.is_number, numbers.value, _states(column, tag))
    text = only_where(np.isnan(number) & ~numbers.is_blank, as_text(column))
    return Values(number, text, numbers.is_blank)


def _states(column: pa.Array, tag: Tag) -> np.ndarray:
    """The numbers of states that cells call by their names in any language; NaN for other words. [N]"""
    known = {text.strip().casefold(): number for number, name in tag.states.items() for text in name.values()}
    if not known or not is_text(column):
        return np.full(len(column), np.nan)
    place = integers(pc.index_in(pc.utf8_lower(trimmed(column)), pa.array([*known], pa.string())))
    return np.where(place >= 0, np.array([*known.values()], np.float64)[place], np.nan)
