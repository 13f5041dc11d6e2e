"""What a client is told, and what it tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

GOOD, UNCERTAIN, BAD = 0, 1, 2  # qualities, after OPC UA

SAMPLES = pa.schema(
    [
        pa.field("tag", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint8(), nullable=False),
        pa.field("unit", pa.dictionary(pa.int16(), pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One series of one asset."""

    path: str
    name: Mapping[str, str]  # by language: {"en": …, "zh_CN": …}
    unit: str
    kind: str  # analog, setpoint, state, counter or text
    tenant: str
    low: float | None
    high: float | None
    decimals: int
    period_s: float | None
    states: Mapping[int, Mapping[str, str]]  # of a state: what each number means


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """The newest sample of a tag; time, value and quality None where none ever came."""

    tag: str
    time: datetime | None
    value: float | str | None
    quality: str | None  # good, uncertain or bad
    unit: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A value to be written: a number, a text, or None with a bad quality. Times are aware."""

    tag: str
    time: datetime
    value: float | str | None
    quality: int = GOOD
    unit: str | None = None  # what it was measured in; None: the tag's own


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of samples: `stored` are durable, `quarantined` could not be believed (see Data health)."""

    stored: int
    quarantined: int


def table_of(samples: pa.Table | pa.RecordBatch | Iterable[Sample]) -> pa.Table:
    """Samples in the schema of the uplink. Raises ValueError for a time without zone, and for odd columns."""
    if isinstance(samples, pa.RecordBatch):
        samples = pa.Table.from_batches([samples])
    if isinstance(samples, pa.Table):
        return samples if samples.schema == SAMPLES else _completed(samples)
    rows = list(samples)
    naive = next((row for row in rows if row.time.tzinfo is None), None)
    if naive is not None:
        raise ValueError(f"The time of {naive.tag} has no time zone: {naive.time}. Give an aware datetime.")
    texts = [row.value if isinstance(row.value, str) else None for row in rows]
    numbers = [None if isinstance(row.value, str) else row.value for row in rows]
    return pa.table(
        [
            pa.array([row.tag for row in rows], pa.string()).cast(SAMPLES.field("tag").type),
            pa.array([row.time for row in rows], SAMPLES.field("time").type),
            pa.array(numbers, pa.float64()),
            pa.array(texts, pa.string()),
            pa.array([row.quality for row in rows], pa.uint8()),
            pa.array([row.unit for row in rows], pa.string()).cast(SAMPLES.field("unit").type),
        ],
        SAMPLES,
    )


def _completed(table: pa.Table) -> pa.Table:
    """A table with at least tag, time and value or text, in the uplink's columns and types."""
    missing = {"tag", "time"} - set(table.column_names)
    unknown = set(table.column_names) - set(SAMPLES.names)
    if missing or unknown:
        raise ValueError(
            f"Samples have the columns {', '.join(SAMPLES.names)}; missing: {sorted(missing)}, unknown: "
            f"{sorted(unknown)}."
        )
    usual = {"quality": pa.scalar(GOOD, pa.uint8())}
    columns = [
        table[field.name]
        if field.name in table.column_names
        else pa.repeat(usual.get(field.name, pa.scalar(None, pa.string())), len(table))
        for field in SAMPLES
    ]
    return pa.table([column.cast(field.type) for column, field in zip(columns, SAMPLES, strict=True)], SAMPLES)
