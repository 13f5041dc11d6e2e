"""What the model remembers from one instant to the next: first-order lags, wandering, stores and counters.

Each is exact for any step, so that a day in steps of a minute and an hour in steps of a second follow the same physics.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.signal import lfilter

State = dict[str, np.ndarray]


class Memory:
    """Carries every state of the model by name. Call `begin` before each run of equally spaced instants."""

    def __init__(self, seed: int, state: Mapping[str, Any] | None = None) -> None:
        self._seed = seed
        self._state: State = {name: np.asarray(value, float) for name, value in (state or {}).items()}
        self._step_s = 1.0
        self._random = np.random.Generator(np.random.SFC64(seed))

    def begin(self, first_us: int, step_s: float) -> None:
        """Prepare for instants from `first_us` on; the noise depends on the seed and on that instant alone."""
        self._step_s = step_s
        self._random = np.random.Generator(np.random.SFC64([self._seed, first_us]))

    @property
    def state(self) -> dict[str, list[float] | float]:
        """All states, as JSON can hold them."""
        return {name: value.tolist() for name, value in self._state.items()}

    def lag(self, name: str, target: np.ndarray, tau_s: float) -> np.ndarray:
        """First-order approach to `target` [T] or [T, N]; starts settled."""
        keep = math.exp(-self._step_s / tau_s)
        before = self._state.get(name, target[0])
        settled: np.ndarray
        settled, _ = lfilter([1 - keep], [1.0, -keep], target, axis=0, zi=np.expand_dims(keep * before, 0))
        self._state[name] = settled[-1]
        return settled

    def wander(self, name: str, like: np.ndarray, sigma: float, tau_s: float) -> np.ndarray:
        """Ornstein-Uhlenbeck noise around zero, of the shape of `like` [T] or [T, N]."""
        keep = math.exp(-self._step_s / tau_s)
        kicks = self._random.standard_normal(like.shape)
        before = self._state.get(name, self._random.standard_normal(like.shape[1:]))
        path: np.ndarray
        path, _ = lfilter([math.sqrt(1 - keep**2)], [1.0, -keep], kicks, axis=0, zi=np.expand_dims(keep * before, 0))
        self._state[name] = path[-1]
        return sigma * path

    def white(self, like: np.ndarray) -> np.ndarray:
        """Independent normal noise of unit size and of the shape of `like`."""
        return self._random.standard_normal(like.shape)

    def hold(self, name: str, value: np.ndarray, held: np.ndarray) -> np.ndarray:
        """`value` [T], but the last free one wherever it is `held` [T]."""
        before = self._state.get(name, value[0])
        free = np.where(held, -1, np.arange(len(value)))
        latest = np.maximum.accumulate(free)
        shown = np.where(latest < 0, before, value[latest])
        self._state[name] = shown[-1]
        return shown

    def count(self, name: str, rate_per_h: np.ndarray, first: np.ndarray | float = 0.0) -> np.ndarray:
        """A register that adds up a rate [T] or [T, N]; never runs backwards. `first` is its very first reading."""
        before = self._state.get(name, np.asarray(first, float))
        register = before + np.cumsum(np.maximum(rate_per_h, 0), axis=0) * (self._step_s / 3600)
        self._state[name] = register[-1]
        return register

    def store(
        self, name: str, inflow_per_h: np.ndarray, draw_per_h: np.ndarray, first: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """A stock that gives off the share `draw_per_h` [1/h] of what it holds.

        Returns the stock at, and the outflow per hour up to, each instant [T]: what comes in is what goes out and what
        the stock gains, exactly.
        """
        step_h = self._step_s / 3600
        stock = float(self._state.get(name, np.asarray(first)))
        before, stocks = stock, np.empty(len(inflow_per_h))
        for at, (inflow, draw) in enumerate(zip(inflow_per_h.tolist(), draw_per_h.tolist(), strict=True)):
            if draw > 0:
                kept = math.exp(-draw * step_h)
                stock = stock * kept + inflow / draw * (1 - kept)
            else:
                stock += inflow * step_h
            stocks[at] = stock
        self._state[name] = np.asarray(stock)
        return stocks, inflow_per_h - np.diff(stocks, prepend=before) / step_h
