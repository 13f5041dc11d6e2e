"""`/invitation`: where the link of an invitation leads.

The token stands in the fragment of the link, which browsers send to nobody: neither the log of a proxy on the way nor
the Referer of a later request holds it. The page's script posts it as a form and takes it out of the address at once.
"""

from collections.abc import Callable
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.accounts import LoginTakenError
from athanor.kernel.identity.invitations import Invitation, InvitationOverError
from athanor.kernel.identity.passwords import WeakPasswordError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import SignInRefusedError
from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import message_page, plain_field, plain_form, plain_page
from athanor.web.rate_limits import RateLimits, TooOftenError
from athanor.web.sessions import COOKIE, address_of, onward_from, set_session, too_often, where_of
from athanor.web.step_pages import different_text, new_password_fields, weakness_text

PLACE = "/invitation"

_SEND_ON = """<script>
const form = document.querySelector("form");
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  form.token.value = token;
  form.submit();
}
</script>"""


def invitation_link(token: str) -> str:
    """The link of an invitation, without the server's name before it."""
    return f"{PLACE}#{token}"


def invitation_routes(identity: Identity, park_name: Callable[[], str], limits: RateLimits) -> APIRouter:
    """The page and its two forms: the token, then the password."""
    router = APIRouter(include_in_schema=False)

    @router.get(PLACE)
    async def arrive(request: Request) -> Response:
        with speaking(language_of(request)):
            field = plain_field(_("Code of the invitation"), "token", 'autocomplete="off" spellcheck="false"')
            form = plain_form(park_name(), _("Invitation"), field, action=PLACE, send=_("Go on"), hidden={})
            return plain_page(_("Invitation"), form + _SEND_ON)

    @router.post(PLACE)
    async def answer(request: Request) -> Response:
        with speaking(language_of(request)):
            try:
                await limits.count_sign_in(request)
                return await _answered(request, identity, park_name())
            except TooOftenError as error:
                return too_often(error)
            except InvitationOverError:
                text = _("This link was used, withdrawn or has come of age. Ask for a new one.")
                return message_page(_("The link opens nothing"), text, 410)
            except LoginTakenError:
                text = _("An account with this login is there already. Sign in, or ask for a new link.")
                return message_page(_("The link opens nothing"), text, 409)
            except AthanorError as error:
                return message_page(_("The account could not be made"), str(error), 422)

    return router


async def _answered(request: Request, identity: Identity, park: str) -> Response:
    form = await request.form()
    token, policy = str(form.get("token", "")), identity.accounts.policy
    invitation = await identity.invitations.look_at(token)

    def again(refusal: str = "") -> Response:
        content = _about(invitation) + new_password_fields(invitation.login, policy)
        title, send = (
            (_("New password"), _("Set the password"))
            if invitation.is_for_password
            else (_("Welcome"), _("Make my account"))
        )
        made = plain_form(park, title, content, action=PLACE, send=send, hidden={"token": token}, refusal=refusal)
        return plain_page(title, made, 422 if refusal else 200)

    if "password" not in form:
        return again()
    password = str(form["password"])
    if password != str(form.get("again", "")):
        return again(different_text())
    try:
        login = await identity.invitations.take(token, password, address=address_of(request))
    except WeakPasswordError as error:
        return again(weakness_text(error, policy))
    return await _signed_in(request, identity, login, password)


async def _signed_in(request: Request, identity: Identity, login: str, password: str) -> Response:
    try:
        session = await identity.sessions.sign_in(login, password, where_of(request))
    except SignInRefusedError:  # disabled: the new password opens nothing before they are let in again
        return RedirectResponse("/sign-in", 303)
    if former := request.cookies.get(COOKIE):
        await identity.sessions.sign_out(former, address=address_of(request))
    answer = RedirectResponse(await onward_from(identity, session, "/"), 303)
    set_session(answer, request, session, identity.sessions.rules.longest.total_seconds())
    return answer


def _about(invitation: Invitation) -> str:
    if invitation.is_for_password:
        said = _("Set a new password for your account.")
    else:
        said = _("{who} invites you. Choose a password, and your account is made.").format(who=invitation.made_by)
    rows = ((_("Name"), invitation.profile.name), (_("Login"), invitation.login))
    listed = "".join(f"<dt>{escape(title)}</dt><dd>{escape(value)}</dd>" for title, value in rows)
    return f"<p>{escape(said)}</p><dl class='ath-sign-in-about'>{listed}</dl>"
