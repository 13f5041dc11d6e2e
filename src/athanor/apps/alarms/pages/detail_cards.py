"""The cards of an alarm's page: facts, life line, comments, earlier occurrences."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.services.desk_places import Place
from athanor.apps.alarms.services.detail import Detail
from athanor.kernel.alarms.history import Occurred
from athanor.web import severity
from athanor.web.components import Cell, Column, Words, button, data_table, link, region
from athanor.web.components.data_table import Row
from athanor.web.components.words import on_enter
from athanor.web.formatting import NOTHING, duration
from athanor.web.language import _, text_of

_LONGEST_COMMENT = 4000


def facts_card(detail: Detail, place: Place, zone: ZoneInfo, now: datetime) -> None:
    """What it is, where, how much, since when, and what is to be done."""
    standing, one = detail.standing, detail.occurrence
    with region("ath-card-head"):
        Words(_("What it is"), "h2")
    with region("ath-card-body"), region("ath-facts", "dl"):
        _fact(_("What"), f"{wording.what(place)}: {text_of(detail.rule.name)}")
        _fact(_("Where"), " › ".join(text_of(node.name) for node in place.way) or detail.path, note=detail.path)
        if detail.value is not None:
            _fact(_("Value"), wording.value(place, detail.value))
        if detail.limit is not None:
            _fact(_("Limit"), wording.value(place, detail.limit))
        if one is not None:
            _fact(_("Raised"), wording.moment(one.raised_at, zone, now), note=_lasted(one, now))
            if one.acknowledged_by:
                text = _("{who}, {time}").format(
                    who=one.acknowledged_by, time=wording.moment(one.acknowledged_at, zone, now)
                )
                _fact(_("Acknowledged"), text)
        _fact(_("Category"), severity.categories().get(detail.category, detail.category))
        if standing is not None and standing.hidden_by:
            until = standing.shelved_until
            text = standing.hidden_by
            if until is not None:
                text += " · " + _("until {time}").format(time=wording.moment(until, zone, now))
            _fact(_("Hidden by"), text, note=standing.hidden_reason)
        if detail.rule.consequence:
            _fact(_("If nobody acts"), text_of(detail.rule.consequence))
        if detail.rule.action:
            _fact(_("Operator's action"), text_of(detail.rule.action))
        left = detail.left_to_respond(now)
        if left is not None:
            _fact(_("Time left to act"), _left(left), classes="is-urgent" if left <= timedelta(0) else "")
        _fact(_("Rule"), detail.rule_key)


def _fact(title: str, text: str, *, note: str = "", classes: str = "") -> None:
    Words(title, "dt")
    with region(classes, "dd"):
        Words(text)
        if note:
            Words(note, "small", "ath-desk-note").style("display: block")


def _lasted(one: Occurred, now: datetime) -> str:
    if one.cleared_at is not None:
        length = duration((one.cleared_at - one.raised_at).total_seconds())
        return _("normal again after {length}").format(length=length)
    return _("for {length} now").format(length=duration((now - one.raised_at).total_seconds()))


def _left(left: timedelta) -> str:
    if left <= timedelta(0):
        return _("over since {length}").format(length=duration(-left.total_seconds()))
    return duration(left.total_seconds())


def life_line_card(detail: Detail, place: Place, zone: ZoneInfo, now: datetime) -> None:
    """Who did what when, and why; the newest first."""
    with region("ath-card-head"):
        Words(_("Life line"), "h2")
    if not detail.events:
        Words(_("Nothing has happened to it yet."), "p", "ath-card-body ath-desk-note")
        return
    events, states = wording.events(), wording.states()
    with region("ath-timeline", "ol"):
        for event in detail.events:
            with region(tag="li"):
                Words(events.get(event.what, event.what), "strong")
                when = wording.moment(event.at, zone, now)
                Words(f"{when} · {event.by}" if event.by else when, "small")
                value = "" if event.value is None else wording.value(place, event.value)
                shown = " · ".join(part for part in (states.get(event.to_state, event.to_state), value) if part)
                Words(shown, "p")
                if event.reason:
                    Words(event.reason, "p")


def comments_card(detail: Detail, zone: ZoneInfo, now: datetime, say: Callable[[str], Awaitable[bool]] | None) -> None:
    """What people wrote, and a line to write more."""
    with region("ath-card-head"):
        Words(_("Comments"), "h2")
    if say is not None:
        with region("ath-alarm-say"):
            field = region("", "input", type="text", name="comment", maxlength=str(_LONGEST_COMMENT))
            field.props["placeholder"] = field.props["aria-label"] = _("Write a comment")
            field.props["autocomplete"] = "off"
            on_enter(field, say)
            written = {"text": ""}
            field.on("input", lambda event: written.update(text=str(event.args)),
                     js_handler="(event) => emit(event.target.value)")  # fmt: skip
            button(_("Say"), lambda: say(written["text"]))
    elif not detail.comments:
        Words(_("No comments."), "p", "ath-card-body ath-desk-note")
    for comment in detail.comments:
        with region("ath-alarm-comment"):
            Words(comment.text)
            Words(f"{comment.by} · {wording.moment(comment.at, zone, now)}", "small")


def earlier_card(detail: Detail, place: Place, zone: ZoneInfo, now: datetime) -> None:
    """When it was raised otherwise."""
    if not detail.others:
        return
    columns = [
        Column("raised", _("Raised"), is_sortable=False),
        Column("lasted", _("Lasted"), is_number=True, is_sortable=False),
        Column("value", _("Value"), is_number=True, is_sortable=False),
        Column("acknowledged", _("Acknowledged by"), is_sortable=False),
    ]
    with region("ath-card", "section"):
        data_table(
            [_earlier(one, place, zone, now) for one in detail.others],
            columns,
            caption=_("Other occurrences"),
            page_size=25,
            is_searchable=False,
        )
        with region("ath-card-body"):
            link(_("All of them"), f"/alarms/history?alarm={detail.alarm}")


def _earlier(one: Occurred, place: Place, zone: ZoneInfo, now: datetime) -> Row:
    until = one.cleared_at or one.ended_at
    return {
        "raised": Cell(wording.moment(one.raised_at, zone, now), address=f"/alarms/occurrences/{one.id}"),
        "lasted": NOTHING if until is None else duration((until - one.raised_at).total_seconds()),
        "value": wording.value(place, one.value),
        "acknowledged": one.acknowledged_by or NOTHING,
    }
