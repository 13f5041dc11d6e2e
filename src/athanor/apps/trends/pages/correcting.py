"""The dialog in which a person corrects a tag: what and where, what would change, why, and then does it."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.trends.pages.correction_form import CorrectionForm, UnreadableFormError
from athanor.apps.trends.pages.correction_preview import CorrectionPreview
from athanor.apps.trends.services import correcting
from athanor.kernel.corrections.actions import Action
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian, Span
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Words, button, region
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target.closest('form'))))"


class CorrectDialog:
    """Corrects one tag at a time.

    Parameters
    ----------
    on_done
        Called when a correction was made.
    """

    def __init__(
        self,
        corrections: Corrections,
        historian: Historian,
        plant: RunningPlant,
        viewer: User,
        *,
        on_done: Callable[[], Awaitable[None]],
    ) -> None:
        self._corrections, self._historian, self._plant, self._viewer = corrections, historian, plant, viewer
        self._on_done = on_done
        self._previewed: Action | None = None
        self._dialog = Dialog()

    async def open(self, tag: Tag, span: Span) -> None:
        """Ask what to do to this tag, over this range unless the person says otherwise."""
        self._tag, self._previewed = tag, None
        zone = ZoneInfo(self._plant.model.timezone)
        asset = text_of(self._plant.model.node(tag.node_path).name)
        title = _("Correct {tag}").format(tag=f"{text_of(tag.name)} · {asset}")
        with self._dialog.filling(title), region("ath-correct", "form", novalidate="") as form:
            self._form = CorrectionForm(self._historian, self._plant, tag, span, zone, changed=self._changed)
            self._trouble = Words("", "p", "ath-correct-trouble")
            self._trouble.props["role"] = "alert"
            self._preview = CorrectionPreview(self._plant, tag)
            with region("ath-correct-foot"):
                button(_("Cancel"), self._dialog.close)
                region("ath-space")
                with region("", "button", type="submit"):
                    Words(_("Preview"))
                self._apply = button(_("Apply"), classes="is-main")
        self._apply.on("click", self._apply_asked, js_handler=_WHOLE_FORM)
        form.on("submit.prevent", self._preview_asked, js_handler=_WHOLE_FORM)
        self._let_apply(is_allowed=False)
        await self._form.show_fields()

    def _changed(self) -> None:
        """What was previewed is no longer what the form says."""
        self._let_apply(is_allowed=False)

    def _let_apply(self, *, is_allowed: bool) -> None:
        self._apply.props["disabled"] = not is_allowed
        self._apply.update()

    async def _preview_asked(self, event: GenericEventArguments) -> None:
        action = self._read(event)
        if action is not None:
            await self._show_preview(action)

    async def _show_preview(self, action: Action) -> None:
        self._previewed = None
        try:
            seen = await correcting.preview(self._corrections, self._historian, self._plant, self._tag, action)
        except AthanorError as error:
            self._say(str(error))
            return
        self._say("")
        self._previewed = action
        self._preview.show(seen)
        self._let_apply(is_allowed=seen.samples > 0)

    async def _apply_asked(self, event: GenericEventArguments) -> None:
        action = self._read(event)
        if action is None:
            return
        if action != self._previewed:
            await self._show_preview(action)
            return
        reason = str(event.args.get("reason", "")).strip()
        if not reason:
            self._say(_("Give the reason: what was wrong, and how you know. It is kept for ever."))
            return
        try:
            made = await self._corrections.correct(
                self._plant, self._tag.path, action, reason=reason, author=self._viewer
            )
        except AthanorError as error:
            self._say(str(error))
            return
        self._dialog.close()
        ui.notify(_("Corrected. Samples changed: {n}").format(n=number(made.samples)))
        await self._on_done()

    def _read(self, event: GenericEventArguments) -> Action | None:
        """The action that the form says; None, and the reason told, where it says none."""
        try:
            return self._form.action(event.args)
        except UnreadableFormError as error:
            self._say(error.text)
            return None

    def _say(self, text: str) -> None:
        self._trouble.text = text
        self._trouble.set_visibility(bool(text))
