"""Pages without a live connection: sign-in and "not found". A stranger costs the server nothing that lasts."""

from html import escape

from fastapi import Request
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


def plain_page(title: str, body: str, status_code: int = 200) -> HTMLResponse:
    """A page of this HTML, which the caller has escaped."""
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
        languages=f'<div class="ath-sign-in-foot">{languages}</div>',
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


def sign_in_page(park: str, *, onward: str, refusal: str = "", login: str = "") -> HTMLResponse:
    """The form; `refusal` says why the last attempt failed."""
    refused = f'<p class="ath-refused" role="alert">{escape(refusal)}</p>' if refusal else ""
    login_field = _field(
        _("Login"), "login", f'value="{escape(login)}" autocomplete="username" autocapitalize="none" spellcheck="false"'
    )
    password_field = _field(_("Password"), "password", 'type="password" autocomplete="current-password"')
    if login:  # the password was wrong more likely than the login
        password_field = password_field.replace("required", "required autofocus")
    else:
        login_field = login_field.replace("required", "required autofocus")
    form = f"""
<form class="ath-card" method="post" action="/sign-in">
<div class="ath-brand">{MARK}<span>{escape(park)}</span></div>
<h1>{escape(_("Sign in"))}</h1>
{refused}
<input type="hidden" name="next" value="{escape(onward)}">
{login_field}
{password_field}
<button class="is-main">{escape(_("Sign in"))}</button>
</form>"""
    return plain_page(_("Sign in"), form, 401 if refusal else 200)


def _field(label: str, name: str, attributes: str) -> str:
    return f'<label>{escape(label)}<input name="{name}" required {attributes}></label>'


def came_from_here(request: Request) -> bool:
    """Whether a form was sent from one of our own pages: browsers say so, and no other site can say it for them."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def local_address(wish: str | None) -> str:
    """Where to go after signing in: an address of ours, or home. Nobody is led elsewhere by a crafted link."""
    if not wish or not wish.startswith("/") or wish.startswith(("//", "/\\")) or any(ord(c) < 32 for c in wish):
        return "/"
    return wish
