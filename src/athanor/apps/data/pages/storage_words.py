"""What tiers, work and states of storage are called, and how sizes look."""

from collections.abc import Mapping
from datetime import date

from athanor.kernel.historian.disk import DiskState
from athanor.kernel.historian.worklog import Work
from athanor.kernel.storage.state import Tier
from athanor.web.formatting import NOTHING, number
from athanor.web.language import _

_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size(count: float | None) -> str:
    """Bytes in the unit that fits: `1.2 GB`."""
    if count is None:
        return NOTHING
    unit, factor = next(((unit, factor) for unit, factor in _SIZES if count >= factor), ("B", 1.0))
    shown = count / factor
    return f"{number(shown, 0 if shown >= 100 or unit == 'B' else 1)} {unit}"


def seconds(length: float) -> str:
    """A short time: milliseconds below one second."""
    return f"{number(length, 1)} s" if length >= 1 else f"{number(length * 1000, 1 if length < 0.01 else 0)} ms"


def tiers() -> Mapping[Tier, tuple[str, str]]:
    """Name of each tier, and what is in it."""
    return {
        Tier.HOT: (_("Hot tail"), _("Samples since the last seal")),
        Tier.LAKE: (_("Sealed samples"), _("Days in Parquet files")),
        Tier.ROLLUPS: (_("Rollups"), _("Minutes, fives, quarters of an hour, hours, days")),
        Tier.WAVEFORMS: (_("Waveforms"), _("Vibration, noise and current")),
        Tier.QUARANTINE: (_("Quarantine"), _("What was refused")),
    }


def work() -> Mapping[Work, str]:
    """What each kind of work is."""
    return {
        Work.SEAL: _("Seal the hot tail"),
        Work.COMPACT: _("Make one file of many"),
        Work.ROLL_UP: _("Roll up"),
        Work.EXPIRE: _("Let go of what has come of age"),
        Work.MAKE_ROOM: _("Make room on a short disk"),
    }


def kinds() -> Mapping[str, str]:
    """What each kind of question to the historian is."""
    return {
        "read": _("Samples one by one"),
        "resample": _("Steps"),
        "downsample": _("Charts"),
        "latest": _("Current values"),
        "extents": _("Extents"),
    }


def trouble(state: DiskState) -> tuple[str, str]:
    """What a disk in this state means, and what to do about it."""
    return {
        DiskState.WARN: (
            _("The disk runs out"),
            _("Give it more room, or shorten how long samples are kept, before it is short."),
        ),
        DiskState.LOW: (
            _("The disk is short"),
            _("Where settings let them, the oldest samples of the lowest class go. Give it more room now."),
        ),
        DiskState.FULL: (
            _("The disk is full"),
            _("Samples are refused and wait at the edges. Give it room; what waits is then delivered."),
        ),
    }[state]


def kept(days: int | None) -> str:
    """How long something is kept."""
    return _("for ever") if days is None else _("{n} d").format(n=number(days))


def span(oldest: date | None, newest: date | None) -> str:
    """Days from the first to the last."""
    if oldest is None or newest is None:
        return ""
    return f"{oldest}" if oldest == newest else f"{oldest} – {newest}"
