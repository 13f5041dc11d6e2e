"""A group robot of DingTalk (钉钉自定义机器人), by https://open.dingtalk.com/document/robots/custom-robot-access.

With a secret the address carries a timestamp in milliseconds and the Base64 of the HMAC-SHA256 of timestamp, line feed
and secret under the secret. Messages are of type `text`, in which nothing is markup; 20 a minute.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote_plus

from athanor.kernel.notify.channels.port import Message
from athanor.kernel.notify.channels.robot import Robot, SignedRobotSettings, cut

_MOST_BYTES = 15_000  # of 20,000 that the whole body may have
_PHONE = re.compile(r"\+?[\d-]{5,16}|@all")


class DingTalkChannel(Robot):
    """Mentions a member by phone."""

    kind = "dingtalk"
    title: ClassVar = {"en": "DingTalk group robot", "zh_CN": "钉钉群机器人"}
    Settings = SignedRobotSettings
    address_example = "13800000000"
    codes = ("errcode",)
    misconfigured = frozenset({300001, 300005, 310000, 400101, 400102, 400105, 400106})  # token, signature, words, IP
    busy = frozenset({130101, 410100, 430101})
    settings: SignedRobotSettings
    clock: Callable[[], float] = staticmethod(time.time)

    @classmethod
    def knows(cls, address: str) -> bool:
        return not address or _PHONE.fullmatch(address) is not None

    def address(self) -> str:
        url, secret = self.settings.url.get_secret_value(), self.settings.secret.get_secret_value()
        if not secret:
            return url
        timestamp = str(round(self.clock() * 1000))
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}timestamp={timestamp}&sign={quote_plus(signature(secret, timestamp))}"

    def content(self, message: Message) -> dict[str, Any]:
        everybody = message.recipient == "@all"
        mobiles = [message.recipient] if message.recipient and not everybody else []
        return {
            "msgtype": "text",
            "text": {"content": cut(message.text, _MOST_BYTES)},
            "at": {"atMobiles": mobiles, "isAtAll": everybody},
        }


def signature(secret: str, timestamp: str) -> str:
    """Base64."""
    signed = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(signed).decode()
