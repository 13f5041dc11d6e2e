"""The life cycle of an alarm as ISA-18.2 / IEC 62682 draws it: states, triggers, and what leads from which to which."""

from enum import StrEnum


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
