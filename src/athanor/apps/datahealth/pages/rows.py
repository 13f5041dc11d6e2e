"""Rows of the tables of data health."""

from datetime import datetime

from athanor.apps.datahealth.domain.trouble import Trouble
from athanor.apps.datahealth.pages import wording
from athanor.apps.datahealth.services import health as services
from athanor.kernel.current import CurrentValue
from athanor.kernel.ingest.quarantine import QuarantineEntry
from athanor.kernel.ingest.sources import EdgeState, SourceState
from athanor.kernel.plant.model import Tag
from athanor.web.components import Cell
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, duration, number, read
from athanor.web.language import _, text_of

_STATE_CLASSES = {"connected": "", "connecting": "is-warn", "failed": "is-urgent", "stopped": "is-unsure"}
_STATE_MARKS = {"connecting": "…", "failed": "!"}
_TROUBLES = ("bad", "undecodable", "gaps", "reconnects", "clock_skew")  # counters, in the order of the column's title


def source_row(edge: EdgeState, source: SourceState, newest: tuple[Tag, CurrentValue] | None, now: datetime) -> Row:
    """One source; one of an edge that fell silent says so, since its state may be long gone."""
    if edge.is_silent(now):
        silence = duration((now - edge.received_at).total_seconds())
        state = Cell(_("Edge silent"), note=_("for {age}").format(age=silence), state="is-warn", mark="?")
    else:
        state = Cell(
            wording.source_state(source.state),
            note=source.error or _("for {age}").format(age=duration((now - source.since).total_seconds())),
            state=_STATE_CLASSES.get(source.state, ""),
            mark=_STATE_MARKS.get(source.state, ""),
        )
    counters = source.counters
    age_s = None if source.last_sample_at is None else (now - source.last_sample_at).total_seconds()
    return {
        "source": Cell(f"{edge.edge} / {source.id}", note=f"{source.protocol} · {source.address}"),
        "state": state,
        "tags": Cell(number(source.tags), sort=float(source.tags)),
        "rate": Cell(number(source.samples_per_s, 1), sort=source.samples_per_s),
        "last": Cell(NOTHING if age_s is None else duration(age_s), sort=float("inf") if age_s is None else age_s),
        "newest": _newest_cell(newest, now),
        "troubles": " · ".join(number(counters.get(name, 0)) for name in _TROUBLES),
        "backlog": Cell(number(edge.backlog.rows), sort=float(edge.backlog.rows)),
    }


def _newest_cell(newest: tuple[Tag, CurrentValue] | None, now: datetime) -> Cell:
    """The value of the sample that came last, and of which tag it is."""
    if newest is None:
        return Cell(NOTHING)
    tag, value = newest
    return Cell(read(tag, value, now).whole, note=text_of(tag.name), address=f"/trends?tags={tag.path}")


def quarantine_row(entry: QuarantineEntry, now: datetime) -> Row:
    """One kind of refused samples."""
    return {
        "reason": Cell(wording.reason(entry.reason), note=entry.tag or "", state="is-unsure"),
        "edge": entry.edge or NOTHING,
        "count": Cell(number(entry.count), sort=float(entry.count)),
        "last": Cell(duration((now - entry.last_at).total_seconds()), sort=(now - entry.last_at).total_seconds()),
        "example": str(entry.example or NOTHING),
        "cure": wording.cure(entry.reason),
    }


def troubled_row(one: services.TroubledTag) -> Row:
    """One tag whose value is not to be believed."""
    never = one.trouble is Trouble.NEVER
    return {
        "tag": Cell(text_of(one.tag.name), note=text_of(one.asset.name), address=f"/trends?tags={one.tag.path}"),
        "path": one.tag.path,
        "trouble": Cell(wording.trouble(one.trouble), sort=float(one.trouble), state="is-unsure"),
        "age": Cell(NOTHING if never else duration(one.age_s), sort=one.age_s),
        "period": Cell(
            NOTHING if one.tag.period_s is None else duration(one.tag.period_s), sort=one.tag.period_s or float("inf")
        ),
    }
