"""The one place that picks adapters and starts things.

`open_platform` opens every port after the settings; `create_server` puts REST routes and web onto them; `serve` runs
that, with the edge as a child, until told to stop.
"""

import asyncio
import inspect
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from athanor import __version__
from athanor.api import corrections as correction_routes
from athanor.api import data, imports, jobs, lookup, me, retention, series
from athanor.api import historian as historian_routes
from athanor.api import waveforms as waveform_routes
from athanor.api.backup import backup_router
from athanor.api.health import health_router
from athanor.api.uplink import uplink_router
from athanor.child import Child
from athanor.directories import ldap_directory, openid_provider
from athanor.edge.config import load_edge_config
from athanor.kernel.apps.app import App, Handler, JobDeclaration
from athanor.kernel.apps.registry import Registry, load_apps
from athanor.kernel.apps.routines import Routines
from athanor.kernel.backup.service import Backups
from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.compute.processes import Processes
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.documents import records as document_records
from athanor.kernel.documents.scanning import ClamdScanner, CommandScanner, Scanner
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import AthanorError
from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import Files
from athanor.kernel.files.s3 import S3Files
from athanor.kernel.forms.service import Forms
from athanor.kernel.historian.clearing import Keeping
from athanor.kernel.historian.disk import DiskLimits, DiskState
from athanor.kernel.historian.lake import publish_tags
from athanor.kernel.historian.port import HistorianFullError
from athanor.kernel.historian.retention import RetentionRules
from athanor.kernel.historian.s3 import S3Store
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.passwords import PasswordPolicy, Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Rules
from athanor.kernel.ingest.arrivals import Arrivals
from athanor.kernel.ingest.quarantine import Quarantine
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.jobs.kinds import JobKind, arguments_of
from athanor.kernel.jobs.memory import MemoryJobs
from athanor.kernel.jobs.port import JobResult, Jobs, Progress
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.metrics import TAGS
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
from athanor.web.injection import Ports, open_parameters
from athanor.web.oidc import GO, openid_routes
from athanor.web.rate_limits import RateLimits
from athanor.web.server import mount_web

_log = structlog.get_logger(__name__)

_EMPTY_PARK = Plant(id="park", name={"en": "Park", "zh_CN": "园区"}, timezone="Asia/Shanghai", tenants={}, nodes={})
_CLOSE_CONNECTIONS_WITHIN_S = 2
_WAVEFORMS_EXPIRE_EVERY = timedelta(hours=1)


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
        ports["forms"] = Forms(database, bus, files, lambda: platform.plant)
        await _start_plant(platform)
        yield platform


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


def create_server(platform: Platform, registry: Registry) -> FastAPI:
    """The FastAPI app: uplink, data, health, apps' routes and pages."""
    settings = platform.settings
    ingest = Ingest(
        plant=lambda: platform.plant,
        historian=platform.historian,
        current=platform.current,
        bus=platform.bus,
        quarantine=platform.quarantine,
        max_ahead=timedelta(seconds=settings.ingest.max_ahead_s),
        oldest=datetime.combine(settings.ingest.oldest, time(), UTC),
        arrivals=platform.arrivals,
        judge=platform.corrections.verdict,
    )
    server = FastAPI(title="Athanor", version=__version__, openapi_url=None)  # /api/v1/openapi.json asks who one is
    server.include_router(uplink_router(ingest, platform.sources, platform.identity))
    server.include_router(
        health_router(
            {"database": partial(_ask, platform.database), "historian": platform.historian.latest},
            Instance.at(settings.data_dir),
            {"disk": partial(_disk_warning, platform.storage)},
        )
    )
    server.include_router(data.router)
    server.include_router(correction_routes.router)
    server.include_router(series.router)
    server.include_router(lookup.router)
    server.include_router(me.router)
    server.include_router(historian_routes.router)
    server.include_router(retention.router)
    server.include_router(jobs.router)
    server.include_router(imports.router)
    server.include_router(waveform_routes.delivery_router(_waveform_times(settings)))
    server.include_router(waveform_routes.router)
    server.include_router(backup_router(cast("Backups", platform.ports["backups"])))
    _subscribe(platform, registry)
    _start_routines(platform, registry)
    _declare_jobs(platform, registry)
    platform.routines.start("retention:waveforms", _WAVEFORMS_EXPIRE_EVERY, platform.storage.expire_waveforms)
    provider = openid_provider(settings.oidc, platform.database, platform.identity)
    if provider is not None:
        server.include_router(openid_routes(platform.identity, provider, Vault.at(settings.data_dir)))
    mount_web(
        server,
        apps=registry.apps,
        ports=platform.ports,
        identity=platform.identity,
        language=settings.server.language,
        limits=RateLimits(settings.security.sign_ins_per_minute, settings.security.requests_per_minute),
        elsewhere=() if provider is None else [(settings.oidc.title, GO)],
    )
    return server


def _waveform_times(settings: Settings) -> waveform_routes.TimesAllowed:
    ingest = settings.ingest
    return waveform_routes.TimesAllowed(
        datetime.combine(ingest.oldest, time(), UTC), timedelta(seconds=ingest.max_ahead_s)
    )


async def _disk_warning(storage: Storage) -> str | None:
    state = await storage.disk_state()
    return None if state is DiskState.ENOUGH else state.name.lower()


async def _ask(database: Database) -> None:
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))


def _subscribe(platform: Platform, registry: Registry) -> None:
    ports = Ports(platform.ports)
    for app in registry.apps:
        for subscription in app.subscriptions:
            names = ports.names_in(app.manifest, subscription.handler)
            listener = partial(_hand_over, subscription.handler, ports, names)
            platform.bus.subscribe(subscription.topic, listener, name=app.manifest.id)


def _start_routines(platform: Platform, registry: Registry) -> None:
    ports = Ports(platform.ports)
    for app in registry.apps:
        for routine in app.routines:
            names = ports.names_in(app.manifest, routine.function)
            call = partial(_run, routine.function, ports, names)
            platform.routines.start(f"{app.manifest.id}:{routine.function.__name__}", routine.every, call)


def _declare_jobs(platform: Platform, registry: Registry) -> None:
    """Let there be the apps' jobs, and begin to run them."""
    ports = Ports(platform.ports)
    runs = cast("JobRuns", platform.ports["runs"])
    for app in registry.apps:
        for job in app.jobs:
            runs.kinds.add(_kind(app, job, ports))
    platform.routines.once("jobs:start", runs.start)


def _kind(app: App, job: JobDeclaration, ports: Ports) -> JobKind:
    names = ports.names_in(app.manifest, job.function)
    takes_progress = "progress" in inspect.signature(job.function).parameters
    given = open_parameters(job.function, [*names, "progress"])
    arguments = arguments_of(
        job.name, {one.name: (one.annotation, ... if one.default is one.empty else one.default) for one in given}
    )

    async def call(progress: Progress, said: Mapping[str, object]) -> JobResult | None:
        first = {"progress": progress} if takes_progress else {}
        return cast("JobResult | None", await job.function(**first, **ports.whole(names), **said))

    return JobKind(job.name, call, job.title, job.retries, job.timeout, job.catch_up, job.at_once, job.cron, arguments)


async def _run(function: Handler, ports: Ports, names: list[str]) -> None:
    await function(**ports.whole(names))


async def _hand_over(handler: Handler, ports: Ports, names: list[str], event: Event) -> None:
    await handler(event, **ports.whole(names))


class PortTakenError(AthanorError):
    """The address that the server should listen on is in use, or not ours."""

    code = "server.port-taken"

    def __init__(self, host: str, port: int, reason: object) -> None:
        super().__init__(
            f"Cannot listen on {host}:{port} ({reason}). Stop what uses it, or set server.port to another one "
            "(--port, or ATHANOR_SERVER__PORT)."
        )


def listen(settings: Settings) -> socket.socket:
    """The server's socket, bound but not yet answering. Raises PortTakenError."""
    host, port = settings.server.host, settings.server.port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise PortTakenError(host, port, error.strerror) from error


def address_of(listening: socket.socket, settings: Settings | None = None) -> str:
    """What a browser on this machine asks for."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    scheme = "https" if settings is not None and settings.server.tls_certificate else "http"
    return f"{scheme}://{shown}:{port}"


async def serve(platform: Platform, listening: socket.socket, *, on_ready: Callable[[], None] = lambda: None) -> None:
    """Answer on a socket, with the edge as a child, until SIGINT or SIGTERM; SIGHUP reads the plant file again."""
    server = _Uvicorn(
        uvicorn.Config(
            create_server(platform, load_apps()),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_CLOSE_CONNECTIONS_WITHIN_S,
            ssl_certfile=platform.settings.server.tls_certificate,
            ssl_keyfile=platform.settings.server.tls_key,
            proxy_headers=bool(platform.settings.server.behind_proxy),
            forwarded_allow_ips=list(platform.settings.server.behind_proxy),
        ),
        on_ready,
    )
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, server.stop)
    reloading: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(platform.reload_plant())
        reloading.add(task)
        task.add_done_callback(reloading.discard)  # what it raised unasked is then logged by the loop

    loop.add_signal_handler(signal.SIGHUP, reload)
    async with AsyncExitStack() as stack:
        if (edge_file := platform.settings.edge.config) is not None:
            await stack.enter_async_context(await _edge_child(platform.identity, edge_file))
        await server.serve([listening])


async def _edge_child(identity: Identity, file: Path) -> Child:
    """Our own edge; it gets a new token at each start, which nobody else has seen."""
    edge = load_edge_config(file)
    token = await identity.edges.make(edge.edge)
    return Child("edge", "athanor.edge", [str(file), "--with-parent"], {**os.environ, edge.uplink.token_env: token})


class _Uvicorn(uvicorn.Server):
    """Uvicorn that leaves signals to us and says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    def stop(self) -> None:
        self.force_exit = self.should_exit  # asked a second time: do not wait for open connections
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()
