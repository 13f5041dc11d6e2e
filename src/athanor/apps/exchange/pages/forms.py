"""What is typed into forms as numbers and dates."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from athanor.web.components import Said, UnreadableFormError
from athanor.web.language import _


def number_of(said: Said, name: str, label: str) -> float | None:
    """A number, or None where nothing was typed. Raises UnreadableFormError."""
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UnreadableFormError(
            _("{field}: {text} is no number. Write it as in 1234.5.").format(field=label, text=f"“{text[:40]}”")
        ) from None


def day_start(said: Said, name: str, label: str, zone: ZoneInfo) -> datetime | None:
    """A date's first moment on the site's clock, or None where nothing was typed. Raises UnreadableFormError."""
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), zone)
    except ValueError:
        raise UnreadableFormError(_("{field}: give a date.").format(field=label)) from None


def day_end(said: Said, name: str, label: str, zone: ZoneInfo) -> datetime | None:
    """The first moment after a date. Raises UnreadableFormError."""
    start = day_start(said, name, label, zone)
    return None if start is None else datetime.combine(start.date() + timedelta(days=1), time(), zone)
