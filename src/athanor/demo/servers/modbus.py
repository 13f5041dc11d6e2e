"""Meters and controllers: a Modbus TCP server with several devices behind it, each in its maker's own encoding."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial

import numpy as np
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from athanor.demo.servers.port import Instant
from athanor.demo.wiring import REGISTERS, ModbusAddress, Table, WordOrder
from athanor.kernel.plant.model import Plant
from athanor.kernel.units import conversion

_READS = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}  # function code to table
_BIT_TABLES = (Table.COIL, Table.DISCRETE)
_NUMPY = {"int16": ">i2", "uint16": ">u2", "int32": ">i4", "uint32": ">u4", "float32": ">f4", "float64": ">f8"}


def registers_of(number: float, type_: str, order: WordOrder) -> list[int]:
    """A number as the device's registers, held to the type's range.

    `order` is the place of the bytes of 32 bits; 64 bits are swapped likewise, and of 16 bits the bytes alone.
    """
    dtype = np.dtype(_NUMPY[type_])
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        number = min(max(round(number), bounds.min), bounds.max)
    words = np.array([number]).astype(dtype).view(np.uint8).reshape(-1, 2)
    if order in (WordOrder.CDAB, WordOrder.DCBA):
        words = words[::-1]
    if order in (WordOrder.BADC, WordOrder.DCBA):
        words = words[:, ::-1]
    return [int(high) << 8 | int(low) for high, low in words]


class _Device:
    """What one unit id holds: a list of registers or bits for each table."""

    def __init__(self) -> None:
        self.tables: dict[Table, list[int]] = {table: [0] for table in Table}

    def reserve(self, address: ModbusAddress) -> None:
        cells = self.tables[address.table]
        cells.extend([0] * (address.register + REGISTERS[address.type] - len(cells)))

    def sim_device(self, unit_id: int) -> SimDevice:
        """The device for pymodbus, whose every read is answered from the tables as they are then."""
        bits = [
            [SimData(0, values=[False] * _whole_words(self.tables[table]), datatype=DataType.BITS)]
            for table in _BIT_TABLES
        ]
        words = [
            [SimData(0, values=list(self.tables[table]), datatype=DataType.REGISTERS)]
            for table in (Table.HOLDING, Table.INPUT)
        ]
        return SimDevice(unit_id, simdata=(bits[0], bits[1], words[0], words[1]), action=partial(self._answer))

    async def _answer(
        self,
        function: int,
        _start: int,
        _address: int,
        _count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Refresh what pymodbus is about to send; nothing can be written."""
        table = _READS.get(function)
        if table is None or written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        cells = self.tables[table]
        registers[:] = _packed(cells) if table in _BIT_TABLES else cells
        return None


def _whole_words(bits: list[int]) -> int:
    """How many bits fill the 16-bit words that these need."""
    return -(-len(bits) // 16) * 16


def _packed(bits: list[int]) -> list[int]:
    """Bits in words of 16, the first bit lowest."""
    padded = np.zeros(_whole_words(bits), np.uint8)
    padded[: len(bits)] = bits
    packed: list[int] = np.packbits(padded, bitorder="little").view("<u2").tolist()
    return packed


class ModbusServer:
    """Serves tags in registers. A bad value stays as it last was: Modbus knows no quality."""

    def __init__(self, plant: Plant, tags: Mapping[str, ModbusAddress], host: str, port: int) -> None:
        self._tags = tags
        self._address = (host, port)
        self._devices: dict[int, _Device] = defaultdict(_Device)
        self._to_wire = {
            path: conversion(plant.tag(path).unit, address.unit or plant.tag(path).unit)
            for path, address in tags.items()
        }
        for address in tags.values():
            self._devices[address.unit_id].reserve(address)
        self._server: ModbusTcpServer | None = None

    async def start(self, first: Instant) -> None:
        """See `Server`."""
        self._write(first, list(self._tags))
        devices = [device.sim_device(unit_id) for unit_id, device in self._devices.items()]
        self._server = ModbusTcpServer(devices, address=self._address)
        await self._server.serve_forever(background=True)

    async def show(self, instant: Instant) -> None:
        """See `Server`."""
        self._write(instant, [path for path in self._tags if instant.is_due(path)])

    async def stop(self) -> None:
        """See `Server`."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]

    def _write(self, instant: Instant, paths: list[str]) -> None:
        for path in paths:
            value, address = instant.value(path), self._tags[path]
            if not isinstance(value, float):
                continue
            cells = self._devices[address.unit_id].tables[address.table]
            if address.table in _BIT_TABLES:
                cells[address.register] = int(value != 0)
                continue
            to_wire = self._to_wire[path]
            number = (value * to_wire.scale + to_wire.offset) / address.scale
            words = registers_of(number, address.type, address.word_order)
            cells[address.register : address.register + len(words)] = words
