"""A program elsewhere, by HTTP: JSON that is signed, so that it knows who speaks and that nothing was changed."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, ClassVar

import orjson
from pydantic import Field, SecretStr

from athanor.kernel.notify.channels.port import Channel, ChannelSettings, Message, words


class WebhookSettings(ChannelSettings):
    """Where the program listens."""

    url: str = Field(
        pattern=r"^https?://[^/\s]+",
        max_length=2000,
        json_schema_extra=words("Address (https://…)", "地址（https://…）"),
    )
    secret: SecretStr = Field(default=SecretStr(""), json_schema_extra=words("Secret for signatures", "签名密钥"))
    authorization: SecretStr = Field(
        default=SecretStr(""), json_schema_extra=words("Authorization header", "Authorization 请求头")
    )


class WebhookChannel(Channel):
    """Posts each message as JSON.

    Headers: `Idempotency-Key`, the message's token, the same at each try; `X-Athanor-Timestamp`, seconds since 1970;
    `X-Athanor-Signature`, `sha256=` and the hexadecimal HMAC-SHA256 under the secret of timestamp, a dot and the body.
    """

    kind = "webhook"
    title: ClassVar = {"en": "Webhook", "zh_CN": "Webhook 接口"}
    Settings = WebhookSettings
    settings: WebhookSettings
    clock: Callable[[], float] = staticmethod(time.time)

    async def send(self, message: Message) -> None:
        content = orjson.dumps(as_json(message))
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.token}
        if secret := self.settings.secret.get_secret_value():
            at = str(int(self.clock()))
            headers |= {"X-Athanor-Timestamp": at, "X-Athanor-Signature": signature(secret, at, content)}
        if authorization := self.settings.authorization.get_secret_value():
            headers["Authorization"] = authorization
        answer = await self.outside.request("POST", self.settings.url, content=content, headers=headers)
        answer.checked()


def signature(secret: str, timestamp: str, content: bytes) -> str:
    """What proves who sent a body and when."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + content, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def as_json(message: Message) -> dict[str, Any]:
    """A message for a program."""
    return {
        "token": message.token,
        "recipient": message.recipient,
        "title": message.title,
        "body": message.body,
        "link": message.link,
        "priority": message.priority,
        "category": message.category,
        "topic": message.topic,
        "subject": message.subject,
        "path": message.path,
        "at": message.at.isoformat() if message.at else None,
        "is_over": message.is_over,
        "is_repeat": message.is_repeat,
    }
