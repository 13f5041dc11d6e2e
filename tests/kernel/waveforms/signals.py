"""Waveforms to test with."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from athanor.kernel.waveforms.port import Head, Waveform

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAN, PUMP = "smelter.fans.fan_1", "smelter.water.pump_2"


def vibration(points: int = 4800, *, seed: int = 1, rate_hz: float = 48_000) -> np.ndarray:
    """A shaft that turns, a resonance that rings, and noise. [points] int16"""
    random = np.random.default_rng(seed)
    time_s = np.arange(points) / rate_hz
    ring = np.exp(-np.arange(200) / 40) * np.cos(np.arange(200) / 3)
    ringing = np.convolve(random.normal(0, 60, points), ring)[:points]
    shaft = 800 * np.sin(2 * np.pi * 24.7 * time_s + seed)
    signal: np.ndarray = np.rint(shaft + ringing + random.normal(0, 8, points)).astype(np.int16)
    return signal


def waveform(number: int = 0, *, numbers: np.ndarray | None = None, **head: Any) -> Waveform:
    """The one that starts `number` seconds after noon."""
    given: dict[str, Any] = {
        "asset": FAN,
        "channel": "de_x",
        "start": NOON + timedelta(seconds=number),
        "rate_hz": 48_000.0,
        "quantity": "acceleration",
        "unit": "m/s2",
        "scale": 0.001,
    }
    return Waveform(Head(**(given | head)), vibration(seed=number + 1) if numbers is None else numbers)


def same(one: Waveform, other: Waveform) -> bool:
    """Whether both are equal, bit for bit."""
    return (one.head, one.numbers.dtype, one.numbers.tobytes()) == (
        other.head,
        other.numbers.dtype,
        other.numbers.tobytes(),
    )
