"""Having findings kept: in order, until it is done, whatever happens in between."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.errors import AthanorError

_log = structlog.get_logger(__name__)

PIECE = 5000  # findings that one transaction keeps
# What is refused today is refused tomorrow. All else passes: a database that is away, busy, or gives way to another.
_FOR_GOOD = (IntegrityError, DataError, AthanorError, LookupError, TypeError, ValueError, ArithmeticError)


class Giving:
    """Findings on their way to the record. Used by one at a time.

    Parameters
    ----------
    late_after
        What happened so long ago is late.
    """

    def __init__(self, alarms: Alarms, late_after: timedelta, now: Callable[[], datetime]) -> None:
        self._alarms = alarms
        self._late_after = late_after
        self._now = now
        self._waiting: list[Findings] = []

    @property
    def is_done(self) -> bool:
        """Whether everything found is kept."""
        return not self._waiting

    def add(self, findings: Findings | None) -> None:
        """Something was found. It is kept with the next `give`."""
        if findings is not None and len(findings):
            starts = range(0, len(findings), PIECE)
            self._waiting += [part(findings, slice(start, start + PIECE)) for start in starts]

    async def give(self) -> None:
        """Have everything kept. Raises what the database does; what is not kept yet is given again by the next call.

        A finding that is refused for good is said and left out, so that the others come through.
        """
        while self._waiting:
            try:
                await self._alarms.take(self._waiting[0], late_before=self._now() - self._late_after)
            except _FOR_GOOD as error:
                self._halve(error)
            else:
                self._waiting.pop(0)

    def _halve(self, error: Exception) -> None:
        refused = self._waiting.pop(0)
        half = len(refused) // 2
        if half:
            self._waiting[:0] = [part(refused, slice(half)), part(refused, slice(half, None))]
        else:
            _log.error("alarms.finding-refused", alarm=int(refused.alarm[0]), what=int(refused.what[0]), exc_info=error)


def part(findings: Findings, rows: slice) -> Findings:
    """Some of the rows."""
    return Findings(
        findings.alarm[rows],
        findings.what[rows],
        findings.at_us[rows],
        findings.value[rows],
        findings.limit[rows],
        findings.is_active[rows],
    )
