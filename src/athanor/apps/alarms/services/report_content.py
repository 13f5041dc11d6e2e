"""What a report on the alarm system says: figures as sections of rows, in the language that is spoken."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from athanor.apps.alarms.domain.kpis import Figure
from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.services.performance import Figures, Listed, Step, rate
from athanor.apps.alarms.services.performance_names import Named
from athanor.apps.alarms.services.performance_wording import (
    alarm_text,
    figure_texts,
    goal_text,
    how_texts,
    level_texts,
    node_text,
    place_text,
    priority_texts,
    value_text,
    verdict_texts,
)
from athanor.kernel.historian.port import moment
from athanor.kernel.plant.model import Plant
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _, text_of

Value = str | int | float


class Kind(StrEnum):
    """How a column's values are written."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"  # two decimals
    SHARE = "share"  # 0 to 1
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column. `width` is its part of the page's."""

    title: str
    kind: Kind = Kind.TEXT
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report. `marked` are rows that are beyond what can be managed."""

    title: str
    how: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Value]]
    nothing: str = ""
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Content:
    """A report. `days` are alarms of each day with the day's name; `week` is by weekday and hour."""

    title: str
    period: str
    whose: str
    made: str
    summary: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    days: Sequence[tuple[str, int]]
    days_title: str
    day_goal: tuple[str, float]
    week: np.ndarray
    week_title: str
    weekdays: Sequence[str]


def content(found: Figures, names: dict[int, Named], told: Spread, plant: Plant, made_at: str) -> Content:
    """A report on these figures."""
    record, wish = found.record, found.record.wish
    zone = record.zone
    whose = (
        text_of(plant.tenants[wish.tenant].name)
        if wish.tenant and wish.tenant in plant.tenants
        else text_of(plant.name)
    )
    places = [node_text(plant, path) for path in (wish.area, wish.position) if path]
    edges, counts = rate(record, Step.DAY)
    days = [f"{moment(int(edge)).astimezone(zone):%m-%d}" for edge in edges[:-1]]
    values = {one.figure: one for one in found.kpis}
    texts = figure_texts()
    shown = (Figure.PER_DAY, Figure.PER_TEN_MINUTES, Figure.PEAK, Figure.IN_FLOOD)
    return Content(
        _("Alarm performance"),
        f"{date_time(wish.start, zone)} – {date_time(wish.end, zone)} ({zone.key})",
        " · ".join([whose, *places]),
        _("made at {time}").format(time=made_at),
        [
            (_("Level after EEMUA 191"), level_texts()[found.level]),
            (_("Announced alarms"), f"{found.raised:,}"),
            *((texts[one], value_text(values[one])) for one in shown),
        ],
        [
            _against(found),
            _top(found, names),
            _priorities(found),
            _floods(found, names),
            _nuisances(_("Chattering alarms"), how_texts()[Figure.CHATTERING], found.chattering, names),
            _nuisances(_("Fleeting alarms"), how_texts()[Figure.FLEETING], found.fleeting, names),
            _stale(found, names),
            _response(found, told),
            _positions(found, plant),
        ],
        list(zip(days, counts.tolist(), strict=True)),
        _("Alarms a day"),
        (_("Target"), 150.0 * max(1, len(found.positions))),
        found.week,
        _("Hours of the week"),
        [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")],
    )


def _against(found: Figures) -> Section:
    texts, how, verdicts = figure_texts(), how_texts(), verdict_texts()
    headings = [
        Heading(_("Figure"), width=3),
        Heading(_("How it was computed"), width=4),
        Heading(_("Value"), width=1.2),
        Heading(_("Target"), width=1.1),
        Heading(_("Maximum"), width=1.1),
        Heading(_("Verdict"), width=1.6),
    ]
    rows = [
        (
            texts[one.figure],
            how[one.figure],
            value_text(one),
            goal_text(one.goal, one.goal.target),
            goal_text(one.goal, one.goal.most),
            verdicts[one.verdict],
        )
        for one in found.kpis
    ]
    note = _("After ISA-18.2 and EEMUA 191, for one operator position: an area of the plant.")
    if not found.is_enough:
        few = _("Fewer than 30 days: averages are shown, but the standard judges by 30 days at least.")
        note = f"{note} {few}"
    marked = frozenset(place for place, one in enumerate(found.kpis) if one.verdict == "beyond")
    return Section(_("Against the standard"), note, headings, rows, marked=marked)


def _alarm_headings() -> list[Heading]:
    return [
        Heading(_("Alarm"), width=3),
        Heading(_("Place"), width=4),
        Heading(_("Occurrences"), Kind.COUNT, 1.4),
        Heading(_("Share"), Kind.SHARE),
    ]


def _top(found: Figures, names: dict[int, Named]) -> Section:
    top = found.top
    rows = [
        (alarm_text(names.get(int(alarm))), place_text(names.get(int(alarm))), int(count), float(share), float(running))
        for alarm, count, share, running in zip(top.alarm, top.count, top.share, top.running_share, strict=True)
    ]
    headings = [*_alarm_headings(), Heading(_("Running total"), Kind.SHARE, 1.2)]
    how = _("Of all announced alarms of the period. Start here: few make the most.")
    return Section(_("Ten most frequent alarms"), how, headings, rows, _("None in this period."))


def _priorities(found: Figures) -> Section:
    total = max(1, int(found.priorities.sum()))
    goals = ("< 1 %", "5 %", "15 %", "80 %")
    texts = priority_texts()
    rows = [
        (texts[place + 1], count, count / total, goals[place]) for place, count in enumerate(found.priorities.tolist())
    ]
    headings = [Heading(_("Priority"), width=2), Heading(_("Occurrences"), Kind.COUNT), Heading(_("Share"), Kind.SHARE)]
    how = _("Of all announced alarms; ISA-18.2 calls for about 80 % low, 15 % medium, 5 % high.")
    return Section(_("Priorities"), how, [*headings, Heading(_("Target"))], rows)


def _floods(found: Figures, names: dict[int, Named]) -> Section:
    zone = found.record.zone
    rows = [
        (
            date_time(moment(one.begin_us), zone),
            (one.end_us - one.begin_us) / 1e6,
            one.alarms,
            one.peak,
            " · ".join(filter(None, (alarm_text(names.get(one.first_alarm)), place_text(names.get(one.first_alarm))))),
        )
        for one in found.floods
    ]
    headings = [
        Heading(_("Began"), width=2),
        Heading(_("Lasted"), Kind.SECONDS),
        Heading(_("Alarms"), Kind.COUNT),
        Heading(_("Most in 10 min"), Kind.COUNT, 1.3),
        Heading(_("Came first"), width=4),
    ]
    how = _("From more than 10 alarms in 10 min until fewer than 5; {n} in all, the largest here.")
    title, n = _("Floods"), len(found.all_floods)
    return Section(title, how.format(n=f"{n:,}"), headings, rows, _("No flood in this period."))


def _nuisances(title: str, how: str, listed: Sequence[Listed], names: dict[int, Named]) -> Section:
    rows = [
        (alarm_text(names.get(one.alarm)), place_text(names.get(one.alarm)), one.count, one.share) for one in listed
    ]
    return Section(title, how, _alarm_headings(), rows, _("None in this period."))


def _stale(found: Figures, names: dict[int, Named]) -> Section:
    zone = found.record.zone
    rows = [
        (
            alarm_text(names.get(one.alarm)),
            place_text(names.get(one.alarm)),
            date_time(moment(one.raised_us), zone),
            one.stood_s,
            _("still stands") if one.is_standing else _("is over"),
        )
        for one in found.stale
    ]
    headings = [
        Heading(_("Alarm"), width=3),
        Heading(_("Place"), width=4),
        Heading(_("Raised"), width=2),
        Heading(_("Stood"), Kind.SECONDS),
        Heading(_("State"), width=1.3),
    ]
    how = _("Standing for more than 24 h within the period; the longest first.")
    return Section(_("Stale alarms"), how, headings, rows, _("None in this period."))


def _response(found: Figures, told: Spread) -> Section:
    times = found.response
    lines = [
        (_("Detected"), _("until Athanor raised it"), times.detected),
        (_("Told"), _("until the first message left"), told),
        (_("Acknowledged"), _("until an operator did"), times.acknowledged),
        (_("Back to normal"), _("until the condition was over"), times.returned),
        (_("In alarm"), _("until it was over, or the period was"), times.in_alarm),
    ]
    rows = [
        (name, note, one.known, *((one.median_s, one.p90_s, one.longest_s) if one.known else (NOTHING,) * 3))
        for name, note, one in lines
    ]
    headings = [
        Heading(_("From the source's time"), width=2),
        Heading("", width=3),
        Heading(_("Known of"), Kind.COUNT),
        Heading(_("Median"), Kind.SECONDS),
        Heading(_("90 % within"), Kind.SECONDS),
        Heading(_("Longest"), Kind.SECONDS),
    ]
    how = _("Counted from the time stamp of the source; of what has happened so far.")
    return Section(_("Response times"), how, headings, rows)


def _positions(found: Figures, plant: Plant) -> Section:
    levels = level_texts()
    rows = [
        (
            node_text(plant, one.path),
            one.alarms,
            one.values[Figure.PER_TEN_MINUTES],
            int(one.values[Figure.PEAK]),
            one.values[Figure.IN_FLOOD],
            levels[one.level],
        )
        for one in found.positions
    ]
    headings = [
        Heading(_("Operator position"), width=3),
        Heading(_("Alarms"), Kind.COUNT),
        Heading(_("In 10 min"), Kind.NUMBER),
        Heading(_("Most in 10 min"), Kind.COUNT, 1.3),
        Heading(_("In flood"), Kind.SHARE),
        Heading(_("Level"), width=1.4),
    ]
    how = _("An operator position is an area of the plant. Those without any alarm in the period are not counted.")
    return Section(_("Operator positions"), how, headings, rows, _("None in this period."))
