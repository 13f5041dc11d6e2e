"""Who wants no sound, and until when. For a time only: what was silenced sounds again by itself, as after a restart."""

from collections.abc import MutableMapping
from datetime import datetime, timedelta

from athanor.kernel.errors import AthanorError

LENGTHS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))


class BadSilenceError(AthanorError):
    """A silence of another length than those there are."""

    code = "alarms.silence-length"

    def __init__(self, minutes: float) -> None:
        offered = ", ".join(f"{length.total_seconds() / 60:g}" for length in LENGTHS)
        super().__init__(f"The sound cannot be silenced for {minutes:g} minutes. Choose one of {offered}.")


class Silences:
    """By login; of all pages of a person."""

    def __init__(self) -> None:
        self._until: MutableMapping[str, datetime] = {}

    def silence(self, login: str, minutes: float, now: datetime) -> None:
        """No sound for so long; 0 lets it sound again. Raises BadSilenceError."""
        length = timedelta(minutes=minutes)
        if minutes and length not in LENGTHS:
            raise BadSilenceError(minutes)
        self._until[login] = now + length

    def until(self, login: str, now: datetime) -> datetime | None:
        """Until when somebody hears nothing; None where they do."""
        until = self._until.get(login)
        return until if until is not None and until > now else None


silences = Silences()
"""Of this server."""
