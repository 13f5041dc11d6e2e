"""Statistics of one tag over a range, gathered slice by slice so that a year needs no more memory than a day."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGER_THAN_BEFORE = 3.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a range holds. Values are in the tag's unit, NaN where there is no good number."""

    count: int  # good numbers
    minimum: float
    maximum: float
    mean: float  # weighted by the time that each value held
    last: float
    good_share: float  # of the range's time, covered by good numbers, 0 to 1


@dataclass
class Gathering:
    """Takes in samples, slice after slice, in order of time.

    A sample holds until the next one of any quality, but not for ever: that is how long a value may be believed after
    its source fell silent. It is `hold_us`, or three times the distance to the sample before where that is longer, as
    in a history that was kept at a coarser step than live values come.
    """

    start_us: int
    end_us: int
    hold_us: float
    _count: int = 0
    _minimum: float = field(default=np.inf)
    _maximum: float = field(default=-np.inf)
    _weighted: float = 0.0  # sum of value × time held [unit·us]
    _held_us: float = 0.0
    _last: float = field(default=np.nan)
    _open: tuple[int, float] | None = None  # the newest sample, whose end is not known yet
    _distance_us: float = 0.0  # from the sample before it

    def take_in(self, time_us: Times, value: Floats) -> None:
        """Samples ascending in time; NaN for a bad one and for one that is no number. [N]"""
        if len(time_us) == 0:
            return
        if self._open is not None:
            time_us = np.concatenate([[self._open[0]], time_us])
            value = np.concatenate([[self._open[1]], value])
            fresh = value[1:]
        else:
            fresh = value
        good = fresh[~np.isnan(fresh)]
        if len(good):
            self._count += len(good)
            self._minimum = min(self._minimum, float(good.min()))
            self._maximum = max(self._maximum, float(good.max()))
            self._last = float(good[-1])
        distance = np.diff(time_us)
        if len(distance):
            before = np.append(self._distance_us or distance[0], distance[:-1])
            self._hold(value[:-1], np.minimum(distance, np.maximum(self.hold_us, LONGER_THAN_BEFORE * before)))
            self._distance_us = float(distance[-1])
        self._open = (int(time_us[-1]), float(value[-1]))

    def result(self) -> Statistics:
        """What was gathered; the newest sample holds until the end of the range or as long as it may."""
        if self._open is not None:
            longest = max(self.hold_us, LONGER_THAN_BEFORE * self._distance_us)
            left = min(float(self.end_us - self._open[0]), longest)
            self._hold(np.array([self._open[1]]), np.array([max(0.0, left)]))
            self._open = None
        if not self._count:
            return Statistics(0, np.nan, np.nan, np.nan, np.nan, 0.0)
        mean = self._weighted / self._held_us if self._held_us else self._last
        span_us = self.end_us - self.start_us
        share = min(1.0, self._held_us / span_us) if span_us else 0.0
        return Statistics(self._count, self._minimum, self._maximum, mean, self._last, share)

    def _hold(self, value: Floats, held_us: npt.NDArray[np.float64]) -> None:
        good = ~np.isnan(value)
        self._weighted += float(value[good] @ held_us[good])
        self._held_us += float(held_us[good].sum())
