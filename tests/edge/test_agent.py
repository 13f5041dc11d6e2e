"""The edge as a whole, in this process and as a process of its own that is told to stop, orphaned or killed."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from athanor.edge.agent import run_edge
from athanor.edge.buffer import Buffer
from athanor.edge.config import EdgeConfig, load_edge_config
from athanor.kernel.telemetry import Quality, Sample, decode, samples_of

from .peers import IngestServer, free_port, modbus_device, registers, until


class CountingDevice:
    """Two registers that say how often the device was read: low and high word."""

    def __init__(self) -> None:
        self.reads = 0
        self.port = 0

    def __call__(self, request: bytes) -> list[bytes]:
        self.reads += 1
        return [registers(request, [self.reads >> 16, self.reads & 0xFFFF])]


@pytest.fixture
async def device() -> AsyncIterator[CountingDevice]:
    """The device at its port."""
    counting = CountingDevice()
    async with modbus_device(counting) as counting.port:
        yield counting


def write_config(folder: Path, server: IngestServer, device: CountingDevice) -> Path:
    """An edge that reads one counter a hundred times a second."""
    content: dict[str, Any] = {
        "edge": "edge-1",
        "uplink": {"url": server.url},
        "collector": {"flush_interval_s": 0.05},
        "sources": [
            {
                "id": "counter",
                "protocol": "modbus",
                "host": "127.0.0.1",
                "port": device.port,
                "period_s": 0.01,
                "tags": {"a.reads": {"table": "holding", "register": 0, "type": "uint32"}},
            }
        ],
    }
    path = folder / "edge.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    return path


@asynccontextmanager
async def edge_process(config: Path, *options: str, **more: Any) -> AsyncIterator[Process]:
    environment = os.environ | {"ATHANOR_EDGE_TOKEN": "secret"} | more.pop("env", {})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athanor.edge", str(config), *options, env=environment, stdout=DEVNULL, **more
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def edge_task(config: EdgeConfig) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    running = asyncio.create_task(run_edge(config, token="secret", stop=stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running


async def in_buffer(folder: Path) -> list[Sample]:
    """What a stopped edge left for later."""
    buffer = await Buffer.open(folder / "buffer.sqlite", 100_000_000)
    batches = await buffer.read(0, 10**9, 10**9)
    await buffer.close()
    return [sample for batch in batches for sample in samples_of(decode(batch.body))]


def contradictions(samples: list[Sample]) -> list[tuple[object, ...]]:
    """Instants of a tag that two different samples claim."""
    said = defaultdict(set)
    for sample in samples:
        said[sample.tag, sample.time].add((sample.value, sample.quality))
    return [place for place, values in said.items() if len(values) > 1]


async def test_samples_travel_from_the_wire_to_the_server(
    tmp_path: Path, server: IngestServer, device: CountingDevice
) -> None:
    config = load_edge_config(write_config(tmp_path, server, device))
    async with edge_task(config):
        await until(lambda: len(server.samples) >= 20)
    values = [sample.value for sample in server.samples]
    assert values == list(range(1, len(values) + 1))
    assert await in_buffer(tmp_path) == []


async def test_the_state_is_reported_as_the_contract_has_it(
    tmp_path: Path, server: IngestServer, device: CountingDevice
) -> None:
    config = load_edge_config(write_config(tmp_path, server, device))
    async with edge_task(config):
        await until(lambda: len(server.samples) >= 20)
    last = server.statuses[-1]
    (source,) = last["sources"]
    assert (last["edge"], source["id"], source["protocol"], source["state"]) == (
        "edge-1",
        "counter",
        "modbus",
        "stopped",
    )
    assert source["counters"]["samples"] == len(server.samples)
    assert source["samples_per_s"] > 0
    assert len(source["tag_paths"]) == source["tags"]
    assert set(last["backlog"]) >= {"batches", "rows", "oldest_at", "bytes", "poisoned"}
    assert set(source) == {
        *("id", "protocol", "address", "state", "since", "error", "tags", "tag_paths"),
        *("samples_per_s", "last_sample_at", "counters"),
    }


async def test_a_stop_without_server_leaves_everything_for_the_next_start(
    tmp_path: Path, absent_server: IngestServer, device: CountingDevice
) -> None:
    server = absent_server
    config = load_edge_config(write_config(tmp_path, server, device))
    async with edge_task(config):
        await until(lambda: device.reads >= 50)
    left = await in_buffer(tmp_path)
    assert len(left) >= 49
    await server.start()
    async with edge_task(config):
        await until(lambda: len(server.samples) > len(left))
    assert server.samples[: len(left)] == left


async def test_a_killed_edge_delivers_all_that_its_buffer_acknowledged(
    tmp_path: Path, absent_server: IngestServer, device: CountingDevice
) -> None:
    server = absent_server
    config = write_config(tmp_path, server, device)
    kept: list[Sample] = []
    for is_delivering in (False, True, True):
        if is_delivering:
            await server.start()
        before = device.reads
        async with edge_process(config) as process:
            await until(lambda: device.reads >= before + 60)  # noqa: B023  # awaited within this round
            process.kill()
            await process.wait()
        kept += await in_buffer(tmp_path)
        if is_delivering:
            await server.stop()
    await server.start()
    before = device.reads
    async with edge_process(config) as process:
        await until(lambda: device.reads > before)
        await until(lambda: {sample.time for sample in kept} <= {sample.time for sample in server.samples})
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert len(kept) >= 50
    assert contradictions([*kept, *server.samples]) == []
    assert await in_buffer(tmp_path) == []
    good = {sample.value for sample in server.samples if sample.quality is Quality.GOOD}
    assert good >= {sample.value for sample in kept if sample.quality is Quality.GOOD}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_the_edge_after_delivery(
    tmp_path: Path, server: IngestServer, device: CountingDevice, sign: signal.Signals
) -> None:
    async with edge_process(write_config(tmp_path, server, device)) as process:
        await until(lambda: len(server.samples) >= 10)
        process.send_signal(sign)
        assert await process.wait() == 0
    assert await in_buffer(tmp_path) == []
    assert server.statuses[-1]["sources"][0]["state"] == "stopped"


async def test_an_edge_ends_with_its_parent(tmp_path: Path, server: IngestServer, device: CountingDevice) -> None:
    async with edge_process(write_config(tmp_path, server, device), "--with-parent", stdin=PIPE) as process:
        await until(lambda: len(server.samples) >= 10)
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("token", "text", "said"),
    [("", None, b"edge.token-missing: The environment variable"), ("secret", "sources: []", b"edge.bad-config: ")],
)
async def test_an_edge_that_cannot_start_says_why_and_ends_with_code_2(
    tmp_path: Path, server: IngestServer, device: CountingDevice, token: str, text: str | None, said: bytes
) -> None:
    config = write_config(tmp_path, server, device)
    if text is not None:
        config.write_text(text)
    async with edge_process(config, env={"ATHANOR_EDGE_TOKEN": token}, stderr=PIPE) as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.startswith(said)


async def test_a_device_that_never_answers_does_not_keep_the_others_waiting(
    tmp_path: Path, server: IngestServer, device: CountingDevice
) -> None:
    content = json.loads(write_config(tmp_path, server, device).read_text())
    dead = {"id": "dead", "protocol": "opcua", "url": f"opc.tcp://127.0.0.1:{free_port()}/"}
    content["sources"].append(dead | {"tags": {"a.dead": {"node": "i=2258"}}})
    config = EdgeConfig.model_validate(content | {"buffer": {"path": tmp_path / "buffer.sqlite"}})
    async with edge_task(config):
        await until(lambda: sum(sample.tag == "a.reads" for sample in server.samples) >= 20)
        await until(lambda: any(sample.tag == "a.dead" for sample in server.samples))
    assert {sample.quality for sample in server.samples if sample.tag == "a.dead"} == {Quality.BAD}
