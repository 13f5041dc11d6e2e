"""One roster: its week as a calendar, with the gaps, on a desk and on a phone."""

from datetime import UTC, date, datetime, time, timedelta

from fastapi import Request
from nicegui import ui

from athanor.apps.notifications.pages.wording import day_text, enterprise, zone_of
from athanor.apps.notifications.services.duty import names_of
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify.books import RosterView
from athanor.kernel.notify.roster import Duty, Gap, duties, gaps
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Status,
    Words,
    button,
    empty_state,
    icon,
    link,
    page_title,
    region,
    status,
)
from athanor.web.formatting import clock_time, date_time
from athanor.web.language import _, text_of

_HOME = "/notifications/rosters"
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_LEAST_YEAR, _MOST_YEAR = 2000, 2200
_MOST_GAPS = 5


async def roster(
    roster_id: int, notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, request: Request
) -> None:
    """A week of it; the address says which."""
    try:
        found = await notify.rosters.get(viewer, roster_id)
    except NotFoundError:
        page_title(_("Duty rosters"))
        empty_state(_("There is no such roster"), glyph="search_off", action=(_("All rosters"), _HOME), is_missing=True)
        return
    address = request.client.host if request.client else ""
    names = await names_of(identity, found.tenant)
    monday = _monday(request.query_params.get("week", ""), datetime.now(zone_of(plant)).date())
    _Week(found, notify, viewer, plant, names, monday, address).draw()


class _Week:
    def __init__(
        self, found: RosterView, notify: Notify, viewer: User, plant: RunningPlant, names: dict[str, str],
        monday: date, address: str,
    ) -> None:  # fmt: skip
        self._found, self._notify, self._viewer, self._plant = found, notify, viewer, plant
        self._names, self._monday, self._address = names, monday, address
        self._zone = zone_of(plant)
        self._dialog = Dialog()

    def draw(self) -> None:
        found, home = self._found, f"{_HOME}/{self._found.id}"
        with page_title(text_of(found.roster.name), enterprise(self._plant, found.tenant)):
            region("ath-space")
            with region("ath-entry-actions"):
                link(_("All rosters"), _HOME, "ath-button")
                if self._viewer.may("notifications.configure"):
                    link(_("Change"), f"{home}/change", "ath-button is-main")
                    button(_("Take out of use…"), self._ask, glyph="delete")
        start, end = self._moment(self._monday), self._moment(self._monday + _WEEK)
        missing = gaps(found.roster, start, end, self._zone, self._names.__contains__)
        if missing:
            self._gaps(missing)
        with region("ath-card", "section", aria_label=_("The week")):
            with region("ath-toolbar"):
                link("‹", f"{home}?week={self._monday - _WEEK}", "ath-button").props["aria-label"] = _("Previous week")
                link(_("This week"), home, "ath-button")
                link("›", f"{home}?week={self._monday + _WEEK}", "ath-button").props["aria-label"] = _("Next week")
                Words(f"{self._monday} – {self._monday + _WEEK - _DAY}", "strong")
            self._calendar(duties(found.roster, self._monday, self._monday + _WEEK - _DAY, self._zone))

    def _calendar(self, shown: list[Duty]) -> None:
        now = datetime.now(UTC)
        today = now.astimezone(self._zone).date()
        with region("ath-week"):
            for offset in range(_WEEK.days):
                day = self._monday + offset * _DAY
                with region("ath-week-day" + (" is-today" if day == today else ""), "section"):
                    Words(day_text(day), "h3")
                    found = [duty for duty in shown if duty.day == day]
                    for duty in found:
                        self._duty(duty, is_now=duty.start <= now < duty.end)
                    if not found:
                        Words(_("nobody"), "p", "ath-note")

    def _duty(self, duty: Duty, *, is_now: bool) -> None:
        with region("ath-week-duty" + (" is-now" if is_now else "")):
            times = f"{clock_time(duty.start, self._zone)[:5]}–{clock_time(duty.end, self._zone)[:5]}"
            Words(f"{text_of(duty.shift.name)} · {times}", "small")
            if duty.team:
                Words(duty.team, "strong")
            there = [self._names[login] for login in duty.people if login in self._names]
            if there:
                Words(_(", ").join(there), "p")
            else:
                status(_("nobody"), Status.URGENT)
            for login in duty.people:
                if login not in self._names:
                    Words(_("{login} has left").format(login=login), "small")

    def _gaps(self, missing: list[Gap]) -> None:
        with region("ath-card ath-notice is-warn", role="status"):
            icon("event_busy")
            with region():
                Words(_("Nobody is on duty in this week at times"), "h2")
                for gap in missing[:_MOST_GAPS]:
                    Words(f"{date_time(gap.start, self._zone)} – {date_time(gap.end, self._zone)}", "p")
                if len(missing) > _MOST_GAPS:
                    Words(_("and {n} more").format(n=len(missing) - _MOST_GAPS), "p")

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)

    def _ask(self) -> None:
        async def retire() -> None:
            await self._notify.rosters.retire(self._viewer, self._found.id, address=self._address)
            ui.navigate.to(_HOME)

        with self._dialog.filling(_("Take this roster out of use?")):
            Words(_("Policies can no longer tell who is on duty by it."), "p")
            with region("ath-dialog-foot"):
                button(_("Keep it"), self._dialog.close)
                button(_("Take out of use"), retire, classes="is-danger")


def _monday(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if not _LEAST_YEAR <= day.year <= _MOST_YEAR:
        day = today
    return day - timedelta(days=day.weekday())
