"""What can be refused of a whole request about alarms; what is refused of single alarms is in `operating.Acted`."""

from datetime import timedelta

from athanor.kernel.errors import AthanorError, NotAllowedError


class NotOperatorError(NotAllowedError):
    """Somebody would act upon alarms without the permission."""

    code = "alarms.not-operator"

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}. Ask an administrator for it.")


class ReasonNeededError(AthanorError):
    """An alarm would be hidden without a reason, or a comment is empty or too long."""

    code = "alarms.reason-needed"

    def __init__(self, longest: int) -> None:
        super().__init__(f"Say why, in 1 to {longest} characters: whoever has the next shift reads it.")


class BadShelvingError(AthanorError):
    """Alarms would be shelved for no time, or for longer than anybody may."""

    code = "alarms.bad-shelving"

    def __init__(self, longest: timedelta) -> None:
        hours = longest / timedelta(hours=1)
        super().__init__(f"Alarms are shelved for at least a minute and at most {hours:g} hours. Choose such a time.")


class TooManyAlarmsError(AthanorError):
    """One call names more alarms than are changed at once."""

    code = "alarms.too-many"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} alarms are changed by one call. Cut the list into several calls.")


class NotReportedError(AthanorError):
    """An app reports an alarm by the key of a rule that is judged otherwise."""

    code = "alarms.not-reported"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The rule {key!r} judges tags by itself, so nobody reports its alarms. Report by another key."
        )


class BadPlaceError(AthanorError):
    """A page of history is asked for after a place that no page gave."""

    code = "alarms.bad-place"

    def __init__(self, place: str) -> None:
        super().__init__(f"{place[:40]!r} is no place in the list. Begin again without `after`.")
