"""What a person sees when something failed: what happened and what to do, with the code that log and manual name."""

from athanor.kernel.errors import AthanorError
from athanor.web.components.words import Words, icon, region
from athanor.web.language import _


def error_card(error: Exception, reference: str = "") -> None:
    """An AthanorError speaks for itself; any other error names only the reference under which the log has it."""
    with region("ath-card ath-notice is-urgent", role="alert"):
        icon("error_outline")
        with region():
            if isinstance(error, AthanorError):
                Words(_("This did not work"), "h2")
                Words(str(error), "p")
                Words(error.code, "code")
            else:
                Words(_("Something failed that Athanor did not expect"), "h2")
                Words(_("The log tells more under this reference. Reload the page, or go on elsewhere."), "p")
                Words(reference, "code")
