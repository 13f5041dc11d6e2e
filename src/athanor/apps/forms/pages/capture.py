"""Fields that the phone itself fills in: photo, signature, position."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.kernel.forms.definition import FormField
from athanor.web.language import _


class SignatureField(ui.element, component="signature.js"):
    """A place to sign; tells the path of the strokes, empty when it was cleared."""

    def __init__(self, label: str, path: str | None, signed: Callable[[str], Awaitable[None]]) -> None:
        super().__init__()
        self._signed = signed
        self.props["label"] = label
        self.props["start"] = path or ""
        self.props["texts"] = {"hint": _("Sign here with a finger, pen or mouse."), "clear": _("Clear")}
        self.on("signed", self._heard)

    async def _heard(self, event: GenericEventArguments) -> None:
        await self._signed(str(event.args))


class PositionField(ui.element, component="position.js"):
    """A button that asks the browser where it is, and says why where it does not tell."""

    def __init__(self, place: Any, taken: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        super().__init__()
        self._taken = taken
        self.props["start"] = place if isinstance(place, dict) else None
        self.props["texts"] = {
            "take": _("Take my position"),
            "asking": _("Finding out where you are …"),
            "refused": _("The browser may not tell where you are. Allow it in its settings, then press again."),
            "late": _("No position within 20 s. Go outside or nearer to a window, then press again."),
            "unknown": _("This device does not know its position now. Switch positioning on, then press again."),
            "insecure": _("Browsers tell the position only over HTTPS. Open this page by its https address."),
        }
        self.on("taken", self._heard)

    async def _heard(self, event: GenericEventArguments) -> None:
        given = event.args if isinstance(event.args, dict) else {}
        await self._taken({name: given.get(name) for name in ("lat", "lon", "accuracy_m", "at")})


class PhotoField(ui.element, component="photo.js"):
    """Takes photos and sends them to the entry's address; the server keeps them at once."""

    def __init__(
        self,
        one: FormField,
        photos: list[dict[str, Any]],
        entry_id: int | None,
        *,
        begin: Callable[[], Awaitable[int]],
        changed: Callable[[list[dict[str, Any]]], Awaitable[None]],
        removed: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._field, self._photos = one.id, list(photos)
        self._begin, self._changed, self._removed = begin, changed, removed
        self.props["most"] = one.most
        self.props["texts"] = {
            "take": _("Take a photo"),
            "sending": _("Sending …"),
            "remove": _("Take the photo out"),
            "failed": _("The photo did not arrive. Check the connection and try again."),
        }
        self._show(entry_id)
        self.on("begin", self._heard_begin, args=[])
        self.on("sent", self._heard_sent)
        self.on("removed", self._heard_removed)

    def _show(self, entry_id: int | None) -> None:
        self.props["photos"] = self._photos
        if entry_id is not None:
            self.props["address"] = f"/api/v1/forms/entries/{entry_id}/photos/"
            self.props["target"] = f"/api/v1/forms/entries/{entry_id}/photos/{self._field}"
        self.update()

    async def _heard_begin(self) -> None:
        self._show(await self._begin())

    async def _heard_sent(self, event: GenericEventArguments) -> None:
        self._photos = [*self._photos, dict(event.args)]
        self._show(None)
        await self._changed(self._photos)

    async def _heard_removed(self, event: GenericEventArguments) -> None:
        self._photos = [photo for photo in self._photos if photo["id"] != event.args]
        await self._removed(str(event.args))
        self._show(None)
        await self._changed(self._photos)
