"""Rows that cannot be stored: why, and the report that names each. Columns in, columns out."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa

from athanor.kernel.ingest.checks import Refusal

EXAMPLES = 5  # of each reason, kept for a person to see
_LONGEST_CELL = 200


class Reason(StrEnum):
    """Why a cell or a row was refused; the last five are those of live samples."""

    WRONG_COLUMNS = "wrong-columns"  # the row has more or fewer cells than the table has columns
    UNREADABLE_TIME = "unreadable-time"
    TIME_TWICE = "time-twice"  # the clock was set back and showed it twice
    TIME_NEVER = "time-never"  # the clock was set forward and leapt over it
    NOT_A_NUMBER = "not-a-number"
    UNKNOWN_QUALITY = "unknown-quality"
    OUT_OF_RANGE = "out-of-range"
    UNKNOWN_TAG = Refusal.UNKNOWN_TAG.code
    IMPOSSIBLE_TIME = Refusal.IMPOSSIBLE_TIME.code
    UNKNOWN_UNIT = Refusal.UNKNOWN_UNIT.code
    INCOMPATIBLE_UNIT = Refusal.INCOMPATIBLE_UNIT.code
    WRONG_KIND = Refusal.WRONG_KIND.code


REFUSED = pa.schema(
    [
        pa.field("row", pa.int64()),  # of the file, from 1
        pa.field("column", pa.string()),
        pa.field("tag", pa.string()),
        pa.field("time", pa.string()),  # as it stands in the file
        pa.field("value", pa.string()),  # as it stands in the file
        pa.field("reason", pa.string()),  # a `Reason`
    ]
)


def refused(
    row: np.ndarray, reason: Reason, *, column: str, tag: pa.Array | str, time: pa.Array, value: pa.Array
) -> pa.Table:
    """Refused cells of one column (schema REFUSED). Texts are cut where no person would read on. [N]"""
    rows = len(row)

    def text(given: pa.Array | str) -> pa.Array:
        if isinstance(given, str):
            return pa.repeat(pa.scalar(given[:_LONGEST_CELL], pa.string()), rows)
        return pa.compute.utf8_slice_codeunits(given.cast(pa.string()), 0, _LONGEST_CELL)

    columns = [pa.array(row, pa.int64()), text(column), text(tag), text(time), text(value), text(str(reason))]
    return pa.table(columns, schema=REFUSED)


@dataclass
class Tally:
    """What became of a file's rows so far."""

    rows: int = 0
    samples: int = 0  # good enough to be stored
    empty: int = 0  # cells without a value
    uncertain: int = 0  # values outside their instrument's range, kept as uncertain
    stored: int = 0  # samples that are durable
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    first_us: int | None = None
    last_us: int | None = None
    by_tag: Counter[int] = field(default_factory=Counter)

    def take_refused(self, table: pa.Table) -> None:
        """Count refused cells (schema REFUSED), and keep some of each reason."""
        for found in pa.compute.value_counts(table["reason"]).to_pylist():
            reason = found["values"]
            self.refused[reason] += found["counts"]
            kept = self.examples.setdefault(reason, [])
            if len(kept) < EXAMPLES:
                some = table.filter(pa.compute.equal(table["reason"], reason)).slice(0, EXAMPLES - len(kept))
                kept.extend(some.to_pylist())

    def take_samples(self, tag: np.ndarray, time_us: np.ndarray) -> None:
        """Count samples that are good enough to be stored."""
        if len(tag) == 0:
            return
        self.samples += len(tag)
        first, last = int(time_us.min()), int(time_us.max())
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = last if self.last_us is None else max(self.last_us, last)
        tags, counts = np.unique(tag, return_counts=True)
        self.by_tag.update(dict(zip(tags.tolist(), counts.tolist(), strict=True)))
