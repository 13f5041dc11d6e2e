"""Who did what: the audit trail, narrowed by a form whose fields are the page's address, so that it can be shared."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request

from athanor.apps.security.pages import words
from athanor.apps.security.pages.entries_table import EntriesTable
from athanor.apps.security.pages.tabs import tabs
from athanor.apps.security.pages.verifying import verifying
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import folded
from athanor.kernel.identity.trail import Wanted
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, button, link, region
from athanor.web.language import _

_LONGEST = 200
_MINUTE = "%Y-%m-%dT%H:%M"
_FIELDS = ("actor", "action", "subject", "address", "text", "from", "to")


async def audit(request: Request, park: RunningPlant, db: Database, bus: Bus, viewer: User) -> None:
    """The form, the entries that it asks for, their export, and whether the chain is whole."""
    tabs("/security/audit")
    zone = ZoneInfo(park.model.timezone)
    given = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    wanted, trouble = wanted_of(given, zone)
    if viewer.tenants is None:
        await verifying(db, bus, viewer, zone, request.client.host if request.client else "")
    _form(given, zone, trouble)
    with region("ath-card", "section"):
        EntriesTable(
            db,
            viewer,
            zone,
            lambda: wanted,
            caption=_("Entries, the newest first"),
            nothing=_("No entry is like that. Leave a field empty, or make the period longer."),
        )
        _exports(wanted)


def wanted_of(given: Mapping[str, str], zone: ZoneInfo) -> tuple[Wanted, bool]:
    """What the fields ask for, and whether one of the times is none; that one then narrows nothing."""
    start, starts_badly = _moment(given["from"], zone)
    end, ends_badly = _moment(given["to"], zone)
    wanted = Wanted(
        actor=given["actor"] if " " in given["actor"] else folded(given["actor"]),
        actions=frozenset({given["action"]} - {""}),
        subject=given["subject"],
        address=given["address"],
        text=given["text"],
        start=start,
        end=None if end is None else end + timedelta(minutes=1),  # the minute that is named is within
    )
    return wanted, starts_badly or ends_badly


def _moment(text: str, zone: ZoneInfo) -> tuple[datetime | None, bool]:
    if not text:
        return None, False
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)), False
    except ValueError:
        return None, True


def _form(given: Mapping[str, str], zone: ZoneInfo, trouble: bool) -> None:  # noqa: FBT001
    with (
        region("ath-card", "section", aria_label=_("Which entries")),
        region("ath-fields", "form", method="get", action="/security/audit").style("padding: 12px 16px"),
    ):
        with region("ath-fields-row"):
            _input(_("Who (login, edge, job)"), "actor", given["actor"])
            _select(_("What"), "action", given["action"])
            _input(_("To what"), "subject", given["subject"])
            _input(_("From where"), "address", given["address"])
        with region("ath-fields-row"):
            _input(_("Any text"), "text", given["text"], kind="search")
            _input(_("From ({zone})").format(zone=zone), "from", given["from"], kind="datetime-local")
            _input(_("To ({zone})").format(zone=zone), "to", given["to"], kind="datetime-local")
            with region("ath-choices"):
                button(_("Show"), classes="ath-button is-main").props["type"] = "submit"
                link(_("All entries"), "/security/audit", "ath-button")
        if trouble:
            Words(_("That is no time; it narrows nothing. Write it like 2026-05-04T07:30."), "p", "is-urgent")


def _input(label: str, name: str, value: str, *, kind: str = "text") -> None:
    with region(tag="label"):
        Words(label)
        field = region("", "input", type=kind, name=name, autocomplete="off", maxlength=str(_LONGEST))
        field.props["value"] = value


def _select(label: str, name: str, chosen: str) -> None:
    texts = sorted(((words.action_text(action), action) for action in words.ACTIONS), key=lambda pair: pair[0])
    if chosen and chosen not in words.ACTIONS:
        texts.append((chosen, chosen))
    with region(tag="label"):
        Words(label)
        with region("", "select", name=name):
            for text, value in [(_("Everything"), ""), *texts]:
                option = Words(text, "option")
                option.props["value"] = value
                if value == chosen:
                    option.props["selected"] = True


def _exports(wanted: Wanted) -> None:
    with region("ath-form-foot"):
        link(_("Export as CSV"), export_address(wanted, "csv"), "ath-button")
        link(_("Export as JSON lines"), export_address(wanted, "jsonl"), "ath-button")
        Words(
            _("Each line carries its chain, so that anybody can check the file. An export is itself entered."), "span"
        )


def export_address(wanted: Wanted, form: str) -> str:
    """Where the file of these entries is fetched."""
    query: list[tuple[str, str]] = [("form", form)]
    query += [
        (name, getattr(wanted, name)) for name in ("actor", "subject", "address", "text") if getattr(wanted, name)
    ]
    query += [("action", action) for action in sorted(wanted.actions)]
    query += [
        (name, moment.isoformat())
        for name, moment in (("from", wanted.start), ("to", wanted.end))
        if moment is not None
    ]
    return f"/api/v1/security/audit/export?{urlencode(query)}"
