"""The list's half on the server: what of it is in view goes to the browser, and then only what changed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.language import _

MOST_IN_VIEW = 400  # lines; what a browser says is not to be trusted
_MOST_NAMED = 20_000  # alarms that one action names

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done to chosen alarms; `key` does it too."""

    id: str
    text: str
    icon: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """Which alarms a person means: these, or all that are listed but `left`."""

    ids: Sequence[int]
    is_all: bool = False
    left: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """Which lines are in view."""

    first: int = 0
    count: int = 0


class AlarmList(ui.element, component="desk_list.js"):
    """The list. It asks for lines by `on_window`; the page answers with `show`."""

    def __init__(
        self,
        *,
        may_act: bool,
        on_window: Callable[[], Awaitable[None]],
        on_act: Callable[[str, Picked], Awaitable[None]],
        on_toggle: Callable[[str], Awaitable[None]],
        on_open: Callable[[int], None],
        on_shown: Callable[[Sequence[int]], None],
    ) -> None:
        super().__init__()
        self.window = Window()
        self._on_window, self._on_act, self._on_toggle = on_window, on_act, on_toggle
        self._on_open, self._on_shown = on_open, on_shown
        self._shown: list[Row] = []
        self._shown_first, self._total, self._alarms = -1, 0, 0
        self.props["texts"] = _texts()
        self.props["may-act"] = may_act
        self.props["acts"] = []
        for name, handler in (
            ("window", self._looked),
            ("act", self._acted),
            ("toggle", self._toggled),
            ("open", self._opened),
            ("shown", self._seen),
        ):
            self.on(name, handler)

    def offer(self, acts: Sequence[Act]) -> None:
        """What can be done with the alarms that are listed."""
        offered = [{"id": act.id, "text": act.text, "icon": act.icon, "key": act.key} for act in acts]
        if self.props["acts"] != offered:
            self.props["acts"] = offered
            self.update()

    def show(self, rows: Sequence[Row], total: int, alarms: int, nothing: str) -> None:
        """Put these lines into the window; those that are there already are not sent again."""
        first, new = self.window.first, list(rows)
        if first == self._shown_first and len(new) == len(self._shown):
            changes = [[place, row] for place, row in enumerate(new) if row != self._shown[place]]
            if changes or total != self._total or alarms != self._alarms:
                self.run_method("change", total, alarms, changes)
        else:
            now_ms = int(datetime.now(UTC).timestamp() * 1000)
            self.run_method("show", first, total, alarms, new, now_ms, nothing)
        self._shown, self._shown_first, self._total, self._alarms = new, first, total, alarms

    def forget(self) -> None:
        """Other alarms are listed from here on: nothing is chosen, and the list begins at its top."""
        self._shown_first = -1
        self.window = Window(0, self.window.count)
        self.run_method("forget")

    def done(self, picked: Picked) -> None:
        """These have been dealt with: they are chosen no more."""
        self.run_method("done", None if picked.is_all else list(picked.ids))

    async def _looked(self, event: GenericEventArguments) -> None:
        first, count = int(event.args["first"]), int(event.args["count"])
        self.window = Window(max(0, first), min(MOST_IN_VIEW, max(0, count)))
        await self._on_window()

    async def _acted(self, event: GenericEventArguments) -> None:
        wish = event.args
        picked = Picked(_numbers(wish.get("ids")), bool(wish.get("isAll")), frozenset(_numbers(wish.get("left"))))
        await self._on_act(str(wish.get("what", "")), picked)

    async def _toggled(self, event: GenericEventArguments) -> None:
        await self._on_toggle(str(event.args)[:400])

    def _opened(self, event: GenericEventArguments) -> None:
        self._on_open(int(event.args))

    def _seen(self, event: GenericEventArguments) -> None:
        self._on_shown(_numbers(event.args))


def _numbers(said: object) -> list[int]:
    return [one for one in said if isinstance(one, int)][:_MOST_NAMED] if isinstance(said, list) else []


def _texts() -> dict[str, Any]:
    return {
        "list": _("Alarms"),
        "actions": _("What to do with the chosen alarms"),
        "all": _("Choose all"),
        "choose": _("Choose"),
        "chosen": _("{n} chosen"),
        "total": _("{n} alarms"),
        "acknowledge": _("Acknowledge"),
        "keys": _("Keys"),
        "lengths": [_("{n} s"), _("{n} min"), _("{n} h"), _("{n} d")],
        "help": [
            ["j k ↓ ↑", _("next, previous")],
            ["␣", _("choose")],
            ["a", _("acknowledge")],
            ["s", _("shelve")],
            ["o", _("take out of service")],
            ["r", _("reset what is latched")],
            ["u", _("bring back from the shelf or into service")],
            ["↵", _("open it")],
            ["/", _("search")],
            ["Esc", _("choose nothing")],
        ],
    }
