"""What comes after the password, as far as a session lacks it: code, setting up a second factor, a new password.

Each step that is done gives the browser a new token, so that one which somebody knew before opens nothing.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.passwords import WeakPasswordError
from athanor.kernel.identity.second_factor import WrongCodeError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Lack, SignInRefusedError
from athanor.kernel.identity.user import User
from athanor.kernel.vault import VaultLockedError
from athanor.web import step_pages
from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import local_address, message_page
from athanor.web.rate_limits import RateLimits, TooOftenError
from athanor.web.sessions import COOKIE, STEPS, address_of, onward_from, refusal_text, set_session, too_often, where_of

Handler = Callable[[Request, User, str, str], Awaitable[Response]]  # request, who, their token, where they want to


class SignInSteps:
    """The routes of the steps."""

    def __init__(self, identity: Identity, park_name: Callable[[], str], limits: RateLimits) -> None:
        self._identity = identity
        self._park_name = park_name
        self._limits = limits
        self.router = APIRouter(include_in_schema=False)
        for lack, show, take in (
            (Lack.SECOND_FACTOR, self._show_code, self._take_code),
            (Lack.ENROLMENT, self._show_enrolment, self._take_enrolment),
            (Lack.PASSWORD, self._show_password, self._take_password),
        ):
            self.router.add_api_route(STEPS[lack], self._step(lack, show), methods=["GET"])
            self.router.add_api_route(STEPS[lack], self._step(lack, take), methods=["POST"])

    def _step(self, lack: Lack, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            form = await request.form() if request.method == "POST" else request.query_params
            onward = local_address(str(form.get("next", "/")))
            token = request.cookies.get(COOKIE, "")
            found = await self._identity.sessions.lack_of(token)
            if found is None or found[1] is not lack:  # done already, come of age, or another step is due
                return RedirectResponse(f"/sign-in?next={quote(onward, safe='')}", 303)
            with speaking(language_of(request, found[0].language)):
                try:
                    return await handler(request, found[0], token, onward)
                except TooOftenError as error:
                    return too_often(error)
                except VaultLockedError as error:
                    return message_page(_("Second factor"), str(error), 503)
                except NotFoundError:  # the step was passed in another window at this moment
                    return RedirectResponse(f"/sign-in?next={quote(onward, safe='')}", 303)

        return answer

    async def _show_code(self, _request: Request, _user: User, _token: str, onward: str) -> Response:
        return step_pages.code_page(self._park_name(), onward=onward)

    async def _take_code(self, request: Request, user: User, token: str, onward: str) -> Response:
        await self._limits.count_sign_in(request)
        sessions, where = self._identity.sessions, where_of(request)
        code = str((await request.form()).get("code", ""))
        try:
            await sessions.count_attempt(user.login, where)
            await self._identity.second_factors.check(user.login, code, address=where.address)
        except SignInRefusedError as error:
            return step_pages.code_page(self._park_name(), onward=onward, refusal=refusal_text(error))
        except WrongCodeError:
            await sessions.refused(user.login, where, "second factor")
            return step_pages.code_page(self._park_name(), onward=onward, refusal=wrong_code_text())
        return await self._go_on(request, token, Lack.SECOND_FACTOR, onward)

    async def _show_enrolment(self, _request: Request, user: User, _token: str, onward: str) -> Response:
        secret, address = self._identity.second_factors.propose(user.login, self._park_name())
        return step_pages.enrolment_page(self._park_name(), onward=onward, secret=secret, address=address)

    async def _take_enrolment(self, request: Request, user: User, token: str, onward: str) -> Response:
        await self._limits.count_sign_in(request)
        form = await request.form()
        secret, code = str(form.get("secret", "")), str(form.get("code", ""))
        factors, park = self._identity.second_factors, self._park_name()
        try:
            codes = await factors.set_up(user.login, secret, code, actor=user.login, address=address_of(request))
        except WrongCodeError:
            if not factors.is_proposal(secret):
                return await self._show_enrolment(request, user, token, onward)
            address = factors.address_of(secret, user.login, park)
            return step_pages.enrolment_page(
                park, onward=onward, secret=secret, address=address, refusal=wrong_code_text()
            )
        fresh = await self._identity.sessions.go_on(token, Lack.ENROLMENT, where_of(request))
        answer = step_pages.recovery_page(
            park, user.login, codes, onward=await onward_from(self._identity, fresh, onward)
        )
        self._give(answer, request, fresh)
        return answer

    async def _show_password(self, _request: Request, user: User, _token: str, onward: str) -> Response:
        return self._password_page(user, onward)

    async def _take_password(self, request: Request, user: User, token: str, onward: str) -> Response:
        await self._limits.count_sign_in(request)
        form = await request.form()
        password, accounts = str(form.get("password", "")), self._identity.accounts
        if password != str(form.get("again", "")):
            return self._password_page(user, onward, step_pages.different_text())
        if await accounts.has_password(user.login, password):
            return self._password_page(user, onward, _("This is the password that you have. Choose another one."))
        try:
            await accounts.set_password(user.login, password, actor=user.login, address=address_of(request), keep=token)
        except WeakPasswordError as error:
            return self._password_page(user, onward, step_pages.weakness_text(error, accounts.policy))
        return await self._go_on(request, token, Lack.PASSWORD, onward)

    def _password_page(self, user: User, onward: str, refusal: str = "") -> HTMLResponse:
        policy = self._identity.accounts.policy
        return step_pages.new_password_page(self._park_name(), user.login, policy, onward=onward, refusal=refusal)

    async def _go_on(self, request: Request, token: str, lack: Lack, onward: str) -> Response:
        fresh = await self._identity.sessions.go_on(token, lack, where_of(request))
        answer = RedirectResponse(await onward_from(self._identity, fresh, onward), 303)
        self._give(answer, request, fresh)
        return answer

    def _give(self, answer: Response, request: Request, token: str) -> None:
        set_session(answer, request, token, self._identity.sessions.rules.longest.total_seconds())


def wrong_code_text() -> str:
    """What is said to a wrong code."""
    return _(
        "This code is not the one. Type the six digits that the app shows now; each is taken once. Check the phone's "
        "clock if it goes on."
    )
