"""A dialog: what has to be settled before the page goes on. The browser's own, so that keys and readers know it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nicegui import ui

from athanor.web.components.words import Words, button, region
from athanor.web.language import _


class Dialog:
    """Built once, filled anew each time it is opened. Escape and the cross close it.

    Parameters
    ----------
    on_close
        Called when it has closed, however that came.
    """

    def __init__(self, *, on_close: Callable[[], None] | None = None) -> None:
        with region("ath-dialog", "dialog") as self._element:
            with region("ath-card-head"):
                self._title = Words("", "h2")
                region("ath-space")
                button(
                    _("Close"),
                    glyph="close",
                    classes="is-icon is-plain",
                    js_handler="(event) => event.currentTarget.closest('dialog').close()",
                )
            self._body = region("ath-dialog-body")
        if on_close is not None:
            self._element.on("close", lambda _event: on_close(), args=[])

    @contextmanager
    def filling(self, title: str) -> Iterator[ui.element]:
        """Open it with this title and what is built within the block."""
        self._title.text = title
        self._element.props["aria-label"] = title
        self._element.update()
        self._body.clear()
        with self._body:
            yield self._body
        self._element.run_method("showModal")

    def close(self) -> None:
        """Close it; one that is closed already stays so."""
        self._element.run_method("close")
