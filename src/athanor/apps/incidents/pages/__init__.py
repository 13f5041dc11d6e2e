"""What a person sees of incidents."""

from athanor.apps.incidents.pages.incident import incident_page
from athanor.apps.incidents.pages.incidents import incidents_page

__all__ = ["incident_page", "incidents_page"]
