"""The uplink against a real HTTP server: every answer that a server, or nobody, can give."""

import asyncio
import random
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, PlainTextResponse, Response

from athanor.edge.buffer import Buffer, StoredBatch
from athanor.edge.config import UplinkConfig
from athanor.edge.uplink import MERGE_ROWS, Uplink, back_off_s, pack
from athanor.kernel.telemetry import Sample, batch_of, decode, encode, samples_of

from .peers import IngestServer, until

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MALFORMED = JSONResponse({"code": "telemetry.malformed-batch", "detail": "no batch"}, 400)


class VirtualSleep:
    """Time that passes as fast as it is asked to."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        await asyncio.sleep(0)


def body(*values: float, tag: str = "a.tag") -> bytes:
    """An encoded batch with these values, a second apart."""
    return encode(batch_of(Sample(tag, NOON + timedelta(seconds=value), value) for value in values))


@asynccontextmanager
async def delivering(buffer: Buffer, url: str, **more: Any) -> AsyncIterator[tuple[Uplink, VirtualSleep]]:
    sleep = VirtualSleep()
    uplink = Uplink(
        UplinkConfig.model_validate({"url": url} | more), buffer, edge="edge-1", token="secret", sleep=sleep
    )
    running = asyncio.create_task(uplink.run())
    try:
        yield uplink, sleep
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await uplink.close()


async def drained(uplink: Uplink) -> None:
    async with asyncio.timeout(20):
        await uplink.drain()


async def test_a_single_batch_goes_as_it_is_stored(buffer: Buffer, server: IngestServer) -> None:
    sequence = await buffer.append(body(1, 2), 2)
    async with delivering(buffer, server.url) as (uplink, _):
        await drained(uplink)
    (headers,) = server.headers
    assert server.bodies == [body(1, 2)]
    assert headers["authorization"] == "Bearer secret"
    assert headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert (headers["x-athanor-edge"], headers["x-athanor-sequence"]) == ("edge-1", str(sequence))
    assert uplink.delivered_rows == 2


async def test_what_comes_while_the_uplink_runs_is_delivered_too(buffer: Buffer, server: IngestServer) -> None:
    async with delivering(buffer, server.url) as (uplink, _):
        for number in range(20):
            await buffer.append(body(number), 1)
            if number % 5 == 0:
                await drained(uplink)
        await drained(uplink)
    assert [sample.value for sample in server.samples] == list(range(20))
    assert server.sequences == sorted(set(server.sequences))


async def test_ten_minutes_without_uplink_are_delivered_in_order_and_once(
    buffer: Buffer, absent_server: IngestServer
) -> None:
    server = absent_server
    expected = []
    for quarter in range(4 * 600):  # a batch each quarter of a second
        values = [quarter / 4 + part / 100 for part in range(5)]
        await buffer.append(body(*values), 5)
        expected += values
    async with delivering(buffer, server.url) as (uplink, sleep):
        await until(lambda: sum(sleep.slept_s) > 600)
        assert (await buffer.backlog()).batches == 2400
        assert max(sleep.slept_s) <= 10
        await server.start()
        await drained(uplink)
    assert [sample.value for sample in server.samples] == expected
    assert server.requests < 10, "small batches travel together"


@pytest.mark.parametrize("code", [500, 502, 503, 429])
async def test_a_server_in_trouble_gets_the_same_batch_again(buffer: Buffer, server: IngestServer, code: int) -> None:
    async def refuse_three_times(_: bytes) -> Response | None:
        return Response(status_code=code) if server.requests <= 3 else None

    server.answer = refuse_three_times
    await buffer.append(body(1), 1)
    async with delivering(buffer, server.url) as (uplink, sleep):
        await drained(uplink)
    assert server.bodies == [body(1)]
    assert (server.requests, len(sleep.slept_s)) == (4, 3)


async def test_a_server_that_gives_no_answer_in_time_is_asked_again(buffer: Buffer, server: IngestServer) -> None:
    patience = asyncio.Event()

    async def hang_once(_: bytes) -> Response | None:
        if server.requests == 1:
            await patience.wait()
        return None

    server.answer = hang_once
    await buffer.append(body(1), 1)
    async with delivering(buffer, server.url, timeout_s=0.2) as (uplink, _):
        await drained(uplink)
    patience.set()
    assert {sample.value for sample in server.samples} == {1.0}


async def test_a_malformed_batch_is_set_aside_and_the_others_go_on(buffer: Buffer, server: IngestServer) -> None:
    async def check(content: bytes) -> Response | None:
        return MALFORMED if content == b"rubbish" else None

    server.answer = check
    for content in (body(1), b"rubbish", body(2)):
        await buffer.append(content, 1)
    async with delivering(buffer, server.url) as (uplink, _):
        await drained(uplink)
    backlog = await buffer.backlog()
    assert [sample.value for sample in server.samples] == [1.0, 2.0]
    assert (backlog.batches, backlog.poisoned) == (0, 1)


async def test_of_joined_batches_only_the_refused_one_is_set_aside(buffer: Buffer, server: IngestServer) -> None:
    async def check(content: bytes) -> Response | None:
        return MALFORMED if any(sample.value == 3 for sample in samples_of(decode(content))) else None

    server.answer = check
    for number in range(6):
        await buffer.append(body(number), 1)
    async with delivering(buffer, server.url) as (uplink, _):
        await drained(uplink)
    assert [sample.value for sample in server.samples] == [0, 1, 2, 4, 5]
    assert (await buffer.backlog()).poisoned == 1


@pytest.mark.parametrize(
    "refusal",
    [
        JSONResponse({"code": "identity.bad-token"}, 401),
        JSONResponse({"code": "identity.forbidden"}, 403),
        PlainTextResponse("The plain HTTP request was sent to HTTPS port", 400),
        PlainTextResponse("no such page", 404),
    ],
    ids=lambda response: str(response.status_code),
)
async def test_a_refusal_keeps_everything_is_said_once_and_asked_slowly(
    buffer: Buffer, server: IngestServer, refusal: Response
) -> None:
    async def refuse(_: bytes) -> Response | None:
        return refusal if server.requests <= 5 else None

    server.answer = refuse
    await buffer.append(body(1), 1)
    with structlog.testing.capture_logs() as logs:
        async with delivering(buffer, server.url) as (uplink, sleep):
            await drained(uplink)
    assert server.bodies == [body(1)]
    assert sleep.slept_s == [30.0] * 5
    assert [entry["event"] for entry in logs] == ["uplink.refused", "uplink.recovered"]


async def test_back_fill_keeps_to_its_rate(buffer: Buffer, server: IngestServer) -> None:
    for number in range(50):
        await buffer.append(body(*range(20), tag=f"a.t{number}"), 20)
    async with delivering(buffer, server.url, max_rows_per_s=100) as (uplink, sleep):
        await drained(uplink)
        await until(lambda: bool(sleep.slept_s))
    assert sum(sleep.slept_s) == pytest.approx(1000 / 100, abs=2.0)


async def test_what_a_full_disk_keeps_us_from_forgetting_is_not_sent_twice(
    buffer: Buffer, server: IngestServer
) -> None:
    await buffer.append(body(1), 1)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, unlimited[1]))
    try:
        async with delivering(buffer, server.url) as (uplink, _):
            await until(lambda: uplink.delivered_rows == 1)
            await until(lambda: (server.requests, len(uplink._acknowledged)) == (1, 1))
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
            await buffer.append(body(2), 1)
            await drained(uplink)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [sample.value for sample in server.samples] == [1.0, 2.0]


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=60))
def test_a_package_is_a_run_of_whole_batches_within_bounds(sizes: list[int]) -> None:
    stored = [StoredBatch(number, rows * 50, body(number)) for number, rows in enumerate(sizes)]
    package = pack(stored)
    assert list(package.batches) == stored[: len(package.batches)]
    assert len(package.batches) == 1 or package.rows <= MERGE_ROWS
    assert [sample.value for sample in samples_of(decode(package.body))] == list(range(len(package.batches)))


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_waiting_grows_to_its_bound_and_never_beyond(failures: int, seed: int) -> None:
    random.seed(seed)
    longest_s = min(10.0, 0.5 * 2.0 ** min(failures - 1, 30))
    assert longest_s / 2 <= back_off_s(failures) <= longest_s
