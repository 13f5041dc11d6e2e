"""What is known of a correction, what the bus says of it, and what can stand in its way."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from athanor.kernel.corrections.actions import Action
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import TagId

MOST_SAMPLES = 1_000_000  # that one correction may touch
PERMISSION = "data.correct"
CORRECTED_TOPIC = "historian.samples.corrected"  # body: a SamplesCorrected


class CorrectionState(StrEnum):
    """Where a correction stands. What is pending or undoing is recorded and goes on by itself, also after a crash."""

    PENDING = "pending"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"

    @property
    def is_in_force(self) -> bool:
        """Whether its samples are those that count."""
        return self in (CorrectionState.PENDING, CorrectionState.DONE)


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of one tag. The samples themselves come with `Corrections.change`."""

    id: int
    tag: TagId
    action: Action
    span: Span  # from the first sample that it changes to just after the last
    samples: int  # how many it changes
    added: int  # of these, how many were not there before
    reason: str
    author: str  # login
    made_at: datetime
    state: CorrectionState
    undo_reason: str | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None
    restored: int | None = None  # samples that undoing wrote back; fewer where others were overwritten since


@dataclass(frozen=True, slots=True)
class SamplesCorrected:
    """The bus' word that stored samples of a tag within a span have changed: what was worked out from them is old."""

    tag: TagId
    span: Span
    correction: int
    is_undone: bool


class CorrectionImpossibleError(AthanorError):
    """A correction that makes no sense for this tag or at this time."""

    code = "corrections.impossible"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be corrected so: {reason}.")


class NothingToCorrectError(AthanorError):
    """A correction that would change no sample."""

    code = "corrections.nothing"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"Nothing of {path} would change: no sample lies in the range, or all are so already. Choose another "
            "range; where none came, say in which step samples shall be added."
        )


class TooManySamplesError(AthanorError):
    """More samples than one correction may touch."""

    code = "corrections.too-many-samples"

    def __init__(self, path: str, most: int) -> None:
        super().__init__(
            f"The range holds more than {most:,} samples of {path}, which is the most that one correction touches. "
            "Correct it in parts."
        )


class ReasonNeededError(AthanorError):
    """A correction without a reason."""

    code = "corrections.reason-needed"

    def __init__(self) -> None:
        super().__init__("A correction needs a reason. Say what was wrong and how you know; it is kept for ever.")


class OverlaidError(AthanorError):
    """A correction that a later one stands on cannot be undone first."""

    code = "corrections.overlaid"

    def __init__(self, correction: int, later: int) -> None:
        super().__init__(
            f"Correction {later} changed samples of correction {correction} again. Undo {later} first, then "
            f"{correction}."
        )


class AlreadyUndoneError(AthanorError):
    """A correction is undone once."""

    code = "corrections.already-undone"

    def __init__(self, correction: int) -> None:
        super().__init__(f"Correction {correction} is undone already. To have it again, make it again.")


class CorrectionPendingError(AthanorError):
    """A correction is recorded, and the historian takes no samples now."""

    code = "corrections.pending"

    def __init__(self, correction: int, reason: object) -> None:
        super().__init__(
            f"Correction {correction} is recorded and not finished ({reason}). It goes on by itself as soon as the "
            "historian takes samples again; do not make it a second time."
        )
