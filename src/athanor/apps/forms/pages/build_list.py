"""The forms there are to build on: the park's and the tenant's, and templates to start from."""

from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.building import MOST_JSON_BYTES
from athanor.kernel.forms.definition import Definition
from athanor.kernel.forms.service import Forms
from athanor.kernel.forms.templates import new_form, templates
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Column, Dialog, Words, button, data_table, file_drop, link, page_title, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import date_time
from athanor.web.language import _, text_of


async def build_list(forms: Forms, park: RunningPlant, viewer: User) -> None:
    """Every form that the viewer sees, to be opened in the builder."""
    zone = ZoneInfo(park.model.timezone)
    dialog = Dialog()
    with page_title(_("Build forms")):
        region("ath-space")
        with region("ath-entry-actions"):
            link(_("To the entries"), "/forms", "ath-button")
            button(_("Import…"), lambda: _ask_for_file(dialog), glyph="upload_file")
            button(
                _("New form…"), lambda: ask_for_new(dialog, forms, viewer, park, "form", new_form()), glyph="add",
                classes="is-main",
            )  # fmt: skip
    with region("ath-form-starts", "section", aria_label=_("Start from a template")):
        for key, definition in templates().items():
            with region("ath-form-start", "button", type="button") as start:
                Words("content_copy", "span", "material-icons")
                with region(tag="span"):
                    Words(_("Template: {title}").format(title=text_of(definition.title)), "strong")
                    Words(text_of(definition.description), "small")
            start.on(
                "click",
                lambda _event, key=key, definition=definition: ask_for_new(
                    dialog, forms, viewer, park, key, definition
                ),
                args=[],
            )
    rows: list[Row] = []
    for one in await forms.definitions.all(viewer):
        state = _("Not published yet") if not one.version else _("Version {n} is in use").format(n=one.version)
        owner = park.model.tenants.get(one.tenant or "")
        rows.append(
            {
                "form": Cell(text_of(one.definition.title), note=one.key, address=f"/forms/build/{one.id}"),
                "for": _("Everybody in the park") if owner is None else text_of(owner.name),
                "state": _("Retired") if one.is_retired else state,
                "fields": Cell(str(len(one.definition.fields)), sort=float(len(one.definition.fields))),
                "steps": Cell(str(len(one.definition.steps)), sort=float(len(one.definition.steps))),
                "changed": Cell(date_time(one.changed_at, zone), sort=one.changed_at.timestamp()),
            }
        )
    columns = [
        Column("form", _("Form")),
        Column("for", _("Used by")),
        Column("state", _("State")),
        Column("fields", _("Fields"), is_number=True),
        Column("steps", _("Flow steps"), is_number=True),
        Column("changed", _("Changed")),
    ]
    with region("ath-card", "section"):
        data_table(
            rows, columns, caption=_("Forms"), nothing=_("No form yet. Start from a template."), export_name="form-list"
        )


def ask_for_new(
    dialog: Dialog, forms: Forms, viewer: User, park: RunningPlant, key: str, definition: Definition
) -> None:
    """Ask what a new form is called, then make it and open it."""
    tenants = {"": _("Everybody in the park")} if viewer.tenant is None else {}
    tenants |= {one.id: text_of(one.name) for one in park.model.tenants.values() if viewer.tenant in (None, one.id)}

    async def make(event: GenericEventArguments) -> None:
        said = {name: str(value) for name, value in event.args.items()}
        title = {"en": said.get("en", "").strip(), "zh_CN": said.get("zh_CN", "").strip()}
        named = {language: text for language, text in title.items() if text}
        try:
            form_id = await forms.definitions.make(
                viewer,
                said.get("key", ""),
                Definition.model_validate({**definition.model_dump(), "title": named or definition.title}),
                tenant=said.get("tenant") or None,
            )
        except AthanorError as error:
            trouble.text = str(error)
            return
        ui.navigate.to(f"/forms/build/{form_id}")

    with dialog.filling(_("New form")), region("ath-correct", "form", novalidate="") as form:
        with region("ath-fields"):
            for name, label, value in (
                ("en", f"{_('Title')} · English", definition.title.get("en", "")),
                ("zh_CN", f"{_('Title')} · 中文", definition.title.get("zh_CN", "")),
                ("key", _("Key, for programs: small letters, digits, hyphens"), key),
            ):
                with region(tag="label"):
                    Words(label)
                    field = region("", "input", type="text", name=name, autocomplete="off", maxlength="200")
                    field.props["defaultValue"] = value
            with region(tag="label"):
                Words(_("Used by"))
                with region("", "select", name="tenant"):
                    for tenant, text in tenants.items():
                        Words(text, "option").props["value"] = tenant
        trouble = Words("", "p", "ath-correct-trouble")
        trouble.props["role"] = "alert"
        with region("ath-dialog-foot"):
            button(_("Cancel"), dialog.close)
            with region("ath-button is-main", "button", type="submit"):
                Words(_("Make the form"))
    form.on("submit.prevent", make, js_handler="(event) => emit(Object.fromEntries(new FormData(event.target)))")


def _ask_for_file(dialog: Dialog) -> None:
    with dialog.filling(_("Import a form")):
        file_drop(
            "/api/v1/forms/definitions",
            most_bytes=MOST_JSON_BYTES,
            endings=(".json",),
            hint=_("A file that was exported here or elsewhere. It comes in as a draft, to be published by you."),
            on_sent=lambda made: ui.navigate.to(f"/forms/build/{made['id']}"),
        )
