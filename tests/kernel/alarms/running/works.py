"""A works whose alarms are judged by the real parts: historian, database, bus, ingest; only the clock is the test's."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from sqlalchemy import select

from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.alarms.rule import Limit, Rule, Side, Stale, Subject
from athanor.kernel.alarms.rulebook import NEW
from athanor.kernel.alarms.running.runner import Parts, Runner
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import AlarmRow, EventRow, OccurrenceRow
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import BATCH_TOPIC, Event
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.historian.disk import DiskState
from athanor.kernel.historian.port import STORED, moment
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.ingest.sources import EdgeReport, SourceStates
from athanor.kernel.plant.model import Level, Node, Plant, Tag, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import store_plant
from athanor.kernel.sections import AlarmSettings
from athanor.kernel.telemetry import Sample, batch_of

NAME = {"en": "Test", "zh_CN": "测试"}
POWER, HEAT = "works.power", "works.heat"
START = datetime(2026, 11, 21, 8, tzinfo=UTC)
ANNA = User(1, "anna", "Anna", ("administrator",))
EDGE = "edge-1"


def model(*paths: str) -> Plant:
    """A plant of these tags."""
    tags = tuple(Tag(path, NAME, "kW") for path in paths)
    works = Node("works", Level.SITE, NAME, "copper", tags=tags)
    return Plant("park", NAME, "UTC", {"copper": Tenant("copper", NAME)}, {"works": works})


def high(path: str = POWER, *, at: float = 100, deadband: float = 2, on_s: float = 0, off_s: float = 0) -> Rule:
    """A high limit."""
    condition = Limit(side=Side.HIGH, at=at, deadband=deadband)
    return Rule(name=NAME, subject=Subject(tag=path), condition=condition, on_delay_s=on_s, off_delay_s=off_s)


def stale(path: str = POWER, *, after_s: float) -> Rule:
    """No sample for so long."""
    return Rule(name=NAME, subject=Subject(tag=path), condition=Stale(after_s=after_s), on_delay_s=0, off_delay_s=0)


class Works:
    """One server's parts. `stop` and `start` again for a restart; `crash` keeps nothing of what was going on."""

    def __init__(self, folder: Path, database: Database, *, settings: AlarmSettings | None = None) -> None:
        self.folder = folder
        self.database = database
        self.settings = settings or AlarmSettings(checkpoint_every_s=0.1)
        self.now_us = round(START.timestamp() * 1e6)
        self.steady_s = 1000.0
        self.plant = RunningPlant(model(), 0, {})
        self.historian = TieredHistorian(folder / "hot", folder / "lake", reserve_mb=0)
        self.current = CurrentValues()
        self.quarantine = Quarantine(folder / "quarantine.sqlite")
        self.disk = DiskState.ENOUGH
        self.open()

    def open(self) -> None:
        """All that a restart begins anew."""
        self.bus = MemoryBus()
        self.sources = SourceStates()
        self.alarms = Alarms(self.database, self.bus, lambda: self.plant, self.now)
        self.ingest = Ingest(
            plant=lambda: self.plant,
            historian=self.historian,
            current=self.current,
            bus=self.bus,
            quarantine=self.quarantine,
            max_ahead=timedelta(minutes=5),
            oldest=datetime(1990, 1, 1, tzinfo=UTC),
            now=self.now,
        )
        parts = Parts(
            self.alarms, self.database, self.historian, self.bus, self.sources, lambda: self.plant, self.disk_state
        )
        self.runner = Runner(parts, self.folder / "alarms", self.settings, now=self.now, steady_s=lambda: self.steady_s)
        self.runner.listen()

    async def has_begun(self) -> None:
        """It judged before, with no edge: nobody is waited for."""
        await self.step()
        await self.stop()
        self.open()

    def now(self) -> datetime:
        return moment(self.now_us)

    def passes(self, seconds: float) -> None:
        """Time passes, on every clock."""
        self.now_us += round(seconds * 1e6)
        self.steady_s += seconds

    async def has(self, *paths: str) -> None:
        """The plant has these tags from now on."""
        async with self.database.session() as session:
            self.plant = await store_plant(session, model(*paths))

    async def rule(self, key: str, rule: Rule) -> None:
        """A rule holds from now on, or is another one."""
        every = {one.key: one for one in await self.alarms.rules.all(ANNA)}
        revision = every[key].revision if key in every else NEW
        await self.alarms.rules.save(ANNA, key, rule, revision=revision, reason="test", tenant="copper")

    async def send(self, *samples: tuple[str, float, float]) -> None:
        """Samples come in: tag, seconds after START, value. They wait for the runner then."""
        batch = batch_of(Sample(path, START + timedelta(seconds=at), value) for path, at, value in samples)
        await self.ingest.take(batch, edge=EDGE)

    async def stored(self, *samples: tuple[str, float, float]) -> Event:
        """Samples are durable; what is then to be said of them."""
        tag, at, value = zip(*((self.plant.id_of(path), at, value) for path, at, value in samples), strict=True)
        times = [START + timedelta(seconds=one) for one in at]
        columns = [tag, times, value, [None] * len(tag), [0] * len(tag)]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, STORED, strict=True)]
        batch = pa.record_batch(arrays, schema=STORED)
        await self.historian.write(batch)
        return Event(BATCH_TOPIC, batch, self.now())

    async def stored_and_heard(self, *samples: tuple[str, float, float]) -> None:
        """As `send`, past the door: whatever the clock says of their times."""
        self.bus.publish(await self.stored(*samples))

    async def until_followed(self) -> None:
        """The runner judges by the rules and the plant as they are."""
        before = self.runner.judged
        async with asyncio.timeout(30):
            while self.runner.judged is before:
                self.runner.look_now()
                await self.step()
                await asyncio.sleep(0.01)

    async def disk_state(self) -> DiskState:
        return self.disk

    async def report(self, edge: str = EDGE) -> None:
        """An edge says that it is there."""
        self.sources.take(EdgeReport(edge=edge, at=self.now()), edge=edge, at=self.now())

    async def step(self) -> None:
        """The runner does all there is to do."""
        await heard(self.bus)
        await self.runner.step()

    async def stop(self) -> None:
        """As a server that is told to stop."""
        await self.runner.close()
        await self.bus.close()

    async def crash(self) -> None:
        """As a server that is killed: what it was about is forgotten, what is durable is there."""
        await self.runner.forget()
        await self.bus.close()

    async def close(self) -> None:
        await self.stop()
        await self.historian.close()
        self.quarantine.close()

    # --- what became of it

    async def until_kept(self, events: int) -> None:
        """So many events are in the record."""
        async with asyncio.timeout(60):
            while len(await self.events()) < events:  # noqa: ASYNC110 the database tells nobody
                await asyncio.sleep(0.05)

    async def events(self, *triggers: Trigger) -> list[tuple[str, str, float]]:
        """Of the record, by time: which alarm's path, what, and how many seconds after START."""
        wanted = triggers or (Trigger.RAISED, Trigger.CLEARED)
        query = select(AlarmRow.path, EventRow.what, EventRow.at).join(AlarmRow, AlarmRow.id == EventRow.alarm_id)
        query = query.where(EventRow.what.in_([one.value for one in wanted])).order_by(EventRow.at, AlarmRow.path)
        async with self.database.reading() as session:
            return [(path, what, seconds(at)) for path, what, at in await session.execute(query)]

    async def occurrences(self) -> list[tuple[str, float, bool]]:
        """Path, seconds after START at which it was raised, whether late."""
        query = select(OccurrenceRow.path, OccurrenceRow.raised_at, OccurrenceRow.is_late)
        query = query.order_by(OccurrenceRow.raised_at, OccurrenceRow.path)
        async with self.database.reading() as session:
            return [(path, seconds(at), is_late) for path, at, is_late in await session.execute(query)]


def seconds(at: datetime) -> float:
    return (at - START).total_seconds()


async def heard(bus: MemoryBus) -> None:
    """Let the bus hand over what waits."""
    for _ in range(bus.waiting() + 2):
        await asyncio.sleep(0)
