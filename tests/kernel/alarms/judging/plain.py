"""Judging one alarm as plainly as can be: sample by sample, with all its history in lists. What `Judge` must equal."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.rule import (
    BadQuality,
    Cusum,
    Deviation,
    Ewma,
    Expression,
    Frozen,
    InState,
    Jump,
    Limit,
    Ramp,
    Rate,
    Side,
    Stale,
)
from athanor.kernel.telemetry import Quality

from .samples import SECOND, Row, at

Known = bool | None  # there, over, or neither
Found = tuple[int, What, int]


@dataclass
class Plain:
    """One alarm. `expression` is the formula as Python has it, for rules that have one."""

    instance: Instance
    expression: Callable[..., Known] | None = None
    is_active: bool = False
    since_us: int | None = None
    paused_us: int | None = None  # so much of the delay has passed
    edge_us: int | None = None
    history: list[tuple[int, float]] = field(default_factory=list)
    inputs: dict[int, float | None] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)

    def all(self, rows: Sequence[Row], tick_s: float) -> list[Found]:
        """Judge samples, then end what ends until a time."""
        condition = self.instance.condition
        if isinstance(condition, Deviation | Expression):
            names = [one for one in (self.instance.tag, *self.instance.names.values()) if one is not None]
            for second in sorted({second for tag, second, *_ in rows if tag in names}):
                for tag, when, value, quality in rows:
                    if tag in names and when == second:
                        number = value if isinstance(value, int | float) else None
                        self.inputs[tag] = None if quality == Quality.BAD else number
                self._know(at(second), *self._of_several())
        else:
            for tag, second, value, quality in sorted(rows, key=lambda row: row[1]):
                if tag == self.instance.tag:
                    self._sample(at(second), value, quality)
        self._turn_before(at(tick_s) + 1)
        self._end_before(at(tick_s) + 1)
        return self.found

    def _sample(self, time_us: int, value: float | str | None, quality: Quality) -> None:
        self._turn_before(time_us)
        is_bad = quality == Quality.BAD
        match self.instance.condition:
            case Stale(after_s=after_s):
                assert after_s is not None
                self.edge_us = time_us + round(after_s * SECOND)
                self._know(time_us, False, False)
            case BadQuality():
                self._know(time_us, is_bad, False)
            case InState(states=states, is_in=is_in):
                self._know(time_us, (value in states) == is_in, is_bad or value is None)
            case _ if is_bad or not isinstance(value, int | float):
                self._know(time_us, None, True)
            case Ramp() as ramp:
                self._know(time_us, *self._of_ramp(ramp, time_us, value))
            case _:
                self._know(time_us, self._of_number(time_us, value), False)

    def _of_number(self, time_us: int, x: float) -> Known:  # noqa: PLR0911 one for each kind
        self.history.append((time_us, x))
        match self.instance.condition:
            case Limit(side=side, at=limit, deadband=deadband):
                sign = 1 if side == Side.HIGH else -1
                return _beyond(sign * x, sign * limit, deadband or 0, reaches=True)
            case Rate() as rate:
                return self._of_rate(rate, time_us, x)
            case Frozen(for_s=for_s, band=band):
                first_us, first = self.history[0]
                if abs(x - first) > band:
                    self.history = [(time_us, x)]
                    return False
                return True if time_us - first_us >= for_s * SECOND else None
            case Jump(by=by, calm_s=calm_s):
                if len(self.history) > 1 and abs(x - self.history[-2][1]) > by:
                    self.edge_us = time_us + round(calm_s * SECOND)
                    return True
                return False if self.edge_us is None else None
            case Ewma(mean=mean, sigma=sigma, weight=weight, width=width):
                z = weight * x + (1 - weight) * self.memory.get("z", mean)
                self.memory["z"] = z
                count = len(self.history)
                spread = math.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * count)))
                return abs(z - mean) > width * sigma * spread
            case Cusum(mean=mean, sigma=sigma, slack=slack, interval=interval):
                most = 2 * interval * sigma
                above = min(max(0.0, self.memory.get("above", 0.0) + (x - mean) - slack * sigma), most)
                below = min(max(0.0, self.memory.get("below", 0.0) - (x - mean) - slack * sigma), most)
                self.memory.update(above=above, below=below)
                return max(above, below) > interval * sigma
        raise AssertionError(self.instance.condition)

    def _of_rate(self, rate: Rate, time_us: int, x: float) -> Known:
        """With samples further apart than a thirtieth of the window, so that all are kept."""
        window_us = round(rate.window_s * SECOND)
        self.edge_us = time_us + window_us
        before = [one for one in self.history if one[0] <= time_us - window_us]
        if not before:
            return None
        then_us, then = before[-1]
        over_us = min(time_us - then_us, window_us + window_us // 30)
        return self._of_speed(rate, (x - then) / (over_us / SECOND) * 60)

    def _of_ramp(self, ramp: Ramp, time_us: int, x: float) -> tuple[Known, bool]:
        """A rising one."""
        window_us = round(ramp.window_s * SECOND)
        self.history.append((time_us, x))
        self.edge_us = time_us + window_us
        assert ramp.at is not None
        if x >= ramp.at:
            return True, False
        before = [one for one in self.history if one[0] <= time_us - window_us]
        oldest_us = before[-1][0] if before else self.history[0][0]
        within = [one for one in self.history if one[0] >= time_us - window_us]
        if time_us - oldest_us < window_us // 2 or len(within) < 2:
            return None, True
        ages, values = [(one - time_us) / SECOND for one, _ in within], [value for _, value in within]
        slope = float(np.polyfit(ages, values, 1)[0])
        return slope > 1e-9 and (ramp.at - x) / slope <= ramp.horizon_s, False

    def _of_speed(self, rate: Rate, speed: float) -> Known:
        away = abs(speed) if rate.side == "either" else speed if rate.side == Side.HIGH else -speed
        return _beyond(away, rate.at, rate.deadband)

    def _of_several(self) -> tuple[Known, bool]:
        values = {name: self.inputs.get(tag) for name, tag in self.instance.names.items()}
        condition = self.instance.condition
        if isinstance(condition, Deviation):
            own = self.inputs.get(self.instance.tag or 0)
            other = values[condition.reference]
            if own is None or other is None:
                return None, True
            away = own - other
            away = abs(away) if condition.side == "either" else away if condition.side == Side.HIGH else -away
            return _beyond(away, condition.at, condition.deadband), False
        assert self.expression is not None
        truth = self.expression(*values.values())
        return truth, truth is None

    def _turn_before(self, time_us: int) -> None:
        if self.edge_us is None or self.edge_us >= time_us:
            return
        edge_us, self.edge_us = self.edge_us, None
        match self.instance.condition:
            case Stale():
                self._know(edge_us, True, False)
            case Rate() as rate:
                self._know(edge_us, self._of_speed(rate, 0.0), False)
            case Ramp(at=limit):
                self._know(edge_us, self.history[-1][1] >= (limit or 0), False)
            case _:
                self._know(edge_us, False, False)

    def _know(self, time_us: int, known: Known, holds: bool) -> None:
        wanted = not holds and known is (not self.is_active)
        if self.since_us is not None:
            due_us = self.since_us + self._delay_us()
            if due_us < time_us or (due_us == time_us and wanted):
                self._turn(due_us)
                wanted = not holds and known is (not self.is_active)
        if holds:
            if self.since_us is not None:
                self.paused_us, self.since_us = time_us - self.since_us, None
            return
        if wanted:
            if self.since_us is None:
                self.since_us = time_us - (self.paused_us or 0)
        else:
            self.since_us = None
        self.paused_us = None
        if self.since_us is not None and self.since_us + self._delay_us() <= time_us:
            self._turn(time_us)

    def _end_before(self, time_us: int) -> None:
        if self.since_us is not None and self.since_us + self._delay_us() < time_us:
            self._turn(self.since_us + self._delay_us())

    def _delay_us(self) -> int:
        return self.instance.off_delay_us if self.is_active else self.instance.on_delay_us

    def _turn(self, at_us: int) -> None:
        self.is_active = not self.is_active
        self.since_us = None
        later_us = max(at_us, self.found[-1][2] + 1 if self.found else 0)
        self.found.append((self.instance.alarm, What.RAISED if self.is_active else What.CLEARED, later_us))


def _beyond(away: float, limit: float, deadband: float, *, reaches: bool = False) -> Known:
    if away > limit or (reaches and away == limit):
        return True
    return False if away < limit - deadband else None


def both(*parts: Callable[[], bool]) -> Known:
    """False if any is; else unknown if any cannot be said."""
    known = [_said(one) for one in parts]
    return False if False in known else None if None in known else True


def either(*parts: Callable[[], bool]) -> Known:
    """True if any is; else unknown if any cannot be said."""
    known = [_said(one) for one in parts]
    return True if True in known else None if None in known else False


def _said(part: Callable[[], bool]) -> Known:
    try:
        return part()
    except (ZeroDivisionError, TypeError):
        return None
