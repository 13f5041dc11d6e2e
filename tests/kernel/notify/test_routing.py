"""Notices become messages, once each, to those whom policies and rosters name."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.routing import MOST, Routed, route
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, PolicyRow, RosterRow, State, WishRow
from athanor.kernel.plant.model import Plant

NIGHT = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)  # midnight in Shanghai
NOON = datetime(2026, 6, 2, 4, 0, tzinfo=UTC)
PLANT = Plant(id="park", name={"en": "Park"}, timezone="Asia/Shanghai", tenants={}, nodes={})
MINUTE = timedelta(minutes=1)


def person(login: str, tenant: str | None = "copper", role: str = "operator", **more: str) -> UserRow:
    return UserRow(
        login=login, name=login.title(), roles=[role], tenant=tenant, password_hash="", created_at=NOON,
        recovery_hashes=[], language="en", **more,
    )  # fmt: skip


def channel(kind: str = "email", tenant: str | None = None, name: str = "Mail") -> ChannelRow:
    return ChannelRow(
        kind=kind, name=name, content={"settings": {}, "sealed": {}}, is_enabled=True, revision=1, changed_by="",
        changed_at=NOON, tenant=tenant,
    )  # fmt: skip


def policy(tenant: str | None = "copper", **said: Any) -> PolicyRow:
    content = {"name": {"en": "P"}, "steps": [{"to": [{"kind": "person", "login": "anna"}]}]} | said
    Policy.model_validate(content)
    return PolicyRow(content=content, is_enabled=True, revision=1, changed_by="", changed_at=NOON, tenant=tenant)


def alarm(number: int = 1, what: str = "raised", **said: Any) -> Notice:
    given: dict[str, Any] = {
        "key": f"alarms.occurrence:{number}:{what}",
        "topic": f"alarms.{what}",
        "subject": f"alarms.occurrence:{number}",
        "title": {"en": f"Alarm {number}", "zh_CN": f"报警 {number}"},
        "detail": {"en": "too hot"},
        "tenant": "copper",
        "path": "copper.furnace.t1",
        "priority": 2,
        "category": "process",
        "at": NOON,
    }
    return Notice(**given | said)


async def made(database: Database, *rows: Any) -> list[int]:
    async with database.session() as session:
        session.add_all(rows)
        await session.flush()
        return [row.id for row in rows]


async def given(database: Database, *notices: Notice, at: datetime = NOON) -> None:
    async with database.session() as session:
        await notice.put(session, notices, at)


async def routed(database: Database, at: datetime = NOON) -> Routed:
    async with database.session() as session:
        return await route(session, at, PLANT)


async def messages(database: Database, kind: str = "email") -> Sequence[MessageRow]:
    query = (
        select(MessageRow)
        .join(ChannelRow, ChannelRow.id == MessageRow.channel_id)
        .where(ChannelRow.kind == kind)
        .order_by(MessageRow.id)
    )
    async with database.reading() as session:
        return (await session.scalars(query)).all()


async def fates(database: Database) -> list[str | None]:
    async with database.reading() as session:
        query = select(NoticeRow.fate).where(NoticeRow.topic != "notify.digest").order_by(NoticeRow.id)
        return list(await session.scalars(query))


@pytest.fixture
async def anna(database: Database) -> int:
    """Anna with a mail address, and the channel that carries mail."""
    await made(database, person("anna", email="anna@example.com"), mail := channel())
    return mail.id


@pytest.mark.usefixtures("anna")
async def test_a_notice_is_told_once_however_often_it_is_routed(database: Database) -> None:
    await made(database, policy())
    await given(database, alarm())
    first, second = await routed(database), await routed(database)
    assert (first.notices, second.notices) == (1, 0)
    (mail,) = await messages(database)
    assert (mail.recipient, mail.login, mail.title) == ("anna@example.com", "anna", "[High] Alarm 1")
    assert mail.body == "copper.furnace.t1\ntoo hot\n2026-06-02 12:00:00"
    assert (mail.state, mail.tenant) == (State.WAITING, "copper")
    assert [one.state for one in await messages(database, "inbox")] == [State.SENT]
    assert await fates(database) == ["told"]


async def test_without_any_configuration_operators_hear_of_urgent_alarms_and_administrators_of_the_system(
    database: Database,
) -> None:
    await made(database, person("olga"), person("vera", role="viewer"), person("admin", None, "administrator"))
    system = Notice("backup:1", "backup.failed", "backup", {"en": "Backup failed"}, at=NOON)
    await given(database, alarm(), system, alarm(2, priority=4))
    await routed(database)
    told = [(one.login, one.title) for one in await messages(database, "inbox")]
    assert told == [("olga", "[High] Alarm 1"), ("admin", "[Low] Backup failed")]
    assert await fates(database) == ["told", "told", "nobody"]


@pytest.mark.usefixtures("anna")
async def test_whoever_is_next_hears_of_it_when_nobody_acknowledges(database: Database) -> None:
    further = {"after_min": 10, "to": [{"kind": "person", "login": "boss"}]}
    last = {"after_min": 30, "to": [{"kind": "person", "login": "chief"}]}
    steps = [{"to": [{"kind": "person", "login": "anna"}]}, further, last]
    await made(database, person("boss"), person("chief"), policy(steps=steps))
    await given(database, alarm())
    for minutes in (0, 9, 10, 11, 29):
        await routed(database, NOON + minutes * MINUTE)
    assert [one.login for one in await messages(database, "inbox")] == ["anna", "boss"]
    await routed(database, NOON + 31 * MINUTE)
    await routed(database, NOON + 60 * MINUTE)
    assert [(one.login, one.step) for one in await messages(database, "inbox")] == [
        ("anna", 0), ("boss", 1), ("chief", 2),
    ]  # fmt: skip


@pytest.mark.usefixtures("anna")
async def test_steps_that_a_stopped_server_missed_are_each_told_once(database: Database) -> None:
    steps = [
        {"after_min": after, "to": [{"kind": "person", "login": login}]}
        for after, login in ((0, "anna"), (10, "boss"), (20, "chief"))
    ]
    await made(database, person("boss"), person("chief"), policy(steps=steps))
    await given(database, alarm())
    await routed(database)
    await routed(database, NOON + timedelta(hours=5))
    await routed(database, NOON + timedelta(hours=6))
    assert [one.login for one in await messages(database, "inbox")] == ["anna", "boss", "chief"]


async def test_an_acknowledgement_stops_escalation_and_calls_back_what_has_not_gone_out(
    database: Database, anna: int
) -> None:
    step = {"after_min": 10, "to": [{"kind": "person", "login": "anna"}], "by": [anna]}
    steps = [{"to": [{"kind": "person", "login": "anna"}], "by": [anna]}, step, step | {"after_min": 20}]
    await made(database, policy(steps=steps))
    await given(database, alarm())
    await routed(database)
    await routed(database, NOON + 10 * MINUTE)
    await given(database, alarm(what="acknowledged", is_over=True), at=NOON + 11 * MINUTE)
    await routed(database, NOON + 11 * MINUTE)
    await routed(database, NOON + 30 * MINUTE)
    assert [(one.step, one.state) for one in await messages(database)] == [(0, State.WAITING), (1, State.CANCELLED)]
    assert await fates(database) == ["told", "ending"]


@pytest.mark.usefixtures("anna")
async def test_what_was_over_before_anybody_was_told_is_told_to_nobody(database: Database) -> None:
    await made(database, policy())
    await given(database, alarm(), alarm(what="acknowledged", is_over=True), alarm(what="raised-again"))
    await routed(database)
    assert await fates(database) == ["past", "ending", "told"]
    assert [one.title for one in await messages(database)] == ["[High] Alarm 1"]


@pytest.mark.usefixtures("anna")
async def test_who_was_told_hears_that_it_is_over_where_the_policy_says_so(database: Database) -> None:
    await made(database, person("boss"), policy(says_over=True), policy(match={"priorities": [1]}, says_over=True))
    await given(database, alarm())
    await routed(database)
    over = alarm(what="cleared", is_over=True, title={"en": "Normal again"})
    await given(database, over)
    await routed(database)
    await routed(database)
    assert [one.title for one in await messages(database)] == ["[High] Alarm 1", "Normal again"]


async def test_quiet_hours_hold_everything_but_what_is_critical(database: Database, anna: int) -> None:
    await made(database, policy(), wish("anna", 22 * 60, 6 * 60))
    await given(database, alarm(1), alarm(2, priority=1), alarm(3, priority=3), at=NIGHT)
    await routed(database, NIGHT)
    assert [(one.title, one.state) for one in await messages(database)] == [
        ("[Critical] Alarm 2", State.WAITING), ("2 notices: 1 High, 1 Medium", State.WITHHELD),
    ]  # fmt: skip
    assert len(await messages(database, "inbox")) == 3, "an inbox makes no noise"
    await routed(database, NIGHT + timedelta(hours=5, minutes=59))
    assert (await messages(database))[1].state == State.WITHHELD
    await routed(database, NIGHT + timedelta(hours=6))
    digest = (await messages(database))[1]
    assert (digest.state, digest.channel_id, digest.recipient) == (State.WAITING, anna, "anna@example.com")
    assert digest.body.splitlines() == [
        "06-02 12:00  High  Alarm 1  copper.furnace.t1",
        "06-02 12:00  Medium  Alarm 3  copper.furnace.t1",
    ]


async def test_what_exceeds_the_limit_goes_into_one_digest_the_most_urgent_first(database: Database, anna: int) -> None:
    await made(database, policy(limit={"most": 3, "per_min": 60}))
    await given(database, *(alarm(number, priority=4 - number % 3) for number in range(40)))
    await routed(database)
    waiting = [one for one in await messages(database) if one.state == State.WAITING]
    assert [one.title.split()[0] for one in waiting] == ["[High]"] * 3
    await given(database, alarm(100))
    await routed(database, NOON + MINUTE)
    (pile,) = [one for one in await messages(database) if one.state == State.WITHHELD]
    assert pile.title == "38 notices: 11 High, 13 Medium, 14 Low"
    released = await routed(database, NOON + 6 * MINUTE)
    assert released.released == 1
    digest = next(one for one in await messages(database) if one.id == pile.id)
    assert (digest.state, digest.channel_id) == (State.WAITING, anna)
    assert digest.body.endswith("and 8 more")
    await given(database, alarm(101))
    await routed(database, NOON + 61 * MINUTE)
    assert (await messages(database))[-1].title == "[High] Alarm 101", "an hour later there is room again"


async def test_a_policy_with_a_digest_tells_every_so_many_minutes(database: Database, anna: int) -> None:
    await made(database, policy(digest_min=30))
    for minute in range(0, 25, 5):
        await given(database, alarm(minute), at=NOON + minute * MINUTE)
        await routed(database, NOON + minute * MINUTE)
    await routed(database, NOON + 30 * MINUTE)
    assert [(one.title, one.state, one.channel_id) for one in await messages(database)] == [
        ("5 notices: 5 High", State.WAITING, anna)
    ]


@pytest.mark.usefixtures("anna")
async def test_late_notices_go_into_a_digest_only(database: Database) -> None:
    await made(database, policy())
    await given(database, *(alarm(number, is_late=True, priority=1) for number in range(50)))
    await routed(database)
    await routed(database, NOON + 3 * MINUTE)
    assert [one.title for one in await messages(database)] == ["50 notices: 50 Critical"]
    assert [one.title for one in await messages(database, "inbox")] == ["50 notices: 50 Critical"]


async def test_a_burst_is_routed_in_bulk_and_told_in_few_messages(database: Database) -> None:
    count = 12_000
    people = [person(f"p{number}", email=f"p{number}@example.com") for number in range(4)]
    await made(database, *people, channel(), policy(steps=[{"to": [{"kind": "role", "role": "operator"}]}]))
    await given(database, *(alarm(number) for number in range(count)))
    calls = []
    while not calls or calls[-1].has_more:
        calls.append(await routed(database))
    assert sum(one.notices for one in calls) == count
    assert max(one.notices for one in calls) <= MOST, "a burst holds the database for moments only"
    await routed(database, NOON + 10 * MINUTE)
    for kind, singly in (("email", 20), ("inbox", 200)):
        told = await messages(database, kind)
        assert len(told) == len(people) * (singly + 1)
        digests = [one for one in told if "notices" in one.title]
        assert [one.title for one in digests] == [f"{count - singly} notices: {count - singly} High"] * len(people)
    assert set(await fates(database)) == {"told"}


async def test_two_servers_that_route_at_once_tell_everything_once(database: Database) -> None:
    people = [person(f"p{number}", email=f"p{number}@example.com") for number in range(3)]
    steps = [{"to": [{"kind": "role", "role": "operator"}]}]
    await made(database, *people, channel(), policy(steps=steps, limit={"most": 25, "per_min": 60}))
    await given(database, *(alarm(number) for number in range(40)))
    other = Database(database.url.render_as_string(hide_password=False))
    try:
        done = await asyncio.gather(*(routed(one) for one in (database, other) * 4))
    finally:
        await other.close()
    assert sum(one.notices for one in done) == 40
    told = await messages(database)
    assert sorted(one.title for one in told if one.state == State.WITHHELD) == ["15 notices: 15 High"] * 3
    assert len(told) == 3 * (25 + 1)


async def test_the_next_channel_is_used_where_a_person_has_no_address_for_the_first(database: Database) -> None:
    sms, mail = await made(database, channel("webhook", name="Group"), channel())
    await made(database, person("anna", email="anna@example.com"), person("mute"))
    to = [{"kind": "person", "login": "anna"}, {"kind": "person", "login": "mute"}]
    await made(database, policy(steps=[{"to": to, "by": [mail, sms]}]))
    await given(database, alarm())
    await routed(database)
    assert [one.recipient for one in await messages(database)] == ["anna@example.com"]
    assert [(one.recipient, one.login) for one in await messages(database, "webhook")] == [("", None)]


async def test_only_people_who_may_see_it_are_told(database: Database) -> None:
    await made(database, person("anna"), person("stranger", "carbon"), person("park", None))
    to = [{"kind": "person", "login": login} for login in ("anna", "stranger", "park")]
    await made(database, policy(steps=[{"to": to}]))
    await given(database, alarm(), alarm(2, tenant="carbon"))
    await routed(database)
    assert [one.login for one in await messages(database, "inbox")] == ["anna"]
    assert await fates(database) == ["told", "nobody"]


async def test_people_whom_a_notice_names_hear_of_it_whatever_the_policies_say(database: Database) -> None:
    await made(database, person("anna"), person("bob"), policy(match={"topics": ["never"]}))
    await given(database, alarm(logins=("bob", "gone")))
    await routed(database)
    assert [(one.login, one.policy_id) for one in await messages(database, "inbox")] == [("bob", 0)]


async def test_who_is_on_duty_is_found_when_it_is_told(database: Database) -> None:
    content = {
        "name": {"en": "Watch"},
        "shifts": [{"id": "day", "name": {"en": "Day"}, "from_minute": 480, "minutes": 720}],
        "cycle": ["day", ""],
        "teams": [{"name": "A", "members": ["anna"]}, {"name": "B", "members": ["bob"], "offset": 1}],
        "begins_on": "2026-06-02",
    }
    roster = RosterRow(content=content, revision=1, changed_by="", changed_at=NOON, tenant="copper")
    (number,) = await made(database, roster)
    steps = [{"to": [{"kind": "duty", "roster": number}]}]
    await made(database, person("anna"), person("bob"), policy(steps=steps))
    for day in range(3):
        await given(database, alarm(day))
        await routed(database, NOON + timedelta(days=day))
    await given(database, alarm(9))
    await routed(database, NOON + timedelta(hours=12))
    assert [one.login for one in await messages(database, "inbox")] == ["anna", "bob", "anna"]
    assert (await fates(database))[-1] == "unreached"


async def test_a_template_fills_in_what_it_names_and_nothing_else(database: Database, anna: int) -> None:
    template = {"topic": "alarms.*", "title": "{priority}: {title}", "body": "{detail} {path} {link}"}
    await made(database, policy(templates=[template]))
    await given(database, alarm(title={"en": "{link} {title}"}, link="/alarms"))
    await routed(database)
    (mail,) = await messages(database)
    assert (mail.title, mail.body) == ("High: {link} {title}", "too hot copper.furnace.t1 /alarms")
    assert mail.channel_id == anna


def wish(login: str, start: int, end: int) -> WishRow:
    content = {"quiet": [{"from_minute": start, "to_minute": end}]}
    return WishRow(login=login, content=content, changed_at=NOON, tenant="copper")
