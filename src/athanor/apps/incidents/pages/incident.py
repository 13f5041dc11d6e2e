"""One case: what it is about, how far it is, its tasks, what was said and brought, and what can be done with it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.incidents import services
from athanor.apps.incidents.pages import wording
from athanor.kernel.cases.flow import Action, Disposition, TaskState, actions_in
from athanor.kernel.cases.records import Case, Dossier, Entry, Task
from athanor.kernel.cases.service import Cases
from athanor.kernel.documents.records import Listed
from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Said,
    Status,
    Words,
    button,
    dialog_form,
    file_drop,
    form_choice,
    form_line,
    form_lines,
    link,
    page_title,
    region,
    status,
)
from athanor.web.formatting import NOTHING, date_time, duration
from athanor.web.language import _, text_of
from athanor.web.live import every_second
from athanor.web.severity import categories, priorities

_LOOK_EVERY = 3  # beats
_DUE_CHOICES_H = (1, 4, 8, 24, 72)


async def incident_page(
    case_id: int, request: Request, plant: RunningPlant, cases: Cases, documents: Documents, viewer: User
) -> None:
    """A case that the viewer sees."""
    dossier = await cases.seeing.get(viewer, case_id)
    address = request.client.host if request.client else ""
    await _Page(dossier, plant, cases, documents, viewer, address).build()


class _Page:
    def __init__(
        self,
        dossier: Dossier,
        plant: RunningPlant,
        cases: Cases,
        documents: Documents,
        viewer: User,
        address: str,
    ) -> None:
        self._dossier, self._case = dossier, dossier.case
        self._plant, self._cases, self._documents, self._viewer = plant, cases, documents, viewer
        self._address = address
        self._zone = ZoneInfo(plant.model.timezone)
        self._may_act = viewer.may("incidents.operate")
        self._may_lead = self._may_act and not dossier.is_guest
        self._beats = 0
        self._is_changed_shown = False

    async def build(self) -> None:
        case = self._case
        self._names = await self._cases.seeing.owners(case.tenant)
        with page_title(text_of(case.title), f"#{case.id}"):
            text, state = wording.state_of(case.state)
            status(text, state)
            if case.is_overdue(datetime.now(UTC)):
                status(_("Overdue"), Status.URGENT)
            region("ath-space")
            link(_("Incidents"), "/incidents", "ath-button")
        self._dialog = Dialog()
        self._actions()
        with region("ath-entry"):
            with region("ath-entry-main"):
                self._facts()
                self._tasks()
                if self._may_act and not case.state.is_over:
                    self._talk()
                self._history()
            with region("ath-entry-side", "aside"):
                self._progress()
                self._sources()
                await self._evidence()
        every_second(self._look)

    async def _look(self) -> None:
        """Show what others did meanwhile, unless the person is in the midst of something."""
        self._beats += 1
        if self._beats % _LOOK_EVERY:
            return
        now = (await self._cases.seeing.get(self._viewer, self._case.id)).case
        if now.revision != self._case.revision and not self._is_changed_shown:
            self._is_changed_shown = True
            with self._news:
                Words(_("Others have changed this incident meanwhile."))
                button(_("Show"), ui.navigate.reload, classes="is-plain")

    # ---- what can be done

    def _actions(self) -> None:
        self._news = region("ath-incident-news", "div", role="status")
        if not self._may_lead:
            return
        asked = {
            Action.ASSIGN: (_("Assign…"), self._ask_to_assign, "person_add"),
            Action.START: (_("Begin to work on it"), self._starting, "play_arrow"),
            Action.RESOLVE: (_("Resolved…"), self._ask_to_resolve, "task_alt"),
            Action.SEND_BACK: (_("Send back…"), self._ask_to_send_back, "undo"),
            Action.CLOSE: (_("Verify and close…"), self._ask_to_close, "verified"),
            Action.REOPEN: (_("Open again…"), self._ask_to_reopen, "restart_alt"),
        }
        possible = actions_in(self._case.state)
        with region("ath-entry-actions"):
            for action in possible:
                text, call, glyph = asked[action]
                is_main = action in (Action.START, Action.RESOLVE, Action.CLOSE) and action == possible[-1]
                button(text, call, glyph=glyph, classes="is-main" if is_main else "")

    def _ask(self, title: str, label: str, send: Callable[[Said], Awaitable[object]], fill: Callable[[], None]) -> None:
        async def sent(said: Said) -> None:
            await send(said)
            ui.navigate.reload()

        with self._dialog.filling(title), dialog_form(sent, label, on_cancel=self._dialog.close):
            fill()

    async def _starting(self) -> None:
        await self._cases.working.start(self._viewer, self._case.id, **self._as_read())
        ui.navigate.reload()

    def _ask_to_assign(self) -> None:
        def fill() -> None:
            chosen = self._case.owner or self._viewer.login
            form_choice(
                _("Who"), "owner", self._names, chosen if chosen in self._names else next(iter(self._names), "")
            )
            form_line(_("Team or department, if you like"), "team", self._case.team)

        def send(said: Said) -> Awaitable[None]:
            return self._cases.working.assign(
                self._viewer, self._case.id, said.get("owner", ""), team=said.get("team", "")[:200], **self._as_read()
            )

        self._ask(_("Assign the incident"), _("Assign"), send, fill)

    def _ask_to_resolve(self) -> None:
        self._ask(
            _("What was done?"),
            _("Resolved"),
            lambda said: self._cases.working.resolve(
                self._viewer, self._case.id, said.get("text", ""), **self._as_read()
            ),
            lambda: form_lines(_("What was done, and what was found"), "text"),
        )

    def _ask_to_send_back(self) -> None:
        self._ask(
            _("Send back"),
            _("Send back"),
            lambda said: self._cases.working.send_back(
                self._viewer, self._case.id, said.get("text", ""), **self._as_read()
            ),
            lambda: form_lines(_("What is missing"), "text"),
        )

    def _ask_to_close(self) -> None:
        def fill() -> None:
            form_choice(_("Disposition"), "disposition", wording.dispositions(), Disposition.MENDED)
            form_lines(_("Cause"), "cause")

        self._ask(
            _("Verify and close"),
            _("Close the incident"),
            lambda said: self._cases.working.close(
                self._viewer,
                self._case.id,
                Disposition(said.get("disposition", Disposition.MENDED)),
                said.get("cause", ""),
                **self._as_read(),
            ),
            fill,
        )

    def _ask_to_reopen(self) -> None:
        self._ask(
            _("Open the incident again"),
            _("Open again"),
            lambda said: self._cases.working.reopen(
                self._viewer, self._case.id, said.get("text", ""), **self._as_read()
            ),
            lambda: form_lines(_("Why"), "text"),
        )

    def _as_read(self) -> dict[str, Any]:
        """What is decided on this page is decided on what it shows."""
        return {"revision": self._case.revision, "address": self._address}

    # ---- what it is

    def _facts(self) -> None:
        case = self._case
        due = NOTHING if case.due_at is None else date_time(case.due_at, self._zone)
        place = wording.place_of(self._plant, case.path)
        facts: list[tuple[str, str]] = [
            (_("Where"), place or NOTHING),
            (_("Priority"), priorities()[case.priority]),
            (_("Kind"), categories().get(case.category, case.category)),
            (_("Owner"), " · ".join(one for one in (self._name(case.owner or ""), case.team) if one) or NOTHING),
            (_("Due"), due),
            (_("Opened by"), self._name(case.made_by) or _("an alarm")),
        ]
        if case.escalated:
            facts.append((_("Given further up"), _("{n} times").format(n=case.escalated)))
        if case.disposition:
            facts.append((_("Disposition"), wording.dispositions().get(case.disposition, case.disposition)))
            facts.append((_("Cause"), case.cause or NOTHING))
        with region("ath-card", "section", aria_label=_("Details")):
            with region("ath-card-head"):
                Words(_("Details"), "h2")
            with region("ath-card-body"), region("ath-facts", "dl"):
                for name, value in facts:
                    Words(name, "dt")
                    Words(value, "dd")

    def _progress(self) -> None:
        """Each step with when it came and how long after the beginning."""
        case = self._case
        steps = [
            (_("Happened"), case.occurred_at),
            (_("Detected"), case.detected_at),
            (_("Somebody was told"), case.notified_at),
            (_("Acknowledged"), case.acknowledged_at),
            (_("Dealt with"), case.resolved_at),
            (_("Verified and closed"), case.closed_at),
        ]
        with region("ath-card", "section", aria_label=_("Progress")):
            with region("ath-card-head"):
                Words(_("Progress"), "h2")
            with region("ath-timeline", "ol"):
                for name, at in steps:
                    with region("is-decided" if at else "", "li"):
                        Words(name, "strong")
                        Words(self._since(case, at), "small")

    def _since(self, case: Case, at: datetime | None) -> str:
        if at is None:
            return _("not yet")
        took = (at - case.occurred_at).total_seconds()
        shown = date_time(at, self._zone)
        return shown if took < 1 else _("{when}, after {span}").format(when=shown, span=duration(took))

    def _sources(self) -> None:
        if not self._dossier.sources:
            return
        with region("ath-card", "section", aria_label=_("Alarms in it")):
            with region("ath-card-head"):
                Words(_("Alarms in it"), "h2")
                Words(str(len(self._dossier.sources)), "small")
            with region("ath-card-body ath-scroll"):
                for one in self._dossier.sources:
                    with region("ath-chosen-row"), region("name", "span"):
                        Words(text_of(one.title))
                        Words(date_time(one.at, self._zone), "small")

    # ---- tasks

    def _tasks(self) -> None:
        tasks = self._dossier.tasks
        may_add = self._may_lead and not self._case.state.is_over
        if not tasks and not may_add:
            return
        with region("ath-card", "section", aria_label=_("Tasks")):
            with region("ath-card-head"):
                Words(_("Tasks"), "h2")
                region("ath-space")
                if may_add:
                    button(_("Give a task…"), self._ask_for_task, glyph="add", classes="is-plain")
            with region("ath-card-body"):
                if not tasks:
                    Words(_("None. Tasks are for several people or bodies acting together."), "p", "ath-summary")
                for one in tasks:
                    self._task(one)

    def _task(self, one: Task) -> None:
        due = "" if one.due_at is None else _("due {when}").format(when=date_time(one.due_at, self._zone))
        tenant = self._plant.model.tenants.get(one.tenant or "")
        whose = text_of(tenant.name) if tenant is not None and one.tenant != self._case.tenant else ""
        notes = [self._name(one.owner or ""), one.body, whose, due, one.result]
        with region("ath-chosen-row"):
            with region("name", "span"):
                Words(one.title)
                Words(" · ".join(note for note in notes if note), "small")
            is_late = one.state is TaskState.OPEN and one.due_at is not None and one.due_at < datetime.now(UTC)
            status(wording.task_state(one.state), Status.URGENT if is_late else Status.NORMAL)
            if self._may_act and one.state is TaskState.OPEN:
                button(_("End…"), lambda: self._ask_to_end(one), classes="is-plain")

    def _ask_for_task(self) -> None:
        def fill() -> None:
            form_line(_("What is to be done"), "title")
            form_choice(_("Who"), "owner", {"": _("nobody in particular")} | dict(self._names), "")
            form_line(_("Department or body, if you like"), "body")
            if self._viewer.tenant is None:
                tenants = {key: text_of(one.name) for key, one in self._plant.model.tenants.items()}
                form_choice(_("Enterprise"), "tenant", tenants, self._case.tenant or next(iter(tenants), ""))
            spans = {"": _("no time set")} | {str(hours): duration(hours * 3600) for hours in _DUE_CHOICES_H}
            form_choice(_("Due within"), "due", spans, "4")

        def send(said: Said) -> Awaitable[int]:
            hours = said.get("due", "")
            return self._cases.working.add_task(
                self._viewer,
                self._case.id,
                said.get("title", ""),
                owner=said.get("owner") or None,
                body=said.get("body", "")[:200],
                tenant=said.get("tenant") or None,
                due_at=datetime.now(UTC) + timedelta(hours=int(hours)) if hours.isdigit() else None,
                address=self._address,
            )

        self._ask(_("Give a task"), _("Give"), send, fill)

    def _ask_to_end(self, task: Task) -> None:
        def fill() -> None:
            Words(task.title, "p")
            form_choice(_("It is"), "state", {"done": _("done"), "dropped": _("not needed any more")}, "done")
            form_lines(_("What came of it"), "text")

        self._ask(
            _("End the task"),
            _("End the task"),
            lambda said: self._cases.working.end_task(
                self._viewer, self._case.id, task.id, said.get("text", ""), is_dropped=said.get("state") == "dropped",
                address=self._address,
            ),
            fill,
        )  # fmt: skip

    # ---- what was said and brought

    def _talk(self) -> None:
        async def say(said: Said) -> None:
            await self._cases.working.say(self._viewer, self._case.id, said.get("text", ""), address=self._address)
            ui.navigate.reload()

        with (
            region("ath-card", "section", aria_label=_("Say something")),
            region("ath-card-body"),
            dialog_form(say, _("Say it"), on_cancel=None),
        ):
            form_lines(_("Say something to all who work on it"), "text")

    async def _evidence(self) -> None:
        found = await self._documents.of(self._viewer, services.CASE, str(self._case.id))
        may_bring = self._may_act and not self._case.state.is_over and self._viewer.may("documents.edit")
        if not found and not may_bring:
            return

        async def sent(_answer: Mapping[str, Any]) -> None:
            ui.navigate.reload()

        with region("ath-card", "section", aria_label=_("Evidence")):
            with region("ath-card-head"):
                Words(_("Evidence"), "h2")
            with region("ath-card-body"):
                for one in found:
                    self._document(one)
                if may_bring:
                    file_drop(
                        f"/api/v1/incidents/{self._case.id}/evidence",
                        most_bytes=self._documents.rules.most_bytes,
                        endings=(".jpg", ".png", ".pdf"),
                        hint=_("Photos, drawings, records"),
                        on_sent=sent,
                    )

    def _document(self, one: Listed) -> None:
        with region("ath-chosen-row"), region("name", "span"):
            link(one.document.title, f"/documents/{one.document.id}")
            Words(f"{self._name(one.newest.made_by)} · {date_time(one.newest.made_at, self._zone)}", "small")

    def _history(self) -> None:
        with region("ath-card", "section", aria_label=_("What happened")):
            with region("ath-card-head"):
                Words(_("What happened"), "h2")
            with region("ath-timeline", "ol"):
                for one in reversed(self._dossier.history):
                    with region("is-overdue" if "overdue" in one.what or one.what == "escalated" else "", "li"):
                        Words(self._happened(one), "strong")
                        who = f"{self._name(one.by)} · " if one.by else ""
                        Words(f"{who}{date_time(one.at, self._zone)}", "small")
                        if one.text:
                            Words(one.text, "p", "ath-entry-text")

    def _happened(self, one: Entry) -> str:
        text = wording.happened(one.what)
        if one.what == "assigned":
            return _("Assigned to {who}").format(who=self._name(str(one.detail.get("to", ""))))
        if one.what == "closed":
            disposition = str(one.detail.get("disposition", ""))
            return f"{text}: {wording.dispositions().get(disposition, disposition)}"
        return text

    def _name(self, login: str) -> str:
        return self._names.get(login, login)
