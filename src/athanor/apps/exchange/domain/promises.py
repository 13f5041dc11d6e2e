"""Whether what was promised is kept: schema, freshness, completeness."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from athanor.apps.exchange.domain.offer import Column


class Rule(StrEnum):
    """What a contract can be breached in."""

    SCHEMA = "schema"
    FRESHNESS = "freshness"
    COMPLETENESS = "completeness"


def schema_faults(promised: Sequence[Column], actual: Mapping[str, Column]) -> list[str]:
    """Paths of columns that are gone, or have another unit or kind than promised, in the order promised."""
    return [column.path for column in promised if actual.get(column.path) != column]


def overdue(age_s: Mapping[str, float], freshness_min: float) -> list[str]:
    """Paths whose newest good value is older than promised, the oldest first. Ages may be infinite. [s]"""
    late = [path for path, age in age_s.items() if age > freshness_min * 60]
    return sorted(late, key=lambda path: (-age_s[path], path))


def completeness(count: float, period_s: float, length_s: float) -> float:
    """The share of expected samples that came, at most 1.

    Parameters
    ----------
    count
        Good and uncertain samples in the range.
    period_s
        How often one is due. [s]
    length_s
        The range: 23 or 25 h on days when clocks change. [s]
    """
    if period_s <= 0 or length_s <= 0:
        raise ValueError(f"period_s and length_s are above 0; got {period_s} and {length_s}")
    return min(1.0, count * period_s / length_s)
