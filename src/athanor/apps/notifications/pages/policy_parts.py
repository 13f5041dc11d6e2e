"""The parts of a policy's form. What is entered changes the policy as JSON, in place."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from athanor.apps.notifications.pages.chips import Chips
from athanor.apps.notifications.pages.fields import HoursEditor, count, pair, tick, ticks
from athanor.apps.notifications.pages.saying import topics
from athanor.apps.notifications.pages.who import Choices
from athanor.apps.notifications.pages.who_form import WhoForm
from athanor.apps.notifications.pages.wording import enterprise
from athanor.kernel.notify.templates import PLACEHOLDERS
from athanor.kernel.plant.model import Level
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, button, choice, region, text_field
from athanor.web.language import _, text_of
from athanor.web.severity import categories, priorities

Changed = Callable[[], Awaitable[None]]
_MOST_AREAS = 500
_STEP_LATER_MIN = 15


class Parts:
    """The form of one policy.

    Parameters
    ----------
    said
        The policy as JSON; changed in place.
    changed
        Called after each change.
    """

    def __init__(
        self, said: dict[str, Any], choices: Choices, plant: RunningPlant, changed: Changed, *, is_of_park: bool
    ) -> None:
        self._said, self._choices, self._plant, self._changed = said, choices, plant, changed
        self._is_of_park = is_of_park

    def draw(self) -> None:
        """All of it."""
        said = self._said
        with _card(_("What it is about")):
            pair(_("Name"), said["name"], self._put(said, "name"), name="name")
            self._match(said["match"])
        self._steps = region("ath-policy-parts")
        self._draw_steps()
        with _card(_("How much at once")):
            with region("ath-fields-row"):
                count(_("Most messages to one person by one channel"), said["limit"]["most"],
                      self._put(said["limit"], "most"), name="most", least=1)  # fmt: skip
                count(_("in so many minutes"), said["limit"]["per_min"], self._put(said["limit"], "per_min"),
                      name="per-min", least=1)  # fmt: skip
                count(_("Together every so many minutes; 0: one by one"), said["digest_min"],
                      self._put(said, "digest_min"), name="digest-min")  # fmt: skip
            Words(_("What exceeds the limit comes in one message that lists it; nothing is lost."), "p", "ath-note")
            HoursEditor(_("Quiet hours: only what is critical is told at once"), said["quiet"],
                        self._put(said, "quiet"), name="quiet")  # fmt: skip
            tick(_("Whoever was told hears when it is over, too"), self._put(said, "says_over"),
                 is_on=said["says_over"], name="says-over")  # fmt: skip
        self._templates = region("ath-policy-parts")
        self._draw_templates()

    def _match(self, match: dict[str, Any]) -> None:
        Chips(_("Topics"), match["topics"], topics(), self._changed, name="topic", add=_("Add a topic …"))
        ticks(_("Of these priorities"), {int(key): text for key, text in priorities().items()}, match["priorities"],
              self._put(match, "priorities"), name="priority")  # fmt: skip
        ticks(_("Categories"), {str(key): text for key, text in categories().items()}, match["categories"],
              self._put(match, "categories"), name="category")  # fmt: skip
        Chips(_("Areas of the plant"), match["areas"], areas(self._plant, self._choices.owner), self._changed,
              name="area", add=_("Add an area …"))  # fmt: skip
        if self._is_of_park:
            tenants = {key: enterprise(self._plant, key) for key in self._plant.model.tenants}
            Chips(_("Enterprises"), match["tenants"], tenants, self._changed, name="tenant-of",
                  add=_("Add an enterprise …"))  # fmt: skip
        text_field(_("Its title or detail contains"), match["text"], self._put(match, "text"), name="text")
        HoursEditor(_("Only at these hours"), match["hours"], self._put(match, "hours"), name="hours")
        Words(_("What is left empty is fulfilled by everything."), "p", "ath-note")

    def _draw_steps(self) -> None:
        self._steps.clear()
        steps = self._said["steps"]
        with self._steps:
            for number, step in enumerate(steps):
                title = _("At once") if not number else _("Step {n}, if nobody has acknowledged").format(n=number + 1)
                with _card(title):
                    self._step(number, step)
            with region("ath-actions"):
                button(_("Add a step of escalation"), self._add_step, glyph="add")

    def _step(self, number: int, step: dict[str, Any]) -> None:
        if number:
            with region("ath-part"):
                count(_("Minutes after the first"), step["after_min"], self._put(step, "after_min"),
                      name="after-min", least=1)  # fmt: skip
                button(_("Take out this step"), lambda: self._drop_step(number), glyph="delete",
                       classes="is-icon is-plain")  # fmt: skip
        WhoForm(step["to"], self._choices, self._changed, may_ask_park=self._is_of_park)
        Chips(_("By these channels, the first that reaches somebody"), step["by"], self._choices.channels,
              self._changed, name="by", add=_("Add a channel …"))  # fmt: skip
        Words(_("Without any: by whatever each person has set up. The inbox has it in any case."), "p", "ath-note")
        tick(_("By each of them, not only by the first"), self._put(step, "is_by_all"), is_on=step["is_by_all"],
             name="is-by-all")  # fmt: skip

    async def _add_step(self) -> None:
        steps = self._said["steps"]
        last = steps[-1]["after_min"]
        steps.append({"after_min": last + _STEP_LATER_MIN, "to": [], "by": [], "is_by_all": False})
        self._draw_steps()
        await self._changed()

    async def _drop_step(self, number: int) -> None:
        del self._said["steps"][number]
        self._draw_steps()
        await self._changed()

    def _draw_templates(self) -> None:
        self._templates.clear()
        templates = self._said["templates"]
        with self._templates, _card(_("Words of the messages")):
            Words(_("Without a template a message says title, place, detail and time. Placeholders: {names}").format(
                names=" ".join(f"{{{name}}}" for name in PLACEHOLDERS)), "p", "ath-note")  # fmt: skip
            for number, one in enumerate(templates):
                with region("ath-part is-tall"):
                    with region("ath-fields-row"):
                        text_field(_("Topic"), one["topic"], self._put(one, "topic"), name="template-topic")
                        languages = {"": _("every language"), "en": "English", "zh_CN": "中文"}
                        choice(_("Language"), languages, one["language"], self._put(one, "language"),
                               name="template-language")  # fmt: skip
                        text_field(_("Title"), one["title"], self._put(one, "title"), name="template-title")
                    _long(_("Text"), one["body"], self._put(one, "body"), name="template-body")
                    button(_("Take out"), self._dropper(number), glyph="delete", classes="is-icon is-plain")
            button(_("Add a template"), self._add_template, glyph="add")

    async def _add_template(self) -> None:
        self._said["templates"].append(
            {"topic": "alarms.*", "language": "", "title": "[{priority}] {title}", "body": "{place}\n{detail}\n{time}"}
        )
        self._draw_templates()
        await self._changed()

    def _dropper(self, number: int) -> Changed:
        async def drop() -> None:
            del self._said["templates"][number]
            self._draw_templates()
            await self._changed()

        return drop

    def _put(self, part: dict[str, Any], key: str) -> Callable[[Any], Awaitable[None]]:
        async def put(value: Any) -> None:
            part[key] = value
            await self._changed()

        return put


def areas(plant: RunningPlant, tenant: str | None) -> dict[str, str]:
    """Sites, areas and units to choose among, each with what it lies in."""
    found: dict[str, str] = {}
    for path, node in plant.model.nodes.items():
        if node.level is not Level.ASSET and tenant in (None, node.tenant) and len(found) < _MOST_AREAS:
            above = plant.model.nodes.get(node.parent or "")
            name = text_of(node.name)
            found[path] = name if above is None else f"{text_of(above.name)} › {name}"
    return found


def _card(title: str) -> ui.element:
    with region("ath-card", "section", aria_label=title):
        with region("ath-card-head"):
            Words(title, "h2")
        with region("ath-card-body"):
            return region("ath-fields")


def _long(label: str, value: str, told: Callable[[Any], Awaitable[None]], *, name: str) -> None:
    with region(tag="label"):
        Words(label)
        box = region("", "textarea", name=name, rows="4", maxlength="4000")
        box.props["defaultValue"] = value
    box.on("change", lambda event: told(str(event.args)), js_handler="(event) => emit(event.target.value)")
