"""Putting the web onto a FastAPI app: theme, sign-in, apps' pages and routes, and the headers that guard them."""

import re
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request, Response
from nicegui import app as nicegui_app
from nicegui import core, ui
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from athanor.kernel.apps.app import App
from athanor.kernel.identity.service import Identity
from athanor.web.account.page import mount_account
from athanor.web.injection import Ports
from athanor.web.invitation import invitation_routes
from athanor.web.language import DEFAULT, _, add_catalogue, fall_back_to, language_of, speaking, text_of
from athanor.web.locales import locale_folder
from athanor.web.pages import mount_pages
from athanor.web.plain_page import message_page
from athanor.web.rate_limits import RateLimits
from athanor.web.routes import mount_routes
from athanor.web.same_origin import SameOrigin
from athanor.web.sessions import session_routes
from athanor.web.sign_in_steps import SignInSteps
from athanor.web.theme import STATIC, mount_theme

_RECONNECT_S = 10.0  # how long a page waits for a browser that lost its connection
_HISTORY = 200  # messages kept for it

# NiceGUI's pages hold inline scripts, and Vue compiles templates; what the policy does hold is that nothing comes
# from, or goes to, anywhere else, and that no other site frames us.
_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'{live}; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_GUARDS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Forms take pictures and places; nothing of ours listens, pays or reaches into devices.
    "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), serial=(), "
    "bluetooth=(), midi=(), display-capture=()",
}
_HTTPS_ONLY = "max-age=31536000"  # browsers come back by https for a year
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")


class GuardingHeaders:
    """ASGI middleware: every answer carries the headers that keep other sites out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _GUARDS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", _content_policy(Headers(scope=scope).get("host", "")))
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", _HTTPS_ONLY)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_guarded)


def _content_policy(host: str) -> str:
    """Some browsers take 'self' for http and https alone, so live connections are named."""
    return _CONTENT_POLICY.format(live=f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else "")


def mount_web(
    fastapi_app: FastAPI,
    *,
    apps: Sequence[App],
    ports: Mapping[str, object],
    identity: Identity,
    language: str = DEFAULT,
    limits: RateLimits | None = None,
    elsewhere: Sequence[tuple[str, str]] = (),
) -> None:
    """Mount all that a browser sees. Call it last: what the FastAPI app does not know, the pages answer.

    Parameters
    ----------
    apps
        What the registry found.
    ports
        The kernel's ports by name, read at each request; `plant` must be there.
    language
        What pages speak to who chose none and whose browser asks for none of ours.
    limits
        How often one may try to sign in, and ask.
    elsewhere
        Titles and addresses of other ways to sign in.
    """
    fall_back_to(language)
    handed = Ports(ports)
    for app in apps:
        folder = locale_folder(app)
        if folder is not None:
            add_catalogue(folder)
    mount_theme()
    limits = limits or RateLimits()
    fastapi_app.state.limits = limits

    def park_name() -> str:
        return text_of(handed.plant.model.name)

    fastapi_app.include_router(session_routes(identity, park_name, limits, elsewhere))
    fastapi_app.include_router(SignInSteps(identity, park_name, limits).router)
    fastapi_app.include_router(invitation_routes(identity, park_name, limits))
    mount_routes(fastapi_app, apps, handed, identity)
    mount_pages(apps, handed, identity)
    mount_account(apps, handed, identity)
    nicegui_app.add_exception_handler(404, _not_found)
    ui.run_with(
        fastapi_app,
        title="Athanor",
        favicon=STATIC / "mark.svg",
        dark=None,
        tailwind=False,
        reconnect_timeout=_RECONNECT_S,
        message_history_length=_HISTORY,
        binding_refresh_interval=None,
        show_welcome_message=False,
    )
    core.sio.eio.cors_allowed_origins = None  # live connections from our own pages only
    fastapi_app.add_middleware(SameOrigin)
    fastapi_app.add_middleware(GuardingHeaders)


async def _not_found(request: Request, _error: Exception) -> Response:
    with speaking(language_of(request)):
        return message_page(_("There is no such page"), _("Check the address, or start over."), 404)
