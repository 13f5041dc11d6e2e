"""What REST answers of accounts, whether it is one's own or one that is administered."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from athanor.kernel.identity.tokens import ApiToken


class TokenAnswer(BaseModel):
    """A program's token, without what it proves itself with."""

    id: int
    name: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        """As it is sent."""
        return cls(
            id=token.id,
            name=token.name,
            scopes=list(token.scopes),
            made_at=token.made_at,
            expires_at=token.expires_at,
            used_at=token.used_at,
            used_from=token.used_from,
            revoked_at=token.revoked_at,
        )
