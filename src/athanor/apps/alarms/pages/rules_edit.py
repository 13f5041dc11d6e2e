"""A rule: what it says, what it comes to in the plant, what it would have done, and what it said before."""

from collections.abc import Mapping

from fastapi import Request
from nicegui import ui

from athanor.apps.alarms.pages import rules_words as words
from athanor.apps.alarms.pages.rules_form import RuleForm
from athanor.apps.alarms.pages.rules_history import show_revisions
from athanor.apps.alarms.pages.rules_trial import TrialPanel
from athanor.apps.alarms.services import rules as services
from athanor.kernel.alarms.faults import Fault
from athanor.kernel.alarms.instances import Expansion
from athanor.kernel.alarms.rule import Rule
from athanor.kernel.alarms.rule_errors import FaultyRuleError
from athanor.kernel.alarms.rulebook import NEW, KeptRule
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.port import Historian
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Said,
    Words,
    button,
    dialog_form,
    empty_state,
    form_choice,
    form_line,
    form_lines,
    link,
    page_title,
    region,
    status,
)
from athanor.web.components.status import Status
from athanor.web.formatting import number
from athanor.web.language import _, text_of
from athanor.web.sessions import address_of

_HOME = "/alarms/rules"
_MOST_FAULTS = 5
_MOST_PLACES = 50
_FRESH: Mapping[str, str] = {"about": "tag", "kind": "limit", "priority": "medium", "category": "process"}


async def new_rule(request: Request, viewer: User, alarms: Alarms, plant: RunningPlant, historian: Historian) -> None:
    """One that is to be; the address may name its tag."""
    tag = request.query_params.get("tag", "")[:400]
    page = RulePage(alarms, plant, historian, viewer, address_of(request), None, {**_FRESH, "tag": tag})
    page.build()


async def rule(
    rule_id: int, request: Request, viewer: User, alarms: Alarms, plant: RunningPlant, historian: Historian
) -> None:
    """One that there is."""
    try:
        kept = await alarms.rules.get(viewer, rule_id)
    except NotFoundError:
        page_title(_("Alarm rule"))
        empty_state(_("There is no such rule"), glyph="search_off", action=(_("To the rules"), _HOME), is_missing=True)
        return
    page = RulePage(alarms, plant, historian, viewer, address_of(request), kept, services.said_of(kept.rule))
    page.build()
    await show_revisions(alarms.rules, viewer, kept, address_of(request), plant.model.timezone)


class RulePage:
    """What one person makes of one rule."""

    def __init__(
        self, alarms: Alarms, plant: RunningPlant, historian: Historian, viewer: User, address: str,
        kept: KeptRule | None, said: dict[str, str],
    ) -> None:  # fmt: skip
        self._book, self._plant, self._historian = alarms.rules, plant, historian
        self._viewer, self._address, self._kept, self._said = viewer, address, kept, said
        owner = viewer.tenant if kept is None else kept.tenant
        self._tenant = owner
        self._may_change = self._book.may_change(viewer, owner)

    def build(self) -> None:
        """Draw it."""
        kept = self._kept
        with page_title(_("New alarm rule") if kept is None else text_of(kept.rule.name)):
            if kept is not None:
                Words(kept.key, "span", "ath-summary")
                if kept.retired_at is not None:
                    status(_("retired"), Status.WARN)
                elif not kept.is_enabled:
                    status(_("disabled"), Status.WARN)
            region("ath-space")
            self._dialog = Dialog()
            self._actions()
        with region("ath-card", "section", aria_label=_("What it comes to")):
            self._summary = region("ath-card-body", aria_live="polite")
        form = RuleForm(self._plant, self._said, self._look, self._may_change)
        form.build()
        self._form = form
        self._trial = TrialPanel(
            self._plant, self._historian, self._expanded, self._take_over if self._may_change else None
        )
        self._trial.build()
        self._look()

    def _actions(self) -> None:
        link(_("Back"), _HOME, "ath-button")
        kept = self._kept
        if not self._may_change:
            return
        if kept is not None and kept.retired_at is None:
            text = _("Disable…") if kept.is_enabled else _("Enable…")
            button(text, lambda: self._ask(text, self._turn), glyph="power_settings_new")
            button(_("Retire the rule…"), lambda: self._ask(_("Retire this rule"), self._retire), glyph="delete")
        button(_("Save…"), self._ask_save, classes="is-main")

    # --- what it comes to

    def _expanded(self) -> Expansion:
        """Raises UnreadableRuleError."""
        return self._book.expand(services.rule_of(self._said), self._viewer.tenant or self._tenant)

    def _look(self) -> None:
        self._summary.clear()
        with self._summary:
            try:
                self._say(self._expanded())
            except services.UnreadableRuleError as error:
                Words(_("Not complete yet:"), "p")
                with region(tag="ul"):
                    for name, text in error.faults.items():
                        Words(f"{words.title_of(name)}: {words.field_fault(text)}", "li")

    def _say(self, found: Expansion) -> None:
        count = len(found.instances)
        text = _("It makes one alarm.") if count == 1 else _("It makes {n} alarms.").format(n=number(count))
        Words(text, "p")
        if found.faults:
            self._say_faults(found.faults)
        if count > 1:
            with region(tag="details"):
                Words(_("Where"), "summary")
                with region(tag="ul"):
                    for one in found.instances[:_MOST_PLACES]:
                        Words(one.path, "li")
                    if count > _MOST_PLACES:
                        Words(_("and {n} more").format(n=number(count - _MOST_PLACES)), "li")

    def _say_faults(self, faults: object) -> None:
        listed: list[Fault] = list(faults)  # type: ignore[call-overload]
        status(_("It cannot be judged everywhere"), Status.WARN)
        with region(tag="ul"):
            for one in listed[:_MOST_FAULTS]:
                text = words.faults_text(one)
                Words(f"{one.path}: {text}" if one.path else text, "li")
            if len(listed) > _MOST_FAULTS:
                Words(_("and {n} more").format(n=number(len(listed) - _MOST_FAULTS)), "li")

    def _take_over(self, values: Mapping[str, str]) -> None:
        self._form.take_over(values)

    # --- what the person does

    def _ask_save(self) -> None:
        try:
            found = services.rule_of(self._said)  # checked before anything is asked
        except services.UnreadableRuleError as error:
            faults = [f"{words.title_of(name)}: {words.field_fault(text)}" for name, text in error.faults.items()]
            ui.notify(" ".join(faults))
            return
        with (
            self._dialog.filling(_("Save the rule")),
            dialog_form(lambda said: self._save(found, said), _("Save"), on_cancel=self._dialog.close),
        ):
            if self._kept is None:
                form_line(_("Key: small letters, digits, dots and hyphens"), "key")
                if self._viewer.tenant is None:
                    tenants = {key: text_of(one.name) for key, one in self._plant.model.tenants.items()}
                    form_choice(_("Whose rule it is"), "tenant", {"": _("The park's"), **tenants}, "")
            form_lines(_("Why, for the record"), "reason")

    async def _save(self, found: Rule, said: Said) -> None:
        kept, reason = self._kept, said.get("reason", "")
        try:
            if kept is None:
                saved = await self._book.save(
                    self._viewer, said.get("key", "").strip(), found, revision=NEW, reason=reason,
                    tenant=said.get("tenant") or None, address=self._address,
                )  # fmt: skip
            else:
                saved = await self._book.change(
                    self._viewer, kept.id, found, revision=kept.revision, reason=reason, address=self._address
                )
        except FaultyRuleError as error:
            raise services.RefusedRuleError([words.faults_text(one) for one in error.faults[:_MOST_FAULTS]]) from error
        ui.navigate.to(f"{_HOME}/{saved.id}")

    def _ask(self, title: str, send: object) -> None:
        with (
            self._dialog.filling(title.rstrip("…")),
            dialog_form(send, title.rstrip("…"), on_cancel=self._dialog.close),  # type: ignore[arg-type]
        ):
            form_lines(_("Why, for the record"), "reason")

    async def _turn(self, said: Said) -> None:
        kept = self._kept
        if kept is not None:
            await self._book.enable(
                self._viewer, kept.id, is_enabled=not kept.is_enabled, revision=kept.revision,
                reason=said.get("reason", ""), address=self._address,
            )  # fmt: skip
            ui.navigate.to(f"{_HOME}/{kept.id}")

    async def _retire(self, said: Said) -> None:
        kept = self._kept
        if kept is not None:
            reason = said.get("reason", "")
            await self._book.retire(self._viewer, kept.id, revision=kept.revision, reason=reason, address=self._address)
            ui.navigate.to(_HOME)
