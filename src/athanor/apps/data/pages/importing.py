"""Bringing history in from a file."""

from athanor.apps.data.pages.tabs import tabs
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Jobs
from athanor.web.components import job_list, region
from athanor.web.language import _

KIND = "data.import"  # of the jobs that import


def import_history(jobs: Jobs, viewer: User) -> None:
    """Imports so far."""
    tabs("/data", viewer)
    with region("ath-card", "section"):
        job_list(
            jobs,
            viewer,
            kind=KIND,
            caption=_("Recent imports"),
            nothing=_("Nothing was imported since the server started."),
        )
