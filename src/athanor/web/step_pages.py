"""The plain pages of a sign-in's further steps: code, setting up a second factor, a new password."""

import io
from collections.abc import Sequence
from html import escape

import segno
from fastapi.responses import HTMLResponse

from athanor.kernel.identity.passwords import PasswordPolicy, Weakness, WeakPasswordError
from athanor.web.language import _
from athanor.web.plain_page import plain_field, plain_form, plain_page
from athanor.web.theme import MARK

_CODE = 'inputmode="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" autofocus'


def code_page(park: str, *, onward: str, refusal: str = "") -> HTMLResponse:
    """Asks for the code of the phone, or a recovery code."""
    content = (
        f"<p>{escape(_('Type the six digits that the app on your phone shows now.'))}</p>"
        + plain_field(_("Code"), "code", _CODE)
        + f"<p class='ath-sign-in-note'>{escape(_('No phone at hand? Type one of your recovery codes instead.'))}</p>"
    )
    return _step(park, _("Second factor"), content, "/sign-in/code", _("Go on"), {"next": onward}, refusal)


def enrolment_page(park: str, *, onward: str, secret: str, address: str, refusal: str = "") -> HTMLResponse:
    """Shows the secret, as a QR code and as text, and asks for the first code that the phone makes of it."""
    why = _("Your role asks for a second factor. Read this code with an authenticator app on your phone.")
    content = (
        f"<p>{escape(why)}</p>{qr_code(address)}"
        f"<p class='ath-sign-in-note'>{escape(_('Or type this key into the app:'))}</p>"
        f"<code class='ath-sign-in-key'>{escape(spaced(secret))}</code>"
        + plain_field(_("Code that the app shows"), "code", _CODE)
    )
    hidden = {"next": onward, "secret": secret}
    return _step(park, _("Set up a second factor"), content, "/sign-in/second-factor", _("Set up"), hidden, refusal)


def recovery_page(park: str, login: str, codes: Sequence[str], *, onward: str) -> HTMLResponse:
    """Shows the recovery codes, which nobody sees again."""
    listed = "".join(f"<li><code>{escape(code)}</code></li>" for code in codes)
    body = f"""
<div class="ath-card ath-sign-in-card">
<div class="ath-brand">{MARK}<span>{escape(park)}</span></div>
<h1>{escape(_("Recovery codes"))}</h1>
<p>{escape(recovery_text(login))}</p>
<ol class="ath-recovery" aria-label="{escape(_("Recovery codes"))}">{listed}</ol>
<button type="button" onclick="print()">{escape(_("Print"))}</button>
<a class="ath-button is-main" href="{escape(onward)}">{escape(_("I have kept them"))}</a>
</div>"""
    return plain_page(_("Recovery codes"), body, may_reload=False)


def recovery_text(login: str) -> str:
    """What recovery codes are for."""
    return _(
        "Each of these opens the account {login} once if the phone is lost. Print them, or keep them where only you "
        "get at them. They are shown only now."
    ).format(login=login)


def new_password_page(park: str, login: str, policy: PasswordPolicy, *, onward: str, refusal: str = "") -> HTMLResponse:
    """Asks for a new password before anything opens."""
    content = f"<p>{escape(_('Your password has to be changed before you go on.'))}</p>" + new_password_fields(
        login, policy
    )
    return _step(park, _("New password"), content, "/sign-in/password", _("Change"), {"next": onward}, refusal)


def new_password_fields(login: str, policy: PasswordPolicy) -> str:
    """Two fields for a new password; the login goes with them for the browser's store of passwords."""
    known = (
        f'<input class="ath-sign-in-login" name="username" autocomplete="username" value="{escape(login)}" readonly>'
    )
    limits = f'type="password" autocomplete="new-password" minlength="{policy.min_length}"'
    return (
        known
        + plain_field(_("New password"), "password", f"{limits} autofocus")
        + plain_field(_("New password again"), "again", limits)
        + f"<p class='ath-sign-in-note'>{escape(policy_text(policy))}</p>"
    )


def policy_text(policy: PasswordPolicy) -> str:
    """What a password must be like."""
    text = _("At least {n} characters, and not easily guessed. A few words in a row are good.").format(
        n=policy.min_length
    )
    if policy.classes > 1:
        text += " " + _("{n} of: small letters, capital letters, digits, others.").format(n=policy.classes)
    return text


def weakness_text(error: WeakPasswordError, policy: PasswordPolicy) -> str:
    """Why a password cannot be set."""
    if error.weakness is Weakness.GUESSED:
        return _("This password is easily guessed: a common one, a pattern, or made of your login. Choose another one.")
    return policy_text(policy)


def different_text() -> str:
    """What is said where the two fields differ."""
    return _("The two passwords differ. Type the new one twice.")


def qr_code(text: str) -> str:
    """An SVG element, dark on light in any theme, since phones read no other."""
    sink = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        sink, kind="svg", xmldecl=False, svgns=False, scale=5, border=4, dark="#000", light="#fff",
        title=_("QR code for the authenticator app"), svgclass="ath-qr", lineclass=None, omitsize=True,
    )  # fmt: skip
    return sink.getvalue().decode()


def spaced(secret: str) -> str:
    """A key in groups of four, for who types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _step(
    park: str, title: str, content: str, action: str, send: str, hidden: dict[str, str], refusal: str
) -> HTMLResponse:
    form = plain_form(park, title, content, action=action, send=send, hidden=hidden, refusal=refusal)
    leave = (
        f'<form class="ath-sign-in-leave" method="post" action="/sign-out">'
        f'<button class="is-plain">{escape(_("Sign in as somebody else"))}</button></form>'
    )
    return plain_page(title, form + leave, 401 if refusal else 200)
