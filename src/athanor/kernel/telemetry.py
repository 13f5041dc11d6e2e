"""Samples and the Arrow batches they travel in: the only form of telemetry between edge, server and historian.

One sample is (tag, source time, value, quality). A value is a number or a text, never both; a bad sample may carry
neither. `unit` is what the source measured in; null says the tag's own unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.errors import AthanorError


class Quality(IntEnum):
    """After OPC UA: the severity bits 31 and 30 of a StatusCode (Part 4, 7.39)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


TIME = pa.timestamp("us", tz="UTC")

SAMPLES = pa.schema(
    [
        pa.field("tag", pa.dictionary(pa.int32(), pa.string()), nullable=False),  # the tag's path
        pa.field("time", TIME, nullable=False),  # source time
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint8(), nullable=False),
        pa.field("unit", pa.dictionary(pa.int16(), pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one tag. For edges of the system and for tests; inside, samples travel in batches."""

    tag: str
    time: datetime
    value: float | str | None
    quality: Quality = Quality.GOOD
    unit: str | None = None


class MalformedBatchError(AthanorError):
    """Bytes that should hold a batch of samples do not."""

    code = "telemetry.malformed-batch"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"These bytes are no batch of samples ({reason}). Send one Arrow IPC stream with the schema "
            "that docs/telemetry.md shows."
        )


def batch_of(samples: Iterable[Sample]) -> pa.RecordBatch:
    """Samples as one batch (schema SAMPLES), in the order given. Raises ValueError for a time without zone."""
    rows = list(samples)
    naive = next((row for row in rows if row.time.tzinfo is None), None)
    if naive is not None:
        raise ValueError(f"The time of {naive.tag} has no time zone: {naive.time}. Give an aware datetime.")
    texts = [row.value if isinstance(row.value, str) else None for row in rows]
    numbers = [None if isinstance(row.value, str) else row.value for row in rows]
    return pa.record_batch(
        [
            pa.array([row.tag for row in rows], pa.string()).dictionary_encode(),
            pa.array([row.time for row in rows], TIME),
            pa.array(numbers, pa.float64()),
            pa.array(texts, pa.string()),
            pa.array([int(row.quality) for row in rows], pa.uint8()),
            pa.array([row.unit for row in rows], pa.string()).cast(SAMPLES.field("unit").type),
        ],
        schema=SAMPLES,
    )


def batch_of_columns(
    paths: Sequence[str] | pa.Array,
    tag_index: np.ndarray,
    time_us: np.ndarray,
    value: np.ndarray,
    quality: np.ndarray | None = None,
) -> pa.RecordBatch:
    """Numeric samples as one batch, from columns; units are the tags' own.

    Parameters
    ----------
    paths
        The distinct tags. [P]
    tag_index
        Which of `paths` each sample belongs to, int32. [N]
    time_us
        Source times, microseconds since 1970 UTC, int64. [N]
    value
        Values, float64; NaN is stored as null. [N]
    quality
        `Quality` of each, uint8; good where left out. [N]
    """
    rows = len(tag_index)
    unit = SAMPLES.field("unit").type
    return pa.record_batch(
        [
            pa.DictionaryArray.from_arrays(pa.array(tag_index, pa.int32()), pa.array(paths, pa.string())),
            pa.array(time_us, pa.int64()).cast(TIME),
            pa.array(value, pa.float64(), from_pandas=True),
            pa.nulls(rows, pa.string()),
            pa.array(np.zeros(rows, np.uint8) if quality is None else quality, pa.uint8()),
            pa.nulls(rows, unit),
        ],
        schema=SAMPLES,
    )


def samples_of(batch: pa.RecordBatch | pa.Table) -> list[Sample]:
    """The batch's rows as samples. For tests and small answers only."""
    return [
        Sample(
            row["tag"],
            row["time"],
            row["text"] if row["text"] is not None else row["value"],
            Quality(row["quality"]),
            row.get("unit"),
        )
        for row in batch.to_pylist()
    ]


def numpy_column(samples: pa.RecordBatch | pa.Table, name: str) -> np.ndarray:
    """A column as NumPy has it: times as microseconds since 1970 UTC, null numbers as NaN."""
    array = samples.column(name)
    if name == "time":
        array = array.cast(pa.int64())
    column: np.ndarray = array.to_numpy(zero_copy_only=False) if isinstance(array, pa.Array) else array.to_numpy()
    return column


def newest_rows(tag: np.ndarray, time_us: np.ndarray) -> np.ndarray:
    """Of each tag the row with the latest time, and of equal times the last such row; by tag."""
    if len(tag) == 0:
        return np.empty(0, np.int64)
    order = np.lexsort((time_us, tag))  # stable: equals stay in the order they came in
    is_last = np.append(tag[order][1:] != tag[order][:-1], True)
    rows: np.ndarray = order[is_last]
    return rows


_WRITE_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def encode(batch: pa.RecordBatch) -> bytes:
    """The batch as an Arrow IPC stream: what the edge's buffer keeps and the uplink sends."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_WRITE_OPTIONS) as writer:
        writer.write_batch(batch)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def decode(body: bytes) -> pa.RecordBatch:
    """The batch in an Arrow IPC stream. Raises MalformedBatchError for anything else."""
    try:
        with pa.ipc.open_stream(body) as reader:
            if reader.schema != SAMPLES:
                raise MalformedBatchError(f"its schema is {reader.schema.to_string()}")
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise MalformedBatchError(error) from error
    if table.num_rows == 0:
        return batch_of([])
    if table.column("tag").num_chunks > 1:
        table = table.unify_dictionaries()
    batch = table.combine_chunks().to_batches()[0]
    _check_what_arrow_leaves_open(batch)
    return batch


def _check_what_arrow_leaves_open(batch: pa.RecordBatch) -> None:
    for field in SAMPLES:
        column = batch.column(field.name)
        holds_null = column.null_count or (pa.types.is_dictionary(field.type) and column.dictionary.null_count)
        if holds_null and not field.nullable:
            raise MalformedBatchError(f"a {field.name} is null")
    worst = pc.max(batch.column("quality")).as_py()
    if worst > max(Quality):
        raise MalformedBatchError(f"there is no quality {worst}")
