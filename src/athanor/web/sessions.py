"""Signing in and out, and who a request comes from."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.accounts import LoginTakenError
from athanor.kernel.identity.directories import DirectoryUnreachableError, NotAdmittedError
from athanor.kernel.identity.oidc import OpenIdRefusedError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Lack, SignInRefusedError, Where
from athanor.kernel.identity.user import User
from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import local_address, message_page, sign_in_page
from athanor.web.rate_limits import RateLimits, TooOftenError

COOKIE = "athanor_session"
REFUSALS = (SignInRefusedError, NotAdmittedError, LoginTakenError, DirectoryUnreachableError, OpenIdRefusedError)
STEPS = {  # what a session lacks to where it is made good
    Lack.SECOND_FACTOR: "/sign-in/code",
    Lack.ENROLMENT: "/sign-in/second-factor",
    Lack.PASSWORD: "/sign-in/password",
}


async def user_of(request: Request, identity: Identity) -> User | None:
    """Who sent this request; None for a stranger, and for a session that is over or lacks a step."""
    token = request.cookies.get(COOKIE)
    return await identity.sessions.user_of(token) if token else None


def to_sign_in(request: Request) -> RedirectResponse:
    """Ask who it is, then come back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", 303)


def set_session(answer: Response, request: Request, token: str, lasts_s: float = 30 * 86_400) -> None:
    """Give the browser a session. The server ends it; the cookie need not be renewed."""
    answer.set_cookie(
        COOKIE, token, max_age=int(lasts_s), httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


async def onward_from(identity: Identity, token: str, onward: str) -> str:
    """Where a session leads: to the step that it lacks, else to where its person wanted."""
    found = await identity.sessions.lack_of(token)
    return onward if found is None else f"{STEPS[found[1]]}?next={quote(onward, safe='')}"


def session_routes(
    identity: Identity,
    park_name: Callable[[], str],
    limits: RateLimits,
    elsewhere: Sequence[tuple[str, str]] = (),
) -> APIRouter:
    """`/sign-in` and `/sign-out`. `elsewhere` are titles and addresses of other ways to sign in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def show_form(request: Request, next: str = "/") -> Response:  # noqa: A002 (the query's name)
        onward = local_address(next)
        if await user_of(request, identity):
            return RedirectResponse(onward, 303)
        token = request.cookies.get(COOKIE)
        if token and await identity.sessions.lack_of(token):
            return RedirectResponse(await onward_from(identity, token, onward), 303)
        with speaking(language_of(request)):
            return sign_in_page(park_name(), onward=onward, elsewhere=elsewhere)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await request.form()
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        onward = local_address(str(form.get("next", "/")))
        with speaking(language_of(request)):
            try:
                await limits.count_sign_in(request)
                token = await identity.sessions.sign_in(login, password, where_of(request))
            except TooOftenError as error:
                return too_often(error)
            except REFUSALS as error:
                refusal = refusal_text(error)
                return sign_in_page(park_name(), onward=onward, refusal=refusal, login=login, elsewhere=elsewhere)
        if former := request.cookies.get(COOKIE):
            await identity.sessions.sign_out(former, address=address_of(request))
        answer = RedirectResponse(await onward_from(identity, token, onward), 303)
        set_session(answer, request, token, identity.sessions.rules.longest.total_seconds())
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        token = request.cookies.get(COOKIE)
        if token:
            await identity.sessions.sign_out(token, address=address_of(request))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def refusal_text(error: AthanorError) -> str:
    """Why somebody is not signed in, by one of REFUSALS."""
    if isinstance(error, SignInRefusedError):
        if error.retry_after_s is None:
            return _("Login or password is wrong. Check both; an administrator can set a new password.")
        return _("Too many failed attempts on this login. Try again in {n} s.").format(n=error.retry_after_s)
    if isinstance(error, NotAdmittedError):
        return _("None of your groups gives you a role here, or they contradict each other. Ask an administrator.")
    if isinstance(error, LoginTakenError):
        return _("Another account of this server has your login. Ask an administrator.")
    if isinstance(error, DirectoryUnreachableError):
        return _("The directory that knows you does not answer. Try again later; accounts of this server can sign in.")
    return _("Signing in elsewhere did not succeed. Start again.")


def too_often(error: TooOftenError) -> Response:
    """What an address gets that tried too often."""
    text = _("Too many attempts from your address. Try again in {n} s.").format(n=error.retry_after_s)
    answer = message_page(_("Too many attempts"), text, 429)
    answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def where_of(request: Request) -> Where:
    """Where a request comes from."""
    return Where(address_of(request), request.headers.get("user-agent", ""))


def address_of(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""
