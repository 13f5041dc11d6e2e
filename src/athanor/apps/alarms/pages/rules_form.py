"""The fields of a rule. What is typed is kept on the server, so that fields may come and go with the kind chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.alarms.pages import rules_words as words
from athanor.apps.alarms.services import rules as services
from athanor.kernel.plant.model import Tag, TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web import severity
from athanor.web.components import Dialog, TagFinder, Words, button, region
from athanor.web.language import _, text_of

_VALUE = "(event) => emit(event.target.value)"
_IN_UNIT = ("at", "deadband", "band", "by", "mean", "sigma")
_LONG = ("formula", "suppressed_while", "consequence_en", "consequence_zh", "action_en", "action_zh", "note")
_NUMBERS = frozenset({
    "at", "deadband", "window_s", "horizon_s", "after_s", "for_s", "band", "by", "calm_s", "mean", "sigma", "weight",
    "width", "slack", "interval", "on_delay_s", "off_delay_s", "respond_within_s", "repeats_after_s",
})  # fmt: skip
_CARDS: tuple[tuple[Callable[[], str], tuple[tuple[str, ...], ...]], ...] = (
    (
        lambda: _("How it is announced"),
        (
            ("priority", "category"),
            ("on_delay_s", "off_delay_s"),
            ("is_latched", "acknowledges_itself", "repeats_after_s"),
        ),
    ),
    (
        lambda: _("Why it is an alarm"),
        (
            ("consequence_en", "consequence_zh"),
            ("action_en", "action_zh"),
            ("respond_within_s", "owner", "is_safety"),
            ("camera", "documents"),
            ("note",),
        ),
    ),
    (lambda: _("When it counts"), (("suppressed_while", "schedule"),)),
)


@dataclass
class RuleForm:
    """The fields; `said` is what they say, by the ids that columns of the sheet have.

    Parameters
    ----------
    changed
        Called whenever a field has changed.
    """

    plant: RunningPlant
    said: dict[str, str]
    changed: Callable[[], None]
    may_change: bool

    def build(self) -> None:
        """Draw them."""
        self._dialog = Dialog()
        with self._card(_("What it is called")):
            self._row("name_en", "name_zh")
        with self._card(_("What the rule is about")):
            self._subject = region("ath-fields")
        with self._card(_("When it is abnormal")):
            self._condition = region("ath-fields")
        self._show_subject()
        self._show_condition()
        for title, rows in _CARDS:
            with self._card(title()):
                for row in rows:
                    self._row(*row)

    def take_over(self, values: Mapping[str, str]) -> None:
        """Let fields of the condition and the delays say this."""
        self.said |= values
        self._show_condition()
        self.changed()

    def _card(self, title: str) -> ui.element:
        card = region("ath-card", "section", aria_label=title)
        with card:
            with region("ath-card-head"):
                Words(title, "h2")
            return region("ath-card-body ath-fields")

    def _row(self, *names: str) -> None:
        with _row():
            for name in names:
                self._field(name)

    def _show_subject(self) -> None:
        self._subject.clear()
        about = self.said.get("about", "tag")
        with self._subject, _row():
            self._choice("about", _("About"), words.abouts(), self._turned)
            for name in services.ABOUT[about]:
                self._field(name)
            if about == "tag" and self.may_change:
                button(_("Find a tag…"), self._find, glyph="search").style("align-self: end")

    def _show_condition(self) -> None:
        self._condition.clear()
        kind = self.said.get("kind", "limit")
        with self._condition:
            with region("ath-fields-row"):
                self._choice("kind", words.labels()["kind"], words.kinds(), self._turned)
            with _row():
                for name in services.CONDITION[kind]:
                    self._field(name)

    def _turned(self) -> None:
        self._show_subject()
        self._show_condition()

    def _find(self) -> None:
        def chosen(tag: Tag) -> None:
            self.said["tag"] = tag.path
            self._dialog.close()
            self._turned()
            self.changed()

        with self._dialog.filling(_("Find a tag")):
            TagFinder(self.plant, chosen)

    def _field(self, name: str) -> None:
        options = self._options(name)
        if options is not None:
            self._choice(name, self._label(name), options)
        else:
            self._text(name)

    def _options(self, name: str) -> Mapping[str, str] | None:
        """What there is to choose from; None where it is written."""
        yes_or_no = {"no": _("no"), "yes": _("yes")}
        options: dict[str, Mapping[str, str]] = {
            "side": words.sides(self.said.get("kind", "limit")),
            "plant_limit": words.plant_limits(),
            "type": {key: text_of(one.name) for key, one in self.plant.model.types.items()},
            "priority": words.priorities(),
            "category": {str(one): text for one, text in severity.categories().items()},
            "is_in": {"yes": _("to be in one of them"), "no": _("to be in none of them")},
            "is_safety": yes_or_no,
            "is_latched": yes_or_no,
            "acknowledges_itself": yes_or_no,
        }
        return options.get(name)

    def _label(self, name: str) -> str:
        label = words.labels()[name]
        unit = self._unit() if name in _IN_UNIT else ""
        if unit and self.said.get("kind") == "rate":
            unit = f"{unit}/min"
        return f"{label} [{unit}]" if unit else label

    def _unit(self) -> str:
        """Of the tag that is judged, where it is one."""
        tag = self.plant.model.tags.get(self.said.get("tag", "")) if self.said.get("about") == "tag" else None
        return "" if tag is None or tag.kind is TagKind.STATE else display_unit(tag.unit)

    def _text(self, name: str) -> None:
        is_long = name in _LONG
        with region(tag="label"):
            Words(self._label(name))
            kind = {"rows": "2"} if is_long else {"type": "text", "autocomplete": "off"}
            if name in _NUMBERS:
                kind["inputmode"] = "decimal"
            field = region("", "textarea" if is_long else "input", name=name, spellcheck="false", **kind)
            field.props["maxlength"] = "4000"
            field.props["defaultValue"] = self.said.get(name, "")
            if not self.may_change:
                field.props["disabled"] = True
            note = words.notes().get(name) if name != "at" or self.said.get("kind") in ("limit", "ramp") else None
            if note:
                Words(note, "small")
        self._listen(field, name, self._turned if name == "tag" else None)

    def _choice(
        self, name: str, label: str, options: Mapping[str, str], turned: Callable[[], None] | None = None
    ) -> None:
        chosen = self.said.get(name)
        if chosen not in options:
            chosen = self.said[name] = next(iter(options), "")
        with region(tag="label"):
            Words(label)
            with region("", "select", name=name) as field:
                for value, text in options.items():
                    option = Words(text, "option")
                    option.props["value"] = value
                    if value == chosen:
                        option.props["selected"] = True
            if not self.may_change:
                field.props["disabled"] = True
        self._listen(field, name, turned)

    def _listen(self, field: ui.element, name: str, turned: Callable[[], None] | None) -> None:
        def heard(event: GenericEventArguments) -> None:
            self.said[name] = str(event.args or "")[:4000]
            if turned is not None:
                turned()
            self.changed()

        if self.may_change:
            field.on("change", heard, js_handler=_VALUE)


def _row() -> ui.element:
    """Fields beside each other; their notes differ in length, so they begin at one height."""
    return region("ath-fields-row").style("align-items: start")
