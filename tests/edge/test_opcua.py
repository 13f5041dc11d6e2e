"""The OPC UA connector against asyncua's server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import User, UserRole

from athanor.edge.config import OpcUaSource
from athanor.edge.opcua import plain_value, quality_of
from athanor.edge.source import SourceState
from athanor.kernel.telemetry import Quality

from .peers import Edge, free_port, until

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Plc:
    """An OPC UA server with a few variables."""

    server: Server
    nodes: dict[str, Node]

    async def write(self, name: str, value: Any, **more: Any) -> None:
        data = ua.DataValue(ua.Variant(value), SourceTimestamp=more.pop("at", datetime.now(UTC)), **more)
        await self.nodes[name].write_value(data)


class OneUser:
    """A user manager of asyncua: lets in the operator with the right password, and nobody else."""

    def get_user(self, *_: Any, username: str | None = None, password: str | None = None, **__: Any) -> User | None:
        return User(UserRole.User) if (username, password) == ("operator", "right") else None


@asynccontextmanager
async def plc(port: int, users: OneUser | None = None) -> AsyncIterator[Plc]:
    server = Server(user_manager=users)
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    space = await server.register_namespace("plant")
    starts = {"temperature": 1200.0, "level": 3, "on": True, "grade": "A", "curve": [1.0, 2.0]}
    nodes = {
        name: await server.nodes.objects.add_variable(ua.NodeId(name, space), name, value)
        for name, value in starts.items()
    }
    running = Plc(server, nodes)
    for name, value in starts.items():
        await running.write(name, value, at=NOON)
    await server.start()
    try:
        yield running
    finally:
        await server.stop()


def source(port: int, *names: str, **more: Any) -> OpcUaSource:
    return OpcUaSource.model_validate(
        {
            "id": "dcs",
            "protocol": "opcua",
            "url": f"opc.tcp://127.0.0.1:{port}/",
            "publishing_interval_s": 0.05,
            "tags": {f"a.{name}": {"node": f"ns=2;s={name}"} for name in names},
        }
        | more
    )


async def test_values_arrive_with_the_source_time(edge: Edge) -> None:
    port = free_port()
    async with plc(port) as server:
        status = edge.run(source(port, "temperature", "level", "on", "grade"))
        first = await edge.hears("a.temperature")
        assert (first.value, first.time, first.quality) == (1200.0, NOON, Quality.GOOD)
        for tag, value in (("a.level", 3.0), ("a.on", 1.0), ("a.grade", "A")):
            assert (await edge.hears(tag)).value == value
        later = NOON + timedelta(seconds=1)
        await server.write("temperature", 1210.5, at=later)
        assert (await edge.hears("a.temperature", lambda sample: sample.value == 1210.5)).time == later
    assert status.counters.samples >= 5


async def test_a_bad_status_arrives_as_bad_and_an_uncertain_one_keeps_its_value(edge: Edge) -> None:
    port = free_port()
    async with plc(port) as server:
        edge.run(source(port, "temperature", "level"))
        await edge.hears("a.temperature")
        await server.write("temperature", 99.0, StatusCode=ua.StatusCode(ua.StatusCodes.BadSensorFailure))
        await server.write("level", 5, StatusCode=ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue))
        bad = await edge.hears("a.temperature", lambda sample: sample.quality is Quality.BAD)
        uncertain = await edge.hears("a.level", lambda sample: sample.quality is Quality.UNCERTAIN)
    assert (bad.value, uncertain.value) == (None, 5.0)


async def test_a_node_that_is_missing_is_named_and_the_others_are_read(edge: Edge) -> None:
    port = free_port()
    async with plc(port):
        status = edge.run(source(port, "temperature", "tempratur"))
        assert (await edge.hears("a.temperature")).value == 1200.0
        missing = await edge.hears("a.tempratur")
        assert status.state is SourceState.CONNECTED
        assert status.error is not None
        assert "Node ns=2;s=tempratur cannot be read (BadNodeIdUnknown)" in status.error
    assert (missing.value, missing.quality) == (None, Quality.BAD)


async def test_an_array_is_bad_and_said(edge: Edge) -> None:
    port = free_port()
    async with plc(port):
        status = edge.run(source(port, "curve"))
        heard = await edge.hears("a.curve")
    assert (heard.value, heard.quality, status.counters.undecodable) == (None, Quality.BAD, 1)


async def test_a_restarted_server_is_subscribed_again(edge: Edge) -> None:
    port = free_port()
    async with plc(port):
        status = edge.run(source(port, "temperature", timeout_s=1.0))
        await edge.hears("a.temperature")
    await until(lambda: status.state is SourceState.FAILED)
    lost = await edge.hears("a.temperature", lambda sample: sample.quality is Quality.BAD)
    async with plc(port) as server:
        await until(lambda: status.state is SourceState.CONNECTED, within_s=30)
        again = await edge.hears("a.temperature", lambda sample: sample.time > lost.time)
        assert (again.value, again.quality) == (1200.0, Quality.GOOD), "unchanged since noon, and yet known again"
        await server.write("temperature", 1300.0)
        assert (await edge.hears("a.temperature", lambda sample: sample.value == 1300.0)).quality is Quality.GOOD
    assert status.counters.reconnects >= 1


async def test_a_device_clock_an_hour_ahead_is_counted_and_passed_on(edge: Edge) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    port = free_port()
    async with plc(port) as server:
        status = edge.run(source(port, "temperature"))
        await edge.hears("a.temperature")
        await server.write("temperature", 1.0, at=ahead)
        heard = await edge.hears("a.temperature", lambda sample: sample.value == 1.0)
    assert (heard.time, status.counters.clock_skew) == (ahead, 1)


async def test_a_server_that_does_not_let_us_in_is_said_as_such(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    config = source(port, "temperature", user="operator", password_env="PLC_PASSWORD")
    monkeypatch.setenv("PLC_PASSWORD", "wrong")
    async with plc(port, OneUser()):
        status = edge.run(config)
        await until(lambda: "refuses this edge" in (status.error or ""))
        monkeypatch.setenv("PLC_PASSWORD", "right")
        assert (await edge.hears("a.temperature", lambda sample: sample.quality is Quality.GOOD)).value == 1200.0


@pytest.mark.parametrize(
    ("code", "quality"),
    [(0x0000_0000, 0), (0x0096_0000, 0), (0x4090_0000, 1), (0x8000_0000, 2), (0x808C_0000, 2), (0xC000_0000, 2)],
)
def test_quality_is_the_severity_of_the_status_code(code: int, quality: int) -> None:
    assert quality_of(ua.StatusCode(code)) == quality


def test_a_time_and_a_translated_text_are_texts() -> None:
    assert plain_value(NOON) == "2026-06-01T12:00:00+00:00"
    assert plain_value(ua.LocalizedText("open")) == "open"
