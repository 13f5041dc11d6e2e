"""What the routes of People take and give."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from athanor.apps.people.services import onboarding, people
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.departments import Department
from athanor.kernel.identity.invitations import Invitation
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.sessions import OpenSession


class Model(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class State(StrEnum):
    """Whether somebody may sign in."""

    ACTIVE = "active"
    LOCKED = "locked"  # for a while, after failed attempts
    DISABLED = "disabled"


class PersonOut(Model):
    """An account."""

    login: str
    name: str
    roles: list[str]
    enterprise: str | None = Field(description="Null for the park's own people.")
    department_id: int | None
    department: str = Field(description="With those above it, from the top down.")
    post: str
    email: str
    phone: str
    directory: str = Field(description="Who checks the password: local, ldap, oidc.")
    has_second_factor: bool
    state: State
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None
    locked_until: datetime | None

    @classmethod
    def of(cls, person: people.Person) -> Self:
        account, profile = person.account, person.account.profile
        return cls(
            login=account.login,
            name=profile.name,
            roles=list(profile.roles),
            enterprise=profile.tenant,
            department_id=profile.department_id,
            department=person.department,
            post=profile.post,
            email=profile.email,
            phone=profile.phone,
            directory=account.directory,
            has_second_factor=account.has_second_factor,
            state=_state(person),
            created_at=account.created_at,
            signed_in_at=account.signed_in_at,
            disabled_at=account.disabled_at,
            locked_until=person.locked_until,
        )


class ProfileIn(Model):
    """What is said of a person."""

    name: str = Field(max_length=200)
    roles: list[str] = Field(min_length=1, max_length=50)
    enterprise: str | None = Field(None, description="Null for the park's own people.")
    department_id: int | None = Field(None, ge=1, le=2**31 - 1)
    post: str = Field("", max_length=200)
    email: str = Field("", max_length=200)
    phone: str = Field("", max_length=200)

    def profile(self) -> Profile:
        return Profile(
            self.name, tuple(self.roles), self.enterprise, self.department_id, self.post, self.email, self.phone
        )


class InvitationIn(ProfileIn):
    """Whom a link is for."""

    login: str = Field(max_length=100)
    email: Literal[""] = Field("", description="Theirs to say once they have an account.")
    phone: Literal[""] = Field("", description="Theirs to say once they have an account.")


class AccountIn(ProfileIn):
    """An account that is there at once."""

    login: str = Field(max_length=100)
    password: SecretStr = Field(description="To be changed at the first sign-in.", max_length=256)


class ChangeIn(Model):
    """What is to be changed; what is left out stays."""

    name: str | None = Field(None, max_length=200)
    roles: list[str] | None = Field(None, min_length=1, max_length=50)
    enterprise: str | None = None
    department_id: int | None = Field(None, ge=1, le=2**31 - 1)
    post: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=200)
    phone: str | None = Field(None, max_length=200)

    def onto(self, before: Profile) -> Profile:
        """The whole profile after the change. A text that is null stays."""
        said = self.model_fields_set
        return Profile(
            before.name if self.name is None else self.name,
            before.roles if self.roles is None else tuple(self.roles),
            self.enterprise if "enterprise" in said else before.tenant,
            self.department_id if "department_id" in said else before.department_id,
            before.post if self.post is None else self.post,
            before.email if self.email is None else self.email,
            before.phone if self.phone is None else self.phone,
        )


class LinkOut(Model):
    """A link, told only now."""

    link: str
    expires_at: datetime


class InvitationOut(Model):
    """A link that still opens something; without the link, which nobody is told again."""

    id: int
    login: str
    name: str
    roles: list[str]
    enterprise: str | None
    department_id: int | None
    post: str
    is_for_password: bool
    made_by: str
    made_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, one: Invitation) -> Self:
        return cls(
            id=one.id,
            login=one.login,
            name=one.profile.name,
            roles=list(one.profile.roles),
            enterprise=one.profile.tenant,
            department_id=one.profile.department_id,
            post=one.profile.post,
            is_for_password=one.is_for_password,
            made_by=one.made_by,
            made_at=one.made_at,
            expires_at=one.expires_at,
        )


class SessionOut(Model):
    """Somebody signed in somewhere."""

    handle: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str

    @classmethod
    def of(cls, one: OpenSession) -> Self:
        return cls(
            handle=one.handle, created_at=one.created_at, seen_at=one.seen_at, address=one.address, agent=one.agent
        )


class RoleOut(Model):
    """A name for what people may do."""

    name: str
    title: dict[str, str]
    permissions: list[str] = Field(description="Patterns, such as energy.view and alarms.*")
    is_built_in: bool

    @classmethod
    def of(cls, role: Role) -> Self:
        return cls(
            name=role.name, title=dict(role.title), permissions=list(role.permissions), is_built_in=role.is_built_in
        )


class RoleIn(Model):
    """What a role of the park's own is called and grants."""

    title: dict[Literal["en", "zh_CN"], str] = {}
    permissions: list[str] = Field(min_length=1, max_length=500)


class DepartmentOut(Model):
    """A part of an enterprise."""

    id: int
    enterprise: str | None
    above_id: int | None
    name: str
    people: int = Field(description="Who belong to it directly.")

    @classmethod
    def of(cls, one: Department) -> Self:
        return cls(id=one.id, enterprise=one.tenant, above_id=one.above_id, name=one.name, people=one.people)


class DepartmentIn(Model):
    """A new department."""

    enterprise: str | None = None
    name: str = Field(min_length=1, max_length=100)
    above_id: int | None = Field(None, ge=1, le=2**31 - 1)


class DepartmentChangeIn(Model):
    """Another name, another place, or both; a null place is the top."""

    name: str | None = Field(None, min_length=1, max_length=100)
    above_id: int | None = Field(None, ge=1, le=2**31 - 1)


class StepOut(Model):
    """How far a step of an enterprise's way in has come."""

    step: onboarding.Step
    is_done: bool
    is_begun: bool
    count: int
    total: int
    invited: int

    @classmethod
    def of(cls, one: onboarding.Progress) -> Self:
        return cls(
            step=one.step,
            is_done=one.is_done,
            is_begun=one.is_begun,
            count=one.count,
            total=one.total,
            invited=one.invited,
        )


class EnterpriseOut(Model):
    """An enterprise's way in."""

    id: str
    name: dict[str, str]
    steps: list[StepOut]

    @classmethod
    def of(cls, one: onboarding.Enterprise) -> Self:
        return cls(id=one.id, name=dict(one.name), steps=[StepOut.of(step) for step in one.steps])


def _state(person: people.Person) -> State:
    if person.is_disabled:
        return State.DISABLED
    return State.ACTIVE if person.locked_until is None else State.LOCKED
