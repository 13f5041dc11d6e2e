"""A place to drop files: they are streamed to an address of ours while the page shows how far each is."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.web.language import _


class FilesDrop(ui.element, component="files_drop.js"):
    """Sends each file as the body of a POST, its name in the query; refusals show as the server words them.

    Parameters
    ----------
    address
        Where to; it answers JSON as `POST /api/v1/documents` does.
    most_bytes
        Larger files are refused before they are sent.
    is_many
        Whether several may be chosen at once.
    has_comment
        Whether a comment may be typed that goes with the file.
    on_sent
        Called with the server's answer for each file.
    """

    def __init__(
        self,
        address: str,
        *,
        most_bytes: int,
        is_many: bool,
        has_comment: bool = False,
        query: Mapping[str, str] | None = None,
        on_sent: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._on_sent = on_sent
        self.props["address"] = address
        self.props["most"] = most_bytes
        self.props["many"] = is_many
        self.props["query"] = dict(query or {})
        most = f"{most_bytes / 1e6:,.0f}"
        self.props["texts"] = {
            "drop": _("Drop files here") if is_many else _("Drop a file here"),
            "choose": _("Choose files") if is_many else _("Choose a file"),
            "hint": _("PDF, images, text, Office and drawings, up to {most} MB each").format(most=most),
            "comment": _("What is new, if you like") if has_comment else "",
            "cancel": _("Cancel"),
            "again": _("Try again"),
            "waiting": _("Waits"),
            "sent": _("{done} of {whole} MB sent"),
            "arriving": _("Arrived. One moment …"),
            "done": _("Stored"),
            "quarantined": _("Stored; in quarantine until it has been searched for viruses"),
            "stopped": _("Cancelled; nothing of it was kept"),
            "same": _("The same file is in:"),
            "large": _("Larger than {most} MB, the most that is taken. It was not sent."),
            "empty": _("It has 0 bytes. It was not sent."),
            "codes": {
                "documents.type-not-allowed": _("A file of this type is not taken; it goes by what is in it."),
                "documents.too-large": _("It is larger than what is taken. Nothing of it was kept."),
                "documents.cut-short": _("Not all of it arrived. Nothing of it was kept; send it again."),
                "files.full": _("The store of files is full. Nothing of it was kept; tell an administrator."),
                "files.unreachable": _("The store of files does not answer. Nothing of it was kept; try again later."),
            },
            "failed": _("The file did not arrive. Check the connection and try again."),
        }
        self.on("sent", self._sent)

    def ask(self, query: Mapping[str, str]) -> None:
        """What goes with each file from now on."""
        self.props["query"] = dict(query)
        self.update()

    async def _sent(self, event: GenericEventArguments) -> None:
        await self._on_sent(event.args)
