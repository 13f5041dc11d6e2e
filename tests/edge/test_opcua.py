"""The OPC UA connector against asyncua's server."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
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


@pytest.mark.parametrize(("trigger", "times"), [("timestamp", [0, 1, 2]), ("value", [0, 2])])
async def test_a_confirmed_value_arrives_with_its_new_source_time_where_that_is_the_trigger(
    edge: Edge, trigger: str, times: list[int]
) -> None:
    port = free_port()
    async with plc(port) as server:
        edge.run(source(port, "temperature", trigger=trigger))
        await edge.hears("a.temperature")
        await server.write("temperature", 1200.0, at=NOON + timedelta(seconds=1))
        await server.write("temperature", 1201.0, at=NOON + timedelta(seconds=2))
        await edge.hears("a.temperature", lambda sample: sample.value == 1201.0)
        heard = [sample.time for sample in await edge.samples("a.temperature")]
    assert heard == [NOON + timedelta(seconds=second) for second in times]


def knows_no_filter_for(server: Server, nodes: Collection[ua.NodeId], reason: int) -> None:
    """Have the server refuse to monitor these nodes with a filter, as small controllers do for all of theirs."""
    service = server.iserver.subscription_service
    create = service.create_monitored_items

    async def create_monitored_items(params: ua.CreateMonitoredItemsParameters) -> list[ua.MonitoredItemCreateResult]:
        def is_refused(item: ua.MonitoredItemCreateRequest) -> bool:
            has_filter = isinstance(item.RequestedParameters.Filter, ua.MonitoringFilter)
            return has_filter and item.ItemToMonitor.NodeId in nodes

        refusal = ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(reason))
        taken = [item for item in params.ItemsToCreate if not is_refused(item)]
        results = iter(await create(replace(params, ItemsToCreate=taken)))
        return [refusal if is_refused(item) else next(results) for item in params.ItemsToCreate]

    service.create_monitored_items = create_monitored_items


@pytest.mark.parametrize(
    "reason", [ua.StatusCodes.BadMonitoredItemFilterUnsupported, ua.StatusCodes.BadFilterNotAllowed]
)
async def test_a_node_whose_filter_is_refused_is_read_without_it_and_that_is_said_once(edge: Edge, reason: int) -> None:
    port = free_port()
    async with plc(port) as server:
        knows_no_filter_for(server.server, {server.nodes["level"].nodeid, server.nodes["on"].nodeid}, reason)
        with structlog.testing.capture_logs() as logs:
            status = edge.run(source(port, "temperature", "level", "on"))
            for name, value in (("temperature", 1201.0), ("level", 4), ("on", False)):
                await edge.hears(f"a.{name}")
                await server.write(name, value)
                heard = await edge.hears(f"a.{name}", lambda sample: sample.value == float(value))  # noqa: B023
                assert heard.quality is Quality.GOOD
        assert status.state is SourceState.CONNECTED
    (said,) = [entry["reason"] for entry in logs if entry["event"] == "source.trouble"]
    assert said.startswith(f"The server reports only changes of 2 nodes ({ua.StatusCode(reason).name})")


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
