"""The heading of a page, with room beside it for what the page is about right now."""

from nicegui import ui

from athanor.web.components.words import Words, region


def page_title(title: str, summary: str = "") -> ui.element:
    """Show the page's only first-level heading; enter the answer with `with` to put controls beside it."""
    ui.page_title(f"{title} · Athanor")
    row = region("ath-title")
    with row:
        Words(title, "h1")
        if summary:
            Words(summary, "span", "ath-summary")
    return row
