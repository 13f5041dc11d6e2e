"""Mounting apps' pages: who may see them, what they are handed, the frame, and what shows when one fails."""

import inspect
from collections.abc import Sequence
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
from athanor.web.frame import Place, frame, places
from athanor.web.injection import Ports, open_parameters
from athanor.web.language import _, language_of, speak_on_page, text_of
from athanor.web.live import every_second
from athanor.web.sessions import COOKIE, to_sign_in, user_of

_log = structlog.get_logger(__name__)

_BUILD_TIMEOUT_S = 30.0  # a busy machine may be slow; a page that shows late beats one that never shows
_SESSION_CHECK_EVERY = 30  # beats of the page's pulse


def mount_pages(apps: Sequence[App], ports: Ports, identity: Identity) -> None:
    """Mount every page of these apps, and `/`, which leads to the first that the person may see."""
    navigation = places(apps)
    for app in apps:
        for page in app.pages:
            _mount(app, page, navigation, ports, identity)

    async def home(request: Request) -> Response | None:
        user = await user_of(request, identity)
        if user is None:
            return _turned_away(request)
        first = next((place.address for place in navigation if user.may(place.permission)), None)
        if first is not None:
            context.client.delete()
            return RedirectResponse(first, 303)
        _begin(request, user)
        with _framed(user, navigation, "/", ports):
            empty_state(_("Nothing is set up for you yet"), _("Ask an administrator which apps you may use."))
        return None

    ui.page("/", response_timeout=_BUILD_TIMEOUT_S)(home)


def _mount(app: App, page: PageDeclaration, navigation: Sequence[Place], ports: Ports, identity: Identity) -> None:
    handed = ports.names_in(app.manifest, page.builder)
    open_ones = open_parameters(page.builder, [*handed, "request"])
    takes_request = "request" in inspect.signature(page.builder).parameters

    async def build(request: Request, **given: Any) -> Response | None:
        user = await user_of(request, identity)
        if user is None:
            return _turned_away(request)
        client = _begin(request, user)
        _end_with_session(client, identity)
        with _framed(user, navigation, page.path, ports) as main:
            ui.page_title(f"{text_of(app.manifest.title)} · Athanor")
            if not user.may(page.permission):
                client.status_code = HTTPStatus.FORBIDDEN
                address = request.client.host if request.client else ""
                await identity.refusals.note(user, page.permission, request.url.path, address)
                _refuse(user)
                return None
            trouble = _Trouble(main, page.path)
            client.on_exception(trouble.show)
            try:
                if takes_request:
                    given["request"] = request
                answer = page.builder(**ports.hand_over(handed, user), **given)
                if inspect.isawaitable(answer):
                    await answer
            except Exception as error:  # noqa: BLE001 (whatever a page raises, the person sees a card, the log the rest)
                client.status_code = HTTPStatus.INTERNAL_SERVER_ERROR
                main.clear()
                trouble.show(error)
        return None

    build.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in open_ones),
        ]
    )
    ui.page(page.path, response_timeout=_BUILD_TIMEOUT_S)(build)


def _turned_away(request: Request) -> Response:
    context.client.delete()  # a stranger leaves nothing behind
    return to_sign_in(request)


def _begin(request: Request, user: User) -> Client:
    client = context.client
    speak_on_page(client, language_of(request, user.language))
    return client


def _framed(user: User, navigation: Sequence[Place], here: str, ports: Ports) -> Any:
    model = ports.plant.model
    return frame(user, navigation, here=here, park=model.name, timezone=model.timezone)


def _refuse(user: User) -> None:
    empty_state(
        _("This page is not for you"),
        _("Your role ({role}) does not include it. Ask an administrator if you need it.").format(role=user.role),
        glyph="lock",
        action=(_("To the start page"), "/"),
    )


class _Trouble:
    """Shows a page's errors and logs them, each kind once: a timer that fails every second must not fill the screen."""

    def __init__(self, main: ui.element, place: str) -> None:
        self._main = main
        self._place = place
        self._told: set[str] = set()

    def show(self, error: Exception) -> None:
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


def _end_with_session(client: Client, identity: Identity) -> None:
    """A page that was left open stops when its session ends, or its person is signed out elsewhere."""
    token = client.request.cookies[COOKIE]
    beats = 0

    async def check() -> None:
        nonlocal beats
        beats += 1
        if beats % _SESSION_CHECK_EVERY == 0 and await identity.sessions.user_of(token) is None:
            ui.navigate.to("/sign-in")

    every_second(check)
