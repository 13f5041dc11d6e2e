"""How a case goes from opening to closing: states, actions, and what leads from which to which. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"  # nobody has it yet
    ASSIGNED = "assigned"  # somebody has it
    WORKING = "working"  # and is at it
    RESOLVED = "resolved"  # done, says who did it; somebody else verifies
    CLOSED = "closed"  # verified, with a disposition

    @property
    def is_over(self) -> bool:
        return self is State.CLOSED


class Action(StrEnum):
    """What somebody does with a case."""

    ASSIGN = "assign"
    START = "start"
    RESOLVE = "resolve"
    SEND_BACK = "send-back"  # the verifier is not content
    CLOSE = "close"  # verified, with a disposition
    REOPEN = "reopen"


class Disposition(StrEnum):
    """How a case ended. None ends without."""

    MENDED = "mended"
    ADJUSTED = "adjusted"  # the process was brought back by operating it
    HANDED_OVER = "handed-over"  # to maintenance, by a work order
    FALSE_ALARM = "false-alarm"
    ACCEPTED = "accepted"  # known, and lived with


class TaskState(StrEnum):
    """Where a task within a case stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


_LEADS: Mapping[tuple[State, Action], State] = MappingProxyType(
    {
        (State.OPEN, Action.ASSIGN): State.ASSIGNED,
        (State.ASSIGNED, Action.ASSIGN): State.ASSIGNED,
        (State.WORKING, Action.ASSIGN): State.ASSIGNED,
        (State.OPEN, Action.START): State.WORKING,
        (State.ASSIGNED, Action.START): State.WORKING,
        (State.ASSIGNED, Action.RESOLVE): State.RESOLVED,
        (State.WORKING, Action.RESOLVE): State.RESOLVED,
        (State.RESOLVED, Action.SEND_BACK): State.WORKING,
        (State.RESOLVED, Action.CLOSE): State.CLOSED,
        (State.CLOSED, Action.REOPEN): State.WORKING,
    }
)

# How long a case of each priority (a `rule.Priority`) may take, where nothing says otherwise; and as long again before
# it is given further up once more.
DUE_WITHIN: Mapping[int, timedelta] = MappingProxyType(
    {1: timedelta(minutes=30), 2: timedelta(hours=2), 3: timedelta(hours=8), 4: timedelta(hours=24)}
)
MOST_ESCALATIONS = 3


def after(state: State, action: Action) -> State | None:
    """The state that an action leads to; None where it cannot be done there."""
    return _LEADS.get((state, action))


def actions_in(state: State) -> tuple[Action, ...]:
    """What can be done with a case in this state."""
    return tuple(action for start, action in _LEADS if start is state)


def due_within(priority: int, respond_within: timedelta | None = None) -> timedelta:
    """How long a case may take: what the alarm's rule says, or what its priority does."""
    return respond_within or DUE_WITHIN[min(max(priority, 1), 4)]
