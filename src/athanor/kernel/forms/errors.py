"""What can be refused in forms."""

from collections.abc import Sequence

from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.validation import Fault


class EntryRefusedError(AthanorError):
    """An entry that is sent lacks something, or holds what will not do. Nothing of it is lost."""

    code = "forms.entry-refused"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        named = "; ".join(f"{fault.field}: {fault.english}" for fault in faults[:5])
        more = "" if len(faults) <= 5 else f"; and {len(faults) - 5} more"
        super().__init__(f"The entry cannot be sent yet: {named}{more}. Correct these fields and send it again.")


class NotYourTurnError(AthanorError):
    """Somebody does with an entry what is not theirs to do, or not now."""

    code = "forms.not-your-turn"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This cannot be done with the entry: {reason}")


class AlreadyDecidedError(AthanorError):
    """A step that somebody else has decided meanwhile."""

    code = "forms.already-decided"

    def __init__(self, step: str) -> None:
        super().__init__(f"Step {step!r} is not asked any more: it was decided meanwhile. Reload the entry to see how.")


class NobodyDecidesError(AthanorError):
    """An entry would wait for somebody who does not exist."""

    code = "forms.nobody-decides"

    def __init__(self, step: str, who: str) -> None:
        super().__init__(
            f"Nobody can decide step {step!r} ({who}). The entry is kept as a draft. Ask an administrator to give "
            "somebody that role or post with the permission forms.edit, or to change the form."
        )


class ChangedMeanwhileError(AthanorError):
    """A form was changed by somebody else since it was opened."""

    code = "forms.changed-meanwhile"

    def __init__(self) -> None:
        super().__init__("The form was changed by somebody else meanwhile. Reload the page, then make your change.")


class BadPhotoError(AthanorError):
    """A picture that is none, or too large."""

    code = "forms.bad-photo"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The photo cannot be kept: {reason}. Take JPEG, PNG or WebP of at most 10 MB.")
