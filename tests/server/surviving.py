"""A server's work from sample to delivered message in a process that is killed at a chosen step.

All parts are the real ones, opened as `athanor serve` opens them; only its web is left out, so that hundreds of starts
take minutes. `STEPS` are the places at which a kill leaves something half done.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from athanor.kernel.alarms import keeping, storing
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.running import checkpoint
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.notify import outbox, routing
from athanor.kernel.notify.delivery import Deliverer
from athanor.kernel.notify.sending import Sender
from athanor.kernel.sections import AlarmSettings, HistorianSettings
from athanor.kernel.settings import Settings
from athanor.kernel.telemetry import decode
from athanor.main import start_alarms
from athanor.platform import Platform, open_platform

ANNA = User(1, "anna", "Anna", ("administrator",))
STEPS: dict[str, tuple[Any, str, bool]] = {  # where, and whether after it rather than before
    "samples are durable, nobody has heard": (TieredHistorian, "write", True),
    "samples are heard, not judged": (Judge, "take", False),
    "alarms are judged, not kept": (Judge, "take", True),
    "rows are locked, nothing is written": (storing, "lock", True),
    "rows are written, not committed": (storing, "write", True),
    "alarms are kept, nobody has heard": (keeping.Keeping, "tell", False),
    "the checkpoint is due": (checkpoint, "replace", False),
    "the checkpoint is written": (checkpoint, "replace", True),
    "messages are to be made": (routing, "route", False),
    "messages are made, not committed": (routing, "route", True),
    "messages are to be claimed": (outbox, "claim", False),
    "messages are claimed, not sent": (outbox, "claim", True),
    "a message is about to go out": (Sender, "send", False),
    "a message was accepted, not noted": (Sender, "send", True),
    "a message is noted, not committed": (outbox, "settle", True),
    "a message is done with": (Deliverer, "_keep", True),
}


def settings_of(folder: Path, database_url: str | None) -> Settings:
    """Of a server whose checkpoints come often and whose raises are never late."""
    more: dict[str, Any] = {} if database_url is None else {"database_url": database_url}
    return Settings(
        data_dir=folder / "data",
        plant_file=Path(__file__).with_name("plant.yaml"),
        alarms=AlarmSettings(late_after_s=86_400, checkpoint_every_s=0.2),
        historian=HistorianSettings(disk_reserve_mb=1, disk_low_mb=1, disk_warn_mb=1),
        **more,
    )


def live(folder: str, database_url: str | None, step: str | None, nth: int, take: Connection, say: Connection) -> None:
    """Take batches in and say after each that it is durable, until killed or told None; the work of a process."""
    if step is not None:
        _kill_at(*STEPS[step], nth)
    asyncio.run(_live(settings_of(Path(folder), database_url), take, say))


async def _live(settings: Settings, take: Connection, say: Connection) -> None:
    async with open_platform(settings) as platform:
        ingest = ingest_of(platform)
        start_alarms(platform)
        say.send("ready")
        while (body := await asyncio.to_thread(take.recv)) is not None:
            await ingest.take(decode(body), edge="edge-1")
            say.send("stored")
    say.send("ended")


def ingest_of(platform: Platform) -> Ingest:
    """The door for samples, as the server has it."""
    return Ingest(
        plant=lambda: platform.plant,
        historian=platform.historian,
        current=platform.current,
        bus=platform.bus,
        quarantine=platform.quarantine,
        max_ahead=timedelta(minutes=5),
        oldest=datetime.combine(platform.settings.ingest.oldest, time(), UTC),
        judge=platform.corrections.verdict,
    )


def _kill_at(owner: Any, name: str, is_after: bool, nth: int) -> None:
    """From here on this process ends at the n-th time that it comes to a step, without another word."""
    real: Callable[..., Any] = getattr(owner, name)
    left = nth

    def passes() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counts(found: object) -> bool:
        """Empty-handed looks are not worth a kill: a judge that found nothing, a claim that took nothing."""
        return not hasattr(found, "__len__") or len(cast("list[object]", found)) > 0

    async def later(*arguments: Any, **named: Any) -> Any:
        if not is_after:
            passes()
        found = await cast("Awaitable[Any]", real(*arguments, **named))
        if is_after and counts(found):
            passes()
        return found

    def now(*arguments: Any, **named: Any) -> Any:
        if not is_after:
            passes()
        found = real(*arguments, **named)
        if is_after and counts(found):
            passes()
        return found

    setattr(owner, name, later if asyncio.iscoroutinefunction(real) else now)
