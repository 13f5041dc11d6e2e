"""Starting a job by hand."""

from nicegui import ui

from athanor.apps.operations.pages.forms import Said, choice, form, long_field
from athanor.apps.operations.pages.wording import kind_text
from athanor.apps.operations.services.wishes import arguments_of
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.service import JobRuns
from athanor.web.components import Dialog, button
from athanor.web.language import _


def run_now(runs: JobRuns, viewer: User, address: str) -> None:
    """A button, and the dialog that it opens."""
    dialog = Dialog()

    async def start(said: Said) -> None:
        run_id = await runs.begin(said["kind"], viewer, arguments_of(said["arguments"]), address=address)
        ui.navigate.to(f"/operations/jobs/{run_id}")

    def ask() -> None:
        kinds = {kind.name: kind_text(kind.name, runs.kinds) for kind in sorted(runs.kinds, key=lambda one: one.name)}
        with dialog.filling(_("Run a job now")), form(start, _("Run it"), back="/operations/jobs"):
            choice(_("Job"), "kind", kinds, next(iter(kinds), ""))
            long_field(_("Arguments"), "arguments", note=_('JSON, such as {"days": 90}; nothing where it needs none.'))

    button(_("Run a job…"), ask, glyph="play_arrow")
