"""A group robot of Feishu or Lark (飞书自定义机器人), by https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.

With a secret the body carries a timestamp in seconds and the Base64 of the HMAC-SHA256 of nothing under timestamp, line
feed and secret. Messages are of type `post`, whose text elements are no markup: `<at user_id="all">` in them calls
nobody. At most 100 a minute, 5 a second, 20 KB.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import Field

from athanor.kernel.notify.channels.port import Message, words
from athanor.kernel.notify.channels.robot import Robot, SignedRobotSettings, cut

_MOST_BYTES = 15_000
_MEMBER = re.compile(r"(ou_|on_)?[A-Za-z0-9_-]{1,64}|all")


class FeishuSettings(SignedRobotSettings):
    """As of others; it takes more."""

    per_minute: int = Field(default=100, ge=1, le=6000, json_schema_extra=words("Most in a minute", "每分钟最多条数"))


class FeishuChannel(Robot):
    """Mentions a member by open id."""

    kind = "feishu"
    title: ClassVar = {"en": "Feishu group robot", "zh_CN": "飞书群机器人"}
    Settings = FeishuSettings
    address_example = "ou_84aad35d084aa403a838cf73ee18467"
    codes = ("code", "StatusCode")
    misconfigured = frozenset({19001, 19007, 19021, 19022, 19024})  # address, robot off, signature, IP, words
    busy = frozenset({11232, 99991400})
    settings: FeishuSettings
    clock: Callable[[], float] = staticmethod(time.time)

    @classmethod
    def knows(cls, address: str) -> bool:
        return not address or _MEMBER.fullmatch(address) is not None

    def content(self, message: Message) -> dict[str, Any]:
        shown = "" if message.link in message.body else message.link
        lines: list[list[dict[str, Any]]] = [[{"tag": "text", "text": line}] for line in _lines(message.body)]
        if shown:
            lines.append([{"tag": "a", "text": shown, "href": shown}])
        if message.recipient:
            lines.append([{"tag": "at", "user_id": message.recipient}])
        post = {"title": message.line[:200], "content": lines or [[{"tag": "text", "text": " "}]]}
        body: dict[str, Any] = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
        if secret := self.settings.secret.get_secret_value():
            timestamp = str(int(self.clock()))
            body |= {"timestamp": timestamp, "sign": signature(secret, timestamp)}
        return body


def _lines(body: str) -> list[str]:
    return cut(body, _MOST_BYTES).splitlines()


def signature(secret: str, timestamp: str) -> str:
    """Base64."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()
