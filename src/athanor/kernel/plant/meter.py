"""What is known of a meter's register: when it turns over, how quick it can be, when it was replaced."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

MOST_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Replacement:
    """A meter taken out and another put in at the same moment. From that moment on, readings are the new one's."""

    at: datetime  # aware
    old_final: float
    new_initial: float


@dataclass(frozen=True, slots=True)
class Meter:
    """What is known of a register. Values are in its tag's unit. Raises ValueError."""

    decimals: int = 2  # digits after the point that it has
    width: float | None = None  # the value at which it shows 0 again, such as 1e6 for six digits; None: never
    max_rate_per_s: float | None = None  # the most it can measure; None: nothing is implausible
    replacements: tuple[Replacement, ...] = ()  # by time

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ValueError(f"A register has 0 to {MOST_DECIMALS} decimals; got {self.decimals}.")
        if (self.width is not None and not self.width > 0) or (
            self.max_rate_per_s is not None and not self.max_rate_per_s > 0
        ):
            raise ValueError(f"A register's width and rate are above 0; got {self.width} and {self.max_rate_per_s}.")
        instants = [replacement.at for replacement in self.replacements]
        if any(later <= earlier for earlier, later in pairwise(instants)):
            raise ValueError("Replacements ascend in time.")
