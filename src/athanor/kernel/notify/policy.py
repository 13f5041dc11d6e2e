"""What a policy says: who hears of which notices, by which channels, when, and who next if nobody acknowledges.

A policy is data. `recipients` finds the people, `routing` makes messages of it.
"""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from athanor.kernel.alarms.rule import Category, Hours, Priority
from athanor.kernel.notify.quiet import is_within
from athanor.kernel.notify.templates import Name, Template

Whose = Literal["tenant", "park", "tenant-or-park"]  # people of the notice's enterprise, of the park, or …


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Part):
    """Which notices; a part that is left empty is fulfilled by all.

    Parameters
    ----------
    topics
        Patterns: `alarms.*`, `forms.step.overdue`.
    areas
        Paths of nodes: what is at or below one of them.
    tenants
        Of a policy of the park: whose notices; a tenant's own policy is about its own only.
    text
        Contained in the title or detail, in any language; capitals make no difference.
    hours
        When the policy holds, on the site's clock: for policies by shift.
    """

    topics: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field((), max_length=50)
    priorities: tuple[Priority, ...] = Field((), max_length=4)
    categories: tuple[Category, ...] = Field((), max_length=20)
    areas: tuple[Annotated[str, Field(min_length=1, max_length=400)], ...] = Field((), max_length=200)
    tenants: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field((), max_length=200)
    text: str = Field("", max_length=200)
    hours: tuple[Hours, ...] = Field((), max_length=50)


class Person(_Part):
    """One person."""

    kind: Literal["person"] = "person"
    login: str = Field(min_length=1, max_length=100)


class Role(_Part):
    """Who has a role."""

    kind: Literal["role"] = "role"
    role: str = Field(min_length=1, max_length=100)
    of: Whose = "tenant"


class Permission(_Part):
    """Who may do something: `alarms.operate`."""

    kind: Literal["permission"] = "permission"
    permission: str = Field(min_length=1, max_length=100)
    of: Whose = "tenant"


class Department(_Part):
    """Who belongs to a department or one below it; only those of a post there, where it is named."""

    kind: Literal["department"] = "department"
    department: int = Field(ge=1, lt=2**31)
    post: str = Field("", max_length=100)


class Post(_Part):
    """Who has a post, such as shift leader, wherever."""

    kind: Literal["post"] = "post"
    post: str = Field(min_length=1, max_length=100)
    of: Whose = "tenant"


class OnDuty(_Part):
    """Who is on duty by a roster at the moment of telling."""

    kind: Literal["duty"] = "duty"
    roster: int = Field(ge=1, lt=2**31)


class Address(_Part):
    """An address that is nobody's, or a channel that has but one: a group robot, a siren."""

    kind: Literal["address"] = "address"
    channel: int = Field(ge=1, lt=2**31)
    address: str = Field("", max_length=400)
    language: str = Field("", max_length=10)  # "": the site's


Who = Annotated[
    Person | Role | Permission | Department | Post | OnDuty | Address,
    Field(discriminator="kind"),
]


class Step(_Part):
    """Whom to tell, so many minutes after it was first told of, if nobody has acknowledged until then.

    Parameters
    ----------
    by
        Ids of channels, the first that reaches a person counts; empty: by all that the person has set up. The inbox
        gets it in any case.
    is_by_all
        By each of them, not only by the first.
    """

    after_min: int = Field(0, ge=0, le=7 * 1440)
    to: tuple[Who, ...] = Field(min_length=1, max_length=100)
    by: tuple[Annotated[int, Field(ge=1, lt=2**31)], ...] = Field((), max_length=20)
    is_by_all: bool = False


class RateLimit(_Part):
    """At most so many messages to one person by one channel in so many minutes; what exceeds goes into a digest."""

    most: int = Field(20, ge=1, le=10_000)
    per_min: int = Field(60, ge=1, le=1440)


class Policy(_Part):
    """Who hears of what.

    Parameters
    ----------
    steps
        The first at once, each further one later than the one before it.
    quiet
        When only what is critical is told at once; the rest is kept for a digest at the end.
    digest_min
        Told together every so many minutes, but for what is critical; 0: one by one.
    says_over
        Those who were told also hear when it is over. (A siren goes off then in any case.)
    """

    name: Name
    match: Match = Field(default_factory=lambda: Match.model_validate({}))
    steps: tuple[Step, ...] = Field(min_length=1, max_length=10)
    quiet: tuple[Hours, ...] = Field((), max_length=50)
    digest_min: int = Field(0, ge=0, le=1440)
    limit: RateLimit = Field(default_factory=lambda: RateLimit.model_validate({}))
    templates: tuple[Template, ...] = Field((), max_length=50)
    says_over: bool = False
    note: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _is_in_order(self) -> "Policy":
        times = [step.after_min for step in self.steps]
        if times[0] != 0:
            raise ValueError("the first step is told at once: after 0 minutes")
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("each step of escalation comes later than the one before it")
        return self


@dataclass(frozen=True, slots=True)
class About:
    """What of a notice decides whom it concerns. `texts` are its title and detail in every language."""

    topic: str
    priority: int
    category: str
    path: str
    tenant: str | None
    texts: tuple[str, ...] = ()


def concerns(policy: Policy, owner: str | None, about: About, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a policy of `owner` (None: the park) is about such a notice, told of at a moment."""
    match = policy.match
    return (
        covers(policy, owner, about)
        and (not match.topics or any(fnmatchcase(about.topic, topic) for topic in match.topics))
        and (not match.hours or is_within(match.hours, at, zone))
    )


def covers(policy: Policy, owner: str | None, about: About) -> bool:
    """As `concerns`, whatever the topic and the hour: what began by a policy also ends by it."""
    match = policy.match
    return (
        owner in (about.tenant, None)
        and (not match.tenants or about.tenant in match.tenants)
        and (not match.priorities or about.priority in match.priorities)
        and (not match.categories or about.category in match.categories)
        and (not match.areas or any(_is_below(about.path, area) for area in match.areas))
        and (not match.text or any(match.text.casefold() in text.casefold() for text in about.texts))
    )


def _is_below(path: str, area: str) -> bool:
    return path == area or path.startswith(f"{area}.")
