"""How far each enterprise has come: from a line in the plant file to data that come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from athanor.apps.people.domain.rights import covers
from athanor.apps.people.services import departments, invitations
from athanor.apps.people.services.acting import Acting
from athanor.kernel.current import CurrentValues
from athanor.kernel.freshness import is_stale
from athanor.kernel.identity.accounts import ADMINISTER, Account
from athanor.kernel.plant.model import Text

_RECENT_S = 86_400.0  # for tags that come as they come


class Step(StrEnum):
    """What is done for a new enterprise, in this order."""

    PLANT = "plant"  # it and its tags are in the plant file
    ADMINISTRATOR = "administrator"  # somebody of theirs administers them, or is invited to
    DEPARTMENTS = "departments"
    PEOPLE = "people"  # have signed in
    DATA = "data"  # come in


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one step is."""

    step: Step
    is_done: bool
    is_begun: bool
    count: int  # of what the step counts: tags, administrators, departments, people, tags with fresh values
    total: int = 0  # of people, or of tags; 0 where there is nothing to compare with
    invited: int = 0  # people with an open link


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One enterprise's way in."""

    id: str
    name: Text
    steps: Sequence[Progress]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)


async def enterprises(acting: Acting, current: CurrentValues, now: datetime) -> Sequence[Enterprise]:
    """Every enterprise of the plant file or with people; those with most left to do come first.

    Raises NotYoursError for others than the park's administrators.
    """
    acting.check_park("Only the park's administrators see how far enterprises have come.")
    accounts = [one for one in await acting.identity.accounts.accounts() if one.disabled_at is None]
    open_ones = [one for one in await invitations.open_invitations(acting) if not one.is_for_password]
    roles = await acting.identity.roles.all()
    administering = {role.name for role in roles if covers(role.permissions, [ADMINISTER])}
    parts = await departments.departments(acting)
    tenants: Mapping[str, Text] = {key: tenant.name for key, tenant in acting.plant.model.tenants.items()}
    strangers = {one.profile.tenant for one in accounts if one.profile.tenant} - set(tenants)
    tags = _tags(acting)
    found = []
    for tenant, name in (*tenants.items(), *((one, {"en": one}) for one in sorted(strangers))):
        own = [one for one in accounts if one.profile.tenant == tenant]
        invited = [one for one in open_ones if one.profile.tenant == tenant]
        steps = (
            _plant(tenant in tenants, len(tags.get(tenant, ()))),
            _administrators(own, [one.profile.roles for one in invited], administering),
            _count(Step.DEPARTMENTS, sum(one.tenant == tenant for one in parts)),
            _people(own, len(invited)),
            _data(acting, tags.get(tenant, ()), current, now),
        )
        found.append(Enterprise(tenant, name, steps))
    return sorted(found, key=lambda one: one.done)


def _tags(acting: Acting) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for node in acting.plant.model.nodes.values():
        tags.setdefault(node.tenant, []).extend(tag.path for tag in node.tags)
    return tags


def _plant(is_there: bool, tags: int) -> Progress:  # noqa: FBT001 (one of two)
    return Progress(Step.PLANT, is_there and tags > 0, is_there, tags)


def _administrators(own: Sequence[Account], invited: Sequence[Sequence[str]], administering: set[str]) -> Progress:
    there = sum(not administering.isdisjoint(one.profile.roles) for one in own)
    coming = sum(not administering.isdisjoint(roles) for roles in invited)
    return Progress(Step.ADMINISTRATOR, there + coming > 0, there + coming > 0, there, invited=coming)


def _count(step: Step, count: int) -> Progress:
    return Progress(step, count > 0, count > 0, count)


def _people(own: Sequence[Account], invited: int) -> Progress:
    signed_in = sum(one.signed_in_at is not None for one in own)
    return Progress(Step.PEOPLE, signed_in > 0, bool(own) or invited > 0, signed_in, len(own), invited)


def _data(acting: Acting, paths: Sequence[str], current: CurrentValues, now: datetime) -> Progress:
    """Done when any value is fresh, as an enterprise that sends one tag can send the others."""
    ids = acting.plant.ids_of(paths)
    periods = np.array([acting.plant.model.tags[path].period_s or np.nan for path in paths], np.float64)
    ages = current.ages_s(ids, now)
    fresh = int(np.count_nonzero(~is_stale(ages, periods) & (ages < _RECENT_S)))
    return Progress(Step.DATA, fresh > 0, bool(np.isfinite(ages).any()), fresh, len(paths))
