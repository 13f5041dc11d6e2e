"""The versions of a document: what came when, by whom, and how its size changed."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from athanor.apps.documents.domain.sizes import size_text
from athanor.apps.documents.pages import wording
from athanor.apps.documents.pages.preview import content_address
from athanor.kernel.documents.records import Told
from athanor.kernel.documents.tables import Scan, VersionRow
from athanor.web.components import Dialog, Said, Words, button, dialog_form, icon, link, region, status
from athanor.web.language import _

_IN_A_ROW = "display: inline-flex; align-items: center; gap: 4px"
_HELD = (Scan.PENDING, Scan.INFECTED)


def versions_card(told: Told, zone: ZoneInfo, go_back: Callable[[int], Awaitable[None]] | None, dialog: Dialog) -> None:
    """Newest first. `go_back` is None where the viewer may not."""
    titles = (_("Version"), _("File"), _("Size"), _("Uploaded"), _("State"))
    with region("ath-card", "section", aria_label=_("Versions")):
        with region("ath-card-head"):
            Words(_("Versions"), "h2")
        with region("ath-table-scroll"), region("ath-table is-stacked", "table", aria_label=_("Versions")):
            with region(tag="thead"), region(tag="tr"):
                for title in (*titles, ""):
                    Words(title, "th")
            with region(tag="tbody"):
                before = {one.number: told.versions[place + 1] for place, one in enumerate(told.versions[:-1])}
                for one in told.versions:
                    is_older = one.number != told.document.newest and one.scan != Scan.INFECTED
                    with region(tag="tr"):
                        _cells(one, before.get(one.number), told, titles, zone)
                        with region("is-number is-nowrap", "td"), region().style(_IN_A_ROW):
                            _actions(one, go_back if is_older else None, dialog)


def _cells(one: VersionRow, before: VersionRow | None, told: Told, titles: tuple[str, ...], zone: ZoneInfo) -> None:
    with region("", "td", data_label=titles[0]):
        Words(str(one.number))
    cells = (
        ("is-wide", one.file_name, _comment(one, told)),
        ("is-nowrap", size_text(one.size), _growth(one, before)),
        ("is-nowrap", wording.minute(one.made_at, zone), one.made_by),
    )
    for title, (classes, text, note) in zip(titles[1:], cells, strict=False):
        with region(classes, "td", data_label=title), region():
            Words(text)
            if note:
                Words(note, "small")
    with region("", "td", data_label=titles[4]), region():
        status(*wording.scan_text(one))


def _comment(one: VersionRow, told: Told) -> str:
    """What was said of it; of one that was gone back to, to which."""
    origin = min(other.number for other in told.versions if other.blob == one.blob)
    return one.comment if origin == one.number else _("as version {n}").format(n=origin)


def _growth(one: VersionRow, before: VersionRow | None) -> str:
    """How it differs from the one before."""
    if before is None:
        return ""
    if one.sha256 == before.sha256:
        return _("the same file")
    growth = one.size - before.size
    sign = "+" if growth >= 0 else "\u2212"
    return f"{sign}{size_text(abs(growth))}"


def _actions(one: VersionRow, go_back: Callable[[int], Awaitable[None]] | None, dialog: Dialog) -> None:
    if one.scan not in _HELD:
        text = _("Download version {n}").format(n=one.number)
        with link("", content_address(one), "ath-button is-plain") as download:
            icon("download")
        download.props["aria-label"] = download.props["title"] = text
        download.props["download"] = one.file_name
    if go_back is not None:
        button(_("Go back to it…"), lambda: _ask(one, go_back, dialog), classes="is-plain")


def _ask(one: VersionRow, go_back: Callable[[int], Awaitable[None]], dialog: Dialog) -> None:
    async def send(_said: Said) -> None:
        await go_back(one.number)

    with dialog.filling(_("Go back to an earlier version")), dialog_form(send, _("Go back"), on_cancel=dialog.close):
        text = _("Version {n} becomes the newest again, as a new version. Nothing is lost.")
        Words(text.format(n=one.number), "p")
