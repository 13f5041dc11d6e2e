"""Where a value stands on a moving analogue indicator (ISA-101), and where on it normal lies."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of an indicator and its normal band, in the tag's unit."""

    low: float
    high: float
    normal_low: float
    normal_high: float

    def place(self, value: float) -> float:
        """Where the hand stands: 0 at the left end, 1 at the right; at an end for what lies outside."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scale_for(low: float | None, high: float | None, limit_low: float | None, limit_high: float | None) -> Scale | None:
    """A scale on which the normal band takes half the room; None where no limit says what is normal.

    Parameters
    ----------
    low, high
        The instrument's range.
    limit_low, limit_high
        The inner alarm limits; with one of them only, normal reaches to that end of the range.
    """
    if limit_low is not None and limit_high is not None:
        margin = (limit_high - limit_low) / 2
        start, end = limit_low - margin, limit_high + margin
    elif limit_high is not None:
        start = limit_low = min(low if low is not None else 0.0, limit_high)
        end = limit_high + (limit_high - start) / 2
    elif limit_low is not None:
        end = limit_high = max(high if high is not None else 2 * limit_low, limit_low)
        start = limit_low - (end - limit_low) / 2
    else:
        return None
    start = start if low is None else max(start, low)
    end = end if high is None else min(end, high)
    if end <= start:
        return None
    return Scale(start, end, max(limit_low, start), min(limit_high, end))
