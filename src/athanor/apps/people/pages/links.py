"""A link that is told only now: shown with its end, to be copied."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.people.services.people import Link
from athanor.web.components import Dialog, Words, button, region
from athanor.web.formatting import date_time
from athanor.web.invitation import invitation_link
from athanor.web.language import _

# `navigator.clipboard` is there only on https and on this machine; elsewhere the older way does.
_COPY = """(event) => {
  const button = event.currentTarget, field = button.parentElement.querySelector("input");
  field.select();
  const done = () => { button.querySelector("span:last-child").textContent = %s; };
  const older = () => { document.execCommand("copy"); done(); };
  if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(done, older); else older();
}"""


def hand_over(dialog: Dialog, title: str, link: Link, server: str, zone: ZoneInfo) -> None:
    """Show a link once; the page is drawn anew when the person has taken it."""
    end = date_time(datetime.now(UTC) + link.lasts, zone)
    with dialog.filling(title), region("ath-fields"):
        Words(_("Hand this link over in person or by a message that only they read. It is shown only now."), "p")
        with region("ath-handover"):
            field = region("", "input", type="text", readonly="", name="link", aria_label=_("Link"))
            field.props["value"] = f"{server.rstrip('/')}{invitation_link(link.token)}"
            button(_("Copy"), glyph="content_copy", js_handler=_COPY % json.dumps(_("Copied")))
        Words(_("It opens once, until {time}.").format(time=end), "p")
        with region("ath-dialog-foot"):
            button(_("Done"), ui.navigate.reload, classes="is-main")
