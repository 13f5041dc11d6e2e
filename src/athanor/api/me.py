"""One's own account as programs see it: who one is, where one is signed in, and the tokens of one's programs.

A program may ask for whom it acts. All else asks for a person's session: a token makes no tokens and changes nothing.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import OpenSession, handle_of
from athanor.kernel.identity.tokens import MOST, NAME_LENGTH
from athanor.kernel.identity.user import User
from athanor.web.account.answers import TokenAnswer
from athanor.web.account.scopes import check_scopes, permissions_of
from athanor.web.routes import RowNumber, Viewer
from athanor.web.sessions import COOKIE, address_of

router = APIRouter(prefix="/api/v1/me", tags=["account"])


class MeAnswer(BaseModel):
    """Who calls. `scopes` is null for a person, and what a program's token is limited to."""

    login: str
    name: str
    roles: list[str]
    tenant: str | None
    language: str | None
    permissions: list[str]
    scopes: list[str] | None


class SessionAnswer(BaseModel):
    """Where one is signed in. `handle` names it and opens nothing."""

    handle: str
    is_this_one: bool
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str

    @classmethod
    def of(cls, session: OpenSession, this_one: str) -> Self:
        """As it is sent."""
        return cls(
            handle=session.handle,
            is_this_one=session.handle == this_one,
            created_at=session.created_at,
            seen_at=session.seen_at,
            address=session.address,
            agent=session.agent,
        )


class TokenWish(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=NAME_LENGTH, description="Which program has it.")
    scopes: list[str] = Field(
        min_length=1, max_length=200, description="Permissions that you have, or patterns: energy.view, alarms.*"
    )
    expires_at: AwareDatetime = Field(description="Within 366 days.")


class MadeAnswer(BaseModel):
    """A new token; what it proves itself with is told only now."""

    token: str


class EndedAnswer(BaseModel):
    """How many sessions were ended."""

    ended: int


async def person_of(viewer: Viewer) -> User:
    """Who calls, themselves and not by a program. Answers 403 to a token."""
    if viewer.scopes is not None:
        message = "A token neither makes tokens nor changes the account. Sign in, and do it yourself on /account."
        raise HTTPException(HTTPStatus.FORBIDDEN, {"code": "web.person-only", "message": message})
    return viewer


def _identity_of(request: Request) -> Identity:
    identity: Identity = request.app.state.identity
    return identity


Person = Annotated[User, Depends(person_of)]
IdentityOf = Annotated[Identity, Depends(_identity_of)]


@router.get("")
async def me(viewer: Viewer) -> MeAnswer:
    """Who you are, or for whom your program acts, and what that may do."""
    return MeAnswer(
        login=viewer.login,
        name=viewer.name,
        roles=list(viewer.roles),
        tenant=viewer.tenant,
        language=viewer.language,
        permissions=permissions_of(viewer),
        scopes=None if viewer.scopes is None else sorted(viewer.scopes),
    )


@router.get("/sessions")
async def sessions(request: Request, person: Person, identity: IdentityOf) -> list[SessionAnswer]:
    """Where you are signed in, the newest first."""
    this_one = handle_of(request.cookies.get(COOKIE, ""))
    return [SessionAnswer.of(one, this_one) for one in await identity.sessions.of(person.login)]


@router.delete("/sessions")
async def end_other_sessions(request: Request, person: Person, identity: IdentityOf) -> EndedAnswer:  # noqa: ARG001
    """Sign yourself out everywhere but here."""
    token = request.cookies.get(COOKIE, "")
    return EndedAnswer(ended=await identity.sessions.end_others(token, address=address_of(request)))


@router.delete("/sessions/{handle}", status_code=HTTPStatus.NO_CONTENT)
async def end_session(handle: str, request: Request, person: Person, identity: IdentityOf) -> None:
    """Sign yourself out somewhere. 404 for a session that is over, or not yours."""
    await identity.sessions.end(person.login, handle, actor=person.login, address=address_of(request))


@router.get("/tokens")
async def tokens(person: Person, identity: IdentityOf) -> list[TokenAnswer]:
    """The tokens of your programs, the newest first; those that ended too."""
    return [TokenAnswer.of(one) for one in await identity.tokens.of(person.login)]


@router.post(
    "/tokens",
    status_code=HTTPStatus.CREATED,
    description=f"Make a token for a program of yours, within permissions that you have. At most {MOST} are open.",
)
async def make_token(wish: TokenWish, request: Request, person: Person, identity: IdentityOf) -> MadeAnswer:
    """A new token. Answers 422 where it cannot be made."""
    check_scopes(person, wish.scopes)
    token = await identity.tokens.make(
        person.login, wish.name, wish.scopes, wish.expires_at, actor=person.login, address=address_of(request)
    )
    return MadeAnswer(token=token)


@router.delete("/tokens/{number}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_token(number: RowNumber, request: Request, person: Person, identity: IdentityOf) -> None:
    """End a token of yours now. 404 for one that is not yours."""
    await identity.tokens.revoke(person.login, number, actor=person.login, address=address_of(request))
