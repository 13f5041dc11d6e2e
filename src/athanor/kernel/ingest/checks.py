"""What ingest asks of a batch, as columns in and columns out. No clock, no store.

Rules, in this order; the first that refuses a sample names it:

1. its tag is in the plant model (`unknown-tag`);
2. its source time lies between the oldest allowed and a little ahead of now (`impossible-time`);
3. the unit it came in is known (`unknown-unit`) and measures what the tag measures (`incompatible-unit`);
4. a number for a tag of numbers, a text for a tag of texts, either for a state (`wrong-kind`).

A sample that passes is converted to the tag's unit. NaN and infinity are no values: they become null, and bad. A good
value outside the instrument's range becomes uncertain (OPC UA's UncertainEngineeringUnitsExceeded), never refused.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import pyarrow as pa

from athanor.kernel.freshness import stale_after_s
from athanor.kernel.historian.port import STORED
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import UNKNOWN, RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import IncompatibleUnitsError, UnknownUnitError, conversion


class Refusal(IntEnum):
    """Why a sample was set aside; 0 where it was not."""

    NONE = 0
    UNKNOWN_TAG = 1
    IMPOSSIBLE_TIME = 2
    UNKNOWN_UNIT = 3
    INCOMPATIBLE_UNIT = 4
    WRONG_KIND = 5
    CORRECTED = 6  # found by `Corrections.verdict`, not by these checks: a person has said otherwise

    @property
    def code(self) -> str:
        """As people and programs read it: `unknown-tag`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True)
class TagTable:
    """What the checks need of every tag, as arrays indexed by tag id. Built once for each version of the plant."""

    plant: RunningPlant

    @cached_property
    def _by_id(self) -> list[Tag | None]:
        tags: list[Tag | None] = [None] * (max(self.plant.ids.values(), default=-1) + 1)
        for path, tag_id in self.plant.ids.items():
            tags[tag_id] = self.plant.model.tags[path]
        return tags

    @cached_property
    def low(self) -> np.ndarray:
        """Lower end of the instrument range, -inf where there is none."""
        return np.array([-np.inf if tag is None or tag.low is None else tag.low for tag in self._by_id])

    @cached_property
    def high(self) -> np.ndarray:
        """Upper end of the instrument range, inf where there is none."""
        return np.array([np.inf if tag is None or tag.high is None else tag.high for tag in self._by_id])

    @cached_property
    def takes_numbers(self) -> np.ndarray:
        return np.array([tag is not None and tag.kind is not TagKind.TEXT for tag in self._by_id], bool)

    @cached_property
    def takes_texts(self) -> np.ndarray:
        return np.array([tag is not None and tag.kind in (TagKind.TEXT, TagKind.STATE) for tag in self._by_id], bool)

    @cached_property
    def late_after_us(self) -> np.ndarray:
        """The age from which a sample that arrives is late, infinite where none is due. [us]"""
        periods_s = [None if tag is None else tag.period_s for tag in self._by_id]
        return np.array([np.inf if period_s is None else stale_after_s(period_s) * 1e6 for period_s in periods_s])

    def unit(self, tag_id: int) -> str:
        tag = self._by_id[tag_id]
        return "1" if tag is None else tag.unit


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch taken apart: what is to be stored, and why the rest is not."""

    stored: pa.RecordBatch  # schema STORED
    refusal: np.ndarray  # `Refusal` of every row of the batch that came in, uint8 [N]


def check(batch: pa.RecordBatch, ids: np.ndarray, tags: TagTable, *, oldest_us: int, newest_us: int) -> Checked:
    """Apply the rules above.

    Parameters
    ----------
    batch
        Samples as they came (schema SAMPLES). [N]
    ids
        Tag id of every entry of the batch's tag dictionary; UNKNOWN where there is none. [P]
    tags
        The plant's tags.
    oldest_us, newest_us
        Source times outside are impossible. [us]
    """
    tag = ids[batch.column("tag").indices.to_numpy(zero_copy_only=False)]
    time = batch.column("time").cast(pa.int64()).to_numpy(zero_copy_only=False)
    value = batch.column("value").to_numpy(zero_copy_only=False)
    quality = batch.column("quality").to_numpy(zero_copy_only=False)
    refusal = np.zeros(len(tag), np.uint8)
    refusal[(time < oldest_us) | (time > newest_us)] = Refusal.IMPOSSIBLE_TIME
    refusal[tag == UNKNOWN] = Refusal.UNKNOWN_TAG

    value = _in_own_units(batch, tag, value, tags, refusal)
    has_text = _has_text(batch)
    safe_tag = np.where(tag == UNKNOWN, 0, tag)
    wrong = (has_text & ~_at(tags.takes_texts, safe_tag)) | (~np.isnan(value) & ~_at(tags.takes_numbers, safe_tag))
    refusal[(refusal == Refusal.NONE) & wrong] = Refusal.WRONG_KIND

    finite = np.isfinite(value)
    with np.errstate(invalid="ignore"):
        outside = (value < _at(tags.low, safe_tag)) | (value > _at(tags.high, safe_tag))
    quality = np.where((quality == Quality.GOOD) & outside & finite, Quality.UNCERTAIN, quality)
    quality = np.where(finite | has_text, quality, Quality.BAD)
    quality = np.minimum(quality, Quality.BAD).astype(np.uint8)

    kept = pa.record_batch(
        [
            pa.array(tag, pa.int32()),
            batch.column("time"),
            pa.array(value, pa.float64(), mask=~finite),
            batch.column("text"),
            pa.array(quality, pa.uint8()),
        ],
        schema=STORED,
    )
    return Checked(kept.filter(pa.array(refusal == Refusal.NONE)) if refusal.any() else kept, refusal)


def _in_own_units(
    batch: pa.RecordBatch, tag: np.ndarray, value: np.ndarray, tags: TagTable, refusal: np.ndarray
) -> np.ndarray:
    """Values in their tags' units; rows whose unit says nothing, or another quantity, are noted in `refusal`."""
    units = batch.column("unit")
    if units.null_count == len(units):
        return value
    names = units.dictionary.to_pylist()
    index = np.asarray(units.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    rows = np.flatnonzero((index >= 0) & (refusal == Refusal.NONE))
    value = value.copy()
    pairs, pair_of_row = np.unique(tag[rows].astype(np.int64) * len(names) + index[rows], return_inverse=True)
    scale, offset = np.ones(len(pairs)), np.zeros(len(pairs))
    verdict = np.zeros(len(pairs), np.uint8)
    for place, pair in enumerate(pairs.tolist()):
        try:
            into = conversion(names[pair % len(names)] or "", tags.unit(pair // len(names)))
        except UnknownUnitError:
            verdict[place] = Refusal.UNKNOWN_UNIT
        except IncompatibleUnitsError:
            verdict[place] = Refusal.INCOMPATIBLE_UNIT
        else:
            scale[place], offset[place] = into.scale, into.offset
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is bad, as is what came so
        value[rows] = value[rows] * scale[pair_of_row] + offset[pair_of_row]
    refusal[rows] = verdict[pair_of_row]
    return value


def _has_text(batch: pa.RecordBatch) -> np.ndarray:
    text = batch.column("text")
    if text.null_count == len(text):
        return np.zeros(len(text), bool)
    return np.asarray(text.is_valid().to_numpy(zero_copy_only=False), bool)


def _at(column: np.ndarray, tag: np.ndarray) -> np.ndarray:
    """Entries of a tag table's column; of an empty table, what a tag that is not there has."""
    if len(column) == 0:
        return np.zeros(len(tag), column.dtype)
    taken: np.ndarray = column[tag]
    return taken
