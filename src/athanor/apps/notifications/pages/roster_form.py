"""Writing a roster: its shifts, its cycle of days, its teams, and what differs on some days."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from fastapi import Request
from nicegui import ui

from athanor.apps.notifications.pages.chips import Chips
from athanor.apps.notifications.pages.fields import clock, count, pair
from athanor.apps.notifications.pages.wording import enterprise, zone_of
from athanor.apps.notifications.services.duty import names_of
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify.books import RosterView, checked_roster
from athanor.kernel.notify.roster import PATTERNS
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Words,
    bare_choice,
    button,
    choice,
    empty_state,
    link,
    page_title,
    region,
    text_field,
)
from athanor.web.language import _, text_of

_HOME = "/notifications/rosters"
_PARK = ""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST = "four-teams-three-shifts"

Part = dict[str, Any]


async def new_roster(notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, request: Request) -> None:
    """A new one, from a usual pattern."""
    address = request.client.host if request.client else ""
    said = _of_pattern(_FIRST, datetime.now(zone_of(plant)).date())
    said["name"] = {"en": "Duty roster", "zh_CN": "值班表"}
    await _Editor(notify, identity, plant, viewer, address, None, said).draw()


async def change_roster(
    roster_id: int, notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, request: Request
) -> None:
    """One that there is."""
    try:
        found = await notify.rosters.get(viewer, roster_id)
    except NotFoundError:
        page_title(_("Duty rosters"))
        empty_state(_("There is no such roster"), glyph="search_off", action=(_("All rosters"), _HOME), is_missing=True)
        return
    address = request.client.host if request.client else ""
    said = found.roster.model_dump(mode="json")
    await _Editor(notify, identity, plant, viewer, address, found, said).draw()


class _Editor:
    def __init__(
        self, notify: Notify, identity: Identity, plant: RunningPlant, viewer: User, address: str,
        found: RosterView | None, said: Part,
    ) -> None:  # fmt: skip
        self._notify, self._identity, self._plant = notify, identity, plant
        self._viewer, self._address, self._found, self._said = viewer, address, found, said
        self._tenant = found.tenant if found else viewer.tenant
        self._names: dict[str, str] = {}

    async def draw(self) -> None:
        title = _("Add a roster") if self._found is None else text_of(self._found.roster.name)
        with page_title(title):
            region("ath-space")
            back = _HOME if self._found is None else f"{_HOME}/{self._found.id}"
            with region("ath-entry-actions"):
                link(_("Cancel"), back, "ath-button")
                button(_("Save"), self._save, classes="is-main")
        self._trouble = Words("", "p", "ath-correct-trouble")
        self._trouble.props["role"] = "alert"
        self._names = await names_of(self._identity, self._tenant)
        self._body = region("ath-editor")
        self._redraw()

    def _redraw(self) -> None:
        self._body.clear()
        said = self._said
        with self._body:
            with self._card(_("Roster")):
                pair(_("Name"), said["name"], self._put("name"), name="name")
                with region("ath-fields-row"):
                    if self._found is None and self._viewer.tenant is None:
                        tenants = {_PARK: _("The park")}
                        tenants |= {key: enterprise(self._plant, key) for key in self._plant.model.tenants}
                        choice(_("Enterprise"), tenants, self._tenant or _PARK, self._of_tenant, name="tenant")
                    patterns = {"": _("as below")} | {key: text_of(dict(one.name)) for key, one in PATTERNS.items()}
                    choice(_("Begin with a usual pattern"), patterns, "", self._take_pattern, name="pattern")
                    self._day(_("First day of the cycle"), said["begins_on"], self._put("begins_on"), "begins-on")
            with self._card(_("Shifts")):
                for number, shift in enumerate(said["shifts"]):
                    self._shift(number, shift)
                button(_("Add a shift"), self._add_shift, glyph="add")
            with self._card(_("Cycle")):
                Words(_("What a team does on each day; after the last day it begins again."), "p", "ath-note")
                self._cycle()
            with self._card(_("Teams")):
                for number, team in enumerate(said["teams"]):
                    self._team(number, team)
                button(_("Add a team"), self._add_team, glyph="add")
            with self._card(_("Leave and swaps")):
                for number, change in enumerate(said["changes"]):
                    self._change(number, change)
                button(_("Add leave or a swap"), self._add_change, glyph="add")

    def _card(self, title: str) -> ui.element:
        with region("ath-card", "section", aria_label=title):
            with region("ath-card-head"):
                Words(title, "h2")
            with region("ath-card-body"):
                return region("ath-fields")

    # ---- parts

    def _shift(self, number: int, shift: Part) -> None:
        with region("ath-part"):
            for language, tongue in (("en", "English"), ("zh_CN", "中文")):
                text_field(f"{_('Name')} · {tongue}", shift["name"].get(language, ""),
                           _into(shift["name"], language), name=f"shift-{language}")  # fmt: skip
            clock(_("From"), shift["from_minute"], _into(shift, "from_minute"), name="shift-from")
            count(_("Hours"), shift["minutes"] // 60, _into(shift, "minutes", lambda hours: hours * 60),
                  name="shift-hours", least=1)  # fmt: skip
            if len(self._said["shifts"]) > 1:
                self._cross(lambda: self._drop_shift(number))

    def _cycle(self) -> None:
        cycle = self._said["cycle"]
        options = {one["id"]: text_of(one["name"]) for one in self._said["shifts"]} | {"-": _("off duty")}
        with region("ath-cycle"):
            for number, shift in enumerate(cycle):
                with region("", "label"):
                    Words(str(number + 1))
                    bare_choice(_("Day {n}").format(n=number + 1), options, shift or "-", self._cycle_put(number),
                                name=f"cycle-{number}")  # fmt: skip
            with region("ath-cycle-acts"):
                button(_("One day more"), self._longer, glyph="add", classes="is-icon")
                if len(cycle) > 1:
                    button(_("One day less"), self._shorter, glyph="remove", classes="is-icon")

    def _team(self, number: int, team: Part) -> None:
        with region("ath-part"):
            text_field(_("Team"), team["name"], _into(team, "name"), name="team")
            count(_("Day of the cycle on the first day"), team["offset"] + 1,
                  _into(team, "offset", lambda day: max(0, day - 1)), name="team-offset", least=1)  # fmt: skip
            Chips(_("People"), team["members"], self._names, lambda: None, name="member", add=_("Add a person …"))
            if len(self._said["teams"]) > 1:
                self._cross(lambda: self._drop("teams", number))

    def _change(self, number: int, change: Part) -> None:
        people = {"": _("nobody")} | self._names
        shifts = {"": _("all shifts")} | {one["id"]: text_of(one["name"]) for one in self._said["shifts"]}
        with region("ath-part"):
            self._day(_("From"), change["first"], _into(change, "first"), "change-first")
            self._day(_("To"), change["last"], _into(change, "last"), "change-last")
            choice(_("Which shift"), shifts, change["shift"] or "", _into(change, "shift", lambda one: one or None),
                   name="change-shift")  # fmt: skip
            choice(_("Away"), self._with(people, change["out"]), change["out"], _into(change, "out"), name="change-out")
            choice(_("Stands in"), self._with(people, change["into"]), change["into"], _into(change, "into"),
                   name="change-into")  # fmt: skip
            text_field(_("Reason"), change["reason"], _into(change, "reason"), name="change-reason")
            self._cross(lambda: self._drop("changes", number))

    @staticmethod
    def _with(people: dict[str, str], login: str) -> dict[str, str]:
        return people if login in people else people | {login: login}

    def _day(self, label: str, day: str, told: Callable[[str], None], name: str) -> None:
        with region(tag="label"):
            Words(label)
            box = region("", "input", type="date", name=name)
            box.props["defaultValue"] = day
        box.on("change", lambda event: told(str(event.args)), js_handler="(event) => emit(event.target.value)")

    def _cross(self, drop: Callable[[], None]) -> None:
        button(_("Take out"), drop, glyph="delete", classes="is-icon is-plain")

    # ---- changing

    def _put(self, key: str) -> Callable[[Any], None]:
        return _into(self._said, key)

    def _cycle_put(self, number: int) -> Callable[[str], None]:
        def put(shift: str) -> None:
            self._said["cycle"][number] = "" if shift == "-" else shift

        return put

    async def _of_tenant(self, tenant: str) -> None:
        self._tenant = tenant or None
        self._names = await names_of(self._identity, self._tenant)
        self._redraw()

    def _take_pattern(self, key: str) -> None:
        if key not in PATTERNS:
            return
        said = self._said
        members = [team["members"] for team in said["teams"]]
        taken = _of_pattern(key, date.fromisoformat(said["begins_on"]))
        for team, people in zip(taken["teams"], members, strict=False):
            team["members"] = people
        said |= {name: taken[name] for name in ("shifts", "cycle", "teams")}
        said["changes"] = [one | {"shift": None} for one in said["changes"]]
        self._redraw()

    def _add_shift(self) -> None:
        used = {one["id"] for one in self._said["shifts"]}
        key = next(f"shift-{n}" for n in range(1, 100) if f"shift-{n}" not in used)
        self._said["shifts"].append({"id": key, "name": {"en": "Shift", "zh_CN": "班次"}, "from_minute": 480,
                                     "minutes": 480})  # fmt: skip
        self._redraw()

    def _drop_shift(self, number: int) -> None:
        gone = self._said["shifts"].pop(number)["id"]
        self._said["cycle"] = ["" if one == gone else one for one in self._said["cycle"]]
        for change in self._said["changes"]:
            change["shift"] = None if change["shift"] == gone else change["shift"]
        self._redraw()

    def _longer(self) -> None:
        self._said["cycle"].append("")
        self._redraw()

    def _shorter(self) -> None:
        self._said["cycle"].pop()
        self._redraw()

    def _add_team(self) -> None:
        used = {one["name"] for one in self._said["teams"]}
        name = next((one for one in _LETTERS if one not in used), str(len(used) + 1))
        self._said["teams"].append({"name": name, "members": [], "offset": 0})
        self._redraw()

    def _add_change(self) -> None:
        today = datetime.now(zone_of(self._plant)).date().isoformat()
        change = {"first": today, "last": today, "shift": None, "out": "", "into": "", "reason": ""}
        self._said["changes"].append(change)
        self._redraw()

    def _drop(self, part: str, number: int) -> None:
        del self._said[part][number]
        self._redraw()

    async def _save(self) -> None:
        try:
            roster = checked_roster(self._said)
            if self._found is None:
                number = await self._notify.rosters.add(
                    self._viewer, roster, tenant=self._tenant, address=self._address
                )
            else:
                number = self._found.id
                await self._notify.rosters.save(
                    self._viewer, number, roster, self._found.revision, address=self._address
                )
        except AthanorError as error:
            self._trouble.text = str(error)
            return
        ui.navigate.to(f"{_HOME}/{number}")


def _into(part: Part, key: str, read: Callable[[Any], Any] = lambda value: value) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        part[key] = read(value)

    return put


def _of_pattern(key: str, begins_on: date) -> Part:
    pattern = PATTERNS[key]
    return {
        "name": {},
        "shifts": [one.model_dump(mode="json") for one in pattern.shifts],
        "cycle": list(pattern.cycle),
        "teams": [
            {"name": _LETTERS[number], "members": [], "offset": offset} for number, offset in enumerate(pattern.offsets)
        ],
        "begins_on": begins_on.isoformat(),
        "changes": [],
    }
