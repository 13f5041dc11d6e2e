"""Batches of numbered samples: whoever reads them back can tell which are missing and which are there twice."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from athanor.kernel.historian.port import STORED, Span, microseconds
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME

START = datetime(2026, 3, 29, 22, tzinfo=UTC)  # two hours before midnight, so that days change
EVER = Span(START - timedelta(days=10), START + timedelta(days=400))


def numbered(number: int, *, tags: int, first_tag: int = 0) -> pa.RecordBatch:
    """One sample of each of so many tags: minute `number`, value `number` and a fraction that does not compress."""
    fraction = np.random.default_rng(number).random(tags) / 2
    time_us = microseconds(START) + number * 60_000_000
    return pa.record_batch(
        [
            pa.array(np.arange(first_tag, first_tag + tags, dtype=np.int32)),
            pa.array(np.full(tags, time_us)).cast(TIME),
            pa.array(number + fraction),
            pa.nulls(tags, pa.string()),
            pa.array(np.zeros(tags, np.uint8)),
        ],
        schema=STORED,
    )


def tag_ids(tags: int, *, first_tag: int = 0) -> list[TagId]:
    return [TagId(tag) for tag in range(first_tag, first_tag + tags)]


def numbers_of(table: pa.Table, tag: int) -> list[int]:
    """The numbers that one tag has, in the order of time."""
    values = table["value"].to_numpy()[table["tag"].to_numpy() == tag]
    return [int(value) for value in values]
