"""Plain pieces of a page: text, link, button, icon, region. Text is always text: no markup in it is ever obeyed."""

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

# NiceGUI evaluates props whose name starts with a colon as JavaScript. Our props are set by name, never parsed from
# text that a person wrote, so a tag called `x :onclick=…` stays a name.


class Words(TextElement):
    """A piece of text in any HTML element. Setting `text` to what it already says sends nothing."""

    def __init__(self, text: str = "", tag: str = "span", classes: str = "") -> None:
        super().__init__(tag=tag, text=text)
        self._shown_classes = classes
        if classes:
            self.classes(classes)

    def show(self, text: str, classes: str = "") -> None:
        """Say this in this dress; what is the same as before is not sent again."""
        self.text = text
        if classes != self._shown_classes:
            self._shown_classes = classes
            self.classes(replace=classes)
            self.update()

    def describe(self, title: str) -> None:
        """What the pointer's tip says; also sent only when it changed."""
        if self.props.get("title", "") != title:
            self.props["title"] = title
            self.update()


def region(classes: str = "", tag: str = "div", **attributes: str) -> ui.element:
    """A container; `attributes` are HTML's, an underscore for a hyphen."""
    element = ui.element(tag)
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        element.props[name.rstrip("_").replace("_", "-")] = value
    return element


def link(text: str, address: str, classes: str = "") -> Words:
    """A link within Athanor."""
    words = Words(text, "a", classes)
    words.props["href"] = address
    return words


def icon(name: str) -> Words:
    """A Material icon, for the eye only."""
    glyph = Words(name, "span", "material-icons")
    glyph.props["aria-hidden"] = "true"
    return glyph


def button(
    text: str,
    on_click: Callable[..., Any] | None = None,
    *,
    glyph: str | None = None,
    classes: str = "",
    js_handler: str | None = None,
) -> ui.element:
    """A button; with `is-icon` among its classes only the glyph shows and the text is its name.

    `js_handler` runs in the browser instead of `on_click` on the server.
    """
    element = region(classes, "button", type="button")
    is_icon_only = "is-icon" in classes.split()
    with element:
        if glyph:
            icon(glyph)
        if not is_icon_only:
            Words(text)
    if is_icon_only:
        element.props["aria-label"] = text
        element.props["title"] = text
    if js_handler:
        element.on("click", js_handler=js_handler)
    elif on_click:
        element.on("click", lambda _event: on_click(), args=[])
    return element


def on_enter(element: ui.element, action: Callable[[str], Any]) -> None:
    """Call `action` with the text of an input when the person presses Enter."""

    def heard(event: GenericEventArguments) -> Any:
        return action(str(event.args))

    element.on("keydown.enter", heard, js_handler="(event) => emit(event.target.value)")
