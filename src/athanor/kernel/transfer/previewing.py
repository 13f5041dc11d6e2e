"""The first rows of a file as a plan reads them, for a person to compare with what they know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pyarrow as pa

from athanor.kernel.historian.port import moment
from athanor.kernel.plant.model import Tag, TagId
from athanor.kernel.telemetry import Quality, numpy_column
from athanor.kernel.transfer.importing import Source
from athanor.kernel.transfer.reading import chunks_of
from athanor.kernel.transfer.row_samples import Chunk

ROWS = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell as it will be stored."""

    tag: Tag
    value: float | str | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cell that will be refused. Without a column it is the whole row."""

    column: str
    tag: str
    value: str
    reason: str  # a `Reason`


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the file as it is understood. `time` is None where it cannot be read."""

    row: int
    time: datetime | None
    readings: tuple[Reading, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows."""

    rows: tuple[PreviewRow, ...]


def preview(source: Source, rows: int = ROWS) -> Preview:
    """Read the first rows of a file by its plan. Raises BadFileError."""
    chunks = chunks_of(source.path, source.name, source.plan.file, source.names)
    read = next(islice(chunks, 1), None)
    chunks.close()
    if read is None:
        return Preview(())
    chunk = Chunk({name: column.slice(0, rows) for name, column in read.chunk.columns.items()}, read.chunk.row[:rows])
    assembled = source.assembler.assemble(chunk)
    times: dict[int, datetime] = {}
    readings: dict[int, list[Reading]] = {}
    tags, time_us = numpy_column(assembled.stored, "tag").tolist(), numpy_column(assembled.stored, "time").tolist()
    for row, tag, us, sample in zip(assembled.row.tolist(), tags, time_us, assembled.stored.to_pylist(), strict=True):
        times[row] = moment(us)
        value = sample["value"] if sample["text"] is None else sample["text"]
        readings.setdefault(row, []).append(Reading(source.plant.tag_of(TagId(tag)), value, Quality(sample["quality"])))
    last = int(chunk.row[-1]) if len(chunk.row) else 0
    misfits = read.malformed.filter(pa.compute.less_equal(read.malformed["row"], last))
    troubles = _troubles(pa.concat_tables([misfits, assembled.refused]))
    numbers = sorted({*chunk.row.tolist(), *troubles})
    return Preview(
        tuple(
            PreviewRow(row, times.get(row), tuple(readings.get(row, ())), tuple(troubles.get(row, ())))
            for row in numbers
            if row in readings or row in troubles
        )
    )


def _troubles(refused: pa.Table) -> Mapping[int, list[Trouble]]:
    found: dict[int, list[Trouble]] = {}
    for one in refused.to_pylist():
        found.setdefault(one["row"], []).append(Trouble(one["column"], one["tag"], one["value"], one["reason"]))
    return found
