"""The flow of decisions as a fold: where an entry stands follows from its definition, values and verdicts alone.

Steps that are asked together form a stage; the next stage is asked when every needed step of the one before approved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from athanor.kernel.forms.conditions import Values, holds
from athanor.kernel.forms.definition import Definition, Step


class Verdict(StrEnum):
    """What somebody decides at a step."""

    APPROVE = "approve"
    REJECT = "reject"
    SEND_BACK = "send_back"  # to the author, for change; every needed step is then decided anew


class State(StrEnum):
    """Where an entry is."""

    DRAFT = "draft"
    AT_STEP = "at_step"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self in (State.APPROVED, State.REJECTED, State.WITHDRAWN)

    @property
    def is_authors(self) -> bool:
        """Whether the author fills it in now."""
        return self in (State.DRAFT, State.RETURNED)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a flow stands: its state, and the ids of the steps that are asked now."""

    state: State
    asked: tuple[str, ...] = ()


def stages(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in stages, each of which is asked together."""
    found: list[list[Step]] = []
    for step in steps:
        if step.together and found:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def needed_steps(definition: Definition, values: Values) -> tuple[Step, ...]:
    """The steps that these values need, in order."""
    return tuple(step for step in definition.steps if holds(step.only_if, values))


def standing(definition: Definition, values: Values, verdicts: Mapping[str, Verdict]) -> Standing:
    """Where an entry that was sent stands, by the verdicts on it by step since then.

    It is approved when every needed step approved. One rejection, or sending back, counts for all. A flow that needs
    no step approves at once.
    """
    for stage in stages(definition.steps):
        needed = [step for step in stage if holds(step.only_if, values)]
        given = {verdicts[step.id] for step in needed if step.id in verdicts}
        if Verdict.REJECT in given:
            return Standing(State.REJECTED)
        if Verdict.SEND_BACK in given:
            return Standing(State.RETURNED)
        open_ones = tuple(step.id for step in needed if step.id not in verdicts)
        if open_ones:
            return Standing(State.AT_STEP, open_ones)
    return Standing(State.APPROVED)
