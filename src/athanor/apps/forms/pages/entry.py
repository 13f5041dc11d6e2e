"""One entry: to be filled in by its author, or to be read and decided; its history as a time line."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nicegui import ui
from nicegui.events import GenericEventArguments

from athanor.apps.forms.pages import wording
from athanor.apps.forms.pages.capture import SignatureField
from athanor.apps.forms.pages.fields import Surroundings
from athanor.apps.forms.pages.filling import Filling
from athanor.apps.forms.pages.flow_view import show_flow
from athanor.apps.forms.pages.shown import show_values, signature_picture, value_text
from athanor.kernel.errors import AthanorError
from athanor.kernel.forms.conditions import is_filled
from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.flow import State, Verdict, needed_steps
from athanor.kernel.forms.records import Asked, Dossier, Happening
from athanor.kernel.forms.service import Forms
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Dialog, Status, Words, button, icon, page_title, region, status
from athanor.web.formatting import date_time
from athanor.web.language import _, text_of


async def new_entry(form_id: int, forms: Forms, plant: RunningPlant, park: RunningPlant, viewer: User) -> None:
    """A form to fill in."""
    form, definition = await forms.definitions.published(viewer, form_id)
    page_title(text_of(definition.title), text_of(definition.description))
    tenant = viewer.tenant or form.tenant
    holder: list[Filling] = []

    async def begin() -> int:
        return await holder[0].begin()

    async def remove(field_id: str, photo: str) -> None:
        await holder[0].remove_photo(field_id, photo)

    zone = ZoneInfo(park.model.timezone)
    around = Surroundings(plant, await forms.people(), tenant, zone, None, begin, remove)
    holder.append(Filling(forms, viewer, form_id, definition, around, {}))


async def entry(entry_id: int, forms: Forms, plant: RunningPlant, park: RunningPlant, viewer: User) -> None:
    """An entry, as far as the viewer sees it."""
    dossier = await forms.seeing.get(viewer, entry_id)
    _Page(forms, plant, viewer, dossier, ZoneInfo(park.model.timezone)).build(await forms.people())


class _Page:
    def __init__(self, forms: Forms, plant: RunningPlant, viewer: User, dossier: Dossier, zone: ZoneInfo) -> None:
        self._forms, self._plant, self._viewer, self._zone = forms, plant, viewer, zone
        self._dossier, self._entry = dossier, dossier.entry
        self._dialog = Dialog()
        self._signature: str | None = None

    def build(self, people: People) -> None:
        entry = self._entry
        with page_title(text_of(entry.definition.title), f"#{entry.id}"):
            status(*wording.state_of(entry.state))
            region("ath-space")
            with region("ath-entry-actions"):
                button(_("Print"), glyph="print", js_handler="() => window.print()")
                if self._dossier.may_withdraw:
                    button(_("Withdraw the entry…"), self._ask_to_withdraw, glyph="block")
        if entry.state is State.RETURNED:
            self._say_returned()
        with region("ath-entry"):
            with region("ath-entry-main"):
                if self._dossier.may_change:
                    self._fill_in(people)
                else:
                    with region("ath-card", "section", aria_label=_("What was filled in")):
                        self._facts()
                        show_values(entry, self._plant, _names(people), self._zone)
                for asked in self._dossier.asked:
                    if asked.is_mine:
                        self._decide(asked)
            with region("ath-entry-side", "aside"):
                self._flow(_names(people))
                self._history(_names(people))

    def _facts(self) -> None:
        entry, names = self._entry, self._dossier.names
        with region("ath-entry-facts"):
            author = names.get(entry.author, entry.author)
            Words(_("Filled in by {who}").format(who=author))
            if entry.sent_at is not None:
                Words(_("Sent {when}").format(when=date_time(entry.sent_at, self._zone)))
            Words(_("Version {n} of the form").format(n=entry.version))

    def _fill_in(self, people: People) -> None:
        entry = self._entry
        holder: list[Filling] = []

        async def begin() -> int:
            return entry.id

        async def remove(field_id: str, photo: str) -> None:
            await holder[0].remove_photo(field_id, photo)

        around = Surroundings(self._plant, people, entry.tenant, self._zone, entry.id, begin, remove)
        holder.append(Filling(self._forms, self._viewer, entry.form_id, entry.definition, around, dict(entry.values)))

    def _say_returned(self) -> None:
        last = [one for one in self._dossier.decisions if one.verdict is Verdict.SEND_BACK][-1]
        with region("ath-card ath-notice is-warn", role="status"):
            icon("undo")
            with region():
                Words(_("Sent back for change"), "h2")
                who = self._dossier.names.get(last.by, last.by)
                Words(_("{who} says: {reason}").format(who=who, reason=last.reason), "p")

    # ---- deciding

    def _decide(self, asked: Asked) -> None:
        title = wording.step_title(asked.step)
        with region("ath-card ath-decide", "section", aria_label=_("Decide: {step}").format(step=title)):
            with region("ath-card-head"):
                Words(_("Your decision: {step}").format(step=title), "h2")
            with region("ath-card-body ath-fields"):
                if asked.step.signature:
                    SignatureField(_("Your signature"), None, self._signed)
                with region(tag="label"):
                    Words(_("Reason; needed to reject or send back"))
                    reason = region("", "textarea", rows="2", maxlength="2000", name="reason")
                    reason.on("input", self._reasoned, js_handler="(event) => emit(event.target.value)", throttle=0.2)
                self._trouble = Words("", "p", "ath-correct-trouble")
                self._trouble.props["role"] = "alert"
            self._reason = ""
            with region("ath-entry-foot"):
                for verdict, text, glyph, classes in (
                    (Verdict.APPROVE, _("Approve"), "check", "is-main"),
                    (Verdict.SEND_BACK, _("Send back"), "undo", ""),
                    (Verdict.REJECT, _("Reject"), "close", "is-danger"),
                ):
                    button(text, self._deciding(asked.step.id, verdict), glyph=glyph, classes=classes)

    async def _signed(self, path: str) -> None:
        self._signature = path or None

    def _reasoned(self, event: GenericEventArguments) -> None:
        self._reason = str(event.args)

    def _deciding(self, step_id: str, verdict: Verdict) -> Callable[[], Awaitable[None]]:
        async def decide() -> None:
            try:
                await self._forms.entries.decide(
                    self._viewer, self._entry.id, step_id, verdict, reason=self._reason, signature=self._signature
                )
            except AthanorError as error:
                self._trouble.text = str(error)
                return
            ui.navigate.reload()

        return decide

    def _ask_to_withdraw(self) -> None:
        async def withdraw() -> None:
            try:
                await self._forms.entries.withdraw(self._viewer, self._entry.id)
            except AthanorError as error:
                trouble.text = str(error)
                return
            ui.navigate.reload()

        with self._dialog.filling(_("Withdraw this entry?")):
            Words(_("It ends here and nobody decides about it any more. What was filled in stays on record."), "p")
            trouble = Words("", "p", "ath-correct-trouble")
            with region("ath-dialog-foot"):
                button(_("Cancel"), self._dialog.close)
                button(_("End the entry"), withdraw, classes="is-danger")

    # ---- flow and history

    def _flow(self, names: Mapping[str, str]) -> None:
        entry = self._entry
        verdicts = {one.step: one.verdict for one in self._dossier.decisions if one.round == entry.round}
        needed = frozenset(step.id for step in needed_steps(entry.definition, entry.values)) if entry.round else None
        with region("ath-card", "section", aria_label=_("Flow")):
            with region("ath-card-head"):
                Words(_("Flow"), "h2")
            show_flow(
                entry.definition,
                verdicts=verdicts,
                asked=frozenset(one.step.id for one in self._dossier.asked),
                needed=needed,
                names=names,
            )
            for one in self._dossier.asked:
                self._waits(one, names)

    def _waits(self, asked: Asked, names: Mapping[str, str]) -> None:
        people = ", ".join(names.get(login, login) for login in asked.deciders[:6])
        more = "" if len(asked.deciders) <= 6 else " …"
        with region("ath-flow-waits"):
            Words(_("{step} waits for: {people}").format(step=wording.step_title(asked.step), people=people + more))
            if asked.due_at is not None:
                is_late = asked.escalated_to is not None or asked.due_at <= datetime.now(UTC)
                text = _("due {when}").format(when=date_time(asked.due_at, self._zone))
                status(text, Status.WARN if is_late else Status.NORMAL)

    def _history(self, names: Mapping[str, str]) -> None:
        signatures = {(one.step, one.round): one.signature for one in self._dossier.decisions}
        with region("ath-card ath-history", "section", aria_label=_("What happened")):
            with region("ath-card-head"):
                Words(_("What happened"), "h2")
            with region("ath-timeline", "ol"):
                for one in reversed([one for one in self._dossier.history if not _is_first_entry(one)]):
                    with region(f"is-{one.what}", "li"):
                        with region("ath-timeline-head"):
                            Words(self._happened(one), "strong")
                            who = f"{names.get(one.by, one.by)} · " if one.by else ""
                            Words(f"{who}{date_time(one.at, self._zone)}", "small")
                        self._detail(one, names)
                        signature = signatures.get((str(one.detail.get("step")), int(one.detail.get("round") or 0)))
                        if one.what == "decided" and signature:
                            signature_picture(signature)

    def _happened(self, one: Happening) -> str:
        detail = one.detail
        step_id = str(detail.get("step", ""))
        known = {step.id: wording.step_title(step) for step in self._entry.definition.steps}
        step = known.get(step_id, step_id)
        match one.what:
            case "changed":
                return _("{field} changed").format(field=self._label(str(detail.get("field"))))
            case "decided":
                return f"{step}: {wording.verdict(Verdict(detail['verdict']))}"
            case "overdue":
                return _("{step} is overdue").format(step=step)
            case "escalated":
                return _("{step} escalated to role {role}").format(step=step, role=detail.get("role"))
            case "ended":
                return wording.state_of(State(detail["state"]))[0]
        return {"made": _("Draft begun"), "sent": _("Sent"), "withdrawn": _("Withdrawn")}.get(one.what, one.what)

    def _detail(self, one: Happening, names: Mapping[str, str]) -> None:
        if one.what == "changed" and self._entry.definition.has(str(one.detail.get("field"))):
            field = self._entry.definition.field(str(one.detail["field"]))
            old, new = (
                value_text(field, one.detail.get(key), self._plant, names, self._zone) for key in ("old", "new")
            )
            Words(f"{old} → {new}", "p")
        elif one.detail.get("reason"):
            Words(str(one.detail["reason"]), "p")

    def _label(self, field_id: str) -> str:
        definition = self._entry.definition
        return text_of(definition.field(field_id).label) or field_id if definition.has(field_id) else field_id


def _names(people: People) -> dict[str, str]:
    return {login: person.user.name or login for login, person in people.by_login.items()}


def _is_first_entry(one: Happening) -> bool:
    """Whether a field was filled in for the first time, before anybody had seen it: no news."""
    return one.what == "changed" and not one.detail.get("round") and not is_filled(one.detail.get("old"))
