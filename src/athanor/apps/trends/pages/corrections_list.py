"""The corrections of the range shown: marked on the chart, listed below it, undone from there."""

from collections.abc import Awaitable, Callable, Sequence
from zoneinfo import ZoneInfo

from nicegui.events import GenericEventArguments

from athanor.apps.trends.pages.correction_words import what_was_done
from athanor.apps.trends.services import correcting
from athanor.kernel.corrections.records import PERMISSION, Correction, CorrectionState
from athanor.kernel.corrections.service import Corrections
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Span, microseconds
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Tag
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Status, Stretch, TrendChart, Words, button, region, status
from athanor.web.components.status import StatusChip
from athanor.web.formatting import date_time, number
from athanor.web.language import _, text_of

_WHOLE_FORM = "(event) => emit(Object.fromEntries(new FormData(event.target)))"


class CorrectionsList:
    """Nothing while there are none.

    Parameters
    ----------
    on_undone
        Called when one was undone.
    """

    def __init__(
        self,
        corrections: Corrections,
        plant: RunningPlant,
        viewer: User,
        chart: TrendChart,
        *,
        on_undone: Callable[[], Awaitable[None]],
    ) -> None:
        self._corrections, self._plant, self._viewer, self._chart = corrections, plant, viewer, chart
        self._zone = ZoneInfo(plant.model.timezone)
        self._on_undone = on_undone
        self._turn = 0  # grows with every showing, so that the answer to an older one is dropped
        self._unchecked: dict[int, StatusChip] = {}  # chips of those in force, by the correction's id
        with region("ath-card", "section") as self._card:
            with region("ath-card-head"):
                Words(_("Corrections"), "h2")
            with region("ath-table-scroll"):
                self._table = region(
                    "ath-table is-stacked ath-corrections", "table", aria_label=_("Corrections of the range shown")
                )
        self._card.set_visibility(False)
        self._dialog = Dialog()

    def hide(self) -> None:
        """There is no range to show anything of."""
        self._turn += 1
        self._card.set_visibility(False)

    async def show(self, tags: Sequence[Tag], span: Span) -> None:
        """Those of these tags in this range."""
        self._turn += 1
        turn = self._turn
        found = await correcting.listed(self._corrections, self._plant, tags, span)
        if turn != self._turn:
            return
        self._chart.mark_stretches([self._stretch(one) for one in reversed(found) if one.state.is_in_force])
        self._card.set_visibility(bool(found))
        self._table.clear()
        with self._table:
            chips = self._rows(found)
        self._unchecked = {one.id: chips[one.id] for one in found if one.state.is_in_force}

    async def check(self) -> None:
        """Say which of those shown were overwritten; this reads their samples, so let what is quicker come first."""
        turn = self._turn
        while self._unchecked and turn == self._turn:
            correction, chip = self._unchecked.popitem()
            overwritten = await self._corrections.overwritten(self._plant, correction)
            if overwritten and turn == self._turn:
                chip.set(_("{n} overwritten since").format(n=number(overwritten)), Status.UNSURE)

    def _rows(self, found: Sequence[Correction]) -> dict[int, StatusChip]:
        """A row for each; returns the chips that say how each stands."""
        titles = (_("Range"), _("Tag"), _("What"), _("Samples"), _("Reason"), _("By"), _("State"))
        with region(tag="thead"), region(tag="tr"):
            for title in titles:
                Words(title, "th", "is-number" if title == titles[3] else "")
            Words("", "th")
        with region(tag="tbody"):
            return {one.id: self._row(one, titles) for one in found}

    def _row(self, one: Correction, titles: Sequence[str]) -> StatusChip:
        tag = self._plant.tag_of(one.tag)
        asset = self._plant.model.node(tag.node_path)
        cells = (  # text, small print, classes
            (date_time(one.span.start, self._zone), self._until(one), "is-nowrap"),
            (text_of(tag.name), text_of(asset.name), "is-named"),
            (what_was_done(one.action, tag), "", "is-nowrap"),
            (number(one.samples), "", "is-number"),
            (one.reason, "", "is-wide"),
            (one.author, date_time(one.made_at, self._zone), "is-nowrap"),
        )
        with region(tag="tr"):
            for (text, note, classes), title in zip(cells, titles, strict=False):
                with region(classes, "td", data_label=title), region():
                    Words(text)
                    if note:
                        Words(note, "small")
            with region("", "td", data_label=titles[-1]), region():
                chip = self._chip(one)
            with region("is-number", "td"):
                if one.state.is_in_force and self._viewer.may(PERMISSION):
                    button(_("Undo…"), lambda: self._ask_to_undo(one, tag), classes="is-plain")
        return chip

    def _chip(self, one: Correction) -> StatusChip:
        if one.state is CorrectionState.UNDONE and one.undone_at is not None:
            chip = status(_("Undone"))
            Words(f"{one.undone_by}, {date_time(one.undone_at, self._zone)}: {one.undo_reason}", "small")
            return chip
        if one.state is CorrectionState.DONE:
            return status(_("In force"))
        return status(_("Not finished"), Status.WARN)

    def _range(self, one: Correction) -> str:
        return f"{date_time(one.span.start, self._zone)} {self._until(one)}".rstrip()

    def _until(self, one: Correction) -> str:
        """The range's end after a dash; nothing for a single moment."""
        start, end = date_time(one.span.start, self._zone), date_time(one.span.end, self._zone)
        day, _space, time = end.partition(" ")
        return "" if start == end else f"– {time if start.startswith(day) else end}"

    def _stretch(self, one: Correction) -> Stretch:
        tag = self._plant.tag_of(one.tag)
        text = _("Corrected by {who}, {when}: {reason}").format(
            who=one.author, when=date_time(one.made_at, self._zone), reason=one.reason
        )
        from_ms, to_ms = microseconds(one.span.start) // 1000, microseconds(one.span.end) // 1000
        return Stretch(tag.path, from_ms, to_ms, f"{text} ({what_was_done(one.action, tag)})")

    def _ask_to_undo(self, one: Correction, tag: Tag) -> None:
        with self._dialog.filling(_("Undo the correction")), region("ath-correct", "form", novalidate="") as form:
            Words(f"{text_of(tag.name)}, {self._range(one)}: {what_was_done(one.action, tag)}", "p")
            Words(_("Samples that become what they were before: {n}.").format(n=number(one.samples - one.added)), "p")
            if one.added:
                text = _("Added samples become bad and without a value, since nothing is ever deleted: {n}.")
                Words(text.format(n=number(one.added)), "p")
            with region("ath-fields"), region(tag="label"):
                Words(_("Reason"))
                region("", "textarea", name="reason", rows="2", maxlength="2000")
            trouble = Words("", "p", "ath-correct-trouble")
            trouble.props["role"] = "alert"
            with region("ath-correct-foot"):
                button(_("Cancel"), self._dialog.close)
                region("ath-space")
                with region("is-main", "button", type="submit"):
                    Words(_("Undo"))

        async def undo(event: GenericEventArguments) -> None:
            await self._undo(one.id, str(event.args.get("reason", "")), trouble)

        form.on("submit.prevent", undo, js_handler=_WHOLE_FORM)

    async def _undo(self, correction: int, reason: str, trouble: Words) -> None:
        if not reason.strip():
            trouble.text = _("Give the reason: why it was right before. It is kept for ever.")
            return
        try:
            await self._corrections.undo(self._plant, correction, reason=reason, author=self._viewer)
        except AthanorError as error:
            trouble.text = str(error)
            return
        self._dialog.close()
        await self._on_undone()
