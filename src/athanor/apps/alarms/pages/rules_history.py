"""What a rule said before: each revision with who, when, why, what differs; an old one can be put back."""

from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.alarms.pages import rules_words as words
from athanor.apps.alarms.services import rules as services
from athanor.kernel.alarms.rulebook import HOUSE, KeptRule, Revision, RuleBook
from athanor.kernel.identity.user import User
from athanor.web.components import Dialog, Said, Words, button, dialog_form, form_lines, region
from athanor.web.formatting import NOTHING, date_time
from athanor.web.language import _


async def show_revisions(book: RuleBook, viewer: User, kept: KeptRule, address: str, timezone: str) -> None:
    """A card with all of them, the newest first."""
    found = await book.revisions(viewer, kept.id)
    may_change = book.may_change(viewer, kept.tenant)
    dialog = Dialog()

    async def put_back(one: Revision, said: Said) -> None:
        reason = said.get("reason", "")
        await book.restore(viewer, kept.id, one.number, revision=kept.revision, reason=reason, address=address)
        ui.navigate.to(f"/alarms/rules/{kept.id}")

    def ask(one: Revision) -> None:
        title = _("Put revision {n} back").format(n=one.number)
        with (
            dialog.filling(title),
            dialog_form(lambda said: put_back(one, said), _("Put it back"), on_cancel=dialog.close),
        ):
            form_lines(_("Why, for the record"), "reason")

    zone = ZoneInfo(timezone)
    with region("ath-card", "section", aria_label=_("Revisions")):
        with region("ath-card-head"):
            Words(_("Revisions"), "h2")
        with region("ath-card-body ath-fields"):
            for one, older in zip(found, [*found[1:], None], strict=True):
                _show(one, older, zone)
                if may_change and one is not found[0]:
                    with region("ath-actions"):
                        button(_("Put back…"), lambda one=one: ask(one), glyph="history")


def _show(one: Revision, older: Revision | None, zone: ZoneInfo) -> None:
    by = _("built in") if one.by == HOUSE else one.by
    with region():
        Words(f"{one.number} · {date_time(one.at, zone)} · {by}", "strong")
        if one.by != HOUSE:
            Words(one.reason, "p")
        if older is None:
            return
        changed = services.differences(older, one)
        with region("ath-table", "table", aria_label=_("What differs")):
            with region(tag="thead"), region(tag="tr"):
                for title in (_("Field"), _("Before"), _("After")):
                    Words(title, "th")
            with region(tag="tbody"):
                for name, before, after in changed:
                    with region(tag="tr"):
                        Words(words.title_of(name), "td")
                        Words(words.shown(name, before) or NOTHING, "td")
                        Words(words.shown(name, after) or NOTHING, "td")
