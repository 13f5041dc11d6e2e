from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.telemetry import (
    SAMPLES,
    MalformedBatchError,
    Quality,
    Sample,
    batch_of,
    batch_of_columns,
    decode,
    encode,
    samples_of,
)

NOON = datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)

samples = st.builds(
    Sample,
    tag=st.text(max_size=8),
    time=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    value=st.none() | st.floats(allow_nan=False) | st.text(max_size=8),
    quality=st.sampled_from(Quality),
    unit=st.none() | st.sampled_from(["kW", "degC"]),
)


@given(st.lists(samples, max_size=20))
def test_samples_come_back_as_they_were_sent(rows: list[Sample]) -> None:
    batch = batch_of(rows)
    assert batch.schema == SAMPLES
    received = decode(encode(batch))
    assert received.schema == SAMPLES
    assert samples_of(received) == rows


def test_a_time_of_another_zone_is_the_same_instant() -> None:
    beijing = NOON.astimezone(timezone(timedelta(hours=8)))
    assert samples_of(batch_of([Sample("a", beijing, 1.0)])) == [Sample("a", NOON, 1.0)]


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="The time of a has no time zone"):
        batch_of([Sample("b", NOON, 1.0), Sample("a", NOON.replace(tzinfo=None), 1.0)])


def test_columns_become_the_samples_they_stand_for() -> None:
    at_us = int(NOON.timestamp()) * 1_000_000 + NOON.microsecond
    batch = batch_of_columns(
        ["a", "b"],
        np.array([1, 0], np.int32),
        np.array([at_us, at_us + 1], np.int64),
        np.array([1.5, np.nan]),
        np.array([Quality.GOOD, Quality.BAD], np.uint8),
    )
    assert batch.schema == SAMPLES
    assert samples_of(batch) == [
        Sample("b", NOON, 1.5),
        Sample("a", NOON + timedelta(microseconds=1), None, Quality.BAD),
    ]


def test_columns_without_quality_are_good() -> None:
    batch = batch_of_columns(["a"], np.zeros(2, np.int32), np.zeros(2, np.int64), np.ones(2))
    assert [sample.quality for sample in samples_of(batch)] == [Quality.GOOD, Quality.GOOD]


def stream_of(schema: pa.Schema, *batches: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def test_a_stream_of_several_batches_is_one() -> None:
    first, second = [Sample("a", NOON, 1.0, unit="kW")], [Sample("b", NOON, "off"), Sample("a", NOON, 2.0, unit="W")]
    body = stream_of(SAMPLES, batch_of(first), batch_of(second))
    assert samples_of(decode(body)) == first + second


def test_a_stream_without_batches_is_an_empty_batch() -> None:
    assert decode(stream_of(SAMPLES)).num_rows == 0


@pytest.mark.parametrize(
    "body", [b"", b"rubbish", b"\xff" * 100, b'{"tag": "a"}', stream_of(pa.schema([pa.field("tag", pa.string())]))]
)
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBatchError):
        decode(body)


@pytest.mark.parametrize(
    ("column", "content"),
    [
        ("tag", pa.DictionaryArray.from_arrays(pa.array([None], pa.int32()), pa.array(["a"]))),
        ("tag", pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array([None], pa.string()))),
        ("time", pa.nulls(1, SAMPLES.field("time").type)),
        ("quality", pa.nulls(1, pa.uint8())),
        ("quality", pa.array([3], pa.uint8())),
    ],
    ids=["null tag", "null in the dictionary", "null time", "null quality", "unknown quality"],
)
def test_a_sample_without_tag_time_or_quality_is_refused(column: str, content: pa.Array) -> None:
    place = SAMPLES.get_field_index(column)
    batch = batch_of([Sample("a", NOON, 1.0)]).set_column(place, SAMPLES.field(column), content)
    with pytest.raises(MalformedBatchError, match=column):
        decode(stream_of(SAMPLES, batch))


def test_an_index_beyond_its_dictionary_is_refused() -> None:
    beyond = pa.DictionaryArray.from_arrays(pa.array([7], pa.int32()), pa.array(["a"]), safe=False)
    body = stream_of(SAMPLES, batch_of([Sample("a", NOON, 1.0)]).set_column(0, SAMPLES.field("tag"), beyond))
    with pytest.raises(MalformedBatchError):
        decode(body)


GOOD_BODY = encode(batch_of([Sample("a", NOON, 1.0), Sample("b", NOON, "off", unit="kW")]))


@given(st.integers(0, len(GOOD_BODY) - 1))
def test_a_stream_cut_off_is_refused(length: int) -> None:
    """Only the mark of the end may be missing: then all rows have come."""
    try:
        assert samples_of(decode(GOOD_BODY[:length])) == samples_of(decode(GOOD_BODY))
    except MalformedBatchError:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_refused(body: bytes) -> None:
    try:
        decode(body)
    except MalformedBatchError:
        return


@given(place=st.integers(0, len(GOOD_BODY) - 1), byte=st.integers(0, 255))
def test_a_garbled_stream_is_a_batch_or_refused(place: int, byte: int) -> None:
    garbled = bytearray(GOOD_BODY)
    garbled[place] = byte
    try:
        samples_of(decode(bytes(garbled)))
    except MalformedBatchError:
        return
