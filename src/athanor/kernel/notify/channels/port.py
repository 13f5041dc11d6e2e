"""What every kind of channel is: its settings, the addresses it knows, and how a message goes out."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from athanor.kernel.notify.channels.outside import Limits, Outside

Words = dict[str, str]  # by language

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way out.

    Parameters
    ----------
    token
        By it the receiver knows a repetition: it stays the same however often a message is tried.
    recipient
        An address that the channel understands; "" where it has but one, such as a group.
    title, body
        Plain text: what is in it means nothing to the channel, whatever it looks like.
    link
        The page to open, whole; "" for none.
    priority
        As of alarms, 1 to 4.
    is_over
        It ends what an earlier message of the same subject began.
    is_repeat
        It may have gone out before: its server died amid sending.
    """

    token: str
    recipient: str
    title: str
    body: str = ""
    link: str = ""
    priority: int = 4
    category: str = "system"
    topic: str = ""
    subject: str = ""
    path: str = ""
    at: datetime | None = None
    is_over: bool = False
    is_repeat: bool = False

    @property
    def text(self) -> str:
        """All of it as plain text, without control characters."""
        parts = [self.title, self.body, "" if self.link in self.body else self.link]
        return _CONTROLS.sub(" ", "\n".join(part for part in parts if part).replace("\r\n", "\n"))

    @property
    def line(self) -> str:
        """The title as one line."""
        return " ".join(_CONTROLS.sub(" ", self.title).split())


def words(english: str, chinese: str) -> dict[str, Any]:
    """What a setting is called, for forms: to be a field's `json_schema_extra`."""
    return {"words": {"en": english, "zh_CN": chinese}}


class ChannelSettings(BaseModel):
    """What every channel's settings have. Secrets are of type SecretStr: they are kept sealed, and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    at_once: int = Field(
        default=2, ge=1, le=50, json_schema_extra=words("Messages on their way at once", "同时发送条数")
    )
    per_minute: int = Field(default=60, ge=1, le=6000, json_schema_extra=words("Most in a minute", "每分钟最多条数"))


class Channel(ABC):
    """A way to reach people or things. Made anew when its settings change; holds no connection between messages."""

    kind: ClassVar[str]
    title: ClassVar[Words]
    Settings: ClassVar[type[ChannelSettings]]
    address_example: ClassVar[str] = ""  # "": it has but one receiver
    is_address_needed: ClassVar[bool] = False
    reaches_anywhere: ClassVar[bool] = True  # its settings name any host: for the park's administrators only
    is_output: ClassVar[bool] = False  # stands on until what it tells of is over: see `Output`

    def __init__(self, settings: Any, outside: Outside) -> None:
        self.settings = settings
        self.outside = outside

    @classmethod
    def refusal(cls, settings: Any, limits: Limits) -> str | None:  # noqa: ARG003 most kinds reach what they like
        """Why these settings may not be used here; None where they may."""
        return None

    @classmethod
    def knows(cls, address: str) -> bool:
        """Whether it is an address of this kind."""
        return bool(address) or not cls.is_address_needed

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Hand a message to the channel's far end, which has taken it on return.

        Raises TemporaryError, PermanentError.
        """


class Output(Channel):
    """A siren, a light, a voice column: it stands on until what it tells of is over."""

    is_output = True

    @abstractmethod
    async def switch(self, *, is_on: bool) -> None:
        """Let it be on or off; the same again does no harm. Raises TemporaryError, PermanentError."""

    def lasts_s(self) -> float | None:
        """How long it stays on at most; None until all is over. [s]"""
        return None

    async def send(self, message: Message) -> None:  # noqa: ARG002 an output says but that there is something
        """Switch it on."""
        await self.switch(is_on=True)
