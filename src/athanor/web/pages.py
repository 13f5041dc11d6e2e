"""Mounting apps' pages: who may see them, what they are handed, the frame, and what shows when one fails."""

import asyncio
import inspect
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from nicegui import Client, ui
from nicegui.context import context

from athanor.kernel.apps.app import App, PageDeclaration
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.web.components.empty_state import empty_state
from athanor.web.components.error_card import error_card
from athanor.web.fixtures import Fixture, fixtures_of
from athanor.web.frame import Place, frame, places
from athanor.web.injection import Ports, open_parameters
from athanor.web.language import _, language_of, speak_on_page, text_of
from athanor.web.live import Pulse, every_second, resting_pulse
from athanor.web.routes import status_of
from athanor.web.sessions import COOKIE, to_sign_in, user_of

_log = structlog.get_logger(__name__)

BUILD_TIMEOUT_S = 30.0  # a busy machine may be slow; a page that shows late beats one that never shows
SESSION_CHECK_S = 30.0
_PATIENCE_S = 1.0  # after so long a page is sent as far as it is, and the rest follows
_LEAVE_WITHIN_S = 2.0  # for a browser to leave a page that has ended


def mount_pages(apps: Sequence[App], ports: Ports, identity: Identity) -> None:
    """Mount every page of these apps, and `/`, which leads to the first that the person may see."""
    navigation = places(apps)
    fixtures = fixtures_of(apps, ports)
    for app in apps:
        for page in app.pages:
            _mount(app, page, navigation, fixtures, ports, identity)

    async def home(request: Request) -> Response | None:
        user = await user_of(request, identity)
        if user is None:
            return turned_away(request)
        first = next((place.address for place in navigation if user.may(place.permission)), None)
        if first is not None:
            context.client.delete()
            return RedirectResponse(first, 303)
        begin(request, user)
        with framed(user, navigation, "/", ports, fixtures):
            empty_state(_("Nothing is set up for you yet"), _("Ask an administrator which apps you may use."))
        return None

    ui.page("/", response_timeout=BUILD_TIMEOUT_S)(home)


def _mount(
    app: App,
    page: PageDeclaration,
    navigation: Sequence[Place],
    fixtures: Sequence[Fixture],
    ports: Ports,
    identity: Identity,
) -> None:
    handed = ports.names_in(app.manifest, page.builder)
    open_ones = open_parameters(page.builder, [*handed, "request"])
    takes_request = "request" in inspect.signature(page.builder).parameters

    async def build(request: Request, **given: Any) -> Response | None:
        user = await user_of(request, identity)
        if user is None:
            return turned_away(request)
        client = begin(request, user)
        live = partial(come_alive, client, resting_pulse(client), identity, user)
        waiting = asyncio.get_running_loop().call_later(_PATIENCE_S, live)
        with ExitStack() as when_built, framed(user, navigation, page.path, ports, fixtures) as main:
            when_built.callback(live)
            when_built.callback(waiting.cancel)
            ui.page_title(f"{text_of(app.manifest.title)} · Athanor")
            if not user.may(page.permission):
                client.status_code = HTTPStatus.FORBIDDEN
                address = request.client.host if request.client else ""
                await identity.refusals.note(user, page.permission, request.url.path, address)
                _refuse(user)
                return None
            trouble = Trouble(main, page.path)
            client.on_exception(trouble.show)
            try:
                if takes_request:
                    given["request"] = request
                answer = page.builder(**ports.hand_over(handed, user), **given)
                if inspect.isawaitable(answer):
                    await answer
            except Exception as error:  # noqa: BLE001 (whatever a page raises, the person sees a card, the log the rest)
                client.status_code = (
                    status_of(error) if isinstance(error, AthanorError) else HTTPStatus.INTERNAL_SERVER_ERROR
                )
                main.clear()
                trouble.show(error)
        return None

    build.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in open_ones),
        ]
    )
    ui.page(page.path, response_timeout=BUILD_TIMEOUT_S)(build)


def turned_away(request: Request) -> Response:
    """Lead a stranger to sign-in."""
    context.client.delete()  # a stranger leaves nothing behind
    return to_sign_in(request)


def begin(request: Request, user: User) -> Client:
    """Begin a page in the person's language."""
    client = context.client
    speak_on_page(client, language_of(request, user.language))
    return client


def framed(user: User, navigation: Sequence[Place], here: str, ports: Ports, fixtures: Sequence[Fixture] = ()) -> Any:
    """The frame around a page of this person."""
    model = ports.plant.model
    drawn = [one.draw for one in fixtures if user.may(one.permission)]
    return frame(user, navigation, here=here, park=model.name, timezone=model.timezone, fixtures=drawn)


def _refuse(user: User) -> None:
    empty_state(
        _("This page is not for you"),
        _("Your role ({role}) does not include it. Ask an administrator if you need it.").format(role=user.role),
        glyph="lock",
        action=(_("To the start page"), "/"),
    )


class Trouble:
    """Shows a page's errors and logs them, each kind once: a timer that fails every second must not fill the screen."""

    def __init__(self, main: ui.element, place: str) -> None:
        self._main = main
        self._place = place
        self._told: set[str] = set()

    def show(self, error: Exception) -> None:
        """Show and log an error, once."""
        kind = f"{type(error).__qualname__}: {error}"
        if kind in self._told or self._main.is_deleted:
            return
        self._told.add(kind)
        reference = uuid4().hex[:12]
        if isinstance(error, AthanorError):
            _log.warning("page failed", page=self._place, code=error.code, error=str(error))
        else:
            _log.error("page failed", page=self._place, reference=reference, exc_info=error)
        with self._main:
            error_card(error, reference)


def come_alive(client: Client, pulse: Pulse, identity: Identity, user: User) -> None:
    """From then on the page is sent off as it stands, and what comes later follows: its answer is no longer ours."""
    if not pulse.is_beating and not client.is_deleted:
        pulse.start()
        with client.content:
            _end_with_session(client, identity, user)


def _end_with_session(client: Client, identity: Identity, user: User) -> None:
    """A page that was left open stops when its session ends, or what its person may do and see changes.

    What the browser does about it is its own affair: a moment later the page is gone from the server. The session lasts
    on only while somebody looks.
    """
    token = client.request.cookies[COOKIE]
    is_looked_at = False

    def looked_at() -> None:
        nonlocal is_looked_at
        is_looked_at = True

    async def check() -> None:
        nonlocal is_looked_at
        now = await identity.sessions.user_of(token, lasts_on=is_looked_at)
        is_looked_at = False
        if now is None:
            ui.navigate.to("/sign-in")
        elif now.rights != user.rights:
            ui.navigate.reload()
        else:
            return
        asyncio.get_running_loop().call_later(_LEAVE_WITHIN_S, _forget, client)

    every_second(looked_at)
    ui.timer(SESSION_CHECK_S, check, immediate=False)


def _forget(client: Client) -> None:
    if not client.is_deleted:
        client.delete()
