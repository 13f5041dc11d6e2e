"""What a page says when there is nothing to show: why, and what to do about it."""

from http import HTTPStatus

from nicegui.context import context

from athanor.web.components.words import Words, icon, link, region


def empty_state(
    title: str,
    text: str = "",
    *,
    glyph: str = "inbox",
    action: tuple[str, str] | None = None,
    is_missing: bool = False,
    is_refused: bool = False,
) -> None:
    """`action` is a label and an address; a page, while it is built, answers 404 or 403 where it says why not."""
    if is_missing or is_refused:
        context.client.status_code = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.FORBIDDEN
    with region("ath-empty"):
        icon(glyph)
        Words(title, "h2")
        if text:
            Words(text, "p")
        if action:
            link(action[0], action[1], "ath-button")
