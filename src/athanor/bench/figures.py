"""What a benchmark answers, and how one is declared."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `holds` is None where there is no target."""

    name: str
    value: float
    unit: str
    target: float | None = None
    holds: bool | None = None
    compared_with: str = ""


class _Run(Protocol):
    def __call__(self, *, quick: bool) -> list[Figure]: ...


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`run(quick=True)` measures the same things on less data, in under 40 s."""

    summary: str
    run: _Run


def at_most(name: str, value: float, unit: str, target: float, compared_with: str = "") -> Figure:
    """A figure that should not exceed its target."""
    return Figure(name, value, unit, target, value <= target, compared_with)


def at_least(name: str, value: float, unit: str, target: float, compared_with: str = "") -> Figure:
    """A figure that should reach its target."""
    return Figure(name, value, unit, target, value >= target, compared_with)
