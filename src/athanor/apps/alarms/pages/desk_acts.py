"""What an operator does with alarms: at once with one, after a confirmation with several, with a reason if needed."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.pages.desk_list import Act
from athanor.apps.alarms.services.desk_list import View, is_unacknowledged, view_of
from athanor.apps.alarms.services.desk_shelving import lengths_for
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.operating import Acted, Refusal, Why
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.web import severity
from athanor.web.components import Dialog, Words, button, region
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_LATCHED = frozenset({State.LTUNK, State.LTACK})
_LONGEST_REASON = 400
_MOST_REASONS = 3  # told at once
Done = Callable[[], Awaitable[None]]


def acts_of(view: View, viewer: User) -> list[Act]:
    """What the viewer can do with alarms of one list."""
    if not viewer.may("alarms.operate"):
        return []
    may_maintain = viewer.may("alarms.maintain")
    if view is View.SHELVED:
        return [Act("back", _("Take off the shelf"), "unarchive", "u")]
    if view is View.OUT_OF_SERVICE:
        return [Act("back", _("Return to service"), "build_circle", "u")] if may_maintain else []
    acts = [Act("acknowledge", _("Acknowledge"), "check", "a"), Act("shelve", _("Shelve"), "inventory_2", "s")]
    if view is View.STANDING:
        acts.append(Act("reset", _("Reset"), "restart_alt", "r"))
    if view is View.SUPPRESSED:
        acts = []
    return [*acts, Act("remove", _("Out of service"), "build", "o")] if may_maintain else acts


class Acts:
    """Does it, for one viewer on one page.

    Parameters
    ----------
    done
        Called once something was done.
    """

    def __init__(self, alarms: Alarms, viewer: User, address: str, done: Done) -> None:
        self._alarms, self._viewer, self._address, self._done = alarms, viewer, address, done
        self._dialog = Dialog()

    async def do(self, what: str, picked: Sequence[StandingAlarm]) -> None:
        """One of the acts that `acts_of` offers, with these; those that it does not concern are left out."""
        concerned = [alarm for alarm in picked if concerns(what, alarm)]
        if not concerned:
            ui.notify(_("None of the chosen alarms needs this."))
            return
        if what == "acknowledge":
            await self._acknowledge(concerned)
        elif what == "shelve":
            self._ask_shelving(concerned)
        elif what == "remove":
            self._ask_removal(concerned)
        elif what in ("reset", "back") and len(concerned) == 1:
            await self._without_reason(what, concerned)
        elif what in ("reset", "back"):
            self._confirm(_("Reset") if what == "reset" else _("Bring back"), concerned,
                          lambda: self._without_reason(what, concerned))  # fmt: skip

    async def _acknowledge(self, alarms: Sequence[StandingAlarm]) -> None:
        async def acknowledge() -> None:
            await self._run(self._alarms.acknowledge(self._viewer, _ids(alarms), address=self._address))

        if len(alarms) == 1:
            await acknowledge()
        else:
            self._confirm(_("Acknowledge"), alarms, acknowledge, note=_("This cannot be taken back."))

    async def _without_reason(self, what: str, alarms: Sequence[StandingAlarm]) -> None:
        ids = _ids(alarms)
        if what == "reset":
            await self._run(self._alarms.reset(self._viewer, ids, address=self._address))
            return
        shelved = [alarm.id for alarm in alarms if view_of(alarm) is View.SHELVED]
        removed = [alarm.id for alarm in alarms if view_of(alarm) is View.OUT_OF_SERVICE]
        if shelved:
            await self._run(self._alarms.unshelve(self._viewer, shelved, address=self._address))
        if removed:
            await self._run(self._alarms.return_to_service(self._viewer, removed, address=self._address))

    async def _run(self, work: Awaitable[Acted]) -> bool:
        """Whether it was done; what is refused is told and changes nothing."""
        try:
            acted = await work
        except AthanorError as error:
            ui.notify(str(error), type="negative", timeout=10_000)
            return False
        self._tell(acted)
        await self._done()
        return True

    def _tell(self, acted: Acted) -> None:
        """What was not done, and why: who was quicker, what is still active …"""
        counts = Counter(_why(refusal) for refusal in acted.refused.values())
        for text, count in counts.most_common(_MOST_REASONS):
            many = _("{n} alarms: {why}").format(n=number(count), why=text)
            ui.notify(many if count > 1 else text, timeout=8_000)

    # ---- dialogs

    def _confirm(
        self, title: str, alarms: Sequence[StandingAlarm], does: Callable[[], Awaitable[None]], *, note: str = ""
    ) -> None:
        async def go() -> None:
            self._dialog.close()
            await does()

        with self._dialog.filling(_("{what}: {n} alarms").format(what=title, n=number(len(alarms)))):
            _counted(alarms)
            if note:
                Words(note, "p", "ath-desk-note")
            self._foot(title, go)

    def _ask_shelving(self, alarms: Sequence[StandingAlarm]) -> None:
        lengths = lengths_for(self._viewer, alarms)
        form = _Reasoned(lengths[0] if lengths else None)

        async def go() -> None:
            if form.length is None or not form.check():
                return
            work = self._alarms.shelve(self._viewer, _ids(alarms), form.length, form.reason, address=self._address)
            if await self._run(work):
                self._dialog.close()

        with self._dialog.filling(_title(_("Shelve"), alarms)):
            if not lengths:
                Words(_("Your role may not shelve alarms of this priority."), "p", "ath-desk-note")
                return
            _counted(alarms)
            Words(_("It comes back by itself after this time, and is judged meanwhile."), "p", "ath-desk-note")
            form.draw_lengths(lengths)
            form.draw_reason()
            self._foot(_("Shelve"), go)

    def _ask_removal(self, alarms: Sequence[StandingAlarm]) -> None:
        form = _Reasoned(None)

        async def go() -> None:
            if form.check() and await self._run(
                self._alarms.remove_from_service(self._viewer, _ids(alarms), form.reason, address=self._address)
            ):
                self._dialog.close()

        with self._dialog.filling(_title(_("Out of service"), alarms)):
            _counted(alarms)
            Words(_("Nobody is told of it until it is returned to service."), "p", "ath-desk-note")
            form.draw_reason()
            self._foot(_("Take out of service"), go)

    def _foot(self, text: str, go: Callable[[], Awaitable[None]]) -> None:
        with region("ath-dialog-foot"):
            button(_("Cancel"), self._dialog.close)
            button(text, go, classes="is-main").props["autofocus"] = True


class _Reasoned:
    """For how long, and why."""

    def __init__(self, length: timedelta | None) -> None:
        self.length = length
        self.reason = ""

    def draw_lengths(self, lengths: Sequence[timedelta]) -> None:
        with region("ath-chips", "div", role="radiogroup", aria_label=_("For how long")):
            chips = {length: button(wording.span(length), lambda one=length: choose(one)) for length in lengths}

        def choose(length: timedelta) -> None:
            self.length = length
            for one, chip in chips.items():
                chip.props["role"], chip.props["aria-checked"] = "radio", str(one == length).lower()
                chip.classes(add="is-chosen") if one == length else chip.classes(remove="is-chosen")
                chip.update()

        choose(lengths[0])

    def draw_reason(self) -> None:
        with region("ath-desk-reason", "label"):
            Words(_("Reason"))
            self._field = region("", "input", type="text", name="reason", maxlength=str(_LONGEST_REASON))
            self._field.props["autocomplete"] = "off"
        self._field.on("input", self._typed, js_handler="(event) => emit(event.target.value)")
        self._fault = Words("", "p", "is-urgent")

    def check(self) -> bool:
        """Whether a reason is given; says so where none is."""
        self.reason = self.reason.strip()
        self._fault.text = "" if self.reason else _("Say why: whoever comes next has to know.")
        return bool(self.reason)

    def _typed(self, event: GenericEventArguments) -> None:
        self.reason = str(event.args)[:_LONGEST_REASON]


def _why(refusal: Refusal) -> str:
    by = refusal.by or ""
    return {
        Why.UNKNOWN: _("It is not there, or not yours to act upon."),
        Why.ALREADY: _("{who} was first.").format(who=by),
        Why.NOTHING: _("There is nothing of it to do this to."),
        Why.HIDDEN: _("It is shelved, suppressed or out of service."),
        Why.STILL_ACTIVE: _("It is still active; reset it once it is back to normal."),
        Why.NOT_ACKNOWLEDGED: _("Acknowledge it before you reset it."),
        Why.SAFETY: _("A safety alarm is shelved only by who may take alarms out of service."),
        Why.TOO_LONG: _("Your role may not shelve it for so long."),
        Why.NOT_JUDGED: _("Its rule or its place is gone."),
    }[refusal.why]


def concerns(what: str, alarm: StandingAlarm) -> bool:
    """Whether an act has a meaning for an alarm as it stands."""
    match what:
        case "acknowledge":
            return is_unacknowledged(alarm)
        case "reset":
            return alarm.state in _LATCHED
        case "shelve":
            return view_of(alarm) is View.STANDING
        case "remove":
            return view_of(alarm) is not View.OUT_OF_SERVICE
        case "back":
            return view_of(alarm) in (View.SHELVED, View.OUT_OF_SERVICE)
    return False


def _ids(alarms: Sequence[StandingAlarm]) -> list[int]:
    return [alarm.id for alarm in alarms]


def _title(what: str, alarms: Sequence[StandingAlarm]) -> str:
    if len(alarms) == 1:
        return f"{what}: {text_of(alarms[0].name)}"
    return _("{what}: {n} alarms").format(what=what, n=number(len(alarms)))


def _counted(alarms: Sequence[StandingAlarm]) -> None:
    """How many of which priority."""
    if len(alarms) == 1:
        return
    counts, names = Counter(alarm.priority for alarm in alarms), severity.priorities()
    with region("ath-desk-counted", "ul"):
        for priority in sorted(counts):
            with region(tag="li"):
                Words(str(priority), "span", f"ath-prio is-p{priority}")
                Words(_("{n} of priority {name}").format(n=number(counts[priority]), name=names[priority]))
