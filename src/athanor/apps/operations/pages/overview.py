"""How the services are, at a glance; each part says what it is and leads to where more is known."""

from datetime import UTC, datetime

from athanor.apps.operations.pages.jobs import jobs_card
from athanor.apps.operations.pages.tabs import tabs
from athanor.apps.operations.services.health import Health, Level, measure
from athanor.apps.operations.services.rights import looks_after_all
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.port import JobState
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.storage.service import Storage
from athanor.kernel.transport import Transport
from athanor.web.components import (
    Cell,
    Column,
    Status,
    TablePage,
    TableQuery,
    data_table,
    kpi,
    kpi_strip,
    region,
    status,
)
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import NOTHING, duration, number, percent
from athanor.web.language import _
from athanor.web.live import every_second

_LOOK_EVERY = 5  # beats of a second
_MEGABYTE, _GIGABYTE = 1e6, 1e9
_STATES = {Level.GOOD: "", Level.WARN: "is-warn", Level.BAD: "is-urgent"}


async def overview(
    plant: RunningPlant,
    db: Database,
    storage: Storage,
    sources: SourceStates,
    bus: Bus,
    runs: JobRuns,
    transport: Transport,
    viewer: User,
) -> None:
    """Services for the park's administrators; their own jobs for everybody else."""
    tabs("/operations", viewer)
    if not looks_after_all(viewer):
        await jobs_card(runs, viewer, plant)
        return

    async def look() -> Health:
        return await measure(db, storage, sources, bus, runs, transport)

    page = _Services(await look())
    await page.refresh()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1
        if beats % _LOOK_EVERY == 0:
            page.health = await look()
            await page.refresh()

    every_second(beat)


class _Services:
    """The figures, and a line for each part."""

    def __init__(self, health: Health) -> None:
        self.health = health
        with region("ath-card-head"):
            self._verdict = status("")
        with kpi_strip():
            self._up, self._failed = kpi(_("Running for")), kpi(_("Jobs that failed"))
            self._disk, self._memory, self._answer = kpi(_("Free on the disk")), kpi(_("Memory")), kpi(_("Database"))
        with region("ath-card", "section"):
            self._table = data_table(
                self._rows,
                [
                    Column("part", _("Service"), is_wide=True),
                    Column("state", _("State")),
                    Column("figures", _("Figures")),
                ],
                caption=_("Services"),
                is_searchable=False,
                export_name="services",
            )

    async def refresh(self) -> None:
        """Show what was measured."""
        now = self.health
        texts = {
            Level.GOOD: (_("All services work"), Status.NORMAL),
            Level.WARN: (_("Something wants to be looked at"), Status.WARN),
            Level.BAD: (_("A service does not work"), Status.URGENT),
        }
        self._verdict.set(*texts[now.worst])
        version = _("version {version}").format(version=now.version)
        self._up.set(duration((now.at - now.started_at).total_seconds()), note=f"{now.server} · {version}")
        failed = now.failed_jobs
        self._failed.set(number(failed), note=_("in the last day"), state="is-warn" if failed else "")
        disk = now.worst_disk
        free = NOTHING if disk is None else f"{disk.free / _GIGABYTE:,.1f}"
        self._disk.set(free, "GB", note="" if disk is None else str(disk.folder), state=_STATES[now.disk_level])
        machine = _("{share} of the machine's is free").format(share=percent(now.memory_free, 0))
        self._memory.set(number(now.memory_bytes / _MEGABYTE), "MB", note=machine, state=_STATES[now.memory_level])
        answered = NOTHING if now.database_s is None else f"{now.database_s * 1000:.1f}"
        self._answer.set(answered, "ms", note=now.database, state=_STATES[now.database_level])
        await self._table.refresh()

    def _rows(self, query: TableQuery) -> TablePage:
        return page_of(_lines(self.health), query)


def _lines(now: Health) -> list[Row]:
    waiting = _("{n} events wait").format(n=number(now.bus_waiting))
    jobs = _("{running} running, {waiting} waiting, {failed} failed in the last day").format(
        running=now.jobs.get(JobState.RUNNING, 0), waiting=now.jobs.get(JobState.QUEUED, 0), failed=now.failed_jobs
    )
    lines = [
        _line(_("Server"), now.memory_level, f"{now.server} · {percent(now.cpu, 0)} CPU"),
        _line(_("Database"), now.database_level, _answered(now)),
        _line(_("Historian"), now.historian_level, _samples(now), "/data/storage"),
        _line(_("Disk"), now.disk_level, _room(now), "/data/storage"),
        _line(_("Connection to the server"), now.transport_level, _reached(now)),
        _line(_("Bus"), now.bus_level, waiting),
        _line(_("Jobs"), Level.WARN if now.failed_jobs else Level.GOOD, jobs, "/operations/jobs"),
    ]
    for edge in now.edges:
        age = duration((datetime.now(UTC) - edge.received_at).total_seconds())
        backlog = _("{n} samples wait there").format(n=number(edge.backlog.rows))
        level = Level.WARN if edge.is_silent(now.at) else Level.GOOD
        heard = _("heard of {age} ago").format(age=age)
        lines.append(_line(_("Edge {name}").format(name=edge.edge), level, f"{backlog} · {heard}", "/datahealth"))
    if not now.edges:
        lines.append(_line(_("Edges"), Level.GOOD, _("none has reported since the server's start"), "/datahealth"))
    return lines


def _line(part: str, level: Level, figures: str, address: str = "") -> Row:
    texts = {Level.GOOD: _("works"), Level.WARN: _("look at it"), Level.BAD: _("does not work")}
    return {
        "part": Cell(part, address=address),
        "state": Cell(texts[level], state=_STATES[level]),
        "figures": figures,
    }


def _answered(now: Health) -> str:
    if now.database_s is None:
        return _("{engine} does not answer").format(engine=now.database)
    return _("{engine} answered in {ms} ms").format(engine=now.database, ms=f"{now.database_s * 1000:.1f}")


def _reached(now: Health) -> str:
    if now.has_bad_certificate:
        return _("its certificate cannot be read")
    if now.certificate_ends_at is not None:
        return _("its certificate ends on {day}").format(day=f"{now.certificate_ends_at:%Y-%m-%d}")
    if now.is_in_the_clear:
        return _("passwords and samples cross the network unencrypted")
    return _("from this machine alone, or behind a proxy")


def _samples(now: Health) -> str:
    if now.storage is None:
        return _("does not answer")
    faults = [f"{kind}: {note.reason}" for kind, note in now.storage.work.items() if note.reason is not None]
    rows = sum(one.rows for one in now.storage.holdings if one.tier in ("hot", "lake"))
    return "; ".join(faults) or _("{n} samples").format(n=number(rows))


def _room(now: Health) -> str:
    disk = now.worst_disk
    if disk is None:
        return NOTHING
    return _("{free} GB of {size} GB are free").format(
        free=f"{disk.free / _GIGABYTE:,.1f}", size=f"{disk.size / _GIGABYTE:,.1f}"
    )
