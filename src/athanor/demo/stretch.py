"""One stretch of time in the making: what the parts of the model share while they work it out."""

from dataclasses import dataclass, field

import numpy as np

from athanor.demo.clock import Moments
from athanor.demo.dynamics import Memory
from athanor.demo.situations import situation

Values = dict[str, np.ndarray]  # by tag path or by name of an activity; each [T]


@dataclass
class Stretch:
    """The instants to be filled, the model's memory, and what is worked out so far.

    `activity` says how hard each part of the plant works (0 stands still, 1 is design load); names that begin with
    `kw:` are loads in kW and those with `degc:` temperatures. `values` are tags by path; `texts` hold text tags.
    """

    moments: Moments
    memory: Memory
    seed: int
    without: frozenset[str] = frozenset()
    activity: Values = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def full(self, value: float) -> np.ndarray:
        """A constant. [T]"""
        return np.full(len(self.moments.time_us), value)

    def strength(self, name: str) -> np.ndarray:
        """How much of a situation is there, 0 to 1; nothing where it is switched off. [T]"""
        return self.full(0.0) if name in self.without else situation(name).strength(self.moments)

    def lag(self, name: str, target: np.ndarray, tau_s: float) -> np.ndarray:
        """See `Memory.lag`."""
        return self.memory.lag(name, target, tau_s)

    def wander(self, name: str, sigma: float, tau_s: float) -> np.ndarray:
        """Slow noise of one quantity. [T]"""
        return self.memory.wander(name, self.moments.elapsed_s, sigma, tau_s)

    def noise(self, sigma: float) -> np.ndarray:
        """Fast noise of one quantity. [T]"""
        return sigma * self.memory.white(self.moments.elapsed_s)

    def within(self, hours: tuple[float, float]) -> np.ndarray:
        """1 from the first to the second hour of every plant day, else 0. [T]"""
        return ((self.moments.hour >= hours[0]) & (self.moments.hour < hours[1])).astype(float)
