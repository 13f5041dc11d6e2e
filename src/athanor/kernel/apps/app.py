"""What an app may declare in its `setup(app)`: pages, routes, handlers and jobs. Declaring does no work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from athanor.kernel.apps.manifest import Manifest
from athanor.kernel.errors import AthanorError
from athanor.kernel.jobs.kinds import CatchUp

Handler = Callable[..., Awaitable[Any]]
PageBuilder = Callable[..., Awaitable[Any] | None]


@dataclass(frozen=True, slots=True)
class PageDeclaration:
    """A screen. `builder`'s parameters are path parameters and the ports that the manifest names."""

    path: str
    builder: PageBuilder
    permission: str


@dataclass(frozen=True, slots=True)
class FrameDeclaration:
    """Something in the frame of every page. `builder`'s parameters are ports that the manifest names."""

    builder: Callable[..., None]
    permission: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler for events of one topic, or `telemetry.batch` for live batches."""

    topic: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Routine:
    """What is done by the clock. `function`'s parameters are ports that the manifest names."""

    every: timedelta
    function: Handler


@dataclass(frozen=True, slots=True)
class JobDeclaration:
    """A kind of job. `function`'s parameters are `progress`, ports that the manifest names, and its arguments."""

    name: str
    function: Handler
    title: Mapping[str, str]
    retries: int
    timeout: timedelta
    catch_up: CatchUp
    at_once: int
    cron: str | None


@dataclass
class App:
    """One app's declarations, gathered before anything starts."""

    manifest: Manifest
    pages: list[PageDeclaration] = field(default_factory=list)
    frame: list[FrameDeclaration] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    routines: list[Routine] = field(default_factory=list)
    jobs: list[JobDeclaration] = field(default_factory=list)
    routers: list[tuple[APIRouter, str | None]] = field(default_factory=list)

    def page(self, path: str, builder: PageBuilder, *, permission: str) -> None:
        """Add a screen at `/<app id>` or below it. Raises BadDeclarationError."""
        home = f"/{self.manifest.id}"
        if path != home and not path.startswith(home + "/"):
            raise BadDeclarationError(self.manifest.id, f"its page {path} lies outside {home}")
        self._check(permission)
        self.pages.append(PageDeclaration(path, builder, permission))

    def in_frame(self, builder: Callable[..., None], *, permission: str) -> None:
        """Draw something into the header of every page of the house, for who has the permission.

        For what must reach a person wherever they are, and for nothing else. It is built with each page, so it draws
        at once and waits for nothing: what takes time comes by `athanor.web.live.every_second`.
        """
        self._check(permission)
        self.frame.append(FrameDeclaration(builder, permission))

    def on(self, topic: str, handler: Handler) -> None:
        """Call `handler(event, …ports)` for each event of a topic that the manifest subscribes to."""
        if topic not in self.manifest.subscribes:
            raise BadDeclarationError(self.manifest.id, f"it handles {topic}, which its manifest does not subscribe to")
        self.subscriptions.append(Subscription(topic, handler))

    def every(self, period: timedelta, function: Handler) -> None:
        """Call `function(…ports)` again and again, a period after it last ended; it gets every tenant's plant."""
        if period <= timedelta(0):
            raise BadDeclarationError(self.manifest.id, f"{function.__qualname__} should run every {period}")
        self.routines.append(Routine(period, function))

    def job(
        self,
        name: str,
        function: Handler,
        *,
        title: Mapping[str, str] | None = None,
        retries: int = 0,
        timeout: timedelta = timedelta(hours=1),
        catch_up: CatchUp | str = CatchUp.ONCE,
        at_once: int = 1,
        cron: str | None = None,
    ) -> None:
        """Let there be jobs of the kind `<app id>.<name>`: started by hand, over the API or by a schedule.

        One server runs each, as `function(progress, …ports, …arguments)`; it gets every tenant's plant. Arguments are
        JSON, checked by the types of the parameters. `docs/jobs.md` says what the rest means; `title` is by language,
        and `cron` a schedule, on the site's clock, that an administrator may change. Raises BadDeclarationError.
        """
        if not name.startswith(f"{self.manifest.id}."):
            raise BadDeclarationError(self.manifest.id, f"its job {name} is not called {self.manifest.id}.SOMETHING")
        if retries < 0 or at_once < 1 or timeout <= timedelta(0):
            limits = f"{retries} retries, {at_once} at once and {timeout} at most"
            raise BadDeclarationError(self.manifest.id, f"its job {name} should have {limits}")
        if any(job.name == name for job in self.jobs):
            raise BadDeclarationError(self.manifest.id, f"it declares the job {name} twice")
        catch = CatchUp(catch_up)
        self.jobs.append(JobDeclaration(name, function, title or {}, retries, timeout, catch, at_once, cron))

    def api(self, router: APIRouter, *, permission: str | None) -> None:
        """Mount REST routes under `/api/v1/<app id>`; all of them ask for `permission`.

        None where the router's own dependencies find out who calls, as by a token for programs, and refuse the others.
        """
        if permission is not None:
            self._check(permission)
        self.routers.append((router, permission))

    def _check(self, permission: str) -> None:
        if permission not in self.manifest.permissions:
            raise BadDeclarationError(self.manifest.id, f"it asks for {permission}, which its manifest does not list")


class BadDeclarationError(AthanorError):
    """An app's code and its manifest disagree."""

    code = "apps.bad-declaration"

    def __init__(self, app_id: str, reason: str) -> None:
        super().__init__(f"App {app_id!r} cannot be loaded: {reason}. Correct its setup() or its manifest.toml.")
