"""What programs may do with people."""

from athanor.apps.people.api.routes import router

__all__ = ["router"]
