"""The life cycle of an alarm as ISA-18.2 / IEC 62682 draws it: states, triggers, and what leads from which to which.

An alarm has a state of its own, and three things may hide it, each for its own reason: shelving, suppression by design,
out of service. What is shown is the strongest of these, or its own state where nothing hides it. While hidden it is
judged on; when the last hiding goes, its state comes from the condition alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The standard's states, by its short names."""

    NORM = "NORM"  # A: normal
    UNACK = "UNACK"  # B: active, unacknowledged
    ACKED = "ACKED"  # C: active, acknowledged
    RTNUN = "RTNUN"  # D: returned to normal, unacknowledged
    LTUNK = "LTUNK"  # E: latched, unacknowledged
    LTACK = "LTACK"  # F: latched, acknowledged
    SHLVD = "SHLVD"  # G: shelved
    DSUPR = "DSUPR"  # H: suppressed by design
    OOSRV = "OOSRV"  # I: out of service


HIDDEN = (State.SHLVD, State.DSUPR, State.OOSRV)
UNACKNOWLEDGED = (State.UNACK, State.RTNUN, State.LTUNK)


class Trigger(StrEnum):
    """What leads from one state to another."""

    RAISED = "raised"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"  # of a latched alarm, by an operator
    REPEATED = "repeated"  # announced again, since it has stood acknowledged for long
    SHELVED = "shelved"
    UNSHELVED = "unshelved"  # by an operator, or because its time is over
    SUPPRESSED = "suppressed"
    RESUMED = "resumed"
    REMOVED = "removed-from-service"
    RETURNED = "returned-to-service"
    RETIRED = "retired"  # its rule or its place is gone: nothing judges it any more


@dataclass(frozen=True, slots=True)
class Design:
    """Which variant of the diagram a rule chose."""

    is_latched: bool = False
    acknowledges_itself: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an alarm stands: its own state, and what hides it."""

    own: State = State.NORM
    is_shelved: bool = False
    is_suppressed: bool = False
    is_out_of_service: bool = False

    @property
    def is_active(self) -> bool:
        """Whether its condition holds: the states of an active alarm are those two, whatever hides it."""
        return self.own in _ACTIVE

    @property
    def is_hidden(self) -> bool:
        return self.is_shelved or self.is_suppressed or self.is_out_of_service

    @property
    def shown(self) -> State:
        """I before H before G before its own."""
        if self.is_out_of_service:
            return State.OOSRV
        if self.is_suppressed:
            return State.DSUPR
        return State.SHLVD if self.is_shelved else self.own


_ACTIVE = (State.UNACK, State.ACKED)
_PLAIN: Mapping[tuple[State, Trigger], State] = {
    (State.NORM, Trigger.RAISED): State.UNACK,
    (State.UNACK, Trigger.ACKNOWLEDGED): State.ACKED,
    (State.UNACK, Trigger.CLEARED): State.RTNUN,
    (State.ACKED, Trigger.CLEARED): State.NORM,
    (State.ACKED, Trigger.REPEATED): State.UNACK,
    (State.RTNUN, Trigger.ACKNOWLEDGED): State.NORM,
    (State.RTNUN, Trigger.RAISED): State.UNACK,
    (State.LTUNK, Trigger.ACKNOWLEDGED): State.LTACK,
    (State.LTUNK, Trigger.RAISED): State.UNACK,
    (State.LTACK, Trigger.RESET): State.NORM,
    (State.LTACK, Trigger.RAISED): State.UNACK,
}
# Only the return to normal differs between the variants. An alarm whose rule was changed while it stood goes on from
# where it stands: its state is in every table.
_RETURNS: Mapping[Design, Mapping[State, State]] = {
    Design(): {State.UNACK: State.RTNUN, State.ACKED: State.NORM},
    Design(acknowledges_itself=True): {State.UNACK: State.NORM, State.ACKED: State.NORM},
    Design(is_latched=True): {State.UNACK: State.LTUNK, State.ACKED: State.LTACK},
    Design(is_latched=True, acknowledges_itself=True): {State.UNACK: State.LTACK, State.ACKED: State.LTACK},
}
TABLES: Mapping[Design, Mapping[tuple[State, Trigger], State]] = {
    design: {**_PLAIN, **{(state, Trigger.CLEARED): after for state, after in returns.items()}}
    for design, returns in _RETURNS.items()
}
# What hides and what ends it: which flag, and whether it is then set.
_FLAGS: Mapping[Trigger, tuple[str, bool]] = {
    Trigger.SHELVED: ("is_shelved", True),
    Trigger.UNSHELVED: ("is_shelved", False),
    Trigger.SUPPRESSED: ("is_suppressed", True),
    Trigger.RESUMED: ("is_suppressed", False),
    Trigger.REMOVED: ("is_out_of_service", True),
    Trigger.RETURNED: ("is_out_of_service", False),
}


def after(stand: Stand, trigger: Trigger, design: Design, *, is_active: bool | None = None) -> Stand | None:
    """Where an alarm stands after a trigger; None where the trigger has no meaning there, and nothing changes.

    Parameters
    ----------
    is_active
        With a hiding that begins or ends: whether the condition holds now, where that is known better than by the
        alarm's state; None: as its state says.
    """
    if trigger is Trigger.RETIRED:
        return None if stand == Stand() else Stand()
    if trigger in _FLAGS:
        return _hidden_or_not(stand, trigger, is_active=stand.is_active if is_active is None else is_active)
    if stand.is_hidden:
        return _judged_while_hidden(stand, trigger)
    own = TABLES[design].get((stand.own, trigger))
    return None if own is None else replace(stand, own=own)


def _hidden_or_not(stand: Stand, trigger: Trigger, *, is_active: bool) -> Stand | None:
    flag, is_set = _FLAGS[trigger]
    if getattr(stand, flag) == is_set or (trigger is Trigger.SHELVED and stand.is_hidden):
        return None
    flags: dict[str, Any] = {flag: is_set}
    changed = replace(stand, **flags)
    if not changed.is_hidden or is_active != stand.is_active:
        return replace(changed, own=State.UNACK if is_active else State.NORM)
    return changed


def _judged_while_hidden(stand: Stand, trigger: Trigger) -> Stand | None:
    """Nobody is told, so nobody has to acknowledge or to reset."""
    if trigger is Trigger.RAISED and not stand.is_active:
        return replace(stand, own=State.UNACK)
    if trigger is Trigger.CLEARED and stand.is_active:
        return replace(stand, own=State.NORM)
    return None
