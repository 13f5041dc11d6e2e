"""Fields that remember what was chosen: one among a few, and a moment of time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.components.fields import bare_choice
from athanor.web.components.words import Words, region

Value = TypeVar("Value", bound=str)

_MINUTE = "%Y-%m-%dT%H:%M"


class Choice(Generic[Value]):
    """A list of options; `value` is the one that is chosen.

    Parameters
    ----------
    label
        What is chosen.
    options
        Texts by value, in the order shown.
    value
        What is chosen at first.
    changed
        Called when the person has chosen another one.
    name
        The field's for the browser.
    """

    def __init__(
        self, label: str, options: Mapping[Value, str], value: Value, changed: Callable[[], object], *, name: str
    ) -> None:
        self.value = value
        self._options = options
        self._changed = changed
        with region("ath-choice", "label") as self._label:
            Words(label)
            bare_choice(label, {str(one): text for one, text in options.items()}, str(value), self._chosen, name=name)

    def show(self, *, is_shown: bool) -> None:
        """Whether there is anything to choose here now."""
        self._label.set_visibility(is_shown)

    def _chosen(self, text: str) -> None:
        chosen = next((one for one in self._options if str(one) == text), None)
        if chosen is not None and chosen != self.value:
            self.value = chosen
            self._changed()


class MomentField:
    """A date and time of day on the site's clock, without a zone."""

    def __init__(self, label: str, moment: datetime, changed: Callable[[datetime], object]) -> None:
        with region("ath-choice", "label"):
            Words(label)
            self._field: ui.element = region("", "input", type="datetime-local", value=moment.strftime(_MINUTE))
        self._changed = changed
        self._field.on("change", self._typed, js_handler="(event) => emit(event.target.value)")

    def show(self, moment: datetime) -> None:
        """Put another moment in."""
        self._field.props["value"] = moment.strftime(_MINUTE)
        self._field.update()

    def _typed(self, event: GenericEventArguments) -> None:
        try:
            moment = datetime.fromisoformat(str(event.args))
        except ValueError:
            return  # half typed, or emptied
        self._field.props["value"] = moment.strftime(_MINUTE)
        self._changed(moment)
