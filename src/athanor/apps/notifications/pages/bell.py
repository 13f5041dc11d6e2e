"""In the frame of every page: the way to one's own messages, and how many are unread."""

from athanor.kernel.identity.user import User
from athanor.kernel.notify.service import Notify
from athanor.web.components import Words, icon, region
from athanor.web.language import _
from athanor.web.live import every_second

_EVERY = 5  # beats of a second
_MOST = 99


def bell(viewer: User, notify: Notify) -> None:
    """Draw it, and keep it up to date."""
    with region("ath-button is-icon is-plain ath-inbox-bell", "a", href="/notifications") as box:
        icon("mail")
        count = Words("", "span", "ath-inbox-count")
    beats = 0

    async def look() -> None:
        unread = await notify.inbox.unread(viewer)
        count.text = "" if not unread else str(unread) if unread <= _MOST else f"{_MOST}+"
        said = _("{n} unread messages").format(n=unread)
        if box.props.get("aria-label") != said:
            box.props["aria-label"] = box.props["title"] = said
            box.update()

    async def beat() -> None:
        nonlocal beats
        if beats % _EVERY == 0:
            await look()
        beats += 1

    box.props["aria-label"] = box.props["title"] = _("Messages")
    every_second(beat)
