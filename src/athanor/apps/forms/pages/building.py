"""The builder: fields and steps in a list, their settings beside it, and the form as its author will see it."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.forms.pages import panel, wording
from athanor.apps.forms.pages.build_list import ask_for_new
from athanor.apps.forms.pages.fields import Surroundings
from athanor.apps.forms.pages.trial import Trial
from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.building import Form, may_build
from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.definition import Definition, FormField, Kind, Step, read_definition
from athanor.kernel.forms.service import Forms
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, bare_choice, button, icon, link, page_title, region, status
from athanor.web.language import _, text_of

_FORM = ("form", 0)
Part = dict[str, Any]


async def build(form_id: int, forms: Forms, plant: RunningPlant, park: RunningPlant, viewer: User) -> None:
    """One form, to be changed by who may."""
    form = await forms.definitions.get(viewer, form_id)
    people = await forms.people()
    around = Surroundings(plant, people, viewer.tenant, ZoneInfo(park.model.timezone))
    _Builder(forms, viewer, form, people, around, park).draw()


class _Builder:
    def __init__(
        self, forms: Forms, viewer: User, form: Form, people: People, around: Surroundings, park: RunningPlant
    ) -> None:
        self._forms, self._viewer, self._form, self._people = forms, viewer, form, people
        self._around, self._park = around, park
        self._revision = form.revision
        self._definition = form.definition  # what was kept last
        self._content: Part = form.definition.model_dump(mode="json")  # as it is being changed, right or wrong
        self._chosen = _FORM
        self._dialog = Dialog()

    def draw(self) -> None:
        form = self._form
        with page_title(text_of(form.definition.title), form.key):
            text = _("Version {n} is in use").format(n=form.version) if form.version else _("Not published yet")
            status(_("Retired") if form.is_retired else text)
            region("ath-space")
            self._actions()
        if not may_build(self._viewer, form):
            with region("ath-card ath-notice", role="status"):
                icon("lock")
                Words(_("This form is the park's: you may look at it, try it, and copy it."), "p")
        self._trouble = Words("", "p", "ath-correct-trouble")
        self._trouble.props["role"] = "alert"
        with region("ath-build" if may_build(self._viewer, form) else "ath-build is-readonly"):
            if may_build(self._viewer, form):
                with region("ath-build-list"):
                    self._list = region("ath-card")
                with region("ath-card ath-build-panel", "section", aria_label=_("Settings")):
                    self._panel = region("ath-card-body")
                self._list_parts()
                self._show_panel()
            self._trial = Trial(self._around)
            self._trial.show(self._definition)

    def _actions(self) -> None:
        with region("ath-entry-actions"):
            link(_("All forms"), "/forms/build", "ath-button")
            export = link(_("Export"), f"/api/v1/forms/definitions/{self._form.id}", "ath-button")
            export.props["download"] = True
            button(_("Copy…"), self._copy, glyph="content_copy")
            if may_build(self._viewer, self._form):
                if self._form.version and not self._form.is_retired:
                    button(_("Retire…"), self._ask_to_retire, glyph="block")
                button(_("Publish…"), self._ask_to_publish, glyph="publish", classes="is-main")

    # ---- the list

    def _list_parts(self) -> None:
        self._list.clear()
        definition = self._definition
        with self._list:
            self._entry(_FORM, "article", _("Title and description"), 0)
            Words(_("Fields"), "div", "ath-section")
            for number, one in enumerate(definition.fields):
                self._entry(
                    ("fields", number), wording.glyph(one.kind), text_of(one.label) or one.id, len(definition.fields)
                )
            kinds = {"": _("Add a field …"), **{kind.value: text for kind, text in wording.kinds().items()}}
            with region("ath-build-add"):
                bare_choice(_("Add a field"), kinds, "", self._add_field, name="add-field")
            Words(_("Steps of the flow"), "div", "ath-section")
            for number, step in enumerate(definition.steps):
                self._entry(("steps", number), "how_to_reg", wording.step_title(step), len(definition.steps))
            with region("ath-build-add"):
                button(_("Add a step"), self._add_step, glyph="add")

    def _entry(self, which: tuple[str, int], glyph: str, text: str, count: int) -> None:
        part, number = which
        with region("ath-build-entry") as row:
            if which == self._chosen:
                row.classes("is-chosen")
            chooser = region("", "button", type="button", aria_pressed=str(which == self._chosen).lower())
            with chooser:
                icon(glyph)
                Words(text)
            chooser.on("click", lambda _event: self._choose(which), args=[])
            if not count:
                return
            for step, name, arrow in ((-1, _("Up"), "arrow_upward"), (1, _("Down"), "arrow_downward")):
                if 0 <= number + step < count:
                    button(
                        f"{name}: {text}", self._mover(part, number, number + step), glyph=arrow,
                        classes="is-icon is-plain",
                    )  # fmt: skip
            button(
                _("Take out: {what}").format(what=text), self._taker(which), glyph="delete", classes="is-icon is-plain"
            )
        self._let_drag(row, part, number)

    def _let_drag(self, row: ui.element, part: str, number: int) -> None:
        async def dropped(event: GenericEventArguments) -> None:
            from_part, _separator, from_number = str(event.args).partition(":")
            if from_part == part and from_number.isdigit():
                await self._move(part, int(from_number), number)

        row.props["draggable"] = "true"
        row.on("dragstart", js_handler=f"(event) => event.dataTransfer.setData('text/plain', '{part}:{number}')")
        row.on("dragover", js_handler="(event) => event.preventDefault()")
        row.on(
            "drop",
            dropped,
            js_handler="(event) => { event.preventDefault(); emit(event.dataTransfer.getData('text/plain')); }",
        )

    def _choose(self, which: tuple[str, int]) -> None:
        self._chosen = which
        self._list_parts()
        self._show_panel()

    # ---- changing

    def _mover(self, part: str, number: int, to: int) -> Callable[[], Awaitable[None]]:
        async def move() -> None:
            await self._move(part, number, to)

        return move

    async def _move(self, part: str, number: int, to: int) -> None:
        parts = list(self._content[part])
        if not 0 <= number < len(parts):
            return
        parts.insert(to, parts.pop(number))
        if await self._keep({**self._content, part: parts}, is_tentative=True):
            self._chosen = (part, to)
            self._list_parts()
            self._show_panel()

    def _taker(self, which: tuple[str, int]) -> Callable[[], Awaitable[None]]:
        async def take_out() -> None:
            part, number = which
            parts = [one for index, one in enumerate(self._content[part]) if index != number]
            if await self._keep({**self._content, part: parts}, is_tentative=True):
                self._choose(_FORM)

        return take_out

    async def _add_field(self, kind: str) -> None:
        if not kind:
            return
        used = {one["id"] for one in self._content["fields"]}
        label = {"en": kind.replace("_", " ").capitalize(), "zh_CN": wording.kinds()[Kind(kind)]}
        more: Part = {}
        if kind in (Kind.CHOICE, Kind.CHOICES):
            more = {"options": [{"value": "a", "label": {"en": "A", "zh_CN": "甲"}}]}
        elif kind == Kind.TABLE:
            more = {"columns": [{"id": "c1", "label": {"en": "Column", "zh_CN": "列"}}]}
        elif kind == Kind.COMPUTED:
            more = {"formula": "0"}
        part = FormField(id=_free(kind, used), kind=Kind(kind), label=label, **more).model_dump(mode="json")
        if await self._keep({**self._content, "fields": [*self._content["fields"], part]}, is_tentative=True):
            self._choose(("fields", len(self._content["fields"]) - 1))

    async def _add_step(self) -> None:
        used = {one["id"] for one in self._content["steps"]}
        title = {"en": "Approval", "zh_CN": "审批"}
        part = Step(id=_free("step", used), title=title, name="engineer", due_h=None).model_dump(mode="json")
        if await self._keep({**self._content, "steps": [*self._content["steps"], part]}, is_tentative=True):
            self._choose(("steps", len(self._content["steps"]) - 1))

    async def _keep(self, content: Part, *, is_tentative: bool = False) -> bool:
        """Keep what was changed, if it holds together; else say what is wrong and go on with it as it is."""
        try:
            definition = read_definition(content)
            self._revision = await self._forms.definitions.change(
                self._viewer, self._form.id, definition, revision=self._revision
            )
        except AthanorError as error:
            self._trouble.text = str(error)
            if not is_tentative:
                self._content = content
            return False
        self._trouble.text = ""
        self._definition, self._content = definition, definition.model_dump(mode="json")
        self._trial.show(definition)
        return True

    async def _changed(self, part: Part) -> None:
        which, number = self._chosen
        if which == "form":
            content = part
        else:
            parts = [part if index == number else one for index, one in enumerate(self._content[which])]
            content = {**self._content, which: parts}
        was_kept = await self._keep(content)
        if was_kept:
            self._list_parts()
        self._show_panel()

    def _show_panel(self) -> None:
        which, number = self._chosen
        self._panel.clear()
        with self._panel, region("ath-fields"):
            if which == "form":
                Words(_("Title and description"), "h2")
                panel.form_panel(self._content, self._changed)
                return
            part = self._content[which][number]
            if which == "fields":
                Words(wording.kinds()[Kind(part["kind"])], "h2")
                panel.field_panel(part, self._definition.fields[:number], self._changed)
            else:
                Words(_("Step of the flow"), "h2")
                panel.step_panel(part, self._definition, self._people, self._changed, is_first=number == 0)

    # ---- publishing

    def _ask_to_publish(self) -> None:
        async def publish() -> None:
            try:
                await self._forms.definitions.publish(self._viewer, self._form.id)
            except AthanorError as error:
                trouble.text = str(error)
                return
            ui.navigate.reload()

        with self._dialog.filling(_("Publish this form?")):
            Words(_("New entries use it from now on; entries that run keep the version they began with."), "p")
            trouble = Words("", "p", "ath-correct-trouble")
            with region("ath-dialog-foot"):
                button(_("Cancel"), self._dialog.close)
                button(_("Publish"), publish, classes="is-main")

    def _ask_to_retire(self) -> None:
        async def retire() -> None:
            await self._forms.definitions.retire(self._viewer, self._form.id)
            ui.navigate.reload()

        with self._dialog.filling(_("Retire this form?")):
            Words(_("Nobody begins new entries; those that run go on. Publishing brings it back."), "p")
            with region("ath-dialog-foot"):
                button(_("Cancel"), self._dialog.close)
                button(_("Retire"), retire, classes="is-danger")

    def _copy(self) -> None:
        definition: Definition = self._definition
        ask_for_new(self._dialog, self._forms, self._viewer, self._park, f"{self._form.key}-copy", definition)


def _free(base: str, used: set[str]) -> str:
    number = 1
    while f"{base}_{number}" in used:
        number += 1
    return f"{base}_{number}"
