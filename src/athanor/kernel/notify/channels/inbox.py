"""The inbox within Athanor, which everybody has: a message is delivered by being kept."""

from typing import ClassVar

from pydantic import Field

from athanor.kernel.notify.channels.port import Channel, ChannelSettings, Message, words

INBOX = "inbox"


class InboxSettings(ChannelSettings):
    """There is nothing to set up."""

    at_once: int = Field(
        default=50, ge=1, le=50, json_schema_extra=words("Messages on their way at once", "同时发送条数")
    )
    per_minute: int = Field(
        default=6000, ge=1, le=60_000, json_schema_extra=words("Most in a minute", "每分钟最多条数")
    )


class InboxChannel(Channel):
    """Addresses are logins. Made by the server itself, one for all."""

    kind = INBOX
    title: ClassVar = {"en": "Inbox", "zh_CN": "站内消息"}
    Settings = InboxSettings
    address_example = "login"
    is_address_needed = True
    reaches_anywhere = False

    async def send(self, message: Message) -> None:  # noqa: ARG002 it is where it should be
        return None
