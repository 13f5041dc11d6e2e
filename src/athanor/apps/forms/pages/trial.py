"""The builder's preview, which can be filled in, and the test run of its flow. Nothing of it is kept."""

from typing import Any

from athanor.apps.forms.pages import wording
from athanor.apps.forms.pages.fields import Fields, Surroundings
from athanor.apps.forms.pages.flow_view import show_flow
from athanor.kernel.forms.conditions import with_computed
from athanor.kernel.forms.definition import Definition, Kind
from athanor.kernel.forms.flow import State, Verdict, needed_steps, standing
from athanor.web.components import Words, button, region, status
from athanor.web.language import _, text_of

_CAPTURED = frozenset({Kind.PHOTO})  # cannot be given where there is no entry


class Trial:
    """A form as the author will see it; `show` draws it anew for a definition, with what was filled in so far."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._values: dict[str, Any] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._is_running = False
        self._body = region("ath-trial")

    def show(self, definition: Definition) -> None:
        """Draw it."""
        self._definition = definition
        self._verdicts, self._is_running = {}, False
        self._body.clear()
        with self._body:
            with region("ath-card ath-entry-form", "section", aria_label=_("Preview")):
                with region("ath-preview-head"):
                    Words(text_of(definition.title), "h2")
                    Words(text_of(definition.description), "p")
                self._fields = Fields(definition, self._values, self._around, self._put)
                with region("ath-entry-foot"):
                    button(_("Test run"), self._run, glyph="play_arrow")
                    Words(_("Nothing of it is kept."), "span", "ath-form-size")
            self._flow = region("ath-card", "section", aria_label=_("Flow"))
        self._draw()

    async def _put(self, field_id: str, value: Any) -> None:
        self._values[field_id] = value

    def _run(self) -> None:
        faults = [one for one in self._fields.show_faults() if self._definition.field(one.field).kind not in _CAPTURED]
        self._verdicts, self._is_running = {}, not faults
        if faults:
            self._fields.focus(faults[0].field)
        self._draw()

    def _draw(self) -> None:
        definition, values = self._definition, with_computed(self._definition, self._values)
        self._flow.clear()
        with self._flow:
            with region("ath-card-head"):
                Words(_("Flow"), "h2")
            if not self._is_running:
                show_flow(definition)
                return
            stands = standing(definition, values, self._verdicts)
            needed = frozenset(step.id for step in needed_steps(definition, values))
            show_flow(definition, verdicts=self._verdicts, asked=frozenset(stands.asked), needed=needed)
            with region("ath-trial-run"):
                status(*wording.state_of(stands.state))
                for step_id in stands.asked:
                    self._ask(step_id)
                if stands.state is not State.AT_STEP:
                    button(_("Run it again"), self._run, glyph="replay", classes="is-plain")

    def _ask(self, step_id: str) -> None:
        step = self._definition.step(step_id)
        with region("ath-trial-ask"):
            Words(wording.step_title(step), "strong")
            for verdict, text in (
                (Verdict.APPROVE, _("Approve")),
                (Verdict.SEND_BACK, _("Send back")),
                (Verdict.REJECT, _("Reject")),
            ):
                button(text, lambda given=verdict: self._decide(step_id, given))

    def _decide(self, step_id: str, verdict: Verdict) -> None:
        self._verdicts[step_id] = verdict
        self._draw()
