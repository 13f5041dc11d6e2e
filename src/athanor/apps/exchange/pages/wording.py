"""How things of data sharing are called in the reader's language."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from athanor.apps.exchange.domain.offer import Column, Difference, Offer
from athanor.apps.exchange.domain.promises import Rule
from athanor.apps.exchange.models import GrantRow
from athanor.apps.exchange.services.access import GrantState
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import display_unit
from athanor.web.components import Status
from athanor.web.formatting import NOTHING, number, percent
from athanor.web.language import _, text_of


def tenant_name(park: RunningPlant, tenant: str | None) -> str:
    """An enterprise, or the park's own people."""
    if tenant is None:
        return _("The park")
    known = park.model.tenants.get(tenant)
    return tenant if known is None else text_of(known.name)


def steps() -> dict[str, str]:
    """The steps that are offered for choosing; any other of the historian's can be published by a program."""
    return {
        "": _("Samples as they came"),
        "1m": _("1 minute"),
        "15m": _("15 minutes"),
        "1h": _("1 hour"),
        "shift": _("Shift"),
        "day": _("Day"),
        "month": _("Month"),
    }


def measures() -> dict[str, str]:
    """What a step comes to."""
    return {
        "mean": _("Mean"),
        "min": _("Lowest"),
        "max": _("Highest"),
        "last": _("Last"),
        "integral": _("Integral (kW becomes kWh)"),
        "delta": _("Consumption of a counter"),
        "count": _("Number of samples"),
        "share_good": _("Share of time good"),
    }


def step_text(offer: Offer) -> str:
    """`15 minutes, Mean`."""
    if offer.step is None:
        return _("Samples as they came")
    return f"{steps().get(offer.step, offer.step)}, {measures().get(offer.how, offer.how)}"


def rule_text(rule: str) -> str:
    """What was breached."""
    texts = {Rule.SCHEMA: _("Schema"), Rule.FRESHNESS: _("Freshness"), Rule.COMPLETENESS: _("Completeness")}
    return texts[Rule(rule)]


def grant_state(grant: GrantRow, now: datetime) -> tuple[str, Status]:
    """Where a request stands."""
    if grant.state == GrantState.APPROVED:
        return (_("Expired"), Status.WARN) if grant.ends_at <= now else (_("Approved"), Status.NORMAL)
    return {
        GrantState.REQUESTED: (_("Waiting for a decision"), Status.UNSURE),
        GrantState.REFUSED: (_("Refused"), Status.WARN),
        GrantState.REVOKED: (_("Revoked"), Status.WARN),
    }[GrantState(grant.state)]


def last_day(ends_at: datetime, zone: ZoneInfo) -> str:
    """The last day on which something holds that ends at this moment."""
    return (ends_at - timedelta(microseconds=1)).astimezone(zone).date().isoformat()


def freshness_text(freshness_min: float | None) -> str:
    """`newest value at most 5 min old`."""
    if freshness_min is None:
        return _("not promised")
    return _("newest value at most {n} min old").format(n=f"{freshness_min:g}")


def completeness_text(share: float | None) -> str:
    """`at least 95.0 % of a day's samples`."""
    if share is None:
        return _("not promised")
    return _("at least {share} of a day's samples").format(share=percent(share))


def difference_text(one: Difference, zone: ZoneInfo) -> str:
    """`Reach: 1 → 7`."""
    titles = {
        "name": _("Name"),
        "description": _("Description"),
        "step": _("Step"),
        "how": _("Measure"),
        "back_days": _("Reach [d]"),
        "purpose": _("Allowed purpose"),
        "contact": _("Contact"),
        "freshness_min": _("Freshness [min]"),
        "completeness": _("Completeness"),
        "valid_from": _("Valid from"),
        "valid_to": _("Valid to"),
        "column": _("Column"),
    }
    return f"{titles[one.what]}: {_value(one.old, zone)} → {_value(one.new, zone)}"


def _value(value: Any, zone: ZoneInfo) -> str:
    match value:
        case None:
            return NOTHING
        case Column():
            unit = display_unit(value.unit)
            return f"{value.path} [{unit}]" if unit else value.path
        case dict():
            return text_of(value)
        case datetime():
            return value.astimezone(zone).date().isoformat()
        case float():
            return number(value, 0 if value == int(value) else 3)
    return str(value)
