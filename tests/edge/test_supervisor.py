"""What the supervisor makes of a connector with a fault of its own."""

import asyncio

import structlog

from athanor.edge.config import ModbusSource, Source
from athanor.edge.source import Connector, Sink, SourceState, SourceStatus
from athanor.edge.supervisor import connector_of
from athanor.kernel.telemetry import Quality

from .peers import Edge, modbus_device, registers, until


class Faulty:
    """A connector that stumbles over its own feet."""

    async def run(self, sink: Sink, status: SourceStatus) -> None:  # noqa: ARG002  # as `Connector` has it
        raise ZeroDivisionError("a fault that nobody foresaw")


def source(name: str, port: int) -> ModbusSource:
    """A device read fifty times a second."""
    return ModbusSource.model_validate(
        {
            "protocol": "modbus",
            "id": name,
            "host": "127.0.0.1",
            "port": port,
            "period_s": 0.02,
            "tags": {f"a.{name}": {"table": "holding", "register": 0}},
        }
    )


async def test_a_connector_with_a_fault_is_started_again_and_said_once_while_the_others_go_on(edge: Edge) -> None:
    starts = 0

    def connect(config: Source) -> Connector:
        nonlocal starts
        starts += 1
        return Faulty() if starts <= 3 else connector_of(config)

    async def without_waiting(_wait_s: float) -> None:
        await asyncio.sleep(0)

    async with modbus_device(lambda request: [registers(request, [42])]) as port:
        with structlog.testing.capture_logs() as logs:
            sound = edge.run(source("sound", port))
            await edge.hears("a.sound")
            faulty = edge.run(source("faulty", port), connect=connect, sleep=without_waiting)
            heard = await edge.hears("a.faulty", lambda sample: sample.quality is Quality.GOOD)
            so_far = sound.counters.samples
            await until(lambda: sound.counters.samples > so_far)
    assert (heard.value, faulty.state, faulty.error) == (42.0, SourceState.CONNECTED, None)
    assert (starts, faulty.counters.reconnects) == (4, 3)
    assert [entry["event"] for entry in logs if entry.get("source") == "faulty"] == [
        "source.connector-fault",
        "source.trouble",
        "source.recovered",
    ]
    lost = [sample for sample in await edge.samples("a.faulty") if sample.quality is Quality.BAD]
    assert len(lost) == 1
    assert (sound.counters.bad, sound.counters.reconnects) == (0, 0)
