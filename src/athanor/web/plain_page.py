"""Pages without a live connection: sign-in and "not found". A stranger costs the server nothing that lasts."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from nicegui import Client

from athanor.web.language import LANGUAGES, _, current_language
from athanor.web.theme import MARK

_DOCUMENT = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Athanor</title>
<link rel="icon" href="/favicon.ico">
{head}
</head>
<body class="ath"><main class="ath-sign-in"><div>{body}{languages}</div></main></body>
</html>
"""


def plain_page(title: str, body: str, status_code: int = 200, *, may_reload: bool = True) -> HTMLResponse:
    """A page of this HTML, which the caller has escaped.

    Choosing a language loads a page again; one that `may_reload` not, since it says something only once, offers none.
    """
    languages = "".join(
        f'<button type="button" class="is-plain" lang="{language.replace("_", "-")}" '
        f"onclick=\"athanor.chooseLanguage('{language}')\">{name}</button>"
        for language, name in LANGUAGES.items()
    )
    document = _DOCUMENT.format(
        lang=current_language().replace("_", "-"),
        title=escape(title),
        head=Client.shared_head_html,
        body=body,
        languages=f'<div class="ath-sign-in-foot">{languages}</div>' if may_reload else "",
    )
    return HTMLResponse(document, status_code, headers={"Cache-Control": "no-store"})


def message_page(title: str, text: str, status_code: int) -> HTMLResponse:
    """A page that says what is the matter and leads home."""
    return plain_page(
        title,
        f'<div class="ath-card"><div class="ath-empty"><h2>{escape(title)}</h2><p>{escape(text)}</p>'
        f'<a class="ath-button" href="/">{escape(_("To the start page"))}</a></div></div>',
        status_code,
    )


def plain_form(
    park: str, title: str, content: str, *, action: str, send: str, hidden: dict[str, str], refusal: str = ""
) -> str:
    """A form of this content, which the caller has escaped; `refusal` says why the last attempt failed."""
    refused = f'<p class="ath-refused" role="alert">{escape(refusal)}</p>' if refusal else ""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    return f"""
<form class="ath-card" method="post" action="{escape(action)}">
<div class="ath-brand">{MARK}<span>{escape(park)}</span></div>
<h1>{escape(title)}</h1>
{refused}{fields}
{content}
<button class="is-main">{escape(send)}</button>
</form>"""


def plain_field(label: str, name: str, attributes: str) -> str:
    """A field that must be filled in; the caller has escaped the attributes."""
    return f'<label>{escape(label)}<input name="{name}" required {attributes}></label>'


def sign_in_page(
    park: str, *, onward: str, refusal: str = "", login: str = "", elsewhere: Sequence[tuple[str, str]] = ()
) -> HTMLResponse:
    """The form; `refusal` says why the last attempt failed, `elsewhere` are titles and addresses of other ways in."""
    # With a login given, the password was wrong more likely than the login.
    login_focus, password_focus = ("", "autofocus") if login else ("autofocus", "")
    login_field = plain_field(
        _("Login"),
        "login",
        f'value="{escape(login)}" autocomplete="username" autocapitalize="none" spellcheck="false" {login_focus}',
    )
    password_field = plain_field(
        _("Password"), "password", f'type="password" autocomplete="current-password" {password_focus}'
    )
    form = plain_form(
        park,
        _("Sign in"),
        login_field + password_field,
        action="/sign-in",
        send=_("Sign in"),
        hidden={"next": onward},
        refusal=refusal,
    )
    others = "".join(
        f'<a class="ath-button" href="{escape(address)}?next={quote(onward, safe="")}">'
        f"{escape(_('Sign in with {title}').format(title=title))}</a>"
        for title, address in elsewhere
    )
    return plain_page(_("Sign in"), form + others, 401 if refusal else 200)


def local_address(wish: str | None) -> str:
    """Where to go after signing in: an address of ours, or home. Nobody is led elsewhere by a crafted link."""
    if not wish or not wish.startswith("/") or wish.startswith(("//", "/\\")) or any(ord(c) < 32 for c in wish):
        return "/"
    return wish
