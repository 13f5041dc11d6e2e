"""Areas that enterprises lend each other, as programs see them: what is lent, lending, ending it."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from athanor.apps.exchange.services import lending
from athanor.apps.exchange.services.lending import State
from athanor.kernel.identity.grants import Grant
from athanor.kernel.plant.model import TagKind
from athanor.web.routes import IdentityPort, ParkPort, Viewer

router = APIRouter(prefix="/grants", tags=["exchange"])

_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_Id = Annotated[str, Field(min_length=1, max_length=200)]


class GrantWish(BaseModel):
    """What is lent to whom. The enterprise that lends is the one whose area it is."""

    model_config = ConfigDict(extra="forbid")

    consumer: _Id = Field(description="The enterprise that is to see it.")
    area: str = Field(min_length=1, max_length=500, description="Path of a node; it and all below it.")
    kinds: frozenset[TagKind] = Field(frozenset(), description="Kinds of tags; all where left out.")
    data_from: AwareDatetime | None = Field(None, description="Nothing older is seen; all there is where left out.")
    begins_at: AwareDatetime | None = Field(None, description="Now where left out.")
    ends_at: AwareDatetime
    purpose: str = Field(max_length=2000)


class EndWish(BaseModel):
    """Why a grant is revoked."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=2000)


class GrantAnswer(BaseModel):
    """A grant and what became of it."""

    id: int
    owner: str
    consumer: str
    area: str
    kinds: list[str]
    data_from: datetime | None
    begins_at: datetime
    ends_at: datetime
    purpose: str
    state: State
    made_by: str
    made_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    revocation: str | None

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """As it is sent."""
        offer = grant.offer
        return cls(
            id=grant.id,
            owner=offer.owner,
            consumer=offer.consumer,
            area=offer.area,
            kinds=sorted(offer.kinds),
            data_from=offer.data_from,
            begins_at=offer.begins_at,
            ends_at=offer.ends_at,
            purpose=offer.purpose,
            state=lending.state_of(grant, datetime.now(UTC)),
            made_by=grant.made_by,
            made_at=grant.made_at,
            revoked_by=grant.revoked_by,
            revoked_at=grant.revoked_at,
            revocation=grant.revocation,
        )


@router.get("")
async def granted(identity: IdentityPort, viewer: Viewer) -> list[GrantAnswer]:
    """What your enterprise lends and is lent, the newest first; for the park's people, all."""
    return [GrantAnswer.of(grant) for grant in await lending.listed(identity, viewer)]


@router.post("", status_code=HTTPStatus.CREATED)
async def lend(
    wish: GrantWish, identity: IdentityPort, park: ParkPort, viewer: Viewer, request: Request
) -> GrantAnswer:
    """Let another enterprise see an area of yours."""
    asked = lending.Wish(
        consumer=wish.consumer,
        area=wish.area,
        kinds=frozenset(kind.value for kind in wish.kinds),
        data_from=wish.data_from,
        begins_at=wish.begins_at or datetime.now(UTC),
        ends_at=wish.ends_at,
        purpose=wish.purpose,
    )
    return GrantAnswer.of(await lending.lend(identity, park, viewer, asked, _address(request)))


@router.get("/{number}")
async def one(number: _Number, identity: IdentityPort, viewer: Viewer) -> GrantAnswer:
    """One grant. 404 for one between others."""
    return GrantAnswer.of(await lending.found(identity, viewer, number))


@router.post("/{number}/revoke")
async def revoke(
    number: _Number, wish: EndWish, identity: IdentityPort, viewer: Viewer, request: Request
) -> GrantAnswer:
    """End a grant now: by who gave it."""
    return GrantAnswer.of(await lending.end(identity, viewer, number, wish.reason, _address(request)))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
