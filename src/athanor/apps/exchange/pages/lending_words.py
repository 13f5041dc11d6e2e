"""How grants of areas are called in the reader's language."""

from datetime import datetime
from zoneinfo import ZoneInfo

from athanor.apps.exchange.pages import wording
from athanor.apps.exchange.services.lending import State
from athanor.kernel.identity.grants import Offer
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import TagKind
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status
from athanor.web.language import _, text_of


def state(one: State) -> tuple[str, Status]:
    """Where a grant stands."""
    return {
        State.TO_COME: (_("Begins later"), Status.UNSURE),
        State.IN_EFFECT: (_("In effect"), Status.NORMAL),
        State.ENDED: (_("Ended"), Status.WARN),
        State.REVOKED: (_("Revoked"), Status.WARN),
    }[one]


def kinds() -> dict[TagKind, str]:
    """Kinds of tags."""
    return {
        TagKind.ANALOG: _("Measured values"),
        TagKind.SETPOINT: _("Setpoints"),
        TagKind.STATE: _("States"),
        TagKind.COUNTER: _("Counters"),
        TagKind.TEXT: _("Texts"),
    }


def kinds_text(chosen: frozenset[str]) -> str:
    """`Measured values, States`."""
    if not chosen:
        return _("All kinds")
    return ", ".join(text for kind, text in kinds().items() if kind in chosen)


def area_text(park: RunningPlant, path: str) -> str:
    """`Smelter › Smelting`; the path where it is gone from the plant."""
    if path not in park.model.nodes:
        return path
    return " › ".join(text_of(node.name) for node in way_to(park, path))


def data_from_text(offer: Offer, zone: ZoneInfo) -> str:
    """`from 2026-05-04`."""
    return _("All there is") if offer.data_from is None else day(offer.data_from, zone)


def day(moment: datetime, zone: ZoneInfo) -> str:
    """The date on the site's clock."""
    return moment.astimezone(zone).date().isoformat()


def last_day(offer: Offer, zone: ZoneInfo) -> str:
    """The last date on which it holds."""
    return wording.last_day(offer.ends_at, zone)
