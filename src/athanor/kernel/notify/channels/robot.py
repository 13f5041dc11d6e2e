"""What group robots of WeCom, DingTalk and Feishu share: an address that is a secret, JSON, and codes for refusals."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson
from pydantic import Field, SecretStr

from athanor.kernel.notify.channels.outside import Limits
from athanor.kernel.notify.channels.port import Channel, ChannelSettings, Message, words
from athanor.kernel.notify.errors import PermanentError, TemporaryError

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class RobotSettings(ChannelSettings):
    """A robot's address as its group shows it: whoever knows it can write to the group."""

    url: SecretStr = Field(
        min_length=1, max_length=2000, json_schema_extra=words("Address of the robot (Webhook)", "机器人 Webhook 地址")
    )
    per_minute: int = Field(default=20, ge=1, le=6000, json_schema_extra=words("Most in a minute", "每分钟最多条数"))


class SignedRobotSettings(RobotSettings):
    """A robot that asks for signatures, too."""

    secret: SecretStr = Field(default=SecretStr(""), json_schema_extra=words("Secret for signatures", "加签密钥"))


class Robot(Channel):
    """Writes to one group. An address is the phone or id of a member who is mentioned; "" mentions nobody."""

    reaches_anywhere = False
    codes: ClassVar[tuple[str, ...]]  # where an answer has its code
    misconfigured: ClassVar[frozenset[int]] = (
        frozenset()
    )  # codes of the channel's own faults: whoever made it sees to it
    busy: ClassVar[frozenset[int]] = frozenset()  # too many at once: later
    settings: RobotSettings

    @classmethod
    def refusal(cls, settings: Any, limits: Limits) -> str | None:
        """Robots are where the settings of the server say, and nowhere else."""
        parts = urlsplit(settings.url.get_secret_value())
        is_encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        if not is_encrypted or parts.netloc not in limits.robot_hosts:
            known = ", ".join(limits.robot_hosts)
            return f"the robot's address must begin with https:// and one of {known} (notify.robot_hosts)."
        return None

    @abstractmethod
    def content(self, message: Message) -> dict[str, Any]:
        """What is posted."""

    def address(self) -> str:
        """Where to."""
        return self.settings.url.get_secret_value()

    async def send(self, message: Message) -> None:
        if (reason := self.refusal(self.settings, self.outside.limits)) is not None:
            raise TemporaryError(reason)
        answer = await self.outside.request(
            "POST",
            self.address(),
            content=orjson.dumps(self.content(message)),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        self._check(answer.checked().text)

    def _check(self, text: str) -> None:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise TemporaryError(f"the answer is no JSON: {text[:200]}") from error
        code = _code(said, self.codes)
        if code == 0:
            return
        reason = f"the robot answered {code}: {_words_of(said)}"
        if code is None or code in self.misconfigured:
            raise TemporaryError(reason)
        if code in self.busy or code < 0:
            raise TemporaryError(reason, is_of_channel=code in self.busy)
        raise PermanentError(reason)


def _code(said: object, names: tuple[str, ...]) -> int | None:
    found = next((said[name] for name in names if name in said), None) if isinstance(said, Mapping) else None
    return found if isinstance(found, int) else None


def _words_of(said: object) -> str:
    if not isinstance(said, Mapping):
        return ""
    return str(next((said[name] for name in ("errmsg", "msg", "StatusMessage") if name in said), ""))[:200]


def cut(text: str, most_bytes: int) -> str:
    """A text of at most so many bytes in UTF-8, whole characters."""
    content = text.encode()
    if len(content) <= most_bytes:
        return text
    return content[: most_bytes - 3].decode("utf-8", "ignore") + "…"
