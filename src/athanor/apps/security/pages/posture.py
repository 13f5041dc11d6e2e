"""How the installation stands: tiles, what to look at, and the time line of what happened."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request

from athanor.apps.security.pages import words
from athanor.apps.security.pages.entries_table import EntriesTable
from athanor.apps.security.pages.tabs import tabs
from athanor.apps.security.services.acts import is_about_security
from athanor.apps.security.services.posture import Concern, Finding, Posture
from athanor.apps.security.services.posture import posture as posture_of
from athanor.apps.security.services.reading import note_findings_export
from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import folded
from athanor.kernel.identity.trail import Wanted
from athanor.kernel.identity.user import User
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transport import Transport
from athanor.web.components import Cell, Column, Kpi, Words, button, data_table, kpi, kpi_strip, link, region
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING, date_time, duration, number
from athanor.web.language import _
from athanor.web.live import every_second

_LOOK_EVERY = 30  # beats of a second
_MANY_REFUSED = 20
_LONGEST = 200


async def posture(
    request: Request, park: RunningPlant, db: Database, sources: SourceStates, transport: Transport, viewer: User
) -> None:
    """Tiles that are kept up to date; below them findings, versions and the time line."""
    tabs("/security")
    zone = ZoneInfo(park.model.timezone)
    found = await posture_of(db, sources, transport, viewer, datetime.now(UTC))
    tiles = Tiles(found, is_park=viewer.tenants is None)
    _findings(found, zone, partial(note_findings_export, db, viewer, address=_address(request)))
    timeline = _timeline(request, db, viewer, zone)
    if found.versions:
        _versions(found)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1
        if beats % _LOOK_EVERY == 0:
            tiles.show(await posture_of(db, sources, transport, viewer, datetime.now(UTC)))
            await timeline.refresh()

    every_second(beat)


class Tiles:
    """The figures that matter."""

    def __init__(self, found: Posture, *, is_park: bool) -> None:
        with kpi_strip():
            self._refused, self._locked = kpi(_("Sign-ins refused, 24 h")), kpi(_("Logins locked now"))
            self._patterns = kpi(_("Unusual patterns, 7 d"))
            self._bare, self._unused = kpi(_("Without second factor")), kpi(_("Accounts not used, 90 d"))
            self._tokens = kpi(_("Tokens to look at"))
            self._edges = kpi(_("Edges not seen")) if is_park else None
            self._certificate = kpi(_("Certificate")) if is_park else None
            self._chain = kpi(_("Audit trail"))
        self.show(found)

    def show(self, found: Posture) -> None:
        """These figures."""
        refused = found.refused_sign_ins
        self._refused.set(number(refused), state="is-warn" if refused >= _MANY_REFUSED else "")
        self._locked.set(number(found.locked), state=_warn(found.locked))
        self._patterns.set(number(found.patterns), state="is-urgent" if found.patterns else "")
        bare, unused = len(found.of(Concern.NO_SECOND_FACTOR)), len(found.of(Concern.UNUSED_ACCOUNT))
        self._bare.set(number(bare), note=_("administrators"), state=_warn(bare))
        self._unused.set(number(unused), state=_warn(unused))
        ending, idle = len(found.of(Concern.TOKEN_ENDS)), len(found.of(Concern.UNUSED_TOKEN))
        note = _("{n} end soon, {m} not used").format(n=number(ending), m=number(idle))
        self._tokens.set(number(ending + idle), note=note, state=_warn(ending + idle))
        if self._edges is not None:
            silent = len(found.of(Concern.EDGE_SILENT))
            of_all = _("of {n} known").format(n=number(found.edges))
            self._edges.set(number(silent), note=of_all, state=_warn(silent))
        if self._certificate is not None:
            self._show_certificate(self._certificate, found)
        self._show_chain(found)

    def _show_certificate(self, tile: Kpi, found: Posture) -> None:
        if found.certificate_ends_at is not None:
            left = duration((found.certificate_ends_at - found.at).total_seconds())
            tile.set(left, note=_("until it ends"), state=_warn(len(found.of(Concern.CERTIFICATE_ENDS))))
        elif found.of(Concern.IN_THE_CLEAR):
            tile.set(_("none"), note=_("plain HTTP on a network"), state="is-urgent")
        elif found.of(Concern.BAD_CERTIFICATE):
            tile.set(NOTHING, note=_("cannot be read"), state="is-urgent")
        else:
            tile.set(NOTHING, note=_("the proxy's") if found.transport.is_behind_proxy else _("this machine alone"))

    def _show_chain(self, found: Posture) -> None:
        if found.checked is None:
            self._chain.set(NOTHING, note=_("not checked yet"))
            return
        age = duration((found.at - found.checked.at).total_seconds())
        self._chain.set(
            _("whole") if found.checked.is_whole else _("broken"),
            note=_("checked {age} ago").format(age=age),
            state="" if found.checked.is_whole else "is-urgent",
        )


def _warn(count: int) -> str:
    return "is-warn" if count else ""


def _findings(found: Posture, zone: ZoneInfo, on_export: Callable[[int], Awaitable[None]]) -> None:
    columns = [
        Column("what", _("What"), is_wide=True),
        Column("who", _("Who or which")),
        Column("at", _("Since or until")),
        Column("cure", _("Advice"), is_sortable=False, is_wide=True),
    ]
    with region("ath-card", "section"):
        data_table(
            [_finding_row(one, zone) for one in found.findings],
            columns,
            caption=_("To look at"),
            nothing=_("Nothing: accounts, tokens and edges are as they should be."),
            export_name="security-findings",
            on_export=on_export,
        )


def _finding_row(one: Finding, zone: ZoneInfo) -> Row:
    what, cure = words.concern(one)
    return {
        "what": Cell(what, state="is-warn", mark="▲"),
        "who": Cell(one.who, note=one.what, address=f"/security?person={quote(one.who)}"),
        "at": NOTHING if one.at is None else date_time(one.at, zone),
        "cure": cure,
    }


def _timeline(request: Request, db: Database, viewer: User, zone: ZoneInfo) -> EntriesTable:
    """What happened, of everybody or of one person; who is asked for is in the address."""
    person = request.query_params.get("person", "").strip()[:_LONGEST]
    actions = frozenset(action for action in words.ACTIONS if is_about_security(action))
    wanted = Wanted(actor=person if " " in person else folded(person), actions=actions)
    with region("ath-card", "section", id="timeline"):
        with region("ath-choices", "form", method="get", action="/security").style("padding: 12px 16px 0"):
            with region("ath-choice", "label"):
                Words(_("Person, by login"))
                field = region("", "input", type="search", name="person", autocomplete="off")
                field.props["value"] = person
            button(_("Show"), classes="ath-button is-main").props["type"] = "submit"
            if person:
                link(_("Everybody"), "/security", "ath-button")
        return EntriesTable(
            db,
            viewer,
            zone,
            lambda: wanted,
            caption=_("Time line of {person}").format(person=person) if person else _("Time line"),
            nothing=_("Nothing happened that concerns security."),
        )


def _versions(found: Posture) -> None:
    with region("ath-card", "section"):
        data_table(
            [{"what": name, "version": version} for name, version in found.versions],
            [Column("what", _("Program")), Column("version", _("Version"))],
            caption=_("Versions of programs"),
            is_searchable=False,
        )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
