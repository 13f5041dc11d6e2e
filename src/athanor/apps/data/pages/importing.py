"""Where an import begins: a place for the file, and the imports so far."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from athanor.apps.data.pages.tabs import tabs
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs
from athanor.kernel.transfer.imports import KIND, Imports
from athanor.web.components import file_drop, job_list, region
from athanor.web.language import _

_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".parquet")


def import_history(jobs: Jobs, imports: Imports, viewer: User) -> None:
    """Send a file; see what became of others. Who may not import is led on to the export."""
    if not viewer.may("data.import"):
        ui.navigate.to("/data/export")
        return
    tabs("/data", viewer)

    def sent(answer: Mapping[str, Any]) -> None:
        ui.navigate.to(f"/data/import/{answer['file']}")

    with region("ath-card", "section", aria_label=_("Import")):
        file_drop(
            "/api/v1/imports/files",
            most_bytes=imports.most_bytes,
            endings=_ENDINGS,
            hint=_(
                "History as CSV, Excel or Parquet, up to {most} MB. Nothing is stored before you have seen it."
            ).format(most=f"{imports.most_bytes / 1e6:,.0f}"),
            on_sent=sent,
        )
    with region("ath-card", "section"):
        job_list(
            jobs,
            viewer,
            kind=KIND,
            caption=_("Recent imports"),
            nothing=_("Nothing was imported since the server started."),
            address=_report,
        )


def _report(job: Job) -> str:
    return f"/data/imports/{job.id}"
