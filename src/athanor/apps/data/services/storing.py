"""What a person asks of storage: how fast samples come in, and letting go of what has come of age."""

from collections import deque
from dataclasses import dataclass, field

from athanor.kernel.identity.user import User

ADMINISTER = "historian.administer"
_WINDOW_S = 10.0


def may_see(viewer: User) -> bool:
    """Storage holds every enterprise's data, so it is shown to the park's own people."""
    return viewer.tenants is None


def may_apply(viewer: User) -> bool:
    """Who may let go of what has come of age before its time of day."""
    return viewer.may(ADMINISTER) and viewer.tenants is None


@dataclass
class IngestRate:
    """Samples a second over the last ten seconds, from a count that only grows."""

    _counts: deque[tuple[float, float]] = field(default_factory=deque)

    def take(self, at_s: float, count: float) -> float | None:
        """The rate now; None until two seconds have passed. [1/s]"""
        self._counts.append((at_s, count))
        while at_s - self._counts[0][0] > _WINDOW_S:
            self._counts.popleft()
        first_s, first = self._counts[0]
        return (count - first) / (at_s - first_s) if at_s - first_s >= 2 else None
