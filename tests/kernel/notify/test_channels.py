"""Each kind of channel against a real server of its protocol on loopback, and against hostile texts."""

import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiomqtt
import pytest
from amqtt.broker import Broker
from cryptography.fernet import Fernet
from hypothesis import given as for_all
from hypothesis import strategies as st
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.dingtalk import DingTalkChannel
from athanor.kernel.notify.channels.feishu import FeishuChannel
from athanor.kernel.notify.channels.mail import MailChannel, MailSettings
from athanor.kernel.notify.channels.modbus import ModbusChannel
from athanor.kernel.notify.channels.mqtt import MqttChannel
from athanor.kernel.notify.channels.outside import Limits, Outside
from athanor.kernel.notify.channels.port import Message
from athanor.kernel.notify.channels.robot import cut
from athanor.kernel.notify.channels.sealing import is_secret, sealed, settings_of
from athanor.kernel.notify.channels.sms import SmsChannel
from athanor.kernel.notify.channels.webhook import WebhookChannel, signature
from athanor.kernel.notify.channels.wecom import WeComChannel
from athanor.kernel.notify.errors import BadChannelError, PermanentError, TemporaryError
from athanor.kernel.vault import Vault

from .peers import HttpPeer, MailPeer, certificate, free_port, http_peer, mail_peer, opened

HOSTILE = (
    'High\r\nBcc: all@example.com\n<at user_id="all">所有人</at> <b>**{secret.key}** {to}</b> @all [x](http://evil)'
)
MESSAGE = Message(
    token="abc123", recipient="", title="熔池温度高", body="炉 1 · 1250 °C", link="https://athanor.example/alarms",
    priority=1, topic="alarms.raised", subject="alarms.occurrence:7", path="smelter.bath.temperature",
)  # fmt: skip


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    one = Outside()
    yield one
    await one.close()


@asynccontextmanager
async def robots_at(peer: HttpPeer) -> AsyncIterator[Outside]:
    """Robots may be at this server."""
    one = Outside(Limits(robot_hosts=(f"127.0.0.1:{peer.port}",)))
    try:
        yield one
    finally:
        await one.close()


def to(recipient: str, **more: Any) -> Message:
    fields = {name: getattr(MESSAGE, name) for name in Message.__dataclass_fields__}
    return Message(**fields | {"recipient": recipient} | more)


# ---- mail


def mail(outside: Outside, peer: MailPeer, **more: Any) -> MailChannel:
    settings = {"host": "127.0.0.1", "port": peer.port, "security": "none", "sender": "athanor@plant.example"} | more
    return MailChannel(MailSettings.model_validate(settings), outside)


def read(peer: MailPeer) -> EmailMessage:
    content = peer.taken[-1].content
    assert isinstance(content, bytes)
    return email.message_from_bytes(content, policy=email.policy.default)


async def test_a_mail_arrives_in_plain_text_and_html_with_the_token_as_its_id(outside: Outside) -> None:
    with mail_peer() as peer:
        await mail(outside, peer).send(to("shift@plant.example"))
    got = read(peer)
    assert (got["Subject"], got["To"], got["Message-ID"]) == (
        "熔池温度高",
        "shift@plant.example",
        "<abc123@plant.example>",
    )
    assert (got["Importance"], got["Auto-Submitted"]) == ("high", "auto-generated")
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().split("\n")[:3] == ["熔池温度高", "炉 1 · 1250 °C", "https://athanor.example/alarms"]
    assert "<h3>熔池温度高</h3>" in html.get_content()


@pytest.mark.parametrize("is_implicit", [True, False], ids=["tls", "starttls"])
async def test_mail_goes_encrypted_and_with_a_password(tmp_path: Path, is_implicit: bool) -> None:
    authority, context = certificate(tmp_path)
    outside = Outside(Limits(ca_file=authority))
    with mail_peer(tls=context, is_implicit=is_implicit) as peer:
        more = {"security": "tls"} if is_implicit else {"security": "starttls", "user": "athanor"}
        password = {} if is_implicit else {"password": "smtp-geheim-1"}
        await mail(outside, peer, **more, **password).send(to("a@plant.example"))
        assert len(peer.taken) == 1
        if not is_implicit:
            wrong = mail(outside, peer, **more, password="wrong-one")
            wrong.timeout_s = 2.0  # aiosmtpd gives no answer to a second way to sign in
            with pytest.raises(TemporaryError) as refused:  # somebody has to put the password right: nothing is lost
                await wrong.send(to("a@plant.example"))
            assert refused.value.is_of_channel
    await outside.close()


async def test_a_mail_server_whose_certificate_nobody_vouches_for_gets_no_mail(
    outside: Outside, tmp_path: Path
) -> None:
    _authority, context = certificate(tmp_path)
    with mail_peer(tls=context, is_implicit=True) as peer, pytest.raises(TemporaryError, match="certificate"):
        await mail(outside, peer, security="tls").send(to("a@plant.example"))


async def test_what_a_mail_server_refuses_for_good_is_told_from_what_it_refuses_for_now(outside: Outside) -> None:
    with mail_peer() as peer:
        peer.refusals = {"gone@plant.example": "550 no such user", "full@plant.example": "451 greylisted"}
        with pytest.raises(PermanentError, match="550 no such user"):
            await mail(outside, peer).send(to("gone@plant.example"))
        with pytest.raises(TemporaryError, match="451 greylisted") as later:
            await mail(outside, peer).send(to("full@plant.example"))
        assert not later.value.is_of_channel
    with pytest.raises(TemporaryError) as away:
        await mail(outside, peer).send(to("a@plant.example"))
    assert away.value.is_of_channel


async def test_hostile_text_makes_no_header_and_no_markup_of_a_mail(outside: Outside) -> None:
    with mail_peer() as peer:
        await mail(outside, peer).send(to("a@plant.example", title=HOSTILE, body=HOSTILE, token="t1"))
        for address in ("a@plant.example\r\nRCPT TO:<b@plant.example>", "a@b.example, c@d.example", "<a@b.example>"):
            with pytest.raises(PermanentError):
                await mail(outside, peer).send(to(address))
    got = read(peer)
    assert got["Bcc"] is None
    assert got["Subject"].startswith("High Bcc: all@example.com <at")
    html = got.get_body(("html",))
    assert html is not None
    assert "<at" not in html.get_content()
    assert "&lt;b&gt;" in html.get_content()


def test_a_password_is_not_sent_in_clear() -> None:
    with pytest.raises(BadChannelError, match="in clear"):
        settings_of(MailSettings, {"host": "m", "sender": "a@b.example", "security": "none", "user": "a"})


# ---- webhook


async def test_a_webhook_gets_signed_json_and_the_same_key_at_each_try(outside: Outside) -> None:
    with http_peer() as peer:
        channel = opened(
            WebhookChannel, outside, url=f"{peer.url}/in?a=1", secret="geheim-42", authorization="Bearer x-1"
        )
        await channel.send(MESSAGE)
        await channel.send(MESSAGE)
    first, second = peer.asked
    at = first.headers["x-athanor-timestamp"]
    assert first.headers["x-athanor-signature"] == signature("geheim-42", at, first.body)
    expected = hmac.new(b"geheim-42", f"{at}.".encode() + first.body, hashlib.sha256).hexdigest()
    assert first.headers["x-athanor-signature"] == f"sha256={expected}"
    assert [one.headers["idempotency-key"] for one in (first, second)] == ["abc123", "abc123"]
    assert (first.path, first.headers["authorization"], first.headers["host"]) == (
        "/in?a=1",
        "Bearer x-1",
        f"127.0.0.1:{peer.port}",
    )
    assert json.loads(first.body)["title"] == "熔池温度高"


@pytest.mark.parametrize(
    ("status", "is_permanent", "is_of_channel"),
    [
        (500, False, True), (503, False, True), (429, False, True), (401, False, True), (404, False, True),
        (302, False, True), (408, False, False), (400, True, False), (422, True, False),
    ],
)  # fmt: skip
async def test_what_an_http_answer_means(
    outside: Outside, status: int, is_permanent: bool, is_of_channel: bool
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (status, b"why not")
        with pytest.raises((TemporaryError, PermanentError), match="why not") as refused:
            await opened(WebhookChannel, outside, url=peer.url).send(MESSAGE)
    assert isinstance(refused.value, PermanentError) == is_permanent
    assert getattr(refused.value, "is_of_channel", False) == is_of_channel
    assert len(peer.asked) == 1  # a redirection is not followed


async def test_https_is_believed_only_with_a_known_certificate(outside: Outside, tmp_path: Path) -> None:
    authority, context = certificate(tmp_path)
    believing = Outside(Limits(ca_file=authority))
    with http_peer(context) as peer:
        url = f"https://localhost:{peer.port}/"
        with pytest.raises(TemporaryError, match="CERTIFICATE_VERIFY_FAILED"):
            await opened(WebhookChannel, outside, url=url).send(MESSAGE)
        await opened(WebhookChannel, believing, url=url).send(MESSAGE)
    assert peer.asked[0].headers["host"] == f"localhost:{peer.port}"
    await believing.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
        "http://2852039166/", "http://0xa9fea9fe/",
    ],
)  # fmt: skip
async def test_no_channel_reaches_what_is_barred_however_it_is_written(outside: Outside, url: str) -> None:
    with pytest.raises(TemporaryError, match=r"may not reach|not known"):
        await opened(WebhookChannel, outside, url=url).send(MESSAGE)


async def test_a_name_that_means_a_barred_address_is_barred() -> None:
    outside = Outside(Limits(never=("127.0.0.0/8", "::1/128")))
    with http_peer() as peer:
        url = f"http://localhost:{peer.port}/"
        with pytest.raises(TemporaryError, match="may not reach"):
            await opened(WebhookChannel, outside, url=url).send(MESSAGE)
        for host in ("127.0.0.1", "localhost"):
            channel = opened(ModbusChannel, outside, host=host, port=peer.port, address=0)
            with pytest.raises(TemporaryError, match="may not reach"):
                await channel.send(MESSAGE)
    assert peer.asked == []
    await outside.close()


# ---- robots


async def test_wecom_gets_plain_text_and_a_mention() -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (200, b'{"errcode":0,"errmsg":"ok"}')
        async with robots_at(peer) as outside:
            channel = opened(WeComChannel, outside, url=f"{peer.url}/cgi-bin/webhook/send?key=k-1")
            await channel.send(to("13800000000"))
            await channel.send(to("", body="长" * 5000))
    first, second = (json.loads(one.body) for one in peer.asked)
    text = "熔池温度高\n炉 1 · 1250 °C\nhttps://athanor.example/alarms"
    assert first == {"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": ["13800000000"]}}
    assert len(second["text"]["content"].encode()) <= 2048
    assert peer.asked[0].path == "/cgi-bin/webhook/send?key=k-1"


async def test_dingtalk_gets_a_signature_that_its_rule_gives() -> None:
    secret = "SEC0123456789"
    with http_peer() as peer:
        peer.answer = lambda _: (200, b'{"errcode":0,"errmsg":"ok"}')
        async with robots_at(peer) as outside:
            channel = opened(DingTalkChannel, outside, url=f"{peer.url}/robot/send?access_token=t-1", secret=secret)
            channel.clock = lambda: 1_770_000_000.123  # type: ignore[attr-defined]
            await channel.send(to("13800000000"))
    asked = parse_qs(urlsplit(peer.asked[0].path).query)
    by_rule = hmac.new(secret.encode(), f"1770000000123\n{secret}".encode(), hashlib.sha256).digest()
    assert asked == {
        "access_token": ["t-1"],
        "timestamp": ["1770000000123"],
        "sign": [base64.b64encode(by_rule).decode()],
    }
    assert json.loads(peer.asked[0].body)["at"] == {"atMobiles": ["13800000000"], "isAtAll": False}


async def test_feishu_gets_a_signature_that_its_rule_gives() -> None:
    secret = "feishu-secret"
    with http_peer() as peer:
        peer.answer = lambda _: (200, b'{"code":0,"msg":"success","data":{}}')
        async with robots_at(peer) as outside:
            channel = opened(FeishuChannel, outside, url=f"{peer.url}/open-apis/bot/v2/hook/h-1", secret=secret)
            channel.clock = lambda: 1_770_000_000.9  # type: ignore[attr-defined]
            await channel.send(to("ou_1"))
    body = json.loads(peer.asked[0].body)
    by_rule = hmac.new(f"1770000000\n{secret}".encode(), b"", hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == ("1770000000", base64.b64encode(by_rule).decode())
    assert body["content"]["post"]["zh_cn"] == {
        "title": "熔池温度高",
        "content": [
            [{"tag": "text", "text": "炉 1 · 1250 °C"}],
            [{"tag": "a", "text": "https://athanor.example/alarms", "href": "https://athanor.example/alarms"}],
            [{"tag": "at", "user_id": "ou_1"}],
        ],
    }


@pytest.mark.parametrize(
    ("kind", "answer", "is_permanent", "is_of_channel"),
    [
        (WeComChannel, b'{"errcode":93000,"errmsg":"invalid webhook url"}', False, True),
        (WeComChannel, b'{"errcode":45009,"errmsg":"api freq out of limit"}', False, True),
        (WeComChannel, b'{"errcode":40058,"errmsg":"content too long"}', True, False),
        (WeComChannel, b'{"errcode":-1,"errmsg":"system busy"}', False, False),
        (DingTalkChannel, b'{"errcode":310000,"errmsg":"sign not match"}', False, True),
        (DingTalkChannel, b'{"errcode":130101,"errmsg":"send too fast"}', False, True),
        (FeishuChannel, b'{"code":19021,"msg":"sign match fail"}', False, True),
        (FeishuChannel, b'{"code":9499,"msg":"Bad Request"}', True, False),
        (FeishuChannel, b"<html>login</html>", False, True),
        (FeishuChannel, b"[]", False, True),
    ],
)
async def test_what_a_robots_code_means(
    kind: type[WeComChannel], answer: bytes, is_permanent: bool, is_of_channel: bool
) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (200, answer)
        async with robots_at(peer) as outside:
            with pytest.raises((TemporaryError, PermanentError)) as refused:
                await opened(kind, outside, url=f"{peer.url}/hook").send(MESSAGE)
    assert isinstance(refused.value, PermanentError) == is_permanent
    assert getattr(refused.value, "is_of_channel", False) == is_of_channel


@pytest.mark.parametrize("kind", [WeComChannel, DingTalkChannel, FeishuChannel])
async def test_hostile_text_stays_text_with_robots_and_calls_nobody(kind: type[WeComChannel]) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (200, b'{"errcode":0,"code":0}')
        async with robots_at(peer) as outside:
            await opened(kind, outside, url=f"{peer.url}/hook").send(to("", title=HOSTILE, body=HOSTILE))
    body = json.loads(peer.asked[0].body)
    if kind is FeishuChannel:
        tags = {part["tag"] for line in body["content"]["post"]["zh_cn"]["content"] for part in line}
        assert tags == {"text", "a"}
    else:
        assert body["msgtype"] == "text"
        assert body.get("at", {"isAtAll": False})["isAtAll"] is False
        assert "mentioned_mobile_list" not in body["text"]


@pytest.mark.parametrize(
    "url", ["https://evil.example/hook", "http://qyapi.weixin.qq.com/x", "https://qyapi.weixin.qq.com@evil.example/x"]
)
def test_robots_are_only_where_the_server_says(url: str) -> None:
    settings = settings_of(WeComChannel.Settings, {"url": url})
    assert WeComChannel.refusal(settings, Limits()) is not None
    genuine = settings_of(WeComChannel.Settings, {"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"})
    assert WeComChannel.refusal(genuine, Limits()) is None


@for_all(text=st.text(), most=st.integers(4, 400))
def test_a_text_is_cut_between_characters(text: str, most: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    short = cut(text, most)
    assert len(short.encode()) <= max(most, 3)
    assert short == text or text.startswith(short[:-1])


# ---- SMS


async def test_an_sms_gateway_gets_what_its_template_says(outside: Outside) -> None:
    with http_peer() as peer:
        peer.answer = lambda _: (200, b'{"code":"OK"}')
        settings = {
            "url": f"{peer.url}/send/{{to}}?id={{token}}", "headers": {"X-Key": "{secret.key}", "X-Title": "{title}"},
            "secrets": {"key": "sms-geheim"}, "success": '"code":"OK"',
            "body": '{"mobile": "{to}", "content": "【Athanor】{text}", "n": 1}',
        }  # fmt: skip
        await opened(SmsChannel, outside, **settings).send(to("+8613800000000"))
        form = {"body_type": "form", "body": "m={to}&c={text}&k={secret.key}"}
        await opened(SmsChannel, outside, **settings | form).send(to("13800000000", body="a&b=c 温度"))
    first, second = peer.asked
    assert (first.path, first.headers["x-key"]) == ("/send/%2B8613800000000?id=abc123", "sms-geheim")
    assert json.loads(first.body) == {
        "mobile": "+8613800000000",
        "content": "【Athanor】熔池温度高\n炉 1 · 1250 °C\nhttps://athanor.example/alarms",
        "n": 1,
    }
    assert parse_qs(second.body.decode()) == {
        "m": ["13800000000"],
        "c": ["熔池温度高\na&b=c 温度\nhttps://athanor.example/alarms"],
        "k": ["sms-geheim"],
    }


async def test_hostile_text_fills_no_placeholder_and_breaks_no_request_of_a_gateway(outside: Outside) -> None:
    hostile = HOSTILE + '"}, {"mobile": "110" %0d%0aX-Evil: 1'
    with http_peer() as peer:
        settings = {
            "url": f"{peer.url}/s?t={{title}}", "headers": {"X-Title": "{title}"}, "secrets": {"key": "sms-geheim"},
            "body": '{"c": "{text}"}', "longest": 2000,
        }  # fmt: skip
        await opened(SmsChannel, outside, **settings).send(to("13800000000", title=hostile, body="{secret.key}{to}"))
        with pytest.raises(PermanentError):
            await opened(SmsChannel, outside, **settings).send(to("138 0000\r\nX: 1"))
    asked = peer.asked[0]
    assert "sms-geheim" not in asked.body.decode() + asked.path + str(asked.headers)
    assert set(json.loads(asked.body)) == {"c"}
    assert "x-evil" not in asked.headers
    assert "bcc" not in asked.headers


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://g.example/{nobody}"},
        {"url": "http://g.example/", "body": "no json"},
        {"url": "http://{to}/"},
        {"url": "http://g.example/", "headers": {"X-A": "a\r\nX-B: b"}},
        {"url": "http://g.example/", "headers": {"X A": "a"}},
        {"url": "http://g.example/", "success": "("},
        {"url": "http://g.example/", "headers": {"Authorization": "Bearer abc"}},
        {"url": "http://g.example/?apikey=abc"},
        {"url": "http://g.example/", "body": '{"k": "{secret.key}"}'},
    ],
)
def test_a_template_that_cannot_be_filled_in_is_refused_when_it_is_kept(settings: dict[str, Any]) -> None:
    with pytest.raises(BadChannelError):
        settings_of(SmsChannel.Settings, settings)


async def test_a_gateways_own_words_for_success_and_refusal_count(outside: Outside) -> None:
    with http_peer() as peer:
        settings = {"url": peer.url, "success": '"code":0', "refused": '"code":4\\d\\d'}
        for answer, error in (
            (b'{"code":0}', None),
            (b'{"code":9}', TemporaryError),
            (b'{"code":404}', PermanentError),
        ):
            peer.answer = lambda _, said=answer: (200, said)  # type: ignore[misc]
            sending = opened(SmsChannel, outside, **settings).send(to("13800000000"))
            if error is None:
                await sending
            else:
                with pytest.raises(error):
                    await sending


# ---- MQTT, Modbus


@asynccontextmanager
async def broker(port: int) -> AsyncIterator[None]:
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    running = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": plugins})
    await running.start()
    try:
        yield
    finally:
        await running.shutdown()


async def test_a_message_is_published_as_json_and_a_siren_is_switched_by_two_payloads(outside: Outside) -> None:
    port = free_port()
    place = {"host": "127.0.0.1", "port": port, "is_encrypted": False, "topic": "plant/alarms"}
    async with broker(port), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("plant/#", qos=1)
        await opened(MqttChannel, outside, **place).send(MESSAGE)
        siren = MqttChannel(MqttChannel.Settings.model_validate(place | {"on": "ON", "off": "OFF"}), outside)
        await siren.send(MESSAGE)
        await siren.switch(is_on=False)
        got: list[bytes] = []
        async with asyncio.timeout(30):
            async for one in client.messages:
                assert isinstance(one.payload, bytes)
                got.append(one.payload)
                if len(got) == 3:
                    break
    assert json.loads(got[0])["token"] == "abc123"
    assert got[1:] == [b"ON", b"OFF"]
    with pytest.raises(TemporaryError):
        await opened(MqttChannel, outside, **place).send(MESSAGE)


@asynccontextmanager
async def siren_at(port: int, written: list[tuple[str, int, list[int]]]) -> AsyncIterator[None]:
    """A device whose coils and registers remember what was written to them."""
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    words = [SimData(0, values=[0] * 10, datatype=DataType.REGISTERS)]

    async def note(
        code: int, _start: int, address: int, _count: int, _now: list[int], values: list[int] | None
    ) -> None:
        if values is not None:
            written.append(("coil" if code == 5 else "register", address, [int(one) for one in values]))

    device = SimDevice(1, simdata=(bits, bits, words, words), action=note)  # type: ignore[arg-type]
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_a_siren_is_switched_by_a_coil_or_a_register(outside: Outside) -> None:
    port = free_port()
    written: list[tuple[str, int, list[int]]] = []
    place = {"host": "127.0.0.1", "port": port}
    async with siren_at(port, written):
        coil = ModbusChannel(ModbusChannel.Settings.model_validate(place | {"address": 3}), outside)
        await coil.send(MESSAGE)
        await coil.switch(is_on=False)
        values = {"address": 7, "table": "register", "on": 5, "off": 9}
        column = ModbusChannel(ModbusChannel.Settings.model_validate(place | values), outside)
        await column.send(MESSAGE)
        await column.switch(is_on=False)
        absent = ModbusChannel(ModbusChannel.Settings.model_validate(place | {"address": 500}), outside)
        with pytest.raises(TemporaryError, match="refused coil 500"):
            await absent.send(MESSAGE)
    assert [one[:2] for one in written] == [("coil", 3), ("coil", 3), ("register", 7), ("register", 7)]
    assert [one[2][0] for one in written] == [1, 0, 5, 9]
    with pytest.raises(TemporaryError):
        await coil.send(MESSAGE)


# ---- all of them


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_named_in_both_languages_and_so_is_every_setting(kind: str) -> None:
    assert set(KINDS[kind].title) == {"en", "zh_CN"}
    for name, field in KINDS[kind].Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict), name
        words = extra["words"]
        assert isinstance(words, dict), name
        assert words["en"], name
        assert re.search(r"[\u4e00-\u9fff]|MQTT", str(words["zh_CN"])), name


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_could_be_a_secret_is_sealed(kind: str) -> None:
    suspicious = re.compile(r"password|secret|token|key|authorization", re.IGNORECASE)
    fields = KINDS[kind].Settings.model_fields
    assert all(is_secret(field) for name, field in fields.items() if suspicious.search(name))


def test_settings_lie_sealed_and_come_back_whole() -> None:
    vault = Vault(Fernet.generate_key())
    given = {"url": "http://g.example/", "secrets": {"key": "sms-geheim"}, "body": '{"k": "{secret.key}"}'}
    content = sealed(settings_of(SmsChannel.Settings, given), vault)
    assert "sms-geheim" not in json.dumps(content)
    assert vault.decrypt(content["sealed"]["secrets"]["key"]) == "sms-geheim"
