"""What is around every page: header, navigation from the apps' manifests, language, theme, the person's menu."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.kernel.apps.app import App
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Text
from athanor.web.components.words import Words, button, icon, link, region
from athanor.web.formatting import clock_time
from athanor.web.language import LANGUAGES, _, current_language, text_of
from athanor.web.live import every_second
from athanor.web.theme import MARK, THEMES

ACCOUNT = "/account"


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    address: str
    title: Text
    icon: str
    permission: str


def places(apps: Sequence[App]) -> list[Place]:
    """The apps that have a home page, in the order of their manifests."""
    return [
        Place(page.path, app.manifest.title, app.manifest.icon, page.permission)
        for app in sorted(apps, key=lambda app: (app.manifest.order, app.manifest.id))
        for page in app.pages
        if page.path == f"/{app.manifest.id}"
    ]


@contextmanager
def frame(
    viewer: User,
    navigation: Sequence[Place],
    *,
    here: str,
    park: Text,
    timezone: str,
    fixtures: Sequence[Callable[[User], None]] = (),
) -> Iterator[ui.element]:
    """The page's frame; what is built within the block becomes its content.

    `fixtures` draw what apps have in the header.
    """
    with region("ath", lang=current_language().replace("_", "-")):
        link(_("Skip to content"), "#content", "ath-skip")
        _header(viewer, park, timezone, fixtures)
        with region("ath-body"):
            _navigation([place for place in navigation if viewer.may(place.permission)], here)
            region("ath-scrim").on("click", js_handler="() => athanor.toggleNavigation(false)")
            with region("ath-main", "main", id="content", tabindex="-1") as main:
                yield main


def _header(viewer: User, park: Text, timezone: str, fixtures: Sequence[Callable[[User], None]]) -> None:
    with region("ath-header", "header"):
        toggle = button(
            _("Navigation"),
            glyph="menu",
            classes="is-icon is-plain ath-only-phone ath-nav-button",
            js_handler="() => athanor.toggleNavigation()",
        )
        toggle.props["aria-expanded"] = "false"
        with link("", "/", "ath-brand"):
            ui.html(MARK, sanitize=False, tag="span").props("aria-hidden=true").classes("ath-mark")
            Words(text_of(park))
        region("ath-space")
        with region("ath-header-info"):
            _clock(timezone)
        for draw in fixtures:
            draw(viewer)
        _preferences(viewer)


def _clock(timezone: str) -> None:
    zone = ZoneInfo(timezone)
    clock = Words(clock_time(datetime.now(UTC), zone), "span", "ath-clock")
    clock.describe(_("Time at the plant ({zone})").format(zone=timezone))
    every_second(lambda: clock.show(clock_time(datetime.now(UTC), zone), "ath-clock"))


def _preferences(viewer: User) -> None:
    with region("ath-menu", "details"):
        with region("ath-button is-plain", "summary", aria_label=_("Your settings")):
            icon("account_circle")
            Words(viewer.name or viewer.login, "span", "ath-only-wide")
        with region():
            Words(viewer.login, "div", "ath-menu-title")
            Words(_("Language"), "div", "ath-menu-title")
            for language, name in LANGUAGES.items():
                chosen = button(name, classes="is-plain", js_handler=f"() => athanor.chooseLanguage('{language}')")
                chosen.props["aria-pressed"] = str(language == current_language()).lower()
                chosen.props["lang"] = language.replace("_", "-")
            Words(_("Appearance"), "div", "ath-menu-title")
            names = {"system": _("As the system"), "light": _("Light"), "dark": _("Dark")}
            for theme in THEMES:
                chosen = button(names[theme], classes="is-plain", js_handler=f"() => athanor.chooseTheme('{theme}')")
                chosen.props["data-choose-theme"] = theme
            region(tag="hr")
            with link("", ACCOUNT, "ath-button is-plain"):
                icon("manage_accounts")
                Words(_("My account"))
            with (
                region(tag="form", method="post", action="/sign-out"),
                region("is-plain", "button", type="submit"),
            ):
                icon("logout")
                Words(_("Sign out"))


def _navigation(entries: Sequence[Place], here: str) -> None:
    with region("ath-nav", "nav", aria_label=_("Apps")):
        for place in entries:
            with link("", place.address) as entry:
                icon(place.icon)
                Words(text_of(place.title))
            if here == place.address or here.startswith(place.address + "/"):
                entry.props["aria-current"] = "page"
