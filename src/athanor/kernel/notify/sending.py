"""One message out by one channel: the channel opened from its row, a limit of time, and errors that tell no secret."""

import asyncio
from collections.abc import Awaitable, Mapping

from athanor.kernel.errors import AthanorError
from athanor.kernel.notify.channels import KINDS
from athanor.kernel.notify.channels.outside import Outside
from athanor.kernel.notify.channels.port import Channel, Message, Output
from athanor.kernel.notify.channels.sealing import opened, texts
from athanor.kernel.notify.errors import PermanentError, TemporaryError
from athanor.kernel.notify.outbox import Room
from athanor.kernel.notify.tables import ChannelRow
from athanor.kernel.vault import Vault

LONGEST_S = 40.0  # for one message, whatever a channel does
_HIDDEN = "•••"
_SHORTEST = 3  # a shorter secret is part of every text


class Sender:
    """Opens channels and keeps them until they change.

    Parameters
    ----------
    kinds
        Which there are.
    """

    def __init__(self, vault: Vault, outside: Outside, kinds: Mapping[str, type[Channel]] | None = None) -> None:
        self.kinds = KINDS if kinds is None else kinds
        self.outside = outside
        self._vault = vault
        self._opened: dict[int, tuple[int, Channel]] = {}  # by id: revision, channel

    def channel(self, row: ChannelRow) -> Channel:
        """The channel of a row. Raises TemporaryError where it cannot be opened as it is kept."""
        known = self._opened.get(row.id)
        if known is not None and known[0] == row.revision:
            return known[1]
        kind = self.kinds.get(row.kind)
        if kind is None:
            raise TemporaryError(f"there is no kind of channel {row.kind!r} in this version of Athanor")
        try:
            settings = opened(kind.Settings, row.content, self._vault, row.name)
        except AthanorError as error:  # the vault's key is another one, or a version kept other settings
            raise TemporaryError(str(error)) from error
        channel = kind(settings, self.outside)
        self._opened[row.id] = (row.revision, channel)
        return channel

    def room(self, row: ChannelRow) -> Room:
        """What a channel carries. Raises TemporaryError."""
        settings = self.channel(row).settings
        return Room(settings.at_once, settings.per_minute)

    async def send(self, row: ChannelRow, message: Message) -> None:
        """Raises TemporaryError, PermanentError; no text of theirs holds a secret of the channel."""
        channel = self.channel(row)
        await self._within(channel, channel.send(message))

    async def switch(self, row: ChannelRow, *, is_on: bool) -> None:
        """Let an output be on or off. Raises as `send`."""
        channel = self.channel(row)
        if isinstance(channel, Output):
            await self._within(channel, channel.switch(is_on=is_on))

    async def _within(self, channel: Channel, doing: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await doing
        except TemporaryError as error:
            raise TemporaryError(_told(channel, error.reason), is_of_channel=error.is_of_channel) from None
        except PermanentError as error:
            raise PermanentError(_told(channel, error.reason)) from None
        except TimeoutError:
            raise TemporaryError(f"it took longer than {LONGEST_S:.0f} s") from None
        except Exception as error:  # noqa: BLE001 a fault of the channel's own: its messages wait until it is mended
            raise TemporaryError(_told(channel, f"{type(error).__name__}: {error}")) from None


def _told(channel: Channel, reason: str) -> str:
    for secret in sorted(texts(channel.settings), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            reason = reason.replace(secret, _HIDDEN)
    return " ".join(reason.split())[:500]
