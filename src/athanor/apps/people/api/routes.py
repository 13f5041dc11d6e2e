"""REST routes of People, under /api/v1/people. Somebody of another enterprise is answered as if not there."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.routing import APIRoute

from athanor.apps.people.api.models import (
    AccountIn,
    ChangeIn,
    DepartmentChangeIn,
    DepartmentIn,
    DepartmentOut,
    EnterpriseOut,
    InvitationIn,
    InvitationOut,
    LinkOut,
    PersonOut,
    RoleIn,
    RoleOut,
    SessionOut,
    State,
)
from athanor.apps.people.services import departments, invitations, onboarding, people, roles
from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import AboveYouError, NotYourselfError, NotYoursError
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.accounts import LastAdministratorError, LoginTakenError
from athanor.kernel.identity.roles import Role
from athanor.web.account.answers import TokenAnswer
from athanor.web.invitation import invitation_link
from athanor.web.routes import CurrentPort, IdentityPort, PlantPort, Viewer
from athanor.web.sessions import address_of

_STATUS: dict[type[AthanorError], HTTPStatus] = {
    NotYoursError: HTTPStatus.FORBIDDEN,
    AboveYouError: HTTPStatus.FORBIDDEN,
    NotYourselfError: HTTPStatus.CONFLICT,
    LoginTakenError: HTTPStatus.CONFLICT,
    LastAdministratorError: HTTPStatus.CONFLICT,
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    403: {"description": "Your role does not include it, or it grants more than you may."},
    404: {"description": "Not there, or another enterprise's."},
    409: {"description": "The login is taken, or nobody could administer the park any more."},
}


class _Route(APIRoute):
    """Answers what the services refuse by its own status."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except tuple(_STATUS) as error:
                status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
                raise HTTPException(status, {"code": error.code, "message": str(error)}) from error

        return answer


async def _acting(request: Request, viewer: Viewer, identity: IdentityPort, plant: PlantPort) -> Acting:
    return Acting(identity, viewer, plant, address_of(request))


ActingOf = Annotated[Acting, Depends(_acting)]
router = APIRouter(tags=["people"], route_class=_Route, responses=_ANSWERS)


Login = Annotated[str, Path(description="In any spelling that is compared equal.", max_length=100)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/accounts")
async def list_people(
    acting: ActingOf,
    enterprise: Annotated[str | None, Query(description="Only its people; `park` for the park's own.")] = None,
    role: Annotated[str | None, Query(description="Only who has this role.")] = None,
    state: State | None = None,
    text: Annotated[str, Query(description="Part of a login, name, post or department.", max_length=200)] = "",
) -> list[PersonOut]:
    """The people whom you administer, by login."""
    found = [PersonOut.of(one) for one in await people.people(acting)]
    wanted = text.strip().casefold()
    return [
        one
        for one in found
        if (enterprise is None or (one.enterprise or "park") == enterprise)
        and (role is None or role in one.roles)
        and (state is None or one.state is state)
        and (not wanted or any(wanted in part.casefold() for part in (one.login, one.name, one.post, one.department)))
    ]


@router.post("/accounts", status_code=HTTPStatus.CREATED)
async def add_person(acting: ActingOf, said: AccountIn) -> PersonOut:
    """Make an account at once; its password is changed at the first sign-in."""
    login = await people.add(acting, said.login, said.profile(), said.password.get_secret_value())
    return PersonOut.of(await people.person(acting, login))


@router.get("/accounts/{login}")
async def get_person(acting: ActingOf, login: Login) -> PersonOut:
    """One person."""
    return PersonOut.of(await people.person(acting, login))


@router.patch("/accounts/{login}")
async def change_person(acting: ActingOf, login: Login, said: ChangeIn) -> PersonOut:
    """Change what is said of somebody; a change of rights holds from their next request on."""
    before = await acting.account(login)
    await people.change(acting, login, said.onto(before.profile))
    return PersonOut.of(await people.person(acting, login))


@router.post("/accounts/{login}/disable")
async def disable_person(acting: ActingOf, login: Login) -> PersonOut:
    """Let nobody sign in as them; their sessions and tokens end now."""
    await people.disable(acting, login)
    return PersonOut.of(await people.person(acting, login))


@router.post("/accounts/{login}/enable")
async def enable_person(acting: ActingOf, login: Login) -> PersonOut:
    """Let them sign in again."""
    await people.enable(acting, login)
    return PersonOut.of(await people.person(acting, login))


@router.post("/accounts/{login}/password-link", status_code=HTTPStatus.CREATED)
async def make_password_link(acting: ActingOf, login: Login, request: Request, response: Response) -> LinkOut:
    """A link by which they set a new password, told only now."""
    return _told(await people.link_to_password(acting, login), request, response)


@router.delete("/accounts/{login}/second-factor", status_code=HTTPStatus.NO_CONTENT)
async def remove_second_factor(acting: ActingOf, login: Login) -> None:
    """For a phone that is lost: sign-in asks for the password alone again."""
    await people.remove_second_factor(acting, login)


@router.delete("/accounts/{login}/lock", status_code=HTTPStatus.NO_CONTENT)
async def unlock_person(acting: ActingOf, login: Login) -> None:
    """Forget failed attempts to sign in."""
    await people.unlock(acting, login)


@router.get("/accounts/{login}/sessions")
async def list_sessions(acting: ActingOf, login: Login) -> list[SessionOut]:
    """Where they are signed in."""
    return [SessionOut.of(one) for one in await people.sessions(acting, login)]


@router.delete("/accounts/{login}/sessions/{handle}", status_code=HTTPStatus.NO_CONTENT)
async def end_session(acting: ActingOf, login: Login, handle: str) -> None:
    """Sign them out there."""
    await people.end_session(acting, login, handle)


@router.get("/accounts/{login}/tokens")
async def list_tokens(acting: ActingOf, login: Login) -> list[TokenAnswer]:
    """Their programs' tokens, the newest first."""
    return [TokenAnswer.of(one) for one in await people.tokens(acting, login)]


@router.delete("/accounts/{login}/tokens/{number}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_token(acting: ActingOf, login: Login, number: Number) -> None:
    """End one of their programs' tokens."""
    await people.revoke_token(acting, login, number)


@router.get("/invitations")
async def list_invitations(acting: ActingOf) -> list[InvitationOut]:
    """Links that still open something, the newest first."""
    return [InvitationOut.of(one) for one in await invitations.open_invitations(acting)]


@router.post("/invitations", status_code=HTTPStatus.CREATED)
async def invite(acting: ActingOf, said: InvitationIn, request: Request, response: Response) -> LinkOut:
    """A link by which somebody makes their account, told only now; links made before for this login end."""
    return _told(await people.invite(acting, said.login, said.profile()), request, response)


@router.delete("/invitations/{number}", status_code=HTTPStatus.NO_CONTENT)
async def withdraw_invitation(acting: ActingOf, number: Number) -> None:
    """Let a link open nothing."""
    await invitations.withdraw(acting, number)


@router.get("/permissions")
async def list_permissions(acting: ActingOf) -> dict[str, list[str]]:
    """What roles may grant, by app."""
    return {area.id: list(area.permissions) for area in (await roles.matrix(acting)).areas}


@router.get("/roles")
async def list_roles(acting: ActingOf) -> list[RoleOut]:
    """The built-in roles, then the park's own."""
    return [RoleOut.of(role) for role in await roles.roles(acting)]


@router.put("/roles/{name}")
async def keep_role(acting: ActingOf, name: str, said: RoleIn) -> RoleOut:
    """Make a role of the park, or change one; it holds from the next request on. For the park's administrators."""
    role = Role(name, {str(language): text for language, text in said.title.items()}, tuple(said.permissions))
    await roles.keep(acting, role)
    return RoleOut.of(next(one for one in await roles.roles(acting) if one.name == name))


@router.delete("/roles/{name}", status_code=HTTPStatus.NO_CONTENT)
async def remove_role(acting: ActingOf, name: str) -> None:
    """Remove a role that nobody has. For the park's administrators."""
    await roles.remove(acting, name)


@router.get("/departments")
async def list_departments(acting: ActingOf) -> list[DepartmentOut]:
    """Those of the enterprises that you administer, by name."""
    return [DepartmentOut.of(one) for one in await departments.departments(acting)]


@router.post("/departments", status_code=HTTPStatus.CREATED)
async def make_department(acting: ActingOf, said: DepartmentIn) -> DepartmentOut:
    """A new one."""
    number = await departments.make(acting, said.enterprise, said.name, said.above_id)
    return DepartmentOut.of(await departments.department(acting, number))


@router.patch("/departments/{number}")
async def change_department(acting: ActingOf, number: Number, said: DepartmentChangeIn) -> DepartmentOut:
    """Rename it, move it, or both."""
    if "above_id" in said.model_fields_set:
        await departments.move(acting, number, said.above_id)
    if said.name is not None:
        await departments.rename(acting, number, said.name)
    return DepartmentOut.of(await departments.department(acting, number))


@router.delete("/departments/{number}", status_code=HTTPStatus.NO_CONTENT)
async def remove_department(acting: ActingOf, number: Number) -> None:
    """Remove one that nobody belongs to and that holds no other."""
    await departments.remove(acting, number)


@router.get("/onboarding")
async def list_onboarding(acting: ActingOf, current: CurrentPort) -> list[EnterpriseOut]:
    """How far each enterprise has come, those with most left to do first. For the park's administrators."""
    return [EnterpriseOut.of(one) for one in await onboarding.enterprises(acting, current, datetime.now(UTC))]


def _told(link: people.Link, request: Request, response: Response) -> LinkOut:
    response.headers["cache-control"] = "no-store"
    return LinkOut(
        link=f"{str(request.base_url).rstrip('/')}{invitation_link(link.token)}",
        expires_at=datetime.now(UTC) + link.lasts,
    )
