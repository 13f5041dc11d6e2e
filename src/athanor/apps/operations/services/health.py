"""How every part of the house is right now."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import psutil
from sqlalchemy import text

from athanor import __version__
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.historian.disk import Disk, DiskState
from athanor.kernel.ingest.sources import EdgeState, SourceStates
from athanor.kernel.jobs.port import JobState
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.whose import shown
from athanor.kernel.storage.service import Storage
from athanor.kernel.storage.state import StorageState
from athanor.kernel.transport import BadCertificateError, Transport

LATELY = timedelta(days=1)
_RENEW_WITHIN = timedelta(days=30)
_ANSWER_WITHIN_S = 5.0
_SLOW_S = 0.5
_LITTLE_MEMORY = 0.1  # of the machine's
_BUS_BEHIND = 500  # events; a listener's queue holds 1000


class Level(StrEnum):
    """How a part is; the worst last."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Health:
    """All parts, as measured at one moment."""

    at: datetime
    version: str
    server: str
    started_at: datetime
    memory_bytes: int  # of this process
    memory_free: float  # part of the machine's, 0 to 1
    cpu: float  # of this process since it was asked last, 1 for one core
    database: str  # which engine
    database_s: float | None  # how long it took to answer; None: it did not
    storage: StorageState | None  # None: it did not answer
    certificate_ends_at: datetime | None  # the server's own
    has_bad_certificate: bool
    is_in_the_clear: bool  # passwords and samples cross a network unencrypted
    edges: tuple[EdgeState, ...]
    bus_waiting: int
    jobs: dict[JobState, int]  # those that wait, run, or ended LATELY

    @property
    def database_level(self) -> Level:
        if self.database_s is None:
            return Level.BAD
        return Level.WARN if self.database_s > _SLOW_S else Level.GOOD

    @property
    def historian_level(self) -> Level:
        if self.storage is None:
            return Level.BAD
        return Level.WARN if any(note.reason is not None for note in self.storage.work.values()) else Level.GOOD

    @property
    def worst_disk(self) -> Disk | None:
        return None if self.storage is None else max(self.storage.disks, key=lambda disk: disk.state)

    @property
    def disk_level(self) -> Level:
        disk = self.worst_disk
        if disk is None:
            return Level.BAD
        return {DiskState.ENOUGH: Level.GOOD, DiskState.WARN: Level.WARN}.get(disk.state, Level.BAD)

    @property
    def memory_level(self) -> Level:
        return Level.WARN if self.memory_free < _LITTLE_MEMORY else Level.GOOD

    @property
    def transport_level(self) -> Level:
        if self.has_bad_certificate or (self.certificate_ends_at is not None and self.certificate_ends_at <= self.at):
            return Level.BAD
        ends_soon = self.certificate_ends_at is not None and self.certificate_ends_at - self.at < _RENEW_WITHIN
        return Level.WARN if ends_soon or self.is_in_the_clear else Level.GOOD

    @property
    def bus_level(self) -> Level:
        return Level.WARN if self.bus_waiting > _BUS_BEHIND else Level.GOOD

    @property
    def failed_jobs(self) -> int:
        return self.jobs.get(JobState.FAILED, 0) + self.jobs.get(JobState.INTERRUPTED, 0)

    @property
    def edges_level(self) -> Level:
        return Level.WARN if any(edge.is_silent(self.at) for edge in self.edges) else Level.GOOD

    @property
    def worst(self) -> Level:
        order = list(Level)
        levels = (
            self.database_level, self.historian_level, self.disk_level, self.memory_level, self.bus_level,
            self.edges_level, self.transport_level, Level.WARN if self.failed_jobs else Level.GOOD,
        )  # fmt: skip
        return max(levels, key=order.index)


async def measure(
    db: Database, storage: Storage, sources: SourceStates, bus: Bus, runs: JobRuns, transport: Transport
) -> Health:
    """How everything is. A part that does not answer in time is told as such, and holds up no other."""
    process = psutil.Process()
    memory = psutil.virtual_memory()
    answered_s, held, jobs = await asyncio.gather(_ping(db), _storage(storage), _jobs(runs))
    ends_at, is_bad = await asyncio.to_thread(_certificate, transport)
    return Health(
        at=datetime.now(UTC),
        version=__version__,
        server=shown(runs.server),
        started_at=datetime.fromtimestamp(process.create_time(), UTC),
        memory_bytes=process.memory_info().rss,
        memory_free=memory.available / memory.total,
        cpu=process.cpu_percent() / 100,
        database="PostgreSQL" if db.url.get_backend_name() == "postgresql" else "SQLite",
        database_s=answered_s,
        storage=held,
        certificate_ends_at=ends_at,
        has_bad_certificate=is_bad,
        is_in_the_clear=transport.is_in_the_clear,
        edges=tuple(sources.edges()),
        bus_waiting=bus.waiting(),
        jobs=jobs,
    )


def _certificate(transport: Transport) -> tuple[datetime | None, bool]:
    try:
        return transport.certificate_ends_at(), False
    except BadCertificateError:
        return None, True


async def _ping(db: Database) -> float | None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S), db.reading() as session:
            await session.execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001 whatever it failed with, it does not answer: that is what is told
        return None
    return time.monotonic() - began


async def _storage(storage: Storage) -> StorageState | None:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            return await storage.state()
    except Exception:  # noqa: BLE001 as above
        return None


async def _jobs(runs: JobRuns) -> dict[JobState, int]:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            return await runs.counted(LATELY)
    except Exception:  # noqa: BLE001 as above
        return {}
