"""Tokens by which a consumer's programs call: each opens one grant and nothing else."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.apps.exchange.models import GrantRow, TokenRow
from athanor.apps.exchange.services.access import GrantState, grant_and_product
from athanor.apps.exchange.services.errors import BadRequestForAccessError, NotYoursError
from athanor.apps.exchange.services.rights import consumes, decides
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User

_NAME_LENGTH = 100


async def make_token(session: AsyncSession, viewer: User, grant_id: int, *, name: str, now: datetime) -> str:
    """A new token for a program of the consumer's, told only now.

    Raises NotFoundError, NotYoursError, BadRequestForAccessError.
    """
    grant, _product = await grant_and_product(session, grant_id)
    if not consumes(viewer, grant):
        raise NotYoursError("only who was given access makes tokens for it.")
    if grant.state != GrantState.APPROVED or grant.ends_at <= now:
        raise BadRequestForAccessError("your access does not hold now, so a token would open nothing.")
    name = name.strip()[:_NAME_LENGTH]
    if not name:
        raise BadRequestForAccessError("the token has no name. Name it after the program that will use it.")
    token = secrets.token_urlsafe(32)
    row = TokenRow(grant_id=grant.id, name=name, token_hash=_hash(token), made_by=viewer.login, made_at=now)
    session.add(row)
    await session.flush()
    detail = {"grant": grant.id, "product": grant.product_id, "name": name}
    record(session, viewer.login, "exchange.token-made", str(row.id), detail=detail, at=now)
    return token


async def revoke_token(session: AsyncSession, viewer: User, token_id: int, *, now: datetime) -> None:
    """End a token: by the consumer, or by the owner of the data. Raises NotFoundError, NotYoursError."""
    row = await session.get(TokenRow, token_id)
    if row is None:
        raise NotFoundError("token", token_id)
    grant, product = await grant_and_product(session, row.grant_id)
    if not consumes(viewer, grant) and not decides(viewer, product.owner):
        raise NotYoursError("only its consumer or the product's owner ends a token.")
    if row.revoked_at is None:
        row.revoked_at = now
        record(session, viewer.login, "exchange.token-revoked", str(row.id), detail={"name": row.name}, at=now)


async def grant_of_token(session: AsyncSession, token: str) -> tuple[TokenRow, GrantRow] | None:
    """The token's row and its grant; None for a token that is nobody's, or was revoked."""
    asked = (
        select(TokenRow, GrantRow)
        .join(GrantRow, GrantRow.id == TokenRow.grant_id)
        .where(TokenRow.token_hash == _hash(token), TokenRow.revoked_at.is_(None))
    )
    found = (await session.execute(asked)).one_or_none()
    return None if found is None else (found[0], found[1])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
