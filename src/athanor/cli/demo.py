"""`athanor demo`: the platform and its living reference plant, in one folder."""

import asyncio
import json
import os
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from athanor import __version__
from athanor.child import Child
from athanor.cli.demo_sharing import share_power
from athanor.demo.clock import HISTORY_DAYS, Timeline, in_microseconds
from athanor.demo.history import write_history
from athanor.demo.model import DemoSettings, LivingPlant
from athanor.demo.plant_process import PLANT_FILE
from athanor.demo.state_file import load_state, save_state
from athanor.demo.wiring import Addresses, edge_config, wire
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.log import configure_logging
from athanor.kernel.sections import EdgeSettings, ServerSettings
from athanor.kernel.settings import Settings
from athanor.main import PortTakenError, address_of, listen, serve
from athanor.platform import Platform, open_platform

_MARK = ".athanor-demo"  # a folder with this file is the demo's own, and may be emptied
_USUAL_PORT = 8080
_WORTH_A_BAR_US = 6 * 3600 * 1_000_000  # a shorter gap is written before a bar could be read
_BLINK_US = 2_000_000


class NotADemoError(AthanorError):
    """A folder that holds something else."""

    code = "demo.not-a-demo"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds something else than a demo. Name an empty or a new folder with --data.")


class DemoRunningError(AthanorError):
    """A demo is running in the folder that should be emptied."""

    code = "demo.running"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"A demo is running in {folder}. Stop it first, or name another folder with --data.")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line chose."""

    folder: Path
    host: str = "127.0.0.1"
    port: int | None = None
    days: int = HISTORY_DAYS
    without: frozenset[str] = frozenset()
    mqtt: str | None = None

    @property
    def state_file(self) -> Path:
        return self.folder / "plant-state.json"

    @property
    def edge_file(self) -> Path:
        return self.folder / "edge.yaml"


async def run_demo(options: DemoOptions, console: Console, *, reset: bool = False) -> None:
    """Write what is missing of the history, then run plant, edge and server until told to stop.

    Raises NotADemoError, PortTakenError and the errors of the platform.
    """
    configure_logging("warning")
    console.print(
        f"Athanor {__version__}, the living reference plant. Data in {options.folder}", markup=False, soft_wrap=True
    )
    _prepare(options.folder, afresh=reset or not options.state_file.exists())
    settings, listening = _listen(options)
    with listening:
        async with open_platform(settings) as platform:
            password = await platform.identity.accounts.ensure_administrator()
            await _catch_up(platform, options, console)
            await share_power(platform)
            async with _plant(options) as plant:
                addresses = json.loads(await plant.ready())
                _write_edge_file(platform, options, addresses, address_of(listening))
                await serve(platform, listening, on_ready=lambda: _welcome(console, address_of(listening), password))
    console.print("Stopped. The next `athanor demo` goes on from here.")


def _prepare(folder: Path, *, afresh: bool) -> None:
    """An own folder; emptied where there is nothing to go on from, as after a first start that was cut short."""
    is_ours = (folder / _MARK).exists()
    if folder.exists() and not is_ours and any(folder.iterdir()):
        raise NotADemoError(folder)
    if afresh and is_ours:
        _check_idle(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()


def _check_idle(folder: Path) -> None:
    """Raises DemoRunningError where another process has the folder's historian open."""
    try:
        FolderClaim(folder / "hot").release()
    except OSError as error:
        raise DemoRunningError(folder) from error


def _listen(options: DemoOptions) -> tuple[Settings, socket.socket]:
    """The settings and the socket; the usual port, or a free one where that is taken and none was asked for."""

    def settings_for(port: int) -> Settings:
        return Settings(
            data_dir=options.folder,
            plant_file=PLANT_FILE,
            server=ServerSettings(host=options.host, port=port),
            edge=EdgeSettings(config=options.edge_file),
        )

    settings = settings_for(_USUAL_PORT if options.port is None else options.port)
    try:
        return settings, listen(settings)
    except PortTakenError:
        if options.port is not None:
            raise
        settings = settings_for(0)
        return settings, listen(settings)


async def _catch_up(platform: Platform, options: DemoOptions, console: Console) -> None:
    """Write into the historian what the plant did since its state was saved; all of it where there is none.

    Writing takes a while, in which the plant lives on: so once more, until what is missing is the blink of an eye.
    """
    model = platform.plant.model
    living = load_state(model, options.state_file)
    if living is None:
        timeline = Timeline.ending_at(datetime.now(UTC), options.days)
        living = LivingPlant(model, timeline, DemoSettings(without=options.without))
    is_long = _now_us() - living.at_us > _WORTH_A_BAR_US
    with _progress(console, is_shown=is_long) as progress:
        while _now_us() - living.at_us > _BLINK_US:
            await _write_until_now(platform, living, progress)
            save_state(living, options.state_file)
    platform.current.update(await platform.historian.latest())


async def _write_until_now(platform: Platform, living: LivingPlant, progress: Progress) -> None:
    task = progress.add_task("Writing history", total=None)

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    days = write_history(living, _now_us(), platform.plant.ids, show)
    while (day := await asyncio.to_thread(next, days, None)) is not None:
        await platform.historian.import_history(day)
    progress.update(task, visible=progress.tasks[0].id == task)


def _now_us() -> int:
    """The clock's whole second. [us]"""
    return in_microseconds(datetime.now(UTC)) // 1_000_000 * 1_000_000


def _progress(console: Console, *, is_shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"))
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not is_shown)


def _plant(options: DemoOptions) -> Child:
    arguments = ["--state", str(options.state_file), "--host", "127.0.0.1"]
    for name in ("opcua", "meters", "plc", "mqtt"):
        arguments += [f"--{name}-port", str(_free_port())]  # the same at a restart, so that the edge finds it again
    if options.mqtt is not None:
        arguments += ["--mqtt", options.mqtt]
    return Child("plant", "athanor.demo", arguments, os.environ)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _write_edge_file(platform: Platform, options: DemoOptions, ready: dict[str, object], server: str) -> None:
    addresses = Addresses(**{name: value for name, value in ready.items() if name not in ("ready", "pid")})  # type: ignore[arg-type]
    config = edge_config(wire(platform.plant.model), addresses, server)
    options.edge_file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _welcome(console: Console, address: str, password: str | None) -> None:
    console.print()
    console.print(f"  Open      {address}", markup=False)
    if password is None:
        console.print("  Sign in   admin, with the password that the first start showed")
    else:
        console.print(f"  Sign in   admin   {password}", markup=False)
        console.print(
            "            This password is shown once. `athanor demo --reset` makes a new demo with a new one."
        )
    console.print("  Stop      Ctrl-C\n")
