"""Filling in: every change is kept as it is typed, so that a page may be closed at any time."""

from typing import Any

from nicegui import ui

from athanor.apps.forms.pages.fields import Fields, Surroundings
from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.definition import Definition
from athanor.kernel.forms.service import Forms
from athanor.kernel.identity.user import User
from athanor.web.components import Words, button, region
from athanor.web.language import _


class Filling:
    """The fields of a draft and what is done with it. A new one begins with the first thing that is entered."""

    def __init__(
        self,
        forms: Forms,
        viewer: User,
        form_id: int,
        definition: Definition,
        around: Surroundings,
        values: dict[str, Any],
    ) -> None:
        self._forms, self._viewer, self._form_id = forms, viewer, form_id
        self._entry_id = around.entry_id
        with region("ath-card ath-entry-form", "section"):
            self._fields = Fields(definition, values, around, self._save)
            self._trouble = Words("", "p", "ath-correct-trouble")
            self._trouble.props["role"] = "alert"
            with region("ath-entry-foot"):
                button(_("Send"), self._send, glyph="send", classes="is-main")
                self._state = Words(_("Kept as it is typed."), "span", "ath-form-size")
                self._state.props["aria-live"] = "polite"

    async def begin(self) -> int:
        """The entry's number; it is made when first needed."""
        if self._entry_id is None:
            self._entry_id = await self._forms.entries.start(self._viewer, self._form_id)
            ui.run_javascript(f"history.replaceState(null, '', '/forms/entries/{self._entry_id}')")
        return self._entry_id

    async def remove_photo(self, field_id: str, photo: str) -> None:
        """Take a photo out."""
        await self._forms.entries.remove_photo(self._viewer, await self.begin(), field_id, photo)

    async def _save(self, field_id: str, value: Any) -> None:
        try:
            await self._forms.entries.save(self._viewer, await self.begin(), field_id, value)
        except AthanorError as error:
            self._trouble.text = str(error)
        else:
            self._state.text = _("Kept.")

    async def _send(self) -> None:
        self._trouble.text = ""
        faults = self._fields.show_faults()
        if faults:
            self._trouble.text = _("{n} fields are not right yet.").format(n=len(faults))
            self._fields.focus(faults[0].field)
            return
        entry_id = await self.begin()
        try:
            await self._forms.entries.submit(self._viewer, entry_id)
        except AthanorError as error:
            self._trouble.text = str(error)
            return
        ui.navigate.to(f"/forms/entries/{entry_id}")
