"""Answers that are sent while they are read: the forms, and what happens when something goes wrong on the way."""

import io
from collections.abc import AsyncIterator

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from athanor.kernel.historian.port import DamagedFileError
from athanor.web.forms import ARROW, CSV, JSON, streamed

SCHEMA = pa.schema([("tag", pa.dictionary(pa.int32(), pa.string())), pa.field("value", pa.float64())])
ROWS = 120_000  # several pieces


def table(first: int, count: int) -> pa.Table:
    tag = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array(['a, "b"']))
    return pa.table([tag, pa.array([float(n) for n in range(first, first + count)])], SCHEMA)


async def two() -> AsyncIterator[pa.Table]:
    yield table(0, ROWS)
    yield table(ROWS, 3)


async def nothing() -> AsyncIterator[pa.Table]:
    for none in ():
        yield none


async def body(tables: AsyncIterator[pa.Table], accept: str) -> bytes:
    answer = await streamed(tables, SCHEMA, accept)
    return b"".join([bytes(piece) async for piece in answer.body_iterator])


async def test_every_form_holds_every_row_once_and_in_order() -> None:
    whole = pa.concat_tables([table(0, ROWS), table(ROWS, 3)])
    with pa.ipc.open_stream(await body(two(), ARROW)) as reader:
        assert reader.read_all() == whole
    read = pa_csv.read_csv(io.BytesIO(await body(two(), f"{CSV},*/*")))
    assert read["value"].to_pylist() == whole["value"].to_pylist()
    assert set(read["tag"].to_pylist()) == {'a, "b"'}
    assert orjson.loads(await body(two(), "")) == whole.to_pylist()


@pytest.mark.parametrize("accept", [ARROW, CSV, JSON])
async def test_an_empty_answer_is_whole_too(accept: str) -> None:
    sent = await body(nothing(), accept)
    if accept == ARROW:
        with pa.ipc.open_stream(sent) as reader:
            assert reader.read_all().num_rows == 0
    else:
        assert sent in {b"[]", b'"tag","value"\n'}


async def test_what_fails_at_once_is_an_error_and_what_fails_later_breaks_off() -> None:
    async def damaged(good: int) -> AsyncIterator[pa.Table]:
        for _ in range(good):
            yield table(0, 1)
        raise DamagedFileError("day.parquet", "cut short")

    with pytest.raises(DamagedFileError):
        await streamed(damaged(0), SCHEMA, CSV)
    answer = await streamed(damaged(1), SCHEMA, CSV)
    with pytest.raises(DamagedFileError):
        async for _ in answer.body_iterator:
            pass
