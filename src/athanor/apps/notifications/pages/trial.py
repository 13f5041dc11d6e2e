"""Who would be told now, and by what: asked of all policies, the one that is being written among them."""

from nicegui import ui

from athanor.apps.notifications.pages.policy_parts import areas
from athanor.apps.notifications.pages.saying import fault_text
from athanor.apps.notifications.pages.who import Choices
from athanor.apps.notifications.pages.wording import channel_name, zone_of
from athanor.apps.notifications.services.telling import about_place
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.identity.user import User
from athanor.kernel.notify.preview import Line, PolicyFault
from athanor.kernel.notify.reading import InForce
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Choice, Status, Words, region, status
from athanor.web.formatting import date_time
from athanor.web.language import _, current_language
from athanor.web.severity import categories, priorities

_MOST = 60


class Trial:
    """The card beside a policy's form."""

    def __init__(self, notify: Notify, plant: RunningPlant, viewer: User) -> None:
        self._notify, self._plant, self._viewer, self._zone = notify, plant, viewer, zone_of(plant)
        self._draft: InForce | None = None
        self._choices: Choices | None = None
        places = {"": _("anywhere")} | areas(plant, viewer.tenant)
        with region("ath-card ath-policy-trial", "section", aria_label=_("Who would be told now")):
            with region("ath-card-head"):
                Words(_("Who would be told now"), "h2")
            with region("ath-toolbar"):
                self._priority = Choice(_("Priority"), {str(int(one)): text for one, text in priorities().items()},
                                        str(int(Priority.HIGH)), self._soon, name="trial-priority")  # fmt: skip
                self._category = Choice(_("Category"), {str(key): text for key, text in categories().items()},
                                        str(Category.PROCESS), self._soon, name="trial-category")  # fmt: skip
                self._place = Choice(_("Place"), places, next(iter(list(places)[1:]), ""), self._again,
                                     name="trial-place")  # fmt: skip
            self._body = region("ath-policy-lines", aria_live="polite")

    async def show(self, draft: InForce, choices: Choices) -> None:
        """Of this policy and the others; `choices` say what those are called whom it names."""
        self._draft, self._choices = draft, choices
        await self._again()

    def _soon(self) -> None:
        ui.timer(0, self._again, once=True)

    async def _again(self) -> None:
        if self._draft is None:
            return
        about = about_place(
            self._plant, self._viewer, "alarms.raised", int(self._priority.value), self._category.value,
            self._place.value,
        )  # fmt: skip
        found = await self._notify.previews.of(
            self._viewer, about, self._plant.model.timezone, current_language(), [self._draft]
        )
        self._body.clear()
        with self._body:
            mine = [line for line in found.lines if line.policy.id == self._draft.id]
            others = [line for line in found.lines if line.policy.id != self._draft.id]
            self._lines(_("By this policy"), mine)
            self._lines(_("By other policies"), others)
            faults = [fault for fault in found.faults if fault.policy.id == self._draft.id]
            if faults and self._choices is not None:
                self._faults(faults, self._choices)

    def _lines(self, title: str, lines: list[Line]) -> None:
        Words(title, "div", "ath-section")
        if not lines:
            with region("ath-rowed"):
                Words(_("nobody"), "span", "ath-note")
        for line in lines[:_MOST]:
            with region("ath-rowed"):
                if line.after_min:
                    Words(_("after {n} min").format(n=line.after_min), "small")
                Words(line.person or line.target.address or line.target.way.name, "span", "name")
                way = line.target.way
                address = line.target.address if line.target.address != line.target.login else ""
                Words(" ".join(filter(None, (channel_name(way.kind, way.name), address))), "small")
                if line.held_until is not None:
                    status(_("in a digest at {time}").format(time=date_time(line.held_until, self._zone)))
        if len(lines) > _MOST:
            Words(_("and {n} more").format(n=len(lines) - _MOST), "p", "ath-note ath-card-body")

    def _faults(self, faults: list[PolicyFault], choices: Choices) -> None:
        Words(_("What does not work"), "div", "ath-section")
        for one in faults[:_MOST]:
            with region("ath-rowed"):
                status(fault_text(one.fault, choices), Status.WARN)
