"""The tables of the page on performance: each a card, with how its figures were computed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nicegui import ui

from athanor.apps.alarms.domain.kpis import Figure
from athanor.apps.alarms.domain.ranking import CRITICAL_MOST, HIGH_GOAL, LOW_GOAL, MEDIUM_GOAL
from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.services.performance import Figures, Learned, Listed
from athanor.apps.alarms.services.performance_counted import ACKNOWLEDGED, RETURNED
from athanor.apps.alarms.services.performance_names import Named
from athanor.apps.alarms.services.performance_record import Wish
from athanor.apps.alarms.services.performance_wording import (
    VERDICT_MARKS,
    VERDICT_STATES,
    address_of,
    alarm_text,
    figure_texts,
    goal_text,
    how_texts,
    level_texts,
    node_text,
    place_text,
    seconds,
    spread_texts,
    value_text,
    verdict_texts,
)
from athanor.kernel.historian.port import moment
from athanor.kernel.plant.model import Plant
from athanor.web.components import Cell, Column, Words, data_table, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration, number, percent
from athanor.web.language import _

Names = Mapping[int, Named]


@contextmanager
def card(title: str, how: str) -> Iterator[None]:
    """A card whose table or drawing is built within the block; `how` says where its figures come from."""
    with region("ath-card", "section", aria_label=title):
        yield
        with region("ath-card-body"):
            Words(how, "p", "ath-note")


def kpi_table(found: Figures) -> None:
    """Every figure against its target and maximum."""
    texts, how, verdicts, wish = figure_texts(), how_texts(), verdict_texts(), found.record.wish
    rows: list[Row] = [
        {
            "figure": Cell(texts[one.figure], note=how[one.figure]),
            "value": Cell(
                value_text(one), state=VERDICT_STATES.get(one.verdict, ""), address=address_of(wish, one.figure)
            ),
            "target": goal_text(one.goal, one.goal.target),
            "most": goal_text(one.goal, one.goal.most),
            "verdict": Cell(
                verdicts[one.verdict],
                state=VERDICT_STATES.get(one.verdict, ""),
                mark=VERDICT_MARKS.get(one.verdict, ""),
            ),
        }
        for one in found.kpis
    ]
    columns = [
        Column("figure", _("Figure"), is_wide=True, is_sortable=False),
        Column("value", _("Value"), is_number=True, is_sortable=False),
        Column("target", _("Target"), is_number=True, is_sortable=False),
        Column("most", _("Maximum"), is_number=True, is_sortable=False),
        Column("verdict", _("Verdict"), is_sortable=False),
    ]
    how_all = _(
        "After ISA-18.2 and EEMUA 191, for one operator position. With several positions, rates and shares are their "
        "mean, peaks and stale alarms those of the worst. Press a value to see the occurrences that it counts."
    )
    with card(_("Against the standard"), how_all):
        table(rows, columns, _("Against the standard"), "alarm-performance")


def floods(found: Figures, names: Names) -> None:
    """The largest floods, with what came first in each."""
    record = found.record
    rows: list[Row] = []
    for one in found.floods:
        begin, end = moment(one.begin_us), moment(one.end_us)
        largest = one.groups[0] if one.groups else None
        cause = NOTHING if largest is None else alarm_text(names.get(largest.first))
        grouped = _("{n} alarms of {m} causes").format(n=sum(len(g.alarms) for g in one.groups), m=len(one.groups))
        first = names.get(one.first_alarm)
        rows.append(
            {
                "when": Cell(
                    date_time(begin, record.zone),
                    sort=float(one.begin_us),
                    address=address_of(record.wish, span=(moment(one.begin_us - 600_000_000), end)),
                ),
                "length": Cell(duration((one.end_us - one.begin_us) / 1e6), sort=float(one.end_us - one.begin_us)),
                "alarms": Cell(number(one.alarms), sort=one.alarms),
                "peak": Cell(number(one.peak), sort=one.peak),
                "first": Cell(alarm_text(first), note=place_text(first)),
                "cause": Cell(cause, note=grouped),
            }
        )
    columns = [
        Column("when", _("Began")),
        Column("length", _("Lasted"), is_number=True),
        Column("alarms", _("Alarms"), is_number=True),
        Column("peak", _("Most in 10 min"), is_number=True),
        Column("first", _("Came first"), is_wide=True, is_sortable=False),
        Column("cause", _("Largest group"), is_wide=True, is_sortable=False),
    ]
    how = _(
        "A flood begins with more than 10 alarms in 10 min and ends with fewer than 5. Alarms of one asset, and of "
        "assets below it, are one group, headed by the one that came first. {n} floods in all."
    ).format(n=number(len(found.all_floods)))
    with card(_("Floods"), how):
        table(rows, columns, _("Floods"), "alarm-floods", nothing=_("No flood in this period."))


def top_ten(found: Figures, names: Names) -> None:
    """The most frequent alarms."""
    top = found.top
    rows = [
        _alarm_row(found.record.wish, names, int(alarm), int(count), float(share), "")
        | {"running": Cell(percent(float(running)), sort=float(running))}
        for alarm, count, share, running in zip(top.alarm, top.count, top.share, top.running_share, strict=True)
    ]
    columns = [*_alarm_columns(), Column("running", _("Running total"), is_number=True)]
    with card(
        _("Ten most frequent alarms"), _("Of all announced alarms of the period. Start here: few make the most.")
    ):
        table(rows, columns, _("Ten most frequent alarms"), "alarm-top-ten")


def chattering(found: Figures, names: Names) -> None:
    """Alarms that chatter."""
    how = _(
        "Occurrences that are among three or more of one alarm within 60 s. Its rule shows which deadband and delays "
        "would have kept it quiet."
    )
    _nuisances(_("Chattering alarms"), how, found, names, found.chattering, Figure.CHATTERING)


def fleeting(found: Figures, names: Names) -> None:
    """Alarms that are over before anybody can act."""
    how = _("Occurrences that were back to normal within 15 s.")
    _nuisances(_("Fleeting alarms"), how, found, names, found.fleeting, Figure.FLEETING)


def _nuisances(title: str, how: str, found: Figures, names: Names, listed: Sequence[Listed], figure: Figure) -> None:
    wish = found.record.wish
    rows = [_alarm_row(wish, names, one.alarm, one.count, one.share, figure) for one in listed]
    with card(title, how):
        table(rows, _alarm_columns(), title, f"alarm-{figure}", nothing=_("None in this period."))


def stale(found: Figures, names: Names) -> None:
    """What stood for longer than a day."""
    record = found.record
    rows: list[Row] = [
        {
            "alarm": _alarm_cell(names.get(one.alarm), record.wish, one.alarm, Figure.STALE),
            "since": Cell(date_time(moment(one.raised_us), record.zone), sort=float(one.raised_us)),
            "stood": Cell(duration(one.stood_s), sort=one.stood_s),
            "state": _("still stands") if one.is_standing else _("is over"),
        }
        for one in found.stale
    ]
    columns = [
        Column("alarm", _("Alarm"), is_wide=True),
        Column("since", _("Raised")),
        Column("stood", _("Stood"), is_number=True),
        Column("state", _("State")),
    ]
    with card(_("Stale alarms"), _("Standing for more than 24 h within the period; the longest first.")):
        table(rows, columns, _("Stale alarms"), "alarm-stale", nothing=_("None in this period."))


def response_times(found: Figures, told: Spread) -> None:
    """From the source to everything that follows."""
    times, wish = found.response, found.record.wish
    lines = [
        (_("Detected"), times.detected, "", _("until Athanor raised it")),
        (_("Told"), told, "", _("until the first message left")),
        (_("Acknowledged"), times.acknowledged, ACKNOWLEDGED, _("until an operator did")),
        (_("Back to normal"), times.returned, RETURNED, _("until the condition was over")),
        (_("In alarm"), times.in_alarm, "", _("until it was over, or the period was")),
    ]
    rows: list[Row] = []
    for name, spread, figure, note in lines:
        median, p90, longest = spread_texts(spread)
        counted = Cell(number(spread.known), address=address_of(wish, figure) if name != _("Told") else "")
        rows.append({"what": Cell(name, note=note), "known": counted, "median": median, "p90": p90, "longest": longest})
    columns = [
        Column("what", _("From the source's time"), is_wide=True, is_sortable=False),
        Column("known", _("Known of"), is_number=True, is_sortable=False),
        Column("median", _("Median"), is_number=True, is_sortable=False),
        Column("p90", _("90 % within"), is_number=True, is_sortable=False),
        Column("longest", _("Longest"), is_number=True, is_sortable=False),
    ]
    with card(_("Response times"), _("Counted from the time stamp of the source; of what has happened so far.")):
        table(rows, columns, _("Response times"), "alarm-response")


def positions(found: Figures, plant: Plant) -> None:
    """How each operator position does."""
    wish, levels = found.record.wish, level_texts()
    rows: list[Row] = []
    for one in found.positions:
        values = one.values
        mine = Wish(wish.start, wish.end, wish.tenant, wish.area, one.path)
        flood = values[Figure.IN_FLOOD]
        rows.append(
            {
                "position": Cell(node_text(plant, one.path), note=one.path),
                "alarms": Cell(number(one.alarms), sort=one.alarms, address=address_of(mine)),
                "rate": Cell(number(values[Figure.PER_TEN_MINUTES], 2), sort=values[Figure.PER_TEN_MINUTES]),
                "peak": Cell(number(values[Figure.PEAK]), sort=values[Figure.PEAK]),
                "flood": Cell(percent(flood, 2), sort=flood),
                "level": levels[one.level],
            }
        )
    columns = [
        Column("position", _("Operator position"), is_wide=True),
        Column("alarms", _("Alarms"), is_number=True),
        Column("rate", _("In 10 min"), is_number=True),
        Column("peak", _("Most in 10 min"), is_number=True),
        Column("flood", _("In flood"), is_number=True),
        Column("level", _("Level")),
    ]
    how = _("An operator position is an area of the plant. Those without any alarm in the period are not counted.")
    with card(_("Operator positions"), how):
        table(rows, columns, _("Operator positions"), "alarm-positions")


def priorities(found: Figures, texts: Mapping[int, str]) -> None:
    """Shares of priorities against those that the standard calls for."""
    total = int(found.priorities.sum())
    goals = [f"{100 * goal:g} %" for goal in (CRITICAL_MOST, HIGH_GOAL, MEDIUM_GOAL, LOW_GOAL)]
    goals[0] = f"< {goals[0]}"
    with card(_("Priorities"), _("Of all announced alarms; ISA-18.2 calls for about 80 % low, 15 % medium, 5 % high.")):
        with region("ath-card-head"):
            Words(_("Priorities"), "h2")
        with region("ath-bars"):
            for place, count in enumerate(found.priorities.tolist()):
                share = count / total if total else 0.0
                Words(texts[place + 1])
                with region("bar", title=_("goal {share}").format(share=goals[place])):
                    region().style(f"width: {100 * share:.1f}%")
                Words(f"{number(count)} · {percent(share)} ({goals[place]})")


def sequences(known: Learned, names: Names) -> None:
    """What follows what."""
    rows: list[Row] = []
    for one in known.pairs[:100]:
        first, then = names.get(one.first), names.get(one.then)
        mark = _("one of the two is enough") if one.is_redundant else ""
        rows.append(
            {
                "first": Cell(alarm_text(first), note=place_text(first)),
                "then": Cell(alarm_text(then), note=" · ".join(filter(None, (place_text(then), mark)))),
                "times": Cell(number(one.times), sort=one.times),
                "sure": Cell(percent(one.confidence, 0), sort=one.confidence),
                "lift": Cell(number(one.lift, 0), sort=one.lift),
                "lag": Cell(seconds(one.lag_s), sort=one.lag_s),
            }
        )
    columns = [
        Column("first", _("When this comes"), is_wide=True),
        Column("then", _("this follows"), is_wide=True),
        Column("times", _("Times"), is_number=True),
        Column("sure", _("How often"), is_number=True),
        Column("lift", _("Times chance"), is_number=True),
        Column("lag", _("Time between"), is_number=True),
    ]
    how = _(
        "Within 5 min, of the 60 most frequent alarms: at least 5 times, after at least half of the occurrences of the "
        "first, and 3 times as often as by chance. An alarm that chatters counts once."
    )
    with card(_("What follows what"), how):
        table(rows, columns, _("What follows what"), "alarm-sequences", nothing=_("No such pairs in this period."))


def proposals(known: Learned, names: Names) -> None:
    """Groups that could be suppressed in floods."""
    rows: list[Row] = [
        {
            "leader": Cell(alarm_text(names.get(one.leader)), note=place_text(names.get(one.leader))),
            "followers": Cell(
                ", ".join(alarm_text(names.get(follower)) for follower in one.followers[:4]),
                note=_("{n} alarms").format(n=len(one.followers)),
            ),
            "times": Cell(number(one.times), sort=one.times),
            "saved": Cell(number(one.saved), sort=one.saved),
        }
        for one in known.proposals[:50]
    ]
    if not rows:
        return
    columns = [
        Column("leader", _("While this stands"), is_wide=True),
        Column("followers", _("these need not be announced"), is_wide=True, is_sortable=False),
        Column("times", _("Times"), is_number=True),
        Column("saved", _("Announcements saved"), is_number=True),
    ]
    how = _(
        "Alarms that follow in four of five cases and are of no higher priority. A proposal for people to judge; "
        "suppression by design is set up in the rule."
    )
    with card(_("Groups that could be suppressed"), how):
        table(rows, columns, _("Groups that could be suppressed"), "alarm-suppression")


def table(rows: Sequence[Row], columns: Sequence[Column], title: str, name: str, *, nothing: str = "") -> None:
    """A table of rows that are at hand."""
    made = data_table(
        rows, columns, caption=title, nothing=nothing, export_name=name, page_size=25, is_searchable=len(rows) > 25
    )
    ui.timer(0, made.refresh, once=True)


def _alarm_columns() -> list[Column]:
    return [
        Column("alarm", _("Alarm"), is_wide=True),
        Column("count", _("Occurrences"), is_number=True),
        Column("share", _("Share"), is_number=True),
        Column("rule", _("Rule"), is_sortable=False),
    ]


def _alarm_row(wish: Wish, names: Names, alarm: int, count: int, share: float, figure: str) -> dict[str, Cell | str]:
    named = names.get(alarm)
    return {
        "alarm": _alarm_cell(named, wish, alarm, figure),
        "count": Cell(number(count), sort=count, address=address_of(wish, figure, alarm)),
        "share": Cell(percent(share), sort=share),
        "rule": NOTHING if named is None else Cell(_("Rule"), address=f"/alarms/rules/{named.rule}"),
    }


def _alarm_cell(named: Named | None, wish: Wish, alarm: int, figure: str) -> Cell:
    return Cell(alarm_text(named), note=place_text(named), address=address_of(wish, figure, alarm))
