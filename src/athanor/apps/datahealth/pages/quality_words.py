"""What dimensions of quality are called, how each is found, and what is left out."""

from collections.abc import Sequence

import numpy as np

from athanor.apps.datahealth.domain.quality import Dimension
from athanor.web.formatting import number
from athanor.web.language import _

_GOOD_ENOUGH, _POOR = 95.0, 80.0


def title(dimension: Dimension) -> str:
    """What a dimension is called."""
    return {
        Dimension.COMPLETENESS: _("Completeness"),
        Dimension.VALIDITY: _("Validity"),
        Dimension.TIMELINESS: _("Timeliness"),
        Dimension.UNIQUENESS: _("Uniqueness"),
        Dimension.CONSISTENCY: _("Consistency"),
    }[dimension]


def formula(dimension: Dimension) -> str:
    """How a dimension is found."""
    return {
        Dimension.COMPLETENESS: _(
            "100 × the share of the last 24 h in which a good value is known: the newest good sample is no older than "
            "three of the tag's periods, 5 min at least. Only tags that are due by a period count."
        ),
        Dimension.VALIDITY: _(
            "100 × good samples / all samples that came. Not good are those that the source calls bad or uncertain, "
            "those outside the instrument's range, and those in quarantine for their unit, kind or time."
        ),
        Dimension.TIMELINESS: _(
            "100 × samples on time / samples that came since the server's start, at most of a day. Late is what comes "
            "more than three periods and 5 s after its source time. 0 while the newest value is overdue."
        ),
        Dimension.UNIQUENESS: _(
            "100 × samples kept / samples that came, of the whole quarters of an hour since the server's start: what "
            "is missing came twice and replaced one of the same tag and time."
        ),
        Dimension.CONSISTENCY: _(
            "Of states: 100 × hours in which the lowest and highest value are states that the plant model names / "
            "hours with values."
        ),
    }[dimension]


def score_formula() -> str:
    """How scores come about."""
    return _(
        "A tag scores as its worst dimension does, a group as its tags do on the average. So the points that the tags "
        "lose add up to what the group lacks."
    )


def left_out() -> Sequence[str]:
    """What cannot be told, and so counts for nothing."""
    return [
        _(
            "Left out: meters against the sum of those below them, as the plant model does not say which meter feeds "
            "which; samples of unknown tags in quarantine, which belong to no tag; completeness and validity of texts."
        ),
        _("Past days are scored by completeness and validity alone: nobody wrote down when their samples came."),
    ]


def trend(days: Sequence[float]) -> str:
    """What the line of the last 30 days shows."""
    told = [day for day in days if not np.isnan(day)]
    if not told:
        return _("Last 30 days: nothing is known yet.")
    text = _("Last 30 days (completeness and validity): {n} days known, lowest {low}, today {today}.")
    return text.format(n=number(len(told)), low=number(min(told), 1), today=number(told[-1], 1))


def state(score: float) -> str:
    """The CSS class of a score; none where it is good enough or not known."""
    if np.isnan(score) or score >= _GOOD_ENOUGH:
        return ""
    return "is-warn" if score >= _POOR else "is-urgent"
