"""Requests that change something, and live connections, come from our own pages or from programs, never from a page of
another site: browsers say where a page is from, and no page can say it otherwise.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import message_page

_READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SameOrigin:
    """ASGI middleware: answers 403 to what another site's page sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changes = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _READING)
        if not changes or is_from_here(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(scope, receive, send)


def is_from_here(headers: Headers) -> bool:
    """Whether one of our own pages sent this, or no page at all.

    Sec-Fetch-Site is sent over https and to this machine itself; else Origin has to name the host that was asked. A
    program sends neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    if request.url.path.startswith("/api/"):
        detail = {"code": "web.other-site", "message": "A page of another site sent this request; it is not answered."}
        await JSONResponse({"detail": detail}, 403)(scope, receive, send)
        return
    with speaking(language_of(request)):
        text = _("This form was sent by another site. Open Athanor and try again.")
        answer = message_page(_("Not from here"), text, 403)
    await answer(scope, receive, send)
