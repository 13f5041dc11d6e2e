"""The one place that picks adapters: every port after the settings, opened together, closed the other way round."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import cast

import structlog

from athanor.directories import ldap_directory
from athanor.kernel.alarms.running.runner import Parts, Runner
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.apps.routines import Routines
from athanor.kernel.backup.service import Backups
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.cases.service import Cases
from athanor.kernel.compute.processes import Processes
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.documents import records as document_records
from athanor.kernel.documents.scanning import ClamdScanner, CommandScanner, Scanner
from athanor.kernel.documents.service import Documents
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import Files
from athanor.kernel.files.s3 import S3Files
from athanor.kernel.forms.service import Forms
from athanor.kernel.historian.clearing import Keeping
from athanor.kernel.historian.disk import DiskLimits
from athanor.kernel.historian.lake import publish_tags
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.retention import RetentionRules
from athanor.kernel.historian.s3 import S3Store
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.passwords import PasswordPolicy, Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Rules
from athanor.kernel.ingest.arrivals import Arrivals
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import Jobs
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.metrics import TAGS
from athanor.kernel.notify.channels.outside import Limits
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import running_plant, store_plant
from athanor.kernel.plant.yaml_file import BadPlantFileError, load_plant
from athanor.kernel.settings import Settings, folder_of
from athanor.kernel.storage.announcing import Announcer
from athanor.kernel.storage.classes import Classes
from athanor.kernel.storage.service import Storage
from athanor.kernel.transfer.imports import Imports
from athanor.kernel.transfer.uploads import Uploads
from athanor.kernel.transport import Transport
from athanor.kernel.vault import Vault
from athanor.kernel.waveforms.service import StoredWaveforms

_log = structlog.get_logger(__name__)
_EMPTY_PARK = Plant(id="park", name={"en": "Park", "zh_CN": "园区"}, timezone="Asia/Shanghai", tenants={}, nodes={})


@dataclass
class Platform:
    """Every port, open. `ports` is what apps are handed from, by name."""

    settings: Settings
    database: Database
    identity: Identity
    historian: TieredHistorian
    current: CurrentValues
    bus: MemoryBus
    quarantine: Quarantine
    sources: SourceStates
    corrections: Corrections
    arrivals: Arrivals
    ports: dict[str, object]
    routines: Routines
    storage: Storage
    classes: Classes
    runner: Runner = field(init=False)  # of alarms; begins with the server

    @property
    def plant(self) -> RunningPlant:
        """The plant that runs now."""
        return cast("RunningPlant", self.ports["plant"])

    async def run_plant(self, model: Plant) -> None:
        """Store a plant model and let it be the one that runs."""
        async with self.database.session() as session:
            plant = await store_plant(session, model)
            await self.classes.take(session, plant.model)
        self.ports["plant"] = plant
        TAGS.set(len(plant.ids))
        try:
            await asyncio.to_thread(publish_tags, lake_store(self.settings), plant)
        except HistorianFullError as error:  # others read ids less well; that stops no plant
            _log.error("lake.tags-not-written", reason=str(error))

    async def reload_plant(self) -> None:
        """Read the plant file again; one that is refused is logged with its faults, and the running plant goes on."""
        if self.settings.plant_file is None:
            return
        try:
            await self.run_plant(await asyncio.to_thread(load_plant, self.settings.plant_file))
        except BadPlantFileError as error:
            _log.error("plant.refused", reason=str(error), running_version=self.plant.version)
        else:
            _log.info("plant.loaded", version=self.plant.version, tags=len(self.plant.ids))


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """Open all that the settings name, and close it in the opposite order.

    A plant file that is refused leaves the stored plant running. Raises BadPlantFileError when there is none, and the
    errors of each port.
    """
    await upgrade(settings.database_url)
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        bus = MemoryBus()
        stack.push_async_callback(bus.close)
        announcer = Announcer(bus, database)
        stack.push_async_callback(announcer.close)
        rules = RetentionRules.of(settings.retention)
        classes = Classes(rules)
        historian = await asyncio.to_thread(
            TieredHistorian,
            settings.data_dir / "hot",
            lake_store(settings),
            seal_rows=settings.historian.seal_rows,
            seal_after_s=settings.historian.seal_after_s,
            reserve_mb=settings.historian.disk_reserve_mb,
            keeping=Keeping(rules, lambda: classes.tags, _disk_limits(settings), announcer.tell),
        )
        stack.push_async_callback(historian.close)
        quarantine = Quarantine(settings.data_dir / "quarantine.sqlite")
        stack.callback(quarantine.close)
        files = await asyncio.to_thread(files_store, settings)
        stack.push_async_callback(files.close)
        waveforms = StoredWaveforms(files, database)
        stack.push_async_callback(waveforms.close)
        waveforms.start()
        documents = Documents(database, files, _document_rules(settings), _scanner(settings))
        stack.push_async_callback(documents.close)
        runs = JobRuns(database, settings.data_dir / "runs", zone=lambda: platform.plant.model.timezone)
        stack.push_async_callback(runs.close)
        running_jobs = MemoryJobs(settings.data_dir / "jobs", on_change=runs.note)
        stack.push_async_callback(running_jobs.close)
        runs.watch(running_jobs)
        compute = Processes()
        stack.push_async_callback(compute.close)
        current, sources, arrivals = CurrentValues(), SourceStates(), Arrivals(datetime.now(UTC))
        current.update(await historian.latest())
        corrections = Corrections(database, historian, current, bus)
        stack.push_async_callback(corrections.close)
        await corrections.start()
        ports: dict[str, object] = {
            "historian": historian,
            "current": current,
            "bus": bus,
            "db": database,
            "quarantine": quarantine,
            "sources": sources,
            "jobs": running_jobs,
            "runs": runs,
            "compute": compute,
            "corrections": corrections,
            "arrivals": arrivals,
            "files": files,
            "waveforms": waveforms,
            "documents": documents,
            "storage": Storage(historian, waveforms, quarantine, database, rules, classes),
            "transport": Transport(
                settings.server.host, settings.server.tls_certificate, bool(settings.server.behind_proxy)
            ),
        }
        ports["identity"] = identity = _identity(settings, database)
        ports["backups"] = Backups(settings, database, historian, lake_store(settings), files)
        routines = Routines()
        stack.push_async_callback(routines.close)
        platform = Platform(
            settings,
            database,
            identity,
            historian,
            current,
            bus,
            quarantine,
            sources,
            corrections,
            arrivals,
            ports,
            routines,
            cast("Storage", ports["storage"]),
            classes,
        )
        ports["imports"] = _imports(platform, running_jobs)
        ports["notify"] = notify = _notify(platform)
        stack.push_async_callback(notify.close)
        ports["forms"] = Forms(database, bus, files, lambda: platform.plant)
        ports["alarms"] = alarms = Alarms(database, bus, lambda: platform.plant)
        ports["cases"] = Cases(database, bus, stands=alarms.standing.stands)
        await _start_plant(platform)
        await _start_alarms(platform, stack)
        yield platform


async def _start_alarms(platform: Platform, stack: AsyncExitStack) -> None:
    """Follow what stands. What judges alarms begins with the server."""
    alarms = cast("Alarms", platform.ports["alarms"])
    stack.push_async_callback(alarms.close)
    await alarms.start()
    parts = Parts(
        alarms,
        platform.database,
        platform.historian,
        platform.bus,
        platform.sources,
        lambda: platform.plant,
        platform.storage.disk_state,
    )
    platform.runner = Runner(parts, platform.settings.data_dir / "alarms", platform.settings.alarms)
    stack.push_async_callback(platform.runner.close)


def _imports(platform: Platform, running_jobs: Jobs) -> Imports:
    settings = platform.settings
    return Imports(
        plant=lambda: platform.plant,
        historian=platform.historian,
        current=platform.current,
        bus=platform.bus,
        database=platform.database,
        jobs=running_jobs,
        uploads=Uploads(settings.data_dir / "uploads", most_bytes=settings.transfer.most_upload_mb * 1_000_000),
        max_ahead=timedelta(seconds=settings.ingest.max_ahead_s),
        oldest=datetime.combine(settings.ingest.oldest, time(), UTC),
    )


def _notify(platform: Platform) -> Notify:
    settings = platform.settings
    wishes = settings.notify
    return Notify(
        platform.database,
        Vault.at(settings.data_dir),
        plant=lambda: platform.plant.model,
        language=settings.server.language,
        limits=Limits(wishes.never_reach, wishes.robot_hosts, wishes.proxy, wishes.ca_file),
        pace=Pace(
            keep_trying=timedelta(days=wishes.give_up_after_days),
            failing_after=timedelta(minutes=wishes.failing_minutes),
        ),
        public_url=wishes.public_url or "",
        keep=timedelta(days=wishes.keep_days),
    )


def _disk_limits(settings: Settings) -> DiskLimits:
    limits = settings.historian
    return DiskLimits(limits.disk_warn_mb, limits.disk_low_mb, limits.disk_reserve_mb)


def lake_store(settings: Settings) -> Store:
    """Where the lake lies. Raises HistorianUnopenableError."""
    if settings.lake_url.startswith("file:"):
        return FolderStore(folder_of(settings.lake_url))
    return S3Store(settings.lake_url, **settings.s3.for_adapters())


def files_store(settings: Settings) -> Files:
    """Where waveforms and documents lie. Raises FilesUnreachableError."""
    if settings.files_url.startswith("file:"):
        return FolderFiles(folder_of(settings.files_url))
    return S3Files(settings.files_url, **settings.s3.for_adapters())


def _document_rules(settings: Settings) -> document_records.Rules:
    limits = settings.files
    return document_records.Rules(limits.most_upload_mb * 1_000_000, limits.allowed_types, limits.retention_days)


def _scanner(settings: Settings) -> Scanner | None:
    limits = settings.files
    if limits.scan_command:
        return CommandScanner(limits.scan_command, settings.data_dir / "scanning", timeout_s=limits.scan_timeout_s)
    return ClamdScanner(limits.scan_clamd, timeout_s=limits.scan_timeout_s) if limits.scan_clamd else None


@asynccontextmanager
async def open_identity(settings: Settings) -> AsyncIterator[Identity]:
    """Accounts and tokens alone, by whoever owns the server's files; also while the server runs."""
    await upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        yield _identity(settings, database)
    finally:
        await database.close()


def _identity(settings: Settings, database: Database) -> Identity:
    limits = settings.security
    policy = PasswordPolicy(
        min_length=limits.password_min_length,
        classes=limits.password_classes,
        lasts=timedelta(days=limits.password_max_age_days) if limits.password_max_age_days else None,
    )
    rules = Rules(
        timedelta(minutes=limits.session_idle_minutes),
        frozenset(limits.second_factor_for),
        timedelta(days=limits.session_longest_days),
    )
    identity = Identity(database, Vault.at(settings.data_dir), passwords=Passwords(policy=policy), rules=rules)
    ldap = ldap_directory(settings.ldap, database, identity)
    identity.sessions.directories = () if ldap is None else (ldap,)
    return identity


async def _start_plant(platform: Platform) -> None:
    async with platform.database.reading() as session:
        stored = await running_plant(session)
        if stored is not None:
            await platform.classes.take(session, stored.model)
    if stored is not None:
        platform.ports["plant"] = stored
        TAGS.set(len(stored.ids))
        await platform.reload_plant()
    elif platform.settings.plant_file is not None:
        await platform.run_plant(await asyncio.to_thread(load_plant, platform.settings.plant_file))
    else:
        platform.ports["plant"] = RunningPlant(_EMPTY_PARK, 0, {})
