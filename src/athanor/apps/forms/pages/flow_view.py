"""A flow as a diagram: its stages from the first to the last, steps of one stage beside each other."""

from collections.abc import Mapping

from athanor.apps.forms.pages import wording
from athanor.kernel.forms.definition import Definition, Step
from athanor.kernel.forms.flow import Verdict, stages
from athanor.web.components import Words, icon, region
from athanor.web.language import _

_GLYPHS = {Verdict.APPROVE: "check_circle", Verdict.REJECT: "cancel", Verdict.SEND_BACK: "undo"}


def show_flow(
    definition: Definition,
    *,
    verdicts: Mapping[str, Verdict] | None = None,
    asked: frozenset[str] = frozenset(),
    needed: frozenset[str] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """`needed` are the steps that the values need, where they are known; the others are drawn as left out."""
    with region("ath-flow", "ol", aria_label=_("Flow")):
        _end("edit_note", _("Filled in"))
        for stage in stages(definition.steps):
            with region("ath-flow-stage", "li"):
                for step in stage:
                    is_needed = needed is None or step.id in needed
                    given = (verdicts or {}).get(step.id)
                    _step(step, definition, given, names, is_asked=step.id in asked, is_needed=is_needed)
        _end("flag", _("Approved") if definition.steps else _("Approved at once: the flow has no step"))


def _end(glyph: str, text: str) -> None:
    with region("ath-flow-end", "li"):
        icon(glyph)
        Words(text)


def _step(
    step: Step,
    definition: Definition,
    given: Verdict | None,
    names: Mapping[str, str] | None,
    *,
    is_asked: bool,
    is_needed: bool,
) -> None:
    classes = "is-asked" if is_asked else "" if is_needed else "is-left-out"
    with region(f"ath-flow-step {classes}"):
        with region("ath-flow-head"):
            if given is not None:
                icon(_GLYPHS[given])
            Words(wording.step_title(step), "strong")
        Words(wording.step_who(step, names), "small")
        for rule in wording.step_rules(step, definition):
            Words(rule, "small")
        if given is not None:
            Words(wording.verdict(given), "small", "ath-flow-said")
        elif is_asked:
            Words(_("asked now"), "small", "ath-flow-said")
        elif not is_needed:
            Words(_("not needed"), "small", "ath-flow-said")
