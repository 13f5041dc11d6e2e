"""Who is meant, and where they are reached: people, rosters, channels and addresses as they are at one moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from athanor.kernel.identity.user import User
from athanor.kernel.notify import policy as say
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.quiet import NO_WISHES, Wishes
from athanor.kernel.notify.roster import Roster, on_duty

SMS, EMAIL = "sms", "email"

_Group = say.Role | say.Permission | say.Department | say.Post
_People = say.Person | say.OnDuty | _Group


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person, as far as telling goes.

    Parameters
    ----------
    addresses
        By kind of channel, those that were verified or that the account names, best first.
    """

    user: User
    post: str = ""
    department_id: int | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class Way:
    """A channel, as far as routing goes."""

    id: int
    kind: str
    name: str
    tenant: str | None

    @property
    def is_personal(self) -> bool:
        """Whether it needs to be told where to, and can be told to a person's address."""
        return KINDS[self.kind].is_address_needed


@dataclass(frozen=True)
class Around:
    """All that decides who is told, as it is at one moment.

    Parameters
    ----------
    people
        By login; nobody whose account is disabled.
    above
        Department to the one above it.
    ways
        Channels that are enabled, by id.
    rosters
        With whose they are, by id.
    language
        Of whoever chose none.
    """

    now: datetime
    zone: ZoneInfo
    language: str
    people: Mapping[str, Reachable]
    above: Mapping[int, int | None]
    ways: Mapping[int, Way]
    rosters: Mapping[int, tuple[str | None, Roster]]

    @property
    def inbox(self) -> Way | None:
        """The channel that everybody has."""
        return next((way for way in self.ways.values() if way.kind == INBOX), None)


class Lack(StrEnum):
    """Why somebody, or anybody, is not told as a policy says."""

    NOBODY = "nobody"  # no account is meant by it
    GONE = "gone"  # the person, roster, channel or department is not there any more
    NO_DUTY = "no-duty"  # nobody is on duty now
    NO_ADDRESS = "no-address"  # a person has none for a channel; the next one is used
    UNREACHED = "unreached"  # a person has none for any of the channels: the inbox alone tells them
    FOREIGN = "foreign"  # of another enterprise: they may not see it


@dataclass(frozen=True, slots=True)
class Fault:
    """Something of a policy's step that does not work as it says."""

    lack: Lack
    who: say.Who | None = None
    login: str = ""
    channel: str = ""  # its name


@dataclass(frozen=True, slots=True)
class Target:
    """One address to which a message goes. `login` is None where it is nobody's."""

    way: Way
    address: str
    login: str | None
    tenant: str | None
    language: str
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a step tells, and what is at fault with it."""

    targets: tuple[Target, ...]
    faults: tuple[Fault, ...]


def reached(step: say.Step, owner: str | None, tenant: str | None, around: Around) -> Reached:
    """Whom a step tells of something of `tenant`, for a policy of `owner`; None: of the park.

    Each address once, in the order of the step. Only people who may see what they are told of are told.
    """
    faults: list[Fault] = []
    logins: dict[str, None] = {}
    targets: dict[tuple[int, str], Target] = {}
    for who in step.to:
        if not isinstance(who, say.Address):
            logins |= dict.fromkeys(_meant(who, owner, tenant, around, faults))
        elif (fixed := _fixed(who, owner, around)) is None:
            faults.append(Fault(Lack.GONE, who))
        else:
            targets.setdefault((fixed.way.id, fixed.address), fixed)
    for login in logins:
        for target in _ways_to(around.people[login], step, owner, around, faults):
            targets.setdefault((target.way.id, target.address), target)
    return Reached(tuple(targets.values()), tuple(faults))


def named(logins: Sequence[str], tenant: str | None, around: Around) -> tuple[Target, ...]:
    """Where people are reached whom a notice itself names, by all that they have set up."""
    step = say.Step.model_validate({"to": [{"kind": "person", "login": login} for login in logins]})
    return reached(step, None, tenant, around).targets


def _meant(who: _People, owner: str | None, tenant: str | None, around: Around, faults: list[Fault]) -> Iterator[str]:
    """The logins that are meant, who are there and may see it."""
    if isinstance(who, say.Person):
        known = [who.login] if who.login in around.people else []
        if not known:
            faults.append(Fault(Lack.GONE, who, who.login))
    elif isinstance(who, say.OnDuty):
        known = _on_duty(who, owner, around, faults)
    else:
        known = _group(who, tenant, around)
        if not known:
            faults.append(Fault(Lack.NOBODY, who))
    for login in known:
        if _may_see(around.people[login].user, owner, tenant):
            yield login
        else:
            faults.append(Fault(Lack.FOREIGN, who, login))


def _may_see(user: User, owner: str | None, tenant: str | None) -> bool:
    """Whether somebody is of the enterprise that it is about or of the park; a tenant's policy tells its own people."""
    return user.tenant == tenant if owner is not None else user.tenant in (tenant, None)


def _on_duty(who: say.OnDuty, owner: str | None, around: Around, faults: list[Fault]) -> list[str]:
    whose, roster = around.rosters.get(who.roster, (None, None))
    if roster is None or whose not in (owner, None):
        faults.append(Fault(Lack.GONE, who))
        return []
    logins = [login for duty in on_duty(roster, around.now, around.zone) for login in duty.people]
    there = [login for login in dict.fromkeys(logins) if login in around.people]
    if not there:
        faults.append(Fault(Lack.NO_DUTY, who))
    return there


def _group(who: _Group, tenant: str | None, around: Around) -> list[str]:
    if isinstance(who, say.Department):
        below = _with_below(who.department, around.above)
        return [
            login
            for login, person in around.people.items()
            if person.department_id in below and _has_post(person, who.post)
            and person.user.tenant in (tenant, None)
        ]  # fmt: skip
    for whose in _whose(who.of, tenant):
        found = [
            login for login, person in around.people.items() if person.user.tenant == whose and _is_one(who, person)
        ]
        if found:
            return found
    return []


def _whose(of: say.Whose, tenant: str | None) -> tuple[str | None, ...]:
    return {"tenant": (tenant,), "park": (None,), "tenant-or-park": (tenant, None)}[of]


def _is_one(who: say.Role | say.Permission | say.Post, person: Reachable) -> bool:
    if isinstance(who, say.Role):
        return who.role in person.user.roles
    if isinstance(who, say.Permission):
        return person.user.may(who.permission)
    return _has_post(person, who.post)


def _has_post(person: Reachable, post: str) -> bool:
    return not post or person.post.casefold() == post.casefold()


def _with_below(department: int, above: Mapping[int, int | None]) -> frozenset[int]:
    """A department and all below it."""
    found: set[int] = set()
    for one in above:
        step: int | None = one
        seen: set[int] = set()
        while step is not None and step not in seen:
            if step == department:
                found.add(one)
                break
            seen.add(step)
            step = above.get(step)
    return frozenset(found)


def _fixed(who: say.Address, owner: str | None, around: Around) -> Target | None:
    way = around.ways.get(who.channel)
    if way is None or way.tenant not in (owner, None):
        return None
    return Target(way, who.address, None, owner, who.language or around.language)


def _ways_to(
    person: Reachable, step: say.Step, owner: str | None, around: Around, faults: list[Fault]
) -> Iterator[Target]:
    """The inbox, then the channels that the step names as far as they reach, or all that the person has set up."""
    if around.inbox is not None:
        yield _target(person, around.inbox, person.user.login, owner, around)
    if not step.by:
        for way in _set_up(person, around):
            yield _target(person, way, person.addresses[way.kind][0], owner, around)
        return
    missing: list[Fault] = []
    ways: list[tuple[Way, str]] = []
    for way, address in _usable(person, step, owner, around, missing):
        ways.append((way, address))
        if not step.is_by_all:
            break
    faults += missing if ways else [Fault(Lack.UNREACHED, login=person.user.login)]
    for way, address in ways:
        if way.kind != INBOX:  # which has it already
            yield _target(person, way, address, owner, around)


def _usable(
    person: Reachable, step: say.Step, owner: str | None, around: Around, missing: list[Fault]
) -> Iterator[tuple[Way, str]]:
    """The channels of a step by which a person can be told, in its order, and the address there."""
    for number in step.by:
        way = around.ways.get(number)
        if way is None or way.tenant not in (owner, None):
            missing.append(Fault(Lack.GONE, channel=str(number), login=person.user.login))
        elif addresses := _addresses(person, way):
            yield way, addresses[0]
        else:
            missing.append(Fault(Lack.NO_ADDRESS, login=person.user.login, channel=way.name))


def _target(person: Reachable, way: Way, address: str, owner: str | None, around: Around) -> Target:
    """A person's address; or the one that a channel has, which is nobody's."""
    language = person.user.language or around.language
    if way.is_personal:
        return Target(way, address, person.user.login, person.user.tenant, language, person.wishes)
    return Target(way, address, None, owner, language)


def _addresses(person: Reachable, way: Way) -> tuple[str, ...]:
    if not way.is_personal:
        return ("",)
    return (person.user.login,) if way.kind == INBOX else person.addresses.get(way.kind, ())


def _set_up(person: Reachable, around: Around) -> Iterator[Way]:
    """One channel of each kind for which the person has an address; the own enterprise's before the park's."""
    kinds: set[str] = set()
    ways = [way for way in around.ways.values() if way.tenant in (person.user.tenant, None)]
    for way in sorted(ways, key=lambda way: (way.tenant is None, way.id)):
        if way.kind != INBOX and way.kind not in kinds and way.is_personal and person.addresses.get(way.kind):
            kinds.add(way.kind)
            yield way
