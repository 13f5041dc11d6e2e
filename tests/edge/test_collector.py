import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.edge import collector as collector_module
from athanor.edge.buffer import Buffer
from athanor.edge.clock import microseconds, now_microseconds
from athanor.edge.collector import Collector, merged
from athanor.edge.config import CollectorConfig
from athanor.edge.sink import SourceSink
from athanor.edge.source import SourceStatus
from athanor.kernel.telemetry import Quality, Sample, batch_of, decode, samples_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

samples = st.builds(
    Sample,
    tag=st.sampled_from(["a.one", "a.two", "b.three"]),
    time=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    quality=st.sampled_from(Quality),
    unit=st.sampled_from([None, "kW", "degC"]),
)


@pytest.fixture
def collector(buffer: Buffer) -> Collector:
    return Collector(buffer, CollectorConfig.model_validate({"max_rows": 100}))


@pytest.fixture
def status() -> SourceStatus:
    return SourceStatus("dcs", "opcua", "opc.tcp://plc", 2)


async def kept(buffer: Buffer) -> list[list[Sample]]:
    return [samples_of(decode(batch.body)) for batch in await buffer.read(0, 10**9, 10**9)]


@given(parts=st.lists(st.lists(samples, max_size=5), min_size=1, max_size=5))
def test_merged_batches_hold_all_rows_in_order(parts: list[list[Sample]]) -> None:
    assert samples_of(merged([batch_of(part) for part in parts])) == [sample for part in parts for sample in part]


async def test_samples_and_batches_reach_the_buffer_in_order(
    buffer: Buffer, collector: Collector, status: SourceStatus
) -> None:
    sink = SourceSink(collector, status)
    sink.add("a.one", microseconds(NOON), 1.5, unit="kW")
    sink.add_batch(batch_of([Sample("b.three", NOON, "open"), Sample("a.one", NOON, None, Quality.BAD)]))
    sink.add("a.two", microseconds(NOON), "läuft", Quality.UNCERTAIN)
    await collector.flush()
    assert await kept(buffer) == [
        [
            Sample("a.one", NOON, 1.5, unit="kW"),
            Sample("b.three", NOON, "open"),
            Sample("a.one", NOON, None, Quality.BAD),
            Sample("a.two", NOON, "läuft", Quality.UNCERTAIN),
        ]
    ]
    assert (status.counters.samples, status.counters.bad, status.counters.clock_skew) == (4, 1, 0)


async def test_nothing_gathered_makes_no_batch(buffer: Buffer, collector: Collector) -> None:
    await collector.flush()
    assert await kept(buffer) == []


@pytest.mark.parametrize(("time_us", "value"), [(2**62, 1.0), (-(2**62), 1.0), (0, float("nan")), (0, float("inf"))])
async def test_what_no_batch_can_say_becomes_bad_now(
    buffer: Buffer, collector: Collector, status: SourceStatus, time_us: int, value: float
) -> None:
    before = datetime.now(UTC)
    SourceSink(collector, status).add("a.one", time_us, value)
    await collector.flush()
    ((sample,),) = await kept(buffer)
    assert (sample.value, sample.quality, status.counters.undecodable) == (None, Quality.BAD, 1)
    assert sample.time >= before


async def test_a_loss_at_no_instant_is_a_loss_now(buffer: Buffer, collector: Collector, status: SourceStatus) -> None:
    before = datetime.now(UTC)
    SourceSink(collector, status).add_lost(["a.one"], 2**64 * 1000)
    await collector.flush()
    ((sample,),) = await kept(buffer)
    assert sample.quality is Quality.BAD
    assert sample.time >= before


async def test_clocks_ahead_are_counted_in_batches_too(collector: Collector, status: SourceStatus) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    sink = SourceSink(collector, status)
    sink.add_batch(batch_of([Sample("a.one", ahead, 1.0), Sample("a.one", NOON, 1.0)]))
    sink.add("a.two", microseconds(ahead), 2.0)
    assert status.counters.clock_skew == 2


async def test_a_lost_tag_that_speaks_of_before_is_known_again_now(
    buffer: Buffer, collector: Collector, status: SourceStatus
) -> None:
    sink = SourceSink(collector, status)
    lost_us = now_microseconds()
    sink.add_lost(["a.one", "a.two"], lost_us)
    sink.add("a.one", lost_us - 9, 7.0, is_historical=True)
    sink.add("a.one", lost_us - 5, 8.0)
    sink.add("a.one", lost_us - 4, 9.0)
    sink.add("a.two", lost_us + 1, 1.0)
    await collector.flush()
    (heard,) = await kept(buffer)
    assert [(sample.tag, sample.value) for sample in heard] == [
        ("a.one", None),
        ("a.two", None),
        ("a.one", 7.0),
        ("a.one", 8.0),
        ("a.one", 8.0),
        ("a.one", 9.0),
        ("a.two", 1.0),
    ]
    assert microseconds(heard[4].time) > lost_us


async def test_a_full_disk_makes_samples_wait_then_refuses_them_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "MAX_WAITING_ROWS", 3)
    buffer = await Buffer.open(tmp_path / "b.sqlite", 100_000_000)
    collector = Collector(buffer, CollectorConfig.model_validate({}))
    for number in range(2):
        collector.add("a.one", number, float(number), Quality.GOOD, None)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, unlimited[1]))
    try:
        await collector.flush()
        for number in range(2, 7):
            collector.add("a.one", number, float(number), Quality.GOOD, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await collector.flush()
    await collector.flush()
    assert [sample.value for batch in await kept(buffer) for sample in batch] == [0.0, 1.0, 2.0]
    assert collector.refused_rows == 4
    await buffer.close()
