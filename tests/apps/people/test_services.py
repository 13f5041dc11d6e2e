"""What administrators can do with people, and what they cannot: on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from sqlalchemy import select

from athanor.apps.people.services import departments, invitations, onboarding, people, roles
from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import (
    AboveYouError,
    BadProfileError,
    NotYourselfError,
    NotYoursError,
)
from athanor.apps.people.services.onboarding import Step
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import STORED
from athanor.kernel.identity.accounts import LastAdministratorError, LoginTakenError, OutsidePasswordError, Profile
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.departments import BadDepartmentError
from athanor.kernel.identity.invitations import InvitationOverError
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.roles import BadRoleError, Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import SignInRefusedError
from athanor.kernel.identity.tables import AuditRow, UserRow
from athanor.kernel.plant.model import Level, Node, Plant, Tag, TagId, Tenant
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import TIME
from athanor.kernel.vault import Vault

NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
POWER = Tag("smelter.power", {"en": "Power"}, "kW", period_s=10.0)
PLANT = RunningPlant(
    Plant(
        "park",
        {"en": "Park"},
        "Asia/Shanghai",
        {one: Tenant(one, {"en": one.title()}) for one in ("copper", "carbon")},
        {"smelter": Node("smelter", Level.SITE, {"en": "Smelter"}, "copper", tags=(POWER,))},
    ),
    1,
    {"smelter.power": TagId(0)},
)


class Park:
    """Two enterprises, each with an administrator and an operator, and the park's own administrator."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.identity = Identity(
            database, Vault(Fernet.generate_key()), passwords=Passwords(QUICK), now=lambda: self.now
        )

    async def settle(self) -> None:
        await self.make("pia", ("administrator",), None)
        for tenant in ("copper", "carbon"):
            await self.make(f"{tenant}-head", ("administrator",), tenant)
            await self.make(f"{tenant}-hand", ("operator",), tenant)

    async def make(self, login: str, roles: tuple[str, ...], tenant: str | None) -> None:
        await self.identity.accounts.create(login, Profile(login.title(), roles, tenant), PASSWORD, actor="test")

    async def by(self, login: str) -> Acting:
        """Somebody who acts, with all that they may do at this moment."""
        token = await self.identity.sessions.open(login, actor="test")
        user = await self.identity.sessions.user_of(token)
        assert user is not None
        return Acting(self.identity, user, PLANT.visible_to(user.tenants), "10.0.0.7")

    async def newest(self) -> tuple[str, str, str, str]:
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(1)
        async with self.database.reading() as session:
            row = (await session.scalars(query)).one()
            return row.actor, row.action, row.subject, row.address


@pytest.fixture
async def park(database: Database) -> AsyncIterator[Park]:
    made = Park(database)
    await made.settle()
    yield made
    assert (await verify(database)).is_whole


async def test_the_parks_administrators_see_everybody_and_an_enterprises_only_its_own(park: Park) -> None:
    everybody = ["carbon-hand", "carbon-head", "copper-hand", "copper-head", "pia"]
    assert [one.account.login for one in await people.people(await park.by("pia"))] == everybody
    own = await people.people(await park.by("copper-head"))
    assert [one.account.login for one in own] == ["copper-hand", "copper-head"]
    with pytest.raises(NotYoursError):
        await people.people(await park.by("copper-hand"))
    colleagues = await people.colleagues(await park.by("copper-hand"))
    assert [one.name for one in colleagues] == ["Copper-Hand", "Copper-Head"]
    await roles.make(await park.by("pia"), Role("blind", {}, ("energy.edit",)))
    await park.make("bo", ("blind",), "copper")
    with pytest.raises(NotYoursError):
        await people.colleagues(await park.by("bo"))


ACTIONS: dict[str, Callable[[Acting, str], Awaitable[object]]] = {
    "person": people.person,
    "sessions": people.sessions,
    "tokens": people.tokens,
    "change": lambda acting, login: people.change(acting, login, Profile("X", ("viewer",), "copper")),
    "disable": people.disable,
    "enable": people.enable,
    "link": people.link_to_password,
    "second factor": people.remove_second_factor,
    "unlock": people.unlock,
    "end session": lambda acting, login: people.end_session(acting, login, "0" * 16),
    "revoke token": lambda acting, login: people.revoke_token(acting, login, 1),
}


async def test_people_of_another_enterprise_and_of_the_park_are_not_there(park: Park) -> None:
    head, hand = await park.by("copper-head"), await park.by("copper-hand")
    for act in ACTIONS.values():
        for login in ("carbon-hand", "carbon-head", "pia", "nobody"):
            with pytest.raises(NotFoundError):
                await act(head, login)
        with pytest.raises(NotYoursError):
            await act(hand, "copper-head")


async def test_an_enterprises_administrator_gives_nobody_another_enterprise_or_the_park(park: Park) -> None:
    acting = await park.by("copper-head")
    for tenant, error in (("carbon", NotFoundError), ("nowhere", NotFoundError), (None, NotYoursError)):
        profile = Profile("New", ("viewer",), tenant)
        with pytest.raises(error):
            await people.invite(acting, "new", profile)
        with pytest.raises(error):
            await people.add(acting, "new", profile, PASSWORD)
        with pytest.raises(error):
            await people.change(acting, "copper-hand", profile)
        with pytest.raises(error):
            await departments.make(acting, tenant, "New")
    assert (await park.identity.accounts.account("copper-hand")).profile.tenant == "copper"


async def test_who_administers_by_a_role_made_here_gives_no_more_than_it_grants(park: Park) -> None:
    pia = await park.by("pia")
    await roles.make(pia, Role("clerk", {"en": "Clerk"}, ("people.administer", "*.view")))
    for tenant in ("copper", None):
        login = f"clerk-{tenant}"
        await park.make(login, ("clerk",), tenant)
        clerk = await park.by(login)
        assert [one.name for one in await roles.givable_roles(clerk)] == ["viewer", "clerk"]
        with pytest.raises(AboveYouError):
            await people.change(clerk, login, Profile("Clerk", ("clerk", "administrator"), tenant))
        with pytest.raises(AboveYouError):
            await people.add(clerk, "puppet", Profile("P", ("operator",), tenant), PASSWORD)
        with pytest.raises(AboveYouError):
            await people.invite(clerk, "puppet", Profile("P", ("engineer",), tenant))
        boss = "copper-head" if tenant else "pia"
        for action in ("link", "disable", "second factor"):  # each would be a way to be them
            with pytest.raises(AboveYouError):
                await ACTIONS[action](clerk, boss)
    clerk = await park.by("clerk-None")
    with pytest.raises(AboveYouError):
        await roles.keep(clerk, Role("clerk", {}, ("*.*",)))


async def test_only_the_parks_administrators_change_roles(park: Park) -> None:
    head = await park.by("copper-head")
    for act in (
        roles.keep(head, Role("mine", {}, ("energy.view",))),
        roles.make(head, Role("mine", {}, ("energy.view",))),
        roles.remove(head, "mine"),
    ):
        with pytest.raises(NotYoursError):
            await act


async def test_a_role_that_was_made_is_given_changed_and_not_removed_while_in_use(park: Park) -> None:
    pia = await park.by("pia")
    await roles.make(pia, Role("planner", {"en": "Planner", "zh_CN": " 计划员 "}, ("energy.view", "energy.view")))
    assert (await roles.roles(pia))[-1] == Role("planner", {"en": "Planner", "zh_CN": "计划员"}, ("energy.view",))
    with pytest.raises(BadRoleError):
        await roles.make(pia, Role("planner", {}, ("energy.edit",)))
    link = await people.invite(pia, "paul", Profile("Paul", ("planner",), "copper"))
    with pytest.raises(BadRoleError):
        await roles.remove(pia, "planner")
    await park.identity.invitations.take(link.token, PASSWORD)
    assert (await park.by("paul")).viewer.may("energy.view")
    await roles.keep(pia, Role("planner", {}, ("energy.edit",)))
    assert not (await park.by("paul")).viewer.may("energy.view")
    with pytest.raises(BadRoleError):
        await roles.remove(pia, "planner")
    await people.change(pia, "paul", Profile("Paul", ("viewer",), "copper"))
    await roles.remove(pia, "planner")
    assert await park.newest() == ("pia", "identity.role-removed", "planner", "10.0.0.7")
    with pytest.raises(BadRoleError):
        await roles.remove(pia, "administrator")
    with pytest.raises(BadRoleError):
        await roles.keep(pia, Role("empty", {}, ()))


async def test_the_matrix_says_what_each_role_may_do(park: Park) -> None:
    matrix = await roles.matrix(await park.by("pia"))
    by_role = {one.role: one.permissions for one in matrix.granted}
    everything = {permission for area in matrix.areas for permission in area.permissions}
    assert by_role["administrator"] == everything
    assert by_role["viewer"] == {one for one in everything if one.endswith(".view")}
    assert {"people.view", "people.administer"} <= everything
    assert {"people", "exchange", "platform"} <= {area.id for area in matrix.areas}


async def test_an_invitation_names_a_department_and_is_withdrawn_by_its_own_enterprise_only(park: Park) -> None:
    head, rival = await park.by("copper-head"), await park.by("carbon-head")
    number = await departments.make(head, "copper", "Smelting")
    link = await people.invite(head, " Lin.Wei ", Profile("Lin Wei", ("operator",), "copper", number, "Shift leader"))
    assert await invitations.open_invitations(rival) == []
    (invitation,) = await invitations.open_invitations(head)
    assert (invitation.login, invitation.profile.department_id) == ("lin.wei", number)
    with pytest.raises(NotFoundError):
        await invitations.withdraw(rival, invitation.id)
    with pytest.raises(LoginTakenError):  # else the rival's link would end this one
        await people.invite(rival, "lin.wei", Profile("Other", ("viewer",), "carbon"))
    assert (await park.identity.invitations.look_at(link.token)).profile.post == "Shift leader"
    await invitations.withdraw(head, invitation.id)
    with pytest.raises(InvitationOverError):
        await park.identity.invitations.take(link.token, PASSWORD)


async def test_a_department_of_another_enterprise_cannot_be_given(park: Park) -> None:
    number = await departments.make(await park.by("carbon-head"), "carbon", "Kilns")
    for login in ("copper-head", "pia"):
        with pytest.raises(NotFoundError):
            await people.change(await park.by(login), "copper-hand", Profile("Hand", ("operator",), "copper", number))


async def test_departments_are_a_tree_that_moves_and_shrinks_from_its_leaves(park: Park) -> None:
    head = await park.by("copper-head")
    works = await departments.make(head, "copper", "Works")
    shift = await departments.make(head, "copper", "Shift A", works)
    (branches,) = (await departments.trees(head)).values()
    assert [(one.department.name, one.depth) for one in branches] == [("Works", 0), ("Shift A", 1)]
    await people.change(head, "copper-hand", Profile("Hand", ("operator",), "copper", shift))
    assert (await people.person(head, "copper-hand")).department == "Works › Shift A"
    with pytest.raises(BadDepartmentError):
        await departments.move(head, works, shift)
    with pytest.raises(BadDepartmentError):
        await departments.remove(head, works)
    with pytest.raises(BadDepartmentError):
        await departments.remove(head, shift)
    await departments.move(head, shift, None)
    assert await park.newest() == ("copper-head", "identity.department-moved", str(shift), "10.0.0.7")
    await departments.rename(head, shift, "Shift B")
    await departments.remove(head, works)
    assert [one.name for one in await departments.departments(head)] == ["Shift B"]
    rival = await park.by("carbon-head")
    for act in (
        departments.rename(rival, shift, "Ours"),
        departments.move(rival, shift, None),
        departments.remove(rival, shift),
        departments.make(rival, "carbon", "Below", shift),
    ):
        with pytest.raises(NotFoundError):
            await act


async def test_who_is_disabled_is_out_at_once_and_comes_back(park: Park) -> None:
    head = await park.by("copper-head")
    token = await park.identity.sessions.sign_in("copper-hand", PASSWORD)
    await people.disable(head, "copper-hand")
    assert await park.identity.sessions.user_of(token) is None
    assert (await people.person(head, "copper-hand")).is_disabled
    assert await people.colleagues(head) != []
    assert [one.name for one in await people.colleagues(head)] == ["Copper-Head"]
    with pytest.raises(SignInRefusedError):
        await park.identity.sessions.sign_in("copper-hand", PASSWORD)
    await people.enable(head, "copper-hand")
    assert await park.newest() == ("copper-head", "identity.user-enabled", "copper-hand", "10.0.0.7")
    await park.identity.sessions.sign_in("copper-hand", PASSWORD)


async def test_nobody_disables_themselves_and_the_last_administrator_stays_one(park: Park) -> None:
    pia = await park.by("pia")
    with pytest.raises(NotYourselfError):
        await people.disable(pia, "PIA")
    with pytest.raises(LastAdministratorError):
        await people.change(pia, "pia", Profile("Pia", ("viewer",), None))
    with pytest.raises(LastAdministratorError):
        await people.change(pia, "pia", Profile("Pia", ("administrator",), "copper"))
    await people.add(pia, "second", Profile("Second", ("administrator",), None), PASSWORD)
    await people.change(pia, "pia", Profile("Pia", ("viewer",), None))


async def test_who_is_added_with_a_password_changes_it_first(park: Park) -> None:
    login = await people.add(await park.by("pia"), "Eva", Profile(" Eva ", ("viewer",), "copper"), PASSWORD)
    assert login == "eva"
    token = await park.identity.sessions.sign_in("eva", PASSWORD)
    assert await park.identity.sessions.user_of(token) is None
    assert (await park.identity.accounts.account("eva")).profile.name == "Eva"


async def test_a_lock_is_seen_and_lifted(park: Park) -> None:
    head = await park.by("copper-head")
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            await park.identity.sessions.sign_in("copper-hand", "wrong password")
    assert (await people.person(head, "copper-hand")).locked_until == NOW + timedelta(seconds=30)
    await people.unlock(head, "copper-hand")
    assert (await people.person(head, "copper-hand")).locked_until is None
    await park.identity.sessions.sign_in("copper-hand", PASSWORD)


async def test_a_link_for_a_new_password_is_for_passwords_that_are_kept_here(park: Park) -> None:
    head = await park.by("copper-head")
    link = await people.link_to_password(head, "copper-hand")
    await park.identity.invitations.take(link.token, "another fine battery")
    await park.identity.sessions.sign_in("copper-hand", "another fine battery")
    async with park.database.session() as session:
        row = (await session.scalars(select(UserRow).where(UserRow.login == "copper-hand"))).one()
        row.directory = "ldap"
    with pytest.raises(OutsidePasswordError):
        await people.link_to_password(head, "copper-hand")


async def test_all_of_one_person_is_told_with_what_they_did(park: Park) -> None:
    head = await park.by("copper-head")
    await park.identity.sessions.sign_in("copper-hand", PASSWORD)
    await park.identity.tokens.make("copper-hand", "script", ["*.view"], NOW + timedelta(days=1), actor="test")
    dossier = await people.dossier(head, park.database, "copper-hand")
    assert [one.action for one in dossier.entries] == [
        "identity.token-made",
        "identity.signed-in",
        "identity.user-created",
    ]
    await people.end_session(head, "copper-hand", dossier.sessions[0].handle)
    await people.revoke_token(head, "copper-hand", dossier.tokens[0].id)
    dossier = await people.dossier(head, park.database, "copper-hand")
    assert dossier.may_change
    assert (dossier.sessions, dossier.tokens[0].revoked_at) == ([], NOW)


BAD = (
    ("", Profile("X", ("viewer",), "copper")),
    ("roles", Profile("X", ("viewer",), "copper")),
    ("a/b", Profile("X", ("viewer",), "copper")),
    ("../etc", Profile("X", ("viewer",), "copper")),
    ("a" * 101, Profile("X", ("viewer",), "copper")),
    ("x", Profile("  ", ("viewer",), "copper")),
    ("x", Profile("X" * 201, ("viewer",), "copper")),
    ("x", Profile("X\u202eY", ("viewer",), "copper")),
    ("x", Profile("X\x00", ("viewer",), "copper")),
    ("x", Profile("X", (), "copper")),
    ("x", Profile("X", ("viewer",), "copper", email="no address")),
)


async def test_what_cannot_be_kept_is_refused_with_a_reason(park: Park) -> None:
    head = await park.by("copper-head")
    for login, profile in BAD:
        with pytest.raises(BadProfileError):
            await people.add(head, login, profile, PASSWORD)


async def test_onboarding_is_told_from_what_is_there(park: Park) -> None:
    pia = await park.by("pia")
    current = CurrentValues()
    with pytest.raises(NotYoursError):
        await onboarding.enterprises(await park.by("copper-head"), current, NOW)
    found = {one.id: {step.step: step for step in one.steps} for one in await told(pia, current)}
    assert [step for step, one in found["carbon"].items() if one.is_done] == [Step.ADMINISTRATOR]
    assert [step for step, one in found["copper"].items() if one.is_done] == [
        Step.PLANT,
        Step.ADMINISTRATOR,
        Step.PEOPLE,
    ]
    await departments.make(pia, "copper", "Smelting")
    current.update(arrived(NOW - timedelta(seconds=5)))
    (carbon, copper) = await told(pia, current)
    assert (copper.id, copper.done, carbon.id) == ("copper", 5, "carbon")
    (data,) = [one for one in (await told(pia, current, NOW + timedelta(hours=1)))[1].steps if one.step is Step.DATA]
    assert (data.is_done, data.is_begun, data.count, data.total) == (False, True, 0, 1)


async def test_an_enterprise_that_only_its_people_know_is_on_the_list(park: Park) -> None:
    await park.make("ghost", ("viewer",), "gone")
    found = {one.id: one for one in await told(await park.by("pia"), CurrentValues())}
    assert (found["gone"].done, found["gone"].steps[0].is_begun) == (0, False)


async def told(acting: Acting, current: CurrentValues, now: datetime = NOW) -> list[onboarding.Enterprise]:
    return list(await onboarding.enterprises(acting, current, now))


def arrived(at: datetime) -> pa.Table:
    """One sample of the only tag."""
    columns = [
        pa.array([0], pa.int32()),
        pa.array([int(at.timestamp() * 1e6)]).cast(TIME),
        pa.array([1.0]),
        pa.nulls(1, pa.string()),
        pa.array([0], pa.uint8()),
    ]
    return pa.table(columns, schema=STORED)
