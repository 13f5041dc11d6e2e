"""Adding and changing a schedule."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.operations.pages.forms import Said, choice, field, form, long_field
from athanor.apps.operations.pages.tabs import is_turned_away
from athanor.apps.operations.pages.wording import catch_up_texts, kind_text, when
from athanor.apps.operations.services.wishes import arguments_of
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.kinds import CatchUp
from athanor.kernel.jobs.schedules import Plan, Schedule
from athanor.kernel.jobs.service import JobRuns
from athanor.kernel.jobs.times import BadScheduleError
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, button, empty_state, page_title, region
from athanor.web.formatting import date_time
from athanor.web.language import _

_HOME = "/operations/schedules"
_SHOWN = 3  # next runs
_MINUTE = 60


async def new_schedule(plant: RunningPlant, runs: JobRuns, viewer: User, request: Request) -> None:
    """A form for a new one."""
    page_title(_("Add a schedule"))
    if is_turned_away(viewer):
        return

    async def send(said: Said) -> None:
        await runs.schedules.add(_plan(said), viewer.login, address=_address(request))
        ui.navigate.to(_HOME)

    kinds = sorted(kind.name for kind in runs.kinds)
    _fields(Plan("", kinds[0] if kinds else "", cron="15 3 * * *"), runs, plant, send, _("Add it"))


async def schedule(schedule_id: int, plant: RunningPlant, runs: JobRuns, viewer: User, request: Request) -> None:
    """One that there is: change, pause, run now, remove."""
    with page_title(_("Schedule")):
        region("ath-space")
        actions = region("ath-actions")
    if is_turned_away(viewer):
        return
    found = next((one for one in await runs.schedules.all() if one.id == schedule_id), None)
    if found is None:
        empty_state(
            _("There is no such schedule"), glyph="search_off", action=(_("To the schedules"), _HOME), is_missing=True
        )
        return
    with actions:
        _actions(found, runs, viewer, _address(request))

    async def send(said: Said) -> None:
        await runs.schedules.change(found.id, _plan(said), viewer.login, address=_address(request))
        ui.navigate.to(_HOME)

    _fields(found.plan, runs, plant, send, _("Save"))


def _fields(plan: Plan, runs: JobRuns, plant: RunningPlant, send: object, label: str) -> None:
    zone = plant.model.timezone
    kinds = {kind.name: kind_text(kind.name, runs.kinds) for kind in sorted(runs.kinds, key=lambda one: one.name)}
    with region("ath-card", "section"):
        with region("ath-card-head"):
            preview = _Preview(runs, plan, zone)
        body = region("ath-card-body")
    with body:
        with form(send, label, back=_HOME):  # type: ignore[arg-type]
            field(_("Name"), "name", plan.name, maxlength="200")
            choice(_("Job"), "kind", {plan.kind: plan.kind} | kinds if plan.kind else kinds, plan.kind)
            with region("ath-fields-row"):
                cron = field(
                    _("Cron expression"), "cron", plan.cron or "", maxlength="200",
                    note=_("Minute, hour, day of the month, month, day of the week: 15 3 * * * is every day at 03:15."),
                )  # fmt: skip
                every = field(
                    _("or an interval in minutes"), "every", _minutes(plan.every_s), type="number", min="1", step="any",
                    note=_("Leave one of both empty."),
                )  # fmt: skip
            with region("ath-fields-row"):
                label_of_zone = _("Time zone, {zone} where left empty").format(zone=zone)
                timezone = field(label_of_zone, "timezone", plan.timezone or "", placeholder=zone, maxlength="100")
                choice(_("Runs that were missed"), "catch_up", catch_up_texts(), str(plan.catch_up))
                choice(_("State"), "is_on", {"yes": _("on"), "no": _("paused")}, "yes" if plan.is_on else "no")
            text = json.dumps(dict(plan.arguments), ensure_ascii=False) if plan.arguments else ""
            note = _('JSON, such as {"days": 90}; nothing where it needs none.')
            long_field(_("Arguments"), "arguments", text, note=note)
        for name, element in (("cron", cron), ("every", every), ("timezone", timezone)):
            element.on("input", lambda event, name=name: preview.typed(name, str(event.args)), js_handler=_VALUE)


_VALUE = "(event) => emit(event.target.value)"


class _Preview:
    """What is typed, in plain words, and when that would be."""

    def __init__(self, runs: JobRuns, plan: Plan, zone: str) -> None:
        self._runs, self._zone = runs, ZoneInfo(zone)
        self._said = {"cron": plan.cron or "", "every": _minutes(plan.every_s), "timezone": plan.timezone or ""}
        self._words = Words("", "p")
        self._words.props["aria-live"] = "polite"
        self._show()

    def typed(self, name: str, text: str) -> None:
        """This has changed."""
        self._said[name] = text[:200]
        self._show()

    def _show(self) -> None:
        try:
            plan = _plan({"name": "", "kind": "", "catch_up": "once", "is_on": "yes", "arguments": "", **self._said})
            now = datetime.now(UTC)
            times = self._runs.schedules.times(plan, now)
            moments = [times.after(now)]
            while len(moments) < _SHOWN:
                moments.append(times.after(moments[-1]))
        except BadScheduleError as error:
            self._words.text = str(error)
            return
        shown = _(", ").join(date_time(moment, self._zone) for moment in moments)
        self._words.text = _("{when}. The next runs: {moments}.").format(when=when(plan), moments=shown)


def _plan(said: Said) -> Plan:
    """Raises BadScheduleError, BadArgumentsTextError."""
    return Plan(
        said["name"],
        said["kind"],
        cron=said["cron"].strip() or None,
        every_s=_seconds(said["every"]),
        timezone=said["timezone"].strip() or None,
        catch_up=CatchUp(said["catch_up"]),
        is_on=said["is_on"] == "yes",
        arguments=arguments_of(said["arguments"]),
    )


def _seconds(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return round(float(text) * _MINUTE)
    except (ValueError, OverflowError) as error:
        raise BadScheduleError(f"{text[:40]!r} is no number of minutes.") from error


def _minutes(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds / _MINUTE:g}"


def _actions(found: Schedule, runs: JobRuns, viewer: User, address: str) -> None:
    async def turn() -> None:
        await runs.schedules.turn(found.id, viewer.login, is_on=not found.plan.is_on, address=address)
        ui.navigate.to(f"{_HOME}/{found.id}")

    async def run_it() -> None:
        title = found.plan.name
        run_id = await runs.begin(found.plan.kind, viewer, found.plan.arguments, title=title, address=address)
        ui.navigate.to(f"/operations/jobs/{run_id}")

    async def remove() -> None:
        await runs.schedules.remove(found.id, viewer.login, address=address)
        ui.navigate.to(_HOME)

    dialog = Dialog()

    def ask() -> None:
        with dialog.filling(_("Remove this schedule?")):
            Words(_("Its runs stay in the history."), "p")
            with region("ath-dialog-foot"):
                button(_("Keep it"), dialog.close)
                button(_("Remove it"), remove, classes="is-danger")

    button(_("Run now"), run_it, glyph="play_arrow")
    button(_("Pause") if found.plan.is_on else _("Go on"), turn, glyph="pause" if found.plan.is_on else "play_circle")
    if not found.is_declared:
        button(_("Remove the schedule…"), ask, glyph="delete")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
