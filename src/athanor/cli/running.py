"""The server that runs beside a command, if one does: whose it is, and a session with it."""

import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from athanor.cli.accounts import ACTOR
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.instance import Instance
from athanor.kernel.identity.service import Identity
from athanor.kernel.settings import Settings
from athanor.platform import open_identity


class NoAdministratorError(AthanorError):
    """A running server has nobody as whom a command could ask it."""

    code = "cli.no-administrator"

    def __init__(self) -> None:
        super().__init__(
            "The server that runs has no administrator of the park, as whom it could be asked. Make one, or stop the "
            "server for the time of this command."
        )


@asynccontextmanager
async def session_with(settings: Settings) -> AsyncIterator[str | None]:
    """A session as an administrator of the park with our own running server; None where it does not run.

    Raises NoAdministratorError.
    """
    if not await _is_ours(settings):
        yield None
        return
    async with open_identity(settings) as identity:
        session = await identity.sessions.open(await _administrator(identity), actor=ACTOR)
        try:
            yield session
        finally:
            await identity.sessions.sign_out(session, address=ACTOR)


def url_of(settings: Settings) -> str:
    """Where the server of these settings answers on this machine."""
    host = settings.server.host
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    scheme = "https" if settings.server.tls_certificate else "http"
    return f"{scheme}://{shown}:{settings.server.port}"


def trust_of(settings: Settings) -> ssl.SSLContext | bool:
    """Whom to believe that they are the server of these settings: of https, who has its very certificate.

    It is made out to the server's name for the world, and not to this machine's own address, so the name is not
    compared.
    """
    if settings.server.tls_certificate is None:
        return True
    context = ssl.create_default_context(cafile=settings.server.tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


async def _is_ours(settings: Settings) -> bool:
    """Whether who answers there owns this data: nobody else is handed an administrator's session."""
    instance = Instance.known(settings.data_dir)
    if instance is None:
        return False
    challenge = secrets.token_urlsafe(32)
    try:
        async with httpx.AsyncClient(
            base_url=url_of(settings), verify=trust_of(settings), trust_env=False, timeout=2
        ) as client:
            answer = await client.get("/healthz", params={"challenge": challenge})
        return answer.is_success and instance.is_proof(challenge, str(answer.json().get("proof")))
    except (httpx.HTTPError, ValueError, AttributeError):  # nobody, or something else
        return False


async def _administrator(identity: Identity) -> str:
    """The login of somebody who may see everything."""
    for user in await identity.accounts.users():
        if "administrator" in user.roles and user.tenants is None:
            return user.login
    raise NoAdministratorError
