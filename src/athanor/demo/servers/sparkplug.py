"""Vibration sensors: Sparkplug B edge nodes, one a site, each with its sensors as devices."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count

import aiomqtt

from athanor.demo.servers.broker import end, host_and_port
from athanor.demo.servers.port import Instant
from athanor.demo.wiring import SPARKPLUG_GROUP, SparkplugAddress
from athanor.kernel.telemetry import Quality
from athanor.kernel.wire.sparkplug_b_pb2 import Payload

log = logging.getLogger(__name__)

INT32, INT64, DOUBLE, BOOLEAN = 3, 4, 10, 11  # Sparkplug data types
REBIRTH = "Node Control/Rebirth"
_DA_QUALITY = {Quality.GOOD: 192, Quality.UNCERTAIN: 64, Quality.BAD: 0}  # the `Quality` property
_RETRY_S = 2.0
_PATIENCE_S = 5.0  # longest wait for one answer of the broker


class SparkplugNode:
    """One edge node. Births name every metric with an alias; data messages carry the alias alone."""

    def __init__(self, name: str, tags: Mapping[str, SparkplugAddress], url: str) -> None:
        self._name = name
        self._host, self._port = host_and_port(url)
        self._alias = {path: number for number, path in enumerate(tags, 1)}
        self._devices: dict[str, dict[str, SparkplugAddress]] = {}
        for path, address in tags.items():
            self._devices.setdefault(address.device, {})[path] = address
        self._sessions = count()
        self._bd_seq = 0
        self._seq = 0
        self._client: aiomqtt.Client | None = None
        self._connected = asyncio.Event()
        self._in_order = asyncio.Lock()  # no data message between a node's birth and its devices'
        self._latest: Instant | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, first: Instant) -> None:
        """Connect in the background and be born with these values."""
        self._latest = first
        self._task = asyncio.create_task(self._keep_connected(), name=f"sparkplug {self._name}")

    async def show(self, instant: Instant) -> None:
        """Publish the devices' due metrics."""
        self._latest = instant
        if not self._connected.is_set():
            return
        async with self._in_order:
            for device, tags in self._devices.items():
                due = [path for path in tags if instant.is_due(path)]
                if due:
                    await self._publish("DDATA", device, self._metrics(due, instant, born=True))

    async def stop(self) -> None:
        """Say NDEATH and disconnect."""
        if self._connected.is_set():
            await self._send(self._topic("NDEATH"), self._death(), qos=1)
        if self._task is not None:
            await end(self._task)

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._session()
            except aiomqtt.MqttError as error:
                log.warning("Sparkplug node %s lost its broker (%s); it connects again.", self._name, error)
            self._connected.clear()
            await asyncio.sleep(_RETRY_S)

    async def _session(self) -> None:
        """From connect to disconnect: will, subscription, births, then commands."""
        self._bd_seq = next(self._sessions) % 256
        will = aiomqtt.Will(self._topic("NDEATH"), self._death().SerializeToString(), qos=1)
        async with aiomqtt.Client(
            self._host, self._port, will=will, identifier=f"demo-{self._name}", timeout=_PATIENCE_S
        ) as client:
            self._client = client
            await client.subscribe(self._topic("NCMD"), qos=1)
            await self._be_born()
            self._connected.set()
            async for message in client.messages:
                if isinstance(message.payload, bytes) and _asks_rebirth(message.payload):
                    await self._be_born()

    async def _be_born(self) -> None:
        latest = self._latest
        if latest is None:
            return
        async with self._in_order:
            self._seq = 0
            birth = Payload(timestamp=latest.time_us // 1000)
            birth.metrics.add(name="bdSeq", datatype=INT64, timestamp=birth.timestamp, long_value=self._bd_seq)
            birth.metrics.add(name=REBIRTH, datatype=BOOLEAN, timestamp=birth.timestamp, boolean_value=False)
            await self._publish("NBIRTH", None, birth)
            for device, tags in self._devices.items():
                await self._publish("DBIRTH", device, self._metrics(list(tags), latest, born=False))

    def _metrics(self, paths: list[str], instant: Instant, *, born: bool) -> Payload:
        """A payload of these tags; with names where the device is not born yet."""
        payload = Payload(timestamp=instant.time_us // 1000)
        for path in paths:
            metric = payload.metrics.add(alias=self._alias[path], timestamp=instant.time_us // 1000, datatype=DOUBLE)
            if not born:
                metric.name = path.rpartition(".")[2]
            value, quality = instant.value(path), instant.quality_of(path)
            if isinstance(value, float):
                metric.double_value = value
            else:
                metric.is_null = True
            if quality is not Quality.GOOD:
                metric.properties.keys.append("Quality")
                metric.properties.values.add(type=INT32, int_value=_DA_QUALITY[quality])
        return payload

    def _death(self) -> Payload:
        death = Payload()
        death.metrics.add(name="bdSeq", datatype=INT64, long_value=self._bd_seq)
        return death

    async def _publish(self, kind: str, device: str | None, payload: Payload) -> None:
        payload.seq = self._seq
        self._seq = (self._seq + 1) % 256
        await self._send(self._topic(kind, device), payload, qos=0)

    async def _send(self, topic: str, payload: Payload, qos: int) -> None:
        if self._client is None:
            return
        with suppress(aiomqtt.MqttError):  # the session notices the loss itself and connects again
            await self._client.publish(topic, payload.SerializeToString(), qos=qos)

    def _topic(self, kind: str, device: str | None = None) -> str:
        return "/".join(["spBv1.0", SPARKPLUG_GROUP, kind, self._name, *([device] if device else [])])


def _asks_rebirth(body: bytes) -> bool:
    command = Payload.FromString(body)
    return any(metric.name == REBIRTH and metric.boolean_value for metric in command.metrics)


class SparkplugServer:
    """All edge nodes of the wiring."""

    def __init__(self, tags: Mapping[str, SparkplugAddress], url: str) -> None:
        self._nodes = [SparkplugNode(name, dict(_of_node(tags, name)), url) for name in _node_names(tags)]

    async def start(self, first: Instant) -> None:
        """See `Server`."""
        for node in self._nodes:
            await node.start(first)

    async def show(self, instant: Instant) -> None:
        """See `Server`."""
        for node in self._nodes:
            await node.show(instant)

    async def stop(self) -> None:
        """See `Server`."""
        await asyncio.gather(*(node.stop() for node in self._nodes))


def _node_names(tags: Mapping[str, SparkplugAddress]) -> list[str]:
    return sorted({address.node for address in tags.values()})


def _of_node(tags: Mapping[str, SparkplugAddress], name: str) -> Iterator[tuple[str, SparkplugAddress]]:
    return ((path, address) for path, address in tags.items() if address.node == name)
