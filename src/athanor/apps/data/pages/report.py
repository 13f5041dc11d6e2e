"""One import while it runs, and what came of it."""

from urllib.parse import quote
from zoneinfo import ZoneInfo

from athanor.apps.data.pages import wording
from athanor.apps.data.pages.outcome import outcome, span_text
from athanor.apps.data.pages.tabs import tabs
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Job, Jobs
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Words, empty_state, icon, job_card, link, region
from athanor.web.language import _

_TAGS_DRAWN = 6


def import_report(job_id: str, plant: RunningPlant, jobs: Jobs, viewer: User) -> None:
    """The import with this id."""
    tabs("/data", viewer)
    try:
        jobs.get(job_id, viewer)
    except NotFoundError:
        empty_state(
            _("This import is not known here"),
            _("The server forgets old imports, and all of them when it is started anew. Their samples stay."),
            glyph="history",
            action=(_("Send a file"), "/data"),
            is_missing=True,
        )
        return

    show_import(job_id, plant, jobs, viewer)


def show_import(job_id: str, plant: RunningPlant, jobs: Jobs, viewer: User) -> None:
    """A job that imports, and what came of it, at this place of the page. Raises NotFoundError."""

    def over(job: Job) -> None:
        if "stored" not in job.summary:
            return
        with told:
            outcome(job)
            _onward(job, plant)

    job_card(jobs, job_id, viewer, stages=wording.stages(), on_over=over)
    told = region("ath-outcome")


def _onward(job: Job, plant: RunningPlant) -> None:
    """What a person does next: look at it, or bring in the next file."""
    summary = job.summary
    with region("ath-card ath-actions", "section"):
        if summary["stored"] and summary["first"] and summary["last"]:
            tags = ",".join(list(summary["by_tag"])[:_TAGS_DRAWN])
            address = (
                f"/trends?tags={quote(tags, safe=',.')}&from={quote(summary['first'])}&to={quote(summary['last'])}"
            )
            with link("", address, "ath-button is-main"):
                icon("show_chart")
                Words(_("Look at it"))
        with link("", "/data", "ath-button"):
            icon("upload_file")
            Words(_("Import another file"))
        Words(span_text(summary, ZoneInfo(plant.model.timezone)), "span", "ath-summary")
