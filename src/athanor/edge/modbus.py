"""Modbus TCP: polls a device's registers and bits in few large reads. Times are those of the answers' receipt."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from athanor.edge.clock import now_microseconds
from athanor.edge.config import ModbusSource
from athanor.edge.modbus_plan import Read, plan_reads
from athanor.edge.source import Sink, SourceStatus, SourceUnreachableError
from athanor.kernel.errors import AthanorError
from athanor.kernel.telemetry import Quality

_FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_ILLEGAL_ADDRESS = 2
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target gives no answer",
}


class ModbusReadError(AthanorError):
    """A device answered a read with an exception, with rubbish or not at all."""

    code = "edge.modbus-read"

    def __init__(self, read: Read, reason: object, exception_code: int | None = None) -> None:
        super().__init__(
            f"Device {read.unit_id}, {read.table} {read.start} to {read.start + read.count - 1}: {reason}. Check "
            "unit_id, table and register of its tags against the device's manual."
        )
        self.exception_code = exception_code


class ModbusConnector:
    """Polls one device or gateway; the tags of a read that fails get a bad sample without value at each period."""

    def __init__(self, config: ModbusSource) -> None:
        self._config = config

    async def run(self, sink: Sink, status: SourceStatus) -> None:
        """See `Connector`."""
        config = self._config
        client = AsyncModbusTcpClient(
            config.host, port=config.port, timeout=config.timeout_s, retries=0, reconnect_delay=0
        )
        try:
            if not await client.connect():
                raise SourceUnreachableError(config.address, "the connection is refused or times out")
            status.connected()
            await self._poll(client, sink, status)
        finally:
            client.close()

    async def _poll(self, client: AsyncModbusTcpClient, sink: Sink, status: SourceStatus) -> None:
        """Read everything once a period. Periods are counted from the first, so that none drifts."""
        loop = asyncio.get_running_loop()
        reads = plan_reads(self._config.tags, self._config.max_gap)
        due = loop.time()
        while True:
            reads = [part for read in reads for part in await self._pass_on(client, read, sink, status)]
            due += self._config.period_s
            missed = max(0, int((loop.time() - due) / self._config.period_s))
            status.counters.gaps += missed
            due += missed * self._config.period_s
            await asyncio.sleep(due - loop.time())

    async def _pass_on(
        self, client: AsyncModbusTcpClient, read: Read, sink: Sink, status: SourceStatus
    ) -> tuple[Read, ...]:
        """Read once and tell the sink. Returns the reads to do instead from now on.

        A device that knows no register in the middle of a read refuses all of it: such a read is halved, period by
        period, until only the tags that are wrong stay bad.
        """
        part = f"{read.unit_id}/{read.table}/{read.start}+{read.count}"
        try:
            values = read.values(await self._read(client, read))
        except ModbusReadError as error:
            _tell(sink, read, np.full(len(read.tags), np.nan))
            parts = read.halves() if error.exception_code == _ILLEGAL_ADDRESS else (read,)
            if len(parts) == 1:
                status.trouble(part, error)
            return parts
        status.well(part)
        status.counters.undecodable += int(np.count_nonzero(~np.isfinite(values)))
        _tell(sink, read, values)
        return (read,)

    async def _read(self, client: AsyncModbusTcpClient, read: Read) -> np.ndarray:
        """The words or bits of one read. Raises ModbusReadError; SourceUnreachableError when the connection is gone."""
        ask: dict[str, Callable[..., Awaitable[ModbusPDU]]] = {
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
        }
        try:
            answer = await ask[read.table](read.start, count=read.count, device_id=read.unit_id)
        except ConnectionException as error:
            raise SourceUnreachableError(self._config.address, error) from error
        except ModbusException as error:
            if not client.connected:
                raise SourceUnreachableError(self._config.address, error) from error
            raise ModbusReadError(read, error) from error
        return _words_of(answer, read)


def _words_of(answer: ModbusPDU, read: Read) -> np.ndarray:
    """What the device sent, checked: uint16 [count]. Raises ModbusReadError."""
    if isinstance(answer, ExceptionResponse):
        code = answer.exception_code
        raise ModbusReadError(read, f"exception {code} ({_EXCEPTIONS.get(code, 'unknown')})", code)
    if answer.function_code != _FUNCTIONS[read.table]:
        raise ModbusReadError(read, f"an answer to function {answer.function_code}, which nobody asked for")
    if read.table in ("coil", "discrete"):
        padded = -(-read.count // 8) * 8  # bits come in whole bytes
        if len(answer.bits) != padded:
            raise ModbusReadError(read, f"{len(answer.bits)} bits instead of {padded}")
        return np.array(answer.bits[: read.count], np.uint16)
    if len(answer.registers) != read.count:
        raise ModbusReadError(read, f"{len(answer.registers)} registers instead of {read.count}")
    return np.array(answer.registers, np.uint16)


def _tell(sink: Sink, read: Read, values: np.ndarray) -> None:
    """One sample a tag, bad and without value where there is no finite number."""
    now_us = now_microseconds()
    for (path, tag), value in zip(read.tags, values.tolist(), strict=True):
        if np.isfinite(value):
            sink.add(path, now_us, value, unit=tag.unit)
        else:
            sink.add(path, now_us, None, Quality.BAD)
