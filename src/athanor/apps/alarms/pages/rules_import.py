"""Rules from a sheet: first what it would do, row by row where it cannot, then what a person confirms."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from athanor.apps.alarms.services import rules as services
from athanor.kernel.alarms.rulebook import LONGEST_REASON
from athanor.kernel.alarms.rules_sheet import SheetTrial, What
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.imports import Imports
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    Said,
    Words,
    button,
    choice,
    data_table,
    dialog_form,
    empty_state,
    file_drop,
    form_lines,
    job_card,
    link,
    page_title,
    region,
)
from athanor.web.formatting import number
from athanor.web.language import _, text_of

_HOME = "/alarms/rules"


def import_rules(imports: Imports) -> None:
    """A place for the sheet."""
    with page_title(_("Import alarm rules")):
        region("ath-space")
        link(_("Back"), _HOME, "ath-button")

    def sent(answer: Mapping[str, Any]) -> None:
        ui.navigate.to(f"{_HOME}/import/{answer['file']}")

    with region("ath-card", "section", aria_label=_("Import alarm rules")):
        file_drop(
            "/api/v1/alarms/rules/files",
            most_bytes=imports.most_bytes,
            endings=(".xlsx", ".xls", ".csv"),
            hint=_(
                "The sheet that the export writes, with your changes. Nothing is changed before you have seen what."
            ),
            on_sent=sent,
        )


async def import_sheet(
    upload: str, viewer: User, alarms: Alarms, plant: RunningPlant, imports: Imports, jobs: Jobs
) -> None:
    """What a sheet would do, and the button that does it."""
    with page_title(_("Import alarm rules")):
        region("ath-space")
        link(_("Back"), f"{_HOME}/import", "ath-button")
    try:
        imports.upload(upload, viewer)
    except NotFoundError:
        empty_state(
            _("This file is not there any more"),
            _("Files are kept for a day, for whoever sent them."),
            glyph="upload_file",
            action=(_("Send it again"), f"{_HOME}/import"),
            is_missing=True,
        )
        return
    await _Import(upload, viewer, alarms, plant, imports, jobs).build()


class _Import:
    def __init__(
        self, upload: str, viewer: User, alarms: Alarms, plant: RunningPlant, imports: Imports, jobs: Jobs
    ) -> None:
        self._upload, self._viewer, self._book, self._plant = upload, viewer, alarms.rules, plant
        self._imports, self._jobs, self._tenant = imports, jobs, ""

    async def build(self) -> None:
        self._dialog = Dialog()
        if self._viewer.tenant is None:
            tenants = {key: text_of(one.name) for key, one in self._plant.model.tenants.items()}
            with region("ath-card", "section"), region("ath-card-body ath-fields"), region("ath-fields-row"):
                options = {"": _("The park's"), **tenants}
                choice(_("Whose rules they are"), options, "", self._turn, name="tenant")
        self._body = region("ath-stack")
        await self._try()

    async def _turn(self, tenant: str) -> None:
        self._tenant = tenant
        await self._try()

    async def _try(self) -> None:
        self._body.clear()
        with self._body:
            Words(_("Reading the sheet …"), "p")
        file = self._imports.upload(self._upload, self._viewer)
        try:
            trial = await services.sheet_trial(self._book, self._viewer, file.path, file.name, self._tenant or None)
        except AthanorError as error:
            self._body.clear()
            with self._body:
                empty_state(
                    _("This sheet cannot be read"),
                    str(error),
                    glyph="error",
                    action=(_("Send another"), f"{_HOME}/import"),
                )
            return
        self._body.clear()
        with self._body:
            self._show(trial, file.name)

    def _show(self, trial: SheetTrial, name: str) -> None:
        wanted = [one for one in trial.rules if one.what is not What.SAME]
        with region("ath-card", "section", aria_label=_("What the import does")):
            with region("ath-card-head"):
                Words(name, "h2")
                region("ath-space")
                if wanted:
                    text = _("Import {n} rules…").format(n=number(len(wanted)))
                    button(text, lambda: self._ask(trial, name), classes="is-main")
            with region("ath-card-body"):
                text = _("{new} new, {changed} changed, {same} as they are already, {bad} that cannot come in.")
                counts = {what.value: number(trial.count(what)) for what in What}
                rows = len({one.row for one in trial.faults})
                Words(text.format(**counts, bad=number(rows)), "p")
        if trial.faults:
            with region("ath-card", "section"):
                data_table(
                    [
                        {"row": Cell(str(one.row), sort=one.row), "column": one.column, "text": one.text}
                        for one in trial.faults
                    ],
                    [
                        Column("row", _("Row"), is_number=True),
                        Column("column", _("Column")),
                        Column("text", _("What is wrong, and the cure"), is_wide=True),
                    ],
                    caption=_("Rows that cannot come in"),
                    export_name="alarm-rules-refused",
                )

    def _ask(self, trial: SheetTrial, name: str) -> None:
        async def send(said: Said) -> None:
            reason = said.get("reason", "").strip()[:LONGEST_REASON]
            wanted = [one for one in trial.rules if one.what is not What.SAME]
            job = services.start_import(
                self._jobs, self._book, self._viewer, name, wanted, self._tenant or None, reason
            )
            self._dialog.close()
            self._body.clear()
            with self._body, region("ath-card", "section"):
                job_card(self._jobs, job, self._viewer, stages={"keeping": _("Keeping the rules")}, on_over=self._over)

        with (
            self._dialog.filling(_("Import alarm rules")),
            dialog_form(send, _("Import"), on_cancel=self._dialog.close),
        ):
            form_lines(_("Why, for the record"), "reason")

    def _over(self, job: Job) -> None:
        with self._body, region("ath-actions"):
            if job.error is None:
                changed = number(int(job.summary.get("changed", 0)))
                Words(_("{n} rules were kept.").format(n=changed), "p")
            link(_("To the rules"), _HOME, "ath-button is-main")
