"""Schedules, kinds and states in plain words."""

import re
from collections.abc import Mapping, Sequence

from babel.dates import get_day_names, get_month_names

from athanor.kernel.jobs.kinds import CatchUp, JobKinds
from athanor.kernel.jobs.schedules import Plan
from athanor.kernel.jobs.store import BY_SCHEDULE
from athanor.web.formatting import duration
from athanor.web.language import _, current_language, text_of

_NAMES = {name: str(n) for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_MONTHS = {
    name: str(n)
    for n, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}


def kind_text(name: str, kinds: JobKinds) -> str:
    """What a kind does; its name where nobody says."""
    known: Mapping[str, str] = {
        "data.import": _("Import of history"),
        "data.export": _("Export"),
        "historian.retention": _("Letting go of what has come of age"),
    }
    if name in kinds and kinds.get(name).title:
        return text_of(dict(kinds.get(name).title))
    return known.get(name, name)


def owner_text(owner: str) -> str:
    """Who started a job."""
    return _("Schedule") if owner == BY_SCHEDULE else owner


def catch_up_texts() -> dict[str, str]:
    """What becomes of missed runs."""
    return {
        CatchUp.SKIP: _("leave them out"),
        CatchUp.ONCE: _("run once for all of them"),
        CatchUp.ALL: _("run each of them, the latest 24 at most"),
    }


def when(plan: Plan) -> str:
    """When a plan is due, in words."""
    if plan.every_s is not None:
        return _("every {period}").format(period=duration(plan.every_s))
    return cron_text(plan.cron or "")


def cron_text(expression: str) -> str:
    """A cron expression in words: every day at 03:15. What has no simple words is put together field by field."""
    fields = expression.upper().split()
    if len(fields) != len(("minute", "hour", "day", "month", "weekday")):
        return expression
    minute, hour, day, month, weekday = fields
    days = _days(day, month, weekday)
    if minute.isdigit() and hour.isdigit():
        return _("{days} at {time}").format(days=days, time=f"{int(hour):02}:{int(minute):02}")
    return _("{days}, {times}").format(days=days, times=_times(minute, hour))


def _times(minute: str, hour: str) -> str:
    every = re.fullmatch(r"\*(?:/(\d+))?", minute)
    if hour == "*" and every is not None:
        step = int(every[1] or 1)
        return _("every minute") if step == 1 else _("every {n} minutes").format(n=step)
    stepped = re.fullmatch(r"\*/(\d+)", hour)
    if minute.isdigit() and hour == "*":
        return _("every hour at minute {n}").format(n=int(minute))
    if minute.isdigit() and stepped is not None:
        return _("every {n} hours at minute {minute}").format(n=stepped[1], minute=int(minute))
    if minute.isdigit() and re.fullmatch(r"\d+(,\d+)+", hour):
        return _listed([f"{int(one):02}:{int(minute):02}" for one in hour.split(",")])
    return _("at minute {minute} of hour {hour}").format(minute=_any(minute), hour=_any(hour))


def _days(day: str, month: str, weekday: str) -> str:
    parts = []
    if weekday != "*":
        parts.append(_("on {weekdays}").format(weekdays=_ranged(weekday, _NAMES, _weekdays())))
    if day != "*":
        last = _("on the last day of the month") if day == "L" else _("on day {day} of the month").format(day=day)
        parts.append(last)
    both = _(" and ") if day.startswith("*") or weekday.startswith("*") else _(" or ")
    said = both.join(parts) or _("every day")
    if month != "*":
        said = _("{days} in {months}").format(days=said, months=_ranged(month, _MONTHS, _months()))
    return said


def _ranged(field: str, names: Mapping[str, str], texts: Sequence[str]) -> str:
    """`1-5,0` by names: Monday to Friday, Sunday. What is anything else stays as it is written."""
    for name, figure in names.items():
        field = field.replace(name, figure)
    said = []
    for part in field.split(","):
        first, _dash, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return field
        ends = [texts[int(one) % len(texts)] for one in (first, last) if one]
        said.append(_("{first} to {last}").format(first=ends[0], last=ends[1]) if last else ends[0])
    return _listed(said)


def _weekdays() -> list[str]:
    """Sunday first."""
    names = get_day_names("wide", locale=current_language())
    return [names[(n - 1) % 7] for n in range(7)]


def _months() -> list[str]:
    """December first, since the count begins at 1."""
    names = get_month_names("wide", locale=current_language())
    return [names[n or 12] for n in range(12)]


def _listed(texts: Sequence[str]) -> str:
    return _(", ").join(texts)


def _any(field: str) -> str:
    return _("any") if field == "*" else field
