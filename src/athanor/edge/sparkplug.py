"""Sparkplug B: a host application that listens to edge nodes, tells them that it is there, and asks for rebirths."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

import aiomqtt
from google.protobuf.message import DecodeError

from athanor.edge.clock import now_microseconds
from athanor.edge.config import SparkplugSource, SparkplugTag
from athanor.edge.mqtt import broker
from athanor.edge.source import Sink, SourceStatus
from athanor.edge.sparkplug_node import NAMESPACE, REBIRTH, DataType, EdgeNode, Reading, Stale, Topic
from athanor.kernel.errors import AthanorError
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

_TICK_S = 0.5


class NotSparkplugError(AthanorError):
    """A payload on a Sparkplug topic that is none."""

    code = "edge.not-sparkplug"

    def __init__(self, topic: str, reason: object) -> None:
        super().__init__(
            f"A payload on {topic} is no Sparkplug B ({reason}). Check which device publishes there and its version."
        )


class MetricRefusedError(AthanorError):
    """A metric of a type that no sample can hold."""

    code = "edge.metric-refused"

    def __init__(self, metric: str) -> None:
        super().__init__(
            f"Metric {metric} carries no number and no text that fits its declared type. Map a metric of a basic type, "
            "or correct the device."
        )


class MetricUnknownError(AthanorError):
    """A mapped metric that its edge node does not have."""

    code = "edge.metric-unknown"

    def __init__(self, metric: str) -> None:
        super().__init__(f"The birth of metric {metric} does not list it. Correct the tag's metric, or the device.")


class SparkplugConnector:
    """Host application of the edge nodes of some groups. Deaths and lost metrics make tags bad, never silent."""

    def __init__(self, config: SparkplugSource) -> None:
        self._config = config
        self._tags: dict[tuple[str, str, str, str], list[tuple[str, SparkplugTag]]] = defaultdict(list)
        for path, tag in config.tags.items():
            self._tags[parts_of(tag.metric)].append((path, tag))
        self._nodes: dict[tuple[str, str], EdgeNode] = {}

    async def run(self, sink: Sink, status: SourceStatus) -> None:
        """See `Connector`."""
        self._nodes = {}
        state_topic = f"{NAMESPACE}/STATE/{self._config.host_id}"
        timestamp = now_microseconds() // 1000  # the same in will and birth, so that nodes can tell sessions apart
        will = aiomqtt.Will(state_topic, _state(timestamp, is_online=False), qos=1, retain=True)
        async with broker(self._config, will) as client:
            try:
                await client.subscribe([(f"{NAMESPACE}/{group}/#", 1) for group in self._config.groups])
                await client.publish(state_topic, _state(timestamp, is_online=True), qos=1, retain=True)
                await self._ask_for_births(client, {(group, node) for group, node, _, _ in self._tags})
                status.connected()
                await self._listen(client, sink, status)
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError):  # then the broker publishes our will, which says the same
                    await client.publish(state_topic, _state(timestamp, is_online=False), qos=1, retain=True)
                raise

    async def _listen(self, client: aiomqtt.Client, sink: Sink, status: SourceStatus) -> None:
        ticking = asyncio.create_task(self._tick(client, sink, status))
        try:
            async for message in client.messages:
                self.take(str(message.topic), message.payload, sink, status, time.monotonic())
                await self._rebirths(client)
        finally:
            ticking.cancel()

    async def _tick(self, client: aiomqtt.Client, sink: Sink, status: SourceStatus) -> None:
        with suppress(aiomqtt.MqttError):  # the connection is gone, which `_listen` hears too
            while True:
                await asyncio.sleep(_TICK_S)
                self.tick(sink, status, time.monotonic())
                await self._rebirths(client)

    def take(self, topic: str, body: bytes, sink: Sink, status: SourceStatus, now_s: float) -> None:
        """Pass on what one message says."""
        place = Topic.parse(topic)
        if place is None or place.kind in ("NCMD", "DCMD"):
            return
        try:
            payload = Payload.FromString(body)
        except DecodeError as error:
            status.counters.undecodable += 1
            status.trouble(topic, NotSparkplugError(topic, error))
            return
        status.well(topic)
        node = self._nodes.setdefault((place.group, place.node), EdgeNode(self._config.reorder_timeout_s))
        self._tell(place.group, place.node, node.take(place, payload, now_microseconds(), now_s), sink, status)
        if place.kind in ("NBIRTH", "DBIRTH"):
            self._check_birth(place, node, sink, status)

    def _check_birth(self, place: Topic, node: EdgeNode, sink: Sink, status: SourceStatus) -> None:
        """Say which mapped metrics a birth does not list: nothing will ever come for them."""
        declared = node.declared(place.device)
        for (group, name, device, metric), tags in self._tags.items():
            if (group, name, device) == (place.group, place.node, place.device) and metric not in declared:
                for path, tag in tags:
                    status.trouble(path, MetricUnknownError(tag.metric))
                sink.add_lost(path for path, _ in tags)

    def tick(self, sink: Sink, status: SourceStatus, now_s: float) -> None:
        """Pass on what waited too long for a missing message."""
        for (group, name), node in self._nodes.items():
            self._tell(group, name, node.tick(now_s), sink, status)
        status.counters.gaps = sum(node.gaps for node in self._nodes.values())

    def _tell(self, group: str, node: str, news: Iterable[Reading | Stale], sink: Sink, status: SourceStatus) -> None:
        for item in news:
            if isinstance(item, Stale):
                self._lose(group, node, item, sink)
                continue
            for path, tag in self._tags.get((group, node, item.device, item.name), ()):
                if item.is_decodable:
                    status.well(path)
                else:
                    status.counters.undecodable += 1
                    status.trouble(path, MetricRefusedError(tag.metric))
                sink.add(path, item.time_us, item.value, item.quality, tag.unit, is_historical=item.is_historical)

    def _lose(self, group: str, node: str, stale: Stale, sink: Sink) -> None:
        lost = (
            path
            for (tag_group, tag_node, device, _), tags in self._tags.items()
            if (tag_group, tag_node) == (group, node) and stale.device in (None, device)
            for path, _ in tags
        )
        sink.add_lost(lost, stale.time_us)

    async def _rebirths(self, client: aiomqtt.Client) -> None:
        now_s = time.monotonic()
        await self._ask_for_births(
            client, [place for place, node in self._nodes.items() if node.asks_for_rebirth(now_s)]
        )

    async def _ask_for_births(self, client: aiomqtt.Client, nodes: Iterable[tuple[str, str]]) -> None:
        for group, node in nodes:
            await client.publish(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth_command(), qos=0, retain=False)


def parts_of(metric: str) -> tuple[str, str, str, str]:
    """Group, node, device (empty for the node's own) and name of a mapped metric.

    `group/node/name` and `group/node//name with/slashes` name a metric of the node itself.
    """
    group, node, *rest = metric.split("/", 3)
    return (group, node, "", rest[0]) if len(rest) == 1 else (group, node, rest[0], rest[1])


def rebirth_command() -> bytes:
    """The payload of an NCMD that asks an edge node for its births; commands carry no seq."""
    now_ms = now_microseconds() // 1000
    command = Payload(timestamp=now_ms)
    command.metrics.add(name=REBIRTH, timestamp=now_ms, datatype=DataType.BOOLEAN, boolean_value=True)
    return bytes(command.SerializeToString())


def _state(timestamp_ms: int, *, is_online: bool) -> bytes:
    return json.dumps({"online": is_online, "timestamp": timestamp_ms}).encode()
