"""What can be wrong with a file of history, or with how it is to be read."""

from athanor.kernel.errors import AthanorError


class BadFileError(AthanorError):
    """A file that cannot be read as a table of history."""

    code = "transfer.bad-file"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read: {reason}")


class ImportStoppedError(AthanorError):
    """An import stopped in its middle, since the historian took no more."""

    code = "transfer.stopped"

    def __init__(self, name: str, stored: int, reason: object) -> None:
        super().__init__(
            f"The import of {name} stopped after {stored:,} samples were stored. {reason} Then import the same file "
            "again: what is stored already is replaced by the same."
        )


class BadPlanError(AthanorError):
    """A file that was to be imported in a way that does not fit it."""

    code = "transfer.bad-plan"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The import cannot begin: {reason}")
