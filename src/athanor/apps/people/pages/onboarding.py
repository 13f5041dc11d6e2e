"""How far each new enterprise has come, and what is next."""

from datetime import UTC, datetime

from fastapi import Request

from athanor.apps.people.pages import wording
from athanor.apps.people.pages.asked import Asked
from athanor.apps.people.pages.tabs import tabs
from athanor.apps.people.services import onboarding as service
from athanor.apps.people.services.errors import NotYoursError
from athanor.apps.people.services.onboarding import Enterprise, Progress, Step
from athanor.kernel.current import CurrentValues
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status, Words, empty_state, link, region, status
from athanor.web.language import _, text_of


async def onboarding(
    plant: RunningPlant, current: CurrentValues, identity: Identity, viewer: User, request: Request
) -> None:
    """A line for each enterprise, a step in each column."""
    asked = Asked(identity, viewer, plant, request)
    tabs(asked.first, "/people/onboarding")
    try:
        found = await service.enterprises(asked.first, current, datetime.now(UTC))
    except NotYoursError:
        empty_state(
            _("This is for the park's administrators"),
            _("They see how far new enterprises have come."),
            glyph="lock",
            is_refused=True,
        )
        return
    if not found:
        empty_state(_("There is no enterprise yet"), _("Enterprises stand in the plant file, under tenants."))
        return
    titles = [_("Enterprise"), *(wording.step_title(step) for step in Step)]
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("From the plant file to the first data"), "h2")
        with (
            region("ath-table-scroll"),
            region("ath-table ath-way is-stacked", "table", aria_label=_("New enterprises")),
        ):
            with region(tag="thead"), region(tag="tr"):
                for title in titles:
                    Words(title, "th")
            with region(tag="tbody"):
                for one in found:
                    _row(one, titles)


def _row(one: Enterprise, titles: list[str]) -> None:
    with region(tag="tr"):
        with region("", "td", data_label=titles[0]), region():
            Words(text_of(one.name))
            Words(_("{n} of {total} steps").format(n=one.done, total=len(one.steps)), "small")
        for title, progress in zip(titles[1:], one.steps, strict=True):
            with region("", "td", data_label=title), region():
                _step(progress)


def _step(progress: Progress) -> None:
    if progress.is_done:
        status(_("Done"))
    elif progress.is_begun:
        status(_("Under way"), Status.UNSURE)
    else:
        status(_("To do"), Status.WARN)
    Words(_said(progress), "small")
    if not progress.is_done:
        _way_on(progress.step)


def _said(progress: Progress) -> str:
    if progress.step is Step.PLANT:
        return _("tags: {n}").format(n=progress.count)
    if progress.step is Step.ADMINISTRATOR:
        return _("{n} there, {invited} invited").format(n=progress.count, invited=progress.invited)
    if progress.step is Step.DEPARTMENTS:
        return _("made: {n}").format(n=progress.count)
    if progress.step is Step.PEOPLE:
        return _("{n} of {total}, {invited} invited").format(
            n=progress.count, total=progress.total, invited=progress.invited
        )
    return _("{n} of {total} tags fresh").format(n=progress.count, total=progress.total)


def _way_on(step: Step) -> None:
    if step in (Step.ADMINISTRATOR, Step.PEOPLE):
        link(_("Invite somebody"), "/people")
    elif step is Step.DEPARTMENTS:
        link(_("Make departments"), "/people/departments")
    elif step is Step.DATA:
        link(_("Look at the sources"), "/datahealth")
    else:
        Words(_("Add it, with its tags, to the plant file."), "small")
