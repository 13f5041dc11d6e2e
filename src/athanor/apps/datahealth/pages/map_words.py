"""What groups and kinds of data are called."""

from athanor.apps.datahealth.services.holdings import Group
from athanor.web.formatting import NOTHING, number
from athanor.web.language import _

_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def group(one: Group) -> str:
    """What a group of data is called."""
    return {
        Group.STATIC: _("Static data"),
        Group.LIVE: _("Live data"),
        Group.HISTORY: _("History"),
        Group.BUSINESS: _("Business data"),
        Group.JUDGEMENT: _("Judgement data"),
    }[one]


def kind(name: str) -> tuple[str, str]:
    """What a kind of data is called, and what its volume counts."""
    return {
        "nodes": (_("Sites, areas, units and assets"), _("nodes of the plant model")),
        "tags": (_("Tags"), _("definitions with unit, range and limits")),
        "tenants": (_("Enterprises"), _("tenants of the park")),
        "current": (_("Current values"), _("tags with a newest sample")),
        "sources": (_("Sources"), _("connectors that edges report")),
        "hot": (_("Samples since the last seal"), _("samples in the hot tail")),
        "lake": (_("Sealed samples"), _("samples in the lake")),
        "rollups": (_("Rollups"), _("rows of minutes to days")),
        "waveforms": (_("Waveforms"), _("stretches of vibration, noise and current")),
        "jobs": (_("Imports and exports"), _("jobs whose files are still kept")),
        "corrections": (_("Corrections"), _("corrections, those undone included")),
        "accounts": (_("Accounts"), _("people who may sign in")),
        "audit": (_("Audit trail"), _("entries, which nobody can change")),
        "limits": (_("Values beyond alarm limits"), _("tags beyond a limit now")),
        "quarantine": (_("Quarantine"), _("samples refused since the beginning; size of those kept")),
        "scores": (_("Quality scores"), _("tags scored, found anew each minute")),
    }[name]


def size(count: int | None) -> str:
    """About how many bytes."""
    if count is None:
        return NOTHING
    for unit, factor in _SIZES:
        if count >= factor:
            return f"{number(count / factor, 1)} {unit}"
    return f"{number(count)} B"
