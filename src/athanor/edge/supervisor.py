"""Keeps a source's connector running: whatever ends it, it is started again, ever more patiently."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from athanor.edge.collector import Collector
from athanor.edge.config import ModbusSource, MqttSource, OpcUaSource, Source, SparkplugSource
from athanor.edge.modbus import ModbusConnector
from athanor.edge.mqtt_json import MqttJsonConnector
from athanor.edge.opcua import OpcUaConnector
from athanor.edge.sink import SourceSink
from athanor.edge.source import Connector, SourceState, SourceStatus
from athanor.edge.sparkplug import SparkplugConnector
from athanor.edge.uplink import back_off_s
from athanor.kernel.errors import AthanorError

log = structlog.get_logger(__name__)

_LONGEST_WAIT_S = 30.0
_WELL_AFTER_S = 60.0  # a connection that held this long ends a row of failures


def connector_of(config: Source) -> Connector:
    """The connector for a source. A new protocol has its configuration in `Source` and its line here."""
    match config:
        case OpcUaSource():
            return OpcUaConnector(config)
        case ModbusSource():
            return ModbusConnector(config)
        case SparkplugSource():
            return SparkplugConnector(config)
        case MqttSource():
            return MqttJsonConnector(config)


class SupervisedSource:
    """One source of the edge with its connector and its health."""

    def __init__(
        self,
        config: Source,
        collector: Collector,
        connect: Callable[[Source], Connector] = connector_of,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._connect = connect
        self._sleep = sleep
        self.status = SourceStatus(config.id, config.protocol, config.address, len(config.tags), tuple(config.tags))
        self._sink = SourceSink(collector, self.status)

    async def run(self) -> None:
        """Read the source until cancelled."""
        failures = 0
        try:
            while True:
                started_at = asyncio.get_running_loop().time()
                reason = await self._run_once()
                lasted_s = asyncio.get_running_loop().time() - started_at
                failures = 1 if lasted_s > _WELL_AFTER_S else failures + 1
                self.status.counters.reconnects += 1
                self._fail(reason)
                await self._sleep(back_off_s(failures, _LONGEST_WAIT_S))
        finally:
            self.status.stopped()

    async def _run_once(self) -> BaseException | str:
        """Run a new connector until it ends. Returns what ended it."""
        try:
            await self._connect(self._config).run(self._sink, self.status)
        except Exception as error:  # a fault in one connector must not end the others
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error  # it was told to stop, and stumbled on the way out
            if not isinstance(error, AthanorError) and self.status.state is not SourceState.FAILED:
                log.exception("source.connector-fault", source=self.status.id)
            return error
        return "the connector ended by itself"

    def _fail(self, reason: object) -> None:
        """Say that the source is lost; its tags become bad once, not at every attempt."""
        if self.status.state is not SourceState.FAILED:
            self._sink.add_lost(self._config.tags)
        self.status.failed(reason)
