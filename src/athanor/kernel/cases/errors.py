"""What can be refused of cases."""

from athanor.kernel.errors import AthanorError


class CaseRefusedError(AthanorError):
    """Something is done with a case that cannot be done with it now. Nothing of it was changed."""

    code = "cases.refused"

    def __init__(self, case_id: int, reason: str) -> None:
        super().__init__(f"This cannot be done with case {case_id}: {reason}")


class CaseChangedError(AthanorError):
    """Somebody else changed the case since it was read."""

    code = "cases.changed-meanwhile"

    def __init__(self, case_id: int) -> None:
        super().__init__(f"Case {case_id} was changed by somebody else meanwhile. Look at it again, then decide.")
