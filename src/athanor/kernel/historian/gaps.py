"""What is known between two samples: a choice that whoever asks must name, for no data can make it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np

from athanor.kernel.errors import AthanorError
from athanor.kernel.plant.model import TagKind
from athanor.kernel.telemetry import Quality

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Between(StrEnum):
    """What a tag does between two samples."""

    NONE = "none"  # samples stand for themselves
    HOLD = "hold"  # a step: the value stays until the next sample
    LINEAR = "linear"  # a straight line from sample to sample


BETWEEN: Mapping[TagKind, Between] = {  # as each kind is drawn
    TagKind.ANALOG: Between.LINEAR,
    TagKind.SETPOINT: Between.HOLD,
    TagKind.STATE: Between.HOLD,
    TagKind.COUNTER: Between.LINEAR,
    TagKind.TEXT: Between.NONE,
}


class UnknownGapPolicyError(AthanorError):
    """A text or a limit that is no gap policy."""

    code = "historian.unknown-gap-policy"

    def __init__(self, policy: object) -> None:
        super().__init__(
            f"{policy!r} is no gap policy. Give none, or hold or linear with the longest time that it may reach over, "
            "such as hold 5m or linear 1h."
        )


class GapPolicyNeededError(AthanorError):
    """Something that weighs samples by time was asked of samples that stand for themselves."""

    code = "historian.gap-policy-needed"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The {what} of samples that stand for themselves is not defined: nothing says what the tag did between "
            "them. Name a gap policy: hold or linear, with a limit, such as hold 5m or linear 1h."
        )


@dataclass(frozen=True, slots=True)
class GapPolicy:
    """What may be taken as known between samples, and over how long at most. Only good samples count (`is_good`).

    - none: nothing. Samples stand for themselves; their mean is the plain mean.
    - hold: a good sample holds until the next sample of any quality, at most for the limit.
    - linear: a straight line joins two good samples that follow each other no further apart than the limit.
      Beyond, and where a sample that is not good lies between, nothing is known.

    Raises UnknownGapPolicyError when hold or linear comes without a limit above 0, or none with one.
    """

    between: Between
    limit: timedelta | None = None

    def __post_init__(self) -> None:
        if self.between is Between.NONE:
            is_sound = self.limit is None
        else:
            is_sound = self.limit is not None and self.limit > timedelta(0)
        if not is_sound:
            raise UnknownGapPolicyError(f"{self.between.value} {self.limit}")

    @property
    def limit_us(self) -> int:
        """The longest time that it reaches over; 0 for none. [us]"""
        return 0 if self.limit is None else self.limit // timedelta(microseconds=1)

    def __str__(self) -> str:
        """The text that `parse_gap_policy` reads, down to whole seconds."""
        if self.limit is None:
            return self.between.value
        unit = next((unit for unit in "dhm" if not self.limit % _UNITS[unit]), "s")
        return f"{self.between.value} {self.limit // _UNITS[unit]}{unit}"


NONE = GapPolicy(Between.NONE)


def hold(limit: timedelta) -> GapPolicy:
    """Values hold until the next sample, at most for `limit`. Raises UnknownGapPolicyError."""
    return GapPolicy(Between.HOLD, limit)


def linear(limit: timedelta) -> GapPolicy:
    """Lines join samples at most `limit` apart. Raises UnknownGapPolicyError."""
    return GapPolicy(Between.LINEAR, limit)


def parse_gap_policy(text: str) -> GapPolicy:
    """The policy that a text such as `none`, `hold 5m` or `linear 1h` names. Raises UnknownGapPolicyError."""
    if text == Between.NONE:
        return NONE
    match = re.fullmatch(r"(hold|linear) ([1-9][0-9]{0,6})([smhd])", text)
    if match is None:
        raise UnknownGapPolicyError(text)
    return GapPolicy(Between(match[1]), int(match[2]) * _UNITS[match[3]])


def policy_for(kind: TagKind, limit: timedelta) -> GapPolicy:
    """The policy that draws a tag as its kind is: an analog value by lines, a setpoint or state by steps."""
    return NONE if BETWEEN[kind] is Between.NONE else GapPolicy(BETWEEN[kind], limit)


def is_good(value: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """True for samples that count: of good quality and with a number. [N]

    All others, uncertain ones and texts too, only end what holds before them.
    """
    good: np.ndarray = (quality == Quality.GOOD) & np.isfinite(value)
    return good
