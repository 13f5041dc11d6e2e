"""Nothing is lost when a channel or a server is down, and nothing is sent twice that was not under way when it died."""

import asyncio
import email
import email.policy
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from cryptography.fernet import Fernet
from sqlalchemy import func, select, text, update

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.jobs.whose import this_server
from athanor.kernel.log import configure_logging
from athanor.kernel.notify import notice, outbox
from athanor.kernel.notify.channelbook import Draft
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.messages import Wish
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.outbox import Room
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import ChannelRow, MessageRow, NoticeRow, State
from athanor.kernel.vault import Vault

from .peers import PARK, PLANT, Clock, HttpPeer, free_port, given, http_peer, mail_peer, states, until
from .test_channels import siren_at

VAULT = Vault(Fernet.generate_key())
LEASE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def notify(database: Database, clock: Clock) -> AsyncIterator[Notify]:
    opened = Notify(database, VAULT, plant=lambda: PLANT, now=clock)
    yield opened
    await opened.close()


async def hook(notify: Notify, peer: HttpPeer, **more: object) -> int:
    settings = {"url": peer.url, "per_minute": 6000, "at_once": 20}
    return await notify.channels.add(PARK, Draft("webhook", "MES", settings | more))


def tokens(peer: HttpPeer) -> list[str]:
    return [one.headers["idempotency-key"] for one in peer.asked]


# ---- a channel that is down


async def test_a_mail_server_that_is_down_for_a_day_loses_nothing_and_is_told_of_twice(
    notify: Notify, database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    caplog.set_level(logging.INFO)
    port = free_port()
    settings = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "athanor@example.com", "per_minute": 6000,
        "at_once": 5,
    }  # fmt: skip
    channel = await notify.channels.add(PARK, Draft("email", "Mail", settings))
    for hour in range(24):
        for priority in (4, 1, 3):
            await given(database, channel, 1, priority=priority, start=1000 * hour, title=f"P{priority}", now=clock())
        for _ in range(3):
            await notify.look()
            clock.go(minutes=20)
    view = await notify.channels.get(PARK, channel)
    assert (view.waiting, view.is_failing) == (24 * 3, True)
    assert "refused" in view.last_error.lower() or "connect" in view.last_error.lower()
    assert await largest_attempt(database) <= 3 * 24  # the channel is tried with its most urgent message, one at a time
    with mail_peer(port=port) as peer:
        for _ in range(3):
            await notify.look()
            clock.go(minutes=20)
    titles = [subject(bytes(one.content or b"")) for one in peer.taken]
    assert Counter(titles) == {"P1": 24, "P3": 24, "P4": 24}
    urgent = [n for n, title in enumerate(titles) if title == "P1"]
    assert max(urgent) < 24 + 5  # after the one that tried the channel all go by urgency, five at once
    failing = [line for line in caplog.messages if "notify.channel-failing" in line]
    recovered = [line for line in caplog.messages if "notify.channel-recovered" in line]
    assert (len(failing), len(recovered)) == (1, 1)
    about = await topics(database)
    assert (about["notify.channel.failing"], about["notify.channel.recovered"]) == (1, 1)
    assert not (await notify.channels.get(PARK, channel)).is_failing


async def test_a_channel_that_fails_is_left_alone_and_tried_with_one_message(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (503, b"")
        channel = await hook(notify, peer, at_once=3)
        await given(database, channel, 50)
        await notify.look()
        tried = len(peer.asked)
        assert tried <= 6
        for _ in range(10):
            clock.go(seconds=1)
            await notify.look()
        assert len(peer.asked) == tried
        clock.go(seconds=30)
        await notify.look()
        assert len(peer.asked) == tried + 1
        peer.answer = lambda _: (200, b"")
        clock.go(minutes=5)
        await notify.look()
        assert await states(database) == {State.SENT: 50}
        assert set(Counter(tokens(peer)).values()) <= {1, 2, 3}


async def test_what_one_receiver_refuses_for_now_is_no_fault_of_the_channel(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with mail_peer() as peer:
        peer.refusals["slow@example.com"] = "451 greylisted"
        settings = {"host": "127.0.0.1", "port": peer.port, "security": "none", "sender": "athanor@example.com"}
        channel = await notify.channels.add(PARK, Draft("email", "Mail", settings))
        await given(database, channel, 1, recipient="slow@example.com")
        await given(database, channel, 5, start=10)
        await notify.look()
        assert await states(database) == {State.SENT: 5, State.FAILED: 1}
        assert not (await notify.channels.get(PARK, channel)).is_failing
        del peer.refusals["slow@example.com"]
        clock.go(minutes=1)
        await notify.look()
        assert await states(database) == {State.SENT: 6}


async def test_what_is_refused_for_good_is_given_up_with_the_reason_and_told_of_once(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (422, b"unknown unit")
        channel = await hook(notify, peer)
        ids = await given(database, channel, 3)
        for _ in range(5):
            await notify.look()
            clock.go(hours=1)
        assert len(peer.asked) == 3
        views = await notify.messages.find(PARK, Wish(states=(State.GIVEN_UP,)))
        assert {one.id for one in views} == set(ids)
        assert "unknown unit" in views[0].error
        assert (await topics(database))["notify.message.given-up"] == 1
        peer.answer = lambda _: (200, b"")
        await notify.messages.again(PARK, ids[0])
        await notify.look()
        assert await states_of(database, channel) == {State.SENT: 1, State.GIVEN_UP: 2}


async def test_a_message_is_given_up_only_after_days_however_the_clock_jumps(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (409, b"")
        channel = await hook(notify, peer)
        await given(database, channel)
        clock.go(days=400)
        await notify.look()
        assert await states_of(database, channel) == {State.FAILED: 1}
        for _ in range(30):
            clock.go(hours=1)
            await notify.look()
        assert await states_of(database, channel) == {State.GIVEN_UP: 1}


async def test_a_clock_that_is_set_back_keeps_nothing_from_going_out(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (503, b"")
        channel = await hook(notify, peer, per_minute=6)
        await given(database, channel, 5)
        await notify.look()
        clock.go(days=-2)
        peer.answer = lambda _: (200, b"")
        await database_is_due(database, channel, clock)
        await notify.look()
        assert await states_of(database, channel) == {State.SENT: 5}


# ---- a server that is killed


async def test_a_message_whose_server_died_amid_sending_goes_again_with_its_token_and_says_so(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        channel = await hook(notify, peer)
        await given(database, channel)
        gone = "host/nowhere/1/1.0-abc"
        claimed = await outbox.claim(database, channel, Room(5, 60), gone, clock(), LEASE)
        assert len(claimed) == 1
        await notify.look()
        assert peer.asked == []  # another server may be about to send it
        steady = Steady()
        patient = patiently(database, clock, steady)
        await patient.look()
        for _ in range(9):
            steady.now += 10
            await patient.look()
        assert [json.loads(one.body)["is_repeat"] for one in peer.asked] == [True]
        assert tokens(peer) == [claimed[0].row.token]
        await patient.close()


async def test_a_server_of_this_machine_that_is_gone_is_known_at_once(
    notify: Notify, database: Database, clock: Clock
) -> None:
    parts = this_server().split("/")
    gone = "/".join([*parts[:2], "4194000", parts[3]])
    with http_peer() as peer:
        channel = await hook(notify, peer)
        await given(database, channel)
        await outbox.claim(database, channel, Room(5, 60), gone, clock(), LEASE)
        await notify.look()
        assert await states(database) == {State.SENT: 1}
        assert len(peer.asked) == 1


async def test_a_server_that_lost_a_message_writes_nothing_over_what_became_of_it(
    database: Database, notify: Notify, clock: Clock
) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example"}))
    await given(database, channel)
    first = (await outbox.claim(database, channel, Room(5, 60), "one", clock(), LEASE))[0].row
    assert await outbox.take_back(database, [(first.id, "one", 1)], clock()) == 1
    assert await outbox.take_back(database, [(first.id, "one", 1)], clock()) == 0
    second = (await outbox.claim(database, channel, Room(5, 60), "two", clock(), LEASE))[0].row
    async with database.session() as session:
        late = await outbox.settle(session, first.id, "one", 1, {"state": State.FAILED, "error": "late"})
        mine = await outbox.settle(session, second.id, "two", 2, {"state": State.SENT, "sent_at": clock(), "error": ""})
    assert (late, mine) == (False, True)
    assert await states(database) == {State.SENT: 1}


# ---- two servers


async def test_two_servers_send_a_thousand_messages_and_none_twice(database: Database, clock: Clock) -> None:
    servers = [Notify(database, VAULT, plant=lambda: PLANT, now=clock, pace=Pace(poll_s=0.05)) for _ in range(2)]
    count = 1000 if database.engine.dialect.name == "postgresql" else 300
    with http_peer() as peer:
        channel = await hook(servers[0], peer, at_once=20)
        await given(database, channel, count)
        for server in servers:
            await server.start()
        async with asyncio.timeout(90):
            while (await states(database)).get(State.SENT) != count:
                clock.go(seconds=1)  # a minute's messages are counted by the clock
                await asyncio.sleep(0.05)
        for server in servers:
            await server.close()
    assert len(peer.asked) == count
    assert len(set(tokens(peer))) == count


async def test_servers_together_do_not_exceed_what_a_channel_carries(
    notify: Notify, database: Database, clock: Clock
) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example"}))
    await given(database, channel, 30)
    room = Room(at_once=4, per_minute=6)
    both = await asyncio.gather(
        *(outbox.claim(database, channel, room, server, clock(), LEASE) for server in ("one", "two"))
    )
    assert sorted(len(one) for one in both) == [0, 4]
    async with database.session() as session:
        for claimed in (one for some in both for one in some):
            server = claimed.row.claimed_by or ""
            await outbox.settle(session, claimed.row.id, server, 1, {"state": State.SENT, "sent_at": clock()})
    assert len(await outbox.claim(database, channel, room, "one", clock(), LEASE)) == 2  # of six in this minute
    clock.go(seconds=61)
    assert len(await outbox.claim(database, channel, room, "two", clock(), LEASE)) == 2  # of four at once


# ---- outputs


async def test_a_siren_stands_on_until_the_last_of_its_alarms_is_over(
    notify: Notify, database: Database, clock: Clock
) -> None:
    written: list[tuple[str, int, list[int]]] = []
    port = free_port()
    async with siren_at(port, written):
        settings = {"host": "127.0.0.1", "port": port, "address": 3}
        channel = await notify.channels.add(PARK, Draft("modbus", "Siren", settings))
        await given(database, channel, 2)
        await notify.look()
        assert (await notify.channels.get(PARK, channel)).is_on
        await over(database, "alarms.occurrence:0", clock)
        clock.go(hours=1)
        await notify.look()
        assert [one[2][0] for one in written] == [1, 1]
        await over(database, "alarms.occurrence:1", clock)
        await notify.look()
        assert [one[2][0] for one in written] == [1, 1, 0]
        assert not (await notify.channels.get(PARK, channel)).is_on
        await notify.look()
        assert len(written) == 3


async def test_a_siren_goes_off_after_its_time_and_when_it_is_retired_and_after_a_test(
    notify: Notify, database: Database, clock: Clock
) -> None:
    written: list[tuple[str, int, list[int]]] = []
    port = free_port()
    async with siren_at(port, written):
        settings = {"host": "127.0.0.1", "port": port, "address": 3}
        timed = await notify.channels.add(PARK, Draft("modbus", "Light", settings | {"longest_s": 60}))
        await given(database, timed)
        await notify.look()
        clock.go(seconds=61)
        await notify.look()
        assert [one[2][0] for one in written] == [1, 0]
        siren = await notify.channels.add(PARK, Draft("modbus", "Siren", settings))
        assert (await notify.test(PARK, siren)).is_sent
        await notify.look()
        assert written[-1][2][0] == 1
        clock.go(seconds=6)
        await notify.look()
        assert written[-1][2][0] == 0
        await given(database, siren, start=5)
        await notify.look()
        assert written[-1][2][0] == 1
        await notify.channels.retire(PARK, siren)
        await notify.look()
        assert written[-1][2][0] == 0


async def test_a_siren_that_cannot_be_switched_off_is_tried_until_it_can(
    notify: Notify, database: Database, clock: Clock
) -> None:
    written: list[tuple[str, int, list[int]]] = []
    port = free_port()
    settings = {"host": "127.0.0.1", "port": port, "address": 3}
    channel = await notify.channels.add(PARK, Draft("modbus", "Siren", settings))
    async with siren_at(port, written):
        await given(database, channel)
        await notify.look()
    await over(database, "alarms.occurrence:0", clock)
    for _ in range(5):
        await notify.look()
        clock.go(minutes=10)
    assert (await notify.channels.get(PARK, channel)).is_failing
    async with siren_at(port, written):
        await notify.look()
    assert [one[2][0] for one in written] == [1, 0]


# ---- around


async def test_secrets_stand_in_no_log_and_no_error(
    notify: Notify, database: Database, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug", "json")
    secret = "hook-geheim-4711"
    with http_peer() as peer:
        peer.answer = lambda asked: (503, asked.headers["authorization"].encode())
        channel = await hook(notify, peer, authorization=secret, secret="other-geheim-1")
        await given(database, channel, 5)
        for _ in range(5):
            await notify.look()
            clock.go(minutes=20)
    logging.getLogger().handlers[0].flush()
    said = capsys.readouterr()
    assert "notify.channel-failing" in said.err
    async with database.reading() as session:
        kept = [repr((await session.execute(text(f"SELECT * FROM {table}"))).all()) for table in TABLES]  # noqa: S608
    for place in (said.err, said.out, *kept):
        assert secret not in place
        assert "other-geheim-1" not in place
    assert "•••" in (await notify.channels.get(PARK, channel)).last_error


async def test_a_channel_that_is_off_keeps_its_messages(notify: Notify, database: Database) -> None:
    with http_peer() as peer:
        channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": peer.url}, is_enabled=False))
        await given(database, channel, 2)
        await notify.look()
        assert await states(database) == {State.WAITING: 2}
        await notify.channels.save(PARK, channel, Draft("webhook", "MES", {"url": peer.url}), 1)
        await notify.look()
        assert await states(database) == {State.SENT: 2}


async def test_what_waits_for_a_channel_that_is_retired_is_cancelled(notify: Notify, database: Database) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example"}))
    await given(database, channel, 2)
    await notify.channels.retire(PARK, channel)
    assert await states(database) == {State.CANCELLED: 2}


async def test_what_is_old_is_forgotten_and_what_has_still_to_go_out_is_not(
    notify: Notify, database: Database, clock: Clock
) -> None:
    with http_peer() as peer:
        channel = await hook(notify, peer)
        await given(database, channel, 3)
        await notify.look()
        await given(database, channel, 2, start=10)
        clock.go(days=400)
        await given(database, channel, 1, start=20, now=clock())
        assert await outbox.expire(database, clock() - timedelta(days=365)) == 3
        assert await states(database) == {State.WAITING: 3}
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(NoticeRow)) == 3


async def test_a_database_that_is_away_is_said_once_and_delivery_goes_on_after(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    url = f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    await upgrade(url)
    database = Database(url)
    notify = Notify(database, VAULT, plant=lambda: PLANT, now=clock, pace=Pace(poll_s=0.02))
    with http_peer() as peer:
        channel = await hook(notify, peer)
        await notify.start()
        async with database.session() as session:
            await session.execute(text("ALTER TABLE notify_messages RENAME TO elsewhere"))
        await until(lambda: any("notify.failing" in line and "deliver" in line for line in caplog.messages))
        async with database.session() as session:
            await session.execute(text("ALTER TABLE elsewhere RENAME TO notify_messages"))
        await given(database, channel, 3)
        await until(lambda: len(peer.asked) == 3)
        await notify.close()
    said = [line for line in caplog.messages if "notify.failing" in line and "'deliver'" in line]
    assert len(said) == 1
    await database.close()


TABLES = ("notify_channels", "notify_messages", "notify_notices", "identity_audit")


class Steady:
    """A steady clock that goes when it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def patiently(database: Database, clock: Clock, steady: Steady) -> Notify:
    """A server whose steady clock is this one."""
    return Notify(database, VAULT, plant=lambda: PLANT, now=clock, steady=steady)


async def over(database: Database, subject: str, clock: Clock) -> None:
    """Acknowledged."""
    async with database.session() as session:
        said = Notice(
            key=f"{subject}:over", topic="alarms.acknowledged", subject=subject, title={"en": "Over"}, is_over=True,
            at=clock(),
        )  # fmt: skip
        await notice.put(session, [said], clock())


async def topics(database: Database) -> Counter[str]:
    async with database.reading() as session:
        return Counter(await session.scalars(select(NoticeRow.topic)))


async def states_of(database: Database, channel: int) -> dict[str, int]:
    async with database.reading() as session:
        return Counter(await session.scalars(select(MessageRow.state).where(MessageRow.channel_id == channel)))


async def largest_attempt(database: Database) -> int:
    async with database.reading() as session:
        return int(await session.scalar(select(func.max(MessageRow.attempts))) or 0)


async def database_is_due(database: Database, channel: int, clock: Clock) -> None:
    """Messages of the time after the clock was set back."""
    async with database.session() as session:
        await session.execute(update(MessageRow).values(due_at=MessageRow.due_at, made_at=clock()))
        await session.execute(update(MessageRow).where(MessageRow.state == State.WAITING).values(due_at=clock()))
        assert await session.get(ChannelRow, channel) is not None


def subject(content: bytes) -> str:
    return str(email.message_from_bytes(content, policy=email.policy.default)["Subject"])
