"""The forms in which tables are answered, by the `Accept` header: Arrow stream, CSV or JSON; piece by piece."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from fastapi.responses import StreamingResponse

ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
JSON = "application/json"

_PIECE_ROWS = 50_000  # sent at a time


class Form(Protocol):
    """Writes tables of one schema, in order, as bytes."""

    media_type: str

    def begin(self) -> bytes:
        """What stands before the first table."""

    def piece(self, table: pa.Table) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """What stands after the last."""


def form_of(accept: str, schema: pa.Schema) -> Form:
    """The form that an `Accept` header asks for; JSON where it asks for none of the others."""
    if ARROW in accept:
        return _Arrow(schema)
    return _Csv(schema) if CSV in accept else _Json()


async def streamed(tables: AsyncIterator[pa.Table], schema: pa.Schema, accept: str) -> StreamingResponse:
    """An answer that is sent while it is read, so that it may be larger than memory.

    What goes wrong before the first table is raised here, and answered as an error; what goes wrong later breaks off
    the connection, so that nobody takes a part for the whole.
    """
    form = form_of(accept, schema)
    first = await anext(tables, None)
    return StreamingResponse(_bytes(form, first, tables), media_type=form.media_type, headers={"Vary": "Accept"})


async def _bytes(form: Form, first: pa.Table | None, rest: AsyncIterator[pa.Table]) -> AsyncIterator[bytes]:
    yield form.begin()
    table = first
    while table is not None:
        for piece in _pieces(table):
            yield await asyncio.to_thread(form.piece, piece)
        table = await anext(rest, None)
    yield form.end()


def _pieces(table: pa.Table) -> Iterator[pa.Table]:
    for first in range(0, table.num_rows, _PIECE_ROWS):
        yield table.slice(first, _PIECE_ROWS)


class _Arrow:
    """An Arrow IPC stream."""

    media_type = ARROW

    def __init__(self, schema: pa.Schema) -> None:
        self._sink = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._sink, schema)

    def begin(self) -> bytes:
        return self._taken()

    def piece(self, table: pa.Table) -> bytes:
        self._writer.write_table(table)
        return self._taken()

    def end(self) -> bytes:
        self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        """What was written since the last call."""
        taken = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return taken


class _Csv:
    """CSV with a header; a wide table's columns are named `path [unit]`."""

    media_type = f"{CSV}; charset=utf-8"

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def begin(self) -> bytes:
        return self._written(self._schema.empty_table(), is_header=True)

    def piece(self, table: pa.Table) -> bytes:
        return self._written(table, is_header=False)

    def end(self) -> bytes:
        return b""

    def _written(self, table: pa.Table, *, is_header: bool) -> bytes:
        sink = io.BytesIO()
        columns = [_plain(column) for column in table.columns]
        # In one chunk: of one without rows, Arrow 26 writes whatever is in memory there.
        named = pa.table(columns, [_title(field) for field in self._schema]).combine_chunks()
        pa_csv.write_csv(named, sink, pa_csv.WriteOptions(include_header=is_header))
        return sink.getvalue()


class _Json:
    """A JSON list of objects, one a row."""

    media_type = JSON

    def __init__(self) -> None:
        self._is_first = True

    def begin(self) -> bytes:
        return b"["

    def piece(self, table: pa.Table) -> bytes:
        rows = orjson.dumps(table.to_pylist())[1:-1]
        if not rows:
            return b""
        comma = b"" if self._is_first else b","
        self._is_first = False
        return comma + rows

    def end(self) -> bytes:
        return b"]"


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in a type that CSV is written of quickly: times with a zone are not."""
    if pa.types.is_timestamp(column.type):
        texts = column.cast(pa.timestamp("us")).cast(pa.string())
        return pc.binary_join_element_wise(texts, "Z", "")
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _title(field: pa.Field) -> str:
    unit = (field.metadata or {}).get(b"unit", b"1").decode()
    return field.name if unit == "1" else f"{field.name} [{unit}]"
