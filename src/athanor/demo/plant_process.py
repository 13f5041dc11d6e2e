"""The reference plant as a process of its own: catches up with the clock, then lives, served by real protocols.

Started with `python -m athanor.demo`. When all servers listen it writes one line of JSON with their addresses to its
standard output, and then nothing more. It saves its state and ends on SIGINT or SIGTERM, and when its standard input is
a pipe that closes, as it does when the process that started it dies.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from athanor.demo.clock import Timeline, in_microseconds
from athanor.demo.model import DemoSettings, LivingPlant
from athanor.demo.servers.broker import EmbeddedBroker
from athanor.demo.servers.json_topics import JsonServer
from athanor.demo.servers.modbus import ModbusServer
from athanor.demo.servers.opcua import OpcUaServer
from athanor.demo.servers.port import Instant, Server
from athanor.demo.servers.sparkplug import SparkplugServer
from athanor.demo.situations import NAMES
from athanor.demo.state_file import load_state, save_state
from athanor.demo.wiring import Addresses, Wiring, wire
from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.yaml_file import load_plant

log = logging.getLogger(__name__)

PLANT_FILE = Path(__file__).with_name("plant.yaml")
SAVE_EVERY_S = 30
_LATE_S = 120  # a process that slept longer goes through the gap in minutes


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How the process runs. Port 0 is one that the system chooses."""

    state: Path | None = None  # without it the plant starts now, with nothing before
    host: str = "127.0.0.1"
    opcua_port: int = 0
    meters_port: int = 0
    plc_port: int = 0
    mqtt_port: int = 0
    mqtt_url: str | None = None  # an external broker; the embedded one where None
    demo: DemoSettings = field(default_factory=DemoSettings)


def open_plant(settings: ProcessSettings, plant: Plant) -> LivingPlant:
    """The plant as its state file left it, or a new one whose history begins today. Raises BadDemoStateError."""
    living = load_state(plant, settings.state) if settings.state else None
    return living or LivingPlant(plant, Timeline.ending_at(datetime.now(UTC), days=0), settings.demo)


class PlantServers:
    """All servers of the wiring, started and stopped as one."""

    def __init__(self, plant: Plant, settings: ProcessSettings) -> None:
        wiring: Wiring = wire(plant)
        host = settings.host
        self._broker = None if settings.mqtt_url else EmbeddedBroker(host, settings.mqtt_port or free_port(host))
        mqtt_url = settings.mqtt_url or (self._broker.url if self._broker else "")
        meters_port, plc_port = settings.meters_port or free_port(host), settings.plc_port or free_port(host)
        opcua = OpcUaServer(plant, dict(wiring.opcua), host, settings.opcua_port or free_port(host))
        self.addresses = Addresses(opcua.url, host, meters_port, plc_port, mqtt_url)
        self._servers: list[Server] = [
            opcua,
            ModbusServer(plant, wiring.meters, host, meters_port),
            ModbusServer(plant, wiring.plc, host, plc_port),
            SparkplugServer(wiring.sparkplug, mqtt_url),
            JsonServer(plant, wiring.json, mqtt_url),
        ]
        self._running: list[Server] = []

    async def start(self, first: Instant) -> None:
        """Listen everywhere. Raises OSError where a port is taken."""
        if self._broker is not None:
            await self._broker.start()
        for server in self._servers:
            await server.start(first)
            self._running.append(server)

    async def show(self, instant: Instant) -> None:
        """Serve these values from now on."""
        for server in self._servers:
            await server.show(instant)

    async def stop(self) -> None:
        """Stop those that run, the broker last."""
        while self._running:
            await self._running.pop().stop()
        if self._broker is not None:
            await self._broker.stop()


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


async def live(living: LivingPlant, servers: PlantServers, stopped: asyncio.Event, state: Path | None) -> None:
    """Serve each second of the clock until `stopped`; values carry the second that they belong to."""
    columns = {path: at for at, path in enumerate(living.paths)}
    next_save_us = living.at_us + SAVE_EVERY_S * 1_000_000
    while not stopped.is_set():
        second_us = in_microseconds(datetime.now(UTC)) // 1_000_000 * 1_000_000
        for block in living.advance_all(second_us, fine_s=_LATE_S):
            first_row = max(0, len(block.time_us) - _LATE_S)
            for row in range(first_row, len(block.time_us)):
                await servers.show(Instant.of(block, columns, row))
        if state is not None and living.at_us >= next_save_us:
            save_state(living, state)
            next_save_us = living.at_us + SAVE_EVERY_S * 1_000_000
        until_next_s = (living.at_us + 1_000_000 - in_microseconds(datetime.now(UTC))) / 1e6
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), max(until_next_s, 0.005))


def catch_up(living: LivingPlant) -> Instant:
    """Bring the plant to the clock's second; what it shows there."""
    columns = {path: at for at, path in enumerate(living.paths)}
    now_us = in_microseconds(datetime.now(UTC)) // 1_000_000 * 1_000_000
    blocks = list(living.advance_all(max(now_us, living.at_us + 1_000_000), fine_s=_LATE_S))
    return Instant.of(blocks[-1], columns)


async def run(settings: ProcessSettings, stopped: asyncio.Event) -> None:
    """Catch up, serve, say where, live, save. Raises BadDemoStateError, OSError."""
    plant = load_plant(PLANT_FILE)
    living = open_plant(settings, plant)
    servers = PlantServers(plant, settings)
    try:
        await servers.start(catch_up(living))
        print(json.dumps({"ready": True, "pid": os.getpid(), **asdict(servers.addresses)}), flush=True)  # noqa: T201
        await live(living, servers, stopped, settings.state)
    finally:
        if settings.state is not None:
            save_state(living, settings.state)
        await servers.stop()


async def _until_told(stopped: asyncio.Event, *, watch_stdin: bool) -> None:
    """Set `stopped` on SIGINT, SIGTERM, and on the end of standard input."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if watch_stdin and _is_pipe(sys.stdin.fileno()):
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            while await reader.read(1024):
                continue
            stopped.set()
        finally:
            transport.close()


def _is_pipe(descriptor: int) -> bool:
    """Whether its end can tell of a parent's death; a terminal, a file or /dev/null cannot."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _main(settings: ProcessSettings, *, watch_stdin: bool) -> None:
    stopped = asyncio.Event()
    watch = asyncio.create_task(_until_told(stopped, watch_stdin=watch_stdin))
    try:
        await run(settings, stopped)
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


def settings_from(arguments: Sequence[str]) -> tuple[ProcessSettings, bool]:
    """Settings and whether to watch standard input, from the command line. Exits with its help on a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m athanor.demo", description="The living reference plant.")
    parser.add_argument("--state", type=Path, help="file that keeps the plant's state between runs")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    for name in ("opcua", "meters", "plc", "mqtt"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0: one that the system chooses")
    parser.add_argument("--mqtt", metavar="URL", help="an external broker, such as mqtt://broker:1883")
    parser.add_argument("--seed", type=int, default=DemoSettings().seed, help="of a new plant")
    parser.add_argument(
        "--without", action="append", default=[], choices=NAMES, help="a situation that a new plant leaves out"
    )
    parser.add_argument("--detached", action="store_true", help="live on when standard input closes")
    given = parser.parse_args(arguments)
    settings = ProcessSettings(
        given.state,
        given.host,
        given.opcua_port,
        given.meters_port,
        given.plc_port,
        given.mqtt_port,
        given.mqtt,
        DemoSettings(given.seed, frozenset(given.without)),
    )
    return settings, not given.detached


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; the process's exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncua.server").setLevel(logging.ERROR)  # it warns that we serve without certificates
    settings, watch_stdin = settings_from(sys.argv[1:] if arguments is None else arguments)
    try:
        asyncio.run(_main(settings, watch_stdin=watch_stdin))
    except (AthanorError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0
