"""A place to drop a file, or to choose one: it is streamed to an address of ours while the page shows how far it is."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.language import _


class FileDrop(ui.element, component="file_drop.js"):
    """Sends one file as the body of a POST, its name in the query; refusals show as the server words them.

    Parameters
    ----------
    address
        Where to; it answers JSON.
    most_bytes
        Larger files are refused before they are sent.
    endings
        Proposed in the browser's own dialog, such as `.csv`; others may be chosen too.
    on_sent
        Called with the server's answer.
    """

    def __init__(
        self,
        address: str,
        *,
        most_bytes: int,
        endings: tuple[str, ...],
        hint: str,
        on_sent: Callable[[Mapping[str, Any]], Awaitable[None] | None],
    ) -> None:
        super().__init__()
        self._on_sent = on_sent
        self.props["address"] = address
        self.props["most"] = most_bytes
        self.props["accept"] = ",".join(endings)
        self.props["texts"] = {
            "drop": _("Drop a file here"),
            "choose": _("Choose a file"),
            "hint": hint,
            "cancel": _("Cancel"),
            "sent": _("{done} of {whole} MB sent"),
            "arriving": _("Arrived. One moment …"),
            "large": _("{name} is larger than {most} MB, the most that is taken at once."),
            "failed": _("The file did not arrive. Check the connection and try again."),
        }
        self.on("sent", self._sent)

    async def _sent(self, event: GenericEventArguments) -> None:
        answer = self._on_sent(event.args)
        if answer is not None:
            await answer


def file_drop(
    address: str,
    *,
    most_bytes: int,
    endings: tuple[str, ...],
    hint: str,
    on_sent: Callable[[Mapping[str, Any]], Awaitable[None] | None],
) -> FileDrop:
    """A place to drop a file at this place of the page."""
    return FileDrop(address, most_bytes=most_bytes, endings=endings, hint=hint, on_sent=on_sent)
