"""The Modbus connector against pymodbus's server, and against devices that speak no Modbus at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from athanor.edge.config import ModbusSource
from athanor.edge.modbus_decode import NumberType, WordOrder, encode
from athanor.edge.source import SourceState
from athanor.kernel.telemetry import Quality

from .peers import Edge, ModbusAnswer, free_port, modbus_device, registers, until


def source(port: int, tags: dict[str, Any], **more: Any) -> ModbusSource:
    return ModbusSource.model_validate(
        {"id": "meters", "protocol": "modbus", "host": "127.0.0.1", "port": port, "period_s": 0.05, "timeout_s": 0.3}
        | {"tags": tags}
        | more
    )


def holding(register: int, **more: Any) -> dict[str, Any]:
    return {"table": "holding", "register": register, **more}


@asynccontextmanager
async def modbus_server(port: int, *, unit_id: int = 1) -> AsyncIterator[ModbusTcpServer]:
    """One device. Holding 0 to 9 and 20 to 29 exist, 10 to 19 do not; coil 3 is on."""
    power = encode(np.array([1234.5], np.float32), NumberType.FLOAT32, WordOrder.CDAB)[0].tolist()
    words = [
        SimData(0, values=[*power, 0xFFFD, 7, 7, 7, 7, 7, 7, 7], datatype=DataType.REGISTERS),
        SimData(20, values=[42] * 10, datatype=DataType.REGISTERS),
    ]
    bits = [SimData(0, values=[False, False, False, True] + [False] * 12, datatype=DataType.BITS)]
    device = SimDevice(unit_id, simdata=(bits, bits, words, words))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_values_arrive_scaled_with_their_unit(edge: Edge) -> None:
    tags = {
        "a.power": holding(0, type="float32", word_order="CDAB", scale=0.1, unit="kW"),
        "a.level": holding(2, type="int16"),
        "a.closed": {"table": "coil", "register": 3},
    }
    port = free_port()
    async with modbus_server(port):
        status = edge.run(source(port, tags))
        power = await edge.hears("a.power")
        level = await edge.hears("a.level")
        closed = await edge.hears("a.closed")
    assert power.value == pytest.approx(123.45)
    assert (power.unit, power.quality) == ("kW", Quality.GOOD)
    assert (level.value, closed.value) == (-3.0, 1.0)
    assert status.state is SourceState.CONNECTED


async def test_a_register_that_does_not_exist_spoils_only_its_own_tag(edge: Edge) -> None:
    tags = {f"a.t{register}": holding(register) for register in (3, 5, 9, 12, 20, 25)}
    port = free_port()
    async with modbus_server(port):
        status = edge.run(source(port, tags, max_gap=20))
        for register, value in ((3, 7.0), (5, 7.0), (9, 7.0), (20, 42.0), (25, 42.0)):
            heard = await edge.hears(f"a.t{register}", lambda sample: sample.quality is Quality.GOOD)
            assert heard.value == value
        await until(lambda: status.error is not None)
        lost = await edge.hears("a.t12")
    assert (lost.value, lost.quality) == (None, Quality.BAD)
    assert status.state is SourceState.CONNECTED
    assert status.error is not None
    assert "holding 12 to 12: exception 2 (illegal data address)" in status.error


async def test_a_device_that_is_restarted_is_read_again(edge: Edge) -> None:
    port = free_port()
    async with modbus_server(port):
        status = edge.run(source(port, {"a.t": holding(20)}))
        await edge.hears("a.t", lambda sample: sample.value == 42)
    await until(lambda: status.state is SourceState.FAILED)
    lost = await edge.hears("a.t", lambda sample: sample.quality is Quality.BAD)
    async with modbus_server(port):
        again = await edge.hears("a.t", lambda sample: sample.value == 42 and sample.time > lost.time)
    assert again.quality is Quality.GOOD
    assert status.counters.reconnects >= 1
    assert status.error is None


WRONG_ANSWERS: dict[str, ModbusAnswer] = {
    "exception": lambda request: [request[:4] + b"\0\3" + request[6:7] + bytes([request[7] | 0x80, 4])],
    "too few registers": lambda request: [registers(request, [1])],
    "another function": lambda request: [registers(request[:7] + b"\x04" + request[8:], [1, 2])],
    "another device": lambda request: [registers(request[:6] + b"\x63" + request[7:], [1, 2])],
    "another transaction": lambda request: [b"\x7f\x7f" + registers(request, [1, 2])[2:]],
    "rubbish": lambda _: [b"\xff" * 60],
    "half a frame": lambda request: [registers(request, [1, 2])[:-3]],
    "a length that lies": lambda request: [registers(request, [1, 2])[:8] + b"\xfa\0\1\0\2"],
    "nothing": lambda _: [],
    "an endless stream": lambda _: [b"\0" * 4096] * 16,
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
async def test_a_wrong_answer_makes_tags_bad_and_the_next_right_one_good(edge: Edge, answer: ModbusAnswer) -> None:
    is_wrong = True
    async with modbus_device(lambda request: answer(request) if is_wrong else [registers(request, [8, 9])]) as port:
        edge.run(source(port, {"a.one": holding(0), "a.two": holding(1)}))
        bad = await edge.hears("a.two")
        assert (bad.value, bad.quality) == (None, Quality.BAD)
        is_wrong = False
        good = await edge.hears("a.two", lambda sample: sample.quality is Quality.GOOD)
        assert good.value == 9.0


async def test_an_answer_in_pieces_is_put_together(edge: Edge) -> None:
    def in_pieces(request: bytes) -> list[bytes]:
        return [bytes([byte]) for byte in registers(request, [8, 9])]

    async with modbus_device(in_pieces) as port:
        edge.run(source(port, {"a.one": holding(0), "a.two": holding(1)}))
        assert (await edge.hears("a.two")).value == 9.0


async def test_a_float_that_is_no_number_is_bad(edge: Edge) -> None:
    async with modbus_device(lambda request: [registers(request, [0x7FC0, 0])]) as port:
        status = edge.run(source(port, {"a.t": holding(0, type="float32")}))
        heard = await edge.hears("a.t")
    assert (heard.value, heard.quality) == (None, Quality.BAD)
    assert status.counters.undecodable >= 1


async def test_nobody_at_the_address_is_said_with_the_cure(edge: Edge) -> None:
    port = free_port()
    status = edge.run(source(port, {"a.t": holding(0)}))
    await until(lambda: status.state is SourceState.FAILED)
    assert status.error is not None
    assert status.error.startswith(f"No answer from 127.0.0.1:{port}")
    assert (await edge.hears("a.t")).quality is Quality.BAD


async def test_periods_do_not_drift(edge: Edge) -> None:
    async with modbus_device(lambda request: [registers(request, [1])]) as port:
        status = edge.run(source(port, {"a.t": holding(0)}, period_s=0.05))
        await until(lambda: status.counters.samples > 20)
        samples = await edge.samples("a.t")
    elapsed_s = (samples[20].time - samples[0].time).total_seconds()
    missed = status.counters.gaps
    assert elapsed_s == pytest.approx(20 * 0.05, abs=0.05 * (missed + 1.5))
