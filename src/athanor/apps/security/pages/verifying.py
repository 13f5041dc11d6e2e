"""Whether the chain of the audit trail is whole: what the last check said, and a button for another."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from athanor.apps.security.services.chain import Checked, last_checked, verify_chain
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import Verified
from athanor.kernel.identity.user import User
from athanor.web.components import Status, Words, button, region, status
from athanor.web.components.status import StatusChip
from athanor.web.formatting import date_time, number
from athanor.web.language import _

_SHOWN_CHAIN = 16


async def verifying(db: Database, bus: Bus, viewer: User, zone: ZoneInfo, address: str) -> None:
    """A card with the state of the chain, for the park's people."""
    with region("ath-card", "section", aria_label=_("Chain of the audit trail")), region("ath-actions"):
        chip = status("")
        said = Words("", "span").style("overflow-wrap: anywhere; min-width: 0")

        async def check() -> None:
            chip.set(_("Checking the chain …"), Status.UNSURE)
            said.show("")
            verified = await verify_chain(db, bus, actor=viewer.login, address=address)
            _say(chip, said, verified, datetime.now(UTC), zone)

        region("ath-space")
        button(_("Verify the chain"), check, glyph="link", classes="ath-button")
    checked = await last_checked(db)
    if checked is None:
        chip.set(_("Not checked yet"), Status.UNSURE)
        said.show(_("It is checked once a day by itself."))
    else:
        _say(chip, said, _as_verified(checked), checked.at, zone)


def _as_verified(checked: Checked) -> Verified:
    detail = checked.detail
    return Verified(
        int(detail["entries"]),
        str(detail["chain"]),
        None if checked.is_whole else str(detail.get("fault")),
        detail.get("entry"),
    )


def _say(chip: StatusChip, said: Words, verified: Verified, at: datetime, zone: ZoneInfo) -> None:
    shown = {"n": number(verified.rows), "chain": verified.chain[:_SHOWN_CHAIN] + "…", "time": date_time(at, zone)}
    if verified.is_whole:
        chip.set(_("The chain is whole"))
        said.show(_("{n} entries, none changed or missing; head {chain}, checked {time}").format(**shown))
        return
    chip.set(_("The chain is broken"), Status.URGENT)
    if verified.entry is None:
        said.show(_("Entries were removed or added after the {n} that are as written; checked {time}").format(**shown))
    else:
        text = _("Entry {entry} was changed, or one before it removed; {n} before it are as written; checked {time}")
        said.show(text.format(entry=verified.entry, **shown))
