"""A status chip: a shape and a word, and a colour only when something is wrong."""

from enum import StrEnum

from athanor.web.components.words import Words


class Status(StrEnum):
    """How bad it is; each has a shape of its own, so that nobody needs the colour."""

    NORMAL = ""  # ring
    WARN = "is-warn"  # triangle
    URGENT = "is-urgent"  # square
    UNSURE = "is-unsure"  # diamond: not known well enough


class StatusChip(Words):
    """The chip; `set` sends only what changed."""

    def __init__(self, text: str, state: Status, tag: str) -> None:
        super().__init__(text, tag, _classes(state))

    def set(self, text: str, state: Status = Status.NORMAL) -> None:
        """Say this in that state's dress."""
        self.show(text, _classes(state))


def status(text: str, state: Status = Status.NORMAL, *, address: str | None = None) -> StatusChip:
    """A chip that may lead somewhere."""
    chip = StatusChip(text, state, "a" if address else "span")
    if address:
        chip.props["href"] = address
    return chip


def _classes(state: Status) -> str:
    return f"ath-status {state}".strip()
