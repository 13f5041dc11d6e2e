"""Series as files for people and programs: CSV, Excel, Parquet, Arrow; long or wide; with names, states and units.

Every export goes through here: the trends page, the data app, the command line.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.telemetry import TIME, Quality, numpy_column
from athanor.kernel.transfer.file_writers import CsvWriter, ExcelWriter, FileWriter, arrow_writer, parquet_writer
from athanor.kernel.transfer.plain_cells import plain_cell
from athanor.kernel.transfer.series import How, Series, Shape
from athanor.kernel.units import display_unit

_WORD = pa.dictionary(pa.int32(), pa.string())
_STATES_SHOWN = {How.FIRST, How.LAST, How.MIN, How.MAX, How.AT, How.USUAL}  # what a step comes to may be a state
_QUALITIES = pa.array([quality.name.lower() for quality in Quality])


class FileFormat(StrEnum):
    """What a file of series is."""

    CSV = "csv"  # UTF-8 with the mark that spreadsheets look for; times of the site
    EXCEL = "xlsx"  # numbers are numbers and times are times, of the site
    PARQUET = "parquet"  # typed columns, times in UTC; ZSTD
    ARROW = "arrow"  # an Arrow IPC file, likewise


_ROWS_AT_ONCE = {  # about a second's work
    FileFormat.CSV: 500_000,
    FileFormat.EXCEL: 10_000,
    FileFormat.PARQUET: 2_000_000,
    FileFormat.ARROW: 2_000_000,
}


class ExportFailedError(AthanorError):
    """A file of series could not be written."""

    code = "transfer.cannot-write"

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"{path.name} cannot be written ({reason}). Check the folder's rights and free disk space.")


@dataclass(frozen=True, slots=True)
class Headings:
    """What the columns of files for people are called, in the reader's language."""

    time: str = "Time"
    tag: str = "Tag"
    name: str = "Name"
    value: str = "Value"
    state: str = "State"
    covered: str = "Known share"
    unit: str = "Unit"
    quality: str = "Quality"


@dataclass(frozen=True, slots=True)
class Export:
    """A file of series, in one reader's language.

    Parameters
    ----------
    series
        What is in it.
    form
        What it is.
    timezone
        The site's, IANA; of times in files for people.
    names
        The tags' names, by path.
    states
        What numbers of states mean, by path.
    headings
        What the columns are called.
    """

    series: Series
    form: FileFormat
    timezone: str
    names: Mapping[str, str]
    states: Mapping[str, Mapping[int, str]]
    headings: Headings = field(default_factory=Headings)

    def shows_state_of(self, tag: Tag) -> bool:
        """Whether the tag's numbers have the states' names beside them."""
        is_state = not self.series.has_steps or self.series.how in _STATES_SHOWN
        return is_state and tag.kind is TagKind.STATE and bool(self.states.get(tag.path))

    @property
    def state_tags(self) -> list[Tag]:
        """Those of which it does."""
        return [tag for tag in self.series.tags if self.shows_state_of(tag)]


Told = Callable[[float, int], None]  # called with the share that is done, 0 to 1, and the rows so far


async def write_file(export: Export, tables: AsyncIterator[pa.Table], path: Path, told: Told) -> int:
    """Write a file from the answer of `tables_of` (or of the API); returns how many rows it has.

    `told` is called about once a second or more often; what it raises ends the work. Raises TooManyRowsError,
    ExportFailedError.
    """
    rows, share = 0, 0.0
    at_once = _ROWS_AT_ONCE[export.form]
    try:
        with closing(_writer(export, path)) as writer:
            async for table in tables:
                before, share = share, max(share, _share(export.series, table))
                if table.num_rows == 0:
                    told(share, rows)
                for first in range(0, table.num_rows, at_once):
                    piece = table.slice(first, at_once)
                    await asyncio.to_thread(_append, writer, export, piece)
                    rows += piece.num_rows
                    told(before + (share - before) * (first + piece.num_rows) / table.num_rows, rows)
    except OSError as error:
        raise ExportFailedError(path, error.strerror or error) from error
    return rows


async def csv_pieces(export: Export, tables: AsyncIterator[pa.Table]) -> AsyncIterator[bytes]:
    """The same as CSV, piece by piece, to be sent while it is made."""
    with closing(CsvWriter(None, titles(export), ZoneInfo(export.timezone))) as writer:
        yield writer.taken()
        async for table in tables:
            await asyncio.to_thread(_append, writer, export, table)
            yield writer.taken()


def titles(export: Export) -> list[str]:
    """The columns' titles in files for people."""
    heads = export.headings
    time = f"{heads.time} ({export.timezone})"
    if export.series.shape is Shape.LONG:
        known = {name: getattr(heads, name) for name in Headings.__slots__} | {"time": time}
        return [known[name] for name in dressed_schema(export).names if name != "text"]
    columns = [time]
    for tag in export.series.tags:
        unit, name = display_unit(export.series.unit(tag)), plain_cell(export.names[tag.path])
        columns.append(f"{name} [{unit}] {tag.path}" if unit else f"{name} {tag.path}")
        if export.shows_state_of(tag):
            columns.append(f"{heads.state}: {name} {tag.path}")
    return columns


def dressed_schema(export: Export) -> pa.Schema:
    """The columns of a file. Long: `time, tag, name, value, text, state, unit`, `quality` or `covered`, as there are.

    Wide: `time`, each tag's path, and `<path>:state` after it where its numbers name states.
    """
    series = export.series
    if series.shape is Shape.LONG:
        has_text, has_quality = not series.has_steps and series.points is None, not series.has_steps
        fields = [
            pa.field("time", TIME),
            pa.field("tag", _WORD),
            pa.field("name", _WORD),
            pa.field("value", pa.float64()),
        ]
        fields += [pa.field("text", pa.string())] if has_text else []
        fields += [pa.field("state", _WORD)] if export.state_tags else []
        fields += [pa.field("unit", _WORD)]
        fields += [pa.field("quality", _WORD)] if has_quality and series.points is None else []
        fields += [pa.field("covered", pa.float64())] if series.has_steps and series.how is not How.AT else []
        return pa.schema(fields)
    fields = [pa.field("time", TIME)]
    for tag in series.tags:
        is_text = tag.kind is TagKind.TEXT and not series.has_steps
        about = {"unit": series.unit(tag), "name": export.names[tag.path]}
        fields.append(pa.field(tag.path, pa.string() if is_text else pa.float64(), metadata=about))
        fields += [pa.field(f"{tag.path}:state", _WORD)] if export.shows_state_of(tag) else []
    return pa.schema(fields)


def dressed_table(export: Export, table: pa.Table) -> pa.Table:
    """A slice of the answer with names, states and words for qualities (`dressed_schema`)."""
    schema = dressed_schema(export)
    if export.series.shape is Shape.LONG:
        made = _words_of_long(export, table)
    else:
        made = {f"{tag.path}:state": _state_column(export, tag, table[tag.path]) for tag in export.state_tags}
    columns = [made[name] if name in made else table[name] for name in schema.names]
    return pa.table([column.cast(field.type) for column, field in zip(columns, schema, strict=True)], schema)


def _words_of_long(export: Export, table: pa.Table) -> dict[str, pa.Array]:
    """What a long slice says in words."""
    tag = table["tag"].combine_chunks()
    tag = tag.chunk(0) if isinstance(tag, pa.ChunkedArray) else tag
    paths = tag.dictionary.to_pylist()
    index = tag.indices.to_numpy(zero_copy_only=False)
    made = {"name": pa.DictionaryArray.from_arrays(tag.indices, pa.array([export.names[path] for path in paths]))}
    if "quality" in table.schema.names:
        made["quality"] = pa.DictionaryArray.from_arrays(table["quality"].combine_chunks().cast(pa.int32()), _QUALITIES)
    if export.state_tags:
        state = np.full(len(table), None, object)
        value = numpy_column(table, "value")
        for number, path in enumerate(paths):
            if path in {tag.path for tag in export.state_tags}:
                rows = index == number
                state[rows] = _state_names(export.states[path], value[rows])
        made["state"] = pa.array(state, pa.string())
    return made


def _state_column(export: Export, tag: Tag, column: pa.ChunkedArray) -> pa.Array:
    return pa.array(_state_names(export.states[tag.path], column.to_numpy()), pa.string())


def _state_names(states: Mapping[int, str], value: np.ndarray) -> np.ndarray:
    """The name of each number that has one; None for the others."""
    distinct, place = np.unique(value, return_inverse=True)
    names = [states.get(int(one)) if np.isfinite(one) and one == int(one) else None for one in distinct.tolist()]
    return np.array([*names, None], object)[place]


def _append(writer: FileWriter, export: Export, table: pa.Table) -> None:
    if table.num_rows:
        writer.write(dressed_table(export, table))


def _writer(export: Export, path: Path) -> FileWriter:
    match export.form:
        case FileFormat.CSV:
            return CsvWriter(path, titles(export), ZoneInfo(export.timezone))
        case FileFormat.EXCEL:
            return ExcelWriter(path, titles(export), ZoneInfo(export.timezone))
        case FileFormat.PARQUET:
            return parquet_writer(path, dressed_schema(export))
        case FileFormat.ARROW:
            return arrow_writer(path, dressed_schema(export))


def _share(series: Series, table: pa.Table) -> float:
    """How far through its range the answer is, by the latest time in a slice."""
    if table.num_rows == 0:
        return 0.0
    latest_us: int = pc.max(table["time"]).cast(pa.int64()).as_py()
    return min(max((latest_us - series.span.start_us) / max(series.span.end_us - series.span.start_us, 1), 0.0), 1.0)
