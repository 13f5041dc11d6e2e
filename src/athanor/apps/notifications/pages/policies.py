"""The policies: what each is about, what is at fault with them, and what nobody was told of."""

from collections.abc import Sequence

from athanor.apps.notifications.pages.saying import fault_text, match_text, step_text
from athanor.apps.notifications.pages.tabs import tabs
from athanor.apps.notifications.pages.who import Choices, choices_of
from athanor.apps.notifications.pages.wording import enterprise, zone_of
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.notify.books import PolicyView
from athanor.kernel.notify.preview import PolicyFault, Unheard
from athanor.kernel.notify.routing import Fate
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    TablePage,
    TableQuery,
    Words,
    data_table,
    icon,
    link,
    region,
)
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import date_time, number
from athanor.web.language import _, current_language, text_of
from athanor.web.severity import priorities, priority_state

_HERE = "/notifications/policies"
_MOST_FAULTS = 8


async def policies(notify: Notify, identity: Identity, plant: RunningPlant, viewer: User) -> None:
    """The tables."""
    tabs(_HERE, viewer)
    choices = await choices_of(notify, identity, viewer, None)
    faults = await notify.previews.faults(viewer, plant.model.tenants, plant.model.timezone, current_language())
    if faults:
        _faults(faults, choices)

    async def rows(query: TableQuery) -> TablePage:
        return page_of([_row(one, choices, plant) for one in await notify.policies.all(viewer)], query)

    with region("ath-card", "section"):
        with region("ath-toolbar"):
            Words(_("Every policy that fits is followed; nobody gets the same notice twice by one channel."), "span",
                  "ath-note")  # fmt: skip
            region("ath-space")
            link(_("Add a policy"), f"{_HERE}/new", "ath-button is-main")
        table = data_table(
            rows,
            [
                Column("name", _("Policy"), is_wide=True),
                Column("tenant", _("Enterprise")),
                Column("match", _("Is about")),
                Column("first", _("Tells at once")),
                Column("then", _("And if nobody acknowledges")),
                Column("state", _("State")),
            ],
            caption=_("Policies"),
            nothing=_("No policy of your own: what the park's policies say holds."),
            export_name="policies",
        )
    await table.refresh()
    await _unheard(await notify.previews.unheard(viewer), plant)


def _row(one: PolicyView, choices: Choices, plant: RunningPlant) -> Row:
    first, *then = one.policy.steps
    return {
        "name": Cell(text_of(one.policy.name), address=f"{_HERE}/{one.id}"),
        "tenant": enterprise(plant, one.tenant),
        "match": match_text(one.policy.match, plant),
        "first": step_text(first, choices),
        "then": "; ".join(
            _("after {n} min: {whom}").format(n=step.after_min, whom=step_text(step, choices)) for step in then
        ),
        "state": _("on") if one.is_enabled else Cell(_("off"), state="is-warn"),
    }


def _faults(faults: Sequence[PolicyFault], choices: Choices) -> None:
    with region("ath-card ath-notice is-warn", role="status"):
        icon("warning")
        with region():
            Words(_("Not everything works as the policies say"), "h2")
            for one in faults[:_MOST_FAULTS]:
                with region("", "p"):
                    link(text_of(one.policy.policy.name), f"{_HERE}/{one.policy.id}")
                    Words(f": {fault_text(one.fault, choices)}")
            if len(faults) > _MOST_FAULTS:
                Words(_("and {n} more").format(n=len(faults) - _MOST_FAULTS), "p")


async def _unheard(found: Sequence[Unheard], plant: RunningPlant) -> None:
    zone = zone_of(plant)
    why = {Fate.NOBODY: _("no policy is about it"), Fate.UNREACHED: _("a policy is, but reaches nobody")}
    rows: list[Row] = [
        {
            "what": Cell(text_of(one.title) or one.topic, note=one.topic),
            "priority": Cell(priorities().get(one.priority, ""), sort=one.priority,
                             state=priority_state(one.priority)),
            "tenant": enterprise(plant, one.tenant),
            "why": why.get(Fate(one.fate), one.fate),
            "count": Cell(number(one.count), sort=one.count),
            "last": Cell(date_time(one.last_at, zone), sort=one.last_at.timestamp()),
        }
        for one in found
    ]  # fmt: skip
    with region("ath-card", "section"):
        table = data_table(
            rows,
            [
                Column("what", _("The last of them"), is_wide=True),
                Column("priority", _("Priority")),
                Column("tenant", _("Enterprise")),
                Column("why", _("Why")),
                Column("count", _("Count"), is_number=True),
                Column("last", _("Last time")),
            ],
            caption=_("Nobody was told of these in the last seven days"),
            nothing=_("Somebody was told of everything."),
            export_name="unheard",
        )
    await table.refresh()
