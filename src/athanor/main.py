"""The server: REST routes and web upon an open platform, with the edge as a child, until told to stop."""

import asyncio
import inspect
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import cast

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
from athanor.directories import openid_provider
from athanor.edge.config import load_edge_config
from athanor.kernel.alarms.records import CHANGED_TOPIC
from athanor.kernel.apps.app import App, Handler, JobDeclaration
from athanor.kernel.apps.registry import Registry, load_apps
from athanor.kernel.backup.service import Backups
from athanor.kernel.bus.port import Event
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.disk import DiskState
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.service import Identity
from athanor.kernel.ingest.service import Ingest
from athanor.kernel.jobs.kinds import JobKind, arguments_of
from athanor.kernel.jobs.port import JobResult, Progress
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.notify.service import Notify
from athanor.kernel.settings import Settings
from athanor.kernel.storage.service import Storage
from athanor.kernel.vault import Vault
from athanor.platform import Platform
from athanor.web.injection import Ports, open_parameters
from athanor.web.oidc import GO, openid_routes
from athanor.web.rate_limits import RateLimits
from athanor.web.server import mount_web

_CLOSE_CONNECTIONS_WITHIN_S = 2
_WAVEFORMS_EXPIRE_EVERY = timedelta(hours=1)


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
    start_alarms(platform)
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


def start_alarms(platform: Platform) -> None:
    """Begin to judge alarms and to tell people of them, of each as soon as it is kept."""
    notify = cast("Notify", platform.ports["notify"])

    async def wake(_event: Event) -> None:
        notify.wake()

    platform.bus.subscribe(CHANGED_TOPIC, wake, name="notify")
    platform.routines.once("notify:start", notify.start)
    platform.runner.start()


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
