"""Signing in and out, and who a request comes from."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import SESSION_LASTS, SignInRefusedError, Where
from athanor.kernel.identity.user import User
from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import came_from_here, local_address, message_page, sign_in_page

COOKIE = "athanor_session"


async def user_of(request: Request, identity: Identity) -> User | None:
    """Who sent this request; None for a stranger, and for a session that is over."""
    token = request.cookies.get(COOKIE)
    return await identity.sessions.user_of(token) if token else None


def to_sign_in(request: Request) -> RedirectResponse:
    """Ask who it is, then come back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", 303)


def session_routes(identity: Identity, park_name: Callable[[], str]) -> APIRouter:
    """`/sign-in` and `/sign-out`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def show_form(request: Request, next: str = "/") -> Response:  # noqa: A002 (the query's name)
        if await user_of(request, identity):
            return RedirectResponse(local_address(next), 303)
        with speaking(language_of(request)):
            return sign_in_page(park_name(), onward=local_address(next))

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await request.form()
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        onward = local_address(str(form.get("next", "/")))
        with speaking(language_of(request)):
            if not came_from_here(request):
                return _foreign_form()
            try:
                token = await identity.sessions.sign_in(login, password, where_of(request))
            except SignInRefusedError as error:
                return sign_in_page(park_name(), onward=onward, refusal=_refusal(error), login=login)
        answer = RedirectResponse(onward, 303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LASTS.total_seconds()) * 60,  # the server ends it; the cookie need not be renewed
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        with speaking(language_of(request)):
            if not came_from_here(request):
                return _foreign_form()
        token = request.cookies.get(COOKIE)
        if token:
            await identity.sessions.sign_out(token, address=_address(request))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def _refusal(error: SignInRefusedError) -> str:
    if error.retry_after_s is None:
        return _("Login or password is wrong. Check both; an administrator can set a new password.")
    return _("Too many failed attempts on this login. Try again in {n} s.").format(n=error.retry_after_s)


def _foreign_form() -> HTMLResponse:
    return message_page(_("Not from here"), _("This form was sent by another site. Open Athanor and try again."), 403)


def where_of(request: Request) -> Where:
    """Where a request comes from."""
    return Where(_address(request), request.headers.get("user-agent", ""))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
