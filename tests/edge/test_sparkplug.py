"""The Sparkplug host against an edge node of ours on a real broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import pytest

from athanor.edge.clock import now_microseconds
from athanor.edge.config import SparkplugSource
from athanor.edge.source import SourceState, SourceStatus
from athanor.edge.sparkplug import parts_of
from athanor.edge.sparkplug_node import REBIRTH, DataType
from athanor.kernel.telemetry import Quality
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

from .peers import Edge, free_port, mqtt_broker, until

TAG = "fan.velocity"
METRIC = "jinluan/edge1/fan/Velocity/RMS"


def source(port: int, metric: str = METRIC) -> SparkplugSource:
    return SparkplugSource.model_validate(
        {
            "id": "vibration",
            "protocol": "sparkplug",
            "url": f"mqtt://127.0.0.1:{port}",
            "groups": ["jinluan"],
            "reorder_timeout_s": 0.2,
            "tags": {TAG: {"metric": metric, "unit": "mm/s"}},
        }
    )


@dataclass
class FanNode:
    """The edge node `edge1` with its device `fan`. Answers a rebirth command with its births."""

    client: aiomqtt.Client
    bd_seq: int = 0
    velocity: float = 2.0
    seq: int = 0
    rebirths: int = 0
    states: list[dict[str, Any]] = field(default_factory=list)
    is_listening: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self) -> None:
        await self.client.subscribe([("spBv1.0/jinluan/NCMD/edge1", 1), ("spBv1.0/STATE/athanor", 1)])
        self.is_listening.set()
        async for message in self.client.messages:
            if str(message.topic).startswith("spBv1.0/STATE"):
                self.states.append(json.loads(message.payload))
                continue
            command = Payload.FromString(message.payload)
            if command.metrics[0].name == REBIRTH and command.metrics[0].boolean_value:
                self.rebirths += 1
                await self.be_born()

    async def be_born(self) -> None:
        self.seq = 0
        await self._send("NBIRTH", "", {"name": "bdSeq", "datatype": DataType.INT64, "long_value": self.bd_seq})
        await self._send(
            "DBIRTH",
            "/fan",
            {"name": "Velocity/RMS", "alias": 1, "datatype": DataType.DOUBLE, "double_value": self.velocity},
        )

    async def say(self, velocity: float) -> None:
        self.velocity = velocity
        await self._send("DDATA", "/fan", {"alias": 1, "double_value": velocity})

    async def _send(self, kind: str, device: str, metric: dict[str, Any]) -> None:
        payload = Payload(timestamp=now_microseconds() // 1000, seq=self.seq)
        payload.metrics.add(**metric)
        self.seq = (self.seq + 1) % 256
        await self.client.publish(f"spBv1.0/jinluan/{kind}/edge1{device}", payload.SerializeToString(), qos=0)


def death_of(bd_seq: int) -> bytes:
    payload = Payload(timestamp=now_microseconds() // 1000)
    payload.metrics.add(name="bdSeq", datatype=DataType.INT64, long_value=bd_seq)
    return bytes(payload.SerializeToString())


@asynccontextmanager
async def fan_node(port: int) -> AsyncIterator[FanNode]:
    async with aiomqtt.Client("127.0.0.1", port, identifier="edge1") as client:
        node = FanNode(client)
        living = asyncio.create_task(node.live())
        await node.is_listening.wait()
        try:
            yield node
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


async def connected(edge: Edge, config: SparkplugSource) -> SourceStatus:
    status = edge.run(config)
    await until(lambda: status.state is SourceState.CONNECTED)
    return status


async def test_the_host_says_that_it_is_there_and_asks_for_births(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port), fan_node(port) as node:
        await connected(edge, source(port))
        born = await edge.hears(TAG, lambda sample: sample.quality is Quality.GOOD)
        await until(lambda: bool(node.states))
        await edge.close()
        await until(lambda: len(node.states) > 1)
    assert (born.value, born.unit, node.rebirths) == (2.0, "mm/s", 1)
    assert [state["online"] for state in node.states[-2:]] == [True, False]
    assert node.states[-1]["timestamp"] == node.states[-2]["timestamp"]


async def test_a_lost_message_is_counted_and_a_rebirth_requested(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port), fan_node(port) as node:
        status = await connected(edge, source(port))
        await edge.hears(TAG, lambda sample: sample.quality is Quality.GOOD)
        node.seq += 3
        await node.say(5.0)
        assert (await edge.hears(TAG, lambda sample: sample.value == 5.0)).quality is Quality.GOOD
        await until(lambda: node.rebirths == 2)
        await until(lambda: status.counters.gaps == 3)


async def test_a_node_that_dies_makes_its_tags_bad_until_it_is_born_again(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port), fan_node(port) as node:
        await connected(edge, source(port))
        born = await edge.hears(TAG, lambda sample: sample.quality is Quality.GOOD)
        await node.client.publish("spBv1.0/jinluan/NDEATH/edge1", death_of(bd_seq=9), qos=1)
        await node.say(3.0)
        await edge.hears(TAG, lambda sample: sample.value == 3.0)
        assert [sample for sample in await edge.samples(TAG) if sample.quality is Quality.BAD] == []
        await node.client.publish("spBv1.0/jinluan/NDEATH/edge1", death_of(bd_seq=0), qos=1)
        dead = await edge.hears(TAG, lambda sample: sample.quality is Quality.BAD)
        await node.be_born()
        again = await edge.hears(TAG, lambda sample: sample.quality is Quality.GOOD and sample.time > dead.time)
    assert (dead.value, again.value) == (None, 3.0)
    assert dead.time > born.time


@pytest.mark.parametrize("body", [b"\x12", b"rubbish, no protobuf", b"\x12\x05\x0a\xff"])
async def test_a_payload_that_is_no_sparkplug_is_counted_and_said(edge: Edge, body: bytes) -> None:
    port = free_port()
    async with mqtt_broker(port), fan_node(port) as node:
        status = await connected(edge, source(port))
        await edge.hears(TAG)
        await node.client.publish("spBv1.0/jinluan/DDATA/edge1/fan", body)
        await until(lambda: status.counters.undecodable == 1)
        assert status.error is not None
        assert "is no Sparkplug B" in status.error
        await node.say(4.0)
        await edge.hears(TAG, lambda sample: sample.value == 4.0)
        assert status.error is None


async def test_a_metric_that_no_birth_lists_is_named(edge: Edge) -> None:
    port = free_port()
    async with mqtt_broker(port), fan_node(port):
        status = await connected(edge, source(port, "jinluan/edge1/fan/Velocity/Peak"))
        await until(lambda: status.error is not None)
        assert status.error is not None
        assert "jinluan/edge1/fan/Velocity/Peak" in status.error
        assert (await edge.hears(TAG)).quality is Quality.BAD


def test_a_metric_is_of_a_device_or_of_the_node_itself() -> None:
    assert parts_of("g/n/fan/Velocity/RMS") == ("g", "n", "fan", "Velocity/RMS")
    assert parts_of("g/n//Node Info/Make") == ("g", "n", "", "Node Info/Make")
    assert parts_of("g/n/Uptime") == ("g", "n", "", "Uptime")
