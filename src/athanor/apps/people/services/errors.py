"""What people cannot do with people, and why."""

from athanor.kernel.errors import AthanorError


class NotYoursError(AthanorError):
    """Something that only others may administer."""

    code = "people.not-yours"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Ask an administrator of the park.")


class AboveYouError(AthanorError):
    """Somebody would be given, or has, more rights than who acts."""

    code = "people.above-you"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} grants more than you may do yourself. Ask somebody whose role includes all of it.")


class NotYourselfError(AthanorError):
    """Something that nobody does to themselves."""

    code = "people.not-yourself"

    def __init__(self) -> None:
        super().__init__("You cannot disable your own account: you would be signed out for good. Ask a colleague.")


class BadProfileError(AthanorError):
    """A login, name or other field of a person that cannot be kept."""

    code = "people.bad-profile"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This cannot be kept: {reason}.")
