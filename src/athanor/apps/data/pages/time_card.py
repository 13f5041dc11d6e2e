"""Which columns are the time, how it is written, and whose clock wrote it."""

from collections.abc import Awaitable, Callable

from athanor.apps.data.pages import wording
from athanor.apps.data.pages.file_card import Decide
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.transfer.examining import Examined, Question
from athanor.kernel.transfer.plan import OutOfRange
from athanor.kernel.transfer.zones import ClockChange
from athanor.web.components import Words, choice, region, text_field
from athanor.web.language import _

_NONE = "-"


class TimeCard:
    """The card; `decide` is told what the person changes."""

    def __init__(self, plant: RunningPlant, decide: Decide) -> None:
        self._plant = plant
        self._decide = decide
        with region("ath-card", "section"):
            with region("ath-card-head"):
                Words(_("Times and doubtful values"), "h2")
            self._body = region("ath-card-body ath-fields")

    def show(self, examined: Examined) -> None:
        """What was found, for correction."""
        time = examined.content["time"]
        columns = list(time.get("columns") or [])
        self._body.clear()
        with self._body:
            with region("ath-fields-row"):
                self._columns(examined, columns)
                is_open = Question.DAY_OR_MONTH in examined.questions
                choice(
                    _("How times are written"),
                    wording.layouts(),
                    None if is_open else time.get("layout"),
                    self._said("layout"),
                    name="layout",
                )
                text_field(_("Time zone of the clock that wrote them"), time["zone"], self._said("zone"), name="zone")
                changes = {
                    ClockChange.REFUSE.value: _("Refuse such times"),
                    ClockChange.BEFORE.value: _("As before the change (the first hour)"),
                    ClockChange.AFTER.value: _("As after the change (the second hour)"),
                }
                choice(
                    _("When the clock was changed"),
                    changes,
                    time.get("clock_change", ClockChange.REFUSE.value),
                    self._said("clock_change"),
                    name="clock_change",
                )
            with region("ath-fields-row"):
                self._values(examined)

    def _columns(self, examined: Examined, columns: list[str]) -> None:
        names = {name: name for name in examined.names}
        first = columns[0] if columns else None
        second = columns[1] if len(columns) > 1 else _NONE
        choice(_("Column of the time"), names, first, self._chosen(lambda text: [text]), name="time")
        if first is not None:
            others = {_NONE: _("none: the time has both"), **{name: name for name in names if name != first}}
            choice(
                _("Column of the time of day"),
                others,
                second,
                self._chosen(lambda text: [first] if text == _NONE else [first, text]),
                name="clock",
            )

    def _values(self, examined: Examined) -> None:
        qualities = {str(int(quality)): wording.quality(quality) for quality in Quality}
        choice(
            _("Quality of values whose file says nothing"),
            qualities,
            str(examined.content.get("quality", int(Quality.GOOD))),
            lambda text: self._decide(("quality",), int(text)),
            name="quality",
        )
        ranges = {
            OutOfRange.UNCERTAIN.value: _("Keep as uncertain, as live values are"),
            OutOfRange.REFUSE.value: _("Refuse"),
        }
        choice(
            _("Values outside the instrument's range"),
            ranges,
            examined.content.get("out_of_range", OutOfRange.UNCERTAIN.value),
            lambda text: self._decide(("out_of_range",), text),
            name="out_of_range",
        )

    def _said(self, part: str) -> Callable[[str], Awaitable[None]]:
        return lambda text: self._decide(("time", part), text.strip() or None)

    def _chosen(self, columns: Callable[[str], list[str]]) -> Callable[[str], Awaitable[None]]:
        """Other columns: how they are written is found anew."""

        async def changed(text: str) -> None:
            await self._decide(("time", "columns"), columns(text))

        return changed
