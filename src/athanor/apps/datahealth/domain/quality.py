"""How good data is, in five dimensions of 0 to 100 each, and what each tag costs.

A dimension that cannot be told of a tag is NaN, and counts for nothing. A tag scores as its worst dimension does; a
group scores as its tags do on the average. So every tag's cost is known, and all costs add up to what is missing.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


class Dimension(StrEnum):
    """What can be said of data's quality, after ISO/IEC 25012 and the DAMA dimensions."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"
    CONSISTENCY = "consistency"


def completeness(known_share: Numbers, is_due: npt.NDArray[np.bool_]) -> Numbers:
    """100 · the share of the time in which a good value is known. [N]

    Parameters
    ----------
    known_share
        Share of the time in which a good sample is no older than the historian's gap policy lets it hold: three of
        its tag's periods, 5 min at least. NaN where none came. [-]
    is_due
        Whether samples of the tag are due at all; of others nobody can say what is missing.
    """
    return np.where(is_due, 100.0 * np.nan_to_num(known_share), np.nan)


def validity(good: Numbers, other: Numbers, refused: Numbers) -> Numbers:
    """100 · good / (good + other + refused); NaN where nothing came. [N]

    Parameters
    ----------
    good
        Samples of good quality within the instrument's range.
    other
        Samples that the source calls bad or uncertain, and those outside the range, which ingest calls uncertain.
    refused
        Samples that went into quarantine: wrong unit, wrong kind, impossible time.
    """
    return _share(good, good + other + refused)


def timeliness(arrived: Numbers, late: Numbers, is_overdue: npt.NDArray[np.bool_]) -> Numbers:
    """100 · (arrived - late) / arrived; 0 while the newest value is overdue, NaN where no arrival was counted. [N]

    Parameters
    ----------
    arrived
        Samples that came.
    late
        Of these, those that came later than three periods and 5 s after their source time.
    is_overdue
        Whether the tag's newest sample is older than that now.
    """
    return np.where(is_overdue, 0.0, _share(arrived - late, arrived))


def uniqueness(arrived: Numbers, distinct: Numbers) -> Numbers:
    """100 · distinct / arrived, of samples of the same source times; NaN where none arrived. [N]

    Parameters
    ----------
    arrived
        Samples that ingest stored, those included that replaced one of the same tag and time.
    distinct
        What the historian holds of these times, one a tag and time; more than arrived where some were imported.
    """
    return _share(np.minimum(distinct, arrived), arrived)


def consistency(hours: Numbers, impossible: Numbers) -> Numbers:
    """100 · (hours - impossible) / hours; NaN where no hour can be judged. [N]

    Parameters
    ----------
    hours
        Hours in which the tag, a state, had a value.
    impossible
        Of these, those whose lowest or highest value is no state that the plant model names.
    """
    return _share(hours - impossible, hours)


def tag_scores(dimensions: Numbers) -> Numbers:
    """The worst dimension of each tag; NaN where none can be told. [D, N] to [N]"""
    known = np.where(np.isnan(dimensions), np.inf, dimensions).min(axis=0, initial=np.inf)
    return np.where(np.isinf(known), np.nan, known)


def worst_dimensions(dimensions: Numbers) -> npt.NDArray[np.intp]:
    """Which dimension is each tag's worst, the first of equals; 0 where none can be told. [D, N] to [N]"""
    worst: npt.NDArray[np.intp] = np.where(np.isnan(dimensions), np.inf, dimensions).argmin(axis=0)
    return worst


def mean_score(scores: Numbers) -> float:
    """The mean of the scores that can be told; NaN where none can. 0 to 100."""
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if len(known) else float("nan")


def costs(scores: Numbers) -> Numbers:
    """Points that each tag takes from its group's 100; 0 where its score cannot be told. [N]

    They add up to what the group lacks.
    """
    is_known = ~np.isnan(scores)
    return np.where(is_known, 100.0 - scores, 0.0) / max(int(np.count_nonzero(is_known)), 1)


def _share(part: Numbers, whole: Numbers) -> Numbers:
    """100 · part / whole; NaN where there is no whole."""
    has_any = whole > 0
    return np.where(has_any, 100.0 * part / np.where(has_any, whole, 1.0), np.nan)
