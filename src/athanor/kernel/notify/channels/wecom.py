"""A group robot of WeCom (企业微信群机器人), by https://developer.work.weixin.qq.com/document/path/91770.

Messages are of type `text`, in which nothing is markup, of at most 2048 bytes; 20 a minute.
"""

import re
from typing import Any, ClassVar

from athanor.kernel.notify.channels.port import Message
from athanor.kernel.notify.channels.robot import Robot, RobotSettings, cut

_MOST_BYTES = 2048
_PHONE = re.compile(r"\+?\d{5,15}|@all")


class WeComChannel(Robot):
    """Mentions a member by phone."""

    kind = "wecom"
    title: ClassVar = {"en": "WeCom group robot", "zh_CN": "企业微信群机器人"}
    Settings = RobotSettings
    address_example = "13800000000"
    codes = ("errcode",)
    misconfigured = frozenset({93000, 93004, 93008, 40014, 41001})  # the robot's address is not, or no longer, valid
    busy = frozenset({45009, 45033})

    @classmethod
    def knows(cls, address: str) -> bool:
        return not address or _PHONE.fullmatch(address) is not None

    def content(self, message: Message) -> dict[str, Any]:
        text: dict[str, Any] = {"content": cut(message.text, _MOST_BYTES)}
        if message.recipient:
            text["mentioned_mobile_list"] = [message.recipient]
        return {"msgtype": "text", "text": text}
