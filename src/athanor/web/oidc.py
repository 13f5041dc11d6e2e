"""`/sign-in/openid`: to the OpenID provider and back."""

from dataclasses import asdict

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.oidc import Begun, OidcProvider, OpenIdRefusedError
from athanor.kernel.identity.service import Identity
from athanor.kernel.vault import Vault, VaultLockedError
from athanor.web.language import _, language_of, speaking
from athanor.web.plain_page import local_address, message_page
from athanor.web.sessions import REFUSALS, refusal_text, set_session, where_of

GO = "/sign-in/openid"
_KEPT = "athanor_openid"  # a cookie: what was begun, sealed, since it comes back from elsewhere
_KEPT_S = 600
_BACK = f"{GO}/back"


def openid_routes(identity: Identity, provider: OidcProvider, vault: Vault) -> APIRouter:
    """Both ways."""
    router = APIRouter(include_in_schema=False)

    @router.get(GO)
    async def go(request: Request, next: str = "/") -> Response:  # noqa: A002 (the query's name)
        try:
            address, begun = await provider.begin(str(request.base_url).rstrip("/") + _BACK, local_address(next))
        except REFUSALS as error:
            return _failed(request, error)
        answer = RedirectResponse(address, 303)
        answer.set_cookie(
            _KEPT,
            vault.encrypt(orjson.dumps(asdict(begun)).decode()),
            max_age=_KEPT_S,
            path=_BACK,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.get(_BACK)
    async def come_back(request: Request) -> Response:
        answer: Response
        try:
            begun = _begun(request, vault)
            row = await provider.finish(dict(request.query_params), begun)
            token = await identity.sessions.begin_for(row, where_of(request))
        except REFUSALS as error:
            answer = _failed(request, error)
        else:
            answer = RedirectResponse(local_address(begun.onward), 303)
            set_session(answer, request, token, identity.sessions.rules.longest.total_seconds())
        answer.delete_cookie(_KEPT, path=_BACK)  # once: what was begun cannot be ended twice
        return answer

    return router


def _begun(request: Request, vault: Vault) -> Begun:
    try:
        return Begun(**orjson.loads(vault.decrypt(request.cookies.get(_KEPT, ""))))
    except VaultLockedError as error:
        raise OpenIdRefusedError("it took too long, or was begun in another browser") from error


def _failed(request: Request, error: AthanorError) -> Response:
    with speaking(language_of(request)):
        return message_page(_("You are not signed in"), refusal_text(error), 403)
