"""What can be refused about rules."""

from collections.abc import Sequence

from athanor.kernel.alarms.faults import Fault
from athanor.kernel.errors import AthanorError, NotAllowedError


class BadRuleError(AthanorError):
    """A rule that cannot be kept as it is."""

    code = "alarms.bad-rule"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"The alarm rule {key!r} cannot be kept: {reason}")


class FaultyRuleError(BadRuleError):
    """A rule that could be judged nowhere, or not where it is to be, in the plant that runs."""

    code = "alarms.faulty-rule"

    def __init__(self, key: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = "; ".join(f"{fault.path + ': ' if fault.path else ''}{fault.english}" for fault in faults[:5])
        more = "" if len(faults) <= 5 else f" (and {len(faults) - 5} places more)"
        super().__init__(key, f"{first}{more}")


class RuleChangedMeanwhileError(AthanorError):
    """A rule was changed by somebody else since it was opened."""

    code = "alarms.rule-changed-meanwhile"

    def __init__(self, key: str, revision: int) -> None:
        super().__init__(
            f"The alarm rule {key!r} is at revision {revision} now: somebody changed it meanwhile. Load it again, look "
            "at what changed, then make your change."
        )


class NotYourRuleError(NotAllowedError):
    """Somebody would change a rule that is not theirs to change."""

    code = "alarms.not-your-rule"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This alarm rule is not yours to change: {reason}.")
