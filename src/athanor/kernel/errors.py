"""Errors that a person may read: each says what happened, to what, and what to do next."""

from typing import ClassVar


class AthanorError(Exception):
    """The root of our errors. `code` is stable: the log, the API and the manual all name it."""

    code: ClassVar[str] = "athanor.error"


class NotAllowedError(AthanorError):
    """Somebody may not do this, however they ask."""

    code = "kernel.not-allowed"


class NotFoundError(AthanorError):
    """Nothing of this kind has this name."""

    code = "kernel.not-found"

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"There is no {kind} {name!r}. Check the spelling, or look it up in the list of {kind}s.")
