"""Waveforms as machines give them, made by a formula; and real ones, where a folder of recordings is named."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

RECORDINGS = "ATHANOR_TEST_RECORDINGS"  # a folder with *.npz of one-dimensional int16 and float32 arrays
RATE_HZ = 48_000
POINTS = 48_000
_FAULT_HZ = 107.4  # of an outer race at 1,797 r/min


def vibration(seed: int, points: int = POINTS) -> np.ndarray:
    """A bearing with a fault: shaft, two resonances that each impact rings, and noise. [points] int16"""
    random = np.random.default_rng(seed)
    time_s = np.arange(points) / RATE_HZ
    impacts = np.zeros(points)
    impacts[np.arange(0, points, RATE_HZ / _FAULT_HZ).astype(int)] = 1
    ring_s = np.arange(960) / RATE_HZ
    ring = np.exp(-ring_s * 900) * (np.sin(2 * np.pi * 3100 * ring_s) + 0.6 * np.sin(2 * np.pi * 6700 * ring_s))
    excitation = 2500 * impacts + random.normal(0, 90, points)
    shaft = 300 * np.sin(2 * np.pi * 24.7 * time_s) + 120 * np.sin(2 * np.pi * 49.4 * time_s + 1)
    signal = shaft + np.convolve(excitation, ring)[:points] + random.normal(0, 25, points)
    return _whole(signal)


def motor_current(seed: int, points: int = 100_000, rate_hz: float = 10_000) -> np.ndarray:
    """Ten seconds of a phase: mains, its fifth and seventh, sidebands of the slip, and noise. [points] int16"""
    random = np.random.default_rng(seed)
    time_s = np.arange(points) / rate_hz
    signal = 12_000 * np.sin(2 * np.pi * 50.02 * time_s + seed) + 40 * np.sin(2 * np.pi * 47.5 * time_s)
    signal += 480 * np.sin(2 * np.pi * 250.1 * time_s) + 310 * np.sin(2 * np.pi * 350.14 * time_s)
    return _whole(signal + random.normal(0, 6, points))


def _whole(signal: np.ndarray) -> np.ndarray:
    numbers: np.ndarray = np.clip(np.rint(signal), -(2**15), 2**15 - 1).astype(np.int16)
    return numbers


def groups() -> Mapping[str, Sequence[np.ndarray]]:
    """What encodings are compared on, by name: made ones, and pieces of a second of what the folder holds."""
    made: dict[str, Sequence[np.ndarray]] = {
        "vibration, made": [vibration(seed) for seed in range(20)],
        "motor current, made": [motor_current(seed) for seed in range(10)],
    }
    if folder := os.environ.get(RECORDINGS):
        for file in sorted(Path(folder).rglob("*.npz")):
            made |= _recorded(file)
    return made


def _recorded(file: Path) -> dict[str, list[np.ndarray]]:
    groups: dict[str, list[np.ndarray]] = {}
    with np.load(file) as recordings:
        for key in recordings.files:
            points = recordings[key]
            if points.ndim == 1 and points.dtype in (np.int16, np.float32) and len(points) >= POINTS:
                pieces = groups.setdefault(f"{file.stem}, {points.dtype}", [])
                pieces += [points[start : start + POINTS] for start in range(0, len(points) - POINTS + 1, POINTS)]
    return groups
