"""What a person sees of security."""

from athanor.apps.security.pages.audit import audit
from athanor.apps.security.pages.entry import entry
from athanor.apps.security.pages.posture import posture

__all__ = ["audit", "entry", "posture"]
