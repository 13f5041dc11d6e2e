"""Stations, mast and gates: plain JSON on MQTT topics, in the shapes of several makers."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import orjson

from athanor.demo.servers.broker import end, host_and_port
from athanor.demo.servers.port import Instant
from athanor.demo.wiring import JsonAddress
from athanor.kernel.plant.model import Plant
from athanor.kernel.units import conversion

log = logging.getLogger(__name__)

_RETRY_S = 2.0


def _stamp(time_us: int, time_format: str) -> str | int | float:
    match time_format:
        case "epoch_ms":
            return time_us // 1000
        case "epoch_s":
            return time_us / 1e6
        case _:
            return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat().replace("+00:00", "Z")


def _put(content: dict[str, Any], place: str, value: Any) -> None:
    """Set what is at a dotted place, making the objects on the way."""
    *steps, last = place.split(".")
    for step in steps:
        content = content.setdefault(step, {})
    content[last] = value


class JsonServer:
    """Publishes a topic when one of its tags is due, with all its tags; the latest message of each is retained."""

    def __init__(self, plant: Plant, tags: Mapping[str, JsonAddress], url: str) -> None:
        self._host, self._port = host_and_port(url)
        self._topics: dict[str, dict[str, JsonAddress]] = {}
        for path, address in tags.items():
            self._topics.setdefault(address.topic, {})[path] = address
        self._to_wire = {
            path: conversion(plant.tag(path).unit, address.unit or plant.tag(path).unit)
            for path, address in tags.items()
        }
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._latest: Instant | None = None

    async def start(self, first: Instant) -> None:
        """See `Server`; connects in the background."""
        self._latest = first
        self._task = asyncio.create_task(self._keep_connected(), name="json topics")

    async def show(self, instant: Instant) -> None:
        """See `Server`."""
        self._latest = instant
        due = [topic for topic, tags in self._topics.items() if any(instant.is_due(path) for path in tags)]
        await self._publish(due, instant)

    async def stop(self) -> None:
        """See `Server`."""
        if self._task is not None:
            await end(self._task)

    async def _keep_connected(self) -> None:
        while True:
            try:
                async with aiomqtt.Client(self._host, self._port, identifier="demo-environment") as client:
                    self._client = client
                    if self._latest is not None:
                        await self._publish(list(self._topics), self._latest)
                    async for _ in client.messages:  # none is subscribed: this waits for the connection's end
                        continue
            except aiomqtt.MqttError as error:
                log.warning("The environment station lost its broker (%s); it connects again.", error)
            self._client = None
            await asyncio.sleep(_RETRY_S)

    async def _publish(self, topics: list[str], instant: Instant) -> None:
        client = self._client
        if client is None:
            return
        with suppress(aiomqtt.MqttError):  # `_keep_connected` notices the loss itself and connects again
            for topic in topics:
                await client.publish(topic, self._body(self._topics[topic], instant), qos=0, retain=True)

    def _body(self, tags: Mapping[str, JsonAddress], instant: Instant) -> bytes:
        content: dict[str, Any] = {}
        for path, address in tags.items():
            value, to_wire = instant.value(path), self._to_wire[path]
            if isinstance(value, float):
                value = float(f"{value * to_wire.scale + to_wire.offset:.9g}")
            _put(content, address.value, value)
            _put(content, address.time, _stamp(instant.time_us, address.time_format))
            if address.quality is not None:
                _put(content, address.quality, instant.quality_of(path).name.lower())
        return orjson.dumps(content)
