import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.notify import notice
from athanor.kernel.notify.channelbook import Draft
from athanor.kernel.notify.errors import BadAddressError, BadChannelError, ChannelChangedError
from athanor.kernel.notify.messages import Wish
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import PolicyRow, State
from athanor.kernel.vault import Vault

from .peers import NOON, OPERATOR, PARK, PLANT, TENANT, Clock, free_port, given, http_peer, mail_peer, states
from .test_channels import siren_at

SECRET = "hook-geheim-4711"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def notify(database: Database, clock: Clock) -> AsyncIterator[Notify]:
    opened = Notify(
        database, Vault(Fernet.generate_key()), plant=lambda: PLANT, now=clock, public_url="https://athanor.example"
    )
    yield opened
    await opened.close()


async def test_messages_that_wait_go_out_by_webhook_and_by_mail(notify: Notify, database: Database) -> None:
    with http_peer() as hook, mail_peer() as mail:
        by_hook = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": f"{hook.url}/in", "secret": SECRET}))
        settings = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "athanor@example.com"}
        by_mail = await notify.channels.add(PARK, Draft("email", "Mail", settings))
        await given(database, by_hook, 3)
        await given(database, by_mail, 2, start=10)
        await notify.look()
        assert await states(database) == {State.SENT: 5}
        assert len(hook.asked) == 3
        assert [one.rcpt_tos for one in mail.taken] == [["a@example.com"]] * 2
    views = await notify.messages.find(PARK, Wish(channel_id=by_mail))
    assert [(one.state, one.attempts, one.channel) for one in views] == [(State.SENT, 1, "Mail")] * 2


async def test_a_running_notify_delivers_by_itself_and_at_a_wake_at_once(notify: Notify, database: Database) -> None:
    await notify.start()
    with http_peer() as hook:
        channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": hook.url}))
        await given(database, channel)
        notify.wake()
        async with asyncio.timeout(30):
            while await states(database) != {State.SENT: 1}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert [one.kind for one in await notify.channels.all(PARK)] == ["inbox", "webhook"]


async def test_a_secret_is_neither_shown_nor_kept_in_clear(notify: Notify, database: Database) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example", "secret": SECRET}))
    view = await notify.channels.get(PARK, channel)
    assert view.settings["url"] == "https://mes.example"
    assert view.secrets == {"secret": ("secret",)}
    assert SECRET not in repr(view)
    async with database.reading() as session:
        tables = ("notify_channels", "identity_audit")
        for table in tables:
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()  # noqa: S608
            assert rows
            assert SECRET not in repr(rows)


async def test_a_secret_that_is_left_empty_stays_as_it_was(notify: Notify) -> None:
    with http_peer() as hook:
        channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": hook.url, "authorization": SECRET}))
        again = Draft("webhook", "MES 2", {"url": hook.url, "authorization": "", "per_minute": 30})
        assert await notify.channels.save(PARK, channel, again, 1) == 2
        assert (await notify.test(PARK, channel)).is_sent
        assert hook.asked[0].headers["authorization"] == SECRET


async def test_a_secret_does_not_follow_a_channel_to_another_place(notify: Notify) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example", "secret": SECRET}))
    with pytest.raises(BadChannelError, match="give secret anew"):
        await notify.channels.save(PARK, channel, Draft("webhook", "MES", {"url": "https://evil.example"}), 1)
    fresh = {"url": "https://evil.example", "secret": "another-one"}
    assert await notify.channels.save(PARK, channel, Draft("webhook", "MES", fresh), 1) == 2


async def test_of_two_who_change_a_channel_the_second_is_told(notify: Notify) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example"}))
    await notify.channels.save(PARK, channel, Draft("webhook", "A", {"url": "https://mes.example"}), 1)
    with pytest.raises(ChannelChangedError):
        await notify.channels.save(PARK, channel, Draft("webhook", "B", {"url": "https://mes.example"}), 1)


async def test_only_administrators_make_channels_and_only_the_parks_those_that_reach_anything(notify: Notify) -> None:
    hook = Draft("webhook", "MES", {"url": "https://mes.example"})
    with pytest.raises(NotAllowedError):
        await notify.channels.add(OPERATOR, hook)
    with pytest.raises(NotAllowedError):
        await notify.channels.add(TENANT, hook)
    channel = await notify.channels.add(PARK, hook)
    view = await notify.channels.get(TENANT, channel)
    assert (view.settings, view.secrets, view.last_error) == ({}, {}, "")
    with pytest.raises(NotAllowedError):
        await notify.test(TENANT, channel)
    with pytest.raises(NotAllowedError):
        await notify.channels.retire(TENANT, channel)
    with pytest.raises(NotFoundError):
        await notify.channels.add(PARK, Draft("pigeon", "P", {}))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "ftp://mes.example"},
        {"url": "https://mes.example", "at_once": 0},
        {"url": "https://mes.example", "unknown": 1},
        {"url": "https://mes.example", "secret": {"a": SECRET}},
    ],
)
async def test_settings_that_will_not_do_are_refused_without_repeating_them(
    notify: Notify, settings: dict[str, object]
) -> None:
    with pytest.raises(BadChannelError) as refused:
        await notify.channels.add(PARK, Draft("webhook", "MES", settings))
    assert SECRET not in str(refused.value)


async def test_a_test_really_sends_and_says_what_went_wrong(notify: Notify, database: Database) -> None:
    with http_peer() as hook, mail_peer() as mail:
        by_hook = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": hook.url}))
        settings = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "athanor@example.com"}
        by_mail = await notify.channels.add(PARK, Draft("email", "Mail", settings))
        assert (await notify.test(PARK, by_hook)).is_sent
        assert (await notify.test(PARK, by_mail, "b@example.com")).is_sent
        mail.refusals["nobody@example.com"] = "550 no such user"
        refused = await notify.test(PARK, by_mail, "nobody@example.com")
        assert (refused.is_sent, refused.error) == (False, "550 no such user")
        with pytest.raises(BadAddressError):
            await notify.test(PARK, by_mail, "no address")
    assert await states(database) == {State.SENT: 2, State.GIVEN_UP: 1}
    assert len(await notify.messages.find(PARK, Wish())) == 3


async def test_an_enterprise_sees_its_own_messages_and_a_person_theirs(notify: Notify, database: Database) -> None:
    channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": "https://mes.example"}))
    await given(database, channel, 2, tenant="smelter")
    await given(database, channel, 3, start=10, tenant="foundry")
    assert len(await notify.messages.find(PARK, Wish())) == 5
    assert len(await notify.messages.find(TENANT, Wish())) == 2
    assert await notify.messages.find(OPERATOR, Wish()) == []
    first = await notify.messages.find(PARK, Wish(limit=2))
    second = await notify.messages.find(PARK, Wish(limit=5, before=first[-1].id))
    assert [one.id for one in [*first, *second]] == sorted((one.id for one in [*first, *second]), reverse=True)
    assert (len(second), await notify.messages.count(PARK, Wish(states=(State.WAITING,)))) == (3, 5)


async def test_the_vault_of_another_server_keeps_messages_waiting(
    notify: Notify, database: Database, clock: Clock, tmp_path: Path
) -> None:
    with http_peer() as hook:
        channel = await notify.channels.add(PARK, Draft("webhook", "MES", {"url": hook.url, "secret": SECRET}))
        await given(database, channel)
        other = Notify(database, Vault(Fernet.generate_key()), plant=lambda: PLANT, now=clock)
        await other.look()
        assert await states(database) == {State.WAITING: 1}
        assert "cannot be decrypted" in (await notify.channels.get(PARK, channel)).last_error
        await other.close()
        clock.go(minutes=10)
        await notify.look()
        assert await states(database) == {State.SENT: 1}


async def test_an_alarm_goes_by_mail_and_sms_to_the_right_person_and_a_siren_sounds_until_it_is_over(
    notify: Notify, database: Database, clock: Clock
) -> None:
    port = free_port()
    written: list[tuple[str, int, list[int]]] = []
    with mail_peer() as mail, http_peer() as gateway:
        async with siren_at(port, written):
            place = {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "athanor@example.com"}
            by_mail = await notify.channels.add(PARK, Draft("email", "Mail", place))
            by_sms = await notify.channels.add(PARK, Draft("sms", "SMS", {"url": gateway.url}))
            coil = {"host": "127.0.0.1", "port": port, "address": 0}
            siren = await notify.channels.add(PARK, Draft("modbus", "Siren", coil))
            await hears(database, by_mail, by_sms, siren)
            await happens(database, "raised", clock)
            await notify.look()
            assert [one.rcpt_tos for one in mail.taken] == [["lead@example.com"]]
            assert [json.loads(one.body)["mobile"] for one in gateway.asked] == ["13800000000"]
            assert [one[2][0] for one in written] == [1]
            await notify.look()
            clock.go(minutes=1)
            await happens(database, "acknowledged", clock, is_over=True)
            await notify.look()
            assert [one[2][0] for one in written] == [1, 0]
            assert (len(mail.taken), len(gateway.asked)) == (1, 1)
    log = await notify.messages.find(PARK, Wish())
    assert sorted((one.kind, one.login, one.state) for one in log if one.kind != "modbus") == [
        ("email", "lead", State.SENT),
        ("sms", "lead", State.SENT),
    ]


async def hears(database: Database, by_mail: int, by_sms: int, siren: int) -> None:
    """A policy for alarms: the lead by mail and SMS, and a siren."""
    content = {
        "name": {"en": "Critical"},
        "match": {"topics": ["alarms.*"], "priorities": [1]},
        "steps": [
            {
                "to": [{"kind": "person", "login": "lead"}, {"kind": "address", "channel": siren}],
                "by": [by_mail, by_sms],
                "is_by_all": True,
            }
        ],
    }
    async with database.session() as session:
        session.add(
            UserRow(
                login="lead", name="Lead", roles=["engineer"], tenant=None, password_hash="", created_at=NOON,
                recovery_hashes=[], email="lead@example.com", phone="13800000000",
            )
        )  # fmt: skip
        session.add(
            PolicyRow(
                content=Policy.model_validate(content).model_dump(mode="json"), is_enabled=True, revision=1,
                changed_by="anna", changed_at=NOON, retired_at=None, tenant=None,
            )
        )  # fmt: skip


async def happens(database: Database, what: str, clock: Clock, *, is_over: bool = False) -> None:
    """An alarm is raised, or over."""
    said = Notice(
        key=f"alarms.occurrence:1:{what}", topic=f"alarms.{what}", subject="alarms.occurrence:1",
        title={"en": "Person in the danger zone", "zh_CN": "人员进入危险区"}, priority=1, category="safety",
        is_over=is_over, at=clock(),
    )  # fmt: skip
    async with database.session() as session:
        await notice.put(session, [said], clock())
