"""From a file to an import, on one page: how it is read, what its columns are, a trial, and then the import."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.data.pages import wording
from athanor.apps.data.pages.columns_card import ColumnsCard
from athanor.apps.data.pages.file_card import FileCard
from athanor.apps.data.pages.outcome import outcome, share_of_refused, span_text
from athanor.apps.data.pages.preview_card import PreviewCard
from athanor.apps.data.pages.report import show_import
from athanor.apps.data.pages.tabs import tabs
from athanor.apps.data.pages.time_card import TimeCard
from athanor.apps.data.services.deciding import decided, without_columns
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs, JobState
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.errors import BadFileError
from athanor.kernel.transfer.examining import Examined, Question
from athanor.kernel.transfer.imports import Imports
from athanor.web.components import (
    Dialog,
    Status,
    Words,
    button,
    empty_state,
    error_card,
    icon,
    job_card,
    link,
    region,
    status,
)
from athanor.web.formatting import number
from athanor.web.language import _


async def import_file(
    upload: str, request: Request, plant: RunningPlant, jobs: Jobs, imports: Imports, viewer: User
) -> None:
    """One file that was sent."""
    tabs("/data", viewer)
    try:
        file = imports.upload(upload, viewer)
    except NotFoundError:
        empty_state(
            _("This file is no longer here"),
            _("A file is removed once it is imported, or after a day. Send it again."),
            glyph="upload_file",
            action=(_("Send a file"), "/data"),
            is_missing=True,
        )
        return
    with region("ath-file-name"):
        icon("description")
        Words(file.name, "h2")
        Words(_("{n} MB").format(n=number(file.size / 1e6, 1)), "span", "ath-summary")
    address = request.client.host if request.client else ""
    wizard = Wizard(file.id, plant, jobs, imports, viewer, address)
    try:
        await wizard.look()
    except BadFileError as error:
        wizard.give_up(error)


class Wizard:
    """The steps of one import. Each decision of the person is laid over what was found, and shown at once."""

    def __init__(
        self, upload: str, plant: RunningPlant, jobs: Jobs, imports: Imports, viewer: User, address: str
    ) -> None:
        self._upload, self._plant, self._jobs, self._imports, self._viewer = upload, plant, jobs, imports, viewer
        self._address = address
        self._zone = ZoneInfo(plant.model.timezone)
        self._decisions: dict[str, Any] = {}
        self._examined: Examined | None = None
        with region("ath-steps") as self._body:
            self._questions = region("ath-questions")
            self._file = FileCard(self._decide_file)
            self._time = TimeCard(plant, self._decide)
            self._columns = ColumnsCard(plant, self._decide)
            self._preview = PreviewCard(plant)
            self._actions = region("ath-card ath-actions", "section")
            self._outcome = region("ath-outcome")
        self._confirm = Dialog()

    async def look(self) -> None:
        """Examine the file with what was decided so far, and show all that follows. Raises BadFileError."""
        examined = await self._imports.examine(self._upload, self._viewer, self._decisions)
        self._examined = examined
        self._show_questions(examined)
        for card in (self._file, self._time, self._columns):
            card.show(examined)
        is_ready = await self._show_preview(examined)
        self._show_actions(is_ready=is_ready)
        self._outcome.clear()

    def give_up(self, error: BadFileError) -> None:
        """The file is no table; say why, and lead on."""
        self._imports.forget(self._upload, self._viewer)
        self._body.clear()
        with self._body:
            error_card(error)
            with link("", "/data", "ath-button"):
                icon("upload_file")
                Words(_("Send a file"))

    async def _decide_file(self, place: tuple[str, ...], value: object) -> None:
        """Where the table is, or what it is: what was said of columns may no longer hold."""
        await self._take(decided(without_columns(self._decisions), place, value))

    async def _decide(self, place: tuple[str, ...], value: object) -> None:
        await self._take(decided(self._decisions, place, value))

    async def _take(self, decisions: dict[str, Any]) -> None:
        before, self._decisions = self._decisions, decisions
        with self._body:  # the field that was changed is gone once the cards are drawn anew
            try:
                await self.look()
            except AthanorError as error:
                self._decisions = before
                await self.look()
                ui.notify(str(error), type="negative", multi_line=True, close_button=_("Close"), timeout=0)

    def _show_questions(self, examined: Examined) -> None:
        self._questions.clear()
        with self._questions:
            for asked in examined.questions:
                is_warning = asked is Question.FORMULAS
                with region("ath-card ath-notice is-warn" if is_warning else "ath-card ath-notice", role="status"):
                    icon("warning" if is_warning else "help")
                    Words(wording.question(asked), "p")

    async def _show_preview(self, examined: Examined) -> bool:
        """Whether the plan fits, and something of it can be stored."""
        if any(asked is not Question.FORMULAS for asked in examined.questions):
            self._preview.hide()
            return False
        try:
            plan = self._imports.plan(examined)
            self._preview.show(examined, await self._imports.preview(self._upload, self._viewer, examined, plan))
        except AthanorError as error:
            self._preview.refuse(error)
            return False
        return True

    def _show_actions(self, *, is_ready: bool) -> None:
        self._actions.clear()
        with self._actions:
            attempt = button(_("Try"), self._try, glyph="rule", classes="is-main")
            if not is_ready:
                attempt.props["disabled"] = True
            Words(_("Reads the whole file and stores nothing."), "span", "ath-summary")
            region("ath-space")
            button(_("Forget this file"), self._forget, glyph="delete", classes="is-plain")

    def _try(self) -> None:
        def over(job: Job) -> None:
            if job.state is JobState.SUCCEEDED:
                with self._outcome:
                    outcome(job)
                    self._offer(job)

        self._begin(is_trial=True, then=over)

    def _begin(self, *, is_trial: bool, then: Callable[[Job], None]) -> None:
        started = self._start(is_trial=is_trial)
        self._outcome.clear()
        with self._outcome:
            job_card(self._jobs, started, self._viewer, stages=wording.stages(), on_over=then)
        self._outcome.run_method("scrollIntoView", {"block": "start", "behavior": "smooth"})

    def _start(self, *, is_trial: bool) -> str:
        if self._examined is None:
            raise RuntimeError("Nothing was examined yet.")
        return self._imports.start(
            self._upload,
            self._viewer,
            self._examined,
            self._imports.plan(self._examined),
            is_trial=is_trial,
            address=self._address,
            reasons=wording.reasons(),
        )

    def _offer(self, job: Job) -> None:
        """After a trial: the import itself, if there is anything to import."""
        samples = int(job.summary["samples"])
        with region("ath-card ath-actions", "section"):
            if samples == 0:
                status(_("Nothing of this file can be stored as it is read now."), Status.WARN)
                return
            button(
                _("Import {n} samples").format(n=number(samples)),
                lambda: self._ask(job),
                glyph="file_download_done",
                classes="is-main",
            )
            Words(span_text(job.summary, self._zone), "span", "ath-summary")
            if refused := share_of_refused(job.summary):
                status(_("{share} of the cells are left out").format(share=refused), Status.WARN)

    def _ask(self, job: Job) -> None:
        summary = job.summary
        with self._confirm.filling(_("Import?")):
            text = _(
                "{samples} samples of {tags} tags will be stored. Where a tag has a sample of the same time already, "
                "the one from the file replaces it."
            )
            Words(text.format(samples=number(summary["samples"]), tags=number(summary["tags"])), "p")
            with region("ath-dialog-foot"):
                button(_("Import"), self._import, glyph="check", classes="is-main")
                button(_("Not yet"), self._confirm.close)

    def _import(self) -> None:
        """Begin, and show in the place of all that led here how it goes on."""
        self._confirm.close()
        started = self._start(is_trial=False)
        ui.navigate.history.replace(f"/data/imports/{started}")
        self._body.clear()
        with self._body:
            show_import(started, self._plant, self._jobs, self._viewer)

    def _forget(self) -> None:
        self._imports.forget(self._upload, self._viewer)
        ui.navigate.to("/data")
