"""Who sees and changes policies, rosters and addresses, and that two who edit do not overwrite each other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.tables import AuditRow, UserRow
from athanor.kernel.identity.user import User
from athanor.kernel.notify import notice
from athanor.kernel.notify.books import (
    BadPolicyError,
    Policies,
    PolicyChangedError,
    Rosters,
    checked_policy,
    checked_roster,
)
from athanor.kernel.notify.errors import BadAddressError
from athanor.kernel.notify.inbox import Inbox
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.policy import About, Policy
from athanor.kernel.notify.preview import Previews
from athanor.kernel.notify.quiet import Wishes
from athanor.kernel.notify.reaching import Reaching, VerificationError
from athanor.kernel.notify.recipients import Lack
from athanor.kernel.notify.roster import Roster
from athanor.kernel.notify.routing import prepare, route
from athanor.kernel.notify.tables import ChannelRow, ReachRow
from athanor.kernel.plant.model import Plant

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
PARK = User(1, "anna", "Anna", ("administrator",))
COPPER = User(2, "boss", "Boss", ("engineer",), "copper")
CARBON = User(3, "carl", "Carl", ("administrator",), "carbon")
LOOKING = User(4, "vera", "Vera", ("viewer",), "copper")
PLANT = Plant(id="park", name={"en": "Park"}, timezone="Asia/Shanghai", tenants={}, nodes={})


@pytest.fixture(autouse=True)
async def people(database: Database) -> None:
    async with database.session() as session:
        for user in (PARK, COPPER, CARBON, LOOKING):
            session.add(
                UserRow(
                    login=user.login, name=user.name, roles=list(user.roles), tenant=user.tenant, password_hash="",
                    created_at=NOW, recovery_hashes=[], language="en",
                )
            )  # fmt: skip
        await prepare(session, NOW)


def policy(login: str = "vera", **said: Any) -> Policy:
    steps = [{"to": [{"kind": "person", "login": login}]}]
    return checked_policy({"name": {"en": "P"}, "steps": steps} | said)


def roster(*logins: str) -> Roster:
    return checked_roster(
        {
            "name": {"en": "R"},
            "shifts": [{"id": "day", "name": {"en": "Day"}, "from_minute": 0, "minutes": 1440}],
            "cycle": ["day"],
            "teams": [{"name": "A", "members": logins}],
            "begins_on": "2026-01-01",
        }
    )


async def test_an_enterprise_sees_and_changes_its_own_policies_and_the_park_all(database: Database) -> None:
    book = Policies(database, lambda: NOW)
    number = await book.add(COPPER, policy(), tenant="carbon")
    assert [one.tenant for one in await book.all(COPPER)] == ["copper"]
    assert [one.tenant for one in await book.all(PARK)] == [None, None, "copper"]
    assert await book.all(CARBON) == []
    with pytest.raises(NotFoundError):
        await book.get(CARBON, number)
    with pytest.raises(NotFoundError):
        await book.save(CARBON, number, policy("carl"), 1)
    with pytest.raises(NotFoundError):
        await book.retire(CARBON, number)
    with pytest.raises(NotAllowedError):
        await book.save(LOOKING, number, policy(), 1)


async def test_two_who_change_a_policy_do_not_overwrite_each_other(database: Database) -> None:
    book = Policies(database, lambda: NOW)
    number = await book.add(COPPER, policy())
    assert await book.save(COPPER, number, policy(digest_min=5), 1) == 2
    with pytest.raises(PolicyChangedError):
        await book.save(PARK, number, policy(digest_min=9), 1)
    assert (await book.get(COPPER, number)).policy.digest_min == 5
    async with database.reading() as session:
        actions = list(await session.scalars(select(AuditRow.action).order_by(AuditRow.id)))
    assert actions == ["notify.policy-kept", "notify.policy-kept"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"steps": [{"to": [{"kind": "person", "login": "carl"}]}]}, "nobody with the login 'carl'"),
        ({"steps": [{"to": [{"kind": "person", "login": "ghost"}]}]}, "nobody with the login 'ghost'"),
        ({"steps": [{"to": [{"kind": "duty", "roster": 99}]}]}, "no roster 99"),
        ({"steps": [{"to": [{"kind": "address", "channel": 99}]}]}, "no channel 99"),
        ({"steps": [{"to": [{"kind": "department", "department": 99}]}]}, "no department 99"),
        ({"match": {"tenants": ["carbon"]}}, "its own notices only"),
    ],
)
async def test_a_policy_names_only_what_its_owner_has(database: Database, said: Any, reason: str) -> None:
    with pytest.raises(BadPolicyError, match=reason):
        await Policies(database, lambda: NOW).add(COPPER, policy(**said))


async def test_a_roster_that_a_policy_asks_stays(database: Database) -> None:
    rosters, policies = Rosters(database, lambda: NOW), Policies(database, lambda: NOW)
    number = await rosters.add(COPPER, roster("vera"))
    asking = await policies.add(COPPER, policy(steps=[{"to": [{"kind": "duty", "roster": number}]}]))
    with pytest.raises(BadPolicyError, match="the policy 'P' tells who is on duty by it"):
        await rosters.retire(COPPER, number)
    await policies.retire(COPPER, asking)
    await rosters.retire(COPPER, number)
    assert await rosters.all(COPPER) == []


async def test_a_roster_takes_people_of_its_enterprise_and_keeps_those_who_left(database: Database) -> None:
    rosters = Rosters(database, lambda: NOW)
    with pytest.raises(BadPolicyError, match="'carl'"):
        await rosters.add(COPPER, roster("carl"))
    number = await rosters.add(COPPER, roster("vera"))
    async with database.session() as session:
        (await session.scalars(select(UserRow).where(UserRow.login == "vera"))).one().disabled_at = NOW
    assert await rosters.save(COPPER, number, roster("vera", "boss"), 1) == 2


async def test_everybody_reads_their_own_inbox_only(database: Database) -> None:
    inbox = Inbox(database, lambda: NOW)
    async with database.session() as session:
        notices = [
            Notice(f"n{n}", "walk", "walk", {"en": f"Notice {n}"}, tenant="copper", logins=("boss",), at=NOW)
            for n in range(3)
        ]
        await notice.put(session, notices, NOW)
    async with database.session() as session:
        await route(session, NOW, PLANT)
    found, total = await inbox.find(COPPER)
    assert ([one.title for one in found], total) == ([f"[Low] Notice {n}" for n in (2, 1, 0)], 3)
    assert await inbox.find(LOOKING) == ([], 0)
    assert await inbox.read(LOOKING, [one.id for one in found]) == 0
    assert await inbox.unread(COPPER) == 3
    assert await inbox.read(COPPER, [found[0].id]) == 1
    assert [one.title for one in (await inbox.find(COPPER, only_unread=True, text="notice"))[0]] == [
        "[Low] Notice 1", "[Low] Notice 0",
    ]  # fmt: skip
    assert await inbox.read(COPPER) == 2
    moved = User(2, "boss", "Boss", ("engineer",), "carbon")
    assert await inbox.find(moved) == ([], 0), "who changes to another enterprise leaves their messages behind"


class Sent:
    """What was sent at once."""

    def __init__(self, *, error: str = "") -> None:
        self.bodies: list[str] = []
        self.error, self.is_sent = error, not error

    async def __call__(
        self, channel: ChannelRow, address: str, of: Notice, title: str, body: str, *, login: str | None = None,
        is_body_kept: bool = True,
    ) -> "Sent":  # fmt: skip
        assert (channel.kind, login, is_body_kept) == ("email", "boss", False)
        assert (of.topic, title) == ("notify.verification", "Verification of an address")
        self.bodies.append(f"{address} {body}")
        return self

    @property
    def code(self) -> str:
        return self.bodies[-1].splitlines()[0].rpartition(" ")[2]


@pytest.fixture
async def mail(database: Database) -> None:
    async with database.session() as session:
        session.add(
            ChannelRow(
                kind="email", name="Mail", content={"settings": {}, "sealed": {}}, is_enabled=True, revision=1,
                changed_by="", changed_at=NOW, tenant=None,
            )
        )  # fmt: skip


@pytest.mark.usefixtures("mail")
async def test_an_address_is_used_once_its_code_was_entered(database: Database) -> None:
    clock, sent = [NOW], Sent()
    reaching = Reaching(database, sent, lambda: clock[0])
    number = await reaching.add(COPPER, "email", "boss@example.com")
    await reaching.send_code(COPPER, number)
    with pytest.raises(VerificationError, match="wait a minute"):
        await reaching.send_code(COPPER, number)
    with pytest.raises(VerificationError, match="another code"):
        await reaching.verify(COPPER, number, "x" + sent.code)
    with pytest.raises(NotFoundError):
        await reaching.verify(LOOKING, number, sent.code)
    async with database.reading() as session:
        assert sent.code not in str((await session.get_one(ReachRow, number)).__dict__), "only its hash is kept"
    await reaching.verify(COPPER, number, f" {sent.code} ")
    assert [(one.address, one.is_verified) for one in await reaching.mine(COPPER)] == [("boss@example.com", True)]
    with pytest.raises(VerificationError, match="holds no more"):
        await reaching.verify(COPPER, number, sent.code)


@pytest.mark.usefixtures("mail")
async def test_a_code_holds_for_ten_minutes_and_five_tries(database: Database) -> None:
    clock, sent = [NOW], Sent()
    reaching = Reaching(database, sent, lambda: clock[0])
    number = await reaching.add(COPPER, "email", "boss@example.com")
    await reaching.send_code(COPPER, number)
    clock[0] = NOW + timedelta(minutes=11)
    with pytest.raises(VerificationError, match="holds no more"):
        await reaching.verify(COPPER, number, sent.code)
    await reaching.send_code(COPPER, number)
    for _ in range(5):
        with pytest.raises(VerificationError, match="another code"):
            await reaching.verify(COPPER, number, "nothing")
    with pytest.raises(VerificationError, match="holds no more"):
        await reaching.verify(COPPER, number, sent.code)


async def test_an_address_that_cannot_be_is_refused_and_one_of_the_account_needs_no_code(database: Database) -> None:
    reaching = Reaching(database, Sent(), lambda: NOW)
    async with database.session() as session:
        (await session.scalars(select(UserRow).where(UserRow.login == "boss"))).one().email = "boss@example.com"
    with pytest.raises(BadAddressError):
        await reaching.add(COPPER, "email", "no address")
    with pytest.raises(NotFoundError):
        await reaching.add(COPPER, "inbox", "boss")
    await reaching.add(COPPER, "email", "boss@example.com")
    assert [one.is_verified for one in await reaching.mine(COPPER)] == [True]


async def test_quiet_hours_are_each_persons_own(database: Database) -> None:
    reaching = Reaching(database, Sent(), lambda: NOW)
    wishes = Wishes.model_validate({"quiet": [{"from_minute": 1320, "to_minute": 360}]})
    await reaching.wish(COPPER, wishes)
    await reaching.wish(COPPER, wishes)
    assert await reaching.wishes(COPPER) == wishes
    assert (await reaching.wishes(LOOKING)).quiet == ()


async def test_who_would_be_told_is_answered_without_telling_anybody(database: Database) -> None:
    policies = Policies(database, lambda: NOW)
    steps = [{"to": [{"kind": "person", "login": "vera"}]}, {"after_min": 10, "to": [{"kind": "role", "role": "king"}]}]
    await policies.add(COPPER, policy(steps=steps))
    previews = Previews(database, lambda: NOW)
    about = About("alarms.raised", 4, "process", "", "copper")
    found = await previews.of(COPPER, about, "Asia/Shanghai", "en")
    assert [(line.person, line.after_min, line.target.way.kind) for line in found.lines] == [("Vera", 0, "inbox")]
    assert [(fault.step, fault.fault.lack) for fault in found.faults] == [(1, Lack.NOBODY)]
    assert (await previews.of(CARBON, about, "Asia/Shanghai", "en")).lines == ()


async def test_what_nobody_was_told_of_is_counted(database: Database) -> None:
    async with database.session() as session:
        notices = [
            Notice(f"n{n}", "walk", f"w{n}", {"en": f"Notice {n}"}, tenant="copper", category="process", at=NOW)
            for n in range(3)
        ]
        await notice.put(session, notices, NOW)
    async with database.session() as session:
        await route(session, NOW, PLANT)
    previews = Previews(database, lambda: NOW)
    (found,) = await previews.unheard(COPPER)
    assert (found.topic, found.count, found.fate, found.title) == ("walk", 3, "nobody", {"en": "Notice 2"})
    assert await previews.unheard(CARBON) == []
