"""What a benchmark answers, and how one is declared."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `holds` is None where there is no target, `peers` what others came to in the same run."""

    name: str
    value: float | None  # None where Athanor itself was left out
    unit: str
    target: float | None = None
    holds: bool | None = None
    compared_with: str = ""
    peers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a run, and what has to be known to read them."""

    figures: Sequence[Figure]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`run(quick, only)` measures; quick is the same on less data, `only` some of its `parts`, or all where empty."""

    summary: str
    run: Callable[[bool, Sequence[str]], Report]
    parts: Sequence[str] = ()


def at_most(name: str, value: float, unit: str, target: float, compared_with: str = "") -> Figure:
    """A figure that should not exceed its target."""
    return Figure(name, value, unit, target, value <= target, compared_with)


def at_least(name: str, value: float, unit: str, target: float, compared_with: str = "") -> Figure:
    """A figure that should reach its target."""
    return Figure(name, value, unit, target, value >= target, compared_with)


def machine() -> str:
    """What the figures were taken on, in one line."""
    memory_gb = psutil.virtual_memory().total / 1e9
    system = f"{_first('/etc/os-release', 'PRETTY_NAME=') or platform.system()}, kernel {platform.release()}"
    cores = psutil.cpu_count() or 0
    busy = psutil.getloadavg()[0]
    return (
        f"{_first('/proc/cpuinfo', 'model name') or platform.machine()}, {cores} cores, {memory_gb:.0f} GB, {system}, "
        f"Python {platform.python_version()}; load average at the start {busy:.1f}"
    )


def _first(file: str, key: str) -> str:
    """The value of the first line of a system's file that begins so; empty where there is none."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = (line.removeprefix(key).lstrip("\t :").strip('"') for line in lines if line.startswith(key))
    return next(found, "")
