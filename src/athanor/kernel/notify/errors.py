"""What can go wrong with channels and messages."""

from athanor.kernel.errors import AthanorError


class TemporaryError(AthanorError):
    """A message did not go out, and may later.

    `is_of_channel` says that the channel itself is at fault, its server away or its password wrong: then its other
    messages wait too. None of them is lost.
    """

    code = "notify.not-now"

    def __init__(self, reason: str, *, is_of_channel: bool = True) -> None:
        self.is_of_channel = is_of_channel
        super().__init__(f"The message did not go out: {reason}. It is tried again by itself.")
        self.reason = reason


class PermanentError(AthanorError):
    """A message is refused for good, as for an address that does not exist."""

    code = "notify.refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The message was refused for good: {reason}. Correct the address or the channel.")
        self.reason = reason


class BadChannelError(AthanorError):
    """A channel's settings cannot be used."""

    code = "notify.bad-channel"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The channel was not kept: {reason}")


class ChannelChangedError(AthanorError):
    """A channel was changed by somebody else since it was opened."""

    code = "notify.channel-changed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Channel {name!r} was changed by somebody else meanwhile. Reload the page, then make your change."
        )


class BadAddressError(AthanorError):
    """An address by which a person cannot be reached."""

    code = "notify.bad-address"

    def __init__(self, address: str, example: str) -> None:
        super().__init__(f"{address[:100]!r} is no address that this kind of channel knows. Give one like {example}.")
